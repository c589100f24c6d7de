//! Quantiles.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, resolve_axis};
use crate::tape::{IntoVar, Var};
use crate::tensor::{Order, Tensor, not_empty};

/// What a quantile between two elements is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// On the line between them.
    #[default]
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearest one; of two as near, the one with the even rank.
    Nearest,
    /// Their mean.
    Midpoint,
}

/// Between which places each quantile of each row lies, and how far from the first to the second.
struct Between<T> {
    places: [Vec<i64>; 2],
    weights: Vec<T>,
    /// The rank's derivative by q: how many elements there are, less 1.
    slopes: Vec<T>,
}

impl<T: Real> Between<T> {
    /// For rows of `n` elements in `x` whose places in ascending order are `order`.
    fn new(x: &[T], order: &[i64], n: usize, q: &[T], how: Interpolation, skip: bool) -> Between<T> {
        let mut found = Between { places: [Vec::new(), Vec::new()], weights: Vec::new(), slopes: Vec::new() };
        for (x, order) in x.chunks_exact(n).zip(order.chunks_exact(n)) {
            let nans = x.iter().filter(|x| x.is_nan()).count();
            let all = nans == n || nans > 0 && !skip;
            let last = if skip && !all { n - nans - 1 } else { n - 1 };
            for &q in q {
                let rank = q * T::from_f64(last as f64);
                let (low, high) = (rank.floor(), rank.ceil());
                let (low, high, weight) = match how {
                    // A NaN is the last in order, and the quantile.
                    _ if all => (T::from_f64(last as f64), T::from_f64(last as f64), T::ZERO),
                    Interpolation::Linear => (low, high, rank - low),
                    Interpolation::Lower => (low, low, T::ZERO),
                    Interpolation::Higher => (high, high, T::ZERO),
                    Interpolation::Nearest => (rank.round(), rank.round(), T::ZERO),
                    Interpolation::Midpoint => (low, high, T::from_f64(0.5)),
                };
                for (places, rank) in found.places.iter_mut().zip([low, high]) {
                    places.push(order[(rank.to_f64() as usize).min(last)]);
                }
                found.weights.push(weight);
                found.slopes.push(T::from_f64(last as f64));
            }
        }
        found
    }
}

