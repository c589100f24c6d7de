//! Attention block by block: of the scores only a block of rows and keys exists at a time.
//!
//! The forward pass keeps for each row a running maximum and a running sum of exponentials, by which earlier blocks are
//! scaled down when a larger score appears (Dao et al. 2022, "FlashAttention"). The backward pass computes the blocks
//! again from each row's maximum and sum, which are all that is kept besides the output.

mod backward;

pub use backward::Read;

use super::matmul::{Matrix, serial};
use super::reduce::{Max, Sum, row, row_dot};
use super::{multiversion, threshold};
use crate::number::Real;
use rayon::prelude::*;

/// Query rows of a block.
const ROWS: usize = 128;
/// Keys of a block.
const KEYS: usize = 256;
/// Tasks that the keys of few heads are divided into.
const TASKS: usize = 8;

/// Sizes, and what the scores go through before the softmax. Queries are `[heads, repeats, rows, width]`, keys `[heads,
/// keys, width]`, values `[heads, keys, depth]`.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a, T> {
    /// Heads of keys and values.
    pub heads: usize,
    /// Heads of queries for each of them.
    pub repeats: usize,
    /// Queries of a head.
    pub rows: usize,
    /// Keys of a head.
    pub keys: usize,
    /// Elements of a query and of a key.
    pub width: usize,
    /// Elements of a value.
    pub depth: usize,
    /// What the inner products are multiplied by.
    pub scale: T,
    /// Whether row i sees the keys up to i alone.
    pub causal: bool,
    /// A mask.
    pub mask: Option<Mask<'a, T>>,
    /// Weights dropped at random.
    pub dropout: Option<Dropout>,
}

/// A mask of the scores, strided.
#[derive(Clone, Copy, Debug)]
pub struct Mask<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// Where the mask of each head of keys begins.
    pub offsets: &'a [usize],
    /// The steps from one repeat, row, key to the next.
    pub strides: [isize; 3],
    /// Whether it says by 0 what is left out; else it is added to the scores.
    pub keeps: bool,
}

/// Which weights are dropped: a function of their place, so that it can be computed again block by block.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Any number.
    pub seed: u64,
    /// The probability of being dropped.
    pub p: f64,
}

