//! Cosine and sine transforms, by half spectra of twice the length.
//!
//! With the angle θⱼ = πj/2N, `Σₙ xₙ cos(πj(2n + 1)/2N)` and the same with the sine are the real and the imaginary part of
//! `e^(iθⱼ)` times the conjugate of the jth number of the spectrum of 2N points. Type III is the transpose of type II; type I is a
//! half spectrum as it stands; type IV turns by half a step on both sides of a spectrum.

use super::settings::{Along, Norm};
use super::transform::{Dft, Half, Whole};
use crate::error::{Result, argument};
use crate::kernels::fft::Weights;
use crate::number::Real;
use crate::ops::Padding;
use crate::shape::Shape;
use crate::tape::Var;
use crate::tensor::Tensor;
use std::f64::consts::{PI, SQRT_2};

/// The kind of a cosine or sine transform: where its waves have their nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// At whole steps in both directions; its own inverse.
    I,
    /// At whole steps of the frequency, between the samples: what is meant by *the* cosine transform.
    II,
    /// The inverse of type II.
    III,
    /// Between steps in both directions; its own inverse.
    IV,
}

impl Type {
    fn inverse(self) -> Type {
        match self {
            Type::II => Type::III,
            Type::III => Type::II,
            own => own,
        }
    }
}

/// A transform of `n` numbers along an axis.
#[derive(Clone, Copy)]
struct Transform {
    axis: usize,
    rank: usize,
    n: usize,
    scale: f64,
    sine: bool,
    ortho: bool,
}

/// What the sums of a pair of waves are made of: the variables of both parts.
type Pair<'t, T> = (Var<'t, T>, Var<'t, T>);

impl Transform {
    /// Numbers along the axis.
    fn along<'t, T: Real>(self, like: Var<'t, T>, f: impl Fn(usize) -> f64) -> Result<Var<'t, T>> {
        let mut dims = vec![1; self.rank];
        dims[self.axis] = self.n;
        let values = Tensor::build(Shape::new(dims)?, |out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = T::from_f64(f(k));
            }
        })?;
        Ok(like.tape().constant(&values))
    }

    /// The factors that make a transform orthogonal, besides its scale: `at_end` for the elements whose waves have twice the
    /// square.
    fn ends<'t, T: Real>(self, x: Var<'t, T>, at_end: f64) -> Result<Var<'t, T>> {
        if !self.ortho {
            return Ok(x);
        }
        Ok(x * self.along(x, |k| if k == 0 || k + 1 == self.n { at_end } else { 1.0 })?)
    }

    /// The cosine and the sine of `π(k + first)/parts`, times `at_end` at the one element whose wave has twice the square.
    fn waves<'t, T: Real>(
        self,
        like: Var<'t, T>,
        first: f64,
        parts: usize,
        at_end: f64,
    ) -> Result<Pair<'t, T>> {
        let end = if self.sine { self.n - 1 } else { 0 };
        let at = |k: usize| PI * (k as f64 + first) / parts as f64;
        let factor = |k: usize| if k == end { at_end } else { 1.0 };
        Ok((self.along(like, |k| factor(k) * at(k).cos())?, self.along(like, |k| factor(k) * at(k).sin())?))
    }

    /// A spectrum turned by the waves' angles: its real part for the cosine transform, for the sine transform its imaginary
    /// part with the other sign.
    fn turned<'t, T: Real>(self, (re, im): Pair<'t, T>, (cos, sin): Pair<'t, T>) -> Var<'t, T> {
        if self.sine { re * sin - im * cos } else { re * cos + im * sin }
    }

    fn weights(self, scale: f64) -> Weights {
        Weights { scale, interior: 1.0, conjugate: false }
    }

    /// Zeros before, and behind.
    fn between<'t, T: Real>(self, x: Var<'t, T>, before: usize, behind: usize) -> Var<'t, T> {
        let mut pads = vec![(0, 0); self.rank - self.axis];
        pads[0] = (before as isize, behind as isize);
        x.pad(pads, Padding::Constant(0.0))
    }

    /// A real axis of `n` points, of which `to` are wanted, from a half spectrum.
    fn whole<'t, T: Real>(self, (re, im): Pair<'t, T>, n: usize, to: usize) -> Var<'t, T> {
        let whole = Whole { axis: self.axis, n, to, weights: self.weights(self.scale) };
        re.tape().apply(whole, &[re, im])
    }

    fn first<'t, T: Real>(self, x: Var<'t, T>) -> Result<Var<'t, T>> {
        if self.sine {
            let waves = self.between(-x, 1, 1);
            let y = self.whole((waves.zeros_like(), waves), 2 * (self.n + 1), self.n + 1);
            return Ok(y.slice(self.axis as isize, 1..));
        }
        if self.n < 2 {
            return argument("the number of points", self.n, "at least 2");
        }
        let x = self.ends(x, SQRT_2)?;
        self.ends(self.whole((x, x.zeros_like()), 2 * (self.n - 1), self.n), SQRT_2.recip())
    }

    fn second<'t, T: Real>(self, x: Var<'t, T>) -> Result<Var<'t, T>> {
        let weights = self.weights(2.0 * self.scale);
        // The waves of sines begin with number 1.
        let first = usize::from(self.sine);
        let half = Half { axis: self.axis, n: 2 * self.n, to: self.n + first, weights };
        let parts = x.tape().apply_many(half, &[x], 2);
        let cut = |part: Var<'t, T>| if self.sine { part.slice(self.axis as isize, 1..) } else { part };
        let at_end = if self.ortho { SQRT_2.recip() } else { 1.0 };
        let waves = self.waves(x, first as f64, 2 * self.n, at_end)?;
        Ok(self.turned((cut(parts[0]), cut(parts[1])), waves))
    }

    fn third<'t, T: Real>(self, x: Var<'t, T>) -> Result<Var<'t, T>> {
        let at_end = if self.ortho { SQRT_2 } else { 1.0 };
        let (cos, sin) = self.waves(x, f64::from(u8::from(self.sine)), 2 * self.n, at_end)?;
        let pair = if self.sine {
            (self.between(x * sin, 1, 0), self.between(-(x * cos), 1, 0))
        } else {
            (x * cos, x * sin)
        };
        Ok(self.whole(pair, 2 * self.n, self.n))
    }

    fn fourth<'t, T: Real>(self, x: Var<'t, T>) -> Result<Var<'t, T>> {
        let plain = Transform { ortho: false, ..self };
        let (cos, sin) = plain.waves(x, 0.0, 2 * self.n, 1.0)?;
        let (scale, outputs) = (2.0 * self.scale, 2);
        let dft = Dft { axis: self.axis, n: 2 * self.n, to: self.n, inverse: false, scale, outputs };
        let parts = x.tape().apply_many(dft, &[x * cos, -(x * sin)], 2);
        Ok(plain.turned((parts[0], parts[1]), plain.waves(x, 0.5, 2 * self.n, 1.0)?))
    }
}

