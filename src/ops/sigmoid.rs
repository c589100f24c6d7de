//! The logistic function.

use super::elementwise::unary;

unary! {
    /// The logistic function `σ(x) = 1/(1 + e⁻ˣ)`, element by element.
    ///
    /// # Gradient
    ///
    /// `σ(x) σ(−x)`, with relative accuracy in both tails, where `y (1 − y)` cancels to nothing.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 40.0]));
    /// assert_eq!(x.sigmoid().value()?.to_vec(), [0.5, 1.0]);
    /// let g = x.sigmoid().sum().backward()?.wrt(x)?.clone();
    /// assert_eq!(g[[0]], 0.25);
    /// assert!((g[[1]] / (-40f64).exp() - 1.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expit")]
    #[doc(alias = "logistic")]
    Sigmoid sigmoid |x, y| x.sigmoid(), y * (-x).sigmoid(); unary(-4.0, 4.0);
}
