//! Linear systems of square matrices.

use super::factors::{Factored, over_batch};
use super::square;
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::Axes;
use crate::tape::Var;

/// `A X = B` for B of matrices. `given` are the shapes that an error is about.
fn solved<'t, T: Real>(
    a: Var<'t, T>,
    b: Var<'t, T>,
    given: [&[usize]; 2],
    right: bool,
) -> Result<Var<'t, T>> {
    let shape = a.try_shape()?;
    let n = square(&shape)?.1;
    let b = if right { b.mt() } else { b };
    let rows = b.try_shape()?;
    if rows[rows.len() - 2] != n {
        let [left, right] = given.map(<[usize]>::to_vec);
        return Err(ErrorKind::InnerDimension { left, right }.into());
    }
    let b = over_batch(b, &shape, given)?;
    let x = Factored::regular(a, if right { "solve_right" } else { "solve" })?.solve(b, right);
    Ok(if right { x.mt() } else { x })
}

impl<'t, T: Real> Var<'t, T> {
    /// The solution X of `A X = B` for square matrices `self` of `[…, n, n]`, by LU factors. The batches broadcast.
    ///
    /// B of `[…, n, k]` are matrices. B is a vector, or a batch of vectors, and so is X, if its rank is 1, or if its
    /// shape is that of A without the last axis.
    ///
    /// # Gradient
    ///
    /// `B̄ = A⁻ᵀ X̄`, `Ā = −B̄ Xᵀ`, with the same factors.
    ///
    /// # Accuracy
    ///
    /// Backward stable. A matrix that is singular but for rounding is solved with, and gives large numbers.
    ///
    /// # Errors
    ///
    /// [`Singular`](ErrorKind::Singular), with the matrix of the batch and the pivot that is exactly 0;
    /// [`NotFinite`](ErrorKind::NotFinite) for A, while B may hold anything; [`NotSquare`](ErrorKind::NotSquare);
    /// [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
    /// let b = tape.var(&Tensor::from([6.0, 4.0]));
    /// let x = a.solve(b);
    /// assert_eq!(x.value()?.to_vec(), [1.0, 3.0]);
    /// let grads = x.sum().backward()?;
    /// assert_eq!(grads.wrt(b)?.to_vec(), [0.5, 0.25]);
    /// assert_eq!(grads.wrt(a)?.to_vec(), [-0.5, -1.5, -0.25, -0.75]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn solve(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("solve", || {
            let shapes = [self.try_shape()?, b.try_shape()?];
            square(&shapes[0])?;
            let given = [&shapes[0][..], &shapes[1][..]];
            if given[1].len() == 1 || given[0][..given[0].len() - 1] == *given[1] {
                return Ok(solved(self, b.unsqueeze(-1), given, false)?.squeeze(-1));
            }
            super::matrices(given[1])?;
            solved(self, b, given, false)
        })
    }

    /// The solution X of `X A = B` for square matrices `self` of `[…, n, n]` and B of `[…, k, n]`, or one row `[n]`. As
    /// [`solve`](Var::solve), from the right.
    ///
    /// # Gradient
    ///
    /// `B̄ = X̄ A⁻ᵀ`, `Ā = −Xᵀ B̄`, with the same factors.
    ///
    /// # Errors
    ///
    /// As [`solve`](Var::solve).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
    /// let x = a.solve_right(tape.constant(&Tensor::from([[4.0, 6.0]])));
    /// assert_eq!(x.value()?.to_vec(), [3.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_right(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("solve_right", || {
            let shapes = [self.try_shape()?, b.try_shape()?];
            square(&shapes[0])?;
            let given = [&shapes[1][..], &shapes[0][..]];
            if shapes[1].len() == 1 {
                return Ok(solved(self, b.unsqueeze(0), given, true)?.squeeze(-2));
            }
            super::matrices(&shapes[1])?;
            solved(self, b, given, true)
        })
    }

    /// The solution X of the tensor equation `Σ A[i.., j..] X[j..] = B[i..]`: the first axes of `self`, as many as B has,
    /// are those of B, or have as many elements; the rest are those of X, with as many elements again.
    ///
    /// # Gradient
    ///
    /// As [`solve`](Var::solve).
    ///
    /// # Errors
    ///
    /// As [`solve`](Var::solve); [`Shape`](ErrorKind::Shape) if the first axes have not B's number of elements;
    /// [`NotSquare`](ErrorKind::NotSquare), with the numbers of elements.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::eye(6)?.reshape([2, 3, 6])?) * 2.0;
    /// let b = tape.var(&Tensor::from([[2.0, 4.0, 6.0], [0.0, 2.0, 0.0]]));
    /// assert_eq!(a.tensorsolve(b).value()?.to_vec(), [1.0, 2.0, 3.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tensorsolve(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("tensorsolve", || {
            let (whole, of_b) = (self.try_shape()?, b.try_shape()?);
            let first = &whole[..of_b.len().min(whole.len())];
            let count = |axes: &[usize]| axes.iter().product::<usize>();
            if first.len() < of_b.len() || count(first) != count(&of_b) {
                crate::shape::same("the part for the right-hand side", first, &of_b)?;
            }
            let of_x = &whole[of_b.len()..];
            let sizes = [count(&of_b), count(of_x)];
            square(&sizes)?;
            Ok(self.reshape(sizes).solve(b.reshape([sizes[0]])).reshape(of_x))
        })
    }

    /// As [`tensorsolve`](Var::tensorsolve), after these axes of `self` were moved to its end.
    ///
    /// # Errors
    ///
    /// As [`tensorsolve`](Var::tensorsolve); [`Axis`](ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::eye(6)?.reshape([2, 3, 6])?);
    /// let b = tape.var(&Tensor::<f64>::ones([3, 2])?);
    /// assert_eq!(a.movedim(0, 1).tensorsolve_axes(b, [2]).shape(), [6]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tensorsolve_axes(self, b: Var<'t, T>, axes: impl Into<Axes>) -> Var<'t, T> {
        self.tape().composed("tensorsolve_axes", || {
            let shape = self.try_shape()?;
            let all = || (0..shape.len()).collect();
            let moved = axes.into().in_order(&shape)?.unwrap_or_else(all);
            let stay = (0..shape.len()).filter(|axis| !moved.contains(axis));
            let order: Vec<isize> = stay.chain(moved.iter().copied()).map(|axis| axis as isize).collect();
            Ok(self.permute(order).tensorsolve(b))
        })
    }
}

