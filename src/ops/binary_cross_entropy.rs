//! Losses of yes-or-no targets: from probabilities, from logits, of several labels at once, focused on what is hard.

use super::losses::{alike, demand, demand_all, settings};
use super::{Elementwise2, compiled2};
use crate::error::Result;
use crate::number::{Number, Real};
use crate::shape::Shape;
use crate::tape::{IntoVar, Var};
use crate::tensor::Tensor;

settings! {
    /// The settings of [`binary_cross_entropy`](crate::Var::binary_cross_entropy) and of
    /// [`binary_cross_entropy_with_logits`](crate::Var::binary_cross_entropy_with_logits). A bare
    /// [`Reduction`](crate::Reduction) stands for those without weights.
    BinaryCrossEntropy<T> [
        /// A factor for each term, of a shape that broadcasts to theirs: none unless set. The mean is over the number
        /// of terms all the same.
        weight;
        /// A factor for the part of the targets that say yes, `t ln p`, of a shape that broadcasts to the terms': none
        /// unless set.
        pos_weight;
    ] {}
}

settings! {
    /// The settings of [`multilabel_soft_margin_loss`](crate::Var::multilabel_soft_margin_loss). A bare
    /// [`Reduction`](crate::Reduction) stands for those without weights.
    MultilabelSoftMargin<T> [
        /// A factor for each label, of a shape that broadcasts to the logits': none unless set.
        weight;
    ] {}
}

settings! {
    /// The settings of [`sigmoid_focal_loss`](crate::Var::sigmoid_focal_loss). A bare
    /// [`Reduction`](crate::Reduction) stands for the defaults otherwise.
    Focal {
        /// The weight α of the targets that say yes, 1 − α being that of the others; both 1 for `None`: 0.25 unless set.
        alpha: Option<f64> = Some(0.25);
        /// How much less a term counts that is met already, `(1 − p)^γ`: 2 unless set.
        gamma: f64 = 2.0;
    }
}

/// No logarithm is taken to be below −100.
const FLOOR: f64 = -100.0;
/// e^−100.
const TINY: f64 = 3.720_075_976_020_836e-44;
/// No denominator of the derivative is taken to be below.
const EPSILON: f64 = 1e-12;

/// What a probability is raised to a power from, in `f32` and `f64`, so that three derivatives of a root are finite.
const LEAST_MISSED: (f64, f64) = (1e-12, 1e-100);

/// −t ln p − (1 − t) ln (1 − p), with both logarithms at least −100.
#[derive(Clone, Copy, Debug)]
struct BinaryEntropy;

/// ln p, at least −100. The argument is harmless before the choice, at every order.
#[inline(always)]
fn ln_yes<N: Number>(p: N) -> N {
    let low = p.less_equal(p.lit(TINY));
    N::select(low, p.lit(FLOOR), N::select(low, p.lit(1.0), p).ln())
}

/// ln (1 − p), at least −100, which it is below for p = 1 alone.
#[inline(always)]
fn ln_no<N: Number>(p: N) -> N {
    let top = p.greater_equal(p.lit(1.0));
    N::select(top, p.lit(FLOOR), (-N::select(top, p.lit(0.0), p)).ln_1p())
}

/// x, or ε where it is below.
#[inline(always)]
fn at_least<N: Number>(x: N) -> N {
    N::select(x.less(x.lit(EPSILON)), x.lit(EPSILON), x)
}

impl Elementwise2 for BinaryEntropy {
    const NAME: &'static str = "binary_cross_entropy";
    #[inline(always)]
    fn f<N: Number>(self, p: N, t: N) -> N {
        -(t * ln_yes(p) + (p.lit(1.0) - t) * ln_no(p))
    }
    #[inline(always)]
    fn df<N: Number>(self, p: N, t: N, _y: N) -> (N, N) {
        let one = p.lit(1.0);
        let slope = (one - t) / at_least(one - p) - t / at_least(p);
        (slope, ln_no(p) - ln_yes(p))
    }
    compiled2!(BinaryEntropy);
}

