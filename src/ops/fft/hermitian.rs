//! Transforms between real values and half spectra: the other half is their mirror image.

use super::Complex;
use super::settings::{Along, Norm, Sizes, of_half};
use super::transform::{Half, Whole};
use crate::error::{Result, argument};
use crate::kernels::fft::Weights;
use crate::number::Real;
use crate::shape::{Axes, Shape};
use crate::tape::Var;

/// `rfft`, or its conjugate `ihfft`, along the last of some axes, and the complex transform along the others.
#[track_caller]
fn forward<'t, T: Real>(
    x: Var<'t, T>,
    name: &'static str,
    along: impl FnOnce(&Shape) -> Result<smallvec::SmallVec<[Along; 4]>>,
    conjugate: bool,
    norm: Norm,
) -> Complex<'t, T> {
    x.tape().composed_complex(name, || {
        let along = along(&x.try_shape()?)?;
        let Some((&Along { axis, n }, others)) = along.split_last() else {
            return argument("the number of axes", 0, "at least 1");
        };
        let weights = Weights { scale: norm.scale(n, conjugate), interior: 1.0, conjugate };
        let parts = x.tape().apply_many(Half { axis, n, to: n / 2 + 1, weights }, &[x], 2);
        Ok(Complex { re: parts[0], im: parts[1] }.transformed(others, conjugate, norm))
    })
}

/// `irfft`, or `hfft` of the conjugate, along the last of some axes, after the complex transform along the others.
#[track_caller]
fn backward<'t, T: Real>(
    z: Complex<'t, T>,
    name: &'static str,
    along: impl FnOnce(&Shape) -> Result<smallvec::SmallVec<[Along; 4]>>,
    conjugate: bool,
    norm: Norm,
) -> Var<'t, T> {
    z.re.tape().composed(name, || {
        let shape = z.try_shape()?;
        let along = along(&shape)?;
        let Some((&Along { axis, n }, others)) = along.split_last() else {
            return argument("the number of axes", 0, "at least 1");
        };
        let z = z.transformed(others, !conjugate, norm);
        let weights = Weights { scale: norm.scale(n, !conjugate), interior: 1.0, conjugate };
        Ok(z.re.tape().apply(Whole { axis, n, to: n, weights }, &[z.re, z.im]))
    })
}

fn one(axis: isize, n: Option<usize>) -> impl FnOnce(&Shape) -> Result<smallvec::SmallVec<[Along; 4]>> {
    move |shape| Along::one(axis, n, shape).map(|along| smallvec::smallvec![along])
}

fn one_of_half(
    axis: isize,
    n: Option<usize>,
) -> impl FnOnce(&Shape) -> Result<smallvec::SmallVec<[Along; 4]>> {
    move |shape| {
        let m = shape[crate::shape::resolve_axis(axis, shape)?];
        Along::one(axis, Some(n.unwrap_or(of_half(m))), shape).map(|along| smallvec::smallvec![along])
    }
}

fn over(
    s: impl Into<Sizes>,
    axes: impl Into<Axes>,
    half: bool,
) -> impl FnOnce(&Shape) -> Result<smallvec::SmallVec<[Along; 4]>> {
    let (s, axes) = (s.into(), axes.into());
    move |shape| Along::several(&axes, &s, shape, half)
}

