//! Names that rotation gives.

use super::*;
use crate::tail::tests::build_folder;

#[test]
fn suffixes_of_rotated_names() {
    let check = |base: &str, name: &'static str| {
        rotation_suffix(base.as_bytes(), name.as_bytes()).map(|s| std::str::from_utf8(s).unwrap())
    };
    for (base, name, want) in [
        ("app.log", "app.log.1", Some("1")),
        ("app.log", "app.log-20251110", Some("20251110")),
        ("app.log", "app.log.2025-11-10.3", Some("2025-11-10.3")),
        ("app.log", "app.log.bak", Some("bak")),
        ("app.log", "app.log~", None),
        ("app.log", "app-20251110.log", Some("20251110")),
        ("app.log", "app.1.log", Some("1")),
        ("app.log", "app-other.log", None),
        ("app.log", "app.log", None),
        ("app.log", "app.logs", None),
        ("app.log", "app.log.", None),
        ("app.log", "other.log.1", None),
        ("app", "app.1", Some("1")),
        ("app", "app.log", Some("log")),
        ("app", "apple", None),
        (".log", "x.log", None),
    ] {
        assert_eq!(check(base, name), want, "{base} -> {name}");
    }
}

#[test]
fn numbered_and_rotated_names() {
    for (name, numbered, rotated) in [
        ("app.log.1", true, true),
        ("app.log-20251110", true, true),
        ("app-20251110.log", true, false),
        ("app.log.1.save", true, false),
        ("app.log.save", false, false),
        ("app.log", false, false),
        ("other.7", false, true),
        (".1", false, false),
        ("12", false, false),
        ("app.", false, false),
    ] {
        assert_eq!(is_numbered(b"app.log", name.as_bytes()), numbered, "{name}");
        assert_eq!(looks_rotated(name.as_bytes()), rotated, "{name}");
    }
}

#[test]
fn compressed_names() {
    for (name, want) in [
        ("app.log.2.gz", true),
        ("a.xz", true),
        ("a.zst", true),
        ("a.bz2", true),
        ("a.lz4", true),
        ("a.Z", true),
        ("gz", false),
        ("a.gz.1", false),
        ("a.log", false),
    ] {
        assert_eq!(is_compressed(name.as_bytes()), want, "{name}");
    }
}

/// The two directions agree: a base is one exactly if rotation can have made the name of it.
#[test]
fn bases_of_rotated_names() {
    for (name, want) in [
        ("app.log.1", &["app.log", "app.1", "app"][..]),
        ("app.log-20251110", &["app.log", "app"]),
        ("app-20251110.log", &["app-20251110", "app.log", "app"]),
        ("plain", &[]),
        (".1", &[]),
    ] {
        let mut got = bases(OsStr::new(name));
        for base in &got {
            assert!(rotation_suffix(base.as_bytes(), name.as_bytes()).is_some(), "{base:?}");
        }
        got.retain(|base| want.contains(&base.to_str().unwrap()));
        let mut want = want.to_vec();
        want.retain(|base| rotation_suffix(base.as_bytes(), name.as_bytes()).is_some());
        assert_eq!(got.len(), want.len(), "{name}: {got:?}");
    }
}

#[test]
fn siblings_are_the_rotated_regular_files_the_last_written_first() {
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
    let path = |name: &str| directory.path().join(name);
    for (name, seconds) in [
        ("app.log", 50),
        ("app.log.1", 40),
        ("app.log.2", 30),
        ("app.log.3.gz", 20),
        ("app.log.5.xz", 60),
        ("x", 10),
    ] {
        let file = fs::File::create(path(name)).unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }
    fs::create_dir(path("app.log.4")).unwrap();
    let check = |of: &str| -> Vec<String> {
        let names = siblings(&path(of)).unwrap().into_iter();
        names.map(|s| s.path.file_name().unwrap().to_str().unwrap().into()).collect()
    };
    assert_eq!(check("app.log"), ["app.log.1", "app.log.2", "app.log.3.gz"]);
    assert_eq!(check("app.log.2"), ["app.log.1", "app.log.3.gz"]);
    assert_eq!(check("app.log.3.gz"), ["app.log.1", "app.log.2"]);
    assert_eq!(check("none.log"), Vec::<String>::new());
    assert!(siblings(&path("no/such/directory/app.log")).unwrap().is_empty());
    assert!(siblings(&path("x/app.log")).unwrap().is_empty());
}

#[test]
fn a_moved_file_is_found_by_its_inode() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("anything"), "").unwrap();
    fs::write(path("packed.gz"), "").unwrap();
    let find = |name: &str| {
        let metadata = fs::metadata(path(name)).unwrap();
        relocated(&path("app.log"), metadata.dev(), metadata.ino()).unwrap().map(|s| s.path)
    };
    assert_eq!(find("anything"), Some(path("anything")));
    assert_eq!(find("packed.gz"), None);
    let metadata = fs::metadata(path("packed.gz")).unwrap();
    let found = relocated(&path("app.log.1.gz"), metadata.dev(), metadata.ino()).unwrap();
    assert_eq!(found.map(|s| s.path), Some(path("packed.gz")));
    assert!(relocated(&path("app.log"), 0, 0).unwrap().is_none());
}
