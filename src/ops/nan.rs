//! NaNs and infinities: masks of them, their replacement, extrema that pass over NaN; and the step function.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};

/// The larger of two (or the smaller), the number where one is NaN.
#[derive(Clone, Copy)]
struct FMax;

/// The smaller of two, the number where one is NaN.
#[derive(Clone, Copy)]
struct FMin;

/// x with numbers in the place of NaN and of the infinities.
#[derive(Clone, Copy)]
struct NanToNum {
    nan: f64,
    posinf: Option<f64>,
    neginf: Option<f64>,
}

/// 0 left of 0, a value at 0, 1 right of it.
#[derive(Clone, Copy)]
struct Heaviside;

/// What an operand gets that is NaN where the other is not, one that wins, and one that ties: 0, 1, ½.
fn share<'t, T: Real>(wins: Var<'t, T>, own: Var<'t, T>, other: Var<'t, T>, y: Var<'t, T>) -> Var<'t, T> {
    let [zero, half, one] = [0.0, 0.5, 1.0].map(|c| y.constant(c));
    let share = Var::where_(own.eq(other), half, Var::where_(wins | other.is_nan(), one, zero));
    Var::where_(y.is_nan(), y, share)
}

impl ScalarFunction<2> for FMax {
    const NAME: &'static str = "fmax";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        a.max(b)
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let (own, other) = (x[i], x[1 - i]);
        Ok(Some(share(own.gt(other), own, other, y)))
    }
}

impl ScalarFunction<2> for FMin {
    const NAME: &'static str = "fmin";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        a.min(b)
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let (own, other) = (x[i], x[1 - i]);
        Ok(Some(share(own.lt(other), own, other, y)))
    }
}

impl ScalarFunction<1> for NanToNum {
    const NAME: &'static str = "nan_to_num";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        let largest = if size_of::<T>() == size_of::<f32>() { f64::from(f32::MAX) } else { f64::MAX };
        match x {
            _ if x.is_nan() => self.nan,
            f64::INFINITY => self.posinf.unwrap_or(largest),
            f64::NEG_INFINITY => self.neginf.unwrap_or(-largest),
            _ => x,
        }
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(x.is_finite()))
    }
}

impl ScalarFunction<2> for Heaviside {
    const NAME: &'static str = "heaviside";
    const COST: f32 = 1.0;
    fn value<T: Real>(self, [x, at_zero]: [f64; 2]) -> f64 {
        match x {
            0.0 => at_zero,
            _ if x.is_nan() => x,
            _ => f64::from(u8::from(x > 0.0)),
        }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [x, _]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok((i == 1).then(|| x.eq(0.0)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// 1 where an element is NaN, else 0. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN, f64::INFINITY]));
    /// assert_eq!(x.is_nan().value()?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isnan")]
    #[track_caller]
    pub fn is_nan(self) -> Var<'t, T> {
        self.tape().composed("is_nan", || Ok(self.ne(self)))
    }

    /// 1 where an element is ∞ or −∞, else 0. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN, f64::NEG_INFINITY]));
    /// assert_eq!(x.is_inf().value()?.to_vec(), [0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isinf")]
    #[track_caller]
    pub fn is_inf(self) -> Var<'t, T> {
        self.tape().composed("is_inf", || Ok(self.eq(f64::INFINITY) | self.eq(f64::NEG_INFINITY)))
    }

    /// 1 where an element is neither NaN nor infinite, else 0. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN, f64::NEG_INFINITY]));
    /// assert_eq!(x.is_finite().value()?.to_vec(), [1.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "isfinite")]
    #[track_caller]
    pub fn is_finite(self) -> Var<'t, T> {
        let within = || Ok(self.lt(f64::INFINITY) & self.gt(f64::NEG_INFINITY));
        self.tape().composed("is_finite", within)
    }

    /// The larger of two, element by element, broadcast; where one is NaN the other, unlike
    /// [`maximum`](Var::maximum). The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 1 to the larger, or to the one that is not NaN; ½ to each at a tie; NaN where both are NaN.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NAN, 1.0, 2.0, 3.0]));
    /// let y = x.fmax(2.0);
    /// assert_eq!(y.value()?.to_vec(), [2.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "nanmax")]
    #[track_caller]
    pub fn fmax(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(FMax, [self, other.into_var(self.tape())])
    }

