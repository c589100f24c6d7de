//! Hooks and names.

use retrograde::transform::{grad, hvp};
use retrograde::{Error, ErrorKind, Operation, Outputs, Parts, Result, Tape, Tensor, Var};
use std::sync::{Arc, Mutex};

type V<'t> = Var<'t, f64>;

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

/// A list that hooks write to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Vec<f64>>>>);

impl Log {
    fn hook(&self) -> impl for<'s> Fn(V<'s>) -> V<'s> + Send + Sync + 'static {
        let log = self.0.clone();
        move |g| {
            log.lock().unwrap().push(g.value().unwrap().to_vec());
            g
        }
    }
    fn take(&self) -> Vec<Vec<f64>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[test]
fn a_hook_sees_the_sum_of_all_contributions_once_in_every_reverse_sweep() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let h = x * x;
    let y = (h * 3.0 + h * h + h.exp() * 0.0).sum() + h.sum();
    let log = Log::default();
    h.hook(log.hook()).unwrap();
    // 3 + 2h + 1
    let once = vec![vec![6.0, 12.0]];
    let one = Tensor::scalar(1.0);
    y.backward().unwrap();
    assert_eq!(log.take(), once);
    y.backward_with(&one).unwrap();
    assert_eq!(log.take(), once);
    tape.backward_many([(y, &one)]).unwrap();
    assert_eq!(log.take(), once);
    tape.grad(y, [x]).unwrap();
    assert_eq!(log.take(), once);
    tape.grad_with(y, &one, &[h]).unwrap();
    assert_eq!(log.take(), once);
    tape.vjp(y, &one, [x]).unwrap();
    assert_eq!(log.take(), once);
    tape.vjp_many(&[(y, &one)], &[h]).unwrap();
    assert_eq!(log.take(), once);
    tape.jacobian_reverse(y, [x]).unwrap();
    assert_eq!(log.take(), once);
    tape.jacobian(y, [x]).unwrap();
    assert_eq!(log.take(), once);
    // Not in forward mode, and not where no cotangent arrives.
    tape.jvp(y, [(x, &Tensor::from([1.0, 1.0]))]).unwrap();
    tape.jacobian_forward(y, [x]).unwrap();
    x.sum().backward().unwrap();
    tape.grad((x * 2.0).sum(), [x]).unwrap();
    assert_eq!(log.take(), Vec::<Vec<f64>>::new());
}

#[test]
fn hooks_replace_in_order_at_leaves_intermediate_values_and_the_output() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let h = x * x;
    let y = h * 2.0;
    let one = Tensor::scalar(1.0);
    let all = |wanted: [f64; 3]| {
        assert_eq!(tape.grad(y, [y, h, x]).unwrap().map(|g| g.item().unwrap()), wanted);
        assert_eq!(tape.vjp(y, &one, [y, h, x]).unwrap().map(|g| g.item().unwrap()), wanted);
        assert_eq!(tape.jacobian_reverse(y, [y, h, x]).unwrap().map(|g| g.item().unwrap()), wanted);
        assert_eq!(y.backward().unwrap().wrt(x).unwrap().item().unwrap(), wanted[2]);
    };
    all([1.0, 2.0, 12.0]);
    let at_y = y.hook(|g| g + 1.0).unwrap();
    all([2.0, 4.0, 24.0]);
    let times = h.hook(|g| g * 10.0).unwrap();
    all([2.0, 40.0, 240.0]);
    let plus = h.hook(|g| g + 1.0).unwrap();
    all([2.0, 41.0, 246.0]);
    let at_x = x.hook(|g| -g).unwrap();
    all([2.0, 41.0, -246.0]);
    // Off again, in any order; a second time it is not there.
    assert!(tape.unhook(times));
    assert!(!tape.unhook(times));
    all([2.0, 5.0, -30.0]);
    let again = h.hook(|g| g * 10.0).unwrap();
    all([2.0, 50.0, -300.0]);
    assert!(again != times && again != plus);
    for id in [at_y, plus, at_x, again] {
        assert!(tape.unhook(id));
    }
    all([1.0, 2.0, 12.0]);
}

