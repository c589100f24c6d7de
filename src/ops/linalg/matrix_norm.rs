//! Norms of matrices and condition numbers.

use super::{matrices, shape_of, singular, slice, square};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// A norm of matrices, for [`Var::matrix_norm`] and [`Var::cond`].
///
/// The two smallest ones of their kind, `MinOne` and `MinInfinity`, and `MinSpectral`, are no norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixNorm {
    /// The root of the sum of all squares: `"fro"`.
    Frobenius,
    /// The sum of the singular values: `"nuc"`.
    Nuclear,
    /// The largest singular value: p = 2.
    Spectral,
    /// The smallest singular value: p = −2.
    MinSpectral,
    /// The largest sum of sizes of a column: p = 1.
    One,
    /// The smallest sum of sizes of a column: p = −1.
    MinOne,
    /// The largest sum of sizes of a row: p = ∞.
    Infinity,
    /// The smallest sum of sizes of a row: p = −∞.
    MinInfinity,
}
use MatrixNorm::*;

/// The sum of the singular values.
struct NuclearNorm;

impl<T: Real> Operation<T> for NuclearNorm {
    fn name(&self) -> &'static str {
        "nuclear_norm"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, m, n) = matrices(x[0].shape())?;
        let s = singular::svdvals(x[0])?;
        let sums = Tensor::build(shape_of(batch, &[])?, |out| match m.min(n) {
            0 => out.fill(T::ZERO),
            k => {
                for (out, s) in out.iter_mut().zip(slice(&s).chunks_exact(k)) {
                    // The smallest first.
                    *out = s.iter().rev().fold(T::ZERO, |sum, &s| sum + s);
                }
            }
        })?;
        Ok(one(sums))
    }
    /// The polar factor, `U Vᵀ`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(polar_factor(at.x(0))? * at.g(0).unsqueeze(-1).unsqueeze(-1))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let direction = polar_factor(at.x(0))?;
        at.sum_of(|_, da| (direction * da).sum_axes([-2, -1]))
    }
}

