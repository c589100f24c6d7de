//! Runs a case and compares each of its parts by every route on which our engine comes to it.

use crate::call::{Call, NO_AXIS, No, Op, Operand, V, Value};
use crate::excuses::NOISE;
use crate::reader::{Case, Golden, Held};
use retrograde::{Result, Tape, Tensor};

/// How many elements of a part differ, and the first of them.
pub struct Difference {
    pub part: String,
    pub route: String,
    pub elements: usize,
    pub first: String,
}

/// The routes to a part.
const ROUTES: [(&str, &[&str]); 4] = [
    ("out", &[""]),
    ("grad", &["plain", "recorded"]),
    ("jvp", &["plain", "recorded", "transposed"]),
    ("gg", &["reverse", "forward", "mixed"]),
];

/// `grad=3` if so many elements differ by every route, `gg.forward=2` if by one.
pub fn summary(found: &[Difference]) -> String {
    let mut words = Vec::new();
    for (part, routes) in ROUTES {
        let of_part: Vec<_> = found.iter().filter(|d| d.part == part).collect();
        match of_part.first() {
            Some(d) if of_part.len() == routes.len() && of_part.iter().all(|e| e.elements == d.elements) => {
                words.push(format!("{part}={}", d.elements));
            }
            _ => words.extend(of_part.iter().map(|d| format!("{part}.{}={}", d.route, d.elements))),
        }
    }
    words.join(" ")
}

/// What became of a case.
pub enum Outcome {
    /// So many parts were compared; these differ.
    Ran(usize, Vec<Difference>),
    /// There is nothing here for this form of the call.
    NoForm(&'static str),
}

/// |a − b| ≤ 1e-12 · max|b| + 64 · noise, NaN = NaN, ∞ = ∞, −0 = 0.
fn differences(a: &Tensor<f64>, b: &Tensor<f64>, noise: f64) -> (usize, String) {
    if a.shape() != b.shape() {
        return (b.len().max(1), format!("shape {:?} for {:?}", a.shape(), b.shape()));
    }
    let size = b.iter().filter(|b| b.is_finite()).fold(0.0, |size: f64, b| size.max(b.abs()));
    let bound = 1e-12 * size + 64.0 * noise;
    let close = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= bound;
    let mut wrong = a.iter().zip(b).enumerate().filter(|(_, (a, b))| !close(*a, *b));
    let Some((at, (a, b))) = wrong.next() else { return (0, String::new()) };
    (1 + wrong.count(), format!("element {at}: {a:e} for {b:e}, bound {bound:.1e}"))
}

struct Parts<'g> {
    golden: &'g Golden,
    case: &'g Case,
    compared: usize,
    found: Vec<Difference>,
}

impl Parts<'_> {
    /// Compares what a route gave for a part, one tensor each for what was recorded; zeros where nothing was.
    fn compare<'h>(
        &mut self,
        part: &str,
        route: &str,
        found: Result<Vec<Tensor<f64>>>,
        recorded: impl Iterator<Item = &'h Option<Held>>,
    ) {
        let measured = self.case.noise.iter().find(|entry| entry.0 == part).map(|entry| entry.1);
        let of_hand =
            || NOISE.iter().find(|entry| entry.0 == self.case.id && entry.1 == part).map(|entry| entry.2);
        let noise = measured.or_else(of_hand).unwrap_or(0.0);
        let (mut elements, mut first) = (0, String::new());
        match found {
            Err(error) => (elements, first) = (1, error.to_string()),
            Ok(found) => {
                for (i, (a, held)) in found.iter().zip(recorded).enumerate() {
                    let b = held.as_ref().map_or_else(|| zeros(a), |held| self.golden.floats(held));
                    let (n, text) = differences(a, &b, noise);
                    if elements == 0 && n > 0 {
                        first = format!("number {i}, {text}");
                    }
                    elements += n;
                    self.compared += 1;
                }
            }
        }
        if elements > 0 {
            self.found.push(Difference { part: part.into(), route: route.into(), elements, first });
        }
    }
}

