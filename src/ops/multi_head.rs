//! Attention of several heads, with the maps before and after it.

use super::AttentionOptions;
use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::tape::Var;

/// The weights of [`multi_head_attention`](Var::multi_head_attention), in the convention of [`linear`](Var::linear):
/// PyTorch's are the transposes.
#[derive(Clone, Copy)]
pub struct MultiHead<'t, T: Real> {
    /// The map to queries, keys and values side by side, `[width, 3·width]`.
    pub input: Var<'t, T>,
    /// Its bias, `[3·width]`.
    pub input_bias: Option<Var<'t, T>>,
    /// The map of all heads' outputs together, `[width, width]`.
    pub output: Var<'t, T>,
    /// Its bias, `[width]`.
    pub output_bias: Option<Var<'t, T>>,
}

impl<'t, T: Real> MultiHead<'t, T> {
    /// Queries, keys or values: third `i` of the map in front. One product for as many neighbours as share their input.
    fn project(&self, x: Var<'t, T>, thirds: std::ops::Range<isize>) -> Result<Vec<Var<'t, T>>> {
        let all = self.input.try_shape()?;
        let width = all.last().map_or(0, |n| n / 3) as isize;
        let cut = |w: Var<'t, T>| w.slice(-1, thirds.start * width..thirds.end * width);
        let (w, b) = match thirds.len() {
            3 => (self.input, self.input_bias),
            _ => (cut(self.input), self.input_bias.map(cut)),
        };
        let y = x.linear(w, b);
        y.try_shape()?;
        Ok(match thirds.len() {
            1 => vec![y],
            n => (0..n as isize).map(|i| y.slice(-1, i * width..(i + 1) * width)).collect(),
        })
    }
}

/// `[.., rows, heads·width]` as `[.., heads, rows, width]`.
fn apart<'t, T: Real>(x: Var<'t, T>, heads: usize) -> Result<Var<'t, T>> {
    let mut dims = x.try_shape()?.to_vec();
    let width = dims.pop().unwrap_or(0);
    dims.extend([heads, width / heads]);
    Ok(x.reshape(dims).transpose(-2, -3))
}

