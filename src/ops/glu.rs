//! The gated linear unit: one half of an axis gates the other.

use super::guard::Logistic;
use super::{Elementwise2, compiled2};
use crate::error::argument;
use crate::number::{Number, Real};
use crate::shape::resolve_axis;
use crate::tape::Var;

/// a σ(b) with a the first half of an axis and b the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glu {
    /// The axis that is halved.
    pub axis: isize,
}

impl Default for Glu {
    /// The last axis.
    fn default() -> Glu {
        Glu { axis: -1 }
    }
}

/// a σ(b).
#[derive(Clone, Copy)]
struct Gate;

impl Elementwise2 for Gate {
    const NAME: &'static str = "glu";
    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        let l = Logistic::at(b);
        (a * l.p) * l.left
    }
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, _y: N) -> (N, N) {
        let l = Logistic::at(b);
        (b.sigmoid(), (a * l.p * l.m) * l.both)
    }
    compiled2!(Gate);
}

impl<'t, T: Real> Var<'t, T> {
    /// `a σ(b)` where `a` is the first half of an axis and `b` the second: half as long along it.
    ///
    /// # Gradient
    ///
    /// `σ(b)` to `a`, `a σ(b) σ(−b)` to `b`.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for an axis of odd length.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([4.0, 0.0]));
    /// let y = x.glu(-1);
    /// assert_eq!(y.value()?.to_vec(), [2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn glu(self, axis: isize) -> Var<'t, T> {
        self.tape().composed("glu", || {
            let shape = self.try_shape()?;
            let axis = resolve_axis(axis, &shape)?;
            if shape[axis] % 2 == 1 {
                return argument("the axis' length", shape[axis], "an even number");
            }
            let (axis, half) = (axis as isize, shape[axis] as isize / 2);
            Ok(self.slice(axis, ..half).elementwise2(self.slice(axis, half..), Gate))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let even = || shapes(&[&[&[2, 4, 6]], &[&[2, 2, 2]], &[&[4, 0, 2]]], -2.0, 2.0);
    vec![
        sample!("glu", even(), |x| x[0].glu(-1)),
        sample!("glu over first", even(), |x| x[0].glu(0)),
        sample!("glu over middle", even(), |x| x[0].glu(1)),
        wrong!("glu", &[&[2, 3]], |x| x[0].glu(1), "the axis' length is 3, wanted an even number"),
        wrong!("glu", &[&[2, 3]], |x| x[0].glu(2), "axis 2 is out of range for shape [2, 3]"),
    ]
}
