//! The function that changes nothing.

use super::elementwise::unary;
use super::guard::nan_of;

unary! {
    /// The argument itself: the activation of a layer that has none.
    ///
    /// # Gradient
    ///
    /// 1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 2.0]));
    /// assert_eq!(x.identity().value()?.to_vec(), [-1.0, 2.0]);
    /// assert_eq!(x.identity().sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "linear")]
    Identity identity |x, y| x, x.lit(1.0) + nan_of(x); unary(-3.0, 3.0);
}
