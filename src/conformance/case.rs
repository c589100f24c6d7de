//! One case of a sample, and what must hold of its value and its first derivatives.

use super::Sample;
use crate::gradcheck::five_points;
use crate::number::Real;
use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};
use std::cell::Cell;

/// The step of the differences: rounding costs about 10⁻¹² of a value of 1, the missing fifth derivative as much
/// where it is 10³.
pub(super) const STEP: f64 = 5e-4;

pub(super) fn dot(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
}

fn norm(a: &[Tensor<f64>]) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn flat(a: &[Tensor<f64>]) -> Vec<f64> {
    a.iter().flatten().collect()
}

/// A case of a sample: its inputs, and how often anything was checked.
pub(super) struct Case<'a> {
    pub(super) sample: &'a Sample,
    pub(super) x: Vec<Tensor<f64>>,
    what: String,
    checks: Cell<usize>,
}

/// Where a case was looked at: the value and the gradient there, a cotangent, and three directions.
pub(super) struct Point {
    pub(super) value: Tensor<f64>,
    pub(super) gradient: Vec<Tensor<f64>>,
    pub(super) c: Tensor<f64>,
    pub(super) along: [Vec<Tensor<f64>>; 3],
}

impl<'a> Case<'a> {
    pub(super) fn new(sample: &'a Sample, x: Vec<Tensor<f64>>, what: String) -> Case<'a> {
        Case { sample, x, what, checks: Cell::new(0) }
    }

    pub(super) fn checks(&self) -> usize {
        self.checks.get()
    }

    pub(super) fn run<'t>(
        &self,
        tape: &'t Tape<f64>,
        x: &[Tensor<f64>],
    ) -> (Vec<Var<'t, f64>>, Var<'t, f64>) {
        let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
        let y = (self.sample.f64)(&vars);
        (vars, y)
    }

    pub(super) fn ok<R>(&self, kind: &str, result: crate::Result<R>) -> R {
        result.unwrap_or_else(|error| panic!("{}: {kind}: {error}", self.what))
    }

    /// |a − n| ≤ tol · max(1, ‖a‖∞, ‖n‖∞), each element.
    pub(super) fn close(&self, kind: &str, a: &[Tensor<f64>], n: &[f64], tolerance: f64) {
        let a = flat(a);
        assert_eq!(a.len(), n.len(), "{}: {kind}", self.what);
        let size = a.iter().chain(n).fold(1.0, |m: f64, x| m.max(x.abs()));
        for (i, (a, n)) in a.iter().zip(n).enumerate() {
            let error = (a - n).abs();
            assert!(
                error <= tolerance * size,
                "{}: {kind}, element {i}: {a:e} against {n:e}, error {error:e}",
                self.what
            );
        }
        self.checks.set(self.checks.get() + 1);
    }

    /// ⟨c, t⟩ = ⟨g, u⟩ for a tangent t along u and the cotangent g of c: |left − right| ≤ tol · (‖c‖‖t‖ + ‖g‖‖u‖),
    /// or `tol · least` where that is less.
    pub(super) fn transposed(
        &self,
        kind: &str,
        [c, t]: [&Tensor<f64>; 2],
        [g, u]: [&[Tensor<f64>]; 2],
        tolerance: f64,
        least: f64,
    ) {
        let [c, t] = [c, t].map(std::slice::from_ref);
        let (left, right) = (dot(c, t), dot(g, u));
        let scale = (norm(c) * norm(t) + norm(g) * norm(u)).max(least);
        assert!(
            (left - right).abs() <= tolerance * scale,
            "{}: {kind}, ⟨c, Ju⟩ = {left:e}, ⟨Jᵀc, u⟩ = {right:e}",
            self.what
        );
        self.checks.set(self.checks.get() + 1);
    }

    /// The same bits.
    pub(super) fn identical(&self, kind: &str, a: &[Tensor<f64>], b: &[Tensor<f64>]) {
        let bits = |a: &[Tensor<f64>]| flat(a).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert!(bits(a) == bits(b), "{}: {kind}, {a:?} and then {b:?}", self.what);
        self.checks.set(self.checks.get() + 1);
    }

    /// The inputs, moved along a direction.
    pub(super) fn moved(&self, along: &[Tensor<f64>], t: f64) -> Vec<Tensor<f64>> {
        self.x.iter().zip(along).map(|(x, u)| x.try_add(&(u * t)).unwrap()).collect()
    }

    /// The derivative along a direction by differences.
    pub(super) fn differences(
        &self,
        along: &[Tensor<f64>],
        of: impl Fn(&[Tensor<f64>]) -> Vec<f64>,
    ) -> Vec<f64> {
        five_points(STEP, |t| Ok(of(&self.moved(along, t)))).unwrap()
    }

