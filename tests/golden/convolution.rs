//! Convolutions, pools, images resized and sampled.

use crate::call::{Call, No, V, Values, table};
use crate::reader::Arg;
use retrograde::{Conv, GridSample, Outside, PerAxis, Pool, Resampling, Resize, Sampling, Tensor};

table! {
    "nn.functional.conv1d" => |c| c.x()?.conv1d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, plain(c)?);
    "nn.functional.conv2d" => |c| c.x()?.conv2d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, plain(c)?);
    "nn.functional.conv3d" => |c| c.x()?.conv3d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, plain(c)?);
    "nn.functional.conv_transpose1d" => |c| {
        c.x()?.conv_transpose1d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, transposed(c)?)
    };
    "nn.functional.conv_transpose2d" => |c| {
        c.x()?.conv_transpose2d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, transposed(c)?)
    };
    "nn.functional.conv_transpose3d" => |c| {
        c.x()?.conv_transpose3d(c.var(1, "weight")?, c.maybe_var(2, "bias")?, transposed(c)?)
    };
    "nn.functional.max_pool1d" => |c| largest(c, V::max_pool1d, V::max_pool1d_with_indices)?;
    "nn.functional.max_pool2d" => |c| largest(c, V::max_pool2d, V::max_pool2d_with_indices)?;
    "nn.functional.max_pool3d" => |c| largest(c, V::max_pool3d, V::max_pool3d_with_indices)?;
    "nn.functional.adaptive_max_pool1d" => |c| {
        adaptive(c, V::adaptive_max_pool1d, Some(V::adaptive_max_pool1d_with_indices), 1)?
    };
    "nn.functional.adaptive_max_pool2d" => |c| {
        adaptive(c, V::adaptive_max_pool2d, Some(V::adaptive_max_pool2d_with_indices), 2)?
    };
    "nn.functional.adaptive_max_pool3d" => |c| {
        adaptive(c, V::adaptive_max_pool3d, Some(V::adaptive_max_pool3d_with_indices), 3)?
    };
    "nn.functional.adaptive_avg_pool1d" => |c| adaptive(c, V::adaptive_avg_pool1d, None, 1)?;
    "nn.functional.adaptive_avg_pool2d" => |c| adaptive(c, V::adaptive_avg_pool2d, None, 2)?;
    "nn.functional.adaptive_avg_pool3d" => |c| adaptive(c, V::adaptive_avg_pool3d, None, 3)?;
    "nn.functional.avg_pool1d" => |c| c.x()?.avg_pool1d(average(c)?);
    "nn.functional.avg_pool2d" => |c| c.x()?.avg_pool2d(average(c)?);
    "nn.functional.avg_pool3d" => |c| c.x()?.avg_pool3d(average(c)?);
    "nn.functional.lp_pool1d" => |c| c.x()?.lp_pool1d(c.number(1, "norm_type", 2.0)?, norms(c)?);
    "nn.functional.lp_pool2d" => |c| c.x()?.lp_pool2d(c.number(1, "norm_type", 2.0)?, norms(c)?);
    "nn.functional.lp_pool3d" => |c| c.x()?.lp_pool3d(c.number(1, "norm_type", 2.0)?, norms(c)?);
    "nn.functional.max_unpool1d.grad" => |c| unpool(c, V::max_unpool1d, 1)?;
    "nn.functional.max_unpool2d.grad" => |c| unpool(c, V::max_unpool2d, 2)?;
    "nn.functional.max_unpool3d.grad" => |c| unpool(c, V::max_unpool3d, 3)?;
    "nn.functional.max_unpool1d" => |c| unpool(c, V::max_unpool1d, 1)?;
    "nn.functional.max_unpool2d" => |c| unpool(c, V::max_unpool2d, 2)?;
    "nn.functional.max_unpool3d" => |c| unpool(c, V::max_unpool3d, 3)?;
    "nn.functional.unfold" => |c| c.x()?.im2col(needed(c, 1, "kernel_size")?, columns(c, 2)?);
    "nn.functional.fold" => |c| {
        c.x()?.col2im(needed(c, 1, "output_size")?, needed(c, 2, "kernel_size")?, columns(c, 3)?)
    };
    "nn.functional.interpolate" => |c| resize(c)?;
    "nn.functional.interpolate.nearest" => |c| resize(c)?;
    "nn.functional.interpolate.nearest-exact" => |c| resize(c)?;
    "nn.functional.interpolate.linear" => |c| resize(c)?;
    "nn.functional.interpolate.bilinear" => |c| resize(c)?;
    "nn.functional.interpolate.trilinear" => |c| resize(c)?;
    "nn.functional.interpolate.bicubic" => |c| resize(c)?;
    "nn.functional.interpolate.area" => |c| resize(c)?;
    "nn.functional.upsample_nearest" => |c| c.x()?.interpolate(size(c, Resampling::Nearest)?);
    "nn.functional.upsample_bilinear" => |c| c.x()?.interpolate(size(c, Resampling::Linear)?.align_corners());
    "nn.functional.grid_sample" => |c| {
        let sampling = match c.text(2, "mode") {
            Some("nearest") => Sampling::Nearest,
            Some("bicubic") => Sampling::Cubic,
            _ => Sampling::Linear,
        };
        let outside = match c.text(3, "padding_mode") {
            Some("border") => Outside::Border,
            Some("reflection") => Outside::Reflection,
            _ => Outside::Zeros,
        };
        let options = GridSample::new().with(sampling).outside(outside);
        let corners = c.flag(4, "align_corners", false);
        c.x()?.grid_sample(c.var(1, "grid")?, if corners { options.align_corners() } else { options })
    };
    "nn.functional.affine_grid" => |c| {
        let size: Vec<usize> = lengths(c, 1, "size")?.unwrap_or_default();
        c.x()?.affine_grid(size, c.flag(2, "align_corners", false))
    };
    "nn.functional.pixel_shuffle" => |c| c.x()?.pixel_shuffle(c.int(1, "upscale_factor", 1)? as usize);
    "nn.functional.pixel_unshuffle" => |c| c.x()?.pixel_unshuffle(c.int(1, "downscale_factor", 1)? as usize);
    "nn.functional.channel_shuffle" => |c| c.x()?.channel_shuffle(c.int(1, "groups", 1)? as usize);
}

