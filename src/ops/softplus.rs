//! The softplus function.

use super::{Elementwise, compiled};
use crate::error::{ErrorKind, Result};
use crate::number::{Number, Real};
use crate::tape::Var;

/// ln(1 + e^(βx))/β.
#[derive(Clone, Copy, Debug)]
pub struct Softplus {
    /// How sharp the bend is.
    pub beta: f64,
}

impl Softplus {
    /// β = 1, which is a primitive of numbers.
    pub const STANDARD: Softplus = Softplus { beta: 1.0 };
}

impl Elementwise for Softplus {
    const NAME: &'static str = "softplus";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        if self.beta == 1.0 { x.softplus() } else { (x * x.lit(self.beta)).softplus() / x.lit(self.beta) }
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        (x * x.lit(self.beta)).sigmoid()
    }

    /// β σ(βx) σ(−βx), which has no ∞·0 at ±∞.
    #[inline(always)]
    fn d2f<N: Number>(self, x: N, _y: N) -> N {
        let u = x * x.lit(self.beta);
        u.sigmoid() * (-u).sigmoid() * x.lit(self.beta)
    }

    fn check(self) -> Result<()> {
        if self.beta != 0.0 {
            return Ok(());
        }
        Err(ErrorKind::Argument { name: "beta", found: "0".into(), wanted: "a number other than 0".into() }
            .into())
    }

    compiled!(Softplus);
}

impl<'t, T: Real> Var<'t, T> {
    /// A smooth ramp, `ln(1 + e^(βx))/β`, element by element; `β` is usually 1, and larger ones bend more sharply.
    ///
    /// Exact over the whole range: there is no threshold from which on it is the identity.
    ///
    /// # Gradient
    ///
    /// `σ(βx)`, with relative accuracy in both tails.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for `β = 0`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1e4, -1e4]));
    /// assert_eq!(x.softplus(1.0).value()?.to_vec(), [2f64.ln(), 1e4, 0.0]);
    /// assert_eq!(x.softplus(2.0).sum().backward()?.wrt(x)?.to_vec(), [0.5, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn softplus(self, beta: f64) -> Var<'t, T> {
        self.elementwise(Softplus { beta })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    vec![
        sample!("softplus", unary(-4.0, 4.0), |x| x[0].softplus(1.0)),
        sample!("softplus beta 2", unary(-4.0, 4.0), |x| x[0].softplus(2.0)),
        wrong!("softplus", &[&[2]], |x| x[0].softplus(0.0), "beta is 0, wanted a number other than 0"),
    ]
}
