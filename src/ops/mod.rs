//! The operations, one file each or one for a family that shares a rule.
//!
//! A file has everything about its operation: what it computes, the shape rule, the backward closure, the
//! forward-mode rule, the documentation with its example, and the samples that the conformance table checks it
//! on. The list below is the only other place that knows of it.

/// Declares the modules, and gathers their samples for the conformance table.
macro_rules! operations {
    ($($name:ident)*) => {
        $(mod $name;)*

        /// Every operation's samples.
        #[cfg(test)]
        pub(crate) fn samples() -> Vec<crate::conformance::Sample> {
            let mut all = Vec::new();
            $(all.extend($name::samples());)*
            all
        }
    };
}

operations! {
    abs
    argmax
    arithmetic
    atan2
    bessel
    beta
    clamp
    compare
    concat
    cross_entropy
    degrees
    diagonal
    differences
    einsum
    elementwise
    elu
    error_function
    expand
    exponential
    exponential_integral
    extrema
    float_parts
    gamma
    gelu
    glu
    hard
    hardtanh
    hyperbolic
    hypot
    identity
    implicit
    incomplete_gamma
    interp
    inverse_error
    leaky_relu
    lerp
    linear
    log_sigmoid
    log_softmax
    logaddexp
    logit
    logsumexp
    loss
    matmul
    max
    maxout
    mish
    modified_bessel
    nan
    norm
    permute
    power
    prelu
    prod
    relu
    remainder
    reshape
    roots
    rounding
    shrink
    sigmoid
    silu
    sinc
    slice
    softmax
    softplus
    softsign
    squeeze
    straight_through
    sum
    tanh
    tanhshrink
    trigonometric
    variance
    where_
    xlogy
}

pub mod activation;
mod axis;
mod dual;
mod guard;
mod number;
mod reduction;
mod scalar;

pub use activation::Activation;
pub use differences::Ends;
pub use dual::Dual;
pub use elementwise::{Elementwise, Elementwise2, ElementwiseN};
pub(crate) use elementwise::{compiled, compiled2};
pub use implicit::{Implicit, LinearSolver};
pub use loss::Reduction;
pub use softmax::Contraction;
