//! Where things are drawn, also on the nights when the clocks are set.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;

use super::*;
use crate::calendar::Zone;
use crate::event::{Body, Event, Kind, RunLine, Trigger};
use crate::ledger::{Draft, Evidence, Ledger, Taking};
use crate::policy::Policy;
use crate::time::{Instant, Span};

const AGREED: &str =
    "services: { orion: { timezone: Europe/London, business_hours: \"Mo-Fr 08:00-18:00\" } }
partners: { northhost: { timezone: Europe/London, windows: \"Mo-Su 00:30-03:00\",
  procedures: { tidy: { services: [orion] } } } }
sources: [{ name: s, partner: northhost, files: [/a.log], format: logfmt }]
";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn policy() -> Policy {
    crate::config::parse(AGREED, Path::new("offhours.yml"), at("2026-01-01T00:00:00Z"))
        .unwrap()
        .policy
}

/// A run of `tidy` on orion that is over.
fn ran(policy: &Policy, from: &str, to: &str) -> Shown {
    let (from, to) = (at(from), at(to));
    let line = RunLine {
        kind: Kind::Finished,
        services: vec!["orion".into()],
        procedure: Some("tidy".into()),
        run_id: None,
        change_id: None,
        trigger: Trigger::Unknown,
        phase: None,
        outcome: None,
        whole: Some((from, to)),
    };
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    let taking = Taking {
        partner: "northhost".into(),
        ours: false,
        event: Event { at: to, other_reading: None, partner: None, body: Body::Run(line) },
        place: None,
        read: 0,
        observed: to,
        followed_since: None,
        live: true,
        line: None,
    };
    draft.take(policy, &taking).unwrap();
    let run = draft.ledger().runs().next().unwrap().clone();
    Shown { span: Span { start: from, end: to }, run, projected: None }
}

fn of_day(runs: &[Shown], day: &str, now: Option<&str>) -> Row {
    let policy = policy();
    let changes_of = |_: &str| None;
    let now = now.map(at);
    let scene =
        Scene { policy: &policy, changes_of: &changes_of, runs, now, partner: None, link: None };
    let stage = stages(&scene).remove(0);
    let day: NaiveDate = day.parse().unwrap();
    days(&scene, &stage, day, 1, "x").rows.remove(0)
}

#[test]
fn places_are_what_the_clocks_show() {
    let policy = policy();
    for (what, day, from, to, want) in [
        ("usual", "2026-06-10", "2026-06-10T09:00:00Z", "2026-06-10T10:30:00Z", (600.0, 690.0)),
        (
            "from the day before",
            "2026-06-10",
            "2026-06-09T20:00:00Z",
            "2026-06-10T00:00:00Z",
            (0.0, 60.0),
        ),
        (
            "to the end",
            "2026-06-10",
            "2026-06-10T22:00:00Z",
            "2026-06-10T23:00:00Z",
            (1_380.0, 1_440.0),
        ),
        (
            "the hour that is left out",
            "2026-03-29",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:30:00Z",
            (30.0, 150.0),
        ),
        // From 01:45 to 01:15 by the clocks: half an hour that is drawn as its first moment.
        (
            "the hour that comes twice",
            "2026-10-25",
            "2026-10-25T00:45:00Z",
            "2026-10-25T01:15:00Z",
            (105.0, 105.0),
        ),
        (
            "the whole of it",
            "2026-10-25",
            "2026-10-25T00:00:00Z",
            "2026-10-25T02:00:00Z",
            (60.0, 120.0),
        ),
    ] {
        let row = of_day(&[ran(&policy, from, to)], day, None);
        let bar = row.bars.first().unwrap_or_else(|| panic!("{what}: no bar"));
        assert_eq!((bar.from, bar.to), want, "{what}");
    }
    // What ends at midnight is not of the next day.
    let before = ran(&policy, "2026-06-10T22:00:00Z", "2026-06-10T23:00:00Z");
    assert!(of_day(&[before], "2026-06-11", None).bars.is_empty());
}

#[test]
fn a_day_shows_what_was_agreed_and_where_the_present_is() {
    let row = of_day(&[], "2026-06-10", Some("2026-06-10T12:11:00Z"));
    let shade = |ground, from, to| Shade { ground, from, to };
    assert_eq!(
        row.shades,
        [shade(Ground::Window, 30.0, 180.0), shade(Ground::BusinessHours, 480.0, 1_080.0)]
    );
    assert_eq!(row.now, Some((791.0, "13:11".into())));
    assert_eq!(of_day(&[], "2026-06-10", Some("2026-06-11T12:11:00Z")).now, None);
}

