//! Jacobians: both modes against each other and closed forms, in parallel as in series.

use retrograde::{
    At, Error, ErrorKind, Generator, Operation, Outputs, Parts, Result, Tape, Tensor, Var, functional, one,
    transform,
};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

type V<'t> = Var<'t, f64>;

fn kind<X: std::fmt::Debug>(result: Result<X, Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

#[track_caller]
fn assert_near(a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a} {b}");
    }
}

/// By each mode, which must agree; gives one of them.
#[track_caller]
fn both<'t, const N: usize>(y: V<'t>, x: [V<'t>; N]) -> [Tensor<f64>; N] {
    let tape = y.tape();
    let before = tape.len();
    let (forward, reverse) = (tape.jacobian_forward(y, x).unwrap(), tape.jacobian_reverse(y, x).unwrap());
    let fewer = tape.jacobian(y, x).unwrap();
    assert_eq!(tape.len(), before, "the sweeps record nothing");
    for i in 0..N {
        assert_eq!(forward[i].shape(), [&y.shape()[..], &x[i].shape()].concat());
        assert_near(&forward[i], &reverse[i], 1e-13);
        assert_near(&fewer[i], &reverse[i], 1e-13);
    }
    reverse
}

#[test]
fn jacobians_are_the_closed_forms() {
    let tape = Tape::new();
    let (a, x) = (normal(&[4, 3], 1), normal(&[3], 2));
    let (va, vx) = (tape.var(&a), tape.var(&x));
    let [by_a, by_x] = both(va.matmul(vx), [va, vx]);
    assert_near(&by_x, &a, 1e-15);
    // ∂yᵢ/∂Aⱼₖ = δᵢⱼ xₖ
    let closed = |at: &[usize]| if at[0] == at[1] { x.get([at[2]]).unwrap() } else { 0.0 };
    assert_near(&by_a, &Tensor::from_fn([4, 4, 3], closed).unwrap(), 1e-15);
    // Softmax: yᵢ (δᵢⱼ − yⱼ), within each row.
    let s = vx.softmax(-1);
    let y = s.value().unwrap();
    let y = |i: usize| y.get([i]).unwrap();
    let closed = |at: &[usize]| y(at[0]) * (f64::from(u8::from(at[0] == at[1])) - y(at[1]));
    let [j] = both(s, [vx]);
    assert_near(&j, &Tensor::from_fn([3, 3], closed).unwrap(), 1e-15);
    // Rank 2 by rank 2: the transpose is a permutation.
    let [j] = both(va.t(), [va]);
    let closed = |at: &[usize]| f64::from(u8::from(at[0] == at[3] && at[1] == at[2]));
    assert_eq!(j, Tensor::from_fn([3, 4, 4, 3], closed).unwrap());
}

#[test]
fn rank_0_empty_and_untouched() {
    let tape = Tape::<f64>::new();
    let (s, x) = (tape.var(&Tensor::scalar(3.0)), tape.var(&Tensor::from([1.0, 2.0])));
    let empty = tape.var(&Tensor::zeros([2, 0]).unwrap());
    let [j] = both(s * s, [s]);
    assert_eq!((j.shape(), j.item().unwrap()), (&[][..], 6.0));
    let [js, jx, je] = both(x * s, [s, x, empty]);
    assert_eq!((js.shape(), js.to_vec()), (&[2][..], vec![1.0, 2.0]));
    assert_eq!((jx.shape(), jx.to_vec()), (&[2, 2][..], vec![3.0, 0.0, 0.0, 3.0]));
    assert_eq!(je.shape(), [2, 2, 0]);
    let [js, je] = both(empty * s, [s, empty]);
    assert_eq!((js.shape(), je.shape()), (&[2, 0][..], &[2, 0, 2, 0][..]));
    let [js] = both(empty.sum(), [s]);
    assert_eq!((js.shape(), js.item().unwrap()), (&[][..], 0.0));
    // An output before the input, itself the input, a constant, the same input twice, none.
    let late = tape.var(&Tensor::from([1.0, 1.0, 1.0]));
    let [j] = both(x, [late]);
    assert_eq!((j.shape(), j.to_vec()), (&[2, 3][..], vec![0.0; 6]));
    let [a, b] = both(x, [x, x]);
    assert_eq!((a.to_vec(), b.to_vec()), (vec![1.0, 0.0, 0.0, 1.0], vec![1.0, 0.0, 0.0, 1.0]));
    let [j] = both(tape.constant(&Tensor::from([5.0])), [s]);
    assert_eq!((j.shape(), j.to_vec()), (&[1][..], vec![0.0]));
    let [] = both(x, []);
    // By an intermediate value, with the leaf below it beside it.
    let h = x * x;
    let [jh, jx] = both(h * 3.0, [h, x]);
    assert_eq!((jh.to_vec(), jx.to_vec()), (vec![3.0, 0.0, 0.0, 3.0], vec![6.0, 0.0, 0.0, 12.0]));
}

