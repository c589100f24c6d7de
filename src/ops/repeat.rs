//! Values repeated: whole, or element by element.

use crate::error::{Result, argument};
use crate::number::Real;
use crate::shape::{Shape, resolve_axis, same};
use crate::tape::Var;
use crate::tensor::Tensor;
use smallvec::SmallVec;

type Dims = SmallVec<[usize; 4]>;

/// `shape` with ones in front up to `rank`.
fn padded(shape: &[usize], rank: usize) -> Dims {
    let mut dims = Dims::from_elem(1, rank.saturating_sub(shape.len()));
    dims.extend_from_slice(shape);
    dims
}

impl<'t, T: Real> Var<'t, T> {
    /// The whole repeated along each axis; more counts than axes put new ones in front.
    ///
    /// # Gradient
    ///
    /// The sum over the copies.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for fewer counts than axes, which [`tile`](Var::tile) takes;
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.repeat([2, 2]);
    /// assert_eq!(y.value()?, Tensor::from([[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]));
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [4.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat(self, counts: impl AsRef<[usize]>) -> Var<'t, T> {
        self.tape().composed("repeat", || {
            let (counts, shape) = (counts.as_ref(), self.try_shape()?);
            if counts.len() < shape.len() {
                return argument("the number of counts", counts.len(), format!("at least {}", shape.len()));
            }
            self.repeated(counts, &shape)
        })
    }

    /// As [`repeat`](Var::repeat), with counts of 1 put in front for the axes that lack one.
    ///
    /// # Gradient
    ///
    /// The sum over the copies.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0], [2.0]]));
    /// assert_eq!(x.tile([2]).value()?, Tensor::from([[1.0, 1.0], [2.0, 2.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tile(self, counts: impl AsRef<[usize]>) -> Var<'t, T> {
        self.tape().composed("tile", || {
            let shape = self.try_shape()?;
            self.repeated(&padded(counts.as_ref(), shape.len()), &shape)
        })
    }

    /// Each axis as a pair, of which the first is repeated; then the pairs merged.
    fn repeated(self, counts: &[usize], shape: &[usize]) -> Result<Var<'t, T>> {
        let shape = padded(shape, counts.len());
        let (mut parted, mut full) = (Dims::new(), Dims::new());
        for (&n, &count) in shape.iter().zip(counts) {
            if count != 1 {
                parted.push(1);
                full.push(count);
            }
            parted.push(n);
            full.push(n);
        }
        let lengths = shape.iter().zip(counts).map(|(&n, &count)| n.saturating_mul(count));
        let merged = Shape::new(lengths.collect::<Dims>())?;
        Ok(self.reshape(Shape::new(parted)?).expand(Shape::new(full)?).reshape(merged))
    }

    /// Each index of an axis repeated `count` times in place.
    ///
    /// # Gradient
    ///
    /// The sum over the copies.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.repeat_interleave(2, 0).value()?.to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat_interleave(self, count: usize, axis: isize) -> Var<'t, T> {
        self.tape().composed("repeat_interleave", || {
            let shape = self.try_shape()?;
            let axis = resolve_axis(axis, &shape)?;
            let mut merged = Dims::from_slice(&shape);
            merged[axis] = shape[axis].saturating_mul(count);
            let (merged, mut full) = (Shape::new(merged)?, Dims::from_slice(&shape));
            full.insert(axis + 1, count);
            Ok(self.unsqueeze((axis + 1) as isize).expand(Shape::new(full)?).reshape(merged))
        })
    }

    /// Each index of an axis repeated in place, as often as `counts` says for it.
    ///
    /// # Gradient
    ///
    /// The sum over the copies.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Shape`](crate::ErrorKind::Shape) unless there is one count for each index;
    /// [`Argument`](crate::ErrorKind::Argument) for a negative one; [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.repeat_interleave_counts(&Tensor::from([2, 0, 1]), 0);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 1.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat_interleave_counts(self, counts: &Tensor<i64>, axis: isize) -> Var<'t, T> {
        self.tape().composed("repeat_interleave", || {
            let shape = self.try_shape()?;
            let n = shape[resolve_axis(axis, &shape)?];
            same("the list of counts", counts.shape(), &[n])?;
            if let Some(negative) = counts.iter().find(|&count| count < 0) {
                return argument("a count", negative, "at least 0");
            }
            let total = counts.iter().fold(0usize, |total, count| total.saturating_add(count as usize));
            let index = Tensor::build(Shape::new([total])?, |out| {
                let mut rest = out;
                for (i, count) in counts.iter().enumerate() {
                    let (here, after) = std::mem::take(&mut rest).split_at_mut(count as usize);
                    here.fill(i as i64);
                    rest = after;
                }
            })?;
            Ok(self.index_select(axis, &index))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let threes = || shapes(&[&[&[3]], &[&[3, 2]], &[&[3, 0]]], -2.0, 2.0);
    vec![
        sample!("repeat", rank3(-2.0, 2.0), |x| x[0].repeat([2, 1, 3]).square()),
        sample!("repeat with new axes", unary(-2.0, 2.0), |x| x[0].repeat([2, 1, 1, 2]).square()),
        sample!("repeat never", rank3(-2.0, 2.0), |x| x[0].repeat([2, 0, 1])),
        sample!("tile", rank3(-2.0, 2.0), |x| x[0].tile([2]).square()),
        sample!("tile by nothing", unary(-2.0, 2.0), |x| x[0].tile([]).square() * x[0]),
        sample!("tile with new axes", unary(-2.0, 2.0), |x| x[0].tile([3, 1, 1, 2]).square()),
        sample!("repeat_interleave", rank3(-2.0, 2.0), |x| x[0].repeat_interleave(2, 1).square()),
        sample!("repeat_interleave last", rank3(-2.0, 2.0), |x| x[0].repeat_interleave(3, -1).square()),
        sample!("repeat_interleave never", rank3(-2.0, 2.0), |x| x[0].repeat_interleave(0, 0)),
        sample!("repeat_interleave_counts", threes(), |x| {
            x[0].repeat_interleave_counts(&Tensor::from([2, 0, 3]), 0).square()
        }),
        wrong!("repeat", &[&[2, 3]], |x| x[0].repeat([2]), "the number of counts is 1, wanted at least 2"),
        wrong!(
            "repeat",
            &[&[2]],
            |x| x[0].repeat([usize::MAX]),
            "shape [18446744073709551615] is too large: at most 64 axes and 2^63 - 1 bytes"
        ),
        wrong!(
            "repeat_interleave",
            &[&[2]],
            |x| x[0].repeat_interleave(2, 1),
            "axis 1 is out of range for shape [2]"
        ),
        wrong!(
            "repeat_interleave",
            &[&[2]],
            |x| x[0].repeat_interleave_counts(&Tensor::from([1, 2, 3]), 0),
            "the list of counts has shape [3], wanted [2]"
        ),
        wrong!(
            "repeat_interleave",
            &[&[2]],
            |x| x[0].repeat_interleave_counts(&Tensor::from([1, -2]), 0),
            "a count is -2, wanted at least 0"
        ),
    ]
}
