//! Inverses.

use super::factors::Factored;
use super::square;
use crate::error::argument;
use crate::number::Real;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// The inverses of square matrices `[…, n, n]`, by LU factors. To solve with them, [`solve`](Var::solve) is faster
    /// and more accurate.
    ///
    /// # Gradient
    ///
    /// `−A⁻ᵀ Ȳ A⁻ᵀ`.
    ///
    /// # Errors
    ///
    /// [`Singular`](crate::ErrorKind::Singular), with the matrix of the batch and the pivot that is exactly 0;
    /// [`NotFinite`](crate::ErrorKind::NotFinite); [`NotSquare`](crate::ErrorKind::NotSquare);
    /// [`Rank`](crate::ErrorKind::Rank).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
    /// assert_eq!(a.inv().value()?.to_vec(), [0.0, 0.25, 0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "inverse")]
    #[track_caller]
    pub fn inv(self) -> Var<'t, T> {
        self.tape().composed("inv", || Ok(Factored::regular(self, "inv")?.inverse()))
    }

    /// The inverse of a tensor as a map from its axes from `first` on to those before, which have as many elements: the
    /// Y, with the axes from `first` on in front, of which the products with `self` over all of those are the identity.
    ///
    /// # Gradient
    ///
    /// As [`inv`](Var::inv).
    ///
    /// # Errors
    ///
    /// As [`inv`](Var::inv), of a matrix of as many rows as the axes before `first` have elements;
    /// [`Argument`](crate::ErrorKind::Argument) unless there are axes before `first`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::eye(6)?.reshape([2, 3, 6])?) * 2.0;
    /// let y = a.tensorinv(2);
    /// assert_eq!(y.shape(), [6, 2, 3]);
    /// assert_eq!(y.value()?.get([0, 0, 0])?, 0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tensorinv(self, first: usize) -> Var<'t, T> {
        self.tape().composed("tensorinv", || {
            let shape = self.try_shape()?;
            if first == 0 || first > shape.len() {
                return argument("the first axis", first, format!("1 to {}", shape.len()));
            }
            let (before, after) = shape.split_at(first);
            let sizes = [before, after].map(|axes| axes.iter().product::<usize>());
            square(&sizes)?;
            Ok(self.reshape(sizes).inv().reshape([after, before].concat()))
        })
    }
}

#[cfg(test)]
use super::SQUARES;
#[cfg(test)]
use super::pivoted;
#[cfg(test)]
use crate::conformance::{Sample, sample, shapes, wrong};

