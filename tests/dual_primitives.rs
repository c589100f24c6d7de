//! Every primitive of numbers, on nested duals against 5-point differences.

use retrograde::{Dual, Number, Scalar};

type D3 = Dual<Dual<Dual<f64>>>;

/// 5-point difference of f at x.
fn difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 5e-4 * x.abs().max(1.0);
    ((f(x - 2.0 * h) - f(x + 2.0 * h)) + 8.0 * (f(x + h) - f(x - h))) / (12.0 * h)
}

/// A primitive's derivatives, each as the difference of the one before, to the third; and its value, that of f64.
macro_rules! primitives_of_one {
    ($($f:ident: $($x:literal)*;)*) => {$($(
        let f = |x: D3| Number::$f(x);
        let variable = |x| Dual::variable(Dual::variable(Dual::variable(x)));
        let (x, name): (f64, _) = ($x, stringify!($f));
        let y = f(variable(x));
        assert_eq!(y.primal(), Number::$f(x), "{name} at {x}");
        let first = difference(|x| Number::$f(x), x);
        let second = difference(|x| f(variable(x)).tangent().primal(), x);
        let third = difference(|x| f(variable(x)).tangent().tangent().primal(), x);
        for (order, (found, wanted)) in [
            (y.tangent().primal(), first),
            (y.tangent().tangent().primal(), second),
            (y.tangent().tangent().tangent(), third),
        ].into_iter().enumerate() {
            let error = (found - wanted).abs();
            assert!(error <= 1e-8 * wanted.abs().max(1.0), "{name}, order {} at {x}: {found} against {wanted}", order + 1);
        }
    )*)*};
}

#[test]
fn every_primitive_of_one_number_has_its_derivatives() {
    primitives_of_one! {
        abs: -1.5 2.0; sign: -1.5 2.0; floor: 0.5 -1.5; ceil: 0.5 -1.5; round: 0.2 -1.8;
        recip: -1.5 2.0; square: -1.5 2.0; sqrt: 1.5 2.0; rsqrt: 1.5 2.0; cbrt: -1.5 2.0;
        exp: -1.5 2.0; exp_m1: -1.5 0.01 2.0; ln: 1.5 2.0; ln_1p: 0.01 2.0; log2: 1.5 2.0; log10: 1.5 2.0;
        sin: -1.5 2.0; cos: -1.5 2.0; tan: -0.5 1.0; asin: -0.5 0.3; acos: -0.5 0.3; atan: -1.5 2.0;
        sinh: -1.5 2.0; cosh: -1.5 2.0; tanh: -1.5 0.01 2.0; asinh: -1.5 2.0; acosh: 1.8 2.5; atanh: -0.5 0.3;
        erf: -1.5 0.01 2.0; erfc: -1.5 2.0; sigmoid: -1.5 2.0; softplus: -1.5 2.0; tanhshrink: -1.5 0.01 2.0;
        gauss: -1.5 2.0; normal_cdf: -1.5 2.0;
    }
}

/// A function of two numbers: its value, gradient and second derivatives against differences.
macro_rules! primitives_of_two {
    ($($name:literal: |$a:ident, $b:ident| $f:expr, $x:expr;)*) => {$(
        let [p, q]: [f64; 2] = $x;
        let plain = |$a: f64, $b: f64| -> f64 { $f };
        let f = |$a: Dual<Dual<f64, 2>, 2>, $b: Dual<Dual<f64, 2>, 2>| $f;
        let at = |p, q| {
            let [a, b] = Dual::variables(Dual::variables([p, q]));
            f(a, b)
        };
        let y = at(p, q);
        assert_eq!(y.primal(), plain(p, q), $name);
        let first = [difference(|p| plain(p, q), p), difference(|q| plain(p, q), q)];
        for i in 0..2 {
            let gradient = |p, q| at(p, q).value.tangents[i];
            let second = [difference(|p| gradient(p, q), p), difference(|q| gradient(p, q), q)];
            let error = (y.tangents[i].value - first[i]).abs();
            assert!(error <= 1e-9 * first[i].abs().max(1.0), "{}, by {i}: {y:?}", $name);
            for j in 0..2 {
                let error = (y.tangents[i].tangents[j] - second[j]).abs();
                assert!(error <= 1e-8 * second[j].abs().max(1.0), "{}, by {i} and {j}: {y:?}", $name);
            }
        }
    )*};
}

#[test]
fn every_primitive_of_two_numbers_has_its_derivatives() {
    primitives_of_two! {
        "add": |a, b| a + b, [1.5, -0.7];
        "sub": |a, b| a - b, [1.5, -0.7];
        "mul": |a, b| a * b, [1.5, -0.7];
        "div": |a, b| a / b, [1.5, -0.7];
        "add_assign": |a, b| { let mut c = a; c += b; c }, [1.5, -0.7];
        "sub_assign": |a, b| { let mut c = a; c -= b; c }, [1.5, -0.7];
        "mul_assign": |a, b| { let mut c = a; c *= b; c }, [1.5, -0.7];
        "div_assign": |a, b| { let mut c = a; c /= b; c }, [1.5, -0.7];
        "mul_add by factors": |a, b| Number::mul_add(a, b, a), [1.5, -0.7];
        "mul_add by the sum": |a, b| Number::mul_add(b, b, a * a), [1.5, -0.7];
        "two_product": |a, b| a.two_product(b).0 + a.two_product(b).1, [1.1, -0.7];
        "minimum": |a, b| Number::minimum(a, b), [1.5, -0.7];
        "minimum swapped": |a, b| Number::minimum(b, a) * b, [1.5, -0.7];
        "maximum": |a, b| Number::maximum(a, b) * a, [1.5, -0.7];
        "pow": |a, b| a.pow(b), [1.5, -0.7];
        "hypot": |a, b| Number::hypot(a, b), [1.5, -0.7];
        "atan2": |a, b| Number::atan2(a, b), [1.5, -0.7];
        "powf": |a, b| Number::powf(a, 2.5) * Number::powf(b, 3.0), [1.5, -0.7];
        "scale": |a, b| a.scale(3.0) * b.scale(-2.0), [1.5, -0.7];
        "select": |a, b| Number::select(a.greater(b), a * b, a + b), [1.5, -0.7];
        "neg": |a, b| -a * -(b * b), [1.5, -0.7];
        "lit": |a, b| a.lit(2.0) * a + b.lit(3.0) * b * b, [1.5, -0.7];
    }
}
