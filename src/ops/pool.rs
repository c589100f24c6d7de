//! What pools have in common: their options, the places of their windows.

use crate::error::{ErrorKind, Result, argument};
use crate::kernels::pool::Span;
use crate::ops::per_axis::{PerAxis, batched};

/// The windows of a pool: their lengths, stride, padding and dilation, each one number for all spatial axes or one for each.
///
/// ```
/// use retrograde::{Pool, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([[1.0, 5.0, 2.0, 4.0, 3.0]]));
/// assert_eq!(x.max_pool1d(Pool::new(2)).value()?, Tensor::from([[5.0, 4.0]]));
/// assert_eq!(x.max_pool1d(Pool::new(2).ceil()).value()?, Tensor::from([[5.0, 4.0, 3.0]]));
/// assert_eq!(x.max_pool1d(Pool::new(3).stride(1).padding(1)).value()?, Tensor::from([[5.0, 5.0, 5.0, 4.0, 4.0]]));
/// assert_eq!(x.max_pool1d(Pool::new(2).stride(1).dilation(3)).value()?, Tensor::from([[4.0, 5.0]]));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    pub(super) kernel: PerAxis,
    /// Nothing for the kernel's length.
    pub(super) stride: Option<PerAxis>,
    pub(super) padding: PerAxis,
    pub(super) dilation: PerAxis,
    pub(super) ceil: bool,
    pub(super) divide: Divide,
}

/// What an average divides by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Divide {
    WithPadding,
    WithoutPadding,
    By(f64),
}

impl Pool {
    /// Windows of a length, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> Pool {
        Pool {
            kernel: kernel.into(),
            stride: None,
            padding: 0.into(),
            dilation: 1.into(),
            ceil: false,
            divide: Divide::WithPadding,
        }
    }

    /// The step from one window to the next; without it, the length of a window.
    pub fn stride(self, stride: impl Into<PerAxis>) -> Pool {
        Pool { stride: Some(stride.into()), ..self }
    }

    /// Padding at either end, at most half of a window. It is never the largest element; an average counts it as zeros.
    pub fn padding(self, padding: impl Into<PerAxis>) -> Pool {
        Pool { padding: padding.into(), ..self }
    }

    /// The step from one element that a window shows to the next.
    pub fn dilation(self, dilation: impl Into<PerAxis>) -> Pool {
        Pool { dilation: dilation.into(), ..self }
    }

    /// One window more where the last would reach past the end; it must begin before that.
    #[doc(alias = "ceil_mode")]
    pub fn ceil(self) -> Pool {
        Pool { ceil: true, ..self }
    }

    /// An average counts the elements of the input alone, not the padding.
    #[doc(alias = "count_include_pad")]
    pub fn without_padding(self) -> Pool {
        Pool { divide: Divide::WithoutPadding, ..self }
    }

    /// An average divides by this number.
    #[doc(alias = "divisor_override")]
    pub fn divisor(self, divisor: f64) -> Pool {
        Pool { divide: Divide::By(divisor), ..self }
    }
}

/// The windows along one axis.
pub(super) struct Line {
    pub(super) size: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
    pub(super) windows: usize,
}

/// The lengths of an image's spatial axes, none of them 0, after a check of its rank.
pub(super) fn spatial(shape: &[usize], axes: usize) -> Result<&[usize]> {
    batched(shape, axes)?;
    let first = shape.len() - axes;
    match shape[first..].iter().position(|&n| n == 0) {
        Some(axis) => Err(ErrorKind::EmptyReduction { axis: first + axis, shape: shape.to_vec() }.into()),
        None => Ok(&shape[first..]),
    }
}

impl Pool {
    /// The windows along each spatial axis of an image.
    pub(super) fn lines(&self, shape: &[usize], axes: usize) -> Result<Vec<Line>> {
        let sizes = spatial(shape, axes)?;
        let kernel = self.kernel.at_least(1, "the length of the window", axes)?;
        let stride = self.stride.unwrap_or(self.kernel).at_least(1, "the stride", axes)?;
        let padding = self.padding.of("the padding", axes)?;
        let dilation = self.dilation.at_least(1, "the dilation", axes)?;
        let mut lines = Vec::with_capacity(axes);
        for i in 0..axes {
            let (size, axis) = (sizes[i], shape.len() - axes + i);
            let (kernel, stride, padding, dilation) = (kernel[i], stride[i], padding[i], dilation[i]);
            let last = (kernel - 1).checked_mul(dilation).filter(|&last| last < 1 << 48 && stride < 1 << 48);
            let Some(last) = last else {
                return argument(
                    "the window",
                    format!("{kernel} with dilation {dilation} and stride {stride}"),
                    "a length that memory has",
                );
            };
            if padding > last.div_ceil(2) {
                return argument(
                    "the padding",
                    format!("{padding} on axis {axis}"),
                    format!("at most {}, half of a window", last.div_ceil(2)),
                );
            }
            let Some(room) = (size + 2 * padding).checked_sub(last + 1) else {
                let found = format!("{} on axis {axis}", last + 1);
                return argument(
                    "the length of the window",
                    found,
                    format!("at most the padded input's, {}", size + 2 * padding),
                );
            };
            let mut windows = if self.ceil { room.div_ceil(stride) } else { room / stride } + 1;
            if self.ceil && (windows - 1) * stride >= size + padding {
                windows -= 1;
            }
            lines.push(Line { size, kernel, stride, padding, dilation, windows });
        }
        Ok(lines)
    }
}

