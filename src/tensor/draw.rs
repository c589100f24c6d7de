//! Samples of discrete laws, and more laws for single numbers.

use super::Tensor;
use super::random::Generator;
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{IntoShape, Shape};
use std::f64::consts::PI;
use std::ops::Range;

impl Generator {
    /// A number from the uniform law between 0 and 1, neither of which it is.
    pub fn uniform_open(&mut self) -> f64 {
        open(self.bits())
    }

    /// A number from the exponential law of rate 1.
    pub fn exponential(&mut self) -> f64 {
        -self.uniform_open().ln()
    }

    /// A number from the standard Gumbel law, that of the largest of many: `P(x ≤ t) = exp(−e⁻ᵗ)`.
    pub fn gumbel(&mut self) -> f64 {
        -self.exponential().ln()
    }

    /// A number from the standard Laplace law, of density `½ e^−|t|`.
    pub fn laplace(&mut self) -> f64 {
        let u = 2.0 * self.uniform_open();
        if u < 1.0 { u.ln() } else { -(2.0 - u).ln() }
    }

    /// A number from the standard logistic law: `P(x ≤ t) = 1/(1 + e⁻ᵗ)`.
    pub fn logistic(&mut self) -> f64 {
        let u = self.uniform_open();
        (u / (1.0 - u)).ln()
    }

    /// A number from the standard Cauchy law, of density `1/(π(1 + t²))`.
    pub fn cauchy(&mut self) -> f64 {
        (PI * (self.uniform_open() - 0.5)).tan()
    }
}

/// The middle of one of 2⁵² parts of the unit interval: with 2⁵³ the middles would round, the last one to 1.
fn open(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// An argument outside its range.
fn refused(name: &'static str, found: impl ToString, wanted: &str) -> crate::error::Error {
    ErrorKind::Argument { name, found: found.to_string(), wanted: wanted.into() }.into()
}

impl<T: Real> Tensor<T> {
    /// Numbers that a generator draws one after the other.
    pub(crate) fn drawn(
        shape: Shape,
        from: &mut Generator,
        draw: fn(&mut Generator) -> f64,
    ) -> Result<Tensor<T>> {
        Tensor::build(shape, |out| out.iter_mut().for_each(|x| *x = T::from_f64(draw(from))))
    }

    /// 1 with the probability that stands in this place, else 0.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for a probability outside [0, 1], NaN too.
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let p = Tensor::from([0.0, 1.0, 0.5]);
    /// let x = p.bernoulli(&mut Generator::new(1))?;
    /// assert_eq!((x[[0]], x[[1]]), (0.0, 1.0));
    /// assert!(x[[2]] == 0.0 || x[[2]] == 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn bernoulli(&self, from: &mut Generator) -> Result<Tensor<T>> {
        let p = self.contiguous()?;
        let p = p.as_slice().expect("just made contiguous");
        if let Some(wrong) = p.iter().find(|p| !(0.0..=1.0).contains(&p.to_f64())) {
            return Err(refused("a probability", wrong, "a number from 0 to 1"));
        }
        Tensor::build(self.shape_owned(), |out| {
            for (x, p) in out.iter_mut().zip(p) {
                *x = if from.uniform() < p.to_f64() { T::ONE } else { T::ZERO };
            }
        })
    }

    /// An index along the last axis for each row of weights, which need not sum to 1: `[.., k]` gives `[..]`.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`Argument`](ErrorKind::Argument) for a weight that is negative or not
    /// finite, or a row that has none above 0.
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let weights = Tensor::from([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]);
    /// assert_eq!(weights.categorical(&mut Generator::new(1))?.to_vec(), [1, 0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn categorical(&self, from: &mut Generator) -> Result<Tensor<i64>> {
        let shape = Shape::new(&self.shape()[..self.rank().saturating_sub(1)])?;
        self.rows_drawn(shape, 1, |weights, out| {
            let total = cumulate(weights)?;
            out[0] = pick(weights, total, from);
            Ok(())
        })
    }

    /// `n` indices along the last axis for each row of weights, each drawn anew: `[.., k]` gives `[.., n]`.
    ///
    /// # Errors
    ///
    /// As [`categorical`](Tensor::categorical).
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let weights = Tensor::from([0.0, 2.0, 6.0]);
    /// let x = weights.multinomial(1000, &mut Generator::new(1))?;
    /// let twos = x.iter().filter(|&i| i == 2).count();
    /// assert!((700..800).contains(&twos) && x.iter().all(|i| i > 0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn multinomial(&self, n: usize, from: &mut Generator) -> Result<Tensor<i64>> {
        let shape = [&self.shape()[..self.rank().saturating_sub(1)], &[n]].concat();
        self.rows_drawn(Shape::new(shape)?, n, |weights, out| {
            let total = cumulate(weights)?;
            out.iter_mut().for_each(|x| *x = pick(weights, total, from));
            Ok(())
        })
    }

    /// `n` different indices along the last axis for each row of weights, drawn one after the other without putting
    /// back: `[.., k]` gives `[.., n]`.
    ///
    /// # Errors
    ///
    /// As [`categorical`](Tensor::categorical); [`Argument`](ErrorKind::Argument) if a row has fewer than `n` weights
    /// above 0.
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let weights = Tensor::from([1.0, 0.0, 5.0]);
    /// let mut x = weights.multinomial_distinct(2, &mut Generator::new(1))?.to_vec();
    /// x.sort();
    /// assert_eq!(x, [0, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn multinomial_distinct(&self, n: usize, from: &mut Generator) -> Result<Tensor<i64>> {
        let shape = [&self.shape()[..self.rank().saturating_sub(1)], &[n]].concat();
        let mut keys = Vec::new();
        self.rows_drawn(Shape::new(shape)?, n, |weights, out| {
            // Who waits shortest, each at the rate of its weight (Efraimidis and Spirakis).
            keys.clear();
            keys.extend(weights.iter().enumerate().map(|(i, &w)| (from.exponential() / w, i as i64)));
            cumulate(weights)?;
            keys.retain(|key| key.0.is_finite());
            if keys.len() < n {
                return Err(refused(
                    "the number of different indices",
                    n,
                    "at most as many as weights above 0",
                ));
            }
            keys.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            out.iter_mut().zip(&keys).for_each(|(x, key)| *x = key.1);
            Ok(())
        })
    }

    /// For each row along the last axis, as double precision numbers, `n` indices.
    fn rows_drawn(
        &self,
        shape: Shape,
        n: usize,
        mut draw: impl FnMut(&mut [f64], &mut [i64]) -> Result<()>,
    ) -> Result<Tensor<i64>> {
        let Some(&k) = self.shape().last() else {
            return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
        };
        let weights = self.contiguous()?;
        let weights = weights.as_slice().expect("just made contiguous");
        let mut row = vec![0.0; k];
        Tensor::try_build(shape, |out| {
            for (i, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
                row.iter_mut().zip(&weights[i * k..]).for_each(|(x, w)| *x = w.to_f64());
                draw(&mut row, out)?;
            }
            Ok(())
        })
    }
}

