//! Floats taken apart: whole and fractional part, sign, mantissa and exponent, neighbours.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};
use crate::tensor::Tensor;

/// x rounded towards 0.
#[derive(Clone, Copy)]
struct Trunc;

/// |a| with the sign of b.
#[derive(Clone, Copy)]
struct CopySign;

/// a · 2ᵇ.
#[derive(Clone, Copy)]
struct LoadExponent;

/// x · 2⁻ᵉ, in [½, 1) by absolute value.
#[derive(Clone, Copy)]
struct Mantissa;

/// 2⁻ᵉ for the same e: a constant but for its jumps.
#[derive(Clone, Copy)]
struct MantissaScale;

/// The float next to a in the direction of b.
#[derive(Clone, Copy)]
struct NextAfter;

impl ScalarFunction<1> for Trunc {
    const NAME: &'static str = "trunc";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        x.trunc()
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(None)
    }
}

impl ScalarFunction<2> for CopySign {
    const NAME: &'static str = "copysign";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        a.copysign(b)
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, _]: [Var<'t, T>; 2],
        y: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok((i == 0).then(|| a.sign() * y.sign()))
    }
}

impl ScalarFunction<2> for LoadExponent {
    const NAME: &'static str = "ldexp";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        if b == b.trunc() {
            // Beyond ±5000 every finite number has left the range.
            libm::ldexp(a, b.clamp(-5000.0, 5000.0) as i32)
        } else {
            a * b.exp2()
        }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [_, b]: [Var<'t, T>; 2],
        y: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok(Some(if i == 0 { b.exp2() } else { y * std::f64::consts::LN_2 }))
    }
}

impl ScalarFunction<1> for Mantissa {
    const NAME: &'static str = "frexp";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        libm::frexp(x).0
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(MantissaScale, [x])))
    }
}

impl ScalarFunction<1> for MantissaScale {
    const NAME: &'static str = "frexp_scale";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        if x.is_finite() { libm::ldexp(1.0, -libm::frexp(x).1) } else { f64::NAN }
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(None)
    }
}

impl ScalarFunction<2> for NextAfter {
    const NAME: &'static str = "nextafter";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        if size_of::<T>() == size_of::<f32>() {
            f64::from(libm::nextafterf(a as f32, b as f32))
        } else {
            libm::nextafter(a, b)
        }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, _]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok((i == 0).then(|| a.constant(1.0)))
    }
}

/// Rounded to so many decimals.
#[derive(Clone, Copy)]
struct Decimals(i32);

