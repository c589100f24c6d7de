//! The members of segments, side by side.

use super::Combine;
use crate::error::Result;
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// The members of each of `n` segments, by the segments' sizes.
pub(super) struct Groups {
    /// For each size the rows of its members, `[segments, size]`.
    members: Vec<Tensor<i64>>,
    /// For each segment its number in the order of the groups.
    place: Tensor<i64>,
}

impl Groups {
    /// `ids[j]` is the segment of row `first + j`. `own` says of each segment's size, without that, whether row `i` is
    /// the first member of segment `i`.
    pub(super) fn new(n: usize, ids: &[i64], first: usize, own: impl Fn(usize) -> bool) -> Result<Groups> {
        let mut sizes = vec![0usize; n];
        ids.iter().for_each(|&id| sizes[id as usize] += 1);
        let owned: Vec<bool> = sizes.iter().map(|&size| own(size)).collect();
        sizes.iter_mut().zip(&owned).for_each(|(size, &own)| *size += usize::from(own));
        let mut groups: BTreeMap<usize, usize> = BTreeMap::new();
        sizes.iter().for_each(|&size| *groups.entry(size).or_default() += 1);
        // Where the members of each group, and its segments, begin.
        let (mut start, mut rows, mut segments) = (BTreeMap::new(), 0, 0);
        for (&size, &many) in &groups {
            start.insert(size, (rows, segments));
            (rows, segments) = (rows + size * many, segments + many);
        }
        let mut next = Vec::with_capacity(n);
        let mut place = Vec::with_capacity(n);
        for &size in &sizes {
            let (row, segment) = start.get_mut(&size).expect("every size has a group");
            next.push(*row);
            place.push(*segment as i64);
            (*row, *segment) = (*row + size, *segment + 1);
        }
        let mut all = vec![0i64; rows];
        let mut put = |segment: usize, row: usize| {
            all[next[segment]] = row as i64;
            next[segment] += 1;
        };
        (0..n).filter(|&i| owned[i]).for_each(|i| put(i, i));
        ids.iter().enumerate().for_each(|(j, &id)| put(id as usize, first + j));
        let mut rest = &all[..];
        let mut members = Vec::with_capacity(groups.len());
        for (size, many) in groups {
            let (here, after) = rest.split_at(size * many);
            members.push(Tensor::from_slice(here, [many, size])?);
            rest = after;
        }
        Ok(Groups { members, place: Tensor::from(place) })
    }

    /// The segments of `[rows, inner]` combined: `[n, inner]`.
    pub(super) fn combined<'t, T: Real>(&self, x: Var<'t, T>, how: Combine) -> Result<Var<'t, T>> {
        let inner = x.try_shape()?[1];
        let part = |members: &Tensor<i64>| match members.shape()[1] {
            0 => x.constant(how.of_nothing()).expand([members.shape()[0], inner]),
            1 => x.index_select(0, members).squeeze(1),
            _ => how.of(x.index_select(0, members)),
        };
        let parts: Vec<Var<'t, T>> = self.members.iter().map(part).collect();
        Ok(match &parts[..] {
            [] => x.slice(0, 0..0),
            [all] => *all,
            parts => x.tape().concat(parts, 0).index_select(0, &self.place),
        })
    }
}

/// How often each of `n` is named.
pub(super) fn counts<T: Real>(n: usize, ids: &[i64]) -> Result<Tensor<T>> {
    let mut counts = vec![0u64; n];
    ids.iter().for_each(|&id| counts[id as usize] += 1);
    Tensor::from_iter_in(counts.into_iter().map(|count| T::from_f64(count as f64)), [n])
}
