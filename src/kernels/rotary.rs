//! Pairs of elements turned by angles.

use super::multiversion;
use super::reduce::pieces;
use super::threshold;

multiversion! {
    /// `(a, b) ↦ (a cos − b sin, b cos + a sin)`, the pair's parts in the two halves of the row.
    fn turn_halves<T, N>(x: &[T], cos: &[T], sin: &[T], out: &mut [T]) {
        let n = cos.len();
        let ((a, b), (out_a, out_b)) = (x.split_at(n), out.split_at_mut(n));
        let sin = &sin[..n];
        for j in 0..n {
            let (x, y, c, s) = (N::of(a[j]), N::of(b[j]), N::of(cos[j]), N::of(sin[j]));
            out_a[j] = (x * c - y * s).get();
            out_b[j] = (y * c + x * s).get();
        }
    }

    /// The same for neighbours.
    fn turn_neighbours<T, N>(x: &[T], cos: &[T], sin: &[T], out: &mut [T]) {
        let pairs = x.as_chunks::<2>().0.iter().zip(out.as_chunks_mut::<2>().0);
        for ((x, out), (&c, &s)) in pairs.zip(cos.iter().zip(sin)) {
            let ([x, y], c, s) = (x.map(N::of), N::of(c), N::of(s));
            *out = [(x * c - y * s).get(), (y * c + x * s).get()];
        }
    }
}

/// Turns the pairs of each row of `n` elements, whose cosines and sines are those of its place among `rows` rows; backwards,
/// by the negative angles. The elements behind the pairs stay.
pub fn turn<T: crate::number::Real>(
    x: &[T],
    n: usize,
    (cos, sin): (&[T], &[T]),
    rows: usize,
    neighbours: bool,
    out: &mut [T],
) {
    if x.is_empty() {
        return;
    }
    let pairs = cos.len() / rows.max(1);
    let taken = ((1 << 14) / n).max(1);
    pieces(out, taken * n, threshold::split(x.len()), |from, out| {
        for (i, out) in out.chunks_exact_mut(n).enumerate() {
            let (x, at) = (&x[from + i * n..][..n], (from / n + i) % rows * pairs);
            let (cos, sin) = (&cos[at..][..pairs], &sin[at..][..pairs]);
            let (turned, rest) = out.split_at_mut(2 * pairs);
            if neighbours {
                turn_neighbours(&x[..2 * pairs], cos, sin, turned);
            } else {
                turn_halves(&x[..2 * pairs], cos, sin, turned);
            }
            rest.copy_from_slice(&x[2 * pairs..]);
        }
    });
}
