//! Matrices of powers.

use crate::number::Real;
use crate::shape::Shape;
use crate::tape::Var;
use crate::tensor::Tensor;

impl<'t, T: Real> Var<'t, T> {
    /// The powers `x⁰ … xⁿ⁻¹` of each element, in a new last axis: the Vandermonde matrices `[…, m, n]` of `[…, m]`, in
    /// which polynomials are fitted. One number makes a row, `[1, n]`.
    ///
    /// # Gradient
    ///
    /// `k xᵏ⁻¹`, exact at 0, too.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 0.0]));
    /// let powers = x.vander(3);
    /// assert_eq!(powers.value()?.to_vec(), [1.0, 2.0, 4.0, 1.0, 0.0, 0.0]);
    /// assert_eq!(powers.sum().backward()?.wrt(x)?.to_vec(), [5.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "vandermonde")]
    #[track_caller]
    pub fn vander(self, n: usize) -> Var<'t, T> {
        self.tape().composed("vander", || {
            let x = if self.try_shape()?.is_empty() { self.unsqueeze(0) } else { self };
            let mut shape = x.try_shape()?.to_vec();
            shape.push(n);
            Shape::new(shape.clone())?;
            *shape.last_mut().expect("just pushed") = 1;
            let ones = self.tape().constant(&Tensor::ones(shape.clone())?);
            *shape.last_mut().expect("just pushed") = n.saturating_sub(1);
            let factors = self.tape().concat(&[ones, x.unsqueeze(-1).expand(shape)], -1);
            Ok(factors.slice(-1, 0..n as isize).cumprod(-1))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, unary, wrong};
    let few = || shapes(&[&[&[]], &[&[3]], &[&[2, 3]], &[&[0]]], -1.5, 1.5);
    vec![
        sample!("vander", unary(-1.2, 1.2), |x| x[0].vander(4)),
        sample!("vander of nothing", few(), |x| x[0].vander(0)),
        sample!("vander of ones", few(), |x| x[0].vander(1) + x[0].sum()),
        wrong!(
            "vander",
            &[&[2, 2]],
            |x| x[0].vander(usize::MAX),
            "shape [2, 2, 18446744073709551615] is too large: at most 64 axes and 2^63 - 1 bytes"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn second_derivatives_are_exact_at_zero() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.0]));
        let powers = x.vander(5).matmul(tape.constant(&Tensor::from([7.0, 3.0, 11.0, 5.0, 2.0])));
        let [g] = tape.vjp(powers, &Tensor::from([1.0]), [x]).unwrap();
        assert_eq!(g.value().unwrap().to_vec(), [3.0]);
        let [h] = tape.vjp(g, &Tensor::from([1.0]), [x]).unwrap();
        assert_eq!(h.value().unwrap().to_vec(), [22.0]);
    }
}
