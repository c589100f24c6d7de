//! The sigmoid linear unit.

use super::elementwise::unary;
use super::guard::{Logistic, at_least, within};
use crate::number::Number;

unary! {
    /// `x σ(x)` with the logistic function `σ`, element by element; 0 at −∞.
    ///
    /// # Gradient
    ///
    /// `σ(x) + x σ(x) σ(−x)`, with relative accuracy in the tails down to the least number there is; 0 at −∞, 1 at ∞.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 1e4]));
    /// assert_eq!(x.silu().value()?.to_vec(), [0.0, 0.0, 1e4]);
    /// assert_eq!(x.silu().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "swish")]
    Silu silu |x, y| value(at_least(x, -800.0)), derivative(within(x, 800.0)); unary(-4.0, 4.0);
}

#[inline(always)]
fn value<N: Number>(x: N) -> N {
    let l = Logistic::at(x);
    (x * l.p) * l.left
}

#[inline(always)]
fn derivative<N: Number>(x: N) -> N {
    let l = Logistic::at(x);
    l.value(x) + (x * l.p * l.m) * l.both
}
