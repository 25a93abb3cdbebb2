//! Look-ups: across the borders of years, up to a horizon, for every kind of calendar.

use super::*;
use crate::time::{rfc3339, seconds};
use proptest::prelude::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn span(text: &str) -> Span {
    let (start, end) = text.split_once('/').unwrap();
    Span::new(at(start), at(end)).unwrap()
}

fn shown(span: Option<Span>) -> String {
    span.map_or("none".into(), |span| format!("{}/{}", rfc3339(span.start), rfc3339(span.end)))
}

fn hours(expression: &str) -> Calendar {
    let zone = Zone::find("Europe/London").unwrap();
    Calendar::opening_hours(expression, &zone, &Holidays::of("GB-ENG").unwrap()).unwrap()
}

#[test]
fn the_afternoon_that_began_it() {
    let run = span("2025-11-10T13:10:00Z/2025-11-10T15:20:00Z");
    let business = hours("Mo-Fr 08:00-18:00; PH off");
    assert!(business.contains(run.start));
    assert_eq!(seconds(business.time_within(run)), 7800.0);
    let windows = hours("Mo-Su 22:00-05:00");
    assert!(!windows.contains(run.start));
    assert_eq!(
        shown(windows.next_span(run.start, at("2025-12-01T00:00:00Z"))),
        "2025-11-10T22:00:00Z/2025-11-11T05:00:00Z"
    );
}

#[test]
fn span_at_and_next_span() {
    #[track_caller]
    fn check(expression: &str, t: &str, horizon: &str, current: &str, next: &str) {
        let calendar = hours(expression);
        let (t, horizon) = (at(t), at(horizon));
        assert_eq!(shown(calendar.span_at(t, horizon)), current, "{expression} at {t}");
        assert_eq!(shown(calendar.next_span(t, horizon)), next, "{expression} after {t}");
    }
    let nights = "Mo-Su 22:00-05:00";
    let new_year = "2025-12-31T22:00:00Z/2026-01-01T05:00:00Z";
    let second = "2026-01-01T22:00:00Z/2026-01-02T05:00:00Z";
    let far = "2026-03-01T00:00:00Z";
    // Over New Year it is one span, whether asked for before, at or after midnight.
    check(nights, "2025-12-31T21:59:59Z", far, "none", new_year);
    check(nights, "2025-12-31T22:00:00Z", far, new_year, second);
    check(nights, "2025-12-31T23:59:59.999Z", far, new_year, second);
    check(nights, "2026-01-01T00:00:00Z", far, new_year, second);
    check(nights, "2026-01-01T04:59:59.999999999Z", far, new_year, second);
    check(nights, "2026-01-01T05:00:00Z", far, "none", second);
    // A horizon cuts the end, and hides what starts at it.
    let cut = "2025-12-31T22:00:00Z/2026-01-01T02:00:00Z";
    check(nights, "2025-12-31T23:00:00Z", "2026-01-01T02:00:00Z", cut, "none");
    check(nights, "2025-12-31T21:00:00Z", "2026-01-01T02:00:00Z", "none", cut);
    check(nights, "2025-12-31T21:00:00Z", "2025-12-31T22:00:00Z", "none", "none");
    check(nights, "2025-12-31T23:00:00Z", "2025-12-31T23:00:00Z", "none", "none");
    check(nights, "2025-12-31T23:00:00Z", "2025-12-31T20:00:00Z", "none", "none");
    // All the time is one span up to the horizon.
    let always = "1900-01-01T00:00:00Z/2026-03-01T00:00:00Z";
    check("24/7", "2025-11-10T13:10:00Z", far, always, "none");
    check("00:00-12:00,12:00-24:00", "2025-11-10T13:10:00Z", far, always, "none");
    check("off", "2025-11-10T13:10:00Z", far, "none", "none");
    // Years far outside of what is kept.
    check(
        "Mo-Su 22:00-05:00",
        "1840-06-01T21:00:00Z",
        "1840-06-02T00:00:00Z",
        "none",
        "1840-06-01T22:01:15Z/1840-06-02T00:00:00Z",
    );
    check(
        "2500 Jan 1 00:00-02:00",
        "2499-11-01T00:00:00Z",
        "2501-01-01T00:00:00Z",
        "none",
        "2500-01-01T00:00:00Z/2500-01-01T02:00:00Z",
    );
    // A year without any span lies between.
    check(
        "2027 Jan 1 10:00-11:00",
        "2025-11-01T00:00:00Z",
        "2028-01-01T00:00:00Z",
        "none",
        "2027-01-01T10:00:00Z/2027-01-01T11:00:00Z",
    );
}

