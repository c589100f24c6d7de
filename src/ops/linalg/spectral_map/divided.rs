//! Divided differences of a function, also where its arguments are the same or nearly so.

use super::Function;
use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tape::Tape;
use crate::tensor::Tensor;

/// The function and its derivatives up to some order at some points, by nested forward mode.
pub(super) fn derivatives<T: Real>(f: &Function<T>, x: &Tensor<T>, orders: usize) -> Result<Vec<Tensor<T>>> {
    let tape = Tape::new();
    let x = tape.argument(tape.constant(x));
    let ones = tape.constant(&Tensor::ones(x.try_shape()?)?);
    let mut y = f(x);
    same("the value of the function", &y.try_shape()?, &x.try_shape()?)?;
    let mut all = vec![y.value()?];
    for _ in 0..orders {
        y = tape.recorded_tangents(&[y], [(x, ones)])?[0];
        all.push(y.value()?);
    }
    Ok(all)
}

/// A divided difference, and about how far rounding may have taken it.
#[derive(Clone, Copy)]
struct Estimate {
    value: f64,
    error: f64,
}

/// The divided differences `f[x₀ … xₖ]` over all choices of k + 1 of the values in the last axis, repetitions included.
///
/// They are symmetric in their arguments; what is kept is one for each ascending list of places `i₀ ≤ … ≤ iₖ`, at the
/// place `Σ C(iₚ + p, p + 1)`.
pub(super) struct Divided {
    table: Vec<f64>,
    size: usize,
    binomial: Vec<Vec<usize>>,
}

impl Divided {
    /// By the recursion `(f[x₁ … xₖ] − f[x₀ … xₖ₋₁]) / (xₖ − x₀)`, which loses digits where the values are close, or
    /// by the series around their mean m, `f⁽ᵏ⁾(m)/k! + Σ f⁽ᵏ⁺ᵖ⁾(m)/(k+p)! hₚ(x − m)` to p = 4 with the complete
    /// homogeneous polynomials h, which is not exact where they are not: whichever has the smaller error by estimate.
    pub(super) fn new<T: Real>(f: &Function<T>, values: &Tensor<T>, k: usize) -> Result<Divided> {
        let n = values.shape().last().copied().unwrap_or(0);
        let binomial = binomials(n + k + 1, k + 1);
        let epsilon = T::EPSILON.to_f64();
        let x: Vec<f64> = values.iter().map(T::to_f64).collect();
        let mut level: Vec<Estimate> = derivatives(f, values, 0)?[0]
            .iter()
            .map(|f| Estimate { value: f.to_f64(), error: epsilon * f.to_f64().abs() })
            .collect();
        let mut size = n;
        for order in 1..=k {
            let below = std::mem::replace(&mut size, binomial[n + order][order + 1]);
            let mut next = Vec::with_capacity(size * x.len() / n.max(1));
            let mut close = Vec::new();
            for (x, level) in x.chunks_exact(n.max(1)).zip(level.chunks_exact(below.max(1))) {
                let start = next.len();
                next.resize(start + size, Estimate { value: f64::NAN, error: f64::INFINITY });
                for_each_ascending(n, order + 1, |places| {
                    let at = start + rank(&binomial, places);
                    let (low, high) = (
                        level[rank(&binomial, &places[..order])],
                        level[rank(&binomial, &places[1..])],
                    );
                    let spread = x[places[order]] - x[places[0]];
                    if spread > 0.0 {
                        let value = (high.value - low.value) / spread;
                        let error = (high.error + low.error) / spread + epsilon * value.abs();
                        next[at] = Estimate { value, error };
                    }
                    // An infinity, or NaN, is not mended by derivatives.
                    if next[at].error > 64.0 * epsilon * next[at].value.abs() || spread <= 0.0 {
                        close.push((at, Around::new(places.iter().map(|&i| x[i]))));
                    }
                });
            }
            if !close.is_empty() {
                series(f, order, &close, &mut next)?;
            }
            level = next;
        }
        Ok(Divided { table: level.into_iter().map(|found| found.value).collect(), size, binomial })
    }

    /// The difference over these places in the values of one matrix of the batch.
    pub(super) fn at(&self, matrix: usize, ascending: &[usize]) -> f64 {
        self.table[matrix * self.size + rank(&self.binomial, ascending)]
    }
}

/// Values around their mean: that, and the homogeneous polynomials of degrees 2 to 4 in their distances from it.
struct Around {
    mean: f64,
    h: [f64; 3],
}

impl Around {
    fn new(x: impl ExactSizeIterator<Item = f64> + Clone) -> Around {
        let count = x.len() as f64;
        let mean = x.clone().map(|x| x / count).sum::<f64>();
        let power = |p: i32| x.clone().map(|x| (x - mean).powi(p)).sum::<f64>();
        let square = power(2);
        Around { mean, h: [square / 2.0, power(3) / 3.0, (square * square / 2.0 + power(4)) / 4.0] }
    }
}

/// Puts in the series where it is better.
fn series<T: Real>(
    f: &Function<T>,
    order: usize,
    close: &[(usize, Around)],
    into: &mut [Estimate],
) -> Result<()> {
    let means = close.iter().map(|(_, around)| T::from_f64(around.mean));
    let means = Tensor::from_iter_in(means, [close.len()])?;
    let apart = close.iter().any(|(_, around)| around.h[0] > 0.0);
    let derivatives = derivatives(f, &means, if apart { order + 4 } else { order })?;
    let derivatives: Vec<Vec<f64>> =
        derivatives.iter().map(|values| values.iter().map(T::to_f64).collect()).collect();
    let factorial = |q: usize| (1..=q).map(|q| q as f64).product::<f64>();
    for (i, (at, around)) in close.iter().enumerate() {
        let term = |p: usize, h: f64| {
            if h == 0.0 { 0.0 } else { derivatives[order + p][i] / factorial(order + p) * h }
        };
        let first = term(0, 1.0);
        let [second, third, fourth] = [0, 1, 2].map(|p| term(p + 2, around.h[p]));
        // What was left out is to the last term about what that, or the one before it, is to the first.
        let ratio = third.abs().max(fourth.abs()) / second.abs();
        let rest = if fourth == 0.0 { 0.0 } else { fourth.abs() * ratio };
        let error = 4.0 * T::EPSILON.to_f64() * first.abs() + rest;
        if error < into[*at].error || around.h[0] == 0.0 {
            into[*at] = Estimate { value: first + (second + (third + fourth)), error };
        }
    }
    Ok(())
}

/// `C(m, r)` for m and r up to these.
fn binomials(m: usize, r: usize) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![0; r + 1]; m + 1];
    for i in 0..=m {
        rows[i][0] = 1;
        for j in 1..=r.min(i) {
            rows[i][j] = rows[i - 1][j - 1] + rows[i - 1][j];
        }
    }
    rows
}

fn rank(binomial: &[Vec<usize>], ascending: &[usize]) -> usize {
    ascending.iter().enumerate().map(|(p, &i)| binomial[i + p][p + 1]).sum()
}

/// All ascending lists of `length` places below `n`.
fn for_each_ascending(n: usize, length: usize, mut f: impl FnMut(&[usize])) {
    let mut places = vec![0; length];
    if n == 0 {
        return;
    }
    loop {
        f(&places);
        // The last place that can move on takes those behind it along.
        let Some(p) = places.iter().rposition(|&place| place + 1 < n) else { return };
        let next = places[p] + 1;
        places[p..].fill(next);
    }
}

#[cfg(test)]
mod tests;
