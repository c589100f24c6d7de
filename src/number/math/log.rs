//! Logarithms and inverse hyperbolic functions.
//!
//! `x = 2ᵏ (1 + f)` with `1 + f` in [√½, √2). In single precision `ln(1+f) = f − f²/2 + f³ P(f)`; in double
//! precision `s = f/(2+f)` and `ln(1+f) = f − f²/2 + s (f²/2 + R(s²))`, the arrangement of Ng and Tang.

use super::exp::{exp_pair, ln_2};
use super::{Bits, Float, constant, fast_two_sum, horner, two_product, two_sum, with_sign};

/// `ln(1+f) − f + f²/2` for `1 + f` in [√½, √2], given `f²/2`.
#[inline(always)]
fn tail<F: Float>(f: F, half_square: F) -> F {
    if F::DOUBLE {
        let s = f / (F::of(2.0) + f);
        let z = s * s;
        s * z.mul_add(horner(z, &LN_64), half_square)
    } else {
        f * f * f * horner(f, &LN_32)
    }
}

/// `k ln 2 + ln(1 + f) + correction`.
#[inline(always)]
fn sum<F: Float>(k: F, f: F, correction: F) -> F {
    let (ln2, low) = ln_2::<F>();
    let half_square = F::of(0.5) * f * f;
    let rest = half_square - (tail(f, half_square) + k.mul_add(low, correction));
    k.mul_add(ln2, f - rest)
}

/// k and f of a positive normal number, k less `offset`.
#[inline(always)]
fn parted<F: Float>(x: F, offset: F) -> (F, F) {
    let bias = F::of(1.0).bits().minus(F::of(std::f64::consts::FRAC_1_SQRT_2).bits());
    let shifted = x.bits().plus(bias);
    let biased = shifted >> F::FRACTION;
    let m = F::from_bits(x.bits().plus(F::Bits::of(F::BIAS) << F::FRACTION).minus(biased << F::FRACTION));
    // An integer below 2^FRACTION becomes a float by way of its bits.
    let origin = constant::<F>(8388608.0, 4503599627370496.0);
    let k = F::from_bits(origin.bits() | biased) - (origin + F::of(F::BIAS as f64));
    (k - offset, m - F::of(1.0))
}

/// k and f of a positive number, subnormal ones included.
#[inline(always)]
fn reduced<F: Float>(x: F) -> (F, F) {
    let small = x.less(F::of(F::TINY));
    let (power, factor) = (constant(24.0, 54.0), constant(16777216.0, 18014398509481984.0));
    parted(F::select(small, x * factor, x), F::select(small, power, F::of(0.0)))
}

/// The logarithm outside of the positive finite numbers.
#[inline(always)]
fn with_specials<F: Float>(x: F, value: F) -> F {
    let (zero, infinity) = (F::of(0.0), F::of(f64::INFINITY));
    let special = F::select(x.less(zero), F::of(f64::NAN), F::select(x.equal(zero), -infinity, x));
    F::select(zero.less(x) & x.less(infinity), value, special)
}

#[inline(always)]
pub fn ln<F: Float>(x: F) -> F {
    let (k, f) = reduced(x);
    with_specials(x, sum(k, f, F::of(0.0)))
}

/// `ln(1+f)` as a sum of two, the first with half the digits, so that its products with short constants are
/// exact.
#[inline(always)]
fn ln_pair<F: Float>(f: F) -> (F, F) {
    let half_square = F::of(0.5) * f * f;
    let mask = !(F::Bits::of(if F::DOUBLE { (1 << 27) - 1 } else { (1 << 12) - 1 }));
    let high = F::from_bits((f - half_square).bits() & mask);
    (high, (f - high) - half_square + tail(f, half_square))
}

/// `k·unit + log(1+f)` to the base whose `1/ln` is `base`; either constant in two parts.
#[inline(always)]
fn to_base<F: Float>(x: F, unit: (F, F), base: (F, F)) -> F {
    let (k, f) = reduced(x);
    let (high, low) = ln_pair(f);
    let rest = k.mul_add(unit.1, (low + high).mul_add(base.1, low * base.0));
    let (sum, error) = fast_two_sum(k * unit.0, high * base.0);
    with_specials(x, sum + (error + rest))
}

#[inline(always)]
pub fn log2<F: Float>(x: F) -> F {
    let base = (
        constant(1.4423828125, 1.4426950216293335),
        constant(0.00031222839606925845, 1.9259629911266175e-08),
    );
    to_base(x, (F::of(1.0), F::of(0.0)), base)
}

#[inline(always)]
pub fn log10<F: Float>(x: F) -> F {
    let base = (
        constant(0.4342041015625, 0.4342944771051407),
        constant(9.038033749675378e-05, 4.798111141615973e-09),
    );
    let unit = (
        constant(0.301025390625, 0.3010299950838089),
        constant(4.605039066518657e-06, 5.801722962879576e-10),
    );
    to_base(x, unit, base)
}

