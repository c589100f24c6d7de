//! Special functions and their derivatives against exact values: in tails, near zeros and poles.

use retrograde::{Tape, Tensor, Var};

type Program = for<'t> fn(&[Var<'t, f64>]) -> Var<'t, f64>;

/// How an error is measured.
#[derive(Clone, Copy, PartialEq)]
enum Measure {
    /// In units in the last place of the exact value.
    Ulps,
    /// In ulps of the larger of 1 and the exact value: near zeros of the function only that is small.
    Mixed,
}
use Measure::{Mixed, Ulps};

/// Block, order of the derivative, measure, bound, and the function of the block's arguments, of which the last one is
/// differentiated by.
const TABLE: [(&str, usize, Measure, f64, Program); 112] = [
    ("lgamma", 0, Ulps, 2.5, |x| x[0].lgamma()),
    ("lgamma -", 0, Mixed, 3.0, |x| x[0].lgamma()),
    ("digamma", 0, Ulps, 3.0, |x| x[0].digamma()),
    ("digamma", 1, Ulps, 3.0, |x| x[0].lgamma()),
    ("digamma -", 0, Mixed, 4.0, |x| x[0].digamma()),
    ("polygamma 1", 0, Ulps, 2.5, |x| x[0].polygamma(1)),
    ("polygamma 1", 1, Ulps, 2.5, |x| x[0].digamma()),
    ("polygamma 1", 2, Ulps, 2.5, |x| x[0].lgamma()),
    ("polygamma 2", 0, Ulps, 2.5, |x| x[0].polygamma(2)),
    ("polygamma 3", 0, Ulps, 3.0, |x| x[0].polygamma(3)),
    ("polygamma 1 -", 0, Ulps, 3.0, |x| x[0].polygamma(1)),
    ("zeta", 0, Ulps, 4.0, |x| x[0].zeta(x[1])),
    ("betaln", 0, Mixed, 8.0, |x| x[0].betaln(x[1])),
    ("beta", 0, Ulps, 4.0, |x| x[0].beta(x[1])),
    ("gammainc", 0, Ulps, 20.0, |x| x[0].gammainc(x[1])),
    ("gammaincc", 0, Ulps, 80.0, |x| x[0].gammaincc(x[1])),
    ("gammainc'1", 1, Ulps, 60.0, |x| x[0].gammainc(x[1])),
    ("gammainc'2", 2, Mixed, 60.0, |x| x[0].gammainc(x[1])),
    ("erfinv", 0, Ulps, 2.0, |x| x[0].erfinv()),
    ("ndtri", 0, Ulps, 3.0, |x| x[0].ndtri()),
    ("erfcx", 0, Ulps, 2.5, |x| x[0].erfcx()),
    ("erfcx'1", 1, Ulps, 3.0, |x| x[0].erfcx()),
    ("erfcx'2", 2, Ulps, 4.0, |x| x[0].erfcx()),
    ("log_ndtr", 0, Ulps, 2.0, |x| x[0].log_ndtr()),
    ("log_ndtr'1", 1, Ulps, 5.0, |x| x[0].log_ndtr()),
    ("log_ndtr'2", 2, Ulps, 40.0, |x| x[0].log_ndtr()),
    ("i0e'0", 0, Ulps, 4.0, |x| x[0].i0e()),
    ("i0e'1", 1, Ulps, 10.0, |x| x[0].i0e()),
    ("i0e'2", 2, Ulps, 10.0, |x| x[0].i0e()),
    ("i0e'3", 3, Ulps, 10.0, |x| x[0].i0e()),
    ("i1e'0", 0, Ulps, 8.0, |x| x[0].i1e()),
    ("i1e'1", 1, Mixed, 4.0, |x| x[0].i1e()),
    ("i1e'2", 2, Mixed, 6.0, |x| x[0].i1e()),
    ("i0", 0, Ulps, 4.0, |x| x[0].i0()),
    ("i1", 0, Ulps, 7.0, |x| x[0].i1()),
    ("i1", 1, Ulps, 7.0, |x| x[0].i0()),
    ("bessel_i 2", 0, Ulps, 7.0, |x| x[0].bessel_i(2)),
    ("bessel_i 5", 0, Ulps, 7.0, |x| x[0].bessel_i(5)),
    ("bessel_k 0", 0, Ulps, 8.0, |x| x[0].k0()),
    ("bessel_k 1", 0, Ulps, 8.0, |x| x[0].k1()),
    ("bessel_k 2", 0, Ulps, 12.0, |x| x[0].bessel_k(2)),
    ("k0e'0", 0, Ulps, 8.0, |x| x[0].k0e()),
    ("k0e'1", 1, Ulps, 10.0, |x| x[0].k0e()),
    ("k0e'2", 2, Ulps, 10.0, |x| x[0].k0e()),
    ("k1e'0", 0, Ulps, 8.0, |x| x[0].k1e()),
    ("k1e'1", 1, Ulps, 10.0, |x| x[0].k1e()),
    ("k1e'2", 2, Ulps, 12.0, |x| x[0].k1e()),
    ("bessel_j 0", 0, Mixed, 1.0, |x| x[0].j0()),
    ("bessel_j 1", 0, Mixed, 1.0, |x| x[0].j1()),
    ("bessel_j 2", 0, Mixed, 1.0, |x| x[0].bessel_j(2)),
    ("bessel_y 0", 0, Mixed, 2.5, |x| x[0].y0()),
    ("bessel_y 1", 0, Mixed, 2.5, |x| x[0].y1()),
    ("bessel_y 2", 0, Mixed, 4.0, |x| x[0].bessel_y(2)),
    ("exp1", 0, Ulps, 3.0, |x| x[0].exp1()),
    ("expi", 0, Ulps, 6.0, |x| x[0].expi()),
    ("sinc'0", 0, Ulps, 2.5, |x| x[0].sinc()),
    ("sinc'1", 1, Mixed, 4.0, |x| x[0].sinc()),
    ("sinc'2", 2, Mixed, 4.0, |x| x[0].sinc()),
    ("sinc'3", 3, Mixed, 12.0, |x| x[0].sinc()),
    ("sphj0'0", 0, Ulps, 2.5, |x| x[0].spherical_bessel_j0()),
    ("sphj0'1", 1, Mixed, 1.5, |x| x[0].spherical_bessel_j0()),
    ("sphj0'2", 2, Mixed, 1.5, |x| x[0].spherical_bessel_j0()),
    ("sphj0'3", 3, Mixed, 1.5, |x| x[0].spherical_bessel_j0()),
    ("logit", 0, Ulps, 3.0, |x| x[0].logit(None)),
    ("bessel_k 1", 1, Ulps, 8.0, |x| -x[0].k0()),
    ("bessel_j 1", 1, Mixed, 1.0, |x| -x[0].j0()),
    ("erfinv'1", 1, Ulps, 4.0, |x| x[0].erfinv()),
    ("erfinv'2", 2, Ulps, 8.0, |x| x[0].erfinv()),
    ("ndtri'1", 1, Ulps, 6.0, |x| x[0].ndtri()),
    ("ndtri'2", 2, Ulps, 12.0, |x| x[0].ndtri()),
    ("logit'1", 1, Ulps, 2.0, |x| x[0].logit(None)),
    ("logit'2", 2, Ulps, 6.0, |x| x[0].logit(None)),
    ("logaddexp", 0, Mixed, 2.0, |x| x[0].logaddexp(x[1])),
    ("logaddexp'1", 1, Ulps, 3.0, |x| x[0].logaddexp(x[1])),
    ("logaddexp'2", 2, Ulps, 5.0, |x| x[0].logaddexp(x[1])),
    ("logaddexp2'1", 1, Ulps, 3.0, |x| x[0].logaddexp2(x[1])),
    ("beta'b", 1, Ulps, 6.0, |x| x[0].beta(x[1])),
    ("digamma far", 0, Ulps, 2.0, |x| x[0].digamma()),
    ("polygamma far", 2, Ulps, 2.0, |x| x[0].lgamma()),
    ("bessel_k- 0", 0, Ulps, 4.0, |x| x[0].k0()),
    ("bessel_k- 1", 0, Ulps, 4.0, |x| x[0].k1()),
    ("bessel_k- 3", 0, Ulps, 6.0, |x| x[0].bessel_k(3)),
    ("k0e-'1", 1, Ulps, 6.0, |x| x[0].k0e()),
    ("k1e-'2", 2, Ulps, 6.0, |x| x[0].k1e()),
    ("gamma f", 0, Ulps, 6.0, |x| x[0].gamma()),
    ("gamma f'1", 1, Ulps, 6.0, |x| x[0].gamma()),
    ("polygamma 7", 0, Ulps, 4.0, |x| x[0].polygamma(7)),
    ("expn 2", 0, Ulps, 3.0, |x| x[0].expn(2)),
    ("expn 3", 0, Ulps, 3.0, |x| x[0].expn(3)),
    ("expn 7", 0, Ulps, 3.0, |x| x[0].expn(7)),
    ("expn 2", 1, Ulps, 3.0, |x| -x[0].expn(3)),
    ("betaln'b", 1, Ulps, 4.0, |x| x[0].betaln(x[1])),
    ("betaln'bb", 2, Ulps, 6.0, |x| x[0].betaln(x[1])),
    ("student", 0, Mixed, 8.0, |x| x[0].student_t_log_prob(x[1], 0.0, 1.0)),
    ("student'x", 1, Ulps, 8.0, |x| x[1].student_t_log_prob(x[0], 0.0, 1.0)),
    ("student'v", 1, Ulps, 60.0, |x| x[0].student_t_log_prob(x[1], 0.0, 1.0)),
    ("student'vv", 2, Ulps, 200.0, |x| x[0].student_t_log_prob(x[1], 0.0, 1.0)),
    ("gamma", 0, Mixed, 8.0, |x| x[2].gamma_log_prob(x[0], x[1])),
    ("gamma'x", 1, Ulps, 8.0, |x| x[2].gamma_log_prob(x[0], x[1])),
    ("gamma'a", 1, Mixed, 8.0, |x| x[0].gamma_log_prob(x[2], x[1])),
    ("gamma'r", 1, Ulps, 2.0, |x| x[0].gamma_log_prob(x[1], x[2])),
    ("poisson", 0, Mixed, 8.0, |x| x[0].poisson_log_prob(x[1])),
    ("poisson'r", 1, Ulps, 2.0, |x| x[0].poisson_log_prob(x[1])),
    ("poisson'k", 1, Mixed, 8.0, |x| x[1].poisson_log_prob(x[0])),
    ("beta law", 0, Mixed, 10.0, |x| x[2].beta_log_prob(x[0], x[1])),
    ("beta law'x", 1, Ulps, 8.0, |x| x[2].beta_log_prob(x[0], x[1])),
    ("beta law'a", 1, Mixed, 12.0, |x| x[1].beta_log_prob(x[2], x[0])),
    ("binomial", 0, Mixed, 8.0, |x| x[0].binomial_log_prob(x[1], x[2])),
    ("binomial'p", 1, Ulps, 8.0, |x| x[0].binomial_log_prob(x[1], x[2])),
    ("binomial'n", 1, Mixed, 8.0, |x| x[0].binomial_log_prob(x[2], x[1])),
    ("binomial l", 0, Mixed, 8.0, |x| x[0].binomial_logits_log_prob(x[1], x[2])),
    ("binomial l'l", 1, Ulps, 20.0, |x| x[0].binomial_logits_log_prob(x[1], x[2])),
];

