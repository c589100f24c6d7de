//! Images sampled at given places.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::Tensor;

/// What a sampled element is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sampling {
    /// The nearest element; of two, the one at the even place.
    Nearest,
    /// A line through the two nearest along each axis (bilinear, trilinear).
    Linear,
    /// A cubic through four along each axis, with a = −3/4 (bicubic, tricubic).
    Cubic,
}

/// What lies outside of a sampled image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outside {
    /// Zeros.
    Zeros,
    /// The element at the border.
    Border,
    /// The image mirrored at its borders, again and again.
    Reflection,
}

/// How an image is sampled: by lines, zeros outside, −1 and 1 the outer edges of the first and the last elements.
///
/// ```
/// use retrograde::{GridSample, Outside, Sampling, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([[[1.0, 2.0, 4.0]]]).unsqueeze(0)?);
/// let grid = tape.var(&Tensor::from([[[-1.0, 0.0], [0.0, 0.0], [0.5, 0.0]]]).unsqueeze(0)?);
/// let options = GridSample::new().align_corners();
/// assert_eq!(x.grid_sample(grid, options).value()?.to_vec(), [1.0, 2.0, 3.0]);
/// let nearest = options.with(Sampling::Nearest).outside(Outside::Border);
/// assert_eq!(x.grid_sample(grid * 3.0, nearest).value()?.to_vec(), [1.0, 2.0, 4.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GridSample {
    sampling: Sampling,
    outside: Outside,
    align_corners: bool,
}

impl Default for GridSample {
    fn default() -> GridSample {
        GridSample::new()
    }
}

impl GridSample {
    /// By lines, with zeros outside.
    pub fn new() -> GridSample {
        GridSample { sampling: Sampling::Linear, outside: Outside::Zeros, align_corners: false }
    }

    /// Makes elements in this way.
    pub fn with(self, sampling: Sampling) -> GridSample {
        GridSample { sampling, ..self }
    }

    /// Takes this for what lies outside.
    #[doc(alias = "padding_mode")]
    pub fn outside(self, outside: Outside) -> GridSample {
        GridSample { outside, ..self }
    }

    /// −1 and 1 are the centres of the first and the last elements.
    pub fn align_corners(self) -> GridSample {
        GridSample { align_corners: true, ..self }
    }

