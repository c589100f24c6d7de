//! Seeded random numbers: the same on every machine and for any number of threads.

use super::Tensor;
use crate::error::Result;
use crate::number::Real;
use crate::shape::IntoShape;
use std::ops::Range;

/// A seeded generator of random numbers.
///
/// The numbers depend on the seed and on what was drawn before, on nothing else. SplitMix64 (Steele, Lea and
/// Flood, 2014): 64 bits of state, period 2⁶⁴. Not for cryptography.
///
/// ```
/// use retrograde::{Generator, Tensor};
///
/// let x = Tensor::<f64>::normal([1000], 0.0, 1.0, &mut Generator::new(7))?;
/// let y = Tensor::<f64>::normal([1000], 0.0, 1.0, &mut Generator::new(7))?;
/// assert_eq!(x, y);
/// let mean = x.iter().sum::<f64>() / 1000.0;
/// assert!(mean.abs() < 0.1);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    state: u64,
}

impl Generator {
    /// A generator that begins at `seed`.
    pub fn new(seed: u64) -> Generator {
        Generator { state: seed }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from the uniform law on [0, 1): a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number from the standard normal law, by the polar form of Box and Muller.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// An index below `n`, each equally likely; 0 for `n = 0`.
    pub fn below(&mut self, n: usize) -> usize {
        // Lemire's multiplication: the bias is below n/2⁶⁴.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Puts a slice into random order (Fisher and Yates).
    pub fn shuffle<E>(&mut self, items: &mut [E]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

impl<T: Real> Tensor<T> {
    /// Numbers from the uniform law on `range`, the end excluded up to rounding.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let x = Tensor::<f32>::uniform([100], -1.0..1.0, &mut Generator::new(1))?;
    /// assert!(x.iter().all(|x| (-1.0..=1.0).contains(&x)));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn uniform(shape: impl IntoShape, range: Range<f64>, from: &mut Generator) -> Result<Tensor<T>> {
        Tensor::build(shape.into_shape()?, |out| {
            for x in out {
                *x = T::from_f64(range.start + (range.end - range.start) * from.uniform());
            }
        })
    }

    /// Numbers from the normal law with the given mean and standard deviation.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub fn normal(shape: impl IntoShape, mean: f64, std: f64, from: &mut Generator) -> Result<Tensor<T>> {
        Tensor::build(shape.into_shape()?, |out| {
            for x in out {
                *x = T::from_f64(mean + std * from.normal());
            }
        })
    }
}
