//! Losses of vectors that should be near or far, and of regions that should overlap.

use super::losses::{alike, demand, settings};
use crate::Reduction;
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Axes, broadcast, same};
use crate::tape::{IntoVar, Var};

settings! {
    /// The settings of [`triplet_margin_loss`](crate::Var::triplet_margin_loss) and of
    /// [`triplet_margin_loss_by`](crate::Var::triplet_margin_loss_by). A bare [`Reduction`](crate::Reduction) stands for
    /// the defaults otherwise.
    TripletMargin {
        /// By how much the negative should be farther than the positive: 1 unless set.
        margin: f64 = 1.0;
        /// Which norm measures distances: 2 unless set.
        p: f64 = 2.0;
        /// What is added to each difference, so that the distance of equal vectors has a derivative: 10⁻⁶ unless set.
        eps: f64 = 1e-6;
        /// Whether the distance of the negative is the smaller one of those from the anchor and from the positive: not
        /// unless set.
        swap: bool = false;
    }
}

settings! {
    /// The settings of [`dice_loss`](crate::Var::dice_loss). A bare [`Reduction`](crate::Reduction) stands for the
    /// defaults otherwise.
    Dice {
        /// What is added to numerator and denominator, so that two empty regions overlap: 1 unless set.
        smooth: f64 = 1.0;
    }
}

/// PyTorch's, added to squares of lengths.
const EPSILON: f64 = 1e-12;

