//! Elements read from, written to and added at places that indices name.

use super::{reduce::pieces, threshold};

/// Elements in one piece of a copy split among threads.
const PIECE: usize = 1 << 14;
/// Runs shorter than this are copied by a loop: a call would cost more.
const SHORT: usize = 16;

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

/// `out[o, k, i] = x[o, index, i]`.
pub fn pick<E: Copy + Send + Sync>(x: &[E], index: &[i64], layout: Layout, out: &mut [E]) {
    let Layout { outer, n, count, inner, each } = layout;
    debug_assert!(x.len() == outer * n * inner && out.len() == outer * count * inner);
    if out.is_empty() {
        return;
    }
    let parallel = threshold::split(size_of_val(out) / 4);
    pieces(out, (PIECE / inner).max(1) * inner, parallel, |at, out| {
        let (mut row, mut rest) = (at / inner, out);
        while !rest.is_empty() {
            let (o, k) = (row / count, row % count);
            let here = (count - k).min(rest.len() / inner);
            let (out, after) = std::mem::take(&mut rest).split_at_mut(here * inner);
            (row, rest) = (row + here, after);
            let x = &x[o * n * inner..][..n * inner];
            if inner == 1 {
                for (out, &i) in out.iter_mut().zip(&layout.of(o, index)[k..]) {
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
    pieces(out, (PIECE / line).max(1) * line, parallel, |at, out| {
        for (o, out) in (at / line..).zip(out.chunks_exact_mut(line)) {
            let (piece, index) = (&piece[o * per..][..per], layout.of(o, index));
            pieces(out, rows * inner, parallel, |from, out| {
                let (first, rows) = (from / inner, out.len() / inner);
                let own = |i: i64| Some((i as usize).wrapping_sub(first)).filter(|&row| row < rows);
                if inner == 1 {
                    for (&x, &i) in piece.iter().zip(index) {
                        if let Some(row) = own(i) {
                            f(&mut out[row], x);
                        }
                    }
                } else if each {
                    for (piece, index) in piece.chunks_exact(inner).zip(index.chunks_exact(inner)) {
                        for (i, (&x, &at)) in piece.iter().zip(index).enumerate() {
                            if let Some(row) = own(at) {
                                f(&mut out[row * inner + i], x);
                            }
                        }
                    }
                } else {
                    for (piece, &i) in piece.chunks_exact(inner).zip(index) {
                        if let Some(row) = own(i) {
                            let out = &mut out[row * inner..][..inner];
                            out.iter_mut().zip(piece).for_each(|(out, &x)| f(out, x));
                        }
                    }
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
            (30_000, 3, 2, 2),
            (4, 0, 0, 3),
            (2, 3, 0, 2),
            (0, 3, 2, 2),
        ];
        for (outer, n, count, inner) in cases {
            for each in [false, true] {
                let layout = Layout { outer, n, count, inner, each };
                let many = if each { outer * count * inner } else { count };
                let index: Vec<i64> = (0..many).map(|i| (i * 7919 % 101 % n.max(1)) as i64).collect();
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
