//! Strided views made contiguous.

use super::{reduce::pieces, threshold};
use smallvec::SmallVec;
use std::ops::Range;

/// Side of the square tiles in which two axes change places: a few cache lines either way.
const SIDE: usize = 64;
/// Side of the blocks of a tile that are transposed in registers.
const BLOCK: usize = 4;
/// Rows of the output below which threads share its columns.
const FEW: usize = 4 * SIDE;
/// Columns in one such share.
const STRIP: usize = 1 << 12;
/// Elements in one piece of a copy split among threads.
const PIECE: usize = 1 << 14;

/// An axis: its length, and the step between its elements.
type Axis = (usize, isize);
type Axes = SmallVec<[Axis; 8]>;

/// Copies a strided view into row-major order.
///
/// # Panics
/// If the view reaches outside of `data`, or `out` has another number of elements.
pub fn copy_strided<E: Copy + Send + Sync>(
    shape: &[usize],
    data: &[E],
    offset: usize,
    strides: &[isize],
    out: &mut [E],
) {
    assert_eq!(shape.len(), strides.len(), "one stride for each axis");
    let elements = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
    assert!(
        elements == Some(out.len()) || shape.contains(&0) && out.is_empty(),
        "the output has as many elements as the view"
    );
    if out.is_empty() {
        return;
    }
    let axes: Axes = shape.iter().copied().zip(strides.iter().copied()).collect();
    assert!(within(&axes, offset, data.len()), "the view lies within its data");
    let axes = coalesce(&axes);
    let Some((&(n, stride), rest)) = axes.split_last() else {
        return out.fill(data[offset]);
    };
    let parallel = threshold::split(size_of_val(out) / 8);
    let swapped = rest.iter().rposition(|axis| axis.1.abs() == 1);
    if stride != 0
        && stride != 1
        && let Some(fast) = swapped
    {
        return tiled(&axes, fast, data, offset, parallel, out);
    }
    pieces(out, (PIECE / n).max(1) * n, parallel, |at, out| {
        let mut walk = Walk::new(rest, offset, at / n);
        for run in out.chunks_exact_mut(n) {
            copy_run(data, walk.offset, stride, run);
            walk.advance();
        }
    });
}

/// Whether every element of a view lies in `0..len`. No axis is empty.
pub(super) fn within(axes: &[Axis], offset: usize, len: usize) -> bool {
    let reach = || {
        let (mut low, mut high) = (isize::try_from(offset).ok()?, isize::try_from(offset).ok()?);
        for &(n, stride) in axes {
            let reach = isize::try_from(n - 1).ok()?.checked_mul(stride)?;
            low = low.checked_add(reach.min(0))?;
            high = high.checked_add(reach.max(0))?;
        }
        Some(low >= 0 && (high as usize) < len)
    };
    reach().unwrap_or(false)
}

/// Drops axes of length 1 and merges neighbours that one step walks through.
fn coalesce(axes: &[Axis]) -> Axes {
    let mut merged = Axes::new();
    for &(n, stride) in axes.iter().filter(|axis| axis.0 != 1) {
        match merged.last_mut() {
            Some(last) if last.1 == stride * n as isize => *last = (last.0 * n, stride),
            _ => merged.push((n, stride)),
        }
    }
    merged
}

/// The offsets of a view's elements in row-major order.
struct Walk<'a> {
    axes: &'a [Axis],
    index: SmallVec<[usize; 8]>,
    offset: usize,
}

impl<'a> Walk<'a> {
    /// Begins at element number `at`.
    fn new(axes: &'a [Axis], offset: usize, mut at: usize) -> Self {
        let mut walk = Self { axes, index: SmallVec::from_elem(0, axes.len()), offset };
        for (i, &(n, stride)) in walk.index.iter_mut().zip(axes).rev() {
            *i = at % n;
            at /= n;
            walk.offset = walk.offset.wrapping_add_signed(*i as isize * stride);
        }
        walk
    }

