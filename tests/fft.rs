//! Fourier transforms against the sums that define them, for every length up to 33 and some primes.

use retrograde::fft::{Complex, Ends, Extent, Norm, Stft, Type, fftfreq, hann};
use retrograde::{Axes, ErrorKind, Generator, Padding, Tape, Tensor, Var};
use std::f64::consts::{PI, TAU};

const NORMS: [Norm; 3] = [Norm::Backward, Norm::Ortho, Norm::Forward];

fn lengths() -> impl Iterator<Item = usize> {
    (1..=33).chain([37, 64, 97, 101, 251])
}

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

fn scale(norm: Norm, n: usize, inverse: bool) -> f64 {
    let n = n as f64;
    match norm {
        Norm::Ortho => n.sqrt().recip(),
        Norm::Backward => {
            if inverse {
                1.0 / n
            } else {
                1.0
            }
        }
        Norm::Forward => {
            if inverse {
                1.0
            } else {
                1.0 / n
            }
        }
    }
}

/// The sums themselves, of `n` points, with angles reduced before they are rounded.
fn dft(re: &[f64], im: &[f64], n: usize, inverse: bool, norm: Norm) -> (Vec<f64>, Vec<f64>) {
    let sign = if inverse { TAU } else { -TAU };
    let at = |x: &[f64], k: usize| x.get(k).copied().unwrap_or(0.0);
    let sum = |j: usize| {
        (0..n).fold((0.0, 0.0), |(a, b), k| {
            let (sin, cos) = (sign * (j * k % n) as f64 / n as f64).sin_cos();
            let (re, im) = (at(re, k), at(im, k));
            (a + re * cos - im * sin, b + re * sin + im * cos)
        })
    };
    let s = scale(norm, n, inverse);
    (0..n).map(|j| (s * sum(j).0, s * sum(j).1)).unzip()
}

/// A real row from its half spectrum: the whole spectrum, with real ends, transformed back.
fn from_half(re: &[f64], im: &[f64], n: usize, norm: Norm) -> Vec<f64> {
    let at = |x: &[f64], k: usize| x.get(k).copied().unwrap_or(0.0);
    let whole = |j: usize| match j {
        0 => (at(re, 0), 0.0),
        j if 2 * j == n => (at(re, j), 0.0),
        j if 2 * j < n => (at(re, j), at(im, j)),
        j => (at(re, n - j), -at(im, n - j)),
    };
    let (re, im): (Vec<f64>, Vec<f64>) = (0..n).map(whole).unzip();
    dft(&re, &im, n, true, norm).0
}

#[track_caller]
fn close(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    let size = wanted.iter().fold(0.0, |size: f64, w| size.max(w.abs()));
    for (i, (a, b)) in found.iter().zip(wanted).enumerate() {
        assert!((a - b).abs() <= 1e-12 * size.max(1e-3), "element {i} of {}: {a:e} for {b:e}", found.len());
    }
}

fn parts(z: Complex<f64>) -> (Vec<f64>, Vec<f64>) {
    let (re, im) = z.values().unwrap();
    (re.to_vec(), im.to_vec())
}

#[track_caller]
fn both_close(z: Complex<f64>, (re, im): (Vec<f64>, Vec<f64>)) {
    // Together, because one may be a zero of rounded numbers.
    let (a, b) = parts(z);
    close(&[a, b].concat(), &[re, im].concat());
}