#[test]
fn whole_years() {
    #[track_caller]
    fn check(expression: &str, range: &str, spans: usize, hours_within: i64) {
        let (calendar, range) = (hours(expression), span(range));
        assert_eq!(calendar.spans_in(range).len(), spans, "{expression}");
        assert_eq!(calendar.time_within(range), TimeDelta::hours(hours_within), "{expression}");
    }
    let three_years = "2024-01-01T00:00:00Z/2027-01-01T00:00:00Z";
    check("24/7", three_years, 1, 1096 * 24);
    check("00:00-24:00", three_years, 1, 1096 * 24);
    check("off", three_years, 0, 0);
    // The nights cut at either end are spans too. The night before each spring day is an hour
    // shorter: 22:00 to 05:00 contains both jumps of the clocks.
    check("22:00-05:00", three_years, 1097, 1096 * 7 - 3 + 3);
    check("Mo-Fr 10:00-11:00", "2025-01-01T00:00:00Z/2026-01-01T00:00:00Z", 261, 261);
    check("Mo-Fr 10:00-11:00; PH off", "2025-01-01T00:00:00Z/2026-01-01T00:00:00Z", 253, 253);
}

#[test]
fn of_spans() {
    let freeze = Calendar::of_spans(vec![
        span("2025-12-20T00:00:00.5Z/2026-01-05T00:00:00Z"),
        span("2025-12-15T00:00:00Z/2025-12-20T00:00:00.5Z"),
        span("2026-02-01T00:00:00Z/2026-02-02T00:00:00.000000001Z"),
    ]);
    let far = at("2030-01-01T00:00:00Z");
    let first = "2025-12-15T00:00:00Z/2026-01-05T00:00:00Z";
    let second = "2026-02-01T00:00:00Z/2026-02-02T00:00:00.000000001Z";
    assert_eq!(shown(freeze.span_at(at("2026-01-01T00:00:00Z"), far)), first);
    assert_eq!(shown(freeze.next_span(at("2025-12-31T00:00:00Z"), far)), second);
    assert_eq!(shown(freeze.next_span(at("2020-12-31T00:00:00Z"), far)), first);
    for (t, expected) in [
        ("2025-12-14T23:59:59.999999999Z", false),
        ("2025-12-15T00:00:00Z", true),
        ("2026-01-04T23:59:59.999999999Z", true),
        ("2026-01-05T00:00:00Z", false),
        ("2026-02-02T00:00:00Z", true),
        ("2026-02-02T00:00:00.000000001Z", false),
    ] {
        assert_eq!(freeze.contains(at(t)), expected, "{t}");
    }
    assert!(!freeze.uses_holidays() && freeze.covers(at("9000-01-01T00:00:00Z")));
    assert_eq!(freeze.known_until(), None);
    let none = Calendar::of_spans(vec![]);
    assert!(!none.contains(far));
    assert_eq!(none.spans_in(span("0001-01-01T00:00:00Z/9999-12-31T00:00:00Z")), []);
    // Longer than what is kept.
    let ages = span("0001-01-01T00:00:00Z/9999-12-31T23:59:59Z");
    assert_eq!(Calendar::of_spans(vec![ages]).spans_in(ages), [ages]);
}

#[test]
fn union() {
    let zone = Zone::find("Asia/Colombo").unwrap();
    let lanka = Holidays::of("LK").unwrap();
    let members = vec![
        Arc::new(hours("Mo-Su 22:00-05:00; PH off")),
        Arc::new(hours("Sa 05:00-08:00")),
        Arc::new(Calendar::opening_hours("Su 12:00-13:00; PH off", &zone, &lanka).unwrap()),
    ];
    let union = Calendar::union(members);
    let range = span("2025-11-08T00:00:00Z/2025-11-09T12:00:00Z");
    let spans: Vec<String> = union.spans_in(range).into_iter().map(|s| shown(Some(s))).collect();
    let expected = [
        "2025-11-08T00:00:00Z/2025-11-08T08:00:00Z",
        "2025-11-08T22:00:00Z/2025-11-09T05:00:00Z",
        "2025-11-09T06:30:00Z/2025-11-09T07:30:00Z",
    ];
    assert_eq!(spans, expected);
    // What the first table to end does not know, nobody knows.
    assert!(union.uses_holidays() && union.covers(range.start));
    assert_eq!(union.known_until(), Some(at("2026-12-31T18:30:00Z")));
    assert!(!union.covers(at("2026-12-31T18:30:00Z")));
    let nothing = Calendar::union(vec![]);
    assert!(!nothing.contains(range.start) && !nothing.uses_holidays());
    assert!(nothing.covers(range.start) && nothing.known_until().is_none());
}

