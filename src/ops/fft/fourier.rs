//! Fourier transforms of complex values, and of real ones to complex ones.

use super::Complex;
use super::settings::{Along, Norm, Sizes};
use super::transform::Dft;
use crate::error::Result;
use crate::number::Real;
use crate::shape::{Axes, Shape};
use crate::tape::Var;

/// What is transformed: a value without an imaginary part is real.
#[derive(Clone, Copy)]
struct Given<'t, T: Real> {
    re: Var<'t, T>,
    im: Option<Var<'t, T>>,
}

impl<'t, T: Real> From<Var<'t, T>> for Given<'t, T> {
    fn from(re: Var<'t, T>) -> Given<'t, T> {
        Given { re, im: None }
    }
}

impl<'t, T: Real> From<Complex<'t, T>> for Given<'t, T> {
    fn from(z: Complex<'t, T>) -> Given<'t, T> {
        Given { re: z.re, im: Some(z.im) }
    }
}

impl<'t, T: Real> Given<'t, T> {
    fn shape(self) -> Result<Shape> {
        match self.im {
            None => self.re.try_shape(),
            Some(im) => Complex { re: self.re, im }.try_shape(),
        }
    }

    fn one(self, Along { axis, n }: Along, inverse: bool, norm: Norm) -> Complex<'t, T> {
        let dft = Dft { axis, n, to: n, inverse, scale: norm.scale(n, inverse), outputs: 2 };
        let parts = match self.im {
            None => self.re.tape().apply_many(dft, &[self.re], 2),
            Some(im) => self.re.tape().apply_many(dft, &[self.re, im], 2),
        };
        Complex { re: parts[0], im: parts[1] }
    }

    /// Along some axes, the last one first.
    fn transformed(self, along: &[Along], inverse: bool, norm: Norm) -> Complex<'t, T> {
        match (along.split_last(), self.im) {
            (Some((last, others)), _) => self.one(*last, inverse, norm).transformed(others, inverse, norm),
            (None, Some(im)) => Complex { re: self.re, im },
            (None, None) => Complex::from_real(self.re),
        }
    }

    #[track_caller]
    fn along(self, n: Option<usize>, axis: isize, inverse: bool, norm: Norm) -> Complex<'t, T> {
        self.re.tape().composed_complex(if inverse { "ifft" } else { "fft" }, || {
            Ok(self.transformed(&[Along::one(axis, n, &self.shape()?)?], inverse, norm))
        })
    }

    #[track_caller]
    fn over(self, name: &'static str, s: Sizes, axes: Axes, inverse: bool, norm: Norm) -> Complex<'t, T> {
        self.re.tape().composed_complex(name, || {
            let along = Along::several(&axes, &s, &self.shape()?, false)?;
            Ok(self.transformed(&along, inverse, norm))
        })
    }
}

