//! Products of matrices and vectors of given ranks, powers, and chains.

mod added;

use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, matrices, same};
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// Refuses operands of other ranks, and inner dimensions that do not agree.
fn check(a: &[usize], rank: &'static str, b: &[usize], other_rank: &'static str) -> Result<()> {
    for (shape, wanted) in [(a, rank), (b, other_rank)] {
        if shape.len().to_string() != wanted {
            return Err(ErrorKind::Rank { found: shape.to_vec(), wanted }.into());
        }
    }
    let inner = if b.len() == 1 { b[0] } else { b[b.len() - 2] };
    if a[a.len() - 1] != inner {
        return Err(ErrorKind::InnerDimension { left: a.to_vec(), right: b.to_vec() }.into());
    }
    Ok(())
}

/// [`check`]s batches of matrices, as many on the left as on the right.
fn check_batches(a: &[usize], b: &[usize]) -> Result<()> {
    check(a, "3", b, "3")?;
    if a[0] != b[0] {
        return Err(ErrorKind::Broadcast { left: a.to_vec(), right: b.to_vec() }.into());
    }
    Ok(())
}

/// The product of a chain of matrices, each part from i to j cut at `split[i][j]`.
fn chain<'t, T: Real>(vars: &[Var<'t, T>], split: &[Vec<usize>]) -> Var<'t, T> {
    let (mut todo, mut done) = (vec![(0, vars.len() - 1, false)], vec![]);
    while let Some((i, j, halves)) = todo.pop() {
        if i == j {
            done.push(vars[i]);
        } else if halves {
            let [right, left] =
                [done.pop(), done.pop()].map(|half| half.expect("both halves were multiplied"));
            done.push(left.matmul(right));
        } else {
            let cut = split[i][j];
            todo.extend([(i, j, true), (cut + 1, j, false), (i, cut, false)]);
        }
    }
    done[0]
}

/// Where to cut each product of matrices i to j, `[n₀, n₁], [n₁, n₂], …`, for the fewest multiplications; the first of
/// those that cost the same from the right, so that equal costs multiply from the left.
fn cuts(sizes: &[usize]) -> Vec<Vec<usize>> {
    let n = sizes.len() - 1;
    let mut cost = vec![vec![0.0_f64; n]; n];
    let mut split = vec![vec![0; n]; n];
    for length in 1..n {
        for i in 0..n - length {
            let j = i + length;
            cost[i][j] = f64::INFINITY;
            for cut in (i..j).rev() {
                let product = sizes[i] as f64 * sizes[cut + 1] as f64 * sizes[j + 1] as f64;
                let whole = cost[i][cut] + cost[cut + 1][j] + product;
                if whole < cost[i][j] {
                    (cost[i][j], split[i][j]) = (whole, cut);
                }
            }
        }
    }
    split
}

