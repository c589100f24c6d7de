//! Long rows in order, one digit of the keys at a time from the last on: each pass keeps the order of equal digits, and
//! takes as long for one distribution of the numbers as for another.

use super::key;
use crate::number::Real;
use rayon::prelude::*;

/// Values of a digit.
const VALUES: usize = 256;

/// How often each value of the digit at `shift` occurs.
fn counts(x: &[i64], shift: u32) -> [usize; VALUES] {
    // Four tables: neighbours with the same digit need not wait for one another.
    let mut tables = [[0; VALUES]; 4];
    let (blocks, rest) = x.as_chunks::<4>();
    for block in blocks {
        for (table, x) in tables.iter_mut().zip(block) {
            table[usize::from((x >> shift) as u8)] += 1;
        }
    }
    for x in rest {
        tables[0][usize::from((x >> shift) as u8)] += 1;
    }
    std::array::from_fn(|digit| tables.iter().map(|table| table[digit]).sum())
}

/// Puts `from` into `to` in the order of the digit at `shift`, on as many threads as there are `parts`; does nothing,
/// and says so, if all digits are the same.
fn pass(from: &[i64], to: &mut [i64], shift: u32, parts: usize) -> bool {
    let part = from.len().div_ceil(parts);
    let counted: Vec<_> = match parts {
        1 => vec![counts(from, shift)],
        _ => from.par_chunks(part).map(|x| counts(x, shift)).collect(),
    };
    let total = |digit: usize| counted.iter().map(|counts| counts[digit]).sum::<usize>();
    if (0..VALUES).any(|digit| total(digit) == from.len()) {
        return false;
    }
    // Where the elements of each digit go: those of the first part before those of the second.
    let mut slots: Vec<Vec<_>> = counted.iter().map(|_| Vec::with_capacity(VALUES)).collect();
    let mut rest = to;
    for digit in 0..VALUES {
        for (slots, counts) in slots.iter_mut().zip(&counted) {
            let (own, after) = std::mem::take(&mut rest).split_at_mut(counts[digit]);
            slots.push(own.iter_mut());
            rest = after;
        }
    }
    let fill = |(slots, from): (&mut Vec<std::slice::IterMut<'_, i64>>, &[i64])| {
        let slots: &mut [_; VALUES] = slots.first_chunk_mut().expect("one slot for each value");
        for &x in from {
            if let Some(slot) = slots[usize::from((x >> shift) as u8)].next() {
                *slot = x;
            }
        }
    };
    match parts {
        1 => fill((&mut slots[0], from)),
        _ => slots.par_iter_mut().zip(from.par_chunks(part)).for_each(fill),
    }
    true
}

/// The places of a row's elements in sorted order, on as many threads as there are `parts`.
pub(super) fn sort<T: Real>(
    x: &[T],
    descending: bool,
    parts: usize,
    other: &mut Vec<i64>,
    places: &mut [i64],
) {
    let part = x.len().div_ceil(parts);
    if other.len() != x.len() {
        *other = vec![0; x.len()];
    }
    for (place, i) in places.iter_mut().zip(0..) {
        *place = i;
    }
    // 32 bits of the key at a time, above the place.
    for half in 0..size_of::<T>() / 4 {
        let load = |places: &mut [i64]| {
            for place in places {
                let i = *place as u32;
                *place = (key(x[i as usize], descending) >> (32 * half) << 32) as i64 | i64::from(i);
            }
        };
        match parts {
            1 => load(places),
            _ => places.par_chunks_mut(part).for_each(load),
        }
        let (mut from, mut to) = (&mut *places, &mut other[..]);
        let mut moved = false;
        for shift in [32, 40, 48, 56] {
            if pass(from, to, shift, parts) {
                (from, to, moved) = (to, from, !moved);
            }
        }
        if moved {
            to.copy_from_slice(from);
        }
    }
    let strip = |places: &mut [i64]| places.iter_mut().for_each(|place| *place = i64::from(*place as u32));
    match parts {
        1 => strip(places),
        _ => places.par_chunks_mut(part).for_each(strip),
    }
}
