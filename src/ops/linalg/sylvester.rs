//! Linear equations in matrices: Sylvester's and Lyapunov's.

use super::{broadcast_batches, columns, each_matrix, in_place, matrices, shape_of, slice, square};
use crate::error::{ErrorKind, Result};
use crate::kernels::linalg::{self, Equation, Quasi, Workspace};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::smallvec;

/// Real Schur factors `A = U T Uᵀ`, to solve with.
struct Schur(&'static str);

impl<T: Real> Operation<T> for Schur {
    fn name(&self) -> &'static str {
        self.0
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, n) = square(x[0].shape())?;
        let a = columns(x[0])?;
        let a = slice(&a);
        let factor = |work: &mut Workspace, i: usize, [t, u]: [&mut [T]; 2]| {
            t.copy_from_slice(&a[i * n * n..(i + 1) * n * n]);
            linalg::real_schur(n, t, u, work)
        };
        let [t, u] = each_matrix(batch, [&[n, n], &[n, n]], n, linalg::real_schur_ns(n), factor)?;
        Ok(smallvec![u.transpose(-1, -2)?, t.transpose(-1, -2)?])
    }
}

/// An equation in X, with P = A, or Aᵀ in the adjoint one. The Schur factors count as constants: A itself carries the
/// derivative.
#[derive(Clone, Copy)]
struct Solve {
    kind: Kind,
    adjoint: bool,
}

/// The equations, and their inputs.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `P X + X R = C` (R is B as P is A), of A, B, C and the factors of A and B.
    Sylvester,
    /// `P X + X Pᵀ = C`, of A, C and the factors of A.
    Lyapunov,
    /// `P X Pᵀ − X + C = 0`, of the same.
    Discrete,
}

impl Kind {
    fn right(self) -> usize {
        if self == Kind::Sylvester { 2 } else { 1 }
    }
}

impl<T: Real> Operation<T> for Solve {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sylvester => "sylvester",
            Kind::Lyapunov => "lyapunov",
            Kind::Discrete => "discrete_lyapunov",
        }
    }
    /// `X = U Y Vᵀ`, with Y from the equation of the Schur factors and `Uᵀ C V`.
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let right = self.kind.right();
        let [u, s] = [x[right + 1], x[right + 2]];
        let [v, w] = if self.kind == Kind::Sylvester { [x[right + 3], x[right + 4]] } else { [u, s] };
        let c = x[right];
        let (_, m, n) = matrices(c.shape())?;
        let rows = v.transpose(-1, -2)?.matmul(&c.transpose(-1, -2)?)?.matmul(u)?.contiguous()?;
        let (s, w) = (columns(s)?, columns(w)?);
        let equation = if self.kind == Kind::Discrete { Equation::Product } else { Equation::Sum };
        let (s, w) = (slice(&s), slice(&w));
        let y = in_place(rows, m * n, linalg::matrix_equation_ns(m, n), |_: &mut (), i, f| {
            let a = Quasi { n: m, t: &s[i * m * m..(i + 1) * m * m], transposed: self.adjoint };
            let transposed = self.adjoint != (self.kind != Kind::Sylvester);
            let b = Quasi { n, t: &w[i * n * n..(i + 1) * n * n], transposed };
            linalg::matrix_equation(equation, a, b, f)
        })?;
        u.matmul(&y.transpose(-1, -2)?)?.matmul(&v.transpose(-1, -2)?).map(one)
    }
    /// `C̄ = Λ`, the solution of the adjoint equation for X̄. `P̄ = −Λ Xᵀ` and `R̄ = −Xᵀ Λ`; `P̄ = −Λ Xᵀ − Λᵀ X`; or
    /// `P̄ = Λ P Xᵀ + Λᵀ P X`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let x = at.y(0);
        let lambda = self.solve(at, !self.adjoint, at.g(0));
        let right = self.kind.right();
        Ok((0..at.inputs())
            .map(|i| {
                let part = match i {
                    _ if i > right || !at.needs(i) => return None,
                    _ if i == right => return Some(lambda),
                    0 => match self.kind {
                        Kind::Sylvester => -lambda.matmul(x.mt()),
                        Kind::Lyapunov => -(lambda.matmul(x.mt()) + lambda.mt().matmul(x)),
                        Kind::Discrete => {
                            let p = self.oriented(at.x(0));
                            lambda.matmul(p).matmul(x.mt()) + lambda.mt().matmul(p).matmul(x)
                        }
                    },
                    _ => -x.mt().matmul(lambda),
                };
                Some(self.oriented(part))
            })
            .collect())
    }
    /// The equation again, for what the tangents leave of it.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let x = at.y(0);
        at.sum_of(|i, d| {
            let right = match i {
                _ if i == self.kind.right() => d,
                0 => {
                    let d = self.oriented(d);
                    match self.kind {
                        Kind::Sylvester => -d.matmul(x),
                        Kind::Lyapunov => -(d.matmul(x) + x.matmul(d.mt())),
                        Kind::Discrete => {
                            let p = self.oriented(at.x(0));
                            d.matmul(x).matmul(p.mt()) + p.matmul(x).matmul(d.mt())
                        }
                    }
                }
                _ => -x.matmul(self.oriented(d)),
            };
            self.solve(at, self.adjoint, right)
        })
    }
}

