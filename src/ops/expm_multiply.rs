//! The exponential of a matrix times vectors, without the exponential.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::{Shape, broadcast, matrices, same, square, unravel};
use crate::tape::Var;
use crate::tensor::Tensor;

/// Degrees of Taylor polynomials, and the norms up to which their backward error is below the rounding: of f64, then of
/// f32 (Al-Mohy and Higham 2011, table 3.1). The authors go on to 55, and need a third fewer products with a large
/// matrix; but there the terms grow to e^9.9 before they fall, here to e^3.5, or e^6.3 in single precision.
const LIMITS: [(usize, [f64; 2]); 6] = [
    (5, [2.4e-3, 1.3e-1]),
    (10, [1.44e-1, 9.95e-1]),
    (15, [6.41e-1, 2.21]),
    (20, [1.43, 3.55]),
    (25, [2.42, 4.92]),
    (30, [3.53, 6.32]),
];

/// Terms beyond those that the value needs: each derivative costs one.
const FOR_DERIVATIVES: usize = 3;

/// The most steps.
const STEPS: f64 = 1e6;

/// The number of steps and the terms in each, for the fewest products with a matrix of this norm.
fn plan<T: Real>(norm: f64) -> Result<(usize, usize)> {
    let of = usize::from(T::EPSILON.to_f64() > 1e-10);
    if !(norm <= STEPS * LIMITS[LIMITS.len() - 1].1[of]) {
        return argument("the norm", norm, "at most some 10^6: the time grows with it; see matrix_exp");
    }
    let plans = LIMITS
        .map(|(degree, limits)| ((norm / limits[of]).ceil().max(1.0) as usize, degree + FOR_DERIVATIVES));
    Ok(plans.into_iter().min_by_key(|(steps, terms)| steps * terms).expect("a list that is not empty"))
}

/// `e^A b` by Taylor polynomials of `e^{A/s}`, s times. The number of terms depends on the norm alone, never on how
/// soon they vanish: where `A² b` is 0, its derivatives are not.
fn steps<'t, T: Real>(
    b: Var<'t, T>,
    (steps, terms): (usize, usize),
    product: impl Fn(Var<'t, T>) -> Result<Var<'t, T>>,
    scale: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> Result<Var<'t, T>> {
    let mut y = b;
    for _ in 0..steps {
        let (mut term, mut sum) = (y, y);
        for k in 1..=terms {
            term = product(term)? * (1.0 / (steps * k) as f64);
            sum = sum + term;
        }
        y = scale(sum);
    }
    Ok(y)
}

