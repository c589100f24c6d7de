//! Finds out what a plate is made of: the conductivity at each of its points, from temperatures measured at some of them
//! under three heaters.
//!
//! The temperature u solves `−∇·(e^θ ∇u) = f` on a square whose border is kept at 0. The equation is a closure that applies
//! the operator to a field; conjugate gradients solve it, and its derivatives by θ come of one more solve, the adjoint one,
//! not of the iterations. L-BFGS then looks for the field θ under which the measured temperatures come out.
//!
//! `cargo run --release --example poisson`

use retrograde::optim::Lbfgs;
use retrograde::{Generator, Krylov, Padding, Result, Tape, Tensor, Var};
use std::time::Instant;

/// Points inside, along each side; the border makes two more.
const N: usize = 16;
/// Measured points, under each heater.
const SENSORS: usize = 50;
const NOISE: f64 = 1e-3;

/// The conductivities between neighbours, down and across, times (N + 1)².
fn between<'t>(theta: Var<'t, f64>) -> [Var<'t, f64>; 2] {
    let kappa = theta.exp() * (N as f64 + 1.0).powi(2);
    let inside = 1..N as isize + 1;
    let (down, across) = (kappa.slice(-1, inside.clone()), kappa.slice(-2, inside));
    let mean = |x: Var<'t, f64>, axis| (x.slice(axis, 1..) + x.slice(axis, ..-1)) * 0.5;
    [mean(down, -2), mean(across, -1)]
}

/// The differences to the neighbours, down and across, those at the border included.
fn differences<'t>(u: Var<'t, f64>) -> [Var<'t, f64>; 2] {
    let zero = Padding::Constant(0.0);
    [u.pad([(1, 1), (0, 0)], zero).diff(1, -2), u.pad([(1, 1)], zero).diff(1, -1)]
}

/// `−∇·(e^θ ∇u)`, for each of a batch of fields.
fn operator<'t>(u: Var<'t, f64>, theta: Var<'t, f64>) -> Var<'t, f64> {
    let ([down, across], [k_down, k_across]) = (differences(u), between(theta));
    -(down * k_down).diff(1, -2) - (across * k_across).diff(1, -1)
}

/// Its diagonal: the conductivities to all four neighbours.
fn diagonal<'t>(theta: Var<'t, f64>) -> Var<'t, f64> {
    let [down, across] = between(theta);
    down.slice(-2, 1..) + down.slice(-2, ..-1) + across.slice(-1, 1..) + across.slice(-1, ..-1)
}

/// The temperatures under each heater.
fn temperatures<'t>(theta: Var<'t, f64>, heaters: Var<'t, f64>) -> Var<'t, f64> {
    theta.tape().preconditioned_conjugate_gradients(
        Krylov::default(),
        &[theta],
        heaters,
        |u, theta| operator(u, theta[0]),
        |r, theta| r / diagonal(theta[0]),
    )
}

/// A field over the plate, border included, from a function of the two coordinates.
fn field(size: usize, f: impl Fn(f64, f64) -> f64) -> Result<Tensor<f64>> {
    let edge = (N + 2 - size) as f64 / 2.0;
    Tensor::from_fn([size, size], |i| {
        let at = |i: usize| (i as f64 + edge) / (N as f64 + 1.0);
        f(at(i[0]), at(i[1]))
    })
}

