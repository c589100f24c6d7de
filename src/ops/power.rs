//! Powers: by a tensor, by a number, by an integer.

use super::elementwise::Elementwise2;
use super::scalar::{ScalarFunction, scalar_function};
use super::{Elementwise, compiled, compiled2};
use crate::error::Result;
use crate::number::{Number, Real};
use crate::tape::{IntoVar, Var};
use std::f64::consts::LN_2;

/// aᵇ.
#[derive(Clone, Copy, Debug)]
pub struct Pow;

impl Elementwise2 for Pow {
    const NAME: &'static str = "pow";

    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        a.pow(b)
    }

    /// b aᵇ⁻¹, and 0 for b = 0 whatever a is; aᵇ ln a, and 0 at a = 0 for b ≥ 0, where ln a is −∞.
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N) {
        let (zero, one) = (a.lit(0.0), a.lit(1.0));
        let flat = b.equal(zero);
        let exponent = N::select(flat, one, b) - one;
        let da = N::select(flat, zero, b * a.pow(exponent));
        let origin = a.equal(zero) & zero.less_equal(b);
        (da, y * N::select(origin, one, a).ln())
    }

    compiled2!(Pow);
}

/// x to a fixed power.
#[derive(Clone, Copy, Debug)]
pub struct Powf(pub(super) f64);

impl Elementwise for Powf {
    const NAME: &'static str = "powf";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.powf(self.0)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let p = self.0;
        if p == 0.0 { x.lit(0.0) } else { x.powf(p - 1.0).scale(p) }
    }

    compiled!(Powf);
}

/// x to a fixed integer power, by repeated squaring.
#[derive(Clone, Copy, Debug)]
pub struct Powi(i32);

#[inline(always)]
fn integer_power<N: Number>(x: N, n: i64) -> N {
    let mut bits = n.unsigned_abs();
    let mut square = if n < 0 { x.recip() } else { x };
    let mut product = None;
    while bits > 0 {
        if bits & 1 == 1 {
            product = Some(match product {
                None => square,
                Some(p) => p * square,
            });
        }
        bits >>= 1;
        if bits > 0 {
            square = square * square;
        }
    }
    product.unwrap_or(x.lit(1.0))
}

impl Elementwise for Powi {
    const NAME: &'static str = "powi";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        integer_power(x, self.0.into())
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let n = i64::from(self.0);
        if n == 0 { x.lit(0.0) } else { integer_power(x, n - 1).scale(n as f64) }
    }

    compiled!(Powi);
}

/// 2ˣ.
#[derive(Clone, Copy)]
struct Exp2;

