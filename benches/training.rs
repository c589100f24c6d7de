//! One training step of a network 784-512-512-10 with relu, cross-entropy and SGD, on batches of 16, 128 and 1 024.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use retrograde::optim::Sgd;
use retrograde::{Generator, Reduction, Tape, Tensor};
use std::time::Duration;

const WIDTHS: [usize; 4] = [784, 512, 512, 10];

struct Network {
    layers: Vec<[Tensor<f32>; 2]>,
    sgd: Sgd<f32>,
    tape: Tape<f32>,
}

impl Network {
    fn new() -> Network {
        let mut random = Generator::new(6);
        let layer = |pair: &[usize]| {
            let std = (2.0 / pair[0] as f64).sqrt();
            let w = Tensor::normal([pair[0], pair[1]], 0.0, std, &mut random).unwrap();
            [w, Tensor::zeros([pair[1]]).unwrap()]
        };
        Network { layers: WIDTHS.windows(2).map(layer).collect(), sgd: Sgd::new(0.01), tape: Tape::new() }
    }

    /// One step; the loss before it.
    fn step(&mut self, x: &Tensor<f32>, targets: &Tensor<i64>) -> f32 {
        let (loss, grads, keys) = {
            let vars: Vec<_> =
                self.layers.iter().map(|[w, b]| (self.tape.var(w), self.tape.var(b))).collect();
            let mut h = self.tape.constant(x);
            for (i, &(w, b)) in vars.iter().enumerate() {
                h = h.linear(w, b);
                if i + 1 < vars.len() {
                    h = h.relu();
                }
            }
            let loss = h.cross_entropy(targets, Reduction::Mean);
            let keys: Vec<_> = vars.iter().flat_map(|(w, b)| [w.key(), b.key()]).collect();
            (loss.item().unwrap(), loss.backward().unwrap(), keys)
        };
        self.tape.clear();
        let gradients = keys.iter().map(|&key| grads.wrt(key).unwrap());
        self.sgd.step(self.layers.iter_mut().flatten().zip(gradients)).unwrap();
        loss
    }
}

fn training(c: &mut Criterion) {
    let mut group = c.benchmark_group("training step 784-512-512-10");
    for batch in [16, 128, 1024] {
        let mut random = Generator::new(batch as u64);
        let x = Tensor::<f32>::normal([batch, 784], 0.0, 1.0, &mut random).unwrap();
        let targets: Tensor<i64> = (0..batch).map(|_| random.below(10) as i64).collect();
        let mut network = Network::new();
        let first = network.step(&x, &targets);
        assert!((first - 10f32.ln()).abs() < 1.5, "a fresh network guesses: {first}");
        let last = (0..100).map(|_| network.step(&x, &targets)).last().unwrap();
        assert!(last < 0.7 * first, "it learns the batch: {first} to {last}");
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter(|| network.step(&x, &targets));
        });
    }
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = quick(); targets = training }
criterion_main!(benches);
