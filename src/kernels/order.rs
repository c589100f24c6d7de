//! Places of elements in sorted order, along rows. A row's elements become integers in the order sought, each with
//! its place, so that no two are equal: whatever sorts or selects them gives the stable order.

use super::reduce::{CHUNK, pieces};
use super::threshold;
use crate::number::Real;
use rayon::prelude::*;

/// Elements of one row from which on several threads sort it.
const LONG: usize = 1 << 16;

/// What sorts like the numbers: −0 as 0, NaN above all; backwards, if `descending`.
#[inline(always)]
fn key<T: Real>(x: T, descending: bool) -> u64 {
    let bits = (x.to_f64() + 0.0).to_bits();
    let up = if x.is_nan() {
        u64::MAX
    } else if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    if descending { !up } else { up }
}

type Keyed = (u64, u32);

fn keyed<T: Real>(x: &[T], descending: bool, into: &mut Vec<Keyed>) {
    into.clear();
    into.extend(x.iter().zip(0..).map(|(&x, i)| (key(x, descending), i)));
}

fn sort(row: &mut [Keyed]) {
    if row.len() >= LONG && threshold::split(row.len() * 20) {
        row.par_sort_unstable();
    } else {
        row.sort_unstable();
    }
}

/// Calls `f` with each row of `n`, scratch, and the `m` places to be filled.
fn by_rows<T: Real>(
    x: &[T],
    (n, m): (usize, usize),
    places: &mut [i64],
    f: impl Fn(&[T], &mut Vec<Keyed>, &mut [i64]) + Sync,
) {
    if places.is_empty() {
        return;
    }
    debug_assert!(n <= u32::MAX as usize, "places in a row are 32 bits");
    let parallel = threshold::split(x.len() * 10);
    pieces(places, (CHUNK / n.max(m)).max(1) * m, parallel, |from, places| {
        let mut scratch = Vec::with_capacity(n);
        for (x, places) in x[from / m * n..].chunks_exact(n).zip(places.chunks_exact_mut(m)) {
            f(x, &mut scratch, places);
        }
    });
}

/// The places of the first `m` of each row in sorted order, `m ≤ n`: among equals the first come first; NaNs are above
/// all.
pub fn first<T: Real>(x: &[T], n: usize, m: usize, descending: bool, places: &mut [i64]) {
    by_rows(x, (n, m), places, |x, scratch, places| {
        keyed(x, descending, scratch);
        if m < n {
            scratch.select_nth_unstable(m - 1);
        }
        sort(&mut scratch[..m]);
        places.iter_mut().zip(scratch.iter()).for_each(|(place, it)| *place = it.1.into());
    });
}

/// The place in each row of number `k`, from 0, in ascending order.
pub fn number<T: Real>(x: &[T], n: usize, k: usize, places: &mut [i64]) {
    by_rows(x, (n, 1), places, |x, scratch, places| {
        keyed(x, false, scratch);
        places[0] = scratch.select_nth_unstable(k).1.1.into();
    });
}

/// The place in each row of the lower median. NaNs are left out, if `skip`; else the first NaN is the median. The first
/// NaN where there is nothing else.
pub fn median<T: Real>(x: &[T], n: usize, skip: bool, places: &mut [i64]) {
    by_rows(x, (n, 1), places, |x, scratch, places| {
        let nans = x.iter().filter(|x| x.is_nan()).count();
        if nans == n || nans > 0 && !skip {
            places[0] = x.iter().position(|x| x.is_nan()).unwrap_or(0) as i64;
            return;
        }
        keyed(x, false, scratch);
        places[0] = scratch.select_nth_unstable((n - nans - 1) / 2).1.1.into();
    });
}

/// The last place in each row of the most frequent element, the smallest of them.
pub fn mode<T: Real>(x: &[T], n: usize, places: &mut [i64]) {
    by_rows(x, (n, 1), places, |x, scratch, places| {
        keyed(x, false, scratch);
        sort(scratch);
        let longest = scratch.chunk_by(|a, b| a.0 == b.0).rev().max_by_key(|run| run.len());
        places[0] = longest.and_then(|run| run.last()).map_or(0, |it| it.1.into());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::*;

    /// Numbers of which many are equal, with NaNs, infinities and both zeros.
    fn crowded(n: usize) -> Vec<f64> {
        let special = [f64::NAN, f64::INFINITY, -f64::INFINITY, 0.0, -0.0];
        let number = |(i, x): (usize, f64)| if i % 7 == 3 { special[i / 7 % 5] } else { (x * 5.0).round() };
        numbers::<f64>(n, 9).into_iter().enumerate().map(number).collect()
    }

    fn stable(x: &[f64], descending: bool) -> Vec<i64> {
        let mut places: Vec<i64> = (0..x.len() as i64).collect();
        let rank = |i: i64| (x[i as usize].is_nan(), x[i as usize]);
        places.sort_by(|&a, &b| {
            let order = rank(a).partial_cmp(&rank(b)).filter(|_| !rank(a).0);
            let order = order.unwrap_or_else(|| rank(a).0.cmp(&rank(b).0));
            if descending { order.reverse() } else { order }
        });
        places
    }

    #[test]
    fn order_is_stable_with_nans_above_all() {
        for (rows, n) in [(1, 1), (3, 7), (2, 100), (50, 1000), (1, 200_000)] {
            let x = crowded(rows * n);
            for descending in [false, true] {
                let wanted: Vec<Vec<i64>> = x.chunks(n).map(|x| stable(x, descending)).collect();
                for m in [1, n / 2, n].into_iter().filter(|&m| m > 0) {
                    let mut places = vec![-1; rows * m];
                    first(&x, n, m, descending, &mut places);
                    for (got, wanted) in places.chunks(m).zip(&wanted) {
                        assert!(got == &wanted[..m], "{rows} {n} {m} {descending}");
                    }
                }
                if !descending {
                    for k in [0, n / 3, n - 1] {
                        let mut places = vec![-1; rows];
                        number(&x, n, k, &mut places);
                        assert!(places.iter().zip(&wanted).all(|(got, wanted)| *got == wanted[k]));
                    }
                }
            }
        }
        first::<f64>(&[], 0, 0, false, &mut []);
    }

    #[test]
    fn medians_and_modes_of_small_rows() {
        let nan = f64::NAN;
        for (x, skipping, plain, most) in [
            ([3.0, 1.0, 2.0, 2.0], 2, 2, 3),
            ([nan, 1.0, 3.0, 2.0], 3, 0, 1),
            ([1.0, nan, nan, 4.0], 0, 1, 2),
            ([nan, nan, nan, nan], 0, 0, 3),
            ([5.0, 5.0, 4.0, 4.0], 2 + 1, 2 + 1, 3),
            ([0.0, -0.0, 1.0, -1.0], 0, 0, 1),
        ] {
            let mut place = [-1];
            median(&x, 4, true, &mut place);
            assert_eq!(place, [skipping], "{x:?}");
            median(&x, 4, false, &mut place);
            assert_eq!(place, [plain], "{x:?}");
            mode(&x, 4, &mut place);
            assert_eq!(place, [most], "{x:?}");
        }
    }
}
