use super::*;
use std::sync::Arc;

fn exponential() -> Function<f64> {
    Arc::new(|x| x.exp())
}

/// `exp[x₀ … xₖ]` by the series around 0 in 40 terms, which does not cancel for positive arguments: `Σ hₘ₋ₖ(x)/m!`.
fn exact(x: &[f64]) -> f64 {
    let mut h = vec![0.0; 60];
    h[0] = 1.0;
    for &x in x {
        for p in 1..60 {
            h[p] += x * h[p - 1];
        }
    }
    let k = x.len() - 1;
    let mut factorial = (1..=k).map(|q| q as f64).product::<f64>();
    let mut sum = 0.0;
    for (p, h) in h.iter().enumerate() {
        sum += h / factorial;
        factorial *= (p + k + 1) as f64;
    }
    sum
}

#[test]
fn differences_are_good_at_every_distance() {
    for digit in 0..=32 {
        let d = 10f64.powf(-f64::from(digit) / 2.0);
        let x = [1.0, 1.0 + d, 1.0 + 2.7 * d];
        let values = Tensor::from([x]);
        for (k, tolerance) in [(1, 2e-13), (2, 3e-12), (3, 1e-10)] {
            let divided = Divided::new(&exponential(), &values, k).unwrap();
            for_each_ascending(3, k + 1, |places| {
                let wanted = exact(&places.iter().map(|&i| x[i]).collect::<Vec<_>>());
                let found = divided.at(0, places);
                assert!(
                    (found - wanted).abs() <= tolerance * wanted,
                    "order {k}, {d:.0e}, {places:?}: {found:e}, wanted {wanted:e}"
                );
            });
        }
    }
}

#[test]
fn the_series_measures_distances_by_the_function() {
    // ln at small arguments: its scale is the argument.
    let f: Function<f64> = Arc::new(|x| x.ln());
    for size in [1e-8, 1.0, 1e8] {
        for d in [0.3, 0.03, 0.01, 1e-3, 1e-5, 1e-9] {
            let values = Tensor::from([[size, size * (1.0 + d)]]);
            let x = values.to_vec();
            let found = Divided::new(&f, &values, 1).unwrap().at(0, &[0, 1]);
            let wanted = ((x[1] - x[0]) / x[0]).ln_1p() / (x[1] - x[0]);
            assert!((found - wanted).abs() <= 2e-13 * wanted, "{size:e} {d:e}: {found:e}, wanted {wanted:e}");
        }
    }
}

#[test]
fn every_list_of_places_has_its_own() {
    let b = binomials(9, 4);
    assert_eq!((b[6][3], b[9][4], b[2][3]), (20, 126, 0));
    let mut seen = vec![0; b[5 + 3][4]];
    for_each_ascending(5, 4, |places| {
        assert!(places.is_sorted());
        seen[rank(&b, places)] += 1;
    });
    assert!(seen.iter().all(|&count| count == 1));
    for_each_ascending(0, 2, |_| panic!("no places"));
}

#[test]
fn batches_keep_their_matrices_apart() {
    let values = Tensor::from([[1.0, 2.0], [3.0, 3.0]]);
    let divided = Divided::new(&exponential(), &values, 1).unwrap();
    let e = 1f64.exp();
    for (matrix, places, wanted) in [
        (0, [0, 0], e),
        (0, [0, 1], e * e - e),
        (0, [1, 1], e * e),
        (1, [0, 0], e * e * e),
        (1, [0, 1], e * e * e),
    ] {
        assert!((divided.at(matrix, &places) - wanted).abs() < 1e-13 * wanted);
    }
}
