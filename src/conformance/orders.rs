//! What must hold of second and third derivatives, and of all three orders where inputs fan out.

use super::Found;
use super::case::{Case, Point, STEP, flat};
use crate::gradcheck::five_points;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// How often a program uses its inputs.
#[derive(Clone, Copy)]
enum Use {
    Once,
    /// f(x) + 2 f(¾x + ¼x): two operations use each input, which comes to f on two paths. The derivatives are three
    /// times those of f.
    FannedOut,
}

/// What some derivatives made of the output: a tangent of its shape, or, once a reverse sweep has contracted that
/// with the cotangent, a gradient of the inputs' shapes.
enum Derivative<'t> {
    Tangent(Var<'t, f64>),
    Gradient(Vec<Var<'t, f64>>),
}

#[derive(Clone, Copy)]
enum Mode {
    Forward,
    Reverse,
}

/// ⟨g, u⟩ on the tape.
fn contracted<'t>(g: &[Var<'t, f64>], u: &[Tensor<f64>], tape: &'t Tape<f64>) -> Var<'t, f64> {
    g.iter().zip(u).fold(tape.scalar(0.0), |sum, (g, u)| sum + (*g * tape.constant(u)).sum())
}

fn values(vars: &[Var<'_, f64>]) -> crate::Result<Vec<Tensor<f64>>> {
    vars.iter().map(|x| x.value()).collect()
}

impl Case<'_> {
    fn program<'t>(
        &self,
        uses: Use,
        tape: &'t Tape<f64>,
        x: &[Tensor<f64>],
    ) -> (Vec<Var<'t, f64>>, Var<'t, f64>) {
        let (vars, y) = self.run(tape, x);
        match uses {
            Use::Once => (vars, y),
            Use::FannedOut => {
                let again: Vec<_> = vars.iter().map(|&x| x * 0.75 + x * 0.25).collect();
                (vars, y + (self.sample.f64)(&again) * 2.0)
            }
        }
    }

    /// The gradient of ⟨c, f⟩, of ⟨∇, u⟩, of ⟨∇⟨∇, u⟩, w⟩: reverse mode throughout, the last time without recording.
    fn reverse(
        &self,
        uses: Use,
        x: &[Tensor<f64>],
        c: &Tensor<f64>,
        along: &[Vec<Tensor<f64>>],
    ) -> Vec<Tensor<f64>> {
        let tape = Tape::new();
        let (vars, y) = self.program(uses, &tape, x);
        let mut y = (y * tape.constant(c)).sum();
        for direction in along {
            let g = self.ok("vjp", tape.vjp_with(y, &Tensor::scalar(1.0), &vars));
            y = contracted(&g, direction, &tape);
        }
        let grads = self.ok("backward", y.backward());
        vars.iter().map(|&x| grads.wrt(x).unwrap().clone()).collect()
    }

    /// The derivative of f along all of the directions: forward mode throughout.
    fn forward(&self, x: &[Tensor<f64>], along: &[Vec<Tensor<f64>>]) -> Tensor<f64> {
        let tape = Tape::new();
        let (vars, mut y) = self.run(&tape, x);
        for direction in along {
            y = self.ok("forward mode", tape.jvp(y, vars.iter().copied().zip(direction)));
        }
        self.ok("forward mode", y.value())
    }

    /// The next derivative, by a recorded sweep.
    fn differentiated<'t>(
        &self,
        what: &Derivative<'t>,
        mode: Mode,
        vars: &[Var<'t, f64>],
        c: &Tensor<f64>,
        direction: &[Tensor<f64>],
    ) -> crate::Result<Derivative<'t>> {
        let tape = vars[0].tape();
        let jvp = |y| tape.jvp(y, vars.iter().copied().zip(direction));
        match (what, mode) {
            (&Derivative::Tangent(y), Mode::Forward) => jvp(y).map(Derivative::Tangent),
            (&Derivative::Tangent(y), Mode::Reverse) => tape.vjp_with(y, c, vars).map(Derivative::Gradient),
            (Derivative::Gradient(g), Mode::Forward) => {
                g.iter().map(|&g| jvp(g)).collect::<crate::Result<_>>().map(Derivative::Gradient)
            }
            (Derivative::Gradient(g), Mode::Reverse) => {
                let y = contracted(g, direction, tape);
                tape.vjp_with(y, &Tensor::scalar(1.0), vars).map(Derivative::Gradient)
            }
        }
    }

    /// All nestings of the modes at orders 1 to 3, on one tape, against `times` the gradients by reverse mode: those
    /// with a reverse sweep in them element by element, forward mode alone by ⟨c, Dⁿf[u, …]⟩ = ⟨∇, …⟩.
    fn nestings<'t>(
        &self,
        kind: &str,
        (vars, y): &(Vec<Var<'t, f64>>, Var<'t, f64>),
        at: &Point,
        gradients: [&[Tensor<f64>]; 3],
        times: f64,
    ) {
        let mut level = vec![(String::new(), 0, Derivative::Tangent(*y))];
        for (order, gradient) in gradients.into_iter().enumerate() {
            let wanted: Vec<Tensor<f64>> = gradient.iter().map(|g| g * times).collect();
            let tolerance = [1e-12, 1e-11, 1e-11][order];
            let mut next = Vec::new();
            for (inner, tangents, what) in &level {
                for (outer, mode) in [("forward", Mode::Forward), ("reverse", Mode::Reverse)] {
                    let label =
                        if inner.is_empty() { outer.to_owned() } else { format!("{outer} over {inner}") };
                    let said = format!("{kind}{label}");
                    let direction = &at.along[*tangents];
                    let found = self.ok(&said, self.differentiated(what, mode, vars, &at.c, direction));
                    // A reverse sweep takes its cotangent first, and no direction for that.
                    let used = match (what, &found) {
                        (Derivative::Tangent(_), Derivative::Gradient(_)) => *tangents,
                        _ => tangents + 1,
                    };
                    match &found {
                        Derivative::Tangent(t) => {
                            let t = self.ok(&said, t.value());
                            self.transposed(&said, [&at.c, &t], [&wanted, &at.along[order]], tolerance, 1.0);
                        }
                        Derivative::Gradient(g) => {
                            let g = self.ok(&said, values(g));
                            self.close(&said, &g, &flat(&wanted), tolerance);
                        }
                    }
                    next.push((label, used, found));
                }
            }
            level = next;
        }
    }

    /// That second derivatives which are zero by the rules are so by differences of the gradient and of the value.
    pub(super) fn proven_zero(&self, at: &Point) {
        let u = &at.along[0];
        let of_gradient = self.differences(u, |x| flat(&self.reverse(Use::Once, x, &at.c, &[])));
        let zeros = |n: &[f64]| vec![Tensor::zeros([n.len()]).unwrap()];
        self.close("no second derivative", &zeros(&of_gradient), &of_gradient, 1e-10);
        // (−f(2h) + 16 f(h) − 30 f(0) + 16 f(−h) − f(−2h)) / 12h², as differences of first differences.
        let of_value = |t: f64| {
            let tape = Tape::new();
            Ok(self.run(&tape, &self.moved(u, t)).1.value()?.to_vec())
        };
        let slope = |t: f64| five_points(STEP, |s| of_value(t + s));
        let of_value = self.ok("value", five_points(STEP, slope));
        self.close("no second derivative of the value", &zeros(&of_value), &of_value, 1e-7);
    }

    /// The checks of orders 2 and 3 and of fan-out.
    pub(super) fn higher_orders(&self, at: &Point, found: &mut Found, list_nodes: bool) {
        let [u, w, v] = &at.along;
        let (c, along) = (&at.c, &at.along);

        // Reverse mode throughout, against differences of the order below.
        let second = self.reverse(Use::Once, &self.x, c, &along[..1]);
        let numeric = self.differences(u, |x| flat(&self.reverse(Use::Once, x, c, &[])));
        self.close("order 2", &second, &numeric, 1e-7);
        let third = self.reverse(Use::Once, &self.x, c, &along[..2]);
        let numeric = self.differences(w, |x| flat(&self.reverse(Use::Once, x, c, &along[..1])));
        self.close("order 3", &third, &numeric, 1e-5);

        // Forward mode throughout, likewise.
        let bent = self.forward(&self.x, &along[..2]);
        let numeric = self.differences(w, |x| self.forward(x, &along[..1]).to_vec());
        self.close("forward order 2", std::slice::from_ref(&bent), &numeric, 1e-7);
        let twisted = self.forward(&self.x, along);
        let numeric = self.differences(v, |x| self.forward(x, &along[..2]).to_vec());
        self.close("forward order 3", &[twisted], &numeric, 1e-5);

        if flat(&second).into_iter().chain(bent.iter()).all(|d| d.abs() <= 1e-12) {
            self.proven_zero(at);
        } else {
            found.curved = true;
        }

        // Every nesting of the modes, and the same tape swept before and after that.
        let tape = Tape::new();
        let program = self.program(Use::Once, &tape, &self.x);
        let (vars, y) = &program;
        let sweep = || {
            let grads = self.ok("backward", y.backward_with(c));
            let recorded = self.ok("vjp", tape.vjp_with(*y, c, vars).and_then(|g| values(&g)));
            let tangent = self.ok("jvp", tape.jvp(*y, vars.iter().copied().zip(u)).and_then(|t| t.value()));
            let plain: Vec<_> = vars.iter().map(|&x| grads.wrt(x).unwrap().clone()).collect();
            [plain, recorded, vec![tangent]]
        };
        let before = sweep();
        self.nestings("", &program, at, [&at.gradient, &second, &third], 1.0);
        for ((before, after), mode) in before.iter().zip(&sweep()).zip(["backward", "vjp", "jvp"]) {
            self.identical(&format!("{mode} again"), before, after);
        }
        if list_nodes {
            let names = tape.to_string();
            found
                .operations
                .extend(names.lines().filter_map(|line| line.split(' ').nth(2)).map(str::to_owned));
        }

        // Fan-out at every order in every mode.
        let gradients = [&at.gradient, &second, &third];
        for (order, g) in gradients.into_iter().enumerate() {
            let fanned = self.reverse(Use::FannedOut, &self.x, c, &along[..order]);
            let wanted: Vec<f64> = flat(g).iter().map(|g| g * 3.0).collect();
            self.close(&format!("fan-out, order {}", order + 1), &fanned, &wanted, 1e-11);
        }
        let tape = Tape::new();
        let program = self.program(Use::FannedOut, &tape, &self.x);
        self.nestings("fan-out, ", &program, at, gradients.map(Vec::as_slice), 3.0);
    }
}
