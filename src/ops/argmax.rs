//! Where the largest and the smallest elements are: indices, which have no derivative and leave the tape.

use crate::error::Result;
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;

macro_rules! searches {
    ($($(#[$doc:meta])* $one:ident $keep:ident $all:ident $what:literal;)*) => {
        impl<'t, T: Real> Var<'t, T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $one(self, axis: isize) -> Result<Tensor<i64>> {
                self.value()?.$one(axis)
            }

            #[doc = concat!("Where the ", $what, " element along an axis is; the axis stays, with length 1. See [`", stringify!($one), "`](Self::", stringify!($one), ").")]
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`", stringify!($one), "`](Self::", stringify!($one), ").")]
            #[track_caller]
            pub fn $keep(self, axis: isize) -> Result<Tensor<i64>> {
                self.value()?.$keep(axis)
            }

            #[doc = concat!("Where the ", $what, " of all elements is, counted in row-major order: one number. See [`", stringify!($one), "`](Self::", stringify!($one), ").")]
            ///
            /// # Errors
            ///
            /// The first error on the way to the value; [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if
            /// there are no elements.
            #[track_caller]
            pub fn $all(self) -> Result<Tensor<i64>> {
                self.value()?.$all()
            }
        )*}
    };
}

searches! {
    /// Where the largest element along an axis is: the first among equals, the first NaN if there is one.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if the axis has length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0, 5.0], [7.0, 4.0, 2.0]]));
    /// assert_eq!(x.argmax(-1)?.to_vec(), [1, 0]);
    /// assert_eq!(x.argmax_keepdim(-1)?.shape(), [2, 1]);
    /// assert_eq!(x.argmax_all()?.item()?, 3);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    argmax argmax_keepdim argmax_all "largest";

    /// Where the smallest element along an axis is: the first among equals, the first NaN if there is one.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if the axis has length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 5.0, 1.0], [7.0, 4.0, 2.0]]));
    /// assert_eq!(x.argmin(-1)?.to_vec(), [0, 2]);
    /// assert_eq!(x.argmin_all()?.item()?, 0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    argmin argmin_keepdim argmin_all "smallest";
}

/// Indices have no derivative to check.
#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    vec![]
}
