//! Recurrent layers over a whole sequence: the products of a step's state with the recurrent weights, and everything
//! element by element around them in one pass.

use super::matmul::{Matrix, matmul};
use super::{copy_strided, multiversion, threshold};
use crate::number::Real;

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `h ← tanh(x + h·U)`.
    Tanh,
    /// `h ← relu(x + h·U)`.
    Relu,
    /// Gates i, f, g, o: `c ← σ(f)·c + σ(i)·tanh(g)`, `h ← σ(o)·tanh(c)`.
    Lstm,
    /// Gates r, z, n: `h ← (1 − σ(z))·tanh(n + σ(r)·q) + σ(z)·h`, with q the state's part of n.
    Gru,
}

impl Cell {
    /// Columns of the weights for each element of the state.
    pub fn gates(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    /// Numbers kept for each element of the state.
    pub fn kept(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 0,
            Cell::Lstm | Cell::Gru => 4,
        }
    }
}

/// A sequence of steps, from the last to the first if `backwards`.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// What each computes.
    pub cell: Cell,
    /// How many.
    pub steps: usize,
    /// Rows of the state.
    pub batch: usize,
    /// Its columns.
    pub hidden: usize,
    /// The direction.
    pub backwards: bool,
}

/// What goes in: `[steps, batch, gates·hidden]`, `[batch, hidden]` twice, `[hidden, gates·hidden]`, `[gates·hidden]`. The
/// cell state is there for LSTM alone, the bias of the state's part for GRU alone.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a, T> {
    /// The products of the inputs with their weights, with the biases.
    pub x: &'a [T],
    /// The first state.
    pub h: &'a [T],
    /// The first cell state.
    pub c: &'a [T],
    /// The recurrent weights.
    pub u: &'a [T],
    /// Their bias.
    pub bias: &'a [T],
}

/// What comes out: all states, and what the backward pass needs of each step.
#[derive(Debug)]
pub struct Made<'a, T> {
    /// The states, `[steps, batch, hidden]`.
    pub y: &'a mut [T],
    /// The cell states of LSTM.
    pub c: &'a mut [T],
    /// The gates, `[steps, batch, 4·hidden]`.
    pub kept: &'a mut [T],
}

/// The cotangents: of all states, and of the last cell state; and those they are turned into.
#[derive(Debug)]
pub struct Cotangents<'a, T> {
    /// Of the states.
    pub y: Option<&'a [T]>,
    /// Of the last cell state.
    pub c: Option<&'a [T]>,
    /// Of the inputs' products.
    pub x: &'a mut [T],
    /// Of the states' products, where they differ from those: for GRU alone.
    pub z: &'a mut [T],
    /// Of the first state.
    pub h: &'a mut [T],
    /// Of the first cell state; scratch for the others.
    pub first_c: &'a mut [T],
    /// Of the recurrent weights, if wanted.
    pub u: Option<&'a mut [T]>,
}

