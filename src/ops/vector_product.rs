//! Products of vectors.

use crate::error::{ErrorKind, Result};
use crate::kernels::{Function, run4};
use crate::number::{Number, Real};
use crate::shape::{broadcast, resolve_axis, same};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Tensor, elementwise};

/// The vector product a × b along an axis of length 3.
///
/// Closed under differentiation: ⟨g, da × b⟩ = ⟨b × g, da⟩, and ⟨g, a × db⟩ = ⟨g × a, db⟩.
#[derive(Clone, Copy)]
struct Cross(isize);

/// `a b − c d`.
#[derive(Clone, Copy)]
struct Minor;
impl Function<4> for Minor {
    #[inline(always)]
    fn at<N: Number>(self, [a, b, c, d]: [N; 4]) -> N {
        a * b - c * d
    }
}

impl<T: Real> Operation<T> for Cross {
    fn name(&self) -> &'static str {
        "cross"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let shape = broadcast(x[0].shape(), x[1].shape())?;
        let axis = resolve_axis(self.0, &shape)?;
        if shape[axis] != 3 {
            let found = format!("{} in shape {shape}", shape[axis]);
            return Err(ErrorKind::Argument { name: "the axis' length", found, wanted: "3".into() }.into());
        }
        let at = |x: &Tensor<T>, i: isize| x.slice(axis as isize, i..i + 1);
        let (a, b) = (x[0].expand(&shape)?, x[1].expand(&shape)?);
        let part = |j, k| {
            let operands = [at(&a, j)?, at(&b, k)?, at(&a, k)?, at(&b, j)?];
            elementwise(operands.each_ref(), 0.4, |[a, b, c, d], out| run4(Minor, a, b, c, d, out))
        };
        let parts = [part(1, 2)?, part(2, 0)?, part(0, 1)?];
        Tensor::concat(&parts.each_ref(), axis as isize).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.each(|i| {
            let product =
                if i == 0 { at.x(1).cross(at.g(0), self.0) } else { at.g(0).cross(at.x(0), self.0) };
            product.sum_to_like(at.x(i))
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| if i == 0 { dx.cross(at.x(1), self.0) } else { at.x(0).cross(dx, self.0) })
    }
}

