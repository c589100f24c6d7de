use super::*;
use crate::kernels::testing::*;

/// `[outer, n, inner]` with each size in each place, and none so large as to be slow.
fn shapes() -> Vec<[usize; 3]> {
    let small = [0, 1, 2, 3, 7, 16, 17, 65];
    let mut shapes = Vec::new();
    for n in SIZES {
        for outer in small {
            for inner in SIZES {
                if outer * n * inner <= 90_000 {
                    shapes.push([outer, n, inner]);
                }
            }
        }
    }
    shapes.extend([[100, 1000, 1], [1, 100_003, 1], [1, 33_000, 3], [1, 700, 130], [1, 3, 70_000]]);
    shapes
}

fn columns_of<T: Real>(x: &[T], [outer, n, inner]: [usize; 3]) -> Vec<Vec<f64>> {
    let column = |o: usize, i: usize| (0..n).map(|r| x[(o * n + r) * inner + i].to_f64()).collect();
    (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))).map(|(o, i)| column(o, i)).collect()
}

type Exact = fn(&[f64]) -> f64;
type Term = fn(f64, f64) -> f64;
type Kernel<T> = fn(&[T], usize, usize, usize, &mut [T]);
type Shifted<T> = fn(&[T], &[T], usize, usize, usize, &mut [T]);

fn nan_max(c: &[f64], start: f64) -> f64 {
    c.iter().fold(start, |a, &v| if a.is_nan() || v.is_nan() { f64::NAN } else { a.max(v) })
}

fn check<T: Real>(x: &[T], shape: [usize; 3]) {
    let [outer, n, inner] = shape;
    let columns = columns_of(x, shape);
    let eps = T::EPSILON.to_f64();
    let out_len = outer * inner;
    // Name, kernel, exact value, tolerance.
    let plain: [(&str, Kernel<T>, Exact, f64); 6] = [
        ("sum", sum, |c| exact_sum(c.iter().copied()), 4.0 * eps * (1.0 + (n as f64).sqrt())),
        ("prod", prod, |c| c.iter().product(), 4.0 * eps * (1.0 + (n as f64).sqrt())),
        ("max", max, |c| nan_max(c, f64::NEG_INFINITY), 0.0),
        ("min", min, |c| -nan_max(&c.iter().map(|v| -v).collect::<Vec<_>>(), f64::NEG_INFINITY), 0.0),
        ("abs_max", abs_max, |c| nan_max(&c.iter().map(|v| v.abs()).collect::<Vec<_>>(), 0.0), 0.0),
        (
            "logsumexp",
            logsumexp,
            |c| {
                let m = nan_max(c, f64::NEG_INFINITY);
                let m = if m.is_finite() { m } else { 0.0 };
                m + exact_sum(c.iter().map(|v| (v - m).exp())).ln()
            },
            20.0 * eps,
        ),
    ];
    for (name, kernel, exact, tolerance) in plain {
        let mut out = vec![T::from_f64(0.125); out_len];
        kernel(x, outer, n, inner, &mut out);
        let wanted: Vec<f64> = columns.iter().map(|c| exact(c)).collect();
        close(&out, &wanted, tolerance, &format!("{name} {shape:?}"));
    }
    let p = numbers::<T>(out_len, 99);
    let shifted: [(&str, Shifted<T>, Term); 3] = [
        ("squares_about", squares_about, |x, p| (x - p) * (x - p)),
        ("scaled_squares", scaled_squares, |x, p| (x * p) * (x * p)),
        ("exp_about", exp_about, |x, p| (x - p).exp()),
    ];
    for (name, kernel, term) in shifted {
        let mut out = vec![T::from_f64(0.125); out_len];
        kernel(x, &p, outer, n, inner, &mut out);
        let exact = |(c, p): (&Vec<f64>, &T)| exact_sum(c.iter().map(|&v| term(v, p.to_f64())));
        let wanted: Vec<f64> = columns.iter().zip(&p).map(exact).collect();
        close(&out, &wanted, 20.0 * eps, &format!("{name} {shape:?}"));
    }
    for (name, kernel, sign) in
        [("argmax", argmax as fn(&[T], usize, usize, usize, &mut [i64]), 1.0), ("argmin", argmin, -1.0)]
    {
        let mut out = vec![-7; out_len];
        kernel(x, outer, n, inner, &mut out);
        for (c, got) in columns.iter().zip(out) {
            let mut best = 0;
            for (i, &v) in c.iter().enumerate() {
                if !c[best].is_nan() && (v.is_nan() || sign * v > sign * c[best]) {
                    best = i;
                }
            }
            assert_eq!(got, best as i64, "{name} {shape:?}");
        }
    }
}

