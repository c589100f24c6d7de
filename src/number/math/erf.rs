//! The error function, its complement and the normal distribution function.
//!
//! The tails are `e^(−x²)` times the scaled complement `erfcx(x) = e^(x²) erfc x`. After Schonfelder (1978),
//! `(1 + 2x) erfcx(x)` is a polynomial in `t = (x − 4)/(x + 4)` over the whole half-line.

use super::exp::{exp_normal, exp_times};
use super::{Float, at_most, constant, fast_two_sum, polynomial, two_product, two_sum, with_sign};

/// `erfcx(y + y_rest) · e^(square + error) · factor` for `y ≥ 0`.
#[inline(always)]
fn tail<F: Float>(y: F, y_rest: F, square: F, error: F, factor: F) -> F {
    let (one, four) = (F::of(1.0), F::of(4.0));
    let (sum, (den, den_rest)) = (y + four, two_sum(y + y, one));
    // One division for both quotients; their remainders, exact to first order, make up for its errors.
    let inverse = one / (sum * den);
    let (by_sum, by_den) = (inverse * den, inverse * sum);
    let t = (y - four) * by_sum;
    let (product, low) = two_product(t, y);
    let remainder = (y - four * (t + one)) - product - low;
    let t = remainder.mul_add(by_sum, t);
    let (p, p_rest) = fast_two_sum(one, polynomial(t, &ERFCX_32, &ERFCX_64));
    let ratio = p * by_den;
    let (product, low) = two_product(ratio, den);
    let remainder = (p - product) - low + (p_rest - ratio * (den_rest + y_rest + y_rest));
    exp_times(square, error, ratio * factor, remainder * by_den * factor)
}

/// `erfcx x` for x in [0, 25].
pub fn erfcx_near(x: f64) -> f64 {
    tail(x, 0.0, 0.0, 0.0, 1.0)
}

/// `erfc |x|`.
#[inline(always)]
fn erfc_of_abs<F: Float>(x: F) -> F {
    let a = at_most(x.abs(), constant(11.0, 28.0));
    let (square, error) = two_product(a, a);
    tail(a, F::of(0.0), -square, -error, F::of(1.0))
}

/// The series of erf for |x| ≤ 1.
#[inline(always)]
fn erf_near<F: Float>(x: F) -> F {
    x.mul_add(polynomial(x * x, &ERF_32, &ERF_64), x)
}

/// A series below 1, the complement above. There only its absolute error counts: it comes from a polynomial for its
/// logarithm.
#[inline(always)]
pub fn erf<F: Float>(x: F) -> F {
    let (one, a) = (F::of(1.0), at_most(x.abs(), constant(4.0, 6.0)));
    let far = one - exp_normal(polynomial(a - F::of(2.0), &LOG_32, &LOG_64));
    F::select(x.abs().less(one), erf_near(x), with_sign(far.abs(), x))
}

/// One minus that series below ½, the tail above.
#[inline(always)]
pub fn erfc<F: Float>(x: F) -> F {
    let (one, far) = (F::of(1.0), erfc_of_abs(x));
    let far = F::select(x.less(F::of(0.0)), F::of(2.0) - far, far);
    F::select(x.abs().less(F::of(0.5)), one - erf_near(x), far)
}

/// `½ erfc(|x|/√2)` on the left. The exponent is taken from x itself: the error of the rounded quotient would be
/// magnified by x².
#[inline(always)]
pub fn normal_cdf<F: Float>(x: F) -> F {
    let (half, a) = (F::of(0.5), at_most(x.abs(), constant(15.0, 39.5)));
    let (square, error) = two_product(a, a);
    // √½ and what rounding it leaves.
    let (y, rest) = two_product(a, F::of(std::f64::consts::FRAC_1_SQRT_2));
    let y_rest = a.mul_add(constant(1.2101617485882343e-08, -4.833646656726457e-17), rest);
    let value = tail(y, y_rest, -half * square, -half * error, half);
    let value = F::select(F::of(0.0).less(x), F::of(1.0) - value, value);
    // Near 0 it is ½ + ½ erf(x/√2).
    let near = half.mul_add(with_sign(erf_near(y).abs(), x), half);
    F::select(a.less(F::of(0.7)), near, value)
}

/// `erf(x)/x − 1 in x²`, degree 6 on [0.0, 1.0], error 2^-27.49
const ERF_32: [f64; 7] = [
    0.12837916612625122,
    -0.3761262595653534,
    0.11283594369888306,
    -0.02685421146452427,
    0.005189087241888046,
    -0.000801686430349946,
    7.875874871388078e-05,
];

/// `erf(x)/x − 1 in x²`, degree 12 on [0.0, 1.0], error 2^-55.79
const ERF_64: [f64; 13] = [
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
];

/// `ln erfc x` in x − 2, times erfc x/erf x, degree 7 on [-1.0, 2.0], error 2^-27.81
const LOG_32: [f64; 8] = [
    -5.364941596984863,
    -4.418161869049072,
    -0.9237475395202637,
    -0.01645786128938198,
    0.003565247403457761,
    -0.0007426355732604861,
    0.00013973367458675057,
    -1.628665268071927e-05,
];

/// `ln erfc x` in x − 2, times erfc x/erf x, degree 22 on [-1.0, 4.0], error 2^-55.8
const LOG_64: [f64; 23] = [
    -5.364941264616636,
    -4.418160805994397,
    -0.923750841823761,
    -0.016465118137289646,
    0.003570756344188161,
    -0.000732399386201604,
    0.0001353093446113874,
    -2.0706421807432107e-05,
    1.9521742615040797e-06,
    2.0361397961966637e-07,
    -1.7318111976571567e-07,
    5.783367841653641e-08,
    -1.3972750382865184e-08,
    2.512973542724898e-09,
    -2.5872372022129613e-10,
    -3.3521166150815613e-11,
    3.034603953920094e-11,
    -1.0998086856121859e-11,
    2.4676266828962215e-12,
    -2.880595412270609e-13,
    7.218541804263373e-16,
    3.633424967380652e-15,
    -2.8018017462327274e-16,
];

/// `(1 + 2x) erfcx(x) − 1 in t, x = 4 (1+t)/(1−t)`, degree 11 on [-1.0, 0.46667], error 2^-27.56
const ERFCX_32: [f64; 12] = [
    0.23299512267112732,
    -0.13962113857269287,
    0.015379593707621098,
    0.06809806823730469,
    -0.10103669762611389,
    0.09372012317180634,
    -0.0663648471236229,
    0.03721348196268082,
    -0.016002144664525986,
    0.00509242620319128,
    -0.0011006445856764913,
    -0.0006325814756564796,
];

/// `(1 + 2x) erfcx(x) − 1 in t, x = 4 (1+t)/(1−t)`, degree 22 on [-1.0, 0.75758], error 2^-55.01
const ERFCX_64: [f64; 23] = [
    0.2329951186255525,
    -0.13962111684056294,
    0.015379652102620166,
    0.06809705425474225,
    -0.10103906603631775,
    0.093732834996651,
    -0.06633036581233404,
    0.03716751556426739,
    -0.01619773404951719,
    0.005031969745345665,
    -0.0007577734070400822,
    -0.00019925548167288855,
    0.00015062251486610125,
    -2.4403143881356146e-05,
    -1.1225468761677681e-05,
    5.71757235992563e-06,
    3.0233949956694904e-07,
    -8.343784974842589e-07,
    6.200101474293659e-08,
    1.1447842537314855e-07,
    -7.635461502729152e-09,
    -1.3295321147820961e-08,
    -1.7022650415355067e-09,
];
