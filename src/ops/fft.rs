//! Fourier transforms, through `rustfft` and `realfft`: the feature `fft`.
//!
//! A complex value is a pair of variables. `transform.rs` has the three linear operations that everything here is made of,
//! `settings.rs` what says where and how long they run, `windows.rs` the tensors that go with them.

operations! {
    complex
    convolve
    cosine
    fourier
    hermitian
    istft
    shift
    stft
}

mod settings;
mod transform;
mod windows;

/// Fourier transforms: complex values, the settings of transforms, windows and frequencies. The feature `fft`.
///
/// The transforms themselves are methods of variables, [`rfft`](crate::Var::rfft) and its kin, and of [`Complex`](crate::fft::Complex) values.
/// They are linear, so their derivatives are transforms again, at any order and for any length.
///
/// ```
/// use retrograde::{Tape, Tensor, fft::{Norm, rfftfreq}};
///
/// // The derivative of a periodic signal, by its spectrum: i·2πf, turned into a quarter of a turn.
/// let n = 16;
/// let tape = Tape::<f64>::new();
/// let t = tape.constant(&Tensor::arange(0.0, 1.0, 1.0 / n as f64)?) * std::f64::consts::TAU;
/// let omega = tape.constant(&rfftfreq(n, 1.0 / n as f64)?);
/// let z = t.sin().rfft(None, 0, Norm::Backward);
/// let slope = retrograde::fft::Complex::new(-(z.im * omega), z.re * omega).irfft(n, 0, Norm::Backward);
/// assert!(slope.value()?.all_close(&t.cos().value()?, 0.0, 1e-14)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub mod public {
    pub use super::complex::Complex;
    pub use super::convolve::Extent;
    pub use super::cosine::Type;
    pub use super::settings::{Norm, Sizes};
    pub use super::stft::Stft;
    pub use super::windows::{Ends, blackman, fftfreq, hamming, hann, kaiser, rfftfreq};
}
use public::*;

/// A variable that depends on both parts, and has a second derivative.
#[cfg(test)]
fn joined<'t, T: crate::number::Real>(z: Complex<'t, T>) -> crate::tape::Var<'t, T> {
    (z.re * 1.5 - z.im).square() * z.re
}