impl<'t, T: Real> Complex<'t, T> {
    /// Along some axes, the last one first.
    pub(super) fn transformed(self, along: &[Along], inverse: bool, norm: Norm) -> Complex<'t, T> {
        Given::from(self).transformed(along, inverse, norm)
    }

    /// The discrete Fourier transform along an axis, `Zⱼ = Σₖ zₖ e^(−2πijk/n)`, scaled by what [`Norm`] says. The axis is cut to
    /// `n`, or filled up with zeros, first; `None` takes it as it is.
    ///
    /// Any length is fast: the time grows as `n log n` for primes, too.
    ///
    /// # Gradient
    ///
    /// The unscaled inverse of the cotangent, as scaled.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for no points;
    /// [`Shape`](crate::ErrorKind::Shape) if the parts differ in shape.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Complex, Norm}};
    ///
    /// let tape = Tape::new();
    /// let z = Complex::from_real(tape.var(&Tensor::from([1.0, 0.0, 0.0, 0.0])));
    /// let spectrum = z.fft(None, -1, Norm::Backward);
    /// assert_eq!(spectrum.re.value()?.to_vec(), [1.0; 4]);
    /// assert_eq!(spectrum.ifft(None, -1, Norm::Backward).re.value()?.to_vec(), [1.0, 0.0, 0.0, 0.0]);
    /// // The square of the norm grows by n; so does its gradient.
    /// assert_eq!(spectrum.abs_square().sum().backward()?.wrt(z.re)?.to_vec(), [8.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn fft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        Given::from(self).along(n.into(), axis, false, norm)
    }

    /// The inverse of [`fft`](Complex::fft), `zₖ = 1/n Σⱼ Zⱼ e^(2πijk/n)`.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        Given::from(self).along(n.into(), axis, true, norm)
    }

    /// [`fft`](Complex::fft) along each of some axes, of the lengths `s`.
    ///
    /// # Errors
    ///
    /// As there; [`AxisTwice`](crate::ErrorKind::AxisTwice); [`Argument`](crate::ErrorKind::Argument) for another number of
    /// lengths than axes.
    #[track_caller]
    pub fn fftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("fftn", s.into(), axes.into(), false, norm)
    }

    /// [`ifft`](Complex::ifft) along each of some axes, of the lengths `s`.
    ///
    /// # Errors
    ///
    /// As [`fftn`](Complex::fftn).
    #[track_caller]
    pub fn ifftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("ifftn", s.into(), axes.into(), true, norm)
    }

    /// [`fftn`](Complex::fftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Complex, Norm}};
    ///
    /// let tape = Tape::<f64>::new();
    /// let z = Complex::from_real(tape.var(&Tensor::ones([2, 3])?));
    /// let spectrum = z.fft2(None, Norm::Backward);
    /// let wanted = Tensor::from([[6.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
    /// assert!(spectrum.re.value()?.all_close(&wanted, 0.0, 1e-14)?);
    /// let back = spectrum.ifft2(None, Norm::Backward);
    /// assert!(back.re.value()?.all_close(&Tensor::ones([2, 3])?, 0.0, 1e-14)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn fft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("fft2", s.into(), [-2, -1].into(), false, norm)
    }

    /// [`ifftn`](Complex::ifftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("ifft2", s.into(), [-2, -1].into(), true, norm)
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// [`Complex::fft`] of a real value, at half its price. The second half of the result mirrors the first, which
    /// [`rfft`](Var::rfft) gives alone.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Norm};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0, 0.0, 0.0]));
    /// let (re, im) = x.fft(None, 0, Norm::Backward).values()?;
    /// assert_eq!((re.to_vec(), im.to_vec()), (vec![1.0, 0.0, -1.0, 0.0], vec![0.0, -1.0, 0.0, 1.0]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn fft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        Given::from(self).along(n.into(), axis, false, norm)
    }

    /// [`Complex::ifft`] of a real value.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        Given::from(self).along(n.into(), axis, true, norm)
    }

    /// [`Complex::fftn`] of a real value.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn fftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("fftn", s.into(), axes.into(), false, norm)
    }

    /// [`Complex::ifftn`] of a real value.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("ifftn", s.into(), axes.into(), true, norm)
    }

    /// [`Complex::fft2`] of a real value.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn fft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("fft2", s.into(), [-2, -1].into(), false, norm)
    }

    /// [`Complex::ifft2`] of a real value.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        Given::from(self).over("ifft2", s.into(), [-2, -1].into(), true, norm)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::joined;
    use crate::conformance::{sample, shapes, wrong};
    let lines = || shapes(&[&[&[1]], &[&[2, 3, 5]], &[&[2, 8]], &[&[0, 4]], &[&[1, 33]]], -1.0, 1.0);
    let pairs = || {
        shapes(
            &[&[&[1], &[1]], &[&[2, 3, 5], &[2, 3, 5]], &[&[2, 8], &[2, 8]], &[&[0, 4], &[0, 4]]],
            -1.0,
            1.0,
        )
    };
    let planes = || shapes(&[&[&[2, 3, 5]], &[&[4, 3]], &[&[0, 2, 2]]], -1.0, 1.0);
    let full = || shapes(&[&[&[2, 3, 5]], &[&[4, 3]]], -1.0, 1.0);
    let plane_pairs = || shapes(&[&[&[2, 3, 5], &[2, 3, 5]], &[&[4, 3], &[4, 3]]], -1.0, 1.0);
    vec![
        sample!("fft", pairs(), |x| joined(Complex::new(x[0], x[1]).fft(None, -1, Norm::Backward))),
        sample!("fft padded", pairs(), |x| joined(Complex::new(x[0], x[1]).fft(10, 0, Norm::Ortho))),
        sample!("fft cut", plane_pairs(), |x| joined(Complex::new(x[0], x[1]).fft(2, -2, Norm::Forward))),
        sample!("ifft", pairs(), |x| joined(Complex::new(x[0], x[1]).ifft(None, -1, Norm::Backward))),
        sample!("ifft cut", plane_pairs(), |x| joined(Complex::new(x[0], x[1]).ifft(2, -1, Norm::Forward))),
        sample!("fft of one part", pairs(), |x| Complex::new(x[0], x[1])
            .fft(None, -1, Norm::Ortho)
            .im
            .square()),
        sample!("fft of reals", lines(), |x| joined(x[0].fft(None, -1, Norm::Backward))),
        sample!("fft of reals padded", planes(), |x| joined(x[0].fft(7, 0, Norm::Ortho))),
        sample!("fft of reals cut", planes(), |x| joined(x[0].fft(2, -2, Norm::Forward))),
        sample!("ifft of reals", lines(), |x| joined(x[0].ifft(None, -1, Norm::Backward))),
        sample!("fftn", plane_pairs(), |x| {
            joined(Complex::new(x[0], x[1]).fftn([3, 4], [-1, 0], Norm::Ortho))
        }),
        sample!("fftn of everything", plane_pairs(), |x| {
            joined(Complex::new(x[0], x[1]).fftn(None, Axes::ALL, Norm::Forward))
        }),
        sample!("ifftn", plane_pairs(), |x| {
            joined(Complex::new(x[0], x[1]).ifftn([6], Axes::ALL, Norm::Backward))
        }),
        sample!("fft2", plane_pairs(), |x| joined(Complex::new(x[0], x[1]).fft2([2, 4], Norm::Ortho))),
        sample!("ifft2", plane_pairs(), |x| joined(Complex::new(x[0], x[1]).ifft2(None, Norm::Backward))),
        sample!("fftn of reals", planes(), |x| joined(x[0].fftn([3, 4], [-1, 0], Norm::Ortho))),
        sample!("fftn of no axes", planes(), |x| joined(x[0].fftn(None, [], Norm::Ortho) * x[0])),
        sample!("ifftn of reals", full(), |x| joined(x[0].ifftn(None, Axes::ALL, Norm::Backward))),
        sample!("fft2 of reals", planes(), |x| joined(x[0].fft2(None, Norm::Backward))),
        sample!("ifft2 of reals", planes(), |x| joined(x[0].ifft2([3, 3], Norm::Backward))),
        wrong!("fft", &[&[2]], |x| x[0].fft(None, 1, Norm::Ortho).re, "axis 1 is out of range for shape [2]"),
        wrong!(
            "ifft",
            &[&[2]],
            |x| x[0].ifft(0, 0, Norm::Ortho).im,
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "fft",
            &[&[2, 0]],
            |x| x[0].fft(None, 1, Norm::Ortho).re,
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "ifft",
            &[&[2], &[3]],
            |x| Complex::new(x[0], x[1]).ifft(None, 0, Norm::Ortho).re,
            "the imaginary part has shape [3], wanted [2]"
        ),
        wrong!("fftn", &[&[2, 3]], |x| x[0].fftn(None, [0, -2], Norm::Ortho).re, "axis 0 is given twice"),
        wrong!(
            "ifftn",
            &[&[2, 3]],
            |x| x[0].ifftn([2, 2], [0], Norm::Ortho).re,
            "the number of lengths is 2, wanted 1"
        ),
        wrong!(
            "fftn",
            &[&[2]],
            |x| x[0].fftn([2, 2], Axes::ALL, Norm::Ortho).re,
            "the number of lengths is 2, wanted at most 1"
        ),
        wrong!("fft2", &[&[2]], |x| x[0].fft2(None, Norm::Ortho).re, "axis -2 is out of range for shape [2]"),
        wrong!(
            "ifft2",
            &[&[2, 2]],
            |x| Complex::from_real(x[0]).ifft2([2, 0], Norm::Ortho).re,
            "the number of points is 0, wanted at least 1"
        ),
    ]
}
