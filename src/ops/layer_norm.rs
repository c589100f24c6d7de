//! Normalisation over the last axes: to mean 0 and variance 1, or to mean square 1.

use super::normalise::Normalise;
use crate::error::{ErrorKind, Result};
use crate::kernels::normalise::Rows;
use crate::number::Real;
use crate::shape::IntoShape;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// Over the last axes, of the given lengths, moved and scaled to mean 0 and variance 1, then times a weight plus a bias
    /// for each element: `(x − mean)/√(var + ε)·w + b`, with the variance over n. Weight and bias have the shape given,
    /// or are left out.
    ///
    /// # Gradient
    ///
    /// With `x̂ = (x − mean)·r` and `r = 1/√(var + ε)`: `r(g·w − mean(g·w) − x̂·mean(g·w·x̂))` to x, `Σ g·x̂` to the weight and
    /// `Σ g` to the bias, in one pass that has each row in the cache.
    ///
    /// # Accuracy
    ///
    /// The variance is taken about the mean in a second pass, and the mean is corrected there: a constant row gives the
    /// bias exactly, for a large constant too.
    ///
    /// # Errors
    ///
    /// [`Shape`](ErrorKind::Shape) if the last axes, the weight or the bias have another shape than that given. Over
    /// nothing the result is empty.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 3.0], [1e6, 1e6]]));
    /// let (w, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([0.0, 0.5])));
    /// let y = x.layer_norm([2], w, b, 0.0);
    /// assert_eq!(y.slice(0, ..1).value()?.to_vec(), [-1.0, 2.5]);
    /// assert_eq!(x.layer_norm([2], w, b, 1e-5).slice(0, 1..).value()?.to_vec(), [0.0, 0.5]);
    /// let grads = x.layer_norm([2], w, b, 1e-5).sum().backward()?;
    /// assert_eq!(grads.wrt(b)?.to_vec(), [2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn layer_norm(
        self,
        shape: impl IntoShape,
        w: impl Into<Option<Var<'t, T>>>,
        b: impl Into<Option<Var<'t, T>>>,
        eps: f64,
    ) -> Var<'t, T> {
        let weights = [w.into(), b.into()];
        self.tape().composed("layer_norm", || self.last_axes("layer_norm", true, shape, weights, eps))
    }

    /// Over the last axes, of the given lengths, scaled to mean square 1, then times a weight for each element:
    /// `x/√(mean x² + ε)·w`. PyTorch's ε, where none is given, is the distance from 1 to the next number.
    ///
    /// # Gradient
    ///
    /// With `x̂ = x·r` and `r = 1/√(mean x² + ε)`: `r(g·w − x̂·mean(g·w·x̂))` to x, `Σ g·x̂` to the weight.
    ///
    /// # Errors
    ///
    /// [`Shape`](ErrorKind::Shape) if the last axes or the weight have another shape than that given.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, -7.0_f64]));
    /// let y = x.rms_norm([2], None, 0.0);
    /// assert!(y.value()?.all_close(&Tensor::from([0.2, -1.4]), 1e-12, 0.0)?);
    /// // The length of x has no part in it.
    /// assert!(y.sum().backward()?.wrt(x)?.try_mul(&x.value()?)?.sum()?.item()?.abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "root_mean_square")]
    #[track_caller]
    pub fn rms_norm(self, shape: impl IntoShape, w: impl Into<Option<Var<'t, T>>>, eps: f64) -> Var<'t, T> {
        let weights = [w.into(), None];
        self.tape().composed("rms_norm", || self.last_axes("rms_norm", false, shape, weights, eps))
    }

    #[track_caller]
    fn last_axes(
        self,
        name: &'static str,
        centred: bool,
        shape: impl IntoShape,
        weights: [Option<Var<'t, T>>; 2],
        eps: f64,
    ) -> Result<Var<'t, T>> {
        let (own, shape) = (self.try_shape()?, shape.into_shape()?);
        if !own.ends_with(&shape) {
            let mut wanted = own[..own.len().saturating_sub(shape.len())].to_vec();
            wanted.extend_from_slice(&shape);
            return Err(
                ErrorKind::Shape { what: "what is normalised".into(), found: own.to_vec(), wanted }.into()
            );
        }
        let rows = Rows { groups: 1, channels: shape.count(), inner: 1 };
        let by = Normalise { name, rows, eps, centred, weighted: false, biased: false };
        Ok(self.normalised_by(by, &shape, weights)?[0])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let rows: &[&[&[usize]]] = &[
        &[&[3, 4], &[4], &[4]],
        &[&[2, 3, 4], &[4], &[4]],
        &[&[5], &[5], &[5]],
        &[&[2, 65], &[65], &[65]],
        &[&[17, 3], &[3], &[3]],
        &[&[0, 3], &[3], &[3]],
        &[&[2, 0], &[0], &[0]],
    ];
    let planes: &[&[&[usize]]] = &[&[&[3, 2, 4], &[2, 4], &[2, 4]], &[&[2, 3, 1, 5], &[1, 5], &[1, 5]]];
    vec![
        sample!("layer_norm", shapes(rows, -2.0, 2.0), |x| {
            x[0].layer_norm(x[1].try_shape().unwrap(), x[1], x[2], 0.1)
        }),
        sample!("layer_norm of planes", shapes(planes, -2.0, 2.0), |x| {
            x[0].layer_norm(x[1].try_shape().unwrap(), x[1], x[2], 0.1)
        }),
        sample!("layer_norm alone", shapes(&[&[&[3, 4]], &[&[4]], &[&[2, 1, 3]]], -2.0, 2.0), |x| {
            x[0].layer_norm([x[0].shape().last().copied().unwrap()], None, None, 0.01)
        }),
        sample!("layer_norm with a bias alone", shapes(&[&[&[3, 4], &[4]]], -2.0, 2.0), |x| {
            x[0].layer_norm([4], None, x[1], 0.1)
        }),
        sample!("rms_norm", shapes(rows, -2.0, 2.0), |x| {
            x[0].rms_norm(x[1].try_shape().unwrap(), x[1], 0.1) * x[2]
        }),
        sample!("rms_norm alone", shapes(&[&[&[3, 4]], &[&[2, 3, 2]]], 0.5, 2.0), |x| {
            x[0].rms_norm([x[0].shape().last().copied().unwrap()], None, 0.0)
        }),
        wrong!(
            "layer_norm",
            &[&[2, 3]],
            |x| x[0].layer_norm([2], None, None, 0.1),
            "what is normalised has shape [2, 3], wanted [2, 2]"
        ),
        wrong!(
            "layer_norm",
            &[&[3]],
            |x| x[0].layer_norm([2, 3], None, None, 0.1),
            "what is normalised has shape [3], wanted [2, 3]"
        ),
        wrong!(
            "layer_norm",
            &[&[2, 3], &[2]],
            |x| x[0].layer_norm([3], x[1], None, 0.1),
            "the weight has shape [2], wanted [3]"
        ),
        wrong!(
            "layer_norm",
            &[&[2, 3], &[1]],
            |x| x[0].layer_norm([3], None, x[1], 0.1),
            "the bias has shape [1], wanted [3]"
        ),
        wrong!(
            "rms_norm",
            &[&[2, 3], &[2, 3]],
            |x| x[0].rms_norm([3], x[1], 0.1),
            "the weight has shape [2, 3], wanted [3]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor};

    #[test]
    fn normalising_single_numbers_gives_the_bias_and_no_gradient() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[3.0], [-1.0]]));
        let (w, b) = (tape.var(&Tensor::from([2.0])), tape.var(&Tensor::from([0.5])));
        let y = x.layer_norm([1], w, b, 1e-5);
        assert_eq!(y.value().unwrap().to_vec(), [0.5, 0.5]);
        let grads = y.sum().backward().unwrap();
        assert_eq!(grads.wrt(x).unwrap().to_vec(), [0.0, 0.0]);
        assert_eq!(grads.wrt(w).unwrap().to_vec(), [0.0]);
        assert_eq!(grads.wrt(b).unwrap().to_vec(), [2.0]);
    }

    #[test]
    fn a_nan_spoils_its_row_and_no_other() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[1.0, f64::NAN], [1.0, 3.0]]));
        let y = x.layer_norm([2], None, None, 0.0);
        let value = y.value().unwrap().to_vec();
        assert!(value[0].is_nan() && value[1].is_nan());
        assert_eq!(value[2..], [-1.0, 1.0]);
        let seed = Tensor::from([[0.0, 0.0], [1.0, 0.0]]);
        let g = y.backward_with(&seed).unwrap().wrt(x).unwrap().to_vec();
        assert!(g[0].is_nan() && g[2..].iter().all(|g| *g == 0.0), "{g:?}");
    }
}