#[test]
fn every_shape_agrees_with_a_loop() {
    for shape in shapes() {
        let len = shape.iter().product();
        check::<f32>(&numbers(len, 1), shape);
        if len < 30_000 {
            check::<f64>(&numbers(len, 2), shape);
        }
    }
}

#[test]
fn products_notice_every_factor() {
    for shape in [[3, 40, 1], [3, 41, 5], [1, 70, 200], [2, 64, 1], [2, 100, 1]] {
        let x: Vec<f64> = numbers::<f64>(shape.iter().product(), 3).iter().map(|v| (0.1 * v).exp()).collect();
        check(&x, shape);
    }
}

#[test]
fn ties_infinities_and_nans() {
    for n in [1, 5, 64, 70, 1000, 5000, 9000] {
        for inner in [1, 3, 300] {
            for at in [0, n / 3, n - 1] {
                for special in
                    [[f64::NAN; 2], [f64::INFINITY; 2], [f64::NEG_INFINITY; 2], [f64::INFINITY, f64::NAN]]
                {
                    let shape = [2, n, inner];
                    let mut x: Vec<f64> = numbers(2 * n * inner, 5);
                    // Few values, hence many ties.
                    x.iter_mut().for_each(|v| *v = (*v * 3.0).round());
                    x[at * inner] = special[0];
                    x[(n + n / 2) * inner + inner - 1] = special[1];
                    check(&x, shape);
                    let low = vec![f64::NEG_INFINITY; 2 * n * inner];
                    check(&low, shape);
                }
            }
        }
    }
}

#[test]
fn sums_are_pairwise() {
    let ones = vec![1.0f32; 10_000_000];
    for [outer, n, inner] in [[1, 10_000_000, 1], [1, 1_000_000, 10], [1, 10_000, 1000]] {
        let mut out = vec![0.0; outer * inner];
        sum(&ones, outer, n, inner, &mut out);
        assert!(out.iter().all(|&s| s == n as f32));
    }
    let tenths = vec![0.1f32; 10_000_000];
    let wanted = 1e7 * f64::from(0.1f32);
    let mut out = [0.0];
    sum(&tenths, 1, 10_000_000, 1, &mut out);
    close(&out, &[wanted], 1e-6, "sum of tenths");
    close(&[dot(&tenths, &ones)], &[wanted], 1e-6, "dot with tenths");
}

#[test]
fn inner_products() {
    for n in SIZES.into_iter().chain([100_000]) {
        let (a, b) = (numbers::<f64>(n, 7), numbers::<f64>(n, 8));
        let wanted = exact_sum(a.iter().zip(&b).map(|(a, b)| a * b));
        close(&[dot(&a, &b)], &[wanted], 1e-14 * (1.0 + (n as f64).sqrt()), "dot");
    }
}

#[test]
fn large_shifts_do_not_overflow() {
    for n in [3, 100, 20_000] {
        let x: Vec<f32> = (0..n).map(|i| if i < n / 2 { -900.0 } else { 900.0 }).collect();
        let wanted = 900.0 + f64::from(n - n / 2).ln();
        let mut out = [0.0];
        logsumexp(&x, 1, n as usize, 1, &mut out);
        close(&out, &[wanted], 1e-6, "logsumexp");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for [outer, n, inner] in
        [[1, 900_001, 1], [900, 1001, 1], [90_000, 10, 1], [3, 1001, 300], [1, 300_001, 3], [1, 3, 300_000]]
    {
        let x = numbers::<f32>(outer * n * inner, 11);
        let p = numbers::<f32>(outer * inner, 12);
        same_on_any_threads(|| {
            let mut all = Vec::new();
            let mut out = vec![0.0; outer * inner];
            for kernel in [sum, prod, max, logsumexp] {
                kernel(&x, outer, n, inner, &mut out);
                all.extend_from_slice(&out);
            }
            squares_about(&x, &p, outer, n, inner, &mut out);
            all.extend_from_slice(&out);
            let mut at = vec![0; outer * inner];
            argmax(&x, outer, n, inner, &mut at);
            all.extend(at.iter().map(|&i| i as f32));
            all.push(dot(&x, &x));
            all
        });
    }
}
