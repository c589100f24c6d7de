//! What combining by indices is tried on.

use super::Combine;
use crate::conformance::{Sample, sample, shapes, wrong};
use crate::tensor::Tensor;

/// Two rows for segment 0, none for 1, three for 2 and one for 3.
fn of_six() -> Tensor<i64> {
    Tensor::from([2, 0, 2, 3, 2, 0])
}

/// Some for each of three segments.
fn full() -> Tensor<i64> {
    Tensor::from([2, 0, 2, 1, 2, 0])
}

pub(super) fn samples() -> Vec<Sample> {
    let vectors = || shapes(&[&[&[4], &[6]]], -2.0, 2.0).distinct();
    let matrices = || shapes(&[&[&[3, 4], &[3, 3]]], -2.0, 2.0).distinct();
    let larger = || shapes(&[&[&[3, 4], &[2, 4]]], -2.0, 2.0).distinct();
    let scalars = || shapes(&[&[&[], &[]]], -2.0, 2.0);
    let slices = || shapes(&[&[&[2, 4, 3], &[2, 5, 3]]], -2.0, 2.0).distinct();
    let rows = || shapes(&[&[&[6]], &[&[6, 2]], &[&[6, 2, 2]], &[&[6, 0]]], -2.0, 2.0).distinct();
    let empty = || shapes(&[&[&[0, 2]]], -2.0, 2.0);
    vec![
        sample!("scatter_reduce Sum with self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Sum, true).square() * x[0]
        }),
        sample!("scatter_reduce Sum without self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Sum, false).square() * x[0]
        }),
        sample!("scatter_reduce Sum of a matrix", matrices(), |x| {
            let index = Tensor::from([[0, 3, 0], [-1, 1, 1], [2, 2, 2]]);
            x[0].scatter_reduce(1, &index, x[1], Combine::Sum, true).square()
        }),
        sample!("index_reduce Sum", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 1]), x[1], Combine::Sum, false).square()
        }),
        sample!("segment_sum", rows(), |x| x[0].segment_sum(&of_six(), 4).square()),
        sample!("scatter_reduce Mean with self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Mean, true).square() * x[0]
        }),
        sample!("scatter_reduce Mean without self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Mean, false).square() * x[0]
        }),
        sample!("scatter_reduce Mean of a matrix", matrices(), |x| {
            let index = Tensor::from([[0, 3, 0], [-1, 1, 1], [2, 2, 2]]);
            x[0].scatter_reduce(1, &index, x[1], Combine::Mean, true).square()
        }),
        sample!("index_reduce Mean", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 1]), x[1], Combine::Mean, false).square()
        }),
        sample!("segment_mean", rows(), |x| x[0].segment_mean(&full(), 3).square()),
        sample!("scatter_reduce Max with self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Max, true).square() * x[0]
        }),
        sample!("scatter_reduce Max without self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Max, false).square() * x[0]
        }),
        sample!("scatter_reduce Max of a matrix", matrices(), |x| {
            let index = Tensor::from([[0, 3, 0], [-1, 1, 1], [2, 2, 2]]);
            x[0].scatter_reduce(1, &index, x[1], Combine::Max, true).square()
        }),
        sample!("index_reduce Max", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 1]), x[1], Combine::Max, false).square()
        }),
        sample!("segment_max", rows(), |x| x[0].segment_max(&full(), 3).square()),
        sample!("scatter_reduce Min with self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Min, true).square() * x[0]
        }),
        sample!("scatter_reduce Min without self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Min, false).square() * x[0]
        }),
        sample!("scatter_reduce Min of a matrix", matrices(), |x| {
            let index = Tensor::from([[0, 3, 0], [-1, 1, 1], [2, 2, 2]]);
            x[0].scatter_reduce(1, &index, x[1], Combine::Min, true).square()
        }),
        sample!("index_reduce Min", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 1]), x[1], Combine::Min, false).square()
        }),
        sample!("segment_min", rows(), |x| x[0].segment_min(&full(), 3).square()),
        sample!("scatter_reduce Prod with self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Prod, true).square() * x[0]
        }),
        sample!("scatter_reduce Prod without self", vectors(), |x| {
            x[0].scatter_reduce(0, &of_six(), x[1], Combine::Prod, false).square() * x[0]
        }),
        sample!("scatter_reduce Prod of a matrix", matrices(), |x| {
            let index = Tensor::from([[0, 3, 0], [-1, 1, 1], [2, 2, 2]]);
            x[0].scatter_reduce(1, &index, x[1], Combine::Prod, true).square()
        }),
        sample!("index_reduce Prod", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 1]), x[1], Combine::Prod, false).square()
        }),
        sample!("segment_prod", rows(), |x| x[0].segment_prod(&of_six(), 4).square()),
        sample!("scatter_reduce fewer", larger(), |x| {
            x[0].scatter_reduce(0, &Tensor::from([[0, 2], [2, 2]]), x[1], Combine::Prod, true).square()
        }),
        sample!("scatter_reduce of scalars", scalars(), |x| {
            x[0].scatter_reduce(0, &Tensor::scalar(0), x[1], Combine::Prod, true).square()
        }),
        sample!("index_reduce with self", slices(), |x| {
            x[0].index_reduce(1, &Tensor::from([2, 0, 2, -2, 2]), x[1], Combine::Prod, true).square()
        }),
        sample!("segment_max of nothing", empty(), |x| x[0].segment_max(&Tensor::from(vec![]), 0)),
        sample!("segment_prod of nothing", empty(), |x| x[0].segment_prod(&Tensor::from(vec![]), 2)),
        wrong!(
            "scatter_reduce",
            &[&[3], &[2]],
            |x| x[0].scatter_reduce(0, &Tensor::from([0, 3]), x[1], Combine::Max, true),
            "index 3 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "scatter_reduce",
            &[&[3], &[2]],
            |x| x[0].scatter_reduce(0, &Tensor::from([0, 1, 2]), x[1], Combine::Prod, false),
            "the piece has shape [2], wanted [3]"
        ),
        wrong!(
            "scatter_reduce",
            &[&[3, 2], &[]],
            |x| x[0].scatter_reduce(0, &Tensor::from([[0, 1, 2]]), x[1], Combine::Min, false),
            "the index has shape [1, 3], wanted [1, 2]"
        ),
        wrong!(
            "scatter_reduce",
            &[&[3], &[]],
            |x| x[0].scatter_reduce(1, &Tensor::from([0]), x[1], Combine::Min, false),
            "axis 1 is out of range for shape [3]"
        ),
        wrong!(
            "index_reduce",
            &[&[3, 2], &[2, 2]],
            |x| x[0].index_reduce(1, &Tensor::from([0, 1]), x[1], Combine::Min, false),
            "the piece has shape [2, 2], wanted [3, 2]"
        ),
        wrong!(
            "index_reduce",
            &[&[3], &[1]],
            |x| x[0].index_reduce(0, &Tensor::from([[0]]), x[1], Combine::Min, false),
            "shape [1, 1] has rank 2, wanted 1"
        ),
        wrong!(
            "index_reduce",
            &[&[3], &[1]],
            |x| x[0].index_reduce(0, &Tensor::from([-4]), x[1], Combine::Min, false),
            "index -4 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "segment_sum",
            &[&[3]],
            |x| x[0].segment_sum(&Tensor::from([0, 1]), 2),
            "the list of ids has shape [2], wanted [3]"
        ),
        wrong!(
            "segment_max",
            &[&[2]],
            |x| x[0].segment_max(&Tensor::from([0, -1]), 2),
            "index -1 is out of range for axis 0 of size 2"
        ),
        wrong!(
            "segment_mean",
            &[&[2]],
            |x| x[0].segment_mean(&Tensor::from([0, 2]), 2),
            "index 2 is out of range for axis 0 of size 2"
        ),
        wrong!(
            "segment_prod",
            &[&[]],
            |x| x[0].segment_prod(&Tensor::from([0]), 1),
            "shape [] has rank 0, wanted at least 1"
        ),
    ]
}

