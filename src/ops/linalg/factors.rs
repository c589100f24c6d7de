//! A matrix with its LU factors: what is solved with it, and the rules thereof, factors it once.

use super::{Triangular, as_stored, columns, each_matrix, in_place, matrices, shape_of, slice, square};
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::linalg::{self, LuFactors, LuWork};
use crate::number::Real;
use crate::shape::broadcast;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::smallvec;

/// `P A = L U`: gives L and U in one matrix, and the order of the rows, as numbers.
pub(super) struct Lu {
    pub(super) name: &'static str,
    /// Whether a matrix without an inverse is refused.
    pub(super) regular: bool,
}

impl<T: Real> Operation<T> for Lu {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, m, n) = matrices(x[0].shape())?;
        // From 2/ε on, which is 2²⁴ in single precision, not every number of a row is a number of this type.
        if m as f64 * T::EPSILON.to_f64() > 2.0 {
            return argument("the number of rows", m, "one that the element type can count to");
        }
        let (a, by_rows) = as_stored(x[0])?;
        let a = slice(&a);
        let factor = |work: &mut LuWork, i: usize, [out, rows]: [&mut [T]; 2]| {
            linalg::lu([m, n], &a[i * m * n..(i + 1) * m * n], by_rows, out, rows, work)?;
            match (0..n).find(|&j| self.regular && out[j * n + j] == T::ZERO) {
                Some(pivot) => Err(linalg::Fault::Singular(pivot)),
                None => Ok(()),
            }
        };
        let [factors, rows] = each_matrix(batch, [&[n, m], &[m]], n, linalg::lu_ns(m, n), factor)?;
        Ok(smallvec![factors.transpose(-1, -2)?, rows])
    }
    /// With k = min(m, n), the first k columns of L as L₁ over L₂ and the first k rows of U as U₁ beside U₂ (de Hoog,
    /// Anderssen and Lukas 2011, for the square part): from `B = P A`,
    /// `B̄₂ = L̄₂ U₁⁻ᵀ`, `Ū₁ −= L₂ᵀ B̄₂` below, or `B̄₂ = L₁⁻ᵀ Ū₂`, `L̄₁ −= B̄₂ U₂ᵀ` beside, and
    /// `B̄₁ = L₁⁻ᵀ (tril₋₁(L₁ᵀ L̄₁) + triu(Ū₁ U₁ᵀ)) U₁⁻ᵀ`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (lu, g) = (Pieces::of(at.y(0))?, Pieces::of(at.g(0))?);
        let head = lu.head;
        let (mut gl, mut gu) = (g.head, g.head);
        let mut b = Pieces { head, below: None, beside: None };
        if let (Some(g), Some(l)) = (g.below, lu.below) {
            let part = head.solve_triangular(g, U().right().transposed());
            gu = gu - l.mt().matmul(part);
            b.below = Some(part);
        }
        if let (Some(g), Some(u)) = (g.beside, lu.beside) {
            let part = head.solve_triangular(g, L().transposed());
            gl = gl - part.matmul(u.mt());
            b.beside = Some(part);
        }
        let of_l = unit(head)?.mt().matmul(gl.tril(-1)).tril(-1);
        let of_u = gu.triu(0).matmul(head.triu(0).mt()).triu(0);
        let left = head.solve_triangular(of_l + of_u, L().transposed());
        b.head = head.solve_triangular(left, U().right().transposed());
        at.one(permuted(b.whole(), &order(at.y(1))?, true)?)
    }
    /// With `F = L₁⁻¹ dB₁ U₁⁻¹`: `dL₁ = L₁ tril₋₁(F)`, `dU₁ = triu(F) U₁`, `dL₂ = (dB₂ − L₂ dU₁) U₁⁻¹`,
    /// `dU₂ = L₁⁻¹ dB₂ − tril₋₁(F) U₂`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(da) = at.dx(0) else { return Ok(smallvec![None, None]) };
        let db = Pieces::of(permuted(da, &order(at.y(1))?, false)?)?;
        let lu = Pieces::of(at.y(0))?;
        let head = lu.head;
        let f = head.solve_triangular(head.solve_triangular(db.head, L()), U().right());
        let du = f.triu(0).matmul(head.triu(0));
        let mut found = Pieces { head: unit(head)?.matmul(f.tril(-1)) + du, below: None, beside: None };
        if let (Some(db), Some(l)) = (db.below, lu.below) {
            found.below = Some(head.solve_triangular(db - l.matmul(du), U().right()));
        }
        if let (Some(db), Some(u)) = (db.beside, lu.beside) {
            found.beside = Some(head.solve_triangular(db, L()) - f.tril(-1).matmul(u));
        }
        Ok(smallvec![Some(found.whole()), None])
    }
}

