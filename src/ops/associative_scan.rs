//! Scans by an associative operation of the user's own.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{resolve_axis, same};
use crate::tape::{Tape, Var};

/// The even places of `n` from `even`, the odd ones from `odd`.
fn interleaved<'t, T: Real>(even: Var<'t, T>, odd: Var<'t, T>, axis: isize, n: usize) -> Result<Var<'t, T>> {
    let pairs = n as isize / 2;
    let tape = even.tape();
    let both = tape.stack(&[even.slice(axis, ..pairs), odd], axis + 1);
    let mut shape = even.try_shape()?.to_vec();
    shape[axis as usize] = 2 * (n / 2);
    let both = both.reshape(shape);
    Ok(if n.is_multiple_of(2) { both } else { tape.concat(&[both, even.slice(axis, pairs..)], axis) })
}

impl<T: Real> Tape<T> {
    /// A scan by an associative operation along an axis: `yᵢ = x₀ ∘ x₁ ∘ … ∘ xᵢ`, for a tuple of `N` variables, in
    /// `2 log₂ n` calls of `f`, each on many elements at once.
    ///
    /// `f` combines an earlier piece and a later one, element by element along the axis: what it gets are slices of
    /// any length along it, and it gives variables of the same shapes. It must be associative; rounding may differ
    /// from that of a loop.
    ///
    /// # Gradient
    ///
    /// That of the formula, by what `f` records.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Shape`](ErrorKind::Shape) if the variables differ in length along it, or `f` gives
    /// another shape than it gets.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// // hᵢ = aᵢ hᵢ₋₁ + bᵢ: pairs (a, b) stand for the maps h ↦ a h + b.
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([0.5, 0.5, 2.0]));
    /// let b = tape.var(&Tensor::from([1.0, 1.0, 1.0]));
    /// let [_, h] = tape.associative_scan([a, b], 0, |[a, b], [c, d]| [a * c, c * b + d]);
    /// assert_eq!(h.value()?.to_vec(), [1.0, 1.5, 4.0]);
    /// assert_eq!(h.sum().backward()?.wrt(b)?.to_vec(), [2.5, 3.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn associative_scan<'t, const N: usize>(
        &'t self,
        x: [Var<'t, T>; N],
        axis: isize,
        f: impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> [Var<'t, T>; N],
    ) -> [Var<'t, T>; N] {
        let mut found = [None; N];
        let whole = self.composed("associative_scan", || {
            let mut lengths = Vec::with_capacity(N);
            for x in x {
                let shape = x.try_shape()?;
                lengths.push((resolve_axis(axis, &shape)?, shape));
            }
            let Some(((at, first), rest)) = lengths.split_first() else { return Ok(self.scalar(0.0)) };
            let n = first[*at];
            if let Some((i, (at, shape))) = rest.iter().enumerate().find(|(_, (at, shape))| shape[*at] != n) {
                let (what, mut wanted) = (format!("variable {}", i + 1), shape.to_vec());
                wanted[*at] = n;
                return Err(ErrorKind::Shape { what, found: shape.to_vec(), wanted }.into());
            }
            let axes: [usize; N] = std::array::from_fn(|i| lengths[i].0);
            found = scan(x, &axes, n, &f)?.map(Some);
            Ok(self.scalar(0.0))
        });
        found.map(|y| y.unwrap_or(whole))
    }
}

