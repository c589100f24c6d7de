//! Cross entropy of classes with the softmax of logits.

use super::Reduction;
use crate::error::{ErrorKind, Result};
use crate::kernels::rows;
use crate::number::Real;
use crate::shape::{Axes, IntoShape, Shape, same};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// ln Σ eˣ − x[target] of each row, one pass; and each row's shift and total, for the gradient.
struct CrossEntropy {
    targets: Tensor<i64>,
}

impl CrossEntropy {
    /// The shape of the terms: the logits' without the classes.
    fn check(&self, logits: &[usize]) -> Result<Shape> {
        let Some((&size, rows)) = logits.split_last() else {
            return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1, the last axis for classes" }.into());
        };
        same("targets", self.targets.shape(), rows)?;
        match self.targets.iter().find(|&class| class < 0 || class as usize >= size) {
            Some(index) => Err(ErrorKind::Index { index, axis: rows.len(), size }.into()),
            None => rows.into_shape(),
        }
    }

    /// ∂loss/∂x = softmax(x) − onehot, with the target's own term as −Σ of the others: it would cancel where the
    /// target is nearly certain. The softmax is shifted by a constant, which its value does not depend on.
    fn residual<'t, T: Real>(&self, at: &At<'_, 't, T>) -> Var<'t, T> {
        let x = at.x(0);
        let hot = x.constant_like(x.try_shape().and_then(|shape| self.one_hot(&shape)));
        let e = (x - at.y(1).detach().with_axes_back(&Axes::from(-1), x)).exp();
        let others = e / e.sum_keepdim(-1) * (1.0 - hot);
        others - hot * others.sum_keepdim(-1)
    }

    fn one_hot<T: Real>(&self, logits: &[usize]) -> Result<Tensor<T>> {
        let n = logits.last().copied().unwrap_or(1);
        Tensor::build(Shape::new(logits)?, |out| {
            out.fill(T::ZERO);
            for (row, class) in self.targets.iter().enumerate() {
                out[row * n + class as usize] = T::ONE;
            }
        })
    }
}

