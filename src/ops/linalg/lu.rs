//! LU factors as results, and what is done with them.

use super::factors::{Lu, order, permuted};
use super::{Triangular, broadcast_batches, matrices, shape_of, square};
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::linalg;
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::{Tensor, checked};
use std::panic::Location;

/// Which system [`Var::lu_solve`] solves.
///
/// ```
/// use retrograde::linalg::System;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
/// let (lu, pivots) = a.lu_factor()?;
/// let b = tape.constant(&Tensor::from([[4.0], [6.0]]));
/// assert_eq!(lu.lu_solve(&pivots, b, System::left().transposed()).value()?.to_vec(), [3.0, 1.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct System {
    right: bool,
    transposed: bool,
}

impl System {
    /// `A X = B`.
    pub fn left() -> System {
        System { right: false, transposed: false }
    }

    /// `X A = B`.
    pub fn right() -> System {
        System { right: true, transposed: false }
    }

    /// The transpose of the matrix: `Aᵀ X = B`, or `X Aᵀ = B`.
    pub fn transposed(self) -> System {
        System { transposed: true, ..self }
    }
}

/// For each matrix of a batch, a list of numbers from a list of numbers.
fn lists(of: &Tensor<i64>, length: usize, f: impl Fn(&[usize]) -> Vec<usize>) -> Result<Tensor<i64>> {
    let (&k, batch) = of.shape().split_last().expect("a list for each matrix");
    let numbers: Vec<usize> = of.iter().map(|i| i as usize).collect();
    let count: usize = batch.iter().product();
    let made = (0..count).flat_map(|i| f(&numbers[i * k..(i + 1) * k])).map(|i| i as i64);
    Tensor::from_iter_in(made.collect::<Vec<_>>(), shape_of(batch, &[length])?)
}

/// The order of the rows of packed factors from their pivots.
fn row_order(packed: &[usize], pivots: &Tensor<i64>) -> Result<Tensor<i64>> {
    let (batch, m, n) = matrices(packed)?;
    same("the pivots", pivots.shape(), &shape_of(batch, &[m.min(n)])?)?;
    let pivots = checked(pivots, batch.len(), m)?;
    lists(&pivots, m, |pivots| linalg::row_order(m, pivots.iter().copied()))
}

/// L, with its diagonal of ones, and U.
fn unpacked<T: Real>(packed: Var<'_, T>) -> Result<[Var<'_, T>; 2]> {
    let (_, m, n) = matrices(&packed.try_shape()?).map(|(_, m, n)| ((), m, n))?;
    let k = m.min(n) as isize;
    let ones = Tensor::eye(m)?.slice(1, ..k)?;
    Ok([packed.slice(-1, ..k).tril(-1) + packed.tape().constant(&ones), packed.slice(-2, ..k).triu(0)])
}

