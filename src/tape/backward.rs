//! First-order gradients: what a sweep is asked for.

use super::operation::Needed;
use super::sweep::{Kept, Rules, Sweep};
use super::{Bits, Gradients, IntoVar, Tape, Var};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tensor::Tensor;
use std::panic::Location;

impl<'t, T: Real> Var<'t, T> {
    /// Walks the tape in reverse from this value, which must be one number, and gives the gradient of it with
    /// respect to every variable on the tape.
    ///
    /// The tape stays as it is: it can be swept any number of times.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`ErrorKind::NotScalar`] if it is not one number;
    /// [`ErrorKind::NoRule`] if an operation on the way has no backward closure.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = tape.var(&Tensor::scalar(2.0));
    /// let grads = (x * y).exp().sum().backward()?;
    /// assert_eq!(grads.wrt(y)?.item()?, 2f64.exp());
    /// assert_eq!(grads.wrt(x)?.shape(), [2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn backward(self) -> Result<Gradients<T>> {
        let line = Location::caller();
        let run = || self.tape.gradients(&[(self.index, self.unit_seed()?)], Rules::Fused);
        run().map_err(|error| error.at("backward", line))
    }

    /// As [`backward`](Var::backward), from a value of any shape and its cotangent `seed` of the same shape: the
    /// gradient of their inner product.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Shape`] if the seed has another shape; else as `backward`.
    #[track_caller]
    pub fn backward_with(self, seed: &Tensor<T>) -> Result<Gradients<T>> {
        let line = Location::caller();
        let swept = self.tape.gradients(&[(self.index, seed.clone())], Rules::Fused);
        swept.map_err(|error| error.at("backward_with", line))
    }

    /// 1, if this is one number.
    pub(crate) fn unit_seed(self) -> Result<Tensor<T>> {
        let shape = self.try_shape()?;
        if shape.count() == 1 {
            Tensor::full(shape, T::ONE)
        } else {
            Err(ErrorKind::NotScalar { shape: shape.to_vec() }.into())
        }
    }

    /// The gradients by the written rules alone.
    #[cfg(test)]
    pub(crate) fn backward_by_written_rules(self, seed: &Tensor<T>) -> Result<Gradients<T>> {
        self.tape.gradients(&[(self.index, seed.clone())], Rules::Written)
    }
}

