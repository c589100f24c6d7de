//! A loop over a sequence by the user's own step.

use crate::error::{ErrorKind, argument};
use crate::number::Real;
use crate::tape::{Tape, Var};
use std::sync::Arc;

impl<T: Real> Tape<T> {
    /// All states of a recurrence `state ← step(state, xᵢ, weights)` over the first axis of x, one after another on a new
    /// first axis: a recurrent cell of one's own, an integrator driven by a signal, a filter.
    ///
    /// It is checkpointed in √n segments: the tape keeps the states, and what a step computes besides exists for one segment
    /// at a time, for one more forward pass. `step` takes everything it uses as arguments, gives the same result for the
    /// same arguments, and keeps the state's shape; several states stand side by side in one. For a step that is linear,
    /// or otherwise associative, [`associative_scan`](Tape::associative_scan) takes log n of them.
    ///
    /// # Gradient
    ///
    /// To x, the first state and the weights, as that of the plain loop. See
    /// [`checkpoint`](Tape::checkpoint).
    ///
    /// # Errors
    ///
    /// Those of `step`; [`Rank`](ErrorKind::Rank) for x of rank 0; [`Argument`](ErrorKind::Argument) for no steps, whose states
    /// would have no shape; [`Shape`](ErrorKind::Shape) for a state that changes its shape.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let (state, decay) = (tape.var(&Tensor::scalar(1.0)), tape.var(&Tensor::scalar(0.5)));
    /// let y = tape.scan(state, x, &[decay], |state, x, w| state * w[0] + x);
    /// assert_eq!(y.value()?.to_vec(), [1.5, 2.75, 4.375]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(x)?.to_vec(), [1.75, 1.5, 1.0]);
    /// assert_eq!(grads.wrt(state)?.item()?, 0.875);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "fold")]
    #[track_caller]
    pub fn scan<'t>(
        &'t self,
        state: Var<'t, T>,
        x: Var<'t, T>,
        weights: &[Var<'t, T>],
        step: impl for<'s> Fn(Var<'s, T>, Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        self.composed("scan", || {
            let shape = x.try_shape()?;
            let Some(&steps) = shape.first() else {
                return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
            };
            if steps == 0 {
                return argument("the number of steps", "0", "at least 1");
            }
            let own = state.try_shape()?;
            let step = Arc::new(step);
            let length = (steps as f64).sqrt().ceil() as usize;
            let (mut state, mut segments) = (state, Vec::new());
            for from in (0..steps).step_by(length) {
                let to = (from + length).min(steps);
                let mut inputs = vec![state, x.slice(0, from as isize..to as isize)];
                inputs.extend_from_slice(weights);
                let (step, own) = (Arc::clone(&step), own.clone());
                let states = self.checkpoint(&inputs, move |v| {
                    let tape = v[0].tape();
                    tape.composed("scan", || {
                        let (mut state, mut states) = (v[0], Vec::with_capacity(to - from));
                        for i in 0..(to - from) as isize {
                            state = step(state, v[1].slice(0, i..i + 1).squeeze(0), &v[2..]);
                            crate::shape::same("the state", &state.try_shape()?, &own)?;
                            states.push(state);
                        }
                        Ok(tape.stack(&states, 0))
                    })
                });
                states.try_shape()?;
                state = states.slice(0, -1..).squeeze(0);
                segments.push(states);
            }
            Ok(self.concat(&segments, 0))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let cases: &[&[&[usize]]] =
        &[&[&[2], &[5, 2], &[2]], &[&[], &[1], &[]], &[&[2, 2], &[3, 2, 1], &[2]], &[&[1], &[17, 1], &[1]]];
    vec![
        sample!("scan", shapes(cases, -1.0, 1.0), |x| {
            x[0].tape().scan(x[0], x[1], &[x[2]], |state, x, w| (state * w[0] + x).tanh())
        }),
        wrong!(
            "scan",
            &[&[2], &[0, 2]],
            |x| x[0].tape().scan(x[0], x[1], &[], |state, x, _| state + x),
            "the number of steps is 0, wanted at least 1"
        ),
        wrong!(
            "scan",
            &[&[2], &[]],
            |x| x[0].tape().scan(x[0], x[1], &[], |state, x, _| state + x),
            "shape [] has rank 0, wanted at least 1"
        ),
        wrong!(
            "scan",
            &[&[2], &[3, 2, 2]],
            |x| x[0].tape().scan(x[0], x[1], &[], |state, x, _| state + x),
            "the state has shape [2, 2], wanted [2]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor};

    #[test]
    fn gradients_are_those_of_the_plain_loop_and_the_tape_keeps_no_steps() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::linspace(-1.0, 1.0, 100).unwrap());
        let (h, w) = (tape.var(&Tensor::scalar(0.3)), tape.var(&Tensor::scalar(0.9)));
        let before = tape.len();
        let y = tape.scan(h, x, &[w], |h, x, w| (h * w[0] + x).sin().exp().tanh());
        assert!(tape.len() - before < 60, "{}", tape.len() - before);
        let mut state = h;
        let states: Vec<_> = (0..100)
            .map(|i| {
                state = (state * w + x.slice(0, i..i + 1).squeeze(0)).sin().exp().tanh();
                state
            })
            .collect();
        let plain = tape.stack(&states, 0);
        assert_eq!(y.value().unwrap(), plain.value().unwrap());
        let (a, b) = (y.square().sum().backward().unwrap(), plain.square().sum().backward().unwrap());
        for v in [x, h, w] {
            assert!(a.wrt(v).unwrap().all_close(b.wrt(v).unwrap(), 1e-14, 0.0).unwrap());
        }
    }
}
