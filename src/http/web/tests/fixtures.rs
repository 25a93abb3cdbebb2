//! Every mistake has a fixture in `tests/web` with its exact message, in which no secret is.

use super::support::Papers;
use crate::http::web::files::Files;
use crate::http::web::settings;
use crate::time::Instant;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

fn now() -> Instant {
    Instant::from_timestamp(1_762_732_800, 0).unwrap()
}

/// What a fixture is told, and the ending of the file that holds it.
fn told(papers: &Papers, name: &str, text: &str) -> (&'static str, String) {
    papers.write(name, text);
    let (ending, said) = match settings::load(&papers.path(name), now(), &mut Files::default()) {
        Ok(settings) if settings.warnings.is_empty() => ("", String::new()),
        Ok(settings) => {
            let warnings: Vec<_> = settings.warnings.iter().map(|w| w.to_string()).collect();
            ("warn", warnings.join("\n\n") + "\n")
        }
        Err(error) => ("err", format!("{error}\n")),
    };
    (ending, said.replace(&format!("{}/", papers.folder().display()), ""))
}

/// `BLESS=1` writes the expected messages instead of comparing them.
#[test]
fn every_web_fixture_is_told_exactly_what_is_written_beside_it() {
    let bless = std::env::var_os("BLESS").is_some();
    let papers = Papers::new();
    let mut wrong = String::new();
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "yml") {
            found.insert(name);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (ending, got) = told(&papers, &name, &text);
        if name.starts_with("good-") == (ending == "err")
            || name.starts_with("good-warn-") != (ending == "warn")
        {
            writeln!(wrong, "{name}: good ones load, others do not\n{got}").unwrap();
        }
        if got.contains("hunter2") {
            writeln!(wrong, "{name}: tells a secret\n{got}").unwrap();
        }
        if ending.is_empty() {
            continue;
        }
        let beside = path.with_extension(ending);
        expected.insert(beside.file_name().unwrap().to_str().unwrap().to_owned());
        if bless {
            std::fs::write(&beside, &got).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != got {
            writeln!(wrong, "{name}:\n{got}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(40 < expected.len(), "fixtures not found");
    if !bless {
        assert_eq!(found, expected, "orphans or missing messages");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let papers = Papers::new();
    std::fs::write(papers.path("latin1.yml"), b"a: \xff").unwrap();
    std::fs::write(papers.path("long.yml"), vec![b' '; (1 << 20) + 1]).unwrap();
    for (name, want) in [
        ("nowhere.yml", "cannot be read: No such file"),
        ("latin1.yml", "is not UTF-8"),
        ("long.yml", "is longer than 1048576 bytes"),
        (".", "is not a regular file"),
    ] {
        let loaded = settings::load(&papers.path(name), now(), &mut Files::default());
        let said = loaded.err().unwrap().to_string();
        assert!(said.contains(want), "{name}: {said}");
    }
}

#[test]
fn the_example_is_good_and_its_password_is_the_one_it_says() {
    let papers = Papers::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web/web.yml");
    papers.write("client-ca.crt", &papers.read("ca.crt"));
    let text = std::fs::read_to_string(example).unwrap();
    let all = text.replace("  # client_allowed_sans", "  client_allowed_sans");
    for text in [text, all.replace("# rate_limit", "rate_limit")] {
        papers.write("web.yml", &text);
        let loaded = settings::load(&papers.path("web.yml"), now(), &mut Files::default());
        let settings = loaded.unwrap_or_else(|error| panic!("{error}"));
        assert!(settings.warnings.is_empty());
        assert!(settings.users.check("prometheus", b"change-me"));
    }
}
