//! Values and derivatives at kinks, at the ends of the range, and of what is not a number: each row of the table of
//! conventions that belongs to an activation.

use retrograde::{ErrorKind, Real, Tape, Tensor, Var};

type Function<T> = for<'t> fn(Var<'t, T>) -> Var<'t, T>;

/// f, f′, f″, f‴ at x, each by a sweep over the recorded one before; 0 where nothing depends on x any more.
fn orders<T: Real>(f: Function<T>, x: f64) -> [f64; 4] {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(T::from_f64(x)));
    let one = Tensor::scalar(T::ONE);
    let mut y = f(x);
    let mut all = [0.0; 4];
    for (order, out) in all.iter_mut().enumerate() {
        *out = y.item().unwrap().to_f64();
        if order < 3 {
            match tape.vjp(y, &one, [x]) {
                Ok([next]) => y = next,
                Err(_) => break,
            }
        }
    }
    all
}

/// f and f′ at some points.
#[track_caller]
fn at<const N: usize>(f: Function<f64>, x: [f64; N], value: [f64; N], first: [f64; N]) {
    let found = x.map(|x| orders(f, x));
    assert_eq!(found.map(|d| d[0]), value);
    assert_eq!(found.map(|d| d[1]), first);
}

const INF: f64 = f64::INFINITY;

#[test]
fn relu_at_zero_takes_the_chosen_subgradient() {
    at(|x| x.relu(), [-1.0, -0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 1.0]);
    at(|x| x.relu_at_zero(0.5), [-1.0, -0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 2.0], [0.0, 0.5, 0.5, 1.0]);
    at(|x| x.relu_at_zero(1.0), [0.0], [0.0], [1.0]);
    at(|x| x.relu(), [-INF, -1e4, 1e4, INF], [0.0, 0.0, 1e4, INF], [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn leaky_relu_takes_the_slope_below_even_above_one() {
    at(|x| x.leaky_relu(0.1), [-2.0, 0.0, 2.0], [-0.2, 0.0, 2.0], [0.1, 0.1, 1.0]);
    at(|x| x.leaky_relu(3.0), [-2.0, 0.0, 2.0], [-6.0, 0.0, 2.0], [3.0, 3.0, 1.0]);
    at(|x| x.leaky_relu(0.5), [-INF, INF], [-INF, INF], [0.5, 1.0]);
}

#[test]
fn prelu_at_zero_takes_the_weight_and_gives_it_nothing() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0, INF]));
    let w = tape.var(&Tensor::scalar(0.25));
    let grads = x.prelu(w).sum().backward().unwrap();
    assert_eq!(grads.wrt(x).unwrap().to_vec(), [0.25, 0.25, 1.0, 1.0]);
    assert_eq!(grads.wrt(w).unwrap().item().unwrap(), -2.0);
}

#[test]
fn elu_at_zero_belongs_to_the_left_branch_but_bends_on_neither_side() {
    let left = |f, slope: f64| {
        let [value, first, second, third] = orders::<f64>(f, 0.0);
        assert_eq!([value, first, second, third], [0.0, slope, 0.0, 0.0]);
    };
    left(|x| x.elu(1.7), 1.7);
    left(|x| x.selu(), 1.0507009873554805 * 1.6732632423543772);
    left(|x| x.celu(1.3), 1.0);
    let [_, first, second, third] = orders::<f64>(|x| x.elu(1.7), -1.0);
    let wanted = 1.7 * (-1f64).exp();
    for found in [first, second, third] {
        assert!((found - wanted).abs() < 1e-15);
    }
}

#[test]
fn elu_keeps_its_left_derivative_where_the_value_has_saturated() {
    for f in [(|x| x.elu(1.0)) as Function<f64>, |x| x.celu(1.0)] {
        let [value, first, second, third] = orders(f, -40.0);
        assert_eq!(value, -1.0);
        for found in [first, second, third] {
            assert!((found / (-40f64).exp() - 1.0).abs() < 1e-15, "{found:e}");
        }
    }
}

