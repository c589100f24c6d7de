//! The same inputs give the same bits, whatever the number of threads.

use retrograde::{AttentionOptions, Generator, RnnOptions, RnnWeights, Tape, Tensor};

fn bits<const N: usize>(tensors: [Tensor<f32>; N]) -> Vec<Vec<u32>> {
    tensors.iter().map(|x| x.iter().map(f32::to_bits).collect()).collect()
}

/// Large enough that every kernel splits: element-wise, broadcast, reductions over each axis, a product.
fn step() -> Vec<Vec<u32>> {
    let mut random = Generator::new(11);
    let x = Tensor::<f32>::normal([700, 900], 0.0, 1.0, &mut random).unwrap();
    let w = Tensor::<f32>::normal([900, 640], 0.0, 0.1, &mut random).unwrap();
    let b = Tensor::<f32>::normal([640], 0.0, 1.0, &mut random).unwrap();
    let tape = Tape::new();
    let (vx, vw, vb) = (tape.var(&x), tape.var(&w), tape.var(&b));
    let h = (vx.matmul(vw) + vb).tanh();
    let loss = (h * h.exp()).mean() + h.sum_axes(0).sigmoid().sum() + h.sum_axes(1).square().mean();
    let grads = loss.backward().unwrap();
    let [recorded] = tape.vjp(loss, &Tensor::scalar(1.0), [vw]).unwrap();
    let g = |v| grads.wrt(v).unwrap().clone();
    bits([loss.value().unwrap(), g(vx), g(vw), g(vb), recorded.value().unwrap()])
}

/// The same for layers that divide their work by themselves.
fn layers() -> Vec<Vec<u32>> {
    let mut random = Generator::new(12);
    let tape = Tape::new();
    let mut draw = |shape: &[usize]| tape.var(&Tensor::<f32>::normal(shape, 0.0, 0.3, &mut random).unwrap());
    let (x, w) = (draw(&[600, 512]), draw(&[512]));
    let normal = x.layer_norm([512], w, w, 1e-5).square().sum();
    let images = draw(&[16, 8, 900]);
    let grouped = images.group_norm(2, None, None, 1e-5).square().sum();
    let [q, k, v] = [draw(&[2, 700, 32]), draw(&[2, 700, 32]), draw(&[2, 700, 32])];
    let attended =
        q.attention(k, v, AttentionOptions { causal: true, ..AttentionOptions::default() }).square().sum();
    let (input, hidden) = (draw(&[64, 512]), draw(&[128, 512]));
    let weights = RnnWeights { input, hidden, bias: None, hidden_bias: None };
    let states = draw(&[20, 100, 64]).lstm(None, &[weights], RnnOptions::default()).0.square().sum();
    let grads = (normal + grouped + attended + states).backward().unwrap();
    let g = |v| grads.wrt(v).unwrap().clone();
    bits([normal, grouped, attended, states].map(|y| y.value().unwrap()))
        .into_iter()
        .chain(bits([g(x), g(w), g(images), g(q), g(k), g(v), g(input), g(hidden)]))
        .collect()
}

#[test]
fn one_two_three_and_eight_threads_give_the_same_bits() {
    for step in [step, layers] {
        compare(step);
    }
}

fn compare(step: fn() -> Vec<Vec<u32>>) {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(step)
    };
    let wanted = on(1);
    assert!(wanted.iter().flatten().all(|&bits| f32::from_bits(bits).is_finite()));
    for threads in [2, 3, 8] {
        assert!(on(threads) == wanted, "{threads} threads");
    }
    assert!(step() == wanted, "from outside a pool");
    assert!(step() == wanted, "once more");
}
