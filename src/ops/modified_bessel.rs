//! Modified Bessel functions, plain and scaled by their exponentials.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::Var;

/// Iₙ(x).
#[derive(Clone, Copy)]
struct BesselI(u32);

/// e^−|x| I₀(x) for 0; and for n, up to the sign, its n-th derivative. Even functions, all of them.
#[derive(Clone, Copy)]
struct ScaledI(u32);

/// The derivative of this order of e^−|x| I₁(x).
#[derive(Clone, Copy)]
struct ScaledI1(u32);

/// Kₙ(x).
#[derive(Clone, Copy)]
struct BesselK(u32);

/// eˣ K₀(x) or eˣ K₁(x); and, up to the sign, a derivative of it.
#[derive(Clone, Copy)]
struct ScaledK {
    order: u32,
    derivative: u32,
}

/// `f₀′ = f₁`, `fₙ′ = (fₙ₋₁ + fₙ₊₁)/2`.
fn slope<'t, T: Real>(n: u32, of: impl Fn(u32) -> Var<'t, T>) -> Var<'t, T> {
    match n {
        0 => of(1),
        _ => (of(n - 1) + of(n.saturating_add(1))) * 0.5,
    }
}

impl ScalarFunction<1> for BesselI {
    const NAME: &'static str = "bessel_i";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::bessel_i(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(slope(self.0, |n| scalar_function(BesselI(n), x))))
    }
}

impl ScalarFunction<1> for ScaledI {
    const NAME: &'static str = "i0e";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::scaled_i(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-(x.sign() * scalar_function(ScaledI(self.0.saturating_add(1)), [x]))))
    }
}

impl ScalarFunction<1> for ScaledI1 {
    const NAME: &'static str = "i1e";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::scaled_i1_derivative(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(ScaledI1(self.0.saturating_add(1)), x)))
    }
}

impl ScalarFunction<1> for BesselK {
    const NAME: &'static str = "bessel_k";
    const COST: f32 = 1000.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::bessel_k(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-slope(self.0, |n| scalar_function(BesselK(n), x))))
    }
}

impl ScalarFunction<1> for ScaledK {
    const NAME: &'static str = "scaled_k";
    const COST: f32 = 1000.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::scaled_k(self.order, self.derivative, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let next = ScaledK { derivative: self.derivative.saturating_add(1), ..self };
        Ok(Some(-scalar_function(next, x)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The modified Bessel function of the first kind of order 0, `I₀(x)`, element by element.
    ///
    /// # Gradient
    ///
    /// `I₁(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4 ulp; `I₁` within 7.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = x.i0();
    /// assert!((y.value()?[[1]] - 1.2660658777520084).abs() < 1e-15);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), x.i1().value()?.to_vec());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "modified_bessel_i0")]
    #[track_caller]
    pub fn i0(self) -> Var<'t, T> {
        scalar_function(BesselI(0), [self])
    }

    /// The modified Bessel function of the first kind of order 1, `I₁(x)`, element by element. See [`i0`](Var::i0).
    ///
    /// # Gradient
    ///
    /// `(I₀(x) + I₂(x))/2`.
    #[doc(alias = "modified_bessel_i1")]
    #[track_caller]
    pub fn i1(self) -> Var<'t, T> {
        scalar_function(BesselI(1), [self])
    }

    /// The modified Bessel function of the first kind of whole order, `Iₙ(x)`, element by element.
    ///
    /// # Gradient
    ///
    /// `(Iₙ₋₁(x) + Iₙ₊₁(x))/2`, for n = 0 `I₁(x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(2.0));
    /// // 2n/x Iₙ = Iₙ₋₁ − Iₙ₊₁.
    /// let rest = x.bessel_i(2) * 4.0 / x - x.i1() + x.bessel_i(3);
    /// assert!(rest.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "iv")]
    #[track_caller]
    pub fn bessel_i(self, n: u32) -> Var<'t, T> {
        scalar_function(BesselI(n), [self])
    }