#[test]
fn hard_activations_are_flat_at_their_bounds() {
    at(|x| x.hardtanh(-1.0, 1.0), [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]);
    at(|x| x.hardsigmoid(), [-3.0, 0.0, 3.0], [0.0, 0.5, 1.0], [0.0, 1.0 / 6.0, 0.0]);
    at(|x| x.relu6(), [0.0, 3.0, 6.0], [0.0, 3.0, 6.0], [0.0, 1.0, 0.0]);
    at(|x| x.hardtanh(-1.0, 1.0), [-INF, INF], [-1.0, 1.0], [0.0, 0.0]);
    at(|x| x.hardsigmoid(), [-INF, INF], [0.0, 1.0], [0.0, 0.0]);
    at(|x| x.relu6(), [-INF, INF], [0.0, 6.0], [0.0, 0.0]);
}

#[test]
fn hardswish_is_flat_at_minus_three_and_steep_at_three() {
    at(|x| x.hardswish(), [-3.0, 3.0, -INF, INF], [0.0, 3.0, 0.0, INF], [0.0, 1.0, 0.0, 1.0]);
    for bound in [-3.0, 3.0] {
        assert_eq!(orders::<f64>(|x| x.hardswish(), bound)[2], 0.0);
    }
    assert_eq!(orders::<f64>(|x| x.hardswish(), 1.0)[2], 1.0 / 3.0);
}

#[test]
fn shrinkage_is_flat_at_lambda() {
    at(|x| x.softshrink(0.5), [-0.5, 0.5, 1.0, -1.0], [0.0, 0.0, 0.5, -0.5], [0.0, 0.0, 1.0, 1.0]);
    at(|x| x.hardshrink(0.5), [-0.5, 0.5, 1.0, -1.0], [0.0, 0.0, 1.0, -1.0], [0.0, 0.0, 1.0, 1.0]);
    at(|x| x.softshrink(0.5), [-INF, INF], [-INF, INF], [1.0, 1.0]);
    at(|x| x.hardshrink(0.5), [-INF, INF], [-INF, INF], [1.0, 1.0]);
}

#[test]
fn threshold_is_flat_at_the_threshold() {
    at(
        |x| x.threshold(0.5, 2.0),
        [0.0, 0.5, 1.0, -INF, INF],
        [2.0, 2.0, 1.0, 2.0, INF],
        [0.0, 0.0, 1.0, 0.0, 1.0],
    );
}

#[test]
fn softsign_bends_to_neither_side_at_zero() {
    assert_eq!(orders::<f64>(|x| x.softsign(), 0.0)[..3], [0.0, 1.0, 0.0]);
    at(|x| x.softsign(), [-INF, INF], [-1.0, 1.0], [0.0, 0.0]);
}

