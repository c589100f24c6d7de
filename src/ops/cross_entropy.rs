//! Cross entropy of classes with the softmax of logits, and of labels with given log-probabilities.

use super::losses::{Labels, demand, settings};
use crate::error::{ErrorKind, Result};
use crate::kernels::rows;
use crate::number::Real;
use crate::shape::{Axes, IntoShape, Shape, resolve_axis, same};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

settings! {
    /// The settings of [`cross_entropy`](crate::Var::cross_entropy). A bare [`Reduction`](crate::Reduction) stands for
    /// the defaults otherwise.
    CrossEntropy<T> [
        /// A weight for each class: none unless set. The mean over labels is then the weighted mean, divided by the sum
        /// of the labels' weights.
        weight;
    ] {
        /// Which axis the classes are: the last unless set. PyTorch's is 1.
        axis: isize = -1;
        /// The label of what does not count, −100 unless set: its term is 0, and the mean is over the others. It need
        /// not be a class, and wins over the class if it is one.
        ignore_index: i64 = -100;
        /// Which part of each target is spread evenly over all classes, from 0 to 1: 0 unless set.
        label_smoothing: f64 = 0.0;
    }
}

settings! {
    /// The settings of [`nll_loss`](crate::Var::nll_loss). A bare [`Reduction`](crate::Reduction) stands for the
    /// defaults otherwise.
    Nll<T> [
        /// A weight for each class: none unless set. The mean is then the weighted mean, divided by the sum of the
        /// labels' weights.
        weight;
    ] {
        /// Which axis the classes are: the last unless set. PyTorch's is 1.
        axis: isize = -1;
        /// The label of what does not count, −100 unless set: its term is 0, and the mean is over the others. It need
        /// not be a class, and wins over the class if it is one.
        ignore_index: i64 = -100;
    }
}

/// What classes there should be: labels, or a probability for each class, as a tensor or a variable.
#[derive(Clone, Debug)]
pub enum Targets<'t, T: Real> {
    /// The class of each row.
    Labels(Tensor<i64>),
    /// A constant probability for each class of each row.
    Probabilities(Tensor<T>),
    /// The same as a variable, through which a gradient flows.
    Var(Var<'t, T>),
}

impl<T: Real> From<&Tensor<i64>> for Targets<'_, T> {
    fn from(labels: &Tensor<i64>) -> Self {
        Targets::Labels(labels.clone())
    }
}

impl<T: Real> From<&Tensor<T>> for Targets<'_, T> {
    fn from(probabilities: &Tensor<T>) -> Self {
        Targets::Probabilities(probabilities.clone())
    }
}

impl<'t, T: Real> From<Var<'t, T>> for Targets<'t, T> {
    fn from(probabilities: Var<'t, T>) -> Self {
        Targets::Var(probabilities)
    }
}

/// ln Σ eˣ − x[target] of each row, one pass; and each row's shift and total, for the gradient. A row whose target is
/// negative counts for nothing.
struct Labelled {
    targets: Tensor<i64>,
    some_ignored: bool,
}

impl Labelled {
    /// The shape of the terms: the logits' without the classes.
    fn check(&self, logits: &[usize]) -> Result<Shape> {
        let Some((&size, rows)) = logits.split_last() else {
            return Err(
                ErrorKind::Rank { found: vec![], wanted: "at least 1, with an axis for classes" }.into()
            );
        };
        same("targets", self.targets.shape(), rows)?;
        match self.targets.iter().find(|&class| class >= size as i64) {
            Some(index) => Err(ErrorKind::Index { index, axis: rows.len(), size }.into()),
            None => rows.into_shape(),
        }
    }

