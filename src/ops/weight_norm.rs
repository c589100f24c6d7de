//! Weights of a given length or of largest singular value 1.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{resolve_axis, same};
use crate::tape::Var;
use crate::tensor::Tensor;
use std::panic::Location;

/// `x/max(‖x‖, ε)`.
fn unit<T: Real>(x: &Tensor<T>, eps: f64) -> Result<Tensor<T>> {
    let norm = x.matmul(x)?.item()?.sqrt().maximum(T::from_f64(eps));
    x.map(|x| x / norm)
}

impl<'t, T: Real> Var<'t, T> {
    /// A weight of a given direction and length: `g·v/‖v‖`, the norm over all axes but one, or over all of them (Salimans
    /// and Kingma 2016). g has the shape of v with length 1 on the axes of the norm; over all axes it is a number. Of our
    /// weights `[in, out]` the axis is 1 where PyTorch's is 0.
    ///
    /// # Gradient
    ///
    /// To v orthogonal to it; to g `⟨g, v⟩/‖v‖` of the cotangent. NaN where v is 0, as the value.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Shape`](ErrorKind::Shape) for g.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let v = tape.var(&Tensor::from([[3.0, 0.0], [4.0, 2.0]]));
    /// let g = tape.var(&Tensor::from([[5.0, 1.0]]));
    /// assert_eq!(v.weight_norm(g, 1).value()?.to_vec(), [3.0, 0.0, 4.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn weight_norm(self, g: Var<'t, T>, axis: impl Into<Option<isize>>) -> Var<'t, T> {
        let axis = axis.into();
        self.tape().composed("weight_norm", || {
            let shape = self.try_shape()?;
            let (axes, wanted): (Vec<isize>, Vec<usize>) = match axis {
                None => ((0..shape.len() as isize).collect(), vec![]),
                Some(axis) => {
                    let axis = resolve_axis(axis, &shape)?;
                    let others = (0..shape.len()).filter(|i| *i != axis).map(|i| i as isize).collect();
                    (others, (0..shape.len()).map(|i| if i == axis { shape[i] } else { 1 }).collect())
                }
            };
            same("the length", &g.try_shape()?, &wanted)?;
            // The norm over no axes is the absolute value.
            let norm = if axes.is_empty() { self.abs() } else { self.norm_keepdim(axes) };
            let norm = if axis.is_none() { norm.reshape([]) } else { norm };
            Ok(self * (g / norm))
        })
    }

    /// A weight divided by its largest singular value (Miyato et al. 2018), found by power iteration from vectors that are
    /// kept from step to step: `W/σ` with `σ = uᵀWv`; and the new u and v. All axes behind the first count as one: W is `[m,
    /// n]`, u `[m]`, v `[n]`. Each iteration is `v ← Wᵀu/‖Wᵀu‖`, `u ← Wv/‖Wv‖`, where a norm counts as `eps` at least;
    /// with none, for evaluation, u and v serve as they are.
    ///
    /// # Gradient
    ///
    /// Through `uᵀWv` with u and v as constants: `(g − ⟨g, W⟩/σ · u vᵀ)/σ`.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for a weight without axes; [`Shape`](ErrorKind::Shape) for u and v.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let w = tape.var(&Tensor::from([[3.0, 0.0], [0.0, 1.0_f64]]));
    /// let (u, v) = (Tensor::from([0.6, 0.8]), Tensor::from([1.0, 0.0]));
    /// let (y, u, v) = w.spectral_norm(&u, &v, 30, 1e-12)?;
    /// assert!((y.value()?.get([0, 0])? - 1.0).abs() < 1e-12);
    /// assert!((u.get([0])? - 1.0).abs() < 1e-12 && (v.get([0])? - 1.0).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn spectral_norm(
        self,
        u: &Tensor<T>,
        v: &Tensor<T>,
        iterations: usize,
        eps: f64,
    ) -> Result<(Var<'t, T>, Tensor<T>, Tensor<T>)> {
        let line = Location::caller();
        let _line = self.tape().serving(line);
        let run = || {
            let shape = self.try_shape()?;
            let &[m, ref behind @ ..] = &shape[..] else {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            };
            let n = behind.iter().product();
            same("u", u.shape(), &[m])?;
            same("v", v.shape(), &[n])?;
            let w = self.value()?.reshape([m, n])?;
            let (mut u, mut v) = (u.clone(), v.clone());
            for _ in 0..iterations {
                v = unit(&u.matmul(&w)?, eps)?;
                u = unit(&w.matmul(&v)?, eps)?;
            }
            let tape = self.tape();
            let sigma = tape.constant(&u).matmul(self.reshape([m, n]).matmul(tape.constant(&v)));
            let y = self / sigma;
            y.try_shape()?;
            Ok((y, u, v))
        };
        run().map_err(|error: crate::Error| error.at("spectral_norm", line))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    /// u and v are not moved, so that σ is linear in W, as the gradient has it.
    fn of<'t, T: Real>(w: Var<'t, T>, m: usize, n: usize) -> Var<'t, T> {
        let ones = |n: usize| Tensor::full([n], T::from_f64(0.5)).unwrap();
        match w.spectral_norm(&ones(m), &ones(n), 0, 1e-12) {
            Ok((y, _, _)) => y,
            Err(error) => w.tape().errored("spectral_norm", Location::caller(), error),
        }
    }
    let weights = shapes(&[&[&[3, 2]], &[&[2, 3, 2]], &[&[1]]], 0.5, 2.0);
    let lengths = || shapes(&[&[&[3, 2], &[1, 2]], &[&[2, 4, 3], &[1, 4, 1]], &[&[1, 1], &[1, 1]]], 0.5, 2.0);
    vec![
        sample!("weight_norm", lengths(), |x| x[0].weight_norm(x[1], 1)),
        sample!("weight_norm over all axes", shapes(&[&[&[3, 2], &[]], &[&[4], &[]]], 0.5, 2.0), |x| x[0]
            .weight_norm(x[1], None)),
        sample!("weight_norm of a vector", shapes(&[&[&[3], &[3]]], 0.5, 2.0), |x| x[0].weight_norm(x[1], 0)),
        wrong!(
            "weight_norm",
            &[&[3, 2], &[2]],
            |x| x[0].weight_norm(x[1], 1),
            "the length has shape [2], wanted [1, 2]"
        ),
        wrong!(
            "weight_norm",
            &[&[3, 2], &[1, 2]],
            |x| x[0].weight_norm(x[1], 2),
            "axis 2 is out of range for shape [3, 2]"
        ),
        sample!("spectral_norm", weights, |x| {
            // x[0].spectral_norm(u, v, 0, eps)
            of(x[0], x[0].shape()[0], x[0].shape()[1..].iter().product())
        }),
        sample!("spectral_norm of one number", shapes(&[&[&[1, 1]]], 0.5, 2.0), |x| {
            x[0].spectral_norm(&Tensor::ones([1]).unwrap(), &Tensor::ones([1]).unwrap(), 2, 1e-12).unwrap().0
                * x[0]
        }),
        wrong!("spectral_norm", &[&[3, 2]], |x| of(x[0], 2, 2), "u has shape [2], wanted [3]"),
        wrong!("spectral_norm", &[&[3, 2]], |x| of(x[0], 3, 3), "v has shape [3], wanted [2]"),
        wrong!("spectral_norm", &[&[]], |x| of(x[0], 1, 1), "shape [] has rank 0, wanted at least 1"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor};

    #[test]
    fn the_iteration_finds_the_largest_singular_value_and_the_gradient_holds_its_vectors() {
        let tape = Tape::new();
        let w = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
        let (u, v) = (Tensor::from([1.0, 0.0, 0.0]), Tensor::from([1.0, 0.0]));
        let (y, u, v) = w.spectral_norm(&u, &v, 40, 1e-12).unwrap();
        // σ² = (91 + √8185)/2.
        let sigma = ((91.0 + 8185f64.sqrt()) / 2.0).sqrt();
        let value = y.value().unwrap();
        assert!((value.get([2, 1]).unwrap() - 6.0 / sigma).abs() < 1e-14, "{value}");
        let g = y.sum().backward().unwrap().wrt(w).unwrap().clone();
        for (i, g) in g.iter().enumerate() {
            let wanted = (1.0 - 21.0 / sigma * u.get([i / 2]).unwrap() * v.get([i % 2]).unwrap()) / sigma;
            assert!((g - wanted).abs() < 1e-14, "{g} {wanted}");
        }
        // A weight of 0 has no direction: what is divided by counts as ε.
        let zero = tape.var(&Tensor::from([[0.0, 0.0]]));
        let (_, u, v) =
            zero.spectral_norm(&Tensor::from([1.0]), &Tensor::from([1.0, 0.0]), 1, 1e-12).unwrap();
        assert_eq!((u.to_vec(), v.to_vec()), (vec![0.0], vec![0.0, 0.0]));
    }
}
