//! Rules that sweep in turn, and operations of several outputs.

use retrograde::transform::{grad, hessian, hvp, jvp};
use retrograde::{At, Error, ErrorKind, Operation, Outputs, Parts, Result, Tape, Tensor, Var};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

type V<'t> = Var<'t, f64>;

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

/// sin x, whose rule differentiates `Var::sin`.
fn sine<'t>(x: V<'t>) -> V<'t> {
    x.tape().record(
        "sine",
        &[x],
        |x| x[0].map(f64::sin),
        |at| at.one(at.g(0) * grad(|x| x.sin().sum())(at.x(0))),
    )
}

#[test]
fn a_rule_may_sweep_the_tape_that_it_stands_on() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(0.5));
    let one = tape.scalar(1.0);
    let (s, c) = 0.5f64.sin_cos();
    assert_eq!(sine(x).backward().unwrap().wrt(x).unwrap().item().unwrap(), c);
    for (found, wanted) in [
        (grad(sine)(x), c),
        (jvp(sine)(x, one).1, c),
        (grad(grad(sine))(x), -s),
        (jvp(grad(sine))(x, one).1, -s),
        (hessian(sine)(x), -s),
        (grad(grad(grad(sine)))(x), -c),
    ] {
        assert!((found.item().unwrap() - wanted).abs() < 1e-15);
    }
}

/// A rule for y = (x, x) that sweeps from its own output, in the way it is told.
#[derive(Clone, Copy, Debug)]
enum Way {
    Vjp,
    Grad,
    Jvp,
    Reverse,
    Forward,
    Fewer,
    Batch,
}

struct Circular(Way);

impl Operation<f64> for Circular {
    fn name(&self) -> &'static str {
        "circular"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([Tensor::stack(&[x[0], x[0]], -1)?].into_iter().collect())
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        let (x, y) = (at.x(0), at.y(0));
        let tape = x.tape();
        let found = match self.0 {
            Way::Vjp => tape.vjp(y, at.g(0), [x])?[0],
            Way::Grad => tape.constant(&tape.grad(y.sum(), [x])?[0]),
            Way::Jvp => tape.jvp(y, [(x, &x.value()?)])?.sum_axes(-1),
            Way::Reverse => tape.constant(&tape.jacobian_reverse(y, [x])?[0]).sum_axes([0, 1]),
            Way::Forward => tape.constant(&tape.jacobian_forward(y, [x])?[0]).sum_axes([0, 1]),
            Way::Fewer => tape.constant(&tape.jacobian(y, [x])?[0]).sum_axes([0, 1]),
            Way::Batch => tape.constant(&tape.batch_jacobian(y, x)?).sum_axes(1),
        };
        at.one(found)
    }
}

#[test]
fn a_rule_that_sweeps_through_its_own_node_is_found_out_in_every_way() {
    for way in [Way::Vjp, Way::Grad, Way::Jvp, Way::Reverse, Way::Forward, Way::Fewer, Way::Batch] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0, 2.0]));
        let line = line!() + 1;
        let y = tape.apply(Circular(way), &[x]);
        let found = tape.vjp(y.sum(), 1.0, [x]).map(|[g]| g.value());
        let Err(error) = found else { panic!("{way:?}: {found:?} in place of an error") };
        assert_eq!(error.kind(), &ErrorKind::Reentrant, "{way:?}: {error}");
        assert_eq!(error.operation(), Some("circular"), "{way:?}");
        assert_eq!(error.location().unwrap().line(), line, "{way:?}");
        // The tape is none the worse.
        assert_eq!(tape.grad((x * x).sum(), [x]).unwrap()[0].to_vec(), [2.0, 4.0]);
    }
}

/// (x + y, x y, x/y), by a rule in reverse alone.
#[derive(Default)]
struct Three {
    calls: Arc<AtomicUsize>,
}

impl Operation<f64> for Three {
    fn name(&self) -> &'static str {
        "three"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([x[0].try_add(x[1])?, x[0].try_mul(x[1])?, x[0].try_div(x[1])?].into_iter().collect())
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        self.calls.fetch_add(1, Relaxed);
        assert_eq!((at.inputs(), at.outputs()), (2, 3));
        let (x, y) = (at.x(0), at.x(1));
        at.each(|i| match i {
            0 => at.g(0) + at.g(1) * y + at.g(2) / y,
            _ => at.g(0) + at.g(1) * x - at.g(2) * at.y(2) / y,
        })
    }
}

/// The same with a rule for forward mode.
struct Both;

