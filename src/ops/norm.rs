//! Norms of vectors, over any axes.

use super::reduction::{Reduction, count, three_forms};
use crate::error::{Result, argument};
use crate::kernels::{Function, reduce, run3};
use crate::number::{Number, Real};
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{Extreme, Tensor, elementwise, reduce_once};

/// √Σx². The direction x/y, and 0 at the origin, where there is none.
#[derive(Clone, Copy)]
struct Norm;

impl Reduction for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        reduce_once(x, axes, keepdim, |x, [outer, n, inner], out| length(x, outer, n, inner, out))
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        y: Var<'t, T>,
        _: &Axes,
    ) -> Result<Var<'t, T>> {
        let direction = x / Var::where_(y, y, y.constant(1.0));
        Ok(Var::where_(y, g * direction, y.constant(0.0)))
    }
    fn fused<T: Real>(&self, g: &Tensor<T>, x: &Tensor<T>, y: &Tensor<T>, _: &[usize]) -> Result<Tensor<T>> {
        elementwise([g, x, y], 0.3, |[g, x, y], out| run3(Direction, g, x, y, out))
    }
}

/// g x/y, 0 where y is.
#[derive(Clone, Copy)]
struct Direction;
impl Function<3> for Direction {
    #[inline(always)]
    fn at<N: Number>(self, [g, x, y]: [N; 3]) -> N {
        let origin = y.equal(y.lit(0.0));
        N::select(origin, y.lit(0.0), g * (x / N::select(origin, y.lit(1.0), y)))
    }
}

/// The roots of sums of squares; where a square could have left the range, again with scaled elements.
fn length<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [T]) {
    let ones = vec![T::ONE; out.len()];
    reduce::scaled_squares(x, &ones, outer, n, inner, out);
    // Far enough above the smallest normal number that squares lost below it weigh nothing.
    let least = T::from_f64(if size_of::<T>() == 4 { 1e-27 } else { 1e-270 });
    if out.iter().all(|&s| s >= least && s.is_finite()) {
        return out.iter_mut().for_each(|s| *s = s.sqrt());
    }
    let (mut sizes, mut scales) = (ones.clone(), ones);
    reduce::abs_max(x, outer, n, inner, &mut sizes);
    for (scale, &size) in scales.iter_mut().zip(&sizes) {
        *scale = scaling(size);
    }
    reduce::scaled_squares(x, &scales, outer, n, inner, out);
    for ((s, &scale), &size) in out.iter_mut().zip(&scales).zip(&sizes) {
        // An infinite or NaN element is the norm.
        *s = if size.is_finite() { s.sqrt() / scale } else { size };
    }
}

/// A power of two, exact in the products, that brings the largest element near 1.
fn scaling<T: Real>(size: T) -> T {
    let (least, most) = if size_of::<T>() == 4 { (-120.0, 126.0) } else { (-1000.0, 1022.0) };
    let size = size.to_f64();
    if size > 0.0 && size.is_finite() {
        T::from_f64((-size.log2().floor().clamp(least, most)).exp2())
    } else {
        T::ONE
    }
}

