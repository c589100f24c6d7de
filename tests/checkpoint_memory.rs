//! How much memory a long chain takes, plain and checkpointed, and a Jacobian. A binary of its own: it counts every
//! allocation.

use retrograde::{Gradients, Tape, Tensor, Var, memory};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count of live bytes.
struct Counting;

fn grown(by: usize) {
    let now = LIVE.fetch_add(by, Relaxed) + by;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const LAYERS: usize = 4096;
const SIZE: usize = 1024;
const ACTIVATION: usize = SIZE * size_of::<f64>();

/// The counts are of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs with nothing kept in the pool, so that every block in use is an allocation that is counted; gives the peak
/// in activations.
fn peak(chain: impl for<'t> Fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>) -> (f64, Vec<f64>) {
    memory::limit(0);
    memory::trim();
    let x = Tensor::from_fn([SIZE], |at| (at[0] as f64 * 0.01).sin()).unwrap();
    let w = Tensor::scalar(0.999);
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let tape = Tape::new();
    let (vx, vw) = (tape.var(&x), tape.var(&w));
    let grads: Gradients<f64> = chain(vx, vw).sum().backward().unwrap();
    let peak = PEAK.load(Relaxed) - before;
    let mut found = grads.wrt(vx).unwrap().to_vec();
    found.push(grads.wrt(vw).unwrap().item().unwrap());
    (peak as f64 / ACTIVATION as f64, found)
}

fn layer<'t>(x: Var<'t, f64>, w: Var<'t, f64>) -> Var<'t, f64> {
    (x * w).sin()
}

#[test]
fn a_checkpointed_chain_keeps_the_square_root_of_what_a_plain_one_keeps() {
    let _alone = alone();
    let (plain, wanted) = peak(|x, w| (0..LAYERS).fold(x, |x, _| layer(x, w)));
    let (chain, found) =
        peak(|x, w| x.tape().checkpoint_chain(x, &vec![[w]; LAYERS], |_, x, l| layer(x, l[0])));
    println!(
        "peak live memory, in activations of {ACTIVATION} bytes: plain {plain:.0}, checkpointed {chain:.0}"
    );
    assert!(found == wanted, "bit for bit");
    assert!(found.iter().all(|g| g.is_finite()) && found.iter().any(|g| *g != 0.0));
    assert!(plain >= LAYERS as f64, "{plain}");
    assert!(chain <= 4.0 * (LAYERS as f64).sqrt(), "{chain}");
    // Of nested segments less again: a chain of 16 chains of 16 checkpointed chains of 16 layers.
    let (nested, found) = peak(|x, w| {
        let tape = x.tape();
        (0..16).fold(x, |x, _| {
            tape.checkpoint(&[x, w], |v| {
                (0..16).fold(v[0], |x, _| {
                    x.tape().checkpoint(&[x, v[1]], |v| (0..16).fold(v[0], |x, _| layer(x, v[1])))
                })
            })
        })
    });
    println!("nested three deep: {nested:.0}");
    assert!(found == wanted, "bit for bit");
    assert!(nested <= chain, "{nested} {chain}");
}

#[test]
fn a_jacobian_by_columns_makes_its_directions_as_it_goes() {
    let _alone = alone();
    memory::limit(0);
    memory::trim();
    const N: usize = 2048;
    let x = Tensor::from_fn([N], |at| at[0] as f64 * 1e-3).unwrap();
    let tape = Tape::<f64>::new();
    let v = tape.var(&x);
    let y = v.sin().sum();
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let [j] = tape.jacobian_forward(y, [v]).unwrap();
    let peak = (PEAK.load(Relaxed) - before) as f64 / (N * size_of::<f64>()) as f64;
    println!("peak live memory of a Jacobian of {N} columns and one row: {peak:.0} times its size");
    assert_eq!(j.get([1000]).unwrap(), 1f64.cos());
    assert!(peak <= 64.0, "{peak}");
}
