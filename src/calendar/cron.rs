//! Cron expressions: a length of time from each time that they name.
//!
//! Five fields (minute, hour, day of month, month, day of week) or `@daily` and its like, by the clocks of a zone.
//! A reading that an autumn fold shows twice is one start, the earlier; one in a spring gap moves forward by the
//! gap. Where both day fields are restricted, either is enough.

use super::recurrence::{OCCURRENCE_DAYS_MAX, OCCURRENCES_A_YEAR_MAX};
use super::{CalendarError, Edge, Zone, spans};
use crate::time::{Span, format_duration};
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
}

impl Crontab {
    /// # Errors
    /// The expression is none, never comes or comes too often, or `length` is beyond its limit.
    pub fn new(text: &str, length: TimeDelta, zone: &Zone) -> Result<Crontab, CalendarError> {
        let error = |message: String| CalendarError { at: 0, message };
        let form = || {
            format!(
                "{text:?} is no cron expression of five fields such as \"30 22 * * SAT\", nor one of {NAMES}"
            )
        };
        let fields = text.split_whitespace().count();
        let is_named = NAMES.split(", ").any(|name| name.eq_ignore_ascii_case(text.trim()));
        if BYTES_MAX < text.len() || !text.is_ascii() || !(fields == 5 || is_named) {
            return Err(error(form()));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|e| error(format!("{}: {e}", form())))?;
        if OCCURRENCE_DAYS_MAX < length.num_days() {
            return Err(error(format!("an occurrence of more than {OCCURRENCE_DAYS_MAX} days")));
        }
        let crontab = Crontab { text: text.trim().to_owned(), cron, length, zone: zone.clone() };
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
        let spans = starts.filter_map(|civil| {
            let start = self.zone.resolve(civil, Edge::Earlier);
            Span::new(start, start.checked_add_signed(self.length)?)
        });
        spans::clipped(&spans::merged(spans.collect()), range).collect()
    }

    /// The readings of the clocks that it names, from `first` on.
    fn starts(&self, first: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        // Not its own iterator, which writes to standard error at the end of time.
        let next = |t: &NaiveDateTime, inclusive| self.cron.find_next_occurrence(t, inclusive).ok();
        std::iter::successors(next(&first, true), move |t| next(t, false))
    }
}

#[cfg(test)]
mod tests;
