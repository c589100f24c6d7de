//! Element-wise loops with one output for each input.

use super::{Buffer, Repr, Tensor, row_major};
use crate::error::Result;
use crate::kernels::{self, View};
use crate::number::Element;

/// For each `x` that is wanted a tensor of `y`'s shape, which all broadcast to, made by `row` in one pass over `x`, `g`
/// and `y`.
///
/// # Errors
///
/// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
pub(crate) fn gradient<E: Element, const K: usize>(
    x: [&Tensor<E>; K],
    g: &Tensor<E>,
    y: &Tensor<E>,
    wanted: [bool; K],
    ns: f32,
    row: impl Fn([&[E]; K], [&[E]; 2], [Option<&mut [E]>; K]) + Sync,
) -> Result<[Option<Tensor<E>>; K]> {
    let shape = y.shape_owned();
    if shape.count() == 1 {
        let one = |x: &Tensor<E>| [x.view().data[x.view().offset]];
        let (x, g, y, mut out) = (x.map(one), one(g), one(y), [[E::default()]; K]);
        row(x.each_ref().map(|x| &x[..]), [&g, &y], out.each_mut().map(|out| Some(&mut out[..])));
        let rank = shape.len() as u32;
        return Ok(std::array::from_fn(|k| wanted[k].then(|| Tensor(Repr::One { rank, value: out[k][0] }))));
    }
    let mut buffers: [Option<Buffer<E>>; K] = [const { None }; K];
    for (buffer, _) in buffers.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted) {
        *buffer = Some(Buffer::new(shape.count())?);
    }
    let strides = x.map(|x| x.broadcast_strides(&shape));
    let x: [View<'_, E>; K] = std::array::from_fn(|k| View { strides: &strides[k], ..x[k].view() });
    let strides = [g, y].map(|x| x.broadcast_strides(&shape));
    let more = [View { strides: &strides[0], ..g.view() }, View { strides: &strides[1], ..y.view() }];
    let out = buffers.each_mut().map(|buffer| buffer.as_deref_mut());
    kernels::map_gradient(&shape, x, more, out, ns, row);
    Ok(buffers.map(|buffer| buffer.map(|buffer| Tensor::owned(row_major(&shape), shape.clone(), buffer))))
}
