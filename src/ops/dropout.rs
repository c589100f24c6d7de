//! Elements set to zero at random, for training.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::Var;
use crate::tensor::{Generator, Tensor};

/// α′ = −λα of SELU: what its negative arguments tend to.
const SELU_FLOOR: f64 = -1.758_099_340_847_376_6;

/// `kept` with the probability 1 − p, else `dropped`.
fn mask<T: Real>(shape: Shape, p: f64, [dropped, kept]: [f64; 2], from: &mut Generator) -> Result<Tensor<T>> {
    let (dropped, kept) = (T::from_f64(dropped), T::from_f64(kept));
    Tensor::build(shape, |out| {
        out.iter_mut().for_each(|x| *x = if from.uniform() < p { dropped } else { kept })
    })
}

fn check(p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    argument("p", p, "a probability from 0 to 1")
}

/// What the elements that stay are multiplied by, so that the mean stays; 0 if none does.
fn stretch(p: f64) -> f64 {
    if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 }
}

impl<'t, T: Real> Var<'t, T> {
    /// Each element zero with probability `p`, else divided by `1 − p`, so that the mean stays. For training alone:
    /// an evaluation leaves it out.
    ///
    /// The mask is drawn once and is a constant, so what runs again runs with the same mask.
    ///
    /// # Gradient
    ///
    /// The cotangent times the mask.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a `p` outside [0, 1].
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([1000])?);
    /// let y = x.dropout(0.2, &mut Generator::new(7));
    /// assert!(y.value()?.iter().all(|y| y == 0.0 || y == 1.25));
    /// assert!((y.mean().item()? - 1.0).abs() < 0.05);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), y.value()?.to_vec());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout(self, p: f64, from: &mut Generator) -> Var<'t, T> {
        self.tape().composed("dropout", || {
            check(p)?;
            Ok(self * self.constant_like(mask(self.try_shape()?, p, [0.0, stretch(p)], from)))
        })
    }

    /// As [`dropout`](Var::dropout), whole channels at a time: of `[n, c, ..]` all that stands behind the first two axes.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a `p` outside [0, 1]; [`Rank`](ErrorKind::Rank) below 2.
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([2, 3, 5])?);
    /// let y = x.feature_dropout(0.5, &mut Generator::new(7));
    /// assert!(y.sum_axes(-1).value()?.iter().all(|sum| sum == 0.0 || sum == 10.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "dropout1d")]
    #[doc(alias = "dropout2d")]
    #[doc(alias = "dropout3d")]
    #[track_caller]
    pub fn feature_dropout(self, p: f64, from: &mut Generator) -> Var<'t, T> {
        self.tape().composed("feature_dropout", || {
            check(p)?;
            let shape = self.try_shape()?;
            let &[n, c, ref rest @ ..] = &shape[..] else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            };
            let channels = Shape::new([&[n, c][..], &vec![1; rest.len()]].concat())?;
            Ok(self * self.constant_like(mask(channels, p, [0.0, stretch(p)], from)))
        })
    }

    /// Dropout for what [`selu`](Var::selu) gives (Klambauer et al. 2017): elements are set to what SELU tends to on the
    /// left, then all are scaled and moved so that mean 0 and variance 1 stay.
    ///
    /// # Gradient
    ///
    /// The cotangent times the scale where the element stays, else 0.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a `p` outside [0, 1].
    ///
    /// ```
    /// use retrograde::{Generator, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let mut from = Generator::new(7);
    /// let x = tape.var(&Tensor::normal([20_000], 0.0, 1.0, &mut from)?);
    /// let y = x.alpha_dropout(0.3, &mut from);
    /// assert!(y.mean().item()?.abs() < 0.05);
    /// assert!((y.square().mean().item()? - 1.0).abs() < 0.05);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn alpha_dropout(self, p: f64, from: &mut Generator) -> Var<'t, T> {
        self.tape().composed("alpha_dropout", || {
            check(p)?;
            // With a share of p at α′ the mean is pα′ and the variance (1 − p)(1 + pα′²).
            let scale =
                if p < 1.0 { ((1.0 - p) * (1.0 + p * SELU_FLOOR * SELU_FLOOR)).sqrt().recip() } else { 0.0 };
            let move_by = -scale * p * SELU_FLOOR;
            let factor = mask::<T>(self.try_shape()?, p, [0.0, scale], from)?;
            let added = factor.map(|kept| {
                T::from_f64(if kept.to_f64() == 0.0 { scale * SELU_FLOOR + move_by } else { move_by })
            })?;
            Ok(self * self.constant_like(Ok(factor)) + self.constant_like(Ok(added)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, unary, wrong};
    fn seeded() -> Generator {
        Generator::new(7)
    }
    vec![
        sample!("dropout", unary(-2.0, 2.0), |x| x[0].dropout(0.3, &mut seeded()).square()),
        sample!("dropout of all", unary(-2.0, 2.0), |x| x[0].dropout(1.0, &mut seeded()).square()),
        sample!("dropout of none", unary(-2.0, 2.0), |x| x[0].dropout(0.0, &mut seeded()).square()),
        sample!("feature_dropout", rank3(-2.0, 2.0), |x| x[0].feature_dropout(0.4, &mut seeded()).square()),
        sample!("alpha_dropout", unary(-2.0, 2.0), |x| x[0].alpha_dropout(0.3, &mut seeded()).square()),
        sample!("alpha_dropout of all", unary(-2.0, 2.0), |x| x[0]
            .alpha_dropout(1.0, &mut seeded())
            .square()),
        wrong!(
            "dropout",
            &[&[2]],
            |x| x[0].dropout(-0.1, &mut seeded()),
            "p is -0.1, wanted a probability from 0 to 1"
        ),
        wrong!(
            "feature_dropout",
            &[&[2, 2]],
            |x| x[0].feature_dropout(f64::NAN, &mut seeded()),
            "p is NaN, wanted a probability from 0 to 1"
        ),
        wrong!(
            "feature_dropout",
            &[&[2]],
            |x| x[0].feature_dropout(0.5, &mut seeded()),
            "shape [2] has rank 1, wanted at least 2"
        ),
        wrong!(
            "alpha_dropout",
            &[&[2]],
            |x| x[0].alpha_dropout(1.5, &mut seeded()),
            "p is 1.5, wanted a probability from 0 to 1"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn values_at_the_ends() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([1.0, -2.0]));
        let mut from = Generator::new(1);
        assert_eq!(x.dropout(0.0, &mut from).value().unwrap().to_vec(), [1.0, -2.0]);
        assert_eq!(x.alpha_dropout(0.0, &mut from).value().unwrap().to_vec(), [1.0, -2.0]);
        assert!(x.dropout(1.0, &mut from).value().unwrap().iter().all(|y| y == 0.0));
        assert!(x.alpha_dropout(1.0, &mut from).value().unwrap().iter().all(|y| y == 0.0));
        // A NaN shows even where it is dropped.
        let x = tape.var(&Tensor::from([f64::NAN]));
        assert!(x.dropout(1.0, &mut from).item().unwrap().is_nan());
    }

    #[test]
    fn dropped_elements_of_alpha_dropout_have_one_value() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([0.25]).expand([64]).unwrap());
        let y = x.alpha_dropout(0.5, &mut Generator::new(1)).value().unwrap();
        let a = (0.5f64 * (1.0 + 0.5 * SELU_FLOOR * SELU_FLOOR)).sqrt().recip();
        let (kept, dropped) = (a * (0.25 - 0.5 * SELU_FLOOR), a * (SELU_FLOOR - 0.5 * SELU_FLOOR));
        let near = |y: f64, wanted: f64| (y - wanted).abs() < 1e-15;
        assert!(y.iter().all(|y| near(y, kept) || near(y, dropped)), "{y} {kept} {dropped}");
        assert!(y.iter().any(|y| near(y, kept)) && y.iter().any(|y| near(y, dropped)));
    }
}
