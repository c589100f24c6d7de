//! Square roots of symmetric matrices.

use super::slice;
use super::spectrum::{Divide, factors, recomposed};
use crate::error::Result;
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// Square roots of eigenvalues; what rounding left below 0 counts as 0.
fn roots<T: Real>(values: &Tensor<T>) -> Result<Tensor<T>> {
    let values = values.contiguous()?;
    let n = values.shape().last().copied().unwrap_or(1).max(1);
    Tensor::build(values.shape_owned(), |roots| {
        for (roots, values) in roots.chunks_exact_mut(n).zip(slice(&values).chunks_exact(n)) {
            let size = values.iter().fold(0.0, |size: f64, x| size.max(x.to_f64().abs()));
            let least = -4.0 * n as f64 * T::EPSILON.to_f64() * size;
            for (root, &x) in roots.iter_mut().zip(values) {
                *root = if x < T::ZERO && x.to_f64() >= least { T::ZERO } else { Number::sqrt(x) };
            }
        }
    })
}

/// `A^½`, from A, and the eigenvalues and eigenvectors of that, which count as constants.
struct Root;

impl<T: Real> Operation<T> for Root {
    fn name(&self) -> &'static str {
        "matrix_sqrth"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        recomposed(x[2], x[1]).map(one)
    }
    /// The Ā with `X Ā + Ā X = sym X̄`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(Parts::from_iter([Some(solve(at, at.g(0))), None, None]))
    }
    /// The dX with `X dX + dX X = sym dA`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, da| solve(at, da))
    }
}

/// The Y with `X Y + Y X = sym C`: it divides by `√λᵢ + √λⱼ`.
fn solve<'t, T: Real>(at: &At<'_, 't, T>, c: Var<'t, T>) -> Var<'t, T> {
    Divide { both: true, noise: 0.0 }.of(at.y(0), [at.x(1), at.x(2)], c.symmetric_part())
}

impl<'t, T: Real> Var<'t, T> {
    /// The symmetric square root X of symmetric positive semidefinite matrices, `X X = A`, `[…, n, n]`. Only the lower
    /// triangle of A is read.
    ///
    /// # Gradient
    ///
    /// The symmetric Ā with `X Ā + Ā X = sym X̄`, at every order; it divides by `√λᵢ + √λⱼ`, so that repeated eigenvalues
    /// are as good as any. At eigenvalues of 0 it is infinite, or NaN, as that of `sqrt`.
    ///
    /// # Accuracy
    ///
    /// Eigenvalues that are negative by no more than rounding count as 0; others give NaN.
    ///
    /// # Errors
    ///
    /// As [`eigh`](Var::eigh).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::from([[5.0, 4.0], [4.0, 5.0]]));
    /// let x = a.matrix_sqrth();
    /// for (found, wanted) in x.value()?.iter().zip([2.0, 1.0, 1.0, 2.0]) {
    ///     assert!((found - wanted).abs() < 1e-14);
    /// }
    /// // The derivative of the trace is half of the inverse root.
    /// let trace = x.diagonal(-2, -1).sum();
    /// for (found, wanted) in trace.backward()?.wrt(a)?.iter().zip([1.0 / 3.0, -1.0 / 6.0, -1.0 / 6.0, 1.0 / 3.0]) {
    ///     assert!((found - wanted).abs() < 1e-14);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "sqrtm")]
    #[track_caller]
    pub fn matrix_sqrth(self) -> Var<'t, T> {
        self.tape().composed("matrix_sqrth", || {
            let [l, v] = factors("matrix_sqrth", self)?;
            let roots = l.constant_like(roots(&l.value()?));
            Ok(self.tape().apply(Root, &[self, roots, v]))
        })
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use super::SQUARES;
#[cfg(test)]
use super::positive_definite;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = shapes(&SQUARES, -1.0, 1.0);
    vec![
        sample!("matrix_sqrth", matrices, |x| positive_definite(x[0]).matrix_sqrth()),
        wrong!(
            "matrix_sqrth",
            &[&[2, 3]],
            |x| x[0].matrix_sqrth(),
            "shape [2, 3] is not that of square matrices"
        ),
    ]
}
