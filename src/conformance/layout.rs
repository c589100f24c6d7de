//! The ways in which an input can lie in memory.

use crate::tensor::{Slice, Tensor};

/// How an input lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    Contiguous,
    Transposed,
    Offset,
    Backwards,
    Broadcast,
}

pub(super) const LAYOUTS: [Layout; 5] =
    [Layout::Contiguous, Layout::Transposed, Layout::Offset, Layout::Backwards, Layout::Broadcast];

impl Layout {
    /// Whether a shape can lie so in a way of its own.
    pub(super) fn suits(self, shape: &[usize]) -> bool {
        match self {
            Layout::Contiguous => true,
            Layout::Transposed => shape.iter().filter(|&&n| n > 1).count() > 1,
            Layout::Offset => !shape.is_empty(),
            Layout::Backwards | Layout::Broadcast => shape.first().is_some_and(|&n| n > 1),
        }
    }

    pub(super) fn lay(self, x: &Tensor<f64>) -> Tensor<f64> {
        let n = x.shape().first().copied().unwrap_or(0);
        let view = match self {
            Layout::Contiguous => Ok(x.clone()),
            Layout::Transposed => x
                .transpose(0, -1)
                .and_then(|x| Tensor::from_slice(&x.to_vec(), x.shape()))
                .and_then(|x| x.transpose(0, -1)),
            Layout::Offset => {
                let mut dims = x.shape().to_vec();
                dims[0] += 3;
                let mut data = vec![9.0; dims[1..].iter().product::<usize>() * 2];
                data.extend(x.iter());
                data.resize(dims.iter().product(), -9.0);
                Tensor::from_slice(&data, dims).and_then(|x| x.slice(0, 2..2 + n as isize))
            }
            Layout::Backwards => x
                .slice(0, Slice::from(..).step(-1))
                .and_then(|x| Tensor::from_slice(&x.to_vec(), x.shape()))
                .and_then(|x| x.slice(0, Slice::from(..).step(-1))),
            Layout::Broadcast => x.slice(0, 0..1).and_then(|first| first.expand(x.shape())),
        };
        view.unwrap()
    }
}
