//! Sparse matrices applied along an axis: what averages over windows and resampling are made of.

use crate::error::Result;
use crate::kernels::mix::{Rows, mix};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use std::sync::Arc;

/// A matrix along an axis; its adjoint is the transposed one along that axis.
#[derive(Clone)]
struct Mixed {
    axis: usize,
    rows: Arc<Rows>,
    transposed: Arc<Rows>,
}

impl Mixed {
    fn adjoint(&self) -> Mixed {
        Mixed { axis: self.axis, rows: Arc::clone(&self.transposed), transposed: Arc::clone(&self.rows) }
    }

    fn of<T: Real>(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let dense = x.contiguous()?;
        let mut dims = x.shape().to_vec();
        dims[self.axis] = self.rows.count();
        let inner = dims[self.axis + 1..].iter().product();
        Tensor::build(Shape::new(dims)?, |out| mix(dense.as_slice().unwrap_or(&[]), &self.rows, inner, out))
    }
}

impl<T: Real> Operation<T> for Mixed {
    fn name(&self) -> &'static str {
        "mix"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.of(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.adjoint(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(self.clone(), &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.adjoint().of(&g))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The product with a sparse matrix along an axis, of as many columns as the axis is long.
    #[track_caller]
    pub(super) fn mixed(self, axis: usize, rows: Rows) -> Var<'t, T> {
        let transposed = Arc::new(rows.transposed());
        self.tape().apply(Mixed { axis, rows: Arc::new(rows), transposed }, &[self])
    }
}
