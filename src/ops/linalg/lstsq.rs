//! Least squares.

use super::{broadcast_batches, in_place, matrices, shape_of, slice};
use crate::error::{ErrorKind, Result};
use crate::kernels::linalg;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::smallvec;

/// `S⁺ B` for tall S of full rank, or `S⁺ᵀ B`, of S, B and the factors `S = Q R`, which count as constants: S itself
/// carries the derivative.
struct PseudoInverse {
    transposed: bool,
}

impl<T: Real> Operation<T> for PseudoInverse {
    fn name(&self) -> &'static str {
        "lstsq"
    }
    /// `S⁺ = R⁻¹ Qᵀ`.
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let [s, b, q, r] = [x[0], x[1], x[2], x[3]];
        let (_, m, n) = matrices(s.shape())?;
        let factors = r.transpose(-1, -2)?.contiguous()?;
        let factors = slice(&factors);
        // Right-hand sides column by column.
        let b = b.transpose(-1, -2)?;
        let b = if self.transposed { b.contiguous()? } else { b.matmul(q)?.contiguous()? };
        let ns = linalg::triangular_solve_ns(n, b.shape()[b.rank() - 2]);
        let upper = linalg::Triangular { upper: true, unit: false };
        let triangle = if self.transposed { linalg::Triangular { upper: false, ..upper } } else { upper };
        let solved = in_place(b, n, ns, |_: &mut (), i, b| {
            let r = &factors[i * n * n..(i + 1) * n * n];
            if let Some(pivot) = linalg::dependent(n, m, r) {
                return Err(linalg::Fault::Singular(pivot));
            }
            linalg::triangular_solve(n, r, self.transposed, triangle, b);
            Ok(())
        })?;
        let solved = solved.transpose(-1, -2)?;
        if self.transposed { q.matmul(&solved).map(one) } else { Ok(one(solved)) }
    }
    /// With `x = S⁺ b`, `z = S⁺ᵀ x̄` and the residual `ρ = b − S x`: `b̄ = z` and `S̄ = ρ (S⁺ z)ᵀ − z xᵀ`; with
    /// `z = S⁺ᵀ b` and `u = S⁺ z̄`: `b̄ = u` and `S̄ = (z̄ − S u) (S⁺ z)ᵀ − z uᵀ` (Golub & Pereyra 1973, eq. 4.12).
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (s, b, y, g) = (at.x(0), at.x(1), at.y(0), at.g(0));
        let back = self.solve(at, !self.transposed, g);
        let (long, short, right) = if self.transposed { (y, back, g) } else { (back, y, b) };
        let part = || -> Result<Var<'t, T>> {
            let direct = -long.matmul(short.mt());
            if square(s)? {
                return Ok(direct);
            }
            let outside = right - s.matmul(short);
            Ok(outside.matmul(self.solve(at, false, long).mt()) + direct)
        };
        let part = if at.needs(0) { Some(part()?) } else { None };
        Ok(smallvec![part, Some(back), None, None])
    }
    /// `dx = S⁺ (db − dS x) + S⁺ S⁺ᵀ dSᵀ ρ`; `dz = S⁺ᵀ (db − dSᵀ z) + (I − S S⁺) dS S⁺ z`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (s, b, y) = (at.x(0), at.x(1), at.y(0));
        let tall = !square(s)?;
        at.sum_of(|i, dx| {
            if i == 1 {
                return self.solve(at, self.transposed, dx);
            }
            let product = if self.transposed { dx.mt().matmul(y) } else { dx.matmul(y) };
            let direct = -self.solve(at, self.transposed, product);
            match (tall, self.transposed) {
                (false, _) => direct,
                (true, false) => {
                    let spread = self.solve(at, true, dx.mt().matmul(b - s.matmul(y)));
                    direct + self.solve(at, false, spread)
                }
                (true, true) => {
                    let moved = dx.matmul(self.solve(at, false, y));
                    direct + moved - s.matmul(self.solve(at, false, moved))
                }
            }
        })
    }
}

impl PseudoInverse {
    fn solve<'t, T: Real>(&self, at: &At<'_, 't, T>, transposed: bool, b: Var<'t, T>) -> Var<'t, T> {
        let inputs = [at.x(0), b, at.x(2), at.x(3)];
        b.tape().apply(PseudoInverse { transposed }, &inputs)
    }
}

fn square<T: Real>(s: Var<'_, T>) -> Result<bool> {
    let shape = s.try_shape()?;
    let (_, m, n) = matrices(&shape)?;
    Ok(m == n)
}

