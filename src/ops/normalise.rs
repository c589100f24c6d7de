//! What the normalisations share: rows moved and scaled to mean 0 and variance 1, weighted channel by channel.

use crate::error::Result;
use crate::kernels::normalise::{Moments, Rows, normalise, normalise_backward};
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// `(x − m)·r·w + b` over rows, with `r = 1/√(v + ε)`; without `centred` m is 0 and v the mean square.
///
/// The inputs are x, the weights if there are any, the biases if there are any; the outputs y, and m and v of each row,
/// which have no derivative of their own.
#[derive(Clone, Copy)]
pub(super) struct Normalise {
    pub(super) name: &'static str,
    pub(super) rows: Rows,
    pub(super) eps: f64,
    pub(super) centred: bool,
    pub(super) weighted: bool,
    pub(super) biased: bool,
}

/// The axes of an element within its row, in x as `[outer, groups, channels, inner]`.
const ROW: [isize; 2] = [2, 3];

impl Normalise {
    /// x as `[outer, groups, channels, inner]`.
    fn four(&self, shape: &[usize]) -> Result<Shape> {
        let Rows { groups, channels, inner } = self.rows;
        let outer = shape.iter().product::<usize>().checked_div(groups * channels * inner).unwrap_or(0);
        Shape::new([outer, groups, channels, inner])
    }

    /// x in that shape, normalised, and the factors `r`.
    fn normalised<'t, T: Real>(&self, x: Var<'t, T>) -> Result<(Var<'t, T>, Var<'t, T>)> {
        let four = self.four(&x.try_shape()?)?;
        let alone = Normalise { weighted: false, biased: false, ..*self };
        let hat = x.tape().apply_many(alone, &[x], 3)[0].reshape(&four);
        let x = x.reshape(&four);
        let v = if self.centred { x.var_keepdim(ROW, 0.0) } else { x.square().mean_keepdim(ROW) };
        Ok((hat, (v + self.eps).rsqrt()))
    }

    /// `r(u − mean u − x̂·mean(u·x̂))`: the Jacobian of x̂, which is symmetric.
    fn projected<'t, T: Real>(&self, u: Var<'t, T>, hat: Var<'t, T>, r: Var<'t, T>) -> Var<'t, T> {
        let level = if self.centred { u - u.mean_keepdim(ROW) } else { u };
        r * (level - hat * (u * hat).mean_keepdim(ROW))
    }

    /// Weights or biases as a factor of x.
    fn spread<'t, T: Real>(&self, w: Var<'t, T>) -> Var<'t, T> {
        w.reshape([1, self.rows.groups, self.rows.channels, 1])
    }

    /// Weights or biases in a row, or what stands for them.
    fn held<T: Real>(&self, given: Option<&Tensor<T>>, otherwise: T) -> Result<Tensor<T>> {
        match given {
            Some(given) => given.contiguous(),
            None => Tensor::full([self.rows.weights()], otherwise),
        }
    }

    fn weights<T: Real>(&self, x: &[&Tensor<T>]) -> Result<[Tensor<T>; 2]> {
        let w = self.held(self.weighted.then(|| x[1]), T::ONE)?;
        let b = self.held(self.biased.then(|| x[1 + usize::from(self.weighted)]), T::ZERO)?;
        Ok([w, b])
    }
}

fn slice<T: Real>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}

impl<T: Real> Operation<T> for Normalise {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let four = self.four(x[0].shape())?;
        let moments = Shape::new([four[0], four[1]])?;
        let (dense, [w, b]) = (x[0].contiguous()?, self.weights(x)?);
        let (mut mean, mut variance) = (Tensor::zeros(&moments)?, Tensor::zeros(&moments)?);
        let y = Tensor::try_build(x[0].shape_owned(), |y| {
            let (mean, variance) = (mean.as_mut_slice()?, variance.as_mut_slice()?);
            let eps = T::from_f64(self.eps);
            normalise(slice(&dense), self.rows, self.centred, eps, (slice(&w), slice(&b)), y, mean, variance);
            Ok(())
        })?;
        Ok(SmallVec::from_iter([y, mean, variance]))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (x, g) = (at.x(0), at.g(0));
        let own = x.try_shape()?;
        let g = g.reshape(self.four(&own)?);
        let (hat, r) = self.normalised(x)?;
        at.each(|i| match i {
            0 => {
                let u = if self.weighted { g * self.spread(at.x(1)) } else { g };
                self.projected(u, hat, r).reshape(&own)
            }
            1 if self.weighted => (g * hat).sum_axes([0, 3]).reshape_as(at.x(1)),
            _ => g.sum_axes([0, 3]).reshape_as(at.x(i)),
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let own = at.x(0).try_shape()?;
        let four = self.four(&own)?;
        let (hat, r) = self.normalised(at.x(0))?;
        let dy = at.sum_of(|i, d| {
            let part = match i {
                0 => {
                    let dx = self.projected(d.reshape(&four), hat, r);
                    if self.weighted { dx * self.spread(at.x(1)) } else { dx }
                }
                1 if self.weighted => hat * self.spread(d),
                _ => self.spread(d).expand(&four),
            };
            part.reshape(&own)
        })?;
        Ok(SmallVec::from_iter([dy[0], None, None]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let inputs: SmallVec<[&Tensor<T>; 3]> = (0..at.inputs()).map(|i| at.x(i)).collect();
            let [w, _] = self.weights(&inputs)?;
            let (x, g) = (inputs[0].contiguous()?, g.contiguous()?);
            let (eps, centred) = (T::from_f64(self.eps), self.centred);
            let by = Moments { mean: slice(at.y(1)), variance: slice(at.y(2)), eps, centred };
            let shape = Shape::new([self.rows.weights()])?;
            let (mut dw, mut db) = (Tensor::zeros(&shape)?, Tensor::zeros(&shape)?);
            let dx = Tensor::try_build(x.shape_owned(), |dx| {
                let sums = (dw.as_mut_slice()?, db.as_mut_slice()?);
                normalise_backward(slice(&x), slice(&g), self.rows, by, slice(&w), dx, sums);
                Ok(())
            })?;
            let mut parts = Partials::from_iter([at.needs(0).then_some(dx)]);
            let others = [self.weighted.then_some(dw), self.biased.then_some(db)];
            for (i, part) in others.into_iter().flatten().enumerate() {
                let wanted = at.needs(i + 1).then(|| part.reshape(inputs[i + 1].shape())).transpose()?;
                parts.push(wanted);
            }
            Ok(parts)
        };
        Some(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Runs a normalisation, whose weights and biases have a shape; y, the means and the variances.
    #[track_caller]
    pub(super) fn normalised_by(
        self,
        mut by: Normalise,
        shape: &[usize],
        [w, b]: [Option<Var<'t, T>>; 2],
    ) -> Result<[Var<'t, T>; 3]> {
        let mut inputs = SmallVec::<[Var<'t, T>; 3]>::from_slice(&[self]);
        for (what, given) in [("the weight", w), ("the bias", b)] {
            if let Some(given) = given {
                same(what, &given.try_shape()?, shape)?;
                inputs.push(given);
            }
        }
        (by.weighted, by.biased) = (w.is_some(), b.is_some());
        let y = self.tape().apply_many(by, &inputs, 3);
        Ok([y[0], y[1], y[2]])
    }
}
