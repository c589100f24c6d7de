//! Losses.

use crate::call::{Call, No, Operand, V, table};
use crate::reader::Arg;
use retrograde::loss::{
    BinaryCrossEntropy, CrossEntropy, Ctc, GaussianNll, KlDivergence, MultiMargin, MultilabelSoftMargin, Nll,
    PoissonNll, Targets, TripletMargin,
};
use retrograde::{Reduction, Tensor};

table! {
    "nn.functional.mse_loss" => |c| { let (x, t) = against(c)?; x.mse(t, reduction(c)) };
    "nn.functional.l1_loss" => |c| { let (x, t) = against(c)?; x.l1_loss(t, reduction(c)) };
    "nn.functional.huber_loss" => |c| {
        let (x, t) = against(c)?;
        x.huber(t, c.number(usize::MAX, "delta", 1.0)?, reduction(c))
    };
    "nn.functional.smooth_l1_loss" => |c| {
        let (x, t) = against(c)?;
        x.smooth_l1(t, c.number(usize::MAX, "beta", 1.0)?, reduction(c))
    };
    "nn.functional.binary_cross_entropy" => |c| {
        let (x, t) = against(c)?;
        x.binary_cross_entropy(t, binary(c)?)
    };
    "nn.functional.binary_cross_entropy_with_logits" => |c| {
        let (x, t) = against(c)?;
        x.binary_cross_entropy_with_logits(t, binary(c)?)
    };
    "nn.functional.multilabel_soft_margin_loss" => |c| {
        let ((x, t), how) = (against(c)?, MultilabelSoftMargin::new().reduction(reduction(c)));
        x.multilabel_soft_margin_loss(t, match weight(c, 2)? { Some(weight) => how.weight(&weight), None => how })
    };
    "nn.functional.cross_entropy" => |c| c.x()?.cross_entropy(targets(c, 1)?, classes(c, 2)?);
    "nn.functional.linear_cross_entropy" => |c| linear_cross_entropy(c)?;
    "nn.functional.nll_loss" => |c| {
        let how = Nll::new().axis(class_axis(c.x()?)).reduction(reduction(c));
        let how = how.ignore_index(c.int(usize::MAX, "ignore_index", -100)? as i64);
        let how = match weight(c, 2)? { Some(weight) => how.weight(&weight), None => how };
        c.x()?.nll_loss(&c.integers(1, "target")?, how)
    };
    "nn.functional.kl_div" => |c| {
        let (x, t) = against(c)?;
        x.kl_div(t, KlDivergence::new().log_target(flag(c, "log_target", false)).reduction(reduction(c)))
    };
    "nn.functional.poisson_nll_loss" => |c| {
        let how = PoissonNll::new().log_input(flag(c, "log_input", true)).full(flag(c, "full", false));
        let (x, t) = against(c)?;
        x.poisson_nll_loss(t, how.eps(c.number(usize::MAX, "eps", 1e-8)?).reduction(reduction(c)))
    };
    "nn.functional.gaussian_nll_loss" => |c| gaussian(c)?;
    "nn.functional.hinge_embedding_loss" => |c| {
        let (x, y) = against(c)?;
        x.hinge_embedding_loss(y, c.number(2, "margin", 1.0)?, reduction(c))
    };
    "nn.functional.margin_ranking_loss" => |c| {
        let (y, margin) = (c.var(2, "target")?, c.number(3, "margin", 0.0)?);
        c.x()?.margin_ranking_loss(c.var(1, "input2")?, y, margin, reduction(c))
    };
    "nn.functional.soft_margin_loss" => |c| { let (x, y) = against(c)?; x.soft_margin_loss(y, reduction(c)) };
    "nn.functional.multi_margin_loss" => |c| {
        let (x, labels) = rows(c)?;
        let how = MultiMargin::new().p(c.int(2, "p", 1)? as u32).margin(c.number(3, "margin", 1.0)?);
        let how = match weight(c, 4)? { Some(weight) => how.weight(&weight), None => how };
        x.multi_margin_loss(&labels, how.reduction(reduction(c)))
    };
    "nn.functional.multilabel_margin_loss" => |c| {
        let (x, labels) = (c.x()?, c.integers(1, "target")?);
        let number = x.shape().is_empty();
        let (x, labels) = if number { (x.unsqueeze(0), labels.unsqueeze(0)?) } else { (x, labels) };
        x.multilabel_margin_loss(&labels, reduction(c))
    };
    "nn.functional.cosine_embedding_loss" => |c| {
        let (y, margin) = (c.var(2, "target")?, c.number(3, "margin", 0.0)?);
        c.x()?.cosine_embedding_loss(c.var(1, "input2")?, y, margin, reduction(c))
    };
    "nn.functional.triplet_margin_loss" => |c| {
        c.x()?.triplet_margin_loss(c.var(1, "positive")?, c.var(2, "negative")?, triplet(c)?)
    };
    "nn.functional.triplet_margin_with_distance_loss" => |c| {
        if c.has(usize::MAX, "distance_function") {
            return Err(No::Form("a function as an argument"));
        }
        let distance = |x: V<'t>, y| x.pairwise_distance(y, 2.0, 1e-6);
        c.x()?.triplet_margin_loss_by(c.var(1, "positive")?, c.var(2, "negative")?, distance, triplet(c)?)
    };
    "nn.functional.ctc_loss" => |c| {
        let counts = |place, name: &str| -> Result<Vec<usize>, No> {
            Ok(match c.arg(place, name) {
                Some(Arg::Tensor(_)) => c.integers(place, name)?.iter().map(|n| n as usize).collect(),
                _ => c.ints(place, name)?.into_iter().map(|n| n as usize).collect(),
            })
        };
        let how = Ctc::new().blank(c.int(4, "blank", 0)? as usize).zero_infinity(flag(c, "zero_infinity", false));
        let (frames, labels) = (counts(2, "input_lengths")?, counts(3, "target_lengths")?);
        c.x()?.ctc_loss(&c.integers(1, "targets")?, &frames, &labels, how.reduction(reduction(c)))
    };
}

