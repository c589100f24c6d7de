//! Checkpointed segments give the bits of a plain tape at order 1, its derivatives at every other order and in forward
//! mode, and say what is wrong with a closure that cannot be run again.

use retrograde::transform::{grad, hessian, hvp, jvp};
use retrograde::{Error, ErrorKind, Generator, Real, Result, Tape, Tensor, Var};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

type V<'t> = Var<'t, f64>;

fn normal<T: Real>(shape: &[usize], seed: u64) -> Tensor<T> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

/// The value, and the gradient by every variable, as bits.
fn bits<T: Real>(
    inputs: &[Tensor<T>],
    f: impl for<'t> Fn(&'t Tape<T>, &[Var<'t, T>]) -> Var<'t, T>,
) -> Vec<Vec<u64>> {
    let tape = Tape::new();
    let x: Vec<Var<'_, T>> = inputs.iter().map(|x| tape.var(x)).collect();
    let y = f(&tape, &x);
    let grads = y.backward().unwrap();
    let found: Vec<Tensor<T>> =
        std::iter::once(y.value().unwrap()).chain(x.iter().map(|x| grads.wrt(*x).unwrap().clone())).collect();
    // By the sweep that is asked for some nodes only, too.
    let some = tape.grad_with(y, &Tensor::ones(y.shape()).unwrap(), &x).unwrap();
    assert_eq!(&found[1..], &some[..]);
    assert!(found.iter().all(|x| x.iter().all(|x| x.is_finite())));
    found.iter().map(|x| x.iter().map(|x| x.to_f64().to_bits()).collect()).collect()
}

/// A layer whose contributions to w come from two places.
fn layer<'t, T: Real>(x: Var<'t, T>, w: Var<'t, T>) -> Var<'t, T> {
    (x.matmul(w).tanh() * w.sum_axes(0) + x).sin()
}

#[test]
fn weights_shared_by_segments_and_by_what_surrounds_them() {
    let inputs = [normal(&[5, 4], 1), normal(&[4, 4], 2)];
    let plain = bits::<f64>(&inputs, |_, v| {
        let mut x = v[0] * v[1].mean();
        for _ in 0..4 {
            x = layer(layer(x, v[1]), v[1]) + x * 0.3;
        }
        (x.matmul(v[1]) * x).sum()
    });
    let checkpointed = bits::<f64>(&inputs, |tape, v| {
        let mut x = v[0] * v[1].mean();
        for _ in 0..4 {
            x = tape.checkpoint(&[x, v[1]], |v| layer(layer(v[0], v[1]), v[1])) + x * 0.3;
        }
        (x.matmul(v[1]) * x).sum()
    });
    assert!(plain == checkpointed);
}

#[test]
fn single_precision() {
    let inputs = [normal(&[3, 4], 1), normal(&[4, 4], 2)];
    let plain = bits::<f32>(&inputs, |_, v| layer(layer(layer(v[0], v[1]), v[1]), v[1]).sum());
    let checkpointed = bits::<f32>(&inputs, |tape, v| {
        let x = layer(v[0], v[1]);
        tape.checkpoint(&[x, v[1]], |v| layer(layer(v[0], v[1]), v[1])).sum()
    });
    assert!(plain == checkpointed);
}

#[test]
fn nested_segments() {
    let inputs = [normal(&[2, 3, 3], 1), normal(&[3, 3], 2), normal(&[3, 3], 3)];
    let plain = bits::<f64>(&inputs, |_, v| {
        let x = layer(layer(v[0], v[1]), v[2]);
        layer(layer(layer(x, v[1]), v[2]) * x, v[1]).square().sum()
    });
    let checkpointed = bits::<f64>(&inputs, |tape, v| {
        tape.checkpoint(v, |v| {
            let tape = v[0].tape();
            let x =
                tape.checkpoint(v, |v| layer(v[0].tape().checkpoint(&v[..2], |v| layer(v[0], v[1])), v[2]));
            let z = tape.checkpoint(&[x, v[1], v[2]], |v| layer(layer(v[0], v[1]), v[2]));
            layer(z * x, v[1]).square().sum()
        })
    });
    assert!(plain == checkpointed);
}

#[test]
fn an_input_given_twice_and_an_output_used_often() {
    let inputs = [normal(&[6], 1), normal(&[6], 2)];
    let plain = bits::<f64>(&inputs, |_, v| {
        let y = (v[0] * v[1] + v[0].sin() * v[0]) / (v[1] * v[1] + 1.0);
        (y * v[0] + y.exp() * y.sin() + v[1] * y).sum() * y.mean()
    });
    let checkpointed = bits::<f64>(&inputs, |tape, v| {
        let y = tape.checkpoint(&[v[0], v[1], v[0], v[1]], |v| {
            (v[2] * v[1] + v[0].sin() * v[2]) / (v[3] * v[1] + 1.0)
        });
        (y * v[0] + y.exp() * y.sin() + v[1] * y).sum() * y.mean()
    });
    assert!(plain == checkpointed);
}

#[test]
fn constants_detached_values_and_unused_inputs() {
    let inputs = [normal(&[4], 1), normal(&[4], 2)];
    let c: Tensor<f64> = normal(&[4], 3);
    let plain = bits(&inputs, |tape, v| (v[0] * tape.constant(&c) + v[0].detach() * v[0]).exp().sum());
    let checkpointed = bits(&inputs, |tape, v| {
        tape.checkpoint(&[tape.constant(&c), v[0], v[1]], |v| (v[1] * v[0] + v[1].detach() * v[1]).exp())
            .sum()
    });
    assert!(plain == checkpointed);
    // Of constants alone: a constant.
    let tape = Tape::new();
    let y = tape.checkpoint(&[tape.constant(&c)], |v| v[0].sin());
    assert!(matches!(kind(tape.grad(y.sum(), [y])), ErrorKind::NoGradient { .. }));
    assert_eq!(y.value().unwrap(), tape.constant(&c).sin().value().unwrap());
}

#[test]
fn chains_with_weights_of_their_own_and_shared_ones() {
    for n in [0, 1, 2, 3, 10, 17] {
        let mut inputs: Vec<Tensor<f64>> = (0..n).map(|i| normal(&[3, 3], i as u64)).collect();
        inputs.push(normal(&[2, 3], 50));
        inputs.push(normal(&[3, 3], 51));
        let plain = bits(&inputs, |_, v| {
            (0..n).fold(v[n], |x, i| layer(layer(x, v[i]), v[n + 1]) * (1.0 + i as f64 / 8.0)).sum()
        });
        let checkpointed = bits(&inputs, |tape, v| {
            let layers: Vec<[V<'_>; 2]> = (0..n).map(|i| [v[i], v[n + 1]]).collect();
            let before = tape.len();
            let y = tape.checkpoint_chain(v[n], &layers, |i, x, l| {
                assert_eq!(l.len(), 2);
                layer(layer(x, l[0]), l[1]) * (1.0 + i as f64 / 8.0)
            });
            let length = (n as f64).sqrt().ceil().max(1.0) as usize;
            assert_eq!(tape.len() - before, n.div_ceil(length), "a node for each segment of √n");
            y.sum()
        });
        assert!(plain == checkpointed, "{n}");
    }
    // Layers with different numbers of weights, none among them.
    let inputs = [normal(&[3], 1), normal(&[3], 2), normal(&[3], 3)];
    let plain = bits::<f64>(&inputs, |_, v| {
        let y = (v[0] + v[1]).sin();
        ((y.sin() + v[2] + v[1]).sin().sin()).sum()
    });
    let checkpointed = bits::<f64>(&inputs, |tape, v| {
        let layers = [vec![v[1]], vec![], vec![v[2], v[1]], vec![]];
        tape.checkpoint_chain(v[0], &layers, |_, x, l| l.iter().fold(x, |x, w| x + *w).sin()).sum()
    });
    assert!(plain == checkpointed);
}

#[test]
fn a_closure_that_returns_an_input_or_a_constant() {
    let inputs = [normal(&[4], 1), normal(&[4], 2)];
    let plain = bits::<f64>(&inputs, |_, v| (v[1] * v[0] + v[0]).sum());
    let checkpointed =
        bits::<f64>(&inputs, |tape, v| (v[1] * tape.checkpoint(&[v[0], v[1]], |v| v[0]) + v[0]).sum());
    assert!(plain == checkpointed);
    let twice = bits::<f64>(&inputs, |tape, v| tape.checkpoint(&[v[0], v[0]], |v| v[1]).sin().sum());
    assert!(twice == bits::<f64>(&inputs, |_, v| v[0].sin().sum()));
    let tape = Tape::new();
    let x = tape.var(&inputs[0]);
    let one = Tensor::ones([4]).unwrap();
    for y in
        [tape.checkpoint(&[x], |v| v[0].tape().scalar(2.0)), tape.checkpoint(&[x], |v| v[0].detach().sum())]
    {
        assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [0.0; 4]);
        assert_eq!(tape.vjp(y, 1.0, [x]).unwrap()[0].value().unwrap().to_vec(), [0.0; 4]);
        assert_eq!(tape.jvp(y, [(x, &one)]).unwrap().item().unwrap(), 0.0);
        assert_eq!(tape.jacobian_forward(y, [x]).unwrap()[0].to_vec(), [0.0; 4]);
    }
    let y = tape.checkpoint(&[x], |v| v[0]);
    assert_eq!(tape.vjp(y, &one, [x]).unwrap()[0].value().unwrap(), one);
    assert_eq!(tape.jvp(y, [(x, &one)]).unwrap().value().unwrap(), one);
    assert_eq!(tape.jacobian_forward(y, [x]).unwrap()[0], Tensor::eye(4).unwrap());
    assert_eq!(tape.jacobian_reverse(y, [x]).unwrap()[0], Tensor::eye(4).unwrap());
}

#[test]
fn a_returned_input_used_often_adds_up_in_the_plain_order() {
    let inputs = [normal(&[64], 1), normal(&[64], 2)];
    fn uses<'t>(x: V<'t>, y: V<'t>, w: V<'t>) -> V<'t> {
        (y * w + y.sin() + x.exp() * 0.1 + y * x / 3.0 + x * w * 0.7 + y.tanh()).sum()
    }
    // What a segment gives back is a value of its own, as an identity's is.
    let plain = bits::<f64>(&inputs, |_, v| uses(v[0], v[0].identity(), v[1]));
    let checkpointed = bits::<f64>(&inputs, |tape, v| uses(v[0], tape.checkpoint(&[v[0]], |v| v[0]), v[1]));
    assert!(plain == checkpointed);
}

