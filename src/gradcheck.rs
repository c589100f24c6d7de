//! Gradients against finite differences.

use crate::error::{Error, ErrorKind, Result};
use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};
use rayon::prelude::*;
use std::fmt;

/// How a gradient check is done. The defaults suit smooth functions of inputs around 1.
///
/// ```
/// use retrograde::{Gradcheck, Tensor};
///
/// let x = Tensor::from([0.5, -1.0, 2.0]);
/// let report = Gradcheck::default().run(|x| (x[0] * x[0].sin()).sum(), &[x])?;
/// assert!(report.passed());
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gradcheck {
    /// The step of the differences at an element x, in units of max(1, |x|): 10⁻³ unless set.
    pub step: f64,
    /// The error allowed whatever the size of the derivative: 10⁻⁹ unless set.
    pub absolute: f64,
    /// The error allowed in units of the largest derivative of the same input: 10⁻⁹ unless set.
    pub relative: f64,
    /// The most entries of a Jacobian that are compared one by one; larger ones are projected. 4 096 unless set.
    pub entries: usize,
    /// Along how many random directions a larger one is compared: 8 unless set.
    pub projections: usize,
    /// The seed of the random directions.
    pub seed: u64,
}

impl Default for Gradcheck {
    fn default() -> Gradcheck {
        Gradcheck { step: 1e-3, absolute: 1e-9, relative: 1e-9, entries: 4096, projections: 8, seed: 0 }
    }
}

/// Checks the gradient of `f` at `inputs` with the default settings, and fails where it is wrong.
///
/// `f` maps variables to a variable of any shape. Its Jacobian by the backward closures is compared with 5-point
/// central differences, `(f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h))/12h`, whose error is of order h⁴. The
/// evaluations run in parallel.
///
/// # Errors
///
/// [`ErrorKind::GradientMismatch`] with the worst element; whatever error `f` gives.
///
/// ```
/// use retrograde::{ErrorKind, Tensor, gradcheck};
///
/// let x = Tensor::from([0.5, -1.0, 2.0]);
/// println!("{}", gradcheck(|x| x[0].tanh(), &[x.clone()])?);
///
/// // A value that is detached is missing from the gradient, and that is found.
/// let error = gradcheck(|x| x[0] * x[0].detach(), &[x]).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::GradientMismatch { input: 0, .. }));
/// # Ok::<(), retrograde::Error>(())
/// ```
pub fn gradcheck<F>(f: F, inputs: &[Tensor<f64>]) -> Result<Report>
where
    F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
{
    Gradcheck::default().run(f, inputs)?.into_result()
}

/// What a gradient check found: for each input its worst element. Prints as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// A row for each input, in order.
    pub rows: Vec<Row>,
}

/// One input's verdict.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Which input.
    pub input: usize,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How many derivatives were compared.
    pub compared: usize,
    /// The element of the input where they differ most, in units of the tolerance; empty for a projection.
    pub index: Vec<usize>,
    /// The derivative by the backward closures there.
    pub analytic: f64,
    /// The derivative by differences there.
    pub numeric: f64,
    /// Their distance.
    pub error: f64,
    /// The distance allowed.
    pub tolerance: f64,
}

impl Row {
    /// Whether the worst element is within the tolerance.
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }
}

