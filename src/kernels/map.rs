//! Element-wise loops over strided operands: every operand reaches the loop as a slice.
//!
//! A dense operand is sliced where it lies. One that is broadcast or strided is staged, a block at a time, in
//! scratch that stays in the first-level cache, so that the arithmetic is always the same vectorised loop.

use super::threshold::{BLOCK, CHUNK, split};
use rayon::prelude::*;
use smallvec::SmallVec;

/// Elements somewhere in `data`: the one at index (i, j, …) is `data[offset + i·strides[0] + j·strides[1] + …]`.
#[derive(Clone, Copy)]
pub struct View<'a, E> {
    /// The elements and what lies between them.
    pub data: &'a [E],
    /// Where the first one is.
    pub offset: usize,
    /// The distance to the next along each axis; 0 where the operand is broadcast.
    pub strides: &'a [isize],
}

/// Axes of length 1 dropped, and neighbours merged where every operand steps evenly through both.
struct Plan<const K: usize> {
    dims: SmallVec<[usize; 4]>,
    strides: [SmallVec<[isize; 4]>; K],
}

impl<const K: usize> Plan<K> {
    fn new<E>(shape: &[usize], inputs: &[View<'_, E>; K]) -> Plan<K> {
        let mut plan = Plan { dims: SmallVec::new(), strides: std::array::from_fn(|_| SmallVec::new()) };
        for (axis, &n) in shape.iter().enumerate().filter(|&(_, &n)| n != 1) {
            let merges = |k: usize| {
                plan.strides[k].last().is_some_and(|&outer| outer == inputs[k].strides[axis] * n as isize)
            };
            if !plan.dims.is_empty() && (0..K).all(merges) {
                *plan.dims.last_mut().expect("not empty") *= n;
                for (strides, input) in plan.strides.iter_mut().zip(inputs) {
                    *strides.last_mut().expect("as long as dims") = input.strides[axis];
                }
            } else {
                plan.dims.push(n);
                for (strides, input) in plan.strides.iter_mut().zip(inputs) {
                    strides.push(input.strides[axis]);
                }
            }
        }
        if plan.dims.is_empty() {
            plan.dims.push(1);
            plan.strides.iter_mut().for_each(|s| s.push(1));
        }
        plan
    }

    fn dense(&self, k: usize) -> bool {
        self.strides[k][..] == [1]
    }

    fn uniform(&self, k: usize) -> bool {
        self.strides[k].iter().all(|&s| s == 0)
    }

    /// The `len` elements from logical position `start` on: where they lie if they lie together, else staged.
    fn slice<'a, E: Copy>(
        &self,
        k: usize,
        view: &View<'a, E>,
        start: usize,
        scratch: &'a mut [E],
    ) -> &'a [E] {
        let len = scratch.len();
        let strides = &self.strides[k][..];
        let last = self.dims.len() - 1;
        let mut at = SmallVec::<[usize; 4]>::from_elem(0, last + 1);
        let mut rest = start;
        let mut offset = view.offset as isize;
        for axis in (0..=last).rev() {
            at[axis] = rest % self.dims[axis];
            rest /= self.dims[axis];
            offset += at[axis] as isize * strides[axis];
        }
        let (n, step) = (self.dims[last], strides[last]);
        if step == 1 && at[last] + len <= n {
            return &view.data[offset as usize..][..len];
        }
        let mut filled = 0;
        loop {
            let run = (n - at[last]).min(len - filled);
            let target = &mut scratch[filled..filled + run];
            match step {
                0 => target.fill(view.data[offset as usize]),
                1 => target.copy_from_slice(&view.data[offset as usize..][..run]),
                _ => {
                    for (i, t) in target.iter_mut().enumerate() {
                        *t = view.data[(offset + i as isize * step) as usize];
                    }
                }
            }
            filled += run;
            if filled == len {
                return scratch;
            }
            offset -= at[last] as isize * step;
            at[last] = 0;
            for axis in (0..last).rev() {
                at[axis] += 1;
                offset += strides[axis];
                if at[axis] < self.dims[axis] {
                    break;
                }
                offset -= self.dims[axis] as isize * strides[axis];
                at[axis] = 0;
            }
        }
    }
}

