//! The table must catch what is wrong: operations with one deliberate mistake each, and the check that finds it.

use super::{Inputs, Sample, check, shapes};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// One mistake in y = tanh(a) · b, where b is broadcast.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    Factor,
    Sign,
    Tiny,
    ForgottenSum,
    ForgottenInput,
    NotLinear,
    WrongAtOrder2,
    WrongAtOrder3,
    Fused,
    RuleUnderFused,
    Forward,
    ForwardMissing,
    SinglePrecision,
    IgnoresStrides,
    NotANumber,
}

struct Product(Mistake);

/// d tanh, right at order 1, whose own rule has the factor given.
struct Slope(f64);

impl<T: Real> Operation<T> for Slope {
    fn name(&self) -> &'static str {
        "slope"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].map(|x| T::ONE - x.tanh() * x.tanh()).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0) * at.x(0).tanh() * at.y(0) * (-2.0 * self.0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx * at.x(0).tanh() * at.y(0) * (-2.0 * self.0))
    }
}

fn slope<'t, T: Real>(a: Var<'t, T>, mistake: Mistake) -> Var<'t, T> {
    let t = a.tanh();
    match mistake {
        Mistake::WrongAtOrder2 => a.tape().apply(Slope(1.001), &[a]),
        // −2t(1 − t²), whose last factor does not move: right at order 2, wrong at order 3.
        Mistake::WrongAtOrder3 => {
            let frozen = (1.0 - t * t).detach();
            let at_order_2 = t * t - t.detach() * t.detach();
            frozen - at_order_2 + (t.detach() - t) * (t - t.detach())
        }
        _ => 1.0 - t * t,
    }
}

