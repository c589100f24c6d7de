//! Dual numbers: a value and its derivative along one direction, carried through a computation together.

use super::elementwise::{Elementwise, Elementwise2};
use super::number::primitives;
use crate::number::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value and its tangent: forward mode without a tape.
///
/// A function written over [`Number`] and called with `Dual` gives its derivative along with its value. Duals nest:
/// `Dual<Dual<f64>>` gives second derivatives.
///
/// ```
/// use retrograde::{Dual, Number};
///
/// fn f<N: Number>(x: N) -> N {
///     x.sin() * x
/// }
/// let y = f(Dual { value: 2.0_f64, tangent: 1.0 });
/// assert!((y.tangent - (2f64.cos() * 2.0 + 2f64.sin())).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<N> {
    /// The value.
    pub value: N,
    /// Its derivative along the direction.
    pub tangent: N,
}

impl<N: Number> Dual<N> {
    /// A number whose derivative is 1: the variable itself.
    #[inline(always)]
    pub fn variable(value: N) -> Dual<N> {
        Dual { value, tangent: value.lit(1.0) }
    }

    /// The chain rule for a function of one number.
    #[inline(always)]
    fn chain(self, e: impl Elementwise) -> Dual<N> {
        let value = e.f(self.value);
        Dual { value, tangent: self.tangent * e.df(self.value, value) }
    }

    /// The chain rule for a function of two numbers.
    #[inline(always)]
    fn chain2(self, other: Dual<N>, e: impl Elementwise2) -> Dual<N> {
        let value = e.f(self.value, other.value);
        let (da, db) = e.df(self.value, other.value, value);
        Dual { value, tangent: self.tangent * da + other.tangent * db }
    }
}

impl<N: Number> Neg for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

impl<N: Number> Add for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<N: Number> Sub for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<N: Number> Mul for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = self.tangent * other.value + self.value * other.tangent;
        Dual { value: self.value * other.value, tangent }
    }
}

impl<N: Number> Div for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Dual { value, tangent: (self.tangent - value * other.tangent) / other.value }
    }
}

macro_rules! dual_number {
    ($([$($one:ident $of:path,)*] [$($two:ident $of2:path,)*])*) => {
        impl<N: Number> Number for Dual<N> {
            type Mask = N::Mask;
            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                Dual { value: self.value.lit(value), tangent: self.value.lit(0.0) }
            }
            #[inline(always)]
            fn two_product(self, other: Self) -> (Self, Self) {
                let (value, error) = self.value.two_product(other.value);
                let tangent = self.tangent * other.value + self.value * other.tangent;
                (Dual { value, tangent }, Dual { value: error, tangent: value.lit(0.0) })
            }
            #[inline(always)]
            fn powf(self, p: f64) -> Self {
                self.chain(crate::ops::power::Powf(p))
            }
            #[inline(always)]
            fn scale(self, c: f64) -> Self {
                Dual { value: self.value.scale(c), tangent: self.tangent.scale(c) }
            }
            #[inline(always)]
            fn less(self, other: Self) -> N::Mask {
                self.value.less(other.value)
            }
            #[inline(always)]
            fn less_equal(self, other: Self) -> N::Mask {
                self.value.less_equal(other.value)
            }
            #[inline(always)]
            fn equal(self, other: Self) -> N::Mask {
                self.value.equal(other.value)
            }
            #[inline(always)]
            fn select(mask: N::Mask, a: Self, b: Self) -> Self {
                Dual {
                    value: N::select(mask, a.value, b.value),
                    tangent: N::select(mask, a.tangent, b.tangent),
                }
            }
            $($(
                #[inline(always)]
                fn $one(self) -> Self {
                    self.chain($of)
                }
            )*
            $(
                #[inline(always)]
                fn $two(self, other: Self) -> Self {
                    self.chain2(other, $of2)
                }
            )*)*
        }
    };
}
primitives!(dual_number);
