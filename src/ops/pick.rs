//! Elements at places along an axis, and its adjoint: elements added at places. What gives sorted values, running
//! extremes and order statistics their derivatives.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The elements at places.
struct Pick {
    axis: isize,
    places: Tensor<i64>,
}

impl<T: Real> Operation<T> for Pick {
    fn name(&self) -> &'static str {
        "pick"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].pick(self.axis, &self.places).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let shape = at.x(0).try_shape()?;
        at.one(at.g(0).put(self.axis, &self.places, shape[resolve_axis(self.axis, &shape)?]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.pick(self.axis, &self.places))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let shape = at.x(0).shape();
        let part = resolve_axis(self.axis, shape).and_then(|axis| g.put(self.axis, &self.places, shape[axis]));
        Some(part.map(|part| SmallVec::from_iter([Some(part)])))
    }
}

/// Zeros, and the elements added at their places.
struct Put {
    axis: isize,
    places: Tensor<i64>,
    size: usize,
}

impl<T: Real> Operation<T> for Put {
    fn name(&self) -> &'static str {
        "put"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].put(self.axis, &self.places, self.size).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).pick(self.axis, &self.places))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.put(self.axis, &self.places, self.size))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The elements at places along an axis, of the shape of `places`, which agrees but for that axis. The caller
    /// answers for the places lying in the axis.
    #[track_caller]
    pub(super) fn pick(self, axis: isize, places: &Tensor<i64>) -> Var<'t, T> {
        self.tape().apply(Pick { axis, places: places.clone() }, &[self])
    }

    /// Zeros of length `size` along an axis, to which this is added at places.
    #[track_caller]
    pub(super) fn put(self, axis: isize, places: &Tensor<i64>, size: usize) -> Var<'t, T> {
        self.tape().apply(Put { axis, places: places.clone(), size }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let three = || shapes(&[&[&[2, 3, 2]], &[&[1, 5, 2]]], -2.0, 2.0);
    vec![
        sample!("pick", three(), |x| {
            let n = x[0].try_shape().unwrap()[0];
            let places = Tensor::from([[[2, 0], [0, 0]], [[1, 1], [2, 2]]]).slice(0, ..n as isize).unwrap();
            x[0].square().pick(1, &places).square()
        }),
        sample!("put", three(), |x| {
            let n = x[0].try_shape().unwrap();
            let places = Tensor::from_fn(n, |i| (i[1] * i[1] + i[2]) as i64 % 4).unwrap();
            x[0].square().put(-2, &places, 5).square()
        }),
        wrong!(
            "put",
            &[&[2]],
            |x| x[0].put(0, &Tensor::from([0, 1, 2]), 3),
            "what is put has shape [2], wanted [3]"
        ),
    ]
}

/// The values of an operation that also gives places; its error as that of a variable.
#[cfg(test)]
#[track_caller]
pub(super) fn values<'t, T: Real>(found: Result<(Var<'t, T>, Tensor<i64>)>, of: Var<'t, T>) -> Var<'t, T> {
    match found {
        Ok((values, places)) => {
            assert_eq!(values.try_shape().unwrap()[..], *places.shape());
            values
        }
        Err(error) => of.tape().errored("values", std::panic::Location::caller(), error),
    }
}
