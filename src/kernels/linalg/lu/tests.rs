use super::*;

/// The factors of a matrix that lies column by column, and the order of its rows.
fn factor<T: Real>(m: usize, n: usize, a: &[T]) -> (Vec<T>, Vec<usize>) {
    let mut work = LuWork::default();
    let (mut out, mut rows) = (vec![T::ZERO; m * n], vec![T::ZERO; m]);
    lu([m, n], a, false, &mut out, &mut rows, &mut work).unwrap();
    (out, rows.into_iter().map(|row| row.to_f64() as usize).collect())
}

/// A matrix without structure.
fn matrix<T: Real>(m: usize, n: usize) -> Vec<T> {
    let mut state = (m * n) as u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::from_f64((state >> 40) as f64 / 8_388_608.0 - 1.0)
    };
    (0..m * n).map(|_| draw()).collect()
}

#[test]
fn rows_and_columns_give_the_same_factors() {
    for (m, n) in [(1, 1), (3, 3), (40, 40), (5, 2), (2, 5), (70, 30), (30, 70), (0, 3), (3, 0), (0, 0)] {
        let a = matrix::<f64>(m, n);
        let by_rows: Vec<f64> = (0..m * n).map(|i| a[i % n * m + i / n]).collect();
        let wanted = factor(m, n, &a);
        let (mut out, mut rows) = (vec![0.0; m * n], vec![0.0; m]);
        lu([m, n], &by_rows, true, &mut out, &mut rows, &mut LuWork::default()).unwrap();
        assert_eq!(out, wanted.0);
        assert_eq!(rows.iter().map(|&row| row as usize).collect::<Vec<_>>(), wanted.1);
        // The plain loops agree.
        let (mut plain, mut order) = (a.clone(), (0..m).collect::<Vec<_>>());
        eliminate(m, n, &mut plain, &mut order);
        assert_eq!(order, wanted.1);
        assert!(plain.iter().zip(&out).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

#[test]
fn what_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY] {
        let (mut out, mut rows) = ([0.0; 4], [0.0; 2]);
        let found = lu([2, 2], &[1.0, 2.0, 3.0, bad], false, &mut out, &mut rows, &mut LuWork::default());
        assert_eq!(found, Err(Fault::NotFinite));
    }
}

#[test]
fn elimination_goes_on_past_a_column_without_a_pivot() {
    // Columns: (0, 0, 0), (1, 2, 4), (2, 4, 4).
    let (out, rows) = factor(3, 3, &[0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 2.0, 4.0, 4.0]);
    assert_eq!(rows, [0, 2, 1]);
    assert_eq!(out, [0.0, 0.0, 0.0, 1.0, 4.0, 0.5, 2.0, 4.0, 2.0]);
    // A pivot whose reciprocal overflows.
    let tiny = 5e-324;
    let (out, rows) = factor(2, 2, &[tiny, 2.0 * tiny, 1.0, 0.0]);
    assert_eq!((out, rows), (vec![2.0 * tiny, 0.5, 0.0, 1.0], vec![1, 0]));
}

#[test]
fn pivots_and_the_order_of_the_rows_say_the_same() {
    let rows = [3, 0, 4, 1, 2];
    let found = pivots(&rows, 5);
    assert_eq!(found, [3, 3, 4, 3, 4]);
    assert!(found.iter().enumerate().all(|(i, &pivot)| pivot >= i));
    assert_eq!(row_order(5, found.into_iter()), rows);
    assert_eq!(pivots(&[2, 0, 1], 1), [2]);
    assert_eq!(row_order(3, [2].into_iter()), [2, 1, 0]);
}

#[test]
fn determinants_neither_overflow_on_the_way_nor_lose_their_sign() {
    let of = |diagonal: &[f64], rows: &[usize]| {
        let n = diagonal.len();
        let lu: Vec<f64> = (0..n * n).map(|i| if i % (n + 1) == 0 { diagonal[i / n] } else { 7.0 }).collect();
        let factors = LuFactors { n, lu: &lu, rows };
        (factors.determinant(), factors.log_determinant())
    };
    let (det, (sign, log)) = of(&[1e200, -1e200, 1e-200, 3e-200], &[0, 1, 2, 3]);
    assert!((det + 3.0).abs() < 1e-14 && sign == -1.0 && (log - 3f64.ln()).abs() < 1e-12);
    assert_eq!(of(&[2.0, 3.0], &[1, 0]).0, -6.0);
    assert_eq!(of(&[2.0, 3.0], &[1, 0]).1.0, -1.0);
    assert_eq!(of(&[2.0, 3.0, 4.0], &[1, 2, 0]).0, 24.0);
    assert_eq!(of(&[], &[]), (1.0, (1.0, 0.0)));
    let (det, (sign, log)) = of(&[2.0, 0.0], &[0, 1]);
    assert!(det == 0.0 && sign == 0.0 && log == f64::NEG_INFINITY);
    let (det, (sign, log)) = of(&[f64::NAN], &[0]);
    assert!(det.is_nan() && sign.is_nan() && log.is_nan());
    assert_eq!(of(&[1e200, 1e200], &[0, 1]).0, f64::INFINITY);
    assert_eq!(of(&[1e-200, 1e-200], &[0, 1]).0, 0.0);
}

#[test]
fn complete_pivoting_takes_the_largest_first() {
    // Rows: (1, 2, 3), (2, 4, 6), (0, 1, 1).
    let mut a = [1.0_f64, 2.0, 0.0, 2.0, 4.0, 1.0, 3.0, 6.0, 1.0];
    let ([rows, columns], sizes) = complete_order(3, &mut a);
    assert_eq!((rows[0], columns[0], sizes[0]), (1, 2, 6.0));
    assert_eq!((rows[1], columns[1]), (2, 1));
    assert!((sizes[1] - 1.0 / 3.0).abs() < 1e-15 && sizes[2] == 0.0);
    let (order, sizes) = complete_order(2, &mut [0.0; 4]);
    assert_eq!((order, sizes), ([vec![0, 1], vec![0, 1]], vec![0.0, 0.0]));
    assert_eq!(complete_order::<f64>(0, &mut []).1, []);
}

/// Solutions and inverses, of a size that is split among threads.
fn solved<T: Real>() -> Vec<Vec<T>> {
    let n = 200;
    let (out, rows) = factor(n, n, &matrix::<T>(n, n));
    let factors = LuFactors { n, lu: &out, rows: &rows };
    let (mut inverse, mut x) = (vec![T::NAN; n * n], matrix::<T>(n, 150));
    factors.inverse(&mut inverse);
    factors.solve(false, &mut x);
    let mut z = matrix::<T>(n, 150);
    factors.solve(true, &mut z);
    vec![out, inverse, x, z]
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (solved::<f64>(), solved::<f32>()))
    };
    let wanted = on(1);
    for threads in [2, 3] {
        assert!(on(threads) == wanted, "{threads} threads");
    }
    let n = 200;
    let a = matrix::<f64>(n, n);
    let product = |x: &[f64], transposed: bool| -> Vec<f64> {
        let at = |i: usize, j: usize| if transposed { a[i * n + j] } else { a[j * n + i] };
        x.chunks_exact(n)
            .flat_map(|x| (0..n).map(move |i| (0..n).map(|j| at(i, j) * x[j]).sum::<f64>()))
            .collect()
    };
    let b = matrix::<f64>(n, 150);
    let largest = |x: &[f64]| x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    for (x, transposed) in [(&wanted.0[2], false), (&wanted.0[3], true)] {
        let error = product(x, transposed).iter().zip(&b).fold(0.0, |m: f64, (p, b)| m.max((p - b).abs()));
        assert!(error < 1e-12 * largest(x), "{transposed} {error}");
    }
    let identity = product(&wanted.0[1], false);
    let error = |(i, p): (usize, &f64)| (p - f64::from(u8::from(i % (n + 1) == 0))).abs();
    let error = identity.iter().enumerate().map(error).fold(0.0, f64::max);
    assert!(error < 1e-12 * largest(&wanted.0[1]), "{error}");
}

