//! The products whose result is an image: each output is a sum over channels and taps, which the tiles compute for several
//! channels and many places at a time.
//!
//! The transposed product of stride s is s (in each axis) products of stride 1, one for each remainder of the output's places.

use super::lines::{Line, Run, pack, phases, plane, reach, runs, taps};
use super::tiles::{MOST, Tiles};
use super::{Geometry, Shared, share, workers};
use crate::kernels::reduce::pieces;
use crate::kernels::threshold;
use crate::number::Real;
use std::ops::Range;

/// Bytes of a piece of the source: half of a usual second-level cache.
const BLOCK: usize = 1 << 19;
/// Bytes of a cache line.
pub(super) const CACHE_LINE: usize = 64;

/// Some outputs of every image: those of one remainder of the places.
struct Problem {
    lines: [Line; 3],
    /// Pieces along the axis that is cut.
    pieces: usize,
    /// Where its weights are among the packed ones, and how many a panel of rows has.
    weights: usize,
    panel: usize,
}

/// How a product is computed.
pub(super) struct Plan<'a> {
    g: &'a Geometry,
    /// Channels of the source and of the result in a group.
    channels: usize,
    rows: usize,
    /// The steps in the weights from one channel of the source, and of the result, to the next.
    steps: [usize; 2],
    source: [usize; 3],
    result: [usize; 3],
    problems: Vec<Problem>,
    /// Rows of a tile.
    m: usize,
    /// Numbers of packed weights in all, and of scratch for a task.
    weights: usize,
    per: usize,
}

/// The axis that is cut into pieces: the outermost that can be.
fn cut(lines: &[Line; 3]) -> usize {
    lines.iter().position(|line| line.count > 1).unwrap_or(2)
}

/// A length rounded up to an odd number of cache lines, so that channels do not fall on the same places of the cache.
pub(super) fn odd_lines<T>(len: usize) -> usize {
    let per = CACHE_LINE / size_of::<T>();
    (len.div_ceil(per) | 1) * per
}

