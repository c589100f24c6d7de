//! Pseudoinverses.

use super::{Cutoff, matrices, mirrored, shape_of, singular, slice, square};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// The Moore-Penrose inverse, by the singular values that count.
struct Pinv(Cutoff);

impl<T: Real> Operation<T> for Pinv {
    fn name(&self) -> &'static str {
        "pinv"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, m, n) = matrices(x[0].shape())?;
        let k = m.min(n);
        let [u, s, vh] = singular::svd(x[0], false)?;
        let inverse = Tensor::build(shape_of(batch, &[k, 1])?, |out| {
            let values = slice(&s);
            for (out, s) in out.chunks_exact_mut(k.max(1)).zip(values.chunks_exact(k.max(1))) {
                let bound = self.0.bound(m, n, s);
                for (out, &s) in out.iter_mut().zip(s) {
                    *out = if s.to_f64() > bound { T::ONE / s } else { T::ZERO };
                }
            }
        })?;
        let scaled = u.transpose(-1, -2)?.try_mul(&inverse)?;
        vh.transpose(-1, -2)?.matmul(&scaled).map(one)
    }
    /// Golub and Pereyra (1973), transposed: for X = A⁺,
    /// `Ā = −Xᵀ X̄ Xᵀ + (1 − A X) X̄ᵀ X Xᵀ + Xᵀ X X̄ᵀ (1 − X A)`, in an order of products in which none leaves the range
    /// before the result does.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, x, g) = (at.x(0), at.y(0), at.g(0).mt());
        let xt = x.mt();
        let columns = (g - a.matmul(x.matmul(g))).matmul(x).matmul(xt);
        let rows = xt.matmul(x.matmul(g - g.matmul(x).matmul(a)));
        at.one(columns + rows - xt.matmul(g.mt()).matmul(xt))
    }
    /// `dX = −X dA X + X Xᵀ dAᵀ (1 − A X) + (1 − X A) dAᵀ Xᵀ X`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, x) = (at.x(0), at.y(0));
        let xt = x.mt();
        at.sum_of(|_, da| {
            let dt = da.mt();
            let columns = x.matmul(xt.matmul(dt - dt.matmul(a).matmul(x)));
            let rows = (dt - x.matmul(a.matmul(dt))).matmul(xt).matmul(x);
            columns + rows - x.matmul(da).matmul(x)
        })
    }
}

/// The lower triangle of a matrix that is read as symmetric, and its mirror image.
struct Mirror;