impl<'t, T: Real> Var<'t, T> {
    /// The X that minimises `‖A X − B‖` for matrices `self` of `[…, m, n]` and full rank: the least squares solution for
    /// `m > n`, the solution for `m = n`, and the solution of least norm for `m < n`. B has `[…, m, k]`, and X
    /// `[…, n, k]`; or B is a vector, `[m]` or of the shape `[…, m]` of A without its columns, and so is X. The batches
    /// broadcast.
    ///
    /// # Gradient
    ///
    /// By A and by B, from formulas of their own instead of those of the factors: `B̄ = A⁺ᵀ X̄`, and for `m ≥ n`
    /// `Ā = (B − A X) (A⁺ B̄)ᵀ − B̄ Xᵀ`.
    ///
    /// # Accuracy
    ///
    /// By Householder reflections of A, or of Aᵀ: the condition of A counts, and its square only times the residual, as
    /// it does for the problem itself. The normal equations would square it always.
    ///
    /// # Errors
    ///
    /// [`Singular`](ErrorKind::Singular), with the matrix of the batch and the column of A (the row for `m < n`) that
    /// depends on those before it to rounding; [`NotFinite`](ErrorKind::NotFinite);
    /// [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast); [`Rank`](ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// // A line through three points: 1 + 2 t, and one of them is off.
    /// let a = tape.var(&Tensor::from([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]));
    /// let b = tape.var(&Tensor::from([1.5, 2.0, 5.5]));
    /// let x = a.lstsq(b);
    /// assert!(x.value()?.all_close(&Tensor::from([1.0, 2.0]), 0.0, 1e-14)?);
    /// let slope = x.slice(0, 1..).sum();
    /// assert!(slope.backward()?.wrt(b)?.all_close(&Tensor::from([-0.5, 0.0, 0.5]), 0.0, 1e-14)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "least_squares")]
    #[track_caller]
    pub fn lstsq(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("lstsq", || {
            let (left, right) = (self.try_shape()?, b.try_shape()?);
            let (batch, m, n) = matrices(&left)?;
            let vector = right.len() == 1 || *right == *shape_of(batch, &[m])?;
            let b = if vector { b.unsqueeze(-1) } else { b };
            let (_, rows, _) = matrices(&b.try_shape()?).map(|(batch, m, n)| (batch.len(), m, n))?;
            if rows != m {
                // The product with A's transpose is what does not fit.
                let left = shape_of(batch, &[n, m])?;
                return Err(ErrorKind::InnerDimension { left: left.to_vec(), right: right.to_vec() }.into());
            }
            let [a, b] = broadcast_batches(self, b)?;
            let (s, transposed) = if m < n { (a.mt(), true) } else { (a, false) };
            let [q, r] = s.qr_factors("lstsq")?;
            let x = self.tape().apply(PseudoInverse { transposed }, &[s, b, q, r]);
            Ok(if vector { x.squeeze(-1) } else { x })
        })
    }
}

#[cfg(test)]
use super::qr::full_rank;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = || {
        shapes(
            &[
                &[&[1, 1], &[1, 1]],
                &[&[3, 3], &[3, 2]],
                &[&[5, 2], &[5, 2]],
                &[&[2, 4], &[2, 1]],
                &[&[2, 3, 2], &[3, 1]],
                &[&[2, 3], &[2, 2, 1]],
                &[&[2, 1, 3, 2], &[3, 3, 1]],
                &[&[0, 3, 2], &[3, 1]],
                &[&[3, 0], &[3, 2]],
                &[&[0, 3], &[0, 2]],
                &[&[0, 0], &[0, 2]],
                &[&[3, 2], &[3, 0]],
            ],
            -1.0,
            1.0,
        )
    };
    let vectors = || shapes(&[&[&[4, 2], &[4]], &[&[2, 3], &[2]], &[&[2, 3, 2], &[2, 3]]], -1.0, 1.0);
    vec![
        sample!("lstsq", matrices(), |x| full_rank(x[0]).lstsq(x[1])),
        sample!("lstsq of vectors", vectors(), |x| full_rank(x[0]).lstsq(x[1])),
        wrong!("lstsq", &[&[3], &[3]], |x| x[0].lstsq(x[1]), "shape [3] has rank 1, wanted at least 2"),
        wrong!("lstsq", &[&[3, 2], &[]], |x| x[0].lstsq(x[1]), "shape [] has rank 0, wanted at least 2"),
        wrong!(
            "lstsq",
            &[&[3, 2], &[2, 1]],
            |x| x[0].lstsq(x[1]),
            "shapes [2, 3] and [2, 1] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "lstsq",
            &[&[4, 3, 2], &[3, 3, 1]],
            |x| x[0].lstsq(x[1]),
            "shapes [4, 3, 2] and [3, 3, 1] do not broadcast"
        ),
        wrong!(
            "lstsq",
            &[&[2, 3, 1], &[3, 1]],
            |x| x[0].tape().concat(&[x[0], x[0] * 3.0], -1).lstsq(x[1]),
            "the matrix [0] of the batch is singular: pivot 1 of 2 is 0"
        ),
        wrong!(
            "lstsq",
            &[&[3, 2], &[3, 1]],
            |x| (x[0] / 0.0).lstsq(x[1]),
            "the matrix has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests;
