//! What `check-config` warns of: what can be used and is probably not meant.

use crate::support::{folder, offhours, text};

const AGREED: &str = "services:
  billing: { timezone: America/New_York, business_hours: \"Mo-Fr 09:00-14:00\" }
  ledger: { timezone: Europe/Paris, business_hours: \"Mo-Fr 07:00-19:00\" }
partners:
  southhost:
    timezone: Europe/Paris
    windows: \"Mo-Su 21:00-06:00\"
    procedures: { vacuum: { services: [billing, ledger] }, reindex: { services: [ledger] } }
sources:
  - { name: south, partner: southhost, files: [south.log], format: logfmt }
";

/// The warnings about an agreement, in a folder with one log. The configuration can be used all the same.
fn warnings(agreed: &str) -> Vec<String> {
    let home = folder();
    std::fs::write(home.path().join("offhours.yml"), agreed).expect("a file");
    std::fs::write(home.path().join("south.log"), "").expect("a log");
    let config = format!("--config.file={}", home.path().join("offhours.yml").display());
    let output = offhours(&["check-config", &config]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stderr).replace("\n         ", " ");
    said.lines().filter_map(|l| l.strip_prefix("warning: ")).map(String::from).collect()
}

/// Exactly one warning, with these words in it.
fn only(agreed: &str, words: &[&str]) {
    let all = warnings(agreed);
    let [warning] = all.as_slice() else { panic!("{all:#?} for {agreed}") };
    for word in words {
        assert!(warning.contains(word), "{word:?} is not in {warning}");
    }
}

#[test]
fn windows_that_reach_into_hours_and_freezes_are_told() {
    assert_eq!(warnings(AGREED), Vec::<String>::new());
    // 21:00 in Paris is 15:00 in New York.
    let west = AGREED.replace("09:00-14:00", "09:00-17:00");
    only(&west, &["the business hours of billing", "America/New_York", "(vacuum)"]);
    let allowed =
        west.replace("[billing, ledger] }", "[billing, ledger], business_hours: allowed }");
    assert_eq!(warnings(&allowed), Vec::<String>::new());
    let frozen = AGREED.replace(
        "\"Mo-Fr 07:00-19:00\"",
        "\"Mo-Fr 07:00-19:00\", freezes: [ { name: quarter, from: 2000-01-01T00:00, to: 2090-01-01T00:00 } ]",
    );
    only(&frozen, &["the freeze quarter of ledger", "(vacuum, reindex)"]);
}

#[test]
fn files_that_are_not_there_or_elsewhere_are_told() {
    let of = |files: &str| AGREED.replace("[south.log]", files);
    only(&of("[south.log, other.log]"), &["no file matches other.log of source south"]);
    only(&of("[\"nowhere/*.log\"]"), &["no file matches nowhere/*.log"]);
    only(&of("[\"../*.log\"]"), &["../*.log of source south leave their folder"]);
    assert_eq!(warnings(&of("[\"s*.log\"]")), Vec::<String>::new());
}

#[test]
fn a_key_of_match_that_no_line_has_is_told() {
    let regex = "format: regex, pattern: '(?P<time>\\S+) (?P<event>\\w+) (?P<procedure>\\w+)'";
    let of = |format: &str, key: &str| {
        let matching = format!("{format}, match: {{ key: {key}, any: [task] }}");
        AGREED.replace("format: logfmt", &matching)
    };
    only(&of(regex, "kind"), &["match of source south", "\"kind\"", "time, event, procedure"]);
    assert_eq!(warnings(&of(regex, "event")), Vec::<String>::new());
    let fields = "format: syslog, fields: { procedure: app_name }";
    only(&of(fields, "program"), &["\"program\"", "app_name"]);
    for key in ["app_name", "task.kind"] {
        assert_eq!(warnings(&of(fields, key)), Vec::<String>::new());
    }
    assert_eq!(warnings(&of("format: logfmt", "anything")), Vec::<String>::new());
}

#[test]
fn procedures_that_no_line_can_name_are_told() {
    let of = |values: &str| {
        let values = format!("format: logfmt, values: {{ procedure: {{ {values} }} }}");
        AGREED.replace("format: logfmt", &values)
    };
    assert_eq!(warnings(&of("VAC: vacuum, RX: reindex")), Vec::<String>::new());
    only(&of("VAC: vacuum"), &["leads to the procedure reindex", "calls it so itself"]);
    only(&of("VAC: vacuum, reindex: vacuum"), &["no line can name the procedure reindex"]);
    let form = "format: regex, patterns: [ { regex: '(?P<time>\\S+) begin', event: started, procedure: vacuum } ]";
    only(&AGREED.replace("format: logfmt", form), &["no line can name the procedure reindex"]);
    let second = of("VAC: vacuum, reindex: vacuum")
        + "  - { name: more, partner: southhost, files: [south.log], format: json, defaults: { procedure: reindex } }\n";
    assert_eq!(warnings(&second), Vec::<String>::new());
}
