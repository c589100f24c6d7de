//! Element-wise functions of a user's own, of one number, two and four, for which only the formula is written.

use retrograde::{Dual, Elementwise, Elementwise2, ElementwiseN, ErrorKind, Number, Tape, Tensor, Var};

#[track_caller]
fn close(found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs();
    assert!(error <= tolerance * wanted.abs().max(1.0), "{found:e} against {wanted:e}, error {error:e}");
}

/// x σ(1.7 x), without a word on its derivative, or with it.
#[derive(Clone, Copy)]
struct Gate<const WRITTEN: bool>;

impl<const WRITTEN: bool> Elementwise for Gate<WRITTEN> {
    const NAME: &'static str = "gate";
    fn f<N: Number>(self, x: N) -> N {
        x * x.scale(1.7).sigmoid()
    }
    fn df<N: Number>(self, x: N, _y: N) -> N {
        if WRITTEN {
            let u = x.scale(1.7);
            u.sigmoid() + u * u.sigmoid() * (-u).sigmoid()
        } else {
            self.f(Dual::variable(x)).tangent()
        }
    }
}

/// The same with nothing but f.
#[derive(Clone, Copy)]
struct Bare;

impl Elementwise for Bare {
    const NAME: &'static str = "bare";
    fn f<N: Number>(self, x: N) -> N {
        Gate::<true>.f(x)
    }
}

fn tape_orders(f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, x: &[f64]) -> [Vec<f64>; 4] {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_slice(x, [x.len()]).unwrap());
    let ones = Tensor::ones(x.shape()).unwrap();
    let mut y = f(x);
    std::array::from_fn(|_| {
        let values = y.value().unwrap().to_vec();
        [y] = tape.vjp(y, &ones, [x]).unwrap();
        values
    })
}

#[test]
fn functions_without_derivatives_have_those_of_their_text() {
    let x: Vec<f64> = (0..300).map(|i| f64::from(i) * 0.07 - 10.0).collect();
    let bare = tape_orders(|x| x.elementwise(Bare), &x);
    let written = tape_orders(|x| x.elementwise(Gate::<true>), &x);
    let spelled = tape_orders(|x| x.elementwise(Gate::<false>), &x);
    for (order, (bare, written)) in bare.iter().zip(&written).enumerate() {
        for ((a, b), x) in bare.iter().zip(written).zip(&x) {
            assert!((a - b).abs() <= 1e-13, "order {order} at {x}: {a} against {b}");
        }
    }
    assert_eq!(bare, spelled);
    // Without a tape, too.
    let y = Bare.f(Dual::variable(Dual::variable(0.4)));
    close(Bare.df(0.4, Bare.f(0.4)), y.tangent().value, 1e-15);
    close(Bare.d2f(0.4, Bare.f(0.4)), y.tangent().tangent(), 1e-15);
}

/// a sin b, for which only f is written.
#[derive(Clone, Copy)]
struct Sine;

impl Elementwise2 for Sine {
    const NAME: &'static str = "sine";
    fn f<N: Number>(self, a: N, b: N) -> N {
        a * b.sin()
    }
}

#[test]
fn a_function_of_two_numbers_has_both_derivatives() {
    assert_eq!(Sine.df(2.0, 0.5, f64::NAN), (0.5f64.sin(), 2.0 * 0.5f64.cos()));
    let tape = Tape::new();
    let (a, b) = (tape.var(&Tensor::from([[2.0], [3.0]])), tape.var(&Tensor::from([0.5, 1.0])));
    let y = a.elementwise2(b, Sine);
    let grads = y.sum().backward().unwrap();
    let (sines, cosines) = (0.5f64.sin() + 1f64.sin(), [0.5f64.cos(), 1f64.cos()]);
    for found in grads.wrt(a).unwrap().iter() {
        close(found, sines, 1e-15);
    }
    for (found, cosine) in grads.wrt(b).unwrap().iter().zip(cosines) {
        close(found, 5.0 * cosine, 1e-15);
    }
    // Second order: ∂²/∂a∂b = cos b, summed over a's rows.
    let [ga] = tape.vjp(y.sum(), &Tensor::scalar(1.0), [a]).unwrap();
    let second = ga.sum().backward().unwrap();
    for (found, cosine) in second.wrt(b).unwrap().iter().zip(cosines) {
        close(found, 2.0 * cosine, 1e-15);
    }
}