impl ScalarFunction<1> for Decimals {
    const NAME: &'static str = "round_decimals";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        let power = 10f64.powi(self.0.saturating_abs());
        if self.0 < 0 {
            return match power.is_finite() {
                true => (x / power).round_ties_even() * power,
                false => {
                    if x.is_finite() {
                        0.0 * x
                    } else {
                        x
                    }
                }
            };
        }
        let scaled = x * power;
        // From 2⁵² on there is nothing to round, and the product may have left the range.
        if scaled.abs() < 4_503_599_627_370_496.0 { scaled.round_ties_even() / power } else { x }
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(None)
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Each element rounded to so many decimals, to tens, hundreds, … for a negative number of them: `round(x · 10ⁿ)/10ⁿ`,
    /// halves to the even one.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the steps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.2345, -0.5, 1e300]));
    /// assert_eq!(x.round_decimals(2).value()?.to_vec(), [1.23, -0.5, 1e300]);
    /// assert_eq!((x * 100.0).round_decimals(-1).value()?[[0]], 120.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "around")]
    #[track_caller]
    pub fn round_decimals(self, decimals: i32) -> Var<'t, T> {
        scalar_function(Decimals(decimals), [self])
    }

    /// The whole part: each element rounded towards 0.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the steps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.7, 1.7]));
    /// assert_eq!(x.trunc().value()?.to_vec(), [-1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "fix")]
    #[track_caller]
    pub fn trunc(self) -> Var<'t, T> {
        scalar_function(Trunc, [self])
    }

    /// The fractional part `x − trunc x`, element by element, with the sign of `x`.
    ///
    /// # Gradient
    ///
    /// 1 everywhere, also at the jumps.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.75, 1.25, 2.0]));
    /// assert_eq!(x.frac().value()?.to_vec(), [-0.75, 0.25, 0.0]);
    /// assert_eq!(x.frac().sum().backward()?.wrt(x)?.to_vec(), [1.0; 3]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "fract")]
    #[track_caller]
    pub fn frac(self) -> Var<'t, T> {
        self.tape().composed("frac", || Ok(self - self.trunc()))
    }

    /// The absolute value of this with the sign of the other, element by element, broadcast; a zero has a sign, too.
    /// The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// ±1 by this, 0 where it is 0; 0 by the other.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 3.0, 0.0]));
    /// let y = x.copysign(-1.0);
    /// assert_eq!(y.value()?.to_vec(), [-2.0, -3.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, -1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn copysign(self, sign: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(CopySign, [self, sign.into_var(self.tape())])
    }

    /// `x · 2ᵉ`, element by element, broadcast; exact for a whole `e` unless the result is subnormal. The exponent is
    /// a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// `2ᵉ` by `x`, `x 2ᵉ ln 2` by `e`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.75, -1.5]));
    /// let y = x.ldexp(3.0);
    /// assert_eq!(y.value()?.to_vec(), [6.0, -12.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [8.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn ldexp(self, exponent: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(LoadExponent, [self, exponent.into_var(self.tape())])
    }

    /// Mantissa and exponent: `x = m · 2ᵉ` with `½ ≤ |m| < 1`, element by element. 0 has mantissa 0 and exponent 0;
    /// ±∞ and NaN are their own mantissa, with exponent 0.
    ///
    /// # Gradient
    ///
    /// Of the mantissa `2⁻ᵉ`, also at the jumps; NaN where `x` is not finite. The exponents are whole numbers outside
    /// the tape.
    ///
    /// # Errors
    ///
    /// That of `self`, if it is errored.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([6.0, -0.25, 0.0]));
    /// let (m, e) = x.frexp()?;
    /// assert_eq!(m.value()?.to_vec(), [0.75, -0.5, 0.0]);
    /// assert_eq!(e.to_vec(), [3, -1, 0]);
    /// assert_eq!(m.sum().backward()?.wrt(x)?.to_vec(), [0.125, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn frexp(self) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let exponent = |x: T| if x.is_finite() { i64::from(libm::frexp(x.to_f64()).1) } else { 0 };
        Ok((scalar_function(Mantissa, [self]), self.value()?.map(exponent)?))
    }

    /// The float next to this in the direction of the other, element by element, broadcast; this itself where they are
    /// equal. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 1 by this, which it follows at a distance of one rounding; 0 by the other.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0_f64, 1.0, 0.0]));
    /// let y = x.nextafter(&Tensor::from([2.0, 1.0, 1.0])).value()?;
    /// assert_eq!(y.to_vec(), [1.0 + f64::EPSILON, 1.0, f64::from_bits(1)]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "next_after")]
    #[track_caller]
    pub fn nextafter(self, towards: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(NextAfter, [self, towards.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, unary, wrong};
    let both = || binary((-2.0, 2.0), (-2.0, 2.0)).avoid(&[0.0]);
    vec![
        sample!("round_decimals", unary(0.06, 0.14), |x| x[0].round_decimals(1)),
        sample!("trunc", unary(1.1, 1.9), |x| x[0].trunc()),
        sample!("frac", unary(-1.9, -1.1), |x| x[0].frac().square()),
        sample!("copysign", both(), |x| x[0].copysign(x[1]).powi(3)),
        sample!("ldexp", both(), |x| x[0].ldexp(x[1])),
        sample!("ldexp by whole numbers", unary(-2.0, 2.0), |x| x[0].ldexp(-3.0).square()),
        // Between the powers of two.
        sample!("frexp", unary(2.1, 3.9), |x| x[0].frexp().map_or(x[0], |(m, _)| m.square())),
        sample!("nextafter", both(), |x| x[0].nextafter(x[1] * 9.0).square()),
        wrong!("copysign", &[&[2], &[3]], |x| x[0].copysign(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn mantissas_at_the_ends_of_the_range() {
        let tape = Tape::new();
        let x = [5e-324, -f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 1.0];
        let x = tape.var(&Tensor::from(x));
        let (m, e) = x.frexp().unwrap();
        assert_eq!(m.value().unwrap().to_vec()[2..], [f64::INFINITY, f64::NEG_INFINITY, 0.5]);
        assert_eq!(e.to_vec(), [-1073, 1024, 0, 0, 1]);
        let back = m.ldexp(&Tensor::from([-1073.0, 1024.0, 0.0, 0.0, 1.0]));
        assert_eq!(back.value().unwrap(), x.value().unwrap());
        let g = m.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert_eq!((g[0], g[1], g[4]), (f64::INFINITY, 2f64.powi(-1023) * 0.5, 0.5));
        assert!(g[2].is_nan() && g[3].is_nan());
    }

    #[test]
    fn exponents_beyond_the_range_and_between_whole_numbers() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0, 1.0, 1e-300, 3.0, f64::NAN]));
        let e = tape.var(&Tensor::from([1e9, -1e9, 1100.0, 0.5, 1.0]));
        let y = x.ldexp(e).value().unwrap().to_vec();
        assert_eq!(y[..2], [f64::INFINITY, 0.0]);
        assert_eq!(y[2], 1e-300 * 2f64.powi(550) * 2f64.powi(550));
        assert_eq!(y[3], 3.0 * 0.5f64.exp2());
        assert!(y[4].is_nan());
    }

    #[test]
    fn neighbours_are_those_of_the_element_type() {
        let tape = Tape::<f32>::new();
        let x = tape.var(&Tensor::from([1.0_f32, 1.0]));
        let y = x.nextafter(&Tensor::from([2.0_f32, 0.0])).value().unwrap().to_vec();
        assert_eq!(y, [1.0 + f32::EPSILON, 1.0 - f32::EPSILON / 2.0]);
        let signed = x.copysign(-0.0).value().unwrap().to_vec();
        assert_eq!(signed, [-1.0, -1.0]);
    }

    #[test]
    fn decimals_at_halves_in_the_thousands_and_at_the_ends() {
        let tape = Tape::<f64>::new();
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let x = tape.var(&Tensor::from([0.125, -0.375, 1500.0, 2500.0, inf, nan]));
        let hundredths = x.round_decimals(2).value().unwrap().to_vec();
        assert_eq!(hundredths[..5], [0.12, -0.38, 1500.0, 2500.0, inf]);
        assert!(hundredths[5].is_nan());
        let thousands = x.round_decimals(-3).value().unwrap().to_vec();
        assert_eq!(thousands[..5], [0.0, -0.0, 2000.0, 2000.0, inf]);
        let none = x.round_decimals(i32::MIN).value().unwrap().to_vec();
        assert_eq!(none[2..5], [0.0, 0.0, inf]);
        assert_eq!(x.round_decimals(400).value().unwrap()[[2]], 1500.0);
        assert_eq!(x.round_decimals(0).value().unwrap()[[3]], 2500.0);
    }
}