impl Operation<f64> for Both {
    fn name(&self) -> &'static str {
        "both"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Three::default().forward(x)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        Three::default().vjp(at)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        let (x, y) = (at.x(0), at.x(1));
        let by_x = |dx: V<'t>| [dx, dx * y, dx / y];
        let by_y = |dy: V<'t>| [dy, dy * x, -dy * at.y(2) / y];
        let parts = match (at.dx(0).map(by_x), at.dx(1).map(by_y)) {
            (Some(a), Some(b)) => [0, 1, 2].map(|j| a[j] + b[j]),
            (Some(parts), None) | (None, Some(parts)) => parts,
            (None, None) => return Ok([None; 3].into_iter().collect()),
        };
        Ok(parts.into_iter().map(Some).collect())
    }
}

fn three<'t>(x: V<'t>, y: V<'t>, both: bool) -> [V<'t>; 3] {
    let tape = x.tape();
    let made =
        if both { tape.apply_many(Both, &[x, y], 3) } else { tape.apply_many(Three::default(), &[x, y], 3) };
    [made[0], made[1], made[2]]
}

#[test]
fn several_outputs_at_two_orders_in_both_modes() {
    let tape = Tape::new();
    let (x, y) = (3.0, 2.0);
    let (vx, vy) = (tape.var(&Tensor::scalar(x)), tape.var(&Tensor::scalar(y)));
    let one = tape.scalar(1.0);
    let close = |found: V<'_>, wanted: f64| {
        let found = found.item().unwrap();
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    };
    for both in [false, true] {
        // (x + y)(x y)(x/y) = x³ + x²y
        let f = |v: V<'_>, w: V<'_>| {
            let [a, b, c] = three(v, w, both);
            (a * b * c).item().unwrap()
        };
        assert!((f(vx, vy) - 45.0).abs() < 1e-12);
        macro_rules! f {
            ($x:expr, $y:expr) => {{
                let [a, b, c] = three($x, $y, both);
                a * b * c
            }};
        }
        close(grad(|x| f!(x, vy))(vx), 3.0 * x * x + 2.0 * x * y);
        close(grad(|y| f!(vx, y))(vy), x * x);
        close(jvp(|x| f!(x, vy))(vx, one).1, 3.0 * x * x + 2.0 * x * y);
        close(jvp(|y| f!(vx, y))(vy, one).1, x * x);
        close(hessian(|x| f!(x, vy))(vx), 6.0 * x + 2.0 * y);
        close(hvp(|x| f!(x, vy))(vx, one), 6.0 * x + 2.0 * y);
        close(jvp(|x| jvp(|x| f!(x, vy))(x, one).1)(vx, one).1, 6.0 * x + 2.0 * y);
        close(grad(|x| jvp(|x| f!(x, vy))(x, one).1)(vx), 6.0 * x + 2.0 * y);
        close(grad(|x| grad(|y| f!(x, y))(vy))(vx), 2.0 * x);
        close(jvp(|y| grad(|x| f!(x, y))(vx))(vy, one).1, 2.0 * x);
        close(hessian(|y| f!(vx, y))(vy), 0.0);
        // Each output by itself; the others get no cotangent.
        for (j, (by_x, by_y)) in [(1.0, 1.0), (y, x), (1.0 / y, -x / (y * y))].into_iter().enumerate() {
            let out = three(vx, vy, both)[j];
            let grads = out.backward().unwrap();
            assert_eq!(grads.wrt(vx).unwrap().item().unwrap(), by_x);
            assert_eq!(grads.wrt(vy).unwrap().item().unwrap(), by_y);
            let [gx, gy] = tape.vjp(out, 1.0, [vx, vy]).unwrap();
            close(gx, by_x);
            close(gy, by_y);
            close(tape.jvp(out, [(vx, one)]).unwrap(), by_x);
            close(tape.jvp(out, [(vy, one)]).unwrap(), by_y);
            let [jx, jy] = tape.jacobian_forward(out, [vx, vy]).unwrap().map(|j| j.item().unwrap());
            assert!((jx - by_x).abs() < 1e-15 && (jy - by_y).abs() < 1e-15);
        }
    }
}

