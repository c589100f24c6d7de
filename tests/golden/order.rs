//! Running reductions, sorted order, distances.

use crate::call::{Answer, Call, No, V, Values, table};
use crate::reader::Arg;
use retrograde::{Ends, Interpolation, Order};

table! {
    "cumsum" => |c| c.x()?.cumsum(c.axis(1, "dim")?);
    "cumprod" => |c| c.x()?.cumprod(c.axis(1, "dim")?);
    "logcumsumexp" => |c| c.x()?.logcumsumexp(c.axis(1, "dim")?);
    "cummax" => |c| c.x()?.cummax(c.axis(1, "dim")?)?;
    "cummin" => |c| c.x()?.cummin(c.axis(1, "dim")?)?;
    "sort" => |c| c.x()?.sort(c.axis(1, "dim")?, order(c.flag(2, "descending", false)))?;
    "msort" => |c| { c.axis(usize::MAX, "")?; c.x()?.msort() };
    "topk" => |c| {
        let k = c.int(1, "k", 1)? as usize;
        c.x()?.topk(k, c.axis(2, "dim")?, order(c.flag(3, "largest", true)))?
    };
    "kthvalue" => |c| kept(c, 3, c.x()?.kthvalue(c.int(1, "k", 1)? as usize, c.axis(2, "dim")?)?)?;
    "mode" => |c| kept(c, 2, c.x()?.mode(c.axis(1, "dim")?)?)?;
    "median" => |c| if c.has(1, "dim") {
        kept(c, 2, c.x()?.median_with_index(c.axis(1, "dim")?)?)?
    } else {
        c.x()?.median().into()
    };
    "nanmedian" => |c| if c.has(1, "dim") {
        kept(c, 2, c.x()?.nanmedian_with_index(c.axis(1, "dim")?)?)?
    } else {
        c.x()?.nanmedian().into()
    };
    "quantile" => |c| quantile(c, |x, q, axis, how| x.quantile(q, axis, how))?;
    "nanquantile" => |c| quantile(c, |x, q, axis, how| x.nanquantile(q, axis, how))?;
    "nansum" => |c| crate::reductions::reduced!(c, 1, c.x()?, nansum nansum_axes nansum_keepdim);
    "nanmean" => |c| crate::reductions::reduced!(c, 1, c.x()?, nanmean nanmean_axes nanmean_keepdim);
    "diff" => |c| {
        let (n, axis) = (c.int(1, "n", 1)? as usize, c.int(2, "dim", -1)?);
        // Of no differences it is x itself, whatever stands around it.
        let around = |place, name: &str| if n == 0 { Ok(None) } else { c.maybe_var(place, name) };
        let (before, after) = (around(3, "prepend")?, around(4, "append")?);
        let parts: Vec<V> = before.into_iter().chain([c.x()?]).chain(after).collect();
        c.tape.concat(&parts, axis).diff(n, axis)
    };
    "gradient" => |c| gradient(c)?;
    "trapezoid" => |c| c.x()?.trapezoid(points(c)?, c.int(usize::MAX, "dim", -1)?);
    "cumulative_trapezoid" => |c| c.x()?.cumulative_trapezoid(points(c)?, c.int(usize::MAX, "dim", -1)?);
    "cov" => |c| covariance(c)?;
    "corrcoef" => |c| c.x()?.corrcoef();
    "cdist" => |c| c.x()?.cdist(c.var(1, "x2")?, c.number(2, "p", 2.0)?);
    "nn.functional.pdist" => |c| c.x()?.pdist(c.number(1, "p", 2.0)?);
    "nn.functional.pairwise_distance" => |c| {
        let y = c.x()?.pairwise_distance(c.var(1, "x2")?, c.number(2, "p", 2.0)?, c.number(3, "eps", 1e-6)?);
        if c.flag(4, "keepdim", false) { y.unsqueeze(-1) } else { y }
    };
    "nn.functional.cosine_similarity" => |c| {
        c.x()?.cosine_similarity(c.var(1, "x2")?, c.axis_of(2, "dim", 1)?, c.number(3, "eps", 1e-8)?)
    };
    "nn.functional.normalize" => |c| {
        c.x()?.normalize(c.number(1, "p", 2.0)?, c.axis_of(2, "dim", 1)?, c.number(3, "eps", 1e-12)?)
    };
    "renorm" => |c| c.x()?.renorm(c.number(1, "p", 2.0)?, c.int(2, "dim", 0)?, c.number(3, "maxnorm", 1.0)?);
}

fn order(descending: bool) -> Order {
    if descending { Order::Descending } else { Order::Ascending }
}

/// A value and its index along an axis, which stays if `keepdim` is set.
fn kept<'t>(c: &Call<'t, '_>, place: usize, (y, i): (V<'t>, retrograde::Tensor<i64>)) -> Answer<'t> {
    let axis = c.axis(place - 1, "dim")?;
    Ok(Values::from(if c.flag(place, "keepdim", false) {
        (y.unsqueeze(axis), i.unsqueeze(axis)?)
    } else {
        (y, i)
    }))
}

/// Several quantiles are the first axis there as here.
fn quantile<'t>(
    c: &Call<'t, '_>,
    of: impl Fn(V<'t>, V<'t>, Option<isize>, Interpolation) -> V<'t>,
) -> Result<V<'t>, No> {
    let how = match c.text(4, "interpolation") {
        Some("lower") => Interpolation::Lower,
        Some("higher") => Interpolation::Higher,
        Some("nearest") => Interpolation::Nearest,
        Some("midpoint") => Interpolation::Midpoint,
        _ => Interpolation::Linear,
    };
    let axis = if c.has(2, "dim") { Some(c.axis(2, "dim")?) } else { None };
    let q = c.var(1, "q")?;
    let y = of(c.x()?, q, axis, how);
    let several = q.shape().len() as isize;
    Ok(match axis.filter(|_| c.flag(3, "keepdim", false)) {
        Some(axis) => y.unsqueeze(if axis < 0 { axis } else { axis + several }),
        None => y,
    })
}

/// The points, as a tensor or their distance.
fn points<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    Ok(c.maybe_var(1, "x")?.unwrap_or(c.tape.scalar(c.number(usize::MAX, "dx", 1.0)?)))
}

fn covariance<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let correction = c.number(usize::MAX, "correction", 1.0)?;
    let weights = [c.maybe_var(usize::MAX, "fweights")?, c.maybe_var(usize::MAX, "aweights")?];
    Ok(match weights {
        [None, None] => c.x()?.cov(correction),
        [f, a] => {
            let one = c.tape.scalar(1.0);
            c.x()?.cov_weighted(correction, f.unwrap_or(one), a.unwrap_or(one))
        }
    })
}

/// One gradient for each axis, each with a spacing of its own or all with one.
fn gradient<'t>(c: &Call<'t, '_>) -> Result<Vec<V<'t>>, No> {
    let x = c.x()?;
    let ends = if c.int(usize::MAX, "edge_order", 1)? == 2 { Ends::Quadratic } else { Ends::Linear };
    let axes = match c.arg(usize::MAX, "dim") {
        None => (0..x.shape().len() as isize).collect(),
        Some(_) => c.ints(usize::MAX, "dim")?,
    };
    let spacing = |i: usize| match c.arg(usize::MAX, "spacing") {
        None => Ok(c.tape.scalar(1.0)),
        Some(Arg::Seq(each)) => c.operand(&each[i]),
        Some(all) => c.operand(all),
    };
    axes.iter().enumerate().map(|(i, &axis)| Ok(x.numeric_gradient(axis, spacing(i)?, ends))).collect()
}
