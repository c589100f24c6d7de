//! Functions of one or two numbers, element by element.

use crate::call::{Call, No, V, table};
use retrograde::Var;

table! {
    "abs" => |c| c.x()?.abs();
    "acos" => |c| c.x()?.acos();
    "acosh" => |c| c.x()?.acosh();
    "asin" => |c| c.x()?.asin();
    "asinh" => |c| c.x()?.asinh();
    "atan" => |c| c.x()?.atan();
    "atanh" => |c| c.x()?.atanh();
    "ceil" => |c| c.x()?.ceil();
    "clone" => |c| c.x()?.identity();
    "contiguous" => |c| c.x()?.identity();
    "cos" => |c| c.x()?.cos();
    "cosh" => |c| c.x()?.cosh();
    "deg2rad" => |c| c.x()? * (std::f64::consts::PI / 180.0);
    "exp" => |c| c.x()?.exp();
    "expm1" => |c| c.x()?.exp_m1();
    "floor" => |c| c.x()?.floor();
    "log" => |c| c.x()?.ln();
    "log10" => |c| c.x()?.log10();
    "log1p" => |c| c.x()?.ln_1p();
    "log2" => |c| c.x()?.log2();
    "neg" => |c| -c.x()?;
    "positive" => |c| c.x()?.identity();
    "rad2deg" => |c| c.x()? * (180.0 / std::f64::consts::PI);
    "reciprocal" => |c| c.x()?.recip();
    "round" => |c| c.x()?.round();
    "round.decimals_0" => |c| c.x()?.round();
    "rsqrt" => |c| c.x()?.rsqrt();
    "sgn" => |c| c.x()?.sign();
    "sign" => |c| c.x()?.sign();
    "sin" => |c| c.x()?.sin();
    "sinh" => |c| c.x()?.sinh();
    "sqrt" => |c| c.x()?.sqrt();
    "square" => |c| c.x()?.square();
    "tan" => |c| c.x()?.tan();
    "erf" => |c| c.x()?.erf();
    "erfc" => |c| c.x()?.erfc();
    "special.ndtr" => |c| c.x()?.normal_cdf();

    "add" => |c| c.x()? + scaled(c)?;
    "sub" => |c| c.x()? - scaled(c)?;
    "rsub" => |c| c.var(1, "other")? - c.x()? * c.number(2, "alpha", 1.0)?;
    "mul" => |c| c.x()? * c.var(1, "other")?;
    "div" => |c| c.x()? / c.var(1, "other")?;
    "div.no_rounding_mode" => |c| c.x()? / c.var(1, "other")?;
    "true_divide" => |c| c.x()? / c.var(1, "other")?;
    "div.floor_rounding" => |c| (c.x()? / c.var(1, "other")?).floor();
    "pow" => |c| power(c)?;
    "float_power" => |c| power(c)?;
    "atan2" => |c| c.x()?.atan2(c.var(1, "other")?);
    "hypot" => |c| c.x()?.hypot(c.var(1, "other")?);
    "maximum" => |c| c.x()?.maximum(c.var(1, "other")?);
    "minimum" => |c| c.x()?.minimum(c.var(1, "other")?);
    "max.binary" => |c| c.x()?.maximum(c.var(1, "other")?);
    "min.binary" => |c| c.x()?.minimum(c.var(1, "other")?);
    "clamp" => |c| clamp(c, c.bound(1, "min")?, c.bound(2, "max")?)?;
    "clamp_min" => |c| clamp(c, c.bound(1, "min")?, None)?;
    "clamp_max" => |c| clamp(c, None, c.bound(1, "max")?)?;
    "where" => |c| Var::where_(c.var(0, "condition")?, c.var(1, "input")?, c.var(2, "other")?);
    "addcmul" => |c| c.x()? + c.var(1, "tensor1")? * c.var(2, "tensor2")? * c.number(3, "value", 1.0)?;
    "addcdiv" => |c| c.x()? + c.var(1, "tensor1")? / c.var(2, "tensor2")? * c.number(3, "value", 1.0)?;
    "lerp" => |c| { let x = c.x()?; x + c.var(2, "weight")? * (c.var(1, "end")? - x) };

    "relu" => |c| c.x()?.relu();
    "sigmoid" => |c| c.x()?.sigmoid();
    "tanh" => |c| c.x()?.tanh();
    "nn.functional.relu" => |c| c.x()?.relu();
    "nn.functional.relu6" => |c| c.x()?.relu6();
    "nn.functional.leaky_relu" => |c| c.x()?.leaky_relu(c.number(1, "negative_slope", 0.01)?);
    "nn.functional.prelu" => |c| c.x()?.prelu(channels(c)?);
    "nn.functional.elu" => |c| c.x()?.elu(c.number(1, "alpha", 1.0)?);
    "nn.functional.selu" => |c| c.x()?.selu();
    "nn.functional.celu" => |c| c.x()?.celu(c.number(1, "alpha", 1.0)?);
    "nn.functional.gelu" => |c| gelu(c)?;
    "nn.functional.silu" => |c| c.x()?.silu();
    "nn.functional.mish" => |c| c.x()?.mish();
    "nn.functional.softplus" => |c| softplus(c)?;
    "nn.functional.softsign" => |c| c.x()?.softsign();
    "nn.functional.hardtanh" => |c| c.x()?.hardtanh(c.number(1, "min_val", -1.0)?, c.number(2, "max_val", 1.0)?);
    "nn.functional.hardsigmoid" => |c| c.x()?.hardsigmoid();
    "nn.functional.hardswish" => |c| c.x()?.hardswish();
    "nn.functional.logsigmoid" => |c| c.x()?.log_sigmoid();
    "nn.functional.tanhshrink" => |c| c.x()?.tanhshrink();
    "nn.functional.softshrink" => |c| c.x()?.softshrink(c.number(1, "lambd", 0.5)?);
    "nn.functional.hardshrink" => |c| c.x()?.hardshrink(c.number(1, "lambd", 0.5)?);
    "nn.functional.threshold" => |c| c.x()?.threshold(c.number(1, "threshold", 0.0)?, c.number(2, "value", 0.0)?);
    "nn.functional.glu" => |c| c.x()?.glu(c.int(1, "dim", -1)?);

    "softmax" => |c| c.x()?.softmax(c.axis(1, "dim")?);
    "softmax.with_dtype" => |c| c.x()?.softmax(c.axis(1, "dim")?);
    "torch.ops.aten._safe_softmax.default" => |c| {
        let x = c.x()?;
        x.masked_softmax(x.ne(f64::NEG_INFINITY), c.axis(1, "dim")?)
    };
    "log_softmax" => |c| c.x()?.log_softmax(c.axis(1, "dim")?);
    "log_softmax.with_dtype" => |c| c.x()?.log_softmax(c.axis(1, "dim")?);
    "nn.functional.softmin" => |c| c.x()?.softmin(c.axis(1, "dim")?);
    "nn.functional.softmin.with_dtype" => |c| c.x()?.softmin(c.axis(1, "dim")?);
}

