//! Other shapes and orders of the same elements; parts of them; several joined.

use crate::call::{Call, No, V, table};
use crate::reader::Arg;
use retrograde::Slice;

table! {
    "reshape" => |c| { let x = c.x()?; x.reshape(c.shape(1, "shape", x.shape().count())?) };
    "view" => |c| { let x = c.x()?; x.reshape(c.shape(1, "shape", x.shape().count())?) };
    "reshape_as" => |c| c.x()?.reshape(c.var(1, "other")?.shape());
    "view_as" => |c| c.x()?.reshape(c.var(1, "other")?.shape());
    "ravel" => |c| { let x = c.x()?; x.reshape([x.shape().count()]) };
    "squeeze" => |c| squeeze(c)?;
    "squeeze.multiple" => |c| squeeze(c)?;
    "unsqueeze" => |c| c.x()?.unsqueeze(c.int(1, "dim", 0)?);
    "expand" => |c| expand(c)?;
    "broadcast_to" => |c| expand(c)?;
    "expand_as" => |c| c.x()?.expand(c.var(1, "other")?.shape());
    "permute" => |c| c.x()?.permute(c.ints(1, "dims")?);
    "transpose" => |c| c.x()?.transpose(c.int(1, "dim0", 0)?, c.int(2, "dim1", 0)?);
    "t" => |c| { let x = c.x()?; if x.shape().len() < 2 { x } else { x.t() } };
    "T" => |c| c.x()?.t();
    "mT" => |c| c.x()?.transpose(-1, -2);
    "cat" => |c| c.tape.concat(&c.vars(0, "tensors")?, c.int(1, "dim", 0)?);
    "stack" => |c| c.tape.stack(&c.vars(0, "tensors")?, c.int(1, "dim", 0)?);
    "narrow" => |c| {
        if !c.case.named.is_empty() || c.case.inputs.len() > 1 {
            return Err(No::Form("a tensor where we take a number"));
        }
        let start = c.int(2, "start", 0)?;
        c.x()?.slice(c.int(1, "dim", 0)?, start..start + c.int(3, "length", 0)?)
    };
    "select" => |c| select(c.x()?, c.int(1, "dim", 0)?, c.int(2, "index", 0)?);
    "slice" => |c| slice(c)?;
    "diagonal" => |c| diagonal(c, 0, 1)?;
    "linalg.diagonal" => |c| diagonal(c, -2, -1)?;
    "diag_embed" => |c| {
        let (axis1, axis2) = (c.int(2, "dim1", -2)?, c.int(3, "dim2", -1)?);
        c.x()?.diag_embed_at(c.int(1, "offset", 0)?, axis1, axis2)
    };
    "__getitem__" => |c| index(c)?;
}

/// Axes of length 1 away: those named, or all; PyTorch leaves longer ones, ours are an error.
fn squeeze<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, rank) = (c.x()?, c.x()?.shape().len() as isize);
    if rank == 0 {
        return Err(No::Form("the axis of a number"));
    }
    let named = if c.has(1, "dim") { c.ints(1, "dim")? } else { (0..rank).collect() };
    let mut axes: Vec<isize> = named.iter().map(|axis| axis.rem_euclid(rank)).collect();
    axes.sort_unstable();
    let short = axes.into_iter().rev().filter(|&axis| x.shape()[axis as usize] == 1);
    Ok(short.fold(x, |x, axis| x.squeeze(axis)))
}

/// −1 keeps an axis as it is.
fn expand<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, sizes) = (c.x()?, c.ints(1, "size")?);
    let (shape, new) = (x.shape(), sizes.len() - x.shape().len());
    let kept = |(i, n): (usize, &isize)| usize::try_from(*n).unwrap_or_else(|_| shape[i - new]);
    Ok(x.expand(sizes.iter().enumerate().map(kept).collect::<Vec<_>>()))
}

/// One index of an axis, which goes away.
fn select<'t>(x: V<'t>, axis: isize, index: isize) -> V<'t> {
    let end = if index == -1 { Slice::from(index..) } else { Slice::from(index..index + 1) };
    x.slice(axis, end).squeeze(axis)
}

/// A slice with bounds cut to the axis, as Python's are; ours must lie within it.
pub fn cut([start, end, step]: [Option<i64>; 3], size: usize) -> Slice {
    let size = size as i64;
    let cut = |at: i64| if at < 0 { at.saturating_add(size) } else { at }.clamp(0, size) as isize;
    let (start, end) = (cut(start.unwrap_or(0)), cut(end.unwrap_or(size)));
    Slice::from(start..end.max(start)).step(step.unwrap_or(1) as isize)
}

fn slice<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, axis) = (c.x()?, c.int(1, "dim", 0)?);
    let size = x.shape()[axis.rem_euclid(x.shape().len() as isize) as usize];
    let bound = |place, name: &str, default| c.int(place, name, default).map(|n| Some(n as i64));
    let bounds = [bound(2, "start", 0)?, bound(3, "end", isize::MAX)?, bound(4, "step", 1)?];
    Ok(x.slice(axis, cut(bounds, size)))
}

fn diagonal<'t>(c: &Call<'t, '_>, axis1: isize, axis2: isize) -> Result<V<'t>, No> {
    let (axis1, axis2) = (c.int(2, "dim1", axis1)?, c.int(3, "dim2", axis2)?);
    Ok(c.x()?.diagonal_at(c.int(1, "offset", 0)?, axis1, axis2))
}

/// Indices, slices, new axes and the ellipsis, one after the other.
fn index<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let items = match c.arg(1, "index") {
        Some(Arg::Seq(items)) => items.as_slice(),
        Some(tensor) => return Ok(c.x()?.index(&[&c.indices(tensor)?])),
        None => return Err(No::Form("no index")),
    };
    let fancy = items.iter().take_while(|item| matches!(item, Arg::Fancy(_) | Arg::Tensor(_))).count();
    let whole = |item: &Arg| *item == Arg::Slice([None; 3]);
    if fancy > 0 && items[fancy..].iter().all(whole) {
        let indices = items[..fancy].iter().map(|item| c.indices(item)).collect::<Result<Vec<_>, No>>()?;
        return Ok(c.x()?.index(&indices.iter().collect::<Vec<_>>()));
    }
    let (mut x, mut axis) = (c.x()?, 0isize);
    for item in items {
        match item {
            Arg::Int(n) => x = select(x, axis, *n as isize),
            Arg::Slice(bounds) => {
                x = x.slice(axis, cut(*bounds, x.shape()[axis as usize]));
                axis += 1;
            }
            Arg::None => {
                x = x.unsqueeze(axis);
                axis += 1;
            }
            _ => return Err(No::Form("fancy indexing")),
        }
    }
    Ok(x)
}