#[test]
fn segments_without_rows_and_ties() {
    let tape = crate::tape::Tape::new();
    let x = tape.var(&Tensor::from([2.0, 0.0, 2.0, 0.0]));
    let ids = Tensor::from([2, 0, 2, 0]);
    let rows = |y: crate::tape::Var<'_, f64>| y.value().unwrap().to_vec();
    assert_eq!(rows(x.segment_max(&ids, 4)), [0.0, f64::NEG_INFINITY, 2.0, f64::NEG_INFINITY]);
    assert_eq!(rows(x.segment_min(&ids, 4)), [0.0, f64::INFINITY, 2.0, f64::INFINITY]);
    assert_eq!(rows(x.segment_prod(&ids, 4)), [0.0, 1.0, 4.0, 1.0]);
    assert_eq!(rows(x.segment_sum(&ids, 4)), [0.0, 0.0, 4.0, 0.0]);
    assert!(rows(x.segment_mean(&ids, 4))[1].is_nan());
    let seed = Tensor::ones([4]).unwrap();
    let g = |y: crate::tape::Var<'_, f64>| y.backward_with(&seed).unwrap().wrt(x).unwrap().to_vec();
    assert_eq!(g(x.segment_max(&ids, 4)), [0.5; 4]);
    assert_eq!(g(x.segment_prod(&ids, 4)), [2.0, 0.0, 2.0, 0.0]);
}
