//! What can be known inside the eigenspaces of repeated eigenvalues.

use super::super::spectrum::into;
use super::super::slice;
use crate::error::Result;
use crate::kernels::linalg::{eigenspaces, mixed};
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use std::ops::Range;

/// Multiples of `n ε` of the largest element that count as rounding.
const ROUNDING: f64 = 100.0;
/// What a difference on the diagonal must at least be to its block, if a ratio is to be had from it.
const TELLING: f64 = 1e-4;

/// The eigenspaces of more than one dimension in a batch of matrices, where there are any.
pub(super) struct Spaces {
    n: usize,
    /// The matrix of the batch, and which of its eigenvalues.
    of: Vec<(usize, Range<usize>)>,
}

/// What a rule knows of a symmetric matrix H in the eigenbasis, the derivative, beyond the entries between eigenspaces.
///
/// Inside an eigenspace the diagonal of H is that of the cotangents `values`, and the rest is in proportion, if anything
/// is, to half of the symmetric part of `vectors`, or to `inside`.
#[derive(Default)]
pub(super) struct Evidence<'t, T: Real> {
    /// Cotangents or tangents of the eigenvalues, none if nothing depends on them.
    pub(super) values: Option<Var<'t, T>>,
    /// `VᵀV̄`, none if nothing depends on the eigenvectors.
    pub(super) vectors: Option<Var<'t, T>>,
    /// A direction in the eigenbasis along which the derivatives of eigenvalues were taken.
    pub(super) inside: Option<Var<'t, T>>,
    /// `inside` is one direction, not a sum over several.
    pub(super) single: bool,
    /// The basis is in general position: a diagonal that is constant in it says that all of H is.
    pub(super) generic: bool,
}

impl Spaces {
    pub(super) fn of<T: Real>(values: &Tensor<T>) -> Result<Option<Spaces>> {
        let values = values.contiguous()?;
        let n = values.shape()[values.rank() - 1];
        let matrices = slice(&values).chunks_exact(n.max(1)).enumerate();
        let of: Vec<_> =
            matrices.flat_map(|(i, values)| eigenspaces(values).into_iter().map(move |s| (i, s))).collect();
        Ok(if of.is_empty() { None } else { Some(Spaces { n, of }) })
    }

    /// The eigenvectors in a basis in general position of each eigenspace in which h, if it is given, is constant.
    pub(super) fn mixed<'t, T: Real>(&self, v: Var<'t, T>, h: Option<Var<'t, T>>) -> Result<Var<'t, T>> {
        let n = self.n;
        let h = h.map(|h| numbers(&h.value()?)).transpose()?;
        let shape = v.try_shape()?;
        let mut q = vec![T::ZERO; shape.count()];
        q.chunks_exact_mut(n * n).for_each(|q| (0..n).for_each(|i| q[i * (n + 1)] = T::ONE));
        for (matrix, space) in &self.of {
            if h.as_ref().is_none_or(|h| level::<T>(&h[matrix * n..][space.clone()])) {
                // The reflection is symmetric: by rows or by columns.
                let q = &mut q[matrix * n * n..][space.start * n..space.end * n];
                let mut basis: Vec<T> = q.chunks_exact(n).flat_map(|q| &q[space.clone()]).copied().collect();
                mixed(space.len(), &mut basis);
                for (q, basis) in q.chunks_exact_mut(n).zip(basis.chunks_exact(space.len())) {
                    q[space.clone()].copy_from_slice(basis);
                }
            }
        }
        Ok(v.matmul(v.tape().constant(&Tensor::from_slice(&q, &shape[..])?)))
    }

    /// NaN between different vectors of an eigenspace in which h is not constant, else 0.
    pub(super) fn kinks<T: Real>(&self, h: &Tensor<T>) -> Result<Tensor<T>> {
        let (n, shape, h) = (self.n, [h.shape(), &[self.n]].concat(), numbers(h)?);
        let mut kinks = vec![T::ZERO; h.len() * n];
        for (matrix, space) in &self.of {
            if !level::<T>(&h[matrix * n..][space.clone()]) {
                off_diagonal(space, |i, j| kinks[(matrix * n + i) * n + j] = T::NAN);
            }
        }
        Tensor::from_slice(&kinks, shape)
    }

