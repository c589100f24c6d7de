//! Convolutions of long signals, by their spectra.

use super::settings::{Norm, Sizes};
use crate::error::argument;
use crate::number::Real;
use crate::shape::Axes;
use crate::tape::{IntoVar, Var};

/// Which part of a convolution is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it: `n + m − 1` numbers of `n` and `m`.
    #[default]
    Full,
    /// The middle, as long as the first operand.
    Same,
    /// What no end of an operand has a part in: `max(n, m) − min(n, m) + 1` numbers. One operand is at least as long as the
    /// other along every axis.
    Valid,
}

/// The least even number from `n` on, or 1, without a factor above 5: transforms of such lengths are fastest.
fn fast(n: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    if n <= 1 { 1 } else { (n.next_multiple_of(2)..).step_by(2).find(|&n| smooth(n)).unwrap_or(n) }
}

impl Extent {
    /// Where the part begins, and how long it is.
    fn of(self, n: usize, m: usize) -> (usize, usize) {
        match self {
            Extent::Full => (0, n + m - 1),
            Extent::Same => ((m - 1) / 2, n),
            Extent::Valid => (n.min(m) - 1, n.max(m) - n.min(m) + 1),
        }
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The convolution with a kernel along some axes, `yⱼ = Σₖ kₖ xⱼ₋ₖ`, by way of spectra: the time grows as that of a Fourier
    /// transform, not as the product of the lengths. Both have the same number of axes; those not named broadcast.
    ///
    /// Short kernels are faster by [`conv1d`](Var::conv1d) and its kin, which do not turn the kernel round.
    ///
    /// # Gradient
    ///
    /// The correlation of the cotangent with the other operand.
    ///
    /// # Accuracy
    ///
    /// Some units of rounding of the largest number, where a sum of products has them of its own terms.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice); [`Argument`](crate::ErrorKind::Argument) for
    /// another rank of the kernel, for no axes, for an empty axis, and, if the valid part is wanted, for operands of which
    /// neither contains the other; [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Extent};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let k = tape.var(&Tensor::from([1.0, 10.0]));
    /// let close = |y: &[f64], to: &[f64]| y.iter().zip(to).all(|(a, b)| (a - b).abs() < 1e-13);
    /// assert!(close(&x.fft_convolve(k, Extent::Full, 0).value()?.to_vec(), &[1.0, 12.0, 23.0, 30.0]));
    /// assert!(close(&x.fft_convolve(k, Extent::Same, 0).value()?.to_vec(), &[1.0, 12.0, 23.0]));
    /// assert!(close(&x.fft_convolve(k, Extent::Valid, 0).value()?.to_vec(), &[12.0, 23.0]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "fftconvolve")]
    #[track_caller]
    pub fn fft_convolve(
        self,
        kernel: impl IntoVar<'t, T>,
        extent: Extent,
        axes: impl Into<Axes>,
    ) -> Var<'t, T> {
        let tape = self.tape();
        tape.composed("fft_convolve", || {
            let kernel = kernel.into_var(tape);
            let (shape, other) = (self.try_shape()?, kernel.try_shape()?);
            if shape.len() != other.len() {
                return argument("the rank of the kernel", other.len(), shape.len());
            }
            let axes = axes.into().resolve(&shape)?;
            if axes.is_empty() {
                return argument("the number of axes", 0, "at least 1");
            }
            let lengths = || axes.iter().map(|&axis| (axis, shape[axis], other[axis]));
            for (axis, n, m) in lengths() {
                if n.min(m) == 0 {
                    return argument("the length", format!("0 along axis {axis}"), "at least 1");
                }
            }
            let contains = lengths().all(|(_, n, m)| n >= m) || lengths().all(|(_, n, m)| n <= m);
            if extent == Extent::Valid && !contains {
                let found = format!("{:?} and {:?}", &shape[..], &other[..]);
                return argument("the pair of shapes", found, "one that contains the other");
            }
            let sizes: Vec<usize> = lengths().map(|(_, n, m)| fast(n + m - 1)).collect();
            let along: Vec<isize> = axes.iter().map(|&axis| axis as isize).collect();
            let spectrum = |x: Var<'t, T>| x.rfftn(Sizes::from(&sizes[..]), &along[..], Norm::Backward);
            let product = spectrum(self) * spectrum(kernel);
            let mut y = product.irfftn(Sizes::from(&sizes[..]), &along[..], Norm::Backward);
            for (axis, n, m) in lengths() {
                let (from, count) = extent.of(n, m);
                y = y.slice(axis as isize, from as isize..(from + count) as isize);
            }
            Ok(y)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let signals =
        || shapes(&[&[&[7], &[3]], &[&[2, 3], &[1, 5]], &[&[1], &[1]], &[&[0, 4], &[0, 3]]], -1.0, 1.0);
    let images = || shapes(&[&[&[2, 3, 4], &[1, 2, 2]], &[&[1, 3, 3], &[2, 4, 3]]], -1.0, 1.0);
    vec![
        sample!("fft_convolve", signals(), |x| x[0].fft_convolve(x[1], Extent::Full, -1).square()),
        sample!("fft_convolve same", signals(), |x| x[0].fft_convolve(x[1], Extent::Same, -1).square()),
        sample!("fft_convolve valid", images(), |x| x[0]
            .fft_convolve(x[1], Extent::Valid, [-2, -1])
            .square()),
        sample!("fft_convolve of everything", images(), |x| {
            x[0].fft_convolve(x[1], Extent::Full, Axes::ALL).square()
        }),
        wrong!(
            "fft_convolve",
            &[&[2], &[2, 2]],
            |x| x[0].fft_convolve(x[1], Extent::Full, 0),
            "the rank of the kernel is 2, wanted 1"
        ),
        wrong!(
            "fft_convolve",
            &[&[2], &[2]],
            |x| x[0].fft_convolve(x[1], Extent::Full, []),
            "the number of axes is 0, wanted at least 1"
        ),
        wrong!(
            "fft_convolve",
            &[&[2, 2], &[2, 0]],
            |x| x[0].fft_convolve(x[1], Extent::Full, 1),
            "the length is 0 along axis 1, wanted at least 1"
        ),
        wrong!(
            "fft_convolve",
            &[&[2, 4], &[3, 3]],
            |x| x[0].fft_convolve(x[1], Extent::Valid, Axes::ALL),
            "the pair of shapes is [2, 4] and [3, 3], wanted one that contains the other"
        ),
        wrong!(
            "mul",
            &[&[2, 4], &[3, 3]],
            |x| x[0].fft_convolve(x[1], Extent::Full, 1),
            "shapes [2, 4] and [3, 4] do not broadcast"
        ),
        wrong!(
            "fft_convolve",
            &[&[2], &[2]],
            |x| x[0].fft_convolve(x[1], Extent::Full, 1),
            "axis 1 is out of range for shape [2]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_even_and_have_small_factors() {
        let wanted = [1, 1, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 16, 16, 16, 16, 18, 18, 20, 20, 24];
        for (n, wanted) in wanted.into_iter().enumerate() {
            assert_eq!(fast(n), wanted, "{n}");
        }
        assert_eq!([fast(97), fast(1021), fast(65_537)], [100, 1024, 65_610]);
    }
}
