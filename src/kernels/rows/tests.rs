use super::*;
use crate::kernels::testing::*;

fn exact_softmax(x: &[f64], s: f64) -> Vec<f64> {
    if s == 0.0 {
        return vec![1.0 / x.len() as f64; x.len()];
    }
    let m = x.iter().map(|v| s * v).fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = x.iter().map(|v| (s * v - m).exp()).collect();
    let total = exact_sum(e.iter().copied());
    e.iter().map(|e| e / total).collect()
}

fn exact_log_total(x: &[f64], s: f64) -> f64 {
    let m = x.iter().map(|v| s * v).fold(f64::NEG_INFINITY, f64::max);
    m + exact_sum(x.iter().map(|v| (s * v - m).exp())).ln()
}

fn by_rows(n: usize, x: &[f64], f: impl Fn(usize, &[f64]) -> Vec<f64>) -> Vec<f64> {
    if n == 0 { Vec::new() } else { x.chunks(n).enumerate().flat_map(|(i, x)| f(i, x)).collect() }
}

fn check<T: Real>(rows: usize, n: usize, s: f64) {
    let what = format!("{rows} rows of {n}, scale {s}");
    let x: Vec<T> = numbers::<T>(rows * n, 1).iter().map(|&v| T::from_f64(4.0) * v).collect();
    let g = numbers::<T>(rows * n, 2);
    let double = |v: &[T]| v.iter().map(|v| v.to_f64()).collect::<Vec<f64>>();
    let (xd, gd) = (double(&x), double(&g));
    let (scale, eps) = (T::from_f64(s), T::EPSILON.to_f64());
    let mut out = vec![T::from_f64(0.125); rows * n];

    let y = by_rows(n, &xd, |_, x| exact_softmax(x, s));
    softmax(&x, n, scale, &mut out);
    // The exponent, up to 8|s|, has a rounding error or two. Small elements count too: compare them all on the scale of a mean one.
    let relative = |out: &[T]| out.iter().map(|&v| v * T::from_f64(n as f64)).collect::<Vec<T>>();
    close(
        &relative(&out),
        &y.iter().map(|y| y * n as f64).collect::<Vec<_>>(),
        (10.0 + 20.0 * s.abs()) * eps,
        &what,
    );

    let y_short: Vec<T> = y.iter().map(|&y| T::from_f64(y)).collect();
    let yd = double(&y_short);
    softmax_backward(&y_short, &g, n, scale, &mut out);
    let wanted = by_rows(n, &yd, |i, y| {
        let g = &gd[i * n..][..n];
        let inner = exact_sum(y.iter().zip(g).map(|(y, g)| y * g));
        y.iter().zip(g).map(|(y, g)| n as f64 * s * y * (g - inner)).collect()
    });
    close(&relative(&out), &wanted, (40.0 + 40.0 * s.abs()) * eps, &what);

    let ly = by_rows(n, &xd, |_, x| {
        let total = exact_log_total(x, s);
        x.iter().map(|v| s * v - total).collect()
    });
    log_softmax(&x, n, scale, &mut out);
    close(&out, &ly, 10.0 * eps, &what);

    let ly_short: Vec<T> = ly.iter().map(|&y| T::from_f64(y)).collect();
    let lyd = double(&ly_short);
    log_softmax_backward(&ly_short, &g, n, scale, &mut out);
    let wanted = by_rows(n, &lyd, |i, y| {
        let g = &gd[i * n..][..n];
        let total = exact_sum(g.iter().copied());
        y.iter().zip(g).map(|(y, g)| s * (g - y.exp() * total)).collect()
    });
    close(&out, &wanted, 20.0 * eps, &what);

    if s == 1.0 && n > 0 {
        let targets: Vec<i64> = (0..rows).map(|i| ((i * 7919 + n - 1) % n) as i64).collect();
        let mut stats = vec![vec![T::from_f64(0.125); rows]; 3];
        let [loss, shift, total] = &mut stats[..] else { unreachable!() };
        cross_entropy(&x, n, &targets, loss, shift, total);
        let wanted: Vec<f64> = (0..rows)
            .map(|i| exact_log_total(&xd[i * n..][..n], 1.0) - xd[i * n + targets[i] as usize])
            .collect();
        close(loss, &wanted, 10.0 * eps, &what);
        let weights = numbers::<T>(rows, 3);
        cross_entropy_backward(&x, n, &targets, (&shift[..], &total[..]), &weights, &mut out);
        let mut wanted = Vec::new();
        for i in 0..rows {
            for (j, p) in y[i * n..][..n].iter().enumerate() {
                wanted.push(weights[i].to_f64() * (p - f64::from(u8::from(j as i64 == targets[i]))));
            }
        }
        close(&out, &wanted, 4.0 * eps, &what);
        // Small elements on the scale of a mean one, the targets' apart.
        let spread = |i: usize| if targets[i / n] == (i % n) as i64 { 1.0 } else { n as f64 };
        let got: Vec<T> = out.iter().enumerate().map(|(i, &v)| v * T::from_f64(spread(i))).collect();
        let wanted: Vec<f64> = wanted.iter().enumerate().map(|(i, v)| v * spread(i)).collect();
        close(&got, &wanted, 40.0 * eps, &what);
    }
}