#[cfg(test)]
use super::pivoted;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let cases: [&[&[usize]]; 11] = [
        &[&[1, 1], &[1, 1]],
        &[&[3, 3], &[3, 2]],
        &[&[5, 5], &[5]],
        &[&[2, 3, 3], &[2, 3]],
        &[&[3, 3], &[2, 2, 3, 2]],
        &[&[2, 2, 2], &[2, 1]],
        &[&[2, 1, 2, 2], &[3, 2, 1]],
        &[&[0, 2, 2], &[2, 2]],
        &[&[2, 2], &[2, 0]],
        &[&[0, 0], &[0]],
        &[&[2, 0, 0], &[2, 0, 3]],
    ];
    let from_the_right: [&[&[usize]]; 6] = [
        &[&[3, 3], &[2, 3]],
        &[&[4, 4], &[4]],
        &[&[2, 2], &[2, 3, 1, 2]],
        &[&[2, 2, 2], &[1, 2]],
        &[&[0, 3, 3], &[2, 3]],
        &[&[0, 0], &[2, 0]],
    ];
    let tensors: [&[&[usize]]; 3] = [&[&[2, 3, 6], &[2, 3]], &[&[4, 2, 2], &[4]], &[&[0, 2, 0, 3], &[0, 2]]];
    fn square_of<'t, T: Real>(a: Var<'t, T>, rows: &[usize]) -> Var<'t, T> {
        let shape = a.try_shape().unwrap();
        let n = rows.iter().product::<usize>();
        pivoted(a.reshape([n, n])).reshape(shape)
    }
    vec![
        sample!("solve", shapes(&cases, -1.0, 1.0), |x| pivoted(x[0]).solve(x[1])),
        sample!("solve_right", shapes(&from_the_right, -1.0, 1.0), |x| pivoted(x[0]).solve_right(x[1])),
        sample!("tensorsolve", shapes(&tensors, -1.0, 1.0), |x| square_of(x[0], &x[1].try_shape().unwrap())
            .tensorsolve(x[1])),
        sample!("tensorsolve of another shape", shapes(&[&[&[6, 6], &[2, 3]]], -1.0, 1.0), |x| {
            pivoted(x[0]).reshape([3, 2, 6]).tensorsolve(x[1])
        }),
        sample!("tensorsolve_axes", shapes(&[&[&[6, 6], &[3, 2]]], -1.0, 1.0), |x| {
            let a = pivoted(x[0]).reshape([3, 2, 2, 3]).permute([2, 0, 3, 1]);
            a.tensorsolve_axes(x[1], [-4, 2])
        }),
        wrong!(
            "solve",
            &[&[2, 3], &[2]],
            |x| x[0].solve(x[1]),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!("solve", &[&[3], &[3]], |x| x[0].solve(x[1]), "shape [3] has rank 1, wanted at least 2"),
        wrong!("solve", &[&[2, 2], &[]], |x| x[0].solve(x[1]), "shape [] has rank 0, wanted at least 2"),
        wrong!(
            "solve",
            &[&[2, 2], &[3]],
            |x| x[0].solve(x[1]),
            "shapes [2, 2] and [3] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "solve",
            &[&[2, 2], &[3, 2]],
            |x| x[0].solve(x[1]),
            "shapes [2, 2] and [3, 2] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "solve",
            &[&[4, 2, 2], &[3, 2, 1]],
            |x| x[0].solve(x[1]),
            "shapes [4, 2, 2] and [3, 2, 1] do not broadcast"
        ),
        wrong!(
            "solve",
            &[&[2, 3, 2, 2], &[2]],
            |x| (x[0] * 0.0).solve(x[1]),
            "the matrix [0, 0] of the batch is singular: pivot 0 of 2 is 0"
        ),
        wrong!(
            "solve",
            &[&[2, 2], &[2]],
            |x| (x[0] * 0.0 + 1.0).solve(x[1]),
            "the matrix is singular: pivot 1 of 2 is 0"
        ),
        wrong!(
            "solve",
            &[&[2, 2], &[2]],
            |x| (x[0] * 0.0).ln().solve(x[1]),
            "the matrix has elements that are not finite"
        ),
        wrong!(
            "solve_right",
            &[&[2, 2], &[2]],
            |x| (x[0] * 0.0).solve_right(x[1]),
            "the matrix is singular: pivot 0 of 2 is 0"
        ),
        wrong!(
            "solve_right",
            &[&[2, 2], &[2, 3]],
            |x| x[0].solve_right(x[1]),
            "shapes [2, 3] and [2, 2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "solve_right",
            &[&[4, 2, 2], &[3, 1, 2]],
            |x| x[0].solve_right(x[1]),
            "shapes [3, 1, 2] and [4, 2, 2] do not broadcast"
        ),
        wrong!(
            "solve_right",
            &[&[2, 2], &[]],
            |x| x[0].solve_right(x[1]),
            "shape [] has rank 0, wanted at least 2"
        ),
        wrong!(
            "tensorsolve",
            &[&[2, 3, 6], &[2, 2]],
            |x| x[0].tensorsolve(x[1]),
            "the part for the right-hand side has shape [2, 3], wanted [2, 2]"
        ),
        wrong!(
            "tensorsolve",
            &[&[2], &[2, 2]],
            |x| x[0].tensorsolve(x[1]),
            "the part for the right-hand side has shape [2], wanted [2, 2]"
        ),
        wrong!(
            "tensorsolve",
            &[&[4], &[2, 2]],
            |x| x[0].tensorsolve(x[1]),
            "the part for the right-hand side has shape [4], wanted [2, 2]"
        ),
        wrong!(
            "tensorsolve",
            &[&[2, 3, 5], &[2, 3]],
            |x| x[0].tensorsolve(x[1]),
            "shape [6, 5] is not that of square matrices"
        ),
        wrong!(
            "tensorsolve_axes",
            &[&[2, 3, 6], &[2, 3]],
            |x| x[0].tensorsolve_axes(x[1], 3),
            "axis 3 is out of range for shape [2, 3, 6]"
        ),
    ]
}
