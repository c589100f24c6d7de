//! Bessel functions of the first and second kind.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::Var;

/// The derivative of this order of Jₙ(x).
#[derive(Clone, Copy)]
struct BesselJ {
    order: u32,
    derivative: u32,
}

/// The derivative of this order of Yₙ(x).
#[derive(Clone, Copy)]
struct BesselY {
    order: u32,
    derivative: u32,
}

impl ScalarFunction<1> for BesselJ {
    const NAME: &'static str = "bessel_j";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::bessel_derivative(special::bessel_j, self.order, self.derivative, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let derivative = self.derivative.saturating_add(1);
        Ok(Some(scalar_function(BesselJ { derivative, ..self }, x)))
    }
}

impl ScalarFunction<1> for BesselY {
    const NAME: &'static str = "bessel_y";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::bessel_derivative(special::bessel_y, self.order, self.derivative, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let derivative = self.derivative.saturating_add(1);
        Ok(Some(scalar_function(BesselY { derivative, ..self }, x)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The Bessel function of the first kind of order 0, `J₀(x)`, element by element. See [`bessel_j`](Var::bessel_j).
    ///
    /// # Gradient
    ///
    /// `−J₁(x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(0.0));
    /// assert_eq!((x.j0().item()?, x.j1().item()?), (1.0, 0.0));
    /// assert_eq!(x.j1().backward()?.wrt(x)?.item()?, 0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bessel_j0")]
    #[track_caller]
    pub fn j0(self) -> Var<'t, T> {
        scalar_function(BesselJ { order: 0, derivative: 0 }, [self])
    }

    /// The Bessel function of the first kind of order 1, `J₁(x)`, element by element. See [`bessel_j`](Var::bessel_j).
    ///
    /// # Gradient
    ///
    /// `(J₀(x) − J₂(x))/2`.
    #[doc(alias = "bessel_j1")]
    #[track_caller]
    pub fn j1(self) -> Var<'t, T> {
        scalar_function(BesselJ { order: 1, derivative: 0 }, [self])
    }

    /// The Bessel function of the first kind of whole order, `Jₙ(x)`, element by element.
    ///
    /// # Gradient
    ///
    /// `(Jₙ₋₁(x) − Jₙ₊₁(x))/2`, for n = 0 `−J₁(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4·10⁻¹⁶ for orders 0 and 1, absolute: near the zeros there is no relative bound.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1.5));
    /// // 2n/x Jₙ = Jₙ₋₁ + Jₙ₊₁.
    /// let rest = x.bessel_j(2) * 4.0 / x - x.j1() - x.bessel_j(3);
    /// assert!(rest.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "jn")]
    #[track_caller]
    pub fn bessel_j(self, n: u32) -> Var<'t, T> {
        scalar_function(BesselJ { order: n, derivative: 0 }, [self])
    }

    /// The Bessel function of the second kind of order 0, `Y₀(x)`, element by element. See [`bessel_y`](Var::bessel_y).
    ///
    /// # Gradient
    ///
    /// `−Y₁(x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 0.0, -1.0]));
    /// let y = x.y0().value()?;
    /// assert!((y[[0]] - 0.08825696421567697).abs() < 1e-16);
    /// assert!(y[[1]] == f64::NEG_INFINITY && y[[2]].is_nan());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bessel_y0")]
    #[track_caller]
    pub fn y0(self) -> Var<'t, T> {
        scalar_function(BesselY { order: 0, derivative: 0 }, [self])
    }

    /// The Bessel function of the second kind of order 1, `Y₁(x)`, element by element. See [`bessel_y`](Var::bessel_y).
    ///
    /// # Gradient
    ///
    /// `(Y₀(x) − Y₂(x))/2`.
    #[doc(alias = "bessel_y1")]
    #[track_caller]
    pub fn y1(self) -> Var<'t, T> {
        scalar_function(BesselY { order: 1, derivative: 0 }, [self])
    }

    /// The Bessel function of the second kind of whole order, `Yₙ(x)`, element by element; −∞ at 0, NaN left of it.
    ///
    /// # Gradient
    ///
    /// `(Yₙ₋₁(x) − Yₙ₊₁(x))/2`, for n = 0 `−Y₁(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4·10⁻¹⁶ of the larger of 1 and the value for orders 0 and 1: near the zeros there is no
    /// relative bound.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1.5));
    /// let rest = x.bessel_y(1) * 2.0 / x - x.y0() - x.bessel_y(2);
    /// assert!(rest.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "yn")]
    #[track_caller]
    pub fn bessel_y(self, n: u32) -> Var<'t, T> {
        scalar_function(BesselY { order: n, derivative: 0 }, [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("j0", unary(-3.0, 6.0), |x| x[0].j0()),
        sample!("j1", unary(-3.0, 6.0), |x| x[0].j1()),
        sample!("bessel_j", unary(-3.0, 6.0), |x| x[0].bessel_j(3)),
        sample!("y0", unary(1.5, 6.0), |x| x[0].y0()),
        sample!("y1", unary(1.5, 6.0), |x| x[0].y1()),
        sample!("bessel_y", unary(2.5, 6.0), |x| x[0].bessel_y(2)),
    ]
}
