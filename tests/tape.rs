//! What the tape promises: errors that travel with the user's line, gradients that say what they are, sweeps that
//! leave the tape as it was.

use retrograde::{Error, ErrorKind, Operation, Outputs, Parts, Tape, Tensor, Var, one};

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

#[test]
fn an_error_travels_to_where_a_number_is_asked_for_with_the_users_line() {
    let tape = Tape::<f64>::new();
    let a = tape.var(&Tensor::ones([2, 3]).unwrap());
    let b = tape.var(&Tensor::ones([4]).unwrap());
    let line = line!() + 1;
    let wrong = a + b;
    let later = (wrong * 2.0).exp().sum() / a.sum();
    for error in [
        later.value().unwrap_err(),
        later.item().unwrap_err(),
        later.backward().unwrap_err(),
        tape.grad(later, [a]).unwrap_err(),
        tape.vjp(later, &Tensor::scalar(1.0), [a]).unwrap_err(),
        tape.jvp(later, [(a, &Tensor::ones([2, 3]).unwrap())]).unwrap_err(),
        later.try_shape().unwrap_err(),
        later.error().unwrap(),
    ] {
        assert_eq!(error.kind(), &ErrorKind::Broadcast { left: vec![2, 3], right: vec![4] });
        assert_eq!(error.operation(), Some("add"));
        let location = error.location().unwrap();
        assert_eq!((location.file(), location.line()), (file!(), line));
        assert_eq!(error.to_string(), format!("add: shapes [2, 3] and [4] do not broadcast, at {location}"));
    }
}

#[test]
fn operators_methods_and_composed_operations_carry_the_callers_line() {
    let tape = Tape::<f64>::new();
    let a = tape.var(&Tensor::ones([2]).unwrap());
    let b = tape.var(&Tensor::ones([3]).unwrap());
    let first = line!();
    let wrong = [
        a + b,
        a - b,
        a * b,
        a / b,
        a.maximum(b),
        a.pow(b),
        a.sum_axes(5),
        a.mean_axes(5),
        a.reshape([7]),
        a.expand([3]),
        a.lt(b),
    ];
    for (i, var) in wrong.into_iter().enumerate() {
        let error = var.value().unwrap_err();
        let location = error.location().unwrap();
        assert_eq!((location.file(), location.line()), (file!(), first + 2 + i as u32), "{error}");
    }
}

#[test]
fn a_second_order_error_names_the_users_line_too() {
    /// y = x, whose rule gives a cotangent of the wrong shape when it is recorded.
    struct Crooked;
    impl Operation<f64> for Crooked {
        fn name(&self) -> &'static str {
            "crooked"
        }
        fn forward(&self, x: &[&Tensor<f64>]) -> retrograde::Result<Outputs<f64>> {
            Ok(one(x[0].clone()))
        }
        fn vjp<'t>(&self, at: &retrograde::At<'_, 't, f64>) -> retrograde::Result<Parts<'t, f64>> {
            at.one(at.g(0).exp() + at.x(0).sum_axes(9))
        }
    }
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let line = line!() + 1;
    let y = tape.apply(Crooked, &[x]).sum();
    for error in [y.backward().unwrap_err(), tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap_err()] {
        assert_eq!(error.operation(), Some("sum"), "{error}");
        let location = error.location().unwrap();
        assert_eq!((location.file(), location.line()), (file!(), line), "{error}");
    }
}

#[test]
fn variables_of_two_tapes_do_not_mix() {
    let (one, two) = (Tape::<f64>::new(), Tape::<f64>::new());
    let (a, b) = (one.var(&Tensor::scalar(1.0)), two.var(&Tensor::scalar(2.0)));
    assert_eq!(kind((a + b).value()), ErrorKind::MixedTapes);
    assert_eq!(kind((a * 2.0 * b).backward()), ErrorKind::MixedTapes);
    assert_eq!(kind(one.grad(a * a, [b])), ErrorKind::MixedTapes);
    assert_eq!(kind(one.vjp(a * a, b, [a])), ErrorKind::MixedTapes);
    assert_eq!(kind(one.jvp(a * a, [(a, b)])), ErrorKind::MixedTapes);
    assert_eq!(kind((a * a).backward().unwrap().wrt(b).cloned()), ErrorKind::StaleKey);
}

