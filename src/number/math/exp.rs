//! The exponential and what is made of one exponential and one division.
//!
//! `x = n ln 2 + r` with `|r| ≤ ½ ln 2`, and `eʳ = 1 + r + r² q(r)`.

use super::{
    Bits, Float, at_least, at_most, constant, fast_two_sum, polynomial, two_product, two_sum, unit_quotient,
    with_sign,
};
use std::f64::consts::{LN_2, LOG2_E};

/// `eˣ = 2ⁿ (1 + p + tail)`.
struct Parts<F: Float> {
    p: F,
    tail: F,
    /// The bits of a float that end in n + 2·BIAS.
    n: F::Bits,
}

/// n, the integer nearest to `x · factor`, as a float; and as bits that end in n + offset, for |n| < 2^20.
#[inline(always)]
fn exponent<F: Float>(x: F, factor: f64, offset: u64) -> (F, F::Bits) {
    let magic = F::of(F::MAGIC + offset as f64);
    let shifted = x.mul_add(F::of(factor), magic);
    (shifted - magic, shifted.bits())
}

/// ln 2 cut where a product with an exponent is still exact, and the rest.
#[inline(always)]
pub(super) fn ln_2<F: Float>() -> (F, F) {
    (constant(0.693145751953125, 0.693147180559663), constant(1.428606765330187e-06, 2.8235290563031577e-13))
}

/// x less n ln 2, and bits that end in n + offset.
#[inline(always)]
fn reduced<F: Float>(x: F, offset: u64) -> (F, F::Bits) {
    let ((n, bits), (high, low)) = (exponent(x, LOG2_E, offset), ln_2());
    ((-n).mul_add(low, (-n).mul_add(high, x)), bits)
}

/// `e^(x + low)`, |low| a few ulps of x, to about twice the precision of the result's last digit.
#[inline(always)]
fn parts<F: Float>(x: F, low: F) -> Parts<F> {
    let ((n, bits), (ln2, ln2_low)) = (exponent(x, LOG2_E, 2 * F::BIAS), ln_2());
    let a = (-n).mul_add(ln2, x);
    let b = n.mul_add(ln2_low, -low);
    let r = a - b;
    let rest = (a - r) - b;
    let (p, tail) = fast_two_sum(r, (r * r).mul_add(q(r), rest));
    Parts { p, tail, n: bits }
}

/// `(eʳ − 1 − r)/r²`.
#[inline(always)]
fn q<F: Float>(r: F) -> F {
    polynomial(r, &EXP_32, &EXP_64)
}

/// `v · 2ⁿ` in two steps, for results down to the least subnormal and up to the largest number. The bits end in
/// n + 2·BIAS: a half of that goes into each factor, and the shift drops what the magic number left above.
#[inline(always)]
fn scale<F: Float>(v: F, n: F::Bits) -> F {
    let half = n >> 1;
    v * F::from_bits(half << F::FRACTION) * F::from_bits(n.minus(half) << F::FRACTION)
}

/// x within the arguments outside of which the exponential is 0 or infinite for certain.
#[inline(always)]
fn clamped<F: Float>(x: F) -> F {
    at_least(at_most(x, constant(89.0, 710.0)), least())
}

/// Below this, the exponential rounds to 0.
#[inline(always)]
fn least<F: Float>() -> F {
    constant(-104.0, -746.0)
}

#[inline(always)]
pub fn exp<F: Float>(x: F) -> F {
    let (r, n) = reduced(clamped(x), 2 * F::BIAS);
    let one = F::of(1.0);
    scale(r.mul_add(r.mul_add(q(r), one), one), n)
}

/// `eˣ` where the result is a normal number; anything where it is not.
#[inline(always)]
pub(super) fn exp_normal<F: Float>(x: F) -> F {
    let (r, n) = reduced(x, F::BIAS);
    let one = F::of(1.0);
    r.mul_add(r.mul_add(q(r), one), one) * F::from_bits(n << F::FRACTION)
}

/// `e^(x + low) · (factor + rest)`, with one rounding where the result is subnormal.
#[inline(always)]
pub(super) fn exp_times<F: Float>(x: F, low: F, factor: F, rest: F) -> F {
    let e = parts(at_least(x, least()), low);
    scale(factor + factor.mul_add(e.p, factor.mul_add(e.tail, rest)), e.n)
}

