//! The hand-written digits that several examples learn from.

use retrograde::{Result, Tensor};

/// Images of 8 by 8 with grey levels from 0 to 1, and what they show.
pub struct Digits {
    pub pixels: Vec<[f32; 64]>,
    pub labels: Vec<i64>,
}

impl Digits {
    pub fn read() -> Digits {
        let (mut pixels, mut labels) = (vec![], vec![]);
        for line in include_str!("digits.csv").lines() {
            let mut numbers = line.split(',').map(|n| n.parse::<i64>().expect("the file holds integers"));
            let mut next = || numbers.next().expect("64 pixels and a label");
            pixels.push(std::array::from_fn(|_| next() as f32 / 16.0));
            labels.push(next());
        }
        Digits { pixels, labels }
    }

    /// Some of the images, a row each.
    pub fn images(&self, which: &[usize]) -> Result<Tensor<f32>> {
        Tensor::from_iter_in(which.iter().flat_map(|&i| self.pixels[i]), [which.len(), 64])
    }
}
