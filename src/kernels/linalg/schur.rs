//! Real Schur factors, by Francis's double shifts (Golub & Van Loan, 7.5). `faer` has them, but keeps them to itself.

use super::range::{by_power, to_range};
use super::{Fault, Workspace, both, finite};
use crate::number::Real;
use faer::linalg::evd::hessenberg::{hessenberg_in_place, hessenberg_in_place_scratch};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
};
use faer::prelude::*;
use faer::{Conj, MatMut, Par};

/// Reflections in the Hessenberg form that are applied together.
const BLOCK: usize = 8;

/// Double shifts for each eigenvalue, on average, after which to give up. Two or three are usual.
const SHIFTS: usize = 30;

both! {
    /// Factors `A = U T Uᵀ`, with orthogonal U and quasi-triangular T in place of A: blocks of 1 and 2 rows on the
    /// diagonal, those of 2 with complex eigenvalues.
    pub fn real_schur<T>(n: usize, t: &mut [T], u: &mut [T], work: &mut Workspace) -> Result<(), Fault> {
        let (zero, one) = (<T as Real>::ZERO, <T as Real>::ONE);
        finite(t)?;
        u.fill(zero);
        u.iter_mut().step_by(n + 1).for_each(|x| *x = one);
        let exponent = to_range(t);
        if n > 2 {
            let width = BLOCK.min(n - 1);
            let mut factors = vec![zero; width * (n - 1)];
            let mut factors = MatMut::from_column_major_slice_mut(&mut factors, width, n - 1);
            let mut a = MatMut::from_column_major_slice_mut(&mut *t, n, n);
            let wanted = hessenberg_in_place_scratch::<T>(n, width, Par::Seq, Default::default());
            let stack = work.stack(wanted.or(scratch::<T>(n - 1, width, n - 1)));
            hessenberg_in_place(a.rb_mut(), factors.rb_mut(), Par::Seq, stack, Default::default());
            let basis = a.rb().submatrix(1, 0, n - 1, n - 1);
            let below = MatMut::from_column_major_slice_mut(&mut *u, n, n).submatrix_mut(1, 1, n - 1, n - 1);
            apply(basis, factors.rb(), Conj::No, below, Par::Seq, stack);
            for (c, column) in t.chunks_exact_mut(n).enumerate() {
                column[n.min(c + 2)..].fill(zero);
            }
        }
        iterate(&mut Schur { n, t, u })?;
        by_power(t, exponent);
        Ok(())
    }
}

/// About how long [`real_schur`] takes.
pub fn real_schur_ns(n: usize) -> usize {
    200 + n.saturating_mul(n).saturating_mul(n).saturating_mul(10)
}

struct Schur<'a, T> {
    n: usize,
    t: &'a mut [T],
    u: &'a mut [T],
}

/// `I − τ v vᵀ` on two or three neighbouring coordinates, with 1 as the first of v; 0 as the last for two.
#[derive(Clone, Copy)]
struct Reflection<T> {
    tau: T,
    v: [T; 2],
}

impl<T: Real> Reflection<T> {
    /// The reflection of a vector to its first axis, and what stands there then.
    fn of(x: [T; 3]) -> (Reflection<T>, T) {
        let tail = x[1].hypot(x[2]);
        if tail == T::ZERO {
            return (Reflection { tau: T::ZERO, v: [T::ZERO; 2] }, x[0]);
        }
        let norm = x[0].hypot(tail);
        let beta = if x[0] > T::ZERO { -norm } else { norm };
        let head = x[0] - beta;
        (Reflection { tau: (beta - x[0]) / beta, v: [x[1] / head, x[2] / head] }, beta)
    }

    fn step(self, x: [T; 3]) -> [T; 3] {
        let sum = self.tau * (x[0] + self.v[0] * x[1] + self.v[1] * x[2]);
        [sum, sum * self.v[0], sum * self.v[1]]
    }
}

