//! Complex values: pairs of variables.

use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A complex value: the variables of its real and its imaginary part, of one shape.
///
/// Whatever acts on real values acts on [`re`](Complex::re) and [`im`](Complex::im): slices, sums, products with real
/// matrices. Methods here are those that mix the two. An error of one part is met where a number is asked for.
///
/// # Gradient
///
/// The parts are variables of their own, so the cotangent of z is the pair `(∂L/∂re, ∂L/∂im)`. As a complex number,
/// `∂L/∂re + i ∂L/∂im`, that is the conjugate Wirtinger derivative times 2: the direction of steepest ascent, and what
/// PyTorch calls the gradient; JAX's is its conjugate. That of |z|² is 2z:
///
/// ```
/// use retrograde::{Tape, Tensor, fft::Complex};
///
/// let tape = Tape::<f64>::new();
/// let z = Complex::new(tape.var(&Tensor::scalar(1.0)), tape.var(&Tensor::scalar(2.0)));
/// let grads = z.abs_square().backward()?;
/// assert_eq!((grads.wrt(z.re)?.item()?, grads.wrt(z.im)?.item()?), (2.0, 4.0));
///
/// let (re, im) = (z * z / z - 1.0).values()?;
/// assert!(re.item()?.abs() < 1e-15 && (im.item()? - 2.0).abs() < 1e-15);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Complex<'t, T: Real> {
    /// The real part.
    pub re: Var<'t, T>,
    /// The imaginary part.
    pub im: Var<'t, T>,
}

impl<T: Real> Tape<T> {
    /// Runs `f` on behalf of one line, as `composed` does for one variable.
    #[track_caller]
    pub(super) fn composed_complex<'t>(
        &'t self,
        name: &'static str,
        f: impl FnOnce() -> Result<Complex<'t, T>>,
    ) -> Complex<'t, T> {
        let [re, im] = self.composed_many(name, || f().map(|z| [z.re, z.im]));
        Complex { re, im }
    }
}

impl<'t, T: Real> Complex<'t, T> {
    /// The value `re + i·im`.
    pub fn new(re: Var<'t, T>, im: Var<'t, T>) -> Complex<'t, T> {
        Complex { re, im }
    }

    /// A real value; the imaginary part is zeros, a constant.
    #[track_caller]
    pub fn from_real(re: Var<'t, T>) -> Complex<'t, T> {
        Complex { re, im: re.zeros_like() }
    }

    /// The value `r·(cos φ + i sin φ)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Complex};
    ///
    /// let tape = Tape::<f64>::new();
    /// let z = Complex::from_polar(tape.scalar(2.0), tape.scalar(0.75));
    /// assert!((z.abs().item()? - 2.0).abs() < 1e-15 && (z.arg().item()? - 0.75).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn from_polar(r: Var<'t, T>, phi: Var<'t, T>) -> Complex<'t, T> {
        r.tape().composed_complex("from_polar", || Ok(Complex { re: r * phi.cos(), im: r * phi.sin() }))
    }

    /// The plain tensors of the two parts.
    ///
    /// # Errors
    ///
    /// That of a part; [`Shape`](crate::ErrorKind::Shape) if their shapes differ.
    pub fn values(self) -> Result<(Tensor<T>, Tensor<T>)> {
        let (re, im) = (self.re.value()?, self.im.value()?);
        same("the imaginary part", im.shape(), re.shape())?;
        Ok((re, im))
    }

    /// The shape of both parts.
    pub(super) fn try_shape(self) -> Result<crate::shape::Shape> {
        let shape = self.re.try_shape()?;
        same("the imaginary part", &self.im.try_shape()?, &shape)?;
        Ok(shape)
    }

    /// The same function of both parts.
    pub(super) fn each(self, f: impl Fn(Var<'t, T>) -> Var<'t, T>) -> Complex<'t, T> {
        Complex { re: f(self.re), im: f(self.im) }
    }

    /// The conjugate, `re − i·im`.
    #[track_caller]
    pub fn conj(self) -> Complex<'t, T> {
        Complex { re: self.re, im: -self.im }
    }

    /// The modulus `√(re² + im²)`, without overflow in between.
    ///
    /// # Gradient
    ///
    /// `z/|z|`; 0 at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::Complex};
    ///
    /// let tape = Tape::new();
    /// let z = Complex::new(tape.var(&Tensor::from([3.0, 0.0])), tape.var(&Tensor::from([4.0, 0.0])));
    /// assert_eq!(z.abs().value()?.to_vec(), [5.0, 0.0]);
    /// let grads = z.abs().sum().backward()?;
    /// assert_eq!(grads.wrt(z.re)?.to_vec(), [0.6, 0.0]);
    /// assert_eq!(grads.wrt(z.im)?.to_vec(), [0.8, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "norm")]
    #[track_caller]
    pub fn abs(self) -> Var<'t, T> {
        self.re.hypot(self.im)
    }

    /// `re² + im²`, smooth everywhere.
    #[doc(alias = "norm_sqr")]
    #[track_caller]
    pub fn abs_square(self) -> Var<'t, T> {
        self.re.tape().composed("abs_square", || Ok(self.re.square() + self.im.square()))
    }

    /// The angle in [−π, π].
    ///
    /// # Gradient
    ///
    /// `(−im, re)/|z|²`; 0 at 0.
    #[doc(alias = "angle")]
    #[track_caller]
    pub fn arg(self) -> Var<'t, T> {
        self.im.atan2(self.re)
    }

    /// The exponential function, `e^re (cos im + i sin im)`.
    ///
    /// ```
    /// use retrograde::{Tape, fft::Complex};
    /// use std::f64::consts::PI;
    ///
    /// let tape = Tape::<f64>::new();
    /// let (re, im) = Complex::new(tape.scalar(0.0), tape.scalar(PI)).exp().values()?;
    /// assert!((re.item()? + 1.0).abs() < 1e-15 && im.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn exp(self) -> Complex<'t, T> {
        self.re.tape().composed_complex("exp", || Ok(Complex::from_polar(self.re.exp(), self.im)))
    }
}

