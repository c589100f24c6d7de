//! Tunes two dozen hyperparameters by gradients: the validation loss is differentiated through the weights that
//! minimise the training loss, by the equation that they solve, not through the minimiser.
//!
//! Logistic regression on 24 features of which 6 tell something; every feature has a penalty of its own. Nobody says
//! which ones matter: those that mislead are penalised out of the way, and the loss on fresh examples falls well below
//! what any one penalty for all can reach.
//!
//! `cargo run --release --example implicit [FILE.svg]`, by default `target/implicit.svg`.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::functional::{grad, hvp};
use retrograde::optim::Adam;
use retrograde::{Generator, Implicit, LinearSolver, Result, Tape, Tensor, Var, transform};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;

const FEATURES: usize = 24;
const TELLING: [f64; 6] = [2.0, -1.6, 1.3, -1.0, 0.8, -0.6];
const STEPS: usize = 120;

/// Examples as rows, with the sign of each.
#[derive(Clone)]
struct Data {
    x: Tensor<f64>,
    sign: Tensor<f64>,
}

impl Data {
    fn new(n: usize, random: &mut Generator) -> Result<Data> {
        let x = Tensor::normal([n, FEATURES], 0.0, 1.0, random)?;
        let mut signs = vec![];
        for row in x.to_vec().chunks(FEATURES) {
            let score: f64 = row.iter().zip(TELLING).map(|(x, w)| x * w).sum();
            signs.push(if random.uniform() < 1.0 / (1.0 + (-score).exp()) { 1.0 } else { -1.0 });
        }
        Ok(Data { x, sign: Tensor::from_slice(&signs, [n])? })
    }

    /// The mean negative log-likelihood of weights.
    fn loss<'t>(&self, w: Var<'t, f64>) -> Var<'t, f64> {
        let tape = w.tape();
        let margin = tape.constant(&self.sign) * tape.constant(&self.x).matmul(w);
        -margin.log_sigmoid().mean()
    }

    /// What training minimises, with the logarithms of the penalties.
    fn penalised<'t>(&self, w: Var<'t, f64>, penalties: Var<'t, f64>) -> Var<'t, f64> {
        self.loss(w) + (penalties.exp() * w.square()).sum() * 0.5
    }

    fn given<'t>(&self, w: Var<'t, f64>, penalties: &Tensor<f64>) -> Var<'t, f64> {
        self.penalised(w, w.tape().constant(penalties))
    }

    /// A step of gradient descent: the weights that minimise do not move.
    fn descended<'t>(&self, w: Var<'t, f64>, penalties: Var<'t, f64>) -> Var<'t, f64> {
        w - transform::grad(|w| self.penalised(w, penalties))(w)
    }

    /// The minimum by Newton's method, from plain tensors to a plain tensor.
    fn minimum(&self, penalties: &Tensor<f64>) -> Result<Tensor<f64>> {
        let mut w = Tensor::zeros([FEATURES])?;
        for _ in 0..30 {
            let [g] = grad(|[w]| self.given(w, penalties), [&w])?;
            let step =
                conjugate_gradients(&g, |v| hvp(|[w]| self.given(w, penalties), [&w], [v]).map(|[hv]| hv))?;
            w -= &step;
            if step.iter().all(|step| step.abs() < 1e-14) {
                break;
            }
        }
        Ok(w)
    }
}

/// `H⁻¹ b` from products with H.
fn conjugate_gradients(
    b: &Tensor<f64>,
    product: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>,
) -> Result<Tensor<f64>> {
    let mut x = b * 0.0;
    let (mut r, mut p) = (b.clone(), b.clone());
    let mut square = r.matmul(&r)?.item()?;
    let enough = square * 1e-28;
    for _ in 0..2 * b.len() {
        if square <= enough {
            break;
        }
        let hp = product(&p)?;
        let alpha = square / p.matmul(&hp)?.item()?;
        x += &p * alpha;
        r -= hp * alpha;
        let next = r.matmul(&r)?.item()?;
        p = p * (next / square) + &r;
        square = next;
    }
    Ok(x)
}

