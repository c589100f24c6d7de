//! Decompositions of matrices in slices, by `faer`.
//!
//! Matrices lie column by column: that is what `faer` is fast at. Each is decomposed on one thread, so that its bits
//! do not depend on the number of threads; a batch, and the columns of a right-hand side, are spread over them in parts
//! of a fixed size.

mod batch;
mod cholesky;
mod eigh;
mod exponential;
mod lu;
mod qr;
mod range;
mod schur;
mod svd;
mod sylvester;
mod triangular;

pub use batch::each;
pub use cholesky::{cholesky, cholesky_ns};
pub use eigh::{Basis, EighWork, eigenspaces, eigh, eigh_ns, mixed};
pub use exponential::{Exponential, matrix_exp, matrix_exp_ns};
pub use lu::{LuFactors, LuWork, complete_order, lu, lu_ns, lu_solve_ns, pivots, row_order};
pub use qr::{QrWork, dependent, qr, qr_ns};
pub use schur::{real_schur, real_schur_ns};
pub use svd::{SvdWork, svd, svd_ns, svdvals, svdvals_ns};
pub use sylvester::{Equation, Quasi, matrix_equation, matrix_equation_ns};
pub use triangular::{Triangular, triangular_solve, triangular_solve_ns};

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};

/// Why a matrix was not decomposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An element is NaN or infinite.
    NotFinite,
    /// The leading minor that ends with this row is not positive.
    NotPositive(usize),
    /// No pivot other than 0 in this column.
    Singular(usize),
    /// The iteration did not end.
    NotConverged,
}

/// What `faer` works in, grown to what the largest matrix asked for. One for each task.
#[derive(Default)]
pub struct Workspace(Option<(StackReq, MemBuffer)>);

impl Workspace {
    /// The stack for a request.
    fn stack(&mut self, wanted: StackReq) -> &mut MemStack {
        if self.0.as_ref().is_none_or(|(held, _)| {
            held.size_bytes() < wanted.size_bytes() || held.align_bytes() < wanted.align_bytes()
        }) {
            self.0 = Some((wanted, MemBuffer::new(wanted)));
        }
        match &mut self.0 {
            Some((_, buffer)) => MemStack::new(buffer),
            None => unreachable!("made above"),
        }
    }
}

/// Refuses NaNs and infinities, which a decomposition would spread or never end on.
fn finite<T: crate::number::Real>(a: &[T]) -> Result<(), Fault> {
    // 0·x is 0 unless x is not finite; several sums, so that they are added side by side.
    let mut sums = [T::ZERO; 16];
    let (whole, rest) = a.as_chunks::<16>();
    for x in whole {
        sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += T::ZERO * x);
    }
    let sum = sums.iter().chain(rest).fold(T::ZERO, |sum, &x| sum + T::ZERO * x);
    if sum == T::ZERO { Ok(()) } else { Err(Fault::NotFinite) }
}

/// Compiles a function for both reals, and calls the one for the type it is asked for: `faer` has traits of its own.
macro_rules! both {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$T:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[$meta])*
        $vis fn $name<$T: $crate::number::Real>($($arg: $ty),*) $(-> $ret)? {
            fn body<$T: $crate::number::Real + faer::traits::RealField>($($arg: $ty),*) $(-> $ret)? $body
            struct Bodies;
            impl $crate::number::Family for Bodies {
                type Of<$T: $crate::number::Real> = fn($($ty),*) $(-> $ret)?;
            }
            type Of<$T> = <Bodies as $crate::number::Family>::Of<$T>;
            $T::choose::<Bodies>(&(body::<f32> as Of<f32>), &(body::<f64> as Of<f64>))($($arg),*)
        }
    )*};
}
use both;
