//! Pieces of a batch laid out so that every tap of a kernel reads runs of consecutive numbers.
//!
//! Along an axis of stride s the numbers at places of equal remainder by s are a *phase*. A tap reads one phase, from some
//! shift on, one number after the other. With the phases stored as rows of one common length, with zeros for the padding,
//! that holds for whole images: what output number `q` (counted in rows of that length) takes by a tap lies at the tap's
//! offset plus `q`. The numbers between the end of one row of outputs and the next row are computed, too, and dropped.

use super::Axis;
use std::ops::Range;

/// A tap of a kernel along an axis: its number, its phase (as the place in the list of phases), and how far from the phase's
/// beginning its first number lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tap {
    pub(super) number: usize,
    pub(super) phase: usize,
    pub(super) shift: usize,
}

/// Some outputs along one axis, and what they are computed from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// How many outputs.
    pub(super) count: usize,
    /// Where the first output is, and the step to the next.
    pub(super) first: usize,
    pub(super) step: usize,
    /// Numbers of a phase that are stored.
    pub(super) extent: usize,
    /// The place in the source of a phase's first number, the phase aside, and the step to the next.
    start: isize,
    stride: usize,
    pub(super) phases: Vec<usize>,
    pub(super) taps: Vec<Tap>,
}

impl Line {
    /// `y[j] = Σₜ w[t]·x[j·stride + t·dilation − before]`, for some outputs.
    pub(super) fn forward(axis: &Axis, outputs: Range<usize>) -> Line {
        let mut phases: Vec<usize> = (0..axis.kernel).map(|t| t * axis.dilation % axis.stride).collect();
        phases.sort_unstable();
        phases.dedup();
        let tap = |number: usize| {
            let (shift, phase) = (number * axis.dilation / axis.stride, number * axis.dilation % axis.stride);
            Tap { number, phase: phases.binary_search(&phase).expect("listed above"), shift }
        };
        let taps: Vec<Tap> = (0..axis.kernel).map(tap).collect();
        Line {
            count: outputs.len(),
            first: outputs.start,
            step: 1,
            extent: outputs.len() + taps.iter().map(|tap| tap.shift).max().unwrap_or(0),
            start: (outputs.start * axis.stride) as isize - axis.before,
            stride: axis.stride,
            phases,
            taps,
        }
    }

    /// `x[i] = Σ w[t]·y[j]` over the pairs with `i = j·stride + t·dilation − before`, for the places i whose remainder by the
    /// stride is `phase` once the padding is before them: their taps are those of that phase. Nothing if there are no such
    /// places.
    pub(super) fn transposed(axis: &Axis, phase: usize) -> Option<Line> {
        let (s, phase_) = (axis.stride as isize, phase as isize);
        // i = s·a + phase − before, and 0 ≤ i < input.
        let from = (axis.before - phase_ + s - 1).div_euclid(s);
        let until = (axis.input as isize + axis.before - phase_ + s - 1).div_euclid(s);
        if until <= from {
            return None;
        }
        let numbers = (0..axis.kernel).filter(|t| t * axis.dilation % axis.stride == phase);
        let back: Vec<(usize, usize)> = numbers.map(|t| (t, t * axis.dilation / axis.stride)).collect();
        let most = back.iter().map(|tap| tap.1).max().unwrap_or(0);
        let count = (until - from) as usize;
        let taps: Vec<Tap> =
            back.iter().map(|&(number, b)| Tap { number, phase: 0, shift: most - b }).collect();
        Some(Line {
            count,
            first: (s * from + phase_ - axis.before) as usize,
            step: axis.stride,
            extent: count + taps.iter().map(|tap| tap.shift).max().unwrap_or(0),
            start: from - most as isize,
            stride: 1,
            phases: vec![0],
            taps,
        })
    }

    /// The same for some of the outputs.
    pub(super) fn part(&self, outputs: Range<usize>) -> Line {
        Line {
            count: outputs.len(),
            first: self.first + outputs.start * self.step,
            extent: self.extent - self.count + outputs.len(),
            start: self.start + (outputs.start * self.stride) as isize,
            ..self.clone()
        }
    }

