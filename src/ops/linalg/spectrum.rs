//! What operations on symmetric matrices share: the decomposition as plain tensors, and as factors, and a linear equation
//! that these solve.

use super::{columns, each_matrix, shape_of, slice, square};
use crate::error::Result;
use crate::kernels::linalg::{self, Basis, EighWork};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// Eigenvalues and eigenvectors of symmetric matrices.
pub(super) fn eigen<T: Real>(x: &Tensor<T>, basis: Basis) -> Result<[Tensor<T>; 2]> {
    let (batch, n) = square(x.shape())?;
    let a = columns(x)?;
    let a = slice(&a);
    let decompose = |work: &mut EighWork<T>, i: usize, [values, vectors]: [&mut [T]; 2]| {
        linalg::eigh(n, &a[i * n * n..(i + 1) * n * n], basis, values, vectors, work)
    };
    let [values, vectors] = each_matrix(batch, [&[n], &[n, n]], n, linalg::eigh_ns(n), decompose)?;
    Ok([values, vectors.transpose(-1, -2)?])
}

/// `V X Vᵀ`.
pub(super) fn out_of<T: Real>(v: &Tensor<T>, x: &Tensor<T>) -> Result<Tensor<T>> {
    v.matmul(x)?.matmul(&v.transpose(-1, -2)?)
}

/// `Vᵀ X V`.
pub(super) fn into<T: Real>(v: &Tensor<T>, x: &Tensor<T>) -> Result<Tensor<T>> {
    v.transpose(-1, -2)?.matmul(x)?.matmul(v)
}

/// `V diag(h) Vᵀ`.
pub(super) fn recomposed<T: Real>(v: &Tensor<T>, h: &Tensor<T>) -> Result<Tensor<T>> {
    v.try_mul(&h.unsqueeze(-2)?)?.matmul(&v.transpose(-1, -2)?)
}

/// The decomposition, on behalf of the operation of this name.
struct Factors(&'static str);

impl<T: Real> Operation<T> for Factors {
    fn name(&self) -> &'static str {
        self.0
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Ok(Outputs::from_iter(eigen(x[0], Basis::Plain)?))
    }
}

/// The factors of a matrix, λ and V, as constants, for the operation of this name.
pub(super) fn factors<'t, T: Real>(name: &'static str, a: Var<'t, T>) -> Result<[Var<'t, T>; 2]> {
    a.constant_factors(Factors(name))
}

/// Z of `H Z + Z H = R`, or of `Z H = R`, from a symmetric H, its eigenvalues and eigenvectors, which count as constants,
/// and R: `V (VᵀRV)ᵢⱼ / (sᵢ + sⱼ) Vᵀ`, or `R V / sⱼ Vᵀ`.
#[derive(Clone, Copy)]
pub(super) struct Divide {
    /// H stands on both sides.
    pub(super) both: bool,
    /// Divisors of at most this times the largest eigenvalue, which is the first one, give NaN.
    pub(super) noise: f64,
}

impl Divide {
    pub(super) fn of<'t, T: Real>(self, h: Var<'t, T>, [s, v]: [Var<'t, T>; 2], r: Var<'t, T>) -> Var<'t, T> {
        h.tape().apply(self, &[h, s, v, r])
    }

    fn again<'t, T: Real>(self, at: &At<'_, 't, T>, r: Var<'t, T>) -> Var<'t, T> {
        self.of(at.x(0), [at.x(1), at.x(2)], r)
    }
}

impl<T: Real> Operation<T> for Divide {
    fn name(&self) -> &'static str {
        "divide"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (s, v, r) = (x[1], x[2], x[3]);
        let n = s.shape()[s.rank() - 1];
        let values = s.contiguous()?;
        let rows = if self.both { n } else { 1 };
        let batch = &s.shape()[..s.rank() - 1];
        let divisors = Tensor::build(shape_of(batch, &[rows, n])?, |out| {
            let matrices = out.chunks_exact_mut((rows * n).max(1));
            for (out, s) in matrices.zip(slice(&values).chunks_exact(n.max(1))) {
                let least = self.noise * s[0].to_f64();
                for (at, out) in out.iter_mut().enumerate() {
                    let by = if self.both { s[at / n] + s[at % n] } else { s[at] };
                    *out = if self.noise > 0.0 && by.to_f64() <= least { T::NAN } else { by };
                }
            }
        })?;
        let (right, vt) = (r.matmul(v)?, v.transpose(-1, -2)?);
        let z = if self.both {
            v.matmul(&vt.matmul(&right)?.try_div(&divisors)?)?
        } else {
            right.try_div(&divisors)?
        };
        z.matmul(&vt).map(one)
    }
    /// `R̄` is the solution for `Z̄`, and `H̄ = −(R̄ Zᵀ + Zᵀ R̄)`, or `−Zᵀ R̄`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (zt, r) = (at.y(0).mt(), self.again(at, at.g(0)));
        let of_h = at.needs(0).then(|| {
            let right = zt.matmul(r);
            -if self.both { r.matmul(zt) + right } else { right }
        });
        Ok(Parts::from_iter([of_h, None, None, Some(r)]))
    }
    /// The solution for `dR − dH Z − Z dH`, or `dR − Z dH`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let z = at.y(0);
        at.sum_of(|i, d| {
            if i == 3 {
                return self.again(at, d);
            }
            let right = z.matmul(d);
            self.again(at, -if self.both { d.matmul(z) + right } else { right })
        })
    }
}
