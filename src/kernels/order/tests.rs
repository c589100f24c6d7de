use super::*;
use crate::kernels::testing::*;

/// Numbers of which many are equal, with NaNs, infinities and both zeros.
fn crowded(n: usize) -> Vec<f64> {
    let special = [f64::NAN, f64::INFINITY, -f64::INFINITY, 0.0, -0.0];
    let number = |(i, x): (usize, f64)| if i % 7 == 3 { special[i / 7 % 5] } else { (x * 5.0).round() };
    numbers::<f64>(n, 9).into_iter().enumerate().map(number).collect()
}

fn stable(x: &[f64], descending: bool) -> Vec<i64> {
    let mut places: Vec<i64> = (0..x.len() as i64).collect();
    let rank = |i: i64| (x[i as usize].is_nan(), x[i as usize]);
    places.sort_by(|&a, &b| {
        let order = rank(a).partial_cmp(&rank(b)).filter(|_| !rank(a).0);
        let order = order.unwrap_or_else(|| rank(a).0.cmp(&rank(b).0));
        if descending { order.reverse() } else { order }
    });
    places
}

#[test]
fn order_is_stable_with_nans_above_all() {
    let lengths =
        [(1, 1), (3, 7), (5, 8), (3, 31), (700, 32), (3, 33), (2, 100), (3, 1023), (3, 1024), (50, 1027)];
    for (rows, n) in lengths.into_iter().chain([(1, 200_000)]) {
        let x = crowded(rows * n);
        for descending in [false, true] {
            let wanted: Vec<Vec<i64>> = x.chunks(n).map(|x| stable(x, descending)).collect();
            for m in [1, 10.min(n), n / 8, n / 2, n].into_iter().filter(|&m| m > 0) {
                let mut places = vec![-1; rows * m];
                first(&x, n, m, descending, &mut places);
                for (got, wanted) in places.chunks(m).zip(&wanted) {
                    assert!(got == &wanted[..m], "{rows} {n} {m} {descending}");
                }
            }
            if !descending {
                for k in [0, n / 3, n - 1] {
                    let mut places = vec![-1; rows];
                    number(&x, n, k, &mut places);
                    assert!(places.iter().zip(&wanted).all(|(got, wanted)| *got == wanted[k]));
                }
            }
        }
    }
    first::<f64>(&[], 0, 0, false, &mut []);
}

#[test]
fn medians_and_modes_of_small_rows() {
    let nan = f64::NAN;
    for (x, skipping, plain, most) in [
        ([3.0, 1.0, 2.0, 2.0], 2, 2, 3),
        ([nan, 1.0, 3.0, 2.0], 3, 0, 1),
        ([1.0, nan, nan, 4.0], 0, 1, 2),
        ([nan, nan, nan, nan], 0, 0, 3),
        ([5.0, 5.0, 4.0, 4.0], 2 + 1, 2 + 1, 3),
        ([0.0, -0.0, 1.0, -1.0], 0, 0, 1),
    ] {
        let mut place = [-1];
        median(&x, 4, true, &mut place);
        assert_eq!(place, [skipping], "{x:?}");
        median(&x, 4, false, &mut place);
        assert_eq!(place, [plain], "{x:?}");
        mode(&x, 4, &mut place);
        assert_eq!(place, [most], "{x:?}");
    }
}

#[test]
fn numbers_of_any_size_are_sorted_in_both_precisions() {
    fn check<T: Real>(n: usize) {
        // Signs, exponents and digits that make every digit of a key matter, with each number twice.
        let scales = numbers::<f64>(n, 4).into_iter().map(|x| (30.0 * x).exp2());
        let x: Vec<T> = numbers::<f64>(n, 5).iter().zip(scales).map(|(x, s)| T::from_f64(x * s)).collect();
        let x: Vec<T> = (0..n).map(|i| x[i / 2 * 7 % n]).collect();
        for descending in [false, true] {
            let mut places = vec![-1; n];
            first(&x, n, n, descending, &mut places);
            for pair in places.windows(2) {
                let [a, b] = [0, 1].map(|i| x[pair[i] as usize]);
                let in_order = if descending { a > b } else { a < b };
                assert!(in_order || a == b && pair[0] < pair[1], "{n} {descending} {pair:?}");
            }
            let m = n.div_ceil(9).min(100);
            let mut few = vec![-1; m];
            first(&x, n, m, descending, &mut few);
            assert_eq!(few, places[..m], "{n} {descending}");
        }
    }
    for n in [2, 16, 32, 33, 500, 1024, 5000, 300_001] {
        check::<f32>(n);
        check::<f64>(n);
    }
}

#[test]
fn the_order_is_the_same_on_any_threads() {
    let x = numbers::<f32>(1 << 18, 6);
    for m in [x.len(), 30] {
        same_on_any_threads(|| {
            let mut places = vec![0; m];
            first(&x, x.len(), m, false, &mut places);
            places.into_iter().map(|place| place as f64).collect()
        });
    }
}
