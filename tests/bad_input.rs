//! Wrong, empty and enormous input from outside: always a typed error with the operation and the user's line, or the
//! right answer; never a panic.

use retrograde::{
    At, Error, ErrorKind, Operation, Outputs, Parts, Reduction, Result, Slice, Tape, Tensor, Var,
};

/// An operation along an axis.
type AlongAxis = for<'t> fn(Var<'t, f64>, isize) -> Var<'t, f64>;

type Call = for<'t> fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>;

/// Values that differ, of any shape.
fn counting(shape: &[usize]) -> Tensor<f64> {
    let mut n = 0.0;
    Tensor::from_fn(shape, |_| {
        n += 0.37;
        n - 1.0
    })
    .unwrap()
}

#[track_caller]
fn names_operation_and_line(error: &Error) {
    assert!(error.operation().is_some(), "{error}");
    assert!(error.location().is_some_and(|line| line.file().ends_with("bad_input.rs")), "{error}");
}

/// Both operands of shapes that do not fit.
const TWO: [(&str, Call, &[usize], &[usize]); 22] = [
    ("add", |x, y| x + y, &[2], &[3]),
    ("sub", |x, y| x - y, &[2], &[3]),
    ("mul", |x, y| x * y, &[2, 3], &[2]),
    ("div", |x, y| x / y, &[0], &[2]),
    ("pow", |x, y| x.pow(y), &[2], &[3]),
    ("minimum", |x, y| x.minimum(y), &[2], &[3]),
    ("maximum", |x, y| x.maximum(y), &[2], &[3]),
    ("atan2", |x, y| x.atan2(y), &[2], &[3]),
    ("hypot", |x, y| x.hypot(y), &[2], &[3]),
    ("prelu", |x, y| x.prelu(y), &[2], &[3]),
    ("lt", |x, y| x.lt(y), &[2], &[3]),
    ("and", |x, y| x & y, &[2], &[3]),
    ("where", |x, y| Var::where_(x, y, x), &[2], &[3]),
    ("clamp_tensor", |x, y| x.clamp_tensor(y, 5.0), &[2], &[3]),
    ("mse", |x, y| x.mse(y, Reduction::Mean), &[2], &[1]),
    ("l1_loss", |x, y| x.l1_loss(y, Reduction::Mean), &[2], &[1]),
    ("huber", |x, y| x.huber(y, 1.0, Reduction::Mean), &[2], &[1]),
    ("matmul", |x, y| x.matmul(y), &[1 << 40, 0], &[0, 1 << 40]),
    ("linear", |x, y| x.linear(y, None), &[2, 3], &[2, 3]),
    ("concat", |x, y| x.tape().concat(&[x, y], 0), &[2, 3], &[3, 2]),
    ("stack", |x, y| x.tape().stack(&[x, y], 0), &[2], &[3]),
    ("einsum", |x, y| x.tape().einsum("ij,jk->ik", &[x, y]), &[2, 3], &[2, 3]),
];

