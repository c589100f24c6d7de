//! Equations against loops over every index.

use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};
use std::collections::BTreeMap;

/// By the definition: for each value of all letters, the product of the operands' elements added to the result's.
/// No ellipses: the caller writes them as letters, and repeats axes beforehand.
fn naive(equation: &str, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (inputs, output) = equation.split_once("->").unwrap();
    let terms: Vec<Vec<char>> = inputs.split(',').map(|term| term.chars().collect()).collect();
    let output: Vec<char> = output.chars().collect();
    let mut sizes = BTreeMap::new();
    for (term, x) in terms.iter().zip(x) {
        sizes.extend(term.iter().copied().zip(x.shape().iter().copied()));
    }
    let letters: Vec<char> = sizes.keys().copied().collect();
    let shape: Vec<usize> = output.iter().map(|c| sizes[c]).collect();
    let mut y = vec![0.0; shape.iter().product()];
    for i in 0..sizes.values().product() {
        let mut rest = i;
        let mut at = BTreeMap::new();
        for c in &letters {
            at.insert(*c, rest % sizes[c]);
            rest /= sizes[c];
        }
        let index = |term: &[char]| term.iter().map(|c| at[c]).collect::<Vec<_>>();
        let product: f64 = terms.iter().zip(x).map(|(term, x)| x.get(index(term)).unwrap()).product();
        let place = index(&output).iter().zip(&shape).fold(0, |place, (i, n)| place * n + i);
        y[place] += product;
    }
    Tensor::from_slice(&y, shape).unwrap()
}

fn operands(equation: &str) -> Vec<Tensor<f64>> {
    let size = |c: char| 2 + (c as usize - 'a' as usize) % 3;
    let inputs = equation.split("->").next().unwrap();
    let mut random = Generator::new(7);
    let shape = |term: &str| term.chars().map(size).collect::<Vec<_>>();
    inputs.split(',').map(|term| Tensor::normal(shape(term), 0.0, 1.0, &mut random).unwrap()).collect()
}

#[track_caller]
fn agree(written: &str, meant: &str, x: &[Tensor<f64>], of_naive: &[Tensor<f64>]) {
    let tape = Tape::new();
    let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
    let y = tape.einsum(written, &vars).value().unwrap();
    let wanted = naive(meant, of_naive);
    assert_eq!(y.shape(), wanted.shape(), "{written}");
    assert!(y.iter().zip(&wanted).all(|(y, w)| (y - w).abs() < 1e-12), "{written}: {y} for {wanted}");
}

#[test]
fn equations_give_what_loops_give() {
    let equations = [
        "i->i",
        "i->",
        "ij->ji",
        "ij->j",
        "ii->i",
        "ii->",
        "iijj->ij",
        "ijij->",
        "iii->i",
        "i,i->",
        "i,j->ij",
        "i,j->ji",
        "ij,j->i",
        "j,ij->i",
        "ij,jk->ik",
        "ij,jk->ki",
        "ji,jk->ik",
        "ij,kj->ik",
        "bij,bjk->bik",
        "bij,bjk->ibk",
        "bij,jk->bik",
        "abij,bjk->abik",
        "ijkl,lkm->mij",
        "ijkl,klm->imj",
        "ikjl,kl->ij",
        "bhqd,bhkd->bhqk",
        "ij,ij->ij",
        "ij,ij->i",
        "ij,ij->",
        "ij,i->ij",
        "i,ij->ji",
        "ij,kl->ijkl",
        "ij,kl->",
        "i,ij,j->",
        "ai,bi,ci->abc",
        "ab,bc,cd,de->ae",
        "ii,ij->j",
        ",ij->ji",
        ",,->",
    ];
    for equation in equations {
        let x = operands(equation);
        agree(equation, equation, &x, &x);
    }
}

