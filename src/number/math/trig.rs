//! Sine, cosine, tangent and their inverses.
//!
//! With fused multiply-add, the argument is reduced in double precision for both types. From a tame one a multiple of
//! π/2 is subtracted (Cody and Waite's reduction). One that is larger is multiplied by as many digits of 2/π as its
//! exponent asks for (Payne and Hanek's): the digits are gathered from a table. Which of the two it is depends on
//! that one argument. A lane that is known to be tame leaves the second one out, and the vectorised loops of the
//! others compute both. Two roundings instead of one make the exact products there too slow: the plain floats take
//! the standard library's functions, in double precision, one element at a time.

use super::two_over_pi::TWO_OVER_PI;
use super::{Float, constant, fast_two_sum, horner, polynomial, two_product, two_sum, with_sign};
use crate::number::{Fused, Number, is_tame};

type Wide = Fused<f64>;

/// An angle as `quarters` turns by π/2 and the rest, `|angle + low| ≤ π/4` (1 + 2^-18).
struct Reduced {
    quarters: u64,
    angle: Wide,
    low: Wide,
}

/// v less a multiple of 4.
#[inline(always)]
fn modulo_4(v: Wide) -> Wide {
    Wide::of(-4.0).mul_add((v * Wide::of(0.25)).round(), v)
}

/// The reduction of a tame angle to the precision of a result in double precision (`double`), or a single one.
#[inline(always)]
fn reduced_tame(x: Wide, double: bool) -> Reduced {
    let magic = x.mul_add(Wide::of(std::f64::consts::FRAC_2_PI), Wide::of(Wide::MAGIC));
    let n = magic - Wide::of(Wide::MAGIC);
    // Exact: a multiple of π/2's last digit, and below 1.
    let high = (-n).mul_add(Wide::of(HALF_PI[0]), x);
    if !double {
        let angle = (-n).mul_add(Wide::of(HALF_PI[1]), high);
        return Reduced { quarters: magic.bits(), angle, low: Wide::of(0.0) };
    }
    let (p, e) = two_product(n, Wide::of(HALF_PI[1]));
    let angle = high - p;
    // The error of this difference is exact, also where p is the larger one: `high` is a multiple of p's last digit.
    let low = ((high - angle) - p) - n.mul_add(Wide::of(HALF_PI[2]), e);
    Reduced { quarters: magic.bits(), angle, low }
}

/// The same for an angle that is not tame.
#[inline(always)]
fn reduced_wild(x: Wide, double: bool) -> Reduced {
    // The row of the table, and x over 2^(32 g).
    let g = (x.abs().maximum(Wide::of(4294967296.0)).bits() >> 52).wrapping_sub(1023 + 32) >> 5;
    let x = Wide::from_bits(x.bits().wrapping_sub(g << 57));
    let digits = |i: usize| {
        if double {
            return Wide::from_bits(TWO_OVER_PI[(g & 31) as usize][i]);
        }
        // Three rows are enough for single precision, and a choice is faster than a gather.
        let row = |g: usize| Wide::from_bits(TWO_OVER_PI[g][i]);
        let larger = if g == 1 { row(1) } else { row(2) };
        if g == 0 { row(0) } else { larger }
    };
    // The product, below 2^86, 2^33, 2^-20 and 2^-73 term by term.
    let (p0, e0) = two_product(x, digits(0));
    let (p1, e1) = two_product(x, digits(1));
    let (s, t0) = two_sum(modulo_4(p0), modulo_4(e0));
    let (s, t1) = two_sum(s, modulo_4(p1));
    let n = s.round();
    // What is left is exact, and may be as small as 2^-62 only where the smaller terms have been added.
    let s = s - n;
    let quarters = (n + Wide::of(Wide::MAGIC)).bits();
    let half_pi = Wide::of(std::f64::consts::FRAC_PI_2);
    if !double {
        let s = s + ((x.mul_add(digits(2), e1)) + (t0 + t1));
        return Reduced { quarters, angle: s * half_pi, low: Wide::of(0.0) };
    }
    let (p2, e2) = two_product(x, digits(2));
    let (s, t2) = two_sum(s, e1);
    let (s, t3) = two_sum(s, p2);
    let (s, low) = fast_two_sum(s, ((t2 + t3) + (t0 + t1)) + x.mul_add(digits(3), e2));
    let angle = s * half_pi;
    let error = s.mul_add(half_pi, -angle);
    Reduced { quarters, angle, low: low.mul_add(half_pi, s.mul_add(Wide::of(HALF_PI[1]), error)) }
}

