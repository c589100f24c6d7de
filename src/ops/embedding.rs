//! Rows of a table by index, one by one or combined in bags.

use super::Combine;
use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::{Places, Tensor, checked};

/// How [`embedding_bag`](Var::embedding_bag) takes its indices.
#[derive(Clone, Copy)]
pub struct Bags<'t, 'a, T: Real> {
    /// Where each bag begins in a list of indices; not given, the rows of a matrix of indices are the bags.
    pub offsets: Option<&'a Tensor<i64>>,
    /// A factor for each index, for sums.
    pub weights: Option<Var<'t, T>>,
    /// A row that is in no bag; negative ones count from the end.
    pub padding: Option<i64>,
}

impl<T: Real> Default for Bags<'_, '_, T> {
    fn default() -> Self {
        Bags { offsets: None, weights: None, padding: None }
    }
}

/// The rows and the width of a table.
fn sizes(shape: &[usize]) -> Result<[usize; 2]> {
    match *shape {
        [rows, width] => Ok([rows, width]),
        _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2" }.into()),
    }
}

/// A row that is named, counted from the front.
fn row(index: Option<i64>, size: usize) -> Result<Option<i64>> {
    let Some(index) = index else { return Ok(None) };
    let found = checked(&Tensor::scalar(index), 0, size)?;
    found.item().map(Some)
}

/// For each index the bag that it is in.
fn bags(offsets: &Tensor<i64>, n: usize) -> Result<Vec<i64>> {
    if offsets.rank() != 1 {
        return Err(ErrorKind::Rank { found: offsets.shape().to_vec(), wanted: "1 of the offsets" }.into());
    }
    let offsets = offsets.to_vec();
    let wrong = |found: i64, wanted: String| -> Result<Vec<i64>> {
        Err(ErrorKind::Argument { name: "an offset", found: found.to_string(), wanted }.into())
    };
    match offsets.first() {
        None if n > 0 => {
            return argument("the number of offsets", "0", "at least 1, before all indices");
        }
        Some(&first) if first != 0 => return wrong(first, "0 for the first bag".into()),
        _ => {}
    }
    let mut found = vec![0; n];
    for (bag, pair) in offsets.windows(2).enumerate() {
        if pair[1] < pair[0] || pair[1] > n as i64 {
            return wrong(pair[1], format!("one from {} to {n}", pair[0]));
        }
        found[pair[0] as usize..pair[1] as usize].fill(bag as i64);
    }
    if let Some(&last) = offsets.last() {
        found[last as usize..].fill(offsets.len() as i64 - 1);
    }
    Ok(found)
}

