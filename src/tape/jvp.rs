//! Forward mode over what is already on the tape, recorded like everything else.

use super::vjp::Mode;
use super::{Bits, IntoVar, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
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
        let run = || {
            let mut pairs = Vec::new();
            for (x, dx) in directions {
                pairs.push((x.index, self.seed("direction", x, dx)?.index));
                self.check_wanted(y, &[x])?;
            }
            y.try_shape()?;
            self.in_pool(|tape| tape.forward_mode(y.index, &pairs))
        };
        match run().map_err(|error| error.at("jvp", line))? {
            Some(index) => Ok(Var::new(self, index)),
            None => Ok(y.zeros_like()),
        }
    }

    fn forward_mode(&self, y: u32, pairs: &[(u32, u32)]) -> Result<Option<u32>> {
        let from: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        let Some(&lowest) = from.iter().min() else { return Ok(None) };
        if lowest > y {
            return Ok(None);
        }
        let reach = self.reach(&from, y);
        let leads = self.leads_to(y, lowest);
        let mut tangents: Vec<Option<u32>> = vec![None; (y - lowest + 1) as usize];
        let at = |index: u32| index.checked_sub(lowest).map(|i| i as usize);
        for &(x, dx) in pairs.iter().filter(|pair| pair.0 <= y) {
            self.add_tangent(&mut tangents[(x - lowest) as usize], dx);
        }
        for index in lowest..=y {
            if !(reach.get(index) && leads.get(index)) {
                continue;
            }
            let (inputs, name, line, outputs, later) = {
                let node = &self.store.borrow().nodes[index as usize];
                (node.inputs.clone(), node.name, node.line, u32::from(node.outputs), node.output > 0)
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
            if parts.len() != outputs as usize {
                let kind = ErrorKind::CotangentCount { found: parts.len(), wanted: outputs as usize };
                return Err(Error::from(kind).at(name, line));
            }
            let _line = self.on_behalf_of(line);
            for (j, part) in parts.into_iter().enumerate() {
                if let (Some(part), true) = (part, index + j as u32 <= y) {
                    let (found, wanted) = (part.try_shape()?, Var::new(self, index + j as u32).try_shape()?);
                    if found != wanted {
                        let what = format!("the tangent of output {j}");
                        let kind = ErrorKind::Shape { what, found: found.to_vec(), wanted: wanted.to_vec() };
                        return Err(Error::from(kind).at(name, line));
                    }
                    self.add_tangent(&mut tangents[(index - lowest) as usize + j], part.index);
                }
            }
        }
        Ok(tangents[(y - lowest) as usize])
    }

    /// The nodes from `lowest` on that `y` depends on, itself included; of an operation's outputs the first too.
    fn leads_to(&self, y: u32, lowest: u32) -> Bits {
        let nodes = &self.store.borrow().nodes;
        let mut leads = Bits::default();
        leads.grow(y as usize + 1);
        leads.insert(y);
        for index in (lowest..=y).rev() {
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
