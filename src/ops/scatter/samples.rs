//! What scattering is tried on.

use crate::conformance::{Sample, sample, shapes, wrong};
use crate::tensor::Tensor;

pub(super) fn samples() -> Vec<Sample> {
    let squares = || shapes(&[&[&[3, 3], &[3, 3]]], -2.0, 2.0);
    let larger = || shapes(&[&[&[3, 4], &[3, 3]], &[&[4, 3], &[2, 4]]], -2.0, 2.0);
    let numbers = || shapes(&[&[&[3, 3], &[]]], -2.0, 2.0);
    let scalars = || shapes(&[&[&[], &[]]], -2.0, 2.0);
    let cube = |piece: &'static [usize]| shapes(&[&[&[2, 3, 4], piece]], -2.0, 2.0);
    vec![
        sample!("scatter", squares(), |x| {
            x[0].scatter(1, &Tensor::from([[0, 2, 1], [-1, 0, 1], [1, 0, 2]]), x[1]).square() * x[0]
        }),
        sample!("scatter where elements meet", squares(), |x| {
            x[0].scatter(0, &Tensor::from([[0, 2, 1], [-1, 0, 0], [2, 2, 2]]), x[1]).square() * x[0]
        }),
        sample!("scatter fewer", larger(), |x| {
            x[0].scatter(1, &Tensor::from([[0, 2], [2, 2]]), x[1]).square() * x[0]
        }),
        sample!("scatter a number", numbers(), |x| x[0]
            .scatter(1, &Tensor::from([[0], [2], [2]]), x[1])
            .square()),
        sample!("scatter to a scalar", scalars(), |x| x[0].scatter(0, &Tensor::scalar(0), x[1]).square()),
        sample!("scatter nothing", shapes(&[&[&[2, 3], &[0, 7]], &[&[4], &[1, 8]]], -2.0, 2.0), |x| {
            let none = Tensor::from_slice(&[], [0, 7]).expect("nothing");
            x[0].scatter(0, &none, x[1]).square() * x[0].scatter_add(-1, &none, x[1])
        }),
        sample!("scatter_add", squares(), |x| {
            x[0].scatter_add(1, &Tensor::from([[0, 2, 1], [-1, 0, 0], [2, 2, 2]]), x[1]).square() * x[0]
        }),
        sample!("scatter_add fewer", larger(), |x| {
            x[0].scatter_add(0, &Tensor::from([[0, 2], [2, 2]]), x[1]).square() * x[0]
        }),
        sample!("scatter_add in the middle", cube(&[2, 2, 4]), |x| {
            let index = Tensor::from([[[0, 1, 2, 0], [0, 2, 1, 0]], [[1, 1, 2, 2], [1, 0, 0, 2]]]);
            x[0].scatter_add(1, &index, x[1]).square()
        }),
        sample!("index_add", cube(&[2, 4, 4]), |x| {
            x[0].index_add(1, &Tensor::from([2, 0, 2, -1]), x[1]).square() * x[0]
        }),
        sample!("index_add of a matrix", cube(&[1, 2, 3, 4]), |x| {
            x[0].index_add(0, &Tensor::from([[1, 1]]), x[1]).square() * x[0]
        }),
        sample!("index_copy", cube(&[2, 3, 2]), |x| {
            x[0].index_copy(2, &Tensor::from([3, 0]), x[1]).square() * x[0]
        }),
        sample!("index_copy where slices meet", cube(&[2, 3, 4]), |x| {
            x[0].index_copy(1, &Tensor::from([2, 0, 2]), x[1]).square() * x[0]
        }),
        sample!("index_fill", numbers(), |x| x[0].index_fill(1, &Tensor::from([0, -1]), x[1]).square()
            * x[0]),
        sample!("index_fill twice", numbers(), |x| {
            x[0].index_fill(0, &Tensor::from([1, 1]), x[1].square()).square() * x[0]
        }),
        wrong!(
            "scatter",
            &[&[3, 3], &[2, 1]],
            |x| x[0].scatter(1, &Tensor::from([[0, 1], [1, 2]]), x[1]),
            "the piece has shape [2, 1], wanted [2, 2]"
        ),
        wrong!(
            "scatter",
            &[&[3, 3], &[]],
            |x| x[0].scatter(1, &Tensor::from([[0], [1], [3]]), x[1]),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "scatter",
            &[&[3, 3], &[]],
            |x| x[0].scatter(1, &Tensor::from([[0], [-4]]), x[1]),
            "index -4 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "scatter_add",
            &[&[2, 2, 2], &[]],
            |x| x[0].scatter_add(1, &Tensor::from([[[0, 0, 0]]]), x[1]),
            "the index has shape [1, 1, 3], wanted [2, 1, 2]"
        ),
        wrong!(
            "scatter_add",
            &[&[2, 2], &[]],
            |x| x[0].scatter_add(1, &Tensor::from([0, 1]), x[1]),
            "the index has shape [2], wanted [2, 1]"
        ),
        wrong!(
            "index_add",
            &[&[3, 2], &[2, 3]],
            |x| x[0].index_add(0, &Tensor::from([0, 1]), x[1]),
            "the piece has shape [2, 3], wanted [2, 2]"
        ),
        wrong!(
            "index_copy",
            &[&[3], &[1]],
            |x| x[0].index_copy(1, &Tensor::from([0]), x[1]),
            "axis 1 is out of range for shape [3]"
        ),
        wrong!(
            "index_fill",
            &[&[3], &[1]],
            |x| x[0].index_fill(0, &Tensor::from([0]), x[1]),
            "shape [1] has rank 1, wanted 0"
        ),
    ]
}
