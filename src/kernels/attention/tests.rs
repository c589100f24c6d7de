use super::backward::Read;
use super::*;
use crate::tensor::Generator;

struct Case {
    sizes: [usize; 6],
    causal: bool,
    mask: Option<bool>,
    p: f64,
}

/// The score of a query and a key with everything that is done to it, and the factor of its weight.
fn by_definition(a: &Attention<f64>, q: &[f64], k: &[f64], at: [usize; 4]) -> (f64, f64) {
    let [h, r, i, j] = at;
    let (q, k) = (&q[((h * a.repeats + r) * a.rows + i) * a.width..], &k[(h * a.keys + j) * a.width..]);
    let mut s = a.scale * (0..a.width).map(|e| q[e] * k[e]).sum::<f64>();
    if let Some(m) = a.mask {
        let steps = [r, i, j].iter().zip(m.strides).map(|(n, step)| *n as isize * step).sum::<isize>();
        let value = m.data[m.offsets[h].wrapping_add_signed(steps)];
        s = if !m.keeps {
            s + value
        } else if value == 0.0 {
            f64::NEG_INFINITY
        } else {
            s
        };
    }
    if a.causal && j > i {
        s = f64::NEG_INFINITY;
    }
    let place = (((h * a.repeats + r) * a.rows + i) * a.keys + j) as u64;
    (s, a.dropout.map_or(1.0, |d| d.factor(place)))
}

fn naive(a: &Attention<f64>, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
    let mut out = vec![];
    for h in 0..a.heads {
        for (r, i) in (0..a.repeats).flat_map(|r| (0..a.rows).map(move |i| (r, i))) {
            let s: Vec<_> = (0..a.keys).map(|j| by_definition(a, q, k, [h, r, i, j])).collect();
            let max = s.iter().map(|s| s.0).fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = s.iter().map(|s| if max.is_finite() { (s.0 - max).exp() } else { 0.0 }).sum();
            let weight = |j: usize| if total > 0.0 { (s[j].0 - max).exp() / total * s[j].1 } else { 0.0 };
            out.extend(
                (0..a.depth)
                    .map(|e| (0..a.keys).map(|j| weight(j) * v[(h * a.keys + j) * a.depth + e]).sum::<f64>()),
            );
        }
    }
    out
}

#[test]
fn blocks_agree_with_the_definition_and_gradients_with_differences() {
    let cases = [
        Case { sizes: [2, 1, 3, 5, 4, 3], causal: false, mask: None, p: 0.0 },
        Case { sizes: [1, 2, 130, 300, 5, 4], causal: false, mask: None, p: 0.0 },
        Case { sizes: [1, 1, 300, 520, 3, 2], causal: true, mask: None, p: 0.0 },
        Case { sizes: [3, 2, 140, 270, 3, 2], causal: false, mask: Some(true), p: 0.0 },
        Case { sizes: [2, 1, 140, 600, 3, 2], causal: true, mask: Some(false), p: 0.25 },
        Case { sizes: [9, 1, 1, 1, 1, 1], causal: true, mask: None, p: 0.0 },
        Case { sizes: [2, 2, 4, 3, 0, 2], causal: false, mask: None, p: 0.0 },
    ];
    for case in cases {
        let [heads, repeats, rows, keys, width, depth] = case.sizes;
        let mut random = Generator::new(11);
        let mut draw = |n: usize| (0..n).map(|_| random.normal()).collect::<Vec<f64>>();
        let (mut q, mut k, mut v) =
            (draw(heads * repeats * rows * width), draw(heads * keys * width), draw(heads * keys * depth));
        let g = draw(heads * repeats * rows * depth);
        // The mask is one for every repeat, lies backwards along the keys, and leaves out all keys of row 1.
        let mut data = draw(heads * rows * keys);
        for (at, m) in data.iter_mut().enumerate() {
            let row = at / keys % rows;
            *m = match case.mask {
                Some(true) => f64::from(*m > 0.0 && row != 1),
                _ if row == 1 => f64::NEG_INFINITY,
                _ => *m,
            };
        }
        let offsets: Vec<usize> = (0..heads).map(|h| h * rows * keys + keys - 1).collect();
        let mask = case.mask.map(|keeps| Mask {
            data: &data,
            offsets: &offsets,
            strides: [0, keys as isize, -1],
            keeps,
        });
        let dropout = (case.p > 0.0).then_some(Dropout { seed: 5, p: case.p });
        let a = Attention {
            heads,
            repeats,
            rows,
            keys,
            width,
            depth,
            scale: 0.7,
            causal: case.causal,
            mask,
            dropout,
        };
        let (mut out, mut by) = (vec![9.0; g.len()], vec![[9.0; 2]; heads * repeats * rows]);
        a.forward(&q, &k, &v, &mut out, &mut by);
        let wanted = naive(&a, &q, &k, &v);
        out.iter()
            .zip(&wanted)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-13, "{:?}: {a} {b}", case.sizes));

        let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        a.backward(Read { q: &q, k: &k, v: &v, out: &out, by: &by, g: &g }, &mut dq, &mut dk, &mut dv);
        let mut draw = |n: usize| (0..n).map(|_| random.normal()).collect::<Vec<f64>>();
        let moves = [draw(q.len()), draw(k.len()), draw(v.len())];
        let slopes = [&dq, &dk, &dv];
        for part in 0..3 {
            let found: f64 = slopes[part].iter().zip(&moves[part]).map(|(a, b)| a * b).sum();
            let mut at = |h: f64| -> f64 {
                let mut shift = |h: f64| {
                    [&mut q, &mut k, &mut v][part]
                        .iter_mut()
                        .zip(&moves[part])
                        .for_each(|(x, u)| *x += h * u);
                };
                shift(h);
                let value = naive(&a, &q, &k, &v).iter().zip(&g).map(|(y, g)| y * g).sum();
                [&mut q, &mut k, &mut v][part].iter_mut().zip(&moves[part]).for_each(|(x, u)| *x -= h * u);
                value
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (slope - found).abs() < 1e-6 * (1.0 + slope.abs()),
                "{:?} {part}: {slope} {found}",
                case.sizes
            );
        }
    }
}

#[test]
fn a_weight_is_dropped_with_its_probability_and_the_rest_make_up_for_it() {
    let dropout = Dropout { seed: 3, p: 0.3 };
    let factors: Vec<f64> = (0..10_000).map(|at| dropout.factor(at)).collect();
    let mean = factors.iter().sum::<f64>() / 10_000.0;
    assert!((mean - 1.0).abs() < 0.03, "{mean}");
    assert!(factors.iter().all(|f| *f == 0.0 || *f == 1.0 / 0.7));
    assert!((0..100).all(|at| Dropout { seed: 3, p: 1.0 }.factor(at) == 0.0));
    assert!((0..100).all(|at| Dropout { seed: 3, p: 0.0 }.factor(at) == 1.0));
}