/// What is done with matching pieces of the inputs and of the output. A pointer, so that the loops around it are compiled
/// once and not for every operation.
pub type Row<'a, E, U, const K: usize> = dyn Fn([&[E]; K], &mut [U]) + Sync + 'a;

/// Calls `row` on matching pieces of the inputs and of the row-major output until the output is whole.
///
/// `shape` is the output's; an input's strides are 0 where it is broadcast. `ns` is about how many nanoseconds an
/// element takes, and decides with the size whether threads share the work; the result does not depend on it.
pub fn map<E: Copy + Default + Send + Sync, U: Send, const K: usize>(
    shape: &[usize],
    inputs: [View<'_, E>; K],
    out: &mut [U],
    ns: f32,
    row: &Row<'_, E, U, K>,
) {
    let n = out.len();
    if n == 0 {
        return;
    }
    let plan = Plan::new(shape, &inputs);
    let piece = |start: usize, out: &mut [U]| {
        if (0..K).all(|k| plan.dense(k)) {
            row(std::array::from_fn(|k| &inputs[k].data[inputs[k].offset + start..][..out.len()]), out);
        } else if out.len() <= 64 {
            staged::<E, U, K, 64>(&plan, &inputs, start, out, row);
        } else {
            staged::<E, U, K, BLOCK>(&plan, &inputs, start, out, row);
        }
    };
    if split((n as f32 * ns) as usize) {
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(i, out)| piece(i * CHUNK, out));
    } else {
        piece(0, out);
    }
}

/// As [`map`] with one input, where `row` reads and writes the output.
pub fn update<E: Copy + Default + Send + Sync>(
    shape: &[usize],
    input: View<'_, E>,
    out: &mut [E],
    ns: f32,
    row: impl Fn(&[E], &mut [E]) + Sync,
) {
    map(shape, [input], out, ns, &|[x]: [&[E]; 1], out: &mut [E]| row(x, out));
}

/// Elements that [`map_gradient`] stages at a time: fewer, as there are more operands.
const STAGE: usize = 256;

