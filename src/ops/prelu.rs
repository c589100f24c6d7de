//! The ramp whose leak is learned.

use super::guard::nan_of;
use super::{Elementwise2, compiled2};
use crate::number::{Number, Real};
use crate::tape::Var;

/// x above 0, wx below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prelu;

impl Elementwise2 for Prelu {
    const NAME: &'static str = "prelu";

    #[inline(always)]
    fn f<N: Number>(self, x: N, w: N) -> N {
        N::select(x.greater(x.lit(0.0)), x, x * w)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, w: N, _y: N) -> (N, N) {
        let above = x.greater(x.lit(0.0));
        (N::select(above, x.lit(1.0), w) + nan_of(x), N::select(above, x.lit(0.0), x))
    }

    compiled2!(Prelu);
}

impl<'t, T: Real> Var<'t, T> {
    /// `x` above 0 and `wx` below, element by element, with a slope `w` that is learned.
    ///
    /// The shapes broadcast: a weight for each channel of `[n, c, h, w]` has the shape `[c, 1, 1]`.
    ///
    /// # Gradient
    ///
    /// By `x` 1 above 0, `w` below and at 0; by `w` 0 above 0, `x` below.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, -2.0, 3.0]));
    /// let w = tape.var(&Tensor::scalar(0.25));
    /// let y = x.prelu(w);
    /// assert_eq!(y.value()?.to_vec(), [-0.25, -0.5, 3.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(x)?.to_vec(), [0.25, 0.25, 1.0]);
    /// assert_eq!(grads.wrt(w)?.item()?, -3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn prelu(self, weight: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(weight, Prelu)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, shapes, wrong};
    vec![
        sample!("prelu", binary((-2.0, 2.0), (-1.0, 1.5)), |x| x[0].prelu(x[1])).avoiding(&[0.0]),
        sample!("prelu by channel", shapes(&[&[&[2, 3, 2, 2], &[3, 1, 1]]], -2.0, 2.0), |x| x[0].prelu(x[1]))
            .avoiding(&[0.0]),
        wrong!("prelu", &[&[2, 3], &[2]], |x| x[0].prelu(x[1]), "shapes [2, 3] and [2] do not broadcast"),
    ]
}
