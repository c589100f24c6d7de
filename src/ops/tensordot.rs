//! Sums of products over axes given by number.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, resolve_axis, same};
use crate::tape::Var;

/// Axes counted from the front, each once.
fn resolved(axes: &[isize], shape: &[usize]) -> Result<Vec<usize>> {
    let mut found: Vec<usize> = Vec::with_capacity(axes.len());
    for &axis in axes {
        let axis = resolve_axis(axis, shape)?;
        if found.contains(&axis) {
            return Err(ErrorKind::AxisTwice { axis }.into());
        }
        found.push(axis);
    }
    Ok(found)
}

/// Σ over the axes `a` of x and `b` of y, pair by pair: the axes that are left of x, then those of y.
fn contracted<'t, T: Real>(x: Var<'t, T>, y: Var<'t, T>, a: &[isize], b: &[isize]) -> Result<Var<'t, T>> {
    let (sx, sy) = (x.try_shape()?, y.try_shape()?);
    if a.len() != b.len() {
        let found = format!("{} of the first operand and {} of the second", a.len(), b.len());
        return Err(
            ErrorKind::Argument { name: "the number of axes", found, wanted: "as many".into() }.into()
        );
    }
    let (mut a, mut b) = (resolved(a, &sx)?, resolved(b, &sy)?);
    // A size of 1 broadcasts: its factor stands before the sum over the other's axis.
    let long = |from: &[usize], of: &Shape, other: &[usize], one: &Shape| -> Vec<isize> {
        let pairs = from.iter().zip(other).filter(|(i, j)| of[**i] != 1 && one[**j] == 1);
        pairs.map(|(i, _)| *i as isize).collect()
    };
    let (x_long, y_long) = (long(&a, &sx, &b, &sy), long(&b, &sy, &a, &sx));
    let summed = |v: Var<'t, T>, axes: Vec<isize>| if axes.is_empty() { v } else { v.sum_keepdim(axes) };
    let (x, y) = (summed(x, x_long), summed(y, y_long));
    let (sx, sy) = (x.try_shape()?, y.try_shape()?);
    let sizes = |shape: &Shape, axes: &[usize]| axes.iter().map(|&axis| shape[axis]).collect::<Vec<_>>();
    let (wanted, found) = (sizes(&sx, &a), sizes(&sy, &b));
    same("what is summed over in the second operand", &found, &wanted)?;
    // In the order in which the larger operand has them, so that the smaller one is copied if one must be.
    let larger = if sx.count() >= sy.count() { &a } else { &b };
    let mut order: Vec<usize> = (0..a.len()).collect();
    order.sort_by_key(|&i| larger[i]);
    (a, b) = order.iter().map(|&i| (a[i], b[i])).unzip();
    let free = |shape: &Shape, axes: &[usize]| {
        (0..shape.len()).filter(|axis| !axes.contains(axis)).collect::<Vec<_>>()
    };
    let (rows, cols) = (free(&sx, &a), free(&sy, &b));
    let count = |shape: &Shape, axes: &[usize]| sizes(shape, axes).iter().product::<usize>();
    let inner = count(&sx, &a);
    let left = ordered(x, [&rows[..], &a].concat()).shaped(&Shape::new([count(&sx, &rows), inner])?);
    let right = ordered(y, [&b[..], &cols].concat()).shaped(&Shape::new([inner, count(&sy, &cols)])?);
    let whole = Shape::new([sizes(&sx, &rows), sizes(&sy, &cols)].concat())?;
    Ok(left.matmul(right).shaped(&whole))
}

