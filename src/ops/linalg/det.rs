//! Determinants and their logarithms.

use super::factors::{Batch, Factored, inverses};
use super::{columns, shape_of, slice, square};
use crate::error::Result;
use crate::kernels::linalg::{LuFactors, complete_order};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::smallvec;

/// Pivots further apart than this count as those of a nearly singular matrix: by each order of the derivative, `det A`
/// times inverses loses as many digits.
const APART: f64 = 1e-3;

/// The determinant, from a matrix and its factors, which are constants.
struct Det {
    /// Whether nearly singular matrices are differentiated as [`expanded`].
    careful: bool,
}

/// Whether a number and its reciprocal are finite.
fn usable<T: Real>(x: T) -> bool {
    x.is_finite() && x.recip().is_finite()
}

fn all_usable<T: Real>(factors: &LuFactors<'_, T>) -> bool {
    factors.pivots().all(usable) && usable(factors.determinant())
}

/// Whether `det A · A⁻ᵀ` can be differentiated.
fn regular<T: Real>(factors: &LuFactors<'_, T>) -> bool {
    let sizes = || factors.pivots().map(|pivot| pivot.to_f64().abs());
    let (low, high) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    all_usable(factors) && low >= APART * high
}

/// The determinant of a small matrix, or of one of noise, without divisions by elements (Faddeev and LeVerrier).
fn without_divisions<T: Real>(c: Var<'_, T>) -> Result<Var<'_, T>> {
    let k = square(&c.try_shape()?)?.1;
    if k == 2 {
        let at = |i: isize, j: isize| c.slice(0, i..i + 1).slice(1, j..j + 1).reshape([]);
        return Ok(at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0));
    }
    let eye = c.constant_like(Tensor::eye(k));
    let mut product = c;
    for i in 1..k {
        product = c.matmul(product - eye * (product.diagonal(0, 1).sum() / i as f64));
    }
    let trace = product.diagonal(0, 1).sum() / k as f64;
    Ok(if k % 2 == 0 { -trace } else { trace })
}

