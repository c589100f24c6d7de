//! Which singular values count as 0, and how many do not.

use super::{matrices, mirrored, shape_of, singular, slice, square};
use crate::error::{Result, argument};
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;
use std::panic::Location;

/// Which singular values count as 0, for [`Var::pinv_with`] and [`Var::matrix_rank_with`]: those of at most
/// `max(atol, rtol · s₁)`, with the largest value s₁.
///
/// ```
/// use retrograde::linalg::Cutoff;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from([[4.0, 0.0], [0.0, 0.5]]));
/// assert_eq!(a.matrix_rank()?.item()?, 2);
/// assert_eq!(a.matrix_rank_with(Cutoff::new().rtol(0.2))?.item()?, 1);
/// assert_eq!(a.pinv_with(Cutoff::new().atol(1.0)).value()?.to_vec(), [0.25, 0.0, 0.0, 0.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Cutoff {
    atol: f64,
    rtol: Option<f64>,
    symmetric: bool,
}

impl Cutoff {
    /// `max(m, n) ε s₁` for `m × n` matrices.
    pub fn new() -> Cutoff {
        Cutoff::default()
    }

    /// Sizes of at most this count as 0. Above 0 it takes the place of the relative bound, unless that is given, too.
    pub fn atol(self, atol: f64) -> Cutoff {
        Cutoff { atol, ..self }
    }

    /// Sizes of at most this share of the largest value count as 0.
    #[doc(alias = "rcond")]
    pub fn rtol(self, rtol: f64) -> Cutoff {
        Cutoff { rtol: Some(rtol), ..self }
    }

    /// The matrices are symmetric: only their lower triangle is read, and gradients are symmetric.
    #[doc(alias = "hermitian")]
    pub fn symmetric(self) -> Cutoff {
        Cutoff { symmetric: true, ..self }
    }

    pub(super) fn is_symmetric(self) -> bool {
        self.symmetric
    }

    pub(super) fn check(self) -> Result<()> {
        for (name, value) in [("atol", self.atol), ("rtol", self.rtol.unwrap_or(0.0))] {
            if value.is_nan() || value < 0.0 {
                return argument(name, value, "a number of at least 0");
            }
        }
        Ok(())
    }

    /// The largest value of an `m × n` matrix that counts as 0, of the values in descending order.
    pub(super) fn bound<T: Real>(self, m: usize, n: usize, s: &[T]) -> f64 {
        let rtol = match self.rtol {
            Some(rtol) => rtol,
            None if self.atol > 0.0 => 0.0,
            None => m.max(n) as f64 * T::EPSILON.to_f64(),
        };
        self.atol.max(rtol * s.first().map_or(0.0, |s| s.to_f64()))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The number of singular values of matrices `[…, m, n]` above `max(m, n) ε s₁`, with the largest of them s₁: as
    /// NumPy and PyTorch count. One number a matrix, outside the tape.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; as [`svd`](Var::svd).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]));
    /// assert_eq!(a.matrix_rank()?.item()?, 1);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_rank(self) -> Result<Tensor<i64>> {
        self.matrix_rank_with(Cutoff::new())
    }

