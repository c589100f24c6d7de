//! Profiles: which runs are noted, under which name, line and pass, with which counts.

use retrograde::{AttentionOptions, Conv, Pass, Profile, Tape, Tensor, Var};
use std::time::Duration;

fn rows(profile: &Profile) -> Vec<(&'static str, Pass, usize)> {
    profile.events().iter().map(|event| (event.operation, event.pass, event.flops)).collect()
}

fn flops(f: impl for<'t> Fn(&'t Tape<f64>) -> Var<'t, f64>, operation: &str) -> usize {
    let tape = Tape::new();
    let profiler = tape.profile();
    f(&tape).value().unwrap();
    let events = profiler.report();
    let found: Vec<_> = events.events().iter().filter(|event| event.operation == operation).collect();
    assert_eq!(found.len(), 1, "{operation} in {:?}", rows(&events));
    found[0].flops
}

fn var<'t>(tape: &'t Tape<f64>, shape: &[usize]) -> Var<'t, f64> {
    tape.var(&Tensor::ones(shape).unwrap())
}

#[test]
fn every_run_is_noted_with_its_line_pass_bytes_and_flops() {
    let tape = Tape::new();
    let x = var(&tape, &[3, 4]);
    x.exp();
    let profiler = tape.profile();
    let y = x.tanh();
    let line = line!() - 1;
    let z = y.sum();
    z.backward().unwrap();
    let profile = profiler.report();
    let (forward, reverse) = (Pass::Forward, Pass::Reverse);
    assert_eq!(
        rows(&profile),
        [("tanh", forward, 12), ("sum", forward, 12), ("sum", reverse, 24), ("tanh", reverse, 24)]
    );
    let [tanh, sum, _, back] = profile.events() else { panic!() };
    assert_eq!((tanh.location.file(), tanh.location.line()), (file!(), line));
    assert_eq!(back.location, tanh.location);
    assert_eq!((tanh.bytes, sum.bytes, back.bytes), (2 * 12 * 8, 13 * 8, 4 * 12 * 8));
    assert!(profile.events().windows(2).all(|pair| pair[0].start + pair[0].time <= pair[1].start));
    assert!(profile.events().iter().all(|event| event.thread == 0));
    assert_eq!(profile.total(), profile.events().iter().map(|event| event.time).sum());
}

#[test]
fn forward_sweeps_recorded_sweeps_and_checkpoints_are_seen() {
    let tape = Tape::new();
    let x = var(&tape, &[2]);
    let y = x.sin();
    let profiler = tape.profile();
    tape.tangents(&[y], &[(x, &Tensor::ones([2]).unwrap())]).unwrap();
    assert_eq!(rows(&profiler.report()), [("sin", Pass::Tangent, 4)]);
    profiler.reset();
    tape.vjp(y, &Tensor::ones([2]).unwrap(), [x]).unwrap();
    let recorded = profiler.report();
    assert!(!recorded.events().is_empty());
    assert!(recorded.events().iter().all(|event| event.pass == Pass::Forward));
    profiler.reset();
    let z = tape.checkpoint(&[x], |x| x[0].cos().exp());
    z.sum().backward().unwrap();
    let names: Vec<_> = rows(&profiler.report()).into_iter().map(|row| (row.0, row.1)).collect();
    let (forward, reverse) = (Pass::Forward, Pass::Reverse);
    let again = [("cos", forward), ("exp", forward), ("exp", reverse), ("cos", reverse)];
    assert_eq!(names[names.len() - 4..], again);
    assert!(!names.contains(&("checkpoint", reverse)), "its time is that of what runs inside it");
}

#[test]
fn a_profile_lasts_until_it_is_dropped_and_over_clear() {
    let mut tape = Tape::new();
    let first = tape.profile();
    var(&tape, &[2]).exp();
    tape.clear();
    var(&tape, &[2]).exp();
    assert_eq!(first.report().events().len(), 2);
    // Another one takes over.
    let second = tape.profile();
    var(&tape, &[2]).exp();
    assert_eq!((first.report().events().len(), second.report().events().len()), (2, 1));
    drop(second);
    var(&tape, &[2]).exp();
    assert_eq!(first.report().events().len(), 2);
}

