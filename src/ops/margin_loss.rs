//! Losses that ask for a margin: of labels 1 and −1, of pairs in order, of the right class before the others.

use super::losses::{Labels, alike, demand, settings};
use crate::Reduction;
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Axes, same};
use crate::tape::{IntoVar, Var};
use crate::tensor::Tensor;

settings! {
    /// The settings of [`multi_margin_loss`](crate::Var::multi_margin_loss). A bare [`Reduction`](crate::Reduction)
    /// stands for the defaults otherwise.
    MultiMargin<T> [
        /// A weight for each class, by which the terms of its rows are multiplied: none unless set. The mean is over the
        /// number of rows all the same.
        weight;
    ] {
        /// Whether what is missing of the margin counts as it is, 1, or squared, 2: 1 unless set.
        p: u32 = 1;
        /// By how much the right class should exceed each other one: 1 unless set.
        margin: f64 = 1.0;
    }
}

fn rank_at_least_1<T: Real>(x: Var<'_, T>) -> Result<usize> {
    match x.try_shape()?.last() {
        Some(&classes) => Ok(classes),
        None => {
            Err(ErrorKind::Rank { found: vec![], wanted: "at least 1, the last axis for classes" }.into())
        }
    }
}

/// Labels that end at −1, row by row: the classes before that, padded with class 0 to as many as there are at most in a
/// row; 1 where one stands, else 0; and 1 at each class that is none of the row's.
struct Several<T: Real> {
    slots: Tensor<i64>,
    filled: Tensor<T>,
    others: Tensor<T>,
}

