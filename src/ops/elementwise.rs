//! Element-wise independent functions: written once over [`Number`], run everywhere.
//!
//! From the two lines `f` and `df` the compiler makes the vectorised forward loop, the fused backward loop (the
//! cotangent times a diagonal Jacobian), the loop for second derivatives (`df` over dual numbers), and, where a
//! sweep over second derivatives is itself recorded, the rule unfolded into variables.

use super::Dual;
use crate::error::Result;
use crate::kernels::{Function, run1, run2, run3, run4};
use crate::number::{Family, Number, Real};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Tensor, elementwise};
use smallvec::SmallVec;

/// What an element costs in nanoseconds, about: an exponential and a division.
const COST: f32 = 0.7;

/// An element-wise independent function of one number, with its derivative.
///
/// Ten lines give an activation of your own fused kernels in both modes and derivatives of every order.
/// [`Var::elementwise`] applies it, and it is an [`Activation`](crate::Activation) by itself.
///
/// A user's function is compiled in the user's crate, so its speed is that of the user's build profile.
///
/// ```
/// use retrograde::{Elementwise, Number, Tape, Tensor};
///
/// /// x · σ(1.702 x), the sigmoid approximation of GELU.
/// #[derive(Clone, Copy)]
/// struct QuickGelu;
///
/// impl Elementwise for QuickGelu {
///     const NAME: &'static str = "quick_gelu";
///     fn f<N: Number>(self, x: N) -> N {
///         x * (x * x.lit(1.702)).sigmoid()
///     }
///     fn df<N: Number>(self, x: N, _y: N) -> N {
///         let u = x * x.lit(1.702);
///         u.sigmoid() + u * u.sigmoid() * (-u).sigmoid()
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([0.0, 1.0]));
/// let g = x.elementwise(QuickGelu).sum().backward()?.wrt(x)?.clone();
/// assert_eq!(g[[0]], 0.5);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait Elementwise: Copy + Send + Sync + 'static {
    /// The name in messages and printouts.
    const NAME: &'static str;

    /// The function.
    fn f<N: Number>(self, x: N) -> N;

    /// Its derivative at `x`, where the function's value is `y`. It is differentiated in turn, so it must be as
    /// smooth and as finite as the derivative itself: no form through `|x|` or an intermediate that overflows.
    fn df<N: Number>(self, x: N, y: N) -> N;

    /// The second derivative: that of [`df`](Elementwise::df) by dual numbers, unless a closed form is more accurate,
    /// as where the parts of `df` have derivatives that cancel.
    #[inline(always)]
    fn d2f<N: Number>(self, x: N, y: N) -> N {
        let dy = Dual { value: y, tangent: self.df(x, y) };
        self.df(Dual::variable(x), dy).tangent
    }

    /// Refuses parameters that make no function. Whatever applies the function asks this first.
    ///
    /// # Errors
    ///
    /// None unless overridden.
    fn check(self) -> Result<()> {
        Ok(())
    }

    /// A hint that makes sines, cosines and tangents fast: all of them, in `f` and `df`, are of `x` itself.
    #[doc(hidden)]
    const OF_AN_ANGLE: bool = false;

    /// The loops, compiled in whichever crate first names them.
    #[doc(hidden)]
    fn loops<T: Real>() -> &'static Loops<T, Self> {
        &Loops::HERE
    }
}

/// An element-wise independent function of two numbers, broadcast against each other, with both derivatives.
///
/// ```
/// use retrograde::{Elementwise2, Number, Tape, Tensor};
///
/// #[derive(Clone, Copy)]
/// struct SquaredError;
///
/// impl Elementwise2 for SquaredError {
///     const NAME: &'static str = "squared_error";
///     fn f<N: Number>(self, a: N, b: N) -> N {
///         (a - b).square()
///     }
///     fn df<N: Number>(self, a: N, b: N, _y: N) -> (N, N) {
///         let d = (a - b) * a.lit(2.0);
///         (d, -d)
///     }
/// }
///
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from([1.0, 2.0]));
/// let b = tape.var(&Tensor::scalar(4.0));
/// let grads = a.elementwise2(b, SquaredError).sum().backward()?;
/// assert_eq!(grads.wrt(b)?.item()?, 10.0);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait Elementwise2: Copy + Send + Sync + 'static {
    /// The name in messages and printouts.
    const NAME: &'static str;

    /// The function.
    fn f<N: Number>(self, a: N, b: N) -> N;

    /// Its derivatives by `a` and by `b`, where the function's value is `y`.
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N);

    /// The loops, compiled in whichever crate first names them.
    #[doc(hidden)]
    fn loops<T: Real>() -> &'static Loops2<T, Self> {
        &Loops2::HERE
    }
}

/// A loop over `K` inputs.
type Loop<T, E, const K: usize> = fn(E, [&[T]; K], &mut [T]);