    /// Places in −1..1 as places among `n` elements.
    fn places<'t, T: Real>(&self, at: Var<'t, T>, n: usize) -> Var<'t, T> {
        let n = n as f64;
        if self.align_corners { (at + 1.0) * (0.5 * (n - 1.0)) } else { ((at + 1.0) * n - 1.0) * 0.5 }
    }

    /// Places moved to where the image is, which is linear between kinks. Those of NaN and infinity count as outside.
    fn moved<'t, T: Real>(&self, at: Var<'t, T>, n: usize) -> Result<Var<'t, T>> {
        let last = n as f64 - 1.0;
        let (low, high) = if self.align_corners { (0.0, last) } else { (-0.5, last + 0.5) };
        let linear = |f: &(dyn Fn(f64) -> (f64, f64) + Sync)| -> Result<Var<'t, T>> {
            let value = at.value()?;
            let part = |i: usize| value.map(|x| T::from_f64([f(x.to_f64()).0, f(x.to_f64()).1][i]));
            let (slope, offset) = (at.tape().constant(&part(0)?), at.tape().constant(&part(1)?));
            // A slope of 0 stands for a constant: 0·∞ is NaN.
            let safe = Var::where_(slope, at, at.constant(0.0));
            Ok(safe * slope + offset)
        };
        let clip = move |(slope, offset): (f64, f64), x: f64| match slope * x + offset {
            y if y > 0.0 && y < last => (slope, offset),
            y if y >= last => (0.0, last),
            _ => (0.0, 0.0),
        };
        match self.outside {
            Outside::Zeros => Ok(at),
            Outside::Border => {
                linear(&move |x| if x.is_finite() { clip((1.0, 0.0), x) } else { clip((0.0, x), 0.0) })
            }
            Outside::Reflection => linear(&move |x| {
                let span = high - low;
                if span == 0.0 || !x.is_finite() {
                    return (0.0, 0.0);
                }
                // |x − low| = k·span + rest; odd spans run backwards.
                let sign = if x < low { -1.0 } else { 1.0 };
                let flips = (sign * (x - low) / span).floor();
                let line = if flips % 2.0 == 0.0 {
                    (sign, -sign * low - flips * span + low)
                } else {
                    (-sign, sign * low + (flips + 1.0) * span + low)
                };
                clip(line, x)
            }),
        }
    }

    /// Along one axis: the places to take elements from, each with its weight; a place outside has the weight 0.
    fn taps<'t, T: Real>(&self, grid: Var<'t, T>, n: usize) -> Result<Vec<Tap<'t, T>>> {
        let at = self.places(grid, n);
        if self.sampling == Sampling::Cubic {
            // The four places are moved, not the one between them.
            let first = at.value()?.map(|x| x.to_f64().floor())?;
            let t =
                at - at.tape().constant(&first.map(|x| T::from_f64(if x.is_finite() { x } else { 0.0 }))?);
            let weights = cubic(t);
            let tap = |(k, weight): (usize, Var<'t, T>)| {
                let places = at.tape().constant(&first.map(|x| T::from_f64(x + k as f64 - 1.0))?);
                self.tap(&self.moved(places, n)?.value()?, n, Some(weight))
            };
            return weights.into_iter().enumerate().map(tap).collect();
        }
        let at = self.moved(at, n)?;
        let value = at.value()?;
        if self.sampling == Sampling::Nearest {
            let even = value.map(|x| T::from_f64(x.to_f64().round_ties_even()))?;
            return Ok(vec![self.tap(&even, n, None)?]);
        }
        let first = value.map(|x| T::from_f64(x.to_f64().floor()))?;
        let finite = first.map(|x| if x.is_finite() { x } else { T::ZERO })?;
        let part = at - at.tape().constant(&finite);
        let second = first.map(|x| x + T::ONE)?;
        Ok(vec![self.tap(&first, n, Some(part * -1.0 + 1.0))?, self.tap(&second, n, Some(part))?])
    }

    fn tap<'t, T: Real>(
        &self,
        places: &Tensor<T>,
        n: usize,
        weight: Option<Var<'t, T>>,
    ) -> Result<Tap<'t, T>> {
        let inside = move |x: T| (0.0..n as f64).contains(&x.to_f64());
        let places_ = places.map(|x| if inside(x) { x.to_f64() as i64 } else { 0 })?;
        let inside = places.map(inside)?;
        Ok(Tap { places: places_, inside, weight })
    }
}

/// Places along one axis, whether each lies inside, and the weights, 1 if there are none.
struct Tap<'t, T: Real> {
    places: Tensor<i64>,
    inside: Tensor<bool>,
    weight: Option<Var<'t, T>>,
}

