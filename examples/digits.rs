//! Learns to read hand-written digits: a network with two hidden layers, trained by Adam, in a few seconds.
//!
//! `cargo run --release --example digits [FILE.svg]`: draws how it went, and digits it misreads, by default to
//! `target/digits.svg`.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::optim::Adam;
use retrograde::{Generator, Reduction, Result, Tape, Tensor, Var};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;
#[path = "data/digits.rs"]
mod data;

use data::Digits;

const TRAIN: usize = 1437;
const BATCH: usize = 32;
const EPOCHS: usize = 40;
const RATE: f64 = 2e-3;

/// Some digits as a batch, and their classes.
fn batch(digits: &Digits, which: &[usize]) -> Result<(Tensor<f32>, Tensor<i64>)> {
    let t = Tensor::from_iter_in(which.iter().map(|&i| digits.labels[i]), [which.len()])?;
    Ok((digits.images(which)?, t))
}

/// Weights and biases, layer by layer.
fn initial(random: &mut Generator) -> Result<Vec<Tensor<f32>>> {
    let mut parameters = vec![];
    for [n, m] in [[64, 128], [128, 64], [64, 10]] {
        parameters.push(Tensor::normal([n, m], 0.0, (2.0 / n as f64).sqrt(), random)?);
        parameters.push(Tensor::zeros([m])?);
    }
    Ok(parameters)
}

fn logits<'t>(x: Var<'t, f32>, p: &[Var<'t, f32>]) -> Var<'t, f32> {
    x.linear(p[0], p[1]).silu().linear(p[2], p[3]).silu().linear(p[4], p[5])
}

/// The mean loss on digits, and which class each is taken for.
fn judge(parameters: &[Tensor<f32>], (x, t): &(Tensor<f32>, Tensor<i64>)) -> Result<(f64, Vec<i64>)> {
    let tape = Tape::new();
    // Constants: nothing is recorded.
    let p: Vec<_> = parameters.iter().map(|p| tape.constant(p)).collect();
    let y = logits(tape.constant(x), &p);
    let loss = y.cross_entropy(t, Reduction::Mean).item()?;
    let largest = |row: &[f32]| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0) as i64;
    Ok((f64::from(loss), y.value()?.to_vec().chunks(10).map(largest).collect()))
}

/// What is drawn of an epoch.
struct Epoch {
    train: f64,
    held_out: f64,
    accuracy: f64,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/digits.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let digits = Digits::read();
    let mut random = Generator::new(1);
    let mut order: Vec<usize> = (0..digits.labels.len()).collect();
    random.shuffle(&mut order);
    let (train, held_out) = order.split_at_mut(TRAIN);
    let exam = batch(&digits, held_out)?;

    let mut parameters = initial(&mut random)?;
    let mut adam = Adam::new(RATE);
    let mut tape = Tape::new();
    let mut history = vec![];
    let (mut trained, mut read) = (0.0, vec![]);
    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(EPOCHS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    for epoch in 0..EPOCHS {
        let start = Instant::now();
        random.shuffle(train);
        adam.learning_rate = RATE * (1.0 - epoch as f64 / EPOCHS as f64);
        let mut total = 0.0;
        for which in train.chunks(BATCH) {
            let (x, t) = batch(&digits, which)?;
            let p: Vec<_> = parameters.iter().map(|p| tape.var(p)).collect();
            let loss = logits(tape.constant(&x), &p).cross_entropy(&t, Reduction::Mean);
            total += f64::from(loss.item()?) * which.len() as f64;
            let grads = loss.backward()?;
            // Cleared first, so that the parameters are nobody else's and are updated where they lie.
            drop(p);
            tape.clear();
            adam.step(parameters.iter_mut().zip(grads.iter()))?;
        }
        trained += start.elapsed().as_secs_f64();
        let (loss, classes) = judge(&parameters, &exam)?;
        let right = classes.iter().zip(&exam.1).filter(|(class, truth)| **class == *truth).count();
        let accuracy = right as f64 / classes.len() as f64;
        history.push(Epoch { train: total / TRAIN as f64, held_out: loss, accuracy });
        read = classes;
        bar.set_message(format!("held-out accuracy {:.2} %", 100.0 * accuracy));
        bar.inc(1);
        bar.suspend(|| {
            let Epoch { train, held_out, accuracy } = &history[epoch];
            let accuracy = 100.0 * accuracy;
            println!(
                "epoch {:2}  train {train:.5}  held out {held_out:.5}  accuracy {accuracy:.2} %",
                epoch + 1
            );
        });
    }
    bar.finish_and_clear();

    let accuracy = history[EPOCHS - 1].accuracy;
    println!("held-out accuracy {:.2} % of {} digits", 100.0 * accuracy, held_out.len());
    println!("trained {EPOCHS} epochs of {TRAIN} digits in {trained:.2} s");
    assert!(accuracy >= 0.97, "{accuracy}");
    let pairs = held_out.iter().copied().zip(read);
    let misread: Vec<_> = pairs.filter(|&(i, class)| digits.labels[i] != class).collect();
    draw(&path, &history, &digits, &misread)?;
    println!("drawn to {}", path.display());
    Ok(())
}

fn draw(
    path: &Path,
    history: &[Epoch],
    digits: &Digits,
    misread: &[(usize, i64)],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1160, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(640);
    let (blue, orange) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20));

    let least = history.iter().fold(1.0, |m: f64, e| m.min(e.train).min(e.held_out));
    let mut chart = ChartBuilder::on(&left)
        .margin(20)
        .caption("Cross entropy by epoch", ("sans-serif", 22))
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(1.0..history.len() as f64, (least * 0.7..3.0).log_scale())?;
    chart::mesh(&mut chart)
        .x_labels(9)
        .x_desc("epoch")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()?;
    let curve = |of: fn(&Epoch) -> f64| (1..).map(f64::from).zip(history.iter().map(of)).collect();
    let (trained, held_out) = (curve(|epoch| epoch.train), curve(|epoch| epoch.held_out));
    chart::curves(&mut chart, [("trained on", blue, trained), ("held out", orange, held_out)])?;

    let title = format!("{} of {} held-out digits misread", misread.len(), digits.labels.len() - TRAIN);
    right.draw(&Text::new(title, (20, 24), ("sans-serif", 22).into_font()))?;
    for (at, &(i, class)) in misread.iter().take(12).enumerate() {
        let (x0, y0) = (20 + at as i32 % 4 * 122, 68 + at as i32 / 4 * 146);
        for (pixel, &grey) in digits.pixels[i].iter().enumerate() {
            let (x, y) = (x0 + pixel as i32 % 8 * 13, y0 + pixel as i32 / 8 * 13);
            let level = (255.0 * (1.0 - grey)) as u8;
            let square = Rectangle::new([(x, y), (x + 13, y + 13)], RGBColor(level, level, level).filled());
            right.draw(&square)?;
        }
        right.draw(&Rectangle::new([(x0, y0), (x0 + 104, y0 + 104)], RGBColor(200, 200, 200)))?;
        let text = format!("{} read as {class}", digits.labels[i]);
        right.draw(&Text::new(text, (x0, y0 + 110), ("sans-serif", 15).into_font()))?;
    }
    root.present()?;
    Ok(())
}
