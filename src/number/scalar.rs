//! Numbers that a program may branch on.

use super::Number;
use std::fmt::Debug;
use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

/// A [`Number`] whose value is at hand, so that a program may test it: `f32`, `f64`, and [`Dual`](crate::Dual)s over
/// such numbers, nested at will.
///
/// `if`, `while` and `<` work as on floats. A program over `Scalar` is differentiated by calling it with duals: it takes
/// the branches that the values take, and the derivative is that of the branch taken.
///
/// ```
/// use retrograde::{Dual, Scalar};
///
/// /// √a by Newton's iteration.
/// fn root<N: Scalar>(a: N) -> N {
///     let mut x = a;
///     loop {
///         let next = (x + a / x) * a.lit(0.5);
///         if (next - x).primal().abs() <= 1e-9 * next.primal() {
///             return next;
///         }
///         x = next;
///     }
/// }
/// assert!((root(2.0_f64) - 2f64.sqrt()).abs() < 1e-15);
/// assert!((root(Dual::variable(2.0_f64)).tangent() - 0.5 / 2f64.sqrt()).abs() < 1e-15);
/// ```
///
/// An iteration that stops by its values may stop before its tangents have settled. Once the values have, each further
/// step of Newton's iteration settles one order more: the loop above, which takes one, is right at the first order.
///
/// A variable of a tape is no `Scalar`: it holds a whole tensor or an error. There, branch on
/// [`item`](crate::Var::item), or choose by [`select`](Number::select).
///
/// ```compile_fail,E0277
/// use retrograde::{Scalar, Tape, Tensor};
///
/// fn positive<N: Scalar>(x: N) -> bool {
///     x.primal() > 0.0
/// }
/// let tape = Tape::new();
/// positive(tape.var(&Tensor::scalar(1.0)));
/// ```
pub trait Scalar:
    Number<Mask = bool> + PartialOrd + AddAssign + SubAssign + MulAssign + DivAssign + Debug
{
    /// The value alone, without the tangents of any level, in double precision: what tests and tolerances look at.
    ///
    /// ```
    /// use retrograde::{Dual, Scalar};
    ///
    /// assert_eq!(Dual::variable(Dual::variable(2.5_f32)).primal(), 2.5);
    /// ```
    fn primal(self) -> f64;
}

impl Scalar for f32 {
    #[inline(always)]
    fn primal(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn primal(self) -> f64 {
        self
    }
}
