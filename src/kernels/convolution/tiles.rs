//! The two inner loops, each for tiles of several sizes: as many sums as the registers hold.

use super::registers::{Eight, Register};
#[cfg(target_arch = "x86_64")]
use super::registers::{F32x8, F32x16, F64x4, F64x8};
use crate::kernels::{Isa, isa};
use crate::number::{Family, Real};

/// The most numbers in a tile: rows, times registers, times lanes.
pub(super) const MOST: usize = 512;

/// `out[m][i] = first[m] + Σₖ a[k][m]·x[offset[k] + i]` for a tile of some rows and some registers of columns.
///
/// # Safety
///
/// The processor has the instruction set. `a` has `offsets.len()` times as many numbers as the tile has rows, `first` as many
/// as rows, `out` has room for the tile, and from each offset on `x` has as many numbers as the tile has columns.
pub(super) type Correlate<T> = unsafe fn(a: &[T], x: &[T], offsets: &[usize], first: &[T], out: &mut [T]);

/// `out[m][r] = Σᵢ y[rows[m] + i]·x[columns[r] + i]` over some whole registers.
///
/// # Safety
///
/// The processor has the instruction set. There are as many rows and columns as the tile has, `out` has room for the tile,
/// and from each place on there are `steps` registers of numbers.
pub(super) type Inner<T> =
    unsafe fn(steps: usize, y: &[T], rows: &[usize], x: &[T], columns: &[usize], out: &mut [T]);

