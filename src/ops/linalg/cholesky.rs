//! Cholesky factors, and what is solved with them.

use super::{Triangular, columns, in_place, square};
use crate::error::Result;
use crate::kernels::linalg::{self, Workspace};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

struct Cholesky;

/// Lower triangle, half of the diagonal: what of a symmetric matrix a triangular factor takes.
fn half<'t, T: Real>(x: Var<'t, T>) -> Var<'t, T> {
    (x.tril(0) + x.tril(-1)) * 0.5
}

impl<T: Real> Operation<T> for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (_, n) = square(x[0].shape())?;
        let factor = |work: &mut Workspace, _, a: &mut [T]| linalg::cholesky(n, a, work);
        in_place(columns(x[0])?, n, linalg::cholesky_ns(n), factor)?.transpose(-1, -2).map(one)
    }
    /// `Ā = sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹)`, with the lower triangle and half of the diagonal `Φ` (Murray 2016, eq. 10).
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let l = at.y(0);
        let inner = half(l.mt().matmul(at.g(0)));
        let left = l.solve_triangular(inner, Triangular::lower().transposed());
        at.one(l.solve_triangular(left, Triangular::lower().right()).symmetric_part())
    }
    /// `dL = L Φ(L⁻¹ sym(dA) L⁻ᵀ)`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let l = at.y(0);
        at.sum_of(|_, da| {
            let left = l.solve_triangular(da.symmetric_part(), Triangular::lower());
            l.matmul(half(l.solve_triangular(left, Triangular::lower().right().transposed())))
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The lower Cholesky factor `L` of symmetric positive definite matrices `A = L Lᵀ`, `[…, n, n]`, zeros above the
    /// diagonal. Only the lower triangle of A is read. The upper factor is its transpose.
    ///
    /// # Gradient
    ///
    /// `sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹)`, symmetric, as that of a function of the symmetric part of A: to the elements of both
    /// triangles, as PyTorch has it.
    ///
    /// # Errors
    ///
    /// [`NotPositiveDefinite`](crate::ErrorKind::NotPositiveDefinite), with the matrix of the batch and the order of
    /// the leading minor; [`NotFinite`](crate::ErrorKind::NotFinite); [`NotSquare`](crate::ErrorKind::NotSquare);
    /// [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[4.0, 2.0], [2.0, 5.0]]));
    /// let l = a.cholesky();
    /// assert_eq!(l.value()?.to_vec(), [2.0, 0.0, 1.0, 2.0]);
    /// // log det A, and its gradient, the inverse.
    /// let log_det = l.diagonal(-2, -1).ln().sum() * 2.0;
    /// assert_eq!(log_det.backward()?.wrt(a)?.to_vec(), [0.3125, -0.125, -0.125, 0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky(self) -> Var<'t, T> {
        self.tape().apply(Cholesky, &[self])
    }

    /// The solution of `A X = B` from the lower Cholesky factor `self` of A, `[…, n, n]`, for B of `[…, n, k]`.
    ///
    /// # Gradient
    ///
    /// By B and by the factor, whose upper triangle is not read and gets 0.
    ///
    /// # Errors
    ///
    /// As [`solve_triangular`](Var::solve_triangular).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[4.0, 2.0], [2.0, 5.0]]));
    /// let b = tape.constant(&Tensor::from([[8.0], [8.0]]));
    /// let x = a.cholesky().cholesky_solve(b);
    /// assert_eq!(x.value()?.to_vec(), [1.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky_solve(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("cholesky_solve", || {
            let half = self.solve_triangular(b, Triangular::lower());
            Ok(self.solve_triangular(half, Triangular::lower().transposed()))
        })
    }

    /// The inverse of A from its lower Cholesky factor `self`, `[…, n, n]`.
    ///
    /// # Gradient
    ///
    /// To the lower triangle.
    ///
    /// # Errors
    ///
    /// [`NotSquare`](crate::ErrorKind::NotSquare); [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[4.0, 2.0], [2.0, 5.0]]));
    /// assert_eq!(a.cholesky().cholesky_inverse().value()?.to_vec(), [0.3125, -0.125, -0.125, 0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky_inverse(self) -> Var<'t, T> {
        self.tape().composed("cholesky_inverse", || {
            let (_, n) = square(&self.try_shape()?).map(|(batch, n)| (batch.len(), n))?;
            let half = self.solve_triangular(self.tape().constant(&Tensor::eye(n)?), Triangular::lower());
            Ok(half.mt().matmul(half))
        })
    }
}

#[cfg(test)]
use super::SQUARES;
#[cfg(test)]
use super::positive_definite;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = || shapes(&SQUARES, -1.0, 1.0);
    let pairs = || {
        shapes(
            &[
                &[&[3, 3], &[3, 2]],
                &[&[2, 4, 4], &[4, 1]],
                &[&[3, 3], &[2, 1, 3, 2]],
                &[&[0, 0], &[0, 2]],
                &[&[2, 2], &[2, 0]],
            ],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("cholesky", matrices(), |x| positive_definite(x[0]).cholesky()),
        sample!("cholesky inverse", matrices(), |x| positive_definite(x[0]).cholesky().cholesky_inverse()),
        sample!("cholesky solve", pairs(), |x| positive_definite(x[0]).cholesky().cholesky_solve(x[1])),
        wrong!("cholesky", &[&[2, 3]], |x| x[0].cholesky(), "shape [2, 3] is not that of square matrices"),
        wrong!("cholesky", &[&[3]], |x| x[0].cholesky(), "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "cholesky",
            &[&[2, 3, 2, 2]],
            |x| (x[0] * 0.0 - 1.0).cholesky(),
            "the matrix [0, 0] of the batch is not positive definite: its leading minor of order 1 is not \
             positive"
        ),
        wrong!(
            "cholesky",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().cholesky(),
            "the matrix has elements that are not finite"
        ),
    ]
}
