//! The product whose result is the weights: each is an inner product of two images, over the whole batch.
//!
//! The batch is taken in units: some rows of one image, or several small images, stored so that both sides of every inner
//! product are runs of consecutive numbers; what lies between the rows of y is zero. Units are gathered in chunks, whose
//! results are added up in their order, so the bits do not depend on the number of threads.

use super::correlate::odd_lines;
use super::lines::{Line, pack, phases, plane, reach, runs, taps};
use super::tiles::{MOST, Tiles};
use super::{Geometry, Shared, share, workers};
use crate::kernels::reduce::pieces;
use crate::kernels::threshold;
use crate::number::Real;
use std::ops::Range;

/// Bytes of one row of a unit: a few of them fit in the first-level cache.
const ROW: usize = 1 << 13;
/// Bytes of the part of x that is stored at a time: half of a usual second-level cache.
const BLOCK: usize = 1 << 19;
/// Tasks to aim at.
const TASKS: usize = 16;
/// Elements of all partial results together.
const PARTIAL: usize = 1 << 20;
/// Filters of a task, at least.
const FILTERS: usize = 16;

pub(super) struct Plan<'a> {
    g: &'a Geometry,
    lines: [Line; 3],
    /// The axis along which images are cut, and outputs of a piece.
    axis: usize,
    rows: usize,
    /// Images and pieces of a unit.
    images: usize,
    pieces: usize,
    chunks: usize,
    /// Filters of a task, and channels of x stored at a time.
    filters: usize,
    channels: usize,
    /// Numbers from one phase, one channel of x, and one of y to the next.
    phase: usize,
    channel: usize,
    filter: usize,
    taps: usize,
}

