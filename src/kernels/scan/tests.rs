use super::*;
use crate::kernels::testing::*;

/// Shapes on both sides of every block size, on each path.
const SHAPES: [[usize; 3]; 20] = [
    [1, 1, 1],
    [4, 15, 1],
    [5, 16, 1],
    [9, 17, 1],
    [41, 1000, 1],
    [3, 7, 1],
    [2, 63, 1],
    [2, 64, 1],
    [3, 71, 1],
    [2, 4096, 1],
    [2, 4097, 1],
    [1, 10_007, 1],
    [1, 300_001, 1],
    [2, 5, 3],
    [2, 128, 3],
    [2, 129, 3],
    [1, 100_003, 3],
    [1, 700, 1500],
    [1, 130, 5000],
    [40, 200, 30],
];

/// The elements of each lane along the middle axis, one after another, put back by what is made of a lane.
fn by_lanes(x: &[f64], [outer, n, inner]: [usize; 3], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    for (o, j) in (0..outer).flat_map(|o| (0..inner).map(move |j| (o, j))) {
        let place = |i: usize| (o * n + i) * inner + j;
        let lane: Vec<f64> = (0..n).map(|i| x[place(i)]).collect();
        f(&lane).into_iter().enumerate().for_each(|(i, v)| out[place(i)] = v);
    }
    out
}

fn backwards(lane: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut lane = lane.to_vec();
    lane.reverse();
    let mut out = f(&lane);
    out.reverse();
    out
}

fn running_sums(lane: &[f64]) -> Vec<f64> {
    let (mut sum, mut error) = (0.0f64, 0.0);
    lane.iter()
        .map(|&x| {
            let next = sum + x;
            error += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
            sum = next;
            sum + error
        })
        .collect()
}

#[test]
fn running_sums_are_what_adding_gives() {
    for shape @ [outer, n, inner] in SHAPES {
        let x = numbers::<f64>(outer * n * inner, 3);
        let mut out = vec![f64::NAN; x.len()];
        cumsum(&x, outer, n, inner, false, &mut out);
        // A running sum of n such numbers is of the size of √n, and up to 512 roundings of that add up at random.
        let tolerance = 3e-15 * (n as f64).sqrt().max(8.0);
        close(&out, &by_lanes(&x, shape, running_sums), tolerance, &format!("{shape:?}"));
        cumsum(&x, outer, n, inner, true, &mut out);
        let wanted = by_lanes(&x, shape, |lane| backwards(lane, running_sums));
        close(&out, &wanted, tolerance, &format!("{shape:?} backwards"));
    }
    cumsum::<f64>(&[], 2, 0, 3, false, &mut []);
    cumsum::<f64>(&[], 0, 2, 3, true, &mut []);
}

#[test]
fn running_sums_of_whole_numbers_are_exact() {
    let shapes =
        [[1, 3_000_017, 1], [2, 1_100_001, 1], [1, 300_007, 7], [3, 4_096 + 16, 1], [7, 31, 1], [2, 1, 5]];
    for shape @ [outer, n, inner] in shapes {
        let x: Vec<f64> = (0..outer * n * inner).map(|i| (i * 7919 % 201) as f64 - 100.0).collect();
        let mut out = vec![f64::NAN; x.len()];
        cumsum(&x, outer, n, inner, false, &mut out);
        let plain = |lane: &[f64]| {
            let sum = |acc: &mut f64, x: &f64| {
                *acc += x;
                Some(*acc)
            };
            lane.iter().scan(0.0, sum).collect()
        };
        assert!(out == by_lanes(&x, shape, plain), "{shape:?}");
        cumsum(&x, outer, n, inner, true, &mut out);
        assert!(out == by_lanes(&x, shape, |lane| backwards(lane, plain)), "{shape:?} backwards");
    }
}

#[test]
fn what_comes_later_does_not_touch_a_running_sum() {
    for at in [0, 1, 5, 15, 16, 17, 30, 36] {
        let mut x = [1.0; 37];
        x[at] = f64::NAN;
        let mut out = [0.0; 37];
        cumsum(&x, 1, 37, 1, false, &mut out);
        assert!((0..37).all(|i| if i < at { out[i] == (i + 1) as f64 } else { out[i].is_nan() }), "{at}");
        cumsum(&x, 1, 37, 1, true, &mut out);
        assert!((0..37).all(|i| if i > at { out[i] == (37 - i) as f64 } else { out[i].is_nan() }), "{at}");
    }
}

#[test]
fn cotangents_of_running_products_are_those_of_a_loop() {
    for shape @ [outer, n, inner] in [[1, 1, 1], [3, 5, 1], [4, 6, 1], [9, 7, 1], [50, 1001, 1], [3, 5, 4]] {
        let x: Vec<f64> = numbers::<f64>(outer * n * inner, 3).iter().map(|x| x * 1.2).collect();
        let g = numbers::<f64>(x.len(), 5);
        let (mut y, mut out) = (vec![0.0; x.len()], vec![f64::NAN; x.len()]);
        cumprod(&x, n, inner, &mut y);
        cumprod_backward([&x, &y, &g], n, inner, &mut out);
        for (o, j) in (0..outer).flat_map(|o| (0..inner).map(move |j| (o, j))) {
            let mut l = 0.0;
            for i in (0..n).rev() {
                let at = (o * n + i) * inner + j;
                l = g[at] + if i + 1 < n { x[at + inner] * l } else { 0.0 };
                let wanted = l * if i > 0 { y[at - inner] } else { 1.0 };
                assert!((out[at] - wanted).abs() < 1e-12, "{shape:?} {i}: {} for {wanted}", out[at]);
            }
        }
    }
}