impl Reduced {
    /// The sine of the rest, as a sum.
    #[inline(always)]
    fn sin(&self, double: bool) -> (Wide, Wide) {
        let (z, half) = (self.angle * self.angle, Wide::of(0.5));
        if !double {
            return (self.angle * horner(z, &SIN_32), Wide::of(0.0));
        }
        // sin(a + b) = sin a + b cos a.
        let low = self.low * (-half).mul_add(z, Wide::of(1.0));
        (self.angle, (z * self.angle).mul_add(horner(z, &SIN_64), low))
    }
    /// The cosine of the rest, as a sum.
    #[inline(always)]
    fn cos(&self, double: bool) -> (Wide, Wide) {
        let z = self.angle * self.angle;
        if !double {
            return (horner(z, &COS_32), Wide::of(0.0));
        }
        let half = Wide::of(0.5) * z;
        let (high, error) = fast_two_sum(Wide::of(1.0), -half);
        (high, error + (z * z).mul_add(horner(z, &COS_64), -(self.angle * self.low)))
    }
}

/// Sine or cosine (`quarters` 0 or 1) of a tame angle to single precision, with the sign of a zero: the multiple
/// subtracted is one of π, odd multiples of π/2 for the cosine, and the polynomial reaches as far as π/2.
#[inline(always)]
fn wave_single(x: Wide, quarters: u64) -> Wide {
    let (magic, shift) = (Wide::of(Wide::MAGIC), Wide::of(0.5 * quarters as f64));
    let inverse = Wide::of(std::f64::consts::FRAC_1_PI);
    let m = if quarters == 0 { x.mul_add(inverse, magic) } else { x.mul_add(inverse, shift) + magic };
    let n = if quarters == 0 { m - magic } else { m - magic - shift };
    let angle = (-n).mul_add(Wide::of(2.0 * HALF_PI[0]), x);
    let angle = (-n).mul_add(Wide::of(2.0 * HALF_PI[1]), angle);
    let value = angle * horner(angle * angle, &WAVE_32);
    Wide::from_bits(value.bits() ^ (m.bits() << 63))
}

/// `sin(x + π/2 · quarters)`, less the sign of a zero.
#[inline(always)]
fn wave(r: Reduced, quarters: u64, double: bool) -> Wide {
    let ((sin, sin_low), (cos, cos_low)) = (r.sin(double), r.cos(double));
    let turns = r.quarters.wrapping_add(quarters);
    let value = match (double, turns & 1 == 0) {
        (true, true) => sin + sin_low,
        (true, false) => cos + cos_low,
        (false, true) => sin,
        (false, false) => cos,
    };
    Wide::from_bits(value.bits() ^ ((turns & 2) << 62))
}

/// NaN for infinity, whose exponent the reduction does not tell from others.
#[inline(always)]
fn if_finite<F: Float>(x: F, value: F) -> F {
    x.mul_add(F::of(0.0), value)
}

/// x itself where the function rounds to it: it may be a zero with a sign.
#[inline(always)]
fn unless_small<F: Float>(x: F, value: F) -> F {
    F::select(x.abs().less(constant(0.000244140625, 7.450580596923828e-9)), x, value)
}

/// The sine for 0 `quarters`, the cosine for 1. A loop computes both sides of the branch, a scalar only one.
#[inline(always)]
fn sin_or_cos<F: Float>(x: F, quarters: u64) -> F {
    let wide = Fused(x.wide());
    if !(F::TAME || is_tame(x)) {
        if_finite(x, F::of(wave(reduced_wild(wide, F::DOUBLE), quarters, F::DOUBLE).0))
    } else if F::DOUBLE {
        let value = F::of(wave(reduced_tame(wide, true), quarters, true).0);
        if quarters == 0 { unless_small(x, value) } else { value }
    } else {
        F::of(wave_single(wide, quarters).0)
    }
}

#[inline(always)]
pub fn sin<F: Float>(x: F) -> F {
    if !F::FUSED {
        return F::of(x.wide().sin());
    }
    sin_or_cos(x, 0)
}

#[inline(always)]
pub fn cos<F: Float>(x: F) -> F {
    if !F::FUSED {
        return F::of(x.wide().cos());
    }
    sin_or_cos(x, 1)
}