impl Solve {
    fn oriented<'t, T: Real>(&self, x: Var<'t, T>) -> Var<'t, T> {
        if self.adjoint { x.mt() } else { x }
    }

    /// The equation, or its adjoint, for another right-hand side.
    fn solve<'t, T: Real>(&self, at: &At<'_, 't, T>, adjoint: bool, c: Var<'t, T>) -> Var<'t, T> {
        let mut inputs: Vec<Var<'t, T>> = (0..at.inputs()).map(|i| at.x(i)).collect();
        inputs[self.kind.right()] = c;
        c.tape().apply(Solve { adjoint, ..*self }, &inputs)
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// One of the equations in A and one other matrix.
    fn lyapunov_kind(self, q: Var<'t, T>, kind: Kind) -> Result<Var<'t, T>> {
        let (left, right) = (self.try_shape()?, q.try_shape()?);
        let ((_, n), (_, rows, columns)) = (square(&left)?, matrices(&right)?);
        if [rows, columns] != [n, n] {
            return Err(ErrorKind::InnerDimension { left: left.to_vec(), right: right.to_vec() }.into());
        }
        let solve = Solve { kind, adjoint: false };
        let name = Operation::<T>::name(&solve);
        let [a, q] = broadcast_batches(self, q)?;
        let [u, s] = a.constant_factors(Schur(name))?;
        Ok(self.tape().apply(solve, &[a, q, u, s]))
    }

    /// The solution X of Sylvester's equation `A X + X B = C`, for A of `[…, m, m]`, B of `[…, n, n]` and C of
    /// `[…, m, n]`. The batches broadcast.
    ///
    /// By real Schur factors of A and B, as SciPy's `solve_sylvester` (Bartels & Stewart 1972).
    ///
    /// # Gradient
    ///
    /// With Λ from the adjoint equation `Aᵀ Λ + Λ Bᵀ = X̄`: `C̄ = Λ`, `Ā = −Λ Xᵀ`, `B̄ = −Xᵀ Λ`. The factors serve
    /// again.
    ///
    /// # Errors
    ///
    /// [`Singular`](ErrorKind::Singular) where A and −B share an eigenvalue to rounding, as a matrix of `mn` rows;
    /// [`NotFinite`](ErrorKind::NotFinite); [`NotSquare`](ErrorKind::NotSquare); [`Shape`](ErrorKind::Shape);
    /// [`Broadcast`](ErrorKind::Broadcast); [`Rank`](ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 0.0], [0.0, 3.0]]));
    /// let b = tape.constant(&Tensor::from([[1.0]]));
    /// let c = tape.constant(&Tensor::from([[4.0], [8.0]]));
    /// let x = a.sylvester(b, c);
    /// assert_eq!(x.value()?.to_vec(), [2.0, 2.0]);
    /// assert_eq!(x.sum().backward()?.wrt(a)?.to_vec(), [-1.0, -1.0, -0.5, -0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "solve_sylvester")]
    #[track_caller]
    pub fn sylvester(self, b: Var<'t, T>, c: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("sylvester", || {
            let shapes = [self.try_shape()?, b.try_shape()?, c.try_shape()?];
            let ((_, m), (_, n)) = (square(&shapes[0])?, square(&shapes[1])?);
            let (batch, ..) = matrices(&shapes[2])?;
            crate::shape::same("the right-hand side", &shapes[2], &shape_of(batch, &[m, n])?)?;
            let [a, b] = broadcast_batches(self, b)?;
            let [a, c] = broadcast_batches(a, c)?;
            let [b, c] = broadcast_batches(b, c)?;
            let [u, s] = a.constant_factors(Schur("sylvester"))?;
            let [v, w] = b.constant_factors(Schur("sylvester"))?;
            let solve = Solve { kind: Kind::Sylvester, adjoint: false };
            Ok(self.tape().apply(solve, &[a, b, c, u, s, v, w]))
        })
    }

    /// The solution X of Lyapunov's equation `A X + X Aᵀ = Q`, for A and Q of `[…, n, n]`. The batches broadcast.
    ///
    /// For `−Q`, the covariance of the stationary law of `dx = A x dt + noise` of covariance Q. SciPy's
    /// `solve_continuous_lyapunov`.
    ///
    /// # Gradient
    ///
    /// With Λ from the adjoint equation `Aᵀ Λ + Λ A = X̄`: `Q̄ = Λ`, `Ā = −Λ Xᵀ − Λᵀ X`.
    ///
    /// # Errors
    ///
    /// [`Singular`](ErrorKind::Singular) where two eigenvalues of A add up to 0 to rounding, as a matrix of `n²` rows;
    /// [`NotFinite`](ErrorKind::NotFinite); [`NotSquare`](ErrorKind::NotSquare);
    /// [`InnerDimension`](ErrorKind::InnerDimension); [`Broadcast`](ErrorKind::Broadcast); [`Rank`](ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[-1.0, 0.0], [0.0, -3.0]]));
    /// let q = tape.constant(&Tensor::from([[2.0, 4.0], [4.0, 6.0]]));
    /// assert_eq!(a.lyapunov(q).value()?.to_vec(), [-1.0, -1.0, -1.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "solve_continuous_lyapunov")]
    #[doc(alias = "solve_lyapunov")]
    #[track_caller]
    pub fn lyapunov(self, q: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("lyapunov", || self.lyapunov_kind(q, Kind::Lyapunov))
    }

    /// The solution X of the discrete Lyapunov equation `A X Aᵀ − X + Q = 0`, for A and Q of `[…, n, n]`. The batches
    /// broadcast.
    ///
    /// The covariance of the stationary law of `xₜ₊₁ = A xₜ + noise` of covariance Q. SciPy's
    /// `solve_discrete_lyapunov`, but by Schur factors of A for every size.
    ///
    /// # Gradient
    ///
    /// With Λ from the adjoint equation `Aᵀ Λ A − Λ + X̄ = 0`: `Q̄ = Λ`, `Ā = Λ A Xᵀ + Λᵀ A X`.
    ///
    /// # Errors
    ///
    /// [`Singular`](ErrorKind::Singular) where the product of two eigenvalues of A is 1 to rounding, as a matrix of `n²`
    /// rows; the others of [`lyapunov`](Var::lyapunov).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.5]]));
    /// let q = tape.var(&Tensor::from([[3.0]]));
    /// let x = a.discrete_lyapunov(q);
    /// assert_eq!(x.value()?.to_vec(), [4.0]);
    /// let gradients = x.sum().backward()?;
    /// assert!(gradients.wrt(a)?.all_close(&Tensor::from([[16.0 / 3.0]]), 0.0, 1e-14)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "solve_discrete_lyapunov")]
    #[track_caller]
    pub fn discrete_lyapunov(self, q: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("discrete_lyapunov", || self.lyapunov_kind(q, Kind::Discrete))
    }
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let three = || {
        shapes(
            &[
                &[&[1, 1], &[1, 1], &[1, 1]],
                &[&[2, 2], &[3, 3], &[2, 3]],
                &[&[5, 5], &[2, 2], &[5, 2]],
                &[&[2, 1, 2, 2], &[3, 1, 1], &[2, 1]],
                &[&[0, 2, 2], &[1, 1], &[2, 1]],
                &[&[0, 0], &[2, 2], &[0, 2]],
                &[&[2, 2], &[0, 0], &[2, 0]],
            ],
            -1.0,
            1.0,
        )
    };
    let two = || {
        let cases: [&[&[usize]]; 7] = [
            &[&[1, 1], &[1, 1]],
            &[&[2, 2], &[2, 2]],
            &[&[5, 5], &[5, 5]],
            &[&[2, 2, 2], &[2, 2]],
            &[&[2, 2], &[3, 1, 2, 2]],
            &[&[0, 2, 2], &[2, 2]],
            &[&[0, 0], &[0, 0]],
        ];
        shapes(&cases, -1.0, 1.0)
    };
    // Eigenvalues in the right half plane; some of them complex.
    fn stable<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
        let n = x.try_shape().map_or(0, |shape| shape[shape.len() - 1]);
        x + x.tape().constant(&Tensor::eye(n).unwrap()) * 3.0
    }
    vec![
        sample!("sylvester", three(), |x| stable(x[0]).sylvester(stable(x[1]), x[2])),
        sample!("lyapunov", two(), |x| stable(x[0]).lyapunov(x[1])),
        sample!("discrete_lyapunov", two(), |x| (x[0] * 0.3).discrete_lyapunov(x[1])),
        wrong!(
            "sylvester",
            &[&[2, 3], &[2, 2], &[2, 2]],
            |x| x[0].sylvester(x[1], x[2]),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "sylvester",
            &[&[2, 2], &[3, 3], &[3, 2]],
            |x| x[0].sylvester(x[1], x[2]),
            "the right-hand side has shape [3, 2], wanted [2, 3]"
        ),
        wrong!(
            "sylvester",
            &[&[2, 2, 2], &[3, 1, 1], &[2, 1]],
            |x| x[0].sylvester(x[1], x[2]),
            "shapes [2, 2, 2] and [3, 1, 1] do not broadcast"
        ),
        wrong!(
            "sylvester",
            &[&[2, 2, 2], &[2, 2]],
            |x| x[0].sylvester(-x[0], x[1]),
            "the matrix [0] of the batch is singular: pivot 0 of 4 is 0"
        ),
        wrong!(
            "sylvester",
            &[&[2, 2], &[2, 2]],
            |x| x[0].sylvester(x[0] / 0.0, x[1]),
            "the matrix has elements that are not finite"
        ),
        wrong!(
            "lyapunov",
            &[&[2], &[2, 2]],
            |x| x[0].lyapunov(x[1]),
            "shape [2] has rank 1, wanted at least 2"
        ),
        wrong!(
            "lyapunov",
            &[&[2, 2], &[2, 3]],
            |x| x[0].lyapunov(x[1]),
            "shapes [2, 2] and [2, 3] do not agree in the inner dimension (2 and 2)"
        ),
        wrong!(
            "lyapunov",
            &[&[1, 1]],
            |x| (x[0] * 0.0).lyapunov(x[0]),
            "the matrix is singular: pivot 0 of 1 is 0"
        ),
        wrong!(
            "discrete_lyapunov",
            &[&[1, 1]],
            |x| (x[0] / x[0]).discrete_lyapunov(x[0]),
            "the matrix is singular: pivot 0 of 1 is 0"
        ),
        wrong!(
            "discrete_lyapunov",
            &[&[2, 2], &[3, 3]],
            |x| x[0].discrete_lyapunov(x[1]),
            "shapes [2, 2] and [3, 3] do not agree in the inner dimension (2 and 3)"
        ),
    ]
}

#[cfg(test)]
mod tests;
