//! The piecewise linear and quadratic stand-ins for smooth activations. At a bend the derivative is 0, but
//! hardswish's at 3, which is 1.

use super::activation::Hardtanh;
use super::elementwise::unary;
use super::guard::nan_of;

unary! {
    /// `(x + 3)/6` cut to [0, 1], element by element.
    ///
    /// # Gradient
    ///
    /// 1/6 between −3 and 3, else 0; 0 at ±3.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-3.0, 0.0, 9.0]));
    /// assert_eq!(x.hardsigmoid().value()?.to_vec(), [0.0, 0.5, 1.0]);
    /// assert_eq!(x.hardsigmoid().sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0 / 6.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Hardsigmoid hardsigmoid |x, y| {
        let (three, six) = (x.lit(3.0), x.lit(6.0));
        Hardtanh { min: 0.0, max: 1.0 }.f((x + three) / six)
    }, {
        let (three, sixth) = (x.lit(3.0), x.lit(1.0 / 6.0));
        N::select(x.greater(-three) & x.less(three), sixth, x.lit(0.0)) + nan_of(x)
    }; unary(-5.0, 5.0).avoid(&[-3.0, 3.0]);
    /// `x (x + 3)/6` between −3 and 3, 0 below and `x` above, element by element.
    ///
    /// # Gradient
    ///
    /// `(2x + 3)/6` between −3 and 3, 0 below and 1 above; 0 at −3, 1 at 3. The second derivative at ±3 is 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, -3.0, 1.0, 3.0]));
    /// assert_eq!(x.hardswish().value()?.to_vec(), [0.0, 0.0, 4.0 / 6.0, 3.0]);
    /// assert_eq!(x.hardswish().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 5.0 / 6.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Hardswish hardswish |x, y| {
        let (three, six) = (x.lit(3.0), x.lit(6.0));
        let inside = x * (x + three) / six;
        N::select(x.less_equal(-three), x.lit(0.0), N::select(x.greater_equal(three), x, inside))
    }, {
        let (three, six) = (x.lit(3.0), x.lit(6.0));
        let inside = (x + x + three) / six;
        let upper = N::select(x.greater_equal(three), x.lit(1.0), inside);
        N::select(x.less_equal(-three), x.lit(0.0), upper) + nan_of(x)
    }; unary(-5.0, 5.0).avoid(&[-3.0, 3.0]);
    /// `x` cut to [0, 6], element by element.
    ///
    /// # Gradient
    ///
    /// 1 between 0 and 6, else 0; 0 at 0 and at 6.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0, 9.0]));
    /// assert_eq!(x.relu6().value()?.to_vec(), [0.0, 2.0, 6.0]);
    /// assert_eq!(x.relu6().sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    Relu6 relu6 |x, y| Hardtanh { min: 0.0, max: 6.0 }.f(x), Hardtanh { min: 0.0, max: 6.0 }.df(x, y);
        unary(-4.0, 9.0).avoid(&[0.0, 6.0]);
}
