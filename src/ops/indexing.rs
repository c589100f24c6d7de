//! Numbers, ranges, new axes, lists of indices and masks, each for an axis, as in `x[..., i, 1:3]`.

use crate::error::{ErrorKind, argument};
use crate::number::Real;
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{Slice, Tensor};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

/// What [`Var::at`] takes of an axis.
///
/// ```
/// use retrograde::{Index, Slice, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::<f64>::zeros([2, 3, 4])?);
/// assert_eq!(x.at((0, 1..)).shape(), [2, 4]);
/// assert_eq!(x.at((Index::Rest, 0, Index::NewAxis)).shape(), [2, 3, 1]);
/// assert_eq!(x.at((.., .., Slice::from(..).step(-2))).shape(), [2, 3, 2]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Index {
    /// One index; the axis is gone.
    One(isize),
    /// A range of indices.
    Range(Slice),
    /// An axis of length 1 that was not there.
    NewAxis,
    /// As many whole axes as are left: Python's `...`.
    Rest,
    /// A list of indices, or more than one axis of them.
    Each(Tensor<i64>),
    /// Those that are `true`, of as many axes as the mask has.
    Mask(Tensor<bool>),
}

macro_rules! into_index {
    ($($from:ty => |$x:ident| $to:expr;)*) => {
        $(impl From<$from> for Index {
            fn from($x: $from) -> Index {
                $to
            }
        })*
    };
}

into_index! {
    isize => |at| Index::One(at);
    i32 => |at| Index::One(at as isize);
    Slice => |range| Index::Range(range);
    RangeFull => |range| Index::Range(range.into());
    Range<isize> => |range| Index::Range(range.into());
    RangeInclusive<isize> => |range| Index::Range(range.into());
    RangeFrom<isize> => |range| Index::Range(range.into());
    RangeTo<isize> => |range| Index::Range(range.into());
    Range<i32> => |range| Index::Range((range.start as isize..range.end as isize).into());
    RangeInclusive<i32> => |range| Index::Range((*range.start() as isize..=*range.end() as isize).into());
    RangeFrom<i32> => |range| Index::Range((range.start as isize..).into());
    RangeTo<i32> => |range| Index::Range((..range.end as isize).into());
    &Tensor<i64> => |indices| Index::Each(indices.clone());
    &Tensor<bool> => |mask| Index::Mask(mask.clone());
}

/// What stands for a list of [`Index`]es: a tuple of up to six numbers, ranges, tensors of indices and masks, or a list.
pub trait IntoIndices {
    /// The list.
    fn into_indices(self) -> Vec<Index>;
}

