//! Linear matrix equations with quasi-triangular coefficients, by substitution block by block (Bartels & Stewart 1972).

use super::Fault;
use crate::number::Real;
use std::ops::Range;

/// A quasi-triangular `n × n` matrix: blocks of 1 and 2 rows on the diagonal, zeros below; or its transpose.
#[derive(Clone, Copy)]
pub struct Quasi<'a, T> {
    /// The number of rows.
    pub n: usize,
    /// The elements column by column.
    pub t: &'a [T],
    /// Whether its transpose counts.
    pub transposed: bool,
}

impl<T: Real> Quasi<'_, T> {
    fn at(self, i: usize, j: usize) -> T {
        if self.transposed { self.t[j + i * self.n] } else { self.t[i + j * self.n] }
    }

    /// The rows of column `j` before its block's first row.
    fn above(&self, j: usize, block: &Range<usize>) -> &[T] {
        &self.t[j * self.n..j * self.n + block.start]
    }

    /// The blocks, in the order in which a system with this matrix on the left is solved.
    fn blocks(self) -> Vec<Range<usize>> {
        let mut blocks = Vec::with_capacity(self.n);
        let mut start = 0;
        while start < self.n {
            let two = start + 1 < self.n && self.t[start + 1 + start * self.n] != T::ZERO;
            let end = start + 1 + usize::from(two);
            blocks.push(start..end);
            start = end;
        }
        if !self.transposed {
            blocks.reverse();
        }
        blocks
    }

    fn largest(self) -> T {
        self.t.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs()))
    }

    /// `y + op(T) x`.
    fn add_product(self, x: &[T], y: &mut [T]) {
        for (k, column) in self.t.chunks_exact(self.n.max(1)).enumerate() {
            let column = &column[..self.n.min(k + 2)];
            if self.transposed {
                y[k] += dot(column, x);
            } else {
                add(column, x[k], y);
            }
        }
    }
}

fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(T::ZERO, |sum, (&x, &y)| sum + x * y)
}

/// `y + c x`.
fn add<T: Real>(x: &[T], c: T, y: &mut [T]) {
    x.iter().zip(y).for_each(|(&x, y)| *y += x * c);
}

/// A linear equation in a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equation {
    /// `A Y + Y B = F`.
    Sum,
    /// `A Y B − Y = −F`.
    Product,
}

/// Solves an equation with the coefficients `a` and `b` in place of F, which lies column by column.
///
/// It is singular where a pivot is not above 4 ulp of the coefficients: a matrix of `mn` rows, of which the pivot is
/// told.
pub fn matrix_equation<T: Real>(
    equation: Equation,
    a: Quasi<'_, T>,
    b: Quasi<'_, T>,
    f: &mut [T],
) -> Result<(), Fault> {
    let m = a.n;
    if m == 0 {
        return Ok(());
    }
    let scale = match equation {
        Equation::Sum => a.largest().maximum(b.largest()),
        Equation::Product => (a.largest() * b.largest()).maximum(T::ONE),
    };
    let least = scale * T::EPSILON.scale(4.0);
    let rows = a.blocks();
    let mut known = vec![T::ZERO; m];
    for j in b.blocks().iter().rev() {
        // What the columns solved before contribute.
        for column in j.clone() {
            let (before, rest) = f.split_at_mut(column * m);
            let (right, after) = rest.split_at_mut(m);
            known.fill(T::ZERO);
            if b.transposed {
                for (l, y) in after.chunks_exact(m).enumerate().skip(j.end - column - 1) {
                    add(y, b.at(column + 1 + l, column), &mut known);
                }
            } else {
                for (l, y) in before.chunks_exact(m).enumerate().take(j.start) {
                    add(y, b.at(l, column), &mut known);
                }
            }
            match equation {
                Equation::Sum => add(&known, -T::ONE, right),
                Equation::Product => {
                    a.add_product(&known, right);
                    right.iter_mut().for_each(|x| *x = -*x);
                }
            }
        }
        for i in &rows {
            block(equation, [a, b], [i.clone(), j.clone()], least, f)?;
        }
    }
    Ok(())
}