#[test]
fn only_one_number_is_swept_from_without_a_seed() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    assert_eq!(kind((x * x).backward()), ErrorKind::NotScalar { shape: vec![2] });
    assert_eq!(kind(tape.grad(x * x, [x])), ErrorKind::NotScalar { shape: vec![2] });
    let empty = tape.var(&Tensor::zeros([0]).unwrap());
    assert_eq!(kind((empty * 2.0).backward()), ErrorKind::NotScalar { shape: vec![0] });
    // One element is one number, whatever the rank.
    let flat = (x * x).sum().reshape([1, 1]);
    assert_eq!(flat.backward().unwrap().wrt(x).unwrap().to_vec(), [2.0, 4.0]);
}

#[test]
fn a_seed_has_the_outputs_shape() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let y = x * x;
    let wrong = Tensor::ones([3]).unwrap();
    let wanted = ErrorKind::Shape { what: "seed".into(), found: vec![3], wanted: vec![2] };
    assert_eq!(kind(y.backward_with(&wrong)), wanted);
    assert_eq!(kind(tape.vjp(y, &wrong, [x])), wanted);
    let direction = ErrorKind::Shape { what: "direction".into(), found: vec![3], wanted: vec![2] };
    assert_eq!(kind(tape.jvp(y, [(x, &wrong)])), direction);
    let seed = Tensor::from([10.0, 1.0]);
    assert_eq!(y.backward_with(&seed).unwrap().wrt(x).unwrap().to_vec(), [20.0, 4.0]);
}

#[test]
fn what_has_no_gradient_says_so() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let c = tape.constant(&Tensor::scalar(2.0));
    let middle = x * c;
    let grads = (middle * middle.detach()).backward().unwrap();
    assert_eq!(grads.wrt(x).unwrap().item().unwrap(), 12.0);
    for node in [c, middle, middle.detach()] {
        assert!(matches!(kind(grads.wrt(node).cloned()), ErrorKind::NoGradient { .. }));
    }
    assert!(matches!(kind(tape.grad(middle, [c])), ErrorKind::NoGradient { .. }));
    assert!(matches!(kind(tape.grad(middle, [middle.detach()])), ErrorKind::NoGradient { .. }));
}

#[test]
fn an_unused_leaf_gets_zeros_of_its_shape() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let unused = tape.var(&Tensor::ones([2, 3]).unwrap());
    let grads = (x * x).backward().unwrap();
    let g = grads.wrt(unused).unwrap();
    assert_eq!((g.shape(), g.to_vec()), (&[2, 3][..], vec![0.0; 6]));
    let [g] = tape.grad(x * x, [unused]).unwrap();
    assert_eq!((g.shape(), g.to_vec()), (&[2, 3][..], vec![0.0; 6]));
    let [g] = tape.vjp(x * x, &Tensor::scalar(1.0), [unused]).unwrap();
    assert_eq!(g.value().unwrap().to_vec(), [0.0; 6]);
    let y = tape.jvp(x * x, [(unused, &Tensor::ones([2, 3]).unwrap())]).unwrap();
    assert_eq!(y.item().unwrap(), 0.0);
    let constant_output = tape.scalar(5.0).backward().unwrap();
    assert_eq!(constant_output.wrt(x).unwrap().item().unwrap(), 0.0);
}

#[test]
fn the_same_leaf_in_every_place_adds_up() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([2.0, 3.0]));
    let y = ((x * x) * x + x / x - x).sum();
    assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [11.0, 26.0]);
    // The same tensor put on the tape twice is two variables.
    let shared = Tensor::scalar(4.0);
    let (a, b) = (tape.var(&shared), tape.var(&shared));
    let grads = (a * b * b).backward().unwrap();
    assert_eq!(grads.wrt(a).unwrap().item().unwrap(), 16.0);
    assert_eq!(grads.wrt(b).unwrap().item().unwrap(), 32.0);
}

#[test]
fn a_cleared_tape_is_used_again_and_old_keys_are_found_out() {
    let mut tape = Tape::<f64>::new();
    let (key, grads) = {
        let x = tape.var(&Tensor::scalar(3.0));
        (x.key(), (x * x).backward().unwrap())
    };
    assert_eq!(grads.wrt(key).unwrap().item().unwrap(), 6.0, "gradients outlive the tape's content");
    tape.clear();
    assert!(tape.is_empty());
    assert_eq!(grads.wrt(key).unwrap().item().unwrap(), 6.0);
    let y = tape.var(&Tensor::scalar(5.0));
    let fresh = (y * y).backward().unwrap();
    assert_eq!(fresh.wrt(y).unwrap().item().unwrap(), 10.0);
    assert_eq!(kind(fresh.wrt(key).cloned()), ErrorKind::StaleKey);
    assert_eq!(kind(grads.wrt(y).cloned()), ErrorKind::StaleKey);
}

