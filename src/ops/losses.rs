//! What losses share: the reduction of their terms, their settings, and labels of classes.

use crate::error::{ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::{Shape, same};
use crate::tape::Var;
use crate::tensor::Tensor;

/// What a loss does with its terms.
///
/// ```
/// use retrograde::{Reduction, Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 3.0]));
/// assert_eq!(x.mse(0.0, Reduction::Mean).item()?, 5.0);
/// assert_eq!(x.mse(0.0, Reduction::Sum).item()?, 10.0);
/// assert_eq!(x.mse(0.0, Reduction::None).value()?.to_vec(), [1.0, 9.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their mean; NaN of none.
    #[default]
    Mean,
    /// Their sum; 0 of none.
    Sum,
    /// Their sum, divided by the size of the first axis, the batch; of rank 0, the one term.
    BatchMean,
    /// Nothing: the terms as they are.
    None,
}

impl Reduction {
    /// The terms reduced.
    #[track_caller]
    pub(super) fn of<'t, T: Real>(self, terms: Var<'t, T>) -> Var<'t, T> {
        match self {
            Reduction::Mean => terms.mean(),
            Reduction::Sum => terms.sum(),
            Reduction::BatchMean => match terms.try_shape() {
                Ok(shape) => terms.sum() / shape.first().map_or(1.0, |&n| n as f64),
                Err(_) => terms,
            },
            Reduction::None => terms,
        }
    }

    /// The terms reduced, where the mean is weighted: divided by a total of weights.
    #[track_caller]
    pub(super) fn weighted<'t, T: Real>(self, terms: Var<'t, T>, total: Option<f64>) -> Var<'t, T> {
        match (self, total) {
            (Reduction::Mean, Some(total)) => terms.sum() / total,
            _ => self.of(terms),
        }
    }
}

/// The settings of a loss: a struct whose methods, named after what they set, give it changed, so that they chain. A
/// bare [`Reduction`] stands for settings that are otherwise the defaults.
macro_rules! settings {
    (
        $(#[$doc:meta])*
        $name:ident$(<$T:ident>)? $([$($(#[$tensor_doc:meta])* $tensor:ident;)*])? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name$(<$T: $crate::number::Real>)? {
            pub(super) reduction: $crate::ops::Reduction,
            $($(pub(super) $tensor: Option<$crate::tensor::Tensor<T>>,)*)?
            $(pub(super) $field: $type,)*
        }

        impl$(<$T: $crate::number::Real>)? Default for $name$(<$T>)? {
            fn default() -> Self {
                $name { reduction: $crate::ops::Reduction::Mean, $($($tensor: None,)*)? $($field: $default,)* }
            }
        }

        impl$(<$T: $crate::number::Real>)? From<$crate::ops::Reduction> for $name$(<$T>)? {
            fn from(reduction: $crate::ops::Reduction) -> Self {
                $name { reduction, ..$name::default() }
            }
        }

        impl$(<$T: $crate::number::Real>)? $name$(<$T>)? {
            /// The defaults.
            pub fn new() -> Self {
                Self::default()
            }

            /// What becomes of the terms: their mean unless set.
            pub fn reduction(mut self, reduction: $crate::ops::Reduction) -> Self {
                self.reduction = reduction;
                self
            }

            $($(
                $(#[$tensor_doc])*
                pub fn $tensor(mut self, $tensor: &$crate::tensor::Tensor<T>) -> Self {
                    self.$tensor = Some($tensor.clone());
                    self
                }
            )*)?

            $(
                $(#[$field_doc])*
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}
pub(super) use settings;

/// Refuses a target of another shape, unless it is a number.
pub(super) fn alike<T: Real>(x: Var<'_, T>, target: Var<'_, T>) -> Result<()> {
    let (wanted, found) = (x.try_shape()?, target.try_shape()?);
    if found.is_empty() { Ok(()) } else { same("the target", &found, &wanted) }
}

/// Refuses a setting for which a condition does not hold.
pub(super) fn demand(fine: bool, name: &'static str, found: f64, wanted: &str) -> Result<()> {
    if fine {
        return Ok(());
    }
    argument(name, found, wanted)
}

/// Refuses values of which one does not satisfy a condition.
pub(super) fn demand_all<T: Real>(
    values: &Tensor<T>,
    name: &'static str,
    fine: impl Fn(f64) -> bool,
    wanted: &str,
) -> Result<()> {
    match values.iter().map(T::to_f64).find(|&value| !fine(value)) {
        Some(value) => demand(false, name, value, wanted),
        None => Ok(()),
    }
}

/// Labels of classes, checked; −1 stands for those to ignore.
pub(super) struct Labels<T: Real> {
    pub(super) classes: Tensor<i64>,
    /// Whether some are to be ignored.
    pub(super) some_ignored: bool,
    /// Each label's weight, 0 for those ignored; none where all weigh 1.
    pub(super) weights: Option<Tensor<T>>,
    /// The sum of the weights, where it is not the number of labels.
    pub(super) total: Option<f64>,
}

impl<T: Real> Labels<T> {
    /// Labels for the rows of `[.., classes]`, where the classes were axis `axis` of the user's tensor.
    pub(super) fn new(
        labels: &Tensor<i64>,
        rows: &Shape,
        axis: usize,
        ignored: i64,
        weight: Option<&Tensor<T>>,
    ) -> Result<Labels<T>> {
        let Some((&size, rows)) = rows.split_last() else {
            return Err(
                ErrorKind::Rank { found: vec![], wanted: "at least 1, with an axis for classes" }.into()
            );
        };
        same("targets", labels.shape(), rows)?;
        if let Some(weight) = weight {
            same("the weight", weight.shape(), &[size])?;
        }
        let counts = |label: i64| label != ignored;
        if let Some(index) = labels.iter().find(|&label| counts(label) && !(0..size as i64).contains(&label))
        {
            return Err(ErrorKind::Index { index, axis, size }.into());
        }
        let some_ignored = labels.iter().any(|label| !counts(label));
        let classes = if some_ignored {
            labels.map(|label| if counts(label) { label } else { -1 })?
        } else {
            labels.clone()
        };
        let weight = weight.map(|weight| weight.contiguous()).transpose()?;
        let weight = weight.as_ref().map(|weight| weight.as_slice().expect("made contiguous above"));
        let of = |class: i64| match weight {
            _ if class < 0 => T::ZERO,
            Some(weight) => weight[class as usize],
            None => T::ONE,
        };
        let weighted = some_ignored || weight.is_some();
        let weights = if weighted { Some(classes.map(of)?) } else { None };
        let total = weights.as_ref().map(|weights| weights.iter().map(T::to_f64).sum());
        Ok(Labels { classes, some_ignored, weights, total })
    }

    /// The terms of the rows, weighted.
    #[track_caller]
    pub(super) fn weigh<'t>(&self, terms: Var<'t, T>) -> Var<'t, T> {
        match &self.weights {
            Some(weights) => terms * terms.constant_like(Ok(weights.clone())),
            None => terms,
        }
    }

    /// 1 where a label counts, 0 where it is ignored, with an axis for the classes.
    pub(super) fn kept(&self) -> Result<Tensor<T>> {
        self.classes.map(|class| if class < 0 { T::ZERO } else { T::ONE })?.unsqueeze(-1)
    }
}
