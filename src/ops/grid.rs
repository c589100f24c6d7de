//! Values brought to one shape, grids, and products of every element with every other.

use crate::error::{Error, ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::{Shape, broadcast};
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Which axis of a grid the first list of coordinates runs along.
///
/// ```
/// use retrograde::{Indexing, Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, y) = (tape.var(&Tensor::from([1.0, 2.0, 3.0])), tape.var(&Tensor::from([4.0, 5.0])));
/// let grid = tape.meshgrid(&[x, y], Indexing::Ij);
/// assert_eq!(grid[1].value()?, Tensor::from([[4.0, 5.0], [4.0, 5.0], [4.0, 5.0]]));
/// let grid = tape.meshgrid(&[x, y], Indexing::Xy);
/// assert_eq!(grid[0].value()?, Tensor::from([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Indexing {
    /// The first: as the indices of a matrix, row before column.
    #[default]
    Ij,
    /// The second: as the coordinates of a picture, across before down.
    Xy,
}

impl<T: Real> Tape<T> {
    /// As many variables as there are inputs: all of them, or the error in each one's place.
    #[track_caller]
    fn together<'t>(
        &'t self,
        name: &'static str,
        n: usize,
        f: impl FnOnce() -> Result<Vec<Var<'t, T>>>,
    ) -> Vec<Var<'t, T>> {
        let mut all = Vec::new();
        let failed = self.composed(name, || {
            all = f()?;
            Ok(all.first().copied().unwrap_or_else(|| self.scalar(0.0)))
        });
        if failed.error().is_some() { vec![failed; n] } else { all }
    }

    /// Values broadcast to the one shape that all of them broadcast to. Views.
    ///
    /// # Gradient
    ///
    /// The sum over the repeated axes.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast), in every variable returned.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([[3.0], [4.0]])));
    /// let all = tape.broadcast_tensors(&[a, b]);
    /// assert_eq!(all[1].value()?, Tensor::from([[3.0, 3.0], [4.0, 4.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "broadcast_arrays")]
    #[track_caller]
    pub fn broadcast_tensors<'t>(&'t self, vars: &[Var<'t, T>]) -> Vec<Var<'t, T>> {
        self.together("broadcast_tensors", vars.len(), || {
            let mut shape = Shape::default();
            for x in vars {
                shape = broadcast(&shape, &x.try_shape()?)?;
            }
            Ok(vars.iter().map(|x| x.expand(&shape)).collect())
        })
    }

    /// The coordinates of a grid's points: for each list of coordinates its value at every point. Scalars are lists of
    /// one. Views.
    ///
    /// # Gradient
    ///
    /// The sum over the points that have a coordinate.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for more than one axis, in every variable returned. See [`Indexing`] for an example.
    #[track_caller]
    pub fn meshgrid<'t>(&'t self, vars: &[Var<'t, T>], indexing: Indexing) -> Vec<Var<'t, T>> {
        self.together("meshgrid", vars.len(), || {
            let mut dims = SmallVec::<[usize; 4]>::new();
            for x in vars {
                dims.push(length(*x)?);
            }
            let swapped = indexing == Indexing::Xy && vars.len() > 1;
            if swapped {
                dims.swap(0, 1);
            }
            let shape = Shape::new(dims)?;
            let along = |(i, x): (usize, &Var<'t, T>)| {
                let axis = if swapped && i < 2 { 1 - i } else { i };
                let mut own = SmallVec::<[usize; 4]>::from_elem(1, shape.len());
                own[axis] = shape[axis];
                Ok(x.reshape(Shape::new(own)?).expand(&shape))
            };
            vars.iter().enumerate().map(along).collect()
        })
    }

    /// Every combination of one element from each of several lists, one a row, the last list's running fastest. One list
    /// alone stays as it is.
    ///
    /// # Gradient
    ///
    /// The sum over the rows that an element is in.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for other than one axis; [`Argument`](ErrorKind::Argument) for an empty list.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0])));
    /// let y = tape.cartesian_prod(&[a, b]);
    /// assert_eq!(y.value()?, Tensor::from([[1.0, 3.0], [1.0, 4.0], [2.0, 3.0], [2.0, 4.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cartesian_prod<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("cartesian_prod", || {
            for x in vars {
                let shape = x.try_shape()?;
                if shape.len() != 1 {
                    return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "1" }.into());
                }
            }
            if let [alone] = vars {
                return Ok(*alone);
            }
            let columns: Vec<_> = self.meshgrid(vars, Indexing::Ij).iter().map(|x| x.ravel()).collect();
            Ok(self.stack(&columns, 1))
        })
    }
}

/// The length of a list; a scalar is a list of one.
fn length<T: Real>(x: Var<'_, T>) -> Result<usize> {
    match *x.try_shape()? {
        [] => Ok(1),
        [n] => Ok(n),
        ref found => Err(Error::from(ErrorKind::Rank { found: found.to_vec(), wanted: "0 or 1" })),
    }
}