/// Sine over cosine, or minus the inverse. The reciprocal has the precision of the result, and the remainder of the
/// quotient by it is added.
#[inline(always)]
fn tangent<F: Float>(r: Reduced) -> F {
    let (sin, cos) = (r.sin(F::DOUBLE), r.cos(F::DOUBLE));
    let even = r.quarters & 1 == 0;
    let (num, num_low) = if even { sin } else { (-cos.0, -cos.1) };
    let (den, den_low) = if even { cos } else { sin };
    let inverse = |den: Wide| Fused((F::of(1.0) / F::of(den.0)).wide());
    if !F::DOUBLE {
        let inverse = inverse(den);
        let q = num * inverse;
        return F::of((-q).mul_add(den, num).mul_add(inverse, q).0);
    }
    let (den, den_low) = fast_two_sum(den, den_low);
    let inverse = inverse(den);
    let q = num * inverse;
    let remainder = (-q).mul_add(den_low, (-q).mul_add(den, num) + num_low);
    F::of(remainder.mul_add(inverse, q).0)
}

#[inline(always)]
pub fn tan<F: Float>(x: F) -> F {
    if !F::FUSED {
        return F::of(x.wide().tan());
    }
    let wide = Fused(x.wide());
    if F::TAME || is_tame(x) {
        unless_small(x, tangent(reduced_tame(wide, F::DOUBLE)))
    } else {
        if_finite(x, tangent(reduced_wild(wide, F::DOUBLE)))
    }
}

/// π/2 and what rounding it leaves.
#[inline(always)]
fn half_pi<F: Float>() -> (F, F) {
    (F::of(std::f64::consts::FRAC_PI_2), constant(-4.371138828673793e-08, 6.123233995736766e-17))
}

/// Is the sign set? Also that of a zero.
#[inline(always)]
fn negative<F: Float>(x: F) -> bool {
    with_sign(F::of(1.0), x).less(F::of(0.0))
}

/// The arc tangent of the smaller coordinate over the larger one, and a reflection into the octant.
#[inline(always)]
pub fn atan2<F: Float>(y: F, x: F) -> F {
    let (zero, one, infinity) = (F::of(0.0), F::of(1.0), F::of(f64::INFINITY));
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ax.less(ay);
    let (small, large) = (F::select(steep, ax, ay), F::select(steep, ay, ax));
    let q = small / F::select(large.equal(zero), one, large);
    let q = F::select(small.equal(infinity), one, q);
    let z = q * q;
    let arc = (q * z).mul_add(polynomial(z, &ATAN_32, &ATAN_64), q);
    let (quarter, low) = half_pi::<F>();
    let left = negative(x);
    let turns = F::select(steep, one, F::select(left, F::of(2.0), zero));
    let arc = F::select(steep ^ left, -arc, arc);
    let angle = quarter * turns + low.mul_add(turns, arc);
    F::select(x.is_nan() | y.is_nan(), F::of(f64::NAN), with_sign(angle.abs(), y))
}

#[inline(always)]
pub fn atan<F: Float>(x: F) -> F {
    atan2(x, F::of(1.0))
}

/// `asin a = s + rest` for a up to ½; beyond, `π/2 − asin a = 2 (s + rest)` by `asin a = π/2 − 2 asin √((1−a)/2)`.
#[inline(always)]
fn arc_sine<F: Float>(a: F) -> (bool, F, F) {
    let (zero, half) = (F::of(0.0), F::of(0.5));
    let beyond = half.less(a);
    let z = F::select(beyond, half * (F::of(1.0) - a), a * a);
    let root = z.sqrt();
    let (square, error) = two_product(root, root);
    let correction = F::select(zero.less(root), ((z - square) - error) * half / root, zero);
    let s = F::select(beyond, root, a);
    let series = (s * z) * polynomial(z, &ASIN_32, &ASIN_64);
    (beyond, s, series + F::select(beyond, correction, zero))
}

#[inline(always)]
pub fn asin<F: Float>(x: F) -> F {
    let (beyond, s, rest) = arc_sine(x.abs());
    let ((quarter, low), two) = (half_pi::<F>(), F::of(2.0));
    let (high, error) = fast_two_sum(quarter, -two * s);
    let far = high + (error + (low - two * rest));
    with_sign(F::select(beyond, far, s + rest).abs(), x)
}

