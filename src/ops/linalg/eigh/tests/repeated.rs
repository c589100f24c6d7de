//! Repeated eigenvalues, against closed forms.

use super::{close, diagonal, product, symmetric};
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// The identity, or Q diag(values) Qᵀ with a random Q.
fn with_values(values: &[f64], seed: u64) -> Tensor<f64> {
    let q = Tape::new().constant(&symmetric(values.len(), seed)).eigh()[1].value().unwrap();
    product(&[&q, &diagonal(values), &q.transpose(0, 1).unwrap()])
}

type Function = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

/// V f(Λ) Vᵀ, put together by hand.
fn by_hand<'t>(a: Var<'t, f64>, f: Function) -> Var<'t, f64> {
    let [l, v] = a.eigh();
    (v * f(l).unsqueeze(-2)).matmul(v.transpose(-1, -2))
}

fn gradient(a0: &Tensor<f64>, c: &Tensor<f64>, f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> Tensor<f64> {
    let tape = Tape::new();
    let a = tape.var(a0);
    f(a).backward_with(c).unwrap().wrt(a).unwrap().clone()
}

fn all_nan(x: &Tensor<f64>) -> bool {
    x.iter().all(f64::is_nan)
}

#[test]
fn matrix_functions_by_hand_are_right_in_blocks_of_three_or_nan() {
    let functions: [Function; 3] = [|l| l, |l| l.exp(), |l| l.sin()];
    let c = |n| symmetric(n, 4);
    for (values, told) in [
        (&[1.0; 3][..], true),
        (&[1.0; 5], true),
        (&[2.0, 2.0, 2.0, 5.0], true),
        (&[1.0, 1.0, 1.0, 3.0, 3.0, 3.0], true),
        (&[1.0, 1.0], false),
        (&[1.0, 2.0, 2.0], false),
    ] {
        for a0 in [diagonal(values), with_values(values, 6)] {
            for f in functions {
                let found = gradient(&a0, &c(values.len()), |a| by_hand(a, f));
                if told {
                    let wanted = gradient(&a0, &c(values.len()), |a| a.spectral_map(f));
                    close(&found, &wanted, 1e-10);
                } else {
                    assert!(all_nan(&found), "{found}");
                }
            }
        }
    }
    // One entry of the exponential of the identity, of which every difference is 0 in its own basis.
    let mut one = Tensor::zeros([3, 3]).unwrap();
    one.as_mut_slice().unwrap()[1] = 1.0;
    let found = gradient(&Tensor::eye(3).unwrap(), &one, |a| by_hand(a, |l| l.exp()));
    let half = 1f64.exp() / 2.0;
    close(&found, &Tensor::from([[0.0, half, 0.0], [half, 0.0, 0.0], [0.0, 0.0, 0.0]]), 1e-11);
}

#[test]
fn doubt_is_nan() {
    let c = symmetric(3, 4);
    let identity = Tensor::eye(3).unwrap();
    // A function of which nothing is left in V at its zero.
    assert!(all_nan(&gradient(&identity, &c, |a| by_hand(a, |l| l.ln()))));
    // Two functions in one.
    let two = gradient(&identity, &c, |a| {
        let [l, v] = a.eigh();
        let exp = (v * l.exp().unsqueeze(-2)).matmul(v.transpose(-1, -2));
        let square = (v * l.square().unsqueeze(-2)).matmul(v.transpose(-1, -2));
        let twisted = a.tape().constant(&diagonal(&[1.0, 2.0, 4.0]));
        exp + square * twisted.matmul(a.tape().constant(&symmetric(3, 9)))
    });
    assert!(all_nan(&two), "{two}");
    // One vector of a basis.
    let found = gradient(&identity, &Tensor::ones([3]).unwrap(), |a| a.eigh()[1].slice(1, 0..1).reshape([3]));
    assert!(all_nan(&found));
    // The same vectors, with a simple eigenvalue, are as good as any.
    let a0 = with_values(&[1.0, 2.0, 2.0], 3);
    let found = gradient(&a0, &Tensor::ones([3]).unwrap(), |a| a.eigh()[1].slice(1, 0..1).reshape([3]));
    assert!(found.iter().all(f64::is_finite));
}

/// Of the projector P on an eigenspace: `dP = Σ (Pₖ dA P + P dA Pₖ)/(λ − λₖ)`.
#[test]
fn projectors_are_right_in_both_modes() {
    for (values, space, other) in [
        (&[1.0, 1.0, 3.0][..], 0..2, 3.0),
        (&[1.0, 1.0, 1.0, 3.0, 3.0], 0..3, 3.0),
        (&[1.0, 1.0, 1.0, 3.0, 3.0], 3..5, 1.0),
    ] {
        let n = values.len();
        let (a0, e) = (with_values(values, 2), symmetric(n, 5));
        let tape = Tape::new();
        let a = tape.var(&a0);
        let v = a.eigh()[1].slice(1, space.clone());
        let p = v.matmul(v.transpose(0, 1));
        let p0 = p.value().unwrap();
        let q0 = &Tensor::eye(n).unwrap() - &p0;
        let gap = values[space.start as usize] - other;
        let wanted = &(&product(&[&q0, &e, &p0]) + &product(&[&p0, &e, &q0])) / gap;
        close(&tape.jvp(p, [(a, &e)]).unwrap().value().unwrap(), &wanted, 1e-13);
        close(p.backward_with(&e).unwrap().wrt(a).unwrap(), &wanted, 1e-12);
    }
    // With sums of eigenvalues beside it, of the same eigenspace and of another.
    let a0 = with_values(&[1.0, 1.0, 3.0], 2);
    let c = symmetric(3, 5);
    let found = gradient(&a0, &c, |a| {
        let [l, v] = a.eigh();
        let v = v.slice(1, 0..2);
        v.matmul(v.transpose(0, 1)) + l.exp().sum()
    });
    let sum = c.iter().sum::<f64>();
    let wanted = &gradient(&a0, &c, |a| {
        let v = a.eigh()[1].slice(1, 0..2);
        v.matmul(v.transpose(0, 1))
    }) + &(&Tape::new().constant(&a0).spectral_map(|l| l.exp()).value().unwrap() * sum);
    close(&found, &wanted, 1e-12);
}

#[test]
fn an_empty_part_of_a_singular_covariance_does_no_harm() {
    // The leading vector of a matrix of rank 2, and its eigenvalue, beside a null space of dimension 3.
    let a0 = with_values(&[0.0, 0.0, 0.0, 1.0, 2.0], 8);
    let c = symmetric(5, 1);
    let top = |a: Var<'_, f64>| -> Tensor<f64> {
        let tape = a.tape();
        let [l, v] = a.eigh();
        let v = v.slice(1, 4..5);
        let y = (v.matmul(v.transpose(0, 1)) * tape.constant(&c)).sum() * l.slice(0, 4..5).sum();
        y.backward().unwrap().wrt(a).unwrap().clone()
    };
    let tape = Tape::new();
    let found = top(tape.var(&a0));
    // λ v vᵀ = A P with the projector P, by differences.
    let value = |t: f64, e: &Tensor<f64>| {
        let tape = Tape::new();
        let [l, v] = tape.constant(&(&a0 + &(e * t))).eigh();
        let v = v.slice(1, 4..5);
        ((v.matmul(v.transpose(0, 1)) * tape.constant(&c)).sum() * l.slice(0, 4..5).sum()).item().unwrap()
    };
    let e = symmetric(5, 3);
    let h = 1e-3;
    let slope = (8.0 * (value(h, &e) - value(-h, &e)) - value(2.0 * h, &e) + value(-2.0 * h, &e)) / (12.0 * h);
    let along = found.iter().zip(&e).map(|(g, e)| g * e).sum::<f64>();
    assert!((along - slope).abs() < 1e-8 * slope.abs().max(1.0), "{along} {slope}");
}

