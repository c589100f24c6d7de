//! retrograde

#[cfg(test)]
mod conformance;
mod error;
mod gradcheck;
mod kernels;
mod number;
mod ops;
mod shape;
mod tape;
mod tensor;

pub use error::{Error, ErrorKind, Result};
pub use gradcheck::{Gradcheck, Report, Row, gradcheck};
pub use kernels::{Isa, isa};
pub use number::{Element, Number, Real};
pub use ops::{Activation, Contraction, Dual, Elementwise, Elementwise2, activation};
pub use shape::{Axes, IntoShape, MAX_RANK, Shape};
pub use tape::{At, Gradients, IntoVar, Key, Operation, Outputs, Partials, Parts, Saved, Tape, Var, one};
pub use tensor::pool as memory;
pub use tensor::{Generator, Iter, Slice, Tensor};
