//! A case's call, as the table of operations sees it: arguments by place or name, as what our methods take.

use crate::reader::{Arg, Case};
use retrograde::{Axes, Error, Reduction, Tape, Tensor, Var};

pub type V<'t> = Var<'t, f64>;

/// PyTorch takes a number to have one axis; here a user makes a vector of it.
pub const NO_AXIS: &str = "the axis of a number";

/// Why a case has no answer.
pub enum No {
    /// The call has a form for which there is nothing here.
    Form(&'static str),
    /// The call was refused.
    Refused(Error),
}

impl From<Error> for No {
    fn from(error: Error) -> No {
        No::Refused(error)
    }
}

pub enum Value<'t> {
    Var(V<'t>),
    Indices(Tensor<i64>),
}

impl Value<'_> {
    /// 0 of an error.
    pub fn rank(&self) -> usize {
        match self {
            Value::Var(y) => y.try_shape().map_or(0, |shape| shape.len()),
            Value::Indices(n) => n.rank(),
        }
    }

    /// The last axis away, if it has one element.
    pub fn lower(&mut self) {
        match self {
            Value::Var(y) if y.try_shape().is_ok_and(|shape| shape.last() == Some(&1)) => *y = y.squeeze(-1),
            Value::Indices(n) if n.shape().last() == Some(&1) => *n = n.squeeze(-1).unwrap(),
            _ => {}
        }
    }
}

/// What an operation returned.
pub struct Values<'t>(pub Vec<Value<'t>>);

pub type Answer<'t> = Result<Values<'t>, No>;

impl<'t> From<V<'t>> for Values<'t> {
    fn from(y: V<'t>) -> Self {
        Values(vec![Value::Var(y)])
    }
}

impl<'t> From<Vec<V<'t>>> for Values<'t> {
    fn from(ys: Vec<V<'t>>) -> Self {
        Values(ys.into_iter().map(Value::Var).collect())
    }
}

impl<'t, const N: usize> From<[V<'t>; N]> for Values<'t> {
    fn from(ys: [V<'t>; N]) -> Self {
        Values(ys.into_iter().map(Value::Var).collect())
    }
}

impl<'t> From<(V<'t>, Tensor<i64>)> for Values<'t> {
    fn from((y, indices): (V<'t>, Tensor<i64>)) -> Self {
        Values(vec![Value::Var(y), Value::Indices(indices)])
    }
}

pub enum Operand<'t> {
    Var(V<'t>),
    /// Integers, or truths as 0 and 1.
    Integers(Tensor<i64>),
}

impl Operand<'_> {
    /// A number as a vector of one element.
    pub fn lift(&mut self) {
        match self {
            Operand::Var(x) if x.shape().is_empty() => *x = x.unsqueeze(0),
            Operand::Integers(n) if n.rank() == 0 => *n = n.unsqueeze(0).unwrap(),
            _ => {}
        }
    }
}

pub struct Call<'t, 'c> {
    pub tape: &'t Tape<f64>,
    pub case: &'c Case,
    pub operands: Vec<Operand<'t>>,
}