/// A number or a list of them.
fn lengths(c: &Call<'_, '_>, place: usize, name: &str) -> Result<Option<Vec<usize>>, No> {
    let one = |arg: &Arg| match arg {
        Arg::Int(n) if *n >= 0 => Ok(*n as usize),
        _ => Err(No::Form("no length where we take one")),
    };
    match c.arg(place, name) {
        None => Ok(None),
        Some(Arg::Seq(items)) => items.iter().map(one).collect::<Result<_, _>>().map(Some),
        Some(arg) => Ok(Some(vec![one(arg)?])),
    }
}

/// PyTorch takes a list of one number for all axes.
fn per_axis(c: &Call<'_, '_>, place: usize, name: &str) -> Result<Option<PerAxis>, No> {
    Ok(lengths(c, place, name)?.map(|all| if let [one] = all[..] { one.into() } else { all.into() }))
}

fn needed(c: &Call<'_, '_>, place: usize, name: &str) -> Result<PerAxis, No> {
    per_axis(c, place, name)?.ok_or(No::Form("an argument less than we take"))
}

fn conv(c: &Call<'_, '_>, padding: usize, dilation: usize, groups: usize) -> Result<Conv, No> {
    let options = match c.text(padding, "padding") {
        Some("same") => Conv::new().same(),
        Some(_) => Conv::new().valid(),
        None => Conv::new().padding(per_axis(c, padding, "padding")?.unwrap_or(0.into())),
    };
    let options = options.dilation(per_axis(c, dilation, "dilation")?.unwrap_or(1.into()));
    Ok(options.groups(c.int(groups, "groups", 1)? as usize))
}

fn plain(c: &Call<'_, '_>) -> Result<Conv, No> {
    Ok(conv(c, 4, 5, 6)?.stride(per_axis(c, 3, "stride")?.unwrap_or(1.into())))
}

fn transposed(c: &Call<'_, '_>) -> Result<Conv, No> {
    let options = conv(c, 4, 7, 6)?.stride(per_axis(c, 3, "stride")?.unwrap_or(1.into()));
    Ok(options.output_padding(per_axis(c, 5, "output_padding")?.unwrap_or(0.into())))
}

fn columns(c: &Call<'_, '_>, first: usize) -> Result<Conv, No> {
    let at = |place, name, default: usize| -> Result<PerAxis, No> {
        Ok(per_axis(c, first + place, name)?.unwrap_or(default.into()))
    };
    Ok(Conv::new().dilation(at(0, "dilation", 1)?).padding(at(1, "padding", 0)?).stride(at(2, "stride", 1)?))
}

fn pool(c: &Call<'_, '_>, kernel: usize, ceil: usize) -> Result<Pool, No> {
    let pool = Pool::new(needed(c, kernel, "kernel_size")?);
    // An empty list stands for none.
    let stride = lengths(c, kernel + 1, "stride")?.filter(|all| !all.is_empty());
    let pool = if stride.is_some() { pool.stride(needed(c, kernel + 1, "stride")?) } else { pool };
    Ok(if c.flag(ceil, "ceil_mode", false) { pool.ceil() } else { pool })
}

