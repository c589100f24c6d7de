//! What splitting is tried on.

use crate::conformance::{Sample, rank3, sample, shapes, wrong};

pub(super) fn samples() -> Vec<Sample> {
    let all = || shapes(&[&[&[5]], &[&[5, 2]], &[&[5, 0]]], -2.0, 2.0);
    vec![
        sample!("narrow", rank3(-2.0, 2.0), |x| x[0].narrow(1, 0, 1).square()),
        sample!("narrow from the end", all(), |x| x[0].narrow(0, -3, 2).square()),
        sample!("narrow to nothing", rank3(-2.0, 2.0), |x| x[0].narrow(-1, 1, 0).square()),
        sample!("select", rank3(-2.0, 2.0), |x| x[0].select(1, 0).square()),
        sample!("select the last", rank3(-2.0, 2.0), |x| x[0].select(-1, -1).square()),
        sample!("split", all(), |x| {
            x[0].split(2, 0).map_or(x[0], |p| p[0].square() * p[1] - p[2].square() * p[0].slice(0, 0..1))
        }),
        sample!("split with one part used", all(), |x| x[0].tape().first_of(x[0].split(4, 0)).square()),
        sample!("split_sizes", all(), |x| {
            x[0].split_sizes([2, 0, 3], 0)
                .map_or(x[0], |p| p[0].square() * p[2].slice(0, 1..) * p[1].sum().exp())
        }),
        sample!("chunk", all(), |x| x[0].chunk(2, 0).map_or(x[0], |p| p[0].slice(0, 1..) * p[1].square())),
        sample!("array_split", rank3(-2.0, 2.0), |x| {
            x[0].array_split(2, -1).map_or(x[0], |p| p[0].sum_axes(2).square() * p[1].sum_axes(2))
        }),
        sample!("split_at", all(), |x| {
            x[0].split_at([3, 1, -1], 0).map_or(x[0], |p| p[0] * p[2].square() + p[1].sum() + p[3].square())
        }),
        sample!("unbind", rank3(-2.0, 2.0), |x| {
            x[0].unbind(1).map_or(x[0], |p| p.iter().fold(p[0].square(), |a, &b| a * b))
        }),
        wrong!(
            "narrow",
            &[&[2, 3]],
            |x| x[0].narrow(1, 2, 2),
            "index 4 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "narrow",
            &[&[2, 3]],
            |x| x[0].narrow(1, -4, 1),
            "index -4 is out of range for axis 1 of size 3"
        ),
        wrong!("narrow", &[&[2, 3]], |x| x[0].narrow(2, 0, 1), "axis 2 is out of range for shape [2, 3]"),
        wrong!("select", &[&[2, 3]], |x| x[0].select(0, 2), "index 2 is out of range for axis 0 of size 2"),
        wrong!("select", &[&[2, 3]], |x| x[0].select(0, -3), "index -3 is out of range for axis 0 of size 2"),
        wrong!("select", &[&[]], |x| x[0].select(0, 0), "axis 0 is out of range for shape []"),
        wrong!(
            "split",
            &[&[2]],
            |x| x[0].tape().first_of(x[0].split(0, 0)),
            "the size of the pieces is 0, wanted at least 1"
        ),
        wrong!(
            "split_sizes",
            &[&[4]],
            |x| x[0].tape().first_of(x[0].split_sizes([1, 2], 0)),
            "the sum of the sizes is 3, wanted 4"
        ),
        wrong!(
            "chunk",
            &[&[4]],
            |x| x[0].tape().first_of(x[0].chunk(0, 0)),
            "the number of pieces is 0, wanted at least 1"
        ),
        wrong!(
            "array_split",
            &[&[4]],
            |x| x[0].tape().first_of(x[0].array_split(0, 0)),
            "the number of pieces is 0, wanted at least 1"
        ),
        wrong!(
            "split_at",
            &[&[4]],
            |x| x[0].tape().first_of(x[0].split_at([1], 1)),
            "axis 1 is out of range for shape [4]"
        ),
        wrong!(
            "unbind",
            &[&[4]],
            |x| x[0].tape().first_of(x[0].unbind(-2)),
            "axis -2 is out of range for shape [4]"
        ),
    ]
}
