//! Plans of transforms, made once for each length.

use crate::number::Real;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Points of all plans kept, from which on they are all forgotten: their tables of roots of unity take memory.
const KEPT: usize = 1 << 22;

/// The plans made so far.
pub(super) struct Plans<T: FftNum> {
    complex: FftPlanner<T>,
    real: RealFftPlanner<T>,
    /// Roots of unity, for rows that are divided.
    pub(super) roots: HashMap<usize, Arc<Vec<Complex<T>>>>,
    lengths: HashSet<usize>,
    points: usize,
}

impl<T: FftNum> Plans<T> {
    fn new() -> Plans<T> {
        let (complex, real) = (FftPlanner::new(), RealFftPlanner::new());
        Plans { complex, real, roots: HashMap::new(), lengths: HashSet::new(), points: 0 }
    }

    fn room_for(&mut self, n: usize) {
        if !self.lengths.contains(&n) {
            if self.points.saturating_add(n) > KEPT {
                *self = Plans::new();
            }
            self.lengths.insert(n);
            self.points += n;
        }
    }
}

/// A number with a place for its plans.
pub(super) trait Planned: Real + FftNum {
    fn plans() -> &'static Mutex<Option<Plans<Self>>>;
}

macro_rules! planned {
    ($($t:ty)*) => {$(
        impl Planned for $t {
            fn plans() -> &'static Mutex<Option<Plans<$t>>> {
                static PLANS: Mutex<Option<Plans<$t>>> = Mutex::new(None);
                &PLANS
            }
        }
    )*};
}
planned! { f32 f64 }

/// What `plan` makes of the plans for `n` points.
pub(super) fn planned<T: Planned, P: ?Sized>(n: usize, plan: impl FnOnce(&mut Plans<T>) -> Arc<P>) -> Arc<P> {
    // A plan that panicked left nothing half made.
    let mut held: MutexGuard<'_, _> = T::plans().lock().unwrap_or_else(PoisonError::into_inner);
    let plans = held.get_or_insert_with(Plans::new);
    plans.room_for(n);
    plan(plans)
}

pub(super) fn complex_plan<T: Planned>(n: usize, inverse: bool) -> Arc<dyn Fft<T>> {
    let direction = if inverse { FftDirection::Inverse } else { FftDirection::Forward };
    planned(n, |plans: &mut Plans<T>| plans.complex.plan_fft(n, direction))
}

pub(super) fn half_plan<T: Planned>(n: usize) -> Arc<dyn RealToComplex<T>> {
    planned(n, |plans: &mut Plans<T>| plans.real.plan_fft_forward(n))
}

pub(super) fn whole_plan<T: Planned>(n: usize) -> Arc<dyn ComplexToReal<T>> {
    planned(n, |plans: &mut Plans<T>| plans.real.plan_fft_inverse(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_forgotten_when_they_are_many() {
        let mut plans = Plans::<f32>::new();
        for _ in 0..3 {
            plans.room_for(KEPT - 10);
            plans.room_for(10);
        }
        assert_eq!((plans.lengths.len(), plans.points), (2, KEPT));
        plans.room_for(1);
        assert_eq!((plans.lengths.len(), plans.points), (1, 1));
        // One that is too long alone stays until the next.
        plans.room_for(2 * KEPT);
        assert_eq!((plans.lengths.len(), plans.points), (1, 2 * KEPT));
    }
}
