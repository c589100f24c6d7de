//! Foretells the carbon dioxide in the air over Mauna Loa by a Gaussian process, whose eleven hyperparameters maximise
//! the marginal likelihood (Rasmussen and Williams 2006, §5.4.3): value and exact gradient through a Cholesky factor.
//!
//! Fitted to the months up to 1985, the ten years after them are held out. Fitted to the whole record, the Hessian at
//! the maximum, derivatives of the factor's derivatives, says how well each hyperparameter is known.
//!
//! `cargo run --release --features linalg --example gaussian_process [FILE.svg]`, by default
//! `target/gaussian_process.svg`.

use indicatif::ProgressBar;
use plotters::prelude::*;
use retrograde::functional::{hessian, value_and_grad};
use retrograde::linalg::Triangular;
use retrograde::optim::Lbfgs;
use retrograde::{Result, Tape, Tensor, Var};
use std::f64::consts::{PI, TAU};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[path = "chart/band.rs"]
mod band;
mod chart;
#[path = "data/table.rs"]
mod table;

use band::band;

type V<'t> = Var<'t, f64>;

/// The first year that is held out, and the first after those.
const HELD_OUT: [f64; 2] = [1986.0, 1996.0];

/// What each hyperparameter is, where the search begins, and what the book found with the record up to 2003. Their
/// logarithms are what is fitted.
const HYPERPARAMETERS: [(&str, f64, f64); 11] = [
    ("trend: size, ppm", 50.0, 66.0),
    ("trend: length, years", 50.0, 67.0),
    ("season: size, ppm", 2.0, 2.4),
    ("season: decay, years", 100.0, 90.0),
    ("season: smoothness", 1.0, 1.3),
    ("years apart: size, ppm", 0.5, 0.66),
    ("years apart: length, years", 1.0, 1.2),
    ("years apart: shape", 1.0, 0.78),
    ("months apart: size, ppm", 0.2, 0.18),
    ("months apart: length, years", 0.2, 1.6 / 12.0),
    ("noise, ppm", 0.2, 0.19),
];

/// Months: the time in years, and the mean of the carbon dioxide in millionths.
#[derive(Clone)]
struct Record {
    time: Vec<f64>,
    ppm: Vec<f64>,
}

impl Record {
    fn read() -> Record {
        let rows = table::rows::<3>(include_str!("data/co2.csv"));
        Record {
            time: rows.iter().map(|[year, month, _]| year + (month - 0.5) / 12.0).collect(),
            ppm: rows.iter().map(|row| row[2]).collect(),
        }
    }

    fn years(&self, from: f64, to: f64) -> Record {
        let within = |time: f64| time >= from && time < to;
        let months = self.time.iter().zip(&self.ppm).filter(|(time, _)| within(**time));
        let (time, ppm) = months.unzip();
        Record { time, ppm }
    }
}

/// How far months are apart: the squares of the distances in years, and of the sines of half the angle in the year.
struct Apart {
    square: Tensor<f64>,
    season: Tensor<f64>,
}

impl Apart {
    fn new(a: &[f64], b: &[f64]) -> Result<Apart> {
        let table = |f: fn(f64) -> f64| Tensor::from_fn([a.len(), b.len()], |at| f(a[at[0]] - b[at[1]]));
        Ok(Apart { square: table(|d| d * d)?, season: table(|d| (PI * d).sin().powi(2))? })
    }

    /// The covariance without the noise, `[a, b]`: a smooth trend, a season whose shape changes slowly, and what lasts
    /// for years and for months (equations 5.15 to 5.18 of the book).
    fn covariance<'t>(&self, logarithms: V<'t>) -> V<'t> {
        let tape = logarithms.tape();
        let (square, season) = (tape.constant(&self.square), tape.constant(&self.season));
        let p = |i: isize| logarithms.slice(0, i..i + 1).exp();
        let scale = |size: isize| p(size).square();
        // −1 / 2ℓ².
        let decay = |length: isize| p(length).square().recip() * -0.5;
        let trend = scale(0) * (square * decay(1)).exp();
        let seasonal = scale(2) * (square * decay(3) - season * p(4).square().recip() * 2.0).exp();
        // (1 + d²/2aℓ²)⁻ᵃ.
        let years = scale(5) * (-p(7) * (square * -decay(6) / p(7)).ln_1p()).exp();
        let months = scale(8) * (square * decay(9)).exp();
        trend + seasonal + years + months
    }
}

/// The process given some months, about the mean of what was seen in them.
struct Process {
    seen: Record,
    apart: Apart,
    mean: f64,
    residuals: Tensor<f64>,
    identity: Tensor<f64>,
}

