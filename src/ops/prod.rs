//! Products over any axes.

use super::reduction::{Reduction, count, three_forms};
use crate::error::Result;
use crate::kernels::{products, reduce};
use crate::number::Real;
use crate::shape::{Axes, Shape};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::{self, Tensor};
use smallvec::SmallVec;

/// The product over neighbouring axes. Its derivative is the product of the others, which no division gives where
/// there are zeros.
#[derive(Clone, Copy)]
struct Product;

impl Reduction for Product {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        tensor::reduce(x, axes, keepdim, reduce::prod, reduce::prod)
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        _: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        let shape = x.try_shape()?;
        let [outer, n, inner] = split(&axes.resolve(&shape)?, &shape);
        if outer * n * inner == 0 {
            return Ok(x.zeros_like());
        }
        Ok(g * others(x.reshape([outer, n, inner]), n).0.reshape(shape))
    }
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        _: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>> {
        let [_, n, inner] = split(axes, x.shape());
        let x = x.contiguous()?;
        let data = x.as_slice().expect("made contiguous above");
        let mut others = Tensor::build(x.shape_owned(), |out| products::others(data, n, inner, out))?;
        others.combine(g, Times)?;
        Ok(others)
    }
}

#[derive(Clone, Copy)]
struct Times;
impl crate::kernels::Function<2> for Times {
    #[inline(always)]
    fn at<N: crate::number::Number>(self, [a, b]: [N; 2]) -> N {
        a * b
    }
}

/// The lengths before, along and after neighbouring axes.
fn split(axes: &[usize], shape: &[usize]) -> [usize; 3] {
    let from = axes.first().copied().unwrap_or(shape.len());
    let until = from + axes.len();
    [shape[..from].iter().product(), count(axes, shape), shape[until..].iter().product()]
}

/// The products of the others along the `n > 0` of `[outer, n, inner]`, and of all. Up a tree the halves are
/// multiplied, down it each half meets the other: sums and products of x alone, so that every derivative is right
/// beside zeros, and no more than a few times n of them.
fn others<'t, T: Real>(x: Var<'t, T>, n: usize) -> (Var<'t, T>, Var<'t, T>) {
    if n == 1 {
        return (x.zeros_like() + 1.0, x);
    }
    if n % 2 == 1 {
        let (even, last) = x.divided(n - 1);
        let (inner, all) = others(even, n - 1);
        return ((inner * last).united(all), all * last);
    }
    let (a, b) = x.divided(n / 2);
    let (outer, all) = others(a * b, n / 2);
    ((outer * b).united(outer * a), all)
}

/// The first `at` indices of the middle axis of three, and the rest.
struct Divide(usize);

/// The two put together again.
struct Unite;

fn piece<T: Real>(x: &Tensor<T>, from: usize, until: usize) -> Result<Tensor<T>> {
    x.slice(1, from as isize..until as isize)
}

fn united<T: Real>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    let (shape, rest) = (a.shape(), b.shape()[1]);
    let [outer, n, inner] = [shape[0], shape[1], shape[2]];
    let (a, b) = (a.contiguous()?, b.contiguous()?);
    let (a, b) = (a.as_slice().expect("contiguous"), b.as_slice().expect("contiguous"));
    Tensor::build(Shape::new([outer, n + rest, inner])?, |out| {
        let slices = a.chunks_exact(n * inner).zip(b.chunks_exact(rest * inner));
        for ((a, b), out) in slices.zip(out.chunks_exact_mut((n + rest) * inner)) {
            let (low, high) = out.split_at_mut(a.len());
            low.copy_from_slice(a);
            high.copy_from_slice(b);
        }
    })
}

impl<T: Real> Operation<T> for Divide {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let parts = [piece(x[0], 0, self.0)?, piece(x[0], self.0, x[0].shape()[1])?];
        Ok(SmallVec::from_iter(parts))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).united(at.g(1)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let Some(dx) = at.dx(0) else { return Ok(SmallVec::from_iter([None, None])) };
        let (a, b) = dx.divided(self.0);
        Ok(SmallVec::from_iter([Some(a), Some(b)]))
    }
}

