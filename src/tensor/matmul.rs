//! Matrix products of tensors: vectors, matrices, broadcast batches, operands of any strides, all without copies.

use super::Tensor;
use crate::error::{ErrorKind, Result};
use crate::kernels::copy_strided;
use crate::kernels::matmul::{self as kernel, Matrix};
use crate::number::Real;
use crate::shape::{Shape, broadcast, same};
use smallvec::SmallVec;

/// How an operand enters a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// With its last two axes swapped.
    Transposed,
}

impl Form {
    /// The other one.
    pub(crate) fn flipped(self) -> Form {
        match self {
            Form::Plain => Form::Transposed,
            Form::Transposed => Form::Plain,
        }
    }
}

/// An axis of the batch: its length, the operands' steps along it, and whether the result is a sum over it.
#[derive(Clone, Copy)]
struct Axis {
    n: usize,
    a: isize,
    b: isize,
    summed: bool,
}

/// One operand: the steps between rows and between columns of its matrices.
#[derive(Clone, Copy)]
struct Steps {
    row: isize,
    col: isize,
}

/// A product in as few calls of the kernel as the strides allow.
struct Plan {
    m: usize,
    k: usize,
    n: usize,
    a: Steps,
    b: Steps,
    axes: SmallVec<[Axis; 4]>,
    /// The result's shape before axes are repeated that neither operand has.
    shape: Shape,
}

/// An operand's batch axes, rows and columns, with their strides; a vector is one row on the left, one column on
/// the right.
struct Operand<'a> {
    batch: &'a [usize],
    batch_strides: &'a [isize],
    rows: usize,
    cols: usize,
    steps: Steps,
    vector: bool,
}

impl<'a> Operand<'a> {
    fn new<T: Real>(x: &'a Tensor<T>, form: Form, left: bool) -> Result<Operand<'a>> {
        let (shape, strides) = (x.shape(), x.strides());
        let (at, rows, cols, steps) = match *shape {
            [] => return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into()),
            [n] if left => (0, 1, n, Steps { row: 0, col: strides[0] }),
            [n] => (0, n, 1, Steps { row: strides[0], col: 0 }),
            [.., rows, cols] => {
                let at = shape.len() - 2;
                let (row, col) = (strides[at], strides[at + 1]);
                match form {
                    Form::Plain => (at, rows, cols, Steps { row, col }),
                    Form::Transposed => (at, cols, rows, Steps { row: col, col: row }),
                }
            }
        };
        let (batch, batch_strides) = (&shape[..at], &strides[..at]);
        Ok(Operand { batch, batch_strides, rows, cols, steps, vector: shape.len() == 1 })
    }

    /// Length and step along a batch axis counted from the last, 0 where the operand is repeated.
    fn axis(&self, from_last: usize) -> (usize, isize) {
        match self.batch.len().checked_sub(from_last + 1) {
            Some(axis) if self.batch[axis] != 1 => (self.batch[axis], self.batch_strides[axis]),
            _ => (1, 0),
        }
    }
}

impl Plan {
    fn new<T: Real>(
        (x, left): (&Tensor<T>, Form),
        (y, right): (&Tensor<T>, Form),
        wanted: Option<&[usize]>,
    ) -> Result<Plan> {
        let (a, b) = (Operand::new(x, left, true)?, Operand::new(y, right, false)?);
        let shapes = || (x.shape().to_vec(), y.shape().to_vec());
        if a.cols != b.rows {
            let (left, right) = shapes();
            return Err(ErrorKind::InnerDimension { left, right }.into());
        }
        let full = broadcast(a.batch, b.batch).map_err(|_| {
            let (left, right) = shapes();
            ErrorKind::Broadcast { left, right }
        })?;
        let batch = wanted.unwrap_or(&full);
        let rank = full.len().max(batch.len());
        let mut plan = Plan {
            m: a.rows,
            k: a.cols,
            n: b.cols,
            a: a.steps,
            b: b.steps,
            axes: SmallVec::new(),
            shape: Shape::default(),
        };
        let mut dims = SmallVec::<[usize; 6]>::new();
        for from_last in (0..rank).rev() {
            let ((na, step_a), (nb, step_b)) = (a.axis(from_last), b.axis(from_last));
            let n = if na == 1 { nb } else { na };
            let kept = batch.len().checked_sub(from_last + 1).map(|axis| batch[axis]);
            let summed = kept.unwrap_or(1) == 1;
            if kept.is_some() {
                dims.push(if summed { 1 } else { n });
            }
            if n != 1 {
                plan.axes.push(Axis { n, a: step_a, b: step_b, summed });
            }
        }
        dims.extend((!a.vector).then_some(plan.m));
        dims.extend((!b.vector).then_some(plan.n));
        plan.shape = Shape::new(dims)?;
        plan.fold();
        Ok(plan)
    }

