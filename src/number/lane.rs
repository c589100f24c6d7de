//! What the vectorised loops compute with: the plain float, or the float with a fused multiply-add.

use super::{Number, Real};

/// A number that a loop over elements of type `T` computes with.
pub trait Lane<T>: Number<Mask = bool> {
    /// The same number, except that its sine, cosine and tangent are only for angles that [`is_tame`] accepts, and
    /// faster. For those the bits are the same.
    type Tame: Lane<T>;
    /// Wraps an element.
    fn of(x: T) -> Self;
    /// Unwraps it.
    fn get(self) -> T;
}

impl<T: Real> Lane<T> for T {
    type Tame = T;
    #[inline(always)]
    fn of(x: T) -> T {
        x
    }
    #[inline(always)]
    fn get(self) -> T {
        self
    }
}

/// A float whose multiply-add has one rounding. Used only inside loops compiled for hardware that has the
/// instruction; elsewhere `mul_add` would be a call into the C library, 25 times slower than two roundings.
/// `TAME` says whether it is a [`Lane::Tame`].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Fused<T, const TAME: bool = false>(pub T);

/// The largest tame angle.
pub const TAME: f64 = 1073741824.0;

/// Whether an angle is small enough for the short reduction of the trigonometric functions. NaN is.
#[inline(always)]
pub fn is_tame<N: Number<Mask = bool>>(angle: N) -> bool {
    !angle.lit(TAME).less(angle.abs())
}