#[test]
fn eigenvalues_alone_have_subgradients() {
    let tape = Tape::new();
    let a = tape.var(&(&Tensor::eye(2).unwrap() * 2.0));
    let l = a.eigvalsh();
    close(l.sum().backward().unwrap().wrt(a).unwrap(), &Tensor::eye(2).unwrap(), 1e-15);
    // Along a direction: its diagonal, in the basis of unit vectors.
    let dl = tape.jvp(l, [(a, &Tensor::from([[-0.5, 7.0], [7.0, 0.25]]))]).unwrap();
    assert_eq!(dl.value().unwrap().to_vec(), [-0.5, 0.25]);
    // The largest alone: v vᵀ for one of its eigenvectors; its second derivative is not there.
    let largest = l.slice(0, 1..2).sum();
    let [g] = tape.vjp(largest, 1.0, [a]).unwrap();
    close(&g.value().unwrap(), &Tensor::from([[0.0, 0.0], [0.0, 1.0]]), 1e-15);
    let second = (g * tape.constant(&symmetric(2, 1))).sum().backward().unwrap();
    assert!(all_nan(second.wrt(a).unwrap()));
}

/// A symmetric function of the eigenvalues, and the derivative of its gradient along E.
type Case = (Function, fn(&Tensor<f64>, &Tensor<f64>) -> Tensor<f64>);