multiversion! {
    fn tanh_all<T, N>(x: &mut [T]) {
        for x in x {
            *x = N::of(*x).tanh().get();
        }
    }

    fn relu_all<T, N>(x: &mut [T]) {
        for x in x {
            *x = N::of(*x).maximum(N::of(T::ZERO)).get();
        }
    }

    /// Gates of one step from what goes into them, and the states from the gates.
    fn lstm<T, N>(gates: &mut [T], h: usize, before: &[T], c: &mut [T], y: &mut [T]) {
        let states = before.chunks_exact(h).zip(c.chunks_exact_mut(h)).zip(y.chunks_exact_mut(h));
        for (gates, ((before, c), y)) in gates.chunks_exact_mut(4 * h).zip(states) {
            let (inputs, rest) = gates.split_at_mut(2 * h);
            let (new, out) = rest.split_at_mut(h);
            for v in inputs.iter_mut() {
                *v = N::of(*v).sigmoid().get();
            }
            for v in new.iter_mut() {
                *v = N::of(*v).tanh().get();
            }
            for v in out.iter_mut() {
                *v = N::of(*v).sigmoid().get();
            }
            let (input, forget) = inputs.split_at(h);
            for j in 0..h {
                c[j] = N::of(forget[j]).mul_add(N::of(before[j]), N::of(input[j]) * N::of(new[j])).get();
            }
            for j in 0..h {
                y[j] = (N::of(out[j]) * N::of(c[j]).tanh()).get();
            }
        }
    }

    /// `dh` comes whole; `dc` is turned from the cotangent of this step's cell state to that of the one before.
    fn lstm_backward<T, N>(gates: &[T], h: usize, before: &[T], c: &[T], dh: &[T], dc: &mut [T], dz: &mut [T]) {
        let one = N::of(T::ONE);
        let states = before.chunks_exact(h).zip(c.chunks_exact(h)).zip(dh.chunks_exact(h).zip(dc.chunks_exact_mut(h)));
        for ((gates, dz), ((before, c), (dh, dc))) in gates.chunks_exact(4 * h).zip(dz.chunks_exact_mut(4 * h)).zip(states) {
            let [i, f, g, o] = [0, 1, 2, 3].map(|k| &gates[k * h..][..h]);
            let (di, rest) = dz.split_at_mut(h);
            let (df, rest) = rest.split_at_mut(h);
            let (dg, d_o) = rest.split_at_mut(h);
            let (before, c, dh, dc) = (&before[..h], &c[..h], &dh[..h], &mut dc[..h]);
            for j in 0..h {
                let ([i, f, g, o], dh) = ([i[j], f[j], g[j], o[j]].map(N::of), N::of(dh[j]));
                let t = N::of(c[j]).tanh();
                let d = N::of(dc[j]) + dh * o * (one - t * t);
                di[j] = (d * g * (i * (one - i))).get();
                df[j] = (d * N::of(before[j]) * (f * (one - f))).get();
                dg[j] = (d * i * (one - g * g)).get();
                d_o[j] = (dh * t * (o * (one - o))).get();
                dc[j] = (d * f).get();
            }
        }
    }

    /// `x` are the inputs' parts, `z` the states'; the gates kept are r, z, n and the state's part of n.
    fn gru<T, N>(x: &[T], z: &[T], h: usize, before: &[T], kept: &mut [T], y: &mut [T]) {
        let parts = x.chunks_exact(3 * h).zip(z.chunks_exact(3 * h));
        let states = before.chunks_exact(h).zip(y.chunks_exact_mut(h));
        for (((x, p), kept), (before, y)) in parts.zip(kept.chunks_exact_mut(4 * h)).zip(states) {
            let (gates, rest) = kept.split_at_mut(2 * h);
            let (n, q) = rest.split_at_mut(h);
            for (v, (&x, &p)) in gates.iter_mut().zip(x.iter().zip(p)) {
                *v = (N::of(x) + N::of(p)).sigmoid().get();
            }
            q.copy_from_slice(&p[2 * h..]);
            let (r, z) = gates.split_at(h);
            for (j, x) in x[2 * h..].iter().enumerate() {
                n[j] = N::of(r[j]).mul_add(N::of(q[j]), N::of(*x)).tanh().get();
            }
            for j in 0..h {
                let n = N::of(n[j]);
                y[j] = N::of(z[j]).mul_add(N::of(before[j]) - n, n).get();
            }
        }
    }

    /// `dh` is turned from the cotangent of this step's state to that part of the one before's that does not pass the gates.
    fn gru_backward<T, N>(kept: &[T], h: usize, before: &[T], dh: &mut [T], dx: &mut [T], dz: &mut [T]) {
        let one = N::of(T::ONE);
        let parts = dx.chunks_exact_mut(3 * h).zip(dz.chunks_exact_mut(3 * h));
        let states = before.chunks_exact(h).zip(dh.chunks_exact_mut(h));
        for ((kept, (dx, dz)), (before, dh)) in kept.chunks_exact(4 * h).zip(parts).zip(states) {
            let [r, z, n, q] = [0, 1, 2, 3].map(|k| &kept[k * h..][..h]);
            let (before, dh) = (&before[..h], &mut dh[..h]);
            let (dr, rest) = dx.split_at_mut(h);
            let (du, dn) = rest.split_at_mut(h);
            let dq = &mut dz[2 * h..];
            for j in 0..h {
                let ([r, z, n, q], d) = ([r[j], z[j], n[j], q[j]].map(N::of), N::of(dh[j]));
                let new = d * (one - z) * (one - n * n);
                dr[j] = (new * q * (r * (one - r))).get();
                du[j] = (d * (N::of(before[j]) - n) * (z * (one - z))).get();
                dn[j] = new.get();
                dq[j] = (new * r).get();
                dh[j] = (d * z).get();
            }
            dz[..2 * h].copy_from_slice(&dx[..2 * h]);
        }
    }

    fn tanh_backward<T, N>(y: &[T], dh: &[T], dz: &mut [T]) {
        for ((dz, &y), &dh) in dz.iter_mut().zip(y).zip(dh) {
            *dz = (N::of(dh) * (N::of(T::ONE) - N::of(y) * N::of(y))).get();
        }
    }

    /// 0 where the state is 0, NaN where it is NaN.
    fn relu_backward<T, N>(y: &[T], dh: &[T], dz: &mut [T]) {
        for ((dz, &y), &dh) in dz.iter_mut().zip(y).zip(dh) {
            let y = N::of(y);
            *dz = N::select(y.greater(N::of(T::ZERO)), N::of(dh), y * N::of(T::ZERO)).get();
        }
    }

    fn plus<T, N>(x: &mut [T], y: &[T]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = (N::of(*x) + N::of(y)).get();
        }
    }
}

