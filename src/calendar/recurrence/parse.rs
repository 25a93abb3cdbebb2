//! Recurrence rules as text, read strictly: a part that is not understood is never left out.

use super::days::weekday;
use super::{Frequency, Rule, Until};
use crate::calendar::ical::Stamp;
use chrono::Weekday;

/// What is wrong with a rule: a byte offset into its text, and a sentence.
pub(super) type RuleError = (usize, String);

const PARTS: &str = "FREQ, UNTIL, COUNT, INTERVAL, BYSECOND, BYMINUTE, BYHOUR, BYDAY, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYMONTH, BYSETPOS, WKST";

impl Rule {
    /// Reads `FREQ=WEEKLY;BYDAY=SA,SU;UNTIL=20261231T235959Z`, in any case, with or without `RRULE:` before it.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        let upper = text.to_ascii_uppercase();
        let body = upper.trim_start();
        let body = body.strip_prefix("RRULE:").unwrap_or(body);
        let mut at = upper.len() - body.len();
        let mut rule = Rule::empty();
        let mut seen: Vec<&str> = vec![];
        // A `;` at the end is common and means nothing.
        let body = body.trim_end();
        for item in body.strip_suffix(';').unwrap_or(body).split(';') {
            let Some((name, value)) = item.split_once('=') else {
                return Err((at, format!("{item:?} is not a part of a rule such as FREQ=WEEKLY")));
            };
            if seen.contains(&name) {
                return Err((at, format!("{name} appears twice")));
            }
            seen.push(name);
            rule.set(name, value).map_err(|(offset, message)| (at + offset, message))?;
            at += item.len() + 1;
        }
        if !seen.contains(&"FREQ") {
            return Err((upper.len() - body.len(), "no FREQ in it".into()));
        }
        rule.check(&seen).map_err(|message| (0, message))?;
        Ok(rule)
    }

    fn empty() -> Rule {
        Rule {
            frequency: Frequency::Daily,
            interval: 1,
            until: None,
            count: None,
            months: vec![],
            weeks: vec![],
            year_days: vec![],
            month_days: vec![],
            weekdays: vec![],
            hours: vec![],
            minutes: vec![],
            seconds: vec![],
            positions: vec![],
            week_start: Weekday::Mon,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), RuleError> {
        let wrong = |accepted: &str| {
            (name.len() + 1, format!("{value:?} is not a valid {name}; accepted is {accepted}"))
        };
        let positive = || value.parse::<u32>().ok().filter(|n| 0 < *n && !value.starts_with('+'));
        let list = |least: i32, most: i32, signed: bool| {
            numbers(value, least, most, signed).ok_or_else(|| {
                let back = if signed {
                    format!(", or -{most} to -{least} from the end")
                } else {
                    String::new()
                };
                wrong(&format!("a list of numbers from {least} to {most}{back}"))
            })
        };
        match name {
            "FREQ" => {
                self.frequency = frequency(value).ok_or_else(|| {
                    wrong("YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY or SECONDLY")
                })?
            }
            "UNTIL" => {
                self.until =
                    Some(until(value).ok_or_else(|| {
                        wrong("a date or time such as 20261231 or 20261231T235959Z")
                    })?)
            }
            "COUNT" => self.count = Some(positive().ok_or_else(|| wrong("a number from 1"))?),
            "INTERVAL" => self.interval = positive().ok_or_else(|| wrong("a number from 1"))?,
            "BYSECOND" => self.seconds = list(0, 59, false)?,
            "BYMINUTE" => self.minutes = list(0, 59, false)?,
            "BYHOUR" => self.hours = list(0, 23, false)?,
            "BYDAY" => {
                self.weekdays = weekdays(value).ok_or_else(|| {
                    wrong("weekdays such as MO,WE, or 1MO, -1FR for the first and the last")
                })?
            }
            "BYMONTHDAY" => self.month_days = list(1, 31, true)?,
            "BYYEARDAY" => self.year_days = list(1, 366, true)?,
            "BYWEEKNO" => self.weeks = list(1, 53, true)?,
            "BYMONTH" => self.months = list(1, 12, false)?,
            "BYSETPOS" => self.positions = list(1, 366, true)?,
            "WKST" => {
                self.week_start = weekday(value).ok_or_else(|| wrong("a weekday such as MO"))?
            }
            _ => return Err((0, format!("{name} is not a part of a rule; accepted are {PARTS}"))),
        }
        Ok(())
    }

    /// What parts may not stand beside each other (the table of RFC 5545, 3.3.10).
    fn check(&self, seen: &[&str]) -> Result<(), String> {
        use Frequency::{Daily, Monthly, Weekly, Yearly};
        let frequency = self.frequency;
        let numbered = self.weekdays.iter().any(|(nth, _)| *nth != 0);
        let by_set = ["FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYSETPOS"];
        let rules = [
            (self.until.is_some() && self.count.is_some(), "UNTIL beside COUNT: one of them"),
            (!self.weeks.is_empty() && frequency != Yearly, "BYWEEKNO needs FREQ=YEARLY"),
            (
                !self.year_days.is_empty() && [Daily, Weekly, Monthly].contains(&frequency),
                "BYYEARDAY cannot stand beside FREQ=DAILY, WEEKLY or MONTHLY",
            ),
            (
                !self.month_days.is_empty() && frequency == Weekly,
                "BYMONTHDAY cannot stand beside FREQ=WEEKLY",
            ),
            (
                numbered && ![Monthly, Yearly].contains(&frequency),
                "a number before a weekday needs FREQ=MONTHLY or YEARLY",
            ),
            (
                numbered && !self.weeks.is_empty(),
                "a number before a weekday cannot stand beside BYWEEKNO",
            ),
            (
                !self.positions.is_empty() && seen.iter().all(|name| by_set.contains(name)),
                "BYSETPOS chooses among what another BY part gives",
            ),
        ];
        rules
            .iter()
            .find(|(broken, _)| *broken)
            .map_or(Ok(()), |(_, message)| Err((*message).into()))
    }
}

fn frequency(text: &str) -> Option<Frequency> {
    Some(match text {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

fn until(text: &str) -> Option<Until> {
    let stamp = Stamp::parse(text)?;
    Some(match (stamp.is_date, stamp.is_utc) {
        (true, _) => Until::Day(stamp.civil.date()),
        (_, true) => Until::Instant(stamp.civil.and_utc()),
        _ => Until::Civil(stamp.civil),
    })
}

/// Numbers between two bounds, or (`signed`) between their negatives; each is digits, with a sign at most.
fn numbers(text: &str, least: i32, most: i32, signed: bool) -> Option<Vec<i32>> {
    let number = |item: &str| -> Option<i32> {
        let digits = item.strip_prefix(['+', '-']).filter(|_| signed).unwrap_or(item);
        let is_number =
            !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
        let n: i32 = is_number.then(|| digits.parse().ok())??;
        let n = (least <= n && n <= most).then_some(n)?;
        Some(if item.starts_with('-') { -n } else { n })
    };
    text.split(',').map(|item| number(item.trim())).collect()
}

fn weekdays(text: &str) -> Option<Vec<(i32, Weekday)>> {
    let day = |item: &str| -> Option<(i32, Weekday)> {
        let item = item.trim();
        let (nth, name) = item.split_at_checked(item.len().checked_sub(2)?)?;
        let nth = match nth {
            "" => 0,
            nth => *numbers(nth, 1, 53, true)?.first()?,
        };
        Some((nth, weekday(name)?))
    };
    text.split(',').map(day).collect()
}
