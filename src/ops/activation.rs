//! Activations as values: what a layer takes, whatever it computes. Each is also a method of
//! [`Var`](crate::Var).

pub use super::elu::{Celu, Elu, Selu};
pub use super::gelu::{Gelu, GeluTanh};
pub use super::glu::Glu;
pub use super::hard::{Hardsigmoid, Hardswish, Relu6};
pub use super::hardtanh::Hardtanh;
pub use super::identity::Identity;
pub use super::leaky_relu::LeakyRelu;
pub use super::log_sigmoid::LogSigmoid;
pub use super::log_softmax::LogSoftmax;
pub use super::maxout::Maxout;
pub use super::mish::Mish;
pub use super::prelu::Prelu;
pub use super::relu::Relu;
pub use super::shrink::{Hardshrink, Softshrink, Threshold};
pub use super::sigmoid::Sigmoid;
pub use super::silu::Silu;
pub use super::softmax::Softmax;
pub use super::softplus::Softplus;
pub use super::softsign::Softsign;
pub use super::tanh::Tanh;
pub use super::tanhshrink::Tanhshrink;

use super::elementwise::Elementwise;
use crate::error::Result;
use crate::number::Real;
use crate::shape::{Shape, resolve_axis};
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// An activation as a value: an element-wise function, or one along an axis such as softmax.
///
/// Every [`Elementwise`] function is one. Usable as `dyn Activation<T>`.
///
/// ```
/// use retrograde::{Activation, Tape, Tensor, activation::{Relu, Softmax}};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([-1.0, 1.0]));
/// let layers: [Box<dyn Activation<f64>>; 2] = [Box::new(Relu::STANDARD), Box::new(Softmax::default())];
/// let y = layers.iter().fold(x, |x, layer| layer.apply(x));
/// assert!((y.sum().item()? - 1.0).abs() < 1e-15);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait Activation<T: Real>: Send + Sync {
    /// The activation of x.
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T>;

    /// The axis whose elements depend on each other; the last if they are independent.
    fn axis(&self) -> isize {
        -1
    }

    /// The Jacobian of each row along the axis at `x`, as `[.., n_out, n_in]`: the axis is moved last and doubled. A
    /// number counts as a row of one.
    ///
    /// # Errors
    ///
    /// Those of the activation.
    ///
    /// ```
    /// use retrograde::{Activation, Tensor, activation::Relu};
    ///
    /// let jacobian = Relu::STANDARD.jacobian(&Tensor::from([-1.0, 1.0]))?;
    /// assert_eq!(jacobian.to_vec(), [0.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    fn jacobian(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        self.jacobian_by_sweeps(x)
    }

    /// The same by one reverse sweep for each element of a row, from a seed that is 1 there: independent of any closed
    /// form.
    ///
    /// # Errors
    ///
    /// Those of the activation.
    fn jacobian_by_sweeps(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let x = if x.rank() == 0 { x.reshape([1])? } else { x.clone() };
        let tape = Tape::new();
        let x = tape.var(&x);
        let y = self.apply(x);
        let shape = y.try_shape()?;
        let axis = resolve_axis(self.axis(), &shape)?;
        let mut rows = Vec::with_capacity(shape[axis]);
        for j in 0..shape[axis] {
            let seed = Tensor::from_fn(&shape, |i| if i[axis] == j { T::ONE } else { T::ZERO })?;
            let g = y.backward_with(&seed)?.wrt(x)?.transpose(axis as isize, -1)?.contiguous()?;
            rows.push(g);
        }
        let mut dims = y.value()?.transpose(axis as isize, -1)?.shape().to_vec();
        let n_in = x.try_shape()?[axis];
        dims.push(n_in);
        Tensor::build(Shape::new(dims)?, |out| {
            for (i, out) in out.chunks_exact_mut(n_in.max(1)).enumerate() {
                let (row, j) = (i / rows.len(), i % rows.len());
                let g = rows[j].as_slice().expect("made contiguous");
                out.copy_from_slice(&g[row * n_in..][..n_in]);
            }
        })
    }
}

/// `[.., n, n]` from values along an axis, moved last: element `(j, k)` of each row's matrix from the row, j and k.
fn matrices<T: Real>(y: &Tensor<T>, axis: isize, f: impl Fn(&[T], usize, usize) -> T) -> Result<Tensor<T>> {
    let y = y.transpose(axis, -1)?.contiguous()?;
    let mut dims = y.shape().to_vec();
    let n = dims[dims.len() - 1];
    dims.push(n);
    let data = y.as_slice().expect("made contiguous");
    Tensor::build(Shape::new(dims)?, |out| {
        for (at, out) in out.iter_mut().enumerate() {
            *out = f(&data[at / (n * n) * n..][..n], at / n % n, at % n);
        }
    })
}

fn kronecker<T: Real>(j: usize, k: usize) -> T {
    if j == k { T::ONE } else { T::ZERO }
}

impl<T: Real, E: Elementwise> Activation<T> for E {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.elementwise(*self)
    }

    /// diag f′(x).
    fn jacobian(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let x = if x.rank() == 0 { x.reshape([1])? } else { x.clone() };
        let tape = Tape::new();
        let x = tape.var(&x);
        let derivative = x.elementwise(*self).sum().backward()?.wrt(x)?.clone();
        matrices(&derivative, -1, |d, j, k| if j == k { d[j] } else { T::ZERO })
    }
}

impl<T: Real> Activation<T> for Softmax {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.tape().apply(*self, &[x])
    }

    fn axis(&self) -> isize {
        self.axis
    }

    /// s (diag y − y yᵀ).
    fn jacobian(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let y = self.apply(Tape::new().constant(x)).value()?;
        let s = T::from_f64(self.stretch);
        matrices(&y, self.axis, |y, j, k| s * y[j] * (kronecker::<T>(j, k) - y[k]))
    }
}

impl<T: Real> Activation<T> for LogSoftmax {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.log_softmax(self.axis)
    }

    fn axis(&self) -> isize {
        self.axis
    }

    /// I − 1 yᵀ with y = softmax x.
    fn jacobian(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let y = self.apply(Tape::new().constant(x)).value()?;
        matrices(&y, self.axis, |y, j, k| kronecker::<T>(j, k) - y[k].exp())
    }
}

/// [`Softmax`] with stretch −1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmin {
    /// The axis along which the values sum to 1.
    pub axis: isize,
}

impl Default for Softmin {
    /// The last axis.
    fn default() -> Softmin {
        Softmin { axis: -1 }
    }
}

impl Softmin {
    fn softmax(&self) -> Softmax {
        Softmax { axis: self.axis, stretch: -1.0, ..Softmax::default() }
    }
}

impl<T: Real> Activation<T> for Softmin {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        self.softmax().apply(x)
    }

    fn axis(&self) -> isize {
        self.axis
    }

    fn jacobian(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        self.softmax().jacobian(x)
    }
}

impl<T: Real> Activation<T> for Glu {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.glu(self.axis)
    }

    fn axis(&self) -> isize {
        self.axis
    }
}

impl<T: Real> Activation<T> for Maxout {
    fn apply<'t>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.maxout(self.axis, self.pieces)
    }

    fn axis(&self) -> isize {
        self.axis
    }
}
