//! What the vectorised loops compute with: the plain float, or the float with a fused multiply-add.

use super::{Number, Real};

/// A number that a loop over elements of type `T` computes with.
pub trait Lane<T>: Number<Mask = bool> {
    /// Wraps an element.
    fn of(x: T) -> Self;
    /// Unwraps it.
    fn get(self) -> T;
}

impl<T: Real> Lane<T> for T {
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
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Fused<T>(pub T);
