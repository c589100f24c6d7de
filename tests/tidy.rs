//! The architecture's rules, read off the sources: who may know whom, where `unsafe` may stand, how long a file
//! may be.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = vec![];
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Whether a file is a module of unit tests: its parent declares it behind `#[cfg(test)]`.
fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    ["tests", "testing", "accuracy", "special_values", "conformance"].contains(&stem)
}

/// The lines of code: comments, documentation, and the unit tests at a file's end left out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or(""))
}

/// The modules of this crate that a file names in paths.
fn mentions(text: &str, module: &str) -> bool {
    code(text).any(|line| {
        line.contains(&format!("crate::{module}::")) || line.contains(&format!("crate::{module};"))
    })
}

fn assert_unaware(folder: &str, modules: &[&str], names: &[&str]) {
    for (path, text) in sources(folder).into_iter().filter(|(path, _)| !is_test(path)) {
        for module in modules {
            assert!(!mentions(&text, module), "{} must not know {module}", path.display());
        }
        for name in names {
            let word =
                |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == *name);
            assert!(!code(&text).any(word), "{} must not mention {name}", path.display());
        }
    }
}

#[test]
fn kernels_know_slices_and_numbers_only() {
    let above = ["tensor", "tape", "ops", "shape", "error", "gradcheck", "optim"];
    assert_unaware("src/kernels", &above, &["Tensor", "Tape", "Var"]);
}

#[test]
fn numbers_know_nothing_above_them() {
    assert_unaware("src/number", &["kernels", "tensor", "tape", "ops", "shape", "error"], &[]);
}

#[test]
fn tensors_know_neither_tapes_nor_operations() {
    assert_unaware("src/tensor", &["tape", "ops", "gradcheck", "optim"], &["Tape", "Var"]);
}

#[test]
fn the_tape_names_no_operation() {
    assert_unaware("src/tape", &["ops", "gradcheck", "optim"], &[]);
}

#[test]
fn an_operation_does_not_reach_into_another() {
    // What is shared between operations: the element-wise machinery, numbers, the options of images, what all
    // normalisations, all recurrent layers and all losses are, and the list itself.
    let shared = [
        "elementwise",
        "reduction",
        "guard",
        "axis",
        "dual",
        "number",
        "scalar",
        "activation",
        "per_axis",
        "pool",
        "normalise",
        "recurrent",
        "losses",
        "mod",
    ];
    for (path, text) in sources("src/ops") {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // What stands above a file in an operation's own folder is that operation.
        if shared.contains(&stem.as_str()) || !path.parent().unwrap().ends_with("ops") {
            continue;
        }
        for line in code(&text).filter(|line| line.trim_start().starts_with("use super::")) {
            let path_of = line.trim().trim_start_matches("use super::");
            let module = path_of.split("::").next().unwrap();
            let fine = !path_of.contains("::") || module.starts_with('{') || shared.contains(&module);
            assert!(fine, "{}: {line}: compose through methods of Var", path.display());
        }
        let panics = code(&text).any(|line| line.contains(".shape()") && line.contains("Var::shape"));
        assert!(!panics, "{}: ask try_shape, which cannot panic", path.display());
    }
}

#[test]
fn unsafe_stands_in_kernels_and_the_buffer_only() {
    for (path, text) in sources("src") {
        let name = path.to_str().unwrap().replace('\\', "/");
        let allowed = ["/kernels/", "/tensor/buffer.rs", "/tensor/pool.rs"].iter().any(|a| name.contains(a));
        let mut explained = false;
        for line in text.lines() {
            let trimmed = line.trim_start();
            if trimmed.starts_with("//") {
                explained |= trimmed.contains("SAFETY:");
                continue;
            }
            let is_unsafe = trimmed.contains("unsafe {") || trimmed.contains("unsafe impl");
            if is_unsafe {
                assert!(allowed, "{name}: {trimmed}");
                assert!(explained, "{name}: no SAFETY comment above: {trimmed}");
            }
            explained = false;
        }
    }
}

#[test]
fn files_are_short_or_say_why() {
    for (path, text) in sources("src") {
        let lines = text.lines().count();
        let says_why =
            text.lines().take(12).any(|line| line.starts_with("//!") && line.contains("long because"));
        assert!(lines <= 450 || says_why, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_operation_is_in_the_list() {
    let list = |of: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(of)).unwrap();
    // Those behind a feature have their list beside their folder.
    let lists = ["src/ops/mod.rs", "src/ops/fft.rs", "src/ops/linalg.rs"].map(list).concat();
    for (path, text) in sources("src/ops") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let declares = text.lines().any(|line| line.starts_with("pub(super) fn samples()"))
            || text.lines().any(|line| line.starts_with("unary! {"));
        let folders = ["ops", "ops/fft", "ops/linalg"];
        if declares && folders.iter().any(|folder| path.parent().unwrap().ends_with(folder)) {
            let listed = lists.lines().any(|line| line.trim().split(' ').next_back() == Some(stem));
            assert!(listed, "{stem} has no line in the list of operations");
        }
    }
}
