//! docs/porting.md against the sources: what it says is here is here, and what is tested against PyTorch is on it.

use crate::TABLES;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the page's tables: what it is called elsewhere, and what here.
fn rows(page: &str) -> Vec<(String, String)> {
    let (mut rows, mut here) = (Vec::new(), 0);
    for line in page.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.iter().position(|cell| *cell == "here") {
            Some(at) => here = at,
            None => {
                assert!(cells.len() > here, "a cell is missing: {line}");
                rows.push((cells[..here].join(" "), cells[here].into()));
            }
        }
    }
    rows
}

/// The pieces between backquotes.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// What is called in a piece of code: the name before each parenthesis that opens.
fn called(code: &str) -> impl Iterator<Item = &str> {
    let starts = code.match_indices('(').map(|(at, _)| &code[..at]);
    starts.filter(|before| before.ends_with(|c: char| c.is_alphanumeric() || c == '_')).filter_map(|before| {
        before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
    })
}

/// The names of public functions: those declared, and those that the macros for families of them declare.
fn public(text: &str, names: &mut BTreeSet<String>) {
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        if let Some((_, rest)) = line.split_once("pub fn ").or(line.split_once("pub const fn ")) {
            names.extend(words(rest).next().map(String::from));
        }
        // `Tanh tanh |x, y| …` of `unary!`; `sum sum_axes sum_keepdim ("sum") …` of the reductions' macros.
        let head = line.split(['|', '(', '"', ';']).next().unwrap_or("");
        let listed: Vec<&str> = head.split_whitespace().collect();
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let unary = listed.len() == 2
            && listed[0].starts_with(char::is_uppercase)
            && line[head.len()..].starts_with('|');
        if head.ends_with(' ') && listed.iter().all(plain) && (unary || listed.len() == 3) {
            names.extend(listed.into_iter().map(String::from));
        }
    }
}

fn read(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, names);
        } else if path.extension().is_some_and(|e| e == "rs") {
            public(&fs::read_to_string(&path).unwrap(), names);
        }
    }
}

/// Public functions of the operations.
pub fn operations() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    read(&root().join("src/ops"), &mut names);
    names
}

/// `nn.functional.relu` is `relu` on the page, `softmax.with_dtype` a form of `softmax`, and `linalg.pinv.hermitian` one
/// of `linalg.pinv`.
pub fn on_the_page(op: &str) -> &str {
    let name = op.strip_prefix("nn.functional.").or(op.strip_prefix("torch.ops.aten.")).unwrap_or(op);
    let module = ["linalg.", "special.", "fft."].iter().find(|module| name.starts_with(**module));
    let after = module.map_or(0, |module| module.len());
    let end = name[after..].find('.').map_or(name.len(), |dot| after + dot);
    &name[..end]
}

#[test]
fn every_method_on_the_porting_page_exists_and_every_tested_operation_is_on_it() {
    let page = fs::read_to_string(root().join("docs/porting.md")).unwrap();
    let rows = rows(&page);
    let mut names = BTreeSet::new();
    read(&root().join("src"), &mut names);
    assert!(!names.contains("no_such_method") && names.contains("tanh") && names.contains("sum_axes"));

    let mut there = BTreeSet::new();
    for (elsewhere, here) in &rows {
        there.extend(code(elsewhere).map(String::from));
        for name in code(here).flat_map(called) {
            assert!(names.contains(name), "docs/porting.md: nothing is called {name}, in {here}");
        }
    }
    let absent: BTreeSet<&str> = TABLES
        .iter()
        .copied()
        .flatten()
        .map(|entry| on_the_page(entry.0))
        .filter(|op| !there.contains(*op))
        .collect();
    assert!(absent.is_empty(), "docs/porting.md has no row for {absent:?}");
}
