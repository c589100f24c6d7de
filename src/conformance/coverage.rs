//! Proof from the sources that no public operation is missing from the table.
//!
//! Whatever a `Var` or a `Tape` offers is read off `src/ops` and `src/tape`: methods, the methods that macros make,
//! and operators. Each must be called by the closure of some sample, or be excused below with a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What needs no sample, and why.
const EXCUSED: [(&str, &str); 23] = [
    ("argmax", "an index has no derivative and leaves the tape"),
    ("argmax_all", "an index has no derivative and leaves the tape"),
    ("argmax_keepdim", "an index has no derivative and leaves the tape"),
    ("argmin", "an index has no derivative and leaves the tape"),
    ("argmin_all", "an index has no derivative and leaves the tape"),
    ("argmin_keepdim", "an index has no derivative and leaves the tape"),
    ("elementwise", "every element-wise method of one number is a call of it"),
    ("elementwise2", "every element-wise method of two numbers is a call of it"),
    ("matrix_rank", "a rank has no derivative and leaves the tape"),
    ("matrix_rank_with", "a rank has no derivative and leaves the tape"),
    ("tape::apply", "it takes the operation from its caller"),
    ("tape::apply_many", "it takes the operation from its caller"),
    ("tape::record_once", "it has no second derivative: tests/custom.rs holds its first, and the error"),
    ("tape::constant", "it makes a leaf"),
    ("tape::scalar", "it makes a leaf"),
    ("tape::var", "it makes a leaf"),
    ("tape::detach", "it makes a constant, which is what is wanted of it"),
    ("tape::jvp", "every check of forward mode is a call of it"),
    ("tape::jvp_many", "forward mode of several outputs at once: tests/jacobian.rs"),
    ("tape::name", "it gives the variable back"),
    ("tape::vjp", "every check of reverse mode is a call of it"),
    ("tape::vjp_many", "every forward rule derived from a backward closure is a call of it"),
    ("tape::vjp_with", "every check of reverse mode is a call of it"),
];

/// What a sample must contain for an operator to have been tried.
const OPERATORS: [(&str, &str); 16] = [
    ("Add", "x[0] + x[1]"),
    ("Sub", "x[0] - x[1]"),
    ("Mul", "x[0] * x[1]"),
    ("Div", "x[0] / x[1]"),
    ("Add<f64>", "x[0] + 1.5"),
    ("Sub<f64>", "* 3.0 - 0.5"),
    ("Mul<f64>", "(x[0] + 1.5) * 3.0"),
    ("Div<f64>", "- 0.5) / 0.7"),
    ("Add<Var<'t, T>>", "(1.0 + 3.0 * (5.0 - x[0]))"),
    ("Sub<Var<'t, T>>", "5.0 - x[0]"),
    ("Mul<Var<'t, T>>", "3.0 * (5.0 - x[0])"),
    ("Div<Var<'t, T>>", "2.0 / (1.0"),
    ("Neg", "-x[0]"),
    ("BitAnd", "& !x[0].gt(0.0)"),
    ("BitOr", "| x[1].eq(0.0)"),
    ("Not", "!x[0].gt(0.0)"),
];

/// A source file without comments: its code, and its samples.
struct Source {
    path: PathBuf,
    code: String,
    samples: String,
}

impl Source {
    fn new(path: PathBuf, text: &str) -> Source {
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        // An entry of a macro begins after its documentation, so where that ends must stay visible.
        let lines = text.lines().filter_map(|line| match line {
            _ if ["///", "#[doc"].iter().any(|doc| line.trim_start().starts_with(doc)) => Some("///"),
            _ if is_comment(&line) => None,
            _ => Some(line),
        });
        let text = format!("\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default().to_owned();
        let heads = ["\npub(super) fn samples()", "\npub fn samples()"];
        let samples = heads.iter().find_map(|head| text.split(head).nth(1)).unwrap_or_default();
        let samples = samples.split("\n}").next().unwrap_or_default().to_owned();
        Source { path, code, samples }
    }

    /// The blocks that begin with a line that contains `head` and end with a brace as far in.
    fn blocks(&self, head: impl Fn(&str) -> bool) -> Vec<Vec<&str>> {
        let lines: Vec<&str> = self.code.lines().collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let starts = lines.iter().enumerate().filter(|(_, line)| head(line.trim_start()));
        starts
            .map(|(at, start)| {
                let inside = lines[at + 1..].iter().copied();
                inside
                    .take_while(|line| !(line.trim_start().starts_with('}') && indent(line) == indent(start)))
                    .collect()
            })
            .collect()
    }

    /// The first lines of a macro's entries, each of which has documentation above it.
    fn entries(&self, invocation: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for block in self.blocks(|line| line.starts_with(invocation) && line.ends_with("! {")) {
            let documented = block.windows(2).filter(|pair| pair[0] == "///" && pair[1] != "///");
            let before = found.len();
            for entry in documented.map(|pair| pair[1].trim_start()) {
                assert!(!entry.starts_with('#'), "{}: {entry}", self.path.display());
                let names = entry.split_whitespace().take_while(|word| !word.starts_with(['|', '(', '"']));
                found.push(names.map(str::to_owned).collect());
            }
            assert!(found.len() > before, "{}: {invocation} without entries", self.path.display());
        }
        found
    }

    /// The closures of the samples that must be right.
    fn closures(&self) -> Vec<&str> {
        let calls = self.samples.match_indices("sample!(").map(|(at, head)| &self.samples[at + head.len()..]);
        calls
            .filter_map(|rest| within_parentheses(rest).split_once("|x|").map(|(_, closure)| closure))
            .collect()
    }
}

/// The text up to the parenthesis that closes one opened before it; those in strings do not count.
fn within_parentheses(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (1, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = vec![];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source::new(path, &text));
            }
        }
    }
    found
}

