//! Cases that are programs of several operations, by their own names.

use crate::call::table;
use retrograde::{AttentionOptions, Reduction, Var};

table! {
    "conventions:where/0" => |c| {
        let x = c.x()?;
        Var::where_(x.gt(0.0), x.sqrt(), c.tape.scalar(0.0))
    };
    "conventions:where/2" => |c| {
        let x = c.x()?;
        Var::where_(x.eq(0.0), c.tape.scalar(1.0), x.sin() / x)
    };
    "conventions:masked_fill/0" => |c| {
        Var::where_(c.var(1, "m")?, c.tape.scalar(f64::NEG_INFINITY), c.x()?).softmax(-1)
    };
    "conventions:expand/0" => |c| c.x()?.expand([3, 2]);
    "extra:logsumexp/4" => |c| {
        let t = c.var(1, "t")?;
        t * (c.x()? / t).logsumexp_axes(-1)
    };
    "extra:nn.functional.softmax/0" => |c| (c.var(1, "s")? * c.x()?).softmax(-1);
    "extra:mlp/0" => |c| {
        let [x, w1, b1, w2, b2, y] = [0, 1, 2, 3, 4, 5].map(|i| c.var(i, ""));
        x?.linear(w1?.t(), b1?).tanh().linear(w2?.t(), b2?).mse(y?, Reduction::Mean)
    };
    "extra:attention/0" => |c| {
        let [q, k, v] = [0, 1, 2].map(|i| c.var(i, ""));
        q?.attention(k?, v?, AttentionOptions { scale: Some(0.5), ..Default::default() })
    };
    "extra:logistic_map/0" => |c| {
        let r = c.var(1, "r")?;
        (0..30).fold(c.x()?, |x, _| r * x * (1.0 - x))
    };
    "extra:rosenbrock/0" => |c| {
        let (low, high) = (c.x()?.slice(0, ..-1), c.x()?.slice(0, 1..));
        ((high - low.square()).square() * 100.0 + (1.0 - low).square()).sum()
    };
    "extra:gmm_nll/0" => |c| {
        let [x, a, m, s] = [0, 1, 2, 3].map(|i| c.var(i, ""));
        let (s, half) = (s?, 0.5 * (2.0 * std::f64::consts::PI).ln());
        let z = (x?.unsqueeze(1) - m?) * (-s).exp();
        let density = (z.square() * -0.5 - s - half).sum_axes(-1) + a?.log_softmax(-1);
        -density.logsumexp_axes(-1).sum()
    };
}
