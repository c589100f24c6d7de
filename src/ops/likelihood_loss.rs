//! Losses that are likelihoods of a law with given parameters, and the divergence of two laws.

use super::losses::{alike, demand, demand_all, settings};
use crate::error::Result;
use crate::number::Real;
use crate::shape::{Shape, broadcast};
use crate::tape::{IntoVar, Var};

settings! {
    /// The settings of [`kl_div`](crate::Var::kl_div). A bare [`Reduction`](crate::Reduction) stands for targets that
    /// are probabilities.
    KlDivergence {
        /// Whether the targets are logarithms of probabilities, too: not unless set.
        log_target: bool = false;
    }
}

settings! {
    /// The settings of [`poisson_nll_loss`](crate::Var::poisson_nll_loss). A bare [`Reduction`](crate::Reduction) stands
    /// for the defaults otherwise.
    PoissonNll {
        /// Whether the prediction is the logarithm of the mean, not the mean: so unless set.
        log_input: bool = true;
        /// Whether ln t! is added, by Stirling's formula, where t > 1: not unless set.
        full: bool = false;
        /// What is added to a mean before its logarithm is taken: 10⁻⁸ unless set.
        eps: f64 = 1e-8;
    }
}

settings! {
    /// The settings of [`gaussian_nll_loss`](crate::Var::gaussian_nll_loss). A bare [`Reduction`](crate::Reduction)
    /// stands for the defaults otherwise.
    GaussianNll {
        /// Whether ½ ln 2π is added: not unless set.
        full: bool = false;
        /// What a variance is taken to be at least: 10⁻⁶ unless set.
        eps: f64 = 1e-6;
    }
}

/// t·x, but 0 where t is 0 and x is −∞.
fn product<'t, T: Real>(t: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    t * Var::where_(t.eq(0.0) & x.eq(f64::NEG_INFINITY), x.constant(0.0), x)
}

/// Refuses what does not broadcast to a shape.
fn broadcasts<T: Real>(x: Var<'_, T>, shape: &Shape) -> Result<()> {
    let own = x.try_shape()?;
    if broadcast(&own, shape)? == *shape {
        return Ok(());
    }
    Err(crate::error::ErrorKind::Broadcast { left: own.to_vec(), right: shape.to_vec() }.into())
}

