//! Connectionist temporal classification: the likelihood of a sequence of labels under all its alignments with frames.

use super::losses::{demand, settings};
use super::{Padding, Reduction};
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::ctc::{Sequences, ctc, ctc_backward};
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use std::sync::Arc;

settings! {
    /// The settings of [`ctc_loss`](crate::Var::ctc_loss). A bare [`Reduction`](crate::Reduction) stands for the defaults
    /// otherwise.
    Ctc {
        /// The class that stands for no label: 0 unless set.
        blank: usize = 0;
        /// Whether a loss of ∞, of labels for which there are too few frames, counts as 0: not unless set.
        zero_infinity: bool = false;
    }
}

/// The loss of each sequence from log-probabilities `[frames, sequences, classes]`.
#[derive(Clone)]
struct Alignments {
    sequences: Arc<Sequences>,
}

/// Labels read off, as indices, and masks of the states.
struct States<T: Real> {
    /// The class that each state reads, `[sequences, states]`; those past the last read a blank.
    classes: Tensor<i64>,
    /// 1 where a path may begin.
    first: Tensor<T>,
    /// 1 where a blank may be skipped.
    skips: Tensor<T>,
    /// The last two states, `[sequences, 2]`; the last one twice if there is but one.
    last: Tensor<i64>,
    /// 1 but where there is but one.
    two: Tensor<T>,
}

impl<T: Real> States<T> {
    fn new(sequences: &Sequences) -> Result<States<T>> {
        let n = sequences.frames.len();
        let lengths: Vec<usize> = (0..n).map(|i| 2 * sequences.labels(i).len() + 1).collect();
        let most = lengths.iter().copied().max().unwrap_or(1);
        let of = |truth: bool| if truth { T::ONE } else { T::ZERO };
        let inside = |at: &[usize]| at[1] < lengths[at[0]];
        let class = |at: &[usize]| {
            if inside(at) { sequences.class(at[0], at[1]) as i64 } else { sequences.blank as i64 }
        };
        Ok(States {
            classes: Tensor::from_fn([n, most], class)?,
            first: Tensor::from_fn([n, most], |at| of(at[1] < 2 && inside(at)))?,
            skips: Tensor::from_fn([n, most], |at| of(inside(at) && sequences.skips(at[0], at[1])))?,
            last: Tensor::from_fn([n, 2], |at| (lengths[at[0]] - 1).saturating_sub(at[1]) as i64)?,
            two: Tensor::from_fn([n, 2], |at| of(at[1] == 0 || lengths[at[0]] > 1))?,
        })
    }
}

impl Alignments {
    /// The recursion written in variables, all sequences at once, for orders above the first.
    fn written<'t, T: Real>(&self, x: Var<'t, T>) -> Result<Var<'t, T>> {
        let (shape, tape) = (x.try_shape()?, x.tape());
        let (frames, n) = (shape[0], shape[1]);
        let States { classes, first, skips, last, two } = States::new(&self.sequences)?;
        let most = classes.shape()[1];
        let nothing = tape.scalar(f64::NEG_INFINITY);
        let read = x.gather(2, &classes.unsqueeze(0)?.expand([frames, n, most])?);
        let skips = tape.constant(&skips);
        let mut alpha = tape.scalar(0.0);
        for t in 0..frames {
            let now = read.select(0, t as isize);
            alpha =
                if t == 0 {
                    Var::where_(tape.constant(&first), now, nothing)
                } else {
                    // Moved up by one state or two; nothing comes from below the first.
                    let up = |k: isize| alpha.pad([(k, -k)], Padding::Constant(f64::NEG_INFINITY));
                    let skipping = if most > 2 { Var::where_(skips, up(2), nothing) } else { nothing };
                    let next = alpha.logaddexp(up(1)).logaddexp(skipping) + now;
                    // Sequences that have ended wait.
                    let going = Tensor::from_fn([n, 1], |at| {
                        if self.sequences.frames[at[0]] > t { T::ONE } else { T::ZERO }
                    })?;
                    Var::where_(tape.constant(&going), next, alpha)
                };
        }
        // Of no frames there is one path if there are no labels.
        let none = Tensor::from_fn([n, most], |at| {
            T::from_f64(if at[1] == 0 && self.sequences.labels(at[0]).is_empty() {
                0.0
            } else {
                f64::NEG_INFINITY
            })
        })?;
        let begun =
            Tensor::from_fn([n, 1], |at| if self.sequences.frames[at[0]] > 0 { T::ONE } else { T::ZERO })?;
        let alpha = Var::where_(tape.constant(&begun), alpha, tape.constant(&none));
        let ends = Var::where_(tape.constant(&two), alpha.gather(1, &last), nothing);
        Ok(-ends.select(1, 0).logaddexp(ends.select(1, 1)))
    }
}

