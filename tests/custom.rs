//! Operations of a user's own: every order and both modes from one backward closure, or once and never zeros.

use retrograde::transform::{directional, grad, hessian, jvp};
use retrograde::{Error, ErrorKind, Generator, Parts, Result, Tape, Tensor, Var, functional};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

type V<'t> = Var<'t, f64>;

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

/// a² b, by closures.
fn square_times<'t>(a: V<'t>, b: V<'t>) -> V<'t> {
    a.tape().record(
        "square_times",
        &[a, b],
        |x| x[0].try_mul(x[0])?.try_mul(x[1]),
        |at| {
            at.each(|i| match i {
                0 => at.g(0) * at.x(0) * at.x(1) * 2.0,
                _ => at.g(0) * at.x(0) * at.x(0),
            })
        },
    )
}

/// Where the operation below is recorded.
const CUBE_ONCE: u32 = line!() + 4;

/// x³ of tensors, once differentiable.
fn cube_once<'t>(x: V<'t>) -> V<'t> {
    x.tape().record_once(
        "cube_once",
        &[x],
        |x| x[0].map(|x| x * x * x),
        |x, _, g| Ok([Some(x[0].map(|x| 3.0 * x * x)?.try_mul(g)?)].into_iter().collect()),
    )
}

#[test]
fn one_closure_gives_orders_one_to_three_in_every_mixture_of_modes() {
    let tape = Tape::new();
    let one = tape.scalar(1.0);
    for x in [-1.5, 0.0, 2.0] {
        let v = tape.scalar(x);
        // x² · x²: 4x³, 12x², 24x.
        fn f<'t>(x: V<'t>) -> V<'t> {
            square_times(x, x * x)
        }
        let [first, second, third] = [4.0 * x * x * x, 12.0 * x * x, 24.0 * x];
        let found = [
            (grad(f)(v), first),
            (jvp(f)(v, one).1, first),
            (grad(grad(f))(v), second),
            (jvp(grad(f))(v, one).1, second),
            (grad(|x| jvp(f)(x, one).1)(v), second),
            (jvp(|x| jvp(f)(x, one).1)(v, one).1, second),
            (hessian(f)(v), second),
            (grad(grad(grad(f)))(v), third),
            (directional(f, 3)(v, one), third),
            (jvp(grad(grad(f)))(v, one).1, third),
            (grad(|x| jvp(grad(f))(x, one).1)(v), third),
        ];
        for (i, (found, wanted)) in found.into_iter().enumerate() {
            let found = found.item().unwrap();
            assert!((found - wanted).abs() < 1e-13, "{i} at {x}: {found} {wanted}");
        }
    }
}

#[test]
fn forward_mode_by_transposition_is_the_transpose_and_that_of_differences() {
    let [a, b, da, db, g] = [1, 2, 3, 4, 5].map(|seed| normal(&[2, 3], seed));
    let f = |a: &Tensor<f64>, b: &Tensor<f64>| a.try_mul(a).unwrap().try_mul(b).unwrap();
    let (y, dy) = functional::jvp(|[a, b]| square_times(a, b), [&a, &b], [&da, &db]).unwrap();
    assert_eq!(y, f(&a, &b));
    let (_, [ga, gb]) = functional::vjp(|[a, b]| square_times(a, b), [&a, &b], &g).unwrap();
    let dot = |a: &Tensor<f64>, b: &Tensor<f64>| a.try_mul(b).unwrap().sum().unwrap().item().unwrap();
    let (left, right) = (dot(&g, &dy), dot(&ga, &da) + dot(&gb, &db));
    assert!((left - right).abs() < 1e-12 && left.abs() > 1e-3, "{left} {right}");
    let moved = |t: f64| {
        let by = |x: &Tensor<f64>, dx: &Tensor<f64>| x.try_add(&dx.map(|dx| t * dx).unwrap()).unwrap();
        f(&by(&a, &da), &by(&b, &db))
    };
    let h = 1e-3;
    let [p, q, r, s] = [-2.0, -1.0, 1.0, 2.0].map(|k| moved(k * h).to_vec());
    for (i, dy) in dy.iter().enumerate() {
        let wanted = (p[i] - 8.0 * q[i] + 8.0 * r[i] - s[i]) / (12.0 * h);
        assert!((dy - wanted).abs() < 1e-9, "{dy} {wanted}");
    }
    // A direction at one input alone, and the recorded form.
    let tape = Tape::new();
    let (va, vb) = (tape.var(&a), tape.var(&b));
    let y = square_times(va, vb);
    let dy = tape.jvp(y, [(vb, &db)]).unwrap().value().unwrap();
    for ((dy, a), db) in dy.iter().zip(&a).zip(&db) {
        assert!((dy - a * a * db).abs() < 1e-15 * dy.abs().max(1.0), "{dy}");
    }
}

