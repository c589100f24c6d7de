//! In which order the operands of an equation are combined.

use super::equation::{Equation, Name};
use crate::error::Result;
use crate::shape::{IntoShape, Shape};
use std::collections::HashMap;
use std::fmt;

/// Up to so many operands every order is looked at: 3ⁿ/2 products. Beyond, the pair is taken that shrinks most.
const EXHAUSTIVE: usize = 8;

/// Axes as bits: at most 52 letters and 64 axes under ellipses.
type Set = u128;

/// How [`einsum`](crate::Tape::einsum) combines its operands: which two, one after the other, at which price.
///
/// Of up to 8 operands the order with the fewest multiplications, found by looking at all of them; of more, at each step
/// the pair whose product is smallest against what it replaces. Of orders that cost the same, one that combines
/// operands as they are written.
///
/// ```
/// use retrograde::EinsumPlan;
///
/// let plan = EinsumPlan::new("ij,jk,k->i", [vec![30, 40], vec![40, 50], vec![50]])?;
/// assert_eq!((plan.cost(), plan.cost_in_order()), (3200.0, 61500.0));
/// assert_eq!(
///     plan.to_string(),
///     "ij,jk,k->i: 3200 multiplications, 61500 from left to right; at most 40 elements in between\n\
///      \x20 jk [40, 50] , k [50] -> j [40]: 2000\n\
///      \x20 ij [30, 40] , j [40] -> i [30]: 1200\n"
/// );
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct EinsumPlan {
    equation: String,
    /// The operands' names and sizes, then the steps' results'.
    terms: Vec<(Vec<Name>, Vec<usize>)>,
    steps: Vec<Step>,
    in_order: f64,
}

/// One product. Operands count from 0; the results of the steps come after them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) left: usize,
    pub(super) right: usize,
    cost: f64,
}

impl EinsumPlan {
    /// The plan of an equation for operands of these shapes.
    ///
    /// # Errors
    ///
    /// [`Equation`](crate::ErrorKind::Equation), as [`einsum`](crate::Tape::einsum);
    /// [`TooLarge`](crate::ErrorKind::TooLarge) for shapes that no tensor can have.
    pub fn new(equation: &str, shapes: impl IntoIterator<Item = impl IntoShape>) -> Result<EinsumPlan> {
        let shapes: Vec<Shape> = shapes.into_iter().map(IntoShape::into_shape).collect::<Result<_>>()?;
        let read = Equation::new(equation, &shapes)?;
        let search = Search::new(&read, &shapes);
        let steps = search.steps();
        let in_order = search.cost_of(&search.left_to_right());
        let mut plan = EinsumPlan { equation: equation.into(), terms: Vec::new(), steps, in_order };
        for (names, shape) in read.operands.iter().zip(&shapes) {
            plan.terms.push((names.clone(), shape.to_vec()));
        }
        let mut masks: Vec<Set> = (0..shapes.len()).map(|i| 1 << i).collect();
        for step in &plan.steps {
            let both = masks[step.left] | masks[step.right];
            masks.push(both);
            let kept = search.kept(both);
            let bits = (0..search.names.len()).filter(|bit| kept >> bit & 1 == 1);
            plan.terms.push(bits.map(|bit| (search.names[bit], search.sizes[bit] as usize)).unzip());
        }
        Ok(plan)
    }

    /// The pairs that are combined, in order: operands count from 0, and each result takes the next number.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.steps.iter().map(|step| (step.left, step.right))
    }

    /// How many multiplications it takes.
    pub fn cost(&self) -> f64 {
        self.steps.iter().map(|step| step.cost).sum()
    }

    /// How many it would take from left to right.
    pub fn cost_in_order(&self) -> f64 {
        self.in_order
    }

    /// The elements of the largest product that is not the last.
    pub fn largest(&self) -> f64 {
        let results = &self.terms[self.terms.len() - self.steps.len()..];
        let between = &results[..results.len().saturating_sub(1)];
        let count = |sizes: &[usize]| sizes.iter().map(|&n| n as f64).product::<f64>();
        between.iter().map(|(_, sizes)| count(sizes)).fold(0.0, f64::max)
    }
}

/// The equation, the price, and a line for each product.
impl fmt::Display for EinsumPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cost, in_order, largest) = (self.cost(), self.in_order, self.largest());
        write!(f, "{}: {cost} multiplications, {in_order} from left to right; ", self.equation)?;
        writeln!(f, "at most {largest} elements in between")?;
        let operands = self.terms.len() - self.steps.len();
        for (i, step) in self.steps.iter().enumerate() {
            let [left, right, result] = [step.left, step.right, operands + i].map(|i| {
                let (names, sizes) = &self.terms[i];
                let letters = written(names);
                format!("{letters}{}{sizes:?}", if letters.is_empty() { "" } else { " " })
            });
            writeln!(f, "  {left} , {right} -> {result}: {}", step.cost)?;
        }
        Ok(())
    }
}

/// Names as in an equation, an ellipsis for all axes in a row that are under one.
fn written(names: &[Name]) -> String {
    let mut text = String::new();
    for name in names {
        match name {
            Name::Letter(c) => text.push(*c),
            _ if text.ends_with('.') => {}
            _ => text.push_str("..."),
        }
    }
    text
}

/// The pairs to combine, for operands that have these names and sizes. One or two operands need no search.
pub(super) fn pairs(equation: &Equation, shapes: &[Shape]) -> Vec<(usize, usize)> {
    match shapes.len() {
        1 => vec![],
        2 => vec![(0, 1)],
        _ => Search::new(equation, shapes).steps().iter().map(|step| (step.left, step.right)).collect(),
    }
}