/// A name, a function, and its f and f′ at −∞ and ∞.
type Ends<T> = (&'static str, Function<T>, [f64; 2], [f64; 2]);

/// The activations for either element type.
macro_rules! table {
    ($t:ty) => {
        [
            ("identity", |x| x.identity(), [-INF, INF], [1.0, 1.0]),
            ("relu", |x| x.relu(), [0.0, INF], [0.0, 1.0]),
            ("relu_at_zero", |x| x.relu_at_zero(0.5), [0.0, INF], [0.0, 1.0]),
            ("leaky_relu", |x| x.leaky_relu(0.5), [-INF, INF], [0.5, 1.0]),
            ("elu", |x| x.elu(1.0), [-1.0, INF], [0.0, 1.0]),
            ("celu", |x| x.celu(0.5), [-0.5, INF], [0.0, 1.0]),
            ("selu", |x| x.selu() / 1.0507009873554805, [-1.6732632423543772, INF], [0.0, 1.0]),
            ("gelu", |x| x.gelu(), [0.0, INF], [0.0, 1.0]),
            ("gelu_tanh", |x| x.gelu_tanh(), [0.0, INF], [0.0, 1.0]),
            ("silu", |x| x.silu(), [0.0, INF], [0.0, 1.0]),
            ("mish", |x| x.mish(), [0.0, INF], [0.0, 1.0]),
            ("softplus", |x| x.softplus(1.0), [0.0, INF], [0.0, 1.0]),
            ("softsign", |x| x.softsign(), [-1.0, 1.0], [0.0, 0.0]),
            ("sigmoid", |x| x.sigmoid(), [0.0, 1.0], [0.0, 0.0]),
            ("tanh", |x| x.tanh(), [-1.0, 1.0], [0.0, 0.0]),
            ("tanhshrink", |x| x.tanhshrink(), [-INF, INF], [1.0, 1.0]),
            ("log_sigmoid", |x| x.log_sigmoid(), [-INF, 0.0], [1.0, 0.0]),
            ("hardtanh", |x| x.hardtanh(-1.0, 1.0), [-1.0, 1.0], [0.0, 0.0]),
            ("hardsigmoid", |x| x.hardsigmoid(), [0.0, 1.0], [0.0, 0.0]),
            ("hardswish", |x| x.hardswish(), [0.0, INF], [0.0, 1.0]),
            ("relu6", |x| x.relu6(), [0.0, 6.0], [0.0, 0.0]),
            ("softshrink", |x| x.softshrink(0.5), [-INF, INF], [1.0, 1.0]),
            ("hardshrink", |x| x.hardshrink(0.5), [-INF, INF], [1.0, 1.0]),
            ("threshold", |x| x.threshold(0.5, 2.0), [2.0, INF], [0.0, 1.0]),
        ] as [Ends<$t>; 24]
    };
}

fn settles<T: Real>(table: &[Ends<T>]) {
    for &(name, f, value, first) in table {
        for far in [20.0, 50.0, 88.0, 360.0, 710.0, 1e4, INF] {
            for (side, x) in [-far, far].into_iter().enumerate() {
                let found = orders(f, x);
                assert!(found.iter().all(|d| !d.is_nan()), "{name} at {x}: {found:?}");
                assert!(found[1..].iter().all(|d| d.is_finite()), "{name} at {x}: {found:?}");
                // Softsign settles like 1/x², the others exponentially.
                let near = if name == "softsign" { 1.0 / (1.0 + far.min(1e30)) } else { 1e-6 };
                assert!((found[1] - first[side]).abs() <= near, "{name}′ at {x}: {}", found[1]);
                assert!(found[2].abs() <= near && found[3].abs() <= near, "{name} at {x}: {found:?}");
                if value[side].is_finite() {
                    let near = near.max(T::EPSILON.to_f64());
                    assert!((found[0] - value[side]).abs() <= 2.0 * near, "{name} at {x}: {}", found[0]);
                }
                if far == INF {
                    let limit = T::from_f64(value[side]).to_f64();
                    let off = (found[0] - limit).abs() / limit.abs().max(1.0);
                    assert!(found[0] == limit || off <= T::EPSILON.to_f64(), "{name} at {x}: {found:?}");
                    let first = T::from_f64(first[side]).to_f64();
                    assert!((found[1] - first).abs() <= T::EPSILON.to_f64(), "{name} at {x}: {found:?}");
                    assert_eq!(found[2..], [0.0, 0.0], "{name} at {x}");
                }
            }
        }
    }
}

#[test]
fn activations_settle_at_both_ends_at_three_orders() {
    settles(&table!(f64));
    settles(&table!(f32));
}

fn keep_nan<T: Real>(table: &[Ends<T>]) {
    for &(name, f, ..) in table {
        let found = orders(f, f64::NAN);
        assert!(found.iter().all(|d| d.is_nan()), "{name}: {found:?}");
    }
}

#[test]
fn no_activation_hides_a_nan_in_its_value_or_derivatives() {
    keep_nan(&table!(f64));
    keep_nan(&table!(f32));
}

#[test]
fn relu_of_nan_is_nan() {
    assert!(orders::<f64>(|x| x.relu(), f64::NAN).iter().all(|d| d.is_nan()));
    assert!(orders::<f32>(|x| x.relu(), f64::NAN).iter().all(|d| d.is_nan()));
}

#[test]
fn prelu_of_nan_is_nan() {
    let tape = Tape::new();
    let (x, w) = (tape.var(&Tensor::scalar(f64::NAN)), tape.var(&Tensor::scalar(0.5)));
    let grads = x.prelu(w).backward().unwrap();
    assert!(grads.wrt(x).unwrap().item().unwrap().is_nan() && grads.wrt(w).unwrap().item().unwrap().is_nan());
}

/// Values and gradients of a function of one row.
fn row(f: Function<f64>, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let x = tape.var(&x.iter().copied().collect());
    let y = f(x);
    let seed = Tensor::from_iter_in((0..y.shape().count()).map(|i| i as f64 + 1.0), y.shape()).unwrap();
    (y.value().unwrap().to_vec(), y.backward_with(&seed).unwrap().wrt(x).unwrap().to_vec())
}

#[test]
fn softmax_rows_that_mean_nothing_are_nan() {
    let family: [Function<f64>; 2] = [|x| x.softmax(-1), |x| x.log_softmax(-1)];
    for f in family {
        for bad in [[-INF, -INF], [INF, 0.0], [INF, INF], [f64::NAN, 0.0], [f64::NAN, -INF]] {
            let (y, g) = row(f, &bad);
            assert!(y.iter().chain(&g).all(|v| v.is_nan()), "{bad:?}: {y:?}, {g:?}");
        }
    }
    for bad in [[INF, INF], [-INF, 0.0], [f64::NAN, 0.0]] {
        assert!(row(|x| x.softmin(-1), &bad).0.iter().all(|v| v.is_nan()), "{bad:?}");
    }
}

#[test]
fn softmax_ignores_elements_of_minus_infinity() {
    let (y, g) = row(|x| x.softmax(-1), &[-INF, 0.0, 0.0]);
    assert_eq!(y, [0.0, 0.5, 0.5]);
    assert_eq!(g, [0.0, -0.25, 0.25]);
}

#[test]
fn softmax_of_an_empty_axis_is_empty() {
    let family: [Function<f64>; 3] = [|x| x.softmax(-1), |x| x.log_softmax(-1), |x| x.softmin(-1)];
    for f in family {
        assert_eq!(row(f, &[]), (vec![], vec![]));
    }
}

#[test]
fn softmax_does_not_overflow() {
    assert_eq!(row(|x| x.softmax(-1), &[1e4, -1e4, 1e4]).0, [0.5, 0.0, 0.5]);
    assert_eq!(row(|x| x.softmax_stretch(-1, -2.0), &[1e300, 0.0, 0.0]).0, [0.0, 0.5, 0.5]);
    assert_eq!(row(|x| x.log_softmax(-1), &[1e4, -1e4]).0, [0.0, -2e4]);
}

#[test]
fn the_stretch_stands_in_the_jacobian() {
    let (y, g) = row(|x| x.softmax_stretch(-1, 4.0), &[0.0, 0.0]);
    assert_eq!((y, g), (vec![0.5, 0.5], vec![-1.0, 1.0]));
    let (y, g) = row(|x| x.softmax_stretch(-1, 0.0), &[1.0, 9.0]);
    assert_eq!((y, g), (vec![0.5, 0.5], vec![0.0, 0.0]));
}

#[test]
fn maxout_shares_ties_and_keeps_nans() {
    let (y, g) = row(|x| x.maxout(-1, 3), &[2.0, 2.0, 2.0, 1.0, 5.0, 5.0]);
    assert_eq!(y, [2.0, 5.0]);
    assert_eq!(g, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 1.0, 1.0]);
    let (y, g) = row(|x| x.maxout(-1, 2), &[f64::NAN, 1.0, 2.0, 3.0]);
    assert!(y[0].is_nan() && y[1] == 3.0 && g[0].is_nan() && g[1].is_nan() && g[2..] == [0.0, 2.0]);
}