/// The determinant of one matrix by block elimination with complete pivoting: no pivot is divided by that is small beside
/// another one of its block, and the last two, or what is only noise, are expanded. So every derivative is as accurate as
/// the determinant's own, also where the matrix is singular.
fn expanded<T: Real>(a: Var<'_, T>) -> Result<Var<'_, T>> {
    let tape = a.tape();
    let (mut rest, mut det, mut noise) = (a, tape.scalar(1.0), None);
    loop {
        let value = columns(&rest.value()?)?;
        let n = value.shape()[1];
        let (order, sizes) = complete_order(n, &mut slice(&value).to_vec());
        let first = sizes[0].to_f64();
        // What is left of rows and columns that depend on others.
        let noise = *noise.get_or_insert(16.0 * n as f64 * T::EPSILON.to_f64() * first);
        if n <= 2 || first <= noise || !usable(sizes[0]) {
            return Ok(det * without_divisions(rest)?);
        }
        let mut product = T::ONE;
        let together = |&&size: &&T| {
            product *= size;
            usable(product) && usable(size) && size.to_f64() >= APART * first
        };
        let k = sizes.iter().take_while(together).count() as isize;
        for (axis, order) in order.iter().enumerate() {
            let index = Tensor::from_iter_in(order.iter().map(|&i| i as i64), [n])?;
            rest = rest.index_select(axis as isize, &index);
            det = if odd(order) { -det } else { det };
        }
        let (above, below) = (rest.slice(0, ..k), rest.slice(0, k..));
        let head = Factored::new(above.slice(1, ..k), "det")?;
        det = det * tape.apply(Det { careful: false }, &[head.a, head.lu, head.rows]);
        if k as usize == n {
            return Ok(det);
        }
        rest = below.slice(1, k..) - below.slice(1, ..k).matmul(head.solve(above.slice(1, k..), false));
    }
}

fn odd(order: &[usize]) -> bool {
    let exchanges = crate::kernels::linalg::pivots(order, order.len());
    exchanges.iter().enumerate().filter(|&(i, &from)| i != from).count() % 2 == 1
}

impl Det {
    /// The matrices as an argument, and their determinants in a form that can be differentiated at nearly singular ones;
    /// nothing if there are none.
    fn careful<'t, T: Real>(&self, at: &At<'_, 't, T>) -> Result<Option<[Var<'t, T>; 2]>> {
        let lu = at.x(1).value()?;
        let (batch, n) = square(lu.shape())?;
        let factors = Batch::new(&lu, &at.x(2).value()?)?;
        let count: usize = batch.iter().product();
        let is_regular = |&i: &usize| regular(&factors.factors(i));
        if !self.careful || (0..count).all(|i| is_regular(&i)) {
            return Ok(None);
        }
        let tape = at.x(0).tape();
        let a = tape.argument(at.x(0));
        let flat = a.reshape([count, n, n]);
        let (mut places, others): (Vec<usize>, Vec<usize>) = (0..count).partition(is_regular);
        let index = |places: &[usize]| Tensor::from_iter_in(places.iter().map(|&i| i as i64), [places.len()]);
        let mut parts = Vec::with_capacity(1 + others.len());
        if !places.is_empty() {
            let a = Factored::new(flat.index_select(0, &index(&places)?), "det")?;
            parts.push(tape.apply(Det { careful: false }, &[a.a, a.lu, a.rows]));
        }
        for i in others {
            let one = flat.slice(0, i as isize..i as isize + 1).squeeze(0);
            parts.push(expanded(one)?.reshape([1]));
            places.push(i);
        }
        let mut back = vec![0; count];
        places.iter().enumerate().for_each(|(from, &to)| back[to] = from);
        let whole = tape.concat(&parts, 0).index_select(0, &index(&back)?);
        Ok(Some([a, whole.reshape(batch)]))
    }
}

/// Numbers of a batch as matrices of one element.
fn scalars<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    x.unsqueeze(-1).unsqueeze(-1)
}

/// `⟨A⁻ᵀ, dA⟩`, the tangent of the determinant's logarithm.
fn log_tangent<'t, T: Real>(a: Factored<'t, T>, da: Var<'t, T>) -> Var<'t, T> {
    (a.inverse().mt() * da).sum_axes([-2, -1])
}

impl<T: Real> Operation<T> for Det {
    fn name(&self) -> &'static str {
        "det"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, _) = square(x[1].shape())?;
        let factors = Batch::new(x[1], x[2])?;
        Tensor::build(shape_of(batch, &[])?, |out| {
            out.iter_mut().enumerate().for_each(|(i, det)| *det = factors.factors(i).determinant());
        })
        .map(one)
    }
    /// `Ā = ḡ det A · A⁻ᵀ` (Giles 2008, 2.2.4).
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let of_a = match self.careful(at)? {
            Some([a, det]) => a.tape().cotangents([(det, at.g(0))], &[a])?[0],
            // The determinant first: its product with a cotangent may underflow.
            None => Factored::at(at, 0, 1).inverse().mt() * scalars(at.y(0)) * scalars(at.g(0)),
        };
        Ok(smallvec![Some(of_a), None, None])
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(da) = at.dx(0) else { return Ok(smallvec![None]) };
        at.one(match self.careful(at)? {
            Some([a, det]) => a.tape().recorded_tangents(&[det], [(a, da)])?[0],
            None => at.y(0) * log_tangent(Factored::at(at, 0, 1), da),
        })
    }
    /// From the factors, which are those of a matrix near by, unless a pivot is 0: the cofactors are polynomials.
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let found = || {
            let (lu, rows) = (at.x(1), at.x(2));
            let factors = Batch::new(lu, rows)?;
            if !(0..at.y(0).len()).all(|i| all_usable(&factors.factors(i))) {
                return Ok(None);
            }
            let Some(g) = &g[0] else { return Ok(None) };
            let scale = g.try_mul(at.y(0))?.unsqueeze(-1)?.unsqueeze(-1)?;
            inverses(lu, rows)?.transpose(-1, -2)?.try_mul(&scale).map(Some)
        };
        let found = found().transpose()?;
        Some(found.map(|of_a| smallvec![Some(of_a), None, None]))
    }
}