impl Report {
    /// Whether every input passed.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(Row::passed)
    }

    /// The report if every input passed, else the first failure as an error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GradientMismatch`].
    pub fn into_result(self) -> Result<Report> {
        match self.rows.iter().find(|row| !row.passed()) {
            None => Ok(self),
            Some(row) => Err(Error::from(ErrorKind::GradientMismatch {
                input: row.input,
                index: row.index.clone(),
                analytic: row.analytic,
                numeric: row.numeric,
                error: row.error,
                tolerance: row.tolerance,
            })),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<6} {:<14} {:>8}  {:<12} {:>17} {:>17} {:>9}  verdict",
            "input", "shape", "compared", "worst at", "analytic", "numeric", "error"
        )?;
        for row in &self.rows {
            let shape = format!("{:?}", row.shape);
            let index = match row.index[..] {
                [] if row.shape.is_empty() => "[]".into(),
                [] => "direction".into(),
                _ => format!("{:?}", row.index),
            };
            let verdict = if row.passed() { "ok" } else { "WRONG" };
            writeln!(
                f,
                "{:<6} {shape:<14} {:>8}  {index:<12} {:>17.10e} {:>17.10e} {:>9.1e}  {verdict}",
                row.input, row.compared, row.analytic, row.numeric, row.error
            )?;
        }
        Ok(())
    }
}

/// Two derivatives of the same thing, and where.
struct Pair {
    index: Vec<usize>,
    analytic: f64,
    numeric: f64,
}

impl Gradcheck {
    /// Compares, and reports what was found, right or wrong.
    ///
    /// # Errors
    ///
    /// Whatever error `f` gives; [`ErrorKind::Argument`] for a step that is not positive.
    pub fn run<F>(&self, f: F, inputs: &[Tensor<f64>]) -> Result<Report>
    where
        F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
    {
        if self.step.is_nan() || self.step <= 0.0 {
            let found = self.step.to_string();
            return Err(
                ErrorKind::Argument { name: "step", found, wanted: "a positive number".into() }.into()
            );
        }
        let value = evaluate(&f, inputs)?;
        let scale = value.iter().filter(|y| y.is_finite()).fold(0.0, |a: f64, y| a.max(y.abs()));
        let rows = (0..inputs.len()).map(|input| {
            let pairs = if inputs[input].len().saturating_mul(value.len()) <= self.entries {
                self.entry_by_entry(&f, inputs, input, &value)?
            } else {
                self.projected(&f, inputs, input, &value)?
            };
            Ok(self.row(input, inputs[input].shape(), scale, pairs))
        });
        Ok(Report { rows: rows.collect::<Result<_>>()? })
    }

    /// The whole Jacobian: a sweep for each output, four evaluations for each element of the input.
    fn entry_by_entry<F>(
        &self,
        f: &F,
        inputs: &[Tensor<f64>],
        input: usize,
        value: &Tensor<f64>,
    ) -> Result<Vec<Pair>>
    where
        F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
    {
        let x = &inputs[input];
        let one_hot = |shape: &[usize], at: usize| {
            Tensor::from_iter_in((0..shape.iter().product()).map(|i| f64::from(u8::from(i == at))), shape)
        };
        let columns: Vec<Vec<f64>> = (0..x.len())
            .into_par_iter()
            .map(|at| {
                let direction = one_hot(x.shape(), at)?;
                let size = x.iter().nth(at).map_or(1.0, |x| x.abs().max(1.0));
                self.directional(f, inputs, input, &direction, self.step * size)
            })
            .collect::<Result<_>>()?;
        let rows: Vec<Vec<f64>> = (0..value.len())
            .into_par_iter()
            .map(|at| Ok(gradient(f, inputs, input, &one_hot(value.shape(), at)?)?.to_vec()))
            .collect::<Result<_>>()?;
        let mut pairs = Vec::with_capacity(rows.len() * columns.len());
        for (at, column) in columns.iter().enumerate() {
            for (row, &numeric) in rows.iter().zip(column) {
                pairs.push(Pair { index: unravel(at, x.shape()), analytic: row[at], numeric });
            }
        }
        Ok(pairs)
    }

