//! Operations that are bound by memory, beside a copy of as many bytes in the same rounds: running sums and products,
//! reductions, permuted copies, elements at indices, sorting; with their backward sweeps where those are such
//! operations too.
//!
//! The table's rates count the bytes that must be read and written once, indices included. The ratio is the time taken
//! in units of what a copy of as many bytes takes, on as many threads, between buffers that were used before. All times
//! are medians of rounds in which the two alternate.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;
use retrograde::{Generator, Order, Real, Tape, Tensor, Var};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn copy<T: Real>(from: &[T], to: &mut [T]) {
    let part = from.len().div_ceil(rayon::current_num_threads()).max(1);
    to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// What the rows of the table share: the buffers that are copied, and how long to look.
struct Table<T> {
    from: Vec<T>,
    to: Vec<T>,
    quick: bool,
    /// Prints only rows whose names contain this.
    only: Option<String>,
}

impl<T: Real> Table<T> {
    /// A row: `run` moves `bytes`.
    fn row(&mut self, what: &str, shape: &[usize], bytes: usize, mut run: impl FnMut()) {
        let n = (bytes / 2 / size_of::<T>()).min(self.from.len());
        let (mut copies, mut times) = (vec![], vec![]);
        let begin = Instant::now();
        // The first round warms the pool of buffers.
        for round in 0..if self.quick { 2 } else { 8 } {
            let start = Instant::now();
            copy(black_box(&self.from[..n]), &mut self.to[..n]);
            let copied = Instant::now();
            run();
            if round > 0 {
                copies.push((copied - start).as_secs_f64());
                times.push(copied.elapsed().as_secs_f64());
            }
            if round > 1 && begin.elapsed() > Duration::from_millis(900) {
                break;
            }
        }
        let rate = bytes as f64 / median(times) / 1e9;
        let limit = (2 * n * size_of::<T>()) as f64 / median(copies) / 1e9;
        let shape = format!("{shape:?}");
        println!("{} {what:<34} {shape:<22} {rate:>8.2} {limit:>8.2} {:>8.2}", T::DTYPE, limit / rate);
    }

    fn wanted(&self, what: &str) -> bool {
        self.only.as_ref().is_none_or(|only| what.contains(only))
    }

    /// A row of what an operation costs forward.
    fn forward(
        &mut self,
        what: &str,
        x: &Tensor<T>,
        bytes: usize,
        check: impl FnOnce(&Tensor<T>),
        f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>,
    ) {
        if !self.wanted(what) {
            return;
        }
        let mut tape = Tape::new();
        check(&f(tape.constant(x)).value().unwrap());
        self.row(what, x.shape(), bytes, || {
            tape.clear();
            drop(black_box(f(tape.constant(x)).value().unwrap()));
        });
    }

    /// A row of what a sweep costs that goes back through an operation.
    fn backward(
        &mut self,
        what: &str,
        x: &Tensor<T>,
        bytes: usize,
        f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>,
    ) {
        let what = format!("{what}, backward");
        if !self.wanted(&what) {
            return;
        }
        let tape = Tape::new();
        let x = tape.var(x);
        let y = f(x);
        let seed = Tensor::uniform(y.shape(), 0.5..1.5, &mut Generator::new(3)).unwrap();
        // ⟨g, J x⟩ = ⟨Jᵀ g, x⟩ for what is linear in x.
        let back = y.backward_with(&seed).unwrap().wrt(x).unwrap().clone();
        if !what.starts_with("cumprod") {
            let ([left, _], [right, size]) =
                (dot(&seed, &y.value().unwrap()), dot(&back, &x.value().unwrap()));
            assert!((left - right).abs() <= 1e-5 * size, "{what}: {left} {right}");
        }
        drop(back);
        let shape = x.shape();
        self.row(&what, &shape, bytes, || drop(black_box(y.backward_with(&seed).unwrap())));
    }
}

/// `Σ ab` and `Σ |ab|`.
fn dot<T: Real>(a: &Tensor<T>, b: &Tensor<T>) -> [f64; 2] {
    let (a, b) = (a.contiguous().unwrap(), b.contiguous().unwrap());
    let products = a.as_slice().unwrap().par_iter().zip(b.as_slice().unwrap());
    let products = products.map(|(a, b)| a.to_f64() * b.to_f64());
    products.map(|p| [p, p.abs()]).reduce(|| [0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]])
}

