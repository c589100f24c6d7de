//! Derivatives of sampled functions by differences.

use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::{resolve_axis, same};
use crate::tape::{IntoVar, Var};
use smallvec::SmallVec;

/// How [`numeric_gradient`](Var::numeric_gradient) takes the derivative at the two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// The slope to the only neighbour: first order in the step.
    #[default]
    Linear,
    /// That of the parabola through the last three points: second order in the step.
    Quadratic,
}

/// The differences of neighbours along an axis.
fn steps<T: Real>(x: Var<'_, T>, axis: isize) -> Var<'_, T> {
    x.slice(axis, 1..) - x.slice(axis, ..-1)
}

/// The slopes of the intervals and their lengths, which broadcast against them along `axis`.
fn slopes<'t, T: Real>(y: Var<'t, T>, axis: usize, spacing: Var<'t, T>) -> Result<(Var<'t, T>, Var<'t, T>)> {
    let (shape, points) = (y.try_shape()?, spacing.try_shape()?);
    let n = shape[axis];
    if points.is_empty() {
        let one = spacing.reshape(vec![1; shape.len()]);
        return Ok((steps(y, axis as isize) / one, one));
    }
    same("the spacing", &points, &[n])?;
    let mut along: SmallVec<[usize; 4]> = SmallVec::from_elem(1, shape.len());
    along[axis] = n - 1;
    let lengths = steps(spacing, 0).reshape(along.to_vec());
    Ok((steps(y, axis as isize) / lengths, lengths))
}

fn numeric_gradient<'t, T: Real>(
    y: Var<'t, T>,
    axis: isize,
    spacing: Var<'t, T>,
    ends: Ends,
) -> Result<Var<'t, T>> {
    let shape = y.try_shape()?;
    let axis = resolve_axis(axis, &shape)?;
    let least = if ends == Ends::Linear { 2 } else { 3 };
    if shape[axis] < least {
        let (found, wanted) = (shape[axis].to_string(), format!("{least} at least"));
        return Err(Error::from(ErrorKind::Argument { name: "the length of the axis", found, wanted }));
    }
    let (slopes, lengths) = slopes(y, axis, spacing)?;
    let (along, last) = (axis as isize, shape[axis] as isize - 2);
    let at = |i: isize| slopes.slice(along, i..i + 1);
    let uniform = lengths.try_shape()?[axis] == 1 && last > 0;
    let length = |i: isize| if uniform { lengths } else { lengths.slice(along, i..i + 1) };
    let (left, right) = (slopes.slice(along, ..-1), slopes.slice(along, 1..));
    // The derivative of the parabola through three points: each slope weighted by the other interval's length.
    let inner = if uniform {
        (left + right) * 0.5
    } else {
        let (before, after) = (lengths.slice(along, ..-1), lengths.slice(along, 1..));
        (left * after + right * before) / (before + after)
    };
    let end = |i: isize, inward: isize| match ends {
        Ends::Linear => at(i),
        Ends::Quadratic => {
            let (own, next) = (length(i), length(inward));
            at(i) + (at(i) - at(inward)) * own / (own + next)
        }
    };
    Ok(y.tape().concat(&[end(0, 1), inner, end(last, last - 1)], along))
}

