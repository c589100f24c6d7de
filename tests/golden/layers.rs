//! Normalisations, attention, embeddings and recurrent cells. Weights of ours are the transposes of PyTorch's.

use crate::call::{Call, No, Operand, V, table};
use crate::reader::Arg;
use retrograde::{
    AttentionMask, AttentionOptions, Bags, Combine, MultiHead, Nonlinearity, RnnWeights, Statistics,
};

table! {
    "nn.functional.layer_norm" => |c| c.x()?.layer_norm(c.shape(1, "normalized_shape", 1)?, c.maybe_var(2, "weight")?, c.maybe_var(3, "bias")?, c.number(4, "eps", 1e-5)?);
    "nn.functional.rms_norm" => |c| c.x()?.rms_norm(c.shape(1, "normalized_shape", 1)?, c.maybe_var(2, "weight")?, c.number(3, "eps", f64::EPSILON)?);
    "nn.functional.group_norm" => |c| c.x()?.group_norm(c.int(1, "num_groups", 1)? as usize, c.maybe_var(2, "weight")?, c.maybe_var(3, "bias")?, c.number(4, "eps", 1e-5)?);
    "nn.functional.instance_norm" => |c| instance_norm(c)?;
    "nn.functional.batch_norm" => |c| batch_norm(c)?;
    "nn.functional.batch_norm.without_cudnn" => |c| batch_norm(c)?;
    "nn.functional.local_response_norm" => |c| {
        let (alpha, beta, k) = (c.number(2, "alpha", 1e-4)?, c.number(3, "beta", 0.75)?, c.number(4, "k", 1.0)?);
        c.x()?.local_response_norm(c.int(1, "size", 1)? as usize, alpha, beta, k)
    };
    "native_layer_norm" => |c| {
        let (shape, eps) = (c.shape(1, "normalized_shape", 1)?, c.number(4, "eps", 1e-5)?);
        let x = c.x()?;
        let axes: Vec<isize> = (0..shape.len() as isize).map(|i| -1 - i).collect();
        let y = x.layer_norm(shape, c.maybe_var(2, "weight")?, c.maybe_var(3, "bias")?, eps);
        moments(y, x, &axes, eps, true)
    };
    "native_group_norm" => |c| {
        let (n, groups, eps) = (c.int(3, "N", 1)? as usize, c.int(6, "group", 1)? as usize, c.number(7, "eps", 1e-5)?);
        let x = c.x()?;
        let each = x.shape().iter().product::<usize>().checked_div(n * groups).unwrap_or(x.shape()[1..].iter().product());
        let y = x.group_norm(groups, c.maybe_var(1, "weight")?, c.maybe_var(2, "bias")?, eps);
        moments(y, x.reshape([n, groups, each]), &[-1], eps, false)
    };
    "nn.functional.scaled_dot_product_attention" => |c| attention(c)?;
    "nn.functional.multi_head_attention_forward" => |c| multi_head(c)?;
    "nn.functional.embedding" => |c| {
        let padding = c.has(2, "padding_idx").then(|| c.int(2, "padding_idx", 0)).transpose()?;
        if c.has(3, "max_norm") {
            return Err(No::Form("a table that changes in place"));
        }
        let scaled = c.flag(5, "scale_grad_by_freq", false);
        if scaled {
            return Err(No::Form("gradients by frequency"));
        }
        c.var(1, "weight")?.embedding(&c.integers(0, "input")?, padding.map(|i| i as i64))
    };
    "nn.functional.embedding_bag" => |c| embedding_bag(c)?;
    "lstm_cell" => |c| {
        let Some(Arg::Seq(states)) = c.arg(1, "hx") else { return Err(No::Form("no pair of states")) };
        let [h, c0] = [&states[0], &states[1]].map(|state| c.operand(state));
        let (h, cell) = c.x()?.lstm_cell(h?, c0?, &weights(c, 2)?);
        [h, cell]
    };
    "gru_cell" => |c| c.x()?.gru_cell(c.var(1, "hx")?, &weights(c, 2)?);
    "rnn_tanh_cell" => |c| c.x()?.rnn_cell(c.var(1, "hx")?, &weights(c, 2)?, Nonlinearity::Tanh);
    "rnn_relu_cell" => |c| c.x()?.rnn_cell(c.var(1, "hx")?, &weights(c, 2)?, Nonlinearity::Relu);
}

/// The result, and the means and reciprocal deviations that PyTorch gives beside it.
fn moments<'t>(y: V<'t>, x: V<'t>, axes: &[isize], eps: f64, keep: bool) -> Vec<V<'t>> {
    let (mean, variance) = (x.mean_keepdim(axes), x.var_keepdim(axes, 0.0));
    let found = [mean, (variance + eps).rsqrt()];
    let found = if keep { found } else { found.map(|part| part.squeeze(-1)) };
    vec![y, found[0], found[1]]
}

fn statistics(c: &Call, places: [usize; 2]) -> Result<Option<Statistics<f64>>, No> {
    let [mean, variance] =
        [(places[0], "running_mean"), (places[1], "running_var")].map(|(at, name)| c.maybe_var(at, name));
    Ok(match (mean?, variance?) {
        (Some(mean), Some(variance)) => Some(Statistics { mean: mean.value()?, variance: variance.value()? }),
        _ => None,
    })
}

