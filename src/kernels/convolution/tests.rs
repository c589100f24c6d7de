//! Every product against the definition, in every combination of sizes, by every instruction set's tiles.

use super::tiles::Tiles;
use super::*;

fn numbers<T: Real>(n: usize, seed: usize) -> Vec<T> {
    (0..n).map(|i| T::from_f64(((i + 3) * (seed * 7919 + 13) % 1009) as f64 / 504.5 - 1.0)).collect()
}

/// What y is made of, one product at a time: the element of x, of w and of y, for each that lies in x.
fn terms(g: &Geometry, mut f: impl FnMut(usize, usize, usize)) {
    let [d, h, w] = g.axes;
    let place = |axis: &Axis, j: usize, t: usize| {
        let i = (j * axis.stride + t * axis.dilation) as isize - axis.before;
        usize::try_from(i).ok().filter(|&i| i < axis.input)
    };
    for n in 0..g.batch * g.groups {
        for filter in 0..g.filters {
            for channel in 0..g.channels {
                let (from_x, from_y) = (n * g.channels + channel, n * g.filters + filter);
                let from_w = (n % g.groups * g.filters + filter) * g.channels + channel;
                for (jd, td) in pairs(&d) {
                    for (jh, th) in pairs(&h) {
                        for (jw, tw) in pairs(&w) {
                            let at = place(&d, jd, td).zip(place(&h, jh, th)).zip(place(&w, jw, tw));
                            let Some(((id, ih), iw)) = at else { continue };
                            f(
                                ((from_x * d.input + id) * h.input + ih) * w.input + iw,
                                ((from_w * d.kernel + td) * h.kernel + th) * w.kernel + tw,
                                ((from_y * d.output + jd) * h.output + jh) * w.output + jw,
                            );
                        }
                    }
                }
            }
        }
    }
}

fn pairs(axis: &Axis) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (outputs, kernel) = (axis.output, axis.kernel);
    (0..outputs).flat_map(move |j| (0..kernel).map(move |t| (j, t)))
}

fn product<T: Real>(product: Product, g: &Geometry, inputs: [&[T]; 2], bias: Option<&[T]>) -> Vec<T> {
    let [x, w, y] = g.sizes();
    let size = match product {
        Product::Forward => y,
        Product::Transposed => x,
        Product::Weight => w,
    };
    let mut out = vec![T::NAN; size];
    // What the scratch memory holds does not count.
    let mut memory = vec![T::NAN; scratch::<T>(product, g)];
    run(product, g, inputs, bias, &mut out, &mut memory);
    out
}

fn check<T: Real>(g: &Geometry) {
    let [nx, nw, ny] = g.sizes();
    let (x, w, y) = (numbers::<T>(nx, 1), numbers::<T>(nw, 2), numbers::<T>(ny, 3));
    let biases = [numbers::<T>(g.groups * g.filters, 4), numbers::<T>(g.groups * g.channels, 5)];
    let mut wanted = [vec![0.0; ny], vec![0.0; nx], vec![0.0; nw]];
    let [mut most_y, mut most_x, mut most_w] = [1.0f64; 3];
    for (wanted, bias) in wanted.iter_mut().zip(&biases) {
        let channels = bias.len();
        let area = wanted.len() / (channels * g.batch).max(1);
        wanted.iter_mut().enumerate().for_each(|(i, v)| *v = bias[i / area % channels].to_f64());
    }
    terms(g, |ix, iw, iy| {
        let (x, w, y) = (x[ix].to_f64(), w[iw].to_f64(), y[iy].to_f64());
        wanted[0][iy] += x * w;
        wanted[1][ix] += y * w;
        wanted[2][iw] += x * y;
    });
    for (wanted, most) in wanted.iter().zip([&mut most_y, &mut most_x, &mut most_w]) {
        *most = wanted.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
    }
    let found = [
        (product(Product::Forward, g, [&x, &w], Some(&biases[0])), most_y),
        (product(Product::Transposed, g, [&y, &w], Some(&biases[1])), most_x),
        (product(Product::Weight, g, [&x, &y], None), most_w),
    ];
    for (i, ((found, most), wanted)) in found.iter().zip(&wanted).enumerate() {
        for (at, (f, w)) in found.iter().zip(wanted).enumerate() {
            let error = (f.to_f64() - w).abs();
            assert!(
                error <= 128.0 * T::EPSILON.to_f64() * most,
                "{g:?}, product {i}, element {at}: {f} for {w}"
            );
        }
    }
}

