//! `offhours report`: months and incidents in every format, and figures that are the sums of the metrics.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::TimeDelta;
use offhours::calendar::Zone;
use offhours::event::{Body, Kind, RunLine, Trigger};
use offhours::ledger::judging::time_counted;
use offhours::ledger::{Draft, Evidence, Ledger, terms_of};
use offhours::policy::Policy;
use offhours::report::month::Month;
use offhours::report::scorecard::{Counted, Covered, Figures};
use offhours::store::{Commit, Store};
use offhours::time::Instant;
use proptest::prelude::*;
use serde_json::Value;

use crate::asking::world::{line, taking};
use crate::support::{Server, folder, offhours, root, text};

/// A folder with half a year of two partners, read by an offhours that has stopped again. What was covered is put
/// there as if it had followed the logs all the time, but for October, and for a part of February.
fn home() -> tempfile::TempDir {
    let home = folder();
    for name in ["offhours.yml", "northhost.log", "southhost.log", "desk.log"] {
        let from = root().join("tests/report").join(name);
        std::fs::copy(from, home.path().join(name)).expect("a copy");
    }
    let server = Server::start_in(&home.path().join("offhours.yml"), home.path());
    assert!(server.stop().success());
    let mut store = Store::open(home.path()).expect("the ledger");
    store.load().expect("the ledger");
    let days = |days: u64| days * 86_400 * 1_000_000_000;
    let months =
        [("2025-11", 30), ("2025-12", 31), ("2026-01", 31), ("2026-02", 12), ("2026-03", 30)];
    let of_source = |source: &'static str| {
        months.map(|(month, covered)| {
            ((source.into(), "covered_nanos_by_month", month.into()), days(covered))
        })
    };
    let tallies = [of_source("northhost-maintenance"), of_source("our-desk")].concat();
    let commit = Commit { tallies: BTreeMap::from_iter(tallies), ..Commit::default() };
    store.commit(&commit).expect("a commit");
    home
}

/// What is reported, without what differs from time to time.
fn report(home: &Path, arguments: &[&str]) -> String {
    let config = format!("--config.file={}", home.join("offhours.yml").display());
    let storage = format!("--storage.path={}", home.display());
    let output = offhours(&[&["report", &config, &storage], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout).replace(&*home.to_string_lossy(), "HOME");
    if let Ok(value) = serde_json::from_str(&said) {
        return serde_json::to_string_pretty(&stable(value)).expect("text") + "\n";
    }
    said.split_inclusive('\n').filter(|line| !line.starts_with("<p>Made ")).collect()
}

/// The same without the moments at which lines were read.
fn stable(value: Value) -> Value {
    let is_of_reading = |value: &Value| value["label"] == "read";
    match value {
        Value::Array(list) => {
            list.into_iter().filter(|value| !is_of_reading(value)).map(stable).collect()
        }
        Value::Object(object) => object.into_iter().map(|(k, v)| (k, stable(v))).collect(),
        Value::String(text) => match text.split_once(", read ") {
            Some((before, _)) if text.contains("; sent ") => before.into(),
            _ => text.into(),
        },
        other => other,
    }
}

fn golden(name: &str, got: &str) {
    let path = root().join("tests/report").join(name);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, got).expect("the golden file is written");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == got, "{}:\nwant\n{want}\ngot\n{got}", path.display());
}

#[test]
fn a_month_and_an_incident_are_told_in_every_format() {
    let home = home();
    for (format, ending) in [("markdown", "md"), ("html", "html"), ("csv", "csv"), ("json", "json")]
    {
        let format = format!("--format={format}");
        let month = report(home.path(), &["--month=2026-03", &format]);
        golden(&format!("month.{ending}"), &month);
        let incident = report(home.path(), &["--run=LC-12-M", &format]);
        golden(&format!("incident.{ending}"), &incident);
        // Names from a log are only ever text.
        assert!(ending == "json" || !month.contains("<b>tidy"), "{month}");
    }
    let file = home.path().join("review.html");
    let output = format!("--output={}", file.display());
    assert_eq!(report(home.path(), &["--partner=northhost", "--format=html", &output]), "");
    let page = std::fs::read_to_string(&file).expect("a file");
    assert!(page.contains("default-src 'none'") && !page.contains("southhost"), "{page}");
    assert!(!page.contains("src=") && !page.contains("<script"), "{page}");
}

