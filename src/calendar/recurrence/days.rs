//! Which days a rule names, the periods that it counts in, and the times within a day.

use super::{Frequency, Rule};
use chrono::{
    Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday,
};

impl Frequency {
    /// Seconds of a step; `None` for periods of days.
    pub(super) fn seconds(self) -> Option<u32> {
        match self {
            Frequency::Hourly => Some(3600),
            Frequency::Minutely => Some(60),
            Frequency::Secondly => Some(1),
            _ => None,
        }
    }
}

impl Rule {
    /// The number of the period in which a day lies.
    pub(super) fn period_of(&self, day: NaiveDate) -> i64 {
        match self.frequency {
            Frequency::Yearly => day.year().into(),
            Frequency::Monthly => i64::from(day.year()) * 12 + i64::from(day.month0()),
            Frequency::Weekly => self.week_of(day).num_days_from_ce().div_euclid(7).into(),
            _ => day.num_days_from_ce().into(),
        }
    }

    /// First and last day of a period; `None` beyond what can be represented.
    pub(super) fn period(&self, number: i64) -> Option<(NaiveDate, NaiveDate)> {
        let small = i32::try_from(number).ok()?;
        match self.frequency {
            Frequency::Yearly => Some((
                NaiveDate::from_ymd_opt(small, 1, 1)?,
                NaiveDate::from_ymd_opt(small, 12, 31)?,
            )),
            Frequency::Monthly => {
                let month = u32::try_from(small.rem_euclid(12)).ok()? + 1;
                let first = NaiveDate::from_ymd_opt(small.div_euclid(12), month, 1)?;
                Some((first, first.checked_add_months(Months::new(1))?.pred_opt()?))
            }
            Frequency::Weekly => {
                // The day 7n of the common era lies in the week n or the one before it.
                let near =
                    NaiveDate::from_num_days_from_ce_opt(small.checked_mul(7)?.checked_add(6)?)?;
                let first = self.week_of(near);
                Some((first, first.checked_add_days(Days::new(6))?))
            }
            _ => NaiveDate::from_num_days_from_ce_opt(small).map(|day| (day, day)),
        }
    }

    /// The first day of the week of `day`.
    fn week_of(&self, day: NaiveDate) -> NaiveDate {
        let into = day.weekday().days_since(self.week_start);
        day.checked_sub_days(Days::new(into.into())).unwrap_or(day)
    }

    /// Whether the rule names this day.
    pub(super) fn matches(&self, day: NaiveDate) -> bool {
        let month = number(day.month());
        if !self.months.is_empty() && !self.months.contains(&month) {
            return false;
        }
        let from_both_ends = |list: &[i32], n: i32, of: i32| {
            list.is_empty() || list.contains(&n) || list.contains(&(n - of - 1))
        };
        let of_month = number(days_of_month(day));
        let of_year = if day.leap_year() { 366 } else { 365 };
        from_both_ends(&self.month_days, number(day.day()), of_month)
            && from_both_ends(&self.year_days, number(day.ordinal()), of_year)
            && (self.weeks.is_empty() || self.is_in_week(day))
            && (self.weekdays.is_empty() || self.is_weekday(day, of_month, of_year))
    }

    /// Whether the week of the day is named: the first is that with at least four days of the year.
    fn is_in_week(&self, day: NaiveDate) -> bool {
        let first_week = |year| NaiveDate::from_ymd_opt(year, 1, 4).map(|day| self.week_of(day));
        let week = self.week_of(day);
        let year = (week + TimeDelta::days(3)).year();
        let (Some(first), Some(next)) = (first_week(year), first_week(year + 1)) else {
            return false;
        };
        let weeks = |from: NaiveDate, to: NaiveDate| {
            i32::try_from((to - from).num_days() / 7).unwrap_or_default()
        };
        let (n, of) = (weeks(first, week) + 1, weeks(first, next));
        self.weeks.contains(&n) || self.weeks.contains(&(n - of - 1))
    }

    /// Whether the weekday is named, as which one of its month (of a monthly rule, or of one that names months)
    /// or of its year.
    fn is_weekday(&self, day: NaiveDate, of_month: i32, of_year: i32) -> bool {
        let by_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (n, of) = match by_month {
            true => (number(day.day()), of_month),
            false => (number(day.ordinal()), of_year),
        };
        self.weekdays.iter().any(|(nth, weekday)| {
            *weekday == day.weekday()
                && (*nth == 0 || *nth == (n - 1) / 7 + 1 || *nth == -((of - n) / 7 + 1))
        })
    }