/// The loops of a function of one number over elements of type `T`.
pub struct Loops<T, E> {
    forward: fn(E, &[T], &mut [T]),
    /// g · df(x, y).
    backward: Loop<T, E, 3>,
    /// w · g · d²f(x).
    second: Loop<T, E, 4>,
}

/// The loops of a function of two numbers.
pub struct Loops2<T, E> {
    forward: fn(E, &[T], &[T], &mut [T]),
    /// g · ∂f/∂a and g · ∂f/∂b, from g, a, b and y.
    backward: [Loop<T, E, 4>; 2],
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

/// y = f(x).
struct Map<E>(E);

impl<T: Real, E: Elementwise> Operation<T> for Map<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.0.check()?;
        let forward = E::loops::<T>().forward;
        elementwise([x[0]], COST, |[x], out| forward(self.0, x, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(times_derivative(self.0, at.g(0), at.x(0), at.y(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| times_derivative(self.0, dx, at.x(0), at.y(0)))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(product(self.0, &g, at.x(0), at.y(0)))
    }
}

/// g · df(x, y) as one node.
#[track_caller]
fn times_derivative<'t, T: Real>(
    e: impl Elementwise,
    g: Var<'t, T>,
    x: Var<'t, T>,
    y: Var<'t, T>,
) -> Var<'t, T> {
    g.tape().apply(Derivative(e), &[g, x, y])
}

fn product<T: Real, E: Elementwise>(e: E, g: &Tensor<T>, x: &Tensor<T>, y: &Tensor<T>) -> Result<Tensor<T>> {
    let backward = E::loops::<T>().backward;
    elementwise([g, x, y], COST, |inputs, out| backward(e, inputs, out))
}

/// z = g · df(x, y), where y = f(x) is no input of its own: what it contributes is counted at x.
struct Derivative<E>(E);

impl<E: Elementwise> Derivative<E> {
    /// w · g · d²f(x), unfolded: reached only when a second derivative is itself recorded.
    fn unfolded<'t, T: Real>(&self, w: Var<'t, T>, at: &At<'_, 't, T>) -> Var<'t, T> {
        w * at.x(0) * self.0.d2f(at.x(1), at.x(2))
    }
}

impl<T: Real, E: Elementwise> Operation<T> for Derivative<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        product(self.0, x[0], x[1], x[2]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let w = at.g(0);
        let g = at.needs(0).then(|| times_derivative(self.0, w, at.x(1), at.x(2)));
        let x = at.needs(1).then(|| self.unfolded(w, at));
        Ok(SmallVec::from_iter([g, x, None]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.dx(0).map(|dg| times_derivative(self.0, dg, at.x(1), at.x(2)));
        let x = at.dx(1).map(|dx| self.unfolded(dx, at));
        Ok(SmallVec::from_iter([match (g, x) {
            (Some(g), Some(x)) => Some(g + x),
            (g, x) => g.or(x),
        }]))
    }
    fn fused(&self, at: &Saved<'_, T>, w: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let w = w[0].take()?;
        let (g, x, y) = (at.x(0), at.x(1), at.x(2));
        at.each_of(2, |i| match i {
            0 => product(self.0, &w, x, y),
            _ => {
                let second = E::loops::<T>().second;
                elementwise([&w, g, x, y], COST, |inputs, out| second(self.0, inputs, out))
            }
        })
    }
}

/// y = f(a, b).
struct Map2<E>(E);

impl<T: Real, E: Elementwise2> Operation<T> for Map2<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let forward = E::loops::<T>().forward;
        elementwise([x[0], x[1]], COST, |[a, b], out| forward(self.0, a, b, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (da, db) = self.0.df(at.x(0), at.x(1), at.y(0));
        at.each(|i| (at.g(0) * if i == 0 { da } else { db }).sum_to_like(at.x(i)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (da, db) = self.0.df(at.x(0), at.x(1), at.y(0));
        at.sum_of(|i, dx| (dx * if i == 0 { da } else { db }).expand_like(at.y(0)))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let loops = E::loops::<T>().backward;
        at.each(|i| {
            let inputs = [&g, at.x(0), at.x(1), at.y(0)];
            elementwise(inputs, COST, |inputs, out| loops[i](self.0, inputs, out))?.sum_to_like(at.x(i))
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// An element-wise function of one number. See [`Elementwise`].
    #[track_caller]
    pub fn elementwise(self, e: impl Elementwise) -> Var<'t, T> {
        self.tape().apply(Map(e), &[self])
    }

    /// An element-wise function of two numbers; the shapes broadcast. See [`Elementwise2`].
    #[track_caller]
    pub fn elementwise2(self, other: Var<'t, T>, e: impl Elementwise2) -> Var<'t, T> {
        self.tape().apply(Map2(e), &[self, other])
    }
}
