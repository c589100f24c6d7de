//! How parameters begin: random tensors whose scale keeps values and gradients of one size from layer to layer.
//!
//! A matrix is `[in, out]`, as [`linear`](crate::Var::linear) takes it; a tensor of three axes and more is a convolution's
//! kernel, `[out, in, k..]`. Its fan in is the number of inputs that an output adds up, its fan out the number of outputs
//! that an input goes to: `in` and `out`, times the size of the kernel's window.
//!
//! ```
//! use retrograde::{Generator, Tensor, init};
//!
//! let mut random = Generator::new(7);
//! let w: Tensor<f32> = init::kaiming_normal([256, 64], init::Fan::In, init::RELU, &mut random)?;
//! let square: f32 = w.iter().map(|w| w * w).sum::<f32>() / w.len() as f32;
//! assert!((square / (2.0 / 256.0) - 1.0).abs() < 0.05);
//! # Ok::<(), retrograde::Error>(())
//! ```

use crate::error::{Error, ErrorKind, Result};
use crate::number::{Real, special};
use crate::shape::{IntoShape, Shape};
use crate::tensor::{Generator, Tensor};
use std::ops::Range;
use std::panic::Location;

/// Which of its two fans scales a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fan {
    /// The number of inputs of an output: values keep their size on the way forward.
    #[default]
    In,
    /// The number of outputs of an input: gradients keep their size on the way back.
    Out,
}

/// The gain of no activation, and of [`sigmoid`](crate::Var::sigmoid).
pub const LINEAR: f64 = 1.0;
/// The gain of [`relu`](crate::Var::relu), √2.
pub const RELU: f64 = std::f64::consts::SQRT_2;
/// The gain of [`tanh`](crate::Var::tanh), 5/3.
pub const TANH: f64 = 5.0 / 3.0;
/// The gain of [`selu`](crate::Var::selu), 3/4.
pub const SELU: f64 = 0.75;

/// The gain of [`leaky_relu`](crate::Var::leaky_relu) with a slope, `√(2/(1 + slope²))`.
///
/// ```
/// assert_eq!(retrograde::init::leaky_relu(0.0), retrograde::init::RELU);
/// assert_eq!(retrograde::init::leaky_relu(1.0), 1.0);
/// ```
pub fn leaky_relu(slope: f64) -> f64 {
    (2.0 / (1.0 + slope * slope)).sqrt()
}

/// The fan in and the fan out.
///
/// # Errors
///
/// [`Rank`](ErrorKind::Rank) for fewer than two axes.
///
/// ```
/// use retrograde::init::fans;
///
/// assert_eq!(fans([64, 10])?, [64, 10]);
/// assert_eq!(fans([16, 3, 5, 5])?, [75, 400]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn fans(shape: impl IntoShape) -> Result<[usize; 2]> {
    let line = Location::caller();
    shape.into_shape().and_then(|shape| of(&shape)).map_err(|error| error.at("fans", line))
}

fn of(shape: &[usize]) -> Result<[usize; 2]> {
    match *shape {
        [n, m] => Ok([n, m]),
        [out, input, ref window @ ..] if !window.is_empty() => {
            let size: usize = window.iter().product();
            Ok([input * size, out * size])
        }
        _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into()),
    }
}

/// Numbers of mean 0 and of this standard deviation: uniform, or normal.
fn spread<T: Real>(shape: Shape, std: f64, uniform: bool, from: &mut Generator) -> Result<Tensor<T>> {
    if uniform {
        let bound = 3f64.sqrt() * std;
        return Tensor::uniform(shape, -bound..bound, from);
    }
    Tensor::normal(shape, 0.0, std, from)
}

fn check_gain(gain: f64) -> Result<()> {
    if gain >= 0.0 && gain.is_finite() {
        return Ok(());
    }
    let wanted = "a finite number, at least 0".into();
    Err(ErrorKind::Argument { name: "gain", found: gain.to_string(), wanted }.into())
}

