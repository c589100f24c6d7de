//! Pieces set and added at places that indices name.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, resolve_axis};
use crate::tape::{At, IntoVar, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Places, Tensor, flat, shorter};
use smallvec::SmallVec;

/// A value with a piece set at places; the last of several wins.
#[derive(Clone)]
struct Set {
    name: &'static str,
    places: Places,
}

/// A value with a piece added at places.
#[derive(Clone)]
struct Add {
    name: &'static str,
    places: Places,
}

/// The tangents of both inputs, zeros for one that has none; nothing if both have none.
fn tangents<'t, T: Real>(at: &At<'_, 't, T>) -> Option<[Var<'t, T>; 2]> {
    (0..2)
        .any(|i| at.dx(i).is_some())
        .then(|| [0, 1].map(|i| at.dx(i).unwrap_or_else(|| at.x(i).zeros_like())))
}

impl<T: Real> Operation<T> for Set {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.places.set(x[0], x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0);
        let beside = at.needs(0).then(|| g.tape().apply(self.clone(), &[g, at.x(1).zeros_like()]));
        let mut there = None;
        if at.needs(1) {
            let picked = g.picked("gather", self.places.clone());
            // What was overwritten by a later element has no part in the value.
            there = Some(match self.places.winners()? {
                None => picked,
                Some(mask) => Var::where_(g.tape().constant(&mask), picked, g.constant(0.0)),
            });
        }
        Ok(SmallVec::from_iter([beside, there]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(dx) = tangents(at) else { return Ok(SmallVec::from_iter([None])) };
        at.one(dx[0].tape().apply(self.clone(), &dx))
    }
}

impl<T: Real> Operation<T> for Add {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.places.add(x[0], x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.each(|i| if i == 0 { at.g(0) } else { at.g(0).picked("gather", self.places.clone()) })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(dx) = tangents(at) else { return Ok(SmallVec::from_iter([None])) };
        at.one(dx[0].tape().apply(self.clone(), &dx))
    }
}

/// What is done with a piece.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Set,
    Add,
}

impl<'t, T: Real> Var<'t, T> {
    /// This with a piece set at places.
    #[track_caller]
    pub(super) fn set_at(self, name: &'static str, places: Places, piece: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Set { name, places }, &[self, piece])
    }

    /// This with a piece added at places.
    #[track_caller]
    pub(super) fn added_at(self, name: &'static str, places: Places, piece: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Add { name, places }, &[self, piece])
    }