#[test]
fn a_tape_is_swept_any_number_of_times() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([0.3, -0.8]));
    let y = (x.tanh() * x.exp()).sum();
    let first = y.backward().unwrap().wrt(x).unwrap().clone();
    let nodes = tape.len();
    for _ in 0..3 {
        assert_eq!(y.backward().unwrap().wrt(x).unwrap(), &first);
    }
    assert_eq!(tape.len(), nodes, "a first-order sweep records nothing");
    let [recorded] = tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap();
    assert!(tape.len() > nodes);
    assert_eq!(y.backward().unwrap().wrt(x).unwrap(), &first);
    assert_eq!(recorded.value().unwrap(), first);
}

#[test]
fn gradients_of_intermediate_values() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(2.0));
    let a = x * x;
    let b = a * 3.0;
    let y = a * b;
    let [gy, ga, gb, gx, again] = tape.grad(y, [y, a, b, x, a]).unwrap();
    let values = [gy, ga, gb, gx, again].map(|g| g.item().unwrap());
    assert_eq!(values, [1.0, 24.0, 4.0, 96.0, 24.0]);
    let [ga, gx] = tape.vjp(y, &Tensor::scalar(1.0), [a, x]).unwrap();
    assert_eq!((ga.item().unwrap(), gx.item().unwrap()), (24.0, 96.0));
    // A direction at an intermediate value adds to the one that arrives there.
    let one = Tensor::scalar(1.0);
    assert_eq!(tape.jvp(y, [(a, &one)]).unwrap().item().unwrap(), 24.0);
    assert_eq!(tape.jvp(y, [(a, &one), (x, &one)]).unwrap().item().unwrap(), 120.0);
    assert_eq!(tape.jvp(x, [(x, &one)]).unwrap().item().unwrap(), 1.0);
}

#[test]
fn closed_forms_to_order_four() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(0.7));
    let one = Tensor::scalar(1.0);
    let cases: [(Var<'_, f64>, [f64; 4]); 3] = [
        (x.sin(), [0.7f64.cos(), -0.7f64.sin(), -0.7f64.cos(), 0.7f64.sin()]),
        (x.powi(5), [5.0 * 0.7f64.powi(4), 20.0 * 0.7f64.powi(3), 60.0 * 0.49, 120.0 * 0.7]),
        (x.recip(), [-1.0 / 0.49, 2.0 / 0.343, -6.0 / 0.7f64.powi(4), 24.0 / 0.7f64.powi(5)]),
    ];
    for (mut y, wanted) in cases {
        let mut forward = y;
        for wanted in wanted {
            [y] = tape.vjp(y, &one, [x]).unwrap();
            forward = tape.jvp(forward, [(x, &one)]).unwrap();
            for got in [y, forward].map(|y| y.item().unwrap()) {
                assert!((got - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{got} {wanted}");
            }
        }
    }
}

#[test]
fn a_backward_closure_that_gives_the_wrong_things_is_named() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let line = line!();
    let too_many = tape.record(
        "pair",
        &[x],
        |x| Ok(x[0].clone()),
        |at| {
            at.each(|_| at.g(0)).map(|mut p| {
                p.push(None);
                p
            })
        },
    );
    let misshapen = tape.record("bent", &[x], |x| Ok(x[0].clone()), |at| at.one(at.g(0).sum()));
    for (y, name, wanted) in [
        (too_many, "pair", ErrorKind::CotangentCount { found: 2, wanted: 1 }),
        (
            misshapen,
            "bent",
            ErrorKind::Shape { what: "the cotangent of input 0".into(), found: vec![], wanted: vec![2] },
        ),
    ] {
        for error in
            [y.sum().backward().unwrap_err(), tape.vjp(y.sum(), &Tensor::scalar(1.0), [x]).unwrap_err()]
        {
            assert_eq!((error.kind(), error.operation()), (&wanted, Some(name)));
            assert!((line..line + 20).contains(&error.location().unwrap().line()), "{error}");
        }
    }
    let forward = tape.jvp(misshapen, [(x, &Tensor::from([1.0, 1.0]))]).unwrap_err();
    let what = "the cotangent of input 0".into();
    assert_eq!(forward.kind(), &ErrorKind::Shape { what, found: vec![], wanted: vec![2] });
    assert_eq!(forward.operation(), Some("bent"));
}

#[test]
fn a_closure_that_panics_leaves_the_tape_usable() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let bomb = tape.record("bomb", &[x], |x| Ok(x[0].clone()), |_| panic!("on purpose"));
    let y = bomb.sum();
    for _ in 0..2 {
        let sweep = || y.backward().map(|_| ());
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(sweep)).is_err());
        let sweep = || tape.vjp(y, &Tensor::scalar(1.0), [x]).map(|_| ());
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(sweep)).is_err());
        let good = (x * x).sum().backward().unwrap();
        assert_eq!(good.wrt(x).unwrap().to_vec(), [2.0, 4.0]);
    }
    // The same for a tape large enough to move to the thread pool.
    let big = tape.var(&Tensor::ones([1 << 18]).unwrap());
    let y = (big * bomb.sum()).sum();
    let sweep = || y.backward().map(|_| ());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(sweep)).is_err());
    let nodes = tape.len();
    assert_eq!((big * 2.0).sum().backward().unwrap().wrt(big).unwrap().get([5]).unwrap(), 2.0);
    assert_eq!(tape.len(), nodes + 2);
}

