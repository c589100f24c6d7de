//! What the hyperbolic tangent takes away.

use super::elementwise::unary;

unary! {
    /// `x − tanh x`, element by element, with relative accuracy near 0, where it is x³/3.
    ///
    /// # Gradient
    ///
    /// `tanh² x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1e-8_f64));
    /// assert!((x.tanhshrink().item()? / (1e-24 / 3.0) - 1.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Tanhshrink tanhshrink |x, y| x.tanhshrink(), x.tanh().square(); unary(-3.0, 3.0);
}