fn rows<T>(data: &[T], columns: usize) -> Matrix<'_, T> {
    Matrix { data, offset: 0, row_stride: columns as isize, col_stride: 1 }
}

fn columns<T>(data: &[T], columns: usize) -> Matrix<'_, T> {
    Matrix { data, offset: 0, row_stride: 1, col_stride: columns as isize }
}

/// The piece at a step, and the one at the step before, if there is one.
fn with_before<T>(all: &mut [T], size: usize, at: usize, before: Option<usize>) -> (&mut [T], Option<&[T]>) {
    match before {
        None => (&mut all[at * size..][..size], None),
        Some(before) if before < at => {
            let (low, high) = all.split_at_mut(at * size);
            (&mut high[..size], Some(&low[before * size..][..size]))
        }
        Some(before) => {
            let (low, high) = all.split_at_mut(before * size);
            (&mut low[at * size..][..size], Some(&high[..size]))
        }
    }
}

impl Steps {
    fn place(&self, step: usize) -> usize {
        if self.backwards { self.steps - 1 - step } else { step }
    }

    /// Runs inside the thread pool if the products will use it, and enters it once.
    fn pooled(&self, run: impl FnOnce() + Send) {
        let products = self.steps * self.batch * self.hidden * self.hidden * self.cell.gates();
        if threshold::split(products / 16) {
            rayon::join(run, || ());
        } else {
            run();
        }
    }

    /// All states.
    pub fn forward<T: Real>(&self, given: Given<T>, made: Made<T>) {
        self.pooled(|| self.run(given, made));
    }

    fn run<T: Real>(&self, given: Given<T>, made: Made<T>) {
        let (n, h, wide) = (self.batch, self.hidden, self.hidden * self.cell.gates());
        let mut scratch = vec![T::ZERO; if self.cell == Cell::Gru { n * wide } else { 0 }];
        for step in 0..self.steps {
            let at = self.place(step);
            let before = (step > 0).then(|| self.place(step - 1));
            let x = &given.x[at * n * wide..][..n * wide];
            let (y, last) = with_before(made.y, n * h, at, before);
            let last = last.unwrap_or(given.h);
            let product = |out: &mut [T]| matmul(n, h, wide, rows(last, h), rows(given.u, wide), out, true);
            match self.cell {
                Cell::Tanh | Cell::Relu => {
                    y.copy_from_slice(x);
                    product(y);
                    if self.cell == Cell::Tanh { tanh_all(y) } else { relu_all(y) }
                }
                Cell::Lstm => {
                    let gates = &mut made.kept[at * n * wide..][..n * wide];
                    gates.copy_from_slice(x);
                    product(gates);
                    let (c, last) = with_before(made.c, n * h, at, before);
                    lstm(gates, h, last.unwrap_or(given.c), c, y);
                }
                Cell::Gru => {
                    scratch.chunks_exact_mut(wide.max(1)).for_each(|row| row.copy_from_slice(given.bias));
                    product(&mut scratch);
                    gru(x, &scratch, h, last, &mut made.kept[at * n * 4 * h..][..n * 4 * h], y);
                }
            }
        }
    }