type Values2<'t> = retrograde::Result<(V<'t>, Tensor<i64>)>;

fn largest<'t>(
    c: &Call<'t, '_>,
    values: fn(V<'t>, Pool) -> V<'t>,
    both: fn(V<'t>, Pool) -> Values2<'t>,
) -> Result<Values<'t>, No> {
    let pool = pool(c, 1, 5)?.padding(per_axis(c, 3, "padding")?.unwrap_or(0.into()));
    let pool = pool.dilation(per_axis(c, 4, "dilation")?.unwrap_or(1.into()));
    Ok(if c.flag(6, "return_indices", false) {
        both(c.x()?, pool)?.into()
    } else {
        values(c.x()?, pool).into()
    })
}

fn average(c: &Call<'_, '_>) -> Result<Pool, No> {
    let pool = pool(c, 1, 4)?.padding(per_axis(c, 3, "padding")?.unwrap_or(0.into()));
    let pool = if c.flag(5, "count_include_pad", true) { pool } else { pool.without_padding() };
    Ok(if c.has(6, "divisor_override") { pool.divisor(c.number(6, "divisor_override", 1.0)?) } else { pool })
}

fn norms(c: &Call<'_, '_>) -> Result<Pool, No> {
    pool(c, 2, 4)
}

/// None keeps the length of an axis.
fn adaptive<'t>(
    c: &Call<'t, '_>,
    values: fn(V<'t>, PerAxis) -> V<'t>,
    both: Option<fn(V<'t>, PerAxis) -> Values2<'t>>,
    axes: usize,
) -> Result<Values<'t>, No> {
    let x = c.x()?;
    let shape = x.shape();
    let windows: PerAxis = match c.arg(1, "output_size") {
        Some(Arg::Seq(items)) => {
            let all = items.iter().zip(&shape[shape.len() - axes..]);
            let all: Vec<usize> =
                all.map(|(arg, &n)| if let Arg::Int(n) = arg { *n as usize } else { n }).collect();
            all.into()
        }
        _ => needed(c, 1, "output_size")?,
    };
    match both.filter(|_| c.flag(2, "return_indices", false)) {
        Some(both) => Ok(both(x, windows)?.into()),
        None => Ok(values(x, windows).into()),
    }
}

fn unpool<'t>(
    c: &Call<'t, '_>,
    of: fn(V<'t>, &Tensor<i64>, Pool, Option<PerAxis>) -> V<'t>,
    axes: usize,
) -> Result<V<'t>, No> {
    let pool = pool(c, 2, usize::MAX)?.padding(per_axis(c, 4, "padding")?.unwrap_or(0.into()));
    let size = lengths(c, 5, "output_size")?.map(|all| PerAxis::from(&all[all.len() - axes..]));
    Ok(of(c.x()?, &c.integers(1, "indices")?, pool, size))
}

fn size(c: &Call<'_, '_>, resampling: Resampling) -> Result<Resize, No> {
    let numbers = |arg: &Arg| match arg {
        Arg::Float(x) => Ok(*x),
        Arg::Int(n) => Ok(*n as f64),
        _ => Err(No::Form("no number where we take one")),
    };
    let resize = match c.arg(2, "scale_factor") {
        None => Resize::to(needed(c, 1, "size")?),
        Some(Arg::Seq(items)) => match items.iter().map(numbers).collect::<Result<Vec<_>, _>>()?[..] {
            [a] => Resize::by_each([a]),
            [a, b] => Resize::by_each([a, b]),
            [a, b, c] => Resize::by_each([a, b, c]),
            _ => return Err(No::Form("more factors than axes")),
        },
        Some(arg) => Resize::by(numbers(arg)?),
    };
    let resize = if c.flag(5, "recompute_scale_factor", false) { resize.scale_from_sizes() } else { resize };
    Ok(resize.with(resampling))
}

fn resize<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let resampling = match c.text(3, "mode") {
        Some("linear" | "bilinear" | "trilinear") => Resampling::Linear,
        Some("bicubic") => Resampling::Cubic,
        Some("area") => Resampling::Area,
        Some("nearest-exact") => Resampling::NearestExact,
        _ => Resampling::Nearest,
    };
    let resize = size(c, resampling)?;
    Ok(c.x()?.interpolate(if c.flag(4, "align_corners", false) { resize.align_corners() } else { resize }))
}