    /// The value's and the first derivatives' checks.
    pub(super) fn first_order(&self, random: &mut Generator) -> Point {
        let tape = Tape::new();
        let (vars, y) = self.run(&tape, &self.x);
        let value = self.ok("value", y.value());
        assert!(value.iter().all(f64::is_finite), "{}: {value}", self.what);
        let mut like = |x: &Tensor<f64>| Tensor::normal(x.shape(), 0.0, 1.0, random).unwrap();
        let c = like(&value);
        let along = [(); 3].map(|()| self.x.iter().map(|x| like(x) * 0.5).collect::<Vec<_>>());
        let u = &along[0];

        // Views against their copies.
        let copies: Vec<_> =
            self.x.iter().map(|x| Tensor::from_slice(&x.to_vec(), x.shape()).unwrap()).collect();
        let other = Tape::new();
        let of_copies = self.run(&other, &copies).1.value().unwrap();
        assert_eq!(value.shape(), of_copies.shape(), "{}", self.what);
        self.close("view and copy", std::slice::from_ref(&value), &of_copies.to_vec(), 1e-14);

        // Reverse: element by element where there are few, else along directions.
        let grads = self.ok("backward", y.backward_with(&c));
        let g: Vec<_> = vars.iter().map(|&x| grads.wrt(x).unwrap().clone()).collect();
        for (k, x) in self.x.iter().enumerate() {
            assert_eq!(g[k].shape(), x.shape(), "{}", self.what);
            let directions: Vec<Tensor<f64>> = if x.len() <= 24 {
                let hot = |at| move |i| f64::from(u8::from(i == at));
                (0..x.len())
                    .map(|at| Tensor::from_iter_in((0..x.len()).map(hot(at)), x.shape()).unwrap())
                    .collect()
            } else {
                (0..3).map(|_| Tensor::normal(x.shape(), 0.0, 0.3, random).unwrap()).collect()
            };
            for v in directions {
                let numeric = five_points(STEP, |t| {
                    let mut moved = self.x.clone();
                    moved[k] = x.try_add(&(&v * t)).unwrap();
                    let tape = Tape::new();
                    Ok(vec![dot(&[self.run(&tape, &moved).1.value()?], std::slice::from_ref(&c))])
                })
                .unwrap();
                let analytic = Tensor::scalar(dot(&g[k..=k], &[v]));
                self.close("vjp", &[analytic], &numeric, 1e-9);
            }
        }

        // Forward, and the two against each other.
        let dy = self.ok("jvp", tape.jvp(y, vars.iter().copied().zip(u))).value().unwrap();
        assert_eq!(dy.shape(), value.shape(), "{}", self.what);
        let numeric = self.differences(u, |x| {
            let tape = Tape::new();
            self.run(&tape, x).1.value().unwrap().to_vec()
        });
        self.close("jvp", std::slice::from_ref(&dy), &numeric, 1e-9);
        self.transposed("vjp and jvp", [&c, &dy], [&g, u], 1e-12, 1e-300);

        // The fused kernel against the written rule, and the recorded sweep against both.
        let n = flat(&g);
        let written = y.backward_by_written_rules(&c).unwrap();
        let written: Vec<_> = vars.iter().map(|&x| written.wrt(x).unwrap().clone()).collect();
        self.close("fused and written", &written, &n, 1e-13);
        let recorded = tape.vjp_with(y, &c, &vars).unwrap();
        let recorded: Vec<_> = recorded.iter().map(|g| g.value().unwrap()).collect();
        self.close("recorded", &recorded, &n, 1e-13);
        let directions: Vec<_> = vars.iter().copied().zip(u).collect();
        let unrecorded = self.ok("tangents", tape.tangents(&[y], &directions));
        self.close("unrecorded tangents", &unrecorded, &dy.to_vec(), 1e-13);

        Point { value, gradient: g, c, along }
    }

    /// Single precision against double.
    pub(super) fn single_precision(&self, at: &Point) {
        let tape = Tape::<f32>::new();
        let x: Vec<_> = self.x.iter().map(|x| x.map(|x| x as f32).unwrap()).collect();
        let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
        let y = (self.sample.f32)(&vars);
        let wide = |x: &Tensor<f32>| x.map(f32::to_f64).unwrap();
        self.close("f32 value", &[wide(&y.value().unwrap())], &at.value.to_vec(), 5e-6);
        let grads = y.backward_with(&at.c.map(|c| c as f32).unwrap()).unwrap();
        let g: Vec<_> = vars.iter().map(|&x| wide(grads.wrt(x).unwrap())).collect();
        self.close("f32 gradient", &g, &flat(&at.gradient), 2e-5);
    }
}
