//! Axes made longer at their ends, or shorter.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// What [`pad`](Var::pad) puts around a value.
///
/// ```
/// use retrograde::{Padding, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
/// let pad = |padding| x.pad([(2, 1)], padding).value().map(|y| y.to_vec());
/// assert_eq!(pad(Padding::Constant(0.5))?, [0.5, 0.5, 1.0, 2.0, 3.0, 0.5]);
/// assert_eq!(pad(Padding::Reflect)?, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
/// assert_eq!(pad(Padding::Replicate)?, [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
/// assert_eq!(pad(Padding::Circular)?, [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Padding {
    /// One number.
    Constant(f64),
    /// The value mirrored at its first and last element, which are not repeated: each end takes fewer than there are.
    Reflect,
    /// The first and the last element.
    Replicate,
    /// The value from its other end: each end takes at most as many as there are.
    Circular,
}

type Pads = SmallVec<[(isize, isize); 4]>;

/// A constant around a value; negative counts cut off. With zeros, its adjoint is the same with the counts negated.
#[derive(Clone)]
struct Surround {
    pads: Pads,
    value: f64,
}

impl Surround {
    fn of<T: Real>(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let lead = x.rank() - self.pads.len();
        let (mut inner, mut dims) = (x.clone(), x.shape().to_vec());
        let mut first: SmallVec<[usize; 4]> = SmallVec::from_elem(0, lead);
        for (i, &(before, after)) in self.pads.iter().enumerate() {
            let n = dims[lead + i] as isize;
            // What two cuts cut off together is cut off once.
            let (from, until) =
                (before.min(0).saturating_neg().min(n), n - after.min(0).saturating_neg().min(n));
            inner = inner.slice((lead + i) as isize, from..until.max(from))?;
            first.push(before.max(0) as usize);
            dims[lead + i] = n.saturating_add(before).saturating_add(after).max(0) as usize;
        }
        Tensor::surrounded(&inner, Shape::new(dims)?, &first, T::from_f64(self.value))
    }

    fn back(&self) -> Surround {
        Surround { pads: self.pads.iter().map(|&(before, after)| (-before, -after)).collect(), value: 0.0 }
    }
}