/// Weights made their running sums; gives the total.
fn cumulate(weights: &mut [f64]) -> Result<f64> {
    let mut total = 0.0;
    for w in weights {
        if !(*w >= 0.0 && w.is_finite()) {
            return Err(refused("a weight", *w, "a finite number of at least 0"));
        }
        total += *w;
        *w = total;
    }
    if total > 0.0 {
        Ok(total)
    } else {
        Err(refused("the sum of a row of weights", total, "a positive number"))
    }
}

/// The first index whose running sum is above a random part of the total.
fn pick(sums: &[f64], total: f64, from: &mut Generator) -> i64 {
    let at = from.uniform() * total;
    // Rounding may put the part at the total itself, behind which nothing has weight.
    sums.partition_point(|&sum| sum <= at).min(sums.partition_point(|&sum| sum < total)) as i64
}

impl Tensor<i64> {
    /// Integers from a range, each equally likely.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for an empty range; [`TooLarge`](ErrorKind::TooLarge),
    /// [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let x = Tensor::randint([100], -2..3, &mut Generator::new(1))?;
    /// assert!(x.iter().all(|x| (-2..3).contains(&x)) && x.iter().any(|x| x == -2) && x.iter().any(|x| x == 2));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn randint(shape: impl IntoShape, range: Range<i64>, from: &mut Generator) -> Result<Tensor<i64>> {
        if range.is_empty() {
            return Err(refused("the range", format!("{range:?}"), "one that is not empty"));
        }
        let n = range.end.wrapping_sub(range.start) as u64 as usize;
        Tensor::build(shape.into_shape()?, |out| {
            out.iter_mut().for_each(|x| *x = range.start.wrapping_add(from.below(n) as i64));
        })
    }

    /// The integers below `n` in random order.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge), [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::{Generator, Tensor};
    ///
    /// let mut x = Tensor::randperm(5, &mut Generator::new(1))?.to_vec();
    /// x.sort();
    /// assert_eq!(x, [0, 1, 2, 3, 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn randperm(n: usize, from: &mut Generator) -> Result<Tensor<i64>> {
        Tensor::build(Shape::new([n])?, |out| {
            out.iter_mut().enumerate().for_each(|(i, x)| *x = i as i64);
            from.shuffle(out);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;

    /// The largest distance between the share of draws below a point and what the law says: 1.95/√n for one in 1000.
    fn distance(draw: fn(&mut Generator) -> f64, law: impl Fn(f64) -> f64) -> f64 {
        let mut random = Generator::new(11);
        let mut draws: Vec<f64> = (0..DRAWS).map(|_| draw(&mut random)).collect();
        draws.sort_by(f64::total_cmp);
        let places = draws.iter().enumerate();
        places.map(|(i, &x)| (law(x) - (i as f64 + 0.5) / DRAWS as f64).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn numbers_follow_their_laws() {
        let bound = 1.95 / (DRAWS as f64).sqrt();
        assert!(distance(Generator::uniform_open, |x| x) < bound);
        assert!(distance(Generator::exponential, |x| 1.0 - (-x).exp()) < bound);
        assert!(distance(Generator::gumbel, |x| (-(-x).exp()).exp()) < bound);
        assert!(distance(Generator::logistic, |x| 1.0 / (1.0 + (-x).exp())) < bound);
        assert!(distance(Generator::cauchy, |x| 0.5 + x.atan() / PI) < bound);
        let laplace = |x: f64| if x < 0.0 { 0.5 * x.exp() } else { 1.0 - 0.5 * (-x).exp() };
        assert!(distance(Generator::laplace, laplace) < bound);
        assert!(distance(Generator::normal, crate::number::Number::normal_cdf) < bound);
    }

    #[test]
    fn the_open_interval_has_no_ends() {
        assert_eq!((open(0), open(u64::MAX)), (0.5f64.powi(53), 1.0 - 0.5f64.powi(53)));
    }

    #[test]
    fn shares_are_those_of_the_weights() {
        let weights = Tensor::from([1.0, 0.0, 3.0, 4.0]);
        let x = weights.multinomial(DRAWS, &mut Generator::new(3)).unwrap();
        for (i, wanted) in [0.125, 0.0, 0.375, 0.5].into_iter().enumerate() {
            let share = x.iter().filter(|&x| x == i as i64).count() as f64 / DRAWS as f64;
            assert!((share - wanted).abs() < 0.006, "{i}: {share}");
        }
        // Of two drawn without putting back, 3 comes first in half the rows, and is among them in
        // ½ + ⅛·4/7 + ⅜·4/5.
        let rows = Tensor::from([1.0, 0.0, 3.0, 4.0]).expand([20_000, 4]).unwrap();
        let pairs = rows.multinomial_distinct(2, &mut Generator::new(5)).unwrap();
        let first = pairs.slice(1, 0..1).unwrap().iter().filter(|&i| i == 3).count() as f64 / 20_000.0;
        let either = pairs.iter().filter(|&i| i == 3).count() as f64 / 20_000.0;
        assert!(
            (first - 0.5).abs() < 0.012 && (either - (0.5 + 0.5 / 7.0 + 0.3)).abs() < 0.012,
            "{first} {either}"
        );
        let heads = Tensor::<f64>::full([DRAWS], 0.3).unwrap().bernoulli(&mut Generator::new(9)).unwrap();
        assert!((heads.iter().sum::<f64>() / DRAWS as f64 - 0.3).abs() < 0.006);
        let x = Tensor::randint([DRAWS], 0..3, &mut Generator::new(9)).unwrap();
        assert!((x.iter().filter(|&x| x == 1).count() as f64 / DRAWS as f64 - 1.0 / 3.0).abs() < 0.006);
    }

    #[test]
    fn shapes_and_wrong_weights() {
        let mut random = Generator::new(1);
        let from = || random.clone();
        let rows = Tensor::<f64>::ones([2, 3, 4]).unwrap();
        assert_eq!(rows.categorical(&mut from()).unwrap().shape(), [2, 3]);
        assert_eq!(rows.multinomial(5, &mut from()).unwrap().shape(), [2, 3, 5]);
        assert_eq!(rows.multinomial_distinct(4, &mut from()).unwrap().shape(), [2, 3, 4]);
        assert_eq!(rows.multinomial(0, &mut from()).unwrap().shape(), [2, 3, 0]);
        assert_eq!(Tensor::<f64>::zeros([0, 4]).unwrap().categorical(&mut from()).unwrap().shape(), [0]);
        let text = |result: Result<Tensor<i64>>| result.unwrap_err().to_string();
        let wrong = "a weight is -1, wanted a finite number of at least 0";
        assert_eq!(text(Tensor::from([1.0, -1.0]).categorical(&mut from())), wrong);
        assert_eq!(text(Tensor::from([1.0, -1.0]).multinomial_distinct(1, &mut from())), wrong);
        let zero = "the sum of a row of weights is 0, wanted a positive number";
        assert_eq!(text(Tensor::from([0.0, 0.0]).categorical(&mut from())), zero);
        let few = "the number of different indices is 2, wanted at most as many as weights above 0";
        assert_eq!(text(Tensor::from([0.0, 1.0]).multinomial_distinct(2, &mut from())), few);
        assert_eq!(
            text(Tensor::scalar(1.0).categorical(&mut from())),
            "shape [] has rank 0, wanted at least 1"
        );
        let p = Tensor::from([0.5, f64::NAN]).bernoulli(&mut from()).unwrap_err();
        assert_eq!(p.to_string(), "a probability is NaN, wanted a number from 0 to 1");
        let range = Tensor::randint([2], 3..3, &mut from()).unwrap_err();
        assert_eq!(range.to_string(), "the range is 3..3, wanted one that is not empty");
        let whole = Tensor::randint([100], i64::MIN..i64::MAX, &mut random).unwrap();
        assert!(whole.iter().any(|x| x < 0) && whole.iter().any(|x| x > 0));
    }
}
