//! Opening hours, holidays and spans: from their text to calendars.

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use serde_saphyr::{Location, Spanned};

use crate::calendar::{Calendar, Edge, Holidays, Zone};
use crate::config::check::Check;
use crate::config::files::{OwnDays, unknown};
use crate::config::problem::Fault;
use crate::config::windows::Use;
use crate::config::written;
use crate::config::yaml::{Given, Text, WordOr};
use crate::policy::Freeze;
use crate::time::{Instant, Span, YEARS};

/// A `PH` rule is an error when the holiday table ends sooner than this.
const HOLIDAYS_LEFT_MIN: TimeDelta = TimeDelta::days(90);
/// A `PH` rule is a warning when the holiday table ends sooner than this.
const HOLIDAYS_LEFT_WARN: TimeDelta = TimeDelta::days(365);
/// How a civil time may be written; with an offset it is RFC 3339.
const CIVIL_FORMS: [&str; 4] =
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
const HOLIDAY_FORMS: &str = "a country or subdivision code such as GB-ENG, or { country: GB-ENG, add: [DATE], remove: [DATE], ics: FILE }";

/// Whose clocks and holidays a calendar goes by.
#[derive(Debug)]
pub struct Owner {
    pub zone: Zone,
    holidays: HolidaySet,
    /// What the file of own holidays leaves open.
    own: OwnDays,
    /// For messages: `service "atlas"`.
    title: String,
}

#[derive(Debug)]
enum HolidaySet {
    Unset,
    /// Written, but wrong: that is told once, not at each rule that asks for it.
    Wrong,
    Set(Holidays),
}

type WrittenHolidays = Given<Spanned<WordOr<written::Holidays>>>;

impl Owner {
    /// Reads zone (default UTC) and holidays of a service or partner.
    pub fn new(
        check: &mut Check<'_>,
        title: String,
        timezone: &Given<Text>,
        holidays: &WrittenHolidays,
    ) -> Owner {
        let zone = check.zone(timezone).unwrap_or_else(Zone::utc);
        let (holidays, own) = match holidays.as_ref().map(|set| check.holidays(set, &zone)) {
            None => (HolidaySet::Unset, OwnDays::default()),
            Some(None) => (HolidaySet::Wrong, OwnDays::default()),
            Some(Some((set, own))) => (HolidaySet::Set(set), own),
        };
        Owner { zone, holidays, own, title }
    }
}

