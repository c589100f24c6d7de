//! Fourier transforms, through `rustfft` and `realfft`: the feature `fft`.

operations! {
}