impl Process {
    fn new(seen: &Record) -> Result<Process> {
        let n = seen.ppm.len();
        let mean = seen.ppm.iter().sum::<f64>() / n as f64;
        Ok(Process {
            seen: seen.clone(),
            apart: Apart::new(&seen.time, &seen.time)?,
            mean,
            residuals: Tensor::from_iter_in(seen.ppm.iter().map(|ppm| ppm - mean), [n, 1])?,
            identity: Tensor::eye(n)?,
        })
    }

    /// The lower Cholesky factor of the covariance of what was seen, and the variance of the noise.
    fn factor<'t>(&self, logarithms: V<'t>) -> (V<'t>, V<'t>) {
        let noise = (logarithms.slice(0, 10..11) * 2.0).exp();
        let noises = logarithms.tape().constant(&self.identity) * noise;
        ((self.apart.covariance(logarithms) + noises).cholesky(), noise)
    }

    /// Minus the logarithm of the marginal likelihood: `½ ‖L⁻¹y‖² + Σ ln lᵢᵢ + ½ n ln 2π`.
    fn loss<'t>(&self, logarithms: V<'t>) -> V<'t> {
        let (l, _) = self.factor(logarithms);
        let y = logarithms.tape().constant(&self.residuals);
        let whitened = l.solve_triangular(y, Triangular::lower());
        let constant = 0.5 * self.seen.time.len() as f64 * TAU.ln();
        whitened.square().sum() * 0.5 + l.diagonal(0, 1).ln().sum() + constant
    }

    fn fit(&self, bar: &ProgressBar) -> Result<Tensor<f64>> {
        let start = Instant::now();
        let mut logarithms = Tensor::from(HYPERPARAMETERS.map(|(_, start, _)| start.ln()));
        let found =
            Lbfgs { gradient_tolerance: 3e-3, ..Lbfgs::new() }.minimize(&mut logarithms, |_, v| {
                let loss = self.loss(v);
                bar.inc(1);
                if let Ok(loss) = loss.item() {
                    bar.set_message(format!("log-likelihood {:.6}", -loss));
                }
                loss
            })?;
        bar.suspend(|| {
            println!(
                "{} months: log marginal likelihood {:.4}, gradient {:.1e}, after {} evaluations of {:.1} ms",
                self.seen.time.len(),
                -found.value,
                found.gradient_norm,
                found.evaluations,
                1e3 * start.elapsed().as_secs_f64() / found.evaluations as f64
            )
        });
        assert!(found.converged(), "{found:?}");
        Ok(logarithms)
    }

    /// Mean and standard deviation of what will be seen at other times.
    fn foretell(&self, logarithms: &Tensor<f64>, times: &[f64]) -> Result<Vec<(f64, f64)>> {
        let tape = Tape::new();
        let p = tape.constant(logarithms);
        let (l, noise) = self.factor(p);
        let across = Apart::new(&self.seen.time, times)?.covariance(p);
        let weights = l.cholesky_solve(tape.constant(&self.residuals));
        let mean = across.t().matmul(weights).squeeze(-1) + self.mean;
        let explained = l.solve_triangular(across, Triangular::lower()).square().sum_axes(0);
        let alone = Apart::new(&[0.0], &[0.0])?.covariance(p).reshape([1]) + noise;
        let deviation = (alone - explained).sqrt();
        Ok(mean.value()?.iter().zip(&deviation.value()?).collect())
    }
}