#[test]
fn a_recorded_sweep_is_differentiated_through_the_replacement() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(2.0));
    let y = x * x * x;
    x.hook(|g| g * g).unwrap();
    // g = (3x²)² = 9x⁴, whose derivative is 36x³; the hook at x then squares that cotangent too.
    let [g] = tape.vjp(y, 1.0, [x]).unwrap();
    assert_eq!(g.item().unwrap(), 144.0);
    assert_eq!(tape.jvp(g, [(x, &Tensor::scalar(1.0))]).unwrap().item().unwrap(), 288.0);
    assert_eq!(tape.grad(g, [x]).unwrap()[0].item().unwrap(), 288.0 * 288.0);
    // Clipping: the derivative of a clipped cotangent is zero.
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 10.0]));
    let h = x * 1.0;
    h.hook(|g| g.clamp(-5.0, 5.0)).unwrap();
    let [g] = tape.vjp((h * h).sum(), 1.0, [x]).unwrap();
    assert_eq!(g.value().unwrap().to_vec(), [2.0, 5.0]);
    let dg = tape.jvp(g, [(x, &Tensor::from([1.0, 1.0]))]).unwrap();
    assert_eq!(dg.value().unwrap().to_vec(), [2.0, 0.0]);
    // Set within a function that is transformed.
    let hooked = |x: V<'_>| x.hook(|g| g * 3.0).unwrap();
    let v = tape.scalar(2.0);
    let g = grad(|x| {
        hooked(x);
        x * x
    })(v);
    assert_eq!(g.item().unwrap(), 12.0);
    let h = hvp(|x| {
        hooked(x);
        x * x
    })(v, tape.scalar(1.0));
    assert_eq!(h.item().unwrap(), 6.0);
}

/// (2x, 3x).
struct Pair;

impl Operation<f64> for Pair {
    fn name(&self) -> &'static str {
        "pair"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([x[0].map(|x| 2.0 * x)?, x[0].map(|x| 3.0 * x)?].into_iter().collect())
    }
    fn vjp<'t>(&self, at: &retrograde::At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.one(at.g(0) * 2.0 + at.g(1) * 3.0)
    }
}

#[test]
fn hooks_on_each_output_of_an_operation() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(1.0));
    let made = tape.apply_many(Pair, &[x], 2);
    let (a, b) = (made[0], made[1]);
    let (first, second) = (Log::default(), Log::default());
    a.hook(first.hook()).unwrap();
    b.hook(second.hook()).unwrap();
    b.hook(|g| g * 10.0).unwrap();
    let one = Tensor::scalar(1.0);
    let sweeps = |y: V<'_>| {
        let [g] = tape.grad(y, [x]).unwrap().map(|g| g.item().unwrap());
        assert_eq!(tape.vjp(y, &one, [x]).unwrap()[0].item().unwrap(), g);
        assert_eq!(tape.jacobian_reverse(y, [x]).unwrap()[0].item().unwrap(), g);
        g
    };
    // a b = 6x²: cotangents 3 and 2, of which the second goes on tenfold.
    assert_eq!(sweeps(a * b), 3.0 * 2.0 + 20.0 * 3.0);
    assert_eq!((first.take(), second.take()), (vec![vec![3.0]; 3], vec![vec![2.0]; 3]));
    // One output alone: the other's hook has nothing to see.
    assert_eq!(sweeps(b * 1.0), 30.0);
    assert_eq!((first.take(), second.take()), (vec![], vec![vec![1.0]; 3]));
    assert_eq!(sweeps(a * 1.0), 2.0);
    assert_eq!((first.take(), second.take()), (vec![vec![1.0]; 3], vec![]));
    // The replaced one is what is asked for.
    assert_eq!(tape.grad(a * b, [b, a]).unwrap().map(|g| g.item().unwrap()), [20.0, 3.0]);
    assert_eq!(tape.vjp(a * b, 1.0, [b, a]).unwrap().map(|g| g.item().unwrap()), [20.0, 3.0]);
}

