//! Losses that compare a prediction with a target element by element.

use super::losses::{alike, demand};
use super::{Elementwise2, Reduction, compiled2};
use crate::number::{Number, Real};
use crate::tape::{IntoVar, Var};

/// (x − t)².
#[derive(Clone, Copy, Debug)]
struct Squared;

impl Elementwise2 for Squared {
    const NAME: &'static str = "mse";
    #[inline(always)]
    fn f<N: Number>(self, x: N, t: N) -> N {
        (x - t).square()
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, t: N, _y: N) -> (N, N) {
        let d = (x - t) * x.lit(2.0);
        (d, -d)
    }
    compiled2!(Squared);
}

/// |x − t|.
#[derive(Clone, Copy, Debug)]
struct Absolute;

impl Elementwise2 for Absolute {
    const NAME: &'static str = "l1_loss";
    #[inline(always)]
    fn f<N: Number>(self, x: N, t: N) -> N {
        (x - t).abs()
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, t: N, _y: N) -> (N, N) {
        let sign = (x - t).sign();
        (sign, -sign)
    }
    compiled2!(Absolute);
}

/// (x − t)²/2 up to a distance of delta, its tangent from there on.
#[derive(Clone, Copy, Debug)]
struct Huber {
    delta: f64,
}

impl Elementwise2 for Huber {
    const NAME: &'static str = "huber";
    #[inline(always)]
    fn f<N: Number>(self, x: N, t: N) -> N {
        let (d, delta) = ((x - t).abs(), x.lit(self.delta));
        let half = x.lit(0.5);
        // c·(d − c/2) with c the smaller of d and δ is both branches.
        let c = N::select(d.less_equal(delta), d, delta);
        let huber = c * (d - c * half);
        N::select(d.is_nan(), d, huber)
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, t: N, _y: N) -> (N, N) {
        let d = x - t;
        let slope = N::select(d.abs().less_equal(x.lit(self.delta)), d, d.sign() * x.lit(self.delta));
        (slope, -slope)
    }
    compiled2!(Huber);
}