/// Arguments, nearest values, and the exact ones' distance to those in ulps.
struct Block {
    name: String,
    arguments: Vec<Vec<f64>>,
    value: Vec<f64>,
    rest: Vec<f64>,
}

fn blocks() -> Vec<Block> {
    let mut data: &[u8] = include_bytes!("golden/special.bin");
    let mut found = vec![];
    while !data.is_empty() {
        let name = String::from_utf8(data[..14].to_vec()).unwrap().trim_end_matches('\0').to_owned();
        let (arguments, rows) = (data[14] as usize, usize::from(u16::from_le_bytes([data[16], data[17]])));
        data = &data[18..];
        let mut block = Block { name, arguments: vec![vec![]; arguments], value: vec![], rest: vec![] };
        for _ in 0..rows {
            let float = |i: usize| f64::from_le_bytes(data[8 * i..8 * i + 8].try_into().unwrap());
            (0..arguments).for_each(|i| block.arguments[i].push(float(i)));
            block.value.push(float(arguments));
            let end = 8 * (arguments + 1);
            block.rest.push(f64::from(i16::from_le_bytes([data[end], data[end + 1]])) / 32768.0);
            data = &data[end + 2..];
        }
        found.push(block);
    }
    found
}

fn ulp(x: f64) -> f64 {
    let power = f64::from_bits(x.abs().min(f64::MAX).to_bits() & 0x7ff0_0000_0000_0000);
    (power * f64::EPSILON).max(f64::from_bits(1))
}