    /// The places in the source of the stored numbers of a phase: the place of the first, how many before it are padding,
    /// and how many there are.
    fn inside(&self, phase: usize, size: usize) -> (usize, usize, usize) {
        let start = self.start + self.phases[phase] as isize;
        let stride = self.stride as isize;
        let bound =
            |at: isize| (at - start + stride - 1).div_euclid(stride).clamp(0, self.extent as isize) as usize;
        let (from, until) = (bound(0), bound(size as isize));
        ((start + from as isize * stride).max(0) as usize, from, until - from)
    }

    /// The place in the source of one stored number of a phase, unless it is padding.
    fn place(&self, phase: usize, at: usize, size: usize) -> Option<usize> {
        let place = self.start + (self.phases[phase] + at * self.stride) as isize;
        (0..size as isize).contains(&place).then_some(place as usize)
    }
}

/// Numbers of one phase.
pub(super) fn plane(lines: &[Line; 3]) -> usize {
    lines.iter().map(|line| line.extent).product()
}

/// How many phases.
pub(super) fn phases(lines: &[Line; 3]) -> usize {
    lines.iter().map(|line| line.phases.len()).product()
}

/// The number after the last output, counted in rows of the stored length.
pub(super) fn reach(lines: &[Line; 3]) -> usize {
    let last = lines.iter().fold(0, |at, line| at * line.extent + line.count.max(1) - 1);
    if lines.iter().any(|line| line.count == 0) { 0 } else { last + 1 }
}

/// For each tap of the kernel in row-major order its number and where it begins, phases lying `between` apart.
pub(super) fn taps(lines: &[Line; 3], kernel: [usize; 3], between: usize) -> Vec<(usize, usize)> {
    let [d, h, w] = lines;
    let mut taps = Vec::with_capacity(lines.iter().map(|line| line.taps.len()).product());
    for a in &d.taps {
        for b in &h.taps {
            for c in &w.taps {
                let phase = (a.phase * h.phases.len() + b.phase) * w.phases.len() + c.phase;
                let shift = (a.shift * h.extent + b.shift) * w.extent + c.shift;
                let number = (a.number * kernel[1] + b.number) * kernel[2] + c.number;
                taps.push((number, phase * between + shift));
            }
        }
    }
    taps
}

/// Stores the phases of one channel of one image, `between` apart.
pub(super) fn pack<T: Copy + Default>(
    lines: &[Line; 3],
    source: &[T],
    size: [usize; 3],
    between: usize,
    out: &mut [T],
) {
    let [d, h, w] = lines;
    let mut phase = 0;
    for rd in 0..d.phases.len() {
        for rh in 0..h.phases.len() {
            for rw in 0..w.phases.len() {
                let (from, before, n) = w.inside(rw, size[2]);
                let plane = &mut out[phase * between..][..plane(lines)];
                phase += 1;
                for (row, out) in plane.chunks_exact_mut(w.extent).enumerate() {
                    let at = d.place(rd, row / h.extent, size[0]).zip(h.place(rh, row % h.extent, size[1]));
                    let Some((z, y)) = at else {
                        out.fill(T::default());
                        continue;
                    };
                    let source = &source[(z * size[1] + y) * size[2]..][..size[2]];
                    let (left, rest) = out.split_at_mut(before);
                    let (middle, right) = rest.split_at_mut(n);
                    left.fill(T::default());
                    right.fill(T::default());
                    if n > 0 && w.stride == 1 {
                        middle.copy_from_slice(&source[from..from + n]);
                    } else if n > 0 {
                        let every = source[from..].iter().step_by(w.stride);
                        middle.iter_mut().zip(every).for_each(|(o, &x)| *o = x);
                    }
                }
            }
        }
    }
}

/// A run of outputs in rows of the stored length, and where it goes in the real output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) len: usize,
}

/// The runs of the outputs `range`, in an output of some size; `to` steps by the last axis's step.
pub(super) fn runs(lines: &[Line; 3], size: [usize; 3], range: Range<usize>, out: &mut Vec<Run>) {
    let [d, h, w] = lines;
    out.clear();
    for row in range.start / w.extent..range.end.div_ceil(w.extent) {
        let (z, y) = (row / h.extent, row % h.extent);
        let from = (row * w.extent).max(range.start);
        let until = (row * w.extent + w.count).min(range.end);
        if z < d.count && y < h.count && from < until {
            let place = (d.first + z * d.step) * size[1] + h.first + y * h.step;
            let x = w.first + (from - row * w.extent) * w.step;
            out.push(Run { from: from - range.start, to: place * size[2] + x, len: until - from });
        }
    }
}