impl<T: Real> Operation<T> for Mirror {
    fn name(&self) -> &'static str {
        "mirror"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        mirrored(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).symmetric_part())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.symmetric_part())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The pseudoinverse (Moore-Penrose inverse) `A⁺ = V S⁻¹ Uᵀ` of matrices `[…, m, n]`: `[…, n, m]`. Singular values
    /// of at most `max(m, n) ε s₁`, with the largest of them s₁, count as 0 and stay 0.
    ///
    /// # Gradient
    ///
    /// That of matrices whose rank stays what it is (Golub and Pereyra 1973), also where it is not full: A⁺ leaps where
    /// the rank changes. Values that a wider bound leaves out count as zeros, which is right as far as their squares are
    /// small beside those of the others.
    ///
    /// # Errors
    ///
    /// As [`svd`](Var::svd).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]));
    /// let x = a.pinv();
    /// assert_eq!(x.value()?.to_vec(), [0.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
    /// let grads = x.sum().backward()?;
    /// assert_eq!(grads.wrt(a)?.to_vec(), [-0.25, 0.25, 0.25, 0.0, 0.25, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "pinverse")]
    #[doc(alias = "Moore-Penrose inverse")]
    #[track_caller]
    pub fn pinv(self) -> Var<'t, T> {
        self.pinv_with(Cutoff::new())
    }

    /// As [`pinv`](Var::pinv), with another bound, or for symmetric matrices of which only the lower triangle is read.
    ///
    /// # Errors
    ///
    /// Also [`Argument`](crate::ErrorKind::Argument) for a tolerance that is negative or NaN;
    /// [`NotSquare`](crate::ErrorKind::NotSquare) for matrices said to be symmetric.
    #[track_caller]
    pub fn pinv_with(self, cutoff: Cutoff) -> Var<'t, T> {
        self.tape().composed("pinv", || {
            cutoff.check()?;
            if !cutoff.is_symmetric() {
                return Ok(self.tape().apply(Pinv(cutoff), &[self]));
            }
            square(&self.try_shape()?)?;
            let mirrored = self.tape().apply(Mirror, &[self]);
            Ok(self.tape().apply(Pinv(cutoff), &[mirrored]).symmetric_part())
        })
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    use super::spread;
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
            ],
            -1.0,
            1.0,
        )
    };
    let square = || shapes(&[&[&[1, 1]], &[&[3, 3]], &[&[2, 2, 2]], &[&[0, 0]]], -1.0, 1.0);
    vec![
        sample!("pinv", all(), |x| spread(x[0]).pinv()),
        // Rank 2, of factors.
        sample!("pinv of products", shapes(&[&[&[4, 2], &[2, 3]], &[&[2, 3, 2], &[2, 3]]], -1.0, 1.0), |x| {
            spread(x[0]).matmul(spread(x[1])).pinv_with(Cutoff::new().rtol(1e-4))
        }),
        sample!("pinv symmetric", square(), |x| spread(x[0] + x[0].mt())
            .pinv_with(Cutoff::new().symmetric())),
        wrong!("pinv", &[&[3]], |x| x[0].pinv(), "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "pinv",
            &[&[2, 3]],
            |x| x[0].pinv_with(Cutoff::new().symmetric()),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "pinv",
            &[&[2, 3]],
            |x| x[0].pinv_with(Cutoff::new().atol(-0.5)),
            "atol is -0.5, wanted a number of at least 0"
        ),
        wrong!(
            "pinv",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().pinv(),
            "the matrix has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    /// A fixed matrix in (−1, 1).
    fn matrix(m: usize, n: usize) -> Tensor<f64> {
        Tensor::from_fn([m, n], |at| ((7 * at[0] * at[0] + 13 * at[1] + 3 * at[0] * at[1]) as f64).sin())
            .unwrap()
    }

    #[test]
    fn the_four_equations_of_penrose_hold() {
        let rank_3 = matrix(6, 3).matmul(&matrix(3, 5)).unwrap();
        for a in [matrix(33, 33), matrix(100, 3), matrix(3, 100), rank_3] {
            let x = Tape::new().var(&a).pinv().value().unwrap();
            let (ax, xa) = (a.matmul(&x).unwrap(), x.matmul(&a).unwrap());
            let size = |x: &Tensor<f64>| x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let condition = size(&a) * size(&x);
            let near = |p: Tensor<f64>, q: &Tensor<f64>| {
                assert!(size(&(&p - q)) <= 1e-13 * condition * size(q), "{:?}", a.shape());
            };
            near(ax.matmul(&a).unwrap(), &a);
            near(xa.matmul(&x).unwrap(), &x);
            near(ax.transpose(0, 1).unwrap(), &ax);
            near(xa.transpose(0, 1).unwrap(), &xa);
        }
    }

    #[test]
    fn a_deficient_matrix_has_the_derivative_of_its_rank() {
        // Of A = s u vᵀ, moved to A + t u₂ v₁ᵀ, which has rank 1, too: A⁺ = (v₁ (s u₁ + t u₂)ᵀ)/(s² + t²).
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[4.0, 0.0], [0.0, 0.0], [0.0, 0.0]]));
        let x = a.pinv();
        let along = Tensor::from([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]);
        let first = tape.jvp(x, [(a, &along)]).unwrap();
        assert_eq!(first.value().unwrap().to_vec(), [0.0, 1.0 / 16.0, 0.0, 0.0, 0.0, 0.0]);
        let second = tape.jvp(first, [(a, &along)]).unwrap();
        assert_eq!(second.value().unwrap().to_vec(), [-2.0 / 64.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let g = x.narrow(1, 1, 1).sum().backward().unwrap();
        assert_eq!(g.wrt(a).unwrap().to_vec(), [0.0, 0.0, 1.0 / 16.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn zeros_and_extreme_scales_have_gradients() {
        let tape = Tape::new();
        let zero = tape.var(&Tensor::<f64>::zeros([3, 2]).unwrap());
        let x = zero.pinv();
        assert_eq!(x.value().unwrap(), Tensor::zeros([2, 3]).unwrap());
        assert_eq!(*x.sum().backward().unwrap().wrt(zero).unwrap(), Tensor::zeros([3, 2]).unwrap());
        let plain = matrix(4, 3);
        let of = |scale: f64| {
            let tape = Tape::new();
            let a = tape.var(&(&plain * scale));
            let x = a.pinv();
            let g = (x * tape.constant(&matrix(3, 4))).sum().backward().unwrap();
            (x.value().unwrap() * scale, g.wrt(a).unwrap() * scale * scale)
        };
        let (wanted, g_wanted) = of(1.0);
        for scale in [1e-150, 1e150] {
            let (x, g) = of(scale);
            assert!(
                x.all_close(&wanted, 1e-12, 1e-12).unwrap() && g.all_close(&g_wanted, 1e-12, 1e-12).unwrap()
            );
        }
    }

    #[test]
    fn symmetric_matrices_are_read_from_below_and_get_symmetric_gradients() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[2.0, 99.0], [1.0, 2.0]]));
        let x = a.pinv_with(Cutoff::new().symmetric());
        let third = 1.0 / 3.0;
        let wanted = Tensor::from([[2.0 * third, -third], [-third, 2.0 * third]]);
        assert!(x.value().unwrap().all_close(&wanted, 1e-14, 0.0).unwrap());
        let g = x.select(0, 0).select(0, 1).backward().unwrap().wrt(a).unwrap().to_vec();
        // −sym(x₀ x₁ᵀ) of the columns x₀, x₁ of the inverse.
        for (g, wanted) in g.iter().zip([2.0f64 / 9.0, -2.5 / 9.0, -2.5 / 9.0, 2.0 / 9.0]) {
            assert!((g - wanted).abs() < 1e-14, "{g} {wanted}");
        }
    }
}