/// Axes of length, kernel, stride, dilation, and padding at both ends.
fn axis([input, kernel, stride, dilation, before, after]: [usize; 6]) -> Axis {
    let output =
        (input + before + after).checked_sub(dilation * (kernel - 1) + 1).map_or(0, |n| n / stride + 1);
    Axis { input, output, kernel, stride, dilation, before: before as isize }
}

const LINES: [[usize; 6]; 14] = [
    [9, 3, 1, 1, 1, 1],
    [8, 1, 1, 1, 0, 0],
    [10, 3, 2, 1, 1, 1],
    [11, 3, 2, 1, 0, 0],
    [12, 2, 3, 1, 0, 0],
    [13, 4, 3, 2, 2, 1],
    [9, 1, 2, 1, 0, 0],
    [7, 5, 1, 1, 4, 4],
    [8, 3, 1, 3, 2, 0],
    [5, 5, 1, 1, 0, 0],
    [6, 2, 4, 3, 0, 3],
    [1, 3, 1, 1, 1, 1],
    [16, 4, 4, 1, 0, 0],
    [3, 2, 2, 2, 3, 2],
];

const CHANNELS: [[usize; 4]; 7] =
    [[1, 1, 1, 1], [2, 1, 3, 5], [3, 4, 1, 1], [1, 2, 2, 2], [2, 1, 9, 10], [1, 3, 1, 6], [2, 1, 5, 17]];

#[test]
fn every_product_is_what_the_definition_gives() {
    for (i, &h) in LINES.iter().enumerate() {
        for (j, &w) in LINES.iter().enumerate() {
            let [batch, groups, channels, filters] = CHANNELS[(i * 5 + j) % CHANNELS.len()];
            let axes = [Axis::NONE, axis(h), axis(w)];
            check::<f64>(&Geometry { batch, groups, channels, filters, axes });
            check::<f32>(&Geometry { batch, groups, channels, filters, axes });
        }
        for (j, [batch, groups, channels, filters]) in CHANNELS.into_iter().enumerate() {
            check::<f32>(&Geometry {
                batch,
                groups,
                channels,
                filters,
                axes: [Axis::NONE, Axis::NONE, axis(h)],
            });
            let axes = [axis(LINES[j]), axis(h), axis(LINES[(i + j) % LINES.len()])];
            check::<f64>(&Geometry { batch, groups, channels, filters, axes });
        }
    }
}

#[test]
fn padding_may_be_negative_and_outputs_longer_than_the_input_has_windows_for() {
    for before in [-2, -1, 0, 3] {
        for stride in [1, 2, 3] {
            for output in [0, 1, 4, 9] {
                let line = Axis { input: 7, output, kernel: 3, stride, dilation: 2, before };
                let axes = [Axis::NONE, line, axis(LINES[0])];
                check::<f64>(&Geometry { batch: 2, groups: 1, channels: 2, filters: 3, axes });
            }
        }
    }
}

#[test]
fn large_images_are_cut_into_pieces_and_large_batches_into_units() {
    let large = |n, kernel, stride| axis([n, kernel, stride, 1, kernel / 2, kernel / 2]);
    let cases = [
        (1, 1, 16, 9, [Axis::NONE, large(130, 3, 1), large(90, 3, 1)]),
        (3, 1, 4, 20, [Axis::NONE, large(61, 5, 2), large(50, 3, 2)]),
        (40, 1, 3, 4, [Axis::NONE, large(7, 3, 1), large(7, 3, 1)]),
        (1, 2, 3, 2, [Axis::NONE, Axis::NONE, large(20_000, 9, 1)]),
        (2, 1, 2, 3, [large(20, 3, 1), large(21, 3, 1), large(22, 3, 1)]),
        (2, 1, 600, 40, [Axis::NONE, large(6, 3, 1), large(5, 3, 1)]),
        (2, 40, 1, 1, [Axis::NONE, large(20, 3, 1), large(25, 3, 1)]),
        (1, 1, 3, 200, [Axis::NONE, large(9, 3, 2), large(9, 3, 2)]),
    ];
    for (batch, groups, channels, filters, axes) in cases {
        check::<f32>(&Geometry { batch, groups, channels, filters, axes });
        check::<f64>(&Geometry { batch, groups, channels, filters, axes });
    }
}

