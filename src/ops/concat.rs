//! Values one after another along an axis, or side by side along a new one.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Parts, Tape, Var, one};
use crate::tensor::Tensor;

/// Along an axis that the inputs have.
struct Concat {
    axis: isize,
}

impl<T: Real> Operation<T> for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Tensor::concat(x, self.axis).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0);
        let axis = resolve_axis(self.axis, &g.try_shape()?)?;
        let mut start = 0;
        let mut parts = Parts::new();
        for i in 0..at.inputs() {
            let n = at.x(i).try_shape()?[axis] as isize;
            parts.push(at.needs(i).then(|| g.slice(axis as isize, start..start + n)));
            start += n;
        }
        Ok(parts)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.y(0).tape().apply(Concat { axis: self.axis }, &tangents(at)))
    }
}

/// Along a new axis.
struct Stack {
    axis: isize,
}

impl<T: Real> Operation<T> for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Tensor::stack(x, self.axis).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0);
        let axis = resolve_axis(self.axis, &g.try_shape()?)? as isize;
        let row = |i: usize| g.slice(axis, i as isize..i as isize + 1).squeeze(axis);
        at.each(row)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.y(0).tape().apply(Stack { axis: self.axis }, &tangents(at)))
    }
}

/// The tangent of every input, zeros where there is none.
fn tangents<'t, T: Real>(at: &At<'_, 't, T>) -> Vec<Var<'t, T>> {
    (0..at.inputs()).map(|i| at.dx(i).unwrap_or_else(|| at.x(i).zeros_like())).collect()
}

impl<T: Real> Tape<T> {
    /// Values one after another along an axis that all have; the other axes must agree.
    ///
    /// # Gradient
    ///
    /// To each its part of the cotangent.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape), which names the first one that does not fit; [`Axis`](crate::ErrorKind::Axis);
    /// [`Argument`](crate::ErrorKind::Argument) for an empty list.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1.0, 2.0]));
    /// let b = tape.var(&Tensor::from([3.0]));
    /// let y = tape.concat(&[a, b, a], 0);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, 3.0, 1.0, 2.0]);
    /// assert_eq!(y.square().sum().backward()?.wrt(a)?.to_vec(), [4.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "cat")]
    #[track_caller]
    pub fn concat<'t>(&'t self, vars: &[Var<'t, T>], axis: isize) -> Var<'t, T> {
        self.apply(Concat { axis }, vars)
    }

    /// Values of one shape side by side along a new axis before `axis`; −1 puts it last.
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
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0])));
    /// assert_eq!(tape.stack(&[a, b], 0).value()?, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(tape.stack(&[a, b], -1).value()?, Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn stack<'t>(&'t self, vars: &[Var<'t, T>], axis: isize) -> Var<'t, T> {
        self.apply(Stack { axis }, vars)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let pairs = || shapes(&[&[&[2, 3], &[2, 3]], &[&[2, 1], &[2, 4]], &[&[3, 0], &[3, 2]]], -2.0, 2.0);
    let alike = || shapes(&[&[&[], &[]], &[&[3], &[3]], &[&[2, 3], &[2, 3]], &[&[0, 2], &[0, 2]]], -2.0, 2.0);
    vec![
        sample!("concat", shapes(&[&[&[2, 3], &[4, 3]], &[&[1], &[5]]], -2.0, 2.0), |x| {
            x[0].tape().concat(&[x[0], x[1], x[0]], 0).square()
        }),
        sample!("concat along the last axis", pairs(), |x| x[0].tape().concat(&[x[1], x[0]], -1).square()),
        sample!("concat in the middle", shapes(&[&[&[2, 1, 3], &[2, 2, 3]]], -2.0, 2.0), |x| {
            x[0].tape().concat(&[x[0], x[1]], 1).square()
        }),
        sample!("concat of one", shapes(&[&[&[2, 3]]], -2.0, 2.0), |x| x[0]
            .tape()
            .concat(&[x[0]], 0)
            .square()),
        sample!("stack", alike(), |x| x[0].tape().stack(&[x[0], x[1], x[0]], 0).square()),
        sample!("stack behind", alike(), |x| x[0].tape().stack(&[x[0], x[1]], -1).square()),
        wrong!(
            "concat",
            &[&[2, 3], &[2, 4]],
            |x| x[0].tape().concat(&[x[0], x[1]], 0),
            "operand 1 has shape [2, 4], wanted [2, 3]"
        ),
        wrong!(
            "concat",
            &[&[2, 3], &[3]],
            |x| x[0].tape().concat(&[x[0], x[0], x[1]], 0),
            "operand 2 has shape [3], wanted [2, 3]"
        ),
        wrong!("concat", &[&[2]], |x| x[0].tape().concat(&[x[0]], 1), "axis 1 is out of range for shape [2]"),
        wrong!("concat", &[&[]], |x| x[0].tape().concat(&[x[0]], 0), "axis 0 is out of range for shape []"),
        wrong!(
            "concat",
            &[&[2]],
            |x| x[0].tape().concat(&[], 0),
            "the list of tensors is empty, wanted at least one"
        ),
        wrong!(
            "stack",
            &[&[2]],
            |x| x[0].tape().stack(&[], 0),
            "the list of tensors is empty, wanted at least one"
        ),
        wrong!(
            "stack",
            &[&[2]],
            |x| x[0].tape().stack(&[x[0]], 2),
            "axis 2 is out of range for shape [2, 1]"
        ),
        wrong!(
            "stack",
            &[&[2], &[1]],
            |x| x[0].tape().stack(&[x[0], x[1]], 0),
            "operand 1 has shape [1], wanted [2]"
        ),
    ]
}
