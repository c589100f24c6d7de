//! Trigonometric functions and their inverses, in radians.

use super::elementwise::unary;
use crate::number::Number;

unary! {
    /// The sine, element by element.
    ///
    /// # Gradient
    ///
    /// `cos x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!(x.sin().backward()?.wrt(x)?.item()?, 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Sin sin |x, y| x.sin(), x.cos(); unary(-3.0, 3.0), of an angle: true;
    /// The cosine, element by element.
    ///
    /// # Gradient
    ///
    /// `−sin x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.0_f64));
    /// assert!((x.cos().backward()?.wrt(x)?.item()? + 1f64.sin()).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Cos cos |x, y| x.cos(), -x.sin(); unary(-3.0, 3.0), of an angle: true;
    /// The tangent, element by element.
    ///
    /// # Gradient
    ///
    /// `1 + tan² x`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(std::f64::consts::FRAC_PI_4));
    /// assert!((x.tan().backward()?.wrt(x)?.item()? - 2.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Tan tan |x, y| x.tan(), y * y + y.lit(1.0); unary(-1.0, 1.0), of an angle: true;
    /// The angle in [−π/2, π/2] whose sine is x, element by element; NaN outside [−1, 1].
    ///
    /// # Gradient
    ///
    /// `1/√(1 − x²)`; ∞ at ±1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.6_f64));
    /// assert!((x.asin().backward()?.wrt(x)?.item()? - 1.25).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arcsin")]
    Asin asin |x, y| x.asin(), inverse_sine(x); unary(-0.8, 0.8);
    /// The angle in [0, π] whose cosine is x, element by element; NaN outside [−1, 1].
    ///
    /// # Gradient
    ///
    /// `−1/√(1 − x²)`; −∞ at ±1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(0.6_f64));
    /// assert!((x.acos().backward()?.wrt(x)?.item()? + 1.25).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arccos")]
    Acos acos |x, y| x.acos(), -inverse_sine(x); unary(-0.8, 0.8);
    /// The angle in (−π/2, π/2) whose tangent is x, element by element.
    ///
    /// # Gradient
    ///
    /// `1/(1 + x²)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(2.0_f64));
    /// assert!((x.atan().backward()?.wrt(x)?.item()? - 0.2).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "arctan")]
    Atan atan |x, y| x.atan(), lorentz(x); unary(-3.0, 3.0);
}

/// 1/√(1 − x²), factored under the root so that nothing cancels near ±1: a product of two roots has ∞ − ∞ for its own
/// derivative there.
#[inline(always)]
fn inverse_sine<N: Number>(x: N) -> N {
    let one = x.lit(1.0);
    ((one - x) * (one + x)).rsqrt()
}

/// 1/(1 + x²), past 1 as r²/(1 + r²) with r = 1/x, which is finite at every order where x² overflows.
#[inline(always)]
fn lorentz<N: Number>(x: N) -> N {
    let one = x.lit(1.0);
    let far = x.abs().greater(one);
    let r = N::select(far, x, one).recip();
    let near = N::select(far, one, x);
    let u = N::select(far, r, near).square();
    N::select(far, u, one) / (one + u)
}
