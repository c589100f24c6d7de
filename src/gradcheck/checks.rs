//! The checks one by one: what is compared with what.

use super::Modes;
use super::compare::{Entry, compare, distance, ratio};
use super::line::{Curve, Line, Sample};
use super::program::{Program, cotangent, direction, unit, wide};
use super::report::{Check, Report, Row, Verdict};
use super::settings::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::unravel;
use crate::tensor::{Generator, Tensor};
use rayon::prelude::*;

/// A function at a point, with what every check needs.
pub(super) struct Checks<'a, T: Real> {
    pub(super) program: Program<'a, T>,
    pub(super) settings: &'a Settings,
    pub(super) value: Tensor<T>,
    pub(super) here: Vec<f64>,
    /// Random cotangents of the value.
    pub(super) cotangents: Vec<Tensor<T>>,
    /// What the sweep makes of them, for each input.
    pub(super) gradients: Vec<Vec<Tensor<T>>>,
}

/// A derivative, or the rule that it lacks.
type OrNoRule<X> = std::result::Result<X, Verdict>;

impl<'a, T: Real> Checks<'a, T> {
    pub(super) fn new(program: Program<'a, T>, settings: &'a Settings) -> Result<Checks<'a, T>> {
        let value = program.value(program.inputs)?;
        let cotangents: Vec<_> = (0..settings.projections)
            .map(|k| cotangent(&value, &mut stream(settings.seed, 0, k)))
            .collect::<Result<_>>()?;
        let gradients = cotangents.par_iter().map(|c| program.gradient(c)).collect::<Result<_>>()?;
        Ok(Checks { here: wide(&value), program, settings, value, cotangents, gradients })
    }

    pub(super) fn run(&self) -> Result<Report> {
        let determinism = self.determinism()?;
        if determinism.iter().any(|row| !row.passed()) {
            // Whatever else could be found would be found by chance.
            return Ok(Report { rows: determinism });
        }
        let mut rows = self.first_order()?;
        for (order, check) in [(2, Check::Order2), (3, Check::Order3)] {
            if order <= self.settings.order {
                rows.extend(self.higher_order(order, check)?);
            }
        }
        rows.extend(determinism);
        Ok(Report { rows })
    }

    /// The value and a gradient once more.
    fn determinism(&self) -> Result<Vec<Row>> {
        let again = self.program.value(self.program.inputs)?;
        let mut row = Row::new(Check::Determinism, None, self.value.shape(), self.value.len());
        if let Some(at) = same_bits(&mut row, &self.value, &again) {
            row.output = Some(at);
        }
        let mut rows = vec![row];
        let again = self.program.gradient(&self.cotangents[0])?;
        for (input, (first, second)) in self.gradients[0].iter().zip(&again).enumerate() {
            let mut row = Row::new(Check::Determinism, Some(input), first.shape(), first.len());
            if let Some(at) = same_bits(&mut row, first, second) {
                row.index = Some(at);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// vjp and jvp against the same differences, forward against reverse mode, recorded against unrecorded sweep.
    fn first_order(&self) -> Result<Vec<Row>> {
        let inputs = self.program.inputs;
        let rows_wanted = |x: &Tensor<T>| !x.is_empty() && self.is_whole(x);
        let jacobian = if inputs.iter().any(rows_wanted) { self.jacobian()? } else { Vec::new() };
        let weights: Vec<Vec<f64>> = self.cotangents.iter().map(wide).collect();
        let (mut vjp, mut jvp, mut dot) = (Vec::new(), Vec::new(), Vec::new());
        for (input, x) in inputs.iter().enumerate() {
            let random: Vec<Tensor<T>> = (0..self.settings.projections)
                .map(|k| direction(x, x.len(), &mut stream(self.settings.seed, input + 1, k)))
                .collect::<Result<_>>()?;
            let whole = self.is_whole(x);
            let mut lines = if whole { self.elements(input)? } else { self.along(input, &random)? };
            let found = if whole { self.by_rows(&jacobian, input) } else { self.projected(input, &random) };
            let entry = |(line, output, analytic): (usize, Option<usize>, f64)| Entry {
                line,
                sample: output.map_or_else(|| Sample::Weighted(&weights[line]), Sample::Output),
                analytic,
                index: whole.then_some(line),
                output,
            };
            let entries: Vec<Entry<'_>> = found.into_iter().map(entry).collect();
            let about = (input, x.shape(), self.value.shape());
            let (row, worst) = compare(self.settings, Check::Vjp, about, &mut lines, &entries)?;
            let unplaced = !row.passed() && !whole;
            vjp.push(if unplaced { self.located(row, input, worst, &random[worst])? } else { row });
            if self.settings.modes == Modes::Both {
                let (row, product) = self.forward(input, &random, &mut lines)?;
                jvp.push(row);
                dot.extend(product);
            }
        }
        Ok([vjp, jvp, dot, self.recorded()?].concat())
    }

    /// Whether the Jacobian of an input is compared entry by entry.
    fn is_whole(&self, x: &Tensor<T>) -> bool {
        x.len().max(1).saturating_mul(self.here.len().max(1)) <= self.settings.entries
    }

    /// Forward mode against the differences on the lines, and against the sweep if it has its rules.
    fn forward(
        &self,
        input: usize,
        random: &[Tensor<T>],
        lines: &mut [Line<'_>],
    ) -> Result<(Row, Option<Row>)> {
        let x = &self.program.inputs[input];
        let whole = self.is_whole(x);
        let tangents = match self.tangents(input, random)? {
            Ok(tangents) => tangents,
            Err(verdict) => {
                return Ok((Row { verdict, ..Row::new(Check::Jvp, Some(input), x.shape(), 0) }, None));
            }
        };
        let columns = if whole {
            let hot = (0..x.len()).map(|at| one_hot::<T>(x.shape(), at)).collect::<Result<Vec<_>>>()?;
            self.tangents(input, &hot)?.unwrap_or_default()
        } else {
            Vec::new()
        };
        let along = if whole { &columns } else { &tangents };
        let each = along.iter().enumerate().flat_map(|(line, dy)| {
            dy.iter().enumerate().map(move |(output, &analytic)| (line, output, analytic))
        });
        let entry = |(line, output, analytic): (usize, usize, f64)| Entry {
            line,
            sample: Sample::Output(output),
            analytic,
            index: whole.then_some(line),
            output: Some(output),
        };
        let entries: Vec<Entry<'_>> = each.map(entry).collect();
        let about = (input, x.shape(), self.value.shape());
        let (row, _) = compare(self.settings, Check::Jvp, about, lines, &entries)?;
        Ok((row, Some(self.dot_product(input, random, &tangents))))
    }

    /// Jᵀ applied to each unit cotangent, kept for the inputs that are compared whole.
    fn jacobian(&self) -> Result<Vec<Vec<Vec<f64>>>> {
        let row = |at| {
            let gradients = self.program.gradient(&one_hot(self.value.shape(), at)?)?;
            Ok(gradients.iter().map(|g| if self.is_whole(g) { wide(g) } else { Vec::new() }).collect())
        };
        (0..self.here.len()).into_par_iter().map(row).collect()
    }

    /// Every entry of an input's Jacobian: line, output, derivative.
    fn by_rows(&self, jacobian: &[Vec<Vec<f64>>], input: usize) -> Vec<(usize, Option<usize>, f64)> {
        let rows = jacobian.iter().enumerate();
        rows.flat_map(|(j, row)| row[input].iter().enumerate().map(move |(at, &a)| (at, Some(j), a)))
            .collect()
    }

    /// ⟨Jᵀc, v⟩ for each pair of random c and v.
    fn projected(&self, input: usize, random: &[Tensor<T>]) -> Vec<(usize, Option<usize>, f64)> {
        let along = random.iter().zip(&self.gradients).enumerate();
        along.map(|(k, (v, g))| (k, None, dot(&wide(&g[input]), &wide(v)))).collect()
    }

    /// A line along each element of an input.
    fn elements(&self, input: usize) -> Result<Vec<Line<'_>>> {
        let x = wide(&self.program.inputs[input]);
        let line = |(at, x): (usize, &f64)| {
            let curve: Curve<'_> = Box::new(move |t| {
                self.program.value_like(&self.program.moved_at(input, at, t)?, self.value.shape())
            });
            self.line(curve, &self.here, unit(*x))
        };
        x.par_iter().enumerate().map(line).collect()
    }

    /// A line along each direction in an input.
    pub(super) fn along<'s>(&'s self, input: usize, directions: &'s [Tensor<T>]) -> Result<Vec<Line<'s>>> {
        let line = |v: &'s Tensor<T>| {
            let curve: Curve<'_> = Box::new(move |t| {
                self.program.value_like(&self.program.moved_along(input, v, t)?, self.value.shape())
            });
            self.line(curve, &self.here, 1.0)
        };
        directions.par_iter().map(line).collect()
    }

    pub(super) fn line<'s>(&'s self, curve: Curve<'s>, here: &'s [f64], unit: f64) -> Result<Line<'s>> {
        Line::new(curve, here, unit, self.settings.step, self.settings.precision)
    }

    /// J v for each direction, or the rule that is missing.
    fn tangents(&self, input: usize, directions: &[Tensor<T>]) -> Result<OrNoRule<Vec<Vec<f64>>>> {
        let tangent = |v: &Tensor<T>| self.program.tangent(input, v).map(|dy| wide(&dy));
        or_no_rule(directions.par_iter().map(tangent).collect())
    }

    /// ⟨w, J v⟩ = ⟨Jᵀw, v⟩ up to a few roundings of what goes into the two sums.
    fn dot_product(&self, input: usize, random: &[Tensor<T>], tangents: &[Vec<f64>]) -> Row {
        let shape = self.program.inputs[input].shape();
        let mut row = Row::new(Check::DotProduct, Some(input), shape, random.len());
        for (k, (v, dy)) in random.iter().zip(tangents).enumerate() {
            let (w, v, g) = (wide(&self.cotangents[k]), wide(v), wide(&self.gradients[k][input]));
            let scale = norm(&w) * norm(dy) + norm(&g) * norm(&v);
            let tolerance = self.settings.precision.exact * scale + self.floor(&w) * norm(&v).max(1.0);
            row.keep_worse(dot(&w, dy), dot(&g, &v), tolerance, None);
        }
        // An infinite Jacobian has no products. Where a rule makes it so, the differences tell.
        let finite = row.analytic.is_finite() && row.numeric.is_finite();
        if !row.passed() && !finite {
            row.verdict = Verdict::NotFinite;
        }
        row
    }

    /// The recorded sweep's gradient against the other's.
    fn recorded(&self) -> Result<Vec<Row>> {
        let recorded = or_no_rule(self.program.recorded(&self.cotangents[0]))?;
        let row = |(input, g): (usize, &Tensor<T>)| {
            let mut row = Row::new(Check::Recorded, Some(input), g.shape(), g.len());
            match &recorded {
                Err(verdict) => (row.verdict, row.compared) = (*verdict, 0),
                Ok(recorded) => {
                    let (g, recorded) = (wide(g), wide(&recorded[input]));
                    let size = g.iter().zip(&recorded).map(|(a, b)| a.abs().min(b.abs()));
                    let size = size.filter(|size| size.is_finite()).fold(0.0, f64::max);
                    let floor = self.floor(&wide(&self.cotangents[0]));
                    let tolerance = self.settings.precision.exact * size + floor;
                    for (at, (&a, &b)) in g.iter().zip(&recorded).enumerate() {
                        row.keep_worse(a, b, tolerance, Some(at));
                    }
                }
            }
            row
        };
        Ok(self.gradients[0].iter().enumerate().map(row).collect())
    }

    /// What rounding alone makes of a derivative that is 0 in truth, in units of the inputs.
    fn floor(&self, w: &[f64]) -> f64 {
        let size = Sample::Weighted(w).size(&self.here);
        let precision = self.settings.precision;
        precision.tiny + if size.is_finite() { 16.0 * precision.epsilon * size } else { 0.0 }
    }

    /// The order-th derivative of ⟨c, f⟩ along random directions against differences of the one before.
    fn higher_order(&self, order: usize, check: Check) -> Result<Vec<Row>> {
        let inputs = self.program.inputs;
        let n: usize = inputs.iter().map(Tensor::len).sum();
        let directions: Vec<Vec<Vec<Tensor<T>>>> = (0..self.settings.projections)
            .map(|k| {
                let mut random = stream(self.settings.seed, usize::MAX - order, k);
                let mut all = || inputs.iter().map(|x| direction(x, n, &mut random)).collect();
                (1..order).map(|_| all()).collect::<Result<_>>()
            })
            .collect::<Result<_>>()?;
        let derivative =
            |k: usize, along: &[Vec<Tensor<T>>]| self.program.derivative(inputs, &self.cotangents[k], along);
        let ks = 0..self.settings.projections;
        let (analytic, here): (Vec<_>, Vec<_>) = ks
            .into_par_iter()
            .map(|k| Ok((derivative(k, &directions[k])?, derivative(k, &directions[k][..order - 2])?)))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let mut lines: Vec<Line<'_>> = directions
            .par_iter()
            .enumerate()
            .map(|(k, along)| {
                let curve: Curve<'_> = Box::new(move |t| {
                    let moved = self.program.all_moved(&along[order - 2], t)?;
                    self.program.derivative(&moved, &self.cotangents[k], &along[..order - 2])
                });
                let floor = self.floor(&wide(&self.cotangents[k]));
                Ok(self.line(curve, &here[k], 1.0)?.with_noise(floor))
            })
            .collect::<Result<_>>()?;
        let mut rows = Vec::new();
        let mut offset = 0;
        for (input, x) in inputs.iter().enumerate() {
            let entries: Vec<Entry<'_>> = analytic
                .iter()
                .enumerate()
                .flat_map(|(line, all)| {
                    all[offset..][..x.len()].iter().enumerate().map(move |(i, &a)| (line, i, a))
                })
                .map(|(line, i, analytic)| Entry {
                    line,
                    sample: Sample::Output(offset + i),
                    analytic,
                    index: Some(i),
                    output: None,
                })
                .collect();
            rows.push(compare(self.settings, check, (input, x.shape(), &[]), &mut lines, &entries)?.0);
            offset += x.len();
        }
        Ok(rows)
    }
}