fn zeros(like: &Tensor<f64>) -> Tensor<f64> {
    Tensor::zeros(like.shape()).unwrap()
}

fn values(vars: &[V]) -> Result<Vec<Tensor<f64>>> {
    vars.iter().map(|y| y.value()).collect()
}

/// Σ ⟨a, b⟩.
fn pairing<'t>(tape: &'t Tape<f64>, a: &[V<'t>], b: &[V<'t>]) -> V<'t> {
    a.iter().zip(b).fold(tape.scalar(0.0), |sum, (a, b)| sum + (*a * *b).sum())
}

pub fn run(golden: &Golden, case: &Case, op: Op) -> Outcome {
    match attempt(golden, case, op, false) {
        Outcome::NoForm(NO_AXIS) => attempt(golden, case, op, true),
        outcome => outcome,
    }
}

/// Runs the case; `lifted` with numbers as vectors of one element, for an operation along an axis.
fn attempt(golden: &Golden, case: &Case, op: Op, lifted: bool) -> Outcome {
    let tape = Tape::new();
    let mut leaves = Vec::new();
    let mut operands: Vec<Operand> = (case.inputs.iter())
        .map(|input| match (input.value.kind, &input.grad) {
            ('f', None) => Operand::Var(tape.constant(&golden.floats(&input.value))),
            ('f', Some(_)) => {
                leaves.push(tape.var(&golden.floats(&input.value)));
                Operand::Var(leaves[leaves.len() - 1])
            }
            _ => Operand::Integers(golden.integers(&input.value)),
        })
        .collect();
    if let (Some(pre), Some(Operand::Var(x))) = (case.pre.as_deref(), operands.first_mut()) {
        match pre {
            "{\"args[0]\": \"x + x.mT\"}" => *x = *x + x.transpose(-1, -2),
            "{\"args[0]\": \"log_softmax(x, dim=2)\"}" => *x = x.log_softmax(2),
            _ => {}
        }
    }
    if lifted {
        operands.iter_mut().for_each(Operand::lift);
    }
    let mut parts = Parts { golden, case, compared: 0, found: Vec::new() };
    let answer = match op(&Call { tape: &tape, case, operands }) {
        Ok(answer) => answer.0,
        Err(No::Form(reason)) => return Outcome::NoForm(reason),
        Err(No::Refused(error)) => {
            parts.compare("out", "", Err(error), [].into_iter());
            return Outcome::Ran(parts.compared, parts.found);
        }
    };
    if answer.len() != case.outputs.len() {
        return Outcome::NoForm("another number of results");
    }
    let (mut outputs, mut cotangents, mut tangents) = (Vec::new(), Vec::new(), Vec::new());
    for (mut answer, recorded) in answer.into_iter().zip(&case.outputs) {
        if lifted && answer.rank() > recorded.value.shape.len() {
            answer.lower();
        }
        let found = match &answer {
            Value::Var(y) => y.value(),
            Value::Indices(indices) => indices.map(|n| n as f64),
        };
        let refused = found.is_err();
        parts.compare("out", "", found.map(|y| vec![y]), [Some(recorded.value.clone())].iter());
        if refused {
            return Outcome::Ran(parts.compared, parts.found);
        }
        if let (Value::Var(y), Some(cotangent)) = (&answer, &recorded.cotangent) {
            outputs.push(*y);
            cotangents.push(golden.floats(cotangent));
            tangents.extend(&recorded.tangent);
        }
    }
    if !leaves.is_empty() && !outputs.is_empty() && parts.found.iter().all(|d| !d.first.contains("shape")) {
        let directions: Vec<Tensor<f64>> =
            case.inputs.iter().filter_map(|input| Some(golden.floats(input.direction.as_ref()?))).collect();
        if let Err(error) =
            derivatives(&mut parts, &tape, [&leaves, &outputs], [&cotangents, &directions], &tangents)
        {
            parts.compare("grad", "recorded", Err(error), [].into_iter());
        }
    }
    Outcome::Ran(parts.compared, parts.found)
}