impl<'t> Call<'t, '_> {
    /// The argument at a place or by its name; None is as good as absent.
    pub fn arg(&self, place: usize, name: &str) -> Option<&Arg> {
        let named = self.case.named.iter().find(|entry| entry.0 == name).map(|entry| &entry.1);
        named.or(self.case.args.get(place)).filter(|arg| **arg != Arg::None)
    }

    pub fn has(&self, place: usize, name: &str) -> bool {
        self.arg(place, name).is_some()
    }

    pub fn operand(&self, arg: &Arg) -> Result<V<'t>, No> {
        match arg {
            Arg::Tensor(n) => Ok(match &self.operands[*n] {
                Operand::Var(x) => *x,
                Operand::Integers(n) => self.tape.constant(&n.map(|n| n as f64)?),
            }),
            Arg::Float(x) => Ok(self.tape.scalar(*x)),
            Arg::Int(n) => Ok(self.tape.scalar(*n as f64)),
            Arg::Bool(truth) => Ok(self.tape.scalar(f64::from(*truth))),
            _ => Err(No::Form("no tensor where one is meant")),
        }
    }

    /// The first argument.
    pub fn x(&self) -> Result<V<'t>, No> {
        self.var(0, "input")
    }

    /// A tensor or a number; integers and truths become constants.
    pub fn var(&self, place: usize, name: &str) -> Result<V<'t>, No> {
        self.operand(self.arg(place, name).ok_or(No::Form("an argument less than we take"))?)
    }

    pub fn maybe_var(&self, place: usize, name: &str) -> Result<Option<V<'t>>, No> {
        self.arg(place, name).map(|arg| self.operand(arg)).transpose()
    }

    /// Tensors: a list of them, or all arguments from a place on.
    pub fn vars(&self, place: usize, name: &str) -> Result<Vec<V<'t>>, No> {
        match self.arg(place, name) {
            Some(Arg::Seq(items)) => items.iter().map(|item| self.operand(item)).collect(),
            _ => self.case.args[place..].iter().map(|item| self.operand(item)).collect(),
        }
    }

    /// Integers: a tensor, a list or one.
    pub fn integers(&self, place: usize, name: &str) -> Result<Tensor<i64>, No> {
        match self.arg(place, name) {
            Some(Arg::Int(n)) => Ok(Tensor::scalar(*n)),
            Some(Arg::Seq(_)) => {
                Ok(self.ints(place, name)?.into_iter().map(|n| n as i64).collect::<Vec<_>>().into())
            }
            Some(Arg::Tensor(n)) => match &self.operands[*n] {
                Operand::Integers(n) => Ok(n.clone()),
                Operand::Var(_) => Err(No::Form("targets that are probabilities")),
            },
            _ => Err(No::Form("no indices where some are meant")),
        }
    }

    pub fn number(&self, place: usize, name: &str, default: f64) -> Result<f64, No> {
        match self.arg(place, name) {
            None => Ok(default),
            Some(Arg::Float(x)) => Ok(*x),
            Some(Arg::Int(n)) => Ok(*n as f64),
            Some(Arg::Bool(truth)) => Ok(f64::from(*truth)),
            Some(_) => Err(No::Form("a tensor where we take a number")),
        }
    }

    pub fn int(&self, place: usize, name: &str, default: isize) -> Result<isize, No> {
        match self.arg(place, name) {
            None => Ok(default),
            Some(Arg::Int(n)) => Ok(*n as isize),
            Some(_) => Err(No::Form("no integer where we take one")),
        }
    }

    pub fn flag(&self, place: usize, name: &str, default: bool) -> bool {
        match self.arg(place, name) {
            Some(Arg::Bool(truth)) => *truth,
            _ => default,
        }
    }

    pub fn text(&self, place: usize, name: &str) -> Option<&str> {
        match self.arg(place, name) {
            Some(Arg::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Integers: a list of them, or all arguments from a place on.
    pub fn ints(&self, place: usize, name: &str) -> Result<Vec<isize>, No> {
        let int = |arg: &Arg| match arg {
            Arg::Int(n) => Ok(*n as isize),
            _ => Err(No::Form("no integer where we take one")),
        };
        match self.arg(place, name) {
            Some(Arg::Seq(items)) => items.iter().map(int).collect(),
            Some(arg) if self.case.named.iter().any(|entry| entry.0 == name) => Ok(vec![int(arg)?]),
            _ => self.case.args.get(place..).unwrap_or(&[]).iter().map(int).collect(),
        }
    }

    /// A shape, with −1 for what is left of `count` elements.
    pub fn shape(&self, place: usize, name: &str, count: usize) -> Result<Vec<usize>, No> {
        let sizes = self.ints(place, name)?;
        let known: usize = sizes.iter().filter(|n| **n >= 0).map(|n| *n as usize).product();
        Ok(sizes.iter().map(|&n| usize::try_from(n).unwrap_or(count / known.max(1))).collect())
    }

    /// What a reduction runs over. No axes named, none in the list, the axis of a number: all of them.
    pub fn axes(&self, place: usize, name: &str) -> Result<Axes, No> {
        let axes = match self.arg(place, name) {
            None => return Ok(Axes::ALL),
            Some(Arg::Int(axis)) => vec![*axis as isize],
            Some(_) => self.ints(place, name)?,
        };
        Ok(if axes.is_empty() || self.x()?.shape().is_empty() { Axes::ALL } else { axes.into() })
    }

    /// One axis. PyTorch takes a number to have one, we do not.
    pub fn axis(&self, place: usize, name: &str) -> Result<isize, No> {
        self.axis_of(place, name, -1)
    }

    pub fn axis_of(&self, place: usize, name: &str, default: isize) -> Result<isize, No> {
        let axis = self.int(place, name, default)?;
        if self.x()?.shape().is_empty() { Err(No::Form(NO_AXIS)) } else { Ok(axis) }
    }

    pub fn reduction(&self) -> Reduction {
        match self.text(usize::MAX, "reduction") {
            Some("sum") => Reduction::Sum,
            Some("none") => Reduction::None,
            _ => Reduction::Mean,
        }
    }
}

/// An operation by its name in PyTorch.
pub type Op = for<'t> fn(&Call<'t, '_>) -> Answer<'t>;

/// A part of the table: PyTorch's name, and the call in our methods.
macro_rules! table {
    ($($name:literal => |$call:ident| $body:expr;)*) => {
        pub const TABLE: &[(&str, $crate::call::Op)] = &[$(($name, {
            fn op<'t>($call: &$crate::call::Call<'t, '_>) -> $crate::call::Answer<'t> {
                Ok($crate::call::Values::from($body))
            }
            op as $crate::call::Op
        })),*];
    };
}
pub(crate) use table;
