//! Approximate comparison, and masks of what is no finite number.

use super::{LIGHT, Tensor, elementwise};
use crate::error::{Error, Result};
use crate::number::Real;
use std::panic::Location;

impl<T: Real> Tensor<T> {
    /// The first element, counted in row-major order, whose bits differ from those of a tensor of the same shape. NaN
    /// equals NaN.
    pub(crate) fn first_difference(&self, other: &Tensor<T>) -> Option<usize> {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        self.iter().zip(other).position(|(a, b)| !same(a.to_f64(), b.to_f64()))
    }

    /// Where an element is near that of `other`: `|a − b| ≤ absolute + relative · |b|`, element by element, broadcast. Equal
    /// infinities are near, NaN is near nothing. NumPy's tolerances are 1e-5 (relative) and 1e-8.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let a = Tensor::from([1.0, 2.0, f64::INFINITY, f64::NAN]);
    /// let b = Tensor::from([1.0 + 1e-9, 2.1, f64::INFINITY, f64::NAN]);
    /// assert_eq!(a.is_close(&b, 1e-5, 1e-8)?.to_vec(), [true, false, true, false]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isclose")]
    #[track_caller]
    pub fn is_close(&self, other: &Tensor<T>, relative: f64, absolute: f64) -> Result<Tensor<bool>> {
        let line = Location::caller();
        let near = |a: T, b: T| {
            let (a, b) = (a.to_f64(), b.to_f64());
            a == b || (b.is_finite() && (a - b).abs() <= absolute + relative * b.abs())
        };
        elementwise([self, other], LIGHT, |[a, b], out| {
            for ((&a, &b), out) in a.iter().zip(b).zip(out) {
                *out = near(a, b);
            }
        })
        .map_err(|error: Error| error.at("is_close", line))
    }

    /// Whether every element is near that of `other`, as [`is_close`](Tensor::is_close) has it; true of none.
    ///
    /// # Errors
    ///
    /// As [`is_close`](Tensor::is_close).
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let a = Tensor::from([1.0, 2.0]);
    /// assert!(a.all_close(&Tensor::from([1.0 + 1e-9, 2.0]), 1e-5, 1e-8)?);
    /// assert!(!a.all_close(&Tensor::scalar(1.0), 1e-5, 1e-8)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "allclose")]
    #[track_caller]
    pub fn all_close(&self, other: &Tensor<T>, relative: f64, absolute: f64) -> Result<bool> {
        Ok(self.is_close(other, relative, absolute)?.iter().all(|near| near))
    }

    /// Where an element is NaN.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.0, f64::NAN, f64::INFINITY]);
    /// assert_eq!(x.is_nan()?.to_vec(), [false, true, false]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isnan")]
    pub fn is_nan(&self) -> Result<Tensor<bool>> {
        self.map(|x| x.to_f64().is_nan())
    }

    /// Where an element is ∞ or −∞.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.0, f64::NAN, f64::NEG_INFINITY]);
    /// assert_eq!(x.is_inf()?.to_vec(), [false, false, true]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isinf")]
    pub fn is_inf(&self) -> Result<Tensor<bool>> {
        self.map(|x| x.to_f64().is_infinite())
    }

    /// Where an element is neither NaN nor infinite.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.0, f64::NAN, f64::NEG_INFINITY]);
    /// assert_eq!(x.is_finite()?.to_vec(), [true, false, false]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isfinite")]
    pub fn is_finite(&self) -> Result<Tensor<bool>> {
        self.map(|x| Real::is_finite(x))
    }
}

#[cfg(test)]
mod tests {
    use super::Tensor;

    #[test]
    fn tolerances_are_those_of_the_second_and_reach_their_bound() {
        let a = Tensor::from([1.0, 1.5, 100.0, -100.0, 5.0]);
        let b = Tensor::from([1.5, 1.0, 110.0, -110.0, f64::INFINITY]);
        // 0.1 · 110 + 0.25 = 11.25 and 0.1 · 1.5 + 0.25 = 0.4.
        assert_eq!(a.is_close(&b, 0.1, 0.25).unwrap().to_vec(), [false, false, true, true, false]);
        assert_eq!(a.is_close(&b, 0.0, 0.5).unwrap().to_vec(), [true, true, false, false, false]);
        assert_eq!(b.is_close(&a, 1.0, 0.0).unwrap().to_vec(), [true, true, true, true, false]);
        let error = a.is_close(&Tensor::from([1.0, 2.0]), 0.0, 0.0).unwrap_err();
        assert_eq!(error.kind().to_string(), "shapes [5] and [2] do not broadcast");
        assert_eq!(error.operation(), Some("is_close"));
    }
}
