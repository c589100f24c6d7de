use super::*;
use crate::{Reduction, Tape};

#[test]
fn the_mean_over_no_rows_is_nan() {
    let tape = Tape::<f32>::new();
    let x = tape.var(&Tensor::zeros([0, 3]).unwrap());
    let none = Tensor::<i64>::full([0], 0).unwrap();
    assert!(x.cross_entropy(&none, Reduction::Mean).item().unwrap().is_nan());
    assert_eq!(x.cross_entropy(&none, Reduction::Sum).item().unwrap(), 0.0);
}

/// Classes masked out by −∞ have probability 0 and derivatives 0 at every order, not NaN.
#[test]
fn a_masked_class_counts_for_nothing() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.5, f64::NEG_INFINITY, 0.25]));
    let loss = x.cross_entropy(&Tensor::scalar(2), Reduction::None);
    let [g] = tape.vjp(loss, &Tensor::scalar(1.0), [x]).unwrap();
    let [h] = tape.vjp(g, &Tensor::from([1.0, 1.0, 2.0]), [x]).unwrap();
    let p = 1.0 / (1.0 + (-0.25f64).exp());
    for (found, exact) in
        [(g, [p, 0.0, -p]), (h, [-p * (1.0 - p), 0.0, p * (1.0 - p)])].map(|(v, e)| (v.value().unwrap(), e))
    {
        found.iter().zip(exact).for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
    }
}

#[test]
fn rows_longer_than_a_chunk_and_many_rows_agree_with_the_rule() {
    for shape in [[2, 9001], [700, 300]] {
        let tape = Tape::<f64>::new();
        let mut random = crate::Generator::new(3);
        let x = tape.var(&Tensor::normal(shape, 0.0, 3.0, &mut random).unwrap());
        let t = Tensor::from_iter_in((0..shape[0]).map(|_| random.below(shape[1]) as i64), [shape[0]]);
        let loss = x.cross_entropy(&t.unwrap(), Reduction::Mean);
        let seed = Tensor::scalar(1.0);
        let fused = loss.backward().unwrap().wrt(x).unwrap().clone();
        let written = loss.backward_by_written_rules(&seed).unwrap().wrt(x).unwrap().clone();
        fused.iter().zip(&written).for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
    }
}

/// Run again on fewer classes or other rows, it refuses what it took before.
#[test]
fn an_operation_checks_its_targets_again() {
    let operation = Labelled { targets: Tensor::from([0, 2]), some_ignored: false };
    let text = |shape: [usize; 2]| match operation.forward(&[&Tensor::<f64>::zeros(shape).unwrap()]) {
        Ok(_) => String::new(),
        Err(error) => error.kind().to_string(),
    };
    assert_eq!(text([2, 3]), "");
    assert_eq!(text([2, 2]), "index 2 is out of range for axis 1 of size 2");
    assert_eq!(text([1, 3]), "targets has shape [2], wanted [1]");
    assert!(operation.forward(&[&Tensor::<f64>::scalar(0.0)]).is_err());
}

/// As PyTorch counts: the term is 0, the mean is over the rest, and what stands in the row does not matter.
#[test]
fn an_ignored_row_counts_for_nothing_whatever_is_in_it() {
    for ignored in [-100, -1, 1, 7] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[0.0, 0.0], [f64::NAN, f64::INFINITY], [0.0, 0.0]]));
        let labels = Tensor::from([0, ignored, 0]);
        let how = CrossEntropy::new().ignore_index(ignored);
        for smoothing in [0.0, 0.25] {
            let how = how.clone().label_smoothing(smoothing);
            let terms = x.cross_entropy(&labels, how.clone().reduction(Reduction::None));
            assert_eq!(terms.value().unwrap().to_vec(), [2f64.ln(), 0.0, 2f64.ln()]);
            let mean = x.cross_entropy(&labels, how);
            assert_eq!(mean.item().unwrap(), 2f64.ln());
            let g = mean.backward().unwrap().wrt(x).unwrap().to_vec();
            assert_eq!(g[2..4], [0.0, 0.0]);
            let written =
                mean.backward_by_written_rules(&Tensor::scalar(1.0)).unwrap().wrt(x).unwrap().to_vec();
            assert_eq!(written[2..4], [0.0, 0.0]);
            let [g] = tape.vjp(mean, &Tensor::scalar(1.0), [x]).unwrap();
            let second = g.square().sum().backward().unwrap().wrt(x).unwrap().to_vec();
            assert_eq!(second[2..4], [0.0, 0.0]);
        }
        let nll = x.nll_loss(&labels, Nll::new().ignore_index(ignored).reduction(Reduction::Sum));
        assert_eq!(nll.item().unwrap(), 0.0);
        assert_eq!(nll.backward().unwrap().wrt(x).unwrap().to_vec(), [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
    }
}

