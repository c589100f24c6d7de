//! Linear systems known by products: their solutions, their derivatives at several orders, and what is said when they
//! cannot be solved.

use retrograde::{Error, ErrorKind, Generator, Krylov, Tape, Tensor, Var, gradcheck};

fn relative(found: &Tensor<f64>, wanted: impl IntoIterator<Item = f64>) -> f64 {
    found.iter().zip(wanted).fold(0.0, |most: f64, (f, w)| most.max((f / w - 1.0).abs()))
}

/// x = b/(θ d): the k-th derivative by θ is (−1)ᵏ k! b/(θᵏ⁺¹ d).
#[test]
fn derivatives_to_order_three_in_both_modes() {
    let d = Tensor::from([[1.0, 10.0], [100.0, 3.0]]);
    for method in 0..3 {
        let tape = Tape::new();
        let theta = tape.var(&Tensor::scalar(2.0));
        let b = tape.var(&Tensor::from([[1.0, -2.0], [3.0, 0.5]]));
        let settings = Krylov::default();
        let (d1, d2) = (d.clone(), d.clone());
        let x = match method {
            0 => {
                tape.conjugate_gradients(settings, &[theta], b, move |v, t| v * v.tape().constant(&d1) * t[0])
            }
            1 => tape.gmres(settings, &[theta], b, move |v, t| v * v.tape().constant(&d1) * t[0]),
            _ => tape.preconditioned_conjugate_gradients(
                settings,
                &[theta],
                b,
                move |v, t| v * v.tape().constant(&d1) * t[0],
                move |v, t| v / v.tape().constant(&d2) / t[0],
            ),
        };
        let (mut reverse, mut forward) = (x.sum(), x);
        let one = Tensor::scalar(1.0);
        let mut factor = 0.5;
        for k in 0..4 {
            let wanted: Vec<f64> =
                [1.0, -2.0, 3.0, 0.5].iter().zip(&d).map(|(b, d)| factor * b / d).collect();
            assert!(relative(&forward.value().unwrap(), wanted.iter().copied()) < 1e-10, "{method} {k}");
            let sum: f64 = wanted.iter().sum();
            assert!(relative(&reverse.value().unwrap(), [sum]) < 1e-9, "{method} {k}");
            if k == 3 {
                break;
            }
            factor *= -f64::from(k + 1) / 2.0;
            forward = tape.jvp(forward, [(theta, &one)]).unwrap();
            [reverse] = tape.vjp(reverse, &one, [theta]).unwrap();
        }
        // By b it is linear, and its derivative by both is that by θ of A⁻¹.
        let [by_b] = tape.vjp(x.sum(), &one, [b]).unwrap();
        assert!(relative(&by_b.value().unwrap(), d.iter().map(|d| 0.5 / d)) < 1e-11);
        let mixed = tape.jvp(by_b, [(theta, &one)]).unwrap();
        assert!(relative(&mixed.value().unwrap(), d.iter().map(|d| -0.25 / d)) < 1e-10);
    }
}

/// A 2 × 2 system that is not symmetric, against its inverse written out.
#[test]
fn the_transpose_is_solved_with_in_reverse_mode() {
    let tape = Tape::new();
    let a = tape.var(&Tensor::from([[3.0, 1.0], [-2.0, 4.0]]));
    let b = tape.var(&Tensor::from([5.0, 6.0]));
    let x = tape.gmres(Krylov::default(), &[a], b, |v, a| a[0].matmul(v));
    // A⁻¹ = [[4, −1], [2, 3]]/14.
    let wanted = [(4.0 * 5.0 - 6.0) / 14.0, (2.0 * 5.0 + 3.0 * 6.0) / 14.0];
    assert!(relative(&x.value().unwrap(), wanted) < 1e-14);
    let grads = x.backward_with(&Tensor::from([1.0, -3.0])).unwrap();
    // λ = A⁻ᵀ g, and −λ xᵀ.
    let lambda = [(4.0 - 2.0 * 3.0) / 14.0, (-1.0 - 3.0 * 3.0) / 14.0];
    assert!(relative(grads.wrt(b).unwrap(), lambda) < 1e-13);
    let outer = lambda.iter().flat_map(|l| wanted.map(|x| -l * x));
    assert!(relative(grads.wrt(a).unwrap(), outer) < 1e-13);
}

