//! Limited-memory BFGS.

mod line_search;
#[cfg(test)]
mod tests;

use super::{named, not_negative};
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::norm;
use crate::kernels::reduce::dot;
use crate::number::Real;
use crate::parameters::Parameters;
use crate::shape::same;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;
use line_search::Trial;
use std::collections::VecDeque;
use std::panic::Location;

/// Limited-memory BFGS (Nocedal and Wright, *Numerical Optimization*, algorithms 7.4 and 7.5) with a line search for
/// the strong Wolfe conditions: for smooth functions without noise, which it minimises to rounding in few evaluations.
///
/// The settings are here; [`minimize`](Lbfgs::minimize) runs it. All of its own arithmetic is in double precision and in
/// one order, so that a run can be repeated bit for bit.
///
/// ```
/// use retrograde::Tensor;
/// use retrograde::optim::Lbfgs;
///
/// // Rosenbrock's valley, from the usual start.
/// let mut at = (Tensor::scalar(-1.2_f64), Tensor::scalar(1.0_f64));
/// let found = Lbfgs::new().minimize(&mut at, |_, (x, y)| {
///     (1.0 - x).square() + (y - x.square()).square() * 100.0
/// })?;
/// assert!(found.converged() && found.gradient_norm <= 1e-8 && found.evaluations < 60);
/// assert!((at.0.item()? - 1.0).abs() < 1e-8 && (at.1.item()? - 1.0).abs() < 1e-8);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lbfgs {
    /// How many steps the model of the curvature remembers: 10 unless set. With 0 it is steepest descent.
    pub history: usize,
    /// The most iterations: 1000 unless set. Each takes one evaluation, and now and then a few.
    pub iterations: usize,
    /// Stops when no element of the gradient is larger: 10⁻⁸ unless set.
    pub gradient_tolerance: f64,
    /// Stops when an iteration lowers the value by no more than this times `max(|f|, 1)`: 0 unless set, which is never.
    pub value_tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Lbfgs {
        Lbfgs { history: 10, iterations: 1000, gradient_tolerance: 1e-8, value_tolerance: 0.0 }
    }
}

/// What a minimisation found, beside the parameters that it left in their place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// The value there.
    pub value: f64,
    /// The size of the gradient's largest element there.
    pub gradient_norm: f64,
    /// The iterations done.
    pub iterations: usize,
    /// How often value and gradient were computed.
    pub evaluations: usize,
    /// Why it ended.
    pub stop: Stop,
}

impl Minimum {
    /// Whether a tolerance was reached.
    pub fn converged(&self) -> bool {
        matches!(self.stop, Stop::Gradient | Stop::Value)
    }
}

/// Why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// No element of the gradient is above the tolerance.
    Gradient,
    /// An iteration lowered the value by no more than the tolerance.
    Value,
    /// The most iterations that were allowed.
    Iterations,
    /// No lower point was found, not even along the gradient: the value is as low as its rounding lets it be seen, or
    /// the gradient is not that of the value.
    NoProgress,
}

impl Lbfgs {
    /// With the usual settings.
    pub fn new() -> Lbfgs {
        Lbfgs::default()
    }