/// The second operand times `alpha`.
fn scaled<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (y, alpha) = (c.var(1, "other")?, c.number(2, "alpha", 1.0)?);
    Ok(if alpha == 1.0 { y } else { y * alpha })
}

fn power<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    match (c.number(1, "exponent", 1.0), c.int(1, "exponent", 1)) {
        (_, Ok(n)) => Ok(c.x()?.powi(n as i32)),
        (Ok(p), _) => Ok(c.x()?.powf(p)),
        _ => Ok(c.x()?.pow(c.var(1, "exponent")?)),
    }
}

/// A bound of a clamp: a number, or a tensor.
pub enum Bound<'t> {
    Number(f64),
    Tensor(V<'t>),
}

impl<'t> Call<'t, '_> {
    fn bound(&self, place: usize, name: &str) -> Result<Option<Bound<'t>>, No> {
        Ok(match (self.has(place, name), self.number(place, name, 0.0)) {
            (false, _) => None,
            (true, Ok(x)) => Some(Bound::Number(x)),
            (true, Err(_)) => Some(Bound::Tensor(self.var(place, name)?)),
        })
    }
}

fn clamp<'t>(c: &Call<'t, '_>, low: Option<Bound<'t>>, high: Option<Bound<'t>>) -> Result<V<'t>, No> {
    let x = c.x()?;
    Ok(match (low, high) {
        (Some(Bound::Number(low)), Some(Bound::Number(high))) => x.clamp(low, high),
        (Some(Bound::Number(low)), None) => x.clamp_min(low),
        (None, Some(Bound::Number(high))) => x.clamp_max(high),
        (Some(Bound::Tensor(low)), Some(Bound::Tensor(high))) => x.clamp_tensor(low, high),
        (Some(Bound::Tensor(low)), None) => x.maximum(low),
        (None, Some(Bound::Tensor(high))) => x.minimum(high),
        _ => return Err(No::Form("a number and a tensor as bounds")),
    })
}

/// There, what is above the threshold is as it is; ours is exact everywhere, so that a high one makes no odds.
fn softplus<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, beta, threshold) = (c.x()?, c.number(1, "beta", 1.0)?, c.number(2, "threshold", 20.0)?);
    let y = x.softplus(beta);
    Ok(if threshold < 20.0 { Var::where_((x * beta).gt(threshold), x, y) } else { y })
}

fn gelu<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    Ok(if c.text(1, "approximate") == Some("tanh") { c.x()?.gelu_tanh() } else { c.x()?.gelu() })
}

/// PReLU's weight is one a channel, the second axis; ours broadcasts.
fn channels<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (rank, w) = (c.x()?.shape().len(), c.var(1, "weight")?);
    let after = rank.saturating_sub(2);
    Ok(if rank == 0 {
        w.reshape([])
    } else if w.shape().is_empty() {
        w
    } else {
        (0..after).fold(w, |w, _| w.unsqueeze(-1))
    })
}