impl Row {
    /// Puts a comparison into the row if it is worse than what stands there.
    fn keep_worse(&mut self, analytic: f64, numeric: f64, tolerance: f64, at: Option<usize>) {
        let error = distance(analytic, numeric);
        if (self.analytic, self.numeric, self.tolerance) == (0.0, 0.0, 0.0)
            || ratio(error, tolerance) > ratio(self.error, self.tolerance)
        {
            (self.analytic, self.numeric, self.error, self.tolerance) = (analytic, numeric, error, tolerance);
            self.index = at.map(|at| unravel(at, &self.shape));
            self.verdict = if error <= tolerance { Verdict::Ok } else { Verdict::Wrong };
        }
    }
}

/// A generator for a purpose and a number. Seeds that lie close together give numbers that do not.
fn stream(seed: u64, purpose: usize, k: usize) -> Generator {
    let seed = Generator::new(seed).bits() ^ (purpose as u64).rotate_left(32) ^ k as u64;
    Generator::new(Generator::new(seed).bits())
}

/// Where two runs differ in their bits; NaNs count as equal.
fn same_bits<T: Real>(row: &mut Row, first: &Tensor<T>, second: &Tensor<T>) -> Option<Vec<usize>> {
    let at = if first.shape() == second.shape() { first.first_difference(second)? } else { 0 };
    let value = |x: &Tensor<T>| x.iter().nth(at).map_or(f64::NAN, T::to_f64);
    (row.analytic, row.numeric) = (value(first), value(second));
    row.error = distance(row.analytic, row.numeric);
    row.verdict = Verdict::NonDeterministic;
    Some(unravel(at, first.shape()))
}

/// A missing rule is a finding, another error is an error.
fn or_no_rule<X>(result: Result<X>) -> Result<OrNoRule<X>> {
    let verdict = |error: &Error| match (error.kind(), error.operation(), error.location()) {
        (&ErrorKind::NoRule { mode }, Some(operation), Some(line)) => {
            Some(Verdict::NoRule { mode, operation, line })
        }
        _ => None,
    };
    match result {
        Ok(found) => Ok(Ok(found)),
        Err(error) => verdict(&error).map(Err).ok_or(error),
    }
}

fn one_hot<T: Real>(shape: &[usize], at: usize) -> Result<Tensor<T>> {
    let n = shape.iter().product();
    Tensor::from_iter_in((0..n).map(|i| if i == at { T::ONE } else { T::ZERO }), shape)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| **a != 0.0 && **b != 0.0).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
