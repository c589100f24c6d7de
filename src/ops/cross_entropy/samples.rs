//! What the conformance table runs.

use super::{CrossEntropy, Nll};
use crate::Reduction;
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;

/// Some class for each row.
fn targets(logits: &[usize]) -> Tensor<i64> {
    let (n, rows) = logits.split_last().unwrap();
    let count: usize = rows.iter().product();
    Tensor::from_iter_in((0..count).map(|i| (i * 7 % n) as i64), rows).unwrap()
}

/// The same with every other row ignored.
fn some(logits: &[usize]) -> Tensor<i64> {
    let all = targets(logits);
    let every_other = all.iter().enumerate().map(|(i, class)| if i % 2 == 1 { -100 } else { class });
    Tensor::from_iter_in(every_other, all.shape()).unwrap()
}

/// A label for each row of four classes, which are the second axis of three.
fn spatial(logits: &[usize]) -> Tensor<i64> {
    targets(&[logits[0], logits[2], logits[1]])
}

fn logits() -> Inputs {
    shapes(&[&[&[5]], &[&[1, 1]], &[&[3, 4]], &[&[2, 3, 4]], &[&[17, 3]], &[&[1, 65]]], -3.0, 3.0)
}

fn cubes() -> Inputs {
    shapes(&[&[&[2, 4, 3]], &[&[1, 4, 5]]], -3.0, 3.0)
}

fn pairs() -> Inputs {
    shapes(&[&[&[5], &[5]], &[&[3, 4], &[3, 4]], &[&[2, 3, 4], &[2, 3, 4]], &[&[0, 3], &[0, 3]]], 0.1, 0.9)
}

fn ones<T: Real>(like: Var<'_, T>) -> Tensor<T> {
    Tensor::ones(like.shape()).unwrap()
}

fn four<T: Real>() -> Tensor<T> {
    Tensor::from_iter_in([0.5, 2.0, 3.0, 1.0].map(T::from_f64), [4]).unwrap()
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        sample!("cross_entropy", logits(), |x| x[0].cross_entropy(&targets(&x[0].shape()), Reduction::Mean)),
        sample!("cross_entropy terms", logits(), |x| {
            x[0].cross_entropy(&targets(&x[0].shape()), Reduction::None)
        }),
        sample!("cross_entropy of none", shapes(&[&[&[0, 3]], &[&[2, 0, 1]]], -1.0, 1.0), |x| {
            x[0].cross_entropy(&targets(&x[0].shape()), Reduction::Sum)
        }),
        sample!("cross_entropy of some", logits(), |x| {
            x[0].cross_entropy(&some(&x[0].shape()), Reduction::Mean)
        }),
        sample!("cross_entropy in the middle", cubes(), |x| {
            let how = CrossEntropy::new().axis(1).weight(&four());
            x[0].cross_entropy(&spatial(&x[0].shape()), how)
        }),
        sample!("cross_entropy smoothed", logits(), |x| {
            let how = CrossEntropy::new().label_smoothing(0.2).reduction(Reduction::None);
            x[0].cross_entropy(&some(&x[0].shape()), how)
        }),
        sample!("cross_entropy smoothed and weighted", cubes(), |x| {
            let how = CrossEntropy::new().label_smoothing(0.2).axis(-2).weight(&four());
            x[0].cross_entropy(&spatial(&x[0].shape()), how)
        }),
        sample!("cross_entropy of probabilities", pairs().distinct().not_empty(), |x| {
            x[0].cross_entropy(x[1].softmax(-1), Reduction::Mean)
        }),
        sample!("cross_entropy of probabilities smoothed", pairs(), |x| {
            let how = CrossEntropy::new().label_smoothing(0.2).axis(0).reduction(Reduction::Sum);
            x[0].cross_entropy(x[1], how)
        }),
        sample!("cross_entropy of constants", cubes(), |x| {
            let how = CrossEntropy::new().weight(&four()).axis(1).reduction(Reduction::BatchMean);
            x[0].cross_entropy(&ones(x[0]), how)
        }),
        sample!("nll_loss", logits(), |x| x[0]
            .log_softmax(-1)
            .nll_loss(&targets(&x[0].shape()), Reduction::Mean)),
        sample!("nll_loss of some", logits(), |x| {
            x[0].square().nll_loss(&some(&x[0].shape()), Nll::new().reduction(Reduction::None))
        }),
        sample!("nll_loss in the middle", cubes(), |x| {
            x[0].square().nll_loss(&spatial(&x[0].shape()), Nll::new().axis(1).weight(&four()))
        }),
        sample!("nll_loss of none", shapes(&[&[&[0, 3]], &[&[0, 0]]], -1.0, 1.0), |x| {
            x[0].nll_loss(&Tensor::<i64>::from(vec![]), Reduction::Sum)
        }),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([0, 3]), Reduction::Mean),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([-1, 0]), Reduction::Mean),
            "index -1 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "cross_entropy",
            &[&[4, 2]],
            |x| x[0].cross_entropy(&Tensor::from([4, -7]), CrossEntropy::new().axis(0).ignore_index(-7)),
            "index 4 is out of range for axis 0 of size 4"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([1, 2, 0]), Reduction::Sum),
            "targets has shape [3], wanted [2]"
        ),
        wrong!(
            "cross_entropy",
            &[&[]],
            |x| x[0].cross_entropy(&Tensor::scalar(0), Reduction::Sum),
            "shape [] has rank 0, wanted at least 1, with an axis for classes"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([0, 0]), CrossEntropy::new().axis(2)),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([0, 0]), CrossEntropy::new().weight(&four())),
            "the weight has shape [4], wanted [3]"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(x[0], CrossEntropy::new().weight(&four())),
            "the weight has shape [4], wanted [3]"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([0, 0]), CrossEntropy::new().label_smoothing(1.5)),
            "label_smoothing is 1.5, wanted a number from 0 to 1"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3], &[3]],
            |x| x[0].cross_entropy(x[1], Reduction::Mean),
            "targets has shape [3], wanted [2, 3]"
        ),
        wrong!(
            "nll_loss",
            &[&[2, 3]],
            |x| x[0].nll_loss(&Tensor::from([0, 3]), Reduction::Mean),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "nll_loss",
            &[&[]],
            |x| x[0].nll_loss(&Tensor::scalar(0), Reduction::Mean),
            "shape [] has rank 0, wanted at least 1, with an axis for classes"
        ),
        wrong!(
            "nll_loss",
            &[&[2, 3]],
            |x| x[0].nll_loss(&Tensor::from([0, 0]), Nll::new().weight(&four())),
            "the weight has shape [4], wanted [3]"
        ),
    ]
}
