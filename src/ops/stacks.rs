//! Several values in one: side by side by their rank, and along a diagonal.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tape::{Tape, Var};

impl<T: Real> Tape<T> {
    /// Values one after another along the second axis; vectors, and scalars as vectors of one, along their only one.
    ///
    /// # Gradient
    ///
    /// To each its part of the cotangent.
    ///
    /// # Errors
    ///
    /// As [`concat`](Tape::concat).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.scalar(3.0));
    /// assert_eq!(tape.hstack(&[a, b]).value()?.to_vec(), [1.0, 2.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hstack<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("hstack", || {
            let vars: Vec<_> = vars.iter().map(|x| x.atleast_1d()).collect();
            let axis = match vars.first() {
                Some(first) if first.try_shape()?.len() > 1 => 1,
                _ => 0,
            };
            Ok(self.concat(&vars, axis))
        })
    }

    /// Values one below the other along the first axis; vectors are rows.
    ///
    /// # Gradient
    ///
    /// To each its part of the cotangent.
    ///
    /// # Errors
    ///
    /// As [`concat`](Tape::concat).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1.0, 2.0]));
    /// let b = tape.var(&Tensor::from([[3.0, 4.0], [5.0, 6.0]]));
    /// assert_eq!(tape.vstack(&[a, b]).shape(), [3, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "row_stack")]
    #[track_caller]
    pub fn vstack<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("vstack", || {
            Ok(self.concat(&vars.iter().map(|x| x.atleast_2d()).collect::<Vec<_>>(), 0))
        })
    }

    /// Values one behind the other along the third axis; vectors and matrices get the axes that they lack by
    /// [`atleast_3d`](Var::atleast_3d).
    ///
    /// # Gradient
    ///
    /// To each its part of the cotangent.
    ///
    /// # Errors
    ///
    /// As [`concat`](Tape::concat).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = tape.dstack(&[a, a * 10.0]);
    /// assert_eq!(y.value()?, Tensor::from([[[1.0, 10.0], [2.0, 20.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dstack<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("dstack", || {
            Ok(self.concat(&vars.iter().map(|x| x.atleast_3d()).collect::<Vec<_>>(), 2))
        })
    }

    /// Vectors as columns, and matrices as they are, side by side along the second axis.
    ///
    /// # Gradient
    ///
    /// To each its part of the cotangent.
    ///
    /// # Errors
    ///
    /// As [`concat`](Tape::concat).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(tape.column_stack(&[a, a * 10.0]).value()?, Tensor::from([[1.0, 10.0], [2.0, 20.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn column_stack<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("column_stack", || {
            let column = |x: &Var<'t, T>| match *x.try_shape()? {
                [] => Ok(x.reshape([1, 1])),
                [n] => Ok(x.reshape([n, 1])),
                _ => Ok(*x),
            };
            Ok(self.concat(&vars.iter().map(column).collect::<Result<Vec<_>>>()?, 1))
        })
    }

    /// Matrices along the diagonal of a larger one, zeros beside them. Vectors are rows, scalars matrices of one.
    ///
    /// # Gradient
    ///
    /// To each its block of the cotangent.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for an empty list; [`Rank`](ErrorKind::Rank) for more than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([[1.0, 2.0]])), tape.scalar(3.0));
    /// let y = tape.block_diag(&[a, b]);
    /// assert_eq!(y.value()?, Tensor::from([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn block_diag<'t>(&'t self, vars: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("block_diag", || {
            let mut blocks = Vec::with_capacity(vars.len());
            let mut total = 0usize;
            for x in vars {
                let matrix = x.atleast_2d();
                let shape = matrix.try_shape()?;
                let &[_, cols] = &*shape else {
                    return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at most 2" }.into());
                };
                blocks.push((matrix, total as isize, cols as isize));
                total = total.saturating_add(cols);
            }
            let rows = blocks.into_iter().map(|(x, from, cols)| x.embed(1, from..from + cols, total));
            Ok(self.concat(&rows.collect::<Vec<_>>(), 0))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let alike = || {
        let cases: &[&[&[usize]]] =
            &[&[&[], &[]], &[&[3], &[3]], &[&[2, 3], &[2, 3]], &[&[2, 1, 3], &[2, 1, 3]], &[&[0], &[0]]];
        shapes(cases, -2.0, 2.0)
    };
    let blocks = || shapes(&[&[&[2, 3], &[1, 2]], &[&[], &[3]], &[&[0, 2], &[2, 1]]], -2.0, 2.0);
    vec![
        sample!("hstack", alike(), |x| x[0].tape().hstack(&[x[0], x[1], x[0]]).square()),
        sample!("hstack of unequal", shapes(&[&[&[], &[3]], &[&[2, 1], &[2, 3]]], -2.0, 2.0), |x| {
            x[0].tape().hstack(&[x[0], x[1]]).square()
        }),
        sample!("vstack", alike(), |x| x[0].tape().vstack(&[x[0], x[1]]).square()),
        sample!("vstack of unequal", shapes(&[&[&[3], &[2, 3]]], -2.0, 2.0), |x| {
            x[0].tape().vstack(&[x[0], x[1]]).square()
        }),
        sample!("dstack", alike(), |x| x[0].tape().dstack(&[x[0], x[1]]).square()),
        sample!("column_stack", alike(), |x| x[0].tape().column_stack(&[x[0], x[1]]).square()),
        sample!("column_stack of unequal", shapes(&[&[&[2], &[2, 3]]], -2.0, 2.0), |x| {
            x[0].tape().column_stack(&[x[0], x[1]]).square()
        }),
        sample!("block_diag", blocks(), |x| x[0].tape().block_diag(&[x[0], x[1], x[0]]).square()),
        wrong!(
            "concat",
            &[&[2], &[2, 2]],
            |x| x[0].tape().hstack(&[x[0], x[1]]),
            "operand 1 has shape [2, 2], wanted [2]"
        ),
        wrong!(
            "concat",
            &[&[2]],
            |x| x[0].tape().vstack(&[]),
            "the list of tensors is empty, wanted at least one"
        ),
        wrong!(
            "concat",
            &[&[2], &[3]],
            |x| x[0].tape().vstack(&[x[0], x[1]]),
            "operand 1 has shape [1, 3], wanted [1, 2]"
        ),
        wrong!(
            "block_diag",
            &[&[2], &[1, 1, 1]],
            |x| x[0].tape().block_diag(&[x[0], x[1]]),
            "shape [1, 1, 1] has rank 3, wanted at most 2"
        ),
        wrong!(
            "concat",
            &[&[2]],
            |x| x[0].tape().block_diag(&[]),
            "the list of tensors is empty, wanted at least one"
        ),
    ]
}
