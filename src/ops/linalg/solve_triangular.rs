//! Triangular systems, from all four sides.

use super::{as_stored, broadcast_batches, in_place, matrices, slice, square};
use crate::error::{ErrorKind, Result};
use crate::kernels::linalg;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// How [`Var::solve_triangular`] reads its matrix, and from which side that acts.
///
/// ```
/// use retrograde::linalg::Triangular;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let l = tape.var(&Tensor::from([[2.0, 9.0], [1.0, 4.0]]));
/// let b = tape.constant(&Tensor::from([[2.0, 4.0]]));
/// // X L = B, the 9 not read.
/// let x = l.solve_triangular(b, Triangular::lower().right());
/// assert_eq!(x.value()?.to_vec(), [0.5, 1.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Triangular {
    upper: bool,
    unit: bool,
    right: bool,
    transposed: bool,
}

impl Triangular {
    /// The lower triangle counts: `A X = B`.
    pub fn lower() -> Triangular {
        Triangular { upper: false, unit: false, right: false, transposed: false }
    }

    /// The upper triangle counts: `A X = B`.
    pub fn upper() -> Triangular {
        Triangular { upper: true, ..Triangular::lower() }
    }

    /// The diagonal counts as ones and is not read.
    pub fn unit(self) -> Triangular {
        Triangular { unit: true, ..self }
    }

    /// The matrix stands on the right: `X A = B`.
    pub fn right(self) -> Triangular {
        Triangular { right: true, ..self }
    }

    /// The transpose of the matrix: `Aᵀ X = B`, or `X Aᵀ = B`.
    pub fn transposed(self) -> Triangular {
        Triangular { transposed: true, ..self }
    }

    fn adjoint(self) -> Triangular {
        Triangular { transposed: !self.transposed, ..self }
    }

    /// What of a cotangent of A counts.
    fn part<'t, T: Real>(self, x: Var<'t, T>) -> Var<'t, T> {
        match (self.upper, self.unit) {
            (false, unit) => x.tril(-isize::from(unit)),
            (true, unit) => x.triu(isize::from(unit)),
        }
    }

    /// `A X`, or the product that the system is about, for an `a` of which only what counts is not 0.
    fn product<'t, T: Real>(self, a: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        let a = if self.transposed { a.mt() } else { a };
        if self.right { x.matmul(a) } else { a.matmul(x) }
    }
}