impl Line {
    /// What each window shows of the input; an error if it is nothing.
    pub(super) fn spans(&self, axis: usize) -> Result<Vec<Span>> {
        let step = self.dilation;
        let span = |window: usize| {
            let start = window * self.stride;
            // The first tap that is not before the input, and the number of those before its end.
            let skipped = self.padding.saturating_sub(start).div_ceil(step);
            let until = (self.size + self.padding).saturating_sub(start).div_ceil(step).min(self.kernel);
            match until.checked_sub(skipped) {
                None | Some(0) => argument(
                    "the padding",
                    format!("{} on axis {axis} of length {}", self.padding, self.size),
                    "less: a window of this dilation shows nothing else",
                ),
                Some(count) => Ok(Span { first: start + skipped * step - self.padding, count }),
            }
        };
        (0..self.windows).map(span).collect()
    }

    /// Of each window the first element and how many it has, and how many elements and padding.
    pub(super) fn counted(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        (0..self.windows).map(|window| {
            let start = window * self.stride;
            let end = (start + self.kernel).min(self.size + 2 * self.padding);
            let first = start.saturating_sub(self.padding);
            let until = (end.saturating_sub(self.padding)).min(self.size);
            (first, until.saturating_sub(first), end - start)
        })
    }
}

/// The windows that divide an axis as evenly as can be: from ⌊i·size/windows⌋ to ⌈(i+1)·size/windows⌉.
pub(super) fn adaptive(size: usize, windows: usize) -> Vec<Span> {
    let at = |i: usize| i as u128 * size as u128;
    let span = |i: usize| {
        let first = (at(i) / windows as u128) as usize;
        Span { first, count: at(i + 1).div_ceil(windows as u128) as usize - first }
    };
    (0..windows).map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adaptive_windows_cover_the_axis() {
        let pairs =
            |size, windows| adaptive(size, windows).iter().map(|s| (s.first, s.count)).collect::<Vec<_>>();
        assert_eq!(pairs(7, 3), [(0, 3), (2, 3), (4, 3)]);
        assert_eq!(pairs(2, 5), [(0, 1), (0, 1), (0, 2), (1, 1), (1, 1)]);
        assert_eq!(pairs(6, 3), [(0, 2), (2, 2), (4, 2)]);
        assert_eq!(pairs(4, 1), [(0, 4)]);
        assert!(pairs(4, 0).is_empty());
    }

    #[test]
    fn windows_are_counted_with_and_without_padding() {
        let line = |pool: Pool, n| pool.lines(&[1, n], 1).unwrap().remove(0);
        let all = |line: &Line| line.counted().collect::<Vec<_>>();
        assert_eq!(all(&line(Pool::new(3).stride(2).padding(1), 5)), [(0, 2, 3), (1, 3, 3), (3, 2, 3)]);
        // The last window of ceil mode ends with the padding.
        assert_eq!(
            all(&line(Pool::new(3).stride(3).padding(1).ceil(), 6)),
            [(0, 2, 3), (2, 3, 3), (5, 1, 2)]
        );
        assert_eq!(all(&line(Pool::new(2).ceil(), 3)), [(0, 2, 2), (2, 1, 1)]);
        // One that would begin in the padding behind is left out.
        assert_eq!(line(Pool::new(2).stride(3).padding(1).ceil(), 4).windows, 2);
        let spans = |pool: Pool, n| {
            line(pool, n).spans(1).unwrap().iter().map(|s| (s.first, s.count)).collect::<Vec<_>>()
        };
        assert_eq!(
            spans(Pool::new(3).stride(1).padding(2).dilation(2), 5),
            [(0, 2), (1, 2), (0, 3), (1, 2), (2, 2)]
        );
    }
}
