//! The exponential of matrices.

use super::{fault, slice, square};
use crate::error::Result;
use crate::kernels::linalg::{self, Exponential};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct MatrixExp {
    /// Whether what is not finite is an error; in derivatives it is NaN.
    checked: bool,
}

/// The derivative of the exponential at A along E: the upper right block of `exp [[A, E], [0, A]]` (Mathias 1996,
/// Higham 2008, theorem 3.6).
fn frechet<'t, T: Real>(a: Var<'t, T>, e: Var<'t, T>) -> Result<Var<'t, T>> {
    let (_, n) = square(&a.try_shape()?).map(|(batch, n)| (batch.len(), n as isize))?;
    // It is linear in E: a large one must not make the matrix large.
    let largest = e.value()?.iter().fold(0.0, |most: f64, e| most.max(e.to_f64().abs()));
    let by =
        if largest > 1.0 && largest.is_finite() { 2f64.powi(-(largest.log2().ceil() as i32)) } else { 1.0 };
    let tape = a.tape();
    let above = tape.concat(&[a, e * by], -1);
    let below = tape.concat(&[a.zeros_like(), a], -1);
    let whole = tape.apply(MatrixExp { checked: false }, &[tape.concat(&[above, below], -2)]);
    Ok(whole.slice(-2, ..n).slice(-1, n..) / by)
}

impl<T: Real> Operation<T> for MatrixExp {
    fn name(&self) -> &'static str {
        "matrix_exp"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, n) = square(x[0].shape())?;
        // The exponential of the transpose is the transpose of the exponential: rows serve as columns.
        let a = x[0].contiguous()?;
        let exponential = Tensor::try_build(a.shape_owned(), |out| {
            out.copy_from_slice(slice(&a));
            let exp = |work: &mut _, _, [a]: [&mut [T]; 1]| linalg::matrix_exp(n, a, self.checked, work);
            let (count, ns) = (batch.iter().product(), linalg::matrix_exp_ns(n));
            linalg::each(count, ns, [out], Exponential::default, exp)
                .map_err(|failed| fault(batch, n, failed))
        });
        exponential.map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(frechet(at.x(0).mt(), at.g(0))?)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        match at.dx(0) {
            Some(da) => at.one(frechet(at.x(0), da)?),
            None => at.sum_of(|_, da| da),
        }
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The exponential of square matrices, `[…, n, n]`: `e^A = I + A + A²/2! + …`.
    ///
    /// # Gradient
    ///
    /// `L(Aᵀ, g)`, with the Fréchet derivative `L(A, E) = ∫₀¹ e^{(1−s)A} E e^{sA} ds`.
    ///
    /// # Accuracy
    ///
    /// By scaling and squaring with Padé approximants of degrees up to 13, or 7 in single precision (Higham 2005, Al-Mohy
    /// and Higham 2009): errors are of the order of the rounding times the exponential's condition, which is at least
    /// the norm of A, so that beyond 10¹⁶ (10⁷ in single precision) no digit is left unless powers of A vanish. What
    /// overflows is infinite or NaN.
    ///
    /// # Errors
    ///
    /// [`NotFinite`](crate::ErrorKind::NotFinite); [`NotSquare`](crate::ErrorKind::NotSquare);
    /// [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// // A turn by the angle t, and how it changes with t.
    /// let tape = Tape::new();
    /// let t = tape.var(&Tensor::scalar(0.5_f64));
    /// let turn = (tape.constant(&Tensor::from([[0.0, -1.0], [1.0, 0.0]])) * t).matrix_exp();
    /// let (sin, cos) = 0.5_f64.sin_cos();
    /// for (found, exact) in turn.value()?.iter().zip([cos, -sin, sin, cos]) {
    ///     assert!((found - exact).abs() < 1e-15);
    /// }
    /// let velocity = tape.jvp(turn, [(t, &Tensor::scalar(1.0))])?;
    /// for (found, exact) in velocity.value()?.iter().zip([-sin, -cos, cos, -sin]) {
    ///     assert!((found - exact).abs() < 1e-15);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expm")]
    #[track_caller]
    pub fn matrix_exp(self) -> Var<'t, T> {
        self.tape().apply(MatrixExp { checked: true }, &[self])
    }
}

