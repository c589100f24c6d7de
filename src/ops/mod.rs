//! The operations, one file each or one for a family that shares a rule.
//!
//! A file has everything about its operation: what it computes, the shape rule, the backward closure, the
//! forward-mode rule, the documentation with its example, and the samples that the conformance table checks it
//! on. The list below is the only other place that knows of it; those behind a feature have a list of their own, in
//! `fft.rs` and `linalg.rs`.

/// Declares the modules, and gathers their samples for the conformance table.
macro_rules! operations {
    ($($(#[$if:meta])? $name:ident)*) => {
        $($(#[$if])? mod $name;)*

        /// Every operation's samples.
        #[cfg(test)]
        pub(crate) fn samples() -> Vec<crate::conformance::Sample> {
            let mut all = Vec::new();
            $($(#[$if])? all.extend($name::samples());)*
            all
        }
    };
}

operations! {
    abs
    argmax
    arithmetic
    as_strided
    associative_scan
    atan2
    attention
    average_pool
    batch_norm
    bessel
    beta
    binary_cross_entropy
    clamp
    compare
    concat
    convolution
    covariance
    cross_entropy
    ctc
    cummax
    cumprod
    cumsum
    degrees
    diagonal
    diagonal_at
    diff
    differences
    distance
    dropout
    einsum
    elementwise
    elu
    embedding
    embedding_loss
    error_function
    expand
    expm_multiply
    exponential
    exponential_integral
    extrema
    #[cfg(feature = "fft")] fft
    flatten
    flip
    float_parts
    fold
    gamma
    gather
    gelu
    glu
    grid
    grid_sample
    group_norm
    gumbel_softmax
    hard
    hardtanh
    hyperbolic
    hypot
    identity
    implicit
    incomplete_gamma
    indexing
    interp
    inverse_error
    layer_norm
    leaky_relu
    lerp
    likelihood_loss
    #[cfg(feature = "linalg")] linalg
    linear
    log_prob
    log_sigmoid
    log_softmax
    logaddexp
    logcumsumexp
    logit
    logsumexp
    loss
    lp_pool
    margin_loss
    masked
    masked_softmax
    matmul
    matrix_product
    max
    max_pool
    max_unpool
    maxout
    median
    mish
    modified_bessel
    multi_head
    nan
    nan_reductions
    norm
    pad
    pairs
    permute
    pixel_shuffle
    power
    prelu
    prod
    put
    quantile
    recurrence
    relu
    remainder
    repeat
    resample
    reshape
    response_norm
    rnn
    roots
    rotary
    rounding
    sample
    scan
    scatter
    segment
    shrink
    sigmoid
    silu
    sinc
    slice
    softmax
    softplus
    softsign
    sort
    split
    squeeze
    stacks
    straight_through
    sum
    tanh
    tanhshrink
    tensordot
    trapezoid
    triangle
    trigonometric
    vander
    variance
    vector_product
    weight_norm
    where_
    xlogy
}

pub mod activation;
mod axis;
mod dual;
mod guard;
mod losses;
mod mixed;
mod normalise;
mod number;
mod per_axis;
mod pool;
mod recurrent;
mod reduction;
mod scalar;

pub use activation::Activation;
pub use attention::{AttentionMask, AttentionOptions};
pub use batch_norm::Statistics;
pub use convolution::Conv;
pub use differences::Ends;
pub use dual::Dual;
pub use einsum::EinsumPlan;
pub use elementwise::{Elementwise, Elementwise2, ElementwiseN};
pub(crate) use elementwise::{compiled, compiled2};
pub use embedding::Bags;
#[cfg(feature = "fft")]
pub use fft::public as fourier;
pub use grid::Indexing;
pub use grid_sample::{GridSample, Outside, Sampling};
pub use implicit::{Implicit, Krylov, LinearSolver};
pub use indexing::{Index, IntoIndices};
#[cfg(feature = "linalg")]
pub use linalg::public as linalg_settings;
pub use losses::Reduction;
pub use masked::IntoMask;
pub use multi_head::MultiHead;
pub use pad::Padding;
pub use per_axis::PerAxis;
pub use pool::Pool;
pub use quantile::Interpolation;
pub use resample::{Resampling, Resize};
pub use rnn::{Nonlinearity, RnnOptions, RnnWeights};
pub use rotary::Pairs;
pub use segment::Combine;
pub use softmax::Contraction;

/// The settings of losses, beside their reduction.
///
/// Where a loss takes a [`Reduction`](crate::Reduction), or settings, the settings are a struct of this module, made by
/// `new` and changed by methods that are named after what they set.
///
/// ```
/// use retrograde::{Reduction, Tape, Tensor, loss::CrossEntropy};
///
/// let tape = Tape::<f64>::new();
/// let x = tape.var(&Tensor::zeros([2, 3])?);
/// let labels = Tensor::from([0, 2]);
/// let plain = x.cross_entropy(&labels, Reduction::Sum);
/// let smoothed = x.cross_entropy(&labels, CrossEntropy::new().label_smoothing(0.1).reduction(Reduction::Sum));
/// assert!((plain.item()? - 2.0 * 3f64.ln()).abs() < 1e-15 && (smoothed.item()? - plain.item()?).abs() < 1e-15);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub mod loss_settings {
    pub use super::binary_cross_entropy::{BinaryCrossEntropy, Focal, MultilabelSoftMargin};
    pub use super::cross_entropy::{CrossEntropy, Nll, Targets};
    pub use super::ctc::Ctc;
    pub use super::embedding_loss::{Dice, TripletMargin};
    pub use super::likelihood_loss::{GaussianNll, KlDivergence, PoissonNll};
    pub use super::margin_loss::MultiMargin;
}
