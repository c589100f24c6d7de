//! Element-wise independent functions: written once over [`Number`], run everywhere.
//!
//! From the line `f` the compiler makes the vectorised forward loop, the fused backward loop (the cotangent times a
//! diagonal Jacobian), the loop for second derivatives, and, where a sweep over second derivatives is itself recorded,
//! the rule unfolded into variables. The derivative is `df` where that is written, else that of `f` over dual numbers;
//! the second one is that of `df` over dual numbers.

mod loops;
mod several;

pub use loops::{Loops, Loops2, Loops2Of, LoopsOf};
pub(crate) use loops::{compiled, compiled2, unary};
pub use several::ElementwiseN;

use super::Dual;
use crate::error::Result;
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Tensor, elementwise};
use smallvec::SmallVec;

/// What an element costs in nanoseconds, about: an exponential and a division.
const COST: f32 = 0.7;

/// An element-wise independent function of one number.
///
/// A few lines give an activation of your own fused kernels in both modes and derivatives of every order.
/// [`Var::elementwise`] applies it, and it is an [`Activation`](crate::Activation) by itself.
///
/// A user's function is compiled in the user's crate, so its speed is that of the user's build profile. Write
/// `#[inline(always)]` on `f` and `df`, as here: a call that the compiler leaves in place is compiled without the
/// machine's vector instructions, and can be a hundred times slower.
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
///     #[inline(always)]
///     fn f<N: Number>(self, x: N) -> N {
///         x * x.scale(1.702).sigmoid()
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([0.0, 1.0]));
/// let g = x.elementwise(QuickGelu).sum().backward()?.wrt(x)?.clone();
/// assert_eq!(g[[0]], 0.5);
/// # Ok::<(), retrograde::Error>(())
/// ```
///
/// # Writing the derivative
///
/// Without [`df`](Elementwise::df) the derivative is `f`'s own over [`Dual`] numbers, also in one loop. Write `df`
///
/// * where `f`, differentiated as it stands, is inaccurate or not finite though the derivative is: differences that
///   cancel in the tails, intermediate values that overflow, both branches of a [`select`](Number::select);
/// * for another derivative at a kink;
/// * for speed, where it is shorter than `f` with its derivative, as when it follows from the value `y`.
///
/// ```
/// use retrograde::{Elementwise, Number, Tape, Tensor};
///
/// /// 1/(1 + e⁻ˣ) as it stands in books.
/// #[derive(Clone, Copy)]
/// struct Logistic;
///
/// impl Elementwise for Logistic {
///     const NAME: &'static str = "logistic";
///     #[inline(always)]
///     fn f<N: Number>(self, x: N) -> N {
///         (x.lit(1.0) + (-x).exp()).recip()
///     }
///     // By dual numbers e⁻ˣ · y², which is ∞ · 0 = NaN from −710 downwards.
///     #[inline(always)]
///     fn df<N: Number>(self, x: N, _y: N) -> N {
///         x.sigmoid() * (-x).sigmoid()
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([-720.0, 0.0]));
/// let g = x.elementwise(Logistic).sum().backward()?.wrt(x)?.to_vec();
/// assert!(g[0] > 0.0 && g[1] == 0.25);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait Elementwise: Copy + Send + Sync + 'static {
    /// The name in messages and printouts.
    const NAME: &'static str;

    /// The function.
    fn f<N: Number>(self, x: N) -> N;

    /// Its derivative at `x`, where the function's value is `y`: that of [`f`](Elementwise::f) by dual numbers, unless
    /// [another form](Elementwise#writing-the-derivative) is better. It is differentiated in turn, so it must be as
    /// smooth and as finite as the derivative itself: no form through `|x|` or an intermediate that overflows.
    #[inline(always)]
    fn df<N: Number>(self, x: N, y: N) -> N {
        let _ = y;
        self.f(Dual::variable(x)).tangent()
    }

    /// The second derivative: that of [`df`](Elementwise::df) by dual numbers, unless a closed form is more accurate,
    /// as where the parts of `df` have derivatives that cancel.
    #[inline(always)]
    fn d2f<N: Number>(self, x: N, y: N) -> N {
        let dy = Dual::new(y, self.df(x, y));
        self.df(Dual::variable(x), dy).tangent()
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

/// An element-wise independent function of two numbers, broadcast against each other.
///
/// [`Var::elementwise2`] applies it. As with [`Elementwise`], the derivatives may be left out. For more numbers than two
/// there is [`ElementwiseN`].
///
/// ```
/// use retrograde::{Elementwise2, Number, Tape, Tensor};
///
/// #[derive(Clone, Copy)]
/// struct SquaredError;
///
/// impl Elementwise2 for SquaredError {
///     const NAME: &'static str = "squared_error";
///     #[inline(always)]
///     fn f<N: Number>(self, a: N, b: N) -> N {
///         (a - b).square()
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

    /// Its derivatives by `a` and by `b`, where the function's value is `y`: those of [`f`](Elementwise2::f) by dual
    /// numbers, from one evaluation, unless overridden. Each of the two backward loops uses one of them.
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N) {
        let _ = y;
        let [a, b] = Dual::variables([a, b]);
        self.f(a, b).tangents.into()
    }

    /// The loops, compiled in whichever crate first names them.
    #[doc(hidden)]
    fn loops<T: Real>() -> &'static Loops2<T, Self> {
        &Loops2::HERE
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
        let x = at.needs(1).then(|| times_second(self.0, [w, at.x(0), at.x(1), at.x(2)]));
        Ok(SmallVec::from_iter([g, x, None]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.dx(0).map(|dg| times_derivative(self.0, dg, at.x(1), at.x(2)));
        let x = at.dx(1).map(|dx| times_second(self.0, [dx, at.x(0), at.x(1), at.x(2)]));
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
            _ => second_product(self.0, [&w, g, x, y]),
        })
    }
}

