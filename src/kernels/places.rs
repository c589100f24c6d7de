//! Elements read from, written to and added at places that indices name.

use super::{reduce::pieces, threshold};

/// Elements in one piece of a copy split among threads.
const PIECE: usize = 1 << 14;
/// Runs shorter than this are copied by a loop: a call would cost more.
const SHORT: usize = 16;
/// Bytes that stay in the cache while places in them are visited in any order.
const CACHE: usize = 1 << 19;
/// Places that are looked through at a time for those that a thread writes to.
const BATCH: usize = 256;

/// Places along the middle axis of a row-major `[outer, n, inner]`, `count` of them for each of `outer`.
///
/// `each` has one index for each element of `[outer, count, inner]`; else there is one for each of `count`, and whole
/// runs of `inner` move. All indices are in `0..n`.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub outer: usize,
    pub n: usize,
    pub count: usize,
    pub inner: usize,
    pub each: bool,
}

impl Layout {
    /// The indices of number `o` of `outer`.
    fn of<'a>(&self, o: usize, index: &'a [i64]) -> &'a [i64] {
        let per = self.count * self.inner;
        if self.each { &index[o * per..][..per] } else { index }
    }
}

/// The smallest and the largest of some indices; 0 and 0 of none.
pub fn extent(index: &[i64]) -> (i64, i64) {
    let first = index.first().copied().unwrap_or(0);
    index.iter().fold((first, first), |(low, high), &i| (low.min(i), high.max(i)))
}

/// Asks for the memory of an element that will be needed, if there is one.
#[inline(always)]
pub(super) fn prefetch<E>(x: &[E], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(x) = x.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, which changes nothing that a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(x).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (x, at);
}

/// `out[o, k, i] = x[o, index, i]`.
pub fn pick<E: Copy + Send + Sync>(x: &[E], index: &[i64], layout: Layout, out: &mut [E]) {
    let Layout { outer, n, count, inner, each } = layout;
    debug_assert!(x.len() == outer * n * inner && out.len() == outer * count * inner);
    if out.is_empty() {
        return;
    }
    let parallel = threshold::split(size_of_val(out) / 4);
    // Indices that serve many slices, in half the memory.
    let narrow: Vec<u32> = match !each && inner == 1 && outer > SHORT && u32::try_from(n).is_ok() {
        true => index.iter().map(|&i| i as u32).collect(),
        false => Vec::new(),
    };
    pieces(out, (PIECE / inner).max(1) * inner, parallel, |at, out| {
        let (mut row, mut rest) = (at / inner, out);
        while !rest.is_empty() {
            let (o, k) = (row / count, row % count);
            let here = (count - k).min(rest.len() / inner);
            let (out, after) = std::mem::take(&mut rest).split_at_mut(here * inner);
            (row, rest) = (row + here, after);
            let x = &x[o * n * inner..][..n * inner];
            if !narrow.is_empty() {
                for (out, &i) in out.iter_mut().zip(&narrow[k..]) {
                    *out = x[i as usize];
                }
            } else if inner == 1 {
                let index = &layout.of(o, index)[k..];
                for (out, &i) in out.iter_mut().zip(index) {
                    *out = x[i as usize];
                }
            } else if each {
                let index = layout.of(o, index)[k * inner..].chunks_exact(inner);
                for (out, index) in out.chunks_exact_mut(inner).zip(index) {
                    for (i, (out, &at)) in out.iter_mut().zip(index).enumerate() {
                        *out = x[at as usize * inner + i];
                    }
                }
            } else {
                for (out, &i) in out.chunks_exact_mut(inner).zip(&index[k..]) {
                    let x = &x[i as usize * inner..][..inner];
                    if inner < SHORT {
                        out.iter_mut().zip(x).for_each(|(out, &x)| *out = x);
                    } else {
                        out.copy_from_slice(x);
                    }
                }
            }
        }
    });
}

/// Calls `f` with `out` and, for each index that leads to one of `rows` from `first` on, in order, where in `out` that is
/// and the number of the index. Rows are `inner` apart, and there is an index for each of `columns` in turn.
#[inline(always)]
fn own<E>(
    index: &[i64],
    (first, rows): (usize, usize),
    (inner, columns): (usize, usize),
    out: &mut [E],
    f: impl Fn(&mut [E], usize, usize),
) {
    let (mut found, mut column) = ([(0, 0); BATCH], 0);
    let row = |i: i64| (i as usize).wrapping_sub(first);
    for (batch, index) in index.chunks(BATCH).enumerate() {
        let start = batch * BATCH;
        let many = index.iter().filter(|&&i| row(i) < rows).count();
        if many == 0 {
            column = (column + index.len()) % columns;
            continue;
        }
        let next = |column: usize| if column + 1 == columns { 0 } else { column + 1 };
        if many == index.len() {
            for (k, &i) in (start..).zip(index) {
                f(out, row(i) * inner + column, k);
                column = next(column);
            }
            continue;
        }
        // Without a branch that the processor could not foresee.
        let mut count = 0;
        for (k, &i) in (start..).zip(index) {
            found[count] = (row(i).wrapping_mul(inner).wrapping_add(column), k);
            count += usize::from(row(i) < rows);
            column = next(column);
        }
        found[..count].iter().for_each(|&(at, _)| prefetch(out, at));
        found[..count].iter().for_each(|&(at, k)| f(out, at, k));
    }
}

