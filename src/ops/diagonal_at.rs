//! Any diagonal: read, written, and built from.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Axes, resolve_axis, same};
use crate::tape::Var;

/// How far along the rows and the columns a diagonal begins.
fn start(offset: isize) -> (usize, usize) {
    if offset < 0 { (offset.unsigned_abs(), 0) } else { (0, offset as usize) }
}

impl<'t, T: Real> Var<'t, T> {
    /// The elements whose index along `axis2` is `offset` above that along `axis1`, as a last axis. A view. An offset
    /// beyond the corner gives none. See [`diagonal`](Var::diagonal).
    ///
    /// # Gradient
    ///
    /// The cotangent on that diagonal, 0 beside it.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.diagonal_at(1, 0, 1).value()?.to_vec(), [2.0, 6.0]);
    /// assert_eq!(x.diagonal_at(-1, 0, 1).value()?.to_vec(), [4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "diagonal")]
    #[track_caller]
    pub fn diagonal_at(self, offset: isize, axis1: isize, axis2: isize) -> Var<'t, T> {
        self.tape().composed("diagonal", || {
            let shape = self.try_shape()?;
            let (row, col) = start(offset);
            let cut = |x: Var<'t, T>, axis: isize, from: usize| -> Result<Var<'t, T>> {
                let n = shape[resolve_axis(axis, &shape)?];
                Ok(if from == 0 { x } else { x.slice(axis, from.min(n) as isize..) })
            };
            let x = cut(cut(self, axis1, row)?, axis2, col)?;
            Ok(x.diagonal(axis1, axis2))
        })
    }

    /// The last axis on a diagonal, `offset` above the main one, of a new pair of axes; zeros beside it. In the result
    /// the rows are axis `axis1` and the columns axis `axis2`. See [`diag_embed`](Var::diag_embed).
    ///
    /// # Gradient
    ///
    /// The cotangent's diagonal.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice);
    /// [`TooLarge`](ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.diag_embed_at(1, -2, -1);
    /// assert_eq!(y.value()?, Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "diag_embed")]
    #[track_caller]
    pub fn diag_embed_at(self, offset: isize, axis1: isize, axis2: isize) -> Var<'t, T> {
        self.tape().composed("diag_embed", || {
            let shape = self.try_shape()?;
            let &[.., n] = &*shape else {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            };
            let ((row, col), mut dims) = (start(offset), shape.to_vec());
            let size = n.saturating_add(row).saturating_add(col);
            dims.push(size);
            let places = [resolve_axis(axis1, &dims)? as isize, resolve_axis(axis2, &dims)? as isize];
            Axes::from(places).resolve(&dims)?;
            let put = |x: Var<'t, T>, axis, from: usize| {
                if offset == 0 { x } else { x.embed(axis, from as isize..(from + n) as isize, size) }
            };
            let square = put(put(self.diag_embed(), -1, col), -2, row);
            Ok(square.movedim([-2, -1], places))
        })
    }

    /// A matrix's diagonal, or the matrix that has a vector on its diagonal; `offset` above the main one.
    ///
    /// # Gradient
    ///
    /// As [`diagonal_at`](Var::diagonal_at) and [`diag_embed_at`](Var::diag_embed_at).
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for other than one or two axes; [`TooLarge`](ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.diag(0).value()?, Tensor::from([[1.0, 0.0], [0.0, 2.0]]));
    /// assert_eq!(x.diag(-1).diag(-1).value()?.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "diagflat")]
    #[track_caller]
    pub fn diag(self, offset: isize) -> Var<'t, T> {
        self.tape().composed("diag", || match self.try_shape()? {
            shape if shape.len() == 1 => Ok(self.diag_embed_at(offset, 0, 1)),
            shape if shape.len() == 2 => Ok(self.diagonal_at(offset, 0, 1)),
            shape => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "1 or 2" }.into()),
        })
    }

    /// The sum of the diagonal of the matrices in the first two axes; 0 of none.
    ///
    /// # Gradient
    ///
    /// 1 on the diagonal, 0 beside it.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for fewer than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.trace().item()?, 5.0);
    /// assert_eq!(x.trace().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn trace(self) -> Var<'t, T> {
        self.tape().composed("trace", || match self.try_shape()? {
            shape if shape.len() < 2 => {
                Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into())
            }
            _ => Ok(self.diagonal(0, 1).sum_axes(-1)),
        })
    }

    /// This value with another one on a diagonal: `piece` has the shape of
    /// [`diagonal_at`](Var::diagonal_at)`(offset, axis1, axis2)`.
    ///
    /// # Gradient
    ///
    /// The cotangent's diagonal to the piece; the cotangent beside it, 0 on it, to this.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice), [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.diagonal_scatter(tape.constant(&Tensor::from([9.0])), 1, 0, 1);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 9.0, 3.0, 4.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal_scatter(
        self,
        piece: Var<'t, T>,
        offset: isize,
        axis1: isize,
        axis2: isize,
    ) -> Var<'t, T> {
        self.tape().composed("diagonal_scatter", || {
            let shape = self.try_shape()?;
            Axes::from([axis1, axis2]).resolve(&shape)?;
            // Where the elements of the diagonal are in row-major order.
            let numbers = crate::tensor::Tensor::from(0..shape.count() as i64).reshape(&shape)?;
            let (row, col) = start(offset);
            let mut places = numbers;
            for (axis, from) in [(axis1, row), (axis2, col)] {
                let n = shape[resolve_axis(axis, &shape)?];
                places = places.slice(axis, from.min(n) as isize..)?;
            }
            let places = places.diagonal(axis1, axis2)?;
            same("the piece", &piece.try_shape()?, places.shape())?;
            let flat = places.reshape([places.len()])?;
            Ok(self.ravel().scatter(0, &flat, piece.ravel()).reshape(shape))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let matrices = || shapes(&[&[&[3, 3]], &[&[2, 4]], &[&[4, 2]], &[&[1, 1]], &[&[0, 3]]], -2.0, 2.0);
    let rows = || shapes(&[&[&[3]], &[&[1]], &[&[2, 3]], &[&[0]], &[&[2, 0]]], -2.0, 2.0);
    let vectors = || shapes(&[&[&[3]], &[&[1]], &[&[0]]], -2.0, 2.0);
    vec![
        sample!("diagonal_at", matrices(), |x| x[0].diagonal_at(1, 0, 1).square()),
        sample!("diagonal_at below", matrices(), |x| x[0].diagonal_at(-1, 0, 1).square()),
        sample!("diagonal_at of axes", rank3(-2.0, 2.0), |x| x[0].diagonal_at(1, 2, 0).square()),
        sample!("diagonal_at far off", matrices(), |x| x[0].diagonal_at(9, 0, 1).square()),
        sample!("diag_embed_at", rows(), |x| x[0].diag_embed_at(1, -2, -1).square()),
        sample!("diag_embed_at below", rows(), |x| x[0].diag_embed_at(-2, 1, 0).square()),
        sample!("diag_embed_at in place", rows(), |x| x[0].diag_embed_at(0, 0, -1).square()),
        sample!("diag of a matrix", matrices(), |x| x[0].diag(-1).square()),
        sample!("diag of a vector", vectors(), |x| x[0].diag(2).square()),
        sample!("trace", matrices(), |x| x[0].square().trace()),
        sample!("trace of first two", rank3(-2.0, 2.0), |x| x[0].square().trace()),
        sample!("diagonal_scatter", shapes(&[&[&[3, 4], &[3]], &[&[4, 2], &[1]]], -2.0, 2.0), |x| {
            x[0].diagonal_scatter(x[1], 1, 0, 1).square() * x[0]
        }),
        sample!("diagonal_scatter of axes", shapes(&[&[&[3, 2, 4], &[2, 2]]], -2.0, 2.0), |x| {
            x[0].diagonal_scatter(x[1], -1, 0, -1).square() * x[0]
        }),
        wrong!(
            "diagonal",
            &[&[2, 3]],
            |x| x[0].diagonal_at(1, 0, 2),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("diagonal", &[&[2, 3]], |x| x[0].diagonal_at(1, 0, -2), "axis 0 is given twice"),
        wrong!(
            "diag_embed",
            &[&[]],
            |x| x[0].diag_embed_at(1, 0, 1),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!("diag_embed", &[&[2]], |x| x[0].diag_embed_at(1, 1, -1), "axis 1 is given twice"),
        wrong!(
            "diag_embed",
            &[&[2]],
            |x| x[0].diag_embed_at(0, 0, 2),
            "axis 2 is out of range for shape [2, 2]"
        ),
        wrong!("diag", &[&[1, 1, 1]], |x| x[0].diag(0), "shape [1, 1, 1] has rank 3, wanted 1 or 2"),
        wrong!("trace", &[&[3]], |x| x[0].trace(), "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "diagonal_scatter",
            &[&[2, 3], &[2]],
            |x| x[0].diagonal_scatter(x[1], 2, 0, 1),
            "the piece has shape [2], wanted [1]"
        ),
        wrong!(
            "diagonal_scatter",
            &[&[2, 3], &[2]],
            |x| x[0].diagonal_scatter(x[1], 0, 1, 1),
            "axis 1 is given twice"
        ),
    ]
}
