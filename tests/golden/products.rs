//! Products of matrices and vectors, and what is made of them.

use crate::call::{Call, No, V, table};
use crate::reader::Arg;

table! {
    "matmul" => |c| c.x()?.matmul(c.var(1, "other")?);
    "mm" => |c| c.x()?.mm(c.var(1, "mat2")?);
    "bmm" => |c| c.x()?.bmm(c.var(1, "mat2")?);
    "mv" => |c| c.x()?.mv(c.var(1, "vec")?);
    "dot" => |c| c.x()?.dot(c.var(1, "other")?);
    "vdot" => |c| c.x()?.vdot(c.var(1, "other")?);
    "outer" => |c| c.x()?.outer(c.var(1, "vec2")?);
    "inner" => |c| c.x()?.inner(c.var(1, "other")?);
    "addmm" => |c| c.x()?.addmm(c.var(1, "mat1")?, c.var(2, "mat2")?, beta(c)?, alpha(c)?);
    "addmm.decomposed" => |c| c.x()?.addmm(c.var(1, "mat1")?, c.var(2, "mat2")?, beta(c)?, alpha(c)?);
    "addmv" => |c| c.x()?.addmv(c.var(1, "mat")?, c.var(2, "vec")?, beta(c)?, alpha(c)?);
    "addbmm" => |c| c.x()?.addbmm(c.var(1, "batch1")?, c.var(2, "batch2")?, beta(c)?, alpha(c)?);
    "baddbmm" => |c| c.x()?.baddbmm(c.var(1, "batch1")?, c.var(2, "batch2")?, beta(c)?, alpha(c)?);
    "addr" => |c| c.x()?.addr(c.var(1, "vec1")?, c.var(2, "vec2")?, beta(c)?, alpha(c)?);
    "cross" => |c| c.x()?.cross(c.var(1, "other")?, c.int(2, "dim", -1)?);
    "linalg.cross" => |c| c.x()?.cross(c.var(1, "other")?, c.int(2, "dim", -1)?);
    "linalg.matrix_power" => |c| c.x()?.matrix_power(c.int(1, "n", 1)? as i32);
    "tensordot" => |c| match c.arg(2, "dims") {
        Some(Arg::Seq(pair)) if pair.len() == 2 => {
            let [own, other] = [0, 1].map(|i| axes(&pair[i]));
            c.x()?.tensordot_axes(c.var(1, "other")?, own?, other?)
        }
        _ => c.x()?.tensordot(c.var(1, "other")?, c.int(2, "dims", 2)? as usize),
    };
    "einsum" => |c| c.tape.einsum(c.text(0, "equation").unwrap_or_default(), &c.vars(1, "operands")?);
    "linalg.multi_dot" => |c| c.tape.multi_dot(&c.vars(0, "tensors")?);
    "chain_matmul" => |c| c.tape.multi_dot(&c.vars(0, "tensors")?);
    "linalg.vecdot" => |c| c.x()?.vecdot(c.var(1, "y")?, c.int(2, "dim", -1)?);
    "nn.functional.linear" => |c| linear(c)?;
    "nn.functional.bilinear" => |c| {
        let bias = c.maybe_var(3, "bias")?;
        c.x()?.bilinear(c.var(1, "input2")?, c.var(2, "weight")?, bias)
    };
}

fn beta(c: &Call) -> Result<f64, No> {
    c.number(3, "beta", 1.0)
}

fn alpha(c: &Call) -> Result<f64, No> {
    c.number(4, "alpha", 1.0)
}

fn axes(list: &Arg) -> Result<Vec<isize>, No> {
    let Arg::Seq(items) = list else { return Err(No::Form("axes that are no list")) };
    let int = |arg: &Arg| {
        if let Arg::Int(n) = arg { Ok(*n as isize) } else { Err(No::Form("axes that are no integers")) }
    };
    items.iter().map(int).collect()
}

/// The weight is transposed there: `[out, in]`.
fn linear<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let w = c.var(1, "weight")?;
    let bias = c.maybe_var(2, "bias")?;
    if w.shape().len() == 1 {
        let y = c.x()?.matmul(w);
        return Ok(bias.map_or(y, |b| y + b));
    }
    Ok(c.x()?.linear(w.t(), bias))
}