impl<'t, T: Real> Var<'t, T> {
    /// The derivative of a sampled function along an axis, by differences: second order in the step inside, at the ends
    /// as [`Ends`] says. It has the shape of the samples.
    ///
    /// The spacing is a number, or the coordinates of the samples as a variable or tensor of rank 1: the derivative is
    /// that of the parabola through each point and its neighbours.
    ///
    /// # Gradient
    ///
    /// By the samples, and by the coordinates if they are a variable.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for an axis with fewer than two samples,
    /// or three for [`Ends::Quadratic`]; [`Shape`](crate::ErrorKind::Shape) for coordinates that are not one for each sample.
    ///
    /// ```
    /// use retrograde::{Ends, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let y = tape.var(&Tensor::from([0.0, 1.0, 4.0, 9.0]));
    /// assert_eq!(y.numeric_gradient(0, 1.0, Ends::Linear).value()?.to_vec(), [1.0, 2.0, 4.0, 5.0]);
    /// assert_eq!(y.numeric_gradient(0, 1.0, Ends::Quadratic).value()?.to_vec(), [0.0, 2.0, 4.0, 6.0]);
    /// let at = Tensor::from([0.0, 1.0, 2.0, 4.0]);
    /// assert_eq!(y.numeric_gradient(0, &at, Ends::Linear).value()?.to_vec(), [1.0, 2.0, 17.0 / 6.0, 2.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "gradient")]
    #[track_caller]
    pub fn numeric_gradient(self, axis: isize, spacing: impl IntoVar<'t, T>, ends: Ends) -> Var<'t, T> {
        let tape = self.tape();
        let spacing = spacing.into_var(tape);
        tape.composed("numeric_gradient", || numeric_gradient(self, axis, spacing, ends))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::Ends::{Linear, Quadratic};
    use crate::conformance::{sample, shapes, wrong};
    use crate::tensor::Tensor;
    let several = || shapes(&[&[&[7]], &[&[3, 4]], &[&[3, 2, 5]]], -2.0, 2.0);
    let points = || shapes(&[&[&[5], &[5]], &[&[3, 4], &[3]], &[&[3, 2, 2], &[3]]], -0.1, 0.1);
    let pair = || shapes(&[&[&[2]], &[&[2, 3]], &[&[2, 0]]], -2.0, 2.0);
    vec![
        sample!("numeric_gradient", several(), |x| x[0].numeric_gradient(-1, 0.5, Linear).square()),
        sample!("numeric_gradient with parabolas", several(), |x| {
            x[0].numeric_gradient(0, 2.0, Quadratic).square()
        }),
        sample!("numeric_gradient of two", pair(), |x| x[0].numeric_gradient(0, 0.5, Linear).square()),
        sample!("numeric_gradient at points", points(), |x| {
            let grid = x[1].try_shape().map_or(1, |shape| shape.count());
            let grid = x[1].constant_like(Tensor::linspace(0.0, grid as f64, grid));
            x[0].numeric_gradient(0, x[1] + grid, Linear)
        }),
        sample!("numeric_gradient at points, with parabolas", points(), |x| {
            let grid = x[1].try_shape().map_or(1, |shape| shape.count());
            let grid = x[1].constant_like(Tensor::linspace(0.0, grid as f64, grid));
            x[0].numeric_gradient(0, x[1] + grid, Quadratic)
        }),
        wrong!(
            "numeric_gradient",
            &[&[2, 1]],
            |x| x[0].numeric_gradient(1, 1.0, Linear),
            "the length of the axis is 1, wanted 2 at least"
        ),
        wrong!(
            "numeric_gradient",
            &[&[2, 5]],
            |x| x[0].numeric_gradient(0, 1.0, Quadratic),
            "the length of the axis is 2, wanted 3 at least"
        ),
        wrong!(
            "numeric_gradient",
            &[&[2, 5], &[4]],
            |x| x[0].numeric_gradient(1, x[1], Linear),
            "the spacing has shape [4], wanted [5]"
        ),
        wrong!(
            "numeric_gradient",
            &[&[4]],
            |x| x[0].numeric_gradient(1, 1.0, Linear),
            "axis 1 is out of range for shape [4]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::Ends;
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn a_parabola_on_uneven_points_is_exact_inside_and_at_quadratic_ends() {
        let tape = Tape::new();
        let at = Tensor::from([0.0, 1.0, 3.0, 3.5, 7.0]);
        let x = tape.constant(&at);
        let y = (x.square() * 2.0 - x).unsqueeze(0);
        let found = y.numeric_gradient(-1, &at, Ends::Quadratic).value().unwrap();
        let wanted = (x * 4.0 - 1.0).value().unwrap();
        assert_eq!(found.shape(), [1, 5]);
        for (a, b) in found.iter().zip(wanted.iter()) {
            assert!(f64::abs(a - b) < 1e-12, "{found} {wanted}");
        }
        let linear = y.numeric_gradient(-1, &at, Ends::Linear).value().unwrap().to_vec();
        assert_eq!((linear[0], linear[4]), (1.0, 20.0));
    }
}