impl<'t, T: Real> From<Var<'t, T>> for Complex<'t, T> {
    #[track_caller]
    fn from(re: Var<'t, T>) -> Complex<'t, T> {
        Complex::from_real(re)
    }
}

impl<'t, T: Real> Neg for Complex<'t, T> {
    type Output = Complex<'t, T>;
    #[track_caller]
    fn neg(self) -> Complex<'t, T> {
        self.each(|part| -part)
    }
}

/// An operator between complex values, of which both sides may be made.
macro_rules! complex_operators {
    ($($trait:ident $method:ident |$a:ident, $b:ident| $body:expr;)*) => {$(
        impl<'t, T: Real> $trait for Complex<'t, T> {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn $method(self, other: Complex<'t, T>) -> Complex<'t, T> {
                let ($a, $b) = (self, other);
                self.re.tape().composed_complex(stringify!($method), || Ok($body))
            }
        }
    )*};
}
complex_operators! {
    Add add |a, b| Complex { re: a.re + b.re, im: a.im + b.im };
    Sub sub |a, b| Complex { re: a.re - b.re, im: a.im - b.im };
    Mul mul |a, b| Complex { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
    // By the modulus twice: its square may overflow where the quotient does not.
    Div div |a, b| {
        let r = b.abs();
        a * b.conj().each(|part| part / r) / r
    };
}

/// An operator between a complex value and a real one, a variable or a number: of the real part, or of both.
macro_rules! real_operators {
    ($($trait:ident $method:ident $parts:ident;)*) => {$(
        impl<'t, T: Real> $trait<Var<'t, T>> for Complex<'t, T> {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn $method(self, other: Var<'t, T>) -> Complex<'t, T> {
                self.re.tape().composed_complex(stringify!($method), || Ok(real_operators!($parts $method self other)))
            }
        }
        impl<'t, T: Real> $trait<f64> for Complex<'t, T> {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn $method(self, other: f64) -> Complex<'t, T> {
                self.re.tape().composed_complex(stringify!($method), || Ok(real_operators!($parts $method self other)))
            }
        }
    )*};
    (both $method:ident $z:ident $other:ident) => { $z.each(|part| part.$method($other)) };
    (first $method:ident $z:ident $other:ident) => {{
        let re = $z.re.$method($other);
        // A sum may have a larger shape than its complex part.
        Complex { re, im: $z.im.expand(re.try_shape()?) }
    }};
}
real_operators! {
    Add add first;
    Sub sub first;
    Mul mul both;
    Div div both;
}

