//! What the tests of the configuration share: the fixtures, and how they are read.

mod agreement;
mod calendars;
mod file;
mod messages;
mod sources;

use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::*;
use crate::policy::Terms;
use crate::time::parse_duration;

const NOW: &str = "2025-11-10T12:00:00Z";

fn instant(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

/// The moment of loading that a fixture asks for by a comment, `# now: ...`.
fn now_of(text: &str) -> Instant {
    let asked = text.lines().find_map(|line| line.strip_prefix("# now: "));
    instant(asked.unwrap_or(NOW))
}

fn good(name: &str) -> Config {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    parse(&text, Path::new("/etc/offhours/offhours.yml"), now_of(&text))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The problems of `text`, as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    match parse(text, Path::new("a.yml"), instant(NOW)) {
        Ok(_) => Vec::new(),
        Err(Error::Invalid { problems, .. }) => {
            problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message)).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

fn terms<'c>(config: &'c Config, service: Option<&str>, procedure: &str) -> &'c Terms {
    config.policy.partner("hostco").unwrap().terms(service, procedure)
}

fn duration(text: &str) -> TimeDelta {
    parse_duration(text).unwrap()
}
