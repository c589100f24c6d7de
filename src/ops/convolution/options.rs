//! How a convolution is made, and the sizes that follow from it.

use super::{Axis, Geometry, Product};
use crate::error::{ErrorKind, Result, argument};
use crate::ops::per_axis::{PerAxis, batched, with_last};
use crate::shape::{Shape, same};

/// How a convolution is made: stride, padding, dilation, groups. Each takes one number for all spatial axes or one for each.
///
/// ```
/// use retrograde::{Conv, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::<f32>::zeros([8, 16, 28, 28])?);
/// let w = tape.var(&Tensor::zeros([32, 4, 3, 5])?);
/// let options = Conv::new().stride([1, 2]).padding([1, 2]).groups(4);
/// assert_eq!(x.conv2d(w, None, options).shape(), [8, 32, 28, 14]);
/// assert_eq!(x.conv2d(w, None, Conv::new().same().dilation(2).groups(4)).shape(), [8, 32, 28, 28]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    stride: PerAxis,
    /// Nothing for as much as keeps the length.
    padding: Option<PerAxis>,
    dilation: PerAxis,
    groups: usize,
    output_padding: PerAxis,
}

impl Default for Conv {
    fn default() -> Conv {
        Conv::new()
    }
}

impl Conv {
    /// Stride 1, no padding, no dilation, one group.
    pub fn new() -> Conv {
        Conv {
            stride: 1.into(),
            padding: Some(0.into()),
            dilation: 1.into(),
            groups: 1,
            output_padding: 0.into(),
        }
    }

    /// The step from one place of the kernel to the next.
    pub fn stride(self, stride: impl Into<PerAxis>) -> Conv {
        Conv { stride: stride.into(), ..self }
    }

    /// Zeros at either end of the input. Of a transposed convolution: what is cut off at either end of the output.
    pub fn padding(self, padding: impl Into<PerAxis>) -> Conv {
        Conv { padding: Some(padding.into()), ..self }
    }

    /// As much padding as gives the output the length of the input, one more at the end where that is odd. For stride 1.
    pub fn same(self) -> Conv {
        Conv { padding: None, ..self }
    }

    /// No padding.
    pub fn valid(self) -> Conv {
        self.padding(0)
    }

    /// The step from one tap of the kernel to the next.
    pub fn dilation(self, dilation: impl Into<PerAxis>) -> Conv {
        Conv { dilation: dilation.into(), ..self }
    }

    /// Groups of channels that are convolved with their own filters each; as many as there are channels is called a
    /// depthwise convolution.
    pub fn groups(self, groups: usize) -> Conv {
        Conv { groups, ..self }
    }

    /// More elements at the end of a transposed convolution's output, of which several lengths are made of one by a stride.
    pub fn output_padding(self, output_padding: impl Into<PerAxis>) -> Conv {
        Conv { output_padding: output_padding.into(), ..self }
    }

    /// Stride, padding and dilation for windows that are no convolution's.
    pub(in crate::ops) fn of_windows(&self, axes: usize) -> Result<(Vec<usize>, Vec<usize>, Vec<usize>)> {
        let (Some(padding), 1, true) = (self.padding, self.groups, self.output_padding == PerAxis::from(0))
        else {
            return argument("the set of options", "a convolution's", "stride, padding and dilation alone");
        };
        let stride = self.stride.at_least(1, "the stride", axes)?;
        let dilation = self.dilation.at_least(1, "the dilation", axes)?;
        Ok((stride, checked(padding.of("the padding", axes)?)?, dilation))
    }
}

/// The geometry of a convolution, and the shapes of x, w and y.
pub(super) struct Sizes {
    pub(super) geometry: Geometry,
    pub(super) shapes: [Shape; 3],
    /// How many spatial axes there are.
    pub(super) axes: usize,
}

/// The lengths that the options have for some axes.
struct Lengths {
    stride: Vec<usize>,
    dilation: Vec<usize>,
    kernel: Vec<usize>,
    /// From the first to the last tap, both included.
    span: Vec<usize>,
}

impl Lengths {
    fn new(options: &Conv, w: &[usize], axes: usize) -> Result<Lengths> {
        if w.len() != axes + 2 {
            let wanted = ["2", "3", "4", "5"][axes];
            return Err(ErrorKind::Rank { found: w.to_vec(), wanted }.into());
        }
        let stride = options.stride.at_least(1, "the stride", axes)?;
        let dilation = options.dilation.at_least(1, "the dilation", axes)?;
        let kernel = PerAxis::from(&w[2..]).at_least(1, "the length of the kernel", axes)?;
        if options.groups == 0 {
            return argument("the number of groups", 0, "at least 1");
        }
        let mut span = vec![0; axes];
        for i in 0..axes {
            let last = (kernel[i] - 1).checked_mul(dilation[i]).and_then(|last| last.checked_add(1));
            match last.filter(|&last| last < 1 << 48 && stride[i] < 1 << 32) {
                Some(last) => span[i] = last,
                None => {
                    return argument(
                        "the dilation or the stride",
                        dilation[i].max(stride[i]),
                        "a length that memory has",
                    );
                }
            }
        }
        Ok(Lengths { stride, dilation, kernel, span })
    }
}

/// How many channels a group has.
fn divided(name: &'static str, channels: usize, groups: usize) -> Result<usize> {
    if channels.is_multiple_of(groups) {
        return Ok(channels / groups);
    }
    argument(name, channels, format!("a multiple of the number of groups, {groups}"))
}

fn three(axes: &[Axis]) -> [Axis; 3] {
    let mut all = [Axis::NONE; 3];
    all[3 - axes.len()..].copy_from_slice(axes);
    all
}

