//! The numbers an element-wise function is written over.
//!
//! A function written once over [`Number`] runs on plain floats (and so in the vectorised loops), on dual
//! numbers, and on variables of a tape, where each method records the operation of the same name.

#[cfg(test)]
mod accuracy;
mod element;
mod float;
mod lane;
mod math;
mod scalar;
pub(crate) mod special;
#[cfg(test)]
mod special_values;

pub use element::Element;
pub(crate) use lane::{Fused, Lane, is_tame};
pub use scalar::Scalar;

use std::fmt::LowerExp;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A number that element-wise functions act on: `f32`, `f64`, dual numbers, and variables of a tape.
///
/// Code over `Number` is free of branches on values: a comparison gives a [`Mask`](Number::Mask) and
/// [`select`](Number::select) chooses. Constants enter through a value, `x.lit(2.0)`, because a constant on a
/// tape needs to know which tape.
///
/// ```
/// use retrograde::Number;
///
/// fn logistic<N: Number>(x: N) -> N {
///     x.lit(1.0) / (x.lit(1.0) + (-x).exp())
/// }
/// assert!((logistic(0.0_f64) - 0.5).abs() < 1e-15);
/// assert!((logistic(2.0_f32) - 0.880797).abs() < 1e-6);
/// ```
pub trait Number:
    Copy + Neg<Output = Self> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// What a comparison gives: `bool` for floats, a variable of zeros and ones on a tape.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;

    /// The constant `value` as a number of this kind (on the same tape, with a zero tangent).
    fn lit(self, value: f64) -> Self;
    /// `self · a + b`. Fused, with one rounding, only where the loop was compiled for hardware that has the
    /// instruction.
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    /// The product and its rounding error: `(p, e)` with `p + e` equal to the exact product of two floats.
    /// Numbers that are not plain floats give `(p, 0)`: the error is no function of its arguments.
    #[inline(always)]
    fn two_product(self, other: Self) -> (Self, Self) {
        (self * other, self.lit(0.0))
    }

    /// `self < other`; false where either is NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// `self ≤ other`; false where either is NaN.
    fn less_equal(self, other: Self) -> Self::Mask;
    /// `self = other`; false where either is NaN.
    fn equal(self, other: Self) -> Self::Mask;
    /// `self > other`; false where either is NaN.
    #[inline(always)]
    fn greater(self, other: Self) -> Self::Mask {
        other.less(self)
    }
    /// `self ≥ other`; false where either is NaN.
    #[inline(always)]
    fn greater_equal(self, other: Self) -> Self::Mask {
        other.less_equal(self)
    }
    /// Whether the number is NaN.
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.equal(self)
    }
    /// `a` where `mask` holds, else `b`. Both are computed: make the argument of the branch not taken harmless
    /// *before* it, because the derivative of the discarded one is multiplied by zero, and 0·∞ is NaN.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// `|x|`, with derivative 0 at 0.
    fn abs(self) -> Self;
    /// −1, 0 or 1; NaN for NaN. Its derivative is 0.
    fn sign(self) -> Self;
    /// The largest integer not above x. Its derivative is 0.
    fn floor(self) -> Self;
    /// The smallest integer not below x. Its derivative is 0.
    fn ceil(self) -> Self;
    /// The nearest integer, halves to the even one. Its derivative is 0.
    fn round(self) -> Self;
    /// The smaller of two; NaN if either is. A tie shares the derivative evenly.
    fn minimum(self, other: Self) -> Self;
    /// The larger of two; NaN if either is. A tie shares the derivative evenly.
    fn maximum(self, other: Self) -> Self;
    /// `1/x`.
    #[inline(always)]
    fn recip(self) -> Self {
        self.lit(1.0) / self
    }
    /// `x²`.
    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }
    /// √x.
    fn sqrt(self) -> Self;
    /// `1/√x`.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        self.sqrt().recip()
    }
    /// The real cube root.
    fn cbrt(self) -> Self;
    /// `xʸ`. For a fixed exponent use [`powf`](Number::powf), which has a derivative at negative x, too.
    fn pow(self, exponent: Self) -> Self;
    /// `xᵖ` for a fixed p.
    #[inline(always)]
    fn powf(self, p: f64) -> Self {
        self.pow(self.lit(p))
    }
    /// A multiple by a constant, whose derivative is the same multiple, also where x is infinite.
    #[inline(always)]
    fn scale(self, c: f64) -> Self {
        self * self.lit(c)
    }
    /// √(x² + y²) without overflow in between.
    fn hypot(self, other: Self) -> Self;
    /// The angle of the point `(x, y)`, called as `y.atan2(x)`.
    fn atan2(self, x: Self) -> Self;

    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0.
    fn ln_1p(self) -> Self;
    /// The logarithm to base 2.
    fn log2(self) -> Self;
    /// The logarithm to base 10.
    fn log10(self) -> Self;
    /// The sine of x in radians.
    fn sin(self) -> Self;
    /// The cosine of x in radians.
    fn cos(self) -> Self;
    /// The tangent of x in radians.
    fn tan(self) -> Self;
    /// The angle in [−π/2, π/2] whose sine is x.
    fn asin(self) -> Self;
    /// The angle in [0, π] whose cosine is x.
    fn acos(self) -> Self;
    /// The angle in (−π/2, π/2) whose tangent is x.
    fn atan(self) -> Self;
    /// The hyperbolic sine.
    fn sinh(self) -> Self;
    /// The hyperbolic cosine.
    fn cosh(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// The inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// The inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// The error function, `2/√π ∫₀ˣ e^(−t²) dt`.
    fn erf(self) -> Self;
    /// `1 − erf x`, accurate in the right tail.
    fn erfc(self) -> Self;
    /// The logistic function `1/(1 + e⁻ˣ)`, accurate in both tails.
    fn sigmoid(self) -> Self;
    /// `ln(1 + eˣ)`, accurate in both tails.
    fn softplus(self) -> Self;
    /// `x − tanh x`, accurate near 0, where the difference cancels.
    fn tanhshrink(self) -> Self;
    /// The Gauss function `e^(−x²/2)`, accurate in the tails, where rounding x² would cost hundreds of ulps.
    fn gauss(self) -> Self;
    /// The distribution function of the standard normal law, `½ erfc(−x/√2)`, accurate in the left tail.
    fn normal_cdf(self) -> Self;
}

/// A family of types indexed by the real type, for [`Real::choose`].
pub trait Family {
    /// The member for `T`.
    type Of<T: Real>: 'static;
}

/// The element types that can be differentiated: `f32` and `f64`.
///
/// Sealed: kernels are compiled for these two.
pub trait Real: Scalar + Element + LowerExp {
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The number the loops for hardware with fused multiply-add work on.
    #[doc(hidden)]
    type Fused: Lane<Self>;
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Picks this type's member of a family: how a generic function reaches what was compiled for each type.
    #[doc(hidden)]
    fn choose<F: Family>(f32: &'static F::Of<f32>, f64: &'static F::Of<f64>) -> &'static F::Of<Self>;
}
