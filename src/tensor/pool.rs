//! Where tensors' memory comes from: one process-wide pool of blocks that were used before.
//!
//! Touching fresh memory costs more than most arithmetic done on it (the system maps and clears a page at a
//! time), and forward and backward may run on different threads. So freed blocks are kept, by size class, last in
//! first out, each class under its own lock. The pool is bounded: past the limit a block goes back to the system.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Blocks begin on a cache line, and on the widest vector.
const ALIGN: usize = 64;
/// Four classes to each doubling, so that a block is at most a quarter larger than what was asked for.
const CLASSES: usize = 4 + 4 * 55;

/// Free blocks as addresses, so that the lists can cross threads; each is owned by the list that holds it.
static FREE: [Mutex<Vec<usize>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];
static RETAINED: AtomicUsize = AtomicUsize::new(0);
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static FRESH: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);

/// What the pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes in free blocks that are kept for reuse.
    pub retained: usize,
    /// Bytes in blocks that tensors hold.
    pub in_use: usize,
    /// How many blocks were asked of the system since the program started.
    pub fresh: usize,
    /// The most bytes that are kept for reuse.
    pub limit: usize,
}

/// What the pool holds now. Under concurrent use the figures may be of slightly different moments.
///
/// ```
/// use retrograde::{Tensor, memory};
///
/// let before = memory::stats();
/// let x = Tensor::<f64>::zeros([1000])?;
/// assert!(memory::stats().in_use >= before.in_use + 8000);
/// drop(x);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub fn stats() -> Stats {
    Stats {
        retained: RETAINED.load(Relaxed),
        in_use: IN_USE.load(Relaxed),
        fresh: FRESH.load(Relaxed),
        limit: LIMIT.load(Relaxed),
    }
}

/// Keeps at most `bytes` in free blocks (4 GiB unless set). Blocks above it are given back at once.
pub fn limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
    if RETAINED.load(Relaxed) > bytes {
        trim();
    }
}

/// Gives every free block back to the system.
///
/// ```
/// retrograde::memory::trim();
/// ```
pub fn trim() {
    for (class, list) in FREE.iter().enumerate() {
        let blocks = std::mem::take(&mut *lock(list));
        for address in blocks {
            RETAINED.fetch_sub(class_bytes(class), Relaxed);
            release(address, class);
        }
    }
}

/// A block of initialised memory: cleared when fresh, else with what its last owner left.
pub(super) struct Block {
    pub(super) start: NonNull<u8>,
    class: u8,
}

// SAFETY: a block is exclusively owned memory; nothing in it is tied to a thread.
unsafe impl Send for Block {}
// SAFETY: shared access to a block reads its two fields only.
unsafe impl Sync for Block {}

impl Block {
    /// At least `bytes` bytes, or nothing if the system has none.
    pub(super) fn new(bytes: usize) -> Option<Block> {
        let class = class_of(bytes);
        let reused = lock(&FREE[class]).pop();
        let start = match reused.and_then(|address| NonNull::new(address as *mut u8)) {
            Some(start) => {
                RETAINED.fetch_sub(class_bytes(class), Relaxed);
                start
            }
            None => {
                let layout = layout(class)?;
                FRESH.fetch_add(1, Relaxed);
                // SAFETY: every class has a size above zero.
                NonNull::new(unsafe { alloc_zeroed(layout) })?
            }
        };
        IN_USE.fetch_add(class_bytes(class), Relaxed);
        Some(Block { start, class: class as u8 })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let class = usize::from(self.class);
        let bytes = class_bytes(class);
        IN_USE.fetch_sub(bytes, Relaxed);
        if RETAINED.fetch_add(bytes, Relaxed) + bytes <= LIMIT.load(Relaxed) {
            lock(&FREE[class]).push(self.start.as_ptr() as usize);
        } else {
            RETAINED.fetch_sub(bytes, Relaxed);
            release(self.start.as_ptr() as usize, class);
        }
    }
}

fn release(address: usize, class: usize) {
    let layout = layout(class).expect("a block of this class was allocated");
    // SAFETY: the address came from `alloc_zeroed` with this layout, and its one owner gives it up.
    unsafe { dealloc(address as *mut u8, layout) }
}

/// A poisoned list is whole all the same: a push or a pop cannot be half done.
fn lock(list: &Mutex<Vec<usize>>) -> std::sync::MutexGuard<'_, Vec<usize>> {
    list.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The memory of a block; none for the last class, which is larger than half the address space.
fn layout(class: usize) -> Option<Layout> {
    Layout::from_size_align(class_bytes(class), ALIGN).ok()
}

/// The smallest class of at least `bytes`: 64, 128, 192, 256, then 1¼, 1½, 1¾ and 2 times each power of two.
fn class_of(bytes: usize) -> usize {
    let bytes = bytes.max(1);
    if bytes <= 256 {
        return (bytes - 1) / 64;
    }
    let power = usize::BITS as usize - 1 - (bytes - 1).leading_zeros() as usize; // 2^power < bytes ≤ 2^(power+1)
    let quarter = (bytes - 1 - (1 << power)) >> (power - 2);
    4 + 4 * (power - 8) + quarter
}

fn class_bytes(class: usize) -> usize {
    if class < 4 {
        return 64 * (class + 1);
    }
    let (power, quarter) = (8 + (class - 4) / 4, (class - 4) % 4);
    (1 << power) + (quarter + 1) * (1 << (power - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_was_asked_and_at_most_a_quarter_more() {
        for bytes in (1..5000).chain([1 << 20, (1 << 20) + 1, 12_345_678_901, 1 << 40]) {
            let class = class_of(bytes);
            assert!(class_bytes(class) >= bytes);
            assert!(class == 0 || class_bytes(class - 1) < bytes);
            assert!(class < 4 || class_bytes(class) as f64 <= 1.25 * bytes as f64, "{bytes}");
            assert_eq!(class_bytes(class) % ALIGN, 0);
        }
        assert!(class_of(isize::MAX as usize) < CLASSES);
    }
}
