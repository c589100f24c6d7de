//! Programs over numbers, run on floats, on duals of every depth, and on a tape: each derivative against its closed
//! form, without a tape and over one.

use retrograde::{Dual, Number, Scalar, Tape, Tensor, Var};

type D1 = Dual<f64>;
type D2 = Dual<D1>;
type D3 = Dual<D2>;
type D4 = Dual<D3>;

/// The variable at every level, and what a function makes of it: value and derivatives to the fourth.
fn orders(f: impl Fn(D4) -> D4, x: f64) -> [f64; 5] {
    let x = Dual::variable(Dual::variable(Dual::variable(Dual::variable(x))));
    let y = f(x);
    let (d, dd) = (y.tangent(), y.tangent().tangent());
    [y.primal(), d.primal(), dd.primal(), dd.tangent().value, dd.tangent().tangent()]
}

#[track_caller]
fn close(found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs();
    assert!(error <= tolerance * wanted.abs().max(1.0), "{found:e} against {wanted:e}, error {error:e}");
}

/// Relative, for values of any size.
#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found / wanted - 1.0).abs() <= tolerance, "{found:e} against {wanted:e}");
}

/// x e^(−2x) + sin x.
fn wave<N: Number>(x: N) -> N {
    x * x.scale(-2.0).exp() + x.sin()
}

/// Its derivatives: (−2)ⁿ e^(−2x) (x − n/2) + sin⁽ⁿ⁾ x.
fn wave_exact(x: f64) -> [f64; 5] {
    std::array::from_fn(|n| {
        let n = n as f64;
        let shift = n * std::f64::consts::FRAC_PI_2;
        (-2f64).powf(n) * (-2.0 * x).exp() * (x - n / 2.0) + (x + shift).sin()
    })
}

/// x² y³ + sin(y z).
fn of_three<N: Number>([x, y, z]: [N; 3]) -> N {
    x.square() * y * y * y + (y * z).sin()
}

fn of_three_gradient([x, y, z]: [f64; 3]) -> [f64; 3] {
    [2.0 * x * y.powi(3), 3.0 * x * x * y * y + z * (y * z).cos(), y * (y * z).cos()]
}

#[test]
fn one_text_runs_on_every_kind_of_number() {
    for x in [-1.3, -0.2, 0.0, 0.7, 2.5] {
        let exact = wave_exact(x);
        close(wave(x), exact[0], 1e-14);
        close(f64::from(wave(x as f32)), exact[0], 1e-5);
        assert_eq!(wave(Dual::variable(x)).value, wave(x));
        close(wave(Dual::variable(x)).tangent(), exact[1], 1e-14);
        close(f64::from(wave(Dual::variable(x as f32)).tangent()), exact[1], 1e-5);
        for (n, (found, wanted)) in orders(wave, x).into_iter().zip(exact).enumerate() {
            assert!((found - wanted).abs() <= 1e-13 * wanted.abs().max(1.0), "order {n} at {x}");
        }
        // Three directions at once, of which the function goes along twice the second.
        let at = Dual { value: x, tangents: [0.0, 2.0, 0.0] };
        let tangents = wave(at).tangents;
        close(tangents[1], 2.0 * exact[1], 1e-14);
        assert_eq!([tangents[0], tangents[2]], [0.0, 0.0]);

        let tape = Tape::new();
        let x = tape.var(&Tensor::scalar(x));
        let one = Tensor::scalar(1.0);
        let mut y = wave(x);
        for (n, wanted) in exact.into_iter().enumerate().take(4) {
            assert!((y.item().unwrap() - wanted).abs() <= 1e-13 * wanted.abs().max(1.0), "order {n}");
            [y] = tape.vjp(y, &one, [x]).unwrap();
        }
    }
}

