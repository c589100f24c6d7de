//! Mish, the smooth ramp gated by the hyperbolic tangent of softplus.

use super::elementwise::unary;
use super::guard::{Logistic, at_least, within};
use crate::number::Number;

unary! {
    /// `x tanh(ln(1 + eˣ))`, element by element; 0 at −∞.
    ///
    /// # Gradient
    ///
    /// With `p = σ(x)` and `m = σ(−x)` the gate is `p(1 + m)/(1 + m²) = 1 − 2m²/(1 + m²)`, and the derivative is the
    /// gate plus `4 x p m²/(1 + m²)²`, with relative accuracy in the tails; 0 at −∞, 1 at ∞.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 1e4]));
    /// assert_eq!(x.mish().value()?.to_vec(), [0.0, 0.0, 1e4]);
    /// assert_eq!(x.mish().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.6, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Mish mish |x, y| value(at_least(x, -800.0)), derivative(within(x, 800.0)); unary(-4.0, 4.0);
}

/// `tanh ln(1 + e) = ((1 + e)² − 1)/((1 + e)² + 1)` over `(1 + e)²`, with `1/(1 + e) = m`: nothing overflows.
#[inline(always)]
fn value<N: Number>(x: N) -> N {
    let (l, one) = (Logistic::at(x), x.lit(1.0));
    (x * (l.p * (one + l.m) / (one + l.m * l.m))) * l.left
}

/// Either form of the gate is exact; on its side of 0 neither it nor its derivatives cancel.
#[inline(always)]
fn derivative<N: Number>(x: N) -> N {
    let (l, one) = (Logistic::at(x), x.lit(1.0));
    // m itself: its factor is that of p·m, without that of p.
    let m = N::select(x.greater(x.lit(0.0)), l.m * l.both, l.m);
    let d = one + m * m;
    let on_left = l.p * (one + m) / d * l.left;
    let on_right = one - (m + m) * m / d;
    let gate = N::select(x.greater(x.lit(0.0)), on_right, on_left);
    gate + ((x * l.p * x.lit(4.0) * m) * m / (d * d)) * l.left
}