/// What a search knows of an equation.
struct Search {
    /// In the order in which they are met.
    names: Vec<Name>,
    sizes: Vec<f64>,
    /// The axes of each operand.
    operands: Vec<Set>,
    output: Set,
}

/// Operands that were combined, by number, and what that cost.
struct Best {
    cost: f64,
    split: Option<(usize, usize)>,
}

impl Search {
    fn new(equation: &Equation, shapes: &[Shape]) -> Search {
        let mut search = Search { names: vec![], sizes: vec![], operands: vec![], output: 0 };
        let mut bits: HashMap<Name, usize> = HashMap::new();
        for (names, shape) in equation.operands.iter().zip(shapes) {
            let mut set = 0;
            for (&name, &size) in names.iter().zip(shape.iter()).filter(|(name, _)| **name != Name::Repeated)
            {
                let bit = *bits.entry(name).or_insert_with(|| {
                    search.names.push(name);
                    search.sizes.push(size as f64);
                    search.names.len() - 1
                });
                set |= 1 << bit;
            }
            search.operands.push(set);
        }
        // An axis that the output alone has is of length 1 under every ellipsis, so no product has it.
        search.output =
            equation.output.iter().filter_map(|name| bits.get(name)).fold(0, |set, bit| set | 1 << bit);
        search
    }

    /// The axes of the operands in a set, of which one is left when the rest of the operands and the output want it.
    fn kept(&self, set: Set) -> Set {
        let (mut inside, mut wanted) = (0, self.output);
        for (i, axes) in self.operands.iter().enumerate() {
            *(if set >> i & 1 == 1 { &mut inside } else { &mut wanted }) |= axes;
        }
        inside & wanted
    }

    fn volume(&self, axes: Set) -> f64 {
        self.sizes.iter().enumerate().filter(|(bit, _)| axes >> bit & 1 == 1).map(|(_, &n)| n).product()
    }

    fn steps(&self) -> Vec<Step> {
        let n = self.operands.len();
        let pairs = if n <= EXHAUSTIVE { self.exhaustive() } else { self.greedy() };
        let mut masks: Vec<Set> = (0..n).map(|i| 1 << i).collect();
        let step = |&(left, right): &(usize, usize)| {
            let cost = self.volume(self.kept(masks[left]) | self.kept(masks[right]));
            masks.push(masks[left] | masks[right]);
            Step { left, right, cost }
        };
        pairs.iter().map(step).collect()
    }

    fn left_to_right(&self) -> Vec<(usize, usize)> {
        let n = self.operands.len();
        (1..n).map(|i| (if i == 1 { 0 } else { n + i - 2 }, i)).collect()
    }

    fn cost_of(&self, pairs: &[(usize, usize)]) -> f64 {
        let mut masks: Vec<Set> = (0..self.operands.len()).map(|i| 1 << i).collect();
        let mut cost = 0.0;
        for &(left, right) in pairs {
            cost += self.volume(self.kept(masks[left]) | self.kept(masks[right]));
            masks.push(masks[left] | masks[right]);
        }
        cost
    }

    /// The cheapest way to every set of operands, from those to its parts.
    fn exhaustive(&self) -> Vec<(usize, usize)> {
        let n = self.operands.len();
        let all = (1usize << n) - 1;
        let kept: Vec<Set> = (0..=all).map(|set| self.kept(set as Set)).collect();
        let mut best: Vec<Best> = (0..=all).map(|_| Best { cost: f64::INFINITY, split: None }).collect();
        for set in 1..=all {
            if set.is_power_of_two() {
                best[set].cost = 0.0;
                continue;
            }
            // The last operand against the others comes first, so that it stays where nothing is cheaper.
            let rest = set & (set - 1);
            let last = 1 << rest.ilog2();
            let parts =
                std::iter::successors(Some(rest), |part| Some((part - 1) & rest).filter(|&part| part != 0));
            for right in std::iter::once(last).chain(parts) {
                let left = set ^ right;
                let cost = best[left].cost + best[right].cost + self.volume(kept[left] | kept[right]);
                if cost < best[set].cost || best[set].split.is_none() {
                    best[set] = Best { cost, split: Some((left, right)) };
                }
            }
        }
        let mut pairs = Vec::new();
        number(&best, all, n, &mut pairs);
        pairs
    }

    /// Always the pair whose product has the fewest elements more than its factors together.
    fn greedy(&self) -> Vec<(usize, usize)> {
        let n = self.operands.len();
        let mut left: Vec<(usize, Set)> = (0..n).map(|i| (i, 1 << i)).collect();
        let mut pairs = Vec::new();
        while left.len() > 1 {
            let mut best = (f64::INFINITY, f64::INFINITY, (0, 1));
            for j in 1..left.len() {
                for i in 0..j {
                    let (a, b) = (left[i].1, left[j].1);
                    let parts = [self.kept(a), self.kept(b)];
                    let grown = self.volume(self.kept(a | b)) - self.volume(parts[0]) - self.volume(parts[1]);
                    let cost = self.volume(parts[0] | parts[1]);
                    if (grown, cost) < (best.0, best.1) {
                        best = (grown, cost, (i, j));
                    }
                }
            }
            let (i, j) = best.2;
            let (b, set) = left.remove(j);
            pairs.push((left[i].0, b));
            left[i] = (n + pairs.len() - 1, left[i].1 | set);
        }
        pairs
    }
}

/// Writes down the products that make a set, those of its parts first; gives the number of its result.
fn number(best: &[Best], set: usize, n: usize, pairs: &mut Vec<(usize, usize)>) -> usize {
    let Some((left, right)) = best[set].split else { return set.trailing_zeros() as usize };
    let pair = (number(best, left, n, pairs), number(best, right, n, pairs));
    pairs.push(pair);
    n + pairs.len() - 1
}
