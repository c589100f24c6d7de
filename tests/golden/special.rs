//! Special functions, and the parts and remainders of numbers.

use crate::call::{Call, No, V, table};

table! {
    "angle" => |c| c.tape.scalar(0.0).atan2(c.x()?);
    "exp2" => |c| c.x()?.exp2();
    "fill" => |c| c.tape.scalar(c.number(1, "value", 0.0)?).expand(c.x()?.shape());
    "frac" => |c| c.x()?.frac();
    "nan_to_num" => |c| c.x()?.nan_to_num(c.number(1, "nan", 0.0)?, None, None);
    "round.decimals_3" => |c| c.x()?.round_decimals(c.int(1, "decimals", 0)? as i32);
    "sinc" => |c| c.x()?.sinc();
    "trunc" => |c| c.x()?.trunc();

    "copysign" => |c| c.x()?.copysign(c.var(1, "other")?);
    "div.trunc_rounding" => |c| c.x()?.trunc_divide(c.var(1, "other")?);
    "fmax" => |c| c.x()?.fmax(c.var(1, "other")?);
    "fmin" => |c| c.x()?.fmin(c.var(1, "other")?);
    "fmod" => |c| c.x()?.fmod(c.var(1, "other")?);
    "ldexp" => |c| c.x()?.ldexp(c.var(1, "other")?);
    "logaddexp" => |c| c.x()?.logaddexp(c.var(1, "other")?);
    "logaddexp2" => |c| c.x()?.logaddexp2(c.var(1, "other")?);
    "nextafter" => |c| c.x()?.nextafter(c.var(1, "other")?);
    "remainder" => |c| c.x()?.remainder(c.var(1, "other")?);
    "special.xlog1py" => |c| c.x()?.xlog1py(c.var(1, "other")?);
    "xlogy" => |c| c.x()?.xlogy(c.var(1, "other")?);

    "digamma" => |c| c.x()?.digamma();
    "erfinv" => |c| c.x()?.erfinv();
    "i0" => |c| c.x()?.i0();
    "lgamma" => |c| c.x()?.lgamma();
    "logit" => |c| logit(c)?;
    "mvlgamma.mvlgamma_p_3" => |c| c.x()?.multigammaln(c.int(1, "p", 1)? as usize);
    "polygamma.polygamma_n_1" => |c| c.var(1, "input")?.polygamma(c.int(0, "n", 0)? as u32);
    "special.bessel_j0" => |c| c.x()?.j0();
    "special.bessel_j1" => |c| c.x()?.j1();
    "special.bessel_y0" => |c| c.x()?.y0();
    "special.bessel_y1" => |c| c.x()?.y1();
    "special.entr" => |c| c.x()?.entr();
    "special.erfcx" => |c| c.x()?.erfcx();
    "special.i0e" => |c| c.x()?.i0e();
    "special.i1" => |c| c.x()?.i1();
    "special.i1e" => |c| c.x()?.i1e();
    "special.log_ndtr" => |c| c.x()?.log_ndtr();
    "special.modified_bessel_i0" => |c| c.x()?.i0();
    "special.modified_bessel_i1" => |c| c.x()?.i1();
    "special.modified_bessel_k0" => |c| c.x()?.k0();
    "special.modified_bessel_k1" => |c| c.x()?.k1();
    "special.ndtri" => |c| c.x()?.ndtri();
}

fn logit<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let eps = c.has(1, "eps").then(|| c.number(1, "eps", 0.0)).transpose()?;
    Ok(c.x()?.logit(eps))
}