/// Keys' cubic convolution with a = −3/4.
fn cubic<'t, T: Real>(t: Var<'t, T>) -> [Var<'t, T>; 4] {
    const A: f64 = -0.75;
    let near = |x: Var<'t, T>| (x * (A + 2.0) - (A + 3.0)) * x * x + 1.0;
    let far = |x: Var<'t, T>| ((x * A - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

impl<'t, T: Real> Var<'t, T> {
    /// An image, `[batch, channels, height, width]`, sampled at places, `[batch, h, w, 2]`, to `[batch, channels, h, w]`; or with
    /// three axes and places `[batch, d, h, w, 3]`. A place is (x, y) or (x, y, z), x along the last axis; −1 and 1 are the ends of
    /// an axis. See [`GridSample`].
    ///
    /// # Gradient
    ///
    /// To the elements their weights; to the places the slopes of the line or cubic. At a kink it is the slope to the right;
    /// 0 where the border holds a place, and for [`Nearest`](Sampling::Nearest).
    ///
    /// # Errors
    ///
    /// The first error on the way to the value of the places; [`Rank`](ErrorKind::Rank); [`Shape`](ErrorKind::Shape);
    /// [`EmptyReduction`](ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{GridSample, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]).unsqueeze(0)?);
    /// let middle = tape.var(&Tensor::zeros([1, 1, 1, 2])?);
    /// let y = x.grid_sample(middle, GridSample::new());
    /// assert_eq!(y.value()?.to_vec(), [2.5]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(x)?.to_vec(), [0.25; 4]);
    /// assert_eq!(grads.wrt(middle)?.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn grid_sample(self, grid: Var<'t, T>, options: GridSample) -> Var<'t, T> {
        self.tape().composed("grid_sample", || {
            let (shape, to) = (self.try_shape()?, grid.try_shape()?);
            if shape.len() != 4 && shape.len() != 5 {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "4 or 5" }.into());
            }
            let axes = shape.len() - 2;
            if to.len() != shape.len() {
                return Err(ErrorKind::Rank { found: to.to_vec(), wanted: ["4", "5"][axes - 2] }.into());
            }
            same("the places", &to, &[&shape[..1], &to[1..=axes], &[axes]].concat())?;
            if let Some(axis) = shape[2..].iter().position(|&n| n == 0) {
                return Err(ErrorKind::EmptyReduction { axis: 2 + axis, shape: shape.to_vec() }.into());
            }
            let (batch, channels) = (shape[0], shape[1]);
            let count: usize = to[1..=axes].iter().product();
            let area = shape[2..].iter().product();
            // For each axis of the image its taps, over all places; the last number of a place is the first axis's.
            let mut taps = Vec::new();
            for axis in 0..axes {
                let along = grid
                    .slice(-1, (axes - 1 - axis) as isize..(axes - axis) as isize)
                    .reshape([batch, 1, count]);
                taps.push(options.taps(along, shape[2 + axis])?);
            }
            let flat = self.reshape([batch, channels, area]);
            let whole = Shape::new([batch, channels, count])?;
            let mut sum: Option<Var<'t, T>> = None;
            let combinations: usize = taps.iter().map(Vec::len).product();
            for combination in 0..combinations {
                let mut rest = combination;
                let (mut place, mut inside) =
                    (Tensor::full([batch, 1, count], 0i64)?, Tensor::full([batch, 1, count], true)?);
                let mut weight: Option<Var<'t, T>> = None;
                for (axis, taps) in taps.iter().enumerate() {
                    let tap = &taps[rest % taps.len()];
                    rest /= taps.len();
                    place = joined(&place, &tap.places, |a, b| a * shape[2 + axis] as i64 + b)?;
                    inside = joined(&inside, &tap.inside, |a, b| a && b)?;
                    weight = match (weight, tap.weight) {
                        (Some(a), Some(b)) => Some(a * b),
                        (a, b) => a.or(b),
                    };
                }
                let mut part = flat.gather(2, &place.expand(&whole)?);
                if options.outside == Outside::Zeros {
                    let inside =
                        self.tape().constant(&inside.map(|inside| if inside { T::ONE } else { T::ZERO })?);
                    part = Var::where_(inside, part, part.constant(0.0));
                }
                let part = weight.map_or(part, |weight| part * weight);
                sum = Some(sum.map_or(part, |sum| sum + part));
            }
            let result = [&shape[..2], &to[1..=axes]].concat();
            Ok(sum.unwrap_or(flat).reshape(result))
        })
    }

    /// The places, for [`grid_sample`](Var::grid_sample), at which an affine map samples an image: for maps `[batch, 2, 3]` and an
    /// output of size `[batch, channels, h, w]`, `[batch, h, w, 2]`; for `[batch, 3, 4]` and three axes, `[batch, d, h, w, 3]`.
    ///
    /// With `align_corners` −1 and 1 are the centres of the first and the last elements, else their outer edges.
    ///
    /// # Gradient
    ///
    /// To each map the cotangents times the places of the output.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) of the size; [`Shape`](ErrorKind::Shape) of the maps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let same = tape.var(&Tensor::from([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]));
    /// let grid = same.affine_grid([1, 1, 1, 2], false);
    /// assert_eq!(grid.value()?, Tensor::from([[[-0.5, 0.0], [0.5, 0.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn affine_grid(self, size: impl AsRef<[usize]>, align_corners: bool) -> Var<'t, T> {
        self.tape().composed("affine_grid", || {
            let (size, shape) = (size.as_ref(), self.try_shape()?);
            if size.len() != 4 && size.len() != 5 {
                return Err(ErrorKind::Rank { found: size.to_vec(), wanted: "4 or 5" }.into());
            }
            let axes = size.len() - 2;
            same("the maps", &shape, &[size[0], axes, axes + 1])?;
            let count = Shape::new(&size[2..])?.count();
            let place = |i: usize, n: usize| match (align_corners, n) {
                (_, 1) => 0.0,
                (true, n) => 2.0 * i as f64 / (n - 1) as f64 - 1.0,
                (false, n) => (2 * i + 1) as f64 / n as f64 - 1.0,
            };
            // Homogeneous places, the last axis first.
            let base = Tensor::build(Shape::new([count, axes + 1])?, |out| {
                for (i, row) in out.chunks_exact_mut(axes + 1).enumerate() {
                    let mut rest = i;
                    for (k, &n) in size[2..].iter().rev().enumerate() {
                        row[k] = T::from_f64(place(rest % n, n));
                        rest /= n;
                    }
                    row[axes] = T::ONE;
                }
            })?;
            let y = self.tape().constant(&base).matmul(self.transpose(-1, -2));
            Ok(y.reshape([&size[..1], &size[2..], &[axes]].concat()))
        })
    }
}

