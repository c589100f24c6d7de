//! How much of the Nile's changes from year to year was weather, and how much was the river: the log-likelihood of a
//! linear state-space model by the Kalman filter, maximised by its gradient (Durbin and Koopman 2012, chapter 2).
//!
//! The filter is written for any number of states and of observations, with matrices; the derivatives come from the
//! tape. The gradient by the *data* is a smoother: nothing runs backwards but the sweep.
//!
//! `cargo run --release --features linalg --example kalman [FILE.svg]`, by default `target/kalman.svg`.

use plotters::prelude::*;
use retrograde::functional::{grad, hessian};
use retrograde::linalg::Triangular;
use retrograde::optim::Lbfgs;
use retrograde::{Generator, Gradcheck, Result, Tape, Tensor, Var};
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[path = "chart/band.rs"]
mod band;
mod chart;
#[path = "data/table.rs"]
mod table;

use band::band;

type V<'t> = Var<'t, f64>;

/// The variances of the noise and of the level's steps that the book gives, and the log-likelihoods there, with and
/// without the first year's term.
const BOOK: [f64; 2] = [15099.0, 1469.1];
const BOOK_LIKELIHOODS: [f64; 2] = [-641.5856, -632.5456];
/// A variance of the state before the first year that says nothing.
const UNKNOWN: f64 = 1e15;

/// `yₜ = Z αₜ + ε` with `ε ~ N(0, H)`, and `αₜ₊₁ = T αₜ + η` with `η ~ N(0, Q)`.
struct Model<'t> {
    /// Z, `[observations, states]`.
    observation: V<'t>,
    /// H.
    noise: V<'t>,
    /// T, `[states, states]`.
    transition: V<'t>,
    /// Q.
    steps: V<'t>,
}

/// What the filter makes of a record.
struct Filtered<'t> {
    /// The logarithm of each year's density given those before.
    likelihoods: Vec<V<'t>>,
    /// Mean, `[states, 1]`, and covariance of the state given the record up to each year.
    states: Vec<[V<'t>; 2]>,
}

impl<'t> Filtered<'t> {
    /// The log-likelihood without the first `left_out` years, of which so many are needed to know the states at all.
    fn likelihood(&self, left_out: usize) -> V<'t> {
        self.likelihoods[left_out..].iter().copied().reduce(|a, b| a + b).expect("a record of some years")
    }
}

impl<'t> Model<'t> {
    /// A level that wanders, seen through noise; with logarithms of the variances of the two.
    fn level(logarithms: V<'t>) -> Model<'t> {
        let one = logarithms.tape().constant(&Tensor::ones([1, 1]).expect("of one number"));
        let [noise, steps] = [0, 1].map(|i| logarithms.slice(0, i..i + 1).exp().unsqueeze(0));
        Model { observation: one, noise, transition: one, steps }
    }

    /// Runs over observations `[years, observations]`, from a state of mean 0 and a variance.
    fn filter(&self, y: V<'t>, variance: f64) -> Filtered<'t> {
        let &Model { observation: z, noise: h, transition: t, steps: q } = self;
        let constant = 0.5 * y.shape()[1] as f64 * TAU.ln();
        let states = t.shape()[0];
        let identity = y.tape().constant(&Tensor::eye(states).expect("a small matrix"));
        let mut covariance = identity * variance;
        let mut mean = covariance.slice(1, ..1) * 0.0;
        let mut filtered = Filtered { likelihoods: vec![], states: vec![] };
        for year in 0..y.shape()[0] as isize {
            // The error of the forecast, and the factor of its covariance F.
            let error = y.slice(0, year..year + 1).t() - z.matmul(mean);
            let factor = (z.matmul(covariance).matmul(z.t()) + h).cholesky();
            let whitened = factor.solve_triangular(error, Triangular::lower());
            let density = whitened.square().sum() * -0.5 - factor.diagonal(0, 1).ln().sum() - constant;
            // The gain P Zᵀ F⁻¹, and Joseph's form of the covariance, which loses no digit to an unknown state.
            let gain = factor.cholesky_solve(z.matmul(covariance)).t();
            let kept = identity - gain.matmul(z);
            mean = mean + gain.matmul(error);
            covariance = kept.matmul(covariance).matmul(kept.t()) + gain.matmul(h).matmul(gain.t());
            filtered.likelihoods.push(density);
            filtered.states.push([mean, covariance]);
            mean = t.matmul(mean);
            covariance = t.matmul(covariance).matmul(t.t()) + q;
        }
        filtered
    }
}

/// The log-likelihood of a wandering level, the first year given.
fn likelihood<'t>(logarithms: V<'t>, y: V<'t>) -> V<'t> {
    Model::level(logarithms).filter(y, UNKNOWN).likelihood(1)
}

/// Without a filter: the changes from one year to the next are normal, with covariances `S = Q + H D Dᵀ`.
fn dense<'t>(logarithms: V<'t>, changes: V<'t>) -> (V<'t>, V<'t>) {
    let tape = logarithms.tape();
    let [h, q] = [0, 1].map(|i| logarithms.slice(0, i..i + 1).exp());
    let d = tape.constant(&difference(changes.shape()[0]));
    let identity = tape.constant(&Tensor::eye(changes.shape()[0]).expect("a small matrix"));
    let factor = (identity * q + d.matmul(d.t()) * h).cholesky();
    let whitened = factor.solve_triangular(changes, Triangular::lower());
    let constant = 0.5 * changes.shape()[0] as f64 * TAU.ln();
    (whitened.square().sum() * -0.5 - factor.diagonal(0, 1).ln().sum() - constant, factor)
}

/// D: what takes n + 1 years to their n changes.
fn difference(n: usize) -> Tensor<f64> {
    let of = |at: &[usize]| f64::from(at[1] == at[0] + 1) - f64::from(at[1] == at[0]);
    Tensor::from_fn([n, n + 1], of).expect("a small matrix")
}

/// The log-likelihood by Z, T, the roots of H and Q, and the data.
fn several<'t>(v: &[V<'t>]) -> V<'t> {
    let (noise, steps) = (v[2].matmul(v[2].t()), v[3].matmul(v[3].t()));
    Model { observation: v[0], transition: v[1], noise, steps }.filter(v[4], 10.0).likelihood(0)
}

