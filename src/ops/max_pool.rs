//! The largest elements of windows.

use super::pool::{Pool, adaptive, spatial};
use crate::error::Result;
use crate::kernels::pool::{Span, Windows, largest, places, spread};
use crate::number::Real;
use crate::ops::per_axis::{PerAxis, with_last};
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Places, Tensor};
use std::panic::Location;
use std::sync::Arc;

/// The largest element of each window.
#[derive(Clone)]
struct MaxPool {
    windows: Arc<Windows>,
    /// The shape of the result, and how many images there are.
    shape: Shape,
    images: usize,
}

impl MaxPool {
    /// Over the last axes of a shape.
    fn new(shape: &[usize], spans: Vec<Vec<Span>>, steps: &[usize]) -> Result<MaxPool> {
        let axes = spans.len();
        let (mut size, mut step) = ([1; 3], [1; 3]);
        size[3 - axes..].copy_from_slice(&shape[shape.len() - axes..]);
        step[3 - axes..].copy_from_slice(steps);
        let counts: Vec<usize> = spans.iter().map(Vec::len).collect();
        let mut all = [const { Vec::new() }; 3];
        all.iter_mut().take(3 - axes).for_each(|spans| spans.push(Span { first: 0, count: 1 }));
        all.iter_mut().skip(3 - axes).zip(spans).for_each(|(all, spans)| *all = spans);
        let images = shape[..shape.len() - axes].iter().product();
        let shape = with_last(shape, &counts)?;
        Ok(MaxPool { windows: Arc::new(Windows { size, step, spans: all }), shape, images })
    }

    /// Where the largest elements are in their images.
    fn places<T: Real>(&self, x: &Tensor<T>) -> Result<Tensor<i64>> {
        let dense = x.contiguous()?;
        Tensor::build(self.shape.clone(), |out| places(&self.windows, dense.as_slice().unwrap_or(&[]), out))
    }

    /// The shapes of x and of the result with the images as one axis, and what each has as another.
    fn flat(&self) -> Result<[Shape; 2]> {
        let windows = self.windows.spans.iter().map(Vec::len).product::<usize>();
        let area = self.windows.size.iter().product();
        Ok([Shape::new([self.images, area])?, Shape::new([self.images, windows])?])
    }

    /// The places as an index of flat images.
    fn index<T: Real>(&self, x: Var<'_, T>) -> Result<(Places, [Shape; 2])> {
        let flat = self.flat()?;
        let places = self.places(&x.value()?)?.reshape(&flat[1])?;
        Ok((Places::each(&flat[0], 1, &places)?, flat))
    }
}

impl<T: Real> Operation<T> for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let dense = x[0].contiguous()?;
        Tensor::build(self.shape.clone(), |out| largest(&self.windows, dense.as_slice().unwrap_or(&[]), out))
            .map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (places, flat) = self.index(at.x(0))?;
        at.one(at.g(0).reshape(&flat[1]).summed_at(places).reshape(&at.x(0).try_shape()?))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (places, flat) = self.index(at.x(0))?;
        at.sum_of(|_, dx| dx.reshape(&flat[0]).picked("max_pool", places.clone()).reshape(&self.shape))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let (x, g) = (at.x(0).contiguous()?, g.contiguous()?);
            let (data, given) = (x.as_slice().unwrap_or(&[]), g.as_slice().unwrap_or(&[]));
            Tensor::build(x.shape_owned(), |out| spread(&self.windows, data, given, out))
        };
        at.one(run())
    }
}

/// The operation of a pool, or of one whose windows divide the axes.
fn pooled(shape: &[usize], axes: usize, pool: Pool) -> Result<MaxPool> {
    let lines = pool.lines(shape, axes)?;
    let first = shape.len() - axes;
    let spans = lines.iter().enumerate().map(|(i, line)| line.spans(first + i)).collect::<Result<_>>()?;
    let steps: Vec<usize> = lines.iter().map(|line| line.dilation).collect();
    MaxPool::new(shape, spans, &steps)
}

