//! Weighs a double pendulum by watching it: finds masses, lengths and friction from how the angles went, by
//! derivatives through a Runge–Kutta integrator.
//!
//! Eight swings, each released from other angles, are integrated side by side: a state is a `[4, 8]` tensor, and the
//! integration is hundreds of steps on the tape. Gauss and Newton's method takes the Jacobian in forward mode; the
//! gradient in reverse mode, with and without checkpoints, must agree with it.
//!
//! `cargo run --release --example double_pendulum [FILE.svg]`, by default `target/double_pendulum.svg`.

use indicatif::ProgressBar;
use plotters::prelude::*;
use retrograde::{Generator, Result, Tape, Tensor, Var};
use std::path::{Path, PathBuf};
use std::time::Instant;

const GRAVITY: f64 = 9.81;
const SWINGS: usize = 8;
/// The integrator's step, in seconds.
const STEP: f64 = 0.01;
/// Steps between two looks.
const BETWEEN: usize = 10;
const LOOKS: usize = 40;
/// The lower mass in units of the upper one (the motion does not know their sum), both lengths in metres, and the
/// friction per second.
const NAMES: [&str; 4] = ["mass ratio", "length 1", "length 2", "friction"];
const TRUTH: [f64; 4] = [0.7, 1.0, 0.8, 0.05];
const GUESS: [f64; 4] = [1.0, 0.8, 1.0, 0.0];

/// What the equations are written in: the share of the lower mass, the lengths, the friction.
#[derive(Clone, Copy)]
struct Pendulum<'t> {
    share: Var<'t, f64>,
    lengths: [Var<'t, f64>; 2],
    friction: Var<'t, f64>,
}

