//! Element-wise functions of any number of numbers.

use super::{COST, Dual, cotangents, tangent};
use crate::error::Result;
use crate::kernels::{Function, Gradient, run_gradient, run_n};
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Tape, Var, one};
use crate::tensor::{Tensor, elementwise, gradient};

/// An element-wise independent function of `K` numbers, broadcast against each other.
///
/// [`Tape::elementwise_n`] applies it: one fused loop forward, and one backward that gives all partial derivatives from
/// one evaluation, whether one is wanted or all. As with [`Elementwise`](crate::Elementwise), [`df`](ElementwiseN::df)
/// may be left out; what it says about writing it, and about `#[inline(always)]`, holds here.
///
/// ```
/// use retrograde::{ElementwiseN, Number, Tape, Tensor};
///
/// /// The Gauss function with a height, a centre and a width.
/// #[derive(Clone, Copy)]
/// struct Peak;
///
/// impl ElementwiseN<4> for Peak {
///     const NAME: &'static str = "peak";
///     #[inline(always)]
///     fn f<N: Number>(self, [x, height, centre, width]: [N; 4]) -> N {
///         height * ((x - centre) / width).gauss()
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([0.0, 1.0, 2.0]));
/// let [height, centre, width] = [3.0, 1.0, 0.5].map(|p| tape.var(&Tensor::scalar(p)));
/// let y = tape.elementwise_n(Peak, [x, height, centre, width]);
/// let grads = y.sum().backward()?;
/// assert!((grads.wrt(height)?.item()? - (1.0 + 2.0 * (-2f64).exp())).abs() < 1e-15);
/// assert!(grads.wrt(centre)?.item()?.abs() < 1e-15); // by symmetry
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait ElementwiseN<const K: usize>: Copy + Send + Sync + 'static {
    /// The name in messages and printouts.
    const NAME: &'static str;

    /// The function.
    fn f<N: Number>(self, x: [N; K]) -> N;

    /// Its partial derivatives at `x`, where the function's value is `y`: those of [`f`](ElementwiseN::f) by dual
    /// numbers, from one evaluation, unless overridden.
    #[inline(always)]
    fn df<N: Number>(self, x: [N; K], y: N) -> [N; K] {
        let _ = y;
        self.f(Dual::variables(x)).tangents
    }

    /// Refuses parameters that make no function. Whatever applies the function asks this first.
    ///
    /// # Errors
    ///
    /// None unless overridden.
    fn check(self) -> Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Forward<E>(E);

impl<E: ElementwiseN<K>, const K: usize> Function<K> for Forward<E> {
    #[inline(always)]
    fn at<N: Number>(self, x: [N; K]) -> N {
        self.0.f(x)
    }
}

#[derive(Clone, Copy)]
struct Backward<E>(E);

impl<E: ElementwiseN<K>, const K: usize> Gradient<K> for Backward<E> {
    #[inline(always)]
    fn at<N: Number>(self, x: [N; K], g: N, y: N) -> [N; K] {
        let mut partials = self.0.df(x, y);
        for partial in &mut partials {
            *partial = g * *partial;
        }
        partials
    }
}

/// y = f(x₁, …, x_K).
struct MapN<E, const K: usize>(E);

impl<E: ElementwiseN<K>, const K: usize> MapN<E, K> {
    fn partials<'t, T: Real>(&self, at: &At<'_, 't, T>) -> [Var<'t, T>; K] {
        self.0.df(std::array::from_fn(|i| at.x(i)), at.y(0))
    }
}

impl<T: Real, E: ElementwiseN<K>, const K: usize> Operation<T> for MapN<E, K> {
    fn name(&self) -> &'static str {
        E::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.0.check()?;
        let x: [&Tensor<T>; K] = std::array::from_fn(|i| x[i]);
        elementwise(x, COST, |x, out| run_n(Forward(self.0), x, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        cotangents(at, &self.partials(at))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        tangent(at, &self.partials(at))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let x: [&Tensor<T>; K] = std::array::from_fn(|i| at.x(i));
        let wanted = std::array::from_fn(|i| at.needs(i));
        let all = gradient(x, &g, at.y(0), wanted, COST * K as f32, |x, [g, y], out| {
            run_gradient(Backward(self.0), x, g, y, out);
        });
        Some(all.and_then(|all| {
            all.into_iter().zip(x).map(|(part, x)| part.map(|part| part.sum_to_like(x)).transpose()).collect()
        }))
    }
}

impl<T: Real> Tape<T> {
    /// An element-wise function of `K` variables, one at least; the shapes broadcast. See [`ElementwiseN`].
    ///
    /// # Errors
    ///
    /// In the variable: [`Broadcast`](crate::ErrorKind::Broadcast) if the shapes do not; what
    /// [`check`](ElementwiseN::check) says.
    ///
    /// ```
    /// use retrograde::{ElementwiseN, Number, Tape, Tensor};
    ///
    /// /// a + t (b − a).
    /// #[derive(Clone, Copy)]
    /// struct Lerp;
    ///
    /// impl ElementwiseN<3> for Lerp {
    ///     const NAME: &'static str = "lerp";
    ///     #[inline(always)]
    ///     fn f<N: Number>(self, [a, b, t]: [N; 3]) -> N {
    ///         a + t * (b - a)
    ///     }
    /// }
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([0.0, 10.0])), tape.var(&Tensor::from([2.0, 20.0])));
    /// let t = tape.var(&Tensor::scalar(0.25));
    /// let y = tape.elementwise_n(Lerp, [a, b, t]);
    /// assert_eq!(y.value()?.to_vec(), [0.5, 12.5]);
    /// assert_eq!(y.sum().backward()?.wrt(t)?.item()?, 12.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn elementwise_n<'t, const K: usize>(
        &'t self,
        e: impl ElementwiseN<K>,
        x: [Var<'t, T>; K],
    ) -> Var<'t, T> {
        const { assert!(K > 0, "a function of no numbers has no shape") };
        self.apply(MapN(e), &x)
    }
}
