//! A second look where a comparison is in doubt: how the slopes behave as the step shrinks.
//!
//! Where the function is smooth, left and right slopes meet, as h³. At a kink each settles at a value of its own. At a
//! step the values themselves stay apart. A kink beside the point shows at large steps and is gone at small ones.

use super::line::{Line, Sample, Slopes};

/// What a line looks like at the point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Finding {
    /// A slope and how far it is to be trusted; the distance within which a kink or a step lies, if one does.
    Smooth { slope: f64, uncertainty: f64, near: Option<f64> },
    /// The same where the function is finite on one side only.
    OneSided { slope: f64, uncertainty: f64 },
    /// Two slopes, and how far they are to be trusted.
    Kink { left: f64, right: f64, uncertainty: f64 },
    /// Two values.
    Step { below: f64, above: f64 },
    /// No finite values to take differences of.
    Nothing,
}

/// Looks at a line that was refined.
pub(super) fn examine(line: &Line<'_>, sample: Sample<'_>) -> Finding {
    if !line.here(sample).is_finite() {
        return Finding::Nothing;
    }
    let noise = line.noise(sample);
    if let Some(step) = step(line.here(sample), &line.sides(sample), noise) {
        return step;
    }
    let slopes = line.slopes(sample, noise);
    let whole = |s: &&Slopes| s.left.is_finite() && s.right.is_finite();
    let levels: Vec<Slopes> = slopes.iter().filter(whole).copied().collect();
    if levels.len() < 3 {
        return one_sided(&slopes);
    }
    // The finest level that shows a kink, of those that rounding does not touch if there are any.
    let shows = |margin: f64| {
        (2..levels.len()).rev().find(|&k| is_kink(&levels[k - 2..=k], margin * levels[k].bend_noise()))
    };
    let Some(kinked) = shows(256.0).or_else(|| shows(1.0)) else {
        return smooth(&levels, abrupt(&levels));
    };
    // Smaller steps may refute the kink, as long as rounding does not drown what is to be seen.
    let bend = levels[kinked].bend().abs();
    let useful = levels.iter().take_while(|s| 2.0 * s.bend_noise() < bend).count().max(kinked + 1);
    let clean = levels[..useful].iter().rev().take_while(|s| s.bend().abs() < 0.25 * bend).count();
    if clean < 2 {
        let Slopes { left, right, .. } = levels[kinked];
        return Finding::Kink { left, right, uncertainty: levels[kinked].side_noise() };
    }
    let first = useful - clean;
    smooth(&levels[first..], Some(2.0 * levels[first - 1].h))
}

/// Both one-sided slopes settle over three steps, and apart: what of them still moves is small beside their distance.
/// The slopes of a smooth function move at least as much as they differ.
fn is_kink(three: &[Slopes], least: f64) -> bool {
    let last = three[2].bend();
    let settles = |two: &[Slopes]| {
        let moves = (two[1].left - two[0].left).abs().max((two[1].right - two[0].right).abs());
        moves <= 0.25 * last.abs()
    };
    last.abs() > least && three.windows(2).all(settles)
}

/// The distance to a kink or step that the larger steps reach over and the smaller do not, if there is one: the bend
/// hardly shrinks with the step, or is gone at once. Where the function is smooth it shrinks eightfold, or 2⁵- or
/// 2⁷-fold while the central difference is all but right.
fn abrupt(levels: &[Slopes]) -> Option<f64> {
    let last = levels.last()?.central;
    let at = levels.windows(2).rposition(|two| {
        let (larger, smaller) = (two[0].bend().abs(), two[1].bend().abs());
        let stays = smaller > two[1].bend_noise() && smaller > 0.5 * larger;
        let gone = larger > 40.0 * smaller.max(two[1].bend_noise());
        stays || (gone && (two[0].central - last).abs() > 0.1 * larger)
    })?;
    Some(2.0 * levels[at].h)
}

/// The values on the side that is farther off settle while the step shrinks eightfold, away from the value at the point.
fn step(here: f64, sides: &[[f64; 2]], noise: f64) -> Option<Finding> {
    let last = sides.last()?;
    let gap = |side: usize| (last[side] - here).abs();
    let side = usize::from(gap(1) > gap(0));
    let settled = |four: &[[f64; 2]]| {
        four.windows(2).all(|two| (two[1][side] - two[0][side]).abs() <= 0.25 * gap(side))
    };
    let found = gap(side) > 8.0 * noise && sides.len() >= 4 && settled(&sides[sides.len() - 4..]);
    found.then_some(Finding::Step { below: last[0], above: last[1] })
}

fn one_sided(slopes: &[Slopes]) -> Finding {
    for side in [|s: &Slopes| s.left, |s: &Slopes| s.right] {
        let pairs: Vec<(f64, f64)> =
            slopes.iter().map(|s| (side(s), s.side_noise())).filter(|(slope, _)| slope.is_finite()).collect();
        if let Some((slope, uncertainty)) = best(&pairs) {
            return Finding::OneSided { slope, uncertainty };
        }
    }
    Finding::Nothing
}

/// The slope by central differences, or by the mean of the one-sided ones where that is more certain: there it is
/// exact for a second derivative that jumps.
fn smooth(levels: &[Slopes], near: Option<f64>) -> Finding {
    // How far the two sides differ bounds what a kink within the step does to either estimate, seen or not.
    let bend = |s: &Slopes| s.bend().abs();
    let central: Vec<_> = levels.iter().map(|s| (s.central, s.central_noise() + bend(s))).collect();
    let mean: Vec<_> = levels.iter().map(|s| (0.5 * (s.left + s.right), s.side_noise() + bend(s))).collect();
    match [best(&central), best(&mean)].into_iter().flatten().min_by(|a, b| a.1.total_cmp(&b.1)) {
        // Where there is one kink there may be several, whose bends cancel in part.
        Some((slope, doubt)) => {
            Finding::Smooth { slope, uncertainty: if near.is_some() { 4.0 * doubt } else { doubt }, near }
        }
        None => Finding::Nothing,
    }
}

/// Of estimates with their noise, at steps that halve, the one that its neighbour and all finer ones bear out best,
/// and how far it may be off.
fn best(estimates: &[(f64, f64)]) -> Option<(f64, f64)> {
    let doubt = |k: usize| {
        let (slope, noise) = estimates[k];
        let later = estimates[k + 1..].iter().map(|(other, noise)| (other - slope).abs() - 2.0 * noise);
        noise + later.fold((slope - estimates[k - 1].0).abs(), f64::max)
    };
    let doubts = (1..estimates.len()).map(|k| (estimates[k].0, doubt(k)));
    doubts.min_by(|a, b| a.1.total_cmp(&b.1))
}