    /// Turns batch axes into rows, or into terms of the inner products, where the strides allow it: then a batch
    /// times one matrix is one product, and the sum of products over a batch is one, too.
    fn fold(&mut self) {
        // Kept axes in the order of the result, then those summed over.
        self.axes.sort_by_key(|axis| axis.summed);
        let terms = |plan: &Plan, axis: &Axis| {
            let k = plan.k as isize;
            axis.summed && (k == 1 || (axis.a == plan.a.col * k && axis.b == plan.b.row * k))
        };
        while let Some(at) = self.axes.iter().rposition(|axis| terms(self, axis)) {
            let axis = self.axes.remove(at);
            if self.k == 1 {
                (self.a.col, self.b.row) = (axis.a, axis.b);
            }
            self.k *= axis.n;
        }
        while let Some(at) = self.axes.iter().rposition(|axis| !axis.summed) {
            let axis = self.axes[at];
            if axis.b != 0 || (self.m != 1 && axis.a != self.a.row * self.m as isize) {
                break;
            }
            if self.m == 1 {
                self.a.row = axis.a;
            }
            self.m *= axis.n;
            self.axes.remove(at);
        }
    }

    /// Where each of the batch's matrices begins, in the order of the axes.
    fn offsets(&self, start: usize, step: impl Fn(&Axis) -> isize) -> Vec<usize> {
        let mut offsets = vec![start];
        for axis in &self.axes {
            let step = step(axis);
            let along = |&from: &usize| (0..axis.n as isize).map(move |i| from.wrapping_add_signed(i * step));
            offsets = offsets.iter().flat_map(along).collect();
        }
        offsets
    }

    /// `out = Σ a·b`, or `out += Σ a·b`.
    fn run<T: Real>(&self, a: &Tensor<T>, b: &Tensor<T>, out: &mut [T], accumulate: bool) {
        if out.is_empty() {
            return;
        }
        let (va, vb) = (a.view(), b.view());
        let matrix = |data, offset, s: Steps| Matrix { data, offset, row_stride: s.row, col_stride: s.col };
        let (ma, mb) = (matrix(va.data, va.offset, self.a), matrix(vb.data, vb.offset, self.b));
        let (m, k, n) = (self.m, self.k, self.n);
        if self.axes.is_empty() {
            // The packing inside the product gathers a transposed right operand element by element; transposing it
            // first, tile by tile, takes a third of that time (784×512: 0.11 ms against 0.35).
            let transposed = self.b.row == 1 && self.b.col > 1 && m >= 32 && k * n >= 1 << 14;
            if let (true, Ok(shape)) = (transposed, Shape::new([k, n])) {
                let strides = [1, self.b.col];
                let by_rows = |rows: &mut [T]| copy_strided(&[k, n], vb.data, vb.offset, &strides, rows);
                if let Ok(copy) = Tensor::build(shape, by_rows) {
                    let rows = Steps { row: n as isize, col: 1 };
                    return kernel::matmul(m, k, n, ma, matrix(copy.view().data, 0, rows), out, accumulate);
                }
            }
            return kernel::matmul(m, k, n, ma, mb, out, accumulate);
        }
        let (from_a, from_b) = (self.offsets(va.offset, |x| x.a), self.offsets(vb.offset, |x| x.b));
        let terms: usize = self.axes.iter().filter(|axis| axis.summed).map(|axis| axis.n).product();
        if terms == 1 && !accumulate {
            return kernel::batched(m, k, n, ma, &from_a, mb, &from_b, out);
        }
        if terms == 0 && !accumulate {
            out.fill(T::ZERO);
        }
        for (i, (&from_a, &from_b)) in from_a.iter().zip(&from_b).enumerate() {
            let out = &mut out[i / terms * (m * n)..][..m * n];
            let (a, b) = (Matrix { offset: from_a, ..ma }, Matrix { offset: from_b, ..mb });
            kernel::matmul(m, k, n, a, b, out, accumulate || i % terms > 0);
        }
    }
}

