//! Exponentials of matrices, by scaling and squaring.

use super::{Fault, Workspace, both, finite};
use crate::number::{Number, Real};
use faer::dyn_stack::StackReq;
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::lu::partial_pivoting::solve::{solve_in_place, solve_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::traits::RealField;
use faer::{Accum, MatMut, MatRef, Par};

/// Degrees of Padé approximants, and the norms up to which their backward error is below the rounding (Higham 2005,
/// table 2.3; for the last one of f64 Al-Mohy and Higham 2009, which lets the denominator stay well-conditioned).
const DOUBLE: [(usize, f64); 5] = [
    (3, 1.495_585_217_958_292e-2),
    (5, 2.539_398_330_063_23e-1),
    (7, 9.504_178_996_162_932e-1),
    (9, 2.097_847_961_257_068),
    (13, 4.25),
];
const SINGLE: [(usize, f64); 3] =
    [(3, 4.258_730_016_922_831e-1), (5, 1.880_152_677_804_762), (7, 3.925_724_783_138_66)];

/// What [`matrix_exp`] works in. One for each task.
pub struct Exponential<T> {
    stack: Workspace,
    rows: [Vec<usize>; 2],
    /// Even powers, and three matrices more.
    matrices: [Vec<T>; 7],
}

impl<T> Default for Exponential<T> {
    fn default() -> Exponential<T> {
        Exponential { stack: Workspace::default(), rows: Default::default(), matrices: Default::default() }
    }
}

/// About how long [`matrix_exp`] takes.
pub fn matrix_exp_ns(n: usize) -> usize {
    300 + n.saturating_mul(n).saturating_mul(n)
}

both! {
    /// The exponential of an `n × n` matrix in its place, row by row or column by column alike. NaNs if it is not finite
    /// or the exponential overflows, or an error in the first case if `checked`.
    pub fn matrix_exp<T>(
        n: usize,
        a: &mut [T],
        checked: bool,
        work: &mut Exponential<T>,
    ) -> Result<(), Fault> {
        match finite(a) {
            Err(fault) if checked => return Err(fault),
            Err(_) => a.fill(T::from_f64(f64::NAN)),
            Ok(()) if n < 2 => a.iter_mut().for_each(|a| *a = Number::exp(*a)),
            Ok(()) => approximate(n, a, work),
        }
        Ok(())
    }
}

fn approximate<T: Real + RealField>(n: usize, a: &mut [T], work: &mut Exponential<T>) {
    for matrix in &mut work.matrices {
        matrix.resize(n * n, <T as Real>::ZERO);
    }
    let degrees = if T::EPSILON.to_f64() < 1e-10 { &DOUBLE[..] } else { &SINGLE[..] };
    let (highest, limit) = degrees[degrees.len() - 1];
    let norm = one_norm(n, a);
    let degree = degrees.iter().find(|(_, limit)| norm <= *limit).map_or(highest, |&(degree, _)| degree);
    // A norm whose sixth power would overflow is brought down first.
    let huge = norm > 2f64.powi(if T::EPSILON.to_f64() < 1e-10 { 170 } else { 21 });
    let by_norm = if norm <= limit { 0 } else { ((norm / limit).log2().ceil() as i32).max(0) };
    let mut squarings = 0;
    if huge {
        squarings = by_norm;
        scale(a, squarings);
    }
    let count = if degree == 13 { 3 } else { degree / 2 };
    let [second, fourth, sixth, eighth, rest @ ..] = &mut work.matrices;
    multiply(n, a, a, second, Accum::Replace);
    for (i, power) in [(1, &mut *fourth), (3, &mut *eighth)] {
        if i < count {
            multiply(n, second, if i == 1 { &*second } else { &*sixth }, power, Accum::Replace);
        }
        if i == 1 && count > 2 {
            multiply(n, second, power, sixth, Accum::Replace);
        }
    }
    if degree == highest && !huge {
        // Powers tell more than the norm does: of matrices far from normal theirs grow more slowly (Al-Mohy and Higham
        // 2009, theorem 4.2), as long as rounding in them does not (section 5).
        let grown = one_norm(n, fourth).powf(0.25).max(one_norm(n, sixth).powf(1.0 / 6.0));
        let needed = if grown <= limit { 0 } else { (grown / limit).log2().ceil() as i32 };
        squarings = (needed + for_rounding(n, a, needed, degree, T::EPSILON.to_f64())).min(by_norm);
        scale(a, squarings);
        for (i, power) in [&mut *second, &mut *fourth, &mut *sixth].into_iter().enumerate() {
            scale(power, 2 * (i as i32 + 1) * squarings);
        }
    }
    let powers = [&second[..], &fourth[..], &sixth[..], &eighth[..]];
    quotient(n, degree, a, &powers[..count], rest, &mut work.stack, &mut work.rows);
    let square = &mut rest[0];
    let mut left = squarings;
    while left > 0 {
        multiply(n, a, a, square, Accum::Replace);
        a.copy_from_slice(square);
        left -= 1;
        // What is not finite spreads to its row and its column, and by one square more everywhere.
        if left > 2 && finite(a).is_err() {
            left = 2;
        }
    }
}

/// The Padé approximant of the exponential in the place of A, from its even powers: `(V − U)⁻¹ (V + U)`, with the odd
/// part U and the even part V of the numerator.
fn quotient<T: Real + RealField>(
    n: usize,
    degree: usize,
    a: &mut [T],
    powers: &[&[T]],
    [odd, even, inner]: &mut [Vec<T>; 3],
    stack: &mut Workspace,
    [order, inverse]: &mut [Vec<usize>; 2],
) {
    let b = coefficients(degree);
    if degree == 13 {
        let sixth = powers[2];
        for (part, out) in [(1, &mut *odd), (0, &mut *even)] {
            combine(n, powers, |k| if k == 0 { 0.0 } else { b[6 + part + 2 * k] }, inner);
            combine(n, powers, |k| b[part + 2 * k], out);
            multiply(n, sixth, inner, out, Accum::Add);
        }
    } else {
        combine(n, powers, |k| b[1 + 2 * k], odd);
        combine(n, powers, |k| b[2 * k], even);
    }
    multiply(n, a, odd, inner, Accum::Replace);
    for ((a, v), u) in a.iter_mut().zip(&mut *even).zip(inner) {
        (*a, *v) = (*v + *u, *v - *u);
    }
    solve(n, even, a, order, inverse, stack);
}

/// `b_k` of `Σ b_k xᵏ`, the numerator of the Padé approximant of a degree, as integers without a common factor.
fn coefficients(degree: usize) -> [f64; 14] {
    let (mut b, mut exact) = ([0.0; 14], 1u128);
    for k in (0..=degree).rev() {
        b[k] = exact as f64;
        exact = exact * (2 * degree - k + 1) as u128 * k as u128 / (degree - k + 1) as u128;
    }
    b
}

/// `c₀ I + c₁ P₁ + c₂ P₂ + …`.
fn combine<T: Real>(n: usize, powers: &[&[T]], c: impl Fn(usize) -> f64, out: &mut [T]) {
    out.fill(T::ZERO);
    // The smallest terms first.
    for (k, power) in powers.iter().enumerate().rev() {
        let c = T::from_f64(c(k + 1));
        out.iter_mut().zip(*power).for_each(|(out, &x)| *out += c * x);
    }
    out.iter_mut().step_by(n + 1).for_each(|out| *out += T::from_f64(c(0)));
}

/// The largest sum of sizes in a column, at most the largest number.
fn one_norm<T: Real>(n: usize, a: &[T]) -> f64 {
    let sums = a.chunks_exact(n).map(|column| column.iter().map(|x| x.to_f64().abs()).sum::<f64>());
    sums.fold(0.0, f64::max).min(f64::MAX)
}

/// Divides by `2ˢ`.
fn scale<T: Real>(a: &mut [T], s: i32) {
    if s > 0 {
        let factor = T::from_f64(2f64.powi(-s));
        a.iter_mut().for_each(|a| *a *= factor);
    }
}

/// The squarings to add to `s`, so that rounding in the powers of `2⁻ˢ A` is below that of its norm.
fn for_rounding<T: Real>(n: usize, a: &[T], s: i32, degree: usize, epsilon: f64) -> i32 {
    let (mut v, mut w) = (vec![1.0; n], vec![0.0; n]);
    let (mut first, mut growth) = (0.0, 0.0);
    // log₂ ‖|A|²ᵐ⁺¹‖₁ by products with a vector of ones, which the norms of powers without signs are.
    for i in 0..=2 * degree {
        for (w, column) in w.iter_mut().zip(a.chunks_exact(n)) {
            *w = column.iter().zip(&v).map(|(a, v)| a.to_f64().abs() * v).sum();
        }
        let largest = w.iter().fold(0.0, |most: f64, w| most.max(*w));
        if largest == 0.0 {
            return 0;
        }
        v.iter_mut().zip(&w).for_each(|(v, w)| *v = w / largest);
        growth += largest.log2();
        if i == 0 {
            first = growth;
        }
    }
    // |c| of the series' first term beyond the approximant, m!²/((2m)! (2m + 1)!).
    let log_factorial = |k: usize| (1..=k).map(|k| (k as f64).log2()).sum::<f64>();
    let c = 2.0 * log_factorial(degree) - log_factorial(2 * degree) - log_factorial(2 * degree + 1);
    let excess = c + growth - first - f64::from(s) * 2.0 * degree as f64 - (epsilon / 2.0).log2();
    (excess / (2.0 * degree as f64)).ceil().max(0.0) as i32
}

/// `out = a b`, or `out += a b`, column by column.
fn multiply<T: RealField>(n: usize, a: &[T], b: &[T], out: &mut [T], accumulate: Accum) {
    let [a, b] = [a, b].map(|x| MatRef::from_column_major_slice(x, n, n));
    let out = MatMut::from_column_major_slice_mut(out, n, n);
    matmul(out, accumulate, a, b, T::one_impl(), Par::Seq);
}

/// Solves `A X = B` in the place of B; A is lost.
fn solve<T: RealField>(
    n: usize,
    a: &mut [T],
    b: &mut [T],
    order: &mut Vec<usize>,
    inverse: &mut Vec<usize>,
    stack: &mut Workspace,
) {
    order.resize(n, 0);
    inverse.resize(n, 0);
    let scratch = StackReq::any_of(&[
        lu_in_place_scratch::<usize, T>(n, n, Par::Seq, Default::default()),
        solve_in_place_scratch::<usize, T>(n, n, Par::Seq),
    ]);
    let stack = stack.stack(scratch);
    let mut a = MatMut::from_column_major_slice_mut(a, n, n);
    let (_, rows) = lu_in_place(a.as_mut(), order, inverse, Par::Seq, stack, Default::default());
    let b = MatMut::from_column_major_slice_mut(b, n, n);
    solve_in_place(a.as_ref(), a.as_ref(), rows, b, Par::Seq, stack);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exp<T: Real>(n: usize, a: &[f64]) -> Vec<f64> {
        let mut a: Vec<T> = a.iter().map(|&a| T::from_f64(a)).collect();
        matrix_exp(n, &mut a, true, &mut Exponential::default()).unwrap();
        a.into_iter().map(T::to_f64).collect()
    }

    fn assert_close(found: &[f64], wanted: &[f64], tolerance: f64) {
        let largest = wanted.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
        for (f, w) in found.iter().zip(wanted) {
            assert!((f - w).abs() <= tolerance * largest, "{found:?} {wanted:?}");
        }
    }

    #[test]
    fn coefficients_are_those_of_the_tables() {
        assert_eq!(coefficients(3)[..4], [120.0, 60.0, 12.0, 1.0]);
        assert_eq!(coefficients(7)[..4], [17_297_280.0, 8_648_640.0, 1_995_840.0, 277_200.0]);
        assert_eq!(
            coefficients(13)[..3],
            [64_764_752_532_480_000.0, 32_382_376_266_240_000.0, 7_771_770_303_897_600.0]
        );
        assert_eq!(coefficients(13)[11..], [16380.0, 182.0, 1.0]);
    }

    /// exp of `t [[0, 1], [−1, 0]]` turns by t, and of `t [[0, 1], [1, 0]]` it is hyperbolic: at every degree, and both
    /// sides of each bound.
    #[test]
    fn turns_and_hyperbolic_turns_at_every_degree() {
        let bounds = DOUBLE.iter().chain(&SINGLE).flat_map(|&(_, limit)| [0.999 * limit, 1.001 * limit]);
        for t in bounds.chain([1e-300, 1e-9, 1.0, 10.0, 100.0]) {
            let (s, c) = t.sin_cos();
            let tolerance = |epsilon: f64| epsilon * (4.0 + 8.0 * t);
            assert_close(&exp::<f64>(2, &[0.0, -t, t, 0.0]), &[c, -s, s, c], tolerance(f64::EPSILON));
            let t = f64::from(t as f32);
            let (s, c) = t.sin_cos();
            assert_close(&exp::<f32>(2, &[0.0, -t, t, 0.0]), &[c, -s, s, c], tolerance(f32::EPSILON.into()));
            if t < 80.0 {
                let (s, c) = (t.sinh(), t.cosh());
                assert_close(&exp::<f64>(2, &[0.0, t, t, 0.0]), &[c, s, s, c], tolerance(f64::EPSILON));
                assert_close(
                    &exp::<f32>(2, &[0.0, t, t, 0.0]),
                    &[c, s, s, c],
                    tolerance(f32::EPSILON.into()),
                );
            }
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        for n in [0, 1, 2, 5] {
            let identity: Vec<f64> = (0..n * n).map(|i| f64::from(i % (n + 1) == 0)).collect();
            assert_eq!(exp::<f64>(n, &vec![0.0; n * n]), identity);
        }
        assert!((exp::<f64>(1, &[1.0])[0] / 1f64.exp() - 1.0).abs() < 1e-15);
        assert_eq!(exp::<f64>(1, &[1e300]), [f64::INFINITY]);
        // Nilpotent: I + A, however large.
        let relative = |found: &[f64], wanted: [f64; 4], epsilon: f64| {
            for (f, w) in found.iter().zip(wanted) {
                assert!((f - w).abs() <= 2.0 * epsilon * w, "{found:?} {wanted:?}");
            }
        };
        for x in [1.0, 1e3, 1e9, 1e30, 1e51] {
            relative(&exp::<f64>(2, &[0.0, x, 0.0, 0.0]), [1.0, x, 0.0, 1.0], f64::EPSILON);
        }
        for x in [1.0, 1e3, 2e6] {
            let x = f64::from(x as f32);
            relative(&exp::<f32>(2, &[0.0, x, 0.0, 0.0]), [1.0, x, 0.0, 1.0], f32::EPSILON.into());
        }
        // What overflows is not finite, nowhere a number that is wrong; what vanishes is 0.
        for x in [800.0, 1e5, 1e300, f64::MAX] {
            let found = exp::<f64>(2, &[x, 1.0, 1.0, x]);
            assert!(found.iter().all(|x| !x.is_finite()), "{found:?}");
            assert_eq!(exp::<f64>(3, &[-x, 0.0, 0.0, 0.0, -x, 0.0, 0.0, 0.0, -x])[..2], [0.0, 0.0]);
        }
        // Far beyond a norm of 1/ε, where the condition leaves no digit, it ends, and keeps a triangle.
        for x in [1e52, 1e100, 1e300, f64::MAX] {
            let found = exp::<f64>(2, &[0.0, 0.0, x, 0.0]);
            assert!(found[1] == 0.0 || found[1].is_nan(), "{found:?}");
        }
        // A thousand squarings of what neither overflows nor vanishes come to an end, too.
        let turn: Vec<f64> = (0..400).map(|i| (i / 20) as f64 - (i % 20) as f64).map(|x| 1e300 * x).collect();
        assert_eq!(exp::<f64>(20, &turn).len(), 400);
        let found = exp::<f64>(2, &[709.7, 0.0, 0.0, 1.0]);
        assert!((found[0].ln() - 709.7).abs() < 1e-11 && (found[3] - 1f64.exp()).abs() < 1e-12, "{found:?}");
        let found = exp::<f64>(2, &[709.8, 0.0, 0.0, 1.0]);
        assert!(found[0] == f64::INFINITY && !found[1].is_finite() || found[1] == 0.0, "{found:?}");
    }

    /// `[[1, x], [0, −1]]` has the norm x, but powers that grow like 1: one squaring, not the logarithm of x.
    #[test]
    fn what_is_far_from_normal_is_not_scaled_too_much() {
        for x in [1e2, 1e4, 1e6] {
            let found = exp::<f64>(2, &[1.0, 0.0, x, -1.0]);
            let wanted = [1f64.exp(), 0.0, x * 1f64.sinh(), (-1f64).exp()];
            for (f, w) in found.iter().zip(wanted) {
                assert!((f - w).abs() <= 2e-15 * w, "{x}: {found:?} {wanted:?}");
            }
        }
    }

    /// Powers that cancel hide how large the matrix is (Al-Mohy and Higham 2009, section 5): A³ is 0 but for rounding,
    /// which in the sixth power is larger than the exponential's last digits.
    #[test]
    fn cancelling_powers_do_not_hide_rounding() {
        let a = [1e3, -1e3, 1e3, -1e3];
        assert!((8..=10).contains(&for_rounding(2, &a, 0, 13, f64::EPSILON)));
        assert_eq!(for_rounding(2, &a, 10, 13, f64::EPSILON), 0);
        assert_eq!(for_rounding(2, &[0.0; 4], 0, 13, f64::EPSILON), 0);
        // t Q N Q with N e₃ = e₂, N e₂ = e₁ and the reflection Q by (1, 2, 3).
        let v = [1.0, 2.0, 3.0];
        let q = |i: usize, j: usize| f64::from(i == j) - v[i] * v[j] / 7.0;
        let t = 1e3;
        let (mut a, mut wanted) = ([0.0; 9], [0.0; 9]);
        for (at, (a, wanted)) in a.iter_mut().zip(&mut wanted).enumerate() {
            let (i, j) = (at / 3, at % 3);
            *a = t * (q(i, 0) * q(1, j) + q(i, 1) * q(2, j));
            *wanted = f64::from(i == j) + *a + 0.5 * t * t * q(i, 0) * q(2, j);
        }
        assert_close(&exp::<f64>(3, &a), &wanted, 1e-5);
    }

    #[test]
    fn what_is_not_finite_is_an_error_or_nan() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for n in [1, 2] {
                let mut a = vec![1.0; n * n];
                a[n * n - 1] = bad;
                let checked = matrix_exp(n, &mut a.clone(), true, &mut Exponential::default());
                assert_eq!(checked, Err(Fault::NotFinite));
                matrix_exp(n, &mut a, false, &mut Exponential::default()).unwrap();
                assert!(a.iter().all(|a| a.is_nan()));
            }
        }
    }
}