/// Solves for one block, where what is known of the other columns is subtracted already.
fn block<T: Real>(
    equation: Equation,
    [a, b]: [Quasi<'_, T>; 2],
    [i, j]: [Range<usize>; 2],
    least: T,
    f: &mut [T],
) -> Result<(), Fault> {
    let m = a.n;
    let (p, q) = (i.len(), j.len());
    // What the block contributes to the left-hand side, but for the rows of A.
    let times = |y: [T; 2], l: usize| match equation {
        Equation::Sum => y[l],
        Equation::Product => (0..q).fold(T::ZERO, |sum, h| sum + y[h] * b.at(j.start + h, j.start + l)),
    };
    if a.transposed {
        for k in 0..p {
            let mut known = [T::ZERO; 2];
            for (l, known) in known.iter_mut().enumerate().take(q) {
                *known = dot(a.above(i.start + k, &i), &f[(j.start + l) * m..]);
            }
            for l in 0..q {
                f[i.start + k + (j.start + l) * m] -= times(known, l);
            }
        }
    }
    // The system of up to four unknowns, in the order of rows then columns.
    let mut system = [[T::ZERO; 5]; 4];
    for (row, system) in system.iter_mut().enumerate().take(p * q) {
        let (k, l) = (row % p, row / p);
        for (column, x) in system.iter_mut().enumerate().take(p * q) {
            let (g, h) = (column % p, column / p);
            let left = a.at(i.start + k, i.start + g);
            let right = b.at(j.start + h, j.start + l);
            let one = |same: bool, x: T| if same { x } else { T::ZERO };
            *x = match equation {
                Equation::Sum => one(l == h, left) + one(k == g, right),
                Equation::Product => left * right - one(row == column, T::ONE),
            };
        }
        system[4] = f[i.start + k + (j.start + l) * m];
    }
    let solved = solve(p * q, system, least).ok_or(Fault::Singular(i.start + j.start * m))?;
    let mut y = [[T::ZERO; 2]; 2];
    for (row, &x) in solved[..p * q].iter().enumerate() {
        let (k, l) = (row % p, row / p);
        y[k][l] = x;
        f[i.start + k + (j.start + l) * m] = x;
    }
    if !a.transposed {
        for l in 0..q {
            for (k, &y) in y.iter().enumerate().take(p) {
                add(a.above(i.start + k, &i), -times(y, l), &mut f[(j.start + l) * m..]);
            }
        }
    }
    Ok(())
}

/// A system of `n ≤ 4` equations, the right-hand side last, by elimination with the largest pivot of all.
fn solve<T: Real>(n: usize, mut a: [[T; 5]; 4], least: T) -> Option<[T; 4]> {
    let mut order = [0, 1, 2, 3];
    for k in 0..n {
        let (mut row, mut column) = (k, k);
        for i in k..n {
            for j in k..n {
                if a[i][j].abs() > a[row][column].abs() {
                    (row, column) = (i, j);
                }
            }
        }
        if !(a[row][column].abs() > least) {
            return None;
        }
        a.swap(k, row);
        a.iter_mut().for_each(|row| row.swap(k, column));
        order.swap(k, column);
        let pivot = a[k];
        for row in a.iter_mut().take(n).skip(k + 1) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(&pivot).skip(k + 1).for_each(|(x, &y)| *x -= factor * y);
        }
    }
    let mut x = [T::ZERO; 4];
    for k in (0..n).rev() {
        let sum = (k + 1..n).fold(a[k][4], |sum, j| sum - a[k][j] * x[order[j]]);
        x[order[k]] = sum / a[k][k];
    }
    Some(x)
}

/// About how long [`matrix_equation`] takes.
pub fn matrix_equation_ns(m: usize, n: usize) -> usize {
    100 + m.saturating_mul(n).saturating_mul(m.saturating_add(n) / 2 + 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_systems_are_solved_with_the_largest_pivots() {
        let a = [[0.0, 2.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, -4.0]];
        let x = [1.0, -2.0, 0.5];
        let mut system = [[0.0; 5]; 4];
        for i in 0..3 {
            system[i][..3].copy_from_slice(&a[i]);
            system[i][4] = (0..3).map(|j| a[i][j] * x[j]).sum();
        }
        let solved = solve(3, system, 0.0).unwrap();
        assert!((0..3).all(|i: usize| f64::abs(solved[i] - x[i]) < 1e-15), "{solved:?}");
        assert_eq!(
            solve(2, [[1.0, 2.0, 0.0, 0.0, 1.0], [2.0, 4.0, 0.0, 0.0, 1.0], [0.0; 5], [0.0; 5]], 0.0),
            None
        );
        assert_eq!(solve(1, [[0.5, 0.0, 0.0, 0.0, 1.0]; 4], 0.5), None);
        assert_eq!(solve(1, [[f64::NAN; 5]; 4], 0.5), None);
    }
}