#[test]
fn what_is_solved_passes_the_gradient_check() {
    let mut random = Generator::new(7);
    let m = Tensor::normal([6, 6], 0.0, 0.4, &mut random).unwrap();
    let b = Tensor::normal([6, 2], 0.0, 1.0, &mut random).unwrap();
    for restart in [2, 50] {
        let settings = Krylov { restart, ..Krylov::default() };
        gradcheck(
            |x| x[0].tape().gmres(settings, &[x[0]], x[1], |v, m| m[0].matmul(v) + v * 3.0),
            &[m.clone(), b.clone()],
        )
        .unwrap();
    }
    gradcheck(
        |x| {
            x[0].tape().conjugate_gradients(Krylov::default(), &[x[0]], x[1], |v, m| {
                m[0].transpose(0, 1).matmul(m[0].matmul(v)) + v
            })
        },
        &[m, b],
    )
    .unwrap();
}

/// A long iteration leaves one node, and so do its derivatives' systems.
#[test]
fn the_iterations_leave_nothing_on_the_tape() {
    let lengths = [10, 400].map(|n| {
        let tape = Tape::new();
        let theta = tape.var(&Tensor::scalar(1e-3));
        let b = tape.constant(&Tensor::from_fn([n], |i| (i[0] as f64).sin()).unwrap());
        let x = tape.conjugate_gradients(Krylov::default(), &[theta], b, |v, theta| {
            v * 2.0 - v.roll([1], 0) - v.roll([-1], 0) + v * theta[0]
        });
        let before = tape.len();
        tape.vjp(x.sum(), &Tensor::scalar(1.0), [theta]).unwrap();
        (before, tape.len())
    });
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[0].0, 3);
}

#[test]
fn a_preconditioner_saves_products_in_sweeps_too() {
    let d = Tensor::from_fn([200], |i| 10f64.powf(4.0 * i[0] as f64 / 199.0)).unwrap();
    let run = |iterations: usize, preconditioned: bool| {
        let tape = Tape::new();
        let d = tape.var(&d);
        let b = tape.constant(&Tensor::ones([200]).unwrap());
        let settings = Krylov { iterations, ..Krylov::default() };
        fn product<'s>(v: Var<'s, f64>, d: &[Var<'s, f64>]) -> Var<'s, f64> {
            let root = d[0].sqrt();
            let w = v * root;
            (w * 4.0 + w.roll([1], 0) + w.roll([-1], 0)) * root
        }
        let x = match preconditioned {
            true => tape.preconditioned_conjugate_gradients(settings, &[d], b, product, |v, d| v / d[0]),
            false => tape.conjugate_gradients(settings, &[d], b, product),
        };
        let grads = x.sum().backward()?;
        Ok::<_, Error>((x.value()?, grads.wrt(d)?.clone()))
    };
    let error = run(60, false).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotConverged { iterations: 60, .. }), "{error}");
    let (quick, slow) = (run(60, true).unwrap(), run(10_000, false).unwrap());
    assert!(relative(&quick.0, slow.0.iter()) < 1e-7 && relative(&quick.1, slow.1.iter()) < 1e-7);
}

#[test]
fn single_precision_converges_to_its_own_rounding() {
    let tape = Tape::<f32>::new();
    let theta = tape.var(&Tensor::scalar(0.5));
    let b = tape.constant(&Tensor::from_fn([50], |i| (i[0] as f32).cos()).unwrap());
    let x = tape.conjugate_gradients(Krylov::default(), &[theta], b, |v, theta| {
        v * 2.0 - v.roll([1], 0) - v.roll([-1], 0) + v * theta[0]
    });
    let sum: f32 = b.value().unwrap().iter().sum();
    assert!((x.sum().item().unwrap() - sum / 0.5).abs() < 1e-3);
    assert!((x.sum().backward().unwrap().wrt(theta).unwrap().item().unwrap() + sum / 0.25).abs() < 1e-2);
}

