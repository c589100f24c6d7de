//! Normalisation of groups of channels, and of each channel of each instance.

use super::normalise::Normalise;
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::normalise::Rows;
use crate::number::Real;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// Of `[n, c, ..]` the c channels in `groups` of neighbours, each group of each instance moved and scaled to mean 0
    /// and variance 1, then times a weight plus a bias for each channel: `(x − mean)/√(var + ε)·w + b`. Weight and bias
    /// are `[c]`, or are left out.
    ///
    /// # Gradient
    ///
    /// As [`layer_norm`](Var::layer_norm)'s.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2; [`Argument`](ErrorKind::Argument) for a number of groups that does not divide
    /// that of the channels; [`Shape`](ErrorKind::Shape) for the weight and the bias.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 3.0, 5.0, 5.0]]));
    /// assert_eq!(x.group_norm(2, None, None, 0.0).slice(1, ..2).value()?.to_vec(), [-1.0, 1.0]);
    /// assert_eq!(x.group_norm(2, None, None, 1e-5).slice(1, 2..).value()?.to_vec(), [0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn group_norm(
        self,
        groups: usize,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Var<'t, T> {
        let weights = [w.into(), b.into()];
        self.tape().composed("group_norm", || Ok(self.in_groups("group_norm", groups, weights, eps)?[0]))
    }

    /// Of `[n, c, ..]` each channel of each instance moved and scaled to mean 0 and variance 1 over the axes behind, then
    /// times a weight plus a bias for each channel. With given statistics in place of the instances' own it is
    /// [`batch_norm`](Var::batch_norm).
    ///
    /// # Gradient
    ///
    /// As [`layer_norm`](Var::layer_norm)'s.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2; [`Shape`](ErrorKind::Shape) for the weight and the bias. Of one element each the
    /// result is the bias; PyTorch refuses that.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 3.0], [0.0, 8.0]]]));
    /// let w = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.instance_norm(w, None, 0.0).value()?.to_vec(), [-1.0, 1.0, -2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn instance_norm(
        self,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Var<'t, T> {
        let weights = [w.into(), b.into()];
        self.tape().composed("instance_norm", || {
            let shape = self.try_shape()?;
            let channels = shape.get(1).copied().unwrap_or(1);
            Ok(self.in_groups("instance_norm", channels, weights, eps)?[0])
        })
    }

    /// y, and the mean and the variance of each group, `[n, groups]`.
    #[track_caller]
    pub(super) fn in_groups(
        self,
        name: &'static str,
        groups: usize,
        weights: [Option<Var<'t, T>>; 2],
        eps: f64,
    ) -> Result<[Var<'t, T>; 3]> {
        let shape = self.try_shape()?;
        let &[_, channels, ref behind @ ..] = &shape[..] else {
            return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
        };
        let each = channels.checked_div(groups).unwrap_or(0);
        if each * groups != channels || groups == 0 && channels == 0 && name == "group_norm" {
            return argument(
                "the number of groups",
                groups,
                format!("a divisor of {channels}, the number of channels"),
            );
        }
        let rows = Rows { groups, channels: each, inner: behind.iter().product() };
        let by = Normalise { name, rows, eps, centred: true, weighted: false, biased: false };
        self.normalised_by(by, &[channels], weights)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn images() -> Inputs {
        let cases: &[&[&[usize]]] = &[
            &[&[2, 4, 3], &[4], &[4]],
            &[&[2, 2], &[2], &[2]],
            &[&[1, 6, 2, 2], &[6], &[6]],
            &[&[3, 4, 1], &[4], &[4]],
            &[&[0, 4, 2], &[4], &[4]],
            &[&[2, 4, 0], &[4], &[4]],
        ];
        shapes(cases, -2.0, 2.0)
    }
    vec![
        sample!("group_norm", images(), |x| x[0].group_norm(2, x[1], x[2], 0.1)),
        sample!("group_norm of one group", images(), |x| x[0].group_norm(1, x[1], x[2], 0.1)),
        sample!("group_norm alone", shapes(&[&[&[2, 4, 3]]], -2.0, 2.0), |x| x[0]
            .group_norm(2, None, None, 0.1)),
        sample!("instance_norm", images(), |x| x[0].instance_norm(x[1], x[2], 0.1)),
        sample!("instance_norm alone", shapes(&[&[&[2, 3, 4]], &[&[2, 0, 4]]], -2.0, 2.0), |x| {
            x[0].instance_norm(None, None, 0.1)
        }),
        wrong!(
            "group_norm",
            &[&[2, 4]],
            |x| x[0].group_norm(3, None, None, 0.1),
            "the number of groups is 3, wanted a divisor of 4, the number of channels"
        ),
        wrong!(
            "group_norm",
            &[&[2, 4]],
            |x| x[0].group_norm(0, None, None, 0.1),
            "the number of groups is 0, wanted a divisor of 4, the number of channels"
        ),
        wrong!(
            "group_norm",
            &[&[4]],
            |x| x[0].group_norm(2, None, None, 0.1),
            "shape [4] has rank 1, wanted at least 2"
        ),
        wrong!(
            "group_norm",
            &[&[2, 4], &[2]],
            |x| x[0].group_norm(2, x[1], None, 0.1),
            "the weight has shape [2], wanted [4]"
        ),
        wrong!(
            "instance_norm",
            &[&[2, 4, 3], &[3]],
            |x| x[0].instance_norm(None, x[1], 0.1),
            "the bias has shape [3], wanted [4]"
        ),
        wrong!(
            "instance_norm",
            &[&[4]],
            |x| x[0].instance_norm(None, None, 0.1),
            "shape [4] has rank 1, wanted at least 2"
        ),
    ]
}