impl Check<'_> {
    /// One opening_hours expression; `None` if it is wrong.
    pub fn opening_hours(
        &mut self,
        text: &Text,
        owner: &Owner,
        used: Use,
    ) -> Option<Arc<Calendar>> {
        let asks = mentions_holidays(&text.value);
        let none = Holidays::none();
        let holidays = match (&owner.holidays, asks) {
            (HolidaySet::Set(set), _) => set,
            (HolidaySet::Wrong, Some(_)) => return None,
            (HolidaySet::Unset, Some(at)) => {
                let fault = Fault::new(format!("PH without holidays for {}", owner.title))
                    .accepted("\"holidays:\" with a country or subdivision code, such as GB-ENG");
                self.error_inside(text, at, fault);
                return None;
            }
            (_, None) => &none,
        };
        match Calendar::opening_hours(&text.value, &owner.zone, holidays) {
            Ok(calendar) => {
                // Of hours the own days are left out, so that they are open then.
                let asks = asks.filter(|_| used != Use::Hours);
                if let Some(file) = owner.own.stale.as_ref().filter(|_| asks.is_some()) {
                    return Some(Arc::new(unknown(file, used)));
                }
                if let Some((unread, at)) = owner.own.unread.as_ref().zip(asks) {
                    let fault = Fault::new(format!("PH, but a day of it cannot be used: {unread}"));
                    let accepted = "a file of which every day can be used: it could have closed something here";
                    self.error_inside(text, at, fault.accepted(accepted));
                    return None;
                }
                if let Some(end) = calendar.known_until()
                    && self.holidays_end.is_none_or(|(first, _)| end < first)
                {
                    self.holidays_end = Some((end, text.defined));
                }
                Some(Arc::new(calendar))
            }
            Err(error) => {
                self.error_inside(text, error.at, error.message);
                None
            }
        }
    }

    /// A freeze of one span.
    pub fn one_span(
        &mut self,
        at: Location,
        written: &written::Freeze,
        zone: &Zone,
    ) -> Option<Freeze> {
        let name = self.required(at, "name", &written.name).map(|name| self.name(name));
        let from = self.required(at, "from", &written.from);
        let to = self.required(at, "to", &written.to);
        let start = from.and_then(|text| self.instant(text, zone, Edge::Earlier));
        let end = to.and_then(|text| self.instant(text, zone, Edge::Later));
        let (from, to, start, end) = (from?, to?, start?, end?);
        // Civil times are compared as written: a freeze that only a spring gap empties is none, not a mistake.
        let as_written = match (civil_time(&from.value), civil_time(&to.value)) {
            (Some(from), Some(to)) => from < to,
            _ => start < end,
        };
        if !as_written {
            self.error(to.defined, "freeze ends before it begins, or is empty");
            return None;
        }
        let spans = Span::new(start, end).into_iter().collect();
        Some(Freeze { name: name?, calendar: Arc::new(Calendar::of_spans(spans)) })
    }

    /// RFC 3339 with offset, or civil time in `zone`.
    pub fn instant(&mut self, text: &Text, zone: &Zone, edge: Edge) -> Option<Instant> {
        let value = text.value.as_str();
        let instant = match civil_time(value) {
            Some(civil) => Some(civil).filter(in_years).map(|civil| zone.resolve(civil, edge)),
            None => DateTime::parse_from_rfc3339(value).ok().map(|t| t.with_timezone(&Utc)),
        };
        // A leap second is more than 10^9 nanoseconds to chrono; ours are a line without bumps.
        let instant =
            instant.filter(|t| in_years(&t.naive_utc()) && t.nanosecond() < 1_000_000_000);
        if instant.is_none() {
            let fault = Fault::new(format!("{value:?} is not a time")).accepted(
                "clock time such as 2025-12-15T00:00, or RFC 3339 with offset such as 2025-12-15T00:00:00Z",
            );
            self.error(text.defined, fault);
        }
        instant
    }

    /// The set, and what the file of own days leaves open.
    fn holidays(
        &mut self,
        written: &Spanned<WordOr<written::Holidays>>,
        zone: &Zone,
    ) -> Option<(Holidays, OwnDays)> {
        match &written.value {
            WordOr::Word(code) => {
                let code = Spanned::new(code.clone(), written.referenced, written.defined);
                self.holiday_set(&code).map(|set| (set, OwnDays::default()))
            }
            WordOr::Neither => {
                self.wrong_form(written.defined, HOLIDAY_FORMS);
                None
            }
            WordOr::More(more) => {
                if more.country.is_none() && more.add.is_none() && more.ics.is_none() {
                    let fault =
                        Fault::new("no holidays in it").accepted("country, add, remove, ics");
                    self.error(written.defined, fault);
                    return None;
                }
                let set = match more.country.as_ref() {
                    Some(code) => self.holiday_set(code),
                    None => Some(Holidays::none()),
                };
                let add: Vec<_> = self.list(&more.add).iter().map(|d| self.date(d)).collect();
                let remove: Vec<_> = self.list(&more.remove).iter().map(|d| self.date(d)).collect();
                let empty = more.may_be_empty.as_ref();
                if let Some(given) = empty.filter(|_| more.ics.is_none()) {
                    let fault = Fault::new("may_be_empty without ics");
                    self.error(given.defined, fault.accepted("may_be_empty beside ics"));
                }
                let empty = empty.is_some_and(|given| given.value);
                let own = more.ics.as_ref().map(|name| self.days_of(name, zone, empty));
                let mut set = set?;
                let mut own = own.unwrap_or(Some(OwnDays::default()))?;
                set.is_told = more.ics.is_some();
                set.add.extend(std::mem::take(&mut own.days));
                set.add.extend(add.into_iter().flatten());
                set.remove.extend(remove.into_iter().flatten());
                Some((set, own))
            }
        }
    }

    fn holiday_set(&mut self, code: &Text) -> Option<Holidays> {
        let set = Holidays::of(&code.value);
        if set.is_none() {
            let fault = Fault::new(format!("unknown holiday set {:?}", code.value))
                .accepted("a country or subdivision of ISO 3166, such as GB or GB-ENG")
                .nearest(&code.value, Holidays::codes());
            self.error(code.defined, fault);
        }
        set
    }

    /// What rests on public holidays must not outlive the table of them.
    pub fn holidays_left(&mut self) {
        let Some((end, at)) = self.holidays_end else { return };
        let left = end - self.now;
        let fault = Fault::new(format!(
            "PH, but the table of these public holidays ends with {}",
            (end - TimeDelta::days(1)).year()
        ))
        .accepted("a newer release of offhours");
        if left <= HOLIDAYS_LEFT_MIN {
            self.error(at, fault);
        } else if left <= HOLIDAYS_LEFT_WARN {
            self.warn(at, fault);
        }
    }
}

fn in_years(civil: &NaiveDateTime) -> bool {
    YEARS.contains(&civil.year()) && civil.nanosecond() < 1_000_000_000
}

/// Where an expression says `PH`, outside of comments in quotes.
fn mentions_holidays(expression: &str) -> Option<usize> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let mut quoted = false;
    expression.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        let (before, rest) = expression.split_at_checked(at)?;
        let after = rest.strip_prefix("PH")?;
        let alone = !is_word(before.chars().next_back()) && !is_word(after.chars().next());
        (alone && !quoted).then_some(at)
    })
}

/// A clock time without an offset.
pub fn civil_time(value: &str) -> Option<NaiveDateTime> {
    let is_dated = value.as_bytes().get(4) == Some(&b'-');
    let read = |form: &&str| NaiveDateTime::parse_from_str(value, form).ok();
    CIVIL_FORMS.iter().find_map(read).filter(|_| is_dated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holiday_rule_is_seen_where_it_stands() {
        for (expression, want) in [
            ("PH off", Some(0)),
            ("Mo-Fr 08:00-18:00; PH off", Some(19)),
            ("Mo-Su,PH 22:00-05:00", Some(6)),
            ("Mo-Fr 08:00-18:00 \"not on PH\"", None),
            ("Mo \"a\" ; PH off", Some(9)),
            ("é PH", Some(3)),
            ("PHx", None),
            ("xPH", None),
            ("Mo-Fr 08:00-18:00", None),
            ("", None),
        ] {
            assert_eq!(mentions_holidays(expression), want, "{expression}");
        }
    }
}
