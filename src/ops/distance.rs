//! Distances and similarities of vectors.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Axes, broadcast};
use crate::tape::{IntoVar, Var};
use crate::tensor::Tensor;

/// Rows of pairs i < j of n, each repeated along `m` columns: the first ones of the pairs, or the second ones.
fn pairs(n: usize, m: usize, second: bool) -> Result<Tensor<i64>> {
    let both = (0..n as i64).flat_map(|i| (i + 1..n as i64).map(move |j| if second { j } else { i }));
    let count = n * n.saturating_sub(1) / 2;
    Tensor::from_iter_in(both, [count, 1])?.expand([count, m])
}

impl<'t, T: Real> Var<'t, T> {
    /// The distance of all elements from others, `‖x − y‖ₚ`, broadcast. See [`norm_p`](Var::norm_p).
    ///
    /// # Gradient
    ///
    /// That of the norm: 0 where the two are equal.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast); [`Argument`](crate::ErrorKind::Argument) for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([3.0, 4.0]));
    /// assert_eq!(x.dist(0.0, 2.0).item()?, 5.0);
    /// assert_eq!(x.dist(x, 2.0).backward()?.wrt(x)?.to_vec(), [0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn dist(self, other: impl IntoVar<'t, T>, p: f64) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().composed("dist", || Ok((self - other).norm_p(p)))
    }

    /// The distances of rows, `‖x − y + ε‖ₚ` over the last axis, broadcast. PyTorch's ε is 10⁻⁶.
    ///
    /// # Gradient
    ///
    /// That of the norm; where x = y it is that at ε, or 0 for ε = 0.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast); [`Axis`](crate::ErrorKind::Axis) for rank 0;
    /// [`Argument`](crate::ErrorKind::Argument) for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0], [1.0, 1.0]]));
    /// assert_eq!(x.pairwise_distance(&Tensor::from([0.0, 1.0]), 1.0, 0.0).value()?.to_vec(), [6.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn pairwise_distance(self, other: impl IntoVar<'t, T>, p: f64, eps: f64) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().composed("pairwise_distance", || Ok((self - other + eps).norm_p_axes(-1, p)))
    }

    /// The distances of each row from each of others, `‖xᵢ − yⱼ‖ₚ`: `[.., n, m]` and `[.., k, m]` to `[.., n, k]`,
    /// with batches that broadcast. The differences take n·k·m elements.
    ///
    /// # Gradient
    ///
    /// That of the norm: 0 to equal rows.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for fewer than two axes; [`Broadcast`](crate::ErrorKind::Broadcast);
    /// [`Argument`](crate::ErrorKind::Argument) for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.0, 0.0], [3.0, 0.0]]));
    /// let y = tape.var(&Tensor::from([[3.0, 4.0], [0.0, 0.0]]));
    /// assert_eq!(x.cdist(y, 2.0).value()?, Tensor::from([[5.0, 0.0], [4.0, 3.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cdist(self, other: impl IntoVar<'t, T>, p: f64) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().composed("cdist", || {
            let (left, right) = (self.try_shape()?, other.try_shape()?);
            if let Some(shape) = [&left, &right].into_iter().find(|shape| shape.len() < 2) {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into());
            }
            if left.last() != right.last() {
                let (left, right) = (left.to_vec(), right.to_vec());
                return Err(ErrorKind::Broadcast { left, right }.into());
            }
            Ok((self.unsqueeze(-2) - other.unsqueeze(-3)).norm_p_axes(-1, p))
        })
    }

    /// The distances of all pairs of rows i < j of `[n, m]`, `‖xᵢ − xⱼ‖ₚ`: `n(n − 1)/2` numbers, those of the first
    /// row first.
    ///
    /// # Gradient
    ///
    /// That of the norm: 0 to equal rows.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank) for other than two axes; [`Argument`](crate::ErrorKind::Argument) for a p of
    /// NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]));
    /// assert_eq!(x.pdist(2.0).value()?.to_vec(), [5.0, 3.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn pdist(self, p: f64) -> Var<'t, T> {
        self.tape().composed("pdist", || {
            let shape = self.try_shape()?;
            let &[n, m] = &shape[..] else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2" }.into());
            };
            let rows = |second| -> Result<_> { Ok(self.gather(0, &pairs(n, m, second)?)) };
            Ok((rows(false)? - rows(true)?).norm_p_axes(-1, p))
        })
    }

    /// The cosine of the angle between vectors along an axis, `x·y / (max(‖x‖, ε) max(‖y‖, ε))`, broadcast. PyTorch's
    /// ε is 10⁻⁸. The axis is gone.
    ///
    /// # Gradient
    ///
    /// Through both norms; a norm below ε is constant, so that a vector of zeros gets `y / (ε‖y‖)`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast); [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0], [0.0, 2.0]]));
    /// let y = x.cosine_similarity(&Tensor::from([1.0, 0.0]), -1, 1e-8);
    /// assert_eq!(y.value()?.to_vec(), [0.6, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cosine_similarity(self, other: impl IntoVar<'t, T>, axis: isize, eps: f64) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().composed("cosine_similarity", || {
            let shape = broadcast(&self.try_shape()?, &other.try_shape()?)?;
            let [x, y] = [self, other].map(|v| {
                let v = v.expand(&shape[..]);
                v / v.norm_keepdim(axis).clamp_min(eps)
            });
            Ok((x * y).sum_axes(axis))
        })
    }

    /// Vectors along some axes, divided by their norms: `x / max(‖x‖ₚ, ε)`. PyTorch's ε is 10⁻¹².
    ///
    /// # Gradient
    ///
    /// Through the norm; one below ε is constant, so that a vector of zeros has the derivative 1/ε.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice);
    /// [`Argument`](crate::ErrorKind::Argument) for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0], [0.0, 0.0]]));
    /// assert_eq!(x.normalize(2.0, -1, 1e-12).value()?.to_vec(), [0.6, 0.8, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn normalize(self, p: f64, axes: impl Into<Axes>, eps: f64) -> Var<'t, T> {
        let axes = axes.into();
        self.tape().composed("normalize", || Ok(self / self.norm_p_keepdim(axes, p).clamp_min(eps)))
    }

    /// Each slice at an index of `axis`, scaled down to the norm `most` if its own is larger: by
    /// `most / (‖slice‖ₚ + 10⁻⁷)`, as PyTorch does.
    ///
    /// # Gradient
    ///
    /// Through the norm of the slices that are scaled; 1 for the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) for a p of NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([[3.0, 4.0], [0.3, 0.4]]));
    /// let y = x.renorm(2.0, 0, 1.0).value()?;
    /// assert!((y[[0, 0]] - 0.6).abs() < 1e-7);
    /// assert_eq!(y[[1, 1]], 0.4);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn renorm(self, p: f64, axis: isize, most: f64) -> Var<'t, T> {
        self.tape().composed("renorm", || {
            let shape = self.try_shape()?;
            let at = crate::shape::resolve_axis(axis, &shape)?;
            let others: Vec<isize> =
                (0..shape.len()).filter(|&axis| axis != at).map(|axis| axis as isize).collect();
            let norm = self.norm_p_keepdim(others, p);
            let one = norm.constant(1.0);
            Ok(self * Var::where_(norm.gt(most), (norm + 1e-7).recip() * most, one))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, rank3, sample, shapes, wrong};
    // The norm of one element alone leaves nothing to differentiate.
    let several = || shapes(&[&[&[2, 3, 4]], &[&[3, 1, 2]]], 0.5, 2.0);
    let apart = || binary((0.5, 2.0), (-2.0, -0.5));
    let rows = || shapes(&[&[&[2, 3], &[2, 3]], &[&[4, 2], &[2]], &[&[3], &[2, 3]]], 0.5, 2.0).distinct();
    let sets = || {
        shapes(&[&[&[2, 3], &[4, 3]], &[&[2, 2, 3], &[1, 3, 3]], &[&[2, 0], &[1, 0]]], 0.5, 2.0).distinct()
    };
    vec![
        sample!("dist", apart(), |x| x[0].dist(x[1], 2.0)),
        sample!("dist 3", apart(), |x| x[0].dist(x[1], 3.0)),
        sample!("pairwise_distance", rows(), |x| x[0].pairwise_distance(-x[1], 2.0, 1e-6)),
        sample!("pairwise_distance 1", rows(), |x| x[0].pairwise_distance(-x[1], 1.0, 0.0)),
        sample!("cdist", sets(), |x| x[0].cdist(-x[1], 2.0)),
        sample!("cdist 1.5", sets(), |x| x[0].cdist(-x[1], 1.5)),
        sample!("cdist ∞", shapes(&[&[&[2, 1], &[3, 1]]], 0.5, 2.0), |x| x[0].cdist(-x[1], f64::INFINITY)),
        sample!(
            "pdist",
            shapes(&[&[&[4, 3]], &[&[2, 1]], &[&[1, 3]], &[&[0, 3]]], 0.5, 2.0).distinct(),
            |x| { x[0].pdist(2.0) }
        ),
        sample!("cosine_similarity", rows(), |x| x[0].cosine_similarity(x[1], -1, 1e-8)),
        sample!("cosine_similarity far below ε", rows(), |x| x[0].cosine_similarity(x[1], -1, 50.0)),
        sample!("normalize", rank3(0.5, 2.0), |x| x[0].normalize(2.0, 1, 1e-12)),
        sample!("normalize 3", several(), |x| x[0].normalize(3.0, [0, 2], 1e-12)),
        sample!("renorm", several(), |x| x[0].renorm(2.0, 1, 0.25)),
        sample!("renorm of what is short", rank3(0.5, 2.0), |x| x[0].renorm(1.0, 0, 1e6).square()),
        wrong!("sub", &[&[2], &[3]], |x| x[0].dist(x[1], 2.0), "shapes [2] and [3] do not broadcast"),
        wrong!(
            "cdist",
            &[&[2], &[2, 3]],
            |x| x[0].cdist(x[1], 2.0),
            "shape [2] has rank 1, wanted at least 2"
        ),
        wrong!(
            "cdist",
            &[&[2, 1], &[2, 3]],
            |x| x[0].cdist(x[1], 2.0),
            "shapes [2, 1] and [2, 3] do not broadcast"
        ),
        wrong!("pdist", &[&[2]], |x| x[0].pdist(2.0), "shape [2] has rank 1, wanted 2"),
        wrong!(
            "cosine_similarity",
            &[&[2], &[3]],
            |x| x[0].cosine_similarity(x[1], 0, 1e-8),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!("norm_p", &[&[2]], |x| x[0].normalize(1.0, 1, 1e-12), "axis 1 is out of range for shape [2]"),
        wrong!("renorm", &[&[2]], |x| x[0].renorm(1.0, 1, 1.0), "axis 1 is out of range for shape [2]"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn equal_rows_have_no_derivative() {
        for p in [0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
            let tape = Tape::new();
            let x = tape.var(&Tensor::from([[1.0, 2.0], [1.0, 2.0]]));
            for y in
                [x.cdist(x, p).sum(), x.pdist(p).sum(), x.dist(x, p), x.pairwise_distance(x, p, 0.0).sum()]
            {
                assert_eq!(y.item().unwrap(), 0.0);
                let [g] = tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap();
                assert_eq!(g.value().unwrap().to_vec(), [0.0; 4], "{p}");
                assert_eq!(g.sum().backward().unwrap().wrt(x).unwrap().to_vec(), [0.0; 4], "{p}");
            }
        }
    }

    #[test]
    fn vectors_of_zeros_are_divided_by_epsilon() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.0, 0.0]));
        let y = x.normalize(2.0, 0, 1e-3).sum();
        assert_eq!(y.backward().unwrap().wrt(x).unwrap().to_vec(), [1e3; 2]);
        let y = x.cosine_similarity(&Tensor::from([3.0, 4.0]), 0, 0.125);
        let g: Vec<f64> = y.backward().unwrap().wrt(x).unwrap().to_vec();
        assert!(
            y.item().unwrap() == 0.0 && (g[0] - 4.8).abs() < 1e-14 && (g[1] - 6.4).abs() < 1e-14,
            "{g:?}"
        );
    }
}
