//! Hyperbolic functions and their inverses; the tangent has a file of its own.

use super::elementwise::unary;
use crate::number::Number;

unary! {
    /// The hyperbolic sine, element by element.
    ///
    /// # Gradient
    ///
    /// `cosh x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!(x.sinh().backward()?.wrt(x)?.item()?, 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Sinh sinh |x, y| x.sinh(), x.cosh(); unary(-3.0, 3.0);
    /// The hyperbolic cosine, element by element.
    ///
    /// # Gradient
    ///
    /// `sinh x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!((x.cosh().item()?, x.cosh().backward()?.wrt(x)?.item()?), (1.0, 0.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Cosh cosh |x, y| x.cosh(), x.sinh(); unary(-3.0, 3.0);
    /// The inverse hyperbolic sine, element by element.
    ///
    /// # Gradient
    ///
    /// `1/√(1 + x²)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.75_f64));
    /// assert!((x.asinh().backward()?.wrt(x)?.item()? - 0.8).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arcsinh")]
    Asinh asinh |x, y| x.asinh(), inverse_cosh(x); unary(-3.0, 3.0);
    /// The inverse hyperbolic cosine, element by element; NaN below 1.
    ///
    /// # Gradient
    ///
    /// `1/√(x² − 1)`; ∞ at 1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.25_f64));
    /// assert!((x.acosh().backward()?.wrt(x)?.item()? - 4.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arccosh")]
    Acosh acosh |x, y| x.acosh(), (x - x.lit(1.0)).rsqrt() * (x + x.lit(1.0)).rsqrt(); unary(1.5, 4.0);
    /// The inverse hyperbolic tangent, element by element; ±∞ at ±1, NaN beyond.
    ///
    /// # Gradient
    ///
    /// `1/(1 − x²)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.5_f64));
    /// assert!((x.atanh().backward()?.wrt(x)?.item()? - 4.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arctanh")]
    Atanh atanh |x, y| x.atanh(), ((x.lit(1.0) - x) * (x.lit(1.0) + x)).recip(); unary(-0.8, 0.8);
}

/// 1/√(1 + x²), past 1 as |r|/√(1 + r²) with r = 1/x, which is finite at every order where x² overflows.
#[inline(always)]
fn inverse_cosh<N: Number>(x: N) -> N {
    let one = x.lit(1.0);
    let far = x.abs().greater(one);
    let r = N::select(far, x, one).recip();
    let near = N::select(far, one, x);
    let u = N::select(far, r, near);
    N::select(far, r.abs(), one) * (one + u.square()).rsqrt()
}