/// What the row of each procedure of a day is shaded with, and the picture of it.
fn shades_of(procedure: &str) -> (Vec<Shade>, String) {
    let text = AGREED.replace("tidy: { services: [orion] }", procedure);
    let agreed = crate::config::parse(&text, Path::new("offhours.yml"), at("2026-01-01T00:00:00Z"));
    let policy = agreed.unwrap().policy;
    let changes_of = |_: &str| None;
    let scene = Scene {
        policy: &policy,
        changes_of: &changes_of,
        runs: &[],
        now: None,
        partner: None,
        link: None,
    };
    let stage = stages(&scene).remove(0);
    let mut chart = procedures(&scene, &stage, "2026-06-10".parse().unwrap(), "x");
    let html = chart.html();
    (chart.rows.remove(0).shades, html)
}

#[test]
fn a_procedure_is_shaded_with_what_was_agreed_for_it() {
    let shade = |ground, from, to| Shade { ground, from, to };
    let hours = shade(Ground::BusinessHours, 480.0, 1_080.0);
    let (always, early) =
        (shade(Ground::Window, 0.0, 1_440.0), shade(Ground::Window, 300.0, 600.0));
    for (procedure, want) in [
        ("p: { services: [orion], anytime: true }", vec![always, hours]),
        ("p: { services: [orion], anytime: true, business_hours: allowed }", vec![always]),
        ("p: { services: [orion], windows: \"05:00-10:00\" }", vec![early, hours]),
        (
            "p: { services: [orion], windows: \"05:00-10:00\", business_hours: allowed }",
            vec![early],
        ),
    ] {
        assert_eq!(shades_of(procedure).0, want, "{procedure}");
    }
}

#[test]
fn business_hours_cover_the_window_that_they_close() {
    let (_, html) = shades_of("p: { services: [orion], windows: \"05:00-10:00\" }");
    let place = |class: &str| html.find(&format!("<rect class=\"{class}\"")).unwrap();
    assert!(place("window") < place("business"), "{html}");
    assert!(place("business") < place("window-foot"), "{html}");
}

#[test]
fn bars_at_one_time_stand_side_by_side_and_the_rest_is_counted() {
    let bar = |from: f64| Bar {
        tone: Tone::Of(Verdict::Compliant),
        from,
        to: from + 60.0,
        open: false,
        told: "a run".into(),
        href: None,
    };
    let row = |bars: Vec<Bar>| {
        let rows = vec![Row { label: "a".into(), bars, ..Row::default() }];
        Chart { id: "x".into(), title: "t".into(), rows, left_out: 0 }.html()
    };
    let after = row(vec![bar(0.0), bar(120.0), bar(240.0)]);
    let beside = row(vec![bar(0.0), bar(0.0), bar(0.0)]);
    let height = |html: &str| -> f64 {
        let (_, rest) = html.split_once("viewBox=\"0 0 960 ").unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    assert!(height(&after) < height(&beside));
    let many = row(vec![bar(0.0); 9]);
    assert!(many.contains("a (+5)"), "{many}");
}

#[test]
fn runs_without_a_declared_service_have_a_picture_of_their_own() {
    let policy = policy();
    let mut shown = ran(&policy, "2026-06-10T09:00:00Z", "2026-06-10T10:30:00Z");
    let mut run = (*shown.run).clone();
    run.service = Some("nobody's".into());
    shown.run = Arc::new(run);
    let runs = [shown];
    let changes_of = |_: &str| None;
    let scene = Scene {
        policy: &policy,
        changes_of: &changes_of,
        runs: &runs,
        now: None,
        partner: None,
        link: None,
    };
    let stages = stages(&scene);
    let names: Vec<&str> = stages.iter().map(Stage::name).collect();
    assert_eq!(names, ["orion", "no service"]);
    assert_eq!(stages[1].zone.name(), Zone::find("Europe/London").unwrap().name());
    let day = "2026-06-10".parse().unwrap();
    assert_eq!(procedures(&scene, &stages[1], day, "x").rows[0].label, "northhost: tidy");
}