impl<'t, T: Real> Var<'t, T> {
    /// The first n/2 + 1 numbers of the Fourier transform of a real axis, `Zⱼ = Σₖ xₖ e^(−2πijk/n)`, scaled by what
    /// [`Norm`] says: all that there is to know of it, since Zₙ₋ⱼ is the conjugate of Zⱼ. The axis is cut to `n`, or filled up
    /// with zeros, first; `None` takes it as it is.
    ///
    /// # Gradient
    ///
    /// That of a sum over half the spectrum: a loss that is to count all of it counts the numbers between the ends twice.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for no points.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Norm};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let spectrum = x.rfft(None, -1, Norm::Backward);
    /// let (re, im) = spectrum.values()?;
    /// assert_eq!((re.to_vec(), im.to_vec()), (vec![10.0, -2.0, -2.0], vec![0.0, 2.0, 0.0]));
    /// assert_eq!(spectrum.irfft(4, -1, Norm::Backward).value()?.to_vec(), [1.0, 2.0, 3.0, 4.0]);
    /// // The first number alone: the sum.
    /// assert_eq!(spectrum.re.slice(0, ..1).sum().backward()?.wrt(x)?.to_vec(), [1.0; 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn rfft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        forward(self, "rfft", one(axis, n.into()), false, norm)
    }

    /// The inverse of [`hfft`](Complex::hfft): the conjugate of [`rfft`](Var::rfft), over n.
    ///
    /// # Errors
    ///
    /// As [`rfft`](Var::rfft).
    #[track_caller]
    pub fn ihfft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Complex<'t, T> {
        forward(self, "ihfft", one(axis, n.into()), true, norm)
    }

    /// [`rfft`](Var::rfft) along the last of some axes, then [`fft`](Complex::fft) along the others.
    ///
    /// # Errors
    ///
    /// As there; [`AxisTwice`](crate::ErrorKind::AxisTwice); [`Argument`](crate::ErrorKind::Argument) for no axes, and for
    /// another number of lengths than axes.
    ///
    /// ```
    /// use retrograde::{Axes, Tape, Tensor, fft::Norm};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([2, 3, 4])?);
    /// let spectrum = x.rfftn(None, Axes::ALL, Norm::Backward);
    /// assert_eq!(spectrum.re.value()?.shape(), [2, 3, 3]);
    /// let back = spectrum.irfftn(None, Axes::ALL, Norm::Backward);
    /// assert!(back.value()?.all_close(&x.value()?, 0.0, 1e-14)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn rfftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        forward(self, "rfftn", over(s, axes, false), false, norm)
    }

    /// [`ihfft`](Var::ihfft) along the last of some axes, then [`ifft`](Complex::ifft) along the others.
    ///
    /// # Errors
    ///
    /// As [`rfftn`](Var::rfftn).
    #[track_caller]
    pub fn ihfftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Complex<'t, T> {
        forward(self, "ihfftn", over(s, axes, false), true, norm)
    }

    /// [`rfftn`](Var::rfftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn rfft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        forward(self, "rfft2", over(s, [-2, -1], false), false, norm)
    }

    /// [`ihfftn`](Var::ihfftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ihfft2(self, s: impl Into<Sizes>, norm: Norm) -> Complex<'t, T> {
        forward(self, "ihfft2", over(s, [-2, -1], false), true, norm)
    }
}

