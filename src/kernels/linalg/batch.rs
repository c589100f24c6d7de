//! The same work on each matrix of a batch, and on blocks of columns.

use super::super::threshold;
use rayon::prelude::*;

/// Runs `f` on each of `count` parts of the outputs, which are cut into as many pieces of equal size; several threads
/// share them if the whole takes long enough, at `ns` a part. `f` gets what `init` makes for each task, the part's
/// number, and its pieces. Gives the first part that failed, and why.
pub fn each<T: Send, W, F: Send, const K: usize>(
    count: usize,
    ns: usize,
    outputs: [&mut [T]; K],
    init: impl Fn() -> W + Sync,
    f: impl Fn(&mut W, usize, [&mut [T]; K]) -> Result<(), F> + Sync,
) -> Result<(), (usize, F)> {
    if count == 0 {
        return Ok(());
    }
    let sizes = outputs.each_ref().map(|output| output.len() / count);
    let grain = if threshold::split(count.saturating_mul(ns)) {
        (threshold::INSIDE_NS / ns.max(1)).clamp(1, count)
    } else {
        count
    };
    split(0, count, grain, outputs, sizes, &init, &f)
}

#[allow(clippy::too_many_arguments)]
fn split<T: Send, W, F: Send, const K: usize>(
    first: usize,
    count: usize,
    grain: usize,
    outputs: [&mut [T]; K],
    sizes: [usize; K],
    init: &(impl Fn() -> W + Sync),
    f: &(impl Fn(&mut W, usize, [&mut [T]; K]) -> Result<(), F> + Sync),
) -> Result<(), (usize, F)> {
    if count <= grain {
        let mut work = init();
        let mut rest = outputs;
        for part in first..first + count {
            let mut k = 0;
            let pieces = rest.each_mut().map(|rest| {
                let (piece, after) = std::mem::take(rest).split_at_mut(sizes[k]);
                (*rest, k) = (after, k + 1);
                piece
            });
            f(&mut work, part, pieces).map_err(|fault| (part, fault))?;
        }
        return Ok(());
    }
    let half = count / 2;
    let mut left: [&mut [T]; K] = std::array::from_fn(|_| Default::default());
    let mut k = 0;
    let right = outputs.map(|output| {
        let (before, after) = output.split_at_mut(half * sizes[k]);
        left[k] = before;
        k += 1;
        after
    });
    let (a, b) = rayon::join(
        || split(first, half, grain, left, sizes, init, f),
        || split(first + half, count - half, grain, right, sizes, init, f),
    );
    a.and(b)
}

/// Columns that are solved for together: a fixed number, whatever the number of threads.
const COLUMNS: usize = 64;

/// Runs `f` on blocks of columns of `n` numbers each, with the number of a block's first column; several threads share them
/// if the whole takes long enough, at `ns`.
pub fn in_columns<T: Send>(n: usize, columns: &mut [T], ns: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    if columns.is_empty() {
        return;
    }
    let block = |(i, columns): (usize, &mut [T])| f(i * COLUMNS, columns);
    if threshold::split(ns) {
        columns.par_chunks_mut(n * COLUMNS).enumerate().for_each(block);
    } else {
        columns.chunks_mut(n * COLUMNS).enumerate().for_each(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_gets_its_pieces_and_the_first_failure_is_told() {
        for ns in [1, 1_000_000] {
            let (mut a, mut b) = (vec![0; 3 * 37], vec![0; 37]);
            let fill = |work: &mut usize, i: usize, [a, b]: [&mut [usize]; 2]| {
                a.fill(i);
                *work += 1;
                b[0] = i * i;
                Ok::<(), ()>(())
            };
            each(37, ns, [&mut a, &mut b], || 0, fill).unwrap();
            assert!(a.chunks(3).enumerate().all(|(i, a)| a == [i; 3]));
            assert!(b.iter().enumerate().all(|(i, &b)| b == i * i));
            let failing = |_: &mut (), i, _: [&mut [usize]; 1]| if i % 10 == 9 { Err(i + 1) } else { Ok(()) };
            assert_eq!(each(37, ns, [&mut a], || (), failing), Err((9, 10)));
            assert_eq!(each(0, ns, [&mut a], || (), failing), Ok(()));
        }
        // Parts without elements are parts.
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let count = |_: &mut (), _, [piece]: [&mut [f64]; 1]| {
            assert!(piece.is_empty());
            seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<(), ()>(())
        };
        each(5, 1, [&mut []], || (), count).unwrap();
        assert_eq!(seen.into_inner(), 5);
    }
}
