//! The logarithm of the logistic function.

use super::elementwise::unary;

unary! {
    /// `ln σ(x) = −ln(1 + e⁻ˣ)`, element by element, with relative accuracy in both tails.
    ///
    /// # Gradient
    ///
    /// `σ(−x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1e4, 0.0, 1e4]));
    /// assert_eq!(x.log_sigmoid().value()?.to_vec(), [-1e4, -(2f64.ln()), 0.0]);
    /// assert_eq!(x.log_sigmoid().sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    LogSigmoid log_sigmoid |x, y| -(-x).softplus(), (-x).sigmoid(); unary(-4.0, 4.0);
}
