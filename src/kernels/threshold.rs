//! When a loop is worth a second thread: every threshold of the library, in one place.
//!
//! Entering rayon's pool from outside costs about 15 µs, a join inside it about 20 ns plus the time until an
//! idle worker wakes. A loop is therefore split only from a certain estimated time on, and that time is shorter
//! inside the pool. The estimates are in nanoseconds on one core; they need only the right order of magnitude.

/// Estimated serial time, in nanoseconds, from which on a loop started outside the pool is split.
pub const OUTSIDE_NS: usize = 80_000;
/// The same for a loop that already runs inside the pool.
pub const INSIDE_NS: usize = 25_000;
/// Elements in one chunk of a split element-wise loop: long enough to forget the cost of a join.
pub const CHUNK: usize = 1 << 14;
/// Elements that element-wise loops stage at a time: small enough for the first-level cache.
pub const BLOCK: usize = 1 << 10;
/// Multiply-adds from which on one matrix product is split, about 200³.
pub const PRODUCT: usize = 6_000_000;
/// Elements on a tape from which on a sweep over it enters the pool once and stays there.
pub const SWEEP: usize = 1 << 17;

/// Whether a loop of about `ns` nanoseconds on one core should be split among threads.
pub fn split(ns: usize) -> bool {
    if ns < INSIDE_NS {
        return false;
    }
    rayon::current_num_threads() > 1
        && ns >= if rayon::current_thread_index().is_some() { INSIDE_NS } else { OUTSIDE_NS }
}
