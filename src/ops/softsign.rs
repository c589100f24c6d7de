//! The ratio that saturates slowly.

use super::elementwise::unary;
use super::guard::within;

unary! {
    /// `x/(1 + |x|)`, element by element; ±1 at ±∞.
    ///
    /// # Gradient
    ///
    /// `1/(1 + |x|)²`, which has a bend at 0: the second derivative there is 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, f64::INFINITY]));
    /// assert_eq!(x.softsign().value()?.to_vec(), [-0.5, 0.0, 1.0]);
    /// assert_eq!(x.softsign().sum().backward()?.wrt(x)?.to_vec(), [0.25, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Softsign softsign |x, y| {
        // The quotient has long been ±1 at the bound.
        let x = within(x, 1e30);
        x / (x.abs() + x.lit(1.0))
    }, (x.lit(1.0) / (x.abs() + x.lit(1.0))).square(); unary(-3.0, 3.0).avoid(&[0.0]);
}
