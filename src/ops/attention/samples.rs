//! What attention is tried on.

use super::*;

pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn plain() -> Inputs {
        let cases: &[&[&[usize]]] = &[
            &[&[3, 2], &[4, 2], &[4, 3]],
            &[&[2, 3, 2], &[2, 3, 2], &[2, 3, 2]],
            &[&[2, 1, 2, 3], &[1, 2, 4, 3], &[4, 1]],
            &[&[1, 1], &[1, 1], &[1, 1]],
            &[&[2, 0, 2], &[2, 3, 2], &[2, 3, 2]],
            &[&[0, 2, 2], &[0, 3, 2], &[0, 3, 2]],
            &[&[2, 2], &[0, 2], &[0, 3]],
        ];
        shapes(cases, -1.0, 1.0)
    }
    fn options<'t, 'g, T: Real>(mask: Option<AttentionMask<'t, T>>) -> AttentionOptions<'t, 'g, T> {
        AttentionOptions { mask, scale: Some(0.8), ..Default::default() }
    }
    fn causal<'t, 'g, T: Real>() -> AttentionOptions<'t, 'g, T> {
        AttentionOptions { causal: true, ..Default::default() }
    }
    fn grouped<'t, 'g, T: Real>(mask: Option<AttentionMask<'t, T>>) -> AttentionOptions<'t, 'g, T> {
        AttentionOptions { mask, grouped: true, ..Default::default() }
    }
    /// Leaves out the second key, and all keys of row 1.
    fn some<'t, T: Real>(of: Var<'t, T>, shape: &[usize]) -> AttentionMask<'t, T> {
        let n = shape.len();
        let keep = |at: &[usize]| T::from_f64(f64::from(at[n - 1] != 1 && at[n - 2] != 1));
        AttentionMask::Keep(of.tape().constant(&Tensor::from_fn(shape, keep).unwrap()))
    }
    let heads = || {
        shapes(
            &[&[&[2, 4, 3, 2], &[2, 2, 3, 2], &[2, 2, 3, 2]], &[&[3, 2, 2], &[1, 3, 2], &[1, 3, 1]]],
            -1.0,
            1.0,
        )
    };
    let masked = || {
        shapes(
            &[
                &[&[2, 3, 2], &[2, 4, 2], &[2, 4, 1], &[3, 4]],
                &[&[2, 3, 2], &[2, 4, 2], &[2, 4, 1], &[2, 1, 4]],
                &[&[3, 2], &[4, 2], &[4, 1], &[]],
            ],
            -1.0,
            1.0,
        )
    };
    vec![
        sample!("attention", plain(), |x| x[0].attention(x[1], x[2], options(None))),
        sample!("attention causal", plain(), |x| x[0].attention(x[1], x[2], causal())),
        sample!("attention with a mask", heads(), |x| {
            let rows = x[0].shape();
            let mask = some(x[0], &[rows[rows.len() - 3], rows[rows.len() - 2], 3]);
            x[0].attention(x[1], x[2], grouped(Some(mask)))
        }),
        sample!("attention of shared heads", heads(), |x| x[0].attention(x[1], x[2], grouped(None))),
        sample!("attention with an added mask", masked(), |x| {
            x[0].attention(x[1], x[2], options(Some(AttentionMask::Add(x[3]))))
        }),
        sample!("attention with a constant added mask", masked(), |x| {
            let added =
                Tensor::from_fn([3, 4], |at| Real::from_f64(at[0] as f64 - 0.5 * at[1] as f64)).unwrap();
            let mask = AttentionMask::Add(x[0].tape().constant(&added));
            x[0].attention(x[1], x[2], options(Some(mask))) * x[3].sum()
        }),
        sample!("attention that drops", plain(), |x| {
            let mut from = Generator::new(7);
            x[0].attention(
                x[1],
                x[2],
                AttentionOptions { dropout: Some((0.4, &mut from)), causal: true, ..Default::default() },
            )
        }),
        sample!("attention_weights", masked(), |x| {
            x[0].attention_weights(x[1], options(Some(AttentionMask::Add(x[3])))) * x[2].sum()
        }),
        wrong!(
            "attention",
            &[&[3], &[4, 2], &[4, 3]],
            |x| x[0].attention(x[1], x[2], options(None)),
            "shape [3] has rank 1, wanted at least 2"
        ),
        wrong!(
            "attention",
            &[&[3, 2], &[4, 3], &[4, 3]],
            |x| x[0].attention(x[1], x[2], options(None)),
            "shapes [3, 2] and [3, 4] do not agree in the inner dimension (2 and 3)"
        ),
        wrong!(
            "attention",
            &[&[3, 2], &[4, 2], &[5, 3]],
            |x| x[0].attention(x[1], x[2], options(None)),
            "the value has shape [5, 3], wanted [4, 3]"
        ),
        wrong!(
            "attention",
            &[&[2, 3, 2], &[3, 4, 2], &[4, 2]],
            |x| x[0].attention(x[1], x[2], options(None)),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "attention",
            &[&[3, 3, 2], &[2, 4, 2], &[2, 4, 2]],
            |x| x[0].attention(x[1], x[2], grouped(None)),
            "the number of heads is 3, wanted a multiple of 2, the number of heads of the keys"
        ),
        wrong!(
            "attention",
            &[&[3, 2], &[4, 2], &[4, 2], &[4, 3]],
            |x| x[0].attention(x[1], x[2], options(Some(AttentionMask::Add(x[3])))),
            "shapes [4, 3] and [3, 4] do not broadcast"
        ),
        wrong!(
            "attention",
            &[&[3, 2], &[4, 2], &[4, 2], &[2, 3, 4]],
            |x| x[0].attention(x[1], x[2], options(Some(AttentionMask::Keep(x[3])))),
            "shapes [2, 3, 4] and [3, 4] do not broadcast"
        ),
        wrong!(
            "attention",
            &[&[3, 2], &[4, 2], &[4, 2]],
            |x| x[0].attention(
                x[1],
                x[2],
                AttentionOptions { dropout: Some((1.5, &mut Generator::new(1))), ..Default::default() }
            ),
            "p is 1.5, wanted a probability from 0 to 1"
        ),
        wrong!(
            "attention_weights",
            &[&[3, 2], &[2]],
            |x| x[0].attention_weights(x[1], options(None)),
            "shape [2] has rank 1, wanted at least 2"
        ),
    ]
}