impl<'t> Pendulum<'t> {
    fn new(p: Var<'t, f64>) -> Pendulum<'t> {
        let [mass, first, second, friction] = [0, 1, 2, 3].map(|i| p.slice(0, i..i + 1));
        Pendulum { share: mass / (mass + 1.0), lengths: [first, second], friction }
    }

    /// How angles and angular velocities, the rows of `s`, change.
    fn velocity(self, s: Var<'t, f64>) -> Var<'t, f64> {
        let [angle1, angle2, speed1, speed2] = [0, 1, 2, 3].map(|i| s.slice(0, i..i + 1));
        let Pendulum { share, lengths: [length1, length2], friction } = self;
        let between = angle1 - angle2;
        let (sin, cos) = (between.sin(), between.cos());
        // Lagrange's equations, linear in the accelerations: l₁a₁ + r l₂a₂ cos = f₁ and l₁a₁ cos + l₂a₂ = f₂.
        let f1 = -(share * length2 * speed2.square() * sin) - angle1.sin() * GRAVITY;
        let f2 = length1 * speed1.square() * sin - angle2.sin() * GRAVITY;
        let along = share * cos;
        let determinant = 1.0 - along * cos;
        let a1 = (f1 - along * f2) / (length1 * determinant) - friction * speed1;
        let a2 = (f2 - cos * f1) / (length2 * determinant) - friction * speed2;
        s.tape().concat(&[speed1, speed2, a1, a2], 0)
    }

    /// From one look to the next, by the classical method of Runge and Kutta.
    fn swing(self, mut s: Var<'t, f64>) -> Var<'t, f64> {
        for _ in 0..BETWEEN {
            let k1 = self.velocity(s);
            let k2 = self.velocity(s + k1 * (STEP / 2.0));
            let k3 = self.velocity(s + k2 * (STEP / 2.0));
            let k4 = self.velocity(s + k3 * STEP);
            s = s + (k1 + (k2 + k3) * 2.0 + k4) * (STEP / 6.0);
        }
        s
    }
}

/// Released at rest, from angles that differ.
fn start() -> Result<Tensor<f64>> {
    Tensor::from_fn([4, SWINGS], |at| {
        let part = at[1] as f64 / (SWINGS - 1) as f64;
        [0.4 + 0.9 * part, 1.2 - 1.9 * part, 0.0, 0.0][at[0]]
    })
}

/// The angles at each look, `[looks, 2, swings]`.
fn watch(p: Var<'_, f64>, looks: usize) -> Result<Var<'_, f64>> {
    let tape = p.tape();
    let mut s = tape.constant(&start()?);
    let pendulum = Pendulum::new(p);
    let mut seen = vec![];
    for _ in 0..looks {
        s = pendulum.swing(s);
        seen.push(s.slice(0, ..2));
    }
    Ok(tape.stack(&seen, 0))
}

/// A layer of the chain that has a loss for its end: the state, and in a fifth row the squared errors so far.
fn layer<'t>(s: Var<'t, f64>, p: Var<'t, f64>, seen: Var<'t, f64>) -> Var<'t, f64> {
    let next = Pendulum::new(p).swing(s.slice(0, ..4));
    let errors = (next.slice(0, ..2) - seen).square().sum_keepdim(0);
    s.tape().concat(&[next, s.slice(0, 4..) + errors], 0)
}

/// Value and gradient of the squared error, by reverse mode, and the nodes on the tape.
fn gradient(p: &Tensor<f64>, seen: &Tensor<f64>, checkpoints: bool) -> Result<(f64, Tensor<f64>, usize)> {
    let tape = Tape::new();
    let v = tape.var(p);
    let mut layers = vec![];
    for look in 0..seen.shape()[0] as isize {
        layers.push([v, tape.constant(&seen.slice(0, look..look + 1)?.squeeze(0)?)]);
    }
    let s = tape.concat(&[tape.constant(&start()?), tape.constant(&Tensor::zeros([1, SWINGS])?)], 0);
    let end = if checkpoints {
        tape.checkpoint_chain(s, &layers, |_, s, with| layer(s, with[0], with[1]))
    } else {
        layers.iter().fold(s, |s, with| layer(s, with[0], with[1]))
    };
    let loss = end.slice(0, 4..).sum();
    let nodes = tape.len();
    let [g] = tape.grad(loss, [v])?;
    Ok((loss.item()?, g, nodes))
}

/// Residuals at the first looks, and their Jacobian by the parameters.
fn linearise(p: &Tensor<f64>, seen: &Tensor<f64>, looks: usize) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let tape = Tape::new();
    let v = tape.var(p);
    let r =
        (watch(v, looks)? - tape.constant(&seen.slice(0, ..looks as isize)?)).reshape([looks * 2 * SWINGS]);
    let [j] = tape.jacobian(r, [v])?;
    Ok((r.value()?, j))
}

/// `A⁻¹B` for a small A, by elimination with pivots.
fn solve(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<Tensor<f64>> {
    let n = a.shape()[0];
    let mut rows: Vec<Vec<f64>> = vec![];
    for i in 0..n as isize {
        rows.push([a.slice(0, i..i + 1)?.to_vec(), b.slice(0, i..i + 1)?.to_vec()].concat());
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| rows[i][k].abs().total_cmp(&rows[j][k].abs())).unwrap_or(k);
        rows.swap(k, pivot);
        let row = rows[k].clone();
        for other in (0..n).filter(|&i| i != k) {
            let factor = rows[other][k] / row[k];
            rows[other].iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    let found = rows.iter().enumerate().flat_map(|(k, row)| row[n..].iter().map(move |x| x / row[k]));
    Tensor::from_iter_in(found, b.shape())
}

/// A fit: the parameters, their standard errors, the sum of squares, and how many steps it took.
struct Fit {
    p: Tensor<f64>,
    errors: Vec<f64>,
    squares: f64,
    steps: usize,
}

/// Gauss and Newton's method, over the first second, then the first two, then all: a long swing is so sensitive that
/// only a good guess leads on.
fn fit(seen: &Tensor<f64>, bar: &ProgressBar) -> Result<Fit> {
    let mut p = Tensor::from(GUESS);
    let mut steps = 0;
    let mut looks = LOOKS / 4;
    loop {
        let (r, j) = linearise(&p, seen, looks)?;
        let jt = j.transpose(0, 1)?;
        let normal = jt.matmul(&j)?;
        let move_by = solve(&normal, &jt.matmul(&r)?.unsqueeze(1)?)?.squeeze(1)?;
        let length = move_by.iter().map(f64::abs).fold(0.0, f64::max);
        p -= move_by;
        steps += 1;
        bar.inc(1);
        let squares = r.matmul(&r)?.item()?;
        bar.suspend(|| {
            println!(
                "{steps:4} {:5.1} s {squares:12.4e} {length:10.1e}",
                looks as f64 * BETWEEN as f64 * STEP
            )
        });
        if looks < LOOKS && length < 1e-2 {
            looks = (2 * looks).min(LOOKS);
        } else if length < 1e-6 || steps == 60 {
            let variance = squares / (r.len() - p.len()) as f64;
            let inverse = solve(&normal, &Tensor::eye(4)?)?;
            let errors = inverse.diagonal(0, 1)?.iter().map(|v| (v * variance).sqrt()).collect();
            return Ok(Fit { p, errors, squares, steps });
        }
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/double_pendulum.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let tape = Tape::new();
    let truth = Tensor::from(TRUTH);
    let clean = watch(tape.constant(&truth), LOOKS)?.value()?;

    // The gradient through the whole integration, four ways.
    let p = Tensor::from([0.75, 0.98, 0.82, 0.04]);
    let at = Instant::now();
    let (loss, plain, nodes) = gradient(&p, &clean, false)?;
    let time = at.elapsed().as_secs_f64();
    let at = Instant::now();
    let (_, again, few) = gradient(&p, &clean, true)?;
    let checkpointed = at.elapsed().as_secs_f64();
    println!(
        "{} steps of Runge and Kutta: {nodes} nodes, gradient {plain:.6} in {time:.3} s",
        LOOKS * BETWEEN
    );
    println!("with checkpoints {few} nodes and the same bits in {checkpointed:.3} s");
    let bits = |t: &Tensor<f64>| t.iter().map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(&plain), bits(&again));
    let (r, j) = linearise(&p, &clean, LOOKS)?;
    let forward = j.transpose(0, 1)?.matmul(&r)? * 2.0;
    let largest = plain.iter().map(f64::abs).fold(0.0, f64::max);
    let distance =
        |a: &Tensor<f64>| plain.iter().zip(a).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest;
    let mut differences = vec![];
    for i in 0..4 {
        let h = 1e-4;
        let at = |k: f64| -> Result<f64> {
            let mut q = p.clone();
            q.as_mut_slice()?[i] += k * h;
            Ok(gradient(&q, &clean, true)?.0)
        };
        differences.push((at(-2.0)? - at(2.0)? + 8.0 * (at(1.0)? - at(-1.0)?)) / (12.0 * h));
    }
    let differences = distance(&Tensor::from_slice(&differences, [4])?);
    println!(
        "forward mode agrees to {:.1e}, 5-point differences to {differences:.1e}; loss {loss:.3}",
        distance(&forward)
    );
    assert!(distance(&forward) < 1e-10, "{:e}", distance(&forward));
    assert!(differences < 1e-6, "{differences:e}");

    let bar = ProgressBar::new_spinner();
    println!("step  watched      squares    changed");
    let at = Instant::now();
    let found = fit(&clean, &bar)?;
    let worst = found.p.iter().zip(TRUTH).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!(
        "exact angles: {} steps in {:.2} s, parameters within {worst:.1e}",
        found.steps,
        at.elapsed().as_secs_f64()
    );
    assert!(worst < 1e-9, "{worst:e}");

    // Angles read to about a degree.
    let mut random = Generator::new(1);
    let noisy = &Tensor::normal(clean.shape(), 0.0, 0.02, &mut random)? + &clean;
    let found = fit(&noisy, &bar)?;
    bar.finish_and_clear();
    println!("angles with an error of 0.02, {} steps, squares {:.4e}:", found.steps, found.squares);
    for (i, p) in found.p.iter().enumerate() {
        let error = found.errors[i];
        println!("  {:10}  {p:.4} ± {error:.4}, in truth {}", NAMES[i], TRUTH[i]);
        assert!((p - TRUTH[i]).abs() < 4.0 * error && error < 0.01, "{}: {p} ± {error}", NAMES[i]);
    }
    draw(&path, &noisy, &found.p)?;
    println!("drawn to {}", path.display());
    Ok(())
}

fn draw(
    path: &Path,
    seen: &Tensor<f64>,
    found: &Tensor<f64>,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let tape = Tape::new();
    let guess = watch(tape.constant(&Tensor::from(GUESS)), LOOKS)?.value()?;
    let fitted = watch(tape.constant(found), LOOKS)?.value()?;
    let root = SVGBackend::new(path, (1160, 720)).into_drawing_area();
    root.fill(&WHITE)?;
    let (blue, orange, grey) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20), RGBColor(170, 170, 170));
    for (i, area) in root.split_evenly((2, 2)).into_iter().enumerate() {
        let which = i * (SWINGS - 1) / 3;
        let curve = |angles: &Tensor<f64>| -> Vec<(f64, f64)> {
            let time = |look: usize| (look + 1) as f64 * BETWEEN as f64 * STEP;
            (0..LOOKS).map(|look| (time(look), angles[[look, 1, which]])).collect()
        };
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .caption(format!("Lower angle, swing {}", which + 1), ("sans-serif", 19))
            .x_label_area_size(40)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..LOOKS as f64 * BETWEEN as f64 * STEP, -3.0..3.0)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(7)
            .max_light_lines(0)
            .bold_line_style(RGBColor(228, 228, 228))
            .axis_style(RGBColor(150, 150, 150))
            .label_style(("sans-serif", 13))
            .x_desc("seconds")
            .draw()?;
        chart
            .draw_series(LineSeries::new(curve(&guess), grey.stroke_width(2)))?
            .label("first guess")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], grey.stroke_width(3)));
        chart
            .draw_series(LineSeries::new(curve(&fitted), blue.stroke_width(2)))?
            .label("fitted")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], blue.stroke_width(3)));
        chart
            .draw_series(curve(seen).into_iter().map(|at| Circle::new(at, 3, orange.filled())))?
            .label("seen")
            .legend(move |(x, y)| Circle::new((x + 12, y), 3, orange.filled()));
        if i == 0 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .legend_area_size(34)
                .label_font(("sans-serif", 14))
                .background_style(WHITE)
                .border_style(RGBColor(200, 200, 200))
                .draw()?;
        }
    }
    root.present()?;
    Ok(())
}
