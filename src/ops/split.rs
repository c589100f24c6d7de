//! Parts of an axis: one index, a run, and all of it in pieces.

use crate::error::{Error, ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Parts, Tape, Var};
use crate::tensor::Tensor;
use std::ops::Range;
use std::panic::Location;

/// The pieces of an axis, one after another, as one node: their cotangents are put together in one pass.
#[derive(Clone)]
struct Split {
    axis: usize,
    sizes: Vec<usize>,
}

/// Outputs of one node at most: there are 2¹⁶ − 1 places for them.
const MOST: usize = 1 << 15;

impl<T: Real> Operation<T> for Split {
    fn name(&self) -> &'static str {
        "split"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let mut from = 0;
        let piece = |&size: &usize| {
            let start = from;
            from += size;
            x[0].slice(self.axis as isize, start as isize..(start + size) as isize)
        };
        self.sizes.iter().map(piece).collect()
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g: Vec<Var<'t, T>> = (0..at.outputs()).map(|j| at.g(j)).collect();
        at.one(g[0].tape().concat(&g, self.axis as isize))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(dx) = at.dx(0) else { return Ok(self.sizes.iter().map(|_| None).collect()) };
        Ok(dx.tape().apply_many(self.clone(), &[dx], self.sizes.len()).into_iter().map(Some).collect())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `length` indices of an axis from `start` on; a negative start counts from the end. A view.
    ///
    /// # Gradient
    ///
    /// The cotangent at the indices kept, 0 at the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Index`](ErrorKind::Index) if the run begins or ends outside the axis.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// assert_eq!(x.narrow(0, 1, 2).value()?.to_vec(), [2.0, 3.0]);
    /// assert_eq!(x.narrow(0, -2, 2).value()?.to_vec(), [3.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn narrow(self, axis: isize, start: isize, length: usize) -> Var<'t, T> {
        self.tape().composed("narrow", || {
            let shape = self.try_shape()?;
            let at = resolve_axis(axis, &shape)?;
            let size = shape[at];
            let outside = |index: i64| ErrorKind::Index { index, axis: at, size };
            let from = if start < 0 { start.saturating_add(size as isize) } else { start };
            if !(0..=size as isize).contains(&from) {
                return Err(outside(start as i64).into());
            }
            if length > size - from as usize {
                return Err(outside((from as i64).saturating_add_unsigned(length as u64)).into());
            }
            Ok(self.slice(axis, from..from + length as isize))
        })
    }

    /// What lies at one index of an axis; the result does not have the axis. Negative ones count from the end. A view.
    ///
    /// # Gradient
    ///
    /// The cotangent at the index, 0 at the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`Index`](ErrorKind::Index).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.select(0, -1).value()?.to_vec(), [3.0, 4.0]);
    /// assert_eq!(x.select(1, 0).value()?.to_vec(), [1.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "index_in_dim")]
    #[track_caller]
    pub fn select(self, axis: isize, index: isize) -> Var<'t, T> {
        self.tape().composed("select", || {
            let shape = self.try_shape()?;
            let at = resolve_axis(axis, &shape)?;
            let size = shape[at];
            let from = if index < 0 { index.saturating_add(size as isize) } else { index };
            if !(0..size as isize).contains(&from) {
                return Err(ErrorKind::Index { index: index as i64, axis: at, size }.into());
            }
            Ok(self.slice(axis, from..from + 1).squeeze(axis))
        })
    }

    /// The pieces of these sizes, in nodes of so many outputs as fit.
    fn in_pieces(self, axis: usize, sizes: &[usize]) -> Vec<Var<'t, T>> {
        let apply = |x: Var<'t, T>, sizes: &[usize]| match sizes {
            [] => Default::default(),
            sizes => x.tape().apply_many(Split { axis, sizes: sizes.to_vec() }, &[x], sizes.len()),
        };
        if sizes.len() <= MOST {
            return apply(self, sizes).into_vec();
        }
        let blocks: Vec<usize> = sizes.chunks(MOST).map(|block| block.iter().sum()).collect();
        let blocks = self.in_pieces(axis, &blocks);
        blocks.into_iter().zip(sizes.chunks(MOST)).flat_map(|(block, sizes)| apply(block, sizes)).collect()
    }

    /// An axis in pieces of `size`, the last of which may be shorter. Views.
    ///
    /// # Gradient
    ///
    /// The cotangents of the pieces one after another; zeros for one that nothing depends on.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) for a size of 0 on an axis that has elements; the
    /// first error on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let parts = x.split(2, 0)?;
    /// assert_eq!(parts[0].value()?.to_vec(), [1.0, 2.0]);
    /// assert_eq!(parts[1].value()?.to_vec(), [3.0]);
    /// assert_eq!(parts[1].sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn split(self, size: usize, axis: isize) -> Result<Vec<Var<'t, T>>> {
        self.parted("split", axis, |n| {
            if size == 0 && n > 0 {
                return argument("the size of the pieces", "0", "at least 1");
            }
            let size = size.max(1);
            // An axis without elements is one piece.
            Ok((0..n.max(1)).step_by(size).map(|from| size.min(n - from)).collect())
        })
    }

    /// An axis in pieces of the sizes given, which must add up to its length. Views.
    ///
    /// # Gradient
    ///
    /// As [`split`](Var::split).
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) if the sizes add up to another length; the first error
    /// on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let parts = x.split_sizes([1, 2], 0)?;
    /// assert_eq!(parts[1].value()?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "split_with_sizes")]
    #[track_caller]
    pub fn split_sizes(self, sizes: impl AsRef<[usize]>, axis: isize) -> Result<Vec<Var<'t, T>>> {
        let sizes = sizes.as_ref();
        self.parted("split_sizes", axis, |n| {
            let total = sizes.iter().fold(0usize, |total, &size| total.saturating_add(size));
            if total != n {
                return argument("the sum of the sizes", total, n);
            }
            Ok(sizes.to_vec())
        })
    }

    /// An axis in at most `n` pieces of one size, rounded up, the last of which may be shorter. Views. PyTorch's rule: 6
    /// in 4 gives 3 pieces of 2. See [`array_split`](Var::array_split) for exactly `n`.
    ///
    /// # Gradient
    ///
    /// As [`split`](Var::split).
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) for none; the first error on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([2, 5])?);
    /// assert_eq!(x.chunk(2, 1)?.iter().map(|part| part.shape()[1]).collect::<Vec<_>>(), [3, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn chunk(self, n: usize, axis: isize) -> Result<Vec<Var<'t, T>>> {
        self.parted("chunk", axis, |length| {
            let size = at_least_one(n).map(|n| length.div_ceil(n))?;
            match size {
                // As many empty ones as were asked for.
                0 => Ok(vec![0; n]),
                size => Ok((0..length).step_by(size).map(|from| size.min(length - from)).collect()),
            }
        })
    }

    /// An axis in exactly `n` pieces, of which the first are one longer if the length does not divide. Views.
    ///
    /// # Gradient
    ///
    /// As [`split`](Var::split).
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) for none; the first error on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([5])?);
    /// assert_eq!(x.array_split(3, 0)?.iter().map(|part| part.shape()[0]).collect::<Vec<_>>(), [2, 2, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "tensor_split")]
    #[track_caller]
    pub fn array_split(self, n: usize, axis: isize) -> Result<Vec<Var<'t, T>>> {
        self.parted("array_split", axis, |length| {
            let n = at_least_one(n)?;
            Ok((0..n).map(|i| length / n + usize::from(i < length % n)).collect())
        })
    }

    /// An axis cut before each of the indices given. Views. Indices beyond the end cut there, negative ones count from
    /// the end, and one before its predecessor gives an empty piece, as in NumPy and PyTorch.
    ///
    /// # Gradient
    ///
    /// The cotangent of each piece at its place; they add up where pieces overlap.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); the first error on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let parts = x.split_at([1, -1], 0)?;
    /// assert_eq!(parts[1].value()?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "tensor_split")]
    #[doc(alias = "hsplit")]
    #[doc(alias = "vsplit")]
    #[doc(alias = "dsplit")]
    #[track_caller]
    pub fn split_at(self, indices: impl AsRef<[isize]>, axis: isize) -> Result<Vec<Var<'t, T>>> {
        let line = Location::caller();
        let run = || {
            let shape = self.try_shape()?;
            let n = shape[resolve_axis(axis, &shape)?] as isize;
            let bound = |&at: &isize| if at < 0 { at.saturating_add(n).max(0) } else { at.min(n) };
            let mut bounds = vec![0];
            bounds.extend(indices.as_ref().iter().map(bound));
            bounds.push(n);
            let piece = |pair: &[isize]| -> Range<isize> { pair[0]..pair[1].max(pair[0]) };
            Ok(bounds.windows(2).map(|pair| self.slice(axis, piece(pair))).collect())
        };
        run().map_err(|error: Error| error.at("split_at", line))
    }

    /// What lies at each index of an axis, without the axis. Views.
    ///
    /// # Gradient
    ///
    /// The cotangents side by side; zeros for one that nothing depends on.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); the first error on the way to this.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let rows = x.unbind(0)?;
    /// assert_eq!((rows[0] * rows[1]).value()?.to_vec(), [3.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "unstack")]
    #[track_caller]
    pub fn unbind(self, axis: isize) -> Result<Vec<Var<'t, T>>> {
        let pieces = self.parted("unbind", axis, |n| Ok(vec![1; n]))?;
        Ok(pieces.into_iter().map(|piece| piece.squeeze(axis)).collect())
    }

    /// Pieces whose sizes follow from the length of the axis.
    #[track_caller]
    fn parted(
        self,
        name: &'static str,
        axis: isize,
        sizes: impl FnOnce(usize) -> Result<Vec<usize>>,
    ) -> Result<Vec<Var<'t, T>>> {
        let line = Location::caller();
        let run = || {
            let shape = self.try_shape()?;
            let axis = resolve_axis(axis, &shape)?;
            Ok((axis, sizes(shape[axis])?))
        };
        let (axis, sizes) = run().map_err(|error: Error| error.at(name, line))?;
        Ok(self.in_pieces(axis, &sizes))
    }
}

