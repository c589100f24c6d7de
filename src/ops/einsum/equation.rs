//! Einsum equations: read, and fitted to the operands' shapes.

use crate::error::{Error, ErrorKind, Result};
use crate::shape::{Shape, broadcast};

/// How many operands a plan counts.
const MOST_OPERANDS: usize = 128;

/// What an axis is called. In the order of an output that is not written: the ellipsis first, then the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    /// An axis of length 1 under an ellipsis that covers a longer one in another operand: to be dropped.
    Repeated,
    /// An axis under an ellipsis; −1 is the last.
    Ellipsis(isize),
    /// A named axis.
    Letter(char),
}

/// An equation that fits its operands: the name of each axis of each operand, and of the result.
#[derive(Debug, PartialEq)]
pub(super) struct Equation {
    pub(super) operands: Vec<Vec<Name>>,
    pub(super) output: Vec<Name>,
}

/// A letter, or an ellipsis.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Letter(char),
    Ellipsis,
}

/// The symbols between commas, each with its place in the text.
struct Term {
    start: usize,
    symbols: Vec<(usize, Symbol)>,
}

impl Term {
    fn new(start: usize) -> Term {
        Term { start, symbols: Vec::new() }
    }

    fn has_ellipsis(&self) -> bool {
        self.symbols.iter().any(|symbol| symbol.1 == Symbol::Ellipsis)
    }
}

/// The text as terms.
struct Terms {
    inputs: Vec<Term>,
    /// Where the inputs end.
    end: usize,
    output: Option<Term>,
}

fn wrong(equation: &str, position: usize, reason: impl Into<String>) -> Error {
    ErrorKind::Equation { equation: equation.into(), position, reason: reason.into() }.into()
}

impl Terms {
    fn read(text: &str) -> Result<Terms> {
        let chars: Vec<char> = text.chars().collect();
        let mut terms = Terms { inputs: Vec::new(), end: chars.len(), output: None };
        let mut term = Term::new(0);
        let mut arrow = false;
        let mut at = 0;
        while at < chars.len() {
            let mut width = 1;
            match chars[at] {
                c if c.is_ascii_alphabetic() => term.symbols.push((at, Symbol::Letter(c))),
                c if c.is_whitespace() => {}
                '.' => {
                    if chars[at..].iter().take_while(|&&c| c == '.').count() != 3 {
                        return Err(wrong(text, at, "an ellipsis is three dots"));
                    }
                    if term.has_ellipsis() {
                        return Err(wrong(text, at, "a second ellipsis in one term"));
                    }
                    term.symbols.push((at, Symbol::Ellipsis));
                    width = 3;
                }
                ',' if arrow => return Err(wrong(text, at, "the output is one term")),
                ',' => terms.inputs.push(std::mem::replace(&mut term, Term::new(at + 1))),
                '-' if chars.get(at + 1) != Some(&'>') => {
                    return Err(wrong(text, at, "\"-\" is not followed by \">\""));
                }
                '-' if arrow => return Err(wrong(text, at, "a second \"->\"")),
                '-' => {
                    arrow = true;
                    terms.end = at;
                    terms.inputs.push(std::mem::replace(&mut term, Term::new(at + 2)));
                    width = 2;
                }
                c => return Err(wrong(text, at, format!("unexpected character {c:?}"))),
            }
            at += width;
        }
        if arrow {
            terms.output = Some(term);
        } else {
            terms.inputs.push(term);
        }
        Ok(terms)
    }
}

/// The axes under all ellipses, broadcast, and the sizes of the letters.
struct Sizes {
    ellipsis: Shape,
    letters: Vec<(char, usize)>,
}

