//! Draws digits that nobody wrote: a variational autoencoder with two numbers for each image (Kingma and Welling, 2014).
//!
//! `cargo run --release --example vae [FILE.svg]`: draws samples, and where held-out digits lie, by default to
//! `target/vae.svg`. The noise of a sample is a constant on the tape, moved and stretched by variables: gradients flow into
//! its mean and its width.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::optim::Adam;
use retrograde::{Generator, Parameters, Reduction, Result, Tape, Tensor, Var, init, parameters};
use std::path::{Path, PathBuf};

#[path = "data/digits.rs"]
mod data;

use data::Digits;

const TRAIN: usize = 1437;
const BATCH: usize = 64;
const EPOCHS: usize = 600;
const RATE: f64 = 3e-3;
const HIDDEN: usize = 128;
/// Numbers that stand for an image.
const LATENT: usize = 2;
const PIXELS: usize = 64;

struct Linear<P> {
    w: P,
    b: P,
}
parameters!(Linear { w, b });

struct Autoencoder<P> {
    encoder: [Linear<P>; 2],
    law: Linear<P>,
    decoder: [Linear<P>; 2],
    image: Linear<P>,
}
parameters!(Autoencoder { encoder, law, decoder, image });

type V<'t> = Var<'t, f32>;
type Model = Autoencoder<Tensor<f32>>;

fn new_model(random: &mut Generator) -> Result<Model> {
    let mut linear = |n, m, gain| -> Result<Linear<Tensor<f32>>> {
        Ok(Linear { w: init::kaiming_normal([n, m], init::Fan::In, gain, random)?, b: Tensor::zeros([m])? })
    };
    Ok(Autoencoder {
        encoder: [linear(PIXELS, HIDDEN, init::RELU)?, linear(HIDDEN, HIDDEN, init::RELU)?],
        law: linear(HIDDEN, 2 * LATENT, 0.1)?,
        decoder: [linear(LATENT, HIDDEN, init::RELU)?, linear(HIDDEN, HIDDEN, init::RELU)?],
        image: linear(HIDDEN, PIXELS, 0.1)?,
    })
}

impl<'t> Autoencoder<V<'t>> {
    /// The mean of the latent law of each image, and the logarithm of its width.
    fn encode(&self, x: V<'t>) -> Result<[V<'t>; 2]> {
        let x = self.encoder.iter().fold(x, |x, layer| x.linear(layer.w, layer.b).silu());
        let parts = x.linear(self.law.w, self.law.b).chunk(2, -1)?;
        Ok([parts[0], parts[1]])
    }

    /// Logits of the grey levels.
    fn decode(&self, z: V<'t>) -> V<'t> {
        let z = self.decoder.iter().fold(z, |z, layer| z.linear(layer.w, layer.b).silu());
        z.linear(self.image.w, self.image.b)
    }

    /// What an image costs in nats: to say it given its latent numbers, and to say those given the normal law.
    fn loss(&self, pixels: &Tensor<f32>, random: &mut Generator) -> Result<V<'t>> {
        let tape = self.law.w.tape();
        let [mean, log_width] = self.encode(tape.constant(pixels))?;
        let z = tape.normal(mean.try_shape()?, mean, log_width.exp(), random);
        let said = self.decode(z).binary_cross_entropy_with_logits(pixels, Reduction::BatchMean);
        // The divergence of N(m, s²) from N(0, 1): ½ (m² + s² − 1) − ln s.
        let divergence = (mean.square() + (log_width * 2.0).exp() - 1.0) * 0.5 - log_width;
        Ok(said + divergence.sum() / pixels.shape()[0] as f64)
    }
}

