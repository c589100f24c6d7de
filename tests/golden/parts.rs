//! Elements turned, repeated, padded, split and joined.

use crate::call::{Call, No, V, table};
use crate::shapes::cut;
use retrograde::{Indexing, Padding};

table! {
    "flatten" => |c| c.x()?.flatten(c.int(1, "start_dim", 0)?, c.int(2, "end_dim", -1)?);
    "unflatten" => |c| {
        let (x, axis) = (c.x()?, c.int(1, "dim", 0)?);
        let size = x.shape()[axis.rem_euclid(x.shape().len() as isize) as usize];
        x.unflatten(axis, c.shape(2, "sizes", size)?)
    };
    "movedim" => |c| c.x()?.movedim(c.ints(1, "source")?, c.ints(2, "destination")?);
    "atleast_1d" => |c| c.vars(0, "tensors")?.into_iter().map(|x| x.atleast_1d()).collect::<Vec<_>>();
    "atleast_2d" => |c| c.vars(0, "tensors")?.into_iter().map(|x| x.atleast_2d()).collect::<Vec<_>>();
    "atleast_3d" => |c| c.vars(0, "tensors")?.into_iter().map(|x| x.atleast_3d()).collect::<Vec<_>>();
    "flip" => |c| c.x()?.flip(c.ints(1, "dims")?);
    "fliplr" => |c| c.x()?.fliplr();
    "flipud" => |c| c.x()?.flipud();
    "rot90" => |c| {
        let axes = c.ints(2, "dims")?.try_into().unwrap_or([0, 1]);
        c.x()?.rot90(c.int(1, "k", 1)?, axes)
    };
    "roll" => |c| roll(c)?;
    "diag" => |c| c.x()?.diag(c.int(1, "diagonal", 0)?);
    "diagflat" => |c| c.x()?.ravel().diag(c.int(1, "offset", 0)?);
    "tril" => |c| c.x()?.tril(c.int(1, "diagonal", 0)?);
    "triu" => |c| c.x()?.triu(c.int(1, "diagonal", 0)?);
    "repeat" => |c| c.x()?.repeat(c.shape(1, "repeats", 1)?);
    "tile" => |c| c.x()?.tile(c.shape(1, "dims", 1)?);
    "repeat_interleave" => |c| {
        let (x, counts) = (c.x()?, c.integers(1, "repeats")?);
        let (x, axis) = if c.has(2, "dim") { (x, c.int(2, "dim", 0)?) } else { (x.ravel(), 0) };
        if counts.rank() == 0 {
            x.repeat_interleave(counts.item()? as usize, axis)
        } else {
            x.repeat_interleave_counts(&counts, axis)
        }
    };
    "nn.functional.pad.constant" => |c| pad(c)?;
    "nn.functional.pad.reflect" => |c| pad(c)?;
    "nn.functional.pad.replicate" => |c| pad(c)?;
    "nn.functional.pad.replicate_negative" => |c| pad(c)?;
    "nn.functional.pad.circular" => |c| pad(c)?;
    "constant_pad_nd" => |c| {
        let value = c.number(2, "value", 0.0)?;
        c.x()?.pad(pads(c)?, Padding::Constant(value))
    };
    "split" => |c| c.x()?.split(c.int(1, "split_size", 1)? as usize, c.int(2, "dim", 0)?)?;
    "split.list_args" => |c| c.x()?.split_sizes(c.shape(1, "sizes", 1)?, c.int(2, "dim", 0)?)?;
    "split_with_sizes" => |c| c.x()?.split_sizes(c.shape(1, "sizes", 1)?, c.int(2, "dim", 0)?)?;
    "chunk" => |c| c.x()?.chunk(c.int(1, "chunks", 1)? as usize, c.int(2, "dim", 0)?)?;
    "tensor_split" => |c| cut_at(c, c.int(2, "dim", 0)?)?;
    "hsplit" => |c| cut_at(c, (c.x()?.shape().len() as isize - 1).min(1))?;
    "vsplit" => |c| cut_at(c, 0)?;
    "dsplit" => |c| cut_at(c, 2)?;
    "unbind" => |c| c.x()?.unbind(c.int(1, "dim", 0)?)?;
    "hstack" => |c| c.tape.hstack(&c.vars(0, "tensors")?);
    "vstack" => |c| c.tape.vstack(&c.vars(0, "tensors")?);
    "dstack" => |c| c.tape.dstack(&c.vars(0, "tensors")?);
    "column_stack" => |c| c.tape.column_stack(&c.vars(0, "tensors")?);
    "block_diag" => |c| c.tape.block_diag(&c.vars(0, "tensors")?);
    "broadcast_tensors" => |c| c.tape.broadcast_tensors(&c.vars(0, "tensors")?);
    "meshgrid.variadic_tensors" => |c| meshgrid(c)?;
    "meshgrid.list_of_tensors" => |c| meshgrid(c)?;
    "cartesian_prod" => |c| c.tape.cartesian_prod(&c.vars(0, "tensors")?);
    "combinations" => |c| c.x()?.combinations(c.int(1, "r", 2)? as usize, c.flag(2, "with_replacement", false));
    "kron" => |c| c.x()?.kron(c.var(1, "other")?);
    "unfold" => |c| {
        let (size, step) = (c.int(2, "size", 1)?, c.int(3, "step", 1)?);
        c.x()?.unfold(c.axis(1, "dimension")?, size as usize, step as usize)
    };
    "as_strided" => |c| {
        let offset = c.int(3, "storage_offset", 0)? as usize;
        c.x()?.as_strided(c.shape(1, "size", 1)?, c.shape(2, "stride", 1)?, offset)
    };
    "diagonal_scatter" => |c| {
        let (axis1, axis2) = (c.int(3, "dim1", 0)?, c.int(4, "dim2", 1)?);
        c.x()?.diagonal_scatter(c.var(1, "src")?, c.int(2, "offset", 0)?, axis1, axis2)
    };
    "select_scatter" => |c| c.x()?.select_scatter(c.var(1, "src")?, c.int(2, "dim", 0)?, c.int(3, "index", 0)?);
    "slice_scatter" => |c| {
        let (x, axis) = (c.x()?, c.int(2, "dim", 0)?);
        let bound = |place, name: &str, default| c.int(place, name, default).map(|n| Some(n as i64));
        let bounds = [bound(3, "start", 0)?, bound(4, "end", isize::MAX)?, bound(5, "step", 1)?];
        x.slice_scatter(c.var(1, "src")?, axis, cut(bounds, x.shape()[axis as usize]))
    };
}

