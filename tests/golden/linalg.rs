//! Decompositions of matrices, solutions of linear systems, and what is made of them.

use crate::call::{Call, No, V, table};
use crate::reader::Arg;
use retrograde::linalg::{Cutoff, MatrixNorm, System, Triangular};
use retrograde::{Axes, Tensor};

table! {
    "linalg.cholesky" => |c| cholesky(c)?;
    "linalg.cholesky_ex" => |c| (cholesky(c)?, no_fault(c)?);
    "cholesky_solve" => |c| {
        let factor = triangle(c.var(1, "L")?, upper(c, false));
        lower(factor, upper(c, false)).cholesky_solve(c.x()?)
    };
    "cholesky_inverse" => |c| {
        // The factor is that triangle of the input that counts, with ones on the diagonal.
        let (x, upper) = (c.x()?, upper(c, false));
        let ones = c.tape.constant(&Tensor::eye(last(x)?)?);
        let factor = if upper { x.triu(1) } else { x.tril(-1) } + ones;
        lower(factor, upper).cholesky_inverse()
    };
    "linalg.inv" => |c| c.x()?.inv();
    "linalg.inv_ex" => |c| (c.x()?.inv(), no_fault(c)?);
    "linalg.det" => |c| c.x()?.det();
    "linalg.slogdet" => |c| c.x()?.slogdet();
    "logdet" => |c| c.x()?.logdet();
    "linalg.solve" => |c| solve(c)?;
    "linalg.solve_ex" => |c| (solve(c)?, no_fault(c)?);
    "linalg.solve_triangular" => |c| {
        let system = triangular(c, usize::MAX, upper(c, false));
        let system = if c.flag(usize::MAX, "left", true) { system } else { system.right() };
        c.x()?.solve_triangular(c.var(1, "B")?, system)
    };
    "triangular_solve" => |c| {
        // PyTorch's default is the upper triangle, the one of its samples the lower.
        let a = triangle(c.var(1, "A")?, upper(c, false));
        let system = triangular(c, 4, upper(c, false));
        let system = if c.flag(3, "transpose", false) { system.transposed() } else { system };
        [a.solve_triangular(c.x()?, system), a.identity()]
    };
    "linalg.tensorinv" => |c| c.x()?.tensorinv(c.int(1, "ind", 2)? as usize);
    "linalg.tensorsolve" => |c| {
        let (a, b) = (c.x()?, c.var(1, "other")?);
        if c.has(2, "dims") { a.tensorsolve_axes(b, c.ints(2, "dims")?) } else { a.tensorsolve(b) }
    };
    "linalg.lu" => |c| {
        let (_, l, u) = pivoted(c)?.lu()?;
        [l, u]
    };
    "linalg.lu_factor" => |c| {
        let (packed, pivots) = pivoted(c)?.lu_factor()?;
        (packed, pivots.map(|row| row + 1)?)
    };
    "lu_unpack" => |c| {
        let (_, l, u) = c.x()?.lu_unpack(&pivots(c)?)?;
        [l, u]
    };
    "linalg.lu_solve" => |c| {
        let system = if c.flag(usize::MAX, "left", true) { System::left() } else { System::right() };
        let system = if c.flag(usize::MAX, "adjoint", false) { system.transposed() } else { system };
        c.x()?.lu_solve(&pivots(c)?, c.var(2, "B")?, system)
    };
    "linalg.qr" => |c| match c.text(1, "mode") {
        Some("complete") => c.x()?.qr_complete(),
        Some("r") => return Err(No::Form("R alone")),
        _ => c.x()?.qr(),
    };
    "linalg.householder_product" => |c| c.x()?.householder_product(c.var(1, "tau")?);
    "linalg.lstsq.grad_oriented" => |c| {
        let (a, b) = (c.x()?, c.var(1, "b")?);
        let x = a.lstsq(b);
        // Squares that are left, where equations are more than unknowns, and the driver says so.
        let shape = a.shape();
        let none = shape.contains(&0)
            || shape[shape.len() - 2] <= last(a)?
            || c.text(usize::MAX, "driver") == Some("gelsy");
        let left = (b - a.matmul(x)).square().sum_axes(-2);
        [x, if none { c.tape.constant(&Tensor::zeros([0])?) } else { left }]
    };
    "linalg.eigh" => |c| {
        let [values, vectors] = symmetric(c)?.eigh();
        [values, vectors.abs()]
    };
    "linalg.eigvalsh" => |c| symmetric(c)?.eigvalsh();
    "linalg.matrix_sqrth" => |c| c.x()?.matrix_sqrth();
    "linalg.svd" => |c| svd(c)?;
    "linalg.svdvals" => |c| c.x()?.svdvals();
    "linalg.polar" => |c| c.x()?.polar();
    "linalg.pinv" => |c| pinv(c)?;
    "linalg.pinv.hermitian" => |c| pinv(c)?;
    "pinverse" => |c| pinv(c)?;
    "linalg.cond" => |c| {
        c.x()?.cond(if c.has(1, "p") { order(c, 1, "p")? } else { MatrixNorm::Spectral })
    };
    "linalg.matrix_norm" => |c| matrix_norm(c, "ord")?;
    "norm.nuc" => |c| matrix_norm(c, "p")?;
    "linalg.norm" => |c| norm(c)?;
    "linalg.norm.subgradients_at_zero" => |c| norm(c)?;
    "matrix_exp" => |c| c.x()?.matrix_exp();
    "linalg.vander" => |c| {
        let x = c.x()?;
        x.vander(c.int(1, "N", x.shape().last().map_or(1, |n| *n as isize))? as usize)
    };
}