impl<T: Real> Several<T> {
    fn new(labels: &Tensor<i64>) -> Result<Several<T>> {
        let (&size, rows) = labels.shape().split_last().expect("of rank 1 at least");
        let flat = labels.contiguous()?;
        let flat = flat.as_slice().expect("made contiguous above");
        let lists: Vec<&[i64]> = flat
            .chunks(size.max(1))
            .map(|row| row.split(|&label| label == -1).next().unwrap_or(row))
            .collect();
        if let Some(&index) =
            lists.iter().copied().flatten().find(|&&label| !(0..size as i64).contains(&label))
        {
            return Err(ErrorKind::Index { index, axis: rows.len(), size }.into());
        }
        let most = lists.iter().map(|list| list.len()).max().unwrap_or(0);
        let shaped = |n: usize| [rows, &[n]].concat();
        let slots = lists.iter().flat_map(|list| (0..most).map(|i| list.get(i).copied().unwrap_or(0)));
        let filled =
            lists.iter().flat_map(|list| (0..most).map(|i| if i < list.len() { T::ONE } else { T::ZERO }));
        let mut others = vec![T::ONE; flat.len()];
        for (list, others) in lists.iter().zip(others.chunks_mut(size.max(1))) {
            list.iter().for_each(|&label| others[label as usize] = T::ZERO);
        }
        Ok(Several {
            slots: Tensor::from_iter_in(slots, shaped(most))?,
            filled: Tensor::from_iter_in(filled, shaped(most))?,
            others: Tensor::from_slice(&others, labels.shape())?,
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// A loss for distances x that should be small where y is 1 and at least a margin where it is −1, reduced: terms x,
    /// or `max(0, margin − x)`; both added where y is neither. PyTorch's margin is 1. The labels y are a variable, a
    /// tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// 1, or −1 within the margin; 0 at the margin. None to the labels.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for labels of another shape.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.5, 0.5, 2.0]));
    /// let loss = x.hinge_embedding_loss(&Tensor::from([1.0, -1.0, -1.0]), 1.5, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [0.5, 1.0, 0.0]);
    /// assert_eq!(loss.sum().backward()?.wrt(x)?.to_vec(), [1.0, -1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hinge_embedding_loss(
        self,
        y: impl IntoVar<'t, T>,
        margin: f64,
        reduction: Reduction,
    ) -> Var<'t, T> {
        let y = y.into_var(self.tape());
        self.tape().composed("hinge_embedding_loss", || {
            alike(self, y)?;
            let zero = self.constant(0.0);
            let apart = Var::where_(y.ne(1.0), (margin - self).relu(), zero);
            Ok(reduction.of(apart + Var::where_(y.ne(-1.0), self, zero)))
        })
    }

    /// A loss for pairs of which the first should be the larger by a margin where y is 1, the second where it is −1,
    /// reduced: terms `max(0, margin − y (x₁ − x₂))`. PyTorch's margin is 0. The second and the labels y are variables,
    /// tensors of the same shape, or numbers.
    ///
    /// # Gradient
    ///
    /// −y and y within the margin; 0 at the margin.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for operands of another shape.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([2.0, 2.0]));
    /// let loss = x.margin_ranking_loss(1.5, &Tensor::from([1.0, -1.0]), 0.25, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [0.0, 0.75]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn margin_ranking_loss(
        self,
        other: impl IntoVar<'t, T>,
        y: impl IntoVar<'t, T>,
        margin: f64,
        reduction: Reduction,
    ) -> Var<'t, T> {
        let [other, y] = [other.into_var(self.tape()), y.into_var(self.tape())];
        self.tape().composed("margin_ranking_loss", || {
            alike(self, other)?;
            alike(self, y)?;
            Ok(reduction.of((margin - y * (self - other)).relu()))
        })
    }

    /// The logistic loss of labels y that are 1 or −1, reduced: terms `ln(1 + e^(−y x))`. The labels are a variable, a
    /// tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// `−y σ(−y x)`, relatively accurate in the tails.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for labels of another shape.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1e4]));
    /// let loss = x.soft_margin_loss(&Tensor::from([1.0, -1.0]), Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [2f64.ln(), 1e4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn soft_margin_loss(self, y: impl IntoVar<'t, T>, reduction: Reduction) -> Var<'t, T> {
        let y = y.into_var(self.tape());
        self.tape().composed("soft_margin_loss", || {
            alike(self, y)?;
            Ok(reduction.of((-y * self).softplus(1.0)))
        })
    }

    /// The hinge loss of classes, reduced: for each row along the last axis `Σᵢ max(0, margin − x[label] + xᵢ)ᵖ / C` over
    /// the other of its C classes. The scores are `[.., classes]`, the labels `[..]`; `how` is a
    /// [`Reduction`](crate::Reduction) or [`MultiMargin`] with p, a margin and class weights.
    ///
    /// # Gradient
    ///
    /// Through the powers; 0 at the margin.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless labels and weights fit the scores;
    /// [`Index`](crate::ErrorKind::Index) for a label that is no class; [`Rank`](crate::ErrorKind::Rank) for scores of
    /// rank 0; [`Argument`](crate::ErrorKind::Argument) for a p that is neither 1 nor 2.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::MultiMargin};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0, 1.5]));
    /// let label = Tensor::scalar(1);
    /// assert_eq!(x.multi_margin_loss(&label, Reduction::Mean).item()?, 0.5 / 3.0);
    /// assert_eq!(x.multi_margin_loss(&label, MultiMargin::new().p(2)).item()?, 0.25 / 3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn multi_margin_loss(self, labels: &Tensor<i64>, how: impl Into<MultiMargin<T>>) -> Var<'t, T> {
        let how = how.into();
        self.tape().composed("multi_margin_loss", || {
            demand(how.p == 1 || how.p == 2, "p", how.p.into(), "1 or 2")?;
            let (classes, shape) = (rank_at_least_1(self)?, self.try_shape()?);
            // No class is negative, so that none is ignored.
            let checked = Labels::new(labels, &shape, shape.len() - 1, i64::MIN, how.weight.as_ref())?;
            if labels.is_empty() {
                return Ok(how.reduction.of(self.sum_axes(-1)));
            }
            let right = self.take_along_dim(-1, &labels.unsqueeze(-1)?);
            let hot = self.tape().constant(&labels.one_hot(classes)?);
            let missing = Var::where_(hot, self.constant(0.0), self - right + how.margin).relu();
            let missing = if how.p == 2 { missing.square() } else { missing };
            let terms = missing.sum_axes(-1) / classes as f64;
            Ok(how.reduction.of(checked.weigh(terms)))
        })
    }

    /// The hinge loss of several classes at once, reduced: for each row along the last axis
    /// `Σⱼ Σᵢ max(0, 1 − x[label j] + xᵢ) / C` over its labels and over the other of its C classes. Scores and labels are
    /// `[.., classes]`: a row's labels end at the first −1. A label that stands twice counts twice.
    ///
    /// # Gradient
    ///
    /// −1/C to a label and 1/C to a class for each margin that is not kept; 0 at the margin.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless labels and scores have the same shape;
    /// [`Index`](crate::ErrorKind::Index) for a label before the first −1 that is no class;
    /// [`Rank`](crate::ErrorKind::Rank) for rank 0.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0, 1.5, 0.25]));
    /// let loss = x.multilabel_margin_loss(&Tensor::from([1, 3, -1, 0]), Reduction::Sum);
    /// // Of class 1 before 2, of class 3 before 0 and before 2.
    /// assert_eq!(loss.item()?, (0.5 + 0.75 + 2.25) / 4.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn multilabel_margin_loss(self, labels: &Tensor<i64>, reduction: Reduction) -> Var<'t, T> {
        self.tape().composed("multilabel_margin_loss", || {
            let classes = rank_at_least_1(self)?;
            same("the labels", labels.shape(), &self.try_shape()?)?;
            let Several { slots, filled, others } = Several::new(labels)?;
            let pairs = self.tape().constant(&filled.unsqueeze(-1)?.try_mul(&others.unsqueeze(-2)?)?);
            let right = self.take_along_dim(-1, &slots).unsqueeze(-1);
            let missing = self.unsqueeze(-2) - right + 1.0;
            let missing = Var::where_(pairs, missing, self.constant(0.0)).relu();
            Ok(reduction.of(missing.sum_axes(Axes::from([-2, -1])) / classes as f64))
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
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn margins_have_the_derivative_0() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0, 0.0]));
        let g = |y: Var<'_, f64>| y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert_eq!(g(x.hinge_embedding_loss(-1.0, 1.0, Reduction::None)), [0.0, -1.0]);
        assert_eq!(g(x.margin_ranking_loss(1.0, 1.0, 0.0, Reduction::None)), [0.0, -1.0]);
        assert_eq!(g(x.multi_margin_loss(&Tensor::scalar(0), Reduction::None)), [0.0, 0.0]);
        assert_eq!(g(x.multilabel_margin_loss(&Tensor::from([0, -1]), Reduction::None)), [0.0, 0.0]);
        // Labels that are neither have both terms.
        assert_eq!(x.hinge_embedding_loss(0.5, 3.0, Reduction::None).value().unwrap().to_vec(), [3.0, 3.0]);
    }

    #[test]
    fn an_infinite_score_of_the_right_class_costs_nothing() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([f64::INFINITY, 0.0]));
        let loss = x.multi_margin_loss(&Tensor::scalar(0), Reduction::Mean);
        assert_eq!(loss.item().unwrap(), 0.0);
        let loss = x.multilabel_margin_loss(&Tensor::from([0, -1]), Reduction::Mean);
        assert_eq!(loss.item().unwrap(), 0.0);
        assert_eq!(loss.backward().unwrap().wrt(x).unwrap().to_vec(), [0.0, 0.0]);
    }
}
