//! Reads hand-written digits by convolutions: three of them with batch normalisation, trained on images that are moved
//! and turned a little each time they are seen.
//!
//! `cargo run --release --example cnn [FILE.svg]`: draws how it went, the taps of the first convolution and the digits it
//! misreads, by default to `target/cnn.svg`.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::loss::CrossEntropy;
use retrograde::optim::AdamW;
use retrograde::{
    Conv, Generator, GridSample, Parameters, Pool, Result, Statistics, Tape, Tensor, Var, init, parameters,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;
#[path = "data/digits.rs"]
mod data;

use data::Digits;

const TRAIN: usize = 1437;
const BATCH: usize = 48;
const EPOCHS: usize = 40;
const RATE: f64 = 4e-3;
const CHANNELS: [usize; 4] = [1, 24, 48, 64];

type V<'t> = Var<'t, f32>;

/// A convolution by 3×3 taps, whose channels are then brought to mean 0 and variance 1, scaled and moved.
struct Layer<P> {
    taps: P,
    scale: P,
    shift: P,
}
parameters!(Layer { taps, scale, shift });

struct Network<P> {
    layers: Vec<Layer<P>>,
    w: P,
    b: P,
}
parameters!(Network { layers, w, b });

type Model = Network<Tensor<f32>>;

fn new_model(random: &mut Generator) -> Result<Model> {
    let mut layers = vec![];
    for pair in CHANNELS.windows(2) {
        layers.push(Layer {
            taps: init::kaiming_normal([pair[1], pair[0], 3, 3], init::Fan::In, init::RELU, random)?,
            scale: Tensor::ones([pair[1]])?,
            shift: Tensor::zeros([pair[1]])?,
        });
    }
    let w = init::xavier_normal([CHANNELS[3], 10], init::LINEAR, random)?;
    Ok(Network { layers, w, b: Tensor::zeros([10])? })
}

/// Where a network's means and variances come from.
enum Norms<'a> {
    /// The batch; the running ones are moved towards these.
    Training(&'a mut [Statistics<f32>]),
    /// The running ones.
    Fixed(&'a [Statistics<f32>]),
}

impl<'t> Network<V<'t>> {
    /// The logits `[n, 10]` of images `[n, 1, 8, 8]`: two convolutions, a maximum over each 2×2, another convolution, and
    /// the mean over what is left of the image.
    fn apply(&self, images: V<'t>, mut norms: Norms<'_>) -> Result<V<'t>> {
        let mut x = images;
        for (k, layer) in self.layers.iter().enumerate() {
            let y = x.conv2d(layer.taps, None, Conv::new().padding(1));
            let y = match &mut norms {
                Norms::Training(running) => {
                    let (y, moved) =
                        y.batch_norm_training(&running[k], 0.1, layer.scale, layer.shift, 1e-5)?;
                    running[k] = moved;
                    y
                }
                Norms::Fixed(running) => y.batch_norm(&running[k], layer.scale, layer.shift, 1e-5),
            };
            x = y.relu();
            if k == 1 {
                x = x.max_pool2d(Pool::new(2));
            }
        }
        Ok(x.adaptive_avg_pool2d(1).flatten(1, -1).linear(self.w, self.b))
    }
}

/// Some digits as a batch, and their classes.
fn batch(digits: &Digits, which: &[usize]) -> Result<(Tensor<f32>, Tensor<i64>)> {
    let t = Tensor::from_iter_in(which.iter().map(|&i| digits.labels[i]), [which.len()])?;
    Ok((digits.images(which)?.reshape([which.len(), 1, 8, 8])?, t))
}

/// Each image turned, stretched and moved a little.
fn moved(images: &Tensor<f32>, random: &mut Generator) -> Result<Tensor<f32>> {
    let n = images.shape()[0];
    let mut maps = Vec::with_capacity(n * 6);
    for _ in 0..n {
        let mut about = |width: f64| (2.0 * random.uniform() - 1.0) * width;
        let (turn, size) = (about(0.2), 1.0 + about(0.12));
        let (sin, cos) = (size * turn.sin(), size * turn.cos());
        maps.extend([cos, -sin, about(0.16), sin, cos, about(0.16)].map(|x| x as f32));
    }
    let tape = Tape::new();
    let grid = tape.constant(&Tensor::from_slice(&maps, [n, 2, 3])?).affine_grid([n, 1, 8, 8], false);
    tape.constant(images).grid_sample(grid, GridSample::new()).value()
}

/// The mean loss on digits, and which class each is taken for.
fn judge(
    model: &Model,
    running: &[Statistics<f32>],
    (x, t): &(Tensor<f32>, Tensor<i64>),
) -> Result<(f64, Vec<i64>)> {
    let tape = Tape::new();
    let y = model.constants(&tape).apply(tape.constant(x), Norms::Fixed(running))?;
    let loss = y.cross_entropy(t, CrossEntropy::new()).item()?;
    Ok((f64::from(loss), y.argmax(-1)?.to_vec()))
}

/// What is drawn of an epoch.
struct Epoch {
    train: f64,
    held_out: f64,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/cnn.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let digits = Digits::read();
    let mut random = Generator::new(1);
    let mut order: Vec<usize> = (0..digits.labels.len()).collect();
    random.shuffle(&mut order);
    let (train, held_out) = order.split_at_mut(TRAIN);
    let exam = batch(&digits, held_out)?;

    let mut model = new_model(&mut random)?;
    let mut running = CHANNELS[1..].iter().map(|&n| Statistics::new(n)).collect::<Result<Vec<_>>>()?;
    println!("{} parameters", model.count());
    let (mut adam, mut tape, start) = (AdamW::new(RATE), Tape::new(), Instant::now());
    adam.weight_decay = 0.02;
    let (mut history, mut read) = (vec![], vec![]);
    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(EPOCHS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}")?);
    for epoch in 0..EPOCHS {
        random.shuffle(train);
        adam.learning_rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * epoch as f64 / EPOCHS as f64).cos());
        let mut total = 0.0;
        for which in train.chunks(BATCH) {
            let (x, t) = batch(&digits, which)?;
            let x = tape.constant(&moved(&x, &mut random)?);
            let y = model.on(&tape).apply(x, Norms::Training(&mut running))?;
            let loss = y.cross_entropy(&t, CrossEntropy::new().label_smoothing(0.05));
            total += f64::from(loss.item()?) * which.len() as f64;
            let grads = loss.backward()?;
            // Cleared first, so that the parameters are nobody else's and are updated where they lie.
            tape.clear();
            adam.step(model.leaves_mut().into_iter().zip(grads.iter()))?;
        }
        let (loss, classes) = judge(&model, &running, &exam)?;
        let right = classes.iter().zip(&exam.1).filter(|(class, truth)| **class == *truth).count();
        let accuracy = 100.0 * right as f64 / classes.len() as f64;
        let now = Epoch { train: total / TRAIN as f64, held_out: loss };
        bar.set_message(format!("held-out accuracy {accuracy:.2} %"));
        bar.inc(1);
        bar.suspend(|| {
            let Epoch { train, held_out } = &now;
            println!(
                "epoch {:2}  train {train:.4}  held out {held_out:.4}  accuracy {accuracy:.2} %",
                epoch + 1
            );
        });
        history.push(now);
        read = classes;
    }
    bar.finish_and_clear();

    let pairs = held_out.iter().copied().zip(read);
    let misread: Vec<_> = pairs.filter(|&(i, class)| digits.labels[i] != class).collect();
    let accuracy = 100.0 * (1.0 - misread.len() as f64 / held_out.len() as f64);
    println!("held-out accuracy {accuracy:.2} % of {} digits", held_out.len());
    println!("trained {EPOCHS} epochs of {TRAIN} digits in {:.1} s", start.elapsed().as_secs_f64());
    draw(&path, &history, &model.layers[0].taps, &digits, &misread)?;
    println!("drawn to {}", path.display());
    assert!(accuracy >= 98.5, "{accuracy}");
    Ok(())
}