    /// The smaller of two, element by element, broadcast; where one is NaN the other, unlike
    /// [`minimum`](Var::minimum). The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// 1 to the smaller, or to the one that is not NaN; ½ to each at a tie; NaN where both are NaN.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NAN, 1.0, 2.0, 3.0]));
    /// let y = x.fmin(2.0);
    /// assert_eq!(y.value()?.to_vec(), [2.0, 1.0, 2.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "nanmin")]
    #[track_caller]
    pub fn fmin(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(FMin, [self, other.into_var(self.tape())])
    }

    /// Numbers in the place of NaN and of the infinities, element by element. Without a number for ±∞, the largest
    /// finite ones of the element type take their places.
    ///
    /// # Gradient
    ///
    /// 1 where the element is finite, 0 where it was replaced.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
    /// let y = x.nan_to_num(0.0, 9.0, None);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 0.0, 9.0, f64::MIN]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn nan_to_num(
        self,
        nan: f64,
        posinf: impl Into<Option<f64>>,
        neginf: impl Into<Option<f64>>,
    ) -> Var<'t, T> {
        scalar_function(NanToNum { nan, posinf: posinf.into(), neginf: neginf.into() }, [self])
    }

    /// The step function, element by element, broadcast: 0 left of 0, 1 right of it, and at 0 what is given there: a
    /// variable, a tensor or a number. NaN for NaN.
    ///
    /// # Gradient
    ///
    /// 0 by this, also at the step; to the value at 0 where this is 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0]));
    /// let half = tape.var(&Tensor::scalar(0.5));
    /// let y = x.heaviside(half);
    /// assert_eq!(y.value()?.to_vec(), [0.0, 0.5, 1.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!((grads.wrt(x)?.to_vec(), grads.wrt(half)?.item()?), (vec![0.0; 3], 1.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "step")]
    #[track_caller]
    pub fn heaviside(self, at_zero: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Heaviside, [self, at_zero.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, unary, wrong};
    let apart = || binary((-2.0, -0.1), (0.1, 2.0));
    vec![
        sample!("is_nan", unary(-2.0, 2.0), |x| x[0].is_nan()),
        sample!("is_inf", unary(-2.0, 2.0), |x| x[0].is_inf()),
        sample!("is_finite", unary(-2.0, 2.0), |x| x[0].is_finite()),
        sample!("fmax", apart(), |x| x[0].fmax(x[1]).square()),
        sample!("fmin", apart(), |x| x[0].fmin(x[1]).square()),
        sample!("fmin swapped", apart(), |x| x[1].fmin(x[0]).square()),
        sample!("nan_to_num", unary(-2.0, 2.0), |x| x[0].nan_to_num(0.0, None, 3.0).square()),
        sample!("heaviside", apart(), |x| x[0].heaviside(x[1])),
        sample!("heaviside at the step", apart(), |x| x[0].lt(-9.0).heaviside(x[1]).square()),
        wrong!("fmax", &[&[2], &[3]], |x| x[0].fmax(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn two_nans_stay_and_one_yields() {
        const NAN: f64 = f64::NAN;
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([NAN, NAN, 5.0, 5.0, f64::NEG_INFINITY]));
        let b = tape.var(&Tensor::from([NAN, 5.0, NAN, 5.0, NAN]));
        for y in [a.fmax(b), a.fmin(b)] {
            let value = y.value().unwrap().to_vec();
            assert!(value[0].is_nan());
            assert_eq!(value[1..], [5.0, 5.0, 5.0, f64::NEG_INFINITY]);
            let grads = y.sum().backward().unwrap();
            let [da, db] = [a, b].map(|x| grads.wrt(x).unwrap().to_vec());
            assert!(da[0].is_nan() && db[0].is_nan());
            assert_eq!((&da[1..], &db[1..]), (&[0.0, 1.0, 0.5, 1.0][..], &[1.0, 0.0, 0.5, 0.0][..]));
        }
    }

    #[test]
    fn the_largest_number_is_that_of_the_element_type() {
        let tape = Tape::<f32>::new();
        let x = tape.var(&Tensor::from([f32::INFINITY, f32::NEG_INFINITY, f32::NAN]));
        assert_eq!(x.nan_to_num(2.0, None, None).value().unwrap().to_vec(), [f32::MAX, f32::MIN, 2.0]);
        assert_eq!(x.nan_to_num(2.0, 1.0, -1.0).value().unwrap().to_vec(), [1.0, -1.0, 2.0]);
        let steps = x.heaviside(0.5).value().unwrap().to_vec();
        assert_eq!(steps[..2], [1.0, 0.0]);
        assert!(steps[2].is_nan());
    }
}
