//! `Number` for the floats and their fused twins.

use super::math::{self, Float, erf, exp, log, pow, trig};
use super::{Family, Fused, Lane, Number, Real};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `Number` and `Float` for `$t`, which holds a `$raw`. Arithmetic, roots and rounding are instructions.
macro_rules! number {
    ($t:ty, $raw:ty, $bits:ty, $wide:ty, double: $double:literal, fused: $fused:literal, tame: $tame:literal,
     one: $($one:ident by $module:ident)*; two: $($two:ident by $module2:ident)*) => {
        impl Float for $t {
            type Bits = $bits;
            type Wide = $wide;
            const DOUBLE: bool = $double;
            const FUSED: bool = $fused;
            const TAME: bool = $tame;
            #[inline(always)]
            fn bits(self) -> $bits {
                self.get().to_bits()
            }
            #[inline(always)]
            fn from_bits(bits: $bits) -> Self {
                Lane::of(<$raw>::from_bits(bits))
            }
            #[inline(always)]
            fn of(value: f64) -> Self {
                <Self as Lane<$raw>>::of(value as $raw)
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self.get() as f64
            }
        }
        impl Number for $t {
            type Mask = bool;
            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                <Self as Float>::of(value)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                if $fused { Lane::of(<$raw>::mul_add(self.get(), a.get(), b.get())) } else { self * a + b }
            }
            #[inline(always)]
            fn two_product(self, other: Self) -> (Self, Self) {
                math::two_product(self, other)
            }
            #[inline(always)]
            fn less(self, o: Self) -> bool {
                self.get() < o.get()
            }
            #[inline(always)]
            fn less_equal(self, o: Self) -> bool {
                self.get() <= o.get()
            }
            #[inline(always)]
            fn equal(self, o: Self) -> bool {
                self.get() == o.get()
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Lane::of(<$raw>::abs(self.get()))
            }
            #[inline(always)]
            fn sign(self) -> Self {
                let below = if self.get() < 0.0 { self.lit(-1.0) } else { self };
                if self.get() > 0.0 { self.lit(1.0) } else { below }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                Lane::of(<$raw>::floor(self.get()))
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                Lane::of(<$raw>::ceil(self.get()))
            }
            #[inline(always)]
            fn round(self) -> Self {
                Lane::of(<$raw>::round_ties_even(self.get()))
            }
            #[inline(always)]
            fn minimum(self, o: Self) -> Self {
                // The comparison gives `o` where that is NaN.
                let least = if self.get() < o.get() { self } else { o };
                if self.get().is_nan() { self } else { least }
            }
            #[inline(always)]
            fn maximum(self, o: Self) -> Self {
                let largest = if self.get() > o.get() { self } else { o };
                if self.get().is_nan() { self } else { largest }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Lane::of(<$raw>::sqrt(self.get()))
            }
            $(#[inline(always)]
            fn $one(self) -> Self {
                $module::$one(self)
            })*
            $(#[inline(always)]
            fn $two(self, o: Self) -> Self {
                $module2::$two(self, o)
            })*
        }
    };
}

macro_rules! numbers {
    ($($t:ty, $raw:ty, $bits:ty, $wide:ty, double: $double:literal, fused: $fused:literal, tame: $tame:literal;)*) => {$(
        number!(
            $t, $raw, $bits, $wide, double: $double, fused: $fused, tame: $tame,
            one: exp by exp exp_m1 by exp sigmoid by exp tanh by exp tanhshrink by exp sinh by exp cosh by exp
                gauss by exp ln by log ln_1p by log log2 by log log10 by log softplus by log asinh by log
                acosh by log atanh by log erf by erf erfc by erf normal_cdf by erf sin by trig cos by trig
                tan by trig asin by trig acos by trig atan by trig cbrt by pow;
            two: atan2 by trig pow by pow hypot by pow
        );
    )*};
}
numbers! {
    f32, f32, u32, f64, double: false, fused: false, tame: false;
    f64, f64, u64, f64, double: true, fused: false, tame: false;
    Fused<f32>, f32, u32, Fused<f64>, double: false, fused: true, tame: false;
    Fused<f64>, f64, u64, Fused<f64>, double: true, fused: true, tame: false;
    Fused<f32, true>, f32, u32, Fused<f64>, double: false, fused: true, tame: true;
    Fused<f64, true>, f64, u64, Fused<f64>, double: true, fused: true, tame: true;
}

macro_rules! fused {
    ($($t:ty, $tame:literal: $($trait:ident $method:ident)*;)*) => {$(
        $(impl $trait for Fused<$t, $tame> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self {
                Fused(self.0.$method(o.0))
            }
        })*
        impl Neg for Fused<$t, $tame> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Fused(-self.0)
            }
        }
        impl AddAssign for Fused<$t, $tame> {
            #[inline(always)]
            fn add_assign(&mut self, o: Self) {
                self.0 += o.0;
            }
        }
        impl Lane<$t> for Fused<$t, $tame> {
            type Tame = Fused<$t, true>;
            #[inline(always)]
            fn of(x: $t) -> Self {
                Fused(x)
            }
            #[inline(always)]
            fn get(self) -> $t {
                self.0
            }
        }
    )*};
}
fused! {
    f32, false: Add add Sub sub Mul mul Div div;
    f64, false: Add add Sub sub Mul mul Div div;
    f32, true: Add add Sub sub Mul mul Div div;
    f64, true: Add add Sub sub Mul mul Div div;
}

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
