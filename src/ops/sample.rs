//! Samples whose gradient flows into the parameters: noise that is a constant, moved and stretched by variables.

mod gamma;

use crate::error::Result;
use crate::number::Real;
use crate::shape::{IntoShape, broadcast};
use crate::tape::{IntoVar, Tape, Var};
use crate::tensor::{Generator, Tensor};

/// Refuses parameters that do not broadcast to the samples' shape.
fn fits<T: Real>(parameters: &[Var<'_, T>], shape: &[usize]) -> Result<()> {
    for parameter in parameters {
        let own = parameter.try_shape()?;
        if broadcast(&own, shape)? != *shape {
            let (left, right) = (own.to_vec(), shape.to_vec());
            return Err(crate::error::ErrorKind::Broadcast { left, right }.into());
        }
    }
    Ok(())
}

impl<T: Real> Tape<T> {
    /// `f` of two parameters and of noise of that shape, which enters as a constant.
    #[track_caller]
    fn reparametrised<'t>(
        &'t self,
        name: &'static str,
        shape: impl IntoShape,
        parameters: [Var<'t, T>; 2],
        from: &mut Generator,
        draw: fn(&mut Generator) -> f64,
        f: impl FnOnce([Var<'t, T>; 2], Var<'t, T>) -> Var<'t, T>,
    ) -> Var<'t, T> {
        self.composed(name, || {
            let shape = shape.into_shape()?;
            fits(&parameters, &shape)?;
            let noise = self.constant(&Tensor::drawn(shape, from, draw)?);
            Ok(f(parameters, noise))
        })
    }

    /// `loc + scale · noise`.
    #[track_caller]
    fn located<'t>(
        &'t self,
        name: &'static str,
        shape: impl IntoShape,
        parameters: [Var<'t, T>; 2],
        from: &mut Generator,
        draw: fn(&mut Generator) -> f64,
    ) -> Var<'t, T> {
        self.reparametrised(name, shape, parameters, from, draw, |[loc, scale], noise| loc + scale * noise)
    }

    /// Samples from the normal law with mean `loc` and standard deviation `scale`, `loc + scale · z`.
    ///
    /// As with all laws here the noise is drawn once and is a constant on the tape: the samples are a function of the
    /// parameters and run again as such. Parameters are variables, tensors or numbers, and broadcast to `shape`.
    ///
    /// # Gradient
    ///
    /// 1 to `loc`, the noise to `scale`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (loc, scale) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(2.0)));
    /// let x = tape.normal([100], loc, scale, &mut Generator::new(7));
    /// let grads = x.mean().backward()?;
    /// assert!((grads.wrt(loc)?.item()? - 1.0).abs() < 1e-12);
    /// assert!((grads.wrt(scale)?.item()? - (x.mean().item()? - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn normal<'t>(
        &'t self,
        shape: impl IntoShape,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [loc.into_var(self), scale.into_var(self)];
        self.located("normal", shape, parameters, from, Generator::normal)
    }

    /// Samples from the Gumbel law, of the largest of many: `loc − scale · ln(−ln u)`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// 1 to `loc`, the noise to `scale`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (loc, scale) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(2.0)));
    /// let x = tape.gumbel([100], loc, scale, &mut Generator::new(7));
    /// let grads = x.mean().backward()?;
    /// assert!((grads.wrt(loc)?.item()? - 1.0).abs() < 1e-12);
    /// assert!((grads.wrt(scale)?.item()? - (x.mean().item()? - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gumbel<'t>(
        &'t self,
        shape: impl IntoShape,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [loc.into_var(self), scale.into_var(self)];
        self.located("gumbel", shape, parameters, from, Generator::gumbel)
    }

    /// Samples from the Laplace law, of density `e^(−|x − loc|/scale)/(2 scale)`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// 1 to `loc`, the noise to `scale`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (loc, scale) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(2.0)));
    /// let x = tape.laplace([100], loc, scale, &mut Generator::new(7));
    /// let grads = x.mean().backward()?;
    /// assert!((grads.wrt(loc)?.item()? - 1.0).abs() < 1e-12);
    /// assert!((grads.wrt(scale)?.item()? - (x.mean().item()? - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn laplace<'t>(
        &'t self,
        shape: impl IntoShape,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [loc.into_var(self), scale.into_var(self)];
        self.located("laplace", shape, parameters, from, Generator::laplace)
    }

    /// Samples from the logistic law: `loc + scale · ln(u/(1 − u))`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// 1 to `loc`, the noise to `scale`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (loc, scale) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(2.0)));
    /// let x = tape.logistic([100], loc, scale, &mut Generator::new(7));
    /// let grads = x.mean().backward()?;
    /// assert!((grads.wrt(loc)?.item()? - 1.0).abs() < 1e-12);
    /// assert!((grads.wrt(scale)?.item()? - (x.mean().item()? - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logistic<'t>(
        &'t self,
        shape: impl IntoShape,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [loc.into_var(self), scale.into_var(self)];
        self.located("logistic", shape, parameters, from, Generator::logistic)
    }

    /// Samples from the Cauchy law: `loc + scale · tan(π(u − ½))`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// 1 to `loc`, the noise to `scale`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (loc, scale) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(2.0)));
    /// let x = tape.cauchy([100], loc, scale, &mut Generator::new(7));
    /// let grads = x.mean().backward()?;
    /// assert!((grads.wrt(loc)?.item()? - 1.0).abs() < 1e-12);
    /// assert!((grads.wrt(scale)?.item()? - (x.mean().item()? - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cauchy<'t>(
        &'t self,
        shape: impl IntoShape,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [loc.into_var(self), scale.into_var(self)];
        self.located("cauchy", shape, parameters, from, Generator::cauchy)
    }

    /// Samples from the uniform law between `low` and `high`: `low + (high − low) u`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// `1 − u` to `low`, `u` to `high`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (low, high) = (tape.var(&Tensor::scalar(1.0_f64)), tape.var(&Tensor::scalar(3.0)));
    /// let x = tape.uniform([100], low, high, &mut Generator::new(7));
    /// assert!(x.value()?.iter().all(|x| (1.0..=3.0).contains(&x)));
    /// let grads = x.sum().backward()?;
    /// assert!((grads.wrt(low)?.item()? + grads.wrt(high)?.item()? - 100.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn uniform<'t>(
        &'t self,
        shape: impl IntoShape,
        low: impl IntoVar<'t, T>,
        high: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let parameters = [low.into_var(self), high.into_var(self)];
        let between = |[low, high]: [Var<'t, T>; 2], u| low + (high - low) * u;
        self.reparametrised("uniform", shape, parameters, from, Generator::uniform_open, between)
    }

    /// Samples from the exponential law of some rate, of mean `1/rate`. See [`normal`](Tape::normal).
    ///
    /// # Gradient
    ///
    /// `−x/rate`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if a parameter does not broadcast to `shape`;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let rate = tape.var(&Tensor::scalar(2.0_f64));
    /// let x = tape.exponential([100], rate, &mut Generator::new(7));
    /// let g = x.sum().backward()?.wrt(rate)?.item()?;
    /// assert!((g + x.sum().item()? / 2.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn exponential<'t>(
        &'t self,
        shape: impl IntoShape,
        rate: impl IntoVar<'t, T>,
        from: &mut Generator,
    ) -> Var<'t, T> {
        let rate = rate.into_var(self);
        let scaled = |[rate, _]: [Var<'t, T>; 2], noise| noise / rate;
        self.reparametrised("exponential", shape, [rate, rate], from, Generator::exponential, scaled)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn pairs() -> Inputs {
        shapes(&[&[&[2, 3], &[2, 3]], &[&[3], &[2, 1]], &[&[], &[]], &[&[2, 3], &[]]], 0.5, 1.5)
    }
    fn seeded() -> Generator {
        Generator::new(7)
    }
    let empty = || shapes(&[&[&[], &[1]]], 0.5, 1.5);
    let mut samples = vec![
        sample!("normal", pairs(), |x| x[0].tape().normal([2, 3], x[0], x[1], &mut seeded()).square()),
        sample!("normal of none", empty(), |x| x[0].tape().normal([2, 0], x[0], x[1], &mut seeded())),
        sample!("normal of numbers", shapes(&[&[&[3]]], 0.5, 1.5), |x| x[0].tape().normal(
            [3],
            1.0,
            x[0],
            &mut seeded()
        )),
        sample!("uniform", pairs(), |x| x[0].tape().uniform([2, 3], x[0], x[1], &mut seeded()).square()),
        sample!("exponential", pairs(), |x| x[0].tape().exponential([2, 3], x[0], &mut seeded()) * x[1]),
        sample!("gumbel", pairs(), |x| x[0].tape().gumbel([2, 3], x[0], x[1], &mut seeded()).square()),
        sample!("laplace", pairs(), |x| x[0].tape().laplace([2, 3], x[0], x[1], &mut seeded()).square()),
        sample!("logistic", pairs(), |x| x[0].tape().logistic([2, 3], x[0], x[1], &mut seeded()).square()),
        sample!("cauchy", pairs(), |x| x[0].tape().cauchy([2, 3], x[0], x[1], &mut seeded()).atan()),
        wrong!(
            "normal",
            &[&[2], &[3]],
            |x| x[0].tape().normal([2], x[0], x[1], &mut seeded()),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "normal",
            &[&[1, 2]],
            |x| x[0].tape().normal([2], x[0], 1.0, &mut seeded()),
            "shapes [1, 2] and [2] do not broadcast"
        ),
        wrong!(
            "uniform",
            &[&[2]],
            |x| x[0].tape().uniform([1], x[0], 1.0, &mut seeded()),
            "shapes [2] and [1] do not broadcast"
        ),
        wrong!(
            "exponential",
            &[&[2]],
            |x| x[0].tape().exponential([3], x[0], &mut seeded()),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "cauchy",
            &[&[2]],
            |x| x[0].tape().cauchy([usize::MAX], x[0], 1.0, &mut seeded()),
            "shape [18446744073709551615] is too large: at most 64 axes and 2^63 - 1 bytes"
        ),
    ];
    samples.extend(gamma::samples());
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_samples_and_other_parameters_the_same_noise() {
        let tape = Tape::<f64>::new();
        let mut from = Generator::new(3);
        let x = tape.normal([50], 1.0, 2.0, &mut from).value().unwrap();
        let again = tape.normal([50], 1.0, 2.0, &mut Generator::new(3)).value().unwrap();
        assert_eq!(x, again);
        let moved = tape.normal([50], 0.0, 1.0, &mut Generator::new(3)).value().unwrap();
        assert!(x.iter().zip(&moved).all(|(x, z)| x == 1.0 + 2.0 * z));
        // The generator has moved on.
        assert_ne!(tape.normal([50], 1.0, 2.0, &mut from).value().unwrap(), x);
    }
}