impl<'t, T: Real> Var<'t, T> {
    #[track_caller]
    fn norm_by(self, p: f64, axes: Axes, keepdim: bool) -> Var<'t, T> {
        self.tape().composed("norm_p", || {
            let shape = self.try_shape()?;
            let resolved = axes.resolve(&shape)?;
            if p.is_nan() {
                return argument("p", p, "a number, or an infinity");
            }
            let sum =
                |x: Var<'t, T>| if keepdim { x.sum_keepdim(axes.clone()) } else { x.sum_axes(axes.clone()) };
            if p == 2.0 {
                return Ok(self.reduced(Norm, axes, keepdim));
            }
            if p == f64::NEG_INFINITY || (p < 0.0 && count(&resolved, &shape) == 0) {
                let x = self.abs();
                return Ok(if keepdim { x.min_keepdim(axes) } else { x.min_axes(axes) });
            }
            if p == 1.0 || count(&resolved, &shape) == 0 {
                return Ok(sum(self.abs()));
            }
            if p == f64::INFINITY {
                let x = self.abs();
                return Ok(if keepdim { x.max_keepdim(axes) } else { x.max_axes(axes) });
            }
            if p == 0.0 {
                // A NaN is counted as itself: it is not hidden.
                return Ok(sum(Var::where_(self.eq(self), self.ne(0.0), self)));
            }
            // ‖x‖ = m ‖x/m‖, whatever m is: as it has no part in the derivative, it may stand as a constant.
            let size = |m: T| if m.is_finite() && m > T::ZERO { m } else { T::ONE };
            let size = if p < 0.0 {
                // Of the smallest but 0, so that no power is above 1.
                let sizes = self.value()?.map(|x| if x == T::ZERO { T::INFINITY } else { x.abs() })?;
                sizes.extreme(Extreme::Smallest, &resolved, true)?.map(size)?
            } else {
                reduce_once(&self.value()?, &resolved, true, |x, [outer, n, inner], out| {
                    reduce::abs_max(x, outer, n, inner, out);
                    out.iter_mut().for_each(|m| *m = size(*m));
                })?
            };
            let m = self.constant_like(Ok(size));
            let total = sum(power(self / m, p));
            let m = m.reshape(total.try_shape()?);
            Ok(m * power(total, 1.0 / p))
        })
    }
}

/// |x|ᵖ, with derivative 0 at 0, of which the argument is kept away from the origin where the power has a kink or a
/// pole.
fn power<'t, T: Real>(x: Var<'t, T>, p: f64) -> Var<'t, T> {
    if p % 2.0 == 0.0 && p > 0.0 && p < 64.0 {
        return x.powi(p as i32);
    }
    let a = x.abs();
    let at_origin = if p < 0.0 { f64::INFINITY } else { 0.0 };
    Var::where_(a, Var::where_(a, a, a.constant(1.0)).powf(p), a.constant(at_origin))
}

