//! Products with logarithms that are 0 where the factor is: entropies and their kin.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};

/// x ln y, or x ln(1 + y).
#[derive(Clone, Copy)]
struct XLogY;

/// x ln(1 + y).
#[derive(Clone, Copy)]
struct XLog1pY;

/// −x ln x.
#[derive(Clone, Copy)]
struct Entropy;

/// x ln(x/y).
#[derive(Clone, Copy)]
struct RelativeEntropy;

/// ln(x/y), accurate where the two are close and where their quotient leaves the range.
fn ln_quotient(x: f64, y: f64) -> f64 {
    let quotient = x / y;
    if (0.5..=2.0).contains(&quotient) {
        ((x - y) / y).ln_1p()
    } else if quotient.is_normal() {
        quotient.ln()
    } else {
        x.ln() - y.ln()
    }
}

/// Where x = 0 and y is at or below `pole` the product is constant, with derivatives 0 at every order: there `slope` sees a
/// harmless y, and is not taken.
fn harmless<'t, T: Real>(
    [x, y]: [Var<'t, T>; 2],
    pole: f64,
    slope: impl FnOnce(Var<'t, T>) -> Var<'t, T>,
) -> Result<Option<Var<'t, T>>> {
    let constant = x.eq(0.0) & y.le(pole);
    let slope = slope(Var::where_(constant, y.constant(1.0 + pole), y));
    Ok(Some(Var::where_(constant, y.constant(0.0), slope)))
}

impl ScalarFunction<2> for XLogY {
    const NAME: &'static str = "xlogy";
    fn value<T: Real>(self, [x, y]: [f64; 2]) -> f64 {
        if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln() }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [x, y]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        harmless([x, y], 0.0, |y| if i == 0 { y.ln() } else { x / y })
    }
}

impl ScalarFunction<2> for XLog1pY {
    const NAME: &'static str = "xlog1py";
    fn value<T: Real>(self, [x, y]: [f64; 2]) -> f64 {
        if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln_1p() }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [x, y]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        harmless([x, y], -1.0, |y| if i == 0 { y.ln_1p() } else { x / (y + 1.0) })
    }
}

impl ScalarFunction<1> for Entropy {
    const NAME: &'static str = "entr";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        match x {
            0.0 => 0.0,
            _ if x < 0.0 => f64::NEG_INFINITY,
            _ => -x * x.ln(),
        }
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-(x.ln() + 1.0)))
    }
}

impl ScalarFunction<2> for RelativeEntropy {
    const NAME: &'static str = "rel_entr";
    fn value<T: Real>(self, [x, y]: [f64; 2]) -> f64 {
        if x.is_nan() || y.is_nan() {
            f64::NAN
        } else if x > 0.0 && y > 0.0 {
            x * ln_quotient(x, y)
        } else if x == 0.0 && y >= 0.0 {
            0.0
        } else {
            f64::INFINITY
        }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [x, y]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        harmless([x, y], 0.0, |y| if i == 0 { (x / y).ln() + 1.0 } else { -(x / y) })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `x ln y`, element by element, broadcast; 0 where x = 0, whatever y is but NaN. The other is a variable, a tensor
    /// or a number.
    ///
    /// # Gradient
    ///
    /// `ln y` by x, `x/y` by y; both 0 where x = 0 and y ≤ 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0]));
    /// let y = tape.var(&Tensor::from([0.0, 1.0]));
    /// assert_eq!(x.xlogy(y).value()?.to_vec(), [0.0, 0.0]);
    /// assert_eq!(x.xlogy(y).sum().backward()?.wrt(y)?.to_vec(), [0.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn xlogy(self, y: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(XLogY, [self, y.into_var(self.tape())])
    }

