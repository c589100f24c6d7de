//! Adam, and AdamW, which decays weights apart from the gradient.

use super::{Ready, below_one, named, not_negative, writable};
use crate::error::Result;
use crate::kernels::optim as kernel;
use crate::number::Real;
use crate::tensor::Tensor;
use std::panic::Location;

/// What both remember.
#[derive(Clone, Debug)]
struct Moments<T: Real> {
    steps: i32,
    shapes: Option<Vec<Vec<usize>>>,
    /// Running means of the gradients and of their squares; none before the first step.
    means: Option<[Vec<Tensor<T>>; 2]>,
}

/// Where the weight decay acts.
#[derive(Clone, Copy, PartialEq)]
enum Decay {
    OnGradient,
    OnParameter,
}

macro_rules! optimiser {
    ($(#[$doc:meta])* $name:ident, $step:literal, $weight_decay:literal, $decay:expr, $on:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<T: Real> {
            /// The step's length, about, in units of the parameter: at least 0.
            pub learning_rate: f64,
            /// The part of the mean gradient that is kept from step to step: 0.9 unless set, below 1.
            pub beta1: f64,
            /// The part of the mean square that is kept from step to step: 0.999 unless set, below 1.
            pub beta2: f64,
            /// Keeps the denominator from 0: 10⁻⁸ unless set.
            pub epsilon: f64,
            #[doc = $on]
            pub weight_decay: f64,
            moments: Moments<T>,
        }

        impl<T: Real> $name<T> {
            /// With the usual hyperparameters besides the learning rate.
            pub fn new(learning_rate: f64) -> $name<T> {
                let moments = Moments { steps: 0, shapes: None, means: None };
                let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
                $name { learning_rate, beta1, beta2, epsilon, weight_decay: $weight_decay, moments }
            }

            /// Updates each parameter by its gradient.
            ///
            /// # Errors
            ///
            /// As [`Sgd::step`](super::Sgd::step): whatever the error, nothing has changed.
            #[track_caller]
            pub fn step<'p, 'g>(
                &mut self,
                parameters: impl IntoIterator<Item = (&'p mut Tensor<T>, &'g Tensor<T>)>,
            ) -> Result<()> {
                let line = Location::caller();
                let run = || {
                    let hyper = Hyper {
                        learning_rate: self.learning_rate,
                        betas: [self.beta1, self.beta2],
                        epsilon: self.epsilon,
                        weight_decay: self.weight_decay,
                        decay: $decay,
                    };
                    hyper.check()?;
                    let ready = Ready::new(parameters, self.moments.shapes.as_deref())?;
                    self.moments.update(hyper, ready)
                };
                run().map_err(named($step, line))
            }
        }
    };
}

optimiser! {
    /// Adam (Kingma and Ba, 2015): steps of about the learning rate in every direction, whatever the gradient's size.
    ///
    /// With `g` the gradient plus `weight_decay · p`, at step t = 1, 2, …:
    /// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
    /// `p ← p − learning_rate · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)`. Both moments begin at 0.
    ///
    /// ```
    /// use retrograde::Tensor;
    /// use retrograde::optim::Adam;
    ///
    /// let mut x = Tensor::from([1.0_f64, -2000.0]);
    /// let mut adam = Adam::new(0.125);
    /// let gradient = &x * 2.0;
    /// adam.step([(&mut x, &gradient)])?;
    /// // The first step is the learning rate, against the gradient's sign.
    /// assert!((x[[0]] - 0.875).abs() < 1e-8 && (x[[1]] + 1999.875).abs() < 1e-8);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Adam, "Adam::step", 0.0, Decay::OnGradient, "How much of the parameter is added to its gradient: 0 unless set."
}

optimiser! {
    /// AdamW (Loshchilov and Hutter, 2019): [`Adam`] with a weight decay that the moments do not see.
    ///
    /// First `p ← p (1 − learning_rate · weight_decay)`, then Adam's step with the gradient as it is.
    ///
    /// ```
    /// use retrograde::Tensor;
    /// use retrograde::optim::AdamW;
    ///
    /// let mut x = Tensor::from([4.0, -8.0]);
    /// let mut adam = AdamW::new(0.5);
    /// adam.weight_decay = 0.5;
    /// adam.step([(&mut x, &Tensor::from([0.0, 0.0]))])?;
    /// assert_eq!(x.to_vec(), [3.0, -6.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    AdamW, "AdamW::step", 0.01, Decay::OnParameter,
    "The parameter's shrinkage at each step in units of the learning rate: 0.01 unless set."
}

/// The hyperparameters at one step.
struct Hyper {
    learning_rate: f64,
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
    decay: Decay,
}

impl Hyper {
    fn check(&self) -> Result<()> {
        not_negative("learning_rate", self.learning_rate)?;
        below_one("beta1", self.betas[0])?;
        below_one("beta2", self.betas[1])?;
        not_negative("epsilon", self.epsilon)?;
        not_negative("weight_decay", self.weight_decay)
    }

    fn at<T: Real>(&self, step: i32) -> kernel::Adam<T> {
        let [beta1, beta2] = self.betas;
        let [on_gradient, on_parameter] = match self.decay {
            Decay::OnGradient => [self.weight_decay, 0.0],
            Decay::OnParameter => [0.0, self.weight_decay],
        };
        kernel::Adam {
            rate: T::from_f64(self.learning_rate / (1.0 - beta1.powi(step))),
            fresh: T::from_f64(1.0 - beta1),
            beta2: T::from_f64(beta2),
            fresh2: T::from_f64(1.0 - beta2),
            root: T::from_f64((1.0 - beta2.powi(step)).sqrt()),
            epsilon: T::from_f64(self.epsilon),
            decay: T::from_f64(on_gradient),
            keep: T::from_f64(1.0 - self.learning_rate * on_parameter),
        }
    }
}

impl<T: Real> Moments<T> {
    fn update(&mut self, hyper: Hyper, ready: Ready<'_, T>) -> Result<()> {
        let [first, second] = match &mut self.means {
            Some(means) => means,
            none => none.insert([ready.zeros()?, ready.zeros()?]),
        };
        self.shapes.get_or_insert_with(|| ready.shapes());
        // Past 2³¹ steps the corrections are 1.
        self.steps = self.steps.saturating_add(1);
        let c = hyper.at(self.steps);
        ready.each(|i, p, g| kernel::adam(c, g, p, writable(&mut first[i]), writable(&mut second[i])));
        Ok(())
    }
}
