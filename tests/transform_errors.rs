//! Errors of the transformations: their kind, and the user's line, whichever layer found them.

use retrograde::transform::{self, many};
use retrograde::{Error, ErrorKind, Tape, Tensor, Var, functional};

type V<'t> = Var<'t, f64>;

/// The kind, and that the line is the given one of this file.
#[track_caller]
fn assert_error(error: Error, kind: ErrorKind, operation: &str, line: u32) {
    assert_eq!(error.kind(), &kind);
    assert_eq!(error.operation(), Some(operation), "{error}");
    let location = error.location().unwrap();
    assert_eq!((location.file(), location.line()), (file!(), line), "{error}");
}

fn shape(what: &str, found: &[usize], wanted: &[usize]) -> ErrorKind {
    ErrorKind::Shape { what: what.into(), found: found.to_vec(), wanted: wanted.to_vec() }
}

fn failed(y: V<'_>) -> Error {
    y.value().unwrap_err()
}

#[test]
fn only_one_number_has_a_gradient() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let first = line!() + 2;
    let found = [
        transform::grad(|x| x * x)(x),
        transform::value_and_grad(|x| x * x)(x).0,
        transform::value_and_grad(|x| x * x)(x).1,
        transform::hessian(|x| x * x)(x),
        transform::hvp(|x| x * x)(x, x),
        transform::vhp(|x| x * x)(x, x),
        many::grad(|[x, y]| x * y)([x, x])[0],
        many::grad(|[x, y]| x * y)([x, x])[1],
        many::hessian(|[x, y]| x * y)([x, x])[1][1],
        many::hvp(|[x, y]| x * y)([x, x], [x, x])[1],
        many::vhp(|[x, y]| x * y)([x, x], [x, x])[1],
        many::value_and_grad(|[x, y]| x * y)([x, x]).1[1],
    ];
    let names = ["grad", "value_and_grad", "value_and_grad", "hessian", "hvp", "vhp"];
    let names = names.into_iter().chain(["grad", "grad", "hessian", "hvp", "vhp", "value_and_grad"]);
    for (i, (found, name)) in found.into_iter().zip(names).enumerate() {
        assert_error(failed(found), ErrorKind::NotScalar { shape: vec![2] }, name, first + i as u32);
    }
}

#[test]
fn an_error_of_a_wrong_cotangent_or_tangent_names_the_transformation_and_its_line() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let w = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let line = line!() + 1;
    let (y, g) = transform::vjp(|x| x * x)(x, w);
    assert_error(failed(y), shape("seed", &[3], &[2]), "vjp", line);
    assert_error(failed(g), shape("seed", &[3], &[2]), "vjp", line);
    let line = line!() + 1;
    let (y, dy) = transform::jvp(|x| x * x)(x, w);
    assert_error(failed(y), shape("direction", &[3], &[2]), "jvp", line);
    assert_error(failed(dy), shape("direction", &[3], &[2]), "jvp", line);
    let line = line!() + 1;
    let h = transform::hvp(|x| x.sum())(x, w);
    assert_error(failed(h), shape("direction", &[3], &[2]), "hvp", line);
    let line = line!() + 1;
    let h = transform::vhp(|x| (x * x).sum())(x, w);
    assert_error(failed(h), shape("seed", &[3], &[2]), "vhp", line);
    for k in 0..3 {
        let line = line!() + 1;
        let d = transform::directional(|x| x.sum(), k)(x, w);
        assert_error(failed(d), shape("direction", &[3], &[2]), "directional", line);
    }
}

#[test]
fn several_arguments_of_wrong_tangents_name_the_line_too() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let w = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let line = line!() + 1;
    let (_, [_, g]) = many::vjp(|[x, y]| x * y)([x, x], w);
    assert_error(failed(g), shape("seed", &[3], &[2]), "vjp", line);
    let line = line!() + 1;
    let (_, dy) = many::jvp(|[x, y]| x * y)([x, x], [x, w]);
    assert_error(failed(dy), shape("direction", &[3], &[2]), "jvp", line);
}

