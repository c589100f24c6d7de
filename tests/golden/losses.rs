//! Losses.

use crate::call::{Call, No, V, table};

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
}

/// The prediction and the target, broadcast against each other as PyTorch does; ours must agree.
fn against<'t>(c: &Call<'t, '_>) -> Result<(V<'t>, V<'t>), No> {
    let (x, t) = (c.x()?, c.var(1, "target")?);
    if x.shape() == t.shape() { Ok((x, t)) } else { Err(No::Form("a target of another shape")) }
}

/// Classes are the second axis there, the last one here.
fn cross_entropy<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    if c.has(2, "weight") || c.has(usize::MAX, "label_smoothing") || c.has(usize::MAX, "ignore_index") {
        return Err(No::Form("weights, smoothed labels and labels to ignore"));
    }
    let (mut x, targets) = (c.x()?, c.integers(1, "target")?);
    if targets.iter().any(|target| target < 0) {
        return Err(No::Form("weights, smoothed labels and labels to ignore"));
    }
    for axis in 2..x.shape().len() as isize {
        x = x.transpose(axis - 1, axis);
    }
    Ok(x.cross_entropy(&targets, c.reduction()))
}