impl<T: Real> Tape<T> {
    /// One sweep from several outputs, each with its cotangent: the gradient of `Σ ⟨seed, y⟩` with respect to every
    /// variable. No outputs give zeros.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MixedTapes`]; else as [`Var::backward_with`].
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let (square, cube) = (x * x, x * x * x);
    /// let grads = tape.backward_many([(square, &Tensor::scalar(1.0)), (cube, &Tensor::scalar(10.0))])?;
    /// assert_eq!(grads.wrt(x)?.item()?, 6.0 + 270.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn backward_many<'t, 's>(
        &'t self,
        outputs: impl IntoIterator<Item = (Var<'t, T>, &'s Tensor<T>)>,
    ) -> Result<Gradients<T>> {
        let line = Location::caller();
        let run = || {
            let seeds = self.own_seeds(outputs)?;
            self.gradients(&seeds, Rules::Fused)
        };
        run().map_err(|error| error.at("backward_many", line))
    }

    /// The gradient of `y`, which must be one number, with respect to any nodes: leaves, intermediate values,
    /// `y` itself. Visits only what lies between.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoGradient`] for a constant or a detached value; [`ErrorKind::MixedTapes`]; else as
    /// [`Var::backward`].
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let square = x * x;
    /// let y = square * square;
    /// let [gs, gx] = tape.grad(y, [square, x])?;
    /// assert_eq!((gs.item()?, gx.item()?), (18.0, 108.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn grad<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        nodes: [Var<'t, T>; N],
    ) -> Result<[Tensor<T>; N]> {
        let line = Location::caller();
        let run = || {
            let seed = y.unit_seed()?;
            self.grad_of(&[(y, &seed)], &nodes)
        };
        let found = run().map_err(|error| error.at("grad", line))?;
        Ok(found.try_into().unwrap_or_else(|_| unreachable!("one gradient for each node")))
    }

    /// As [`grad`](Tape::grad), from a value of any shape and its cotangent, for any number of nodes.
    ///
    /// # Errors
    ///
    /// As [`grad`](Tape::grad) and [`Var::backward_with`].
    #[track_caller]
    pub fn grad_with<'t>(
        &'t self,
        y: Var<'t, T>,
        seed: &Tensor<T>,
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Tensor<T>>> {
        let line = Location::caller();
        self.grad_of(&[(y, seed)], nodes).map_err(|error| error.at("grad_with", line))
    }

    /// As [`grad`](Tape::grad), from several outputs with a cotangent each, in one sweep.
    ///
    /// # Errors
    ///
    /// As [`grad`](Tape::grad) and [`Var::backward_with`].
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let hidden = x * x;
    /// let one = Tensor::scalar(1.0);
    /// let both = tape.grad_many(&[(hidden.sum(), &one), (hidden.prod(), &one)], &[hidden])?;
    /// assert_eq!(both[0].to_vec(), [1.0 + 4.0, 1.0 + 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn grad_many<'t>(
        &'t self,
        outputs: &[(Var<'t, T>, &Tensor<T>)],
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Tensor<T>>> {
        let line = Location::caller();
        self.grad_of(outputs, nodes).map_err(|error| error.at("grad_many", line))
    }

    /// As [`grad_many`](Tape::grad_many), with errors that name no operation yet.
    pub(crate) fn grad_of<'t>(
        &'t self,
        outputs: &[(Var<'t, T>, &Tensor<T>)],
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Tensor<T>>> {
        let seeds = self.own_seeds(outputs.iter().copied())?;
        self.check_wanted(nodes)?;
        let ys: Vec<u32> = seeds.iter().map(|seed| seed.0).collect();
        let wanted: Vec<u32> = nodes.iter().map(|node| node.index).collect();
        let mut kept = self.in_pool(|tape| {
            let path = tape.path(&wanted, &ys);
            tape.first_order(&seeds, Needed::Of(&path.set), &Bits::of(&wanted), Rules::Fused)
        })?;
        kept.sort_unstable_by_key(|entry| entry.0);
        nodes
            .iter()
            .map(|node| match kept.binary_search_by_key(&node.index, |entry| entry.0) {
                Ok(at) => Ok(kept[at].1.clone()),
                Err(_) => Tensor::zero_view(&node.try_shape()?),
            })
            .collect()
    }

    /// Outputs and seeds by index, if they are of this tape.
    fn own_seeds<'t, 's>(
        &'t self,
        outputs: impl IntoIterator<Item = (Var<'t, T>, &'s Tensor<T>)>,
    ) -> Result<Vec<(u32, Tensor<T>)>> {
        let own = |(y, seed): (Var<'t, T>, &Tensor<T>)| {
            self.check_own(&[y])?;
            Ok((y.index, seed.clone()))
        };
        outputs.into_iter().map(own).collect()
    }

    /// Refuses variables of other tapes.
    pub(crate) fn check_own(&self, nodes: &[Var<'_, T>]) -> Result<()> {
        if nodes.iter().all(|node| std::ptr::eq(node.tape, self)) {
            Ok(())
        } else {
            Err(ErrorKind::MixedTapes.into())
        }
    }

    /// Refuses variables of other tapes, and nodes that have no gradient.
    pub(super) fn check_wanted(&self, nodes: &[Var<'_, T>]) -> Result<()> {
        self.check_own(nodes)?;
        let store = self.store.borrow();
        for node in nodes.iter().map(|node| &store.nodes[node.index as usize]) {
            if let Err(error) = &node.value {
                return Err(error.clone());
            }
            if !node.needs {
                let reason = "the value is a constant, is detached, or depends on none but such";
                return Err(ErrorKind::NoGradient { reason }.into());
            }
        }
        Ok(())
    }

    /// The variable a seed or a direction stands for, of the shape of `like`.
    pub(super) fn seed<'t>(
        &'t self,
        what: &str,
        like: Var<'t, T>,
        seed: impl IntoVar<'t, T>,
    ) -> Result<Var<'t, T>> {
        let seed = seed.into_var(self);
        self.check_own(&[seed, like])?;
        same(what, &seed.try_shape()?, &like.try_shape()?)?;
        Ok(seed)
    }

    fn gradients(&self, seeds: &[(u32, Tensor<T>)], rules: Rules) -> Result<Gradients<T>> {
        self.in_pool(|tape| {
            let mut kept = tape.first_order(seeds, Needed::Flags, &Bits::default(), rules)?;
            kept.sort_unstable_by_key(|entry| entry.0);
            let mut kept = kept.into_iter().peekable();
            let store = tape.store.borrow();
            let mut entries = Vec::with_capacity(store.leaves.len());
            for &leaf in &store.leaves {
                let g = match kept.next_if(|entry| entry.0 == leaf) {
                    Some((_, g)) => g,
                    None => match &store.nodes[leaf as usize].value {
                        Ok(value) => Tensor::zero_view(value.shape())?,
                        Err(error) => return Err(error.clone()),
                    },
                };
                entries.push((leaf, g));
            }
            Ok(Gradients { tape: tape.id.get(), entries })
        })
    }

    /// One sweep with the tape's own memory for pending cotangents.
    fn first_order(
        &self,
        seeds: &[(u32, Tensor<T>)],
        needed: Needed<'_>,
        wanted: &Bits,
        rules: Rules,
    ) -> Result<Kept<T>> {
        let mut pending = std::mem::take(&mut self.store.borrow_mut().pending);
        let store = self.store.borrow();
        let sweep = Sweep { store: &store, needed, wanted, rules, watch: None };
        let result = sweep.run(seeds.iter().cloned(), &mut pending, &Tape::new());
        drop(store);
        self.store.borrow_mut().pending = pending;
        result
    }
}
