//! What the largest elements of windows are tried on.

use crate::conformance::{Inputs, Sample, sample, shapes, values, wrong};
use crate::ops::Pool;

pub(super) fn samples() -> Vec<Sample> {
    fn of(cases: &[&[&[usize]]]) -> Inputs {
        shapes(cases, -2.0, 2.0).distinct()
    }
    let lines = || of(&[&[&[2, 2, 7]], &[&[1, 6]], &[&[0, 2, 5]], &[&[2, 0, 5]]]);
    let images = || of(&[&[&[1, 2, 5, 4]], &[&[2, 3, 6]]]);
    let volumes = || of(&[&[&[1, 1, 3, 2, 4]], &[&[1, 2, 3, 3]]]);
    vec![
        sample!("max_pool1d", lines(), |x| x[0].max_pool1d(Pool::new(3).stride(2)).square() * 0.5),
        sample!("max_pool1d overlapping", lines(), |x| x[0]
            .max_pool1d(Pool::new(4).stride(1).padding(2).ceil())
            .square()),
        sample!("max_pool1d with gaps", lines(), |x| x[0].max_pool1d(Pool::new(1).stride(3)).square()),
        sample!("max_pool1d dilated", lines(), |x| x[0]
            .max_pool1d(Pool::new(2).stride(1).dilation(3).padding(1))
            .square()),
        sample!("max_pool2d", images(), |x| x[0]
            .max_pool2d(Pool::new([2, 3]).stride([2, 1]).padding([1, 1]))
            .square()),
        sample!("max_pool3d", volumes(), |x| x[0].max_pool3d(Pool::new([2, 1, 2]).ceil()).square()),
        sample!("max_pool1d_with_indices", lines(), |x| values(
            x[0].max_pool1d_with_indices(Pool::new(2)),
            x[0]
        )
        .square()),
        sample!("max_pool2d_with_indices", images(), |x| values(
            x[0].max_pool2d_with_indices(Pool::new(2)),
            x[0]
        )
        .square()),
        sample!("max_pool3d_with_indices", volumes(), |x| values(
            x[0].max_pool3d_with_indices(Pool::new([1, 2, 2])),
            x[0]
        )
        .square()),
        sample!("adaptive_max_pool1d", lines(), |x| x[0].adaptive_max_pool1d(3).square()),
        sample!("adaptive_max_pool1d more", lines(), |x| x[0].adaptive_max_pool1d(9).square()),
        sample!("adaptive_max_pool1d none", lines(), |x| x[0].adaptive_max_pool1d(0).square()),
        sample!("adaptive_max_pool2d", images(), |x| x[0].adaptive_max_pool2d([1, 3]).square()),
        sample!("adaptive_max_pool3d", volumes(), |x| x[0].adaptive_max_pool3d(2).square()),
        sample!("adaptive_max_pool1d_with_indices", lines(), |x| values(
            x[0].adaptive_max_pool1d_with_indices(2),
            x[0]
        )
        .square()),
        sample!("adaptive_max_pool2d_with_indices", images(), |x| values(
            x[0].adaptive_max_pool2d_with_indices([3, 1]),
            x[0]
        )
        .square()),
        sample!("adaptive_max_pool3d_with_indices", volumes(), |x| values(
            x[0].adaptive_max_pool3d_with_indices([1, 2, 3]),
            x[0]
        )
        .square()),
        wrong!(
            "max_pool1d",
            &[&[5]],
            |x| x[0].max_pool1d(Pool::new(2)),
            "shape [5] has rank 1, wanted 2 or 3"
        ),
        wrong!(
            "max_pool2d",
            &[&[2, 0, 3]],
            |x| x[0].max_pool2d(Pool::new(1)),
            "reduction over axis 1 of size 0 in shape [2, 0, 3] has no identity"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 5]],
            |x| x[0].max_pool1d(Pool::new(0)),
            "the length of the window is 0, wanted at least 1"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 5]],
            |x| x[0].max_pool1d(Pool::new(2).stride(0)),
            "the stride is 0, wanted at least 1"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 5]],
            |x| x[0].max_pool1d(Pool::new(2).dilation(0)),
            "the dilation is 0, wanted at least 1"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 5]],
            |x| x[0].max_pool1d(Pool::new(3).padding(2)),
            "the padding is 2 on axis 1, wanted at most 1, half of a window"
        ),
        wrong!(
            "max_pool2d",
            &[&[1, 5, 3]],
            |x| x[0].max_pool2d(Pool::new(4).padding([0, 0])),
            "the length of the window is 4 on axis 2, wanted at most the padded input's, 3"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 1]],
            |x| x[0].max_pool1d(Pool::new(2).dilation(3).padding(2)),
            "the padding is 2 on axis 1 of length 1, wanted less: a window of this dilation shows nothing else"
        ),
        wrong!(
            "max_pool1d",
            &[&[1, 5]],
            |x| x[0].max_pool1d(Pool::new(usize::MAX).dilation(2)),
            "the window is 18446744073709551615 with dilation 2 and stride 18446744073709551615, wanted a length that memory has"
        ),
        wrong!(
            "max_pool3d_with_indices",
            &[&[5]],
            |x| values(x[0].max_pool3d_with_indices(Pool::new(2)), x[0]),
            "shape [5] has rank 1, wanted 4 or 5"
        ),
        wrong!(
            "adaptive_max_pool2d",
            &[&[1, 5, 3]],
            |x| x[0].adaptive_max_pool2d([1, 2, 3]),
            "the number of windows is 3 numbers, wanted one, or 2"
        ),
        wrong!(
            "adaptive_max_pool1d",
            &[&[1, 0]],
            |x| x[0].adaptive_max_pool1d(1),
            "reduction over axis 1 of size 0 in shape [1, 0] has no identity"
        ),
    ]
}
