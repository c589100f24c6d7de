//! Reads the cases: a text line by line, the numbers from the file beside it. The format is in README.md.

use retrograde::Tensor;
use std::fs;
use std::path::{Path, PathBuf};

/// A tensor in the file: f for numbers, i for integers, b for truths.
#[derive(Clone, Debug)]
pub struct Held {
    pub kind: char,
    pub shape: Vec<usize>,
    place: usize,
}

/// An argument of a call, as PyTorch's caller wrote it.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Tensor(usize),
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    /// A list or tuple.
    Seq(Vec<Arg>),
    /// A list within an index: fancy indexing.
    Fancy(Vec<Arg>),
    Slice([Option<i64>; 3]),
    Ellipsis,
    Dtype,
    None,
}

/// An input, and what belongs to it if a derivative is asked for; `Some(None)` stands for zeros.
#[derive(Debug)]
pub struct Input {
    pub value: Held,
    pub grad: Option<Option<Held>>,
    pub direction: Option<Held>,
    pub second: Option<Option<Held>>,
}

/// An output, and its cotangent and tangent if it is differentiable.
#[derive(Debug)]
pub struct Output {
    pub value: Held,
    pub cotangent: Option<Held>,
    pub tangent: Option<Option<Held>>,
}

#[derive(Debug, Default)]
pub struct Case {
    pub id: String,
    pub op: String,
    pub args: Vec<Arg>,
    pub named: Vec<(String, Arg)>,
    /// What was done to the inputs before and to the outputs after the call.
    pub pre: Option<String>,
    pub post: Option<String>,
    /// The noise of a part: how far it moves when the inputs move by an ulp.
    pub noise: Vec<(String, f64)>,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
}

pub struct Golden {
    pub cases: Vec<Case>,
    numbers: Vec<f64>,
}

/// The folder of other cases to be run in place of ours.
pub fn elsewhere() -> Option<PathBuf> {
    std::env::var_os("GOLDEN").map(PathBuf::from)
}

impl Golden {
    pub fn read() -> Golden {
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let (folder, files) = match elsewhere() {
            Some(folder) => (folder, &["cases"][..]),
            None => (own, &["cases", "linalg_cases"][..]),
        };
        let mut golden = Golden { cases: Vec::new(), numbers: Vec::new() };
        files.iter().for_each(|name| golden.take(&folder.join(name)));
        golden
    }

    /// The cases of a file, with their numbers behind those that are there.
    fn take(&mut self, path: &Path) {
        let (base, cases) = (self.numbers.len(), &mut self.cases);
        let bytes = fs::read(path.with_extension("bin")).expect("the numbers");
        self.numbers.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)));
        let text = fs::read_to_string(path.with_extension("txt")).expect("the cases");
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word == "case" {
                let mut words = rest.split(' ').map(String::from);
                let (id, op) = (words.next().unwrap(), words.next().unwrap());
                cases.push(Case { id, op, ..Case::default() });
                continue;
            }
            let case = cases.last_mut().expect("a case comes first");
            match word {
                "call" => (case.args, case.named) = call(rest),
                "pre" => case.pre = Some(rest.into()),
                "post" => case.post = Some(rest.into()),
                "ulp" => case.noise = rest.split(' ').filter_map(noise).collect(),
                "in" => case.inputs.push(input(rest, base)),
                "out" => case.outputs.push(output(rest, base)),
                "expr" | "mutated" => {}
                _ => panic!("{line}"),
            }
        }
    }

    pub fn floats(&self, held: &Held) -> Tensor<f64> {
        let count: usize = held.shape.iter().product();
        let data = &self.numbers[held.place..held.place + count];
        Tensor::from_slice(data, held.shape.as_slice()).unwrap()
    }

    pub fn integers(&self, held: &Held) -> Tensor<i64> {
        self.floats(held).map(|x| x as i64).unwrap()
    }
}

fn noise(word: &str) -> Option<(String, f64)> {
    let (part, size) = word.split_once('=')?;
    Some((part.into(), size.parse().unwrap()))
}

/// kind:shape:place, counted from `base`; `0` stands for zeros.
fn held(word: &str, base: usize) -> Option<Held> {
    let mut parts = word.split(':');
    let kind = parts.next()?.chars().next()?;
    let shape = parts.next()?.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect();
    Some(Held { kind, shape, place: base + parts.next()?.parse::<usize>().unwrap() })
}

fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

fn input(line: &str, base: usize) -> Input {
    Input {
        value: held(line.split(' ').next().unwrap(), base).unwrap(),
        grad: field(line, "grad").map(|word| held(word, base)),
        direction: field(line, "u").and_then(|word| held(word, base)),
        second: field(line, "gg").map(|word| held(word, base)),
    }
}

fn output(line: &str, base: usize) -> Output {
    Output {
        value: held(line.split(' ').next().unwrap(), base).unwrap(),
        cotangent: field(line, "cot").and_then(|word| held(word, base)),
        tangent: field(line, "jvp").map(|word| held(word, base)),
    }
}

fn call(line: &str) -> (Vec<Arg>, Vec<(String, Arg)>) {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let (mut args, mut named) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word.strip_suffix('=') {
            Some(name) => named.push((name.into(), arg(words.next().unwrap(), &mut words))),
            None => args.push(arg(word, &mut words)),
        }
    }
    (args, named)
}

fn arg<'a>(word: &'a str, words: &mut dyn Iterator<Item = &'a str>) -> Arg {
    let mut sequence = || {
        let mut items = Vec::new();
        while let Some(word) = words.next().filter(|word| *word != "]") {
            items.push(arg(word, words));
        }
        items
    };
    match word {
        "[" => return Arg::Seq(sequence()),
        "L[" => return Arg::Fancy(sequence()),
        "N" => return Arg::None,
        "E" => return Arg::Ellipsis,
        _ => {}
    }
    let (kind, rest) = word.split_at(1);
    match kind {
        "T" => Arg::Tensor(rest.parse().unwrap()),
        "i" => Arg::Int(rest.parse().unwrap()),
        "f" => Arg::Float(rest.parse().unwrap()),
        "b" => Arg::Bool(rest == "1"),
        "s" => Arg::Text(rest.replace("%20", " ").replace("%25", "%")),
        "d" => Arg::Dtype,
        "/" => {
            let mut ends = rest.split(':').map(|end| end.parse().ok());
            Arg::Slice(std::array::from_fn(|_| ends.next().flatten()))
        }
        _ => panic!("{word}"),
    }
}