#[track_caller]
fn assert_near(a: V<'_>, b: V<'_>) {
    let (a, b) = (a.value().unwrap(), b.value().unwrap());
    assert_eq!(a.shape(), b.shape());
    assert!(b.iter().any(|b| b != 0.0));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} {b}");
    }
}

#[test]
fn second_order_and_forward_mode_pass_through_segments() {
    let tape = Tape::new();
    let (x, v) = (tape.var(&normal(&[3, 3], 1)), tape.constant(&normal(&[3, 3], 2)));
    let w = tape.var(&normal(&[3, 3], 3));
    fn plain<'t>(x: V<'t>, w: V<'t>) -> V<'t> {
        let h = layer(layer(x, w), w);
        (h * x + h.exp()).sum()
    }
    fn checkpointed<'t>(x: V<'t>, w: V<'t>) -> V<'t> {
        let tape = x.tape();
        let h = tape.checkpoint(&[x, w, w], |v| {
            layer(v[0].tape().checkpoint(&[v[0], v[1]], |v| layer(v[0], v[1])), v[2])
        });
        (h * x + h.exp()).sum()
    }
    assert_near(grad(|x| checkpointed(x, w))(x), grad(|x| plain(x, w))(x));
    assert_near(grad(|w| checkpointed(x, w))(w), grad(|w| plain(x, w))(w));
    assert_near(jvp(|x| checkpointed(x, w))(x, v).1, jvp(|x| plain(x, w))(x, v).1);
    assert_near(jvp(|w| checkpointed(x, w))(w, v).1, jvp(|w| plain(x, w))(w, v).1);
    assert_near(hessian(|w| checkpointed(x, w))(w), hessian(|w| plain(x, w))(w));
    assert_near(hvp(|w| checkpointed(x, w))(w, v), hvp(|w| plain(x, w))(w, v));
    assert_near(grad(|w| jvp(|w| checkpointed(x, w))(w, v).1)(w), grad(|w| jvp(|w| plain(x, w))(w, v).1)(w));
    assert_near(
        grad(|w| grad(|w| checkpointed(x, w))(w).square().sum())(w),
        grad(|w| grad(|w| plain(x, w))(w).square().sum())(w),
    );
    // Mixed derivatives, and third order.
    assert_near(
        grad(|x| grad(|w| checkpointed(x, w))(w).square().sum())(x),
        grad(|x| grad(|w| plain(x, w))(w).square().sum())(x),
    );
    assert_near(
        grad(|w| hvp(|w| checkpointed(x, w))(w, v).sum())(w),
        grad(|w| hvp(|w| plain(x, w))(w, v).sum())(w),
    );
    // Sweeps that record nothing.
    let (a, b) = (checkpointed(x, w), plain(x, w));
    let before = tape.len();
    let (a, b) = (tape.jacobian_forward(a, [x, w]).unwrap(), tape.jacobian_forward(b, [x, w]).unwrap());
    assert_eq!(tape.len(), before);
    for (a, b) in a.iter().zip(&b) {
        assert_near(tape.constant(a), tape.constant(b));
    }
}

