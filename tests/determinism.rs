//! The same inputs give the same bits, whatever the number of threads.

use retrograde::{Generator, Tape, Tensor};

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

#[test]
fn one_two_three_and_eight_threads_give_the_same_bits() {
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
