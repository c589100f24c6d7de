//! Elements picked, put and combined by indices and masks.

use crate::call::{Call, No, Operand, V, table};
use crate::reader::Arg;
use retrograde::{Combine, Tensor};

table! {
    "index_select" => |c| c.x()?.index_select(c.axis(1, "dim")?, &c.integers(2, "index")?);
    "gather" => |c| c.x()?.gather(c.axis(1, "dim")?, &c.integers(2, "index")?);
    "take" => |c| c.x()?.take(&c.integers(1, "index")?);
    "take_along_dim" => |c| {
        let (x, index) = (c.x()?, c.integers(1, "indices")?);
        if c.has(2, "dim") { x.take_along_dim(c.int(2, "dim", 0)?, &index) } else { x.take(&index.reshape([index.len()])?) }
    };
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
    "index_fill" => |c| c.x()?.index_fill(c.int(1, "dim", 0)?, &c.integers(2, "index")?, c.var(3, "value")?);
    "index_put" => |c| {
        let Some(Arg::Seq(items)) = c.arg(1, "indices") else { return Err(No::Form("no list of indices")) };
        let mut indices = Vec::new();
        for item in items {
            match c.mask(item) {
                Some(mask) => indices.extend(columns(&mask)?),
                None => indices.push(c.indices(item)?),
            }
        }
        let (x, indices) = (c.x()?, indices.iter().collect::<Vec<_>>());
        let piece = c.var(2, "values")?;
        if c.flag(3, "accumulate", false) { x.index_put_add(&indices, piece) } else { x.index_put(&indices, piece) }
    };
    "put" => |c| {
        let (x, index, piece) = (c.x()?, c.integers(1, "index")?, c.var(2, "source")?);
        let flat = x.reshape([x.shape().iter().product()]);
        let put = if c.flag(3, "accumulate", false) { V::index_put_add } else { V::index_put };
        put(flat, &[&index], piece).reshape(x.shape())
    };
    "masked_fill" => |c| c.x()?.masked_fill(c.var(1, "mask")?, c.var(2, "value")?);
    "masked_select" => |c| c.x()?.masked_select(c.var(1, "mask")?);
    "masked_scatter" => |c| c.x()?.masked_scatter(c.var(1, "mask")?, c.var(2, "source")?);
}

/// The indices of what a mask holds, axis by axis.
fn columns(mask: &Tensor<bool>) -> Result<Vec<Tensor<i64>>, No> {
    let found = mask.nonzero()?;
    Ok((0..mask.rank() as isize)
        .map(|i| found.slice(1, i..i + 1)?.squeeze(1))
        .collect::<retrograde::Result<_>>()?)
}

impl Call<'_, '_> {
    /// A mask among indices.
    pub fn mask(&self, arg: &Arg) -> Option<Tensor<bool>> {
        match arg {
            Arg::Tensor(n) if self.case.inputs[*n].value.kind == 'b' => match &self.operands[*n] {
                Operand::Integers(truths) => truths.map(|n| n != 0).ok(),
                Operand::Var(_) => None,
            },
            _ => None,
        }
    }

    /// Indices: a tensor of them, or a list, also of lists.
    pub fn indices(&self, arg: &Arg) -> Result<Tensor<i64>, No> {
        match arg {
            Arg::Int(n) => Ok(Tensor::scalar(*n)),
            Arg::Tensor(n) => match &self.operands[*n] {
                Operand::Integers(n) => Ok(n.clone()),
                Operand::Var(_) => Err(No::Form("no indices where some are meant")),
            },
            Arg::Fancy(items) => {
                let rows = items.iter().map(|item| self.indices(item)).collect::<Result<Vec<_>, No>>()?;
                Ok(Tensor::stack(&rows.iter().collect::<Vec<_>>(), 0)?)
            }
            _ => Err(No::Form("no indices where some are meant")),
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