/// `twos ln 2 + ln(1 + x + low)` for finite `x > −1`, the sum `1 + x` in two parts. Near 1 it is not taken, because
/// f = x.
#[inline(always)]
fn ln_1p_pair<F: Float>(x: F, low: F, twos: F) -> F {
    let (one, zero) = (F::of(1.0), F::of(0.0));
    let (u, error) = two_sum(one, x);
    let (k, f) = parted(u, zero);
    // 2^−k; from 2^60 on the error of the sum does not count.
    let near = k.equal(zero);
    let counts = u.less(constant(1073741824.0, 1152921504606846976.0));
    let inverse = F::select(counts, (f + one) / u, zero);
    let f = F::select(near, x, f);
    let rest = F::select(near, low, (error + low) * inverse);
    // The derivative 1/(1+f) to 6 %: what it multiplies is below an ulp.
    sum(k + twos, f, rest * (F::of(1.06) - f))
}

#[inline(always)]
pub fn ln_1p<F: Float>(x: F) -> F {
    let (zero, infinity) = (F::of(0.0), F::of(f64::INFINITY));
    let below = F::select(x.equal(F::of(-1.0)), -infinity, F::of(f64::NAN));
    let value = F::select(F::of(-1.0).less(x), ln_1p_pair(x, zero, zero), below);
    // Where 1 + x = 1 the function is x, with its sign; so it is at +∞ and NaN.
    let same = x.abs().less(F::of(F::EPS * 0.25)) | x.equal(infinity) | x.is_nan();
    F::select(same, x, value)
}

/// `max(x, 0) + ln(1 + e^(−|x|))`.
#[inline(always)]
pub fn softplus<F: Float>(x: F) -> F {
    let (zero, half) = (F::of(0.0), F::of(0.5));
    let (e, low) = exp_pair(-x.abs());
    let (one, near) = (F::of(1.0), e.less(F::of(0.4)));
    let k = F::select(near, zero, one);
    let f = F::select(near, e, (e - one) * half);
    let log = sum(k, f, F::select(near, low, low * half) * (F::of(1.06) - f));
    // The logarithm of 1 + e is e where e is subnormal, too small for the arithmetic on its square.
    let log = F::select(e.less(F::of(F::EPS * 0.25)), e, log);
    F::select(x.less(zero), zero, x) + log
}

/// From here on `1 + x = x` and x² is still finite.
#[inline(always)]
fn large<F: Float>() -> F {
    constant(1073741824.0, 1152921504606846976.0)
}

/// `ln(1 + x + x²/(1 + √(1 + x²)))`, with |x|; `ln 2x` for large x.
#[inline(always)]
pub fn asinh<F: Float>(x: F) -> F {
    let (zero, one, a) = (F::of(0.0), F::of(1.0), x.abs());
    let is_large = large::<F>().less_equal(a);
    let z = a * a;
    let (high, low) = fast_two_sum(a, z / (one + (one + z).sqrt()));
    let (high, low) = (F::select(is_large, a, high), F::select(is_large, zero, low));
    let value = ln_1p_pair(high, low, F::select(is_large, one, zero));
    with_sign(F::select(a.less(F::of(f64::INFINITY)), value.abs(), a), x)
}

/// `ln(1 + t + √(t (x + 1)))` with `t = x − 1`; `ln 2x` for large x.
#[inline(always)]
pub fn acosh<F: Float>(x: F) -> F {
    let (zero, one, half) = (F::of(0.0), F::of(1.0), F::of(0.5));
    let is_large = large::<F>().less_equal(x);
    let t = x - one;
    let (product, error) = two_product(t, x + one);
    let root = product.sqrt();
    let (square, square_error) = two_product(root, root);
    let correction = ((product - square) - square_error + error) * half / root;
    let (high, low) = two_sum(root, t);
    let low = low + F::select(zero.less(root), correction, zero);
    let (high, low) = (F::select(is_large, x, high), F::select(is_large, zero, low));
    let value = ln_1p_pair(high, low, F::select(is_large, one, zero));
    let outside = F::select(x.less(one), F::of(f64::NAN), x);
    F::select(one.less_equal(x) & x.less(F::of(f64::INFINITY)), value, outside)
}

/// `½ ln(1 + 2x/(1 − x))`, with |x| and the quotient in two parts.
#[inline(always)]
pub fn atanh<F: Float>(x: F) -> F {
    let (zero, one, a) = (F::of(0.0), F::of(1.0), x.abs());
    let (den, den_error) = fast_two_sum(one, -a);
    let twice = a + a;
    let q = twice / den;
    let (product, error) = two_product(q, den);
    let low = ((twice - product) - error - q * den_error) / den;
    let value = F::of(0.5) * ln_1p_pair(q, low, zero);
    let outside = F::select(a.equal(one), F::of(f64::INFINITY), F::of(f64::NAN));
    with_sign(F::select(a.less(one), value.abs(), outside), x)
}

/// `(ln(1+f) − f + f²/2)/f³`, degree 8 on [-0.29289, 0.41421], error 2^-28.62
const LN_32: [f64; 9] = [
    0.3333333134651184,
    -0.2499999701976776,
    0.20000715553760529,
    -0.1666780263185501,
    0.14249058067798615,
    -0.12425687164068222,
    0.11685419827699661,
    -0.11479733884334564,
    0.06971611827611923,
];

/// `(ln((1+s)/(1−s)) − 2s)/s³ in s²`, degree 7 on [0.0, 0.02944], error 2^-60.7
const LN_64: [f64; 8] = [
    0.6666666666666666,
    0.4000000000000088,
    0.2857142857080323,
    0.2222222239180047,
    0.18181795630884753,
    0.15386240205813478,
    0.13268759668560612,
    0.13086767009948175,
];
