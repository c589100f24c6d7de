//! The elementary functions, written once for both precisions, with and without fused multiply-add.
//!
//! No branch depends on data: what would be a branch is a select between computed values, integers are read
//! off the bits of a float after adding a large constant, and powers of two are put together as bits. So a loop
//! over any of these functions vectorises with whatever instructions it is compiled for.
//!
//! The polynomials come from `scripts/math_coefficients.py`; the errors are measured by `number::accuracy`.

pub mod erf;
pub mod exp;
pub mod log;
pub mod pow;
pub mod trig;
mod two_over_pi;

use super::Number;
use std::ops::{BitAnd, BitOr, BitXor, Not, Shl, Shr};

/// The unsigned integer that holds a float's bits. Sums wrap.
pub trait Bits:
    Copy
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
    /// The low bits of `value`.
    fn of(value: u64) -> Self;
    /// The sum modulo the width.
    fn plus(self, other: Self) -> Self;
    /// The difference modulo the width.
    fn minus(self, other: Self) -> Self;
}

macro_rules! bits {
    ($($t:ty)*) => {$(
        impl Bits for $t {
            #[inline(always)]
            fn of(value: u64) -> $t {
                value as $t
            }
            #[inline(always)]
            fn plus(self, other: $t) -> $t {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: $t) -> $t {
                self.wrapping_sub(other)
            }
        }
    )*};
}
bits!(u32 u64);

/// A binary float, plain or fused, as the functions of this module see it.
pub trait Float: Number<Mask = bool> {
    /// Its bits.
    type Bits: Bits;
    /// Double precision with the same multiply-add.
    type Wide: Float<Bits = u64>;
    /// Double precision?
    const DOUBLE: bool;
    /// Does `mul_add` round once?
    const FUSED: bool;
    /// Are the arguments of sine, cosine and tangent known to be tame?
    const TAME: bool;
    /// Bits of the fraction.
    const FRACTION: u32 = if Self::DOUBLE { 52 } else { 23 };
    /// The exponent's bias.
    const BIAS: u64 = if Self::DOUBLE { 1023 } else { 127 };
    /// `1.5 · 2^FRACTION`: adding it rounds to an integer and leaves that integer in the low bits.
    const MAGIC: f64 = if Self::DOUBLE { 6755399441055744.0 } else { 12582912.0 };
    /// The distance from 1 to the next larger number.
    const EPS: f64 = if Self::DOUBLE { f64::EPSILON } else { f32::EPSILON as f64 };
    /// The least normal number.
    const TINY: f64 = if Self::DOUBLE { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE as f64 };

    /// The bits.
    fn bits(self) -> Self::Bits;
    /// The float with these bits.
    fn from_bits(bits: Self::Bits) -> Self;
    /// The nearest float.
    fn of(value: f64) -> Self;
    /// The value in double precision.
    fn wide(self) -> f64;
}

/// The constant for the precision at hand.
#[inline(always)]
pub fn constant<F: Float>(single: f64, double: f64) -> F {
    F::of(if F::DOUBLE { double } else { single })
}

/// The bit of the sign.
#[inline(always)]
fn sign_bit<F: Float>() -> F::Bits {
    F::Bits::of(1) << (if F::DOUBLE { 63 } else { 31 })
}

/// `magnitude ≥ 0` with the sign of `sign`.
#[inline(always)]
pub fn with_sign<F: Float>(magnitude: F, sign: F) -> F {
    F::from_bits(magnitude.bits() | (sign.bits() & sign_bit::<F>()))
}

/// The smaller one; a NaN in `x` stays.
#[inline(always)]
pub fn at_most<F: Float>(x: F, bound: F) -> F {
    F::select(bound.less(x), bound, x)
}

/// The larger one; a NaN in `x` stays.
#[inline(always)]
pub fn at_least<F: Float>(x: F, bound: F) -> F {
    F::select(x.less(bound), bound, x)
}

/// The polynomial with these coefficients, the constant one first, by Horner's rule.
#[inline(always)]
pub fn horner<F: Float, const N: usize>(x: F, coefficients: &[f64; N]) -> F {
    let mut sum = F::of(coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        sum = sum.mul_add(x, F::of(coefficients[i]));
    }
    sum
}

/// The polynomial for the precision at hand.
#[inline(always)]
pub fn polynomial<F: Float, const S: usize, const D: usize>(x: F, single: &[f64; S], double: &[f64; D]) -> F {
    if F::DOUBLE { horner(x, double) } else { horner(x, single) }
}

/// `a + b` and its rounding error (Knuth).
#[inline(always)]
pub fn two_sum<F: Float>(a: F, b: F) -> (F, F) {
    let sum = a + b;
    let seen = sum - a;
    (sum, (a - (sum - seen)) + (b - seen))
}

/// The same for `|a| ≥ |b|` (Dekker).
#[inline(always)]
pub fn fast_two_sum<F: Float>(a: F, b: F) -> (F, F) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The number without its lower half of digits, and that half. The cut rounds, so that either half has at most
/// 12 (26) bits; it is made on the bits, so that nothing overflows except in the last half ulp of the range,
/// where the cut is downwards.
#[inline(always)]
pub fn split<F: Float>(x: F) -> (F, F) {
    let low = if F::DOUBLE { 27 } else { 12 };
    let mask = !(F::Bits::of((1 << low) - 1));
    let up = F::from_bits(x.bits().plus(F::Bits::of(1 << (low - 1))) & mask);
    let high = F::select(up.abs().less(F::of(f64::INFINITY)), up, F::from_bits(x.bits() & mask));
    (high, x - high)
}

/// A product and its rounding error, by Dekker's product of halves or by one fused operation.
#[inline(always)]
pub fn two_product<F: Float>(a: F, b: F) -> (F, F) {
    let p = a * b;
    if F::FUSED {
        return (p, a.mul_add(b, -p));
    }
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (p, (((ah * bh - p) + ah * bl) + al * bh) + al * bl)
}

/// `numerator / (base + e)` for a power of two `base ≥ |e|`, the sum in [1, 2] and not rounded first. Where
/// multiply-adds are fused this is Newton's iteration from a parabola, in a third of the time of the division.
#[inline(always)]
pub fn unit_quotient<F: Float>(numerator: F, base: F, e: F) -> F {
    let den = base + e;
    if !F::FUSED {
        // The rounding error of the sum, times 1/den to 3 %.
        let rest = e - (den - base);
        let q = numerator / den;
        return q - q * rest * (F::of(1.457) - F::of(0.4857) * den);
    }
    // The parabola's relative error is at most 1/99. A step squares it, which leaves [−1/99², 0]; doubled at the
    // centre of that interval instead of at 0 it is half as large: 2^-14, and 2^-28 after the second step.
    let centre = F::of(2.0 + 0.5 / (99.0 * 99.0));
    let mut r = horner(den, &RECIPROCAL);
    r = r * (-den).mul_add(r, centre);
    if F::DOUBLE {
        r = r * (-den).mul_add(r, F::of(2.0));
    }
    let q = numerator * r;
    // Both steps of the remainder are exact or nearly so: q is close to the quotient.
    let remainder = (-q).mul_add(e, (-base).mul_add(q, numerator));
    remainder.mul_add(r, q)
}

/// 1/d, degree 2 on [1, 2], relative error 1/99 = 2^-6.6.
const RECIPROCAL: [f64; 3] = [2.121212121212121, -1.4545454545454546, 0.32323232323232326];