#[test]
fn complex_and_real_transforms_are_the_sums() {
    for n in lengths() {
        for (i, m) in [n, n + 3, n.div_ceil(2)].into_iter().enumerate() {
            let norm = NORMS[(n + i) % 3];
            let (x, y) = (random(&[m], n as u64), random(&[m], 1000 + n as u64));
            let tape = Tape::new();
            let z = Complex::new(tape.constant(&x), tape.constant(&y));
            let (re, im) = (x.to_vec(), y.to_vec());
            both_close(z.fft(n, 0, norm), dft(&re, &im, n, false, norm));
            both_close(z.ifft(n, 0, norm), dft(&re, &im, n, true, norm));
            both_close(z.re.fft(n, 0, norm), dft(&re, &[], n, false, norm));
            both_close(z.re.ifft(n, 0, norm), dft(&re, &[], n, true, norm));
            let half = |(re, im): (Vec<f64>, Vec<f64>)| (re[..n / 2 + 1].to_vec(), im[..n / 2 + 1].to_vec());
            both_close(z.re.rfft(n, 0, norm), half(dft(&re, &[], n, false, norm)));
            both_close(z.re.ihfft(n, 0, norm), half(dft(&re, &[], n, true, norm)));
            close(&z.irfft(n, 0, norm).value().unwrap().to_vec(), &from_half(&re, &im, n, norm));
            let flipped: Vec<f64> = im.iter().map(|y| -y).collect();
            // The transform of a Hermitian signal has the factor of a transform.
            let other = [Norm::Forward, Norm::Ortho, Norm::Backward][norm as usize];
            close(&z.hfft(n, 0, norm).value().unwrap().to_vec(), &from_half(&re, &flipped, n, other));
        }
    }
}

#[test]
fn several_axes_are_one_after_another() {
    let tape = Tape::new();
    let z = Complex::new(tape.constant(&random(&[3, 4, 5], 1)), tape.constant(&random(&[3, 4, 5], 2)));
    let norm = Norm::Ortho;
    let same = |a: Complex<f64>, b: Complex<f64>| both_close(a, parts(b));
    same(z.fftn([2, 7], [0, 2], norm), z.fft(2, 0, norm).fft(7, 2, norm));
    same(z.ifftn(None, Axes::ALL, norm), z.ifft(None, 0, norm).ifft(None, 1, norm).ifft(None, 2, norm));
    same(z.fft2([4, 6], norm), z.fft(6, 2, norm).fft(4, 1, norm));
    same(z.re.fftn([2, 7], [2, 0], norm), z.re.fft(2, 2, norm).fft(7, 0, norm));
    same(z.re.ifft2(None, norm), z.re.ifft(None, 2, norm).ifft(None, 1, norm));
    // The last axis named is the one of the half spectrum.
    same(z.re.rfftn([2, 6], [2, 0], norm), z.re.rfft(6, 0, norm).fft(2, 2, norm));
    same(z.re.ihfftn([5], Axes::ALL, norm), z.re.ihfft(5, 2, norm));
    same(z.re.rfft2(None, norm), z.re.rfft(None, 2, norm).fft(None, 1, norm));
    same(z.re.ihfft2(None, norm), z.re.ihfft(None, 2, norm).ifft(None, 1, norm));
    let real = |a: Var<f64>, b: Var<f64>| close(&a.value().unwrap().to_vec(), &b.value().unwrap().to_vec());
    real(z.irfftn([2, 6], [2, 0], norm), z.ifft(2, 2, norm).irfft(6, 0, norm));
    real(z.irfft2(None, norm), z.ifft(None, 1, norm).irfft(8, 2, norm));
    real(z.hfftn(None, Axes::ALL, norm), z.fft(None, 0, norm).fft(None, 1, norm).hfft(8, 2, norm));
    real(z.hfft2([4, 9], norm), z.fft(4, 1, norm).hfft(9, 2, norm));
}

#[test]
fn energies_stay_and_ways_lead_back() {
    for n in [1, 2, 5, 8, 33, 97, 1000, 1021, 4096] {
        let (x, y) = (random(&[2, n], 7), random(&[2, n], 8));
        let tape = Tape::new();
        let z = Complex::new(tape.constant(&x), tape.constant(&y));
        let before = z.abs_square().sum().item().unwrap();
        let after = z.fft(None, -1, Norm::Ortho).abs_square().sum().item().unwrap();
        assert!((before - after).abs() < 1e-12 * before);
        for norm in NORMS {
            both_close(z.fft(None, -1, norm).ifft(None, -1, norm), (x.to_vec(), y.to_vec()));
            let back = z.re.rfft(None, -1, norm).irfft(n, -1, norm);
            close(&back.value().unwrap().to_vec(), &x.to_vec());
            let back = z.re.ihfft(None, -1, norm).hfft(n, -1, norm);
            close(&back.value().unwrap().to_vec(), &x.to_vec());
        }
    }
}