    /// As [`matrix_rank`](Var::matrix_rank), with another bound or for symmetric matrices.
    ///
    /// # Errors
    ///
    /// Also [`Argument`](crate::ErrorKind::Argument) for a tolerance that is negative or NaN;
    /// [`NotSquare`](crate::ErrorKind::NotSquare) for matrices said to be symmetric.
    #[track_caller]
    pub fn matrix_rank_with(self, cutoff: Cutoff) -> Result<Tensor<i64>> {
        let line = Location::caller();
        let x = self.value()?;
        let count = || {
            cutoff.check()?;
            let (batch, m, n) = matrices(x.shape())?;
            let s = if cutoff.symmetric {
                square(x.shape())?;
                singular::svdvals(&mirrored(&x)?)?
            } else {
                singular::svdvals(&x)?
            };
            Tensor::build(shape_of(batch, &[])?, |ranks| match m.min(n) {
                0 => ranks.fill(0),
                k => {
                    for (rank, s) in ranks.iter_mut().zip(slice(&s).chunks_exact(k)) {
                        let bound = cutoff.bound(m, n, s);
                        *rank = s.iter().filter(|s| s.to_f64() > bound).count() as i64;
                    }
                }
            })
        };
        count().map_err(|error| error.at("matrix_rank", line))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::tape::Tape;

    fn rank(a: &Tensor<f64>, cutoff: Cutoff) -> Vec<i64> {
        let tape = Tape::new();
        tape.var(a).matrix_rank_with(cutoff).unwrap().to_vec()
    }

    #[test]
    fn values_above_the_bound_are_counted() {
        let diagonal = |d: [f64; 3]| Tensor::from(d).diag_embed().unwrap();
        let eps = f64::EPSILON;
        let new = Cutoff::new;
        assert_eq!(rank(&diagonal([2.0, 1.0, 5.0 * eps]), new()), [2]);
        assert_eq!(rank(&diagonal([2.0, 1.0, 7.0 * eps]), new()), [3]);
        assert_eq!(rank(&diagonal([2.0, 1.0, 7.0 * eps]), new().rtol(1e-10)), [2]);
        // An absolute bound alone is the only one; with both, the larger counts, and the bound itself is 0.
        assert_eq!(rank(&diagonal([2.0, 1.0, 5.0 * eps]), new().atol(eps)), [3]);
        assert_eq!(rank(&diagonal([2.0, 1.0, 0.5]), new().atol(0.75).rtol(0.1)), [2]);
        assert_eq!(rank(&diagonal([2.0, 1.0, 0.5]), new().atol(0.1).rtol(0.5)), [1]);
        assert_eq!(rank(&diagonal([2.0, 1.0, 0.5]), new().rtol(0.0)), [3]);
        // The longer side counts in the default.
        let wide = Tensor::from([[1.0, 0.0, 0.0, 0.0], [0.0, 3.5 * eps, 0.0, 0.0]]);
        assert_eq!(rank(&wide, new()), [1]);
        assert_eq!(rank(&wide.transpose(0, 1).unwrap(), new()), [1]);
        let batch = Tensor::from([
            [[1.0, 2.0], [2.0, 4.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1e-200, 0.0], [0.0, 1e-200]],
        ]);
        assert_eq!(rank(&batch, new()), [1, 0, 2]);
        // The upper triangle is not read.
        let lower = Tensor::from([[1.0, 7.0], [2.0, 4.0]]);
        assert_eq!(rank(&lower, new()), [2]);
        assert_eq!(rank(&lower, new().symmetric()), [1]);
    }

    #[test]
    fn nothing_has_rank_0_and_wrong_uses_say_so() {
        for shape in [[2, 0, 3], [2, 3, 0], [2, 0, 0]] {
            assert_eq!(rank(&Tensor::zeros(shape).unwrap(), Cutoff::new()), [0, 0]);
        }
        assert_eq!(rank(&Tensor::zeros([0, 3, 3]).unwrap(), Cutoff::new()), []);
        let tape = Tape::<f64>::new();
        let a = tape.var(&Tensor::zeros([2, 3]).unwrap());
        let error = a.matrix_rank_with(Cutoff::new().rtol(-1.0)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("matrix_rank: rtol is -1, wanted a number of at least 0, at src/ops")
        );
        let error = a.matrix_rank_with(Cutoff::new().atol(f64::NAN)).unwrap_err();
        assert_eq!(error.kind().to_string(), "atol is NaN, wanted a number of at least 0");
        let error = a.matrix_rank_with(Cutoff::new().symmetric()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotSquare { .. }));
        let error = tape.var(&Tensor::zeros([2]).unwrap()).matrix_rank().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Rank { .. }));
        let error = a.ln().matrix_rank().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFinite { .. }));
    }
}
