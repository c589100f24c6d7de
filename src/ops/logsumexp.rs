//! The logarithm of a sum of exponentials.

use super::reduction::{Reduction, three_forms};
use crate::error::Result;
use crate::kernels::{Function, reduce, run2, run3};
use crate::number::{Number, Real};
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{self, Extreme, Tensor, elementwise, reduce_once};

/// ln Σ eˣ, shifted by the largest x. The weights are softmax's.
#[derive(Clone, Copy)]
struct LogSumExp;

impl Reduction for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        tensor::reduce(x, axes, keepdim, reduce::logsumexp, reduce::logsumexp)
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        _: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        if x.try_shape()?.count() == 0 {
            return Ok(x.zeros_like());
        }
        // Not e^(x − y): rounding of a large y would be a relative error of the weights. Softmax does not depend
        // on the shift, so that it may stand as a constant at every order.
        let shift = x.constant_like(shift(&x.value()?, &axes.resolve(&x.try_shape()?)?));
        let e = (x - shift).exp();
        let total = e.sum_keepdim(axes.clone());
        // A row of −∞ has no weights to share.
        let safe = Var::where_(total, total, total.constant(1.0));
        Ok(g * (e / safe))
    }
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        _: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        let x = &x.contiguous()?;
        let shift = shift(x, axes)?;
        let data = shift.as_slice().expect("a reduction's result is contiguous");
        let total = reduce_once(x, axes, true, |x, [o, n, i], out| reduce::exp_about(x, data, o, n, i, out))?;
        let factor = elementwise([g, &total], 0.3, |[g, t], out| run2(Factor, g, t, out))?;
        elementwise([&factor, x, &shift], 0.5, |[f, x, m], out| run3(Weighted, f, x, m, out))
    }
}

/// The largest element where that is finite, else 0.
fn shift<T: Real>(x: &Tensor<T>, axes: &[usize]) -> Result<Tensor<T>> {
    x.extreme(Extreme::Largest, axes, true)?.map(|m| if m.is_finite() { m } else { T::ZERO })?.contiguous()
}

/// g/Σ, 0 where there is nothing to share.
#[derive(Clone, Copy)]
struct Factor;
impl Function<2> for Factor {
    #[inline(always)]
    fn at<N: Number>(self, [g, total]: [N; 2]) -> N {
        let none = total.equal(total.lit(0.0));
        g / N::select(none, total.lit(1.0), total)
    }
}

/// f · e^(x − m).
#[derive(Clone, Copy)]
struct Weighted;
impl Function<3> for Weighted {
    #[inline(always)]
    fn at<N: Number>(self, [f, x, m]: [N; 3]) -> N {
        f * (x - m).exp()
    }
}

three_forms! {
    /// The logarithm of the sum of exponentials, `ln Σ eˣ`, shifted by the largest x: it neither overflows nor
    /// vanishes. −∞ of nothing and of −∞ alone, ∞ if there is one, NaN if there is a NaN.
    ///
    /// # Gradient
    ///
    /// `softmax x`; 0 to a row of −∞ alone. In a row with an ∞ the infinite elements get NaN (∞/∞), the finite
    /// ones 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1000.0, 1000.0], [f64::NEG_INFINITY, f64::NEG_INFINITY]]));
    /// let y = x.logsumexp_axes(-1);
    /// assert_eq!(y.value()?.to_vec(), [1000.0 + 2f64.ln(), f64::NEG_INFINITY]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.5, 0.5, 0.0, 0.0]);
    /// assert_eq!(x.logsumexp_keepdim(0).value()?.shape(), [1, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    logsumexp logsumexp_axes logsumexp_keepdim ("logarithm of the sum of exponentials") fails: ".";
    |x, axes, keepdim| x.reduced(LogSumExp, axes, keepdim);
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, unary, wrong};
    let three = || rank3(-3.0, 3.0);
    vec![
        sample!("logsumexp", unary(-3.0, 3.0).not_empty(), |x| x[0].logsumexp()),
        sample!("logsumexp over first", three(), |x| x[0].logsumexp_axes(0)),
        sample!("logsumexp over middle", three(), |x| x[0].logsumexp_axes(1)),
        sample!("logsumexp over last", three(), |x| x[0].logsumexp_keepdim(-1)),
        sample!("logsumexp over outer two", three(), |x| x[0].logsumexp_axes([0, -1])),
        sample!("logsumexp over none", three(), |x| x[0].logsumexp_axes([0isize; 0])),
        sample!("logsumexp far out", three(), |x| (x[0] * 4.0 + 40.0).logsumexp_axes([1, 2]) * 0.1),
        wrong!(
            "logsumexp",
            &[&[2, 3]],
            |x| x[0].logsumexp_axes(2),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("logsumexp", &[&[2, 3]], |x| x[0].logsumexp_keepdim([1, -1]), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    const NONE: f64 = f64::NEG_INFINITY;

    #[test]
    fn a_row_of_minus_infinity_has_zero_derivatives_at_three_orders() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[NONE, NONE], [NONE, 0.0], [1.0, 2.0]]));
        let y = x.logsumexp_axes(1);
        let seed = Tensor::ones([3]).unwrap();
        let direction = Tensor::from([[1.0, -2.0], [3.0, 1.0], [1.0, 0.5]]);
        let [first] = tape.vjp(y, &seed, [x]).unwrap();
        let [second] = tape.vjp(first, &direction, [x]).unwrap();
        let [third] = tape.vjp(second, &direction, [x]).unwrap();
        let written = y.backward_by_written_rules(&seed).unwrap().wrt(x).unwrap().to_vec();
        let fused = y.backward_with(&seed).unwrap().wrt(x).unwrap().to_vec();
        assert_eq!(fused[..4], [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(written[..4], fused[..4]);
        for g in [first, second, third] {
            let g = g.value().unwrap().to_vec();
            assert_eq!(g[..2], [0.0, 0.0]);
            assert!(g.iter().all(|g| g.is_finite()), "{g:?}");
        }
        let dy = tape.jvp(y, [(x, &direction)]).unwrap().value().unwrap().to_vec();
        assert_eq!(dy[..2], [0.0, 1.0]);
    }

    #[test]
    fn infinity_and_nan_are_not_hidden() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[f64::INFINITY, 1.0], [f64::NAN, 1.0]]));
        let y = x.logsumexp_axes(1);
        let value = y.value().unwrap().to_vec();
        assert!(value[0] == f64::INFINITY && value[1].is_nan());
        let seed = Tensor::ones([2]).unwrap();
        for g in [y.backward_with(&seed).unwrap(), y.backward_by_written_rules(&seed).unwrap()] {
            let g = g.wrt(x).unwrap().to_vec();
            assert!(g[0].is_nan() && g[1] == 0.0 && g[2].is_nan() && g[3].is_nan(), "{g:?}");
        }
    }

    #[test]
    fn weights_sum_to_one_far_from_zero_in_single_precision() {
        let tape = Tape::<f32>::new();
        let x = tape.var(&Tensor::from([30000.0f32, 30001.0, 29998.0]));
        let seed = Tensor::scalar(1.0f32);
        let y = x.logsumexp();
        for g in [y.backward_with(&seed).unwrap(), y.backward_by_written_rules(&seed).unwrap()] {
            let total: f32 = g.wrt(x).unwrap().iter().sum();
            assert!((total - 1.0).abs() < 1e-6, "{total}");
        }
    }
}