/// `U Vᵀ` of any matrix.
fn polar_factor<T: Real>(a: Var<'_, T>) -> Result<Var<'_, T>> {
    let (m, n) = matrices(&a.try_shape()?).map(|(_, m, n)| (m, n))?;
    Ok(if m >= n { a.polar()[0] } else { a.mt().polar()[0].mt() })
}

impl<'t, T: Real> Var<'t, T> {
    /// A norm of matrices `[…, m, n]`, one number each. A largest value over nothing is 0.
    ///
    /// # Gradient
    ///
    /// The direction `A/‖A‖` for Frobenius, 0 at 0; `U Vᵀ` for the nuclear norm, a subgradient where the rank is not
    /// full (its second derivative is NaN there); `u vᵀ` for the spectral ones; for the others signs in the column or row
    /// that is extreme. Equal extremes share evenly.
    ///
    /// # Errors
    ///
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a smallest value over nothing;
    /// [`Rank`](crate::ErrorKind::Rank); as [`svd`](Var::svd) for those of singular values. NaNs and infinities are
    /// no error in the others.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, linalg::MatrixNorm};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 3.0], [-4.0, 0.0]]));
    /// assert_eq!(a.matrix_norm(MatrixNorm::Frobenius).item()?, 5.0);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Spectral).item()?, 4.0);
    /// let nuclear = a.matrix_norm(MatrixNorm::Nuclear);
    /// assert_eq!(nuclear.item()?, 7.0);
    /// assert_eq!(nuclear.backward()?.wrt(a)?.to_vec(), [0.0, 1.0, -1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "nuclear norm")]
    #[doc(alias = "spectral norm")]
    #[track_caller]
    pub fn matrix_norm(self, norm: MatrixNorm) -> Var<'t, T> {
        self.normed([-2, -1], norm, false)
    }

    /// The same for matrices in any two axes, that of rows and that of columns, which the result does not have.
    ///
    /// # Errors
    ///
    /// Also [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn matrix_norm_axes(self, axes: [isize; 2], norm: MatrixNorm) -> Var<'t, T> {
        self.normed(axes, norm, false)
    }

    /// The same for matrices in any two axes, that of rows and that of columns, which the result has with length 1.
    ///
    /// # Errors
    ///
    /// Also [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn matrix_norm_keepdim(self, axes: [isize; 2], norm: MatrixNorm) -> Var<'t, T> {
        self.normed(axes, norm, true)
    }

    #[track_caller]
    fn normed(self, axes: [isize; 2], norm: MatrixNorm, keepdim: bool) -> Var<'t, T> {
        self.tape().composed("matrix_norm", || {
            let shape = self.try_shape()?;
            matrices(&shape)?;
            let [rows, columns] = [resolve_axis(axes[0], &shape)?, resolve_axis(axes[1], &shape)?];
            if rows == columns {
                return Err(ErrorKind::AxisTwice { axis: rows }.into());
            }
            let (rows, columns) = (rows as isize, columns as isize);
            // Matrices in the last two axes, and numbers in place of them.
            let inside = || self.movedim([rows, columns], [-2, -1]);
            let y = match norm {
                Frobenius => self.norm_axes([rows, columns]),
                Nuclear => self.tape().apply(NuclearNorm, &[inside()]),
                Spectral => inside().svdvals().largest(),
                MinSpectral => inside().svdvals().min_axes(-1),
                One => inside().abs().sum_axes(-2).largest(),
                MinOne => inside().abs().sum_axes(-2).min_axes(-1),
                Infinity => inside().abs().sum_axes(-1).largest(),
                MinInfinity => inside().abs().sum_axes(-1).min_axes(-1),
            };
            Ok(if keepdim { y.unsqueeze(rows.min(columns)).unsqueeze(rows.max(columns)) } else { y })
        })
    }

    /// The largest element along the last axis, 0 if there is none, of elements that are not negative.
    fn largest(self) -> Var<'t, T> {
        let empty = self.try_shape().is_ok_and(|shape| shape.last() == Some(&0));
        if empty { self.sum_axes(-1) } else { self.max_axes(-1) }
    }

    /// `‖A‖ ‖A⁻¹‖`, ∞ for a singular matrix.
    fn times_inverse(self, norm: MatrixNorm) -> Result<Var<'t, T>> {
        let (own, inverse) = (self.matrix_norm(norm), self.inv());
        let singular =
            inverse.error().is_some_and(|error| matches!(error.kind(), ErrorKind::Singular { .. }));
        if !singular {
            return Ok(own * inverse.matrix_norm(norm));
        }
        // Those with a pivot of 0.
        let (_, n) = square(&self.try_shape()?).map(|(batch, n)| (batch.len(), n))?;
        let mark = self.detach().lu_factor()?.0.diagonal(-2, -1).eq(0.0).max_axes(-1);
        let of_each = mark.unsqueeze(-1).unsqueeze(-1);
        let regular = Var::where_(of_each, self.constant_like(Tensor::eye(n)), self);
        let found = regular.inv().matrix_norm(norm);
        // 1 more, for what is 0 is not to be 0·∞.
        Ok((own + mark) * Var::where_(mark, self.constant(f64::INFINITY), found))
    }

    /// The condition number `‖A‖ ‖A⁻¹‖` of matrices; that of [`Spectral`](MatrixNorm::Spectral), the largest singular
    /// value over the smallest, and that of [`MinSpectral`](MatrixNorm::MinSpectral), its inverse, also of matrices
    /// that are not square. 0 of matrices without elements.
    ///
    /// # Gradient
    ///
    /// By the quotient, or the product, of the norms. A singular matrix has the condition ∞ (0 for `MinSpectral`; spectral ones of 0 are NaN), and a
    /// gradient that is not finite.
    ///
    /// # Errors
    ///
    /// [`NotSquare`](crate::ErrorKind::NotSquare) for the norms other than the spectral ones; as [`matrix_norm`](Var::matrix_norm).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, linalg::MatrixNorm};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 8.0], [-4.0, 0.0]]));
    /// let condition = a.cond(MatrixNorm::Spectral);
    /// assert_eq!(condition.item()?, 2.0);
    /// assert_eq!(condition.backward()?.wrt(a)?.to_vec(), [0.0, 0.25, 0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "condition number")]
    #[track_caller]
    pub fn cond(self, norm: MatrixNorm) -> Var<'t, T> {
        self.tape().composed("cond", || {
            let shape = self.try_shape()?;
            let (_, m, n) = matrices(&shape)?;
            let by_values = matches!(norm, Spectral | MinSpectral);
            if !by_values {
                square(&shape)?;
            }
            if m.min(n) == 0 {
                return Ok(self.sum_axes([-2, -1]));
            }
            if !by_values {
                return self.times_inverse(norm);
            }
            let s = self.svdvals();
            let (first, last) = (s.select(-1, 0), s.select(-1, -1));
            Ok(if norm == Spectral { first / last } else { last / first })
        })
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