fn number(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (n, i)| at * n + i)
}

/// A few lanes along an axis, as numbers of double precision.
fn lanes<T: Real>(x: &Tensor<T>, axis: usize) -> Vec<Vec<f64>> {
    let (x, shape) = (x.contiguous().unwrap(), x.shape());
    let (outer, inner): (usize, usize) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
    let n = shape[axis];
    let data = x.as_slice().unwrap();
    let lane = |o: usize, i: usize| (0..n).map(|k| data[(o * n + k) * inner + i].to_f64()).collect();
    vec![lane(0, inner - 1), lane(outer / 2, inner / 3), lane(outer - 1, 0)]
}

/// Asserts that a few lanes of `y` are what `f` makes of those of `x`.
fn assert_lanes<T: Real>(x: &Tensor<T>, y: &Tensor<T>, axis: usize, f: impl Fn(&[f64]) -> Vec<f64>) {
    let y = if y.shape().len() < x.shape().len() {
        let mut shape = x.shape().to_vec();
        shape[axis] = 1;
        &y.reshape(shape).unwrap()
    } else {
        y
    };
    for (x, y) in lanes(x, axis).iter().zip(lanes(y, axis)) {
        let wanted = f(x);
        // The second term is for what `f` itself rounds.
        let n = x.len() as f64;
        let tolerance = 40.0 * T::EPSILON.to_f64() * n.sqrt() + f64::EPSILON * n;
        assert_eq!(y.len(), wanted.len());
        let far = y.iter().zip(&wanted).position(|(y, w)| (y - w).abs() > tolerance * (1.0 + w.abs()));
        assert!(far.is_none(), "axis {axis} of {:?} at {far:?}", x.len());
    }
}

fn scan(lane: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut out = lane.to_vec();
    (1..out.len()).for_each(|i| out[i] = f(out[i - 1], lane[i]));
    out
}

fn scans_and_reductions<T: Real>(table: &mut Table<T>, shape: &[usize]) {
    let size = size_of::<T>();
    let x = Tensor::<T>::normal(shape, 0.0, 1.0, &mut Generator::new(1)).unwrap();
    // Products that neither vanish nor overflow.
    let near_one = x.map(|x| T::ONE + x * T::from_f64(1e-3)).unwrap();
    let n = x.len();
    for (axis, &length) in shape.iter().enumerate() {
        let (a, along) = (axis as isize, n / length);
        let of = |what: &str| format!("{what} over axis {axis}");
        let sums = |x: &[f64]| scan(x, |a, b| a + b);
        table.forward(&of("cumsum"), &x, 2 * n * size, |y| assert_lanes(&x, y, axis, sums), |x| x.cumsum(a));
        table.backward(&of("cumsum"), &x, 2 * n * size, |x| x.cumsum(a));
        let products = |x: &[f64]| scan(x, |a, b| a * b);
        let check = |y: &Tensor<T>| assert_lanes(&near_one, y, axis, products);
        table.forward(&of("cumprod"), &near_one, 2 * n * size, check, |x| x.cumprod(a));
        table.backward(&of("cumprod"), &near_one, 4 * n * size, |x| x.cumprod(a));
        let bytes = (n + along) * size;
        type Reduction<T> = (&'static str, fn(&[f64]) -> f64, for<'t> fn(Var<'t, T>, isize) -> Var<'t, T>);
        let reductions: [Reduction<T>; 4] = [
            ("sum", |x| x.iter().sum(), |x, axis| x.sum_axes(axis)),
            ("mean", |x| x.iter().sum::<f64>() / x.len() as f64, |x, axis| x.mean_axes(axis)),
            ("max", |x| x.iter().fold(-f64::INFINITY, |a, &b| a.max(b)), |x, axis| x.max_axes(axis)),
            ("logsumexp", |x| x.iter().map(|x| x.exp()).sum::<f64>().ln(), |x, axis| x.logsumexp_axes(axis)),
        ];
        for (what, plain, f) in reductions {
            let check = |y: &Tensor<T>| assert_lanes(&x, y, axis, |x| vec![plain(x)]);
            table.forward(&of(what), &x, bytes, check, |x| f(x, a));
        }
    }
}

fn permuted<T: Real>(table: &mut Table<T>, shape: &[usize], order: &[isize]) {
    let what = format!("permuted copy {order:?}");
    if !table.wanted(&what) {
        return;
    }
    let x = Tensor::<T>::normal(shape, 0.0, 1.0, &mut Generator::new(1)).unwrap();
    let view = x.permute(order).unwrap();
    let y = view.contiguous().unwrap();
    let (from, to) = (x.as_slice().unwrap(), y.as_slice().unwrap());
    for part in 1..40 {
        let index: Vec<usize> = shape.iter().enumerate().map(|(a, n)| part * (a + 7) * n / 500 % n).collect();
        let moved: Vec<usize> = order.iter().map(|&a| index[a as usize]).collect();
        assert!(from[number(shape, &index)] == to[number(y.shape(), &moved)], "{what} at {index:?}");
    }
    let bytes = 2 * size_of_val(from);
    table.row(&what, shape, bytes, || drop(black_box(view.contiguous().unwrap())));
}

/// `count` indices below `n`, at random or in ascending order.
fn indices(count: usize, n: usize, sorted: bool) -> Vec<i64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (((state >> 32) * n as u64) >> 32) as i64
    };
    (0..count).map(|i| if sorted { (i * n / count) as i64 } else { next() }).collect()
}