#[test]
fn an_output_that_is_not_written_has_the_letters_met_once_in_alphabetical_order() {
    for (written, meant) in
        [("ij,jk", "ij,jk->ik"), ("ba", "ba->ab"), ("ii", "ii->"), (" k i , k j ", "ki,kj->ij"), ("b,a", "b,a->ab")]
    {
        let x = operands(meant);
        agree(written, meant, &x, &x);
    }
    let x = operands("abij,bjk");
    agree("...ij,...jk", "abij,bjk->abik", &x, &x);
    let x = operands("ba");
    agree("...a", "ba->ba", &x, &x);
}

#[test]
fn ellipses_broadcast() {
    let random = |shape: &[usize]| Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(3)).unwrap();
    type Shapes<'a> = &'a [&'a [usize]];
    let cases: [(&str, &str, Shapes<'_>, Shapes<'_>); 7] = [
        ("...ij,...jk->...ik", "abij,abjk->abik", &[&[2, 1, 3, 4], &[5, 4, 2]], &[&[2, 5, 3, 4], &[2, 5, 4, 2]]),
        ("i...,...j->ij...", "iab,abj->ijab", &[&[2, 1, 3], &[4, 1, 5]], &[&[2, 4, 3], &[4, 3, 5]]),
        ("...,...->...", "ab,ab->ab", &[&[3], &[2, 1]], &[&[2, 3], &[2, 3]]),
        ("...i->i", "abi->i", &[&[2, 3, 4]], &[&[2, 3, 4]]),
        ("...,i", "a,i->ai", &[&[1], &[3]], &[&[1], &[3]]),
        ("...jk,...k->...j", "ajk,ak->aj", &[&[1, 3, 4], &[5, 4]], &[&[5, 3, 4], &[5, 4]]),
        ("ij->...ij", "ij->ij", &[&[2, 3]], &[&[2, 3]]),
    ];
    for (written, meant, shapes, whole) in cases {
        let x: Vec<_> = shapes.iter().map(|shape| random(shape)).collect();
        let of_naive: Vec<_> = x.iter().zip(whole).map(|(x, whole)| x.expand(*whole).unwrap()).collect();
        agree(written, meant, &x, &of_naive);
    }
}

#[test]
fn empty_axes_sum_to_zero() {
    let tape = Tape::<f64>::new();
    let (a, b) = (tape.var(&Tensor::zeros([2, 0]).unwrap()), tape.var(&Tensor::zeros([0, 3]).unwrap()));
    assert_eq!(tape.einsum("ij,jk->ki", &[a, b]).value().unwrap(), Tensor::zeros([3, 2]).unwrap());
    assert_eq!(tape.einsum("ij->", &[a]).item().unwrap(), 0.0);
    assert_eq!(tape.einsum("ij,jk->jik", &[a, b]).shape(), [0, 2, 3]);
}

#[test]
fn products_that_need_no_reordering_are_one_node() {
    let tape = Tape::new();
    let x: Vec<_> = operands("bij,bjk->bik").iter().map(|x| tape.var(x)).collect();
    let before = tape.len();
    tape.einsum("bij,bjk->bik", &x);
    assert_eq!(tape.len(), before + 1);
    let [a, b] = [tape.var(&Tensor::ones([4, 3]).unwrap()), tape.var(&Tensor::ones([2, 3]).unwrap())];
    let before = tape.len();
    tape.einsum("ij,kj->ik", &[a, b]);
    assert_eq!(tape.len(), before + 2);
}

#[test]
fn operands_of_two_tapes_and_operands_with_errors_are_told_apart() {
    let (one, other) = (Tape::<f64>::new(), Tape::new());
    let x = Tensor::ones([2, 2]).unwrap();
    let (a, b) = (one.var(&x), other.var(&x));
    let error = one.einsum("ij,jk", &[a, b]).value().unwrap_err();
    assert_eq!((error.operation(), error.kind()), (Some("einsum"), &crate::ErrorKind::MixedTapes));
    let error = one.einsum("ij,jk", &[a, a.permute([0])]).value().unwrap_err();
    assert_eq!(error.operation(), Some("permute"));
    let error = one.einsum("i→i", &[a]).value().unwrap_err();
    let wanted = "equation \"i→i\": unexpected character '→' (at character 1)";
    assert_eq!(error.kind().to_string(), wanted);
}
