//! Products of Householder reflections.

use super::{Triangular, matrices, shape_of};
use crate::error::{Result, argument};
use crate::number::Real;
use crate::shape::{self, Shape};
use crate::tape::Var;
use crate::tensor::Tensor;

/// The first `n` columns of the identity of `m ≥ n` rows.
fn identity<T: Real>(m: usize, n: usize) -> Result<Tensor<T>> {
    Tensor::build(Shape::new([m, n])?, |out| {
        out.fill(T::ZERO);
        out.iter_mut().step_by(n + 1).take(n).for_each(|x| *x = T::ONE);
    })
}

impl<'t, T: Real> Var<'t, T> {
    /// The first n columns of a product of reflections `H₁ ⋯ Hₖ`, `Hᵢ = I − τᵢ vᵢ vᵢᵀ`, `[…, m, n]` with `m ≥ n ≥ k`.
    ///
    /// `self` has the vectors below the diagonal of its first k columns, as LAPACK's `geqrf` leaves them: `vᵢ` is 0
    /// above its element i, and 1 there. What stands on and above the diagonal is not read. `tau` has `[…, k]`. Q is
    /// orthogonal if `τᵢ = 2 / ‖vᵢ‖²`, or 0, and its derivatives do not assume that it is.
    ///
    /// By the product's compact form, `I − V (T⁻¹ + U)⁻¹ Vᵀ`, with U what is above the diagonal of `Vᵀ V` and the diagonal
    /// matrix T of τ.
    ///
    /// # Gradient
    ///
    /// By the vectors and by τ; what is not read gets 0.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for `m < n` or `n < k`; [`Shape`](crate::ErrorKind::Shape) if the batches
    /// differ; [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let v = tape.var(&Tensor::from([[9.0], [1.0]]));
    /// let q = v.householder_product(tape.var(&Tensor::from([1.0])));
    /// assert_eq!(q.value()?.to_vec(), [0.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "orgqr")]
    #[track_caller]
    pub fn householder_product(self, tau: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("householder_product", || {
            let shape = self.try_shape()?;
            let (batch, m, n) = matrices(&shape)?;
            if m < n {
                return argument("the number of columns", n, format!("at most the number of rows, {m}"));
            }
            let found = tau.try_shape()?;
            let k = found.last().copied().unwrap_or(0);
            if k > n {
                return argument(
                    "the number of reflections",
                    k,
                    format!("at most the number of columns, {n}"),
                );
            }
            shape::same("tau", &found, &shape_of(batch, &[k])?)?;
            let tape = self.tape();
            let v = self.slice(-1, 0..k as isize).tril(-1) + tape.constant(&identity(m, k)?);
            let tau = tau.unsqueeze(-1);
            let factor = tau * v.mt().matmul(v).triu(1);
            let right = tau * v.slice(-2, 0..n as isize).mt();
            let inner = factor.solve_triangular(right, Triangular::upper().unit());
            Ok(tape.constant(&identity(m, n)?) - v.matmul(inner))
        })
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let cases = || {
        shapes(
            &[
                &[&[1, 1], &[1]],
                &[&[5, 4], &[3]],
                &[&[3, 3], &[3]],
                &[&[2, 2, 4, 2], &[2, 2, 2]],
                &[&[3, 2], &[0]],
                &[&[2, 0], &[0]],
                &[&[0, 0], &[0]],
                &[&[0, 3, 2], &[0, 2]],
            ],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("householder_product", cases(), |x| x[0].householder_product(x[1])),
        wrong!(
            "householder_product",
            &[&[2, 3], &[2]],
            |x| x[0].householder_product(x[1]),
            "the number of columns is 3, wanted at most the number of rows, 2"
        ),
        wrong!(
            "householder_product",
            &[&[4, 3], &[4]],
            |x| x[0].householder_product(x[1]),
            "the number of reflections is 4, wanted at most the number of columns, 3"
        ),
        wrong!(
            "householder_product",
            &[&[2, 4, 3], &[3, 3]],
            |x| x[0].householder_product(x[1]),
            "tau has shape [3, 3], wanted [2, 3]"
        ),
        wrong!(
            "householder_product",
            &[&[3], &[3]],
            |x| x[0].householder_product(x[1]),
            "shape [3] has rank 1, wanted at least 2"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::tensor::Generator;

    /// The reflections one after another, as defined.
    #[test]
    fn the_product_is_that_of_the_reflections_one_by_one() {
        for (m, n, k) in [(7, 5, 4), (40, 33, 33)] {
            let tape = Tape::new();
            let from = &mut Generator::new(m as u64);
            let v = Tensor::<f64>::normal([m, n], 0.0, 0.1, from).unwrap();
            let tau = Tensor::<f64>::uniform([k], 0.0..1.0, from).unwrap();
            let q = tape.constant(&v).householder_product(tape.constant(&tau)).value().unwrap();
            let mut wanted = identity::<f64>(m, n).unwrap().to_vec();
            for i in (0..k).rev() {
                let vector: Vec<f64> = (0..m)
                    .map(|row| {
                        if row < i {
                            0.0
                        } else if row == i {
                            1.0
                        } else {
                            v.get([row, i]).unwrap()
                        }
                    })
                    .collect();
                for column in 0..n {
                    let dot: f64 = (0..m).map(|row| vector[row] * wanted[row * n + column]).sum();
                    let factor = tau.get([i]).unwrap() * dot;
                    (0..m).for_each(|row| wanted[row * n + column] -= factor * vector[row]);
                }
            }
            let wanted = Tensor::from_slice(&wanted, [m, n]).unwrap();
            assert!(q.all_close(&wanted, 0.0, 1e-13).unwrap(), "{m} {n} {k}");
        }
    }
}