/// `eˣ` as a sum of two, for x ≤ 0.
#[inline(always)]
pub(super) fn exp_pair<F: Float>(x: F) -> (F, F) {
    let e = parts(at_least(x, least()), F::of(0.0));
    let (high, low) = fast_two_sum(F::of(1.0), e.p);
    (scale(high, e.n), scale(low + e.tail, e.n))
}

/// `½ e^|x|` as a sum of two; infinite only where cosh is.
#[inline(always)]
fn half_exp_pair<F: Float>(x: F) -> (F, F) {
    let e = parts(at_most(x.abs(), constant(91.0, 712.0)), F::of(0.0));
    let (high, low) = fast_two_sum(F::of(1.0), e.p);
    let n = e.n.minus(F::Bits::of(1));
    (scale(high, n), scale(low + e.tail, n))
}

#[inline(always)]
pub fn exp_m1<F: Float>(x: F) -> F {
    let half = F::of(0.5);
    let e = parts(at_least(at_most(x, constant(89.0, 710.0)), constant(-20.0, -40.0)), F::of(0.0));
    // Half of 2ⁿ, which is finite where the result is.
    let s = F::from_bits(e.n.minus(F::Bits::of(F::BIAS + 1)) << F::FRACTION);
    let (high, low) = two_sum(s - half, s * e.p);
    let result = (high + s.mul_add(e.tail, low)) * F::of(2.0);
    F::select(x.abs().less(F::of(F::TINY / F::EPS)), x, result)
}

/// `(1 − e^(−2|x|))/(1 + e^(−2|x|)) = −t/(2 + t)` with `t = e^(−2|x|) − 1`.
#[inline(always)]
pub fn tanh<F: Float>(x: F) -> F {
    let (one, half) = (F::of(1.0), F::of(0.5));
    let a = at_least(-x.abs(), constant(-10.0, -20.0));
    let ((n, bits), (high, low)) = (exponent(a, 2.0 * LOG2_E, F::BIAS + 1), ln_2());
    // Half the usual remainder, so that x need not be doubled. In single precision ln 2 happens to round so well
    // that one step is enough for an exponential that is added to 1.
    let r = if F::FUSED && !F::DOUBLE {
        (-n).mul_add(F::of(0.5 * LN_2), a)
    } else {
        (-n).mul_add(half * low, (-n).mul_add(half * high, a))
    };
    let p = (r * r).mul_add(polynomial(r, &doubled(EXP_32), &doubled(EXP_64)), r);
    let s = F::from_bits(bits << F::FRACTION);
    let t = s.mul_add(p, s.mul_add(half, -one));
    with_sign(unit_quotient(t, F::of(2.0), t).abs(), x)
}

/// The coefficients of `2 q(2r)`.
const fn doubled<const N: usize>(mut q: [f64; N]) -> [f64; N] {
    let (mut i, mut power) = (0, 2.0);
    while i < N {
        q[i] *= power;
        power *= 2.0;
        i += 1;
    }
    q
}

/// `1/(1 + e)` or `e/(1 + e)` with `e = e^(−|x|)`, so that neither tail cancels.
#[inline(always)]
pub fn sigmoid<F: Float>(x: F) -> F {
    let one = F::of(1.0);
    // The exponential is at most 1: its power of two is normal when taken 2^64 times as large.
    let (r, n) = reduced(at_least(-x.abs(), least()), F::BIAS + 64);
    let e = r.mul_add(r.mul_add(q(r), one), one) * F::from_bits(n << F::FRACTION) * F::of(2.0_f64.powi(-64));
    unit_quotient(F::select(x.less(F::of(0.0)), e, one), one, e)
}

/// A series below 1; above, half the difference of the exponentials.
#[inline(always)]
pub fn sinh<F: Float>(x: F) -> F {
    let z = x * x;
    let near = (x * z).mul_add(polynomial(z, &SINH_32, &SINH_64), x);
    let (high, low) = half_exp_pair(x);
    let far = high + (low - F::of(0.25) / high);
    F::select(x.abs().less(F::of(1.0)), near, with_sign(far.abs(), x))
}

