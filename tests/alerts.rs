//! Alert rules: each has its words, its runbook and its cases, and asks only for what the catalog has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use offhours::metrics::catalog::CATALOG;
use regex::Regex;
use serde::Deserialize;

use crate::support::{files, root};

#[derive(Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: Option<String>,
    record: Option<String>,
    expr: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Cases {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    alert_rule_test: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    alertname: String,
    exp_alerts: Vec<serde_json::Value>,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn alerts_folder() -> PathBuf {
    root().join("alerts")
}

fn rules() -> Vec<Rule> {
    let is_rules = |path: &PathBuf| path.to_string_lossy().ends_with(".rules.yaml");
    let all = files(&alerts_folder()).into_iter().filter(is_rules);
    let rules = all.flat_map(|path| read::<RuleFile>(&path).groups).flat_map(|g| g.rules);
    rules.collect()
}

fn alerts() -> BTreeMap<String, Rule> {
    rules().into_iter().filter_map(|rule| Some((rule.alert.clone()?, rule))).collect()
}

#[test]
fn every_alert_has_its_words() {
    for (name, rule) in alerts() {
        let severity = rule.labels.get("severity").map(String::as_str);
        let known = ["critical", "warning", "info", "none"];
        assert!(severity.is_some_and(|s| known.contains(&s)), "{name}: {severity:?}");
        let word = |key: &str| rule.annotations.get(key).map(String::as_str).unwrap_or_default();
        let summary = word("summary");
        assert!(summary.ends_with('.') && summary.len() < 120, "{name}: {summary:?}");
        assert!(word("description").ends_with('.'), "{name}");
        assert!(word("runbook_url").ends_with(&format!("/{name}")), "{name}");
    }
}

#[test]
fn every_alert_has_a_runbook_without_an_empty_part() {
    let alerts = alerts();
    for name in alerts.keys() {
        let path = alerts_folder().join("runbooks").join(format!("{name}.md"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let parts: Vec<(&str, &str)> =
            text.split("\n## ").skip(1).filter_map(|part| part.split_once('\n')).collect();
        let titles: Vec<&str> = parts.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles, ["Meaning", "Impact", "Diagnosis", "Mitigation"], "{name}");
        assert!(parts.iter().all(|(_, body)| 20 < body.trim().len()), "{name}");
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
    }
    assert_eq!(stems("runbooks"), alerts.keys().cloned().collect(), "an orphan");
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_stays_silent() {
    let alerts = alerts();
    for name in alerts.keys() {
        let cases: Cases = read(&alerts_folder().join("tests").join(format!("{name}.yaml")));
        let expected = || cases.tests.iter().flat_map(|case| &case.alert_rule_test);
        assert!(expected().all(|e| e.alertname == *name), "{name}");
        assert!(expected().any(|e| !e.exp_alerts.is_empty()), "{name} never fires");
        let silent =
            cases.tests.iter().any(|c| c.alert_rule_test.iter().any(|e| e.exp_alerts.is_empty()));
        // The Watchdog never is, by design.
        assert!(silent || name == "Watchdog", "{name} is never silent");
    }
    assert_eq!(stems("tests"), alerts.keys().cloned().collect(), "an orphan");
}

fn stems(folder: &str) -> BTreeSet<String> {
    let files = files(&alerts_folder().join(folder)).into_iter();
    files.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

#[test]
fn every_metric_and_label_of_a_rule_is_in_the_catalog() {
    let name = Regex::new(r"\b[a-z]+:(?:maintenance|offhours)_[a-z_]+:[a-z0-9]+|\b(?:maintenance|offhours|process)_[a-z_]+").expect("a pattern");
    let quoted = Regex::new(r#""[^"]*""#).expect("a pattern");
    let grouping = Regex::new(r"(?:by|on|without|group_left) \(([a-z_, ]*)\)").expect("a pattern");
    let matcher = Regex::new(r"\b([a-z_]+)\s*(?:=~|!~|!=|=)").expect("a pattern");
    let rules = rules();
    let recorded: BTreeSet<&str> = rules.iter().filter_map(|r| r.record.as_deref()).collect();
    let mut known: BTreeSet<&str> = CATALOG.iter().flat_map(|m| m.labels).copied().collect();
    // What Prometheus itself puts on a series.
    known.extend(["job", "instance"]);
    for rule in &rules {
        let title = rule.alert.as_ref().or(rule.record.as_ref()).expect("a name");
        let asked =
            rule.annotations.values().map(String::as_str).filter(|text| text.contains("query"));
        let expressions: Vec<String> = std::iter::once(rule.expr.as_str())
            .chain(asked)
            .map(|text| {
                quoted
                    .replace_all(text, |found: &regex::Captures| {
                        // An expression inside of an annotation stands in quotes.
                        if found[0].contains('(') { found[0].to_owned() } else { "\"\"".to_owned() }
                    })
                    .into_owned()
            })
            .collect();
        for expression in &expressions {
            for metric in name.find_iter(expression).map(|m| m.as_str()) {
                let exists = CATALOG.iter().any(|m| m.name == metric) || recorded.contains(metric);
                assert!(exists, "{title}: {metric}");
            }
            let grouped =
                grouping.captures_iter(expression).map(|c| c.get(1).expect("labels").as_str());
            let grouped = grouped.flat_map(|labels| labels.split(',')).map(str::trim);
            let matched =
                matcher.captures_iter(expression).map(|c| c.get(1).expect("a label").as_str());
            for label in grouped.chain(matched).filter(|label| !label.is_empty()) {
                assert!(known.contains(label), "{title}: label {label}");
            }
        }
    }
}
