//! Which element of a large input is at fault, once a random direction has shown that one is.

use super::checks::Checks;
use super::compare::{Entry, compare};
use super::line::{Curve, Sample};
use super::program::{unit, wide};
use super::report::{Check, Row, Verdict};
use crate::error::Result;
use crate::number::Real;
use crate::tensor::Tensor;

impl<T: Real> Checks<'_, T> {
    /// The row of the element that a failed projection is due to, by halving the direction; the row as it is if no
    /// single element fails by itself. Four evaluations for each halving.
    pub(super) fn located(&self, row: Row, input: usize, k: usize, v: &Tensor<T>) -> Result<Row> {
        let weights = wide(&self.cotangents[k]);
        let gradient = wide(&self.gradients[k][input]);
        let sample = Sample::Weighted(&weights);
        let v = wide(v);
        // How much goes wrong along a part of the direction: in a sum of parts the parts' amounts add up.
        let amount = |part: &std::ops::Range<usize>| -> Result<f64> {
            let inside = |(i, v): (usize, &f64)| T::from_f64(if part.contains(&i) { *v } else { 0.0 });
            let along = [Tensor::from_iter_in(v.iter().enumerate().map(inside), &row.shape[..])?];
            let line = &self.along(input, &along)?[0];
            let slopes = line.slopes(sample, 0.0)[0];
            let analytic: f64 = part.clone().map(|i| gradient[i] * v[i]).sum();
            Ok(match row.verdict {
                Verdict::Kink { .. } => slopes.bend(),
                _ => slopes.central - analytic,
            })
        };
        let mut part = 0..v.len();
        let mut total = amount(&part)?;
        while part.len() > 1 {
            let middle = part.start + part.len() / 2;
            let first = part.start..middle;
            let found = amount(&first)?;
            if found.abs() >= (total - found).abs() {
                (part, total) = (first, found);
            } else {
                (part, total) = (middle..part.end, total - found);
            }
        }
        let Some(at) = part.next() else { return Ok(row) };
        let x = &self.program.inputs[input];
        let curve: Curve<'_> =
            Box::new(|t| self.program.value_like(&self.program.moved_at(input, at, t)?, self.value.shape()));
        let mut lines = [self.line(curve, &self.here, x.iter().nth(at).map_or(1.0, |x| unit(x.to_f64())))?];
        let entry = Entry { line: 0, sample, analytic: gradient[at], index: Some(at), output: None };
        let about = (input, x.shape(), self.value.shape());
        let (alone, _) = compare(self.settings, Check::Vjp, about, &mut lines, &[entry])?;
        Ok(if alone.passed() { row } else { Row { compared: row.compared, ..alone } })
    }
}
