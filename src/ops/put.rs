//! Pieces put at combinations of indices, and in place of parts.

use crate::error::argument;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{IntoVar, Var};
use crate::tensor::{Places, Slice, Tensor, rows};

impl<'t, T: Real> Var<'t, T> {
    #[track_caller]
    fn put_by(
        self,
        name: &'static str,
        add: bool,
        indices: &[&Tensor<i64>],
        piece: impl IntoVar<'t, T>,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            if indices.is_empty() {
                return argument("the list of indices", "empty", "at least one");
            }
            let (merged, rows) = rows(&shape, indices)?;
            let places = Places::whole(&merged, 0, &rows)?;
            let piece = piece.expand(places.piece());
            Ok({
                let x = self.reshape(merged);
                let y = if add { x.added_at(name, places, piece) } else { x.set_at(name, places, piece) };
                y.reshape(shape)
            })
        })
    }

    /// This with a piece put at combinations of indices, one index for each of the first axes: `y[a[i], b[i]] =
    /// piece[i]` for `[a, b]`. The piece broadcasts to the shape that [`index`](Var::index) gives. Where several elements
    /// meet, the last one stays.
    ///
    /// # Gradient
    ///
    /// To the elements of the piece that stay, the cotangent at their places; to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for more indices than axes; [`Index`](crate::ErrorKind::Index);
    /// [`Broadcast`](crate::ErrorKind::Broadcast); [`Argument`](crate::ErrorKind::Argument) for no indices.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let (rows, columns) = (Tensor::from([0, 1]), Tensor::from([1, 0]));
    /// assert_eq!(x.index_put(&[&rows, &columns], 9.0).value()?.to_vec(), [1.0, 9.0, 9.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_put(self, indices: &[&Tensor<i64>], piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.put_by("index_put", false, indices, piece)
    }

    /// As [`index_put`](Var::index_put), with the piece added to what is there: PyTorch's `accumulate`.
    ///
    /// # Gradient
    ///
    /// To the piece the cotangent at its places, to this the cotangent.
    ///
    /// # Errors
    ///
    /// As [`index_put`](Var::index_put).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.index_put_add(&[&Tensor::from([0, 0])], 5.0).value()?.to_vec(), [11.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn index_put_add(self, indices: &[&Tensor<i64>], piece: impl IntoVar<'t, T>) -> Var<'t, T> {
        self.put_by("index_put_add", true, indices, piece)
    }

    /// This with a piece in place of a range of an axis: the piece has the shape of [`slice`](Var::slice).
    ///
    /// # Gradient
    ///
    /// To the piece the cotangent in the range, to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// As [`slice`](Var::slice), and [`Shape`](crate::ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.slice_scatter(&Tensor::from([8.0, 9.0]), 0, 1..).value()?.to_vec(), [1.0, 8.0, 9.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "dynamic_update_slice")]
    #[track_caller]
    pub fn slice_scatter(
        self,
        piece: impl IntoVar<'t, T>,
        axis: isize,
        range: impl Into<Slice>,
    ) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed("slice_scatter", || {
            let shape = self.try_shape()?;
            let at = resolve_axis(axis, &shape)?;
            let index = Tensor::from(0..shape[at] as i64).slice(0, range)?;
            Ok(self.set_at("slice_scatter", Places::whole(&shape, axis, &index)?, piece))
        })
    }

    /// This with a piece in place of what lies at one index of an axis: the piece has the shape of
    /// [`select`](Var::select).
    ///
    /// # Gradient
    ///
    /// To the piece the cotangent at the index, to this the cotangent elsewhere.
    ///
    /// # Errors
    ///
    /// As [`select`](Var::select), and [`Shape`](crate::ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.select_scatter(&Tensor::from([8.0, 9.0]), 1, 0);
    /// assert_eq!(y.value()?.to_vec(), [8.0, 2.0, 9.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn select_scatter(self, piece: impl IntoVar<'t, T>, axis: isize, index: isize) -> Var<'t, T> {
        let piece = piece.into_var(self.tape());
        self.tape().composed("select_scatter", || {
            let places = Places::whole(&self.try_shape()?, axis, &Tensor::scalar(index as i64))?;
            Ok(self.set_at("select_scatter", places, piece))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let cube = |piece: &'static [usize]| shapes(&[&[&[2, 3, 4], piece]], -2.0, 2.0);
    vec![
        sample!("index_put", cube(&[2, 4]), |x| {
            x[0].index_put(&[&Tensor::from([0, 1]), &Tensor::from([2, -1])], x[1]).square() * x[0]
        }),
        sample!("index_put where pieces meet", cube(&[4]), |x| {
            x[0].index_put(&[&Tensor::from([0, 1, 0]), &Tensor::from([2, -1, 2])], x[1]).square() * x[0]
        }),
        sample!("index_put_add", cube(&[2, 1]), |x| {
            let [a, b] = [Tensor::from([[0], [1]]), Tensor::from([2, 0, 2])];
            x[0].index_put_add(&[&a, &b, &Tensor::scalar(1)], x[1]).square() * x[0]
        }),
        sample!("slice_scatter", cube(&[2, 3, 2]), |x| {
            x[0].slice_scatter(x[1], -1, Slice::from(..).step(2)).square() * x[0]
        }),
        sample!("select_scatter", cube(&[2, 4]), |x| x[0].select_scatter(x[1], 1, -1).square() * x[0]),
        wrong!(
            "index_put",
            &[&[3], &[]],
            |x| x[0].index_put(&[], x[1]),
            "the list of indices is empty, wanted at least one"
        ),
        wrong!(
            "index_put_add",
            &[&[3], &[]],
            |x| x[0].index_put_add(&[&Tensor::from([3])], x[1]),
            "index 3 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "expand",
            &[&[3], &[2]],
            |x| x[0].index_put(&[&Tensor::from([0, 1, 2])], x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "slice_scatter",
            &[&[3], &[1]],
            |x| x[0].slice_scatter(x[1], 0, 1..),
            "the piece has shape [1], wanted [2]"
        ),
        wrong!(
            "select_scatter",
            &[&[3], &[]],
            |x| x[0].select_scatter(x[1], 0, 3),
            "index 3 is out of range for axis 0 of size 3"
        ),
    ]
}