/// Its axes in another order; itself if they are in that order.
fn ordered<T: Real>(x: Var<'_, T>, axes: Vec<usize>) -> Var<'_, T> {
    if axes.is_sorted() { x } else { x.permute(axes.iter().map(|&axis| axis as isize).collect::<Vec<_>>()) }
}

impl<'t, T: Real> Var<'t, T> {
    /// The sum of products over the last `n` axes of this and the first `n` of the other, in order: `[a.., k..]` and
    /// `[k.., b..]` give `[a.., b..]`. With n = 0 it is the outer product of all axes.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from one matrix product.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for an operand of fewer than `n` axes; [`Shape`](ErrorKind::Shape) if the axes
    /// summed over have other sizes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([[1.0, 0.0], [0.0, 10.0]]));
    /// assert_eq!(a.tensordot(b, 2).item()?, 41.0);
    /// assert_eq!(a.tensordot(b, 1).value()?.to_vec(), [1.0, 20.0, 3.0, 40.0]);
    /// assert_eq!(a.tensordot(b, 0).shape(), [2, 2, 2, 2]);
    /// assert_eq!(a.tensordot(b, 2).backward()?.wrt(a)?.to_vec(), [1.0, 0.0, 0.0, 10.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tensordot(self, other: Var<'t, T>, n: usize) -> Var<'t, T> {
        self.tape().composed("tensordot", || {
            let (sa, sb) = (self.try_shape()?, other.try_shape()?);
            if let Some(short) = [&sa, &sb].into_iter().find(|shape| shape.len() < n) {
                let wanted = "at least the number of axes to sum over";
                return Err(ErrorKind::Rank { found: short.to_vec(), wanted }.into());
            }
            let last: Vec<isize> = (sa.len() - n..sa.len()).map(|axis| axis as isize).collect();
            let first: Vec<isize> = (0..n).map(|axis| axis as isize).collect();
            contracted(self, other, &last, &first)
        })
    }

    /// The sum of products over the axes `axes` of this and `others` of the other, pair by pair; the result has the
    /// axes that are left of this, then those of the other. An axis of size 1 broadcasts.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from one matrix product.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice); [`Argument`](ErrorKind::Argument) if the lists
    /// differ in length; [`Shape`](ErrorKind::Shape) if axes of a pair differ in size.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::ones([2, 3, 4])?);
    /// let b = tape.var(&Tensor::ones([4, 5, 2])?);
    /// let y = a.tensordot_axes(b, [0, 2], [-1, 0]);
    /// assert_eq!(y.value()?, Tensor::full([3, 5], 8.0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tensordot_axes(
        self,
        other: Var<'t, T>,
        axes: impl AsRef<[isize]>,
        others: impl AsRef<[isize]>,
    ) -> Var<'t, T> {
        self.tape().composed("tensordot_axes", || contracted(self, other, axes.as_ref(), others.as_ref()))
    }

    /// The inner product over the last axes: `[a.., k]` and `[b.., k]` give `[a.., b..]`. A number multiplies the
    /// other operand.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from one matrix product.
    ///
    /// # Errors
    ///
    /// [`Shape`](ErrorKind::Shape) if the last axes differ in size.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([10.0, 1.0]));
    /// assert_eq!(a.inner(b).value()?.to_vec(), [12.0, 34.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn inner(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("inner", || {
            if self.try_shape()?.is_empty() || other.try_shape()?.is_empty() {
                return Ok(self * other);
            }
            contracted(self, other, &[-1], &[-1])
        })
    }

    /// A form that is linear in each of two operands: `yₒ = Σᵢⱼ xᵢ Wₒᵢⱼ zⱼ + bₒ`, with `x` this, `[.., i]`, `z` the other,
    /// `[.., j]`, the weight `[o, i, j]`, the bias `[o]` or `None`, and the result `[.., o]`. Leading axes broadcast.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from two batched matrix products.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for the weight and the bias;
    /// [`Broadcast`](ErrorKind::Broadcast) for the leading axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let z = tape.var(&Tensor::from([3.0, 4.0]));
    /// let w = tape.var(&Tensor::from([[[1.0, 0.0], [0.0, 1.0]]]));
    /// let b = tape.var(&Tensor::from([0.5]));
    /// let y = x.bilinear(z, w, b);
    /// assert_eq!(y.value()?.to_vec(), [11.5]);
    /// assert_eq!(y.sum().backward()?.wrt(w)?.to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn bilinear(
        self,
        other: Var<'t, T>,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
    ) -> Var<'t, T> {
        let bias = bias.into();
        self.tape().composed("bilinear", || {
            let (sx, sz, sw) = (self.try_shape()?, other.try_shape()?, weight.try_shape()?);
            let &[out, ..] = &sw[..] else {
                return Err(ErrorKind::Rank { found: sw.to_vec(), wanted: "3" }.into());
            };
            let (Some((&i, lead)), Some((&j, leads))) = (sx.split_last(), sz.split_last()) else {
                let found = if sx.is_empty() { sx } else { sz };
                return Err(ErrorKind::Rank { found: found.to_vec(), wanted: "at least 1" }.into());
            };
            same("the weight", &sw, &[out, i, j])?;
            crate::shape::broadcast(lead, leads)?;
            let y = self.tape().einsum("...i,oij,...j->...o", &[self, weight, other]);
            let Some(bias) = bias else { return Ok(y) };
            same("the bias", &bias.try_shape()?, &[out])?;
            Ok(y + bias)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let pairs: &[&[&[usize]]] = &[&[&[2, 3, 2], &[3, 2, 2]], &[&[4, 1, 2], &[1, 2]]];
    let bilinear: &[&[&[usize]]] = &[
        &[&[3], &[2], &[4, 3, 2], &[4]],
        &[&[2, 3], &[2, 2], &[1, 3, 2], &[1]],
        &[&[2, 1, 3], &[4, 2], &[2, 3, 2], &[2]],
        &[&[0, 3], &[0, 2], &[2, 3, 2], &[2]],
    ];
    vec![
        sample!("tensordot over two", shapes(pairs, -1.0, 1.0), |x| x[0].tensordot(x[1], 2)),
        sample!(
            "tensordot over one",
            shapes(&[&[&[2, 3], &[3, 2, 2]], &[&[3], &[3]], &[&[2, 0], &[0, 3]]], -1.0, 1.0),
            |x| { x[0].tensordot(x[1], 1) }
        ),
        sample!(
            "tensordot over none",
            shapes(&[&[&[2, 3], &[2]], &[&[], &[3]], &[&[0], &[2]]], -1.0, 1.0),
            |x| { x[0].tensordot(x[1], 0) }
        ),
        sample!(
            "tensordot_axes",
            shapes(&[&[&[2, 3, 4], &[4, 5, 2]], &[&[3, 1, 2], &[2, 2, 3]]], -1.0, 1.0),
            |x| { x[0].tensordot_axes(x[1], [2, 0], [0, -1]) }
        ),
        sample!("tensordot_axes in the second's order", shapes(&[&[&[2, 3], &[4, 3, 2]]], -1.0, 1.0), |x| {
            x[0].tensordot_axes(x[1], [0, 1], [2, 1])
        }),
        sample!("tensordot_axes broadcast", shapes(&[&[&[1, 2, 3], &[3, 2, 1]]], -1.0, 1.0), |x| {
            x[0].tensordot_axes(x[1], [0, 2], [1, 2]) * x[0].tensordot_axes(x[1], [2], [2]).sum()
        }),
        sample!(
            "inner",
            shapes(
                &[
                    &[&[3], &[3]],
                    &[&[2, 3], &[3]],
                    &[&[2, 3], &[2, 2, 3]],
                    &[&[], &[2, 2]],
                    &[&[2], &[]],
                    &[&[2, 0], &[0]]
                ],
                -1.0,
                1.0
            ),
            |x| { x[0].inner(x[1]) }
        ),
        sample!("bilinear", shapes(bilinear, -1.0, 1.0), |x| x[0].bilinear(x[1], x[2], x[3])),
        sample!("bilinear without bias", shapes(&[&[&[2, 3], &[2, 2], &[2, 3, 2]]], -1.0, 1.0), |x| {
            x[0].bilinear(x[1], x[2], None)
        }),
        wrong!(
            "tensordot",
            &[&[2, 3], &[3, 4]],
            |x| x[0].tensordot(x[1], 2),
            "what is summed over in the second operand has shape [3, 4], wanted [2, 3]"
        ),
        wrong!(
            "tensordot",
            &[&[2, 3], &[3]],
            |x| x[0].tensordot(x[1], 2),
            "shape [3] has rank 1, wanted at least the number of axes to sum over"
        ),
        wrong!(
            "tensordot_axes",
            &[&[2, 3], &[3, 2]],
            |x| x[0].tensordot_axes(x[1], [0], [0, 1]),
            "the number of axes is 1 of the first operand and 2 of the second, wanted as many"
        ),
        wrong!(
            "tensordot_axes",
            &[&[2, 3], &[3, 2]],
            |x| x[0].tensordot_axes(x[1], [0, -2], [0, 1]),
            "axis 0 is given twice"
        ),
        wrong!(
            "tensordot_axes",
            &[&[2, 3], &[3, 2]],
            |x| x[0].tensordot_axes(x[1], [0], [2]),
            "axis 2 is out of range for shape [3, 2]"
        ),
        wrong!(
            "inner",
            &[&[2, 3], &[2]],
            |x| x[0].inner(x[1]),
            "what is summed over in the second operand has shape [2], wanted [3]"
        ),
        wrong!(
            "bilinear",
            &[&[2], &[3], &[4, 3, 3]],
            |x| x[0].bilinear(x[1], x[2], None),
            "the weight has shape [4, 3, 3], wanted [4, 2, 3]"
        ),
        wrong!(
            "bilinear",
            &[&[2], &[3], &[]],
            |x| x[0].bilinear(x[1], x[2], None),
            "shape [] has rank 0, wanted 3"
        ),
        wrong!(
            "bilinear",
            &[&[2], &[], &[4, 2, 1]],
            |x| x[0].bilinear(x[1], x[2], None),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!(
            "bilinear",
            &[&[3, 2], &[2, 3], &[4, 2, 3]],
            |x| x[0].bilinear(x[1], x[2], None),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "bilinear",
            &[&[2], &[3], &[4, 2, 3], &[3]],
            |x| x[0].bilinear(x[1], x[2], x[3]),
            "the bias has shape [3], wanted [4]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn an_axis_of_size_1_broadcasts() {
        let tape = Tape::<f64>::new();
        let (x, y) = (tape.var(&Tensor::from([[2.0], [3.0]])), tape.var(&Tensor::from([1.0, 10.0, 100.0])));
        assert_eq!(x.tensordot_axes(y, [1], [0]).value().unwrap(), Tensor::from([222.0, 333.0]));
        assert_eq!(y.tensordot_axes(x, [0], [1]).value().unwrap(), Tensor::from([222.0, 333.0]));
    }
}
