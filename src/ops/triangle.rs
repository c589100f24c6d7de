//! The lower and the upper triangle of matrices.

use crate::error::Result;
use crate::number::{Element, Real};
use crate::shape::matrices;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// Zeros on one side of a diagonal: its own adjoint.
#[derive(Clone, Copy)]
struct Triangle {
    lower: bool,
    k: isize,
}

impl Triangle {
    fn of<E: Element>(self, x: &Tensor<E>) -> Result<Tensor<E>> {
        let (_, rows, cols) = matrices(x.shape())?;
        let dense = x.contiguous()?;
        let data = dense.as_slice().expect("made contiguous above");
        Tensor::build(x.shape_owned(), |out| {
            if out.is_empty() {
                return;
            }
            let lines = out.chunks_exact_mut(cols).zip(data.chunks_exact(cols));
            for (at, (out, x)) in lines.enumerate() {
                // The first column right of the diagonal, or on it for the upper triangle.
                let bound = ((at % rows) as isize).saturating_add(self.k).saturating_add(self.lower.into());
                let bound = bound.clamp(0, cols as isize) as usize;
                let kept = if self.lower { 0..bound } else { bound..cols };
                out.fill(E::default());
                out[kept.clone()].copy_from_slice(&x[kept]);
            }
        })
    }
}

impl<T: Real> Operation<T> for Triangle {
    fn name(&self) -> &'static str {
        if self.lower { "tril" } else { "triu" }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.of(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(*self, &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(*self, &[dx]))
    }
    fn fused(&self, _: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        Some(self.of(&g).map(|part| Partials::from_iter([Some(part)])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The lower triangle of the matrices in the last two axes: what lies on or below diagonal `k` (0 is the main one,
    /// 1 the one above it), zeros elsewhere. What is cut off may be NaN or infinite.
    ///
    /// # Gradient
    ///
    /// The lower triangle of the cotangent.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for fewer than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, f64::NAN], [3.0, 4.0]]));
    /// assert_eq!(x.tril(0).value()?.to_vec(), [1.0, 0.0, 3.0, 4.0]);
    /// assert_eq!(x.tril(-1).value()?.to_vec(), [0.0, 0.0, 3.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tril(self, k: isize) -> Var<'t, T> {
        self.tape().apply(Triangle { lower: true, k }, &[self])
    }

    /// The upper triangle of the matrices in the last two axes: what lies on or above diagonal `k` (0 is the main one,
    /// 1 the one above it), zeros elsewhere. What is cut off may be NaN or infinite.
    ///
    /// # Gradient
    ///
    /// The upper triangle of the cotangent.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for fewer than two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.triu(0).value()?.to_vec(), [1.0, 2.0, 0.0, 4.0]);
    /// assert_eq!(x.triu(1).value()?.to_vec(), [0.0, 2.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn triu(self, k: isize) -> Var<'t, T> {
        self.tape().apply(Triangle { lower: false, k }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let matrices = || shapes(&[&[&[3, 3]], &[&[2, 4]], &[&[2, 4, 2]], &[&[0, 3]], &[&[3, 0]]], -2.0, 2.0);
    vec![
        sample!("tril", matrices(), |x| x[0].tril(0).square() * x[0]),
        sample!("tril above", matrices(), |x| x[0].tril(1).square()),
        sample!("tril far below", matrices(), |x| x[0].tril(-2).square()),
        sample!("triu", matrices(), |x| x[0].triu(0).square() * x[0]),
        sample!("triu above", matrices(), |x| x[0].triu(2).square()),
        sample!("triu below", matrices(), |x| x[0].triu(-1).square()),
        wrong!("tril", &[&[3]], |x| x[0].tril(0), "shape [3] has rank 1, wanted at least 2"),
        wrong!("triu", &[&[]], |x| x[0].triu(0), "shape [] has rank 0, wanted at least 2"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn every_diagonal_is_where_it_is_said_to_be() {
        let tape = Tape::new();
        let x = Tensor::<f64>::from_fn([2, 3, 4], |i| (1 + i[0] * 12 + i[1] * 4 + i[2]) as f64).unwrap();
        let v = tape.var(&x);
        for k in [isize::MIN, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, isize::MAX] {
            let part = |keep: &dyn Fn(isize) -> bool| {
                Tensor::from_fn([2, 3, 4], |i| {
                    if keep(i[2] as isize - i[1] as isize) { x[[i[0], i[1], i[2]]] } else { 0.0 }
                })
                .unwrap()
            };
            assert_eq!(v.tril(k).value().unwrap(), part(&|d| d <= k), "{k}");
            assert_eq!(v.triu(k).value().unwrap(), part(&|d| d >= k), "{k}");
        }
    }
}
