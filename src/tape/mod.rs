//! The tape: operations in the order in which they ran, and the sweeps over it.

mod append;
mod backward;
mod bits;
mod checkpoint;
mod gradients;
mod hook;
mod jacobian;
mod jvp;
mod label;
mod node;
mod non_finite;
mod operation;
mod path;
mod print;
mod profile;
mod record;
mod sweep;
mod tangent;
mod travel;
mod var;
mod vjp;

pub use bits::Bits;
pub use checkpoint::Segment;
pub use gradients::{Gradients, Key};
pub use hook::HookId;
pub(crate) use jacobian::{is_one_way, one_hot};
pub use non_finite::{NonFinite, Phase};
pub use operation::{At, Operation, Outputs, Partials, Parts, Saved, one};
pub use profile::{Event, Pass, Profile, Profiler, Summary};
pub use var::{IntoVar, Var};

use crate::error::Result;
use crate::number::Real;
use crate::tensor::Tensor;
use append::output_count;
use node::Node;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// A record of operations on tensors, in the order in which they ran.
///
/// [`var`](Tape::var) and [`constant`](Tape::constant) put tensors on it and give [`Var`]s, which are `Copy`.
/// Every operation on them computes its value at once and appends a node with its backward closure. The order of
/// the nodes is a topological order, so a sweep is a walk over a flat list. Nothing recurses: a chain of a million
/// operations is built, differentiated and dropped on a small stack.
///
/// One tape serves one thread at a time, and usually one step: [`clear`](Tape::clear) empties it and keeps its
/// memory. A `Var` cannot outlive that, nor move to another thread: both are compile errors.
///
/// ```
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
/// let y = (x * x).sum();
/// assert_eq!(y.item()?, 14.0);
/// assert_eq!(y.backward()?.wrt(x)?.to_vec(), [2.0, 4.0, 6.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
///
/// ```compile_fail
/// # use retrograde::{Tape, Tensor};
/// let mut tape = Tape::new();
/// let x = tape.var(&Tensor::scalar(1.0));
/// tape.clear();
/// let y = x * x; // the borrow of `tape` by `x` outlives `clear`
/// ```
///
/// ```compile_fail
/// # use retrograde::{Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::scalar(1.0));
/// std::thread::scope(|s| { s.spawn(move || x * x); }); // `Tape` is not `Sync`
/// ```
pub struct Tape<T: Real> {
    store: RefCell<Store<T>>,
    /// The line that nodes are made on behalf of while a rule or a composed operation runs.
    line: Cell<Option<&'static Location<'static>>>,
    id: Cell<u64>,
}

/// What a sweep on another thread takes with it.
struct Store<T: Real> {
    nodes: Vec<Node<T>>,
    leaves: Vec<u32>,
    /// Elements in all values: whether a sweep is worth entering the thread pool for.
    elements: usize,
    pending: sweep::Pending<T>,
    hooks: hook::Hooks<T>,
    labels: BTreeMap<u32, Arc<str>>,
    /// Where a profile is taken, if one is.
    recorder: Option<Weak<profile::Recorder>>,
}

impl<T: Real> Default for Store<T> {
    fn default() -> Store<T> {
        Store {
            nodes: Vec::new(),
            leaves: Vec::new(),
            elements: 0,
            pending: sweep::Pending::default(),
            hooks: hook::Hooks::default(),
            labels: BTreeMap::new(),
            recorder: None,
        }
    }
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Tape<T> {
        Tape::new()
    }
}

/// Identifies tapes, and one tape before and after it was cleared, so that a stale key is found out.
fn fresh_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

impl<T: Real> Tape<T> {
    /// An empty tape.
    pub fn new() -> Tape<T> {
        Tape { store: RefCell::default(), line: Cell::new(None), id: Cell::new(fresh_id()) }
    }