    /// ∂loss/∂x = softmax(x) − onehot, with the target's own term as −Σ of the others: it would cancel where the
    /// target is nearly certain. The softmax is shifted by a constant, which its value does not depend on.
    fn residual<'t, T: Real>(&self, at: &At<'_, 't, T>) -> Var<'t, T> {
        let x = at.x(0);
        let hot = x.constant_like(x.try_shape().and_then(|shape| self.one_hot(&shape)));
        let shifted = x - at.y(1).detach().with_axes_back(&Axes::from(-1), x);
        // What does not count is made harmless first, infinities and NaNs included.
        let e = self.counted(shifted).exp();
        let others = e / e.sum_keepdim(-1) * (1.0 - hot);
        others - hot * others.sum_keepdim(-1)
    }

    /// x in the rows that count, 0 in the others.
    fn counted<'t, T: Real>(&self, x: Var<'t, T>) -> Var<'t, T> {
        if !self.some_ignored {
            return x;
        }
        let kept = self.targets.map(|class| if class < 0 { T::ZERO } else { T::ONE });
        Var::where_(x.constant_like(kept.and_then(|kept| kept.unsqueeze(-1))), x, x.constant(0.0))
    }

    fn one_hot<T: Real>(&self, logits: &[usize]) -> Result<Tensor<T>> {
        let n = logits.last().copied().unwrap_or(1);
        Tensor::build(Shape::new(logits)?, |out| {
            out.fill(T::ZERO);
            for (row, class) in self.targets.iter().enumerate().filter(|(_, class)| *class >= 0) {
                out[row * n + class as usize] = T::ONE;
            }
        })
    }
}

