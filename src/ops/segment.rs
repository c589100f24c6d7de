//! Elements that indices bring together, combined: by segments of an axis, and at places.
//!
//! Sums and means are additions at places. A largest, a smallest and a product are made by the operations of that name:
//! the members of every segment stand side by side, segments of one size together. So ties are shared and products
//! beside zeros are exact as they are there, at every order.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, resolve_axis, same};
use crate::tape::{IntoVar, Var};
use crate::tensor::{Tensor, checked, flat, shorter};
use groups::{Groups, counts};

mod groups;

/// How elements that meet are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Combine {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Their product.
    Prod,
}

impl Combine {
    /// What no elements give.
    fn of_nothing(self) -> f64 {
        match self {
            Combine::Sum => 0.0,
            Combine::Mean => f64::NAN,
            Combine::Max => f64::NEG_INFINITY,
            Combine::Min => f64::INFINITY,
            Combine::Prod => 1.0,
        }
    }

    /// Along the middle of three axes.
    fn of<'t, T: Real>(self, x: Var<'t, T>) -> Var<'t, T> {
        match self {
            Combine::Sum => x.sum_axes(1),
            Combine::Mean => x.mean_axes(1),
            Combine::Max => x.max_axes(1),
            Combine::Min => x.min_axes(1),
            Combine::Prod => x.prod_axes(1),
        }
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The rows of this, `[n, inner]`, combined with those of a piece, `[k, inner]`, at `ids`.
    fn combined_with(
        self,
        piece: Var<'t, T>,
        ids: &Tensor<i64>,
        how: Combine,
        own: bool,
    ) -> Result<Var<'t, T>> {
        let n = self.try_shape()?[0];
        let data = ids.contiguous()?;
        let data = data.as_slice().expect("made contiguous above");
        // Without its own value a place that no element comes to keeps it all the same.
        let keeps = |count: usize| own || count == 0;
        if let Combine::Sum | Combine::Mean = how {
            let base = if own { self } else { self.index_fill(0, ids, 0.0) };
            let sum = base.index_add(0, ids, piece);
            let count = counts::<T>(n, data)?.map(|count| {
                if keeps(if count == T::ZERO { 0 } else { 1 }) { count + T::ONE } else { count }
            })?;
            return Ok(match how {
                Combine::Sum => sum,
                _ => sum / self.tape().constant(&count.reshape([n, 1])?),
            });
        }
        let groups = Groups::new(n, data, n, keeps)?;
        groups.combined(self.tape().concat(&[self, piece], 0), how)
    }

    /// This with a piece combined into it along an axis, one index for each element: at each place the elements that
    /// come to it are combined, with what is there if `include_self`. A place that none comes to keeps what is there.
    /// The shapes are those of [`scatter`](Var::scatter).
    ///
    /// # Gradient
    ///
    /// That of the sum, the mean, the largest (ties share evenly), the smallest or the product (exact beside zeros) of the
    /// elements that meet, to every order.
    ///
    /// # Errors
    ///
    /// As [`scatter`](Var::scatter).
    ///
    /// ```
    /// use retrograde::{Combine, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let piece = tape.var(&Tensor::from([3.0, 4.0, 1.0]));
    /// let index = Tensor::from([0, 0, 1]);
    /// let combined = |how, own| x.scatter_reduce(0, &index, piece, how, own).value().map(|y| y.to_vec());
    /// assert_eq!(combined(Combine::Prod, true)?, [12.0, 2.0]);
    /// assert_eq!(combined(Combine::Max, true)?, [4.0, 2.0]);
    /// assert_eq!(combined(Combine::Max, false)?, [4.0, 1.0]);
    /// assert_eq!(combined(Combine::Mean, false)?, [3.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_reduce(
        self,
        axis: isize,
        index: &Tensor<i64>,
        piece: impl IntoVar<'t, T>,
        how: Combine,
        include_self: bool,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed("scatter_reduce", || {
            let shape = self.try_shape()?;
            if how == Combine::Sum && include_self {
                return Ok(self.scatter_add(axis, index, piece));
            }
            let piece = piece.cut_to(index)?;
            let dims = if shape.is_empty() { Shape::new([1])? } else { shape.clone() };
            let index = if index.rank() == 0 { index.reshape([1])? } else { index.clone() };
            shorter(&dims, axis, index.shape())?;
            let at = resolve_axis(axis, &dims)?;
            let fits =
                index.rank() == dims.len() && (0..dims.len()).all(|i| i == at || index.shape()[i] <= dims[i]);
            if !fits {
                let mut wanted = dims.to_vec();
                wanted[at] = index.shape().get(at).copied().unwrap_or(1);
                let found = index.shape().to_vec();
                return Err(ErrorKind::Shape { what: "the index".into(), found, wanted }.into());
            }
            let ids = flat(&dims, axis, &index)?.reshape([index.len()])?;
            let (x, piece) = (self.reshape([shape.count(), 1]), piece.reshape([index.len(), 1]));
            Ok(x.combined_with(piece, &ids, how, include_self)?.reshape(shape))
        })
    }

    /// This with the slices of a piece combined into it at the indices of an axis, with what is there if `include_self`.
    /// An index that none comes to keeps what is there. The piece has the shape that
    /// [`index_select`](Var::index_select) gives for a list of indices.
    ///
    /// # Gradient
    ///
    /// As [`scatter_reduce`](Var::scatter_reduce).
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index), [`Shape`](ErrorKind::Shape); [`Rank`](ErrorKind::Rank)
    /// unless the index is a list.
    ///
    /// ```
    /// use retrograde::{Combine, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0], [2.0, 2.0]]));
    /// let y = x.index_reduce(0, &Tensor::from([0]), &Tensor::from([[4.0, 3.0]]), Combine::Max, true);
    /// assert_eq!(y.value()?.to_vec(), [4.0, 5.0, 2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_reduce(
        self,
        axis: isize,
        index: &Tensor<i64>,
        piece: impl IntoVar<'t, T>,
        how: Combine,
        include_self: bool,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed("index_reduce", || {
            let shape = self.try_shape()?;
            let at = resolve_axis(axis, &shape)?;
            if index.rank() != 1 {
                return Err(ErrorKind::Rank { found: index.shape().to_vec(), wanted: "1" }.into());
            }
            let ids = checked(index, at, shape[at])?;
            let mut wanted = shape.to_vec();
            wanted[at] = index.len();
            same("the piece", &piece.try_shape()?, &wanted)?;
            let inner: usize = (0..shape.len()).filter(|&i| i != at).map(|i| shape[i]).product();
            let rows = |x: Var<'t, T>, n: usize| x.movedim(axis, 0).reshape([n, inner]);
            let y = rows(self, shape[at]).combined_with(rows(piece, index.len()), &ids, how, include_self)?;
            Ok(y.reshape_as(self.movedim(axis, 0)).movedim(0, axis))
        })
    }

    /// The rows that have the same id combined: row `i` of the `n` rows of the result is made of those along the first
    /// axis whose id is `i`.
    #[track_caller]
    fn segments(self, name: &'static str, ids: &Tensor<i64>, n: usize, how: Combine) -> Var<'t, T> {
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let &[rows, ref rest @ ..] = &*shape else {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            };
            same("the list of ids", ids.shape(), &[rows])?;
            if let Some(index) = ids.iter().find(|&id| id < 0 || id as u64 >= n as u64) {
                return Err(ErrorKind::Index { index, axis: 0, size: n }.into());
            }
            let ids = ids.contiguous()?;
            let data = ids.as_slice().expect("made contiguous above");
            let inner: usize = rest.iter().product();
            let to = Shape::new([&[n], rest].concat())?;
            let x = self.reshape([rows, inner]);
            let y = match how {
                Combine::Sum | Combine::Mean => {
                    let places = crate::tensor::Places::whole(&Shape::new([n, inner])?, 0, &ids)?;
                    let sum = x.summed_at(places);
                    match how {
                        Combine::Sum => sum,
                        _ => sum / self.tape().constant(&counts(n, data)?.reshape([n, 1])?),
                    }
                }
                _ => Groups::new(n, data, 0, |_| false)?.combined(x, how)?,
            };
            Ok(y.reshape(to))
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The sum of the rows that have the same id, element by element: row `i` of the `n` rows of the result is made
    /// of those along the first axis whose id is `i`, in any order; 0 of none.
    ///
    /// # Gradient
    ///
    /// To each row the cotangent of its segment.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Shape`](ErrorKind::Shape) unless there is one id for each row;
    /// [`Index`](ErrorKind::Index) for one that is negative or not below `n`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 4.0]));
    /// let y = x.segment_sum(&Tensor::from([0, 1, 0]), 3);
    /// assert_eq!(y.value()?.to_vec(), [5.0, 2.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn segment_sum(self, ids: &Tensor<i64>, n: usize) -> Var<'t, T> {
        self.segments("segment_sum", ids, n, Combine::Sum)
    }

    /// The mean of the rows that have the same id, element by element: row `i` of the `n` rows of the result is made
    /// of those along the first axis whose id is `i`, in any order; NaN of none.
    ///
    /// # Gradient
    ///
    /// To each row the cotangent of its segment, divided by the number of its rows.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Shape`](ErrorKind::Shape) unless there is one id for each row;
    /// [`Index`](ErrorKind::Index) for one that is negative or not below `n`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 4.0]));
    /// let y = x.segment_mean(&Tensor::from([0, 1, 0]), 2);
    /// assert_eq!(y.value()?.to_vec(), [2.5, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.5, 1.0, 0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn segment_mean(self, ids: &Tensor<i64>, n: usize) -> Var<'t, T> {
        self.segments("segment_mean", ids, n, Combine::Mean)
    }

    /// The largest element of the rows that have the same id, element by element: row `i` of the `n` rows of the result is made
    /// of those along the first axis whose id is `i`, in any order; −∞ of none.
    ///
    /// # Gradient
    ///
    /// 1 to the largest; k equal ones get 1/k each. NaN to all where the value is NaN.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Shape`](ErrorKind::Shape) unless there is one id for each row;
    /// [`Index`](ErrorKind::Index) for one that is negative or not below `n`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 4.0]));
    /// let y = x.segment_max(&Tensor::from([0, 1, 0]), 2);
    /// assert_eq!(y.value()?.to_vec(), [4.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn segment_max(self, ids: &Tensor<i64>, n: usize) -> Var<'t, T> {
        self.segments("segment_max", ids, n, Combine::Max)
    }

    /// The smallest element of the rows that have the same id, element by element: row `i` of the `n` rows of the result is made
    /// of those along the first axis whose id is `i`, in any order; ∞ of none.
    ///
    /// # Gradient
    ///
    /// 1 to the smallest; k equal ones get 1/k each. NaN to all where the value is NaN.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Shape`](ErrorKind::Shape) unless there is one id for each row;
    /// [`Index`](ErrorKind::Index) for one that is negative or not below `n`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 4.0]));
    /// let y = x.segment_min(&Tensor::from([0, 1, 0]), 2);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn segment_min(self, ids: &Tensor<i64>, n: usize) -> Var<'t, T> {
        self.segments("segment_min", ids, n, Combine::Min)
    }

    /// The product of the rows that have the same id, element by element: row `i` of the `n` rows of the result is made
    /// of those along the first axis whose id is `i`, in any order; 1 of none.
    ///
    /// # Gradient
    ///
    /// The product of the others of the segment, exact beside zeros.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Shape`](ErrorKind::Shape) unless there is one id for each row;
    /// [`Index`](ErrorKind::Index) for one that is negative or not below `n`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 4.0]));
    /// let y = x.segment_prod(&Tensor::from([0, 1, 0]), 3);
    /// assert_eq!(y.value()?.to_vec(), [4.0, 2.0, 1.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [4.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn segment_prod(self, ids: &Tensor<i64>, n: usize) -> Var<'t, T> {
        self.segments("segment_prod", ids, n, Combine::Prod)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;
