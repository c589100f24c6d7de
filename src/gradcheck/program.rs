//! The function that is checked: its values, its derivatives by the tape, and the directions they are taken along.

use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};

/// The user's function.
pub(super) type Function<'a, T> = &'a (dyn for<'t> Fn(&[Var<'t, T>]) -> Var<'t, T> + Sync);

/// A function and the point at which it is checked.
#[derive(Clone, Copy)]
pub(super) struct Program<'a, T: Real> {
    pub(super) f: Function<'a, T>,
    pub(super) inputs: &'a [Tensor<T>],
}

impl<T: Real> Program<'_, T> {
    /// The value at other inputs, nothing recorded.
    pub(super) fn value(&self, inputs: &[Tensor<T>]) -> Result<Tensor<T>> {
        let tape = Tape::new();
        let vars: Vec<_> = inputs.iter().map(|x| tape.constant(x)).collect();
        (self.f)(&vars).value()
    }

    /// The value at other inputs, which must keep its shape.
    pub(super) fn value_like(&self, inputs: &[Tensor<T>], shape: &[usize]) -> Result<Vec<f64>> {
        let value = self.value(inputs)?;
        same("the value at inputs moved by a step", value.shape(), shape)?;
        Ok(wide(&value))
    }

    /// Jᵀc for every input, by the first-order sweep.
    pub(super) fn gradient(&self, seed: &Tensor<T>) -> Result<Vec<Tensor<T>>> {
        let tape = Tape::new();
        let vars: Vec<_> = self.inputs.iter().map(|x| tape.var(x)).collect();
        let gradients = (self.f)(&vars).backward_with(seed)?;
        vars.iter().map(|&x| gradients.wrt(x).cloned()).collect()
    }

    /// Jᵀc for every input, by the recorded sweep.
    pub(super) fn recorded(&self, seed: &Tensor<T>) -> Result<Vec<Tensor<T>>> {
        let tape = Tape::new();
        let vars: Vec<_> = self.inputs.iter().map(|x| tape.var(x)).collect();
        tape.vjp_with((self.f)(&vars), seed, &vars)?.into_iter().map(Var::value).collect()
    }

    /// J v for a direction in one input, by forward mode.
    pub(super) fn tangent(&self, input: usize, v: &Tensor<T>) -> Result<Tensor<T>> {
        let tape = Tape::new();
        let vars: Vec<_> = self.inputs.iter().map(|x| tape.var(x)).collect();
        tape.jvp((self.f)(&vars), [(vars[input], v)])?.value()
    }

    /// ∇⟨c, f⟩, ∇⟨∇⟨c, f⟩, u⟩, ∇⟨∇⟨∇⟨c, f⟩, u⟩, w⟩: one order more than there are directions. The inner
    /// sweeps are recorded, the last one is not, so that order by order each stands on what was checked before.
    pub(super) fn derivative(
        &self,
        inputs: &[Tensor<T>],
        c: &Tensor<T>,
        along: &[Vec<Tensor<T>>],
    ) -> Result<Vec<f64>> {
        let tape = Tape::new();
        let vars: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
        let one = Tensor::scalar(T::ONE);
        let mut y = ((self.f)(&vars) * tape.constant(c)).sum();
        for direction in along {
            let g = tape.vjp_with(y, &one, &vars)?;
            let parts = g.iter().zip(direction).map(|(&g, u)| (g * tape.constant(u)).sum());
            y = parts.fold(tape.scalar(0.0), |sum, part| sum + part);
        }
        let gradients = y.backward()?;
        let mut flat = Vec::new();
        for &x in &vars {
            flat.extend(gradients.wrt(x)?.iter().map(Real::to_f64));
        }
        Ok(flat)
    }

    /// The inputs with one element moved by `t`.
    pub(super) fn moved_at(&self, input: usize, at: usize, t: f64) -> Result<Vec<Tensor<T>>> {
        let mut moved = self.inputs.to_vec();
        let x = &mut moved[input].as_mut_slice()?[at];
        *x = T::from_f64(x.to_f64() + t);
        Ok(moved)
    }

    /// The inputs with one of them moved by `t v`.
    pub(super) fn moved_along(&self, input: usize, v: &Tensor<T>, t: f64) -> Result<Vec<Tensor<T>>> {
        let mut moved = self.inputs.to_vec();
        moved[input] = moved[input].try_add(&v.try_mul(&Tensor::scalar(T::from_f64(t)))?)?;
        Ok(moved)
    }

    /// The inputs, all moved by `t u`.
    pub(super) fn all_moved(&self, u: &[Tensor<T>], t: f64) -> Result<Vec<Tensor<T>>> {
        let t = Tensor::scalar(T::from_f64(t));
        self.inputs.iter().zip(u).map(|(x, u)| x.try_add(&u.try_mul(&t)?)).collect()
    }
}

/// The elements in double precision, in row-major order.
pub(super) fn wide<T: Real>(x: &Tensor<T>) -> Vec<f64> {
    x.iter().map(Real::to_f64).collect()
}

/// The unit that steps at an element are taken in: the power of two below |x|, at least 1.
pub(super) fn unit(x: f64) -> f64 {
    if x.is_finite() && x.abs() > 1.0 { x.abs().log2().floor().exp2() } else { 1.0 }
}

/// A random direction in an input, among `n` elements that move together: ±1, ±½ or ±¼ of each element's unit over
/// about √n. Powers of two, so that a moved element is the one meant, without rounding; never 0, so that no element
/// goes unseen; of three sizes, so that errors of equal size do not cancel.
pub(super) fn direction<T: Real>(x: &Tensor<T>, n: usize, random: &mut Generator) -> Result<Tensor<T>> {
    let norm = (-(n.max(1) as f64).log2() / 2.0).round().exp2();
    let component = |x: T| {
        let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
        T::from_f64(sign * [1.0, 0.5, 0.25][random.below(3)] * norm * unit(x.to_f64()))
    };
    Tensor::from_iter_in(x.iter().map(component), x.shape())
}

/// A random cotangent of a value; zero where the value is not finite, because nothing can be measured there.
pub(super) fn cotangent<T: Real>(value: &Tensor<T>, random: &mut Generator) -> Result<Tensor<T>> {
    let component = |y: T| {
        let c = random.normal();
        T::from_f64(if y.is_finite() { c } else { 0.0 })
    };
    Tensor::from_iter_in(value.iter().map(component), value.shape())
}
