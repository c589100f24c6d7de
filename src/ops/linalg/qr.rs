//! Orthogonal and triangular factors.

use super::{Triangular, columns, each_matrix, matrices, slice};
use crate::error::{ErrorKind, Result};
use crate::kernels::linalg::{self, QrWork};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var};
use crate::tensor::Tensor;
use smallvec::smallvec;

pub(super) struct Qr {
    name: &'static str,
    complete: bool,
}

impl Qr {
    fn derivative<T: Real>(&self, at: &At<'_, '_, T>) -> Result<[usize; 2]> {
        let shape = at.x(0).try_shape()?;
        let (_, m, n) = matrices(&shape)?;
        let reason =
            "the columns of a complete Q after the first n are any basis of the complement, see `qr`";
        if self.complete && m > n { Err(ErrorKind::NoGradient { reason }.into()) } else { Ok([m, n]) }
    }
}

impl<T: Real> Operation<T> for Qr {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, m, n) = matrices(x[0].shape())?;
        let k = if self.complete { m } else { m.min(n) };
        let a = columns(x[0])?;
        let a = slice(&a);
        let factor = |work: &mut QrWork<T>, i: usize, [q, r]: [&mut [T]; 2]| {
            linalg::qr([m, n, k], &a[i * m * n..(i + 1) * m * n], q, r, work)
        };
        let [q, r] = each_matrix(batch, [&[k, m], &[n, k]], m, linalg::qr_ns(m, n, k), factor)?;
        Ok(smallvec![q.transpose(-1, -2)?, r.transpose(-1, -2)?])
    }
    /// For the first k columns, `Ā = (Q̄ + Q M) R⁻ᵀ`, with the symmetric M that has the upper triangle of `R̄ Rᵀ − Qᵀ Q̄`
    /// (Walter & Lehmann 2018, eq. 5.7). The columns after those are `A₂ = Q R₂`, so that `R₂ = Qᵀ A₂` is a product.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let [m, n] = self.derivative(at)?;
        let ([q, r], [gq, gr]) = ([at.y(0), at.y(1)], [at.g(0), at.g(1)]);
        let first = |gq: Var<'t, T>, r: Var<'t, T>, gr: Var<'t, T>| {
            let inner = gr.matmul(r.mt()) - q.mt().matmul(gq);
            let symmetric = inner.triu(0) + inner.triu(1).mt();
            r.solve_triangular(gq + q.matmul(symmetric), Triangular::upper().right().transposed())
        };
        if m >= n {
            return at.one(first(gq, r, gr));
        }
        let [(r, beyond), (gr, g_beyond)] = [r, gr].map(|r| parted(r, m));
        let gq = gq + q.matmul(beyond.matmul(g_beyond.mt()));
        at.one(at.x(0).tape().concat(&[first(gq, r, gr), q.matmul(g_beyond)], -1))
    }
    /// `dR = U R` and `dQ = dA R⁻¹ − Q U`, with `W = Qᵀ dA R⁻¹` and the upper triangular U that makes `W − U`
    /// antisymmetric, as `Qᵀ dQ` is.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let [m, n] = self.derivative(at)?;
        let [q, r] = [at.y(0), at.y(1)];
        let Some(da) = at.dx(0) else { return Ok(smallvec![None, None]) };
        let first = |da: Var<'t, T>, r: Var<'t, T>| {
            let quotient = r.solve_triangular(da, Triangular::upper().right());
            let w = q.mt().matmul(quotient);
            let u = w.triu(0) + w.tril(-1).mt();
            [quotient - q.matmul(u), u.matmul(r)]
        };
        if m >= n {
            return Ok(first(da, r).map(Some).into_iter().collect());
        }
        let (da, da_beyond) = parted(da, m);
        let [dq, dr] = first(da, parted(r, m).0);
        let beyond = parted(at.x(0), m).1;
        let dr_beyond = dq.mt().matmul(beyond) + q.mt().matmul(da_beyond);
        Ok(smallvec![Some(dq), Some(q.tape().concat(&[dr, dr_beyond], -1))])
    }
}

/// The first `m` columns, and the rest.
fn parted<T: Real>(x: Var<'_, T>, m: usize) -> (Var<'_, T>, Var<'_, T>) {
    (x.slice(-1, 0..m as isize), x.slice(-1, m as isize..))
}

impl<'t, T: Real> Var<'t, T> {
    /// The factors of A as constants, for operations that solve with them.
    pub(super) fn qr_factors(self, name: &'static str) -> Result<[Var<'t, T>; 2]> {
        self.constant_factors(Qr { name, complete: false })
    }