#[test]
fn describing() {
    #[track_caller]
    fn check(calendar: &Calendar, expected: &str) {
        assert_eq!(calendar.describe(), expected);
        assert_eq!(calendar.to_string(), expected);
        assert_eq!(format!("{calendar:?}"), format!("Calendar({expected:?})"));
    }
    let one = span("2025-12-15T00:00:00Z/2026-01-05T00:00:00Z");
    let business = hours("Mo-Fr 08:00-18:00; PH off");
    check(&business, "Mo-Fr 08:00-18:00; PH off");
    check(&Calendar::of_spans(vec![one]), "1 span");
    check(&Calendar::of_spans(vec![]), "0 spans");
    let members = vec![Arc::new(business), Arc::new(Calendar::of_spans(vec![one]))];
    check(&Calendar::union(members), "Mo-Fr 08:00-18:00; PH off | 1 span");
}

#[test]
fn calendars_are_shared_between_threads() {
    let calendar = hours("Mo-Fr 08:00-18:00; PH off");
    let t = at("2025-11-10T13:10:00Z");
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(|| calendar.contains(t))).collect();
        assert!(asked.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn the_ends_of_time_are_outside() {
    let always = hours("24/7");
    let all = Span::new(Instant::MIN_UTC, Instant::MAX_UTC).unwrap();
    for t in [Instant::MIN_UTC, Instant::MAX_UTC, at("+10000-01-01T00:00:00Z")] {
        assert!(!always.contains(t), "{t}");
        assert_eq!(always.span_at(t, Instant::MAX_UTC), None);
        assert!(hours("PH off").uses_holidays() && !hours("PH off").covers(t));
    }
    assert!(always.contains(at("0001-01-01T00:00:00Z")));
    assert!(always.contains(at("9999-12-31T23:59:59.999999999Z")));
    let years = "0001-01-01T00:00:00Z/+10000-01-01T00:00:00Z";
    assert_eq!(shown(always.spans_in(all).first().copied()), years);
    assert_eq!(shown(always.next_span(Instant::MIN_UTC, Instant::MAX_UTC)), years);
}

fn any_spans() -> impl Strategy<Value = Vec<Span>> {
    // Minutes around New Year 2026.
    let one = (-3000..3000_i64, 1..2000_i64).prop_map(|(start, length)| {
        let start = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(start);
        Span::new(start, start + TimeDelta::minutes(length)).unwrap()
    });
    prop::collection::vec(one, 0..5)
}

fn sampled(range: Span) -> impl Iterator<Item = Instant> {
    (0..).map(move |n| range.start + TimeDelta::minutes(n)).take_while(move |t| *t < range.end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A union, and a list of spans, against the plain question whether any span contains an
    /// instant; every look-up against what a minute-by-minute sampling finds.
    #[test]
    fn look_ups_agree_with_sampling(spans in any_spans(), others in any_spans()) {
        let members = vec![spans.clone(), others.clone()];
        let members = members.into_iter().map(|spans| Arc::new(Calendar::of_spans(spans)));
        let union = Calendar::union(members.collect());
        let all = [spans, others].concat();
        let range = span("2025-12-29T00:00:00Z/2026-01-04T00:00:00Z");
        let is_open = |t: Instant| all.iter().any(|span| span.contains(t));
        let mut runs: Vec<Span> = vec![];
        for t in sampled(range).filter(|t| is_open(*t)) {
            let end = t + TimeDelta::minutes(1);
            match runs.last_mut() {
                Some(run) if run.end == t => run.end = end,
                _ => runs.extend(Span::new(t, end)),
            }
        }
        prop_assert_eq!(union.spans_in(range), runs.clone());
        let total = runs.iter().map(|run| run.end - run.start).sum::<TimeDelta>();
        prop_assert_eq!(union.time_within(range), total);
        for t in sampled(range).step_by(7) {
            prop_assert_eq!(union.contains(t), is_open(t), "{}", t);
            let current = runs.iter().find(|run| run.contains(t)).copied();
            let next = runs.iter().find(|run| t < run.start).copied();
            // The range begins before every span, so that none is cut at its start.
            prop_assert_eq!(union.span_at(t, range.end), current, "{}", t);
            prop_assert_eq!(union.next_span(t, range.end), next, "{}", t);
        }
    }
}
