//! Spectra of the pieces of a signal, one after another, and their settings.

use super::Complex;
use super::settings::Norm;
use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::ops::Padding;
use crate::shape::same;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// The settings of [`stft`](Var::stft) and [`istft`](Complex::istft), made by `new` and changed by methods that are named
/// after what they set.
///
/// ```
/// use retrograde::{Tape, Tensor, fft::{Ends, Stft, hann}};
///
/// let tape = Tape::<f64>::new();
/// let x = tape.var(&Tensor::linspace(-1.0, 1.0, 64)?);
/// let settings = Stft::new(16).hop(8).window(tape.var(&hann(16, Ends::Periodic)?));
/// let z = x.stft(settings);
/// assert_eq!(z.re.value()?.shape(), [9, 9]);
/// let y = z.istft(settings, 64);
/// assert!(y.value()?.all_close(&x.value()?, 1e-12, 1e-12)?);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stft<'t, T: Real> {
    pub(super) n_fft: usize,
    pub(super) hop: Option<usize>,
    pub(super) win_length: Option<usize>,
    pub(super) window: Option<Var<'t, T>>,
    pub(super) center: bool,
    pub(super) padding: Padding,
    pub(super) normalized: bool,
    pub(super) onesided: bool,
}

impl<'t, T: Real> Stft<'t, T> {
    /// Pieces of `n_fft` points, a quarter of that apart, without a window; PyTorch's defaults.
    pub fn new(n_fft: usize) -> Stft<'t, T> {
        Stft {
            n_fft,
            hop: None,
            win_length: None,
            window: None,
            center: true,
            padding: Padding::Reflect,
            normalized: false,
            onesided: true,
        }
    }

    /// From the beginning of one piece to that of the next.
    pub fn hop(self, hop: usize) -> Self {
        Stft { hop: Some(hop), ..self }
    }

    /// The points of a piece that count, in its middle: the length of the window, `n_fft` unless said.
    pub fn win_length(self, win_length: usize) -> Self {
        Stft { win_length: Some(win_length), ..self }
    }

    /// What pieces are multiplied by: ones unless said. It may be a variable.
    pub fn window(self, window: Var<'t, T>) -> Self {
        Stft { window: Some(window), ..self }
    }

    /// Whether piece t has its middle, not its beginning, at t·hop: the signal is padded by `n_fft/2` at both ends. It is,
    /// unless said.
    pub fn center(self, center: bool) -> Self {
        Stft { center, ..self }
    }

    /// What a signal is padded with: its mirror image unless said.
    #[doc(alias = "pad_mode")]
    pub fn padding(self, padding: Padding) -> Self {
        Stft { padding, ..self }
    }

    /// Whether spectra are divided by √n_fft.
    pub fn normalized(self, normalized: bool) -> Self {
        Stft { normalized, ..self }
    }

    /// Whether spectra are halves, as those of real signals can be: they are, unless said.
    pub fn onesided(self, onesided: bool) -> Self {
        Stft { onesided, ..self }
    }

    pub(super) fn norm(&self) -> Norm {
        if self.normalized { Norm::Ortho } else { Norm::Backward }
    }

    /// How far a signal is padded at both ends.
    pub(super) fn ahead(&self) -> usize {
        if self.center { self.n_fft / 2 } else { 0 }
    }

    /// The distance of pieces, checked with all that does not depend on the signal.
    pub(super) fn checked(&self) -> Result<usize> {
        super::settings::points(self.n_fft)?;
        let length = self.win_length.unwrap_or(self.n_fft);
        if !(1..=self.n_fft).contains(&length) {
            return argument("win_length", length, format!("1 to {}, the number of points", self.n_fft));
        }
        if let Some(window) = self.window {
            same("the window", &window.try_shape()?, &[length])?;
        }
        match self.hop.unwrap_or((self.n_fft / 4).max(1)) {
            0 => argument("hop", 0, "at least 1"),
            hop => Ok(hop),
        }
    }

    /// The window in the middle of `n_fft` zeros; nothing if it is ones.
    pub(super) fn padded_window(&self, tape: &'t Tape<T>) -> Result<Option<Var<'t, T>>> {
        let length = self.win_length.unwrap_or(self.n_fft);
        let before = (self.n_fft - length) / 2;
        let window = match self.window {
            Some(window) => window,
            None if length == self.n_fft => return Ok(None),
            None => tape.constant(&Tensor::ones([length])?),
        };
        let after = self.n_fft - length - before;
        Ok(Some(if length == self.n_fft {
            window
        } else {
            window.pad([(before as isize, after as isize)], Padding::Constant(0.0))
        }))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The short-time Fourier transform along the last axis: spectra of pieces of a signal, `[.., time]` to
    /// `[.., frequencies, pieces]`. Piece t begins at t·hop, and is multiplied by the window; the settings say the rest.
    ///
    /// # Gradient
    ///
    /// By the signal and, if it is a variable, by the window.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`Argument`](ErrorKind::Argument) for no points, for a hop of 0, for a window longer than a
    /// piece, and for a signal shorter than a piece, or too short to be mirrored; [`Shape`](ErrorKind::Shape) for a window of
    /// another length.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Stft};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]));
    /// let z = x.stft(Stft::new(2).hop(2).center(false));
    /// assert_eq!(z.re.value()?, Tensor::from([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn stft(self, settings: Stft<'t, T>) -> Complex<'t, T> {
        self.tape().composed_complex("stft", || {
            let hop = settings.checked()?;
            let (n, ahead) = (settings.n_fft, settings.ahead());
            let shape = self.try_shape()?;
            let Some(&time) = shape.last() else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 1" }.into());
            };
            let least = match settings.padding {
                Padding::Reflect if ahead > 0 => ahead + 1,
                _ => n.saturating_sub(2 * ahead),
            };
            if time < least {
                return argument("the length of the signal", time, format!("at least {least}"));
            }
            let pad = ahead as isize;
            let padded = if pad == 0 { self } else { self.pad([(pad, pad)], settings.padding) };
            let mut pieces = padded.unfold(-1, n, hop);
            if let Some(window) = settings.padded_window(self.tape())? {
                pieces = pieces * window;
            }
            let z = match settings.onesided {
                true => pieces.rfft(None, -1, settings.norm()),
                false => pieces.fft(None, -1, settings.norm()),
            };
            Ok(z.each(|part| part.transpose(-1, -2)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::joined;
    use crate::conformance::{sample, shapes, wrong};
    let signals = || shapes(&[&[&[12], &[5]], &[&[2, 3, 9], &[5]], &[&[0, 9], &[5]]], -1.0, 1.0);
    vec![
        sample!("stft", signals(), |x| joined(x[0].stft(Stft::new(5).hop(2).window(x[1])))),
        sample!("stft of short windows", signals(), |x| {
            joined(x[0].stft(Stft::new(8).win_length(5).window(x[1]).center(false).normalized(true)))
        }),
        sample!("stft of both sides", signals(), |x| {
            let settings = Stft::new(6).win_length(3).onesided(false).padding(Padding::Constant(0.5));
            joined(x[0].stft(settings) * x[1].sum())
        }),
        sample!("stft of single points", signals(), |x| joined(x[0].stft(Stft::new(1)) * x[1].sum())),
        wrong!("stft", &[&[]], |x| x[0].stft(Stft::new(4)).re, "shape [] has rank 0, wanted at least 1"),
        wrong!(
            "stft",
            &[&[8]],
            |x| x[0].stft(Stft::new(0)).re,
            "the number of points is 0, wanted at least 1"
        ),
        wrong!("stft", &[&[8]], |x| x[0].stft(Stft::new(4).hop(0)).re, "hop is 0, wanted at least 1"),
        wrong!(
            "stft",
            &[&[8]],
            |x| x[0].stft(Stft::new(4).win_length(5)).re,
            "win_length is 5, wanted 1 to 4, the number of points"
        ),
        wrong!(
            "stft",
            &[&[8]],
            |x| x[0].stft(Stft::new(4).win_length(0)).re,
            "win_length is 0, wanted 1 to 4, the number of points"
        ),
        wrong!(
            "stft",
            &[&[8], &[3]],
            |x| x[0].stft(Stft::new(4).window(x[1])).re,
            "the window has shape [3], wanted [4]"
        ),
        wrong!(
            "stft",
            &[&[2]],
            |x| x[0].stft(Stft::new(4)).re,
            "the length of the signal is 2, wanted at least 3"
        ),
        wrong!(
            "stft",
            &[&[2, 3]],
            |x| x[0].stft(Stft::new(4).center(false)).re,
            "the length of the signal is 3, wanted at least 4"
        ),
    ]
}
