//! Every activation against exact values: itself and its first two derivatives, in ulps.

use retrograde::{Activation, Contraction, Tape, Tensor, Var, activation};

/// Named arrays of exact values.
struct Golden(Vec<(String, Tensor<f64>)>);

impl Golden {
    fn read() -> Golden {
        let bytes = include_bytes!("golden/activations.bin");
        let mut numbers = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b));
        let entries = include_str!("golden/activations.txt").lines().map(|line| {
            let (name, shape) = line.split_once(' ').unwrap();
            let shape: Vec<usize> = shape.split(',').map(|n| n.parse().unwrap()).collect();
            let count = shape.iter().product();
            (name.into(), Tensor::from_iter_in(numbers.by_ref().take(count), shape).unwrap())
        });
        Golden(entries.collect())
    }

    fn get(&self, name: &str) -> &Tensor<f64> {
        &self.0.iter().find(|entry| entry.0 == name).unwrap_or_else(|| panic!("no {name}")).1
    }
}

/// How many doubles lie between two; none between the zeros, nor between NaNs.
fn ulps(a: f64, b: f64) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    if a.is_infinite() || b.is_infinite() {
        return if a == b { 0 } else { u64::MAX };
    }
    let place = |x: f64| {
        let magnitude = (x.to_bits() & !(1 << 63)) as i64;
        if x.is_sign_negative() { -magnitude } else { magnitude }
    };
    place(a).abs_diff(place(b))
}

type Function = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

/// The activations and the ulps they may be off by: value, first and second derivative.
const TABLE: [(&str, Function, [u64; 3]); 27] = [
    ("sigmoid", |x| x.sigmoid(), [1, 2, 3]),
    ("tanh", |x| x.tanh(), [1, 3, 5]),
    ("relu", |x| x.relu(), [0, 0, 0]),
    ("leaky_relu.0.01", |x| x.leaky_relu(0.01), [0, 0, 0]),
    ("leaky_relu.0.2", |x| x.leaky_relu(0.2), [0, 0, 0]),
    ("prelu", |x| x.prelu(x.tape().scalar(0.25)), [0, 0, 0]),
    ("elu.1.0", |x| x.elu(1.0), [1, 1, 1]),
    ("elu.1.7", |x| x.elu(1.7), [1, 1, 1]),
    ("selu", |x| x.selu(), [1, 1, 1]),
    ("celu.1.0", |x| x.celu(1.0), [1, 1, 1]),
    ("celu.1.3", |x| x.celu(1.3), [1, 1, 2]),
    ("gelu.none", |x| x.gelu(), [2, 4, 4]),
    ("gelu.tanh", |x| x.gelu_tanh(), [3, 3, 5]),
    ("silu", |x| x.silu(), [2, 3, 5]),
    ("mish", |x| x.mish(), [3, 5, 6]),
    ("softplus.1.0", |x| x.softplus(1.0), [1, 1, 2]),
    ("softplus.2.0", |x| x.softplus(2.0), [1, 1, 2]),
    ("softsign", |x| x.softsign(), [1, 3, 4]),
    ("hardtanh", |x| x.hardtanh(-1.0, 1.0), [0, 0, 0]),
    ("hardsigmoid", |x| x.hardsigmoid(), [1, 0, 0]),
    ("hardswish", |x| x.hardswish(), [2, 1, 0]),
    ("relu6", |x| x.relu6(), [0, 0, 0]),
    ("logsigmoid", |x| x.log_sigmoid(), [1, 1, 2]),
    ("tanhshrink", |x| x.tanhshrink(), [1, 3, 5]),
    ("softshrink", |x| x.softshrink(0.5), [0, 0, 0]),
    ("hardshrink", |x| x.hardshrink(0.5), [0, 0, 0]),
    ("threshold", |x| x.threshold(0.5, 2.0), [0, 0, 0]),
];

/// f, f′ by a sweep, f″ by a sweep over a recorded sweep.
fn derivatives(f: Function, x: &Tensor<f64>) -> [Tensor<f64>; 3] {
    let (tape, ones) = (Tape::new(), Tensor::ones(x.shape()).unwrap());
    let x = tape.var(x);
    let y = f(x);
    let first = y.backward_with(&ones).unwrap().wrt(x).unwrap().clone();
    let [recorded] = tape.vjp(y, &ones, [x]).unwrap();
    let second = recorded.backward_with(&ones).map(|grads| grads.wrt(x).unwrap().clone());
    // What is linear has no second derivative to ask for.
    [y.value().unwrap(), first, second.unwrap_or_else(|_| Tensor::zeros(ones.shape()).unwrap())]
}

