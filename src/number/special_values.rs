//! Zeros, infinities, NaN and the least subnormal number; the operations that are exact.

use super::accuracy::{Stored, entries};
use super::{Fused, Lane, Real};

fn special_values<T: Real>() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let least = if T::EPSILON.to_f64() < 1e-10 { 5e-324 } else { f64::from(f32::from_bits(1)) };
    // Name, values at -inf, -0, 0, inf.
    let at_ends = [
        ("exp", [0.0, 1.0, 1.0, inf]),
        ("exp_m1", [-1.0, -0.0, 0.0, inf]),
        ("sigmoid", [0.0, 0.5, 0.5, 1.0]),
        ("softplus", [0.0, 2.0_f64.ln(), 2.0_f64.ln(), inf]),
        ("sinh", [-inf, -0.0, 0.0, inf]),
        ("cosh", [inf, 1.0, 1.0, inf]),
        ("tanh", [-1.0, -0.0, 0.0, 1.0]),
        ("tanhshrink", [-inf, -0.0, 0.0, inf]),
        ("gauss", [0.0, 1.0, 1.0, 0.0]),
        ("erf", [-1.0, -0.0, 0.0, 1.0]),
        ("erfc", [2.0, 1.0, 1.0, 0.0]),
        ("normal_cdf", [0.0, 0.5, 0.5, 1.0]),
        ("ln", [nan, -inf, -inf, inf]),
        ("ln_1p", [nan, -0.0, 0.0, inf]),
        ("log2", [nan, -inf, -inf, inf]),
        ("log10", [nan, -inf, -inf, inf]),
        ("asinh", [-inf, -0.0, 0.0, inf]),
        ("acosh", [nan, nan, nan, inf]),
        ("atanh", [nan, -0.0, 0.0, nan]),
        ("sin", [nan, -0.0, 0.0, nan]),
        ("cos", [nan, 1.0, 1.0, nan]),
        ("tan", [nan, -0.0, 0.0, nan]),
        ("asin", [nan, -0.0, 0.0, nan]),
        ("acos", [nan, FRAC_PI_2, FRAC_PI_2, nan]),
        ("atan", [-FRAC_PI_2, -0.0, 0.0, FRAC_PI_2]),
        ("cbrt", [-inf, -0.0, 0.0, inf]),
    ];
    let mut cases = Vec::new();
    for (name, values) in at_ends {
        cases.extend([-inf, -0.0, 0.0, inf].iter().zip(values).map(|(&x, value)| (name, x, 0.0, value)));
        cases.push((name, nan, 0.0, nan));
    }
    for name in ["exp_m1", "sinh", "tanh", "asinh", "atanh", "ln_1p", "sin", "tan", "asin", "atan"] {
        cases.extend([(name, least, 0.0, least), (name, -least, 0.0, -least)]);
    }
    cases.extend([
        ("ln_1p", -1.0, 0.0, -inf),
        ("ln_1p", -1.5, 0.0, nan),
        ("ln", 1.0, 0.0, 0.0),
        ("log2", 1.0, 0.0, 0.0),
        ("log2", least, 0.0, if least < 1e-300 { -1074.0 } else { -149.0 }),
        ("log10", 1000.0, 0.0, 3.0),
        ("ln", -least, 0.0, nan),
        ("acosh", 1.0, 0.0, 0.0),
        ("atanh", 1.0, 0.0, inf),
        ("atanh", -1.0, 0.0, -inf),
        ("asin", 1.0, 0.0, FRAC_PI_2),
        ("acos", 1.0, 0.0, 0.0),
        ("acos", -1.0, 0.0, PI),
        ("asin", 1.5, 0.0, nan),
        ("acos", -1.5, 0.0, nan),
        ("cbrt", -27.0, 0.0, -3.0),
        ("exp", least, 0.0, 1.0),
        ("cosh", -least, 0.0, 1.0),
        ("erfc", -least, 0.0, 1.0),
        ("tanhshrink", least, 0.0, 0.0),
        ("atan2", 0.0, 0.0, 0.0),
        ("atan2", -0.0, 0.0, -0.0),
        ("atan2", 0.0, -0.0, PI),
        ("atan2", -0.0, -0.0, -PI),
        ("atan2", 0.0, -1.0, PI),
        ("atan2", 1.0, -0.0, FRAC_PI_2),
        ("atan2", inf, inf, FRAC_PI_4),
        ("atan2", -inf, -inf, -3.0 * FRAC_PI_4),
        ("atan2", 1.0, inf, 0.0),
        ("atan2", -1.0, -inf, -PI),
        ("atan2", nan, 1.0, nan),
        ("atan2", 1.0, nan, nan),
        ("hypot", 0.0, -0.0, 0.0),
        ("hypot", -inf, nan, inf),
        ("hypot", nan, inf, inf),
        ("hypot", nan, 1.0, nan),
        ("hypot", 3.0 * least, 4.0 * least, 5.0 * least),
        ("pow", 0.0, 0.0, 1.0),
        ("pow", nan, 0.0, 1.0),
        ("pow", 1.0, nan, 1.0),
        ("pow", nan, 1.0, nan),
        ("pow", 2.0, nan, nan),
        ("pow", -1.0, inf, 1.0),
        ("pow", -2.0, 0.5, nan),
        ("pow", -2.0, 3.0, -8.0),
        ("pow", -2.0, inf, inf),
        ("pow", 0.5, inf, 0.0),
        ("pow", -inf, 0.5, inf),
        ("pow", -inf, 3.0, -inf),
        ("pow", -inf, -3.0, -0.0),
        ("pow", -0.0, -3.0, -inf),
        ("pow", -0.0, -2.0, inf),
        ("pow", -0.0, 3.0, -0.0),
        ("pow", -0.0, 0.5, 0.0),
    ]);
    let entries = entries::<T>();
    for (name, x, y, value) in cases {
        let entry = entries.iter().find(|e| e.name == name).unwrap();
        let (x, y, value) = (T::from_f64(x), T::from_f64(y), T::from_f64(value));
        let mut out = [T::ZERO; 37];
        (entry.vector)(&[x; 37], &[y; 37], &mut out);
        for got in out.into_iter().chain([(entry.plain)(x, y), (entry.fused)(x, y)]) {
            let close =
                got == value || (got - value).to_f64().abs() <= value.to_f64().abs() * T::EPSILON.to_f64();
            let same = close && got.to_f64().is_sign_negative() == value.to_f64().is_sign_negative();
            assert!(
                same || (got.is_nan() && value.is_nan()),
                "{} {name}({x}, {y}) = {got}, not {value}",
                T::DTYPE
            );
        }
    }
}

