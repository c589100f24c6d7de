//! Forward mode over what is already on the tape, recorded like everything else.

use super::operation::{At, Needed, Parts};
use super::path::Path;
use super::vjp::Mode;
use super::{Bits, IntoVar, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tensor::{Generator, Tensor};
use smallvec::SmallVec;
use std::panic::Location;

impl<T: Real> Tape<T> {
    /// The derivative of `y` along a direction: `Σ ∂y/∂x · dx` over the pairs `(x, dx)`, as a variable on this
    /// tape, which can be differentiated again in either mode.
    ///
    /// A direction has its `x`'s shape and is a variable or a tensor.
    ///
    /// # Errors
    ///
    /// As [`vjp`](Tape::vjp).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = (x * x).sum();
    /// // Hessian times vector, forward over reverse: the Hessian of Σx² is 2.
    /// let [g] = tape.vjp(y, &Tensor::scalar(1.0), [x])?;
    /// let hv = tape.jvp(g, [(x, &Tensor::from([5.0, -1.0]))])?;
    /// assert_eq!(hv.value()?.to_vec(), [10.0, -2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn jvp<'t, V: IntoVar<'t, T>>(
        &'t self,
        y: Var<'t, T>,
        directions: impl IntoIterator<Item = (Var<'t, T>, V)>,
    ) -> Result<Var<'t, T>> {
        let line = self.line();
        let _line = self.on_behalf_of(line);
        let found = self.recorded_tangents(&[y], directions).map_err(|error| error.at("jvp", line))?;
        Ok(found[0])
    }

    /// As [`jvp`](Tape::jvp), of several outputs in one sweep.
    ///
    /// # Errors
    ///
    /// As [`vjp`](Tape::vjp).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let square = x * x;
    /// let d = tape.jvp_many(&[square, square * x], [(x, &Tensor::scalar(1.0))])?;
    /// assert_eq!((d[0].item()?, d[1].item()?), (6.0, 27.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn jvp_many<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: &[Var<'t, T>],
        directions: impl IntoIterator<Item = (Var<'t, T>, V)>,
    ) -> Result<Vec<Var<'t, T>>> {
        let line = self.line();
        let _line = self.on_behalf_of(line);
        self.recorded_tangents(outputs, directions).map_err(|error| error.at("jvp_many", line))
    }

    /// As [`jvp`](Tape::jvp), for several outputs, as plain tensors: nothing is recorded, so the tape does not grow.
    ///
    /// # Errors
    ///
    /// As [`vjp`](Tape::vjp).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let [g] = tape.vjp(x.square().sum(), &Tensor::scalar(1.0), [x])?;
    /// let before = tape.len();
    /// // Products with one Hessian, as many as an iteration wants.
    /// for v in [Tensor::from([1.0, 0.0]), Tensor::from([5.0, -1.0])] {
    ///     assert_eq!(tape.tangents(&[g], &[(x, &v)])?[0], &v * 2.0);
    /// }
    /// assert_eq!(tape.len(), before);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tangents<'t>(
        &'t self,
        outputs: &[Var<'t, T>],
        directions: &[(Var<'t, T>, &Tensor<T>)],
    ) -> Result<Vec<Tensor<T>>> {
        let line = Location::caller();
        let (x, dx): (Vec<_>, Vec<_>) = directions.iter().copied().unzip();
        self.tangents_of(outputs, &x, &dx).map_err(|error| error.at("tangents", line))
    }

    /// As [`tangents`](Tape::tangents), with errors that name no operation yet.
    pub(crate) fn tangents_of<'t>(
        &'t self,
        outputs: &[Var<'t, T>],
        x: &[Var<'t, T>],
        dx: &[&Tensor<T>],
    ) -> Result<Vec<Tensor<T>>> {
        let given = |_| Ok(dx.iter().map(|&dx| dx.clone()).enumerate().collect());
        Ok(self.columns(outputs, x, 1, given)?.swap_remove(0))
    }

    /// As [`jvp_many`](Tape::jvp_many), with errors that name no operation yet.
    pub(crate) fn recorded_tangents<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: &[Var<'t, T>],
        directions: impl IntoIterator<Item = (Var<'t, T>, V)>,
    ) -> Result<Vec<Var<'t, T>>> {
        let found = self.tangents_if_any(outputs, directions)?;
        Ok(found.into_iter().zip(outputs).map(|(dy, y)| dy.unwrap_or_else(|| y.zeros_like())).collect())
    }

    /// The same, with nothing where an output does not depend on any of the variables.
    pub(crate) fn tangents_if_any<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: &[Var<'t, T>],
        directions: impl IntoIterator<Item = (Var<'t, T>, V)>,
    ) -> Result<Vec<Option<Var<'t, T>>>> {
        let mut pairs = Vec::new();
        for (x, dx) in directions {
            pairs.push((x.index, self.seed("direction", x, dx)?.index));
            self.check_wanted(&[x])?;
        }
        self.check_own(outputs)?;
        for y in outputs {
            y.try_shape()?;
        }
        let ys: Vec<u32> = outputs.iter().map(|y| y.index).collect();
        let found = self.in_pool(|tape| tape.forward_mode(&ys, &pairs))?;
        Ok(found.into_iter().map(|dy| dy.map(|index| Var::new(self, index))).collect())
    }

    fn forward_mode(&self, ys: &[u32], pairs: &[(u32, u32)]) -> Result<Vec<Option<u32>>> {
        let from: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        let Path { nodes, set, lowest } = self.path(&from, ys);
        let Some(&top) = nodes.last() else { return Ok(vec![None; ys.len()]) };
        let mut tangents: Vec<Option<u32>> = vec![None; (top - lowest + 1) as usize];
        let at = |index: u32| index.checked_sub(lowest).map(|i| i as usize);
        for &(x, dx) in pairs.iter().filter(|pair| set.get(pair.0)) {
            self.add_tangent(&mut tangents[(x - lowest) as usize], dx);
        }
        for index in nodes {
            let (first, outputs, inputs, line) = {
                let store = self.store.borrow();
                let first = index - u32::from(store.nodes[index as usize].output);
                let node = &store.nodes[first as usize];
                (first, u32::from(node.outputs), node.inputs.clone(), node.line)
            };
            if (first..index).any(|earlier| set.get(earlier)) {
                continue;
            }
            let dx: SmallVec<[Option<Var<'_, T>>; 2]> = inputs
                .iter()
                .map(|&input| at(input).and_then(|i| tangents[i]).map(|dx| Var::new(self, dx)))
                .collect();
            if dx.iter().all(Option::is_none) {
                continue;
            }
            let Some(parts) = self.rule(first, &inputs, &set, &dx, Mode::Forward)? else { continue };
            let named = |error: Error| self.store.borrow().named(first, error);
            super::sweep::check_count(parts.len(), outputs as usize).map_err(named)?;
            let _line = self.on_behalf_of(line);
            for (j, part) in parts.into_iter().enumerate() {
                let output = first + j as u32;
                if let Some(part) = part.filter(|_| set.get(output)) {
                    let wanted = Var::new(self, output).try_shape()?;
                    check_tangent(j, &part.try_shape()?, &wanted).map_err(named)?;
                    self.add_tangent(&mut tangents[(output - lowest) as usize], part.index);
                }
            }
        }
        let of = |&y: &u32| if set.get(y) { tangents[(y - lowest) as usize] } else { None };
        Ok(ys.iter().map(of).collect())
    }

    /// A direction may be given at an intermediate value too: then it adds to the one that arrives there.
    fn add_tangent(&self, slot: &mut Option<u32>, dx: u32) {
        *slot = Some(match *slot {
            None => dx,
            Some(sum) => Var::new(self, sum).accumulate(Var::new(self, dx)).index,
        });
    }
}

pub(super) fn check_tangent(output: usize, found: &[usize], wanted: &[usize]) -> Result<()> {
    same(format_args!("the tangent of output {output}"), found, wanted)
}

/// `J dx` from a rule for `gᵀJ` alone: that is linear in g, so its derivative by g in the cotangent dx is the
/// transpose of the transpose.
pub(super) fn transposed<'t, T: Real>(
    at: &At<'_, 't, T>,
    vjp: impl Fn(&At<'_, 't, T>) -> Result<Parts<'t, T>>,
) -> Result<Parts<'t, T>> {
    let tape = at.tape;
    // Any values will do for the derivative of a linear function; these also show whether it is one of g.
    let mut random = Generator::new(0);
    let mut g: SmallVec<[Option<Var<'t, T>>; 2]> = SmallVec::new();
    for j in 0..at.outputs {
        let some = Tensor::uniform(at.y(j).try_shape()?, 0.5..1.5, &mut random)?;
        g.push(Some(tape.argument(tape.push_constant(Ok(some)))));
    }
    let moves = at.inputs.iter().zip(at.incoming).filter(|(_, dx)| dx.is_some());
    let moving = Bits::of(&moves.map(|(&input, _)| input).collect::<Vec<_>>());
    let parts = vjp(&At { needed: Needed::Of(&moving), incoming: &g, ..*at }).map_err(|error| match error
        .kind()
    {
        ErrorKind::NoRule { .. } => ErrorKind::NoRule { mode: "forward mode" }.into(),
        _ => error,
    })?;
    super::sweep::check_count(parts.len(), at.inputs.len())?;
    let g: Vec<Var<'t, T>> = g.into_iter().flatten().collect();
    let from: Vec<u32> = g.iter().map(|g| g.index).collect();
    let mut outputs: Vec<(Var<'t, T>, Var<'t, T>)> = Vec::new();
    for (i, (part, dx)) in parts.iter().zip(at.incoming).enumerate() {
        if let (Some(part), Some(dx)) = (part, dx) {
            super::sweep::check_shape(i, &part.try_shape()?, &dx.try_shape()?)?;
            if tape.path(&from, &[part.index]).nodes.is_empty() && part.value()?.iter().any(|x| x != T::ZERO)
            {
                // Computed from plain values: nothing leads from g to it.
                return Err(ErrorKind::NoRule { mode: "forward mode" }.into());
            }
            outputs.push((*part, *dx));
        }
    }
    Ok(tape.cotangents(outputs, &g)?.into_iter().map(Some).collect())
}
