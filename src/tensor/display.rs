//! Printing that stays readable for big tensors: at most six indices of an axis, at most four digits.

use super::Tensor;
use crate::number::Element;
use std::fmt;

/// Indices of an axis shown at each end when it is too long to show whole.
const EDGE: usize = 3;
/// The longest axis that is shown whole, and the most elements.
const WHOLE: usize = 8;

/// Nested rows; long axes are abridged. The precision of the format applies to each element, and is 4 unless
/// given: `{:.8}` prints eight digits.
///
/// ```
/// let x = retrograde::Tensor::from([[1.0, -2.5], [1.0 / 3.0, 1e9]]);
/// assert_eq!(x.to_string(), "[[1.0000, -2.5000],\n [0.3333, 1.0000e9]]");
/// let long = retrograde::Tensor::<f32>::arange(0.0, 1000.0, 1.0)?;
/// assert_eq!(format!("{long:.0}"), "[0, 1, 2, …, 997, 998, 999]");
/// # Ok::<(), retrograde::Error>(())
/// ```
impl<E: Element> fmt::Display for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut index = vec![0; self.rank()];
        write_axis(self, f, &mut index, 0)
    }
}

/// The type and shape, then the elements as [`Display`](fmt::Display) prints them.
impl<E: Element> fmt::Debug for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor<{}> {:?} ", E::DTYPE, self.shape())?;
        fmt::Display::fmt(self, f)
    }
}

fn write_axis<E: Element>(
    x: &Tensor<E>,
    f: &mut fmt::Formatter<'_>,
    index: &mut [usize],
    axis: usize,
) -> fmt::Result {
    let Some(&n) = x.shape().get(axis) else {
        return write_element(f, x.get(&*index).expect("an index inside the shape"));
    };
    let last = axis + 1 == index.len();
    let separator = if last { ", ".into() } else { format!(",\n{}", " ".repeat(axis + 1)) };
    write!(f, "[")?;
    let mut i = 0;
    while i < n {
        if i > 0 {
            write!(f, "{separator}")?;
        }
        if n > WHOLE && i == EDGE {
            write!(f, "…")?;
            i = n - EDGE;
            continue;
        }
        index[axis] = i;
        write_axis(x, f, index, axis + 1)?;
        i += 1;
    }
    write!(f, "]")
}

/// Plain notation where it reads well, scientific where digits would be lost or zeros pile up.
fn write_element<E: Element>(f: &mut fmt::Formatter<'_>, x: E) -> fmt::Result {
    let Some(value) = x.as_real() else {
        return write!(f, "{x}");
    };
    let digits = f.precision().unwrap_or(4);
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || (1e-3..1e6).contains(&size) {
        write!(f, "{value:.digits$}")
    } else {
        write!(f, "{value:.digits$e}")
    }
}