impl<T: Real> Operation<T> for Unite {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        united(x[0], x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (a, b) = at.g(0).divided(at.x(0).try_shape()?[1]);
        at.each(|i| if i == 0 { a } else { b })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let part = |i: usize| at.dx(i).unwrap_or_else(|| at.x(i).zeros_like());
        if at.dx(0).is_none() && at.dx(1).is_none() {
            return Ok(SmallVec::from_iter([None]));
        }
        at.one(part(0).united(part(1)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    fn divided(self, at: usize) -> (Var<'t, T>, Var<'t, T>) {
        let parts = self.tape().apply_many(Divide(at), &[self], 2);
        (parts[0], parts[1])
    }

    fn united(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Unite, &[self, other])
    }

    /// Runs of neighbouring axes one after the other, the last ones first.
    #[track_caller]
    fn prod_by(self, axes: Axes, keepdim: bool) -> Var<'t, T> {
        self.tape().composed("prod", || {
            let shape = self.try_shape()?;
            let resolved = axes.resolve(&shape)?;
            let mut end = resolved.len();
            let mut y = self;
            while end > 0 {
                let mut from = end - 1;
                while from > 0 && resolved[from - 1] + 1 == resolved[from] {
                    from -= 1;
                }
                let run: Vec<isize> = resolved[from..end].iter().map(|&axis| axis as isize).collect();
                y = y.reduced(Product, run.into(), keepdim);
                end = from;
            }
            Ok(y)
        })
    }
}

three_forms! {
    /// The product of all elements; 1 of none.
    ///
    /// # Gradient
    ///
    /// The product of the others, without a division: beside one zero, that zero's is the product of the rest and
    /// the others' is 0; beside two zeros, all are 0. Higher orders likewise.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[2.0, 3.0], [0.0, 5.0]]));
    /// assert_eq!(x.prod_axes(1).value()?.to_vec(), [6.0, 0.0]);
    /// assert_eq!(x.prod_keepdim(0).value()?.shape(), [1, 2]);
    /// assert_eq!(x.prod().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 30.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    prod prod_axes prod_keepdim ("product") fails: ".";
    |x, axes, keepdim| x.prod_by(axes, keepdim);
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    vec![
        sample!("prod", unary(-1.3, 1.3), |x| x[0].prod()),
        sample!("prod over first", rank3(-1.5, 1.5), |x| x[0].prod_axes(0)),
        sample!("prod over middle", rank3(-1.5, 1.5), |x| x[0].prod_axes(1)),
        sample!("prod over last", rank3(-1.5, 1.5), |x| x[0].prod_keepdim(-1)),
        sample!("prod over outer two", rank3(-1.5, 1.5), |x| x[0].prod_axes([0, -1])),
        sample!("prod over outer two kept", rank3(-1.5, 1.5), |x| x[0].prod_keepdim([0, -1])),
        sample!("prod over none", rank3(-1.5, 1.5), |x| x[0].prod_axes([0isize; 0])),
        sample!("prod over nothing", shapes(&[&[&[2, 0, 3]]], 0.0, 1.0), |x| x[0].prod_axes(1)),
        sample!("prod of cubes", rank3(-1.5, 1.5), |x| (x[0].square() * x[0]).prod_axes([1, 2])),
        wrong!("prod", &[&[2, 3]], |x| x[0].prod_axes(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("prod", &[&[2, 3]], |x| x[0].prod_keepdim([1, -1]), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    /// Orders 0 to 3 against the polynomial's own derivatives, each the product of the factors left.
    fn check(x: &[f64]) {
        let n = x.len();
        let without = |out: &[usize]| -> f64 {
            let distinct = (0..out.len()).all(|i| !out[..i].contains(&out[i]));
            if distinct { (0..n).filter(|i| !out.contains(i)).map(|i| x[i]).product() } else { 0.0 }
        };
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-13 * b.abs().max(1.0), "{x:?}: {a} for {b}");
        let tape = Tape::new();
        let v = tape.var(&Tensor::from_slice(x, [n]).unwrap());
        let unit = |i: usize| Tensor::from_fn([n], |at| f64::from(u8::from(at[0] == i))).unwrap();
        let y = v.prod();
        close(y.item().unwrap(), without(&[]));
        let one = Tensor::scalar(1.0);
        for g in [y.backward_with(&one).unwrap(), y.backward_by_written_rules(&one).unwrap()] {
            (0..n).for_each(|i| close(g.wrt(v).unwrap().to_vec()[i], without(&[i])));
        }
        let [first] = tape.vjp(y, &one, [v]).unwrap();
        for i in 0..n {
            let [second] = tape.vjp(first, &unit(i), [v]).unwrap();
            for j in 0..n {
                close(second.value().unwrap().to_vec()[j], without(&[i, j]));
                let third = second.backward_with(&unit(j)).unwrap();
                (0..n).for_each(|k| close(third.wrt(v).unwrap().to_vec()[k], without(&[i, j, k])));
            }
        }
    }

    #[test]
    fn zeros_are_right_to_the_third_order() {
        check(&[2.0, 3.0, 5.0]);
        check(&[2.0, 0.0, 5.0]);
        check(&[0.0, 3.0, 0.0, 7.0]);
        check(&[0.0, 0.0, 0.0]);
        check(&[1.5, 0.0, -2.0, 3.0, 0.5, 4.0, 0.0]);
        check(&[3.0]);
        check(&[0.0]);
    }
}
