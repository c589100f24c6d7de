//! Logarithms of the densities and probabilities that have gamma functions in them.

use super::laws::{Beta, BetaLogits, Gamma, Poisson, Student};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::ops::scalar::scalar_function;
use crate::shape::broadcast;
use crate::tape::{IntoVar, Var};

/// `value` of x made harmless, where x is inside; −∞, without a gradient, where it is outside. A NaN is inside.
fn inside<'t, T: Real>(
    x: Var<'t, T>,
    outside: Var<'t, T>,
    harmless: f64,
    value: impl FnOnce(Var<'t, T>) -> Var<'t, T>,
) -> Result<Var<'t, T>> {
    let y = value(Var::where_(outside, x.constant(harmless), x));
    Ok(Var::where_(outside, x.constant(f64::NEG_INFINITY), y))
}

impl<'t, T: Real> Var<'t, T> {
    /// The logarithm of the density of Student's law with ν degrees of freedom, element by element; shapes broadcast:
    /// `ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln πν − ln scale − (ν+1)/2 ln(1 + z²/ν)` with `z = (x − loc)/scale`.
    ///
    /// Nothing cancels for large ν, and for ν = ∞ the law is the normal one. NaN for ν ≤ 0.
    ///
    /// # Gradient
    ///
    /// To x and all three parameters, in the tails and for large ν, too.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp of the larger of 1 and the value, for ν from 10⁻² to 10⁹; the derivative by x within
    /// 8 ulp, by ν within 60, the second by ν within 200, but close to their zeros.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// assert!((x.student_t_log_prob(3.0, 0.5, 2.0).item()? - (-1.854121445530528)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn student_t_log_prob(
        self,
        freedom: impl IntoVar<'t, T>,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let tape = self.tape();
        let (v, loc, scale) = (freedom.into_var(tape), loc.into_var(tape), scale.into_var(tape));
        tape.composed("student_t_log_prob", || {
            broadcast(
                &broadcast(&self.try_shape()?, &v.try_shape()?)?,
                &broadcast(&loc.try_shape()?, &scale.try_shape()?)?,
            )?;
            Ok(scalar_function(Student, [(self - loc) / scale, v]) - scale.ln())
        })
    }

    /// The logarithm of the gamma law's density, `a ln rate + (a − 1) ln x − rate·x − ln Γ(a)` with `a` the concentration, −∞
    /// below 0, element by element; shapes broadcast. For a large concentration the terms do not cancel. NaN for a ≤ 0.
    ///
    /// # Gradient
    ///
    /// To x and both parameters; 0 below 0.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp of the larger of 1 and the value, for a from 10⁻³ to 10⁹, beside what rounding does to
    /// rate·x; the derivatives by x and the rate within 8 ulp, by a within 8 of the larger of 1 and the value.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// assert!((x.gamma_log_prob(2.5, 0.5).item()? - (-2.1593531597105358)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gamma_log_prob(self, concentration: impl IntoVar<'t, T>, rate: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        let (a, rate) = (concentration.into_var(tape), rate.into_var(tape));
        tape.composed("gamma_log_prob", || {
            broadcast(&self.try_shape()?, &broadcast(&a.try_shape()?, &rate.try_shape()?)?)?;
            inside(self, self.lt(0.0), 1.0, |x| scalar_function(Gamma, [a, rate, x]))
        })
    }

    /// The logarithm of the beta law's density, `(a − 1) ln x + (b − 1) ln(1 − x) − ln B(a, b)`, −∞ outside [0, 1], element
    /// by element; shapes broadcast. For large a and b the terms do not cancel. NaN for a ≤ 0 or b ≤ 0.
    ///
    /// # Gradient
    ///
    /// To x and both parameters; 0 outside.
    ///
    /// # Accuracy
    ///
    /// In double precision within 10 ulp of the larger of 1 and the value, for a and b from 10⁻² to 10⁷; the derivative by x
    /// within 8 ulp, by a and b within 12 of the larger of 1 and the value.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.25_f64));
    /// assert!((x.beta_log_prob(2.0, 3.5).item()? - (0.6513408230222991)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn beta_log_prob(self, a: impl IntoVar<'t, T>, b: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        let (a, b) = (a.into_var(tape), b.into_var(tape));
        tape.composed("beta_log_prob", || {
            broadcast(&self.try_shape()?, &broadcast(&a.try_shape()?, &b.try_shape()?)?)?;
            let outside = self.lt(0.0) | self.gt(1.0);
            inside(self, outside, 0.5, |x| scalar_function(Beta, [a, b, x]))
        })
    }

    /// The logarithm of the Dirichlet law's density at each row along the last axis, which sums to 1:
    /// `Σ (aᵢ − 1) ln xᵢ + ln Γ(Σ aᵢ) − Σ ln Γ(aᵢ)`; `[.., k]` gives `[..]`, shapes broadcast. −∞ where an element is
    /// below 0.
    ///
    /// # Gradient
    ///
    /// To x, taken as if its elements were free, and to the concentrations; of an element below 0 it is 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast); [`Rank`](ErrorKind::Rank) if nothing has an axis.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.25_f64, 0.25, 0.5]));
    /// let y = x.dirichlet_log_prob(&Tensor::from([1.5, 2.0, 2.5]));
    /// assert!((y.item()? - (1.5044287974246182)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dirichlet_log_prob(self, concentration: impl IntoVar<'t, T>) -> Var<'t, T> {
        let a = concentration.into_var(self.tape());
        self.tape().composed("dirichlet_log_prob", || {
            let shape = broadcast(&self.try_shape()?, &a.try_shape()?)?;
            if shape.is_empty() {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            }
            let a = a.expand(&shape);
            let powers = inside(self, self.lt(0.0), 1.0, |x| (a - 1.0).xlogy(x))?;
            Ok(powers.sum_axes(-1) + a.sum_axes(-1).lgamma() - a.lgamma().sum_axes(-1))
        })
    }

    /// The logarithm of the probability of these counts under Poisson's law, `k ln rate − rate − ln k!`, element by element;
    /// shapes broadcast. 0 ln 0 is 0, and a count below 0 has −∞. For large counts the terms do not cancel.
    ///
    /// # Gradient
    ///
    /// `k/rate − 1` to the rate; to the counts as if they were any numbers.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp of the larger of 1 and the value, for counts up to 10⁹; the derivative by the rate within
    /// 2 ulp.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0_f64));
    /// assert!((x.poisson_log_prob(0.5).item()? - (-4.371201010907891)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn poisson_log_prob(self, rate: impl IntoVar<'t, T>) -> Var<'t, T> {
        let rate = rate.into_var(self.tape());
        self.tape().composed("poisson_log_prob", || {
            broadcast(&self.try_shape()?, &rate.try_shape()?)?;
            inside(self, self.lt(0.0), 0.0, |k| scalar_function(Poisson, [k, rate]))
        })
    }

    /// The logarithm of the probability of these counts of n trials that each succeed with probability p,
    /// `ln C(n, k) + k ln p + (n − k) ln(1 − p)`, element by element; shapes broadcast. 0 ln 0 is 0, and a count that is not
    /// from 0 to n has −∞. For large counts the terms do not cancel.
    ///
    /// # Gradient
    ///
    /// `k/p − (n − k)/(1 − p)` to p; to the counts and to n as if they were any numbers.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp of the larger of 1 and the value, for up to 10⁹ trials; the derivative by p within 8 ulp.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0_f64));
    /// assert!((x.binomial_log_prob(7.0, 0.5).item()? - (-1.2966822024302034)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn binomial_log_prob(self, n: impl IntoVar<'t, T>, p: impl IntoVar<'t, T>) -> Var<'t, T> {
        let (n, p) = (n.into_var(self.tape()), p.into_var(self.tape()));
        self.tape().composed("binomial_log_prob", || counts(self, n, p, |x| scalar_function(Beta, x)))
    }

    /// As [`binomial_log_prob`](Var::binomial_log_prob) with `p = σ(logits)`; right for logits of any size.
    ///
    /// # Gradient
    ///
    /// `k − n σ(logits)` to the logits; to the counts and to n as if they were any numbers.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0_f64));
    /// assert!((x.binomial_logits_log_prob(7.0, 0.0).item()? - (-1.2966822024302034)).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn binomial_logits_log_prob(self, n: impl IntoVar<'t, T>, logits: impl IntoVar<'t, T>) -> Var<'t, T> {
        let (n, logits) = (n.into_var(self.tape()), logits.into_var(self.tape()));
        let of = |x| scalar_function(BetaLogits, x);
        self.tape().composed("binomial_logits_log_prob", || counts(self, n, logits, of))
    }
}

