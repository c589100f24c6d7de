//! Transformations against closed forms: nested to order 4, in both modes, and the traps in which perturbations of
//! different variables are taken for one another.

use retrograde::transform::{
    directional, grad, hessian, hvp, jacobian, jacobian_forward, jacobian_reverse, jvp, many, value_and_grad,
    vhp, vjp,
};
use retrograde::{Tape, Tensor, Var};

type V<'t> = Var<'t, f64>;

#[track_caller]
fn assert_close(found: V<'_>, wanted: f64) {
    let found = found.item().unwrap();
    assert!((found - wanted).abs() <= 1e-14 * wanted.abs().max(1.0) * 10.0, "{found} for {wanted}");
}

#[track_caller]
fn assert_all(found: V<'_>, shape: &[usize], wanted: &[f64]) {
    let found = found.value().unwrap();
    assert_eq!((found.shape(), &found.to_vec()[..]), (shape, wanted));
}

fn quartic<'t>(x: V<'t>) -> V<'t> {
    x * x * x * x
}
fn power<'t>(x: V<'t>) -> V<'t> {
    x.powi(4)
}
fn sine<'t>(x: V<'t>) -> V<'t> {
    x.sin()
}
fn exp_sin<'t>(x: V<'t>) -> V<'t> {
    x.sin().exp()
}
fn tanh<'t>(x: V<'t>) -> V<'t> {
    x.tanh()
}

/// A function's value and its derivatives to order 4, by every nesting of the two modes at order 2, and by forward
/// mode at every order.
macro_rules! assert_orders {
    ($f:ident, $x:expr, $wanted:expr) => {{
        let tape = Tape::new();
        let one = tape.scalar(1.0);
        for x in [tape.scalar($x), tape.var(&Tensor::scalar($x)), tape.var(&Tensor::scalar($x)) + 0.0] {
            let wanted: [f64; 5] = $wanted;
            assert_close($f(x), wanted[0]);
            assert_close(grad($f)(x), wanted[1]);
            assert_close(grad(grad($f))(x), wanted[2]);
            assert_close(grad(grad(grad($f)))(x), wanted[3]);
            assert_close(grad(grad(grad(grad($f))))(x), wanted[4]);
            assert_close(jvp($f)(x, one).1, wanted[1]);
            assert_close(jvp(|x| jvp($f)(x, one).1)(x, one).1, wanted[2]);
            assert_close(grad(|x| jvp($f)(x, one).1)(x), wanted[2]);
            assert_close(jvp(grad($f))(x, one).1, wanted[2]);
            assert_close(grad(|x| jvp(grad(|x| jvp($f)(x, one).1))(x, one).1)(x), wanted[4]);
            assert_close(jvp(grad(|x| jvp(grad($f))(x, one).1))(x, one).1, wanted[4]);
            assert_close(hessian($f)(x), wanted[2]);
            for (k, wanted) in wanted.into_iter().enumerate() {
                assert_close(directional($f, k)(x, one), wanted);
            }
        }
    }};
}

#[test]
fn derivatives_to_order_4_are_the_closed_forms_in_every_mixture_of_modes() {
    for x in [-1.5, 0.0, 0.5, 2.0f64] {
        assert_orders!(quartic, x, [x.powi(4), 4.0 * x.powi(3), 12.0 * x * x, 24.0 * x, 24.0]);
        assert_orders!(power, x, [x.powi(4), 4.0 * x.powi(3), 12.0 * x * x, 24.0 * x, 24.0]);
        let (s, c) = x.sin_cos();
        assert_orders!(sine, x, [s, c, -s, -c, s]);
        let (third, fourth) =
            (c * c * c - 3.0 * s * c - c, c.powi(4) - 6.0 * s * c * c - 4.0 * c * c + 3.0 * s * s + s);
        assert_orders!(exp_sin, x, [1.0, c, c * c - s, third, fourth].map(|p| p * s.exp()));
        let t = x.tanh();
        let u = 1.0 - t * t;
        let fourth = u * (16.0 * t - 24.0 * t * t * t);
        assert_orders!(tanh, x, [t, u, -2.0 * t * u, u * (6.0 * t * t - 2.0), fourth]);
    }
}