#[test]
fn what_has_no_jacobian_says_so() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (x, c) = (tape.var(&Tensor::from([1.0, 2.0])), tape.constant(&Tensor::from([1.0])));
    let z = other.var(&Tensor::scalar(1.0));
    let line = line!() + 2;
    let found = [
        tape.jacobian(x, [c]),
        tape.jacobian_forward(x, [c]),
        tape.jacobian_reverse(x, [c]),
        tape.batch_jacobian(x, c).map(|j| [j]),
    ];
    let names = ["jacobian", "jacobian_forward", "jacobian_reverse", "batch_jacobian"];
    for (i, (found, name)) in found.into_iter().zip(names).enumerate() {
        let error = found.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NoGradient { .. }), "{error}");
        assert_eq!(error.operation(), Some(name));
        assert_eq!(
            (error.location().unwrap().file(), error.location().unwrap().line()),
            (file!(), line + i as u32)
        );
    }
    assert_eq!(kind(tape.jacobian(x, [z])), ErrorKind::MixedTapes);
    assert_eq!(kind(tape.jacobian_forward(z, [x])), ErrorKind::MixedTapes);
    assert_eq!(kind(tape.jacobian_reverse(z, [x])), ErrorKind::MixedTapes);
    assert_eq!(kind(tape.batch_jacobian(z, x)), ErrorKind::MixedTapes);
    assert!(matches!(kind(tape.jacobian(x.reshape([7]), [x])), ErrorKind::ElementCount { .. }));
}

static REVERSE: AtomicUsize = AtomicUsize::new(0);
static FORWARD: AtomicUsize = AtomicUsize::new(0);

/// y = x in n copies, whose rules count their calls.
struct Counting {
    copies: usize,
}

impl Operation<f64> for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        let shape = [&[self.copies], x[0].shape()].concat();
        x[0].expand(shape).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        REVERSE.fetch_add(1, Relaxed);
        at.one(at.g(0).sum_axes(0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        FORWARD.fetch_add(1, Relaxed);
        let shape = at.y(0).try_shape()?;
        at.sum_of(|_, dx| dx.expand(&shape))
    }
}