#[test]
fn nothing_to_solve_is_solved() {
    let empty = LuFactors::<f64> { n: 0, lu: &[], rows: &[] };
    empty.solve(false, &mut []);
    empty.inverse(&mut []);
    let one = LuFactors { n: 1, lu: &[2.0], rows: &[0] };
    one.solve(true, &mut []);
    let mut x = [4.0, 6.0];
    one.solve(true, &mut x);
    assert_eq!(x, [2.0, 3.0]);
}

#[test]
fn pivots_without_a_reciprocal_are_divided_by() {
    let n = 20;
    let (out, rows) = factor(n, n, &matrix::<f64>(n, n));
    let factors = LuFactors { n, lu: &out, rows: &rows };
    for transposed in [false, true] {
        let mut wanted = matrix::<f64>(n, 1);
        let mut found = wanted.clone();
        factors.triangles(transposed, 0, &mut wanted);
        factors.substitute(transposed, &mut found);
        assert!(found.iter().zip(&wanted).all(|(f, w)| (f - w).abs() < 1e-12), "{transposed}");
    }
    let tiny = 5e-324;
    let small = LuFactors { n: 2, lu: &[2.0 * tiny, 0.5, 4.0 * tiny, 2.0 * tiny], rows: &[1, 0] };
    let mut b = [9.0 * tiny, 10.0 * tiny];
    small.solve(false, &mut b);
    assert_eq!(b, [1.0, 2.0]);
    // (1, 2; 2, 4): a pivot of 0.
    let singular = LuFactors { n: 2, lu: &[2.0, 0.5, 4.0, 0.0], rows: &[1, 0] };
    let mut inverse = [0.0; 4];
    singular.inverse(&mut inverse);
    let inf = f64::INFINITY;
    assert_eq!(inverse, [-inf, inf, inf, -inf]);
}
