//! The reciprocal gaps between eigenvalues.

use super::super::slice;
use crate::error::Result;
use crate::kernels::linalg::eigenspaces;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// `F_ij = 1/(λⱼ − λᵢ)` for ascending λ, 0 inside an eigenspace.
struct Gaps;

impl<T: Real> Operation<T> for Gaps {
    fn name(&self) -> &'static str {
        "eigenvalue_gaps"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let values = x[0].contiguous()?;
        let n = values.shape()[values.rank() - 1];
        let shape = [values.shape(), &[n]].concat();
        let mut gaps = Vec::with_capacity(values.len() * n);
        for values in slice(&values).chunks_exact(n.max(1)) {
            let start = gaps.len();
            for &from in values {
                gaps.extend(values.iter().map(|&to| T::ONE / (to - from)));
            }
            let gaps = &mut gaps[start..];
            (0..n).for_each(|i| gaps[i * (n + 1)] = T::ZERO);
            for space in eigenspaces(values) {
                space.clone().for_each(|i| gaps[i * n..][space.clone()].fill(T::ZERO));
            }
        }
        Tensor::from_slice(&gaps, shape).map(one)
    }
    /// `dF = −F² (dλⱼ − dλᵢ)`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let part = at.y(0).square() * at.g(0);
        at.one(part.sum_axes(-1) - part.sum_axes(-2))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dl| at.y(0).square() * (dl.unsqueeze(-1) - dl.unsqueeze(-2)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    pub(super) fn gaps(self) -> Var<'t, T> {
        self.tape().apply(Gaps, &[self])
    }
}
