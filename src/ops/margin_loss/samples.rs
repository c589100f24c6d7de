//! What the conformance table runs.

use super::MultiMargin;
use crate::Reduction;
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};
use crate::number::Real;
use crate::tensor::Tensor;

fn pairs() -> Inputs {
    shapes(&[&[&[], &[]], &[&[7], &[]], &[&[17], &[17]], &[&[2, 3, 4], &[2, 3, 4]]], -0.5, 0.5)
}

fn with_empty() -> Inputs {
    shapes(&[&[&[7], &[]], &[&[0], &[0]], &[&[2, 0], &[2, 0]]], -0.5, 0.5)
}

fn scores() -> Inputs {
    shapes(&[&[&[5]], &[&[3, 4]], &[&[2, 3, 5]], &[&[1, 1]]], -0.4, 0.4)
}

/// 1 and −1 by turns, along the last axis.
fn signs<T: Real>(shape: &[usize]) -> Tensor<T> {
    let odd = |at: &[usize]| at.iter().sum::<usize>() % 2;
    Tensor::from_fn(shape, |at| T::from_f64([1.0, -1.0][odd(at)])).unwrap()
}

fn labels(scores: &[usize]) -> Tensor<i64> {
    let (n, rows) = scores.split_last().unwrap();
    let count: usize = rows.iter().product();
    Tensor::from_iter_in((0..count).map(|i| (i * 7 % n) as i64), rows).unwrap()
}

/// Two labels in even rows, the second one twice, and one in odd rows.
fn several(scores: &[usize]) -> Tensor<i64> {
    let n = *scores.last().unwrap() as i64;
    let rows: usize = scores.iter().rev().skip(1).product();
    let label = move |i: usize, j: i64| match j {
        0 => i as i64 % n,
        1 | 2 if i.is_multiple_of(2) => (i as i64 + 2) % n,
        _ => -1,
    };
    let row = |i: usize| (0..n).map(move |j| label(i, j));
    Tensor::from_iter_in((0..rows).flat_map(row), scores).unwrap()
}

fn weights<T: Real>(classes: usize) -> Tensor<T> {
    Tensor::linspace(0.5, 2.0, classes).unwrap()
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        // Away from the margins, which are kinks.
        sample!("hinge_embedding_loss", pairs(), |x| {
            x[0].square().hinge_embedding_loss(&signs(&x[0].shape()), 1.0, Reduction::Mean) * x[1]
        }),
        sample!("hinge_embedding_loss far", with_empty(), |x| {
            (x[0] + 2.0).square().hinge_embedding_loss(-1.0, 1.0, Reduction::None) + x[1]
        }),
        sample!("margin_ranking_loss", pairs(), |x| {
            x[0].square().margin_ranking_loss(x[1], &signs(&x[0].shape()), 2.0, Reduction::Sum)
        }),
        sample!("margin_ranking_loss met", with_empty(), |x| {
            x[0].margin_ranking_loss(x[1] - 2.0, 1.0, 0.5, Reduction::None)
        }),
        sample!("soft_margin_loss", pairs(), |x| x[0].soft_margin_loss(x[1], Reduction::Mean)),
        sample!("soft_margin_loss terms", with_empty(), |x| {
            (x[0] * 6.0).soft_margin_loss(&signs(&x[0].shape()), Reduction::None) * x[1]
        }),
        sample!("multi_margin_loss", scores(), |x| {
            x[0].square().multi_margin_loss(&labels(&x[0].shape()), Reduction::Mean)
        }),
        sample!("multi_margin_loss squared", scores(), |x| {
            let shape = x[0].shape();
            let how = MultiMargin::new().p(2).margin(2.0).weight(&weights(shape[shape.len() - 1]));
            x[0].multi_margin_loss(&labels(&shape), how.reduction(Reduction::None))
        }),
        sample!("multi_margin_loss of none", shapes(&[&[&[0, 3]], &[&[0, 0]]], -1.0, 1.0), |x| {
            x[0].multi_margin_loss(&Tensor::<i64>::from(vec![]), Reduction::Sum)
        }),
        sample!("multilabel_margin_loss", scores(), |x| {
            x[0].square().multilabel_margin_loss(&several(&x[0].shape()), Reduction::Mean)
        }),
        sample!("multilabel_margin_loss terms", scores(), |x| {
            x[0].square().multilabel_margin_loss(&several(&x[0].shape()), Reduction::None)
        }),
        sample!("multilabel_margin_loss of no labels", scores(), |x| {
            let none = Tensor::full(x[0].shape(), -1).unwrap();
            x[0].square().multilabel_margin_loss(&none, Reduction::None)
        }),
        wrong!(
            "hinge_embedding_loss",
            &[&[2], &[3]],
            |x| x[0].hinge_embedding_loss(x[1], 1.0, Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "margin_ranking_loss",
            &[&[2], &[3]],
            |x| x[0].margin_ranking_loss(x[1], 1.0, 0.0, Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "margin_ranking_loss",
            &[&[2], &[3]],
            |x| x[0].margin_ranking_loss(1.0, x[1], 0.0, Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "soft_margin_loss",
            &[&[2], &[3]],
            |x| x[0].soft_margin_loss(x[1], Reduction::Mean),
            "the target has shape [3], wanted [2]"
        ),
        wrong!(
            "multi_margin_loss",
            &[&[2, 3]],
            |x| x[0].multi_margin_loss(&Tensor::from([0, 3]), Reduction::Mean),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "multi_margin_loss",
            &[&[2, 3]],
            |x| x[0].multi_margin_loss(&Tensor::from([0, 0]), MultiMargin::new().p(3)),
            "p is 3, wanted 1 or 2"
        ),
        wrong!(
            "multi_margin_loss",
            &[&[]],
            |x| x[0].multi_margin_loss(&Tensor::scalar(0), Reduction::Mean),
            "shape [] has rank 0, wanted at least 1, the last axis for classes"
        ),
        wrong!(
            "multilabel_margin_loss",
            &[&[2, 3]],
            |x| x[0].multilabel_margin_loss(&Tensor::from([0, -1, -1]), Reduction::Mean),
            "the labels has shape [3], wanted [2, 3]"
        ),
        wrong!(
            "multilabel_margin_loss",
            &[&[3]],
            |x| x[0].multilabel_margin_loss(&Tensor::from([0, 3, -1]), Reduction::Mean),
            "index 3 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "multilabel_margin_loss",
            &[&[3]],
            |x| x[0].multilabel_margin_loss(&Tensor::from([0, -2, -1]), Reduction::Mean),
            "index -2 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "multilabel_margin_loss",
            &[&[]],
            |x| x[0].multilabel_margin_loss(&Tensor::scalar(0), Reduction::Mean),
            "shape [] has rank 0, wanted at least 1, the last axis for classes"
        ),
    ]
}
