//! Implicit differentiation: derivatives of what solves an equation, from one linear solve, whatever found it.
//!
//! Where `F(x*, θ) = 0`, `F_x dx + F_θ dθ = 0`. Forward mode solves `F_x dx = −F_θ dθ`. Reverse mode solves
//! `F_xᵀ λ = g` and hands on `−F_θᵀ λ`. Both linear systems are again equations whose solution depends on inputs, so
//! the same operation, with a linear residual, records them, and derivatives of every order follow.

mod krylov;

pub use krylov::Krylov;

use crate::error::{ErrorKind, Result};
use crate::kernels::{Limits, Outcome, conjugate_gradients, eliminate, gmres};
use crate::number::Real;
use crate::shape::same;
use crate::tape::{At, Operation, Outputs, Parts, Tape, Var, one};
use crate::tensor::Tensor;
use std::sync::Arc;

/// How the linear systems of implicit differentiation are solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinearSolver {
    /// By elimination with the Jacobian `F_x` in memory: for up to some hundred unknowns.
    Dense,
    /// By GMRES, from products with the Jacobian alone, restarted after so many: for any system.
    Gmres {
        /// The products between restarts.
        restart: usize,
    },
    /// By conjugate gradients, from products with the Jacobian alone: where it is symmetric and positive definite,
    /// as the Hessian at a minimum is.
    ConjugateGradients,
}

/// Settings of implicit differentiation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Implicit {
    /// The linear solver: GMRES restarted after 50 products unless set.
    pub solver: LinearSolver,
    /// The residual wanted of an iterative linear solver, relative to the right-hand side: 10⁻¹² unless set, and
    /// never less than 100 roundings of the element type. [`Tape::fixed_point`] stops its iteration by it, too.
    pub tolerance: f64,
    /// The most iterations of either: 10 000 unless set.
    pub iterations: usize,
}

impl Default for Implicit {
    fn default() -> Implicit {
        Implicit { solver: LinearSolver::Gmres { restart: 50 }, tolerance: 1e-12, iterations: 10_000 }
    }
}