impl<T: Real> Operation<T> for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let shape = self.check(x[0].shape())?;
        let n = x[0].shape()[shape.len()];
        let (x, targets) = (x[0].contiguous()?, self.targets.contiguous()?);
        let mut shift = Tensor::zeros(shape.clone())?;
        let mut total = Tensor::zeros(shape.clone())?;
        let (x, targets) = (x.as_slice().expect("contiguous"), targets.as_slice().expect("contiguous"));
        let loss = Tensor::try_build(shape, |loss| {
            rows::cross_entropy(x, n, targets, loss, shift.as_mut_slice()?, total.as_mut_slice()?);
            Ok(())
        })?;
        Ok(SmallVec::from_iter([loss, shift, total]))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).with_axes_back(&Axes::from(-1), at.x(0)) * self.residual(at))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let dy = at.dx(0).map(|dx| (self.residual(at) * dx).sum_axes(-1));
        Ok(SmallVec::from_iter([dy, None, None]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let (x, g, targets) = (at.x(0).contiguous()?, g.contiguous()?, self.targets.contiguous()?);
            let [x, g, shift, total] =
                [&x, &g, at.y(1), at.y(2)].map(|rows| rows.as_slice().expect("contiguous"));
            let targets = targets.as_slice().expect("contiguous");
            let n = at.x(0).shape().last().copied().unwrap_or(1);
            let part = Tensor::build(at.x(0).shape_owned(), |out| {
                rows::cross_entropy_backward(x, n, targets, (shift, total), g, out);
            })?;
            Ok(SmallVec::from_iter([Some(part)]))
        };
        Some(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The cross entropy of classes with the softmax of these logits, reduced: for each row along the last axis
    /// `ln Σⱼ e^xⱼ − x[target]`, that is `−log_softmax(x)[target]`.
    ///
    /// The logits are `[.., classes]`, the targets `[..]`: for each row the class that it should have. Every row is
    /// shifted by its largest logit first, so that nothing overflows.
    ///
    /// # Gradient
    ///
    /// `softmax(x) − onehot(target)`, in one pass from what the forward pass kept of each row. A row of −∞ alone,
    /// or with ∞ in it, gives NaN.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) unless the targets have the logits' shape without the last axis;
    /// [`Index`](crate::ErrorKind::Index) for a target that is negative or no class;
    /// [`Rank`](crate::ErrorKind::Rank) for logits of rank 0. The mean over no rows is NaN, not an error.
    ///
    /// ```
    /// use retrograde::{Reduction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[0.0, 0.0], [0.0, 1e4]]));
    /// let loss = x.cross_entropy(&Tensor::from([1, 1]), Reduction::Sum);
    /// assert_eq!(loss.item()?, 2f64.ln());
    /// assert_eq!(loss.backward()?.wrt(x)?.to_vec(), [0.5, -0.5, 0.0, 0.0]);
    ///
    /// let error = x.cross_entropy(&Tensor::from([1, 2]), Reduction::Sum).item().unwrap_err();
    /// assert!(error.to_string().starts_with("cross_entropy: index 2 is out of range for axis 1 of size 2, at "));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cross_entropy(self, targets: &Tensor<i64>, reduction: Reduction) -> Var<'t, T> {
        let operation = CrossEntropy { targets: targets.clone() };
        self.tape()
            .composed("cross_entropy", || Ok(reduction.of(self.tape().apply_many(operation, &[self], 3)[0])))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    /// Some class for each row.
    fn targets(logits: &[usize]) -> Tensor<i64> {
        let (n, rows) = logits.split_last().unwrap();
        let count: usize = rows.iter().product();
        Tensor::from_iter_in((0..count).map(|i| (i * 7 % n) as i64), rows).unwrap()
    }
    fn logits() -> Inputs {
        shapes(&[&[&[5]], &[&[1, 1]], &[&[3, 4]], &[&[2, 3, 4]], &[&[17, 3]], &[&[1, 65]]], -3.0, 3.0)
    }
    vec![
        sample!("cross_entropy", logits(), |x| x[0].cross_entropy(&targets(&x[0].shape()), Reduction::Mean)),
        sample!("cross_entropy terms", logits(), |x| {
            x[0].cross_entropy(&targets(&x[0].shape()), Reduction::None)
        }),
        sample!("cross_entropy of none", shapes(&[&[&[0, 3]], &[&[2, 0, 1]]], -1.0, 1.0), |x| {
            x[0].cross_entropy(&targets(&x[0].shape()), Reduction::Sum)
        }),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([0, 3]), Reduction::Mean),
            "index 3 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([-1, 0]), Reduction::Mean),
            "index -1 is out of range for axis 1 of size 3"
        ),
        wrong!(
            "cross_entropy",
            &[&[2, 3]],
            |x| x[0].cross_entropy(&Tensor::from([1, 2, 0]), Reduction::Sum),
            "targets has shape [3], wanted [2]"
        ),
        wrong!(
            "cross_entropy",
            &[&[]],
            |x| x[0].cross_entropy(&Tensor::scalar(0), Reduction::Sum),
            "shape [] has rank 0, wanted at least 1, the last axis for classes"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn the_mean_over_no_rows_is_nan() {
        let tape = Tape::<f32>::new();
        let x = tape.var(&Tensor::zeros([0, 3]).unwrap());
        let none = Tensor::<i64>::full([0], 0).unwrap();
        assert!(x.cross_entropy(&none, Reduction::Mean).item().unwrap().is_nan());
        assert_eq!(x.cross_entropy(&none, Reduction::Sum).item().unwrap(), 0.0);
    }

    /// Classes masked out by −∞ have probability 0 and derivatives 0 at every order, not NaN.
    #[test]
    fn a_masked_class_counts_for_nothing() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.5, f64::NEG_INFINITY, 0.25]));
        let loss = x.cross_entropy(&Tensor::scalar(2), Reduction::None);
        let [g] = tape.vjp(loss, &Tensor::scalar(1.0), [x]).unwrap();
        let [h] = tape.vjp(g, &Tensor::from([1.0, 1.0, 2.0]), [x]).unwrap();
        let p = 1.0 / (1.0 + (-0.25f64).exp());
        for (found, exact) in
            [(g, [p, 0.0, -p]), (h, [-p * (1.0 - p), 0.0, p * (1.0 - p)])].map(|(v, e)| (v.value().unwrap(), e))
        {
            found.iter().zip(exact).for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
        }
    }

    #[test]
    fn rows_longer_than_a_chunk_and_many_rows_agree_with_the_rule() {
        for shape in [[2, 9001], [700, 300]] {
            let tape = Tape::<f64>::new();
            let mut random = crate::Generator::new(3);
            let x = tape.var(&Tensor::normal(shape, 0.0, 3.0, &mut random).unwrap());
            let t = Tensor::from_iter_in((0..shape[0]).map(|_| random.below(shape[1]) as i64), [shape[0]]);
            let loss = x.cross_entropy(&t.unwrap(), Reduction::Mean);
            let seed = Tensor::scalar(1.0);
            let fused = loss.backward().unwrap().wrt(x).unwrap().clone();
            let written = loss.backward_by_written_rules(&seed).unwrap().wrt(x).unwrap().clone();
            fused.iter().zip(&written).for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
        }
    }
}
