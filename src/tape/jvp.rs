//! Forward mode over what is already on the tape, recorded like everything else.

use super::operation::{At, Needed, Parts};
use super::vjp::Mode;
use super::{Bits, IntoVar, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
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
        let line = Location::caller();
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
        let line = Location::caller();
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
        let given = |_| Ok(directions.iter().map(|&(x, dx)| (x, dx.clone())).collect());
        let mut found = self.columns(outputs, 1, given).map_err(|error| error.at("tangents", line))?;
        Ok(found.swap_remove(0))
    }

    /// As [`jvp`](Tape::jvp), with nothing where `y` does not depend on any of the variables.
    pub(crate) fn jvp_if_any<'t>(
        &'t self,
        y: Var<'t, T>,
        directions: impl IntoIterator<Item = (Var<'t, T>, Var<'t, T>)>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok(self.tangents_if_any(&[y], directions)?.swap_remove(0))
    }

    fn recorded_tangents<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: &[Var<'t, T>],
        directions: impl IntoIterator<Item = (Var<'t, T>, V)>,
    ) -> Result<Vec<Var<'t, T>>> {
        let found = self.tangents_if_any(outputs, directions)?;
        Ok(found.into_iter().zip(outputs).map(|(dy, y)| dy.unwrap_or_else(|| y.zeros_like())).collect())
    }

    fn tangents_if_any<'t, V: IntoVar<'t, T>>(
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
        let nothing = || Ok(vec![None; ys.len()]);
        let from: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        let (Some(&lowest), Some(&top)) = (from.iter().min(), ys.iter().max()) else { return nothing() };
        if lowest > top {
            return nothing();
        }
        let reach = self.reach(&from, top);
        let leads = self.leads_to(ys, lowest);
        let mut tangents: Vec<Option<u32>> = vec![None; (top - lowest + 1) as usize];
        let at = |index: u32| index.checked_sub(lowest).map(|i| i as usize);
        for &(x, dx) in pairs.iter().filter(|pair| pair.0 <= top) {
            self.add_tangent(&mut tangents[(x - lowest) as usize], dx);
        }
        for index in lowest..=top {
            if !(reach.get(index) && leads.get(index)) {
                continue;
            }
            let (inputs, line, outputs, later) = {
                let node = &self.store.borrow().nodes[index as usize];
                (node.inputs.clone(), node.line, u32::from(node.outputs), node.output > 0)
            };
            if later {
                continue;
            }
            let dx: SmallVec<[Option<Var<'_, T>>; 2]> = inputs
                .iter()
                .map(|&input| at(input).and_then(|i| tangents[i]).map(|dx| Var::new(self, dx)))
                .collect();
            if dx.iter().all(Option::is_none) {
                continue;
            }
            let Some(parts) = self.rule(index, &inputs, &reach, &dx, Mode::Forward)? else { continue };
            let named = |error: Error| self.store.borrow().named(index, error);
            super::sweep::check_count(parts.len(), outputs as usize).map_err(named)?;
            let _line = self.on_behalf_of(line);
            for (j, part) in parts.into_iter().enumerate() {
                if let (Some(part), true) = (part, index + j as u32 <= top) {
                    let wanted = Var::new(self, index + j as u32).try_shape()?;
                    check_tangent(j, &part.try_shape()?, &wanted).map_err(named)?;
                    self.add_tangent(&mut tangents[(index - lowest) as usize + j], part.index);
                }
            }
        }
        Ok(ys.iter().map(|&y| at(y).and_then(|i| tangents[i])).collect())
    }

    /// The nodes from `lowest` on that one of `ys` depends on, those included; of an operation's outputs the first
    /// too.
    pub(super) fn leads_to(&self, ys: &[u32], lowest: u32) -> Bits {
        let nodes = &self.store.borrow().nodes;
        let mut leads = Bits::of(ys);
        let top = ys.iter().max().map_or(0, |&top| top);
        for index in (lowest..=top).rev() {
            if leads.get(index) {
                let node = &nodes[index as usize];
                if node.output > 0 {
                    leads.insert(index - u32::from(node.output));
                }
                node.inputs.iter().for_each(|&input| leads.insert(input));
            }
        }
        leads
    }

    /// A direction may be given at an intermediate value too: then it adds to the one that arrives there.
    fn add_tangent(&self, slot: &mut Option<u32>, dx: u32) {
        *slot = Some(match *slot {
            None => dx,
            Some(sum) => Var::new(self, sum).accumulate(Var::new(self, dx)).index,
        });
    }
}

pub(crate) fn check_direction(found: &[usize], wanted: &[usize]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(ErrorKind::Shape { what: "direction".into(), found: found.to_vec(), wanted: wanted.to_vec() }.into())
}

pub(super) fn check_tangent(output: usize, found: &[usize], wanted: &[usize]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let what = format!("the tangent of output {output}");
    Err(ErrorKind::Shape { what, found: found.to_vec(), wanted: wanted.to_vec() }.into())
}

/// `J dx` from a rule for `gᵀJ` alone: that is linear in g, so its derivative by g in the cotangent dx is the
/// transpose of the transpose.
pub(super) fn transposed<'t, T: Real>(
    at: &At<'_, 't, T>,
    vjp: impl Fn(&At<'_, 't, T>) -> Result<Parts<'t, T>>,
) -> Result<Parts<'t, T>> {
    let tape = at.tape;
    // Zero: the value of a linear function does not matter for its derivative.
    let g: SmallVec<[Option<Var<'t, T>>; 2]> =
        (0..at.outputs).map(|j| Some(tape.argument(at.y(j).zeros_like()))).collect();
    let moving: Vec<u32> =
        at.inputs.iter().zip(at.incoming).filter(|(_, dx)| dx.is_some()).map(|(&i, _)| i).collect();
    let parts = vjp(&At { needed: Needed::Of(&Bits::of(&moving)), incoming: &g, ..*at }).map_err(
        |error| match error.kind() {
            ErrorKind::NoRule { .. } => ErrorKind::NoRule { mode: "forward mode" }.into(),
            _ => error,
        },
    )?;
    super::sweep::check_count(parts.len(), at.inputs.len())?;
    let mut outputs: Vec<(Var<'t, T>, Var<'t, T>)> = Vec::new();
    for (i, (part, dx)) in parts.iter().zip(at.incoming).enumerate() {
        if let (Some(part), Some(dx)) = (part, dx) {
            super::sweep::check_shape(i, &part.try_shape()?, &dx.try_shape()?)?;
            outputs.push((*part, *dx));
        }
    }
    let g: Vec<Var<'t, T>> = g.into_iter().flatten().collect();
    Ok(tape.vjp_many(&outputs, &g)?.into_iter().map(Some).collect())
}