#[test]
fn values_and_derivatives_against_exact_ones() {
    let blocks = blocks();
    let mut failures = vec![];
    for (name, order, measure, bound, f) in TABLE {
        let block = blocks.iter().find(|block| block.name == name).expect("a block for each row");
        assert!(block.value.len() >= 90, "{name}");
        let tape = Tape::new();
        let tensors: Vec<_> = block.arguments.iter().map(|x| Tensor::from(x.clone())).collect();
        let (last, first) = tensors.split_last().unwrap();
        let last = tape.var(last);
        let arguments: Vec<_> = first.iter().map(|x| tape.constant(x)).chain([last]).collect();
        let mut y = f(&arguments);
        for _ in 0..order {
            [y] = tape.vjp(y, &Tensor::ones([block.value.len()]).unwrap(), [last]).unwrap();
        }
        let (mut worst, mut at) = (0.0, 0);
        for (i, got) in y.value().unwrap().to_vec().into_iter().enumerate() {
            let (wanted, rest) = (block.value[i], block.rest[i]);
            let unit = if measure == Ulps { ulp(wanted) } else { ulp(wanted.abs().max(1.0)) };
            let exact = got == wanted || (got.is_nan() && wanted.is_nan());
            let error = if exact { 0.0 } else { ((got - wanted) / unit - rest * (ulp(wanted) / unit)).abs() };
            if error > worst || error.is_nan() {
                (worst, at) = (if error.is_nan() { f64::INFINITY } else { error }, i);
            }
        }
        let x: Vec<_> = block.arguments.iter().map(|x| x[at]).collect();
        let line = format!("{name} at order {order}: {worst:.2} ulp at {x:?}, exact {:e}", block.value[at]);
        println!("{line}");
        if worst > bound {
            failures.push(line);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_block_is_used() {
    for block in blocks() {
        assert!(TABLE.iter().any(|row| row.0 == block.name), "{}", block.name);
    }
}

#[test]
fn derivatives_at_poles_and_outside() {
    // Those of Y tend to ∓∞ in turn, also where single precision has left its range long before.
    let tape = Tape::<f32>::new();
    let x = tape.var(&Tensor::from([1e-10_f32]));
    let seed = Tensor::ones([1]).unwrap();
    let mut y = x.bessel_y(4);
    for wanted in [f32::NEG_INFINITY, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(y.value().unwrap()[[0]], wanted);
        [y] = tape.vjp(y, &seed, [x]).unwrap();
    }
    let slope = |f: for<'t> fn(Var<'t, f64>) -> Var<'t, f64>, x: &[f64]| {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(x.to_vec()));
        f(x).sum().backward().unwrap().wrt(x).unwrap().to_vec()
    };
    assert_values(slope(|x| x.erfinv(), &[1.0, -1.0, 1.5, NAN]), &[TOP, TOP, NAN, NAN]);
    assert_values(slope(|x| x.ndtri(), &[1.0, 0.0, -0.5, NAN]), &[TOP, TOP, NAN, NAN]);
    assert_values(slope(|x| x.logit(None), &[1.0, 0.0, -0.5, 1.5, NAN]), &[TOP, TOP, NAN, NAN, NAN]);
    assert_values(slope(|x| x.exp1(), &[0.0, -1.0, TOP]), &[-TOP, NAN, -0.0]);
    assert_values(slope(|x| x.tape().scalar(-1.5).gammainc(x), &[2.0]), &[NAN]);
    assert_values(values(|x| x.gamma(), &[0.0, -0.0, -1.0, TOP, NAN]), &[TOP, -TOP, NAN, TOP, NAN]);
    assert_values(values(|x| x.expn(0), &[0.0, -1.0]), &[TOP, NAN]);
    assert_values(values(|x| x.expn(1), &[0.0, -1.0]), &[TOP, NAN]);
    assert_values(values(|x| x.expn(4), &[0.0, -1.0, 800.0, NAN]), &[1.0 / 3.0, NAN, 0.0, NAN]);
}

fn values(f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, x: &[f64]) -> Vec<f64> {
    let tape = Tape::new();
    f(tape.var(&Tensor::from(x.to_vec()))).value().unwrap().to_vec()
}

const TOP: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// The same bits, or NaN for NaN; a wanted NaN means any.
fn assert_values(got: Vec<f64>, wanted: &[f64]) {
    let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    assert!(got.len() == wanted.len() && got.iter().zip(wanted).all(same), "{got:?}, not {wanted:?}");
}

#[test]
fn poles_infinities_and_nan() {
    let edges = [0.0, -0.0, -1.0, TOP, -TOP, NAN];
    assert_values(values(|x| x.lgamma(), &edges), &[TOP, TOP, TOP, TOP, TOP, NAN]);
    assert_values(values(|x| x.digamma(), &edges), &[-TOP, TOP, NAN, TOP, NAN, NAN]);
    assert_values(values(|x| x.polygamma(1), &edges), &[TOP, TOP, TOP, 0.0, NAN, NAN]);
    assert_values(values(|x| x.erfcx(), &[TOP, -TOP, -27.0, NAN]), &[0.0, TOP, TOP, NAN]);
    assert_values(
        values(|x| x.erfinv(), &[1.0, -1.0, 1.5, -1.5, 0.0, NAN]),
        &[TOP, -TOP, NAN, NAN, 0.0, NAN],
    );
    assert_values(values(|x| x.ndtri(), &[1.0, 0.0, 1.5, -0.5, 0.5, NAN]), &[TOP, -TOP, NAN, NAN, 0.0, NAN]);
    assert_values(values(|x| x.log_ndtr(), &[TOP, -TOP, NAN]), &[0.0, -TOP, NAN]);
    assert_values(values(|x| x.i0(), &[0.0, TOP, -TOP, 800.0, NAN]), &[1.0, TOP, TOP, TOP, NAN]);
    assert_values(values(|x| x.i1(), &[0.0, 800.0, -800.0, NAN]), &[0.0, TOP, -TOP, NAN]);
    assert_values(values(|x| x.bessel_i(3), &[0.0, 800.0, -800.0, NAN]), &[0.0, TOP, -TOP, NAN]);
    assert_values(values(|x| x.i0e(), &[0.0, TOP, -TOP, NAN]), &[1.0, 0.0, 0.0, NAN]);
    assert_values(values(|x| x.i1e(), &[0.0, TOP, -TOP, NAN]), &[0.0, 0.0, 0.0, NAN]);
    assert_values(values(|x| x.k0(), &[0.0, TOP, -1.0, NAN]), &[TOP, 0.0, NAN, NAN]);
    assert_values(values(|x| x.k1e(), &[0.0, TOP, -1.0, NAN]), &[TOP, 0.0, NAN, NAN]);
    assert_values(values(|x| x.j0(), &[0.0, TOP, NAN]), &[1.0, 0.0, NAN]);
    assert_values(values(|x| x.y0(), &[0.0, TOP, -1.0, NAN]), &[-TOP, 0.0, NAN, NAN]);
    assert_values(values(|x| x.exp1(), &[0.0, TOP, -1.0, NAN]), &[TOP, 0.0, NAN, NAN]);
    assert_values(values(|x| x.expi(), &[0.0, TOP, -TOP, NAN]), &[-TOP, TOP, 0.0, NAN]);
    assert_values(values(|x| x.sinc(), &[0.0, 1.0, -7.0, 1e15, TOP, NAN]), &[1.0, 0.0, 0.0, 0.0, 0.0, NAN]);
    assert_values(values(|x| x.spherical_bessel_j0(), &[0.0, TOP, NAN]), &[1.0, 0.0, NAN]);
}

#[test]
fn edges_of_functions_of_two() {
    let of = |f: for<'t> fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>, a: &[f64], b: &[f64]| {
        let tape = Tape::new();
        let [a, b] = [a, b].map(|x| tape.constant(&Tensor::from(x.to_vec())));
        f(a, b).value().unwrap().to_vec()
    };
    let (s, q) = ([1.0, 0.5, 2.0, 2.5, 2.0, 2.0, NAN], [2.0, 2.0, -3.0, -0.5, TOP, 0.0, 1.0]);
    assert_values(of(|s, q| s.zeta(q), &s, &q), &[TOP, NAN, TOP, NAN, 0.0, TOP, NAN]);
    let (a, x) = ([1.0, 1.0, -1.0, 1.0, 0.0, TOP, TOP, NAN], [0.0, TOP, 1.0, -1.0, 1.0, 1.0, TOP, 1.0]);
    assert_values(of(|a, x| a.gammainc(x), &a, &x), &[0.0, 1.0, NAN, NAN, 1.0, 0.0, NAN, NAN]);
    assert_values(of(|a, x| a.gammaincc(x), &a, &x), &[1.0, 0.0, NAN, NAN, 0.0, 1.0, NAN, NAN]);
    let (a, b) = ([0.0, 1.0, -1.0, TOP, 2.0], [1.0, 0.0, 1.0, 1.0, NAN]);
    assert_values(of(|a, b| a.betaln(b), &a, &b), &[TOP, TOP, NAN, -TOP, NAN]);
    assert_values(of(|a, b| a.beta(b), &a, &b), &[TOP, TOP, NAN, 0.0, NAN]);
}