impl<'t, T: Real> Var<'t, T> {
    /// The rows of this table, `[rows, width]`, at the indices: their shape and `[width]`. Negative indices count from the
    /// end. The row `padding`, if one is given, does not learn.
    ///
    /// PyTorch's `max_norm` changes the table in place, which nothing does here: see [`renorm`](Var::renorm).
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where a row was put; 0 for the others and for the row `padding`, also in
    /// forward mode. Only the rows that were taken are added to.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) if this is no matrix; [`Index`](ErrorKind::Index) for the indices and the padding.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let table = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let y = table.embedding(&Tensor::from([2, 0, 2]), 0);
    /// assert_eq!(y.value()?.to_vec(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    /// assert_eq!(y.sum().backward()?.wrt(table)?.to_vec(), [0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn embedding(self, indices: &Tensor<i64>, padding: impl Into<Option<i64>>) -> Var<'t, T> {
        let padding = padding.into();
        self.tape().composed("embedding", || {
            let shape = self.try_shape()?;
            let [rows, _] = sizes(&shape)?;
            let padding = row(padding, rows)?;
            let y = self.picked("embedding", Places::whole(&shape, 0, indices)?);
            let Some(padding) = padding else { return Ok(y) };
            let learns = checked(indices, 0, rows)?
                .map(|index| if index == padding { T::ZERO } else { T::ONE })?
                .unsqueeze(-1)?;
            Ok(Var::where_(self.tape().constant(&learns), y, y.detach()))
        })
    }

    /// The rows of this table, `[rows, width]`, at the indices of each bag, combined: `[bags, width]`. The bags are the rows of
    /// a matrix of indices, or begin at the offsets in a list of them, the last one reaching to its end. (PyTorch's
    /// `include_last_offset` is an offset more, to be left away.) A bag without indices, those of the padding not counted,
    /// gives 0.
    ///
    /// # Gradient
    ///
    /// To the rows taken and to the factors of a sum. A maximum that several rows of a bag share is shared evenly.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) if this is no matrix, or the indices are no list beside offsets and no matrix without;
    /// [`Index`](ErrorKind::Index) for the indices and the padding; [`Shape`](ErrorKind::Shape) for the factors, which have
    /// the indices' shape; [`Argument`](ErrorKind::Argument) for factors of what is no sum, and for offsets that do not begin at
    /// 0 or descend.
    ///
    /// ```
    /// use retrograde::{Bags, Combine, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let table = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let (indices, offsets) = (Tensor::from([0, 2, 2, 1]), Tensor::from([0, 2, 2]));
    /// let bags = Bags { offsets: Some(&offsets), ..Default::default() };
    /// let y = table.embedding_bag(&indices, Combine::Mean, bags);
    /// assert_eq!(y.value()?.to_vec(), [3.0, 4.0, 0.0, 0.0, 4.0, 5.0]);
    /// assert_eq!(y.sum().backward()?.wrt(table)?.to_vec(), [0.5, 0.5, 0.5, 0.5, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn embedding_bag(self, indices: &Tensor<i64>, how: Combine, options: Bags<'t, '_, T>) -> Var<'t, T> {
        self.tape().composed("embedding_bag", || {
            let [rows, width] = sizes(&self.try_shape()?)?;
            let padding = row(options.padding, rows)?;
            let (ids, count) = match (options.offsets, indices.shape()) {
                (Some(offsets), &[n]) => (bags(offsets, n)?, offsets.len()),
                (None, &[bags, n]) => ((0..bags as i64).flat_map(|bag| vec![bag; n]).collect(), bags),
                (given, shape) => {
                    let wanted = if given.is_some() {
                        "1 of the indices beside offsets"
                    } else {
                        "2 of the indices without offsets"
                    };
                    return Err(ErrorKind::Rank { found: shape.to_vec(), wanted }.into());
                }
            };
            let taken = checked(indices, 0, rows)?.to_vec();
            let kept: Vec<i64> =
                (0..taken.len() as i64).filter(|i| Some(taken[*i as usize]) != padding).collect();
            let at = |of: &[i64]| -> Tensor<i64> { kept.iter().map(|i| of[*i as usize]).collect() };
            let (own, ids) = (at(&taken), at(&ids));
            let mut x = self.picked("embedding", Places::whole(&Shape::new([rows, width])?, 0, &own)?);
            if let Some(weights) = options.weights {
                if how != Combine::Sum {
                    return argument("the combination", format!("{how:?}"), "Sum, where factors are given");
                }
                let shape = weights.try_shape()?;
                same("the list of factors", &shape, indices.shape())?;
                let kept: Tensor<i64> = kept.iter().copied().collect();
                x = x * weights.take(&kept).unsqueeze(-1);
            }
            let mut sizes = vec![0.0; count];
            ids.iter().for_each(|bag| sizes[bag as usize] += 1.0);
            let column = |f: &dyn Fn(f64) -> f64| {
                Tensor::from_iter_in(sizes.iter().map(|n| T::from_f64(f(*n))), [count, 1])
            };
            Ok(match how {
                Combine::Sum => x.segment_sum(&ids, count),
                Combine::Mean => x.segment_sum(&ids, count) / self.tape().constant(&column(&|n| n.max(1.0))?),
                _ => {
                    let combined = match how {
                        Combine::Max => x.segment_max(&ids, count),
                        Combine::Min => x.segment_min(&ids, count),
                        _ => x.segment_prod(&ids, count),
                    };
                    Var::where_(self.tape().constant(&column(&|n| n)?), combined, self.constant(0.0))
                }
            })
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{Inputs, sample, shapes, wrong};
    fn tables() -> Inputs {
        shapes(&[&[&[5, 3]], &[&[5, 1]], &[&[5, 0]]], -2.0, 2.0)
    }
    fn with_factors() -> Inputs {
        shapes(&[&[&[5, 3], &[6]], &[&[5, 1], &[6]]], -2.0, 2.0)
    }
    fn some() -> Tensor<i64> {
        Tensor::from([3, 0, 3, -1, 2, 1])
    }
    fn matrix() -> Tensor<i64> {
        Tensor::from([[3, 0, 3], [4, 2, 1]])
    }
    fn at<'t, T: Real>(offsets: &Tensor<i64>) -> Bags<'t, '_, T> {
        Bags { offsets: Some(offsets), ..Default::default() }
    }
    fn without<'t, 'a, T: Real>(padding: i64) -> Bags<'t, 'a, T> {
        Bags { padding: Some(padding), ..Default::default() }
    }
    vec![
        sample!("embedding", tables(), |x| x[0].embedding(&matrix(), None).square()),
        sample!("embedding of one", tables(), |x| x[0].embedding(&Tensor::scalar(-2), None).square()),
        sample!("embedding of none", tables(), |x| x[0]
            .embedding(&Tensor::full([2, 0], 0).unwrap(), None)
            .square()),
        // What does not learn is not taken: differences know nothing of it.
        sample!("embedding beside its padding", tables(), |x| x[0]
            .embedding(&some(), 4)
            .slice(0, ..3)
            .square()),
        sample!("embedding_bag", tables(), |x| x[0]
            .embedding_bag(&some(), Combine::Sum, at(&Tensor::from([0, 2, 2])))
            .square()),
        sample!("embedding_bag of rows", tables(), |x| x[0]
            .embedding_bag(&matrix(), Combine::Mean, without(3))
            .square()),
        sample!("embedding_bag of products", tables(), |x| x[0].embedding_bag(
            &matrix(),
            Combine::Prod,
            without(2)
        )),
        sample!("embedding_bag of the largest", tables().distinct(), |x| x[0]
            .embedding_bag(&some(), Combine::Max, at(&Tensor::from([0, 0, 1, 3, 6])))
            .square()),
        sample!("embedding_bag of the smallest", tables().distinct(), |x| x[0]
            .embedding_bag(&matrix(), Combine::Min, Bags::default())
            .square()),
        sample!("embedding_bag with factors", with_factors(), |x| {
            let offsets = Tensor::from([0, 1, 4]);
            x[0].embedding_bag(
                &some(),
                Combine::Sum,
                Bags { offsets: Some(&offsets), weights: Some(x[1]), padding: Some(-2) },
            )
        }),
        wrong!(
            "embedding",
            &[&[3]],
            |x| x[0].embedding(&Tensor::from([0]), None),
            "shape [3] has rank 1, wanted 2"
        ),
        wrong!(
            "embedding",
            &[&[3, 2]],
            |x| x[0].embedding(&Tensor::from([3]), None),
            "index 3 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "embedding",
            &[&[3, 2]],
            |x| x[0].embedding(&Tensor::from([0]), -4),
            "index -4 is out of range for axis 0 of size 3"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&some(), Combine::Sum, Bags::default()),
            "shape [6] has rank 1, wanted 2 of the indices without offsets"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&matrix(), Combine::Sum, at(&Tensor::from([0]))),
            "shape [2, 3] has rank 2, wanted 1 of the indices beside offsets"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&some(), Combine::Sum, at(&Tensor::scalar(0))),
            "shape [] has rank 0, wanted 1 of the offsets"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&some(), Combine::Sum, at(&Tensor::from([1]))),
            "an offset is 1, wanted 0 for the first bag"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&some(), Combine::Sum, at(&Tensor::from([0, 3, 2]))),
            "an offset is 2, wanted one from 3 to 6"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&some(), Combine::Sum, at(&Tensor::from([0, 7]))),
            "an offset is 7, wanted one from 0 to 6"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2], &[6]],
            |x| x[0].embedding_bag(
                &some(),
                Combine::Mean,
                Bags { weights: Some(x[1]), ..at(&Tensor::from([0])) }
            ),
            "the combination is Mean, wanted Sum, where factors are given"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2], &[5]],
            |x| x[0].embedding_bag(
                &some(),
                Combine::Sum,
                Bags { weights: Some(x[1]), ..at(&Tensor::from([0])) }
            ),
            "the list of factors has shape [5], wanted [6]"
        ),
        wrong!(
            "embedding_bag",
            &[&[5, 2]],
            |x| x[0].embedding_bag(&matrix(), Combine::Sum, without(5)),
            "index 5 is out of range for axis 0 of size 5"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn the_padding_row_has_a_value_and_no_derivative_in_either_mode() {
        let tape = Tape::new();
        let w = tape.var(&Tensor::from([[1.0], [2.0], [3.0]]));
        let y = w.embedding(&Tensor::from([1, 2, -1, 0]), -1).square();
        assert_eq!(y.value().unwrap().to_vec(), [4.0, 9.0, 9.0, 1.0]);
        assert_eq!(y.sum().backward().unwrap().wrt(w).unwrap().to_vec(), [2.0, 4.0, 0.0]);
        let dy = tape.jvp(y, [(w, &Tensor::ones([3, 1]).unwrap())]).unwrap();
        assert_eq!(dy.value().unwrap().to_vec(), [4.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn a_bag_without_rows_is_0_for_every_combination() {
        let tape = Tape::new();
        let w = tape.var(&Tensor::from([[1.0], [2.0]]));
        let indices = Tensor::from([[0, 0], [1, 1]]);
        for how in [Combine::Sum, Combine::Mean, Combine::Max, Combine::Min, Combine::Prod] {
            let y = w.embedding_bag(&indices, how, Bags { padding: Some(1), ..Default::default() });
            assert_eq!(y.value().unwrap().get([1, 0]).unwrap(), 0.0, "{how:?}");
            assert_eq!(y.sum().backward().unwrap().wrt(w).unwrap().get([1, 0]).unwrap(), 0.0, "{how:?}");
        }
    }

    #[test]
    fn no_offsets_are_no_bags_and_refused_beside_indices() {
        let tape = Tape::new();
        let w = tape.var(&Tensor::from([[1.0], [2.0]]));
        let none = Tensor::<i64>::full([0], 0).unwrap();
        let bags = |offsets| Bags { offsets: Some(offsets), ..Default::default() };
        assert_eq!(w.embedding_bag(&none, Combine::Sum, bags(&none)).shape(), [0, 1]);
        let error = w.embedding_bag(&Tensor::from([0]), Combine::Sum, bags(&none)).value().unwrap_err();
        assert_eq!(
            error.kind().to_string(),
            "the number of offsets is 0, wanted at least 1, before all indices"
        );
    }
}