/// A quarter turn, of which one product shows nothing, and a loose tolerance, which asks for less.
#[test]
fn the_settings_are_those_of_the_iteration() {
    let tape = Tape::<f64>::new();
    let b = tape.constant(&Tensor::from([1.0, 2.0]));
    fn turned<'s>(v: Var<'s, f64>) -> Var<'s, f64> {
        v.flip(0) * v.tape().constant(&Tensor::from([1.0, -1.0]))
    }
    let solve =
        |restart| tape.gmres(Krylov { restart, ..Krylov::default() }, &[], b, |v, _| turned(v)).value();
    assert!(
        matches!(solve(1).unwrap_err().kind(), ErrorKind::NotConverged { residual, .. } if *residual > 0.9)
    );
    assert!(relative(&solve(2).unwrap(), [-2.0, 1.0]) < 1e-14);
    let d = Tensor::from_fn([30], |i| 1.0 + i[0] as f64).unwrap();
    let ones = tape.constant(&Tensor::ones([30]).unwrap());
    let solve = |tolerance, iterations| {
        let (d, settings) = (d.clone(), Krylov { tolerance, iterations, ..Krylov::default() });
        tape.conjugate_gradients(settings, &[], ones, move |v, _| v * v.tape().constant(&d)).value()
    };
    assert!(matches!(solve(1e-12, 8).unwrap_err().kind(), ErrorKind::NotConverged { iterations: 8, .. }));
    let rough = relative(&solve(0.1, 8).unwrap(), d.iter().map(|d| 1.0 / d));
    assert!(
        rough > 1e-6 && relative(&solve(1e-12, 40).unwrap(), d.iter().map(|d| 1.0 / d)) < 1e-10,
        "{rough}"
    );
}

#[test]
fn what_goes_wrong_is_named_with_the_line_of_the_call() {
    let tape = Tape::<f64>::new();
    let theta = tape.var(&Tensor::scalar(1.0));
    let b = tape.constant(&Tensor::from([1.0, 2.0, 3.0]));
    let check = |error: Error, operation: &str, line: u32| {
        assert_eq!((error.operation(), error.location().unwrap().line()), (Some(operation), line), "{error}");
        error.kind().clone()
    };
    let few = Krylov { iterations: 1, ..Krylov::default() };
    let d = Tensor::from([1.0, 10.0, 100.0]);
    let own = d.clone();
    let line = line!() + 1;
    let x = tape.conjugate_gradients(few, &[theta], b, move |v, t| v * v.tape().constant(&own) * t[0]);
    let kind = check(x.value().unwrap_err(), "conjugate_gradients", line);
    assert!(matches!(kind, ErrorKind::NotConverged { iterations: 1, tolerance: 1e-12, .. }));
    // b is an eigenvector, the cotangent is none: the solution takes one product, the sweep more.
    let one = tape.constant(&Tensor::from([0.0, 1.0, 0.0]));
    let own = d.clone();
    let line = line!() + 1;
    let x = tape.conjugate_gradients(few, &[theta], one, move |v, t| v * v.tape().constant(&own) * t[0]);
    assert_eq!(x.value().unwrap().to_vec(), [0.0, 0.1, 0.0]);
    let kind = check(x.sum().backward().unwrap_err(), "conjugate_gradients", line);
    assert!(matches!(kind, ErrorKind::NotConverged { .. }));
    // Neither NaN nor infinity converges, and neither hangs.
    for bad in [f64::NAN, f64::INFINITY] {
        let b = tape.constant(&Tensor::from([1.0, bad]));
        let x = tape.gmres(Krylov::default(), &[], b, |v, _| v * 2.0);
        assert!(matches!(x.value().unwrap_err().kind(), ErrorKind::NotConverged { .. }));
        let x = tape.conjugate_gradients(Krylov::default(), &[], b, |v, _| v * 2.0);
        assert!(matches!(x.value().unwrap_err().kind(), ErrorKind::NotConverged { .. }));
    }
    // An error of the product is its own.
    let line = line!() + 1;
    let x = tape.gmres(Krylov::default(), &[], b, |v, _| v.reshape([7]));
    check(x.value().unwrap_err(), "reshape", line);
}
