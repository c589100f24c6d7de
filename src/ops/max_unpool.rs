//! Elements put back where a pool found them.

use super::pool::spatial;
use crate::error::{Result, argument};
use crate::number::Real;
use crate::ops::Pool;
use crate::ops::per_axis::{PerAxis, with_last};
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::Tensor;

/// The lengths of the axes that a pool would have given so many windows of.
fn lengths(pool: &Pool, windows: &[usize], size: Option<PerAxis>) -> Result<Vec<usize>> {
    let axes = windows.len();
    if let Some(size) = size {
        return size.of("the output size", axes);
    }
    let kernel = pool.kernel.at_least(1, "the length of the window", axes)?;
    let stride = pool.stride.unwrap_or(pool.kernel).at_least(1, "the stride", axes)?;
    let padding = pool.padding.of("the padding", axes)?;
    let one = |i: usize| {
        let length = (windows[i] - 1).checked_mul(stride[i]).and_then(|n| n.checked_add(kernel[i]));
        match length.and_then(|n| n.checked_sub(padding[i].saturating_mul(2))) {
            Some(length) => Ok(length),
            None => argument("the padding", padding[i], "a length that the windows leave"),
        }
    };
    (0..axes).map(one).collect()
}

impl<'t, T: Real> Var<'t, T> {
    fn unpooled(
        self,
        name: &'static str,
        axes: usize,
        places: &Tensor<i64>,
        pool: Pool,
        size: Option<PerAxis>,
    ) -> Var<'t, T> {
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let size = lengths(&pool, spatial(&shape, axes)?, size)?;
            same("the places", places.shape(), &shape)?;
            let windows: usize = shape[shape.len() - axes..].iter().product();
            let images = shape.count() / windows;
            let flat = Shape::new([images, windows])?;
            let result = with_last(&shape, &size)?;
            let zeros = Tensor::zeros(Shape::new([images, size.iter().product()])?)?;
            let places = places.reshape(&flat)?;
            Ok(self.tape().constant(&zeros).scatter(1, &places, self.reshape(flat)).reshape(result))
        })
    }

    /// Zeros with the elements of this put at places of their images: what
    /// [`max_pool1d_with_indices`](Var::max_pool1d_with_indices) took away, put back. Where several are put at one place, the
    /// last stays.
    ///
    /// The result has the output size given along its spatial axis, or `(length − 1)·stride − 2·padding + kernel`.
    ///
    /// # Gradient
    ///
    /// The cotangents at the places; 0 for an element that another took the place of.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank); [`Shape`](crate::ErrorKind::Shape) unless there is a place for each element;
    /// [`Index`](crate::ErrorKind::Index) for a place outside the image; [`Argument`](crate::ErrorKind::Argument).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 4.0, 3.0, 2.0, 9.0]]));
    /// let (y, places) = x.max_pool1d_with_indices(Pool::new(2))?;
    /// assert_eq!(y.max_unpool1d(&places, Pool::new(2), None).value()?, Tensor::from([[0.0, 4.0, 3.0, 0.0]]));
    /// let back = y.max_unpool1d(&places, Pool::new(2), Some(5.into()));
    /// assert_eq!(back.value()?, Tensor::from([[0.0, 4.0, 3.0, 0.0, 0.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_unpool1d(self, places: &Tensor<i64>, pool: Pool, output_size: Option<PerAxis>) -> Var<'t, T> {
        self.unpooled("max_unpool1d", 1, places, pool, output_size)
    }

    /// The same over two spatial axes; see [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// # Gradient
    ///
    /// As [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// # Errors
    ///
    /// As [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 4.0], [3.0, 2.0]]]));
    /// let (y, places) = x.max_pool2d_with_indices(Pool::new(2))?;
    /// let back = y.max_unpool2d(&places, Pool::new(2), None);
    /// assert_eq!(back.value()?, Tensor::from([[[0.0, 4.0], [0.0, 0.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_unpool2d(self, places: &Tensor<i64>, pool: Pool, output_size: Option<PerAxis>) -> Var<'t, T> {
        self.unpooled("max_unpool2d", 2, places, pool, output_size)
    }

    /// The same over three spatial axes; see [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// # Gradient
    ///
    /// As [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// # Errors
    ///
    /// As [`max_unpool1d`](Var::max_unpool1d).
    ///
    /// ```
    /// use retrograde::{Pool, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let y = tape.var(&Tensor::from([[[4.0]]]).unsqueeze(0)?);
    /// let back = y.max_unpool3d(&Tensor::from([[[2]]]).unsqueeze(0)?, Pool::new([1, 2, 2]), None);
    /// assert_eq!(back.value()?, Tensor::from([[[0.0, 0.0], [4.0, 0.0]]]).unsqueeze(0)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_unpool3d(self, places: &Tensor<i64>, pool: Pool, output_size: Option<PerAxis>) -> Var<'t, T> {
        self.unpooled("max_unpool3d", 3, places, pool, output_size)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let lines = || shapes(&[&[&[1, 2, 2]]], -1.0, 1.0);
    vec![
        sample!("max_unpool1d", lines(), |x| {
            x[0].max_unpool1d(&Tensor::from([[[0, 3], [1, 2]]]), Pool::new(2), None).square() * x[0].sum()
        }),
        sample!("max_unpool1d of one place", lines(), |x| {
            let pool = Pool::new(3).stride(2).padding(1);
            x[0].max_unpool1d(&Tensor::from([[[1, 1], [0, 2]]]), pool, None).square() * x[0].sum()
        }),
        sample!("max_unpool2d", shapes(&[&[&[1, 1, 2]]], -1.0, 1.0), |x| {
            x[0].max_unpool2d(&Tensor::from([[[3, 5]]]), Pool::new(2), Some([2, 3].into())).square()
                * x[0].sum()
        }),
        sample!("max_unpool3d", shapes(&[&[&[1, 1, 1, 2]]], -1.0, 1.0), |x| {
            x[0].max_unpool3d(
                &Tensor::from([[[3, 8]]]).unsqueeze(0).unwrap(),
                Pool::new(2).stride([1, 1, 2]),
                None,
            )
            .square()
                * x[0].sum()
        }),
        wrong!(
            "max_unpool1d",
            &[&[1, 2]],
            |x| x[0].max_unpool1d(&Tensor::from([[0]]), Pool::new(2), None),
            "the places has shape [1, 1], wanted [1, 2]"
        ),
        wrong!(
            "max_unpool1d",
            &[&[1, 1]],
            |x| x[0].max_unpool1d(&Tensor::from([[2]]), Pool::new(2).padding(2), None),
            "the padding is 2, wanted a length that the windows leave"
        ),
        wrong!(
            "max_unpool2d",
            &[&[1, 1]],
            |x| x[0].max_unpool2d(&Tensor::from([[0]]), Pool::new(2), None),
            "shape [1, 1] has rank 2, wanted 3 or 4"
        ),
        wrong!(
            "max_unpool2d",
            &[&[1, 1, 1]],
            |x| x[0].max_unpool2d(&Tensor::from([[[0]]]), Pool::new(2), Some([1, 2, 3].into())),
            "the output size is 3 numbers, wanted one, or 2"
        ),
    ]
}