    /// The times of day, in order.
    pub(super) fn times(&self) -> Vec<NaiveTime> {
        product(&self.hours, &self.minutes, &self.seconds)
    }

    /// The occurrences within a step of hours, minutes or seconds that begins at `t`.
    pub(super) fn within(&self, t: NaiveDateTime) -> Vec<NaiveDateTime> {
        let is_named = |list: &[i32], n: u32| list.is_empty() || list.contains(&number(n));
        let (hour, minute, second) = (t.hour(), t.minute(), t.second());
        let own = |n: u32| vec![number(n)];
        let times = match self.frequency {
            _ if !is_named(&self.hours, hour) => vec![],
            Frequency::Hourly => product(&own(hour), &self.minutes, &self.seconds),
            _ if !is_named(&self.minutes, minute) => vec![],
            Frequency::Minutely => product(&own(hour), &own(minute), &self.seconds),
            _ if !is_named(&self.seconds, second) => vec![],
            _ => vec![t.time()],
        };
        times.into_iter().map(|time| t.date().and_time(time)).collect()
    }

    /// Those of a period that `BYSETPOS` chooses: all, if it is not there.
    pub(super) fn chosen(&self, found: Vec<NaiveDateTime>) -> Vec<NaiveDateTime> {
        if self.positions.is_empty() {
            return found;
        }
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let chosen = (1..).zip(found).filter(|(n, _)| {
            self.positions.contains(n) || self.positions.contains(&(n - count - 1))
        });
        chosen.map(|(_, civil)| civil).collect()
    }

    /// How many occurrences (or steps on the way to them) a year has at most.
    pub(super) fn most_a_year(&self) -> u64 {
        let many = |n: usize| u64::try_from(n.max(1)).unwrap_or(u64::MAX);
        let interval = u64::from(self.interval);
        let times = match self.frequency {
            Frequency::Secondly => 1,
            Frequency::Minutely => many(self.seconds.len()),
            Frequency::Hourly => many(self.minutes.len()).saturating_mul(many(self.seconds.len())),
            _ => many(self.hours.len())
                .saturating_mul(many(self.minutes.len()))
                .saturating_mul(many(self.seconds.len())),
        };
        let months = if self.months.is_empty() { 12 } else { many(self.months.len()) };
        let weekdays = self.weekdays.iter();
        let periods = match self.frequency {
            Frequency::Yearly => {
                let by_weekday: u64 = weekdays
                    .map(|(nth, _)| match (*nth, self.months.is_empty()) {
                        (0, _) => 53,
                        (_, true) => 1,
                        (_, false) => months,
                    })
                    .sum();
                let by_day = many(self.month_days.len()) * months;
                let days = [
                    (!self.weekdays.is_empty()).then_some(by_weekday),
                    (!self.month_days.is_empty()).then_some(by_day),
                    (!self.year_days.is_empty()).then_some(many(self.year_days.len())),
                ];
                days.into_iter().flatten().min().unwrap_or(366).min(366)
            }
            Frequency::Monthly => {
                let by_weekday: u64 = weekdays.map(|(nth, _)| if *nth == 0 { 5 } else { 1 }).sum();
                let by_day = many(self.month_days.len());
                let days = if self.weekdays.is_empty() { by_day } else { by_weekday };
                months * days.min(31)
            }
            Frequency::Weekly => (53 * many(self.weekdays.len())).div_ceil(interval),
            Frequency::Daily => 366_u64.div_ceil(interval),
            Frequency::Hourly => (366 * 24_u64).div_ceil(interval),
            Frequency::Minutely => (366 * 1_440_u64).div_ceil(interval),
            Frequency::Secondly => (366 * 86_400_u64).div_ceil(interval),
        };
        periods.saturating_mul(times)
    }
}

fn number(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn days_of_month(day: NaiveDate) -> u32 {
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
    next.map_or(31, |last| last.day())
}

/// Every hour with every minute and second, in order, each once.
fn product(hours: &[i32], minutes: &[i32], seconds: &[i32]) -> Vec<NaiveTime> {
    let small = |n: &i32| u32::try_from(*n).unwrap_or_default();
    let mut times: Vec<NaiveTime> = hours
        .iter()
        .flat_map(|h| minutes.iter().map(move |m| (h, m)))
        .flat_map(|(h, m)| seconds.iter().map(move |s| (h, m, s)))
        .filter_map(|(h, m, s)| NaiveTime::from_hms_opt(small(h), small(m), small(s)))
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// A weekday by its two letters.
pub(super) fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}
