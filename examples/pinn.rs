//! Solves Burgers' equation by a network that has seen no solution, only the equation.
//!
//! `uₜ + u uₓ = ν uₓₓ` for −1 ≤ x ≤ 1 and 0 ≤ t ≤ 1, with `u = −sin πx` at first and `u = 0` at both ends: a wave that
//! steepens into a front at x = 0, a few hundredths of its length wide. The derivatives by t and x are recorded in
//! forward mode, so that what remains of the equation is a variable like any other, and its derivatives by the weights
//! serve the method of Levenberg and Marquardt.
//!
//! `cargo run --release --example pinn [FILE.svg]`, by default `target/pinn.svg`.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::{Generator, Result, Tape, Tensor, Var};
use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;

const NU: f64 = 0.01 / PI;
const WIDTH: usize = 16;
const POINTS: usize = 1500;
/// The mean square of the residual at which training ends.
const ENOUGH: f64 = 1e-5;
const STEPS: usize = 600;

/// Weights and biases, layer by layer.
fn initial(random: &mut Generator) -> Result<Vec<Tensor<f64>>> {
    let mut parameters = vec![];
    for [n, m] in [[2, WIDTH], [WIDTH, WIDTH], [WIDTH, 1]] {
        parameters.push(Tensor::normal([n, m], 0.0, (1.0 / n as f64).sqrt(), random)?);
        parameters.push(Tensor::normal([1, m], 0.0, 0.5, random)?);
    }
    // The second row is what x is multiplied by: fronts of many widths to begin with.
    for (i, w) in parameters[0].as_mut_slice()?[WIDTH..].iter_mut().enumerate() {
        *w = 20_f64.powf(i as f64 / WIDTH as f64) * if i % 2 == 0 { 1.0 } else { -1.0 };
    }
    Ok(parameters)
}

/// The solution at points given by columns t and x, for x ≥ 0: it is odd in x. At the start and at x = 0 and 1 it is
/// right whatever the weights.
fn solution<'t>(p: &[Var<'t, f64>], t: Var<'t, f64>, x: Var<'t, f64>) -> Var<'t, f64> {
    let mut h = t.tape().concat(&[t, x], -1).unsqueeze(1);
    for (i, layer) in p.chunks(2).enumerate() {
        if i > 0 {
            h = h.tanh();
        }
        h = h.matmul(layer[0]) + layer[1];
    }
    t * x * (1.0 - x) * h.squeeze(1) - (x * PI).sin()
}

/// What remains of the equation at each point.
fn residual<'t>(p: &[Var<'t, f64>], t: Var<'t, f64>, x: Var<'t, f64>) -> Result<Var<'t, f64>> {
    let tape = x.tape();
    let one = Tensor::scalar(1.0).expand(x.try_shape()?)?;
    let u = solution(p, t, x);
    let ut = tape.jvp(u, [(t, &one)])?;
    let ux = tape.jvp(u, [(x, &one)])?;
    let uxx = tape.jvp(ux, [(x, &one)])?;
    Ok(ut + u * ux - uxx * NU)
}

/// Where the equation is to hold: t and x.
type Points = [Tensor<f64>; 2];

/// Points that fill the square evenly, drawn together towards the front.
fn points() -> Result<Points> {
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    let along = |i: &[usize]| i[0] as f64 + 0.5;
    Ok([
        Tensor::from_fn([POINTS, 1], |i| along(i) / POINTS as f64)?,
        Tensor::from_fn([POINTS, 1], |i| (along(i) * golden).fract().powf(2.5))?,
    ])
}

/// The mean square of the residuals.
fn loss(tape: &mut Tape<f64>, parameters: &[Tensor<f64>], [t, x]: &Points) -> Result<f64> {
    tape.clear();
    let p: Vec<_> = parameters.iter().map(|p| tape.constant(p)).collect();
    residual(&p, tape.var(t), tape.var(x))?.square().mean().item()
}

/// The residuals, and their Jacobian by all parameters, `[points, parameters]`.
fn linearise(
    tape: &mut Tape<f64>,
    parameters: &[Tensor<f64>],
    [t, x]: &Points,
) -> Result<(Tensor<f64>, Tensor<f64>)> {
    tape.clear();
    let mut p = vec![];
    for parameter in parameters {
        // Every point gets its own copy, which takes no memory, and so one sweep gives every point's derivatives.
        p.push(tape.var(&parameter.expand([&[POINTS], parameter.shape()].concat())?));
    }
    let r = residual(&p, tape.var(t), tape.var(x))?;
    let mut columns = tape.grad_with(r, &Tensor::ones([POINTS, 1])?, &p)?;
    for column in &mut columns {
        *column = column.reshape([POINTS, column.len() / POINTS])?;
    }
    Ok((r.value()?, Tensor::concat(&columns.iter().collect::<Vec<_>>(), 1)?))
}

