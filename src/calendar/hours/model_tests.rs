//! The evaluator against a slow definition, minute by minute, that shares nothing with it.

use super::any::{AnyRule, any_holidays, any_place, any_rules, holidays_of, written};
use crate::calendar::{Calendar, Zone};
use crate::time::{Instant, Span};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What the clocks show in the twelve days around a day, minute by minute.
struct Clocks {
    start: Instant,
    shown: Vec<NaiveDateTime>,
    first: HashMap<NaiveDateTime, usize>,
    last: HashMap<NaiveDateTime, usize>,
}

impl Clocks {
    fn around(zone: &Zone, day: NaiveDate) -> Clocks {
        let start = (day - TimeDelta::days(6)).and_time(NaiveTime::MIN).and_utc();
        let shown: Vec<NaiveDateTime> =
            (0..12 * 1440).map(|n| zone.civil(start + MINUTE * n)).collect();
        let (mut first, mut last) = (HashMap::new(), HashMap::new());
        for (n, reading) in shown.iter().enumerate() {
            first.entry(*reading).or_insert(n);
            last.insert(*reading, n);
        }
        Clocks { start, shown, first, last }
    }

    /// The minute that a start means: the first that shows it.
    fn start_of(&self, reading: NaiveDateTime) -> usize {
        self.first.get(&reading).copied().unwrap_or_else(|| self.past_gap(reading))
    }

    /// The minute that an end means: the last that shows it.
    fn end_of(&self, reading: NaiveDateTime) -> usize {
        self.last.get(&reading).copied().unwrap_or_else(|| self.past_gap(reading))
    }

    /// No minute shows the reading: it is moved forward by the gap in which it lies.
    fn past_gap(&self, reading: NaiveDateTime) -> usize {
        let jump = self.shown.windows(2).position(|pair| pair[0] < reading && reading < pair[1]);
        let jump = jump.unwrap_or_else(|| panic!("{reading} is not near")) + 1;
        let into_gap = reading - (self.shown[jump - 1] + MINUTE);
        jump + into_gap.num_minutes() as usize
    }
}

/// The minutes that are open, by the rules read literally.
fn open_minutes(
    rules: &[AnyRule],
    clocks: &Clocks,
    day: NaiveDate,
    ph: &BTreeSet<NaiveDate>,
) -> Vec<bool> {
    let days: Vec<NaiveDate> = (-4..=3).map(|n| day + TimeDelta::days(n)).collect();
    let mut open: BTreeMap<NaiveDate, BTreeSet<usize>> = BTreeMap::new();
    for rule in rules {
        let mut closed = BTreeSet::new();
        for day in days.iter().copied().filter(|day| rule.names(*day, ph)) {
            let whole_day = vec![(0, 1440)];
            let times = if rule.times.is_empty() { &whole_day } else { &rule.times };
            let mut minutes = BTreeSet::new();
            for (start, end) in times {
                let end = if end <= start { end + 1440 } else { *end };
                let at = |minutes: i64| day.and_time(NaiveTime::MIN) + MINUTE * minutes as i32;
                minutes.extend(clocks.start_of(at(*start))..clocks.end_of(at(end)));
            }
            let started = open.entry(day).or_default();
            match (rule.off, rule.adds) {
                (true, _) if rule.times.is_empty() => started.clear(),
                (true, _) => closed.extend(minutes),
                (false, true) => started.extend(minutes),
                (false, false) => *started = minutes,
            }
        }
        for started in open.values_mut() {
            started.retain(|minute| !closed.contains(minute));
        }
    }
    let mut is_open = vec![false; clocks.shown.len()];
    open.values().flatten().for_each(|minute| is_open[*minute] = true);
    is_open
}

/// Runs of open minutes between two, as spans.
fn runs(is_open: &[bool], start: Instant, from: usize, to: usize) -> Vec<Span> {
    let mut runs: Vec<Span> = vec![];
    for n in (from..to).filter(|n| is_open[*n]) {
        let at = start + MINUTE * n as i32;
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = at + MINUTE,
            _ => runs.extend(Span::new(at, at + MINUTE)),
        }
    }
    runs
}

/// Every look-up against the runs, from each end of a run and each quarter of an hour.
fn agree(calendar: &Calendar, runs: &[Span], range: Span) -> Result<(), TestCaseError> {
    prop_assert_eq!(&calendar.spans_in(range), runs);
    let total = runs.iter().map(|run| run.end - run.start).sum::<TimeDelta>();
    prop_assert_eq!(calendar.time_within(range), total);
    let quarters = (0..).map(|n| range.start + TimeDelta::minutes(15) * n);
    let edges = runs.iter().flat_map(|run| [run.start, run.end]);
    let around = edges.flat_map(|edge| [-1, 0, 1].map(|ns| edge + TimeDelta::nanoseconds(ns)));
    for t in quarters.take_while(|t| *t < range.end).chain(around) {
        if !range.contains(t) {
            continue;
        }
        let current = runs.iter().find(|run| run.contains(t));
        prop_assert_eq!(calendar.contains(t), current.is_some(), "{}", t);
        let got = calendar.span_at(t, range.end);
        let got = got.and_then(|span| Span::new(span.start.max(range.start), span.end));
        prop_assert_eq!(got, current.copied(), "{}", t);
        let next = runs.iter().find(|run| t < run.start);
        prop_assert_eq!(calendar.next_span(t, range.end), next.copied(), "{}", t);
        let before = Span::new(range.start, t);
        let passed = runs.iter().filter_map(|run| before.map(|before| run.overlap(&before)));
        let within = before.map_or(TimeDelta::zero(), |before| calendar.time_within(before));
        prop_assert_eq!(within, passed.sum::<TimeDelta>(), "{}", t);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn agrees_with_the_definition_minute_by_minute(
        (place, holidays) in any_place().prop_flat_map(|place| {
            let holidays = any_holidays(place.1);
            (Just(place), holidays)
        }),
        rules in any_rules(true),
    ) {
        let (zone, day) = place;
        let text = written(&rules);
        let calendar = Calendar::opening_hours(&text, &zone, &holidays_of(&holidays));
        let calendar = calendar.map_err(|e| TestCaseError::fail(format!("{text}: {e} at {}", e.at)))?;
        let clocks = Clocks::around(&zone, day);
        let is_open = open_minutes(&rules, &clocks, day, &holidays);
        // A day and a half to either side of noon: whole neighbours in every zone.
        let (from, to) = (5 * 1440, 8 * 1440);
        for (n, expected) in is_open.iter().enumerate().take(to).skip(from) {
            let t = clocks.start + MINUTE * n as i32;
            prop_assert_eq!(calendar.contains(t), *expected, "{} {} at {}", text, zone.name(), t);
            let last = t + MINUTE - TimeDelta::nanoseconds(1);
            prop_assert_eq!(calendar.contains(last), *expected, "{} {} at {}", text, zone.name(), last);
        }
        let range = Span { start: clocks.start + MINUTE * from as i32, end: clocks.start + MINUTE * to as i32 };
        agree(&calendar, &runs(&is_open, clocks.start, from, to), range)?;
    }
}
