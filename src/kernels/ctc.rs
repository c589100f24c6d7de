//! The forward-backward recursion of connectionist temporal classification (Graves et al. 2006), in logarithms.
//!
//! A label sequence of length S is aligned with T frames through 2S + 1 states: blanks, which may be left out, around
//! and between the labels. A step stays, or goes on by one state, or skips the blank between two labels that differ.
//! `alpha` is the logarithm of the probability of all paths to a state at a frame, that frame included, `beta` of all
//! paths on from it, that frame left out: a state's share of the probability is `e^(alpha + beta + loss)`, and minus that
//! is the derivative of the loss by the log-probability that the state reads. Computed in double precision.

use super::reduce::pieces;
use super::threshold;
use crate::number::Real;

/// Estimated nanoseconds for one state at one frame.
const STATE_NS: usize = 20;

/// Sequences of labels of a batch, one behind the other.
#[derive(Clone, Debug)]
pub struct Sequences {
    /// The class that stands for no label.
    pub blank: usize,
    /// How many frames of each there are.
    pub frames: Vec<usize>,
    /// Where each one's labels end.
    pub ends: Vec<usize>,
    /// The labels.
    pub labels: Vec<i64>,
}

impl Sequences {
    /// The labels of sequence `i`.
    pub fn labels(&self, i: usize) -> &[i64] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.labels[start..self.ends[i]]
    }

    /// The class that state `s` of sequence `i` reads.
    pub fn class(&self, i: usize, s: usize) -> usize {
        if s.is_multiple_of(2) { self.blank } else { self.labels(i)[s / 2] as usize }
    }

    /// Whether state `s` of sequence `i` can be reached from `s − 2`.
    pub fn skips(&self, i: usize, s: usize) -> bool {
        s % 2 == 1 && s >= 3 && self.labels(i)[s / 2] != self.labels(i)[s / 2 - 1]
    }

    fn states(&self, i: usize) -> usize {
        2 * self.labels(i).len() + 1
    }

    /// About how long all takes on one core.
    fn cost(&self) -> usize {
        (0..self.frames.len()).map(|i| self.frames[i] * self.states(i) * STATE_NS).sum()
    }
}

/// ln (eᵃ + eᵇ + eᶜ); −∞ where all are, NaN where one is.
fn add(a: f64, b: f64, c: f64) -> f64 {
    let m = a.max(b).max(c);
    if m == f64::NEG_INFINITY {
        return a + b + c;
    }
    m + ((a - m).exp() + (b - m).exp() + (c - m).exp()).ln()
}

/// One sequence's log-probabilities: `x[t·step + class]`.
struct One<'a, T> {
    x: &'a [T],
    step: usize,
    sequences: &'a Sequences,
    i: usize,
}

impl<T: Real> One<'_, T> {
    fn at(&self, t: usize, s: usize) -> f64 {
        self.x[t * self.step + self.sequences.class(self.i, s)].to_f64()
    }

    fn alphas(&self) -> Vec<f64> {
        let (frames, states) = (self.sequences.frames[self.i], self.sequences.states(self.i));
        let mut alpha = vec![f64::NEG_INFINITY; frames * states];
        for t in 0..frames {
            let (before, now) = alpha.split_at_mut(t * states);
            for s in 0..states {
                let from = |k: usize, open: bool| match t.checked_sub(1) {
                    _ if s < k || !open => f64::NEG_INFINITY,
                    Some(t) => before[t * states + s - k],
                    // Paths begin in the first two states.
                    None if s == k => 0.0,
                    None => f64::NEG_INFINITY,
                };
                now[s] = add(from(0, true), from(1, true), from(2, self.sequences.skips(self.i, s)))
                    + self.at(t, s);
            }
        }
        alpha
    }

    /// The loss, from the alphas.
    fn loss(&self, alpha: &[f64]) -> f64 {
        let states = self.sequences.states(self.i);
        if self.sequences.frames[self.i] == 0 {
            return if states == 1 { 0.0 } else { f64::INFINITY };
        }
        let last = &alpha[alpha.len() - states..];
        let before = if states > 1 { last[states - 2] } else { f64::NEG_INFINITY };
        -add(last[states - 1], before, f64::NEG_INFINITY)
    }

    /// Writes g · ∂loss/∂x of each frame into rows of `classes`, which are 0 before. A loss of ∞ has derivative 0.
    fn backward(&self, g: T, classes: usize, out: &mut [T]) {
        let (frames, states) = (self.sequences.frames[self.i], self.sequences.states(self.i));
        let alpha = self.alphas();
        let loss = self.loss(&alpha);
        if loss == f64::INFINITY {
            return;
        }
        let mut beta = vec![f64::NEG_INFINITY; states];
        beta[states - 1] = 0.0;
        if states > 1 {
            beta[states - 2] = 0.0;
        }
        let (mut shares, mut onward) = (vec![0.0; classes], vec![0.0; states]);
        for t in (0..frames).rev() {
            if t + 1 < frames {
                for (s, onward) in onward.iter_mut().enumerate() {
                    *onward = beta[s] + self.at(t + 1, s);
                }
                for s in 0..states {
                    let to = |k: usize, open: bool| {
                        if s + k < states && open { onward[s + k] } else { f64::NEG_INFINITY }
                    };
                    let skips = s + 2 < states && self.sequences.skips(self.i, s + 2);
                    beta[s] = add(onward[s], to(1, true), to(2, skips));
                }
            }
            shares.fill(0.0);
            for s in 0..states {
                shares[self.sequences.class(self.i, s)] += (alpha[t * states + s] + beta[s] + loss).exp();
            }
            for (out, share) in out[t * classes..].iter_mut().zip(&shares).filter(|(_, share)| **share != 0.0)
            {
                *out = T::from_f64(-share) * g;
            }
        }
    }
}