/// A reciprocal, but 1 of nothing: of a tensor without elements.
fn over(fan: f64) -> f64 {
    if fan > 0.0 { 1.0 / fan } else { 1.0 }
}

macro_rules! initialisers {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) uniform: $uniform:literal, |$fans:ident| $variance:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// [`Rank`](ErrorKind::Rank) for fewer than two axes; [`Argument`](ErrorKind::Argument) unless the gain is finite
        /// and at least 0; [`TooLarge`](ErrorKind::TooLarge).
        #[track_caller]
        pub fn $name<T: Real>(
            shape: impl IntoShape,
            $($arg: $type,)*
            gain: f64,
            from: &mut Generator,
        ) -> Result<Tensor<T>> {
            let line = Location::caller();
            let run = || {
                let shape = shape.into_shape()?;
                let $fans = of(&shape)?.map(|fan| fan as f64);
                check_gain(gain)?;
                spread(shape, gain * f64::sqrt($variance), $uniform, from)
            };
            run().map_err(|error: Error| error.at(stringify!($name), line))
        }
    )*};
}

initialisers! {
    /// Uniform with variance `gain² · 2/(fan in + fan out)` (Glorot and Bengio, 2010).
    xavier_uniform() uniform: true, |fans| 2.0 * over(fans[0] + fans[1]);
    /// Normal with variance `gain² · 2/(fan in + fan out)` (Glorot and Bengio, 2010).
    xavier_normal() uniform: false, |fans| 2.0 * over(fans[0] + fans[1]);
    /// Uniform with variance `gain²/fan` (He et al., 2015): a gain of [`RELU`] before ReLU.
    kaiming_uniform(fan: Fan) uniform: true, |fans| over(fans[fan as usize]);
    /// Normal with variance `gain²/fan` (He et al., 2015): a gain of [`RELU`] before ReLU.
    kaiming_normal(fan: Fan) uniform: false, |fans| over(fans[fan as usize]);
}

/// A random matrix of which all columns, or all rows if there are fewer, have length `gain` and are orthogonal to each
/// other, every such matrix equally likely (Saxe et al., 2014). Of more than two axes, the first one against all others.
///
/// Gram and Schmidt's process on normal numbers, twice, in double precision: n·m·min(n, m) operations.
///
/// # Errors
///
/// [`Rank`](ErrorKind::Rank) for fewer than two axes; [`Argument`](ErrorKind::Argument) unless the gain is finite and at
/// least 0; [`TooLarge`](ErrorKind::TooLarge).
///
/// ```
/// use retrograde::{Generator, Tensor, init};
///
/// let w: Tensor<f64> = init::orthogonal([3, 5], 2.0, &mut Generator::new(7))?;
/// let gram = w.matmul(&w.transpose(0, 1)?)?;
/// assert!(gram.all_close(&(Tensor::eye(3)? * 4.0), 0.0, 1e-14)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn orthogonal<T: Real>(shape: impl IntoShape, gain: f64, from: &mut Generator) -> Result<Tensor<T>> {
    let line = Location::caller();
    let run = || {
        let shape = shape.into_shape()?;
        of(&shape)?;
        check_gain(gain)?;
        let (n, m) = (shape[0], shape[1..].iter().product::<usize>());
        let (few, long) = (n.min(m), n.max(m));
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(few);
        for _ in 0..few {
            let mut row: Vec<f64> = (0..long).map(|_| from.normal()).collect();
            for _ in 0..2 {
                for other in &rows {
                    let along: f64 = other.iter().zip(&row).map(|(a, b)| a * b).sum();
                    row.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                }
                let length = row.iter().map(|a| a * a).sum::<f64>().sqrt();
                row.iter_mut().for_each(|a| *a /= length);
            }
            rows.push(row);
        }
        let at = |i: usize, j: usize| T::from_f64(gain * if n <= m { rows[i][j] } else { rows[j][i] });
        Tensor::from_iter_in((0..n).flat_map(|i| (0..m).map(move |j| at(i, j))), shape)
    };
    run().map_err(|error: Error| error.at("orthogonal", line))
}

