//! Jacobians: many sweeps over one tape, side by side on the pool's threads.

use super::operation::Needed;
use super::path::Path;
use super::sweep::{Pending, Rules, Sweep};
use super::tangent::Forward;
use super::{Bits, Store, Tape, Var};
use crate::error::{ErrorKind, Result};
use crate::kernels::threshold;
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tensor::Tensor;
use rayon::prelude::*;
use std::panic::Location;

impl<T: Real> Tape<T> {
    /// The Jacobians `∂y/∂x`, each of shape `[y's axes.., x's axes..]`.
    ///
    /// Takes the mode that needs fewer sweeps: one for each element of `y` in reverse, one for each element of the
    /// `x`s together in forward mode. They run side by side on the current thread pool, share the tape, and record
    /// nothing. An operation that has no forward rule is swept in reverse.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoGradient`] for constants; [`ErrorKind::MixedTapes`]; [`ErrorKind::NoRule`]; the first error on
    /// the way to `y`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 3.0]));
    /// let [j] = tape.jacobian(x * x.sum(), [x])?;
    /// assert_eq!(j.to_vec(), [7.0, 2.0, 3.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn jacobian<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        x: [Var<'t, T>; N],
    ) -> Result<[Tensor<T>; N]> {
        let line = Location::caller();
        array(self.jacobians(y, &x).map_err(|error| error.at("jacobian", line)))
    }

    /// As [`jacobian`](Tape::jacobian), with errors that name no operation yet.
    pub(crate) fn jacobians<'t>(&'t self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Result<Vec<Tensor<T>>> {
        let mut inputs = 0;
        for x in x {
            inputs += x.try_shape()?.count();
        }
        if inputs < y.try_shape()?.count() {
            match self.by_columns(y, x) {
                Err(error) if is_one_way(error.kind()) => {}
                found => return found,
            }
        }
        self.by_rows(y, x)
    }

    /// As [`jacobian`](Tape::jacobian), in reverse mode whatever the shapes.
    ///
    /// # Errors
    ///
    /// As [`jacobian`](Tape::jacobian).
    #[track_caller]
    pub fn jacobian_reverse<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        x: [Var<'t, T>; N],
    ) -> Result<[Tensor<T>; N]> {
        let line = Location::caller();
        array(self.by_rows(y, &x).map_err(|error| error.at("jacobian_reverse", line)))
    }

    /// As [`jacobian`](Tape::jacobian), in forward mode whatever the shapes.
    ///
    /// # Errors
    ///
    /// As [`jacobian`](Tape::jacobian); [`ErrorKind::OnceDifferentiable`] on the way.
    #[track_caller]
    pub fn jacobian_forward<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        x: [Var<'t, T>; N],
    ) -> Result<[Tensor<T>; N]> {
        let line = Location::caller();
        array(self.by_columns(y, &x).map_err(|error| error.at("jacobian_forward", line)))
    }

    /// The Jacobian of every example of a batch. `x` is `[batch, in..]`, `y` is `[batch, out..]`, and example `i` of
    /// `y` depends on example `i` of `x` alone; the result is `[batch, out.., in..]`.
    ///
    /// Takes as many sweeps as one example has outputs, or inputs if those are fewer, whatever the size of the
    /// batch. That the examples are independent is taken on trust: where they are not (normalisation over the
    /// batch), an example's derivatives by the others' inputs are added to those by its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rank`] without a batch axis, [`ErrorKind::Shape`] if the batches differ; else as
    /// [`jacobian`](Tape::jacobian).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let w = tape.constant(&Tensor::from([[1.0], [10.0]]));
    /// let j = tape.batch_jacobian((x * x).matmul(w), x)?;
    /// assert_eq!(j.shape(), [3, 1, 2]);
    /// assert_eq!(j.to_vec(), [2.0, 40.0, 6.0, 80.0, 10.0, 120.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn batch_jacobian<'t>(&'t self, y: Var<'t, T>, x: Var<'t, T>) -> Result<Tensor<T>> {
        let line = Location::caller();
        self.jacobian_by_example(y, x).map_err(|error| error.at("batch_jacobian", line))
    }

    /// As [`batch_jacobian`](Tape::batch_jacobian), with errors that name no operation yet.
    pub(crate) fn jacobian_by_example<'t>(&'t self, y: Var<'t, T>, x: Var<'t, T>) -> Result<Tensor<T>> {
        self.check_own(&[y])?;
        self.check_wanted(&[x])?;
        let (ys, xs) = (y.try_shape()?, x.try_shape()?);
        let (Some((&batch, out)), Some((_, inp))) = (ys.split_first(), xs.split_first()) else {
            let found = if ys.is_empty() { ys.to_vec() } else { xs.to_vec() };
            return Err(ErrorKind::Rank { found, wanted: "a batch axis and any others" }.into());
        };
        same("x", &xs, &[&[batch], inp].concat())?;
        let (outs, ins) = (count(out), count(inp));
        // The same element of every example at once.
        let hot =
            |shape: &Shape, size: usize, at: usize| one_hot(&[size], at)?.reshape(&shape[1..])?.expand(shape);
        let shape = [&ys[..], inp].concat();
        if ins < outs {
            match self.columns(&[y], &[x], ins, |k| Ok(vec![(0, hot(&xs, ins, k)?)])) {
                Err(error) if is_one_way(error.kind()) => {}
                columns => return stacked(&first_of_each(columns?), -1, &shape),
            }
        }
        stacked(&first_of_each(self.rows(y, outs, |k| hot(&ys, outs, k), &[x])?), 1, &shape)
    }

    /// In reverse mode, with errors that name no operation yet.
    pub(crate) fn by_rows<'t>(&'t self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Result<Vec<Tensor<T>>> {
        let shape = y.try_shape()?;
        let rows = self.rows(y, shape.count(), |k| one_hot(&shape, k), x)?;
        let of = |(i, x): (usize, &Var<'t, T>)| {
            let rows: Vec<&Tensor<T>> = rows.iter().map(|row| &row[i]).collect();
            stacked(&rows, 0, &[&shape[..], &x.try_shape()?].concat())
        };
        x.iter().enumerate().map(of).collect()
    }

    /// In forward mode, with errors that name no operation yet.
    pub(crate) fn by_columns<'t>(&'t self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Result<Vec<Tensor<T>>> {
        let shape = y.try_shape()?;
        let (mut places, mut shapes) = (Vec::new(), Vec::new());
        for (i, x) in x.iter().enumerate() {
            let own = x.try_shape()?;
            places.extend((0..own.count()).map(|k| (i, k)));
            shapes.push(own);
        }
        let columns = first_of_each(self.columns(&[y], x, places.len(), |k| {
            let (i, at) = places[k];
            Ok(vec![(i, one_hot(&shapes[i], at)?)])
        })?);
        let mut rest = &columns[..];
        let mut of = |x: &Var<'t, T>| {
            let own = x.try_shape()?;
            let (mine, others) = rest.split_at(own.count());
            rest = others;
            stacked(mine, -1, &[&shape[..], &own].concat())
        };
        x.iter().map(&mut of).collect()
    }

    /// `seedᵀ ∂y/∂x` for `n` seeds, and each `x`.
    pub(crate) fn rows<'t>(
        &'t self,
        y: Var<'t, T>,
        n: usize,
        seed: impl Fn(usize) -> Result<Tensor<T>> + Sync,
        x: &[Var<'t, T>],
    ) -> Result<Vec<Vec<Tensor<T>>>> {
        self.check_own(&[y])?;
        self.check_wanted(x)?;
        y.try_shape()?;
        let (y, wanted): (u32, Vec<u32>) = (y.index, x.iter().map(|x| x.index).collect());
        let path = self.path(&wanted, &[y]);
        let kept = Bits::of(&wanted);
        let store = &*self.store.borrow();
        let value = |index: u32| store.nodes[index as usize].value.as_ref().map_err(Clone::clone);
        let cost = cost(store, &path);
        side_by_side(
            n,
            cost,
            || (Pending::default(), Tape::new()),
            |(pending, scratch), k| {
                let sweep = Sweep {
                    store,
                    needed: Needed::Of(&path.set),
                    wanted: &kept,
                    rules: Rules::Fused,
                    watch: None,
                };
                let mut found = sweep.run([(y, seed(k)?)], pending, scratch)?;
                found.sort_unstable_by_key(|entry| entry.0);
                let of = |&index: &u32| match found.binary_search_by_key(&index, |entry| entry.0) {
                    Ok(at) => Ok(found[at].1.clone()),
                    Err(_) => Tensor::zero_view(value(index)?.shape()),
                };
                wanted.iter().map(of).collect()
            },
        )
    }

    /// `Σ ∂y/∂x · dx` for `n` sets of directions, each with the place of its `x`, and each `y`.
    pub(crate) fn columns<'t>(
        &'t self,
        ys: &[Var<'t, T>],
        x: &[Var<'t, T>],
        n: usize,
        directions: impl Fn(usize) -> Result<Vec<(usize, Tensor<T>)>> + Sync,
    ) -> Result<Vec<Vec<Tensor<T>>>> {
        self.check_own(ys)?;
        self.check_wanted(x)?;
        for y in ys {
            y.try_shape()?;
        }
        let shapes = x.iter().map(|x| x.try_shape()).collect::<Result<Vec<_>>>()?;
        let x: Vec<u32> = x.iter().map(|x| x.index).collect();
        let ys: Vec<u32> = ys.iter().map(|y| y.index).collect();
        let path = self.path(&x, &ys);
        let store = &*self.store.borrow();
        let value = |y: u32| store.nodes[y as usize].value.as_ref().map_err(Clone::clone);
        let sweep = Forward::new(store, &path, &ys);
        side_by_side(
            n,
            cost(store, &path),
            || (Vec::new(), Tape::new()),
            |(tangents, scratch), k| {
                let mut given = Vec::new();
                for (i, dx) in directions(k)? {
                    same("direction", dx.shape(), &shapes[i])?;
                    given.push((x[i], dx));
                }
                let found = sweep.run(given, &ys, tangents, scratch)?;
                let of = |(dy, &y): (Option<Tensor<T>>, &u32)| match dy {
                    Some(dy) => Ok(dy),
                    None => Tensor::zero_view(value(y)?.shape()),
                };
                found.into_iter().zip(&ys).map(of).collect()
            },
        )
    }
}