    /// The entries of H between different vectors of one eigenspace, NaN where there is doubt, else 0. Without evidence
    /// they are 0. Their own derivative is NaN as far as the matrix moves inside the eigenspace.
    pub(super) fn found<'t, T: Real>(
        &self,
        a: Var<'t, T>,
        v: Var<'t, T>,
        l: Var<'t, T>,
        evidence: Evidence<'t, T>,
    ) -> Result<Var<'t, T>> {
        let Evidence { values, vectors, inside, single, generic } = evidence;
        let known = Inside {
            values: values.is_some(),
            vectors: vectors.is_some(),
            inside: inside.is_some(),
            single,
            generic,
        };
        let inputs: Vec<Var<'t, T>> =
            [a, v, l].into_iter().chain([values, vectors, inside].into_iter().flatten()).collect();
        let found = a.tape().apply(known, &inputs);
        found.try_shape().map(|_| found)
    }
}

/// [`Spaces::found`], from A, V, λ and the evidence that there is.
struct Inside {
    values: bool,
    vectors: bool,
    inside: bool,
    single: bool,
    generic: bool,
}

impl<T: Real> Operation<T> for Inside {
    fn name(&self) -> &'static str {
        "eigenspaces"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let Some(spaces) = Spaces::of(x[2])? else { return Tensor::zero_view(x[1].shape()).map(one) };
        let n = spaces.n;
        let mut evidence = x[3..].iter().map(|x| numbers(x));
        let mut next = |present: bool| if present { evidence.next().transpose() } else { Ok(None) };
        let (values, vectors, inside) = (next(self.values)?, next(self.vectors)?, next(self.inside)?);
        let mut found = vec![T::ZERO; x[1].len()];
        for (matrix, space) in &spaces.of {
            let square = *matrix * n * n..(matrix + 1) * n * n;
            let vectors = vectors.as_ref().map(|all| Block::new::<T>(&all[square.clone()], n, space));
            let inside = inside.as_ref().map(|all| Block::new::<T>(&all[square.clone()], n, space));
            let levels = values.as_ref().map(|values| &values[matrix * n..][..n]);
            let ratio = match (levels, &vectors, &inside) {
                (None, _, None) | (None, None, _) | (_, None, None) => 0.0,
                (Some(levels), Some(vectors), None) if self.generic => {
                    vectors.ratio::<T>(levels, true, false)
                }
                (Some(levels), None, Some(inside)) => inside.ratio::<T>(levels, self.generic, self.single),
                // A basis that may be aligned with the function; or two sources, and one set of eigenvalues to tell their
                // parts from.
                (Some(_), Some(_), None) | (_, Some(_), Some(_)) => f64::NAN,
            };
            off_diagonal(space, |i, j| {
                let skew = vectors.as_ref().is_some_and(|vectors| vectors.is_skew(i, j));
                let of = vectors.as_ref().or(inside.as_ref()).map_or(0.0, |block| block.at(i, j));
                let value = if skew { f64::NAN } else { ratio * of };
                found[square.start + i * n + j] = T::from_f64(value);
            });
        }
        Tensor::from_slice(&found, x[1].shape()).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let moves = moving(&at.g(0).value()?, &at.x(2).value()?)?;
        let nan = |i: usize| at.x(i).constant_like(at.x(i).try_shape().and_then(|shape| Tensor::full(shape, T::NAN)));
        Ok((0..at.inputs()).map(|i| (moves && i != 1 && i != 2 && at.needs(i)).then(|| nan(i))).collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let l = at.x(2).value()?;
        let mut moves = match at.dx(0) {
            Some(da) => moving(&into(&at.x(1).value()?, &da.value()?)?, &l)?,
            None => false,
        };
        for dx in (3..at.inputs()).filter_map(|i| at.dx(i)) {
            let dx = dx.value()?;
            moves |= if dx.rank() == l.rank() { uneven(&dx, &l)? } else { moving(&dx, &l)? };
        }
        let nan = || at.y(0).constant_like(at.y(0).try_shape().and_then(|shape| Tensor::full(shape, T::NAN)));
        Ok(Parts::from_iter([moves.then(nan)]))
    }
}

/// What is known of one eigenspace: the rows and columns of a matrix that belong to it.
struct Block<'a> {
    of: &'a [f64],
    n: usize,
    space: &'a Range<usize>,
    rounding: f64,
}