#[test]
fn outputs_are_asked_for_and_seeded_like_any_other_node() {
    let tape = Tape::new();
    let (x, y) = (tape.var(&Tensor::scalar(3.0)), tape.var(&Tensor::scalar(2.0)));
    let one = Tensor::scalar(1.0);
    let calls = Arc::new(AtomicUsize::new(0));
    let made = tape.apply_many(Three { calls: calls.clone() }, &[x, y], 3);
    let (a, b, c) = (made[0], made[1], made[2]);
    let z = a * b * c;
    let all = [a, b, c, x, y];
    let wanted = [9.0, 7.5, 30.0, 27.0 + 12.0, 9.0];
    let found = tape.grad(z, all).unwrap().map(|g| g.item().unwrap());
    assert_eq!(found, wanted);
    assert_eq!(calls.load(Relaxed), 1, "one call of the rule in a sweep");
    let found = tape.vjp(z, &one, all).unwrap().map(|g| g.item().unwrap());
    assert_eq!(found, wanted);
    assert_eq!(calls.load(Relaxed), 2);
    // Of outputs alone nothing is asked of the rule.
    assert_eq!(tape.grad(z, [c, a]).unwrap().map(|g| g.item().unwrap()), [30.0, 9.0]);
    let [gb] = tape.vjp(z, &one, [b]).unwrap();
    assert_eq!(gb.item().unwrap(), 7.5);
    // Seeds at all outputs at once: Σ by x is 1 + y + 1/y, by y 1 + x − x/y².
    let seeds = [(c, &one), (a, &one), (b, &one)];
    let found: Vec<f64> = tape.vjp_many(&seeds, &[x, y]).unwrap().iter().map(|g| g.item().unwrap()).collect();
    assert_eq!(found, [3.5, 3.25]);
    let found: Vec<f64> =
        tape.grad_many(&seeds, &[x, y]).unwrap().iter().map(|g| g.item().unwrap()).collect();
    assert_eq!(found, [3.5, 3.25]);
    let grads = tape.backward_many(seeds).unwrap();
    assert_eq!(grads.wrt(y).unwrap().item().unwrap(), 3.25);
    // Directions at outputs: z by b is a c.
    assert_eq!(tape.jvp(z, [(b, &one)]).unwrap().item().unwrap(), 7.5);
    assert_eq!(tape.jvp(z, [(c, &one), (a, &one)]).unwrap().item().unwrap(), 39.0);
    assert_eq!(tape.jacobian_forward(z, [c]).unwrap()[0].item().unwrap(), 30.0);
    let found = tape.jvp_many(&[a, b, c, z], [(x, &one)]).unwrap();
    assert_eq!(found.iter().map(|d| d.item().unwrap()).collect::<Vec<_>>(), [1.0, 2.0, 0.5, 39.0]);
}

/// x, without any rule.
struct Bare;

impl Operation<f64> for Bare {
    fn name(&self) -> &'static str {
        "bare"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([x[0].clone()].into_iter().collect())
    }
}

#[test]
fn a_missing_rule_is_an_error_in_every_mode() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let y = tape.apply(Bare, &[x]);
    let one = Tensor::scalar(1.0);
    assert_eq!(kind(y.backward()), ErrorKind::NoRule { mode: "reverse mode" });
    assert_eq!(kind(tape.vjp(y, &one, [x])), ErrorKind::NoRule { mode: "reverse mode" });
    assert_eq!(kind(tape.jacobian(y, [x])), ErrorKind::NoRule { mode: "reverse mode" });
    assert_eq!(kind(tape.jvp(y, [(x, &one)])), ErrorKind::NoRule { mode: "forward mode" });
    assert_eq!(kind(tape.jacobian_forward(y, [x])), ErrorKind::NoRule { mode: "forward mode" });
}

#[test]
fn outputs_of_one_operation_do_not_depend_on_each_other() {
    // z depends on the first output by its square, on the second through an operation without rules: the derivative
    // by the first does not pass there.
    let tape = Tape::new();
    let (x, y) = (tape.var(&Tensor::scalar(3.0)), tape.var(&Tensor::scalar(2.0)));
    let [a, b, _] = three(x, y, true);
    let z = a * a + tape.apply(Bare, &[b]);
    let one = Tensor::scalar(1.0);
    assert_eq!(tape.jvp(z, [(a, &one)]).unwrap().item().unwrap(), 10.0);
    assert_eq!(tape.grad(z, [a]).unwrap()[0].item().unwrap(), 10.0);
    assert_eq!(tape.vjp(z, &one, [a]).unwrap()[0].item().unwrap(), 10.0);
}

/// x, 2x, 3x, …: as many as it is told.
struct Multiples(usize);

impl Operation<f64> for Multiples {
    fn name(&self) -> &'static str {
        "multiples"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        (1..=self.0).map(|k| x[0].map(|x| x * k as f64)).collect()
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.one(at.g(at.outputs().saturating_sub(1)) * at.outputs() as f64)
    }
}

#[test]
fn more_outputs_than_16_bits_count_are_differentiated_or_refused() {
    for n in [65_535, 65_537, 65_536] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::scalar(1.0));
        let last = tape.apply_many(Multiples(n), &[x], n)[n - 1];
        match last.backward() {
            Ok(grads) => assert_eq!(grads.wrt(x).unwrap().item().unwrap(), n as f64),
            Err(error) => assert_eq!(error.operation(), Some("multiples"), "{error}"),
        }
    }
}
