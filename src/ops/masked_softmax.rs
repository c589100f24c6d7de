//! A softmax whose elements of −∞ are left out, and which is 0 where all are.

use super::axis::{along, along2};
use crate::error::Result;
use crate::kernels::rows;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// The softmax over the last axis; a row of −∞ alone gives zeros.
struct MaskedSoftmax;

/// As `rows::softmax`, which gives NaN for rows of −∞ alone.
fn softmax<T: Real>(x: &[T], n: usize, s: T, out: &mut [T]) {
    rows::softmax(x, n, s, out);
    for (x, out) in x.chunks_exact(n.max(1)).zip(out.chunks_exact_mut(n.max(1))) {
        if out[0].is_nan() && x.iter().all(|x| *x == -T::INFINITY) {
            out.fill(T::ZERO);
        }
    }
}

fn contracted<'t, T: Real>(y: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
    y * (g - (y * g).sum_keepdim(-1))
}

impl<T: Real> Operation<T> for MaskedSoftmax {
    fn name(&self) -> &'static str {
        "masked_softmax"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        along(-1, x[0], 1.0, softmax).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(contracted(at.y(0), at.g(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| contracted(at.y(0), dx))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(along2(-1, [at.y(0), &g], 1.0, rows::softmax_backward))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The [`softmax`](Var::softmax) along an axis over the elements where a mask is not 0; 0 elsewhere. The mask is
    /// broadcast to this. A row without any such element is 0.
    ///
    /// # Gradient
    ///
    /// The softmax's to the elements that take part, 0 to the others and to a row without any; none to the mask.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if the mask does not broadcast to this; [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0, 1.0], [2.0, 3.0, 4.0]]));
    /// let y = x.masked_softmax(&Tensor::from([[true, false, true], [false, false, false]]), -1);
    /// assert_eq!(y.value()?.to_vec(), [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]);
    /// let seed = Tensor::from([[1.0, 7.0, 0.0], [1.0, 7.0, 0.0]]);
    /// assert_eq!(y.backward_with(&seed)?.wrt(x)?.to_vec(), [0.25, 0.0, -0.25, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_softmax(self, mask: impl super::IntoMask<'t, T>, axis: isize) -> Var<'t, T> {
        let mask = mask.into_mask(self.tape());
        self.tape().composed("masked_softmax", || {
            let shape = self.try_shape()?;
            crate::shape::resolve_axis(axis, &shape)?;
            let mask = mask.expand(&shape);
            let x = Var::where_(mask, self, self.constant(f64::NEG_INFINITY)).transpose(axis, -1);
            Ok(x.softmax_of_scores().transpose(axis, -1))
        })
    }

    /// The softmax over the last axis; a row of −∞ alone gives zeros.
    #[track_caller]
    pub(super) fn softmax_of_scores(self) -> Var<'t, T> {
        self.tape().apply(MaskedSoftmax, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    /// Leaves out the second element of every row, and the whole of the first one.
    fn some<T: Real>(shape: &[usize]) -> Tensor<T> {
        Tensor::from_fn(shape, |at| {
            let (last, before) = at.split_last().unwrap();
            T::from_f64(f64::from(*last != 1 && before.iter().any(|i| *i > 0)))
        })
        .unwrap()
    }
    vec![
        sample!("masked_softmax", rank3(-2.0, 2.0), |x| {
            x[0].masked_softmax(x[0].tape().constant(&some(&x[0].shape())), -1)
        }),
        sample!("masked_softmax over first", rank3(-2.0, 2.0), |x| {
            x[0].masked_softmax(x[0].tape().constant(&some(&x[0].shape())), 0)
        }),
        sample!("masked_softmax of vectors", shapes(&[&[&[3]], &[&[0]], &[&[2, 0]]], -2.0, 2.0), |x| {
            x[0].masked_softmax(&Tensor::scalar(true), -1)
        }),
        wrong!(
            "expand",
            &[&[2, 3]],
            |x| x[0].masked_softmax(&Tensor::from([true, false]), -1),
            "shapes [2] and [2, 3] do not broadcast"
        ),
        wrong!(
            "masked_softmax",
            &[&[2, 3]],
            |x| x[0].masked_softmax(&Tensor::scalar(true), 2),
            "axis 2 is out of range for shape [2, 3]"
        ),
    ]
}
