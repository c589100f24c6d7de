//! The Gaussian error linear unit, exactly and by its tanh approximation.

use super::elementwise::unary;
use super::guard::{at_least, within};
use crate::number::Number;

/// 1/√(2π).
const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

unary! {
    /// `x Φ(x)` with the normal distribution function `Φ`, element by element; 0 at −∞.
    ///
    /// # Gradient
    ///
    /// `Φ(x) + x φ(x)` with the normal density `φ`, with relative accuracy in the tails; 0 at −∞, 1 at ∞.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 40.0]));
    /// assert_eq!(x.gelu().value()?.to_vec(), [0.0, 0.0, 40.0]);
    /// assert_eq!(x.gelu().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Gelu gelu |x, y| at_least(x, -60.0) * x.normal_cdf(), gelu_derivative(within(x, 60.0)); unary(-3.0, 3.0);
    /// GELU's approximation `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`, element by element; 0 at −∞.
    ///
    /// # Gradient
    ///
    /// `σ(v) + x σ(v) σ(−v) v′` where `½ (1 + tanh u) = σ(2u) = σ(v)`, with relative accuracy in the tails; 0 at −∞,
    /// 1 at ∞.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 40.0]));
    /// assert_eq!(x.gelu_tanh().value()?.to_vec(), [0.0, 0.0, 40.0]);
    /// assert_eq!(x.gelu_tanh().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    GeluTanh gelu_tanh |x, y| at_least(x, -30.0) * gate(within(x, 30.0)).0, gelu_tanh_derivative(within(x, 30.0));
        unary(-3.0, 3.0);
}

/// `Φ(x) + x φ(x)`. The density is a square, `φ = e²/√(2π)` with `e = exp(−x²/4)`, because φ alone underflows where
/// x²φ does not; the rounding error of x² is made good as exp(−h − l) = exp(−h)(1 − l). In the left tail
/// `Φ ≈ −φ/x`, which takes nothing from xφ.
#[inline(always)]
fn gelu_derivative<N: Number>(x: N) -> N {
    let quarter = x.lit(0.25);
    let (h, l) = x.two_product(x);
    let e = (-(h * quarter)).exp() * (x.lit(1.0) - l * quarter);
    x.normal_cdf() + (x * e) * (e * x.lit(INV_SQRT_TAU))
}

/// `v = x (A + B x²)`: A = 2√(2/π) and B = 0.044715 A, each as a number of 24 digits, exact in single precision, and
/// the rest.
const A: [f64; 2] = [1.595_769_166_946_411_1, -4.534_068_042_105_272e-8];
const B: [f64; 2] = [0.071_354_813_873_767_85, 2.398_832_395_993_135_5e-9];

/// σ(v) and σ(−v) to a few ulps also where |v| is in the hundreds: v is computed to twice the precision, and the
/// lower half enters as σ(v + l) = σ(v)(1 + l σ(−v)).
#[inline(always)]
fn gate<N: Number>(x: N) -> (N, N) {
    let one = x.lit(1.0);
    let (square, square_low) = x.two_product(x);
    let (product, product_low) = square.two_product(x.lit(B[0]));
    let sum = product + x.lit(A[0]);
    let seen = sum - product;
    let sum_low = (product - (sum - seen)) + (x.lit(A[0]) - seen);
    let low = sum_low + (product_low + (square_low * x.lit(B[0]) + (square * x.lit(B[1]) + x.lit(A[1]))));
    let slope = sum + low;
    let slope_low = low - (slope - sum);
    let (v, v_low) = x.two_product(slope);
    let v_low = v_low + x * slope_low;
    let (p, m) = (v.sigmoid(), (-v).sigmoid());
    (p * (one + v_low * m), m * (one - v_low * p))
}

#[inline(always)]
fn gelu_tanh_derivative<N: Number>(x: N) -> N {
    let (p, m) = gate(x);
    let slope = x.square() * x.lit(3.0 * (B[0] + B[1])) + x.lit(A[0] + A[1]);
    p + ((x * slope) * m) * p
}
