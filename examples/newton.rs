//! Minimises Rosenbrock's function in 100 dimensions by Newton's method, without a Hessian: truncated conjugate
//! gradients ask for its products with vectors alone, and `functional::hvp` gives them.
//!
//! `cargo run --release --example newton`

use indicatif::ProgressBar;
use retrograde::functional::{hvp, value_and_grad};
use retrograde::{Result, Tensor, Var};
use std::time::Instant;

const DIMENSIONS: usize = 100;
const WANTED: f64 = 1e-10;

/// `Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²`: a curved valley in which each coordinate holds its neighbours back.
fn rosenbrock<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
    let (a, b) = (x.slice(0, ..-1), x.slice(0, 1..));
    ((b - a.square()).square() * 100.0 + (1.0 - a).square()).sum()
}

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<f64> {
    a.matmul(b)?.item()
}

/// A direction of descent, and what it took.
struct Direction {
    d: Tensor<f64>,
    products: usize,
    negative: bool,
}

/// Conjugate gradients on `H d = −g`, until the residual is a small part of `g` or the curvature is not positive:
/// then what has been gathered so far, at first the steepest descent, still leads down.
fn direction(x: &Tensor<f64>, g: &Tensor<f64>) -> Result<Direction> {
    let norm = dot(g, g)?.sqrt();
    // The forcing term that makes the last steps of Newton's method superlinear.
    let tolerance = norm * norm.sqrt().min(0.5);
    let mut d = Tensor::zeros([DIMENSIONS])?;
    let mut residual = g.clone();
    let mut p = -g;
    let mut square = dot(&residual, &residual)?;
    for k in 0..2 * DIMENSIONS {
        let [hp] = hvp(|[x]| rosenbrock(x), [x], [&p])?;
        let curvature = dot(&p, &hp)?;
        if curvature <= 0.0 {
            let d = if k == 0 { -g } else { d };
            return Ok(Direction { d, products: k + 1, negative: true });
        }
        let alpha = square / curvature;
        d += &p * alpha;
        residual += hp * alpha;
        let next = dot(&residual, &residual)?;
        if next.sqrt() <= tolerance {
            return Ok(Direction { d, products: k + 1, negative: false });
        }
        p = p * (next / square) - &residual;
        square = next;
    }
    Ok(Direction { d, products: 2 * DIMENSIONS, negative: false })
}

fn main() -> Result<()> {
    let start = Instant::now();
    let mut x = Tensor::from_fn([DIMENSIONS], |i| if i[0] % 2 == 0 { -1.2 } else { 1.0 })?;
    let (mut products, mut evaluations, mut negative) = (0, 0, 0);
    let mut evaluate = |x: &Tensor<f64>| -> Result<(f64, Tensor<f64>)> {
        evaluations += 1;
        let (f, [g]) = value_and_grad(|[x]| rosenbrock(x), [x])?;
        Ok((f.item()?, g))
    };
    let (mut f, mut g) = evaluate(&x)?;
    let bar = ProgressBar::new_spinner();
    let mut steps = 0;
    println!("step            f       ‖∇f‖   length   products");
    loop {
        let norm = dot(&g, &g)?.sqrt();
        if norm < WANTED || steps == 500 {
            println!("{steps:4} {f:12.4e} {norm:10.2e}");
            break;
        }
        let found = direction(&x, &g)?;
        products += found.products;
        negative += usize::from(found.negative);
        // Armijo's rule: at least a small part of the decrease that the slope promises.
        let slope = dot(&g, &found.d)?;
        let mut length = 1.0;
        let (next, below, gradient) = loop {
            let next = &found.d * length + &x;
            let (below, gradient) = evaluate(&next)?;
            if below <= f + 1e-4 * length * slope || length < 1e-10 {
                break (next, below, gradient);
            }
            length *= 0.5;
        };
        if steps % 25 == 0 || norm < 1e-2 {
            let mark = if found.negative { "  negative curvature" } else { "" };
            bar.suspend(|| {
                println!("{steps:4} {f:12.4e} {norm:10.2e} {length:8.1e} {:10}{mark}", found.products);
            });
        }
        (x, f, g) = (next, below, gradient);
        steps += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();

    let norm = dot(&g, &g)?.sqrt();
    let distance = x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    println!("{steps} steps, of them {negative} along negative curvature");
    println!(
        "{evaluations} gradients, {products} Hessian-vector products in {:.2} s",
        start.elapsed().as_secs_f64()
    );
    println!("‖∇f‖ = {norm:.1e}, f = {f:.1e}, and every coordinate within {distance:.1e} of 1");
    assert!(norm < WANTED, "{norm:e}");
    assert!(distance < 1e-9, "{distance:e}");
    assert!(negative > 0, "the start is where the Hessian is indefinite");
    Ok(())
}
