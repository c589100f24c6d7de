//! Attention: values weighted by the softmax of the products of queries and keys.

use crate::error::{Error, Result, argument};
use crate::kernels::attention::{Attention, Dropout, Mask, Read};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var};
use crate::tensor::{Form, Generator, Tensor};
use smallvec::SmallVec;

mod fit;

use fit::fit;

/// A mask of attention's scores, `[.., rows, keys]` or what broadcasts to it.
#[derive(Clone, Copy)]
pub enum AttentionMask<'t, T: Real> {
    /// Keys take part where this is not 0; no gradient flows to it.
    Keep(Var<'t, T>),
    /// This is added to the scores, and has a gradient; −∞ leaves a key out.
    Add(Var<'t, T>),
}

/// What [`attention`](Var::attention) does besides; nothing of it by default.
pub struct AttentionOptions<'t, 'g, T: Real> {
    /// Which keys each row sees, or what is added to its scores.
    pub mask: Option<AttentionMask<'t, T>>,
    /// Row i sees keys 0 to i alone, also where there are more keys than rows.
    pub causal: bool,
    /// What the products are multiplied by; `1/√width` if not given.
    pub scale: Option<f64>,
    /// The probability with which each weight is dropped, and where the numbers come from. What stays is divided by
    /// `1 − p`.
    pub dropout: Option<(f64, &'g mut Generator)>,
    /// Queries have more heads than keys and values: neighbouring ones share theirs.
    pub grouped: bool,
}

impl<T: Real> Default for AttentionOptions<'_, '_, T> {
    fn default() -> Self {
        AttentionOptions { mask: None, causal: false, scale: None, dropout: None, grouped: false }
    }
}

/// Over queries `[lead.., repeats, rows, width]`, keys `[lead.., keys, width]`, values `[lead.., keys, depth]` and perhaps a
/// mask, which broadcasts to the scores `[lead.., repeats, rows, keys]`. Gives the output, and for each
/// row the shift of its scores and the reciprocal sum of their exponentials, which have no derivative of their own.
#[derive(Clone, Copy)]
struct Attend {
    scale: f64,
    causal: bool,
    keeps: bool,
    dropout: Option<Dropout>,
}

/// Sizes: the axes in front, repeats, rows, keys, width, depth.
struct Sizes<'a> {
    lead: &'a [usize],
    each: [usize; 5],
}

impl<'a> Sizes<'a> {
    fn of(q: &'a [usize], k: &[usize], v: &[usize]) -> Sizes<'a> {
        let (lead, rest) = q.split_at(q.len() - 3);
        Sizes { lead, each: [rest[0], rest[1], k[k.len() - 2], rest[2], v[v.len() - 1]] }
    }

    fn whole(&self, last: &[usize]) -> Result<Shape> {
        Shape::new([self.lead, last].concat())
    }
}

impl Attend {
    /// The weights before any are dropped, `[lead.., repeats, rows, keys]`.
    fn weights<'t, T: Real>(&self, at: &At<'_, 't, T>) -> Result<Var<'t, T>> {
        let (q, k) = (at.x(0), at.x(1));
        let mask = (at.inputs() > 3).then(|| {
            let mask = at.x(3);
            if self.keeps { AttentionMask::Keep(mask) } else { AttentionMask::Add(mask) }
        });
        let scores = q.product(Form::Plain, k.unsqueeze(-3), Form::Transposed, None) * self.scale;
        weights(scores, mask, self.causal)
    }

    /// What the weights are multiplied by, if any are dropped.
    fn dropped<'t, T: Real>(&self, p: Var<'t, T>) -> Option<Var<'t, T>> {
        let dropout = self.dropout?;
        Some(p.constant_like(p.try_shape().and_then(|shape| {
            Tensor::build(shape, |out| {
                out.iter_mut().zip(0..).for_each(|(out, at)| *out = T::from_f64(dropout.factor(at)));
            })
        })))
    }

    /// Hands the kernel the problem over dense heads.
    fn with<T: Real, R>(
        &self,
        sizes: &Sizes<'_>,
        mask: Option<&Tensor<T>>,
        run: impl FnOnce(Attention<'_, T>) -> Result<R>,
    ) -> Result<R> {
        let [repeats, rows, keys, width, depth] = sizes.each;
        let heads: usize = sizes.lead.iter().product();
        let laid = mask.map(|mask| mask.expand(sizes.whole(&[repeats, rows, keys])?)).transpose()?;
        let mut offsets = Vec::new();
        let mask = laid.as_ref().map(|mask| {
            let view = mask.view();
            let (lead, own) = view.strides.split_at(sizes.lead.len());
            offsets.extend((0..heads).map(|head| {
                let at = crate::shape::unravel(head, sizes.lead);
                let steps = at.iter().zip(lead).map(|(i, step)| *i as isize * step).sum();
                view.offset.wrapping_add_signed(steps)
            }));
            Mask { data: view.data, offsets: &offsets, strides: [own[0], own[1], own[2]], keeps: self.keeps }
        });
        let scale = T::from_f64(self.scale);
        let (causal, dropout) = (self.causal, self.dropout);
        run(Attention { heads, repeats, rows, keys, width, depth, scale, causal, mask, dropout })
    }
}

/// The softmax of scores over the keys that take part.
fn weights<'t, T: Real>(
    scores: Var<'t, T>,
    mask: Option<AttentionMask<'t, T>>,
    causal: bool,
) -> Result<Var<'t, T>> {
    let nothing = scores.constant(f64::NEG_INFINITY);
    let mut scores = match mask {
        None => scores,
        Some(AttentionMask::Keep(mask)) => Var::where_(mask, scores, nothing),
        Some(AttentionMask::Add(mask)) => scores + mask,
    };
    if causal {
        let shape = scores.try_shape()?;
        let seen = Tensor::from_fn(&shape[shape.len() - 2..], |at| T::from_f64(f64::from(at[1] <= at[0])))?;
        scores = Var::where_(scores.tape().constant(&seen), scores, nothing);
    }
    Ok(scores.softmax_of_scores())
}

