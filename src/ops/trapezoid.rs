//! Integrals by the trapezoidal rule.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{IntoVar, Var};

impl<'t, T: Real> Var<'t, T> {
    /// The areas of the trapezoids between neighbours along an axis. `x` is a step (rank 0), points along the axis
    /// (rank 1), or points that broadcast to this.
    fn trapezoids(self, x: Var<'t, T>, axis: isize) -> Result<Var<'t, T>> {
        let (shape, points) = (self.try_shape()?, x.try_shape()?);
        let at = resolve_axis(axis, &shape)?;
        if shape[at] < 2 {
            return Ok(self.slice(axis, 0..0));
        }
        let means = (self.slice(axis, 1..) + self.slice(axis, ..-1)) * 0.5;
        if points.is_empty() {
            return Ok(means * x);
        }
        let lined_up = points.len() == 1;
        let axis = if lined_up { 0 } else { at as isize - shape.len() as isize };
        let length = points[resolve_axis(axis, &points)?];
        if length != shape[at] {
            let (found, mut wanted) = (points.to_vec(), shape.to_vec());
            if lined_up {
                wanted = vec![shape[at]];
            }
            return Err(ErrorKind::Shape { what: "x".into(), found, wanted }.into());
        }
        let steps = x.diff(1, axis);
        let steps = if lined_up {
            let mut along = vec![1; shape.len() - at];
            along[0] = length - 1;
            steps.reshape(along)
        } else {
            steps
        };
        Ok(means * steps)
    }

    /// The integral along an axis by the trapezoidal rule, `Σ (yᵢ + yᵢ₊₁)(xᵢ₊₁ − xᵢ)/2`, where `x` is the step (a
    /// number), the points along the axis (rank 1), or points that broadcast to this; 0 of fewer than two points.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Shape`](crate::ErrorKind::Shape) for points of another length than the
    /// axis; [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let y = tape.var(&Tensor::from([1.0, 3.0, 2.0]));
    /// assert_eq!(y.trapezoid(1.0, 0).item()?, 4.5);
    /// let area = y.trapezoid(&Tensor::from([0.0, 1.0, 4.0]), 0);
    /// assert_eq!(area.item()?, 9.5);
    /// assert_eq!(area.backward()?.wrt(y)?.to_vec(), [0.5, 2.0, 1.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "trapz")]
    #[track_caller]
    pub fn trapezoid(self, x: impl IntoVar<'t, T>, axis: isize) -> Var<'t, T> {
        let x = x.into_var(self.tape());
        self.tape().composed("trapezoid", || Ok(self.trapezoids(x, axis)?.sum_axes(axis)))
    }

    /// The running integrals along an axis by the trapezoidal rule, one fewer than there are points. See
    /// [`trapezoid`](Var::trapezoid).
    ///
    /// # Errors
    ///
    /// As [`trapezoid`](Var::trapezoid).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let y = tape.var(&Tensor::from([1.0, 3.0, 2.0]));
    /// assert_eq!(y.cumulative_trapezoid(1.0, 0).value()?.to_vec(), [2.0, 4.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cumulative_trapezoid(self, x: impl IntoVar<'t, T>, axis: isize) -> Var<'t, T> {
        let x = x.into_var(self.tape());
        self.tape().composed("cumulative_trapezoid", || Ok(self.trapezoids(x, axis)?.cumsum(axis)))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let steps = || shapes(&[&[&[7], &[]], &[&[1], &[]], &[&[0], &[]], &[&[2, 3], &[]]], -2.0, 2.0);
    let points =
        || shapes(&[&[&[4], &[4]], &[&[4, 3], &[4]], &[&[4, 3], &[4, 3]], &[&[4, 2], &[4, 1]]], -2.0, 2.0);
    let middle =
        || shapes(&[&[&[2, 3, 4], &[3]], &[&[2, 3, 4], &[3, 1]], &[&[2, 3, 1], &[2, 3, 1]]], -2.0, 2.0);
    vec![
        sample!("trapezoid", steps(), |x| x[0].trapezoid(x[1], 0)),
        sample!("trapezoid on points", points(), |x| x[0].trapezoid(x[1], 0)),
        sample!("trapezoid over middle", middle(), |x| x[0].trapezoid(x[1], -2)),
        sample!("cumulative_trapezoid", steps(), |x| x[0].cumulative_trapezoid(x[1], 0)),
        sample!("cumulative_trapezoid over middle", middle(), |x| x[0].cumulative_trapezoid(x[1], 1)),
        wrong!(
            "trapezoid",
            &[&[2, 3]],
            |x| x[0].trapezoid(1.0, 2),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("trapezoid", &[&[2, 3], &[2]], |x| x[0].trapezoid(x[1], 1), "x has shape [2], wanted [3]"),
        wrong!(
            "cumulative_trapezoid",
            &[&[2, 3], &[3, 3]],
            |x| x[0].cumulative_trapezoid(x[1], 0),
            "x has shape [3, 3], wanted [2, 3]"
        ),
    ]
}