impl<T: Real> Operation<T> for Labelled {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let shape = self.check(x[0].shape())?;
        let n = x[0].shape()[shape.len()];
        let (x, targets) = (x[0].contiguous()?, self.targets.contiguous()?);
        let mut shift = Tensor::zeros(shape.clone())?;
        let mut total = Tensor::zeros(shape.clone())?;
        let (x, targets) = (x.as_slice().expect("contiguous"), targets.as_slice().expect("contiguous"));
        let loss = Tensor::try_build(shape, |loss| {
            rows::cross_entropy(x, n, targets, loss, shift.as_mut_slice()?, total.as_mut_slice()?);
            Ok(())
        })?;
        Ok(SmallVec::from_iter([loss, shift, total]))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(self.counted(at.g(0).with_axes_back(&Axes::from(-1), at.x(0)) * self.residual(at)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let dy = at.dx(0).map(|dx| self.counted(self.residual(at) * dx).sum_axes(-1));
        Ok(SmallVec::from_iter([dy, None, None]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let (x, g, targets) = (at.x(0).contiguous()?, g.contiguous()?, self.targets.contiguous()?);
            let [x, g, shift, total] =
                [&x, &g, at.y(1), at.y(2)].map(|rows| rows.as_slice().expect("contiguous"));
            let targets = targets.as_slice().expect("contiguous");
            let n = at.x(0).shape().last().copied().unwrap_or(1);
            let part = Tensor::build(at.x(0).shape_owned(), |out| {
                rows::cross_entropy_backward(x, n, targets, (shift, total), g, out);
            })?;
            Ok(SmallVec::from_iter([Some(part)]))
        };
        Some(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The classes as the last axis, and which axis they were.
    #[track_caller]
    fn with_classes_last(self, axis: isize) -> Result<(Var<'t, T>, usize)> {
        let shape = self.try_shape()?;
        if shape.is_empty() {
            return Err(
                ErrorKind::Rank { found: vec![], wanted: "at least 1, with an axis for classes" }.into()
            );
        }
        let axis = resolve_axis(axis, &shape)?;
        Ok((if axis + 1 == shape.len() { self } else { self.movedim(axis as isize, -1) }, axis))
    }

    /// −Σ q ln softmax(x) of each row; nothing where q is 0, also if the logarithm is −∞.
    #[track_caller]
    fn soft_cross_entropy(self, q: Var<'t, T>) -> Var<'t, T> {
        let log = self.log_softmax(-1);
        let log = Var::where_(q.eq(0.0) & log.eq(f64::NEG_INFINITY), self.constant(0.0), log);
        -(q * log).sum_axes(-1)
    }

    /// The terms of labels, classes last, and the sum of the labels' weights if it is not their number.
    #[track_caller]
    fn labelled(
        self,
        labels: &Tensor<i64>,
        axis: usize,
        how: &CrossEntropy<T>,
    ) -> Result<(Var<'t, T>, Option<f64>)> {
        let shape = self.try_shape()?;
        let labels = Labels::new(labels, &shape, axis, how.ignore_index, how.weight.as_ref())?;
        let operation = Labelled { targets: labels.classes.clone(), some_ignored: labels.some_ignored };
        let (smoothing, classes) = (how.label_smoothing, shape[shape.len() - 1]);
        if smoothing == 0.0 {
            return Ok((labels.weigh(self.tape().apply_many(operation, &[self], 3)[0]), labels.total));
        }
        // A target is w (1 − ε) at its label, and ε w/C everywhere.
        let x = operation.counted(self);
        let mut q = self.tape().constant(&operation.one_hot(&shape)?) * (1.0 - smoothing)
            + smoothing / classes as f64;
        if let Some(weight) = &how.weight {
            q = q * self.tape().constant(weight);
        }
        let q = if labels.some_ignored { q * self.tape().constant(&labels.kept()?) } else { q };
        Ok((x.soft_cross_entropy(q), labels.total))
    }

    /// The cross entropy of classes with the softmax of these logits, reduced: for each row along the last axis
    /// `ln Σⱼ e^xⱼ − x[target]`, that is `−log_softmax(x)[target]`; for targets that are probabilities q
    /// `−Σⱼ qⱼ log_softmax(x)ⱼ`.
    ///
    /// The logits are `[.., classes]`, or have the classes at another [`axis`](CrossEntropy::axis). Labels have the
    /// logits' shape without that axis: for each row the class that it should have. Probabilities, a tensor or a
    /// variable, have the logits' shape. `how` is a [`Reduction`](crate::Reduction) or [`CrossEntropy`] with class
    /// weights, smoothed labels or a label to ignore. Every row is shifted by its largest logit first, so that nothing
    /// overflows.
    ///
    /// Without weights the mean is over the rows that count. With weights the mean over labels is divided by the sum of
    /// their weights, that over probabilities by the number of rows. Over no rows, or none that counts, it is NaN.
    ///
    /// # Gradient
    ///
    /// `softmax(x) − onehot(target)`, in one pass from what the forward pass kept of each row; for probabilities
    /// `Σq · softmax(x) − q`, and `−log_softmax(x)` to a variable. A row of −∞ alone, or with ∞ in it, gives NaN, unless
    /// it is ignored. A class of probability 0 costs nothing if its logit is −∞.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless targets and weights fit the logits;
    /// [`Index`](crate::ErrorKind::Index) for a label that is no class and not to be ignored;
    /// [`Rank`](crate::ErrorKind::Rank) for logits of rank 0; [`Axis`](crate::ErrorKind::Axis);
    /// [`Argument`](crate::ErrorKind::Argument) for a label smoothing outside [0, 1].
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::CrossEntropy};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[0.0, 0.0], [0.0, 1e4]]));
    /// let loss = x.cross_entropy(&Tensor::from([1, 1]), Reduction::Sum);
    /// assert_eq!(loss.item()?, 2f64.ln());
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [0.5, -0.5, 0.0, 0.0]);
    ///
    /// let how = CrossEntropy::new().weight(&Tensor::from([1.0, 3.0])).ignore_index(0);
    /// assert_eq!(x.cross_entropy(&Tensor::from([1, 0]), how).item()?, 2f64.ln());
    /// let soft = Tensor::from([[0.5, 0.5], [0.0, 1.0]]);
    /// assert_eq!(x.cross_entropy(&soft, Reduction::Mean).item()?, 0.5 * 2f64.ln());
    ///
    /// let error = x.cross_entropy(&Tensor::from([1, 2]), Reduction::Sum).item().unwrap_err();
    /// assert!(error.to_string().starts_with("cross_entropy: index 2 is out of range for axis 1 of size 2, at "));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "sparse_softmax_cross_entropy")]
    #[track_caller]
    pub fn cross_entropy(
        self,
        targets: impl Into<Targets<'t, T>>,
        how: impl Into<CrossEntropy<T>>,
    ) -> Var<'t, T> {
        let (targets, how) = (targets.into(), how.into());
        self.tape().composed("cross_entropy", || {
            let smoothing = how.label_smoothing;
            demand((0.0..=1.0).contains(&smoothing), "label_smoothing", smoothing, "a number from 0 to 1")?;
            let (x, axis) = self.with_classes_last(how.axis)?;
            let q = match targets {
                Targets::Labels(labels) => {
                    let (terms, total) = x.labelled(&labels, axis, &how)?;
                    return Ok(how.reduction.weighted(terms, total));
                }
                Targets::Probabilities(q) => self.tape().constant(&q),
                Targets::Var(q) => q,
            };
            same("targets", &q.try_shape()?, &self.try_shape()?)?;
            let (mut q, shape) = (q.with_classes_last(how.axis)?.0, x.try_shape()?);
            let classes = shape[shape.len() - 1];
            if smoothing != 0.0 {
                q = q * (1.0 - smoothing) + smoothing / classes as f64;
            }
            if let Some(weight) = &how.weight {
                same("the weight", weight.shape(), &[classes])?;
                q = q * self.tape().constant(weight);
            }
            Ok(how.reduction.of(x.soft_cross_entropy(q)))
        })
    }

    /// The negative logarithm of the likelihood of labels, reduced, where these are the logarithms of the classes'
    /// probabilities: `−x[target]` for each row. [`cross_entropy`](Var::cross_entropy) is this of
    /// [`log_softmax`](Var::log_softmax), in one pass.
    ///
    /// The log-probabilities are `[.., classes]`, or have the classes at another [`axis`](Nll::axis); labels have the same
    /// shape without that axis. `how` is a [`Reduction`](crate::Reduction) or [`Nll`] with class weights or a label to
    /// ignore. The mean is divided by the sum of the labels' weights, those ignored weighing 0; NaN if none counts.
    ///
    /// # Gradient
    ///
    /// Minus the label's weight at the label, 0 elsewhere.
    ///
    /// # Errors
    ///
    /// As [`cross_entropy`](Var::cross_entropy).
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::Nll};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[-1.0, -2.0], [-4.0, -8.0]]));
    /// let labels = Tensor::from([1, 0]);
    /// assert_eq!(x.nll_loss(&labels, Reduction::None).value()?.to_vec(), [2.0, 4.0]);
    /// let weighted = x.nll_loss(&labels, Nll::new().weight(&Tensor::from([3.0, 1.0])));
    /// assert_eq!(weighted.item()?, (2.0 + 3.0 * 4.0) / 4.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn nll_loss(self, labels: &Tensor<i64>, how: impl Into<Nll<T>>) -> Var<'t, T> {
        let how = how.into();
        self.tape().composed("nll_loss", || {
            let (x, axis) = self.with_classes_last(how.axis)?;
            let shape = x.try_shape()?;
            let labels = Labels::new(labels, &shape, axis, how.ignore_index, how.weight.as_ref())?;
            if labels.classes.is_empty() {
                // There may be no class to take.
                return Ok(how.reduction.weighted(x.sum_axes(-1), labels.total));
            }
            let mut terms = if labels.some_ignored {
                let at = labels.classes.map(|class| class.max(0))?;
                let kept = self.tape().constant(&labels.kept()?.squeeze(-1)?);
                let taken = x.take_along_dim(-1, &at.unsqueeze(-1)?).squeeze(-1);
                Var::where_(kept, taken, self.constant(0.0))
            } else {
                x.take_along_dim(-1, &labels.classes.unsqueeze(-1)?).squeeze(-1)
            };
            terms = labels.weigh(-terms);
            Ok(how.reduction.weighted(terms, labels.total))
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
