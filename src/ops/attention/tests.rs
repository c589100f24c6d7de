use super::*;
use crate::tape::Tape;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

/// Rows that see nothing are 0 and move nothing, at both orders, by kernels and by rules.
#[test]
fn rows_that_see_nothing_are_0_and_nothing_is_nan() {
    for keep in [true, false] {
        let tape = Tape::new();
        let (q, k, v) =
            (tape.var(&random(&[3, 2], 1)), tape.var(&random(&[4, 2], 2)), tape.var(&random(&[4, 2], 3)));
        let out = if keep { 0.0 } else { f64::NEG_INFINITY };
        let mask = Tensor::from_fn([3, 4], |at| if at[0] == 1 || at[1] == 2 { out } else { 1.0 }).unwrap();
        let mask = if keep {
            AttentionMask::Keep(tape.constant(&mask))
        } else {
            AttentionMask::Add(tape.var(&mask))
        };
        let y = q.attention(k, v, AttentionOptions { mask: Some(mask), ..Default::default() });
        assert_eq!(y.slice(0, 1..2).value().unwrap().to_vec(), [0.0, 0.0]);
        let grads = y.square().sum().backward().unwrap();
        assert_eq!(grads.wrt(q).unwrap().slice(0, 1..2).unwrap().to_vec(), [0.0, 0.0]);
        assert_eq!(grads.wrt(k).unwrap().slice(0, 2..3).unwrap().to_vec(), [0.0, 0.0]);
        if let AttentionMask::Add(mask) = mask {
            assert!(grads.wrt(mask).unwrap().iter().all(|g| g.is_finite()));
        }
        let g = tape.vjp_many(&[(y.square().sum(), &Tensor::scalar(1.0))], &[q, k, v]).unwrap();
        let total = g.iter().fold(tape.scalar(0.0), |sum, g| sum + g.square().sum());
        let second = total.backward().unwrap();
        for x in [q, k, v] {
            assert!(second.wrt(x).unwrap().iter().all(|g| g.is_finite()));
        }
        assert_eq!(second.wrt(q).unwrap().slice(0, 1..2).unwrap().to_vec(), [0.0, 0.0]);
    }
}

/// Sizes of several blocks, against the composition: the kernel's sums are cut elsewhere.
#[test]
fn blocks_agree_with_the_composition() {
    for (rows, keys, causal) in [(300, 300, true), (130, 700, false), (5, 513, true)] {
        let tape = Tape::new();
        let shapes: [&[usize]; 3] = [&[2, rows, 8], &[2, keys, 8], &[2, keys, 5]];
        let [q, k, v] = [0, 1, 2].map(|i| tape.var(&random(shapes[i], i as u64)));
        let y = q.attention(k, v, AttentionOptions { causal, ..Default::default() });
        let composed = q.attention_weights(k, AttentionOptions { causal, ..Default::default() }).matmul(v);
        assert!(y.value().unwrap().all_close(&composed.value().unwrap(), 1e-12, 1e-13).unwrap());
        let seed = random(&[2, rows, 5], 9);
        let (a, b) = (y.backward_with(&seed).unwrap(), composed.backward_with(&seed).unwrap());
        for x in [q, k, v] {
            assert!(a.wrt(x).unwrap().all_close(b.wrt(x).unwrap(), 1e-11, 1e-12).unwrap(), "{rows} {keys}");
        }
    }
}

#[test]
fn the_same_seed_drops_the_same_weights_and_the_generator_moves_on() {
    let tape = Tape::new();
    let [q, k, v] = [0, 1, 2].map(|i| tape.var(&random(&[40, 40], i)));
    let run = |from: &mut Generator| {
        let options = AttentionOptions { dropout: Some((0.5, from)), ..Default::default() };
        q.attention(k, v, options).value().unwrap()
    };
    let mut from = Generator::new(4);
    let first = run(&mut from);
    assert_eq!(first, run(&mut Generator::new(4)));
    assert_ne!(first, run(&mut from));
    let all = AttentionOptions { dropout: Some((1.0, &mut from)), ..Default::default() };
    assert!(q.attention(k, v, all).value().unwrap().iter().all(|y| y == 0.0));
}

#[test]
fn a_score_of_infinity_and_a_nan_show() {
    let tape = Tape::new();
    let q = tape.var(&Tensor::from([[1.0], [2.0]]));
    let v = tape.var(&Tensor::from([[1.0], [2.0]]));
    let k = tape.var(&Tensor::from([[f64::NAN], [1.0]]));
    let y = q.attention(k, v, AttentionOptions { scale: Some(1.0), ..Default::default() });
    assert!(y.value().unwrap().iter().all(f64::is_nan));
}
