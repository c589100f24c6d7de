//! The Hessian of a small network: against differences of its gradient, against its transpose, and by every way that
//! there is to compute it.

use retrograde::transform::{self, many};
use retrograde::{Generator, Real, Tape, Tensor, Var, functional};

/// Three layers: tanh, softmax and log-sum-exp meet in the loss.
fn network<'t, T: Real>([w, b, v]: [Var<'t, T>; 3]) -> Var<'t, T> {
    let tape = w.tape();
    let x = Tensor::from_fn([4, 2], |at| T::from_f64(((3 * at[0] + 5 * at[1]) % 7) as f64 * 0.3 - 0.8));
    let target = Tensor::from_fn([4, 2], |at| T::from_f64(((at[0] + at[1]) % 2) as f64));
    let (x, target) = (tape.constant(&x.unwrap()), tape.constant(&target.unwrap()));
    let z = (x.matmul(w) + b).tanh().matmul(v);
    z.logsumexp_axes(-1).mean() - (z.softmax(-1) * target).sum().square() * 0.1
}

fn parameters<T: Real>() -> [Tensor<T>; 3] {
    let mut random = Generator::new(5);
    [vec![2, 3], vec![3], vec![3, 2]].map(|shape| Tensor::normal(shape, 0.0, 0.8, &mut random).unwrap())
}

const SIZES: [usize; 3] = [6, 3, 6];
const N: usize = 15;

/// Blocks as one matrix.
fn matrix<T: Real>(blocks: &[[Tensor<T>; 3]; 3]) -> Vec<Vec<f64>> {
    let mut rows = vec![];
    for (i, blocks) in blocks.iter().enumerate() {
        for r in 0..SIZES[i] {
            let of = |j: usize| {
                let block = blocks[j].to_vec();
                let row = &block[r * SIZES[j]..(r + 1) * SIZES[j]];
                row.iter().map(|x| x.to_f64()).collect::<Vec<_>>()
            };
            rows.push((0..3).flat_map(of).collect());
        }
    }
    rows
}

fn flat<T: Real>(parts: &[Tensor<T>; 3]) -> Vec<f64> {
    parts.iter().flat_map(|part| part.to_vec()).map(T::to_f64).collect()
}

#[track_caller]
fn assert_near(a: &[Vec<f64>], b: &[Vec<f64>], tolerance: f64) {
    assert_eq!((a.len(), b.len()), (N, N));
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!((a.len(), b.len()), (N, N));
        for (j, (a, b)) in a.iter().zip(b).enumerate() {
            assert!((a - b).abs() <= tolerance, "element {i}, {j}: {a} and {b}");
        }
    }
}

fn hessian<T: Real>() -> Vec<Vec<f64>> {
    let [w, b, v] = &parameters::<T>();
    let blocks = functional::hessian(network, [w, b, v]).unwrap();
    for (i, row) in blocks.iter().enumerate() {
        for (j, block) in row.iter().enumerate() {
            let shapes = [&[2, 3][..], &[3], &[3, 2]];
            assert_eq!(block.shape(), [shapes[i], shapes[j]].concat());
        }
    }
    matrix(&blocks)
}

/// The Hessian by 5-point differences of the gradient.
fn by_differences() -> Vec<Vec<f64>> {
    let at = parameters::<f64>();
    let h = 1e-3;
    let gradient = |part: usize, element: usize, by: f64| {
        let mut moved = at.clone();
        let mut data = moved[part].to_vec();
        data[element] += by;
        moved[part] = Tensor::from_slice(&data, moved[part].shape()).unwrap();
        let [w, b, v] = &moved;
        flat(&functional::grad(network, [w, b, v]).unwrap())
    };
    let mut rows = vec![];
    for (part, size) in SIZES.into_iter().enumerate() {
        for element in 0..size {
            let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|k| gradient(part, element, k * h));
            let of = |i: usize| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h);
            rows.push((0..N).map(of).collect());
        }
    }
    rows
}

#[test]
fn the_hessian_of_a_network_is_that_of_differences_and_symmetric() {
    let h = hessian::<f64>();
    assert_near(&h, &by_differences(), 1e-7);
    let transposed: Vec<Vec<f64>> = (0..N).map(|i| (0..N).map(|j| h[j][i]).collect()).collect();
    assert_near(&h, &transposed, 1e-12);
    // Neither zero nor diagonal: nothing above could be met by chance.
    let off = (0..N).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| h[i][j].abs() > 1e-6);
    assert!(off.count() > 80);
}

#[test]
fn the_hessian_in_single_precision() {
    assert_near(&hessian::<f32>(), &hessian::<f64>(), 2e-6);
}

