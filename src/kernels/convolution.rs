//! Convolutions: the three products of a closed family.
//!
//! `y[n, f, j] = Σ w[f, c, t]·x[n, c, j·stride + t·dilation − before]` is linear in x and in w. Its adjoint by x (the
//! transposed convolution) and its adjoint by w are linear in the same way, and the derivatives of each of the three are the
//! other two. All are computed on pieces of the batch that are stored once more with their padding ([`lines`]): then every
//! tap of the kernel reads runs of consecutive numbers, and the inner loops are those of a matrix product ([`tiles`]).

use super::matmul::{self, Matrix};
use super::reduce::pieces;
use super::threshold;
use crate::number::Real;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

mod correlate;
mod lines;
mod registers;
mod tiles;
mod weight;

/// One axis of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The length of x.
    pub input: usize,
    /// The length of y.
    pub output: usize,
    /// The number of taps, at least 1.
    pub kernel: usize,
    /// The step of x from one element of y to the next, at least 1.
    pub stride: usize,
    /// The step of x from one tap to the next, at least 1.
    pub dilation: usize,
    /// How far the first tap of the first element of y lies before the first element of x.
    pub before: isize,
}

impl Axis {
    /// An axis that is not there.
    pub const NONE: Axis = Axis { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0 };
}

/// The sizes of a convolution of x `[batch, groups·channels, input]` with w `[groups·filters, channels, kernel]` to y
/// `[batch, groups·filters, output]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub batch: usize,
    pub groups: usize,
    pub channels: usize,
    pub filters: usize,
    pub axes: [Axis; 3],
}

impl Geometry {
    fn each(&self, of: impl Fn(&Axis) -> usize) -> [usize; 3] {
        [of(&self.axes[0]), of(&self.axes[1]), of(&self.axes[2])]
    }

    fn inputs(&self) -> usize {
        self.each(|axis| axis.input).iter().product()
    }

    fn outputs(&self) -> usize {
        self.each(|axis| axis.output).iter().product()
    }

    fn taps(&self) -> usize {
        self.each(|axis| axis.kernel).iter().product()
    }

    /// Elements of x, of w and of y.
    pub fn sizes(&self) -> [usize; 3] {
        let (x, y) =
            (self.groups * self.channels * self.inputs(), self.groups * self.filters * self.outputs());
        [self.batch * x, self.groups * self.filters * self.channels * self.taps(), self.batch * y]
    }

    /// Whether every tap reads one element, so that the three are matrix products: by a kernel of one tap and step, over all
    /// elements of an image; or by one that covers whole images, over the batch.
    fn matrix(&self) -> Option<Dense> {
        let point = |axis: &Axis| {
            axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.input == axis.output
        };
        let whole = |axis: &Axis| {
            axis.output == 1 && axis.before == 0 && axis.input == axis.kernel && axis.dilation == 1
        };
        if self.groups == 1 && self.axes.iter().all(whole) {
            let k = self.channels * self.taps();
            return Some(Dense::Whole { n: self.batch, k, f: self.filters });
        }
        self.axes.iter().all(point).then_some(Dense::Pointwise)
    }

    /// About how many nanoseconds a product takes on one core.
    fn cost(&self) -> usize {
        let sums = self.batch * self.groups * self.filters * self.channels;
        sums.saturating_mul(self.taps()).saturating_mul(self.outputs()) / 40
    }
}

/// A convolution that is a matrix product.
enum Dense {
    Pointwise,
    Whole { n: usize, k: usize, f: usize },
}

/// Which of the three products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// y of x and w.
    Forward,
    /// The adjoint by x, of y and w.
    Transposed,
    /// The adjoint by w, of x and y.
    Weight,
}

/// How many numbers of scratch a product takes.
pub fn scratch<T: Real>(product: Product, g: &Geometry) -> usize {
    if g.sizes().contains(&0) || g.matrix().is_some() {
        return 0;
    }
    match product {
        Product::Forward => correlate::Plan::forward::<T>(g).scratch(),
        Product::Transposed => correlate::Plan::transposed::<T>(g).scratch(),
        Product::Weight => weight::Plan::new::<T>(g).scratch(),
    }
}

/// Computes a product: y of x and w, plus a number for each of its channels if there are such; x of y and w, likewise; w of
/// x and y. `scratch` has as many numbers as [`scratch`] says, of any values.
///
/// # Panics
/// If an array has another number of elements than the geometry says.
pub fn run<T: Real>(
    product: Product,
    g: &Geometry,
    [a, b]: [&[T]; 2],
    bias: Option<&[T]>,
    out: &mut [T],
    scratch: &mut [T],
) {
    let [x, w, y] = g.sizes();
    let (wanted, channels, area) = match product {
        Product::Forward => ([x, w, y], g.groups * g.filters, g.outputs()),
        Product::Transposed => ([y, w, x], g.groups * g.channels, g.inputs()),
        Product::Weight => ([x, y, w], 0, 1),
    };
    assert_eq!([a.len(), b.len(), out.len()], wanted, "the arrays have the sizes of the geometry");
    assert!(bias.is_none_or(|bias| bias.len() == channels), "one number for each channel");
    if out.is_empty() {
        return;
    }
    if wanted.contains(&0) {
        fill(bias, channels, area, out);
        return;
    }
    match (g.matrix(), product) {
        (Some(dense), _) => dense.run(product, g, [a, b], bias, out),
        (None, Product::Forward) => correlate::Plan::forward::<T>(g).run([a, b], bias, out, scratch),
        (None, Product::Transposed) => correlate::Plan::transposed::<T>(g).run([a, b], bias, out, scratch),
        (None, Product::Weight) => weight::Plan::new::<T>(g).run([a, b], out, scratch),
    }
}

