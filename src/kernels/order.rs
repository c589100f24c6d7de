//! Places of elements in sorted order, along rows. A row's elements become integers in the order sought, each with
//! its place, so that no two are equal: whatever sorts or selects them gives the stable order.

use super::reduce::{CHUNK, pieces};
use super::{multiversion, threshold};
use crate::number::Real;
use rayon::prelude::*;

mod radix;

/// Rows of at most this many elements are sorted by counting for each how many come before it.
const TINY: usize = 32;
/// Rows from this length on are sorted by digits.
const DIGITS: usize = 1 << 10;
/// Elements of one row from which on several threads share it.
const LONG: usize = 1 << 16;
/// Keys that are compared with a bound at a time.
const BLOCK: usize = 64;
/// Keys compared at a time when a tiny row is sorted.
const LANES: usize = 8;

/// What sorts like the numbers: −0 as 0, NaN above all; backwards, if `descending`. Of 32 bits for an `f32`.
#[inline(always)]
fn key<T: Real>(x: T, descending: bool) -> u64 {
    if size_of::<T>() == 4 {
        let x = x.to_f64() as f32 + 0.0;
        let bits = x.to_bits() as i32;
        let up = bits as u32 ^ ((bits >> 31) as u32 | 1 << 31);
        let up = if x.is_nan() { u32::MAX } else { up };
        u64::from(if descending { !up } else { up })
    } else {
        let x = x.to_f64() + 0.0;
        let bits = x.to_bits() as i64;
        let up = bits as u64 ^ ((bits >> 63) as u64 | 1 << 63);
        let up = if x.is_nan() { u64::MAX } else { up };
        if descending { !up } else { up }
    }
}

/// A key with its place, which is below it.
trait Keyed: Copy + Ord + Send + Sync {
    fn new(key: u64, place: u32) -> Self;
    fn key(self) -> u64;
    fn place(self) -> i64;
}

macro_rules! keyed {
    ($($type:ident)*) => {$(
        impl Keyed for $type {
            #[inline(always)]
            fn new(key: u64, place: u32) -> $type {
                $type::from(key) << 32 | $type::from(place)
            }
            #[inline(always)]
            fn key(self) -> u64 {
                (self >> 32) as u64
            }
            #[inline(always)]
            fn place(self) -> i64 {
                i64::from(self as u32)
            }
        }
    )*};
}
keyed!(u64 u128);

/// Runs a function with `K` of 64 bits for an `f32` and of 128 for an `f64`.
macro_rules! with_keys {
    ($T:ident, $f:ident($($arg:expr),*)) => {
        if size_of::<$T>() == 4 { $f::<$T, u64>($($arg),*) } else { $f::<$T, u128>($($arg),*) }
    };
}

fn keyed<T: Real, K: Keyed>(x: &[T], descending: bool, into: &mut Vec<K>) {
    into.clear();
    into.extend(x.iter().zip(0..).map(|(&x, i)| K::new(key(x, descending), i)));
}

/// How many keys come before each of `own`, which stand among them from `first` on.
#[inline(always)]
fn count_before(keys: &[u64], own: &[u64; LANES], first: u64) -> [u64; LANES] {
    let (own, mut before) = (*own, [0u64; LANES]);
    let numbers: [u64; LANES] = std::array::from_fn(|lane| first + lane as u64);
    for (&other, i) in keys.iter().zip(0u64..) {
        for lane in 0..LANES {
            let equal = (other == own[lane]) & (i < numbers[lane]);
            before[lane] += u64::from((other < own[lane]) | equal);
        }
    }
    before
}

multiversion! {
    /// The places of the first `m` of rows of `n ≤ TINY` in sorted order.
    fn tiny<T, N>(x: &[T], n: usize, m: usize, descending: bool, places: &mut [i64]) {
        let _ = N::of;
        let (mut keys, mut sorted) = ([0; TINY], [0; TINY]);
        for (x, places) in x.chunks_exact(n).zip(places.chunks_exact_mut(m)) {
            for (key_of, &x) in keys.iter_mut().zip(x) {
                *key_of = key(x, descending);
            }
            for (block, own) in keys.as_chunks::<LANES>().0.iter().enumerate().take(n.div_ceil(LANES)) {
                let first = block * LANES;
                let before = count_before(&keys[..n], own, first as u64);
                for (lane, &before) in before.iter().enumerate().take(n - first) {
                    sorted[before as usize] = (first + lane) as i64;
                }
            }
            places.copy_from_slice(&sorted[..m]);
        }
    }

    /// The keys of a block, and the smallest.
    fn block_keys<T, N>(x: &[T], descending: bool, keys: &mut [u64; BLOCK]) -> u64 {
        let _ = N::of;
        keys.iter_mut().zip(x).for_each(|(key_of, &x)| *key_of = key(x, descending));
        keys[..x.len()].iter().fold(u64::MAX, |least, &key| least.min(key))
    }
}

/// The first `m` in sorted order, in any order, of a part of a row that begins at `start`. Only what comes before the
/// m-th of those seen so far is looked at twice.
fn candidates<T: Real, K: Keyed>(x: &[T], start: usize, m: usize, descending: bool) -> Vec<K> {
    let (mut found, mut bound, mut keys) = (Vec::<K>::with_capacity(4 * m + BLOCK), None, [0; BLOCK]);
    for (i, x) in x.chunks(BLOCK).enumerate() {
        let least = block_keys(x, descending, &mut keys);
        if bound.is_some_and(|bound| least >= bound) {
            continue;
        }
        // One that equals the bound comes after the m that are there.
        let first = (start + i * BLOCK) as u32;
        let wanted =
            keys[..x.len()].iter().zip(first..).filter(|(key, _)| bound.is_none_or(|bound| **key < bound));
        found.extend(wanted.map(|(&key, place)| K::new(key, place)));
        if found.len() >= 4 * m {
            bound = Some(found.select_nth_unstable(m - 1).1.key());
            found.truncate(m);
        }
    }
    found
}

