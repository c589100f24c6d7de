use super::*;
use crate::{Generator, Slice};

fn counting(shape: &[usize]) -> Tensor<i64> {
    let n: usize = shape.iter().product();
    Tensor::from_iter_in(0..n as i64, shape).unwrap()
}

/// Every element found by its index, against the order of iteration.
fn by_index<E: Element>(x: &Tensor<E>) -> Vec<E> {
    let mut all = vec![];
    let mut index = vec![0; x.rank()];
    'elements: while !x.is_empty() {
        all.push(x.get(&index).unwrap());
        for axis in (0..x.rank()).rev() {
            index[axis] += 1;
            if index[axis] < x.shape()[axis] {
                continue 'elements;
            }
            index[axis] = 0;
        }
        break;
    }
    all
}

#[test]
fn one_element_is_inline_and_others_are_aligned() {
    for shape in [&[][..], &[1], &[1, 1, 1]] {
        let x = Tensor::from_slice(&[2.5], shape).unwrap();
        assert!(matches!(x.0, Repr::One { .. }));
        assert_eq!((x.shape(), x.item().unwrap()), (shape, 2.5));
    }
    for n in [2, 3, 17, 1000] {
        let x = Tensor::<f32>::zeros([n]).unwrap();
        assert_eq!(x.as_slice().unwrap().as_ptr() as usize % 64, 0);
    }
}

#[test]
fn views_agree_with_their_copies() {
    let x = counting(&[2, 3, 4]);
    let views = [
        x.permute([2, 0, 1]).unwrap(),
        x.transpose(0, -1).unwrap(),
        x.slice(1, 1..).unwrap(),
        x.slice(2, Slice::from(..).step(-1)).unwrap(),
        x.slice(2, Slice::from(1..).step(2)).unwrap(),
        x.slice(0, 1..1).unwrap(),
        x.slice(0, 1..2).unwrap().expand([5, 3, 4]).unwrap(),
        x.unsqueeze(1).unwrap().expand([2, 7, 3, 4]).unwrap(),
        x.slice(0, 1..2).unwrap().squeeze(0).unwrap().transpose(0, 1).unwrap(),
    ];
    for view in views {
        assert_eq!(view.to_vec(), by_index(&view), "{view:?}");
        let copy = view.contiguous().unwrap();
        assert_eq!(copy.as_slice().unwrap(), view.to_vec());
        assert_eq!(copy, view);
        let doubled = view.map(|x| x * 2).unwrap();
        assert_eq!(doubled.shape(), view.shape());
        assert_eq!(doubled.to_vec(), view.iter().map(|x| x * 2).collect::<Vec<_>>());
    }
}

#[test]
fn reshaping_shares_memory_where_strides_allow() {
    let x = counting(&[2, 3, 4]);
    let address = |x: &Tensor<i64>| x.view().data.as_ptr();
    for shape in [&[24][..], &[6, 4], &[2, 12], &[2, 1, 3, 2, 2]] {
        let y = x.reshape(shape).unwrap();
        assert_eq!(address(&y), address(&x));
        assert_eq!(y.to_vec(), x.to_vec());
    }
    // The last two axes step evenly although the first two changed places.
    let swapped = x.reshape([2, 3, 2, 2]).unwrap().permute([1, 0, 2, 3]).unwrap();
    let merged = swapped.reshape([3, 2, 4]).unwrap();
    assert_eq!(address(&merged), address(&x));
    assert_eq!(merged.to_vec(), swapped.to_vec());
    let copied = swapped.reshape([6, 4]).unwrap();
    assert_ne!(address(&copied), address(&x));
    assert_eq!(copied.to_vec(), swapped.to_vec());
    let backwards = x.slice(2, Slice::from(..).step(-1)).unwrap();
    assert_eq!(backwards.reshape([24]).unwrap().to_vec(), backwards.to_vec());
    assert_eq!(x.slice(0, 0..0).unwrap().reshape([4, 0, 9]).unwrap().shape(), [4, 0, 9]);
}

#[test]
fn broadcasting_one_element_is_a_view() {
    let x = Tensor::scalar(3i64).expand([1 << 20, 1 << 20]).unwrap();
    assert_eq!(x.strides(), [0, 0]);
    assert_eq!(x.get([77, 99]).unwrap(), 3);
    assert_eq!(x.slice(0, 3..4).unwrap().slice(1, 5..6).unwrap().item().unwrap(), 3);
}

