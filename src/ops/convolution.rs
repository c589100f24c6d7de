//! Convolutions of images with kernels, and their transposes.

use crate::error::Result;
use crate::kernels::convolution::{self as kernel, Axis, Geometry, Product};
use crate::kernels::reduce;
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{self, Tensor};
use options::{Sizes, convolution, transposed};
use std::sync::Arc;

mod options;

pub use options::Conv;

/// One of the three products of a convolution, of two of x, w and y; the images may have a bias added.
///
/// A family that is closed under differentiation: the cotangent of either operand is the product that gives it, of the
/// other operand and the cotangent.
#[derive(Clone)]
struct Convolution {
    product: Product,
    sizes: Arc<Sizes>,
}

/// Of x, w and y, counted from 0: the operands of a product, and what it gives.
fn slots(product: Product) -> ([usize; 2], usize) {
    match product {
        Product::Forward => ([0, 1], 2),
        Product::Transposed => ([2, 1], 0),
        Product::Weight => ([0, 2], 1),
    }
}

/// The product that gives x, w or y.
fn giving(slot: usize) -> Product {
    [Product::Transposed, Product::Weight, Product::Forward][slot]
}

impl Convolution {
    fn of<T: Real>(&self, a: &Tensor<T>, b: &Tensor<T>, bias: Option<&Tensor<T>>) -> Result<Tensor<T>> {
        let geometry: &Geometry = &self.sizes.geometry;
        let (a, b, bias) = (a.contiguous()?, b.contiguous()?, bias.map(Tensor::contiguous).transpose()?);
        let dense = |x: &Tensor<T>| x.as_slice().is_some();
        debug_assert!(dense(&a) && dense(&b) && bias.as_ref().is_none_or(dense));
        let (a, b) = (a.as_slice().unwrap_or(&[]), b.as_slice().unwrap_or(&[]));
        let bias = bias.as_ref().and_then(Tensor::as_slice);
        let memory = Shape::new([kernel::scratch::<T>(self.product, geometry)])?;
        Tensor::try_build(self.sizes.shapes[slots(self.product).1].clone(), |out| {
            Tensor::build(memory, |memory| kernel::run(self.product, geometry, [a, b], bias, out, memory))
                .map(drop)
        })
    }

    /// The product that the cotangent of operand `i` is, and its operands: one of this one's, or the cotangent.
    fn cotangent(&self, i: usize) -> (Convolution, [Option<usize>; 2]) {
        let (own, _) = slots(self.product);
        let product = giving(own[i]);
        let operands = slots(product).0.map(|slot| own.iter().position(|&it| it == slot));
        (Convolution { product, sizes: Arc::clone(&self.sizes) }, operands)
    }

    /// Every axis but the channels'.
    fn without_channels(&self) -> Vec<usize> {
        let rank = self.sizes.shapes[slots(self.product).1].len();
        (0..rank).filter(|&axis| axis + self.sizes.axes + 1 != rank).collect()
    }
}

