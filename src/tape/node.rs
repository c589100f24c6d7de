//! What the tape is a list of.

use super::operation::Operation;
use crate::error::Error;
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::panic::Location;

/// Indices of a node's inputs, inline up to four.
pub(super) type Inputs = SmallVec<[u32; 4]>;

/// One value on the tape and how it came about. Flat: nodes refer to each other by index, so that building,
/// sweeping and dropping a tape never recurse.
pub struct Node<T: Real> {
    /// The value, or the error that prevented it.
    pub(super) value: Result<Tensor<T>, Error>,
    /// The operation with its backward closure; none for leaves, for what needs no gradient, and for the second
    /// and later outputs of a node.
    pub(super) operation: Option<Box<dyn Operation<T>>>,
    pub(super) inputs: Inputs,
    pub(super) name: &'static str,
    /// The line of the user's source that asked for it.
    pub(super) line: &'static Location<'static>,
    /// Which output of its operation this is; the first is as many slots before.
    pub(super) output: u16,
    /// How many outputs the operation has, on the first of them.
    pub(super) outputs: u16,
    /// Whether it depends on a variable.
    pub(super) needs: bool,
    /// Whether it is a variable: a leaf made by `var`.
    pub(super) leaf: bool,
    /// Whether it is a checkpointed segment, which a sweep runs again.
    pub(super) segment: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_flat_and_small() {
        assert!(size_of::<Node<f32>>() <= 88, "{}", size_of::<Node<f32>>());
        assert!(size_of::<Node<f64>>() <= 88, "{}", size_of::<Node<f64>>());
        assert_eq!(size_of::<Tensor<f64>>(), 16);
        assert_eq!(size_of::<Option<Tensor<f64>>>(), 16);
    }
}
