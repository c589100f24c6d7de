//! The error function, its complement, and the normal law's density and distribution.

use super::elementwise::unary;
use super::guard::within;
use crate::number::Number;
use std::f64::consts::FRAC_2_SQRT_PI;

/// 1/√(2π).
const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

unary! {
    /// The error function `2/√π ∫₀ˣ exp(−t²) dt`, element by element.
    ///
    /// # Gradient
    ///
    /// `2/√π exp(−x²)`, with relative accuracy in the tails.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!(x.erf().item()?, 0.0);
    /// assert_eq!(x.erf().backward()?.wrt(x)?.item()?, std::f64::consts::FRAC_2_SQRT_PI);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Erf erf |x, y| x.erf(), exp_minus_square(x) * x.lit(FRAC_2_SQRT_PI); unary(-2.0, 2.0);
    /// The complementary error function `1 − erf x`, element by element, accurate in the right tail.
    ///
    /// # Gradient
    ///
    /// `−2/√π exp(−x²)`, with relative accuracy in the tails.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(10.0_f64));
    /// assert!((x.erfc().item()? / 2.088487583762545e-45 - 1.0).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Erfc erfc |x, y| x.erfc(), exp_minus_square(x) * x.lit(-FRAC_2_SQRT_PI); unary(-2.0, 2.0);
    /// The Gauss function `exp(−x²/2)`, element by element, with relative accuracy in the tails.
    ///
    /// # Gradient
    ///
    /// `−x exp(−x²/2)`; 0 at ±∞.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, f64::INFINITY]));
    /// assert_eq!(x.gauss().value()?.to_vec(), [1.0, 0.0]);
    /// assert_eq!(x.gauss().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Gauss gauss |x, y| x.gauss(), -within(x, 60.0) * y; unary(-2.0, 2.0);
    /// The distribution function of the standard normal law, `Φ(x) = ½ erfc(−x/√2)`, element by element, with
    /// relative accuracy in the left tail.
    ///
    /// # Gradient
    ///
    /// The density, `exp(−x²/2)/√(2π)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!(x.normal_cdf().item()?, 0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "ndtr")]
    NormalCdf normal_cdf |x, y| x.normal_cdf(), x.gauss() * x.lit(INV_SQRT_TAU); unary(-2.0, 2.0);
}

/// exp(−x²) with the rounding error of x² made good: e⁻ʰ⁻ˡ = e⁻ʰ(1 − l).
#[inline(always)]
fn exp_minus_square<N: Number>(x: N) -> N {
    let x = within(x, 30.0);
    let (h, l) = x.two_product(x);
    (-h).exp() * (x.lit(1.0) - l)
}