/// −t ln σ(x) − (1 − t) ln σ(−x).
#[derive(Clone, Copy, Debug)]
struct LogisticEntropy;

impl Elementwise2 for LogisticEntropy {
    const NAME: &'static str = "binary_cross_entropy_with_logits";
    #[inline(always)]
    fn f<N: Number>(self, x: N, t: N) -> N {
        // max(x, 0) − x·t + ln(1 + e^−|x|), where the first two are x·(1 − t) or −x·t: nothing where the target is
        // met, also at infinity.
        let zero = x.lit(0.0);
        let weight = N::select(x.greater(zero), x.lit(1.0) - t, -t);
        let linear = N::select(weight.equal(zero), zero, x * weight);
        linear + (-x.abs()).softplus()
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, t: N, _y: N) -> (N, N) {
        // σ(x) − t, without the cancellation where t is 1 and x large.
        (x.sigmoid() * (x.lit(1.0) - t) - (-x).sigmoid() * t, -x)
    }
    compiled2!(LogisticEntropy);
}

impl<'t, T: Real> Var<'t, T> {
    /// These terms times a weight that broadcasts to them.
    #[track_caller]
    fn weighted_by(self, weight: Option<&Tensor<T>>, shape: &Shape) -> Result<Var<'t, T>> {
        match weight {
            Some(weight) => Ok(self * self.tape().constant(&weight.expand(shape)?)),
            None => Ok(self),
        }
    }

    /// −t·w ln σ(x) − (1 − t) ln σ(−x), where w is 1 unless given.
    #[track_caller]
    fn logistic_entropy(
        self,
        t: Var<'t, T>,
        pos_weight: Option<&Tensor<T>>,
        shape: &Shape,
    ) -> Result<Var<'t, T>> {
        if pos_weight.is_none() {
            return Ok(self.elementwise2(t, LogisticEntropy));
        }
        // Nothing where the target is met, also at infinity.
        let part = |q: Var<'t, T>, x: Var<'t, T>| {
            let loss = x.softplus(1.0);
            q * Var::where_(q.eq(0.0) & loss.is_inf(), x.constant(0.0), loss)
        };
        Ok(part(t.weighted_by(pos_weight, shape)?, -self) + part(1.0 - t, self))
    }

    /// The cross entropy of a yes-or-no target with a probability, reduced: `−t ln p − (1 − t) ln (1 − p)`. The target,
    /// between 0 and 1, is a variable, a tensor of the same shape, or a number; `how` a
    /// [`Reduction`](crate::Reduction) or [`BinaryCrossEntropy`] with weights.
    ///
    /// A logarithm below −100 counts as −100, so that the loss is finite for certainties that are wrong; `0 ln 0` is 0.
    /// Of probabilities that are a `sigmoid`,
    /// [`binary_cross_entropy_with_logits`](Var::binary_cross_entropy_with_logits) needs no such bound and loses no
    /// digits.
    ///
    /// # Gradient
    ///
    /// `(1 − t)/(1 − p) − t/p`, where no denominator is taken to be below 10⁻¹²; `ln (1 − p) − ln p` to the target, with
    /// the logarithms bounded.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for a probability below 0 or above 1, but not for NaN;
    /// [`Shape`](crate::ErrorKind::Shape) for a target of another shape and
    /// [`Broadcast`](crate::ErrorKind::Broadcast) for a weight that does not fit.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::BinaryCrossEntropy};
    ///
    /// let tape = Tape::<f64>::new();
    /// let p = tape.var(&Tensor::from([0.5, 1.0, 0.0]));
    /// let t = Tensor::from([1.0, 1.0, 1.0]);
    /// let loss = p.binary_cross_entropy(&t, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [2f64.ln(), 0.0, 100.0]);
    /// let halved = BinaryCrossEntropy::new().weight(&Tensor::scalar(0.5)).reduction(Reduction::Sum);
    /// assert_eq!(p.binary_cross_entropy(&t, halved).item()?, 0.5 * (2f64.ln() + 100.0));
    ///
    /// let error = (p * 2.0).binary_cross_entropy(&t, Reduction::Sum).item().unwrap_err();
    /// assert!(error.to_string().starts_with("binary_cross_entropy: a probability is 2, wanted a number from 0 to 1, at "));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bce")]
    #[track_caller]
    pub fn binary_cross_entropy(
        self,
        target: impl IntoVar<'t, T>,
        how: impl Into<BinaryCrossEntropy<T>>,
    ) -> Var<'t, T> {
        let (target, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("binary_cross_entropy", || {
            alike(self, target)?;
            let fine = |p: f64| p.is_nan() || (0.0..=1.0).contains(&p);
            demand_all(&self.value()?, "a probability", fine, "a number from 0 to 1")?;
            let shape = self.try_shape()?;
            let terms = match &how.pos_weight {
                None => self.elementwise2(target, BinaryEntropy),
                Some(weight) => {
                    // Both parts apart: the whole is linear in the target.
                    let [yes, no] = [1.0, 0.0].map(|t| self.elementwise2(self.constant(t), BinaryEntropy));
                    target.weighted_by(Some(weight), &shape)? * yes + (1.0 - target) * no
                }
            };
            Ok(how.reduction.of(terms.weighted_by(how.weight.as_ref(), &shape)?))
        })
    }

    /// The cross entropy of a yes-or-no target with the probability `σ(x)`, reduced:
    /// `−t ln σ(x) − (1 − t) ln σ(−x)`. The target, between 0 and 1, is a variable, a tensor of the same shape, or
    /// a number; `how` a [`Reduction`](crate::Reduction) or [`BinaryCrossEntropy`] with weights.
    ///
    /// Computed as `max(x, 0) − x t + ln(1 + e^−|x|)`: no probability is rounded to 0 or 1 on the way.
    ///
    /// # Gradient
    ///
    /// `σ(x) − t`, with relative accuracy in both tails for targets 0 and 1; `−x` to the target. A weight of the yes
    /// multiplies its part: `(1 − t) σ(x) − w t σ(−x)`.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for a target of another shape, unless it is a number;
    /// [`Broadcast`](crate::ErrorKind::Broadcast) for a weight that does not fit.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::BinaryCrossEntropy};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 40.0, 1e4]));
    /// let t = Tensor::from([1.0, 1.0, 0.0]);
    /// let loss = x.binary_cross_entropy_with_logits(&t, Reduction::None);
    /// let tail = (-40f64).exp();
    /// assert_eq!(loss.value()?.to_vec(), [2f64.ln(), tail, 1e4]);
    /// let g = loss.sum().backward()?.wrt(x)?.clone();
    /// assert_eq!((g[[0]], g[[2]]), (-0.5, 1.0));
    /// assert!((g[[1]] / -tail - 1.0).abs() < 1e-15);
    ///
    /// let rare = BinaryCrossEntropy::new().pos_weight(&Tensor::scalar(10.0)).reduction(Reduction::Sum);
    /// assert_eq!(x.binary_cross_entropy_with_logits(&t, rare).item()?, 10.0 * 2f64.ln() + 10.0 * tail + 1e4);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bce_with_logits")]
    #[track_caller]
    pub fn binary_cross_entropy_with_logits(
        self,
        target: impl IntoVar<'t, T>,
        how: impl Into<BinaryCrossEntropy<T>>,
    ) -> Var<'t, T> {
        let (target, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("binary_cross_entropy_with_logits", || {
            alike(self, target)?;
            let shape = self.try_shape()?;
            let terms = self.logistic_entropy(target, how.pos_weight.as_ref(), &shape)?;
            Ok(how.reduction.of(terms.weighted_by(how.weight.as_ref(), &shape)?))
        })
    }

    /// The cross entropy of several yes-or-no labels with the probabilities `σ(x)`, its mean over the labels, which are
    /// the last axis, and reduced over the rest. The targets, between 0 and 1, are a variable or a tensor of the same
    /// shape; `how` is a [`Reduction`](crate::Reduction) or [`MultilabelSoftMargin`] with a weight.
    ///
    /// # Gradient
    ///
    /// `(σ(x) − t)/C` with C labels, as
    /// [`binary_cross_entropy_with_logits`](Var::binary_cross_entropy_with_logits).
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for targets of another shape; [`Axis`](crate::ErrorKind::Axis) for rank 0;
    /// [`Broadcast`](crate::ErrorKind::Broadcast) for a weight that does not fit.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.0, 0.0], [1e3, -1e3]]));
    /// let loss = x.multilabel_soft_margin_loss(&Tensor::from([[1.0, 0.0], [1.0, 1.0]]), Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [2f64.ln(), 500.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn multilabel_soft_margin_loss(
        self,
        target: impl IntoVar<'t, T>,
        how: impl Into<MultilabelSoftMargin<T>>,
    ) -> Var<'t, T> {
        let (target, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("multilabel_soft_margin_loss", || {
            alike(self, target)?;
            let shape = self.try_shape()?;
            crate::shape::resolve_axis(-1, &shape)?;
            let terms = self.elementwise2(target, LogisticEntropy);
            Ok(how.reduction.of(terms.weighted_by(how.weight.as_ref(), &shape)?.mean_axes(-1)))
        })
    }

    /// The focal loss of Lin et al. (2017), reduced: the cross entropy of a yes-or-no target with `σ(x)`, times
    /// `(1 − p)^γ`, where p is the probability of the target, `t σ(x) + (1 − t) σ(−x)`, and times `α t + (1 − α)(1 − t)`.
    /// What is met already counts less. The target is a variable, a tensor of the same shape, or a number; `how` a
    /// [`Reduction`](crate::Reduction) or [`Focal`] with α and γ.
    ///
    /// `1 − p` is computed as `t σ(−x) + (1 − t) σ(x)`, so that nothing cancels where the target is met.
    ///
    /// # Gradient
    ///
    /// Through both factors. A `1 − p` below 10⁻¹⁰⁰, or 10⁻¹² in `f32`, counts as that, with derivative 0: for a γ below 1
    /// the power has no derivative at 0.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) unless γ is finite and at least 0, and for an α outside [0, 1];
    /// [`Shape`](crate::ErrorKind::Shape) for a target of another shape, unless it is a number.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::Focal};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 20.0]));
    /// let plain = Focal::new().alpha(None).gamma(1.0).reduction(Reduction::None);
    /// let loss = x.sigmoid_focal_loss(1.0, plain).value()?;
    /// assert_eq!(loss[[0]], 0.5 * 2f64.ln());
    /// // Met nearly: both the cross entropy and its factor are e^−20.
    /// assert!((loss[[1]] / (-40f64).exp() - 1.0).abs() < 1e-8);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "focal_loss")]
    #[track_caller]
    pub fn sigmoid_focal_loss(self, target: impl IntoVar<'t, T>, how: impl Into<Focal>) -> Var<'t, T> {
        let (t, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("sigmoid_focal_loss", || {
            let gamma = how.gamma;
            demand(gamma >= 0.0 && gamma.is_finite(), "gamma", gamma, "a finite number, at least 0")?;
            let alpha = how.alpha.unwrap_or(0.5);
            demand((0.0..=1.0).contains(&alpha), "alpha", alpha, "a number from 0 to 1")?;
            alike(self, t)?;
            let mut terms = self.elementwise2(t, LogisticEntropy);
            if gamma != 0.0 {
                let least = if size_of::<T>() == 4 { LEAST_MISSED.0 } else { LEAST_MISSED.1 };
                let missed = t * (-self).sigmoid() + (1.0 - t) * self.sigmoid();
                terms = terms * missed.clamp_min(least).powf(gamma);
            }
            if how.alpha.is_some() {
                terms = terms * (t * (2.0 * alpha - 1.0) + (1.0 - alpha));
            }
            Ok(how.reduction.of(terms))
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
