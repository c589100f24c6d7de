use super::*;
use crate::parameters;

struct Layer<P> {
    w: P,
    b: Option<P>,
    size: usize,
}
parameters!(Layer { w, b; size });

struct Model<P> {
    layers: Vec<Layer<P>>,
    pair: [P; 2],
    rest: (P, Box<Layer<P>>),
}
parameters!(Model { layers, pair, rest });

fn one(x: f64) -> Tensor<f64> {
    Tensor::from([x, x + 0.5])
}

fn model() -> Model<Tensor<f64>> {
    Model {
        layers: vec![
            Layer { w: one(0.0), b: Some(one(1.0)), size: 7 },
            Layer { w: one(2.0), b: None, size: 8 },
        ],
        pair: [one(3.0), one(4.0)],
        rest: (one(5.0), Box::new(Layer { w: one(6.0), b: Some(Tensor::from([[7.0]])), size: 9 })),
    }
}

const NAMES: [&str; 8] =
    ["layers.0.w", "layers.0.b", "layers.1.w", "pair.0", "pair.1", "rest.0", "rest.1.w", "rest.1.b"];

#[test]
fn every_walk_has_the_same_order() {
    let mut model = model();
    assert_eq!(model.names(), NAMES);
    assert_eq!(model.count(), 15);
    let firsts: Vec<f64> = model.leaves().iter().map(|leaf| leaf.to_vec()[0]).collect();
    assert_eq!(firsts, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let mut seen = vec![];
    model.visit_mut(|path, leaf| {
        seen.push(path.to_string());
        *leaf = &*leaf + 1.0;
    });
    assert_eq!(seen, NAMES);
    let mut seen = vec![];
    let mapped = model.map(|path, leaf| {
        seen.push(path.to_string());
        leaf.to_vec()[0]
    });
    assert_eq!(seen, NAMES);
    assert_eq!((mapped.layers[1].w, mapped.layers[1].b, mapped.layers[1].size), (3.0, None, 8));
    assert_eq!((mapped.pair, mapped.rest.0, mapped.rest.1.b), ([4.0, 5.0], 6.0, Some(8.0)));
    assert_eq!(model.leaves_mut().len(), 8);
}

#[test]
fn gradients_come_back_as_the_struct() {
    let model = model();
    let tape = Tape::new();
    // A variable before and one behind, which the keys step over.
    let before = tape.var(&one(9.0));
    let (on, keys) = model.on_with_keys(&tape);
    let behind = tape.var(&one(8.0));
    assert_eq!(on.rest.1.w.label().as_deref(), Some("rest.1.w"));
    let loss = (on.layers[0].w * on.pair[1] * before + on.rest.1.w.square() + behind).sum();
    let grads = loss.backward().unwrap();
    let found = model.gradients(&grads, &keys).unwrap();
    assert_eq!(found.layers[0].w.to_vec(), [4.0 * 9.0, 4.5 * 9.5]);
    assert_eq!(found.rest.1.w.to_vec(), [12.0, 13.0]);
    assert_eq!(found.layers[1].w.to_vec(), [0.0, 0.0]);

    let error = model.gradients(&grads, &keys[1..]).err().unwrap();
    assert_eq!(error.kind().to_string(), "the number of keys is 7, wanted 8");
    assert_eq!(error.operation(), Some("gradients"));
    let mut model = model;
    assert_eq!(model.paired(&grads, &keys[1..]).unwrap_err().operation(), Some("paired"));
    let pairs = model.paired(&grads, &keys).unwrap();
    assert_eq!(
        (pairs.len(), pairs[6].0.to_vec(), pairs[6].1.to_vec()),
        (8, vec![6.0, 6.5], vec![12.0, 13.0])
    );
    let mut stale = keys.clone();
    stale[0] = Tape::<f64>::new().var(&one(1.0)).key();
    let error = model.gradients(&grads, &stale).err().unwrap();
    assert!(error.operation() == Some("gradients") && error.location().unwrap().file().ends_with("tests.rs"));
    let constants = model.constants(&tape);
    assert!((constants.pair[0] * 2.0).sum().backward().unwrap().wrt(constants.pair[0]).is_err());
}

#[test]
fn on_a_tape_of_its_own_gradients_are_in_order() {
    let mut model = model();
    let tape = Tape::new();
    let on = model.on(&tape);
    let loss = (on.layers[0].w + on.rest.1.w * 3.0).sum();
    let grads = loss.backward().unwrap();
    let firsts: Vec<f64> = grads.iter().map(|g| g.to_vec()[0]).collect();
    assert_eq!(firsts, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0]);
    crate::optim::Sgd::new(1.0).step(model.leaves_mut().into_iter().zip(grads.iter())).unwrap();
    assert_eq!(model.rest.1.w.to_vec(), [3.0, 3.5]);
}

#[test]
fn numbers_go_into_one_tensor_and_back() {
    let mut model = model();
    let flat = model.flatten().unwrap();
    assert_eq!(flat.shape(), [15]);
    model.unflatten(&(&flat * 2.0)).unwrap();
    assert_eq!(model.flatten().unwrap(), flat * 2.0);
    assert_eq!(model.rest.1.b.as_ref().unwrap().shape(), [1, 1]);
    let error = model.unflatten(&Tensor::zeros([14]).unwrap()).unwrap_err();
    assert_eq!(error.kind().to_string(), "the flat tensor has shape [14], wanted [15]");
    assert_eq!(error.operation(), Some("unflatten"));
    assert_eq!(Vec::<Tensor<f64>>::new().flatten().unwrap().shape(), [0]);
}

#[test]
fn an_error_names_the_parameter() {
    let model = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0, 3.0]));
    let tape = Tape::new();
    let (a, b) = model.on(&tape);
    let error = (a + b).sum().backward().unwrap_err();
    assert!(error.to_string().starts_with("add of \"0\", \"1\": "), "{error}");
}