#[test]
fn writing_copies_what_is_shared_and_nothing_else() {
    let mut x = Tensor::from([1.0, 2.0, 3.0]);
    let address = x.as_slice().unwrap().as_ptr();
    x *= 2.0;
    x -= &Tensor::from([1.0, 1.0, 1.0]);
    assert_eq!(x.as_slice().unwrap().as_ptr(), address, "alone, so written in place");
    let y = x.clone();
    x += 1.0;
    assert_eq!((x.to_vec(), y.to_vec()), (vec![2.0, 4.0, 6.0], vec![1.0, 3.0, 5.0]));
    assert_eq!(y.as_slice().unwrap().as_ptr(), address);
    let view = x.slice(0, 1..).unwrap();
    x /= 2.0;
    assert_eq!((x.to_vec(), view.to_vec()), (vec![1.0, 2.0, 3.0], vec![4.0, 6.0]));
    let mut repeated = Tensor::scalar(1.0).expand([3]).unwrap();
    repeated += &Tensor::from([0.0, 1.0, 2.0]);
    assert_eq!(repeated.to_vec(), [1.0, 2.0, 3.0]);
}

#[test]
fn arithmetic_broadcasts_and_refuses() {
    let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    let b = Tensor::from([10.0, 20.0]);
    assert_eq!((&a + &b).to_vec(), [11.0, 22.0, 13.0, 24.0]);
    assert_eq!((&a - &b.unsqueeze(1).unwrap()).to_vec(), [-9.0, -8.0, -17.0, -16.0]);
    assert_eq!((2.0 / &a).to_vec(), [2.0, 1.0, 2.0 / 3.0, 0.5]);
    assert_eq!((-&a * 3.0).to_vec(), [-3.0, -6.0, -9.0, -12.0]);
    let wrong = Tensor::<f64>::ones([3]).unwrap();
    assert_eq!(a.try_add(&wrong).unwrap_err().to_string(), "shapes [2, 2] and [3] do not broadcast");
    // In place, the left side's shape is not to be changed.
    let mut c = b.clone();
    assert!(c.combine(&a, Swap).is_err());
    let panic = std::panic::catch_unwind(|| &a * &wrong).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "shapes [2, 2] and [3] do not broadcast");
}

#[derive(Clone, Copy)]
struct Swap;
impl Function<2> for Swap {
    fn at<N: crate::Number>(self, [_, b]: [N; 2]) -> N {
        b
    }
}

#[test]
fn layouts_that_agree_are_kept() {
    let a = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).transpose(0, 1).unwrap();
    let b = &a + &a;
    assert_eq!(b.strides(), a.strides());
    assert_eq!(b.to_vec(), [2.0, 8.0, 4.0, 10.0, 6.0, 12.0]);
    assert_eq!(b.as_slice(), None);
}

#[test]
fn bad_indices_axes_and_sizes_are_errors() {
    let x = counting(&[2, 3]);
    let text = |e: crate::Error| e.to_string();
    assert_eq!(text(x.get([1]).unwrap_err()), "shape [2, 3] has rank 2, wanted as many axes as indices");
    assert_eq!(text(x.get([2, 0]).unwrap_err()), "index 2 is out of range for axis 0 of size 2");
    assert_eq!(text(x.slice(0, 0..3).unwrap_err()), "index 3 is out of range for axis 0 of size 2");
    assert_eq!(text(x.slice(1, -4..).unwrap_err()), "index -4 is out of range for axis 1 of size 3");
    assert_eq!(text(x.slice(0, Slice::from(..).step(0)).unwrap_err()), "step is 0, wanted another number");
    assert_eq!(
        text(x.permute([0]).unwrap_err()),
        "shape [2, 3] has rank 2, wanted as many axes as are named"
    );
    assert_eq!(text(x.permute([1, 1]).unwrap_err()), "axis 1 is given twice");
    assert_eq!(text(x.squeeze(0).unwrap_err()), "length is 2 along axis 0 of shape [2, 3], wanted 1");
    assert_eq!(text(x.expand([2, 2]).unwrap_err()), "shapes [2, 3] and [2, 2] do not broadcast");
    assert_eq!(text(x.expand([3]).unwrap_err()), "shapes [2, 3] and [3] do not broadcast");
    assert_eq!(text(x.item().unwrap_err()), "shape [] needs 1 elements, found 6");
    assert!(matches!(
        Tensor::<f64>::zeros([usize::MAX, 2, 0]).unwrap_err().kind(),
        ErrorKind::TooLarge { .. }
    ));
    assert!(Tensor::<f64>::zeros([1 << 32, 1 << 32]).is_err());
    assert!(matches!(Tensor::<f64>::zeros([1 << 45]).unwrap_err().kind(), ErrorKind::OutOfMemory { .. }));
    assert!(Tensor::<f64>::arange(0.0, 1.0, 0.0).is_err());
    assert!(Tensor::<f64>::arange(0.0, f64::INFINITY, 1.0).is_err());
    assert!(Tensor::<f64>::arange(0.0, 1.0, -1.0).unwrap().is_empty());
    let deep = Tensor::scalar(1.0).reshape([1; 64]).unwrap();
    assert_eq!(deep.rank(), 64);
    assert!(deep.unsqueeze(0).is_err());
}