/// The gradient where the search begins, against 5-point differences.
fn check(process: &Process) -> Result<()> {
    let at = Tensor::from(HYPERPARAMETERS.map(|(_, start, _)| start.ln()));
    let (_, [gradient]) = value_and_grad(|[p]| process.loss(p), [&at])?;
    let moved = |i: usize, by: f64| -> Result<f64> {
        let mut at = at.clone();
        at.as_mut_slice()?[i] += by;
        process.loss(Tape::new().constant(&at)).item()
    };
    let (h, mut worst) = (1e-3, 0.0_f64);
    for (i, g) in gradient.iter().enumerate() {
        let d = moved(i, -2.0 * h)? - moved(i, 2.0 * h)? + 8.0 * (moved(i, h)? - moved(i, -h)?);
        worst = worst.max((d / (12.0 * h) - g).abs());
    }
    let largest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
    println!("the gradient at the start, of {largest:.0}, agrees with differences within {worst:.0e}");
    assert!(worst < 1e-6 * largest, "{worst:e}");
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/gaussian_process.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let record = Record::read();
    let (seen, held_out) = (record.years(0.0, HELD_OUT[0]), record.years(HELD_OUT[0], HELD_OUT[1]));
    // On no terminal it stays silent.
    let bar = ProgressBar::new_spinner();

    let process = Process::new(&seen)?;
    check(&process)?;
    let logarithms = process.fit(&bar)?;
    let foretold = process.foretell(&logarithms, &held_out.time)?;
    let errors: Vec<f64> = held_out.ppm.iter().zip(&foretold).map(|(y, (mean, _))| y - mean).collect();
    let n = errors.len() as f64;
    let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt();
    let density = |e: f64, s: f64| -0.5 * (TAU * s * s).ln() - 0.5 * (e / s).powi(2);
    let density = errors.iter().zip(&foretold).map(|(e, (_, s))| density(*e, *s)).sum::<f64>() / n;
    let within = errors.iter().zip(&foretold).filter(|(e, (_, s))| e.abs() < 1.96 * s).count();
    println!(
        "{} to {}, held out: errors of {rmse:.3} ppm in the mean square, log density {density:.3} a month, {within} of {n} months within the 95 % band",
        HELD_OUT[0],
        HELD_OUT[1] - 1.0
    );
    assert!(rmse < 0.85 && density > -1.25 && within as f64 >= 0.95 * n, "{rmse} {density} {within}");

    // The whole record, and the curvature of the likelihood at its maximum.
    let whole = Process::new(&record)?;
    let best = whole.fit(&bar)?;
    bar.finish_and_clear();
    let start = Instant::now();
    let [[curvature]] = hessian(|[p]| whole.loss(p), [&best])?;
    println!(
        "the Hessian there, in {:.2} s: each with its standard error, and the book's",
        start.elapsed().as_secs_f64()
    );
    // Only at a minimum there is a factor.
    let covariance = Tape::new().constant(&curvature).cholesky().cholesky_inverse().value()?;
    for (i, (name, _, book)) in HYPERPARAMETERS.iter().enumerate() {
        let (size, error) = (best[[i]].exp(), covariance[[i, i]].sqrt());
        println!("  {name:28} {size:8.3}  × or ÷ {:5.2}  {book:8.3}", error.exp());
        assert!((size / book).ln().abs() < 3.0 * error, "{name}: {size} {error} {book}");
    }
    draw(&path, &record, &process, &logarithms)?;
    println!("drawn to {}", path.display());
    Ok(())
}

/// The record with what was foretold, and by how much that was wrong.
fn draw(
    path: &Path,
    record: &Record,
    process: &Process,
    logarithms: &Tensor<f64>,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1240, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(680);
    let (blue, orange, grey) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20), RGBColor(150, 150, 150));
    let [from, to] = HELD_OUT;
    let times: Vec<f64> = (0..).map(|i| from + f64::from(i) / 36.0).take_while(|time| *time <= to).collect();
    let foretold: Vec<(f64, f64, f64)> = (times.iter().zip(process.foretell(logarithms, &times)?))
        .map(|(time, (mean, deviation))| (*time, mean, 1.96 * deviation))
        .collect();
    let points = |months: &Record| -> Vec<(f64, f64)> {
        months.time.iter().copied().zip(months.ppm.iter().copied()).collect()
    };

    let mut chart = ChartBuilder::on(&left)
        .margin(20)
        .caption("Carbon dioxide over Mauna Loa, ppm", ("sans-serif", 20))
        .x_label_area_size(42)
        .y_label_area_size(50)
        .build_cartesian_2d(1972.0..to, 322.0..384.0)?;
    chart::mesh(&mut chart)
        .x_desc("year")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    band(&mut chart, "95 %", blue, &foretold)?;
    let mean: Vec<(f64, f64)> = foretold.iter().map(|&(time, mean, _)| (time, mean)).collect();
    let seen = points(&process.seen.years(1972.0, from));
    chart::curves(&mut chart, [("seen", grey, seen), ("foretold", blue, mean)])?;
    let months = record.years(from, to);
    chart
        .draw_series(points(&months).into_iter().map(|at| Circle::new(at, 2, orange.filled())))?
        .label("held out")
        .legend(move |(x, y)| Circle::new((x + 12, y), 3, orange.filled()));
    chart::names(&mut chart)?;

    let errors: Vec<(f64, f64, f64)> = (process.foretell(logarithms, &months.time)?.into_iter())
        .zip(points(&months))
        .map(|((mean, deviation), (time, ppm))| (time, ppm - mean, 1.96 * deviation))
        .collect();
    let mut chart = ChartBuilder::on(&right)
        .margin(20)
        .caption("Held out less foretold, ppm", ("sans-serif", 20))
        .x_label_area_size(42)
        .y_label_area_size(40)
        .build_cartesian_2d(from..to, -3.5..3.5)?;
    chart::mesh(&mut chart)
        .x_desc("year")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    let widths: Vec<(f64, f64, f64)> = errors.iter().map(|&(time, _, width)| (time, 0.0, width)).collect();
    band(&mut chart, "95 %", blue, &widths)?;
    chart
        .draw_series(errors.iter().map(|&(time, error, _)| Circle::new((time, error), 3, orange.filled())))?;
    root.present()?;
    Ok(())
}