    fn advance(&mut self) {
        for (i, &(n, stride)) in self.index.iter_mut().zip(self.axes).rev() {
            *i += 1;
            if *i < n {
                self.offset = self.offset.wrapping_add_signed(stride);
                return;
            }
            self.offset = self.offset.wrapping_add_signed(-(stride * (n as isize - 1)));
            *i = 0;
        }
    }
}

/// Copies one run of the last axis.
#[inline]
fn copy_run<E: Copy>(data: &[E], offset: usize, stride: isize, run: &mut [E]) {
    match stride {
        1 => run.copy_from_slice(&data[offset..][..run.len()]),
        0 => run.fill(data[offset]),
        -1 => {
            let from = &data[offset + 1 - run.len()..=offset];
            run.iter_mut().zip(from.iter().rev()).for_each(|(o, &v)| *o = v);
        }
        2.. => run.iter_mut().zip(data[offset..].iter().step_by(stride as usize)).for_each(|(o, &v)| *o = v),
        _ => {
            for (j, o) in run.iter_mut().enumerate() {
                *o = data[offset.wrapping_add_signed(j as isize * stride)];
            }
        }
    }
}

/// Copies a view whose axis `fast`, not the last, walks through memory by single steps, in square tiles over that
/// axis and the last one: both sides then move whole cache lines, and several of a page at a time.
fn tiled<E: Copy + Send + Sync>(
    axes: &[Axis],
    fast: usize,
    data: &[E],
    offset: usize,
    parallel: bool,
    out: &mut [E],
) {
    let (before, (rows, row_step), between) = (&axes[..fast], axes[fast], &axes[fast + 1..axes.len() - 1]);
    let (columns, column_step) = axes[axes.len() - 1];
    let row_length = between.iter().map(|axis| axis.0).product::<usize>() * columns;
    // Few columns are strips of the input far apart: of each a longer piece at a time.
    let tall = if columns <= SIDE / 4 { 4 * SIDE } else { SIDE };
    // Pieces of consecutive rows of the output, from row `first` of a slab and position `from` of each row on.
    let copy_band = |slab: usize, first: usize, from: usize, out: &mut [&mut [E]]| {
        let corner = slab.wrapping_add_signed(first as isize * row_step);
        let mut walk = Walk::new(between, corner, from / columns);
        let (mut at, mut left, length) = (0, from % columns, out[0].len());
        let mut tile = [data[corner]; SIDE * SIDE];
        while at < length {
            let width = (SIDE * SIDE / tall).min(columns - left).min(length - at);
            let corner = walk.offset.wrapping_add_signed(left as isize * column_step);
            copy_tile(data, (corner, row_step, column_step), (&mut tile, tall), at..at + width, out);
            (at, left) = (at + width, left + width);
            if left == columns {
                left = 0;
                walk.advance();
            }
        }
    };
    let slab = rows * row_length;
    let split = parallel && slab >= PIECE;
    pieces(out, (PIECE / slab).max(1) * slab, parallel, |at, out| {
        let mut walk = Walk::new(before, offset, at / slab);
        for out in out.chunks_exact_mut(slab) {
            let corner = walk.offset;
            if split && rows <= FEW {
                let mut strips: Vec<Vec<&mut [E]>> = Vec::new();
                strips.resize_with(row_length.div_ceil(STRIP), || Vec::with_capacity(rows));
                for row in out.chunks_exact_mut(row_length) {
                    strips.iter_mut().zip(row.chunks_mut(STRIP)).for_each(|(strip, piece)| strip.push(piece));
                }
                pieces(&mut strips, 1, true, |i, strip| {
                    for (band, out) in strip[0].chunks_mut(tall).enumerate() {
                        copy_band(corner, band * tall, i * STRIP, out);
                    }
                });
            } else {
                pieces(out, tall * row_length, split, |at, out| {
                    let mut rows: SmallVec<[&mut [E]; SIDE]> = out.chunks_exact_mut(row_length).collect();
                    copy_band(corner, at / row_length, 0, &mut rows);
                });
            }
            walk.advance();
        }
    });
}

