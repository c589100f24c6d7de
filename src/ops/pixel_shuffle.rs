//! Channels and pixels exchanged.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::tape::Var;

/// The batch axes, the channels, the height and the width.
fn image(shape: &[usize]) -> Result<(&[usize], [usize; 3])> {
    match shape {
        [batch @ .., c, h, w] => Ok((batch, [*c, *h, *w])),
        _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 3" }.into()),
    }
}

fn positive(name: &'static str, factor: usize) -> Result<usize> {
    if factor == 0 { argument(name, 0, "at least 1") } else { Ok(factor) }
}

/// `n/by`, which must be whole.
fn divided(name: &'static str, n: usize, by: usize) -> Result<usize> {
    if n.is_multiple_of(by) { Ok(n / by) } else { argument(name, n, format!("a multiple of {by}")) }
}

impl<'t, T: Real> Var<'t, T> {
    /// Each `factor²` channels put side by side as one channel of an image `factor` times as high and wide:
    /// `[.., c·factor², h, w]` becomes `[.., c, h·factor, w·factor]`.
    ///
    /// # Gradient
    ///
    /// The cotangents back in their channels.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`Argument`](ErrorKind::Argument) for a factor of 0, and for a number of channels that is no
    /// multiple of its square.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]));
    /// assert_eq!(x.pixel_shuffle(2).value()?, Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "depth_to_space")]
    #[track_caller]
    pub fn pixel_shuffle(self, factor: usize) -> Var<'t, T> {
        self.tape().composed("pixel_shuffle", || {
            let shape = self.try_shape()?;
            let (batch, [c, h, w]) = image(&shape)?;
            let r = positive("the factor", factor)?;
            let Some(square) = r.checked_mul(r) else {
                return argument("the factor", r, "one whose square divides the number of channels");
            };
            let c = divided("the number of channels", c, square)?;
            let n = batch.len() as isize;
            let order: Vec<isize> = (0..n).chain([0, 3, 1, 4, 2].map(|axis| n + axis)).collect();
            let whole = self.reshape([batch, &[c, r, r, h, w]].concat()).permute(order);
            Ok(whole.reshape([batch, &[c, h * r, w * r]].concat()))
        })
    }

    /// The inverse of [`pixel_shuffle`](Var::pixel_shuffle): `[.., c, h·factor, w·factor]` becomes `[.., c·factor², h, w]`.
    ///
    /// # Gradient
    ///
    /// The cotangents back in their places.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank); [`Argument`](ErrorKind::Argument) for a factor of 0, and for a height or width that is no
    /// multiple of it.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
    /// let y = x.pixel_unshuffle(2);
    /// assert_eq!(y.value()?, Tensor::from([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "space_to_depth")]
    #[track_caller]
    pub fn pixel_unshuffle(self, factor: usize) -> Var<'t, T> {
        self.tape().composed("pixel_unshuffle", || {
            let shape = self.try_shape()?;
            let (batch, [c, h, w]) = image(&shape)?;
            let r = positive("the factor", factor)?;
            let (h, w) = (divided("the height", h, r)?, divided("the width", w, r)?);
            let n = batch.len() as isize;
            let order: Vec<isize> = (0..n).chain([0, 2, 4, 1, 3].map(|axis| n + axis)).collect();
            let apart = self.reshape([batch, &[c, h, r, w, r]].concat()).permute(order);
            // An image without pixels may have any factor; the number of its channels must be one that there is.
            let channels = c.checked_mul(r).and_then(|n| n.checked_mul(r)).unwrap_or(usize::MAX);
            Ok(apart.reshape([batch, &[channels, h, w]].concat()))
        })
    }

    /// Channels in another order: those of `groups` groups, one of each in turn. Channels are on the second axis.
    ///
    /// # Gradient
    ///
    /// The cotangents in the order before.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) below 3; [`Argument`](ErrorKind::Argument) for 0 groups, and for a number of channels that is no
    /// multiple of them.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[[1.0], [2.0], [3.0], [4.0]]]));
    /// assert_eq!(x.channel_shuffle(2).value()?.to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn channel_shuffle(self, groups: usize) -> Var<'t, T> {
        self.tape().composed("channel_shuffle", || {
            let shape = self.try_shape()?;
            let [n, c, rest @ ..] = &shape[..] else {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 3" }.into());
            };
            if rest.is_empty() {
                return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 3" }.into());
            }
            let groups = positive("the number of groups", groups)?;
            let each = divided("the number of channels", *c, groups)?;
            let apart = self.reshape([&[*n, groups, each], rest].concat());
            Ok(apart.transpose(1, 2).reshape(&shape))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let one = || shapes(&[&[&[8, 2, 3]], &[&[2, 4, 1, 2]], &[&[0, 4, 2, 2]], &[&[4, 0, 2]]], -1.0, 1.0);
    let more = || shapes(&[&[&[2, 4, 6]], &[&[1, 2, 2, 2, 4]], &[&[1, 0, 2]]], -1.0, 1.0);
    vec![
        sample!("pixel_shuffle", one(), |x| x[0].pixel_shuffle(2).cumsum(-1).square()),
        sample!("pixel_unshuffle", more(), |x| x[0].pixel_unshuffle(2).cumsum(-3).square()),
        sample!(
            "channel_shuffle",
            shapes(&[&[&[2, 6, 2]], &[&[1, 3, 1, 2]], &[&[0, 3, 1]]], -1.0, 1.0),
            |x| { x[0].channel_shuffle(3).cumsum(1).square() }
        ),
        wrong!(
            "pixel_shuffle",
            &[&[4, 2]],
            |x| x[0].pixel_shuffle(2),
            "shape [4, 2] has rank 2, wanted at least 3"
        ),
        wrong!(
            "pixel_shuffle",
            &[&[4, 1, 1]],
            |x| x[0].pixel_shuffle(0),
            "the factor is 0, wanted at least 1"
        ),
        wrong!(
            "pixel_shuffle",
            &[&[6, 1, 1]],
            |x| x[0].pixel_shuffle(2),
            "the number of channels is 6, wanted a multiple of 4"
        ),
        wrong!(
            "pixel_shuffle",
            &[&[6, 1, 1]],
            |x| x[0].pixel_shuffle(usize::MAX),
            "the factor is 18446744073709551615, wanted one whose square divides the number of channels"
        ),
        wrong!(
            "pixel_unshuffle",
            &[&[1, 3, 2]],
            |x| x[0].pixel_unshuffle(2),
            "the height is 3, wanted a multiple of 2"
        ),
        wrong!(
            "pixel_unshuffle",
            &[&[1, 2, 3]],
            |x| x[0].pixel_unshuffle(2),
            "the width is 3, wanted a multiple of 2"
        ),
        wrong!(
            "channel_shuffle",
            &[&[1, 3, 3]],
            |x| x[0].channel_shuffle(2),
            "the number of channels is 3, wanted a multiple of 2"
        ),
        wrong!(
            "channel_shuffle",
            &[&[1, 3]],
            |x| x[0].channel_shuffle(3),
            "shape [1, 3] has rank 2, wanted at least 3"
        ),
        wrong!(
            "channel_shuffle",
            &[&[3]],
            |x| x[0].channel_shuffle(3),
            "shape [3] has rank 1, wanted at least 3"
        ),
        wrong!(
            "channel_shuffle",
            &[&[1, 3, 1]],
            |x| x[0].channel_shuffle(0),
            "the number of groups is 0, wanted at least 1"
        ),
    ]
}
