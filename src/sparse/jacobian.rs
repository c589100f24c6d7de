//! The Jacobian, compressed.

use super::colouring::{Colouring, Plan, colour, plan};
use super::{SparseMatrix, Sparsity};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var, is_one_way};
use crate::tensor::{Generator, Tensor};
use std::panic::Location;

/// The Jacobian of a function at `x`, of which `pattern` has the entries that may not be 0: a row for each element of
/// the value, a column for each element of `x`.
///
/// Takes [`Sparsity::sweeps`] sweeps, side by side on the current thread pool, and one more along a random direction
/// that finds out a pattern which misses something.
///
/// # Errors
///
/// [`ErrorKind::Shape`] if the pattern's size is not the Jacobian's; [`ErrorKind::NotInPattern`] if the Jacobian has
/// entries outside it; those of the function.
///
/// ```
/// use retrograde::sparse::{Sparsity, jacobian};
/// use retrograde::{ErrorKind, Tensor};
///
/// let x = Tensor::from([1.0, 2.0, 3.0]);
/// let diagonal = Sparsity::banded(3, 3, 0, 0)?;
/// assert_eq!(jacobian(|x| x * x, &x, &diagonal)?.values(), [2.0, 4.0, 6.0]);
/// let error = jacobian(|x| x * x.sum(), &x, &diagonal).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::NotInPattern { .. }));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian<T: Real>(
    f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>,
    x: &Tensor<T>,
    pattern: &Sparsity,
) -> Result<SparseMatrix<T>> {
    let line = Location::caller();
    let run = || {
        let tape = Tape::new();
        let x = tape.argument(tape.constant(x));
        let y = f(x);
        let size = [y.try_shape()?.count(), x.try_shape()?.count()];
        same("the pattern", &[pattern.rows(), pattern.columns], &size)?;
        let transposed = pattern.transposed();
        match plan(pattern, &transposed) {
            Plan::Reverse(rows) => by_rows(&tape, y, x, pattern, &rows),
            Plan::Forward(columns) => match by_columns(&tape, y, x, pattern, &columns) {
                Err(error) if is_one_way(error.kind()) => {
                    by_rows(&tape, y, x, pattern, &colour(&transposed, pattern))
                }
                found => found,
            },
        }
    };
    run().map_err(|error: Error| error.at("sparse jacobian", line))
}

/// One direction for each colour, and a random one.
fn directions<T: Real>(colouring: &Colouring, shape: &[usize]) -> Result<Vec<Tensor<T>>> {
    let of = |colour: usize| {
        let hot = |&own: &u32| if own as usize == colour { T::ONE } else { T::ZERO };
        Tensor::from_iter_in(colouring.colours.iter().map(hot), shape)
    };
    let mut all = (0..colouring.count).map(of).collect::<Result<Vec<_>>>()?;
    all.push(probe(shape, &mut Generator::new(0))?);
    Ok(all)
}

/// A random direction without small elements.
pub(super) fn probe<T: Real>(shape: &[usize], random: &mut Generator) -> Result<Tensor<T>> {
    let n = shape.iter().product();
    let mut one = || {
        let size = 0.5 + random.uniform();
        T::from_f64(if random.below(2) == 0 { size } else { -size })
    };
    Tensor::from_iter_in((0..n).map(|_| one()), shape)
}

fn by_columns<'t, T: Real>(
    tape: &'t Tape<T>,
    y: Var<'t, T>,
    x: Var<'t, T>,
    pattern: &Sparsity,
    colouring: &Colouring,
) -> Result<SparseMatrix<T>> {
    let given = directions(colouring, &x.try_shape()?)?;
    let products = tape.columns(&[y], &[x], given.len(), |k| Ok(vec![(0, given[k].clone())]))?;
    decompressed(pattern, colouring, &given, &products, |(row, column)| (column, row), "row")
}

fn by_rows<'t, T: Real>(
    tape: &'t Tape<T>,
    y: Var<'t, T>,
    x: Var<'t, T>,
    pattern: &Sparsity,
    colouring: &Colouring,
) -> Result<SparseMatrix<T>> {
    let given = directions(colouring, &y.try_shape()?)?;
    let products = tape.rows(y, given.len(), |k| Ok(given[k].clone()), &[x])?;
    decompressed(pattern, colouring, &given, &products, |entry| entry, "column")
}

/// The entries from their colours' products. `ends` says of an entry where it starts from, among what is coloured, and
/// where it arrives in a product, along the axis of that name.
fn decompressed<T: Real>(
    pattern: &Sparsity,
    colouring: &Colouring,
    given: &[Tensor<T>],
    products: &[Vec<Tensor<T>>],
    ends: impl Fn((usize, usize)) -> (usize, usize),
    axis: &'static str,
) -> Result<SparseMatrix<T>> {
    let products: Vec<Vec<T>> = products.iter().map(|found| found[0].to_vec()).collect();
    let entries = || pattern.entries().map(&ends);
    let values = entries().map(|(from, to)| products[colouring.colours[from] as usize][to]);
    let matrix = SparseMatrix { pattern: pattern.clone(), values: values.collect() };
    let along = given[colouring.count].to_vec();
    let terms = entries().map(|(from, to)| (to, along[from]));
    check(&matrix.values, terms, &products[colouring.count], axis)?;
    Ok(matrix)
}

/// Compares a product by the entries found with the true one, each element relative to the size of its terms.
fn check<T: Real>(
    values: &[T],
    terms: impl Iterator<Item = (usize, T)>,
    product: &[T],
    axis: &'static str,
) -> Result<()> {
    let mut sums = vec![(0.0, 0.0); product.len()];
    for (value, (at, factor)) in values.iter().zip(terms) {
        let term = value.to_f64() * factor.to_f64();
        sums[at].0 += term;
        sums[at].1 += term.abs();
    }
    let tolerance = 1e3 * T::EPSILON.to_f64();
    for (at, (&product, (sum, size))) in product.iter().zip(sums).enumerate() {
        let distance = (product.to_f64() - sum).abs();
        let agree =
            distance <= tolerance * size || (product.to_f64() == sum) || !(size + distance).is_finite();
        if !agree {
            return Err(ErrorKind::NotInPattern { axis, index: at }.into());
        }
    }
    Ok(())
}
