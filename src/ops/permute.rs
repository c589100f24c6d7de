//! The axes in another order.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Tensor, resolve_order};
use smallvec::SmallVec;

/// Axis `i` of the result is axis `axes[i]` of the input.
#[derive(Clone)]
struct Permute(SmallVec<[isize; 4]>);

impl Permute {
    /// The order that undoes this one.
    fn inverse(&self, shape: &[usize]) -> Result<Permute> {
        let order = resolve_order(&self.0, shape)?;
        let mut inverse = SmallVec::from_elem(0, order.len());
        for (i, &axis) in order.iter().enumerate() {
            inverse[axis] = i as isize;
        }
        Ok(Permute(inverse))
    }
}

impl<T: Real> Operation<T> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].permute(&self.0).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let inverse = self.inverse(&at.x(0).try_shape()?)?;
        at.one(at.g(0).tape().apply(inverse, &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(self.clone(), &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let back = self.inverse(at.x(0).shape()).and_then(|inverse| g.permute(&inverse.0));
        Some(back.map(|part| SmallVec::from_iter([Some(part)])))
    }
}

/// Two axes swapped: its own inverse.
#[derive(Clone, Copy)]
struct Transpose(isize, isize);

impl<T: Real> Operation<T> for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].transpose(self.0, self.1).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(*self, &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(*self, &[dx]))
    }
    fn fused(&self, _: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        Some(g.transpose(self.0, self.1).map(|part| SmallVec::from_iter([Some(part)])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The axes in another order: axis `i` of the result is axis `axes[i]` of this one. A view.
    ///
    /// # Gradient
    ///
    /// The axes put back.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis), [`AxisTwice`](ErrorKind::AxisTwice), or [`Rank`](ErrorKind::Rank) if another
    /// number of axes is named than there are.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([2, 3, 4])?);
    /// assert_eq!(x.permute([2, 0, 1]).shape(), [4, 2, 3]);
    /// assert_eq!(x.permute([-1, 0, 1]).sum().backward()?.wrt(x)?.shape(), [2, 3, 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn permute(self, axes: impl AsRef<[isize]>) -> Var<'t, T> {
        self.tape().apply(Permute(SmallVec::from_slice(axes.as_ref())), &[self])
    }

    /// Two axes swapped. A view.
    ///
    /// # Gradient
    ///
    /// Swapped back.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.transpose(0, -1).value()?.to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "swapaxes")]
    #[track_caller]
    pub fn transpose(self, a: isize, b: isize) -> Var<'t, T> {
        self.tape().apply(Transpose(a, b), &[self])
    }

    /// The transpose of a matrix. A view.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for anything but two axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0, 3.0]]));
    /// assert_eq!(x.t().shape(), [3, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn t(self) -> Var<'t, T> {
        self.tape().composed("t", || match self.try_shape()? {
            shape if shape.len() == 2 => Ok(self.transpose(0, 1)),
            shape => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2" }.into()),
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let scalars = || shapes(&[&[&[]]], -2.0, 2.0);
    vec![
        sample!("permute", rank3(-2.0, 2.0), |x| x[0].permute([2, 0, 1]).square()),
        sample!("permute from the end", rank3(-2.0, 2.0), |x| x[0].permute([-2, -1, 0]).square()),
        sample!("permute to itself", rank3(-2.0, 2.0), |x| x[0].permute([0, 1, 2]).square()),
        sample!("permute scalar", scalars(), |x| x[0].permute([0isize; 0]).square()),
        sample!("permute empty", shapes(&[&[&[2, 0, 3]]], -2.0, 2.0), |x| x[0].permute([1, 2, 0])),
        sample!("transpose", rank3(-2.0, 2.0), |x| x[0].transpose(0, -1).square()),
        sample!("transpose with itself", rank3(-2.0, 2.0), |x| x[0].transpose(1, 1).square()),
        sample!("t", shapes(&[&[&[3, 4]], &[&[1, 1]], &[&[0, 3]]], -2.0, 2.0), |x| x[0].t().square()),
        sample!("t and product", unary(-1.0, 1.0), |x| {
            let row = x[0].reshape([1, x[0].try_shape().map_or(0, |shape| shape.count())]);
            row.t() * row
        }),
        wrong!("permute", &[&[2, 3]], |x| x[0].permute([0, 2]), "axis 2 is out of range for shape [2, 3]"),
        wrong!("permute", &[&[2, 3]], |x| x[0].permute([1, -1]), "axis 1 is given twice"),
        wrong!(
            "permute",
            &[&[2, 3]],
            |x| x[0].permute([0]),
            "shape [2, 3] has rank 2, wanted as many axes as are named"
        ),
        wrong!("transpose", &[&[2, 3]], |x| x[0].transpose(0, 2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("t", &[&[2, 3, 4]], |x| x[0].t(), "shape [2, 3, 4] has rank 3, wanted 2"),
    ]
}