/// The derivatives of both orders, each by all the ways there are.
fn derivatives<'t>(
    parts: &mut Parts,
    tape: &'t Tape<f64>,
    [leaves, outputs]: [&[V<'t>]; 2],
    [cotangents, directions]: [&[Tensor<f64>]; 2],
    tangents: &[&Option<Held>],
) -> Result<()> {
    let case = parts.case;
    let grads = || case.inputs.iter().filter_map(|input| input.grad.as_ref());
    let seeds: Vec<_> = outputs.iter().copied().zip(cotangents).collect();
    let plain = tape.backward_many(seeds.iter().copied());
    let plain = plain.and_then(|grads| leaves.iter().map(|x| grads.wrt(*x).cloned()).collect());
    parts.compare("grad", "plain", plain, grads());

    let cotangents: Vec<V> = cotangents.iter().map(|g| tape.var(g)).collect();
    let seeds: Vec<_> = outputs.iter().copied().zip(cotangents.iter().copied()).collect();
    let recorded = tape.vjp_many(&seeds, leaves)?;
    parts.compare("grad", "recorded", values(&recorded), grads());
    if directions.is_empty() {
        return Ok(());
    }
    let along: Vec<_> = leaves.iter().copied().zip(directions).collect();
    parts.compare("jvp", "plain", tape.tangents(outputs, &along), tangents.iter().copied());
    let forward = tape.jvp_many(outputs, along.iter().copied())?;
    parts.compare("jvp", "recorded", values(&forward), tangents.iter().copied());

    let directions: Vec<V> = directions.iter().map(|u| tape.constant(u)).collect();
    let seconds = || case.inputs.iter().filter_map(|input| input.second.as_ref());
    // Reverse over reverse: by the inputs the second order, by the cotangents forward mode once more.
    let everything: Vec<V> = leaves.iter().chain(&cotangents).copied().collect();
    let over = tape.vjp_with(pairing(tape, &recorded, &directions), &Tensor::scalar(1.0), &everything)?;
    let (second, transposed) = over.split_at(leaves.len());
    parts.compare("gg", "reverse", values(second), seconds());
    parts.compare("jvp", "transposed", values(transposed), tangents.iter().copied());
    // Forward over reverse, and reverse over forward.
    let over = tape.jvp_many(&recorded, along.iter().copied())?;
    parts.compare("gg", "forward", values(&over), seconds());
    let over = tape.vjp_with(pairing(tape, &forward, &cotangents), &Tensor::scalar(1.0), leaves)?;
    parts.compare("gg", "mixed", values(&over), seconds());
    Ok(())
}

#[test]
fn the_tolerance_is_relative_to_the_largest_number_and_to_the_noise() {
    let wrong = |a: [f64; 3], b: [f64; 3], noise| differences(&Tensor::from(a), &Tensor::from(b), noise).0;
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    assert_eq!(wrong([nan, inf, -0.0], [nan, inf, 0.0], 0.0), 0);
    assert_eq!(wrong([nan, -inf, inf], [0.0, inf, 0.0], 0.0), 3);
    assert_eq!(wrong([0.0, 1.0, inf], [nan, inf, 1.0], 1.0), 3);
    assert_eq!(wrong([1e-10, 100.0, inf], [0.0, 100.0, inf], 0.0), 0);
    assert_eq!(wrong([1.1e-10, 100.0, inf], [0.0, 100.0, inf], 0.0), 1);
    assert_eq!(wrong([6.3e-4, 1.0, 1.0], [0.0, 1.0, 1.0], 1e-5), 0);
    assert_eq!(wrong([6.5e-4, 1.0, 1.0], [0.0, 1.0, 1.0], 1e-5), 1);
    let (a, b) = (Tensor::from([1.0]), Tensor::from([[1.0]]));
    assert_eq!(differences(&a, &b, 0.0).0, 1);
}
