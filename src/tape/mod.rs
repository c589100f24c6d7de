//! The tape: operations in the order in which they ran, and the sweeps over it.

mod bits;
mod gradients;
mod jvp;
mod node;
mod operation;
mod print;
mod sweep;
mod var;
mod vjp;

pub use bits::Bits;
pub use gradients::{Gradients, Key};
pub use operation::{At, Operation, Outputs, Partials, Parts, Saved, one};
pub use var::{IntoVar, Var};

use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use node::{Inputs, Node};
use operation::Closures;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
}

impl<T: Real> Default for Store<T> {
    fn default() -> Store<T> {
        Store { nodes: Vec::new(), leaves: Vec::new(), elements: 0, pending: sweep::Pending::default() }
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
    /// Forward mode through it is [`ErrorKind::NoRule`]; implement [`Operation`] and call
    /// [`apply`](Tape::apply) to give that, too.
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
        result.unwrap_or_else(|error| Var::new(self, self.push_error(error.at(name, line), name, line)))
    }

    /// Sets the line that nodes are made on behalf of, until the guard is dropped.
    fn on_behalf_of(&self, line: &'static Location<'static>) -> LineGuard<'_> {
        LineGuard { line: &self.line, before: self.line.replace(Some(line)) }
    }

    fn push<O: Operation<T>>(
        &self,
        operation: O,
        inputs: &[Var<'_, T>],
        line: &'static Location<'static>,
    ) -> u32 {
        let name = operation.name();
        let mut indices = Inputs::new();
        for input in inputs {
            if !std::ptr::eq(input.tape, self) {
                // An earlier error, perhaps the cause of the mixture, is what the user must read first.
                let earlier = inputs.iter().find_map(|input| input.error());
                let mixed = || Error::from(ErrorKind::MixedTapes).at(name, line);
                return self.push_error(earlier.unwrap_or_else(mixed), name, line);
            }
            indices.push(input.index);
        }
        let mut store = self.store.borrow_mut();
        let store = &mut *store;
        let mut needs = false;
        let outputs = {
            let mut values: SmallVec<[&Tensor<T>; 4]> = SmallVec::new();
            let mut failed = None;
            for &index in &indices {
                let node = &store.nodes[index as usize];
                needs |= node.needs;
                match &node.value {
                    Ok(value) => values.push(value),
                    Err(error) => {
                        failed = Some(error.clone());
                        break;
                    }
                }
            }
            match failed {
                None => match operation.forward(&values) {
                    Ok(outputs) if outputs.is_empty() => Err(output_count(0, 1).at(name, line)),
                    outputs => outputs.map_err(|error| error.at(name, line)),
                },
                Some(error) => Err(error),
            }
        };
        let first = store.nodes.len() as u32;
        match outputs {
            Err(error) => store.push(Node { inputs: indices, ..Node::new(Err(error), name, line) }),
            Ok(mut outputs) if outputs.len() == 1 => {
                let value = outputs.pop().expect("one output");
                drop(outputs);
                store.push(Node {
                    operation: if needs { Some(Box::new(operation)) } else { None },
                    inputs: indices,
                    needs,
                    ..Node::new(Ok(value), name, line)
                });
            }
            Ok(outputs) => {
                let count = outputs.len() as u16;
                let mut operation = needs.then(|| Box::new(operation) as Box<dyn Operation<T>>);
                for (j, value) in outputs.into_iter().enumerate() {
                    store.push(Node {
                        operation: operation.take(),
                        inputs: std::mem::take(&mut indices),
                        output: j as u16,
                        outputs: count,
                        needs,
                        ..Node::new(Ok(value), name, line)
                    });
                }
            }
        }
        first
    }

    fn push_error(&self, error: Error, name: &'static str, line: &'static Location<'static>) -> u32 {
        let mut store = self.store.borrow_mut();
        store.push(Node::new(Err(error), name, line));
        store.nodes.len() as u32 - 1
    }

    #[track_caller]
    fn leaf(&self, value: Tensor<T>, leaf: bool) -> Var<'_, T> {
        let line = self.line();
        let mut store = self.store.borrow_mut();
        let index = store.nodes.len() as u32;
        if leaf {
            store.leaves.push(index);
        }
        let name = if leaf { "var" } else { "constant" };
        store.push(Node { needs: leaf, leaf, ..Node::new(Ok(value), name, line) });
        Var::new(self, index)
    }

    /// A value, or an error, without history.
    #[track_caller]
    fn push_constant(&self, value: Result<Tensor<T>>) -> Var<'_, T> {
        let line = self.line();
        let mut store = self.store.borrow_mut();
        store.push(Node::new(value, "constant", line));
        Var::new(self, store.nodes.len() as u32 - 1)
    }

    /// Runs `f` on this tape inside the current thread pool, if the tape is large enough to be worth entering it.
    ///
    /// The nodes move to a tape of the same identity there and come back in any case, also if `f` panics.
    fn in_pool<R: Send>(&self, f: impl FnOnce(&Tape<T>) -> R + Send) -> R {
        let small = self.store.borrow().elements < crate::kernels::threshold::SWEEP;
        if small || rayon::current_thread_index().is_some() || rayon::current_num_threads() == 1 {
            return f(self);
        }
        /// Puts the nodes down when the sweep ends, however it ends.
        struct Traveller<'a, T: Real>(Tape<T>, &'a Mutex<Store<T>>);
        impl<T: Real> Drop for Traveller<'_, T> {
            fn drop(&mut self) {
                *self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = self.0.store.take();
            }
        }
        /// Takes them home on the calling thread.
        struct Return<'a, T: Real>(&'a Tape<T>, &'a Mutex<Store<T>>);
        impl<T: Real> Drop for Return<'_, T> {
            fn drop(&mut self) {
                let mut store = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                self.0.store.replace(std::mem::take(&mut *store));
            }
        }
        let home = Mutex::new(Store::default());
        let _return = Return(self, &home);
        let tape = Tape {
            store: RefCell::new(self.store.take()),
            line: Cell::new(self.line.get()),
            id: Cell::new(self.id.get()),
        };
        let traveller = Traveller(tape, &home);
        rayon::scope(move |_| {
            let traveller = traveller;
            f(&traveller.0)
        })
    }
}

/// An operation that made another number of outputs than was asked for.
fn output_count(found: usize, wanted: usize) -> Error {
    let (name, found, wanted) = ("the number of outputs", found.to_string(), wanted.to_string());
    ErrorKind::Argument { name, found, wanted }.into()
}

impl<T: Real> Store<T> {
    #[inline]
    fn push(&mut self, node: Node<T>) {
        assert!(self.nodes.len() < u32::MAX as usize, "a tape holds at most 2^32 - 1 nodes");
        if let Ok(value) = &node.value {
            self.elements += value.len();
        }
        self.nodes.push(node);
    }
}

impl<T: Real> Node<T> {
    #[inline(always)]
    fn new(value: Result<Tensor<T>>, name: &'static str, line: &'static Location<'static>) -> Node<T> {
        Node {
            value,
            operation: None,
            inputs: Inputs::new(),
            name,
            line,
            output: 0,
            outputs: 1,
            needs: false,
            leaf: false,
        }
    }
}

struct LineGuard<'a> {
    line: &'a Cell<Option<&'static Location<'static>>>,
    before: Option<&'static Location<'static>>,
}

impl Drop for LineGuard<'_> {
    fn drop(&mut self) {
        self.line.set(self.before);
    }
}

#[cfg(test)]
mod tests;
