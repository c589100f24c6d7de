//! What the conformance table runs.

use super::Ctc;
use crate::Reduction;
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};
use crate::tensor::Tensor;

fn logits() -> Inputs {
    shapes(&[&[&[4, 2, 3]]], -1.0, 1.0)
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        sample!("ctc_loss", logits(), |x| {
            let targets = Tensor::from([[1, 2], [2, 7]]);
            x[0].log_softmax(-1).ctc_loss(&targets, &[4, 3], &[2, 1], Reduction::Mean)
        }),
        sample!("ctc_loss not normalised", logits(), |x| {
            // Equal labels, and another blank.
            let how = Ctc::new().blank(2).reduction(Reduction::None);
            x[0].ctc_loss(&Tensor::from([1, 1, 0]), &[3, 4], &[2, 1], how)
        }),
        sample!("ctc_loss of too few frames", logits(), |x| {
            let how = Ctc::new().zero_infinity(true).reduction(Reduction::None);
            x[0].ctc_loss(&Tensor::from([[1, 1], [1, 2]]), &[2, 2], &[2, 2], how)
        }),
        sample!("ctc_loss of no labels", logits(), |x| {
            x[0].ctc_loss(&Tensor::from([2]), &[3, 0], &[1, 0], Reduction::Sum)
        }),
        sample!("ctc_loss of blanks", shapes(&[&[&[3, 2]]], -1.0, 1.0), |x| {
            x[0].ctc_loss(&Tensor::<i64>::from(vec![]), &[3], &[0], Reduction::Sum).square()
        }),
        sample!("ctc_loss of one", shapes(&[&[&[3, 3]], &[&[1, 2]]], -1.0, 1.0), |x| {
            x[0].ctc_loss(&Tensor::from([1]), &[x[0].shape()[0]], &[1], Reduction::BatchMean)
        }),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[4], &[1], Ctc::new().blank(3)),
            "blank is 3, wanted a class, below 3"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[4, 4], &[1], Reduction::Mean),
            "the number of input lengths is 2, wanted 1, one for each sequence"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[4], &[], Reduction::Mean),
            "the number of target lengths is 0, wanted 1, one for each sequence"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[5], &[1], Reduction::Mean),
            "an input length is 5, wanted at most 4, the number of frames"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[4], &[2], Reduction::Mean),
            "the number of targets is 1, wanted 2, the sum of their lengths"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([[1]]), &[4], &[2], Reduction::Mean),
            "a target length is 2, wanted at most 1, the padded length"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 2, 3]],
            |x| x[0].ctc_loss(&Tensor::from([[1, 1, 1]]), &[4, 4], &[2, 2], Reduction::Mean),
            "targets has shape [1, 3], wanted [2, 3]"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::scalar(1), &[4], &[1], Reduction::Mean),
            "shape [] has rank 0, wanted 1 or 2 for the targets"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([3]), &[4], &[1], Reduction::Mean),
            "index 3 is out of range for axis 2 of size 3"
        ),
        wrong!(
            "ctc_loss",
            &[&[4, 1, 3]],
            |x| x[0].ctc_loss(&Tensor::from([0]), &[4], &[1], Reduction::Mean),
            "a target is 0, wanted a class other than the blank"
        ),
        wrong!(
            "ctc_loss",
            &[&[4]],
            |x| x[0].ctc_loss(&Tensor::from([1]), &[4], &[1], Reduction::Mean),
            "shape [4] has rank 1, wanted 2 or 3"
        ),
    ]
}
