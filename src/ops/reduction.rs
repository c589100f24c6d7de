//! What reductions share: which axes, one rule for both modes, and the three forms of the methods.
//!
//! A reduction's Jacobian is one row of weights a slice. Reverse mode spreads a cotangent by the weights, forward
//! mode sums a tangent by them, so that one text, "`g` times the weights", serves both, at every order.

use crate::error::Result;
use crate::number::Real;
use crate::shape::{Axes, Shape};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// A reduction of one tensor.
pub(super) trait Reduction: Clone + Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// The value over `axes` (ascending), which keep length 1 if `keepdim`.
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>>;

    /// `g · ∂y/∂x`, of x's shape: `y` has the axes at length 1, and so has `g`, or it is of x's shape.
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        y: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>>;

    /// The same by kernels.
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        y: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>>;
}

/// A reduction and what it runs over.
pub(super) struct Reduce<R> {
    pub(super) what: R,
    pub(super) axes: Axes,
    pub(super) keepdim: bool,
}

impl<T: Real, R: Reduction> Operation<T> for Reduce<R> {
    fn name(&self) -> &'static str {
        self.what.name()
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let axes = self.axes.resolve(x[0].shape())?;
        self.what.value(x[0], &axes, self.keepdim).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let x = at.x(0);
        let [g, y] = [at.g(0), at.y(0)].map(|v| v.with_axes_back(&self.axes, x));
        at.one(self.what.weighted(g, x, y, &self.axes)?)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(dx) = at.dx(0) else { return Ok(SmallVec::from_iter([None])) };
        let x = at.x(0);
        let terms = self.what.weighted(dx, x, at.y(0).with_axes_back(&self.axes, x), &self.axes)?;
        let axes = self.axes.clone();
        at.one(if self.keepdim { terms.sum_keepdim(axes) } else { terms.sum_axes(axes) })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let x = at.x(0);
            let kept = kept_shape(&self.axes, x.shape())?;
            let axes = self.axes.resolve(x.shape())?;
            let part = self.what.fused(&g.reshape(&kept)?, x, &at.y(0).reshape(&kept)?, &axes)?;
            Ok(SmallVec::from_iter([Some(part)]))
        };
        Some(run())
    }
}

/// `shape` with length 1 along the axes.
pub(super) fn kept_shape(axes: &Axes, shape: &[usize]) -> Result<Shape> {
    let mut dims = SmallVec::<[usize; 4]>::from_slice(shape);
    for axis in axes.resolve(shape)? {
        dims[axis] = 1;
    }
    Shape::new(dims)
}

/// How many elements of `shape` one result is made of.
pub(super) fn count(axes: &[usize], shape: &[usize]) -> usize {
    axes.iter().map(|&axis| shape[axis]).product()
}

impl<'t, T: Real> Var<'t, T> {
    /// A reduction's result, or its cotangent, with the reduced axes of `x` put back at length 1.
    #[track_caller]
    pub(super) fn with_axes_back(self, axes: &Axes, x: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("reshape", || Ok(self.reshape(kept_shape(axes, &x.try_shape()?)?)))
    }

    /// A reduction as one node.
    #[track_caller]
    pub(super) fn reduced(self, what: impl Reduction, axes: Axes, keepdim: bool) -> Var<'t, T> {
        self.tape().apply(Reduce { what, axes, keepdim }, &[self])
    }
}

/// The three forms of a reduction: over everything, over some axes, and over some axes that stay at length 1. In
/// the body, `axes` is what it runs over and `keepdim` whether they stay.
macro_rules! three_forms {
    ($(
        $(#[$doc:meta])*
        $all:ident $some:ident $keep:ident ($what:literal $(, $arg:ident: $ty:ty)?) fails: $fails:literal;
        |$x:ident, $axes:ident, $keepdim:ident| $body:expr;
    )*) => {
        impl<'t, T: $crate::number::Real> $crate::tape::Var<'t, T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $all(self $(, $arg: $ty)?) -> $crate::tape::Var<'t, T> {
                let ($x, $axes, $keepdim) = (self, $crate::shape::Axes::ALL, false);
                $body
            }

            #[doc = concat!("The ", $what, " over some axes, which the result does not have. See [`", stringify!($all), "`](Self::", stringify!($all), ").")]
            ///
            /// # Errors
            ///
            /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice)
            #[doc = $fails]
            #[track_caller]
            pub fn $some(self, axes: impl Into<$crate::shape::Axes> $(, $arg: $ty)?) -> $crate::tape::Var<'t, T> {
                let ($x, $axes, $keepdim) = (self, axes.into(), false);
                $body
            }

            #[doc = concat!("The ", $what, " over some axes, which the result has with length 1. See [`", stringify!($all), "`](Self::", stringify!($all), ").")]
            ///
            /// # Errors
            ///
            /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice)
            #[doc = $fails]
            #[track_caller]
            pub fn $keep(self, axes: impl Into<$crate::shape::Axes> $(, $arg: $ty)?) -> $crate::tape::Var<'t, T> {
                let ($x, $axes, $keepdim) = (self, axes.into(), true);
                $body
            }
        )*}
    };
}
pub(super) use three_forms;