/// The operators that may come in either order, with the real value first.
macro_rules! real_first {
    ($($real:ty)*) => {$(
        impl<'t, T: Real> Add<Complex<'t, T>> for $real {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn add(self, z: Complex<'t, T>) -> Complex<'t, T> {
                z + self
            }
        }
        impl<'t, T: Real> Sub<Complex<'t, T>> for $real {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn sub(self, z: Complex<'t, T>) -> Complex<'t, T> {
                -z + self
            }
        }
        impl<'t, T: Real> Mul<Complex<'t, T>> for $real {
            type Output = Complex<'t, T>;
            #[track_caller]
            fn mul(self, z: Complex<'t, T>) -> Complex<'t, T> {
                z * self
            }
        }
    )*};
}
real_first! { Var<'t, T> f64 }

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::joined;
    use crate::conformance::{sample, shapes, wrong};
    let pairs = || shapes(&[&[&[2, 3], &[2, 3]], &[&[5], &[5]], &[&[], &[]], &[&[0], &[0]]], 0.3, 1.5);
    let fours = || {
        let of = |s: &'static [usize]| [s; 4];
        shapes(&[&of(&[2, 3]), &of(&[]), &of(&[0, 2]), &[&[3], &[3], &[2, 1], &[2, 1]]], 0.3, 1.5)
    };
    let threes = || {
        let grown: &[&[usize]] = &[&[3], &[3], &[2, 1]];
        shapes(&[&[&[2, 3], &[2, 3], &[2, 3]], &[&[], &[], &[]], grown], 0.3, 1.5)
    };
    vec![
        sample!("complex from polar", pairs(), |x| joined(Complex::from_polar(x[0], x[1]))),
        sample!("complex from real", pairs(), |x| joined(
            Complex::from_real(x[0]) * Complex::new(x[0], x[1])
        )),
        sample!("complex conj", pairs(), |x| joined(Complex::new(x[0], x[1]).conj())),
        sample!("complex abs", pairs(), |x| Complex::new(x[0], x[1]).abs()),
        sample!("complex abs_square", pairs(), |x| Complex::new(x[0], x[1]).abs_square()),
        sample!("complex arg", pairs(), |x| Complex::new(x[0], x[1]).arg()),
        sample!("complex exp", pairs(), |x| joined(Complex::new(x[0], x[1]).exp())),
        sample!("complex operators", fours(), |x| {
            let (z, w) = (Complex::new(x[0], x[1]), Complex::new(x[2], x[3]));
            joined(-(z + w) / (z - w * 4.0) * w)
        }),
        sample!("complex and real operators", threes(), |x| {
            let z = Complex::new(x[0], x[1]);
            joined((x[2] - ((z + x[2]) * x[2] - x[2]) / x[2]) * (x[2] * (x[2] + z)))
        }),
        sample!("complex and number operators", pairs(), |x| {
            let z = Complex::new(x[0], x[1]);
            joined((1.5 - ((z + 0.7) * 1.5 - 0.3) / 0.9) * (2.5 * (0.2 + z)))
        }),
        wrong!(
            "mul",
            &[&[2], &[3]],
            |x| (Complex::from_real(x[0]) * Complex::from_real(x[1])).im,
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "add",
            &[&[2], &[3]],
            |x| (Complex::from_real(x[0]) + x[1]).im,
            "shapes [2] and [3] do not broadcast"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_and_moduli_do_not_overflow_in_between() {
        let tape = Tape::<f64>::new();
        let z = Complex::new(tape.scalar(3e200), tape.scalar(4e200));
        let (re, im) = (Complex::new(tape.scalar(7e200), tape.scalar(1e200)) / z).values().unwrap();
        assert!((re.item().unwrap() - 1.0).abs() < 1e-15 && (im.item().unwrap() + 1.0).abs() < 1e-15);
        assert!((z.abs().item().unwrap() - 5e200).abs() < 1e186);
    }

    #[test]
    fn parts_of_different_shapes_are_refused() {
        let tape = Tape::<f64>::new();
        let z = Complex::new(tape.var(&Tensor::zeros([2]).unwrap()), tape.var(&Tensor::zeros([3]).unwrap()));
        let text = "the imaginary part has shape [3], wanted [2]";
        assert_eq!(z.values().unwrap_err().kind().to_string(), text);
        let error = z.fft(None, 0, crate::ops::fourier::Norm::Backward).values().unwrap_err();
        assert_eq!((error.operation(), error.kind().to_string().as_str()), (Some("fft"), text));
    }
}
