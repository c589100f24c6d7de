//! Element-wise functions that are computed one element at a time, in double precision, with their derivatives written
//! in variables.
//!
//! [`Elementwise`](super::Elementwise) compiles vector loops of the function and of two of its derivatives. This is for
//! functions that are rare, or that branch: a plain function of `f64` and a rule, and one loop for all of them.

use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use crate::tensor::elementwise;
use smallvec::SmallVec;

/// A function of `K` numbers, broadcast against each other.
pub(super) trait ScalarFunction<const K: usize>: Copy + Send + Sync + 'static {
    /// The name in messages and printouts.
    const NAME: &'static str;

    /// What an element costs in nanoseconds, about.
    const COST: f32 = 20.0;

    /// The function; the result is rounded to `T`.
    fn value<T: Real>(self, x: [f64; K]) -> f64;

    /// Its derivative by `x[i]`, where its value is `y`; nothing where that is zero everywhere.
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; K], y: Var<'t, T>) -> Result<Option<Var<'t, T>>>;
}

struct Map<F, const K: usize>(F);

impl<F: ScalarFunction<K>, const K: usize> Map<F, K> {
    /// `Some(of · ∂y/∂xᵢ)`, or nothing.
    fn times_slope<'t, T: Real>(
        &self,
        at: &At<'_, 't, T>,
        i: usize,
        of: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        let slope = self.0.slope(i, std::array::from_fn(|k| at.x(k)), at.y(0))?;
        Ok(slope.map(|slope| of * slope))
    }
}

impl<T: Real, F: ScalarFunction<K>, const K: usize> Operation<T> for Map<F, K> {
    fn name(&self) -> &'static str {
        F::NAME
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let x: [&Tensor<T>; K] = std::array::from_fn(|k| x[k]);
        elementwise(x, F::COST, |x, out| {
            for (i, out) in out.iter_mut().enumerate() {
                *out = T::from_f64(self.0.value::<T>(x.map(|x| x[i].to_f64())));
            }
        })
        .map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let part = |i| match at.needs(i) {
            true => Ok(self.times_slope(at, i, at.g(0))?.map(|part| part.sum_to_like(at.x(i)))),
            false => Ok(None),
        };
        (0..K).map(part).collect()
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let mut total: Option<Var<'t, T>> = None;
        for i in 0..K {
            let Some(dx) = at.dx(i) else { continue };
            if let Some(part) = self.times_slope(at, i, dx)? {
                let part = part.expand_like(at.y(0));
                total = Some(total.map_or(part, |total| total + part));
            }
        }
        Ok(SmallVec::from_iter([total]))
    }
}

/// Applies such a function.
#[track_caller]
pub(super) fn scalar_function<'t, T: Real, const K: usize>(
    f: impl ScalarFunction<K>,
    x: [Var<'t, T>; K],
) -> Var<'t, T> {
    x[0].tape().apply(Map(f), &x)
}