#[test]
fn what_fails_is_not_noted() {
    let tape = Tape::new();
    let profiler = tape.profile();
    let x = var(&tape, &[2, 3]);
    assert!(x.matmul(x).value().is_err());
    assert_eq!(rows(&profiler.report()), []);
}

#[test]
fn sums_are_by_operation_line_and_pass() {
    let tape = Tape::new();
    let profiler = tape.profile();
    let mut x = var(&tape, &[100_000]);
    for _ in 0..5 {
        x = x.tanh();
    }
    x.sum().backward().unwrap();
    let profile = profiler.report();
    let summary = profile.summary();
    assert_eq!(summary.len(), 4);
    assert!(summary.windows(2).all(|pair| pair[0].time >= pair[1].time));
    let tanh = summary.iter().find(|row| row.operation == "tanh" && row.pass == Pass::Reverse).unwrap();
    assert_eq!((tanh.calls, tanh.flops, tanh.bytes), (5, 1_000_000, 5 * 4 * 800_000));
    assert!(tanh.time > Duration::ZERO);
    let text = profile.to_string();
    assert_eq!(text.lines().count(), 1 + 4 + 1);
    assert!(text.lines().skip(1).take(4).all(|line| line.contains("tests/profile.rs:")), "{text}");
}

#[test]
fn a_trace_is_a_list_of_complete_events() {
    let tape = Tape::new();
    let profiler = tape.profile();
    var(&tape, &[4]).exp().sum();
    let trace = profiler.report().to_chrome_trace();
    let lines: Vec<_> = trace.lines().collect();
    assert_eq!((lines[0], lines[3]), ("{\"traceEvents\":[", "]}"));
    assert!(lines[1].starts_with("{\"name\":\"exp\",\"cat\":\"forward\",\"ph\":\"X\",\"ts\":"));
    assert!(lines[1].ends_with(",\"bytes\":64,\"flops\":4}},"), "{}", lines[1]);
    assert!(lines[2].contains("\"name\":\"sum\"") && lines[2].ends_with(",\"flops\":4}}"), "{}", lines[2]);
}

#[test]
fn products_count_their_multiplications_and_additions() {
    let product = |a: &'static [usize], b: &'static [usize]| {
        flops(move |tape| var(tape, a).matmul(var(tape, b)), "matmul")
    };
    assert_eq!(product(&[3, 4], &[4, 5]), 2 * 3 * 4 * 5);
    assert_eq!(product(&[7, 3, 4], &[4, 5]), 2 * 7 * 3 * 4 * 5);
    assert_eq!(product(&[2, 1, 3, 4], &[6, 4, 5]), 2 * 12 * 3 * 4 * 5);
    assert_eq!(product(&[4], &[4, 5]), 2 * 4 * 5);
    assert_eq!(product(&[3, 4], &[4]), 2 * 3 * 4);
    assert_eq!(product(&[4], &[4]), 2 * 4);
    let linear =
        flops(|tape| var(tape, &[2, 3, 4]).linear(var(tape, &[4, 5]), Some(var(tape, &[5]))), "linear");
    assert_eq!(linear, 2 * 6 * 4 * 5);
    let convolution = flops(
        |tape| var(tape, &[2, 3, 8, 8]).conv2d(var(tape, &[5, 3, 3, 3]), None, Conv::default()),
        "convolution",
    );
    assert_eq!(convolution, 2 * (2 * 5 * 6 * 6) * (3 * 3 * 3));
    let attention = flops(
        |tape| {
            let (q, k, v) = (var(tape, &[2, 4, 6, 8]), var(tape, &[2, 4, 10, 8]), var(tape, &[2, 4, 10, 3]));
            q.attention(k, v, AttentionOptions::default())
        },
        "attention",
    );
    assert_eq!(attention, 2 * 8 * 6 * 10 * (8 + 3));
}
