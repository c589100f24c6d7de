//! Reverse-mode automatic differentiation of tensor programs on the CPU.
//!
//! A [`Tape`] records operations on [`Tensor`]s as they run. Its handles, [`Var`]s, are `Copy` and read as
//! mathematics. [`Var::backward`] walks the tape in reverse and gives plain tensors; [`Tape::vjp`] and [`Tape::jvp`]
//! record what they do, so that it can be differentiated again, to any order, in both modes.
//!
//! ```
//! use retrograde::{Tape, Tensor};
//!
//! let tape = Tape::new();
//! let w = tape.var(&Tensor::from([[0.5, -1.0], [0.25, 2.0]]));
//! let b = tape.var(&Tensor::from([0.1, 0.2]));
//! let x = tape.constant(&Tensor::from([[1.0, 2.0]]));
//!
//! let loss = (x.matmul(w) + b).tanh().square().mean();
//! let grads = loss.backward()?;
//! assert_eq!(grads.wrt(w)?.shape(), [2, 2]);
//!
//! // The gradient as a variable, and its derivative along a direction: Hessian times vector.
//! let [g] = tape.vjp(loss, &Tensor::scalar(1.0), [w])?;
//! let hv = tape.jvp(g, [(w, &Tensor::ones([2, 2])?)])?;
//! assert_eq!(hv.value()?.shape(), [2, 2]);
//!
//! // An error waits in the variable until a number is asked for, and knows the line it came from.
//! let error = x.matmul(b.reshape([1, 2])).sum().backward().unwrap_err();
//! assert!(error.to_string().starts_with("matmul: shapes [1, 2] and [1, 2] do not agree"));
//! # Ok::<(), retrograde::Error>(())
//! ```
//!
//! * [`Elementwise`] makes a function of your own fast in both modes and at every order.
//! * [`Dual`] differentiates scalar programs, with loops and branches, without a tape.
//! * [`gradcheck`](fn@gradcheck) compares derivatives with finite differences, and tells a kink from a mistake.
//! * [`functional`] and [`transform`] make derivatives of functions: gradients, Jacobians, Hessians, products with them.
//! * [`sparse`] computes Jacobians that are mostly zeros, [`Tape::checkpoint`] trades time for memory,
//!   [`Tape::root`] differentiates what a solver found, [`Tape::conjugate_gradients`] and [`Tape::gmres`] solve.
//! * [`optim`] has SGD, Adam, AdamW and L-BFGS over plain tensors; [`Parameters`] makes a model of an ordinary struct of them,
//!   and [`init`] says how it begins. Losses are methods of variables; [`loss`] has their settings.
//! * [`memory`] is the pool that tensors live in.
//!
//! Values at kinks, ties and the edge of a domain stand under `# Gradient` at each operation. The same inputs give the
//! same bits for any number of threads, on one instruction set; see [`isa`](fn@isa).

#[cfg(feature = "approx")]
mod approximate;
#[cfg(test)]
mod conformance;
mod error;
pub mod functional;
mod gradcheck;
pub mod init;
mod kernels;
mod number;
mod ops;
pub mod optim;
mod parameters;
mod shape;
pub mod sparse;
mod tape;
mod tensor;
pub mod transform;

pub use error::{Error, ErrorKind, Result};
pub use gradcheck::{Check, Gradcheck, Modes, Report, Row, Verdict, gradcheck};
pub use kernels::{Isa, isa};
pub use number::{Element, Number, Real, Scalar};
#[cfg(feature = "linalg")]
pub use ops::linalg_settings as linalg;
pub use ops::loss_settings as loss;
pub use ops::{
    Activation, AttentionMask, AttentionOptions, Bags, Combine, Contraction, Conv, Dual, EinsumPlan,
    Elementwise, Elementwise2, ElementwiseN, Ends, GridSample, Implicit, Index, Indexing, Interpolation,
    IntoIndices, IntoMask, Krylov, LinearSolver, MultiHead, Nonlinearity, Outside, Padding, Pairs, PerAxis,
    Pool, Reduction, Resampling, Resize, RnnOptions, RnnWeights, Sampling, Statistics, activation,
};
pub use parameters::{Parameters, Path};
pub use shape::{Axes, IntoShape, MAX_RANK, Shape};
#[doc(hidden)]
pub use tape::Segment;
pub use tape::{
    At, Gradients, HookId, IntoVar, Key, NonFinite, Operation, Outputs, Partials, Parts, Phase, Saved, Tape,
    Var, one,
};
pub use tensor::pool as memory;
pub use tensor::{Generator, Iter, Order, Side, Slice, Tensor, Unique};

/// The code in the README runs, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
