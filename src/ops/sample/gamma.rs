//! Samples from the gamma law and its kin, by implicit reparametrisation.

use super::fits;
use crate::error::{ErrorKind, Result};
use crate::kernels::gamma::{HIGHEST, log_quantiles};
use crate::number::Real;
use crate::shape::{IntoShape, Shape};
use crate::tape::{At, IntoVar, Operation, Outputs, Parts, Tape, Var, one};
use crate::tensor::{Generator, Tensor, elementwise};
use smallvec::SmallVec;

/// What an element costs in nanoseconds, about.
const COST: f32 = 2000.0;

/// A derivative of the logarithm of the gamma law's quantile by the shape, for a shape and noise from the standard
/// normal law: the sample is y with `P(a, y) = Φ(z)`. The derivative of one is the next; the noise is a constant.
struct LogQuantile {
    order: usize,
}

impl<T: Real> Operation<T> for LogQuantile {
    fn name(&self) -> &'static str {
        "log_gamma_sample"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        if self.order > HIGHEST {
            return Err(ErrorKind::NoRule { mode: "derivatives above the sixth" }.into());
        }
        elementwise([x[0], x[1]], COST, |[a, z], out| log_quantiles(self.order, a, z, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let part = (at.g(0) * self.slope(at)).sum_to_like(at.x(0));
        Ok(SmallVec::from_buf([Some(part), None]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_iter([at.dx(0).map(|da| da * self.slope(at))]))
    }
}

impl LogQuantile {
    fn slope<'t, T: Real>(&self, at: &At<'_, 't, T>) -> Var<'t, T> {
        at.x(0).tape().apply(LogQuantile { order: self.order + 1 }, &[at.x(0), at.x(1)])
    }
}

impl<T: Real> Tape<T> {
    /// Logarithms of samples from the gamma law of rate 1.
    #[track_caller]
    fn log_gamma<'t>(
        &'t self,
        shape: &Shape,
        concentration: Var<'t, T>,
        from: &mut Generator,
    ) -> Result<Var<'t, T>> {
        fits(&[concentration], shape)?;
        let noise = self.constant(&Tensor::drawn(shape.clone(), from, Generator::normal)?);
        Ok(self.apply(LogQuantile { order: 0 }, &[concentration, noise]))
    }

