//! Functions of symmetric matrices.

mod divided;

use super::spectrum::{factors, into, out_of, recomposed};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use divided::{Divided, derivatives};
use std::sync::Arc;

/// A function of one number, in variables.
type Function<T> = Arc<dyn for<'t> Fn(Var<'t, T>) -> Var<'t, T> + Send + Sync>;

/// The k-th derivative of `f(A) = V f(Λ) Vᵀ` along k directions: from λ, V, A and E₁ … Eₖ, with `Ẽ = sym(VᵀEV)`,
///
/// `V [ Σ_σ Σ_{i₁ … iₖ₋₁} f[λᵢ, λᵢ₁, …, λⱼ] Ẽ_σ₁[i, i₁] … Ẽ_σₖ[iₖ₋₁, j] ] Vᵀ`,
///
/// the sum over all orders σ of the directions and the divided differences of f. For k = 1 it is the theorem of Daleckii
/// and Krein (Higham, Functions of Matrices, 2008, theorem 3.11; Bhatia, Matrix Analysis, 1997, V.3). It does not depend
/// on the basis V, so λ and V are constants here, and the derivative of V is never asked for.
struct Derivative<T: Real>(Function<T>);

const FACTORS: usize = 2;
const DIRECTIONS: usize = 3;

impl<T: Real> Operation<T> for Derivative<T> {
    fn name(&self) -> &'static str {
        "spectral_map"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let [l, v, _, directions @ ..] = x else { unreachable!("made with these") };
        let n = l.shape()[l.rank() - 1];
        let square = n * n;
        let k = directions.len();
        if k == 0 {
            return recomposed(v, &derivatives(&self.0, l, 0)?.swap_remove(0)).map(one);
        }
        let mut inner = vec![T::ZERO; v.len()];
        let divided = Divided::new(&self.0, l, k)?;
        let directions = directions
            .iter()
            .map(|e| Ok(into(v, e)?.iter().map(T::to_f64).collect()))
            .collect::<Result<Vec<Vec<f64>>>>()?;
        for (matrix, inner) in inner.chunks_exact_mut(square.max(1)).enumerate() {
            let of = |e: usize, i: usize, j: usize| {
                let e = &directions[e][matrix * square..];
                (e[i * n + j] + e[j * n + i]) / 2.0
            };
            for i in 0..n {
                for j in i..n {
                    let mut paths =
                        Paths { divided: &divided, matrix, n, end: j, total: 0.0, places: vec![i] };
                    paths.walk(&of, &mut (0..k).collect(), 1.0);
                    inner[i * n + j] = T::from_f64(paths.total);
                    inner[j * n + i] = T::from_f64(paths.total);
                }
            }
        }
        out_of(v, &Tensor::from_slice(&inner, v.shape())?).map(one)
    }
    /// `⟨U, Dᵏf(A)[E₁ … Eₖ]⟩` is symmetric in U and the directions: the cotangent of one of them has U in its place, that
    /// of A has it as one more.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok((0..at.inputs())
            .map(|i| (i >= FACTORS && at.needs(i)).then(|| self.along(at, i, at.g(0))))
            .collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| self.along(at, i, dx))
    }
}

impl<T: Real> Derivative<T> {
    /// The operation with `e` in the place of direction `i`, or as one more in place of A.
    fn along<'t>(&self, at: &At<'_, 't, T>, i: usize, e: Var<'t, T>) -> Var<'t, T> {
        let mut inputs: Vec<Var<'t, T>> = (0..at.inputs()).map(|i| at.x(i)).collect();
        if i < DIRECTIONS {
            inputs.push(e)
        } else {
            inputs[i] = e
        }
        e.tape().apply(Derivative(Arc::clone(&self.0)), &inputs)
    }
}

/// The sum over all ways from one place to another, one step a direction.
struct Paths<'a> {
    divided: &'a Divided,
    matrix: usize,
    n: usize,
    end: usize,
    places: Vec<usize>,
    total: f64,
}

