//! The repository checks itself: order of the modules, purity of the core, sizes, habits, paths.

mod code;
mod papers;

use std::path::Path;

use crate::support::{files, root};

/// One Rust file: where it lies below the root, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("tests.rs")
            || self.path.ends_with("testing.rs")
    }

    /// Lines without the tests at the end and without comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end =
            if self.is_test() { Some(0) } else { self.text.find("#[cfg(test)]\nmod tests {") };
        let code = self.text.get(..end.unwrap_or(self.text.len())).unwrap_or_default();
        let lines = code.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The name of its module at the top of the crate.
    fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or_default();
        let end = below.find(['/', '.']).unwrap_or(below.len());
        below.get(..end).unwrap_or_default()
    }
}

/// All Rust files below these folders.
fn rust(folders: &[&str]) -> Vec<File> {
    let all = folders.iter().flat_map(|folder| files(&root().join(folder)));
    let rust = all.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let found: Vec<File> =
        rust.map(|path| File { path: short(&path), text: read(&path) }).collect();
    assert!(!found.is_empty(), "no files in {folders:?}");
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with all findings at once.
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