#[test]
fn single_precision_is_as_good_as_it_can_be() {
    for n in [8, 33, 97, 1 << 12, 10_007] {
        let x = random(&[n], 3);
        let single = x.map(|x| x as f32).unwrap();
        let exact = single.map(f64::from).unwrap();
        let (one, two) = (Tape::new(), Tape::new());
        let (re, im) = one.constant(&single).rfft(None, 0, Norm::Ortho).values().unwrap();
        let (a, b) = two.constant(&exact).rfft(None, 0, Norm::Ortho).values().unwrap();
        for (found, wanted) in re.iter().zip(&a).chain(im.iter().zip(&b)) {
            assert!((f64::from(found) - wanted).abs() < 1e-6, "{n}: {found} for {wanted}");
        }
    }
}

/// Bits of transforms whose rows, and whose cotangents' rows, are shared out.
fn bits() -> Vec<u64> {
    let tape = Tape::new();
    let (x, y) = (tape.var(&random(&[300, 500], 1)), tape.var(&random(&[300, 500], 2)));
    let z = Complex::new(x, y).fft(512, 0, Norm::Backward).rfft_of_abs();
    let w = x.fft(None, -1, Norm::Ortho).irfft(641, -1, Norm::Forward).square().sum();
    let grads = (z + w).backward().unwrap();
    let all = [
        z.value().unwrap(),
        w.value().unwrap(),
        grads.wrt(x).unwrap().clone(),
        grads.wrt(y).unwrap().clone(),
    ];
    all.iter().flat_map(|x| x.to_vec()).map(f64::to_bits).collect()
}

trait OfAbs<'t> {
    fn rfft_of_abs(self) -> Var<'t, f64>;
}

impl<'t> OfAbs<'t> for Complex<'t, f64> {
    fn rfft_of_abs(self) -> Var<'t, f64> {
        self.abs().rfft(None, -1, Norm::Backward).abs_square().sum()
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(bits)
    };
    let wanted = on(1);
    assert!(wanted.len() > 300_000);
    for threads in [2, 3, 8] {
        assert!(on(threads) == wanted, "{threads} threads");
    }
}

#[test]
fn the_second_order_of_an_energy_is_the_one_of_parseval() {
    let tape = Tape::new();
    let x = tape.var(&random(&[3, 7], 4));
    // Σⱼ |Zⱼ|² = 7 Σ x², so the Hessian is 14 everywhere on its diagonal.
    let energy = x.fft(None, -1, Norm::Backward).abs_square().sum();
    let [g] = tape.vjp(energy, &Tensor::scalar(1.0), [x]).unwrap();
    let v = random(&[3, 7], 5);
    let product = tape.jvp(g, [(x, &v)]).unwrap().value().unwrap();
    close(&product.to_vec(), &v.map(|v| 14.0 * v).unwrap().to_vec());
    let over = tape.grad_with(g, &v, &[x]).unwrap();
    close(&over[0].to_vec(), &v.map(|v| 14.0 * v).unwrap().to_vec());
}

