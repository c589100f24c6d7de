//! Strided views made contiguous.

use super::{reduce::pieces, threshold};
use smallvec::SmallVec;

/// Side of the square tiles in which two axes change places: a cache line of `f32` either way.
const TILE: usize = 16;
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
/// axis and the last one: both sides then move whole cache lines.
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
    let middle: usize = between.iter().map(|axis| axis.0).product();
    let row_length = middle * columns;
    let bands = rows.div_ceil(TILE);
    // One band is TILE consecutive rows of the output: a piece of it, but for the last band of a slab.
    let copy_band = |slab_offset: usize, first: usize, out: &mut [E]| {
        let height = out.len() / row_length;
        let mut walk = Walk::new(between, slab_offset.wrapping_add_signed(first as isize * row_step), 0);
        for m in 0..middle {
            for left in (0..columns).step_by(TILE) {
                let width = TILE.min(columns - left);
                let corner = walk.offset.wrapping_add_signed(left as isize * column_step);
                let at = m * columns + left;
                copy_tile(data, (corner, row_step, column_step), (height, width), &mut out[at..], row_length);
            }
            walk.advance();
        }
    };
    let slab = rows * row_length;
    let per_piece = (PIECE / slab).max(1);
    pieces(out, per_piece * slab, parallel, |at, out| {
        let mut walk = Walk::new(before, offset, at / slab);
        for out in out.chunks_exact_mut(slab) {
            let split = parallel && bands > 1 && slab >= PIECE;
            pieces(out, TILE * row_length, split, |at, out| copy_band(walk.offset, at / row_length, out));
            walk.advance();
        }
    });
}

/// Copies one tile by way of a buffer that is transposed in the first-level cache.
#[inline(always)]
fn copy_tile<E: Copy>(
    data: &[E],
    (corner, row_step, column_step): (usize, isize, isize),
    (height, width): (usize, usize),
    out: &mut [E],
    row_length: usize,
) {
    if height < TILE || width < TILE || row_step != 1 {
        for i in 0..height {
            let from = corner.wrapping_add_signed(i as isize * row_step);
            copy_run(data, from, column_step, &mut out[i * row_length..][..width]);
        }
        return;
    }
    let mut tile = [[data[corner]; TILE]; TILE];
    for (j, line) in tile.iter_mut().enumerate() {
        let from = corner.wrapping_add_signed(j as isize * column_step);
        line.copy_from_slice(&data[from..][..TILE]);
    }
    for (i, row) in out.chunks_mut(row_length).take(TILE).enumerate() {
        for (o, line) in row[..TILE].iter_mut().zip(&tile) {
            *o = line[i];
        }
    }
}

#[cfg(test)]
mod tests;
