//! The gradient of a function of eigenvalues alone.

use super::super::mirrored;
use super::super::spectrum::recomposed;
use super::spaces::{Evidence, Spaces};
use crate::error::Result;
use crate::kernels::linalg::Basis;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// `V diag(h) Vᵀ` for a symmetric matrix A, from A, h, the factors λ and V of A, and the two outputs of its decomposition
/// that are for rules alone. λ and V count as constants: the derivative by A has them in.
pub(super) struct SpectralSum(pub(super) Basis);

/// `K_ij = (hⱼ − hᵢ) / (λⱼ − λᵢ)`, and inside eigenspaces 0, or NaN if h differs there: then the function has a kink.
fn quotients<'t, T: Real>(h: Var<'t, T>, l: Var<'t, T>, spaces: Option<&Spaces>) -> Result<Var<'t, T>> {
    let k = l.gaps() * (h.unsqueeze(-2) - h.unsqueeze(-1));
    match spaces {
        None => Ok(k),
        Some(spaces) => Ok(k + k.constant_like(spaces.kinks(&h.value()?))),
    }
}

impl<T: Real> Operation<T> for SpectralSum {
    fn name(&self) -> &'static str {
        "spectral_sum"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        mirrored(&recomposed(x[3], x[1])?).map(one)
    }
    /// `h̄ = diag Ũ` and `Ā = V (K ∘ Ũ) Vᵀ` with `Ũ = Vᵀ sym(U) V`. What A gets inside eigenspaces depends on how h depends on
    /// λ: the decomposition's rule finds it out from Ũ.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, h, l, v) = (at.x(0), at.x(1), at.x(2), at.x(3));
        let spaces = Spaces::of(&l.value()?)?;
        let v = match (&spaces, self.0) {
            (Some(spaces), Basis::Plain) => spaces.mixed(v, Some(h))?,
            _ => v,
        };
        let mut u = v.mt().matmul(at.g(0).symmetric_part()).matmul(v);
        if let Some(spaces) = &spaces {
            u = u + spaces.found(a, v, l, Evidence::default())?;
        }
        let by_a = v.matmul(quotients(h, l, spaces.as_ref())? * u).matmul(v.mt());
        let parts = [Some(by_a), Some(u.diagonal(-2, -1)), None, None, Some(u), Some(u.constant(1.0))];
        Ok(parts.into_iter().enumerate().map(|(i, part)| part.filter(|_| at.needs(i))).collect())
    }
    /// `V (diag dh + K ∘ M) Vᵀ` with `M = Vᵀ sym(dA) V`, and inside eigenspaces what M and dh tell.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, h, l, v) = (at.x(0), at.x(1), at.x(2), at.x(3));
        let dh = at.dx(1).map(|dh| dh.diag_embed());
        let inner = match at.dx(0) {
            None => dh,
            Some(da) => {
                let spaces = Spaces::of(&l.value()?)?;
                let mut m = v.mt().matmul(da.symmetric_part()).matmul(v);
                if let Some(spaces) = &spaces {
                    m = m + spaces.found(a, v, l, Evidence::default())?;
                }
                let mut inner = quotients(h, l, spaces.as_ref())? * m;
                if let Some(spaces) = &spaces {
                    let generic = self.0 == Basis::Mixed;
                    let evidence =
                        Evidence { values: at.dx(1), vectors: None, inside: Some(m), single: true, generic };
                    inner = inner + spaces.found(a, v, l, evidence)?;
                }
                Some(dh.map_or(inner, |dh| dh + inner))
            }
        };
        Ok(Parts::from_iter([inner.map(|inner| v.matmul(inner).matmul(v.mt()))]))
    }
}