fn derivative_of_map(a: &Tensor<f64>, e: &Tensor<f64>, f: Function) -> Tensor<f64> {
    let tape = Tape::new();
    let a = tape.var(a);
    tape.jvp(a.spectral_map(f), [(a, e)]).unwrap().value().unwrap()
}

fn inverse(a: &Tensor<f64>) -> Tensor<f64> {
    Tape::new().constant(a).spectral_map(|l| l.powi(-1)).value().unwrap()
}

#[test]
fn second_derivatives_of_symmetric_functions_are_right_or_nan() {
    let cases: [Case; 5] = [
        (|l| l.square().sum(), |_, e| e * 2.0),
        (|l| l.exp().sum(), |a, e| derivative_of_map(a, e, |l| l.exp())),
        (|l| l.ln().sum(), |a, e| {
            let inverse = inverse(a);
            -&product(&[&inverse, e, &inverse])
        }),
        // At its minimum: nothing of the gradient is left.
        (|l| (l - 1.0).square().sum(), |_, e| e * 2.0),
        // Not a sum over eigenvalues: (tr A)³.
        (|l| l.sum().powi(3), |a, e| {
            let trace = |x: &Tensor<f64>| x.diagonal(0, 1).unwrap().iter().sum::<f64>();
            &Tensor::eye(a.shape()[0]).unwrap() * (6.0 * trace(a) * trace(e))
        }),
    ];
    let mut nan = [0; 4];
    let mut runs = 0;
    for values in [&[1.0, 1.0][..], &[1.0; 3], &[1.0, 1.0, 2.0], &[1.0, 1.0, 1.0, 3.0, 3.0], &[1e-6, 1e-6, 1.0]] {
        let n = values.len();
        let mut hot = Tensor::zeros([n, n]).unwrap();
        hot.as_mut_slice().unwrap()[1] = 1.0;
        hot.as_mut_slice().unwrap()[n] = 1.0;
        for a0 in [diagonal(values), with_values(values, 6)] {
            for e in [symmetric(n, 5), hot.clone(), diagonal(&vec![1.0; n])] {
                for (which, (f, second)) in cases.into_iter().enumerate() {
                    for alone in [true, false] {
                        let wanted = second(&a0, &e);
                        let exact = a0 == diagonal(values);
                        let level = e == diagonal(&vec![1.0; n]);
                        // Where NaN is allowed: a gradient that is rounding and nothing else; a function so steep that
                        // one eigenvalue is two to it; nothing on the diagonal, in the plain basis.
                        let doubtful_anywhere = !exact && (which == 3 || (which == 2 && values[0] < 0.1 && level));
                        let plain = alone && e.diagonal(0, 1).unwrap().iter().all(|x| x == 0.0);
                        let tape = Tape::new();
                        let a = tape.var(&a0);
                        let y = f(if alone { a.eigvalsh() } else { a.eigh()[0] });
                        let [g] = tape.vjp(y, 1.0, [a]).unwrap();
                        let forward_reverse = tape.jvp(g, [(a, &e)]).unwrap().value().unwrap();
                        let reverse_reverse = (g * tape.constant(&e)).sum().backward().unwrap();
                        let dy = tape.jvp(y, [(a, &e)]).unwrap();
                        let reverse_forward = dy.backward().unwrap();
                        let forward_forward = tape.jvp(dy, [(a, &e)]).unwrap().item().unwrap();
                        let twice: f64 = wanted.iter().zip(&e).map(|(w, e)| w * e).sum();
                        let size = wanted.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
                        runs += 1;
                        for (k, found) in [
                            &forward_reverse,
                            reverse_reverse.wrt(a).unwrap(),
                            reverse_forward.wrt(a).unwrap(),
                        ]
                        .into_iter()
                        .enumerate()
                        {
                            let doubtful = doubtful_anywhere || (k == 0 && plain);
                            if found.iter().any(f64::is_nan) {
                                nan[k] += usize::from(!doubtful);
                            } else {
                                let far = found.iter().zip(&wanted).any(|(x, y)| (x - y).abs() > 1e-8 * size);
                                assert!(!far, "route {k}, alone {alone}, {values:?}: {found}\n{wanted}");
                            }
                        }
                        if forward_forward.is_nan() {
                            nan[3] += 1;
                        } else {
                            assert!((forward_forward - twice).abs() < 1e-8 * size * n as f64, "{forward_forward} {twice}");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(nan[..2], [0, 0], "of {runs}, in the two modes that know: {nan:?}");
    println!("{nan:?} of {runs}");
}

#[test]
fn third_derivatives_are_right_or_nan() {
    let a0 = with_values(&[1.0, 1.0, 1.0, 2.0], 3);
    let e = symmetric(4, 2);
    let tape = Tape::new();
    let a = tape.var(&a0);
    let cube = a.eigvalsh().powi(3).sum();
    let [g] = tape.vjp(cube, 1.0, [a]).unwrap();
    let h = tape.vjp((g * tape.constant(&e)).sum(), 1.0, [a]).unwrap()[0];
    let forward = tape.jvp(g, [(a, &e)]).unwrap();
    // The gradient 3A² has the second derivative 6E² along E.
    let wanted = &product(&[&e, &e]) * 6.0;
    for second in [h, forward] {
        let third = tape.jvp(second, [(a, &e)]).unwrap().value().unwrap();
        assert!(all_nan(&third) || third.iter().zip(&wanted).all(|(x, y)| (x - y).abs() < 1e-8));
        let third = (second * tape.constant(&e)).sum().backward().unwrap();
        let third = third.wrt(a).unwrap();
        assert!(all_nan(third) || third.iter().zip(&wanted).all(|(x, y)| (x - y).abs() < 1e-8));
    }
    // Away from repeated eigenvalues it is there.
    let tape = Tape::new();
    let a = tape.var(&with_values(&[1.0, 1.2, 1.5, 2.0], 3));
    let [g] = tape.vjp(a.eigvalsh().powi(3).sum(), 1.0, [a]).unwrap();
    let second = tape.jvp(g, [(a, &e)]).unwrap();
    close(&tape.jvp(second, [(a, &e)]).unwrap().value().unwrap(), &wanted, 1e-10);
}

/// Second derivatives of a projector are right or NaN, never wrong.
#[test]
fn second_derivatives_of_functions_of_eigenspaces_are_right_or_nan() {
    let a0 = with_values(&[1.0, 1.0, 3.0], 2);
    let c = symmetric(3, 5);
    let projector = |a: Var<'_, f64>| -> f64 {
        let v = a.eigh()[1].slice(1, 0..2);
        (v.matmul(v.transpose(0, 1)) * a.tape().constant(&c)).sum().item().unwrap()
    };
    for e in [symmetric(3, 7), with_values(&[1.0, 1.0, 4.0], 2), with_values(&[0.5, 2.0, 2.0], 9)] {
        let value = |t: f64| projector(Tape::new().constant(&(&a0 + &(&e * t))));
        let h = 1e-3;
        let twice = (16.0 * (value(h) + value(-h)) - value(2.0 * h) - value(-2.0 * h) - 30.0 * value(0.0))
            / (12.0 * h * h);
        let tape = Tape::new();
        let a = tape.var(&a0);
        let v = a.eigh()[1].slice(1, 0..2);
        let y = (v.matmul(v.transpose(0, 1)) * tape.constant(&c)).sum();
        let [g] = tape.vjp(y, 1.0, [a]).unwrap();
        let e_var = tape.constant(&e);
        let dy = tape.jvp(y, [(a, &e)]).unwrap();
        let gradient_along = |g: &Tensor<f64>| g.iter().zip(&e).map(|(g, e)| g * e).sum::<f64>();
        for found in [
            gradient_along(&tape.jvp(g, [(a, &e)]).unwrap().value().unwrap()),
            gradient_along((g * e_var).sum().backward().unwrap().wrt(a).unwrap()),
            gradient_along(dy.backward().unwrap().wrt(a).unwrap()),
            tape.jvp(dy, [(a, &e)]).unwrap().item().unwrap(),
        ] {
            assert!(found.is_nan() || (found - twice).abs() < 1e-6 * twice.abs().max(1.0), "{found} {twice}");
        }
    }
}
