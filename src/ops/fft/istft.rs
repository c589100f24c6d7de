//! A signal from the spectra of its pieces.

use super::Complex;
use super::stft::Stft;
use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::ops::{Conv, Padding};
use crate::shape::same;
use crate::tape::Var;
use crate::tensor::Tensor;

/// The window's square summed over the pieces must be more than this.
const LEAST: f64 = 1e-11;

/// Pieces `[.., n, pieces]` added up where they lie, `hop` apart: `[.., total]`.
fn overlapped<'t, T: Real>(pieces: Var<'t, T>, hop: usize, total: usize) -> Result<Var<'t, T>> {
    let shape = pieces.try_shape()?;
    let [lead @ .., n, count] = &shape[..] else { unreachable!("two axes are made before") };
    let columns = pieces.reshape([lead.iter().product(), *n, *count]);
    let signal = columns.col2im([1, total], [1, *n], Conv::new().stride([1, hop]));
    Ok(signal.reshape([lead, &[total]].concat()))
}

impl<'t, T: Real> Complex<'t, T> {
    /// The inverse of [`stft`](Var::stft): the pieces `[.., frequencies, pieces]` transformed back, multiplied by the window once
    /// more, added up where they overlap, and divided by what the squares of the windows add up to. It is the signal that
    /// fits the pieces best, whatever they are.
    ///
    /// `length` cuts the signal, or fills it up with zeros; without it the signal ends with the last piece, or with its middle
    /// if pieces are centred.
    ///
    /// # Gradient
    ///
    /// By the pieces and, if it is a variable, by the window.
    ///
    /// # Errors
    ///
    /// As [`stft`](Var::stft); [`Argument`](ErrorKind::Argument) where the windows' squares add up to less than 10⁻¹¹, for instance
    /// at a first piece that is not centred and has a window that begins with 0.
    #[track_caller]
    pub fn istft(self, settings: Stft<'t, T>, length: impl Into<Option<usize>>) -> Var<'t, T> {
        let tape = self.re.tape();
        tape.composed("istft", || {
            let hop = settings.checked()?;
            let (n, ahead) = (settings.n_fft, settings.ahead());
            let shape = self.try_shape()?;
            let [lead @ .., _, count] = &shape[..] else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            };
            let frequencies = if settings.onesided { n / 2 + 1 } else { n };
            same("the spectra", &shape, &[lead, &[frequencies, *count]].concat())?;
            if *count == 0 {
                return argument("the number of pieces", 0, "at least 1");
            }
            let total = (*count - 1).checked_mul(hop).and_then(|last| last.checked_add(n));
            let Some(total) = total else { return argument("hop", hop, "a signal that fits into memory") };
            let mut pieces = match settings.onesided {
                true => self.irfft(n, -2, settings.norm()),
                false => self.ifft(n, -2, settings.norm()).re,
            };
            let window = match settings.padded_window(tape)? {
                Some(window) => {
                    let window = window.unsqueeze(-1);
                    pieces = pieces * window;
                    window
                }
                None => tape.constant(&Tensor::ones([n, 1])?),
            };
            let squares = overlapped(window.square().expand([n, *count]), hop, total)?;
            let wanted = length.into();
            let until = wanted.map_or(total - ahead, |length| ahead.saturating_add(length).min(total));
            let kept = ahead.min(until) as isize..until as isize;
            let squares = squares.slice(0, kept.clone());
            let least = squares.value()?.iter().fold(f64::INFINITY, |least, w| least.min(w.to_f64()));
            if least <= LEAST {
                return argument(
                    "the sum of the windows' squares",
                    least,
                    format!("above {LEAST:e} everywhere"),
                );
            }
            let signal = overlapped(pieces, hop, total)?.slice(-1, kept.clone()) / squares;
            let found = kept.end.abs_diff(kept.start);
            let missing = wanted.map_or(0, |length| length.saturating_sub(found));
            let missing = isize::try_from(missing).unwrap_or(isize::MAX);
            Ok(if missing > 0 { signal.pad([(0, missing)], Padding::Constant(0.0)) } else { signal })
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    // Windows away from 0: what they are divided by is not small.
    let pieces = || {
        shapes(
            &[&[&[4, 3], &[4, 3], &[6]], &[&[2, 4, 2], &[2, 4, 2], &[6]], &[&[0, 4, 3], &[0, 4, 3], &[6]]],
            0.5,
            1.5,
        )
    };
    let wide = || shapes(&[&[&[6, 3], &[6, 3], &[4]], &[&[2, 6, 2], &[2, 6, 2], &[4]]], 0.5, 1.5);
    vec![
        sample!("istft", pieces(), |x| {
            Complex::new(x[0], x[1]).istft(Stft::new(6).hop(2).window(x[2]), None).square()
        }),
        sample!("istft of a length", pieces(), |x| {
            let settings = Stft::new(7).hop(3).win_length(6).window(x[2]).normalized(true);
            Complex::new(x[0], x[1]).istft(settings, 5).square()
        }),
        sample!("istft filled up", pieces(), |x| {
            let settings = Stft::new(6).window(x[2]).center(false);
            Complex::new(x[0], x[1]).istft(settings, 15).square()
        }),
        sample!("istft of both sides", wide(), |x| {
            let settings = Stft::new(6).win_length(4).window(x[2]).hop(1).onesided(false);
            Complex::new(x[0], x[1]).istft(settings, None).square()
        }),
        wrong!(
            "istft",
            &[&[3]],
            |x| Complex::from_real(x[0]).istft(Stft::new(4), None),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "istft",
            &[&[4, 2]],
            |x| Complex::from_real(x[0]).istft(Stft::new(4), None),
            "the spectra has shape [4, 2], wanted [3, 2]"
        ),
        wrong!(
            "istft",
            &[&[3, 0]],
            |x| Complex::from_real(x[0]).istft(Stft::new(4), None),
            "the number of pieces is 0, wanted at least 1"
        ),
        wrong!(
            "istft",
            &[&[3, 2]],
            |x| Complex::from_real(x[0]).istft(Stft::new(4).hop(5).center(false), None),
            "the sum of the windows' squares is 0, wanted above 1e-11 everywhere"
        ),
        wrong!(
            "istft",
            &[&[3, 3]],
            |x| Complex::from_real(x[0]).istft(Stft::new(4).hop(usize::MAX / 2), None),
            "hop is 9223372036854775807, wanted a signal that fits into memory"
        ),
    ]
}