/// Calls `f` with each row of `n` and the `m` places to be filled, and whether to use threads within.
fn by_rows<T: Real, S>(
    x: &[T],
    (n, m): (usize, usize),
    places: &mut [i64],
    scratch: impl Fn() -> S + Sync,
    f: impl Fn(&[T], &mut S, bool, &mut [i64]) + Sync,
) {
    if places.is_empty() {
        return;
    }
    debug_assert!(n <= u32::MAX as usize, "places in a row are 32 bits");
    let parallel = threshold::split(x.len() * 10);
    let within = parallel && n >= LONG && x.len() / n < rayon::current_num_threads();
    pieces(places, (CHUNK / n.max(m)).max(1) * m, parallel, |from, places| {
        let mut scratch = scratch();
        for (x, places) in x[from / m * n..].chunks_exact(n).zip(places.chunks_exact_mut(m)) {
            f(x, &mut scratch, within, places);
        }
    });
}

fn first_of<T: Real, K: Keyed>(x: &[T], n: usize, m: usize, descending: bool, places: &mut [i64]) {
    by_rows(x, (n, m), places, Vec::<K>::new, |x, scratch, within, places| {
        if m <= n / 8 {
            let part = if within { n.div_ceil(rayon::current_num_threads()) } else { n };
            let parts: Vec<_> = if within {
                x.par_chunks(part).enumerate().map(|(i, x)| candidates(x, i * part, m, descending)).collect()
            } else {
                vec![candidates(x, 0, m, descending)]
            };
            scratch.clear();
            parts.iter().for_each(|part| scratch.extend(part));
        } else {
            keyed(x, descending, scratch);
        }
        if m < scratch.len() {
            scratch.select_nth_unstable(m - 1);
        }
        scratch[..m].sort_unstable();
        places.iter_mut().zip(scratch.iter()).for_each(|(place, it)| *place = it.place());
    });
}

/// The places of the first `m` of each row in sorted order, `m ≤ n`: among equals the first come first; NaNs are above
/// all.
pub fn first<T: Real>(x: &[T], n: usize, m: usize, descending: bool, places: &mut [i64]) {
    if places.is_empty() {
        return;
    }
    if n <= TINY {
        let parallel = threshold::split(2 * x.len());
        return pieces(places, 4 * CHUNK / n * m, parallel, |from, places| {
            let (first, rows) = (from / m, places.len() / m);
            tiny(&x[first * n..][..rows * n], n, m, descending, places);
        });
    }
    if m < n || n < DIGITS {
        return with_keys!(T, first_of(x, n, m, descending, places));
    }
    by_rows(x, (n, n), places, Vec::new, |x, other, within, places| {
        let parts = if within { rayon::current_num_threads() } else { 1 };
        radix::sort(x, descending, parts, other, places);
    });
}

fn number_of<T: Real, K: Keyed>(x: &[T], n: usize, k: usize, places: &mut [i64]) {
    by_rows(x, (n, 1), places, Vec::<K>::new, |x, scratch, _, places| {
        keyed(x, false, scratch);
        places[0] = scratch.select_nth_unstable(k).1.place();
    });
}

/// The place in each row of number `k`, from 0, in ascending order.
pub fn number<T: Real>(x: &[T], n: usize, k: usize, places: &mut [i64]) {
    with_keys!(T, number_of(x, n, k, places));
}

fn median_of<T: Real, K: Keyed>(x: &[T], n: usize, skip: bool, places: &mut [i64]) {
    by_rows(x, (n, 1), places, Vec::<K>::new, |x, scratch, _, places| {
        let nans = x.iter().filter(|x| x.is_nan()).count();
        if nans == n || nans > 0 && !skip {
            places[0] = x.iter().position(|x| x.is_nan()).unwrap_or(0) as i64;
            return;
        }
        keyed(x, false, scratch);
        places[0] = scratch.select_nth_unstable((n - nans - 1) / 2).1.place();
    });
}

/// The place in each row of the lower median. NaNs are left out, if `skip`; else the first NaN is the median. The first
/// NaN where there is nothing else.
pub fn median<T: Real>(x: &[T], n: usize, skip: bool, places: &mut [i64]) {
    with_keys!(T, median_of(x, n, skip, places));
}

fn mode_of<T: Real, K: Keyed>(x: &[T], n: usize, places: &mut [i64]) {
    by_rows(x, (n, 1), places, Vec::<K>::new, |x, scratch, _, places| {
        keyed(x, false, scratch);
        scratch.sort_unstable();
        let longest = scratch.chunk_by(|a, b| a.key() == b.key()).rev().max_by_key(|run| run.len());
        places[0] = longest.and_then(|run| run.last()).map_or(0, |it| it.place());
    });
}

/// The last place in each row of the most frequent element, the smallest of them.
pub fn mode<T: Real>(x: &[T], n: usize, places: &mut [i64]) {
    with_keys!(T, mode_of(x, n, places));
}

#[cfg(test)]
mod tests;