/// Two series with a common slope, five years long, with the derivatives by all that there is.
fn check_several() -> Result<()> {
    let (observation, transition) = (
        Tensor::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        Tensor::from([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]),
    );
    let mut random = Generator::new(1);
    let mut normal = |shape: [usize; 2]| Tensor::normal(shape, 0.0, 1.0, &mut random);
    let inputs = [observation, transition, normal([2, 2])?, normal([3, 3])?, normal([5, 2])?];
    let report = Gradcheck { order: 2, ..Gradcheck::default() }.run(several, &inputs)?;
    println!("two series, three states, by Z, T, the roots of H and Q, and the data:\n{report}");
    assert!(report.passed());
    Ok(())
}

fn largest(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    let scale = b.iter().fold(0.0, |most: f64, b| most.max(b.abs()));
    a.iter().zip(b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs())) / scale
}

/// A level by year, with its standard deviation.
type Level = Vec<(f64, f64)>;

/// Given the years up to each.
fn filtered(logarithms: &Tensor<f64>, y: &Tensor<f64>) -> Result<Level> {
    let tape = Tape::new();
    let states = Model::level(tape.constant(logarithms)).filter(tape.constant(y), UNKNOWN).states;
    states.iter().map(|[mean, variance]| Ok((mean.item()?, variance.item()?.sqrt()))).collect()
}

