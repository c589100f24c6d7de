//! How a sweep enters the thread pool.

use super::{Store, Tape};
use crate::number::Real;
use std::cell::{Cell, RefCell};
use std::sync::Mutex;

impl<T: Real> Tape<T> {
    /// Runs `f` on this tape inside the current thread pool, if the tape is large enough to be worth entering it.
    ///
    /// The nodes move to a tape of the same identity there and come back in any case, also if `f` panics.
    pub(super) fn in_pool<R: Send>(&self, f: impl FnOnce(&Tape<T>) -> R + Send) -> R {
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
