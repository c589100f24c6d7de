//! Singular values and vectors.

mod factors;
#[cfg(test)]
mod tests;

use super::{singular, values};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var};
use crate::tensor::Tensor;
use factors::{Factors, Incoming, skew, times};
use smallvec::SmallVec;

struct Svd {
    full: bool,
}

impl<T: Real> Operation<T> for Svd {
    fn name(&self) -> &'static str {
        "svd"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        singular::svd(x[0], self.full).map(SmallVec::from_iter)
    }
    /// Townsend (2016), with his `1/(s_j² − s_i²)` taken apart. For `Ω = UᵀdU`, `Ψ = VᵀdV` and `P = UᵀdA V`,
    /// `Ω + Ψ = (P + Pᵀ)/(s_j − s_i)` and `Ω − Ψ = (P − Pᵀ)/(s_j + s_i)`; transposed,
    /// `P̄ = skew(UᵀŪ + VᵀV̄)/(s_j − s_i) + skew(UᵀŪ − VᵀV̄)/(s_j + s_i) + diag(S̄)`, and
    /// `Ā = U P̄ Vᵀ + (1 − U Uᵀ) Ū S⁻¹ Vᵀ + U S⁻¹ V̄ᵀ (1 − V Vᵀ)`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let by = Factors::of(at)?;
        if let (None, Some(g), None) = (at.g_if_any(0), at.g_if_any(1), at.g_if_any(2)) {
            return at.one(values::gradient(at.x(0), g, [by.u, by.s, by.v.mt()])?);
        }
        let g = Incoming::of(at, &by);
        let kept = g.kept(&by)?;
        let [difference, sum, s] = by.divisors();
        let inner = times(g.together / difference, &kept, 0)
            + times(g.apart / sum, &kept, 1)
            + g.values.diag_embed();
        let [of_u, of_v] = g.outside.map(|x| x.map(|x| times(x / s, &kept, 2)));
        let mut right = inner.matmul(by.v.mt());
        if let Some(of_v) = of_v {
            right = right + of_v.mt();
        }
        let whole = by.u.matmul(right);
        at.one(match of_u {
            Some(of_u) => whole + of_u.matmul(by.v.mt()),
            None => whole,
        })
    }
    /// `dU = U Ω + (1 − U Uᵀ) dA V S⁻¹`, `dS = diag P`, and V's like U's; columns without values follow those that
    /// turn into them.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(da) = at.dx(0) else { return Ok(SmallVec::from_iter([None, None, None])) };
        let by = Factors::of(at)?;
        let kept = by.kept();
        let [difference, sum, s] = by.divisors();
        let [left, right] = [da.matmul(by.v), da.mt().matmul(by.u)];
        let p = by.u.mt().matmul(left);
        let together = times(p.symmetric_part() / difference, &kept, 0);
        // The diagonal of the difference's quotient is no rotation.
        let together = together - together.diagonal(-2, -1).diag_embed();
        let apart = times(skew(p) / sum, &kept, 1);
        let turned = |i: usize, x: Var<'t, T>, rotation: Var<'t, T>, moved: Var<'t, T>, p: Var<'t, T>| {
            let own = x.matmul(rotation);
            if !by.tall[i] {
                return own;
            }
            let out = times((moved - x.matmul(p)) / s, &kept, 2);
            match by.rest[i] {
                None => own + out,
                Some(rest) => {
                    let back = -x.matmul(out.mt().matmul(rest));
                    own.tape().concat(&[own + out, back], -1)
                }
            }
        };
        let du = turned(0, by.u, together + apart, left, p);
        let dv = turned(1, by.v, together - apart, right, p.mt());
        Ok(SmallVec::from_iter([Some(du), Some(p.diagonal(-2, -1)), Some(dv.mt())]))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The singular value decomposition `A = U S Vᵀ` of matrices `[…, m, n]`: `[U, S, Vᵀ]` of shapes `[…, m, k]`,
    /// `[…, k]` and `[…, k, n]`, `k = min(m, n)`. The columns of U are orthonormal, and so are the rows of the third
    /// output, which is **Vᵀ**, not V: PyTorch's `Vh`, NumPy's `vh`. The values descend. In each column of U the first
    /// of the largest elements is positive, which settles V's signs, too (beside a value of 0 the rows of Vᵀ are signed
    /// by themselves).
    ///
    /// # Gradient
    ///
    /// `U (skew(UᵀŪ + VᵀV̄)/(s_j − s_i) + skew(UᵀŪ − VᵀV̄)/(s_j + s_i) + diag S̄) Vᵀ`, and with `1/s` the parts of Ū and
    /// V̄ outside U and V (Townsend 2016).
    ///
    /// Values within `8 max(m, n) ε s₁` of their neighbour count as equal, or as 0. Their vectors are known up to a
    /// rotation, the derivative of which is taken as 0. That is
    ///
    /// * right in both modes for a function that does not depend on the choice and treats equal values alike: a projector
    ///   on their space, `Σ ln s`;
    /// * a subgradient for other functions of the values alone, as the largest of them;
    /// * **NaN** in reverse mode for a function that depends on the choice, as far as its cotangents show it: if the
    ///   antisymmetric part of `UᵀŪ + VᵀV̄` between equal values, or a part of Ū or V̄ that would be divided by 0, is above
    ///   √ε of the cotangents; and if Ū or V̄ is not 0 and S̄ differs between equal values, as for `tr(C U f(S) Vᵀ)`, whose
    ///   gradient is not to be had from these cotangents;
    /// * not right in forward mode for `U f(S) Vᵀ`, of which that has the diagonal alone between equal values.
    ///
    /// Second derivatives at equal values lack what comes of the vectors' turning, or are NaN. The norms of
    /// [`matrix_norm`](Var::matrix_norm), [`pinv`](Var::pinv) and [`polar`](Var::polar) have rules of their own, without
    /// differences of singular values.
    ///
    /// # Accuracy
    ///
    /// Backward stable, at all scales: matrices are scaled by powers of two.
    ///
    /// # Errors
    ///
    /// [`NotFinite`](crate::ErrorKind::NotFinite), with the matrix of the batch; [`Rank`](crate::ErrorKind::Rank);
    /// [`NotConverged`](crate::ErrorKind::NotConverged), which no matrix is known to cause.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[3.0, 0.0], [0.0, -2.0], [0.0, 0.0]]));
    /// let [u, s, vh] = a.svd();
    /// assert_eq!(s.value()?.to_vec(), [3.0, 2.0]);
    /// assert_eq!(u.value()?.to_vec(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    /// assert_eq!(vh.value()?.to_vec(), [1.0, 0.0, 0.0, -1.0]);
    /// // The best approximation of rank 1.
    /// let first = (u * s).narrow(-1, 0, 1).matmul(vh.narrow(-2, 0, 1));
    /// assert_eq!(first.value()?.to_vec(), [3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "singular value decomposition")]
    #[track_caller]
    pub fn svd(self) -> [Var<'t, T>; 3] {
        self.decomposed(false)
    }

    /// As [`svd`](Var::svd), with all columns of U and rows of Vᵀ: `[U, S, Vᵀ]` of shapes `[…, m, m]`, `[…, k]` and
    /// `[…, n, n]`. The vectors beyond the first k span what is orthogonal to those; in each the first of the largest
    /// elements is positive.
    ///
    /// # Gradient
    ///
    /// That of [`svd`](Var::svd). The vectors beyond the first k are known up to a rotation: what depends on their
    /// space alone, as their projector does, has its gradient; what depends on the choice of them has NaN.
    ///
    /// # Errors
    ///
    /// As [`svd`](Var::svd).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[2.0], [0.0], [0.0]]));
    /// let [u, s, vh] = a.svd_full();
    /// assert_eq!((u.value()?.shape(), s.value()?.shape(), vh.value()?.shape()), (&[3, 3][..], &[1][..], &[1, 1][..]));
    /// // The projector on what no multiple of A reaches, and how its corner's neighbour changes with A.
    /// let rest = u.narrow(-1, 1, 2);
    /// let projector = rest.matmul(rest.transpose(-1, -2));
    /// assert_eq!(projector.value()?.to_vec(), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    /// let grads = projector.select(0, 0).select(0, 1).backward()?;
    /// assert_eq!(grads.wrt(a)?.to_vec(), [0.0, -0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "full_matrices")]
    #[track_caller]
    pub fn svd_full(self) -> [Var<'t, T>; 3] {
        self.decomposed(true)
    }

    #[track_caller]
    fn decomposed(self, full: bool) -> [Var<'t, T>; 3] {
        let parts = self.tape().apply_many(Svd { full }, &[self], 3);
        [parts[0], parts[1], parts[2]]
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::spread;
    use crate::conformance::{sample, shapes, wrong};
    let all = || {
        shapes(
            &[
                &[&[1, 1]],
                &[&[2, 2]],
                &[&[4, 2]],
                &[&[2, 3]],
                &[&[2, 3, 4, 4]],
                &[&[5, 1]],
                &[&[0, 3, 2]],
                &[&[0, 3]],
                &[&[3, 0]],
                &[&[0, 0]],
                &[&[2, 0, 2]],
            ],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("svd u", all(), |x| spread(x[0]).svd()[0]),
        sample!("svd s", all(), |x| spread(x[0]).svd()[1]),
        sample!("svd vh", all(), |x| spread(x[0]).svd()[2]),
        sample!("svd together", shapes(&[&[&[3, 2]], &[&[2, 2, 3]]], -1.0, 1.0), |x| {
            let [u, s, vh] = spread(x[0]).svd();
            (u * s.sin().unsqueeze(-2)).matmul(vh)
        }),
        sample!("svd full, columns of values", all(), |x| {
            let [u, s, vh] = spread(x[0]).svd_full();
            let k = s.try_shape().unwrap().last().copied().unwrap() as isize;
            (u.slice(-1, ..k) * s.unsqueeze(-2)).matmul(vh.slice(-2, ..k).square())
        }),
        sample!("svd full, the rest of u", all(), |x| {
            let [u, s, _] = spread(x[0]).svd_full();
            let rest = u.slice(-1, s.try_shape().unwrap().last().copied().unwrap() as isize..);
            rest.matmul(rest.mt())
        }),
        sample!("svd full, the rest of vh", all(), |x| {
            let [_, s, vh] = spread(x[0]).svd_full();
            let rest = vh.slice(-2, s.try_shape().unwrap().last().copied().unwrap() as isize..);
            rest.mt().matmul(rest)
        }),
        wrong!("svd", &[&[3]], |x| x[0].svd()[1], "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "svd",
            &[&[2, 3, 2]],
            |x| (x[0] * 0.0).ln().svd_full()[0],
            "the matrix [0] of the batch has elements that are not finite"
        ),
    ]
}
