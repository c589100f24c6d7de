//! Analytic derivatives against slopes along lines, and the verdict.

use super::examine::{Finding, examine};
use super::line::{Line, Sample};
use super::report::{Check, Row, Verdict};
use super::settings::Settings;
use crate::error::Result;
use crate::shape::unravel;
use rayon::prelude::*;

/// Lines that are looked at a second time together: many enough for the threads, few enough for the memory.
const TOGETHER: usize = 8;

/// A derivative and the line that it is the slope of.
pub(super) struct Entry<'a> {
    pub(super) line: usize,
    pub(super) sample: Sample<'a>,
    pub(super) analytic: f64,
    /// The element of the input, if the line is along one.
    pub(super) index: Option<usize>,
    /// The element of the output, if the sample is one.
    pub(super) output: Option<usize>,
}

/// What one comparison comes to.
#[derive(Clone, Copy)]
struct Judged {
    numeric: f64,
    error: f64,
    tolerance: f64,
    verdict: Verdict,
}

impl Judged {
    /// The error in units of the tolerance.
    fn ratio(&self) -> f64 {
        ratio(self.error, self.tolerance)
    }

    fn rank(&self) -> (u8, f64) {
        (self.verdict.severity(), self.ratio())
    }
}

/// An error in units of its tolerance.
pub(super) fn ratio(error: f64, tolerance: f64) -> f64 {
    let ratio = if error == 0.0 { 0.0 } else { error / tolerance };
    if ratio.is_nan() { f64::INFINITY } else { ratio }
}

/// |a − b|; nothing between equals, NaNs included, and infinity between a number and what is none.
pub(super) fn distance(a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    let distance = (a - b).abs();
    if distance.is_nan() { f64::INFINITY } else { distance }
}

