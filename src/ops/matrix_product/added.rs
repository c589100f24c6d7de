//! Products added to something, scaled.

use super::{check, check_batches};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::broadcast;
use crate::tape::Var;

/// `β x + α y`, in the shape of `y`, to which `x` broadcasts; `α y` for a β of 0, whatever x is. No multiplication by 1.
fn blend<'t, T: Real>(
    x: Var<'t, T>,
    beta: f64,
    y: Var<'t, T>,
    alpha: f64,
    shape: &[usize],
) -> Result<Var<'t, T>> {
    let own = x.try_shape()?;
    if broadcast(&own, shape).ok().is_none_or(|whole| whole != *shape) {
        let wrong =
            ErrorKind::Shape { what: "what is added to".into(), found: own.to_vec(), wanted: shape.to_vec() };
        return Err(wrong.into());
    }
    let scaled = |x: Var<'t, T>, by: f64| if by == 1.0 { x } else { x * by };
    Ok(if beta == 0.0 { scaled(y, alpha) } else { scaled(x, beta) + scaled(y, alpha) })
}

impl<'t, T: Real> Var<'t, T> {
    /// `β·self + α·a·b` for matrices `[m, k]` and `[k, n]`; this broadcasts to `[m, n]`.
    ///
    /// With β = 0 this does not count, as in BLAS: not even its NaNs and infinities do.
    ///
    /// # Gradient
    ///
    /// `β g` to this, `α g bᵀ` to a, `α aᵀ g` to b.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`InnerDimension`](ErrorKind::InnerDimension); [`Shape`](ErrorKind::Shape) if this
    /// does not broadcast to the product's shape.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([10.0, 100.0]));
    /// assert_eq!(b.addmm(a, a, 1.0, 2.0).value()?.to_vec(), [24.0, 120.0, 40.0, 144.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addmm(self, a: Var<'t, T>, b: Var<'t, T>, beta: f64, alpha: f64) -> Var<'t, T> {
        self.tape().composed("addmm", || {
            let (sa, sb) = (a.try_shape()?, b.try_shape()?);
            check(&sa, "2", &sb, "2")?;
            blend(self, beta, a.matmul(b), alpha, &[sa[0], sb[1]])
        })
    }

    /// `β·self + α·a·v` for a matrix `[m, k]` and a vector `[k]`; this broadcasts to `[m]`. See [`addmm`](Var::addmm).
    ///
    /// # Errors
    ///
    /// As [`addmm`](Var::addmm).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let v = tape.var(&Tensor::from([1.0, 1.0]));
    /// assert_eq!(v.addmv(a, v, 0.5, 1.0).value()?.to_vec(), [3.5, 7.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addmv(self, a: Var<'t, T>, v: Var<'t, T>, beta: f64, alpha: f64) -> Var<'t, T> {
        self.tape().composed("addmv", || {
            let sa = a.try_shape()?;
            check(&sa, "2", &v.try_shape()?, "1")?;
            blend(self, beta, a.matmul(v), alpha, &sa[..1])
        })
    }

    /// `β·self + α·u vᵀ` for vectors `[m]` and `[n]`; this broadcasts to `[m, n]`. See [`addmm`](Var::addmm).
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::eye(2)?);
    /// let v = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(a.addr(v, v, 1.0, -1.0).value()?.to_vec(), [0.0, -2.0, -2.0, -3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addr(self, u: Var<'t, T>, v: Var<'t, T>, beta: f64, alpha: f64) -> Var<'t, T> {
        self.tape().composed("addr", || {
            let (su, sv) = (u.try_shape()?, v.try_shape()?);
            if let Some(found) = [&su, &sv].into_iter().find(|shape| shape.len() != 1) {
                return Err(ErrorKind::Rank { found: found.to_vec(), wanted: "1" }.into());
            }
            blend(self, beta, u.outer(v), alpha, &[su[0], sv[0]])
        })
    }

    /// `β·self + α·Σᵢ aᵢ·bᵢ` for batches `[b, m, k]` and `[b, k, n]`, summed over the batch; this broadcasts to `[m, n]`.
    /// See [`addmm`](Var::addmm).
    ///
    /// # Errors
    ///
    /// As [`bmm`](Var::bmm); [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[[2.0]], [[3.0]]]));
    /// let x = tape.var(&Tensor::from([[1.0]]));
    /// assert_eq!(x.addbmm(a, a, 1.0, 1.0).item()?, 14.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn addbmm(self, a: Var<'t, T>, b: Var<'t, T>, beta: f64, alpha: f64) -> Var<'t, T> {
        self.tape().composed("addbmm", || {
            let (sa, sb) = (a.try_shape()?, b.try_shape()?);
            check_batches(&sa, &sb)?;
            // The batch and the inner axis together are the inner axis of one product.
            let y = a.tensordot_axes(b, [0, 2], [0, 1]);
            blend(self, beta, y, alpha, &[sa[1], sb[2]])
        })
    }

    /// `β·self + α·aᵢ·bᵢ` for each pair of batches `[b, m, k]` and `[b, k, n]`; this broadcasts to `[b, m, n]`. See
    /// [`addmm`](Var::addmm).
    ///
    /// # Errors
    ///
    /// As [`bmm`](Var::bmm); [`Shape`](ErrorKind::Shape).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[[2.0]], [[3.0]]]));
    /// assert_eq!(a.baddbmm(a, a, -1.0, 1.0).value()?.to_vec(), [2.0, 6.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn baddbmm(self, a: Var<'t, T>, b: Var<'t, T>, beta: f64, alpha: f64) -> Var<'t, T> {
        self.tape().composed("baddbmm", || {
            let (sa, sb) = (a.try_shape()?, b.try_shape()?);
            check_batches(&sa, &sb)?;
            blend(self, beta, a.matmul(b), alpha, &[sa[0], sa[1], sb[2]])
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn of(cases: &[&[&[usize]]]) -> Inputs {
        shapes(cases, -1.0, 1.0)
    }
    let matrices = || {
        of(&[
            &[&[2, 2], &[2, 3], &[3, 2]],
            &[&[], &[2, 3], &[3, 2]],
            &[&[2, 1], &[2, 3], &[3, 2]],
            &[&[3], &[2, 0], &[0, 3]],
        ])
    };
    let batches = || {
        of(&[
            &[&[2, 2], &[3, 2, 3], &[3, 3, 2]],
            &[&[1], &[3, 2, 1], &[3, 1, 2]],
            &[&[], &[2, 2, 0], &[2, 0, 2]],
        ])
    };
    vec![
        sample!("addmm", matrices(), |x| x[0].addmm(x[1], x[2], 1.0, 1.0)),
        sample!("addmm scaled", matrices(), |x| x[0].addmm(x[1], x[2], 0.5, -2.0)),
        sample!("addmm of nothing", matrices(), |x| x[0].addmm(x[1], x[2], 0.0, 1.0)),
        sample!("addmv", of(&[&[&[2], &[2, 3], &[3]], &[&[], &[2, 3], &[3]]]), |x| x[0]
            .addmv(x[1], x[2], 0.5, -2.0)),
        sample!("addr", of(&[&[&[2, 3], &[2], &[3]], &[&[3], &[2], &[3]], &[&[], &[2], &[0]]]), |x| x[0]
            .addr(x[1], x[2], 0.5, -2.0)),
        sample!("addbmm", batches(), |x| x[0].addbmm(x[1], x[2], 0.5, -2.0)),
        sample!(
            "baddbmm",
            of(&[
                &[&[3, 2, 2], &[3, 2, 3], &[3, 3, 2]],
                &[&[1, 2], &[3, 2, 1], &[3, 1, 2]],
                &[&[], &[0, 2, 1], &[0, 1, 2]]
            ]),
            |x| { x[0].baddbmm(x[1], x[2], 0.5, -2.0) }
        ),
        wrong!(
            "addmm",
            &[&[3], &[2, 3], &[3, 2]],
            |x| x[0].addmm(x[1], x[2], 1.0, 1.0),
            "what is added to has shape [3], wanted [2, 2]"
        ),
        wrong!(
            "addmm",
            &[&[1, 2, 2], &[2, 3], &[3, 2]],
            |x| x[0].addmm(x[1], x[2], 1.0, 1.0),
            "what is added to has shape [1, 2, 2], wanted [2, 2]"
        ),
        wrong!(
            "addmm",
            &[&[2], &[2, 3], &[2, 3]],
            |x| x[0].addmm(x[1], x[2], 1.0, 1.0),
            "shapes [2, 3] and [2, 3] do not agree in the inner dimension (3 and 2)"
        ),
        wrong!(
            "addmv",
            &[&[2], &[2, 3], &[3, 1]],
            |x| x[0].addmv(x[1], x[2], 1.0, 1.0),
            "shape [3, 1] has rank 2, wanted 1"
        ),
        wrong!(
            "addr",
            &[&[2], &[2], &[1, 3]],
            |x| x[0].addr(x[1], x[2], 1.0, 1.0),
            "shape [1, 3] has rank 2, wanted 1"
        ),
        wrong!(
            "addr",
            &[&[3, 3], &[2], &[3]],
            |x| x[0].addr(x[1], x[2], 1.0, 1.0),
            "what is added to has shape [3, 3], wanted [2, 3]"
        ),
        wrong!(
            "addbmm",
            &[&[2, 2], &[1, 2, 3], &[2, 3, 2]],
            |x| x[0].addbmm(x[1], x[2], 1.0, 1.0),
            "shapes [1, 2, 3] and [2, 3, 2] do not broadcast"
        ),
        wrong!(
            "addbmm",
            &[&[3, 2, 2], &[3, 2, 3], &[3, 3, 2]],
            |x| x[0].addbmm(x[1], x[2], 1.0, 1.0),
            "what is added to has shape [3, 2, 2], wanted [2, 2]"
        ),
        wrong!(
            "baddbmm",
            &[&[2, 2], &[2, 3], &[3, 2]],
            |x| x[0].baddbmm(x[1], x[2], 1.0, 1.0),
            "shape [2, 3] has rank 2, wanted 3"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn with_a_beta_of_zero_what_is_added_to_does_not_count() {
        let tape = Tape::<f64>::new();
        let nan = tape.var(&Tensor::full([2, 2], f64::NAN).unwrap());
        let a = tape.var(&Tensor::eye(2).unwrap());
        let y = nan.addmm(a, a, 0.0, 3.0);
        assert_eq!(y.value().unwrap().to_vec(), [3.0, 0.0, 0.0, 3.0]);
        assert_eq!(y.sum().backward().unwrap().wrt(nan).unwrap().to_vec(), [0.0; 4]);
        assert!(nan.addmm(a, a, 1.0, 0.0).value().unwrap().iter().all(f64::is_nan));
    }
}
