//! Logarithms of the probabilities of yes and no, and of classes.

use crate::number::{Number, Real};
use crate::ops::{Elementwise2, Reduction, compiled2};
use crate::shape::broadcast;
use crate::tape::{IntoVar, Var};
use crate::tensor::Tensor;

/// x ln p + (1 − x) ln(1 − p), with 0 · ln 0 = 0.
#[derive(Clone, Copy)]
struct Bernoulli;

impl Elementwise2 for Bernoulli {
    const NAME: &'static str = "bernoulli_log_prob";
    #[inline(always)]
    fn f<N: Number>(self, x: N, p: N) -> N {
        let (zero, one) = (x.lit(0.0), x.lit(1.0));
        let yes = x * N::select(x.equal(zero), one, p).ln();
        let no = (one - x) * (-N::select(x.equal(one), zero, p)).ln_1p();
        yes + no
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, p: N, _y: N) -> (N, N) {
        let (zero, one) = (x.lit(0.0), x.lit(1.0));
        let (is_no, is_yes) = (x.equal(zero), x.equal(one));
        let yes = x / N::select(is_no, one, p);
        let no = (one - x) / (one - N::select(is_yes, zero, p));
        (p.ln() - (-p).ln_1p(), yes - no)
    }
    compiled2!(Bernoulli);
}

