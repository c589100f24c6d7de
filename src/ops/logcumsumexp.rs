//! Running logarithms of sums of exponentials.

use super::axis::along;
use crate::error::Result;
use crate::kernels::scan;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// `yᵢ = ln Σ e^(xⱼ)` over j ≤ i. Its derivative is `e^(xⱼ − yᵢ)`, never above 1: the product of `e^(xⱼ − yⱼ)` and the
/// decays `e^(yₖ₋₁ − yₖ)` from j to i, so that tangents and cotangents follow a recurrence.
#[derive(Clone, Copy)]
struct LogCumSumExp {
    axis: isize,
}

impl LogCumSumExp {
    /// `e^(x − y)`, 0 where both are −∞, and the decay from each element to the next one, on the last n − 1.
    fn weights<'t, T: Real>(self, x: Var<'t, T>, y: Var<'t, T>) -> Result<(Var<'t, T>, Var<'t, T>)> {
        let (axis, shape) = (self.axis, y.try_shape()?);
        let n = shape[resolve_axis(axis, &shape)?] as isize;
        let (zero, infinity) = (y.constant(0.0), y.constant(f64::INFINITY));
        let weight = (x - Var::where_(y.eq(-infinity), zero, y)).exp();
        let (before, after) = (y.slice(axis, ..n - 1), y.slice(axis, 1..));
        // Where y is infinite the difference is taken by cases, before it is ∞ − ∞.
        let infinite = after.eq(infinity) | after.eq(-infinity);
        let from = Var::where_(after.eq(infinity), Var::where_(before.eq(infinity), zero, -infinity), before);
        Ok((weight, (from - Var::where_(infinite, zero, after)).exp()))
    }
}

impl<T: Real> Operation<T> for LogCumSumExp {
    fn name(&self) -> &'static str {
        "logcumsumexp"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        along(self.axis, x[0], 1.0, |x, n, _, out| scan::logcumsumexp(x, n, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let n = at.y(0).try_shape()?;
        let n = n[resolve_axis(self.axis, &n)?];
        if n == 0 {
            return at.one(at.g(0));
        }
        let (weight, decay) = self.weights(at.x(0), at.y(0))?;
        let decay = decay.embed(self.axis, 0..n as isize - 1, n);
        at.one(decay.recurrence(at.g(0), self.axis, true) * weight)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let n = at.y(0).try_shape()?;
        let n = n[resolve_axis(self.axis, &n)?];
        if n == 0 {
            return at.sum_of(|_, dx| dx);
        }
        let (weight, decay) = self.weights(at.x(0), at.y(0))?;
        let decay = decay.embed(self.axis, 1..n as isize, n);
        at.sum_of(|_, dx| decay.recurrence(dx * weight, self.axis, false))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let rows = |v: &Tensor<T>| v.transpose(self.axis, -1)?.contiguous();
            let [x, y, g] = [rows(at.x(0))?, rows(at.y(0))?, rows(&g)?];
            let n = x.shape()[x.rank() - 1];
            let inputs = [&x, &y, &g].map(|v| v.as_slice().expect("contiguous"));
            let out = Tensor::build(x.shape_owned(), |out| scan::logcumsumexp_backward(inputs, n, out))?;
            out.transpose(self.axis, -1)
        };
        at.one(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Running logarithms of sums of exponentials along an axis, `yᵢ = ln(e^x₀ + … + e^xᵢ)`, about the running
    /// largest element: it neither overflows nor vanishes. −∞ while all are, ∞ from the first one on, NaN from the
    /// first NaN on.
    ///
    /// # Gradient
    ///
    /// `e^(xⱼ − yᵢ)`, also beside −∞, which gets 0; an infinite x gets NaN (∞ − ∞), finite ones before it are not
    /// touched by it.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 1000.0, 1000.0]));
    /// let y = x.logcumsumexp(0);
    /// assert_eq!(y.value()?.to_vec(), [f64::NEG_INFINITY, 1000.0, 1000.0 + 2f64.ln()]);
    /// let g = y.sum().backward()?.wrt(x)?.to_vec();
    /// assert_eq!(g[0], 0.0);
    /// assert!((g[1] - 1.5).abs() < 1e-12 && (g[2] - 0.5).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logcumsumexp(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(LogCumSumExp { axis }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let vectors = || shapes(&[&[&[1]], &[&[7]], &[&[17]], &[&[0]], &[&[2, 0]], &[&[0, 3]]], -3.0, 3.0);
    vec![
        sample!("logcumsumexp", vectors(), |x| x[0].logcumsumexp(0)),
        sample!("logcumsumexp over middle", rank3(-3.0, 3.0), |x| x[0].logcumsumexp(1)),
        sample!("logcumsumexp over last", rank3(-3.0, 3.0), |x| x[0].logcumsumexp(-1)),
        sample!("logcumsumexp far out", rank3(-3.0, 3.0), |x| (x[0] * 4.0 - 40.0).logcumsumexp(0) * 0.1),
        wrong!(
            "logcumsumexp",
            &[&[2, 3]],
            |x| x[0].logcumsumexp(2),
            "axis 2 is out of range for shape [2, 3]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn infinities_spoil_nothing_before_them() {
        let (inf, one) = (f64::INFINITY, Tensor::ones([4]).unwrap());
        let gradients = |x: [f64; 4]| {
            let tape = Tape::new();
            let v = tape.var(&Tensor::from(x));
            let y = v.logcumsumexp(0);
            let g = y.backward_with(&one).unwrap().wrt(v).unwrap().to_vec();
            let dy = tape.jvp(y, [(v, &one)]).unwrap().value().unwrap().to_vec();
            let [first] = tape.vjp(y, &one, [v]).unwrap();
            let written = y.backward_by_written_rules(&one).unwrap().wrt(v).unwrap().to_vec();
            for (a, b) in g.iter().zip(&written) {
                assert!(a.is_nan() && b.is_nan() || (a - b).abs() < 1e-15, "{g:?} {written:?}");
            }
            (g, dy, first.sum().backward().unwrap().wrt(v).unwrap().to_vec())
        };
        let (g, dy, second) = gradients([-inf, 1.0, -inf, 1.0]);
        assert_eq!((g[0], g[2]), (0.0, 0.0));
        assert!((g[1] - 2.5).abs() < 1e-15 && (g[3] - 0.5).abs() < 1e-15, "{g:?}");
        assert_eq!(dy[0], 0.0);
        assert!(dy[1..].iter().all(|d| (d - 1.0).abs() < 1e-15), "{dy:?}");
        assert!(second.iter().all(|g| g.abs() < 1e-14), "{second:?}");
        let (g, dy, _) = gradients([-inf, -inf, -inf, -inf]);
        assert_eq!((g, dy), (vec![0.0; 4], vec![0.0; 4]));
        let (g, dy, _) = gradients([1.0, 1.0, inf, 2.0]);
        assert!((g[0] - 1.5).abs() < 1e-15 && (g[1] - 0.5).abs() < 1e-15 && g[2].is_nan(), "{g:?}");
        assert!(dy[0] == 1.0 && (dy[1] - 1.0).abs() < 1e-15 && dy[2].is_nan(), "{dy:?}");
    }
}
