//! Reductions.

use crate::call::{Answer, Call, No, V, Value, Values, table};
use retrograde::Tensor;

/// One of the three forms of a reduction, by `dim` and `keepdim`.
macro_rules! reduced {
    ($c:ident, $place:literal, $x:expr, $all:ident $some:ident $keep:ident $(, $arg:expr)?) => {{
        let (x, axes) = ($x, $c.axes($place, "dim")?);
        if $c.flag($place + 1, "keepdim", false) {
            x.$keep(axes $(, $arg)?)
        } else if $c.has($place, "dim") {
            x.$some(axes $(, $arg)?)
        } else {
            x.$all($($arg)?)
        }
    }};
}
pub(crate) use reduced;

table! {
    "sum" => |c| reduced!(c, 1, c.x()?, sum sum_axes sum_keepdim);
    "mean" => |c| reduced!(c, 1, c.x()?, mean mean_axes mean_keepdim);
    "prod" => |c| reduced!(c, 1, c.x()?, prod prod_axes prod_keepdim);
    "amax" => |c| reduced!(c, 1, c.x()?, max max_axes max_keepdim);
    "amin" => |c| reduced!(c, 1, c.x()?, min min_axes min_keepdim);
    "max.reduction_no_dim" => |c| c.x()?.max();
    "min.reduction_no_dim" => |c| c.x()?.min();
    "max" => |c| extreme(c)?;
    "min" => |c| extreme(c)?;
    "max.reduction_with_dim" => |c| extreme(c)?;
    "min.reduction_with_dim" => |c| extreme(c)?;
    "aminmax" => |c| [
        reduced!(c, 1, c.x()?, min min_axes min_keepdim),
        reduced!(c, 1, c.x()?, max max_axes max_keepdim),
    ];
    "logsumexp" => |c| reduced!(c, 1, c.x()?, logsumexp logsumexp_axes logsumexp_keepdim);
    "var" => |c| var(c)?;
    "std" => |c| std(c)?;
    "var.unbiased" => |c| c.x()?.var(f64::from(c.flag(1, "unbiased", true)));
    "std.unbiased" => |c| c.x()?.std(f64::from(c.flag(1, "unbiased", true)));
    "var_mean" => |c| [var(c)?, reduced!(c, 1, c.x()?, mean mean_axes mean_keepdim)];
    "std_mean" => |c| [std(c)?, reduced!(c, 1, c.x()?, mean mean_axes mean_keepdim)];
    "var_mean.unbiased" => |c| [c.x()?.var(f64::from(c.flag(1, "unbiased", true))), c.x()?.mean()];
    "std_mean.unbiased" => |c| [c.x()?.std(f64::from(c.flag(1, "unbiased", true))), c.x()?.mean()];
    "norm" => |c| norm(c)?;
    "norm.fro" => |c| reduced!(c, 2, c.x()?, norm norm_axes norm_keepdim);
    "norm.inf" => |c| norm(c)?;
    "linalg.vector_norm" => |c| norm(c)?;
    "dist" => |c| c.x()?.dist(c.var(1, "other")?, c.number(2, "p", 2.0)?);
    "trace" => |c| c.x()?.diagonal(0, 1).sum();
    "sum_to_size" => |c| c.x()?.sum_to(c.shape(1, "size", 1)?);
}

/// What PyTorch takes off the count: `correction`, or 1 and 0 by `unbiased`.
fn correction(c: &Call) -> Result<f64, No> {
    let unbiased = c.flag(usize::MAX, "unbiased", true);
    c.number(usize::MAX, "correction", f64::from(unbiased))
}

fn var<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    Ok(reduced!(c, 1, c.x()?, var var_axes var_keepdim, correction(c)?))
}

fn std<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    Ok(reduced!(c, 1, c.x()?, std std_axes std_keepdim, correction(c)?))
}

fn norm<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let name = if c.case.op == "norm" { "p" } else { "ord" };
    let p = c.number(1, name, 2.0)?;
    Ok(reduced!(c, 2, c.x()?, norm_p norm_p_axes norm_p_keepdim, p))
}

/// `max` and `min` with an axis give an index, too: that of `argmax`.
fn extreme<'t>(c: &Call<'t, '_>) -> Answer<'t> {
    let (x, largest) = (c.x()?, c.case.op.starts_with("max"));
    let axis = match c.arg(1, "dim") {
        None => return Ok(Values::from(if largest { x.max() } else { x.min() })),
        Some(_) if x.shape().is_empty() => {
            let first = Value::Indices(Tensor::scalar(0));
            return Ok(Values(vec![Value::Var(if largest { x.max() } else { x.min() }), first]));
        }
        Some(_) => c.int(1, "dim", 0)?,
    };
    let (y, indices) = if largest { x.max_with_index(axis)? } else { x.min_with_index(axis)? };
    Ok(Values::from(if c.flag(2, "keepdim", false) {
        (y.unsqueeze(axis), indices.unsqueeze(axis)?)
    } else {
        (y, indices)
    }))
}