/// Either transform, or its inverse.
#[track_caller]
fn transformed<'t, T: Real>(
    x: Var<'t, T>,
    (sine, inverse): (bool, bool),
    kind: Type,
    n: Option<usize>,
    axis: isize,
    norm: Norm,
) -> Var<'t, T> {
    let name = match (sine, inverse) {
        (false, false) => "dct",
        (false, true) => "idct",
        (true, false) => "dst",
        (true, true) => "idst",
    };
    x.tape().composed(name, || {
        let shape = x.try_shape()?;
        let Along { axis, n } = Along::one(axis, n, &shape)?;
        // The period of the waves.
        let points = match (kind, sine) {
            (Type::I, false) => n.saturating_sub(1).checked_mul(2),
            (Type::I, true) => n.checked_add(1).and_then(|n| n.checked_mul(2)),
            _ => n.checked_mul(2),
        };
        let Some(points) = points else { return argument("the number of points", n, "half of it") };
        let (scale, ortho) = (norm.scale(points, inverse), norm == Norm::Ortho);
        let transform = Transform { axis, rank: shape.len(), n, scale, sine, ortho };
        let x = match shape[axis] {
            own if own > n => x.slice(axis as isize, ..n as isize),
            own if own < n => transform.between(x, 0, n - own),
            _ => x,
        };
        match if inverse { kind.inverse() } else { kind } {
            Type::I => transform.first(x),
            Type::II => transform.second(x),
            Type::III => transform.third(x),
            Type::IV => transform.fourth(x),
        }
    })
}

