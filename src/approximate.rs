//! The `approx` crate's comparisons for tensors: equal shapes, and elements close one by one.

use crate::number::Element;
use crate::tensor::Tensor;
use approx::{AbsDiffEq, RelativeEq, UlpsEq};

fn all<E: Element>(a: &Tensor<E>, b: &Tensor<E>, close: impl Fn(&E, &E) -> bool) -> bool {
    a.shape() == b.shape() && a.iter().zip(b).all(|(a, b)| close(&a, &b))
}

impl<E: Element + AbsDiffEq<Epsilon = E>> AbsDiffEq for Tensor<E> {
    type Epsilon = E;
    fn default_epsilon() -> E {
        E::default_epsilon()
    }
    fn abs_diff_eq(&self, other: &Tensor<E>, epsilon: E) -> bool {
        all(self, other, |a, b| a.abs_diff_eq(b, epsilon))
    }
}

impl<E: Element + RelativeEq<Epsilon = E>> RelativeEq for Tensor<E> {
    fn default_max_relative() -> E {
        E::default_max_relative()
    }
    fn relative_eq(&self, other: &Tensor<E>, epsilon: E, max_relative: E) -> bool {
        all(self, other, |a, b| a.relative_eq(b, epsilon, max_relative))
    }
}

impl<E: Element + UlpsEq<Epsilon = E>> UlpsEq for Tensor<E> {
    fn default_max_ulps() -> u32 {
        E::default_max_ulps()
    }
    fn ulps_eq(&self, other: &Tensor<E>, epsilon: E, max_ulps: u32) -> bool {
        all(self, other, |a, b| a.ulps_eq(b, epsilon, max_ulps))
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use approx::{assert_abs_diff_eq, assert_relative_eq, assert_ulps_eq, relative_ne};

    #[test]
    fn tensors_are_compared_shape_and_element() {
        let a = Tensor::from([1.0, 2.0]);
        let b = Tensor::from([1.0 + 1e-12, 2.0]);
        assert_relative_eq!(a, b, max_relative = 1e-11);
        assert!(relative_ne!(a, b, max_relative = 1e-13, epsilon = 0.0));
        assert_abs_diff_eq!(a, b, epsilon = 2e-12);
        assert_ulps_eq!(a, Tensor::from([1.0 + f64::EPSILON, 2.0]), max_ulps = 1);
        assert!(relative_ne!(a, Tensor::from([[1.0, 2.0]]), max_relative = 1.0));
    }
}