impl<T: Real> Operation<T> for Convolution {
    fn name(&self) -> &'static str {
        match self.product {
            Product::Forward => "convolution",
            Product::Transposed => "convolution_transposed",
            Product::Weight => "convolution_by_weight",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.of(x[0], x[1], x.get(2).copied()).map(one)
    }
    /// Every weight of a filter meets every output of its channel, whichever of the three is computed.
    fn flops(&self, _: &[&Tensor<T>], _: &Tensor<T>) -> usize {
        let [_, weight, result] = &self.sizes.shapes;
        2 * result.count() * weight.count() / result[result.len() - self.sizes.axes - 1].max(1)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0);
        at.each(|i| {
            if i == 2 {
                let axes: Vec<isize> = self.without_channels().iter().map(|&axis| axis as isize).collect();
                return g.sum_axes(axes);
            }
            let (product, operands) = self.cotangent(i);
            g.tape().apply(product, &operands.map(|operand| operand.map_or(g, |i| at.x(i))))
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| match i {
            0 => dx.tape().apply(self.clone(), &[dx, at.x(1)]),
            1 => dx.tape().apply(self.clone(), &[at.x(0), dx]),
            _ => dx.tape().composed("convolution", || {
                let shape = &self.sizes.shapes[slots(self.product).1];
                let mut channels = vec![1; self.sizes.axes + 1];
                channels[0] = shape[shape.len() - self.sizes.axes - 1];
                Ok(dx.reshape(channels).expand(shape))
            }),
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?.contiguous();
        at.each(|i| {
            let g = g.as_ref().map_err(Clone::clone)?;
            if i == 2 {
                return tensor::reduce(g, &self.without_channels(), false, reduce::sum, reduce::sum);
            }
            let (product, [a, b]) = self.cotangent(i);
            let of = |operand: Option<usize>| operand.map_or(g, |i| at.x(i));
            product.of(of(a), of(b), None)
        })
    }
}

impl<'t, T: Real> Var<'t, T> {
    fn convolved(
        self,
        name: &'static str,
        axes: usize,
        weight: Var<'t, T>,
        bias: Option<Var<'t, T>>,
        sizes: impl FnOnce(&[usize], &[usize], usize) -> Result<(Sizes, Product)>,
    ) -> Var<'t, T> {
        self.tape().composed(name, || {
            let (sizes, product) = sizes(&self.try_shape()?, &weight.try_shape()?, axes)?;
            let sizes = Arc::new(sizes);
            let Some(bias) = bias else {
                return Ok(self.tape().apply(Convolution { product, sizes }, &[self, weight]));
            };
            let result = &sizes.shapes[slots(product).1];
            same("the bias", &bias.try_shape()?, &result[result.len() - axes - 1..][..1])?;
            Ok(self.tape().apply(Convolution { product, sizes }, &[self, weight, bias]))
        })
    }

    /// The convolution (a cross-correlation, as everywhere in machine learning) over one spatial axis:
    /// `y[n, f, j] = bias[f] + Σ w[f, c, t]·x[n, c, j·stride + t·dilation − padding]`, with zeros for what lies outside x.
    ///
    /// x is `[batch, channels, length]` or `[channels, length]`, the weight `[filters, channels/groups, kernel]`, the bias
    /// `[filters]`; y is `[batch, filters, ⌊(length + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1]`. With several
    /// groups, each group of filters sees its own group of channels. See [`Conv`] for the options.
    ///
    /// # Gradient
    ///
    /// By x it is the transposed convolution of the cotangent with the weight; by the weight, the inner products of x with
    /// the cotangent; by the bias, the cotangent's sums. Right at every order: the three are each other's derivatives.
    ///
    /// # Accuracy
    ///
    /// Sums are taken in one order, whatever the number of threads.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`Shape`](crate::ErrorKind::Shape) of the weight or the bias;
    /// [`Argument`](crate::ErrorKind::Argument) for channels that the groups do not divide, for a kernel that is longer than the
    /// padded input, and for options that are no good.
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0, 4.0]]));
    /// let w = tape.var(&Tensor::from([[[1.0, -1.0]]]));
    /// let y = x.conv1d(w, None, Conv::new());
    /// assert_eq!(y.value()?, Tensor::from([[-1.0, -1.0, -1.0]]));
    /// let y = x.conv1d(w, None, Conv::new().stride(2).padding(1));
    /// assert_eq!(y.value()?, Tensor::from([[-1.0, -1.0, 4.0]]));
    /// assert_eq!(y.sum().backward()?.wrt(w)?.to_vec(), [6.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn conv1d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv1d", 1, weight, bias.into(), |x, w, axes| convolution(x, w, axes, options))
    }

    /// The convolution over two spatial axes; see [`conv1d`](Var::conv1d).
    ///
    /// x is `[batch, channels, height, width]` or `[channels, height, width]`, the weight
    /// `[filters, channels/groups, kernel height, kernel width]`.
    ///
    /// # Gradient
    ///
    /// As [`conv1d`](Var::conv1d).
    ///
    /// # Errors
    ///
    /// As [`conv1d`](Var::conv1d).
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
    /// let w = tape.var(&Tensor::ones([1, 1, 3, 3])?);
    /// let y = x.conv2d(w, None, Conv::new().padding(1));
    /// assert_eq!(y.value()?, Tensor::from([[[10.0, 10.0], [10.0, 10.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn conv2d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv2d", 2, weight, bias.into(), |x, w, axes| convolution(x, w, axes, options))
    }

    /// The convolution over three spatial axes; see [`conv1d`](Var::conv1d).
    ///
    /// x is `[batch, channels, depth, height, width]` or that without a batch.
    ///
    /// # Gradient
    ///
    /// As [`conv1d`](Var::conv1d).
    ///
    /// # Errors
    ///
    /// As [`conv1d`](Var::conv1d).
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([1, 2, 2, 2])?);
    /// let w = tape.var(&Tensor::ones([3, 1, 2, 1, 1])?);
    /// assert_eq!(x.conv3d(w, None, Conv::new()).value()?.to_vec(), [2.0; 12]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn conv3d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv3d", 3, weight, bias.into(), |x, w, axes| convolution(x, w, axes, options))
    }

    /// The transposed convolution over one spatial axis: the adjoint of [`conv1d`](Var::conv1d) by its x, so that
    /// `y[n, c, i] = bias[c] + Σ w[f, c, t]·x[n, f, j]` over the pairs with `i = j·stride + t·dilation − padding`.
    ///
    /// x is `[batch, filters, length]` or `[filters, length]`, the weight `[filters, channels/groups, kernel]`, the bias
    /// `[channels]`; y has `(length − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1` elements along its
    /// axis.
    ///
    /// # Gradient
    ///
    /// By x it is the convolution of the cotangent with the weight; the rest as for [`conv1d`](Var::conv1d).
    ///
    /// # Errors
    ///
    /// As [`conv1d`](Var::conv1d); [`Argument`](crate::ErrorKind::Argument) also for an output that would have no elements, and for an
    /// output padding that is neither less than the stride nor than the dilation.
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0]]));
    /// let w = tape.var(&Tensor::from([[[1.0, 10.0, 100.0]]]));
    /// let y = x.conv_transpose1d(w, None, Conv::new().stride(2));
    /// assert_eq!(y.value()?, Tensor::from([[1.0, 10.0, 102.0, 20.0, 200.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "deconvolution")]
    #[track_caller]
    pub fn conv_transpose1d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv_transpose1d", 1, weight, bias.into(), |x, w, axes| {
            transposed(x, w, axes, options)
        })
    }

    /// The transposed convolution over two spatial axes; see [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// # Gradient
    ///
    /// As [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// # Errors
    ///
    /// As [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0]]]));
    /// let w = tape.var(&Tensor::ones([1, 1, 2, 2])?);
    /// let y = x.conv_transpose2d(w, None, Conv::new().stride(2).output_padding([1, 0]));
    /// assert_eq!(y.value()?.shape(), [1, 3, 4]);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn conv_transpose2d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv_transpose2d", 2, weight, bias.into(), |x, w, axes| {
            transposed(x, w, axes, options)
        })
    }

    /// The transposed convolution over three spatial axes; see [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// # Gradient
    ///
    /// As [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// # Errors
    ///
    /// As [`conv_transpose1d`](Var::conv_transpose1d).
    ///
    /// ```
    /// use retrograde::{Conv, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::ones([2, 1, 1, 1])?);
    /// let w = tape.var(&Tensor::ones([2, 1, 2, 1, 1])?);
    /// assert_eq!(x.conv_transpose3d(w, None, Conv::new()).value()?.to_vec(), [2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn conv_transpose3d(
        self,
        weight: Var<'t, T>,
        bias: impl Into<Option<Var<'t, T>>>,
        options: Conv,
    ) -> Var<'t, T> {
        self.convolved("conv_transpose3d", 3, weight, bias.into(), |x, w, axes| {
            transposed(x, w, axes, options)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;