/// The figure of a partner in a month.
fn figure(csv: &str, partner: &str, month: &str, column: &str) -> String {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heads = lines.next().expect("a header");
    let at = heads.iter().position(|head| *head == column).expect("a column");
    let row = lines.find(|cells| cells[..2] == [partner, month]).expect("a row");
    row[at].to_owned()
}

#[test]
fn months_without_coverage_and_without_runs_are_told_as_such() {
    let home = home();
    let csv = report(home.path(), &["--month=2026-03", "--format=csv"]);
    let of = |month: &str, column: &str| figure(&csv, "northhost", month, column);
    // Covered throughout, a part of it, not at all.
    assert_eq!(
        (&*of("2025-12", "coverage_ratio"), &*of("2025-12", "adherence_ratio")),
        ("1.0", "1.0")
    );
    assert_eq!(of("2026-02", "coverage_ratio"), "0.4286");
    let october = (of("2025-10", "coverage_ratio"), of("2025-10", "adherence_ratio"));
    assert_eq!(october, (String::new(), String::new()));
    assert_ne!(of("2025-10", "runs"), "0");
    // A run over the end of the month is one of March; one that begins at midnight is one of April.
    let april = report(home.path(), &["--month=2026-04", "--format=csv"]);
    let in_april = |column: &str| figure(&april, "northhost", "2026-04", column);
    assert_eq!((&*in_april("runs"), &*in_april("kpi_unconfirmed")), ("1", "1"));
    assert_eq!(figure(&april, "northhost", "2026-03", "runs"), of("2026-03", "runs"));
    // Nothing is known of the other partner.
    let south = |column: &str| figure(&csv, "southhost", "2026-03", column);
    assert_eq!(
        (&*south("runs"), &*south("coverage_ratio"), &*south("adherence_ratio")),
        ("0", "", "")
    );
    let told = report(home.path(), &["--month=2026-03", "--partner=southhost"]);
    assert!(told.contains("nothing was covered, so there may have been some"), "{told}");
    assert!(!told.contains("100"), "{told}");
}

#[test]
fn what_is_no_month_or_partner_is_told() {
    let home = home();
    let config = format!("--config.file={}", home.path().join("offhours.yml").display());
    let storage = format!("--storage.path={}", home.path().display());
    for (argument, code, said) in [
        ("--month=2026-13", 2, "a month such as 2025-11"),
        ("--month=9000-01", 2, "has not begun"),
        ("--partner=nobody", 2, "there are northhost, southhost"),
        ("--run=nothing", 1, "there is no run nothing"),
        ("--output=/nowhere/at/all", 1, "/nowhere/at/all"),
    ] {
        let output = offhours(&["report", &config, &storage, argument]);
        assert_eq!(output.status.code(), Some(code), "{argument}");
        assert!(text(&output.stderr).contains(said), "{argument}: {}", text(&output.stderr));
    }
}

/// Every key figure of the report is explained in its page.
#[test]
fn every_figure_is_in_the_documentation() {
    let page = std::fs::read_to_string(root().join("docs/report.md")).expect("the page");
    for kpi in offhours::report::scorecard::KPIS {
        let row = format!("| {} | `kpi_{}` | {} |", kpi.title, kpi.key, kpi.meaning);
        assert!(page.contains(&row), "no row {row}");
    }
}