#[test]
fn scaled_functions_are_even_and_odd_and_smooth_in_halves_at_zero() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.0, 2.0, -2.0]));
    let seed = Tensor::ones([3]).unwrap();
    let derivative = |y| tape.vjp(y, &seed, [x]).unwrap()[0];
    let of = |y: Var<'_, f64>| y.value().unwrap().to_vec();
    let (even, odd) = (of(x.i0e()), of(derivative(x.i0e())));
    assert_eq!((even[1], odd[0], odd[1]), (even[2], 0.0, -odd[2]));
    let (odd, even) = (of(x.i1e()), of(derivative(x.i1e())));
    assert!((even[0] - 0.5).abs() < 1e-15);
    assert_eq!((odd[1], even[1]), (-odd[2], even[2]));
}

#[test]
fn single_precision_is_double_precision_rounded() {
    let tape = Tape::<f32>::new();
    let x = tape.var(&Tensor::from([0.3_f32, 1.7, 40.0]));
    let wide: Vec<f64> = [0.3_f32, 1.7, 40.0].map(f64::from).to_vec();
    let rounded = |y: Vec<f64>| y.into_iter().map(|y| y as f32).collect::<Vec<_>>();
    assert_eq!(x.lgamma().value().unwrap().to_vec(), rounded(values(|x| x.lgamma(), &wide)));
    assert_eq!(x.i0e().value().unwrap().to_vec(), rounded(values(|x| x.i0e(), &wide)));
    assert_eq!(x.erfcx().value().unwrap().to_vec(), rounded(values(|x| x.erfcx(), &wide)));
}
