//! Models as ordinary structs: their tensors walked in one order, put on a tape, and met again as gradients.

mod parts;

use crate::error::{Error, Result, argument};
use crate::number::Real;
use crate::tape::{Gradients, Key, Tape, Var};
use crate::tensor::Tensor;
use std::fmt;
use std::panic::Location;

/// Where a tensor stands in a struct: fields and places in lists, from the outermost on. Shown as `layers.0.weight`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Field(&'static str),
    Index(usize),
}

impl Path {
    fn deeper<R>(&mut self, part: Part, f: impl FnOnce(&mut Path) -> R) -> R {
        self.0.push(part);
        let result = f(self);
        self.0.pop();
        result
    }

    /// Goes into a field for as long as `f` runs.
    pub fn field<R>(&mut self, name: &'static str, f: impl FnOnce(&mut Path) -> R) -> R {
        self.deeper(Part::Field(name), f)
    }

    /// Goes into a place of a list for as long as `f` runs.
    pub fn index<R>(&mut self, index: usize, f: impl FnOnce(&mut Path) -> R) -> R {
        self.deeper(Part::Index(index), f)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match part {
                Part::Field(name) => write!(f, "{dot}{name}")?,
                Part::Index(index) => write!(f, "{dot}{index}")?,
            }
        }
        Ok(())
    }
}