#[test]
fn mixed_partial_derivatives_to_order_4() {
    fn f<'t>([x, y]: [V<'t>; 2]) -> V<'t> {
        x * x * x * y * y
    }
    let tape = Tape::new();
    let (x, y) = (2.0, 3.0);
    let at = [tape.scalar(x), tape.scalar(y)];
    let fx = |v| many::grad(f)(v)[0];
    assert_close(fx(at), 3.0 * x * x * y * y);
    let [fxx, fxy] = many::grad(|v| many::grad(f)(v)[0])(at);
    let [fyx, fyy] = many::grad(|v| many::grad(f)(v)[1])(at);
    for (found, wanted) in
        [(fxx, 6.0 * x * y * y), (fxy, 6.0 * x * x * y), (fyx, 6.0 * x * x * y), (fyy, 2.0 * x * x * x)]
    {
        assert_close(found, wanted);
    }
    let [fxxx, fxxy] = many::grad(|v| many::grad(|v| many::grad(f)(v)[0])(v)[0])(at);
    assert_close(fxxx, 6.0 * y * y);
    assert_close(fxxy, 12.0 * x * y);
    let [fxxyx, fxxyy] = many::grad(|v| many::grad(|v| many::grad(|v| many::grad(f)(v)[0])(v)[0])(v)[1])(at);
    assert_close(fxxyx, 12.0 * y);
    assert_close(fxxyy, 12.0 * x);
    let [[hxx, hxy], [hyx, hyy]] = many::hessian(f)(at);
    for (a, b) in [(hxx, fxx), (hxy, fxy), (hyx, fyx), (hyy, fyy)] {
        assert_eq!(a.item().unwrap(), b.item().unwrap());
    }
}

#[test]
fn perturbations_of_different_variables_are_not_confused() {
    let tape = Tape::new();
    let one = tape.scalar(1.0);
    for x in [tape.scalar(3.0), tape.var(&Tensor::scalar(3.0))] {
        // d/dx (x · d/dy (x + y)) = d/dx x = 1, in the four mixtures of modes.
        assert_close(grad(|x| x * grad(|y| x + y)(x))(x), 1.0);
        assert_close(grad(|x| x * jvp(|y| x + y)(x, one).1)(x), 1.0);
        assert_close(jvp(|x| x * grad(|y| x + y)(x))(x, one).1, 1.0);
        assert_close(jvp(|x| x * jvp(|y| x + y)(x, one).1)(x, one).1, 1.0);
        // d/dx (x · d/dy (x y)) = d/dx x² = 2x, whatever y is.
        assert_close(grad(|x| x * grad(|y| x * y)(x))(x), 6.0);
        assert_close(grad(|x| x * jvp(|y| x * y)(x, one).1)(x), 6.0);
        assert_close(jvp(|x| x * grad(|y| x * y)(x))(x, one).1, 6.0);
        assert_close(jvp(|x| x * jvp(|y| x * y)(x, one).1)(x, one).1, 6.0);
        assert_close(grad(|x| x * grad(|y| x * y)(one * 7.0))(x), 6.0);
        // d/dx (d/dy (x² y³) at y = x) = d/dx 3x⁴ = 12x³, though ∂²/∂x∂y = 6xy² = 6x³.
        assert_close(grad(|x| grad(|y| x * x * y * y * y)(x))(x), 12.0 * 27.0);
        assert_close(grad(|x| grad(|y| x * x * y * y * y)(x.detach()))(x), 6.0 * 27.0);
        // Three levels: d/dx d/dy d/dz (x y z) = 1, at one and the same point.
        assert_close(grad(|x| grad(|y| grad(|z| x * y * z)(x))(x))(x), 1.0);
        assert_close(jvp(|x| grad(|y| jvp(|z| x * y * z)(x, one).1)(x))(x, one).1, 1.0);
    }
}

#[test]
fn tangents_and_cotangents_may_depend_on_the_variable() {
    let tape = Tape::new();
    let one = tape.scalar(1.0);
    let x = tape.scalar(2.0);
    // The tangent is x: 2xy·x at y = x is 2x³, whose derivative is 6x².
    assert_close(jvp(|x| jvp(|y| x * y * y)(x, x).1)(x, one).1, 24.0);
    assert_close(grad(|x| jvp(|y| x * y * y)(x, x).1)(x), 24.0);
    // The cotangent is x².
    assert_close(grad(|x| vjp(|y| y.sin())(one, x * x).1)(x), 4.0 * 1f64.cos());
    assert_close(jvp(|x| vjp(|y| y.sin())(one, x * x).1)(x, one).1, 4.0 * 1f64.cos());
    // hvp along a direction that moves: (y³)'' · v = 6y v at y = x, v = x².
    assert_close(grad(|x| hvp(|y| y * y * y)(x, x * x))(x), 18.0 * 4.0);
    assert_close(grad(|x| vhp(|y| y * y * y)(x, x * x))(x), 18.0 * 4.0);
    assert_close(grad(|x| directional(|y| y * y * y, 2)(x, x))(x), 18.0 * 4.0);
}

