//! The vector registers that the tiles are held in, one type for each instruction set.

use crate::number::{Lane, Real};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

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
    /// The sum of the numbers, by halves.
    unsafe fn sum(self) -> T;
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
    #[inline(always)]
    unsafe fn sum(self) -> T {
        let [a, b, c, d, e, f, g, h] = self.0;
        (((a + e) + (c + g)) + ((b + f) + (d + h))).get()
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! registers {
    ($($name:ident $vector:ident $t:ty, $lanes:literal: $load:ident $store:ident $splat:ident $mul_add:ident, |$v:ident| $sum:expr;)*) => {$(
        /// A register of the processor.
        #[derive(Clone, Copy)]
        pub(super) struct $name($vector);

        // SAFETY: each function is the one instruction of its name.
        unsafe impl Register<$t> for $name {
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { $mul_add(self.0, b.0, c.0) })
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                let $v = self.0;
                // SAFETY: the caller's promise.
                unsafe { $sum }
            }
        }
    )*};
}
#[cfg(target_arch = "x86_64")]
registers! {
    F32x8 __m256 f32, 8: _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_fmadd_ps, |v| {
        let half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
        _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps::<1>(quarter, quarter)))
    };
    F64x4 __m256d f64, 4: _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_fmadd_pd, |v| {
        let half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
    };
    F32x16 __m512 f32, 16: _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_fmadd_ps, |v| _mm512_reduce_add_ps(v);
    F64x8 __m512d f64, 8: _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_fmadd_pd, |v| _mm512_reduce_add_pd(v);
}
