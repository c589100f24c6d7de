//! Linear systems `A x = b` in double precision: by products with A alone, or with A in memory.
//!
//! The iterations stop at `‖b − A x‖ ≤ tolerance · ‖b‖`. Sums run in a fixed order, so results are the same on any
//! number of threads.

/// When an iteration ends.
#[derive(Clone, Copy)]
pub struct Limits {
    /// The residual wanted, relative to the right-hand side.
    pub tolerance: f64,
    /// The most products with the matrix.
    pub iterations: usize,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The residual, relative to the right-hand side.
    pub residual: f64,
    /// The products with the matrix that it took.
    pub iterations: usize,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Euclidean norm, scaled so that squares neither overflow nor vanish.
pub fn norm(a: &[f64]) -> f64 {
    let largest = a.iter().fold(0.0, |m: f64, a| if a.is_nan() { f64::NAN } else { m.max(a.abs()) });
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|a| (a / largest).powi(2)).sum::<f64>().sqrt()
}

fn add_scaled(y: &mut [f64], c: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += c * x);
}

/// Conjugate gradients (Hestenes and Stiefel 1952), for symmetric positive definite A, with a symmetric positive definite
/// preconditioner, about A⁻¹, if there is one. `x` holds 0 at first.
pub fn conjugate_gradients<E>(
    mut apply: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    mut precondition: Option<impl FnMut(&[f64]) -> Result<Vec<f64>, E>>,
    b: &[f64],
    x: &mut [f64],
    limits: Limits,
) -> Result<Outcome, E> {
    let scale = norm(b);
    let mut r = b.to_vec();
    let mut iterations = 0;
    // The direction, and ⟨r, M r⟩ when it was made.
    let mut last: Option<(Vec<f64>, f64)> = None;
    // Not `<`: a residual that is NaN has not converged, but ends the iteration.
    while norm(&r) > limits.tolerance * scale && iterations < limits.iterations {
        let z = match &mut precondition {
            Some(precondition) => precondition(&r)?,
            None => r.clone(),
        };
        let rz = dot(&r, &z);
        if rz.is_nan() || rz <= 0.0 {
            break;
        }
        let p = match last {
            None => z,
            Some((mut p, before)) => {
                p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + rz / before * *p);
                p
            }
        };
        let ap = apply(&p)?;
        iterations += 1;
        let curvature = dot(&p, &ap);
        if curvature.is_nan() || curvature <= 0.0 {
            break;
        }
        add_scaled(x, rz / curvature, &p);
        add_scaled(&mut r, -rz / curvature, &ap);
        last = Some((p, rz));
    }
    Ok(Outcome { residual: relative(norm(&r), scale), iterations })
}

fn relative(residual: f64, scale: f64) -> f64 {
    if residual == 0.0 { 0.0 } else { residual / scale }
}

/// GMRES with restarts (Saad and Schultz 1986), for any A. `x` holds 0 at first.
pub fn gmres<E>(
    mut apply: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    b: &[f64],
    x: &mut [f64],
    restart: usize,
    limits: Limits,
) -> Result<Outcome, E> {
    let scale = norm(b);
    let mut r = b.to_vec();
    let mut iterations = 0;
    loop {
        let size = norm(&r);
        if size <= limits.tolerance * scale || size.is_nan() || iterations >= limits.iterations {
            return Ok(Outcome { residual: relative(size, scale), iterations });
        }
        // An orthonormal basis of the Krylov space, and the projection of A as a triangle, by rotations.
        let mut basis = vec![r.iter().map(|r| r / size).collect::<Vec<f64>>()];
        let mut columns: Vec<Vec<f64>> = vec![];
        let mut rotations: Vec<(f64, f64)> = vec![];
        let mut rhs = vec![size];
        while columns.len() < restart.max(1) && iterations < limits.iterations {
            let mut w = apply(&basis[columns.len()])?;
            iterations += 1;
            let before = norm(&w);
            let mut h = vec![0.0; basis.len()];
            // Twice is enough (Giraud et al. 2005): the basis stays orthogonal to rounding.
            for _ in 0..2 {
                for (h, v) in h.iter_mut().zip(&basis) {
                    let c = dot(&w, v);
                    *h += c;
                    add_scaled(&mut w, -c, v);
                }
            }
            let mut beside = norm(&w);
            if beside <= f64::EPSILON * before {
                beside = 0.0;
            }
            for (i, &(c, s)) in rotations.iter().enumerate() {
                (h[i], h[i + 1]) = (c * h[i] + s * h[i + 1], c * h[i + 1] - s * h[i]);
            }
            let last = h.len() - 1;
            let radius = h[last].hypot(beside);
            if radius == 0.0 || radius.is_nan() {
                // A maps the space into itself and is singular on it.
                break;
            }
            let (c, s) = (h[last] / radius, beside / radius);
            h[last] = radius;
            rotations.push((c, s));
            rhs.push(-s * rhs[last]);
            rhs[last] *= c;
            columns.push(h);
            if beside == 0.0 || rhs[last + 1].abs() <= 0.5 * limits.tolerance * scale {
                break;
            }
            w.iter_mut().for_each(|w| *w /= beside);
            basis.push(w);
        }
        let n = columns.len();
        if n == 0 {
            return Ok(Outcome { residual: relative(size, scale), iterations });
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| columns[j][i] * rhs[j]).sum();
            rhs[i] = (rhs[i] - known) / columns[i][i];
        }
        for (c, v) in rhs.iter().zip(&basis).take(n) {
            add_scaled(x, *c, v);
        }
        // The true residual: the recurrence's drifts from it.
        let ax = apply(x)?;
        iterations += 1;
        r.iter_mut().zip(b.iter().zip(&ax)).for_each(|(r, (b, ax))| *r = b - ax);
        if norm(&r) >= size {
            return Ok(Outcome { residual: relative(norm(&r), scale), iterations });
        }
    }
}