#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    let tensors: [&[&[usize]]; 3] = [&[&[2, 3, 6]], &[&[3, 1, 3]], &[&[0, 2, 3, 0]]];
    fn as_matrix<T: Real>(a: Var<'_, T>) -> Var<'_, T> {
        let shape = a.try_shape().unwrap();
        let n = shape[0] * shape[1];
        pivoted(a.reshape([n, n])).reshape(shape)
    }
    vec![
        sample!("inv", shapes(&SQUARES, -1.0, 1.0), |x| pivoted(x[0]).inv()),
        sample!("tensorinv", shapes(&tensors, -1.0, 1.0), |x| as_matrix(x[0]).tensorinv(2)),
        wrong!("inv", &[&[2, 3]], |x| x[0].inv(), "shape [2, 3] is not that of square matrices"),
        wrong!("inv", &[&[3]], |x| x[0].inv(), "shape [3] has rank 1, wanted at least 2"),
        wrong!("inv", &[&[2, 2]], |x| x[0].triu(1).inv(), "the matrix is singular: pivot 0 of 2 is 0"),
        wrong!("inv", &[&[1, 1]], |x| (x[0] * 0.0).inv(), "the matrix is singular: pivot 0 of 1 is 0"),
        wrong!(
            "inv",
            &[&[3, 2, 2]],
            |x| (x[0] * 0.0).ln().inv(),
            "the matrix [0] of the batch has elements that are not finite"
        ),
        wrong!(
            "tensorinv",
            &[&[2, 3, 5]],
            |x| x[0].tensorinv(2),
            "shape [6, 5] is not that of square matrices"
        ),
        wrong!("tensorinv", &[&[2, 2]], |x| x[0].tensorinv(0), "the first axis is 0, wanted 1 to 2"),
        wrong!("tensorinv", &[&[2, 2]], |x| x[0].tensorinv(3), "the first axis is 3, wanted 1 to 2"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::{Generator, Tensor};

    fn largest(x: &Tensor<f64>) -> f64 {
        x.iter().fold(0.0, |m, x| m.max(x.abs()))
    }

    #[test]
    fn inverses_and_solutions_of_larger_matrices_are_right() {
        let mut random = Generator::new(5);
        for n in [33, 100, 130] {
            let a = Tensor::<f64>::normal([n, n], 0.0, 1.0, &mut random).unwrap();
            let b = Tensor::normal([n, 150], 0.0, 1.0, &mut random).unwrap();
            let tape = Tape::new();
            let (va, vb) = (tape.var(&a), tape.var(&b));
            let inverse = va.inv();
            let identity = va.matmul(inverse) - tape.constant(&Tensor::eye(n).unwrap());
            let bound = 1e-13 * largest(&a) * largest(&inverse.value().unwrap()) * n as f64;
            assert!(largest(&identity.value().unwrap()) < bound, "{n}");
            for x in [va.solve(vb), va.mt().solve_right(vb.mt()).mt(), va.inv().matmul(vb)] {
                let rest = va.matmul(x) - vb;
                let bound = 1e-13 * largest(&a) * largest(&x.value().unwrap()) * n as f64;
                assert!(largest(&rest.value().unwrap()) < bound, "{n}");
            }
            let single = Tape::<f32>::new();
            let a = single.constant(&a.map(|x| x as f32).unwrap());
            let b = single.constant(&b.map(|x| x as f32).unwrap());
            let x = a.solve(b).value().unwrap().map(f64::from).unwrap();
            let wanted = va.solve(vb).value().unwrap();
            let error = largest(&x.try_sub(&wanted).unwrap());
            assert!(error < 1e-3 * largest(&inverse.value().unwrap()) * largest(&wanted), "{n} {error}");
        }
    }

    #[test]
    fn scale_does_not_matter() {
        for scale in [1e150, 1e-150, 1e-300] {
            let tape = Tape::<f64>::new();
            let a = tape.var(&(&Tensor::from([[1.0, 2.0], [4.0, 3.0]]) * scale));
            let x = a.solve(tape.constant(&(&Tensor::from([5.0, 10.0]) * scale))).value().unwrap();
            assert!((x.get([0]).unwrap() - 1.0).abs() < 1e-14 && (x.get([1]).unwrap() - 2.0).abs() < 1e-14);
            assert!((a.inv().matmul(a).value().unwrap().get([0, 0]).unwrap() - 1.0).abs() < 1e-14);
        }
        // Numbers without a reciprocal.
        let tape = Tape::new();
        let tiny = 5e-324;
        let a = tape.var(&Tensor::from([[0.0, 2.0 * tiny], [4.0 * tiny, 0.0]]));
        let x = a.solve(tape.constant(&Tensor::from([6.0 * tiny, 4.0 * tiny])));
        assert_eq!(x.value().unwrap().to_vec(), [1.0, 3.0]);
    }

    #[test]
    fn right_hand_sides_may_hold_anything() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([[2.0, 0.0], [0.0, 4.0]]));
        let b = tape.var(&Tensor::from([[1.0, 1.0, f64::NAN], [f64::INFINITY, 1.0, 1.0]]));
        let x = a.solve(b).value().unwrap().to_vec();
        assert!(x[3] == f64::INFINITY && x[1] == 0.5 && x[4] == 0.25 && x[2].is_nan(), "{x:?}");
    }
}
