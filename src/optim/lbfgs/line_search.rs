//! A step along a line that satisfies the strong Wolfe conditions.

use crate::error::Result;

/// The decrease wanted, in units of that of the tangent: the first Wolfe condition.
const DECREASE: f64 = 1e-4;
/// The slope that is flat enough, in units of that at the start: the second one.
const FLAT: f64 = 0.9;
/// The most evaluations.
const EVALUATIONS: usize = 40;
/// Roundings by which two values may differ and count as equal.
const ROUNDINGS: f64 = 8.0;

/// Where a line begins.
pub struct Start {
    pub value: f64,
    /// The derivative along the line, which must be negative.
    pub slope: f64,
    /// The first step to try.
    pub first: f64,
    /// The rounding of the values.
    pub epsilon: f64,
}

/// A point on the line.
pub struct Trial<P> {
    pub step: f64,
    pub value: f64,
    pub slope: f64,
    pub point: P,
}

/// An end of the interval in which the step is looked for; nothing is known of a point outside the domain.
#[derive(Clone, Copy)]
struct End {
    step: f64,
    value: f64,
    slope: f64,
    known: bool,
}

/// Searches for a step with `φ(a) ≤ φ(0) + c₁ a φ′(0)` and `|φ′(a)| ≤ c₂ |φ′(0)|` (Nocedal and Wright, algorithms 3.5
/// and 3.6). Where values are equal but for rounding, the first condition is one on slopes, `φ′(a) ≤ (2c₁ − 1) φ′(0)`,
/// which says the same of a parabola (Hager and Zhang 2005). `at` gives nothing outside the domain: the step goes back.
///
/// If the evaluations are used up, the best point with the first condition; nothing if there is none.
pub fn search<P>(
    start: Start,
    mut at: impl FnMut(f64) -> Result<Option<Trial<P>>>,
) -> Result<Option<Trial<P>>> {
    let Start { value, slope, first, epsilon } = start;
    // NaN is no descent either.
    if !(slope < 0.0) {
        return Ok(None);
    }
    let noise = ROUNDINGS * epsilon * value.abs();
    let lower = |t: &Trial<P>| t.value <= value + DECREASE * t.step * slope;
    let level = |t: &Trial<P>| (t.value - value).abs() <= noise && t.slope <= (2.0 * DECREASE - 1.0) * slope;
    let mut low = End { step: 0.0, value, slope, known: true };
    let mut high: Option<End> = None;
    let mut best = None;
    let mut step = first;
    let mut bracketed = 0;
    for _ in 0..EVALUATIONS {
        match at(step)? {
            None => high = Some(End { step, value: f64::NAN, slope: f64::NAN, known: false }),
            Some(t) => {
                let end = End { step, value: t.value, slope: t.slope, known: true };
                if (lower(&t) || level(&t)) && t.value <= low.value + noise {
                    if t.slope.abs() <= -FLAT * slope {
                        return Ok(Some(t));
                    }
                    // The far end stays if the values fall towards it.
                    let falls = match high {
                        None => t.slope < 0.0,
                        Some(high) => t.slope * (high.step - step) < 0.0,
                    };
                    if high.is_none() && falls {
                        step = farther(low, end, noise);
                    } else if !falls {
                        high = Some(low);
                    }
                    low = end;
                    if lower(&t) {
                        best = Some(t);
                    }
                } else {
                    high = Some(end);
                }
            }
        }
        if let Some(high) = high {
            bracketed += 1;
            let width = high.step - low.step;
            // The share of the interval, not too close to an end; its middle now and then, so that it shrinks.
            let share = match high.known {
                false => AWAY,
                true if bracketed % 3 == 0 => 0.5,
                true => ((minimiser(low, high, noise) - low.step) / width).clamp(0.1, 0.9),
            };
            step = low.step + width * if share.is_nan() { 0.5 } else { share };
            if step == low.step || step == high.step {
                break;
            }
        }
    }
    Ok(best)
}

/// The share of an interval whose far end is outside the domain.
const AWAY: f64 = 0.25;

/// Beyond two points on a slope: where the two say the minimum is, at least as far again and at most nine times.
fn farther(from: End, to: End, noise: f64) -> f64 {
    let width = to.step - from.step;
    let guess = minimiser(from, to, noise);
    let far = if guess > to.step { guess - to.step } else { f64::INFINITY };
    to.step + far.clamp(width, 9.0 * width)
}