/// What an image costs if every pixel is guessed by its mean over other images; and by its own grey level, which nothing
/// can be below.
fn bounds(seen: &Tensor<f32>, images: &Tensor<f32>) -> Result<[f64; 2]> {
    let tape = Tape::new();
    let guesses = [tape.constant(seen).mean_axes(0).expand(images.shape()), tape.constant(images)];
    let [means, own] = guesses.map(|p| p.binary_cross_entropy(images, Reduction::BatchMean).item());
    Ok([means?.into(), own?.into()])
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/vae.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let digits = Digits::read();
    let mut random = Generator::new(1);
    let mut order: Vec<usize> = (0..digits.labels.len()).collect();
    random.shuffle(&mut order);
    let (train, held_out) = order.split_at_mut(TRAIN);
    let exam = digits.images(held_out)?;

    let mut model = new_model(&mut random)?;
    let (mut adam, mut tape) = (Adam::new(RATE), Tape::new());
    let judge = |model: &Model| -> Result<f64> {
        let (tape, mut random) = (Tape::new(), Generator::new(2));
        let model = model.constants(&tape);
        let rounds = (0..16).map(|_| Ok(f64::from(model.loss(&exam, &mut random)?.item()?)));
        Ok(rounds.sum::<Result<f64>>()? / 16.0)
    };
    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(EPOCHS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}")?);
    for epoch in 0..EPOCHS {
        random.shuffle(train);
        adam.learning_rate = RATE * (1.0 - epoch as f64 / EPOCHS as f64);
        let mut total = 0.0;
        for which in train.chunks(BATCH) {
            let loss = model.on(&tape).loss(&digits.images(which)?, &mut random)?;
            total += f64::from(loss.item()?) * which.len() as f64;
            let grads = loss.backward()?;
            tape.clear();
            adam.step(model.leaves_mut().into_iter().zip(grads.iter()))?;
        }
        bar.inc(1);
        if (epoch + 1) % 50 == 0 {
            let (seen, unseen) = (total / TRAIN as f64, judge(&model)?);
            bar.set_message(format!("held out {unseen:.3}"));
            bar.suspend(|| println!("epoch {:3}  trained on {seen:.3}  held out {unseen:.3}", epoch + 1));
        }
    }
    bar.finish_and_clear();

    let (cost, [guess, floor]) = (judge(&model)?, bounds(&digits.images(train)?, &exam)?);
    println!(
        "a held-out digit costs {cost:.2} nats, {guess:.2} by the mean of each pixel, {floor:.2} at the least"
    );
    let exam_labels: Vec<usize> = held_out.iter().map(|&i| digits.labels[i] as usize).collect();
    draw(&path, &model, &exam, &exam_labels)?;
    println!("drawn to {}", path.display());
    assert!(cost - floor < 0.78 * (guess - floor), "{cost} {guess} {floor}");
    Ok(())
}

/// Images along a grid of the latent plane, at quantiles of its law; and the means of held-out digits in it.
fn draw(
    path: &Path,
    model: &Model,
    exam: &Tensor<f32>,
    labels: &[usize],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    const SIDE: usize = 14;
    const DOT: i32 = 5;
    let tape = Tape::new();
    let model = model.constants(&tape);
    let quantiles =
        (tape.constant(&Tensor::<f32>::arange(0.5, SIDE as f64, 1.0)?) / SIDE as f64).ndtri().value()?;
    let at = |i: &[usize]| quantiles[[if i[1] == 0 { i[0] % SIDE } else { SIDE - 1 - i[0] / SIDE }]];
    let grid = Tensor::from_fn([SIDE * SIDE, LATENT], at)?;
    let greys = model.decode(tape.constant(&grid)).sigmoid().value()?.to_vec();
    let means = model.encode(tape.constant(exam))?[0].value()?.to_vec();

    let root = SVGBackend::new(path, (1220, 640)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(620);
    left.draw(&Text::new("What points of the plane stand for", (20, 20), ("sans-serif", 22).into_font()))?;
    for (image, greys) in greys.chunks(PIXELS).enumerate() {
        let (x0, y0) = (20 + (image % SIDE) as i32 * 41, 56 + (image / SIDE) as i32 * 41);
        for (pixel, &grey) in greys.iter().enumerate() {
            let (x, y) = (x0 + pixel as i32 % 8 * DOT, y0 + pixel as i32 / 8 * DOT);
            let level = (255.0 * (1.0 - grey)) as u8;
            left.draw(&Rectangle::new([(x, y), (x + DOT, y + DOT)], RGBColor(level, level, level).filled()))?;
        }
    }
    let mut chart = ChartBuilder::on(&right)
        .margin(20)
        .caption("Held-out digits in the plane", ("sans-serif", 22))
        .x_label_area_size(36)
        .y_label_area_size(36)
        .build_cartesian_2d(-3.0f32..3.0, -3.0f32..3.0)?;
    chart.configure_mesh().disable_mesh().axis_style(RGBColor(150, 150, 150)).draw()?;
    let digits = means.chunks(LATENT).zip(labels).map(|(z, label)| {
        let color = Palette99::pick(*label).to_rgba();
        Text::new(label.to_string(), (z[0], z[1]), ("sans-serif", 14).into_font().color(&color))
    });
    chart.draw_series(digits)?;
    root.present()?;
    Ok(())
}
