//! Slices and strides in, slices out: the loops that do the arithmetic.
//!
//! Nothing here knows of tensors, tapes or variables.

mod argument;
mod function;
mod isa;
mod map;
pub mod reduce;
pub mod rows;
pub mod threshold;

pub use function::{Function, run1, run2, run2_in_place, run3, run4};
pub(crate) use isa::multiversion;
pub use isa::{Isa, isa};
pub use map::{View, map, update};
