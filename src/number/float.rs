//! `Number` for the floats and their fused twins.

use super::{Family, Fused, Lane, Number, Real};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

macro_rules! number_by_std {
    ($t:ty) => {
        impl Number for $t {
            type Mask = bool;
            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn less(self, o: Self) -> bool {
                self < o
            }
            #[inline(always)]
            fn less_equal(self, o: Self) -> bool {
                self <= o
            }
            #[inline(always)]
            fn equal(self, o: Self) -> bool {
                self == o
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[inline(always)]
            fn sign(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else {
                    self
                }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$t>::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                <$t>::ceil(self)
            }
            #[inline(always)]
            fn round(self) -> Self {
                <$t>::round_ties_even(self)
            }
            #[inline(always)]
            fn minimum(self, o: Self) -> Self {
                if self.is_nan() {
                    self
                } else if o.is_nan() {
                    o
                } else if self < o {
                    self
                } else {
                    o
                }
            }
            #[inline(always)]
            fn maximum(self, o: Self) -> Self {
                if self.is_nan() {
                    self
                } else if o.is_nan() {
                    o
                } else if self > o {
                    self
                } else {
                    o
                }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn cbrt(self) -> Self {
                <$t>::cbrt(self)
            }
            #[inline(always)]
            fn pow(self, e: Self) -> Self {
                <$t>::powf(self, e)
            }
            #[inline(always)]
            fn hypot(self, o: Self) -> Self {
                <$t>::hypot(self, o)
            }
            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                <$t>::atan2(self, x)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                <$t>::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                <$t>::exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                <$t>::ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                <$t>::ln_1p(self)
            }
            #[inline(always)]
            fn log2(self) -> Self {
                <$t>::log2(self)
            }
            #[inline(always)]
            fn log10(self) -> Self {
                <$t>::log10(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                <$t>::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                <$t>::cos(self)
            }
            #[inline(always)]
            fn tan(self) -> Self {
                <$t>::tan(self)
            }
            #[inline(always)]
            fn asin(self) -> Self {
                <$t>::asin(self)
            }
            #[inline(always)]
            fn acos(self) -> Self {
                <$t>::acos(self)
            }
            #[inline(always)]
            fn atan(self) -> Self {
                <$t>::atan(self)
            }
            #[inline(always)]
            fn sinh(self) -> Self {
                <$t>::sinh(self)
            }
            #[inline(always)]
            fn cosh(self) -> Self {
                <$t>::cosh(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                <$t>::tanh(self)
            }
            #[inline(always)]
            fn asinh(self) -> Self {
                <$t>::asinh(self)
            }
            #[inline(always)]
            fn acosh(self) -> Self {
                <$t>::acosh(self)
            }
            #[inline(always)]
            fn atanh(self) -> Self {
                <$t>::atanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                (2.0 / std::f64::consts::PI.sqrt() * self as f64) as $t
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                1.0 - Number::erf(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                1.0 / (1.0 + (-self).exp())
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                if self > 0.0 { self + (-self).exp().ln_1p() } else { self.exp().ln_1p() }
            }
            #[inline(always)]
            fn tanhshrink(self) -> Self {
                self - self.tanh()
            }
            #[inline(always)]
            fn gauss(self) -> Self {
                (-0.5 * self * self).exp()
            }
            #[inline(always)]
            fn normal_cdf(self) -> Self {
                0.5 * Number::erfc(-self / (2.0 as $t).sqrt())
            }
        }
        impl Neg for Fused<$t> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Fused(-self.0)
            }
        }
        impl Add for Fused<$t> {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                Fused(self.0 + o.0)
            }
        }
        impl Sub for Fused<$t> {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                Fused(self.0 - o.0)
            }
        }
        impl Mul for Fused<$t> {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                Fused(self.0 * o.0)
            }
        }
        impl Div for Fused<$t> {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                Fused(self.0 / o.0)
            }
        }
        impl AddAssign for Fused<$t> {
            #[inline(always)]
            fn add_assign(&mut self, o: Self) {
                self.0 += o.0
            }
        }
        impl Lane<$t> for Fused<$t> {
            #[inline(always)]
            fn of(x: $t) -> Self {
                Fused(x)
            }
            #[inline(always)]
            fn get(self) -> $t {
                self.0
            }
        }
    };
}
macro_rules! forward_fused {
    ($t:ty; $($one:ident)*; $($two:ident)*) => {
        impl Number for Fused<$t> {
            type Mask = bool;
            #[inline(always)] fn lit(self, value: f64) -> Self { Fused(value as $t) }
            #[inline(always)] fn mul_add(self, a: Self, b: Self) -> Self { Fused(<$t>::mul_add(self.0, a.0, b.0)) }
            #[inline(always)] fn less(self, o: Self) -> bool { self.0 < o.0 }
            #[inline(always)] fn less_equal(self, o: Self) -> bool { self.0 <= o.0 }
            #[inline(always)] fn equal(self, o: Self) -> bool { self.0 == o.0 }
            #[inline(always)] fn select(mask: bool, a: Self, b: Self) -> Self { if mask { a } else { b } }
            $(#[inline(always)] fn $one(self) -> Self { Fused(Number::$one(self.0)) })*
            $(#[inline(always)] fn $two(self, o: Self) -> Self { Fused(Number::$two(self.0, o.0)) })*
        }
    };
}
number_by_std!(f32);
number_by_std!(f64);
forward_fused!(f32; abs sign floor ceil round sqrt cbrt exp exp_m1 ln ln_1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc sigmoid softplus tanhshrink gauss normal_cdf; minimum maximum pow hypot atan2);
forward_fused!(f64; abs sign floor ceil round sqrt cbrt exp exp_m1 ln ln_1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc sigmoid softplus tanhshrink gauss normal_cdf; minimum maximum pow hypot atan2);

impl Real for f32 {
    const EPSILON: f32 = f32::EPSILON;
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    type Fused = Fused<f32>;
    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
    #[inline(always)]
    fn choose<F: Family>(f32: &'static F::Of<f32>, _: &'static F::Of<f64>) -> &'static F::Of<f32> {
        f32
    }
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    type Fused = Fused<f64>;
    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    #[inline(always)]
    fn choose<F: Family>(_: &'static F::Of<f32>, f64: &'static F::Of<f64>) -> &'static F::Of<f64> {
        f64
    }
}
