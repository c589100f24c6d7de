//! The operators `+ − · /`, between variables and with numbers on either side.

use crate::error::Result;
use crate::kernels::{Function, run1, run2};
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Tensor, exact};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// a + b, or a − b.
#[derive(Clone, Copy)]
struct Sum {
    minus: bool,
}

#[derive(Clone, Copy)]
struct Plus;
impl Function<2> for Plus {
    #[inline(always)]
    fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
        a + b
    }
}

#[derive(Clone, Copy)]
struct Minus;
impl Function<2> for Minus {
    #[inline(always)]
    fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
        a - b
    }
}

#[derive(Clone, Copy)]
struct Times;
impl Function<2> for Times {
    #[inline(always)]
    fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
        a * b
    }
}

#[derive(Clone, Copy)]
struct Over;
impl Function<2> for Over {
    #[inline(always)]
    fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
        a / b
    }
}

fn run<T: Real>(f: impl Function<2>, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    exact(f, [a, b], |[a, b], out| run2(f, a, b, out))
}

impl<T: Real> Operation<T> for Sum {
    fn name(&self) -> &'static str {
        if self.minus { "sub" } else { "add" }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        if self.minus { run(Minus, x[0], x[1]) } else { run(Plus, x[0], x[1]) }.map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.each(|i| {
            let g = at.g(0).sum_to_like(at.x(i));
            if i == 1 && self.minus { -g } else { g }
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| {
            let dx = dx.expand_like(at.y(0));
            if i == 1 && self.minus { -dx } else { dx }
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.each(|i| {
            let g = g.clone().sum_to_like(at.x(i))?;
            if i == 1 && self.minus { scaled(Scale::Times(-1.0), &g) } else { Ok(g) }
        })
    }
}

/// a · b.
struct Product;

impl<T: Real> Operation<T> for Product {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        run(Times, x[0], x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.each(|i| (at.g(0) * at.x(1 - i)).sum_to_like(at.x(i)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| (dx * at.x(1 - i)).expand_like(at.y(0)))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.each(|i| run(Times, &g, at.x(1 - i))?.sum_to_like(at.x(i)))
    }
}

/// a / b: 1/b by a, −y/b by b.
struct Quotient;

impl<T: Real> Operation<T> for Quotient {
    fn name(&self) -> &'static str {
        "div"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        run(Over, x[0], x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0) / at.x(1);
        at.each(|i| if i == 0 { g } else { -(g * at.y(0)) }.sum_to_like(at.x(i)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|i, dx| {
            let part = dx / at.x(1);
            if i == 0 { part } else { -(part * at.y(0)) }.expand_like(at.y(0))
        })
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = match run(Over, &g[0].take()?, at.x(1)) {
            Ok(g) => g,
            Err(error) => return Some(Err(error)),
        };
        at.each(|i| match i {
            0 => g.clone().sum_to_like(at.x(0)),
            _ => scaled(Scale::Times(-1.0), &run(Times, &g, at.y(0))?)?.sum_to_like(at.x(1)),
        })
    }
}

/// A multiple of x.
#[derive(Clone, Copy)]
enum Scale {
    Times(f64),
    Over(f64),
}

impl Function<1> for Scale {
    #[inline(always)]
    fn at<N: Number>(self, [x]: [N; 1]) -> N {
        match self {
            Scale::Times(c) => x * x.lit(c),
            Scale::Over(c) => x / x.lit(c),
        }
    }
}

fn scaled<T: Real>(scale: Scale, x: &Tensor<T>) -> Result<Tensor<T>> {
    exact(scale, [x], |[x], out| run1(scale, x, out))
}

impl<T: Real> Operation<T> for Scale {
    fn name(&self) -> &'static str {
        match *self {
            Scale::Times(-1.0) => "neg",
            Scale::Times(_) => "mul",
            Scale::Over(_) => "div",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        scaled(*self, x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(*self, &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(*self, &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(scaled(*self, &g))
    }
}

/// x + c.
#[derive(Clone, Copy)]
struct Shift(f64);

impl Function<1> for Shift {
    #[inline(always)]
    fn at<N: Number>(self, [x]: [N; 1]) -> N {
        x + x.lit(self.0)
    }
}

impl<T: Real> Operation<T> for Shift {
    fn name(&self) -> &'static str {
        "add"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        exact(*self, [x[0]], |[x], out| run1(*self, x, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx)
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        at.one(Ok(g[0].take()?))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:expr;)*) => {$(
        impl<'t, T: Real> $trait for Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, other: Var<'t, T>) -> Var<'t, T> {
                self.tape().apply($op, &[self, other])
            }
        }
    )*};
}
operators! {
    Add add Sum { minus: false };
    Sub sub Sum { minus: true };
    Mul mul Product;
    Div div Quotient;
}

macro_rules! with_numbers {
    ($($trait:ident $method:ident |$x:ident, $c:ident| $right:expr, $left:expr;)*) => {$(
        impl<'t, T: Real> $trait<f64> for Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, $c: f64) -> Var<'t, T> {
                let $x = self;
                $right
            }
        }
        impl<'t, T: Real> $trait<Var<'t, T>> for f64 {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, $x: Var<'t, T>) -> Var<'t, T> {
                let $c = self;
                $left
            }
        }
    )*};
}
with_numbers! {
    Add add |x, c| x.tape().apply(Shift(c), &[x]), x.tape().apply(Shift(c), &[x]);
    Sub sub |x, c| x.tape().apply(Shift(-c), &[x]), x.constant(c) - x;
    Mul mul |x, c| x.tape().apply(Scale::Times(c), &[x]), x.tape().apply(Scale::Times(c), &[x]);
    Div div |x, c| x.tape().apply(Scale::Over(c), &[x]), x.constant(c) / x;
}

impl<'t, T: Real> Neg for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn neg(self) -> Var<'t, T> {
        self.tape().apply(Scale::Times(-1.0), &[self])
    }
}

#[cfg(test)]
#[allow(clippy::eq_op)] // An operand met twice is what some samples are about.
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, unary, wrong};
    let both = || binary((-2.0, 2.0), (0.5, 2.0));
    vec![
        sample!("add", both(), |x| x[0] + x[1]),
        sample!("sub", both(), |x| x[0] - x[1]),
        sample!("mul", both(), |x| x[0] * x[1]),
        sample!("div", both(), |x| x[0] / x[1]),
        sample!("add itself", unary(-2.0, 2.0), |x| x[0] + x[0]),
        sample!("sub itself", unary(-2.0, 2.0), |x| x[0] - x[0]),
        sample!("mul itself", unary(-2.0, 2.0), |x| x[0] * x[0]),
        sample!("div itself", unary(0.5, 2.0), |x| x[0] / x[0]),
        sample!("neg", unary(-2.0, 2.0), |x| -x[0]),
        sample!("scalars right", unary(-2.0, 2.0), |x| ((x[0] + 1.5) * 3.0 - 0.5) / 0.7),
        sample!("scalars left", unary(0.5, 2.0), |x| 2.0 / (1.0 + 3.0 * (5.0 - x[0]))),
        wrong!("add", &[&[2, 3], &[2]], |x| x[0] + x[1], "shapes [2, 3] and [2] do not broadcast"),
        wrong!("mul", &[&[4], &[3]], |x| x[0] * x[1], "shapes [4] and [3] do not broadcast"),
    ]
}
