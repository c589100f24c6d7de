//! Implicit differentiation: roots, fixed points and minima, at several orders in both modes, by every solver.

use retrograde::transform::{grad, hessian};
use retrograde::{Error, ErrorKind, Generator, Implicit, LinearSolver, Result, Tape, Tensor, Var, gradcheck};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SOLVERS: [LinearSolver; 3] =
    [LinearSolver::Dense, LinearSolver::Gmres { restart: 50 }, LinearSolver::ConjugateGradients];

fn settings(solver: LinearSolver) -> Implicit {
    Implicit { solver, ..Implicit::default() }
}

/// θ^(1/3) as the root of x³ = θ.
fn cube_root<'t>(theta: Var<'t, f64>, solver: LinearSolver) -> Var<'t, f64> {
    theta.tape().root(
        settings(solver),
        &[theta],
        |theta| theta[0].map(f64::cbrt),
        |x, theta| x * x * x - theta[0],
    )
}

#[test]
fn derivatives_to_order_four_in_both_modes_by_every_solver() {
    for solver in SOLVERS {
        let tape = Tape::new();
        let theta = tape.var(&Tensor::from([8.0, 0.125, 2.0]));
        let y = cube_root(theta, solver);
        let (mut reverse, mut forward) = (y.sum(), y);
        let ones = Tensor::ones([3]).unwrap();
        // d^k θ^(1/3)
        let mut factor = 1.0;
        for k in 0..4 {
            factor *= 1.0 / 3.0 - f64::from(k);
            let power = 1.0 / 3.0 - f64::from(k + 1);
            let [g] = tape.vjp(reverse, &Tensor::scalar(1.0), [theta]).unwrap();
            forward = tape.jvp(forward, [(theta, &ones)]).unwrap();
            for (at, theta) in [8.0f64, 0.125, 2.0].into_iter().enumerate() {
                let wanted = factor * theta.powf(power);
                for found in [g, forward] {
                    let found = found.value().unwrap().get([at]).unwrap();
                    let error = (found / wanted - 1.0).abs();
                    assert!(error < 1e-9, "{solver:?} order {}: {found} {wanted}", k + 1);
                }
            }
            reverse = g.sum();
        }
    }
}

/// A fixed point x = tanh(W x + b) / 2.
fn layer<'t>(v: &[Var<'t, f64>], solver: LinearSolver) -> Var<'t, f64> {
    let start = Tensor::zeros([4]).unwrap();
    v[0].tape().fixed_point(settings(solver), v, &start, |x, v| (v[0].matmul(x) + v[1]).tanh() * 0.5)
}

#[test]
fn a_fixed_point_layer_passes_the_gradient_check_and_equals_unrolling() {
    let mut random = Generator::new(3);
    let w = Tensor::normal([4, 4], 0.0, 0.5, &mut random).unwrap();
    let b = Tensor::normal([4], 0.0, 1.0, &mut random).unwrap();
    for solver in
        [LinearSolver::Dense, LinearSolver::Gmres { restart: 2 }, LinearSolver::Gmres { restart: 50 }]
    {
        gradcheck(|v| layer(v, solver), &[w.clone(), b.clone()]).unwrap();
        gradcheck(|v| grad(|w| layer(&[w, v[1]], solver).square().sum())(v[0]), &[w.clone(), b.clone()])
            .unwrap();

        let tape = Tape::new();
        let (w, b) = (tape.var(&w), tape.var(&b));
        let implicit = layer(&[w, b], solver);
        let unrolled =
            (0..200).fold(tape.constant(&Tensor::zeros([4]).unwrap()), |x, _| (w.matmul(x) + b).tanh() * 0.5);
        let seed = Tensor::from([1.0, -2.0, 0.5, 3.0]);
        let [gi, gu] = [implicit, unrolled].map(|y| y.backward_with(&seed).unwrap().wrt(w).unwrap().clone());
        for (i, u) in gi.iter().zip(&gu) {
            assert!((i - u).abs() < 1e-10, "{i} {u}");
        }
    }
}

#[test]
fn the_iterations_leave_nothing_on_the_tape() {
    let tape = Tape::new();
    let b = tape.var(&Tensor::scalar(0.3));
    let steps = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&steps);
    let x = tape.fixed_point(Implicit::default(), &[b], &Tensor::scalar(0.0), move |x, b| {
        count.fetch_add(1, Relaxed);
        x.cos() * 0.9 + b[0]
    });
    assert_eq!(tape.len(), 2);
    let iterations = steps.load(Relaxed);
    assert!(iterations > 20, "{iterations}");
    let g: f64 = x.backward().unwrap().wrt(b).unwrap().item().unwrap();
    let at: f64 = x.item().unwrap();
    assert!(steps.load(Relaxed) <= iterations + 3, "the sweep iterates");
    assert!((g - 1.0 / (1.0 + 0.9 * at.sin())).abs() < 1e-11);
}

/// argmin over x of Σ (x − a)⁴/4 + λ x²/2, by Newton.
fn proximal<'t>(a: Var<'t, f64>, lambda: Var<'t, f64>, solver: LinearSolver) -> Var<'t, f64> {
    let solve = |v: &[&Tensor<f64>]| {
        let lambda = v[1].item()?;
        v[0].map(|a| {
            (0..200).fold(a, |x, _| x - ((x - a).powi(3) + lambda * x) / (3.0 * (x - a).powi(2) + lambda))
        })
    };
    a.tape().root(settings(solver), &[a, lambda], solve, |x, v| {
        grad(|x| ((x - v[0]).square().square() / 4.0 + v[1] * x.square() / 2.0).sum())(x)
    })
}