/// Each channel's number everywhere; zeros if there are none.
fn fill<T: Real>(bias: Option<&[T]>, channels: usize, area: usize, out: &mut [T]) {
    let Some(bias) = bias else { return out.fill(T::ZERO) };
    for (i, out) in out.chunks_exact_mut(area).enumerate() {
        out.fill(bias[i % channels]);
    }
}

/// A row-major matrix in a slice, or its transpose.
fn matrix<T>(data: &[T], columns: usize, transposed: bool) -> Matrix<'_, T> {
    let (row_stride, col_stride) = if transposed { (1, columns as isize) } else { (columns as isize, 1) };
    Matrix { data, offset: 0, row_stride, col_stride }
}

impl Dense {
    fn run<T: Real>(
        &self,
        product: Product,
        g: &Geometry,
        [a, b]: [&[T]; 2],
        bias: Option<&[T]>,
        out: &mut [T],
    ) {
        let (groups, c, f, area) = (g.groups, g.channels, g.filters, g.inputs());
        // The batch and the groups, and how many rows of which length each has on either side.
        let batched = |m: usize, k: usize, from: Matrix<'_, T>, weights: Matrix<'_, T>, out: &mut [T]| {
            let images = g.batch * groups;
            let w_at: Vec<usize> = (0..images).map(|i| i % groups * f * c).collect();
            let x_at: Vec<usize> = (0..images).map(|i| i * k * area).collect();
            matmul::batched(m, k, area, weights, &w_at, from, &x_at, out);
        };
        match (self, product) {
            (&Dense::Whole { n, k, f }, Product::Forward) => {
                matmul::matmul(n, k, f, matrix(a, k, false), matrix(b, k, true), out, false);
            }
            (&Dense::Whole { n, k, f }, Product::Transposed) => {
                matmul::matmul(n, f, k, matrix(a, f, false), matrix(b, k, false), out, false);
            }
            (&Dense::Whole { n, k, f }, Product::Weight) => {
                matmul::matmul(f, n, k, matrix(b, f, true), matrix(a, k, false), out, false);
            }
            (Dense::Pointwise, Product::Forward) => {
                batched(f, c, matrix(a, area, false), matrix(b, c, false), out);
            }
            (Dense::Pointwise, Product::Transposed) => {
                batched(c, f, matrix(a, area, false), matrix(b, c, true), out);
            }
            (Dense::Pointwise, Product::Weight) => {
                for (i, (x, y)) in a.chunks_exact(c * area).zip(b.chunks_exact(f * area)).enumerate() {
                    let out = &mut out[i % groups * f * c..][..f * c];
                    matmul::matmul(
                        f,
                        area,
                        c,
                        matrix(y, area, false),
                        matrix(x, area, true),
                        out,
                        i >= groups,
                    );
                }
            }
        }
        let Some(bias) = bias else { return };
        let area = out.len() / (g.batch * bias.len());
        let parallel = threshold::split(size_of_val(out) / 16);
        pieces(out, area, parallel, |at, out| {
            let bias = bias[at / area % bias.len()];
            out.iter_mut().for_each(|y| *y += bias);
        });
    }
}

/// Runs tasks, on as many threads as there is scratch memory for.
fn share<T: Send>(tasks: usize, scratch: &mut [T], per: usize, run: impl Fn(usize, &mut [T]) + Sync) {
    if scratch.len() < 2 * per {
        return (0..tasks).for_each(|task| run(task, &mut scratch[..per]));
    }
    let next = AtomicUsize::new(0);
    scratch.par_chunks_exact_mut(per).with_max_len(1).for_each(|scratch| {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            run(task, scratch);
        }
    });
}

/// How many threads to give scratch memory to.
fn workers(tasks: usize, cost: usize) -> usize {
    if threshold::split(cost) { rayon::current_num_threads().min(tasks) } else { 1 }
}

/// An output that several threads write, each its own elements.
struct Shared<T>(*mut T, usize);

// SAFETY: a pointer to numbers; whoever writes through it promises that no two threads write the same element.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    fn new(out: &mut [T]) -> Shared<T> {
        Shared(out.as_mut_ptr(), out.len())
    }

    /// Writes numbers `step` apart.
    ///
    /// # Safety
    ///
    /// No other thread writes these elements, and the slice is not used while this is.
    unsafe fn write(&self, at: usize, step: usize, from: &[T]) {
        let last = from.len().checked_sub(1).map(|last| at + last * step);
        assert!(last.is_none_or(|last| last < self.1), "the run lies in the output");
        // SAFETY: the elements lie in the slice, and the caller promises that they are this thread's.
        unsafe {
            if step == 1 {
                self.0.add(at).copy_from_nonoverlapping(from.as_ptr(), from.len());
            } else {
                for (i, &x) in from.iter().enumerate() {
                    self.0.add(at + i * step).write(x);
                }
            }
        }
    }
}

impl<T> Shared<T> {
    /// A piece of it.
    ///
    /// # Safety
    ///
    /// No other piece that is in use has any of these elements, and the slice is not used while this is.
    #[allow(clippy::mut_from_ref)]
    unsafe fn piece(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at.checked_add(len).is_some_and(|end| end <= self.1), "the piece lies in the output");
        // SAFETY: the elements lie in the slice, and the caller promises that they are this thread's.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
    }
}

#[cfg(test)]
mod tests;
