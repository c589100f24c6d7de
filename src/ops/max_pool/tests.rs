//! Ties and NaNs.

use super::Pool;
use crate::tape::Tape;
use crate::tensor::Tensor;

#[test]
fn a_tie_goes_to_the_first_by_every_rule() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[2.0, 2.0, 1.0, 1.0]]));
    let y = x.max_pool1d(Pool::new(2));
    let seed = Tensor::from([[1.0, 10.0]]);
    for g in [y.backward_with(&seed).unwrap(), y.backward_by_written_rules(&seed).unwrap()] {
        assert_eq!(g.wrt(x).unwrap().to_vec(), [1.0, 0.0, 10.0, 0.0]);
    }
    let dy = tape.jvp(y, [(x, &Tensor::from([[1.0, 2.0, 3.0, 4.0]]))]).unwrap();
    assert_eq!(dy.value().unwrap().to_vec(), [1.0, 3.0]);
}

#[test]
fn a_nan_is_the_largest() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[3.0, f64::NAN, 4.0, 5.0]]));
    let (y, places) = x.max_pool1d_with_indices(Pool::new(2)).unwrap();
    let y = y.value().unwrap().to_vec();
    assert!(y[0].is_nan() && y[1] == 5.0);
    assert_eq!(places.to_vec(), [1, 3]);
}