#[cfg(test)]
use super::SQUARES;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let matrices = |low, high| shapes(&SQUARES, low, high);
    vec![
        sample!("matrix_exp", matrices(-1.0, 1.0), |x| x[0].matrix_exp()),
        sample!("matrix_exp of small ones", matrices(-1e-3, 1e-3), |x| x[0].matrix_exp()),
        sample!("matrix_exp of turns", matrices(-3.0, 3.0), |x| ((x[0] - x[0].mt()) * 2.0).matrix_exp()),
        wrong!(
            "matrix_exp",
            &[&[2, 3]],
            |x| x[0].matrix_exp(),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!("matrix_exp", &[&[3]], |x| x[0].matrix_exp(), "shape [3] has rank 1, wanted at least 2"),
        wrong!(
            "matrix_exp",
            &[&[2, 3, 2, 2]],
            |x| (x[0] - x[0]).ln().matrix_exp(),
            "the matrix [0, 0] of the batch has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::{Generator, Tape, Tensor};

    fn random(shape: &[usize], std: f64) -> Tensor<f64> {
        Tensor::normal(shape, 0.0, std, &mut Generator::new(5)).unwrap()
    }

    fn distance(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
        a.iter().zip(b).fold(0.0, |most: f64, (a, b)| if a == b { most } else { most.max((a - b).abs()) })
    }

    #[test]
    fn exponentials_of_what_is_skew_are_orthogonal_and_those_of_opposites_inverse() {
        for n in [2, 33, 100] {
            let tape = Tape::new();
            let a = tape.constant(&random(&[n, n], 0.3));
            let eye = Tensor::eye(n).unwrap();
            let turn = (a - a.mt()).matrix_exp();
            assert!(distance(&turn.matmul(turn.mt()).value().unwrap(), &eye) < 1e-14 * n as f64);
            let (there, back) = ((a * 0.3).matrix_exp(), (a * -0.3).matrix_exp());
            let size = there.abs().max().item().unwrap() * back.abs().max().item().unwrap();
            assert!(distance(&there.matmul(back).value().unwrap(), &eye) < 1e-14 * size * n as f64);
        }
    }

    /// V exp(Λ) V⁻¹ with V of small integers and a determinant of 1.
    #[test]
    fn a_large_norm_with_known_eigenvalues() {
        let tape = Tape::new();
        let v = tape.constant(&Tensor::from([[1.0, 2.0, 3.0], [0.0, 1.0, 4.0], [0.0, 0.0, 1.0]]));
        let inverse = tape.constant(&Tensor::from([[1.0, -2.0, 5.0], [0.0, 1.0, -4.0], [0.0, 0.0, 1.0]]));
        for scale in [1.0, 30.0, 1000.0] {
            let values = Tensor::from([-1.0, -0.5, 0.25]) * (scale / 2.0);
            let a = v.matmul(tape.constant(&values).diag_embed()).matmul(inverse);
            let exact = v.matmul(tape.constant(&values).exp().diag_embed()).matmul(inverse);
            let found = a.matrix_exp().value().unwrap();
            let size = exact.abs().max().item().unwrap();
            let error = distance(&found, &exact.value().unwrap());
            assert!(error < 2e-15 * scale.max(5.0) * size, "{scale}: {error:e} of {size:e}");
        }
    }

    /// Scaling is that of each matrix: its neighbours in a batch change no bit; nor do threads.
    #[test]
    fn a_batch_is_its_matrices_on_any_number_of_threads() {
        let scales = Tensor::from_fn([40, 1, 1], |i| 10f64.powi(i[0] as i32 % 5 - 3)).unwrap();
        let a = random(&[40, 12, 12], 1.0).try_mul(&scales).unwrap();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let tape = Tape::new();
                let x = tape.var(&a);
                let y = x.matrix_exp();
                let grads = y.sum().backward().unwrap();
                (y.value().unwrap().to_vec(), grads.wrt(x).unwrap().to_vec())
            })
        };
        let one = run(1);
        assert!(run(2) == one && run(3) == one);
        let tape = Tape::new();
        for i in 0..40 {
            let alone = tape.constant(&a.slice(0, i..i + 1).unwrap()).matrix_exp().value().unwrap();
            assert_eq!(alone.to_vec(), one.0[i as usize * 144..(i as usize + 1) * 144]);
        }
    }

    /// Of a large cotangent the derivative is as accurate as of a small one, and what is not finite in it is NaN.
    #[test]
    fn the_derivative_is_linear_in_the_cotangent_at_any_size() {
        let (a, seed) = (random(&[4, 4], 0.5), random(&[4, 4], 1.0));
        let tape = Tape::new();
        let x = tape.var(&a);
        let y = x.matrix_exp();
        let gradient = |by: f64| {
            let seed = &seed * by;
            y.backward_with(&seed).unwrap().wrt(x).unwrap().clone()
        };
        let plain = gradient(1.0);
        for by in [1e-200, 1e10, 1e300] {
            assert!(distance(&(gradient(by) * (1.0 / by)), &plain) < 1e-14, "{by}");
        }
        assert!(gradient(f64::NAN).iter().all(f64::is_nan));
        assert!(gradient(f64::INFINITY).iter().all(f64::is_nan));
    }
}