fn batch_norm<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, running) = (c.x()?, statistics(c, [1, 2])?);
    let (w, b, eps) = (c.maybe_var(3, "weight")?, c.maybe_var(4, "bias")?, c.number(7, "eps", 1e-5)?);
    match (c.flag(5, "training", false), running) {
        (false, Some(known)) => Ok(x.batch_norm(&known, w, b, eps)),
        (false, None) => Err(No::Form("inference without statistics")),
        (true, running) => {
            let running = match running {
                Some(running) => running,
                None => Statistics::new(x.shape()[1])?,
            };
            Ok(x.batch_norm_training(&running, c.number(6, "momentum", 0.1)?, w, b, eps)?.0)
        }
    }
}

fn instance_norm<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (w, b, eps) = (c.maybe_var(3, "weight")?, c.maybe_var(4, "bias")?, c.number(7, "eps", 1e-5)?);
    match (c.flag(5, "use_input_stats", true), statistics(c, [1, 2])?) {
        (false, Some(known)) => Ok(c.x()?.batch_norm(&known, w, b, eps)),
        (_, Some(running)) => {
            Ok(c.x()?.instance_norm_training(&running, c.number(6, "momentum", 0.1)?, w, b, eps)?.0)
        }
        (_, None) => Ok(c.x()?.instance_norm(w, b, eps)),
    }
}

fn attention<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    if c.number(4, "dropout_p", 0.0)? > 0.0 {
        return Err(No::Form("numbers drawn by PyTorch"));
    }
    let mask = match c.arg(3, "attn_mask") {
        Some(Arg::Tensor(n)) if matches!(c.operands[*n], Operand::Integers(_)) => {
            Some(AttentionMask::Keep(c.var(3, "attn_mask")?))
        }
        Some(_) => Some(AttentionMask::Add(c.var(3, "attn_mask")?)),
        None => None,
    };
    let options = AttentionOptions {
        mask,
        causal: c.flag(5, "is_causal", false),
        scale: c.has(6, "scale").then(|| c.number(6, "scale", 1.0)).transpose()?,
        grouped: c.flag(7, "enable_gqa", false),
        ..AttentionOptions::default()
    };
    Ok(c.x()?.attention(c.var(1, "key")?, c.var(2, "value")?, options))
}

/// Inputs `[rows, batch, width]` there, `[batch, rows, width]` here; two heads of width 4, and their mean weights.
fn multi_head<'t>(c: &Call<'t, '_>) -> Result<Vec<V<'t>>, No> {
    if !matches!(c.arg(3, ""), Some(Arg::Tensor(_))) {
        return Err(No::Form("rows added to keys and values"));
    }
    let (heads, turned) = (2, |i: usize| c.var(i, "").map(|x: V<'t>| x.transpose(0, 1)));
    let [q, k, v] = [turned(0)?, turned(1)?, turned(2)?];
    let weights = MultiHead {
        input: c.var(3, "")?.t(),
        input_bias: c.maybe_var(4, "")?,
        output: c.var(5, "")?.t(),
        output_bias: c.maybe_var(6, "")?,
    };
    let y = q.multi_head_attention(k, v, heads, &weights, AttentionOptions::default());
    let part = |x: V<'t>, third: isize| {
        let width = x.shape()[2] as isize;
        let cut = |w: V<'t>| w.slice(-1, third * width..(third + 1) * width);
        let y = x.linear(cut(weights.input), weights.input_bias.map(cut));
        y.unflatten(-1, [heads, width as usize / heads]).transpose(1, 2)
    };
    let p = part(q, 0).attention_weights(part(k, 1), AttentionOptions::default());
    Ok(vec![y.transpose(0, 1), p.mean_axes(1)])
}

fn embedding_bag<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    if c.has(3, "max_norm") || c.flag(5, "scale_grad_by_freq", false) {
        return Err(No::Form("a table that changes in place"));
    }
    let offsets = c.has(2, "offsets").then(|| c.integers(2, "offsets")).transpose()?;
    // With the end as an offset more, that one begins no bag.
    let offsets = match offsets {
        Some(offsets) if c.flag(9, "include_last_offset", false) => Some(offsets.slice(0, ..-1)?),
        other => other,
    };
    let padding = c.has(10, "padding_idx").then(|| c.int(10, "padding_idx", 0)).transpose()?;
    let how = match c.text(6, "mode") {
        Some("sum") => Combine::Sum,
        Some("max") => Combine::Max,
        _ => Combine::Mean,
    };
    let options = Bags {
        offsets: offsets.as_ref(),
        weights: c.maybe_var(8, "per_sample_weights")?,
        padding: padding.map(|i| i as i64),
    };
    Ok(c.var(1, "weight")?.embedding_bag(&c.integers(0, "input")?, how, options))
}

/// Weights and biases from a place on.
fn weights<'t>(c: &Call<'t, '_>, at: usize) -> Result<RnnWeights<'t, f64>, No> {
    Ok(RnnWeights {
        input: c.var(at, "w_ih")?.t(),
        hidden: c.var(at + 1, "w_hh")?.t(),
        bias: c.maybe_var(at + 2, "b_ih")?,
        hidden_bias: c.maybe_var(at + 3, "b_hh")?,
    })
}
