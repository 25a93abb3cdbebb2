//! Patterns against a tree of files.

use super::*;
use crate::tail::tests::build_folder;

/// A tree with files, one of them compressed, hidden ones, links and an empty directory.
fn tree() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
    let root = directory.path().canonicalize().unwrap();
    for name in [
        "a.log",
        "b.log",
        "b.log.1.gz",
        ".hidden.log",
        "one/a.log",
        "one/deep/deeper/a.log",
        "two/b.log",
        ".git/a.log",
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    fs::create_dir(root.join("dir.log")).unwrap();
    std::os::unix::fs::symlink(&root, root.join("one/up")).unwrap();
    (directory, root)
}

fn walk(root: &Path, patterns: &[&str], entries: usize) -> Walk {
    let parse = |pattern: &&str| Pattern::parse(&format!("{}/{pattern}", root.display())).unwrap();
    Walk::through(&patterns.iter().map(parse).collect::<Vec<_>>(), entries)
}

#[test]
fn patterns_lead_to_paths() {
    let (_directory, root) = tree();
    for (pattern, want) in [
        ("a.log", &["a.log"][..]),
        ("none.log", &["none.log"]),
        ("no/where.log", &["no/where.log"]),
        ("*.log", &["a.log", "b.log"]),
        ("b.log*", &["b.log"]),
        ("b.log.1.gz", &["b.log.1.gz"]),
        (".*.log", &[".hidden.log"]),
        ("*/a.log", &["one/a.log"]),
        ("*/*.log", &["one/a.log", "two/b.log"]),
        ("one/*/a.log", &["one/up/a.log"]),
        ("**/a.log", &["a.log", "one/a.log", "one/deep/deeper/a.log"]),
        ("one/**/*.log", &["one/a.log", "one/deep/deeper/a.log"]),
        ("**/deep/**/a.log", &["one/deep/deeper/a.log"]),
        ("**/.git/*", &[".git/a.log"]),
        ("[ab].log", &["a.log", "b.log"]),
    ] {
        let mut got = walk(&root, &[pattern], 1000).paths;
        got.sort();
        got.dedup();
        let want: Vec<PathBuf> = want.iter().map(|name| root.join(name)).collect();
        assert_eq!(got, want, "{pattern}");
    }
}

#[test]
fn directories_are_those_where_something_may_appear() {
    let (_directory, root) = tree();
    for (pattern, want) in [
        ("a.log", &[""][..]),
        ("*/x.log", &["", "dir.log", "one", "two"]),
        ("no/such/*.log", &[""]),
        ("one/deep/**/x.log", &["one/deep", "one/deep/deeper"]),
    ] {
        let got = walk(&root, &[pattern], 1000).directories;
        let want: BTreeSet<PathBuf> = want
            .iter()
            .map(|name| if name.is_empty() { root.clone() } else { root.join(name) })
            .collect();
        assert_eq!(got, want, "{pattern}");
    }
}

#[test]
fn the_number_of_entries_is_bounded() {
    let (_directory, root) = tree();
    let whole = walk(&root, &["**/*.log"], 1000);
    assert!(whole.blocked.is_empty());
    let part = walk(&root, &["**/*.log"], 5);
    assert!(part.paths.len() < whole.paths.len());
    assert!(part.blocked.iter().all(|blocked| blocked.kind == FailureKind::TooManyFiles));
    assert!(!part.blocked.is_empty());
}

#[test]
fn a_file_where_a_directory_should_be_is_no_failure() {
    let (_directory, root) = tree();
    for pattern in ["a.log/*.log", "a.log/b.log", "a.log/**/x"] {
        let walk = walk(&root, &[pattern], 1000);
        assert!(walk.blocked.is_empty(), "{pattern}");
    }
}