/// The sign of the determinant, which is constant, or the logarithm of its absolute value, from a matrix and its factors,
/// which are constants.
enum LogDet {
    Sign,
    Size,
}

impl<T: Real> Operation<T> for LogDet {
    fn name(&self) -> &'static str {
        "slogdet"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (batch, _) = square(x[1].shape())?;
        let factors = Batch::new(x[1], x[2])?;
        Tensor::build(shape_of(batch, &[])?, |out| {
            for (i, out) in out.iter_mut().enumerate() {
                let (sign, size) = factors.factors(i).log_determinant();
                *out = if matches!(self, LogDet::Sign) { sign } else { size };
            }
        })
        .map(one)
    }
    /// `Ā = ḡ A⁻ᵀ`.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(match self {
            LogDet::Sign => smallvec![None, None, None],
            LogDet::Size => {
                smallvec![Some(scalars(at.g(0)) * Factored::at(at, 0, 1).inverse().mt()), None, None]
            }
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(smallvec![match self {
            LogDet::Sign => None,
            LogDet::Size => at.dx(0).map(|da| log_tangent(Factored::at(at, 0, 1), da)),
        }])
    }
}

/// The sign and the logarithm, on behalf of an operation.
fn parts<'t, T: Real>(a: Var<'t, T>, name: &'static str) -> Result<[Var<'t, T>; 2]> {
    let a = Factored::new(a, name)?;
    Ok([LogDet::Sign, LogDet::Size].map(|part| a.a.tape().apply(part, &[a.a, a.lu, a.rows])))
}

impl<'t, T: Real> Var<'t, T> {
    /// The determinants of square matrices `[…, n, n]`, by LU factors; 1 for n = 0.
    ///
    /// # Gradient
    ///
    /// The cofactors, `det A · A⁻ᵀ`; of every order also where A is singular and has no inverse, whatever its rank:
    /// there the derivatives are those of an expansion without a division by what is (nearly) 0.
    ///
    /// # Accuracy
    ///
    /// That of a matrix which differs from A by rounding. A singular matrix may give a determinant of that size.
    ///
    /// # Errors
    ///
    /// [`NotFinite`](crate::ErrorKind::NotFinite); [`NotSquare`](crate::ErrorKind::NotSquare);
    /// [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [2.0, 4.0]]));
    /// let det = a.det();
    /// assert_eq!(det.item()?, 0.0);
    /// assert_eq!(det.backward()?.wrt(a)?.to_vec(), [4.0, -2.0, -2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn det(self) -> Var<'t, T> {
        self.tape().composed("det", || {
            let a = Factored::new(self, "det")?;
            if self.try_shape()?.ends_with(&[1, 1]) {
                // The element itself: its second derivative is 0, without rounding.
                return Ok(self.squeeze(-1).squeeze(-1));
            }
            Ok(self.tape().apply(Det { careful: true }, &[a.a, a.lu, a.rows]))
        })
    }

    /// The sign of the determinants of square matrices `[…, n, n]`, and the logarithm of their absolute values, which
    /// neither over- nor underflow: 0 and −∞ for a singular matrix, 1 and 0 for n = 0.
    ///
    /// # Gradient
    ///
    /// `A⁻ᵀ` for the logarithm, 0 for the sign. At a pivot of exactly 0 the former does not exist: the elements come out
    /// infinite or NaN.
    ///
    /// # Errors
    ///
    /// [`NotFinite`](crate::ErrorKind::NotFinite); [`NotSquare`](crate::ErrorKind::NotSquare);
    /// [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&(&Tensor::eye(500)? * -1e-3));
    /// let [sign, log] = a.slogdet();
    /// assert_eq!(sign.item()?, 1.0);
    /// assert!((log.item()? - 500.0 * 1e-3_f64.ln()).abs() < 1e-9);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn slogdet(self) -> [Var<'t, T>; 2] {
        self.tape().composed_many("slogdet", || parts(self, "slogdet"))
    }

    /// The logarithms of the determinants of square matrices `[…, n, n]`: NaN for a negative determinant, −∞ for a
    /// singular matrix, 0 for n = 0.
    ///
    /// # Gradient
    ///
    /// `A⁻ᵀ`, also where the determinant is negative, as the derivative of ln x is 1/x; infinite or NaN at a pivot of
    /// exactly 0.
    ///
    /// # Errors
    ///
    /// As [`slogdet`](Var::slogdet).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[2.0, 0.0], [0.0, 4.0]]));
    /// let y = a.logdet();
    /// assert!((y.item()? - 8f64.ln()).abs() < 1e-15);
    /// assert_eq!(y.backward()?.wrt(a)?.to_vec(), [0.5, 0.0, 0.0, 0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logdet(self) -> Var<'t, T> {
        self.tape().composed("logdet", || {
            let [sign, size] = parts(self, "logdet")?;
            Ok(size + sign.ln())
        })
    }
}