    /// Samples from the gamma law, of density `rateᵃ xᵃ⁻¹ e^(−rate·x)/Γ(a)` with `a` the concentration, of mean `a/rate`.
    /// NaN where `a` is not positive.
    ///
    /// The noise is drawn once, from the normal law, and is a constant: the sample is the quantile x with
    /// `P(a, rate·x) = Φ(z)`, a smooth function of the parameters that runs again as such. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// `−∂ₐP(a, x)/p(x)` to the concentration (implicit reparametrisation, Figurnov et al. 2018), `−x/rate` to the rate. Up
    /// to the sixth order; a seventh derivative by the concentration is an error, [`NoRule`](ErrorKind::NoRule).
    ///
    /// # Accuracy
    ///
    /// Derivatives by the concentration to about 10⁻¹⁴ of themselves, in double precision; 10⁻¹² for concentrations
    /// of 10⁻³.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::scalar(3.0_f64));
    /// let x = tape.gamma([4000], a, 1.0, &mut Generator::new(7));
    /// assert!((x.mean().item()? - 3.0).abs() < 0.1);
    /// // The mean is a, so its derivative is 1.
    /// assert!((x.mean().backward()?.wrt(a)?.item()? - 1.0).abs() < 0.02);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gamma<'t>(
        &'t self,
        shape: impl IntoShape,
        concentration: impl IntoVar<'t, T>,
        rate: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let (concentration, rate) = (concentration.into_var(self), rate.into_var(self));
        self.composed("gamma", || {
            let shape = shape.into_shape()?;
            fits(&[concentration, rate], &shape)?;
            Ok(self.log_gamma(&shape, concentration, from)?.exp() / rate)
        })
    }

    /// Samples from the beta law, of density `xᵃ⁻¹ (1 − x)ᵇ⁻¹/B(a, b)` on [0, 1].
    ///
    /// The share of one gamma sample in two, from their logarithms: also for concentrations whose gamma samples
    /// underflow.
    ///
    /// # Gradient
    ///
    /// To both concentrations, as [`gamma`](Tape::gamma).
    ///
    /// # Errors
    ///
    /// As [`gamma`](Tape::gamma).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::scalar(2.0_f64)), tape.var(&Tensor::scalar(6.0)));
    /// let x = tape.beta([4000], a, b, &mut Generator::new(7));
    /// assert!((x.mean().item()? - 0.25).abs() < 0.01);
    /// // The mean is a/(a + b), its derivative by a is b/(a + b)².
    /// assert!((x.mean().backward()?.wrt(a)?.item()? - 6.0 / 64.0).abs() < 0.01);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn beta<'t>(
        &'t self,
        shape: impl IntoShape,
        a: impl IntoVar<'t, T>,
        b: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let (a, b) = (a.into_var(self), b.into_var(self));
        self.composed("beta", || {
            let shape = shape.into_shape()?;
            fits(&[a, b], &shape)?;
            Ok((self.log_gamma(&shape, a, from)? - self.log_gamma(&shape, b, from)?).sigmoid())
        })
    }

    /// Samples from the Dirichlet law: the last axis of `shape` has numbers that sum to 1, of density `∝ Π xᵢ^(aᵢ − 1)`.
    ///
    /// The softmax of the logarithms of gamma samples: also for concentrations whose gamma samples underflow.
    ///
    /// # Gradient
    ///
    /// To the concentrations, as [`gamma`](Tape::gamma).
    ///
    /// # Errors
    ///
    /// As [`gamma`](Tape::gamma); [`Rank`](ErrorKind::Rank) for a shape without axes.
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1.0, 2.0, 5.0]));
    /// let x = tape.dirichlet([4000, 3], a, &mut Generator::new(7));
    /// assert!(x.sum_axes(-1).value()?.iter().all(|sum: f64| (sum - 1.0).abs() < 1e-12));
    /// let means = x.mean_axes(0).value()?;
    /// assert!((means[[0]] - 0.125).abs() < 0.01 && (means[[2]] - 0.625).abs() < 0.01);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dirichlet<'t>(
        &'t self,
        shape: impl IntoShape,
        concentration: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let concentration = concentration.into_var(self);
        self.composed("dirichlet", || {
            let shape = shape.into_shape()?;
            fits(&[concentration], &shape)?;
            if shape.is_empty() {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            }
            Ok(self.log_gamma(&shape, concentration, from)?.softmax(-1))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn pairs() -> Inputs {
        shapes(&[&[&[2, 3], &[2, 3]], &[&[3], &[2, 1]], &[&[], &[]]], 0.5, 2.5)
    }
    fn seeded() -> Generator {
        Generator::new(7)
    }
    vec![
        sample!("gamma", pairs(), |x| x[0].tape().gamma([2, 3], x[0], x[1], &mut seeded())),
        sample!("gamma of large shapes", shapes(&[&[&[4]]], 0.5, 2.0), |x| {
            (x[0].tape().gamma([4], x[0] * 1e5, 1.0, &mut seeded()) / 1e5).square()
        }),
        sample!("gamma of none", shapes(&[&[&[]]], 0.5, 2.0), |x| x[0].tape().gamma(
            [0, 2],
            x[0],
            1.0,
            &mut seeded()
        )),
        sample!("beta", pairs(), |x| x[0].tape().beta([2, 3], x[0], x[1], &mut seeded())),
        sample!("dirichlet", shapes(&[&[&[2, 3]], &[&[3]], &[&[2, 1]], &[&[]]], 0.5, 2.5), |x| {
            x[0].tape().dirichlet([2, 3], x[0], &mut seeded())
        }),
        wrong!(
            "gamma",
            &[&[2], &[3]],
            |x| x[0].tape().gamma([2], x[0], x[1], &mut seeded()),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "beta",
            &[&[2], &[3]],
            |x| x[0].tape().beta([3], x[0], x[1], &mut seeded()),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "dirichlet",
            &[&[]],
            |x| x[0].tape().dirichlet([], x[0], &mut seeded()),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!(
            "dirichlet",
            &[&[2]],
            |x| x[0].tape().dirichlet([3], x[0], &mut seeded()),
            "shapes [2] and [3] do not broadcast"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln y and its derivatives by the shape at y = 3, z = 1.2, from mpmath (see the kernel's tests).
    #[test]
    fn a_derivative_above_the_sixth_is_an_error_that_says_so() {
        let tape = Tape::<f64>::new();
        let a = tape.var(&Tensor::scalar(3.0));
        let z = tape.constant(&Tensor::scalar(1.2));
        let mut y = tape.apply(LogQuantile { order: 0 }, &[a, z]);
        let wanted = [1.632737006804038, 0.266573530522492, -0.084079257002735, 0.055369014802950];
        for wanted in wanted {
            assert!((y.item().unwrap() / wanted - 1.0).abs() < 1e-13, "{y:?} for {wanted}");
            [y] = tape.vjp(y, &Tensor::scalar(1.0), [a]).unwrap();
        }
        let mut error = None;
        for _ in 4..=6 {
            assert!(y.item().unwrap().is_finite());
            match tape.vjp(y, &Tensor::scalar(1.0), [a]) {
                Ok([next]) => y = next,
                Err(refused) => error = Some(refused),
            }
        }
        let error = error.or(y.error()).expect("there is no seventh derivative");
        assert_eq!(error.kind(), &ErrorKind::NoRule { mode: "derivatives above the sixth" });
    }

    #[test]
    fn samples_follow_their_law() {
        // Mean and variance of the gamma law are a/rate and a/rate².
        let tape = Tape::<f64>::new();
        for (a, rate) in [(0.2, 1.0), (1.0, 2.0), (7.5, 0.5), (3e5, 1.0)] {
            let x = tape.gamma([20_000], a, rate, &mut Generator::new(1));
            let (mean, var) = (x.mean().item().unwrap(), x.var(1.0).item().unwrap());
            let error = 4.0 * (a / 2e4f64).sqrt() / rate;
            assert!((mean - a / rate).abs() < error, "{a}: mean {mean}");
            assert!((var / (a / (rate * rate)) - 1.0).abs() < 0.15, "{a}: variance {var}");
        }
        // Tiny concentrations: one part has all, with the probability of its share.
        let x =
            tape.dirichlet([4000, 2], &Tensor::from([1e-4, 3e-4]), &mut Generator::new(2)).value().unwrap();
        let mean = x.slice(1, 0..1).unwrap().iter().sum::<f64>() / 4000.0;
        assert!((mean - 0.25).abs() < 0.03, "{mean}");
    }
}
