//! Matrix products, batched and broadcast.

use crate::error::{Error, Result};
use crate::number::Real;
use crate::shape::{Shape, broadcast};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Form, Tensor};
use Form::{Plain, Transposed};

/// `Σ l(a)·r(b)`, each operand as it is or transposed, over the batch axes that `batch` lacks; all are kept if no
/// batch is named.
///
/// A family that is closed under differentiation: each cotangent is one product of it, summed over the axes along
/// which its operand was repeated, and repeated along those that were summed. No operand is ever copied.
#[derive(Clone)]
struct Product {
    left: Form,
    right: Form,
    batch: Option<Shape>,
}

/// What a cotangent is a product of.
#[derive(Clone, Copy)]
enum Factor {
    A,
    B,
    G,
}

impl Product {
    /// The cotangent of input `i`: of `y = a·b` it is `g·bᵀ` and `aᵀ·g`; of `y = aᵀ·b`, `b·gᵀ` and `a·g`; and so on.
    fn cotangent(&self, i: usize) -> (Factor, Form, Factor, Form) {
        let (l, r) = (self.left, self.right);
        match (i, l, r) {
            (0, Plain, _) => (Factor::G, Plain, Factor::B, r.flipped()),
            (0, Transposed, _) => (Factor::B, r, Factor::G, Transposed),
            (_, _, Plain) => (Factor::A, l.flipped(), Factor::G, Plain),
            (_, _, Transposed) => (Factor::G, Transposed, Factor::A, l),
        }
    }
}

/// The shapes of two operands as matrices (a vector is a row on the left, a column on the right), and of their
/// result, whose own shape lacks the axis of a vector.
fn as_matrices(a: &[usize], b: &[usize], y: &[usize]) -> Result<[Shape; 3]> {
    let mut shapes = [a.to_vec(), b.to_vec(), y.to_vec()];
    if let [k] = *a {
        shapes[0] = vec![1, k];
        shapes[2].insert(y.len() - usize::from(b.len() > 1), 1);
    }
    if let [k] = *b {
        shapes[1] = vec![k, 1];
        shapes[2].push(1);
    }
    let [a, b, y] = shapes;
    Ok([Shape::new(a)?, Shape::new(b)?, Shape::new(y)?])
}

impl<T: Real> Operation<T> for Product {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].product(self.left, x[1], self.right, self.batch.as_deref()).map(one)
    }
    fn flops(&self, x: &[&Tensor<T>], _: &Tensor<T>) -> usize {
        let matrix = |shape: &[usize], form, vector: [usize; 2]| match (shape, form) {
            ([.., rows, columns], Plain) => [*rows, *columns],
            ([.., columns, rows], Transposed) => [*rows, *columns],
            _ => vector,
        };
        let (a, b) = (x[0].shape(), x[1].shape());
        let [rows, inner] = matrix(a, self.left, [1, x[0].len()]);
        let [_, columns] = matrix(b, self.right, [x[1].len(), 1]);
        let lead = |shape: &[usize]| shape[..shape.len().saturating_sub(2)].to_vec();
        let batch = broadcast(&lead(a), &lead(b)).map_or(0, |batch| batch.count());
        2 * batch * rows * inner * columns
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, b) = (at.x(0), at.x(1));
        let own = [a.try_shape()?, b.try_shape()?];
        let [sa, sb, sy] = as_matrices(&own[0], &own[1], &at.y(0).try_shape()?)?;
        let of = |factor| match factor {
            Factor::A => a.shaped(&sa),
            Factor::B => b.shaped(&sb),
            Factor::G => at.g(0).shaped(&sy),
        };
        at.each(|i| {
            let (f, left, h, right) = self.cotangent(i);
            of(f).product(left, of(h), right, Some(batch_of([&sa, &sb][i]))).shaped(&own[i])
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| {
            let inputs = if i == 0 { [dx, at.x(1)] } else { [at.x(0), dx] };
            dx.tape().apply(self.clone(), &inputs)
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let own = [at.x(0).shape(), at.x(1).shape()];
            let [sa, sb, sy] = as_matrices(own[0], own[1], g.shape())?;
            let (a, b, g) = (at.x(0).reshape(&sa)?, at.x(1).reshape(&sb)?, g.reshape(&sy)?);
            let of = |factor| match factor {
                Factor::A => &a,
                Factor::B => &b,
                Factor::G => &g,
            };
            let part = |i: usize| {
                let (f, left, h, right) = self.cotangent(i);
                let batch = batch_of([&sa, &sb][i])?;
                of(f).product(left, of(h), right, Some(&batch))?.reshape(own[i])
            };
            (0..2).map(|i| at.needs(i).then(|| part(i)).transpose()).collect()
        };
        Some(run())
    }
}

/// The axes before the last two.
fn batch_of(shape: &[usize]) -> Result<Shape> {
    Shape::new(&shape[..shape.len() - 2])
}

