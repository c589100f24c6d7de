//! A small transformer that learns to write like Lewis Carroll, character by character, in under a minute.
//!
//! `cargo run --release --example char_gpt [FILE.svg]`: draws how it went, by default to `target/char_gpt.svg`. Its loss on
//! text it has not seen stands beside those of guessing by how often each character occurs, and by the one before.

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use retrograde::optim::{AdamW, clip_norm};
use retrograde::{
    AttentionOptions, Generator, Parameters, Reduction, Result, Tape, Tensor, Var, init, parameters,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod chart;

const TEXT: &str = include_str!("data/alice.txt");
/// Characters that are seen at a time.
const CONTEXT: usize = 64;
const WIDTH: usize = 64;
const HEADS: usize = 4;
const BLOCKS: usize = 2;
const BATCH: usize = 16;
const STEPS: usize = 2500;
const RATE: f64 = 4e-3;
/// Steps between looks at the held-out text.
const LOOK: usize = 100;

/// X·W + b.
struct Linear<P> {
    w: P,
    b: P,
}
parameters!(Linear { w, b });

/// The scales and shifts behind a normalisation of rows.
struct Norm<P> {
    scale: P,
    shift: P,
}
parameters!(Norm { scale, shift });

struct Block<P> {
    before_attention: Norm<P>,
    query_key_value: Linear<P>,
    mix: Linear<P>,
    before_layer: Norm<P>,
    up: Linear<P>,
    down: Linear<P>,
}
parameters!(Block { before_attention, query_key_value, mix, before_layer, up, down });

struct Transformer<P> {
    characters: P,
    positions: P,
    blocks: Vec<Block<P>>,
    last: Norm<P>,
    out: Linear<P>,
}
parameters!(Transformer { characters, positions, blocks, last, out });

type Model = Transformer<Tensor<f32>>;
type V<'t> = Var<'t, f32>;

fn new_linear([n, m]: [usize; 2], gain: f64, random: &mut Generator) -> Result<Linear<Tensor<f32>>> {
    Ok(Linear { w: init::kaiming_normal([n, m], init::Fan::In, gain, random)?, b: Tensor::zeros([m])? })
}

fn new_norm() -> Result<Norm<Tensor<f32>>> {
    Ok(Norm { scale: Tensor::ones([WIDTH])?, shift: Tensor::zeros([WIDTH])? })
}

fn new_block(random: &mut Generator) -> Result<Block<Tensor<f32>>> {
    // What is added to the stream begins small.
    let little = 1.0 / (2.0 * BLOCKS as f64).sqrt();
    Ok(Block {
        before_attention: new_norm()?,
        query_key_value: new_linear([WIDTH, 3 * WIDTH], init::LINEAR, random)?,
        mix: new_linear([WIDTH, WIDTH], little, random)?,
        before_layer: new_norm()?,
        up: new_linear([WIDTH, 4 * WIDTH], init::RELU, random)?,
        down: new_linear([4 * WIDTH, WIDTH], little, random)?,
    })
}

fn new_model(kinds: usize, random: &mut Generator) -> Result<Model> {
    Ok(Transformer {
        characters: Tensor::normal([kinds, WIDTH], 0.0, 0.1, random)?,
        positions: Tensor::normal([CONTEXT, WIDTH], 0.0, 0.1, random)?,
        blocks: (0..BLOCKS).map(|_| new_block(random)).collect::<Result<_>>()?,
        last: new_norm()?,
        out: new_linear([WIDTH, kinds], 0.1, random)?,
    })
}

impl<'t> Linear<V<'t>> {
    fn apply(&self, x: V<'t>) -> V<'t> {
        x.linear(self.w, self.b)
    }
}

impl<'t> Norm<V<'t>> {
    fn apply(&self, x: V<'t>) -> V<'t> {
        x.layer_norm([WIDTH], self.scale, self.shift, 1e-5)
    }
}

impl<'t> Block<V<'t>> {
    /// Each position gathers from itself and those before it, in each head.
    fn attend(&self, x: V<'t>) -> Result<V<'t>> {
        let (shape, size) = (x.try_shape()?, WIDTH / HEADS);
        let (batch, length) = (shape[0], shape[1]);
        let heads = |part: V<'t>| part.reshape([batch, length, HEADS, size]).permute([0, 2, 1, 3]);
        let parts = self.query_key_value.apply(x).chunk(3, -1)?;
        let causal = AttentionOptions { causal: true, ..AttentionOptions::default() };
        let gathered = heads(parts[0]).attention(heads(parts[1]), heads(parts[2]), causal);
        Ok(self.mix.apply(gathered.permute([0, 2, 1, 3]).reshape(shape)))
    }

    fn apply(&self, x: V<'t>) -> Result<V<'t>> {
        let x = x + self.attend(self.before_attention.apply(x))?;
        Ok(x + self.down.apply(self.up.apply(self.before_layer.apply(x)).gelu()))
    }
}

impl<'t> Transformer<V<'t>> {
    /// The logits of the character behind each, `[batch, length, kinds]`.
    fn apply(&self, text: &Tensor<i64>) -> Result<V<'t>> {
        let &[_, length] = text.shape() else { unreachable!("rows of characters") };
        let mut x = self.characters.embedding(text, None) + self.positions.narrow(0, 0, length);
        for block in &self.blocks {
            x = block.apply(x)?;
        }
        Ok(self.out.apply(self.last.apply(x)))
    }
}

/// A text as numbers of characters, and which these are.
struct Characters {
    kinds: Vec<char>,
    text: Vec<i64>,
}

impl Characters {
    fn read() -> Characters {
        let mut kinds: Vec<char> = TEXT.chars().collect();
        kinds.sort_unstable();
        kinds.dedup();
        let text = TEXT.chars().map(|c| kinds.binary_search(&c).expect("one of its kinds") as i64).collect();
        Characters { kinds, text }
    }
}

/// Windows of a text, and the same one further on.
fn windows(text: &[i64], starts: &[usize]) -> Result<(Tensor<i64>, Tensor<i64>)> {
    let cut = |by: usize| {
        let all = starts.iter().flat_map(|&at| text[at + by..at + by + CONTEXT].iter().copied());
        Tensor::from_iter_in(all, [starts.len(), CONTEXT])
    };
    Ok((cut(0)?, cut(1)?))
}

/// The mean loss on all of a text, window by window.
fn judge(model: &Model, text: &[i64]) -> Result<f64> {
    let starts: Vec<usize> = (0..text.len() - CONTEXT).step_by(CONTEXT).collect();
    let mut total = 0.0;
    for starts in starts.chunks(32) {
        let (tape, (x, t)) = (Tape::new(), windows(text, starts)?);
        let loss = model.constants(&tape).apply(&x)?.cross_entropy(&t, Reduction::Mean);
        total += f64::from(loss.item()?) * starts.len() as f64;
    }
    Ok(total / starts.len() as f64)
}

/// The mean loss of guessing each character of a text by how often it followed the `order` before it in another, every
/// character counted once more than it was seen.
fn by_counting(kinds: usize, seen: &[i64], text: &[i64], order: usize) -> f64 {
    let rows = if order == 0 { 1 } else { kinds };
    let row = |before: i64| if order == 0 { 0 } else { before as usize };
    let mut counts = vec![vec![1.0; kinds]; rows];
    for pair in seen.windows(2) {
        counts[row(pair[0])][pair[1] as usize] += 1.0;
    }
    let loss = |pair: &[i64]| {
        let counts = &counts[row(pair[0])];
        (counts.iter().sum::<f64>() / counts[pair[1] as usize]).ln()
    };
    text.windows(2).map(loss).sum::<f64>() / (text.len() - 1) as f64
}

/// Goes on writing, one character drawn after the other.
fn write(model: &Model, characters: &Characters, begin: &str, length: usize) -> Result<String> {
    let mut random = Generator::new(5);
    let find = |c| characters.kinds.binary_search(&c).expect("one of its kinds") as i64;
    let mut text: Vec<i64> = begin.chars().map(find).collect();
    let mut tape = Tape::new();
    for _ in 0..length {
        tape.clear();
        let seen = &text[text.len().saturating_sub(CONTEXT)..];
        let logits = model.constants(&tape).apply(&Tensor::from_slice(seen, [1, seen.len()])?)?;
        let chances = (logits.select(0, 0).select(0, -1) / 0.6).softmax(-1).value()?;
        text.push(chances.categorical(&mut random)?.item()?);
    }
    Ok(text.into_iter().map(|c| characters.kinds[c as usize]).collect())
}

/// Up in a straight line, then down along half a cosine.
fn rate(step: usize) -> f64 {
    let (warm, step) = (50.0, step as f64);
    let along = (step - warm).max(0.0) / (STEPS as f64 - warm);
    RATE * (step / warm).min(1.0) * (0.02 + 0.98 * 0.5 * (1.0 + (std::f64::consts::PI * along).cos()))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "target/char_gpt.svg".into(), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let characters = Characters::read();
    let kinds = characters.kinds.len();
    let (train, held_out) = characters.text.split_at(characters.text.len() * 9 / 10);
    let by = [0, 1].map(|order| by_counting(kinds, train, held_out, order));

    let mut random = Generator::new(1);
    let mut model = new_model(kinds, &mut random)?;
    println!("{} characters of {kinds} kinds, {} parameters", characters.text.len(), model.count());
    println!("guessing by frequency {:.3}, by the character before {:.3} nats a character", by[0], by[1]);
    let (mut adam, mut tape, start) = (AdamW::new(RATE), Tape::new(), Instant::now());
    adam.weight_decay = 0.1;
    adam.beta2 = 0.99;
    let (mut trained, mut judged, mut mean) = (vec![], vec![(0, judge(&model, held_out)?)], 0.0);
    // On no terminal the bar stays silent.
    let bar = ProgressBar::new(STEPS as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}")?);
    for step in 1..=STEPS {
        let starts: Vec<usize> = (0..BATCH).map(|_| random.below(train.len() - CONTEXT)).collect();
        let (x, t) = windows(train, &starts)?;
        let loss = model.on(&tape).apply(&x)?.cross_entropy(&t, Reduction::Mean);
        mean += f64::from(loss.item()?) / LOOK as f64;
        let mut grads = loss.backward()?;
        // Cleared first, so that the parameters are nobody else's and are updated where they lie.
        tape.clear();
        clip_norm(grads.iter_mut(), 1.0)?;
        adam.learning_rate = rate(step);
        adam.step(model.leaves_mut().into_iter().zip(grads.iter()))?;
        bar.inc(1);
        if step % LOOK == 0 {
            trained.push((step - LOOK / 2, std::mem::take(&mut mean)));
            judged.push((step, judge(&model, held_out)?));
            let (seen, unseen) = (trained[trained.len() - 1].1, judged[judged.len() - 1].1);
            bar.set_message(format!("held out {unseen:.3}"));
            bar.suspend(|| println!("step {step:4}  trained on {seen:.3}  held out {unseen:.3}"));
        }
    }
    bar.finish_and_clear();
    let last = judged[judged.len() - 1].1;
    println!("held out {last:.3} nats a character after {:.1} s", start.elapsed().as_secs_f64());
    println!("---\n{}\n---", write(&model, &characters, "Alice ", 400)?);
    draw(&path, &trained, &judged, by)?;
    println!("drawn to {}", path.display());
    assert!(last < by[1] - 0.5 && by[1] < by[0] - 0.4, "{last} {by:?}");
    Ok(())
}

fn draw(
    path: &Path,
    trained: &[(usize, f64)],
    judged: &[(usize, f64)],
    by: [f64; 2],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(20)
        .caption("Cross entropy, nats a character", ("sans-serif", 22))
        .x_label_area_size(42)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..STEPS as f64, 1.0..4.5)?;
    chart::mesh(&mut chart).x_desc("step").x_label_formatter(&|x| format!("{x:.0}")).draw()?;
    let line = |points: &[(usize, f64)]| points.iter().map(|&(x, y)| (x as f64, y)).collect::<Vec<_>>();
    let level = |y: f64| vec![(0.0, y), (STEPS as f64, y)];
    let (blue, orange) = (RGBColor(28, 78, 158), RGBColor(214, 96, 20));
    let (grey, dark) = (RGBColor(170, 170, 170), RGBColor(90, 90, 90));
    let curves = [
        ("by frequency", grey, level(by[0])),
        ("by the character before", dark, level(by[1])),
        ("trained on", blue, line(trained)),
        ("held out", orange, line(judged)),
    ];
    chart::curves(&mut chart, curves)?;
    root.present()?;
    Ok(())
}
