//! Guards for element-wise functions: arguments made harmless before a branch, NaNs kept, tails without underflow.

use crate::number::Number;

/// 0, but NaN where x is, at every order up to the fourth: what a piecewise constant derivative adds so as not to
/// hide a NaN. A cube, because a NaN times 1 is all that the derivative of a mere choice would keep.
#[inline(always)]
pub(super) fn nan_of<N: Number>(x: N) -> N {
    let c = N::select(x.is_nan(), x, x.lit(0.0));
    c * c * c
}

/// x, but no less than `bound`; NaN stays.
#[inline(always)]
pub(super) fn at_least<N: Number>(x: N, bound: f64) -> N {
    let low = x.lit(bound);
    N::select(x.less(low), low, x)
}

/// x cut to ±bound; NaN stays. Beyond the bound the derivative is 0, so a factor that has long been 0 there is
/// never multiplied by an infinity.
#[inline(always)]
pub(super) fn within<N: Number>(x: N, bound: f64) -> N {
    let high = x.lit(bound);
    at_least(N::select(x.greater(high), high, x), -bound)
}

/// Beyond ± this, σ(±x) equals e^(±x) to 4·10⁻¹⁸ of it at `FAR − SHIFT`, in either precision.
const FAR: f64 = 80.0;
/// How far an argument beyond is moved towards 0. The sum is exact.
const SHIFT: f64 = 40.0;
/// e^(−SHIFT).
const SHIFTED: f64 = 4.248_354_255_291_589e-18;

/// The logistic function in factors that are normal numbers where the function has long underflowed, so that
/// products like x²σ(x) round once: with `t = x ± 40` in the tails, `e^x = e^t · e^∓40`.
#[derive(Clone, Copy)]
pub(super) struct Logistic<N> {
    /// σ(x), without the factor where x is far on the left; so is its derivative.
    pub p: N,
    /// σ(−x), without the factor where x is far on the right; so is its derivative.
    pub m: N,
    /// The factor of `p`: 1 but on the far left.
    pub left: N,
    /// The factor of `p·m`: 1 but in the tails.
    pub both: N,
}

impl<N: Number> Logistic<N> {
    /// Both factors of `σ′(x) = σ(x) σ(−x)`: `p·m·both`.
    #[inline(always)]
    pub fn at(x: N) -> Logistic<N> {
        let (far, shift, one, shifted) = (x.lit(FAR), x.lit(SHIFT), x.lit(1.0), x.lit(SHIFTED));
        let (on_left, on_right) = (x.less(-far), far.less(x));
        let t = N::select(on_left, x + shift, N::select(on_right, x - shift, x));
        Logistic {
            p: t.sigmoid(),
            m: (-t).sigmoid(),
            left: N::select(on_left, shifted, one),
            both: N::select(on_left | on_right, shifted, one),
        }
    }
}

impl<N: Number> Logistic<N> {
    /// σ(x) itself, from whichever side has it, and its derivative, without loss.
    #[inline(always)]
    pub fn value(self, x: N) -> N {
        let one = x.lit(1.0);
        N::select(x.greater(x.lit(0.0)), one - self.m * self.both, self.p * self.left)
    }
}
