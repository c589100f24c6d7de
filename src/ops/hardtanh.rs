//! The identity cut to a range.

use super::guard::nan_of;
use super::{Elementwise, compiled};
use crate::error::{ErrorKind, Result};
use crate::number::{Number, Real};
use crate::tape::Var;

/// x cut to [min, max].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardtanh {
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

impl Default for Hardtanh {
    /// From −1 to 1.
    fn default() -> Hardtanh {
        Hardtanh { min: -1.0, max: 1.0 }
    }
}

impl Elementwise for Hardtanh {
    const NAME: &'static str = "hardtanh";

    fn check(self) -> Result<()> {
        if self.min <= self.max {
            return Ok(());
        }
        let found = format!("[{}, {}]", self.min, self.max);
        Err(ErrorKind::Argument { name: "the range", found, wanted: "min ≤ max".into() }.into())
    }

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        let (min, max) = (x.lit(self.min), x.lit(self.max));
        N::select(x.less(min), min, N::select(x.greater(max), max, x))
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let inside = x.greater(x.lit(self.min)) & x.less(x.lit(self.max));
        N::select(inside, x.lit(1.0), x.lit(0.0)) + nan_of(x)
    }

    compiled!(Hardtanh);
}

impl<'t, T: Real> Var<'t, T> {
    /// `x` cut to [min, max], element by element; NaN stays NaN.
    ///
    /// # Gradient
    ///
    /// 1 between the bounds, else 0; 0 at a bound.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) unless `min ≤ max`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-9.0, 0.5, 1.0]));
    /// let y = x.hardtanh(-1.0, 1.0);
    /// assert_eq!(y.value()?.to_vec(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hardtanh(self, min: f64, max: f64) -> Var<'t, T> {
        self.elementwise(Hardtanh { min, max })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    vec![
        sample!("hardtanh", unary(-3.0, 3.0).avoid(&[-1.0, 2.0]), |x| x[0].hardtanh(-1.0, 2.0)),
        wrong!("hardtanh", &[&[2]], |x| x[0].hardtanh(2.0, -1.0), "the range is [2, -1], wanted min ≤ max"),
    ]
}