#[test]
fn the_mode_with_fewer_sweeps_is_taken() {
    let counts = |f: &dyn Fn()| {
        let before = (REVERSE.load(Relaxed), FORWARD.load(Relaxed));
        f();
        (REVERSE.load(Relaxed) - before.0, FORWARD.load(Relaxed) - before.1)
    };
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let wide = tape.apply(Counting { copies: 2 }, &[x]);
    let same = tape.apply(Counting { copies: 1 }, &[x]);
    let narrow = same.sum();
    let jacobian = |y| drop(tape.jacobian(y, [x]).unwrap());
    assert_eq!(counts(&|| jacobian(wide)), (0, 3), "3 columns, 6 rows");
    assert_eq!(counts(&|| jacobian(same)), (3, 0), "as many rows as columns: reverse");
    assert_eq!(counts(&|| jacobian(narrow)), (1, 0), "one row");
    assert_eq!(counts(&|| drop(tape.jacobian_reverse(wide, [x]).unwrap())), (6, 0));
    assert_eq!(counts(&|| drop(tape.jacobian_forward(narrow, [x]).unwrap())), (0, 3));
    // The recorded layer likewise.
    let recorded = |copies, sum: bool| {
        let j = match sum {
            true => transform::jacobian(|x| tape.apply(Counting { copies }, &[x]).sum())(x),
            false => transform::jacobian(|x| tape.apply(Counting { copies }, &[x]))(x),
        };
        assert!(j.value().is_ok());
    };
    assert_eq!(counts(&|| recorded(2, false)), (0, 3));
    assert_eq!(counts(&|| recorded(1, false)), (3, 0));
    assert_eq!(counts(&|| recorded(2, true)), (1, 0));
    // Of several inputs the sum counts: 3 + 3 columns against 6 rows.
    let late = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    assert_eq!(counts(&|| drop(tape.jacobian(wide, [x, late]).unwrap())), (6, 0));
    // A batch of 5: one sweep for each output, or input, of one example.
    let batch = tape.var(&normal(&[5, 3], 1));
    let copies = tape.apply(Counting { copies: 2 }, &[batch]);
    let wide = copies.transpose(0, 1);
    assert_eq!(counts(&|| drop(tape.batch_jacobian(wide, batch).unwrap())), (0, 3));
    let square = tape.apply(Counting { copies: 1 }, &[batch]).transpose(0, 1);
    assert_eq!(counts(&|| drop(tape.batch_jacobian(square, batch).unwrap())), (3, 0));
    let narrow = wide.sum_axes([1, 2]);
    assert_eq!(counts(&|| drop(tape.batch_jacobian(narrow, batch).unwrap())), (1, 0));
}

#[test]
fn an_operation_without_forward_rule_is_swept_in_reverse() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let y = tape.stack(&[square_once(x), x * 3.0], 0);
    let [j] = tape.jacobian(y, [x]).unwrap();
    assert_eq!(j.to_vec(), [2.0, 0.0, 0.0, 4.0, 3.0, 0.0, 0.0, 3.0]);
    assert_eq!(kind(tape.jacobian_forward(y, [x])), ErrorKind::OnceDifferentiable);
    let batch = tape.var(&Tensor::from([[1.0], [2.0]]));
    let y = tape.concat(&[square_once(batch), batch * 3.0], 1);
    assert_eq!(tape.batch_jacobian(y, batch).unwrap().to_vec(), [2.0, 3.0, 4.0, 3.0]);
}

#[test]
fn the_recorded_layer_falls_back_on_reverse_mode_too() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let j = transform::jacobian(|x| tape.stack(&[square_once(x), x * 3.0], 0))(x);
    assert_eq!(j.value().unwrap().to_vec(), [2.0, 0.0, 0.0, 4.0, 3.0, 0.0, 0.0, 3.0]);
}

/// x² whose backward closure works on plain tensors.
fn square_once<'t>(x: V<'t>) -> V<'t> {
    let square = |x: &[&Tensor<f64>]| x[0].try_mul(x[0]);
    x.tape().record_once("square once", &[x], square, |x, _, g| {
        Ok([Some(x[0].map(|x| 2.0 * x)?.try_mul(g)?)].into_iter().collect())
    })
}