#[test]
fn special_values_of_both() {
    special_values::<f32>();
    special_values::<f64>();
}

/// Rounding, order and sign; the exact product.
fn exact_operations<T: Stored, N: Lane<T>>() {
    let n = |x: f64| N::of(T::from_f64(x));
    let is = |got: N, value: f64| {
        let got = got.get().to_f64();
        assert!(got == value || (got.is_nan() && value.is_nan()), "{got}, not {value}");
    };
    for (x, floor, ceil, round) in [(2.5, 2.0, 3.0, 2.0), (-1.5, -2.0, -1.0, -2.0), (1e9, 1e9, 1e9, 1e9)] {
        is(n(x).floor(), floor);
        is(n(x).ceil(), ceil);
        is(n(x).round(), round);
    }
    let nan = f64::NAN;
    for (a, b, least, most) in [(1.0, 2.0, 1.0, 2.0), (nan, 2.0, nan, nan), (-1.0, nan, nan, nan)] {
        is(n(a).minimum(n(b)), least);
        is(n(a).maximum(n(b)), most);
        is(n(b).minimum(n(a)), least);
    }
    is(n(nan).sign(), nan);
    is(n(-7.0).sign(), -1.0);
    is(n(-0.0).sign(), 0.0);
    is(n(f64::INFINITY).sign(), 1.0);
    // (1 + ε)² = 1 + 2ε + ε², and the same far up and down.
    let e = T::EPSILON.to_f64();
    for scale in [1.0, 2.0_f64.powi(60), 2.0_f64.powi(-30)] {
        let (p, rest) = n((1.0 + e) * scale).two_product(n(1.0 + e));
        is(p, (1.0 + 2.0 * e) * scale);
        is(rest, e * e * scale);
    }
    let largest = if T::BYTES == 8 { f64::MAX } else { f64::from(f32::MAX) };
    let (p, rest) = n(largest).two_product(n(0.5));
    is(p, 0.5 * largest);
    is(rest, 0.0);
}

#[test]
fn exact_operations_of_all() {
    exact_operations::<f32, f32>();
    exact_operations::<f64, f64>();
    exact_operations::<f32, Fused<f32>>();
    exact_operations::<f64, Fused<f64>>();
}