/// The probability of k of n by the beta law's density: `C(n, k) = 1/((n + 1) B(k + 1, n − k + 1))`.
fn counts<'t, T: Real>(
    k: Var<'t, T>,
    n: Var<'t, T>,
    p: Var<'t, T>,
    density: impl Fn([Var<'t, T>; 3]) -> Var<'t, T>,
) -> Result<Var<'t, T>> {
    broadcast(&k.try_shape()?, &broadcast(&n.try_shape()?, &p.try_shape()?)?)?;
    let outside = k.lt(0.0) | k.gt(n);
    inside(k, outside, 0.0, |k| density([k + 1.0, n - k + 1.0, p]) - (n + 1.0).ln())
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn pairs(low: f64, high: f64) -> Inputs {
        shapes(&[&[&[], &[]], &[&[2, 3], &[3]], &[&[7], &[7]], &[&[3], &[2, 1]], &[&[0], &[]]], low, high)
    }
    fn triples(low: f64, high: f64) -> Inputs {
        shapes(
            &[&[&[], &[], &[]], &[&[2, 3], &[3], &[2, 1]], &[&[], &[2], &[]], &[&[0], &[], &[1]]],
            low,
            high,
        )
    }
    let rows = || shapes(&[&[&[3], &[3]], &[&[2, 3], &[3]], &[&[3], &[2, 3]], &[&[2, 1], &[1, 4]]], 0.4, 1.6);
    vec![
        sample!("student_t_log_prob", triples(0.6, 1.6), |x| x[0].student_t_log_prob(
            x[1] * 3.0,
            x[1] * x[2],
            x[2]
        )),
        sample!("gamma_log_prob", triples(0.6, 1.6), |x| x[0].gamma_log_prob(x[1], x[2])),
        sample!("beta_log_prob", triples(0.2, 0.8), |x| x[0].beta_log_prob(x[1] + 0.5, x[2] * 3.0)),
        sample!("dirichlet_log_prob", rows(), |x| x[0].dirichlet_log_prob(x[1])),
        sample!("poisson_log_prob", pairs(0.6, 3.5), |x| x[0].poisson_log_prob(x[1])),
        sample!("binomial_log_prob", triples(0.2, 0.8), |x| x[0].binomial_log_prob(x[1] * 4.0 + 1.0, x[2])),
        sample!("binomial_logits_log_prob", triples(0.2, 0.8), |x| {
            x[0].binomial_logits_log_prob(x[1] * 4.0 + 1.0, x[2] * 8.0 - 4.0)
        }),
        wrong!(
            "student_t_log_prob",
            &[&[2], &[3]],
            |x| x[0].student_t_log_prob(3.0, x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "gamma_log_prob",
            &[&[2], &[3]],
            |x| x[0].gamma_log_prob(x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "beta_log_prob",
            &[&[2], &[3]],
            |x| x[0].beta_log_prob(x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "dirichlet_log_prob",
            &[&[2], &[3]],
            |x| x[0].dirichlet_log_prob(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "poisson_log_prob",
            &[&[2], &[3]],
            |x| x[0].poisson_log_prob(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "binomial_log_prob",
            &[&[2], &[3]],
            |x| x[0].binomial_log_prob(x[1], 0.5),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "binomial_logits_log_prob",
            &[&[2], &[3]],
            |x| x[0].binomial_logits_log_prob(x[1], 0.5),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "dirichlet_log_prob",
            &[&[], &[]],
            |x| x[0].dirichlet_log_prob(x[1]),
            "shape [] has rank 0, wanted at least 1"
        ),
    ]
}

#[cfg(test)]
mod tests;