const AGREEMENT: &str = "
services: { orion: { timezone: Europe/London, business_hours: \"Mo-Fr 08:00-18:00\" } }
partners:
  northhost:
    timezone: Europe/London
    windows: \"Mo-Su 22:00-05:00\"
    procedures: { compaction: { services: [orion], triggers: [schedule], max_duration: 2h } }
sources: [ { name: s, partner: northhost, files: [a.log], format: logfmt } ]
";

/// The ledger after these runs: minutes since the autumn of 2025, minutes that each took, and how it began.
fn ledger(policy: &Policy, runs: &[(i64, i64, bool)]) -> Ledger {
    let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
    let first = "2025-10-20T00:00:00Z".parse::<Instant>().expect("an instant");
    let mut events = Vec::new();
    for (minutes, took, by_hand) in runs {
        let start = first + TimeDelta::minutes(*minutes);
        let end = start + TimeDelta::minutes(*took);
        let trigger = if *by_hand { Trigger::Manual } else { Trigger::Schedule };
        let whole = Some((start, end));
        let finished = RunLine { whole, trigger, ..line(Kind::Finished, "compaction") };
        events.push((end, finished));
    }
    events.sort_by_key(|(end, _)| *end);
    for (end, line) in events {
        draft.take(policy, &taking(end, Body::Run(line))).expect("a run");
    }
    draft.ledger().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The figures of all months are the sums that the metrics show, and each run is in one month.
    #[test]
    fn the_figures_of_all_months_are_the_sums_of_the_metrics(
        runs in prop::collection::vec((0i64..200_000, 0i64..4_000, any::<bool>()), 0..40),
    ) {
        let now = "2026-06-01T00:00:00Z".parse::<Instant>().expect("an instant");
        let config = offhours::config::parse(AGREEMENT, Path::new("offhours.yml"), now);
        let policy = config.expect("an agreement").policy;
        let ledger = ledger(&policy, &runs);
        let counted = |run: &std::sync::Arc<offhours::run::Run>| -> Counted {
            let terms = terms_of(&policy, run).expect("terms");
            let (business, outside) = time_counted(run, terms, now);
            let nanos = |n: i128| i64::try_from(n).expect("a few months");
            ((**run).clone(), nanos(business), nanos(outside))
        };
        let all: Vec<Counted> = ledger.runs().map(counted).collect();
        let zone = Zone::find("Europe/London").expect("a zone");
        let (mut begun, mut verdicts, mut reasons) = (0, BTreeMap::new(), BTreeMap::new());
        let mut business = 0.0;
        let mut month = Month::parse("2025-09").expect("a month");
        for _ in 0..12 {
            let figures = Figures::new(month, &zone, now, &all, &Covered::new());
            let own = all.iter().filter(|(run, ..)| Month::of(&zone, run.start) == month);
            prop_assert_eq!(figures.runs, own.count() as u64);
            prop_assert_eq!(figures.adherence_ratio, None, "nothing was covered");
            begun += figures.runs;
            for (verdict, n) in figures.final_runs.iter().filter(|(_, n)| 0 < **n) {
                *verdicts.entry(*verdict).or_insert(0) += n;
            }
            for (reason, n) in &figures.reasons {
                *reasons.entry(*reason).or_insert(0) += n;
            }
            business += figures.business_hours_seconds.as_f64().expect("a number");
            month = month.next();
        }
        prop_assert_eq!(begun, all.len() as u64);
        let (mut of_metrics, mut of_reasons, mut nanos) = (BTreeMap::new(), BTreeMap::new(), 0);
        for sums in ledger.board().series.values() {
            for ((verdict, _), n) in &sums.runs {
                *of_metrics.entry(verdict.as_str()).or_insert(0) += n;
            }
            for (reason, n) in &sums.violations {
                *of_reasons.entry(reason.as_str()).or_insert(0) += n;
            }
            nanos += sums.business_nanos;
        }
        prop_assert_eq!(verdicts, of_metrics);
        prop_assert_eq!(reasons, of_reasons);
        prop_assert!((business - nanos as f64 / 1e9).abs() < 1e-6);
    }
}

const AGREED: &str = "backfill_horizon: 10000d
services: { billing: { timezone: UTC, business_hours: \"Mo-Su 06:00-20:00\" } }
partners:
  southhost:
    timezone: UTC
    windows: \"Mo-Su 20:00-06:00\"
    lost_after: 10000d
    acknowledge_after: 10000d
    emergencies: { allowed: true }
    procedures: { vacuum: { services: [billing] }, rotate: { services: [billing], lost_after: 1h } }
sources: [ { name: south, partner: southhost, files: [south.log], format: logfmt } ]
";

/// A month with a run of each verdict, and one against the agreement that is still running.
fn mixed() -> tempfile::TempDir {
    let home = folder();
    std::fs::write(home.path().join("offhours.yml"), AGREED).expect("a file");
    let mut log = String::new();
    let mut run = |id: &str, procedure: &str, from: &str, to: Option<&str>, more: &str| {
        let line = |event: &str, at: &str| {
            format!(
                "time=2026-05-{at}:00Z event={event} procedure={procedure} run_id={id} {more}\n"
            )
        };
        log += &line("started", from);
        log += &to.map_or(String::new(), |to| line("finished", to));
    };
    run("a", "vacuum", "04T21:00", Some("04T22:00"), "");
    run("b", "vacuum", "05T12:00", Some("05T12:30"), "");
    run("c", "rotate", "06T21:00", None, "");
    run("d", "vacuum", "07T13:00", Some("07T13:10"), "change_id=E1");
    run("e", "vacuum", "08T12:00", None, "");
    log += "time=2026-05-07T12:00:00Z change_id=E1 status=confirmed change_type=emergency procedure=vacuum planned_start=2026-05-07T13:00:00Z planned_end=2026-05-07T14:00:00Z\n";
    std::fs::write(home.path().join("south.log"), log).expect("a log");
    let server = Server::start_in(&home.path().join("offhours.yml"), home.path());
    assert!(server.stop().success());
    home
}

/// What a title stands beside in the last column of the Markdown table, in that of HTML, and on a tile.
fn beside(title: &str, markdown: &str, html: &str) -> (String, String, Option<String>) {
    let row = markdown.lines().find_map(|line| line.strip_prefix(&format!("| {title} |")));
    let cells = row.map(|row| row.trim_end_matches('|').rsplit('|').next().unwrap_or(""));
    let (_, row) = html.split_once(&format!("<th scope=\"row\">{title}</th>")).expect(title);
    let (row, _) = row.split_once("</tr>").expect("the end of a row");
    let cell = row.rsplit_once("</td>").and_then(|(row, _)| row.rsplit_once('>'));
    let tile = html.split_once(&format!("</b><span>{title}</span>"));
    let tile = tile.and_then(|(before, _)| before.rsplit_once("<b>"));
    (
        cells.expect(title).trim().to_owned(),
        cell.expect(title).1.to_owned(),
        tile.map(|(_, value)| value.to_owned()),
    )
}

#[test]
fn the_same_words_count_the_same_in_every_format() {
    let home = mixed();
    let of =
        |format: &str| report(home.path(), &["--month=2026-05", &format!("--format={format}")]);
    let (markdown, html, csv) = (of("markdown"), of("html"), of("csv"));
    let json: Value = serde_json::from_str(&of("json")).expect("a list");
    let figures = &json[0]["figures"];
    let in_csv = |column: &str| figure(&csv, "southhost", "2026-05", column);
    let verdict = |word: &str| figures["verdicts"][word].clone();
    let mut rows = vec![
        ("Runs".to_owned(), "runs".to_owned(), figures["runs"].clone()),
        ("As agreed".into(), "compliant".into(), verdict("compliant")),
        ("Not as agreed".into(), "violation".into(), verdict("violation")),
        ("Exempt (waived emergencies)".into(), "exempt".into(), verdict("exempt")),
        ("Evidence is missing".into(), "unknown".into(), verdict("unknown")),
        ("Not final yet".into(), "provisional".into(), figures["provisional"].clone()),
        ("Judged runs".into(), "judged".into(), figures["judged"].clone()),
        ("Not acknowledged yet".into(), "unacknowledged".into(), figures["unacknowledged"].clone()),
    ];
    for kpi in offhours::report::scorecard::KPIS {
        rows.push((kpi.title.into(), format!("kpi_{}", kpi.key), figures["kpis"][kpi.key].clone()));
    }
    let mut tiles = 0;
    for (title, column, number) in &rows {
        let want = number.as_u64().expect("a number").to_string();
        let (in_markdown, in_html, on_tile) = beside(title, &markdown, &html);
        assert_eq!([&in_markdown, &in_html, &in_csv(column)], [&want; 3], "{title}");
        tiles += usize::from(on_tile.is_some());
        assert_eq!(on_tile.unwrap_or(want.clone()), want, "the tile {title}");
    }
    assert_eq!(tiles, 3, "{html}");
    let numbers = ["runs", "compliant", "violation", "exempt", "unknown", "provisional", "judged"];
    assert_eq!(numbers.map(in_csv), ["5", "1", "2", "1", "1", "1", "3"].map(String::from));
    assert_eq!(in_csv("unacknowledged"), "2");
    // Each violation is told, the one that still runs as well.
    assert_eq!(markdown.matches("\n### ").count(), 2, "{markdown}");
    assert_eq!(json[0]["violations"].as_array().map(Vec::len), Some(2));
    let (_, _, business) = beside("Time in business hours", &markdown, &html);
    assert!(
        business
            .is_some_and(|tile| markdown.contains(&format!("| Time in business hours | {tile} |")))
    );
}