/// 1, 2, 3, … from call to call, as the last of three elements.
fn restless<'t>(calls: &AtomicUsize, x: V<'t>) -> V<'t> {
    let n = calls.fetch_add(1, Relaxed) as f64 + 1.0;
    x * x.tape().constant(&Tensor::from([[1.0, 1.0], [1.0, n]]))
}

#[test]
fn a_closure_that_is_not_deterministic_is_found_in_every_sweep() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[1.0, 1.0], [1.0, 3.0]]));
    let calls = Arc::new(AtomicUsize::new(0));
    let line = line!() + 1;
    let y = tape.checkpoint(&[x], move |v| restless(&calls, v[0]));
    let one = Tensor::ones([2, 2]).unwrap();
    let sweeps: [&dyn Fn() -> Error; 5] = [
        &|| y.sum().backward().unwrap_err(),
        &|| tape.grad(y.sum(), [x]).unwrap_err(),
        &|| tape.vjp(y, &one, [x]).unwrap_err(),
        &|| tape.jvp(y, [(x, &one)]).unwrap_err(),
        &|| tape.jacobian_forward(y.sum(), [x]).unwrap_err(),
    ];
    for (i, sweep) in sweeps.into_iter().enumerate() {
        let error = sweep();
        let again = 3.0 * (i as f64 + 2.0);
        let ErrorKind::NonDeterministic { what, index, first, second: found } = error.kind() else {
            panic!("{error}")
        };
        assert_eq!((&what[..], &index[..], *first), ("value", &[1, 1][..], 3.0));
        // A Jacobian's sweeps run the closure several times.
        assert!(*found == again || i == 4, "{error}");
        assert_eq!(error.operation(), Some("checkpoint"));
        assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
    }
    // Of another shape; and 0 is not −0.
    let calls = AtomicUsize::new(1);
    let y = tape.checkpoint(&[x], move |v| v[0].sum().expand([calls.fetch_add(1, Relaxed)]));
    let what = "the value when run again".into();
    assert_eq!(kind(y.sum().backward()), ErrorKind::Shape { what, found: vec![2], wanted: vec![1] });
    let calls = AtomicUsize::new(0);
    let y = tape.checkpoint(&[x], move |v| v[0].sum() * [0.0, -0.0][calls.fetch_add(1, Relaxed) % 2]);
    let wanted =
        ErrorKind::NonDeterministic { what: "value".into(), index: vec![], first: 0.0, second: -0.0 };
    assert_eq!(kind(y.backward()), wanted);
    // NaN is NaN, whichever.
    let calls = AtomicUsize::new(0);
    let y = tape.checkpoint(&[x], move |v| v[0] * [f64::NAN, -f64::NAN][calls.fetch_add(1, Relaxed) % 2]);
    assert!(y.sum().backward().unwrap().wrt(x).unwrap().iter().all(f64::is_nan));
}