#[test]
fn the_derivative_of_a_minimum_of_a_function_written_once() {
    let inputs = [Tensor::from([1.0, -2.0, 0.7]), Tensor::scalar(0.8)];
    for solver in SOLVERS {
        gradcheck(|v| proximal(v[0], v[1], solver), &inputs).unwrap();
        gradcheck(|v| grad(|l| proximal(v[0], l, solver).prod())(v[1]), &inputs).unwrap();
        let tape = Tape::new();
        let a = tape.constant(&inputs[0]);
        let h = hessian(|a| proximal(a, a.tape().scalar(0.8), solver).square().sum())(a).value().unwrap();
        assert_eq!(h.shape(), [3, 3]);
        for i in 0..3 {
            for j in 0..3 {
                let (upper, lower) = (h.get([i, j]).unwrap(), h.get([j, i]).unwrap());
                assert!((upper - lower).abs() < 1e-11 && (i == j) == (upper.abs() > 1e-3), "{h}");
            }
        }
    }
}

#[test]
fn only_the_inputs_that_move_count() {
    let tape = Tape::new();
    let (a, l) = (tape.constant(&Tensor::from([1.0])), tape.var(&Tensor::scalar(0.8)));
    let x = proximal(a, l, LinearSolver::Dense);
    let g = x.sum().backward().unwrap();
    let at = x.value().unwrap().get([0]).unwrap();
    let wanted = -at / (3.0 * (at - 1.0).powi(2) + 0.8);
    assert!((g.wrt(l).unwrap().item().unwrap() - wanted).abs() < 1e-12);
    let d = tape.jvp(x, [(l, &Tensor::scalar(2.0))]).unwrap().value().unwrap();
    assert!((d.get([0]).unwrap() - 2.0 * wanted).abs() < 1e-12);
}

#[test]
fn single_precision_is_solved_to_its_own_tolerance() {
    let tape = Tape::<f32>::new();
    let theta = tape.var(&Tensor::from([2.0f32, 3.0]));
    let x = tape.root(
        Implicit::default(),
        &[theta],
        |theta| theta[0].map(f32::sqrt),
        |x, theta| x * x - theta[0],
    );
    let g = x.sum().backward().unwrap().wrt(theta).unwrap().to_vec();
    for (g, theta) in g.into_iter().zip([2.0f32, 3.0]) {
        assert!((g - 0.5 / theta.sqrt()).abs() < 1e-6);
    }
}

fn failure<X: std::fmt::Debug>(result: Result<X>, operation: &str, line: u32) -> ErrorKind {
    let error: Error = result.unwrap_err();
    assert_eq!(error.operation(), Some(operation), "{error}");
    assert_eq!(error.location().map(|l| l.line()), Some(line), "{error}");
    error.kind().clone()
}

#[test]
fn what_goes_wrong_is_named_with_the_line_of_the_call() {
    let tape = Tape::<f64>::new();
    let theta = tape.var(&Tensor::from([1.0, 2.0]));

    let line = line!() + 1;
    let short = tape.root(Implicit::default(), &[theta], |t| Ok(t[0].clone()), |x, _| x.sum());
    let kind = ErrorKind::Shape { what: "the residual".into(), found: vec![], wanted: vec![2] };
    assert_eq!(failure(short.sum().backward(), "root", line), kind);
    assert_eq!(failure(tape.jvp(short, [(theta, &Tensor::from([1.0, 1.0]))]), "root", line), kind);

    let dense = settings(LinearSolver::Dense);
    let line = line!() + 1;
    let flat = tape.root(dense, &[theta], |t| Ok(t[0].clone()), |x, t| (x - t[0]) * (x - t[0]));
    assert_eq!(
        failure(flat.sum().backward(), "root", line),
        ErrorKind::Singular { batch: vec![], size: 2, pivot: 0 }
    );
    let line = line!() + 1;
    let flat = tape.root(Implicit::default(), &[theta], |t| Ok(t[0].clone()), |x, t| (x - t[0]) * (x - t[0]));
    let kind = failure(flat.sum().backward(), "root", line);
    assert!(matches!(kind, ErrorKind::NotConverged { .. }), "{kind:?}");

    let few = Implicit { iterations: 7, ..Implicit::default() };
    let line = line!() + 1;
    let away = tape.fixed_point(few, &[theta], &Tensor::from([1.0, 1.0]), |x, t| x * 2.0 + t[0]);
    let kind = failure(away.value(), "fixed_point", line);
    assert!(matches!(kind, ErrorKind::NotConverged { iterations: 7, .. }), "{kind:?}");
    let line = line!() + 1;
    let bent = tape.fixed_point(few, &[theta], &Tensor::scalar(1.0), |x, t| x * t[0]);
    let kind = ErrorKind::Shape { what: "the next iterate".into(), found: vec![2], wanted: vec![] };
    assert_eq!(failure(bent.value(), "fixed_point", line), kind);

    // An error inside the user's closure keeps its own line.
    let inner =
        tape.fixed_point(few, &[theta], &Tensor::from([1.0, 1.0]), |x, t| x.matmul(t[0].reshape([1, 2])));
    assert_eq!(inner.value().unwrap_err().operation(), Some("matmul"));
}