/// A struct of tensors, and of lists and structs of them, that are walked in one order.
///
/// A model is generic over what stands at its leaves: `Layer<Tensor<f32>>` is what is stored and trained, and
/// `Layer<Var<'_, f32>>`, the same struct on a tape, is what computes. The macro [`parameters!`](crate::parameters)
/// implements this trait for such a struct; tensors, vectors, boxes, options, arrays and tuples have it.
///
/// ```
/// use retrograde::optim::Adam;
/// use retrograde::{Generator, Parameters, Real, Reduction, Tape, Tensor, Var, init, parameters};
///
/// struct Layer<P> {
///     w: P,
///     b: P,
/// }
/// parameters!(Layer { w, b });
///
/// struct Model<P> {
///     hidden: Vec<Layer<P>>,
///     out: Layer<P>,
/// }
/// parameters!(Model { hidden, out });
///
/// impl<'t> Model<Var<'t, f64>> {
///     fn apply(&self, x: Var<'t, f64>) -> Var<'t, f64> {
///         let x = self.hidden.iter().fold(x, |x, layer| x.linear(layer.w, layer.b).tanh());
///         x.linear(self.out.w, self.out.b)
///     }
/// }
///
/// let mut random = Generator::new(1);
/// let mut layer = |n, m| -> retrograde::Result<_> {
///     Ok(Layer { w: init::xavier_normal([n, m], init::TANH, &mut random)?, b: Tensor::zeros([m])? })
/// };
/// let mut model = Model { hidden: vec![layer(1, 8)?, layer(8, 8)?], out: layer(8, 1)? };
/// assert_eq!(model.names(), ["hidden.0.w", "hidden.0.b", "hidden.1.w", "hidden.1.b", "out.w", "out.b"]);
/// assert_eq!(model.count(), 8 + 8 + 64 + 8 + 8 + 1);
///
/// let x = Tensor::<f64>::linspace(-1.0, 1.0, 16)?.reshape([16, 1])?;
/// let target = x.map(|x| (3.0 * x).sin())?;
/// let (mut adam, mut tape) = (Adam::new(0.02), Tape::new());
/// let mut last = f64::INFINITY;
/// for _ in 0..300 {
///     let loss = model.on(&tape).apply(tape.constant(&x)).mse(&target, Reduction::Mean);
///     last = loss.item()?;
///     let grads = loss.backward()?;
///     tape.clear();
///     adam.step(model.leaves_mut().into_iter().zip(grads.iter()))?;
/// }
/// assert!(last < 1e-2, "{last}");
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait Parameters<T: Real> {
    /// The same struct with something else in each tensor's place.
    type With<Q>;

    /// Calls `f` with each tensor and where it stands. An implementation walks its parts in order, each inside its
    /// [field](Path::field) or [place](Path::index); [`visit`](Parameters::visit) is for callers.
    fn walk<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Tensor<T>))
    where
        T: 'a;

    /// As [`walk`](Parameters::walk), to change the tensors; [`visit_mut`](Parameters::visit_mut) is for callers.
    fn walk_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Tensor<T>))
    where
        T: 'a;

    /// As [`walk`](Parameters::walk), and makes a struct of what `f` gives; [`map`](Parameters::map) is for callers.
    fn rebuild<Q>(&self, path: &mut Path, f: &mut dyn FnMut(&Path, &Tensor<T>) -> Q) -> Self::With<Q>;

    /// Calls `f` with each tensor and where it stands, in order.
    fn visit<'a>(&'a self, mut f: impl FnMut(&Path, &'a Tensor<T>))
    where
        Self: Sized,
        T: 'a,
    {
        self.walk(&mut Path::default(), &mut f);
    }

    /// Calls `f` with each tensor, to change it, and where it stands, in order.
    fn visit_mut<'a>(&'a mut self, mut f: impl FnMut(&Path, &'a mut Tensor<T>))
    where
        Self: Sized,
        T: 'a,
    {
        self.walk_mut(&mut Path::default(), &mut f);
    }

    /// The struct of what `f` gives for each tensor.
    fn map<Q>(&self, mut f: impl FnMut(&Path, &Tensor<T>) -> Q) -> Self::With<Q>
    where
        Self: Sized,
    {
        self.rebuild(&mut Path::default(), &mut f)
    }

    /// The tensors in order.
    fn leaves(&self) -> Vec<&Tensor<T>>
    where
        Self: Sized,
    {
        let mut all = vec![];
        self.visit(|_, leaf| all.push(leaf));
        all
    }

    /// The tensors in order, to change them: what an optimiser's step takes, beside the gradients.
    fn leaves_mut(&mut self) -> Vec<&mut Tensor<T>>
    where
        Self: Sized,
    {
        let mut all = vec![];
        self.visit_mut(|_, leaf| all.push(leaf));
        all
    }

    /// Where each tensor stands, in order.
    fn names(&self) -> Vec<String>
    where
        Self: Sized,
    {
        let mut all = vec![];
        self.visit(|path, _| all.push(path.to_string()));
        all
    }

    /// How many numbers there are.
    fn count(&self) -> usize
    where
        Self: Sized,
    {
        self.leaves().iter().map(|leaf| leaf.len()).sum()
    }

    /// The struct as variables on a tape, each [named](Var::name) after where it stands. On a tape with no other
    /// variables the gradients of a sweep are in the struct's order; else see
    /// [`on_with_keys`](Parameters::on_with_keys).
    #[track_caller]
    fn on<'t>(&self, tape: &'t Tape<T>) -> Self::With<Var<'t, T>>
    where
        Self: Sized,
    {
        self.map(|path, leaf| tape.var(leaf).name(&path.to_string()))
    }

    /// As [`on`](Parameters::on), and the keys by which [`gradients`](Parameters::gradients) finds those of this struct
    /// on a tape with others.
    #[track_caller]
    fn on_with_keys<'t>(&self, tape: &'t Tape<T>) -> (Self::With<Var<'t, T>>, Vec<Key>)
    where
        Self: Sized,
    {
        let mut keys = vec![];
        let vars = self.map(|path, leaf| {
            let var = tape.var(leaf).name(&path.to_string());
            keys.push(var.key());
            var
        });
        (vars, keys)
    }

    /// The struct as constants on a tape, through which no gradient flows: to evaluate it.
    #[track_caller]
    fn constants<'t>(&self, tape: &'t Tape<T>) -> Self::With<Var<'t, T>>
    where
        Self: Sized,
    {
        self.map(|_, leaf| tape.constant(leaf))
    }

    /// The gradients of this struct, from a sweep and the keys that
    /// [`on_with_keys`](Parameters::on_with_keys) gave, as the same struct.
    ///
    /// # Errors
    ///
    /// [`StaleKey`](crate::ErrorKind::StaleKey) and [`NoGradient`](crate::ErrorKind::NoGradient), as
    /// [`Gradients::wrt`]; [`Argument`](crate::ErrorKind::Argument) for another number of keys.
    ///
    /// ```
    /// use retrograde::{Parameters, Tape, Tensor};
    ///
    /// let model = (Tensor::from([1.0, 2.0]), vec![Tensor::scalar(3.0)]);
    /// let tape = Tape::new();
    /// let other = tape.var(&Tensor::scalar(5.0));
    /// let ((w, b), keys) = model.on_with_keys(&tape);
    /// let grads = (w.sum() * b[0] * other).backward()?;
    /// let (dw, db) = model.gradients(&grads, &keys)?;
    /// assert_eq!((dw.to_vec(), db[0].item()?), (vec![15.0, 15.0], 15.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    fn gradients(&self, grads: &Gradients<T>, keys: &[Key]) -> Result<Self::With<Tensor<T>>>
    where
        Self: Sized,
    {
        let line = Location::caller();
        let found = found(grads, keys, self.leaves().len()).map_err(|error| error.at("gradients", line))?;
        let mut found = found.into_iter();
        Ok(self.map(|_, _| found.next().expect("one for each leaf").clone()))
    }

    /// Each tensor, to be changed, beside its gradient: what an optimiser's step takes, on a tape with other variables.
    ///
    /// # Errors
    ///
    /// As [`gradients`](Parameters::gradients).
    ///
    /// ```
    /// use retrograde::{Parameters, Tape, Tensor, optim::Sgd};
    ///
    /// let mut model = (Tensor::scalar(1.0), Tensor::scalar(2.0));
    /// let (mut sgd, mut tape) = (Sgd::new(0.5), Tape::new());
    /// let other = tape.var(&Tensor::scalar(3.0));
    /// let ((a, b), keys) = model.on_with_keys(&tape);
    /// let grads = (a * other + b * b).backward()?;
    /// tape.clear();
    /// sgd.step(model.paired(&grads, &keys)?)?;
    /// assert_eq!((model.0.item()?, model.1.item()?), (1.0 - 1.5, 2.0 - 2.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    fn paired<'p, 'g>(
        &'p mut self,
        grads: &'g Gradients<T>,
        keys: &[Key],
    ) -> Result<Vec<(&'p mut Tensor<T>, &'g Tensor<T>)>>
    where
        Self: Sized,
    {
        let line = Location::caller();
        let leaves = self.leaves_mut();
        let found = found(grads, keys, leaves.len()).map_err(|error| error.at("paired", line))?;
        Ok(leaves.into_iter().zip(found).collect())
    }

    /// All numbers in one tensor of one axis, in order.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    #[track_caller]
    fn flatten(&self) -> Result<Tensor<T>>
    where
        Self: Sized,
    {
        let line = Location::caller();
        let count = self.count();
        let numbers = self.leaves().into_iter().flat_map(|leaf| leaf.iter());
        Tensor::from_iter_in(numbers, [count]).map_err(|error| error.at("flatten", line))
    }

    /// Sets all numbers from one tensor of one axis, as [`flatten`](Parameters::flatten) gives it.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) for another number of them; nothing has changed then.
    ///
    /// ```
    /// use retrograde::{Parameters, Tensor};
    ///
    /// let mut model = [Tensor::from([[1.0, 2.0]]), Tensor::scalar(3.0)];
    /// let doubled = model.flatten()? * 2.0;
    /// model.unflatten(&doubled)?;
    /// assert_eq!(model, [Tensor::from([[2.0, 4.0]]), Tensor::scalar(6.0)]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    fn unflatten(&mut self, flat: &Tensor<T>) -> Result<()>
    where
        Self: Sized,
    {
        let line = Location::caller();
        let mut run = || {
            crate::shape::same("the flat tensor", flat.shape(), &[self.count()])?;
            let mut numbers = flat.iter();
            let mut fresh = vec![];
            for leaf in self.leaves() {
                fresh.push(Tensor::from_iter_in(numbers.by_ref().take(leaf.len()), leaf.shape())?);
            }
            self.leaves_mut().into_iter().zip(fresh).for_each(|(leaf, fresh)| *leaf = fresh);
            Ok(())
        };
        run().map_err(|error: Error| error.at("unflatten", line))
    }
}

/// The gradients that keys stand for, as many as wanted.
fn found<'g, T: Real>(grads: &'g Gradients<T>, keys: &[Key], wanted: usize) -> Result<Vec<&'g Tensor<T>>> {
    if keys.len() != wanted {
        return argument("the number of keys", keys.len(), wanted);
    }
    keys.iter().map(|key| grads.of(*key)).collect()
}

#[cfg(test)]
mod tests;