/// The minimum of the cubic through two ends (equation 3.59), or of the parabola through their slopes where their values
/// are equal but for rounding. NaN if there is none.
fn minimiser(a: End, b: End, noise: f64) -> f64 {
    let width = b.step - a.step;
    if (a.value - b.value).abs() <= noise {
        return a.step - a.slope * width / (b.slope - a.slope);
    }
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let d2 = width.signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step for a function and its derivative, and how many evaluations it took.
    fn step(first: f64, f: impl Fn(f64) -> (f64, f64)) -> (Option<f64>, usize) {
        let (value, slope) = f(0.0);
        let mut count = 0;
        let start = Start { value, slope, first, epsilon: f64::EPSILON };
        let found = search(start, |step| {
            count += 1;
            let (value, slope) = f(step);
            Ok((value.is_finite() && slope.is_finite()).then_some(Trial { step, value, slope, point: () }))
        });
        let found = found.unwrap();
        if let Some(t) = &found {
            assert!(t.value <= value + DECREASE * t.step * slope, "{}", t.step);
            assert_eq!((t.value, t.slope), f(t.step));
        }
        (found.map(|t| t.step), count)
    }

    /// The functions of Moré and Thuente (1994), from steps that are far too short and far too long.
    #[test]
    fn both_conditions_hold_where_the_search_ends() {
        let rational = |a: f64| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2));
        let steep = |a: f64| {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        };
        let cosh = |a: f64| ((a - 3.0).cosh(), (a - 3.0).sinh());
        let wiggle = |a: f64| {
            ((3.0 * a).sin() - 2.0 * (0.1 * a).sin() - a, 3.0 * (3.0 * a).cos() - 0.2 * (0.1 * a).cos() - 1.0)
        };
        let reflected = |a: f64| wiggle(a + 0.8);
        let functions: [&dyn Fn(f64) -> (f64, f64); 4] = [&rational, &steep, &cosh, &reflected];
        for (i, f) in functions.iter().enumerate() {
            for first in [1e-3, 1e-1, 1.0, 1e1, 1e3] {
                let (found, count) = step(first, f);
                let slope = f(found.expect("a step")).1;
                assert!(slope.abs() <= FLAT * f(0.0).1.abs(), "{i} {first}: {found:?} {slope}");
                assert!(count <= 20, "{i} {first}: {count}");
            }
        }
    }

    #[test]
    fn a_step_that_is_right_at_once_takes_one_evaluation() {
        assert_eq!(step(1.0, |a| ((a - 1.0).powi(2), 2.0 * (a - 1.0))), (Some(1.0), 1));
        // Decrease without flatness, and flatness (the slope changes its sign) without decrease.
        let (found, count) = step(0.02, |a| ((a - 1.0).powi(2), 2.0 * (a - 1.0)));
        assert!((found.unwrap() - 0.2).abs() < 1e-15 && count == 2);
        let (found, count) = step(2.0, |a| ((a - 1.0).powi(2), 2.0 * (a - 1.0)));
        assert_eq!((found, count), (Some(1.0), 2));
    }

    #[test]
    fn outside_the_domain_it_turns_back() {
        for edge in [1.0, 0.3, 1e-3, 1e-9] {
            // A barrier just behind the minimum: −ln(edge − a) + 2a/edge falls until a = edge/2.
            let barrier = |a: f64| match edge - a {
                left if left > 0.0 => (-left.ln() - 3.0 * a / edge, 1.0 / left - 3.0 / edge),
                _ => (f64::NAN, f64::INFINITY),
            };
            let (found, count) = step(1.0, barrier);
            assert!(found.is_some_and(|a| a < edge) && count <= 35, "{edge} {found:?} {count}");
        }
        assert_eq!(step(1.0, |a| if a == 0.0 { (1.0, -1.0) } else { (f64::NAN, 0.0) }), (None, EVALUATIONS));
    }

    #[test]
    fn what_cannot_be_descended_gives_nothing() {
        assert_eq!(step(1.0, |_| (1.0, 1.0)), (None, 0));
        assert_eq!(step(1.0, |_| (1.0, 0.0)), (None, 0));
        assert_eq!(step(1.0, |_| (1.0, f64::NAN)), (None, 0));
        // A slope that lies.
        let (found, count) = step(1.0, |a| (1.0 + a, -1.0));
        assert!(found.is_none() && count <= EVALUATIONS);
        // Without a lower bound, the farthest point.
        let (found, count) = step(1.0, |a| (-a, -1.0));
        assert!(found.is_some_and(|a| a > 1e30) && count == EVALUATIONS);
    }

    /// 1 + 1e-17 (a − 1)² is 1 wherever it is looked at; the slopes know more.
    #[test]
    fn below_the_rounding_of_the_values_slopes_decide() {
        let found = search(Start { value: 1.0, slope: -2e-17, first: 1.95, epsilon: f64::EPSILON }, |step| {
            Ok(Some(Trial { step, value: 1.0, slope: 2e-17 * (step - 1.0), point: () }))
        });
        let step = found.unwrap().expect("a step").step;
        assert!((step - 1.0).abs() < 1e-12, "{step}");
    }
}
