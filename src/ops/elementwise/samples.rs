//! Functions as a user writes them, without their derivatives, for the conformance table.

use super::{Elementwise, Elementwise2, ElementwiseN};
use crate::conformance::{Inputs, Sample, binary, sample, shapes, unary, wrong};
use crate::number::Number;
use crate::{ErrorKind, Result};

/// x · σ(1.7 x) + sin x.
#[derive(Clone, Copy)]
struct One;
impl Elementwise for One {
    const NAME: &'static str = "one";
    fn f<N: Number>(self, x: N) -> N {
        x * x.scale(1.7).sigmoid() + x.sin()
    }
}

/// Softplus above 0.3, a line below that meets it.
#[derive(Clone, Copy)]
struct Piecewise;
impl Elementwise for Piecewise {
    const NAME: &'static str = "piecewise";
    fn f<N: Number>(self, x: N) -> N {
        let seam = x.lit(0.3);
        N::select(x.greater(seam), x.softplus(), x - seam + seam.softplus())
    }
}

/// sin x · cos x.
#[derive(Clone, Copy)]
struct Angle;
impl Elementwise for Angle {
    const NAME: &'static str = "angle";
    const OF_AN_ANGLE: bool = true;
    fn f<N: Number>(self, x: N) -> N {
        x.sin() * x.cos()
    }
}

/// sin(a b)/(1 + b²), which is not symmetric.
#[derive(Clone, Copy)]
struct Two;
impl Elementwise2 for Two {
    const NAME: &'static str = "two";
    fn f<N: Number>(self, a: N, b: N) -> N {
        (a * b).sin() / (b.square() + b.lit(1.0))
    }
}

/// The same as the general case.
impl ElementwiseN<2> for Two {
    const NAME: &'static str = "two";
    fn f<N: Number>(self, [a, b]: [N; 2]) -> N {
        Elementwise2::f(self, a, b)
    }
}

impl ElementwiseN<1> for One {
    const NAME: &'static str = "one";
    fn f<N: Number>(self, [x]: [N; 1]) -> N {
        Elementwise::f(self, x)
    }
}

/// w ln(1 + ((x − t)/c)²) with a parameter c.
#[derive(Clone, Copy)]
struct Cauchy(f64);
impl ElementwiseN<3> for Cauchy {
    const NAME: &'static str = "cauchy";
    fn f<N: Number>(self, [x, t, w]: [N; 3]) -> N {
        w * (x - t).scale(self.0.recip()).square().ln_1p()
    }
    fn check(self) -> Result<()> {
        if self.0 > 0.0 {
            return Ok(());
        }
        let (name, found) = ("c", self.0.to_string());
        Err(ErrorKind::Argument { name, found, wanted: "a positive number".to_owned() }.into())
    }
}

/// a eᵇ c with its derivatives, one of them from the value.
#[derive(Clone, Copy)]
struct Written;
impl ElementwiseN<3> for Written {
    const NAME: &'static str = "written";
    fn f<N: Number>(self, [a, b, c]: [N; 3]) -> N {
        a * b.exp() * c
    }
    fn df<N: Number>(self, [a, b, c]: [N; 3], y: N) -> [N; 3] {
        [b.exp() * c, y, a * b.exp()]
    }
}

/// a² + d c, which does not depend on b and is linear in c and d.
#[derive(Clone, Copy)]
struct Four;
impl ElementwiseN<4> for Four {
    const NAME: &'static str = "four";
    fn f<N: Number>(self, [a, _, c, d]: [N; 4]) -> N {
        a.square() + d * c
    }
}

/// Shapes that broadcast, without elements, with one, and longer than a piece of the loop.
fn triples(low: f64, high: f64) -> Inputs {
    shapes(
        &[
            &[&[], &[], &[]],
            &[&[1], &[], &[1, 1]],
            &[&[7], &[7], &[7]],
            &[&[3, 4], &[4], &[3, 1]],
            &[&[], &[2, 3], &[1]],
            &[&[2, 1, 3], &[5, 1], &[2, 5, 3]],
            &[&[131], &[1], &[131]],
            &[&[0], &[1], &[]],
        ],
        low,
        high,
    )
}

pub fn samples() -> Vec<Sample> {
    let pair = || binary((-2.0, 2.0), (-2.0, 2.0));
    let fours: &[&[&[usize]]] = &[&[&[], &[], &[], &[]], &[&[3], &[2, 3], &[], &[2, 1]]];
    vec![
        sample!("one", unary(-3.0, 3.0), |x| x[0].elementwise(One)),
        sample!("one of n", unary(-3.0, 3.0), |x| x[0].tape().elementwise_n(One, [x[0]])),
        sample!("piecewise", unary(-2.0, 2.0).avoid(&[0.3]), |x| x[0].elementwise(Piecewise)),
        sample!("angle", unary(-9.0, 9.0), |x| x[0].elementwise(Angle)),
        sample!("two", pair(), |x| x[0].elementwise2(x[1], Two)),
        sample!("two of n", pair(), |x| x[0].tape().elementwise_n(Two, [x[0], x[1]])),
        sample!("three", triples(-1.5, 1.5), |x| x[0].tape().elementwise_n(Cauchy(1.3), [x[0], x[1], x[2]])),
        sample!("three written", triples(-1.5, 1.5), |x| {
            x[0].tape().elementwise_n(Written, [x[0], x[1], x[2]])
        }),
        sample!("three, with a constant", pair(), |x| {
            x[0].tape().elementwise_n(Cauchy(0.9), [x[0], x[0].constant(0.7), x[0] * x[1]])
        }),
        sample!("four", shapes(fours, -2.0, 2.0), |x| x[0]
            .tape()
            .elementwise_n(Four, [x[0], x[1], x[2], x[3]])),
        wrong!(
            "cauchy",
            &[&[2], &[3], &[]],
            |x| x[0].tape().elementwise_n(Cauchy(1.0), [x[0], x[1], x[2]]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "cauchy",
            &[&[2], &[2], &[]],
            |x| x[0].tape().elementwise_n(Cauchy(0.0), [x[0], x[1], x[2]]),
            "c is 0, wanted a positive number"
        ),
    ]
}
