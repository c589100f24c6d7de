//! Squares, reciprocals and roots.

use super::elementwise::unary;

unary! {
    /// The reciprocal `1/x`, element by element.
    ///
    /// # Gradient
    ///
    /// `−1/x²`; −∞ at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(4.0_f64));
    /// assert_eq!(x.recip().item()?, 0.25);
    /// assert_eq!(x.recip().backward()?.wrt(x)?.item()?, -0.0625);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "reciprocal")]
    Recip recip |x, y| x.recip(), -(y * y); unary(0.5, 3.0);
    /// The square `x²`, element by element.
    ///
    /// # Gradient
    ///
    /// `2x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(-3.0_f64));
    /// assert_eq!(x.square().item()?, 9.0);
    /// assert_eq!(x.square().backward()?.wrt(x)?.item()?, -6.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Square square |x, y| x.square(), x + x; unary(-3.0, 3.0);
    /// The square root, element by element; NaN below 0.
    ///
    /// # Gradient
    ///
    /// `1/(2√x)`; ∞ at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([4.0, 0.0]));
    /// assert_eq!(x.sqrt().value()?.to_vec(), [2.0, 0.0]);
    /// assert_eq!(x.sqrt().sum().backward()?.wrt(x)?.to_vec(), [0.25, f64::INFINITY]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Sqrt sqrt |x, y| x.sqrt(), x.lit(0.5) / y; unary(0.5, 3.0);
    /// The reciprocal square root `1/√x`, element by element; ∞ at 0, NaN below.
    ///
    /// # Gradient
    ///
    /// `−1/(2 x √x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(4.0_f64));
    /// assert_eq!(x.rsqrt().item()?, 0.5);
    /// assert_eq!(x.rsqrt().backward()?.wrt(x)?.item()?, -0.0625);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Rsqrt rsqrt |x, y| x.rsqrt(), (y / x).scale(-0.5); unary(0.5, 3.0);
    /// The real cube root, element by element.
    ///
    /// # Gradient
    ///
    /// `1/(3 ∛x²)`; ∞ at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(-8.0_f64));
    /// assert_eq!(x.cbrt().item()?, -2.0);
    /// assert!((x.cbrt().backward()?.wrt(x)?.item()? - 1.0 / 12.0).abs() < 1e-16);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Cbrt cbrt |x, y| x.cbrt(), y.recip().square().scale(1.0 / 3.0); unary(0.5, 3.0);
}
