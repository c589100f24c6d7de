//! Images resized: each axis is mixed by a sparse matrix of its own.

use super::pool::adaptive;
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::mix::Rows;
use crate::number::Real;
use crate::ops::per_axis::PerAxis;
use crate::tape::Var;

/// What an element of a resized image is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resampling {
    /// The element whose place is ⌊i·scale⌋.
    Nearest,
    /// The element that its centre falls in.
    NearestExact,
    /// A line through the two nearest centres, along each axis (bilinear, trilinear).
    Linear,
    /// A cubic through four centres, with a = −3/4 (bicubic).
    Cubic,
    /// The mean of the elements it covers.
    Area,
}

/// The new size of an image, and how its elements are made.
///
/// ```
/// use retrograde::{Resampling, Resize, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([[[1.0, 3.0]]]));
/// let resize = |options| x.interpolate(options).value().map(|y| y.to_vec());
/// assert_eq!(resize(Resize::to(4))?, [1.0, 1.0, 3.0, 3.0]);
/// assert_eq!(resize(Resize::by(2.0).with(Resampling::Linear))?, [1.0, 1.5, 2.5, 3.0]);
/// assert_eq!(resize(Resize::to(3).with(Resampling::Linear).align_corners())?, [1.0, 2.0, 3.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    size: Size,
    resampling: Resampling,
    align_corners: bool,
    from_sizes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    To(PerAxis),
    By([f64; 3], usize),
}

impl Resize {
    /// To a length, of all axes or of each.
    pub fn to(size: impl Into<PerAxis>) -> Resize {
        Resize::new(Size::To(size.into()))
    }

    /// By a factor, for all axes. Lengths are rounded down; the scale is the factor's, not that of the rounded lengths.
    pub fn by(factor: f64) -> Resize {
        Resize::new(Size::By([factor; 3], 0))
    }

    /// By a factor for each axis.
    pub fn by_each<const N: usize>(factors: [f64; N]) -> Resize {
        let mut all = [1.0; 3];
        all.iter_mut().zip(factors).for_each(|(all, factor)| *all = factor);
        Resize::new(Size::By(all, N.max(1)))
    }

    fn new(size: Size) -> Resize {
        Resize { size, resampling: Resampling::Nearest, align_corners: false, from_sizes: false }
    }

    /// Makes elements in this way; [`Nearest`](Resampling::Nearest) without it.
    pub fn with(self, resampling: Resampling) -> Resize {
        Resize { resampling, ..self }
    }

    /// The centres of the first and the last elements stay where they are; else their outer edges do. For lines and cubics.
    pub fn align_corners(self) -> Resize {
        Resize { align_corners: true, ..self }
    }

    /// Takes the scale from the rounded lengths instead of from the factors.
    #[doc(alias = "recompute_scale_factor")]
    pub fn scale_from_sizes(self) -> Resize {
        Resize { from_sizes: true, ..self }
    }

    /// The new length of each axis, and the scale from there to the old one where a factor says it.
    fn lengths(&self, old: &[usize]) -> Result<Vec<(usize, Option<f64>)>> {
        match self.size {
            Size::To(size) => {
                Ok(size.at_least(1, "the size", old.len())?.into_iter().map(|n| (n, None)).collect())
            }
            Size::By(_, given) if given != 0 && given != old.len() => {
                argument("the factor", format!("{given} numbers"), format!("one, or {}", old.len()))
            }
            Size::By(factors, _) => {
                let one = |(&n, factor): (&usize, f64)| {
                    let length = (n as f64 * factor).floor();
                    if !(1.0..1e15).contains(&length) {
                        return argument("the factor", factor, format!("one that gives a length, of {n}"));
                    }
                    Ok((length as usize, (!self.from_sizes).then(|| 1.0 / factor)))
                };
                old.iter().zip(factors).map(one).collect()
            }
        }
    }

    /// What each of `new` elements is made of, of `old`.
    fn rows(&self, old: usize, new: usize, scale: Option<f64>) -> Rows {
        let last = old - 1;
        let scale = scale.unwrap_or(old as f64 / new as f64);
        // The place of an element's centre among the old centres.
        let centre = |i: usize| {
            if self.align_corners {
                if new > 1 { i as f64 * (last as f64 / (new - 1) as f64) } else { 0.0 }
            } else {
                (i as f64 + 0.5) * scale - 0.5
            }
        };
        let row = |i: usize| match self.resampling {
            Resampling::Area => unreachable!("made of adaptive windows"),
            _ if new == old && self.resampling != Resampling::Cubic => vec![(i, 1.0)],
            Resampling::Nearest => vec![(((i as f64 * scale).floor() as usize).min(last), 1.0)],
            Resampling::NearestExact => vec![((((i as f64 + 0.5) * scale).floor() as usize).min(last), 1.0)],
            Resampling::Linear => {
                let at = centre(i).max(0.0);
                let first = (at.floor() as usize).min(last);
                let part = (at - first as f64).clamp(0.0, 1.0);
                vec![(first, 1.0 - part), ((first + 1).min(last), part)]
            }
            Resampling::Cubic => {
                let (at, first) = (centre(i), centre(i).floor());
                let place = |k: usize| (first as i64 + k as i64 - 1).clamp(0, last as i64) as usize;
                cubic(at - first).into_iter().enumerate().map(|(k, weight)| (place(k), weight)).collect()
            }
        };
        if self.resampling == Resampling::Area {
            let mean = |span: crate::kernels::pool::Span| {
                (span.first..span.first + span.count).map(|at| (at, 1.0 / span.count as f64)).collect()
            };
            return Rows::new(old, adaptive(old, new).into_iter().map(mean));
        }
        Rows::new(old, (0..new).map(row))
    }
}