fn dense<T: Real>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}

impl<T: Real> Operation<T> for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let sizes = Sizes::of(x[0].shape(), x[1].shape(), x[2].shape());
        let [repeats, rows, _, _, depth] = sizes.each;
        let [q, k, v] = [x[0].contiguous()?, x[1].contiguous()?, x[2].contiguous()?];
        self.with(&sizes, x.get(3).copied(), |problem| {
            let mut by = Tensor::zeros(sizes.whole(&[repeats, rows, 2])?)?;
            let y = Tensor::try_build(sizes.whole(&[repeats, rows, depth])?, |y| {
                problem.forward(dense(&q), dense(&k), dense(&v), y, by.as_mut_slice()?.as_chunks_mut().0);
                Ok(())
            })?;
            Ok(SmallVec::from_iter([y, by]))
        })
    }
    /// With p the weights, d what is dropped of them and y = (p∘d)·v: v gets (p∘d)ᵀ·g, the scores `p∘(u − Σ p∘u)` with u =
    /// (g·vᵀ)∘d, and the rest follows from that.
    /// The scores, and the values weighted by them.
    fn flops(&self, x: &[&Tensor<T>], _: &Tensor<T>) -> usize {
        let sizes = Sizes::of(x[0].shape(), x[1].shape(), x[2].shape());
        let [repeats, rows, keys, width, depth] = sizes.each;
        2 * sizes.lead.iter().product::<usize>() * repeats * rows * keys * (width + depth)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (q, k, v, g) = (at.x(0), at.x(1), at.x(2), at.g(0));
        let p = self.weights(at)?;
        let drop = self.dropped(p);
        let mut heads = k.try_shape()?.to_vec();
        let n = heads.len();
        heads[n - 2] = 1;
        let heads = Shape::new(&heads[..n - 1])?;
        let over_repeats = |a: Var<'t, T>, b| {
            a.product(Form::Transposed, b, Form::Plain, Some(Ok(heads.clone()))).squeeze(-3)
        };
        let mut u = g.product(Form::Plain, v.unsqueeze(-3), Form::Transposed, None);
        if let Some(drop) = drop {
            u = u * drop;
        }
        let scores = p * (u - (p * u).sum_keepdim(-1));
        at.each(|i| match i {
            0 => scores.product(Form::Plain, k.unsqueeze(-3), Form::Plain, None) * self.scale,
            1 => over_repeats(scores, q) * self.scale,
            2 => over_repeats(drop.map_or(p, |drop| p * drop), g),
            _ if self.keeps => at.x(3).zeros_like(),
            _ => scores.sum_to_like(at.x(3)),
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (q, k, v) = (at.x(0), at.x(1).unsqueeze(-3), at.x(2).unsqueeze(-3));
        let p = self.weights(at)?;
        let drop = |p: Var<'t, T>| self.dropped(p).map_or(p, |drop| p * drop);
        let y = at.sum_of(|i, d| {
            let scores = match i {
                0 => d.product(Form::Plain, k, Form::Transposed, None) * self.scale,
                1 => q.product(Form::Plain, d.unsqueeze(-3), Form::Transposed, None) * self.scale,
                2 => return drop(p).product(Form::Plain, d.unsqueeze(-3), Form::Plain, None),
                _ if self.keeps => return at.y(0).zeros_like(),
                _ => d,
            };
            let through = p * (scores - (p * scores).sum_keepdim(-1));
            drop(through).product(Form::Plain, v, Form::Plain, None)
        })?;
        Ok(SmallVec::from_iter([y[0], None]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let masked = at.inputs() > 3;
        if masked && !self.keeps && at.needs(3) {
            // The gradient of an added mask is as large as the scores: nothing is gained block by block.
            return None;
        }
        let g = g[0].take()?;
        let run = || {
            let [q, k, v] = [at.x(0).contiguous()?, at.x(1).contiguous()?, at.x(2).contiguous()?];
            let g = g.contiguous()?;
            let sizes = Sizes::of(q.shape(), k.shape(), v.shape());
            self.with(&sizes, masked.then(|| at.x(3)), |problem| {
                let [mut dq, mut dk, mut dv] =
                    [Tensor::zeros(q.shape())?, Tensor::zeros(k.shape())?, Tensor::zeros(v.shape())?];
                let read = Read {
                    q: dense(&q),
                    k: dense(&k),
                    v: dense(&v),
                    out: dense(at.y(0)),
                    by: dense(at.y(1)).as_chunks().0,
                    g: dense(&g),
                };
                problem.backward(read, dq.as_mut_slice()?, dk.as_mut_slice()?, dv.as_mut_slice()?);
                let parts = [dq, dk, dv].into_iter().enumerate().map(|(i, part)| at.needs(i).then_some(part));
                Ok(parts.chain(masked.then_some(None)).collect())
            })
        };
        Some(run())
    }
}

impl<'t, T: Real> AttentionMask<'t, T> {
    fn map(self, f: impl FnOnce(Var<'t, T>) -> Result<Var<'t, T>>) -> Result<AttentionMask<'t, T>> {
        Ok(match self {
            AttentionMask::Keep(mask) => AttentionMask::Keep(f(mask)?),
            AttentionMask::Add(mask) => AttentionMask::Add(f(mask)?),
        })
    }
}

fn scale(given: Option<f64>, width: usize) -> f64 {
    given.unwrap_or_else(|| 1.0 / (width.max(1) as f64).sqrt())
}

impl<'t, T: Real> Var<'t, T> {
    /// Attention of these queries over keys and values, `softmax(q·kᵀ·scale + mask)·v`, the softmax over the keys. Queries
    /// are `[.., rows, width]`, keys `[.., keys, width]`, values `[.., keys, depth]`, the result `[.., rows, depth]`; the axes
    /// in front, batches and heads, broadcast against each other. See [`AttentionOptions`] for masks, scale, dropout and
    /// heads that share keys.
    ///
    /// The scores are computed block by block and never stand in memory together: the memory is linear in rows and keys,
    /// for a first-order gradient too, whose backward pass computes the blocks again. Higher orders, forward mode and the
    /// gradient of an added mask do hold all scores.
    ///
    /// A row that sees no key, by its mask or by −∞ added to all its scores, is 0, with gradient 0: PyTorch gives 0 or NaN
    /// there, depending on the kernel it takes. Dropped weights are a function of one number drawn from the generator and
    /// of their place, so what runs again drops the same.
    ///
    /// # Gradient
    ///
    /// To queries, keys, values and an added mask.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) below 2; [`InnerDimension`](crate::ErrorKind::InnerDimension) for the widths;
    /// [`Shape`](crate::ErrorKind::Shape) for as many values as keys; [`Broadcast`](crate::ErrorKind::Broadcast) for the axes in front and
    /// for the mask; [`Argument`](crate::ErrorKind::Argument) for heads that cannot share evenly, and for a probability outside
    /// [0, 1].
    ///
    /// ```
    /// use retrograde::{AttentionMask, AttentionOptions, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let q = tape.var(&Tensor::from([[0.0, 0.0], [0.0, 0.0]]));
    /// let (k, v) = (tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]])), tape.var(&Tensor::from([[2.0], [4.0]])));
    /// assert_eq!(q.attention(k, v, AttentionOptions::default()).value()?.to_vec(), [3.0, 3.0]);
    /// let causal = q.attention(k, v, AttentionOptions { causal: true, ..Default::default() });
    /// assert_eq!(causal.value()?.to_vec(), [2.0, 3.0]);
    /// assert_eq!(causal.sum().backward()?.wrt(v)?.to_vec(), [1.5, 0.5]);
    /// let mask = AttentionMask::Keep(tape.constant(&Tensor::from([[0.0, 1.0], [0.0, 0.0]])));
    /// let masked = q.attention(k, v, AttentionOptions { mask: Some(mask), ..Default::default() });
    /// assert_eq!(masked.value()?.to_vec(), [4.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "scaled_dot_product_attention")]
    #[doc(alias = "flash_attention")]
    #[track_caller]
    pub fn attention(self, k: Var<'t, T>, v: Var<'t, T>, options: AttentionOptions<'t, '_, T>) -> Var<'t, T> {
        self.tape().composed("attention", || {
            let fitted = fit(self, k, Some(v), options.grouped)?;
            let (shape, keys) = (self.try_shape()?, fitted.k.try_shape()?);
            let [rows, width] = [shape[shape.len() - 2], shape[shape.len() - 1]];
            let v = fitted.v.unwrap_or(v);
            let depth = v.try_shape()?.last().copied().unwrap_or(0);
            let mut inputs = SmallVec::<[Var<'t, T>; 4]>::from_slice(&[fitted.q, fitted.k, v]);
            let mut keeps = false;
            if let Some(mask) = options.mask {
                let (AttentionMask::Keep(given) | AttentionMask::Add(given)) = mask;
                keeps = matches!(mask, AttentionMask::Keep(_));
                inputs.push(fitted.inside(given, [rows, keys[keys.len() - 2]])?);
            }
            let dropout = options.dropout.map(|(p, from)| dropout(p, from)).transpose()?;
            let operation =
                Attend { scale: scale(options.scale, width), causal: options.causal, keeps, dropout };
            let y = self.tape().apply_many(operation, &inputs, 2)[0];
            Ok(y.reshape(fitted.outside([rows, depth])?))
        })
    }

    /// The weights of [`attention`](Var::attention), `softmax(q·kᵀ·scale + mask)` as `[.., rows, keys]`, before any are
    /// dropped: to be looked at, since together they take the memory that attention itself avoids.
    ///
    /// # Gradient
    ///
    /// To queries, keys and an added mask.
    ///
    /// # Errors
    ///
    /// As [`attention`](Var::attention).
    ///
    /// ```
    /// use retrograde::{AttentionOptions, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (q, k) = (tape.var(&Tensor::zeros([2, 3])?), tape.var(&Tensor::zeros([2, 3])?));
    /// let p = q.attention_weights(k, AttentionOptions { causal: true, ..Default::default() });
    /// assert_eq!(p.value()?.to_vec(), [1.0, 0.0, 0.5, 0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn attention_weights(self, k: Var<'t, T>, options: AttentionOptions<'t, '_, T>) -> Var<'t, T> {
        self.tape().composed("attention_weights", || {
            let fitted = fit(self, k, None, options.grouped)?;
            let (shape, keys) = (self.try_shape()?, fitted.k.try_shape()?);
            let [rows, width] = [shape[shape.len() - 2], shape[shape.len() - 1]];
            let size = [rows, keys[keys.len() - 2]];
            let mask = options.mask.map(|mask| mask.map(|mask| fitted.inside(mask, size))).transpose()?;
            let products = fitted.q.product(Form::Plain, fitted.k.unsqueeze(-3), Form::Transposed, None);
            let p = weights(products * scale(options.scale, width), mask, options.causal)?;
            Ok(p.reshape(fitted.outside(size)?))
        })
    }
}

fn dropout(p: f64, from: &mut Generator) -> Result<Dropout, Error> {
    if (0.0..=1.0).contains(&p) {
        return Ok(Dropout { seed: from.bits(), p });
    }
    argument("p", p, "a probability from 0 to 1")
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
