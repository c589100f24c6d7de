//! What operations on symmetric matrices share: the decomposition as plain tensors, and as factors.

use super::{columns, fault, slice, square};
use crate::error::Result;
use crate::kernels::linalg::{self, Basis, EighWork};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var};
use crate::tensor::Tensor;

/// Eigenvalues and eigenvectors of symmetric matrices.
pub(super) fn eigen<T: Real>(x: &Tensor<T>, basis: Basis) -> Result<[Tensor<T>; 2]> {
    let (batch, n) = square(x.shape())?;
    let a = columns(x)?;
    let a = slice(&a);
    let count = batch.iter().product();
    let mut values = Tensor::zeros(&x.shape()[..x.rank() - 1])?;
    let vectors = Tensor::try_build(x.shape_owned(), |vectors| {
        let decompose = |work: &mut EighWork<T>, i: usize, [values, vectors]: [&mut [T]; 2]| {
            linalg::eigh(n, &a[i * n * n..(i + 1) * n * n], basis, values, vectors, work)
        };
        let values = values.as_mut_slice()?;
        linalg::each(count, linalg::eigh_ns(n), [values, vectors], EighWork::default, decompose)
            .map_err(|failed| fault(batch, n, failed))
    })?;
    Ok([values, vectors.transpose(-1, -2)?])
}

/// `V X Vᵀ`.
pub(super) fn out_of<T: Real>(v: &Tensor<T>, x: &Tensor<T>) -> Result<Tensor<T>> {
    v.matmul(x)?.matmul(&v.transpose(-1, -2)?)
}

/// `Vᵀ X V`.
pub(super) fn into<T: Real>(v: &Tensor<T>, x: &Tensor<T>) -> Result<Tensor<T>> {
    v.transpose(-1, -2)?.matmul(x)?.matmul(v)
}

/// Eigenvalues and eigenvectors as factors for operations that have the matrix itself as an input, too: constants to
/// every sweep. It has the name of the operation that it serves.
struct Factors(&'static str);

impl<T: Real> Operation<T> for Factors {
    fn name(&self) -> &'static str {
        self.0
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Ok(Outputs::from_iter(eigen(x[0], Basis::Plain)?))
    }
    fn vjp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(Parts::from_iter([None]))
    }
    fn jvp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(Parts::from_iter([None, None]))
    }
}

/// The factors of a matrix, λ and V, for the operation of this name.
pub(super) fn factors<'t, T: Real>(name: &'static str, a: Var<'t, T>) -> Result<[Var<'t, T>; 2]> {
    let parts = a.tape().apply_many(Factors(name), &[a], 2);
    parts[0].try_shape()?;
    Ok([parts[0], parts[1]])
}
