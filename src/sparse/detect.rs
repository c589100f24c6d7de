//! Patterns found by probing.

use super::colouring::colour;
use super::jacobian::probe;
use super::{Sparsity, check_size};
use crate::error::{Error, Result};
use crate::number::Real;
use crate::tape::{Tape, Var, is_one_way};
use crate::tensor::{Generator, Tensor};
use std::ops::Range;
use std::panic::Location;

/// Where the Jacobian of a function at `x` has entries.
///
/// By bisection: a product with a random direction over a group of columns says which rows have entries in it; the
/// groups are halved until they are single columns, and groups that share no row are probed together. That takes
/// about log₂ n times as many forward sweeps as the Jacobian itself.
///
/// The pattern is that at `x`. Entries that vanish there are not in it: take a point without special values (not 0),
/// or the [`union`](Sparsity::union) over some, if it is to serve elsewhere. [`jacobian`](super::jacobian) finds out a
/// pattern that misses an entry.
///
/// # Errors
///
/// Those of the function.
///
/// ```
/// use retrograde::Tensor;
/// use retrograde::sparse::{Sparsity, detect};
///
/// let x = Tensor::<f64>::linspace(1.0, 2.0, 1000)?;
/// let found = detect(|x| x.slice(0, 1..) - x.slice(0, ..-1).square(), &x)?;
/// assert_eq!(found, Sparsity::banded(999, 1000, 0, 1)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn detect<T: Real>(f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>, x: &Tensor<T>) -> Result<Sparsity> {
    let line = Location::caller();
    let run = || {
        let tape = Tape::new();
        let x = tape.argument(tape.constant(x));
        let y = f(x);
        let (ys, xs) = (y.try_shape()?, x.try_shape()?);
        check_size(ys.count(), xs.count())?;
        let forward = |given: &[Tensor<T>]| {
            let found = tape.columns(&[y], &[x], given.len(), |k| Ok(vec![(0, given[k].clone())]))?;
            Ok(found.into_iter().map(|mut one| one.swap_remove(0)).collect())
        };
        match bisect(ys.count(), &xs, forward) {
            Err(error) if is_one_way(error.kind()) => {
                let reverse = |given: &[Tensor<T>]| {
                    let found = tape.rows(y, given.len(), |k| Ok(given[k].clone()), &[x])?;
                    Ok(found.into_iter().map(|mut one| one.swap_remove(0)).collect())
                };
                bisect(xs.count(), &ys, reverse).map(|found| found.transposed())
            }
            found => found,
        }
    };
    run().map_err(|error: Error| error.at("detect", line))
}

/// The pattern of a linear map of `shape` to `rows` elements, from its products with directions.
fn bisect<T: Real>(
    rows: usize,
    shape: &[usize],
    products: impl Fn(&[Tensor<T>]) -> Result<Vec<Tensor<T>>>,
) -> Result<Sparsity> {
    let columns: usize = shape.iter().product();
    let mut random = Generator::new(1);
    let mut groups: Vec<Range<usize>> = vec![];
    if columns > 0 {
        groups.push(0..columns);
    }
    // Which rows may have entries in which groups.
    let mut pattern = Sparsity::of_rows(groups.len(), (0..rows).map(|_| 0..groups.len()));
    loop {
        let transposed = pattern.transposed();
        let colouring = colour(&pattern, &transposed);
        let all: Vec<T> = probe::<T>(shape, &mut random)?.to_vec();
        let direction = |colour: usize| {
            let mut data = vec![T::ZERO; columns];
            for (group, &own) in groups.iter().zip(&colouring.colours) {
                if own as usize == colour {
                    data[group.clone()].copy_from_slice(&all[group.clone()]);
                }
            }
            Tensor::from_slice(&data, shape)
        };
        let directions = (0..colouring.count).map(direction).collect::<Result<Vec<_>>>()?;
        let found: Vec<Vec<T>> = products(&directions)?.iter().map(Tensor::to_vec).collect();
        let entries = pattern.entries().filter(|&(row, group)| {
            // NaN is an entry.
            found[colouring.colours[group] as usize][row] != T::ZERO
        });
        pattern = Sparsity::new(rows, groups.len(), entries)?;
        if groups.iter().all(|group| group.len() == 1) {
            return Ok(Sparsity { columns, ..pattern });
        }
        let mut halves: Vec<Range<usize>> = vec![];
        let mut parts: Vec<Range<usize>> = vec![];
        for group in &groups {
            let (start, middle) = (halves.len(), group.start + group.len().div_ceil(2));
            halves.push(group.start..middle);
            if middle < group.end {
                halves.push(middle..group.end);
            }
            parts.push(start..halves.len());
        }
        let entries =
            pattern.entries().flat_map(|(row, group)| parts[group].clone().map(move |part| (row, part)));
        pattern = Sparsity::new(rows, halves.len(), entries)?;
        groups = halves;
    }
}
