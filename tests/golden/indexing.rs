//! Elements picked, put and combined by indices and masks.

use crate::call::{Call, No, V, table};
use crate::reader::Arg;
use retrograde::{Combine, Tensor};

table! {
    "index_select" => |c| c.x()?.index_select(c.axis(1, "dim")?, &c.integers(2, "index")?);
    "gather" => |c| c.x()?.gather(c.axis(1, "dim")?, &c.integers(2, "index")?);
    "take" => |c| c.x()?.take(&c.integers(1, "index")?);
    "take_along_dim" => |c| c.x()?.take_along_dim(c.int(2, "dim", -1)?, &c.integers(1, "indices")?);
    "scatter" => |c| c.x()?.scatter(c.axis(1, "dim")?, &c.integers(2, "index")?, c.var(3, "src")?);
    "scatter_add" => |c| c.x()?.scatter_add(c.axis(1, "dim")?, &c.integers(2, "index")?, c.var(3, "src")?);
    "scatter_reduce" => |c| scatter_reduce(c)?;
    "scatter_reduce.sum" => |c| scatter_reduce(c)?;
    "scatter_reduce.prod" => |c| scatter_reduce(c)?;
    "scatter_reduce.mean" => |c| scatter_reduce(c)?;
    "scatter_reduce.amin" => |c| scatter_reduce(c)?;
    "scatter_reduce.amax" => |c| scatter_reduce(c)?;
    "index_reduce" => |c| index_reduce(c)?;
    "index_reduce.prod" => |c| index_reduce(c)?;
    "index_reduce.mean" => |c| index_reduce(c)?;
    "index_reduce.amin" => |c| index_reduce(c)?;
    "index_reduce.amax" => |c| index_reduce(c)?;
    "index_add" => |c| {
        let piece = c.var(3, "source")? * c.number(4, "alpha", 1.0)?;
        c.x()?.index_add(c.axis(1, "dim")?, &c.integers(2, "index")?, piece)
    };
    "index_copy" => |c| c.x()?.index_copy(c.axis(1, "dim")?, &c.integers(2, "index")?, c.var(3, "source")?);
    "index_fill" => |c| c.x()?.index_fill(c.axis(1, "dim")?, &c.integers(2, "index")?, c.var(3, "value")?);
    "index_put" => |c| {
        let Some(Arg::Seq(items)) = c.arg(1, "indices") else { return Err(No::Form("no list of indices")) };
        let indices = items.iter().map(|item| c.indices(item)).collect::<Result<Vec<_>, No>>()?;
        let (x, indices) = (c.x()?, indices.iter().collect::<Vec<_>>());
        let piece = c.var(2, "values")?;
        if c.flag(3, "accumulate", false) { x.index_put_add(&indices, piece) } else { x.index_put(&indices, piece) }
    };
    "masked_fill" => |c| c.x()?.masked_fill(c.var(1, "mask")?, c.var(2, "value")?);
    "masked_select" => |c| c.x()?.masked_select(c.var(1, "mask")?);
    "masked_scatter" => |c| c.x()?.masked_scatter(c.var(1, "mask")?, c.var(2, "source")?);
}

impl Call<'_, '_> {
    /// Indices: a tensor of them, or a list.
    pub fn indices(&self, arg: &Arg) -> Result<Tensor<i64>, No> {
        let int = |arg: &Arg| if let Arg::Int(n) = arg { Ok(*n) } else { Err(No::Form("fancy indexing")) };
        match arg {
            Arg::Tensor(n) => match &self.operands[*n] {
                crate::call::Operand::Integers(n) => Ok(n.clone()),
                crate::call::Operand::Var(_) => Err(No::Form("no indices where some are meant")),
            },
            Arg::Fancy(items) => {
                let items = items.iter().map(int).collect::<Result<Vec<i64>, No>>()?;
                Ok(Tensor::from_slice(&items, [items.len()])?)
            }
            _ => Err(No::Form("fancy indexing")),
        }
    }
}

fn combine(name: Option<&str>) -> Combine {
    match name {
        Some("mean") => Combine::Mean,
        Some("prod") => Combine::Prod,
        Some("amax") => Combine::Max,
        Some("amin") => Combine::Min,
        _ => Combine::Sum,
    }
}

fn scatter_reduce<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (index, piece) = (c.integers(2, "index")?, c.var(3, "src")?);
    let own = c.flag(5, "include_self", true);
    Ok(c.x()?.scatter_reduce(c.axis(1, "dim")?, &index, piece, combine(c.text(4, "reduce")), own))
}

fn index_reduce<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (index, piece) = (c.integers(2, "index")?, c.var(3, "source")?);
    let own = c.flag(5, "include_self", true);
    Ok(c.x()?.index_reduce(c.axis(1, "dim")?, &index, piece, combine(c.text(4, "reduce")), own))
}
