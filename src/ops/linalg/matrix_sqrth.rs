//! Square roots of symmetric matrices.

use super::spectrum::{factors, into, out_of};
use crate::error::Result;
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// Square roots of eigenvalues; what rounding left below 0 counts as 0.
fn roots<T: Real>(values: &Tensor<T>) -> Result<Vec<T>> {
    let values = values.contiguous()?;
    let n = values.shape().last().copied().unwrap_or(1).max(1);
    let mut roots = Vec::with_capacity(values.len());
    for values in super::slice(&values).chunks_exact(n) {
        let size = values.iter().fold(0.0, |size: f64, x| size.max(x.to_f64().abs()));
        let least = -4.0 * n as f64 * T::EPSILON.to_f64() * size;
        roots.extend(
            values.iter().map(
                |&x| {
                    if x < T::ZERO && x.to_f64() >= least { T::ZERO } else { Number::sqrt(x) }
                },
            ),
        );
    }
    Ok(roots)
}

/// `A^½`, from A and its factors λ and V.
struct Root;

impl<T: Real> Operation<T> for Root {
    fn name(&self) -> &'static str {
        "matrix_sqrth"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let n = x[1].shape()[x[1].rank() - 1];
        let mut scaled = x[2].to_vec();
        for (row, roots) in scaled.chunks_exact_mut((n * n).max(1)).zip(roots(x[1])?.chunks_exact(n.max(1))) {
            for row in row.chunks_exact_mut(n) {
                row.iter_mut().zip(roots).for_each(|(v, &root)| *v *= root);
            }
        }
        Tensor::from_slice(&scaled, x[2].shape())?.matmul(&x[2].transpose(-1, -2)?).map(one)
    }
    /// The Ā with `X Ā + Ā X = sym X̄`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let solved = solve(at.y(0), [at.x(1), at.x(2)], at.g(0).symmetric_part());
        Ok(Parts::from_iter([Some(solved), None, None]))
    }
    /// The dX with `X dX + dX X = sym dA`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, da| solve(at.y(0), [at.x(1), at.x(2)], da.symmetric_part()))
    }
}

/// The Y with `X Y + Y X = C`, from X, the factors λ and V of X², and C: `V (VᵀCV)ᵢⱼ / (√λᵢ + √λⱼ) Vᵀ`.
struct Lyapunov;

impl<T: Real> Operation<T> for Lyapunov {
    fn name(&self) -> &'static str {
        "lyapunov"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let n = x[1].shape()[x[1].rank() - 1];
        let mut inner = into(x[2], x[3])?.to_vec();
        for (inner, roots) in inner.chunks_exact_mut((n * n).max(1)).zip(roots(x[1])?.chunks_exact(n.max(1)))
        {
            for (row, &left) in inner.chunks_exact_mut(n).zip(roots) {
                row.iter_mut().zip(roots).for_each(|(c, &right)| *c /= left + right);
            }
        }
        out_of(x[2], &Tensor::from_slice(&inner, x[3].shape())?).map(one)
    }
    /// `C̄` solves the same equation for `Ȳ`; `X̄ = −(C̄ Y + Y C̄)`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let y = at.y(0).mt();
        let c = solve(at.x(0), [at.x(1), at.x(2)], at.g(0));
        let x = at.needs(0).then(|| -(c.matmul(y) + y.matmul(c)));
        Ok(Parts::from_iter([x, None, None, Some(c)]))
    }
    /// The dY with `X dY + dY X = dC − dX Y − Y dX`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let y = at.y(0);
        at.sum_of(|i, dx| {
            let right = if i == 0 { -(dx.matmul(y) + y.matmul(dx)) } else { dx };
            solve(at.x(0), [at.x(1), at.x(2)], right)
        })
    }
}

fn solve<'t, T: Real>(x: Var<'t, T>, [l, v]: [Var<'t, T>; 2], c: Var<'t, T>) -> Var<'t, T> {
    x.tape().apply(Lyapunov, &[x, l, v, c])
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
            Ok(self.tape().apply(Root, &[self, l, v]))
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