/// `f` for each of `n` numbers: on the pool's threads if together they are worth it, each with a state of its own.
fn side_by_side<S, R: Send>(
    n: usize,
    cost: usize,
    state: impl Fn() -> S + Sync,
    f: impl Fn(&mut S, usize) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if n > 1 && threshold::split(cost.saturating_mul(n)) {
        // All of them, then the first error: which one that is must not depend on the threads.
        let found: Vec<Result<R>> = (0..n).into_par_iter().map_init(&state, &f).collect();
        found.into_iter().collect()
    } else {
        let mut state = state();
        (0..n).map(|k| f(&mut state, k)).collect()
    }
}

/// What a sweep along a path costs, in nanoseconds, about.
fn cost<T: Real>(store: &Store<T>, path: &Path) -> usize {
    let elements = |&node: &u32| store.nodes[node as usize].value.as_ref().map_or(0, |value| value.len());
    path.nodes.iter().map(|node| 50 + elements(node)).sum()
}

/// Whether an operation refused forward mode alone.
pub(crate) fn is_one_way(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NoRule { mode: "forward mode" } | ErrorKind::OnceDifferentiable)
}

/// The results of sweeps of which one thing was asked.
fn first_of_each<T: Real>(found: Vec<Vec<Tensor<T>>>) -> Vec<Tensor<T>> {
    found.into_iter().map(|mut one| one.swap_remove(0)).collect()
}

fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// 1 at one place, counted in row-major order, and 0 elsewhere.
pub(crate) fn one_hot<T: Real>(shape: &[usize], at: usize) -> Result<Tensor<T>> {
    Tensor::build(Shape::new(shape)?, |data| {
        data.fill(T::ZERO);
        data[at] = T::ONE;
    })
}

/// Parts side by side along a new axis, of the shape given if there are none.
fn stacked<T: Real>(
    parts: &[impl std::borrow::Borrow<Tensor<T>>],
    axis: isize,
    shape: &[usize],
) -> Result<Tensor<T>> {
    if parts.is_empty() {
        return Tensor::zeros(shape);
    }
    let parts: Vec<&Tensor<T>> = parts.iter().map(std::borrow::Borrow::borrow).collect();
    Tensor::stack(&parts, axis)?.reshape(shape)
}

fn array<T: Real, const N: usize>(found: Result<Vec<Tensor<T>>>) -> Result<[Tensor<T>; N]> {
    Ok(found?.try_into().unwrap_or_else(|_| unreachable!("one Jacobian for each input")))
}
