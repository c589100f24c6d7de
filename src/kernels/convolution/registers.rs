//! The vector registers that the tiles are held in, one type for each instruction set.

use crate::number::{Lane, Real};

/// A register of numbers.
///
/// # Safety
///
/// Every function may be called only where the processor has the instruction set of the type. `load` reads, and `store`
/// writes, [`LANES`](Register::LANES) numbers from a pointer on, which must be valid for that; it need not be aligned.
pub(super) unsafe trait Register<T>: Copy {
    /// How many numbers.
    const LANES: usize;
    unsafe fn load(from: *const T) -> Self;
    unsafe fn store(self, to: *mut T);
    unsafe fn splat(x: T) -> Self;
    /// `self·b + c`.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
}

/// Eight numbers, which the compiler puts in whatever registers the target guarantees.
#[derive(Clone, Copy)]
pub(super) struct Eight<N>([N; 8]);

// SAFETY: no instruction set is needed; pointers are read and written for eight numbers.
unsafe impl<T: Real, N: Lane<T>> Register<T> for Eight<N> {
    const LANES: usize = 8;
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise is for eight numbers.
        Eight(unsafe { from.cast::<[T; 8]>().read_unaligned() }.map(N::of))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise is for eight numbers.
        unsafe { to.cast::<[T; 8]>().write_unaligned(self.0.map(N::get)) }
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Eight([N::of(x); 8])
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        let mut y = c;
        for i in 0..8 {
            y.0[i] = self.0[i].mul_add(b.0[i], c.0[i]);
        }
        y
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! registers {
    ($($name:ident $vector:ident $t:ty, $lanes:literal: $load:ident $store:ident $splat:ident $mul_add:ident;)*) => {$(
        /// A register of the processor.
        #[derive(Clone, Copy)]
        pub(super) struct $name(std::arch::x86_64::$vector);

        // SAFETY: each function is the one instruction of its name.
        unsafe impl Register<$t> for $name {
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { std::arch::x86_64::$load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { std::arch::x86_64::$store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { std::arch::x86_64::$splat(x) })
            }
            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { std::arch::x86_64::$mul_add(self.0, b.0, c.0) })
            }
        }
    )*};
}
#[cfg(target_arch = "x86_64")]
registers! {
    F32x8 __m256 f32, 8: _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_fmadd_ps;
    F64x4 __m256d f64, 4: _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_fmadd_pd;
    F32x16 __m512 f32, 16: _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_fmadd_ps;
    F64x8 __m512d f64, 8: _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_fmadd_pd;
}