/// w · g · d²f(x) as one node.
#[track_caller]
fn times_second<'t, T: Real>(e: impl Elementwise, inputs: [Var<'t, T>; 4]) -> Var<'t, T> {
    inputs[0].tape().apply(SecondDerivative(e), &inputs)
}

fn second_product<T: Real, E: Elementwise>(e: E, inputs: [&Tensor<T>; 4]) -> Result<Tensor<T>> {
    let second = E::loops::<T>().second;
    elementwise(inputs, COST, |inputs, out| second(e, inputs, out))
}

/// z = w · g · d²f(x, y). Here y is an input like the others: only where this is differentiated in turn does `d2f`
/// unfold into variables.
struct SecondDerivative<E>(E);

impl<T: Real, E: Elementwise> Operation<T> for SecondDerivative<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        second_product(self.0, [x[0], x[1], x[2], x[3]]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (u, w, g, x, y) = (at.g(0), at.x(0), at.x(1), at.x(2), at.x(3));
        let of = |i| at.needs(i).then(|| times_second(self.0, [u, if i == 0 { g } else { w }, x, y]));
        let mut parts: Parts<'t, T> = SmallVec::from_iter([of(0), of(1)]);
        if at.needs(2) || at.needs(3) {
            let (x, y) = (x.tape().argument(x), y.tape().argument(y));
            // A constant has no shape of its own.
            let second = self.0.d2f(x, y).expand_like(x);
            parts.extend(x.tape().cotangents_if_any([(second, u * w * g)], &[x, y])?);
        } else {
            parts.extend([None, None]);
        }
        Ok(parts)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (w, g, x, y) = (at.x(0), at.x(1), at.x(2), at.x(3));
        let mut parts = [
            at.dx(0).map(|dw| times_second(self.0, [dw, g, x, y])),
            at.dx(1).map(|dg| times_second(self.0, [w, dg, x, y])),
            None,
        ];
        let (x, y) = (x.tape().argument(x), y.tape().argument(y));
        let directions: SmallVec<[_; 2]> =
            [(x, at.dx(2)), (y, at.dx(3))].into_iter().filter_map(|(x, dx)| dx.map(|dx| (x, dx))).collect();
        if !directions.is_empty() {
            let third = x.tape().tangents_if_any(&[self.0.d2f(x, y)], directions)?;
            parts[2] = third[0].map(|third| w * g * third);
        }
        Ok(SmallVec::from_iter([parts.into_iter().flatten().reduce(|a, b| a + b)]))
    }
}

/// Reverse mode from the partial derivatives: the cotangent times each, summed where its input was broadcast.
fn cotangents<'t, T: Real>(at: &At<'_, 't, T>, partials: &[Var<'t, T>]) -> Result<Parts<'t, T>> {
    at.each(|i| (at.g(0) * partials[i]).sum_to_like(at.x(i)))
}

/// Forward mode from the partial derivatives.
fn tangent<'t, T: Real>(at: &At<'_, 't, T>, partials: &[Var<'t, T>]) -> Result<Parts<'t, T>> {
    at.sum_of(|i, dx| (dx * partials[i]).expand_like(at.y(0)))
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
        cotangents(at, &[da, db])
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (da, db) = self.0.df(at.x(0), at.x(1), at.y(0));
        tangent(at, &[da, db])
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

#[cfg(test)]
mod samples;
#[cfg(test)]
pub(super) use samples::samples;