#[cfg(test)]
use super::pivoted;
#[cfg(test)]
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let cases = || -> Inputs {
        let cases: [&[&[usize]]; 8] = [
            &[&[1, 1]],
            &[&[2, 2]],
            &[&[5, 5]],
            &[&[3, 3, 3]],
            &[&[2, 3, 2, 2]],
            &[&[0, 3, 3]],
            &[&[0, 0]],
            &[&[2, 0, 0]],
        ];
        shapes(&cases, -1.0, 1.0)
    };
    vec![
        sample!("det", cases(), |x| pivoted(x[0]).det()),
        // Where all rows are the same view, of rank n − 1.
        sample!("det singular", shapes(&[&[&[2, 2]]], -1.0, 1.0), |x| x[0].det()),
        sample!("det singular of three rows", shapes(&[&[&[2, 3]]], -1.0, 1.0), |x| {
            let row = (x[0].slice(0, ..1) * 0.0 + 1.0).cumsum(1) + x[0].tape().scalar(0.5);
            x[0].tape().concat(&[x[0], row], 0).det()
        }),
        sample!("logdet", cases(), |x| {
            let a = pivoted(x[0]);
            a.matmul(a.transpose(-1, -2)).logdet()
        }),
        sample!("slogdet", cases(), |x| {
            let [sign, log] = pivoted(x[0]).slogdet();
            sign * 0.5 + log * sign
        }),
        wrong!("det", &[&[2, 3]], |x| x[0].det(), "shape [2, 3] is not that of square matrices"),
        wrong!("det", &[&[3]], |x| x[0].det(), "shape [3] has rank 1, wanted at least 2"),
        wrong!("det", &[&[2, 2]], |x| (x[0] * 0.0).ln().det(), "the matrix has elements that are not finite"),
        wrong!("logdet", &[&[2, 3]], |x| x[0].logdet(), "shape [2, 3] is not that of square matrices"),
        wrong!(
            "logdet",
            &[&[1, 2, 2]],
            |x| (x[0] * 0.0).ln().logdet(),
            "the matrix [0] of the batch has elements that are not finite"
        ),
        wrong!("slogdet", &[&[2, 3]], |x| x[0].slogdet()[0], "shape [2, 3] is not that of square matrices"),
        wrong!(
            "slogdet",
            &[&[2, 2]],
            |x| (x[0] * 0.0).ln().slogdet()[1],
            "the matrix has elements that are not finite"
        ),
    ]
}

#[cfg(test)]
mod tests;