/// `f(&mut out[o, index, i], piece[o, k, i])` in the order of the pieces for each element of `out`, whatever the number
/// of threads: each thread has elements of its own.
pub fn place<E: Copy + Send + Sync>(
    piece: &[E],
    index: &[i64],
    layout: Layout,
    out: &mut [E],
    f: impl Fn(&mut E, E) + Sync,
) {
    let Layout { outer, n, count, inner, each } = layout;
    debug_assert!(out.len() == outer * n * inner && piece.len() == outer * count * inner);
    if piece.is_empty() || out.is_empty() {
        return;
    }
    let parallel = threshold::split(size_of_val(piece) / 4);
    let (line, per) = (n * inner, count * inner);
    // Few slices are divided among the threads, each of which reads all indices.
    let threads = rayon::current_num_threads();
    let rows = if parallel && outer < 2 * threads { n.div_ceil(threads) } else { n };
    // One index for one run: of one element, or of a row.
    let (each, run) = if inner == 1 { (false, 1) } else { (each, inner) };
    let near = rows == n && size_of_val(&out[..line]) <= CACHE;
    pieces(out, (PIECE / line).max(1) * line, parallel, |at, out| {
        for (o, out) in (at / line..).zip(out.chunks_exact_mut(line)) {
            let (piece, index) = (&piece[o * per..][..per], layout.of(o, index));
            pieces(out, rows * inner, parallel, |from, out| {
                let place = (from / inner, out.len() / inner);
                if each {
                    own(index, place, (inner, inner), out, |out, at, k| f(&mut out[at], piece[k]));
                } else if near && run == 1 {
                    for (&x, &i) in piece.iter().zip(index) {
                        f(&mut out[i as usize], x);
                    }
                } else {
                    own(index, place, (run, 1), out, |out, at, k| {
                        let piece = &piece[k * run..][..run];
                        out[at..][..run].iter_mut().zip(piece).for_each(|(out, &x)| f(out, x));
                    });
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| 1.0 + i as f64).collect()
    }

    #[test]
    fn both_forms_agree_with_indexing() {
        let cases = [
            (1, 5, 7, 1),
            (3, 4, 6, 1),
            (2, 3, 4, 5),
            (2, 3, 4, 20),
            (1, 700, 60_000, 1),
            (1, 60, 3_000, 20),
            (1, 90, 30_001, 3),
            (1, 1000, 50_000, 1),
            (40, 5, 7, 1),
            (2, 70_000, 300, 1),
            (30_000, 3, 2, 2),
            (4, 0, 0, 3),
            (2, 3, 0, 2),
            (0, 3, 2, 2),
        ];
        for (outer, n, count, inner) in cases {
            for (each, ascending) in [(false, false), (true, false), (false, true), (true, true)] {
                let layout = Layout { outer, n, count, inner, each };
                let many = if each { outer * count * inner } else { count };
                let number = |i: usize| if ascending { i * n / many } else { i * 7919 % 1009 % n.max(1) };
                let index: Vec<i64> = (0..many).map(|i| number(i) as i64).collect();
                let at = |o: usize, k: usize, i: usize| {
                    let row = index[if each { (o * count + k) * inner + i } else { k }] as usize;
                    (o * n + row) * inner + i
                };
                let (x, piece) = (numbers(outer * n * inner), numbers(outer * count * inner));
                let mut picked = vec![0.0; piece.len()];
                pick(&x, &index, layout, &mut picked);
                let (mut set, mut added) = (x.clone(), x.clone());
                place(&piece, &index, layout, &mut set, |a, b| *a = b);
                place(&piece, &index, layout, &mut added, |a, b| *a += b);
                let (mut set_one, mut added_one) = (x.clone(), x.clone());
                for o in 0..outer {
                    for k in 0..count {
                        for i in 0..inner {
                            let p = (o * count + k) * inner + i;
                            assert_eq!(picked[p], x[at(o, k, i)]);
                            set_one[at(o, k, i)] = piece[p];
                            added_one[at(o, k, i)] += piece[p];
                        }
                    }
                }
                assert!(set == set_one && added == added_one, "{layout:?}");
            }
        }
    }

    #[test]
    fn the_extent_of_indices() {
        assert_eq!(extent(&[]), (0, 0));
        assert_eq!(extent(&[3, -2, 7, 0]), (-2, 7));
        assert_eq!(extent(&[5]), (5, 5));
    }
}