#[test]
fn a_captured_variable_is_not_the_argument() {
    let tape = Tape::new();
    let one = tape.scalar(1.0);
    let x = tape.var(&Tensor::scalar(3.0));
    assert_close(grad(|_| x * x)(x), 0.0);
    assert_close(grad(|_| x)(x), 0.0);
    assert_close(jvp(|_| x)(x, one).1, 0.0);
    assert_close(jvp(|_| x * x)(x, one).1, 0.0);
    assert_close(vjp(|_| x)(x, one).0, 3.0);
    // The inner derivative is of the captured one's square, 0 as a function of y, yet its value counts outside.
    assert_close(grad(|x| grad(|_| x * x)(x) + x)(x), 1.0);
    assert_close(grad(|x| value_and_grad(|_| x * x)(x).0)(x), 6.0);
    assert_close(grad(|x| jvp(|_| x * x)(x, one).0)(x), 6.0);
    // The identity returns its argument itself.
    assert_close(grad(|y| y)(x), 1.0);
    assert_close(jvp(|y| y)(x, one * 5.0).1, 5.0);
    assert_close(hessian(|y| y)(x), 0.0);
}

#[test]
fn one_variable_in_two_places_has_two_partial_derivatives() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(3.0));
    let [a, b] = many::grad(|[a, b]| a * a * b)([x, x]);
    assert_close(a, 18.0);
    assert_close(b, 9.0);
    let (_, dy) = many::jvp(|[a, b]| a * a * b)([x, x], [tape.scalar(1.0), tape.scalar(0.0)]);
    assert_close(dy, 18.0);
    let [[aa, ab], [ba, bb]] = many::hessian(|[a, b]| a * a * b)([x, x]);
    for (found, wanted) in [(aa, 6.0), (ab, 6.0), (ba, 6.0), (bb, 0.0)] {
        assert_close(found, wanted);
    }
    // Both lead on to the one variable.
    assert_eq!((a + b).backward().unwrap().wrt(x).unwrap().item().unwrap(), 12.0 + 6.0);
}

#[test]
fn a_derivative_flows_on_to_the_variables_of_the_outer_tape() {
    let tape = Tape::new();
    let (w, v) = (tape.var(&Tensor::scalar(0.7)), tape.var(&Tensor::scalar(0.9)));
    let g = grad(|x| (w * x).sin())(v);
    let (s, c) = (0.7f64 * 0.9).sin_cos();
    assert_close(g, 0.7 * c);
    let grads = g.backward().unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-15;
    assert!(near(grads.wrt(w).unwrap().item().unwrap(), c - 0.7 * 0.9 * s));
    assert!(near(grads.wrt(v).unwrap().item().unwrap(), -0.7 * 0.7 * s));
    // Through an intermediate argument: h = v², 3h² = 3v⁴, 12v³.
    let g = grad(|x| x * x * x)(v * v);
    let dv = g.backward().unwrap().wrt(v).unwrap().item().unwrap();
    assert!((dv - 12.0 * 0.9f64.powi(3)).abs() < 1e-14);
    let (y, dy) = jvp(|x| x * x)(v * v, w);
    let [dw, dv] = tape.grad(y + dy, [w, v]).unwrap().map(|g| g.item().unwrap());
    assert!(near(dw, 2.0 * 0.81) && near(dv, 4.0 * 0.9f64.powi(3) + 4.0 * 0.9 * 0.7), "{dw} {dv}");
}

