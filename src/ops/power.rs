//! Powers: by a tensor, by a number, by an integer.

use super::elementwise::Elementwise2;
use super::{Elementwise, compiled, compiled2};
use crate::number::{Number, Real};
use crate::tape::Var;

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

impl<'t, T: Real> Var<'t, T> {
    /// `selfᵇ`, element by element, broadcast. NaN for a negative base with an exponent that is no integer.
    ///
    /// # Gradient
    ///
    /// `b aᵇ⁻¹` by the base, 0 for b = 0 also at a = 0; `aᵇ ln a` by the exponent, 0 at a = 0 for b ≥ 0, NaN for a
    /// negative base.
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
    #[track_caller]
    pub fn pow(self, exponent: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(exponent, Pow)
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
        sample!("powf 2.5", unary(0.5, 3.0), |x| x[0].powf(2.5)),
        sample!("powf -0.7", unary(0.5, 3.0), |x| x[0].powf(-0.7)),
        sample!("powf 0", unary(-3.0, 3.0), |x| x[0].powf(0.0)),
        sample!("powf 3, both signs", unary(-2.0, 2.0), |x| x[0].powf(3.0)),
        sample!("powi 3", unary(-2.0, 2.0), |x| x[0].powi(3)),
        sample!("powi -2", unary(0.5, 2.0), |x| x[0].powi(-2)),
        sample!("powi 0", unary(-2.0, 2.0), |x| x[0].powi(0)),
    ]
}