#[test]
fn the_functional_layer_names_the_line_that_called_it() {
    let (x, w) = (&Tensor::from([1.0, 2.0]), &Tensor::from([1.0, 2.0, 3.0]));
    let not_scalar = || ErrorKind::NotScalar { shape: vec![2] };
    let first = line!() + 2;
    let found = [
        ("grad", functional::grad(|[x]| x * x, [x]).unwrap_err(), not_scalar()),
        ("value_and_grad", functional::value_and_grad(|[x]| x * x, [x]).unwrap_err(), not_scalar()),
        ("hessian", functional::hessian(|[x]| x * x, [x]).unwrap_err(), not_scalar()),
        ("hvp", functional::hvp(|[x]| x * x, [x], [x]).unwrap_err(), not_scalar()),
        ("vhp", functional::vhp(|[x]| x * x, [x], [x]).unwrap_err(), not_scalar()),
        ("vjp", functional::vjp(|[x]| x * x, [x], w).unwrap_err(), shape("seed", &[3], &[2])),
        ("jvp", functional::jvp(|[x]| x * x, [x], [w]).unwrap_err(), shape("direction", &[3], &[2])),
        ("hvp", functional::hvp(|[x]| x.sum(), [x], [w]).unwrap_err(), shape("direction", &[3], &[2])),
        ("vhp", functional::vhp(|[x]| x.sum(), [x], [w]).unwrap_err(), shape("seed", &[3], &[2])),
        (
            "directional",
            functional::directional(|[x]| x, 0, [x], [w]).unwrap_err(),
            shape("direction", &[3], &[2]),
        ),
        (
            "directional",
            functional::directional(|[x]| x, 2, [x], [w]).unwrap_err(),
            shape("direction", &[3], &[2]),
        ),
        (
            "per_example_grads",
            functional::per_example_grads(|[w], [x]| w * x, [x], [x]).unwrap_err(),
            not_scalar(),
        ),
        (
            "batch_jacobian",
            functional::batch_jacobian(|x| x.sum(), x).unwrap_err(),
            ErrorKind::Rank { found: vec![], wanted: "a batch axis and any others" },
        ),
    ];
    let lines: Vec<u32> = found.iter().map(|found| found.1.location().unwrap().line()).collect();
    for (i, (name, error, kind)) in found.into_iter().enumerate() {
        assert_eq!(error.kind(), &kind, "{name}");
        assert_eq!(error.operation(), Some(name), "{error}");
        assert_eq!(error.location().unwrap().file(), file!(), "{error}");
        assert!((first..first + 40).contains(&lines[i]), "{error}");
    }
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{lines:?}");
}

#[test]
fn an_error_inside_the_function_is_the_functions_own() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let w = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let broadcast = || ErrorKind::Broadcast { left: vec![2], right: vec![3] };
    let line = line!() + 2;
    fn f<'t>(x: V<'t>, w: V<'t>) -> V<'t> {
        (x + w).sum()
    }
    for error in [
        failed(transform::grad(|x| f(x, w))(x)),
        failed(transform::grad(|x| transform::grad(|x| f(x, w))(x).sum())(x)),
        failed(transform::jvp(|x| f(x, w))(x, x).1),
        failed(transform::vjp(|x| f(x, w))(x, x).0),
        failed(transform::jacobian(|x| f(x, w))(x)),
        failed(transform::jacobian_forward(|x| f(x, w))(x)),
        failed(transform::jacobian_reverse(|x| f(x, w))(x)),
        failed(transform::hessian(|x| f(x, w))(x)),
        failed(transform::hvp(|x| f(x, w))(x, x)),
        failed(transform::vhp(|x| f(x, w))(x, x)),
        failed(transform::directional(|x| f(x, w), 0)(x, x)),
        failed(transform::directional(|x| f(x, w), 3)(x, x)),
        functional::grad(|[x, w]| f(x, w), [&x.value().unwrap(), &w.value().unwrap()]).unwrap_err(),
        functional::jacobian(|[x, w]| f(x, w), [&x.value().unwrap(), &w.value().unwrap()]).unwrap_err(),
        functional::hessian(|[x, w]| f(x, w), [&x.value().unwrap(), &w.value().unwrap()]).unwrap_err(),
    ] {
        assert_error(error, broadcast(), "add", line);
    }
    // An errored argument hands its own error on, also to a function that does not look at it.
    let line = line!() + 1;
    let wrong = x + w;
    assert_error(failed(transform::grad(|x| x.sum())(wrong)), broadcast(), "add", line);
    assert_error(failed(transform::grad(|_| tape.scalar(1.0))(wrong)), broadcast(), "add", line);
    assert_error(failed(transform::jvp(|_| tape.scalar(1.0))(wrong, x).1), broadcast(), "add", line);
    assert_error(failed(transform::jvp(|x| x)(x, wrong).1), broadcast(), "add", line);
    assert_error(failed(transform::vjp(|x| x)(x, wrong).1), broadcast(), "add", line);
}