/// The loops of one instruction set.
pub(super) struct Tiles<T: 'static> {
    /// Numbers in a register.
    pub(super) lanes: usize,
    /// For each number of rows, from 1 on: how many registers of columns, and the loop; then the loop for one register.
    pub(super) correlate: &'static [(usize, Correlate<T>, Correlate<T>)],
    /// Rows, columns and the loop, the largest first.
    pub(super) inner: &'static [(usize, usize, Inner<T>)],
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // the indices are those of a tile, in several arrays at once
unsafe fn correlate<T: Real, V: Register<T>, const M: usize, const R: usize>(
    a: &[T],
    x: &[T],
    offsets: &[usize],
    first: &[T],
    out: &mut [T],
) {
    let (mut a, x) = (a.as_ptr(), x.as_ptr());
    // SAFETY: the caller's promises, which are those of `Correlate`.
    unsafe {
        let mut sums = [[V::splat(T::ZERO); R]; M];
        for m in 0..M {
            sums[m] = [V::splat(*first.get_unchecked(m)); R];
        }
        for &offset in offsets {
            let at = x.add(offset);
            let mut row = [V::splat(T::ZERO); R];
            for r in 0..R {
                row[r] = V::load(at.add(r * V::LANES));
            }
            for m in 0..M {
                let w = V::splat(*a.add(m));
                for r in 0..R {
                    sums[m][r] = w.mul_add(row[r], sums[m][r]);
                }
            }
            a = a.add(M);
        }
        let out = out.as_mut_ptr();
        for m in 0..M {
            for r in 0..R {
                sums[m][r].store(out.add((m * R + r) * V::LANES));
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // the indices are those of a tile, in several arrays at once
unsafe fn inner<T: Real, V: Register<T>, const M: usize, const R: usize>(
    steps: usize,
    y: &[T],
    rows: &[usize],
    x: &[T],
    columns: &[usize],
    out: &mut [T],
) {
    let (y, x) = (y.as_ptr(), x.as_ptr());
    // SAFETY: the caller's promises, which are those of `Inner`.
    unsafe {
        let mut sums = [[V::splat(T::ZERO); R]; M];
        let mut from_y = [y; M];
        for m in 0..M {
            from_y[m] = y.add(*rows.get_unchecked(m));
        }
        let mut from_x = [x; R];
        for r in 0..R {
            from_x[r] = x.add(*columns.get_unchecked(r));
        }
        for i in 0..steps {
            let mut row = [V::splat(T::ZERO); M];
            for m in 0..M {
                row[m] = V::load(from_y[m].add(i * V::LANES));
            }
            for r in 0..R {
                let column = V::load(from_x[r].add(i * V::LANES));
                for m in 0..M {
                    sums[m][r] = row[m].mul_add(column, sums[m][r]);
                }
            }
        }
        for m in 0..M {
            for r in 0..R {
                *out.get_unchecked_mut(m * R + r) = sums[m][r].sum();
            }
        }
    }
}

/// Compiles the loops for one instruction set, or for what the target guarantees.
macro_rules! shells {
    ($correlate:ident $inner:ident $($features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $correlate<T: Real, V: Register<T>, const M: usize, const R: usize>(
            a: &[T],
            x: &[T],
            offsets: &[usize],
            first: &[T],
            out: &mut [T],
        ) {
            // SAFETY: the caller's promises.
            unsafe { correlate::<T, V, M, R>(a, x, offsets, first, out) }
        }
        $(#[target_feature(enable = $features)])?
        unsafe fn $inner<T: Real, V: Register<T>, const M: usize, const R: usize>(
            steps: usize,
            y: &[T],
            rows: &[usize],
            x: &[T],
            columns: &[usize],
            out: &mut [T],
        ) {
            // SAFETY: the caller's promises.
            unsafe { inner::<T, V, M, R>(steps, y, rows, x, columns, out) }
        }
    };
}
shells!(correlate_baseline inner_baseline);
#[cfg(target_arch = "x86_64")]
shells!(correlate_avx2 inner_avx2 "avx2,fma,bmi1,bmi2,lzcnt,popcnt");
#[cfg(target_arch = "x86_64")]
shells!(correlate_avx512 inner_avx512 "avx512f,avx512dq,avx512bw,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,lzcnt,popcnt");

macro_rules! tiles {
    ($t:ty, $v:ty, $correlate:ident: $($m:literal $r:literal),*; $inner:ident: $($im:literal $ir:literal),*) => {
        Tiles {
            lanes: <$v as Register<$t>>::LANES,
            correlate: &[$(($r, $correlate::<$t, $v, $m, $r>, $correlate::<$t, $v, $m, 1>)),*],
            inner: &[$(($im, $ir, $inner::<$t, $v, $im, $ir>)),*],
        }
    };
}

#[cfg(target_arch = "aarch64")]
type Guaranteed<T> = Eight<<T as Real>::Fused>;
#[cfg(not(target_arch = "aarch64"))]
type Guaranteed<T> = Eight<T>;

macro_rules! every_isa {
    ($name:ident $t:ty, $avx2:ty, $avx512:ty) => {
        #[cfg(target_arch = "x86_64")]
        static $name: &[Tiles<$t>] = &[
            tiles!($t, Guaranteed<$t>, correlate_baseline: 1 4, 2 2, 3 1, 4 1; inner_baseline: 2 2, 1 4),
            tiles!($t, $avx2, correlate_avx2: 1 6, 2 4, 3 3, 4 3, 5 2, 6 2; inner_avx2: 3 4, 2 5, 1 9),
            tiles!($t, $avx512, correlate_avx512: 1 8, 2 8, 3 6, 4 6, 5 5, 6 4, 7 3, 8 3; inner_avx512: 4 6, 2 9, 1 9),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        static $name: &[Tiles<$t>] =
            &[tiles!($t, Guaranteed<$t>, correlate_baseline: 1 4, 2 2, 3 1, 4 2; inner_baseline: 2 4, 1 4)];
    };
}
#[cfg(target_arch = "x86_64")]
every_isa!(SINGLE f32, F32x8, F32x16);
#[cfg(target_arch = "x86_64")]
every_isa!(DOUBLE f64, F64x4, F64x8);
#[cfg(not(target_arch = "x86_64"))]
every_isa!(SINGLE f32, (), ());
#[cfg(not(target_arch = "x86_64"))]
every_isa!(DOUBLE f64, (), ());

/// The loops of every instruction set of this architecture, weakest first.
struct EveryIsa;
impl Family for EveryIsa {
    type Of<T: Real> = &'static [Tiles<T>];
}

impl<T: Real> Tiles<T> {
    /// Those of every instruction set that this machine has, the one in use last.
    pub(super) fn usable() -> &'static [Tiles<T>] {
        let all: &'static [Tiles<T>] = T::choose::<EveryIsa>(&SINGLE, &DOUBLE);
        let level = match isa() {
            Isa::Baseline => 0,
            Isa::Avx2 => 1,
            Isa::Avx512 => 2,
        };
        &all[..=level.min(all.len() - 1)]
    }

    /// Those to use.
    pub(super) fn best() -> &'static Tiles<T> {
        Self::usable().last().expect("one is always there")
    }

    /// How many rows to take at a time of so many: as even as possible.
    pub(super) fn rows(&self, of: usize) -> usize {
        of.max(1).div_ceil(of.div_ceil(self.correlate.len()).max(1))
    }
}