#[test]
fn parameters_that_make_no_function_are_errors_at_the_users_line() {
    let wrong: [Function<f64>; 8] = [
        |x| x.softplus(0.0),
        |x| x.celu(0.0),
        |x| x.hardtanh(1.0, -1.0),
        |x| x.softshrink(-0.5),
        |x| x.hardshrink(-0.5),
        |x| x.maxout(-1, 2),
        |x| x.maxout(-1, 0),
        |x| x.glu(-1),
    ];
    for f in wrong {
        let tape = Tape::new();
        let error = f(tape.var(&Tensor::from([1.0, 2.0, 3.0]))).sum().backward().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Argument { .. }), "{error}");
        assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    }
}

#[test]
fn fixed_powers_of_negative_numbers_have_every_derivative() {
    assert_eq!(orders::<f64>(|x| x.powf(3.0), -2.0), [-8.0, 12.0, -12.0, 6.0]);
    assert_eq!(orders::<f64>(|x| x.powf(1.0), -3.0), [-3.0, 1.0, 0.0, 0.0]);
    assert_eq!(orders::<f64>(|x| x.powf(-1.0), -2.0), [-0.5, -0.25, -0.25, -0.375]);
    assert_eq!(orders::<f32>(|x| x.powf(2.0), -3.0), [9.0, -6.0, 2.0, 0.0]);
    // Where the first derivative overflows and the second does not.
    assert_eq!(orders::<f64>(|x| x.powi(3), 1e300)[2], 6.0 * 1e300);
    assert_eq!(orders::<f64>(|x| x.powf(2.0), INF)[..3], [INF, INF, 2.0]);
    assert_eq!(orders::<f64>(|x| x.powi(2), -INF)[..3], [INF, -INF, 2.0]);
}

