//! Solutions of linear systems whose matrix is known by its products with vectors alone.

use super::{Implicit, LinearSolver, Preconditioner, Residual, Root};
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var};
use std::sync::Arc;

/// Settings of iterative linear solvers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Krylov {
    /// The residual wanted, relative to the right-hand side, both in the Euclidean norm: 10⁻¹² unless set, and never
    /// less than 100 roundings of the element type.
    pub tolerance: f64,
    /// The most products with the matrix: 10 000 unless set.
    pub iterations: usize,
    /// The products between two restarts of GMRES, which keeps as many vectors: 50 unless set.
    pub restart: usize,
}

impl Default for Krylov {
    fn default() -> Krylov {
        Krylov { tolerance: 1e-12, iterations: 10_000, restart: 50 }
    }
}

impl Krylov {
    fn implicit(self, solver: LinearSolver) -> Implicit {
        Implicit { solver, tolerance: self.tolerance, iterations: self.iterations }
    }
}

impl<T: Real> Tape<T> {
    /// The solution x of `A(θ) x = b` by conjugate gradients, for a symmetric positive definite A that is known by
    /// `matvec(v, θ) = A(θ) v`, in variables. b has any shape, on which A acts; x has the same. The iteration starts
    /// from 0.
    ///
    /// # Gradient
    ///
    /// `b̄ = λ` with `A λ = x̄`, and `θ̄` that of `−⟨λ, A(θ) x⟩` with λ and x held: another linear system, solved in the
    /// same way, at every order and in both modes, and never through the iterations. Memory does not depend on their number.
    ///
    /// # Accuracy
    ///
    /// The residual is below the tolerance, so that x is right to the tolerance times the condition of A. The
    /// iteration runs in double precision with products in the tape's own.
    ///
    /// # Errors
    ///
    /// [`NotConverged`](crate::ErrorKind::NotConverged), also for an A that turns out not to be positive definite, and for
    /// NaN; [`Shape`](crate::ErrorKind::Shape) for products of another shape; those of `matvec`.
    ///
    /// ```
    /// use retrograde::{Krylov, Tape, Tensor};
    ///
    /// // −x″ + θ x = b on a circle of four points.
    /// let tape = Tape::<f64>::new();
    /// let theta = tape.var(&Tensor::scalar(1.0));
    /// let b = tape.var(&Tensor::from([1.0, 0.0, 0.0, 0.0]));
    /// let x = tape.conjugate_gradients(Krylov::default(), &[theta], b, |v, theta| {
    ///     v * 2.0 - v.roll([1], 0) - v.roll([-1], 0) + v * theta[0]
    /// });
    /// for (found, exact) in x.value()?.iter().zip([7.0, 3.0, 2.0, 3.0]) {
    ///     assert!((found - exact / 15.0).abs() < 1e-14);
    /// }
    /// // Constants are eigenvectors, with θ: Σ x = Σ b / θ.
    /// let grads = x.sum().backward()?;
    /// assert!((grads.wrt(theta)?.item()? + 1.0).abs() < 1e-14);
    /// assert!(grads.wrt(b)?.iter().all(|g| (g - 1.0).abs() < 1e-14));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "cg")]
    #[track_caller]
    pub fn conjugate_gradients<'t>(
        &'t self,
        settings: Krylov,
        inputs: &[Var<'t, T>],
        b: Var<'t, T>,
        matvec: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let settings = settings.implicit(LinearSolver::ConjugateGradients);
        self.solve_by("conjugate_gradients", settings, inputs, b, matvec, None)
    }

    /// As [`conjugate_gradients`](Tape::conjugate_gradients), with a preconditioner: `precondition(v, θ) = M(θ) v` is
    /// linear in v, symmetric, positive definite, and about the inverse of A. It is a matter of time alone: the solution
    /// and its derivatives do not depend on M.
    ///
    /// # Errors
    ///
    /// As [`conjugate_gradients`](Tape::conjugate_gradients).
    ///
    /// ```
    /// use retrograde::{Krylov, Tape, Tensor};
    ///
    /// // Jacobi's preconditioner: by the diagonal, which is all of this matrix, so that one step is enough.
    /// let tape = Tape::<f64>::new();
    /// let d = tape.var(&Tensor::from([1.0, 1e3, 1e6]));
    /// let b = tape.constant(&Tensor::from([1.0, 1.0, 1.0]));
    /// let once = Krylov { iterations: 1, ..Krylov::default() };
    /// let x = tape.preconditioned_conjugate_gradients(once, &[d], b, |v, d| v * d[0], |v, d| v / d[0]);
    /// assert_eq!(x.value()?.to_vec(), [1.0, 1e-3, 1e-6]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn preconditioned_conjugate_gradients<'t>(
        &'t self,
        settings: Krylov,
        inputs: &[Var<'t, T>],
        b: Var<'t, T>,
        matvec: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
        precondition: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let settings = settings.implicit(LinearSolver::ConjugateGradients);
        let of: Residual<T> = Arc::new(move |v, inputs| Ok(precondition(v, inputs)));
        let preconditioner = Preconditioner { of, inputs: 1 };
        self.solve_by("preconditioned_conjugate_gradients", settings, inputs, b, matvec, Some(preconditioner))
    }