impl<'t, T: Real> Var<'t, T> {
    /// The matrix product over the last two axes; the axes before them are batches, broadcast against each other.
    ///
    /// `[.., m, k] · [.., k, n]` is `[.., m, n]`. A vector on the left is a row, one on the right a column, and that
    /// axis is not in the result: `[k] · [k]` is a number, `[.., m, k] · [k]` is `[.., m]`, `[k] · [.., k, n]` is
    /// `[.., n]`. Over an empty inner axis the result is 0.
    ///
    /// Transposed, sliced and broadcast operands are read where they lie. A batch times a single matrix is one
    /// product, and so is that matrix's gradient.
    ///
    /// # Gradient
    ///
    /// `g·bᵀ` to a and `aᵀ·g` to b, summed over the batches along which an operand was broadcast.
    ///
    /// # Errors
    ///
    /// [`InnerDimension`](crate::ErrorKind::InnerDimension); [`Broadcast`](crate::ErrorKind::Broadcast) for the
    /// batches; [`Rank`](crate::ErrorKind::Rank) for an operand of rank 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let v = tape.var(&Tensor::from([1.0, -1.0]));
    /// let y = a.matmul(v);
    /// assert_eq!(y.value()?.to_vec(), [-1.0, -1.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(a)?.to_vec(), [1.0, -1.0, 1.0, -1.0]);
    /// assert_eq!(grads.wrt(v)?.to_vec(), [4.0, 6.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Product { left: Plain, right: Plain, batch: None }, &[self, other])
    }

    /// The product of matrices that may each be transposed, summed to the batch axes of a shape if one is given.
    #[track_caller]
    pub(super) fn product(
        self,
        left: Form,
        other: Var<'t, T>,
        right: Form,
        batch: Option<Result<Shape, Error>>,
    ) -> Var<'t, T> {
        self.tape().composed("matmul", || {
            let batch = batch.transpose()?;
            Ok(self.tape().apply(Product { left, right, batch }, &[self, other]))
        })
    }

    /// Reshaped; itself if it has that shape.
    #[track_caller]
    pub(super) fn shaped(self, shape: &Shape) -> Var<'t, T> {
        match self.try_shape() {
            Ok(own) if own != *shape => self.reshape(shape),
            _ => self,
        }
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let vectors: &[&[&[usize]]] = &[
        &[&[3], &[3]],
        &[&[1], &[1]],
        &[&[2, 3], &[3]],
        &[&[3], &[3, 2]],
        &[&[2, 4, 3], &[3]],
        &[&[3], &[2, 3, 2]],
        &[&[0], &[0]],
        &[&[2, 0], &[0]],
        &[&[0, 2], &[2]],
    ];
    let matrices: &[&[&[usize]]] = &[
        &[&[2, 3], &[3, 4]],
        &[&[1, 1], &[1, 1]],
        &[&[17, 3], &[3, 2]],
        &[&[1, 5], &[5, 1]],
        &[&[5, 1], &[1, 5]],
        &[&[2, 0], &[0, 3]],
        &[&[0, 2], &[2, 3]],
        &[&[2, 3], &[3, 0]],
    ];
    let batches: &[&[&[usize]]] = &[
        &[&[2, 2, 3], &[2, 3, 2]],
        &[&[4, 2, 3], &[3, 2]],
        &[&[2, 3], &[4, 3, 2]],
        &[&[3, 1, 2, 3], &[2, 3, 2]],
        &[&[2, 1, 2, 2], &[1, 3, 2, 1]],
        &[&[1, 2, 3], &[3, 2]],
        &[&[2, 2, 2, 3], &[3, 2]],
        &[&[2, 2, 2, 3], &[1, 2, 3, 1]],
        &[&[3, 1, 2], &[2, 4]],
        &[&[0, 2, 3], &[3, 2]],
        &[&[0, 2, 3], &[1, 3, 2]],
        &[&[2, 2, 0], &[0, 2]],
    ];
    vec![
        sample!("matmul of vectors", shapes(vectors, -2.0, 2.0), |x| x[0].matmul(x[1])),
        sample!("matmul", shapes(matrices, -2.0, 2.0), |x| x[0].matmul(x[1])),
        sample!("matmul of batches", shapes(batches, -2.0, 2.0), |x| x[0].matmul(x[1])),
        sample!("matmul nonlinear", shapes(&[&[&[2, 2, 3], &[3, 2]]], -1.0, 1.0), |x| {
            x[0].matmul(x[1]).tanh().matmul(x[1].transpose(0, 1))
        }),
        sample!("matmul with itself", shapes(&[&[&[3, 3]], &[&[2, 2, 2]]], -1.0, 1.0), |x| {
            x[0].matmul(x[0].transpose(-1, -2)).matmul(x[0])
        }),
        wrong!(
            "matmul",
            &[&[2, 3], &[2, 3]],
            |x| x[0].matmul(x[1]),
            "shapes [2, 3] and [2, 3] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "matmul",
            &[&[3], &[2]],
            |x| x[0].matmul(x[1]),
            "shapes [3] and [2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "matmul",
            &[&[2, 2, 3], &[3, 3, 2]],
            |x| x[0].matmul(x[1]),
            "shapes [2, 2, 3] and [3, 3, 2] do not broadcast"
        ),
        wrong!("matmul", &[&[], &[2]], |x| x[0].matmul(x[1]), "shape [] has rank 0, wanted at least 1"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::tensor::Generator;

    fn random(shape: &[usize]) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0..1.0, &mut Generator::new(shape.iter().sum::<usize>() as u64)).unwrap()
    }

    /// Element by element, by the definition.
    fn naive(a: &Tensor<f64>, b: &Tensor<f64>) -> Vec<f64> {
        let (row, column) = (a.rank() == 1, b.rank() == 1);
        let a = if row { a.unsqueeze(0).unwrap() } else { a.clone() };
        let b = if column { b.unsqueeze(1).unwrap() } else { b.clone() };
        let (m, k, n) = (a.shape()[a.rank() - 2], b.shape()[b.rank() - 2], b.shape()[b.rank() - 1]);
        let (la, lb) = (&a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2]);
        let batch = broadcast(la, lb).unwrap();
        let whole = |m: usize, n: usize| [&batch[..], &[m, n]].concat();
        let (a, b) = (a.expand(whole(m, k)).unwrap().to_vec(), b.expand(whole(k, n)).unwrap().to_vec());
        let mut out = vec![];
        for at in 0..batch.count() {
            for i in 0..m {
                for j in 0..n {
                    out.push((0..k).map(|p| a[(at * m + i) * k + p] * b[(at * k + p) * n + j]).sum());
                }
            }
        }
        out
    }

    #[test]
    fn products_are_what_the_definition_gives_in_every_layout() {
        let pairs: [(&[usize], &[usize]); 13] = [
            (&[5], &[5]),
            (&[4, 5], &[5]),
            (&[5], &[5, 3]),
            (&[5], &[2, 5, 3]),
            (&[17, 33], &[33, 9]),
            (&[3, 4, 5], &[5, 6]),
            (&[2, 3, 4, 5], &[5, 6]),
            (&[4, 5], &[3, 5, 6]),
            (&[2, 1, 4, 5], &[3, 5, 6]),
            (&[2, 3, 4, 5], &[3, 5, 2]),
            (&[6, 1, 5], &[5, 4]),
            (&[2, 0, 5], &[5, 4]),
            (&[2, 3, 0], &[0, 4]),
        ];
        for (sa, sb) in pairs {
            let flip = |shape: &[usize]| {
                let x = random(&shape.iter().rev().copied().collect::<Vec<_>>());
                x.permute((0..shape.len() as isize).rev().collect::<Vec<_>>()).unwrap()
            };
            let back = |shape: &[usize]| random(shape).slice(0, crate::Slice::from(..).step(-1)).unwrap();
            let wide = |shape: &[usize]| random(&[&[1; 1][..], &shape[1..]].concat()).expand(shape).unwrap();
            let layouts = |shape: &[usize]| [random(shape), flip(shape), back(shape), wide(shape)];
            for a in layouts(sa) {
                for b in layouts(sb) {
                    let (y, wanted) = (a.matmul(&b).unwrap(), naive(&a, &b));
                    assert_eq!(y.len(), wanted.len(), "{sa:?} {sb:?}");
                    let near = y.iter().zip(&wanted).all(|(y, w)| (y - w).abs() < 1e-12);
                    assert!(near, "{sa:?} {:?} {sb:?} {:?}", a.strides(), b.strides());
                }
            }
        }
    }

    #[test]
    fn an_empty_inner_axis_gives_zeros() {
        let y = random(&[2, 0]).matmul(&random(&[0, 3])).unwrap();
        assert_eq!((y.shape(), y.to_vec()), (&[2, 3][..], vec![0.0; 6]));
        assert_eq!(random(&[0]).matmul(&random(&[0])).unwrap().item().unwrap(), 0.0);
    }

    #[test]
    fn transposed_and_folded_operands_take_one_product_and_no_copies() {
        let tape = Tape::new();
        let x = tape.var(&random(&[8, 5, 300]));
        let w = tape.var(&random(&[200, 300]));
        let y = x.matmul(w.transpose(0, 1));
        // One node for the view, one for the product, whose memory is the only one made.
        assert_eq!(tape.len(), 4);
        assert!(std::ptr::eq(
            w.value().unwrap().as_slice().unwrap(),
            w.transpose(0, 1).value().unwrap().transpose(0, 1).unwrap().as_slice().unwrap()
        ));
        let g = random(&[8, 5, 200]);
        let [gx, gw] = tape.vjp(y, &g, [x, w]).unwrap();
        let (folded_g, folded_x) =
            (g.reshape([40, 200]).unwrap(), x.value().unwrap().reshape([40, 300]).unwrap());
        let wanted = folded_g.transpose(0, 1).unwrap().matmul(&folded_x).unwrap();
        assert!(gw.value().unwrap().iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(gx.value().unwrap().shape(), [8, 5, 300]);
    }
}
