//! The gradient of functions of singular values, and where it has no derivative that could be known.

use super::singular::Blocks;
use super::{matrices, shape_of, slice};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// `U diag(g) Vᵀ` for the factors U, S, Vᵀ of A.
pub(super) fn gradient<'t, T: Real>(
    a: Var<'t, T>,
    g: Var<'t, T>,
    [u, s, vh]: [Var<'t, T>; 3],
) -> Result<Var<'t, T>> {
    let y = (u * g.unsqueeze(-2)).matmul(vh);
    let (_, m, n) = matrices(&a.try_shape()?).map(|(batch, m, n)| (batch.len(), m, n))?;
    let degenerate = Blocks::of(&s.value()?, m, n)?.is_some();
    Ok(if degenerate { y + a.tape().apply(Doubt, &[a, g, s]) } else { y })
}

/// 0, to be added to `U diag(g) Vᵀ` where values repeat. If g changes with A, how it does between equal values is not
/// to be seen from g (for `Σ h(s)` it is h″ that the vectors' turning is multiplied by): the derivative is NaN. A g that
/// is constant, or 0 there, leaves no doubt.
struct Doubt;

impl Doubt {
    /// NaN for the matrices in doubt, of A's shape; nothing if there are none.
    fn of<'t, T: Real>(at: &At<'_, 't, T>) -> Result<Option<Var<'t, T>>> {
        let (a, s) = (at.x(0), at.x(2).value()?);
        let shape = a.try_shape()?;
        let (batch, m, n) = matrices(&shape)?;
        let Some(blocks) = Blocks::of(&s, m, n)? else { return Ok(None) };
        let k = blocks.k;
        let g = at.x(1).value()?.contiguous()?;
        let mut any = false;
        let marks = Tensor::build(shape_of(batch, &[1, 1])?, |out| {
            for (at, (out, g)) in out.iter_mut().zip(slice(&g).chunks_exact(k)).enumerate() {
                let size = |g: &T| g.to_f64().abs();
                let least = T::EPSILON.to_f64().sqrt() * g.iter().map(size).fold(0.0, f64::max);
                let repeated = |i: usize| {
                    let neighbours = [i.wrapping_sub(1), i + 1];
                    !blocks.zero(at, i) && neighbours.iter().any(|&j| j < k && blocks.same(at, i, j))
                };
                let doubt = (0..k).any(|i| repeated(i) && (size(&g[i]) > least || g[i].to_f64().is_nan()));
                *out = if doubt { T::NAN } else { T::ZERO };
                any |= doubt;
            }
        });
        Ok(match (marks, any) {
            (Ok(marks), true) => Some(a.constant_like(Ok(marks)).expand_like(a)),
            (Ok(_), false) => None,
            (Err(error), _) => return Err(error),
        })
    }
}

impl<T: Real> Operation<T> for Doubt {
    fn name(&self) -> &'static str {
        "repeated_values"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Tensor::zero_view(x[0].shape()).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let doubt = if at.needs(0) && at.needs(1) { Doubt::of(at)? } else { None };
        Ok(SmallVec::from_iter([doubt, None, None]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let moves = at.dx(0).is_some() && at.dx(1).is_some();
        Ok(SmallVec::from_iter([if moves { Doubt::of(at)? } else { None }]))
    }
}

#[cfg(test)]
mod tests {
    use crate::tape::{Tape, Var};
    use crate::tensor::Tensor;

    type Program = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

    /// The second derivative along a direction of ones in reverse over reverse mode and in forward over reverse mode.
    fn second(a: [[f64; 3]; 3], f: Program) -> [Tensor<f64>; 2] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(a));
        let along = Tensor::from([[1.0, 2.0, -1.0], [0.5, 1.0, 0.0], [3.0, 0.25, 1.5]]);
        let [g] = tape.vjp(f(x), &Tensor::scalar(1.0), [x]).unwrap();
        let forward = tape.jvp(g, [(x, &along)]).unwrap().value().unwrap();
        let y = (g * tape.constant(&along)).sum();
        [y.backward().unwrap().wrt(x).unwrap().clone(), forward]
    }

    const REPEATED: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]];
    const APART: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]];

    #[test]
    fn a_gradient_that_bends_between_equal_values_has_no_derivative() {
        let bent: [Program; 3] = [
            |x| x.svdvals().square().sum(),
            |x| x.svd()[1].ln().sum(),
            |x| x.svdvals().sum().square(),
        ];
        for f in bent {
            assert!(second(REPEATED, f).iter().flatten().all(f64::is_nan));
            assert!(second(APART, f).iter().flatten().all(f64::is_finite));
        }
    }

    #[test]
    fn one_that_does_not_has_that_of_its_limit() {
        // The largest value alone, and a function of it.
        for f in [(|x| x.svdvals().max()) as Program, |x| x.svdvals().max().square()] {
            let [at, forward] = second(REPEATED, f);
            let mut near = REPEATED;
            near[1][1] = 1.0 + 1e-7;
            let [wanted, _] = second(near, f);
            assert!(at.all_close(&wanted, 1e-5, 1e-5).unwrap() && forward.all_close(&at, 1e-12, 1e-12).unwrap());
        }
        // The sum, whose gradient is the polar factor.
        let [at, forward] = second(REPEATED, |x| x.svdvals().sum());
        let [wanted, _] = second(REPEATED, |x| x.polar()[1].trace());
        assert!(at.all_close(&wanted, 1e-12, 1e-12).unwrap() && forward.all_close(&at, 1e-12, 1e-12).unwrap());
    }
}