impl<T: Real> Tensor<T> {
    /// The matrix product over the last two axes; the axes before them are batches, broadcast against each other.
    ///
    /// `[.., m, k] · [.., k, n]` is `[.., m, n]`. A vector on the left is a row, one on the right a column, and that
    /// axis is not in the result: `[k] · [k]` is a number, `[.., m, k] · [k]` is `[.., m]`.
    ///
    /// Transposed, sliced and broadcast operands are read where they lie. A batch times a single matrix is one
    /// product.
    ///
    /// # Errors
    ///
    /// [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast) for the batches;
    /// [`Rank`](ErrorKind::Rank) for an operand of rank 0; [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let v = Tensor::from([1.0, -1.0]);
    /// assert_eq!(a.matmul(&v)?.to_vec(), [-1.0, -1.0]);
    /// assert_eq!(a.matmul(&a.transpose(0, 1)?)?.to_vec(), [5.0, 11.0, 11.0, 25.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "dot")]
    #[doc(alias = "bmm")]
    pub fn matmul(&self, other: &Tensor<T>) -> Result<Tensor<T>> {
        self.product(Form::Plain, other, Form::Plain, None)
    }

    /// The matrix product of operands that may each be transposed, with the batch axes `batch`: summed over those
    /// of the operands' axes that it lacks or has with length 1, repeated along those that they lack.
    pub(crate) fn product(
        &self,
        left: Form,
        other: &Tensor<T>,
        right: Form,
        batch: Option<&[usize]>,
    ) -> Result<Tensor<T>> {
        let plan = Plan::new((self, left), (other, right), batch)?;
        let result = Tensor::build(plan.shape.clone(), |out| plan.run(self, other, out, false))?;
        match batch {
            Some(batch) if result.shape()[..batch.len()] != *batch => {
                let mut dims = SmallVec::<[usize; 6]>::from_slice(batch);
                dims.extend_from_slice(&result.shape()[batch.len()..]);
                result.expand(&dims[..])
            }
            _ => Ok(result),
        }
    }

    /// `self · w + b`, where `w` is `[in, out]` and `b` is `[out]`: the sum is where the product is added.
    pub(crate) fn linear(&self, w: &Tensor<T>, b: Option<&Tensor<T>>) -> Result<Tensor<T>> {
        let &[_, width] = w.shape() else {
            return Err(ErrorKind::Rank { found: w.shape().to_vec(), wanted: "2" }.into());
        };
        let plan = Plan::new((self, Form::Plain), (w, Form::Plain), None)?;
        let Some(b) = b else {
            return Tensor::build(plan.shape.clone(), |out| plan.run(self, w, out, false));
        };
        same("the bias", b.shape(), &[width])?;
        let b = b.contiguous()?;
        let row = b.as_slice().expect("just made contiguous");
        Tensor::build(plan.shape.clone(), |out| {
            out.chunks_exact_mut(width.max(1)).for_each(|out| out.copy_from_slice(row));
            plan.run(self, w, out, true);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Form::{Plain, Transposed};

    /// What is left to the kernel: rows, terms, columns, and the lengths of the batch axes.
    fn plan(a: (&Tensor<f64>, Form), b: (&Tensor<f64>, Form), batch: Option<&[usize]>) -> [Vec<usize>; 2] {
        let plan = Plan::new(a, b, batch).unwrap();
        [vec![plan.m, plan.k, plan.n], plan.axes.iter().map(|axis| axis.n).collect()]
    }

    #[test]
    fn a_batch_times_one_matrix_is_one_product_and_so_is_the_sum_over_a_batch() {
        let dense = |shape: &[usize]| Tensor::from_fn(shape, |_| 1.0).unwrap();
        let (x, w, g) = (dense(&[8, 5, 3]), dense(&[3, 2]), dense(&[8, 5, 2]));
        assert_eq!(plan((&x, Plain), (&w, Plain), None), [vec![40, 3, 2], vec![]]);
        assert_eq!(plan((&g, Plain), (&w, Transposed), Some(&[8])), [vec![40, 2, 3], vec![]]);
        assert_eq!(plan((&x, Transposed), (&g, Plain), Some(&[])), [vec![3, 40, 2], vec![]]);
        // A batch of vectors, as rows.
        let rows = dense(&[6, 1, 3]);
        assert_eq!(plan((&rows, Plain), (&w, Plain), None), [vec![6, 3, 2], vec![]]);
        // The inner axis of a batch folds where the other operand is repeated along it.
        let (x, w) = (dense(&[4, 8, 5, 3]), dense(&[4, 1, 3, 2]));
        assert_eq!(plan((&x, Plain), (&w, Plain), None), [vec![40, 3, 2], vec![4]]);
        // Rows that do not lie evenly stay a batch: no copy is made.
        let turned = dense(&[8, 3, 5]).transpose(1, 2).unwrap();
        assert_eq!(plan((&turned, Plain), (&dense(&[3, 2]), Plain), None), [vec![5, 3, 2], vec![8]]);
        assert_eq!(plan((&dense(&[0, 5, 3]), Plain), (&dense(&[3, 2]), Plain), None)[0], [0, 3, 2]);
    }
}
