//! Stochastic gradient descent.

use super::{Ready, below_one, named, not_negative, writable};
use crate::error::Result;
use crate::kernels::optim as kernel;
use crate::number::Real;
use crate::tensor::Tensor;
use std::panic::Location;

/// Gradient descent, with momentum and weight decay if asked for.
///
/// With `g` the gradient plus `weight_decay · p`: `v ← momentum · v + g`, `p ← p − learning_rate · v`. The velocity
/// begins at 0.
///
/// ```
/// use retrograde::Tensor;
/// use retrograde::optim::Sgd;
///
/// let mut x = Tensor::from([1.0, -2.0]);
/// let mut sgd = Sgd::new(0.25);
/// sgd.momentum = 0.5;
/// for _ in 0..2 {
///     let gradient = &x * 2.0;
///     sgd.step([(&mut x, &gradient)])?;
/// }
/// // v = 2, x = 1 − 0.5; then v = 0.5 · 2 + 1, x = 0.5 − 0.5.
/// assert_eq!(x.to_vec(), [0.0, 0.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<T: Real> {
    /// The step's length in units of the velocity: at least 0.
    pub learning_rate: f64,
    /// The part of the velocity that is kept from step to step: 0 unless set, below 1.
    pub momentum: f64,
    /// How much of the parameter is added to its gradient: 0 unless set.
    pub weight_decay: f64,
    shapes: Option<Vec<Vec<usize>>>,
    /// None until a step has momentum.
    velocities: Option<Vec<Tensor<T>>>,
}

impl<T: Real> Sgd<T> {
    /// Without momentum and weight decay.
    pub fn new(learning_rate: f64) -> Sgd<T> {
        Sgd { learning_rate, momentum: 0.0, weight_decay: 0.0, shapes: None, velocities: None }
    }

    /// Updates each parameter by its gradient.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for a gradient that has not its parameter's shape, or a parameter that
    /// changed its shape; [`Argument`](crate::ErrorKind::Argument) if their number changed, or for a
    /// hyperparameter out of range; [`OutOfMemory`](crate::ErrorKind::OutOfMemory). Whatever the error, every
    /// parameter and the optimiser are as they were.
    #[track_caller]
    pub fn step<'p, 'g>(
        &mut self,
        parameters: impl IntoIterator<Item = (&'p mut Tensor<T>, &'g Tensor<T>)>,
    ) -> Result<()> {
        let line = Location::caller();
        self.update(parameters).map_err(named("Sgd::step", line))
    }

    fn update<'p, 'g>(
        &mut self,
        parameters: impl IntoIterator<Item = (&'p mut Tensor<T>, &'g Tensor<T>)>,
    ) -> Result<()> {
        not_negative("learning_rate", self.learning_rate)?;
        below_one("momentum", self.momentum)?;
        not_negative("weight_decay", self.weight_decay)?;
        let ready = Ready::new(parameters, self.shapes.as_deref())?;
        if self.momentum > 0.0 && self.velocities.is_none() {
            self.velocities = Some(ready.zeros()?);
        }
        self.shapes.get_or_insert_with(|| ready.shapes());
        let c = kernel::Sgd {
            rate: T::from_f64(self.learning_rate),
            momentum: T::from_f64(self.momentum),
            decay: T::from_f64(self.weight_decay),
        };
        let velocities = &mut self.velocities;
        ready.each(|i, p, g| match velocities {
            Some(velocities) => kernel::momentum(c, g, p, writable(&mut velocities[i])),
            None => kernel::plain(c, g, p),
        });
        Ok(())
    }
}
