//! What the kernels' tests share: numbers, thread pools, comparisons, clocks.

use crate::number::Real;
use std::time::Instant;

/// Lengths on both sides of every block size.
pub const SIZES: [usize; 14] = [0, 1, 2, 7, 16, 17, 63, 64, 65, 128, 129, 1000, 4097, 10007];

/// `n` numbers spread evenly over [−1, 1), in a fixed disorder.
pub fn numbers<T: Real>(n: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        T::from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    };
    std::iter::repeat_with(next).take(n).collect()
}

/// A sum whose own rounding errors are carried along (Neumaier).
pub fn exact_sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut error) = (0.0f64, 0.0);
    for term in terms {
        let next = sum + term;
        error += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    if sum.is_finite() { sum + error } else { sum }
}

/// Asserts that each element is within `tolerance` of the wanted one, relative to `1 + |wanted|`; NaN matches NaN.
#[track_caller]
pub fn close<T: Real>(got: &[T], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (i, (&g, &w)) in got.iter().zip(wanted).enumerate() {
        let g = g.to_f64();
        let near = (g - w).abs() <= tolerance * (1.0 + w.abs()) || g == w || g.is_nan() && w.is_nan();
        assert!(near, "{what}, element {i}: {g} for {w}");
    }
}

/// Asserts that `run` gives the same bits on 1, 2, 3 and 8 threads.
#[track_caller]
pub fn same_on_any_threads<T: Real>(run: impl Fn() -> Vec<T> + Sync) {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let out = pool.install(&run);
        // The bits of an f32 survive the conversion, NaN payloads apart.
        out.into_iter().map(|v| v.to_f64().to_bits()).collect::<Vec<_>>()
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(one == on(threads), "{threads} threads");
    }
}

/// The shortest of several runs, in seconds.
pub fn seconds(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    for i in 0.. {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        if i >= 3 && begin.elapsed().as_secs_f64() > 0.1 {
            break;
        }
    }
    best
}

