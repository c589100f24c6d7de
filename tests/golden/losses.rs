//! Losses, and small programs made of several operations.

use crate::call::{Call, No, V, table};
use retrograde::Reduction;

table! {
    "nn.functional.mse_loss" => |c| { let (x, t) = against(c)?; x.mse(t, c.reduction()) };
    "nn.functional.l1_loss" => |c| { let (x, t) = against(c)?; x.l1_loss(t, c.reduction()) };
    "nn.functional.huber_loss" => |c| {
        let (x, t) = against(c)?;
        x.huber(t, c.number(usize::MAX, "delta", 1.0)?, c.reduction())
    };
    "nn.functional.smooth_l1_loss" => |c| {
        let ((x, t), beta) = (against(c)?, c.number(usize::MAX, "beta", 1.0)?);
        if beta == 0.0 { x.l1_loss(t, c.reduction()) } else { x.huber(t, beta, c.reduction()) * (1.0 / beta) }
    };
    "nn.functional.binary_cross_entropy_with_logits" => |c| {
        if c.has(2, "weight") || c.has(usize::MAX, "pos_weight") {
            return Err(No::Form("weights"));
        }
        let (x, t) = against(c)?;
        x.binary_cross_entropy_with_logits(t, c.reduction())
    };
    "nn.functional.cross_entropy" => |c| cross_entropy(c)?;

    "nn.functional.softmax" => |c| (c.var(1, "s")? * c.x()?).softmax(-1);
    "mlp" => |c| {
        let [x, w1, b1, w2, b2, y] = [0, 1, 2, 3, 4, 5].map(|i| c.var(i, ""));
        x?.linear(w1?.t(), b1?).tanh().linear(w2?.t(), b2?).mse(y?, Reduction::Mean)
    };
    "attention" => |c| {
        let [q, k, v] = [0, 1, 2].map(|i| c.var(i, ""));
        (q?.matmul(k?.transpose(-1, -2)) / 2.0).softmax(-1).matmul(v?)
    };
    "logistic_map" => |c| {
        let r = c.var(1, "r")?;
        (0..30).fold(c.x()?, |x, _| r * x * (1.0 - x))
    };
    "rosenbrock" => |c| {
        let (low, high) = (c.x()?.slice(0, ..-1), c.x()?.slice(0, 1..));
        ((high - low.square()).square() * 100.0 + (1.0 - low).square()).sum()
    };
    "gmm_nll" => |c| {
        let [x, a, m, s] = [0, 1, 2, 3].map(|i| c.var(i, ""));
        let (s, half) = (s?, 0.5 * (2.0 * std::f64::consts::PI).ln());
        let z = (x?.unsqueeze(1) - m?) * (-s).exp();
        let density = (z.square() * -0.5 - s - half).sum_axes(-1) + a?.log_softmax(-1);
        -density.logsumexp_axes(-1).sum()
    };
    "rnn_tanh_cell" => |c| recurrent(c)?.tanh();
    "rnn_relu_cell" => |c| recurrent(c)?.relu();
}

/// The prediction and the target, broadcast against each other as PyTorch does; ours must agree.
fn against<'t>(c: &Call<'t, '_>) -> Result<(V<'t>, V<'t>), No> {
    let (x, t) = (c.x()?, c.var(1, "target")?);
    if x.shape() == t.shape() { Ok((x, t)) } else { Err(No::Form("a target of another shape")) }
}

/// `x wᵀ + b + h uᵀ + d`.
fn recurrent<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let [x, h, w, u, b, d] = [0, 1, 2, 3, 4, 5].map(|i| c.var(i, ""));
    Ok(x?.linear(w?.t(), b?) + h?.linear(u?.t(), d?))
}

/// Classes are the second axis there, the last one here.
fn cross_entropy<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    if c.has(2, "weight") || c.has(usize::MAX, "label_smoothing") || c.has(usize::MAX, "ignore_index") {
        return Err(No::Form("weights, smoothed labels and labels to ignore"));
    }
    let (mut x, targets) = (c.x()?, c.integers(1, "target")?);
    for axis in 2..x.shape().len() as isize {
        x = x.transpose(axis - 1, axis);
    }
    Ok(x.cross_entropy(&targets, c.reduction()))
}
