//! Cron expressions: a length of time from each time that they name.
//!
//! Five fields (minute, hour, day of month, month, day of week) or `@daily` and its like, by the clocks of a zone.
//! A time of day that an autumn fold shows twice is one start, the earlier; a rule that goes on through the hours
//! (`*/30 * * * *`: minute or hour begin with `*`) starts at both, as cron and Kubernetes do. One in a spring gap
//! moves forward by the gap. Where both day fields are restricted, either is enough; where one of them begins with
//! `*`, also with a step, both have to match.

use super::recurrence::{OCCURRENCE_DAYS_MAX, OCCURRENCES_A_YEAR_MAX};
use super::{CalendarError, Edge, Reading, Zone, spans};
use crate::time::{Instant, Span, format_duration};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The longest expression.
const BYTES_MAX: usize = 1024;
const NAMES: &str = "@hourly, @daily, @weekly, @monthly, @yearly";

/// An expression with how long what it starts lasts.
pub(super) struct Crontab {
    text: String,
    cron: Cron,
    length: TimeDelta,
    zone: Zone,
    /// Whether it goes on through the hours, so that an hour that comes twice has its starts twice.
    is_rolling: bool,
}

impl Crontab {
    /// # Errors
    /// The expression is none, never comes or comes too often, or `length` is beyond its limit.
    pub fn new(text: &str, length: TimeDelta, zone: &Zone) -> Result<Crontab, CalendarError> {
        let error = |message: String| CalendarError { at: 0, message };
        let form = || {
            format!(
                "{text:?} is not a cron expression of five fields such as \"30 22 * * SAT\", nor one of {NAMES}"
            )
        };
        let fields = text.split_whitespace().count();
        let is_named = NAMES.split(", ").any(|name| name.eq_ignore_ascii_case(text.trim()));
        if BYTES_MAX < text.len() || !text.is_ascii() || !(fields == 5 || is_named) {
            return Err(error(form()));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .dom_and_dow(needs_both_days(text))
            .build();
        let cron = parser.parse(text).map_err(|e| error(format!("{}: {e}", form())))?;
        if OCCURRENCE_DAYS_MAX < length.num_days() {
            return Err(error(format!("an occurrence of more than {OCCURRENCE_DAYS_MAX} days")));
        }
        let (text_kept, is_rolling) = (text.trim().to_owned(), is_rolling(text));
        let crontab = Crontab { text: text_kept, cron, length, zone: zone.clone(), is_rolling };
        let midnight = |year| Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN));
        let Some((first, end)) = midnight(2024).zip(midnight(2025)) else { return Ok(crontab) };
        if crontab.starts(first).next().is_none() {
            return Err(error(format!("{text:?} never comes")));
        }
        let most = usize::try_from(OCCURRENCES_A_YEAR_MAX).unwrap_or(usize::MAX);
        let in_year = crontab.starts(first).take_while(|start| *start < end);
        if most < in_year.take(most.saturating_add(1)).count() {
            let message = format!("{text:?} comes more than {OCCURRENCES_A_YEAR_MAX} times a year");
            return Err(error(message));
        }
        Ok(crontab)
    }

    pub fn description(&self) -> String {
        format!("cron {} for {}", self.text, format_duration(self.length))
    }

    /// Merged spans that touch `range`, clipped to it, in order.
    pub fn spans_in(&self, range: Span) -> Vec<Span> {
        // Days of the clocks and of UTC differ by less than two.
        let before = self.length + TimeDelta::days(2);
        let first =
            range.start.naive_utc().checked_sub_signed(before).unwrap_or(NaiveDateTime::MIN);
        let last = range.end.naive_utc().checked_add_signed(TimeDelta::days(2));
        let last = last.unwrap_or(NaiveDateTime::MAX);
        let starts = self.starts(first).take_while(|start| *start < last);
        let spans = starts.flat_map(|civil| self.instants(civil)).filter_map(|start| {
            let end = start.checked_add_signed(self.length)?;
            Span::new(start, end)
        });
        spans::clipped(&spans::merged(spans.collect()), range).collect()
    }

    /// When a reading of the clocks is a start.
    fn instants(&self, civil: NaiveDateTime) -> impl Iterator<Item = Instant> + use<> {
        let (first, again) = match self.zone.read(civil) {
            Reading::Fold { earlier, later } if self.is_rolling => (earlier, Some(later)),
            _ => (self.zone.resolve(civil, Edge::Earlier), None),
        };
        std::iter::once(first).chain(again)
    }

    /// The readings of the clocks that it names, from `first` on.
    fn starts(&self, first: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        // Not its own iterator, which writes to standard error at the end of time.
        let next = |t: &NaiveDateTime, inclusive| self.cron.find_next_occurrence(t, inclusive).ok();
        std::iter::successors(next(&first, true), move |t| next(t, false))
    }
}

/// Whether the day of month and the day of week have to match both: one of them begins with a star.
fn needs_both_days(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    [2, 4].into_iter().filter_map(|n| fields.get(n)).any(|field| field.starts_with(['*', '?']))
}

fn is_rolling(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    match fields.as_slice() {
        [minute, hour, ..] => {
            minute.starts_with('*') || hour.starts_with('*') || hour.starts_with("0-23")
        }
        _ => text.trim().eq_ignore_ascii_case("@hourly"),
    }
}

#[cfg(test)]
mod tests;