impl<T: Real> Operation<T> for Surround {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.of(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.back(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(Surround { pads: self.pads.clone(), value: 0.0 }, &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.back().of(&g))
    }
}

/// Which index of an axis of length `n` each index of the padded axis repeats.
fn sources(padding: Padding, n: usize, axis: usize, (before, after): (isize, isize)) -> Result<Tensor<i64>> {
    let n = n as isize;
    // What is cut off does not come round from the other end.
    let (first, last) = (before.min(0).saturating_neg(), n + after.min(0));
    let most = match padding {
        Padding::Reflect => n - 1,
        Padding::Circular => last - first,
        _ if n == 0 => 0,
        _ => isize::MAX,
    };
    if before.max(after).max(0) > most.max(0) {
        let found = format!("({before}, {after}) on axis {axis} of size {n}");
        let wanted = format!("at most {} at each end", most.max(0));
        return Err(ErrorKind::Argument { name: "the padding", found, wanted }.into());
    }
    let (from, until) = (-before, n.saturating_add(after));
    let shape = Shape::new([until.saturating_sub(from).max(0) as usize])?;
    Tensor::build(shape, |out| {
        for (out, at) in out.iter_mut().zip(from..) {
            let source = match padding {
                Padding::Reflect if at < 0 => -at,
                Padding::Reflect if at >= n => 2 * (n - 1) - at,
                Padding::Circular if at < 0 => last + at,
                Padding::Circular if at >= n => first + (at - n),
                _ => at.clamp(0, n - 1),
            };
            *out = source as i64;
        }
    })
}

impl<'t, T: Real> Var<'t, T> {
    /// The last axes made longer by `(before, after)` elements, the axes in their order: `[(1, 2)]` is for the last
    /// axis, `[(1, 2), (0, 3)]` for the last but one and the last. Negative counts cut off.
    ///
    /// PyTorch lists the numbers flat, and the last axis first: its `(0, 3, 1, 2)` is `[(1, 2), (0, 3)]` here.
    ///
    /// # Gradient
    ///
    /// The cotangent of the middle, and of the elements that were repeated in the padding.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for more pairs than axes, for more cut off than there is, and for more reflected
    /// or taken from the other end than there is.
    ///
    /// ```
    /// use retrograde::{Padding, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.pad([(0, 1), (-1, 1)], Padding::Constant(0.0));
    /// assert_eq!(y.value()?, Tensor::from([[2.0, 0.0], [4.0, 0.0], [0.0, 0.0]]));
    /// let y = x.pad([(1, 0)], Padding::Replicate);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [2.0, 1.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(self, pads: impl AsRef<[(isize, isize)]>, padding: Padding) -> Var<'t, T> {
        self.tape().composed("pad", || {
            let (pads, shape) = (pads.as_ref(), self.try_shape()?);
            if pads.len() > shape.len() {
                return argument("the number of pairs", pads.len(), format!("at most {}", shape.len()));
            }
            let lead = shape.len() - pads.len();
            for (axis, &(before, after)) in (lead..).zip(pads) {
                let n = shape[axis] as isize;
                let least = before.min(0).checked_add(after.min(0)).and_then(|cut| cut.checked_add(n));
                if least.is_none_or(|left| left < 0) {
                    let found = format!("({before}, {after}) on axis {axis} of size {n}");
                    let wanted = "no more cut off than there is".into();
                    return Err(ErrorKind::Argument { name: "the padding", found, wanted }.into());
                }
            }
            if let Padding::Constant(value) = padding {
                return Ok(self.tape().apply(Surround { pads: pads.into(), value }, &[self]));
            }
            let mut y = self;
            for (axis, &pair) in (lead..).zip(pads).filter(|(_, pair)| **pair != (0, 0)) {
                y = y.index_select(axis as isize, &sources(padding, shape[axis], axis, pair)?);
            }
            Ok(y)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let threes = || shapes(&[&[&[3]], &[&[2, 3]], &[&[2, 1, 4]], &[&[0, 3]]], -2.0, 2.0);
    let images = || shapes(&[&[&[1, 3, 4]], &[&[2, 2, 3, 3]]], -2.0, 2.0);
    vec![
        sample!("pad", threes(), |x| x[0].pad([(1, 2)], Padding::Constant(1.5)).square()),
        sample!("pad every axis", rank3(-2.0, 2.0), |x| {
            x[0].pad([(1, 0), (0, 2), (1, 1)], Padding::Constant(-0.5)).square()
        }),
        sample!("pad and cut", images(), |x| x[0].pad([(1, -1), (-1, 2)], Padding::Constant(2.0)).square()),
        sample!("pad no axis", unary(-2.0, 2.0), |x| x[0].pad([], Padding::Constant(2.0)).square() * x[0]),
        sample!("pad by reflection", images(), |x| x[0].pad([(1, 2), (2, 0)], Padding::Reflect).square()),
        sample!("pad by replication", images(), |x| x[0].pad([(1, -1), (3, 4)], Padding::Replicate).square()),
        sample!("pad around", images(), |x| x[0].pad([(1, -1), (3, 2)], Padding::Circular).square()),
        wrong!(
            "pad",
            &[&[3]],
            |x| x[0].pad([(0, 0); 2], Padding::Reflect),
            "the number of pairs is 2, wanted at most 1"
        ),
        wrong!(
            "pad",
            &[&[2, 3]],
            |x| x[0].pad([(-2, -2)], Padding::Constant(0.0)),
            "the padding is (-2, -2) on axis 1 of size 3, wanted no more cut off than there is"
        ),
        wrong!(
            "pad",
            &[&[2, 3]],
            |x| x[0].pad([(0, 3)], Padding::Reflect),
            "the padding is (0, 3) on axis 1 of size 3, wanted at most 2 at each end"
        ),
        wrong!(
            "pad",
            &[&[2, 3]],
            |x| x[0].pad([(4, 0)], Padding::Circular),
            "the padding is (4, 0) on axis 1 of size 3, wanted at most 3 at each end"
        ),
        wrong!(
            "pad",
            &[&[4]],
            |x| x[0].pad([(3, -2)], Padding::Circular),
            "the padding is (3, -2) on axis 0 of size 4, wanted at most 2 at each end"
        ),
        wrong!(
            "pad",
            &[&[2, 0]],
            |x| x[0].pad([(1, 0)], Padding::Replicate),
            "the padding is (1, 0) on axis 1 of size 0, wanted at most 0 at each end"
        ),
        wrong!(
            "pad",
            &[&[2]],
            |x| x[0].pad([(isize::MIN, isize::MIN)], Padding::Constant(0.0)),
            "the padding is (-9223372036854775808, -9223372036854775808) on axis 0 of size 2, wanted no more cut off than there is"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::Padding;
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    /// As PyTorch pads: cut first, where the padding comes from the other end; mirrored at the uncut ends.
    #[test]
    fn cuts_and_paddings_meet_as_they_do_elsewhere() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
        let pad = |pair, padding| x.pad([pair], padding).value().unwrap().to_vec();
        assert_eq!(pad((-1, 1), Padding::Circular), [2.0, 3.0, 4.0, 2.0]);
        assert_eq!(pad((2, -1), Padding::Circular), [2.0, 3.0, 1.0, 2.0, 3.0]);
        assert_eq!(pad((-2, 2), Padding::Reflect), [3.0, 4.0, 3.0, 2.0]);
        assert_eq!(pad((3, 3), Padding::Reflect), [4.0, 3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0]);
        assert_eq!(pad((-3, 2), Padding::Replicate), [4.0, 4.0, 4.0]);
    }
}