impl<'t, T: Real> Var<'t, T> {
    #[track_caller]
    fn quantile_by(
        self,
        name: &'static str,
        q: Var<'t, T>,
        axis: Option<isize>,
        how: Interpolation,
        skip: bool,
    ) -> Var<'t, T> {
        self.tape().composed(name, || {
            let shape = self.try_shape()?;
            let (x, axis) = match axis {
                Some(axis) => (self, resolve_axis(axis, &shape)?),
                None => (self.reshape([shape.count()]), 0),
            };
            let shape = x.try_shape()?;
            not_empty(&shape, &[axis])?;
            let (n, at, of) = (shape[axis], axis as isize, q.value()?);
            if of.rank() > 1 {
                return Err(ErrorKind::Rank { found: of.shape().to_vec(), wanted: "0 or 1" }.into());
            }
            let of_each = of.to_vec();
            if let Some(bad) = of_each.iter().find(|&&q| !(q >= T::ZERO && q <= T::ONE)) {
                let wanted = "between 0 and 1".into();
                return Err(ErrorKind::Argument { name: "q", found: bad.to_string(), wanted }.into());
            }
            let value = x.value()?;
            let order = value.first_places(at, None, Order::Ascending)?.transpose(at, -1)?.contiguous()?;
            let rows = value.transpose(at, -1)?.contiguous()?;
            let (data, order) = (rows.as_slice().expect("contiguous"), order.as_slice().expect("contiguous"));
            let between = Between::new(data, order, n, &of_each, how, skip);
            let mut dims = rows.shape().to_vec();
            *dims.last_mut().expect("an axis was found") = of_each.len();
            let dims = Shape::new(dims)?;
            let back = |data: &[T]| Tensor::from_slice(data, dims.clone())?.transpose(at, -1);
            let pick = |places: &[i64]| -> Result<Var<'t, T>> {
                Ok(x.gather(at, &Tensor::from_slice(places, dims.clone())?.transpose(at, -1)?))
            };
            let mut y = pick(&between.places[0])?;
            if matches!(how, Interpolation::Linear | Interpolation::Midpoint) {
                let weights = x.constant_like(back(&between.weights));
                let step = pick(&between.places[1])? - y;
                let mut weight = weights;
                if how == Interpolation::Linear {
                    // What q adds to the weight is 0, but for its derivative.
                    let mut along = vec![1; shape.len() - axis];
                    along[0] = of_each.len();
                    let moved = (q - q.detach()).reshape(along);
                    weight = weights + moved * x.constant_like(back(&between.slopes));
                }
                // On an element nothing is added: 0 · ∞ is NaN.
                y = Var::where_(weights, y + step * weight, y);
            }
            if of.rank() == 0 {
                return Ok(y.squeeze(at));
            }
            let mut axes: Vec<isize> = (0..shape.len() as isize).filter(|&axis| axis != at).collect();
            axes.insert(0, at);
            Ok(y.permute(axes))
        })
    }

    /// Quantiles along an axis, or of all elements: for `q` of rank 0 (a number) without the axis, for several the
    /// first axis of the result counts them. With n elements in ascending order, from 0, q is at `(n − 1) q`, between
    /// two elements as the [`Interpolation`] says. NaN where there is a NaN.
    ///
    /// # Gradient
    ///
    /// To the elements it lies between, by their weights, also if others equal them; to `q`, by linear interpolation,
    /// the difference of the two times `n − 1`, and 0 on an element.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length
    /// 0; [`Argument`](crate::ErrorKind::Argument) for q outside 0 to 1; [`Rank`](crate::ErrorKind::Rank) for q of
    /// more than one axis.
    ///
    /// ```
    /// use retrograde::{Interpolation, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 2.0, 4.0]));
    /// let y = x.quantile(&Tensor::from([0.0, 0.25, 0.5]), 0, Interpolation::Linear);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 1.75, 2.5]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.5, 1.25, 1.25, 0.0]);
    /// assert_eq!(x.quantile(0.5, None, Interpolation::Lower).item()?, 2.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "percentile")]
    #[track_caller]
    pub fn quantile(
        self,
        q: impl IntoVar<'t, T>,
        axis: impl Into<Option<isize>>,
        how: Interpolation,
    ) -> Var<'t, T> {
        self.quantile_by("quantile", q.into_var(self.tape()), axis.into(), how, false)
    }

    /// Quantiles of the elements that are not NaN; NaN where there are no others. See [`quantile`](Var::quantile).
    ///
    /// # Errors
    ///
    /// As [`quantile`](Var::quantile).
    ///
    /// ```
    /// use retrograde::{Interpolation, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, f64::NAN, 1.0]));
    /// assert_eq!(x.nanquantile(0.5, 0, Interpolation::Linear).item()?, 2.0);
    /// assert!(x.quantile(0.5, 0, Interpolation::Linear).item()?.is_nan());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn nanquantile(
        self,
        q: impl IntoVar<'t, T>,
        axis: impl Into<Option<isize>>,
        how: Interpolation,
    ) -> Var<'t, T> {
        self.quantile_by("nanquantile", q.into_var(self.tape()), axis.into(), how, true)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    use Interpolation::{Higher, Linear, Lower, Midpoint, Nearest};
    // Squares of numbers on both sides of 0 could be equal.
    let three = || rank3(0.5, 6.0).distinct();
    let with_q = || shapes(&[&[&[8, 2], &[3]], &[&[6], &[]], &[&[1], &[2]]], 0.22, 0.38).distinct();
    vec![
        sample!("quantile", unary(-2.0, 2.0).not_empty().distinct(), |x| x[0].quantile(0.3, None, Linear)),
        sample!("quantile and q", with_q(), |x| x[0].quantile(x[1], 0, Linear)),
        sample!("quantile over middle", three(), |x| {
            let q = x[0].tape().scalar(0.7).expand([2]) * 0.9;
            x[0].square().quantile(q, 1, Midpoint) + x[0].quantile(q, 1, Lower)
        }),
        sample!("quantile nearest", three(), |x| x[0].square().quantile(0.4, -1, Nearest)),
        sample!("nanquantile", three(), |x| x[0].square().nanquantile(0.4, 0, Higher)),
        sample!("nanquantile linear", three(), |x| x[0].nanquantile(0.3, 1, Linear)),
        wrong!(
            "quantile",
            &[&[2, 3]],
            |x| x[0].quantile(0.5, 2, Linear),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("quantile", &[&[2]], |x| x[0].quantile(1.5, 0, Linear), "q is 1.5, wanted between 0 and 1"),
        wrong!(
            "nanquantile",
            &[&[2]],
            |x| x[0].nanquantile(-0.5, 0, Linear),
            "q is -0.5, wanted between 0 and 1"
        ),
        wrong!(
            "quantile",
            &[&[2], &[1, 1]],
            |x| x[0].quantile(x[1], 0, Linear),
            "shape [1, 1] has rank 2, wanted 0 or 1"
        ),
        wrong!(
            "quantile",
            &[&[0]],
            |x| x[0].quantile(0.5, None, Linear),
            "reduction over axis 0 of size 0 in shape [0] has no identity"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::Interpolation::{Higher, Linear, Lower, Midpoint, Nearest};
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn every_interpolation_on_and_between_elements() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([3.0, 1.0, 2.0, 4.0]));
        for (q, how, wanted) in [
            (0.4, Linear, 2.2),
            (0.4, Lower, 2.0),
            (0.4, Higher, 3.0),
            (0.4, Nearest, 2.0),
            (0.45, Nearest, 2.0),
            (0.55, Nearest, 3.0),
            (0.5, Nearest, 3.0),
            (0.4, Midpoint, 2.5),
            (1.0, Linear, 4.0),
            (1.0, Midpoint, 4.0),
            (0.0, Higher, 1.0),
        ] {
            let y: f64 = x.quantile(q, 0, how).item().unwrap();
            assert!((y - wanted).abs() < 1e-15, "{q} {how:?}: {y}");
        }
        let single = Tape::<f32>::new();
        let x = single.var(&Tensor::from_fn([11], |i| i[0] as f32).unwrap());
        assert_eq!(x.quantile(0.1, 0, Higher).item().unwrap(), 1.0);
    }

    #[test]
    fn infinities_and_nans() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[-inf, inf, 0.0], [1.0, nan, 3.0], [nan, nan, nan]]));
        let q = Tensor::from([0.0, 0.5, 1.0]);
        let y = x.quantile(&q, 1, Linear);
        assert_eq!(y.value().unwrap().shape(), [3, 3]);
        let y = y.value().unwrap().to_vec();
        assert_eq!([y[0], y[3], y[6]], [-inf, 0.0, inf]);
        assert!([1, 2, 4, 5, 7, 8].iter().all(|&i| y[i].is_nan()), "{y:?}");
        let y = x.nanquantile(&q, 1, Linear);
        let y_value = y.value().unwrap().to_vec();
        assert_eq!([y_value[1], y_value[4], y_value[7]], [1.0, 2.0, 3.0]);
        assert!(y_value[2].is_nan() && y_value[8].is_nan());
        let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert_eq!(g[..6], [1.0, 1.0, 1.0, 1.5, 0.0, 1.5]);
    }
}
