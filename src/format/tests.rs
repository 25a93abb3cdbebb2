//! What the tests of the formats share, and the table of formats.

use std::collections::BTreeMap;

use super::scan::{Fault, Keys, Put, Value};
use super::*;

pub(super) fn keys(names: &[&str]) -> Keys {
    let mut keys = Keys::new();
    for name in names {
        keys.add(name);
    }
    keys
}

/// What a scanner finds for `names`, as text: `null!` and `unfit!` for those, `[a|b]` for a list.
pub(super) fn scanned<'l>(
    names: &[&str],
    scan: impl FnOnce(&Keys, Put<'_, 'l>) -> Result<(), Fault>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut found = BTreeMap::new();
    scan(&keys(names), &mut |slot, value| {
        let text = match value {
            Value::Text { text, .. } => text.into_owned(),
            Value::Null => "null!".to_owned(),
            Value::List { texts, .. } => format!("[{}]", texts.join("|")),
            Value::Unfit { .. } => "unfit!".to_owned(),
        };
        found.insert(names[slot].to_owned(), text);
    })?;
    Ok(found)
}

#[test]
fn every_format_has_a_name_a_sentence_and_a_constructor() {
    let options = Options { delimiter: None, pattern: Some("(?P<time>.*)") };
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(names, ["json", "logfmt", "syslog", "csv", "regex"]);
    for format in FORMATS {
        assert!(format.summary.ends_with('.'), "{}", format.name);
        let made = format!("{:?}", (format.make)(&options).unwrap()).to_lowercase();
        assert!(made.starts_with(format.name), "{made}");
    }
    assert_eq!((FORMATS[4].make)(&Options::default()).unwrap_err(), "format regex needs a pattern");
}
