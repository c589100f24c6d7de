//! Graphs of a million operations on a small stack.

use retrograde::{Tape, Tensor};

const OPERATIONS: usize = 1_000_000;

/// Runs on a stack of 256 KiB, where recursion over the graph would end the process.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

#[test]
fn a_chain_is_built_differentiated_and_dropped() {
    on_a_small_stack(|| {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::scalar(0.5));
        let mut y = x;
        for _ in 0..OPERATIONS {
            y = y + 1e-6;
        }
        let slope = tape.var(&Tensor::scalar(2.0));
        let grads = (y * slope).backward().unwrap();
        assert_eq!(grads.wrt(x).unwrap().item().unwrap(), 2.0);
        assert!((y.item().unwrap() - 1.5).abs() < 1e-9);
    });
}

#[test]
fn a_fan_out_of_a_million_adds_up() {
    on_a_small_stack(|| {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::scalar(3.0));
        let mut sum = x;
        for _ in 1..OPERATIONS {
            sum = sum + x;
        }
        assert_eq!(sum.backward().unwrap().wrt(x).unwrap().item().unwrap(), OPERATIONS as f64);
    });
}

#[test]
fn recorded_sweeps_and_forward_mode_do_not_recurse_either() {
    on_a_small_stack(|| {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::scalar(0.1));
        let mut y = x;
        for _ in 0..100_000 {
            y = y.sin();
        }
        let one = Tensor::scalar(1.0);
        let [g] = tape.vjp(y, &one, [x]).unwrap();
        let dy = tape.jvp(y, [(x, &one)]).unwrap();
        let (g, dy) = (g.item().unwrap(), dy.item().unwrap());
        assert!((g - dy).abs() <= 1e-12 * dy.abs(), "{g} {dy}");
        assert_eq!(y.backward().unwrap().wrt(x).unwrap().item().unwrap(), g);
    });
}

#[test]
fn nested_sweeps_over_a_growing_tape_stay_linear() {
    // Each step sweeps a short piece at the end of the tape; a sweep that visited the whole tape would take a
    // hundred times as long at the end as at the beginning.
    let tape = Tape::<f64>::new();
    let one = Tensor::scalar(1.0);
    let mut visited = 0;
    for step in 0..5_000 {
        let x = tape.var(&Tensor::scalar(step as f64));
        let y = x * x * x;
        let before = tape.len();
        let [g] = tape.vjp(y, &one, [x]).unwrap();
        visited += tape.len() - before;
        assert_eq!(g.item().unwrap(), 3.0 * (step * step) as f64);
        assert_eq!(tape.grad(y, [x]).unwrap()[0].item().unwrap(), g.item().unwrap());
    }
    assert!(visited < 5_000 * 12, "{visited}");
}