/// Large enough that rows run side by side, and the kernels within them split.
fn jacobians() -> Vec<Vec<u64>> {
    let tape = Tape::new();
    let (x, w) = (tape.var(&normal(&[300], 3)), tape.var(&normal(&[300, 120], 4)));
    let h = x.matmul(w).tanh() / 10.0;
    let y = h.softmax(-1) * h.exp().sum();
    let mut found = vec![];
    let small = y.slice(0, ..7);
    found.extend(tape.jacobian(small, [x, w]).unwrap());
    found.extend(tape.jacobian_forward(small, [x]).unwrap());
    found.extend(tape.jacobian_reverse(y, [x]).unwrap());
    found.push(tape.batch_jacobian(tape.stack(&[h, y], 1), h).unwrap());
    let (a, b) = (normal(&[40, 30], 5), normal(&[40], 6));
    let p = normal(&[30], 7);
    found.extend(
        functional::per_example_grads(|[p], [a, b]| (a.matmul(p) - b).tanh().square(), [&p], [&a, &b])
            .unwrap(),
    );
    let [[h]] = functional::hessian(|[p]| p.softmax(-1).matmul(p.sin()).exp(), [&p]).unwrap();
    found.push(h);
    found.iter().map(|j| j.iter().map(f64::to_bits).collect()).collect()
}

#[test]
fn one_two_three_and_eight_threads_give_the_same_jacobians() {
    let on =
        |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(jacobians);
    let wanted = on(1);
    assert!(wanted.iter().flatten().all(|&bits| f64::from_bits(bits).is_finite()));
    for threads in [2, 3, 8] {
        assert!(on(threads) == wanted, "{threads} threads");
    }
    assert!(jacobians() == wanted, "from outside a pool");
}

#[test]
fn jacobians_of_batches_in_both_modes() {
    // Each example by itself, by loops.
    let tape = Tape::new();
    let (x, w) = (normal(&[4, 3], 8), normal(&[3, 5], 9));
    let (vx, vw) = (tape.var(&x), tape.constant(&w));
    let wide = vx.matmul(vw).sin();
    let narrow = vx.matmul(vw).softmax(-1).slice(1, ..2).reshape([4, 1, 2]);
    for y in [wide, narrow] {
        let before = tape.len();
        let found = tape.batch_jacobian(y, vx).unwrap();
        assert_eq!(tape.len(), before);
        assert_eq!(found.shape(), [&y.shape()[..], &[3]].concat());
        let [whole] = tape.jacobian(y, [vx]).unwrap();
        for example in 0..4 {
            let own = |t: &Tensor<f64>, axis| t.slice(axis, example..example + 1).unwrap();
            let wanted = own(&own(&whole, 0), y.shape().len() as isize);
            assert_near(
                &own(&found, 0).reshape([wanted.len()]).unwrap(),
                &wanted.reshape([wanted.len()]).unwrap(),
                1e-14,
            );
        }
    }
    // No other axes, no examples, no inputs, no outputs.
    let s = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let j = tape.batch_jacobian(s * s, s).unwrap();
    assert_eq!((j.shape(), j.to_vec()), (&[3][..], vec![2.0, 4.0, 6.0]));
    for (shape, wanted) in [([0, 3], [0, 3, 3]), ([3, 0], [3, 0, 0])] {
        let none = tape.var(&Tensor::zeros(shape).unwrap());
        assert_eq!(tape.batch_jacobian(none * 2.0, none).unwrap().shape(), wanted);
    }
    let none = tape.var(&Tensor::zeros([3, 0]).unwrap());
    assert_eq!(tape.batch_jacobian(s + none.sum_axes(1), none).unwrap().shape(), [3, 0]);
    // By the functional layer too.
    assert_near(
        &functional::batch_jacobian(|x| x.matmul(x.tape().constant(&w)).sin(), &x).unwrap(),
        &tape.batch_jacobian(wide, vx).unwrap(),
        0.0,
    );
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let tape = Tape::new();
    let x = tape.var(&normal(&[4, 3], 8));
    let rank =
        |found: &[usize]| ErrorKind::Rank { found: found.to_vec(), wanted: "a batch axis and any others" };
    assert_eq!(kind(tape.batch_jacobian(x.sum(), x)), rank(&[]));
    let s = tape.var(&Tensor::scalar(1.0));
    assert_eq!(kind(tape.batch_jacobian(x * s, s)), rank(&[]));
    let wanted = ErrorKind::Shape { what: "x".into(), found: vec![4, 3], wanted: vec![3, 3] };
    assert_eq!(kind(tape.batch_jacobian(x.t(), x)), wanted);
}