impl<'a> Block<'a> {
    fn new<T: Real>(of: &'a [f64], n: usize, space: &'a Range<usize>) -> Block<'a> {
        Block { of, n, space, rounding: rounding::<T>(of, n) }
    }

    /// The symmetric part.
    fn at(&self, i: usize, j: usize) -> f64 {
        (self.of[i * self.n + j] + self.of[j * self.n + i]) / 2.0
    }

    fn is_skew(&self, i: usize, j: usize) -> bool {
        (self.of[i * self.n + j] - self.of[j * self.n + i]).abs() > 2.0 * self.rounding
    }

    /// The ratio of H to this inside the eigenspace but for a multiple of the identity, from the diagonal of H; NaN if there
    /// is none, or no telling. `sure` says that there is one.
    fn ratio<T: Real>(&self, levels: &[f64], generic: bool, sure: bool) -> f64 {
        let places = || self.space.clone();
        let count = self.space.len() as f64;
        let centred = |x: &dyn Fn(usize) -> f64| {
            let mean = places().map(x).sum::<f64>() / count;
            places().map(|i| x(i) - mean).collect::<Vec<f64>>()
        };
        let largest = |x: &[f64]| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let (d, s) = (centred(&|i| levels[i]), centred(&|i| self.at(i, i)));
        let mut most = 0.0;
        off_diagonal(self.space, |i, j| most = f64::max(most, self.at(i, j).abs()));
        let even = largest(&d) <= rounding::<T>(levels, self.n);
        if even && (generic || most <= self.rounding) {
            return 0.0;
        }
        if largest(&s) <= self.rounding.max(TELLING * most) {
            return f64::NAN;
        }
        if even && sure {
            return 0.0;
        }
        let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let ratio = product(&d, &s) / product(&s, &s);
        let rest = d.iter().zip(&s).fold(0.0, |most: f64, (d, s)| most.max((d - ratio * s).abs()));
        let allowed = if sure {
            T::EPSILON.to_f64().sqrt() * largest(&d)
        } else {
            rounding::<T>(levels, self.n) + ratio.abs() * self.rounding
        };
        // Two of each always have a ratio.
        let checked = sure || (generic && self.space.len() > 2);
        if checked && rest <= allowed { ratio } else { f64::NAN }
    }
}

/// What of a matrix or a row of numbers is rounding.
fn rounding<T: Real>(x: &[f64], n: usize) -> f64 {
    ROUNDING * n as f64 * T::EPSILON.to_f64() * x.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// Whether the values of a smooth function at what is one eigenvalue but for rounding are one: half of the digits agree,
/// since the function may be steep.
fn level<T: Real>(h: &[f64]) -> bool {
    let (low, high) = h.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &h| (low.min(h), high.max(h)));
    high - low <= T::EPSILON.to_f64().sqrt() * high.abs().max(low.abs())
}

/// Whether a matrix has entries between different vectors of an eigenspace.
fn moving<T: Real>(x: &Tensor<T>, values: &Tensor<T>) -> Result<bool> {
    let Some(spaces) = Spaces::of(values)? else { return Ok(false) };
    let (n, x) = (spaces.n, numbers(x)?);
    Ok(spaces.of.iter().any(|(matrix, space)| {
        let block = Block::new::<T>(&x[matrix * n * n..][..n * n], n, space);
        let mut most = 0.0;
        off_diagonal(space, |i, j| most = f64::max(most, block.at(i, j).abs()));
        most > block.rounding || block.rounding.is_nan()
    }))
}

/// Whether a row of numbers differs inside an eigenspace.
fn uneven<T: Real>(x: &Tensor<T>, values: &Tensor<T>) -> Result<bool> {
    let Some(spaces) = Spaces::of(values)? else { return Ok(false) };
    let (n, x) = (spaces.n, numbers(x)?);
    Ok(spaces.of.iter().any(|(matrix, space)| !level::<T>(&x[matrix * n..][space.clone()])))
}

fn off_diagonal(space: &Range<usize>, mut f: impl FnMut(usize, usize)) {
    for i in space.clone() {
        space.clone().filter(|&j| j != i).for_each(|j| f(i, j));
    }
}

fn numbers<T: Real>(x: &Tensor<T>) -> Result<Vec<f64>> {
    Ok(slice(&x.contiguous()?).iter().map(|x| x.to_f64()).collect())
}