#[test]
fn every_size_agrees_with_a_loop() {
    for n in SIZES.into_iter().chain([3, 10, 4096, 100_003]) {
        for rows in [0, 1, 2, 7, 65, 1000] {
            for s in [1.0, -0.75, 0.0, 2.5] {
                if rows * n <= 101_000 {
                    check::<f32>(rows, n, s);
                    check::<f64>(rows, n, s);
                }
            }
        }
    }
}

#[test]
fn infinities_and_nans() {
    for n in [2, 10, 64, 1000, 9000] {
        for at in [0, n / 2, n - 1] {
            for s in [1.0, -2.0] {
                let run = |value: f64| {
                    let mut x = numbers::<f64>(n, 1);
                    x[at] = value;
                    let (mut y, mut l) = (vec![0.0; n], vec![0.0; n]);
                    softmax(&x, n, s, &mut y);
                    log_softmax(&x, n, s, &mut l);
                    (y, l)
                };
                for bad in [f64::NAN, f64::INFINITY * s] {
                    let (y, l) = run(bad);
                    assert!(y.iter().chain(&l).any(|v| v.is_nan()));
                    assert!(y.iter().all(|v| v.is_nan()), "{n} {at} {s} {bad}");
                }
                let (y, l) = run(f64::NEG_INFINITY * s);
                assert_eq!((y[at], l[at]), (0.0, f64::NEG_INFINITY));
                close(&[y.iter().sum::<f64>()], &[1.0], 1e-14, "masked");
                assert!(l.iter().enumerate().all(|(i, v)| i == at || v.is_finite()));
                let (mut y, low) = (vec![0.0; n], vec![f64::NEG_INFINITY * s; n]);
                softmax(&low, n, s, &mut y);
                assert!(y.iter().all(|v| v.is_nan()));
            }
            let mut x = vec![f64::INFINITY; n];
            let mut y = vec![0.0; n];
            softmax(&x, n, 0.0, &mut y);
            assert!(y.iter().all(|&v| v == 1.0 / n as f64));
            x[at] = f64::NAN;
            log_softmax(&x, n, 0.0, &mut y);
            assert!(y.iter().all(|v| v.is_nan()));
        }
    }
}

#[test]
fn large_logits_keep_their_digits() {
    for n in [10, 9000] {
        let x: Vec<f32> = (0..n).map(|i| 1e4 + (i % 8) as f32).collect();
        let centred: Vec<f64> = x.iter().map(|&v| f64::from(v) - 1e4).collect();
        let mut stats = [[0.0f32]; 3];
        let [loss, shift, total] = &mut stats;
        cross_entropy(&x, n, &[3], loss, shift, total);
        close(loss, &[exact_log_total(&centred, 1.0) - 3.0], 5e-7, "loss");
        let mut out = vec![0.0; n];
        cross_entropy_backward(&x, n, &[3], (shift, total), &[1.0], &mut out);
        let mut wanted = exact_softmax(&centred, 1.0);
        wanted[3] -= 1.0;
        for (&got, wanted) in out.iter().zip(wanted) {
            assert!((f64::from(got) - wanted).abs() <= 1e-6 * wanted.abs());
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for (rows, n) in [(30_000, 10), (700, 1000), (7, 50_001), (1, 700_001)] {
        let (x, g) = (numbers::<f32>(rows * n, 1), numbers::<f32>(rows * n, 2));
        let targets: Vec<i64> = (0..rows).map(|i| (i % n) as i64).collect();
        same_on_any_threads(|| {
            let mut out = vec![vec![0.0; rows * n]; 5];
            softmax(&x, n, 1.5, &mut out[0]);
            log_softmax(&x, n, 1.5, &mut out[1]);
            softmax_backward(&x, &g, n, 1.5, &mut out[2]);
            log_softmax_backward(&x, &g, n, 1.5, &mut out[3]);
            let mut stats = vec![vec![0.0; rows]; 3];
            let [loss, shift, total] = &mut stats[..] else { unreachable!() };
            cross_entropy(&x, n, &targets, loss, shift, total);
            cross_entropy_backward(&x, n, &targets, (shift, total), loss, &mut out[4]);
            out.concat().into_iter().chain(stats.concat()).collect()
        });
    }
}