impl<'t, T: Real> Var<'t, T> {
    /// The logarithm of the probability of this, 1 or 0, under the Bernoulli law: `x ln p + (1 − x) ln(1 − p)`, element
    /// by element; shapes broadcast. 0 where an outcome is certain and comes, −∞ where it is certain and does not.
    ///
    /// # Gradient
    ///
    /// `x/p − (1 − x)/(1 − p)` to p, without the part whose outcome did not come; `ln p − ln(1 − p)` to x.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.constant(&Tensor::from([1.0, 0.0, 1.0]));
    /// let p = tape.var(&Tensor::from([0.25, 0.25, 1.0]));
    /// let y = x.bernoulli_log_prob(p);
    /// assert_eq!(y.value()?.to_vec(), [0.25f64.ln(), 0.75f64.ln(), 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(p)?.to_vec(), [4.0, -1.0 / 0.75, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli_log_prob(self, p: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.elementwise2(p.into_var(self.tape()), Bernoulli)
    }

    /// The logarithm of the probability of this, 1 or 0, under the Bernoulli law with `p = σ(logits)`, element by element;
    /// shapes broadcast. Right for logits of any size.
    ///
    /// # Gradient
    ///
    /// `x − σ(logits)` to the logits, the logits to x.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.constant(&Tensor::from([1.0, 0.0]));
    /// let logits = tape.var(&Tensor::from([0.0, 1e4]));
    /// let y = x.bernoulli_logits_log_prob(logits);
    /// assert_eq!(y.value()?.to_vec(), [-2f64.ln(), -1e4]);
    /// assert_eq!(y.sum().backward()?.wrt(logits)?.to_vec(), [0.5, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli_logits_log_prob(self, logits: impl IntoVar<'t, T>) -> Var<'t, T> {
        let logits = logits.into_var(self.tape());
        self.tape().composed("bernoulli_logits_log_prob", || {
            let shape = broadcast(&self.try_shape()?, &logits.try_shape()?)?;
            let (x, logits) = (self.expand(&shape), logits.expand(&shape));
            Ok(-logits.binary_cross_entropy_with_logits(x, Reduction::None))
        })
    }

    /// The logarithm of the probability of a class for each row of these logits along the last axis,
    /// `log_softmax(x)[class]`: of `[.., classes]` and indices `[..]`.
    ///
    /// # Gradient
    ///
    /// `onehot(class) − softmax(x)`.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless the indices have the logits' shape without the last axis;
    /// [`Index`](crate::ErrorKind::Index) for an index that is no class; [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let logits = tape.var(&Tensor::from([[0.0, 0.0], [0.0, 1e4]]));
    /// let y = logits.categorical_log_prob(&Tensor::from([1, 0]));
    /// assert_eq!(y.value()?.to_vec(), [-2f64.ln(), -1e4]);
    /// assert_eq!(y.sum().backward()?.wrt(logits)?.to_vec(), [-0.5, 0.5, 1.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn categorical_log_prob(self, classes: &Tensor<i64>) -> Var<'t, T> {
        self.tape().composed("categorical_log_prob", || Ok(-self.cross_entropy(classes, Reduction::None)))
    }

    /// The entropy of the probabilities which these logits have along the last axis, `−Σ p ln p` with `p = softmax(x)`: of
    /// `[.., classes]` it is `[..]`. 0 ln 0 is 0, so that logits of −∞ count for nothing.
    ///
    /// # Gradient
    ///
    /// `−p (ln p + H)`, with H the entropy.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for a single number.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let logits = tape.var(&Tensor::from([[0.0, 0.0], [0.0, f64::NEG_INFINITY]]));
    /// let y = logits.categorical_entropy();
    /// assert_eq!(y.value()?.to_vec(), [2f64.ln(), 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(logits)?.to_vec(), [0.0; 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "softmax_entropy")]
    #[track_caller]
    pub fn categorical_entropy(self) -> Var<'t, T> {
        self.tape().composed("categorical_entropy", || {
            let (p, ln) = (self.softmax(-1), self.log_softmax(-1));
            let ln = Var::where_(p.eq(0.0), p.constant(0.0), ln);
            Ok(-(p * ln).sum_axes(-1))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let pairs = || {
        shapes(&[&[&[], &[]], &[&[2, 3], &[3]], &[&[65], &[65]], &[&[3], &[2, 1]], &[&[0], &[]]], 0.2, 0.8)
    };
    vec![
        sample!("bernoulli_log_prob", pairs(), |x| x[0].bernoulli_log_prob(x[1])),
        sample!("bernoulli_log_prob of yes", pairs(), |x| (x[0] * 0.0 + 1.0).bernoulli_log_prob(x[1])),
        sample!("bernoulli_log_prob of no", pairs(), |x| (x[0] * 0.0).bernoulli_log_prob(x[1])),
        sample!("bernoulli_logits_log_prob", pairs(), |x| x[0].bernoulli_logits_log_prob(x[1] * 8.0 - 4.0)),
        sample!("categorical_log_prob", shapes(&[&[&[3, 4]]], -2.0, 2.0), |x| {
            x[0].categorical_log_prob(&Tensor::from([3, 0, 1]))
        }),
        sample!("categorical_entropy", shapes(&[&[&[3]], &[&[2, 4]], &[&[0, 2]]], -2.0, 2.0), |x| {
            x[0].cumsum(-1).categorical_entropy()
        }),
        wrong!("softmax", &[&[]], |x| x[0].categorical_entropy(), "axis -1 is out of range for shape []"),
        wrong!(
            "bernoulli_log_prob",
            &[&[2], &[3]],
            |x| x[0].bernoulli_log_prob(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "bernoulli_logits_log_prob",
            &[&[2], &[3]],
            |x| x[0].bernoulli_logits_log_prob(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].categorical_log_prob(&Tensor::from([0, 3])),
            "index 3 is out of range for axis 1 of size 3"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn certain_outcomes_have_finite_derivatives_where_they_come() {
        let tape = Tape::<f64>::new();
        let x = tape.constant(&Tensor::from([0.0, 1.0, 0.0, 1.0]));
        let p = tape.var(&Tensor::from([0.0, 1.0, 1.0, 0.0]));
        let y = x.bernoulli_log_prob(p);
        let inf = f64::INFINITY;
        assert_eq!(y.value().unwrap().to_vec(), [0.0, 0.0, -inf, -inf]);
        assert_eq!(y.sum().backward().unwrap().wrt(p).unwrap().to_vec(), [-1.0, 1.0, -inf, inf]);
        let nan = tape.var(&Tensor::scalar(f64::NAN));
        assert!(nan.bernoulli_log_prob(0.5).item().unwrap().is_nan());
        assert!(tape.scalar(1.0).bernoulli_log_prob(nan).item().unwrap().is_nan());
    }
}