#[test]
fn the_derivative_of_abs_at_zero_is_zero_and_that_of_sign_everywhere() {
    at(|x| x.abs(), [-2.0, -0.0, 0.0, 3.0], [2.0, 0.0, 0.0, 3.0], [-1.0, 0.0, 0.0, 1.0]);
    at(|x| x.sign(), [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0], [0.0; 3]);
    assert!(orders::<f64>(|x| x.abs(), f64::NAN)[..2].iter().all(|d| d.is_nan()));
}

#[test]
fn the_zeroth_power_is_one_with_derivative_zero_also_at_zero() {
    at(|x| x.powf(0.0), [-1.0, 0.0, 2.0], [1.0; 3], [0.0; 3]);
    at(|x| x.powi(0), [-1.0, 0.0, 2.0], [1.0; 3], [0.0; 3]);
    at(|x| x.pow(x.tape().scalar(0.0)), [-1.0, 0.0, 2.0], [1.0; 3], [0.0; 3]);
    // By the exponent at a base of 0: 0 for exponents at or above 0.
    at(|y| y.tape().scalar(0.0).pow(y), [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]);
}

/// No 0·∞ and no ∞ − ∞ where the function's own derivative is infinite.
#[test]
fn derivatives_at_the_edge_of_the_domain_are_infinite_at_two_orders() {
    let edges: [(Function<f64>, f64, [f64; 2]); 8] = [
        (|x| x.ln(), 0.0, [INF, -INF]),
        (|x| x.log2(), 0.0, [INF, -INF]),
        (|x| x.log10(), 0.0, [INF, -INF]),
        (|x| x.rsqrt(), 0.0, [-INF, INF]),
        (|x| x.cbrt(), 0.0, [INF, -INF]),
        (|x| x.asin(), 1.0, [INF, INF]),
        (|x| x.asin(), -1.0, [INF, -INF]),
        (|x| x.acos(), 1.0, [-INF, -INF]),
    ];
    for (i, (f, x, expected)) in edges.into_iter().enumerate() {
        let [_, first, second, _] = orders(f, x);
        assert_eq!([first, second], expected, "{i}");
    }
}

#[test]
fn ties_of_minimum_and_maximum_are_split_evenly() {
    at(|x| x.maximum(x.tape().scalar(1.0)), [0.0, 1.0, 2.0], [1.0, 1.0, 2.0], [0.0, 0.5, 1.0]);
    at(|x| x.minimum(x.tape().scalar(1.0)), [0.0, 1.0, 2.0], [0.0, 1.0, 1.0], [1.0, 0.5, 0.0]);
    at(|x| x.maximum(x), [0.0, -3.0], [0.0, -3.0], [1.0, 1.0]);
    for other in [f64::NAN, 1.0] {
        let tape = Tape::new();
        let (x, y) = (tape.var(&Tensor::scalar(f64::NAN)), tape.constant(&Tensor::scalar(other)));
        assert!(x.maximum(y).item().unwrap().is_nan() && y.maximum(x).item().unwrap().is_nan());
        assert!(x.minimum(y).backward().unwrap().wrt(x).unwrap().item().unwrap().is_nan());
    }
}

#[test]
fn hypot_and_atan2_at_the_origin_have_derivatives_zero() {
    let tape = Tape::new();
    let (a, b) = (tape.var(&Tensor::scalar(0.0)), tape.var(&Tensor::scalar(0.0)));
    for y in [a.hypot(b), a.atan2(b)] {
        assert_eq!(y.item().unwrap(), 0.0);
        let grads = y.backward().unwrap();
        assert_eq!(grads.wrt(a).unwrap().item().unwrap(), 0.0);
        assert_eq!(grads.wrt(b).unwrap().item().unwrap(), 0.0);
    }
    assert_eq!(orders::<f64>(|x| x.hypot(x), 0.0), [0.0; 4]);
    // The length of a difference that is nothing.
    let difference = (a - b).hypot(b - a);
    assert_eq!(difference.backward().unwrap().wrt(a).unwrap().item().unwrap(), 0.0);
}
