//! Variances and standard deviations over any axes.

use super::reduction::{Reduction, count, three_forms};
use crate::error::Result;
use crate::kernels::{Function, reduce, run3, run4};
use crate::number::{Number, Real};
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{self, Extreme, Tensor, elementwise, reduce_once};

/// A light loop's share of memory traffic, in nanoseconds an element.
const COST: f32 = 0.3;

/// Σ (x − x̄)² / (n − correction): 2 (x − x̄) / (n − correction).
#[derive(Clone, Copy)]
struct Variance {
    correction: f64,
}

/// Its square root: (x − x̄) / ((n − correction) y), and 0 where y is.
#[derive(Clone, Copy)]
struct Deviation {
    correction: f64,
}

/// n − correction; NaN if nothing is left.
fn freedom(axes: &[usize], shape: &[usize], correction: f64) -> f64 {
    let left = count(axes, shape) as f64 - correction;
    if left > 0.0 { left } else { f64::NAN }
}

/// The mean, held between the extremes: rounding could put that of equal elements beside them.
fn mean<T: Real>(x: &Tensor<T>, axes: &[usize]) -> Result<Tensor<T>> {
    let n = Tensor::scalar(T::from_f64(count(axes, x.shape()) as f64));
    let sum = tensor::reduce(x, axes, true, reduce::sum, reduce::sum)?;
    let [low, high] = [Extreme::Smallest, Extreme::Largest].map(|which| x.extreme(which, axes, true));
    elementwise([&sum.try_div(&n)?, &low?, &high?], COST, |[m, low, high], out| {
        run3(Between, m, low, high, out)
    })?
    .contiguous()
}

fn variance<T: Real>(
    x: &Tensor<T>,
    axes: &[usize],
    keepdim: bool,
    correction: f64,
    last: impl Fn(T) -> T,
) -> Result<Tensor<T>> {
    let freedom = T::from_f64(freedom(axes, x.shape(), correction));
    if x.is_empty() {
        return reduce_once(x, axes, keepdim, |_, _, out| out.fill(T::NAN));
    }
    let x = &x.contiguous()?;
    let mean = mean(x, axes)?;
    let about = mean.as_slice().expect("made contiguous");
    reduce_once(x, axes, keepdim, |x, [outer, n, inner], out| {
        reduce::squares_about(x, about, outer, n, inner, out);
        out.iter_mut().for_each(|v| *v = last(*v / freedom));
    })
}

impl Reduction for Variance {
    fn name(&self) -> &'static str {
        "var"
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        variance(x, axes, keepdim, self.correction, |v| v)
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        _: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        let shape = x.try_shape()?;
        let freedom = freedom(&axes.resolve(&shape)?, &shape, self.correction);
        Ok(g * (x - x.mean_keepdim(axes.clone())) * (2.0 / freedom))
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
        let by = Times(2.0 / freedom(axes, x.shape(), self.correction));
        elementwise([g, x, &mean(x, axes)?], COST, |[g, x, m], out| run3(by, g, x, m, out))
    }
}

impl Reduction for Deviation {
    fn name(&self) -> &'static str {
        "std"
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        variance(x, axes, keepdim, self.correction, |v| v.sqrt())
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        y: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        let shape = x.try_shape()?;
        let freedom = freedom(&axes.resolve(&shape)?, &shape, self.correction);
        let direction = (x - x.mean_keepdim(axes.clone())) / Var::where_(y, y, y.constant(1.0));
        Ok(Var::where_(y, g * direction * (1.0 / freedom), y.constant(0.0)))
    }
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        y: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        let x = &x.contiguous()?;
        let by = Times(1.0 / freedom(axes, x.shape(), self.correction));
        elementwise([g, x, &mean(x, axes)?, y], COST, |[g, x, m, y], out| run4(by, g, x, m, y, out))
    }
}

/// m, between low and high.
#[derive(Clone, Copy)]
struct Between;
impl Function<3> for Between {
    #[inline(always)]
    fn at<N: Number>(self, [m, low, high]: [N; 3]) -> N {
        m.maximum(low).minimum(high)
    }
}

/// g · (x − m), divided by y where that is given and not 0, times a number.
#[derive(Clone, Copy)]
struct Times(f64);
impl Function<3> for Times {
    #[inline(always)]
    fn at<N: Number>(self, [g, x, m]: [N; 3]) -> N {
        g * (x - m) * x.lit(self.0)
    }
}
impl Function<4> for Times {
    #[inline(always)]
    fn at<N: Number>(self, [g, x, m, y]: [N; 4]) -> N {
        let flat = y.equal(y.lit(0.0));
        let direction = (x - m) / N::select(flat, y.lit(1.0), y);
        N::select(flat, y.lit(0.0), g * direction * x.lit(self.0))
    }
}

