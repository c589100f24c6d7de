//! Exponentials and logarithms.

use super::elementwise::unary;
use std::f64::consts::{LN_2, LN_10};

unary! {
    /// The exponential function `eˣ`, element by element.
    ///
    /// # Gradient
    ///
    /// `eˣ`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = x.exp();
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), y.value()?.to_vec());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Exp exp |x, y| x.exp(), y; unary(-3.0, 3.0);
    /// `eˣ − 1`, element by element, accurate near 0.
    ///
    /// # Gradient
    ///
    /// `eˣ`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1e-20));
    /// assert_eq!(x.exp_m1().item()?, 1e-20);
    /// assert_eq!(x.exp_m1().backward()?.wrt(x)?.item()?, 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expm1")]
    ExpM1 exp_m1 |x, y| x.exp_m1(), x.exp(); unary(-3.0, 3.0);
    /// The natural logarithm, element by element; −∞ at 0, NaN below.
    ///
    /// # Gradient
    ///
    /// `1/x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 0.0]));
    /// assert_eq!(x.ln().value()?.to_vec(), [0.0, f64::NEG_INFINITY]);
    /// assert_eq!(x.ln().sum().backward()?.wrt(x)?.to_vec(), [1.0, f64::INFINITY]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "log")]
    Ln ln |x, y| x.ln(), x.recip(); unary(0.5, 3.0);
    /// `ln(1 + x)`, element by element, accurate near 0; NaN below −1.
    ///
    /// # Gradient
    ///
    /// `1/(1 + x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1e-20));
    /// assert_eq!(x.ln_1p().item()?, 1e-20);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "log1p")]
    Ln1p ln_1p |x, y| x.ln_1p(), (x + x.lit(1.0)).recip(); unary(-0.5, 3.0);
    /// The logarithm to base 2, element by element.
    ///
    /// # Gradient
    ///
    /// `1/(x ln 2)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// assert_eq!(tape.var(&Tensor::scalar(8.0)).log2().item()?, 3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Log2 log2 |x, y| x.log2(), x.recip().scale(1.0 / LN_2); unary(0.5, 3.0);
    /// The logarithm to base 10, element by element.
    ///
    /// # Gradient
    ///
    /// `1/(x ln 10)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// assert_eq!(tape.var(&Tensor::scalar(1000.0)).log10().item()?, 3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Log10 log10 |x, y| x.log10(), x.recip().scale(1.0 / LN_10); unary(0.5, 3.0);
}
