//! Remainders and rounded quotients.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};

/// a − b ⌊a/b⌋, exact but for one rounding.
#[derive(Clone, Copy)]
struct Remainder;

/// a − b trunc(a/b), exact.
#[derive(Clone, Copy)]
struct Fmod;

/// ⌊a/b⌋.
#[derive(Clone, Copy)]
struct FloorDivide;

/// trunc(a/b).
#[derive(Clone, Copy)]
struct TruncDivide;

fn remainder(a: f64, b: f64) -> f64 {
    let r = a % b;
    if r == 0.0 {
        r.abs().copysign(b)
    } else if (r < 0.0) != (b < 0.0) {
        r + b
    } else {
        r
    }
}

/// 1 by a. By b minus the whole quotient (a − y)/b, which rounding makes whole again, and a constant.
fn slope<'t, T: Real>(i: usize, [a, b]: [Var<'t, T>; 2], y: Var<'t, T>) -> Var<'t, T> {
    if i == 0 { a.constant(1.0) } else { -((a - y) / b).round() }
}

impl ScalarFunction<2> for Remainder {
    const NAME: &'static str = "remainder";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        remainder(a, b)
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(slope(i, x, y)))
    }
}

impl ScalarFunction<2> for Fmod {
    const NAME: &'static str = "fmod";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        a % b
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(slope(i, x, y)))
    }
}

/// The whole quotient of a difference that is a multiple of b; an infinity or NaN as the plain quotient has it.
fn whole(a: f64, b: f64, rest: f64) -> f64 {
    let quotient = a / b;
    if quotient.is_finite() && b.is_finite() {
        ((a - rest) / b).round()
    } else if b.is_infinite() && a.is_finite() && a != 0.0 && (a < 0.0) != (b < 0.0) {
        // A little below 0, which the quotient rounds to −0.
        -1.0
    } else {
        quotient.floor()
    }
}

impl ScalarFunction<2> for FloorDivide {
    const NAME: &'static str = "floor_divide";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        whole(a, b, remainder(a, b))
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 2], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(None)
    }
}