impl<'t, T: Real> Var<'t, T> {
    /// The discrete cosine transform along an axis of N numbers, which is cut to `n`, or filled up with zeros, first:
    ///
    /// | | |
    /// | --- | --- |
    /// | I | `yₖ = x₀ + (−1)ᵏ x_{N−1} + 2 Σ xⱼ cos(πjk/(N − 1))` over the others |
    /// | II | `yₖ = 2 Σ xⱼ cos(πk(2j + 1)/2N)` |
    /// | III | `yₖ = x₀ + 2 Σ xⱼ cos(πj(2k + 1)/2N)` over the others |
    /// | IV | `yₖ = 2 Σ xⱼ cos(π(2j + 1)(2k + 1)/4N)` |
    ///
    /// These are the sums of [`Norm::Backward`], whose inverse has the factor 1/2N, or 1/2(N − 1) of type I.
    /// [`Norm::Ortho`] makes orthogonal maps of them, by more than a factor, as SciPy does.
    ///
    /// # Gradient
    ///
    /// The transposed transform of the cotangent.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for no points, and for one of type I.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Norm, Type}};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let y = x.dct(Type::II, None, -1, Norm::Ortho);
    /// assert!((y.value()?.to_vec()[0] - 5.0).abs() < 1e-15);
    /// assert!((y.square().sum().item()? - 30.0).abs() < 1e-14);
    /// let back = y.idct(Type::II, None, -1, Norm::Ortho);
    /// assert!(back.value()?.all_close(&x.value()?, 1e-14, 0.0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dct(self, kind: Type, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        transformed(self, (false, false), kind, n.into(), axis, norm)
    }

    /// The inverse of [`dct`](Var::dct) of the same type.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn idct(self, kind: Type, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        transformed(self, (false, true), kind, n.into(), axis, norm)
    }

    /// The discrete sine transform along an axis of N numbers, which is cut to `n`, or filled up with zeros, first:
    ///
    /// | | |
    /// | --- | --- |
    /// | I | `yₖ = 2 Σ xⱼ sin(π(j + 1)(k + 1)/(N + 1))` |
    /// | II | `yₖ = 2 Σ xⱼ sin(π(k + 1)(2j + 1)/2N)` |
    /// | III | `yₖ = (−1)ᵏ x_{N−1} + 2 Σ xⱼ sin(π(j + 1)(2k + 1)/2N)` over the others |
    /// | IV | `yₖ = 2 Σ xⱼ sin(π(2j + 1)(2k + 1)/4N)` |
    ///
    /// Factors are those of [`dct`](Var::dct), with N + 1 for N in type I.
    ///
    /// # Errors
    ///
    /// As there, but of type I one point will do.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::{Norm, Type}};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 1.0]));
    /// let y = x.dst(Type::I, None, -1, Norm::Backward);
    /// assert!(y.value()?.all_close(&Tensor::from([12f64.sqrt(), 0.0]), 0.0, 1e-15)?);
    /// assert!(y.idst(Type::I, None, -1, Norm::Backward).value()?.all_close(&x.value()?, 1e-15, 0.0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dst(self, kind: Type, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        transformed(self, (true, false), kind, n.into(), axis, norm)
    }

    /// The inverse of [`dst`](Var::dst) of the same type.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn idst(self, kind: Type, n: impl Into<Option<usize>>, axis: isize, norm: Norm) -> Var<'t, T> {
        transformed(self, (true, true), kind, n.into(), axis, norm)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let lines = || shapes(&[&[&[2]], &[&[2, 3, 5]], &[&[3, 8]], &[&[0, 4]]], -1.0, 1.0);
    vec![
        sample!("dct", lines(), |x| x[0].dct(Type::II, None, -1, Norm::Backward).square()),
        sample!("dct I", lines(), |x| x[0].dct(Type::I, None, -1, Norm::Ortho).square()),
        sample!("dct III", lines(), |x| x[0].dct(Type::III, 6, 0, Norm::Ortho).square()),
        sample!("dct IV", lines(), |x| x[0].dct(Type::IV, None, -1, Norm::Forward).square()),
        sample!("idct", lines(), |x| x[0].idct(Type::II, 2, -1, Norm::Backward).square()),
        sample!("dst", lines(), |x| x[0].dst(Type::II, 3, -1, Norm::Ortho).square()),
        sample!("dst I", lines(), |x| x[0].dst(Type::I, None, -1, Norm::Backward).square()),
        sample!("dst III", lines(), |x| x[0].dst(Type::III, None, -1, Norm::Ortho).square()),
        sample!("dst IV", lines(), |x| x[0].dst(Type::IV, 1, 0, Norm::Ortho).square()),
        sample!("idst", lines(), |x| x[0].idst(Type::II, None, -1, Norm::Forward).square()),
        wrong!(
            "dct",
            &[&[1]],
            |x| x[0].dct(Type::I, None, 0, Norm::Ortho),
            "the number of points is 1, wanted at least 2"
        ),
        wrong!(
            "idct",
            &[&[2]],
            |x| x[0].idct(Type::II, 0, 0, Norm::Ortho),
            "the number of points is 0, wanted at least 1"
        ),
        wrong!(
            "dst",
            &[&[2]],
            |x| x[0].dst(Type::II, None, 1, Norm::Ortho),
            "axis 1 is out of range for shape [2]"
        ),
        wrong!(
            "idst",
            &[&[0]],
            |x| x[0].idst(Type::I, None, 0, Norm::Ortho),
            "the number of points is 0, wanted at least 1"
        ),
    ]
}
