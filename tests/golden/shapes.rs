//! Other shapes and orders of the same elements; parts of them; several joined.

use crate::call::{Call, NO_AXIS, No, V, table};
use crate::reader::Arg;
use retrograde::{Index, Slice};

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
    "transpose" => |c| c.x()?.transpose(c.axis(1, "dim0")?, c.axis(2, "dim1")?);
    "t" => |c| { let x = c.x()?; if x.shape().len() < 2 { x } else { x.t() } };
    "T" => |c| c.x()?.t();
    "mT" => |c| c.x()?.transpose(-1, -2);
    "cat" => |c| c.tape.concat(&c.vars(0, "tensors")?, c.int(1, "dim", 0)?);
    "stack" => |c| c.tape.stack(&c.vars(0, "tensors")?, c.int(1, "dim", 0)?);
    "narrow" => |c| {
        let start = c.integers(2, "start")?.item()? as isize;
        c.x()?.narrow(c.int(1, "dim", 0)?, start, c.int(3, "length", 0)? as usize)
    };
    "select" => |c| c.x()?.select(c.int(1, "dim", 0)?, c.int(2, "index", 0)?);
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
        return Err(No::Form(NO_AXIS));
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

/// An index of Python's as a list of entries; its ranges are cut to the axes, ours must lie within them.
fn index<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let one = c.arg(1, "index").ok_or(No::Form("no index"))?;
    let items = if let Arg::Seq(items) = one { items.as_slice() } else { std::slice::from_ref(one) };
    let (x, mut axis, mut entries) = (c.x()?, 0, Vec::new());
    let new = items.iter().filter(|item| matches!(item, Arg::None | Arg::Ellipsis)).count();
    for item in items {
        let (entry, axes) = match item {
            Arg::Int(n) => (Index::One(*n as isize), 1),
            Arg::Slice(bounds) => (Index::Range(cut(*bounds, x.shape()[axis])), 1),
            Arg::None => (Index::NewAxis, 0),
            Arg::Ellipsis => (Index::Rest, x.shape().len() + new - items.len()),
            item => match c.mask(item) {
                Some(mask) => (Index::Mask(mask.clone()), mask.rank()),
                None => (Index::Each(c.indices(item)?), 1),
            },
        };
        entries.push(entry);
        axis += axes;
    }
    Ok(x.at(entries))
}
