//! Matrix products: the packed kernels of the `gemm` crate, and direct loops where its overhead would show.

use super::reduce::{CHUNK, both, dot, middle, pieces, row_dot};
use super::transpose::within;
use super::{multiversion, threshold};
use crate::number::{Lane, Real};
use gemm::Parallelism;
use rayon::prelude::*;

/// Multiply-adds up to which a product is computed by direct loops.
const TINY: usize = 512;
/// Multiply-adds for one task of a batch.
const TASK: usize = 1 << 18;
/// Columns whose sums a vector–matrix product holds in the first-level cache.
const WIDTH: usize = 1 << 10;
/// Rows that such a product adds up in sequence.
const ROWS: usize = 256;

/// A strided matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// Where the element (0, 0) is.
    pub offset: usize,
    /// The step from one row to the next; may be negative or 0.
    pub row_stride: isize,
    /// The step from one column to the next; may be negative or 0.
    pub col_stride: isize,
}

impl<T: Real> Matrix<'_, T> {
    fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    fn transposed(self) -> Self {
        Self { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    #[inline(always)]
    fn index(&self, row: usize, column: usize) -> usize {
        self.offset
            .wrapping_add_signed(row as isize * self.row_stride)
            .wrapping_add_signed(column as isize * self.col_stride)
    }

    /// Neither `rows` nor `columns` is 0.
    fn check(&self, rows: usize, columns: usize) {
        let axes = [(rows, self.row_stride), (columns, self.col_stride)];
        assert!(within(&axes, self.offset, self.data.len()), "the matrix lies within its data");
    }
}

/// `out = a·b`, or `out += a·b` if `accumulate`, with `a` of `m × k`, `b` of `k × n` and `out` row-major `m × n`.
///
/// # Panics
/// If a matrix reaches outside of its data, or `out` has another number of elements.
pub fn matmul<T: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [T],
    accumulate: bool,
) {
    assert_eq!(m.checked_mul(n), Some(out.len()), "the output is m × n");
    product(m, k, n, a, b, out, accumulate, true);
}

/// As [`matmul`], on the calling thread alone: for products that are themselves parts of a parallel loop.
///
/// # Panics
/// As [`matmul`].
pub fn serial<T: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [T],
    accumulate: bool,
) {
    assert_eq!(m.checked_mul(n), Some(out.len()), "the output is m × n");
    product(m, k, n, a, b, out, accumulate, false);
}

/// `outᵢ = aᵢ·bᵢ` for matrices that differ in their offsets alone.
///
/// # Panics
/// If a matrix reaches outside of its data, or the batch is not as long in the offsets and in `out`.
#[allow(clippy::too_many_arguments)]
pub fn batched<T: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix<T>,
    a_offsets: &[usize],
    b: Matrix<T>,
    b_offsets: &[usize],
    out: &mut [T],
) {
    let batch = a_offsets.len();
    assert_eq!(batch, b_offsets.len(), "as many matrices on either side");
    let one = m.checked_mul(n);
    assert_eq!(one.and_then(|one| one.checked_mul(batch)), Some(out.len()), "the outputs are m × n");
    if out.is_empty() {
        return;
    }
    let (one, size) = (m * n, (m * n).saturating_mul(k));
    let few = batch < 2 * rayon::current_num_threads();
    // Few large products are split each; the rest go to the threads whole.
    let within_each = few && size >= threshold::PRODUCT;
    let across = !within_each && threshold::split(batch.saturating_mul(size / 16 + 20));
    let multiply = |(i, out): (usize, &mut [T])| {
        product(m, k, n, a.at(a_offsets[i]), b.at(b_offsets[i]), out, false, within_each);
    };
    if across {
        let task = (TASK / size.max(1)).max(1);
        out.par_chunks_mut(one).enumerate().with_min_len(task.min(batch.div_ceil(4))).for_each(multiply);
    } else {
        out.chunks_mut(one).enumerate().for_each(multiply);
    }
}

