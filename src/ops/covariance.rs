//! Covariances and correlations.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tape::{IntoVar, Var};

impl<'t, T: Real> Var<'t, T> {
    /// Observations as columns, `[variables, observations]`.
    fn observed(self) -> Result<Var<'t, T>> {
        let shape = self.try_shape()?;
        match shape.len() {
            0 => Ok(self.reshape([1, 1])),
            1 => Ok(self.unsqueeze(0)),
            2 => Ok(self),
            _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at most 2" }.into()),
        }
    }

    /// A matrix `[v, v]`; the variance of a row alone is a number.
    fn between_rows(self) -> Result<Var<'t, T>> {
        Ok(if *self.try_shape()? == [1, 1] { self.reshape([0usize; 0]) } else { self })
    }

    /// The covariances of the rows, whose elements are observations: `[v, n]` to `[v, v]`, one row, `[n]` or `[1, n]`,
    /// to a number. `Σ (x − x̄)(y − ȳ) / (n − correction)`.
    ///
    /// NaN or infinite if `n ≤ correction`: the divisor is not let below 0.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for more than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]));
    /// assert_eq!(x.cov(1.0).value()?.to_vec(), [1.0, -1.0, -1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cov(self, correction: f64) -> Var<'t, T> {
        self.tape().composed("cov", || {
            let x = self.observed()?;
            let n = x.try_shape()?[1] as f64;
            let centred = x - x.mean_keepdim(1);
            (centred.matmul(centred.t()) / (n - correction).max(0.0)).between_rows()
        })
    }

    /// The covariances of the rows, whose observations have weights, `[n]`: with W = Σ wᵢ, the means are weighted, and
    /// the divisor is `W − correction Σ wᵢ aᵢ / W` with `a` for weights of importance (`aweights`), which multiply
    /// those of frequency, `w = f a`.
    ///
    /// Either is 1 where it is given as the number 1. See [`cov`](Var::cov).
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for more than two axes; [`Broadcast`](crate::ErrorKind::Broadcast) for
    /// weights of another length.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// // A frequency of 2 is an observation made twice.
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0]));
    /// let twice = tape.var(&Tensor::from([1.0, 3.0, 3.0]));
    /// let weighted = x.cov_weighted(1.0, &Tensor::from([1.0, 2.0]), 1.0);
    /// assert!((weighted.item()? - twice.cov(1.0).item()?).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cov_weighted(
        self,
        correction: f64,
        frequencies: impl IntoVar<'t, T>,
        importances: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let (f, a) = (frequencies.into_var(self.tape()), importances.into_var(self.tape()));
        self.tape().composed("cov_weighted", || {
            let x = self.observed()?;
            let n = x.try_shape()?[1];
            let w = (f * a).expand([n]);
            let total = w.sum();
            let mean = (x * w).sum_keepdim(1) / total;
            let centred = x - mean;
            let lost = (w * a).sum() / total * correction;
            ((centred * w).matmul(centred.t()) / (total - lost).clamp_min(0.0)).between_rows()
        })
    }

    /// The correlations of the rows, whose elements are observations: covariances divided by both standard
    /// deviations, held between −1 and 1; NaN for a row without deviation. A row alone gives 1.
    ///
    /// # Gradient
    ///
    /// Through the division; that of holding is 1 throughout, so that the derivative does not depend on rounding.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for more than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.0, 1.0, 2.0], [3.0, 1.0, -1.0]]));
    /// assert_eq!(x.corrcoef().value()?.to_vec(), [1.0, -1.0, -1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn corrcoef(self) -> Var<'t, T> {
        self.tape().composed("corrcoef", || {
            let c = self.cov(1.0);
            if c.try_shape()?.is_empty() {
                return Ok(c / c);
            }
            let deviation = c.diagonal(0, 1).sqrt();
            let r = c / deviation.unsqueeze(1) / deviation.unsqueeze(0);
            Ok(r.clamp(-1.0, 1.0).straight_through(r))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let rows = || shapes(&[&[&[3, 5]], &[&[1, 4]], &[&[2, 3]], &[&[6]]], -2.0, 2.0).distinct();
    vec![
        sample!("cov", rows(), |x| x[0].cov(1.0)),
        sample!("cov uncorrected", shapes(&[&[&[3, 5]], &[&[]], &[&[1]], &[&[2, 1]]], -2.0, 2.0), |x| x[0]
            .cov(0.0)),
        sample!("cov_weighted", shapes(&[&[&[3, 5], &[5], &[5]], &[&[4], &[4], &[]]], 0.5, 2.0), |x| {
            x[0].cov_weighted(0.5, x[1], x[2])
        }),
        sample!("corrcoef", shapes(&[&[&[3, 5]], &[&[2, 7]]], -2.0, 2.0).distinct(), |x| x[0].corrcoef()),
        wrong!("cov", &[&[2, 3, 4]], |x| x[0].cov(1.0), "shape [2, 3, 4] has rank 3, wanted at most 2"),
        wrong!(
            "expand",
            &[&[2, 3], &[2]],
            |x| x[0].cov_weighted(1.0, x[1], 1.0),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!("cov", &[&[2, 3, 4]], |x| x[0].corrcoef(), "shape [2, 3, 4] has rank 3, wanted at most 2"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn one_row_has_a_number_for_its_variance() {
        let tape = Tape::<f64>::new();
        let (row, matrix) = (tape.var(&Tensor::from([1.0, 3.0])), tape.var(&Tensor::from([[1.0, 3.0]])));
        for x in [row, matrix] {
            for (y, wanted) in [(x.cov(1.0), 2.0), (x.cov_weighted(0.0, 1.0, 1.0), 1.0), (x.corrcoef(), 1.0)]
            {
                assert_eq!((y.shape().len(), y.item().unwrap()), (0, wanted));
            }
        }
        assert_eq!(tape.var(&Tensor::from([[1.0, 3.0], [2.0, 0.0]])).cov(1.0).shape(), [2, 2]);
    }
}