#[inline(always)]
pub fn cosh<F: Float>(x: F) -> F {
    let (high, low) = half_exp_pair(x);
    high + (low + F::of(0.25) / high)
}

/// A series below 1; above, `(|x| − 1) + 2/(1 + e^(2|x|))`, a sum of positive terms.
#[inline(always)]
pub fn tanhshrink<F: Float>(x: F) -> F {
    let (one, a) = (F::of(1.0), x.abs());
    // x³/3 + x⁵ S(x²), with the rounding errors of the cube and of the sum.
    let ((z, z_error), third) = (two_product(a, a), F::of(1.0 / 3.0));
    let (cube, cube_error) = two_product(a, z);
    let (factor, rest) = fast_two_sum(third, z * polynomial(z, &SHRINK_32, &SHRINK_64));
    let rest = rest + constant(-9.934107462565104e-09, 1.850371707708594e-17);
    let near = cube.mul_add(factor, cube.mul_add(rest, a.mul_add(z_error, cube_error) * factor));
    let far = (a - one) + F::of(2.0) * sigmoid(F::of(-2.0) * a);
    with_sign(F::select(a.less(one), near, far), x)
}

/// The rounding error of x² is 2⁻⁵³ x², an absolute error in the exponent: it is carried along.
#[inline(always)]
pub fn gauss<F: Float>(x: F) -> F {
    let a = at_most(x.abs(), constant(15.0, 40.0));
    let (square, error) = two_product(a, a);
    exp_times(F::of(-0.5) * square, F::of(-0.5) * error, F::of(1.0), F::of(0.0))
}

/// `(eʳ − 1 − r)/r²`, degree 4 on [-0.34715, 0.3468], error 2^-26.98
const EXP_32: [f64; 5] =
    [0.5, 0.16666576266288757, 0.04166657105088234, 0.008363240398466587, 0.0013924536760896444];

/// `(eʳ − 1 − r)/r²`, degree 10 on [-0.34715, 0.3468], error 2^-61.7
const EXP_64: [f64; 11] = [
    0.5,
    0.1666666666666667,
    0.041666666666666664,
    0.008333333333326075,
    0.0013888888888886632,
    0.0001984126987503045,
    2.4801587317917182e-05,
    2.7557255134401453e-06,
    2.7557281762382163e-07,
    2.5105327490767777e-08,
    2.0911698412785723e-09,
];

/// `(sinh x − x)/x³ in x²`, degree 3 on [0.0, 1.0], error 2^-27.67
const SINH_32: [f64; 4] =
    [0.1666666716337204, 0.008333339355885983, 0.00019838102161884308, 2.806280235745362e-06];

/// `(sinh x − x)/x³ in x²`, degree 7 on [0.0, 1.0], error 2^-56.56
const SINH_64: [f64; 8] = [
    0.16666666666666666,
    0.008333333333333333,
    0.00019841269841269773,
    2.755731922404034e-06,
    2.505210836405804e-08,
    1.6059048396350562e-10,
    7.646625361656657e-13,
    2.8445264169895285e-15,
];

/// `(x − tanh x)/x³ − ⅓ in x², over x²`, degree 6 on [0.0, 1.0], error 2^-27.26
const SHRINK_32: [f64; 7] = [
    -0.13333332538604736,
    0.0539674237370491,
    -0.021855926141142845,
    0.00877838023006916,
    -0.003330997657030821,
    0.001017450587823987,
    -0.0001705014583421871,
];

/// `(x − tanh x)/x³ − ⅓ in x², over x²`, degree 15 on [0.0, 1.0], error 2^-57.59
const SHRINK_64: [f64; 16] = [
    -0.13333333333333333,
    0.053968253968252985,
    -0.02186948853607107,
    0.008863235527054621,
    -0.0035921279857806117,
    0.0014558338369963881,
    -0.0005900235117283935,
    0.0002391096012768218,
    -9.684564548505856e-05,
    3.909489114669662e-05,
    -1.555872204514558e-05,
    5.919642199680327e-06,
    -2.0214631163816744e-06,
    5.589611878490674e-07,
    -1.0671460035440944e-07,
    1.0194947086878417e-08,
];
