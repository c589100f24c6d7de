//! Gradients cut to size before a step.

use super::{named, not_negative};
use crate::error::Result;
use crate::kernels::reduce::dot;
use crate::number::Real;
use crate::tensor::Tensor;
use std::panic::Location;

/// Below this the squares of single precision may have lost digits.
const SMALL: f64 = 1e-30;

/// √(Σ x²) of all elements of all tensors.
fn norm<T: Real>(tensors: &[&mut Tensor<T>]) -> Result<f64> {
    let mut dense = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        dense.push(tensor.contiguous()?);
    }
    let slices = || dense.iter().map(|tensor| tensor.as_slice().expect("made contiguous above"));
    let square: f64 = slices().map(|x| dot(x, x).to_f64()).sum();
    if square.is_finite() && square > SMALL {
        return Ok(square.sqrt());
    }
    // Relative to a largest one, so that no square leaves the range.
    let all = || slices().flatten().map(|x| x.to_f64().abs());
    let largest = all().fold(0.0, |most: f64, x| if x > most || x.is_nan() { x } else { most });
    if largest == 0.0 || !largest.is_finite() {
        return Ok(if all().any(f64::is_nan) { f64::NAN } else { largest });
    }
    Ok(largest * all().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt())
}

/// Scales gradients so that their norm, over all elements of all of them, is at most `most`, and gives the norm that they
/// had: `g ← g · most/‖g‖` if `‖g‖` is larger.
///
/// A norm that is NaN or infinite is given back, and the gradients stay as they are: a NaN is neither hidden nor spread.
///
/// # Errors
///
/// [`Argument`](crate::ErrorKind::Argument) unless `most` is finite and at least 0;
/// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
///
/// ```
/// use retrograde::{Tape, Tensor, optim::clip_norm};
///
/// let tape = Tape::<f64>::new();
/// let (x, y) = (tape.var(&Tensor::from([3.0, 0.0])), tape.var(&Tensor::scalar(4.0)));
/// let mut grads = ((x * x).sum() + y * y).backward()?;
/// assert_eq!(clip_norm(grads.iter_mut(), 1.0)?, 10.0);
/// assert!((grads.wrt(x)?[[0]] - 0.6).abs() < 1e-15 && (grads.wrt(y)?.item()? - 0.8).abs() < 1e-15);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "clip_grad_norm_")]
#[track_caller]
pub fn clip_norm<'g, T: Real>(
    gradients: impl IntoIterator<Item = &'g mut Tensor<T>>,
    most: f64,
) -> Result<f64> {
    let line = Location::caller();
    let run = || {
        not_negative("most", most)?;
        let mut gradients: Vec<_> = gradients.into_iter().collect();
        let norm = norm(&gradients)?;
        if norm > most && norm.is_finite() {
            let factor = T::from_f64(most / norm);
            for gradient in &mut gradients {
                gradient.as_mut_slice()?.iter_mut().for_each(|x| *x *= factor);
            }
        }
        Ok(norm)
    };
    run().map_err(named("clip_norm", line))
}

/// Cuts every element of gradients to `[−most, most]`, and gives the norm that they had, over all elements of all of
/// them. A NaN stays, and makes the norm NaN; an infinity is cut.
///
/// # Errors
///
/// As [`clip_norm`].
///
/// ```
/// use retrograde::{Tensor, optim::clip_value};
///
/// let mut gradients = [Tensor::from([3.0, -0.5]), Tensor::from([-4.0])];
/// clip_value(&mut gradients, 1.0)?;
/// assert_eq!(gradients.map(|g| g.to_vec()), [vec![1.0, -0.5], vec![-1.0]]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[doc(alias = "clip_grad_value_")]
#[track_caller]
pub fn clip_value<'g, T: Real>(
    gradients: impl IntoIterator<Item = &'g mut Tensor<T>>,
    most: f64,
) -> Result<f64> {
    let line = Location::caller();
    let run = || {
        not_negative("most", most)?;
        let mut gradients: Vec<_> = gradients.into_iter().collect();
        let (norm, most) = (norm(&gradients)?, T::from_f64(most));
        for gradient in &mut gradients {
            for x in gradient.as_mut_slice()? {
                *x = if *x > most {
                    most
                } else if *x < -most {
                    -most
                } else {
                    *x
                };
            }
        }
        Ok(norm)
    };
    run().map_err(named("clip_value", line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_enough_stays() {
        let mut g = [Tensor::from([0.3, 0.0]), Tensor::from([-0.4])];
        let before = g.clone();
        assert_eq!(clip_norm(&mut g, 0.5).unwrap(), 0.5);
        assert_eq!(g, before);
        assert!((clip_value(&mut g, 0.4).unwrap() - 0.5).abs() < 1e-16);
        assert_eq!(g, before);
        assert_eq!(clip_norm(&mut g, 0.0).unwrap(), 0.5);
        assert_eq!(g.map(|g| g.to_vec()), [vec![0.0, 0.0], vec![0.0]]);
        assert_eq!(clip_norm(&mut Vec::<Tensor<f64>>::new(), 1.0).unwrap(), 0.0);
    }

    #[test]
    fn nothing_hides_a_nan() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut g = [Tensor::from([2.0, bad, 1.0])];
            let norm = clip_norm(&mut g, 1.0).unwrap();
            assert!(norm.is_nan() == bad.is_nan() && !norm.is_finite() && norm != f64::NEG_INFINITY);
            assert_eq!((g[0][[0]], g[0][[2]]), (2.0, 1.0));
            let norm = clip_value(&mut g, 1.0).unwrap();
            assert!(norm.is_nan() == bad.is_nan());
            assert_eq!(g[0][[0]], 1.0);
            assert!(if bad.is_nan() { g[0][[1]].is_nan() } else { g[0][[1]] == bad.signum() });
        }
        let mut g = [Tensor::from([f64::INFINITY, f64::NAN])];
        assert!(clip_norm(&mut g, 1.0).unwrap().is_nan());
    }

    #[test]
    fn norms_do_not_leave_the_range() {
        let mut g = [Tensor::from([3e200_f64, 4e200])];
        assert!((clip_norm(&mut g, 5.0).unwrap() / 5e200 - 1.0).abs() < 1e-15);
        assert!((g[0][[1]] - 4.0).abs() < 1e-15);
        let mut g = [Tensor::from([3e-200_f64, 4e-200])];
        assert!((clip_norm(&mut g, 1e-200).unwrap() / 5e-200 - 1.0).abs() < 1e-15);
        assert!((g[0][[1]] / 0.8e-200 - 1.0).abs() < 1e-15);
        let mut g = [Tensor::from([3e30f32, 4e30])];
        assert!((clip_norm(&mut g, 5.0).unwrap() / 5e30 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn views_are_written_too_and_bounds_are_checked() {
        let mut g =
            [Tensor::scalar(1.0).expand([4]).unwrap(), Tensor::from([[1.0, 2.0]]).transpose(0, 1).unwrap()];
        assert_eq!(clip_norm(&mut g, 1.5).unwrap(), 3.0);
        assert_eq!([g[0].to_vec(), g[1].to_vec()], [vec![0.5; 4], vec![0.5, 1.0]]);
        for most in [-1.0, f64::NAN, f64::INFINITY] {
            let error = clip_norm(&mut g, most).unwrap_err();
            assert_eq!(
                error.kind().to_string(),
                format!("most is {most}, wanted a finite number, at least 0")
            );
            assert_eq!(error.operation(), Some("clip_norm"));
            assert_eq!(clip_value(&mut g, most).unwrap_err().operation(), Some("clip_value"));
        }
    }
}