/// Solves in place by elimination with row pivots; `a` is row-major and is lost. The column without a pivot, if A is
/// singular.
pub fn eliminate(a: &mut [f64], b: &mut [f64]) -> Result<(), usize> {
    let n = b.len();
    for k in 0..n {
        let size = |row: &usize| a[row * n + k].abs();
        let pivot = (k..n).max_by(|p, q| size(p).total_cmp(&size(q))).unwrap_or(k);
        if a[pivot * n + k] == 0.0 || a[pivot * n + k].is_nan() {
            return Err(k);
        }
        for j in 0..n {
            a.swap(k * n + j, pivot * n + j);
        }
        b.swap(k, pivot);
        let (above, below) = a.split_at_mut((k + 1) * n);
        let top = &above[k * n..];
        for (i, row) in below.chunks_exact_mut(n).enumerate() {
            let factor = row[k] / top[k];
            add_scaled(&mut row[k..], -factor, &top[k..]);
            b[k + 1 + i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known = dot(&a[k * n + k + 1..(k + 1) * n], &b[k + 1..]);
        b[k] = (b[k] - known) / a[k * n + k];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { tolerance: 1e-13, iterations: 200 };
    const NONE: Option<&Linear<'static>> = None;

    type Linear<'a> = dyn Fn(&[f64]) -> Result<Vec<f64>, ()> + 'a;

    /// A matrix with a dominant diagonal, and a solution to look for.
    fn system(n: usize, symmetric: bool) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let entry = |i: usize, j: usize| ((i * 7 + j * 3) % 11) as f64 / 11.0 - 0.5;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let other = if symmetric { entry(j, i) } else { 0.3 * entry(i, j) };
                a[i * n + j] = entry(i, j) + other + if i == j { 1.5 * n as f64 } else { 0.0 };
            }
        }
        let x: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let b = product(&a, &x);
        (a, x, b)
    }

    fn product(a: &[f64], x: &[f64]) -> Vec<f64> {
        a.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
    }

    fn assert_close(found: &[f64], wanted: &[f64]) {
        let error: Vec<f64> = found.iter().zip(wanted).map(|(f, w)| f - w).collect();
        assert!(norm(&error) <= 1e-11 * norm(wanted), "{found:?} {wanted:?}");
    }

    #[test]
    fn all_three_solve_what_they_are_for() {
        for n in [1, 2, 5, 23] {
            let (a, wanted, b) = system(n, true);
            let mut x = vec![0.0; n];
            let apply = |p: &[f64]| Ok::<_, ()>(product(&a, p));
            let outcome = conjugate_gradients(apply, NONE, &b, &mut x, LIMITS).unwrap();
            assert!(outcome.residual <= 1e-13 && outcome.iterations <= n + 2, "{outcome:?}");
            assert_close(&x, &wanted);
            let (mut a, wanted, b) = system(n, false);
            for restart in [3, 50] {
                let mut x = vec![0.0; n];
                let apply = |p: &[f64]| Ok::<_, ()>(product(&a, p));
                let outcome = gmres(apply, &b, &mut x, restart, LIMITS).unwrap();
                assert!(outcome.residual <= 1e-13, "{n} {restart} {outcome:?}");
                assert_close(&x, &wanted);
            }
            let mut x = b;
            eliminate(&mut a, &mut x).unwrap();
            assert_close(&x, &wanted);
        }
    }

    #[test]
    fn a_preconditioner_saves_products_and_changes_no_solution() {
        // D T D with a tridiagonal T of condition 3 and D from 1 to 1000.
        let n = 30;
        let d: Vec<f64> = (0..n).map(|i| 1000f64.powf(i as f64 / (n - 1) as f64)).collect();
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let t = if i == j {
                    4.0
                } else if i.abs_diff(j) == 1 {
                    1.0
                } else {
                    0.0
                };
                a[i * n + j] = d[i] * t * d[j];
            }
        }
        let wanted: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let b = product(&a, &wanted);
        let apply = |p: &[f64]| Ok::<_, ()>(product(&a, p));
        let run = |precondition: Option<&Linear<'_>>| {
            let mut x = vec![0.0; n];
            let limits = Limits { tolerance: 1e-13, iterations: 10_000 };
            (conjugate_gradients(apply, precondition, &b, &mut x, limits).unwrap(), x)
        };
        let jacobi = |r: &[f64]| Ok(r.iter().zip(&d).map(|(r, d)| r / (4.0 * d * d)).collect());
        let ((plain, _), (preconditioned, x)) = (run(None), run(Some(&jacobi)));
        assert!(preconditioned.residual <= 1e-13 && preconditioned.iterations < 30, "{preconditioned:?}");
        assert!(plain.iterations > 3 * preconditioned.iterations, "{plain:?}");
        let error: Vec<f64> = x.iter().zip(&wanted).map(|(x, w)| x - w).collect();
        assert!(norm(&error) < 1e-8);
        // One that is not positive definite is noticed before it leads anywhere.
        let (outcome, x) = run(Some(&|r: &[f64]| Ok(r.iter().map(|r| -r).collect())));
        assert_eq!((outcome.residual, outcome.iterations), (1.0, 0));
        assert!(x.iter().all(|&x| x == 0.0));
        let (outcome, _) = run(Some(&|r: &[f64]| Ok(vec![f64::NAN; r.len()])));
        assert_eq!((outcome.residual, outcome.iterations), (1.0, 0));
    }

    #[test]
    fn a_rotation_needs_the_whole_space_and_pivots() {
        let a = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let mut x = vec![0.0; 3];
        gmres(|p| Ok::<_, ()>(product(&a, p)), &[1.0, 2.0, 3.0], &mut x, 3, LIMITS).unwrap();
        assert_close(&x, &[3.0, 1.0, 2.0]);
        let mut x = vec![1.0, 2.0, 3.0];
        eliminate(&mut a.clone(), &mut x).unwrap();
        assert_eq!(x, [3.0, 1.0, 2.0]);
    }

    #[test]
    fn nothing_to_solve_takes_no_product() {
        let none = |_: &[f64]| -> Result<Vec<f64>, ()> { panic!("a product") };
        for b in [vec![], vec![0.0, 0.0]] {
            let mut x = vec![0.0; b.len()];
            assert_eq!(gmres(none, &b, &mut x, 5, LIMITS).unwrap().residual, 0.0);
            assert_eq!(conjugate_gradients(none, NONE, &b, &mut x, LIMITS).unwrap().residual, 0.0);
            assert!(x.iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn what_has_no_solution_is_said() {
        let singular = [1.0, 2.0, 2.0, 4.0];
        assert_eq!(eliminate(&mut singular.clone(), &mut [1.0, 0.0]), Err(1));
        assert_eq!(eliminate(&mut [0.0, 1.0, 0.0, 1.0], &mut [1.0, 0.0]), Err(0));
        assert_eq!(eliminate(&mut [f64::NAN], &mut [1.0]), Err(0));
        let apply = |p: &[f64]| Ok::<_, ()>(product(&singular, p));
        let outcome = gmres(apply, &[1.0, 0.0], &mut [0.0; 2], 10, LIMITS).unwrap();
        assert!(outcome.residual > 0.1 && outcome.iterations < 10, "{outcome:?}");
        let negative = |p: &[f64]| Ok::<_, ()>(p.iter().map(|p| -p).collect());
        let outcome = conjugate_gradients(negative, NONE, &[1.0], &mut [0.0], LIMITS).unwrap();
        assert_eq!((outcome.residual, outcome.iterations), (1.0, 1));
        let nan = |_: &[f64]| Ok::<_, ()>(vec![f64::NAN]);
        assert!(gmres(nan, &[1.0], &mut [0.0], 10, LIMITS).unwrap().residual > 0.5);
        let few = Limits { iterations: 3, ..LIMITS };
        let (a, _, b) = system(23, true);
        let apply = |p: &[f64]| Ok::<_, ()>(product(&a, p));
        assert_eq!(conjugate_gradients(apply, NONE, &b, &mut [0.0; 23], few).unwrap().iterations, 3);
        assert!(gmres(apply, &b, &mut [0.0; 23], 10, few).unwrap().residual > 1e-13);
    }

    #[test]
    fn norms_neither_overflow_nor_vanish() {
        for scale in [1e200, 1e-200] {
            assert!((norm(&[3.0 * scale, 4.0 * scale]) / scale - 5.0).abs() < 1e-15);
        }
        assert!(norm(&[1.0, f64::NAN]).is_nan() && norm(&[]) == 0.0);
    }
}
