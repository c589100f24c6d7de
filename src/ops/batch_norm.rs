//! Normalisation of channels over the batch.

use super::normalise::Normalise;
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::normalise::Rows;
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::Tensor;
use std::panic::Location;

/// The mean and the variance of each channel, as [`batch_norm_training`](Var::batch_norm_training) gathers them and
/// [`batch_norm`](Var::batch_norm) uses them.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<T: Real> {
    /// The means, `[c]`.
    pub mean: Tensor<T>,
    /// The variances, over n − 1, `[c]`.
    pub variance: Tensor<T>,
}

impl<T: Real> Statistics<T> {
    /// What training begins with: means 0 and variances 1.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge), [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::Statistics;
    ///
    /// let statistics = Statistics::<f64>::new(3)?;
    /// assert_eq!(statistics.variance.to_vec(), [1.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn new(channels: usize) -> Result<Statistics<T>> {
        Ok(Statistics { mean: Tensor::zeros([channels])?, variance: Tensor::ones([channels])? })
    }

    fn check(&self, channels: usize) -> Result<()> {
        same("the mean", self.mean.shape(), &[channels])?;
        same("the variance", self.variance.shape(), &[channels])
    }

    /// `(1 − momentum)·old + momentum·new`, where the new variance, over n, is taken over n − 1.
    fn moved(
        &self,
        momentum: f64,
        mean: &Tensor<T>,
        variance: &Tensor<T>,
        n: usize,
    ) -> Result<Statistics<T>> {
        let mix = |old: &Tensor<T>, new: &Tensor<T>, by: f64| {
            old.map(|old| T::from_f64(1.0 - momentum) * old)?
                .try_add(&new.map(|new| T::from_f64(momentum * by) * new)?)
        };
        let freedom = n as f64 / (n as f64 - 1.0);
        Ok(Statistics {
            mean: mix(&self.mean, mean, 1.0)?,
            variance: mix(&self.variance, variance, freedom)?,
        })
    }
}

/// The number of channels, and of values of each.
fn sizes(shape: &[usize]) -> Result<(usize, usize)> {
    let &[n, channels, ref behind @ ..] = shape else {
        return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
    };
    Ok((channels, n * behind.iter().product::<usize>()))
}