#[test]
fn once_differentiable_is_right_at_order_one() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let y = (cube_once(x) * x).sum();
    assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [4.0, 32.0]);
    assert_eq!(tape.grad(y, [x]).unwrap()[0].to_vec(), [4.0, 32.0]);
    assert_eq!(tape.vjp(y, 1.0, [x]).unwrap()[0].value().unwrap().to_vec(), [4.0, 32.0]);
    assert_eq!(grad(|x| (cube_once(x) * x).sum())(x).value().unwrap().to_vec(), [4.0, 32.0]);
    assert_eq!(tape.jacobian_reverse(cube_once(x), [x]).unwrap()[0].to_vec(), [3.0, 0.0, 0.0, 12.0]);
    let checkpointed = tape.checkpoint(&[x], |v| (cube_once(v[0]) * v[0]).sum());
    assert_eq!(checkpointed.backward().unwrap().wrt(x).unwrap().to_vec(), [4.0, 32.0]);
}

#[test]
fn more_than_once_is_an_error_and_never_zeros() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let dx = Tensor::from([1.0, 1.0]);
    let (vdx, one) = (tape.constant(&dx), Tensor::scalar(1.0));
    fn f<'t>(x: V<'t>) -> V<'t> {
        cube_once(x).sum()
    }
    let y = f(x);
    let [g] = tape.vjp(y, &one, [x]).unwrap();
    let errors = [
        tape.vjp(g, &dx, [x]).unwrap_err(),
        tape.grad(g.sum(), [x]).unwrap_err(),
        g.sum().backward().unwrap_err(),
        tape.jvp(g, [(x, &dx)]).unwrap_err(),
        tape.jvp(y, [(x, &dx)]).unwrap_err(),
        tape.jacobian_forward(y, [x]).unwrap_err(),
        tape.jacobian(g, [x]).unwrap_err(),
        tape.jacobian_reverse(g, [x]).unwrap_err(),
        tape.jacobian_forward(g, [x]).unwrap_err(),
        hessian(f)(x).value().unwrap_err(),
        grad(|x| grad(f)(x).sum())(x).value().unwrap_err(),
        jvp(f)(x, vdx).1.value().unwrap_err(),
        jvp(grad(f))(x, vdx).1.value().unwrap_err(),
        grad(|x| jvp(f)(x, vdx).1)(x).value().unwrap_err(),
        retrograde::transform::hvp(f)(x, vdx).value().unwrap_err(),
        retrograde::transform::vhp(f)(x, vdx).value().unwrap_err(),
        retrograde::transform::jacobian_forward(f)(x).value().unwrap_err(),
        directional(f, 1)(x, vdx).value().unwrap_err(),
        functional::hessian(|[x]| f(x), [&dx]).unwrap_err(),
        functional::hvp(|[x]| f(x), [&dx], [&dx]).unwrap_err(),
        functional::vhp(|[x]| f(x), [&dx], [&dx]).unwrap_err(),
        functional::jvp(|[x]| f(x), [&dx], [&dx]).unwrap_err(),
    ];
    for (i, error) in errors.into_iter().enumerate() {
        assert_eq!(error.kind(), &ErrorKind::OnceDifferentiable, "{i}: {error}");
        assert_eq!(error.operation(), Some("cube_once"), "{i}");
        let location = error.location().unwrap();
        assert_eq!((location.file(), location.line()), (file!(), CUBE_ONCE), "{i}");
    }
}

#[test]
fn a_second_derivative_that_does_not_pass_through_it_is_fine() {
    let tape = Tape::new();
    let (x, w) = (tape.var(&Tensor::scalar(2.0)), tape.var(&Tensor::scalar(3.0)));
    let y = cube_once(x) * w * w + w.exp();
    let [gw] = tape.vjp(y, 1.0, [w]).unwrap();
    let e = 3f64.exp();
    assert_eq!(gw.item().unwrap(), 48.0 + e);
    // By w again; and by x, which passes once.
    assert_eq!(tape.grad(gw, [w]).unwrap()[0].item().unwrap(), 16.0 + e);
    assert_eq!(tape.grad(gw, [x]).unwrap()[0].item().unwrap(), 72.0);
    assert_eq!(tape.jvp(gw, [(w, &Tensor::scalar(1.0))]).unwrap().item().unwrap(), 16.0 + e);
    assert_eq!(tape.jvp(y, [(w, &Tensor::scalar(1.0))]).unwrap().item().unwrap(), 48.0 + e);
    assert_eq!(kind(tape.jvp(gw, [(x, &Tensor::scalar(1.0))])), ErrorKind::OnceDifferentiable);
}

