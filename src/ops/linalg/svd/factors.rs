//! The parts that the rules of singular vectors are made of, and what counts where values coincide or vanish.
//!
//! Singular vectors of equal values are known up to a rotation that those of U and V share, those of zeros up to one
//! each, which takes in the columns that belong to no value. The derivative of a function that such a rotation does
//! not change does not depend on how fast they turn; the rules say that they do not turn at all. That a function does
//! depend on the choice shows in its cotangents, and its gradient is NaN.

use super::super::singular::Blocks;
use super::super::{matrices, slice};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Var};
use crate::tensor::Tensor;

/// `A = U S Vᵀ` of a node as its rules take it: the columns of U and V that belong to singular values, those that do
/// not, and which values are degenerate.
pub(super) struct Factors<'t, T: Real> {
    pub(super) u: Var<'t, T>,
    pub(super) s: Var<'t, T>,
    pub(super) v: Var<'t, T>,
    /// A basis of what is orthogonal to U, where the node has one; the same of V.
    pub(super) rest: [Option<Var<'t, T>>; 2],
    /// Whether U, or V, has fewer columns than rows.
    pub(super) tall: [bool; 2],
    pub(super) values: Tensor<T>,
    blocks: Option<Blocks>,
}

/// Above this share of the cotangents' size, a part of them that should be 0 is not.
fn negligible<T: Real>() -> f64 {
    T::EPSILON.to_f64().sqrt()
}

fn largest<T: Real>(x: &[T]) -> f64 {
    // Not `f64::max`, which drops NaNs.
    x.iter().map(|x| x.to_f64().abs()).fold(0.0, |a, b| if b <= a { a } else { b })
}

/// Matrix `at` of a batch of `count`.
fn entry<T: Real>(x: &Tensor<T>, at: usize, count: usize) -> &[T] {
    let size = x.len() / count;
    &slice(x)[at * size..(at + 1) * size]
}

pub(super) fn skew<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    (x - x.mt()) * 0.5
}

/// What of a cotangent of U or V belongs to the columns of the values, and what to the rest.
fn parted<'t, T: Real>(g: Var<'t, T>, k: usize, has_rest: bool) -> (Var<'t, T>, Option<Var<'t, T>>) {
    if has_rest {
        (g.slice(-1, ..k as isize), Some(g.slice(-1, k as isize..)))
    } else {
        (g, None)
    }
}

impl<'t, T: Real> Factors<'t, T> {
    pub(super) fn of(at: &At<'_, 't, T>) -> Result<Factors<'t, T>> {
        let [u, s, v] = [at.y(0), at.y(1), at.y(2).mt()];
        let (_, m, n) = matrices(&at.x(0).try_shape()?).map(|(batch, m, n)| (batch.len(), m, n))?;
        let values = s.value()?;
        let k = m.min(n);
        let part = |x: Var<'t, T>, rows: usize| -> Result<_> {
            Ok(parted(x, k, rows > k && x.try_shape()?.last() != Some(&k)))
        };
        let ((u, rest_of_u), (v, rest_of_v)) = (part(u, m)?, part(v, n)?);
        let blocks = Blocks::of(&values, m, n)?;
        Ok(Factors { u, s, v, rest: [rest_of_u, rest_of_v], tall: [m > k, n > k], values, blocks })
    }

    fn constant(&self, value: Result<Tensor<T>>) -> Var<'t, T> {
        self.s.constant_like(value)
    }

    /// `s_j − s_i`, `s_i + s_j` and `s_j` in row i and column j, with 1 for what must not be divided by.
    pub(super) fn divisors(&self) -> [Var<'t, T>; 3] {
        let (row, column) = (self.s.unsqueeze(-2), self.s.unsqueeze(-1));
        let [difference, sum] = [row - column, row + column];
        let Some(blocks) = &self.blocks else {
            let k = self.values.shape().last().copied().unwrap_or(0);
            return [difference + self.constant(Tensor::eye(k)), sum, row];
        };
        let one = row.constant(1.0);
        let flag = |yes: bool| if yes { T::ONE } else { T::ZERO };
        let same = self.constant(blocks.pairs(&self.values, |at, i, j| flag(blocks.same(at, i, j))));
        let zeros = self.constant(
            blocks
                .pairs(&self.values, |at, i, j| flag(blocks.same(at, i, j) && blocks.zero(at, i))),
        );
        let zero = self.constant(blocks.each(&self.values, |at, i| flag(blocks.zero(at, i))));
        [Var::where_(same, one, difference), Var::where_(zeros, one, sum), Var::where_(zero, one, row)]
    }

    /// By what the quotients are multiplied in forward mode: 0 where values coincide or vanish.
    pub(super) fn kept(&self) -> Option<[Var<'t, T>; 3]> {
        let blocks = self.blocks.as_ref()?;
        let flag = |yes: bool| if yes { T::ONE } else { T::ZERO };
        let s = &self.values;
        Some([
            self.constant(blocks.pairs(s, |at, i, j| flag(!blocks.same(at, i, j)))),
            self.constant(blocks.pairs(s, |at, i, j| flag(!(blocks.same(at, i, j) && blocks.zero(at, i))))),
            self.constant(blocks.each(s, |at, i| flag(!blocks.zero(at, i)))),
        ])
    }
}