/// In so many pieces, or at indices.
fn cut_at<'t>(c: &Call<'t, '_>, axis: isize) -> Result<Vec<V<'t>>, No> {
    let at = c.integers(1, "indices")?;
    let indices: Vec<isize> = at.iter().map(|n| n as isize).collect();
    let x = c.x()?;
    Ok(if at.rank() == 0 { x.array_split(indices[0] as usize, axis)? } else { x.split_at(indices, axis)? })
}

/// By named axes, or of all elements in a row.
fn roll<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, shifts) = (c.x()?, c.arg(1, "shifts"));
    let shifts =
        if let Some(crate::reader::Arg::Int(n)) = shifts { vec![*n as isize] } else { c.ints(1, "shifts")? };
    Ok(if c.has(2, "dims") {
        let axes = c.ints(2, "dims")?;
        if x.shape().is_empty() { x } else { x.roll(shifts, axes) }
    } else {
        x.ravel().roll(shifts, 0).reshape(x.shape())
    })
}

/// Before and after, from the last axis on there; in the axes' order here.
fn pads(c: &Call) -> Result<Vec<(isize, isize)>, No> {
    let flat = c.ints(1, "pad")?;
    Ok(flat.as_chunks::<2>().0.iter().rev().map(|pair| (pair[0], pair[1])).collect())
}

fn pad<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let how = match c.text(2, "mode") {
        Some("reflect") => Padding::Reflect,
        Some("replicate") => Padding::Replicate,
        Some("circular") => Padding::Circular,
        _ => Padding::Constant(c.number(3, "value", 0.0)?),
    };
    Ok(c.x()?.pad(pads(c)?, how))
}

fn meshgrid<'t>(c: &Call<'t, '_>) -> Result<Vec<V<'t>>, No> {
    let indexing = if c.text(usize::MAX, "indexing") == Some("xy") { Indexing::Xy } else { Indexing::Ij };
    Ok(c.tape.meshgrid(&c.vars(0, "tensors")?, indexing))
}
