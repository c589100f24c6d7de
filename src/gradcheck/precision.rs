//! What single and double precision allow.

use crate::number::Real;

/// Steps and tolerances of an element type.
pub(super) struct Precision {
    pub(super) epsilon: f64,
    /// The smallest number of full precision, below which no error is told.
    pub(super) tiny: f64,
    /// The step of the differences: about ε^(1/5), where rounding and the fifth derivative cost alike. Three times
    /// a power of two: moved inputs round little, and waves whose lengths are powers of two are not sampled at
    /// their zeros.
    pub(super) step: f64,
    /// The tolerance at orders 1, 2 and 3.
    pub(super) tolerance: [f64; 3],
    /// The tolerance between two ways to the same derivative, both without differences.
    pub(super) exact: f64,
    /// How often the step is halved where the first comparison is in doubt.
    pub(super) halvings: usize,
    /// The distance, in steps, between the values that noise is measured from: short enough that the function is
    /// a straight line there, long enough that the inputs differ.
    pub(super) close: f64,
    /// How much one-sided slopes may differ, in units of the larger, before the function is suspected of a kink.
    pub(super) bend: f64,
}

static DOUBLE: Precision = Precision {
    epsilon: f64::EPSILON,
    tiny: f64::MIN_POSITIVE,
    step: 3.0 / 4096.0,
    tolerance: [1e-9, 1e-7, 1e-5],
    exact: 1e-12,
    halvings: 16,
    close: 1.0 / 1024.0,
    bend: 1e-4,
};

static SINGLE: Precision = Precision {
    epsilon: f32::EPSILON as f64,
    tiny: f32::MIN_POSITIVE as f64,
    step: 3.0 / 128.0,
    tolerance: [5e-5, 5e-4, 5e-3],
    exact: 1e-5,
    halvings: 8,
    close: 1.0 / 64.0,
    bend: 1e-2,
};

impl Precision {
    pub(super) fn of<T: Real>() -> &'static Precision {
        if T::EPSILON.to_f64() == f64::EPSILON { &DOUBLE } else { &SINGLE }
    }

    /// The nearest step of the form 3 · 2ᵏ.
    pub(super) fn round_step(step: f64) -> f64 {
        3.0 * (step / 3.0).log2().round().exp2()
    }
}
