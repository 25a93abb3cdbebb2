//! Reading single values: names, words of a closed set, durations, dates, zones, lists of those.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use serde_saphyr::{Location, Spanned};

use crate::calendar::Zone;
use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::yaml::{Given, Text};
use crate::time::{DURATION_FORM, YEARS, parse_duration};

/// Names become label values; Prometheus drops a whole target whose labels are too long for it.
pub const NAME_BYTES_MAX: usize = 128;

/// Whether a duration of zero means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    Allowed,
    Senseless,
}

impl Check<'_> {
    /// Any text but an empty one, or one that YAML takes for a number or a truth value.
    pub fn text<'a>(&mut self, text: &'a Text) -> Option<&'a str> {
        let value = text.value.as_str();
        if value.is_empty() {
            self.error(text.defined, "expected text, found nothing");
            return None;
        }
        if self.is_plain(text) && is_number_or_truth(value) {
            let quoted = format!("{value:?} in quotes, if that is meant");
            let fault = Fault::new(format!("expected text, found {value}")).accepted(quoted);
            self.error(text.defined, fault);
            return None;
        }
        Some(value)
    }

    /// A name of ours: at most [`NAME_BYTES_MAX`] bytes, no control characters.
    ///
    /// Returned even if it is wrong, so that what bears it is read, too.
    pub fn name(&mut self, text: &Text) -> Arc<str> {
        let Some(name) = self.text(text) else { return Arc::from(text.value.as_str()) };
        if NAME_BYTES_MAX < name.len() {
            let fault = Fault::new(format!("name of {} bytes", name.len()));
            self.error(text.defined, fault.accepted(format!("at most {NAME_BYTES_MAX} bytes")));
        } else if name.contains(char::is_control) {
            self.error(text.defined, format!("control character in name {name:?}"));
        } else if name.trim() != name {
            self.error(text.defined, format!("blank at an end of name {name:?}"));
        }
        Arc::from(name)
    }

    /// A key that must be there: its value, or an error at `owner`.
    pub fn required<'a, T>(
        &mut self,
        owner: Location,
        key: &str,
        given: &'a Given<T>,
    ) -> Option<&'a T> {
        if given.is_none() {
            self.error(owner, format!("missing key {key:?}"));
        }
        given.as_ref()
    }

    /// A word of a closed set.
    pub fn word<T: Copy>(
        &mut self,
        text: &Text,
        what: &str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().find(|word| as_str(**word) == text.value);
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|word| as_str(*word)).collect();
            self.unknown(text, what, &words);
        }
        found.copied()
    }

    /// `text` is none of `valid`.
    pub fn unknown(&mut self, text: &Text, what: &str, valid: &[&str]) {
        let fault = Fault::new(format!("unknown {what} {:?}", text.value));
        // The nearest of many names is dear, and after many mistakes nobody reads it.
        let fault = if self.is_full() { fault } else { fault.one_of(&text.value, valid) };
        self.error(text.defined, fault);
    }

    /// A duration as Prometheus writes it; `None` if it is left out or wrong.
    pub fn duration(&mut self, given: &Given<Text>, zero: Zero) -> Option<TimeDelta> {
        let text = given.as_ref()?;
        let Some(duration) = parse_duration(&text.value) else {
            let fault = Fault::new(format!("{:?} is not a duration", text.value));
            self.error(text.defined, fault.accepted(DURATION_FORM));
            return None;
        };
        if zero == Zero::Senseless && duration.is_zero() {
            self.error(text.defined, Fault::new("duration is zero").accepted("more than zero"));
            return None;
        }
        Some(duration)
    }

    /// A day, `YYYY-MM-DD`.
    pub fn date(&mut self, text: &Text) -> Option<NaiveDate> {
        // chrono's %Y also takes signs and more or fewer digits, and %m one digit.
        let date = (text.value.len() == 10)
            .then(|| NaiveDate::parse_from_str(&text.value, "%Y-%m-%d").ok())
            .flatten()
            .filter(|date| YEARS.contains(&chrono::Datelike::year(date)));
        if date.is_none() {
            let fault = Fault::new(format!("{:?} is not a date", text.value));
            self.error(text.defined, fault.accepted("YYYY-MM-DD, such as 2025-12-24"));
        }
        date
    }

    /// An IANA zone; `None` if it is left out or unknown.
    pub fn zone(&mut self, given: &Given<Text>) -> Option<Zone> {
        let text = given.as_ref()?;
        let zone = Zone::find(&text.value);
        if zone.is_none() {
            let names = Zone::names();
            let fault = Fault::new(format!("unknown time zone {:?}", text.value))
                .accepted("a name of the IANA database, such as Europe/London")
                .nearest(&text.value, names.iter().map(String::as_str));
            self.error(text.defined, fault);
        }
        zone
    }

    /// A list that has entries, each of them once.
    pub fn list<'a>(&mut self, given: &'a Given<Spanned<Vec<Text>>>) -> &'a [Text] {
        let Some(list) = given.as_ref() else { return &[] };
        self.not_empty(list.defined, list.value.is_empty());
        let mut seen = HashSet::new();
        for text in &list.value {
            if !seen.insert(text.value.as_str()) {
                self.error(text.defined, format!("{:?} appears twice", text.value));
            }
        }
        &list.value
    }

    /// A list or mapping without entries says nothing; what was meant is unknown.
    pub fn not_empty(&mut self, at: Location, is_empty: bool) {
        if is_empty {
            let accepted = "at least one entry, or the key left out";
            self.error(at, Fault::new("nothing in it").accepted(accepted));
        }
    }
}

/// Whether YAML 1.2 takes an unquoted `value` for a number or a truth value.
fn is_number_or_truth(value: &str) -> bool {
    let digits = value.trim_start_matches(['-', '+']);
    let based = |prefix: &str, radix: u32| {
        digits.strip_prefix(prefix).is_some_and(|d| u128::from_str_radix(d, radix).is_ok())
    };
    let decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && value.parse::<f64>().is_ok();
    let lower = value.to_ascii_lowercase();
    let named = [".inf", ".nan", "true", "false"].contains(&lower.trim_start_matches(['-', '+']));
    decimal || named || based("0x", 16) || based("0o", 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_takes_for_a_number_is_no_text() {
        for value in
            ["0", "12", "-1", "+1", "1.5", ".5", "1e3", "0x1F", "0o7", ".inf", "-.INF", "True"]
        {
            assert!(is_number_or_truth(value), "{value}");
        }
        for value in
            ["a", "1a", "1.2.3", "2025-12-24", "no", "NO", "off", "inf", "nan", "0x", "24/7", "-"]
        {
            assert!(!is_number_or_truth(value), "{value}");
        }
    }
}