#[test]
fn both_layers_and_every_mixture_of_modes_agree() {
    let wanted = hessian::<f64>();
    let at = parameters::<f64>();
    let tape = Tape::new();
    let x = [tape.var(&at[0]), tape.var(&at[1]), tape.var(&at[2])];
    let value = |blocks: [[Var<'_, f64>; 3]; 3]| matrix(&blocks.map(|row| row.map(|b| b.value().unwrap())));
    assert_near(&value(many::hessian(network)(x)), &wanted, 1e-13);
    let by = |i: usize| many::jacobian_forward(move |x| many::grad(network)(x)[i])(x);
    assert_near(&value([by(0), by(1), by(2)]), &wanted, 1e-12);
    let by = |i: usize| many::jacobian_reverse(move |x| many::grad(network)(x)[i])(x);
    assert_near(&value([by(0), by(1), by(2)]), &wanted, 1e-12);
    let by = |i: usize| many::jacobian(move |x| many::grad(network)(x)[i])(x);
    assert_near(&value([by(0), by(1), by(2)]), &wanted, 1e-12);
    // The gradient leads on to the variables themselves; here the second sweep is not recorded.
    let g = many::grad(network)(x);
    let by = |i: usize| tape.jacobian_forward(g[i], x).unwrap();
    assert_near(&matrix(&[by(0), by(1), by(2)]), &wanted, 1e-12);
    let by = |i: usize| tape.jacobian_reverse(g[i], x).unwrap();
    assert_near(&matrix(&[by(0), by(1), by(2)]), &wanted, 1e-12);
}

#[test]
fn hessian_times_vector_is_vector_times_hessian_is_the_product() {
    let h = hessian::<f64>();
    let at = parameters::<f64>();
    let mut random = Generator::new(6);
    let v = at.clone().map(|x| Tensor::normal(x.shape(), 0.0, 1.0, &mut random).unwrap());
    let dense = flat(&v);
    let wanted: Vec<f64> = h.iter().map(|row| row.iter().zip(&dense).map(|(h, v)| h * v).sum()).collect();
    let tape = Tape::new();
    let [x, dx] = [&at, &v].map(|list| [0, 1, 2].map(|i| tape.constant(&list[i])));
    let ([a, b, c], [da, db, dc]) = (&at, &v);
    let value = |parts: [Var<'_, f64>; 3]| parts.map(|part| part.value().unwrap());
    for found in [
        functional::hvp(network, [a, b, c], [da, db, dc]).unwrap(),
        functional::vhp(network, [a, b, c], [da, db, dc]).unwrap(),
        value(many::hvp(network)(x, dx)),
        value(many::vhp(network)(x, dx)),
    ] {
        for (part, at) in found.iter().zip(&at) {
            assert_eq!(part.shape(), at.shape());
        }
        for (found, wanted) in flat(&found).iter().zip(&wanted) {
            assert!((found - wanted).abs() <= 1e-12, "{found} {wanted}");
        }
    }
    // vᵀHv is the second derivative along v.
    let quadratic: f64 = wanted.iter().zip(&dense).map(|(a, b)| a * b).sum();
    for found in [
        functional::directional(network, 2, [a, b, c], [da, db, dc]).unwrap().item().unwrap(),
        many::directional(network, 2)(x, dx).item().unwrap(),
    ] {
        assert!((found - quadratic).abs() <= 1e-11 * quadratic.abs().max(1.0), "{found} {quadratic}");
    }
}

#[test]
fn the_functional_layer_gives_what_the_transformations_give() {
    fn f<'t>([x, s]: [Var<'t, f64>; 2]) -> Var<'t, f64> {
        (x * s).sin() * x.sum()
    }
    let (x, s) = (Tensor::from([0.3, -0.7, 1.1]), Tensor::scalar(0.9));
    let (dx, ds) = (Tensor::from([1.0, 2.0, -1.0]), Tensor::scalar(0.5));
    let tape = Tape::new();
    let v = [tape.constant(&x), tape.constant(&s)];
    let d = [tape.constant(&dx), tape.constant(&ds)];
    let same = |found: &[&Tensor<f64>], wanted: &[Var<'_, f64>]| {
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            let wanted = wanted.value().unwrap();
            assert_eq!(found.shape(), wanted.shape());
            for (a, b) in found.iter().zip(&wanted) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
        }
    };
    let (y, [gx, gs]) = functional::vjp(f, [&x, &s], &dx).unwrap();
    let (wy, [wx, ws]) = many::vjp(f)(v, d[0]);
    same(&[&y, &gx, &gs], &[wy, wx, ws]);
    let (y, dy) = functional::jvp(f, [&x, &s], [&dx, &ds]).unwrap();
    let (wy, wdy) = many::jvp(f)(v, d);
    same(&[&y, &dy], &[wy, wdy]);
    let jacobians = [
        (functional::jacobian(f, [&x, &s]), many::jacobian(f)(v)),
        (functional::jacobian_forward(f, [&x, &s]), many::jacobian_forward(f)(v)),
        (functional::jacobian_reverse(f, [&x, &s]), many::jacobian_reverse(f)(v)),
    ];
    for (found, [wx, ws]) in jacobians {
        let [jx, js] = found.unwrap();
        assert_eq!((jx.shape(), js.shape()), (&[3, 3][..], &[3][..]));
        same(&[&jx, &js], &[wx, ws]);
    }
    for k in 0..4 {
        let found = functional::directional(f, k, [&x, &s], [&dx, &ds]).unwrap();
        same(&[&found], &[many::directional(f, k)(v, d)]);
    }
    let (y, [g]) = functional::value_and_grad(|[x]| x.exp().sum(), [&x]).unwrap();
    let (wy, wg) = transform::value_and_grad(|x| x.exp().sum())(v[0]);
    same(&[&y, &g], &[wy, wg]);
    let [g] = functional::grad(|[x]| x.exp().sum(), [&x]).unwrap();
    same(&[&g], &[wg]);
    // The same tensor as both arguments is two arguments.
    let [ga, gb] = functional::grad(|[a, b]| (a * a * b).sum(), [&x, &x]).unwrap();
    same(&[&ga, &gb], &[v[0] * v[0] * 2.0, v[0] * v[0]]);
}