impl<'t, T: Real> Var<'t, T> {
    /// A loss for pairs of vectors that should point the same way where y is 1, and apart where it is −1, reduced: with
    /// `c = x₁·x₂ / √((x₁² + ε)(x₂² + ε))` and ε = 10⁻¹², terms `1 − c`, or `max(0, c − margin)`; 0 where y is neither.
    /// PyTorch's margin is 0. The vectors are the last axis of two values of one shape, `[.., n]`; the labels y, `[..]`,
    /// are a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// Through the cosine; 0 at the margin. A vector of zeros gets that of ε. None to the labels.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless the vectors have one shape, and the labels that without the last axis;
    /// [`Rank`](crate::ErrorKind::Rank) for rank 0.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0], [1.0, 0.0], [1.0, 0.0]]));
    /// let y = Tensor::from([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]);
    /// let loss = x.cosine_embedding_loss(&y, &Tensor::from([1.0, -1.0, -1.0]), 0.25, Reduction::None);
    /// let near = Tensor::from([0.4, 0.75, 0.0]);
    /// assert!(loss.value()?.all_close(&near, 0.0, 1e-11)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cosine_embedding_loss(
        self,
        other: impl IntoVar<'t, T>,
        y: impl IntoVar<'t, T>,
        margin: f64,
        reduction: Reduction,
    ) -> Var<'t, T> {
        let [other, y] = [other.into_var(self.tape()), y.into_var(self.tape())];
        self.tape().composed("cosine_embedding_loss", || {
            let (shape, labels) = (self.try_shape()?, y.try_shape()?);
            let Some((_, rows)) = shape.split_last() else {
                return Err(ErrorKind::Rank {
                    found: vec![],
                    wanted: "at least 1, the last axis for vectors",
                }
                .into());
            };
            same("the other", &other.try_shape()?, &shape)?;
            if !labels.is_empty() {
                same("the labels", &labels, rows)?;
            }
            let [a, b] = [self, other].map(|x| x.square().sum_axes(-1) + EPSILON);
            let cosine = (self * other).sum_axes(-1) / (a * b).sqrt();
            let apart = Var::where_(y.eq(-1.0), (cosine - margin).relu(), self.constant(0.0));
            Ok(reduction.of(Var::where_(y.eq(1.0), 1.0 - cosine, apart)))
        })
    }

    /// A loss for anchors, these vectors, that should be nearer to positives than to negatives by a margin, reduced:
    /// terms `max(0, d(a, p) − d(a, n) + margin)` with `d(x, y) = ‖x − y + ε‖ₚ` over the last axis. The three broadcast;
    /// `how` is a [`Reduction`](crate::Reduction) or [`TripletMargin`] with a margin, p, ε and whether to swap.
    ///
    /// # Gradient
    ///
    /// Through the distances; 0 at the margin. With `swap` two distances that are equal share.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast); [`Rank`](crate::ErrorKind::Rank) for rank 0;
    /// [`Argument`](crate::ErrorKind::Argument) unless the margin is positive and finite, and for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, loss::TripletMargin};
    ///
    /// let tape = Tape::<f64>::new();
    /// let anchor = tape.var(&Tensor::from([[0.0, 0.0]]));
    /// let (near, far) = (Tensor::from([[3.0, 4.0]]), Tensor::from([[3.0, 5.0]]));
    /// let how = TripletMargin::new().p(1.0).eps(0.0).margin(2.0);
    /// assert_eq!(anchor.triplet_margin_loss(&near, &far, how.clone()).item()?, 7.0 - 8.0 + 2.0);
    /// // The negative is 1 from the positive.
    /// assert_eq!(anchor.triplet_margin_loss(&near, &far, how.swap(true)).item()?, 7.0 - 1.0 + 2.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn triplet_margin_loss(
        self,
        positive: impl IntoVar<'t, T>,
        negative: impl IntoVar<'t, T>,
        how: impl Into<TripletMargin>,
    ) -> Var<'t, T> {
        let [positive, negative] = [positive.into_var(self.tape()), negative.into_var(self.tape())];
        let how = how.into();
        self.tape().composed("triplet_margin_loss", || {
            let [a, p, n] = [self.try_shape()?, positive.try_shape()?, negative.try_shape()?];
            if broadcast(&broadcast(&a, &p)?, &n)?.is_empty() {
                return Err(ErrorKind::Rank {
                    found: vec![],
                    wanted: "at least 1, the last axis for vectors",
                }
                .into());
            }
            demand(!how.p.is_nan(), "p", how.p, "a number")?;
            triplets(self, positive, negative, |x, y| x.pairwise_distance(y, how.p, how.eps), &how)
        })
    }

    /// As [`triplet_margin_loss`](Var::triplet_margin_loss), with another distance: a function that gives one number for
    /// each pair. p and ε are not used.
    ///
    /// # Gradient
    ///
    /// Through the distances; 0 at the margin. With `swap` two distances that are equal share.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) unless the margin is positive and finite; those of the function.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let anchor = tape.var(&Tensor::from([[0.0, 0.0]]));
    /// let (near, far) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[2.0, 1.0]]));
    /// let loss = anchor.triplet_margin_loss_by(&near, &far, |x, y| (x - y).abs().max_axes(-1), Reduction::Sum);
    /// assert_eq!(loss.item()?, 2.0 - 2.0 + 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "triplet_margin_with_distance_loss")]
    #[track_caller]
    pub fn triplet_margin_loss_by(
        self,
        positive: impl IntoVar<'t, T>,
        negative: impl IntoVar<'t, T>,
        distance: impl Fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T>,
        how: impl Into<TripletMargin>,
    ) -> Var<'t, T> {
        let [positive, negative] = [positive.into_var(self.tape()), negative.into_var(self.tape())];
        let how = how.into();
        self.tape().composed("triplet_margin_loss_by", || triplets(self, positive, negative, distance, &how))
    }

    /// Dice's loss of a region from probabilities, reduced: for each sample along the first axis
    /// `1 − (2 Σ p t + s)/(Σ p + Σ t + s)`, over all other axes. The target region is a variable, a tensor of the same
    /// shape, or a number; `how` a [`Reduction`](crate::Reduction) or [`Dice`] with s. A value of one axis, or none, is
    /// one sample.
    ///
    /// Computed as `Σ (p (1 − t) + t (1 − p))/(Σ p + Σ t + s)`, in which nothing cancels where the two nearly agree.
    ///
    /// # Gradient
    ///
    /// That of the quotient; NaN where it is 0/0, for s = 0.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for a target of another shape, unless it is a number;
    /// [`Argument`](crate::ErrorKind::Argument) unless s is finite and at least 0.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::Dice};
    ///
    /// let tape = Tape::<f64>::new();
    /// let p = tape.var(&Tensor::from([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]));
    /// let t = Tensor::from([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]);
    /// let loss = p.dice_loss(&t, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [3.0 / 6.0, 0.0]);
    /// let plain = p.narrow(0, 0, 1).dice_loss(&t.slice(0, 0..1)?, Dice::new().smooth(0.0));
    /// assert_eq!(plain.item()?, 1.0 - 2.0 / 5.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dice_loss(self, target: impl IntoVar<'t, T>, how: impl Into<Dice>) -> Var<'t, T> {
        let (t, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("dice_loss", || {
            demand(
                how.smooth >= 0.0 && how.smooth.is_finite(),
                "smooth",
                how.smooth,
                "a finite number, at least 0",
            )?;
            alike(self, t)?;
            let rank = self.try_shape()?.len() as isize;
            let axes = if rank < 2 { Axes::ALL } else { Axes::from((1..rank).collect::<Vec<_>>()) };
            let apart = (self * (1.0 - t) + t * (1.0 - self)).sum_axes(axes.clone());
            let all = (self + t).sum_axes(axes) + how.smooth;
            Ok(how.reduction.of(apart / all))
        })
    }
}