/// Copies one tile to the columns `to` of `out`, by way of a buffer that is transposed in the first-level cache.
#[inline(always)]
fn copy_tile<E: Copy>(
    data: &[E],
    (corner, row_step, column_step): (usize, isize, isize),
    (tile, tall): (&mut [E; SIDE * SIDE], usize),
    to: Range<usize>,
    out: &mut [&mut [E]],
) {
    let height = out.len();
    if row_step != 1 {
        for (i, out) in out.iter_mut().enumerate() {
            copy_run(
                data,
                corner.wrapping_add_signed(i as isize * row_step),
                column_step,
                &mut out[to.clone()],
            );
        }
        return;
    }
    for (j, line) in tile.chunks_exact_mut(tall).take(to.len()).enumerate() {
        let from = corner.wrapping_add_signed(j as isize * column_step);
        line[..height].copy_from_slice(&data[from..][..height]);
    }
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let whole = to.len() / BLOCK * BLOCK;
    for (b, [r0, r1, r2, r3]) in blocks.iter_mut().enumerate() {
        let tile = &tile[b * BLOCK..];
        let mut rows = [&mut r0[to.clone()], &mut r1[to.clone()], &mut r2[to.clone()], &mut r3[to.clone()]];
        turn(tile, tall, whole, &mut rows);
        for (a, row) in rows.iter_mut().enumerate() {
            for (j, out) in row.iter_mut().enumerate().skip(whole) {
                *out = tile[j * tall + a];
            }
        }
    }
    let first = height - rest.len();
    for (a, row) in rest.iter_mut().enumerate() {
        for (j, out) in row[to.clone()].iter_mut().enumerate() {
            *out = tile[j * tall + first + a];
        }
    }
}

/// Transposes the first `BLOCK` elements of `whole` lines, `tall` apart, into rows.
#[inline(always)]
fn turn<E: Copy>(tile: &[E], tall: usize, whole: usize, rows: &mut [&mut [E]; BLOCK]) {
    assert!(whole.is_multiple_of(BLOCK) && rows.iter().all(|row| row.len() >= whole));
    assert!(whole == 0 || tile.len() >= (whole - 1) * tall + BLOCK);
    let rows = rows.each_mut().map(|row| row.as_mut_ptr());
    for j in (0..whole).step_by(BLOCK) {
        // SAFETY: the lines `j` to `j + 3` have four elements each, and the rows four from `j` on, as asserted above.
        // Neither need be aligned. Every x86-64 has the instructions; what they write are elements that they read.
        unsafe {
            let lines = [0, 1, 2, 3].map(|i| tile.as_ptr().add((j + i) * tall).cast::<[E; BLOCK]>());
            let to = rows.map(|row| row.add(j).cast::<[E; BLOCK]>());
            #[cfg(target_arch = "x86_64")]
            if size_of::<E>() == 4 {
                use std::arch::x86_64::*;
                let [a, b, c, d] = lines.map(|line| _mm_loadu_si128(line.cast()));
                let (low, high) = (_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
                let (low_2, high_2) = (_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
                _mm_storeu_si128(to[0].cast(), _mm_unpacklo_epi64(low, low_2));
                _mm_storeu_si128(to[1].cast(), _mm_unpackhi_epi64(low, low_2));
                _mm_storeu_si128(to[2].cast(), _mm_unpacklo_epi64(high, high_2));
                _mm_storeu_si128(to[3].cast(), _mm_unpackhi_epi64(high, high_2));
                continue;
            }
            let [a, b, c, d] = lines.map(|line| line.read());
            for (i, to) in to.into_iter().enumerate() {
                to.write([a[i], b[i], c[i], d[i]]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