#[test]
fn errors_and_panics_inside_a_closure() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let line = line!() + 1;
    let y = tape.checkpoint(&[x], |v| v[0].reshape([3]).sum());
    let error = y.backward().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::ElementCount { shape: vec![3], wanted: 3, found: 2 });
    assert_eq!((error.operation(), error.location().unwrap().line()), (Some("reshape"), line));
    // Only when it is run again.
    let calls = AtomicUsize::new(0);
    let y = tape.checkpoint(&[x], move |v| v[0].reshape([2 + calls.fetch_add(1, Relaxed)]).sum());
    assert_eq!(kind(y.backward()), ErrorKind::ElementCount { shape: vec![3], wanted: 3, found: 2 });
    // A variable of another tape.
    let line = line!() + 1;
    let y = tape.checkpoint(&[x], |_| Box::leak(Box::new(Tape::new())).scalar(1.0));
    let error = y.backward().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::MixedTapes);
    assert_eq!((error.operation(), error.location().unwrap().line()), (Some("checkpoint"), line));
    // An errored input.
    let y = tape.checkpoint(&[x, x.reshape([7])], |v| v[0] * v[1]);
    assert_eq!(kind(y.value()), ErrorKind::ElementCount { shape: vec![7], wanted: 7, found: 2 });
    // A panic, at first or later, leaves the tape as it was.
    let panics = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
    let before = tape.len();
    assert!(panics(&|| drop(tape.checkpoint(&[x], |_| panic!("the closure panics")).value())));
    assert_eq!(tape.len(), before);
    let calls = AtomicUsize::new(0);
    let y = tape.checkpoint(&[x], move |v| {
        assert!(calls.fetch_add(1, Relaxed) == 0, "the closure panics when run again");
        v[0].sum()
    });
    assert!(panics(&|| drop(y.backward())));
    assert!(panics(&|| drop(tape.vjp(y, 1.0, [x]))));
    assert!(panics(&|| drop(tape.jvp(y, [(x, &Tensor::from([1.0, 1.0]))]))));
    assert!(panics(&|| drop(tape.jacobian_forward(y, [x]))));
    let z = tape.checkpoint(&[x], |v| (v[0] * v[0]).sum());
    assert_eq!(z.backward().unwrap().wrt(x).unwrap().to_vec(), [2.0, 4.0]);
    assert_eq!(tape.vjp(z, 1.0, [x]).unwrap()[0].value().unwrap().to_vec(), [2.0, 4.0]);
}

#[test]
fn a_segment_runs_once_more_in_each_sweep_and_not_for_what_it_does_not_lead_to() {
    let tape = Tape::<f64>::new();
    let (x, w) = (tape.var(&Tensor::scalar(2.0)), tape.var(&Tensor::scalar(3.0)));
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let y = tape.checkpoint(&[x], move |v| {
        count.fetch_add(1, Relaxed);
        v[0].sin()
    });
    assert_eq!(calls.load(Relaxed), 1);
    (y * y * w).backward().unwrap();
    assert_eq!(calls.load(Relaxed), 2);
    tape.grad(y * w, [w]).unwrap();
    tape.vjp(y * w, 1.0, [w]).unwrap();
    (w * w).backward().unwrap();
    assert_eq!(calls.load(Relaxed), 2, "what was asked for lies elsewhere");
}