#[test]
fn hooks_at_the_ends_of_a_checkpoint() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(2.0));
    let y = tape.checkpoint(&[x], |v| v[0] * v[0]);
    let log = Log::default();
    x.hook(log.hook()).unwrap();
    y.hook(|g| g * 10.0).unwrap();
    let z = y * 3.0 + x;
    assert_eq!(z.backward().unwrap().wrt(x).unwrap().item().unwrap(), 121.0);
    assert_eq!(tape.vjp(z, 1.0, [x]).unwrap()[0].item().unwrap(), 121.0);
    assert_eq!(log.take(), vec![vec![121.0]; 2], "whole, once a sweep");
}

#[test]
fn hooks_and_names_go_with_a_tape_large_enough_for_the_thread_pool() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::ones([400, 500]).unwrap()).name("large");
    let h = (x * 2.0).name("twice");
    let log = Log::default();
    let y = h.mean();
    y.hook(log.hook()).unwrap();
    h.hook(|g| g * 10.0).unwrap();
    let wanted = 10.0 * 2.0 / 200_000.0;
    let all = |g: &Tensor<f64>| g.len() == 200_000 && g.iter().all(|g| (g - wanted).abs() < 1e-18);
    assert!(all(y.backward().unwrap().wrt(x).unwrap()));
    assert!(all(&tape.grad(y, [x]).unwrap()[0]));
    assert!(all(&tape.vjp(y, 1.0, [x]).unwrap()[0].value().unwrap()));
    assert!(all(&tape.jacobian_reverse(y, [x]).unwrap()[0]));
    assert_eq!(log.take(), vec![vec![1.0]; 4]);
    assert_eq!((x.label().as_deref(), h.label().as_deref()), (Some("large"), Some("twice")));
    let found = (h / 0.0).name("infinite").sum().find_non_finite().unwrap().unwrap();
    assert_eq!((found.operation, found.label.as_deref()), ("div", Some("infinite")));
}

#[test]
fn what_a_hook_may_not_do_is_named_with_the_line_that_made_it() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let first = line!() + 2;
    let hooks: [fn(V<'_>) -> Result<retrograde::HookId>; 3] = [
        |h| h.hook(|g| g.sum()),
        |h| h.hook(|_| Box::leak(Box::new(Tape::new())).constant(&Tensor::from([1.0, 2.0]))),
        |h| h.hook(|g| g.reshape([7])),
    ];
    let what = "the cotangent from a hook".into();
    let wanted = [
        ("hook", ErrorKind::Shape { what, found: vec![], wanted: vec![2] }),
        ("hook", ErrorKind::MixedTapes),
        ("reshape", ErrorKind::ElementCount { shape: vec![7], wanted: 7, found: 2 }),
    ];
    for (i, (hook, (name, wanted))) in hooks.into_iter().zip(wanted).enumerate() {
        let h = x * 2.0;
        let id = hook(h).unwrap();
        let y = h.sum();
        for error in [
            y.backward().unwrap_err(),
            tape.grad(y, [x]).unwrap_err(),
            tape.vjp(y, 1.0, [x]).unwrap_err(),
            tape.jacobian_reverse(y, [x]).unwrap_err(),
            y.find_non_finite().unwrap_err(),
        ] {
            assert_eq!(error.kind(), &wanted);
            assert_eq!(error.operation(), Some(name), "{error}");
            let location = error.location().unwrap();
            assert_eq!((location.file(), location.line()), (file!(), first + i as u32), "{error}");
        }
        tape.unhook(id);
        assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [2.0, 2.0]);
    }
    // On what has no cotangent.
    let line = line!() + 1;
    let error = tape.constant(&Tensor::scalar(1.0)).hook(|g| g).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoGradient { .. }));
    assert_eq!((error.operation(), error.location().unwrap().line()), (Some("hook"), line));
    assert!(matches!(kind(x.detach().hook(|g| g)), ErrorKind::NoGradient { .. }));
    assert!(matches!(kind(x.reshape([7]).hook(|g| g)), ErrorKind::ElementCount { .. }));
}