impl<T: Real> Operation<T> for Alignments {
    fn name(&self) -> &'static str {
        "ctc_loss"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let x = x[0].contiguous()?;
        let &[_, n, classes] = x.shape() else {
            return Err(ErrorKind::Rank { found: x.shape().to_vec(), wanted: "3" }.into());
        };
        let data = x.as_slice().expect("made contiguous above");
        Tensor::build(Shape::new([n])?, |out| ctc(data, classes, &self.sequences, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let tape = at.x(0).tape();
        let x = tape.argument(at.x(0));
        let parts = tape.cotangents([(self.written(x)?, at.g(0))], &[x])?;
        at.one(parts[0])
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let (x, g) = (at.x(0).contiguous()?, g.contiguous()?);
            let &[frames, n, classes] = x.shape() else { unreachable!("the forward pass took it") };
            let (data, g) = (x.as_slice().expect("contiguous"), g.as_slice().expect("contiguous"));
            let part = Tensor::build(Shape::new([n, frames, classes])?, |out| {
                out.fill(T::ZERO);
                ctc_backward(data, classes, &self.sequences, g, out);
            })?;
            part.transpose(0, 1)
        };
        at.one(run())
    }
}

/// Labels checked and put one behind the other.
fn sequences(
    labels: &Tensor<i64>,
    [frames, n, classes]: [usize; 3],
    frame_counts: &[usize],
    label_counts: &[usize],
    blank: usize,
) -> Result<Sequences> {
    demand(blank < classes, "blank", blank as f64, &format!("a class, below {classes}"))?;
    for (name, counts) in
        [("the number of input lengths", frame_counts), ("the number of target lengths", label_counts)]
    {
        if counts.len() != n {
            return argument(name, counts.len(), format!("{n}, one for each sequence"));
        }
    }
    if let Some(count) = frame_counts.iter().find(|&&count| count > frames) {
        return argument("an input length", count, format!("at most {frames}, the number of frames"));
    }
    let total = label_counts.iter().fold(0usize, |sum, &count| sum.saturating_add(count));
    let flat: Vec<i64> = match *labels.shape() {
        [len] => {
            if len != total {
                return argument("the number of targets", len, format!("{total}, the sum of their lengths"));
            }
            labels.to_vec()
        }
        [_, most] => {
            same("targets", labels.shape(), &[n, most])?;
            if let Some(count) = label_counts.iter().find(|&&count| count > most) {
                return argument("a target length", count, format!("at most {most}, the padded length"));
            }
            let all = labels.to_vec();
            label_counts
                .iter()
                .enumerate()
                .flat_map(|(i, &count)| all[i * most..][..count].to_vec())
                .collect()
        }
        _ => {
            return Err(
                ErrorKind::Rank { found: labels.shape().to_vec(), wanted: "1 or 2 for the targets" }.into()
            );
        }
    };
    if let Some(&index) = flat.iter().find(|&&label| !(0..classes as i64).contains(&label)) {
        return Err(ErrorKind::Index { index, axis: 2, size: classes }.into());
    }
    if flat.contains(&(blank as i64)) {
        return argument("a target", blank, "a class other than the blank");
    }
    let mut end = 0;
    let ends = label_counts
        .iter()
        .map(|count| {
            end += count;
            end
        })
        .collect();
    Ok(Sequences { blank, frames: frame_counts.to_vec(), ends, labels: flat })
}