#[test]
fn nothing_and_what_is_not_finite() {
    let tape = Tape::<f64>::new();
    let none = tape.var(&Tensor::zeros([0, 4]).unwrap());
    assert_eq!(none.rfft(None, -1, Norm::Backward).re.value().unwrap().shape(), [0, 3]);
    assert_eq!(none.fft(6, 1, Norm::Backward).irfft(3, 1, Norm::Backward).value().unwrap().shape(), [0, 3]);
    // An empty axis that is filled up is zeros, and has no gradient.
    let z = none.fft(5, 0, Norm::Backward);
    assert_eq!(z.values().unwrap(), (Tensor::zeros([5, 4]).unwrap(), Tensor::zeros([5, 4]).unwrap()));
    assert_eq!(z.re.sum().backward().unwrap().wrt(none).unwrap().shape(), [0, 4]);
    let z = none.rfft(5, 0, Norm::Backward);
    assert_eq!(z.re.sum().backward().unwrap().wrt(none).unwrap().shape(), [0, 4]);
    assert_eq!(
        Complex::from_real(none).irfft(5, 0, Norm::Backward).value().unwrap(),
        Tensor::zeros([5, 4]).unwrap()
    );

    let x = tape.constant(&Tensor::from([[1.0, f64::NAN, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0]]));
    for norm in NORMS {
        let (re, im) = x.rfft(None, -1, norm).values().unwrap();
        let finite: Vec<bool> = re.iter().zip(&im).map(|(re, im)| re.is_finite() && im.is_finite()).collect();
        assert_eq!(finite, [false, false, false, true, true, true], "rows are their own");
    }
    let x = tape.constant(&Tensor::from([f64::INFINITY, 1.0, 2.0]));
    assert_eq!(x.rfft(None, 0, Norm::Backward).re.value().unwrap().to_vec()[0], f64::INFINITY);
    // The imaginary parts that do not count may be anything.
    let z = Complex::new(
        tape.constant(&Tensor::from([1.0, 2.0, 3.0])),
        tape.constant(&Tensor::from([f64::NAN, 0.0, f64::INFINITY])),
    );
    assert_eq!(z.irfft(4, 0, Norm::Forward).value().unwrap().to_vec(), [8.0, -2.0, 0.0, -2.0]);
}

#[test]
fn lengths_beyond_memory_are_errors() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let z = Complex::from_real(x);
    for n in [usize::MAX, usize::MAX / 2, isize::MAX as usize - 1, 1 << 61] {
        let errors = [
            x.fft(n, 0, Norm::Backward).re.value(),
            x.rfft(n, 0, Norm::Backward).im.value(),
            z.irfft(n, 0, Norm::Backward).value(),
            z.ifft(n, 0, Norm::Backward).im.value(),
            x.dct(Type::II, n, 0, Norm::Backward).value(),
            x.dst(Type::I, n, 0, Norm::Backward).value(),
            x.stft(Stft::new(n)).re.value(),
            x.stft(Stft::new(n).padding(Padding::Constant(0.0)).win_length(1)).re.value(),
            z.istft(Stft::new(n), None).value(),
            fftfreq::<f64>(n, 1.0),
            hann::<f64>(n, Ends::Symmetric),
        ];
        assert!(errors.iter().all(Result::is_err), "{n}");
    }
    let frames = Complex::from_real(tape.var(&Tensor::ones([3, 3]).unwrap()));
    for hop in [usize::MAX, 1 << 60, 1 << 50] {
        assert!(frames.istft(Stft::new(4).hop(hop), None).value().is_err());
    }
    assert!(frames.istft(Stft::new(4).hop(1), usize::MAX).value().is_err());
    let mixed = Tape::<f64>::new();
    let other = mixed.var(&Tensor::from([1.0, 2.0]));
    let error = Complex::new(x, other).fft(None, 0, Norm::Backward).values().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::MixedTapes);
}

/// The sum of products itself, in one dimension.
fn direct(x: &[f64], k: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len() + k.len() - 1];
    for (i, x) in x.iter().enumerate() {
        for (j, k) in k.iter().enumerate() {
            y[i + j] += x * k;
        }
    }
    y
}