impl<'t, T: Real> Var<'t, T> {
    /// Attention of several heads (Vaswani et al. 2017): queries, keys and values are mapped, each head attends with its
    /// own part of their width, and what the heads give together is mapped once more. All are `[.., rows, width]`, the
    /// batch in front. Masks broadcast to `[.., heads, rows, keys]`, so a mask of keys for each instance is `[n, 1, 1,
    /// keys]`. If keys and values are the same variable as this, the three maps are one product.
    ///
    /// The weights that the heads give, if they are wanted, are those of
    /// [`attention_weights`](Var::attention_weights).
    ///
    /// # Gradient
    ///
    /// To the three inputs and all weights.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a number of heads that does not divide the width;
    /// [`Shape`](ErrorKind::Shape) for a map that is not `[width, 3·width]`; those of [`linear`](Var::linear) and
    /// [`attention`](Var::attention).
    ///
    /// ```
    /// use retrograde::{AttentionOptions, MultiHead, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([5, 4])?);
    /// let input = tape.var(&Tensor::concat(&[&Tensor::eye(4)?, &Tensor::eye(4)?, &Tensor::eye(4)?], 1)?);
    /// let weights = MultiHead { input, input_bias: None, output: tape.var(&Tensor::eye(4)?), output_bias: None };
    /// let y = x.multi_head_attention(x, x, 2, &weights, AttentionOptions::default());
    /// assert!(y.value()?.all_close(&x.value()?, 1e-15, 0.0)?);
    /// assert_eq!(y.sum().backward()?.wrt(input)?.shape(), [4, 12]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn multi_head_attention(
        self,
        keys: Var<'t, T>,
        values: Var<'t, T>,
        heads: usize,
        weights: &MultiHead<'t, T>,
        options: AttentionOptions<'t, '_, T>,
    ) -> Var<'t, T> {
        self.tape().composed("multi_head_attention", || {
            let shape = self.try_shape()?;
            if shape.len() < 2 {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            }
            let width = shape[shape.len() - 1];
            crate::shape::same(
                "the map to queries, keys and values",
                &weights.input.try_shape()?,
                &[width, 3 * width],
            )?;
            if heads == 0 || !width.is_multiple_of(heads) {
                return argument("the number of heads", heads, format!("a divisor of {width}, the width"));
            }
            let same = |a: Var<'t, T>, b: Var<'t, T>| a.key() == b.key();
            let mut parts = match (same(self, keys), same(keys, values)) {
                (true, true) => weights.project(self, 0..3)?,
                (false, true) => [weights.project(self, 0..1)?, weights.project(keys, 1..3)?].concat(),
                _ => [
                    weights.project(self, 0..1)?,
                    weights.project(keys, 1..2)?,
                    weights.project(values, 2..3)?,
                ]
                .concat(),
            };
            for part in &mut parts {
                *part = apart(*part, heads)?;
            }
            let y = parts[0].attention(parts[1], parts[2], options).transpose(-2, -3);
            y.try_shape()?;
            // The batch may have been broadcast.
            let mut dims = y.try_shape()?.to_vec();
            dims.truncate(dims.len() - 2);
            dims.push(width);
            Ok(y.reshape(dims).linear(weights.output, weights.output_bias))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn inputs() -> Inputs {
        let cases: &[&[&[usize]]] = &[
            &[&[2, 3, 4], &[2, 2, 4], &[4, 12], &[12], &[4, 4], &[4]],
            &[&[1, 2], &[3, 2], &[2, 6], &[6], &[2, 2], &[2]],
            &[&[2, 0, 2], &[2, 1, 2], &[2, 6], &[6], &[2, 2], &[2]],
        ];
        shapes(cases, -1.0, 1.0)
    }
    fn weights<'t, T: Real>(x: &[Var<'t, T>]) -> MultiHead<'t, T> {
        MultiHead { input: x[2], input_bias: Some(x[3]), output: x[4], output_bias: Some(x[5]) }
    }
    fn plain<'t, 'g, T: Real>() -> AttentionOptions<'t, 'g, T> {
        AttentionOptions::default()
    }
    vec![
        sample!("multi_head_attention", inputs(), |x| {
            x[0].multi_head_attention(x[1], x[1].tanh(), 2, &weights(x), plain())
        }),
        sample!("multi_head_attention to itself", inputs(), |x| {
            let own = x[0].multi_head_attention(
                x[0],
                x[0],
                1,
                &weights(x),
                AttentionOptions { causal: true, ..plain() },
            );
            own * x[1].sum()
        }),
        sample!("multi_head_attention to another", inputs(), |x| {
            let alone = MultiHead { input_bias: None, output_bias: None, ..weights(x) };
            x[0].multi_head_attention(x[1], x[1], 2, &alone, plain()) * x[3].sum() + x[5].sum()
        }),
        wrong!(
            "multi_head_attention",
            &[&[3, 4], &[3, 4], &[4, 12], &[12], &[4, 4], &[4]],
            |x| x[0].multi_head_attention(x[1], x[1], 3, &weights(x), plain()),
            "the number of heads is 3, wanted a divisor of 4, the width"
        ),
        wrong!(
            "multi_head_attention",
            &[&[3, 4], &[3, 4], &[4, 12], &[12], &[4, 4], &[4]],
            |x| x[0].multi_head_attention(x[1], x[1], 0, &weights(x), plain()),
            "the number of heads is 0, wanted a divisor of 4, the width"
        ),
        wrong!(
            "multi_head_attention",
            &[&[3, 4], &[3, 4], &[12, 4], &[12], &[4, 4], &[4]],
            |x| x[0].multi_head_attention(x[1], x[1], 2, &weights(x), plain()),
            "the map to queries, keys and values has shape [12, 4], wanted [4, 12]"
        ),
        wrong!(
            "multi_head_attention",
            &[&[4], &[3, 4], &[4, 12], &[12], &[4, 4], &[4]],
            |x| x[0].multi_head_attention(x[1], x[1], 2, &weights(x), plain()),
            "shape [4] has rank 1, wanted at least 2"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::tensor::{Generator, Tensor};

    /// The same whether the inputs are one variable or equal ones: one product, two, or three.
    #[test]
    fn shared_inputs_are_only_faster() {
        let tape = Tape::new();
        let mut from = Generator::new(3);
        let mut draw =
            |shape: &[usize]| tape.var(&Tensor::<f64>::normal(shape, 0.0, 1.0, &mut from).unwrap());
        let (x, input, output) = (draw(&[2, 5, 6]), draw(&[6, 18]), draw(&[6, 6]));
        let weights = MultiHead { input, input_bias: Some(draw(&[18])), output, output_bias: None };
        let run =
            |k, v| x.multi_head_attention(k, v, 3, &weights, AttentionOptions::default()).value().unwrap();
        let one = run(x, x);
        let other = x.identity();
        for again in [run(other, other), run(x, other), run(other, x)] {
            assert!(one.all_close(&again, 1e-13, 1e-13).unwrap());
        }
    }
}
