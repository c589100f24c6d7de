//! Norms of windows.

use super::pool::Pool;
use crate::error::argument;
use crate::number::Real;
use crate::ops::per_axis::PerAxis;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    fn norms(self, name: &'static str, axes: usize, p: f64, pool: Pool) -> Var<'t, T> {
        self.tape().composed(name, || {
            if pool.padding != PerAxis::from(0) {
                return argument("the padding", "set", "none");
            }
            let lines = pool.lines(&self.try_shape()?, axes)?;
            let length: f64 = lines.iter().map(|line| line.kernel as f64).product();
            let x = self.powf(p);
            let means = match axes {
                1 => x.avg_pool1d(pool),
                2 => x.avg_pool2d(pool),
                _ => x.avg_pool3d(pool),
            };
            Ok((means * length).powf(1.0 / p))
        })
    }

    /// The p-norm of each window over one spatial axis: `(Σ xᵖ)^(1/p)`, without absolute values, as elsewhere: for an even p it is
    /// the norm. The windows lie as for [`avg_pool1d`](Var::avg_pool1d), without padding; in one that reaches past the end the
    /// sum is the mean of what it shows times the length of a whole window.
    ///
    /// # Gradient
    ///
    /// `xᵖ⁻¹·y¹⁻ᵖ` times the cotangent; NaN where all of a window is 0 and p above 1.
    ///
    /// # Errors
    ///
    /// As [`avg_pool1d`](Var::avg_pool1d); [`Argument`](crate::ErrorKind::Argument) for padding.
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0, 6.0, 8.0]]));
    /// assert_eq!(x.lp_pool1d(2.0, Pool::new(2)).value()?, Tensor::from([[5.0, 10.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lp_pool1d(self, p: f64, pool: Pool) -> Var<'t, T> {
        self.norms("lp_pool1d", 1, p, pool)
    }

    /// The p-norm of each window over two spatial axes: `(Σ xᵖ)^(1/p)`, without absolute values, as elsewhere: for an even p it is
    /// the norm. The windows lie as for [`avg_pool2d`](Var::avg_pool2d), without padding; in one that reaches past the end the
    /// sum is the mean of what it shows times the length of a whole window.
    ///
    /// # Gradient
    ///
    /// `xᵖ⁻¹·y¹⁻ᵖ` times the cotangent; NaN where all of a window is 0 and p above 1.
    ///
    /// # Errors
    ///
    /// As [`avg_pool2d`](Var::avg_pool2d); [`Argument`](crate::ErrorKind::Argument) for padding.
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[2.0, 2.0], [2.0, 2.0]]]));
    /// assert_eq!(x.lp_pool2d(2.0, Pool::new(2)).value()?, Tensor::from([[[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lp_pool2d(self, p: f64, pool: Pool) -> Var<'t, T> {
        self.norms("lp_pool2d", 2, p, pool)
    }

    /// The p-norm of each window over three spatial axes: `(Σ xᵖ)^(1/p)`, without absolute values, as elsewhere: for an even p it is
    /// the norm. The windows lie as for [`avg_pool3d`](Var::avg_pool3d), without padding; in one that reaches past the end the
    /// sum is the mean of what it shows times the length of a whole window.
    ///
    /// # Gradient
    ///
    /// `xᵖ⁻¹·y¹⁻ᵖ` times the cotangent; NaN where all of a window is 0 and p above 1.
    ///
    /// # Errors
    ///
    /// As [`avg_pool3d`](Var::avg_pool3d); [`Argument`](crate::ErrorKind::Argument) for padding.
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[2.0, 2.0], [2.0, 2.0]]]).unsqueeze(0)?);
    /// assert_eq!(x.lp_pool3d(2.0, Pool::new([1, 2, 2])).value()?, Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lp_pool3d(self, p: f64, pool: Pool) -> Var<'t, T> {
        self.norms("lp_pool3d", 3, p, pool)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    vec![
        sample!("lp_pool1d", shapes(&[&[&[1, 2, 7]], &[&[1, 6]], &[&[0, 1, 3]]], 0.5, 2.0), |x| x[0]
            .lp_pool1d(3.0, Pool::new(3).stride(2))),
        sample!("lp_pool2d", shapes(&[&[&[1, 1, 3, 4]], &[&[2, 3, 3]]], -2.0, -0.5), |x| x[0]
            .lp_pool2d(2.0, Pool::new(2).ceil())),
        sample!("lp_pool3d", shapes(&[&[&[1, 2, 3, 2]]], 0.5, 2.0), |x| x[0]
            .lp_pool3d(1.5, Pool::new([1, 2, 2]).stride(1))),
        wrong!(
            "lp_pool1d",
            &[&[1, 5]],
            |x| x[0].lp_pool1d(2.0, Pool::new(2).padding(1)),
            "the padding is set, wanted none"
        ),
        wrong!(
            "lp_pool2d",
            &[&[1, 5]],
            |x| x[0].lp_pool2d(2.0, Pool::new(2)),
            "shape [1, 5] has rank 2, wanted 3 or 4"
        ),
    ]
}
