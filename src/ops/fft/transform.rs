//! The three linear operations that transforms are made of. Each is closed under transposition: what is cut off or filled
//! up with zeros before and after a transform changes places with it.

use crate::error::Result;
use crate::kernels::fft::{Lengths, Weights, dft, half, whole};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The axis moved last, row-major.
fn laid<T: Real>(x: &Tensor<T>, axis: usize) -> Result<Tensor<T>> {
    x.transpose(axis as isize, -1)?.contiguous()
}

fn data<T: Real>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}

/// The shape with another length of the last axis, and the length that it had.
fn lengthened(shape: &[usize], to: usize) -> Result<(Shape, usize)> {
    let (mut dims, last) = (shape.to_vec(), shape.len() - 1);
    dims[last] = to;
    Ok((Shape::new(dims)?, shape[last]))
}

/// Two tensors of one shape, whose elements `fill` writes.
fn pair<T: Real>(shape: Shape, fill: impl FnOnce(&mut [T], &mut [T])) -> Result<[Tensor<T>; 2]> {
    Tensor::try_build_many([shape.clone(), shape], |[first, second]| {
        fill(first, second);
        Ok(())
    })
}

/// The axis moved back, as a view.
fn back<T: Real>(made: impl IntoIterator<Item = Tensor<T>>, axis: usize) -> Result<Outputs<T>> {
    made.into_iter().map(|y| y.transpose(axis as isize, -1)).collect()
}

/// What an operation makes of the tangents of its inputs, zeros where there are none.
fn pushed<'t, T: Real>(at: &At<'_, 't, T>, operation: impl Operation<T>) -> Result<Parts<'t, T>> {
    if (0..at.inputs()).all(|i| at.dx(i).is_none()) {
        return Ok(SmallVec::from_elem(None, at.outputs()));
    }
    let dx: SmallVec<[Var<'t, T>; 2]> =
        (0..at.inputs()).map(|i| at.dx(i).unwrap_or_else(|| at.x(i).zeros_like())).collect();
    Ok(dx[0].tape().apply_many(operation, &dx, at.outputs()).into_iter().map(Some).collect())
}

/// What the transpose of an operation makes of the cotangents of its outputs.
fn pulled<'t, T: Real>(at: &At<'_, 't, T>, transpose: impl Operation<T>) -> Result<Parts<'t, T>> {
    let g: SmallVec<[Var<'t, T>; 2]> = (0..at.outputs()).map(|j| at.g(j)).collect();
    let parts = g[0].tape().apply_many(transpose, &g, at.inputs());
    Ok(parts.into_iter().enumerate().map(|(i, part)| at.needs(i).then_some(part)).collect())
}

/// `scale · Σₖ xₖ e^(∓2πijk/n)` along an axis that is cut to `n`, or filled up with zeros, before, and to `to` after. One
/// input is a real one, one output the real part alone.
#[derive(Clone, Copy)]
pub(super) struct Dft {
    pub axis: usize,
    pub n: usize,
    pub to: usize,
    pub inverse: bool,
    pub scale: f64,
    pub outputs: usize,
}

impl<T: Real> Operation<T> for Dft {
    fn name(&self) -> &'static str {
        if self.inverse { "ifft" } else { "fft" }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let x = x.iter().map(|x| laid(x, self.axis)).collect::<Result<SmallVec<[_; 2]>>>()?;
        let (shape, from) = lengthened(x[0].shape(), self.to)?;
        let lengths = Lengths { from, n: self.n, to: self.to };
        let given = || (data(&x[0]), x.get(1).map(data));
        if self.outputs == 1 {
            let re = Tensor::build(shape, |re| dft(lengths, self.inverse, self.scale, given(), (re, None)))?;
            return back([re], self.axis);
        }
        let made = pair(shape, |re, im| dft(lengths, self.inverse, self.scale, given(), (re, Some(im))))?;
        back(made, self.axis)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let to = at.x(0).try_shape()?[self.axis];
        pulled(at, Dft { to, inverse: !self.inverse, outputs: at.inputs(), ..*self })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        pushed(at, *self)
    }
}

/// The first n/2 + 1 numbers of the spectrum of a real axis, which is cut to `n` or filled up with zeros, each times a
/// weight; of them, or of zeros behind them, `to`.
#[derive(Clone, Copy)]
pub(super) struct Half {
    pub axis: usize,
    pub n: usize,
    pub to: usize,
    pub weights: Weights,
}

impl<T: Real> Operation<T> for Half {
    fn name(&self) -> &'static str {
        if self.weights.conjugate { "ihfft" } else { "rfft" }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let x = laid(x[0], self.axis)?;
        let (shape, from) = lengthened(x.shape(), self.to)?;
        let lengths = Lengths { from, n: self.n, to: self.to };
        back(pair(shape, |re, im| half(lengths, self.weights, data(&x), (re, im)))?, self.axis)
    }
    /// The real part of `Σⱼ wⱼ gⱼ e^(2πijk/n)` over half the spectrum: of a whole one, whose interior counts twice, with
    /// half the weight.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let weights = Weights { interior: self.weights.interior / 2.0, ..self.weights };
        pulled(at, Whole { to: at.x(0).try_shape()?[self.axis], weights, ..Whole::like(self) })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        pushed(at, *self)
    }
}

/// A real axis from the first n/2 + 1 numbers of its spectrum, which are cut to so many or filled up with zeros, each times
/// a weight; the imaginary parts of those without a mirror image do not count. Of it, or of zeros behind it, `to`.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    pub axis: usize,
    pub n: usize,
    pub to: usize,
    pub weights: Weights,
}

impl Whole {
    fn like(half: &Half) -> Whole {
        Whole { axis: half.axis, n: half.n, to: half.to, weights: half.weights }
    }
}

impl<T: Real> Operation<T> for Whole {
    fn name(&self) -> &'static str {
        if self.weights.conjugate { "hfft" } else { "irfft" }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (re, im) = (laid(x[0], self.axis)?, laid(x[1], self.axis)?);
        let (shape, from) = lengthened(re.shape(), self.to)?;
        let lengths = Lengths { from, n: self.n, to: self.to };
        let y = Tensor::build(shape, |y| whole(lengths, self.weights, (data(&re), data(&im)), y))?;
        y.transpose(self.axis as isize, -1).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let weights = Weights { interior: self.weights.interior * 2.0, ..self.weights };
        let to = at.x(0).try_shape()?[self.axis];
        pulled(at, Half { axis: self.axis, n: self.n, to, weights })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        pushed(at, *self)
    }
}
