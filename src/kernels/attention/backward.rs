//! The gradient of attention, block by block.

use super::super::matmul::serial;
use super::{
    Attention, Block, KEYS, ROWS, TASKS, inner_products, plain, rounded_products, through_softmax, turned,
    weigh,
};
use crate::number::Real;
use rayon::prelude::*;
use std::ops::Range;

/// What the backward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a, T> {
    /// The queries.
    pub q: &'a [T],
    /// The keys.
    pub k: &'a [T],
    /// The values.
    pub v: &'a [T],
    /// The output.
    pub out: &'a [T],
    /// What the weights are made with.
    pub by: &'a [[T; 2]],
    /// The cotangent of the output.
    pub g: &'a [T],
}

/// Some keys of one head, and the cotangents that they contribute to.
struct Task<'a, T> {
    head: usize,
    keys: Range<usize>,
    dq: &'a mut [T],
    dk: &'a mut [T],
    dv: &'a mut [T],
}

impl<T: Real> Attention<'_, T> {
    /// The cotangents of queries, keys and values, which come filled with zeros.
    pub fn backward(&self, read: Read<T>, dq: &mut [T], dk: &mut [T], dv: &mut [T]) {
        if read.g.is_empty() || self.keys == 0 {
            return;
        }
        let mut inner = vec![T::ZERO; read.by.len()];
        inner_products(read.g, read.out, self.depth, &mut inner);
        // The number of tasks depends on the sizes alone, and with it the order of every sum.
        let parts = (TASKS / self.heads.max(1)).clamp(1, self.keys.div_ceil(KEYS));
        let step = self.keys.div_ceil(KEYS).div_ceil(parts) * KEYS;
        let parts = self.keys.div_ceil(step);
        let mut others = vec![T::ZERO; (parts - 1) * dq.len()];
        let one = self.repeats * self.rows * self.width;
        let mut queries: Vec<Vec<&mut [T]>> = vec![pieces(dq, one, self.heads)];
        if parts > 1 {
            let all = self.heads * one;
            queries.extend(
                pieces(&mut others, all, parts - 1).into_iter().map(|part| pieces(part, one, self.heads)),
            );
        }
        let (keys, values) =
            (pieces(dk, self.keys * self.width, self.heads), pieces(dv, self.keys * self.depth, self.heads));
        let mut tasks = Vec::with_capacity(self.heads * parts);
        for (head, (mut dk, mut dv)) in keys.into_iter().zip(values).enumerate() {
            for (part, dq) in queries.iter_mut().enumerate() {
                let keys = part * step..((part + 1) * step).min(self.keys);
                let (own_k, rest_k) = dk.split_at_mut(keys.len() * self.width);
                let (own_v, rest_v) = dv.split_at_mut(keys.len() * self.depth);
                (dk, dv) = (rest_k, rest_v);
                let dq = std::mem::take(&mut dq[head]);
                tasks.push(Task { head, keys, dq, dk: own_k, dv: own_v });
            }
        }
        if self.parallel() && tasks.len() > 1 {
            tasks.into_par_iter().for_each_init(Vec::new, |s, task| self.keys_of(read, &inner, task, s));
        } else {
            let mut s = Vec::new();
            tasks.into_iter().for_each(|task| self.keys_of(read, &inner, task, &mut s));
        }
        if parts > 1 && !dq.is_empty() {
            for part in others.chunks_exact(dq.len()) {
                dq.iter_mut().zip(part).for_each(|(dq, part)| *dq += *part);
            }
        }
    }

    fn keys_of(&self, read: Read<T>, inner: &[T], task: Task<T>, scratch: &mut Vec<T>) {
        let (w, d) = (self.width, self.depth);
        let size = ROWS.min(self.rows) * KEYS.min(self.keys);
        scratch.resize(3 * size, T::ZERO);
        let (p, rest) = scratch.split_at_mut(size);
        let (dp, dropped) = rest.split_at_mut(size);
        let mut own_inner = [T::ZERO; ROWS];
        for key in task.keys.clone().step_by(KEYS) {
            let own = key - task.keys.start;
            let (k, v) =
                (&read.k[(task.head * self.keys + key) * w..], &read.v[(task.head * self.keys + key) * d..]);
            for repeat in 0..self.repeats {
                for row in (0..self.rows).step_by(ROWS) {
                    let rows = ROWS.min(self.rows - row);
                    let keys = self.seen(key, task.keys.end, row + rows - 1);
                    if keys == 0 {
                        continue;
                    }
                    let at = Block { head: task.head, repeat, row, key, rows, keys };
                    let first = (task.head * self.repeats + repeat) * self.rows + row;
                    let (q, g) = (&read.q[first * w..], &read.g[first * d..]);
                    let (p, dp) = (&mut p[..rows * keys], &mut dp[..rows * keys]);
                    self.scores(at, q, k, p);
                    weigh(p, keys, &read.by[first..][..rows]);
                    let weights = if self.dropout.is_some() {
                        let dropped = &mut dropped[..rows * keys];
                        dropped.copy_from_slice(p);
                        self.drop_out(at, dropped);
                        turned(dropped, keys)
                    } else {
                        turned(p, keys)
                    };
                    serial(keys, rows, d, weights, plain(g, d), &mut task.dv[own * d..][..keys * d], true);
                    serial(rows, d, keys, plain(g, d), turned(v, d), dp, false);
                    self.drop_out(at, dp);
                    if self.keys <= KEYS {
                        // With all weights at hand the sum comes from the very numbers that it is taken off: it cancels
                        // exactly where one key has all the weight.
                        rounded_products(p, dp, keys, &mut own_inner[..rows]);
                    } else {
                        own_inner[..rows].copy_from_slice(&inner[first..][..rows]);
                    }
                    through_softmax(p, keys, &own_inner[..rows], self.scale, dp);
                    let from = (repeat * self.rows + row) * w;
                    serial(
                        rows,
                        keys,
                        w,
                        plain(dp, keys),
                        plain(k, w),
                        &mut task.dq[from..][..rows * w],
                        true,
                    );
                    serial(
                        keys,
                        rows,
                        w,
                        turned(dp, keys),
                        plain(q, w),
                        &mut task.dk[own * w..][..keys * w],
                        true,
                    );
                }
            }
        }
    }
}

/// `n` pieces of the same size, which may be 0.
fn pieces<T>(mut all: &mut [T], size: usize, n: usize) -> Vec<&mut [T]> {
    (0..n)
        .map(|_| {
            let (piece, rest) = std::mem::take(&mut all).split_at_mut(size);
            all = rest;
            piece
        })
        .collect()
}
