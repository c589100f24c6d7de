//! Equations against loops over every index.

use super::EinsumPlan;
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
    for (written, meant) in [
        ("ij,jk", "ij,jk->ik"),
        ("ba", "ba->ab"),
        ("ii", "ii->"),
        (" k i , k j ", "ki,kj->ij"),
        ("b,a", "b,a->ab"),
    ] {
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
        (
            "...ij,...jk->...ik",
            "abij,abjk->abik",
            &[&[2, 1, 3, 4], &[5, 4, 2]],
            &[&[2, 5, 3, 4], &[2, 5, 4, 2]],
        ),
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

/// The fewest multiplications over all orders, by trying them.
fn fewest(equation: &str, shapes: &[Vec<usize>]) -> f64 {
    let (inputs, output) = equation.split_once("->").unwrap();
    let mut sizes = BTreeMap::new();
    for (term, shape) in inputs.split(',').zip(shapes) {
        sizes.extend(term.chars().zip(shape.iter().copied()));
    }
    fn search(terms: &[String], output: &str, sizes: &BTreeMap<char, usize>) -> f64 {
        let mut best = if terms.len() == 1 { 0.0 } else { f64::INFINITY };
        for j in 1..terms.len() {
            for i in 0..j {
                let others: Vec<String> = terms
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| *k != i && *k != j)
                    .map(|(_, term)| term.clone())
                    .collect();
                let outside = others.concat() + output;
                let kept = |c: &char, other: &str| outside.contains(*c) || other.contains(*c);
                let a: String = terms[i].chars().filter(|c| kept(c, &terms[j])).collect();
                let b: String = terms[j].chars().filter(|c| kept(c, &terms[i])).collect();
                let union: std::collections::BTreeSet<char> = (a + &b).chars().collect();
                let cost: f64 = union.iter().map(|c| sizes[c] as f64).product();
                let result: String = union.iter().filter(|c| outside.contains(**c)).collect();
                best = best.min(cost + search(&[others, vec![result]].concat(), output, sizes));
            }
        }
        best
    }
    let terms: Vec<String> = inputs.split(',').map(str::to_owned).collect();
    search(&terms, output, &sizes)
}

#[test]
fn plans_take_the_fewest_multiplications() {
    let cases: [(&str, &[&[usize]]); 6] = [
        ("ij,jk,k->i", &[&[3, 4], &[4, 5], &[5]]),
        ("ab,bc,cd,de->ae", &[&[10, 2], &[2, 10], &[10, 2], &[2, 10]]),
        ("ab,cd,bc,da->", &[&[2, 7], &[3, 5], &[7, 3], &[5, 2]]),
        ("ij,k,jl,kl,i->l", &[&[4, 3], &[9], &[3, 5], &[9, 5], &[4]]),
        ("abx,bcx,cdx,dax,ay->xy", &[&[2, 3, 4], &[3, 5, 4], &[5, 2, 4], &[2, 2, 4], &[2, 6]]),
        ("i,j,k,ijk->", &[&[5], &[6], &[7], &[5, 6, 7]]),
    ];
    for (equation, shapes) in cases {
        let shapes: Vec<Vec<usize>> = shapes.iter().map(|shape| shape.to_vec()).collect();
        let plan = EinsumPlan::new(equation, shapes.clone()).unwrap();
        assert_eq!(plan.cost(), fewest(equation, &shapes), "{plan}");
        assert!(plan.cost() <= plan.cost_in_order());
        // What runs by the plan is what loops give.
        let mut random = Generator::new(5);
        let x: Vec<_> =
            shapes.iter().map(|shape| Tensor::normal(&shape[..], 0.0, 1.0, &mut random).unwrap()).collect();
        agree(equation, equation, &x, &x);
    }
}

#[test]
fn a_plan_says_what_it_does() {
    let plan =
        EinsumPlan::new("...ab,...bc,ce->...ae", [vec![7, 100, 2], vec![1, 2, 100], vec![100, 3]]).unwrap();
    assert_eq!(plan.pairs().collect::<Vec<_>>(), [(1, 2), (0, 3)]);
    let text = plan.to_string();
    let wanted = "...ab,...bc,ce->...ae: 4800 multiplications, 350000 from left to right; at most 6 elements in between\n\
                  \x20 ...bc [1, 2, 100] , ce [100, 3] -> be [2, 3]: 600\n\
                  \x20 ...ab [7, 100, 2] , be [2, 3] -> ...ae [7, 100, 3]: 4200\n";
    assert_eq!(text, wanted);
    let plan = EinsumPlan::new("ii->i", [[3, 3]]).unwrap();
    assert_eq!((plan.pairs().count(), plan.cost(), plan.largest()), (0, 0.0, 0.0));
    let plan = EinsumPlan::new(",i->i", [vec![], vec![3]]).unwrap();
    assert!(plan.to_string().ends_with("  [] , i [3] -> i [3]: 3\n"), "{plan}");
    let error = EinsumPlan::new("ij,jk", [[2, 3], [2, 3]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "equation \"ij,jk\": index 'j' has size 2 here and 3 before (at character 3)"
    );
}

#[test]
fn what_costs_the_same_is_combined_as_written() {
    for equation in ["ab,bc,cd->ad", "ab,bc,cd,de->ae", "a,a,a,a,a->a"] {
        let shapes = equation.split("->").next().unwrap().split(',').map(|term| vec![2; term.len()]);
        let pairs: Vec<_> = EinsumPlan::new(equation, shapes).unwrap().pairs().collect();
        let n = pairs.len() + 1;
        let in_order: Vec<_> = (1..n).map(|i| (if i == 1 { 0 } else { n + i - 2 }, i)).collect();
        assert_eq!(pairs, in_order, "{equation}");
    }
}

#[test]
fn many_operands_take_the_pair_that_shrinks_most() {
    // A chain of matrices that begins and ends with a vector: from either end, never two matrices.
    let letters: Vec<char> = ('a'..='l').collect();
    let pairs = letters.windows(2).map(|pair| pair.iter().collect::<String>());
    let terms: Vec<String> = std::iter::once("a".to_owned()).chain(pairs).chain(["l".to_owned()]).collect();
    assert_eq!(terms.len(), 13);
    let equation = format!("{}->", terms.join(","));
    let shapes: Vec<Vec<usize>> = terms.iter().map(|term| vec![10; term.len()]).collect();
    let plan = EinsumPlan::new(&equation, shapes.clone()).unwrap();
    assert_eq!((plan.cost(), plan.largest()), (11.0 * 100.0 + 10.0, 10.0), "{plan}");
    let tape = Tape::<f64>::new();
    let x: Vec<_> = shapes.iter().map(|shape| tape.var(&Tensor::full(&shape[..], 0.1).unwrap())).collect();
    assert!((tape.einsum(&equation, &x).item().unwrap() - 0.1).abs() < 1e-15);
    let error = EinsumPlan::new(&vec![""; 129].join(","), vec![[0usize; 0]; 129]).unwrap_err();
    assert!(error.to_string().ends_with("more than 128 operands (at character 128)"), "{error}");
    assert!(EinsumPlan::new(&vec![""; 128].join(","), vec![[0usize; 0]; 128]).is_ok());
}
