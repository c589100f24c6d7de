//! Products of matrices and vectors, and what is made of them.

use crate::call::{Call, No, V, table};

table! {
    "matmul" => |c| c.x()?.matmul(c.var(1, "other")?);
    "mm" => |c| c.x()?.matmul(c.var(1, "mat2")?);
    "bmm" => |c| c.x()?.matmul(c.var(1, "mat2")?);
    "mv" => |c| c.x()?.matmul(c.var(1, "vec")?);
    "dot" => |c| c.x()?.matmul(c.var(1, "other")?);
    "vdot" => |c| c.x()?.matmul(c.var(1, "other")?);
    "outer" => |c| outer(c.x()?, c.var(1, "vec2")?);
    "inner" => |c| match (c.x()?, c.var(1, "other")?) {
        (x, y) if x.shape().is_empty() || y.shape().is_empty() => x * y,
        (x, y) => c.tape.einsum("...i,...i", &[x, y]),
    };
    "addmm" => |c| added(c, c.var(1, "mat1")?.matmul(c.var(2, "mat2")?))?;
    "addmm.decomposed" => |c| added(c, c.var(1, "mat1")?.matmul(c.var(2, "mat2")?))?;
    "addmv" => |c| added(c, c.var(1, "mat")?.matmul(c.var(2, "vec")?))?;
    "addbmm" => |c| added(c, c.var(1, "batch1")?.matmul(c.var(2, "batch2")?).sum_axes(0))?;
    "baddbmm" => |c| added(c, c.var(1, "batch1")?.matmul(c.var(2, "batch2")?))?;
    "addr" => |c| added(c, outer(c.var(1, "vec1")?, c.var(2, "vec2")?))?;
    "einsum" => |c| c.tape.einsum(c.text(0, "equation").unwrap_or_default(), &c.vars(1, "operands")?);
    "linalg.multi_dot" => |c| chain(&c.vars(0, "tensors")?);
    "chain_matmul" => |c| chain(&c.vars(0, "tensors")?);
    "linalg.vecdot" => |c| (c.x()? * c.var(1, "y")?).sum_axes(c.int(2, "dim", -1)?);
    "nn.functional.linear" => |c| linear(c)?;
    "nn.functional.bilinear" => |c| {
        let [x, y, w] = [c.x()?, c.var(1, "input2")?, c.var(2, "weight")?];
        let z = c.tape.einsum("...i,oij,...j->...o", &[x, w, y]);
        c.maybe_var(3, "bias")?.map_or(z, |b| z + b)
    };
}

fn outer<'t>(a: V<'t>, b: V<'t>) -> V<'t> {
    a.tape().einsum("i,j->ij", &[a, b])
}

fn chain<'t>(factors: &[V<'t>]) -> V<'t> {
    factors[1..].iter().fold(factors[0], |product, factor| product.matmul(*factor))
}

/// `beta * input + alpha * product`; with a `beta` of 0 the input does not count, not even its NaN.
fn added<'t>(c: &Call<'t, '_>, product: V<'t>) -> Result<V<'t>, No> {
    let (beta, product) = (c.number(3, "beta", 1.0)?, product * c.number(4, "alpha", 1.0)?);
    Ok(if beta == 0.0 { product } else { c.x()? * beta + product })
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
