//! Linear recurrences along an axis: what the derivatives of running products and running logarithms of sums are.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// `hᵢ = aᵢ hᵢ₋₁ + bᵢ` from h = 0; backwards, from `hᵢ₊₁`.
#[derive(Clone, Copy)]
struct Recurrence {
    axis: isize,
    backwards: bool,
}

/// λ is the cotangent of b and `λᵢ hᵢ₋₁` that of a, where `λᵢ = gᵢ + aᵢ₊₁ λᵢ₊₁`.
impl<T: Real> Operation<T> for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].recurrence(x[1], self.axis, self.backwards).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Recurrence { axis, backwards } = *self;
        let l = at.x(0).shifted(axis, !backwards).recurrence(at.g(0), axis, !backwards);
        at.each(|i| if i == 1 { l } else { l.times_shifted(at.y(0), axis, backwards) })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Recurrence { axis, backwards } = *self;
        let da = at.dx(0).map(|da| da.times_shifted(at.y(0), axis, backwards));
        let b = match (da, at.dx(1)) {
            (Some(da), Some(db)) => da + db,
            (Some(b), None) | (None, Some(b)) => b,
            (None, None) => return Ok(Parts::from_iter([None])),
        };
        at.one(at.x(0).recurrence(b, axis, backwards))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `hᵢ = aᵢ hᵢ₋₁ + bᵢ`, from 0, along an axis, with this as a; backwards, from `hᵢ₊₁`. The first a has no part
    /// in it.
    #[track_caller]
    pub(super) fn recurrence(self, b: Var<'t, T>, axis: isize, backwards: bool) -> Var<'t, T> {
        self.tape().apply(Recurrence { axis, backwards }, &[self, b])
    }

    /// Each element where the next one was, 0 at the first; backwards, where the one before it was.
    #[track_caller]
    pub(super) fn shifted(self, axis: isize, backwards: bool) -> Var<'t, T> {
        self.tape().composed("recurrence", || {
            let shape = self.try_shape()?;
            let n = shape[resolve_axis(axis, &shape)?];
            if n == 0 {
                return Ok(self);
            }
            let (from, to) = ends(n, backwards);
            Ok(self.slice(axis, from).embed(axis, to, n))
        })
    }

    /// The product with the element of `y` before each; 0 at the first, whatever is there.
    #[track_caller]
    pub(super) fn times_shifted(self, y: Var<'t, T>, axis: isize, backwards: bool) -> Var<'t, T> {
        self.tape().composed("recurrence", || {
            let shape = y.try_shape()?;
            let n = shape[resolve_axis(axis, &shape)?];
            if n == 0 {
                return Ok(self);
            }
            let (from, to) = ends(n, backwards);
            Ok((self.slice(axis, to.clone()) * y.slice(axis, from)).embed(axis, to, n))
        })
    }
}

/// All but the last of `n` and all but the first; backwards, the other way round.
fn ends(n: usize, backwards: bool) -> (std::ops::Range<isize>, std::ops::Range<isize>) {
    let (low, high) = (0..n as isize - 1, 1..n as isize);
    if backwards { (high, low) } else { (low, high) }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let two = || shapes(&[&[&[4], &[4]], &[&[1], &[1]], &[&[2, 3], &[2, 3]], &[&[0], &[0]]], -1.5, 1.5);
    let three = || shapes(&[&[&[2, 3, 2], &[2, 3, 2]], &[&[1, 5, 1], &[1, 5, 1]]], -1.5, 1.5);
    vec![
        sample!("recurrence", two(), |x| x[0].recurrence(x[1], 0, false)),
        sample!("recurrence backwards", two(), |x| x[0].recurrence(x[1], -1, true)),
        sample!("recurrence over middle", three(), |x| x[0].recurrence(x[1], 1, false)),
        wrong!(
            "recurrence",
            &[&[2], &[3]],
            |x| x[0].recurrence(x[1], 0, false),
            "the inhomogeneous part has shape [3], wanted [2]"
        ),
        wrong!(
            "recurrence",
            &[&[2], &[2]],
            |x| x[0].recurrence(x[1], 1, false),
            "axis 1 is out of range for shape [2]"
        ),
    ]
}