/// The loss of each sequence, from log-probabilities `[frames, sequences, classes]`.
pub fn ctc<T: Real>(x: &[T], classes: usize, sequences: &Sequences, out: &mut [T]) {
    let step = out.len() * classes;
    pieces(out, 1, threshold::split(sequences.cost()), |i, out| {
        // There may be no frames, hence no elements.
        let x = x.get(i * classes..).unwrap_or(&[]);
        let one = One { x, step, sequences, i };
        out[0] = T::from_f64(one.loss(&one.alphas()));
    });
}

/// The gradient of [`ctc`] for one `g` for each sequence, as `[sequences, frames, classes]`, which is 0 before.
pub fn ctc_backward<T: Real>(x: &[T], classes: usize, sequences: &Sequences, g: &[T], out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let size = out.len() / g.len();
    pieces(out, size, threshold::split(2 * sequences.cost()), |at, out| {
        let i = at / size;
        One { x: &x[i * classes..], step: g.len() * classes, sequences, i }.backward(g[i], classes, out);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all paths one by one.
    fn by_paths(x: &[f64], classes: usize, frames: usize, labels: &[i64], blank: usize) -> f64 {
        let mut total = 0.0;
        for path in 0..classes.pow(frames as u32) {
            let read: Vec<usize> = (0..frames).map(|t| path / classes.pow(t as u32) % classes).collect();
            let mut told = read.clone();
            told.dedup();
            told.retain(|&class| class != blank);
            if told.iter().map(|&class| class as i64).eq(labels.iter().copied()) {
                total += read.iter().enumerate().map(|(t, class)| x[t * classes + class]).sum::<f64>().exp();
            }
        }
        -total.ln()
    }

    #[test]
    fn the_recursion_adds_up_all_paths() {
        let classes = 3;
        let x: Vec<f64> = (0..18).map(|i| ((i * 7 % 11) as f64) / 5.0 - 2.0).collect();
        for labels in [&[][..], &[1], &[1, 2], &[2, 2], &[1, 2, 1], &[1, 1, 2]] {
            for frames in 0..=6 {
                for blank in [0, 1] {
                    let labels: Vec<i64> =
                        labels.iter().map(|&label| if label == blank { 0 } else { label }).collect();
                    let blank = blank as usize;
                    let sequences = Sequences {
                        blank,
                        frames: vec![frames],
                        ends: vec![labels.len()],
                        labels: labels.clone(),
                    };
                    let mut out = [0.0];
                    ctc(&x[..frames * classes], classes, &sequences, &mut out);
                    let wanted = by_paths(&x, classes, frames, &labels, blank);
                    let fine =
                        if wanted.is_finite() { (out[0] - wanted).abs() < 1e-13 } else { out[0] == wanted };
                    assert!(fine, "{labels:?} {frames} {blank}: {} {wanted}", out[0]);

                    let mut g = vec![0.0; frames * classes];
                    ctc_backward(&x[..frames * classes], classes, &sequences, &[2.0], &mut g);
                    for i in 0..frames * classes {
                        let moved = |h: f64| {
                            let mut x = x.clone();
                            x[i] += h;
                            by_paths(&x, classes, frames, &labels, blank)
                        };
                        let slope =
                            if wanted.is_finite() { (moved(1e-5) - moved(-1e-5)) / 1e-5 } else { 0.0 };
                        assert!((g[i] - slope).abs() < 1e-9, "{labels:?} {frames} {i}: {} {slope}", g[i]);
                    }
                }
            }
        }
    }

    #[test]
    fn a_nan_shows() {
        let sequences = Sequences { blank: 0, frames: vec![2], ends: vec![1], labels: vec![1] };
        let x = [-1.0, -1.0, f64::NAN, -1.0];
        let mut out = [0.0];
        ctc(&x, 2, &sequences, &mut out);
        assert!(out[0].is_nan());
        let mut g = [0.0; 4];
        ctc_backward(&x, 2, &sequences, &[1.0], &mut g);
        assert!(g.iter().any(|g| g.is_nan()));
    }
}
