use super::*;
use crate::{Reduction, Tape};

/// Value and the first three derivatives of one term at (x, t).
fn orders(loss: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, x: f64) -> [f64; 4] {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(x));
    let mut y = loss(x);
    std::array::from_fn(|order| {
        if order > 0 {
            [y] = tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap();
        }
        y.item().unwrap()
    })
}

/// d = σ(x) − t, then σ' = σ(x) σ(−x), then σ'·(σ(−x) − σ(x)): from e^−|x| alone, in the tails.
#[test]
fn the_logistic_entropy_keeps_its_tails_at_every_order() {
    for x in [20.0, 40.0, 88.0, 360.0, 700.0f64] {
        let e = (-x).exp();
        let s = 1.0 / (1.0 + e);
        let exact = [e.ln_1p(), -e * s, e * s * s, e * s * s * (e * s - s)];
        for (sign, t) in [(1.0, 1.0), (-1.0, 0.0)] {
            let found = orders(|x| x.binary_cross_entropy_with_logits(t, Reduction::None), sign * x);
            for (order, (found, exact)) in found.iter().zip(exact).enumerate() {
                let exact = if order % 2 == 1 { sign * exact } else { exact };
                assert!((found / exact - 1.0).abs() < 4e-15, "{x} order {order}: {found:e} {exact:e}");
            }
        }
        assert_eq!(orders(|x| x.binary_cross_entropy_with_logits(0.0, Reduction::None), x)[0], x + e.ln_1p());
    }
}

#[test]
fn infinite_logits_cost_nothing_or_everything() {
    let at = |x: f64, t| orders(|x| x.binary_cross_entropy_with_logits(t, Reduction::None), x);
    assert_eq!(at(f64::INFINITY, 1.0), [0.0; 4]);
    assert_eq!(at(f64::NEG_INFINITY, 0.0), [0.0; 4]);
    assert_eq!(at(f64::INFINITY, 0.0)[..2], [f64::INFINITY, 1.0]);
    assert_eq!(at(f64::NEG_INFINITY, 1.0)[..2], [f64::INFINITY, -1.0]);
    assert!(at(f64::NAN, 1.0)[0].is_nan());
}

#[test]
fn a_weight_of_the_yes_keeps_the_tails_and_the_infinities() {
    let with = |x: f64, t: f64| {
        let how = BinaryCrossEntropy::new().pos_weight(&Tensor::scalar(1e-3));
        orders(|x| x.binary_cross_entropy_with_logits(t, how.clone()), x)
    };
    for x in [20.0, 88.0, 700.0f64] {
        let e = (-x).exp();
        for (found, exact) in [(with(x, 1.0), 1e-3 * e), (with(-x, 0.0), e)] {
            assert!((found[0] / exact - 1.0).abs() < 1e-8 && (found[1].abs() / exact - 1.0).abs() < 1e-8);
        }
    }
    assert_eq!(with(f64::INFINITY, 1.0), [0.0; 4]);
    assert_eq!(with(f64::NEG_INFINITY, 0.0), [0.0; 4]);
    assert_eq!(with(f64::NEG_INFINITY, 1.0)[..2], [f64::INFINITY, -1e-3]);
    assert!(with(f64::NAN, 0.0)[0].is_nan());
}

#[test]
fn certainties_have_the_values_documented() {
    let at = |p: f64, t: f64| orders(|p| p.binary_cross_entropy(t, Reduction::None), p);
    assert_eq!(at(0.0, 0.0)[..3], [0.0, 1.0, 1.0]);
    assert_eq!(at(1.0, 1.0)[..3], [0.0, -1.0, 1.0]);
    assert_eq!(at(0.0, 1.0), [100.0, -1e12, 0.0, 0.0]);
    assert_eq!(at(1.0, 0.0), [100.0, 1e12, 0.0, 0.0]);
    // On both sides of the bounds.
    assert_eq!(at(3.73e-44, 1.0)[0], -3.73e-44f64.ln());
    assert_eq!(at(3.72e-44, 1.0)[0], 100.0);
    assert_eq!(at(2e-12, 1.0)[1..3], [-1.0 / 2e-12, 1.0 / 2e-12 / 2e-12]);
    assert!(at(f64::NAN, 1.0)[0].is_nan());
    // ln (1 − p) is not ln of 1 − p rounded.
    assert_eq!(at(1e-20, 0.0)[0], 1e-20);

    let tape = Tape::<f32>::new();
    let p = tape.var(&Tensor::from([0.0f32, 1.0]));
    assert_eq!(p.binary_cross_entropy(&Tensor::from([1.0f32, 0.0]), Reduction::Sum).item().unwrap(), 200.0);
}