/// Prints what the kernels reach beside a copy of the same run: `cargo test --release -- --ignored --nocapture
/// throughput`.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    use super::{matmul, reduce, rows, transpose};
    let rate = |what: &str, bytes: usize, s: f64| {
        println!("{what:<44}{:9.2} GB/s{:12.1} µs", bytes as f64 / s / 1e9, s * 1e6)
    };
    println!("{} threads, {:?}", rayon::current_num_threads(), super::isa());
    let n = 16_000_000;
    let x = numbers::<f32>(n, 1);
    let mut y = vec![0.0f32; n];
    rate("copy, one thread", 8 * n, seconds(|| y.copy_from_slice(&x)));
    let part = n / rayon::current_num_threads();
    let copy = || {
        use rayon::prelude::*;
        y.par_chunks_mut(part).zip(x.par_chunks(part)).for_each(|(y, x)| y.copy_from_slice(x));
    };
    rate("copy, all threads", 8 * n, seconds(copy));
    type Kernel = fn(&[f32], usize, usize, usize, &mut [f32]);
    let kernels: [(&str, Kernel); 3] =
        [("sum", reduce::sum), ("max", reduce::max), ("logsumexp", reduce::logsumexp)];
    let shapes = [
        [1, n, 1],
        [16_000, 1000, 1],
        [1_600_000, 10, 1],
        [1, 16_000, 1000],
        [16, 1000, 1000],
        [1, 1_600_000, 10],
        [1, 16, 1_000_000],
        [1000, 1000, 1],
        [1, 1000, 1000],
        [1, 4096, 1],
    ];
    for (name, kernel) in kernels {
        for [outer, n, inner] in shapes {
            let x = &x[..outer * n * inner];
            let s = seconds(|| kernel(x, outer, n, inner, &mut y[..outer * inner]));
            rate(&format!("{name} [{outer}, {n}, {inner}]"), size_of_val(x), s);
        }
    }
    let mut at = vec![0; 1_600_000];
    for [outer, n, inner] in shapes.into_iter().filter(|s| s[0] * s[2] <= 1_600_000) {
        let x = &x[..outer * n * inner];
        let s = seconds(|| reduce::argmax(x, outer, n, inner, &mut at[..outer * inner]));
        rate(&format!("argmax [{outer}, {n}, {inner}]"), size_of_val(x), s);
    }
    rate("dot 8e6", 8 * n / 2, seconds(|| y[0] = reduce::dot(&x[..n / 2], &x[n / 2..])));
    for (count, n) in [(1024, 1000), (100_000, 10), (10, 100_000), (1, 1_000_000)] {
        let (x, y) = (&x[..count * n], &mut y[..count * n]);
        rate(&format!("softmax {count}×{n}"), 8 * count * n, seconds(|| rows::softmax(x, n, 1.0, y)));
        rate(&format!("log_softmax {count}×{n}"), 8 * count * n, seconds(|| rows::log_softmax(x, n, 1.0, y)));
        let s = seconds(|| rows::softmax_backward(x, x, n, 1.0, y));
        rate(&format!("softmax_backward {count}×{n}"), 8 * count * n, s);
        let s = seconds(|| rows::log_softmax_backward(x, x, n, 1.0, y));
        rate(&format!("log_softmax_backward {count}×{n}"), 8 * count * n, s);
        let (targets, mut stats) = (vec![3; count], vec![vec![0.0; count]; 3]);
        let [loss, shift, total] = &mut stats[..] else { unreachable!() };
        let s = seconds(|| rows::cross_entropy(x, n, &targets, loss, shift, total));
        rate(&format!("cross_entropy {count}×{n}"), 4 * count * n, s);
        let s = seconds(|| rows::cross_entropy_backward(x, n, &targets, (shift, total), loss, y));
        rate(&format!("cross_entropy_backward {count}×{n}"), 8 * count * n, s);
    }
    let big = numbers::<f32>(16_800_000, 1);
    for (shape, strides) in [
        (&[4096, 4096][..], &[1, 4096][..]),
        (&[4000, 4000], &[1, 4000]),
        (&[1000, 1000], &[1, 1000]),
        (&[1_000_000, 4], &[1, 1_000_000]),
        (&[4, 1_000_000], &[1, 4]),
        (&[16, 64, 64, 200], &[819_200, 1, 12_800, 64]),
        (&[64, 32, 128, 32], &[131_072, 32, 1024, 1]),
        (&[4000, 4000], &[1, 0]),
        (&[4000, 4000], &[0, 1]),
        (&[2000, 2000], &[4000, 2]),
    ] {
        let len: usize = shape.iter().product();
        let mut z = vec![0.0; len];
        let s = seconds(|| transpose::copy_strided(shape, &big, 0, strides, &mut z));
        rate(&format!("copy_strided {shape:?} {strides:?}"), 8 * len, s);
    }
    for (m, k, n) in [
        (1, 1, 1),
        (2, 2, 2),
        (4, 4, 4),
        (8, 8, 8),
        (10, 10, 10),
        (16, 16, 16),
        (32, 32, 32),
        (64, 64, 64),
        (128, 128, 128),
        (256, 256, 256),
        (512, 512, 512),
        (1024, 1024, 1024),
        (1, 1000, 1000),
        (1000, 1000, 1),
        (1, 4000, 4000),
        (4000, 4000, 1),
        (64, 784, 128),
        (1, 10, 10),
    ] {
        for transposed in [false, true] {
            let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
            let matrix = |data, rows: usize, columns: usize| matmul::Matrix {
                data,
                offset: 0,
                row_stride: if transposed { 1 } else { columns as isize },
                col_stride: if transposed { rows as isize } else { 1 },
            };
            let s = seconds(|| {
                matmul::matmul(m, k, n, matrix(&a[..], m, k), matrix(&b[..], k, n), &mut y[..m * n], false)
            });
            let rate = 2e-9 * (m * k * n) as f64 / s;
            println!(
                "matmul {:<37}{rate:9.2} Gflop/s{:9.2} µs",
                format!("{m}×{k}×{n} {}", if transposed { "T" } else { "" }),
                s * 1e6
            );
        }
    }
}
