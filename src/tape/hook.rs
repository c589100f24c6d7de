//! Hooks: closures that see a node's cotangent in every sweep, and may replace it.

use super::{Bits, Tape, Var};
use crate::error::{Error, Result};
use crate::number::Real;
use crate::shape::same;
use std::panic::Location;
use std::sync::Arc;

type Closure<T> = Arc<dyn for<'t> Fn(Var<'t, T>) -> Var<'t, T> + Send + Sync>;

/// A hook's number, by which it can be taken off again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HookId {
    tape: u64,
    hook: u64,
}

/// The hooks on a tape, in the order in which they were made.
pub(super) struct Hooks<T: Real> {
    list: Vec<Hook<T>>,
    nodes: Bits,
    made: u64,
}

struct Hook<T: Real> {
    id: u64,
    node: u32,
    line: &'static Location<'static>,
    closure: Closure<T>,
}

impl<T: Real> Clone for Hook<T> {
    fn clone(&self) -> Hook<T> {
        Hook { closure: Arc::clone(&self.closure), ..*self }
    }
}

impl<T: Real> Default for Hooks<T> {
    fn default() -> Hooks<T> {
        Hooks { list: Vec::new(), nodes: Bits::default(), made: 0 }
    }
}

impl<T: Real> Hooks<T> {
    /// Whether a node has one.
    #[inline(always)]
    pub(super) fn on(&self, node: u32) -> bool {
        !self.list.is_empty() && self.nodes.get(node)
    }

    /// The line at which the last one on a node was made.
    pub(super) fn line(&self, node: u32) -> Option<&'static Location<'static>> {
        self.list.iter().rfind(|hook| hook.node == node).map(|hook| hook.line)
    }

    /// Forgets them all, but never gives a number twice.
    pub(super) fn clear(&mut self) {
        *self = Hooks { made: self.made, ..Hooks::default() };
    }

    /// What a node's hooks make of its cotangent, one after another.
    pub(super) fn call<'t>(&self, node: u32, g: Var<'t, T>) -> Result<Var<'t, T>> {
        call(self.list.iter().filter(|hook| hook.node == node), g)
    }
}

fn call<'a, 't, T: Real>(hooks: impl Iterator<Item = &'a Hook<T>>, mut g: Var<'t, T>) -> Result<Var<'t, T>> {
    for hook in hooks {
        let named = |error: Error| error.at("hook", hook.line);
        let wanted = g.try_shape()?;
        let _line = g.tape.on_behalf_of(hook.line);
        let given = (hook.closure)(g);
        given.tape.check_own(&[g]).map_err(named)?;
        let found = given.try_shape().map_err(named)?;
        same("the cotangent from a hook", &found, &wanted).map_err(named)?;
        g = given;
    }
    Ok(g)
}

impl<T: Real> Tape<T> {
    /// In a recorded sweep: no borrow of the tape is held while a hook runs.
    pub(super) fn call_hooks<'t>(&'t self, node: u32, g: Var<'t, T>) -> Result<Var<'t, T>> {
        let hooks: Vec<Hook<T>> = {
            let store = self.store.borrow();
            if !store.hooks.on(node) {
                return Ok(g);
            }
            store.hooks.list.iter().filter(|hook| hook.node == node).cloned().collect()
        };
        call(hooks.iter(), g)
    }

    /// Takes a hook off. Gives whether it was there: not if it is another tape's, or the tape was cleared.
    pub fn unhook(&self, id: HookId) -> bool {
        if id.tape != self.id.get() {
            return false;
        }
        let hooks = &mut self.store.borrow_mut().hooks;
        let before = hooks.list.len();
        hooks.list.retain(|hook| hook.id != id.hook);
        hooks.nodes = Bits::of(&hooks.list.iter().map(|hook| hook.node).collect::<Vec<_>>());
        hooks.list.len() < before
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Has a closure see this value's cotangent in every reverse sweep, once all its contributions are there, and
    /// put another in its place: what it returns goes on to the inputs and, for a leaf or a node asked for, into
    /// the result. Return the argument to leave it as it is.
    ///
    /// Written in variables, as rules are, so recorded sweeps can be differentiated through it. Several hooks run in
    /// the order in which they were made. Forward mode has no cotangents and passes them by. They stay until
    /// [`Tape::unhook`] or [`Tape::clear`].
    ///
    /// # Errors
    ///
    /// [`NoGradient`](crate::ErrorKind::NoGradient) for a constant or a detached value, whose hook would never run; the
    /// error of an errored variable. A sweep in which the hook gives another shape, or an error, fails with it.
    ///
    /// ```
    /// use retrograde::{Number, Tape, Tensor};
    /// use std::sync::{Arc, Mutex};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 100.0]));
    /// let hidden = x * x;
    /// let seen = Arc::new(Mutex::new(vec![]));
    /// let log = seen.clone();
    /// hidden.hook(move |g| {
    ///     log.lock().unwrap().extend(g.value().map(|g| g.to_vec()));
    ///     g
    /// })?;
    /// x.hook(|g| g.clamp(-5.0, 5.0))?; // clipped
    /// assert_eq!((hidden * 3.0).sum().backward()?.wrt(x)?.to_vec(), [5.0, 5.0]);
    /// assert_eq!(*seen.lock().unwrap(), [[3.0, 3.0]]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hook(
        self,
        closure: impl for<'s> Fn(Var<'s, T>) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Result<HookId> {
        let line = Location::caller();
        self.tape.check_wanted(&[self]).map_err(|error| error.at("hook", line))?;
        let hooks = &mut self.tape.store.borrow_mut().hooks;
        let id = hooks.made;
        hooks.made += 1;
        hooks.list.push(Hook { id, node: self.index, line, closure: Arc::new(closure) });
        hooks.nodes.grow(self.index as usize + 1);
        hooks.nodes.insert(self.index);
        Ok(HookId { tape: self.tape.id.get(), hook: id })
    }
}
