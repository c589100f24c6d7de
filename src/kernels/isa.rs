//! Which instruction set the loops run on, and the macro that compiles one loop for each.

use std::sync::OnceLock;

/// The instruction sets that loops are compiled for, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What the target guarantees: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 with the F, DQ, BW, VL and CD parts.
    Avx512,
}

/// The best instruction set of this machine, or the weaker one that the environment variable
/// `RETROGRADE_ISA` (`baseline`, `avx2`, `avx512`) asks for. Detected once.
pub fn isa() -> Isa {
    static ISA: OnceLock<Isa> = OnceLock::new();
    *ISA.get_or_init(|| {
        let wanted = match std::env::var("RETROGRADE_ISA").as_deref() {
            Ok("baseline") => Isa::Baseline,
            Ok("avx2") => Isa::Avx2,
            _ => Isa::Avx512,
        };
        detect().min(wanted)
    })
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512cd");
    match (avx2, avx512) {
        (true, true) => Isa::Avx512,
        (true, false) => Isa::Avx2,
        _ => Isa::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Isa {
    Isa::Baseline
}

/// Declares a loop once and compiles it for every instruction set; the function declared picks at run time.
///
/// The first two names in angle brackets are the element type `T: Real` and the number `N: Lane<T>` that the
/// body computes with: the fused one where the hardware has it. A constant parameter follows after a semicolon. The
/// body is inlined into shells that carry the target features, so that the compiler vectorises it with them.
macro_rules! multiversion {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$T:ident, $N:ident $(, $G:ident : $bound:path)* $(; const $K:ident)?>
            ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[$meta])*
        $vis fn $name<$T: $crate::number::Real $(, $G: $bound)* $(, const $K: usize)?>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<$T: $crate::number::Real, $N: $crate::number::Lane<$T> $(, $G: $bound)* $(, const $K: usize)?>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
                fn avx512<$T: $crate::number::Real $(, $G: $bound)* $(, const $K: usize)?>($($arg: $ty),*) $(-> $ret)? {
                    body::<$T, $T::Fused $(, $G)* $(, $K)?>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
                fn avx2<$T: $crate::number::Real $(, $G: $bound)* $(, const $K: usize)?>($($arg: $ty),*) $(-> $ret)? {
                    body::<$T, $T::Fused $(, $G)* $(, $K)?>($($arg),*)
                }
                match $crate::kernels::isa() {
                    // SAFETY: `isa` gives this level only where the processor has all of its features.
                    $crate::kernels::Isa::Avx512 => return unsafe { avx512::<$T $(, $G)* $(, $K)?>($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernels::Isa::Avx2 => return unsafe { avx2::<$T $(, $G)* $(, $K)?>($($arg),*) },
                    $crate::kernels::Isa::Baseline => {}
                }
            }
            #[cfg(target_arch = "aarch64")]
            return body::<$T, $T::Fused $(, $G)* $(, $K)?>($($arg),*);
            #[cfg(not(target_arch = "aarch64"))]
            body::<$T, $T $(, $G)* $(, $K)?>($($arg),*)
        }
    )*};
}
pub(crate) use multiversion;