impl<'t, T: Real> Complex<'t, T> {
    /// The inverse of [`rfft`](Var::rfft): `n` real numbers from the first n/2 + 1 of their spectrum. `None` makes 2(m − 1) of
    /// m; an odd number must be said.
    ///
    /// As in NumPy and PyTorch a spectrum of another length is cut, or filled up with zeros, and the imaginary parts of number
    /// 0 and, of an even n, number n/2 do not count: those of a spectrum of real numbers are 0.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for no points, also by `None` from one number;
    /// [`Shape`](crate::ErrorKind::Shape) if the parts differ in shape.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Complex, Norm}};
    ///
    /// let tape = Tape::new();
    /// let z = Complex::from_real(tape.var(&Tensor::from([0.0, 1.0])));
    /// assert_eq!(z.irfft(None, 0, Norm::Forward).value()?.to_vec(), [1.0, -1.0]);
    /// let y = z.irfft(4, 0, Norm::Forward);
    /// assert_eq!(y.value()?.to_vec(), [2.0, 0.0, -2.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn irfft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        backward(self, "irfft", one_of_half(axis, n.into()), false, norm)
    }

    /// The transform of a signal that is Hermitian, of which the first n/2 + 1 numbers are given: its spectrum is real. It is
    /// the unscaled [`irfft`](Complex::irfft) of the conjugate.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Complex, Norm}};
    ///
    /// let tape = Tape::new();
    /// let z = Complex::new(tape.var(&Tensor::from([1.0, 0.0, 0.0])), tape.var(&Tensor::from([0.0, 1.0, 0.0])));
    /// let y = z.hfft(None, 0, Norm::Backward);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 3.0, 1.0, -1.0]);
    /// assert_eq!(y.ihfft(None, 0, Norm::Backward).im.value()?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hfft(self, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        backward(self, "hfft", one_of_half(axis, n.into()), true, norm)
    }

    /// The inverse of [`rfftn`](Var::rfftn): [`ifft`](Complex::ifft) along all but the last of some axes, then
    /// [`irfft`](Complex::irfft) along that.
    ///
    /// # Errors
    ///
    /// As there; [`AxisTwice`](crate::ErrorKind::AxisTwice); [`Argument`](crate::ErrorKind::Argument) for no axes, and for
    /// another number of lengths than axes.
    #[track_caller]
    pub fn irfftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Var<'t, T> {
        backward(self, "irfftn", over(s, axes, true), false, norm)
    }

    /// [`fft`](Complex::fft) along all but the last of some axes, then [`hfft`](Complex::hfft) along that.
    ///
    /// # Errors
    ///
    /// As [`irfftn`](Complex::irfftn).
    #[track_caller]
    pub fn hfftn(self, s: impl Into<Sizes>, axes: impl Into<Axes>, norm: Norm) -> Var<'t, T> {
        backward(self, "hfftn", over(s, axes, true), true, norm)
    }

    /// [`irfftn`](Complex::irfftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn irfft2(self, s: impl Into<Sizes>, norm: Norm) -> Var<'t, T> {
        backward(self, "irfft2", over(s, [-2, -1], true), false, norm)
    }

    /// [`hfftn`](Complex::hfftn) over the last two axes.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn hfft2(self, s: impl Into<Sizes>, norm: Norm) -> Var<'t, T> {
        backward(self, "hfft2", over(s, [-2, -1], true), true, norm)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::joined;
    use crate::conformance::{sample, shapes, wrong};
    let lines = || shapes(&[&[&[1]], &[&[2, 3, 5]], &[&[2, 8]], &[&[0, 4]], &[&[1, 33]]], -1.0, 1.0);
    let planes = || shapes(&[&[&[2, 3, 5]], &[&[4, 3]], &[&[0, 2, 2]]], -1.0, 1.0);
    let full = || shapes(&[&[&[2, 3, 5]], &[&[4, 3]]], -1.0, 1.0);
    let pairs = || {
        shapes(
            &[&[&[2], &[2]], &[&[2, 3, 5], &[2, 3, 5]], &[&[2, 8], &[2, 8]], &[&[0, 4], &[0, 4]]],
            -1.0,
            1.0,
        )
    };
    let plane_pairs = || shapes(&[&[&[2, 3, 5], &[2, 3, 5]], &[&[4, 3], &[4, 3]]], -1.0, 1.0);
    vec![
        sample!("rfft", lines(), |x| joined(x[0].rfft(None, -1, Norm::Backward))),
        sample!("rfft padded", planes(), |x| joined(x[0].rfft(8, 0, Norm::Ortho))),
        sample!("rfft cut", planes(), |x| joined(x[0].rfft(2, -2, Norm::Forward))),
        sample!("rfft of one point", planes(), |x| joined(x[0].rfft(1, 0, Norm::Forward))),
        sample!("ihfft", lines(), |x| joined(x[0].ihfft(None, -1, Norm::Backward))),
        sample!("ihfft cut", planes(), |x| joined(x[0].ihfft(2, -2, Norm::Forward))),
        sample!("irfft", pairs(), |x| Complex::new(x[0], x[1]).irfft(None, -1, Norm::Backward).square()),
        sample!("irfft of an odd number", plane_pairs(), |x| {
            Complex::new(x[0], x[1]).irfft(9, -1, Norm::Ortho).square()
        }),
        sample!("irfft filled up", plane_pairs(), |x| Complex::new(x[0], x[1])
            .irfft(16, 0, Norm::Forward)
            .square()),
        sample!("irfft cut", plane_pairs(), |x| Complex::new(x[0], x[1])
            .irfft(3, -1, Norm::Forward)
            .square()),
        sample!("irfft of one point", pairs(), |x| Complex::new(x[0], x[1])
            .irfft(1, -1, Norm::Ortho)
            .square()),
        sample!("hfft", pairs(), |x| Complex::new(x[0], x[1]).hfft(None, -1, Norm::Backward).square()),
        sample!("hfft of an odd number", plane_pairs(), |x| {
            Complex::new(x[0], x[1]).hfft(5, 0, Norm::Forward).square()
        }),
        sample!("rfftn", planes(), |x| joined(x[0].rfftn([4, 3], [-1, 0], Norm::Ortho))),
        sample!("ihfftn", full(), |x| joined(x[0].ihfftn(None, Axes::ALL, Norm::Backward))),
        sample!("rfft2", planes(), |x| joined(x[0].rfft2(None, Norm::Forward))),
        sample!("ihfft2", planes(), |x| joined(x[0].ihfft2([2, 5], Norm::Forward))),
        sample!("irfftn", plane_pairs(), |x| {
            Complex::new(x[0], x[1]).irfftn(None, Axes::ALL, Norm::Backward).square()
        }),
        sample!("hfftn", plane_pairs(), |x| Complex::new(x[0], x[1])
            .hfftn([3, 4], [-1, 0], Norm::Ortho)
            .square()),
        sample!("irfft2", plane_pairs(), |x| Complex::new(x[0], x[1])
            .irfft2([3, 5], Norm::Backward)
            .square()),
        sample!("hfft2", plane_pairs(), |x| Complex::new(x[0], x[1]).hfft2(None, Norm::Backward).square()),
        wrong!(
            "rfft",
            &[&[2]],
            |x| x[0].rfft(None, -2, Norm::Ortho).re,
            "axis -2 is out of range for shape [2]"
        ),
        wrong!(
            "ihfft",
            &[&[2]],
            |x| x[0].ihfft(0, 0, Norm::Ortho).re,
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "irfft",
            &[&[3, 1]],
            |x| Complex::from_real(x[0]).irfft(None, 1, Norm::Ortho),
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "irfft",
            &[&[3, 0]],
            |x| Complex::from_real(x[0]).irfft(None, 1, Norm::Ortho),
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "hfft",
            &[&[3], &[3, 1]],
            |x| Complex::new(x[0], x[1]).hfft(None, 0, Norm::Ortho),
            "the imaginary part has shape [3, 1], wanted [3]"
        ),
        wrong!(
            "hfft",
            &[&[3]],
            |x| Complex::from_real(x[0]).hfft(4, 1, Norm::Ortho),
            "axis 1 is out of range for shape [3]"
        ),
        wrong!(
            "rfftn",
            &[&[2]],
            |x| x[0].rfftn(None, [], Norm::Ortho).re,
            "the number of axes is 0, wanted at least 1"
        ),
        wrong!(
            "irfftn",
            &[&[]],
            |x| Complex::from_real(x[0]).irfftn(None, Axes::ALL, Norm::Ortho),
            "the number of axes is 0, wanted at least 1"
        ),
        wrong!(
            "rfft2",
            &[&[2]],
            |x| x[0].rfft2(None, Norm::Ortho).re,
            "axis -2 is out of range for shape [2]"
        ),
        wrong!("ihfftn", &[&[2]], |x| x[0].ihfftn([2], [0, 0], Norm::Ortho).re, "axis 0 is given twice"),
    ]
}
