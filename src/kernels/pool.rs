//! Windows that slide over images: the largest element of each.

use super::reduce::pieces;
use super::{multiversion, threshold};
use crate::number::Real;
use std::ops::Range;

/// Windows taken side by side.
const RUN: usize = 64;

/// What a window shows along one axis: elements from `first` on, `count` of them, which is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: usize,
    pub count: usize,
}

/// The windows over images of three axes: along each axis the image's length, the step between the elements that a window
/// shows, and the windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    pub size: [usize; 3],
    pub step: [usize; 3],
    pub spans: [Vec<Span>; 3],
}

impl Windows {
    fn area(&self) -> usize {
        self.size.iter().product()
    }

    fn count(&self) -> usize {
        self.spans.iter().map(Vec::len).product()
    }

    /// Calls `f` with the number of each window, the place of its largest element, and that: the first of equal ones, and the
    /// first NaN if there is one.
    #[inline(always)]
    fn each<T: Real>(&self, x: &[T], mut f: impl FnMut(usize, usize, T)) {
        let [_, height, width] = self.size;
        let steps = [self.step[0] * height * width, self.step[1] * width, self.step[2]];
        let run = if u32::try_from(self.area()).is_ok() { regular(&self.spans[2]) } else { 0..0 };
        let (mut most, mut at) = ([T::ZERO; RUN], [0u32; RUN]);
        let mut window = 0;
        for d in &self.spans[0] {
            for h in &self.spans[1] {
                let corner = (d.first * height + h.first) * width;
                let counts = |w: &Span| [d.count, h.count, w.count];
                let mut column = 0;
                while column < self.spans[2].len() {
                    let w = &self.spans[2][column];
                    let first = corner + w.first;
                    if !run.contains(&column) {
                        let at = first_largest(x, first, counts(w), steps);
                        f(window, at, x[at]);
                        (column, window) = (column + 1, window + 1);
                        continue;
                    }
                    // Windows of one length at equal distances are taken side by side.
                    let n = RUN.min(run.end - column);
                    let stride = if n > 1 { self.spans[2][column + 1].first - w.first } else { 1 };
                    side_by_side(&x[first..], stride, counts(w), steps, &mut most[..n], &mut at[..n]);
                    for (i, (&at, &most)) in at[..n].iter().zip(&most).enumerate() {
                        f(window + i, first + i * stride + at as usize, most);
                    }
                    (column, window) = (column + n, window + n);
                }
            }
        }
    }

    /// `f(image, piece of out)` for every image, `per` elements of `out` each.
    fn images<E: Send>(&self, out: &mut [E], per: usize, f: impl Fn(usize, &mut [E]) + Sync) {
        if out.is_empty() || per == 0 {
            return;
        }
        let shown: usize =
            self.spans.iter().map(|spans| spans.iter().map(|span| span.count).sum::<usize>()).product();
        let images = out.len() / per;
        let parallel = threshold::split(images.saturating_mul(shown));
        let together = ((1 << 14) / shown.max(1)).max(1);
        pieces(out, together * per, parallel, |at, out| {
            for (i, out) in out.chunks_exact_mut(per).enumerate() {
                f(at / per + i, out);
            }
        });
    }
}

/// The place of the largest element of a window.
#[inline]
fn first_largest<T: Real>(x: &[T], first: usize, counts: [usize; 3], steps: [usize; 3]) -> usize {
    let (mut at, mut most) = (first, x[first]);
    for a in 0..counts[0] {
        for b in 0..counts[1] {
            for c in 0..counts[2] {
                let place = first + a * steps[0] + b * steps[1] + c * steps[2];
                if !(x[place] <= most) && !most.is_nan() {
                    (at, most) = (place, x[place]);
                }
            }
        }
    }
    at
}

