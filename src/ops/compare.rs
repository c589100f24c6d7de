//! Comparisons, which give masks of zeros and ones, and logic on masks.

use crate::error::Result;
use crate::kernels::{Function, run1, run2};
use crate::number::{Number, Real};
use crate::tape::{At, IntoVar, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Tensor, elementwise};
use smallvec::SmallVec;
use std::ops::{BitAnd, BitOr, Not};

const COST: f32 = 0.3;

/// Masks: 1 where the relation holds, else 0. Their derivative is zero.
macro_rules! masks {
    ($($name:ident $method:literal |$a:ident, $b:ident| $relation:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;

        impl Function<2> for $name {
            #[inline(always)]
            fn at<N: Number>(self, [$a, $b]: [N; 2]) -> N {
                N::select($relation, $a.lit(1.0), $a.lit(0.0))
            }
        }

        impl<T: Real> Operation<T> for $name {
            fn name(&self) -> &'static str {
                $method
            }
            fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
                elementwise([x[0], x[1]], COST, |[a, b], out| run2(*self, a, b, out)).map(one)
            }
            fn vjp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
                Ok(SmallVec::from_iter([None, None]))
            }
            fn jvp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
                Ok(SmallVec::from_iter([None]))
            }
        }
    )*};
}
masks! {
    Less "lt" |a, b| a.less(b);
    LessEqual "le" |a, b| a.less_equal(b);
    Equal "eq" |a, b| a.equal(b);
    NotEqual "ne" |a, b| !a.equal(b);
    And "and" |a, b| !a.equal(a.lit(0.0)) & !b.equal(b.lit(0.0));
    Or "or" |a, b| !a.equal(a.lit(0.0)) | !b.equal(b.lit(0.0));
}

/// 1 where a mask is 0, else 0.
#[derive(Clone, Copy)]
struct Negate;

impl Function<1> for Negate {
    #[inline(always)]
    fn at<N: Number>(self, [a]: [N; 1]) -> N {
        N::select(a.equal(a.lit(0.0)), a.lit(1.0), a.lit(0.0))
    }
}

impl<T: Real> Operation<T> for Negate {
    fn name(&self) -> &'static str {
        "not"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        elementwise([x[0]], COST, |[a], out| run1(*self, a, out)).map(one)
    }
    fn vjp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_iter([None]))
    }
    fn jvp<'t>(&self, _: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_iter([None]))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// 1 where this is below `other` (a variable, a tensor or a number), else 0; 0 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.lt(2.0).value()?.to_vec(), [1.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn lt(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(Less, &[self, other])
    }

    /// 1 where this is at or below `other` (a variable, a tensor or a number), else 0; 0 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.le(2.0).value()?.to_vec(), [1.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn le(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(LessEqual, &[self, other])
    }

    /// 1 where this is above `other` (a variable, a tensor or a number), else 0; 0 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.gt(2.0).value()?.to_vec(), [0.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn gt(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(Less, &[other, self])
    }

    /// 1 where this is at or above `other` (a variable, a tensor or a number), else 0; 0 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.ge(2.0).value()?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn ge(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(LessEqual, &[other, self])
    }

    /// 1 where this is equal to `other` (a variable, a tensor or a number), else 0; 0 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.eq(2.0).value()?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn eq(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(Equal, &[self, other])
    }

    /// 1 where this is other than `other` (a variable, a tensor or a number), else 0; 1 where either is NaN.
    /// Broadcast. The derivative is zero.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, f64::NAN]));
    /// assert_eq!(x.ne(2.0).value()?.to_vec(), [1.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn ne(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        let other = other.into_var(self.tape());
        self.tape().apply(NotEqual, &[self, other])
    }
}

/// Logical and of masks: 1 where neither is 0.
impl<'t, T: Real> BitAnd for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn bitand(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(And, &[self, other])
    }
}

/// Logical or of masks: 1 where either is not 0.
impl<'t, T: Real> BitOr for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn bitor(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Or, &[self, other])
    }
}

/// Logical not of a mask: 1 where it is 0.
impl<'t, T: Real> Not for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn not(self) -> Var<'t, T> {
        self.tape().apply(Negate, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, wrong};
    let apart = || binary((-2.0, -0.1), (0.1, 2.0));
    vec![
        sample!("lt", apart(), |x| x[0].lt(x[1])),
        sample!("le", apart(), |x| x[0].le(x[1])),
        sample!("gt", apart(), |x| x[0].gt(x[1])),
        sample!("ge", apart(), |x| x[0].ge(x[1])),
        sample!("eq", apart(), |x| x[0].eq(x[1])),
        sample!("ne", apart(), |x| x[0].ne(x[1])),
        sample!("logic", apart(), |x| (x[0].lt(x[1]) & !x[0].gt(0.0)) | x[1].eq(0.0)),
        wrong!("lt", &[&[2], &[3]], |x| x[0].lt(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}