impl<'a> Plan<'a> {
    pub(super) fn forward<T: Real>(g: &'a Geometry) -> Plan<'a> {
        let lines = g.axes.each_ref().map(|axis| Line::forward(axis, 0..axis.output));
        let taps = g.taps();
        let steps = [taps, g.channels * taps];
        let sizes = [g.each(|axis| axis.input), g.each(|axis| axis.output)];
        Plan::new::<T>(g, [g.channels, g.filters], steps, sizes, vec![lines])
    }

    pub(super) fn transposed<T: Real>(g: &'a Geometry) -> Plan<'a> {
        let lines = g.axes.each_ref().map(|axis| {
            // The remainders that there are: a stride may be longer than the axis.
            let few = axis.input.min(axis.stride);
            let phase = |i: usize| (i as isize + axis.before).rem_euclid(axis.stride as isize) as usize;
            (0..few).filter_map(|i| Line::transposed(axis, phase(i))).collect::<Vec<_>>()
        });
        let mut problems = Vec::new();
        for d in &lines[0] {
            for h in &lines[1] {
                problems.extend(lines[2].iter().map(|w| [d.clone(), h.clone(), w.clone()]));
            }
        }
        let taps = g.taps();
        let steps = [g.channels * taps, taps];
        let sizes = [g.each(|axis| axis.output), g.each(|axis| axis.input)];
        Plan::new::<T>(g, [g.filters, g.channels], steps, sizes, problems)
    }

    fn new<T: Real>(
        g: &'a Geometry,
        [channels, rows]: [usize; 2],
        steps: [usize; 2],
        [source, result]: [[usize; 3]; 2],
        problems: Vec<[Line; 3]>,
    ) -> Plan<'a> {
        let m = Tiles::<T>::best().rows(rows);
        let panels = rows.div_ceil(m);
        let mut plan =
            Plan { g, channels, rows, steps, source, result, problems: vec![], m, weights: 0, per: 0 };
        // A few tasks for each thread, even if there are few images: the bits do not depend on the pieces.
        let tasks = g.batch * g.groups * problems.len();
        let least =
            if threshold::split(g.cost()) { (2 * rayon::current_num_threads()).div_ceil(tasks) } else { 1 };
        for lines in problems {
            let axis = cut(&lines);
            let line = &lines[axis];
            let one = channels * phases(&lines) * plane(&lines) / line.extent * size_of::<T>();
            let fit = (BLOCK / one.max(1)).saturating_sub(line.extent - line.count).max(1);
            let pieces = line.count.div_ceil(fit).max(least).min(line.count);
            let panel = channels * lines.iter().map(|line| line.taps.len()).product::<usize>() * m;
            let problem = Problem { lines, pieces, weights: plan.weights, panel };
            plan.per = plan.per.max(plan.stored::<T>(&problem.part(problem.range(0))).1);
            plan.weights += g.groups * panels * panel;
            plan.problems.push(problem);
        }
        plan.weights = plan.weights.next_multiple_of(CACHE_LINE / size_of::<T>());
        plan
    }

    /// Numbers from one channel of a piece to the next, and in all.
    fn stored<T>(&self, lines: &[Line; 3]) -> (usize, usize) {
        let channel = odd_lines::<T>(phases(lines) * plane(lines));
        // Tiles read on past the end, into what is then dropped.
        (channel, self.channels * channel + MOST)
    }

    fn tasks(&self) -> usize {
        let pieces: usize = self.problems.iter().map(|problem| problem.pieces).sum();
        pieces * self.g.batch * self.g.groups
    }

    pub(super) fn scratch(&self) -> usize {
        self.weights + workers(self.tasks(), self.g.cost()) * self.per
    }

    pub(super) fn run<T: Real>(
        &self,
        [source, w]: [&[T]; 2],
        bias: Option<&[T]>,
        out: &mut [T],
        scratch: &mut [T],
    ) {
        let (weights, scratch) = scratch.split_at_mut(self.weights);
        for problem in &self.problems {
            self.pack_weights(problem, w, weights);
        }
        let (weights, out) = (&*weights, Shared::new(out));
        let pieces: Vec<(&Problem, Range<usize>)> = self
            .problems
            .iter()
            .flat_map(|problem| (0..problem.pieces).map(move |i| (problem, problem.range(i))))
            .collect();
        share(self.tasks(), scratch, self.per, |task, scratch| {
            let (image, piece) = (task / pieces.len(), &pieces[task % pieces.len()]);
            let group = image % self.g.groups;
            let panels = &weights[piece.0.weights..][group * self.rows.div_ceil(self.m) * piece.0.panel..];
            let bias = bias.map(|bias| &bias[group * self.rows..][..self.rows]);
            self.piece(piece.0, piece.0.part(piece.1.clone()), image, (source, panels, bias), &out, scratch);
        });
    }

    /// The weights in the order in which the tiles read them: for each panel of rows, channel and tap, a number for each row.
    fn pack_weights<T: Real>(&self, problem: &Problem, w: &[T], out: &mut [T]) {
        let numbers: Vec<usize> =
            taps(&problem.lines, self.g.each(|axis| axis.kernel), 0).iter().map(|tap| tap.0).collect();
        if problem.panel == 0 {
            return;
        }
        let panels = self.rows.div_ceil(self.m);
        let out = &mut out[problem.weights..][..self.g.groups * panels * problem.panel];
        let parallel = threshold::split(out.len());
        let group = w.len() / self.g.groups;
        pieces(out, problem.panel, parallel, |at, out| {
            let (from, first) = (at / problem.panel / panels * group, at / problem.panel % panels * self.m);
            let rows = self.m.min(self.rows - first);
            let mut columns = out.chunks_exact_mut(self.m);
            for channel in 0..self.channels {
                let from = from + channel * self.steps[0] + first * self.steps[1];
                for (tap, column) in numbers.iter().zip(&mut columns) {
                    column[rows..].fill(T::ZERO);
                    for (row, out) in column[..rows].iter_mut().enumerate() {
                        *out = w[from + tap + row * self.steps[1]];
                    }
                }
            }
        });
    }

    /// One piece of one group of one image.
    fn piece<T: Real>(
        &self,
        problem: &Problem,
        lines: [Line; 3],
        image: usize,
        (source, panels, bias): (&[T], &[T], Option<&[T]>),
        out: &Shared<T>,
        scratch: &mut [T],
    ) {
        let (between, (channel, len)) = (plane(&lines), self.stored::<T>(&lines));
        let scratch = &mut scratch[..len];
        let area: usize = self.source.iter().product();
        let mut offsets = Vec::new();
        if problem.panel > 0 {
            let at = taps(&lines, self.g.each(|axis| axis.kernel), between);
            for c in 0..self.channels {
                let source = &source[(image * self.channels + c) * area..][..area];
                pack(&lines, source, self.source, between, &mut scratch[c * channel..]);
                offsets.extend(at.iter().map(|tap| c * channel + tap.1));
            }
        }
        let (tiles, m, area) = (Tiles::<T>::best(), self.m, self.result.iter().product::<usize>());
        let (wide, wide_loop, narrow_loop) = tiles.correlate[m - 1];
        let (x, reach) = (&*scratch, reach(&lines));
        let furthest = offsets.iter().max().copied().unwrap_or(0);
        assert!(furthest + reach + wide * tiles.lanes <= x.len() && m * wide * tiles.lanes <= MOST);
        let (mut tile, mut here) = ([T::ZERO; MOST], Vec::<Run>::new());
        let mut at = 0;
        while at < reach {
            let registers = (reach - at).div_ceil(tiles.lanes);
            let (width, run) = if 2 * registers > wide { (wide, wide_loop) } else { (1, narrow_loop) };
            let width = width * tiles.lanes;
            runs(&lines, self.result, at..reach.min(at + width), &mut here);
            let rows = if here.is_empty() { 0 } else { self.rows };
            for first in (0..rows).step_by(m) {
                let rows = m.min(self.rows - first);
                let mut start = [T::ZERO; 8];
                if let Some(bias) = bias {
                    start[..rows].copy_from_slice(&bias[first..first + rows]);
                }
                let a = &panels[first / m * problem.panel..][..problem.panel];
                // SAFETY: `best` gives loops for this processor. The panel has m numbers for each offset, and `start` at
                // least m; the tile has room for m rows, and from the furthest offset on there are as many numbers as
                // columns, as asserted above.
                unsafe { run(a, &x[at..], &offsets, &start, &mut tile) };
                for (row, tile) in tile.chunks_exact(width).take(rows).enumerate() {
                    let to = (image * self.rows + first + row) * area;
                    for run in &here {
                        // SAFETY: the outputs of this piece, remainder and image are this task's alone.
                        unsafe { out.write(to + run.to, lines[2].step, &tile[run.from..][..run.len]) };
                    }
                }
            }
            at += width;
        }
    }
}

impl Problem {
    /// The outputs of a piece along the axis that is cut; the first piece is the largest.
    fn range(&self, piece: usize) -> Range<usize> {
        let count = self.lines[cut(&self.lines)].count;
        let each = count.div_ceil(self.pieces.max(1));
        (piece * each).min(count)..((piece + 1) * each).min(count)
    }

    fn part(&self, range: Range<usize>) -> [Line; 3] {
        let (axis, mut lines) = (cut(&self.lines), self.lines.clone());
        lines[axis] = lines[axis].part(range);
        lines
    }
}