impl<'t, T: Real> Var<'t, T> {
    /// `e^A b` for matrices `self` of `[…, n, n]` and b of `[…, n, k]`, or for one vector b of `[n]`, by products with A
    /// alone: much less work than [`matrix_exp`](Var::matrix_exp) where b is narrow and the norm of A moderate. The
    /// batches broadcast.
    ///
    /// # Gradient
    ///
    /// `b̄ = e^{Aᵀ} g`, and that of the polynomial, which has terms for three derivatives.
    ///
    /// # Accuracy
    ///
    /// Taylor polynomials of `A − μI`, with its mean diagonal μ, in as many steps as its 1-norm asks for (Al-Mohy and
    /// Higham 2011): the backward error is below the rounding.
    ///
    /// # Errors
    ///
    /// [`NotSquare`](crate::ErrorKind::NotSquare), [`Rank`](crate::ErrorKind::Rank),
    /// [`InnerDimension`](crate::ErrorKind::InnerDimension), [`Broadcast`](crate::ErrorKind::Broadcast);
    /// [`NotFinite`](crate::ErrorKind::NotFinite); [`Argument`](crate::ErrorKind::Argument) for a norm beyond some 10⁶.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// // A chain of decays, 1 → 2 → 3, after one unit of time.
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::from([[-1.0, 0.0, 0.0], [1.0, -2.0, 0.0], [0.0, 2.0, 0.0]]));
    /// let y = a.expm_multiply(tape.constant(&Tensor::from([1.0, 0.0, 0.0])));
    /// let e = (-1f64).exp();
    /// for (found, exact) in y.value()?.iter().zip([e, e - e * e, 1.0 - 2.0 * e + e * e]) {
    ///     assert!((found - exact).abs() < 1e-15);
    /// }
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expm_action")]
    #[track_caller]
    pub fn expm_multiply(self, b: Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("expm_multiply", || {
            let (left, right) = (self.try_shape()?, b.try_shape()?);
            let (own, n) = square(&left)?;
            if right.is_empty() {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            }
            let b = if right.len() == 1 { b.unsqueeze(-1) } else { b };
            let columns = b.try_shape()?;
            let (batch, inner, columns) = matrices(&columns)?;
            if inner != n {
                return Err(ErrorKind::InnerDimension { left: left.to_vec(), right: right.to_vec() }.into());
            }
            let batch = broadcast(own, batch)
                .map_err(|_| ErrorKind::Broadcast { left: left.to_vec(), right: right.to_vec() })?;
            let shape = Shape::new([&batch[..], &[n, columns]].concat())?;
            let (norm, shift) = centred(&self.value()?, n)?;
            let plan = plan::<T>(norm)?;
            let tape = self.tape();
            let eye = tape.constant(&Tensor::eye(n)?);
            let shift = tape.constant(&shift);
            let a = self - eye * shift;
            let factor = (shift * (1.0 / plan.0 as f64)).exp();
            let y = steps(b.expand(shape), plan, |v| Ok(a.matmul(v)), |y| y * factor)?;
            Ok(if right.len() == 1 { y.squeeze(-1) } else { y })
        })
    }

    /// `e^A b` for a b of any shape, `self`, on which a linear A acts that is known by `matvec(v) = A v`, and by a bound
    /// of its norm: of any norm that comes of one of vectors.
    ///
    /// # Gradient
    ///
    /// By b, and by whatever `matvec` computes with, that of the polynomial, which has terms for three derivatives.
    ///
    /// # Accuracy
    ///
    /// As [`expm_multiply`](Var::expm_multiply), without the shift by the diagonal. The time grows with the bound; one
    /// that is too small loses digits.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for products of another shape; [`Argument`](crate::ErrorKind::Argument) for a
    /// bound that is negative, NaN or beyond some 10⁶.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// // Heat on a circle of eight points: a wave of two periods decays with the rate 2 c.
    /// let tape = Tape::<f64>::new();
    /// let c = tape.var(&Tensor::scalar(0.5));
    /// let start = tape.constant(&Tensor::from([1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0]));
    /// let end = start.expm_multiply_by(4.0 * 0.5, |v| (v.roll([1], 0) + v.roll([-1], 0) - v * 2.0) * c);
    /// let first = end.slice(0, ..1).sum();
    /// assert!((first.item()? - (-1f64).exp()).abs() < 1e-15);
    /// assert!((first.backward()?.wrt(c)?.item()? + 2.0 * (-1f64).exp()).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn expm_multiply_by(self, norm: f64, matvec: impl Fn(Var<'t, T>) -> Var<'t, T>) -> Var<'t, T> {
        self.tape().composed("expm_multiply_by", || {
            if norm < 0.0 {
                return argument("the norm", norm, "at least 0");
            }
            let shape = self.try_shape()?;
            let product = |v| {
                let product = matvec(v);
                same("the product", &product.try_shape()?, &shape)?;
                Ok(product)
            };
            steps(self, plan::<T>(norm)?, product, |y| y)
        })
    }
}

/// The largest 1-norm of `A − μI` over the matrices of a batch, each with the mean of its diagonal μ, `[…, 1, 1]`.
fn centred<T: Real>(a: &Tensor<T>, n: usize) -> Result<(f64, Tensor<T>)> {
    let (batch, _) = a.shape().split_at(a.rank() - 2);
    let dense = a.contiguous()?;
    let dense = dense.as_slice().expect("made contiguous");
    let (mut most, mut shifts) = (0.0f64, vec![]);
    for (at, a) in (0..batch.iter().product()).map(|i| (i, &dense[i * n * n..(i + 1) * n * n])) {
        if !a.iter().all(|a| a.to_f64().is_finite()) {
            return Err(ErrorKind::NotFinite { batch: unravel(at, batch) }.into());
        }
        let mean = T::from_f64((0..n).map(|i| a[i * n + i].to_f64() / n as f64).sum());
        let mut sums = vec![0.0; n];
        for (i, row) in a.chunks_exact(n.max(1)).enumerate() {
            for (j, (sum, x)) in sums.iter_mut().zip(row).enumerate() {
                *sum += if i == j { (*x - mean).to_f64().abs() } else { x.to_f64().abs() };
            }
        }
        most = sums.into_iter().fold(most, f64::max);
        shifts.push(mean);
    }
    let shape: Vec<usize> = batch.iter().chain(&[1, 1]).copied().collect();
    Ok((most, Tensor::from_slice(&shifts, shape)?))
}