    /// Minimises a function of a model's tensors, which are left at the lowest point found. `loss` is given the model as
    /// variables on a tape, and gives one number; it runs once for each evaluation.
    ///
    /// A point where the value or the gradient is NaN or infinite is one to step back from, and so is one where a
    /// matrix has no factor or an iteration does not converge ([`NotPositiveDefinite`](ErrorKind::NotPositiveDefinite),
    /// [`Singular`](ErrorKind::Singular), [`NotFinite`](ErrorKind::NotFinite), [`NotConverged`](ErrorKind::NotConverged)).
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a tolerance that is negative or NaN, and if the value or the gradient at the
    /// start is not finite; any error of `loss` at the start, and later ones that are none of those above. The model then
    /// is at the lowest point found.
    ///
    /// ```
    /// use retrograde::optim::{Lbfgs, Stop};
    /// use retrograde::{Reduction, Tensor};
    ///
    /// // Logistic regression with a penalty on the weights.
    /// let x = Tensor::from([[1.0, 2.0], [2.0, 0.5], [-1.0, -1.0], [-2.0, 1.0]]);
    /// let labels = Tensor::from([1.0, 1.0, 0.0, 0.0]);
    /// let mut model = (Tensor::zeros([2])?, Tensor::scalar(0.0));
    /// let found = Lbfgs::new().minimize(&mut model, |tape, (w, b)| {
    ///     let logits = tape.constant(&x).matmul(w) + b;
    ///     logits.binary_cross_entropy_with_logits(&labels, Reduction::Sum) + w.square().sum() * 0.5
    /// })?;
    /// assert_eq!(found.stop, Stop::Gradient);
    /// assert!(found.value < 4.0 * 2f64.ln() && model.0[[0]] > 0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn minimize<T: Real, P: Parameters<T>>(
        &self,
        model: &mut P,
        mut loss: impl for<'t> FnMut(&'t Tape<T>, P::With<Var<'t, T>>) -> Var<'t, T>,
    ) -> Result<Minimum> {
        let line = Location::caller();
        let mut tape = Tape::new();
        let evaluate = |model: &P| {
            let (value, gradients) = {
                let (vars, keys) = model.on_with_keys(&tape);
                let loss = loss(&tape, vars);
                let seed = loss.unit_seed()?;
                let (value, gradients) = (loss.value()?.item()?, loss.backward_with(&seed)?);
                let of = |key: &_| gradients.of(*key).cloned();
                (value, keys.iter().map(of).collect::<Result<Vec<_>>>()?)
            };
            // Else the tape would share the memory of the tensors that are to be moved.
            tape.clear();
            Ok((value, gradients))
        };
        self.run(model, evaluate).map_err(named("Lbfgs::minimize", line))
    }

    /// Minimises a function whose value and gradients, one for each of the model's tensors in their order, a closure
    /// computes in its own way: from batches, in parallel, or without a tape. As [`minimize`](Lbfgs::minimize)
    /// otherwise, and with [`Shape`](ErrorKind::Shape) for gradients that do not fit.
    ///
    /// ```
    /// use retrograde::Tensor;
    /// use retrograde::optim::Lbfgs;
    ///
    /// // Σ cosh(xᵢ − i), by hand.
    /// let mut at = vec![Tensor::from([5.0_f64, -5.0])];
    /// let found = Lbfgs::new().minimize_with(&mut at, |at| {
    ///     let (x, y) = (at[0][[0]], at[0][[1]] - 1.0);
    ///     Ok((x.cosh() + y.cosh(), vec![Tensor::from([x.sinh(), y.sinh()])]))
    /// })?;
    /// assert!((found.value - 2.0).abs() < 1e-15 && (at[0][[1]] - 1.0).abs() < 1e-8);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn minimize_with<T: Real, P: Parameters<T>>(
        &self,
        model: &mut P,
        value_and_gradients: impl FnMut(&P) -> Result<(T, Vec<Tensor<T>>)>,
    ) -> Result<Minimum> {
        let line = Location::caller();
        self.run(model, value_and_gradients).map_err(named("Lbfgs::minimize_with", line))
    }

    fn run<T: Real, P: Parameters<T>>(
        &self,
        model: &mut P,
        mut evaluate: impl FnMut(&P) -> Result<(T, Vec<Tensor<T>>)>,
    ) -> Result<Minimum> {
        not_negative("gradient_tolerance", self.gradient_tolerance)?;
        not_negative("value_tolerance", self.value_tolerance)?;
        let mut evaluations = 0;
        let mut at = |model: &P, x: Vec<f64>| -> Result<Point> {
            evaluations += 1;
            let (value, gradients) = evaluate(model)?;
            Ok(Point { value: value.to_f64(), gradient: flat(model, &gradients)?, x })
        };
        let start = model.leaves().into_iter().flat_map(Tensor::iter).map(T::to_f64).collect();
        let mut point = at(model, start)?;
        if !point.value.is_finite() {
            return argument("the value at the start", point.value, "a finite number");
        }
        if !point.size().is_finite() {
            return argument(
                "the largest element of the gradient at the start",
                point.size(),
                "a finite number",
            );
        }
        let epsilon = T::EPSILON.to_f64();
        let mut curvature = Curvature { pairs: VecDeque::new(), most: self.history };
        let (mut iterations, mut lowest, mut flattest, mut stalled) = (0, point.value, point.size(), 0);
        let stop = loop {
            if point.size() <= self.gradient_tolerance {
                break Stop::Gradient;
            }
            if iterations >= self.iterations {
                break Stop::Iterations;
            }
            let found = loop {
                let direction = curvature.direction(&point.gradient);
                let slope = dot(&direction, &point.gradient);
                // The model's own step, or one of length 1 at most.
                let first = if curvature.pairs.is_empty() { (1.0 / norm(&direction)).min(1.0) } else { 1.0 };
                let on = line_search::Start { value: point.value, slope, first, epsilon };
                let found = line_search::search(on, |step| {
                    let x = move_to(model, &point.x, step, &direction)?;
                    let next = match at(model, x) {
                        Err(error) if can_be_stepped_back_from(error.kind()) => return Ok(None),
                        next => next?,
                    };
                    let finite = next.value.is_finite() && next.size().is_finite();
                    let slope = dot(&direction, &next.gradient);
                    Ok(finite.then_some(Trial { step, value: next.value, slope, point: next }))
                });
                match found {
                    // Along the gradient itself, before it is given up.
                    Ok(None) if !curvature.pairs.is_empty() => curvature.pairs.clear(),
                    Ok(found) => break found,
                    Err(error) => {
                        move_to(model, &point.x, 0.0, &point.x)?;
                        return Err(error);
                    }
                }
            };
            let Some(Trial { point: next, .. }) = found else { break Stop::NoProgress };
            iterations += 1;
            curvature.learn(&point, &next);
            let decrease = point.value - next.value;
            let scale = point.value.abs().max(next.value.abs()).max(1.0);
            point = next;
            // Where values differ by rounding alone, the gradient must go on falling.
            if point.value < lowest || point.size() < flattest {
                (lowest, flattest, stalled) = (lowest.min(point.value), flattest.min(point.size()), 0);
            } else {
                stalled += 1;
            }
            if stalled > STALLED {
                break Stop::NoProgress;
            }
            if decrease <= self.value_tolerance * scale && self.value_tolerance > 0.0 {
                break if point.size() <= self.gradient_tolerance { Stop::Gradient } else { Stop::Value };
            }
        };
        move_to(model, &point.x, 0.0, &point.x)?;
        Ok(Minimum { value: point.value, gradient_norm: point.size(), iterations, evaluations, stop })
    }
}

