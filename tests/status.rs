//! The status page: what it says of a moment, what it makes of hostile text, and what browsers make of it.

mod headline;
mod pictures;

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::TimeDelta;
use offhours::config::{self, Config};
use offhours::event::{Body, Kind, RunLine};
use offhours::format::{FileState, Reader, Reading};
use offhours::ledger::{Draft, Evidence, Ledger};
use offhours::report::status::{self, Source, View};
use offhours::run::Run;
use offhours::time::Instant;

use crate::asking::world::{line, taking};
use crate::support::{Server, root};

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// The log of the quickstart as it stood at `now`, each line read at its stamp.
fn story(now: Instant) -> (Config, Ledger) {
    let folder = root().join("examples/quickstart");
    let config = config::load(&folder.join("offhours.yml"), now).expect("a configuration");
    let log = std::fs::read(folder.join("northhost.log")).expect("a log");
    let reader = Reader::new(config.sources[0].spec.clone());
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    for (_, record) in reader.records(&log) {
        let Reading::Event(event) = reader.read(record, &FileState::default(), now) else {
            continue;
        };
        if event.at <= now {
            let _ = draft.take(&config.policy, &taking(event.at, event.body));
        }
    }
    (config, draft.ledger().clone())
}

fn well(now: Instant) -> Source {
    Source {
        name: "northhost-maintenance".into(),
        partners: vec!["northhost".into()],
        up: true,
        misread: false,
        covered: true,
        silent: None,
        without_events: None,
        last_line: Some(now - TimeDelta::seconds(20)),
        last_event: Some(now - TimeDelta::minutes(1)),
        lag_bytes: 0,
        rejected: 1,
        losses: 0,
    }
}

fn page(config: &Config, ledger: &Ledger, sources: &[Source], now: Instant) -> String {
    let mut runs: Vec<Arc<Run>> = ledger.runs().cloned().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.no));
    status::page(&View {
        stood: None,
        ledger,
        policy: &config.policy,
        now,
        runs: &runs,
        sources,
        version: "1.2.3",
    })
}

/// One minute into the maintenance at midday.
fn midday() -> String {
    let now = at("2026-03-26T12:06:00Z");
    let (config, ledger) = story(now);
    page(&config, &ledger, &[well(now)], now)
}

#[test]
fn a_violation_that_runs_is_told_before_everything_else() {
    let page = midday();
    let told = [
        "1 violation is not acknowledged, and still running</h1>",
        "Thu 26 Mar 2026 12:06:00 GMT (+00:00)",
        "ledger-compaction by northhost on orion</a>",
        "in_business_hours",
        "Running now",
        "must end by",
        "<h3>Today</h3>",
        "class=\"bar violation\"",
        "<h3>The last seven days</h3>",
        "Planned for the next seven days",
        "northhost-maintenance",
        "20s ago",
        "/metrics",
    ];
    let mut from = 0;
    for text in told {
        let found = page[from..].find(text).unwrap_or_else(|| panic!("{text} is not in its place"));
        from += found;
    }
    let (config, ledger) = story(at("2026-03-26T12:06:00Z"));
    let run = ledger.unacknowledged(&config.policy, at("2026-03-26T12:06:00Z")).next().expect("it");
    assert!(page.contains(&format!("href=\"/runs/{}\"", run.no)), "{page}");
}

