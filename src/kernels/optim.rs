//! The optimisers' updates: one pass over a parameter, its gradient and its moments, in place.

use super::{multiversion, threshold};
use crate::number::Real;
use rayon::prelude::*;

/// Estimated picoseconds an element costs for each slice that is read or written: memory traffic, mostly.
const PS: usize = 150;

/// What a step of stochastic gradient descent multiplies by.
#[derive(Clone, Copy)]
pub struct Sgd<T> {
    /// The learning rate.
    pub rate: T,
    /// The part of the velocity that is kept.
    pub momentum: T,
    /// How much of the parameter is added to the gradient.
    pub decay: T,
}

/// What a step of Adam or AdamW multiplies by.
#[derive(Clone, Copy)]
pub struct Adam<T> {
    /// The learning rate over the bias correction of the first moment.
    pub rate: T,
    /// 1 − β₁.
    pub fresh: T,
    /// β₂.
    pub beta2: T,
    /// 1 − β₂.
    pub fresh2: T,
    /// √(1 − β₂ᵗ), the bias correction of the root of the second moment.
    pub root: T,
    /// What keeps the denominator from 0.
    pub epsilon: T,
    /// How much of the parameter is added to the gradient: Adam's weight decay.
    pub decay: T,
    /// What the parameter is multiplied by first: 1 less AdamW's weight decay.
    pub keep: T,
}

multiversion! {
    fn plain_piece<T, N>(c: Sgd<T>, g: &[T], p: &mut [T]) {
        let (rate, decay) = (N::of(c.rate), N::of(c.decay));
        for (p, &g) in p.iter_mut().zip(g) {
            let x = N::of(*p);
            *p = (x - rate * x.mul_add(decay, N::of(g))).get();
        }
    }

    fn momentum_piece<T, N>(c: Sgd<T>, g: &[T], p: &mut [T], velocity: &mut [T]) {
        let (rate, momentum, decay) = (N::of(c.rate), N::of(c.momentum), N::of(c.decay));
        for ((p, v), &g) in p.iter_mut().zip(velocity).zip(g) {
            let x = N::of(*p);
            let new = N::of(*v).mul_add(momentum, x.mul_add(decay, N::of(g)));
            *v = new.get();
            *p = (x - rate * new).get();
        }
    }

    fn adam_piece<T, N>(c: Adam<T>, g: &[T], p: &mut [T], first: &mut [T], second: &mut [T]) {
        let (rate, fresh, beta2, fresh2) = (N::of(c.rate), N::of(c.fresh), N::of(c.beta2), N::of(c.fresh2));
        let (root, epsilon, decay, keep) = (N::of(c.root), N::of(c.epsilon), N::of(c.decay), N::of(c.keep));
        for (((p, m), v), &g) in p.iter_mut().zip(first).zip(second).zip(g) {
            let x = N::of(*p);
            let g = x.mul_add(decay, N::of(g));
            let mean = (g - N::of(*m)).mul_add(fresh, N::of(*m));
            let square = N::of(*v).mul_add(beta2, g * g * fresh2);
            *m = mean.get();
            *v = square.get();
            *p = (x * keep - rate * mean / (square.sqrt() / root + epsilon)).get();
        }
    }
}

/// `p −= rate·(g + decay·p)`.
pub fn plain<T: Real>(c: Sgd<T>, g: &[T], p: &mut [T]) {
    if threshold::split(p.len() * 3 * PS / 1000) {
        let n = threshold::CHUNK;
        p.par_chunks_mut(n).zip(g.par_chunks(n)).for_each(|(p, g)| plain_piece(c, g, p));
    } else {
        plain_piece(c, g, p);
    }
}

/// `v = momentum·v + g + decay·p`, then `p −= rate·v`.
pub fn momentum<T: Real>(c: Sgd<T>, g: &[T], p: &mut [T], velocity: &mut [T]) {
    if threshold::split(p.len() * 5 * PS / 1000) {
        let n = threshold::CHUNK;
        let pieces = p.par_chunks_mut(n).zip(velocity.par_chunks_mut(n)).zip(g.par_chunks(n));
        pieces.for_each(|((p, v), g)| momentum_piece(c, g, p, v));
    } else {
        momentum_piece(c, g, p, velocity);
    }
}

/// Both moments, then the parameter, by the formulas of Kingma and Ba in the order that PyTorch takes them.
pub fn adam<T: Real>(c: Adam<T>, g: &[T], p: &mut [T], first: &mut [T], second: &mut [T]) {
    if threshold::split(p.len() * 7 * PS / 1000) {
        let n = threshold::CHUNK;
        let moments = first.par_chunks_mut(n).zip(second.par_chunks_mut(n));
        let pieces = p.par_chunks_mut(n).zip(moments).zip(g.par_chunks(n));
        pieces.for_each(|((p, (m, v)), g)| adam_piece(c, g, p, m, v));
    } else {
        adam_piece(c, g, p, first, second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces on several threads give the bits of one pass on one thread, at lengths around a chunk.
    #[test]
    fn a_split_update_gives_the_bits_of_a_whole_one() {
        let c = Adam {
            rate: 0.01_f32,
            fresh: 0.1,
            beta2: 0.99,
            fresh2: 0.01,
            root: 0.1,
            epsilon: 1e-8,
            decay: 0.1,
            keep: 0.999,
        };
        let s = Sgd { rate: 0.01_f32, momentum: 0.9, decay: 0.1 };
        for n in [0, 1, 7, threshold::CHUNK - 1, threshold::CHUNK + 1, 1 << 20] {
            let g: Vec<f32> = (0..n).map(|i| (i as f32).sin()).collect();
            let start = || [vec![1.0_f32; n], vec![0.5; n], vec![0.25; n]];
            let ([mut p, mut m, mut v], [mut q, mut a, mut b]) = (start(), start());
            adam(c, &g, &mut p, &mut m, &mut v);
            adam_piece(c, &g, &mut q, &mut a, &mut b);
            assert!(p == q && m == a && v == b, "{n}");
            momentum(s, &g, &mut p, &mut m);
            momentum_piece(s, &g, &mut q, &mut a);
            assert!(p == q && m == a, "{n}");
            plain(s, &g, &mut p);
            plain_piece(s, &g, &mut q);
            assert!(p == q, "{n}");
        }
    }
}