/// Given all years. Of `ℓ(y)` the gradient is `−Σ⁻¹(y − μ)` and the Hessian `−Σ⁻¹`, and the noise is, given the data,
/// `H Σ⁻¹(y − μ)` with the covariance `H − H Σ⁻¹ H`.
fn smoothed(logarithms: &Tensor<f64>, y: &Tensor<f64>) -> Result<Level> {
    let h = logarithms[[0]].exp();
    let [slope] = grad(|[y]| likelihood(y.tape().constant(logarithms), y), [y])?;
    let [[curvature]] = hessian(|[y]| likelihood(y.tape().constant(logarithms), y), [y])?;
    let n = y.len();
    let variances = curvature.reshape([n, n])?.diagonal(0, 1)?;
    let level = |((y, slope), curvature): ((f64, f64), f64)| (y + h * slope, (h + h * h * curvature).sqrt());
    Ok(y.iter().zip(&slope).zip(&variances).map(level).collect())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/kalman.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let rows = table::rows::<2>(include_str!("data/nile.csv"));
    let y = Tensor::from_iter_in(rows.iter().map(|row| row[1]), [rows.len(), 1])?;
    let changes = difference(rows.len() - 1).matmul(&y)?;
    check_several()?;

    // The book's figures, with a prior variance of 10⁷ and with none.
    let book = Tensor::from(BOOK.map(f64::ln));
    let tape = Tape::new();
    let (p, data) = (tape.var(&book), tape.constant(&y));
    let of_prior = Model::level(p).filter(data, 1e7).likelihood(0).item()?;
    let loss = likelihood(p, data);
    println!("log-likelihoods at the book's variances: {of_prior:.4} and {:.4}", loss.item()?);
    for (found, book) in [of_prior, loss.item()?].into_iter().zip(BOOK_LIKELIHOODS) {
        assert!((found - book).abs() < 1e-4, "{found} {book}");
    }
    // Where the search begins, the gradient against differences, and against that of the dense likelihood.
    let mut logarithms = Tensor::from([1e4_f64.ln(), 1e4_f64.ln()]);
    let report = Gradcheck::default()
        .run(|p| likelihood(p[0], p[0].tape().constant(&y)), std::slice::from_ref(&logarithms))?;
    println!("{report}");
    assert!(report.passed());
    let p = tape.var(&logarithms);
    let (loss, (other, _)) = (likelihood(p, data), dense(p, tape.constant(&changes)));
    let [by_filter] = tape.grad(loss, [p])?;
    let [by_matrix] = tape.grad(other, [p])?;
    let (value, gradient) = ((loss.item()? - other.item()?).abs(), largest(&by_filter, &by_matrix));
    println!("against the whole covariance matrix: value within {value:.0e}, gradient within {gradient:.0e}");
    assert!(value < 1e-9 && gradient < 1e-9, "{value:e} {gradient:e}");

    let start = Instant::now();
    let found = Lbfgs::new().minimize(&mut logarithms, |tape, p| -likelihood(p, tape.constant(&y)))?;
    println!(
        "maximum {:.6}, gradient {:.0e}, after {} evaluations in {:.2} s",
        -found.value,
        found.gradient_norm,
        found.evaluations,
        start.elapsed().as_secs_f64()
    );
    assert!(found.gradient_norm < 1e-6, "{found:?}");
    let [[curvature]] = hessian(|[p]| -likelihood(p, p.tape().constant(&y)), [&logarithms])?;
    let covariance = Tape::new().constant(&curvature).cholesky().cholesky_inverse().value()?;
    for (i, name) in ["noise", "steps of the level"].into_iter().enumerate() {
        let (variance, error) = (logarithms[[i]].exp(), covariance[[i, i]].sqrt());
        println!(
            "  variance of the {name:18} {variance:8.1}  × or ÷ {:.2}  the book: {:7.1}",
            error.exp(),
            BOOK[i]
        );
        assert!((variance / BOOK[i] - 1.0).abs() < 5e-3, "{name}: {variance}");
    }

    // Smoothed by derivatives, and by the whole covariance matrix: y − H DᵀS⁻¹Dy.
    let start = Instant::now();
    let smooth = smoothed(&logarithms, &y)?;
    println!(
        "smoothed by the gradient and the Hessian by the data in {:.2} s",
        start.elapsed().as_secs_f64()
    );
    let tape = Tape::new();
    let (_, factor) = dense(tape.constant(&logarithms), tape.constant(&changes));
    let d = tape.constant(&difference(rows.len() - 1));
    let inverse = d.t().matmul(factor.cholesky_solve(d)).value()?;
    let noise = inverse.matmul(&y)?;
    let h = logarithms[[0]].exp();
    let apart = (0..rows.len()).fold(0.0, |most: f64, i| {
        let deviation = (h - h * h * inverse[[i, i]]).sqrt();
        most.max((smooth[i].0 - (y[[i, 0]] - h * noise[[i, 0]])).abs()).max((smooth[i].1 - deviation).abs())
    });
    println!("by the whole covariance matrix the same within {apart:.0e}");
    assert!(apart < 1e-7, "{apart:e}");
    // In the last year both know the same.
    let filter = filtered(&logarithms, &y)?;
    let (last, same) = (filter[rows.len() - 1], smooth[rows.len() - 1]);
    assert!((last.0 - same.0).abs() < 1e-7 && (last.1 - same.1).abs() < 1e-7, "{last:?} {same:?}");
    draw(&path, &rows, [("filtered", &filter), ("smoothed", &smooth)])?;
    println!("drawn to {}", path.display());
    Ok(())
}

fn draw(
    path: &Path,
    rows: &[[f64; 2]],
    levels: [(&str, &Level); 2],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1240, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let (blue, orange) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20));
    for ((name, level), area) in levels.into_iter().zip(root.split_evenly((1, 2))) {
        let mut chart = ChartBuilder::on(&area)
            .margin(20)
            .caption(format!("The Nile at Aswan, 10⁸ m³ a year: {name}"), ("sans-serif", 20))
            .x_label_area_size(42)
            .y_label_area_size(50)
            .build_cartesian_2d(1870.0..1971.0, 400.0..1450.0)?;
        chart::mesh(&mut chart)
            .x_desc("year")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .draw()?;
        let points: Vec<(f64, f64, f64)> = rows
            .iter()
            .zip(level)
            .map(|(row, (mean, deviation))| (row[0], *mean, 1.96 * deviation))
            .collect();
        band(&mut chart, "95 %", blue, &points)?;
        let mean = points.iter().map(|&(year, mean, _)| (year, mean)).collect();
        chart::curves(&mut chart, [("level", blue, mean)])?;
        chart
            .draw_series(rows.iter().map(|row| Circle::new((row[0], row[1]), 3, orange.filled())))?
            .label("measured")
            .legend(move |(x, y)| Circle::new((x + 12, y), 3, orange.filled()));
        chart::names(&mut chart)?;
    }
    root.present()?;
    Ok(())
}