/// The public functions of variables and tapes that a file defines; those that only its macros name are left out.
fn methods(source: &Source) -> BTreeSet<String> {
    let of_ours = |line: &str| {
        let ours = ["Var<'t, T>", "Var<'_, T>", "Tape<T>"].iter().any(|it| line.contains(it));
        line.starts_with("impl<") && !line.contains(" for ") && ours
    };
    let of_the_tape = source.path.components().any(|part| part.as_os_str() == "tape");
    let mut found = BTreeSet::new();
    for block in source.blocks(of_ours) {
        let text = block.join(" ");
        for signature in text.split("pub fn ").skip(1) {
            let name = signature.split(['(', '<']).next().unwrap_or_default();
            let rest = signature.split_once('(').map_or("", |(_, rest)| rest);
            let rest = &rest[within_parentheses(rest).len()..];
            let result = rest.split(['{', ';']).next().unwrap_or_default();
            let result = result.split(" where ").next().unwrap_or_default();
            match name {
                _ if name.starts_with('$') => {}
                _ if !of_the_tape => _ = found.insert(name.to_owned()),
                // What accessors and unrecorded sweeps give is no operation.
                _ if result.contains("Var<") => _ = found.insert(format!("tape::{name}")),
                _ => {}
            }
        }
    }
    found
}