impl<'t, T: Real> Var<'t, T> {
    /// The product of a matrix `[m, k]` and a vector `[k]`. As [`matmul`](Var::matmul), for these ranks alone.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(a.mv(tape.var(&Tensor::from([1.0, -1.0]))).value()?.to_vec(), [-1.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn mv(self, vector: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("mv", || {
            check(&self.try_shape()?, "2", &vector.try_shape()?, "1")?;
            Ok(self.matmul(vector))
        })
    }

    /// The product of two matrices, `[m, k]` and `[k, n]`. As [`matmul`](Var::matmul), for these ranks alone.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(a.mm(a).value()?.to_vec(), [7.0, 10.0, 15.0, 22.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn mm(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("mm", || {
            check(&self.try_shape()?, "2", &other.try_shape()?, "2")?;
            Ok(self.matmul(other))
        })
    }

    /// The products of two batches of as many matrices, `[b, m, k]` and `[b, k, n]`. As [`matmul`](Var::matmul), for
    /// these ranks alone and without broadcasting.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast)
    /// for batches of other sizes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[[2.0]], [[3.0]]]));
    /// assert_eq!(a.bmm(a).value()?.to_vec(), [4.0, 9.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn bmm(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("bmm", || {
            check_batches(&self.try_shape()?, &other.try_shape()?)?;
            Ok(self.matmul(other))
        })
    }

    /// The n-th power of each square matrix of a batch `[.., m, m]`, by repeated squaring; the identity for n = 0. For
    /// negative n the power of the inverse, with the feature `linalg`.
    ///
    /// # Gradient
    ///
    /// `Σ (aᵏ)ᵀ g (aⁿ⁻¹⁻ᵏ)ᵀ`, of every order and in both modes, from the products.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for what is no square matrix;
    /// [`Argument`](ErrorKind::Argument) for a negative power without the feature `linalg`; with it,
    /// [`Singular`](ErrorKind::Singular) and [`NotFinite`](ErrorKind::NotFinite).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let fibonacci = tape.var(&Tensor::from([[1.0, 1.0], [1.0, 0.0]]));
    /// assert_eq!(fibonacci.matrix_power(10).value()?.to_vec(), [89.0, 55.0, 55.0, 34.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_power(self, n: i32) -> Var<'t, T> {
        self.tape().composed("matrix_power", || {
            let shape = self.try_shape()?;
            let (batch, rows, _) = matrices(&shape)?;
            same("the matrix", &shape, &[batch, &[rows, rows]].concat())?;
            #[cfg(feature = "linalg")]
            let base = if n < 0 { self.inv() } else { self };
            #[cfg(not(feature = "linalg"))]
            let base = match n {
                0.. => self,
                _ => return crate::error::argument("n", n, "a power of at least 0"),
            };
            let (mut square, mut rest, mut power) = (base, n.unsigned_abs(), None);
            loop {
                if rest & 1 == 1 {
                    power = Some(power.map_or(square, |power: Var<'t, T>| power.matmul(square)));
                }
                rest >>= 1;
                if rest == 0 {
                    break;
                }
                square = square.matmul(square);
            }
            Ok(power
                .unwrap_or_else(|| self.constant_like(Tensor::eye(rows).and_then(|eye| eye.expand(&shape)))))
        })
    }
}

