use super::*;

/// By the definition, in f64.
fn naive(x: &[f64], rows: Rows, centred: bool, eps: f64, w: &[f64], b: &[f64]) -> Vec<f64> {
    let n = rows.len();
    let mut y = vec![];
    for (i, x) in x.chunks(n).enumerate() {
        let mean = if centred { x.iter().sum::<f64>() / n as f64 } else { 0.0 };
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        y.extend(x.iter().enumerate().map(|(j, x)| {
            let k = i % rows.groups * rows.channels + j / rows.inner;
            (x - mean) / (variance + eps).sqrt() * w[k] + b[k]
        }));
    }
    y
}

fn numbers(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 7919 + seed * 104729) % 1009) as f64 / 500.0 - 1.0).collect()
}

#[test]
fn rows_of_every_length_and_kind_agree_with_the_definition() {
    for (outer, groups, channels, inner) in [
        (3, 1, 7, 1),
        (700, 1, 33, 1),
        (2, 1, 9001, 1),
        (2, 3, 2, 5),
        (1, 4, 1, 70),
        (2, 2, 3, 3000),
        (90, 1, 400, 1),
    ] {
        for centred in [true, false] {
            let rows = Rows { groups, channels, inner };
            let (all, count) = (outer * groups * rows.len(), outer * groups);
            let x = numbers(all, 1);
            let (w, b) = (numbers(rows.weights(), 2), numbers(rows.weights(), 3));
            let (mut y, mut mean, mut variance) = (vec![0.0; all], vec![0.0; count], vec![0.0; count]);
            normalise(&x, rows, centred, 0.1, (&w, &b), &mut y, &mut mean, &mut variance);
            let wanted = naive(&x, rows, centred, 0.1, &w, &b);
            y.iter().zip(&wanted).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{rows:?}: {a} {b}"));

            // ⟨g, y⟩ moves along a direction as the gradient says.
            let g = numbers(all, 4);
            let (mut dx, mut dw, mut db) = (vec![0.0; all], vec![0.0; w.len()], vec![0.0; w.len()]);
            let by = Moments { mean: &mean, variance: &variance, eps: 0.1, centred };
            normalise_backward(&x, &g, rows, by, &w, &mut dx, (&mut dw, &mut db));
            let [u, v, z] = [numbers(all, 5), numbers(w.len(), 6), numbers(w.len(), 7)];
            let moved = |x: &[f64], u: &[f64], h: f64| -> Vec<f64> {
                x.iter().zip(u).map(|(x, u)| x + h * u).collect()
            };
            let at = |h: f64| -> f64 {
                let y = naive(&moved(&x, &u, h), rows, centred, 0.1, &moved(&w, &v, h), &moved(&b, &z, h));
                y.iter().zip(&g).map(|(y, g)| y * g).sum()
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let found = dot(&dx, &u) + dot(&dw, &v) + dot(&db, &z);
            assert!((slope - found).abs() < 1e-7 * (all as f64), "{rows:?}: {slope} {found}");
        }
    }
}

#[test]
fn a_constant_row_is_the_bias_for_a_large_constant_too() {
    for n in [3, 7, 100, 9001] {
        for constant in [0.1f32, 3e7, -1e18] {
            let (x, w, b) = (vec![constant; n], vec![1.0f32; n], vec![0.25f32; n]);
            let (mut y, mut mean, mut variance) = (vec![0.0; n], [0.0], [0.0]);
            let rows = Rows { groups: 1, channels: n, inner: 1 };
            normalise(&x, rows, true, 1e-5, (&w, &b), &mut y, &mut mean, &mut variance);
            assert_eq!(mean, [constant], "{n}");
            assert!(y.iter().all(|y| *y == 0.25), "{n} {constant} {variance:?}");
        }
    }
}

#[test]
fn moments_far_from_0_keep_their_digits() {
    let n = 1000;
    let x: Vec<f64> = (0..n).map(|i| 1e9 + (i % 2) as f64).collect();
    let (mut y, mut mean, mut variance) = (vec![0.0; n], [0.0], [0.0]);
    let rows = Rows { groups: 1, channels: n, inner: 1 };
    normalise(&x, rows, true, 0.0, (&vec![1.0; n], &vec![0.0; n]), &mut y, &mut mean, &mut variance);
    assert_eq!((mean, variance), ([1e9 + 0.5], [0.25]));
    assert!(y.iter().all(|y| y.abs() == 1.0));
}