/// Calls `row` on matching pieces of the inputs `x`, of two more, and of the row-major outputs, until those that are
/// there are whole. All have as many elements as `shape`; else as [`map`].
pub fn map_gradient<E: Copy + Default + Send + Sync, const K: usize>(
    shape: &[usize],
    x: [View<'_, E>; K],
    more: [View<'_, E>; 2],
    out: [Option<&mut [E]>; K],
    ns: f32,
    row: impl Fn([&[E]; K], [&[E]; 2], [Option<&mut [E]>; K]) + Sync,
) {
    let n: usize = shape.iter().product();
    let (plans, more_plans) = (x.map(|x| Plan::new(shape, &[x])), more.map(|x| Plan::new(shape, &[x])));
    let dense = plans.iter().chain(&more_plans).all(|plan| plan.dense(0));
    let piece = |start: usize, len: usize, mut out: [Option<&mut [E]>; K]| {
        let step = if dense { len } else { STAGE };
        let mut scratch =
            if dense { None } else { Some(([[E::default(); STAGE]; K], [[E::default(); STAGE]; 2])) };
        for from in (0..len).step_by(step) {
            let range = from..len.min(from + step);
            let out = out.each_mut().map(|out| out.as_mut().map(|out| &mut out[range.clone()]));
            let (at, len) = (start + from, range.len());
            match &mut scratch {
                None => row(
                    x.map(|x| &x.data[x.offset + at..][..len]),
                    more.map(|x| &x.data[x.offset + at..][..len]),
                    out,
                ),
                Some((a, b)) => {
                    row(gather(&plans, &x, at, len, a), gather(&more_plans, &more, at, len, b), out)
                }
            }
        }
    };
    if n > CHUNK && split((n as f32 * ns) as usize) {
        let mut chunks = out.map(|out| out.map(|out| out.chunks_mut(CHUNK)));
        let pieces: Vec<_> = (0..n.div_ceil(CHUNK))
            .map(|_| chunks.each_mut().map(|chunks| chunks.as_mut().and_then(Iterator::next)))
            .collect();
        pieces
            .into_par_iter()
            .enumerate()
            .for_each(|(i, out)| piece(i * CHUNK, CHUNK.min(n - i * CHUNK), out));
    } else if n > 0 {
        piece(0, n, out);
    }
}

/// The `len` elements of each operand from logical position `start` on.
fn gather<'a, E: Copy, const K: usize>(
    plans: &[Plan<1>; K],
    views: &[View<'a, E>; K],
    start: usize,
    len: usize,
    scratch: &'a mut [[E; STAGE]; K],
) -> [&'a [E]; K] {
    let mut slices: [&[E]; K] = [&[]; K];
    for (((slice, plan), view), scratch) in slices.iter_mut().zip(plans).zip(views).zip(scratch) {
        *slice = plan.slice(0, view, start, &mut scratch[..len]);
    }
    slices
}

fn staged<E: Copy + Default, U, const K: usize, const B: usize>(
    plan: &Plan<K>,
    inputs: &[View<'_, E>; K],
    start: usize,
    out: &mut [U],
    row: &Row<'_, E, U, K>,
) {
    let mut scratch = [[E::default(); B]; K];
    for k in (0..K).filter(|&k| plan.uniform(k)) {
        scratch[k].fill(inputs[k].data[inputs[k].offset]);
    }
    for (i, out) in out.chunks_mut(B).enumerate() {
        let at = start + i * B;
        let mut slices: [&[E]; K] = [&[]; K];
        for (k, (slice, scratch)) in slices.iter_mut().zip(&mut scratch).enumerate() {
            let scratch = &mut scratch[..out.len()];
            *slice = if plan.uniform(k) { scratch } else { plan.slice(k, &inputs[k], at, scratch) };
        }
        row(slices, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operand's element found by its index alone.
    fn naive(shape: &[usize], inputs: &[View<'_, f64>; 2]) -> Vec<f64> {
        let n: usize = shape.iter().product();
        (0..n)
            .map(|i| {
                let mut rest = i;
                let mut at = [inputs[0].offset as isize, inputs[1].offset as isize];
                for axis in (0..shape.len()).rev() {
                    for k in 0..2 {
                        at[k] += (rest % shape[axis]) as isize * inputs[k].strides[axis];
                    }
                    rest /= shape[axis];
                }
                inputs[0].data[at[0] as usize] - 2.0 * inputs[1].data[at[1] as usize]
            })
            .collect()
    }

    #[test]
    fn any_strides_give_what_indexing_gives() {
        let data: Vec<f64> = (0..600_000).map(f64::from).collect();
        let view = |offset, strides| View { data: &data, offset, strides };
        let cases: [(&[usize], View<'_, f64>, View<'_, f64>); 10] = [
            (&[], view(3, &[]), view(9, &[])),
            (&[7], view(0, &[1]), view(2, &[0])),
            (&[3, 4], view(5, &[4, 1]), view(1, &[1, 3])),
            (&[2, 3, 4], view(0, &[12, 4, 1]), view(0, &[0, 1, 0])),
            (&[5, 1, 9], view(0, &[9, 700, 1]), view(100, &[-9, 3, -1])),
            (&[70, 3], view(0, &[3, 1]), view(0, &[0, 1])),
            (&[3, 1100], view(1, &[1100, 1]), view(0, &[1, 0])),
            (&[300, 1500], view(0, &[1500, 1]), view(7, &[1, 300])),
            (&[2, 150, 1000], view(0, &[150_000, 1000, 1]), view(0, &[0, 1000, 1])),
            (&[0, 4], view(0, &[4, 1]), view(0, &[0, 0])),
        ];
        for (shape, a, b) in cases {
            let mut out = vec![f64::NAN; shape.iter().product()];
            map(shape, [a, b], &mut out, 1.0, &|[a, b]: [&[f64]; 2], out: &mut [f64]| {
                for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
                    *o = a - 2.0 * b;
                }
            });
            assert_eq!(out, naive(shape, &[a, b]), "{shape:?}");
        }
    }
}
