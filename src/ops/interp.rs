//! Linear interpolation in a table.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tape::{At, IntoVar, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// From [x, points, table]: for each x the table's entry at an end of the interval of the points that x lies in.
#[derive(Clone, Copy)]
struct Pick {
    /// 0 for the left end, 1 for the right one.
    end: usize,
}

/// From [x, points, g]: the sums of g over the x that pick each entry; the transpose of the above.
#[derive(Clone, Copy)]
struct Spread {
    end: usize,
}

/// The number of the interval: from 0 to two less than there are points. A point belongs to the interval on its right.
fn interval<T: Real>(points: &[T], x: T) -> usize {
    points.partition_point(|&point| point <= x).saturating_sub(1).min(points.len() - 2)
}

impl<T: Real> Operation<T> for Pick {
    fn name(&self) -> &'static str {
        "interp_pick"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let (points, table) = (x[1].contiguous()?, x[2].contiguous()?);
        let (points, table) = (points.as_slice().unwrap_or(&[]), table.as_slice().unwrap_or(&[]));
        x[0].map(|x| table[interval(points, x) + self.end]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let spread = Spread { end: self.end };
        let table = at.needs(2).then(|| at.g(0).tape().apply(spread, &[at.x(0), at.x(1), at.g(0)]));
        Ok(SmallVec::from_iter([None, None, table]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let picked = at.dx(2).map(|table| table.tape().apply(*self, &[at.x(0), at.x(1), table]));
        Ok(SmallVec::from_iter([picked]))
    }
}

impl<T: Real> Operation<T> for Spread {
    fn name(&self) -> &'static str {
        "interp_spread"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let points = x[1].contiguous()?;
        let points = points.as_slice().unwrap_or(&[]);
        let mut sums = vec![T::ZERO; points.len()];
        for (x, g) in x[0].iter().zip(x[2].iter()) {
            sums[interval(points, x) + self.end] += g;
        }
        Tensor::from_slice(&sums, [points.len()]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let pick = Pick { end: self.end };
        let g = at.needs(2).then(|| at.g(0).tape().apply(pick, &[at.x(0), at.x(1), at.g(0)]));
        Ok(SmallVec::from_iter([None, None, g]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let spread = at.dx(2).map(|g| g.tape().apply(*self, &[at.x(0), at.x(1), g]));
        Ok(SmallVec::from_iter([spread]))
    }
}

/// That points and values are as many, one at least, and the points increase.
fn check<T: Real>(points: Var<'_, T>, values: Var<'_, T>) -> Result<usize> {
    let (shape, wanted) = (values.try_shape()?, points.try_shape()?);
    let [n] = wanted[..] else {
        return Err(ErrorKind::Rank { found: wanted.to_vec(), wanted: "1" }.into());
    };
    same("the table", &shape, &[n])?;
    let points = points.value()?.to_vec();
    let falls = points.windows(2).find(|pair| !(pair[0] < pair[1]));
    let (name, wanted) = ("points", "increasing numbers, one at least".to_owned());
    match falls {
        _ if n == 0 => Err(ErrorKind::Argument { name, found: "[]".to_owned(), wanted }.into()),
        Some(pair) => {
            let found = format!("{:?} followed by {:?}", pair[0], pair[1]);
            Err(ErrorKind::Argument { name, found, wanted }.into())
        }
        None => Ok(n),
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Linear interpolation in a table: for each element the value, at that place, of the broken line through
    /// `(points, values)`; beyond its ends the first or the last value. NaN for NaN.
    ///
    /// Points and values are variables or tensors of rank 1 and of one length; the points increase. The result has the
    /// shape of `self`.
    ///
    /// # Gradient
    ///
    /// By `self` the slope of the piece, at a point that of the piece on its right (at the last one, on its left), and
    /// 0 beyond the ends; by the values their weights; by the points, too.
    ///
    /// # Errors
    ///
    /// [`Rank`](crate::ErrorKind::Rank), [`Shape`](crate::ErrorKind::Shape); [`Argument`](crate::ErrorKind::Argument) for no
    /// points, or points that do not increase.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.5, 2.0, 9.0]));
    /// let points = Tensor::from([0.0, 1.0, 3.0]);
    /// let values = tape.var(&Tensor::from([10.0, 20.0, 0.0]));
    /// let y = x.interp(&points, values);
    /// assert_eq!(y.value()?.to_vec(), [10.0, 15.0, 10.0, 0.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(x)?.to_vec(), [0.0, 10.0, -10.0, 0.0]);
    /// assert_eq!(grads.wrt(values)?.to_vec(), [1.5, 1.0, 1.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "interp1d")]
    #[track_caller]
    pub fn interp(self, points: impl IntoVar<'t, T>, values: impl IntoVar<'t, T>) -> Var<'t, T> {
        let tape = self.tape();
        let (points, values) = (points.into_var(tape), values.into_var(tape));
        tape.composed("interp", || {
            let nan = self.ne(self);
            let end = |of: Var<'t, T>, i: isize| of.slice(0, i..i + 1).reshape([]);
            let n = check(points, values)? as isize;
            let (first, last) = (end(points, 0), end(points, n - 1));
            if n == 1 {
                return Ok(Var::where_(nan, self, end(values, 0)));
            }
            let (below, above) = (self.lt(first), self.gt(last));
            // Inside, so that the branch not taken has a finite derivative.
            let x = Var::where_(below | above, first, self);
            let pick = |table, end| tape.apply(Pick { end }, &[x, points, table]);
            let (x0, x1, y0, y1) = (pick(points, 0), pick(points, 1), pick(values, 0), pick(values, 1));
            let inside = y0 + (x - x0) / (x1 - x0) * (y1 - y0);
            Ok(Var::where_(below, end(values, 0), Var::where_(above, end(values, n - 1), inside)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, unary, wrong};
    use crate::tensor::Tensor;
    let all = || shapes(&[&[&[7], &[4]], &[&[2, 3], &[4]], &[&[], &[4]], &[&[0], &[4]]], -0.2, 0.2);
    vec![
        sample!("interp", unary(-2.0, 5.0).avoid(&[0.0, 1.0, 1.5, 3.0]), |x| {
            let points = x[0].constant_like(Tensor::linspace(0.0, 3.0, 3));
            x[0].interp(points, points.square()).square()
        }),
        sample!("interp in a variable table", all(), |x| {
            let grid = x[1].constant_like(Tensor::linspace(0.0, 3.0, 4));
            ((x[0] * 3.0 + 1.5).interp(grid, x[1]) + x[0].interp(grid + 10.0, x[1])).square()
        })
        .avoiding(&[-0.1667, 0.1667]),
        sample!("interp at variable points", all(), |x| {
            let grid = x[1].constant_like(Tensor::linspace(0.0, 3.0, 4));
            (x[0] + 1.5).interp(x[1] + grid, grid.square())
        }),
        sample!("interp of one point", unary(-2.0, 2.0), |x| {
            let one = x[0].sum().reshape([1]);
            x[0].interp(one.detach(), one * 2.0).square()
        }),
        wrong!(
            "interp",
            &[&[2], &[3], &[4]],
            |x| x[0].interp(x[1], x[2]),
            "the table has shape [4], wanted [3]"
        ),
        wrong!("interp", &[&[2], &[3, 1]], |x| x[0].interp(x[1], x[1]), "shape [3, 1] has rank 2, wanted 1"),
        wrong!(
            "interp",
            &[&[2], &[2]],
            |x| x[0].interp(x[1] * 0.0, x[1]),
            "points is 0.0 followed by 0.0, wanted increasing numbers, one at least"
        ),
        wrong!(
            "interp",
            &[&[2], &[0]],
            |x| x[0].interp(x[1], x[1]),
            "points is [], wanted increasing numbers, one at least"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn points_ends_and_what_lies_beyond() {
        let tape = Tape::new();
        let (top, nan) = (f64::INFINITY, f64::NAN);
        let x = tape.var(&Tensor::from([0.0, 1.0, 3.0, -0.1, 3.1, top, -top, nan]));
        let points = tape.var(&Tensor::from([0.0, 1.0, 3.0]));
        let values = tape.var(&Tensor::from([5.0, 7.0, 1.0]));
        let y = x.interp(points, values);
        let value = y.value().unwrap().to_vec();
        assert_eq!(value[..7], [5.0, 7.0, 1.0, 5.0, 1.0, 1.0, 5.0]);
        assert!(value[7].is_nan());
        let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert_eq!(g[..7], [2.0, -3.0, -3.0, 0.0, 0.0, 0.0, 0.0]);
        let one = x.interp(&Tensor::from([2.0]), &Tensor::from([9.0])).value().unwrap().to_vec();
        assert_eq!(one[..7], [9.0; 7]);
        assert!(one[7].is_nan());
    }
}