#[test]
fn the_mean_over_ignored_rows_alone_is_nan_and_their_sum_0() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::zeros([2, 3]).unwrap());
    let labels = Tensor::from([-100, -100]);
    assert!(x.cross_entropy(&labels, Reduction::Mean).item().unwrap().is_nan());
    assert!(x.nll_loss(&labels, Reduction::Mean).item().unwrap().is_nan());
    assert_eq!(x.cross_entropy(&labels, Reduction::Sum).item().unwrap(), 0.0);
}

#[test]
fn a_class_of_probability_0_may_be_masked_out() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.0, f64::NEG_INFINITY, 0.0]));
    let q = tape.var(&Tensor::from([0.25, 0.0, 0.75]));
    let loss = x.cross_entropy(q, Reduction::None);
    assert_eq!(loss.item().unwrap(), 2f64.ln());
    let [dx, dq] = tape.vjp(loss, &Tensor::scalar(1.0), [x, q]).unwrap();
    assert_eq!(dx.value().unwrap().to_vec(), [0.25, 0.0, -0.25]);
    assert_eq!(dq.value().unwrap().to_vec(), [2f64.ln(), 0.0, 2f64.ln()]);
    // And everything where it has some.
    let loss = x.cross_entropy(&Tensor::from([0.5, 0.5, 0.0]), Reduction::None);
    assert_eq!(loss.item().unwrap(), f64::INFINITY);
}

/// Labels are probabilities of one class, with weights, smoothing and classes in the middle.
#[test]
fn labels_and_their_one_hot_rows_agree() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_fn([2, 3, 4], |at| (at[0] * 7 + at[1] * 5 + at[2]) as f64 % 3.5).unwrap());
    let labels = Tensor::from([[0, 1, 2, 1], [2, 2, 0, 1]]);
    let hot = labels.one_hot::<f64>(3).unwrap().permute([0, 2, 1]).unwrap();
    let weight = Tensor::from([1.0, 2.0, 4.0]);
    for smoothing in [0.0, 0.1, 1.0] {
        let how = CrossEntropy::new().axis(1).weight(&weight).reduction(Reduction::None);
        let plain = x.cross_entropy(&labels, how.clone());
        let how = how.label_smoothing(smoothing);
        let [hard, soft] = [x.cross_entropy(&labels, how.clone()), x.cross_entropy(&hot, how.clone())];
        assert_eq!(hard.shape()[..], [2, 4]);
        let logs = -x.log_softmax(1).value().unwrap().permute([0, 2, 1]).unwrap();
        let spread = |row: usize, part: f64| {
            let terms = [1.0, 2.0, 4.0].iter().enumerate().map(|(c, w)| w * logs[[row / 4, row % 4, c]]);
            part * terms.sum::<f64>() / 3.0
        };
        for (row, (hard, plain)) in hard.value().unwrap().iter().zip(&plain.value().unwrap()).enumerate() {
            let wanted = (1.0 - smoothing) * plain + spread(row, smoothing);
            assert!((hard - wanted).abs() < 1e-14, "{hard} {wanted}");
        }
        // Probabilities are smoothed before they are weighted.
        if smoothing == 0.0 {
            hard.value()
                .unwrap()
                .iter()
                .zip(&soft.value().unwrap())
                .for_each(|(a, b)| assert!((a - b).abs() < 1e-14));
        }
    }
}