/// The pieces of an `m × n` matrix: its first k rows and columns, and the rows below or the columns beside them.
struct Pieces<'t, T: Real> {
    head: Var<'t, T>,
    below: Option<Var<'t, T>>,
    beside: Option<Var<'t, T>>,
}

impl<'t, T: Real> Pieces<'t, T> {
    fn of(a: Var<'t, T>) -> Result<Pieces<'t, T>> {
        let (m, n) = matrices(&a.try_shape()?).map(|(_, m, n)| (m as isize, n as isize))?;
        let k = m.min(n);
        Ok(Pieces {
            head: a.slice(-2, ..k).slice(-1, ..k),
            below: (m > n).then(|| a.slice(-2, k..)),
            beside: (n > m).then(|| a.slice(-1, k..)),
        })
    }
    fn whole(self) -> Var<'t, T> {
        match (self.below, self.beside) {
            (Some(below), _) => self.head.tape().concat(&[self.head, below], -2),
            (_, Some(beside)) => self.head.tape().concat(&[self.head, beside], -1),
            (None, None) => self.head,
        }
    }
}

fn unit<'t, T: Real>(head: Var<'t, T>) -> Result<Var<'t, T>> {
    let n = square(&head.try_shape()?)?.1;
    Ok(head.tril(-1) + head.constant_like(Tensor::eye(n)))
}

const L: fn() -> Triangular = || Triangular::lower().unit();
const U: fn() -> Triangular = Triangular::upper;

/// The order of the rows from the numbers that [`Lu`] gives.
pub(super) fn order<T: Real>(rows: Var<'_, T>) -> Result<Tensor<i64>> {
    rows.value()?.map(|row| row.to_f64() as i64)
}

/// The rows of matrices in another order: row i is row `order[i]`, or goes there. The batches are the same.
pub(super) fn permuted<'t, T: Real>(a: Var<'t, T>, order: &Tensor<i64>, back: bool) -> Result<Var<'t, T>> {
    let index = if back { inverse_order(order)? } else { order.clone() };
    Ok(a.gather(-2, &index.unsqueeze(-1)?.expand(a.try_shape()?)?))
}

/// The inverse of each permutation along the last axis.
fn inverse_order(order: &Tensor<i64>) -> Result<Tensor<i64>> {
    let order = order.contiguous()?;
    let n = order.shape()[order.rank() - 1].max(1);
    let data = order.as_slice().expect("made contiguous above");
    Tensor::build(order.shape_owned(), |out| {
        for (out, order) in out.chunks_exact_mut(n).zip(data.chunks_exact(n)) {
            order.iter().enumerate().for_each(|(i, &row)| out[row as usize] = i as i64);
        }
    })
}

/// Square matrices and their factors.
#[derive(Clone, Copy)]
pub(super) struct Factored<'t, T: Real> {
    pub(super) a: Var<'t, T>,
    pub(super) lu: Var<'t, T>,
    pub(super) rows: Var<'t, T>,
}

impl<'t, T: Real> Factored<'t, T> {
    /// Factors the matrices, or refuses them, on behalf of an operation.
    pub(super) fn new(a: Var<'t, T>, name: &'static str) -> Result<Factored<'t, T>> {
        Factored::by(a, Lu { name, regular: false })
    }

    /// The same for matrices with an inverse; others are refused.
    pub(super) fn regular(a: Var<'t, T>, name: &'static str) -> Result<Factored<'t, T>> {
        Factored::by(a, Lu { name, regular: true })
    }

    fn by(a: Var<'t, T>, lu: Lu) -> Result<Factored<'t, T>> {
        square(&a.try_shape()?)?;
        let [lu, rows] = a.constant_factors(lu)?;
        Ok(Factored { a, lu, rows })
    }

    /// Those that an operation has among its inputs, from a place on.
    pub(super) fn at(at: &At<'_, 't, T>, a: usize, factors: usize) -> Factored<'t, T> {
        Factored { a: at.x(a), lu: at.x(factors), rows: at.x(factors + 1) }
    }

    /// The solution of `A X = B`, or of `Aᵀ X = B`.
    pub(super) fn solve(&self, b: Var<'t, T>, transposed: bool) -> Var<'t, T> {
        self.a.tape().apply(Solve { transposed }, &[self.a, b, self.lu, self.rows])
    }

    /// `A⁻¹`.
    pub(super) fn inverse(&self) -> Var<'t, T> {
        self.a.tape().apply(Inverse, &[self.a, self.lu, self.rows])
    }
}

/// Calls a closure with the factors of each matrix of a batch as kernels take them.
pub(super) struct Batch<T: Real> {
    lu: Tensor<T>,
    rows: Vec<usize>,
    pub(super) n: usize,
}