impl<'t, T: Real> Var<'t, T> {
    /// The squared error `(x − t)²`, reduced. The target is a variable, a tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// `2 (x − t)`, and its negative to a target that is a variable.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless the target has the same shape or rank 0: a target `[n]` against
    /// predictions `[n, 1]` is no loss of n terms.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 4.0]));
    /// let loss = x.mse(&Tensor::from([0.0, 1.0]), Reduction::Mean);
    /// assert_eq!(loss.item()?, 5.0);
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [1.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "mse_loss")]
    #[track_caller]
    pub fn mse(self, target: impl IntoVar<'t, T>, reduction: Reduction) -> Var<'t, T> {
        self.compared(target, Squared, reduction)
    }

    /// The absolute error `|x − t|`, reduced. The target is a variable, a tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// The sign of `x − t`: 0 where they are equal.
    ///
    /// # Errors
    ///
    /// As [`mse`](Var::mse).
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 4.0, -2.0]));
    /// let loss = x.l1_loss(&Tensor::from([1.0, 1.0, 1.0]), Reduction::Sum);
    /// assert_eq!(loss.item()?, 6.0);
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [0.0, 1.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "mae")]
    #[track_caller]
    pub fn l1_loss(self, target: impl IntoVar<'t, T>, reduction: Reduction) -> Var<'t, T> {
        self.compared(target, Absolute, reduction)
    }

    /// Huber's loss, reduced: `d²/2` for `|d| ≤ δ`, `δ (|d| − δ/2)` beyond, with `d = x − t`. The target is a
    /// variable, a tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// d clamped to [−δ, δ]. The second derivative is 1 for `|d| ≤ δ`, the bounds included, and 0 beyond.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) unless δ is positive and finite; else as [`mse`](Var::mse).
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.5, -3.0]));
    /// let loss = x.huber(0.0, 1.0, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [0.125, 2.5]);
    /// assert_eq!(loss.sum().backward()?.wrt(x)?.to_vec(), [0.5, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "huber_loss")]
    #[track_caller]
    pub fn huber(self, target: impl IntoVar<'t, T>, delta: f64, reduction: Reduction) -> Var<'t, T> {
        let target = target.into_var(self.tape());
        self.tape().composed("huber", || {
            demand(delta > 0.0 && delta.is_finite(), "delta", delta, "a positive finite number")?;
            Ok(self.compared(target, Huber { delta }, reduction))
        })
    }

    /// The absolute error with its kink smoothed, reduced: `d²/(2β)` for `|d| < β`, `|d| − β/2` from there on, with
    /// `d = x − t`. That is [`huber`](Var::huber) divided by β, and [`l1_loss`](Var::l1_loss) for β = 0. The target is
    /// a variable, a tensor of the same shape, or a number.
    ///
    /// # Gradient
    ///
    /// `d/β` clamped to [−1, 1]. The second derivative is `1/β` for `|d| ≤ β`, the bounds included, and 0 beyond.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) unless β is 0 or positive, and finite; else as [`mse`](Var::mse).
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, -3.0]));
    /// let loss = x.smooth_l1(0.0, 2.0, Reduction::None);
    /// assert_eq!(loss.value()?.to_vec(), [0.25, 2.0]);
    /// assert_eq!(loss.sum().backward()?.wrt(x)?.to_vec(), [0.5, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "smooth_l1_loss")]
    #[track_caller]
    pub fn smooth_l1(self, target: impl IntoVar<'t, T>, beta: f64, reduction: Reduction) -> Var<'t, T> {
        let target = target.into_var(self.tape());
        self.tape().composed("smooth_l1", || {
            demand(beta >= 0.0 && beta.is_finite(), "beta", beta, "a finite number, at least 0")?;
            alike(self, target)?;
            Ok(match beta {
                0.0 => self.compared(target, Absolute, reduction),
                _ => self.compared(target, Huber { delta: beta }, reduction) / beta,
            })
        })
    }

    /// A loss of two values of one shape.
    #[track_caller]
    fn compared<E: Elementwise2>(
        self,
        target: impl IntoVar<'t, T>,
        loss: E,
        reduction: Reduction,
    ) -> Var<'t, T> {
        let target = target.into_var(self.tape());
        self.tape().composed(E::NAME, || {
            alike(self, target)?;
            Ok(reduction.of(self.elementwise2(target, loss)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    /// A prediction and a target of one shape, or a target of rank 0.
    fn pairs(low: f64, high: f64) -> Inputs {
        shapes(
            &[&[&[], &[]], &[&[1], &[1]], &[&[7], &[]], &[&[65], &[65]], &[&[2, 3, 4], &[2, 3, 4]]],
            low,
            high,
        )
    }
    fn with_empty(low: f64, high: f64) -> Inputs {
        shapes(&[&[&[0], &[0]], &[&[2, 0], &[2, 0]], &[&[3, 4], &[3, 4]]], low, high)
    }
    vec![
        sample!("mse", pairs(-2.0, 2.0), |x| x[0].mse(x[1], Reduction::Mean)),
        sample!("mse sum", with_empty(-2.0, 2.0), |x| x[0].mse(x[1], Reduction::Sum)),
        sample!("mse terms", with_empty(-2.0, 2.0), |x| x[0].mse(x[1], Reduction::None)),
        sample!("mse of itself", pairs(-2.0, 2.0), |x| x[0].mse(x[0] * x[0] + x[1], Reduction::Mean)),
        // Targets out of reach of a tie.
        sample!("l1_loss", pairs(-1.0, 1.0), |x| x[0].l1_loss(x[1] + 3.0, Reduction::Mean)),
        sample!("l1_loss terms", with_empty(-1.0, 1.0), |x| x[0].l1_loss(x[1] - 3.0, Reduction::None)),
        sample!("huber inside", pairs(-1.0, 1.0), |x| x[0].huber(x[1], 2.5, Reduction::Mean)),
        sample!("huber outside", pairs(-1.0, 1.0), |x| x[0].huber(x[1] + 4.0, 1.5, Reduction::Mean)),
        sample!("huber", with_empty(-2.0, 2.0), |x| x[0].huber(0.0, 0.5, Reduction::Sum))
            .avoiding(&[-0.5, 0.5]),
        sample!("smooth_l1 inside", pairs(-1.0, 1.0), |x| x[0].smooth_l1(x[1], 2.5, Reduction::Mean)),
        sample!("smooth_l1 outside", pairs(-1.0, 1.0), |x| x[0].smooth_l1(x[1] + 4.0, 1.5, Reduction::None)),
        sample!("smooth_l1 0", pairs(-1.0, 1.0), |x| x[0].smooth_l1(x[1] + 3.0, 0.0, Reduction::Sum)),
        sample!("mse by the batch", pairs(-1.0, 1.0), |x| x[0].mse(x[1], Reduction::BatchMean)),
        wrong!(
            "mse",
            &[&[3, 1], &[3]],
            |x| x[0].mse(x[1], Reduction::Mean),
            "the target has shape [3], wanted [3, 1]"
        ),
        wrong!(
            "l1_loss",
            &[&[2], &[3]],
            |x| x[0].l1_loss(x[1], Reduction::Sum),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "huber",
            &[&[2], &[2]],
            |x| x[0].huber(x[1], 0.0, Reduction::Mean),
            "delta is 0, wanted a positive finite number"
        ),
        wrong!(
            "huber",
            &[&[4], &[2]],
            |x| x[0].huber(x[1], 1.0, Reduction::Mean),
            "the target has shape [2], wanted [4]"
        ),
        wrong!(
            "smooth_l1",
            &[&[2], &[2]],
            |x| x[0].smooth_l1(x[1], -0.5, Reduction::Mean),
            "beta is -0.5, wanted a finite number, at least 0"
        ),
        wrong!(
            "smooth_l1",
            &[&[4], &[2]],
            |x| x[0].smooth_l1(x[1], 1.0, Reduction::Mean),
            "the target has shape [2], wanted [4]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tape, Tensor};

    /// Value and the first three derivatives of one term at (x, t).
    fn orders(loss: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, x: f64) -> [f64; 4] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::scalar(x));
        let mut y = loss(x);
        std::array::from_fn(|order| {
            if order > 0 {
                [y] = tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap();
            }
            y.item().unwrap()
        })
    }

    #[test]
    fn kinks_have_the_values_documented() {
        assert_eq!(orders(|x| x.l1_loss(2.0, Reduction::None), 2.0), [0.0; 4]);
        assert_eq!(orders(|x| x.huber(0.0, 1.0, Reduction::None), 1.0), [0.5, 1.0, 1.0, 0.0]);
        assert_eq!(orders(|x| x.huber(0.0, 1.0, Reduction::None), -1.5), [1.0, -1.0, 0.0, 0.0]);
        assert!(orders(|x| x.huber(0.0, 1.0, Reduction::None), f64::NAN)[0].is_nan());
        let far = orders(|x| x.huber(0.0, 1.0, Reduction::None), f64::INFINITY);
        assert_eq!(far, [f64::INFINITY, 1.0, 0.0, 0.0]);
        assert_eq!(orders(|x| x.smooth_l1(0.0, 2.0, Reduction::None), 2.0), [1.0, 1.0, 0.5, 0.0]);
        assert_eq!(orders(|x| x.smooth_l1(0.0, 0.0, Reduction::None), -2.0), [2.0, -1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_mean_by_the_batch_divides_by_the_first_axis() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::ones([2, 3]).unwrap());
        assert_eq!(x.mse(3.0, Reduction::BatchMean).item().unwrap(), 12.0);
        assert_eq!(tape.scalar(1.0).mse(3.0, Reduction::BatchMean).item().unwrap(), 4.0);
    }

    #[test]
    fn the_mean_of_no_terms_is_nan_and_their_sum_0() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::zeros([0]).unwrap());
        assert!(x.mse(x, Reduction::Mean).item().unwrap().is_nan());
        assert_eq!(x.mse(x, Reduction::Sum).item().unwrap(), 0.0);
    }
}
