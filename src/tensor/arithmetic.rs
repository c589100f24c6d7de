//! Arithmetic on plain tensors, by NumPy's broadcasting.

use super::{LIGHT, Repr, Tensor, exact};
use crate::error::{Error, Result};
use crate::kernels::{Function, run2};
use crate::number::{Number, Real};
use std::ops::{AddAssign, DivAssign, MulAssign, Neg, SubAssign};

macro_rules! arithmetic {
    ($($op:ident $f:ident $method:ident $assign:ident $assign_method:ident $checked:ident $word:literal $symbol:tt;)*) => {$(
        #[derive(Clone, Copy)]
        struct $f;
        impl Function<2> for $f {
            #[inline(always)]
            fn at<N: Number>(self, [a, b]: [N; 2]) -> N {
                a $symbol b
            }
        }

        impl<T: Real> Tensor<T> {
            #[doc = concat!("The ", $word, " of two tensors, element by element, broadcast against each other.")]
            ///
            /// # Errors
            ///
            /// [`Broadcast`](crate::ErrorKind::Broadcast) if the shapes do not;
            /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
            pub fn $checked(&self, other: &Tensor<T>) -> Result<Tensor<T>> {
                exact($f, [self, other], |[a, b], out| run2($f, a, b, out))
            }
        }

        /// # Panics
        ///
        /// If the shapes do not broadcast, with the error's text; the method that begins with `try_` returns it.
        impl<T: Real> std::ops::$op<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                or_panic(self.$checked(other))
            }
        }
        impl<T: Real> std::ops::$op<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                or_panic(self.$checked(&other))
            }
        }
        impl<T: Real> std::ops::$op<&Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                or_panic(self.$checked(other))
            }
        }
        impl<T: Real> std::ops::$op<Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                or_panic(self.$checked(&other))
            }
        }
        impl<T: Real> std::ops::$op<f64> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: f64) -> Tensor<T> {
                or_panic(self.$checked(&Tensor::scalar(T::from_f64(other))))
            }
        }
        impl<T: Real> std::ops::$op<f64> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: f64) -> Tensor<T> {
                &self $symbol other
            }
        }
        impl<T: Real> std::ops::$op<&Tensor<T>> for f64 {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                or_panic(Tensor::scalar(T::from_f64(self)).$checked(other))
            }
        }
        impl<T: Real> std::ops::$op<Tensor<T>> for f64 {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self $symbol &other
            }
        }

        /// In place where the memory is not shared.
        ///
        /// # Panics
        ///
        /// If `other` does not broadcast to this tensor's shape, with the error's text.
        impl<T: Real> $assign<&Tensor<T>> for Tensor<T> {
            #[track_caller]
            fn $assign_method(&mut self, other: &Tensor<T>) {
                or_panic(self.combine(other, $f));
            }
        }
        impl<T: Real> $assign<Tensor<T>> for Tensor<T> {
            #[track_caller]
            fn $assign_method(&mut self, other: Tensor<T>) {
                or_panic(self.combine(&other, $f));
            }
        }
        impl<T: Real> $assign<f64> for Tensor<T> {
            #[track_caller]
            fn $assign_method(&mut self, other: f64) {
                or_panic(self.combine(&Tensor::scalar(T::from_f64(other)), $f));
            }
        }
    )*};
}
arithmetic! {
    Add Plus add AddAssign add_assign try_add "sum" +;
    Sub Minus sub SubAssign sub_assign try_sub "difference" -;
    Mul Times mul MulAssign mul_assign try_mul "product" *;
    Div Over div DivAssign div_assign try_div "quotient" /;
}

impl<T: Real> Tensor<T> {
    /// `self = f(self, other)`, in place where the memory is this tensor's alone.
    pub(crate) fn combine(&mut self, other: &Tensor<T>, f: impl Function<2>) -> Result<()> {
        if let (Repr::One { value: a, .. }, Repr::One { rank: 0, value: b }) = (&mut self.0, &other.0) {
            *a = f.at([*a, *b]);
            return Ok(());
        }
        let other = other.expand(self.shape())?;
        if !self.is_writable() {
            *self = exact(f, [self, &other], |[a, b], out| run2(f, a, b, out))?;
            return Ok(());
        }
        let shape = self.shape_owned();
        let out = self.as_mut_slice()?;
        crate::kernels::update(&shape, other.view(), out, LIGHT, |b, out| {
            crate::kernels::run2_in_place(f, out, b);
        });
        Ok(())
    }

    /// Adds `other`, of the same shape, in place where the memory is this tensor's alone.
    pub(crate) fn accumulate(&mut self, other: &Tensor<T>) -> Result<()> {
        self.combine(other, Plus)
    }
}

impl<T: Real> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        self * -1.0
    }
}

impl<T: Real> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        &self * -1.0
    }
}

#[track_caller]
fn or_panic<X>(result: Result<X, Error>) -> X {
    match result {
        Ok(x) => x,
        Err(error) => panic!("{error}"),
    }
}
