//! Dual numbers: a value and its derivatives along some directions, carried through a computation together.

use super::elementwise::{Elementwise, Elementwise2};
use super::number::primitives;
use crate::number::{Number, Scalar};
use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A value and its tangents along `K` directions: forward mode without a tape.
///
/// A function written over [`Number`], or over [`Scalar`] where it branches on values, gives its derivatives along
/// with its value when it is called with duals. With one direction, the default, that is a derivative:
///
/// ```
/// use retrograde::{Dual, Number};
///
/// fn f<N: Number>(x: N) -> N {
///     x.sin() * x
/// }
/// let y = f(Dual::variable(2.0_f64));
/// assert_eq!(y.value, f(2.0));
/// assert!((y.tangent() - (2f64.cos() * 2.0 + 2f64.sin())).abs() < 1e-15);
/// ```
///
/// With several it is a gradient in one evaluation:
///
/// ```
/// use retrograde::Dual;
///
/// let [a, b, c] = Dual::variables([2.0_f64, 3.0, 5.0]);
/// assert_eq!((a * b - c).tangents, [3.0, 2.0, -1.0]);
/// ```
///
/// # Nesting
///
/// Duals nest: the tangent of a `Dual<Dual<f64>>` has a tangent, the second derivative, and a `Dual<Var>` is forward
/// mode over a tape. A function differentiated inside another takes the outer variable as a constant of its own,
/// which keeps the two directions apart:
///
/// ```
/// use retrograde::Dual;
///
/// // d/dx (x · d/dy (x + y)) = 1.
/// let x = Dual::variable(3.0_f64);
/// let inner = Dual::constant(x) + Dual::variable(x);
/// assert_eq!((x * inner.tangent()).tangent(), 1.0);
///
/// // x⁴ at 2: the first and second derivatives.
/// let x = Dual::variable(Dual::variable(2.0_f64));
/// let y = x * x * x * x;
/// assert_eq!((y.tangent().value, y.tangent().tangent()), (32.0, 48.0));
/// ```
///
/// # Gradient
///
/// At kinks and ties the derivatives are those that [`Number`] names, which are the tape's. A constant has tangents
/// of 0, and 0 · ∞ is NaN: multiply what may be infinite by [`scale`](Number::scale), and take fixed powers by
/// [`powf`](Number::powf), whose derivative needs no logarithm of the base.
///
/// # Comparison
///
/// `==` and `<` see the value alone, as they do in the program that is differentiated: it takes the same branches with
/// duals as with floats. So equal duals may have different tangents.
#[derive(Clone, Copy, Debug)]
pub struct Dual<N, const K: usize = 1> {
    /// The value.
    pub value: N,
    /// Its derivatives along the directions.
    pub tangents: [N; K],
}

impl<N: Number> Dual<N> {
    /// A value and its derivative along the one direction.
    ///
    /// ```
    /// use retrograde::Dual;
    ///
    /// // The chain rule by hand: x = t² at t = 3.
    /// let x = Dual::new(9.0_f64, 6.0);
    /// assert_eq!((x * x).tangent(), 4.0 * 27.0);
    /// ```
    #[inline(always)]
    pub fn new(value: N, tangent: N) -> Dual<N> {
        Dual { value, tangents: [tangent] }
    }

    /// A number whose derivative is 1: the variable itself.
    ///
    /// ```
    /// use retrograde::Dual;
    ///
    /// let x = Dual::variable(3.0_f32);
    /// assert_eq!((x * x).tangent(), 6.0);
    /// ```
    #[inline(always)]
    pub fn variable(value: N) -> Dual<N> {
        Dual::new(value, value.lit(1.0))
    }

    /// The derivative along the one direction.
    ///
    /// ```
    /// use retrograde::{Dual, Number};
    ///
    /// assert_eq!(Dual::variable(0.0_f64).exp().tangent(), 1.0);
    /// ```
    #[inline(always)]
    pub fn tangent(self) -> N {
        self.tangents[0]
    }
}

impl<N: Number, const K: usize> Dual<N, K> {
    /// A number that depends on no direction.
    ///
    /// ```
    /// use retrograde::Dual;
    ///
    /// let [x, y] = Dual::variables([2.0_f64, 3.0]);
    /// assert_eq!((Dual::constant(10.0) * x + y).tangents, [10.0, 1.0]);
    /// ```
    #[inline(always)]
    pub fn constant(value: N) -> Dual<N, K> {
        Dual { value, tangents: [value.lit(0.0); K] }
    }