/// Both logarithms by the target, which may be a variable: finite where they are bounded.
#[test]
fn the_target_has_a_gradient_at_certainties() {
    let tape = Tape::new();
    let p = tape.var(&Tensor::from([0.0, 1.0, 0.5]));
    let t = tape.var(&Tensor::from([0.0, 1.0, 0.5]));
    let loss = p.binary_cross_entropy(t, Reduction::Sum);
    let [dp, dt] = tape.vjp(loss, &Tensor::scalar(1.0), [p, t]).unwrap();
    assert_eq!(dt.value().unwrap().to_vec(), [100.0, -100.0, 0.0]);
    // The mixed derivative, −1/p − 1/(1 − p), is finite, too.
    let mixed = dp.sum().backward().unwrap().wrt(t).unwrap().to_vec();
    assert_eq!(mixed, [-1e12 - 1.0, -1e12 - 1.0, -4.0]);
    let back = dt.sum().backward().unwrap().wrt(p).unwrap().to_vec();
    assert!(back.iter().all(|x| x.is_finite()), "{back:?}");
}

#[test]
fn a_power_of_what_underflows_has_a_gradient() {
    let focal = |x: f64, gamma| {
        let how = Focal::new().gamma(gamma).alpha(None);
        orders(|x| x.sigmoid_focal_loss(1.0, how.clone()), x)
    };
    for gamma in [0.5, 1.0, 2.0] {
        assert!(focal(1e4, gamma).iter().all(|&x| x == 0.0), "{gamma}: {:?}", focal(1e4, gamma));
        let left = focal(-1e4, gamma);
        assert!((left[0] - 1e4).abs() < 1e-9 && (left[1] + 1.0).abs() < 1e-12, "{gamma}: {left:?}");
    }
    let tape = Tape::<f32>::new();
    let x = tape.var(&Tensor::scalar(200.0));
    let loss = x.sigmoid_focal_loss(1.0, Focal::new().gamma(0.5));
    assert_eq!(loss.backward().unwrap().wrt(x).unwrap().item().unwrap(), 0.0);
}

#[test]
fn alpha_weighs_yes_and_no() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([0.0, 0.0]));
    let t = Tensor::from([1.0, 0.0]);
    let loss = x.sigmoid_focal_loss(&t, Reduction::None).value().unwrap().to_vec();
    let base = 0.25 * 2f64.ln();
    assert!((loss[0] - 0.25 * base).abs() < 1e-16 && (loss[1] - 0.75 * base).abs() < 1e-16, "{loss:?}");
}

/// What torchvision's `sigmoid_focal_loss` gives in double precision, and its gradient.
#[test]
fn the_focal_loss_agrees_with_torchvision() {
    let at = |how: Focal| {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([-1.5, 0.25, 2.0, -0.75]));
        let t = Tensor::from([0.0, 1.0, 0.0, 1.0]);
        let loss = x.sigmoid_focal_loss(&t, how.reduction(Reduction::None));
        [loss.value().unwrap().to_vec(), loss.sum().backward().unwrap().wrt(x).unwrap().to_vec()].concat()
    };
    let close = |found: Vec<f64>, wanted: [f64; 8]| {
        found.iter().zip(wanted).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{a} {b}"));
    };
    close(
        at(Focal::new()),
        [
            0.005027135194931744,
            0.02760037281621379,
            1.2375586345660565,
            0.13110501756948614,
            0.012773328917426947,
            -0.05201409478121608,
            0.8075352978363615,
            -0.16244608131095095,
        ],
    );
    close(
        at(Focal::new().alpha(None).gamma(1.5)),
        [
            0.015693380347931843,
            0.16684969071505285,
            1.7581931700112423,
            0.6363371462529492,
            0.03345968534496895,
            -0.26753596164111415,
            1.042470351486716,
            -0.6863802721081049,
        ],
    );
}