#[test]
fn an_empty_side_gives_the_bias_or_zeros() {
    for [batch, groups, channels, filters] in [[0, 1, 2, 3], [2, 1, 0, 3], [2, 1, 2, 0], [2, 3, 0, 1]] {
        for line in [LINES[0], LINES[1], LINES[9]] {
            check::<f64>(&Geometry {
                batch,
                groups,
                channels,
                filters,
                axes: [Axis::NONE, axis(line), axis(line)],
            });
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let lines = [axis([30, 3, 1, 1, 1, 1]), axis([40, 3, 2, 1, 1, 1])];
    for (axes, batch, groups) in
        [([Axis::NONE, lines[0], lines[1]], 5, 1), ([Axis::NONE, lines[1], lines[0]], 1, 2)]
    {
        let g = Geometry { batch, groups, channels: 12, filters: 20, axes };
        let [nx, nw, ny] = g.sizes();
        let (x, w, y) = (numbers::<f32>(nx, 1), numbers::<f32>(nw, 2), numbers::<f32>(ny, 3));
        let all = || {
            [
                product(Product::Forward, &g, [&x, &w], None),
                product(Product::Transposed, &g, [&y, &w], None),
                product(Product::Weight, &g, [&x, &y], None),
            ]
        };
        let one = pool(1).install(all);
        assert!([2, 3, 8].into_iter().all(|n| pool(n).install(all) == one));
    }
}

#[test]
fn an_infinity_reaches_only_the_weights_whose_taps_meet_it() {
    let g = Geometry {
        batch: 1,
        groups: 1,
        channels: 1,
        filters: 2,
        axes: [Axis::NONE, Axis::NONE, axis([5, 3, 1, 1, 0, 0])],
    };
    let x = [1.0, 1.0, 1.0, 1.0, f64::INFINITY];
    let y = [1.0, 1.0, 2.0, 1.0, 0.0, 1.0];
    let found = product(Product::Weight, &g, [&x, &y], None);
    assert_eq!(found, [4.0, 4.0, f64::INFINITY, 2.0, 2.0, f64::INFINITY]);
    // A NaN stays one.
    let x = [1.0, 1.0, 1.0, 1.0, f64::NAN];
    assert!(product(Product::Weight, &g, [&x, &y], None)[2].is_nan());
}

#[test]
fn the_tiles_of_every_instruction_set_agree_with_sums() {
    fn check<T: Real>() {
        for tiles in Tiles::<T>::usable() {
            let x = numbers::<T>(2000, 1);
            for (i, &(wide, wide_loop, narrow_loop)) in tiles.correlate.iter().enumerate() {
                for (registers, run) in [(wide, wide_loop), (1, narrow_loop)] {
                    let (m, width) = (i + 1, registers * tiles.lanes);
                    for offsets in [&[][..], &[5], &[900, 3, 77, 3]] {
                        let (a, first) = (numbers::<T>(m * offsets.len(), 2), numbers::<T>(m, 3));
                        let mut out = vec![T::NAN; m * width];
                        // SAFETY: `usable` gives loops for this processor, and all arrays are long enough.
                        unsafe { run(&a, &x, offsets, &first, &mut out) };
                        for (at, found) in out.iter().enumerate() {
                            let (row, column) = (at / width, at % width);
                            let term =
                                |(k, &o): (usize, &usize)| a[k * m + row].to_f64() * x[o + column].to_f64();
                            let sum = first[row].to_f64() + offsets.iter().enumerate().map(term).sum::<f64>();
                            assert!(
                                (found.to_f64() - sum).abs() < 16.0 * T::EPSILON.to_f64(),
                                "{m} {width} {at}"
                            );
                        }
                    }
                }
            }
            for &(m, n, run) in tiles.inner {
                let rows: Vec<usize> = (0..m).map(|i| 100 * i + 1).collect();
                let columns: Vec<usize> = (0..n).map(|i| 51 * i + 2).collect();
                for steps in [0, 1, 5] {
                    let mut out = vec![T::NAN; m * n];
                    // SAFETY: as above.
                    unsafe { run(steps, &x, &rows, &x, &columns, &mut out) };
                    for (at, found) in out.iter().enumerate() {
                        let (a, b) = (&x[rows[at / n]..], &x[columns[at % n]..]);
                        let pairs = a.iter().zip(b).take(steps * tiles.lanes);
                        let sum: f64 = pairs.map(|(a, b)| a.to_f64() * b.to_f64()).sum();
                        assert!((found.to_f64() - sum).abs() < 100.0 * T::EPSILON.to_f64(), "{m} {n} {at}");
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
