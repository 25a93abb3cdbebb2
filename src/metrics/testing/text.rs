//! A parser of the text format that shares nothing with the encoder.

use std::collections::BTreeMap;

/// A sample's name and labels (in their order).
pub type SeriesKey = (String, Vec<(String, String)>);

/// What the text format says (<https://prometheus.io/docs/instrumenting/exposition_formats/>), read byte by
/// byte.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Family -> type.
    pub types: BTreeMap<String, String>,
    pub help: BTreeMap<String, String>,
    /// In the order of the text.
    pub samples: Vec<(SeriesKey, f64)>,
}

impl Parsed {
    pub fn of(text: &str) -> Parsed {
        assert!(text.ends_with('\n'));
        let mut parsed = Parsed::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert_eq!(parsed.help.insert(name.into(), help.into()), None, "{name} twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(parsed.types.insert(name.into(), kind.into()), None, "{name} twice");
            } else {
                parsed.samples.push(sample(line));
            }
        }
        parsed
    }

    /// The sample that is written like this: `name` or `name{a="b",c="d"}`.
    pub fn get(&self, series: &str) -> Option<f64> {
        let (key, _) = sample(&format!("{series} 0"));
        let mut found = self.samples.iter().filter(|(k, _)| *k == key).map(|(_, v)| *v);
        let first = found.next();
        assert_eq!(found.next(), None, "{series} twice");
        first
    }
}

fn sample(line: &str) -> (SeriesKey, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            let (value, after) = quoted(after);
            labels.push((label.to_owned(), value));
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let value: f64 = value.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
    ((name.to_owned(), labels), value)
}

/// A label value up to its closing quote, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return (value, &text[i + 1..]),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('\\' | '"'))) => c,
                other => panic!("escape {other:?}"),
            }),
            c => value.push(c),
        }
    }
    panic!("no closing quote in {text:?}")
}