    /// All cotangents.
    pub fn backward<T: Real>(
        &self,
        given: Given<T>,
        y: &[T],
        c: &[T],
        kept: &[T],
        cotangents: Cotangents<T>,
    ) {
        self.pooled(|| self.run_backward(given, [y, c, kept], cotangents));
    }

    fn run_backward<T: Real>(&self, given: Given<T>, [y, c, kept]: [&[T]; 3], to: Cotangents<T>) {
        let (n, h, wide) = (self.batch, self.hidden, self.hidden * self.cell.gates());
        if n * h == 0 {
            if let Some(u) = to.u {
                u.fill(T::ZERO);
            }
            return;
        }
        // A transposed operand takes longer to pack, and it would be packed at each step.
        let mut turned = vec![T::ZERO; h * wide];
        copy_strided(&[wide, h], given.u, 0, &[1, wide as isize], &mut turned);
        let (dh, dc) = (to.h, to.first_c);
        dh.fill(T::ZERO);
        match to.c {
            Some(last) => dc.copy_from_slice(last),
            None => dc.fill(T::ZERO),
        }
        for step in (0..self.steps).rev() {
            let at = self.place(step);
            let before = if step == 0 { given.h } else { &y[self.place(step - 1) * n * h..][..n * h] };
            if let Some(g) = to.y {
                plus(dh, &g[at * n * h..][..n * h]);
            }
            let dx = &mut to.x[at * n * wide..][..n * wide];
            let own = &y[at * n * h..][..n * h];
            let dz = match self.cell {
                Cell::Tanh => {
                    tanh_backward(own, dh, dx);
                    dx
                }
                Cell::Relu => {
                    relu_backward(own, dh, dx);
                    dx
                }
                Cell::Lstm => {
                    let earlier =
                        if step == 0 { given.c } else { &c[self.place(step - 1) * n * h..][..n * h] };
                    let gates = &kept[at * n * wide..][..n * wide];
                    lstm_backward(gates, h, earlier, &c[at * n * h..][..n * h], dh, dc, dx);
                    dx
                }
                Cell::Gru => {
                    let dz = &mut to.z[at * n * wide..][..n * wide];
                    gru_backward(&kept[at * n * 4 * h..][..n * 4 * h], h, before, dh, dx, dz);
                    dz
                }
            };
            matmul(n, wide, h, rows(dz, wide), rows(&turned, h), dh, self.cell == Cell::Gru);
        }
        if let Some(u) = to.u {
            let z: &[T] = if self.cell == Cell::Gru { to.z } else { to.x };
            self.weights(given.h, y, z, u);
        }
    }

    /// `Σ hᵀ·z` over the steps, with h the state before each: one product for all but the first.
    fn weights<T: Real>(&self, first: &[T], y: &[T], z: &[T], u: &mut [T]) {
        let (n, h, wide) = (self.batch, self.hidden, self.hidden * self.cell.gates());
        let Some(rest) = self.steps.checked_sub(1) else { return u.fill(T::ZERO) };
        let (own, y, z_rest) = if self.backwards {
            (rest * n * wide, &y[n * h..], &z[..rest * n * wide])
        } else {
            (0, &y[..rest * n * h], &z[n * wide..])
        };
        matmul(h, n, wide, columns(first, h), rows(&z[own..][..n * wide], wide), u, false);
        if rest > 0 {
            matmul(h, rest * n, wide, columns(y, h), rows(z_rest, wide), u, true);
        }
    }
}
