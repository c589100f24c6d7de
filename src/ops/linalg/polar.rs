//! The polar decomposition, whose derivative divides by sums of singular values alone.

use super::spectrum::Divide;
use super::{matrices, singular};
use crate::error::{Result, argument};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// U and H of `A = U H`, and what the rules solve with: the eigenvalues and eigenvectors of H, which count as constants.
struct Polar;

/// The factors of a polar decomposition.
struct Factors<'t, T: Real> {
    u: Var<'t, T>,
    h: Var<'t, T>,
    s: Var<'t, T>,
    vh: Var<'t, T>,
    tall: bool,
    noise: f64,
}

impl<'t, T: Real> Factors<'t, T> {
    fn of(at: &At<'_, 't, T>) -> Result<Factors<'t, T>> {
        let (_, m, n) = matrices(&at.x(0).try_shape()?).map(|(batch, m, n)| (batch.len(), m, n))?;
        let noise = singular::resolution::<T>(n, n);
        Ok(Factors { u: at.y(0), h: at.y(1), s: at.y(2), vh: at.y(3), tall: m > n, noise })
    }

    /// Z of `H Z + Z H = R`, or of `Z H = R`; NaN if one of the divisors counts as 0.
    fn divided(&self, both: bool, r: Var<'t, T>) -> Var<'t, T> {
        Divide { both, noise: self.noise }.of(self.h, [self.s, self.vh.mt()], r)
    }

    /// Z of `H Z + Z H = R`.
    fn balanced(&self, r: Var<'t, T>) -> Var<'t, T> {
        self.divided(true, r)
    }

    /// Z of `Z H = (1 − U Uᵀ) R`.
    fn outside(&self, r: Var<'t, T>) -> Var<'t, T> {
        self.divided(false, r - self.u.matmul(self.u.mt().matmul(r)))
    }
}

impl<T: Real> Operation<T> for Polar {
    fn name(&self) -> &'static str {
        "polar"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (_, m, n) = matrices(x[0].shape())?;
        if m < n {
            return argument("the number of rows", m, format!("at least that of columns, {n}"));
        }
        let [u, s, vh] = singular::svd(x[0], false)?;
        let h = vh.transpose(-1, -2)?.matmul(&vh.try_mul(&s.unsqueeze(-1)?)?)?;
        // The two triangles are rounded apart.
        let h = h.try_add(&h.transpose(-1, -2)?)? * 0.5;
        Ok(SmallVec::from_iter([u.matmul(&vh)?, h, s, vh]))
    }
    /// With `dH = Uᵀ dA − Ω H`, `dU = U Ω + (1 − U Uᵀ) dA H⁻¹`, and `Ω H + H Ω = Uᵀ dA − dAᵀ U`, transposed:
    /// `Ā = U (H̄ + K) + (1 − U Uᵀ) Ū H⁻¹`, `K H + H K = C − Cᵀ`, `C = Uᵀ Ū − H̄ H`, for symmetric H̄.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let by = Factors::of(at)?;
        let (gu, gh) = (at.g(0), at.g(1).symmetric_part());
        let c = by.u.mt().matmul(gu) - gh.matmul(by.h);
        let inside = by.u.matmul(gh + by.balanced(c - c.mt()));
        at.one(if by.tall { inside + by.outside(gu) } else { inside })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(da) = at.dx(0) else { return Ok(SmallVec::from_iter([None, None, None, None])) };
        let by = Factors::of(at)?;
        let p = by.u.mt().matmul(da);
        let rotation = by.balanced(p - p.mt());
        let inside = by.u.matmul(rotation);
        let du = if by.tall { inside + by.outside(da) } else { inside };
        Ok(SmallVec::from_iter([Some(du), Some((p - rotation.matmul(by.h)).symmetric_part()), None, None]))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The polar decomposition `A = U H` of matrices `[…, m, n]`, `m ≥ n`: `[U, H]` with orthonormal columns,
    /// `[…, m, n]`, and symmetric without negative eigenvalues, `[…, n, n]`. U is the nearest matrix of orthonormal
    /// columns to A.
    ///
    /// # Gradient
    ///
    /// `U (H̄ + K) + (1 − U Uᵀ) Ū H⁻¹`, where `K H + H K = C − Cᵀ` for `C = Uᵀ Ū − H̄ H`: it divides by sums of singular
    /// values, so that repeated ones do not matter. NaN for matrices of which the rank is not n: there is none.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for fewer rows than columns; as [`svd`](Var::svd).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, -2.0], [2.0, 0.0]]));
    /// let [u, h] = a.polar();
    /// assert_eq!(u.value()?.to_vec(), [0.0, -1.0, 1.0, 0.0]);
    /// assert_eq!(h.value()?.to_vec(), [2.0, 0.0, 0.0, 2.0]);
    /// // The trace of H is the sum of the singular values.
    /// assert_eq!(h.trace().backward()?.wrt(a)?.to_vec(), [0.0, -1.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn polar(self) -> [Var<'t, T>; 2] {
        let parts = self.tape().apply_many(Polar, &[self], 4);
        [parts[0], parts[1]]
    }
}