#[test]
fn a_rule_that_leaves_the_variables_is_refused_in_forward_mode_and_not_zero() {
    // The cotangent is computed from plain values, so nothing that is recorded leads from g to it.
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let y = tape.record(
        "plain",
        &[x],
        |x| x[0].try_mul(x[0]),
        |at| {
            let g = at.g(0).value()?.try_mul(&at.x(0).value()?)?.map(|g| 2.0 * g)?;
            at.one(at.x(0).tape().constant(&g))
        },
    );
    let square = vec![2.0, 0.0, 0.0, 4.0];
    assert_eq!(tape.jacobian_reverse(y, [x]).unwrap()[0].to_vec(), square);
    let wide = tape.concat(&[y, y], 0);
    assert_eq!(tape.jacobian(wide, [x]).unwrap()[0].to_vec(), [&square[..], &square].concat());
    let refused =
        |kind| matches!(kind, ErrorKind::OnceDifferentiable | ErrorKind::NoRule { mode: "forward mode" });
    assert!(refused(kind(tape.jacobian_forward(y, [x]))));
    assert!(refused(kind(tape.jvp(y, [(x, &Tensor::from([1.0, 1.0]))]))));
}

#[test]
fn cotangents_that_do_not_fit_are_named_in_every_mode() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let ones = Tensor::ones([2]).unwrap();
    let line = line!() + 1;
    let too_many =
        tape.record("crooked", &[x], |x| Ok(x[0].clone()), |at| Ok([Some(at.g(0)); 2].into_iter().collect()));
    let few = tape.record("crooked", &[x], |x| Ok(x[0].clone()), |_| Ok(Parts::new()));
    let shape = tape.record("crooked", &[x], |x| Ok(x[0].clone()), |at| at.one(at.g(0).sum()));
    let once_many = tape.record_once(
        "crooked",
        &[x],
        |x| Ok(x[0].clone()),
        |_, _, g| Ok([Some(g.clone()), None].into_iter().collect()),
    );
    let once_shape = tape.record_once(
        "crooked",
        &[x],
        |x| Ok(x[0].clone()),
        |_, _, g| Ok([Some(g.sum()?)].into_iter().collect()),
    );
    let count = |found| ErrorKind::CotangentCount { found, wanted: 1 };
    let bad_shape =
        || ErrorKind::Shape { what: "the cotangent of input 0".into(), found: vec![], wanted: vec![2] };
    let cases = [
        (too_many, count(2), true),
        (few, count(0), true),
        (shape, bad_shape(), true),
        (once_many, count(2), false),
        (once_shape, bad_shape(), false),
    ];
    for (i, (y, wanted, forward)) in cases.into_iter().enumerate() {
        let mut errors = vec![
            y.backward_with(&ones).unwrap_err(),
            tape.grad_with(y, &ones, &[x]).unwrap_err(),
            tape.vjp(y, &ones, [x]).unwrap_err(),
            tape.jacobian_reverse(y, [x]).unwrap_err(),
        ];
        if forward {
            errors.push(tape.jvp(y, [(x, &ones)]).unwrap_err());
            errors.push(tape.jacobian_forward(y, [x]).unwrap_err());
        }
        for (k, error) in errors.into_iter().enumerate() {
            assert_eq!(error.kind(), &wanted, "{i} {k}");
            assert_eq!(error.operation(), Some("crooked"), "{i} {k}");
            let location = error.location().unwrap();
            assert_eq!(location.file(), file!(), "{i} {k}");
            assert!((line..line + 25).contains(&location.line()), "{i} {k}: {error}");
        }
    }
    // Nothing for an input is a zero, in each mode.
    let nothing = tape.record("nothing", &[x], |x| Ok(x[0].clone()), |_| Ok([None].into_iter().collect()));
    let once =
        tape.record_once("nothing", &[x], |x| Ok(x[0].clone()), |_, _, _| Ok([None].into_iter().collect()));
    for y in [nothing, once] {
        assert_eq!(y.backward_with(&ones).unwrap().wrt(x).unwrap().to_vec(), [0.0, 0.0]);
        assert_eq!(tape.vjp(y, &ones, [x]).unwrap()[0].value().unwrap().to_vec(), [0.0, 0.0]);
    }
}