/// Numbers from the normal law with this mean and standard deviation, none outside a range: by its quantiles, so that no
/// number is drawn in vain however far out the range is.
///
/// # Errors
///
/// [`Argument`](ErrorKind::Argument) unless the standard deviation is positive and finite, and the range is one that
/// begins before it ends; [`TooLarge`](ErrorKind::TooLarge).
///
/// ```
/// use retrograde::{Generator, Tensor, init};
///
/// let x: Tensor<f64> = init::truncated_normal([1000], 0.0, 1.0, -2.0..2.0, &mut Generator::new(7))?;
/// assert!(x.iter().all(|x| x.abs() <= 2.0));
/// let square = x.iter().map(|x| x * x).sum::<f64>() / 1000.0;
/// assert!((square - 0.774).abs() < 0.05);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn truncated_normal<T: Real>(
    shape: impl IntoShape,
    mean: f64,
    std: f64,
    range: Range<f64>,
    from: &mut Generator,
) -> Result<Tensor<T>> {
    let line = Location::caller();
    let run = || {
        if !(std > 0.0 && std.is_finite()) {
            let wanted = "a positive finite number".into();
            return Err(ErrorKind::Argument { name: "std", found: std.to_string(), wanted }.into());
        }
        if !(range.start < range.end) {
            let found = format!("from {} to {}", range.start, range.end);
            let wanted = "one that begins before it ends".into();
            return Err(ErrorKind::Argument { name: "the range", found, wanted }.into());
        }
        let [low, high] = [range.start, range.end].map(|x| (x - mean) / std);
        // In the upper tail everything is mirrored, where quantiles have all their digits.
        let (a, b, side) = if low > 0.0 { (-high, -low, -1.0) } else { (low, high, 1.0) };
        let cdf = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        let (p, q) = (cdf(a), cdf(b));
        Tensor::build(shape.into_shape()?, |out| {
            for x in out {
                let u = p + (q - p) * from.uniform_open();
                // So far out that all the law is at the range's near end.
                let z = if q > 0.0 { special::normal_quantile(u) } else { b };
                *x = T::from_f64((mean + std * side * z).clamp(range.start, range.end));
            }
        })
    };
    run().map_err(|error: Error| error.at("truncated_normal", line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(x: &Tensor<f64>) -> f64 {
        x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64
    }

    #[test]
    fn variances_are_those_of_the_formulas() {
        let mut random = Generator::new(3);
        let kernel = [40, 10, 3, 3];
        let near = |x: Tensor<f64>, wanted: f64| {
            let found = variance(&x) / wanted;
            assert!((found - 1.0).abs() < 0.08, "{found}");
            x.iter().fold(0.0, |most: f64, x| most.max(x.abs())) / wanted.sqrt()
        };
        // A uniform law ends at √3 standard deviations, a normal one does not.
        let uniform = |most: f64| assert!(most < 1.7321 && most > 1.7, "{most}");
        let normal = |most: f64| assert!(most > 2.5, "{most}");
        uniform(near(xavier_uniform(kernel, 2.0, &mut random).unwrap(), 4.0 * 2.0 / (90.0 + 360.0)));
        normal(near(xavier_normal([100, 40], 1.0, &mut random).unwrap(), 2.0 / 140.0));
        uniform(near(kaiming_uniform(kernel, Fan::In, RELU, &mut random).unwrap(), 2.0 / 90.0));
        uniform(near(kaiming_uniform(kernel, Fan::Out, 1.0, &mut random).unwrap(), 1.0 / 360.0));
        normal(near(kaiming_normal([100, 40], Fan::In, 1.0, &mut random).unwrap(), 1.0 / 100.0));
        normal(near(kaiming_normal([100, 40], Fan::Out, TANH, &mut random).unwrap(), 25.0 / 9.0 / 40.0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut random = Generator::new(3);
        let text = |x: Result<Tensor<f64>>| x.unwrap_err().kind().to_string();
        assert_eq!(text(xavier_normal([3], 1.0, &mut random)), "shape [3] has rank 1, wanted at least 2");
        assert_eq!(
            text(kaiming_uniform([3, 3], Fan::In, -1.0, &mut random)),
            "gain is -1, wanted a finite number, at least 0"
        );
        assert_eq!(text(orthogonal([3], 1.0, &mut random)), "shape [3] has rank 1, wanted at least 2");
        assert_eq!(
            text(orthogonal([3, 3], f64::NAN, &mut random)),
            "gain is NaN, wanted a finite number, at least 0"
        );
        assert_eq!(
            text(truncated_normal([3], 0.0, 0.0, 0.0..1.0, &mut random)),
            "std is 0, wanted a positive finite number"
        );
        assert_eq!(
            text(truncated_normal([3], 0.0, 1.0, 1.0..1.0, &mut random)),
            "the range is from 1 to 1, wanted one that begins before it ends"
        );
        let error = xavier_uniform::<f64>([3], 1.0, &mut random).unwrap_err();
        assert_eq!(error.operation(), Some("xavier_uniform"));
        assert!(error.location().unwrap().file().ends_with("init.rs"));
        assert_eq!(xavier_normal::<f64>([0, 0], 1.0, &mut random).unwrap().shape(), [0, 0]);
    }

    #[test]
    fn the_fewer_are_orthogonal_and_no_direction_is_preferred() {
        let mut random = Generator::new(3);
        for (shape, few) in [(vec![4, 4], 4), (vec![7, 3], 3), (vec![3, 2, 2, 2], 3), (vec![1, 1], 1)] {
            let w: Tensor<f64> = orthogonal(shape, 0.5, &mut random).unwrap();
            let w = w.reshape([w.shape()[0], w.len() / w.shape()[0]]).unwrap();
            let turned = w.transpose(0, 1).unwrap();
            let tall = w.shape()[0] > w.shape()[1];
            let gram = if tall { turned.matmul(&w) } else { w.matmul(&turned) }.unwrap();
            assert_eq!(gram.shape(), [few, few]);
            assert!(gram.all_close(&(Tensor::eye(few).unwrap() * 0.25), 0.0, 1e-15).unwrap(), "{gram}");
        }
        // Its entries are as likely to be positive as negative.
        let signs = (0..400).map(|_| orthogonal::<f64>([2, 2], 1.0, &mut random).unwrap());
        let positive = signs.flat_map(|w| w.to_vec()).filter(|w| *w > 0.0).count();
        assert!((positive as f64 / 1600.0 - 0.5).abs() < 0.06, "{positive}");
    }

    #[test]
    fn truncated_laws_have_their_means() {
        let mut random = Generator::new(3);
        let mean = |mean: f64, std: f64, range: Range<f64>, random: &mut Generator| {
            let x: Tensor<f64> = truncated_normal([4000], mean, std, range.clone(), random).unwrap();
            assert!(x.iter().all(|x| x >= range.start && x <= range.end));
            x.iter().sum::<f64>() / 4000.0
        };
        // φ(a)/Q(a) above a: 1.525 at 1, 10.098 at 10, and 40.025 at 40.
        assert!((mean(0.0, 1.0, 1.0..f64::INFINITY, &mut random) - 1.525).abs() < 0.03);
        assert!((mean(0.0, 1.0, 10.0..f64::INFINITY, &mut random) - 10.098).abs() < 0.01);
        assert!((mean(0.0, 1.0, f64::NEG_INFINITY..-10.0, &mut random) + 10.098).abs() < 0.01);
        assert!((mean(5.0, 2.0, 7.0..1e300, &mut random) - (5.0 + 2.0 * 1.525)).abs() < 0.06);
        assert!((mean(0.0, 1.0, -1.0..1.0, &mut random)).abs() < 0.03);
        assert_eq!(mean(0.0, 1.0, 60.0..70.0, &mut random), 60.0);
    }
}