#[test]
fn fourth_derivatives_are_exact_where_the_numbers_are() {
    let fourth_power = |x: D4| x * x * x * x;
    assert_eq!(orders(fourth_power, 3.0), [81.0, 108.0, 108.0, 72.0, 24.0]);
    assert_eq!(orders(|x| x.powf(4.0), 3.0), [81.0, 108.0, 108.0, 72.0, 24.0]);
    assert_eq!(orders(|x| x.square().square(), -1.0), [1.0, -4.0, 12.0, -24.0, 24.0]);
    assert_eq!(orders(|x| x.recip(), 2.0), [0.5, -0.25, 0.25, -0.375, 0.75]);
    assert_eq!(orders(|x| x.lit(1.0) / x, 2.0), [0.5, -0.25, 0.25, -0.375, 0.75]);
    let (s, c) = 0.8f64.sin_cos();
    for (found, wanted) in orders(|x| x.sin(), 0.8).into_iter().zip([s, c, -s, -c, s]) {
        close(found, wanted, 1e-15);
    }
}

#[test]
fn several_directions_give_a_gradient_and_a_hessian() {
    let at = [1.5, -0.7, 2.0];
    let y = of_three(Dual::variables(at));
    for (found, wanted) in y.tangents.into_iter().zip(of_three_gradient(at)) {
        close(found, wanted, 1e-14);
    }
    // Nested: the gradient's gradient is symmetric, and here mostly filled.
    let y = of_three(Dual::variables(Dual::variables(at)));
    let [x, y1, z] = at;
    let (s, c) = (y1 * z).sin_cos();
    let hessian = [
        [2.0 * y1.powi(3), 6.0 * x * y1 * y1, 0.0],
        [6.0 * x * y1 * y1, 6.0 * x * x * y1 - z * z * s, c - y1 * z * s],
        [0.0, c - y1 * z * s, -y1 * y1 * s],
    ];
    for (i, row) in hessian.into_iter().enumerate() {
        close(y.value.tangents[i], of_three_gradient(at)[i], 1e-14);
        for (j, wanted) in row.into_iter().enumerate() {
            close(y.tangents[i].tangents[j], wanted, 1e-14);
        }
    }
    // Different numbers of directions at each level.
    let outer = Dual::<f64, 2>::variables([0.3, 0.4]);
    let inner: [Dual<Dual<f64, 2>, 3>; 3] = Dual::variables([outer[0], outer[1], outer[0] * outer[1]]);
    let product = inner[0] * inner[1] * inner[2];
    // ∂/∂c of a b c is a b: b and a along the outer directions.
    assert_eq!(product.tangents[2].value, 0.3 * 0.4);
    assert_eq!(product.tangents[2].tangents, [0.4, 0.3]);
    assert_eq!(Dual::<f64, 2>::constant(4.0).tangents, [0.0, 0.0]);
    assert_eq!(outer[0].lit(7.0).value, 7.0);
    assert_eq!(outer[0].lit(7.0).tangents, [0.0, 0.0]);
}

/// df/dx at any number.
fn derivative<N: Number>(f: impl Fn(Dual<N>) -> Dual<N>, x: N) -> N {
    f(Dual::variable(x)).tangent()
}

#[test]
fn perturbations_are_not_confused() {
    // d/dx (x · d/dy (x + y)) = 1: 2 where the two directions are taken for one.
    let inner = |x: D1| derivative(|y| Dual::constant(x) + y, Dual::constant(1.0));
    assert_eq!(derivative(|x| x * inner(x), 1.0), 1.0);
    // d/dx (x · d/dy (x · y) at y = 3) = 2x.
    let inner = |x: D1| derivative(|y| Dual::constant(x) * y, Dual::constant(3.0));
    assert_eq!(derivative(|x| x * inner(x), 5.0), 10.0);
    // d/dx (x · d/dy (x · y²) at y = x) = d/dx 2x³ = 6x².
    let inner = |x: D1| derivative(|y| Dual::constant(x) * y * y, x);
    assert_eq!(derivative(|x| x * inner(x), 2.0), 24.0);
    // The inner derivative is of a function that the outer variable shifts: d/dx sin′(x + 1) = −sin(x + 1).
    let inner = |x: D1| derivative(|y| (Dual::constant(x) + y).sin(), Dual::constant(1.0));
    close(derivative(inner, 0.5), -1.5f64.sin(), 1e-15);
    // Three levels: d/dx d/dy d/dz x y² z³ = 2y · 3z².
    let three = derivative(
        |x: D1| {
            derivative(
                |y: D2| {
                    derivative(
                        |z: D3| {
                            let (x, y) = (Dual::constant(Dual::constant(x)), Dual::constant(y));
                            x * y * y * z * z * z
                        },
                        Dual::constant(Dual::constant(5.0)),
                    )
                },
                Dual::constant(3.0),
            )
        },
        2.0,
    );
    assert_eq!(three, 2.0 * 3.0 * 3.0 * 25.0);
}