impl<T: Real> Batch<T> {
    pub(super) fn new(lu: &Tensor<T>, rows: &Tensor<T>) -> Result<Batch<T>> {
        let rows_of = rows.iter().map(|row| row.to_f64() as usize).collect();
        Ok(Batch { n: square(lu.shape())?.1, lu: columns(lu)?, rows: rows_of })
    }
    pub(super) fn factors(&self, i: usize) -> LuFactors<'_, T> {
        let n = self.n;
        LuFactors {
            n,
            lu: &slice(&self.lu)[i * n * n..(i + 1) * n * n],
            rows: &self.rows[i * n..(i + 1) * n],
        }
    }
}

/// `A X = B` or `Aᵀ X = B`, from A, B, and A's factors, which are constants. The batch of A broadcasts against B's.
struct Solve {
    transposed: bool,
}

/// For each matrix of a batch, which one of a smaller batch is broadcast to it.
fn sources(small: &[usize], whole: &[usize]) -> Result<Vec<usize>> {
    let numbers = Tensor::from_iter_in(0..small.iter().product::<usize>() as i64, small)?;
    Ok(numbers.expand(whole)?.iter().map(|i| i as usize).collect())
}

impl<T: Real> Operation<T> for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, n, k) = matrices(x[1].shape())?;
        let sources = sources(square(x[2].shape())?.0, batch)?;
        let factors = Batch::new(x[2], x[3])?;
        let found = in_place(columns(x[1])?, n, linalg::lu_solve_ns(n, k), |_: &mut (), i, b| {
            factors.factors(sources[i]).solve(self.transposed, b);
            Ok(())
        })?;
        found.transpose(-1, -2).map(one)
    }
    /// `B̄ = A⁻ᵀ X̄`, `Ā = −B̄ Xᵀ` (Giles 2008, 2.3.1).
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let a = Factored::at(at, 0, 2);
        let b = a.solve(at.g(0), !self.transposed);
        let of_a = at.needs(0).then(|| {
            let x = at.y(0);
            let product = if self.transposed { x.matmul(b.mt()) } else { b.matmul(x.mt()) };
            (-product).sum_to_like(a.a)
        });
        Ok(smallvec![of_a, at.needs(1).then_some(b), None, None])
    }
    /// `dX = A⁻¹ (dB − dA X)`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, x) = (Factored::at(at, 0, 2), at.y(0));
        let of_a = at.dx(0).map(|da| if self.transposed { da.mt() } else { da }.matmul(x));
        let right = match (of_a, at.dx(1)) {
            (Some(of_a), Some(db)) => db - of_a,
            (Some(of_a), None) => -of_a,
            (None, Some(db)) => db,
            (None, None) => return Ok(smallvec![None]),
        };
        at.one(a.solve(right, self.transposed))
    }
}

/// `A⁻¹` from A and its factors, which are constants.
struct Inverse;

/// The inverses as a tensor.
pub(super) fn inverses<T: Real>(lu: &Tensor<T>, rows: &Tensor<T>) -> Result<Tensor<T>> {
    let factors = Batch::new(lu, rows)?;
    let (batch, n) = square(lu.shape())?;
    let invert = |_: &mut (), i: usize, [out]: [&mut [T]; 1]| {
        factors.factors(i).inverse(out);
        Ok(())
    };
    let [found] = each_matrix(batch, [&[n, n]], n, linalg::lu_solve_ns(n, n), invert)?;
    found.transpose(-1, -2)
}

impl<T: Real> Operation<T> for Inverse {
    fn name(&self) -> &'static str {
        "inv"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        inverses(x[1], x[2]).map(one)
    }
    /// `Ā = −A⁻ᵀ Ȳ A⁻ᵀ` (Giles 2008, 2.2.3).
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let y = at.y(0).mt();
        Ok(smallvec![at.needs(0).then(|| -y.matmul(at.g(0)).matmul(y)), None, None])
    }
    /// `dY = −A⁻¹ dA A⁻¹`.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let y = at.y(0);
        Ok(smallvec![at.dx(0).map(|da| -y.matmul(da).matmul(y))])
    }
}

/// Right-hand sides expanded to the batch that theirs and that of the matrices broadcast to. `given` are the shapes that
/// an error is about.
pub(super) fn over_batch<'t, T: Real>(
    b: Var<'t, T>,
    a: &[usize],
    given: [&[usize]; 2],
) -> Result<Var<'t, T>> {
    let shape = b.try_shape()?;
    let (of_a, _) = square(a)?;
    let (batch, n, k) = matrices(&shape)?;
    let [left, right] = given.map(<[usize]>::to_vec);
    let whole = broadcast(of_a, batch).map_err(|_| ErrorKind::Broadcast { left, right })?;
    Ok(if whole[..] == *batch { b } else { b.expand(shape_of(&whole, &[n, k])?) })
}