fn draw(
    path: &Path,
    history: &[Epoch],
    taps: &Tensor<f32>,
    digits: &Digits,
    misread: &[(usize, i64)],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (1160, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(640);
    let (blue, orange) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20));
    let least = history.iter().fold(1.0, |least: f64, epoch| least.min(epoch.train).min(epoch.held_out));
    let mut chart = ChartBuilder::on(&left)
        .margin(20)
        .caption("Cross entropy by epoch (trained on: of smoothed labels)", ("sans-serif", 20))
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(1.0..history.len() as f64, (least * 0.7..3.0).log_scale())?;
    chart::mesh(&mut chart)
        .x_desc("epoch")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .draw()?;
    let curve = |of: fn(&Epoch) -> f64| (1..).map(f64::from).zip(history.iter().map(of)).collect();
    let (trained, held_out) = (curve(|epoch| epoch.train), curve(|epoch| epoch.held_out));
    chart::curves(&mut chart, [("trained on", blue, trained), ("held out", orange, held_out)])?;

    let image = |at: (i32, i32), side: i32, size: usize, levels: &[f32]| {
        levels.iter().enumerate().try_for_each(|(i, &level)| {
            let (x, y) = (at.0 + (i % size) as i32 * side, at.1 + (i / size) as i32 * side);
            let grey = (255.0 * level.clamp(0.0, 1.0)) as u8;
            let square = Rectangle::new([(x, y), (x + side, y + side)], RGBColor(grey, grey, grey).filled());
            right.draw(&square)
        })
    };
    right.draw(&Text::new("The first convolution's taps", (20, 24), ("sans-serif", 20).into_font()))?;
    let taps = taps.to_vec();
    let most = taps.iter().fold(0f32, |most, tap| most.max(tap.abs()));
    for (i, taps) in taps.chunks(9).enumerate() {
        let levels: Vec<f32> = taps.iter().map(|tap| 0.5 + 0.5 * tap / most).collect();
        image((20 + i as i32 % 8 * 58, 58 + i as i32 / 8 * 58), 16, 3, &levels)?;
    }
    let title = format!("{} of {} held-out digits misread", misread.len(), digits.labels.len() - TRAIN);
    right.draw(&Text::new(title, (20, 262), ("sans-serif", 20).into_font()))?;
    for (at, &(i, class)) in misread.iter().take(5).enumerate() {
        let x = 20 + at as i32 * 98;
        image((x, 300), 10, 8, &digits.pixels[i].map(|grey| 1.0 - grey))?;
        right.draw(&Rectangle::new([(x, 300), (x + 80, 380)], RGBColor(200, 200, 200)))?;
        let text = format!("{} read as {class}", digits.labels[i]);
        right.draw(&Text::new(text, (x, 386), ("sans-serif", 14).into_font()))?;
    }
    root.present()?;
    Ok(())
}