    #[track_caller]
    fn written(self, name: &'static str, how: How, places: Places, piece: Var<'t, T>) -> Var<'t, T> {
        match how {
            How::Set => self.set_at(name, places, piece),
            How::Add => self.added_at(name, places, piece),
        }
    }

    /// A piece of which one element goes to each index. A scalar goes to all; a larger piece is cut.
    #[track_caller]
    fn scattered(
        self,
        name: &'static str,
        how: How,
        axis: isize,
        index: &Tensor<i64>,
        piece: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let piece = piece.cut_to(index)?;
            if shorter(&shape, axis, index.shape())?.is_empty() {
                return Ok(self.written(name, how, Places::each(&shape, axis, index)?, piece));
            }
            fits(&shape, axis, index)?;
            let numbers = flat(&shape, axis, index)?;
            let all = Shape::new([shape.count()])?;
            let places = Places::whole(&all, 0, &numbers)?;
            Ok(self.reshape(all).written(name, how, places, piece).reshape(shape))
        })
    }

    /// The part of a piece that has an index.
    pub(super) fn cut_to(self, index: &Tensor<i64>) -> Result<Var<'t, T>> {
        let shape = self.try_shape()?;
        if shape.is_empty() {
            return Ok(self.expand(index.shape()));
        }
        let long_enough = shape.len() == index.rank() && shape.iter().zip(index.shape()).all(|(n, m)| n >= m);
        if !long_enough {
            let (found, wanted) = (shape.to_vec(), index.shape().to_vec());
            return Err(ErrorKind::Shape { what: "the piece".into(), found, wanted }.into());
        }
        let cut = |x: Var<'t, T>, axis: usize| match index.shape()[axis] {
            n if n == shape[axis] => x,
            n => x.slice(axis as isize, ..n as isize),
        };
        Ok((0..shape.len()).fold(self, cut))
    }

    /// This with a piece put along an axis, one index for each element: `y[i, index[i, j, k], k] = piece[i, j, k]` along
    /// axis 1. The piece may be longer than the index, a number goes to every place; on the other axes the index may be
    /// shorter than this; an empty one may have any shape. Where several elements meet, the last one in row-major order stays. Negative indices count
    /// from the end.
    ///
    /// # Gradient
    ///
    /// To the elements of the piece that stay, the cotangent at their places; to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index); [`Shape`](ErrorKind::Shape) if index or piece do not fit.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let piece = tape.var(&Tensor::from([7.0, 8.0, 9.0]));
    /// let y = x.scatter(0, &Tensor::from([2, 0, 2]), piece);
    /// assert_eq!(y.value()?.to_vec(), [8.0, 2.0, 9.0]);
    /// let g = y.sum().backward()?;
    /// assert_eq!(g.wrt(x)?.to_vec(), [0.0, 1.0, 0.0]);
    /// assert_eq!(g.wrt(piece)?.to_vec(), [0.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "put_along_axis")]
    #[track_caller]
    pub fn scatter(self, axis: isize, index: &Tensor<i64>, piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.scattered("scatter", How::Set, axis, index, piece)
    }

    /// As [`scatter`](Var::scatter), with the piece added to what is there.
    ///
    /// Elements that meet are added in row-major order: the same bits for any number of threads.
    ///
    /// # Gradient
    ///
    /// To the piece the cotangent at its places, to this the cotangent.
    ///
    /// # Errors
    ///
    /// As [`scatter`](Var::scatter).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.scatter_add(0, &Tensor::from([2, 0, 2]), &Tensor::from([7.0, 8.0, 9.0]));
    /// assert_eq!(y.value()?.to_vec(), [9.0, 2.0, 19.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_add(self, axis: isize, index: &Tensor<i64>, piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.scattered("scatter_add", How::Add, axis, index, piece)
    }

    /// A piece of which a whole slice goes to each index.
    #[track_caller]
    fn indexed(
        self,
        name: &'static str,
        how: How,
        axis: isize,
        index: &Tensor<i64>,
        piece: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed(name, || {
            let places = Places::whole(&self.try_shape()?, axis, index)?;
            let piece = if piece.try_shape()?.is_empty() { piece.expand(places.piece()) } else { piece };
            Ok(self.written(name, how, places, piece))
        })
    }

    /// This with the slices of a piece added at the indices of an axis: the piece has the shape that
    /// [`index_select`](Var::index_select) gives, or is a number.
    ///
    /// Slices that meet are added in their order: the same bits for any number of threads.
    ///
    /// # Gradient
    ///
    /// To the piece the cotangent at its places, to this the cotangent.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index), [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.index_add(0, &Tensor::from([1, 1]), &Tensor::from([[10.0, 20.0], [30.0, 40.0]]));
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, 43.0, 64.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_add(self, axis: isize, index: &Tensor<i64>, piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.indexed("index_add", How::Add, axis, index, piece)
    }

    /// This with the slices of a piece put at the indices of an axis: the piece has the shape that
    /// [`index_select`](Var::index_select) gives. The last of several at one index stays.
    ///
    /// # Gradient
    ///
    /// To the slices that stay, the cotangent at their places; to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index), [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.index_copy(0, &Tensor::from([-1]), &Tensor::from([[10.0, 20.0]]));
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, 10.0, 20.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_copy(self, axis: isize, index: &Tensor<i64>, piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.indexed("index_copy", How::Set, axis, index, piece)
    }

    /// This with one number at the indices of an axis.
    ///
    /// # Gradient
    ///
    /// To the number the sum of the cotangent where it stands; to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index); [`Rank`](ErrorKind::Rank) unless the number has rank 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.index_fill(1, &Tensor::from([0]), 9.0);
    /// assert_eq!(y.value()?.to_vec(), [9.0, 2.0, 9.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_fill(self, axis: isize, index: &Tensor<i64>, value: impl IntoVar<'t, T>) -> Var<'t, T> {
        let value = value.into_var(self.tape());
        self.tape().composed("index_fill", || {
            let found = value.try_shape()?;
            if !found.is_empty() {
                return Err(ErrorKind::Rank { found: found.to_vec(), wanted: "0" }.into());
            }
            Ok(self.indexed("index_fill", How::Set, axis, index, value))
        })
    }
}

/// Whether an index that is shorter than `of` on some axes is longer on none.
fn fits(of: &Shape, axis: isize, index: &Tensor<i64>) -> Result<()> {
    let axis = resolve_axis(axis, of)?;
    if (0..of.len()).all(|i| i == axis || index.shape()[i] <= of[i]) {
        return Ok(());
    }
    let (found, mut wanted) = (index.shape().to_vec(), of.to_vec());
    wanted[axis] = found[axis];
    Err(ErrorKind::Shape { what: "the index".into(), found, wanted }.into())
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;
