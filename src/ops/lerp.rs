//! Fused products and sums: interpolation between two, multiples of products and quotients.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};

/// a + w (b − a).
#[derive(Clone, Copy)]
struct Lerp;

impl ScalarFunction<3> for Lerp {
    const NAME: &'static str = "lerp";
    const COST: f32 = 1.0;
    /// From the nearer end, so that both ends are exact.
    fn value<T: Real>(self, [a, b, w]: [f64; 3]) -> f64 {
        if w.abs() < 0.5 { a + w * (b - a) } else { b - (b - a) * (1.0 - w) }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, b, w]: [Var<'t, T>; 3],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok(Some(match i {
            0 => 1.0 - w,
            1 => w,
            _ => b - a,
        }))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Linear interpolation `a + w (b − a)` from this to `end`, element by element, broadcast; exact for weights 0 and
    /// 1. End and weight are variables, tensors or numbers; weights outside [0, 1] extrapolate.
    ///
    /// # Gradient
    ///
    /// `1 − w` by the start, `w` by the end, `b − a` by the weight.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([0.0, 10.0])), tape.var(&Tensor::from([2.0, 20.0])));
    /// assert_eq!(a.lerp(b, 0.25).value()?.to_vec(), [0.5, 12.5]);
    /// let w = tape.var(&Tensor::from([0.0, 1.0]));
    /// let grads = a.lerp(b, w).sum().backward()?;
    /// assert_eq!(grads.wrt(w)?.to_vec(), [2.0, 10.0]);
    /// assert_eq!(grads.wrt(b)?.to_vec(), [0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "mix")]
    #[track_caller]
    pub fn lerp(self, end: impl IntoVar<'t, T>, weight: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Lerp, [self, end.into_var(self.tape()), weight.into_var(self.tape())])
    }

    /// `x + c a b` for a number `c`, element by element, broadcast. `a` and `b` are variables, tensors or numbers.
    ///
    /// # Gradient
    ///
    /// 1 by `x`, `c b` by `a`, `c a` by `b`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.addcmul(x, 3.0, 0.5);
    /// assert_eq!(y.value()?.to_vec(), [2.5, 5.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [2.5, 2.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addcmul(self, a: impl IntoVar<'t, T>, b: impl IntoVar<'t, T>, c: f64) -> Var<'t, T> {
        let tape = self.tape();
        tape.composed("addcmul", || Ok(self + a.into_var(tape) * b.into_var(tape) * c))
    }

    /// `x + c a/b` for a number `c`, element by element, broadcast. `a` and `b` are variables, tensors or numbers.
    ///
    /// # Gradient
    ///
    /// 1 by `x`, `c/b` by `a`, `−c a/b²` by `b`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let b = tape.var(&Tensor::from([2.0, 4.0]));
    /// let y = x.addcdiv(1.0, b, 4.0);
    /// assert_eq!(y.value()?.to_vec(), [3.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(b)?.to_vec(), [-1.0, -0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addcdiv(self, a: impl IntoVar<'t, T>, b: impl IntoVar<'t, T>, c: f64) -> Var<'t, T> {
        let tape = self.tape();
        tape.composed("addcdiv", || Ok(self + a.into_var(tape) / b.into_var(tape) * c))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, shapes, wrong};
    let three = || {
        let cases: &[&[&[usize]]] = &[
            &[&[], &[], &[]],
            &[&[7], &[7], &[7]],
            &[&[5, 1], &[4], &[]],
            &[&[3], &[2, 1], &[2, 3]],
            &[&[0], &[0], &[0]],
        ];
        shapes(cases, 0.5, 2.0)
    };
    vec![
        sample!("lerp", three(), |x| x[0].lerp(x[1], x[2]).square()),
        sample!("lerp near the start", three(), |x| x[0].lerp(x[1], x[2] * 0.2)),
        sample!("lerp by a number", binary((-2.0, 2.0), (-2.0, 2.0)), |x| x[0].lerp(x[1], 0.4).square()),
        sample!("addcmul", three(), |x| x[0].addcmul(x[1], x[2], 2.75).square()),
        sample!("addcdiv", three(), |x| x[0].addcdiv(x[1], x[2], -0.7).square()),
        wrong!("lerp", &[&[2], &[3]], |x| x[0].lerp(x[1], 0.5), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn both_ends_are_exact() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([1e17, 0.1, -3.0]));
        let b = tape.var(&Tensor::from([0.3, 1e17, 7.0]));
        assert_eq!(a.lerp(b, 0.0).value().unwrap(), a.value().unwrap());
        assert_eq!(a.lerp(b, 1.0).value().unwrap(), b.value().unwrap());
        assert_eq!(a.lerp(b, 2.0).value().unwrap()[[2]], 17.0);
        assert_eq!(a.lerp(b, -1.0).value().unwrap()[[2]], -13.0);
    }
}
