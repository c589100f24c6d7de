//! Windows and frequencies, as plain tensors.

use crate::error::{Result, argument};
use crate::number::{Real, special};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// Where the period of a window ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Behind the last element, where the first would come again: for spectra. PyTorch's default.
    Periodic,
    /// At the last element, which equals the first: for filters. NumPy's.
    Symmetric,
}

/// `f` of the distance from the nearer end, in parts of the period: 0 at an end, ½ in the middle.
fn window<T: Real>(n: usize, ends: Ends, f: impl Fn(f64) -> f64) -> Result<Tensor<T>> {
    let period = if ends == Ends::Periodic { n } else { n.saturating_sub(1) };
    Tensor::build(Shape::new([n])?, |out| {
        for (k, out) in out.iter_mut().enumerate() {
            let from_end = k.min(period - k) as f64;
            *out = if n == 1 { T::ONE } else { T::from_f64(f(from_end / period as f64)) };
        }
    })
}

/// Hann's window, `sin²(πk/N)`, where N is `n` or, if it is [`Symmetric`](Ends::Symmetric), `n − 1`.
///
/// # Errors
///
/// [`TooLarge`](crate::ErrorKind::TooLarge), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
///
/// ```
/// use retrograde::{Tensor, fft::{Ends, hann}};
///
/// let w: Tensor<f64> = hann(4, Ends::Periodic)?;
/// assert!(w.all_close(&Tensor::from([0.0, 0.5, 1.0, 0.5]), 0.0, 1e-15)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "hann_window")]
pub fn hann<T: Real>(n: usize, ends: Ends) -> Result<Tensor<T>> {
    window(n, ends, |t| (PI * t).sin().powi(2))
}

/// Hamming's window, `0.54 − 0.46 cos(2πk/N)`; N as in [`hann`].
///
/// # Errors
///
/// As [`hann`].
///
/// ```
/// use retrograde::{Tensor, fft::{Ends, hamming}};
///
/// let w: Tensor<f64> = hamming(3, Ends::Symmetric)?;
/// assert!(w.all_close(&Tensor::from([0.08, 1.0, 0.08]), 0.0, 1e-15)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "hamming_window")]
pub fn hamming<T: Real>(n: usize, ends: Ends) -> Result<Tensor<T>> {
    window(n, ends, |t| 0.54 - 0.46 * (2.0 * PI * t).cos())
}

/// Blackman's window, `0.42 − 0.5 cos(2πk/N) + 0.08 cos(4πk/N)`; N as in [`hann`].
///
/// # Errors
///
/// As [`hann`].
///
/// ```
/// use retrograde::{Tensor, fft::{Ends, blackman}};
///
/// let w: Tensor<f64> = blackman(4, Ends::Periodic)?;
/// assert!(w.all_close(&Tensor::from([0.0, 0.34, 1.0, 0.34]), 0.0, 1e-15)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "blackman_window")]
pub fn blackman<T: Real>(n: usize, ends: Ends) -> Result<Tensor<T>> {
    // In powers of the sine, which are exactly 0 at the ends: 0.42 − 0.5 + 0.08 is not.
    window(n, ends, |t| {
        let s = (PI * t).sin().powi(2);
        0.36 * s + 0.64 * s * s
    })
}

/// Kaiser's window, `I₀(β √(1 − (2k/N − 1)²)) / I₀(β)`; N as in [`hann`].
///
/// # Errors
///
/// As [`hann`]; [`Argument`](crate::ErrorKind::Argument) for a β that is not a number from 0 on.
///
/// ```
/// use retrograde::{Tensor, fft::{Ends, kaiser}};
///
/// let w: Tensor<f64> = kaiser(3, 14.0, Ends::Symmetric)?;
/// assert!(w.all_close(&Tensor::from([7.7268668e-6, 1.0, 7.7268668e-6]), 1e-7, 0.0)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "kaiser_window")]
pub fn kaiser<T: Real>(n: usize, beta: f64, ends: Ends) -> Result<Tensor<T>> {
    if !(0.0..f64::INFINITY).contains(&beta) {
        return argument("beta", beta, "a finite number from 0 on");
    }
    // I₀ overflows; e⁻ˣ I₀(x) does not. 1 − (2t − 1)² = 4t(1 − t).
    window(n, ends, |t| {
        let x = 2.0 * beta * (t * (1.0 - t)).sqrt();
        (x - beta).exp() * special::scaled_i(0, x) / special::scaled_i(0, beta)
    })
}