#[test]
fn tapes_do_not_mix_in_transformations() {
    let (one, two) = (Tape::new(), Tape::new());
    let (x, y) = (one.var(&Tensor::scalar(2.0)), two.var(&Tensor::scalar(3.0)));
    for wrong in [
        transform::grad(|x| x * y)(x),
        transform::grad(|_| y * y)(x),
        transform::jvp(|_| y * y)(x, x).1,
        transform::jvp(|x| x * x)(x, y).1,
        transform::vjp(|x| x * x)(x, y).1,
        transform::hvp(|x| x * x)(x, y),
        transform::vhp(|x| x * x)(x, y),
        transform::directional(|x| x * x, 1)(x, y),
        transform::jacobian(|_| y)(x),
        many::grad(|[a, b]| a * b)([x, y])[0],
        many::grad(|[a, _]| a * a)([x, y])[1],
        many::hessian(|[a, _]| a * a)([x, y])[1][0],
    ] {
        assert_eq!(failed(wrong).kind(), &ErrorKind::MixedTapes);
    }
    // The argument's tape carries the error on.
    let line = line!() + 1;
    let wrong = transform::grad(|_| y * y)(x) + x;
    let error = failed(wrong);
    assert_eq!((error.operation(), error.location().unwrap().line()), (Some("grad"), line), "{error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
}

#[test]
fn an_error_leaves_the_tape_usable() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    assert!(transform::grad(|x| x * x)(x).value().is_err());
    assert_eq!(transform::grad(|x| (x * x).sum())(x).value().unwrap().to_vec(), [2.0, 4.0]);
    assert_eq!((x * x).sum().backward().unwrap().wrt(x).unwrap().to_vec(), [2.0, 4.0]);
}

#[test]
fn every_node_on_the_tape_has_a_line_of_the_users() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let y = (x * x).exp().sum() + x.prod();
    let one = Tensor::scalar(1.0);
    let [g] = tape.vjp(y, &one, [x]).unwrap();
    let dy = tape.jvp(y, [(x, &Tensor::from([1.0, 2.0]))]).unwrap();
    let _ = tape.vjp_many(&[(g.sum(), &one), (dy, &one)], &[x]).unwrap();
    let late = tape.var(&one);
    let _ = tape.vjp(y, &one, [late]).unwrap();
    let _ = transform::hessian(|x| (x * x).exp().sum() + x.prod())(x).value().unwrap();
    let _ = transform::jacobian_forward(|x| x.sum() * x)(x).value().unwrap();
    let text = tape.to_string();
    let foreign: Vec<&str> = text.lines().filter(|line| !line.contains(file!())).collect();
    assert!(foreign.is_empty(), "{} of {} lines: {foreign:#?}", foreign.len(), text.lines().count());
}