/// The gradient of the mean temperature by θ: as the tape has it, by the formula, and by differences.
fn check(theta: &Tensor<f64>, heaters: &Tensor<f64>) -> Result<()> {
    let mean = |theta: &Tensor<f64>| -> Result<f64> {
        let tape = Tape::new();
        temperatures(tape.constant(theta), tape.constant(heaters)).mean().item()
    };
    let tape = Tape::new();
    let x = tape.var(theta);
    let u = temperatures(x, tape.constant(heaters));
    let nodes = tape.len();
    let [g] = tape.vjp(u.mean(), &Tensor::scalar(1.0), [x])?;

    // A is symmetric, so λ is the temperature of the plate if every point is heated alike, and the gradient by the
    // conductivity between two neighbours is −⟨∇λ, ∇u⟩ there.
    let own = Tape::new();
    let y = own.var(theta);
    let weights = own.constant(&heaters.map(|_| 1.0 / (3 * N * N) as f64)?);
    let lambda = differences(temperatures(y, weights).detach());
    let u = differences(own.constant(&u.value()?));
    let flows = [0, 1].map(|axis| (lambda[axis] * u[axis]).sum_axes(0).detach());
    let [down, across] = between(y);
    let work = -(flows[0] * down).sum() - (flows[1] * across).sum();
    let formula = work.backward()?.wrt(y)?.clone();
    let apart = |a: &Tensor<f64>, b: &Tensor<f64>| {
        let largest = |x: &mut dyn Iterator<Item = f64>| x.fold(0.0, |m: f64, x| m.max(x.abs()));
        largest(&mut a.iter().zip(b).map(|(a, b)| a - b)) / largest(&mut b.iter())
    };
    let by_formula = apart(&g.value()?, &formula);

    // Along a direction, with its second derivative.
    let v = field(N + 2, |x, y| (3.0 * x).sin() * (2.0 * y).cos())?;
    let h = 1e-2;
    let at = |by: f64| mean(&(theta + &v * by));
    let difference = (at(-2.0 * h)? - at(2.0 * h)? + 8.0 * (at(h)? - at(-h)?)) / (12.0 * h);
    let second =
        (16.0 * (at(h)? + at(-h)?) - at(2.0 * h)? - at(-2.0 * h)? - 30.0 * at(0.0)?) / (12.0 * h * h);
    let along = g.value()?.iter().zip(&v).map(|(g, v)| g * v).sum::<f64>();
    let hv = tape.jvp(g, [(x, &v)])?.value()?;
    let curvature = hv.iter().zip(&v).map(|(h, v)| h * v).sum::<f64>();
    let (first, second) = ((difference / along - 1.0).abs(), (second / curvature - 1.0).abs());
    println!(
        "{nodes} nodes; the gradient is that of the formula to {by_formula:.0e}, that of differences to {first:.0e}, the curvature to {second:.0e}"
    );
    assert!(by_formula < 1e-9 && first < 1e-7 && second < 1e-5);
    Ok(())
}

fn main() -> Result<()> {
    // Something conducts badly in one corner, and well along a band.
    let blob = |x: f64, y: f64| -1.5 * (-((x - 0.3).powi(2) + (y - 0.35).powi(2)) / 0.03).exp();
    let band = |x: f64, y: f64| (-(x + 0.6 * y - 1.15).powi(2) / 0.01).exp();
    let truth = field(N + 2, |x, y| blob(x, y) + band(x, y))?;
    let heater = |a: f64, b: f64| field(N, |x, y| 50.0 * (-((x - a).powi(2) + (y - b).powi(2)) / 0.05).exp());
    let heaters = Tensor::stack(&[&heater(0.2, 0.2)?, &heater(0.8, 0.3)?, &heater(0.4, 0.8)?], 0)?;
    check(&truth, &heaters)?;

    let mut random = Generator::new(4);
    let sensors = Tensor::randperm(N * N, &mut random)?.slice(0, ..SENSORS as isize)?;
    let read = |u: Var<'_, f64>| u.reshape([3, N * N]).index_select(1, &sensors).value();
    let tape = Tape::new();
    let exact = read(temperatures(tape.constant(&truth), tape.constant(&heaters)))?;
    let measured = exact + Tensor::normal([3, SENSORS], 0.0, NOISE, &mut random)?;

    let start = Instant::now();
    let mut theta = Tensor::zeros([N + 2, N + 2])?;
    let found = Lbfgs { value_tolerance: 1e-4, ..Lbfgs::new() }.minimize(&mut theta, |tape, theta| {
        let u = temperatures(theta, tape.constant(&heaters));
        let errors = u.reshape([3, N * N]).index_select(1, &sensors) - tape.constant(&measured);
        // The noise's likelihood, and a field that is smooth.
        let rough = theta.diff(1, 0).square().sum() + theta.diff(1, 1).square().sum();
        (errors / NOISE).square().sum() * 0.5 + rough * 2.0
    })?;
    let root = |x: &Tensor<f64>| (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt();
    let (before, after) = (root(&truth), root(&(&theta - &truth)));
    println!(
        "{} unknowns from {} measurements: {} evaluations in {:.2} s, {:?}; the field's error fell from {before:.3} to {after:.3}",
        theta.len(),
        3 * SENSORS,
        found.evaluations,
        start.elapsed().as_secs_f64(),
        found.stop
    );
    assert!(found.converged() && after < 0.3 * before);
    Ok(())
}