impl ScalarFunction<1> for Exp2 {
    const NAME: &'static str = "exp2";
    const COST: f32 = 5.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        x.exp2()
    }
    fn slope<'t, T: Real>(self, _: usize, _: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(y * LN_2))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `selfᵇ`, element by element, broadcast, for an exponent that is a variable, a tensor or a number. NaN for a
    /// negative base with an exponent that is no integer.
    ///
    /// # Gradient
    ///
    /// `b aᵇ⁻¹` by the base, 0 for b = 0 also at a = 0; `aᵇ ln a` by the exponent, 0 at a = 0 for b ≥ 0, NaN for a
    /// negative base. By a negative base with a whole exponent it is right at every order.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([2.0, 0.0])), tape.var(&Tensor::from([3.0, 0.0])));
    /// let y = a.pow(b);
    /// assert_eq!(y.value()?.to_vec(), [8.0, 1.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(a)?.to_vec(), [12.0, 0.0]);
    /// assert!((grads.wrt(b)?[[0]] - 8.0 * 2f64.ln()).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "float_power")]
    #[track_caller]
    pub fn pow(self, exponent: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.elementwise2(exponent.into_var(self.tape()), Pow)
    }

    /// `bˣ` for a fixed base `b`, element by element: a number to the power of this. NaN for a negative base where `x` is
    /// no integer.
    ///
    /// # Gradient
    ///
    /// `bˣ ln b`; for a base of 0 it is 0 where x ≥ 0, for a negative base NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, -1.0]));
    /// let y = x.rpow(10.0);
    /// assert_eq!(y.value()?.to_vec(), [100.0, 0.1]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?[[0]], 100.0 * 10f64.ln());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "__rpow__")]
    #[track_caller]
    pub fn rpow(self, base: f64) -> Var<'t, T> {
        self.tape().scalar(base).elementwise2(self, Pow)
    }

    /// `2ˣ`, element by element; exact for whole numbers.
    ///
    /// # Gradient
    ///
    /// `2ˣ ln 2`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// assert_eq!(x.exp2().item()?, 8.0);
    /// assert_eq!(x.exp2().backward()?.wrt(x)?.item()?, 8.0 * 2f64.ln());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn exp2(self) -> Var<'t, T> {
        scalar_function(Exp2, [self])
    }

    /// `xᵖ` for a fixed `p`, element by element.
    ///
    /// # Gradient
    ///
    /// `p xᵖ⁻¹`; 0 for p = 0, also at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(4.0));
    /// assert_eq!(x.powf(1.5).item()?, 8.0);
    /// assert_eq!(x.powf(1.5).backward()?.wrt(x)?.item()?, 3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn powf(self, p: f64) -> Var<'t, T> {
        self.elementwise(Powf(p))
    }

    /// `xⁿ` for a fixed integer, element by element, by multiplications.
    ///
    /// # Gradient
    ///
    /// `n xⁿ⁻¹`; 0 for n = 0, also at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(-2.0));
    /// assert_eq!((x.powi(3).item()?, x.powi(-1).item()?), (-8.0, -0.5));
    /// assert_eq!(x.powi(3).backward()?.wrt(x)?.item()?, 12.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn powi(self, n: i32) -> Var<'t, T> {
        self.elementwise(Powi(n))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, unary};
    vec![
        sample!("pow", binary((0.5, 2.0), (-2.0, 2.0)), |x| x[0].pow(x[1])),
        sample!("pow of negatives by whole numbers", unary(-2.0, -0.5), |x| x[0].pow(3.0) + x[0].pow(-2.0)),
        sample!("rpow", unary(-2.0, 2.0), |x| x[0].rpow(1.7)),
        sample!("exp2", unary(-2.0, 2.0), |x| x[0].exp2()),
        sample!("powf 2.5", unary(0.5, 3.0), |x| x[0].powf(2.5)),
        sample!("powf -0.7", unary(0.5, 3.0), |x| x[0].powf(-0.7)),
        sample!("powf 0", unary(-3.0, 3.0), |x| x[0].powf(0.0)),
        sample!("powf 3, both signs", unary(-2.0, 2.0), |x| x[0].powf(3.0)),
        sample!("powi 3", unary(-2.0, 2.0), |x| x[0].powi(3)),
        sample!("powi -2", unary(0.5, 2.0), |x| x[0].powi(-2)),
        sample!("powi 0", unary(-2.0, 2.0), |x| x[0].powi(0)),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn whole_powers_of_negatives_and_of_zero_at_three_orders() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([-2.0, 0.0]));
        let seed = Tensor::ones([2]).unwrap();
        for n in -2..5i32 {
            let p = f64::from(n);
            let mut y = x.pow(p);
            let mut factor = 1.0;
            for order in 0..4 {
                let value = y.value().unwrap().to_vec();
                let wanted = factor * (-2f64).powi(n - order);
                assert!(
                    (value[0] - wanted).abs() <= 1e-14 * wanted.abs(),
                    "{n} {order}: {value:?}, {wanted}"
                );
                if n >= 0 {
                    assert_eq!(value[1], if order == n { factor } else { 0.0 }, "{n} {order}");
                }
                factor *= p - f64::from(order);
                [y] = tape.vjp(y, &seed, [x]).unwrap();
            }
        }
    }

    #[test]
    fn bases_of_zero_and_below() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.0, 2.0, 3.0]));
        for (base, wanted, slope) in [(0.0, [1.0, 0.0, 0.0], Some(0.0_f64)), (-2.0, [1.0, 4.0, -8.0], None)] {
            let y = x.rpow(base);
            assert_eq!(y.value().unwrap().to_vec(), wanted);
            let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
            assert!(g.iter().all(|&g: &f64| slope.map_or(g.is_nan(), |slope| g == slope)), "{g:?}");
        }
    }
}