impl<'t, T: Real> Var<'t, T> {
    /// The LU factors of matrices `[…, m, n]` with row exchanges, `P A = L U`, in one matrix, `[…, m, n]`: U with its
    /// diagonal, and below it L, without its diagonal of ones. And the pivots, `[…, min(m, n)]`, counted from 0: at
    /// step i, row i was exchanged with row `pivots[i]`. PyTorch counts them from 1.
    ///
    /// # Gradient
    ///
    /// That of the factors with the rows' order held fixed. At a pivot of 0 it does not exist: infinities and NaNs.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`NotFinite`](ErrorKind::NotFinite); [`Rank`](ErrorKind::Rank);
    /// [`Argument`](ErrorKind::Argument) for more than 2²⁴ rows in single precision. A singular matrix has factors.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [4.0, 4.0]]));
    /// let (lu, pivots) = a.lu_factor()?;
    /// assert_eq!(lu.value()?.to_vec(), [4.0, 4.0, 0.25, 1.0]);
    /// assert_eq!(pivots.to_vec(), [1, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_factor(self) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let made = self.tape().apply_many(Lu { name: "lu_factor", regular: false }, &[self], 2);
        let rows = order(made[1])?;
        let k = matrices(&made[0].try_shape()?).map(|(_, m, n)| m.min(n))?;
        Ok((made[0], lists(&rows, k, |rows| linalg::pivots(rows, k))?))
    }

    /// The LU factors of matrices `[…, m, n]` with row exchanges: with k = min(m, n), the rows' order p, `[…, m]`, L of
    /// `[…, m, k]`, with ones on the diagonal and zeros above, and U of `[…, k, n]`, zeros below the diagonal. Row i of
    /// `L U` is row `p[i]` of A; the matrix P of `A = P L U` is `p.one_hot(m)` transposed.
    ///
    /// # Gradient
    ///
    /// As [`lu_factor`](Var::lu_factor).
    ///
    /// # Errors
    ///
    /// As [`lu_factor`](Var::lu_factor).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [4.0, 4.0]]));
    /// let (p, l, u) = a.lu()?;
    /// assert_eq!(p.to_vec(), [1, 0]);
    /// assert_eq!(l.value()?.to_vec(), [1.0, 0.0, 0.25, 1.0]);
    /// assert_eq!(u.value()?.to_vec(), [4.0, 4.0, 0.0, 1.0]);
    /// let p = tape.constant(&p.one_hot(2)?.transpose(-1, -2)?);
    /// assert_eq!(p.matmul(l).matmul(u).value()?, a.value()?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lu(self) -> Result<(Tensor<i64>, Var<'t, T>, Var<'t, T>)> {
        let made = self.tape().apply_many(Lu { name: "lu", regular: false }, &[self], 2);
        let rows = order(made[1])?;
        let [l, u] = self.tape().composed_many("lu", || unpacked(made[0]));
        Ok((rows, l, u))
    }

    /// The rows' order, L and U, as [`lu`](Var::lu) gives them, of packed factors and pivots, as
    /// [`lu_factor`](Var::lu_factor) gives them.
    ///
    /// # Gradient
    ///
    /// The parts of L and U that are not constant.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Rank`](ErrorKind::Rank); [`Shape`](ErrorKind::Shape) for pivots of
    /// another shape, [`Index`](ErrorKind::Index) for those that name no row.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let lu = tape.var(&Tensor::from([[4.0, 4.0], [0.25, 1.0]]));
    /// let (p, l, _) = lu.lu_unpack(&Tensor::from([1, 1]))?;
    /// assert_eq!(p.to_vec(), [1, 0]);
    /// assert_eq!(l.value()?.to_vec(), [1.0, 0.0, 0.25, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_unpack(self, pivots: &Tensor<i64>) -> Result<(Tensor<i64>, Var<'t, T>, Var<'t, T>)> {
        let line = Location::caller();
        let named = |error: Error| error.at("lu_unpack", line);
        let rows = row_order(&self.try_shape()?, pivots).map_err(named)?;
        let [l, u] = self.tape().composed_many("lu_unpack", || unpacked(self));
        Ok((rows, l, u))
    }

    /// The solution X of `A X = B`, or of one of the systems that [`System`] names, from the packed factors `self` of
    /// `[…, n, n]` and the pivots that [`lu_factor`](Var::lu_factor) gives of A, for B of `[…, n, k]` (`[…, k, n]` from
    /// the right). The batches broadcast.
    ///
    /// # Gradient
    ///
    /// By B and by the packed factors, through which it flows on to A.
    ///
    /// # Accuracy
    ///
    /// Backward stable. A pivot of 0 gives infinities or NaNs, as division does.
    ///
    /// # Errors
    ///
    /// As [`lu_unpack`](Var::lu_unpack); [`NotSquare`](ErrorKind::NotSquare);
    /// [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::linalg::System;
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
    /// let (lu, pivots) = a.lu_factor()?;
    /// let x = lu.lu_solve(&pivots, tape.constant(&Tensor::from([[6.0], [4.0]])), System::left());
    /// assert_eq!(x.value()?.to_vec(), [1.0, 3.0]);
    /// assert_eq!(x.sum().backward()?.wrt(a)?.to_vec(), [-0.5, -1.5, -0.25, -0.75]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_solve(self, pivots: &Tensor<i64>, b: Var<'t, T>, system: System) -> Var<'t, T> {
        self.tape().composed("lu_solve", || {
            let (left, right) = (self.try_shape()?, b.try_shape()?);
            let n = square(&left)?.1;
            let (_, rows, columns) = matrices(&right)?;
            if n != if system.right { columns } else { rows } {
                let (left, right) = if system.right { (right, left) } else { (left, right) };
                return Err(ErrorKind::InnerDimension { left: left.to_vec(), right: right.to_vec() }.into());
            }
            let order = row_order(&left, pivots)?;
            let [lu, b] = broadcast_batches(self, if system.right { b.mt() } else { b })?;
            let whole: Shape = lu.try_shape()?;
            let order = order.expand(&whole[..whole.len() - 1])?;
            let (l, u) = (Triangular::lower().unit(), Triangular::upper());
            // From the right the system is that of the transposes.
            let x = if system.transposed == system.right {
                let half = lu.solve_triangular(permuted(b, &order, false)?, l);
                lu.solve_triangular(half, u)
            } else {
                let half = lu.solve_triangular(b, u.transposed());
                permuted(lu.solve_triangular(half, l.transposed()), &order, true)?
            };
            Ok(if system.right { x.mt() } else { x })
        })
    }
}