/// √a by as many steps as the values need, and some more for the tangents.
fn newton<N: Scalar>(a: N, more: usize) -> N {
    let mut x = a.lit(1.0);
    let mut left = more;
    while left > 0 {
        let next = (x + a / x) * a.lit(0.5);
        if (next - x).primal().abs() <= 1e-15 * next.primal() {
            left -= 1;
        }
        x = next;
    }
    x
}

#[test]
fn newtons_iteration_is_differentiated() {
    for a in [0.01, 1.0, 2.0, 50.0] {
        let root = a.sqrt();
        let exact = [root, 0.5 / root, -0.25 / (root * a), 0.375 / (root * a * a)];
        for (found, wanted) in orders(|a| newton(a, 4), a).into_iter().zip(exact) {
            near(found, wanted, 1e-12);
        }
        near(f64::from(newton(Dual::variable(a as f32), 2).tangent()), exact[1], 1e-6);
    }
    // Started at the root the values have settled before the first step: each step settles an order.
    assert_eq!(orders(|a| newton(a, 1), 1.0)[1], 0.5);
    assert_eq!(orders(|a| newton(a, 1), 1.0)[2], 0.0);
    assert_eq!(orders(|a| newton(a, 2), 1.0)[2], -0.25);
}

/// x³ below −1, a line that meets it up to 2, a logarithm above.
fn piecewise<N: Scalar>(x: N) -> N {
    if x < x.lit(-1.0) {
        x * x * x
    } else if x.primal() <= 2.0 {
        x.scale(3.0) + x.lit(2.0)
    } else {
        x.ln()
    }
}

/// The number of turns depends on the value, and each turn on the last.
fn turns<N: Scalar>(mut x: N) -> N {
    let mut sum = x.lit(0.0);
    while x > x.lit(1.0) {
        x /= x.lit(3.0);
        x *= x;
        sum += x;
        sum -= x.lit(0.125);
    }
    sum
}