impl<'t, T: Real> Var<'t, T> {
    /// The Kullback-Leibler divergence of a target law from this one, of which these are the logarithms of the
    /// probabilities: terms `t (ln t − x)`, reduced; `eᵗ (t − x)` for
    /// [targets that are logarithms](KlDivergence::log_target). Terms of probability 0 are 0. The target is a variable or
    /// a tensor of the same shape; `how` a [`Reduction`](crate::Reduction) or [`KlDivergence`].
    ///
    /// The mean over all terms is not the divergence: [`Reduction::BatchMean`](crate::Reduction::BatchMean) is its mean
    /// over the first axis.
    ///
    /// # Gradient
    ///
    /// `−t`; to the target `ln t + 1 − x`, but `−x` at t = 0, as in PyTorch, and 0 there if x is −∞.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for a target of another shape, unless it is a number.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::KlDivergence};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.5, 0.5], [0.25, 0.75]])).ln();
    /// let t = Tensor::from([[1.0, 0.0], [0.25, 0.75]]);
    /// assert_eq!(x.kl_div(&t, Reduction::None).value()?.to_vec(), [2f64.ln(), 0.0, 0.0, 0.0]);
    /// assert_eq!(x.kl_div(&t, Reduction::BatchMean).item()?, 0.5 * 2f64.ln());
    /// let logs = KlDivergence::new().log_target(true).reduction(Reduction::Sum);
    /// assert_eq!(x.kl_div(tape.constant(&t).ln(), logs).item()?, 2f64.ln());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "kl_divergence")]
    #[track_caller]
    pub fn kl_div(self, target: impl IntoVar<'t, T>, how: impl Into<KlDivergence>) -> Var<'t, T> {
        let (t, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("kl_div", || {
            alike(self, t)?;
            let terms = if how.log_target {
                let nothing = t.eq(f64::NEG_INFINITY);
                t.exp() * Var::where_(nothing, t.constant(0.0), t - self)
            } else {
                t.xlogy(t) - product(t, self)
            };
            Ok(how.reduction.of(terms))
        })
    }

    /// The negative logarithm of the likelihood of counts under a Poisson law, reduced: `eˣ − t x` where this is the
    /// logarithm of the mean, `x − t ln(x + ε)` where it is the [mean](PoissonNll::log_input), without the constant
    /// `ln t!` unless it is [asked for](PoissonNll::full): then `t ln t − t + ½ ln 2πt` is added where t > 1. The counts
    /// are a variable, a tensor of the same shape, or a number; `how` a [`Reduction`](crate::Reduction) or
    /// [`PoissonNll`].
    ///
    /// # Gradient
    ///
    /// `eˣ − t`, or `1 − t/(x + ε)`; to the counts that of the formula, the constant included.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for counts of another shape, unless they are a number;
    /// [`Argument`](crate::ErrorKind::Argument) unless ε is finite and at least 0.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor, loss::PoissonNll};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let t = Tensor::from([3.0, 0.0]);
    /// let loss = x.poisson_nll_loss(&t, Reduction::Sum);
    /// assert_eq!(loss.item()?, 1.0 + 1f64.exp());
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [-2.0, 1f64.exp()]);
    /// let mean = PoissonNll::new().log_input(false).eps(0.0).reduction(Reduction::None);
    /// assert_eq!(x.poisson_nll_loss(&Tensor::from([0.0, 2.0]), mean).value()?.to_vec(), [0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn poisson_nll_loss(self, target: impl IntoVar<'t, T>, how: impl Into<PoissonNll>) -> Var<'t, T> {
        let (t, how) = (target.into_var(self.tape()), how.into());
        self.tape().composed("poisson_nll_loss", || {
            demand(how.eps >= 0.0 && how.eps.is_finite(), "eps", how.eps, "a finite number, at least 0")?;
            alike(self, t)?;
            let mut terms =
                if how.log_input { self.exp() - product(t, self) } else { self - t.xlogy(self + how.eps) };
            if how.full {
                let (large, two) = (t.gt(1.0), t.constant(2.0));
                let t = Var::where_(large, t, two);
                let stirling = t * t.ln() - t + (t * std::f64::consts::TAU).ln() * 0.5;
                terms = terms + Var::where_(large, stirling, t.constant(0.0));
            }
            Ok(how.reduction.of(terms))
        })
    }

