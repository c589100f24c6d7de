//! The absolute value.

use super::elementwise::unary;

unary! {
    /// The absolute value `|x|`, element by element.
    ///
    /// # Gradient
    ///
    /// `sign x`; 0 at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0]));
    /// assert_eq!(x.abs().value()?.to_vec(), [2.0, 0.0, 3.0]);
    /// assert_eq!(x.abs().sum().backward()?.wrt(x)?.to_vec(), [-1.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Abs abs |x, y| x.abs(), x.sign(); unary(-3.0, 3.0).avoid(&[0.0]);
}
