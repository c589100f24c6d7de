//! The conformance table: every operation's samples, each checked for everything that must hold of it.
//!
//! [`case`] holds the first order: reverse and forward mode against 5-point differences and against each other,
//! the fused kernel against the written rule, the recorded sweep against the unrecorded one, f32 against f64, and
//! views of every layout against their copies. [`orders`] holds the second and the third: both modes against
//! differences of the order below, every nesting of the modes against reverse over reverse, inputs that fan out,
//! tapes that are swept again, and zeros. [`coverage`] proves from the sources that no public operation is missing.
//!
//! While an operation is written, `CONFORMANCE=softmax cargo test --lib conforms` runs the samples of that name alone.

mod case;
mod coverage;
mod inputs;
mod layout;
mod missing_rules;
mod of_the_tape;
mod orders;
mod wrong_orders;
mod wrong_rules;

pub(crate) use inputs::{Inputs, Sample, binary, rank3, sample, shapes, unary, values, wrong};

use crate::tape::Tape;
use crate::tensor::Generator;
use case::Case;
use inputs::random;
use layout::{LAYOUTS, Layout};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// What a sample went through.
#[derive(Default)]
struct Found {
    checks: usize,
    /// Whether some second derivative is not zero.
    curved: bool,
    /// The operations on its tapes, those of its rules at every order included.
    operations: BTreeSet<String>,
}

/// Runs a sample through the table; panics on the first thing that does not hold.
fn check(sample: &Sample) -> Found {
    let mut found = Found::default();
    let mut random_numbers =
        Generator::new(sample.name.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())));
    for case in &sample.inputs.cases {
        if let Some(text) = sample.wrong {
            let x: Vec<_> =
                case.iter().map(|(s, r)| random(s, *r, &sample.inputs, &mut random_numbers)).collect();
            let tape = Tape::new();
            let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
            let error = (sample.f64)(&vars).sum().backward().err();
            let error = error.unwrap_or_else(|| panic!("{}: no error, wanted {text:?}", sample.name));
            assert_eq!(error.kind().to_string(), text, "{}", sample.name);
            assert_eq!(error.operation(), Some(sample.name), "{error}");
            let line = error.location().expect("an operation knows its line");
            assert!(line.file().contains("src/ops/"), "{}: {line}", sample.name);
            found.checks += 1;
            continue;
        }
        for layout in LAYOUTS {
            if !case.iter().any(|(shape, _)| layout.suits(shape))
                || (sample.inputs.distinct && layout == Layout::Broadcast)
            {
                continue;
            }
            let x: Vec<_> = case
                .iter()
                .map(|(shape, range)| {
                    let x = random(shape, *range, &sample.inputs, &mut random_numbers);
                    if layout.suits(shape) { layout.lay(&x) } else { x }
                })
                .collect();
            let shapes: Vec<_> = x.iter().map(|x| x.shape().to_vec()).collect();
            let what = format!("{} on {shapes:?} {layout:?}", sample.name);
            let case = Case::new(sample, x, what);
            let point = case.first_order(&mut random_numbers);
            case.higher_orders(&point, &mut found, layout == Layout::Contiguous);
            case.single_precision(&point);
            found.checks += case.checks();
        }
    }
    found
}

#[test]
fn every_operation_conforms() {
    let start = std::time::Instant::now();
    let mut samples = crate::ops::samples();
    samples.extend(of_the_tape::samples());
    let only = std::env::var("CONFORMANCE").ok();
    samples.retain(|sample| only.as_ref().is_none_or(|name| sample.name.contains(name)));
    let run = |sample: &Sample| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(sample))).map_err(|panic| match panic
            .downcast::<String>(
        ) {
            Ok(text) => *text,
            Err(other) => format!("{}: {:?}", sample.name, other.downcast_ref::<&str>()),
        })
    };
    let results: Vec<_> = samples.par_iter().map(run).collect();
    let seconds = start.elapsed().as_secs_f64();
    let failures: Vec<_> = results.iter().filter_map(|result| result.as_ref().err().cloned()).collect();
    assert!(failures.is_empty(), "{} of {} samples:\n{}", failures.len(), samples.len(), failures.join("\n"));

    let found: Vec<Found> = results.into_iter().flatten().collect();
    let n: usize = found.iter().map(|found| found.checks).sum();
    let right = samples.iter().filter(|sample| sample.wrong.is_none()).count();
    let curved = found.iter().filter(|found| found.curved).count();
    let operations: BTreeSet<String> = found.into_iter().flat_map(|found| found.operations).collect();
    if let Some(name) = only {
        return println!("{n} checks of {right} samples named {name:?} in {seconds:.1} s");
    }
    coverage::every_node_is_met(&operations);
    println!(
        "{} public operations and {} kinds of nodes in {right} samples, of which {} have no second derivative, \
         and {} wrong uses: {n} checks in {seconds:.1} s",
        coverage::public_operations().len(),
        operations.len(),
        right - curved,
        samples.len() - right,
    );
    assert!(n >= 300_000, "only {n} checks");
    assert!(curved >= 150, "only {curved} samples have second derivatives to be wrong about");
}