#[test]
fn a_hook_that_panics_leaves_the_tape_usable() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(2.0));
    let h = x * x;
    let id = h.hook(|_| panic!("the hook panics")).unwrap();
    let sweep = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
    assert!(sweep(&|| drop(h.backward())));
    assert!(sweep(&|| drop(tape.vjp(h, 1.0, [x]))));
    assert!(sweep(&|| drop(tape.jacobian_reverse(h, [x]))));
    assert!(tape.unhook(id));
    assert_eq!(h.backward().unwrap().wrt(x).unwrap().item().unwrap(), 4.0);
    assert_eq!(tape.vjp(h, 1.0, [x]).unwrap()[0].item().unwrap(), 4.0);
}

#[test]
fn clearing_takes_hooks_and_names_off() {
    let mut tape = Tape::<f64>::new();
    let old = {
        let x = tape.var(&Tensor::scalar(3.0)).name("old");
        x.hook(|g| g * 100.0).unwrap()
    };
    tape.clear();
    let x = tape.var(&Tensor::scalar(3.0));
    assert_eq!(x.label(), None);
    assert_eq!((x * x).backward().unwrap().wrt(x).unwrap().item().unwrap(), 6.0);
    let new = x.hook(|g| g * 2.0).unwrap();
    assert_ne!(old, new);
    assert!(!tape.unhook(old), "a number is not given twice");
    assert_eq!((x * x).backward().unwrap().wrt(x).unwrap().item().unwrap(), 12.0);
    assert!(tape.unhook(new));
}

#[test]
fn a_hook_of_another_tape_is_not_taken_off() {
    let (one, two) = (Tape::<f64>::new(), Tape::<f64>::new());
    let (x, y) = (one.var(&Tensor::scalar(1.0)), two.var(&Tensor::scalar(1.0)));
    let id = x.hook(|g| g * 2.0).unwrap();
    y.hook(|g| g * 3.0).unwrap();
    assert!(!two.unhook(id));
    assert_eq!((y * y).backward().unwrap().wrt(y).unwrap().item().unwrap(), 6.0);
}

#[test]
fn names_stand_in_printouts_and_errors() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0])).name("positions");
    let w = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let h = x.sin().name("hidden \"h\"");
    assert_eq!(x.label().as_deref(), Some("positions"));
    assert_eq!((w.label(), h.label().as_deref()), (None, Some("hidden \"h\"")));
    let line = line!() + 1;
    let wrong = h + w;
    let text = tape.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("%0 = var \"positions\""), "{text}");
    assert!(lines[1].starts_with("%1 = var") && !lines[1].contains('"'), "{text}");
    assert!(lines[2].starts_with("%2 = sin \"hidden \\\"h\\\"\" %0"), "{text}");
    let wanted =
        format!("add of \"hidden \\\"h\\\"\": shapes [2] and [3] do not broadcast, at {}:{line}:17", file!());
    assert_eq!(wrong.backward().unwrap_err().to_string(), wanted);
    assert!(lines[3].contains(&wanted), "{text}");
    // Of both; an operation on what is errored already says what it was at first.
    w.name("weights");
    let error = (x * w).value().unwrap_err().to_string();
    assert!(error.starts_with("mul of \"positions\", \"weights\": shapes"), "{error}");
    assert_eq!((wrong * x).sum().value().unwrap_err().to_string(), wanted);
    // In a sweep: the node whose rule failed.
    let bad = tape.record("bad", &[x], |x| Ok(x[0].clone()), |at| at.one(at.g(0).sum())).name("culprit");
    for error in [bad.sum().backward().unwrap_err(), tape.vjp(bad.sum(), 1.0, [x]).unwrap_err()] {
        assert!(
            error.to_string().starts_with("bad of \"culprit\": the cotangent of input 0 has shape []"),
            "{error}"
        );
    }
    // The last name given counts, and the name is that of one value.
    let h = h.name("renamed");
    assert_eq!((h.label().as_deref(), (h * 1.0).label()), (Some("renamed"), None));
}
