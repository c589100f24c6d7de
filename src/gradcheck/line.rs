//! A function along a line: values at steps that shrink, and the slopes from them.

use super::precision::Precision;
use crate::error::Result;
use rayon::prelude::*;

/// How many values on each side the rounding noise is measured from.
const SAMPLES: usize = 8;

/// A vector of numbers that moves with one number, the distance from the point.
pub(super) type Curve<'a> = Box<dyn Fn(f64) -> Result<Vec<f64>> + Sync + Send + 'a>;

/// What is looked at of the vector.
#[derive(Clone, Copy)]
pub(super) enum Sample<'a> {
    /// One of its components.
    Output(usize),
    /// Its inner product with weights; components of weight 0 do not take part.
    Weighted(&'a [f64]),
}

impl Sample<'_> {
    pub(super) fn of(self, values: &[f64]) -> f64 {
        match self {
            Sample::Output(j) => values[j],
            Sample::Weighted(c) => c.iter().zip(values).filter(|(c, _)| **c != 0.0).map(|(c, y)| c * y).sum(),
        }
    }

    /// The size of the numbers that go into it, by which rounding is measured.
    pub(super) fn size(self, values: &[f64]) -> f64 {
        match self {
            Sample::Output(j) => values[j].abs(),
            Sample::Weighted(c) => {
                let terms = c.iter().zip(values).filter(|(c, _)| **c != 0.0).map(|(c, y)| c * y);
                terms.map(|term| term * term).sum::<f64>().sqrt()
            }
        }
    }
}

/// The values a distance `h` below and above the point.
struct Rung {
    h: f64,
    below: Vec<f64>,
    above: Vec<f64>,
}

/// A line through the point and the values on it.
pub(super) struct Line<'a> {
    curve: Curve<'a>,
    /// The values at the point itself.
    here: &'a [f64],
    /// How far the function's argument moves per unit of `h`.
    pub(super) unit: f64,
    /// At steps that halve, the largest first.
    rungs: Vec<Rung>,
    /// Values close together, below and above, once the noise is to be measured.
    close: [Vec<Vec<f64>>; 2],
    /// The noise of the values that their size does not show.
    floor: f64,
    precision: &'static Precision,
}

/// Slopes at one size of step `h`, from the point and two values on each side, `h` and `2h` away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slopes {
    pub(super) h: f64,
    /// (3f(x) − 4f(x−h) + f(x−2h))/2h
    pub(super) left: f64,
    /// (−3f(x) + 4f(x+h) − f(x+2h))/2h
    pub(super) right: f64,
    /// (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h))/12h
    pub(super) central: f64,
    /// What rounding may add to a value, over h; a slope's part of it is the sum of its coefficients.
    pub(super) noise: f64,
}

impl Slopes {
    /// Right minus left: −h³f⁗/2 where f is smooth, the height of the kink where it has one.
    pub(super) fn bend(&self) -> f64 {
        self.right - self.left
    }
    pub(super) fn central_noise(&self) -> f64 {
        1.5 * self.noise
    }
    pub(super) fn side_noise(&self) -> f64 {
        4.0 * self.noise
    }
    pub(super) fn bend_noise(&self) -> f64 {
        8.0 * self.noise
    }
}

