//! Local response normalisation.

use super::Padding;
use crate::error::{ErrorKind, argument};
use crate::number::Real;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// Of `[n, c, ..]` each element divided by a power of what its neighbouring channels hold there (Krizhevsky et al.
    /// 2012): `x/(k + α·mean x²)^β`, the mean over `size` channels, from `size/2` before to `(size − 1)/2` behind, of
    /// which those that do not exist count as 0.
    ///
    /// # Gradient
    ///
    /// Of the quotient, by the channel itself and by its neighbours.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2; [`Argument`](ErrorKind::Argument) for a size of 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0]]));
    /// let y = x.local_response_norm(3, 3.0, 1.0, 1.0);
    /// assert_eq!(y.value()?.to_vec(), [1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn local_response_norm(self, size: usize, alpha: f64, beta: f64, k: f64) -> Var<'t, T> {
        self.tape().composed("local_response_norm", || {
            let shape = self.try_shape()?;
            if shape.len() < 2 {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            }
            if size == 0 {
                return argument("the number of channels", "0", "at least 1");
            }
            let mut around = vec![(0, 0); shape.len() - 1];
            around[0] = ((size / 2) as isize, ((size - 1) / 2) as isize);
            let squares = self.square().pad(around, Padding::Constant(0.0));
            let mean = squares.unfold(1, size, 1).mean_axes(-1);
            Ok(self / (mean * alpha + k).powf(beta))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    vec![
        sample!("local_response_norm", rank3(-2.0, 2.0), |x| x[0].local_response_norm(3, 0.7, 0.75, 1.3)),
        sample!("local_response_norm of even size", rank3(-2.0, 2.0), |x| x[0]
            .local_response_norm(2, 0.7, 0.5, 1.3)),
        sample!("local_response_norm of none", shapes(&[&[&[0, 3]], &[&[2, 3, 0]]], -2.0, 2.0), |x| x[0]
            .local_response_norm(5, 0.7, 0.5, 1.3)),
        wrong!(
            "local_response_norm",
            &[&[3]],
            |x| x[0].local_response_norm(2, 0.1, 0.5, 1.0),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "local_response_norm",
            &[&[3, 2]],
            |x| x[0].local_response_norm(0, 0.1, 0.5, 1.0),
            "the number of channels is 0, wanted at least 1"
        ),
    ]
}