#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let cases: [&[&[usize]]; 8] = [
        &[&[1, 1], &[1, 2]],
        &[&[3, 3], &[3]],
        &[&[4, 4], &[4, 2]],
        &[&[2, 2, 2], &[2, 1]],
        &[&[2, 2], &[2, 2, 1]],
        &[&[0, 2, 2], &[2, 1]],
        &[&[0, 0], &[0, 2]],
        &[&[2, 2], &[2, 0]],
    ];
    let pairs = |low, high| shapes(&cases, low, high);
    vec![
        sample!("expm_multiply", pairs(-1.0, 1.0), |x| x[0].expm_multiply(x[1])),
        sample!("expm_multiply in steps", pairs(-0.5, 0.5), |x| (x[0] * 6.0 - 1.0).expm_multiply(x[1])
            * 0.01),
        sample!("expm_multiply of what is nilpotent", shapes(&[&[&[3, 3], &[3]]], -1.0, 1.0), |x| {
            x[0].triu(1).expm_multiply(x[1])
        }),
        sample!(
            "expm_multiply_by",
            shapes(&[&[&[4], &[4]], &[&[2, 3], &[2, 3]], &[&[], &[]]], -1.0, 1.0),
            |x| { x[0].expm_multiply_by(2.0, |v| v * x[1].tanh() + v.sum() * 0.1) }
        ),
        wrong!(
            "expm_multiply",
            &[&[2, 3], &[3]],
            |x| x[0].expm_multiply(x[1]),
            "shape [2, 3] is not that of square matrices"
        ),
        wrong!(
            "expm_multiply",
            &[&[3], &[3]],
            |x| x[0].expm_multiply(x[1]),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "expm_multiply",
            &[&[3, 3], &[]],
            |x| x[0].expm_multiply(x[1]),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!(
            "expm_multiply",
            &[&[2, 2], &[3]],
            |x| x[0].expm_multiply(x[1]),
            "shapes [2, 2] and [3] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "expm_multiply",
            &[&[4, 2, 2], &[3, 2, 1]],
            |x| x[0].expm_multiply(x[1]),
            "shapes [4, 2, 2] and [3, 2, 1] do not broadcast"
        ),
        wrong!(
            "expm_multiply",
            &[&[2, 2], &[2]],
            |x| (x[0] - x[0]).ln().expm_multiply(x[1]),
            "the matrix has elements that are not finite"
        ),
        wrong!(
            "expm_multiply",
            &[&[2, 2], &[2]],
            |x| ((x[0] - x[0] + 1e9).triu(1)).expm_multiply(x[1]),
            "the norm is 1000000000, wanted at most some 10^6: the time grows with it; see matrix_exp"
        ),
        wrong!(
            "expm_multiply_by",
            &[&[2]],
            |x| x[0].expm_multiply_by(-1.0, |v| v),
            "the norm is -1, wanted at least 0"
        ),
        wrong!(
            "expm_multiply_by",
            &[&[2]],
            |x| x[0].expm_multiply_by(1e9, |v| v),
            "the norm is 1000000000, wanted at most some 10^6: the time grows with it; see matrix_exp"
        ),
        wrong!(
            "expm_multiply_by",
            &[&[2]],
            |x| x[0].expm_multiply_by(1.0, |v| v.sum()),
            "the product has shape [], wanted [2]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::tensor::Generator;

    /// At A = 0 the first product vanishes already: what has no terms beyond has no derivatives.
    #[test]
    fn three_derivatives_where_every_term_vanishes() {
        let mut random = Generator::new(2);
        let mut normal = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 1.0, &mut random).unwrap();
        let (e, b) = (normal(&[3, 3]), normal(&[3]));
        let tape = Tape::new();
        let a = tape.var(&Tensor::zeros([3, 3]).unwrap());
        let mut y = a.expm_multiply(tape.constant(&b));
        let mut wanted = b.clone();
        assert_eq!(y.value().unwrap(), b);
        // d^k/dt^k of e^{tE} b is E^k b.
        for order in 1..=3 {
            y = tape.jvp(y, [(a, &e)]).unwrap();
            wanted = e.matmul(&wanted).unwrap();
            for (y, w) in y.value().unwrap().iter().zip(&wanted) {
                assert!((y - w).abs() < 1e-13, "{order}: {y} {w}");
            }
        }
    }

    /// Against a diagonalisation: V e^Λ V⁻¹ b with V orthogonal, at norms on both sides of every limit.
    #[test]
    fn it_is_the_exponential_at_any_norm() {
        let (s, c) = 0.7f64.sin_cos();
        let v = Tensor::from([[c, -s], [s, c]]);
        let b = Tensor::from([[1.0, 0.3], [-2.0, 0.1]]);
        let limits = LIMITS.iter().flat_map(|(_, [double, single])| [*double, *single]);
        for size in limits.flat_map(|limit| [0.99 * limit, 1.01 * limit]).chain([0.0, 1e-9, 20.0, 300.0]) {
            for values in [[-size, size], [-2.0 * size, 0.0], [-size, -size], [0.0, size]] {
                let turned = v.transpose(0, 1).unwrap().matmul(&b).unwrap();
                let grown = Tensor::from([[values[0].exp()], [values[1].exp()]]).try_mul(&turned).unwrap();
                let exact = v.matmul(&grown).unwrap();
                let diagonal = Tensor::from([[values[0], 0.0], [0.0, values[1]]]);
                let a = v.matmul(&diagonal).unwrap().matmul(&v.transpose(0, 1).unwrap()).unwrap();
                let largest = values[0].max(values[1]).exp() * 3.0;
                let tape = Tape::new();
                let y = tape.constant(&a).expm_multiply(tape.constant(&b)).value().unwrap();
                for (y, w) in y.iter().zip(&exact) {
                    assert!((y - w).abs() <= 1e-15 * (size + 4.0) * largest, "{values:?}: {y} {w}");
                }
                if largest < 1e30 && size < 10.0 {
                    let single = |x: &Tensor<f64>| x.map(|x| x as f32).unwrap();
                    let tape = Tape::new();
                    let y = tape.constant(&single(&a)).expm_multiply(tape.constant(&single(&b)));
                    for (y, w) in y.value().unwrap().iter().zip(&exact) {
                        let error = (f64::from(y) - w).abs();
                        assert!(error <= 1e-6 * (size + 4.0) * largest, "{values:?}: {y} {w}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_shift_saves_steps_and_a_norm_decides_on_them() {
        let (norm, shift) =
            centred(&Tensor::from([[[-5.0, 1.0], [0.0, -7.0]], [[2.0, 0.0], [-3.0, 2.0]]]), 2).unwrap();
        assert_eq!((norm, shift.to_vec()), (3.0, vec![-6.0, 2.0]));
        assert_eq!(shift.shape(), [2, 1, 1]);
        assert_eq!(plan::<f64>(0.0).unwrap(), (1, 8));
        assert_eq!(plan::<f64>(1e-3).unwrap(), (1, 8));
        assert_eq!(plan::<f64>(0.1).unwrap(), (1, 13));
        assert_eq!(plan::<f32>(0.1).unwrap(), (1, 8));
        assert_eq!(plan::<f64>(3.5).unwrap(), (1, 33));
        assert_eq!(plan::<f64>(35.3).unwrap(), (10, 33));
        assert!(plan::<f64>(3.53e6).is_ok() && plan::<f64>(3.54e6).is_err());
        assert!(plan::<f64>(f64::INFINITY).is_err() && plan::<f64>(f64::NAN).is_err());
        // −1000 I takes one step.
        let tape = Tape::<f64>::new();
        let a = tape.constant(&Tensor::from([[-700.0, 0.0], [0.0, -700.0]]));
        let y = a.expm_multiply(tape.constant(&Tensor::from([1.0, 2.0]))).value().unwrap();
        assert!((y[[1]] / (2.0 * (-700f64).exp()) - 1.0).abs() < 1e-15 && tape.len() < 50);
    }
}