/// One product, whose bits do not depend on whether it uses threads.
#[allow(clippy::too_many_arguments)]
fn product<T: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [T],
    accumulate: bool,
    threads: bool,
) {
    if out.is_empty() || k == 0 {
        if !accumulate {
            out.fill(T::ZERO);
        }
        return;
    }
    a.check(m, k);
    b.check(k, n);
    if n == 1 && vector_product(k, a, b, out, accumulate, threads)
        || m == 1 && vector_product(k, b.transposed(), a.transposed(), out, accumulate, threads)
    {
        return;
    }
    let size = m.saturating_mul(n).saturating_mul(k);
    if size <= TINY {
        if b.col_stride == 1 {
            return tiny((m, k, n), a, b, out, accumulate);
        }
        let mut rows = [T::ZERO; TINY];
        for (p, row) in rows[..k * n].chunks_exact_mut(n).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, v)| *v = b.data[b.index(p, j)]);
        }
        let b = Matrix { data: &rows, offset: 0, row_stride: n as isize, col_stride: 1 };
        return tiny((m, k, n), a, b, out, accumulate);
    }
    let parallel = threads && size >= threshold::PRODUCT && rayon::current_num_threads() > 1;
    let parallelism = if parallel { Parallelism::Rayon(0) } else { Parallelism::None };
    // SAFETY: `check` has shown that every element of both operands lies in their data; `out`, exclusively
    // borrowed, has m·n elements, those of a row-major matrix; T is f32 or f64, which `gemm` knows.
    unsafe {
        gemm::gemm::<T>(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.data.as_ptr().add(a.offset),
            a.col_stride,
            a.row_stride,
            b.data.as_ptr().add(b.offset),
            b.col_stride,
            b.row_stride,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

multiversion! {
    fn tiny<T, N>(shape: (usize, usize, usize), a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T], accumulate: bool) {
        tiny_body::<T, N>(shape, a, b, out, accumulate);
    }

    /// Inner products of `x`'s rows of `k ≤ CHUNK` elements, `stride` apart, with `v`.
    fn short_dots<T, N>(x: &[T], stride: usize, v: &[T], out: &mut [T], accumulate: bool) {
        for (i, out) in out.iter_mut().enumerate() {
            let sum = row_dot::<T, N>(&x[i * stride..][..v.len()], v);
            *out = (if accumulate { N::of(*out) + sum } else { sum }).get();
        }
    }

    /// `out = Σ vᵣ·xᵣ` over rows that are `stride` apart.
    fn weighted_rows<T, N>(x: &[T], stride: usize, v: &[T], out: &mut [T]) {
        let w = out.len();
        out.fill(T::ZERO);
        let (fours, rest) = v.as_chunks::<4>();
        let mut r = 0;
        for v in fours {
            let rows: [&[T]; 4] = std::array::from_fn(|i| &x[(r + i) * stride..][..w]);
            for j in 0..w {
                let mut sum = N::of(out[j]);
                for (row, v) in rows.iter().zip(v) {
                    sum = N::of(*v).mul_add(N::of(row[j]), sum);
                }
                out[j] = sum.get();
            }
            r += 4;
        }
        for &v in rest {
            let row = &x[r * stride..][..w];
            for j in 0..w {
                out[j] = N::of(v).mul_add(N::of(row[j]), N::of(out[j])).get();
            }
            r += 1;
        }
    }
}

/// Row by row, eight columns at a time.
#[inline(always)]
fn tiny_body<T: Real, N: Lane<T>>(
    (m, k, n): (usize, usize, usize),
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [T],
    accumulate: bool,
) {
    for i in 0..m {
        let out = &mut out[i * n..][..n];
        let (eights, rest) = out.as_chunks_mut::<8>();
        for (j, out) in eights.iter_mut().enumerate() {
            let mut sum = if accumulate { out.map(N::of) } else { [N::of(T::ZERO); 8] };
            for p in 0..k {
                let (x, row) = (N::of(a.data[a.index(i, p)]), &b.data[b.index(p, 8 * j)..][..8]);
                for l in 0..8 {
                    sum[l] = x.mul_add(N::of(row[l]), sum[l]);
                }
            }
            *out = sum.map(N::get);
        }
        let done = n - rest.len();
        for (j, out) in rest.iter_mut().enumerate() {
            let mut sum = N::of(if accumulate { *out } else { T::ZERO });
            for p in 0..k {
                let (x, y) = (a.data[a.index(i, p)], b.data[b.index(p, done + j)]);
                sum = N::of(x).mul_add(N::of(y), sum);
            }
            *out = sum.get();
        }
    }
}

/// `out = a·v` for a column `v` of `k` elements, if `a` is contiguous one way or the other; else nothing is done.
fn vector_product<T: Real>(
    k: usize,
    a: Matrix<T>,
    v: Matrix<T>,
    out: &mut [T],
    accumulate: bool,
    threads: bool,
) -> bool {
    let by_rows = (a.col_stride == 1 || k == 1) && a.row_stride >= 0;
    let by_columns = (a.row_stride == 1 || out.len() == 1) && a.col_stride >= 0;
    if !by_rows && !by_columns {
        return false;
    }
    let gathered: Vec<T>;
    let v = if v.row_stride == 1 || k == 1 {
        &v.data[v.offset..][..k]
    } else {
        gathered = (0..k).map(|p| v.data[v.index(p, 0)]).collect();
        &gathered
    };
    let x = &a.data[a.offset..];
    let parallel = threads && threshold::split(out.len().saturating_mul(k) * size_of::<T>() / 16);
    if by_rows {
        let stride = a.row_stride as usize;
        if k <= CHUNK {
            pieces(out, (4 * CHUNK / k).max(1), parallel, |i, out| {
                short_dots(&x[i * stride..], stride, v, out, accumulate);
            });
        } else {
            pieces(out, 1, parallel, |i, out| {
                let sum = dot(&x[i * stride..][..k], v);
                out[0] = if accumulate { out[0] + sum } else { sum };
            });
        }
    } else {
        let stride = a.col_stride as usize;
        pieces(out, WIDTH, parallel, |j, out| {
            let mut sums = [T::ZERO; WIDTH];
            let sums = &mut sums[..out.len()];
            weighted_tree(&x[j..], stride, v, parallel, sums);
            for (o, &s) in out.iter_mut().zip(&*sums) {
                *o = if accumulate { *o + s } else { s };
            }
        });
    }
    true
}

/// [`weighted_rows`] over a balanced tree of `ROWS` rows each.
fn weighted_tree<T: Real>(x: &[T], stride: usize, v: &[T], parallel: bool, out: &mut [T]) {
    if v.len() <= ROWS {
        return weighted_rows(x, stride, v, out);
    }
    let middle = middle(v.len(), ROWS);
    let (low, high) = v.split_at(middle);
    let mut other = vec![T::ZERO; out.len()];
    both(
        parallel && v.len() * out.len() >= TASK,
        || weighted_tree(x, stride, low, parallel, out),
        || weighted_tree(&x[middle * stride..], stride, high, parallel, &mut other),
    );
    for (o, s) in out.iter_mut().zip(other) {
        *o += s;
    }
}

#[cfg(test)]
mod tests;
