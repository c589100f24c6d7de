//! Running products.

use crate::error::Result;
use crate::kernels::scan;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// `yᵢ = xᵢ yᵢ₋₁`, a recurrence in which x is the factor: its derivatives are recurrences without a division.
#[derive(Clone, Copy)]
struct CumProd {
    axis: isize,
}

impl CumProd {
    /// What stands before each element: the product so far, 1 at the first.
    fn before<'t, T: Real>(self, y: Var<'t, T>) -> Result<Var<'t, T>> {
        let shape = y.try_shape()?;
        let n = shape[resolve_axis(self.axis, &shape)?];
        if n == 0 {
            return Ok(y);
        }
        let one = (y.zeros_like().slice(self.axis, 0..1) + 1.0).embed(self.axis, 0..1, n);
        Ok(y.shifted(self.axis, false) + one)
    }
}

impl<T: Real> Operation<T> for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].scanned(self.axis, |x, [_, n, inner], out| scan::cumprod(x, n, inner, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let weights = at.x(0).shifted(self.axis, true).recurrence(at.g(0), self.axis, true);
        at.one(weights * self.before(at.y(0))?)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let before = self.before(at.y(0))?;
        at.sum_of(|_, dx| at.x(0).recurrence(dx * before, self.axis, false))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let (y, g) = (at.y(0).contiguous()?, g.contiguous()?);
            let (y, g) = (y.as_slice().expect("contiguous"), g.as_slice().expect("contiguous"));
            at.x(0)
                .scanned(self.axis, |x, [_, n, inner], out| scan::cumprod_backward([x, y, g], n, inner, out))
        };
        at.one(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Running products along an axis, `yᵢ = x₀ ⋯ xᵢ`.
    ///
    /// # Gradient
    ///
    /// The products of the other factors, summed without a division: exact beside zeros, at every order.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 0.0, 3.0, 0.0, 4.0]));
    /// let y = x.cumprod(0);
    /// assert_eq!(y.value()?.to_vec(), [2.0, 0.0, 0.0, 0.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 8.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cumprod(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(CumProd { axis }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let vectors = || shapes(&[&[&[1]], &[&[7]], &[&[0]], &[&[2, 0]], &[&[0, 3]]], -1.5, 1.5);
    vec![
        sample!("cumprod", vectors(), |x| x[0].cumprod(0)),
        sample!("cumprod over middle", rank3(-1.5, 1.5), |x| x[0].cumprod(1)),
        sample!("cumprod over last", rank3(-1.5, 1.5), |x| x[0].cumprod(-1)),
        sample!("cumprod beside zeros", shapes(&[&[&[3], &[2]]], -1.5, 1.5), |x| {
            let zero = x[0].slice(0, 0..1) * 0.0;
            x[0].tape().concat(&[x[0], zero, x[1], zero], 0).cumprod(0)
        }),
        wrong!("cumprod", &[&[2, 3]], |x| x[0].cumprod(-3), "axis -3 is out of range for shape [2, 3]"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    /// The second derivatives of Σ c y by differences of polynomials: exact in small integers.
    #[test]
    fn second_derivatives_are_exact_beside_zeros() {
        for x in [[2.0, 0.0, 3.0, 0.0], [0.0, 0.0, 1.0, 2.0], [0.0, 5.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]] {
            let c = [1.0, -2.0, 3.0, 5.0];
            let tape = Tape::new();
            let v = tape.var(&Tensor::from(x));
            let y = (v.cumprod(0) * tape.constant(&Tensor::from(c))).sum();
            let [g] = tape.vjp(y, &Tensor::scalar(1.0), [v]).unwrap();
            for i in 0..4 {
                let mut seed = [0.0; 4];
                seed[i] = 1.0;
                let [row] = tape.vjp(g, &Tensor::from(seed), [v]).unwrap();
                let wanted: Vec<f64> = (0..4)
                    .map(|j| {
                        let terms = i.max(j)..4;
                        let others =
                            |k: usize| (0..=k).filter(|&m| m != i && m != j).map(|m| x[m]).product::<f64>();
                        if i == j { 0.0 } else { terms.map(|k| c[k] * others(k)).sum() }
                    })
                    .collect();
                assert_eq!(row.value().unwrap().to_vec(), wanted, "{x:?} {i}");
            }
        }
    }
}