/// Solves `A x = b` for a symmetric positive definite A, by Cholesky's decomposition `A = UᵀU` over its upper half;
/// `None` if A is not definite.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for k in 0..n {
        let (head, below) = a.split_at_mut((k + 1) * n);
        let row = &mut head[k * n + k..];
        let root = row[0].sqrt();
        if root.is_nan() || root == 0.0 {
            return None;
        }
        row.iter_mut().for_each(|u| *u /= root);
        b[k] /= root;
        for i in 1..row.len() {
            let target = &mut below[(i - 1) * n + k + i..][..n - k - i];
            target.iter_mut().zip(&row[i..]).for_each(|(a, u)| *a -= row[i] * u);
            b[k + i] -= row[i] * b[k];
        }
    }
    for k in (0..n).rev() {
        let sum: f64 = a[k * n + k + 1..(k + 1) * n].iter().zip(&b[k + 1..]).map(|(u, x)| u * x).sum();
        b[k] = (b[k] - sum) / a[k * n + k];
    }
    Some(b)
}

/// The exact solution after Cole and Hopf: the mean of `(x − y)/t` over y with the weight `exp E(y)`,
/// `E = −cos(πy)/2πν − (x − y)²/4νt`. The trapezium rule converges faster here than any power of its step.
fn exact(t: f64, x: f64) -> f64 {
    if t == 0.0 {
        return -(PI * x).sin();
    }
    let e = |y: f64| -(PI * y).cos() / (2.0 * PI * NU) - (x - y).powi(2) / (4.0 * NU * t);
    let ys = || (0..=600).map(|i| x + 1.5 * (f64::from(i) / 300.0 - 1.0));
    let most = ys().map(e).fold(f64::MIN, f64::max);
    let (mut above, mut below) = (0.0, 0.0);
    for y in ys() {
        let weight = (e(y) - most).exp();
        above += (x - y) / t * weight;
        below += weight;
    }
    above / below
}

/// The exact solution at many times, where a network is compared with it.
struct Exam {
    at: Points,
    truth: Vec<f64>,
}

impl Exam {
    fn new() -> Result<Exam> {
        let side = |i: usize| (i as f64 / 200.0).powi(2);
        let grid: Vec<_> =
            (1..=40).flat_map(|k| (0..=200).map(move |i| (f64::from(k) / 40.0, side(i)))).collect();
        let column = |of: fn(&(f64, f64)) -> f64| Tensor::from_iter_in(grid.iter().map(of), [grid.len(), 1]);
        Ok(Exam {
            at: [column(|p| p.0)?, column(|p| p.1)?],
            truth: grid.iter().map(|&(t, x)| exact(t, x)).collect(),
        })
    }

    /// The relative distance in L².
    fn error(&self, parameters: &[Tensor<f64>]) -> Result<f64> {
        let (mut apart, mut whole) = (0.0, 0.0);
        for ((u, truth), x) in evaluate(parameters, &self.at)?.iter().zip(&self.truth).zip(&self.at[1]) {
            // x = s², and the grid is even in s.
            let dx = x.sqrt();
            apart += dx * (u - truth).powi(2);
            whole += dx * truth.powi(2);
        }
        Ok((apart / whole).sqrt())
    }
}

fn evaluate(parameters: &[Tensor<f64>], [t, x]: &Points) -> Result<Tensor<f64>> {
    let tape = Tape::new();
    let p: Vec<_> = parameters.iter().map(|p| tape.constant(p)).collect();
    solution(&p, tape.constant(t), tape.constant(x)).value()
}

/// How steep the network's front is at a time.
fn slope(parameters: &[Tensor<f64>], t: f64) -> Result<f64> {
    let tape = Tape::new();
    let p: Vec<_> = parameters.iter().map(|p| tape.constant(p)).collect();
    let x = tape.var(&Tensor::from([[0.0]]));
    let u = solution(&p, tape.constant(&Tensor::from([[t]])), x);
    tape.jvp(u, [(x, &Tensor::from([[1.0]]))])?.item()
}

/// What is drawn of the training.
struct Look {
    step: f64,
    loss: f64,
    error: f64,
}