impl<T: Real> Schur<'_, T> {
    fn at(&self, i: usize, j: usize) -> T {
        self.t[i + j * self.n]
    }

    /// A similarity by a reflection of the coordinates from `k` on, where T is upper Hessenberg with its active part up
    /// to row `last`.
    fn reflect(&mut self, k: usize, last: usize, by: Reflection<T>) {
        let n = self.n;
        let three = k + 2 <= last;
        for column in self.t.chunks_exact_mut(n).skip(k) {
            let third = if three { column[k + 2] } else { T::ZERO };
            let step = by.step([column[k], column[k + 1], third]);
            (column[k], column[k + 1]) = (column[k] - step[0], column[k + 1] - step[1]);
            if three {
                column[k + 2] = third - step[2];
            }
        }
        for (matrix, rows) in [(&mut *self.t, last.min(k + 3) + 1), (&mut *self.u, n)] {
            let (first, rest) = matrix[k * n..].split_at_mut(n);
            let (second, rest) = rest.split_at_mut(n);
            if three {
                for ((x, y), z) in first[..rows].iter_mut().zip(second).zip(rest) {
                    let step = by.step([*x, *y, *z]);
                    (*x, *y, *z) = (*x - step[0], *y - step[1], *z - step[2]);
                }
            } else {
                for (x, y) in first[..rows].iter_mut().zip(second) {
                    let step = by.step([*x, *y, T::ZERO]);
                    (*x, *y) = (*x - step[0], *y - step[1]);
                }
            }
        }
    }

    /// Makes the rows `k` and `k + 1` triangular if their eigenvalues are real.
    fn split(&mut self, k: usize) {
        let [a, b, c, d] = [self.at(k, k), self.at(k, k + 1), self.at(k + 1, k), self.at(k + 1, k + 1)];
        let half = (a - d).scale(0.5);
        let square = half * half + b * c;
        if square < T::ZERO {
            return;
        }
        // The eigenvalue d + z, of which (z, c) is the eigenvector: the sign without cancellation.
        let root = square.sqrt();
        let z = if half < T::ZERO { half - root } else { half + root };
        let (by, _) = Reflection::of([z, c, T::ZERO]);
        self.reflect(k, k + 1, by);
        self.t[k + 1 + k * self.n] = T::ZERO;
    }

    /// One double shift of the rows from `first` to `last`, at least three; another than usual after `stuck` attempts.
    fn shift(&mut self, first: usize, last: usize, stuck: usize) {
        // Two shifts with the sum x + y and the product x y − w: the eigenvalues of the last two rows.
        let (mut x, mut y) = (self.at(last, last), self.at(last - 1, last - 1));
        let mut w = self.at(last, last - 1) * self.at(last - 1, last);
        if stuck % 10 == 9 {
            let s = self.at(last, last - 1).abs() + self.at(last - 1, last - 2).abs();
            x += s.scale(0.75);
            (y, w) = (x, (s * s).scale(-0.4375));
        }
        // The first column of the shifted product, from the lowest row where what stands left of it is negligible.
        let column = |k: usize| {
            let diagonal = self.at(k, k);
            let (r, s) = (x - diagonal, y - diagonal);
            let p = (r * s - w) / self.at(k + 1, k) + self.at(k, k + 1);
            let v = [p, self.at(k + 1, k + 1) - diagonal - r - s, self.at(k + 2, k + 1)];
            let largest = v.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs()));
            if largest > T::ZERO { v.map(|x| x / largest) } else { v }
        };
        let mut start = last - 2;
        let mut v = column(start);
        while start > first {
            let beside = self.at(start, start - 1).abs() * (v[1].abs() + v[2].abs());
            let around = self.at(start - 1, start - 1).abs()
                + self.at(start, start).abs()
                + self.at(start + 1, start + 1).abs();
            if beside <= T::EPSILON * v[0].abs() * around {
                break;
            }
            start -= 1;
            v = column(start);
        }
        for k in start..last {
            if k > start {
                let third = if k + 2 <= last { self.at(k + 2, k - 1) } else { T::ZERO };
                v = [self.at(k, k - 1), self.at(k + 1, k - 1), third];
            }
            let (by, beta) = Reflection::of(v);
            let left = k.wrapping_sub(1).wrapping_mul(self.n);
            if k > start {
                self.t[k + left] = beta;
                self.t[k + 1 + left] = T::ZERO;
                if k + 2 <= last {
                    self.t[k + 2 + left] = T::ZERO;
                }
            } else if k > first {
                self.t[k + left] *= T::ONE - by.tau;
            }
            self.reflect(k, last, by);
        }
    }
}

fn iterate<T: Real>(schur: &mut Schur<'_, T>) -> Result<(), Fault> {
    let n = schur.n;
    let largest = schur.t.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs()));
    // The active rows are before `end`.
    let (mut end, mut stuck, mut total) = (n, 0, 0);
    while end > 1 {
        let last = end - 1;
        let mut first = last;
        while first > 0 {
            let beside = schur.at(first - 1, first - 1).abs() + schur.at(first, first).abs();
            let scale = if beside > T::ZERO { beside } else { largest };
            if schur.at(first, first - 1).abs() <= T::EPSILON * scale {
                schur.t[first + (first - 1) * n] = T::ZERO;
                break;
            }
            first -= 1;
        }
        if last - first < 2 {
            if first < last {
                schur.split(first);
            }
            (end, stuck) = (first, 0);
            continue;
        }
        if total == SHIFTS * n.max(10) {
            return Err(Fault::NotConverged);
        }
        schur.shift(first, last, stuck);
        (stuck, total) = (stuck + 1, total + 1);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