#[test]
fn constant_and_linear_functions_have_zeros_of_the_right_shape() {
    let tape = Tape::new();
    let x = tape.constant(&Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    let c = tape.constant(&Tensor::from([7.0, 8.0]));
    assert_all(grad(|_| tape.scalar(1.0))(x), &[2, 3], &[0.0; 6]);
    assert_all(vjp(|_| c)(x, c).1, &[2, 3], &[0.0; 6]);
    assert_all(jvp(|_| c)(x, x).1, &[2], &[0.0; 2]);
    assert_all(hessian(|x| x.sum())(x), &[2, 3, 2, 3], &[0.0; 36]);
    assert_all(hessian(|_| tape.scalar(1.0))(x), &[2, 3, 2, 3], &[0.0; 36]);
    assert_all(hvp(|x| x.sum())(x, x), &[2, 3], &[0.0; 6]);
    assert_all(vhp(|x| x.sum())(x, x), &[2, 3], &[0.0; 6]);
    assert_all(directional(|x| x * 2.0, 2)(x, x), &[2, 3], &[0.0; 6]);
    assert_all(directional(|_| c, 1)(x, x), &[2], &[0.0; 2]);
    for j in [jacobian(|_| c)(x), jacobian_forward(|_| c)(x), jacobian_reverse(|_| c)(x)] {
        assert_all(j, &[2, 2, 3], &[0.0; 12]);
    }
    let [gx, gc] = many::grad(|[_, c]| (c * c).sum())([x, c]);
    assert_all(gx, &[2, 3], &[0.0; 6]);
    assert_all(gc, &[2], &[14.0, 16.0]);
    // Nothing in, or nothing out.
    let empty = tape.constant(&Tensor::zeros([0]).unwrap());
    for j in [jacobian(|_| c)(empty), jacobian_forward(|_| c)(empty), jacobian_reverse(|_| c)(empty)] {
        assert_all(j, &[2, 0], &[]);
    }
    for j in [jacobian(|_| empty)(c), jacobian_forward(|_| empty)(c), jacobian_reverse(|_| empty)(c)] {
        assert_all(j, &[0, 2], &[]);
    }
    assert_all(grad(|x| x.sum())(empty), &[0], &[]);
    assert_all(hessian(|x| x.sum())(empty), &[0, 0], &[]);
}

#[test]
fn directional_derivatives_of_every_order() {
    let tape = Tape::new();
    let x = tape.constant(&Tensor::from([0.1, -0.2, 0.3]));
    let a = tape.constant(&Tensor::from([1.0, 2.0, -1.0]));
    let v = tape.constant(&Tensor::from([0.5, 1.0, 2.0]));
    // exp(a·x) along v: (a·v)ᵏ exp(a·x), a·v = 0.5.
    let value = (0.1 - 0.4 - 0.3f64).exp();
    for k in 0..=6 {
        assert_close(directional(|x| (a * x).sum().exp(), k)(x, v), 0.5f64.powi(k as i32) * value);
    }
    // A tensor: each element of sin by itself.
    for k in 0..=5usize {
        let found = directional(|x| x.sin(), k)(x, v).value().unwrap();
        assert_eq!(found.shape(), [3]);
        for ((found, x), v) in found.iter().zip([0.1, -0.2, 0.3f64]).zip([0.5, 1.0, 2.0f64]) {
            let (s, c) = x.sin_cos();
            let wanted = [s, c, -s, -c][k % 4] * v.powi(k as i32);
            assert!((found - wanted).abs() < 1e-13, "{k}: {found} {wanted}");
        }
    }
    let two = [tape.scalar(0.5), tape.scalar(2.0)];
    // x y along (1, 3): 2·1·3 at order 2, 0 beyond.
    for (k, wanted) in [(0, 1.0), (1, 2.0 + 1.5), (2, 6.0), (3, 0.0)] {
        assert_close(many::directional(|[x, y]| x * y, k)(two, [tape.scalar(1.0), tape.scalar(3.0)]), wanted);
    }
}

#[test]
fn directions_at_several_nodes_add_up() {
    let tape = Tape::new();
    let (one, two) = (tape.scalar(1.0), tape.scalar(2.0));
    let x = tape.var(&Tensor::scalar(5.0));
    let h = x * x;
    let y = h * 3.0;
    // At the leaf and at what depends on it, at one node twice, and at the output.
    assert_close(tape.jvp(y, [(x, one), (h, two)]).unwrap(), 3.0 * (10.0 + 2.0));
    assert_close(tape.jvp(y, [(h, two), (x, one)]).unwrap(), 3.0 * (10.0 + 2.0));
    assert_close(tape.jvp(y, [(x, one), (x, two)]).unwrap(), 90.0);
    assert_close(tape.jvp(y, [(y, two), (x, one)]).unwrap(), 32.0);
    let both = tape.jvp_many(&[h, y, x], [(x, one), (h, two)]).unwrap();
    assert_eq!(both.iter().map(|d| d.item().unwrap()).collect::<Vec<_>>(), [12.0, 36.0, 1.0]);
    let none: [(V<'_>, V<'_>); 0] = [];
    assert_close(tape.jvp(y, none).unwrap(), 0.0);
    assert!(tape.jvp_many(&[], [(x, one)]).unwrap().is_empty());
    // Seeds at several outputs, one of them on the way to another, likewise.
    let g = tape.vjp_many(&[(y, one), (h, two), (h, two)], &[x, h]).unwrap();
    assert_eq!(g.iter().map(|g| g.item().unwrap()).collect::<Vec<_>>(), [70.0, 7.0]);
    let g = tape.vjp_many::<V<'_>>(&[], &[x]).unwrap();
    assert_close(g[0], 0.0);
}

#[test]
fn several_arguments_in_every_form() {
    let tape = Tape::new();
    let x = tape.constant(&Tensor::from([1.0, 2.0]));
    let s = tape.constant(&Tensor::scalar(3.0));
    let v = [tape.constant(&Tensor::from([1.0, 0.0])), tape.scalar(10.0)];
    // f = s² Σx² : by x 2s²x, by s 2sΣx² .
    let (y, [gx, gs]) = many::value_and_grad(|[x, s]| s * s * (x * x).sum())([x, s]);
    assert_close(y, 45.0);
    assert_all(gx, &[2], &[18.0, 36.0]);
    assert_close(gs, 30.0);
    let (y, [gx, gs]) = many::vjp(|[x, s]| x * s)([x, s], v[0]);
    assert_all(y, &[2], &[3.0, 6.0]);
    assert_all(gx, &[2], &[3.0, 0.0]);
    assert_close(gs, 1.0);
    let (y, dy) = many::jvp(|[x, s]| x * s)([x, s], v);
    assert_all(y, &[2], &[3.0, 6.0]);
    assert_all(dy, &[2], &[13.0, 20.0]);
    for [jx, js] in [
        many::jacobian(|[x, s]| x * s)([x, s]),
        many::jacobian_forward(|[x, s]| x * s)([x, s]),
        many::jacobian_reverse(|[x, s]| x * s)([x, s]),
    ] {
        assert_all(jx, &[2, 2], &[3.0, 0.0, 0.0, 3.0]);
        assert_all(js, &[2], &[1.0, 2.0]);
    }
    let [[xx, xs], [sx, ss]] = many::hessian(|[x, s]| s * s * (x * x).sum())([x, s]);
    assert_all(xx, &[2, 2], &[18.0, 0.0, 0.0, 18.0]);
    assert_all(xs, &[2], &[12.0, 24.0]);
    assert_all(sx, &[2], &[12.0, 24.0]);
    assert_all(ss, &[], &[10.0]);
    for [hx, hs] in [
        many::hvp(|[x, s]| s * s * (x * x).sum())([x, s], v),
        many::vhp(|[x, s]| s * s * (x * x).sum())([x, s], v),
    ] {
        assert_all(hx, &[2], &[18.0 + 120.0, 240.0]);
        assert_all(hs, &[], &[12.0 + 100.0]);
    }
}

#[test]
fn a_loop_of_gradient_steps_is_differentiated_through() {
    // Three steps of descent on ½a x² from x₀ with rate r: x₃ = (1 − ra)³ x₀, whose derivative by r is −3a(1 − ra)²x₀.
    let tape = Tape::new();
    let r = tape.var(&Tensor::scalar(0.1));
    let last = |r: V<'_>| {
        let mut x = r.tape().scalar(5.0);
        for _ in 0..3 {
            x = x - r * grad(|x| x * x)(x);
        }
        x.item().unwrap()
    };
    assert!((last(r) - 0.8f64.powi(3) * 5.0).abs() < 1e-14);
    let g = grad(|r| {
        let mut x = tape.scalar(5.0);
        for _ in 0..3 {
            x = x - r * grad(|x| x * x)(x);
        }
        x
    })(r);
    assert_close(g, -3.0 * 2.0 * 0.64 * 5.0);
}