/// Compares every entry with its line, those in doubt with more of it, and gives the row of the worst and which that
/// is.
pub(super) fn compare(
    settings: &Settings,
    check: Check,
    (input, shape, output_shape): (usize, &[usize], &[usize]),
    lines: &mut [Line<'_>],
    entries: &[Entry<'_>],
) -> Result<(Row, usize)> {
    let tolerance = base_tolerance(settings, check, lines, entries);
    let mut judged: Vec<(usize, Judged)> = Vec::new();
    let mut doubtful: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    let mut urgency: Vec<f64> = vec![0.0; lines.len()];
    for (at, entry) in entries.iter().enumerate() {
        let (first, doubt) = first_look(settings, &lines[entry.line], entry, tolerance);
        if doubt {
            doubtful[entry.line].push(at);
            urgency[entry.line] = urgency[entry.line].max(first.ratio());
        } else {
            judged.push((at, first));
        }
    }
    let mut order: Vec<usize> = (0..lines.len()).filter(|&line| !doubtful[line].is_empty()).collect();
    order.sort_by(|&a, &b| urgency[b].total_cmp(&urgency[a]));
    for chunk in order.chunks(TOGETHER) {
        let found: Vec<(usize, Judged)> = lines
            .par_iter_mut()
            .enumerate()
            .filter(|(line, _)| chunk.contains(line))
            .map(|(at, line)| {
                line.refine()?;
                let judge = |&entry: &usize| (entry, second_look(line, &entries[entry], tolerance));
                let found: Vec<_> = doubtful[at].iter().map(judge).collect();
                line.coarsen();
                Ok(found)
            })
            .collect::<Result<Vec<_>>>()?
            .concat();
        judged.extend(found);
        // What is wrong beyond doubt decides the row; the rest need not be looked at.
        if judged.iter().any(|(_, judged)| judged.verdict == Verdict::Wrong) {
            break;
        }
    }
    let mut row = Row::new(check, Some(input), shape, entries.len());
    let worst = judged.iter().reduce(|a, b| {
        let ((grave_a, ratio_a), (grave_b, ratio_b)) = (a.1.rank(), b.1.rank());
        if grave_b.cmp(&grave_a).then(ratio_b.total_cmp(&ratio_a)).is_gt() { b } else { a }
    });
    if let Some((at, worst)) = worst {
        let entry = &entries[*at];
        row.index = entry.index.map(|index| unravel(index, shape));
        row.output = entry.output.map(|output| unravel(output, output_shape));
        (row.analytic, row.numeric) = (entry.analytic, worst.numeric);
        (row.error, row.tolerance, row.verdict) = (worst.error, worst.tolerance, worst.verdict);
    }
    Ok((row, worst.map_or(0, |worst| worst.0)))
}

/// max(absolute, relative · size), where the size is that of the largest derivative that both sides agree to be as
/// large: a single value that is wildly wrong must not excuse the others.
fn base_tolerance(settings: &Settings, check: Check, lines: &[Line<'_>], entries: &[Entry<'_>]) -> f64 {
    let largest = |sizes: &mut dyn Iterator<Item = f64>| sizes.filter(|x| x.is_finite()).fold(0.0, f64::max);
    let size = largest(&mut entries.iter().map(|entry| {
        let slopes = lines[entry.line].slopes(entry.sample, 0.0);
        slopes[0].central.abs().min(if entry.analytic.is_nan() { 0.0 } else { entry.analytic.abs() })
    }));
    let scale = largest(&mut entries.iter().map(|entry| lines[entry.line].size(entry.sample)));
    let (absolute, relative) = settings.tolerances(check);
    let absolute = absolute.unwrap_or_else(|| settings.tolerance(check) * scale.min(1.0));
    absolute.max(relative * size).max(settings.precision.tiny)
}

/// The comparison by five points, and whether it leaves doubt: a mismatch, or one-sided slopes that bend more than a
/// smooth function's.
fn first_look(settings: &Settings, line: &Line<'_>, entry: &Entry<'_>, tolerance: f64) -> (Judged, bool) {
    let slopes = line.slopes(entry.sample, line.noise(entry.sample))[0];
    let error = distance(entry.analytic, slopes.central);
    let tolerance = tolerance + slopes.central_noise();
    let h = slopes.h / line.unit;
    let smooth = settings.precision.bend * slopes.left.abs().max(slopes.right.abs())
        + 100.0 * h.powi(3) * line.size(entry.sample) / line.unit
        + 2.0 * slopes.bend_noise();
    let wrong = error > tolerance;
    let verdict = if wrong { Verdict::Wrong } else { Verdict::Ok };
    (Judged { numeric: slopes.central, error, tolerance, verdict }, wrong || slopes.bend().abs() > smooth)
}

fn second_look(line: &Line<'_>, entry: &Entry<'_>, tolerance: f64) -> Judged {
    let a = entry.analytic;
    let against = |numeric: f64, uncertainty: f64, good: Verdict| {
        let (error, tolerance) = (distance(a, numeric), tolerance + 2.0 * uncertainty);
        Judged { numeric, error, tolerance, verdict: if error <= tolerance { good } else { Verdict::Wrong } }
    };
    let without =
        |numeric: f64, verdict: Verdict| Judged { numeric, error: distance(a, numeric), tolerance, verdict };
    match examine(line, entry.sample) {
        Finding::Smooth { slope, uncertainty, near: None } => against(slope, uncertainty, Verdict::Ok),
        Finding::Smooth { slope, uncertainty, near: Some(distance) } => {
            against(slope, uncertainty, Verdict::NearKink { distance })
        }
        Finding::OneSided { slope, uncertainty } if a.is_finite() => against(slope, uncertainty, Verdict::Ok),
        Finding::Kink { left, right, uncertainty } => {
            let slack = tolerance + 1e-3 * (right - left).abs() + 2.0 * uncertainty;
            let subgradient = left.min(right) - slack <= a && a <= left.max(right) + slack;
            without(0.5 * (left + right), Verdict::Kink { left, right, subgradient })
        }
        Finding::Step { below, above } => without(f64::NAN, Verdict::Step { below, above }),
        // What stays infinite however it is moved is a constant: a mask.
        Finding::Nothing if a == 0.0 && is_masked(line, entry.sample) => without(0.0, Verdict::Ok),
        Finding::Nothing | Finding::OneSided { .. } => without(f64::NAN, Verdict::NotFinite),
    }
}

/// Whether the value is the same infinity at every step.
fn is_masked(line: &Line<'_>, sample: Sample<'_>) -> bool {
    let here = line.here(sample);
    here.is_infinite() && line.sides(sample).iter().flatten().all(|&y| y == here)
}