#[test]
fn convolutions_are_the_sums_of_products() {
    for (n, m) in [(1, 1), (5, 1), (1, 4), (7, 3), (8, 8), (3, 9), (100, 37), (129, 128)] {
        let (x, k) = (random(&[n], 1), random(&[m], 2));
        let tape = Tape::new();
        let run = |extent| tape.constant(&x).fft_convolve(&k, extent, 0).value().unwrap().to_vec();
        let all = direct(&x.to_vec(), &k.to_vec());
        close(&run(Extent::Full), &all);
        close(&run(Extent::Same), &all[(m - 1) / 2..][..n]);
        close(&run(Extent::Valid), &all[n.min(m) - 1..=n.max(m) - 1]);
    }
    // In two dimensions, with channels that broadcast: rows of products, added up.
    let (x, k) = (random(&[2, 5, 6], 3), random(&[1, 3, 2], 4));
    let tape = Tape::new();
    let y = tape.constant(&x).fft_convolve(&k, Extent::Full, [1, 2]).value().unwrap();
    assert_eq!(y.shape(), [2, 7, 7]);
    let mut wanted = vec![0.0; 2 * 7 * 7];
    for c in 0..2 {
        for (i, j) in (0..5).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let row = |x: &Tensor<f64>, c: usize, i: usize| {
                (0..x.shape()[2]).map(|t| x[[c, i, t]]).collect::<Vec<_>>()
            };
            for (t, y) in direct(&row(&x, c, i), &row(&k, 0, j)).into_iter().enumerate() {
                wanted[(c * 7 + i + j) * 7 + t] += y;
            }
        }
    }
    close(&y.to_vec(), &wanted);
}

/// The weight of element `j` in number `k` of a cosine or sine transform that is not scaled.
fn wave(kind: Type, sine: bool, n: usize, j: usize, k: usize) -> f64 {
    let (j, k, n) = (j as f64, k as f64, n as f64);
    let last = j == n - 1.0;
    match (kind, sine) {
        (Type::I, false) => (if j == 0.0 || last { 1.0 } else { 2.0 }) * (PI * j * k / (n - 1.0)).cos(),
        (Type::II, false) => 2.0 * (PI * k * (2.0 * j + 1.0) / (2.0 * n)).cos(),
        (Type::III, false) => {
            (if j == 0.0 { 1.0 } else { 2.0 }) * (PI * j * (2.0 * k + 1.0) / (2.0 * n)).cos()
        }
        (Type::IV, false) => 2.0 * (PI * (2.0 * j + 1.0) * (2.0 * k + 1.0) / (4.0 * n)).cos(),
        (Type::I, true) => 2.0 * (PI * (j + 1.0) * (k + 1.0) / (n + 1.0)).sin(),
        (Type::II, true) => 2.0 * (PI * (k + 1.0) * (2.0 * j + 1.0) / (2.0 * n)).sin(),
        (Type::III, true) => {
            (if last { 1.0 } else { 2.0 }) * (PI * (j + 1.0) * (2.0 * k + 1.0) / (2.0 * n)).sin()
        }
        (Type::IV, true) => 2.0 * (PI * (2.0 * j + 1.0) * (2.0 * k + 1.0) / (4.0 * n)).sin(),
    }
}

fn run<'t>(x: Var<'t, f64>, sine: bool, kind: Type, norm: Norm) -> Var<'t, f64> {
    if sine { x.dst(kind, None, 0, norm) } else { x.dct(kind, None, 0, norm) }
}