three_forms! {
    /// The Euclidean norm, `√Σx²`, of all elements; 0 of none. It neither overflows nor vanishes before the
    /// result does. ∞ if there is one, NaN if there is a NaN.
    ///
    /// # Gradient
    ///
    /// The direction `x/‖x‖`; 0 at the origin.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let huge = 2f64.powi(1000);
    /// let x = tape.var(&Tensor::from([[3.0 * huge, 4.0 * huge], [0.0, 0.0]]));
    /// let y = x.norm_axes(-1);
    /// assert_eq!(y.value()?.to_vec(), [5.0 * huge, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.6, 0.8, 0.0, 0.0]);
    /// assert_eq!(x.norm_keepdim(0).value()?.shape(), [1, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    norm norm_axes norm_keepdim ("Euclidean norm") fails: ".";
    |x, axes, keepdim| x.reduced(Norm, axes, keepdim);

    /// The p-norm `(Σ|x|ᵖ)^(1/p)`: for p = 1 the sum of sizes, 2 the Euclidean norm, ∞ the largest size, −∞ the
    /// smallest one, 0 the number of elements other than 0. A negative p gives 0 beside an element of 0. It neither
    /// overflows nor vanishes before the result does; 0 of nothing.
    ///
    /// # Gradient
    ///
    /// `sign x · (|x|/‖x‖)^(p − 1)`: 0 to an element that is 0. For p = ±∞ the extreme ones share evenly; for p = 0
    /// it is 0; for a negative p beside an element of 0 it is 0 to all.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for a p of NaN; [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for
    /// a negative one over nothing.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, -4.0, 0.0]));
    /// assert_eq!(x.norm_p(1.0).item()?, 7.0);
    /// assert_eq!(x.norm_p(2.0).item()?, 5.0);
    /// assert_eq!(x.norm_p(f64::INFINITY).item()?, 4.0);
    /// assert_eq!(x.norm_p(0.0).item()?, 2.0);
    /// assert!((x.norm_p(3.0).item()? - 91f64.cbrt()).abs() < 1e-14);
    /// assert_eq!(x.norm_p(1.0).backward()?.wrt(x)?.to_vec(), [1.0, -1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    norm_p norm_p_axes norm_p_keepdim ("p-norm", p: f64) fails: "; [`Argument`](crate::ErrorKind::Argument) for a p of NaN; [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a negative one over nothing.";
    |x, axes, keepdim| x.norm_by(p, axes, keepdim);
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let three = || rank3(0.5, 2.0);
    vec![
        sample!("norm", unary(0.5, 2.0), |x| x[0].norm()),
        sample!("norm signed", rank3(-3.0, 3.0).avoid(&[0.0]).distinct(), |x| x[0].norm_axes([1, 2])),
        sample!("norm over first", three(), |x| x[0].norm_axes(0)),
        sample!("norm over middle", three(), |x| x[0].norm_axes(1)),
        sample!("norm over last", three(), |x| x[0].norm_keepdim(-1)),
        sample!("norm over outer two", three(), |x| x[0].norm_axes([0, -1])),
        sample!("norm over none", three(), |x| x[0].norm_axes([0isize; 0])),
        sample!("norm over nothing", shapes(&[&[&[2, 0]]], 0.0, 1.0), |x| x[0].norm_axes(1)),
        sample!("norm_p 0", three(), |x| x[0].norm_p_axes(1, 0.0)),
        sample!("norm_p ½", three(), |x| x[0].norm_p_axes(1, 0.5) * 0.1),
        sample!("norm_p 1", unary(-2.0, 2.0).avoid(&[0.0]), |x| x[0].norm_p(1.0)),
        sample!("norm_p 1.5", unary(0.5, 2.0), |x| x[0].norm_p(1.5)),
        sample!("norm_p 2", three(), |x| x[0].norm_p_keepdim([0, 2], 2.0)),
        sample!("norm_p 3", three(), |x| (x[0] - 3.0).norm_p_keepdim(0, 3.0)),
        sample!("norm_p 4", three(), |x| x[0].norm_p_axes([0, 2], 4.0)),
        sample!("norm_p ∞", rank3(0.5, 5.0).distinct(), |x| (-x[0]).norm_p_axes(1, f64::INFINITY)),
        sample!("norm_p −∞", rank3(0.5, 5.0).distinct(), |x| (-x[0]).norm_p_axes(1, f64::NEG_INFINITY)),
        sample!("norm_p −1", three(), |x| (x[0] - 3.0).norm_p_keepdim(1, -1.0)),
        sample!("norm_p −2.5", three(), |x| x[0].norm_p_axes([0, 2], -2.5)),
        wrong!("norm", &[&[2, 3]], |x| x[0].norm_axes(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("norm_p", &[&[2, 3]], |x| x[0].norm_p_axes([1, -1], 1.0), "axis 1 is given twice"),
        wrong!("norm_p", &[&[2]], |x| x[0].norm_p(f64::NAN), "p is NaN, wanted a number, or an infinity"),
        wrong!(
            "min",
            &[&[2, 0]],
            |x| x[0].norm_p_axes(1, -2.0),
            "reduction over axis 1 of size 0 in shape [2, 0] has no identity"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn huge_and_tiny_vectors_have_their_norm_and_direction() {
        for scale in [1e200, 1e-200, 1e300, 4e307, 1e-300, 1e-305, 1.0] {
            let tape = Tape::new();
            let x = tape.var(&Tensor::from([3.0 * scale, -4.0 * scale, 0.0]));
            for (y, wanted, g) in [
                (x.norm(), 5.0 * scale, [0.6, -0.8]),
                (x.norm_p(4.0), 337f64.powf(0.25) * scale, [27.0, -64.0].map(|v| v / 337f64.powf(0.75))),
                (x.norm_p(3.0), 91f64.cbrt() * scale, [9.0, -16.0].map(|v| v / 91f64.powf(2.0 / 3.0))),
            ] {
                if wanted.is_finite() {
                    assert!((y.item().unwrap() / wanted - 1.0).abs() < 1e-13, "{scale} {y:?}");
                    let found = y.backward().unwrap().wrt(x).unwrap().to_vec();
                    assert!(found.iter().zip(g).all(|(a, b)| (a - b).abs() < 1e-13), "{scale} {found:?}");
                    assert_eq!(found[2], 0.0);
                }
            }
        }
        let tape = Tape::<f32>::new();
        let x = tape.var(&Tensor::from([[3e30f32, 4e30], [3e-30, 4e-30], [3e-44, 4e-44], [3.0, 4.0]]));
        let y = x.norm_axes(1).value().unwrap().to_vec();
        for (y, wanted) in y.iter().zip([5e30, 5e-30, 5e-44, 5.0]) {
            assert!((y / wanted - 1.0).abs() < if wanted < 1e-40 { 0.1 } else { 1e-6 }, "{y} {wanted}");
        }
    }

    #[test]
    fn every_norm_has_zero_derivatives_at_the_origin() {
        for p in [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, f64::INFINITY, 0.0, -1.0, -2.0, -0.5, f64::NEG_INFINITY] {
            let tape = Tape::new();
            let x = tape.var(&Tensor::<f64>::zeros([3]).unwrap());
            let y = x.norm_p(p);
            assert_eq!(y.item().unwrap(), 0.0, "{p}");
            let one = Tensor::scalar(1.0);
            let [first] = tape.vjp(y, &one, [x]).unwrap();
            let [second] = tape.vjp(first, &Tensor::from([1.0, 2.0, -1.0]), [x]).unwrap();
            let fused = y.backward().unwrap();
            for g in [fused.wrt(x).unwrap(), &first.value().unwrap(), &second.value().unwrap()] {
                assert!(g.iter().all(|g| g == 0.0), "{p}: {g}");
            }
        }
    }

    #[test]
    fn infinities_and_nans_are_not_hidden() {
        for p in [0.5, 1.0, 2.0, 3.0, 4.0, f64::INFINITY] {
            let tape = Tape::new();
            let x = tape.var(&Tensor::from([[f64::NEG_INFINITY, 1.0], [f64::NAN, 0.0]]));
            let y = x.norm_p_axes(1, p).value().unwrap().to_vec();
            assert!(y[0] == f64::INFINITY && y[1].is_nan(), "{p}: {y:?}");
        }
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([f64::NAN, 0.0]));
        assert!(x.norm_p(0.0).item().unwrap().is_nan());
    }

    #[test]
    fn negative_norms_lie_below_the_smallest_and_do_not_vanish_early() {
        for scale in [1e-300, 1.0, 1e300] {
            let tape = Tape::new();
            let x =
                tape.var(&Tensor::from([[2.0 * scale, -4.0 * scale], [0.0, scale], [scale, f64::INFINITY]]));
            for (p, wanted) in [(-1.0, 4.0 / 3.0), (-2.0, 4.0 / 5f64.sqrt()), (f64::NEG_INFINITY, 2.0)] {
                let y = x.norm_p_axes(1, p).value().unwrap().to_vec();
                assert!((y[0] / scale - wanted).abs() < 1e-14, "{p} {scale} {y:?}");
                assert!(y[1] == 0.0 && y[2] == scale, "{p} {scale} {y:?}");
            }
            let g = x.norm_p_axes(1, -1.0).sum().backward().unwrap().wrt(x).unwrap().to_vec();
            assert!((g[0] - 4.0 / 9.0).abs() < 1e-14 && (g[1] + 1.0 / 9.0).abs() < 1e-14, "{g:?}");
            assert_eq!(g[2..], [0.0, 0.0, 1.0, 0.0]);
        }
        let tape = Tape::new();
        let y = tape.var(&Tensor::from([f64::INFINITY, f64::INFINITY])).norm_p(-1.0);
        assert_eq!(y.item().unwrap(), f64::INFINITY);
        assert!(tape.var(&Tensor::from([f64::NAN, 0.0])).norm_p(-1.0).item().unwrap().is_nan());
    }

    #[test]
    fn the_norm_of_nothing_is_zero() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::<f64>::zeros([0]).unwrap());
        for p in [0.0, 0.5, 1.0, 2.0, f64::INFINITY] {
            assert_eq!(x.norm_p(p).item().unwrap(), 0.0);
        }
    }
}
