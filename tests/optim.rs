//! What a training step costs in memory. Alone in its process: the pool's figures are process-wide.

use retrograde::optim::{Adam, AdamW, Sgd};
use retrograde::{Reduction, Tape, Tensor, memory};

/// backward, clear, step: from the second step on, a step takes no block and asks the system for none.
#[test]
fn a_step_after_clear_copies_nothing() {
    let mut p = Tensor::<f32>::ones([300, 400]).unwrap();
    let mut q = Tensor::<f32>::ones([1000]).unwrap();
    let (mut sgd, mut adam, mut adamw) = (Sgd::new(0.1), Adam::new(0.1), AdamW::new(0.1));
    sgd.momentum = 0.9;
    let mut tape = Tape::new();
    for round in 0..3 {
        let (a, b) = (tape.var(&p), tape.var(&q));
        let loss = a.mse(0.0, Reduction::Mean) + b.mse(2.0, Reduction::Mean);
        let grads = loss.backward().unwrap();
        tape.clear();
        let before = memory::stats();
        for optimiser in 0..3 {
            let pairs = [&mut p, &mut q].into_iter().zip(grads.iter());
            match optimiser {
                0 => sgd.step(pairs),
                1 => adam.step(pairs),
                _ => adamw.step(pairs),
            }
            .unwrap();
        }
        if round > 0 {
            assert_eq!(memory::stats(), before);
        }
    }
}