    /// The negative logarithm of the likelihood of targets under normal laws with these means, reduced:
    /// `½ (ln v + (x − t)²/v)`, where v is the variance but at least ε. Targets and variances are variables, tensors or
    /// numbers that broadcast to the means; `how` is a [`Reduction`](crate::Reduction) or [`GaussianNll`].
    ///
    /// # Gradient
    ///
    /// `(x − t)/v`, its negative to the targets, and `½ (1/v − (x − t)²/v²)` to the variance, also where that is below ε:
    /// there it has the derivative at ε, as in PyTorch, and can leave.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for a variance below 0, and unless ε is positive and finite;
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (x, v) = (tape.var(&Tensor::from([1.0, 3.0])), tape.var(&Tensor::scalar(4.0)));
    /// let loss = x.gaussian_nll_loss(1.0, v, Reduction::Sum);
    /// assert!((loss.item()? - 4f64.ln() - 0.5).abs() < 1e-15);
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [0.0, 0.5]);
    ///
    /// let error = x.gaussian_nll_loss(1.0, -v, Reduction::Sum).item().unwrap_err();
    /// assert!(error.to_string().starts_with("gaussian_nll_loss: a variance is -4, wanted a number, at least 0, at "));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gaussian_nll_loss(
        self,
        target: impl IntoVar<'t, T>,
        variance: impl IntoVar<'t, T>,
        how: impl Into<GaussianNll>,
    ) -> Var<'t, T> {
        let [t, variance] = [target.into_var(self.tape()), variance.into_var(self.tape())];
        let how = how.into();
        self.tape().composed("gaussian_nll_loss", || {
            demand(how.eps > 0.0 && how.eps.is_finite(), "eps", how.eps, "a positive finite number")?;
            let shape = self.try_shape()?;
            broadcasts(t, &shape)?;
            broadcasts(variance, &shape)?;
            demand_all(&variance.value()?, "a variance", |v| !(v < 0.0), "a number, at least 0")?;
            let v = variance.clamp_min(how.eps).straight_through(variance);
            let mut terms = (v.ln() + (self - t).square() / v) * 0.5;
            if how.full {
                terms = terms + 0.5 * std::f64::consts::TAU.ln();
            }
            Ok(how.reduction.of(terms))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::Reduction;
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn pairs(low: f64, high: f64) -> Inputs {
        shapes(&[&[&[], &[]], &[&[7], &[]], &[&[17], &[17]], &[&[2, 3, 4], &[2, 3, 4]]], low, high)
    }
    fn with_empty(low: f64, high: f64) -> Inputs {
        shapes(&[&[&[7], &[]], &[&[0], &[0]], &[&[2, 0], &[2, 0]]], low, high)
    }
    /// Means, targets and variances.
    fn three() -> Inputs {
        shapes(&[&[&[], &[], &[]], &[&[2, 3], &[3], &[2, 1]], &[&[7], &[7], &[]]], 0.5, 2.0)
    }
    vec![
        sample!("kl_div", pairs(0.2, 2.0), |x| x[0].kl_div(x[1], Reduction::BatchMean)),
        sample!("kl_div terms", with_empty(0.2, 2.0), |x| x[0].square().kl_div(x[1], Reduction::None)),
        sample!("kl_div of logarithms", pairs(-2.0, 1.0), |x| {
            x[0].square().kl_div(x[1], KlDivergence::new().log_target(true))
        }),
        sample!("poisson_nll_loss", pairs(0.2, 2.0), |x| x[0].poisson_nll_loss(x[1], Reduction::Mean)),
        sample!("poisson_nll_loss full", pairs(1.2, 3.0), |x| {
            x[0].poisson_nll_loss(x[1], PoissonNll::new().full(true).reduction(Reduction::None))
        }),
        sample!("poisson_nll_loss sum", with_empty(0.2, 2.0), |x| x[0]
            .poisson_nll_loss(x[1], Reduction::Sum)),
        sample!("gaussian_nll_loss of none", shapes(&[&[&[0], &[0], &[1]]], 0.5, 2.0), |x| {
            x[0].gaussian_nll_loss(x[1], x[2], Reduction::Sum)
        }),
        sample!("poisson_nll_loss of means", pairs(0.2, 0.9), |x| {
            x[0].poisson_nll_loss(x[1], PoissonNll::new().log_input(false).full(true).eps(0.1))
        }),
        sample!("gaussian_nll_loss", three(), |x| x[0].gaussian_nll_loss(x[1], x[2], Reduction::Mean)),
        sample!("gaussian_nll_loss full", three(), |x| {
            x[0].gaussian_nll_loss(
                x[1],
                x[2],
                GaussianNll::new().full(true).eps(0.1).reduction(Reduction::None),
            )
        }),
        wrong!(
            "kl_div",
            &[&[2], &[3]],
            |x| x[0].kl_div(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "poisson_nll_loss",
            &[&[2], &[3]],
            |x| x[0].poisson_nll_loss(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "poisson_nll_loss",
            &[&[2]],
            |x| x[0].poisson_nll_loss(1.0, PoissonNll::new().eps(-1.0)),
            "eps is -1, wanted a finite number, at least 0"
        ),
        wrong!(
            "gaussian_nll_loss",
            &[&[2], &[2, 2]],
            |x| x[0].gaussian_nll_loss(x[1], 1.0, Reduction::Mean),
            "shapes [2, 2] and [2] do not broadcast"
        ),
        wrong!(
            "gaussian_nll_loss",
            &[&[2], &[3]],
            |x| x[0].gaussian_nll_loss(1.0, x[1], Reduction::Mean),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "gaussian_nll_loss",
            &[&[2]],
            |x| x[0].gaussian_nll_loss(1.0, -1.0, Reduction::Mean),
            "a variance is -1, wanted a number, at least 0"
        ),
        wrong!(
            "gaussian_nll_loss",
            &[&[2]],
            |x| x[0].gaussian_nll_loss(1.0, 1.0, GaussianNll::new().eps(0.0)),
            "eps is 0, wanted a positive finite number"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reduction, Tape, Tensor};

    const NOTHING: f64 = f64::NEG_INFINITY;

    fn gradients<'t>(y: Var<'t, f64>, x: [Var<'t, f64>; 2]) -> [Vec<f64>; 2] {
        let grads = y.sum().backward().unwrap();
        x.map(|x| grads.wrt(x).unwrap().to_vec())
    }

    #[test]
    fn what_has_probability_0_diverges_from_nothing() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([NOTHING, NOTHING, -1.0]));
        let t = tape.var(&Tensor::from([0.0, 0.5, 0.0]));
        let loss = x.kl_div(t, Reduction::None);
        assert_eq!(loss.value().unwrap().to_vec(), [0.0, f64::INFINITY, 0.0]);
        let [dx, dt] = gradients(loss, [x, t]);
        assert_eq!(dx, [0.0, -0.5, 0.0]);
        assert_eq!((dt[0], dt[2]), (0.0, 1.0));

        let t = tape.var(&Tensor::from([NOTHING, -1.0, NOTHING]));
        let loss = x.kl_div(t, KlDivergence::new().log_target(true).reduction(Reduction::None));
        assert_eq!(loss.value().unwrap().to_vec(), [0.0, f64::INFINITY, 0.0]);
        let [dx, dt] = gradients(loss, [x, t]);
        assert_eq!(dx, [0.0, -(-1f64).exp(), 0.0]);
        assert_eq!((dt[0], dt[2]), (0.0, 0.0));
    }

    #[test]
    fn counts_of_nothing_cost_their_mean() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([NOTHING, 0.0]));
        let t = tape.var(&Tensor::from([0.0, 0.0]));
        let loss = x.poisson_nll_loss(t, PoissonNll::new().full(true).reduction(Reduction::None));
        assert_eq!(loss.value().unwrap().to_vec(), [0.0, 1.0]);
        assert_eq!(gradients(loss, [x, t]), [vec![0.0, 1.0], vec![0.0, 0.0]]);
        let mean = PoissonNll::new().log_input(false).reduction(Reduction::None);
        assert_eq!(tape.scalar(0.0).poisson_nll_loss(1.0, mean).item().unwrap(), -1e-8f64.ln());
        // Stirling's formula begins above 1.
        let loss = |t: f64| x.poisson_nll_loss(t, PoissonNll::new().full(true).reduction(Reduction::None));
        assert_eq!(loss(1.0).value().unwrap()[[1]], 1.0);
        let three = 3.0 * 3f64.ln() - 3.0 + 0.5 * (3.0 * std::f64::consts::TAU).ln();
        assert!((loss(3.0).value().unwrap()[[1]] - 1.0 - three).abs() < 1e-15);
    }

    #[test]
    fn a_small_variance_has_the_value_and_the_derivative_at_the_bound() {
        let tape = Tape::new();
        let (x, v) = (tape.var(&Tensor::scalar(0.5)), tape.var(&Tensor::scalar(0.01)));
        let loss = x.gaussian_nll_loss(0.0, v, GaussianNll::new().eps(0.25).full(true));
        assert_eq!(loss.item().unwrap(), 0.5 * (0.25f64.ln() + 1.0) + 0.5 * std::f64::consts::TAU.ln());
        assert_eq!(gradients(loss, [x, v]), [vec![2.0], vec![0.5 * (4.0 - 0.25 * 16.0)]]);
        let plain = x.gaussian_nll_loss(0.5, tape.scalar(0.0), Reduction::Mean);
        assert_eq!(plain.item().unwrap(), 0.5 * 1e-6f64.ln());
        assert!(x.gaussian_nll_loss(0.5, f64::NAN, Reduction::Mean).item().unwrap().is_nan());
    }
}