#[test]
fn gradients_of_examples_are_those_of_a_loop() {
    let (w, b) = (normal(&[3, 2], 1), normal(&[2], 2));
    let (x, t) = (normal(&[6, 3], 3), normal(&[6, 2], 4));
    fn loss<'t>([w, b]: [V<'t>; 2], [x, t]: [V<'t>; 2]) -> V<'t> {
        ((x.matmul(w) + b).tanh() - t).square().sum()
    }
    let [gw, gb] = functional::per_example_grads(loss, [&w, &b], [&x, &t]).unwrap();
    assert_eq!((gw.shape(), gb.shape()), (&[6, 3, 2][..], &[6, 2][..]));
    for i in 0..6 {
        let of = |t: &Tensor<f64>| t.slice(0, i..i + 1).unwrap().reshape(&t.shape()[1..]).unwrap();
        let tape = Tape::new();
        let (vw, vb) = (tape.var(&w), tape.var(&b));
        let grads = loss([vw, vb], [tape.constant(&of(&x)), tape.constant(&of(&t))]).backward().unwrap();
        assert_eq!(&of(&gw), grads.wrt(vw).unwrap());
        assert_eq!(&of(&gb), grads.wrt(vb).unwrap());
    }
    // No examples; a parameter nothing depends on.
    let none = Tensor::zeros([0, 3]).unwrap();
    let [g] = functional::per_example_grads(|[w], [x]| x.matmul(w).sum(), [&w], [&none]).unwrap();
    assert_eq!(g.shape(), [0, 3, 2]);
    let [_, g] = functional::per_example_grads(|[w, _], [x]| x.matmul(w).sum(), [&w, &b], [&x]).unwrap();
    assert_eq!((g.shape(), g.to_vec()), (&[6, 2][..], vec![0.0; 12]));
    let short = normal(&[5, 2], 1);
    let error = functional::per_example_grads(loss, [&w, &b], [&x, &short]).unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Shape { what: "batch".into(), found: vec![5, 2], wanted: vec![6, 2] }
    );
    let error = functional::per_example_grads(loss, [&w, &b], [&x, &Tensor::scalar(1.0)]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Rank { .. }));
    assert_eq!(error.operation(), Some("per_example_grads"));
}

#[test]
fn the_first_example_that_fails_is_reported_whatever_the_number_of_threads() {
    // The first fails late, the last at once.
    fn f<'t>([_]: [V<'t>; 1], [x]: [V<'t>; 1]) -> V<'t> {
        match x.item() {
            Ok(0.0) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
                x.reshape([2])
            }
            Ok(63.0) => x.reshape([3]),
            _ => x,
        }
    }
    let (p, x) = (Tensor::scalar(1.0), Tensor::from_fn([64], |at| at[0] as f64).unwrap());
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let error = pool.install(|| functional::per_example_grads(f, [&p], [&x])).unwrap_err();
        let wanted = ErrorKind::ElementCount { shape: vec![2], wanted: 2, found: 1 };
        assert_eq!(error.kind(), &wanted, "{threads} threads");
    }
}

#[test]
fn hooks_act_in_every_row() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let h = x * x;
    h.hook(|g| g * 10.0).unwrap();
    let y = h * 3.0;
    let tenfold = vec![60.0, 0.0, 0.0, 120.0];
    assert_eq!(tape.jacobian_reverse(y, [x]).unwrap()[0].to_vec(), tenfold);
    assert_eq!(tape.jacobian(y, [x]).unwrap()[0].to_vec(), tenfold);
    assert_eq!(tape.jacobian_forward(y, [x]).unwrap()[0].to_vec(), [6.0, 0.0, 0.0, 12.0]);
    assert_eq!(tape.jacobian_reverse(y, [h]).unwrap()[0].to_vec(), [30.0, 0.0, 0.0, 30.0]);
}