    /// As [`conjugate_gradients`](Tape::conjugate_gradients), by GMRES with restarts, for any regular A; its
    /// derivatives solve with the transpose, which comes of `matvec` by itself.
    ///
    /// # Errors
    ///
    /// [`NotConverged`](crate::ErrorKind::NotConverged); [`Shape`](crate::ErrorKind::Shape) for products of another
    /// shape; those of `matvec`.
    ///
    /// ```
    /// use retrograde::{Krylov, Tape, Tensor};
    ///
    /// // x + θ ∫₀ᵗ x = 1 by the rectangle rule: x = (1 + θ/n)⁻ᵏ.
    /// let tape = Tape::<f64>::new();
    /// let theta = tape.var(&Tensor::scalar(2.0));
    /// let b = tape.constant(&Tensor::ones([10])?);
    /// let x = tape.gmres(Krylov::default(), &[theta], b, |v, theta| v + v.cumsum(0) * theta[0] * 0.1);
    /// let end = x.slice(0, 9..).sum();
    /// assert!((end.item()? - 1.2_f64.powi(-10)).abs() < 1e-13);
    /// assert!((end.backward()?.wrt(theta)?.item()? + 1.2_f64.powi(-11)).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gmres<'t>(
        &'t self,
        settings: Krylov,
        inputs: &[Var<'t, T>],
        b: Var<'t, T>,
        matvec: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let by = settings.implicit(LinearSolver::Gmres { restart: settings.restart });
        self.solve_by("gmres", by, inputs, b, matvec, None)
    }

    /// The x where `A(θ) x − b` is 0.
    #[track_caller]
    fn solve_by<'t>(
        &'t self,
        name: &'static str,
        settings: Implicit,
        inputs: &[Var<'t, T>],
        b: Var<'t, T>,
        matvec: impl for<'s> Fn(Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
        preconditioner: Option<Preconditioner<T>>,
    ) -> Var<'t, T> {
        let residual: Residual<T> = Arc::new(move |x, inputs| {
            let product = matvec(x, &inputs[1..]);
            // Else a product that broadcasts against b would go unseen.
            same("the product", &product.try_shape()?, &x.try_shape()?)?;
            Ok(product - inputs[0])
        });
        let inputs: Vec<Var<'t, T>> = [b].iter().chain(inputs).copied().collect();
        self.apply(Root { name, settings, solve: None, residual, preconditioner }, &inputs)
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let systems = || {
        let cases: [&[&[usize]]; 4] =
            [&[&[4], &[4, 4]], &[&[1], &[1, 1]], &[&[3, 2], &[3, 3]], &[&[0], &[0, 0]]];
        shapes(&cases, -1.0, 1.0)
    };
    /// MᵀM v + v.
    fn definite<'s, T: Real>(v: Var<'s, T>, m: Var<'s, T>) -> Var<'s, T> {
        m.transpose(0, 1).matmul(m.matmul(v)) + v
    }
    vec![
        sample!("conjugate_gradients", systems(), |x| {
            x[0].tape().conjugate_gradients(Krylov::default(), &x[1..], x[0], |v, m| definite(v, m[0]))
        }),
        sample!("preconditioned_conjugate_gradients", systems(), |x| {
            x[0].tape().preconditioned_conjugate_gradients(
                Krylov::default(),
                &x[1..],
                x[0],
                |v, m| definite(v, m[0]),
                |v, m| v / (m[0].square().sum() + 1.0),
            )
        }),
        sample!("gmres", systems(), |x| {
            x[0].tape().gmres(Krylov::default(), &x[1..], x[0], |v, m| m[0].matmul(v) + v * 4.0)
        }),
        wrong!(
            "gmres",
            &[&[2]],
            |x| x[0].tape().gmres(Krylov::default(), &[], x[0], |v, _| v.sum()),
            "the product has shape [], wanted [2]"
        ),
        wrong!(
            "gmres",
            &[&[2]],
            |x| x[0].tape().gmres(Krylov::default(), &[], x[0], |v, _| v * 0.0),
            "no convergence: residual 1.000e0 above 1.000e-12 after 1 iterations"
        ),
        wrong!(
            "conjugate_gradients",
            &[&[2]],
            |x| x[0].tape().conjugate_gradients(Krylov::default(), &[], x[0], |v, _| -v),
            "no convergence: residual 1.000e0 above 1.000e-12 after 1 iterations"
        ),
        wrong!(
            "preconditioned_conjugate_gradients",
            &[&[2]],
            |x| x[0].tape().preconditioned_conjugate_gradients(
                Krylov { tolerance: 1e-3, ..Krylov::default() },
                &[],
                x[0],
                |v, _| v * 2.0,
                |v, _| v.sum()
            ),
            "what the preconditioner gives has shape [], wanted [2]"
        ),
    ]
}
