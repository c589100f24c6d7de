//! Rotary position embedding.

use crate::error::{ErrorKind, Result, argument};
use crate::kernels::rotary::turn;
use crate::number::Real;
use crate::shape::same;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// Which elements of a row [`rotary_embedding`](Var::rotary_embedding) turns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Pairs {
    /// Element j of the first half with element j of the second, as LLaMA and GPT-NeoX.
    #[default]
    Halves,
    /// Neighbours, 2j with 2j + 1, as in the paper.
    Neighbours,
}

/// Pairs turned by angles, one table of them for the rows: a rotation, whose adjoint turns back.
#[derive(Clone)]
struct Turn<T: Real> {
    cos: Tensor<T>,
    sin: Tensor<T>,
    pairs: Pairs,
}

impl<T: Real> Turn<T> {
    fn run(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let x = x.contiguous()?;
        let [data, cos, sin] = [&x, &self.cos, &self.sin].map(|x| x.as_slice().expect("contiguous"));
        let n = x.shape()[x.rank() - 1];
        let neighbours = self.pairs == Pairs::Neighbours;
        Tensor::build(x.shape_owned(), |out| turn(data, n, (cos, sin), self.cos.shape()[0], neighbours, out))
    }

    fn back(&self) -> Result<Turn<T>> {
        Ok(Turn { sin: self.sin.map(|s| -s)?, ..self.clone() })
    }
}

impl<T: Real> Operation<T> for Turn<T> {
    fn name(&self) -> &'static str {
        "rotary_embedding"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.run(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.back()?, &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(self.clone(), &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.back().and_then(|back| back.run(&g)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Rotary position embedding (Su et al. 2021) of queries or keys `[.., rows, width]`: pair j of the row at position p is
    /// turned by the angle `p·base^(−2j/width)`, so that the product of a query and a key depends on the distance of their
    /// positions alone. `positions` has one for each row, `[rows]`; the usual base is 10 000.
    ///
    /// # Gradient
    ///
    /// The cotangent turned back.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 2; [`Argument`](ErrorKind::Argument) for an odd width;
    /// [`Shape`](ErrorKind::Shape) for the positions.
    ///
    /// ```
    /// use retrograde::{Pairs, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let q = tape.var(&Tensor::from([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]));
    /// let turned = q.rotary_embedding(&Tensor::from([0, 1, 2]), 1e4, Pairs::Halves);
    /// let products = turned.matmul(turned.t()).value()?;
    /// // By the distance of the positions: cos 0, cos 1, cos 2.
    /// assert!((products.get([0, 1])? - 1f64.cos()).abs() < 1e-15);
    /// assert!((products.get([2, 1])? - 1f64.cos()).abs() < 1e-15);
    /// assert!((products.get([0, 2])? - 2f64.cos()).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "rope")]
    #[track_caller]
    pub fn rotary_embedding(self, positions: &Tensor<i64>, base: f64, pairs: Pairs) -> Var<'t, T> {
        self.tape().composed("rotary_embedding", || {
            let shape = self.try_shape()?;
            let &[.., rows, width] = &shape[..] else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            };
            if width % 2 == 1 {
                return argument("the width", width, "an even number");
            }
            same("the list of positions", positions.shape(), &[rows])?;
            let table = |f: fn(f64) -> f64| {
                let at = |p: i64, j: usize| f(p as f64 * base.powf(-2.0 * j as f64 / width as f64));
                let all = positions.iter().flat_map(|p| (0..width / 2).map(move |j| (p, j)));
                Tensor::from_iter_in(all.map(|(p, j)| T::from_f64(at(p, j))), [rows, width / 2])
            };
            let operation = Turn { cos: table(f64::cos)?, sin: table(f64::sin)?, pairs };
            Ok(self.tape().apply(operation, &[self]))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn rows() -> Inputs {
        shapes(
            &[&[&[3, 4]], &[&[2, 3, 6]], &[&[2, 2, 3, 2]], &[&[0, 2]], &[&[2, 0, 4]], &[&[3, 0]]],
            -2.0,
            2.0,
        )
    }
    fn places(shape: &[usize]) -> Tensor<i64> {
        (0..shape[shape.len() - 2]).map(|i| 3 * i as i64 - 1).collect()
    }
    vec![
        sample!("rotary_embedding", rows(), |x| {
            x[0].rotary_embedding(&places(&x[0].shape()), 100.0, Pairs::Halves).square()
        }),
        sample!("rotary_embedding of neighbours", rows(), |x| {
            x[0].rotary_embedding(&places(&x[0].shape()), 100.0, Pairs::Neighbours).square()
        }),
        wrong!(
            "rotary_embedding",
            &[&[3, 3]],
            |x| x[0].rotary_embedding(&places(&[3, 3]), 1e4, Pairs::Halves),
            "the width is 3, wanted an even number"
        ),
        wrong!(
            "rotary_embedding",
            &[&[3, 2]],
            |x| x[0].rotary_embedding(&places(&[2, 2]), 1e4, Pairs::Halves),
            "the list of positions has shape [2], wanted [3]"
        ),
        wrong!(
            "rotary_embedding",
            &[&[4]],
            |x| x[0].rotary_embedding(&places(&[2, 2]), 1e4, Pairs::Halves),
            "shape [4] has rank 1, wanted at least 2"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn the_two_ways_of_pairing_differ_by_a_permutation_and_angles_are_as_written() {
        let tape = Tape::<f64>::new();
        let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0, 4.0]]));
        let at = Tensor::from([5]);
        let halves = x.rotary_embedding(&at, 100.0, Pairs::Halves).value().unwrap().to_vec();
        let swapped = tape.var(&Tensor::from([[1.0, 3.0, 2.0, 4.0]]));
        let neighbours = swapped.rotary_embedding(&at, 100.0, Pairs::Neighbours).value().unwrap().to_vec();
        assert_eq!([halves[0], halves[2], halves[1], halves[3]].to_vec(), neighbours);
        // Angles 5 and 5/10.
        let wanted = [5f64.cos() - 3.0 * 5f64.sin(), 2.0 * 0.5f64.cos() - 4.0 * 0.5f64.sin()];
        assert!((halves[0] - wanted[0]).abs() < 1e-15 && (halves[1] - wanted[1]).abs() < 1e-15);
    }
}