/// A derivative that crosses 0 between about −3 and 3 is a sum of parts of about ½ there: the error of these counts.
fn crosses_zero(name: &str, order: usize, x: f64, exact: f64) -> bool {
    let bell = ["gelu.none", "gelu.tanh", "silu", "mish"].contains(&name);
    bell && order > 0 && (0.3..4.0).contains(&x.abs()) && exact.abs() < 0.2
}

#[test]
fn activations_and_two_derivatives_are_accurate_to_a_few_ulps() {
    let golden = Golden::read();
    let points = golden.get("points");
    let mut failures = Vec::new();
    for (name, f, bounds) in TABLE {
        let found = derivatives(f, points);
        let mut worst = [(0, 0.0); 3];
        for (order, part) in ["f", "d1", "d2"].into_iter().enumerate() {
            let exact = golden.get(&format!("{name}/{part}"));
            for ((x, a), b) in points.iter().zip(&found[order]).zip(exact) {
                let off = ulps(a, b);
                let absolute = 4.0 * f64::EPSILON * 0.5;
                if crosses_zero(name, order, x, b) && (a - b).abs() <= absolute {
                    continue;
                }
                if off > worst[order].0 {
                    worst[order] = (off, x);
                }
                if off > bounds[order] {
                    failures.push(format!("{name} {part} at {x:e}: {a:e} for {b:e}, {off} ulps"));
                }
            }
        }
        let [f, d1, d2] = worst.map(|(off, x)| format!("{off} at {x:e}"));
        println!("{name:<16} {f:<28} {d1:<28} {d2}");
    }
    assert!(failures.is_empty(), "{} values:\n{}", failures.len(), failures.join("\n"));
}

/// |a − b| ≤ tolerance · max(1, |b|); NaN matches NaN.
#[track_caller]
fn close(what: &str, a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let near = (a - b).abs() <= tolerance * b.abs().max(1.0) || a == b || a.is_nan() && b.is_nan();
        assert!(near, "{what}, element {i}: {a:e} for {b:e}");
    }
}