fn at_least_one(n: usize) -> Result<usize> {
    if n == 0 {
        return argument("the number of pieces", "0", "at least 1");
    }
    Ok(n)
}

impl<T: Real> Tape<T> {
    /// The first of several, or the error that prevented them, as a variable.
    #[cfg(test)]
    #[track_caller]
    pub(crate) fn first_of<'t>(&'t self, parts: Result<Vec<Var<'t, T>>>) -> Var<'t, T> {
        self.composed("several", || Ok(parts?[0]))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use crate::tape::{Tape, Var};
    use crate::tensor::Tensor;

    #[test]
    fn sizes_are_those_of_the_models() {
        let tape = Tape::<f64>::new();
        let lengths = |parts: crate::Result<Vec<Var<'_, f64>>>| -> Vec<usize> {
            parts.unwrap().iter().map(|part| part.try_shape().unwrap()[0]).collect()
        };
        let [five, six, none] = [5, 6, 0].map(|n| tape.var(&Tensor::ones([n]).unwrap()));
        assert_eq!(lengths(six.chunk(4, 0)), [2, 2, 2]);
        assert_eq!(lengths(none.chunk(3, 0)), [0, 0, 0]);
        assert_eq!(lengths(five.split(7, 0)), [5]);
        assert_eq!(lengths(none.split(2, 0)), [0]);
        assert_eq!(lengths(none.split(0, 0)), [0]);
        assert_eq!(lengths(five.array_split(7, 0)), [1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(lengths(six.split_at([-2, 9, 1], 0)), [4, 2, 0, 5]);
        assert_eq!(lengths(six.split_at([-9], 0)), [0, 6]);
        assert!(none.unbind(0).unwrap().is_empty());
    }

    #[test]
    fn more_pieces_than_a_node_has_places_for() {
        let n = 70_000;
        let tape = Tape::new();
        let x = tape.var(&Tensor::from_iter_in((0..n).map(|i| i as f64), [n]).unwrap());
        let pieces = x.unbind(0).unwrap();
        assert_eq!(pieces.len(), n);
        for at in [0, 32_767, 32_768, 69_999] {
            assert_eq!(pieces[at].item().unwrap(), at as f64);
        }
        let g = (pieces[40_000] * pieces[69_999]).backward().unwrap();
        let g = g.wrt(x).unwrap().to_vec();
        assert_eq!((g[40_000], g[69_999], g.iter().sum::<f64>()), (69_999.0, 40_000.0, 109_999.0));
    }
}
