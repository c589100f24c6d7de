//! A diagonal, and its adjoint: a diagonal put into zeros.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Slice, Tensor};

/// The elements whose indices along two axes are equal, as a last axis.
#[derive(Clone, Copy)]
struct Diagonal(isize, isize);

impl<T: Real> Operation<T> for Diagonal {
    fn name(&self) -> &'static str {
        "diagonal"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].diagonal(self.0, self.1).map(one)
    }
    /// The cotangent on the diagonal of a square, grown to the axes' lengths, its axes put in place.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let shape = at.x(0).try_shape()?;
        let (a, b) = (resolve_axis(self.0, &shape)?, resolve_axis(self.1, &shape)?);
        let (rows, cols) = (shape[a], shape[b]);
        let n = rows.min(cols) as isize;
        let mut g = at.g(0).diag_embed();
        if rows > cols {
            g = g.embed(-2, Slice::from(..n), rows);
        }
        if cols > rows {
            g = g.embed(-1, Slice::from(..n), cols);
        }
        let rank = shape.len();
        let mut others = 0..rank as isize;
        let from = |axis| match axis {
            axis if axis == a => rank as isize - 2,
            axis if axis == b => rank as isize - 1,
            _ => others.next().expect("as many other axes as are counted"),
        };
        let order: Vec<isize> = (0..rank).map(from).collect();
        at.one(g.permute(order))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.diagonal(self.0, self.1))
    }
}

/// The last axis on the diagonal of a new last pair.
struct DiagEmbed;

impl<T: Real> Operation<T> for DiagEmbed {
    fn name(&self) -> &'static str {
        "diag_embed"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].diag_embed().map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).diagonal(-2, -1))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.diag_embed())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The elements whose indices along two axes are equal; that diagonal is the last axis of the result. A view.
    ///
    /// # Gradient
    ///
    /// The cotangent on the diagonal, 0 beside it.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.diagonal(0, 1).value()?.to_vec(), [1.0, 4.0]);
    /// assert_eq!(x.diagonal(0, 1).sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(self, axis1: isize, axis2: isize) -> Var<'t, T> {
        self.tape().apply(Diagonal(axis1, axis2), &[self])
    }

    /// The last axis on the diagonal of a new last pair of axes, zeros beside it: `[.., n]` becomes `[.., n, n]`.
    ///
    /// # Gradient
    ///
    /// The cotangent's diagonal.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for rank 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.diag_embed().value()?.to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "diag")]
    #[track_caller]
    pub fn diag_embed(self) -> Var<'t, T> {
        self.tape().apply(DiagEmbed, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let matrices = || shapes(&[&[&[3, 3]], &[&[2, 4]], &[&[4, 2]], &[&[1, 1]], &[&[0, 3]]], -2.0, 2.0);
    let rows = || shapes(&[&[&[3]], &[&[1]], &[&[2, 3]], &[&[2, 2, 2]], &[&[0]], &[&[2, 0]]], -2.0, 2.0);
    vec![
        sample!("diagonal", matrices(), |x| x[0].diagonal(0, 1).square()),
        sample!("diagonal of later axes", rank3(-2.0, 2.0), |x| x[0].diagonal(-1, 1).square()),
        sample!("diagonal of outer axes", rank3(-2.0, 2.0), |x| x[0].diagonal(0, 2).square()),
        sample!("diag_embed", rows(), |x| x[0].diag_embed().square()),
        wrong!("diagonal", &[&[2, 3]], |x| x[0].diagonal(0, 2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("diagonal", &[&[2, 3]], |x| x[0].diagonal(1, -1), "axis 1 is given twice"),
        wrong!("diag_embed", &[&[]], |x| x[0].diag_embed(), "shape [] has rank 0, wanted at least 1"),
    ]
}
