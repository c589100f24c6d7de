//! Choices among classes through which a gradient flows.

use crate::error::{Result, argument};
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::Var;
use crate::tensor::{Generator, Tensor};

impl<'t, T: Real> Var<'t, T> {
    /// The logits with Gumbel noise, over the temperature; and their softmax along the axis.
    #[track_caller]
    fn perturbed(self, temperature: f64, axis: isize, from: &mut Generator) -> Result<[Var<'t, T>; 2]> {
        let shape = self.try_shape()?;
        resolve_axis(axis, &shape)?;
        if !(temperature > 0.0 && temperature.is_finite()) {
            return argument("temperature", temperature, "a positive finite number");
        }
        let noise = self.constant_like(Tensor::drawn(shape, from, Generator::gumbel));
        let perturbed = self + noise;
        Ok([perturbed, perturbed.softmax_stretch(axis, 1.0 / temperature)])
    }

    /// A choice along an axis in proportion to `exp` of these logits, made soft: the softmax of the logits with Gumbel
    /// noise, over a temperature (Jang et al., Maddison et al. 2017). At low temperatures it is nearly one-hot.
    ///
    /// The noise is drawn once and is a constant.
    ///
    /// # Gradient
    ///
    /// That of the softmax.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for a temperature that is not positive.
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let logits = tape.var(&Tensor::from([0.0, 1.0, 2.0]));
    /// let y = logits.gumbel_softmax(0.5, -1, &mut Generator::new(7));
    /// let sum: f64 = y.sum().item()?;
    /// assert!((sum - 1.0).abs() < 1e-15);
    /// assert!(y.slice(0, 0..1).sum().backward()?.wrt(logits)?[[0]] > 0.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gumbel_softmax(self, temperature: f64, axis: isize, from: &mut Generator) -> Var<'t, T> {
        self.tape().composed("gumbel_softmax", || {
            let [_, soft] = self.perturbed(temperature, axis, from)?;
            Ok(soft)
        })
    }

    /// A choice along an axis in proportion to `exp` of these logits, one-hot: where
    /// [`gumbel_softmax`](Var::gumbel_softmax) is largest. NaN where that is.
    ///
    /// # Gradient
    ///
    /// That of [`gumbel_softmax`](Var::gumbel_softmax), straight through the choice.
    ///
    /// # Errors
    ///
    /// As [`gumbel_softmax`](Var::gumbel_softmax); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) for an empty axis.
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let logits = tape.var(&Tensor::from([0.0, 1.0, 2.0]).expand([10_000, 3])?);
    /// let y = logits.gumbel_softmax_hard(0.5, -1, &mut Generator::new(7));
    /// assert!(y.value()?.iter().all(|y| y == 0.0 || y == 1.0));
    /// let share: f64 = y.mean_axes(0).value()?[[2]];
    /// assert!((share - 0.665).abs() < 0.02); // e²/(1 + e + e²)
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gumbel_softmax_hard(self, temperature: f64, axis: isize, from: &mut Generator) -> Var<'t, T> {
        self.tape().composed("gumbel_softmax_hard", || {
            let [perturbed, soft] = self.perturbed(temperature, axis, from)?;
            let largest = perturbed.max_keepdim(axis);
            // Masks hide NaNs: they come from the softmax.
            let choice = Var::where_(soft.eq(soft), perturbed.eq(largest), soft);
            Ok(choice.straight_through(soft))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, wrong};
    fn seeded() -> Generator {
        Generator::new(7)
    }
    vec![
        sample!("gumbel_softmax", rank3(-2.0, 2.0), |x| x[0].gumbel_softmax(0.7, -1, &mut seeded())),
        sample!("gumbel_softmax over middle", rank3(-2.0, 2.0), |x| x[0].gumbel_softmax(
            2.0,
            1,
            &mut seeded()
        )),
        // The derivative is that of the soft choice, which differences of the value do not see: of what is left of
        // the two, they do.
        sample!("gumbel_softmax_hard", rank3(-2.0, 2.0), |x| {
            let soft = x[0].gumbel_softmax(0.7, -1, &mut seeded());
            let hard = x[0].gumbel_softmax_hard(0.7, -1, &mut seeded());
            hard - soft + soft.detach() + x[0].square()
        }),
        wrong!(
            "gumbel_softmax",
            &[&[2]],
            |x| x[0].gumbel_softmax(0.0, 0, &mut seeded()),
            "temperature is 0, wanted a positive finite number"
        ),
        wrong!(
            "gumbel_softmax",
            &[&[2]],
            |x| x[0].gumbel_softmax(1.0, 1, &mut seeded()),
            "axis 1 is out of range for shape [2]"
        ),
        wrong!(
            "gumbel_softmax_hard",
            &[&[2]],
            |x| x[0].gumbel_softmax_hard(f64::NAN, 0, &mut seeded()),
            "temperature is NaN, wanted a positive finite number"
        ),
        wrong!(
            "gumbel_softmax_hard",
            &[&[2]],
            |x| x[0].gumbel_softmax_hard(1.0, -2, &mut seeded()),
            "axis -2 is out of range for shape [2]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn the_hard_choice_has_the_gradient_of_the_soft_one_and_hides_no_nan() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([[0.3, -1.0, 0.5], [2.0, 0.0, 1.0]]));
        let seed = Tensor::from([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]]);
        let soft = x.gumbel_softmax(0.5, 1, &mut Generator::new(3));
        let hard = x.gumbel_softmax_hard(0.5, 1, &mut Generator::new(3));
        let gradient = |y: Var<'_, f64>| y.backward_with(&seed).unwrap().wrt(x).unwrap().clone();
        assert_eq!(gradient(soft), gradient(hard));
        let (soft, hard) = (soft.value().unwrap(), hard.value().unwrap());
        for (soft, hard) in soft.to_vec().chunks(3).zip(hard.to_vec().chunks(3)) {
            let largest = soft.iter().copied().fold(0.0, f64::max);
            assert!(soft.iter().zip(hard).all(|(s, h)| *h == f64::from(u8::from(*s == largest))));
        }
        let x = tape.var(&Tensor::from([f64::NAN, 1.0]));
        let y = x.gumbel_softmax_hard(0.5, 0, &mut Generator::new(3)).value().unwrap();
        assert!(y.iter().all(f64::is_nan));
    }
}
