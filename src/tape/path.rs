//! Which nodes lie between what is differentiated and what it is differentiated by.

use super::{Bits, Tape};
use crate::number::Real;

/// The nodes that some outputs depend on, and that depend on some inputs, those on both ends included.
pub(super) struct Path {
    /// Ascending.
    pub(super) nodes: Vec<u32>,
    pub(super) set: Bits,
    /// The lowest input.
    pub(super) lowest: u32,
}

impl<T: Real> Tape<T> {
    /// The path from `xs` to `ys`. Looks at what `ys` depend on alone, however long the tape.
    pub(super) fn path(&self, xs: &[u32], ys: &[u32]) -> Path {
        let lowest = xs.iter().min().map_or(u32::MAX, |&lowest| lowest);
        let mut nodes = self.ancestors(ys, lowest);
        nodes.reverse();
        let ends = Bits::of(xs);
        let mut set = Bits::default();
        set.grow(nodes.last().map_or(0, |&last| last as usize + 1));
        let store = self.store.borrow();
        nodes.retain(|&index| {
            let is_in = ends.get(index) || store.inputs_of(index).iter().any(|&input| set.get(input));
            if is_in {
                set.insert(index);
            }
            is_in
        });
        Path { nodes, set, lowest }
    }

    /// The nodes from `lowest` on that `ys` depend on, those included, descending.
    pub(super) fn ancestors(&self, ys: &[u32], lowest: u32) -> Vec<u32> {
        let store = self.store.borrow();
        let mut found = Vec::new();
        let mut set = Bits::of(ys);
        let mut top = ys.iter().max().map_or(0, |&top| top);
        while let Some(index) = set.last_up_to(top).filter(|&index| index >= lowest) {
            found.push(index);
            store.inputs_of(index).iter().for_each(|&input| set.insert(input));
            match index.checked_sub(1) {
                Some(below) => top = below,
                None => break,
            }
        }
        found
    }
}
