use super::*;
use crate::kernels::testing::*;

const DIMS: [usize; 13] = [0, 1, 2, 3, 7, 8, 16, 17, 63, 64, 65, 129, 1000];

/// The layouts a matrix can have: data length, offset, strides.
fn layouts(rows: usize, columns: usize) -> Vec<(usize, usize, isize, isize)> {
    let (r, c) = (rows as isize, columns as isize);
    let mut all = vec![
        (rows * columns, 0, c, 1),
        (rows * columns, 0, 1, r),
        (rows * columns * 2 + 3, 3, 2 * c, 2),
        (columns, 0, 0, 1),
        (rows, 0, 1, 0),
        (1, 0, 0, 0),
    ];
    if rows > 0 && columns > 0 {
        all.push((rows * columns, (rows - 1) * columns, -c, 1));
        all.push((rows * columns, rows * columns - 1, -c, -1));
        all.push((rows * columns, columns - 1, c, -1));
        all.push((rows * columns, rows - 1, -1, r));
    }
    all
}

fn naive<T: Real>(m: usize, k: usize, n: usize, a: Matrix<T>, b: Matrix<T>, start: &[T]) -> Vec<f64> {
    let mut out = Vec::new();
    for i in 0..m {
        for j in 0..n {
            let term = |p| a.data[a.index(i, p)].to_f64() * b.data[b.index(p, j)].to_f64();
            out.push(start[i * n + j].to_f64() + (0..k).map(term).sum::<f64>());
        }
    }
    out
}

fn check<T: Real>(m: usize, k: usize, n: usize) {
    for (i, &(a_len, a_offset, a_rows, a_columns)) in layouts(m, k).iter().enumerate() {
        for (j, &(b_len, b_offset, b_rows, b_columns)) in layouts(k, n).iter().enumerate() {
            if m * k * n > 20_000 && (i + j) % 5 != 0 {
                continue;
            }
            let (a, b) = (numbers::<T>(a_len, 1), numbers::<T>(b_len, 2));
            let a = Matrix { data: &a, offset: a_offset, row_stride: a_rows, col_stride: a_columns };
            let b = Matrix { data: &b, offset: b_offset, row_stride: b_rows, col_stride: b_columns };
            let start = numbers::<T>(m * n, 3);
            let tolerance = T::EPSILON.to_f64() * 8.0 * (1.0 + (k as f64).sqrt());
            let what = format!("{m}×{k}×{n}, layouts {i} {j}");
            let mut out = start.clone();
            matmul(m, k, n, a, b, &mut out, true);
            close(&out, &naive(m, k, n, a, b, &start), tolerance, &what);
            matmul(m, k, n, a, b, &mut out, false);
            close(&out, &naive(m, k, n, a, b, &vec![T::ZERO; m * n]), tolerance, &what);
        }
    }
}

#[test]
fn every_shape_and_layout_agrees_with_a_loop() {
    for m in DIMS {
        for k in DIMS {
            for n in DIMS {
                if m * k * n <= 70_000 {
                    check::<f32>(m, k, n);
                    if m * k * n <= 5_000 {
                        check::<f64>(m, k, n);
                    }
                }
            }
        }
    }
    for (m, k, n) in
        [(1, 10_007, 3), (3, 10_007, 1), (1, 10_007, 1), (1, 700, 1100), (1100, 700, 1), (200, 200, 200)]
    {
        check::<f64>(m, k, n);
    }
}

#[test]
fn batches() {
    for (m, k, n) in [(3, 4, 5), (1, 40, 30), (30, 40, 1), (20, 30, 40), (2, 0, 3), (0, 2, 3)] {
        for batch in [0, 1, 3, 500] {
            let (a, b) = (numbers::<f64>(batch * m * k + 7, 1), numbers::<f64>(3 * k * n + 7, 2));
            let a_offsets: Vec<usize> = (0..batch).map(|i| i * m * k).collect();
            let b_offsets: Vec<usize> = (0..batch).map(|i| i % 3 * k * n).collect();
            let a = Matrix { data: &a, offset: 1_000_000, row_stride: k as isize, col_stride: 1 };
            let b = Matrix { data: &b, offset: 1_000_000, row_stride: 1, col_stride: k as isize };
            let mut out = vec![0.125; batch * m * n];
            batched(m, k, n, a, &a_offsets, b, &b_offsets, &mut out);
            let mut wanted = Vec::new();
            for i in 0..batch {
                let zeros = vec![0.0; m * n];
                wanted.extend(naive(m, k, n, a.at(a_offsets[i]), b.at(b_offsets[i]), &zeros));
            }
            close(&out, &wanted, 1e-14, &format!("{batch} of {m}×{k}×{n}"));
        }
    }
}

#[test]
fn matrices_outside_their_data_are_refused() {
    let refused = |offset, row_stride, col_stride| {
        let a = Matrix { data: &[1.0f32; 12], offset, row_stride, col_stride };
        let b = Matrix { data: &[1.0f32; 12], offset: 0, row_stride: 3, col_stride: 1 };
        let run = || matmul(3, 4, 3, a, b, &mut [0.0; 9], false);
        let batch = || batched(3, 4, 3, a, &[0, offset], b, &[0, 0], &mut [0.0; 18]);
        let (run, batch) = (std::panic::catch_unwind(run).is_err(), std::panic::catch_unwind(batch).is_err());
        // The batch's first matrix begins at 0, which steps backwards leave at once.
        assert!(run == batch || row_stride < 0 || col_stride < 0);
        run
    };
    assert!(!refused(0, 4, 1));
    assert!(refused(1, 4, 1));
    assert!(!refused(11, -4, -1));
    assert!(refused(10, -4, -1));
    assert!(refused(0, 5, 1));
    assert!(refused(0, -1, 1));
    assert!(refused(12, 0, 0));
    assert!(refused(0, isize::MAX, 1));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let shapes = [
        (200, 200, 200),
        (257, 300, 511),
        (33, 3000, 65),
        (1000, 17, 700),
        (3, 4000, 1000),
        (1000, 2000, 3),
        (64, 9000, 64),
        (1, 3000, 3001),
        (3001, 3000, 1),
        (1, 2_000_000, 1),
        (1, 400_000, 5),
    ];
    for (m, k, n) in shapes {
        let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
        let matrix = |data, rows, columns, transposed| Matrix {
            data,
            offset: 0,
            row_stride: if transposed { 1 } else { columns as isize },
            col_stride: if transposed { rows as isize } else { 1 },
        };
        for layout in 0..4 {
            same_on_any_threads(|| {
                let mut out = vec![0.0; m * n];
                let (a, b) = (matrix(&a[..], m, k, layout & 1 == 1), matrix(&b[..], k, n, layout & 2 == 2));
                matmul(m, k, n, a, b, &mut out, false);
                out
            });
        }
    }
    let a = numbers::<f64>(400 * 60 * 50, 1);
    let matrix = |row_stride| Matrix { data: &a[..], offset: 0, row_stride, col_stride: 1 };
    for (batch, m) in [(400, 60), (3, 200)] {
        let offsets: Vec<usize> = (0..batch).map(|i| i * 2500).collect();
        same_on_any_threads(|| {
            let mut out = vec![0.0; batch * m * 200];
            batched(m, 200, 200, matrix(50), &offsets, matrix(60), &offsets, &mut out);
            out
        });
    }
}
