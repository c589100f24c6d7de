//! Powers of 2 that bring matrices to where squares neither overflow nor vanish; and the signs of vectors.

use crate::number::Real;

/// Multiplies by `2^exponent`, in two steps: neither overflows where the result does not.
pub fn by_power<T: Real>(a: &mut [T], exponent: i32) {
    if exponent == 0 {
        return;
    }
    let first = exponent / 2;
    for power in [first, exponent - first] {
        let factor = T::from_f64(libm::ldexp(1.0, power));
        a.iter_mut().for_each(|x| *x *= factor);
    }
}

/// Brings a matrix whose largest element is tiny or huge to about 1, and gives the exponent that [`by_power`] undoes it
/// with; any other stays as it is. The elements are finite.
pub fn to_range<T: Real>(a: &mut [T]) -> i32 {
    let largest = a.iter().fold(0.0, |largest: f64, x| largest.max(x.to_f64().abs()));
    let tiny = T::EPSILON.to_f64().powi(3);
    if largest == 0.0 || (tiny <= largest && largest <= 1.0 / tiny) {
        return 0;
    }
    let exponent = libm::ilogb(largest);
    by_power(a, -exponent);
    exponent
}

/// The power of 2 that brings the largest of some elements near 1, as far as it is a number of the type, and what undoes it.
pub fn near_one<'a, T: Real>(elements: impl IntoIterator<Item = &'a T>) -> [T; 2] {
    let largest = elements.into_iter().fold(0.0, |largest: f64, x| largest.max(x.to_f64().abs()));
    let (least, most) = if size_of::<T>() == 4 { (-120.0, 126.0) } else { (-1000.0, 1022.0) };
    let exponent = if largest > 0.0 { largest.log2().floor().clamp(least, most) } else { 0.0 };
    [-exponent, exponent].map(|exponent| T::from_f64(exponent.exp2()))
}

/// Whether the first of a column's elements that are at least this share of the largest is negative.
pub fn first_is_negative<T: Real>(column: &[T], share: f64) -> bool {
    let size = |x: &T| x.to_f64().abs();
    let least = share * column.iter().map(size).fold(0.0, f64::max);
    column.iter().find(|x| size(x) >= least).is_some_and(|&x| x < T::ZERO)
}

/// Turns a column round.
pub fn negate<T: Real>(column: &mut [T]) {
    column.iter_mut().for_each(|x| *x = -*x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_matrices_come_to_about_one_and_back_with_the_same_bits() {
        for scale in [5e-324, 3e-320, 1e-150, 1e150, 1e308] {
            let mut a = [scale, -scale, 0.0];
            let exponent = to_range(&mut a);
            assert!((1.0..2.0).contains(&a[0]), "{a:?}");
            by_power(&mut a, exponent);
            assert_eq!(a, [scale, -scale, 0.0]);
        }
        let mut a = [1e-45f32, 0.0];
        let exponent = to_range(&mut a);
        assert_eq!((a, exponent), ([1.0, 0.0], -149));
        by_power(&mut a, exponent);
        assert_eq!(a, [1e-45, 0.0]);
        for ordinary in [1e-40, 1.0, 1e40, 0.0] {
            let mut a = [ordinary];
            assert_eq!((to_range(&mut a), a), (0, [ordinary]));
        }
    }
}
