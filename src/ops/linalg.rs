//! Linear algebra, through `faer`: the feature `linalg`.
//!
//! The decompositions are `faer`'s, the rules of their derivatives are ours. What all of these operations share stands
//! here: batches of matrices as kernels take them, and their faults as errors.

use crate::error::{Error, ErrorKind, Result};
use crate::kernels::linalg::{self, Fault};
use crate::number::Real;
use crate::shape::{Shape, broadcast, matrices, square, unravel};
use crate::tape::{Operation, Var};
use crate::tensor::Tensor;

mod factors;
mod singular;
mod spectrum;
mod values;

operations! {
    cholesky
    det
    eigh
    householder_product
    inv
    lstsq
    lu
    matrix_exp
    matrix_norm
    matrix_rank
    matrix_sqrth
    pinv
    polar
    qr
    solve
    solve_triangular
    spectral_map
    svd
    svdvals
    sylvester
}

/// Linear algebra: the feature `linalg`. The operations are methods of [`Var`](crate::Var); their settings are here.
///
/// Every operation takes matrices in the last two axes, and batches of them in the axes before, which are spread over
/// the threads. The decompositions are those of the crate `faer`, each on one thread, so that results have the same bits
/// for any number of threads; the derivatives hold to every order, in both modes.
///
/// Matrices to be decomposed must be finite: NaN or infinity is an error, [`NotFinite`](crate::ErrorKind::NotFinite).
/// Right-hand sides need not be.
pub mod public {
    pub use super::lu::System;
    pub use super::matrix_norm::MatrixNorm;
    pub use super::matrix_rank::Cutoff;
    pub use super::solve_triangular::Triangular;
}
use public::*;

/// A shape of matrices behind the axes of a batch.
fn shape_of(batch: &[usize], matrix: &[usize]) -> Result<Shape> {
    Shape::new([batch, matrix].concat())
}

/// Matrices that lie column by column, as kernels take them: their transposes, row by row.
fn columns<T: Real>(x: &Tensor<T>) -> Result<Tensor<T>> {
    x.transpose(-1, -2)?.contiguous()
}

/// The elements of a tensor made by [`columns`], or otherwise contiguous.
fn slice<T: Real>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}

/// Matrices as they lie, and whether that is row by row, or else column by column; copied only if it is neither.
fn as_stored<T: Real>(x: &Tensor<T>) -> Result<(Tensor<T>, bool)> {
    let by_columns = x.transpose(-1, -2)?;
    match by_columns.as_slice() {
        Some(_) => Ok((by_columns, false)),
        None => Ok((x.contiguous()?, true)),
    }
}

/// Tensors of some shapes behind the axes of a batch, whose pieces `f` writes for each matrix, in about `ns` each; `f` gets
/// what its thread works in, the matrix's number and the pieces. A fault is an error about a matrix of this size.
fn each_matrix<T: Real, W: Default, const K: usize>(
    batch: &[usize],
    shapes: [&[usize]; K],
    size: usize,
    ns: usize,
    f: impl Fn(&mut W, usize, [&mut [T]; K]) -> Result<(), Fault> + Sync,
) -> Result<[Tensor<T>; K]> {
    let mut whole = [(); K].map(|()| Shape::default());
    for (whole, shape) in whole.iter_mut().zip(shapes) {
        *whole = shape_of(batch, shape)?;
    }
    Tensor::try_build_many(whole, |outputs| {
        linalg::each(batch.iter().product(), ns, outputs, W::default, f)
            .map_err(|failed| fault(batch, size, failed))
    })
}

/// The same in place of matrices that lie row by row.
fn in_place<T: Real, W: Default>(
    mut x: Tensor<T>,
    size: usize,
    ns: usize,
    f: impl Fn(&mut W, usize, &mut [T]) -> Result<(), Fault> + Sync,
) -> Result<Tensor<T>> {
    let shape = x.shape_owned();
    let (batch, ..) = matrices(&shape)?;
    let each = |work: &mut W, i: usize, [x]: [&mut [T]; 1]| f(work, i, x);
    linalg::each(batch.iter().product(), ns, [x.as_mut_slice()?], W::default, each)
        .map_err(|failed| fault(batch, size, failed))?;
    Ok(x)
}

