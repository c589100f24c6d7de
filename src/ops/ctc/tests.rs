use super::*;
use crate::Tape;

fn gradients(x: &Tensor<f64>, loss: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> [Vec<f64>; 3] {
    let tape = Tape::new();
    let x = tape.var(x);
    let loss = loss(x).sum();
    let fused = loss.backward().unwrap().wrt(x).unwrap().to_vec();
    let written = loss.backward_by_written_rules(&Tensor::scalar(1.0)).unwrap().wrt(x).unwrap().to_vec();
    [loss.value().unwrap().to_vec(), fused, written]
}

#[test]
fn too_few_frames_cost_everything_or_nothing() {
    let x = Tensor::zeros([2, 1, 2]).unwrap();
    let equal = Tensor::from([1, 1]);
    let [loss, fused, written] = gradients(&x, |x| x.ctc_loss(&equal, &[2], &[2], Reduction::Sum));
    assert_eq!(loss, [f64::INFINITY]);
    assert_eq!([fused, written], [vec![0.0; 4], vec![0.0; 4]]);
    let [loss, fused, written] =
        gradients(&x, |x| x.ctc_loss(&equal, &[2], &[2], Ctc::new().zero_infinity(true)));
    assert_eq!(loss, [0.0]);
    assert_eq!([fused, written], [vec![0.0; 4], vec![0.0; 4]]);
}

/// Probabilities of 0 close paths; what is left has finite derivatives by both ways.
#[test]
fn closed_paths_have_no_share() {
    let x = Tensor::from([
        [[f64::NEG_INFINITY, -0.25, -1.0]],
        [[-0.5, -1.5, f64::NEG_INFINITY]],
        [[-1.0, -2.0, -0.5]],
    ]);
    let [loss, fused, written] =
        gradients(&x, |x| x.ctc_loss(&Tensor::from([1, 2]), &[3], &[2], Reduction::Sum));
    assert!(loss[0].is_finite());
    fused.iter().zip(&written).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{a} {b}"));
    // Every frame is read by some state: the shares are 1 together.
    fused.chunks(3).for_each(|frame| assert!((frame.iter().sum::<f64>() + 1.0).abs() < 1e-14, "{frame:?}"));
    assert_eq!((fused[0], fused[2], fused[5]), (0.0, 0.0, 0.0));
}

#[test]
fn the_mean_divides_each_loss_by_its_labels() {
    let tape = Tape::<f64>::new();
    let x =
        tape.var(&Tensor::from_fn([5, 3, 4], |at| -((at[0] * 5 + at[1] * 3 + at[2]) as f64 % 2.5)).unwrap());
    let (targets, lengths) = (Tensor::from([1, 2, 3, 3]), [3, 1, 0]);
    let with = |how: Reduction| x.ctc_loss(&targets, &[5, 4, 5], &lengths, how).value().unwrap().to_vec();
    let terms = with(Reduction::None);
    let wanted = (terms[0] / 3.0 + terms[1] + terms[2]) / 3.0;
    assert!((with(Reduction::Mean)[0] - wanted).abs() < 1e-14);
    assert!((with(Reduction::BatchMean)[0] - terms.iter().sum::<f64>() / 3.0).abs() < 1e-14);
    // Padded with anything, and laid out otherwise.
    let padded = Tensor::from([[1, 2, 3], [3, 99, -1], [0, 0, 0]]);
    assert_eq!(x.ctc_loss(&padded, &[5, 4, 5], &lengths, Reduction::None).value().unwrap().to_vec(), terms);
    let one = x.select(1, 1).ctc_loss(&Tensor::from([3]), &[4], &[1], Reduction::None);
    assert_eq!(one.value().unwrap().shape(), [0usize; 0]);
    assert_eq!(one.item().unwrap(), terms[1]);
}

/// Frames that do not count get nothing, and threads change no bit.
#[test]
fn a_large_batch_agrees_with_its_sequences() {
    let mut random = crate::Generator::new(5);
    let x = Tensor::<f64>::normal([60, 8, 12], 0.0, 1.0, &mut random).unwrap();
    let targets = Tensor::randint([8, 20], 1..12, &mut random).unwrap();
    let (frames, labels) = ([60, 55, 50, 60, 45, 60, 60, 58], [20, 12, 7, 20, 3, 0, 15, 20]);
    let tape = Tape::new();
    let all = tape.var(&x);
    let loss = all.log_softmax(-1).ctc_loss(&targets, &frames, &labels, Reduction::None);
    let grads = loss.sum().backward().unwrap().wrt(all).unwrap().clone();
    for i in 0..8 {
        let one = tape.var(&x.slice(1, i as isize..i as isize + 1).unwrap());
        let target = targets.slice(0, i as isize..i as isize + 1).unwrap();
        let single = one.log_softmax(-1).ctc_loss(&target, &frames[i..=i], &labels[i..=i], Reduction::Sum);
        assert_eq!(single.item().unwrap(), loss.value().unwrap()[[i]]);
        let g = single.backward().unwrap().wrt(one).unwrap().clone();
        for t in 0..60 {
            for class in 0..12 {
                assert_eq!(g[[t, 0, class]], grads[[t, i, class]]);
                assert!(t < frames[i] || g[[t, 0, class]] == 0.0);
            }
        }
    }
}