fn at_indices<T: Real>(table: &mut Table<T>, shape: &[usize], axis: usize, sorted: bool) {
    let size = size_of::<T>();
    let x = Tensor::<T>::normal(shape, 0.0, 1.0, &mut Generator::new(1)).unwrap();
    let piece = Tensor::<T>::uniform(shape, 0.5..1.5, &mut Generator::new(2)).unwrap();
    let (n, len, a) = (shape[axis], x.len(), axis as isize);
    let inner: usize = shape[axis + 1..].iter().product();
    let of = |what: &str| format!("{what} {} axis {axis}", if sorted { "sorted" } else { "random" });
    let place = |at: usize, row: usize| (at / (n * inner) * n + row) * inner + at % inner;
    let few = move |len: usize| (0..1000).map(move |i| i * 7919 % len);

    let rows = Tensor::from(indices(n, n, sorted));
    let check = |y: &Tensor<T>| {
        let (from, to) = (x.as_slice().unwrap(), y.as_slice().unwrap());
        few(len).for_each(|at| assert!(to[at] == from[place(at, rows[[at / inner % n]] as usize)]));
    };
    table.forward(&of("index_select"), &x, 2 * len * size + 8 * n, check, |x| x.index_select(a, &rows));
    table.backward(&of("index_select"), &x, 2 * len * size + 8 * n, |x| x.index_select(a, &rows));

    // In ascending order along the axis, the index of an element is its own.
    let each = match sorted {
        true => (0..len).map(|at| (at / inner % n) as i64).collect(),
        false => indices(len, n, false),
    };
    let each = Tensor::from(each).reshape(shape).unwrap();
    let rows = each.as_slice().unwrap();
    let check = |y: &Tensor<T>| {
        let (from, to) = (x.as_slice().unwrap(), y.as_slice().unwrap());
        few(len).for_each(|at| assert!(to[at] == from[place(at, rows[at] as usize)]));
    };
    let bytes = len * (2 * size + 8);
    table.forward(&of("gather"), &x, bytes, check, |x| x.gather(a, &each));
    table.backward(&of("gather"), &x, bytes, |x| x.gather(a, &each));
    let check = |y: &Tensor<T>| {
        let total = |x: &Tensor<T>| x.as_slice().unwrap().par_iter().map(|x| x.to_f64()).sum::<f64>();
        let (sums, added) = (total(&x) + total(&piece), total(y));
        assert!((sums - added).abs() < 1e-6 * sums.abs(), "{sums} {added}");
    };
    table.forward(&of("scatter_add"), &x, len * (3 * size + 8), check, |x| x.scatter_add(a, &each, &piece));
    let zeros = Tensor::zeros(shape).unwrap();
    table.backward(&of("scatter_add"), &piece, bytes, |piece| {
        piece.tape().constant(&zeros).scatter_add(a, &each, piece)
    });
    // What the machine does at most: the same reads in a plain loop, on as many threads.
    if shape.len() == 1 && table.wanted("plain") {
        let (x, mut out) = (x.as_slice().unwrap(), vec![T::ZERO; len]);
        let part = len.div_ceil(rayon::current_num_threads());
        table.row(&of("reads by a plain loop"), shape, bytes, || {
            out.par_chunks_mut(part).zip(rows.par_chunks(part)).for_each(|(out, rows)| {
                out.iter_mut().zip(rows).for_each(|(out, &row)| *out = x[row as usize]);
            });
        });
    }
}

