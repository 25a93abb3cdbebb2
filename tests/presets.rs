//! The documentation of the presets is made from their table, and everything in it is loaded.
//!
//! `BLESS=1` writes the part below the marker anew.

use std::fmt::Write;
use std::path::Path;

use offhours::config::{Config, parse};
use offhours::format::preset::{Layout, Preset};
use offhours::format::{Field, PRESETS};

use crate::support::{root, text};

const MARKER: &str = "<!-- below: made from the table of presets -->\n";

/// A text in YAML that stands for itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn pairs(pairs: &[(Field, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(field, text)| format!("{field}: {}", quoted(text))).collect();
    pairs.join(", ")
}

/// The keys that a preset stands for, as a source would write them.
fn written(preset: &Preset) -> String {
    let mut keys = match preset.layout {
        Layout::Json => "format: json\n".to_owned(),
        Layout::Regex => "format: regex\n".to_owned(),
    };
    let any: Vec<String> = preset.match_any.iter().map(|word| quoted(word)).collect();
    let key = preset.match_key.map(|key| format!("key: {}, ", quoted(key))).unwrap_or_default();
    writeln!(keys, "match: {{ {key}any: [{}] }}", any.join(", ")).expect("text");
    if let Some(continuation) = preset.continuation {
        writeln!(keys, "continuation: {}", quoted(continuation)).expect("text");
    }
    keys += "patterns:\n";
    for form in preset.forms {
        writeln!(keys, "  - regex: {}", quoted(form.regex)).expect("text");
        for (field, word) in form.constants {
            writeln!(keys, "    {field}: {}", quoted(word)).expect("text");
        }
        keys += if form.ignore { "    ignore: true\n" } else { "" };
    }
    if !preset.fields.is_empty() {
        writeln!(keys, "fields: {{ {} }}", pairs(preset.fields)).expect("text");
    }
    let mut field = None;
    for (ours, theirs, word) in preset.values {
        keys += if field.is_none() { "values:\n" } else { "" };
        if field.replace(ours) != Some(ours) {
            writeln!(keys, "  {ours}:").expect("text");
        }
        writeln!(keys, "    {}: {word}", quoted(theirs)).expect("text");
    }
    if !preset.defaults.is_empty() {
        writeln!(keys, "defaults: {{ {} }}", pairs(preset.defaults)).expect("text");
    }
    keys
}

/// The three lines that a common log needs.
fn example(preset: &Preset) -> String {
    let name = preset.name;
    format!("- preset: {name}\n  partner: hostco\n  files: [/var/log/hostco/{name}*]\n")
}

fn markdown() -> String {
    let mut page = String::new();
    for preset in PRESETS {
        let Preset { name, summary, how, .. } = preset;
        write!(
            page,
            "\n## {name}\n\n{summary}\n\n```yaml\n{}```\n\n{how}\n\nWritten out:\n\n```yaml\n{}```\n",
            example(preset),
            written(preset)
        )
        .expect("text");
    }
    page
}

/// A configuration whose only source is `source`, a list of one.
fn load(source: &str) -> Config {
    let text = format!(
        "services: {{ atlas: {{}} }}\n\
         partners: {{ hostco: {{ timezone: Europe/Berlin, confirmation: {{ required: false }} }} }}\n\
         sources:\n{source}"
    );
    let now = "2026-06-01T00:00:00Z".parse().expect("a stamp");
    parse(&text, Path::new("/etc/offhours/offhours.yml"), now)
        .unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn the_page_is_made_from_the_table() {
    let path = root().join("docs/presets.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (introduction, below) = page.split_once(MARKER).expect("the marker");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, format!("{introduction}{MARKER}{}", markdown())).expect("written");
        return;
    }
    assert!(below == markdown(), "docs/presets.md differs from the table; BLESS=1 writes it anew");
}

/// Whoever writes out what a preset says gets the same: there is nothing that only presets can do.
#[test]
fn a_preset_is_short_for_keys_that_any_source_may_have() {
    for preset in PRESETS {
        let short = load(&example(preset));
        let indented = written(preset).replace('\n', "\n  ");
        let keys = format!(
            "- name: hostco-{}\n  partner: hostco\n  files: [x]\n  {}",
            preset.name,
            indented.trim_end()
        );
        let long = load(&keys);
        assert_eq!(short.sources[0].name, long.sources[0].name);
        let sorted = |config: &Config| {
            let mut spec = format!("{:#?}", config.sources[0].spec)
                .lines()
                .map(|line| line.trim().to_owned())
                .collect::<Vec<_>>();
            // Maps have no order.
            spec.sort();
            spec
        };
        assert_eq!(sorted(&short), sorted(&long), "{}", preset.name);
    }
}

/// What a source says itself counts for more, key by key; in a mapping entry by entry.
#[test]
fn a_source_overrides_its_preset_key_by_key() {
    let with =
        |keys: &str| load(&format!("{}{keys}", example(Preset::find("bareos").expect("it"))));
    let plain = with("").sources[0].spec.clone();
    let spec = with("  values: { trigger: { Cron: schedule } }\n").sources[0].spec.clone();
    assert_eq!(spec.values[&Field::Trigger].len(), 3);
    let spec = with("  fields: { outcome: trigger }\n").sources[0].spec.clone();
    assert_eq!(spec.fields[&Field::Outcome], "trigger");
    assert_eq!(spec.matching, plain.matching);
    let spec = with("  match: { any: [x] }\n  continuation: ^x\n").sources[0].spec.clone();
    assert_eq!(spec.matching.as_ref().expect("a match").any, ["x"]);
    assert_eq!(spec.continuation.as_ref().expect("one").as_str(), "^x");
    let spec =
        with("  defaults: { service: atlas }\n  run_id_prefix: a/\n").sources[0].spec.clone();
    assert_eq!((&*spec.defaults[&Field::Service], &*spec.run_id_prefix), ("atlas", "a/"));
    let spec = with("  format: logfmt\n").sources[0].spec.clone();
    assert_eq!(format!("{:?}", spec.format), "Logfmt");
}

/// Lines that belong together are one record on standard input, too.
#[test]
fn test_line_joins_lines() {
    let folder = crate::support::folder();
    let config = folder.path().join("offhours.yml");
    let story = root().join("tests/cases/postgresql");
    std::fs::copy(story.join("offhours.yml"), &config).expect("a copy");
    let log = std::fs::File::open(story.join("postgresql.log")).expect("the log");
    let output = crate::support::program()
        .args(["test-line", "--config.file"])
        .arg(&config)
        .stdin(log)
        .output()
        .expect("the program starts");
    let told = text(&output.stdout);
    assert_eq!(told.matches("procedure     autovacuum").count(), 4, "{told}");
    assert_eq!(told.matches("procedure     autoanalyze").count(), 1, "{told}");
    assert_eq!(told.matches("rejected").count(), 2, "{told}");
    assert_eq!(output.status.code(), Some(1));
}
