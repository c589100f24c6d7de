//! Sums of products over named axes, as matrix products.

mod equation;
mod plan;

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{Tape, Var};
use equation::{Equation, Name};
pub use plan::EinsumPlan;

/// A variable whose axes have names.
struct Term<'t, T: Real> {
    var: Var<'t, T>,
    names: Vec<Name>,
}

impl<'t, T: Real> Term<'t, T> {
    fn has(&self, name: Name) -> bool {
        self.names.contains(&name)
    }

    /// Every name once: axes of length 1 that stand for longer ones dropped, axes of one name made their diagonal.
    fn distinct(mut self) -> Term<'t, T> {
        while let Some(axis) = self.names.iter().position(|&name| name == Name::Repeated) {
            self.var = self.var.squeeze(axis as isize);
            self.names.remove(axis);
        }
        let twice = |names: &[Name]| {
            let second = (1..names.len()).find(|&j| names[..j].contains(&names[j]))?;
            Some((names[..second].iter().position(|&name| name == names[second])?, second))
        };
        while let Some((first, second)) = twice(&self.names) {
            self.var = self.var.diagonal(first as isize, second as isize);
            let name = self.names.remove(second);
            self.names.remove(first);
            self.names.push(name);
        }
        self
    }

    /// Summed over the axes that are not kept.
    fn summed(mut self, kept: impl Fn(Name) -> bool) -> Term<'t, T> {
        let gone = self.names.iter().enumerate().filter(|(_, name)| !kept(**name));
        let axes: Vec<isize> = gone.map(|(axis, _)| axis as isize).collect();
        if !axes.is_empty() {
            self.var = self.var.sum_axes(axes);
            self.names.retain(|&name| kept(name));
        }
        self
    }

    /// Its axes in the order of `names`, which has all of them and may have others.
    fn ordered(mut self, names: &[Name]) -> Term<'t, T> {
        let order = names.iter().filter_map(|name| self.names.iter().position(|own| own == name));
        let order: Vec<isize> = order.map(|axis| axis as isize).collect();
        if !order.is_sorted() {
            self.names = order.iter().map(|&axis| self.names[axis as usize]).collect();
            self.var = self.var.permute(order);
        }
        self
    }

    /// The lengths of some of its axes.
    fn lengths(&self, names: &[Name]) -> Result<Vec<usize>> {
        let shape = self.var.try_shape()?;
        let length = |name| self.names.iter().position(|own| own == name).map_or(1, |axis| shape[axis]);
        Ok(names.iter().map(length).collect())
    }

    /// The product with another, whose axes this one has all.
    fn times(self, other: Term<'t, T>) -> Result<Term<'t, T>> {
        let other = other.ordered(&self.names);
        let lead = self.names.iter().take_while(|name| !other.has(**name)).count();
        let shape = Shape::new(other.lengths(&self.names[lead..])?)?;
        Ok(Term { var: self.var * other.var.shaped(&shape), names: self.names })
    }

    /// Multiplied with another and summed over the axes that are not kept: one batched matrix product, with the axes
    /// that both have and that are kept as its batch. What only the left one has are rows; all but the last of them
    /// stand as batch axes, too, which the product folds into its rows where they lie evenly in memory.
    fn contract(
        self,
        other: Term<'t, T>,
        kept: impl Fn(Name) -> bool,
        output: &[Name],
    ) -> Result<Term<'t, T>> {
        let (mine, others) = (self.names.clone(), other.names.clone());
        let a = self.summed(|name| kept(name) || others.contains(&name));
        let b = other.summed(|name| kept(name) || mine.contains(&name));
        let only = |x: &Term<'t, T>, y: &Term<'t, T>| -> Vec<Name> {
            x.names.iter().copied().filter(|&name| !y.has(name)).collect()
        };
        let (rows, cols) = (only(&a, &b), only(&b, &a));
        let shared = a.names.iter().copied().filter(|&name| b.has(name));
        let (batch, inner): (Vec<Name>, Vec<Name>) = shared.partition(|&name| kept(name));
        if inner.is_empty() && cols.is_empty() {
            return a.times(b);
        }
        if inner.is_empty() && rows.is_empty() {
            return b.times(a);
        }
        // What comes first in the output are the rows.
        match output.iter().find(|name| rows.contains(name) || cols.contains(name)) {
            Some(name) if cols.contains(name) => product(b, a, [batch, cols, inner, rows]),
            _ => product(a, b, [batch, rows, inner, cols]),
        }
    }
}