/// Two tensors of one shape, element by element.
fn joined<E: crate::number::Element>(
    a: &Tensor<E>,
    b: &Tensor<E>,
    f: impl Fn(E, E) -> E,
) -> Result<Tensor<E>> {
    Tensor::from_iter_in(a.iter().zip(b.iter()).map(|(a, b)| f(a, b)), a.shape_owned())
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn cubics_over_three_axes_are_those_over_two_where_depth_changes_nothing() {
        let tape = Tape::new();
        let flat: Vec<f64> = (0..12).map(|i| (i * i % 7) as f64).collect();
        let image = tape.var(&Tensor::from_slice(&flat, [1, 1, 3, 4]).unwrap());
        let volume = tape.var(&Tensor::from_slice(&flat.repeat(5), [1, 1, 5, 3, 4]).unwrap());
        let (x, y, z) = (0.31, -0.12, 0.07);
        let place = tape.var(&Tensor::from_slice(&[x, y], [1, 1, 1, 2]).unwrap());
        let deep = tape.var(&Tensor::from_slice(&[x, y, z], [1, 1, 1, 1, 3]).unwrap());
        let options = GridSample::new().with(Sampling::Cubic).outside(Outside::Border);
        let (a, b) = (image.grid_sample(place, options).sum(), volume.grid_sample(deep, options).sum());
        assert!((a.item().unwrap() - b.item().unwrap()).abs() < 1e-13);
        let (a, b) = (a.backward().unwrap(), b.backward().unwrap());
        let (a, b) = (a.wrt(place).unwrap().to_vec(), b.wrt(deep).unwrap().to_vec());
        assert!(
            (a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12 && b[2].abs() < 1e-12,
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn places_that_are_not_finite_are_outside() {
        let tape = Tape::new();
        let image = tape.var(&Tensor::full([1, 1, 1, 2], 3.0).unwrap());
        let places = [f64::NAN, 0.0, f64::INFINITY, 0.0];
        let grid = tape.var(&Tensor::from_slice(&places, [1, 1, 2, 2]).unwrap());
        let nearest = GridSample::new().with(Sampling::Nearest);
        assert_eq!(image.grid_sample(grid, nearest).value().unwrap().to_vec(), [0.0, 0.0]);
        let lines = image.grid_sample(grid, GridSample::new()).value().unwrap().to_vec();
        assert!(lines[0].is_nan(), "a weight of NaN is not hidden: {lines:?}");
    }
}