fn divided(shape: &[usize], axes: usize, windows: PerAxis) -> Result<MaxPool> {
    let sizes = spatial(shape, axes)?;
    let counts = windows.of("the number of windows", axes)?;
    let spans = sizes.iter().zip(counts).map(|(&size, count)| adaptive(size, count)).collect();
    MaxPool::new(shape, spans, &vec![1; axes])
}

impl<'t, T: Real> Var<'t, T> {
    fn max_pooled(self, name: &'static str, of: impl FnOnce(&[usize]) -> Result<MaxPool>) -> Var<'t, T> {
        self.tape().composed(name, || Ok(self.tape().apply(of(&self.try_shape()?)?, &[self])))
    }

    fn max_pooled_with_places(
        self,
        name: &'static str,
        of: impl FnOnce(&[usize]) -> Result<MaxPool>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let line = Location::caller();
        let run = || {
            let pool = of(&self.try_shape()?)?;
            let places = pool.places(&self.value()?)?;
            Ok((self.tape().apply(pool, &[self]), places))
        };
        run().map_err(|error: crate::Error| error.at(name, line))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The largest element of each window over one spatial axis; x is `[batch, channels, length]` or `[channels, length]`. NaN if there is one.
    ///
    /// A window has `kernel` elements, `dilation` apart; the next one begins `stride` further. The result has
    /// `⌊(length + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1` elements along its axis, or one more with
    /// [`ceil`](Pool::ceil).
    ///
    /// # Gradient
    ///
    /// To the largest element; of equal ones, all of it to the first. Where there is a NaN, to the first NaN.
    /// ([`max_axes`](Var::max_axes) shares among equal ones; the first takes all here, as in PyTorch.)
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length
    /// 0; [`Argument`](crate::ErrorKind::Argument) for a window that is longer than the padded input, for padding of more than
    /// half a window, and for a window that shows nothing but padding.
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 2.0, 7.0, 7.0]]));
    /// let y = x.max_pool1d(Pool::new(3).stride(2));
    /// assert_eq!(y.value()?, Tensor::from([[7.0, 7.0]]));
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool1d(self, pool: Pool) -> Var<'t, T> {
        self.max_pooled("max_pool1d", |shape| pooled(shape, 1, pool))
    }

    /// The largest element of each window, and its place in its image, counted in row-major order over the spatial axes; see
    /// [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`max_pool1d`](Var::max_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 2.0, 7.0, 7.0]]));
    /// let (y, places) = x.max_pool1d_with_indices(Pool::new(3).stride(2))?;
    /// assert_eq!(y.value()?, Tensor::from([[7.0, 7.0]]));
    /// assert_eq!(places, Tensor::from([[1, 3]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool1d_with_indices(self, pool: Pool) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("max_pool1d_with_indices", |shape| pooled(shape, 1, pool))
    }

    /// The largest element of each of so many windows that divide one spatial axis as evenly as can be: window i of m over n elements
    /// begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉. With 1 it is the largest of all.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 2.0, 7.0, 7.0]]));
    /// assert_eq!(x.adaptive_max_pool1d(2).value()?, Tensor::from([[7.0, 7.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool1d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.max_pooled("adaptive_max_pool1d", |shape| divided(shape, 1, windows.into()))
    }

    /// As [`adaptive_max_pool1d`](Var::adaptive_max_pool1d), with the places of the largest elements in their images.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`adaptive_max_pool1d`](Var::adaptive_max_pool1d).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 2.0, 7.0, 7.0]]));
    /// let (y, places) = x.adaptive_max_pool1d_with_indices(2)?;
    /// assert_eq!((y.value()?.to_vec(), places.to_vec()), (vec![7.0, 7.0], vec![1, 3]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool1d_with_indices(
        self,
        windows: impl Into<PerAxis>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("adaptive_max_pool1d_with_indices", |shape| {
            divided(shape, 1, windows.into())
        })
    }

    /// The largest element of each window over two spatial axes; see [`max_pool1d`](Var::max_pool1d). x is `[batch, channels, height, width]` or `[channels, height, width]`.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]));
    /// assert_eq!(x.max_pool2d(Pool::new(2)).value()?, Tensor::from([[[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool2d(self, pool: Pool) -> Var<'t, T> {
        self.max_pooled("max_pool2d", |shape| pooled(shape, 2, pool))
    }

    /// The largest element of each window, and its place in its image, counted in row-major order over the spatial axes; see
    /// [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`max_pool1d`](Var::max_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]));
    /// let (y, places) = x.max_pool2d_with_indices(Pool::new(2))?;
    /// assert_eq!((y.value()?, places), (Tensor::from([[[4.0]]]), Tensor::from([[[1]]])));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool2d_with_indices(self, pool: Pool) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("max_pool2d_with_indices", |shape| pooled(shape, 2, pool))
    }

    /// The largest element of each of so many windows that divide two spatial axes as evenly as can be: window i of m over n elements
    /// begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉. With 1 it is the largest of all.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]));
    /// assert_eq!(x.adaptive_max_pool2d(1).value()?, Tensor::from([[[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool2d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.max_pooled("adaptive_max_pool2d", |shape| divided(shape, 2, windows.into()))
    }

    /// As [`adaptive_max_pool2d`](Var::adaptive_max_pool2d), with the places of the largest elements in their images.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`adaptive_max_pool2d`](Var::adaptive_max_pool2d).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]));
    /// let (y, places) = x.adaptive_max_pool2d_with_indices(1)?;
    /// assert_eq!((y.value()?, places), (Tensor::from([[[4.0]]]), Tensor::from([[[1]]])));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool2d_with_indices(
        self,
        windows: impl Into<PerAxis>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("adaptive_max_pool2d_with_indices", |shape| {
            divided(shape, 2, windows.into())
        })
    }

    /// The largest element of each window over three spatial axes; see [`max_pool1d`](Var::max_pool1d). x is `[batch, channels, depth, height, width]` or that without a batch.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]).unsqueeze(0)?);
    /// assert_eq!(x.max_pool3d(Pool::new([1, 2, 2])).value()?, Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool3d(self, pool: Pool) -> Var<'t, T> {
        self.max_pooled("max_pool3d", |shape| pooled(shape, 3, pool))
    }

    /// The largest element of each window, and its place in its image, counted in row-major order over the spatial axes; see
    /// [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`max_pool1d`](Var::max_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]).unsqueeze(0)?);
    /// let (y, places) = x.max_pool3d_with_indices(Pool::new([1, 2, 2]))?;
    /// assert_eq!((y.value()?, places), (Tensor::from([[[4.0]]]).unsqueeze(0)?, Tensor::from([[[1]]]).unsqueeze(0)?));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool3d_with_indices(self, pool: Pool) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("max_pool3d_with_indices", |shape| pooled(shape, 3, pool))
    }

    /// The largest element of each of so many windows that divide three spatial axes as evenly as can be: window i of m over n elements
    /// begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉. With 1 it is the largest of all.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]).unsqueeze(0)?);
    /// assert_eq!(x.adaptive_max_pool3d(1).value()?, Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool3d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.max_pooled("adaptive_max_pool3d", |shape| divided(shape, 3, windows.into()))
    }

    /// As [`adaptive_max_pool3d`](Var::adaptive_max_pool3d), with the places of the largest elements in their images.
    ///
    /// # Gradient
    ///
    /// As [`max_pool1d`](Var::max_pool1d).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`adaptive_max_pool3d`](Var::adaptive_max_pool3d).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]).unsqueeze(0)?);
    /// let (y, places) = x.adaptive_max_pool3d_with_indices(1)?;
    /// assert_eq!((y.value()?, places), (Tensor::from([[[4.0]]]).unsqueeze(0)?, Tensor::from([[[1]]]).unsqueeze(0)?));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool3d_with_indices(
        self,
        windows: impl Into<PerAxis>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.max_pooled_with_places("adaptive_max_pool3d_with_indices", |shape| {
            divided(shape, 3, windows.into())
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests;