#[test]
fn a_rule_may_sweep_a_tape_of_its_own() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let y = tape.record(
        "inner",
        &[x],
        |x| x[0].map(|x| x * x),
        |at| {
            let inner = Tape::new();
            let z = inner.var(&at.x(0).value()?);
            let slope = (z * z).backward()?.wrt(z)?.clone();
            let slope = at.x(0).tape().constant(&slope);
            at.one(at.g(0) * slope)
        },
    );
    assert_eq!(y.backward().unwrap().wrt(x).unwrap().item().unwrap(), 6.0);
}

#[test]
fn what_needs_no_gradient_is_pruned() {
    let tape = Tape::<f64>::new();
    let c = tape.constant(&Tensor::from([1.0, 2.0]));
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    // The rule of a constant's operation must not run: it would panic.
    let quiet = tape.record("quiet", &[c], |x| Ok(x[0].clone()), |_| panic!("asked for nothing"));
    let aside = tape.record("aside", &[x], |x| Ok(x[0].clone()), |_| panic!("not on the way"));
    let y = (quiet * x).sum();
    assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [1.0, 2.0]);
    let both = (aside * x * 0.0).sum() + (x * x).sum();
    let square = (x * x).sum();
    assert_eq!(tape.grad(square, [x]).unwrap()[0].to_vec(), [2.0, 4.0]);
    let _ = both;
    // Asked for one of two inputs, a rule computes one.
    let z = tape.var(&Tensor::from([3.0, 4.0]));
    let product = tape.record(
        "product",
        &[x, z],
        |x| x[0].try_mul(x[1]),
        |at| {
            assert!(at.needs(1) && !at.needs(0));
            at.each(|i| at.g(0) * at.x(1 - i))
        },
    );
    assert_eq!(tape.grad(product.sum(), [z]).unwrap()[0].to_vec(), [1.0, 2.0]);
}

#[test]
fn the_tape_prints_as_a_list_of_instructions() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([[1.0, 2.0]]));
    let y = (x * tape.constant(&Tensor::scalar(3.0))).tanh().sum();
    let _ = y + x.reshape([9]).sum();
    let text = tape.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let starts = ["%0 = var", "%1 = constant", "%2 = mul %0 %1", "%3 = tanh %2", "%4 = sum %3"];
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
        assert!(line.contains("tests/tape.rs:"), "{line}");
    }
    assert!(lines[2].contains("[1, 2]") && lines[1].contains("constant"));
    assert!(
        lines[5].starts_with("%5 = reshape %0") && lines[5].contains("error: reshape: shape [9] needs 9")
    );
    assert_eq!(lines.len(), tape.len());
}

#[test]
fn empty_and_rank_0_tensors_pass_through() {
    let tape = Tape::<f64>::new();
    let empty = tape.var(&Tensor::zeros([0, 3]).unwrap());
    let y = (empty.exp() * 2.0).sum();
    assert_eq!(y.item().unwrap(), 0.0);
    let grads = y.backward().unwrap();
    assert_eq!(grads.wrt(empty).unwrap().shape(), [0, 3]);
    let s = tape.var(&Tensor::scalar(2.0));
    let mixed = (empty + s).sum() + s;
    assert_eq!(mixed.backward().unwrap().wrt(s).unwrap().item().unwrap(), 1.0);
    assert!(empty.mean().item().unwrap().is_nan());
}