impl<'t, T: Real> Var<'t, T> {
    /// Connectionist temporal classification (Graves et al. 2006), reduced: for each sequence minus the logarithm of the
    /// probability that the labels are read off its frames, over all alignments. Between labels and around them stand
    /// any number of blanks, at least one between equal labels, and a label may be read again and again.
    ///
    /// These are logarithms of probabilities, `[frames, sequences, classes]`, as
    /// [`log_softmax`](Var::log_softmax) gives them, or `[frames, classes]` of one sequence. The targets are labels other
    /// than the [blank](Ctc::blank), `[sequences, longest]`, padded with anything, or all one behind the other in one
    /// axis. `input_lengths` says how many frames of each sequence count, `target_lengths` how many labels it has. `how`
    /// is a [`Reduction`](crate::Reduction) or [`Ctc`] with the blank, and with
    /// [`zero_infinity`](Ctc::zero_infinity): labels for which there are too few frames cost ∞, or 0 then. The mean is
    /// over the sequences, each loss divided by its number of labels, or by 1 if it has none.
    ///
    /// # Gradient
    ///
    /// To each log-probability minus the share of the probability that passes through it; 0 for a loss of ∞. It is the
    /// derivative by these values, whether or not they are normalised, which PyTorch's is behind `log_softmax` alone.
    /// The first order is one pass of a kernel; the orders above record the recursion frame by frame.
    ///
    /// # Accuracy
    ///
    /// Computed in logarithms and in double precision.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`Shape`](crate::ErrorKind::Shape) for padded targets of another number of
    /// sequences; [`Index`](crate::ErrorKind::Index) for a label that is no class;
    /// [`Argument`](crate::ErrorKind::Argument) for a blank that is no class or stands in the targets, and for lengths
    /// that do not fit.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// // Two frames, one sequence, a blank and one class: read "1 1", "1 -" or "- 1".
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[[0.25, 0.75]], [[0.5, 0.5]]]));
    /// let loss = x.ln().ctc_loss(&Tensor::from([[1]]), &[2], &[1], Reduction::Sum);
    /// let p: f64 = 0.75 * 0.5 + 0.75 * 0.5 + 0.25 * 0.5;
    /// assert!((loss.item()? + p.ln()).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "connectionist_temporal_classification")]
    #[track_caller]
    pub fn ctc_loss(
        self,
        targets: &Tensor<i64>,
        input_lengths: &[usize],
        target_lengths: &[usize],
        how: impl Into<Ctc>,
    ) -> Var<'t, T> {
        let how = how.into();
        self.tape().composed("ctc_loss", || {
            let shape = self.try_shape()?;
            let (x, sizes) = match shape[..] {
                [frames, n, classes] => (self, [frames, n, classes]),
                [frames, classes] => (self.unsqueeze(1), [frames, 1, classes]),
                _ => return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2 or 3" }.into()),
            };
            let sequences = Arc::new(sequences(targets, sizes, input_lengths, target_lengths, how.blank)?);
            let mut terms = self.tape().apply(Alignments { sequences }, &[x]);
            if how.zero_infinity {
                terms = Var::where_(terms.eq(f64::INFINITY), self.constant(0.0), terms);
            }
            if how.reduction == Reduction::Mean {
                let counts = target_lengths.iter().map(|&count| T::from_f64(count.max(1) as f64));
                terms = terms / self.tape().constant(&Tensor::from_iter_in(counts, [sizes[1]])?);
            }
            Ok(how.reduction.of(if shape.len() == 2 { terms.squeeze(0) } else { terms }))
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
