//! Variables as numbers: each method records the operation of the same name.

use crate::number::{Number, Real};
use crate::tape::Var;

/// Which operation each primitive of [`Number`] is: the one table from which variables and duals take theirs.
///
/// Each of these writes its `df`: derived from `f` over duals it would be made of itself, without end.
macro_rules! primitives {
    ($apply:ident) => {
        $apply! {
            [
                abs crate::ops::abs::Abs,
                sign crate::ops::rounding::Sign,
                floor crate::ops::rounding::Floor,
                ceil crate::ops::rounding::Ceil,
                round crate::ops::rounding::Round,
                recip crate::ops::roots::Recip,
                square crate::ops::roots::Square,
                sqrt crate::ops::roots::Sqrt,
                rsqrt crate::ops::roots::Rsqrt,
                cbrt crate::ops::roots::Cbrt,
                exp crate::ops::exponential::Exp,
                exp_m1 crate::ops::exponential::ExpM1,
                ln crate::ops::exponential::Ln,
                ln_1p crate::ops::exponential::Ln1p,
                log2 crate::ops::exponential::Log2,
                log10 crate::ops::exponential::Log10,
                sin crate::ops::trigonometric::Sin,
                cos crate::ops::trigonometric::Cos,
                tan crate::ops::trigonometric::Tan,
                asin crate::ops::trigonometric::Asin,
                acos crate::ops::trigonometric::Acos,
                atan crate::ops::trigonometric::Atan,
                sinh crate::ops::hyperbolic::Sinh,
                cosh crate::ops::hyperbolic::Cosh,
                tanh crate::ops::tanh::Tanh,
                asinh crate::ops::hyperbolic::Asinh,
                acosh crate::ops::hyperbolic::Acosh,
                atanh crate::ops::hyperbolic::Atanh,
                erf crate::ops::error_function::Erf,
                erfc crate::ops::error_function::Erfc,
                gauss crate::ops::error_function::Gauss,
                normal_cdf crate::ops::error_function::NormalCdf,
                sigmoid crate::ops::sigmoid::Sigmoid,
                softplus crate::ops::softplus::Softplus::STANDARD,
                tanhshrink crate::ops::tanhshrink::Tanhshrink,
            ]
            [
                minimum crate::ops::extrema::Minimum,
                maximum crate::ops::extrema::Maximum,
                pow crate::ops::power::Pow,
                hypot crate::ops::hypot::Hypot,
                atan2 crate::ops::atan2::Atan2,
            ]
        }
    };
}
pub(super) use primitives;

macro_rules! var_number {
    ([$($one:ident $of:path,)*] [$($two:ident $of2:path,)*]) => {
        impl<'t, T: Real> Number for Var<'t, T> {
            type Mask = Var<'t, T>;
            fn lit(self, value: f64) -> Self {
                self.constant(value)
            }
            fn powf(self, p: f64) -> Self {
                Var::powf(self, p)
            }
            fn less(self, other: Self) -> Self {
                self.lt(other)
            }
            fn less_equal(self, other: Self) -> Self {
                self.le(other)
            }
            fn equal(self, other: Self) -> Self {
                self.eq(other)
            }
            fn select(mask: Self, a: Self, b: Self) -> Self {
                Var::where_(mask, a, b)
            }
            $(fn $one(self) -> Self {
                self.elementwise($of)
            })*
            $(fn $two(self, other: Self) -> Self {
                self.elementwise2(other, $of2)
            })*
        }
    };
}
primitives!(var_number);

/// Every primitive is named as its operation is: a misprint in the table would pass unseen otherwise.
#[cfg(test)]
mod tests {
    use crate::ops::{Elementwise, Elementwise2};

    fn name<E: Elementwise>(_: E) -> &'static str {
        E::NAME
    }

    fn name2<E: Elementwise2>(_: E) -> &'static str {
        E::NAME
    }

    macro_rules! names_agree {
        ([$($one:ident $of:path,)*] [$($two:ident $of2:path,)*]) => {
            $(assert_eq!(name($of), stringify!($one));)*
            $(assert_eq!(name2($of2), stringify!($two));)*
        };
    }

    #[test]
    fn primitives_are_the_operations_of_their_name() {
        primitives!(names_agree);
    }
}
