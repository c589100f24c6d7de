//! Axes merged, parted, moved, and shapes taken from another value.

use crate::error::{ErrorKind, argument};
use crate::number::Real;
use crate::shape::{Axes, IntoShape, Shape, resolve_axis};
use crate::tape::Var;
use smallvec::SmallVec;

type Dims = SmallVec<[usize; 4]>;

impl<'t, T: Real> Var<'t, T> {
    /// The axes from `start` to `end`, both included, merged into one. Of rank 0 it is one axis of length 1.
    ///
    /// # Gradient
    ///
    /// Reshaped back.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) if `start` comes after `end`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([2, 3, 4])?);
    /// assert_eq!(x.flatten(1, -1).shape(), [2, 12]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn flatten(self, start: isize, end: isize) -> Var<'t, T> {
        self.tape().composed("flatten", || {
            let shape = self.try_shape()?;
            // A scalar counts as one axis, as a vector of one element would.
            let as_axes: &[usize] = if shape.is_empty() { &[1] } else { &shape };
            let (from, until) = (resolve_axis(start, as_axes)?, resolve_axis(end, as_axes)?);
            if from > until {
                return argument("the first axis", start, format!("an axis at or before {end}"));
            }
            let merged = as_axes[from..=until].iter().product();
            let dims =
                as_axes[..from].iter().copied().chain([merged]).chain(as_axes[until + 1..].iter().copied());
            Ok(self.reshape(Shape::new(dims.collect::<Dims>())?))
        })
    }

    /// All elements in row-major order along one axis.
    ///
    /// # Gradient
    ///
    /// Reshaped back.
    #[track_caller]
    pub fn ravel(self) -> Var<'t, T> {
        self.flatten(0, -1)
    }

    /// An axis parted into several, whose lengths multiply to its own: the inverse of [`flatten`](Var::flatten).
    ///
    /// # Gradient
    ///
    /// Reshaped back.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`ElementCount`](ErrorKind::ElementCount) if the lengths do not multiply to it.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([2, 12])?);
    /// assert_eq!(x.unflatten(-1, [3, 4]).shape(), [2, 3, 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn unflatten(self, axis: isize, sizes: impl IntoShape) -> Var<'t, T> {
        self.tape().composed("unflatten", || {
            let (shape, sizes) = (self.try_shape()?, sizes.into_shape()?);
            let axis = resolve_axis(axis, &shape)?;
            if sizes.count() != shape[axis] {
                let (wanted, found) = (sizes.count(), shape[axis]);
                return Err(ErrorKind::ElementCount { shape: sizes.to_vec(), wanted, found }.into());
            }
            let dims = shape[..axis].iter().chain(sizes.iter()).chain(&shape[axis + 1..]).copied();
            Ok(self.reshape(Shape::new(dims.collect::<Dims>())?))
        })
    }

    /// Axes moved: axis `from[i]` becomes axis `to[i]` of the result, the others keep their order. A view.
    ///
    /// # Gradient
    ///
    /// Moved back.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice); [`Argument`](ErrorKind::Argument) unless as many
    /// places as axes are named.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([2, 3, 4])?);
    /// assert_eq!(x.movedim(0, -1).shape(), [3, 4, 2]);
    /// assert_eq!(x.movedim([0, 2], [2, 1]).shape(), [3, 4, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "moveaxis")]
    #[track_caller]
    pub fn movedim(self, from: impl Into<Axes>, to: impl Into<Axes>) -> Var<'t, T> {
        self.tape().composed("movedim", || {
            let shape = self.try_shape()?;
            let all = || (0..shape.len()).collect();
            let from = from.into().in_order(&shape)?.unwrap_or_else(all);
            let to = to.into().in_order(&shape)?.unwrap_or_else(all);
            if from.len() != to.len() {
                return argument("the number of places", to.len(), from.len());
            }
            let mut rest = (0..shape.len()).filter(|axis| !from.contains(axis));
            let axis_at = |place: usize| match to.iter().position(|&to| to == place) {
                Some(i) => from[i] as isize,
                None => rest.next().expect("as many axes as places are left") as isize,
            };
            let order: SmallVec<[isize; 4]> = (0..shape.len()).map(axis_at).collect();
            Ok(self.permute(order))
        })
    }

    /// The same elements in the shape of another value. See [`reshape`](Var::reshape).
    ///
    /// # Gradient
    ///
    /// Reshaped back; none to `other`, of which only the shape counts.
    ///
    /// # Errors
    ///
    /// [`ElementCount`](ErrorKind::ElementCount).
    #[doc(alias = "view_as")]
    #[track_caller]
    pub fn reshape_as(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("reshape_as", || Ok(self.reshape(other.try_shape()?)))
    }

    /// Broadcast to the shape of another value. See [`expand`](Var::expand).
    ///
    /// # Gradient
    ///
    /// The sum over the repeated axes; none to `other`, of which only the shape counts.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    #[track_caller]
    pub fn expand_as(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("expand_as", || Ok(self.expand(other.try_shape()?)))
    }

    /// At least one axis: a scalar becomes `[1]`, anything else stays.
    #[track_caller]
    pub fn atleast_1d(self) -> Var<'t, T> {
        self.tape().composed("atleast_1d", || match self.try_shape()?.len() {
            0 => Ok(self.reshape([1])),
            _ => Ok(self),
        })
    }

    /// At least two axes, new ones of length 1 in front: a vector becomes a matrix of one row.
    #[track_caller]
    pub fn atleast_2d(self) -> Var<'t, T> {
        self.tape().composed("atleast_2d", || match *self.try_shape()? {
            [] => Ok(self.reshape([1, 1])),
            [n] => Ok(self.reshape([1, n])),
            _ => Ok(self),
        })
    }

    /// At least three axes: `[n]` becomes `[1, n, 1]`, `[m, n]` becomes `[m, n, 1]`, as NumPy and PyTorch have it.
    #[track_caller]
    pub fn atleast_3d(self) -> Var<'t, T> {
        self.tape().composed("atleast_3d", || match *self.try_shape()? {
            [] => Ok(self.reshape([1, 1, 1])),
            [n] => Ok(self.reshape([1, n, 1])),
            [m, n] => Ok(self.reshape([m, n, 1])),
            _ => Ok(self),
        })
    }

    /// Every axis of length 1 removed.
    #[track_caller]
    pub fn squeeze_all(self) -> Var<'t, T> {
        self.tape().composed("squeeze", || {
            let dims: Dims = self.try_shape()?.iter().copied().filter(|&n| n != 1).collect();
            Ok(self.reshape(Shape::new(dims)?))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let pair = || shapes(&[&[&[2, 3], &[3, 2]], &[&[4], &[2, 2]], &[&[], &[1, 1]]], -2.0, 2.0);
    let onto = || shapes(&[&[&[2, 1], &[2, 3]], &[&[], &[2]], &[&[3], &[2, 3]]], -2.0, 2.0);
    vec![
        sample!("flatten", unary(-2.0, 2.0), |x| x[0].flatten(0, -1).square()),
        sample!("flatten the last two", rank3(-2.0, 2.0), |x| x[0].flatten(1, -1).square()),
        sample!("flatten the first two", rank3(-2.0, 2.0), |x| x[0].flatten(0, 1).square()),
        sample!("flatten one", rank3(-2.0, 2.0), |x| x[0].flatten(-2, 1).square() * x[0]),
        sample!("ravel", unary(-2.0, 2.0), |x| x[0].ravel().square()),
        sample!("unflatten", shapes(&[&[&[6]], &[&[6, 2]]], -2.0, 2.0), |x| x[0]
            .unflatten(0, [2, 3])
            .square()),
        sample!("unflatten the last", shapes(&[&[&[2, 6]]], -2.0, 2.0), |x| x[0]
            .unflatten(-1, [3, 1, 2])
            .square()),
        sample!("movedim", rank3(-2.0, 2.0), |x| x[0].movedim(0, -1).square()),
        sample!("movedim of two", rank3(-2.0, 2.0), |x| x[0].movedim([2, 0], [0, 1]).square()),
        sample!("movedim of none", rank3(-2.0, 2.0), |x| x[0].movedim([0isize; 0], [0isize; 0]).square()),
        sample!("movedim of all", rank3(-2.0, 2.0), |x| x[0].movedim(Axes::ALL, [1, 2, 0]).square()),
        sample!("reshape_as", pair(), |x| x[0].reshape_as(x[1]) * x[1]),
        sample!("expand_as", onto(), |x| x[0].expand_as(x[1]) * x[1].square()),
        sample!("atleast_1d", unary(-2.0, 2.0), |x| x[0].atleast_1d().square()),
        sample!("atleast_2d", unary(-2.0, 2.0), |x| x[0].atleast_2d().square()),
        sample!("atleast_3d", unary(-2.0, 2.0), |x| x[0].atleast_3d().square()),
        sample!("squeeze_all", unary(-2.0, 2.0), |x| x[0].squeeze_all().square()),
        wrong!(
            "flatten",
            &[&[2, 3]],
            |x| x[0].flatten(1, 0),
            "the first axis is 1, wanted an axis at or before 0"
        ),
        wrong!("flatten", &[&[2, 3]], |x| x[0].flatten(0, 2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("unflatten", &[&[6]], |x| x[0].unflatten(0, [2, 2]), "shape [2, 2] needs 4 elements, found 6"),
        wrong!("unflatten", &[&[6]], |x| x[0].unflatten(1, [6]), "axis 1 is out of range for shape [6]"),
        wrong!("movedim", &[&[2, 3]], |x| x[0].movedim(2, 0), "axis 2 is out of range for shape [2, 3]"),
        wrong!("movedim", &[&[2, 3]], |x| x[0].movedim([0, 1], [1, -1]), "axis 1 is given twice"),
        wrong!("movedim", &[&[2, 3]], |x| x[0].movedim([0, 1], 0), "the number of places is 1, wanted 2"),
        wrong!("reshape", &[&[2], &[3]], |x| x[0].reshape_as(x[1]), "shape [3] needs 3 elements, found 2"),
        wrong!("expand", &[&[2], &[3]], |x| x[0].expand_as(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn new_axes_stand_where_numpy_puts_them() {
        let tape = Tape::<f64>::new();
        let shapes = |dims: &[usize]| {
            let x = tape.var(&Tensor::ones(dims).unwrap());
            [x.atleast_1d(), x.atleast_2d(), x.atleast_3d()].map(|y| y.try_shape().unwrap().to_vec())
        };
        assert_eq!(shapes(&[]), [vec![1], vec![1, 1], vec![1, 1, 1]]);
        assert_eq!(shapes(&[5]), [vec![5], vec![1, 5], vec![1, 5, 1]]);
        assert_eq!(shapes(&[2, 3]), [vec![2, 3], vec![2, 3], vec![2, 3, 1]]);
        assert_eq!(shapes(&[2, 3, 4, 5])[2], [2, 3, 4, 5]);
        let x = tape.var(&Tensor::ones([1, 3, 1, 0]).unwrap());
        assert_eq!(x.squeeze_all().try_shape().unwrap(), [3, 0]);
        assert_eq!(x.movedim([3, 0], [0, 2]).try_shape().unwrap(), [0, 3, 1, 1]);
    }
}
