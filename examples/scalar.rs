//! A first program: a value, its gradient, second derivatives in two ways, and an error that names its line.
//!
//! `cargo run --example scalar`

use retrograde::{ErrorKind, Result, Tape, Tensor};

fn main() -> Result<()> {
    // A variable is what gradients are taken with respect to. Every operation runs at once and is recorded.
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let c = tape.constant(&Tensor::from([4.0, 0.5]));
    let y = (c * x * x * x).sum();
    println!("y       = Σ c x³ = {}", y.item()?);
    assert_eq!(y.item()?, 8.0);

    // Reverse mode: plain tensors, one for every variable.
    let gradient = y.backward()?.wrt(x)?.clone();
    println!("∇y      = 3 c x² = {gradient}");
    assert_eq!(gradient.to_vec(), [12.0, 6.0]);

    // The same as variables on the tape, to be differentiated again.
    let [first] = tape.vjp(y, &Tensor::scalar(1.0), [x])?;
    let [second] = tape.vjp(first, &Tensor::from([1.0, 1.0]), [x])?;
    println!("∇²y · 1 = 6 c x  = {}", second.value()?);
    assert_eq!(second.value()?.to_vec(), [24.0, 6.0]);

    // Forward mode over reverse mode: the Hessian along a direction.
    let along = tape.jvp(first, [(x, &Tensor::from([1.0, -2.0]))])?;
    println!("∇²y · v          = {}", along.value()?);
    assert_eq!(along.value()?.to_vec(), [24.0, -12.0]);

    // A mistake travels with the value to where a number is asked for, and names the line that made it.
    let wrong = (x + tape.constant(&Tensor::from([1.0, 2.0, 3.0]))).exp().sum();
    let error = wrong.backward().unwrap_err();
    println!("{error}");
    assert!(matches!(error.kind(), ErrorKind::Broadcast { .. }));
    assert_eq!(error.operation(), Some("add"));
    assert_eq!(error.location().map(|line| line.line()), Some(line!() - 5));
    Ok(())
}