impl Dropout {
    /// What the weight at a place, counted through all of them, is multiplied by.
    #[inline]
    pub fn factor(self, at: u64) -> f64 {
        // SplitMix64, at a place of its sequence.
        let z = self.seed.wrapping_add(at.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        if uniform < self.p || self.p == 1.0 { 0.0 } else { 1.0 / (1.0 - self.p) }
    }
}

multiversion! {
    fn times<T, N>(x: &mut [T], factor: T) {
        for x in x {
            *x = (N::of(*x) * N::of(factor)).get();
        }
    }

    fn leave_out<T, N>(s: &mut [T], mask: &[T]) {
        for (s, &mask) in s.iter_mut().zip(mask) {
            *s = if mask == T::ZERO { -T::INFINITY } else { *s };
        }
    }

    fn plus<T, N>(s: &mut [T], mask: &[T]) {
        for (s, &mask) in s.iter_mut().zip(mask) {
            *s = (N::of(*s) + N::of(mask)).get();
        }
    }

    /// One more block of scores: they become `e^(s − max)`, the running maxima and sums are brought up to date, and
    /// `factor` is what earlier weights are to be multiplied by.
    fn soften<T, N>(s: &mut [T], n: usize, max: &mut [T], total: &mut [T], factor: &mut [T]) {
        for ((s, max), factor) in s.chunks_exact_mut(n).zip(max).zip(&mut *factor) {
            let new = N::of(row::<T, N, Max>(s, N::of(T::ZERO)).get()).maximum(N::of(*max)).get();
            // A row without scores so far is not shifted: −∞ − (−∞) is NaN.
            let shift = if new == -T::INFINITY { T::ZERO } else { new };
            *factor = (N::of(*max) - N::of(shift)).exp().get();
            *max = new;
            for s in s {
                *s = (N::of(*s) - N::of(shift)).get();
            }
        }
        for s in &mut *s {
            *s = N::of(*s).exp().get();
        }
        for ((s, total), &factor) in s.chunks_exact(n).zip(total).zip(&*factor) {
            *total = N::of(*total).mul_add(N::of(factor), row::<T, N, Sum>(s, N::of(T::ZERO))).get();
        }
    }

    /// The weights `e^(s − max)/sum` of a block. With max + ln sum in one number they would have the rounding error of a
    /// large score.
    fn weigh<T, N>(s: &mut [T], n: usize, by: &[[T; 2]]) {
        for (s, [shift, _]) in s.chunks_exact_mut(n).zip(by) {
            for s in s {
                *s = (N::of(*s) - N::of(*shift)).get();
            }
        }
        for s in &mut *s {
            *s = N::of(*s).exp().get();
        }
        for (s, [_, inverse]) in s.chunks_exact_mut(n).zip(by) {
            for s in s {
                *s = (N::of(*s) * N::of(*inverse)).get();
            }
        }
    }

    /// The cotangents of the scores, `p(dp − Σ p dp)`, over those of the weights.
    fn through_softmax<T, N>(p: &[T], n: usize, inner: &[T], scale: T, dp: &mut [T]) {
        for ((p, dp), &inner) in p.chunks_exact(n).zip(dp.chunks_exact_mut(n)).zip(inner) {
            for (dp, &p) in dp.iter_mut().zip(p) {
                *dp = (N::of(p) * (N::of(*dp) - N::of(inner)) * N::of(scale)).get();
            }
        }
    }

    fn rows_times<T, N>(x: &mut [T], n: usize, factor: &[T]) {
        for (x, &factor) in x.chunks_exact_mut(n).zip(factor) {
            for x in x {
                *x = (N::of(*x) * N::of(factor)).get();
            }
        }
    }

    /// Inner products of rows of at most [`KEYS`], each product rounded, as the composed rule has it.
    fn rounded_products<T, N>(a: &[T], b: &[T], n: usize, out: &mut [T]) {
        let mut products = [T::ZERO; KEYS];
        for ((a, b), out) in a.chunks_exact(n).zip(b.chunks_exact(n)).zip(out) {
            for ((product, &a), &b) in products.iter_mut().zip(a).zip(b) {
                *product = (N::of(a) * N::of(b)).get();
            }
            *out = row::<T, N, Sum>(&products[..n], N::of(T::ZERO)).get();
        }
    }

    fn inner_products<T, N>(a: &[T], b: &[T], n: usize, out: &mut [T]) {
        for ((a, b), out) in a.chunks_exact(n).zip(b.chunks_exact(n)).zip(out) {
            *out = row_dot::<T, N>(a, b).get();
        }
    }
}

fn plain<T>(data: &[T], columns: usize) -> Matrix<'_, T> {
    Matrix { data, offset: 0, row_stride: columns as isize, col_stride: 1 }
}

fn turned<T>(data: &[T], columns: usize) -> Matrix<'_, T> {
    Matrix { data, offset: 0, row_stride: 1, col_stride: columns as isize }
}

/// Where a block of scores lies.
#[derive(Clone, Copy)]
struct Block {
    head: usize,
    repeat: usize,
    row: usize,
    key: usize,
    rows: usize,
    keys: usize,
}

