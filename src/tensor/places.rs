//! Elements at places that indices name: read, set and added up.

use super::Tensor;
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::places::{Layout, extent, pick, place};
use crate::number::{Element, Real};
use crate::shape::{Shape, broadcast, resolve_axis, same};
use std::panic::Location;

/// Places along an axis of a tensor of one shape, checked.
#[derive(Clone)]
pub(crate) struct Places {
    /// The shape of the tensor.
    of: Shape,
    /// The shape of what lies there.
    piece: Shape,
    /// In row-major order, none negative.
    index: Tensor<i64>,
    layout: Layout,
    /// How many axes lie behind the one that is indexed.
    behind: usize,
}

/// Indices in row-major order and from the front, all of them inside an axis.
pub(crate) fn checked(index: &Tensor<i64>, axis: usize, size: usize) -> Result<Tensor<i64>> {
    let dense = index.contiguous()?;
    let data = dense.as_slice().expect("made contiguous above");
    let (low, high) = extent(data);
    let n = size as i64;
    if let Some(index) = [low, high].into_iter().find(|i| !data.is_empty() && !(-n..n).contains(i)) {
        return Err(ErrorKind::Index { index, axis, size }.into());
    }
    if low >= 0 {
        return Ok(dense);
    }
    Tensor::build(index.shape_owned(), |out| {
        out.iter_mut().zip(data).for_each(|(out, &i)| *out = if i < 0 { i + n } else { i });
    })
}

impl Places {
    /// One index for all that lies at it: the axis is replaced by the axes of the index.
    pub(crate) fn whole(of: &Shape, axis: isize, index: &Tensor<i64>) -> Result<Places> {
        Places::new(of, axis, index, false)
    }

    /// One index for each element: the index has the shape of what lies there, which differs from the tensor's in the
    /// axis alone. An empty index may have any shape: nothing lies there.
    pub(crate) fn each(of: &Shape, axis: isize, index: &Tensor<i64>) -> Result<Places> {
        Places::new(of, axis, index, true)
    }

    fn new(of: &Shape, axis: isize, index: &Tensor<i64>, each: bool) -> Result<Places> {
        // A scalar counts as a vector of one.
        let dims: &[usize] = if of.is_empty() { &[1] } else { of };
        let axis = resolve_axis(axis, dims)?;
        let (before, after) = (&dims[..axis], &dims[axis + 1..]);
        let piece = if each {
            let fits =
                index.rank() == of.len() && (0..of.len()).all(|i| i == axis || index.shape()[i] == of[i]);
            if !fits && !of.is_empty() && !index.is_empty() {
                let mut wanted = of.to_vec();
                wanted[axis] = index.shape().get(axis).copied().unwrap_or(1);
                let found = index.shape().to_vec();
                return Err(ErrorKind::Shape { what: "the index".into(), found, wanted }.into());
            }
            index.shape_owned()
        } else {
            Shape::new([before, index.shape(), after].concat())?
        };
        let index = checked(index, axis, dims[axis])?;
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let (outer, inner) = (product(before), product(after));
        let count = match each {
            false => index.len(),
            true if of.is_empty() || index.is_empty() => index.len(),
            true => index.shape()[axis],
        };
        let layout = Layout { outer, n: dims[axis], count, inner, each };
        Ok(Places { of: of.clone(), piece, index, layout, behind: after.len() })
    }

    /// The shape of what lies there.
    pub(crate) fn piece(&self) -> &Shape {
        &self.piece
    }

    fn indices(&self) -> &[i64] {
        self.index.as_slice().expect("contiguous since it was checked")
    }

    /// What lies there.
    pub(crate) fn pick<E: Element>(&self, x: &Tensor<E>) -> Result<Tensor<E>> {
        same("the value", x.shape(), &self.of)?;
        let dense = x.contiguous()?;
        let data = dense.as_slice().expect("made contiguous above");
        Tensor::build(self.piece.clone(), |out| pick(data, self.indices(), self.layout, out))
    }

    fn written<E: Element>(
        &self,
        mut x: Tensor<E>,
        piece: &Tensor<E>,
        f: impl Fn(&mut E, E) + Sync,
    ) -> Result<Tensor<E>> {
        same("the value", x.shape(), &self.of)?;
        same("the piece", piece.shape(), &self.piece)?;
        let dense = piece.contiguous()?;
        let data = dense.as_slice().expect("made contiguous above");
        place(data, self.indices(), self.layout, x.as_mut_slice()?, f);
        Ok(x)
    }

    /// The tensor with a piece put there; the last one wins where places meet.
    pub(crate) fn set<E: Element>(&self, x: &Tensor<E>, piece: &Tensor<E>) -> Result<Tensor<E>> {
        self.written(x.clone(), piece, |out, x| *out = x)
    }

    /// The tensor with a piece added there.
    pub(crate) fn add<T: Real>(&self, x: &Tensor<T>, piece: &Tensor<T>) -> Result<Tensor<T>> {
        self.written(x.clone(), piece, |out, x| *out += x)
    }

    /// Zeros with a piece added there.
    pub(crate) fn sum<T: Real>(&self, piece: &Tensor<T>) -> Result<Tensor<T>> {
        self.written(Tensor::zeros(self.of.clone())?, piece, |out, x| *out += x)
    }