impl Paths<'_> {
    fn walk(&mut self, of: &impl Fn(usize, usize, usize) -> f64, left: &mut Vec<usize>, product: f64) {
        let here = self.places[self.places.len() - 1];
        for at in 0..left.len() {
            let e = left.remove(at);
            if left.is_empty() {
                let mut ascending = self.places.clone();
                ascending.push(self.end);
                ascending.sort_unstable();
                self.total += product * of(e, here, self.end) * self.divided.at(self.matrix, &ascending);
            } else {
                for next in 0..self.n {
                    self.places.push(next);
                    self.walk(of, left, product * of(e, here, next));
                    self.places.pop();
                }
            }
            left.insert(at, e);
        }
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The function `V f(Λ) Vᵀ` of symmetric matrices `A = V Λ Vᵀ`, `[…, n, n]`, for f element by element, in variables.
    /// Only the lower triangle of A is read.
    ///
    /// f is run again for derivatives, in forward mode: it takes one variable, gives one of the same shape, and uses
    /// nothing else that is on a tape.
    ///
    /// # Gradient
    ///
    /// The symmetric `V (K ∘ VᵀḠV) Vᵀ` with `K_ij = (f(λᵢ) − f(λⱼ)) / (λᵢ − λⱼ)`, f′(λᵢ) where they are equal (Daleckii and
    /// Krein). Derivatives of any order, in both modes, are right at repeated eigenvalues too, where those of `V f(Λ) Vᵀ`
    /// put together from [`eigh`](Var::eigh) cannot be. One of order k takes time in proportion to `k! nᵏ⁺¹`.
    ///
    /// # Accuracy
    ///
    /// Where eigenvalues are close, their divided differences are taken from derivatives of f, to 10⁻¹² of them or better
    /// at the first order.
    ///
    /// # Errors
    ///
    /// As [`eigh`](Var::eigh); [`Shape`](crate::ErrorKind::Shape) if f gives another shape; those of f.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::eye(3)?);
    /// let y = a.spectral_map(|x| x.exp());
    /// // At a multiple of the identity the derivative of any function is f′ times the direction.
    /// let g = y.backward_with(&Tensor::from([[1.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))?;
    /// let e = 1f64.exp();
    /// for (found, wanted) in g.wrt(a)?.iter().zip([e, 2.0 * e, 0.0, 2.0 * e, 0.0, 0.0, 0.0, 0.0, 0.0]) {
    ///     assert!((found - wanted).abs() < 1e-14);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "funm")]
    #[doc(alias = "matrix_function")]
    #[track_caller]
    pub fn spectral_map(
        self,
        f: impl for<'s> Fn(Var<'s, T>) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        self.tape().composed("spectral_map", || {
            let [l, v] = factors("spectral_map", self)?;
            Ok(self.tape().apply(Derivative(Arc::new(f)), &[l, v, self]))
        })
    }

    /// The logarithm of symmetric positive definite matrices, by [`spectral_map`](Var::spectral_map).
    ///
    /// # Gradient
    ///
    /// As [`spectral_map`](Var::spectral_map).
    ///
    /// # Errors
    ///
    /// As [`eigh`](Var::eigh). Eigenvalues that are not positive give NaN or −∞, as `ln` does.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::eye(2)?);
    /// let log = a.matrix_logh();
    /// assert_eq!(log.value()?, Tensor::zeros([2, 2])?);
    /// let trace = log.diagonal(-2, -1).sum();
    /// assert_eq!(trace.backward()?.wrt(a)?, &Tensor::eye(2)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "logm")]
    #[track_caller]
    pub fn matrix_logh(self) -> Var<'t, T> {
        self.spectral_map(|x| x.ln())
    }

    /// A real power of symmetric positive definite matrices, by [`spectral_map`](Var::spectral_map).
    ///
    /// # Gradient
    ///
    /// As [`spectral_map`](Var::spectral_map).
    ///
    /// # Errors
    ///
    /// As [`eigh`](Var::eigh). Eigenvalues on which the power is not defined give NaN, as `powf` does.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::from([[4.0, 0.0], [0.0, 4.0]]));
    /// for (found, wanted) in a.matrix_powerh(-0.5).value()?.iter().zip([0.5, 0.0, 0.0, 0.5]) {
    ///     assert!((found - wanted).abs() < 1e-15);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_powerh(self, p: f64) -> Var<'t, T> {
        self.spectral_map(move |x| x.powf(p))
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use super::positive_definite;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = || {
        shapes(
            &[&[&[1, 1]], &[&[2, 2]], &[&[4, 4]], &[&[2, 3, 3, 3]], &[&[0, 3, 3]], &[&[0, 0]], &[&[2, 0, 0]]],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("spectral_map", matrices(), |x| (x[0] + x[0].mt()).spectral_map(|x| x.exp())),
        sample!("matrix_logh", matrices(), |x| positive_definite(x[0]).matrix_logh()),
        sample!("matrix_powerh", matrices(), |x| positive_definite(x[0]).matrix_powerh(-0.5)),
        wrong!(
            "spectral_map",
            &[&[2, 3]],
            |x| x[0].spectral_map(|x| x.exp()),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "spectral_map",
            &[&[2, 2]],
            |x| x[0].spectral_map(|x| x.sum()),
            "the value of the function has shape [], wanted [2]"
        ),
    ]
}
