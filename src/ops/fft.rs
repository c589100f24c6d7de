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

pub use complex::Complex;
pub use convolve::Extent;
pub use cosine::Type;
pub use settings::{Norm, Sizes};
pub use stft::Stft;
pub use windows::{Ends, blackman, fftfreq, hamming, hann, kaiser, rfftfreq};

/// A variable that depends on both parts, and has a second derivative.
#[cfg(test)]
fn joined<'t, T: crate::number::Real>(z: Complex<'t, T>) -> crate::tape::Var<'t, T> {
    (z.re * 1.5 - z.im).square() * z.re
}
