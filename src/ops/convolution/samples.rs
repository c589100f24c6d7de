//! What convolutions are tried on: odd sizes, every option, and what must be refused.

use crate::conformance::{Inputs, Sample, sample, shapes, wrong};
use crate::ops::Conv;

fn of(cases: &[&[&[usize]]]) -> Inputs {
    shapes(cases, -1.0, 1.0)
}

pub(super) fn samples() -> Vec<Sample> {
    let lines = || {
        of(&[&[&[2, 3, 5], &[2, 3, 3], &[2]], &[&[1, 4], &[1, 1, 4], &[1]], &[&[0, 2, 3], &[2, 2, 1], &[2]]])
    };
    let images = || of(&[&[&[2, 2, 4, 3], &[3, 2, 3, 2], &[3]], &[&[2, 3, 5], &[1, 2, 2, 2], &[1]]]);
    let longer = || of(&[&[&[2, 2, 7], &[2, 2, 3]], &[&[2, 6], &[1, 2, 2]]]);
    vec![
        sample!("conv1d", lines(), |x| x[0].conv1d(x[1], Some(x[2]), Conv::new())),
        sample!("conv1d cubed", of(&[&[&[2, 1, 5], &[2, 1, 3], &[2]]]), |x| {
            let y = x[0].conv1d(x[1], Some(x[2]), Conv::new().stride(2).padding(1));
            y * y * y
        }),
        sample!("conv2d", images(), |x| x[0].conv2d(x[1], Some(x[2]), Conv::new().padding(1))),
        sample!(
            "conv3d",
            of(&[&[&[1, 2, 2, 3, 2], &[1, 2, 2, 2, 1], &[1]], &[&[1, 1, 2, 2], &[2, 1, 1, 1, 2], &[2]]]),
            |x| { x[0].conv3d(x[1], Some(x[2]), Conv::new().padding([1, 0, 1])) }
        ),
        sample!(
            "conv2d of one tap",
            of(&[&[&[2, 2, 2, 3], &[3, 2, 1, 1], &[3]], &[&[3, 2, 2], &[1, 3, 1, 1], &[1]]]),
            |x| { x[0].conv2d(x[1], Some(x[2]), Conv::new()).square() }
        ),
        sample!("conv2d of whole images", of(&[&[&[3, 2, 2, 3], &[4, 2, 2, 3], &[4]]]), |x| {
            x[0].conv2d(x[1], Some(x[2]), Conv::new()).square()
        }),
        sample!(
            "conv_transpose1d",
            of(&[&[&[2, 3, 4], &[3, 2, 3], &[2]], &[&[2, 3], &[2, 1, 2], &[1]]]),
            |x| { x[0].conv_transpose1d(x[1], Some(x[2]), Conv::new().stride(2).output_padding(1)) }
        ),
        sample!(
            "conv_transpose2d",
            of(&[&[&[1, 2, 2, 3], &[2, 1, 3, 2], &[2]], &[&[2, 2, 2], &[2, 2, 2, 2], &[4]]]),
            |x| { x[0].conv_transpose2d(x[1], Some(x[2]), Conv::new().stride([1, 3]).groups(2)) }
        ),
        sample!("conv_transpose3d", of(&[&[&[1, 1, 2, 1, 2], &[1, 2, 2, 2, 1], &[2]]]), |x| {
            x[0].conv_transpose3d(x[1], Some(x[2]), Conv::new().stride([2, 1, 3]))
        }),
        sample!("conv_transpose2d of one tap", of(&[&[&[2, 2, 2, 3], &[2, 3, 1, 1], &[3]]]), |x| {
            x[0].conv_transpose2d(x[1], Some(x[2]), Conv::new()).square()
        }),
        sample!("conv_transpose2d of one element", of(&[&[&[3, 2, 1, 1], &[2, 2, 2, 2], &[2]]]), |x| {
            x[0].conv_transpose2d(x[1], Some(x[2]), Conv::new()).square()
        }),
        sample!("conv1d stride over kernel", of(&[&[&[1, 2, 8], &[1, 2, 2]], &[&[1, 7], &[2, 1, 1]]]), |x| {
            x[0].conv1d(x[1], None, Conv::new().stride(3))
        }),
        sample!("conv1d stride", longer(), |x| x[0].conv1d(x[1], None, Conv::new().stride(2))),
        sample!("conv1d dilation", longer(), |x| x[0].conv1d(x[1], None, Conv::new().dilation(2).padding(1))),
        sample!("conv1d dilation and stride", longer(), |x| {
            x[0].conv1d(x[1], None, Conv::new().dilation(3).stride(2).padding(3))
        }),
        sample!("conv1d of one place", shapes(&[&[&[1, 2, 3], &[2, 2, 2]]], -1.0, 1.0), |x| {
            x[0].conv1d(x[1], None, Conv::new().stride(1 << 20))
        }),
        sample!("conv1d same", of(&[&[&[1, 2, 5], &[2, 2, 4]], &[&[1, 4], &[1, 1, 3]]]), |x| {
            x[0].conv1d(x[1], None, Conv::new().same())
        }),
        sample!("conv2d same dilated", of(&[&[&[1, 1, 3, 4], &[2, 1, 2, 3]]]), |x| {
            x[0].conv2d(x[1], None, Conv::new().same().dilation([3, 2]))
        }),
        sample!("conv2d valid", of(&[&[&[2, 2, 5, 4], &[1, 2, 2, 3]]]), |x| {
            x[0].conv2d(x[1], None, Conv::new().padding(3).valid().stride([2, 1]))
        }),
        sample!("conv2d of groups", of(&[&[&[2, 4, 3, 3], &[6, 2, 2, 2]]]), |x| {
            x[0].conv2d(x[1], None, Conv::new().groups(2))
        }),
        sample!(
            "conv2d depthwise",
            of(&[&[&[1, 3, 4, 3], &[3, 1, 3, 2]], &[&[2, 3, 3], &[4, 1, 2, 2]]]),
            |x| {
                x[0].conv2d(x[1], None, Conv::new().groups(x[0].shape()[x[0].shape().len() - 3]).padding(1))
            }
        ),
        sample!("conv2d of groups of one tap", of(&[&[&[2, 4, 2, 2], &[2, 2, 1, 1]]]), |x| {
            x[0].conv2d(x[1], None, Conv::new().groups(2))
        }),
        sample!("conv2d with itself", of(&[&[&[2, 2, 3, 3]]]), |x| x[0].conv2d(
            x[0],
            None,
            Conv::new().padding(1)
        )),
        sample!("conv1d of no channels", of(&[&[&[2, 0, 4], &[0, 0, 2]], &[&[0, 4], &[3, 0, 2]]]), |x| {
            x[0].conv1d(x[1], None, Conv::new())
        }),
        sample!("conv1d of nothing in padding", of(&[&[&[2, 1, 0], &[2, 1, 2]]]), |x| {
            x[0].conv1d(x[1], None, Conv::new().padding(2))
        }),
        sample!("conv_transpose1d padding", of(&[&[&[2, 2, 4], &[2, 1, 3]]]), |x| {
            x[0].conv_transpose1d(x[1], None, Conv::new().padding(2).dilation(2))
        }),
        sample!("conv_transpose1d with gaps", of(&[&[&[1, 2, 3], &[2, 2, 2]]]), |x| {
            x[0].conv_transpose1d(x[1], None, Conv::new().stride(4).output_padding(3))
        }),
        sample!("conv_transpose1d of no batch", of(&[&[&[0, 2, 3], &[2, 2, 2]]]), |x| {
            x[0].conv_transpose1d(x[1], None, Conv::new())
        }),
        sample!("conv_transpose2d all options", of(&[&[&[1, 2, 2, 2], &[2, 1, 2, 3]]]), |x| {
            let options = Conv::new().stride([3, 2]).padding([1, 2]).dilation([2, 3]).output_padding([2, 1]);
            x[0].conv_transpose2d(x[1], None, options.groups(2))
        }),
        wrong!(
            "conv1d",
            &[&[4], &[1, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new()),
            "shape [4] has rank 1, wanted 2 or 3"
        ),
        wrong!(
            "conv2d",
            &[&[4, 4], &[1, 1, 2, 2]],
            |x| x[0].conv2d(x[1], None, Conv::new()),
            "shape [4, 4] has rank 2, wanted 3 or 4"
        ),
        wrong!(
            "conv3d",
            &[&[1, 1, 2, 2, 2], &[1, 1, 2]],
            |x| x[0].conv3d(x[1], None, Conv::new()),
            "shape [1, 1, 2] has rank 3, wanted 5"
        ),
        wrong!(
            "conv1d",
            &[&[3, 4], &[2, 2, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new()),
            "the weight has shape [2, 2, 2], wanted [2, 3, 2]"
        ),
        wrong!(
            "conv1d",
            &[&[3, 4], &[2, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().groups(2)),
            "the number of channels is 3, wanted a multiple of the number of groups, 2"
        ),
        wrong!(
            "conv1d",
            &[&[4, 4], &[3, 2, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().groups(2)),
            "the number of filters is 3, wanted a multiple of the number of groups, 2"
        ),
        wrong!(
            "conv1d",
            &[&[4, 4], &[3, 2, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().groups(0)),
            "the number of groups is 0, wanted at least 1"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 2], &[3]],
            |x| x[0].conv1d(x[1], Some(x[2]), Conv::new()),
            "the bias has shape [3], wanted [2]"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().stride(0)),
            "the stride is 0, wanted at least 1"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().dilation(0)),
            "the dilation is 0, wanted at least 1"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 0]],
            |x| x[0].conv1d(x[1], None, Conv::new()),
            "the length of the kernel is 0, wanted at least 1"
        ),
        wrong!(
            "conv2d",
            &[&[1, 4, 4], &[2, 1, 2, 2]],
            |x| x[0].conv2d(x[1], None, Conv::new().stride([1, 1, 1])),
            "the stride is 3 numbers, wanted one, or 2"
        ),
        wrong!(
            "conv2d",
            &[&[2, 1, 4, 2], &[2, 1, 2, 5]],
            |x| x[0].conv2d(x[1], None, Conv::new().padding(1)),
            "the length of the kernel is 5 on axis 3, wanted at most the padded input's, 4"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 3]],
            |x| x[0].conv1d(x[1], None, Conv::new().dilation(2)),
            "the length of the kernel is 5 with its dilation on axis 1, wanted at most the padded input's, 4"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 3]],
            |x| x[0].conv1d(x[1], None, Conv::new().same().stride(2)),
            "the stride is [2], wanted 1, for the padding that keeps the length"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 3]],
            |x| x[0].conv1d(x[1], None, Conv::new().output_padding(1)),
            "the output padding is set, wanted none: it is for transposed convolutions"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().dilation(usize::MAX)),
            "the dilation or the stride is 18446744073709551615, wanted a length that memory has"
        ),
        wrong!(
            "conv1d",
            &[&[1, 4], &[2, 1, 2]],
            |x| x[0].conv1d(x[1], None, Conv::new().padding(usize::MAX)),
            "the padding is 18446744073709551615, wanted a length that memory has"
        ),
        wrong!(
            "conv_transpose1d",
            &[&[2, 3], &[3, 1, 2]],
            |x| x[0].conv_transpose1d(x[1], None, Conv::new()),
            "the weight has shape [3, 1, 2], wanted [2, 1, 2]"
        ),
        wrong!(
            "conv_transpose1d",
            &[&[2, 3], &[2, 1, 2], &[2]],
            |x| x[0].conv_transpose1d(x[1], Some(x[2]), Conv::new()),
            "the bias has shape [2], wanted [1]"
        ),
        wrong!(
            "conv_transpose1d",
            &[&[3, 3], &[3, 1, 2]],
            |x| x[0].conv_transpose1d(x[1], None, Conv::new().groups(2)),
            "the number of channels is 3, wanted a multiple of the number of groups, 2"
        ),
        wrong!(
            "conv_transpose2d",
            &[&[2, 3, 3], &[2, 1, 2, 2]],
            |x| x[0].conv_transpose2d(x[1], None, Conv::new().padding([0, 2])),
            "the length of the output is 0 on axis 2, wanted at least 1"
        ),
        wrong!(
            "conv_transpose1d",
            &[&[2, 3], &[2, 1, 2]],
            |x| x[0].conv_transpose1d(x[1], None, Conv::new().stride(2).output_padding(2)),
            "the output padding is 2, wanted less than 2, the larger of stride and dilation"
        ),
        wrong!(
            "conv_transpose1d",
            &[&[2, 3], &[2, 1, 2]],
            |x| x[0].conv_transpose1d(x[1], None, Conv::new().same()),
            "the padding is same, wanted numbers: a transposed convolution has several lengths"
        ),
        wrong!(
            "conv_transpose3d",
            &[&[2, 3], &[2, 1, 2]],
            |x| x[0].conv_transpose3d(x[1], None, Conv::new()),
            "shape [2, 3] has rank 2, wanted 4 or 5"
        ),
        wrong!(
            "conv2d",
            &[&[1, 4, 4], &[1, 1, 2, 2]],
            |x| x[0].conv2d(x[1], None, Conv::new().padding(1 << 40).dilation((1 << 41) + 1)),
            "shape [1, 6597069766667, 6597069766667] is too large: at most 64 axes and 2^63 - 1 bytes"
        ),
    ]
}
