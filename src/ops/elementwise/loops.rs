//! The loops of element-wise functions, and the macros that compile them in this crate.

use super::{Elementwise, Elementwise2};
use crate::kernels::{Function, run1, run2, run3, run4};
use crate::number::{Family, Number, Real};

/// A loop over `K` inputs.
type Loop<T, E, const K: usize> = fn(E, [&[T]; K], &mut [T]);

/// The loops of a function of one number over elements of type `T`.
pub struct Loops<T, E> {
    pub(super) forward: fn(E, &[T], &mut [T]),
    /// g · df(x, y).
    pub(super) backward: Loop<T, E, 3>,
    /// w · g · d²f(x).
    pub(super) second: Loop<T, E, 4>,
}

/// The loops of a function of two numbers.
pub struct Loops2<T, E> {
    pub(super) forward: fn(E, &[T], &[T], &mut [T]),
    /// g · ∂f/∂a and g · ∂f/∂b, from g, a, b and y.
    pub(super) backward: [Loop<T, E, 4>; 2],
}

impl<T: Real, E: Elementwise> Loops<T, E> {
    pub(crate) const HERE: Loops<T, E> = Loops {
        forward: |e, x, out| run1(Forward(e), x, out),
        backward: |e, [g, x, y], out| run3(Backward(e), g, x, y, out),
        second: |e, [w, g, x, y], out| run4(Second(e), w, g, x, y, out),
    };
}

impl<T: Real, E: Elementwise2> Loops2<T, E> {
    pub(crate) const HERE: Loops2<T, E> = Loops2 {
        forward: |e, a, b, out| run2(Forward(e), a, b, out),
        backward: [
            |e, [g, a, b, y], out| run4(BackwardA(e), g, a, b, y, out),
            |e, [g, a, b, y], out| run4(BackwardB(e), g, a, b, y, out),
        ],
    };
}

/// The loops of `E` by element type.
pub struct LoopsOf<E>(E);
impl<E: Elementwise> Family for LoopsOf<E> {
    type Of<T: Real> = Loops<T, E>;
}

/// The loops of `E` by element type.
pub struct Loops2Of<E>(E);
impl<E: Elementwise2> Family for Loops2Of<E> {
    type Of<T: Real> = Loops2<T, E>;
}

/// Inside an `impl Elementwise`: compiles the loops for both element types in this crate, so that its profile, not
/// the user's, decides how fast they are.
macro_rules! compiled {
    ($e:ty) => {
        fn loops<T: $crate::number::Real>() -> &'static $crate::ops::elementwise::Loops<T, Self> {
            static F32: $crate::ops::elementwise::Loops<f32, $e> = $crate::ops::elementwise::Loops::HERE;
            static F64: $crate::ops::elementwise::Loops<f64, $e> = $crate::ops::elementwise::Loops::HERE;
            T::choose::<$crate::ops::elementwise::LoopsOf<$e>>(&F32, &F64)
        }
    };
}
pub(crate) use compiled;

/// The same inside an `impl Elementwise2`.
macro_rules! compiled2 {
    ($e:ty) => {
        fn loops<T: $crate::number::Real>() -> &'static $crate::ops::elementwise::Loops2<T, Self> {
            static F32: $crate::ops::elementwise::Loops2<f32, $e> = $crate::ops::elementwise::Loops2::HERE;
            static F64: $crate::ops::elementwise::Loops2<f64, $e> = $crate::ops::elementwise::Loops2::HERE;
            T::choose::<$crate::ops::elementwise::Loops2Of<$e>>(&F32, &F64)
        }
    };
}
pub(crate) use compiled2;

/// A family of element-wise functions of one number: for each its documentation, its name, the method's name,
/// `f` and `df` as expressions in `x` and `y`, and the samples for the conformance table.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident $method:ident |$x:ident, $y:ident| $f:expr, $df:expr; $samples:expr
        $(, of an angle: $angle:literal)?;)*) => {
        $(
            #[doc = concat!("The function behind [`Var::", stringify!($method), "`](crate::Var::", stringify!($method), ").")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl $crate::ops::Elementwise for $name {
                const NAME: &'static str = stringify!($method);
                $(const OF_AN_ANGLE: bool = $angle;)?
                #[inline(always)]
                fn f<N: $crate::number::Number>(self, $x: N) -> N {
                    $f
                }
                #[inline(always)]
                fn df<N: $crate::number::Number>(self, $x: N, $y: N) -> N {
                    let _ = ($x, $y);
                    $df
                }
                $crate::ops::compiled!($name);
            }

            impl<'t, T: $crate::number::Real> $crate::tape::Var<'t, T> {
                $(#[$doc])*
                #[track_caller]
                pub fn $method(self) -> $crate::tape::Var<'t, T> {
                    self.elementwise($name)
                }
            }
        )*

        #[cfg(test)]
        pub(super) fn samples() -> Vec<crate::conformance::Sample> {
            use crate::conformance::{sample, unary};
            vec![$(sample!(stringify!($method), $samples, |x| x[0].$method())),*]
        }
    };
}
pub(crate) use unary;

#[derive(Clone, Copy)]
struct Forward<E>(E);
#[derive(Clone, Copy)]
struct Backward<E>(E);
#[derive(Clone, Copy)]
struct Second<E>(E);
#[derive(Clone, Copy)]
struct BackwardA<E>(E);
#[derive(Clone, Copy)]
struct BackwardB<E>(E);

/// The index `i` of x among the arguments, where that is an angle.
const fn angle<E: Elementwise>(i: usize) -> Option<usize> {
    if E::OF_AN_ANGLE { Some(i) } else { None }
}

impl<E: Elementwise> Function<1> for Forward<E> {
    const ANGLE: Option<usize> = angle::<E>(0);
    #[inline(always)]
    fn at<N: Number>(self, [x]: [N; 1]) -> N {
        self.0.f(x)
    }
}

impl<E: Elementwise> Function<3> for Backward<E> {
    const ANGLE: Option<usize> = angle::<E>(1);
    #[inline(always)]
    fn at<N: Number>(self, [g, x, y]: [N; 3]) -> N {
        g * self.0.df(x, y)
    }
}

impl<E: Elementwise> Function<4> for Second<E> {
    const ANGLE: Option<usize> = angle::<E>(2);
    #[inline(always)]
    fn at<N: Number>(self, [w, g, x, y]: [N; 4]) -> N {
        w * g * self.0.d2f(x, y)
    }
}

impl<E: Elementwise2> Function<2> for Forward<E> {
    #[inline(always)]
    fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
        self.0.f(a, b)
    }
}

impl<E: Elementwise2> Function<4> for BackwardA<E> {
    #[inline(always)]
    fn at<N: Number>(self, [g, a, b, y]: [N; 4]) -> N {
        g * self.0.df(a, b, y).0
    }
}

impl<E: Elementwise2> Function<4> for BackwardB<E> {
    #[inline(always)]
    fn at<N: Number>(self, [g, a, b, y]: [N; 4]) -> N {
        g * self.0.df(a, b, y).1
    }
}