    /// `e^−|x| I₀(x)`, element by element, which falls as `1/√(2π|x|)` where `I₀` has left the range.
    ///
    /// # Gradient
    ///
    /// `e^−|x| (I₁(x) − sign x I₀(x))`, computed so that it does not cancel in the tails, at every order; 0 at 0.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4 ulp; derivatives within 10.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1e10]));
    /// let y = x.i0e();
    /// let tail = 1.0 / (2e10 * std::f64::consts::PI).sqrt();
    /// assert!(y.value()?[[0]] == 1.0 && (y.value()?[[1]] / tail - 1.0).abs() < 1e-10);
    /// let g = y.sum().backward()?.wrt(x)?[[1]];
    /// assert!((g / (-0.5e-10 * tail) - 1.0).abs() < 1e-9);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bessel_i0e")]
    #[track_caller]
    pub fn i0e(self) -> Var<'t, T> {
        scalar_function(ScaledI(0), [self])
    }

    /// `e^−|x| I₁(x)`, element by element. See [`i0e`](Var::i0e).
    ///
    /// # Gradient
    ///
    /// Computed so that it does not cancel in the tails, at every order; ½ at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(0.0_f64));
    /// assert_eq!(x.i1e().item()?, 0.0);
    /// assert!((x.i1e().backward()?.wrt(x)?.item()? - 0.5).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "bessel_i1e")]
    #[track_caller]
    pub fn i1e(self) -> Var<'t, T> {
        scalar_function(ScaledI1(0), [self])
    }

    /// The modified Bessel function of the second kind of order 0, `K₀(x)`, element by element; ∞ at 0, NaN left of it.
    ///
    /// # Gradient
    ///
    /// `−K₁(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp (order 2: 12), by quadrature: about a microsecond an element.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1.0));
    /// assert!((x.k0().item()? - 0.42102443824070834).abs() < 1e-15);
    /// assert_eq!(x.k0().backward()?.wrt(x)?.item()?, -x.k1().item()?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "modified_bessel_k0")]
    #[track_caller]
    pub fn k0(self) -> Var<'t, T> {
        scalar_function(BesselK(0), [self])
    }

    /// The modified Bessel function of the second kind of order 1, `K₁(x)`, element by element; ∞ at 0, NaN left of it.
    /// See [`k0`](Var::k0).
    ///
    /// # Gradient
    ///
    /// `−(K₀(x) + K₂(x))/2`.
    #[doc(alias = "modified_bessel_k1")]
    #[track_caller]
    pub fn k1(self) -> Var<'t, T> {
        scalar_function(BesselK(1), [self])
    }

    /// The modified Bessel function of the second kind of whole order, `Kₙ(x)`, element by element; ∞ at 0, NaN left of it.
    /// See [`k0`](Var::k0).
    ///
    /// # Gradient
    ///
    /// `−(Kₙ₋₁(x) + Kₙ₊₁(x))/2`, for n = 0 `−K₁(x)`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(2.0));
    /// let rest = x.bessel_k(1) * 2.0 / x + x.k0() - x.bessel_k(2);
    /// assert!(rest.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "kn")]
    #[track_caller]
    pub fn bessel_k(self, n: u32) -> Var<'t, T> {
        scalar_function(BesselK(n), [self])
    }

    /// `eˣ K₀(x)`, element by element, which falls as `√(π/2x)` where `K₀` has long vanished. See [`k0`](Var::k0).
    ///
    /// # Gradient
    ///
    /// `eˣ (K₀(x) − K₁(x))`, computed so that it does not cancel in the tail, at every order.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1e6));
    /// let tail = (std::f64::consts::FRAC_PI_2 * 1e-6).sqrt();
    /// assert!((x.k0e().item()? / tail - 1.0).abs() < 1e-6);
    /// assert!((x.k0e().backward()?.wrt(x)?.item()? / (-0.5e-6 * tail) - 1.0).abs() < 1e-6);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "scaled_modified_bessel_k0")]
    #[track_caller]
    pub fn k0e(self) -> Var<'t, T> {
        scalar_function(ScaledK { order: 0, derivative: 0 }, [self])
    }

    /// `eˣ K₁(x)`, element by element. See [`k0e`](Var::k0e).
    ///
    /// # Gradient
    ///
    /// Computed so that it does not cancel in the tail, at every order.
    #[doc(alias = "scaled_modified_bessel_k1")]
    #[track_caller]
    pub fn k1e(self) -> Var<'t, T> {
        scalar_function(ScaledK { order: 1, derivative: 0 }, [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("i0", unary(-3.0, 3.0), |x| x[0].i0()),
        sample!("i1", unary(-3.0, 3.0), |x| x[0].i1()),
        sample!("bessel_i", unary(-3.0, 3.0), |x| x[0].bessel_i(3)),
        sample!("i0e", unary(0.1, 3.0), |x| x[0].i0e()),
        sample!("i0e left of 0", unary(-9.0, -0.1), |x| x[0].i0e()),
        sample!("i1e", unary(-3.0, -0.1), |x| x[0].i1e()),
        sample!("i1e right of 0", unary(0.1, 9.0), |x| x[0].i1e()),
        sample!("k0", unary(0.8, 4.0), |x| x[0].k0()),
        sample!("k1", unary(0.8, 4.0), |x| x[0].k1()),
        sample!("bessel_k", unary(1.5, 4.0), |x| x[0].bessel_k(2)),
        sample!("k0e", unary(0.8, 4.0), |x| x[0].k0e()),
        sample!("k1e", unary(0.8, 4.0), |x| x[0].k1e()),
    ]
}