three_forms! {
    /// The variance, `Σ (x − x̄)² / (n − correction)`. A correction of 1 makes it unbiased (the default of
    /// PyTorch), 0 is the mean square (the default of NumPy, and what normalisation layers take).
    ///
    /// In two passes: an offset that all elements share costs no accuracy. NaN if `n ≤ correction`.
    ///
    /// # Gradient
    ///
    /// `2 (x − x̄) / (n − correction)`; NaN if `n ≤ correction`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1e8 + 1.0, 1e8 + 2.0, 1e8 + 6.0]));
    /// assert_eq!(x.var(1.0).item()?, 7.0);
    /// assert_eq!(x.var(1.0).backward()?.wrt(x)?.to_vec(), [-2.0, -1.0, 3.0]);
    /// assert_eq!(x.var_keepdim(0, 0.0).value()?.shape(), [1]);
    /// assert!(x.var(3.0).item()?.is_nan());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    var var_axes var_keepdim ("variance", correction: f64) fails: ".";
    |x, axes, keepdim| x.reduced(Variance { correction }, axes, keepdim);

    /// The standard deviation, the square root of the variance. See [`var`](Var::var).
    ///
    /// # Gradient
    ///
    /// `(x − x̄) / ((n − correction) σ)`; 0 where all elements are equal; NaN if `n ≤ correction`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 3.0, 5.0], [0.1, 0.1, 0.1]]));
    /// let y = x.std_axes(-1, 1.0);
    /// assert_eq!(y.value()?.to_vec(), [2.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [-0.5, 0.0, 0.5, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    std std_axes std_keepdim ("standard deviation", correction: f64) fails: ".";
    |x, axes, keepdim| x.reduced(Deviation { correction }, axes, keepdim);
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let three = || rank3(-3.0, 3.0).distinct();
    let several = || shapes(&[&[&[2, 3, 4]], &[&[17, 2, 3]], &[&[5, 2, 2]]], -3.0, 3.0).distinct();
    vec![
        sample!("var", unary(-2.0, 2.0).not_empty(), |x| x[0].var(0.0)),
        sample!("var over first", several(), |x| x[0].var_axes(0, 1.0)),
        sample!("var over middle", rank3(-3.0, 3.0), |x| x[0].var_axes(1, 0.0)),
        sample!("var over last", several(), |x| x[0].var_keepdim(-1, 1.0)),
        sample!("var over outer two", three(), |x| x[0].var_axes([0, -1], 0.5)),
        sample!("var over none", three(), |x| x[0].var_axes([0isize; 0], 0.0)),
        sample!("std", unary(-2.0, 2.0).not_empty().distinct(), |x| x[0].std(0.0)),
        sample!("std over first", several(), |x| x[0].std_axes(0, 1.0)),
        sample!("std over middle", several(), |x| x[0].std_keepdim(1, 0.0)),
        sample!("std over last", several(), |x| x[0].std_axes(-1, 1.0)),
        sample!("std over outer two", several(), |x| x[0].std_keepdim([0, 2], 0.5)),
        wrong!("var", &[&[2, 3]], |x| x[0].var_axes(2, 1.0), "axis 2 is out of range for shape [2, 3]"),
        wrong!("std", &[&[2, 3]], |x| x[0].std_axes([1, -1], 1.0), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn an_offset_costs_no_accuracy() {
        let small: Vec<f64> = (0..1001).map(|i| f64::from(i % 17) * 0.25).collect();
        let big: Vec<f64> = small.iter().map(|x| x + 1e8).collect();
        let tape = Tape::new();
        let [a, b] = [&small, &big].map(|x| tape.var(&Tensor::from_slice(x, [1001]).unwrap()));
        let (va, vb) = (a.var(1.0), b.var(1.0));
        assert!((va.item().unwrap() / vb.item().unwrap() - 1.0).abs() < 1e-12);
        let (ga, gb) = (va.backward().unwrap(), vb.backward().unwrap());
        for (x, y) in ga.wrt(a).unwrap().iter().zip(gb.wrt(b).unwrap()) {
            assert!((x - y).abs() < 1e-9, "{x} {y}");
        }
        assert!((a.std(0.0).item().unwrap() / b.std(0.0).item().unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_elements_have_no_deviation_and_no_derivative() {
        for value in [0.0, 0.1, 1e8 + 0.3, -1e-300, 3e300] {
            for n in [1usize, 2, 3, 7, 1000] {
                let tape = Tape::new();
                let x = tape.var(&Tensor::full([n], value).unwrap());
                let y = x.std(0.0);
                assert_eq!(y.item().unwrap(), 0.0, "{value} {n}");
                let one = Tensor::scalar(1.0);
                for g in [y.backward_with(&one).unwrap(), y.backward_by_written_rules(&one).unwrap()] {
                    assert!(g.wrt(x).unwrap().iter().all(|g| g == 0.0), "{value} {n}");
                }
                let [g] = tape.vjp(y, &one, [x]).unwrap();
                let second = g.sum().backward().unwrap();
                assert!(second.wrt(x).unwrap().iter().all(|g| g == 0.0), "{value} {n}");
            }
        }
    }

    #[test]
    fn nothing_left_to_divide_by_is_nan() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0f64, 2.0]));
        for y in [x.var(2.0), x.std(2.0), x.var(3.0), x.std(3.0)] {
            assert!(y.item().unwrap().is_nan());
            assert!(y.backward().unwrap().wrt(x).unwrap().iter().all(f64::is_nan));
        }
        let empty = tape.var(&Tensor::zeros([0, 3]).unwrap());
        let y = empty.var_axes(0, 0.0);
        assert!(y.value().unwrap().iter().all(f64::is_nan));
        assert_eq!(y.sum().backward().unwrap().wrt(empty).unwrap().shape(), [0, 3]);
        assert_eq!(empty.std_axes(1, 0.0).value().unwrap().shape(), [0]);
    }
}
