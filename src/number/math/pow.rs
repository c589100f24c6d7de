//! Powers, cube roots and hypotenuses.

use super::{Bits, Float, constant, fast_two_sum, horner, two_product, with_sign};
use crate::number::Number;

/// `|x|ʸ` by the logarithm in double precision for single precision; double precision would take a logarithm of
/// twice its digits, and uses the standard library's function instead, one element at a time.
#[inline(always)]
pub fn pow<F: Float>(x: F, y: F) -> F {
    if F::DOUBLE {
        return F::of(x.wide().powf(y.wide()));
    }
    let (zero, one, infinity) = (F::of(0.0), F::of(1.0), F::of(f64::INFINITY));
    let a = x.abs();
    let exponent = F::Wide::of(y.wide()) * F::Wide::of(a.wide()).ln();
    let size = F::of(exponent.exp().wide());
    let half = F::of(0.5) * y;
    let (whole, even) = (y.floor().equal(y), half.floor().equal(half));
    let left = x.less(zero);
    // Between the axes a negative base has a power only for whole exponents.
    let none = left & !whole & a.less(infinity);
    let size = F::select(none, F::of(f64::NAN), size);
    let odd = whole & !even;
    let value = F::select(odd, with_sign(size, x), size);
    // These are 1 even when the other argument is NaN.
    let unit = y.equal(zero) | x.equal(one) | (a.equal(one) & y.abs().equal(infinity));
    F::select(unit, one, value)
}

/// The root of the sum of squares, both with their rounding errors; scaled where a square would leave the range.
#[inline(always)]
pub fn hypot<F: Float>(x: F, y: F) -> F {
    let (ax, ay, infinity) = (x.abs(), y.abs(), F::of(f64::INFINITY));
    let swap = ax.less(ay);
    let (large, small) = (F::select(swap, ay, ax), F::select(swap, ax, ay));
    let either = ax.equal(infinity) | ay.equal(infinity);
    if !F::DOUBLE {
        let (a, b) = (F::Wide::of(x.wide()), F::Wide::of(y.wide()));
        let root = F::of(a.mul_add(a, b * b).sqrt().wide());
        return F::select(either, infinity, root);
    }
    let (up, down, one, zero) = (F::of(2.0_f64.powi(600)), F::of(2.0_f64.powi(-600)), F::of(1.0), F::of(0.0));
    let (huge, tiny) = (F::of(2.0_f64.powi(500)).less(large), large.less(F::of(2.0_f64.powi(-400))));
    let scale = F::select(huge, down, F::select(tiny, up, one));
    let back = F::select(huge, up, F::select(tiny, down, one));
    let ((p, p_error), (q, q_error)) =
        (two_product(large * scale, large * scale), two_product(small * scale, small * scale));
    let (sum, error) = fast_two_sum(p, q);
    let root = sum.sqrt();
    let (square, square_error) = two_product(root, root);
    let rest = (sum - square) - square_error + (error + (p_error + q_error));
    let correction = F::select(zero.less(root), F::of(0.5) * rest / root, zero);
    let value = F::select(x.is_nan() | y.is_nan(), F::of(f64::NAN), (root + correction) * back);
    F::select(either, infinity, value)
}

/// `x = 8ᵏ m` with m in [½, 4): Newton's iteration for `m^(−1/3)`, free of divisions, and a last step for the root
/// itself with its cube taken exactly.
#[inline(always)]
pub fn cbrt<F: Float>(x: F) -> F {
    let (a, third, one) = (x.abs(), F::of(1.0 / 3.0), F::of(1.0));
    let subnormal = a.less(F::of(F::TINY));
    let a = F::select(subnormal, a * constant(16777216.0, 18014398509481984.0), a);
    // The biased exponent as a float by way of its bits, then a third of the exponent, rounded, likewise.
    let origin = constant::<F>(8388608.0, 4503599627370496.0);
    let exponent = F::from_bits(origin.bits() | (a.bits() >> F::FRACTION)) - (origin + F::of(F::BIAS as f64));
    let k = exponent.mul_add(third, F::of(F::MAGIC)).bits();
    let m = F::from_bits(a.bits().minus(k.plus(k).plus(k) << F::FRACTION));
    let mut y = horner(m, &CBRT);
    for _ in 0..if F::DOUBLE { 2 } else { 1 } {
        let defect = one - m * y * (y * y);
        y = y.mul_add(defect * third, y);
    }
    let c = m * y * y;
    let (square, square_error) = two_product(c, c);
    let (cube, cube_error) = two_product(square, c);
    let rest = ((m - cube) - cube_error) - square_error * c;
    let c = (rest * (y * y)).mul_add(third, c);
    let unscale = F::select(subnormal, constant(0.00390625, 3.814697265625e-06), one);
    let root = F::from_bits(c.bits().plus(k << F::FRACTION)) * unscale;
    let special = !(a.less(F::of(f64::INFINITY)) & F::of(0.0).less(a));
    with_sign(F::select(special, a, root.abs()), x)
}

/// `x^(−1/3)`, degree 6 on [0.49, 4.05], relative error 2^-8.9.
const CBRT: [f64; 7] = [
    1.8652077333873842,
    -1.8044274634872568,
    1.5057165957043808,
    -0.7528474045932442,
    0.21609041527874148,
    -0.03281190402885938,
    0.002039412761333168,
];