impl<T: Real> Operation<T> for Triangular {
    fn name(&self) -> &'static str {
        "solve_triangular"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (_, n) = square(x[0].shape())?;
        let (a, stored_by_rows) = as_stored(x[0])?;
        let a = slice(&a);
        // B column by column; from the right the system is that of the transposes, whose columns are B's rows.
        let b = if self.right { x[1].clone() } else { x[1].transpose(-1, -2)? };
        let transposed = self.transposed != self.right;
        let triangle = linalg::Triangular { upper: self.upper != transposed, unit: self.unit };
        // Aᵀ row by row is A column by column.
        let by_rows = stored_by_rows != transposed;
        let ns = linalg::triangular_solve_ns(n, b.shape()[b.rank() - 2]);
        let solved = in_place(b.contiguous()?, n, ns, |_: &mut (), i, b| {
            linalg::triangular_solve(n, &a[i * n * n..(i + 1) * n * n], by_rows, triangle, b);
            Ok(())
        })?;
        if self.right { Ok(one(solved)) } else { solved.transpose(-1, -2).map(one) }
    }
    /// `B̄ = A⁻ᵀ X̄`, and `Ā` what counts of `−B̄ Xᵀ`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, x) = (at.x(0), at.y(0));
        let b = a.solve_triangular(at.g(0), self.adjoint());
        at.each(|i| match i {
            0 => {
                let product = if self.right { x.mt().matmul(b) } else { b.matmul(x.mt()) };
                self.part(-if self.transposed { product.mt() } else { product })
            }
            _ => b,
        })
    }
    /// `dX = A⁻¹ (dB − dA X)`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, x) = (at.x(0), at.y(0));
        at.sum_of(|i, dx| {
            let right = if i == 0 { -self.product(self.part(dx), x) } else { dx };
            a.solve_triangular(right, *self)
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The solution X of `A X = B`, or one of the systems that [`Triangular`] names, for triangular matrices `self` of
    /// `[…, n, n]` and B of `[…, n, k]` (`[…, k, n]` from the right). The batches broadcast. The other triangle is not
    /// read.
    ///
    /// # Gradient
    ///
    /// `B̄ = A⁻ᵀ X̄`; `Ā` is the triangle of `−B̄ Xᵀ` that counts, without the diagonal where that counts as ones.
    ///
    /// # Accuracy
    ///
    /// Backward stable. A zero on the diagonal gives infinities or NaNs, as division does.
    ///
    /// # Errors
    ///
    /// [`NotSquare`](ErrorKind::NotSquare); [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension);
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::linalg::Triangular;
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[2.0, 1.0], [0.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([[4.0], [8.0]]));
    /// let x = a.solve_triangular(b, Triangular::upper());
    /// assert_eq!(x.value()?.to_vec(), [1.0, 2.0]);
    /// let grads = x.sum().backward()?;
    /// assert_eq!(grads.wrt(b)?.to_vec(), [0.5, 0.125]);
    /// assert_eq!(grads.wrt(a)?.to_vec(), [-0.5, -1.0, 0.0, -0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "triangular_solve")]
    #[track_caller]
    pub fn solve_triangular(self, b: Var<'t, T>, system: Triangular) -> Var<'t, T> {
        self.tape().composed("solve_triangular", || {
            let (left, right) = (self.try_shape()?, b.try_shape()?);
            let (_, n) = square(&left)?;
            let (_, rows, columns) = matrices(&right)?;
            if n != if system.right { columns } else { rows } {
                let (left, right) = if system.right { (right, left) } else { (left, right) };
                return Err(ErrorKind::InnerDimension { left: left.to_vec(), right: right.to_vec() }.into());
            }
            let operands = broadcast_batches(self, b)?;
            Ok(self.tape().apply(system, &operands))
        })
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let cases: [&[&[usize]]; 8] = [
        &[&[1, 1], &[1, 1]],
        &[&[3, 3], &[3, 3]],
        &[&[2, 5, 5], &[2, 5, 5]],
        &[&[3, 3], &[2, 2, 3, 3]],
        &[&[2, 1, 2, 2], &[3, 2, 2]],
        &[&[0, 2, 2], &[2, 2]],
        &[&[0, 0], &[0, 0]],
        &[&[2, 0, 0], &[0, 0]],
    ];
    // Diagonals away from 0.
    fn safe<'t, T: Real>(a: Var<'t, T>) -> Var<'t, T> {
        let n = a.try_shape().map_or(0, |shape| shape[shape.len() - 1]);
        a + a.tape().constant(&Tensor::eye(n).unwrap()) * 3.0
    }
    let oblong = || shapes(&[&[&[3, 3], &[3, 2]], &[&[4, 4], &[2, 4, 1]], &[&[2, 2], &[2, 0]]], -1.0, 1.0);
    let all = || shapes(&cases, -1.0, 1.0);
    vec![
        sample!("solve_triangular lower", all(), |x| safe(x[0]).solve_triangular(x[1], Triangular::lower())),
        sample!("solve_triangular upper", all(), |x| safe(x[0]).solve_triangular(x[1], Triangular::upper())),
        sample!("solve_triangular oblong", oblong(), |x| safe(x[0])
            .solve_triangular(x[1], Triangular::lower())),
        sample!("solve_triangular oblong right", oblong(), |x| safe(x[0])
            .solve_triangular(x[1].transpose(-1, -2), Triangular::upper().right())),
        sample!("solve_triangular unit", all(), |x| x[0].solve_triangular(x[1], Triangular::lower().unit())),
        sample!("solve_triangular upper unit", all(), |x| x[0]
            .solve_triangular(x[1], Triangular::upper().unit().right().transposed())),
        sample!("solve_triangular right", all(), |x| safe(x[0])
            .solve_triangular(x[1], Triangular::lower().right())),
        sample!("solve_triangular transposed", all(), |x| safe(x[0])
            .solve_triangular(x[1], Triangular::upper().transposed())),
        sample!("solve_triangular right transposed", all(), |x| safe(x[0])
            .solve_triangular(x[1], Triangular::lower().right().transposed())),
        wrong!(
            "solve_triangular",
            &[&[2, 3], &[3, 1]],
            |x| x[0].solve_triangular(x[1], Triangular::lower()),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "solve_triangular",
            &[&[2, 2], &[2]],
            |x| x[0].solve_triangular(x[1], Triangular::lower()),
            "shape [2] has rank 1, wanted at least 2"
        ),
        wrong!(
            "solve_triangular",
            &[&[2, 2], &[3, 2]],
            |x| x[0].solve_triangular(x[1], Triangular::lower()),
            "shapes [2, 2] and [3, 2] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "solve_triangular",
            &[&[2, 2], &[2, 3]],
            |x| x[0].solve_triangular(x[1], Triangular::lower().right()),
            "shapes [2, 3] and [2, 2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "solve_triangular",
            &[&[4, 2, 2], &[3, 2, 2]],
            |x| x[0].solve_triangular(x[1], Triangular::lower()),
            "shapes [4, 2, 2] and [3, 2, 2] do not broadcast"
        ),
    ]
}
