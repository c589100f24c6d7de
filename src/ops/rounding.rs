//! Sign, floor, ceil and round: steps, whose derivative is 0 wherever there is one.

use super::elementwise::unary;

unary! {
    /// −1, 0 or 1 by the sign of each element; NaN for NaN.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the step.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0]));
    /// assert_eq!(x.sign().value()?.to_vec(), [-1.0, 0.0, 1.0]);
    /// assert_eq!(x.sign().sum().backward()?.wrt(x)?.to_vec(), [0.0; 3]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "sgn")]
    Sign sign |x, y| x.sign(), x.lit(0.0); unary(-3.0, 3.0).avoid(&[0.0]);
    /// The largest integer not above each element.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the steps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.5, 2.0]));
    /// assert_eq!(x.floor().value()?.to_vec(), [-2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Floor floor |x, y| x.floor(), x.lit(0.0); unary(0.1, 0.9);
    /// The smallest integer not below each element.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the steps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.5, 2.0]));
    /// assert_eq!(x.ceil().value()?.to_vec(), [-1.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Ceil ceil |x, y| x.ceil(), x.lit(0.0); unary(-1.9, -1.1);
    /// The nearest integer to each element, halves to the even one.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the steps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.5, 1.5, -2.4]));
    /// assert_eq!(x.round().value()?.to_vec(), [0.0, 2.0, -2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Round round |x, y| x.round(), x.lit(0.0); unary(0.6, 1.4);
}