/// Ones on the diagonal, of the shape of a matrix.
#[cfg(test)]
fn identity<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let at = |at: &[usize]| if at[0] == at[1] { T::ONE } else { T::ZERO };
    x.constant_like(Tensor::from_fn(x.try_shape().unwrap(), at))
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::spread;
    use crate::conformance::{sample, shapes, wrong};
    let all = || {
        shapes(
            &[
                &[&[1, 1]],
                &[&[3, 3]],
                &[&[4, 2]],
                &[&[2, 3, 2, 2]],
                &[&[5, 1]],
                &[&[0, 3, 2]],
                &[&[3, 0]],
                &[&[0, 0]],
            ],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("polar u", all(), |x| spread(x[0]).polar()[0]),
        sample!("polar h", all(), |x| spread(x[0]).polar()[1]),
        // Singular values all equal where the inputs are 0, and near each other around.
        sample!("polar near the identity", shapes(&[&[&[3, 3]], &[&[4, 2]]], -0.1, 0.1), |x| {
            let [u, h] = (x[0] + identity(x[0])).polar();
            u.matmul(h.sin())
        }),
        wrong!(
            "polar",
            &[&[2, 3]],
            |x| x[0].polar()[0],
            "the number of rows is 2, wanted at least that of columns, 3"
        ),
        wrong!("polar", &[&[3]], |x| x[0].polar()[1], "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "polar",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().polar()[0],
            "the matrix has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn repeated_values_are_no_matter_at_any_order() {
        // 1 + t K for the quarter turn K is √(1 + t²) times the rotation by atan t, of which the sine is
        // t/√(1 + t²) = t − t³/2 + … and the cosine 1 − t²/2 + ….
        let tape = Tape::new();
        let a = tape.var(&Tensor::<f64>::eye(2).unwrap());
        let along = Tensor::from([[0.0, -1.0], [1.0, 0.0]]);
        let [u, h] = a.polar();
        let mut d = [u, h];
        let mut found = vec![];
        for _ in 0..3 {
            d = d.map(|d| tape.jvp(d, [(a, &along)]).unwrap());
            found.push(d.map(|d| d.value().unwrap().to_vec()));
        }
        let near = |x: &[f64], wanted: [f64; 4]| {
            assert!(x.iter().zip(wanted).all(|(x, w)| (x - w).abs() < 1e-14), "{x:?}, wanted {wanted:?}");
        };
        near(&found[0][0], [0.0, -1.0, 1.0, 0.0]);
        near(&found[1][0], [-1.0, 0.0, 0.0, -1.0]);
        near(&found[2][0], [0.0, 3.0, -3.0, 0.0]);
        near(&found[0][1], [0.0; 4]);
        near(&found[1][1], [1.0, 0.0, 0.0, 1.0]);
        near(&found[2][1], [0.0; 4]);
    }

    #[test]
    fn without_full_rank_there_is_a_value_and_no_derivative() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[1.0, 1.0], [1.0, 1.0]]));
        let [u, h] = a.polar();
        for (h, wanted) in h.value().unwrap().iter().zip([1.0; 4]) {
            assert!(f64::abs(h - wanted) < 1e-15);
        }
        assert!(u.sum().backward().unwrap().wrt(a).unwrap().iter().all(f64::is_nan));
        let zero = tape.var(&Tensor::<f64>::zeros([3, 2]).unwrap());
        let [u, h] = zero.polar();
        assert_eq!(u.value().unwrap().to_vec(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(h.value().unwrap().to_vec(), [0.0; 4]);
        assert!(h.sum().backward().unwrap().wrt(zero).unwrap().iter().all(f64::is_nan));
    }

    #[test]
    fn factors_multiply_to_the_matrix() {
        for (m, n) in [(33, 33), (100, 3)] {
            let a = Tensor::from_fn([m, n], |at| ((7 * at[0] * at[0] + 13 * at[1]) as f64).sin()).unwrap();
            let tape = Tape::new();
            let [u, h] = tape.var(&a).polar();
            let [u, h] = [u, h].map(|x| x.value().unwrap());
            let size = h.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let near = |p: Tensor<f64>, q: &Tensor<f64>, size: f64| {
                assert!((&p - q).iter().all(|x| x.abs() < 1e-13 * size), "{m} × {n}");
            };
            near(u.matmul(&h).unwrap(), &a, size);
            near(u.transpose(0, 1).unwrap().matmul(&u).unwrap(), &Tensor::eye(n).unwrap(), 1.0);
            assert_eq!(h.transpose(0, 1).unwrap(), h);
        }
    }
}