type Residual<T> = Arc<dyn for<'t> Fn(Var<'t, T>, &[Var<'t, T>]) -> Result<Var<'t, T>> + Send + Sync>;
type Solve<T> = Arc<dyn Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync>;

impl<T: Real> Tape<T> {
    /// The solution `x*(θ)` of `F(x, θ) = 0`, found by `solve` in whatever way, with derivatives of every order from
    /// the equation alone, never through the iterations of `solve`.
    ///
    /// `solve(θ)` gives x*. `residual(x, θ)` is F in variables; its shape is that of x. The Jacobian `F_x` must be
    /// regular at x*. That `solve` gave a solution is taken on trust: the derivatives are as accurate as it is.
    ///
    /// For a minimum of `f`, the residual is its gradient:
    /// `|x, θ| transform::grad(|x| f(x, θ))(x)`, and conjugate gradients the solver.
    ///
    /// # Errors
    ///
    /// Those of `solve` and `residual`; [`ErrorKind::Shape`] for a residual of another shape than x;
    /// [`ErrorKind::NotConverged`] and [`ErrorKind::Singular`] from sweeps whose linear system could not be solved.
    ///
    /// ```
    /// use retrograde::{Implicit, Tape, Tensor};
    ///
    /// // x² = θ by bisection, which has no derivative of its own; dx/dθ = 1/(2x).
    /// let bisect = |theta: f64| {
    ///     let (mut low, mut high) = (0.0, theta.max(1.0));
    ///     for _ in 0..200 {
    ///         let x = (low + high) / 2.0;
    ///         if x * x < theta { low = x } else { high = x }
    ///     }
    ///     low
    /// };
    /// let tape = Tape::new();
    /// let theta = tape.var(&Tensor::scalar(4.0));
    /// let x = tape.root(
    ///     Implicit::default(),
    ///     &[theta],
    ///     move |theta| theta[0].map(bisect),
    ///     |x, theta| x * x - theta[0],
    /// );
    /// let [first] = tape.vjp(x, &Tensor::scalar(1.0), [theta])?;
    /// let [second] = tape.grad(first, [theta])?;
    /// assert!((first.item()? - 0.25).abs() < 1e-15);
    /// assert!((second.item()? + 1.0 / 32.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn root<'t>(
        &'t self,
        settings: Implicit,
        inputs: &[Var<'t, T>],
        solve: impl Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
        residual: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let residual: Residual<T> = Arc::new(move |x, theta| Ok(residual(x, theta)));
        self.apply(
            Root { name: "root", settings, solve: Some(Arc::new(solve)), residual, preconditioner: None },
            inputs,
        )
    }

    /// The fixed point `x* = g(x*, θ)`, iterated from `start` until a step changes x by no more than the tolerance
    /// times its size, with derivatives as of [`root`](Tape::root): memory and time of a sweep do not depend on how
    /// many iterations it took.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotConverged`] if the iteration does not settle; else as [`root`](Tape::root).
    ///
    /// ```
    /// use retrograde::{Implicit, Tape, Tensor};
    ///
    /// // x = cos(θ x) at θ = 1, where dx/dθ = −x sin x / (1 + sin x).
    /// let tape = Tape::new();
    /// let theta = tape.var(&Tensor::scalar(1.0));
    /// let x = tape.fixed_point(Implicit::default(), &[theta], &Tensor::scalar(0.5), |x, t| (t[0] * x).cos());
    /// let at: f64 = x.item()?;
    /// assert!((at - at.cos()).abs() < 1e-12);
    /// let [g] = tape.grad(x, [theta])?;
    /// assert!((g.item()? + at * at.sin() / (1.0 + at.sin())).abs() < 1e-11);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn fixed_point<'t>(
        &'t self,
        settings: Implicit,
        inputs: &[Var<'t, T>],
        start: &Tensor<T>,
        step: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let step = Arc::new(step);
        let (start, again) = (start.clone(), Arc::clone(&step));
        let solve = move |theta: &[&Tensor<T>]| iterate(settings, &start, theta, &*again);
        let residual: Residual<T> = Arc::new(move |x, theta| Ok(x - step(x, theta)));
        let solve: Option<Solve<T>> = Some(Arc::new(solve));
        self.apply(Root { name: "fixed_point", settings, solve, residual, preconditioner: None }, inputs)
    }
}

fn iterate<T: Real>(
    settings: Implicit,
    start: &Tensor<T>,
    theta: &[&Tensor<T>],
    step: &impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T>,
) -> Result<Tensor<T>> {
    let tolerance = tolerance::<T>(settings);
    let mut tape = Tape::new();
    let mut x = start.clone();
    let mut change = f64::INFINITY;
    for _ in 0..settings.iterations {
        tape.clear();
        let theta: Vec<Var<'_, T>> = theta.iter().map(|theta| tape.constant(theta)).collect();
        let next = step(tape.constant(&x), &theta).value()?;
        same("the next iterate", next.shape(), x.shape())?;
        let size = |x: &Tensor<T>| x.iter().fold(0.0, |m: f64, x| m.max(x.to_f64().abs()));
        let moved = x.iter().zip(&next).fold(0.0, |m: f64, (a, b)| {
            let distance = (a.to_f64() - b.to_f64()).abs();
            if distance.is_nan() { f64::INFINITY } else { m.max(distance) }
        });
        change = if moved == 0.0 { 0.0 } else { moved / size(&next) };
        x = next;
        if change <= tolerance {
            return Ok(x);
        }
    }
    Err(ErrorKind::NotConverged { residual: change, tolerance, iterations: settings.iterations }.into())
}

fn tolerance<T: Real>(settings: Implicit) -> f64 {
    settings.tolerance.max(100.0 * T::EPSILON.to_f64())
}

/// The x with `residual(x, inputs) = 0`: found by `solve`, or by a linear solver if there is none; then the residual is
/// linear in x but for a constant, and x has the shape of the first input.
struct Root<T: Real> {
    name: &'static str,
    settings: Implicit,
    solve: Option<Solve<T>>,
    residual: Residual<T>,
    preconditioner: Option<Preconditioner<T>>,
}

/// What conjugate gradients are preconditioned by: linear in its first argument, and symmetric.
struct Preconditioner<T: Real> {
    of: Residual<T>,
    /// Which of the operation's inputs are its own: all from this one on.
    inputs: usize,
}

impl<T: Real> Root<T> {
    /// The operation for a derivative's linear system: its inputs are a right-hand side, x, and those of this one.
    fn linear(&self, residual: Residual<T>) -> Root<T> {
        let preconditioner = self
            .preconditioner
            .as_ref()
            .map(|Preconditioner { of, inputs }| Preconditioner { of: Arc::clone(of), inputs: inputs + 2 });
        Root { solve: None, residual, preconditioner, ..*self }
    }

    /// Solves `A x = b`, where the residual is `A x − b`.
    fn solve_linear(&self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>> {
        let shape = inputs[0].shape();
        let tape = Tape::new();
        let x = tape.argument(tape.constant(&Tensor::zero_view(shape)?));
        let inputs: Vec<Var<'_, T>> = inputs.iter().map(|input| tape.constant(input)).collect();
        let r = residual_at(&self.residual, x, &inputs)?;
        let b: Vec<f64> = r.value()?.iter().map(|r| -r.to_f64()).collect();
        let single = |x: &[f64]| Tensor::from_iter_in(x.iter().map(|&x| T::from_f64(x)), shape);
        // Products with what is linear in x but for a constant.
        let along = |y: Var<'_, T>, p: &[f64]| -> Result<Vec<f64>> {
            let product = tape.tangents_of(&[y], &[x], &[&single(p)?])?.swap_remove(0);
            Ok(product.iter().map(T::to_f64).collect())
        };
        let apply = |p: &[f64]| along(r, p);
        let tolerance = tolerance::<T>(self.settings);
        let limits = Limits { tolerance, iterations: self.settings.iterations };
        let mut solution = vec![0.0; b.len()];
        let outcome = match self.settings.solver {
            LinearSolver::Dense => {
                let mut a: Vec<f64> = tape.jacobians(r, &[x])?[0].iter().map(T::to_f64).collect();
                solution.copy_from_slice(&b);
                eliminate(&mut a, &mut solution).map_err(|pivot| {
                    crate::Error::from(ErrorKind::Singular { batch: vec![], size: b.len(), pivot })
                })?;
                Outcome { residual: 0.0, iterations: 0 }
            }
            LinearSolver::Gmres { restart } => gmres(apply, &b, &mut solution, restart, limits)?,
            LinearSolver::ConjugateGradients => {
                let z = match &self.preconditioner {
                    Some(Preconditioner { of, inputs: own }) => {
                        let z = of(x, &inputs[*own..])?;
                        same("what the preconditioner gives", &z.try_shape()?, shape)?;
                        Some(z)
                    }
                    None => None,
                };
                let precondition = z.map(|z| move |p: &[f64]| along(z, p));
                conjugate_gradients(apply, precondition, &b, &mut solution, limits)?
            }
        };
        if outcome.residual <= tolerance {
            return single(&solution);
        }
        let Outcome { residual, iterations } = outcome;
        Err(ErrorKind::NotConverged { residual, tolerance, iterations }.into())
    }
}

/// The residual, if it has the shape of x.
fn residual_at<'t, T: Real>(
    residual: &Residual<T>,
    x: Var<'t, T>,
    theta: &[Var<'t, T>],
) -> Result<Var<'t, T>> {
    let r = residual(x, theta)?;
    same("the residual", &r.try_shape()?, &x.try_shape()?)?;
    Ok(r)
}

