//! Eigenvalues and eigenvectors of symmetric matrices.

mod gaps;
mod spaces;
mod spectral_sum;

use super::spectrum::eigen;
use crate::error::Result;
use crate::kernels::linalg::Basis;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var};
use crate::tensor::Tensor;
use spaces::{Evidence, Spaces};
use spectral_sum::SpectralSum;

/// λ and V, and two outputs for rules alone, zeros both: what comes back to `INSIDE` is the cotangent, in the eigenbasis, of
/// a gradient of λ, which knows the whole of its blocks at repeated eigenvalues; `USES` counts how often.
///
/// docs/decisions/0009-repeated-eigenvalues.md says what is known there and what is not.
struct Eigh(Basis);

const VALUES: usize = 0;
const VECTORS: usize = 1;
const INSIDE: usize = 2;
const USES: usize = 3;

impl<T: Real> Operation<T> for Eigh {
    fn name(&self) -> &'static str {
        match self.0 {
            Basis::Mixed => "eigh",
            Basis::Plain => "eigvalsh",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let [values, vectors] = eigen(x[0], self.0)?;
        let inside = Tensor::zero_view(x[0].shape())?;
        Ok(Outputs::from_iter([values, vectors, inside, Tensor::scalar(T::ZERO)]))
    }
    /// `Ā = V (diag λ̄ + F ∘ skew(VᵀV̄)) Vᵀ` with `F_ij = 1/(λⱼ − λᵢ)` (Giles 2008, section 3.1, for symmetric A), and inside
    /// eigenspaces what [`Spaces`] finds.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, l, v) = (at.x(0), at.y(VALUES), at.y(VECTORS));
        let values = at.g_if_any(VALUES);
        let h = at.g(VALUES);
        let spaces = Spaces::of(&l.value()?)?;
        if at.g_if_any(VECTORS).is_none() && at.g_if_any(INSIDE).is_none() {
            return at.one(a.tape().apply(SpectralSum(self.0), &[a, h, l, v, at.y(INSIDE), at.y(USES)]));
        }
        let v = match (&spaces, self.0, at.g_if_any(VECTORS)) {
            (Some(spaces), Basis::Plain, None) => spaces.mixed(v, None)?,
            _ => v,
        };
        let mut inner = h.diag_embed();
        let w = at.g_if_any(VECTORS).map(|g| v.mt().matmul(g));
        if let Some(w) = w {
            inner = inner + l.gaps() * (w - w.mt()) * 0.5;
        }
        if let Some(spaces) = spaces {
            let inside = at.g_if_any(INSIDE);
            let single = at.g(USES).value()?.item()? == T::ONE;
            let generic = self.0 == Basis::Mixed || w.is_none();
            let evidence = Evidence { values, vectors: w, inside, single, generic };
            inner = inner + spaces.found(a, v, l, evidence)?;
        }
        at.one(v.matmul(inner).matmul(v.mt()).symmetric_part())
    }
    /// `dλ = diag M`, `dV = V (F ∘ M)` with `M = Vᵀ sym(dA) V`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(da) = at.dx(0) else { return Ok(Parts::from_iter([None, None, None, None])) };
        let (a, l, v) = (at.x(0), at.y(VALUES), at.y(VECTORS));
        let mut m = v.mt().matmul(da.symmetric_part()).matmul(v);
        if let Some(spaces) = Spaces::of(&l.value()?)? {
            m = m + spaces.found(a, v, l, Evidence::default())?;
        }
        Ok(Parts::from_iter([Some(m.diagonal(-2, -1)), Some(v.matmul(l.gaps() * m)), None, None]))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The eigenvalues λ of symmetric matrices, ascending, `[…, n]`, and orthonormal eigenvectors in the columns of V,
    /// `[…, n, n]`: `A = V diag(λ) Vᵀ`. Only the lower triangle of A is read; for the upper one, take those of its transpose.
    ///
    /// In each eigenvector the first of the largest components (those within 1 part in 1000) is positive. In the eigenspace
    /// of a repeated eigenvalue any orthonormal basis is one of eigenvectors: it is one in general position, also for a
    /// diagonal matrix.
    ///
    /// # Gradient
    ///
    /// Symmetric, `V (diag λ̄ + F ∘ skew(VᵀV̄)) Vᵀ` with `F_ij = 1/(λⱼ − λᵢ)`: it grows as eigenvalues come together. Eigenvalues
    /// are repeated if they are closer than `4 n ε ‖A‖`. There F is 0, and the derivative is
    ///
    /// * right in both modes for symmetric functions of the eigenvalues, such as sums over whole eigenspaces, and for
    ///   functions of whole eigenspaces, such as projectors `V_b V_bᵀ`;
    /// * in reverse mode, right or NaN for other functions that are smooth in A, such as `V f(Λ) Vᵀ`: right for one such
    ///   function at eigenvalues repeated three times or more, NaN where that leaves doubt;
    /// * NaN in reverse mode for what depends on the choice of basis in an eigenspace: such a function has no derivative;
    /// * a subgradient for other functions of the eigenvalues alone, such as the largest of them;
    /// * **not right in forward mode for `V f(Λ) Vᵀ`**, of which that has the diagonal in the eigenbasis alone inside an
    ///   eigenspace: [`spectral_map`](Var::spectral_map) is right everywhere, at every order.
    ///
    /// Second derivatives at repeated eigenvalues are right for symmetric functions of the eigenvalues in reverse over
    /// reverse and forward over reverse mode, and NaN wherever they would need more than is known.
    ///
    /// # Accuracy
    ///
    /// Backward stable: eigenvalues to about `ε ‖A‖`, also the small ones.
    ///
    /// # Errors
    ///
    /// [`NotSquare`](crate::ErrorKind::NotSquare); [`Rank`](crate::ErrorKind::Rank);
    /// [`NotFinite`](crate::ErrorKind::NotFinite).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::from([[2.0, 1.0], [1.0, 2.0]]));
    /// let [values, vectors] = a.eigh();
    /// let h = 0.5f64.sqrt();
    /// for (found, wanted) in values.value()?.iter().zip([1.0, 3.0]) {
    ///     assert!((found - wanted).abs() < 1e-15);
    /// }
    /// for (found, wanted) in vectors.value()?.iter().zip([h, h, -h, h]) {
    ///     assert!((found - wanted).abs() < 1e-15);
    /// }
    /// // The derivative of an eigenvalue is v vᵀ.
    /// let largest = values.slice(0, 1..2).sum();
    /// for found in largest.backward()?.wrt(a)?.iter() {
    ///     assert!((found - 0.5).abs() < 1e-15);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "symeig")]
    #[track_caller]
    pub fn eigh(self) -> [Var<'t, T>; 2] {
        let parts = self.tape().apply_many(Eigh(Basis::Mixed), &[self], 4);
        [parts[VALUES], parts[VECTORS]]
    }

    /// The eigenvalues of symmetric matrices, ascending, `[…, n]`. Only the lower triangle is read.
    ///
    /// # Gradient
    ///
    /// As [`eigh`](Var::eigh): `V diag(λ̄) Vᵀ`. The basis of an eigenspace is not in general position here, so that the
    /// tangents are those of the diagonal for a multiple of the identity, as PyTorch's; forward over reverse mode is NaN at
    /// repeated eigenvalues along directions that have a constant diagonal in it and more: take `eigh`, or reverse over
    /// reverse mode.
    ///
    /// # Errors
    ///
    /// As [`eigh`](Var::eigh).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::from([[2.0, 0.0], [0.0, 2.0]]));
    /// let log_det = a.eigvalsh().ln().sum();
    /// assert!((log_det.item()? - 4f64.ln()).abs() < 1e-15);
    /// // The inverse, also where eigenvalues are repeated.
    /// for (found, wanted) in log_det.backward()?.wrt(a)?.iter().zip([0.5, 0.0, 0.0, 0.5]) {
    ///     assert!((found - wanted).abs() < 1e-15);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn eigvalsh(self) -> Var<'t, T> {
        self.tape().apply_many(Eigh(Basis::Plain), &[self], 4)[VALUES]
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use super::SQUARES;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = || shapes(&SQUARES, -0.2, 0.2);
    // Eigenvalues near 1, 2, 3, …, and eigenvectors near unit vectors.
    fn apart<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
        let n = x.try_shape().map_or(0, |shape| shape[shape.len() - 1]);
        let steps =
            Tensor::from_fn([n, n], |at| T::from_f64(if at[0] == at[1] { at[0] as f64 } else { 0.0 }));
        x + x.mt() + x.tape().constant(&steps.unwrap())
    }
    vec![
        sample!("eigh values", matrices(), |x| apart(x[0]).eigh()[0]),
        sample!("eigh vectors", matrices(), |x| apart(x[0]).eigh()[1]),
        sample!("eigh both", matrices(), |x| {
            let [l, v] = apart(x[0]).eigh();
            (v * l.sin().unsqueeze(-2)).matmul(v)
        }),
        sample!("eigvalsh", matrices(), |x| apart(x[0]).eigvalsh()),
        // At a fixed matrix: all of its derivatives are 0.
        sample!("eigh repeated", shapes(&[&[&[3, 3]]], -1.0, 1.0), |x| {
            (x[0] * 0.0 + x[0].tape().constant(&Tensor::eye(3).unwrap())).eigh()[0].exp().sum()
        }),
        wrong!("eigh", &[&[2, 3]], |x| x[0].eigh()[1], "shape [2, 3] is not that of square matrices"),
        wrong!("eigh", &[&[3]], |x| x[0].eigh()[0], "shape [3] has rank 1, wanted at least 2"),
        wrong!("eigvalsh", &[&[2, 3]], |x| x[0].eigvalsh(), "shape [2, 3] is not that of square matrices"),
        wrong!(
            "eigvalsh",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().eigvalsh(),
            "the matrix has elements that are not finite"
        ),
    ]
}
