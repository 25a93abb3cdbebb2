//! The pages that a newcomer writes a configuration from: nothing is missing in them, and what they show is so.

use offhours::format::Field;
use offhours::run::Irregularity;
use offhours::verdict::{Reason, Verdict};

use crate::support::{folder, offhours, root, text};

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("a page")
}

/// The words of a closed list that do not stand in backticks in a page.
fn missing<'w>(page: &str, words: impl IntoIterator<Item = &'w str>) -> Vec<&'w str> {
    words.into_iter().filter(|word| !page.contains(&format!("`{word}`"))).collect()
}

/// The keys of one struct of `src/config/written.rs`, as they are written.
fn keys<'c>(code: &'c str, name: &str) -> Vec<&'c str> {
    let start = format!("pub struct {name} {{\n");
    let body =
        code.split(&start).nth(1).and_then(|rest| rest.split("\n}").next()).expect("a struct");
    let keys: Vec<&str> = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(key, _)| if key == "matching" { "match" } else { key })
        .collect();
    assert!(!keys.is_empty(), "{name} has no keys");
    keys
}

/// What stands between a heading and the next.
fn section_of(page: &str, heading: &str) -> String {
    let section = page.split(heading).nth(1).and_then(|rest| rest.split("\n## ").next());
    section.expect("a section").to_owned()
}

#[test]
fn every_key_of_the_configuration_is_explained() {
    let code = page("src/config/written.rs");
    let text = page("docs/configuration.md");
    for (section, name) in [
        ("## The whole file", "File"),
        ("## A service", "Service"),
        ("## A partner", "Partner"),
        ("## A procedure", "Procedure"),
        ("## A source", "Source"),
    ] {
        // What a procedure may have in place of its partner stands in one table for both.
        let own = section_of(&text, section) + &section_of(&text, "## A partner");
        assert_eq!(missing(&own, keys(&code, name)), Vec::<&str>::new(), "{section}");
    }
    for name in ["Confirmation", "Emergencies", "Holidays"] {
        let is_there = |key: &&str| {
            ["{ KEY", ", KEY:"].iter().any(|form| text.contains(&form.replace("KEY", key)))
        };
        let lost: Vec<_> = keys(&code, name).into_iter().filter(|key| !is_there(key)).collect();
        assert_eq!(lost, Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn every_field_and_its_words_are_explained() {
    use offhours::event::{ChangeType, Kind, Status, Trigger};
    let text = page("docs/configuration.md");
    assert_eq!(missing(&text, Field::ALL.iter().map(|f| f.as_str())), Vec::<&str>::new());
    let words = Kind::ALL.iter().map(|w| w.as_str()).chain(Status::ALL.iter().map(|w| w.as_str()));
    let words = words.chain(Trigger::ALL.iter().map(|w| w.as_str()));
    let words = words.chain(ChangeType::ALL.iter().map(|w| w.as_str()));
    assert_eq!(missing(&text, words), Vec::<&str>::new());
}

/// Each reason has its row, and whether an emergency waives it is what the judge does.
#[test]
fn every_reason_and_verdict_is_explained() {
    let text = page("docs/rules.md");
    assert_eq!(missing(&text, Verdict::ALL.iter().map(|v| v.as_str())), Vec::<&str>::new());
    for reason in Reason::ALL {
        let start = format!("| `{reason}` |");
        let row = text.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row of {reason}"));
        let waived = if reason.is_waivable() { "| yes |" } else { "| no |" };
        assert!(row.ends_with(waived), "{row}");
        // What is in no list of rules is found when a line is read.
        let rule = offhours::verdict::RULES.iter().find(|rule| rule.reason == *reason);
        let asked = match rule.map(|rule| rule.when) {
            Some(offhours::verdict::When::Start) => "| at the start |",
            _ => "| later |",
        };
        assert!(row.contains(asked), "{row}");
    }
}

#[test]
fn every_irregularity_has_its_row() {
    let text = page("docs/rules.md");
    for kind in Irregularity::ALL {
        let start = format!("| `{}` |", kind.as_str());
        let rows = text.lines().filter(|line| line.starts_with(&start));
        assert_eq!(rows.count(), 1, "{start}");
    }
}

/// The nightly job of the page about the rules.
#[test]
fn a_job_that_began_again_is_judged_as_the_page_says() {
    let text_of = page("docs/rules.md");
    let log = text_of.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let home = folder();
    let (config, path) = (home.path().join("offhours.yml"), home.path().join("job.log"));
    let story = root().join("tests/cases/began-again/offhours.yml");
    let agreed = std::fs::read_to_string(story).expect("a configuration");
    std::fs::write(&config, agreed.replace("southcolo*.log", "job.log")).expect("a file");
    // The page leaves out what only this configuration asks for.
    let log = log.expect("an example").replace(" event=", " msg=job event=");
    std::fs::write(&path, log).expect("a log");
    let output = offhours(&[
        "replay",
        "--format=json",
        "--config.file",
        &config.to_string_lossy(),
        &path.to_string_lossy(),
    ]);
    let runs: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a run"))
        .collect();
    let told: Vec<_> = runs.iter().map(|run| (&run["state"], &run["reasons"])).collect();
    let lost = ["lost", "overran_window", "ran_into_business_hours", "too_long"];
    let by_hand = ["in_business_hours", "outside_window", "wrong_trigger"];
    let (lost, by_hand) = (serde_json::json!(lost), serde_json::json!(by_hand));
    assert_eq!(told, [(&"lost".into(), &lost), (&"finished".into(), &by_hand)]);
    let counts = text(&output.stderr);
    assert!(counts.contains(r#""second_start":1,"superseded":1"#), "{counts}");
}

/// The example from which a newcomer starts: log, configuration, and what comes of them.
#[test]
fn the_example_of_the_configuration_page_is_judged_as_it_says() {
    let page = page("docs/configuration.md");
    let block = |kind: &str, no: usize| {
        let blocks = page.split(&format!("```{kind}\n")).nth(no).expect("a block");
        blocks.split("```").next().expect("its end").to_owned()
    };
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("rhine.log"));
    std::fs::write(&config, block("yaml", 1)).expect("a configuration");
    std::fs::write(&log, block("text", 1)).expect("a log");
    let output =
        offhours(&["replay", "--config.file", &config.to_string_lossy(), &log.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), block("text", 2));
}