#[test]
#[allow(clippy::reversed_empty_ranges)] // Negative ends count from the end of the axis.
fn slices_take_what_they_say() {
    let x = counting(&[6]);
    let take = |slice: Slice| x.slice(0, slice).unwrap().to_vec();
    assert_eq!(take((..).into()), [0, 1, 2, 3, 4, 5]);
    assert_eq!(take((2..4).into()), [2, 3]);
    assert_eq!(take((-2..).into()), [4, 5]);
    assert_eq!(take((..-4).into()), [0, 1]);
    assert_eq!(take((1..=3).into()), [1, 2, 3]);
    assert_eq!(take((3..=-1).into()), [3, 4, 5]);
    assert!(take((4..2).into()).is_empty());
    assert!(take((6..).into()).is_empty());
    assert_eq!(take(Slice::from(..).step(4)), [0, 4]);
    assert_eq!(take(Slice::from(..).step(5)), [0, 5]);
    assert_eq!(take(Slice::from(..).step(6)), [0]);
    assert_eq!(take(Slice::from(..5).step(-2)), [4, 2, 0]);
    assert_eq!(take(Slice::from(..).step(isize::MIN)), [5]);
    assert_eq!(take(Slice::from(..).step(isize::MAX)), [0]);
}

#[test]
fn printing_stays_short() {
    let big = Tensor::<f64>::zeros([1000, 1000, 10]).unwrap();
    assert!(big.to_string().len() < 4000);
    assert!(format!("{big:?}").starts_with("Tensor<f64> [1000, 1000, 10] [[["));
    assert_eq!(Tensor::from([true, false]).to_string(), "[true, false]");
    assert_eq!(Tensor::from([1i64, -2]).to_string(), "[1, -2]");
    assert_eq!(
        Tensor::from([f64::NAN, f64::INFINITY, 0.0, 1e-9]).to_string(),
        "[NaN, inf, 0.0000, 1.0000e-9]"
    );
    assert_eq!(Tensor::<f32>::zeros([0, 3]).unwrap().to_string(), "[]");
    assert_eq!(Tensor::scalar(2.0).to_string(), "2.0000");
}

#[test]
fn random_numbers_have_the_right_moments() {
    let mut random = Generator::new(3);
    let n = 200_000;
    let normal = Tensor::<f64>::normal([n], 2.0, 3.0, &mut random).unwrap();
    let mean = normal.iter().sum::<f64>() / n as f64;
    let var = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
    assert!((mean - 2.0).abs() < 0.03 && (var - 9.0).abs() < 0.1, "{mean} {var}");
    let uniform = Tensor::<f64>::uniform([n], -1.0..3.0, &mut random).unwrap();
    let mean = uniform.iter().sum::<f64>() / n as f64;
    let var = uniform.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
    assert!((mean - 1.0).abs() < 0.02 && (var - 16.0 / 12.0).abs() < 0.02, "{mean} {var}");
    // The published first outputs of SplitMix64 from seed 1234567.
    let mut known = Generator::new(1_234_567);
    assert_eq!(known.bits(), 6_457_827_717_110_365_317);
    assert_eq!(known.bits(), 3_203_168_211_198_807_973);
    let mut deck: Vec<usize> = (0..52).collect();
    random.shuffle(&mut deck);
    assert_ne!(deck, (0..52).collect::<Vec<_>>());
    deck.sort_unstable();
    assert_eq!(deck, (0..52).collect::<Vec<_>>());
    assert_eq!(random.below(0), 0);
}

#[test]
fn buffers_are_used_again() {
    // A size no other test uses.
    let n = 12_345_677;
    let first = Tensor::<f32>::zeros([n]).unwrap();
    let address = first.as_slice().unwrap().as_ptr();
    drop(first);
    let again = Tensor::<f32>::ones([n]).unwrap();
    assert_eq!(again.as_slice().unwrap().as_ptr(), address);
    let bools = Tensor::<bool>::full([4 * n], true).unwrap();
    drop((again, bools));
    let before = pool::stats();
    assert!(before.retained >= 4 * n);
    let blank = Tensor::<bool>::build(Shape::new([4 * n]).unwrap(), |_| {}).unwrap();
    assert!(blank.iter().all(|x| !x), "left-over bytes must not show as bools");
}

#[test]
fn tensors_cross_threads() {
    fn crosses<X: Send + Sync>() {}
    crosses::<Tensor<f32>>();
    crosses::<Tensor<bool>>();
    let x = Tensor::from([1.0, 2.0, 3.0]);
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| assert_eq!((&x * 2.0).to_vec(), [2.0, 4.0, 6.0]));
        }
    });
}