impl<T: Real> Attention<'_, T> {
    fn parallel(&self) -> bool {
        let scores = self.heads * self.repeats * self.rows * self.keys;
        threshold::split(scores.saturating_mul(self.width + self.depth + 16) / 16)
    }

    /// How many of the keys from `key` on a block takes for rows up to `last`: none if it sees none of them.
    fn seen(&self, key: usize, end: usize, last: usize) -> usize {
        let n = (end - key).min(KEYS);
        if self.causal { n.min((last + 1).saturating_sub(key)) } else { n }
    }

    /// The scores of a block, −∞ where they are left out.
    fn scores(&self, at: Block, q: &[T], k: &[T], s: &mut [T]) {
        serial(at.rows, self.width, at.keys, plain(q, self.width), turned(k, self.width), s, false);
        times(s, self.scale);
        if let Some(mask) = self.mask {
            let [repeat, row, key] = mask.strides;
            let begin = |i: usize| {
                let from = mask.offsets[at.head] as isize;
                from + at.repeat as isize * repeat + (at.row + i) as isize * row + at.key as isize * key
            };
            for (i, s) in s.chunks_exact_mut(at.keys).enumerate() {
                let from = begin(i);
                if key == 1 {
                    let mask_row = &mask.data[from as usize..][..at.keys];
                    if mask.keeps {
                        leave_out(s, mask_row)
                    } else {
                        plus(s, mask_row)
                    }
                    continue;
                }
                for (j, s) in s.iter_mut().enumerate() {
                    let value = mask.data[(from + j as isize * key) as usize];
                    if !mask.keeps {
                        *s += value;
                    } else if value == T::ZERO {
                        *s = -T::INFINITY;
                    }
                }
            }
        }
        if self.causal && at.key + at.keys > at.row + 1 {
            for (i, s) in s.chunks_exact_mut(at.keys).enumerate() {
                let seen = (at.row + i + 1).saturating_sub(at.key).min(at.keys);
                s[seen..].fill(-T::INFINITY);
            }
        }
    }

    /// Multiplies the elements of a block by their factors.
    fn drop_out(&self, at: Block, s: &mut [T]) {
        let Some(dropout) = self.dropout else { return };
        for (i, s) in s.chunks_exact_mut(at.keys).enumerate() {
            let row = (at.head * self.repeats + at.repeat) * self.rows + at.row + i;
            let first = (row * self.keys + at.key) as u64;
            for (j, s) in s.iter_mut().enumerate() {
                // A weight that is dropped shows a NaN all the same.
                *s *= T::from_f64(dropout.factor(first + j as u64));
            }
        }
    }

    /// The output of some rows of one head, and what their weights are made with.
    fn block(&self, at: Block, [q, k, v]: [&[T]; 3], s: &mut [T], out: &mut [T], by: &mut [[T; 2]]) {
        let mut max = [-T::INFINITY; ROWS];
        let (mut total, mut factor) = ([T::ZERO; ROWS], [T::ZERO; ROWS]);
        let (max, total, factor) = (&mut max[..at.rows], &mut total[..at.rows], &mut factor[..at.rows]);
        out.fill(T::ZERO);
        for key in (0..self.keys).step_by(KEYS) {
            let keys = self.seen(key, self.keys, at.row + at.rows - 1);
            if keys == 0 {
                break;
            }
            let at = Block { key, keys, ..at };
            let s = &mut s[..at.rows * keys];
            self.scores(at, q, &k[key * self.width..], s);
            soften(s, keys, max, total, factor);
            self.drop_out(at, s);
            if key > 0 {
                rows_times(out, self.depth, factor);
            }
            let v = plain(&v[key * self.depth..], self.depth);
            serial(at.rows, keys, self.depth, plain(s, keys), v, out, true);
        }
        for ((by, factor), (&max, &total)) in by.iter_mut().zip(&mut *factor).zip(max.iter().zip(&*total)) {
            // The weights of a row without a key are e^(−∞)·0.
            *factor = if total == T::ZERO { T::ZERO } else { T::ONE / total };
            *by = [if max == -T::INFINITY { T::ZERO } else { max }, *factor];
        }
        rows_times(out, self.depth, factor);
    }

    /// The output `[heads, repeats, rows, depth]`, and for each row what its scores are shifted by, the largest of them, and
    /// the reciprocal sum of the exponentials; both are 0 for a row without a key.
    pub fn forward(&self, q: &[T], k: &[T], v: &[T], out: &mut [T], by: &mut [[T; 2]]) {
        if out.is_empty() || self.keys == 0 {
            out.fill(T::ZERO);
            return by.fill([T::ZERO; 2]);
        }
        let run = |s: &mut Vec<T>, head: usize, row: usize, out: &mut [T], by: &mut [[T; 2]]| {
            s.resize(ROWS.min(self.rows) * KEYS.min(self.keys), T::ZERO);
            let own = head / self.repeats;
            let at = Block { head: own, repeat: head % self.repeats, row, key: 0, rows: by.len(), keys: 0 };
            let q = &q[(head * self.rows + row) * self.width..];
            let (k, v) = (&k[own * self.keys * self.width..], &v[own * self.keys * self.depth..]);
            self.block(at, [q, k, v], s, out, by);
        };
        let heads = out.chunks_mut(self.rows * self.depth).zip(by.chunks_mut(self.rows)).enumerate();
        let mut tasks: Vec<_> = heads
            .flat_map(|(head, (out, by))| {
                let blocks = out.chunks_mut(ROWS * self.depth).zip(by.chunks_mut(ROWS)).enumerate();
                blocks.map(move |(i, (out, by))| (head, i * ROWS, out, by))
            })
            .collect();
        if self.parallel() && tasks.len() > 1 {
            tasks
                .into_par_iter()
                .for_each_init(Vec::new, |s, (head, row, out, by)| run(s, head, row, out, by));
        } else {
            let mut s = Vec::new();
            tasks.iter_mut().for_each(|(head, row, out, by)| run(&mut s, *head, *row, out, by));
        }
    }
}

#[cfg(test)]
mod tests;
