//! Elements picked by indices, and the adjoint: elements added at indices.

use crate::error::Result;
use crate::number::Real;
use crate::shape::{Shape, broadcast, resolve_axis};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Places, Tensor, shorter};

/// What lies at places.
struct Pick {
    name: &'static str,
    places: Places,
}

/// Zeros with a piece added at places: the adjoint of [`Pick`].
struct Sum {
    places: Places,
}

impl<T: Real> Operation<T> for Pick {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.places.pick(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).summed_at(self.places.clone()))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.picked(self.name, self.places.clone()))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.places.sum(&g))
    }
}

impl<T: Real> Operation<T> for Sum {
    fn name(&self) -> &'static str {
        "sum_at"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.places.sum(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).picked("index_select", self.places.clone()))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.summed_at(self.places.clone()))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.places.pick(&g))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// What lies at places.
    #[track_caller]
    pub(crate) fn picked(self, name: &'static str, places: Places) -> Var<'t, T> {
        self.tape().apply(Pick { name, places }, &[self])
    }

    /// Zeros with this added at places.
    #[track_caller]
    pub(crate) fn summed_at(self, places: Places) -> Var<'t, T> {
        self.tape().apply(Sum { places }, &[self])
    }

    /// What lies at the indices given of an axis. The axes of the index replace the axis: one index drops it, a list
    /// selects along it, a matrix of indices makes two axes of it. Negative indices count from the end. Of rank 0 this
    /// counts as a vector of one.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`Index`](crate::ErrorKind::Index).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let y = x.index_select(0, &Tensor::from([2, 0, 2]));
    /// assert_eq!(y.value()?.to_vec(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0, 0.0, 0.0, 2.0, 2.0]);
    /// assert_eq!(x.index_select(1, &Tensor::from([[0, 1], [1, -1]])).shape(), [3, 2, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "embedding")]
    #[track_caller]
    pub fn index_select(self, axis: isize, index: &Tensor<i64>) -> Var<'t, T> {
        self.tape().composed("index_select", || {
            Ok(self.picked("index_select", Places::whole(&self.try_shape()?, axis, index)?))
        })
    }

    /// Along an axis, one index for each element of the result: `y[i, j, k] = x[i, index[i, j, k], k]` along axis 1. The
    /// index has as many axes as this; on the others it may be shorter. Negative indices count from the end. An empty
    /// index may have any shape, and gives an empty result of that shape.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`Index`](crate::ErrorKind::Index); [`Shape`](crate::ErrorKind::Shape) if the
    /// index does not fit.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0], [7.0, 2.0]]));
    /// let y = x.gather(1, &x.argmax_keepdim(1)?);
    /// assert_eq!(y.value()?.to_vec(), [5.0, 7.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gather(self, axis: isize, index: &Tensor<i64>) -> Var<'t, T> {
        self.tape().composed("gather", || {
            let mut x = self;
            for axis in shorter(&self.try_shape()?, axis, index.shape())? {
                x = x.slice(axis as isize, ..index.shape()[axis] as isize);
            }
            Ok(x.picked("gather", Places::each(&x.try_shape()?, axis, index)?))
        })
    }

    /// As [`gather`](Var::gather), with this and the index broadcast against each other on the other axes.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`Index`](crate::ErrorKind::Index); [`Broadcast`](crate::ErrorKind::Broadcast);
    /// [`Shape`](crate::ErrorKind::Shape) if the index has another rank.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0], [7.0, 2.0]]));
    /// assert_eq!(x.take_along_dim(1, &Tensor::from([[1]])).value()?.to_vec(), [5.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "take_along_axis")]
    #[track_caller]
    pub fn take_along_dim(self, axis: isize, index: &Tensor<i64>) -> Var<'t, T> {
        self.tape().composed("take_along_dim", || {
            let shape = self.try_shape()?;
            let at = resolve_axis(axis, &shape)?;
            if index.rank() != shape.len() {
                // The check of the places says so.
                return Ok(self.picked("take_along_dim", Places::each(&shape, axis, index)?));
            }
            let without = |dims: &[usize], n: usize| {
                let mut dims = dims.to_vec();
                dims[at] = n;
                dims
            };
            let common = broadcast(&without(&shape, 1), &without(index.shape(), 1))?;
            let x = self.expand(Shape::new(without(&common, shape[at]))?);
            let index = index.expand(Shape::new(without(&common, index.shape()[at]))?)?;
            Ok(x.picked("take_along_dim", Places::each(&x.try_shape()?, axis, &index)?))
        })
    }

    /// The elements at indices into all elements in row-major order, in the shape of the index. Negative indices count
    /// from the end.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Index`](crate::ErrorKind::Index), on the flattened axis.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.take(&Tensor::from([3, 0, 3])).value()?.to_vec(), [4.0, 1.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn take(self, index: &Tensor<i64>) -> Var<'t, T> {
        self.tape().composed("take", || {
            let flat = Shape::new([self.try_shape()?.count()])?;
            let places = Places::whole(&flat, 0, index)?;
            Ok(self.reshape(flat).picked("take", places))
        })
    }

    /// The elements at combinations of indices, one index for each of the first axes: `y[i] = x[a[i], b[i]]` for
    /// `[a, b]`. The indices are broadcast; their axes replace those indexed. Negative indices count from the end.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element was put; 0 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for more indices than axes; [`Index`](crate::ErrorKind::Index);
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let (rows, columns) = (Tensor::from([0, 1, 1]), Tensor::from([1, 0, -1]));
    /// assert_eq!(x.index(&[&rows, &columns]).value()?.to_vec(), [2.0, 3.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "getitem")]
    #[doc(alias = "gather_nd")]
    #[track_caller]
    pub fn index(self, indices: &[&Tensor<i64>]) -> Var<'t, T> {
        self.tape().composed("index", || {
            if indices.is_empty() {
                return Ok(self);
            }
            let shape = self.try_shape()?;
            let (merged, rows) = crate::tensor::rows(&shape, indices)?;
            let places = Places::whole(&merged, 0, &rows)?;
            Ok(self.reshape(merged).picked("index", places))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let matrix = || shapes(&[&[&[3, 4]]], -2.0, 2.0);
    let threes = || shapes(&[&[&[3, 3]]], -2.0, 2.0);
    let cube = || shapes(&[&[&[2, 3, 4]]], -2.0, 2.0);
    let scalars = || shapes(&[&[&[]]], -2.0, 2.0);
    vec![
        sample!("index_select", cube(), |x| x[0].index_select(1, &Tensor::from([2, 0, 2, -1])).square()),
        sample!("index_select rows", cube(), |x| x[0].index_select(0, &Tensor::from([1, 0, 1])).square()),
        sample!("index_select last", cube(), |x| x[0].index_select(-1, &Tensor::from([3, -4, 3])).square()),
        sample!("index_select by a matrix", cube(), |x| {
            x[0].index_select(1, &Tensor::from([[0, 1], [2, 0]])).square()
        }),
        sample!("index_select one", rank3(-2.0, 2.0), |x| x[0].index_select(1, &Tensor::scalar(0)).square()),
        sample!("index_select none", cube(), |x| x[0].index_select(1, &Tensor::<i64>::from(vec![])).square()),
        sample!("index_select of a scalar", scalars(), |x| x[0]
            .index_select(0, &Tensor::from([0, 0]))
            .square()),
        sample!("gather", threes(), |x| {
            x[0].gather(1, &Tensor::from([[0, 2, 1], [-1, 0, 0], [2, 2, 2]])).square() * x[0]
        }),
        sample!("gather along the first", threes(), |x| {
            x[0].gather(0, &Tensor::from([[0, 2, 1], [-1, 0, 0], [2, 2, 2]])).square() * x[0]
        }),
        sample!("gather fewer", cube(), |x| x[0].gather(1, &Tensor::from([[[0, 1], [2, 2]]])).square()),
        sample!("gather nothing", cube(), |x| {
            let by =
                |shape: [usize; 2]| x[0].gather(0, &Tensor::from_slice(&[], shape).expect("empty")).sum();
            x[0].square() + by([0, 5]) + by([7, 0])
        }),
        sample!("gather of a scalar", scalars(), |x| x[0].gather(0, &Tensor::scalar(-1)).square() * x[0]),
        sample!("take_along_dim", matrix(), |x| x[0]
            .take_along_dim(0, &Tensor::from([[1, 0, 2, 1]]))
            .square()),
        sample!("take_along_dim broadcast", matrix(), |x| {
            x[0].take_along_dim(1, &Tensor::from([[1, 1, -1]])).square()
        }),
        sample!("take_along_dim of one row", shapes(&[&[&[1, 3]]], -2.0, 2.0), |x| {
            x[0].take_along_dim(1, &Tensor::from([[1, 1], [2, 0]])).square()
        }),
        sample!("take", cube(), |x| x[0].take(&Tensor::from([[23, 0], [7, -1]])).square()),
        sample!("take none", unary(-2.0, 2.0), |x| x[0].take(&Tensor::<i64>::from(vec![])).square()),
        sample!("index", cube(), |x| x[0]
            .index(&[&Tensor::from([0, 1, 1]), &Tensor::from([2, -1, 2])])
            .square()),
        sample!("index broadcast", cube(), |x| {
            let [a, b, c] = [Tensor::from([[1], [0]]), Tensor::from([0, 2]), Tensor::scalar(3)];
            x[0].index(&[&a, &b, &c]).square()
        }),
        sample!("index by none", cube(), |x| x[0].index(&[]).square()),
        wrong!(
            "index_select",
            &[&[2, 3]],
            |x| x[0].index_select(1, &Tensor::from([0, 3])),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "index_select",
            &[&[2, 3]],
            |x| x[0].index_select(0, &Tensor::from([0, -3])),
            "index -3 is out of range for axis 0 of size 2"
        ),
        wrong!(
            "index_select",
            &[&[2, 3]],
            |x| x[0].index_select(2, &Tensor::from([0])),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!(
            "gather",
            &[&[2, 3]],
            |x| x[0].gather(1, &Tensor::from([0])),
            "the index has shape [1], wanted [2, 1]"
        ),
        wrong!(
            "gather",
            &[&[2, 3]],
            |x| x[0].gather(1, &Tensor::from([[0, 0], [0, 0], [0, 0]])),
            "the index has shape [3, 2], wanted [2, 2]"
        ),
        wrong!(
            "gather",
            &[&[2, 3]],
            |x| x[0].gather(0, &Tensor::from([[0, 2, 0]])),
            "index 2 is out of range for axis 0 of size 2"
        ),
        wrong!(
            "take_along_dim",
            &[&[2, 3]],
            |x| x[0].take_along_dim(1, &Tensor::from([[0], [0], [0]])),
            "shapes [2, 1] and [3, 1] do not broadcast"
        ),
        wrong!(
            "take_along_dim",
            &[&[2, 3]],
            |x| x[0].take_along_dim(1, &Tensor::from([0])),
            "the index has shape [1], wanted [2, 1]"
        ),
        wrong!(
            "take",
            &[&[2, 3]],
            |x| x[0].take(&Tensor::from([6])),
            "index 6 is out of range for axis 0 of size 6"
        ),
        wrong!(
            "index",
            &[&[2, 3]],
            |x| x[0].index(&[&Tensor::from([0]), &Tensor::from([-4])]),
            "index -4 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "index",
            &[&[2]],
            |x| x[0].index(&[&Tensor::from([0]), &Tensor::from([0])]),
            "axis 1 is out of range for shape [2]"
        ),
        wrong!(
            "index",
            &[&[2, 3]],
            |x| x[0].index(&[&Tensor::from([0, 1]), &Tensor::from([0, 1, 2])]),
            "shapes [2] and [3] do not broadcast"
        ),
    ]
}
