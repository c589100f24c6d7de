//! A piece put into a larger array, and overlapping pieces added up in one.

use super::{reduce::pieces, threshold};
use smallvec::SmallVec;

/// Elements in one piece of a copy split among threads.
const PIECE: usize = 1 << 14;

/// Fills a row-major array of `shape` with `value`, except for the row-major `piece` from index `first` on.
pub fn surround<E: Copy + Send + Sync>(
    data: &[E],
    piece: &[usize],
    shape: &[usize],
    first: &[usize],
    value: E,
    out: &mut [E],
) {
    debug_assert!(piece.len() == shape.len() && first.len() == shape.len());
    if data.is_empty() || out.is_empty() {
        return out.fill(value);
    }
    // Whole axes at the end lie in one run with the axis before them.
    let whole = piece.iter().zip(shape).rev().take_while(|(a, b)| a == b).count();
    let cut = shape.len() - whole;
    let inner: usize = shape[cut..].iter().product();
    let Some(axis) = cut.checked_sub(1) else { return out.copy_from_slice(data) };
    let (line, run) = (shape[axis] * inner, piece[axis] * inner);
    let from = first[axis] * inner;
    let parallel = threshold::split(size_of_val(out) / 8);
    pieces(out, (PIECE / line).max(1) * line, parallel, |at, out| {
        for (i, out) in out.chunks_exact_mut(line).enumerate() {
            // Which line of the piece this one holds, if any.
            let (mut rest, mut source, mut step, mut inside) = (at / line + i, 0, 1, true);
            for axis in (0..axis).rev() {
                let index = (rest % shape[axis]).wrapping_sub(first[axis]);
                inside &= index < piece[axis];
                source = index.wrapping_mul(step).wrapping_add(source);
                (rest, step) = (rest / shape[axis], step * piece[axis]);
            }
            if inside {
                out[..from].fill(value);
                out[from..from + run].copy_from_slice(&data[source * run..][..run]);
                out[from + run..].fill(value);
            } else {
                out.fill(value);
            }
        }
    });
}

/// Adds each element of a strided view to the element of `out` that other strides lead to. Elements may meet; they are
/// added in an order that depends on the shape alone. All indices must lie inside.
pub fn add_strided<T: crate::number::Real>(
    shape: &[usize],
    (data, offset, strides): (&[T], usize, &[isize]),
    (to, to_strides): (usize, &[isize]),
    out: &mut [T],
) {
    if shape.contains(&0) {
        return;
    }
    // The longest axis innermost.
    let mut axes: SmallVec<[(usize, isize, isize); 8]> =
        (0..shape.len()).map(|i| (shape[i], strides[i], to_strides[i])).filter(|axis| axis.0 != 1).collect();
    if let Some(longest) = (0..axes.len()).max_by_key(|&i| axes[i].0) {
        let axis = axes.remove(longest);
        axes.push(axis);
    }
    let (n, step, to_step) = axes.pop().unwrap_or((1, 0, 0));
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, axes.len());
    let (mut from, mut to) = (offset as isize, to as isize);
    loop {
        if step == 1 && to_step == 1 {
            let (from, to) = (from as usize, to as usize);
            for (out, &x) in out[to..to + n].iter_mut().zip(&data[from..from + n]) {
                *out += x;
            }
        } else {
            for i in 0..n as isize {
                let at = (to + i * to_step) as usize;
                out[at] += data[(from + i * step) as usize];
            }
        }
        let mut axis = axes.len();
        loop {
            let Some(next) = axis.checked_sub(1) else { return };
            axis = next;
            let (n, step, to_step) = axes[axis];
            index[axis] += 1;
            if index[axis] < n {
                (from, to) = (from + step, to + to_step);
                break;
            }
            index[axis] = 0;
            (from, to) = (from - step * (n as isize - 1), to - to_step * (n as isize - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(mut at: usize, shape: &[usize]) -> Vec<usize> {
        let mut index = vec![0; shape.len()];
        for (i, &n) in index.iter_mut().zip(shape).rev() {
            (*i, at) = (at % n, at / n);
        }
        index
    }

    #[test]
    fn a_piece_lies_where_its_first_index_says() {
        let cases: [(&[usize], &[usize], &[usize]); 7] = [
            (&[3], &[6], &[2]),
            (&[2, 3], &[2, 5], &[0, 1]),
            (&[2, 3], &[4, 3], &[1, 0]),
            (&[2, 3, 4], &[3, 5, 4], &[1, 2, 0]),
            (&[2, 3, 4], &[4, 3, 7], &[2, 0, 3]),
            (&[2, 2], &[2, 2], &[0, 0]),
            (&[150, 7, 3], &[300, 11, 13], &[140, 2, 9]),
        ];
        for (piece, shape, first) in cases {
            let data: Vec<f64> = (0..piece.iter().product()).map(|i: usize| i as f64).collect();
            let mut out = vec![f64::NAN; shape.iter().product()];
            surround(&data, piece, shape, first, -1.0, &mut out);
            for (at, &found) in out.iter().enumerate() {
                let place = index(at, shape);
                let inside = (0..shape.len()).all(|i| (first[i]..first[i] + piece[i]).contains(&place[i]));
                let wanted = if inside {
                    data[(0..shape.len()).fold(0, |at, i| at * piece[i] + place[i] - first[i])]
                } else {
                    -1.0
                };
                assert_eq!(found, wanted, "{piece:?} in {shape:?} at {place:?}");
            }
        }
        let mut out = [0.0; 2];
        surround(&[], &[0], &[2], &[1], 3.0, &mut out);
        assert_eq!(out, [3.0; 2]);
        surround(&[5.0], &[], &[], &[], 3.0, &mut out[..1]);
        assert_eq!(out, [5.0, 3.0]);
    }

    #[test]
    fn overlapping_elements_add_up() {
        let data: Vec<f64> = (0..25).map(f64::from).collect();
        type Case<'a> = (&'a [usize], &'a [isize], &'a [isize], usize);
        let cases: [Case<'_>; 5] = [
            (&[2, 3, 4], &[12, 4, 1], &[0, 1, 1], 2),
            (&[4, 3], &[1, 4], &[2, 1], 0),
            (&[3, 2], &[2, 1], &[-1, 3], 4),
            (&[5], &[0], &[0], 1),
            (&[], &[], &[], 3),
        ];
        for (shape, strides, to, start) in cases {
            let (mut out, mut wanted) = (vec![0.0; 12], vec![0.0; 12]);
            add_strided(shape, (&data, 1, strides), (start, to), &mut out);
            for at in 0..shape.iter().product() {
                let walk =
                    |s: &[isize]| index(at, shape).iter().zip(s).map(|(&i, s)| i as isize * s).sum::<isize>();
                wanted[(start as isize + walk(to)) as usize] += data[(1 + walk(strides)) as usize];
            }
            assert_eq!(out, wanted, "{shape:?}");
        }
    }
}