impl Equation {
    /// Reads the text and fits it to the operands.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Equation`] with the position of what is wrong.
    pub(super) fn new(text: &str, shapes: &[Shape]) -> Result<Equation> {
        let terms = Terms::read(text)?;
        let (found, wanted) = (shapes.len(), terms.inputs.len());
        if found != wanted {
            let position = terms.inputs.get(found).map_or(terms.end, |term| term.start);
            let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
            let reason = format!("{} for {}", count(wanted, "term"), count(found, "operand"));
            return Err(wrong(text, position, reason));
        }
        if let Some(term) = terms.inputs.get(MOST_OPERANDS) {
            return Err(wrong(text, term.start, format!("more than {MOST_OPERANDS} operands")));
        }
        let sizes = Sizes::new(text, &terms, shapes)?;
        let name = |term: &Term, shape: &[usize]| {
            let covered = shape.len() + 1 - term.symbols.len();
            let mut names = Vec::new();
            for &(_, symbol) in &term.symbols {
                match symbol {
                    Symbol::Letter(c) => names.push(Name::Letter(c)),
                    Symbol::Ellipsis => {
                        let first = names.len();
                        names.extend((0..covered).map(|i| {
                            let from_last = covered - i;
                            let whole = sizes.ellipsis[sizes.ellipsis.len() - from_last];
                            let repeated = shape[first + i] == 1 && whole != 1;
                            if repeated { Name::Repeated } else { Name::Ellipsis(-(from_last as isize)) }
                        }));
                    }
                }
            }
            names
        };
        let operands = terms.inputs.iter().zip(shapes).map(|(term, shape)| name(term, shape)).collect();
        let output = match &terms.output {
            None => implicit(&terms, sizes.ellipsis.len()),
            Some(term) => explicit(text, term, &sizes)?,
        };
        Ok(Equation { operands, output })
    }
}

/// The axes under the ellipsis, then the letters that are met once, in alphabetical order.
fn implicit(terms: &Terms, covered: usize) -> Vec<Name> {
    let all = || terms.inputs.iter().flat_map(|term| &term.symbols).map(|symbol| symbol.1);
    let once = |&c: &Symbol| c != Symbol::Ellipsis && all().filter(|&other| other == c).count() == 1;
    let letters = all().filter(once).map(|symbol| match symbol {
        Symbol::Letter(c) => Name::Letter(c),
        Symbol::Ellipsis => unreachable!("filtered out"),
    });
    let mut output: Vec<Name> = letters.chain(ellipsis(covered)).collect();
    output.sort_unstable();
    output
}

fn explicit(text: &str, term: &Term, sizes: &Sizes) -> Result<Vec<Name>> {
    let mut output = Vec::new();
    for &(at, symbol) in &term.symbols {
        match symbol {
            Symbol::Ellipsis => output.extend(ellipsis(sizes.ellipsis.len())),
            Symbol::Letter(c) if output.contains(&Name::Letter(c)) => {
                return Err(wrong(text, at, format!("index '{c}' is in the output twice")));
            }
            Symbol::Letter(c) if sizes.letters.iter().all(|letter| letter.0 != c) => {
                return Err(wrong(text, at, format!("index '{c}' is in no operand")));
            }
            Symbol::Letter(c) => output.push(Name::Letter(c)),
        }
    }
    Ok(output)
}

fn ellipsis(covered: usize) -> impl Iterator<Item = Name> {
    (0..covered).map(move |i| Name::Ellipsis(i as isize - covered as isize))
}

impl Sizes {
    fn new(text: &str, terms: &Terms, shapes: &[Shape]) -> Result<Sizes> {
        let mut sizes = Sizes { ellipsis: Shape::default(), letters: Vec::new() };
        for (i, (term, shape)) in terms.inputs.iter().zip(shapes).enumerate() {
            let (rank, dots) = (shape.len(), term.has_ellipsis());
            let letters = term.symbols.len() - usize::from(dots);
            if rank < letters || (rank > letters && !dots) {
                let least = if dots { "at least " } else { "" };
                let reason = format!("operand {i} of shape {shape} has rank {rank}, wanted {least}{letters}");
                return Err(wrong(text, term.start, reason));
            }
            let mut axis = 0;
            for &(at, symbol) in &term.symbols {
                match symbol {
                    Symbol::Letter(c) => {
                        sizes.letter(text, at, c, shape[axis])?;
                        axis += 1;
                    }
                    Symbol::Ellipsis => {
                        let covered = &shape[axis..axis + rank - letters];
                        sizes.ellipsis = broadcast(&sizes.ellipsis, covered).map_err(|_| {
                            let before = &sizes.ellipsis;
                            let reason = format!("the ellipsis covers {covered:?} here and {before} before");
                            wrong(text, at, reason)
                        })?;
                        axis += covered.len();
                    }
                }
            }
        }
        Ok(sizes)
    }

    fn letter(&mut self, text: &str, at: usize, c: char, size: usize) -> Result<()> {
        match self.letters.iter().find(|letter| letter.0 == c) {
            Some(&(_, before)) if before != size => {
                Err(wrong(text, at, format!("index '{c}' has size {size} here and {before} before")))
            }
            Some(_) => Ok(()),
            None => {
                self.letters.push((c, size));
                Ok(())
            }
        }
    }
}
