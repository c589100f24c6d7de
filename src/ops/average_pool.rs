//! Means of windows.

use super::pool::{Divide, Line, Pool, adaptive, spatial};
use crate::error::argument;
use crate::kernels::mix::Rows;
use crate::kernels::pool::Span;
use crate::number::Real;
use crate::ops::per_axis::PerAxis;
use crate::tape::Var;

/// Along an axis, weights of a window's elements: one over the count, or 1.
fn weights(line: &Line, divide: Divide) -> Rows {
    let row = |(first, count, all): (usize, usize, usize)| {
        let weight = match divide {
            Divide::WithPadding => 1.0 / all as f64,
            Divide::WithoutPadding => 1.0 / count as f64,
            Divide::By(_) => 1.0,
        };
        (first..first + count).map(|at| (at, weight)).collect()
    };
    Rows::new(line.size, line.counted().map(row))
}

impl<'t, T: Real> Var<'t, T> {
    fn averaged(self, name: &'static str, axes: usize, pool: Pool) -> Var<'t, T> {
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let lines = pool.lines(&shape, axes)?;
            if pool.dilation != PerAxis::from(1) {
                return argument("the dilation", "set", "none: it is for the largest element");
            }
            let mut y = self;
            // The last axis first: the fewer elements are left for the others.
            for (i, line) in lines.iter().enumerate().rev() {
                y = y.mixed(shape.len() - axes + i, weights(line, pool.divide));
            }
            match pool.divide {
                Divide::By(0.0) => argument("the divisor", 0, "another number"),
                Divide::By(divisor) => Ok(y / divisor),
                _ => Ok(y),
            }
        })
    }

    fn averaged_in(self, name: &'static str, axes: usize, windows: PerAxis) -> Var<'t, T> {
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let sizes = spatial(&shape, axes)?;
            let counts = windows.of("the number of windows", axes)?;
            let mut y = self;
            for i in (0..axes).rev() {
                let row = |span: Span| {
                    (span.first..span.first + span.count).map(|at| (at, 1.0 / span.count as f64)).collect()
                };
                y = y.mixed(
                    shape.len() - axes + i,
                    Rows::new(sizes[i], adaptive(sizes[i], counts[i]).into_iter().map(row)),
                );
            }
            Ok(y)
        })
    }

    /// The mean of each window over one spatial axis; x is `[batch, channels, length]` or `[channels, length]`.
    ///
    /// Windows lie as for [`max_pool1d`](Var::max_pool1d), without dilation. Padding counts as zeros, unless
    /// [`without_padding`](Pool::without_padding) leaves it out; [`divisor`](Pool::divisor) divides the sums by another number.
    ///
    /// # Gradient
    ///
    /// To each element its share of every window that shows it.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0;
    /// [`Argument`](crate::ErrorKind::Argument) for a window that is longer than the padded input, for padding of more than half a
    /// window, for a dilation, and for a divisor of 0.
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 3.0, 5.0]]));
    /// assert_eq!(x.avg_pool1d(Pool::new(2).stride(1)).value()?, Tensor::from([[2.0, 4.0]]));
    /// let pool = Pool::new(2).padding(1);
    /// assert_eq!(x.avg_pool1d(pool).value()?, Tensor::from([[0.5, 4.0]]));
    /// assert_eq!(x.avg_pool1d(pool.without_padding()).value()?, Tensor::from([[1.0, 4.0]]));
    /// assert_eq!(x.avg_pool1d(pool.divisor(1.0)).value()?, Tensor::from([[1.0, 8.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn avg_pool1d(self, pool: Pool) -> Var<'t, T> {
        self.averaged("avg_pool1d", 1, pool)
    }

    /// The mean of each of so many windows that divide one spatial axis as evenly as can be, as for
    /// [`adaptive_max_pool1d`](Var::adaptive_max_pool1d). With 1 it is the mean of all.
    ///
    /// # Gradient
    ///
    /// To each element its share of every window that shows it.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 3.0, 5.0]]));
    /// assert_eq!(x.adaptive_avg_pool1d(1).value()?, Tensor::from([[3.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool1d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.averaged_in("adaptive_avg_pool1d", 1, windows.into())
    }

    /// The mean of each window over two spatial axes; see [`avg_pool1d`](Var::avg_pool1d). x is `[batch, channels, height, width]` or `[channels, height, width]`.
    ///
    /// # Gradient
    ///
    /// As [`avg_pool1d`](Var::avg_pool1d).
    ///
    /// # Errors
    ///
    /// As [`avg_pool1d`](Var::avg_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0], [5.0, 7.0]]]));
    /// assert_eq!(x.avg_pool2d(Pool::new(2)).value()?, Tensor::from([[[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn avg_pool2d(self, pool: Pool) -> Var<'t, T> {
        self.averaged("avg_pool2d", 2, pool)
    }

    /// The mean of each of so many windows that divide two spatial axes as evenly as can be, as for
    /// [`adaptive_max_pool2d`](Var::adaptive_max_pool2d). With 1 it is the mean of all.
    ///
    /// # Gradient
    ///
    /// To each element its share of every window that shows it.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0], [5.0, 7.0]]]));
    /// assert_eq!(x.adaptive_avg_pool2d(1).value()?, Tensor::from([[[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool2d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.averaged_in("adaptive_avg_pool2d", 2, windows.into())
    }

    /// The mean of each window over three spatial axes; see [`avg_pool1d`](Var::avg_pool1d). x is `[batch, channels, depth, height, width]` or that without a batch.
    ///
    /// # Gradient
    ///
    /// As [`avg_pool1d`](Var::avg_pool1d).
    ///
    /// # Errors
    ///
    /// As [`avg_pool1d`](Var::avg_pool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0], [5.0, 7.0]]]).unsqueeze(0)?);
    /// assert_eq!(x.avg_pool3d(Pool::new([1, 2, 2])).value()?, Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn avg_pool3d(self, pool: Pool) -> Var<'t, T> {
        self.averaged("avg_pool3d", 3, pool)
    }

    /// The mean of each of so many windows that divide three spatial axes as evenly as can be, as for
    /// [`adaptive_max_pool3d`](Var::adaptive_max_pool3d). With 1 it is the mean of all.
    ///
    /// # Gradient
    ///
    /// To each element its share of every window that shows it.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for a spatial axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0], [5.0, 7.0]]]).unsqueeze(0)?);
    /// assert_eq!(x.adaptive_avg_pool3d(1).value()?, Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool3d(self, windows: impl Into<PerAxis>) -> Var<'t, T> {
        self.averaged_in("adaptive_avg_pool3d", 3, windows.into())
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn of(cases: &[&[&[usize]]]) -> Inputs {
        shapes(cases, -2.0, 2.0)
    }
    let lines = || of(&[&[&[2, 2, 7]], &[&[1, 6]], &[&[0, 2, 5]], &[&[2, 0, 5]]]);
    let images = || of(&[&[&[1, 2, 5, 4]], &[&[2, 3, 6]]]);
    let volumes = || of(&[&[&[1, 1, 3, 2, 4]], &[&[1, 2, 3, 3]]]);
    vec![
        sample!("avg_pool1d", lines(), |x| x[0].avg_pool1d(Pool::new(3).stride(2)).square()),
        sample!("avg_pool1d padded", lines(), |x| x[0]
            .avg_pool1d(Pool::new(4).stride(3).padding(2).ceil())
            .square()),
        sample!("avg_pool1d without padding", lines(), |x| x[0]
            .avg_pool1d(Pool::new(3).stride(1).padding(1).without_padding())
            .square()),
        sample!("avg_pool1d divided", lines(), |x| x[0]
            .avg_pool1d(Pool::new(3).padding(1).divisor(-2.0))
            .square()),
        sample!("avg_pool2d", images(), |x| x[0]
            .avg_pool2d(Pool::new([2, 3]).stride([2, 1]).padding([1, 0]))
            .square()),
        sample!("avg_pool3d", volumes(), |x| x[0].avg_pool3d(Pool::new([2, 1, 2]).ceil()).square()),
        sample!("adaptive_avg_pool1d", lines(), |x| x[0].adaptive_avg_pool1d(3).square()),
        sample!("adaptive_avg_pool1d more", lines(), |x| x[0].adaptive_avg_pool1d(9).square()),
        sample!("adaptive_avg_pool2d", images(), |x| x[0].adaptive_avg_pool2d([1, 3]).square()),
        sample!("adaptive_avg_pool3d", volumes(), |x| x[0].adaptive_avg_pool3d(2).square()),
        wrong!(
            "avg_pool1d",
            &[&[1, 5]],
            |x| x[0].avg_pool1d(Pool::new(2).dilation(2)),
            "the dilation is set, wanted none: it is for the largest element"
        ),
        wrong!(
            "avg_pool1d",
            &[&[1, 5]],
            |x| x[0].avg_pool1d(Pool::new(2).divisor(0.0)),
            "the divisor is 0, wanted another number"
        ),
        wrong!(
            "avg_pool2d",
            &[&[1, 5]],
            |x| x[0].avg_pool2d(Pool::new(2)),
            "shape [1, 5] has rank 2, wanted 3 or 4"
        ),
        wrong!(
            "avg_pool2d",
            &[&[1, 5, 5]],
            |x| x[0].avg_pool2d(Pool::new(3).padding(2)),
            "the padding is 2 on axis 1, wanted at most 1, half of a window"
        ),
        wrong!(
            "adaptive_avg_pool1d",
            &[&[1, 0]],
            |x| x[0].adaptive_avg_pool1d(2),
            "reduction over axis 1 of size 0 in shape [1, 0] has no identity"
        ),
        wrong!(
            "adaptive_avg_pool3d",
            &[&[1, 2, 2, 2]],
            |x| x[0].adaptive_avg_pool3d([1, 2]),
            "the number of windows is 2 numbers, wanted one, or 3"
        ),
    ]
}