#[test]
fn a_sweep_that_fails_leaves_nothing_for_the_next() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(5.0));
    let h = x * 2.0;
    let bad = tape.record("bad", &[h], |x| Ok(x[0].clone()), |_| Ok(Parts::new()));
    // Where the rule fails, a cotangent waits at h already.
    let y = bad + h * 3.0;
    for _ in 0..2 {
        assert_eq!(kind(y.backward()), ErrorKind::CotangentCount { found: 0, wanted: 1 });
        assert_eq!(kind(tape.grad(y, [x])), ErrorKind::CotangentCount { found: 0, wanted: 1 });
        assert!(tape.vjp(y, 1.0, [x]).is_err() && y.find_non_finite().is_err());
        assert_eq!(h.backward().unwrap().wrt(x).unwrap().item().unwrap(), 2.0);
        assert_eq!(tape.grad(h * h, [h, x]).unwrap().map(|g| g.item().unwrap()), [20.0, 40.0]);
        assert_eq!(tape.vjp(h, 1.0, [x]).unwrap()[0].item().unwrap(), 2.0);
    }
}

#[test]
fn panics_leave_the_tape_usable() {
    static ANGRY: AtomicBool = AtomicBool::new(true);
    let tape = Tape::<f64>::new();
    let x = tape.var(&normal(&[600], 1));
    let y = tape.record(
        "moody",
        &[x],
        |x| Ok(x[0].clone()),
        |at| {
            if ANGRY.load(Relaxed) {
                resume_unwind(Box::new("as a panic, without its message"));
            }
            at.one(at.g(0) * 2.0)
        },
    );
    let ones = Tensor::ones([600]).unwrap();
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    let before = tape.len();
    assert!(panics(&|| drop((y * y).sum().backward())));
    assert!(panics(&|| drop(tape.grad_with(y, &ones, &[x]))));
    assert!(panics(&|| drop(tape.jacobian_reverse(y, [x]))), "rows side by side");
    assert!(panics(&|| drop(tape.jacobian_forward(y, [x]))));
    assert!(panics(&|| drop(y.find_non_finite())));
    assert_eq!(tape.len(), before + 2, "what the test itself put there");
    assert!(panics(&|| drop(tape.vjp(y, &ones, [x]))));
    assert!(panics(&|| drop(tape.jvp(y, [(x, &ones)]))));
    ANGRY.store(false, Relaxed);
    assert_eq!(y.backward_with(&ones).unwrap().wrt(x).unwrap().to_vec(), [2.0; 600]);
    assert_eq!(tape.vjp(y, &ones, [x]).unwrap()[0].value().unwrap().to_vec(), [2.0; 600]);
    assert_eq!(tape.jvp(y, [(x, &ones)]).unwrap().value().unwrap().to_vec(), [2.0; 600]);
    let [j] = tape.jacobian_forward(y, [x]).unwrap();
    assert_eq!(j, Tensor::<f64>::eye(600).unwrap().map(|x| 2.0 * x).unwrap());
}

#[test]
fn a_tape_large_enough_for_the_thread_pool_comes_back_from_a_panic() {
    static ANGRY: AtomicBool = AtomicBool::new(true);
    const N: usize = 200_000;
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::ones([N]).unwrap()).name("x");
    let y = tape.record(
        "moody",
        &[x],
        |x| Ok(x[0].clone()),
        |at| {
            if ANGRY.load(Relaxed) {
                resume_unwind(Box::new("as a panic, without its message"));
            }
            at.one(at.g(0) * 2.0)
        },
    );
    let (ones, nodes) = (Tensor::ones([N]).unwrap(), tape.len());
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    assert!(panics(&|| drop(y.backward_with(&ones))));
    assert_eq!(tape.len(), nodes);
    assert!(panics(&|| drop(tape.grad_with(y, &ones, &[x]))));
    assert!(panics(&|| drop(tape.vjp(y, &ones, [x]))));
    assert!(panics(&|| drop(tape.jvp(y, [(x, &ones)]))));
    assert_eq!((y.value().unwrap(), x.label().as_deref()), (ones.clone(), Some("x")));
    ANGRY.store(false, Relaxed);
    let twice = ones.map(|x| 2.0 * x).unwrap();
    assert_eq!(y.backward_with(&ones).unwrap().wrt(x).unwrap(), &twice);
    assert_eq!(tape.vjp(y, &ones, [x]).unwrap()[0].value().unwrap(), twice);
    assert_eq!(tape.jvp(y, [(x, &ones)]).unwrap().value().unwrap(), twice);
}