/// The frequencies of the elements of a spectrum of `n` points, `d` apart: `0, 1, …, −2, −1`, over `n·d`.
///
/// # Errors
///
/// [`Argument`](crate::ErrorKind::Argument) for no points; [`TooLarge`](crate::ErrorKind::TooLarge),
/// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
///
/// ```
/// use retrograde::{Tensor, fft::fftfreq};
///
/// assert_eq!(fftfreq::<f64>(4, 0.5)?.to_vec(), [0.0, 0.5, -1.0, -0.5]);
/// assert_eq!(fftfreq::<f64>(5, 0.2)?.to_vec(), [0.0, 1.0, 2.0, -2.0, -1.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub fn fftfreq<T: Real>(n: usize, d: f64) -> Result<Tensor<T>> {
    let n = super::settings::points(n)?;
    Tensor::build(Shape::new([n])?, |out| {
        for (k, out) in out.iter_mut().enumerate() {
            let k = if k < n.div_ceil(2) { k as f64 } else { k as f64 - n as f64 };
            *out = T::from_f64(k / (n as f64 * d));
        }
    })
}

/// The frequencies of the elements of a half spectrum of `n` points, `d` apart: `0, 1, …, n/2`, over `n·d`.
///
/// # Errors
///
/// As [`fftfreq`].
///
/// ```
/// use retrograde::{Tensor, fft::rfftfreq};
///
/// assert_eq!(rfftfreq::<f64>(4, 0.5)?.to_vec(), [0.0, 0.5, 1.0]);
/// assert_eq!(rfftfreq::<f64>(5, 0.2)?.to_vec(), [0.0, 1.0, 2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub fn rfftfreq<T: Real>(n: usize, d: f64) -> Result<Tensor<T>> {
    let n = super::settings::points(n)?;
    Tensor::build(Shape::new([n / 2 + 1])?, |out| {
        for (k, out) in out.iter_mut().enumerate() {
            *out = T::from_f64(k as f64 / (n as f64 * d));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn windows_are_symmetric_and_their_lengths_short_ones_too() {
        type Make = fn(usize, Ends) -> Result<Tensor<f64>>;
        let makes: [(Make, f64, f64); 4] = [
            (hann, 0.0, 0.75),
            (hamming, 0.08, 0.77),
            (blackman, 0.0, 0.63),
            (|n, ends| kaiser(n, 2.5, ends), 0.303_966_229_415_368_7, 0.897_429_020_350_497_5),
        ];
        for (make, end, third) in makes {
            assert_eq!(make(0, Ends::Periodic).unwrap().len(), 0);
            assert_eq!(make(0, Ends::Symmetric).unwrap().len(), 0);
            assert_eq!(make(1, Ends::Periodic).unwrap().to_vec(), [1.0]);
            assert_eq!(make(1, Ends::Symmetric).unwrap().to_vec(), [1.0]);
            for (n, ends) in [(6, Ends::Periodic), (7, Ends::Symmetric)] {
                let w = make(n, ends).unwrap().to_vec();
                // Both have the period 6, and the periodic one leaves out its end.
                let wanted = [end, w[1], third, 1.0, third, w[1], end];
                for (a, b) in w.iter().zip(wanted) {
                    assert!((a - b).abs() < 1e-9, "{w:?}, wanted {wanted:?}");
                }
            }
        }
        for beta in [-1.0, f64::NAN, f64::INFINITY] {
            let error = kaiser::<f64>(3, beta, Ends::Periodic).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Argument { name: "beta", .. }));
        }
        // β for which I₀ itself overflows.
        assert!(kaiser::<f64>(5, 1e4, Ends::Symmetric).unwrap().iter().all(|w| w.is_finite()));
    }

    #[test]
    fn frequencies_of_no_points_are_refused() {
        assert!(fftfreq::<f64>(0, 1.0).is_err() && rfftfreq::<f64>(0, 1.0).is_err());
        assert_eq!(fftfreq::<f32>(1, 2.0).unwrap().to_vec(), [0.0]);
        assert_eq!(rfftfreq::<f32>(1, 2.0).unwrap().to_vec(), [0.0]);
    }
}
