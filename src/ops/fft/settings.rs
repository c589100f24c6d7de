//! What says where a transform runs, how long it is, and which way has the factor 1/n.

use crate::error::{Result, argument};
use crate::shape::{Axes, resolve_axis};
use smallvec::SmallVec;

/// Which way of a transform has the factor 1/n that both have together.
///
/// ```
/// use retrograde::{Tape, Tensor, fft::Norm};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([1.0, 1.0, 1.0, 1.0]));
/// let first = |norm| x.rfft(None, 0, norm).re.value().map(|re| re.to_vec()[0]);
/// assert_eq!([first(Norm::Backward)?, first(Norm::Ortho)?, first(Norm::Forward)?], [4.0, 2.0, 1.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// The inverse: the transform is a plain sum.
    #[default]
    Backward,
    /// Each has 1/√n: both are orthogonal maps.
    Ortho,
    /// The transform: it gives means, and the inverse is a plain sum.
    Forward,
}

impl Norm {
    /// The factor of a transform of `n` points.
    pub(super) fn scale(self, n: usize, inverse: bool) -> f64 {
        match (self, inverse) {
            (Norm::Ortho, _) => 1.0 / (n as f64).sqrt(),
            (Norm::Backward, true) | (Norm::Forward, false) => 1.0 / n as f64,
            (Norm::Backward, false) | (Norm::Forward, true) => 1.0,
        }
    }
}

/// The lengths that axes are cut to, or filled up to with zeros, before they are transformed: a list, one for each axis, or
/// `None` for those that they have.
///
/// ```
/// use retrograde::{Axes, Tape, Tensor, fft::{Norm, Sizes}};
///
/// let tape = Tape::<f64>::new();
/// let x = tape.constant(&Tensor::ones([2, 3, 4])?);
/// assert_eq!(x.fftn(None, [0, -1], Norm::Backward).re.value()?.shape(), [2, 3, 4]);
/// assert_eq!(x.fftn([5, 6], [0, -1], Norm::Backward).re.value()?.shape(), [5, 3, 6]);
/// // Fewer than there are axes, where none are named, are for the last.
/// assert_eq!(x.fftn([7], Axes::ALL, Norm::Backward).re.value()?.shape(), [2, 3, 7]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes(Option<SmallVec<[usize; 4]>>);

impl From<Option<&[usize]>> for Sizes {
    fn from(sizes: Option<&[usize]>) -> Sizes {
        Sizes(sizes.map(SmallVec::from_slice))
    }
}

impl From<&[usize]> for Sizes {
    fn from(sizes: &[usize]) -> Sizes {
        Sizes(Some(SmallVec::from_slice(sizes)))
    }
}

impl From<Vec<usize>> for Sizes {
    fn from(sizes: Vec<usize>) -> Sizes {
        Sizes(Some(SmallVec::from_vec(sizes)))
    }
}

impl<const N: usize> From<[usize; N]> for Sizes {
    fn from(sizes: [usize; N]) -> Sizes {
        Sizes(Some(SmallVec::from_slice(&sizes)))
    }
}

/// An axis that is transformed, and of how many points.
#[derive(Clone, Copy)]
pub(super) struct Along {
    pub axis: usize,
    pub n: usize,
}

/// Refuses a transform of no points.
pub(super) fn points(n: usize) -> Result<usize> {
    if n == 0 { argument("the number of points", 0, "at least 1") } else { Ok(n) }
}

/// How many real numbers a half spectrum of `m` belongs to, unless said: an even number.
pub(super) fn of_half(m: usize) -> usize {
    m.saturating_sub(1) * 2
}

impl Along {
    /// One axis.
    pub(super) fn one(axis: isize, n: Option<usize>, shape: &[usize]) -> Result<Along> {
        let axis = resolve_axis(axis, shape)?;
        Ok(Along { axis, n: points(n.unwrap_or(shape[axis]))? })
    }

    /// Several axes in the order given; with `half` the last of them is that of a half spectrum.
    pub(super) fn several(
        axes: &Axes,
        sizes: &Sizes,
        shape: &[usize],
        half: bool,
    ) -> Result<SmallVec<[Along; 4]>> {
        let axes = match (axes.in_order(shape)?, &sizes.0) {
            (Some(axes), _) => axes,
            (None, None) => (0..shape.len()).collect(),
            (None, Some(sizes)) if sizes.len() > shape.len() => {
                return argument("the number of lengths", sizes.len(), format!("at most {}", shape.len()));
            }
            (None, Some(sizes)) => (shape.len() - sizes.len()..shape.len()).collect(),
        };
        if let Some(sizes) = sizes.0.as_ref().filter(|sizes| sizes.len() != axes.len()) {
            return argument("the number of lengths", sizes.len(), axes.len());
        }
        let along = axes.iter().enumerate().map(|(i, &axis)| {
            let own = if half && i + 1 == axes.len() { of_half(shape[axis]) } else { shape[axis] };
            let n = sizes.0.as_ref().map_or(own, |sizes| sizes[i]);
            Ok(Along { axis, n: points(n)? })
        });
        along.collect()
    }
}