#[test]
fn running_sums_have_the_same_bits_on_any_threads() {
    for [outer, n, inner] in
        [[1, 1_000_003, 1], [3, 300_001, 1], [1, 200_003, 5], [1, 300, 5000], [50, 10_000, 1]]
    {
        let x = numbers::<f32>(outer * n * inner, 3);
        for back in [false, true] {
            same_on_any_threads(|| {
                let mut out = vec![0.0; x.len()];
                cumsum(&x, outer, n, inner, back, &mut out);
                out
            });
        }
    }
}

#[test]
fn products_and_recurrences_are_what_a_loop_gives() {
    for shape @ [outer, n, inner] in SHAPES {
        let a: Vec<f64> = numbers::<f64>(outer * n * inner, 3).iter().map(|x| x * 1.2).collect();
        let b = numbers::<f64>(a.len(), 4);
        let mut out = vec![f64::NAN; a.len()];
        cumprod(&a, n, inner, &mut out);
        let product = |acc: &mut f64, x: &f64| {
            *acc *= x;
            Some(*acc)
        };
        let wanted = by_lanes(&a, shape, |lane| lane.iter().scan(1.0, product).collect());
        close(&out, &wanted, 1e-14, &format!("{shape:?}"));
        for back in [false, true] {
            recurrence(&a, &b, n, inner, back, &mut out);
            for (o, j) in (0..outer).flat_map(|o| (0..inner).map(move |j| (o, j))) {
                let mut h = 0.0;
                for i in 0..n {
                    let i = (o * n + if back { n - 1 - i } else { i }) * inner + j;
                    h = a[i] * h + b[i];
                    assert!(
                        (out[i] - h).abs() < 1e-11 * (1.0 + h.abs()),
                        "{shape:?} {i}: {} for {h}",
                        out[i]
                    );
                }
            }
        }
    }
}

#[test]
fn a_recurrence_does_not_look_at_its_first_factor() {
    let mut out = [0.0; 2];
    recurrence(&[f64::NAN, 2.0], &[1.0, 1.0], 2, 1, false, &mut out);
    assert_eq!(out, [1.0, 3.0]);
    recurrence(&[2.0, f64::NAN], &[1.0, 1.0], 2, 1, true, &mut out);
    assert_eq!(out, [3.0, 1.0]);
}

#[test]
fn running_extremes_keep_the_last_of_equals_and_the_last_nan() {
    let x = [1.0, 3.0, 3.0, 2.0, f64::NAN, 9.0, f64::NAN, 0.0];
    let (mut y, mut at) = ([0.0; 8], [0; 8]);
    cummax(&x, 8, 1, &mut y, &mut at);
    assert_eq!((at, y[3]), ([0, 1, 2, 2, 4, 4, 6, 6], 3.0));
    assert!(y[4..].iter().all(|y| y.is_nan()));
    cummin(&x, 8, 1, &mut y, &mut at);
    assert_eq!((at, y[3]), ([0, 0, 0, 0, 4, 4, 6, 6], 1.0));
    for shape @ [outer, n, inner] in SHAPES {
        let x = numbers::<f64>(outer * n * inner, 3);
        let (mut y, mut at) = (vec![0.0; x.len()], vec![0; x.len()]);
        cummax(&x, n, inner, &mut y, &mut at);
        let wanted = by_lanes(&x, shape, |lane| {
            lane.iter()
                .scan(f64::MIN, |m, &x| {
                    *m = m.max(x);
                    Some(*m)
                })
                .collect()
        });
        assert!(y == wanted, "{shape:?}");
        for (i, &from) in at.iter().enumerate() {
            let lane = i / (n * inner) * n * inner + i % inner;
            assert!(x[lane + from as usize * inner] == y[i], "{shape:?} {i}");
        }
    }
}

#[test]
fn logarithms_of_running_sums_are_stable() {
    for n in [1, 7, 511, 512, 513, 3000] {
        for scale in [1.0, 50.0, 2000.0] {
            let x: Vec<f64> = numbers::<f64>(3 * n, 5).iter().map(|x| x * scale).collect();
            let mut out = vec![f64::NAN; x.len()];
            logcumsumexp(&x, n, &mut out);
            let wanted = by_lanes(&x, [3, n, 1], |lane| {
                (1..=n)
                    .map(|until| {
                        let m = lane[..until].iter().copied().fold(f64::MIN, f64::max);
                        m + lane[..until].iter().map(|x| (x - m).exp()).sum::<f64>().ln()
                    })
                    .collect()
            });
            close(&out, &wanted, 1e-13, &format!("{n} {scale}"));
        }
    }
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (x, wanted) in [
        ([-inf, -inf, 1.0, -inf], [-inf, -inf, 1.0, 1.0]),
        ([-inf, -800.0, -800.0, -inf], [-inf, -800.0, -800.0 + 2f64.ln(), -800.0 + 2f64.ln()]),
        ([1.0, inf, 2.0, -inf], [1.0, inf, inf, inf]),
        ([1.0, nan, 2.0, inf], [1.0, nan, nan, nan]),
        ([-inf, inf, inf, nan], [-inf, inf, inf, nan]),
    ] {
        let mut out = [0.0; 4];
        logcumsumexp(&x, 4, &mut out);
        close(&out, &wanted, 1e-15, &format!("{x:?}"));
    }
}