/// Keys' cubic convolution with a = −3/4 at a place between the second and the third of four centres.
fn cubic(t: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

impl<'t, T: Real> Var<'t, T> {
    /// An image resized: `[batch, channels, ..]` with one, two or three spatial axes. See [`Resize`].
    ///
    /// Nothing is smoothed before an image is made smaller: with lines and cubics, elements are left out.
    ///
    /// # Gradient
    ///
    /// To each element its share of every new one.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`EmptyReduction`](ErrorKind::EmptyReduction) for a spatial axis of length 0;
    /// [`Argument`](ErrorKind::Argument) for a length of 0, another number of lengths than there are axes, and corners aligned
    /// other than for lines and cubics.
    ///
    /// ```
    /// use retrograde::{Resampling, Resize, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]).unsqueeze(0)?);
    /// let y = x.interpolate(Resize::to([2, 3]).with(Resampling::Linear).align_corners());
    /// assert_eq!(y.value()?, Tensor::from([[[1.0, 1.5, 2.0], [3.0, 3.5, 4.0]]]).unsqueeze(0)?);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.5; 4]);
    /// let y = x.interpolate(Resize::by(0.5).with(Resampling::Area));
    /// assert_eq!(y.value()?, Tensor::from([[[2.5]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "upsample")]
    #[doc(alias = "resize")]
    #[track_caller]
    pub fn interpolate(self, resize: Resize) -> Var<'t, T> {
        self.tape().composed("interpolate", || {
            let shape = self.try_shape()?;
            let Some(old) = shape.get(2..).filter(|old| (1..=3).contains(&old.len())) else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "3 to 5" }.into());
            };
            if let Some(axis) = old.iter().position(|&n| n == 0) {
                return Err(ErrorKind::EmptyReduction { axis: 2 + axis, shape: shape.to_vec() }.into());
            }
            if resize.align_corners && !matches!(resize.resampling, Resampling::Linear | Resampling::Cubic) {
                return argument(
                    "the resampling",
                    format!("{:?}", resize.resampling),
                    "Linear or Cubic for aligned corners",
                );
            }
            let mut y = self;
            for (i, (new, scale)) in resize.lengths(old)?.into_iter().enumerate().rev() {
                y = y.mixed(2 + i, resize.rows(old[i], new, scale));
            }
            Ok(y)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let lines = || shapes(&[&[&[2, 1, 5]], &[&[1, 2, 1]], &[&[0, 1, 3]]], -1.0, 1.0);
    let images = || shapes(&[&[&[1, 2, 3, 4]], &[&[1, 1, 2, 1]]], -1.0, 1.0);
    vec![
        sample!("interpolate", lines(), |x| x[0].interpolate(Resize::to(7)).square()),
        sample!("interpolate fewer", lines(), |x| x[0].interpolate(Resize::to(2)).square()),
        sample!("interpolate by a factor", images(), |x| x[0].interpolate(Resize::by(1.7)).square()),
        sample!("interpolate nearest exact", images(), |x| {
            x[0].interpolate(Resize::to([2, 7]).with(Resampling::NearestExact)).square()
        }),
        sample!("interpolate by lines", images(), |x| {
            x[0].interpolate(Resize::by_each([1.6, 2.4]).with(Resampling::Linear)).square()
        }),
        sample!("interpolate by lines to corners", images(), |x| {
            x[0].interpolate(Resize::to([1, 6]).with(Resampling::Linear).align_corners()).square()
        }),
        sample!("interpolate by cubics", images(), |x| {
            x[0].interpolate(Resize::by(2.3).with(Resampling::Cubic).scale_from_sizes()).square()
        }),
        sample!("interpolate by cubics to corners", images(), |x| {
            x[0].interpolate(Resize::to([5, 3]).with(Resampling::Cubic).align_corners()).square()
        }),
        sample!("interpolate areas", shapes(&[&[&[1, 1, 2, 3, 4]]], -1.0, 1.0), |x| {
            x[0].interpolate(Resize::to([3, 2, 2]).with(Resampling::Area)).square()
        }),
        wrong!(
            "interpolate",
            &[&[2, 3]],
            |x| x[0].interpolate(Resize::to(3)),
            "shape [2, 3] has rank 2, wanted 3 to 5"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 0]],
            |x| x[0].interpolate(Resize::to(3)),
            "reduction over axis 2 of size 0 in shape [1, 1, 0] has no identity"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::to(0)),
            "the size is 0, wanted at least 1"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::to([2, 2])),
            "the size is 2 numbers, wanted one, or 1"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::by_each([2.0, 2.0])),
            "the factor is 2 numbers, wanted one, or 1"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::by(0.4)),
            "the factor is 0.4, wanted one that gives a length, of 2"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::by(f64::NAN)),
            "the factor is NaN, wanted one that gives a length, of 2"
        ),
        wrong!(
            "interpolate",
            &[&[1, 1, 2]],
            |x| x[0].interpolate(Resize::to(3).align_corners()),
            "the resampling is Nearest, wanted Linear or Cubic for aligned corners"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_goes_through_its_centres_and_its_weights_sum_to_one() {
        assert_eq!(cubic(0.0), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(cubic(1.0), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(cubic(0.5), [-0.09375, 0.59375, 0.59375, -0.09375]);
        assert!((cubic(0.3).iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }
}