/// The lower triangles of square matrices and their mirror images.
fn mirrored<T: Real>(x: &Tensor<T>) -> Result<Tensor<T>> {
    let (_, n) = square(x.shape())?;
    let x = x.contiguous()?;
    Tensor::build(x.shape_owned(), |out| {
        out.copy_from_slice(slice(&x));
        for matrix in out.chunks_exact_mut((n * n).max(1)) {
            for i in 0..n {
                for j in i + 1..n {
                    matrix[i * n + j] = matrix[j * n + i];
                }
            }
        }
    })
}

/// Matrix `i` of a batch that could not be decomposed.
fn fault(batch: &[usize], size: usize, (i, fault): (usize, Fault)) -> Error {
    let entry = unravel(i, batch);
    match fault {
        Fault::NotFinite => ErrorKind::NotFinite { batch: entry },
        Fault::NotPositive(row) => ErrorKind::NotPositiveDefinite { batch: entry, size, minor: row + 1 },
        Fault::Singular(pivot) => ErrorKind::Singular { batch: entry, size, pivot },
        // The limit of `faer`, which no finite matrix is known to reach.
        Fault::NotConverged => {
            ErrorKind::NotConverged { residual: f64::INFINITY, tolerance: 0.0, iterations: 32 * size * size }
        }
    }
    .into()
}

/// Two batches of matrices, broadcast to one.
fn broadcast_batches<'t, T: Real>(a: Var<'t, T>, b: Var<'t, T>) -> Result<[Var<'t, T>; 2]> {
    let shapes = [a.try_shape()?, b.try_shape()?];
    let (batch_a, m, n) = matrices(&shapes[0])?;
    let (batch_b, p, q) = matrices(&shapes[1])?;
    if batch_a == batch_b {
        return Ok([a, b]);
    }
    let whole = broadcast(batch_a, batch_b)
        .map_err(|_| ErrorKind::Broadcast { left: shapes[0].to_vec(), right: shapes[1].to_vec() })?;
    Ok([a.expand(shape_of(&whole, &[m, n])?), b.expand(shape_of(&whole, &[p, q])?)])
}

impl<'t, T: Real> Var<'t, T> {
    /// What an operation factors this into, as constants: whoever solves with the factors takes the matrix itself, too, and
    /// that carries the derivative, so that a backward solve factors nothing and every order is right.
    fn constant_factors<const N: usize>(self, operation: impl Operation<T>) -> Result<[Var<'t, T>; N]> {
        let factors = self.tape().apply_many(operation, &[self], N);
        factors[0].try_shape()?;
        Ok(std::array::from_fn(|i| factors[i].detach()))
    }

    /// The matrices in the last two axes transposed.
    fn mt(self) -> Var<'t, T> {
        self.transpose(-1, -2)
    }

    /// The symmetric part of matrices.
    fn symmetric_part(self) -> Var<'t, T> {
        (self + self.mt()) * 0.5
    }
}

/// Well-conditioned positive definite matrices from any matrices, for samples.
#[cfg(test)]
fn positive_definite<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let n = x.try_shape().map_or(0, |shape| shape[shape.len() - 1]);
    x.matmul(x.mt()) + x.tape().constant(&Tensor::eye(n).unwrap())
}

/// Well-conditioned matrices, whose rows must be exchanged to factor them, from any matrices, for samples.
#[cfg(test)]
fn pivoted<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let shape = x.try_shape().unwrap();
    let (_, m, n) = matrices(&shape).unwrap();
    let eye = Tensor::eye(m.max(n)).unwrap().slice(0, ..m as isize).unwrap().slice(1, ..n as isize).unwrap();
    (x + x.tape().constant(&(&eye * 3.0))).flip(-2)
}

/// Matrices with singular values of about 2, 3, ..., whose vectors are near the axes, from numbers in (−1, 1), for
/// samples.
#[cfg(test)]
fn spread<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let shape = x.try_shape().unwrap();
    let (_, m, n) = matrices(&shape).unwrap();
    let base =
        Tensor::from_fn([m, n], |at| T::from_f64(if at[0] == at[1] { 2.0 + at[0] as f64 } else { 0.0 }));
    x * 0.15 + x.constant_like(base)
}

/// Square matrices, one and in batches, for samples.
#[cfg(test)]
const SQUARES: [&[&[usize]]; 7] =
    [&[&[1, 1]], &[&[2, 2]], &[&[5, 5]], &[&[2, 3, 3, 3]], &[&[0, 3, 3]], &[&[0, 0]], &[&[2, 0, 0]]];
