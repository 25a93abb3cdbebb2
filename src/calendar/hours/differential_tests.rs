//! The evaluator against the `opening-hours` crate, where both mean the same.
//!
//! They part over midnight (the crate cuts spans there) and where clocks jump, so here no span
//! crosses midnight and the clocks are those of UTC.

use super::any::{any_holidays, any_place, any_rules, holidays_of, written};
use crate::calendar::{Calendar, Zone};
use crate::time::Span;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use opening_hours::{Context, ContextHolidays, OpeningHours, RuleKind};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The crate's open spans of a number of days.
fn theirs(text: &str, holidays: &BTreeSet<NaiveDate>, first: NaiveDate, days: usize) -> Vec<Span> {
    let set = Arc::new(holidays.iter().copied().collect());
    let context = Context::default().with_holidays(ContextHolidays::new(set, Default::default()));
    let hours: OpeningHours = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let hours = hours.with_context(context);
    let mut spans = vec![];
    for day in first.iter_days().take(days) {
        let at = |minutes: u16| {
            day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minutes.into())
        };
        let schedule = hours.schedule_at(day).into_iter();
        spans.extend(schedule.filter(|time| time.kind == RuleKind::Open).filter_map(|time| {
            let minutes = [time.range.start, time.range.end].map(|t| t.mins_from_midnight());
            Span::new(at(minutes[0]), at(minutes[1]))
        }));
    }
    crate::calendar::spans::merged(spans)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn agrees_with_the_crate_within_days(
        (day, holidays) in any_place().prop_flat_map(|(_, day)| (Just(day), any_holidays(day))),
        rules in any_rules(false),
    ) {
        const DAYS: usize = 40;
        let text = written(&rules);
        let first = day - TimeDelta::days(10);
        let start = first.and_time(NaiveTime::MIN).and_utc();
        let range = Span { start, end: start + TimeDelta::days(DAYS as i64) };
        let ours = Calendar::opening_hours(&text, &Zone::utc(), &holidays_of(&holidays)).unwrap();
        prop_assert_eq!(ours.spans_in(range), theirs(&text, &holidays, first, DAYS), "{}", text);
    }
}