/// The cotangents as the rule takes them apart.
pub(super) struct Incoming<'t, T: Real> {
    /// Of U and V, columns of values; of the values.
    pub(super) vectors: [Var<'t, T>; 2],
    pub(super) values: Var<'t, T>,
    /// Of the columns that belong to no value.
    pub(super) rest: [Option<Var<'t, T>>; 2],
    /// `skew(UᵀŪ ± VᵀV̄)`.
    pub(super) together: Var<'t, T>,
    pub(super) apart: Var<'t, T>,
    /// What of Ū and V̄ is orthogonal to U and V.
    pub(super) outside: [Option<Var<'t, T>>; 2],
}

impl<'t, T: Real> Incoming<'t, T> {
    pub(super) fn of(at: &At<'_, 't, T>, by: &Factors<'t, T>) -> Incoming<'t, T> {
        let k = by.values.shape().last().copied().unwrap_or(0);
        let (gu, rest_of_u) = parted(at.g(0), k, by.rest[0].is_some());
        let (gv, rest_of_v) = parted(at.g(2).mt(), k, by.rest[1].is_some());
        let [in_u, in_v] = [by.u.mt().matmul(gu), by.v.mt().matmul(gv)];
        let outside = |i: usize, x: Var<'t, T>, g: Var<'t, T>, inside, rest: Option<Var<'t, T>>| {
            by.tall[i].then(|| {
                let own = g - x.matmul(inside);
                match (by.rest[i], rest) {
                    (Some(basis), Some(rest)) => own - basis.matmul(rest.mt().matmul(x)),
                    _ => own,
                }
            })
        };
        Incoming {
            vectors: [gu, gv],
            values: at.g(1),
            rest: [rest_of_u, rest_of_v],
            together: skew(in_u + in_v),
            apart: skew(in_u - in_v),
            outside: [outside(0, by.u, gu, in_u, rest_of_u), outside(1, by.v, gv, in_v, rest_of_v)],
        }
    }

    /// By what the quotients are multiplied: 0 where values coincide or vanish, NaN where the cotangents say that the
    /// function depends on the choice of the vectors there. Nothing if there is no choice.
    pub(super) fn kept(&self, by: &Factors<'t, T>) -> Result<Option<[Var<'t, T>; 3]>> {
        let read = |x: Var<'t, T>| x.value()?.contiguous();
        let rests: Vec<Tensor<T>> = (0..2)
            .filter_map(|i| Some((by.rest[i]?, self.rest[i]?)))
            .map(|(basis, g)| read(skew(basis.mt().matmul(g))))
            .collect::<Result<_>>()?;
        let none;
        let blocks = match &by.blocks {
            Some(blocks) => blocks,
            None if rests.is_empty() => return Ok(None),
            None => {
                none = Blocks::apart(&by.values);
                &none
            }
        };
        let k = blocks.k.max(1);
        let count = by.values.len() / k;
        let vectors: Vec<Tensor<T>> =
            self.vectors.into_iter().chain(self.rest.into_iter().flatten()).map(read).collect::<Result<_>>()?;
        let limit: Vec<f64> = (0..count)
            .map(|at| negligible::<T>() * vectors.iter().map(|g| largest(entry(g, at, count))).sum::<f64>())
            .collect();
        let fixed_rest: Vec<bool> =
            (0..count).map(|at| rests.iter().all(|x| largest(entry(x, at, count)) <= limit[at])).collect();
        let (together, apart, values) = (read(self.together)?, read(self.apart)?, read(self.values)?);
        let outside: Vec<Tensor<T>> = self.outside.iter().flatten().map(|&x| read(x)).collect::<Result<_>>()?;
        // 0, or NaN unless all of these are small.
        let none_if = |small: bool| if small { T::ZERO } else { T::NAN };
        let within = |x: T, limit: f64| x.to_f64().abs() <= limit;
        let uneven = |at: usize, i: usize, j: usize| {
            let g = entry(&values, at, count);
            let size = negligible::<T>() * largest(g);
            let apart = if i == j {
                // At 0 and beside a space of vectors without values, the size of a value has a kink.
                if blocks.zero(at, i) && !outside.is_empty() { g[i] } else { T::ZERO }
            } else {
                g[i] - g[j]
            };
            limit[at] > 0.0 && !within(apart, size)
        };
        let of_differences = by.constant(blocks.pairs(&by.values, |at, i, j| {
            if !blocks.same(at, i, j) {
                return T::ONE;
            }
            let x = (at * k + i) * k + j;
            let fixed = !blocks.zero(at, i) || within(slice(&apart)[x], limit[at]);
            none_if(within(slice(&together)[x], limit[at]) && fixed && !uneven(at, i, j))
        }));
        let of_sums = by.constant(blocks.pairs(&by.values, |at, i, j| {
            if blocks.same(at, i, j) && blocks.zero(at, i) { T::ZERO } else { T::ONE }
        }));
        let of_values = by.constant(blocks.each(&by.values, |at, i| {
            if !fixed_rest[at] {
                return T::NAN;
            }
            if !blocks.zero(at, i) {
                return T::ONE;
            }
            let mut columns = outside.iter().map(|x| entry(x, at, count).iter().skip(i).step_by(k));
            none_if(columns.all(|mut column| column.all(|&x| within(x, limit[at]))))
        }));
        Ok(Some([of_differences, of_sums, of_values]))
    }
}

pub(super) fn times<'t, T: Real>(x: Var<'t, T>, kept: &Option<[Var<'t, T>; 3]>, which: usize) -> Var<'t, T> {
    match kept {
        Some(kept) => x * kept[which],
        None => x,
    }
}