/// The longest run of windows of one length whose distances are equal and positive, if it is worth while.
fn regular(spans: &[Span]) -> Range<usize> {
    let step = |i: usize| spans[i + 1].first.wrapping_sub(spans[i].first);
    let (mut best, mut start) = (0..0, 0);
    for end in 1..=spans.len() {
        let goes_on =
            end < spans.len() && spans[end].count == spans[start].count && step(end - 1) == step(start);
        if !goes_on {
            if end - start > best.len() {
                best = start..end;
            }
            // The last window of a run may be the first of the next.
            start = if end < spans.len() && spans[end].count == spans[end - 1].count && end - start > 1 {
                end - 1
            } else {
                end
            };
        }
    }
    let usable = best.len() >= 4 && (1..1 << 20).contains(&step(best.start));
    if usable { best } else { 0..0 }
}

multiversion! {
    /// The largest elements of windows `stride` apart, and how far behind the windows' first elements they lie.
    fn side_by_side<T, N>(x: &[T], stride: usize, counts: [usize; 3], steps: [usize; 3], most: &mut [T], at: &mut [u32]) {
        let n = most.len();
        let shown = (n - 1) * stride + 1;
        at.fill(0);
        let mut is_first = true;
        for a in 0..counts[0] {
            for b in 0..counts[1] {
                for c in 0..counts[2] {
                    let offset = a * steps[0] + b * steps[1] + c * steps[2];
                    let x = &x[offset..][..shown];
                    if is_first {
                        most.iter_mut().zip(x.iter().step_by(stride)).for_each(|(most, &x)| *most = x);
                        is_first = false;
                        continue;
                    }
                    let offset = offset as u32;
                    let take = |(most, at): (&mut T, &mut u32), here: T| {
                        let larger = !(here <= *most) & !most.is_nan();
                        *most = if larger { here } else { *most };
                        *at = if larger { offset } else { *at };
                    };
                    match stride {
                        1 => most.iter_mut().zip(at.iter_mut()).zip(x).for_each(|(now, &x)| take(now, x)),
                        2 => {
                            let (pairs, last) = x.as_chunks::<2>();
                            let all = pairs.iter().map(|pair| pair[0]);
                            most.iter_mut().zip(at.iter_mut()).zip(all).for_each(|(now, x)| take(now, x));
                            take((&mut most[n - 1], &mut at[n - 1]), last[0]);
                        }
                        _ => {
                            let all = x.iter().step_by(stride);
                            most.iter_mut().zip(at.iter_mut()).zip(all).for_each(|(now, &x)| take(now, x));
                        }
                    }
                }
            }
        }
    }
}

/// The largest element of every window of every image.
pub fn largest<T: Real>(windows: &Windows, x: &[T], out: &mut [T]) {
    let area = windows.area();
    windows.images(out, windows.count(), |image, out| {
        let x = &x[image * area..][..area];
        windows.each(x, |window, _, most| out[window] = most);
    });
}

/// Its place in the image.
pub fn places<T: Real>(windows: &Windows, x: &[T], out: &mut [i64]) {
    let area = windows.area();
    windows.images(out, windows.count(), |image, out| {
        windows.each(&x[image * area..][..area], |window, at, _| out[window] = at as i64);
    });
}