#[cfg(test)]
use super::pivoted;
#[cfg(test)]
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};

/// What comes first in the result, or its error as a variable.
#[cfg(test)]
#[track_caller]
fn or_error<'t, T: Real>(found: Result<Var<'t, T>>, of: Var<'t, T>) -> Var<'t, T> {
    found.unwrap_or_else(|error| of.tape().errored("lu", Location::caller(), error))
}

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let any = || -> Inputs {
        let cases: [&[&[usize]]; 13] = [
            &[&[1, 1]],
            &[&[2, 2]],
            &[&[5, 5]],
            &[&[2, 4, 4]],
            &[&[5, 3]],
            &[&[2, 3, 2]],
            &[&[3, 5]],
            &[&[2, 1, 2, 3]],
            &[&[0, 2, 3]],
            &[&[0, 0]],
            &[&[0, 2]],
            &[&[2, 0]],
            &[&[2, 0, 0]],
        ];
        shapes(&cases, -1.0, 1.0)
    };
    let pairs = || {
        let cases: [&[&[usize]]; 6] = [
            &[&[3, 3], &[3, 2]],
            &[&[2, 2, 2], &[2, 3]],
            &[&[2, 2], &[3, 2, 1]],
            &[&[0, 2, 2], &[2, 1]],
            &[&[0, 0], &[0, 2]],
            &[&[2, 2], &[2, 0]],
        ];
        shapes(&cases, -1.0, 1.0)
    };
    vec![
        sample!("lu_factor", any(), |x| or_error(pivoted(x[0]).lu_factor().map(|found| found.0), x[0])),
        sample!("lu: L", any(), |x| or_error(pivoted(x[0]).lu().map(|found| found.1), x[0])),
        sample!("lu: U", any(), |x| or_error(pivoted(x[0]).lu().map(|found| found.2), x[0])),
        sample!("lu_unpack", any(), |x| {
            let (packed, pivots) = pivoted(x[0]).lu_factor().unwrap();
            let (order, l, u) = packed.lu_unpack(&pivots).unwrap();
            assert_eq!(order, pivoted(x[0]).lu().unwrap().0);
            l.matmul(u) + packed
        }),
        sample!("lu_solve", pairs(), |x| {
            let (packed, pivots) = pivoted(x[0]).lu_factor().unwrap();
            packed.lu_solve(&pivots, x[1], System::left())
        }),
        sample!("lu_solve transposed", pairs(), |x| {
            let (packed, pivots) = pivoted(x[0]).lu_factor().unwrap();
            packed.lu_solve(&pivots, x[1], System::left().transposed())
        }),
        sample!("lu_solve right", pairs(), |x| {
            let (packed, pivots) = pivoted(x[0]).lu_factor().unwrap();
            packed.lu_solve(&pivots, x[1].transpose(-1, -2), System::right())
        }),
        sample!("lu_solve right transposed", pairs(), |x| {
            let (packed, pivots) = pivoted(x[0]).lu_factor().unwrap();
            packed.lu_solve(&pivots, x[1].transpose(-1, -2), System::right().transposed())
        }),
        wrong!(
            "lu_factor",
            &[&[3]],
            |x| or_error(x[0].lu_factor().map(|found| found.0), x[0]),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "lu_factor",
            &[&[2, 2, 3]],
            |x| or_error((x[0] * 0.0).ln().lu_factor().map(|found| found.0), x[0]),
            "the matrix [0] of the batch has elements that are not finite"
        ),
        wrong!(
            "lu",
            &[&[3]],
            |x| or_error(x[0].lu().map(|found| found.1), x[0]),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "lu_unpack",
            &[&[3, 2]],
            |x| or_error(x[0].lu_unpack(&Tensor::from([0, 1, 2])).map(|found| found.1), x[0]),
            "the pivots has shape [3], wanted [2]"
        ),
        wrong!(
            "lu_unpack",
            &[&[3, 2]],
            |x| or_error(x[0].lu_unpack(&Tensor::from([0, 3])).map(|found| found.1), x[0]),
            "index 3 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "lu_unpack",
            &[&[3]],
            |x| or_error(x[0].lu_unpack(&Tensor::from([0, 1])).map(|found| found.1), x[0]),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "lu_solve",
            &[&[2, 3], &[3, 1]],
            |x| x[0].lu_solve(&Tensor::from([0, 1]), x[1], System::left()),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "lu_solve",
            &[&[2, 2], &[2]],
            |x| x[0].lu_solve(&Tensor::from([0, 1]), x[1], System::left()),
            "shape [2] has rank 1, wanted at least 2"
        ),
        wrong!(
            "lu_solve",
            &[&[2, 2], &[3, 2]],
            |x| x[0].lu_solve(&Tensor::from([0, 1]), x[1], System::left()),
            "shapes [2, 2] and [3, 2] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "lu_solve",
            &[&[2, 2], &[2, 3]],
            |x| x[0].lu_solve(&Tensor::from([0, 1]), x[1], System::right()),
            "shapes [2, 3] and [2, 2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "lu_solve",
            &[&[2, 2], &[2, 1]],
            |x| x[0].lu_solve(&Tensor::from([0]), x[1], System::left()),
            "the pivots has shape [1], wanted [2]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::error::ErrorKind;
    use crate::tape::Tape;
    use crate::tensor::{Generator, Tensor};

    #[test]
    fn the_factors_make_up_the_matrix_again() {
        let mut random = Generator::new(9);
        for (m, n) in [(33, 33), (100, 100), (100, 33), (33, 100), (1, 7), (7, 1)] {
            let a = Tensor::<f64>::normal([2, m, n], 0.0, 1.0, &mut random).unwrap();
            let tape = Tape::new();
            let (order, l, u) = tape.var(&a).lu().unwrap();
            let p = tape.constant(&order.one_hot(m).unwrap().transpose(-1, -2).unwrap());
            let again = p.matmul(l).matmul(u).value().unwrap();
            let error = again.try_sub(&a).unwrap().iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            assert!(error < 1e-13 * n as f64, "{m} {n} {error}");
            // Row exchanges hold L down.
            assert!(l.value().unwrap().iter().all(|x| x.abs() <= 1.0));
            let single = Tape::<f32>::new();
            let narrow = single.var(&a.map(|x| x as f32).unwrap());
            let (order, l, u) = narrow.lu().unwrap();
            let p = single.constant(&order.one_hot(m).unwrap().transpose(-1, -2).unwrap());
            let rest = (p.matmul(l).matmul(u) - narrow).value().unwrap();
            assert!(rest.iter().all(|x| x.abs() < 1e-5 * n as f32));
        }
    }

    #[test]
    fn a_singular_matrix_has_factors() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0], [0.0, 4.0, 4.0]]));
        let (lu, pivots) = a.lu_factor().unwrap();
        assert_eq!(pivots.to_vec(), [0, 2, 2]);
        assert_eq!(lu.value().unwrap().to_vec(), [0.0, 1.0, 2.0, 0.0, 4.0, 4.0, 0.0, 0.5, 2.0]);
    }

    #[test]
    fn rows_that_cannot_be_counted_are_refused() {
        let tape = Tape::<f32>::new();
        let error = tape.var(&Tensor::zeros([(1 << 24) + 1, 0]).unwrap()).lu().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Argument { .. }), "{error}");
    }
}