fn triplets<'t, T: Real>(
    anchor: Var<'t, T>,
    positive: Var<'t, T>,
    negative: Var<'t, T>,
    distance: impl Fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T>,
    how: &TripletMargin,
) -> Result<Var<'t, T>> {
    demand(how.margin > 0.0 && how.margin.is_finite(), "margin", how.margin, "a positive finite number")?;
    let (near, mut far) = (distance(anchor, positive), distance(anchor, negative));
    if how.swap {
        far = far.minimum(distance(positive, negative));
    }
    Ok(how.reduction.of((near - far + how.margin).relu()))
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    use crate::tensor::Tensor;
    fn pairs() -> Inputs {
        shapes(
            &[&[&[5], &[5]], &[&[3, 4], &[3, 4]], &[&[2, 3, 2], &[2, 3, 2]], &[&[0, 2], &[0, 2]]],
            0.2,
            2.0,
        )
    }
    fn triplets() -> Inputs {
        shapes(&[&[&[5], &[5], &[5]], &[&[3, 4], &[3, 4], &[3, 4]], &[&[2, 3], &[3], &[2, 1]]], -0.4, 0.4)
    }
    fn regions() -> Inputs {
        shapes(&[&[&[], &[]], &[&[7], &[]], &[&[3, 4], &[3, 4]], &[&[2, 3, 4], &[2, 3, 4]]], 0.1, 0.9)
    }
    /// 1 and −1 by turns for each row.
    fn signs<T: Real>(shape: &[usize]) -> Tensor<T> {
        let rows = &shape[..shape.len() - 1];
        let odd = |at: &[usize]| at.iter().sum::<usize>() % 2;
        Tensor::from_fn(rows, |at| T::from_f64([-1.0, 1.0][odd(at)])).unwrap()
    }
    vec![
        sample!("cosine_embedding_loss", pairs().distinct().not_empty(), |x| {
            x[0].cosine_embedding_loss(x[1], &signs(&x[0].shape()), 0.1, Reduction::Mean)
        }),
        sample!("cosine_embedding_loss terms", pairs().distinct(), |x| {
            x[0].cosine_embedding_loss(x[1], 1.0, 0.5, Reduction::None)
        }),
        // Far enough for every distance to count, and for none to tie.
        sample!("triplet_margin_loss", triplets(), |x| {
            x[0].triplet_margin_loss(x[1] + 2.0, x[2] - 1.0, TripletMargin::new().margin(9.0))
        }),
        sample!("triplet_margin_loss swapped", triplets(), |x| {
            let how = TripletMargin::new().margin(9.0).p(3.0).eps(0.1).swap(true).reduction(Reduction::None);
            (x[0] - 2.0).triplet_margin_loss(x[1] + 2.0, x[2] + 4.0, how)
        }),
        sample!("triplet_margin_loss_by", triplets(), |x| {
            let how = TripletMargin::new().margin(9.0).swap(true).reduction(Reduction::Sum);
            x[0].triplet_margin_loss_by(x[1] + 2.0, x[2] - 1.0, |x, y| (x - y).square().sum_axes(-1), how)
        }),
        sample!("dice_loss", regions(), |x| x[0].dice_loss(x[1], Reduction::Mean)),
        sample!("dice_loss terms", regions(), |x| {
            x[0].dice_loss(x[1], Dice::new().smooth(0.0).reduction(Reduction::None))
        }),
        wrong!(
            "cosine_embedding_loss",
            &[&[2, 3], &[3]],
            |x| x[0].cosine_embedding_loss(x[1], 1.0, 0.0, Reduction::Mean),
            "the other has shape [3], wanted [2, 3]"
        ),
        wrong!(
            "cosine_embedding_loss",
            &[&[2, 3], &[3]],
            |x| x[0].cosine_embedding_loss(x[0], x[1], 0.0, Reduction::Mean),
            "the labels has shape [3], wanted [2]"
        ),
        wrong!(
            "cosine_embedding_loss",
            &[&[]],
            |x| x[0].cosine_embedding_loss(x[0], 1.0, 0.0, Reduction::Mean),
            "shape [] has rank 0, wanted at least 1, the last axis for vectors"
        ),
        wrong!(
            "triplet_margin_loss",
            &[&[2, 3], &[2]],
            |x| x[0].triplet_margin_loss(x[0], x[1], Reduction::Mean),
            "shapes [2, 3] and [2] do not broadcast"
        ),
        wrong!(
            "triplet_margin_loss",
            &[&[]],
            |x| x[0].triplet_margin_loss(x[0], x[0], Reduction::Mean),
            "shape [] has rank 0, wanted at least 1, the last axis for vectors"
        ),
        wrong!(
            "triplet_margin_loss",
            &[&[2]],
            |x| x[0].triplet_margin_loss(x[0], x[0], TripletMargin::new().margin(0.0)),
            "margin is 0, wanted a positive finite number"
        ),
        wrong!(
            "triplet_margin_loss",
            &[&[2]],
            |x| x[0].triplet_margin_loss(x[0], x[0], TripletMargin::new().p(f64::NAN)),
            "p is NaN, wanted a number"
        ),
        wrong!(
            "triplet_margin_loss_by",
            &[&[2]],
            |x| x[0].triplet_margin_loss_by(x[0], x[0], |x, y| x - y, TripletMargin::new().margin(-1.0)),
            "margin is -1, wanted a positive finite number"
        ),
        wrong!(
            "dice_loss",
            &[&[2], &[3]],
            |x| x[0].dice_loss(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "dice_loss",
            &[&[2]],
            |x| x[0].dice_loss(1.0, Dice::new().smooth(-1.0)),
            "smooth is -1, wanted a finite number, at least 0"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tape, Tensor};

    #[test]
    fn equal_vectors_have_a_derivative_and_labels_of_neither_kind_cost_nothing() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([[1.0, 2.0], [0.0, 0.0]]));
        let loss = x.cosine_embedding_loss(x.detach(), &Tensor::from([1.0, 1.0]), 0.0, Reduction::None);
        let value = loss.value().unwrap().to_vec();
        assert!(value[0].abs() < 1e-12 && value[1] == 1.0, "{value:?}");
        let g = loss.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert!(g.iter().all(|g| g.abs() < 1e-12), "{g:?}");
        let none = x.cosine_embedding_loss(x, 0.0, -1.0, Reduction::Sum);
        assert_eq!(none.item().unwrap(), 0.0);

        // ‖(ε, ε)‖ is √2 ε, and its derivative along each axis 1/√2.
        let loss = x.triplet_margin_loss(x.detach(), x.detach() + 0.25, Reduction::None);
        let d = (2.0 * (0.25f64 - 1e-6).powi(2)).sqrt();
        let wanted = 2f64.sqrt() * 1e-6 - d + 1.0;
        assert!(loss.value().unwrap().iter().all(|y| (y - wanted).abs() < 1e-12));
        let g = loss.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert!(g.iter().all(|g| (g - 2f64.sqrt()).abs() < 1e-9), "{g:?}");
    }

    #[test]
    fn a_near_perfect_overlap_loses_no_digits() {
        let tape = Tape::<f64>::new();
        let p = tape.var(&Tensor::from([1.0, 1e-20]));
        let loss = p.dice_loss(&Tensor::from([1.0, 0.0]), Dice::new().smooth(0.0));
        assert!((loss.item().unwrap() / 0.5e-20 - 1.0).abs() < 1e-15);
    }
}