/// Inputs, some of them as variables of their own to differentiate by.
fn arguments<'t, T: Real>(
    at: &At<'_, 't, T>,
    moves: impl Fn(usize) -> bool,
) -> (Vec<Var<'t, T>>, Vec<Option<Var<'t, T>>>) {
    let of = |i| moves(i).then(|| at.x(i)).map(|x| x.tape().argument(x));
    let arguments: Vec<Option<Var<'t, T>>> = (0..at.inputs()).map(of).collect();
    let inputs = arguments.iter().enumerate().map(|(i, argument)| argument.unwrap_or_else(|| at.x(i)));
    (inputs.collect(), arguments)
}

impl<T: Real> Operation<T> for Root<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Result<Outputs<T>> {
        match &self.solve {
            Some(solve) => solve(inputs).map(one),
            None => self.solve_linear(inputs).map(one),
        }
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (x, g) = (at.y(0), at.g(0));
        let tape = g.tape();
        // F_xᵀ λ − g = 0, an equation for λ with the inputs g, x and θ.
        let f = Arc::clone(&self.residual);
        let adjoint = self.linear(Arc::new(move |lambda, inputs| {
            let [g, x, theta @ ..] = inputs else { unreachable!("made with these") };
            let x = x.tape().argument(*x);
            let product = x.tape().cotangents([(residual_at(&f, x, theta)?, lambda)], &[x])?;
            Ok(product[0] - *g)
        }));
        let theta = (0..at.inputs()).map(|i| at.x(i));
        let lambda = tape.apply(adjoint, &[g, x].into_iter().chain(theta).collect::<Vec<_>>());
        lambda.try_shape()?;
        let (theta, wanted) = arguments(at, |i| at.needs(i));
        let r = residual_at(&self.residual, x, &theta)?;
        let moving: Vec<Var<'t, T>> = wanted.iter().flatten().copied().collect();
        let mut parts = tape.cotangents([(r, lambda)], &moving)?.into_iter();
        Ok(wanted.iter().map(|theta| theta.and_then(|_| parts.next()).map(|part| -part)).collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let x = at.y(0);
        let tape = x.tape();
        let (theta, moving) = arguments(at, |i| at.dx(i).is_some());
        let r = residual_at(&self.residual, x, &theta)?;
        let directions = moving.iter().enumerate().filter_map(|(i, theta)| theta.zip(at.dx(i)));
        let b = -tape.recorded_tangents(&[r], directions)?[0];
        // F_x dx − b = 0, an equation for dx with the inputs b, x and θ.
        let f = Arc::clone(&self.residual);
        let tangent = self.linear(Arc::new(move |dx, inputs| {
            let [b, x, theta @ ..] = inputs else { unreachable!("made with these") };
            let x = x.tape().argument(*x);
            Ok(x.tape().recorded_tangents(&[residual_at(&f, x, theta)?], [(x, dx)])?[0] - *b)
        }));
        let theta = (0..at.inputs()).map(|i| at.x(i));
        at.one(tape.apply(tangent, &[b, x].into_iter().chain(theta).collect::<Vec<_>>()))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    use crate::number::Number;
    fn by(solver: LinearSolver) -> Implicit {
        Implicit { solver, ..Implicit::default() }
    }
    let mut all = krylov::samples();
    all.extend([
        sample!(
            "root",
            shapes(&[&[&[3], &[3]], &[&[2, 2], &[1, 2]], &[&[], &[]], &[&[0], &[0]]], 0.5, 2.0),
            |x| {
                // y³ b = a
                x[0].tape().root(
                    by(LinearSolver::Dense),
                    &[x[0], x[1]],
                    |v| v[0].try_div(v[1])?.map(Number::cbrt),
                    |y, v| y.square() * y * v[1] - v[0],
                )
            }
        ),
        sample!("fixed_point", shapes(&[&[&[4], &[4, 4]], &[&[1], &[1, 1]]], -0.5, 0.5), |x| {
            let start = x[0].value().unwrap();
            x[0].tape().fixed_point(Implicit::default(), x, &start, |y, v| {
                (v[1].matmul(y) * 0.5 + v[0]).tanh() * 0.5
            })
        }),
        wrong!(
            "root",
            &[&[2]],
            |x| x[0].tape().root(Implicit::default(), x, |v| Ok(v[0].clone()), |y, _| y.sum()),
            "the residual has shape [], wanted [2]"
        ),
    ]);
    all
}
