//! The file itself: its size, its bytes, and the folder that paths in it stand against.

use std::path::Path;

use super::{NOW, fixtures, instant, problems};
use crate::config::*;

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yml");
    let good =
        "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [x], format: json }]\n#";
    for (length, ok) in [(FILE_BYTES_MAX, true), (FILE_BYTES_MAX + 1, false)] {
        let text = good.to_owned() + &" ".repeat(length - good.len());
        std::fs::write(&path, text).unwrap();
        let got = load(&path, instant(NOW));
        assert_eq!(got.is_ok(), ok, "{length}");
        if let Err(error) = got {
            let want = format!("{}: file is too large\n  accepted: 16777216 bytes", path.display());
            assert_eq!(error.to_string(), want);
        }
    }
    std::fs::write(&path, good).unwrap();
    let config = load(&path, instant(NOW)).unwrap();
    assert_eq!(config.sources[0].patterns, [format!("{}/x", folder.path().display())]);
}

#[test]
fn a_file_that_is_no_text_or_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yml");
    let error = load(&path, instant(NOW)).unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { reason, .. } if reason.contains("cannot be read"))
    );
    assert!(error.to_string().starts_with(&format!("{}: ", path.display())));
    assert!(matches!(load(folder.path(), instant(NOW)), Err(Error::Unreadable { .. })));
    std::fs::write(&path, b"partners:\n  \xc3\xa9a\xff: {}\n").unwrap();
    let Err(Error::Invalid { problems, .. }) = load(&path, instant(NOW)) else { panic!() };
    assert_eq!((problems[0].line, problems[0].column), (2, 5));
    assert_eq!(problems[0].message, "not UTF-8");
}

#[test]
fn the_folder_of_a_bare_name_is_the_current_one() {
    let current = std::env::current_dir().unwrap();
    assert_eq!(folder(Path::new("offhours.yml")), current);
    assert_eq!(folder(Path::new("conf/offhours.yml")), current.join("conf"));
    assert_eq!(folder(Path::new("/etc/offhours.yml")), Path::new("/etc"));
}

#[test]
fn a_relative_path_stands_against_the_folder_as_it_is_called() {
    use std::os::unix::ffi::OsStrExt as _;
    let text = "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [x/*.log, /y], format: json }]\n";
    let config = parse(text, Path::new("/etc/[odd]*/a.yml"), instant(NOW)).unwrap();
    assert_eq!(config.sources[0].patterns, ["/etc/[[]odd][*]/x/*.log", "/y"]);
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/etc/\xff/a.yml"));
    let error = parse(text, path, instant(NOW)).unwrap_err().to_string();
    assert!(error.contains("not UTF-8") && error.contains(":2:42:"), "{error}");
    let absolute = text.replace("x/*.log, ", "");
    assert!(parse(&absolute, path, instant(NOW)).is_ok());
}

#[test]
fn a_byte_order_mark_and_crlf_do_no_harm() {
    let text = std::fs::read_to_string(fixtures().join("good-crlf-bom.yml")).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains("\r\n"), "the fixture was rewritten");
    let broken = text.replace("services:\r\n", "service:\r\n");
    assert_eq!(problems(&broken), ["1:1 unknown key \"service\""]);
    let broken = text.replace("notice: 24h", "notice: soon");
    assert_eq!(problems(&broken), ["13:45 \"soon\" is not a duration"]);
}