/// The prediction and the target, of one shape as in PyTorch's samples.
fn against<'t>(c: &Call<'t, '_>) -> Result<(V<'t>, V<'t>), No> {
    Ok((c.x()?, c.var(1, "target")?))
}

fn flag(c: &Call, name: &str, default: bool) -> bool {
    c.flag(usize::MAX, name, default)
}

fn reduction(c: &Call) -> Reduction {
    match c.text(usize::MAX, "reduction") {
        Some("batchmean") => Reduction::BatchMean,
        _ => c.reduction(),
    }
}

fn weight(c: &Call, place: usize) -> Result<Option<Tensor<f64>>, No> {
    Ok(c.maybe_var(place, "weight")?.map(|weight| weight.value()).transpose()?)
}

fn binary(c: &Call) -> Result<BinaryCrossEntropy<f64>, No> {
    let mut how = BinaryCrossEntropy::new().reduction(reduction(c));
    if let Some(weight) = weight(c, 2)? {
        how = how.weight(&weight);
    }
    if let Some(weight) = c.maybe_var(usize::MAX, "pos_weight")? {
        how = how.pos_weight(&weight.value()?);
    }
    Ok(how)
}

/// Classes are the second axis there, or the only one.
fn class_axis(x: V<'_>) -> isize {
    if x.shape().len() < 2 { 0 } else { 1 }
}

fn targets<'t>(c: &Call<'t, '_>, place: usize) -> Result<Targets<'t, f64>, No> {
    match c.arg(place, "target") {
        Some(Arg::Tensor(n)) => Ok(match &c.operands[*n] {
            Operand::Var(q) => Targets::Var(*q),
            Operand::Integers(labels) => Targets::Labels(labels.clone()),
        }),
        _ => Err(No::Form("no tensor where one is meant")),
    }
}

fn classes(c: &Call, place: usize) -> Result<CrossEntropy<f64>, No> {
    let how = CrossEntropy::new().axis(class_axis(c.x()?)).reduction(reduction(c));
    let how = how.ignore_index(c.int(usize::MAX, "ignore_index", -100)? as i64);
    let how = how.label_smoothing(c.number(usize::MAX, "label_smoothing", 0.0)?);
    Ok(match weight(c, place)? {
        Some(weight) => how.weight(&weight),
        None => how,
    })
}

/// Weights there are `[classes, d1.., in]`, and logits `[n, classes, d1..]`.
fn linear_cross_entropy<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, w) = (c.x()?, c.var(1, "linear_weight")?);
    let shape = w.shape();
    let (out, inner) = (&shape[..shape.len() - 1], shape[shape.len() - 1]);
    let w = w.reshape([out.iter().product(), inner]).t();
    let b = c.maybe_var(usize::MAX, "linear_bias")?.map(|b| b.ravel());
    let batch = x.shape();
    let logits = x.linear(w, b).reshape([&batch[..batch.len() - 1], out].concat());
    Ok(logits.cross_entropy(targets(c, 2)?, classes(c, usize::MAX)?))
}

/// Variances there may have an axis less.
fn gaussian<'t>(c: &Call<'t, '_>) -> Result<V<'t>, No> {
    let (x, t, mut variance) = (c.x()?, c.var(1, "target")?, c.var(2, "var")?);
    let shape = x.shape();
    if variance.shape() != shape && !shape.is_empty() && variance.shape()[..] == shape[..shape.len() - 1] {
        variance = variance.unsqueeze(-1);
    }
    let how = GaussianNll::new().full(flag(c, "full", false)).eps(c.number(usize::MAX, "eps", 1e-6)?);
    Ok(x.gaussian_nll_loss(t, variance, how.reduction(reduction(c))))
}

/// A number there is one class, and the label of one row may have an axis.
fn rows<'t>(c: &Call<'t, '_>) -> Result<(V<'t>, Tensor<i64>), No> {
    let (x, labels) = (c.x()?, c.integers(1, "target")?);
    let x = if x.shape().is_empty() { x.unsqueeze(0) } else { x };
    Ok(if x.shape().len() == 1 { (x, labels.reshape([0usize; 0])?) } else { (x, labels) })
}

fn triplet(c: &Call) -> Result<TripletMargin, No> {
    let how = TripletMargin::new().margin(c.number(3, "margin", 1.0)?).p(c.number(4, "p", 2.0)?);
    let how = how.eps(c.number(5, "eps", 1e-6)?).swap(flag(c, "swap", false));
    Ok(how.reduction(reduction(c)))
}