/// Refuses what is not two vectors.
fn vectors(a: &[usize], b: &[usize]) -> Result<()> {
    match [a, b].into_iter().find(|shape| shape.len() != 1) {
        Some(found) => Err(ErrorKind::Rank { found: found.to_vec(), wanted: "1" }.into()),
        None => Ok(()),
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The inner product of two vectors, `Σ aᵢ bᵢ`.
    ///
    /// # Gradient
    ///
    /// `g b` to a, `g a` to b.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for what is no vector; [`InnerDimension`](ErrorKind::InnerDimension) for other
    /// lengths.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0])));
    /// assert_eq!(a.dot(b).item()?, 11.0);
    /// assert_eq!(a.dot(b).backward()?.wrt(a)?.to_vec(), [3.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("dot", || {
            let (a, b) = (self.try_shape()?, other.try_shape()?);
            vectors(&a, &b)?;
            if a != b {
                return Err(ErrorKind::InnerDimension { left: a.to_vec(), right: b.to_vec() }.into());
            }
            Ok(self.matmul(other))
        })
    }

    /// The inner product of two arrays of one shape over all elements, `Σ aᵢⱼ.. bᵢⱼ..`, a number.
    ///
    /// # Gradient
    ///
    /// `g b` to a, `g a` to b.
    ///
    /// # Errors
    ///
    /// [`Shape`](ErrorKind::Shape) if the shapes differ.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(a.vdot(a).item()?, 30.0);
    /// assert_eq!(a.vdot(a).backward()?.wrt(a)?.to_vec(), [2.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn vdot(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("vdot", || {
            let (wanted, found) = (self.try_shape()?, other.try_shape()?);
            same("the second operand", &found, &wanted)?;
            let flat = [wanted.count()];
            Ok(self.reshape(flat).matmul(other.reshape(flat)))
        })
    }

    /// The inner product along an axis of the shape both broadcast to, which the result does not have.
    ///
    /// # Gradient
    ///
    /// `g b` to a, `g a` to b, along the axis.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast); [`Axis`](ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([1.0, -1.0]));
    /// assert_eq!(a.vecdot(b, -1).value()?.to_vec(), [-1.0, -1.0]);
    /// assert_eq!(a.vecdot(b, 0).value()?.to_vec(), [4.0, -6.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn vecdot(self, other: Var<'t, T>, axis: isize) -> Var<'t, T> {
        self.tape().composed("vecdot", || {
            let shape = broadcast(&self.try_shape()?, &other.try_shape()?)?;
            let axis = resolve_axis(axis, &shape)?;
            Ok((self * other).sum_axes(axis as isize))
        })
    }

    /// The outer product of two vectors, `yᵢⱼ = aᵢ bⱼ`.
    ///
    /// # Gradient
    ///
    /// `g b` to a, `gᵀ a` to b.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for what is no vector.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0, 5.0])));
    /// assert_eq!(a.outer(b).value()?, Tensor::from([[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]));
    /// assert_eq!(a.outer(b).sum().backward()?.wrt(a)?.to_vec(), [12.0, 12.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "ger")]
    #[track_caller]
    pub fn outer(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("outer", || {
            vectors(&self.try_shape()?, &other.try_shape()?)?;
            Ok(self.unsqueeze(1) * other)
        })
    }

    /// The vector product `a × b` along an axis of length 3; the shapes broadcast.
    ///
    /// # Gradient
    ///
    /// `b × g` to a, `g × a` to b.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast); [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) if the axis
    /// has another length than 3.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 0.0, 0.0])), tape.var(&Tensor::from([0.0, 1.0, 0.0])));
    /// assert_eq!(a.cross(b, -1).value()?.to_vec(), [0.0, 0.0, 1.0]);
    /// let seed = Tensor::from([1.0, 2.0, 3.0]);
    /// assert_eq!(a.cross(b, -1).backward_with(&seed)?.wrt(a)?.to_vec(), [3.0, 0.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cross(self, other: Var<'t, T>, axis: isize) -> Var<'t, T> {
        self.tape().apply(Cross(axis), &[self, other])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn of(cases: &[&[&[usize]]]) -> Inputs {
        shapes(cases, -2.0, 2.0)
    }
    let vectors = || of(&[&[&[3], &[3]], &[&[1], &[1]], &[&[65], &[65]], &[&[0], &[0]]]);
    vec![
        sample!("dot", vectors(), |x| x[0].dot(x[1])),
        sample!(
            "vdot",
            of(&[&[&[], &[]], &[&[7], &[7]], &[&[2, 3, 4], &[2, 3, 4]], &[&[2, 0], &[2, 0]]]),
            |x| x[0].vdot(x[1])
        ),
        sample!(
            "vecdot",
            of(&[
                &[&[3], &[3]],
                &[&[2, 3], &[3]],
                &[&[2, 1, 3], &[4, 3]],
                &[&[2, 0], &[2, 0]],
                &[&[0, 3], &[3]]
            ]),
            |x| { x[0].vecdot(x[1], -1) }
        ),
        sample!("vecdot over first", of(&[&[&[2, 3], &[2, 1]], &[&[1], &[5]]]), |x| x[0].vecdot(x[1], 0)),
        sample!(
            "outer",
            of(&[&[&[3], &[3]], &[&[1], &[4]], &[&[17], &[2]], &[&[0], &[2]], &[&[2], &[0]]]),
            |x| x[0].outer(x[1])
        ),
        sample!(
            "cross",
            of(&[&[&[3], &[3]], &[&[1, 3], &[5, 3]], &[&[2, 1, 3], &[4, 3]], &[&[0, 3], &[3]]]),
            |x| x[0].cross(x[1], -1)
        ),
        sample!("cross along first", of(&[&[&[3, 4], &[3, 1]], &[&[3, 2, 2], &[3, 2, 2]]]), |x| x[0]
            .cross(x[1], 0)),
        sample!("cross broadcast along the axis", of(&[&[&[2, 1], &[2, 3]]]), |x| x[0].cross(x[1], 1)),
        wrong!("dot", &[&[2, 3], &[3]], |x| x[0].dot(x[1]), "shape [2, 3] has rank 2, wanted 1"),
        wrong!("dot", &[&[3], &[]], |x| x[0].dot(x[1]), "shape [] has rank 0, wanted 1"),
        wrong!(
            "dot",
            &[&[3], &[2]],
            |x| x[0].dot(x[1]),
            "shapes [3] and [2] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "vdot",
            &[&[2, 3], &[3, 2]],
            |x| x[0].vdot(x[1]),
            "the second operand has shape [3, 2], wanted [2, 3]"
        ),
        wrong!(
            "vecdot",
            &[&[2, 3], &[2]],
            |x| x[0].vecdot(x[1], 0),
            "shapes [2, 3] and [2] do not broadcast"
        ),
        wrong!(
            "vecdot",
            &[&[2, 3], &[3]],
            |x| x[0].vecdot(x[1], 2),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("outer", &[&[2], &[3, 1]], |x| x[0].outer(x[1]), "shape [3, 1] has rank 2, wanted 1"),
        wrong!("cross", &[&[2, 3], &[2]], |x| x[0].cross(x[1], 0), "shapes [2, 3] and [2] do not broadcast"),
        wrong!(
            "cross",
            &[&[2, 3], &[3]],
            |x| x[0].cross(x[1], 0),
            "the axis' length is 2 in shape [2, 3], wanted 3"
        ),
        wrong!(
            "cross",
            &[&[2, 3], &[3]],
            |x| x[0].cross(x[1], -3),
            "axis -3 is out of range for shape [2, 3]"
        ),
    ]
}
