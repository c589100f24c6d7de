use super::*;

/// Numbers between −1 and 1.
fn random(n: usize, mut state: u64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

fn matrix(n: usize, f: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..n * n).map(|at| f(at % n, at / n)).collect()
}

/// `A = U T Uᵀ` with orthogonal U and blocks of complex eigenvalues on T's diagonal.
fn check<T: Real>(name: &str, n: usize, a: &[f64], tolerance: f64) -> Vec<T> {
    let mut t: Vec<T> = a.iter().map(|&x| T::from_f64(x)).collect();
    let mut u = vec![T::NAN; n * n];
    real_schur(n, &mut t, &mut u, &mut Workspace::default()).unwrap();
    let [tt, uu] = [&t, &u].map(|x| x.iter().map(|x| x.to_f64()).collect::<Vec<f64>>());
    let times = |x: &[f64], y: &[f64], transposed: bool| {
        matrix(n, |i, j| {
            (0..n).map(|k| x[i + k * n] * if transposed { y[j + k * n] } else { y[k + j * n] }).sum()
        })
    };
    let largest = a.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let made = times(&times(&uu, &tt, false), &uu, true);
    let error = made.iter().zip(a).fold(0.0, |worst: f64, (x, y)| worst.max((x - y).abs()));
    // Subnormal numbers are whole multiples of the least.
    let allowed = tolerance * largest + if largest > 0.0 { 100.0 * f64::from_bits(1) } else { 0.0 };
    assert!(error <= allowed, "{name} {n}: {error:e} of {largest:e}");
    let identity = times(&uu, &uu, true);
    for (at, x) in identity.iter().enumerate() {
        let wanted = f64::from(u8::from(at % n == at / n));
        assert!((x - wanted).abs() <= tolerance, "{name} {n}");
    }
    let mut two = false;
    for i in 0..n {
        assert!((i + 2..n).all(|row| tt[row + i * n] == 0.0), "{name} {n}");
        let below = if i + 1 < n { tt[i + 1 + i * n] } else { 0.0 };
        assert!(!(two && below != 0.0), "{name} {n}: a block of three");
        two = below != 0.0;
        // Rounded to a few bits, eigenvalues need not stay complex.
        if two && largest > 1e-300 {
            let tt: Vec<f64> = tt.iter().map(|x| x / largest).collect();
            let half = (tt[i + i * n] - tt[i + 1 + (i + 1) * n]) / 2.0;
            assert!(
                half * half + tt[i + 1 + i * n] * tt[i + (i + 1) * n] < 0.0,
                "{name} {n}: real eigenvalues in a block"
            );
        }
    }
    t
}

#[test]
fn the_factors_make_the_matrix_again() {
    for n in [1, 2, 3, 4, 5, 8, 9, 10, 33, 100] {
        let dense = random(n * n, n as u64);
        check::<f64>("random", n, &dense, 1e-13);
        check::<f32>("random", n, &dense, 1e-4);
        check::<f64>("symmetric", n, &matrix(n, |i, j| dense[i + j * n] + dense[j + i * n]), 1e-13);
        check::<f64>("antisymmetric", n, &matrix(n, |i, j| dense[i + j * n] - dense[j + i * n]), 1e-13);
        let one = |yes: bool| f64::from(u8::from(yes));
        // All shifts are 0 or of one modulus: the double shift alone would stand still.
        check::<f64>("cycle", n, &matrix(n, |i, j| one(i == (j + 1) % n)), 1e-13);
        check::<f64>("nilpotent", n, &matrix(n, |i, j| one(i == j + 1)), 1e-13);
        check::<f64>("zero", n, &vec![0.0; n * n], 0.0);
        check::<f64>("ones", n, &vec![1.0; n * n], 1e-13);
        check::<f64>(
            "companion",
            n,
            &matrix(n, |i, j| if j + 1 == n { dense[i] } else { one(i == j + 1) }),
            1e-13,
        );
        check::<f64>(
            "graded",
            n,
            &matrix(n, |i, j| dense[i + j * n] * 10f64.powi(-(i as i32 + j as i32) / 2)),
            1e-13,
        );
        for scale in [5e-324, 1e-310, 1e-150, 1e150, 1e300] {
            check::<f64>("scaled", n, &dense.iter().map(|x| x * scale).collect::<Vec<_>>(), 1e-13);
        }
    }
}

#[test]
fn triangular_matrices_stay_and_eigenvalues_are_found() {
    let triangle = matrix(6, |i, j| if i <= j { (1 + i + 2 * j) as f64 } else { 0.0 });
    assert_eq!(check::<f64>("triangular", 6, &triangle, 0.0), triangle);
    let mut nothing: [f64; 0] = [];
    real_schur(0, &mut nothing, &mut [], &mut Workspace::default()).unwrap();
    for bad in [f64::NAN, f64::INFINITY] {
        let failed = real_schur(2, &mut [1.0, 2.0, bad, 3.0], &mut [0.0; 4], &mut Workspace::default());
        assert_eq!(failed, Err(Fault::NotFinite));
    }
    // The roots of (x − 1)(x − 2)(x² + 4).
    let companion = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, -8.0, 12.0, -6.0, 3.0];
    let t = check::<f64>("roots", 4, &companion, 1e-14);
    let (mut real, mut complex) = (vec![], vec![]);
    let mut i = 0;
    while i < 4 {
        if i < 3 && t[i + 1 + i * 4] != 0.0 {
            let [a, c, b, d] = [t[i + i * 4], t[i + 1 + i * 4], t[i + (i + 1) * 4], t[i + 1 + (i + 1) * 4]];
            complex.push(((a + d) / 2.0, (a * d - b * c - (a + d).powi(2) / 4.0).sqrt()));
            i += 2;
        } else {
            real.push(t[i + i * 4]);
            i += 1;
        }
    }
    real.sort_by(f64::total_cmp);
    assert!((real[0] - 1.0).abs() < 1e-13 && (real[1] - 2.0).abs() < 1e-13, "{real:?}");
    assert!(complex[0].0.abs() < 1e-13 && (complex[0].1 - 2.0).abs() < 1e-13, "{complex:?}");
}