fn sorted<T: Real>(table: &mut Table<T>, shape: &[usize], axis: usize) {
    let (size, a) = (size_of::<T>(), axis as isize);
    let x = Tensor::<T>::normal(shape, 0.0, 1.0, &mut Generator::new(1)).unwrap();
    let of = |what: &str| format!("{what} along axis {axis}");
    let ascending = |x: &[f64]| {
        let mut x = x.to_vec();
        x.sort_by(f64::total_cmp);
        x
    };
    if table.wanted("sort") {
        assert_lanes(&x, &x.sort(a, Order::Ascending).unwrap().0, axis, ascending);
        let run = || drop(black_box(x.sort(a, Order::Ascending).unwrap()));
        table.row(&of("sort"), shape, x.len() * (2 * size + 8), run);
        let run = || drop(black_box(x.argsort(a, Order::Ascending).unwrap()));
        table.row(&of("argsort"), shape, x.len() * (size + 8), run);
    }
    table.backward(&of("sort"), &x, x.len() * (2 * size + 8), |x| x.sort(a, Order::Ascending).unwrap().0);
    let k = shape[axis].min(10);
    let check = |y: &Tensor<T>| {
        let largest = |x: &[f64]| ascending(x).into_iter().rev().take(k).collect();
        assert_lanes(&x, y, axis, largest);
    };
    let bytes = x.len() * size + x.len() / shape[axis] * k * (size + 8);
    table.forward(&of("topk 10"), &x, bytes, check, |x| x.topk(k, a, Order::Descending).unwrap().0);
}

fn table<T: Real>(quick: bool, only: Option<String>) {
    // A side of the large cases, to be halved or squared.
    let m = if quick { 1 << 8 } else { 1 << 12 };
    let (long, cube) = (m * m / 16, if quick { 40 } else { 256 });
    let buffer = || vec![T::ONE; 2 * m * m];
    let table = &mut Table { from: buffer(), to: buffer(), quick, only };
    for shape in [&[m, m][..], &[long, 16], &[16, long], &[cube, cube, cube]] {
        scans_and_reductions(table, shape);
    }
    let heads = if quick { [2, 64, 8, 32] } else { [16, 1024, 16, 64] };
    let image = if quick { [2, 16, 30, 30] } else { [16, 64, 128, 128] };
    let cases: [(&[usize], &[isize]); 9] = [
        (&[m, m], &[1, 0]),
        (&[m - 96, m + 104], &[1, 0]),
        (&[long, 16], &[1, 0]),
        (&[16, long], &[1, 0]),
        (&[cube, cube, cube], &[0, 2, 1]),
        (&[cube, cube, cube], &[2, 1, 0]),
        (&[cube, cube, cube], &[1, 0, 2]),
        (&heads, &[0, 2, 1, 3]),
        (&image, &[0, 2, 3, 1]),
    ];
    for (shape, order) in cases {
        permuted(table, shape, order);
    }
    for (shape, axis) in [(&[m, m][..], 0), (&[m, m], 1), (&[long, 16], 0), (&[long, 16], 1), (&[m * m], 0)] {
        for sorted in [false, true] {
            at_indices(table, shape, axis, sorted);
        }
    }
    for (shape, axis) in [(&[m * m][..], 0), (&[m, m], 0), (&[m, m], 1), (&[long, 16], 1), (&[16, long], 1)] {
        sorted(table, shape, axis);
    }
}

fn memory(c: &mut Criterion) {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|argument| argument == "--test");
    // A part of the table: `cargo bench --bench memory -- cumsum`.
    let only = arguments.into_iter().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "{} threads\n{:<61} {:>8} {:>8} {:>8}",
        rayon::current_num_threads(),
        "what, of which shape",
        "GB/s",
        "copy",
        "ratio"
    );
    table::<f32>(quick, only.clone());
    table::<f64>(quick, only);

    let x = Tensor::<f32>::normal([1024, 1024], 0.0, 1.0, &mut Generator::new(1)).unwrap();
    let mut tape = Tape::new();
    c.bench_function("cumsum 1024x1024 over axis 1", |b| {
        b.iter(|| {
            tape.clear();
            tape.constant(&x).cumsum(1).value().unwrap()
        });
    });
}

fn short() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = short(); targets = memory }
criterion_main!(benches);
