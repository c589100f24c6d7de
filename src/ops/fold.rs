//! The windows of a convolution as columns, and columns added up to an image.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::ops::per_axis::{PerAxis, batched};
use crate::ops::{Conv, Padding};
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::{Places, Tensor};

/// Where the elements of columns are in a padded image.
struct Columns {
    /// Padding before and behind, on both axes.
    padding: [usize; 2],
    /// The padded image.
    size: [usize; 2],
    taps: usize,
    windows: usize,
    index: Tensor<i64>,
}

impl Columns {
    fn new(size: &[usize], kernel: PerAxis, options: Conv) -> Result<Columns> {
        let (stride, padding, dilation) = options.of_windows(2)?;
        let kernel = kernel.at_least(1, "the length of the window", 2)?;
        let (mut padded, mut windows) = ([0; 2], [0; 2]);
        for i in 0..2 {
            padded[i] = size[i] + 2 * padding[i];
            let span = (kernel[i] - 1).checked_mul(dilation[i]).and_then(|last| last.checked_add(1));
            let Some(room) = span.and_then(|span| padded[i].checked_sub(span)) else {
                let found = format!("{} on axis {}", span.unwrap_or(usize::MAX), i as isize - 2);
                return argument(
                    "the length of the window",
                    found,
                    format!("at most the padded input's, {}", padded[i]),
                );
            };
            windows[i] = room / stride[i] + 1;
        }
        let (taps, count) = (kernel[0] * kernel[1], windows[0] * windows[1]);
        Shape::new([kernel[0], kernel[1], windows[0], windows[1]])?;
        let index = Tensor::build(Shape::new([taps * count])?, |out| {
            let mut out = out.iter_mut();
            for (a, b) in (0..kernel[0]).flat_map(|a| (0..kernel[1]).map(move |b| (a, b))) {
                for (i, j) in (0..windows[0]).flat_map(|i| (0..windows[1]).map(move |j| (i, j))) {
                    let (y, x) = (i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]);
                    out.next().into_iter().for_each(|out| *out = (y * padded[1] + x) as i64);
                }
            }
        })?;
        Ok(Columns { padding: [padding[0], padding[1]], size: padded, taps, windows: count, index })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The windows of a two-dimensional convolution as columns: `[batch, channels, height, width]`, or that without a batch,
    /// becomes `[batch, channels·taps, windows]`. Padding shows zeros. (PyTorch calls it `nn.functional.unfold`.)
    ///
    /// A convolution is the product of the weight, as `[filters, channels·taps]`, with these columns.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all columns that show an element: [`col2im`](Var::col2im).
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`Argument`](ErrorKind::Argument) for a window that is longer than the padded input, and for
    /// options that are no good.
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]));
    /// let columns = x.im2col([2, 2], Conv::new());
    /// assert_eq!(columns.value()?, Tensor::from([[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]));
    /// assert_eq!(columns.sum().backward()?.wrt(x)?.to_vec(), [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "unfold")]
    #[track_caller]
    pub fn im2col(self, kernel: impl Into<PerAxis>, options: Conv) -> Var<'t, T> {
        self.tape().composed("im2col", || {
            let shape = self.try_shape()?;
            batched(&shape, 2)?;
            let first = shape.len() - 2;
            let columns = Columns::new(&shape[first..], kernel.into(), options)?;
            let [h, w] = columns.padding.map(|n| n as isize);
            let padded =
                if [h, w] == [0, 0] { self } else { self.pad([(h, h), (w, w)], Padding::Constant(0.0)) };
            let batch = &shape[..first - 1];
            let flat =
                padded.reshape([batch, &[shape[first - 1], columns.size[0] * columns.size[1]]].concat());
            let rows = shape[first - 1] * columns.taps;
            Ok(flat.index_select(-1, &columns.index).reshape([batch, &[rows, columns.windows]].concat()))
        })
    }

    /// Columns added up to an image of a height and a width, each element where [`im2col`](Var::im2col) would have taken it
    /// from: its adjoint. `[batch, channels·taps, windows]` becomes `[batch, channels, height, width]`. (PyTorch calls it
    /// `nn.functional.fold`.)
    ///
    /// # Gradient
    ///
    /// The columns of the cotangent.
    ///
    /// # Errors
    ///
    /// As [`im2col`](Var::im2col); [`Shape`](ErrorKind::Shape) for columns that are not those of such an image;
    /// [`Argument`](ErrorKind::Argument) for a number of rows that the taps do not divide.
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let columns = tape.var(&Tensor::ones([1, 4, 2])?);
    /// let x = columns.col2im([2, 3], [2, 2], Conv::new());
    /// assert_eq!(x.value()?.shape(), [1, 1, 2, 3]);
    /// assert_eq!(x.value()?.to_vec(), [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "fold")]
    #[track_caller]
    pub fn col2im(self, size: impl Into<PerAxis>, kernel: impl Into<PerAxis>, options: Conv) -> Var<'t, T> {
        self.tape().composed("col2im", || {
            let shape = self.try_shape()?;
            let (batch, rows) = match &shape[..] {
                [rows, _] => (&shape[..0], *rows),
                [_, rows, _] => (&shape[..1], *rows),
                _ => return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2 or 3" }.into()),
            };
            let size = size.into().of("the size of the image", 2)?;
            let columns = Columns::new(&size, kernel.into(), options)?;
            if !rows.is_multiple_of(columns.taps) {
                return argument("the number of rows", rows, format!("a multiple of {}", columns.taps));
            }
            same("columns of that image", &shape, &[batch, &[rows, columns.windows]].concat())?;
            let channels = rows / columns.taps;
            let [height, width] = columns.size;
            let flat = Shape::new([batch, &[channels, height * width]].concat())?;
            let places = Places::whole(&flat, -1, &columns.index)?;
            let merged = self.reshape([batch, &[channels, columns.taps * columns.windows]].concat());
            let y = merged.summed_at(places).reshape([batch, &[channels, height, width]].concat());
            let [h, w] = columns.padding.map(|n| -(n as isize));
            Ok(if [h, w] == [0, 0] { y } else { y.pad([(h, h), (w, w)], Padding::Constant(0.0)) })
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let images = || shapes(&[&[&[2, 2, 4, 3]], &[&[1, 3, 5]], &[&[0, 1, 3, 3]], &[&[1, 0, 3, 3]]], -1.0, 1.0);
    vec![
        sample!("im2col", images(), |x| x[0].im2col([2, 3], Conv::new()).cumsum(-1).square()),
        sample!("im2col padded", images(), |x| {
            x[0].im2col(2, Conv::new().padding([2, 1]).stride([3, 2]).dilation([2, 1])).cumsum(-1).square()
        }),
        sample!("col2im", shapes(&[&[&[2, 4, 6]], &[&[8, 6]], &[&[0, 4, 6]]], -1.0, 1.0), |x| {
            x[0].col2im([3, 4], 2, Conv::new()).square()
        }),
        sample!("col2im padded", shapes(&[&[&[1, 6, 4]]], -1.0, 1.0), |x| {
            x[0].col2im([3, 4], [2, 3], Conv::new().padding([2, 1]).stride([3, 2]).dilation([2, 1])).square()
        }),
        wrong!(
            "im2col",
            &[&[3, 3]],
            |x| x[0].im2col(2, Conv::new()),
            "shape [3, 3] has rank 2, wanted 3 or 4"
        ),
        wrong!(
            "im2col",
            &[&[1, 3, 3]],
            |x| x[0].im2col([2, 4], Conv::new()),
            "the length of the window is 4 on axis -1, wanted at most the padded input's, 3"
        ),
        wrong!(
            "im2col",
            &[&[1, 3, 3]],
            |x| x[0].im2col(0, Conv::new()),
            "the length of the window is 0, wanted at least 1"
        ),
        wrong!(
            "im2col",
            &[&[1, 3, 3]],
            |x| x[0].im2col(2, Conv::new().groups(3)),
            "the set of options is a convolution's, wanted stride, padding and dilation alone"
        ),
        wrong!(
            "im2col",
            &[&[1, 3, 3]],
            |x| x[0].im2col(2, Conv::new().same()),
            "the set of options is a convolution's, wanted stride, padding and dilation alone"
        ),
        wrong!("col2im", &[&[4]], |x| x[0].col2im(2, 2, Conv::new()), "shape [4] has rank 1, wanted 2 or 3"),
        wrong!(
            "col2im",
            &[&[6, 1]],
            |x| x[0].col2im(2, 2, Conv::new()),
            "the number of rows is 6, wanted a multiple of 4"
        ),
        wrong!(
            "col2im",
            &[&[4, 2]],
            |x| x[0].col2im(2, 2, Conv::new()),
            "columns of that image has shape [4, 2], wanted [4, 1]"
        ),
    ]
}