/// What is given for every window, added up at the places of the largest elements.
pub fn spread<T: Real>(windows: &Windows, x: &[T], g: &[T], out: &mut [T]) {
    let (area, count) = (windows.area(), windows.count());
    windows.images(out, area, |image, out| {
        let g = &g[image * count..][..count];
        out.fill(T::ZERO);
        windows.each(&x[image * area..][..area], |window, at, _| out[at] += g[window]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(all: &[(usize, usize)]) -> Vec<Span> {
        all.iter().map(|&(first, count)| Span { first, count }).collect()
    }

    #[test]
    fn the_first_of_equal_ones_and_the_first_nan_are_taken() {
        let windows = Windows {
            size: [1, 1, 5],
            step: [1, 1, 2],
            spans: [spans(&[(0, 1)]), spans(&[(0, 1)]), spans(&[(0, 3), (1, 2)])],
        };
        let nan = f64::NAN;
        for (x, wanted) in [
            ([1.0, 5.0, 1.0, 5.0, 0.0], [0, 1]),
            ([1.0, 4.0, 3.0, 5.0, 3.0], [2, 3]),
            ([1.0, nan, nan, nan, nan], [2, 1]),
            ([nan, 1.0, 2.0, f64::INFINITY, 3.0], [0, 3]),
            ([-f64::INFINITY; 5], [0, 1]),
        ] {
            let mut found = [7; 2];
            places(&windows, &x, &mut found);
            assert_eq!(found, wanted, "{x:?}");
            let mut values = [0.0; 2];
            largest(&windows, &x, &mut values);
            assert!((0..2).all(|i| values[i].to_bits() == x[wanted[i] as usize].to_bits()));
            let mut out = [9.0; 5];
            spread(&windows, &x, &[10.0, 20.0], &mut out);
            let sum = |at: i64| (0..2).filter(|&i| wanted[i] == at).map(|i| [10.0, 20.0][i]).sum::<f64>();
            assert_eq!(out, [sum(0), sum(1), sum(2), sum(3), sum(4)]);
        }
    }

    #[test]
    fn windows_side_by_side_are_those_taken_alone() {
        let x: Vec<f64> =
            (0..2 * 9 * 400).map(|i| [f64::NAN, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0][i * 7919 % 1013 % 7]).collect();
        for (count, stride, n) in
            [(2, 2, 190), (3, 1, 200), (3, 2, 150), (2, 5, 70), (1, 3, 4), (2, 1, 3), (4, 2, 65)]
        {
            let regular: Vec<Span> = (0..n).map(|i| Span { first: 1 + i * stride, count }).collect();
            let irregular = [spans(&[(0, 1), (0, 2)]), regular, spans(&[(398, 2), (399, 1)])].concat();
            let windows = Windows {
                size: [2, 9, 400],
                step: [1, 3, 1],
                spans: [spans(&[(0, 2)]), spans(&[(0, 3), (2, 2)]), irregular],
            };
            let mut found = vec![0; windows.count()];
            places(&windows, &x, &mut found);
            let mut wanted = vec![];
            for h in &windows.spans[1] {
                for w in &windows.spans[2] {
                    wanted.push(first_largest(
                        &x,
                        h.first * 400 + w.first,
                        [2, h.count, w.count],
                        [3600, 1200, 1],
                    ) as i64);
                }
            }
            assert_eq!(found, wanted, "{count} {stride} {n}");
        }
    }

    #[test]
    fn the_longest_run_is_found() {
        let all = |firsts: &[(usize, usize)]| regular(&spans(firsts));
        assert_eq!(all(&[(0, 1), (0, 2), (2, 2), (4, 2), (6, 2), (8, 1)]), 1..5);
        assert_eq!(all(&[(0, 2), (3, 2), (4, 2), (5, 2), (6, 2)]), 1..5);
        assert_eq!(all(&[(0, 2), (1, 2), (2, 2)]), 0..0);
        assert_eq!(all(&[(0, 2); 6]), 0..0);
        assert_eq!(all(&[]), 0..0);
    }

    #[test]
    fn many_images_of_three_axes_are_those_of_one() {
        let all = |n: usize| (0..n).map(|first| Span { first, count: 2 }).collect::<Vec<_>>();
        let windows = Windows { size: [4, 5, 6], step: [1, 2, 3], spans: [all(3), all(3), all(3)] };
        let x: Vec<f64> = (0..500 * 120).map(|i| (i * 7919 % 1013) as f64).collect();
        let mut found = vec![0; 500 * 27];
        places(&windows, &x, &mut found);
        for (window, at) in found.iter().enumerate() {
            let image = &x[window / 27 * 120..][..120];
            let (d, h, w) = (window % 27 / 9, window / 3 % 3, window % 3);
            let mut wanted = (f64::MIN, 0);
            for (a, b, c) in
                [(0, 0, 0), (0, 0, 3), (0, 2, 0), (0, 2, 3), (1, 0, 0), (1, 0, 3), (1, 2, 0), (1, 2, 3)]
            {
                let place = ((d + a) * 5 + h + b) * 6 + w + c;
                if image[place] > wanted.0 {
                    wanted = (image[place], place);
                }
            }
            assert_eq!(*at as usize, wanted.1);
        }
        let g = vec![1.0; found.len()];
        let mut out = vec![0.0; x.len()];
        spread(&windows, &x, &g, &mut out);
        assert_eq!(out.iter().sum::<f64>(), g.len() as f64);
    }
}