/// Refuses channels of one value: their variance over n − 1 is 0/0.
fn enough(n: usize) -> Result<()> {
    match n {
        1 => argument("the number of values of a channel", "1", "at least 2 in training"),
        _ => Ok(()),
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Of `[n, c, ..]` each channel moved and scaled by given statistics, then times a weight plus a bias for each channel:
    /// `(x − mean)/√(var + ε)·w + b`. For inference; weight and bias are `[c]`, or are left out.
    ///
    /// # Gradient
    ///
    /// To x, the weight and the bias; the statistics are constants.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2, except that an empty vector stays one; [`Shape`](ErrorKind::Shape) for the
    /// statistics, the weight and the bias.
    ///
    /// ```
    /// use retrograde::{Statistics, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let known = Statistics { mean: Tensor::from([1.0, 2.0]), variance: Tensor::from([1.0, 4.0]) };
    /// assert_eq!(x.batch_norm(&known, None, None, 0.0).value()?.to_vec(), [0.0, 0.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn batch_norm(
        self,
        statistics: &Statistics<T>,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Var<'t, T> {
        let (w, b) = (w.into(), b.into());
        self.tape().composed("batch_norm", || {
            let shape = self.try_shape()?;
            if shape[..] == [0] {
                return Ok(self.identity());
            }
            let (channels, _) = sizes(&shape)?;
            statistics.check(channels)?;
            let mut spread = vec![1; shape.len() - 1];
            spread[0] = channels;
            let spread = Shape::new(spread)?;
            let eps = T::from_f64(eps);
            let scale = self.tape().constant(&statistics.variance.map(|v| T::ONE / (v + eps).sqrt())?);
            let mut y =
                (self - self.tape().constant(&statistics.mean.reshape(&spread)?)) * scale.reshape(&spread);
            if let Some(w) = w {
                same("the weight", &w.try_shape()?, &[channels])?;
                y = y * w.reshape(&spread);
            }
            if let Some(b) = b {
                same("the bias", &b.try_shape()?, &[channels])?;
                y = y + b.reshape(&spread);
            }
            Ok(y)
        })
    }

    /// Of `[n, c, ..]` each channel moved and scaled to mean 0 and variance 1 over all other axes, then times a weight plus
    /// a bias for each channel; and what the running statistics then are: `(1 − momentum)·old + momentum·new`, with the
    /// batch's mean and its variance over n − 1. A momentum of 1 gives the batch's own.
    ///
    /// # Gradient
    ///
    /// Through mean and variance too, as [`layer_norm`](Var::layer_norm)'s. The statistics are plain tensors.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2; [`Shape`](ErrorKind::Shape) for the statistics, the weight and the bias;
    /// [`Argument`](ErrorKind::Argument) for channels of one value. Of none the statistics stay as they are.
    ///
    /// ```
    /// use retrograde::{Statistics, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0], [3.0]]));
    /// let (y, running) = x.batch_norm_training(&Statistics::new(1)?, 0.5, None, None, 0.0)?;
    /// assert_eq!(y.value()?.to_vec(), [-1.0, 1.0]);
    /// assert_eq!((running.mean.item()?, running.variance.item()?), (1.0, 1.5));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn batch_norm_training(
        self,
        running: &Statistics<T>,
        momentum: f64,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Result<(Var<'t, T>, Statistics<T>)> {
        let (weights, line) = ([w.into(), b.into()], Location::caller());
        let _line = self.tape().serving(line);
        let run = || {
            let shape = self.try_shape()?;
            if shape[..] == [0] {
                return Ok((self.identity(), running.clone()));
            }
            let (channels, n) = sizes(&shape)?;
            running.check(channels)?;
            enough(n)?;
            let rows = Rows { groups: channels, channels: 1, inner: n };
            let by =
                Normalise { name: "batch_norm", rows, eps, centred: true, weighted: false, biased: false };
            let [y, mean, variance] = self.transpose(0, 1).normalised_by(by, &[channels], weights)?;
            let y = y.transpose(0, 1);
            y.try_shape()?;
            if n == 0 {
                return Ok((y, running.clone()));
            }
            let [mean, variance] =
                [mean.value()?.reshape([channels])?, variance.value()?.reshape([channels])?];
            Ok((y, running.moved(momentum, &mean, &variance, n)?))
        };
        run().map_err(|error: crate::Error| error.at("batch_norm_training", line))
    }

    /// [`instance_norm`](Var::instance_norm), and what the running statistics then are, with the means over the instances
    /// of their means and of their variances over n − 1. See [`batch_norm_training`](Var::batch_norm_training).
    ///
    /// # Errors
    ///
    /// As [`batch_norm_training`](Var::batch_norm_training).
    ///
    /// ```
    /// use retrograde::{Statistics, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0]], [[5.0, 5.0]]]));
    /// let (_, running) = x.instance_norm_training(&Statistics::new(1)?, 1.0, None, None, 1e-5)?;
    /// assert_eq!((running.mean.item()?, running.variance.item()?), (3.5, 1.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn instance_norm_training(
        self,
        running: &Statistics<T>,
        momentum: f64,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Result<(Var<'t, T>, Statistics<T>)> {
        let (weights, line) = ([w.into(), b.into()], Location::caller());
        let _line = self.tape().serving(line);
        let run = || {
            let shape = self.try_shape()?;
            let (channels, _) = sizes(&shape)?;
            running.check(channels)?;
            let n = shape[2..].iter().product();
            enough(n)?;
            let [y, mean, variance] = self.in_groups("instance_norm", channels, weights, eps)?;
            y.try_shape()?;
            if n * shape[0] == 0 {
                return Ok((y, running.clone()));
            }
            let [mean, variance] = [mean.value()?.mean_axes(0)?, variance.value()?.mean_axes(0)?];
            Ok((y, running.moved(momentum, &mean, &variance, n)?))
        };
        run().map_err(|error: crate::Error| error.at("instance_norm_training", line))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::*;
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn images() -> Inputs {
        let cases: &[&[&[usize]]] = &[
            &[&[3, 2], &[2], &[2]],
            &[&[2, 3, 4], &[3], &[3]],
            &[&[2, 1, 2, 2], &[1], &[1]],
            &[&[0, 2, 3], &[2], &[2]],
            &[&[2, 0, 3], &[0], &[0]],
        ];
        shapes(cases, -2.0, 2.0)
    }
    fn known<T: Real>(channels: usize) -> Statistics<T> {
        let numbers = |by: f64| {
            Tensor::from_iter_in((0..channels).map(|i| T::from_f64(by * (i + 1) as f64)), [channels])
        };
        Statistics { mean: numbers(0.25).unwrap(), variance: numbers(0.75).unwrap() }
    }
    fn only<'t, T: Real>(found: Result<(Var<'t, T>, Statistics<T>)>, of: Var<'t, T>) -> Var<'t, T> {
        match found {
            Ok((y, _)) => y,
            Err(error) => of.tape().errored("batch_norm", Location::caller(), error),
        }
    }
    let few = || shapes(&[&[&[1, 3, 2], &[3]], &[&[2, 2, 3], &[2]]], -2.0, 2.0);
    vec![
        sample!("batch_norm", images(), |x| x[0].batch_norm(&known(x[1].shape()[0]), x[1], x[2], 0.1)),
        sample!("batch_norm alone", few(), |x| x[0].batch_norm(&known(x[1].shape()[0]), None, None, 0.1)
            * x[1].sum()),
        sample!("batch_norm_training", images(), |x| {
            only(x[0].batch_norm_training(&known(x[1].shape()[0]), 0.1, x[1], x[2], 0.1), x[0])
        }),
        sample!("batch_norm_training with a weight alone", few(), |x| {
            only(x[0].batch_norm_training(&known(x[1].shape()[0]), 0.1, x[1], None, 0.1), x[0])
        }),
        sample!("instance_norm_training", few(), |x| {
            only(x[0].instance_norm_training(&known(x[1].shape()[0]), 0.1, x[1], None, 0.1), x[0])
        }),
        wrong!(
            "batch_norm",
            &[&[2, 3]],
            |x| x[0].batch_norm(&known(2), None, None, 0.1),
            "the mean has shape [2], wanted [3]"
        ),
        wrong!(
            "batch_norm",
            &[&[2, 3], &[2]],
            |x| x[0].batch_norm(&known(3), x[1], None, 0.1),
            "the weight has shape [2], wanted [3]"
        ),
        wrong!(
            "batch_norm",
            &[&[2, 3], &[2]],
            |x| x[0].batch_norm(&known(3), None, x[1], 0.1),
            "the bias has shape [2], wanted [3]"
        ),
        wrong!(
            "batch_norm",
            &[&[3]],
            |x| x[0].batch_norm(&known(3), None, None, 0.1),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "batch_norm_training",
            &[&[1, 3]],
            |x| only(x[0].batch_norm_training(&known(3), 0.1, None, None, 0.1), x[0]),
            "the number of values of a channel is 1, wanted at least 2 in training"
        ),
        wrong!(
            "batch_norm_training",
            &[&[2, 3], &[1]],
            |x| only(x[0].batch_norm_training(&known(3), 0.1, None, x[1], 0.1), x[0]),
            "the bias has shape [1], wanted [3]"
        ),
        wrong!(
            "batch_norm_training",
            &[&[2, 3]],
            |x| only(
                x[0].batch_norm_training(
                    &Statistics { variance: known(1).variance, ..known(3) },
                    0.1,
                    None,
                    None,
                    0.1
                ),
                x[0]
            ),
            "the variance has shape [1], wanted [3]"
        ),
        wrong!(
            "instance_norm_training",
            &[&[2, 3]],
            |x| only(x[0].instance_norm_training(&known(3), 0.1, None, None, 0.1), x[0]),
            "the number of values of a channel is 1, wanted at least 2 in training"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn running_statistics_move_by_the_momentum_and_stay_where_there_is_nothing() {
        let tape = Tape::new();
        let start = Statistics { mean: Tensor::from([1.0]), variance: Tensor::from([2.0]) };
        let x = tape.var(&Tensor::from([[0.0], [3.0], [6.0]]));
        let (_, moved) = x.batch_norm_training(&start, 0.25, None, None, 1e-5).unwrap();
        assert_eq!((moved.mean.item().unwrap(), moved.variance.item().unwrap()), (1.5, 3.75));
        let none = tape.var(&Tensor::zeros([0, 1]).unwrap());
        let (y, moved) = none.batch_norm_training(&start, 0.25, None, None, 1e-5).unwrap();
        assert_eq!((y.shape().to_vec(), moved), (vec![0, 1], start.clone()));
        let none = tape.var(&Tensor::zeros([0]).unwrap());
        let (y, moved) = none.batch_norm_training(&start, 0.25, None, None, 1e-5).unwrap();
        assert_eq!((y.shape().to_vec(), moved), (vec![0], start.clone()));
        assert_eq!(none.batch_norm(&start, None, None, 1e-5).shape(), [0]);
        let none = tape.var(&Tensor::zeros([0, 1, 4]).unwrap());
        let (_, moved) = none.instance_norm_training(&start, 0.25, None, None, 1e-5).unwrap();
        assert_eq!(moved, start);
        let x = tape.var(&Tensor::from([[[0.0, 4.0]], [[2.0, 2.0]]]));
        let (_, moved) = x.instance_norm_training(&start, 0.5, None, None, 1e-5).unwrap();
        assert_eq!((moved.mean.item().unwrap(), moved.variance.item().unwrap()), (1.5, 3.0));
    }
}
