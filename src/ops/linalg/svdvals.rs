//! Singular values alone.

use super::{singular, values};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

struct SvdVals;

impl<T: Real> Operation<T> for SvdVals {
    fn name(&self) -> &'static str {
        "svdvals"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        singular::svdvals(x[0]).map(one)
    }
    /// `Ā = U diag(S̄) Vᵀ`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(values::gradient(at.x(0), at.g(0), at.x(0).svd())?)
    }
    /// `dS = diag(Uᵀ dA V)`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let [u, _, vh] = at.x(0).svd();
        at.sum_of(|_, da| (u * da.matmul(vh.mt())).sum_axes(-2))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The singular values of matrices `[…, m, n]`, descending: `[…, min(m, n)]`.
    ///
    /// # Gradient
    ///
    /// `U diag(S̄) Vᵀ`, by one of the decompositions where values repeat or vanish: for `Σ s` a subgradient, `U Vᵀ`.
    /// Second derivatives at repeated values are right where the gradient by them is constant, as for `Σ s`, or 0, as for
    /// the largest one where smaller ones repeat; NaN else (what is missing is h″ for `Σ h(s)`). In forward over forward mode
    /// they are not, but lack that.
    ///
    /// # Errors
    ///
    /// As [`svd`](Var::svd).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 3.0], [-4.0, 0.0]]));
    /// let s = a.svdvals();
    /// assert_eq!(s.value()?.to_vec(), [4.0, 3.0]);
    /// assert_eq!(s.ln().sum().backward()?.wrt(a)?.to_vec(), [0.0, 1.0 / 3.0, -0.25, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn svdvals(self) -> Var<'t, T> {
        self.tape().apply(SvdVals, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::spread;
    use crate::conformance::{sample, shapes, wrong};
    let all = shapes(
        &[
            &[&[1, 1]],
            &[&[3, 3]],
            &[&[4, 2]],
            &[&[2, 2, 2, 5]],
            &[&[0, 3, 2]],
            &[&[0, 3]],
            &[&[3, 0]],
            &[&[0, 0]],
        ],
        -1.0,
        1.0,
    );
    vec![
        sample!("svdvals", all, |x| spread(x[0]).svdvals()),
        sample!("svdvals, repeated", shapes(&[&[&[3, 2]]], -1.0, 1.0), |x| {
            let eye = Tensor::eye(3).unwrap().slice(1, ..2).unwrap();
            (x[0] * 0.0 + x[0].constant_like(Ok(eye))).svdvals()
        }),
        wrong!("svdvals", &[&[3]], |x| x[0].svdvals(), "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "svdvals",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().svdvals(),
            "the matrix has elements that are not finite"
        ),
    ]
}