    /// A variable: a leaf that gradients are taken with respect to. The tensor is shared, not copied.
    #[track_caller]
    pub fn var(&self, value: &Tensor<T>) -> Var<'_, T> {
        self.leaf(value.clone(), true)
    }

    /// A constant: no gradient, and nothing is recorded for what depends on constants alone. Shared, not copied.
    #[track_caller]
    pub fn constant(&self, value: &Tensor<T>) -> Var<'_, T> {
        self.leaf(value.clone(), false)
    }

    /// A constant of rank 0.
    #[track_caller]
    pub fn scalar(&self, value: f64) -> Var<'_, T> {
        self.leaf(Tensor::scalar(T::from_f64(value)), false)
    }

    /// Empties the tape and keeps its memory. Keys and gradients made before can no longer be matched with it.
    pub fn clear(&mut self) {
        let store = self.store.get_mut();
        store.nodes.clear();
        store.leaves.clear();
        store.elements = 0;
        store.hooks.clear();
        store.labels.clear();
        self.line.set(None);
        self.id.set(fresh_id());
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.store.borrow().nodes.len()
    }

    /// Whether nothing was put on the tape yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs an operation of one output and appends it. Bad input, or an error already in the inputs, gives an
    /// errored variable.
    #[track_caller]
    pub fn apply<'t>(&'t self, operation: impl Operation<T>, inputs: &[Var<'t, T>]) -> Var<'t, T> {
        Var::new(self, self.push(operation, inputs, self.line()))
    }

    /// Runs an operation of `n` outputs and appends them all; `n` errored variables if it fails.
    #[track_caller]
    pub fn apply_many<'t>(
        &'t self,
        operation: impl Operation<T>,
        inputs: &[Var<'t, T>],
        n: usize,
    ) -> SmallVec<[Var<'t, T>; 3]> {
        let first = self.push(operation, inputs, self.line());
        let (made, name, line, failed) = {
            let nodes = &self.store.borrow().nodes;
            let node = &nodes[first as usize];
            (nodes.len() - first as usize, node.name, node.line, node.value.is_err())
        };
        if made == n && !failed {
            return (first..).take(n).map(|index| Var::new(self, index)).collect();
        }
        let failed =
            if failed { first } else { self.push_error(output_count(made, n).at(name, line), name, line) };
        smallvec::smallvec![Var::new(self, failed); n]
    }

    /// The line new nodes belong to: that of the call they serve, else the caller's.
    #[track_caller]
    fn line(&self) -> &'static Location<'static> {
        match self.line.get() {
            Some(line) => line,
            None => Location::caller(),
        }
    }

    /// Runs `f`, which is written in variables of this tape, on behalf of one line of the user's source; an error
    /// it returns becomes an errored variable named after the operation.
    #[track_caller]
    pub(crate) fn composed<'t>(
        &'t self,
        name: &'static str,
        f: impl FnOnce() -> Result<Var<'t, T>>,
    ) -> Var<'t, T> {
        let line = self.line();
        let result = {
            let _guard = self.on_behalf_of(line);
            f()
        };
        result.unwrap_or_else(|error| self.errored(name, line, error))
    }

    /// The same for several variables, all of them errored if one cannot be had.
    #[track_caller]
    pub(crate) fn composed_many<'t, const N: usize>(
        &'t self,
        name: &'static str,
        f: impl FnOnce() -> Result<[Var<'t, T>; N]>,
    ) -> [Var<'t, T>; N] {
        let line = self.line();
        let result = {
            let _guard = self.on_behalf_of(line);
            f()
        };
        result.unwrap_or_else(|error| [self.errored(name, line, error); N])
    }

    /// Sets the line that nodes are made on behalf of, until the guard is dropped.
    fn on_behalf_of(&self, line: &'static Location<'static>) -> LineGuard<'_> {
        LineGuard { line: &self.line, before: self.line.replace(Some(line)) }
    }

    /// The same, unless that is already on behalf of another call.
    pub(crate) fn serving(&self, line: &'static Location<'static>) -> LineGuard<'_> {
        self.on_behalf_of(self.line.get().unwrap_or(line))
    }
}

pub(crate) struct LineGuard<'a> {
    line: &'a Cell<Option<&'static Location<'static>>>,
    before: Option<&'static Location<'static>>,
}

impl Drop for LineGuard<'_> {
    fn drop(&mut self) {
        self.line.set(self.before);
    }
}