impl<T: Real> Tape<T> {
    /// The product of a chain of matrices `[n₀, n₁], [n₁, n₂], …`, in the order that takes the fewest multiplications. The
    /// first may be a vector, a row, and the last one, a column; the result lacks that axis.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from the products.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for an empty chain; [`Rank`](ErrorKind::Rank);
    /// [`InnerDimension`](ErrorKind::InnerDimension); [`MixedTapes`](ErrorKind::MixedTapes).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::ones([100, 2])?);
    /// let b = tape.var(&Tensor::ones([2, 100])?);
    /// let v = tape.var(&Tensor::ones([100])?);
    /// // a·(b·v): 400 multiplications, not 40 000.
    /// assert_eq!(tape.multi_dot(&[a, b, v]).value()?, Tensor::full([100], 200.0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "chain_matmul")]
    #[track_caller]
    pub fn multi_dot<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("multi_dot", || {
            let shapes: Vec<Shape> = vars.iter().map(|var| var.try_shape()).collect::<Result<_>>()?;
            if vars.iter().any(|var| !std::ptr::eq(var.tape(), self)) {
                return Err(ErrorKind::MixedTapes.into());
            }
            let none = || {
                let (name, wanted) = ("the number of matrices", "at least 1".into());
                Error::from(ErrorKind::Argument { name, found: "0".into(), wanted })
            };
            let last = shapes.len().checked_sub(1).ok_or_else(none)?;
            let mut sizes = Vec::with_capacity(shapes.len() + 1);
            for (i, shape) in shapes.iter().enumerate() {
                let (rows, cols) = match shape[..] {
                    [rows, cols] => (rows, cols),
                    [n] if i == 0 && last > 0 => (1, n),
                    [n] if i == last => (n, 1),
                    _ => return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2" }.into()),
                };
                match sizes.last() {
                    None => sizes.push(rows),
                    Some(&before) if before != rows => {
                        let (left, right) = (shapes[i - 1].to_vec(), shape.to_vec());
                        return Err(ErrorKind::InnerDimension { left, right }.into());
                    }
                    Some(_) => {}
                }
                sizes.push(cols);
            }
            Ok(chain(vars, &cuts(&sizes)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn of(cases: &[&[&[usize]]]) -> Inputs {
        shapes(cases, -1.0, 1.0)
    }
    let chains = || {
        of(&[
            &[&[2, 4], &[4, 3], &[3, 2], &[2, 1]],
            &[&[4, 1], &[1, 4], &[4, 1], &[1, 4]],
            &[&[2, 0], &[0, 3], &[3, 2], &[2, 2]],
        ])
    };
    let mut samples = vec![
        sample!("mv", of(&[&[&[2, 3], &[3]], &[&[1, 1], &[1]], &[&[2, 0], &[0]], &[&[0, 2], &[2]]]), |x| x
            [0]
        .mv(x[1])),
        sample!("mm", of(&[&[&[2, 3], &[3, 4]], &[&[2, 0], &[0, 3]], &[&[0, 2], &[2, 3]]]), |x| x[0]
            .mm(x[1])),
        sample!(
            "bmm",
            of(&[&[&[2, 2, 3], &[2, 3, 2]], &[&[1, 2, 3], &[1, 3, 2]], &[&[0, 2, 3], &[0, 3, 2]]]),
            |x| x[0].bmm(x[1])
        ),
        sample!("matrix_power 0", of(&[&[&[2, 2]], &[&[0, 2, 2]]]), |x| x[0].matrix_power(0) * x[0]),
        sample!("matrix_power 1", of(&[&[&[2, 2]], &[&[2, 3, 3]]]), |x| x[0].matrix_power(1)),
        sample!("matrix_power 2", of(&[&[&[3, 3]], &[&[2, 2, 2]]]), |x| x[0].matrix_power(2)),
        sample!("matrix_power 5", of(&[&[&[3, 3]], &[&[2, 2, 2]], &[&[0, 2, 2]], &[&[0, 0]]]), |x| x[0]
            .matrix_power(5)),
        sample!("multi_dot", chains(), |x| x[0].tape().multi_dot(x)),
        sample!(
            "multi_dot of vectors and a matrix",
            of(&[&[&[3], &[3, 2], &[2]], &[&[2], &[2, 1], &[1]]]),
            |x| x[0].tape().multi_dot(x)
        ),
        sample!("multi_dot of two vectors", of(&[&[&[3], &[3]]]), |x| x[0].tape().multi_dot(x)),
        sample!("multi_dot of one", of(&[&[&[2, 3]], &[&[3]]]), |x| x[0].tape().multi_dot(x).square()),
        wrong!("mv", &[&[3], &[3]], |x| x[0].mv(x[1]), "shape [3] has rank 1, wanted 2"),
        wrong!("mv", &[&[2, 3], &[3, 1]], |x| x[0].mv(x[1]), "shape [3, 1] has rank 2, wanted 1"),
        wrong!(
            "mv",
            &[&[2, 3], &[2]],
            |x| x[0].mv(x[1]),
            "shapes [2, 3] and [2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!("mm", &[&[2, 3], &[3]], |x| x[0].mm(x[1]), "shape [3] has rank 1, wanted 2"),
        wrong!(
            "mm",
            &[&[2, 3], &[2, 3]],
            |x| x[0].mm(x[1]),
            "shapes [2, 3] and [2, 3] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!("bmm", &[&[2, 3], &[2, 3, 2]], |x| x[0].bmm(x[1]), "shape [2, 3] has rank 2, wanted 3"),
        wrong!(
            "bmm",
            &[&[1, 2, 3], &[2, 3, 2]],
            |x| x[0].bmm(x[1]),
            "shapes [1, 2, 3] and [2, 3, 2] do not broadcast"
        ),
        wrong!(
            "bmm",
            &[&[2, 2, 3], &[2, 2, 3]],
            |x| x[0].bmm(x[1]),
            "shapes [2, 2, 3] and [2, 2, 3] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!("matrix_power", &[&[2]], |x| x[0].matrix_power(2), "shape [2] has rank 1, wanted at least 2"),
        wrong!(
            "matrix_power",
            &[&[4, 2, 3]],
            |x| x[0].matrix_power(2),
            "the matrix has shape [4, 2, 3], wanted [4, 2, 2]"
        ),
        #[cfg(not(feature = "linalg"))]
        wrong!(
            "matrix_power",
            &[&[2, 2]],
            |x| x[0].matrix_power(-1),
            "n is -1, wanted a power of at least 0"
        ),
        #[cfg(feature = "linalg")]
        sample!("matrix_power -3", of(&[&[&[3, 3]], &[&[2, 2, 2]], &[&[0, 2, 2]], &[&[0, 0]]]), |x| {
            let n = x[0].try_shape().unwrap().last().copied().unwrap();
            (x[0] + x[0].tape().constant(&(&Tensor::eye(n).unwrap() * 3.0))).matrix_power(-3)
        }),
        #[cfg(feature = "linalg")]
        wrong!(
            "inv",
            &[&[2, 2]],
            |x| (x[0] * 0.0).matrix_power(-1),
            "the matrix is singular: pivot 0 of 2 is 0"
        ),
        wrong!(
            "multi_dot",
            &[&[2]],
            |x| x[0].tape().multi_dot(&[]),
            "the number of matrices is 0, wanted at least 1"
        ),
        wrong!(
            "multi_dot",
            &[&[2], &[2], &[2]],
            |x| x[0].tape().multi_dot(x),
            "shape [2] has rank 1, wanted 2"
        ),
        wrong!(
            "multi_dot",
            &[&[2, 3], &[3, 2], &[3]],
            |x| x[0].tape().multi_dot(x),
            "shapes [3, 2] and [3] do not agree in the inner dimension (2 and 3)"
        ),
    ];
    samples.extend(added::samples());
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Generator;

    #[test]
    fn chains_are_cut_where_it_costs_least() {
        // From Cormen et al., Introduction to Algorithms, 15.2: ((A1 (A2 A3)) ((A4 A5) A6)).
        let split = cuts(&[30, 35, 15, 5, 10, 20, 25]);
        assert_eq!((split[0][5], split[0][2], split[3][5]), (2, 0, 4));
        // Of equal costs the first from the left.
        assert_eq!(cuts(&[2, 2, 2, 2])[0][2], 1);
    }

    #[test]
    fn chains_give_what_products_from_the_left_give() {
        let mut random = Generator::new(3);
        let shapes = [[3, 5], [5, 2], [2, 7], [7, 1], [1, 4]];
        let tape = Tape::new();
        let vars =
            shapes.map(|shape| tape.var(&Tensor::<f64>::normal(shape, 0.0, 1.0, &mut random).unwrap()));
        let wanted = vars[1..].iter().fold(vars[0], |whole, &var| whole.matmul(var)).value().unwrap();
        let found = tape.multi_dot(&vars).value().unwrap();
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-13), "{found} {wanted}");
    }

    #[test]
    fn a_long_chain_does_not_recurse() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::scalar(1.0).reshape([1, 1]).unwrap());
        assert_eq!(tape.multi_dot(&[x; 300]).item().unwrap(), 1.0);
    }

    #[test]
    fn chains_and_their_errors_stay_on_one_tape() {
        let (one, other) = (Tape::<f64>::new(), Tape::new());
        let x = Tensor::ones([2, 2]).unwrap();
        let error = one.multi_dot(&[one.var(&x), other.var(&x)]).value().unwrap_err();
        assert_eq!((error.operation(), error.kind()), (Some("multi_dot"), &ErrorKind::MixedTapes));
    }
}