/// The weights that training gives, as a variable: they depend on the penalties by `∇f(w, penalties) = 0`.
fn trained<'t>(penalties: Var<'t, f64>, train: &Data) -> Var<'t, f64> {
    let settings = Implicit { solver: LinearSolver::ConjugateGradients, ..Implicit::default() };
    let (own, again) = (train.clone(), train.clone());
    penalties.tape().root(
        settings,
        &[penalties],
        move |theta| own.minimum(theta[0]),
        move |w, theta| transform::grad(|w| again.penalised(w, theta[0]))(w),
    )
}

fn largest(x: impl IntoIterator<Item = f64>) -> f64 {
    x.into_iter().map(f64::abs).fold(0.0, f64::max)
}

fn apart(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    largest(a.iter().zip(b).map(|(a, b)| a - b)) / largest(b)
}

/// The same gradient on four ways, and its derivative along a direction on two.
fn check(train: &Data, validation: &Data) -> Result<()> {
    let at = Tensor::from_fn([FEATURES], |i| -2.5 + 0.1 * i[0] as f64)?;
    let gradient = |at: &Tensor<f64>| -> Result<Tensor<f64>> {
        let tape = Tape::new();
        let penalties = tape.var(at);
        let [g] = tape.grad(validation.loss(trained(penalties, train)), [penalties])?;
        Ok(g)
    };
    let start = Instant::now();
    let root = gradient(&at)?;
    println!("by ∇f = 0, solved by Newton's method: 1 node for the weights, {:.1} ms", milliseconds(start));

    let tape = Tape::new();
    let penalties = tape.var(&at);
    let zero = Tensor::zeros([FEATURES])?;
    let own = train.clone();
    let start = Instant::now();
    let w = tape
        .fixed_point(Implicit::default(), &[penalties], &zero, move |w, theta| own.descended(w, theta[0]));
    let [fixed] = tape.grad(validation.loss(w), [penalties])?;
    let fixed = apart(&fixed, &root);
    println!(
        "as the fixed point of gradient descent: 1 node, {:.1} ms, agrees to {fixed:.0e}",
        milliseconds(start)
    );

    let tape = Tape::new();
    let penalties = tape.var(&at);
    let start = Instant::now();
    let w = (0..400).fold(tape.var(&zero), |w, _| train.descended(w, penalties));
    let nodes = tape.len();
    let [unrolled] = tape.grad(validation.loss(w), [penalties])?;
    let unrolled = apart(&unrolled, &root);
    println!(
        "through 400 steps of descent: {nodes} nodes, {:.1} ms, agrees to {unrolled:.0e}",
        milliseconds(start)
    );

    // 5-point differences with training done anew for each.
    let moved = |i: usize, by: f64| -> Result<f64> {
        let mut at = at.clone();
        at.as_mut_slice()?[i] += by;
        validation.loss(Tape::new().constant(&train.minimum(&at)?)).item()
    };
    let h = 1e-2;
    let mut differences = vec![];
    for i in 0..FEATURES {
        let d = moved(i, -2.0 * h)? - moved(i, 2.0 * h)? + 8.0 * (moved(i, h)? - moved(i, -h)?);
        differences.push(d / (12.0 * h));
    }
    let differences = apart(&Tensor::from_slice(&differences, [FEATURES])?, &root);

    // One order up: the Hessian by the penalties along a direction.
    let v = Tensor::from_fn([FEATURES], |i| (i[0] as f64).cos())?;
    let tape = Tape::new();
    let penalties = tape.var(&at);
    let [g] = tape.vjp(validation.loss(trained(penalties, train)), &Tensor::scalar(1.0), [penalties])?;
    let product = tape.grad_with(g, &v, &[penalties])?.swap_remove(0);
    let along = |by: f64| gradient(&(&v * by + &at));
    let d = (along(-2.0 * h)? - along(2.0 * h)? + (along(h)? - along(-h)?) * 8.0) * (1.0 / (12.0 * h));
    let second = apart(&d, &product);
    println!("differences agree to {differences:.0e}, at second order to {second:.0e}");
    assert!(fixed < 1e-9 && unrolled < 1e-9, "{fixed:e} {unrolled:e}");
    assert!(differences < 1e-7 && second < 1e-6, "{differences:e} {second:e}");
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    1e3 * since.elapsed().as_secs_f64()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/implicit.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut random = Generator::new(1);
    let [train, validation, test] =
        [Data::new(120, &mut random)?, Data::new(400, &mut random)?, Data::new(4000, &mut random)?];
    let judge = |data: &Data, w: &Tensor<f64>| data.loss(Tape::new().constant(w)).item();
    check(&train, &validation)?;

    // One penalty for all, the best of a grid.
    let mut best = (f64::INFINITY, 0.0, 0.0);
    for k in -12..=4 {
        let penalty = 0.5 * f64::from(k);
        let w = train.minimum(&Tensor::full([FEATURES], penalty)?)?;
        let found = judge(&validation, &w)?;
        if found < best.0 {
            best = (found, penalty, judge(&test, &w)?);
        }
    }
    println!(
        "one penalty for all, at best {:.3}: validation {:.4}, test {:.4}",
        best.1.exp(),
        best.0,
        best.2
    );

    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(STEPS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let start = Instant::now();
    let mut penalties = Tensor::full([FEATURES], best.1)?;
    let mut adam = Adam::new(0.1);
    let mut tape = Tape::new();
    let mut losses = vec![];
    for _ in 0..STEPS {
        let v = tape.var(&penalties);
        let w = trained(v, &train);
        let loss = validation.loss(w);
        losses.push((loss.item()?, judge(&test, &w.value()?)?));
        let [g] = tape.grad(loss, [v])?;
        tape.clear();
        adam.step([(&mut penalties, &g)])?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let w = train.minimum(&penalties)?;
    let found = (judge(&validation, &w)?, judge(&test, &w)?);
    println!(
        "one for each, {STEPS} steps in {:.2} s: validation {:.4}, test {:.4}",
        start.elapsed().as_secs_f64(),
        found.0,
        found.1
    );
    let (telling, silent) = penalties.as_slice().expect("row-major").split_at(TELLING.len());
    let mean = |x: &[f64]| (x.iter().sum::<f64>() / x.len() as f64).exp();
    println!(
        "penalties of features that tell something {:.4}, of the others {:.4}, in the geometric mean",
        mean(telling),
        mean(silent)
    );
    assert!(found.0 < best.0 && found.1 < best.2 - 0.03, "{found:?} {best:?}");
    assert!(mean(silent) > 10.0 * mean(telling));
    draw(&path, &penalties, &losses, best.2)?;
    println!("drawn to {}", path.display());
    Ok(())
}

fn draw(
    path: &Path,
    penalties: &Tensor<f64>,
    losses: &[(f64, f64)],
    common: f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1160, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(580);
    let (blue, orange, grey) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20), RGBColor(150, 150, 150));

    let tenth = |ln: f64| ln / std::f64::consts::LN_10;
    let (low, high) =
        penalties.iter().fold((0.0_f64, 0.0_f64), |(l, h), p| (l.min(tenth(p)), h.max(tenth(p))));
    let floor = low - 0.5;
    let mut chart = ChartBuilder::on(&left)
        .margin(20)
        .caption("Logarithm of each feature's penalty", ("sans-serif", 20))
        .x_label_area_size(42)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..FEATURES as f64, floor..high + 0.5)?;
    chart::mesh(&mut chart)
        .disable_x_mesh()
        .x_desc("feature (orange: those that tell something)")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    chart.draw_series(penalties.iter().enumerate().map(|(i, p)| {
        let color = if i < TELLING.len() { orange } else { blue };
        Rectangle::new([(i as f64 + 0.15, floor), (i as f64 + 0.85, tenth(p))], color.filled())
    }))?;

    let all = || losses.iter().flat_map(|&(a, b)| [a, b]).chain([common]);
    let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
    let mut chart = ChartBuilder::on(&right)
        .margin(20)
        .caption("Loss by step", ("sans-serif", 20))
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..losses.len() as f64, low - 0.01..high + 0.02)?;
    chart::mesh(&mut chart).x_desc("step").x_label_formatter(&|x| format!("{x:.0}")).draw()?;
    let steps = || (0..).map(f64::from);
    let curve =
        |of: fn(&(f64, f64)) -> f64| -> Vec<(f64, f64)> { steps().zip(losses.iter().map(of)).collect() };
    let level = vec![(0.0, common), (losses.len() as f64, common)];
    let curves = [
        ("validation", blue, curve(|loss| loss.0)),
        ("test", orange, curve(|loss| loss.1)),
        ("test, one penalty for all", grey, level),
    ];
    chart::curves(&mut chart, curves)?;
    root.present()?;
    Ok(())
}