#[inline(always)]
pub fn acos<F: Float>(x: F) -> F {
    let (beyond, s, rest) = arc_sine(x.abs());
    let ((quarter, low), two, zero) = (half_pi::<F>(), F::of(2.0), F::of(0.0));
    let left = x.less(zero);
    // turns · π/2 ± (s + rest), the latter doubled beyond ½.
    let turns = F::select(beyond, F::select(left, two, zero), F::of(1.0));
    let factor = F::select(beyond, two, F::of(1.0));
    let factor = F::select(beyond ^ left, factor, -factor);
    let (high, error) = two_sum(quarter * turns, factor * s);
    high + (error + low.mul_add(turns, factor * rest))
}

/// π/2 as a sum.
const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];

/// `sin x / x in x²`, degree 5 on [0.0, 2.4674], error 2^-33.85
const WAVE_32: [f64; 6] = [
    1.0,
    -0.16666666663881236,
    0.008333332768753579,
    -0.000198410865614788,
    2.75364635625748e-06,
    -2.4080190432969638e-08,
];

/// `sin x / x in x²`, degree 4 on [0.0, 0.61685], error 2^-35.8
const SIN_32: [f64; 5] =
    [1.0, -0.1666666666385529, 0.008333331874710208, -0.00019840086735384846, 2.724992580305979e-06];

/// `(sin x − x)/x³ in x²`, degree 6 on [0.0, 0.61685], error 2^-57.29
const SIN_64: [f64; 7] = [
    -0.16666666666666666,
    0.008333333333333331,
    -0.00019841269841265065,
    2.7557319219339167e-06,
    -2.5052106232447578e-08,
    1.6058531618986147e-10,
    -7.586697117706918e-13,
];

/// `cos x in x²`, degree 4 on [0.0, 0.61685], error 2^-30.32
const COS_32: [f64; 5] = [1.0, -0.5, 0.04166666465950221, -0.0013888303035894866, 2.4547942085071572e-05];

/// `(cos x − 1 + x²/2)/x⁴ in x²`, degree 6 on [0.0, 0.61685], error 2^-60.01
const COS_64: [f64; 7] = [
    0.041666666666666664,
    -0.0013888888888888887,
    2.4801587301584645e-05,
    -2.7557319221402824e-07,
    2.087675579108042e-09,
    -1.1470460887609959e-11,
    4.7458719020432915e-14,
];

/// `(atan x − x)/x³ in x²`, degree 9 on [0.0, 1.0], error 2^-26.45
const ATAN_32: [f64; 10] = [
    -0.3333333432674408,
    0.19999949634075165,
    -0.14284004271030426,
    0.11088261753320694,
    -0.08931826800107956,
    0.07031914591789246,
    -0.04896051436662674,
    0.026305001229047775,
    -0.00914462935179472,
    0.001488691894337535,
];

/// `(atan x − x)/x³ in x²`, degree 21 on [0.0, 1.0], error 2^-55.61
const ATAN_64: [f64; 22] = [
    -0.3333333333333333,
    0.1999999999999992,
    -0.14285714285701234,
    0.11111111110268297,
    -0.0909090906193528,
    0.07692307078827029,
    -0.06666657934573768,
    0.05882264416776449,
    -0.052624922290256754,
    0.04758080083637821,
    -0.043306538430670664,
    0.03938687540798632,
    -0.035271331066871296,
    0.030330719265790507,
    -0.024191345810140718,
    0.01718398172211335,
    -0.010412153260359241,
    0.005140912856746939,
    -0.0019612554271685326,
    0.0005376839297396244,
    -9.371186345052626e-05,
    7.767624330289919e-06,
];

/// `(asin x − x)/x³ in x²`, degree 5 on [0.0, 0.25], error 2^-28.39
const ASIN_32: [f64; 6] = [
    0.1666666567325592,
    0.07500094175338745,
    0.04459940269589424,
    0.031100662425160408,
    0.017149237915873528,
    0.03369084745645523,
];

/// `(asin x − x)/x³ in x²`, degree 13 on [0.0, 0.25], error 2^-58.6
const ASIN_64: [f64; 14] = [
    0.16666666666666666,
    0.07500000000000118,
    0.044642857142551895,
    0.03038194447553234,
    0.02237215744350722,
    0.017352816540325496,
    0.01396378001220357,
    0.011566459612121669,
    0.009621842970100282,
    0.009319560794767446,
    0.0030448799094556773,
    0.019554513336123378,
    -0.01924167174674304,
    0.02961201126495512,
];
