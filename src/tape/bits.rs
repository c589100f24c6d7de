//! A set of node indices that is quick to walk downwards.

/// A set of indices, a bit each.
#[derive(Clone, Default)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// These indices.
    pub(super) fn of(indices: &[u32]) -> Bits {
        let mut bits = Bits::default();
        bits.grow(indices.iter().max().map_or(0, |&last| last as usize + 1));
        indices.iter().for_each(|&index| bits.insert(index));
        bits
    }

    /// Makes room for indices below `n`; keeps what is in the set.
    pub(super) fn grow(&mut self, n: usize) {
        let words = n.div_ceil(64);
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
    }

    pub(super) fn insert(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    pub(super) fn remove(&mut self, index: u32) {
        self.0[index as usize / 64] &= !(1 << (index % 64));
    }

    pub(super) fn get(&self, index: u32) -> bool {
        self.0.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The largest index in the set that is at most `top`.
    pub(super) fn last_up_to(&self, top: u32) -> Option<u32> {
        let mut word = (top as usize / 64).min(self.0.len().checked_sub(1)?);
        let mut bits = self.0[word];
        if word == top as usize / 64 {
            bits &= u64::MAX >> (63 - top % 64);
        }
        loop {
            if bits != 0 {
                return Some(word as u32 * 64 + 63 - bits.leading_zeros());
            }
            word = word.checked_sub(1)?;
            bits = self.0[word];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn walks_down_through_what_is_in() {
        let mut bits = Bits::default();
        assert_eq!(bits.last_up_to(5), None);
        bits.grow(200);
        for i in [0, 63, 64, 130, 199] {
            bits.insert(i);
        }
        bits.remove(64);
        assert!(bits.get(63) && !bits.get(64) && !bits.get(10_000));
        let mut seen = vec![];
        let mut top = 198;
        while let Some(i) = bits.last_up_to(top) {
            seen.push(i);
            if i == 0 {
                break;
            }
            top = i - 1;
        }
        assert_eq!(seen, [130, 63, 0]);
        assert_eq!(bits.last_up_to(10_000), Some(199));
    }
}
