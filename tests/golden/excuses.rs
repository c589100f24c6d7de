//! The cases that differ from PyTorch for a reason. Each names what differs, by which route if not by all, and in how
//! many elements exactly; the test fails when a case differs in anything else, or no longer does.

const SINGLE: &str = "PyTorch rounds a constant to single precision (α of celu, 1/6 of hardsigmoid)";
const EXACT: &str = "ours is exact, where PyTorch is linear above a threshold";
const NEGATIVE: &str = "a λ below 0 is an error";
const NAN: &str = "the derivative at a NaN is NaN: nothing hides one";
const ORIGIN: &str = "derivatives of distances and angles at the origin are 0, not NaN";
const ONE_SIDE: &str =
    "x = 0 belongs to the left branch at every order; PyTorch's second order takes it to the right one";
const KINK: &str = "at the kink the second derivative is that of the parabola, whose first it has";
const ORDER: &str = "∞ − ∞, summed in another order";
const MINUS_ZERO: &str = "(−0)^−½ is ∞; PyTorch takes the reciprocal root, −∞";
const POWER: &str = "a power of 0 has derivative 0 by its exponent, at every order";
const NOTHING: &str = "NaN, the mean of nothing or the variance of too few, has the derivative NaN";
const POLE: &str = "infinite at a pole, where PyTorch rounds πx";
const CONSTANT: &str = "0 ln y is constant in y: derivatives 0, also at y = 0";
const LIMIT: &str = "the second derivative has its limit, PyTorch's is NaN";
const DOMAIN: &str = "infinite at the ends of the domain, NaN outside, at every order";
const STEP: &str = "the derivative of |x| is 0 at 0, at every order";
const WHICH: &str = "of equal elements ours returns them in their order, PyTorch in none that it promises";
const BELOW: &str =
    "a norm below ε is a constant at every order; PyTorch's second order divides by the norm all the same";
const DENOMINATOR: &str = "PyTorch adds 10⁻¹² to a denominator of the second derivative";
const CERTAIN: &str =
    "exact by a probability of 0 or 1: 1 where the target is met, and 10⁻¹² not in single precision";
const NOT_NORMALISED: &str = "PyTorch's gradient is right behind log_softmax alone";
const TRACE: &str = "the sum of equal eigenvalues is a trace, with second derivative 0, PyTorch's is NaN; each by itself has \
     none, and its subgradient in a recorded sweep is by another basis of the eigenspace";
const SINGULAR: &str = "the sum of equal singular values has this second derivative, PyTorch's is NaN";
const MEAN: &str =
    "the largest of equal singular values has the derivatives of their mean, PyTorch's second one is NaN";
const RANK: &str =
    "no second derivative where the rank changes; PyTorch, forward over reverse, gives ours, too";
const NO_ROWS: &str = "−∞ of a row of −∞ has derivative 0";

