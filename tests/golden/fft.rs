//! Fourier transforms. A complex result is compared as its parts along a new last axis.

use crate::call::{Call, No, V, table};
use retrograde::fft::{Complex, Norm, Sizes, Stft};
use retrograde::{Axes, Padding};

table! {
    "fft.fft" => |c| joined(c, c.x()?.fft(n(c)?, c.axis(2, "dim")?, norm(c)));
    "fft.ifft" => |c| joined(c, c.x()?.ifft(n(c)?, c.axis(2, "dim")?, norm(c)));
    "fft.rfft" => |c| joined(c, c.x()?.rfft(n(c)?, c.axis(2, "dim")?, norm(c)));
    "fft.irfft" => |c| z(c)?.irfft(n(c)?, c.axis(2, "dim")?, norm(c));
    "fft.hfft" => |c| z(c)?.hfft(n(c)?, c.axis(2, "dim")?, norm(c));
    "fft.ihfft" => |c| joined(c, c.x()?.ihfft(n(c)?, c.axis(2, "dim")?, norm(c)));
    "fft.fftn" => |c| joined(c, c.x()?.fftn(s(c)?, axes(c)?, norm(c)));
    "fft.ifftn" => |c| joined(c, c.x()?.ifftn(s(c)?, axes(c)?, norm(c)));
    "fft.rfftn" => |c| joined(c, c.x()?.rfftn(s(c)?, axes(c)?, norm(c)));
    "fft.irfftn" => |c| z(c)?.irfftn(s(c)?, axes(c)?, norm(c));
    "fft.hfftn" => |c| z(c)?.hfftn(s(c)?, axes(c)?, norm(c));
    "fft.ihfftn" => |c| joined(c, c.x()?.ihfftn(s(c)?, axes(c)?, norm(c)));
    // With axes of one's own it is that of any number of them.
    "fft.fft2" => |c| joined(c, match c.has(2, "dim") {
        true => c.x()?.fftn(s(c)?, axes(c)?, norm(c)),
        false => c.x()?.fft2(s(c)?, norm(c)),
    });
    "fft.ifft2" => |c| joined(c, match c.has(2, "dim") {
        true => c.x()?.ifftn(s(c)?, axes(c)?, norm(c)),
        false => c.x()?.ifft2(s(c)?, norm(c)),
    });
    "fft.rfft2" => |c| joined(c, match c.has(2, "dim") {
        true => c.x()?.rfftn(s(c)?, axes(c)?, norm(c)),
        false => c.x()?.rfft2(s(c)?, norm(c)),
    });
    "fft.irfft2" => |c| match c.has(2, "dim") {
        true => z(c)?.irfftn(s(c)?, axes(c)?, norm(c)),
        false => z(c)?.irfft2(s(c)?, norm(c)),
    };
    "fft.hfft2" => |c| match c.has(2, "dim") {
        true => z(c)?.hfftn(s(c)?, axes(c)?, norm(c)),
        false => z(c)?.hfft2(s(c)?, norm(c)),
    };
    "fft.ihfft2" => |c| joined(c, match c.has(2, "dim") {
        true => c.x()?.ihfftn(s(c)?, axes(c)?, norm(c)),
        false => c.x()?.ihfft2(s(c)?, norm(c)),
    });
    "fft.fftshift" => |c| c.x()?.fftshift(c.axes(1, "dim")?);
    "fft.ifftshift" => |c| c.x()?.ifftshift(c.axes(1, "dim")?);
    "stft" => |c| joined(c, c.x()?.stft(settings(c)?));
}

fn joined<'t>(c: &Call<'t, '_>, z: Complex<'t, f64>) -> V<'t> {
    c.tape.stack(&[z.re, z.im], -1)
}

/// The first argument as a spectrum: those of the cases are real.
fn z<'t>(c: &Call<'t, '_>) -> Result<Complex<'t, f64>, No> {
    c.x().map(Complex::from_real)
}

fn n(c: &Call) -> Result<Option<usize>, No> {
    c.has(1, "n").then(|| c.int(1, "n", 0).map(|n| n as usize)).transpose()
}

fn s(c: &Call) -> Result<Sizes, No> {
    Ok(if c.has(1, "s") { c.shape(1, "s", 1)?.into() } else { Sizes::from(None) })
}

fn axes(c: &Call) -> Result<Axes, No> {
    Ok(if c.has(2, "dim") { c.ints(2, "dim")?.into() } else { Axes::ALL })
}

fn norm(c: &Call) -> Norm {
    match c.text(3, "norm") {
        Some("ortho") => Norm::Ortho,
        Some("forward") => Norm::Forward,
        _ => Norm::Backward,
    }
}

fn settings<'t>(c: &Call<'t, '_>) -> Result<Stft<'t, f64>, No> {
    let mut settings = Stft::new(c.int(1, "n_fft", 0)? as usize)
        .center(c.flag(5, "center", true))
        .normalized(c.flag(7, "normalized", false))
        .onesided(c.flag(8, "onesided", true));
    if c.has(2, "hop_length") {
        settings = settings.hop(c.int(2, "hop_length", 0)? as usize);
    }
    if c.has(3, "win_length") {
        settings = settings.win_length(c.int(3, "win_length", 0)? as usize);
    }
    if let Some(window) = c.maybe_var(4, "window")? {
        settings = settings.window(window);
    }
    Ok(if c.text(6, "pad_mode") == Some("constant") {
        settings.padding(Padding::Constant(0.0))
    } else {
        settings
    })
}