fn last(x: V) -> Result<usize, No> {
    x.try_shape()?.last().copied().ok_or(No::Form("a matrix that is a number"))
}

fn upper(c: &Call, default: bool) -> bool {
    c.flag(2, "upper", default)
}

/// The triangle that counts.
fn triangle(x: V, upper: bool) -> V {
    if upper { x.triu(0) } else { x.tril(0) }
}

/// The lower factor, of which the upper one is the transpose.
fn lower(x: V, upper: bool) -> V {
    if upper { x.transpose(-1, -2) } else { x }
}

fn triangular(c: &Call, place: usize, upper: bool) -> Triangular {
    let system = if upper { Triangular::upper() } else { Triangular::lower() };
    if c.flag(place, "unitriangular", false) { system.unit() } else { system }
}

/// The lower factor is the transpose of the upper one.
fn cholesky<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let upper = c.flag(usize::MAX, "upper", false);
    Ok(lower(lower(c.x()?, upper).cholesky(), upper))
}

/// Which of the matrices had a fault: an error here, 0 there.
fn no_fault(c: &Call) -> Result<Tensor<i64>, No> {
    let shape = c.x()?.try_shape()?;
    Ok(Tensor::full(&shape[..shape.len() - 2], 0)?)
}

fn solve<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (a, b) = (c.x()?, c.var(1, "B")?);
    Ok(if c.flag(usize::MAX, "left", true) { a.solve(b) } else { a.solve_right(b) })
}

fn pivoted<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    if c.flag(usize::MAX, "pivot", true) { c.x() } else { Err(No::Form("no exchange of rows")) }
}

/// Counted from 1 there.
fn pivots(c: &Call) -> Result<Tensor<i64>, No> {
    Ok(c.integers(1, "pivots")?.map(|row| row - 1)?)
}

/// The lower triangle is read.
fn symmetric<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    Ok(lower(c.x()?, c.text(1, "UPLO") == Some("U")))
}

/// What no choice of signs changes.
fn svd<'t>(c: &Call<'t, '_>) -> Result<Vec<V<'t>>, No> {
    let x = c.x()?;
    let [u, s, vh] = if c.flag(1, "full_matrices", true) { x.svd_full() } else { x.svd() };
    let k = last(s)?;
    let (u, vh) = (u.narrow(-1, 0, k), vh.narrow(-2, 0, k));
    Ok(match c.case.post.as_deref().unwrap_or_default() {
        post if post.contains('@') => vec![u.matmul(vh), s],
        post if post.contains("abs(U") => vec![u.abs()],
        post if post.contains("abs(Vh") => vec![s, vh.abs()],
        _ => vec![s],
    })
}

fn pinv<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let tolerance = |place, name: &str| -> Result<Option<f64>, No> {
        Ok(c.maybe_var(place, name)?.map(|x| x.item()).transpose()?)
    };
    let mut cutoff = Cutoff::new();
    for rtol in [tolerance(usize::MAX, "rtol")?, tolerance(1, "rcond")?].into_iter().flatten() {
        cutoff = cutoff.rtol(rtol);
    }
    if let Some(atol) = tolerance(usize::MAX, "atol")? {
        cutoff = cutoff.atol(atol);
    }
    Ok(c.x()?.pinv_with(if c.flag(usize::MAX, "hermitian", false) { cutoff.symmetric() } else { cutoff }))
}

fn order(c: &Call, place: usize, name: &str) -> Result<MatrixNorm, No> {
    if let Some(text) = c.text(place, name) {
        return Ok(if text == "nuc" { MatrixNorm::Nuclear } else { MatrixNorm::Frobenius });
    }
    Ok(match c.number(place, name, 0.0)? {
        1.0 => MatrixNorm::One,
        -1.0 => MatrixNorm::MinOne,
        2.0 => MatrixNorm::Spectral,
        -2.0 => MatrixNorm::MinSpectral,
        f64::INFINITY => MatrixNorm::Infinity,
        f64::NEG_INFINITY => MatrixNorm::MinInfinity,
        _ => return Err(No::Form("another norm of matrices")),
    })
}

fn matrix_norm<'t>(c: &Call<'t, '_>, name: &str) -> Result<V<'t>, No> {
    let order = if c.has(1, name) { order(c, 1, name)? } else { MatrixNorm::Frobenius };
    let axes = if c.has(2, "dim") { c.ints(2, "dim")? } else { vec![-2, -1] };
    let axes: [isize; 2] = axes.try_into().map_err(|_| No::Form("a matrix of other axes than two"))?;
    let x = c.x()?;
    Ok(if c.flag(3, "keepdim", false) {
        x.matrix_norm_keepdim(axes, order)
    } else {
        x.matrix_norm_axes(axes, order)
    })
}

/// That of matrices along two axes if an order is named, else that of vectors.
fn norm<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, ord) = (c.x()?, c.has(1, "ord"));
    let of_matrices = match c.arg(2, "dim") {
        None => x.shape().len() == 2,
        Some(Arg::Seq(axes)) => axes.len() == 2,
        Some(_) => false,
    };
    if ord && of_matrices {
        return matrix_norm(c, "ord");
    }
    let p = c.number(1, "ord", 2.0)?;
    let axes = if c.has(2, "dim") { c.axes(2, "dim")? } else { Axes::ALL };
    Ok(if c.flag(3, "keepdim", false) { x.norm_p_keepdim(axes, p) } else { x.norm_p_axes(axes, p) })
}