fn train(
    parameters: &mut Vec<Tensor<f64>>,
    points: &Points,
    exam: &Exam,
    bar: &ProgressBar,
) -> Result<Vec<Look>> {
    let mut tape = Tape::new();
    let mut now = loss(&mut tape, parameters, points)?;
    let mut looks = vec![];
    let mut damping: f64 = 1.0;
    for step in 0..=STEPS {
        if step % 10 == 0 || now < ENOUGH {
            let look = Look { step: step as f64, loss: now, error: exam.error(parameters)? };
            bar.set_message(format!("error {:.1e}", look.error));
            if step % 50 == 0 || now < ENOUGH {
                bar.suspend(|| println!("step {step:3}  residual {now:9.2e}  error {:8.2e}", look.error));
            }
            looks.push(look);
        }
        if now < ENOUGH {
            break;
        }
        let (r, j) = linearise(&mut tape, parameters, points)?;
        let jt = j.transpose(0, 1)?;
        let (normal, slope) = (jt.matmul(&j)?, jt.matmul(&r)?.to_vec());
        // Between Gauss and Newton's step, where that is short, and the steepest descent.
        loop {
            let mut damped = normal.to_vec();
            damped.iter_mut().step_by(slope.len() + 1).for_each(|a| *a += damping);
            if let Some(by) = solve(damped, slope.clone()) {
                let next = moved(parameters, &by)?;
                let then = loss(&mut tape, &next, points)?;
                if then < now {
                    (now, *parameters) = (then, next);
                    damping /= 3.0;
                    break;
                }
            }
            damping *= 2.5;
            if damping > 1e12 {
                return Ok(looks);
            }
        }
        bar.inc(1);
    }
    Ok(looks)
}

fn moved(parameters: &[Tensor<f64>], by: &[f64]) -> Result<Vec<Tensor<f64>>> {
    let mut rest = by;
    let part = |p: &Tensor<f64>| {
        let (own, others) = rest.split_at(p.len());
        rest = others;
        p.try_sub(&Tensor::from_slice(own, p.shape())?)
    };
    parameters.iter().map(part).collect()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/pinn.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // The literature's figure for the steepest front, −152.00516 at πt = 1.6037.
    let steepest = 1.6037 / PI;
    let reference = exact(steepest, 1e-6) / 1e-6;
    assert!((reference + 152.00516).abs() < 1e-3, "{reference}");

    let exam = Exam::new()?;
    let mut parameters = initial(&mut Generator::new(1))?;
    // On no terminal the bar stays silent.
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} steps, {msg}")?);
    let start = Instant::now();
    let looks = train(&mut parameters, &points()?, &exam, &bar)?;
    bar.finish_and_clear();

    let count: usize = parameters.iter().map(Tensor::len).sum();
    println!("trained {count} weights on {POINTS} points in {:.2} s", start.elapsed().as_secs_f64());
    let error = exam.error(&parameters)?;
    let front = slope(&parameters, steepest)?;
    println!(
        "relative L2 error {error:.2e}; the front is {front:.3} steep where the exact one is {reference:.3}"
    );
    assert!(error < 1e-3, "{error:e}");
    assert!((front / reference - 1.0).abs() < 1e-2, "{front}");
    draw(&path, &parameters, &looks)?;
    println!("drawn to {}", path.display());
    Ok(())
}

fn draw(
    path: &Path,
    parameters: &[Tensor<f64>],
    looks: &[Look],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1160, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(660);
    let (blue, orange, grey) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20), RGBColor(190, 190, 190));

    let mut chart = ChartBuilder::on(&left)
        .margin(20)
        .caption("u at t = 0, ¼, ½, ¾, 1", ("sans-serif", 22))
        .x_label_area_size(42)
        .y_label_area_size(50)
        .build_cartesian_2d(-1.0..1.0, -1.1..1.1)?;
    chart::mesh(&mut chart).x_desc("x").draw()?;
    let xs = Tensor::linspace(0.0, 1.0, 401)?.map(|s: f64| s * s)?;
    for quarter in 0..=4 {
        let t = f64::from(quarter) / 4.0;
        let at = [Tensor::full([401, 1], t)?, xs.reshape([401, 1])?];
        let both = |u: Vec<f64>| -> Vec<(f64, f64)> {
            let right: Vec<_> = xs.iter().zip(u).collect();
            let left = right.iter().rev().map(|&(x, u)| (-x, -u));
            left.chain(right.iter().copied()).collect()
        };
        let truth = both(xs.iter().map(|x| exact(t, x)).collect());
        let found = both(evaluate(parameters, &at)?.to_vec());
        let truth = chart.draw_series(LineSeries::new(truth, grey.stroke_width(7)))?;
        if quarter == 0 {
            truth
                .label("exact")
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], grey.stroke_width(7)));
        }
        let found = chart.draw_series(LineSeries::new(found, blue.stroke_width(2)))?;
        if quarter == 0 {
            found
                .label("network")
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], blue.stroke_width(2)));
        }
    }
    chart::names(&mut chart)?;

    let last = looks.last().map_or(1.0, |look| look.step);
    let mut chart = ChartBuilder::on(&right)
        .margin(20)
        .caption("By step", ("sans-serif", 22))
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..last, (ENOUGH / 3.0..10.0).log_scale())?;
    chart::mesh(&mut chart)
        .x_desc("step")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0e}"))
        .draw()?;
    let curve = |of: fn(&Look) -> f64| looks.iter().map(|look| (look.step, of(look))).collect();
    let (residual, error) = (curve(|look| look.loss), curve(|look| look.error));
    let curves = [("mean square of the residual", orange, residual), ("relative error", blue, error)];
    chart::curves(&mut chart, curves)?;
    root.present()?;
    Ok(())
}
