//! Slices and strides in, slices out: the loops that do the arithmetic.
//!
//! Nothing here knows of tensors, tapes or variables.

mod argument;
pub mod attention;
pub mod convolution;
pub mod ctc;
#[cfg(feature = "fft")]
pub mod fft;
mod function;
pub mod gamma;
mod isa;
#[cfg(feature = "linalg")]
pub mod linalg;
mod linear;
mod map;
pub mod matmul;
pub mod mix;
pub mod normalise;
pub mod optim;
pub mod order;
mod pad;
pub mod places;
pub mod pool;
pub mod products;
pub mod recurrent;
pub mod reduce;
pub mod rotary;
pub mod rows;
pub mod scan;
#[cfg(test)]
mod testing;
pub mod threshold;
pub mod transpose;

pub use function::{Function, Gradient, run_gradient, run_n, run1, run2, run2_in_place, run3, run4};
pub(crate) use isa::multiversion;
pub use isa::{Isa, isa};
pub use linear::{Limits, Outcome, conjugate_gradients, eliminate, gmres, norm};
pub use map::{Row, View, map, map_gradient, update};
pub use pad::{add_strided, surround};
pub use transpose::copy_strided;