/// w (x − t)² / s, with a weight that must be positive.
#[derive(Clone, Copy)]
struct Weighted(f64);

impl ElementwiseN<4> for Weighted {
    const NAME: &'static str = "weighted";
    fn f<N: Number>(self, [x, t, w, s]: [N; 4]) -> N {
        (w * (x - t).square() / s).scale(self.0)
    }
    fn check(self) -> retrograde::Result<()> {
        if self.0 > 0.0 {
            return Ok(());
        }
        let (name, found, wanted) = ("weight", self.0.to_string(), "a positive number".to_owned());
        Err(ErrorKind::Argument { name, found, wanted }.into())
    }
}

#[test]
fn a_function_of_four_numbers_on_long_broadcast_and_transposed_tensors() {
    // Long enough to be split among threads, with every layout.
    let (rows, columns) = (300, 400);
    let numbers = |from: f64| move |i: usize| from + ((i * 7919) % 1000) as f64 * 1e-3;
    let matrix =
        |from: f64| Tensor::from_iter_in((0..rows * columns).map(numbers(from)), [rows, columns]).unwrap();
    let (x, w) = (matrix(-1.0), matrix(0.5));
    let t = Tensor::from_iter_in((0..rows * columns).map(numbers(0.3)), [columns, rows]).unwrap();
    let t = t.transpose(0, 1).unwrap();
    let s = Tensor::from_iter_in((0..columns).map(numbers(1.0)), [columns]).unwrap();
    let tape = Tape::new();
    let [vx, vt, vw, vs] = [&x, &t, &w, &s].map(|x| tape.var(x));
    let y = tape.elementwise_n(Weighted(1.5), [vx, vt, vw, vs]);
    let grads = y.sum().backward().unwrap();
    let composed = (vw * (vx - vt).square() / vs) * 1.5;
    let wanted = composed.sum().backward().unwrap();
    for (a, b) in y.value().unwrap().iter().zip(composed.value().unwrap().iter()) {
        close(a, b, 1e-15);
    }
    for v in [vx, vt, vw, vs] {
        let (found, wanted) = (grads.wrt(v).unwrap(), wanted.wrt(v).unwrap());
        assert_eq!(found.shape(), wanted.shape());
        for (a, b) in found.iter().zip(wanted.iter()) {
            close(a, b, 1e-12);
        }
    }
    // Constants get nothing, and the others what they got before: also if all are dense, and one element long.
    for shape in [vec![3, 50], vec![1], vec![], vec![1000]] {
        let tensor = |from: f64| {
            let n = shape.iter().product();
            Tensor::from_iter_in((0..n).map(numbers(from)), shape.clone()).unwrap()
        };
        let all = [tensor(0.0), tensor(2.0), tensor(1.0), tensor(3.0)];
        let leaves = all.each_ref().map(|x| tape.var(x));
        let whole = tape.elementwise_n(Weighted(2.0), leaves).sum().backward().unwrap();
        for (k, leaf) in leaves.into_iter().enumerate() {
            let mut some = all.each_ref().map(|x| tape.constant(x));
            some[k] = tape.var(&all[k]);
            let alone = tape.elementwise_n(Weighted(2.0), some).sum().backward().unwrap();
            assert_eq!(alone.wrt(some[k]).unwrap(), whole.wrt(leaf).unwrap(), "{k} of {shape:?}");
        }
    }
}

#[test]
fn wrong_parameters_shapes_and_tapes_are_typed_errors() {
    let (tape, other) = (Tape::new(), Tape::new());
    let one = Tensor::from([1.0, 2.0]);
    let x = tape.var(&one);
    let y = tape.elementwise_n(Weighted(-1.0), [x, x, x, x]);
    let error = y.sum().backward().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("weighted: weight is -1, wanted a positive number, at tests/elementwise.rs")
    );
    let three = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let error = tape.elementwise_n(Weighted(1.0), [x, x, three, x]).value().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Broadcast { .. }), "{error}");
    let stranger = other.var(&one);
    let error = tape.elementwise_n(Weighted(1.0), [x, stranger, x, x]).value().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MixedTapes), "{error}");
}