    /// For each element of a piece 1 if it is the one that stays when the piece is put there, else 0; nothing if all
    /// stay. Broadcasts to the shape of the piece.
    pub(crate) fn winners<T: Real>(&self) -> Result<Option<Tensor<T>>> {
        let Layout { outer, n, inner, each, .. } = self.layout;
        let layout = if each { self.layout } else { Layout { outer: 1, inner: 1, ..self.layout } };
        let order: Vec<i64> = (0..self.index.len() as i64).collect();
        let mut last = vec![-1; if each { outer * n * inner } else { n }];
        place(&order, self.indices(), layout, &mut last, |out, x| *out = x);
        let mut found = vec![0; order.len()];
        pick(&last, self.indices(), layout, &mut found);
        if found == order {
            return Ok(None);
        }
        let stays = found.iter().zip(&order).map(|(a, b)| if a == b { T::ONE } else { T::ZERO });
        let shape = if each {
            self.piece.clone()
        } else {
            Shape::new([self.index.shape(), &vec![1; self.behind]].concat())?
        };
        Tensor::from_iter_in(stays, shape).map(Some)
    }
}

impl<E: Element> Tensor<E> {
    /// What lies at the indices given of an axis, which the axes of the index replace. Negative indices count from the
    /// end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::Index`]; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1, 2], [3, 4], [5, 6]]);
    /// assert_eq!(x.index_select(0, &Tensor::from([2, 0]))?.to_vec(), [5, 6, 1, 2]);
    /// assert_eq!(x.index_select(1, &Tensor::scalar(-1))?.to_vec(), [2, 4, 6]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &Tensor<i64>) -> Result<Tensor<E>> {
        let line = Location::caller();
        let picked = Places::whole(&self.shape_owned(), axis, index).and_then(|places| places.pick(self));
        picked.map_err(|error: Error| error.at("index_select", line))
    }

    /// Along an axis, one index for each element of the result: `y[i, j, k] = x[i, index[i, j, k], k]` along axis 1.
    /// On other axes the index may be shorter. Negative indices count from the end. An empty index may have any shape.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::Index`]; [`ErrorKind::Shape`] if the index does not fit;
    /// [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 5.0], [7.0, 2.0]]);
    /// let largest = x.argmax_keepdim(1)?;
    /// assert_eq!(x.gather(1, &largest)?.to_vec(), [5.0, 7.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Result<Tensor<E>> {
        let line = Location::caller();
        let run = || {
            let mut x = self.clone();
            for axis in shorter(self.shape(), axis, index.shape())? {
                x = x.slice(axis as isize, ..index.shape()[axis] as isize)?;
            }
            Places::each(&x.shape_owned(), axis, index)?.pick(&x)
        };
        run().map_err(|error: Error| error.at("gather", line))
    }

    /// The elements at indices into all elements in row-major order, in the shape of the index. Negative indices count
    /// from the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Index`]; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.take(&Tensor::from([3, 0]))?.to_vec(), [4, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn take(&self, index: &Tensor<i64>) -> Result<Tensor<E>> {
        let line = Location::caller();
        let flat = self.reshape([self.len()]);
        let picked = flat.and_then(|x| Places::whole(&x.shape_owned(), 0, index)?.pick(&x));
        picked.map_err(|error: Error| error.at("take", line))
    }
}

/// The axes, other than the one indexed, on which an index of the same rank is shorter than what it is an index into.
pub(crate) fn shorter(of: &[usize], axis: isize, index: &[usize]) -> Result<Vec<usize>> {
    if of.is_empty() || index.len() != of.len() || index.contains(&0) {
        return Ok(vec![]);
    }
    let axis = resolve_axis(axis, of)?;
    Ok((0..of.len()).filter(|&i| i != axis && index[i] < of[i]).collect())
}

/// The number in row-major order of each place that an index names, the index being shorter than `of` on some axes.
pub(crate) fn flat(of: &[usize], axis: isize, index: &Tensor<i64>) -> Result<Tensor<i64>> {
    let axis = resolve_axis(axis, of)?;
    let index = checked(index, axis, of[axis])?;
    let mut numbers = Tensor::from(0..of.iter().product::<usize>() as i64).reshape(of)?;
    // At the places' other indices, and at 0 along the axis.
    for i in 0..of.len() {
        let until = if i == axis { of[axis].min(1) } else { index.shape()[i] };
        numbers = numbers.slice(i as isize, ..until as isize)?;
    }
    let step: usize = of[axis + 1..].iter().product();
    if index.is_empty() {
        return Ok(index);
    }
    let start = numbers.expand(index.shape())?;
    super::elementwise([&start, &index], 1.0, |[start, index], out| {
        for ((out, start), index) in out.iter_mut().zip(start).zip(index) {
            *out = start + index * step as i64;
        }
    })
}

/// A shape with its first axes merged into one, and the number along that of each combination of indices, one index for
/// each of those axes, broadcast.
pub(crate) fn rows(of: &[usize], indices: &[&Tensor<i64>]) -> Result<(Shape, Tensor<i64>)> {
    let mut common = Shape::default();
    for index in indices {
        common = broadcast(&common, index.shape())?;
    }
    let mut rows = Tensor::scalar(0).expand(&common)?;
    for (axis, index) in indices.iter().enumerate() {
        let size = of[resolve_axis(axis as isize, of)?];
        let index = checked(index, axis, size)?.expand(&common)?;
        rows = super::elementwise([&rows, &index], 1.0, |[rows, index], out| {
            for ((out, row), index) in out.iter_mut().zip(rows).zip(index) {
                *out = row * size as i64 + index;
            }
        })?;
    }
    let (first, rest) = of.split_at(indices.len());
    Ok((Shape::new([&[first.iter().product()], rest].concat())?, rows))
}