    /// ⟨c, J v⟩ by differences against ⟨Jᵀc, v⟩ by a sweep, for random c and v.
    fn projected<F>(
        &self,
        f: &F,
        inputs: &[Tensor<f64>],
        input: usize,
        value: &Tensor<f64>,
    ) -> Result<Vec<Pair>>
    where
        F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
    {
        let x = &inputs[input];
        (0..self.projections)
            .into_par_iter()
            .map(|k| {
                let mut random = Generator::new(self.seed ^ ((k as u64) << 32) ^ input as u64);
                let v = Tensor::normal(x.shape(), 0.0, 1.0 / (x.len() as f64).sqrt(), &mut random)?;
                let c = Tensor::normal(value.shape(), 0.0, 1.0, &mut random)?;
                let size = x.iter().fold(1.0, |a: f64, x| a.max(x.abs()));
                let along = self.directional(f, inputs, input, &v, self.step * size)?;
                let numeric = along.iter().zip(&c).map(|(a, c)| a * c).sum();
                let analytic = gradient(f, inputs, input, &c)?.iter().zip(&v).map(|(g, v)| g * v).sum();
                Ok(Pair { index: vec![], analytic, numeric })
            })
            .collect()
    }

    /// (f(x−2hv) − 8f(x−hv) + 8f(x+hv) − f(x+2hv))/12h, each output.
    fn directional<F>(
        &self,
        f: &F,
        inputs: &[Tensor<f64>],
        input: usize,
        v: &Tensor<f64>,
        h: f64,
    ) -> Result<Vec<f64>>
    where
        F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
    {
        five_points(h, |t| {
            let mut moved = inputs.to_vec();
            moved[input] = inputs[input].try_add(&(v * t))?;
            Ok(evaluate(f, &moved)?.to_vec())
        })
    }

    fn row(&self, input: usize, shape: &[usize], scale: f64, pairs: Vec<Pair>) -> Row {
        let largest = pairs.iter().flat_map(|p| [p.analytic.abs(), p.numeric.abs()]);
        let largest = largest.filter(|size| size.is_finite()).fold(0.0, f64::max);
        // The differences themselves are only as good as the values they are taken of.
        let noise = 8.0 * f64::EPSILON * scale / self.step;
        let tolerance = self.absolute + self.relative * largest + noise;
        let compared = pairs.len();
        let error = |p: &Pair| {
            // NaN against NaN agrees; NaN against a number is as wrong as can be.
            if p.analytic == p.numeric || (p.analytic.is_nan() && p.numeric.is_nan()) {
                0.0
            } else {
                let error = (p.analytic - p.numeric).abs();
                if error.is_nan() { f64::INFINITY } else { error }
            }
        };
        let worst = pairs.into_iter().max_by(|a, b| error(a).total_cmp(&error(b)));
        let worst = worst.unwrap_or(Pair { index: vec![], analytic: 0.0, numeric: 0.0 });
        Row {
            input,
            shape: shape.to_vec(),
            compared,
            error: error(&worst),
            index: worst.index,
            analytic: worst.analytic,
            numeric: worst.numeric,
            tolerance,
        }
    }
}

/// The derivative at 0 of a function of one number to many, by five points `h` apart.
pub(crate) fn five_points(h: f64, at: impl Fn(f64) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
    let [a, b, c, d] = [at(-2.0 * h)?, at(-h)?, at(h)?, at(2.0 * h)?];
    Ok((0..a.len()).map(|i| ((a[i] - d[i]) + 8.0 * (c[i] - b[i])) / (12.0 * h)).collect())
}

fn evaluate<F>(f: &F, inputs: &[Tensor<f64>]) -> Result<Tensor<f64>>
where
    F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let vars: Vec<Var<'_, f64>> = inputs.iter().map(|x| tape.constant(x)).collect();
    f(&vars).value()
}

fn gradient<F>(f: &F, inputs: &[Tensor<f64>], input: usize, seed: &Tensor<f64>) -> Result<Tensor<f64>>
where
    F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let vars: Vec<Var<'_, f64>> = inputs.iter().map(|x| tape.var(x)).collect();
    Ok(f(&vars).backward_with(seed)?.wrt(vars[input])?.clone())
}

fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &n) in index.iter_mut().zip(shape).rev() {
        *i = at % n;
        at /= n;
    }
    index
}