/// `[batch.., rows.., inner..] · [batch.., inner.., cols..]`.
fn product<'t, T: Real>(
    a: Term<'t, T>,
    b: Term<'t, T>,
    [batch, rows, inner, cols]: [Vec<Name>; 4],
) -> Result<Term<'t, T>> {
    // If the two have the inner axes in different orders, one is copied: the smaller.
    let larger = if a.var.try_shape()?.count() >= b.var.try_shape()?.count() { &a } else { &b };
    let inner: Vec<Name> = larger.names.iter().copied().filter(|name| inner.contains(name)).collect();
    let a = a.ordered(&[&batch[..], &rows, &inner].concat());
    let b = b.ordered(&[&batch[..], &inner, &cols].concat());
    let (m, n) = (a.lengths(&rows)?, b.lengths(&cols)?);
    let k: usize = a.lengths(&inner)?.iter().product();
    let lead = a.lengths(&batch)?;
    let (last, upper) = m.split_last().map_or((1, &[][..]), |(&last, upper)| (last, upper));
    let ones = vec![1; if lead.is_empty() { 0 } else { upper.len() }];
    let left = Shape::new([&lead[..], upper, &[last, k]].concat())?;
    let right = Shape::new([&lead[..], &ones, &[k, n.iter().product()]].concat())?;
    let whole = Shape::new([&lead[..], &m, &n].concat())?;
    let y = a.var.shaped(&left).matmul(b.var.shaped(&right)).shaped(&whole);
    Ok(Term { var: y, names: [batch, rows, cols].concat() })
}

impl<T: Real> Tape<T> {
    /// Sums of products over named axes, in Einstein's notation.
    ///
    /// One term of letters for each operand, a letter for each axis, then `->` and the axes of the result. What has
    /// the same letter runs together; a letter that the result lacks is summed over; a letter twice in one term is the
    /// diagonal. `...` covers any number of axes, broadcast against those under the other ellipses. Without `->`
    /// the result has what the ellipses cover, then the letters that are met once, in alphabetical order.
    ///
    /// Operands are combined two at a time, each time by one batched matrix product of views, in the order that takes
    /// the fewest multiplications: [`EinsumPlan`] has it, and prints it.
    ///
    /// # Gradient
    ///
    /// Of every order and in both modes, from the operations it is made of.
    ///
    /// # Errors
    ///
    /// [`Equation`](ErrorKind::Equation), with the position of the character that is wrong;
    /// [`MixedTapes`](ErrorKind::MixedTapes).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let v = tape.var(&Tensor::from([1.0, -1.0]));
    /// assert_eq!(tape.einsum("ij,j->i", &[a, v]).value()?.to_vec(), [-1.0, -1.0]);
    /// assert_eq!(tape.einsum("ii", &[a]).item()?, 5.0);
    /// // A batch of quadratic forms, and its gradient.
    /// let y = tape.einsum("...i,ij,...j->...", &[v, a, v]);
    /// assert_eq!(y.item()?, 0.0);
    /// assert_eq!(y.backward()?.wrt(v)?.to_vec(), [-3.0, -3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum<'t>(&'t self, equation: &str, operands: &[Var<'t, T>]) -> Var<'t, T> {
        self.composed("einsum", || evaluate(self, equation, operands))
    }
}