    /// The factors `A = Q R` of matrices `[…, m, n]`, with `k = min(m, n)`: Q of `[…, m, k]` with orthonormal columns,
    /// and upper triangular R of `[…, k, n]`.
    ///
    /// The signs are LAPACK's, hence NumPy's and PyTorch's: an element of R's diagonal is negative where the reflections
    /// before left a positive one in its place, unless there is nothing but zeros below it. Multiply the columns of Q and the rows of R by `r.diagonal(-2, -1).sign()` for a diagonal that is not.
    ///
    /// # Gradient
    ///
    /// `(Q̄ + Q M) R⁻ᵀ` for `m ≥ n`, with the symmetric matrix M that has the upper triangle of `R̄ Rᵀ − Qᵀ Q̄`. It takes
    /// that the first k columns of A are independent: where they are not the factors have no derivative, and it is
    /// infinite or NaN.
    ///
    /// # Accuracy
    ///
    /// That of Householder reflections: a few ulp of the norm of each column, whatever the condition and the scales.
    ///
    /// # Errors
    ///
    /// [`NotFinite`](ErrorKind::NotFinite), with the matrix of the batch; [`Rank`](ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[3.0, 5.0], [4.0, 0.0]]));
    /// let [q, r] = a.qr();
    /// assert!(q.value()?.all_close(&Tensor::from([[-0.6, -0.8], [-0.8, 0.6]]), 0.0, 1e-15)?);
    /// assert!(r.value()?.all_close(&Tensor::from([[-5.0, -3.0], [0.0, -4.0]]), 0.0, 1e-15)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn qr(self) -> [Var<'t, T>; 2] {
        let factors = self.tape().apply_many(Qr { name: "qr", complete: false }, &[self], 2);
        [factors[0], factors[1]]
    }

    /// The factors `A = Q R` of matrices `[…, m, n]` with a whole orthogonal Q of `[…, m, m]`, and R of `[…, m, n]`: those
    /// of [`qr`](Var::qr), with a basis of the complement of A's columns behind Q's first, and zeros below R.
    ///
    /// # Gradient
    ///
    /// That of [`qr`](Var::qr) for `m ≤ n`, where the two are the same. For `m > n` there is none: the basis is arbitrary.
    ///
    /// # Errors
    ///
    /// As [`qr`](Var::qr); a derivative for `m > n` is [`NoGradient`](ErrorKind::NoGradient).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.constant(&Tensor::from([[3.0], [4.0]]));
    /// let [q, r] = a.qr_complete();
    /// assert!(q.value()?.all_close(&Tensor::from([[-0.6, -0.8], [-0.8, 0.6]]), 0.0, 1e-15)?);
    /// assert!(r.value()?.all_close(&Tensor::from([[-5.0], [0.0]]), 0.0, 1e-15)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn qr_complete(self) -> [Var<'t, T>; 2] {
        let factors = self.tape().apply_many(Qr { name: "qr_complete", complete: true }, &[self], 2);
        [factors[0], factors[1]]
    }
}

/// Well-conditioned matrices from any matrices, for samples.
#[cfg(test)]
pub(super) fn full_rank<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let shape = x.try_shape().unwrap();
    let [m, n] = [shape[shape.len() - 2], shape[shape.len() - 1]];
    let eye = Tensor::eye(m.max(n)).unwrap();
    x + x.tape().constant(&eye).slice(0, 0..m as isize).slice(1, 0..n as isize) * 2.0
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let all = || {
        shapes(
            &[
                &[&[1, 1]],
                &[&[2, 2]],
                &[&[5, 5]],
                &[&[5, 2]],
                &[&[2, 5]],
                &[&[2, 3, 3, 2]],
                &[&[2, 2, 3]],
                &[&[0, 3, 3]],
                &[&[0, 0]],
                &[&[3, 0]],
                &[&[0, 3]],
                &[&[2, 3, 0]],
            ],
            -1.0,
            1.0,
        )
    };
    let wide = || shapes(&[&[&[3, 3]], &[&[2, 4]], &[&[2, 1, 3]], &[&[0, 2]], &[&[0, 0]]], -1.0, 1.0);
    vec![
        sample!("qr q", all(), |x| full_rank(x[0]).qr()[0]),
        sample!("qr r", all(), |x| full_rank(x[0]).qr()[1]),
        sample!("qr both", all(), |x| {
            let [q, r] = full_rank(x[0]).qr();
            q.sin().matmul(r.cos())
        }),
        sample!("qr_complete", wide(), |x| {
            let [q, r] = full_rank(x[0]).qr_complete();
            q.sin().matmul(r.cos())
        }),
        wrong!("qr", &[&[3]], |x| x[0].qr()[0], "shape [3] has rank 1, wanted at least 2"),
        wrong!("qr_complete", &[&[3]], |x| x[0].qr_complete()[1], "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "qr",
            &[&[2, 2, 3]],
            |x| x[0].tape().concat(&[x[0].slice(0, 0..1), x[0].slice(0, 1..) * f64::INFINITY], 0).qr()[1],
            "the matrix [1] of the batch has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests;
