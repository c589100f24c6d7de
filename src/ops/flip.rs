//! Axes read backwards, turned and rotated.

use crate::error::{Result, argument};
use crate::number::Real;
use crate::shape::{Axes, resolve_axis};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// Axes read backwards: its own inverse.
#[derive(Clone)]
struct Flip(Axes);

impl<T: Real> Operation<T> for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].flip(self.0.clone()).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.clone(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(self.clone(), &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(g.flip(self.0.clone()))
    }
}

/// An axis turned: the element at `i` goes to `i + by`, around the end. The inverse turns back.
#[derive(Clone, Copy)]
struct Roll {
    axis: usize,
    by: isize,
}

impl Roll {
    fn of<E: crate::number::Element>(self, x: &Tensor<E>) -> Result<Tensor<E>> {
        let n = x.shape()[self.axis] as isize;
        let axis = self.axis as isize;
        if n == 0 || self.by.rem_euclid(n) == 0 {
            return Ok(x.clone());
        }
        let from = n - self.by.rem_euclid(n);
        Tensor::concat(&[&x.slice(axis, from..)?, &x.slice(axis, ..from)?], axis)
    }

    fn back(self) -> Roll {
        Roll { by: -self.by, ..self }
    }
}

impl<T: Real> Operation<T> for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.of(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.back(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(*self, &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.back().of(&g))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Some axes read backwards. A view.
    ///
    /// # Gradient
    ///
    /// The cotangent, read backwards along the same axes.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.flip(1).value()?.to_vec(), [2.0, 1.0, 4.0, 3.0]);
    /// assert_eq!(x.flip([0, 1]).value()?.to_vec(), [4.0, 3.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "reverse")]
    #[track_caller]
    pub fn flip(self, axes: impl Into<Axes>) -> Var<'t, T> {
        self.tape().apply(Flip(axes.into()), &[self])
    }

    /// The second axis read backwards: left and right of a matrix. See [`flip`](Var::flip).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for fewer than two axes.
    #[track_caller]
    pub fn fliplr(self) -> Var<'t, T> {
        self.flip(1)
    }

    /// The first axis read backwards: top and bottom of a matrix. See [`flip`](Var::flip).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for rank 0.
    #[track_caller]
    pub fn flipud(self) -> Var<'t, T> {
        self.flip(0)
    }

    /// Axes turned: along each of `axes` the element at `i` goes to `i + shift`, around the end. With [`Axes::ALL`] the
    /// elements are turned by one shift in row-major order, whatever the shape.
    ///
    /// # Gradient
    ///
    /// Turned back.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice);
    /// [`Argument`](crate::ErrorKind::Argument) unless there is one shift for each axis.
    ///
    /// ```
    /// use retrograde::{Axes, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.roll([1], 1).value()?.to_vec(), [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
    /// assert_eq!(x.roll([1, -1], [0, 1]).value()?.to_vec(), [5.0, 6.0, 4.0, 2.0, 3.0, 1.0]);
    /// assert_eq!(x.roll([2], Axes::ALL).value()?.to_vec(), [5.0, 6.0, 1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn roll(self, shifts: impl AsRef<[isize]>, axes: impl Into<Axes>) -> Var<'t, T> {
        self.tape().composed("roll", || {
            let (shifts, shape) = (shifts.as_ref(), self.try_shape()?);
            let axes = axes.into().in_order(&shape)?;
            let wanted = axes.as_ref().map_or(1, |axes| axes.len());
            if shifts.len() != wanted {
                return argument("the number of shifts", shifts.len(), wanted);
            }
            let roll = |x: Var<'t, T>, axis: usize, by: isize| -> Result<Var<'t, T>> {
                // Less than the length: so the way back, the negative, exists.
                let n = x.try_shape()?[axis].max(1) as isize;
                Ok(x.tape().apply(Roll { axis, by: by % n }, &[x]))
            };
            match axes {
                None => Ok(roll(self.reshape([shape.count()]), 0, shifts[0])?.reshape(shape)),
                Some(axes) => axes.iter().zip(shifts).try_fold(self, |x, (&axis, &by)| roll(x, axis, by)),
            }
        })
    }

    /// A quarter turn, `k` times, in the plane of two axes, from the first towards the second. A view.
    ///
    /// # Gradient
    ///
    /// Turned back.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.rot90(1, [0, 1]).value()?.to_vec(), [2.0, 4.0, 1.0, 3.0]);
    /// assert_eq!(x.rot90(-1, [0, 1]).value()?.to_vec(), [3.0, 1.0, 4.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn rot90(self, k: isize, axes: [isize; 2]) -> Var<'t, T> {
        self.tape().composed("rot90", || {
            let shape = self.try_shape()?;
            Axes::from(axes).resolve(&shape)?;
            let [a, b] = [resolve_axis(axes[0], &shape)? as isize, resolve_axis(axes[1], &shape)? as isize];
            Ok(match k.rem_euclid(4) {
                0 => self,
                1 => self.flip(b).transpose(a, b),
                2 => self.flip([a, b]),
                _ => self.flip(a).transpose(a, b),
            })
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let matrices = || shapes(&[&[&[3, 4]], &[&[2, 2]], &[&[1, 3]], &[&[0, 2]]], -2.0, 2.0);
    let lists = || shapes(&[&[&[7]], &[&[1]], &[&[0]]], -2.0, 2.0);
    vec![
        sample!("flip of all", unary(-2.0, 2.0), |x| x[0].flip(Axes::ALL).square()),
        sample!("flip of two", rank3(-2.0, 2.0), |x| x[0].flip([-1, 0]).square() * x[0]),
        sample!("flip of none", rank3(-2.0, 2.0), |x| x[0].flip([0isize; 0]).square()),
        sample!("fliplr", matrices(), |x| x[0].fliplr().square() * x[0]),
        sample!("flipud", matrices(), |x| x[0].flipud().square() * x[0]),
        sample!("roll", lists(), |x| x[0].roll([2], 0).square() * x[0]),
        sample!("roll back", lists(), |x| x[0].roll([-9], -1).square() * x[0]),
        sample!("roll two", rank3(-2.0, 2.0), |x| x[0].roll([1, -2], [2, 0]).square() * x[0]),
        sample!("roll of all", unary(-2.0, 2.0), |x| x[0].roll([3], Axes::ALL).square() * x[0]),
        sample!("rot90", matrices(), |x| x[0].rot90(1, [0, 1]).square()),
        sample!("rot90 twice", rank3(-2.0, 2.0), |x| x[0].rot90(-6, [2, 0]).square() * x[0]),
        sample!("rot90 thrice", rank3(-2.0, 2.0), |x| x[0].rot90(-1, [1, -1]).square()),
        sample!("rot90 not at all", matrices(), |x| x[0].rot90(4, [0, 1]).square()),
        wrong!("flip", &[&[2, 3]], |x| x[0].flip(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("flip", &[&[2, 3]], |x| x[0].flip([1, -1]), "axis 1 is given twice"),
        wrong!("flip", &[&[3]], |x| x[0].fliplr(), "axis 1 is out of range for shape [3]"),
        wrong!("roll", &[&[2, 3]], |x| x[0].roll([1], 2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("roll", &[&[2, 3]], |x| x[0].roll([1, 2], 0), "the number of shifts is 2, wanted 1"),
        wrong!("roll", &[&[2, 3]], |x| x[0].roll([1, 2], Axes::ALL), "the number of shifts is 2, wanted 1"),
        wrong!("rot90", &[&[2, 3]], |x| x[0].rot90(0, [0, 2]), "axis 2 is out of range for shape [2, 3]"),
        wrong!("rot90", &[&[2, 3]], |x| x[0].rot90(1, [1, -1]), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn turns_follow_one_another() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from_iter_in((0..6).map(f64::from), [2, 3]).unwrap());
        let mut turned = x;
        for k in 0..9 {
            assert_eq!(x.rot90(k, [0, 1]).value().unwrap(), turned.value().unwrap(), "{k}");
            assert_eq!(x.rot90(k - 8, [0, 1]).value().unwrap(), turned.value().unwrap(), "{k}");
            turned = turned.rot90(1, [0, 1]);
        }
        assert_eq!(x.rot90(1, [0, 1]).value().unwrap().to_vec(), [2.0, 5.0, 1.0, 4.0, 0.0, 3.0]);
    }

    #[test]
    fn a_shift_may_be_any_number() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0, 2.0]));
        for by in [isize::MIN, isize::MAX, 7, -7, 0] {
            let wanted = if by % 2 == 0 { [1.0, 2.0] } else { [2.0, 1.0] };
            let y = x.roll([by], 0);
            assert_eq!(y.value().unwrap().to_vec(), wanted);
            assert_eq!(y.backward_with(&Tensor::from(wanted)).unwrap().wrt(x).unwrap().to_vec(), [1.0, 2.0]);
        }
    }
}
