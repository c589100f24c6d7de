//! Quantiles and their derivatives against mpmath at 60 digits.

use super::*;

/// A shape, the noise, and `ln y` with its first three derivatives by the shape: `P(a, y) = Φ(z)` solved for `ln y` at
/// 60 digits (by `gammainc`, and `hyp1f1` in the lower tail), the derivatives by 7-point differences of step 10⁻⁸ a.
#[rustfmt::skip]
const REFERENCE: [(f64, f64, [f64; 4]); 20] = [
    (0.001, -0.5, [-1176.488155191902, 1175912.5832600917, -2351823523.986987, 7055470569563.329]),
    (0.001, 2.5, [-6.804311515210679, 6236.75176699574, -12428782.054187393, 37426325931.98276]),
    (0.01, 3.5, [0.9421815668453897, 30.32835164537358, -3701.442229689375, 841603.4941535023]),
    (0.05, -3.0, [-132.69158588025218, 2643.874817779046, -105724.34556431953, 6343418.570698733]),
    (0.3, -1.0, [-6.496160867860114, 21.11737994358505, -136.52179814326672, 1366.170418817769]),
    (0.3, 0.9, [-0.6802079317100989, 3.95817828027105, -18.556407487963636, 163.12477544640618]),
    (0.5, 2.0, [0.9531015824412996, 1.0668258109920654, -2.0791111824432758, 8.918579603661213]),
    (1.0, -2.0, [-3.7716999453366564, 4.248947627646339, -7.691719971816694, 22.79745596068257]),
    (1.0, 0.0, [-0.36651292058166435, 1.396593476236935, -1.8471519306056496, 4.686340464247158]),
    (1.0, 5.0, [2.7123740659767974, 0.22250613383763518, -0.13066902607901712, 0.21156988081316688]),
    (1.4, 0.3, [0.3494847689306357, 0.7975746103687368, -0.6662264049089041, 1.1086430688175997]),
    (1.6, 0.3, [0.4969917371187937, 0.6833624035133706, -0.48938990639750235, 0.7007443945033294]),
    (2.5, -4.0, [-3.6562776479035453, 1.9187557933558625, -1.3832011876221373, 1.6252834913090484]),
    (3.0, 1.2, [1.6327370068040379, 0.26657353052249183, -0.08407925700273541, 0.055369014802949666]),
    (7.3, 0.2, [2.016068029452255, 0.13818729385178952, -0.019445839183851777, 0.005495168092428587]),
    (13.0, -1.1, [2.21411639881511, 0.0923753903506622, -0.007867955066381415, 0.0013135099610309003]),
    (20.0, 6.0, [4.083635483682739, 0.027862373891423802, -0.0010407701766329176, 8.458111189173602e-05]),
    (150.0, -5.0, [4.569968728752812, 0.00825219407099159, -6.113804083606548e-05, 8.826403981151417e-07]),
    (150.0, 0.05, [5.012494966925895, 0.006667875119008419, -4.450593321832479e-05, 5.942766982671116e-07]),
    (2000.0, 3.0, [7.667080711510393, 0.0004836782047554544, -2.3786846807780352e-07, 2.3494423758546386e-10]),
];

fn at(order: usize, a: f64, z: f64) -> f64 {
    let mut out = [0.0];
    log_quantiles(order, &[a], &[z], &mut out);
    out[0]
}

#[test]
fn quantiles_and_their_derivatives_are_accurate() {
    let mut worst = [0.0f64; 4];
    for (a, z, wanted) in REFERENCE {
        for (order, &wanted) in wanted.iter().enumerate() {
            let found = at(order, a, z);
            // ln y itself by its distance: that is the relative error of y.
            let size = if order == 0 { wanted.abs().max(1.0) } else { wanted.abs() };
            let error = (found - wanted).abs() / size;
            worst[order] = worst[order].max(error);
            let tolerance = TOLERANCES[order];
            assert!(
                error <= tolerance,
                "order {order} at {a}, {z}: {found:e} for {wanted:e}, error {error:e}"
            );
        }
    }
    println!("worst errors by order: {worst:?}");
}

/// About three times what was found: the worst are at a shape of 0.001.
const TOLERANCES: [f64; 4] = [6e-13; 4];

#[test]
fn the_expansion_meets_the_equation() {
    for z in [-8.0, -3.0, -0.5, 0.0, 0.7, 4.0, 8.0] {
        for (order, tolerance) in [2e-15, 5e-13, 1e-12, 2e-12].into_iter().enumerate() {
            let (below, above) = (at(order, LARGE * (1.0 - 1e-15), z), at(order, LARGE, z));
            let error = (below / above - 1.0).abs();
            assert!(error <= tolerance, "order {order} at {z}: {below:e} and {above:e}, error {error:e}");
        }
    }
}

#[test]
fn each_derivative_is_that_of_the_one_below() {
    for a in [0.02, 0.7, 3.0, 40.0, 2e5] {
        for z in [-2.5, 0.1, 3.0] {
            for order in 1..=HIGHEST {
                let h = 1e-3 * a;
                let f = |k: f64| at(order - 1, a + k * h, z);
                let slope = (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h);
                let found = at(order, a, z);
                assert!(
                    (found / slope - 1.0).abs() < 5e-10,
                    "order {order} at {a}, {z}: {found:e} for {slope:e}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_shape_is_nan() {
    for a in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(at(0, a, 0.5).is_nan() && at(1, a, 0.5).is_nan());
    }
    assert!(at(0, 1.0, f64::NAN).is_nan());
    let mut out = [0.0f32; 2];
    log_quantiles(0, &[1.0f32, 2.0], &[0.0f32, 0.0], &mut out);
    assert!(
        (f64::from(out[0]) - at(0, 1.0, 0.0)).abs() < 1e-7
            && (f64::from(out[1]) - at(0, 2.0, 0.0)).abs() < 1e-7
    );
}