fn evaluate<'t, T: Real>(tape: &'t Tape<T>, equation: &str, operands: &[Var<'t, T>]) -> Result<Var<'t, T>> {
    let shapes: Vec<Shape> = operands.iter().map(|var| var.try_shape()).collect::<Result<_>>()?;
    if operands.iter().any(|var| !std::ptr::eq(var.tape(), tape)) {
        return Err(ErrorKind::MixedTapes.into());
    }
    let equation = Equation::new(equation, &shapes)?;
    let pairs = plan::pairs(&equation, &shapes);
    let Equation { operands: names, output } = equation;
    let terms = operands.iter().zip(names).map(|(&var, names)| Term { var, names }.distinct());
    let mut terms: Vec<Option<Term<'t, T>>> = terms.map(Some).collect();
    for (left, right) in pairs {
        let [a, b] = [left, right].map(|i| terms[i].take().expect("a plan uses every term once"));
        let kept = |name| output.contains(&name) || terms.iter().flatten().any(|term| term.has(name));
        let y = a.contract(b, kept, &output)?;
        terms.push(Some(y));
    }
    let whole = terms.pop().flatten().expect("the last term is the whole product");
    Ok(whole.summed(|name| output.contains(&name)).ordered(&output).var)
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    macro_rules! equations {
        ($($equation:literal: $($shape:expr),+;)*) => {
            vec![$(sample!(
                concat!("einsum ", $equation),
                shapes(&[&[$(&$shape),+]], -1.0, 1.0),
                |x| x[0].tape().einsum($equation, x)
            )),*]
        };
    }
    let mut samples = equations! {
        "ij,jk->ik": [2, 3], [3, 2];
        "bij,bjk->bki": [2, 2, 3], [2, 3, 2];
        "ikj,kl->ijl": [2, 3, 2], [3, 2];
        "ijk,kj->i": [2, 3, 2], [2, 3];
        "...jk,...k->...j": [3, 2, 2], [3, 2];
        "...jk,...k->...j": [2, 2, 2], [3, 1, 2];
        "...i,ij,...j->...": [2, 3], [3, 3], [2, 3];
        "ii": [3, 3];
        "iij->ji": [2, 2, 3];
        "ij->": [2, 3];
        "i,j": [2], [3];
        ",i->i": [], [3];
        "ij,ij->ij": [2, 3], [2, 3];
        "ij,j,kj->ik": [2, 2], [2], [2, 2];
        "ij,jk->ik": [2, 0], [0, 3];
        "ij,jk,kl,l->i": [4, 2], [2, 4], [4, 2], [2];
    };
    samples.extend([
        wrong!(
            "einsum",
            &[&[2]],
            |x| x[0].tape().einsum("i#->i", x),
            "equation \"i#->i\": unexpected character '#' (at character 1)"
        ),
        wrong!(
            "einsum",
            &[&[2]],
            |x| x[0].tape().einsum("i,j", x),
            "equation \"i,j\": 2 terms for 1 operand (at character 2)"
        ),
        wrong!(
            "einsum",
            &[&[2], &[3]],
            |x| x[0].tape().einsum("i->i", x),
            "equation \"i->i\": 1 term for 2 operands (at character 1)"
        ),
        wrong!(
            "einsum",
            &[&[2]],
            |x| x[0].tape().einsum("i", &[]),
            "equation \"i\": 1 term for 0 operands (at character 0)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ij->iji", x),
            "equation \"ij->iji\": index 'i' is in the output twice (at character 6)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ij->ik", x),
            "equation \"ij->ik\": index 'k' is in no operand (at character 5)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3], &[4, 2]],
            |x| x[0].tape().einsum("ij,jk", x),
            "equation \"ij,jk\": index 'j' has size 4 here and 3 before (at character 3)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ii", x),
            "equation \"ii\": index 'i' has size 3 here and 2 before (at character 1)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ijk->i", x),
            "equation \"ijk->i\": operand 0 of shape [2, 3] has rank 2, wanted 3 (at character 0)"
        ),
        wrong!(
            "einsum",
            &[&[3], &[2]],
            |x| x[0].tape().einsum("i, ...jk", x),
            "equation \"i, ...jk\": operand 1 of shape [2] has rank 1, wanted at least 2 (at character 2)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("..i", x),
            "equation \"..i\": an ellipsis is three dots (at character 0)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("...i...", x),
            "equation \"...i...\": a second ellipsis in one term (at character 4)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3], &[3, 3]],
            |x| x[0].tape().einsum("...i,...i", x),
            "equation \"...i,...i\": the ellipsis covers [3] here and [2] before (at character 5)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ij-i", x),
            "equation \"ij-i\": \"-\" is not followed by \">\" (at character 2)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ij->i->j", x),
            "equation \"ij->i->j\": a second \"->\" (at character 5)"
        ),
        wrong!(
            "einsum",
            &[&[2, 3]],
            |x| x[0].tape().einsum("ij->i,j", x),
            "equation \"ij->i,j\": the output is one term (at character 5)"
        ),
    ]);
    samples
}

#[cfg(test)]
mod tests;