impl<'a> Line<'a> {
    /// The values at two sizes of step, which is what one comparison needs.
    pub(super) fn new(
        curve: Curve<'a>,
        here: &'a [f64],
        unit: f64,
        step: f64,
        precision: &'static Precision,
    ) -> Result<Line<'a>> {
        let mut line =
            Line { curve, here, unit, rungs: Vec::new(), close: Default::default(), floor: 0.0, precision };
        line.rungs = vec![line.rung(2.0 * step)?, line.rung(step)?];
        Ok(line)
    }

    /// The same where intermediate values are larger than what comes of them, so that rounding is, too.
    pub(super) fn with_noise(self, floor: f64) -> Line<'a> {
        Line { floor, ..self }
    }

    fn rung(&self, h: f64) -> Result<Rung> {
        Ok(Rung { h, below: (self.curve)(-h * self.unit)?, above: (self.curve)(h * self.unit)? })
    }

    /// Adds the smaller steps and the values that noise is measured from.
    pub(super) fn refine(&mut self) -> Result<()> {
        let step = self.rungs[1].h;
        let halved = |k: usize| step / (k as f64).exp2();
        let finer: Vec<Rung> = (1..=self.precision.halvings)
            .into_par_iter()
            .map(|k| self.rung(halved(k)))
            .collect::<Result<_>>()?;
        let short = step * self.precision.close;
        let side = |sign: f64| -> Result<Vec<Vec<f64>>> {
            let at = |i: usize| (self.curve)(sign * i as f64 * short * self.unit);
            (1..=SAMPLES).into_par_iter().map(at).collect()
        };
        let close = [side(-1.0)?, side(1.0)?];
        self.rungs.extend(finer);
        self.close = close;
        Ok(())
    }

    /// Forgets what [`refine`](Line::refine) added.
    pub(super) fn coarsen(&mut self) {
        self.rungs.truncate(2);
        self.close = Default::default();
    }

    /// The value at the point.
    pub(super) fn here(&self, sample: Sample<'_>) -> f64 {
        sample.of(self.here)
    }

    /// The values below and above at each step, the largest step first.
    pub(super) fn sides(&self, sample: Sample<'_>) -> Vec<[f64; 2]> {
        self.rungs.iter().map(|rung| [sample.of(&rung.below), sample.of(&rung.above)]).collect()
    }

    /// The size of the finite values at the largest steps.
    pub(super) fn size(&self, sample: Sample<'_>) -> f64 {
        let values = self.rungs[..2].iter().flat_map(|rung| [&rung.below[..], &rung.above]);
        let sizes = values.chain([self.here]).map(|values| sample.size(values));
        sizes.filter(|size| size.is_finite()).fold(0.0, f64::max)
    }

    /// How far off a value may be: two roundings of its size, or four times the noise that was measured, whichever
    /// is more.
    pub(super) fn noise(&self, sample: Sample<'_>) -> f64 {
        let measured = self.close.iter().filter_map(|side| {
            let values: Vec<f64> = side.iter().map(|values| sample.of(values)).collect();
            scatter(values)
        });
        let measured = measured.reduce(f64::min).unwrap_or(0.0);
        (2.0 * self.precision.epsilon * self.size(sample)).max(4.0 * measured).max(self.floor)
    }

    /// The slopes at each size of step, the largest first, given the noise of the values.
    pub(super) fn slopes(&self, sample: Sample<'_>, noise: f64) -> Vec<Slopes> {
        let y = self.here(sample);
        let pair = |two: &[Rung]| {
            let (outer, inner) = (&two[0], &two[1]);
            let h = inner.h * self.unit;
            let [b, c] = [&outer.below, &inner.below].map(|values| sample.of(values));
            let [d, e] = [&inner.above, &outer.above].map(|values| sample.of(values));
            Slopes {
                h,
                // Differences first, so that a constant gives 0 and a large one no noise of its own.
                left: (4.0 * (y - c) - (y - b)) / (2.0 * h),
                right: (4.0 * (d - y) - (e - y)) / (2.0 * h),
                central: ((b - e) + 8.0 * (d - c)) / (12.0 * h),
                noise: noise / h,
            }
        };
        self.rungs.windows(2).map(pair).collect()
    }
}

/// The standard deviation of the noise in values at equal distances, from their fourth differences, in which a
/// smooth function is as good as gone: each is the sum of five errors with the coefficients 1, 4, 6, 4, 1.
fn scatter(mut values: Vec<f64>) -> Option<f64> {
    for _ in 0..4 {
        values = values.windows(2).map(|two| two[1] - two[0]).collect();
    }
    let mean = values.iter().map(|d| d * d).sum::<f64>() / values.len() as f64;
    Some((mean / 70.0).sqrt()).filter(|_| !values.is_empty() && mean.is_finite())
}

/// The derivative at 0 of a function of one number to many, by five points `h` apart.
#[cfg(test)]
pub(crate) fn five_points(h: f64, at: impl Fn(f64) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
    let [a, b, c, d] = [at(-2.0 * h)?, at(-h)?, at(h)?, at(2.0 * h)?];
    Ok((0..a.len()).map(|i| ((a[i] - d[i]) + 8.0 * (c[i] - b[i])) / (12.0 * h)).collect())
}
