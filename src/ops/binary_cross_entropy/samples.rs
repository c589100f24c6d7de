//! What the conformance table runs.

use super::{BinaryCrossEntropy, Focal, MultilabelSoftMargin};
use crate::Reduction;
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};
use crate::number::Real;
use crate::tensor::Tensor;

/// Two values of one shape, or the second a number.
fn pairs(low: f64, high: f64) -> Inputs {
    shapes(&[&[&[], &[]], &[&[7], &[]], &[&[17], &[17]], &[&[2, 3, 4], &[2, 3, 4]]], low, high)
}

fn with_empty(low: f64, high: f64) -> Inputs {
    shapes(&[&[&[7], &[]], &[&[0], &[0]], &[&[2, 0], &[2, 0]]], low, high)
}

fn rows(low: f64, high: f64) -> Inputs {
    shapes(&[&[&[3], &[3]], &[&[2, 3], &[2, 3]], &[&[4, 2, 3], &[4, 2, 3]]], low, high)
}

/// Weights for axes of three.
fn three<T: Real>() -> Tensor<T> {
    Tensor::from_iter_in([0.5, 2.0, 3.0].map(T::from_f64), [3]).unwrap()
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        sample!("binary_cross_entropy", pairs(0.1, 0.9), |x| x[0]
            .binary_cross_entropy(x[1], Reduction::Mean)),
        sample!("binary_cross_entropy sum", with_empty(0.4, 0.9), |x| {
            x[0].square().binary_cross_entropy(x[1], Reduction::Sum)
        }),
        sample!("binary_cross_entropy weighted", rows(0.1, 0.9), |x| {
            let how =
                BinaryCrossEntropy::new().weight(&three()).pos_weight(&three()).reduction(Reduction::None);
            x[0].binary_cross_entropy(x[1], how)
        }),
        sample!("binary_cross_entropy_with_logits", pairs(0.1, 0.9), |x| {
            (x[0] * 8.0 - 4.0).binary_cross_entropy_with_logits(x[1], Reduction::Mean)
        }),
        sample!("binary_cross_entropy_with_logits 1", with_empty(-4.0, 4.0), |x| {
            x[0].binary_cross_entropy_with_logits(1.0, Reduction::None) * x[1]
        }),
        sample!("binary_cross_entropy_with_logits weighted", rows(0.1, 0.9), |x| {
            let how = BinaryCrossEntropy::new()
                .weight(&three())
                .pos_weight(&three())
                .reduction(Reduction::BatchMean);
            (x[0] * 8.0 - 4.0).binary_cross_entropy_with_logits(x[1], how)
        }),
        sample!("multilabel_soft_margin_loss", rows(-2.0, 2.0), |x| {
            x[0].multilabel_soft_margin_loss(x[1], Reduction::None)
        }),
        sample!("multilabel_soft_margin_loss weighted", rows(-2.0, 2.0), |x| {
            x[0].multilabel_soft_margin_loss(x[1], MultilabelSoftMargin::new().weight(&three()))
        }),
        sample!("sigmoid_focal_loss", pairs(0.1, 0.9), |x| {
            (x[0] * 8.0 - 4.0).sigmoid_focal_loss(x[1], Reduction::Mean)
        }),
        sample!("sigmoid_focal_loss of roots", with_empty(0.1, 0.9), |x| {
            x[0].sigmoid_focal_loss(x[1], Focal::new().gamma(0.5).alpha(None).reduction(Reduction::Sum))
        }),
        sample!("sigmoid_focal_loss 0", pairs(0.1, 0.9), |x| {
            x[0].sigmoid_focal_loss(x[1], Focal::new().gamma(0.0).alpha(Some(0.75)))
        }),
        wrong!(
            "binary_cross_entropy",
            &[&[2], &[2]],
            |x| x[0].clamp_min(1.5).binary_cross_entropy(x[1], Reduction::Mean),
            "a probability is 1.5, wanted a number from 0 to 1"
        ),
        wrong!(
            "binary_cross_entropy",
            &[&[2], &[2]],
            |x| (x[0] * 0.0 - 0.5).binary_cross_entropy(x[1], Reduction::Mean),
            "a probability is -0.5, wanted a number from 0 to 1"
        ),
        wrong!(
            "binary_cross_entropy",
            &[&[2], &[3]],
            |x| x[0].binary_cross_entropy(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "binary_cross_entropy_with_logits",
            &[&[2], &[2, 1]],
            |x| x[0].binary_cross_entropy_with_logits(x[1], Reduction::Mean),
            "the target has shape [2, 1], wanted [2]"
        ),
        wrong!(
            "binary_cross_entropy_with_logits",
            &[&[2], &[2]],
            |x| x[0].binary_cross_entropy_with_logits(x[1], BinaryCrossEntropy::new().weight(&three())),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "multilabel_soft_margin_loss",
            &[&[2], &[3]],
            |x| x[0].multilabel_soft_margin_loss(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "multilabel_soft_margin_loss",
            &[&[]],
            |x| x[0].multilabel_soft_margin_loss(1.0, Reduction::Mean),
            "axis -1 is out of range for shape []"
        ),
        wrong!(
            "sigmoid_focal_loss",
            &[&[2]],
            |x| x[0].sigmoid_focal_loss(1.0, Focal::new().gamma(-1.0)),
            "gamma is -1, wanted a finite number, at least 0"
        ),
        wrong!(
            "sigmoid_focal_loss",
            &[&[2]],
            |x| x[0].sigmoid_focal_loss(1.0, Focal::new().alpha(Some(1.5))),
            "alpha is 1.5, wanted a number from 0 to 1"
        ),
        wrong!(
            "sigmoid_focal_loss",
            &[&[2], &[3]],
            |x| x[0].sigmoid_focal_loss(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
    ]
}