/// Iterations in a row that lower neither the value nor the gradient before it is over.
const STALLED: usize = 10;

/// A point, and what the function is there.
struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl Point {
    /// The size of the gradient's largest element, NaN if one is.
    fn size(&self) -> f64 {
        let larger =
            |most: f64, g: &f64| if most.is_nan() || g.is_nan() { f64::NAN } else { most.max(g.abs()) };
        self.gradient.iter().fold(0.0, larger)
    }
}

/// What of a point's neighbourhood is not in the function's domain.
fn can_be_stepped_back_from(kind: &ErrorKind) -> bool {
    use ErrorKind::*;
    matches!(kind, NotPositiveDefinite { .. } | Singular { .. } | NotFinite { .. } | NotConverged { .. })
}

/// All gradients' elements, in order.
fn flat<T: Real, P: Parameters<T>>(model: &P, gradients: &[Tensor<T>]) -> Result<Vec<f64>> {
    let leaves = model.leaves();
    if gradients.len() != leaves.len() {
        return argument("the number of gradients", gradients.len(), leaves.len());
    }
    for (i, (leaf, gradient)) in leaves.iter().zip(gradients).enumerate() {
        same(format_args!("gradient {i}"), gradient.shape(), leaf.shape())?;
    }
    Ok(gradients.iter().flat_map(Tensor::iter).map(T::to_f64).collect())
}

/// Puts the model at `x + step · d`, rounded to its precision, and gives where that is.
fn move_to<T: Real, P: Parameters<T>>(model: &mut P, x: &[f64], step: f64, d: &[f64]) -> Result<Vec<f64>> {
    let to: Vec<T> =
        x.iter().zip(d).map(|(x, d)| T::from_f64(if step == 0.0 { *x } else { x + step * d })).collect();
    let mut rest = to.as_slice();
    for leaf in model.leaves_mut() {
        let (these, after) = rest.split_at(leaf.len());
        leaf.as_mut_slice()?.copy_from_slice(these);
        rest = after;
    }
    Ok(to.into_iter().map(T::to_f64).collect())
}

/// A model of the inverse Hessian from the last steps.
struct Curvature {
    /// Steps, changes of the gradient along them, and the products of the two.
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    most: usize,
}

impl Curvature {
    /// Minus the model of the inverse Hessian times the gradient (algorithm 7.4).
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for (s, y, sy) in self.pairs.iter().rev() {
            let alpha = dot(s, &q) / sy;
            add_scaled(&mut q, -alpha, y);
            alphas.push(alpha);
        }
        if let Some((_, y, sy)) = self.pairs.back() {
            let scale = sy / dot(y, y);
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for ((s, y, sy), alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = dot(y, &q) / sy;
            add_scaled(&mut q, alpha - beta, s);
        }
        q
    }

    /// Remembers a step, unless the function is not convex along it.
    fn learn(&mut self, from: &Point, to: &Point) {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (s, y) = (difference(&to.x, &from.x), difference(&to.gradient, &from.gradient));
        let (sy, yy) = (dot(&s, &y), dot(&y, &y));
        if sy > f64::EPSILON * yy && yy.is_finite() && self.most > 0 {
            if self.pairs.len() == self.most {
                self.pairs.pop_front();
            }
            self.pairs.push_back((s, y, sy));
        }
    }
}

fn add_scaled(y: &mut [f64], c: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += c * x);
}
