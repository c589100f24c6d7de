use super::*;
use crate::kernels::testing::*;

fn naive<E: Copy>(shape: &[usize], data: &[E], offset: usize, strides: &[isize]) -> Vec<E> {
    let total: usize = shape.iter().product();
    let element = |mut at: usize| {
        let mut index = offset as isize;
        for (&n, &s) in shape.iter().zip(strides).rev() {
            index += (at % n) as isize * s;
            at /= n;
        }
        data[index as usize]
    };
    (0..total).map(element).collect()
}

fn check(shape: &[usize], len: usize, offset: usize, strides: &[isize]) {
    let data: Vec<u32> = (0..len as u32).collect();
    let mut out = vec![u32::MAX; shape.iter().product()];
    copy_strided(shape, &data, offset, strides, &mut out);
    assert!(out == naive(shape, &data, offset, strides), "{shape:?} {strides:?}");
    // Elements of one byte, of which more share a cache line.
    let bytes: Vec<u8> = data.iter().map(|&v| ((v * 31) >> 2) as u8).collect();
    let mut out = vec![0; out.len()];
    copy_strided(shape, &bytes, offset, strides, &mut out);
    assert!(out == naive(shape, &bytes, offset, strides), "bytes {shape:?} {strides:?}");
}

#[test]
fn transposes_of_all_sizes() {
    for rows in SIZES {
        for columns in SIZES {
            let (len, r, c) = (rows * columns, rows as isize, columns as isize);
            if len == 0 || len > 1_000_000 {
                continue;
            }
            check(&[columns, rows], len, 0, &[1, c]);
            check(&[rows, columns], len, 0, &[c, 1]);
            check(&[columns, rows], len, len - 1, &[-1, -c]);
            check(&[columns, rows], len, columns - 1, &[-1, c]);
            check(&[columns, rows], len, (rows - 1) * columns, &[1, -c]);
            check(&[rows, columns], len, columns - 1, &[c, -1]);
            check(&[rows, columns], rows, 0, &[1, 0]);
            check(&[rows, columns], columns, 0, &[0, 1]);
            check(&[r as usize, columns], 2 * len, 1, &[2 * c, 2]);
        }
    }
}

#[test]
fn permutations_of_four_axes() {
    let sizes = [[3, 5, 17, 33], [2, 64, 1, 40], [19, 2, 3, 20], [40, 30, 20, 10]];
    for size in sizes {
        let [a, b, c, d] = size;
        let steps = [b * c * d, c * d, d, 1].map(|s: usize| s as isize);
        for code in 0..256 {
            let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
            if (0..4).any(|axis| !order.contains(&axis)) {
                continue;
            }
            check(&order.map(|i| size[i]), a * b * c * d, 0, &order.map(|i| steps[i]));
        }
    }
}

#[test]
fn no_elements_and_one() {
    let mut none: [f32; 0] = [];
    copy_strided(&[3, 0, 2], &[], 5, &[1, 1, 1], &mut none);
    copy_strided(&[0], &[1.0], 0, &[1], &mut none);
    let mut one = [0.0];
    copy_strided(&[], &[1.0, 2.0], 1, &[], &mut one);
    assert_eq!(one, [2.0]);
    copy_strided(&[1, 1], &[1.0, 3.0], 1, &[70, -9], &mut one);
    assert_eq!(one, [3.0]);
}

#[test]
fn views_outside_their_data_are_refused() {
    let refused = |shape: &[usize], offset: usize, strides: &[isize]| {
        let mut out = vec![0u8; shape.iter().product()];
        std::panic::catch_unwind(move || copy_strided(shape, &[0u8; 12], offset, strides, &mut out)).is_err()
    };
    assert!(!refused(&[3, 4], 0, &[4, 1]));
    assert!(refused(&[3, 4], 1, &[4, 1]));
    assert!(!refused(&[3, 4], 11, &[-4, -1]));
    assert!(refused(&[3, 4], 10, &[-4, -1]));
    assert!(refused(&[3, 4], 12, &[0, 0]));
    assert!(refused(&[3, 4], usize::MAX, &[0, 0]));
    assert!(refused(&[3, 4], 0, &[isize::MAX, 1]));
}

#[test]
fn large_copies_on_any_threads() {
    let data = numbers::<f32>(2 * 700 * 900, 1);
    for (shape, strides) in [
        ([2, 900, 700], [630_000, 1, 900]),
        ([900, 2, 700], [1, 630_000, 900]),
        ([700, 900, 2], [900, 1, 630_000]),
    ] {
        let wanted = naive(&shape, &data, 0, &strides);
        same_on_any_threads(|| {
            let mut out = vec![0.0; data.len()];
            copy_strided(&shape, &data, 0, &strides, &mut out);
            assert!(out == wanted);
            out
        });
    }
}