#[test]
fn what_is_well_and_what_is_not_seen_is_told() {
    let now = at("2026-03-22T08:00:00Z");
    let (config, ledger) = story(now);
    let title = |sources: &[Source]| {
        let page = page(&config, &ledger, sources, now);
        let (_, rest) = page.split_once("<h1 class=").expect("a headline");
        rest.split_once("</h1>").expect("an end").0.to_owned()
    };
    let silent = Source { silent: Some(TimeDelta::hours(7)), ..well(now) };
    let down = Source { up: false, ..well(now) };
    assert_eq!(title(&[well(now)]), "\"good\">As agreed");
    let misread = Source { up: false, misread: true, covered: false, ..well(now) };
    let state = page(&config, &ledger, std::slice::from_ref(&misread), now);
    assert!(state.contains("wrong encoding</span>"), "{state}");
    assert_eq!(title(&[misread]), "\"warn\">No current data from 1 source");
    let renamed = Source { without_events: Some(TimeDelta::hours(50)), ..well(now) };
    let state = page(&config, &ledger, std::slice::from_ref(&renamed), now);
    assert!(state.contains("lines, but no events for 2"), "{state}");
    assert_eq!(title(&[renamed]), "\"warn\">No current data from 1 source");
    assert_eq!(title(&[silent.clone(), well(now)]), "\"warn\">No current data from 1 source");
    assert_eq!(title(&[silent, down]), "\"warn\">No current data from 2 sources");
}

#[test]
fn text_from_logs_is_only_ever_text() {
    let hostile = "<script>alert(1)</script>\"'&\u{202e}\u{7}<b onload=x>";
    let now = at("2026-03-26T12:06:00Z");
    let (config, _) = story(now);
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    let begun = RunLine {
        run_id: Some(hostile.into()),
        change_id: Some(hostile.into()),
        services: vec![hostile.into()],
        phase: Some(hostile.into()),
        ..line(Kind::Started, hostile)
    };
    draft.take(&config.policy, &taking(now, Body::Run(begun))).expect("a run");
    let source = Source { name: hostile.into(), partners: vec![hostile.into()], ..well(now) };
    let page = page(&config, draft.ledger(), &[source], now);
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    for wrong in ["<script", "<b onload", "\u{202e}", "\u{7}", "style=\""] {
        assert!(!page.contains(wrong), "{wrong:?} in {page}");
    }
    // Whoever counts tags finds as many ends as beginnings.
    for tag in ["svg", "g", "a", "article", "section", "title", "table", "dl"] {
        let begun =
            page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(begun, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_busy_platform_makes_a_page_of_bounded_size() {
    let now = at("2026-03-26T12:06:00Z");
    let (config, _) = story(now);
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    for n in 0..3_000_i64 {
        let mut procedure = String::from("procedure-");
        write!(procedure, "{}", n % 300).expect("text");
        let begun = now - TimeDelta::minutes(n % 5_000);
        let whole = Some((begun, begun + TimeDelta::seconds(50)));
        let run =
            RunLine { whole, services: vec!["orion".into()], ..line(Kind::Finished, &procedure) };
        draft.take(&config.policy, &taking(begun, Body::Run(run))).expect("a run");
    }
    let page = page(&config, draft.ledger(), &[well(now)], now);
    assert!(page.len() < 600_000, "{} bytes", page.len());
    assert!(page.contains("more rows.</p>"), "rows that are left out are not told");
    assert!(page.contains("(+"), "bars that are left out are not told");
    let waiting = draft.ledger().unacknowledged(&config.policy, now).count();
    assert!(page.contains(&format!("And {} more: <a", waiting - status::CASES_MAX)), "{waiting}");
}

#[test]
fn it_is_served_with_a_policy_that_allows_its_own_style_alone() {
    let server = Server::start(&root().join("examples/quickstart/offhours.yml"));
    let (code, page) = server.get("/");
    assert_eq!(code, 200);
    assert!(page.contains("<h2 id=\"sources\">Sources</h2>"), "{page}");
    let policy = &*offhours::report::style::POLICY;
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe")
    );
    let head = server.head("/");
    assert!(
        head.to_lowercase().contains(&format!("content-security-policy: {policy}").to_lowercase()),
        "{head}"
    );
    let (code, case) = server.get("/runs/1");
    assert_eq!(code, 200);
    assert!(
        case.contains("<h2>Rules</h2>") && case.contains("<h2>What should have happened</h2>"),
        "{case}"
    );
    assert_eq!(server.get("/runs/999999").0, 404);
    assert_eq!(server.get("/runs/..").0, 404);
}