/// The methods that macros make.
fn made_by_macros(source: &Source) -> BTreeSet<String> {
    let entries = ["unary", "three_forms", "searches"].map(|name| source.entries(name));
    let names = entries.into_iter().flatten().flatten();
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// The traits through which variables are operands.
fn operators(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in source.code.lines().map(str::trim) {
        let header = line.strip_prefix("impl<'t, T: Real> ").and_then(|line| line.strip_suffix(" {"));
        let Some((name, of)) = header.and_then(|header| header.split_once(" for ")) else { continue };
        if !["Var<'t, T>", "f64"].contains(&of)
            || ["Number", "IntoVar<'t, T>", "IntoMask<'t, T>"].contains(&name)
        {
            continue;
        }
        match name.strip_prefix("$trait") {
            None => _ = found.insert(name.to_owned()),
            Some(operand) => {
                let maker = if operand.is_empty() { "operators! {" } else { "with_numbers! {" };
                for line in source.blocks(|line| line == maker).concat() {
                    found.extend(line.split_whitespace().next().map(|name| format!("{name}{operand}")));
                }
            }
        }
    }
    found
}

/// The public operations.
fn operations(sources: &[Source]) -> BTreeSet<String> {
    sources
        .iter()
        .flat_map(|source| [methods(source), made_by_macros(source), operators(source)])
        .flatten()
        .collect()
}

/// Those that no sample tries and no reason excuses; and excuses that excuse nothing.
fn missing(sources: &[Source]) -> Vec<String> {
    let closures: Vec<&str> = sources.iter().flat_map(|source| source.closures()).collect();
    // The macro makes the sample with the method.
    let made: BTreeSet<String> =
        sources.iter().flat_map(|source| source.entries("unary")).flatten().collect();
    let tried = |name: &String| {
        let texts = match OPERATORS.iter().find(|operator| operator.0 == name) {
            Some(operator) => vec![operator.1.to_owned()],
            None => {
                let name = name.trim_start_matches("tape::");
                vec![format!(".{name}("), format!("::{name}(")]
            }
        };
        made.contains(name) || texts.iter().any(|text| closures.iter().any(|closure| closure.contains(text)))
    };
    let excused = |name: &String| EXCUSED.iter().any(|excuse| excuse.0 == name);
    operations(sources).into_iter().filter(|name| !tried(name) && !excused(name)).collect()
}

fn all_sources() -> Vec<Source> {
    let of_the_tape = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance/of_the_tape.rs");
    let text = fs::read_to_string(&of_the_tape).unwrap();
    let samples = Source::new(of_the_tape, &text);
    [sources("src/ops"), sources("src/tape"), vec![samples]].into_iter().flatten().collect()
}

/// What users can call or write that records an operation.
pub(super) fn public_operations() -> BTreeSet<String> {
    operations(&all_sources()).into_iter().filter(|name| !EXCUSED.iter().any(|it| it.0 == name)).collect()
}

/// That every kind of node that the sources name stood on some tape of the table.
pub(super) fn every_node_is_met(met: &BTreeSet<String>) {
    let quoted = |line: &str| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    for source in sources("src/ops") {
        let mut names: BTreeSet<String> =
            source.entries("unary").into_iter().filter_map(|entry| entry.into_iter().nth(1)).collect();
        let constants = source.code.lines().filter(|line| line.contains("const NAME: &'static str = \""));
        names.extend(constants.flat_map(quoted));
        let bodies = source.blocks(|line| line.starts_with("fn name(&self) -> &'static str {")).concat();
        names.extend(bodies.into_iter().flat_map(quoted));
        names.extend(source.blocks(|line| line == "masks! {").concat().into_iter().flat_map(quoted));
        let unmet: Vec<_> = names.difference(met).collect();
        assert!(unmet.is_empty(), "{}: no sample meets {unmet:?}", source.path.display());
    }
}

#[test]
fn every_public_operation_has_a_sample_or_a_reason() {
    let sources = all_sources();
    let operations = operations(&sources);
    for (name, example) in [("tanh", "a method"), ("erfc", "unary"), ("std_keepdim", "three_forms")] {
        assert!(operations.contains(name), "{name}: {example}");
    }
    let missing = missing(&sources);
    assert!(missing.is_empty(), "no sample calls {missing:?}");
    for (name, reason) in EXCUSED {
        assert!(operations.contains(name), "{name} is excused, but does not exist: {reason}");
    }
    for (name, _) in OPERATORS {
        assert!(operations.contains(name), "{name} is no operator");
    }
    // Another macro that makes methods must be read here, too.
    let makers = sources.iter().filter(|source| source.code.contains("pub fn $"));
    let mut makers: Vec<_> = makers.filter_map(|source| source.path.file_name()?.to_str()).collect();
    makers.sort_unstable();
    // What `losses.rs` makes are settings.
    assert_eq!(makers, ["argmax.rs", "loops.rs", "losses.rs", "reduction.rs"]);
    let unary = "vec![$(sample!(stringify!($method), $samples, |x| x[0].$method())),*]";
    let elementwise =
        sources.iter().find(|source| source.path.ends_with("ops/elementwise/loops.rs")).unwrap();
    assert!(elementwise.code.contains(unary), "the macro no longer makes a sample of each method");
}

#[test]
fn primitives_of_numbers_are_operations_with_samples() {
    let sources = all_sources();
    let operations = operations(&sources);
    let table = sources.iter().find(|source| source.path.ends_with("ops/number.rs")).unwrap();
    let lines = table.code.lines().filter(|line| line.contains(" crate::ops::"));
    let names: Vec<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 30);
    for name in names {
        assert!(operations.contains(name), "{name} is recorded, but is no method of variables");
    }
}

#[test]
fn an_operation_without_a_sample_is_found() {
    let code = "
impl<'t, T: Real> Var<'t, T> {
    /// `x.twist(1.0)` in the documentation is no sample.
    pub fn twist(
        self,
        by: f64,
    ) -> Var<'t, T> {
        self
    }
}
impl<'t, T: Real> Rem for Var<'t, T> {
}
unary! {
    /// A function.
    Bend bend |x, y| x, y; unary(0.0, 1.0);
}
three_forms! {
    /// A reduction.
    fold fold_axes fold_keepdim (\"fold\") fails: \".\";
    |x, axes, keepdim| x;
}
#[cfg(test)]
pub(super) fn samples() -> Vec<Sample> {
    // sample!(\"twist\", unary(0.0, 1.0), |x| x[0].twist(1.0))
    vec![
        wrong!(\"twist\", &[&[2]], |x| x[0].twist(-1.0), \"negative\"),
        sample!(\"fold .twist(\", unary(0.0, 1.0), |x| x[0].fold(\"(\")), SAMPLE
    ]
}
";
    let find = |sample: &str| missing(&[Source::new("src/ops/x.rs".into(), &code.replace("SAMPLE", sample))]);
    assert_eq!(find(""), ["Rem", "fold_axes", "fold_keepdim", "twist"]);
    let sample = "sample!(\"twist\", unary(0.0, 1.0), |x| x[0].twist(1.0).fold_axes(0))";
    assert_eq!(find(sample), ["Rem", "fold_keepdim"]);
}
