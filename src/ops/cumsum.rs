//! Running sums.

use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// The sum of each element and those before it; backwards, behind it.
#[derive(Clone, Copy)]
struct CumSum {
    axis: isize,
    backwards: bool,
}

impl CumSum {
    fn transposed(self) -> CumSum {
        CumSum { backwards: !self.backwards, ..self }
    }
}

impl<T: Real> Operation<T> for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].running_sums(self.axis, self.backwards).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.transposed(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(*self, &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        at.one(g[0].take()?.running_sums(self.axis, !self.backwards))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Running sums along an axis, `yᵢ = x₀ + … + xᵢ`.
    ///
    /// # Gradient
    ///
    /// The cotangent's sums from the other end.
    ///
    /// # Accuracy
    ///
    /// Summed by blocks of fixed size: rounding errors grow with the size of a block and the number of blocks, and
    /// the bits are the same for any number of threads.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.cumsum(-1).value()?.to_vec(), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
    /// assert_eq!(x.cumsum(0).value()?.to_vec(), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
    /// assert_eq!(x.cumsum(-1).sum().backward()?.wrt(x)?.to_vec(), [3.0, 2.0, 1.0, 3.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(CumSum { axis, backwards: false }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let vectors = || shapes(&[&[&[1]], &[&[7]], &[&[65]], &[&[0]], &[&[2, 0]], &[&[0, 3]]], -2.0, 2.0);
    vec![
        sample!("cumsum", vectors(), |x| x[0].cumsum(0)),
        sample!("cumsum over middle", rank3(-2.0, 2.0), |x| x[0].cumsum(1).square()),
        sample!("cumsum over last", rank3(-2.0, 2.0), |x| x[0].cumsum(-1).square()),
        wrong!("cumsum", &[&[2, 3]], |x| x[0].cumsum(2), "axis 2 is out of range for shape [2, 3]"),
    ]
}