impl ScalarFunction<2> for TruncDivide {
    const NAME: &'static str = "trunc_divide";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        let quotient = a / b;
        if quotient.is_finite() && b.is_finite() { ((a - a % b) / b).round() } else { quotient.trunc() }
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 2], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(None)
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `a − b ⌊a/b⌋`, element by element, broadcast: what is left after division, with the sign of the divisor, as
    /// `%` in Python. NaN for a divisor of 0. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 1 by the dividend, `−⌊a/b⌋` by the divisor, also at the jumps.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([-3.0, 5.0, 5.0]));
    /// let b = tape.var(&Tensor::from([2.0, 3.0, -3.0]));
    /// let y = a.remainder(b);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, -1.0]);
    /// assert_eq!(y.sum().backward()?.wrt(b)?.to_vec(), [2.0, -1.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "mod")]
    #[track_caller]
    pub fn remainder(self, divisor: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Remainder, [self, divisor.into_var(self.tape())])
    }

    /// `a − b trunc(a/b)`, element by element, broadcast: what is left after division, with the sign of the dividend,
    /// as `%` in Rust and C. NaN for a divisor of 0. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 1 by the dividend, `−trunc(a/b)` by the divisor, also at the jumps.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([-3.0, 5.0, 5.0]));
    /// let b = tape.var(&Tensor::from([2.0, 3.0, -3.0]));
    /// let y = a.fmod(b);
    /// assert_eq!(y.value()?.to_vec(), [-1.0, 2.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(b)?.to_vec(), [1.0, -1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "rem")]
    #[track_caller]
    pub fn fmod(self, divisor: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Fmod, [self, divisor.into_var(self.tape())])
    }

    /// `⌊a/b⌋`, element by element, broadcast: the quotient that belongs to [`remainder`](Var::remainder), without
    /// the rounding of `a/b`. ±∞ or NaN for a divisor of 0. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the jumps.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([-3.0, 1.0]));
    /// assert_eq!(a.floor_divide(2.0).value()?.to_vec(), [-2.0, 0.0]);
    /// assert_eq!(a.floor_divide(0.1).value()?.to_vec(), [-30.0, 9.0]); // 0.1 is a little above a tenth
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn floor_divide(self, divisor: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(FloorDivide, [self, divisor.into_var(self.tape())])
    }

    /// The quotient rounded towards 0, element by element, broadcast: the one that belongs to [`fmod`](Var::fmod),
    /// without the rounding of `a/b`. ±∞ or NaN for a divisor of 0. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 0 everywhere, also at the jumps.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([-3.0, 3.0]));
    /// assert_eq!(a.trunc_divide(2.0).value()?.to_vec(), [-1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "div_trunc")]
    #[track_caller]
    pub fn trunc_divide(self, divisor: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(TruncDivide, [self, divisor.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, wrong};
    // Quotients between 2 and 3, −2 and −3: away from the jumps.
    let inside = || binary((2.2, 2.8), (0.97, 1.03));
    let across = || binary((-2.8, -2.2), (0.97, 1.03));
    vec![
        sample!("remainder", inside(), |x| x[0].remainder(x[1]).square()),
        sample!("remainder of negatives", across(), |x| x[0].remainder(x[1]).square()),
        sample!("remainder by a number", across(), |x| x[0].remainder(-1.0).square() * x[1]),
        sample!("fmod", inside(), |x| x[0].fmod(x[1]).square()),
        sample!("fmod of negatives", across(), |x| x[0].fmod(x[1]).square()),
        sample!("floor_divide", across(), |x| x[0].floor_divide(x[1])),
        sample!("trunc_divide", across(), |x| x[0].trunc_divide(x[1])),
        wrong!("remainder", &[&[2], &[3]], |x| x[0].remainder(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn quotient_and_remainder_belong_together_at_every_sign() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([7.5, -7.5, 7.5, -7.5, 6.0, -6.0, 0.0]));
        let b = tape.var(&Tensor::from([2.0, 2.0, -2.0, -2.0, 3.0, 3.0, 5.0]));
        let values = |y: crate::Var<'_, f64>| y.value().unwrap().to_vec();
        assert_eq!(values(a.remainder(b)), [1.5, 0.5, -0.5, -1.5, 0.0, 0.0, 0.0]);
        assert_eq!(values(a.floor_divide(b)), [3.0, -4.0, -4.0, 3.0, 2.0, -2.0, 0.0]);
        assert_eq!(values(a.fmod(b)), [1.5, -1.5, 1.5, -1.5, 0.0, 0.0, 0.0]);
        assert_eq!(values(a.trunc_divide(b)), [3.0, -3.0, -3.0, 3.0, 2.0, -2.0, 0.0]);
        let whole = |y: crate::Var<'_, f64>| y.sum().backward().unwrap().wrt(b).unwrap().to_vec();
        assert_eq!(whole(a.remainder(b)), [-3.0, 4.0, 4.0, -3.0, -2.0, 2.0, 0.0]);
        assert_eq!(whole(a.fmod(b)), [-3.0, 3.0, 3.0, -3.0, -2.0, 2.0, 0.0]);
    }

    #[test]
    fn zero_and_infinite_divisors() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([1.0, -1.0, 0.0, 1.0, -1.0, f64::INFINITY]));
        let b = tape.var(&Tensor::from([0.0, 0.0, 0.0, f64::INFINITY, f64::INFINITY, 2.0]));
        let floor = a.floor_divide(b).value().unwrap().to_vec();
        assert_eq!(floor[..2], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!(floor[2].is_nan());
        assert_eq!(floor[3..], [0.0, -1.0, f64::INFINITY]);
        let trunc = a.trunc_divide(b).value().unwrap().to_vec();
        assert_eq!((trunc[0], trunc[3], trunc[4]), (f64::INFINITY, 0.0, 0.0));
        let rest = a.remainder(b).value().unwrap().to_vec();
        assert!(rest[..3].iter().all(|r| r.is_nan()) && rest[5].is_nan());
        assert_eq!(rest[3..5], [1.0, f64::INFINITY]);
    }
}
