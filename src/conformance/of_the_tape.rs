//! Samples of what the tape itself offers that takes a function: closures recorded as operations, and checkpoints.

use super::{Sample, sample, shapes, unary};
use crate::number::Number;
use crate::tape::Var;

pub(super) fn samples() -> Vec<Sample> {
    let pair = || shapes(&[&[&[3, 4], &[4]], &[&[1], &[2, 1]], &[&[], &[5]], &[&[0], &[0]]], -1.5, 1.5);
    vec![
        sample!("record", pair(), |x| {
            // tanh(a)·b from its backward closure alone: forward mode is its transpose.
            x[0].tape().record(
                "record",
                &[x[0], x[1]],
                |v| v[0].map(Number::tanh)?.try_mul(v[1]),
                |at| {
                    let t = at.x(0).tanh();
                    at.each(|i| match i {
                        0 => (at.g(0) * at.x(1) * (1.0 - t * t)).sum_to_like(at.x(0)),
                        _ => (at.g(0) * t).sum_to_like(at.x(1)),
                    })
                },
            )
        }),
        sample!("checkpoint", pair(), |x| {
            let y = x[0].tape().checkpoint(x, |v| (v[0].tanh() * v[1]).sin() * v[0]);
            y * x[0]
        }),
        sample!("checkpoint in a checkpoint", unary(-1.5, 1.5), |x| {
            x[0].tape().checkpoint(&[x[0], x[0]], |v| {
                let inner: Var<'_, _> = v[0].tape().checkpoint(&[v[1]], |w| w[0].exp() * w[0]);
                inner.sin() * v[0]
            })
        }),
        sample!("checkpoint_chain", unary(-1.5, 1.5), |x| {
            x[0].tape().checkpoint_chain(x[0], &[[x[0]]; 5], |i, y, layer| {
                (y * 0.5 + layer[0] * (i as f64 * 0.1)).sin()
            })
        }),
    ]
}