impl IntoIndices for Vec<Index> {
    fn into_indices(self) -> Vec<Index> {
        self
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {
        $(impl<$($name: Into<Index>),+> IntoIndices for ($($name,)+) {
            fn into_indices(self) -> Vec<Index> {
                #[expect(non_snake_case, reason = "the types' names serve for the values")]
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        })*
    };
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

/// How many axes an entry is about.
fn consumed(index: &Index) -> usize {
    match index {
        Index::NewAxis | Index::Rest => 0,
        Index::Mask(mask) => mask.rank(),
        _ => 1,
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Part of this, an entry for each axis from the first on: a number drops the axis, a range keeps part of it,
    /// [`Index::NewAxis`] makes one, [`Index::Rest`] stands for all axes that no entry is about, which otherwise come
    /// last; a tensor of indices and a mask are as in [`index_axes`](Var::index_axes), after all others. Negative
    /// indices count from the end. Views, but for tensors of indices and masks.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis) for more entries than axes; [`Index`](ErrorKind::Index) for what lies outside an axis;
    /// [`Shape`](ErrorKind::Shape), [`Rank`](ErrorKind::Rank) for a mask of other sizes; [`Broadcast`](ErrorKind::Broadcast) if the indices do not;
    /// [`Argument`](ErrorKind::Argument) for a second `Rest`.
    ///
    /// ```
    /// use retrograde::{Index, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.at((.., -1)).value()?.to_vec(), [3.0, 6.0]);
    /// assert_eq!(x.at((1, &Tensor::from([2, 0]))).value()?.to_vec(), [6.0, 4.0]);
    /// assert_eq!(x.at((Index::Rest, &Tensor::from([true, false, true]))).value()?.to_vec(), [1.0, 3.0, 4.0, 6.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "getitem")]
    #[track_caller]
    pub fn at(self, indices: impl IntoIndices) -> Var<'t, T> {
        let indices = indices.into_indices();
        self.tape().composed("at", || {
            let rank = self.try_shape()?.len();
            let used: usize = indices.iter().map(consumed).sum();
            let rests = indices.iter().filter(|index| matches!(index, Index::Rest)).count();
            if rests > 1 {
                return argument("the number of `Rest`", rests, "at most 1");
            }
            if used > rank {
                let (axis, shape) = (rank as isize, self.try_shape()?.to_vec());
                return Err(ErrorKind::Axis { axis, shape }.into());
            }
            let (mut x, mut axis) = (self, 0);
            let (mut axes, mut lists) = (vec![], vec![]);
            for index in &indices {
                match index {
                    Index::One(at) => x = x.select(axis, *at),
                    Index::Range(range) => {
                        x = x.slice(axis, *range);
                        axis += 1;
                    }
                    Index::NewAxis => {
                        x = x.unsqueeze(axis);
                        axis += 1;
                    }
                    Index::Rest => axis += (rank - used) as isize,
                    Index::Each(list) => {
                        axes.push(axis);
                        lists.push(list.clone());
                        axis += 1;
                    }
                    Index::Mask(mask) => {
                        if mask.rank() == 0 {
                            return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
                        }
                        let shape = x.try_shape()?;
                        let covered = &shape[axis as usize..axis as usize + mask.rank()];
                        crate::shape::same("the mask", mask.shape(), covered)?;
                        let found = mask.nonzero()?;
                        for column in 0..mask.rank() {
                            axes.push(axis);
                            lists.push(found.slice(1, column as isize..column as isize + 1)?.squeeze(1)?);
                            axis += 1;
                        }
                    }
                }
            }
            Ok(if axes.is_empty() { x } else { x.index_axes(axes, &lists.iter().collect::<Vec<_>>()) })
        })
    }

    /// The elements at combinations of indices, one index for each of some axes: `y[i, j] = x[i, a[j], b[j]]` for
    /// `[a, b]` on the axes `[1, 2]`. The indices are broadcast; their axes stand where the axes indexed were if those
    /// stand side by side, else in front, as in NumPy. Negative indices count from the end. On the first axes it is
    /// [`index`](Var::index).
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice); [`Index`](ErrorKind::Index);
    /// [`Broadcast`](ErrorKind::Broadcast); [`Argument`](ErrorKind::Argument) unless there are as many indices as axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::zeros([2, 3, 4, 5])?);
    /// let (a, b) = (Tensor::from([0, 2]), Tensor::from([[1], [0], [1]]));
    /// assert_eq!(x.index_axes([1, 2], &[&a, &b]).shape(), [2, 3, 2, 5]);
    /// assert_eq!(x.index_axes([1, 3], &[&a, &b]).shape(), [3, 2, 2, 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_axes(self, axes: impl Into<Axes>, indices: &[&Tensor<i64>]) -> Var<'t, T> {
        let axes = axes.into();
        self.tape().composed("index_axes", || {
            let shape = self.try_shape()?;
            let all = || (0..shape.len()).collect();
            let axes = axes.in_order(&shape)?.unwrap_or_else(all);
            if axes.len() != indices.len() {
                return argument("the number of indices", indices.len(), axes.len());
            }
            let Some(first) = axes.iter().copied().min() else { return Ok(self) };
            let last = axes.iter().copied().fold(first, usize::max);
            let others = (0..shape.len()).filter(|axis| !axes.contains(axis));
            let order: Vec<isize> = axes.iter().copied().chain(others).map(|axis| axis as isize).collect();
            let y = if order.is_sorted() { self } else { self.permute(order) }.index(indices);
            let new = y.try_shape()?.len() + axes.len() - shape.len();
            if first == 0 || last - first + 1 != axes.len() {
                return Ok(y);
            }
            let places = |from: usize| (from as isize..(from + new) as isize).collect::<Vec<_>>();
            Ok(y.movedim(places(0), places(first)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let cube = || shapes(&[&[&[2, 3, 4]]], -2.0, 2.0);
    let four = || shapes(&[&[&[2, 3, 2, 3]]], -2.0, 2.0);
    vec![
        sample!("at numbers and ranges", cube(), |x| x[0].at((1, .., ..-1)).square()),
        sample!("at the last", cube(), |x| x[0].at((Index::Rest, Index::NewAxis, -1)).square()),
        sample!("at all", shapes(&[&[&[]], &[&[2, 3]]], -2.0, 2.0), |x| x[0].at((Index::Rest,)).square()),
        sample!("at a list", cube(), |x| x[0].at((.., &Tensor::from([2, 0, 2, -1]))).square()
            * x[0].at((0, 0))),
        sample!("at lists apart", four(), |x| {
            let (a, b) = (Tensor::from([0, 2, 2]), Tensor::from([[1], [0]]));
            x[0].at((.., &a, Slice::from(..).step(-1), &b)).square()
        }),
        sample!("at a mask", cube(), |x| {
            let mask = Tensor::from([[true, false, true], [false, false, true]]);
            x[0].at((&mask, 1..)).square()
        }),
        sample!("index_axes", four(), |x| {
            let (a, b) = (Tensor::from([0, 2]), Tensor::from([[1], [0], [1]]));
            x[0].index_axes([1, 2], &[&a, &b]).square().sum_axes([1, 2])
                * x[0].index_axes([3, 0], &[&a, &b]).sum()
        }),
        sample!("index_axes none", cube(), |x| x[0].index_axes([0isize; 0], &[]).square()),
        wrong!("at", &[&[2, 3]], |x| x[0].at((0, 0, 0)), "axis 2 is out of range for shape [2, 3]"),
        wrong!(
            "at",
            &[&[2, 3]],
            |x| x[0].at((Index::Rest, 0, Index::Rest)),
            "the number of `Rest` is 2, wanted at most 1"
        ),
        wrong!("at", &[&[2, 3]], |x| x[0].at((&Tensor::from([true]),)), "the mask has shape [1], wanted [2]"),
        wrong!(
            "at",
            &[&[2, 3]],
            |x| x[0].at((&Tensor::scalar(true),)),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!("select", &[&[2, 3]], |x| x[0].at((2,)), "index 2 is out of range for axis 0 of size 2"),
        wrong!("index_axes", &[&[2, 3]], |x| x[0].index_axes([1, -1], &[]), "axis 1 is given twice"),
        wrong!(
            "index_axes",
            &[&[2, 3]],
            |x| x[0].index_axes([1], &[]),
            "the number of indices is 0, wanted 1"
        ),
        wrong!(
            "index",
            &[&[2, 3]],
            |x| x[0].index_axes([1], &[&Tensor::from([3])]),
            "index 3 is out of range for axis 0 of size 3"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    /// Places numbered in row-major order, so that values say what was taken.
    fn taken(shape: &[usize], index: impl IntoIndices) -> (Vec<usize>, Vec<f64>) {
        let tape = Tape::new();
        let n: usize = shape.iter().product();
        let x = tape.var(&Tensor::from_iter_in((0..n).map(|i| i as f64), shape).unwrap());
        let y = x.at(index).value().unwrap();
        (y.shape().to_vec(), y.to_vec())
    }

    #[test]
    fn entries_take_what_python_takes() {
        assert_eq!(taken(&[2, 3], (1,)), (vec![3], vec![3.0, 4.0, 5.0]));
        assert_eq!(taken(&[2, 3], (.., 1isize)), (vec![2], vec![1.0, 4.0]));
        assert_eq!(taken(&[2, 3], (-1, 1..3)), (vec![2], vec![4.0, 5.0]));
        assert_eq!(taken(&[2, 3], (0, 0..=1)), (vec![2], vec![0.0, 1.0]));
        assert_eq!(taken(&[2, 3], (0, ..2)), (vec![2], vec![0.0, 1.0]));
        assert_eq!(taken(&[2, 3], (Index::Rest, 2..)), (vec![2, 1], vec![2.0, 5.0]));
        assert_eq!(taken(&[2, 2], (Index::NewAxis, 0, Index::NewAxis)), (vec![1, 1, 2], vec![0.0, 1.0]));
        assert_eq!(taken(&[2], (Index::Rest, 1, Index::NewAxis)), (vec![1], vec![1.0]));
        let list = Tensor::from([2, 0]);
        assert_eq!(taken(&[2, 3], (.., &list)), (vec![2, 2], vec![2.0, 0.0, 5.0, 3.0]));
        // A number drops its axis before the lists count, as in PyTorch.
        assert_eq!(taken(&[1, 2, 3], (0, .., &list)), (vec![2, 2], vec![2.0, 0.0, 5.0, 3.0]));
        assert_eq!(taken(&[2, 1, 3], (&Tensor::from([1]), .., &list)), (vec![2, 1], vec![5.0, 3.0]));
        assert_eq!(
            taken(&[2, 2], (&Tensor::from([[false, true], [true, false]]),)),
            (vec![2], vec![1.0, 2.0])
        );
        assert_eq!(taken(&[2, 2], vec![Index::One(1), Index::One(0)]), (vec![], vec![2.0]));
    }
}
