//! The axes of attention's operands, brought together.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::{Shape, broadcast, matrices};
use crate::tape::Var;

/// Queries, keys and values with one batch and one number of heads, and the axes of the result in front.
pub(super) struct Fitted<'t, T: Real> {
    pub(super) q: Var<'t, T>,
    pub(super) k: Var<'t, T>,
    pub(super) v: Option<Var<'t, T>>,
    lead: Shape,
    repeats: usize,
}

fn split(shape: &[usize]) -> Result<(&[usize], [usize; 2])> {
    matrices(shape).map(|(lead, rows, width)| (lead, [rows, width]))
}

/// The axes in front brought together, and the repeats split off.
pub(super) fn fit<'t, T: Real>(
    q: Var<'t, T>,
    k: Var<'t, T>,
    v: Option<Var<'t, T>>,
    grouped: bool,
) -> Result<Fitted<'t, T>> {
    let (own, keys) = (q.try_shape()?, k.try_shape()?);
    let ((q_lead, [rows, width]), (k_lead, [n, k_width])) = (split(&own)?, split(&keys)?);
    if width != k_width {
        let right = [k_lead, &[k_width, n]].concat();
        return Err(ErrorKind::InnerDimension { left: own.to_vec(), right }.into());
    }
    let (mut q_lead, mut repeats) = (q_lead.to_vec(), 1);
    if let (true, Some(&heads), Some(mine)) = (grouped, k_lead.last(), q_lead.last_mut())
        && heads != *mine
    {
        if heads == 0 || *mine % heads != 0 {
            return argument(
                "the number of heads",
                mine,
                format!("a multiple of {heads}, the number of heads of the keys"),
            );
        }
        repeats = *mine / heads;
        *mine = heads;
    }
    let mut lead = broadcast(&q_lead, k_lead)?;
    let values = v.map(|v| v.try_shape()).transpose()?;
    if let Some(values) = &values {
        let (v_lead, [m, depth]) = split(values)?;
        lead = broadcast(&lead, v_lead)?;
        if m != n {
            let wanted = [v_lead, &[n, depth]].concat();
            return Err(ErrorKind::Shape { what: "the value".into(), found: values.to_vec(), wanted }.into());
        }
    }
    let with = |last: &[usize]| Shape::new([&lead[..], last].concat());
    let q = q.reshape(Shape::new([&q_lead[..], &[repeats, rows, width]].concat())?);
    let q = q.expand(with(&[repeats, rows, width])?);
    let k = k.expand(with(&[n, width])?);
    let v = match (v, values) {
        (Some(v), Some(values)) => Some(v.expand(with(&[n, values[values.len() - 1]])?)),
        _ => None,
    };
    Ok(Fitted { q, k, v, lead, repeats })
}

impl<'t, T: Real> Fitted<'t, T> {
    /// The axes in front as they were, heads with repeats, and two more.
    pub(super) fn outside(&self, last: [usize; 2]) -> Result<Shape> {
        let mut dims = self.lead.to_vec();
        if let Some(heads) = dims.last_mut() {
            *heads *= self.repeats;
        }
        dims.extend(last);
        Shape::new(dims)
    }

    /// A mask that broadcasts to the scores outside, as one that broadcasts to them with repeats.
    pub(super) fn inside(&self, mask: Var<'t, T>, [rows, keys]: [usize; 2]) -> Result<Var<'t, T>> {
        let (own, scores) = (mask.try_shape()?, self.outside([rows, keys])?);
        if broadcast(&own, &scores)? != scores {
            return Err(ErrorKind::Broadcast { left: own.to_vec(), right: scores.to_vec() }.into());
        }
        let mut dims = vec![1; scores.len().saturating_sub(own.len())];
        dims.extend_from_slice(&own);
        let at = dims.len() - 2;
        match dims[..at].last() {
            Some(&heads) if heads > 1 => {
                dims[at - 1] = heads / self.repeats;
                dims.insert(at, self.repeats);
            }
            _ => dims.insert(at, 1),
        }
        Ok(mask.reshape(Shape::new(dims)?))
    }
}