impl<'a> Plan<'a> {
    pub(super) fn new<T: Real>(g: &'a Geometry) -> Plan<'a> {
        let lines = g.axes.each_ref().map(|axis| Line::forward(axis, 0..axis.output));
        let axis = lines.iter().position(|line| line.count > 1).unwrap_or(2);
        let limit = ROW / size_of::<T>();
        let line = &lines[axis];
        let inner = plane(&lines) / line.extent;
        let fit = (limit / inner).saturating_sub(line.extent - line.count).clamp(1, line.count);
        let pieces = line.count.div_ceil(fit);
        let rows = line.count.div_ceil(pieces);
        let part = inner * (line.extent - line.count + rows);
        let images = if pieces == 1 { (limit / part).clamp(1, g.batch) } else { 1 };
        let units = g.batch.div_ceil(images) * pieces;
        let taps = g.taps();
        let size = g.groups * g.filters * g.channels * taps;
        let chunks = TASKS.min(units).min((PARTIAL / size).max(1));
        let split = TASKS.div_ceil(chunks * g.groups).min(g.filters.div_ceil(FILTERS));
        let filters = g.filters.div_ceil(split);
        let phase = images * part;
        let channel = odd_lines::<T>(phase * phases(&lines));
        let channels = (BLOCK / size_of::<T>() / channel).clamp(1, g.channels);
        let filter = odd_lines::<T>(phase + Tiles::<T>::best().lanes);
        Plan { g, lines, axis, rows, images, pieces, chunks, filters, channels, phase, channel, filter, taps }
    }

    fn size(&self) -> usize {
        self.g.groups * self.g.filters * self.g.channels * self.taps
    }

    fn tasks(&self) -> usize {
        self.chunks * self.g.groups * self.g.filters.div_ceil(self.filters)
    }

    fn partial(&self) -> usize {
        if self.chunks > 1 { self.chunks * self.size() } else { 0 }
    }

    fn per(&self) -> usize {
        self.filters * self.filter + self.channels * self.channel + MOST
    }

    pub(super) fn scratch(&self) -> usize {
        self.partial() + workers(self.tasks(), self.g.cost()) * self.per()
    }

    pub(super) fn run<T: Real>(&self, [x, y]: [&[T]; 2], out: &mut [T], scratch: &mut [T]) {
        let size = self.size();
        let (partial, scratch) = scratch.split_at_mut(self.partial());
        let results = Shared::new(if self.chunks > 1 { &mut *partial } else { &mut *out });
        let split = self.g.filters.div_ceil(self.filters);
        share(self.tasks(), scratch, self.per(), |task, scratch| {
            let (chunk, group, block) =
                (task / split / self.g.groups, task / split % self.g.groups, task % split);
            let first = (block * self.filters).min(self.g.filters);
            let filters = first..(first + self.filters).min(self.g.filters);
            let row = self.g.channels * self.taps;
            let at = (chunk * self.g.groups + group) * self.g.filters + first;
            // SAFETY: the rows of these filters in this group and chunk are this task's alone.
            let result = unsafe { results.piece(at * row, filters.len() * row) };
            self.task([x, y], chunk, group, filters, result, scratch);
        });
        if self.chunks > 1 {
            let parallel = threshold::split(partial.len() / 4);
            pieces(out, 1 << 12, parallel, |at, out| {
                out.copy_from_slice(&partial[at..][..out.len()]);
                for other in partial.chunks_exact(size).skip(1) {
                    out.iter_mut().zip(&other[at..]).for_each(|(o, &p)| *o += p);
                }
            });
        }
        // The zeros between the rows of y meet numbers of x that they have nothing to do with: 0·∞ is NaN.
        let nan = |data: &[T]| data.iter().any(|v| v.is_nan());
        if nan(out) && !nan(x) && !nan(y) {
            self.directly([x, y], out);
        }
    }

    /// The inner products of some filters over the units of a chunk.
    fn task<T: Real>(
        &self,
        [x, y]: [&[T]; 2],
        chunk: usize,
        group: usize,
        filters: Range<usize>,
        result: &mut [T],
        scratch: &mut [T],
    ) {
        let g = self.g;
        result.fill(T::ZERO);
        let (stored_y, stored_x) = scratch.split_at_mut(self.filters * self.filter);
        // Zeros in y meet whatever lies between and behind the channels of x: it must be finite.
        stored_x[self.channels * self.channel..].fill(T::ZERO);
        let row = g.channels * self.taps;
        let units = g.batch.div_ceil(self.images) * self.pieces;
        let (inputs, outputs) = (g.inputs(), g.outputs());
        let mut here = Vec::new();
        for unit in units * chunk / self.chunks..units * (chunk + 1) / self.chunks {
            let first = unit / self.pieces * self.images;
            let images = first..(first + self.images).min(g.batch);
            let from = unit % self.pieces * self.rows;
            let mut lines = self.lines.clone();
            let count = lines[self.axis].count;
            if from >= count {
                continue;
            }
            lines[self.axis] = lines[self.axis].part(from..(from + self.rows).min(count));
            let (part, last) = (plane(&lines), reach(&lines));
            runs(&lines, g.each(|axis| axis.output), 0..last, &mut here);
            for (filter, out) in filters.clone().zip(stored_y.chunks_exact_mut(self.filter)) {
                out.fill(T::ZERO);
                for (i, image) in images.clone().enumerate() {
                    let source = &y[((image * g.groups + group) * g.filters + filter) * outputs..][..outputs];
                    for run in &here {
                        out[i * part + run.from..][..run.len].copy_from_slice(&source[run.to..][..run.len]);
                    }
                }
            }
            let reach = (images.len() - 1) * part + last;
            let at = taps(&lines, g.each(|axis| axis.kernel), self.phase);
            for c in (0..g.channels).step_by(self.channels) {
                let channels = c..(c + self.channels).min(g.channels);
                for (channel, out) in channels.clone().zip(stored_x.chunks_exact_mut(self.channel)) {
                    for gap in out.chunks_mut(self.phase) {
                        let stored = (images.len() * part).min(gap.len());
                        gap[stored..].fill(T::ZERO);
                    }
                    out[self.phase * phases(&self.lines)..].fill(T::ZERO);
                    for (i, image) in images.clone().enumerate() {
                        let source =
                            &x[((image * g.groups + group) * g.channels + channel) * inputs..][..inputs];
                        pack(&lines, source, g.each(|axis| axis.input), self.phase, &mut out[i * part..]);
                    }
                }
                let columns: Vec<usize> = (0..channels.len())
                    .flat_map(|i| at.iter().map(move |tap| i * self.channel + tap.1))
                    .collect();
                let result = &mut result[c * self.taps..];
                self.products(reach, stored_y, filters.len(), stored_x, &columns, row, result);
            }
        }
    }

    /// Adds the inner products of rows of y with columns of x, each of some length.
    #[allow(clippy::too_many_arguments)]
    fn products<T: Real>(
        &self,
        reach: usize,
        y: &[T],
        filters: usize,
        x: &[T],
        columns: &[usize],
        row: usize,
        result: &mut [T],
    ) {
        let tiles = Tiles::<T>::best();
        let steps = reach.div_ceil(tiles.lanes);
        let pick = tiles.inner.iter().find(|tile| tile.0 <= filters);
        let &(m, n, run) = pick.unwrap_or(&tiles.inner[tiles.inner.len() - 1]);
        let furthest = columns.iter().max().copied().unwrap_or(0);
        assert!(filters * self.filter <= y.len() && steps * tiles.lanes <= self.filter);
        assert!(furthest + steps * tiles.lanes <= x.len() && m * n <= MOST);
        let mut sums = [T::ZERO; MOST];
        for first in (0..filters).step_by(m) {
            // Rows and columns that are not there are others once more, and dropped.
            let rows: [usize; 8] = std::array::from_fn(|i| (first + i).min(filters - 1) * self.filter);
            for (at, columns) in columns.chunks(n).enumerate() {
                let places: [usize; 16] = std::array::from_fn(|i| columns[i.min(columns.len() - 1)]);
                // SAFETY: `best` gives loops for this processor, for at most 8 rows and 16 columns, and there is room for
                // their sums; from each place on there are as many registers of numbers, as asserted above.
                unsafe { run(steps, y, &rows, x, &places, &mut sums) };
                for i in 0..m.min(filters - first) {
                    let result = &mut result[(first + i) * row + at * n..][..columns.len()];
                    result.iter_mut().zip(&sums[i * n..]).for_each(|(r, &s)| *r += s);
                }
            }
        }
    }

    /// By the definition, one number at a time.
    fn directly<T: Real>(&self, [x, y]: [&[T]; 2], out: &mut [T]) {
        let g = self.g;
        let (inputs, outputs) = (g.inputs(), g.outputs());
        let [size, kernel, counts] =
            [g.each(|axis| axis.input), g.each(|axis| axis.kernel), g.each(|axis| axis.output)];
        let split = |at: usize, of: [usize; 3]| [at / of[2] / of[1], at / of[2] % of[1], at % of[2]];
        for (at, out) in out.iter_mut().enumerate() {
            let (tap, channel, filter) =
                (split(at % self.taps, kernel), at / self.taps % g.channels, at / self.taps / g.channels);
            let group = filter / g.filters;
            *out = T::ZERO;
            for image in 0..g.batch {
                let x = &x[((image * g.groups + group) * g.channels + channel) * inputs..][..inputs];
                let y = &y[(image * g.groups * g.filters + filter) * outputs..][..outputs];
                for (j, &y) in y.iter().enumerate() {
                    let output = split(j, counts);
                    let place = |i: usize| {
                        let axis = &g.axes[i];
                        let place = (output[i] * axis.stride + tap[i] * axis.dilation) as isize - axis.before;
                        usize::try_from(place).ok().filter(|&place| place < axis.input)
                    };
                    let place = place(0).zip(place(1)).zip(place(2));
                    let x = place.map_or(T::ZERO, |((a, b), c)| x[(a * size[1] + b) * size[2] + c]);
                    *out += x * y;
                }
            }
        }
    }
}