/// The indices of every choice of `r` out of `n`, ascending, one after another.
fn choices(n: usize, r: usize, again: bool) -> Vec<i64> {
    let mut all = Vec::new();
    let step = usize::from(!again);
    let mut at: Vec<usize> = (0..r).map(|i| i * step).collect();
    // The most that each place can hold.
    let most = |i: usize| (n + i * step).checked_sub(1 + (r - 1) * step);
    if (0..r).any(|i| most(i).is_none_or(|most| at[i] > most)) {
        return all;
    }
    loop {
        all.extend(at.iter().map(|&i| i as i64));
        let Some(place) = (0..r).rev().find(|&i| most(i).is_some_and(|most| at[i] < most)) else {
            return all;
        };
        at[place] += 1;
        for i in place + 1..r {
            at[i] = at[i - 1] + step;
        }
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Every choice of `r` elements of a vector, one a row, in their order; with `again` an element may be chosen
    /// several times.
    ///
    /// # Gradient
    ///
    /// The sum over the rows that an element is in.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for other than one axis; [`Argument`](ErrorKind::Argument) for `r = 0`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.combinations(2, false).value()?, Tensor::from([[1.0, 2.0], [1.0, 3.0], [2.0, 3.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn combinations(self, r: usize, again: bool) -> Var<'t, T> {
        self.tape().composed("combinations", || {
            let shape = self.try_shape()?;
            let &[n] = &*shape else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "1" }.into());
            };
            if r == 0 {
                return argument("the number of elements chosen", "0", "at least 1");
            }
            let all = choices(n, r, again);
            let index = Tensor::from_slice(&all, [all.len() / r, r])?;
            Ok(self.index_select(0, &index))
        })
    }

    /// The Kronecker product: each element of this times the whole of `other`, in blocks. Shapes are aligned at the
    /// last axis; the lengths multiply.
    ///
    /// # Gradient
    ///
    /// To each the cotangent times the other, summed over the blocks.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0])));
    /// assert_eq!(a.kron(b).value()?.to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn kron(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("kron", || {
            let (a, b) = (self.try_shape()?, other.try_shape()?);
            let rank = a.len().max(b.len());
            let at = |shape: &Shape, axis: usize| {
                (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
            };
            let of = |pair: fn([usize; 2]) -> [usize; 2]| {
                let pairs = (0..rank).flat_map(|axis| pair([at(&a, axis), at(&b, axis)]));
                Shape::new(pairs.collect::<SmallVec<[usize; 8]>>())
            };
            let merged = (0..rank).map(|axis| at(&a, axis).saturating_mul(at(&b, axis)));
            let merged = Shape::new(merged.collect::<SmallVec<[usize; 4]>>())?;
            Ok((self.reshape(of(|[n, _]| [n, 1])?) * other.reshape(of(|[_, n]| [1, n])?)).reshape(merged))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let three = || shapes(&[&[&[3], &[2], &[4]], &[&[1], &[0], &[2]]], -2.0, 2.0);
    let pairs = || {
        let cases: &[&[&[usize]]] =
            &[&[&[2], &[3]], &[&[2, 3], &[2, 2]], &[&[2, 3], &[2]], &[&[], &[2, 2]], &[&[3], &[0]]];
        shapes(cases, -2.0, 2.0)
    };
    let vectors = || shapes(&[&[&[4]], &[&[3]], &[&[1]], &[&[0]]], -2.0, 2.0);
    vec![
        sample!(
            "broadcast_tensors",
            shapes(&[&[&[3], &[2, 1], &[]], &[&[1], &[0], &[2, 1]]], -2.0, 2.0),
            |x| {
                let all = x[0].tape().broadcast_tensors(x);
                all[0].square() * all[1] + all[2].square()
            }
        ),
        sample!("meshgrid", three(), |x| {
            let grid = x[0].tape().meshgrid(x, Indexing::Ij);
            grid[0].square() * grid[1] + grid[2].square()
        }),
        sample!("meshgrid of pictures", three(), |x| {
            let grid = x[0].tape().meshgrid(x, Indexing::Xy);
            grid[0].square() * grid[1] + grid[2].square()
        }),
        sample!("meshgrid of scalars", shapes(&[&[&[], &[3]]], -2.0, 2.0), |x| {
            let grid = x[0].tape().meshgrid(x, Indexing::Xy);
            grid[0].square() * grid[1]
        }),
        sample!("cartesian_prod", three(), |x| x[0].tape().cartesian_prod(x).square()),
        sample!("cartesian_prod of one", vectors(), |x| x[0].tape().cartesian_prod(x).square()),
        sample!("combinations", vectors(), |x| x[0].combinations(2, false).square()),
        sample!("combinations with repetition", vectors(), |x| x[0].combinations(3, true).square()),
        sample!("kron", pairs(), |x| x[0].kron(x[1]).square()),
        sample!("kron the other way", pairs(), |x| x[1].kron(x[0]).square()),
        wrong!(
            "broadcast_tensors",
            &[&[2], &[3]],
            |x| x[0].tape().broadcast_tensors(x)[1],
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "meshgrid",
            &[&[2], &[3, 1]],
            |x| x[0].tape().meshgrid(x, Indexing::Ij)[1],
            "shape [3, 1] has rank 2, wanted 0 or 1"
        ),
        wrong!("cartesian_prod", &[&[]], |x| x[0].tape().cartesian_prod(x), "shape [] has rank 0, wanted 1"),
        wrong!(
            "stack",
            &[&[2]],
            |x| x[0].tape().cartesian_prod(&[]),
            "the list of tensors is empty, wanted at least one"
        ),
        wrong!(
            "combinations",
            &[&[2, 2]],
            |x| x[0].combinations(1, true),
            "shape [2, 2] has rank 2, wanted 1"
        ),
        wrong!(
            "combinations",
            &[&[2]],
            |x| x[0].combinations(0, true),
            "the number of elements chosen is 0, wanted at least 1"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::choices;

    #[test]
    fn choices_are_all_there() {
        assert_eq!(choices(4, 2, false), [0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3]);
        assert_eq!(choices(2, 3, true), [0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1]);
        assert_eq!(choices(3, 3, false), [0, 1, 2]);
        assert_eq!(choices(1, 2, true), [0, 0]);
        assert!(
            choices(2, 3, false).is_empty()
                && choices(0, 1, true).is_empty()
                && choices(0, 2, false).is_empty()
        );
    }
}