/// In single precision against double, at the points rounded to single.
#[test]
fn single_precision_is_as_accurate() {
    macro_rules! single {
        ($($name:literal $f:expr;)*) => {
            [$(($name, $f as Function, $f as for<'t> fn(Var<'t, f32>) -> Var<'t, f32>)),*]
        };
    }
    let table = single! {
        "sigmoid" |x| x.sigmoid();
        "elu" |x| x.elu(1.75);
        "celu" |x| x.celu(1.25);
        "gelu.none" |x| x.gelu();
        "gelu.tanh" |x| x.gelu_tanh();
        "silu" |x| x.silu();
        "mish" |x| x.mish();
        "softplus" |x| x.softplus(2.0);
        "softsign" |x| x.softsign();
        "logsigmoid" |x| x.log_sigmoid();
        "tanhshrink" |x| x.tanhshrink();
    };
    let points = Golden::read().get("points").map(|x| x as f32).unwrap();
    let ones = Tensor::ones(points.shape()).unwrap();
    let mut failures = Vec::new();
    for (name, double, single) in table {
        let exact = derivatives(double, &points.map(f64::from).unwrap());
        let tape = Tape::new();
        let x = tape.var(&points);
        let y = single(x);
        let [g] = tape.vjp(y, &ones, [x]).unwrap();
        let second = g.backward_with(&ones).unwrap().wrt(x).unwrap().clone();
        let mut worst = [(0.0, 0.0); 3];
        for (order, found) in [y.value().unwrap(), g.value().unwrap(), second].iter().enumerate() {
            for ((x, a), b) in points.iter().zip(found).zip(&exact[order]) {
                // Half a spacing of single precision at b, about.
                let spacing = (b.abs() * 2f64.powi(-24)).max(2f64.powi(-149));
                let same = f64::from(a) == b || a.is_nan() && b.is_nan() || a == b as f32;
                let off = if same { 0.0 } else { (f64::from(a) - b).abs() / spacing };
                if crosses_zero(name, order, x.into(), b) && off * spacing <= 2f64.powi(-22) {
                    continue;
                }
                if off > worst[order].0 {
                    worst[order] = (off, x);
                }
                if off > [4.0, 6.0, 8.0][order] {
                    failures.push(format!("{name} order {order} at {x:e}: {a:e} for {b:e}, {off}"));
                }
            }
        }
        println!("{name:<16} {worst:?}");
    }
    assert!(failures.is_empty(), "{} values:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_softmax_family_is_exact_in_value_jacobian_and_two_sweeps() {
    use activation::{LogSoftmax, Softmax, Softmin};
    let golden = Golden::read();
    let (rows, cotangent, u) = (golden.get("rows"), golden.get("rows_cot"), golden.get("rows_u"));
    let stretched = |stretch, contraction| Softmax { stretch, contraction, ..Softmax::default() };
    let family: [(&str, Box<dyn Activation<f64>>); 8] = [
        ("softmax", Box::new(Softmax::default())),
        ("softmax", Box::new(stretched(1.0, Contraction::Materialised))),
        ("log_softmax", Box::new(LogSoftmax::default())),
        ("softmin", Box::new(Softmin::default())),
        ("softmax_stretch.0.5", Box::new(stretched(0.5, Contraction::Factored))),
        ("softmax_stretch.0.5", Box::new(stretched(0.5, Contraction::Materialised))),
        ("softmax_stretch.3.0", Box::new(stretched(3.0, Contraction::Factored))),
        ("softmax_stretch.3.0", Box::new(stretched(3.0, Contraction::Materialised))),
    ];
    for (name, function) in &family {
        let part = |part: &str| golden.get(&format!("{name}/{part}"));
        let tape = Tape::new();
        let x = tape.var(rows);
        let y = function.apply(x);
        close(name, &y.value().unwrap(), part("f"), 1e-15);
        close(name, &function.jacobian(rows).unwrap(), part("jacobian"), 1e-15);
        close(name, &function.jacobian_by_sweeps(rows).unwrap(), part("jacobian"), 1e-15);
        close(name, y.backward_with(cotangent).unwrap().wrt(x).unwrap(), part("vjp"), 4e-15);
        let [g] = tape.vjp(y, cotangent, [x]).unwrap();
        close(name, &g.value().unwrap(), part("vjp"), 4e-15);
        close(name, g.backward_with(u).unwrap().wrt(x).unwrap(), part("gg"), 1e-14);
    }
}

#[test]
fn glu_gates_exactly() {
    let golden = Golden::read();
    let pairs = golden.get("glu_in");
    let tape = Tape::new();
    let x = tape.var(pairs);
    let y = x.glu(1);
    let part = |part: &str| golden.get(&format!("glu/{part}"));
    let few = |what: &str, found: Vec<f64>, exact: &Tensor<f64>| {
        for ((found, exact), x) in found.into_iter().zip(exact).zip(pairs.to_vec().chunks(2)) {
            // An infinite factor meets the zeros of the other half's seed.
            let skipped = what == "dab" && x[0].is_infinite();
            assert!(skipped || ulps(found, exact) <= 8, "{what} at {x:?}: {found:e} for {exact:e}");
        }
    };
    let column = |x: &Tensor<f64>, j: usize| x.to_vec().chunks(2).map(|row| row[j]).collect::<Vec<_>>();
    few("f", y.value().unwrap().to_vec(), part("f"));
    let ones = Tensor::ones(y.shape()).unwrap();
    let [g] = tape.vjp(y, &ones, [x]).unwrap();
    let first = g.value().unwrap();
    few("da", column(&first, 0), part("da"));
    few("db", column(&first, 1), part("db"));
    let second = |j: usize| {
        let seed = Tensor::from_fn(pairs.shape(), |i| if i[1] == j { 1.0 } else { 0.0 }).unwrap();
        g.backward_with(&seed).unwrap().wrt(x).unwrap().clone()
    };
    few("dab", column(&second(0), 1), part("dab"));
    // It crosses 0 with b: the parts a σ(b) σ(−b) σ(±b) count.
    for ((found, exact), x) in
        column(&second(1), 1).into_iter().zip(part("dbb")).zip(pairs.to_vec().chunks(2))
    {
        let scale = (x[0] / (2.0 + x[1].abs().exp())).abs().max(exact.abs());
        let near = (found - exact).abs() <= 8.0 * f64::EPSILON * scale + 8.0 * 5e-324;
        assert!(near || !x[0].is_finite() || x[1].is_nan(), "dbb at {x:?}: {found:e} for {exact:e}");
    }
}

#[test]
fn maxout_shares_ties() {
    let golden = Golden::read();
    let input = golden.get("maxout_in");
    let pieces = *input.shape().last().unwrap();
    let tape = Tape::new();
    let x = tape.var(input);
    let y = x.maxout(-1, pieces);
    close("f", &y.value().unwrap(), golden.get("maxout/f"), 0.0);
    let seed = golden.get("maxout_cot").reshape(y.shape()).unwrap();
    close("gradient", y.backward_with(&seed).unwrap().wrt(x).unwrap(), golden.get("maxout/grad_amax"), 1e-15);
}

#[test]
fn closed_jacobians_are_those_of_the_sweeps() {
    use activation::*;
    let along = |axis| Softmax { axis, stretch: 1.5, contraction: Contraction::Factored };
    let all: Vec<(&str, Box<dyn Activation<f64>>)> = vec![
        ("identity", Box::new(Identity)),
        ("relu", Box::new(Relu::STANDARD)),
        ("leaky_relu", Box::new(LeakyRelu::default())),
        ("elu", Box::new(Elu::default())),
        ("selu", Box::new(Selu)),
        ("celu", Box::new(Celu { alpha: 1.3 })),
        ("gelu", Box::new(Gelu)),
        ("gelu_tanh", Box::new(GeluTanh)),
        ("silu", Box::new(Silu)),
        ("mish", Box::new(Mish)),
        ("softsign", Box::new(Softsign)),
        ("hardtanh", Box::new(Hardtanh::default())),
        ("hardsigmoid", Box::new(Hardsigmoid)),
        ("hardswish", Box::new(Hardswish)),
        ("relu6", Box::new(Relu6)),
        ("log_sigmoid", Box::new(LogSigmoid)),
        ("softshrink", Box::new(Softshrink::default())),
        ("hardshrink", Box::new(Hardshrink::default())),
        ("threshold", Box::new(Threshold { threshold: 0.5, value: 2.0 })),
        ("sigmoid", Box::new(Sigmoid)),
        ("tanh", Box::new(Tanh)),
        ("tanhshrink", Box::new(Tanhshrink)),
        ("softplus", Box::new(Softplus::STANDARD)),
        ("softmax", Box::new(along(-1))),
        ("softmax over 0", Box::new(along(0))),
        ("softmax over 1", Box::new(along(1))),
        ("log_softmax", Box::new(LogSoftmax { axis: 1 })),
        ("softmin", Box::new(Softmin { axis: 0 })),
        ("glu", Box::new(Glu { axis: 1 })),
        ("maxout", Box::new(Maxout { axis: 1, pieces: 2 })),
    ];
    let mut random = retrograde::Generator::new(1);
    let x = Tensor::normal([2, 4, 3], 0.0, 2.0, &mut random).unwrap();
    for (name, function) in &all {
        let (closed, swept) = (function.jacobian(&x).unwrap(), function.jacobian_by_sweeps(&x).unwrap());
        assert_eq!(closed.shape(), swept.shape(), "{name}");
        close(name, &closed, &swept, 1e-14);
    }
    let number = Tensor::scalar(0.5);
    assert_eq!(Activation::jacobian(&Relu::STANDARD, &number).unwrap().shape(), [1, 1]);
    assert_eq!(Activation::jacobian(&Glu { axis: 1 }, &x).unwrap().shape(), [2, 3, 2, 4]);
    let empty = Tensor::<f64>::zeros([3, 0]).unwrap();
    assert_eq!(Activation::jacobian(&Softmax::default(), &empty).unwrap().shape(), [3, 0, 0]);
    assert_eq!(Softmax::default().jacobian_by_sweeps(&empty).unwrap().shape(), [3, 0, 0]);
}

#[test]
fn factored_and_materialised_softmax_agree_at_two_orders() {
    let mut random = retrograde::Generator::new(2);
    let mut draw = || Tensor::normal([3, 4, 5], 0.0, 1.0, &mut random).unwrap();
    let (input, seed, u) = (draw(), draw(), draw());
    for axis in [0, 1, -1] {
        for stretch in [1.0, 2.5, -1.0, 0.0] {
            let run = |contraction| {
                let tape = Tape::new();
                let x = tape.var(&input);
                let y = x.softmax_by(axis, stretch, contraction);
                let [g] = tape.vjp(y, &seed, [x]).unwrap();
                let second = g.backward_with(&u).unwrap().wrt(x).unwrap().clone();
                let swept = y.backward_with(&seed).unwrap().wrt(x).unwrap().clone();
                let forward = tape.jvp(y, [(x, &u)]).unwrap().value().unwrap();
                [y.value().unwrap(), g.value().unwrap(), swept, second, forward]
            };
            let pairs = run(Contraction::Factored).into_iter().zip(run(Contraction::Materialised));
            for (i, (a, b)) in pairs.enumerate() {
                close(&format!("axis {axis}, stretch {stretch}, part {i}"), &a, &b, 1e-12);
            }
        }
    }
}
