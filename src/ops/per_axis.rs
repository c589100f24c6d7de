//! Numbers for the spatial axes of images: one for all, or one for each.

use crate::error::{ErrorKind, Result};
use crate::shape::Shape;

/// A number for each spatial axis, at most three, or one for all of them.
///
/// ```
/// use retrograde::PerAxis;
///
/// let (all, each) = (PerAxis::from(2), PerAxis::from([2, 3]));
/// assert_ne!(all, each);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerAxis {
    values: [usize; 3],
    /// How many were given; nothing for one that is for all.
    given: Option<usize>,
}

impl PerAxis {
    /// The numbers for `axes` axes, in their order.
    pub(super) fn of(self, name: &'static str, axes: usize) -> Result<Vec<usize>> {
        match self.given {
            None => Ok(vec![self.values[0]; axes]),
            Some(given) if given == axes => Ok(self.values[..axes].to_vec()),
            Some(given) => {
                let (found, wanted) = (format!("{given} numbers"), format!("one, or {axes}"));
                Err(ErrorKind::Argument { name, found, wanted }.into())
            }
        }
    }

    /// The same, none of them below `least`.
    pub(super) fn at_least(self, least: usize, name: &'static str, axes: usize) -> Result<Vec<usize>> {
        let numbers = self.of(name, axes)?;
        match numbers.iter().find(|&&n| n < least) {
            None => Ok(numbers),
            Some(found) => {
                let (found, wanted) = (found.to_string(), format!("at least {least}"));
                Err(ErrorKind::Argument { name, found, wanted }.into())
            }
        }
    }
}

impl From<usize> for PerAxis {
    fn from(value: usize) -> PerAxis {
        PerAxis { values: [value; 3], given: None }
    }
}

impl From<&[usize]> for PerAxis {
    fn from(values: &[usize]) -> PerAxis {
        let first = values.iter().copied().chain(std::iter::repeat(0));
        let mut kept = [0; 3];
        kept.iter_mut().zip(first).for_each(|(kept, value)| *kept = value);
        PerAxis { values: kept, given: Some(values.len()) }
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis {
    fn from(values: [usize; N]) -> PerAxis {
        values[..].into()
    }
}

impl From<Vec<usize>> for PerAxis {
    fn from(values: Vec<usize>) -> PerAxis {
        values[..].into()
    }
}

/// Whether a shape has a batch axis before its channels and spatial axes, or none.
pub(super) fn batched(shape: &[usize], axes: usize) -> Result<bool> {
    const WANTED: [&str; 4] = ["1 or 2", "2 or 3", "3 or 4", "4 or 5"];
    match shape.len().checked_sub(axes + 1) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: WANTED[axes] }.into()),
    }
}

/// A shape with other lengths of its last axes.
pub(super) fn with_last(shape: &[usize], last: &[usize]) -> Result<Shape> {
    Shape::new([&shape[..shape.len() - last.len()], last].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_for_all_axes_and_several_are_counted() {
        assert_eq!(PerAxis::from(4).of("size", 3).unwrap(), [4, 4, 4]);
        assert_eq!(PerAxis::from([1, 2]).of("size", 2).unwrap(), [1, 2]);
        assert_eq!(PerAxis::from(vec![7, 8, 9]).of("size", 3).unwrap(), [7, 8, 9]);
        let error = PerAxis::from([1]).of("size", 2).unwrap_err();
        assert_eq!(error.to_string(), "size is 1 numbers, wanted one, or 2");
        let error = PerAxis::from([1, 2, 3, 4]).of("size", 3).unwrap_err();
        assert_eq!(error.to_string(), "size is 4 numbers, wanted one, or 3");
        let error = PerAxis::from([1, 0]).at_least(1, "size", 2).unwrap_err();
        assert_eq!(error.to_string(), "size is 0, wanted at least 1");
    }
}
