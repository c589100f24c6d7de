//! Draws every activation with its first and second derivative, and checks what is drawn against differences.
//!
//! `cargo run --release --example activations [FILE.svg]`, by default `target/activations.svg`.

use plotters::prelude::*;
use retrograde::{Result, Tape, Tensor, Var};
use std::path::PathBuf;

/// An activation, and where it or a derivative of it has a kink.
struct Entry {
    name: &'static str,
    f: for<'t> fn(Var<'t, f64>) -> Var<'t, f64>,
    kinks: &'static [f64],
}

macro_rules! entries {
    ($($name:literal $([$($kink:expr),*])? |$x:ident| $f:expr;)*) => {
        [$(Entry { name: $name, f: |$x| $f, kinks: &[$($($kink),*)?] }),*]
    };
}

fn entries() -> [Entry; 24] {
    entries! {
        "sigmoid" |x| x.sigmoid();
        "tanh" |x| x.tanh();
        "log_sigmoid" |x| x.log_sigmoid();
        "softplus" |x| x.softplus(1.0);
        "softplus, β = 4" |x| x.softplus(4.0);
        "tanhshrink" |x| x.tanhshrink();
        "silu" |x| x.silu();
        "gelu" |x| x.gelu();
        "gelu_tanh" |x| x.gelu_tanh();
        "mish" |x| x.mish();
        "softsign" [0.0] |x| x.softsign();
        "elu, α = 1" [0.0] |x| x.elu(1.0);
        "celu, α = 2" [0.0] |x| x.celu(2.0);
        "selu" [0.0] |x| x.selu();
        "relu" [0.0] |x| x.relu();
        "leaky_relu, α = 0.2" [0.0] |x| x.leaky_relu(0.2);
        "relu6" [0.0, 6.0] |x| x.relu6();
        "hardtanh" [-1.0, 1.0] |x| x.hardtanh(-1.0, 1.0);
        "hardsigmoid" [-3.0, 3.0] |x| x.hardsigmoid();
        "hardswish" [-3.0, 3.0] |x| x.hardswish();
        "softshrink, λ = 1" [-1.0, 1.0] |x| x.softshrink(1.0);
        "hardshrink, λ = 1" [-1.0, 1.0] |x| x.hardshrink(1.0);
        "threshold, 1 and −1" [1.0] |x| x.threshold(1.0, -1.0);
        "x · tanh x, your own" |x| x * x.tanh();
    }
}

/// Value, first and second derivative at each of `x`.
fn orders(entry: &Entry, x: &Tensor<f64>) -> Result<[Vec<f64>; 3]> {
    let tape = Tape::new();
    let x = tape.var(x);
    let one = Tensor::ones(x.try_shape()?)?;
    let y = (entry.f)(x);
    // Element by element, so that one sweep gives the derivative at every point.
    let [first] = tape.vjp(y, &one, [x])?;
    let [second] = tape.vjp(first, &one, [x])?;
    Ok([y.value()?.to_vec(), first.value()?.to_vec(), second.value()?.to_vec()])
}

/// The largest distance of each derivative from 5-point differences of the order below, away from kinks.
fn check(entry: &Entry, x: &Tensor<f64>) -> Result<f64> {
    let h = 1e-3;
    let at = |t: f64| orders(entry, &(x + t * h));
    let [here, a, b, c, d] = [orders(entry, x)?, at(-2.0)?, at(-1.0)?, at(1.0)?, at(2.0)?];
    let mut worst = 0.0_f64;
    for (i, x) in x.iter().enumerate() {
        if entry.kinks.iter().any(|kink| (x - kink).abs() <= 2.0 * h) {
            continue;
        }
        for order in 0..2 {
            let difference = (a[order][i] - d[order][i] + 8.0 * (c[order][i] - b[order][i])) / (12.0 * h);
            worst = worst.max((here[order + 1][i] - difference).abs());
        }
    }
    Ok(worst)
}

const RANGE: (f64, f64) = (-4.0, 4.0);
const HEIGHT: (f64, f64) = (-1.6, 3.2);

/// The pieces of a curve between kinks and inside the frame.
fn pieces(x: &[f64], y: &[f64], kinks: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = vec![vec![]];
    for (i, (&x0, &y0)) in x.iter().zip(y).enumerate() {
        let crossed = i > 0 && kinks.iter().any(|&kink| x[i - 1] < kink && kink <= x0);
        let inside = y0 >= HEIGHT.0 && y0 <= HEIGHT.1;
        if (crossed || !inside) && pieces.last().is_some_and(|piece| !piece.is_empty()) {
            pieces.push(vec![]);
        }
        // At a kink itself the curve has the value documented, which belongs to neither side.
        if inside && !kinks.contains(&x0) {
            pieces.last_mut().expect("never empty").push((x0, y0));
        }
    }
    pieces
}

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn main() -> Drawn {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/activations.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let entries = entries();
    let x = Tensor::linspace(RANGE.0, RANGE.1, 801)?;
    let points = x.to_vec();
    let ink = [RGBColor(28, 78, 158), RGBColor(214, 96, 20), RGBColor(38, 140, 74)];

    let root = SVGBackend::new(&path, (1320, 1640)).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, body) = root.split_vertically(56);
    head.draw(&Text::new("Activations and their derivatives", (24, 18), ("sans-serif", 26).into_font()))?;
    for (i, (name, color)) in ["f", "f′", "f″"].into_iter().zip(ink).enumerate() {
        let left = 1080 + 76 * i as i32;
        head.draw(&PathElement::new([(left, 32), (left + 26, 32)], color.stroke_width(3)))?;
        head.draw(&Text::new(name, (left + 33, 22), ("sans-serif", 20).into_font()))?;
    }
    let mut worst = 0.0_f64;
    for (entry, area) in entries.iter().zip(body.split_evenly((6, 4))) {
        let error = check(entry, &x)?;
        assert!(error < 1e-8, "{}: off by {error:e}", entry.name);
        worst = worst.max(error);
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .caption(entry.name, ("sans-serif", 17))
            .x_label_area_size(22)
            .y_label_area_size(30)
            .build_cartesian_2d(RANGE.0..RANGE.1, HEIGHT.0..HEIGHT.1)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(5)
            .max_light_lines(0)
            .bold_line_style(RGBColor(228, 228, 228))
            .axis_style(RGBColor(150, 150, 150))
            .label_style(("sans-serif", 12))
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .draw()?;
        let zero = RGBColor(150, 150, 150);
        chart.draw_series([
            PathElement::new([(RANGE.0, 0.0), (RANGE.1, 0.0)], zero),
            PathElement::new([(0.0, HEIGHT.0), (0.0, HEIGHT.1)], zero),
        ])?;
        let curves = orders(entry, &x)?;
        // The function itself last, on top.
        for order in [2, 1, 0] {
            for piece in pieces(&points, &curves[order], entry.kinks) {
                chart.draw_series(LineSeries::new(piece, ink[order].stroke_width(2)))?;
            }
        }
    }
    root.present()?;
    println!(
        "{} activations, derivatives within {worst:.1e} of differences: {}",
        entries.len(),
        path.display()
    );
    Ok(())
}
