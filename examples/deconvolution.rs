//! Recovers a picture from a blurred and noisy one: minimises the distance between its blur, a product of spectra, and what
//! was seen, plus a penalty on the total variation, by gradients through the Fourier transforms.
//!
//! To divide by the spectrum of the blur is the inverse without noise; with 0.4 % of it, nothing is left of the
//! picture. Wiener's filter, the best division that knows only the level of the noise, keeps the edges soft. The total
//! variation knows that there are edges.
//!
//! `cargo run --release --features fft --example deconvolution [FILE.svg]`, by default `target/deconvolution.svg`.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::fft::{Norm, fftfreq, rfftfreq};
use retrograde::optim::Adam;
use retrograde::{Generator, Result, Tape, Tensor, Var};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;

const SIZE: usize = 96;
/// Standard deviations of the blur, in pixels, and of the noise, where black is 0 and white 1.
const BLUR: f64 = 2.5;
const NOISE: f64 = 0.004;
/// The weight of the total variation, and the step below which it is smooth.
const VARIATION: f64 = 2e-4;
const SMOOTH: f64 = 1e-3;
const STEPS: usize = 1000;

/// Discs and a bar.
fn picture() -> Result<Tensor<f64>> {
    let discs = [(30.0, 30.0, 17.0, 1.0), (34.0, 26.0, 7.0, 0.4), (66.0, 64.0, 20.0, 0.7)];
    Tensor::from_fn([SIZE, SIZE], |i| {
        let (y, x) = (i[0] as f64, i[1] as f64);
        let mut shade = if (70.0..84.0).contains(&y) && (10.0..40.0).contains(&x) { 0.5 } else { 0.0 };
        for (cy, cx, r, level) in discs {
            if (y - cy).hypot(x - cx) < r {
                shade = level;
            }
        }
        shade
    })
}

/// The spectrum of a Gaussian blur: real, as the blur is symmetric. Frequencies are in periods a pixel.
fn transfer() -> Result<Tensor<f64>> {
    let (fy, fx) = (fftfreq::<f64>(SIZE, 1.0)?.to_vec(), rfftfreq::<f64>(SIZE, 1.0)?.to_vec());
    Tensor::from_fn([SIZE, SIZE / 2 + 1], |i| {
        let omega = std::f64::consts::TAU * fy[i[0]].hypot(fx[i[1]]);
        (-0.5 * (BLUR * omega).powi(2)).exp()
    })
}

/// The picture whose spectrum is multiplied by a real one.
fn filtered<'t>(x: Var<'t, f64>, by: &Tensor<f64>) -> Var<'t, f64> {
    let by = x.tape().constant(by);
    (x.rfft2(None, Norm::Ortho) * by).irfft2([SIZE, SIZE], Norm::Ortho)
}

fn loss<'t>(x: Var<'t, f64>, blur: &Tensor<f64>, seen: &Tensor<f64>) -> Var<'t, f64> {
    let misfit = (filtered(x, blur) - x.tape().constant(seen)).square().sum() * 0.5;
    let (down, right) = (x.roll([-1], 0) - x, x.roll([-1], 1) - x);
    let variation = (down.square() + right.square() + SMOOTH * SMOOTH).sqrt().sum();
    misfit + variation * VARIATION
}

/// ‖x − truth‖ / ‖truth‖.
fn error(x: &Tensor<f64>, truth: &Tensor<f64>) -> f64 {
    let norm = |x: &Tensor<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(x - truth)) / norm(truth)
}

fn apply(x: &Tensor<f64>, by: &Tensor<f64>) -> Result<Tensor<f64>> {
    filtered(Tape::new().constant(x), by).value()
}

fn draw(
    path: &Path,
    rows: &[(&str, RGBColor, &Tensor<f64>)],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, (760, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("row 30 of the picture", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..SIZE as f64 - 1.0, -0.15..1.25)?;
    chart::mesh(&mut chart).x_desc("column").y_desc("shade").draw()?;
    let line = |x: &Tensor<f64>| (0..SIZE).map(|i| (i as f64, x[[30, i]])).collect::<Vec<_>>();
    chart::curves(&mut chart, rows.iter().map(|(name, color, x)| (*name, *color, line(x))))?;
    area.present()?;
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/deconvolution.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let (truth, blur) = (picture()?, transfer()?);
    let noise = Tensor::normal([SIZE, SIZE], 0.0, NOISE, &mut Generator::new(1))?;
    let seen = apply(&truth, &blur)? + noise;

    let naive = apply(&seen, &blur.map(|h| 1.0 / h)?)?;
    // The best level, as if someone knew it.
    let mut wiener = (f64::INFINITY, seen.clone());
    for k in 0..24 {
        let level = 10f64.powf(-4.5 + 0.15 * f64::from(k));
        let found = apply(&seen, &blur.map(|h| h / (h * h + level))?)?;
        let apart = error(&found, &truth);
        if apart < wiener.0 {
            wiener = (apart, found);
        }
    }
    println!(
        "error of what was seen {:.3}, divided by the blur {:.1e}",
        error(&seen, &truth),
        error(&naive, &truth)
    );
    println!("error of Wiener's filter {:.3}", wiener.0);

    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(STEPS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let start = Instant::now();
    let mut x = wiener.1.clone();
    let mut adam = Adam::new(0.02);
    let mut tape = Tape::new();
    for step in 0..STEPS {
        adam.learning_rate = 0.01 * (1.0 + (std::f64::consts::PI * step as f64 / STEPS as f64).cos());
        let own = tape.var(&x);
        let found = loss(own, &blur, &seen);
        let value = found.item()?;
        let [g] = tape.grad(found, [own])?;
        tape.clear();
        adam.step([(&mut x, &g)])?;
        bar.set_message(format!("loss {value:.4}"));
        if step % 250 == 0 {
            bar.suspend(|| println!("step {step:4}: loss {value:.4}, error {:.3}", error(&x, &truth)));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (found, seconds) = (error(&x, &truth), start.elapsed().as_secs_f64());
    println!("error by gradients {found:.3}, {STEPS} steps in {seconds:.2} s");
    draw(
        &path,
        &[
            ("truth", BLACK, &truth),
            ("seen", RGBColor(150, 150, 150), &seen),
            ("Wiener's filter", RGBColor(220, 120, 30), &wiener.1),
            ("by gradients", RGBColor(30, 100, 200), &x),
        ],
    )?;
    println!("drawn to {}", path.display());
    assert!(found < 0.5 * wiener.0, "{found} beside {}", wiener.0);
    assert!(error(&naive, &truth) > 1e3);
    Ok(())
}