#[test]
fn cosines_and_sines_are_the_sums_and_have_inverses() {
    let kinds = [Type::I, Type::II, Type::III, Type::IV];
    for (sine, kind) in [false, true].into_iter().flat_map(|sine| kinds.map(|kind| (sine, kind))) {
        for n in (1..=9).chain([16, 33, 37]).filter(|n| sine || kind != Type::I || *n > 1) {
            let x = random(&[n], n as u64);
            let sums: Vec<f64> = (0..n)
                .map(|k| x.iter().enumerate().map(|(j, x)| x * wave(kind, sine, n, j, k)).sum())
                .collect();
            let period = match (kind, sine) {
                (Type::I, false) => 2 * (n - 1),
                (Type::I, true) => 2 * (n + 1),
                _ => 2 * n,
            };
            let tape = Tape::new();
            let own = tape.var(&x);
            let plain = run(own, sine, kind, Norm::Backward).value().unwrap().to_vec();
            close(&plain, &sums);
            let forward: Vec<f64> = sums.iter().map(|y| y / period as f64).collect();
            close(&run(own, sine, kind, Norm::Forward).value().unwrap().to_vec(), &forward);
            for norm in NORMS {
                let y = run(own, sine, kind, norm);
                let back = if sine { y.idst(kind, None, 0, norm) } else { y.idct(kind, None, 0, norm) };
                close(&back.value().unwrap().to_vec(), &x.to_vec());
            }
            // An orthogonal map keeps lengths, and its transpose, which is the gradient, is its inverse.
            let y = run(own, sine, kind, Norm::Ortho);
            let grads = (y.square().sum() * 0.5).backward().unwrap();
            close(&grads.wrt(own).unwrap().to_vec(), &x.to_vec());
        }
    }
    // Cut and filled up, along another axis.
    let x = random(&[3, 4], 1);
    let tape = Tape::new();
    let own = tape.constant(&x);
    let cut = own.slice(0, ..2).dct(Type::II, None, 0, Norm::Ortho).value().unwrap().to_vec();
    close(&own.dct(Type::II, 2, 0, Norm::Ortho).value().unwrap().to_vec(), &cut);
    let filled = own.pad([(0, 2), (0, 0)], Padding::Constant(0.0)).dst(Type::III, None, 0, Norm::Ortho);
    close(
        &own.dst(Type::III, 5, 0, Norm::Ortho).value().unwrap().to_vec(),
        &filled.value().unwrap().to_vec(),
    );
}

/// Piece `t` of a signal of one row, as PyTorch cuts it.
fn piece(x: &[f64], window: &[f64], n: usize, hop: usize, ahead: usize, t: usize) -> Vec<f64> {
    let before = (n - window.len()) / 2;
    let at = |i: isize| {
        let i = i - ahead as isize;
        let last = x.len() as isize - 1;
        x[(if i < 0 {
            -i
        } else if i > last {
            2 * last - i
        } else {
            i
        }) as usize]
    };
    let weight = |i: usize| i.checked_sub(before).and_then(|i| window.get(i)).copied().unwrap_or(0.0);
    (0..n).map(|i| at((t * hop + i) as isize) * weight(i)).collect()
}

#[test]
fn pieces_of_a_signal_are_transformed_one_by_one_and_added_up_again() {
    let x = random(&[50], 1);
    let tape = Tape::new();
    let own = tape.constant(&x);
    for (n, hop, length, centred) in [
        (8, 2, 8, true),
        (9, 3, 6, true),
        (8, 4, 7, false),
        (6, 4, 6, false),
        (5, 5, 5, true),
        (1, 1, 1, true),
    ] {
        let w = hann::<f64>(length, Ends::Periodic).unwrap().map(|w| w + 0.1).unwrap();
        for (sides, normalized) in [(true, false), (false, true)] {
            let settings = Stft::new(n)
                .hop(hop)
                .win_length(length)
                .window(tape.constant(&w))
                .center(centred)
                .normalized(normalized)
                .onesided(sides);
            let z = own.stft(settings);
            let (re, im) = z.values().unwrap();
            let ahead = if centred { n / 2 } else { 0 };
            let count = (50 + 2 * ahead - n) / hop + 1;
            let frequencies = if sides { n / 2 + 1 } else { n };
            assert_eq!(re.shape(), [frequencies, count]);
            let norm = if normalized { Norm::Ortho } else { Norm::Backward };
            for t in 0..count {
                let wanted = dft(&piece(&x.to_vec(), &w.to_vec(), n, hop, ahead, t), &[], n, false, norm);
                for j in 0..frequencies {
                    let apart = (re[[j, t]] - wanted.0[j]).hypot(im[[j, t]] - wanted.1[j]);
                    assert!(apart < 1e-12, "piece {t}, frequency {j}: {apart:e}");
                }
            }
            // Whatever the last piece does not reach, or its window hides, cannot be had back.
            if !centred && length < n {
                continue;
            }
            let reached = (count - 1) * hop + n - 2 * ahead;
            let y = z.istft(settings, None).value().unwrap().to_vec();
            assert_eq!(y.len(), reached);
            close(&y, &x.to_vec()[..reached]);
            close(&z.istft(settings, 20).value().unwrap().to_vec(), &x.to_vec()[..20]);
            if length == n {
                let longer = z.istft(settings, 70).value().unwrap().to_vec();
                let held = (reached + ahead).min(70);
                close(&longer[..reached.min(50)], &x.to_vec()[..reached.min(50)]);
                assert!(longer.len() == 70 && longer[held..].iter().all(|x| *x == 0.0));
            }
        }
    }
    // By default a quarter apart, centred, and without a window.
    let z = own.stft(Stft::new(8));
    both_close(z, parts(own.stft(Stft::new(8).hop(2).center(true).onesided(true).normalized(false))));
    close(&z.istft(Stft::new(8), None).value().unwrap().to_vec(), &x.to_vec());
    let ones = tape.constant(&Tensor::ones([5]).unwrap());
    both_close(
        own.stft(Stft::new(8).win_length(5)),
        parts(own.stft(Stft::new(8).win_length(5).window(ones))),
    );
}