/// A padding that memory has room for.
fn checked(padding: Vec<usize>) -> Result<Vec<usize>> {
    match padding.iter().find(|&&padding| padding >= 1 << 48) {
        None => Ok(padding),
        Some(found) => argument("the padding", found, "a length that memory has"),
    }
}

/// That images with their padding, which are stored piece by piece, are no larger than memory.
fn stored(channels: usize, along: &[Axis], span: &[usize]) -> Result<Shape> {
    let padded = along
        .iter()
        .zip(span)
        .map(|(axis, span)| axis.input + axis.output + 2 * span + 2 * axis.before as usize);
    Shape::new([&[channels.max(1)], &padded.collect::<Vec<_>>()[..]].concat())
}

/// The sizes of a convolution of an image x with a kernel w.
pub(super) fn convolution(x: &[usize], w: &[usize], axes: usize, options: Conv) -> Result<(Sizes, Product)> {
    let has_batch = batched(x, axes)?;
    let Lengths { stride, dilation, kernel, span } = Lengths::new(&options, w, axes)?;
    let (channels, spatial) = (x[x.len() - axes - 1], &x[x.len() - axes..]);
    let inner = divided("the number of channels", channels, options.groups)?;
    same("the weight", w, &[&[w[0], inner], &kernel[..]].concat())?;
    let filters = divided("the number of filters", w[0], options.groups)?;
    if options.output_padding != PerAxis::from(0) {
        return argument("the output padding", "set", "none: it is for transposed convolutions");
    }
    if options.padding.is_none() && stride.iter().any(|&stride| stride != 1) {
        return argument("the stride", format!("{stride:?}"), "1, for the padding that keeps the length");
    }
    let padding = options.padding.map(|padding| checked(padding.of("the padding", axes)?)).transpose()?;
    let mut along = Vec::new();
    for i in 0..axes {
        // Before and behind; the odd one is behind.
        let (before, both) = match &padding {
            Some(padding) => (padding[i], 2 * padding[i]),
            None => ((span[i] - 1) / 2, span[i] - 1),
        };
        let Some(room) = (spatial[i] + both).checked_sub(span[i]) else {
            let found = if dilation[i] == 1 { "" } else { " with its dilation" };
            let found = format!("{}{found} on axis {}", span[i], x.len() - axes + i);
            return argument(
                "the length of the kernel",
                found,
                format!("at most the padded input's, {}", spatial[i] + both),
            );
        };
        along.push(Axis {
            input: spatial[i],
            output: room / stride[i] + 1,
            kernel: kernel[i],
            stride: stride[i],
            dilation: dilation[i],
            before: before as isize,
        });
    }
    stored(channels, &along, &span)?;
    let batch = if has_batch { x[0] } else { 1 };
    let outputs: Vec<usize> = along.iter().map(|axis| axis.output).collect();
    let y = with_last(x, &[&[w[0]], &outputs[..]].concat())?;
    let geometry = Geometry { batch, groups: options.groups, channels: inner, filters, axes: three(&along) };
    Ok((Sizes { geometry, shapes: [Shape::new(x)?, Shape::new(w)?, y], axes }, Product::Forward))
}

/// The sizes of a transposed convolution of an image y with a kernel w.
pub(super) fn transposed(y: &[usize], w: &[usize], axes: usize, options: Conv) -> Result<(Sizes, Product)> {
    let has_batch = batched(y, axes)?;
    let Lengths { stride, dilation, kernel, span } = Lengths::new(&options, w, axes)?;
    let (filters, spatial) = (y[y.len() - axes - 1], &y[y.len() - axes..]);
    let inner = divided("the number of channels", filters, options.groups)?;
    same("the weight", w, &[&[filters, w[1]], &kernel[..]].concat())?;
    let Some(padding) = options.padding else {
        return argument("the padding", "same", "numbers: a transposed convolution has several lengths");
    };
    let padding = checked(padding.of("the padding", axes)?)?;
    let more = checked(options.output_padding.of("the output padding", axes)?)?;
    let mut along = Vec::new();
    for i in 0..axes {
        if more[i] >= stride[i].max(dilation[i]) {
            return argument(
                "the output padding",
                more[i],
                format!("less than {}, the larger of stride and dilation", stride[i].max(dilation[i])),
            );
        }
        let steps =
            (spatial[i] as isize - 1).checked_mul(stride[i] as isize).filter(|steps| *steps < 1 << 50);
        let length = steps.map(|steps| steps + (span[i] + more[i]) as isize - 2 * padding[i] as isize);
        let Some(length) = length else {
            return argument("the stride", stride[i], "an output that memory has room for");
        };
        if length < 1 {
            return argument(
                "the length of the output",
                format!("{length} on axis {}", y.len() - axes + i),
                "at least 1",
            );
        }
        along.push(Axis {
            input: length as usize,
            output: spatial[i],
            kernel: kernel[i],
            stride: stride[i],
            dilation: dilation[i],
            before: padding[i] as isize,
        });
    }
    stored(filters.max(w[1]), &along, &span)?;
    let batch = if has_batch { y[0] } else { 1 };
    let inputs: Vec<usize> = along.iter().map(|axis| axis.input).collect();
    let channels = w[1].saturating_mul(options.groups);
    let x = with_last(y, &[&[channels], &inputs[..]].concat())?;
    let geometry =
        Geometry { batch, groups: options.groups, channels: w[1], filters: inner, axes: three(&along) };
    Ok((Sizes { geometry, shapes: [x, Shape::new(w)?, Shape::new(y)?], axes }, Product::Transposed))
}