/// The root in y of y³ + y = x: bisection finds it without tangents, one Newton step gives it those of x.
fn implicit<N: Scalar>(x: N) -> N {
    let f = |y: f64| y * y * y + y - x.primal();
    let (mut low, mut high) = (-100.0, 100.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    let y = x.lit(0.5 * (low + high));
    let slope = y * y * x.lit(3.0) + x.lit(1.0);
    y - (y * y * y + y - x) / slope
}

#[test]
fn control_flow_is_differentiated_along_the_branch_taken() {
    for (x, value, first, second) in [
        (-2.0, -8.0, 12.0, -12.0),
        (-1.0, -1.0, 3.0, 0.0),
        (2.0, 8.0, 3.0, 0.0),
        (4.0, 4f64.ln(), 0.25, -0.0625),
    ] {
        assert_eq!(orders(piecewise, x)[..3], [value, first, second], "at {x}");
        assert_eq!(piecewise(x), value);
    }
    // 0.9: none; 2: x²/9; 4: x²/9 and (x²/9)²/9.
    assert_eq!(turns(Dual::variable(0.9)).tangent(), 0.0);
    close(turns(2.0), 4.0 / 9.0 - 0.125, 1e-15);
    close(turns(Dual::variable(2.0)).tangent(), 4.0 / 9.0, 1e-15);
    close(turns(Dual::variable(4.0)).tangent(), 8.0 / 9.0 + 4.0 * 64.0 / 729.0, 1e-15);
    for y in [-2.0, 0.0, 0.4, 3.0f64] {
        let x = y * y * y + y;
        close(implicit(x), y, 1e-14);
        close(implicit(Dual::variable(x)).tangent(), 1.0 / (3.0 * y * y + 1.0), 1e-14);
    }
}

#[test]
fn comparison_sees_the_value_alone() {
    let (a, b) = (Dual::new(1.0, 5.0), Dual::new(1.0, -3.0));
    assert_eq!(a, b);
    assert_eq!([a <= b, a >= b, a < b, a > b], [true, true, false, false]);
    assert!(a < Dual::new(1.5, 0.0) && Dual::new(1.5, 0.0) > a && a != Dual::new(1.5, 5.0));
    assert!(Dual::constant(a) == Dual::new(b, a));
    let (nan, other) = (Dual::variable(f64::NAN), Dual::variable(f64::NAN));
    assert_eq!(
        [nan == other, nan < a, a < nan, nan.is_nan(), a.is_nan()],
        [false, false, false, true, false]
    );
    assert_eq!(nan.partial_cmp(&a), None);
    assert_eq!(Dual::variable(Dual::variable(2.5_f32)).primal(), 2.5);
    assert_eq!((2.5_f64.primal(), 0.1_f32.primal()), (2.5, f64::from(0.1_f32)));
    // A mask chooses value and tangent together.
    assert_eq!(<D1 as Number>::select(a.less(b), a, b).tangent(), -3.0);
    assert_eq!(<D1 as Number>::select(a.less_equal(b), a, b).tangent(), 5.0);
    assert_eq!(<D1 as Number>::select(a.equal(b), a, b).tangent(), 5.0);
    assert_eq!(<D1 as Number>::select(a.greater(b), a, b).tangent(), -3.0);
    assert_eq!(<D1 as Number>::select(a.greater_equal(b), a, b).tangent(), 5.0);
}

#[test]
fn the_rounding_error_of_a_product_has_no_derivative() {
    let (a, b) = (Dual::new(1.1, 2.0), Dual::new(0.3, 5.0));
    let (product, error) = a.two_product(b);
    assert_eq!((product.value, error.value), 1.1.two_product(0.3));
    assert_eq!((product.tangent(), error.tangent()), (2.0 * 0.3 + 1.1 * 5.0, 0.0));
    assert!(error.value != 0.0);
}

#[test]
fn kinks_and_ties_are_the_tapes() {
    let at = |f: fn(D2) -> D2, x: f64| {
        let y = f(Dual::variable(Dual::variable(x)));
        (y.tangent().value, y.tangent().tangent())
    };
    assert_eq!(at(|x| x.abs(), 0.0), (0.0, 0.0));
    assert_eq!(at(|x| x.sign(), 0.0), (0.0, 0.0));
    assert_eq!(at(|x| x.round(), 0.5), (0.0, 0.0));
    assert_eq!(at(|x| x.powf(0.0), 0.0), (0.0, 0.0));
    assert_eq!(at(|x| x.powf(1.0), 0.0), (1.0, 0.0));
    assert_eq!(at(|x| x.maximum(x), 2.0), (1.0, 0.0));
    let [a, b] = Dual::variables([2.0, 2.0]);
    assert_eq!(a.maximum(b).tangents, [0.5, 0.5]);
    assert_eq!(a.minimum(b).tangents, [0.5, 0.5]);
    let [a, b] = Dual::variables([0.0, 0.0]);
    assert_eq!(a.hypot(b).tangents, [0.0, 0.0]);
    assert_eq!(a.atan2(b).tangents, [0.0, 0.0]);
    assert_eq!(a.pow(b).tangents, [0.0, 0.0]);
    // A constant multiple keeps its derivative where the value is infinite; the product of a constant does not.
    assert_eq!(Dual::variable(f64::INFINITY).scale(2.0).tangent(), 2.0);
    assert!((Dual::variable(f64::INFINITY) * Dual::constant(2.0)).tangent().is_nan());
}

#[test]
fn a_nan_stays_one() {
    let nan = Dual::variable(f64::NAN);
    for y in [nan.abs(), nan.sign(), nan.floor(), nan.scale(2.0), nan.minimum(Dual::constant(1.0)), -nan] {
        assert!(y.value.is_nan(), "{y:?}");
    }
    for y in [nan.exp(), nan.sigmoid(), nan.tanh(), nan.sin(), nan.maximum(Dual::constant(1.0)), nan * nan] {
        assert!(y.value.is_nan() && y.tangent().is_nan(), "{y:?}");
    }
    // NaN in a direction stays in it.
    let y = Dual { value: 1.0, tangents: [f64::NAN, 2.0] }.exp();
    assert!(y.value == Number::exp(1.0_f64) && y.tangents[0].is_nan() && y.tangents[1] == 2.0 * y.value);
}

#[test]
fn tails_are_relatively_accurate() {
    for x in [50.0, 300.0, 700.0, 710.0, 745.0] {
        // σ′ = e⁻ˣ/(1 + e⁻ˣ)², which is e⁻ˣ to the last bit out there; the second derivative has the other sign.
        let small = (-x).exp();
        for x in [x, -x] {
            let y = orders(|x| x.sigmoid(), x);
            if small > f64::MIN_POSITIVE {
                near(y[1], small, 1e-15);
                near(y[2], -small * x.signum(), 1e-14);
                near(y[3], small, 1e-13);
            } else {
                assert!(y[1] >= 0.0 && y[1] <= 2.0 * small && y[3].is_finite(), "{x}: {y:?}");
            }
        }
    }
    for x in [-50.0f64, 50.0, 350.0] {
        // tanh′ = 4 e^(−2|x|).
        let small = 4.0 * (-2.0 * x.abs()).exp();
        let y = orders(|x| x.tanh(), x);
        near(y[1], small, 1e-14);
        near(y[2], -2.0 * small * x.signum(), 1e-14);
    }
    for x in [-710.0, 710.0, f64::INFINITY, -f64::INFINITY] {
        let y = orders(|x| x.tanh(), x);
        assert_eq!(y[..3], [x.signum(), 0.0, 0.0], "{x}");
        let y = Dual::variable(x).sigmoid();
        assert!(y.tangent() >= 0.0 && y.tangent() < 1e-300, "{x}: {y:?}");
    }
    near(f64::from(Dual::variable(-80.0_f32).sigmoid().tangent()), (-80f64).exp(), 1e-6);
}

#[test]
fn forward_mode_over_a_tape() {
    // The directional derivative as a variable, and its gradient in reverse: the Hessian's row sums.
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.5, -1.0, 2.0]));
    let y: Var<'_, f64> = wave(Dual::variable(x)).tangent().sum();
    let g = y.backward().unwrap().wrt(x).unwrap().to_vec();
    for (found, x) in g.into_iter().zip([0.5, -1.0, 2.0]) {
        close(found, wave_exact(x)[2], 1e-14);
    }
    // Several directions over a tape, and two levels.
    let [a, b, c] = [1.5, -0.7, 2.0].map(|x| tape.var(&Tensor::scalar(x)));
    let y = of_three(Dual::variables([a, b, c]));
    for (tangent, wanted) in y.tangents.into_iter().zip(of_three_gradient([1.5, -0.7, 2.0])) {
        close(tangent.item().unwrap(), wanted, 1e-14);
    }
    let second = wave(Dual::variable(Dual::variable(a))).tangent().tangent();
    close(second.item().unwrap(), wave_exact(1.5)[2], 1e-14);
    close(second.backward().unwrap().wrt(a).unwrap().item().unwrap(), wave_exact(1.5)[3], 1e-13);
    // An error on the tape travels through.
    let wrong = x.reshape([7]);
    let error = wave(Dual::variable(wrong)).tangent().item().unwrap_err();
    assert_eq!(error.operation(), Some("reshape"));
}

#[test]
fn zero_directions_are_a_plain_number() {
    let x: Dual<f64, 0> = Dual::constant(2.0);
    assert_eq!((x * x + x.exp()).value, 4.0 + Number::exp(2.0_f64));
    let none: [Dual<f64, 0>; 0] = Dual::variables([]);
    assert!(none.is_empty());
}
