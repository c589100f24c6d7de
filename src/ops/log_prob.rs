//! Logarithms of densities: of laws with a place and a width, and of the exponential and the uniform law.

mod discrete;
mod laws;
mod special;

use super::{Elementwise2, ElementwiseN, compiled2};
use crate::error::ErrorKind;
use crate::number::{Number, Real};
use crate::shape::broadcast;
use crate::tape::{IntoVar, Var};

/// ½ ln 2π.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// The logarithm of a density of `z = (x − loc)/scale`, less that of the scale: one loop forward, one backward.
macro_rules! located {
    ($($(#[$doc:meta])* $law:ident $name:literal |$z:ident| $density:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $law;

        impl ElementwiseN<3> for $law {
            const NAME: &'static str = $name;
            #[inline(always)]
            fn f<N: Number>(self, [x, loc, scale]: [N; 3]) -> N {
                let $z = (x - loc) / scale;
                $density - scale.ln()
            }
        }
    )*};
}
located! {
    /// −z²/2 − ½ ln 2π.
    Normal "normal_log_prob" |z| z.square().scale(-0.5) - z.lit(HALF_LN_TAU);
    /// −|z| − ln 2.
    Laplace "laplace_log_prob" |z| -z.abs() - z.lit(std::f64::consts::LN_2);
    /// −ln π(1 + z²), without the square, which overflows.
    Cauchy "cauchy_log_prob" |z| z.hypot(z.lit(1.0)).ln().scale(-2.0) - z.lit(LN_PI);
    /// ln σ(z) σ(−z).
    Logistic "logistic_log_prob" |z| -z.softplus() - (-z).softplus();
    /// −z − e^−z.
    Gumbel "gumbel_log_prob" |z| -z - (-z).exp();
}

/// ln π.
const LN_PI: f64 = 1.144_729_885_849_400_2;

/// ln r − r x; −∞ below 0.
#[derive(Clone, Copy)]
struct Exponential;

impl Elementwise2 for Exponential {
    const NAME: &'static str = "exponential_log_prob";
    #[inline(always)]
    fn f<N: Number>(self, x: N, rate: N) -> N {
        N::select(x.less(x.lit(0.0)), x.lit(f64::NEG_INFINITY), rate.ln() - rate * x)
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, rate: N, _y: N) -> (N, N) {
        let (zero, outside) = (x.lit(0.0), x.less(x.lit(0.0)));
        (N::select(outside, zero, -rate), N::select(outside, zero, rate.recip() - x))
    }
    compiled2!(Exponential);
}

/// −ln(high − low); −∞ outside.
#[derive(Clone, Copy)]
struct Uniform;

impl ElementwiseN<3> for Uniform {
    const NAME: &'static str = "uniform_log_prob";
    #[inline(always)]
    fn f<N: Number>(self, [x, low, high]: [N; 3]) -> N {
        let outside = x.less(low) | high.less(x);
        // Added, so that a NaN is not taken for something inside.
        N::select(outside, x.lit(f64::NEG_INFINITY), x * x.lit(0.0) - (high - low).ln())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The logarithm of the normal law's density, `−z²/2 − ln scale − ½ ln 2π` with `z = (x − loc)/scale`, element by
    /// element.
    ///
    /// Parameters are variables, tensors or numbers; all shapes broadcast. NaN for a negative scale.
    ///
    /// # Gradient
    ///
    /// `−z/scale` to x, `z/scale` to `loc`, `(z² − 1)/scale` to `scale`; in one pass.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.normal_log_prob(0.5, 2.0);
    /// assert!((y.item()? - (-1.737085713764618)).abs() < 1e-15);
    /// assert_eq!(y.backward()?.wrt(x)?.item()?, -0.25);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn normal_log_prob(self, loc: impl IntoVar<'t, T>, scale: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Normal, [self, loc.into_var(tape), scale.into_var(tape)])
    }

    /// The logarithm of the density of a normal law of several numbers that are independent: the sum over the last axis of
    /// [`normal_log_prob`](Var::normal_log_prob).
    ///
    /// # Gradient
    ///
    /// As [`normal_log_prob`](Var::normal_log_prob).
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast); [`Rank`](ErrorKind::Rank) if nothing has an axis.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.diagonal_normal_log_prob(&Tensor::from([1.0, 1.0]), 1.0);
    /// assert!((y.item()? + 0.5 + (2.0 * std::f64::consts::PI).ln()).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal_normal_log_prob(
        self,
        loc: impl IntoVar<'t, T>,
        scale: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let tape = self.tape();
        let (loc, scale) = (loc.into_var(tape), scale.into_var(tape));
        tape.composed("diagonal_normal_log_prob", || {
            let shape = broadcast(&self.try_shape()?, &broadcast(&loc.try_shape()?, &scale.try_shape()?)?)?;
            if shape.is_empty() {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            }
            Ok(self.normal_log_prob(loc, scale).sum_axes(-1))
        })
    }

    /// The logarithm of the Laplace law's density, `−|x − loc|/scale − ln 2 scale`, element by element; shapes broadcast.
    ///
    /// # Gradient
    ///
    /// `∓1/scale` to x, 0 at `x = loc`; `(|z| − 1)/scale` to `scale`; in one pass.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.laplace_log_prob(0.5, 2.0);
    /// assert!((y.item()? - (-1.8862943611198906)).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn laplace_log_prob(self, loc: impl IntoVar<'t, T>, scale: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Laplace, [self, loc.into_var(tape), scale.into_var(tape)])
    }

    /// The logarithm of the Cauchy law's density, `−ln(π scale (1 + z²))` with `z = (x − loc)/scale`, element by element;
    /// shapes broadcast.
    ///
    /// # Gradient
    ///
    /// To x and both parameters, in one pass; also where z² overflows.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.cauchy_log_prob(0.5, 2.0);
    /// assert!((y.item()? - (-2.061020617723556)).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cauchy_log_prob(self, loc: impl IntoVar<'t, T>, scale: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Cauchy, [self, loc.into_var(tape), scale.into_var(tape)])
    }

    /// The logarithm of the logistic law's density, `ln σ(z) + ln σ(−z) − ln scale` with `z = (x − loc)/scale`, element by
    /// element; shapes broadcast.
    ///
    /// # Gradient
    ///
    /// To x and both parameters, in one pass.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.logistic_log_prob(0.5, 2.0);
    /// assert!((y.item()? - (-2.141_301_148_920_158_8)).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logistic_log_prob(self, loc: impl IntoVar<'t, T>, scale: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Logistic, [self, loc.into_var(tape), scale.into_var(tape)])
    }

    /// The logarithm of the Gumbel law's density, `−z − e^−z − ln scale` with `z = (x − loc)/scale`, element by element;
    /// shapes broadcast.
    ///
    /// # Gradient
    ///
    /// To x and both parameters, in one pass.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.gumbel_log_prob(0.5, 2.0);
    /// assert!((y.item()? - (-1.7996778402725789)).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gumbel_log_prob(self, loc: impl IntoVar<'t, T>, scale: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Gumbel, [self, loc.into_var(tape), scale.into_var(tape)])
    }

    /// The logarithm of the uniform law's density, `−ln(high − low)` from `low` to `high`, −∞ outside, element by element;
    /// shapes broadcast.
    ///
    /// # Gradient
    ///
    /// `1/(high − low)` to `low`, the same with the other sign to `high`; 0 outside and to x.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.constant(&Tensor::from([0.5, 3.0]));
    /// let high = tape.var(&Tensor::scalar(2.0));
    /// let y = x.uniform_log_prob(0.0, high);
    /// assert_eq!(y.value()?.to_vec(), [-2f64.ln(), f64::NEG_INFINITY]);
    /// assert_eq!(y.sum().backward()?.wrt(high)?.item()?, -0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn uniform_log_prob(self, low: impl IntoVar<'t, T>, high: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        tape.elementwise_n(Uniform, [self, low.into_var(tape), high.into_var(tape)])
    }

    /// The logarithm of the exponential law's density, `ln rate − rate·x` for `x ≥ 0`, −∞ below, element by element; shapes
    /// broadcast.
    ///
    /// # Gradient
    ///
    /// `−rate` to x, `1/rate − x` to the rate; 0 below 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.5_f64));
    /// let y = x.exponential_log_prob(2.0);
    /// assert!((y.item()? - (-2.3068528194400546)).abs() < 1e-15);
    /// assert_eq!(y.backward()?.wrt(x)?.item()?, -2.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn exponential_log_prob(self, rate: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.elementwise2(rate.into_var(self.tape()), Exponential)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    /// A number, a place, and a width that is not close to 0.
    fn triples() -> Inputs {
        shapes(
            &[
                &[&[], &[], &[]],
                &[&[2, 3], &[3], &[2, 1]],
                &[&[7], &[7], &[7]],
                &[&[], &[2], &[]],
                &[&[0], &[], &[1]],
            ],
            0.5,
            1.5,
        )
    }
    let pairs = || shapes(&[&[&[], &[]], &[&[2, 3], &[3]], &[&[65], &[65]], &[&[0], &[]]], 0.5, 1.5);
    let mut samples = vec![
        sample!("normal_log_prob", triples(), |x| x[0].normal_log_prob(x[1], x[2])),
        sample!("normal_log_prob of a number's law", pairs(), |x| x[0].normal_log_prob(0.5, x[1])),
        sample!(
            "diagonal_normal_log_prob",
            shapes(&[&[&[2, 3], &[3], &[3]], &[&[3], &[2, 3], &[1]], &[&[2, 0], &[], &[]]], 0.5, 1.5),
            |x| { x[0].diagonal_normal_log_prob(x[1], x[2]) }
        ),
        // Places that no number is near.
        sample!("laplace_log_prob above", triples(), |x| x[0].laplace_log_prob(x[1] - 2.0, x[2])),
        sample!("laplace_log_prob below", triples(), |x| x[0].laplace_log_prob(x[1] + 2.0, x[2])),
        sample!("cauchy_log_prob", triples(), |x| x[0].cauchy_log_prob(x[1], x[2])),
        sample!("logistic_log_prob", triples(), |x| x[0].logistic_log_prob(x[1], x[2])),
        sample!("gumbel_log_prob", triples(), |x| x[0].gumbel_log_prob(x[1], x[2])),
        sample!("uniform_log_prob", triples(), |x| x[0].uniform_log_prob(x[1] - 2.0, x[2] + 2.0)),
        sample!("exponential_log_prob", pairs(), |x| x[0].exponential_log_prob(x[1])),
        wrong!(
            "normal_log_prob",
            &[&[2], &[3]],
            |x| x[0].normal_log_prob(x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "diagonal_normal_log_prob",
            &[&[2], &[3]],
            |x| x[0].diagonal_normal_log_prob(x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "diagonal_normal_log_prob",
            &[&[]],
            |x| x[0].diagonal_normal_log_prob(0.0, 1.0),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!(
            "exponential_log_prob",
            &[&[2], &[3]],
            |x| x[0].exponential_log_prob(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
    ];
    samples.extend(discrete::samples());
    samples.extend(special::samples());
    samples
}

#[cfg(test)]
mod tests;
