//! Operations of a user's own, made of closures.

use super::operation::{At, Operation, Outputs, Partials, Parts, Saved, one};
use super::{Tape, Var};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

impl<T: Real> Tape<T> {
    /// Runs an operation made of two closures: `forward` gives the value, `backward` the cotangent of each input,
    /// written in variables, so that derivatives of every order follow from it.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let cube = tape.record(
    ///     "cube",
    ///     &[x],
    ///     |x| x[0].map(|x| x * x * x),
    ///     |at| at.one(at.g(0) * at.x(0).square() * 3.0),
    /// );
    /// assert_eq!(cube.sum().backward()?.wrt(x)?.to_vec(), [3.0, 12.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    ///
    /// Forward mode follows from the backward closure, at about twice the price of a rule of its own: for that, and
    /// for fused kernels, implement [`Operation`] and call [`apply`](Tape::apply).
    #[track_caller]
    pub fn record<'t, F, B>(
        &'t self,
        name: &'static str,
        inputs: &[Var<'t, T>],
        forward: F,
        backward: B,
    ) -> Var<'t, T>
    where
        F: Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
        B: for<'s> Fn(&At<'_, 's, T>) -> Result<Parts<'s, T>> + Send + Sync + 'static,
    {
        self.apply(Closures { name, forward, backward }, inputs)
    }

    /// Runs an operation whose backward closure works on plain tensors: for a rule by a library, or by loops of one's
    /// own. `backward` gets the inputs, the output and its cotangent, and gives the cotangent of each input, or
    /// nothing where it is zero.
    ///
    /// It can be differentiated once. Asking for more, or for forward mode, is an error that says so; it is never
    /// zero. [`record`](Tape::record) makes operations that can be differentiated again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OnceDifferentiable`] from a sweep over its recorded cotangent;
    /// [`ErrorKind::CotangentCount`] and [`ErrorKind::Shape`] from one whose cotangents do not fit the inputs.
    ///
    /// ```
    /// use retrograde::{ErrorKind, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let cube = tape.record_once(
    ///     "cube",
    ///     &[x],
    ///     |x| x[0].map(|x| x * x * x),
    ///     |x, _y, g| Ok([Some(x[0].map(|x| 3.0 * x * x)?.try_mul(g)?)].into_iter().collect()),
    /// );
    /// assert_eq!(cube.sum().backward()?.wrt(x)?.to_vec(), [3.0, 12.0]);
    /// let [g] = tape.vjp(cube.sum(), &Tensor::scalar(1.0), [x])?;
    /// assert_eq!(g.value()?.to_vec(), [3.0, 12.0]);
    /// let error = g.sum().backward().unwrap_err();
    /// assert_eq!(error.kind(), &ErrorKind::OnceDifferentiable);
    /// assert_eq!(error.operation(), Some("cube"));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn record_once<'t, F, B>(
        &'t self,
        name: &'static str,
        inputs: &[Var<'t, T>],
        forward: F,
        backward: B,
    ) -> Var<'t, T>
    where
        F: Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
        B: Fn(&[&Tensor<T>], &Tensor<T>, &Tensor<T>) -> Result<Partials<T>> + Send + Sync + 'static,
    {
        self.apply(Once { name, forward, backward: Arc::new(backward) }, inputs)
    }
}

/// A forward and a backward closure as an operation.
struct Closures<F, B> {
    name: &'static str,
    forward: F,
    backward: B,
}

impl<T, F, B> Operation<T> for Closures<F, B>
where
    T: Real,
    F: Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
    B: for<'t> Fn(&At<'_, 't, T>) -> Result<Parts<'t, T>> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        (self.forward)(x).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        (self.backward)(at)
    }
}

/// A backward closure on plain tensors: inputs, output, cotangent.
type Backward<T> = Arc<dyn Fn(&[&Tensor<T>], &Tensor<T>, &Tensor<T>) -> Result<Partials<T>> + Send + Sync>;

/// A forward closure, and a backward closure that cannot be differentiated.
struct Once<T: Real, F> {
    name: &'static str,
    forward: F,
    backward: Backward<T>,
}

impl<T, F> Operation<T> for Once<T, F>
where
    T: Real,
    F: Fn(&[&Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        (self.forward)(x).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let n = at.inputs();
        let mut inputs: Vec<Var<'t, T>> = (0..n).map(|i| at.x(i)).collect();
        inputs.extend([at.y(0), at.g(0)]);
        let cotangents = OnceBackward { name: self.name, backward: Arc::clone(&self.backward) };
        let parts = at.g(0).tape().apply_many(cotangents, &inputs, n);
        if let Some(error) = parts.iter().find_map(|part| part.error()) {
            return Err(error);
        }
        Ok(parts.into_iter().map(Some).collect())
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let x: SmallVec<[&Tensor<T>; 4]> = (0..at.inputs()).map(|i| at.x(i)).collect();
        Some((self.backward)(&x, at.y(0), &g[0].take()?))
    }
}

/// The cotangents of inputs x for an output y with cotangent g, from [x.., y, g].
struct OnceBackward<T: Real> {
    name: &'static str,
    backward: Backward<T>,
}

impl<T: Real> Operation<T> for OnceBackward<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let [x @ .., y, g] = x else { unreachable!("made with the output and its cotangent") };
        let parts = (self.backward)(x, y, g)?;
        super::sweep::check_count(parts.len(), x.len())?;
        parts
            .into_iter()
            .zip(x)
            .map(|(part, x)| part.map_or_else(|| Tensor::zero_view(x.shape()), Ok))
            .collect()
    }
    fn vjp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Err(ErrorKind::OnceDifferentiable.into())
    }
    fn jvp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Err(ErrorKind::OnceDifferentiable.into())
    }
}