impl<T: Real> Operation<T> for Product {
    fn name(&self) -> &'static str {
        "product"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let a = match self.0 {
            Mistake::IgnoresStrides => {
                let n = x[0].len();
                let view = x[0].view();
                Tensor::from_iter_in(view.data.iter().copied().cycle().take(n), x[0].shape())?
            }
            _ => x[0].clone(),
        };
        let off = if self.0 == Mistake::SinglePrecision && T::DTYPE == "f32" { 1e-4 } else { 0.0 };
        (a.map(|a| a.tanh())?.try_mul(x[1])? + off).try_add(&Tensor::scalar(T::ZERO)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, b, g) = (at.x(0), at.x(1), at.g(0));
        let da = g * b * slope(a, self.0);
        let db = g * a.tanh();
        let (da, db) = match self.0 {
            Mistake::Factor => (da * 1.001, db),
            Mistake::Sign => (da, -db),
            Mistake::Tiny => (da + 1e-7, db),
            Mistake::NotLinear => (da * g, db),
            Mistake::RuleUnderFused => (da * (1.0 + 1e-9), db),
            Mistake::NotANumber => (da / (da * 0.0) * 0.0, db),
            _ => (da, db),
        };
        let db = if self.0 == Mistake::ForgottenSum { db } else { db.sum_to_like(b) };
        let db = (self.0 != Mistake::ForgottenInput).then_some(db);
        Ok([Some(da), db].into_iter().collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, b) = (at.x(0), at.x(1));
        let factor = if self.0 == Mistake::Forward { 1.001 } else { 1.0 };
        at.sum_of(|i, dx| match i {
            0 => (dx * b * slope(a, self.0) * factor).expand_like(at.y(0)),
            _ if self.0 == Mistake::ForwardMissing => at.y(0).zeros_like(),
            _ => (dx * a.tanh()).expand_like(at.y(0)),
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let factor = match self.0 {
            Mistake::Fused => 1.0 + 1e-8,
            Mistake::RuleUnderFused => 1.0,
            _ => return None,
        };
        let g = g[0].take()?;
        let (a, b) = (at.x(0), at.x(1));
        at.each(|i| match i {
            0 => {
                let slope = a.map(|a| (T::ONE - a.tanh() * a.tanh()) * T::from_f64(factor))?;
                g.try_mul(b)?.try_mul(&slope)
            }
            _ => g.try_mul(&a.map(|a| a.tanh())?)?.sum_to(b.shape()),
        })
    }
}

fn inputs() -> Inputs {
    shapes(&[&[&[3, 4], &[4]]], -1.0, 1.0)
}

fn sample(mistake: Mistake) -> Sample {
    Sample::new(
        "product",
        inputs(),
        move |x| x[0].tape().apply(Product(mistake), &[x[0], x[1]]),
        move |x| x[0].tape().apply(Product(mistake), &[x[0], x[1]]),
    )
}

/// What the table says of a sample; nothing if all of it holds.
pub(super) fn verdict(sample: &Sample) -> Option<String> {
    let run = || check(sample);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).err()?;
    Some(panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn each_mistake_is_caught_by_the_check_that_is_for_it() {
    assert_eq!(verdict(&sample(Mistake::None)), None);
    let cases = [
        (Mistake::Factor, ": vjp,"),
        (Mistake::Sign, ": vjp,"),
        (Mistake::Tiny, ": vjp,"),
        (Mistake::ForgottenSum, "the cotangent of input 1 has shape [3, 4], wanted [4]"),
        (Mistake::ForgottenInput, ": vjp,"),
        (Mistake::NotLinear, ": vjp,"),
        (Mistake::WrongAtOrder2, ": order 2,"),
        (Mistake::WrongAtOrder3, ": order 3,"),
        (Mistake::Fused, ": vjp,"),
        (Mistake::RuleUnderFused, ": fused and written,"),
        (Mistake::Forward, ": jvp,"),
        (Mistake::ForwardMissing, ": jvp,"),
        (Mistake::SinglePrecision, ": f32 value,"),
        (Mistake::IgnoresStrides, ": view and copy,"),
        (Mistake::NotANumber, ": vjp,"),
    ];
    for (mistake, by) in cases {
        let found = verdict(&sample(mistake)).unwrap_or_else(|| panic!("{mistake:?} passes the table"));
        assert!(found.contains(by), "{mistake:?} was caught, but by another check: {found}");
    }
}

/// y = M x for a fixed matrix M that is not symmetric; the rule multiplies by M or by its transpose.
struct Rotation {
    transposed: bool,
}

impl<T: Real> Operation<T> for Rotation {
    fn name(&self) -> &'static str {
        "rotation"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let x = x[0].to_vec();
        let y = MATRIX
            .iter()
            .map(|row| row.iter().zip(&x).fold(T::ZERO, |sum, (&m, &x)| sum + T::from_f64(m) * x));
        Ok(one(y.collect()))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let m = matrix(at.g(0));
        at.one(if self.transposed {
            (at.g(0).reshape([3, 1]) * m).sum_axes(0)
        } else {
            (at.g(0).reshape([1, 3]) * m).sum_axes(1)
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| (dx.reshape([1, 3]) * matrix(dx)).sum_axes(1))
    }
}

const MATRIX: [[f64; 3]; 3] = [[1.0, 2.0, 3.0], [-4.0, 5.0, 0.5], [0.0, -1.0, 2.0]];

fn matrix<'t, T: Real>(like: Var<'t, T>) -> Var<'t, T> {
    like.tape().constant(&Tensor::from(MATRIX.map(|row| row.map(T::from_f64))))
}

#[test]
fn a_jacobian_that_is_not_transposed_is_caught() {
    let rotation = |transposed| {
        let inputs = shapes(&[&[&[3]]], -1.0, 1.0);
        let run = move || Rotation { transposed };
        Sample::new(
            "rotation",
            inputs,
            move |x| x[0].tape().apply(run(), x),
            move |x| x[0].tape().apply(run(), x),
        )
    };
    assert_eq!(verdict(&rotation(true)), None);
    assert!(verdict(&rotation(false)).unwrap().contains(": vjp,"));
}

#[test]
fn a_contribution_that_is_lost_is_caught() {
    let lost = Sample::new(
        "lost",
        shapes(&[&[&[5]]], -1.0, 1.0),
        |x| x[0].exp() + x[0].detach().sin(),
        |x| x[0].exp() + x[0].detach().sin(),
    );
    assert!(verdict(&lost).unwrap().contains(": vjp,"));
}

#[test]
fn an_error_with_another_text_is_caught() {
    let wrong =
        |text| super::sample!("add", shapes(&[&[&[2], &[3]]], 0.0, 1.0), |x| x[0] + x[1]).failing(text);
    assert!(verdict(&wrong("shapes [2] and [3] do not broadcast")).unwrap().contains("src/conformance"));
    assert!(verdict(&wrong("something else")).unwrap().contains("do not broadcast"));
    let fine = super::sample!("add", shapes(&[&[&[2], &[2]]], 0.0, 1.0), |x| x[0] + x[1]).failing("nothing");
    assert!(verdict(&fine).unwrap().contains("no error"));
}