    /// The variables, each with a direction of its own: the tangents of what is computed from them are its gradient.
    ///
    /// ```
    /// use retrograde::{Dual, Number};
    ///
    /// let [x, y] = Dual::variables([3.0_f64, 4.0]);
    /// assert_eq!(x.hypot(y).tangents, [0.6, 0.8]);
    /// ```
    #[inline(always)]
    pub fn variables(values: [N; K]) -> [Dual<N, K>; K] {
        let Some(&first) = values.first() else { return values.map(Dual::constant) };
        let mut all = [Dual::constant(first); K];
        for k in 0..K {
            all[k].value = values[k];
            all[k].tangents[k] = values[k].lit(1.0);
        }
        all
    }

    /// The value given, with tangents made from these by their index.
    ///
    /// A loop, because `[N; K]::map` stays a call in long functions, and then no loop over them vectorises.
    #[inline(always)]
    fn with(mut self, value: N, tangent: impl Fn(usize, N) -> N) -> Dual<N, K> {
        for (k, t) in self.tangents.iter_mut().enumerate() {
            *t = tangent(k, *t);
        }
        Dual { value, ..self }
    }

    /// The chain rule for a function of one number.
    #[inline(always)]
    fn chain(self, e: impl Elementwise) -> Dual<N, K> {
        let value = e.f(self.value);
        let d = e.df(self.value, value);
        self.with(value, |_, t| t * d)
    }

    /// The chain rule for a function of two numbers.
    #[inline(always)]
    fn chain2(self, other: Dual<N, K>, e: impl Elementwise2) -> Dual<N, K> {
        let value = e.f(self.value, other.value);
        let (da, db) = e.df(self.value, other.value, value);
        self.with(value, |k, t| t * da + other.tangents[k] * db)
    }
}

impl<N: PartialEq, const K: usize> PartialEq for Dual<N, K> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<N: PartialOrd, const K: usize> PartialOrd for Dual<N, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<N: Scalar, const K: usize> Scalar for Dual<N, K> {
    #[inline(always)]
    fn primal(self) -> f64 {
        self.value.primal()
    }
}

impl<N: Number, const K: usize> Neg for Dual<N, K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.with(-self.value, |_, t| -t)
    }
}

impl<N: Number, const K: usize> Add for Dual<N, K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(self.value + other.value, |k, t| t + other.tangents[k])
    }
}

impl<N: Number, const K: usize> Sub for Dual<N, K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(self.value - other.value, |k, t| t - other.tangents[k])
    }
}

impl<N: Number, const K: usize> Mul for Dual<N, K> {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the product rule")]
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(self.value * other.value, |k, t| t * other.value + self.value * other.tangents[k])
    }
}

impl<N: Number, const K: usize> Div for Dual<N, K> {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the quotient rule")]
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        self.with(value, |k, t| (t - value * other.tangents[k]) / other.value)
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $symbol:tt;)*) => {$(
        impl<N: Number, const K: usize> $trait for Dual<N, K> {
            #[inline(always)]
            fn $method(&mut self, other: Self) {
                *self = *self $symbol other;
            }
        }
    )*};
}
assign! {
    AddAssign add_assign +;
    SubAssign sub_assign -;
    MulAssign mul_assign *;
    DivAssign div_assign /;
}

macro_rules! dual_number {
    ($([$($one:ident $of:path,)*] [$($two:ident $of2:path,)*])*) => {
        impl<N: Number, const K: usize> Number for Dual<N, K> {
            type Mask = N::Mask;
            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                Dual::constant(self.value.lit(value))
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                let value = self.value.mul_add(a.value, b.value);
                self.with(value, |k, t| t.mul_add(a.value, self.value.mul_add(a.tangents[k], b.tangents[k])))
            }
            #[inline(always)]
            fn two_product(self, other: Self) -> (Self, Self) {
                let (value, error) = self.value.two_product(other.value);
                let product = self * other;
                (Dual { value, ..product }, Dual::constant(error))
            }
            #[inline(always)]
            fn powf(self, p: f64) -> Self {
                self.chain(crate::ops::power::Powf(p))
            }
            #[inline(always)]
            fn scale(self, c: f64) -> Self {
                self.with(self.value.scale(c), |_, t| t.scale(c))
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
                a.with(N::select(mask, a.value, b.value), |k, t| N::select(mask, t, b.tangents[k]))
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