/// Neighbours are combined, the half of them scanned, which gives every second element, and those between are one
/// more combination.
fn scan<'t, T: Real, const N: usize>(
    x: [Var<'t, T>; N],
    axes: &[usize; N],
    n: usize,
    f: &impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> [Var<'t, T>; N],
) -> Result<[Var<'t, T>; N]> {
    if n < 2 {
        return Ok(x);
    }
    let every_second = |x: [Var<'t, T>; N], from: isize, until: isize| -> [Var<'t, T>; N] {
        std::array::from_fn(|i| x[i].slice(axes[i] as isize, crate::tensor::Slice::from(from..until).step(2)))
    };
    let (length, pairs) = (n as isize, n as isize / 2);
    let combined = |a: [Var<'t, T>; N], b: [Var<'t, T>; N]| -> Result<[Var<'t, T>; N]> {
        let y = f(a, b);
        for (i, (y, b)) in y.iter().zip(b).enumerate() {
            same(format_args!("result {i} of the closure"), &y.try_shape()?, &b.try_shape()?)?;
        }
        Ok(y)
    };
    let odd = combined(every_second(x, 0, 2 * pairs), every_second(x, 1, length))?;
    let odd = scan(odd, axes, n / 2, f)?;
    let whole = |i: usize, even: Var<'t, T>| interleaved(even, odd[i], axes[i] as isize, n);
    let mut y = x;
    let between = if n > 2 {
        let before = std::array::from_fn(|i| odd[i].slice(axes[i] as isize, ..(length - 1) / 2));
        Some(combined(before, every_second(x, 2, length))?)
    } else {
        None
    };
    for i in 0..N {
        let first = x[i].slice(axes[i] as isize, 0..1);
        let even = match between {
            Some(between) => first.tape().concat(&[first, between[i]], axes[i] as isize),
            None => first,
        };
        y[i] = whole(i, even)?;
    }
    Ok(y)
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let lengths = || {
        let shape: [&[&[usize]]; 7] = [&[&[0]], &[&[1]], &[&[2]], &[&[3]], &[&[4, 2]], &[&[7]], &[&[17, 1]]];
        shapes(&shape, -1.5, 1.5)
    };
    let two = || shapes(&[&[&[2, 5], &[2, 5]], &[&[3, 6], &[1, 6]]], -1.5, 1.5);
    vec![
        sample!("associative_scan", lengths(), |x| {
            let [y] = x[0].tape().associative_scan([x[0]], 0, |[a], [b]| [a * b]);
            y
        }),
        sample!("associative_scan over middle", rank3(-1.5, 1.5), |x| {
            let [y] = x[0].tape().associative_scan([x[0].square()], 1, |[a], [b]| [a + b]);
            y.square()
        }),
        sample!("associative_scan of pairs", two(), |x| {
            let tape = x[0].tape();
            tape.associative_scan([x[0], x[1]], -1, |[a, b], [c, d]| [a * c, c.slice(0, 0..1) * b + d])[1]
        }),
        wrong!(
            "associative_scan",
            &[&[2, 3], &[4]],
            |x| x[0].tape().associative_scan([x[0], x[1]], -1, |_, b| b)[1],
            "variable 1 has shape [4], wanted [3]"
        ),
        wrong!(
            "associative_scan",
            &[&[4]],
            |x| x[0].tape().associative_scan([x[0]], 0, |[a], _| [a.sum()])[0],
            "result 0 of the closure has shape [], wanted [2]"
        ),
        wrong!(
            "associative_scan",
            &[&[4]],
            |x| x[0].tape().associative_scan([x[0]], 1, |_, b| b)[0],
            "axis 1 is out of range for shape [4]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    /// Words under concatenation do not commute: the place of a 1 in a product of matrices tells the order.
    #[test]
    fn the_order_of_operands_is_kept_and_the_depth_is_logarithmic() {
        for n in 1..40usize {
            let tape = Tape::new();
            let x = tape.var(
                &Tensor::from_fn([n, 2, 2], |i| ((i[0] * 5 + i[1] * 2 + i[2]) % 7) as f64 - 3.0).unwrap(),
            );
            let calls = std::cell::Cell::new(0);
            let [y] = tape.associative_scan([x], 0, |[a], [b]| {
                calls.set(calls.get() + 1);
                [a.matmul(b)]
            });
            let (x, y) = (x.value().unwrap(), y.value().unwrap());
            let mut product = Tensor::eye(2).unwrap();
            for i in 0..n as isize {
                let [x, y] = [&x, &y].map(|t| t.slice(0, i..i + 1).unwrap().squeeze(0).unwrap());
                product = product.matmul(&x).unwrap();
                let far = y.iter().zip(&product).any(|(a, b)| (a - b).abs() > 1e-12 * (1.0 + b.abs()));
                assert!(!far, "{n} {i}: {y} for {product}");
            }
            assert!(calls.get() <= 2 * n.ilog2(), "{n}: {} calls", calls.get());
        }
    }
}