    /// `x ln(1 + y)`, element by element, broadcast, accurate near y = 0; 0 where x = 0, whatever y is but NaN. The
    /// other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// `ln(1 + y)` by x, `x/(1 + y)` by y; both 0 where x = 0 and y ≤ −1.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0]));
    /// let y = tape.var(&Tensor::from([-1.0, 1e-20]));
    /// assert_eq!(x.xlog1py(y).value()?.to_vec(), [0.0, 2e-20]);
    /// assert_eq!(x.xlog1py(y).sum().backward()?.wrt(y)?.to_vec(), [0.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn xlog1py(self, y: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(XLog1pY, [self, y.into_var(self.tape())])
    }

    /// The terms of an entropy, `−x ln x`, element by element; 0 at 0, −∞ below.
    ///
    /// # Gradient
    ///
    /// `−ln x − 1`; ∞ at 0, NaN below.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0, -1.0]));
    /// assert_eq!(x.entr().value()?.to_vec(), [0.0, 0.0, f64::NEG_INFINITY]);
    /// assert_eq!(x.entr().sum().backward()?.wrt(x)?[[1]], -1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "entropy")]
    #[track_caller]
    pub fn entr(self) -> Var<'t, T> {
        scalar_function(Entropy, [self])
    }

    /// The terms of a relative entropy, `x ln(x/y)`, element by element, broadcast; 0 where x = 0 and y ≥ 0, ∞ where
    /// either is negative or y alone is 0. Their sum is the Kullback-Leibler divergence. The other is a variable, a
    /// tensor or a number.
    ///
    /// # Gradient
    ///
    /// `ln(x/y) + 1` by x, `−x/y` by y; by y it is 0 where both are 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let p = tape.var(&Tensor::from([0.5, 0.5, 0.0]));
    /// let q = tape.var(&Tensor::from([0.25, 0.5, 0.25]));
    /// let divergence = p.rel_entr(q).sum();
    /// assert!((divergence.item()? - 0.5 * 2f64.ln()).abs() < 1e-15);
    /// assert_eq!(divergence.backward()?.wrt(q)?.to_vec(), [-2.0, -1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "relative_entropy")]
    #[track_caller]
    pub fn rel_entr(self, y: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(RelativeEntropy, [self, y.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, unary, wrong};
    let both = || binary((-2.0, 2.0), (0.5, 2.0));
    vec![
        sample!("xlogy", both(), |x| x[0].xlogy(x[1])),
        sample!("xlog1py", both(), |x| x[0].xlog1py(x[1] - 0.9)),
        sample!("xlogy of a number", both(), |x| (x[1] * x[0]).xlogy(2.5).square()),
        sample!("entr", unary(0.5, 2.0), |x| x[0].entr()),
        sample!("rel_entr", binary((0.5, 2.0), (0.5, 2.0)), |x| x[0].rel_entr(x[1])),
        wrong!("xlogy", &[&[2], &[3]], |x| x[0].xlogy(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::{Tape, Var};
    use crate::tensor::Tensor;

    fn slopes<'t>(y: Var<'t, f64>, of: [Var<'t, f64>; 2]) -> [Vec<f64>; 2] {
        let grads = y.sum().backward().unwrap();
        of.map(|x| grads.wrt(x).unwrap().to_vec())
    }

    #[test]
    fn a_factor_of_zero_wins_but_not_over_nan() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.0, 0.0, 0.0, 0.0, 1.0]));
        let y = tape.var(&Tensor::from([0.0, -3.0, f64::INFINITY, f64::NAN, 0.0]));
        for (z, poles) in [(x.xlogy(y), 2), (x.xlog1py(y), 1)] {
            let value = z.value().unwrap().to_vec();
            assert_eq!(value[..3], [0.0; 3]);
            assert!(value[3].is_nan());
            let [dx, dy] = slopes(z, [x, y]);
            assert_eq!((dx[0], dx[1], dx[2]), (0.0, 0.0, f64::INFINITY));
            assert_eq!(dy[..3], [0.0; 3]);
            assert_eq!(dx[4].is_infinite(), poles == 2);
        }
    }

    #[test]
    fn where_the_product_is_constant_the_second_derivatives_are_0_in_both_modes() {
        let tape = Tape::new();
        let (x, y) = (tape.var(&Tensor::scalar(0.0)), tape.var(&Tensor::scalar(0.0)));
        let [dx, dy] = tape.vjp(x.xlogy(y), &Tensor::scalar(1.0), [x, y]).unwrap();
        for g in [dx, dy] {
            assert_eq!(slopes(g, [x, y]), [[0.0], [0.0]]);
            let one = Tensor::scalar(1.0);
            assert_eq!(tape.jvp(g, [(x, &one), (y, &one)]).unwrap().item().unwrap(), 0.0);
        }
    }

    #[test]
    fn relative_entropy_at_the_edges_and_between_neighbours() {
        const TOP: f64 = f64::INFINITY;
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.0, 1.0, -1.0, 1.0, 1.0 + f64::EPSILON, 1e300, f64::NAN]));
        let y = tape.var(&Tensor::from([0.0, 0.0, 1.0, -1.0, 1.0, 1e-300, 1.0]));
        let value = x.rel_entr(y).value().unwrap().to_vec();
        assert_eq!(value[..4], [0.0, TOP, TOP, TOP]);
        assert!((value[4] / f64::EPSILON - 1.0).abs() < 1e-15);
        assert!((value[5] / (1e300 * 600.0 * 10f64.ln()) - 1.0).abs() < 1e-15);
        assert!(value[6].is_nan());
        let [_, dy] = slopes(x.rel_entr(y), [x, y]);
        assert_eq!(dy[0], 0.0);
    }
}