/// Matrices, or three axes, whose sums along any axis are well apart, from numbers in (−1, 1).
#[cfg(test)]
fn stepped<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let base = Tensor::from_fn(x.try_shape().unwrap(), |at| {
        let (i, j) = (at[at.len() - 2], at[at.len() - 1]);
        let (i, more) = if at.len() == 3 { (at[0], 0.4 * i as f64) } else { (i, 0.0) };
        T::from_f64(1.0 + 0.7 * i as f64 + 1.6 * j as f64 + more + if i == j { 4.0 } else { 0.0 })
    });
    x * 0.1 + x.constant_like(base)
}

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    use super::spread;
    let shapes_of =
        || shapes(&[&[&[1, 1]], &[&[3, 3]], &[&[4, 2]], &[&[2, 2, 2, 3]], &[&[0, 3, 2]]], -1.0, 1.0);
    let empty = || shapes(&[&[&[0, 3]], &[&[2, 3, 0]], &[&[0, 0]]], -1.0, 1.0);
    let three = || shapes(&[&[&[3, 2, 4]]], -1.0, 1.0);
    let square = || shapes(&[&[&[2, 2]], &[&[3, 3]], &[&[2, 2, 2]], &[&[0, 0]]], -1.0, 1.0);
    vec![
        sample!("matrix_norm fro", shapes_of(), |x| spread(x[0]).matrix_norm(Frobenius)),
        sample!("matrix_norm nuc", shapes_of(), |x| spread(x[0]).matrix_norm(Nuclear)),
        sample!("matrix_norm 2", shapes_of(), |x| spread(x[0]).matrix_norm(Spectral)),
        sample!("matrix_norm −2", shapes_of(), |x| spread(x[0]).matrix_norm(MinSpectral)),
        sample!("matrix_norm 1", shapes_of(), |x| stepped(x[0]).matrix_norm(One)),
        sample!("matrix_norm −1", shapes_of(), |x| stepped(x[0]).matrix_norm(MinOne)),
        sample!("matrix_norm ∞", shapes_of(), |x| stepped(x[0]).matrix_norm(Infinity)),
        sample!("matrix_norm −∞", shapes_of(), |x| stepped(x[0]).matrix_norm(MinInfinity)),
        sample!("matrix_norm of nothing", empty(), |x| x[0].matrix_norm(Frobenius)
            + x[0].matrix_norm(Nuclear)
            + x[0].matrix_norm(Spectral)
            + x[0].matrix_norm(One)
            + x[0].matrix_norm(Infinity)),
        sample!("matrix_norm_axes", three(), |x| stepped(x[0]).matrix_norm_axes([2, 0], Nuclear) * 0.1
            + stepped(x[0]).matrix_norm_axes([-1, 0], One)
            + stepped(x[0]).matrix_norm_axes([0, -1], MinInfinity)),
        sample!("matrix_norm_keepdim", three(), |x| stepped(x[0]).matrix_norm_keepdim([0, 1], Infinity)
            * stepped(x[0]).matrix_norm_keepdim([1, 0], Frobenius)),
        sample!("cond 2", shapes_of(), |x| spread(x[0]).cond(Spectral)),
        sample!("cond −2", shapes_of(), |x| spread(x[0]).cond(MinSpectral)),
        sample!("cond fro", square(), |x| spread(x[0]).cond(Frobenius)),
        sample!("cond nuc", square(), |x| spread(x[0]).cond(Nuclear)),
        sample!("cond 1", square(), |x| spread(x[0]).cond(One)),
        sample!("cond −1", square(), |x| spread(x[0]).cond(MinOne)),
        sample!("cond ∞", square(), |x| spread(x[0]).cond(Infinity)),
        sample!("cond −∞", square(), |x| spread(x[0]).cond(MinInfinity)),
        wrong!(
            "matrix_norm",
            &[&[3]],
            |x| x[0].matrix_norm(Frobenius),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "matrix_norm",
            &[&[2, 3]],
            |x| x[0].matrix_norm_axes([0, 2], One),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("matrix_norm", &[&[2, 3]], |x| x[0].matrix_norm_axes([1, -1], One), "axis 1 is given twice"),
        wrong!(
            "min",
            &[&[2, 0, 3]],
            |x| x[0].matrix_norm(MinSpectral),
            "reduction over axis 1 of size 0 in shape [2, 0] has no identity"
        ),
        wrong!(
            "nuclear_norm",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().matrix_norm(Nuclear),
            "the matrix has elements that are not finite"
        ),
        wrong!("cond", &[&[3]], |x| x[0].cond(Spectral), "shape [3] has rank 1, wanted at least 2"),
        wrong!("cond", &[&[2, 3]], |x| x[0].cond(Frobenius), "shape [2, 3] is not that of square matrices"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn subgradients_at_zero_and_at_lower_ranks_are_those_of_the_decomposition() {
        let tape = Tape::new();
        let zero = tape.var(&Tensor::<f64>::zeros([3, 3]).unwrap());
        let gradient = |y: Var<'_, f64>, x| y.backward().unwrap().wrt(x).unwrap().to_vec();
        let eye = Tensor::<f64>::eye(3).unwrap().to_vec();
        assert_eq!(gradient(zero.matrix_norm(Nuclear), zero), eye);
        assert_eq!(gradient(zero.svdvals().sum(), zero), eye);
        let third: Vec<f64> = eye.iter().map(|x| x / 3.0).collect();
        assert_eq!(gradient(zero.matrix_norm(Spectral), zero), third);
        assert_eq!(gradient(zero.matrix_norm(MinSpectral), zero), third);
        assert_eq!(gradient(zero.matrix_norm(Frobenius), zero), [0.0; 9]);
        // Two equal values share.
        let twice = tape.var(&(Tensor::<f64>::eye(2).unwrap() * 2.0));
        assert_eq!(gradient(twice.matrix_norm(Spectral), twice), [0.5, 0.0, 0.0, 0.5]);
        // u vᵀ of the value, and an orthogonal pair for the 0.
        let one = tape.var(&Tensor::from([[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]));
        assert_eq!(gradient(one.matrix_norm(Nuclear), one), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let [g] = tape.vjp(one.matrix_norm(Nuclear), &Tensor::scalar(1.0), [one]).unwrap();
        assert!(g.sum().backward().unwrap().wrt(one).unwrap().iter().all(f64::is_nan));
    }

    #[test]
    fn the_nuclear_norm_has_second_derivatives_at_repeated_values() {
        // At 1, along a skew K and a symmetric D: tr √((1 + tK)ᵀ(1 + tK)) = 2 √(1 + t²), and tr(1 + tD).
        let tape = Tape::new();
        let a = tape.var(&Tensor::<f64>::eye(2).unwrap());
        let y = a.matrix_norm(Nuclear);
        let second = |along: Tensor<f64>| {
            let first = tape.jvp(y, [(a, &along)]).unwrap();
            tape.jvp(first, [(a, &along)]).unwrap().item().unwrap()
        };
        assert!((second(Tensor::from([[0.0, -1.0], [1.0, 0.0]])) - 2.0).abs() < 1e-14);
        assert!(second(Tensor::from([[0.3, 1.0], [1.0, -2.0]])).abs() < 1e-14);
    }

    #[test]
    fn infinities_and_nans_are_seen_by_norms_without_singular_values() {
        let tape = Tape::new();
        let a = tape.constant(&Tensor::from([[f64::NAN, 1.0], [f64::INFINITY, 0.0]]));
        for (norm, nan) in [(Frobenius, true), (One, true), (MinOne, true), (Infinity, true)] {
            assert_eq!(a.matrix_norm(norm).item().unwrap().is_nan(), nan, "{norm:?}");
        }
        for norm in [Nuclear, Spectral, MinSpectral] {
            let error = a.matrix_norm(norm).item().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NotFinite { .. }));
        }
    }

    #[test]
    fn singular_matrices_have_no_finite_condition() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[2.0, 0.0], [0.0, 0.0]]));
        assert_eq!(a.cond(Spectral).item().unwrap(), f64::INFINITY);
        assert_eq!(a.cond(MinSpectral).item().unwrap(), 0.0);
        assert!((a * 0.0).cond(Spectral).item().unwrap().is_nan());
        for norm in [Frobenius, Nuclear, One, MinOne, Infinity, MinInfinity] {
            assert_eq!(a.cond(norm).item().unwrap(), f64::INFINITY, "{norm:?}");
            let g = a.cond(norm).backward().unwrap().wrt(a).unwrap().to_vec();
            assert!(g.iter().any(|g| !g.is_finite()), "{norm:?}");
            // The others of a batch have what they have alone.
            let batch = tape.var(&Tensor::from([[[2.0, 0.0], [0.0, 0.0]], [[2.0, 1.0], [0.5, 3.0]]]));
            let alone = tape.var(&Tensor::from([[2.0, 1.0], [0.5, 3.0]]));
            let (both, one) = (batch.cond(norm), alone.cond(norm));
            assert_eq!(both.value().unwrap().to_vec(), [f64::INFINITY, one.item().unwrap()]);
            let g = both.narrow(0, 1, 1).sum().backward().unwrap().wrt(batch).unwrap().to_vec();
            assert_eq!(g[4..], one.backward().unwrap().wrt(alone).unwrap().to_vec());
        }
        let huge = tape.var(&(Tensor::from([[3.0, 0.0], [0.0, 2.0]]) * 1e150));
        assert!((huge.cond(Spectral).item().unwrap() - 1.5).abs() < 1e-15);
        assert!((huge.cond(One).item().unwrap() - 1.5).abs() < 1e-15);
    }
}
