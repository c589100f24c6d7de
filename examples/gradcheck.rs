//! Derivatives against finite differences: a small network, an activation of one's own at three orders and in single
//! precision, a rule that is wrong, and a kink.
//!
//! `cargo run --example gradcheck`

use retrograde::{
    Check, Elementwise, ErrorKind, Generator, Gradcheck, Modes, Number, Reduction, Result, Tensor, Var,
    gradcheck,
};

/// x · σ(1.702 x): ten lines make an activation with fused kernels and derivatives of every order.
#[derive(Clone, Copy)]
struct QuickGelu;

impl Elementwise for QuickGelu {
    const NAME: &'static str = "quick_gelu";
    fn f<N: Number>(self, x: N) -> N {
        x * (x * x.lit(1.702)).sigmoid()
    }
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let u = x * x.lit(1.702);
        u.sigmoid() + u * u.sigmoid() * (-u).sigmoid()
    }
}

/// Two layers with the activation between them, and the loss of the classes 0, 2, 1.
fn network<'t>(v: &[Var<'t, f64>]) -> Var<'t, f64> {
    let [x, w1, b1, w2, b2] = [v[0], v[1], v[2], v[3], v[4]];
    let hidden = x.linear(w1, b1).elementwise(QuickGelu);
    hidden.linear(w2, b2).cross_entropy(&Tensor::from([0, 2, 1]), Reduction::Mean)
}

/// The cube with the derivative 3x² + 10⁻⁶.
fn cube<'t>(v: &[Var<'t, f64>]) -> Var<'t, f64> {
    v[0].tape().record(
        "cube",
        v,
        |x| x[0].map(|x| x * x * x),
        |at| at.one(at.g(0) * (at.x(0).square() * 3.0 + 1e-6)),
    )
}

fn main() -> Result<()> {
    let mut random = Generator::new(1);
    let mut normal = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 1.0, &mut random);
    let inputs = [normal(&[3, 4])?, normal(&[4, 6])?, normal(&[6])?, normal(&[6, 3])?, normal(&[3])?];
    let third_order = Gradcheck { order: 3, ..Gradcheck::default() };

    println!("a network: x, W₁, b₁, W₂, b₂");
    let report = gradcheck(network, &inputs)?;
    println!("{report}\n");
    assert!(report.passed() && report.of(Check::Vjp).count() == 5);

    println!("quick_gelu, three orders");
    let x = [Tensor::linspace(-6.0, 6.0, 25)?];
    let report = third_order.run(|v| v[0].elementwise(QuickGelu), &x)?;
    println!("{report}\n");
    assert!(report.passed());

    println!("the same in single precision");
    let single = [x[0].map(|x| x as f32)?];
    let report = Gradcheck::default().run::<f32>(|v| v[0].elementwise(QuickGelu), &single)?;
    println!("{report}\n");
    assert!(report.passed());

    println!("a cube whose derivative is off by one in a million");
    let reverse = Gradcheck { modes: Modes::Reverse, ..Gradcheck::default() };
    let report = reverse.run(cube, &x)?;
    println!("{report}");
    let error = report.into_result().unwrap_err();
    println!("{error}\n");
    assert!(matches!(error.kind(), ErrorKind::GradientMismatch { check: "vjp", input: 0, .. }));

    println!("relu at its kink: nothing is wrong, and there is nothing to compare with");
    let report = Gradcheck::default().run(|v| v[0].relu(), &[Tensor::from([-1.0, 0.0, 1.0])])?;
    println!("{report}");
    let error = report.into_result().unwrap_err();
    println!("{error}");
    assert!(matches!(error.kind(), ErrorKind::Kink { subgradient: true, .. }));
    Ok(())
}
