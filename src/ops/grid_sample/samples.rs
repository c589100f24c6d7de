//! What sampling images is tried on.

use super::{GridSample, Outside, Sampling};
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};

/// Places, on axes of lengths 2, 3 and 4, at which an element begins to count, another is the nearest, or the border is.
const KINKS: [f64; 17] = {
    let (third, half, quarter) = (1.0 / 3.0, 0.5, 0.25);
    [
        -4.0 * third,
        -1.25,
        -1.0,
        -0.75,
        -2.0 * third,
        -half,
        -third,
        -quarter,
        0.0,
        quarter,
        third,
        half,
        2.0 * third,
        0.75,
        1.0,
        1.25,
        4.0 * third,
    ]
};

/// The places must stay away from kinks; the image may be where it is.
fn of(cases: &[&[&[usize]]]) -> Inputs {
    shapes(cases, -1.7, 1.7).avoid(&KINKS)
}

pub(super) fn samples() -> Vec<Sample> {
    let images = || {
        of(&[
            &[&[1, 2, 3, 4], &[1, 1, 3, 2]],
            &[&[2, 1, 3, 4], &[2, 2, 1, 2]],
            &[&[0, 1, 3, 4], &[0, 1, 2, 2]],
        ])
    };
    let volumes = || of(&[&[&[1, 1, 2, 2, 2], &[1, 1, 1, 2, 3]]]);
    let maps = || shapes(&[&[&[2, 2, 3]], &[&[0, 2, 3]]], -1.0, 1.0);
    vec![
        sample!("grid_sample", images(), |x| x[0].grid_sample(x[1], GridSample::new())),
        sample!("grid_sample to corners", images(), |x| x[0]
            .grid_sample(x[1], GridSample::new().align_corners())
            .square()),
        sample!("grid_sample border", images(), |x| x[0]
            .grid_sample(x[1], GridSample::new().outside(Outside::Border))),
        sample!("grid_sample reflected", images(), |x| x[0]
            .grid_sample(x[1], GridSample::new().outside(Outside::Reflection))),
        sample!("grid_sample reflected at corners", images(), |x| {
            x[0].grid_sample(x[1], GridSample::new().outside(Outside::Reflection).align_corners())
        }),
        sample!("grid_sample nearest", images(), |x| x[0]
            .grid_sample(x[1], GridSample::new().with(Sampling::Nearest))
            .square()),
        sample!("grid_sample nearest reflected", images(), |x| {
            x[0].grid_sample(x[1], GridSample::new().with(Sampling::Nearest).outside(Outside::Reflection))
                .square()
        }),
        sample!("grid_sample by cubics", of(&[&[&[1, 1, 3, 4], &[1, 1, 2, 2]]]), |x| {
            x[0].grid_sample(x[1], GridSample::new().with(Sampling::Cubic))
        }),
        sample!("grid_sample by cubics reflected", of(&[&[&[1, 1, 3, 4], &[1, 1, 2, 2]]]), |x| {
            x[0].grid_sample(
                x[1],
                GridSample::new().with(Sampling::Cubic).outside(Outside::Reflection).align_corners(),
            )
        }),
        sample!("grid_sample of volumes", volumes(), |x| x[0].grid_sample(x[1], GridSample::new())),
        sample!("grid_sample of volumes nearest", volumes(), |x| {
            x[0].grid_sample(x[1], GridSample::new().with(Sampling::Nearest).outside(Outside::Border))
                .square()
        }),
        sample!("affine_grid", maps(), |x| x[0].affine_grid([x[0].shape()[0], 1, 2, 3], false).square()),
        sample!("affine_grid to corners", maps(), |x| x[0]
            .affine_grid([x[0].shape()[0], 1, 1, 3], true)
            .square()),
        sample!("affine_grid of volumes", shapes(&[&[&[1, 3, 4]]], -1.0, 1.0), |x| x[0]
            .affine_grid([1, 1, 2, 1, 3], false)
            .square()),
        wrong!(
            "grid_sample",
            &[&[1, 1, 2], &[1, 1, 2]],
            |x| x[0].grid_sample(x[1], GridSample::new()),
            "shape [1, 1, 2] has rank 3, wanted 4 or 5"
        ),
        wrong!(
            "grid_sample",
            &[&[1, 1, 2, 2], &[1, 1, 2]],
            |x| x[0].grid_sample(x[1], GridSample::new()),
            "shape [1, 1, 2] has rank 3, wanted 4"
        ),
        wrong!(
            "grid_sample",
            &[&[1, 1, 2, 2], &[2, 1, 1, 2]],
            |x| x[0].grid_sample(x[1], GridSample::new()),
            "the places has shape [2, 1, 1, 2], wanted [1, 1, 1, 2]"
        ),
        wrong!(
            "grid_sample",
            &[&[1, 1, 2, 2], &[1, 1, 1, 3]],
            |x| x[0].grid_sample(x[1], GridSample::new()),
            "the places has shape [1, 1, 1, 3], wanted [1, 1, 1, 2]"
        ),
        wrong!(
            "grid_sample",
            &[&[1, 1, 2, 0], &[1, 1, 1, 2]],
            |x| x[0].grid_sample(x[1], GridSample::new()),
            "reduction over axis 3 of size 0 in shape [1, 1, 2, 0] has no identity"
        ),
        wrong!(
            "affine_grid",
            &[&[1, 2, 3]],
            |x| x[0].affine_grid([1, 2, 3], false),
            "shape [1, 2, 3] has rank 3, wanted 4 or 5"
        ),
        wrong!(
            "affine_grid",
            &[&[1, 2, 3]],
            |x| x[0].affine_grid([1, 1, 2, 2, 2], false),
            "the maps has shape [1, 2, 3], wanted [1, 3, 4]"
        ),
    ]
}