#[test]
fn a_window_that_begins_with_zero_has_no_inverse_at_the_ends() {
    let tape = Tape::new();
    let x = tape.constant(&random(&[32], 1));
    let settings = Stft::new(8).hop(4).window(tape.constant(&hann(8, Ends::Periodic).unwrap())).center(false);
    let error = x.stft(settings).istft(settings, None).value().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Argument { name: "the sum of the windows' squares", .. }),
        "{error}"
    );
    let settings = settings.center(true);
    assert!(x.stft(settings).istft(settings, 32).value().is_ok());
}

#[test]
fn errors_name_the_operation_and_the_line_that_called_it() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let z = Complex::from_real(x);
    let n = Norm::Backward;
    let errors = [
        ("fft", x.fft(None, 5, n).re),
        ("ifft", z.ifft(None, 5, n).re),
        ("fftn", x.fftn(None, 5, n).re),
        ("ifftn", z.ifftn(None, 5, n).im),
        ("fft2", z.fft2(None, n).re),
        ("ifft2", x.ifft2(None, n).re),
        ("rfft", x.rfft(None, 5, n).re),
        ("ihfft", x.ihfft(None, 5, n).re),
        ("rfftn", x.rfftn(None, 5, n).re),
        ("ihfftn", x.ihfftn(None, 5, n).im),
        ("rfft2", x.rfft2(None, n).re),
        ("ihfft2", x.ihfft2(None, n).re),
        ("irfft", z.irfft(None, 5, n)),
        ("hfft", z.hfft(None, 5, n)),
        ("irfftn", z.irfftn(None, 5, n)),
        ("hfftn", z.hfftn(None, 5, n)),
        ("irfft2", z.irfft2(None, n)),
        ("hfft2", z.hfft2(None, n)),
        ("fftshift", z.fftshift(5).im),
        ("ifftshift", z.ifftshift(5).re),
        ("stft", x.stft(Stft::new(0)).re),
        ("istft", z.istft(Stft::new(0), None)),
        ("fft_convolve", x.fft_convolve(x, Extent::Full, 5)),
        ("dct", x.dct(Type::II, None, 5, n)),
        ("idct", x.idct(Type::II, None, 5, n)),
        ("dst", x.dst(Type::II, None, 5, n)),
        ("idst", x.idst(Type::II, None, 5, n)),
    ];
    for (name, failed) in errors {
        let error = failed.value().unwrap_err();
        assert_eq!(error.operation(), Some(name));
        assert!(error.location().unwrap().file().ends_with("fft.rs"), "{error}");
        assert!(error.location().unwrap().file().starts_with("tests"), "{error}");
    }
}
