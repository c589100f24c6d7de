//! The affine map of a dense layer.

use super::activation::Activation;
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Form, Tensor};
use Form::{Plain, Transposed};

/// X·W + b, or X·W where there are two inputs.
struct Linear;

impl<T: Real> Operation<T> for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].linear(x[1], x.get(2).copied()).map(one)
    }
    fn flops(&self, x: &[&Tensor<T>], _: &Tensor<T>) -> usize {
        2 * sizes(x[0].shape(), x[1].shape()).iter().product::<usize>()
    }
    /// g·Wᵀ to X; Xᵀ·g to W, one product over all rows; g summed over the rows to b.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (x, w, g) = (at.x(0), at.x(1), at.g(0));
        let [rows, inner, outer] = sizes(&x.try_shape()?, &w.try_shape()?);
        at.each(|i| match i {
            0 => g.product(Plain, w, Transposed, None),
            1 => {
                let (x, g) = (x.reshape([rows, inner]), g.reshape([rows, outer]));
                x.product(Transposed, g, Plain, None)
            }
            _ => g.sum_to([outer]),
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| match i {
            0 => dx.matmul(at.x(1)),
            1 => at.x(0).matmul(dx),
            _ => dx.expand_like(at.y(0)),
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let (x, w) = (at.x(0), at.x(1));
        let [rows, inner, outer] = sizes(x.shape(), w.shape());
        let part = |i: usize| match i {
            0 => g.product(Plain, w, Transposed, None),
            1 => {
                let (x, g) = (x.reshape([rows, inner])?, g.reshape([rows, outer])?);
                x.product(Transposed, &g, Plain, None)
            }
            _ => g.clone().sum_to(&[outer]),
        };
        Some((0..at.inputs()).map(|i| at.needs(i).then(|| part(i)).transpose()).collect())
    }
}

/// The number of rows of x, their length, and that of the result's.
fn sizes(x: &[usize], w: &[usize]) -> [usize; 3] {
    [x[..x.len() - 1].iter().product(), w[0], w[1]]
}

impl<'t, T: Real> Var<'t, T> {
    /// `x·W + b`, the affine map of a dense layer: `x` is `[.., in]`, `w` is `[in, out]`, `b` is `[out]` or `None`,
    /// the result `[.., out]`.
    ///
    /// The weight is the transpose of PyTorch's. The bias is where the product is added, so the sum costs no pass of
    /// its own, and all leading axes of `x` together are the rows of one product.
    ///
    /// # Gradient
    ///
    /// `g·Wᵀ` to x; `xᵀ·g` to W and the sum of `g` to b, over all leading axes.
    ///
    /// # Errors
    ///
    /// [`InnerDimension`](crate::ErrorKind::InnerDimension); [`Rank`](crate::ErrorKind::Rank) if `w` is no matrix or
    /// `x` has no axis; [`Shape`](crate::ErrorKind::Shape) for the bias.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.constant(&Tensor::from([[1.0, 2.0], [0.0, 1.0]]));
    /// let w = tape.var(&Tensor::from([[1.0], [10.0]]));
    /// let b = tape.var(&Tensor::from([0.5]));
    /// let y = x.linear(w, b);
    /// assert_eq!(y.value()?.to_vec(), [21.5, 10.5]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(w)?.to_vec(), [1.0, 3.0]);
    /// assert_eq!(grads.wrt(b)?.to_vec(), [2.0]);
    /// assert_eq!(x.linear(w, None).value()?.to_vec(), [21.0, 10.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "dense")]
    #[doc(alias = "affine")]
    #[track_caller]
    pub fn linear(self, w: Var<'t, T>, b: impl Into<Option<Var<'t, T>>>) -> Var<'t, T> {
        match b.into() {
            Some(b) => self.tape().apply(Linear, &[self, w, b]),
            None => self.tape().apply(Linear, &[self, w]),
        }
    }

    /// A layer, `f(x·W + b)`, with any [activation](crate::activation) as a value, also a boxed one or one of your own.
    ///
    /// # Gradient
    ///
    /// To x, W and b, by the activation's backward closure and then [`linear`](Var::linear)'s.
    ///
    /// # Errors
    ///
    /// Those of [`linear`](Var::linear) and of the activation.
    ///
    /// ```
    /// use retrograde::activation::{Softmax, Tanh};
    /// use retrograde::{Activation, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.constant(&Tensor::from([[1.0, -1.0]]));
    /// let w = tape.var(&Tensor::eye(2)?);
    /// let b = tape.var(&Tensor::from([0.5, 0.5]));
    /// let activations: [Box<dyn Activation<f64>>; 2] = [Box::new(Tanh), Box::new(Softmax::default())];
    /// for f in &activations {
    ///     let y = x.layer(w, b, f.as_ref());
    ///     assert_eq!(y.value()?, f.apply(x.matmul(w) + b).value()?);
    ///     assert_eq!(y.square().sum().backward()?.wrt(w)?.shape(), [2, 2]);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn layer(
        self,
        w: Var<'t, T>,
        b: impl Into<Option<Var<'t, T>>>,
        f: &(impl Activation<T> + ?Sized),
    ) -> Var<'t, T> {
        self.tape().composed("layer", || Ok(f.apply(self.linear(w, b))))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let layers: &[&[&[usize]]] = &[
        &[&[3], &[3, 2], &[2]],
        &[&[4, 3], &[3, 2], &[2]],
        &[&[2, 4, 3], &[3, 5], &[5]],
        &[&[1, 1], &[1, 1], &[1]],
        &[&[0, 3], &[3, 2], &[2]],
        &[&[2, 0], &[0, 2], &[2]],
        &[&[2, 3], &[3, 0], &[0]],
    ];
    vec![
        sample!("linear", shapes(layers, -1.0, 1.0), |x| x[0].linear(x[1], x[2])),
        sample!("linear without a bias", shapes(layers, -1.0, 1.0), |x| x[0].linear(x[1], None) + x[2]),
        sample!("layer", shapes(layers, -1.0, 1.0), |x| x[0].layer(x[1], x[2], &super::activation::Gelu)),
        sample!("layer with softmax", shapes(&[&[&[4, 3], &[3, 2], &[2]]], -1.0, 1.0), |x| {
            x[0].layer(x[1], x[2], &super::activation::Softmax::default())
        }),
        sample!("linear twice", shapes(&[&[&[2, 2, 3], &[3, 3], &[3]]], -1.0, 1.0), |x| {
            x[0].linear(x[1], x[2]).tanh().linear(x[1], x[2])
        }),
        wrong!(
            "linear",
            &[&[2, 3], &[2, 3], &[3]],
            |x| x[0].linear(x[1], x[2]),
            "shapes [2, 3] and [2, 3] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "linear",
            &[&[2, 3], &[3], &[3]],
            |x| x[0].linear(x[1], x[2]),
            "shape [3] has rank 1, wanted 2"
        ),
        wrong!(
            "linear",
            &[&[2, 3], &[3, 4], &[3]],
            |x| x[0].linear(x[1], x[2]),
            "the bias has shape [3], wanted [4]"
        ),
        wrong!(
            "linear",
            &[&[], &[3, 4]],
            |x| x[0].linear(x[1], None),
            "shape [] has rank 0, wanted at least 1"
        ),
    ]
}
