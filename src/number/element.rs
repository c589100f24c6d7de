//! What a tensor can hold.

use std::fmt::{Debug, Display};

/// An element of a [`Tensor`](crate::Tensor): `f32`, `f64`, `bool` or `i64`. Arithmetic is for the two reals.
///
/// Sealed: buffers rely on the byte patterns of these four.
pub trait Element:
    Copy + Default + PartialEq + PartialOrd + Debug + Display + Send + Sync + sealed::Sealed + 'static
{
    /// The type's name in messages and printouts.
    const DTYPE: &'static str;
    /// The value in double precision, for the two reals.
    #[doc(hidden)]
    fn as_real(self) -> Option<f64>;
}

macro_rules! elements {
    ($($t:ty: $x:ident => $real:expr;)*) => {$(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: &'static str = stringify!($t);
            fn as_real(self) -> Option<f64> {
                let $x = self;
                $real
            }
        }
    )*};
}
elements! {
    f32: x => Some(f64::from(x));
    f64: x => Some(x);
    bool: _x => None;
    i64: _x => None;
}

pub(super) mod sealed {
    pub trait Sealed {}
}