#[test]
fn shapes_that_do_not_fit_are_errors_with_the_users_line() {
    for (name, call, left, right) in TWO {
        let tape = Tape::new();
        let error = call(tape.var(&counting(left)), tape.var(&counting(right))).sum().backward().unwrap_err();
        names_operation_and_line(&error);
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn variables_of_two_tapes_never_meet() {
    for (name, call, ..) in TWO {
        let (tape, other) = (Tape::new(), Tape::new());
        let (x, y) = (tape.var(&counting(&[2, 2])), other.var(&counting(&[2, 2])));
        for z in [call(x, y), call(y, x)] {
            let error = z.sum().backward().unwrap_err();
            names_operation_and_line(&error);
            assert_eq!(*error.kind(), ErrorKind::MixedTapes, "{name}");
        }
    }
}

#[test]
fn no_axis_is_out_of_bounds_unseen() {
    let calls: [AlongAxis; 17] = [
        |x, a| x.sum_axes(a),
        |x, a| x.mean_keepdim(a),
        |x, a| x.max_axes(a),
        |x, a| x.prod_axes(a),
        |x, a| x.var_axes(a, 1.0),
        |x, a| x.std_axes(a, 1.0),
        |x, a| x.norm_axes(a),
        |x, a| x.logsumexp_axes(a),
        |x, a| x.softmax(a),
        |x, a| x.log_softmax(a),
        |x, a| x.glu(a),
        |x, a| x.maxout(a, 2),
        |x, a| x.squeeze(a),
        |x, a| x.slice(a, 0..1),
        |x, a| x.transpose(a, 0),
        |x, a| x.diagonal(0, a),
        |x, a| x.tape().concat(&[x, x], a),
    ];
    for call in calls {
        for axis in [2, -3, 64, -65, isize::MIN, isize::MAX] {
            let tape = Tape::new();
            let error = call(tape.var(&counting(&[2, 3])), axis).value().unwrap_err();
            names_operation_and_line(&error);
            assert_eq!(*error.kind(), ErrorKind::Axis { axis, shape: vec![2, 3] });
        }
    }
}

#[test]
fn the_number_of_a_variable_that_has_several_names_the_users_line() {
    let tape = Tape::new();
    names_operation_and_line(&tape.var(&counting(&[2])).item().unwrap_err());
}

#[test]
fn what_no_memory_holds_is_an_error() {
    // The last is just below the largest size there is, where rounding it up leaves the address space.
    for n in [1 << 58, 1 << 59, (1 << 60) - 1] {
        let error = Tensor::<f64>::zeros([n]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfMemory { .. }), "{error}");
    }
}

#[test]
fn a_slice_of_one_element_with_an_enormous_step_can_be_sliced_and_read() {
    for step in [isize::MAX, isize::MIN, isize::MIN + 1] {
        let x = counting(&[4, 2]).slice(0, Slice::from(3..).step(step)).unwrap();
        assert_eq!(x.slice(0, 1..).unwrap().shape(), [0, 2]);
        assert_eq!(x.iter().count(), 2);
        assert_eq!(x.to_vec(), counting(&[4, 2]).to_vec()[6..]);
    }
}

#[test]
fn nothing_has_gradients_and_products_of_no_elements() {
    let tape = Tape::new();
    let x = tape.var(&counting(&[0]));
    assert!((x - x).sum().backward().unwrap().wrt(x).unwrap().is_empty());
    let mut empty = Tensor::scalar(1.0).expand([0]).unwrap();
    assert!(empty.as_mut_slice().unwrap().is_empty());
    // A batch of more products than memory could count, each without elements.
    let y = counting(&[1 << 40, 0, 2]).matmul(&counting(&[2, 3])).unwrap();
    assert_eq!(
        counting(&[1 << 40, 2, 0]).matmul(&counting(&[1 << 40, 0, 0])).unwrap().shape(),
        [1 << 40, 2, 0]
    );
    assert_eq!(y.shape(), [1 << 40, 0, 3]);
}

/// 2x and x²; or as many outputs as told, or tangents of a wrong shape.
struct Several {
    outputs: usize,
    wrong: bool,
}

impl Operation<f64> for Several {
    fn name(&self) -> &'static str {
        "several"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([x[0] * 2.0, x[0] * x[0]].into_iter().take(self.outputs).collect())
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.one(at.g(0) * 2.0 + at.g(1) * at.x(0) * 2.0)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        let wide = at.x(0).reshape([1, 1]);
        Ok((0..self.outputs).map(|_| Some(if self.wrong { wide } else { at.x(0) })).collect())
    }
}

#[test]
fn a_recorded_sweep_can_stop_at_the_second_output() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let outputs = tape.apply_many(Several { outputs: 2, wrong: false }, &[x], 2);
    let (a, b) = (outputs[0], outputs[1]);
    let seed = Tensor::scalar(1.0);
    let [g] = tape.vjp(a * b + b, &seed, [b]).unwrap();
    assert_eq!(g.item().unwrap(), 7.0);
    let [gb, ga, gx] = tape.vjp(a * b + b, &seed, [b, a, x]).unwrap();
    assert_eq!([gb, ga, gx].map(|g| g.item().unwrap()), [7.0, 9.0, 60.0]);
}

#[test]
fn a_wrong_number_of_outputs_is_an_error() {
    for (outputs, asked) in [(0, 1), (0, 2), (1, 2), (2, 1), (2, 3)] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::scalar(3.0));
        let vars = tape.apply_many(Several { outputs, wrong: false }, &[x], asked);
        assert_eq!(vars.len(), asked);
        vars.iter().for_each(|y| names_operation_and_line(&y.value().unwrap_err()));
    }
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    names_operation_and_line(&tape.apply(Several { outputs: 0, wrong: false }, &[x]).value().unwrap_err());
}

#[test]
fn a_tangent_of_a_wrong_shape_is_an_error() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let y = tape.apply(Several { outputs: 1, wrong: true }, &[x]);
    let error = tape.jvp(y, [(x, &Tensor::scalar(1.0))]).unwrap_err();
    names_operation_and_line(&error);
    assert!(matches!(error.kind(), ErrorKind::Shape { found, .. } if found == &[1, 1]), "{error}");
}