/// A case, what differs in it, and why.
pub const EXCUSES: &[(&str, &str, &str)] = &[
    ("nn.functional.celu/2", "grad=7 jvp=7 gg=7", SINGLE),
    ("nn.functional.celu/4", "grad=20 jvp=20 gg=20", SINGLE),
    ("nn.functional.hardsigmoid/2", "grad=9", SINGLE),
    ("nn.functional.hardsigmoid/4", "grad=30", SINGLE),
    ("conventions:nn.functional.hardsigmoid/0", "grad=1", SINGLE),
    ("conventions:nn.functional.softplus/0", "out=1 grad=1 jvp=1 gg=2", EXACT),
    ("nn.functional.hardshrink/2", "out=1", NEGATIVE),
    ("conventions:clamp/0", "grad=1 jvp=1 gg=1", NAN),
    ("conventions:clamp/4", "grad=6 jvp=2 gg=6", NAN),
    ("conventions:clamp_min/0", "grad=1 jvp=1 gg=1", NAN),
    ("conventions:clamp_max/0", "grad=1 jvp=1 gg=1", NAN),
    ("conventions:maximum/0", "grad=6 jvp=3 gg=6", NAN),
    ("conventions:minimum/0", "grad=6 jvp=3 gg=6", NAN),
    ("conventions:atan2/0", "gg=2", ORIGIN),
    ("conventions:hypot/0", "grad=2 jvp=1 gg=2", ORIGIN),
    ("conventions:std/0", "jvp=1", ORIGIN),
    ("conventions:linalg.vector_norm/2", "gg=3", ORIGIN),
    ("conventions:linalg.vector_norm/6", "jvp=1 gg=3", ORIGIN),
    ("conventions:linalg.vector_norm/8", "gg=3", ORIGIN),
    ("conventions:linalg.vector_norm/10", "jvp=1", ORIGIN),
    ("conventions:norm/0", "gg=3", ORIGIN),
    ("conventions:dist/2", "jvp=1", ORIGIN),
    ("conventions:nn.functional.prelu/0", "jvp=2 gg=3", ONE_SIDE),
    ("conventions:nn.functional.smooth_l1_loss/0", "gg=4", KINK),
    ("conventions:nn.functional.huber_loss/0", "gg=4", KINK),
    ("conventions:div/0", "jvp.transposed=2 gg.reverse=2", ORDER),
    ("conventions:pow/10", "gg=1", MINUS_ZERO),
    ("conventions:float_power/0", "jvp=1 gg=4", POWER),
    ("conventions:mean/0", "jvp=1", NOTHING),
    ("conventions:var/0", "gg=1", NOTHING),
    ("conventions:var/2", "out=1 grad=2 gg=2", NOTHING),
    ("conventions:sinc/0", "jvp=2 gg=2", LIMIT),
    ("conventions:lgamma/0", "gg=1", POLE),
    ("conventions:digamma/0", "grad=1 jvp=1", POLE),
    ("conventions:logit/0", "jvp=1 gg=3", DOMAIN),
    ("conventions:fmax/0", "grad=2 jvp=1 gg=2", NAN),
    ("conventions:fmin/0", "grad=2 jvp=1 gg=2", NAN),
    ("conventions:fmod/0", "grad=1 jvp=1 gg.reverse=2 gg.forward=1 gg.mixed=2", NAN),
    ("conventions:remainder/0", "grad=1 jvp=1 gg.reverse=2 gg.forward=1 gg.mixed=2", NAN),
    ("conventions:copysign/0", "gg=1", STEP),
    ("conventions:logaddexp/0", "grad=2 jvp=1 gg=4", NO_ROWS),
    ("conventions:logaddexp2/0", "grad=2 jvp=1 gg=4", NO_ROWS),
    ("conventions:xlogy/0", "grad=1 jvp=1 gg=2", CONSTANT),
    ("conventions:special.xlog1py/0", "grad=1 jvp=1 gg=2", CONSTANT),
    ("nn.functional.binary_cross_entropy/0", "jvp=1 gg=5", DENOMINATOR),
    ("nn.functional.binary_cross_entropy/2", "jvp=1 gg=1", DENOMINATOR),
    ("nn.functional.binary_cross_entropy/4", "jvp=1 gg=5", DENOMINATOR),
    ("nn.functional.binary_cross_entropy/6", "jvp=1 gg=3", DENOMINATOR),
    ("conventions:nn.functional.binary_cross_entropy/0", "grad=2 gg=2", CERTAIN),
    ("conventions:nn.functional.ctc_loss/0", "grad=6", NOT_NORMALISED),
    ("conventions:logsumexp/0", "grad=2 jvp=1 gg=2", NO_ROWS),
    ("conventions:linalg.matrix_norm/0", "gg=4", ORIGIN),
    ("conventions:linalg.matrix_norm/2", "gg.forward=4 gg.mixed=4", MEAN),
    ("conventions:linalg.eigvalsh/0", "jvp.transposed=2 gg=4", TRACE),
    ("conventions:linalg.svdvals/0", "gg.forward=4 gg.mixed=4", SINGULAR),
    ("conventions:linalg.pinv/0", "gg.forward=6", RANK),
    ("linalg.norm.subgradients_at_zero/x0", "gg=5", ORIGIN),
    ("linalg.norm.subgradients_at_zero/x2", "gg=5", ORIGIN),
    ("linalg.norm.subgradients_at_zero/x4", "gg=5", ORIGIN),
    ("linalg.norm.subgradients_at_zero/x5", "jvp=1", ORIGIN),
    ("linalg.norm.subgradients_at_zero/x7", "gg=5", ORIGIN),
    ("conventions:kthvalue/0", "out=1 grad=2 jvp=1", WHICH),
    ("conventions:logcumsumexp/0", "grad=1 jvp=1 gg=1", NO_ROWS),
    ("conventions:linalg.vector_norm/16", "gg=3", ORIGIN),
    ("conventions:nn.functional.normalize/0", "gg=2", BELOW),
    ("conventions:nn.functional.cosine_similarity/0", "gg=2", BELOW),
];

/// Cases written by hand came without their noise, and inputs moved by an ulp do not always show it. Where a part is a
/// sum that is 0, one rounding of its terms.
/// Likewise a normalisation of two numbers, whose derivative is what ε leaves of 0: to move both by an ulp moves nothing.
pub const NOISE: &[(&str, &str, f64)] = &[
    ("nn.functional.layer_norm/4", "grad", f64::EPSILON / 4.0),
    ("nn.functional.layer_norm/4", "gg", f64::EPSILON / 4.0),
    ("nn.functional.layer_norm/4", "jvp", f64::EPSILON / 4.0),
    ("conventions:softmax/0", "gg", f64::EPSILON / 4.0),
    ("conventions:masked_fill/0", "gg", f64::EPSILON / 4.0),
    ("corrcoef/0", "gg", f64::EPSILON / 4.0),
];
