//! Public holidays: the embedded table, by ISO 3166 country or subdivision, plus own days.

mod table;

use crate::time::Instant;
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use table::{TABLE_VERSION, YEARS};

/// The public holidays that `PH` stands for in one calendar.
///
/// A day of the table counts unless it is in `remove`; a day in `add` counts always.
#[derive(Clone, Debug, Default)]
pub struct Holidays {
    /// Own days beside the table's.
    pub add: BTreeSet<NaiveDate>,
    /// Days of the table that are none here.
    pub remove: BTreeSet<NaiveDate>,
    /// Own days were told, even if there are none of them at present.
    pub is_told: bool,
    set: Option<Set>,
}

/// The days of one code of the table.
#[derive(Clone, Debug)]
struct Set {
    code: &'static str,
    days: Arc<[NaiveDate]>,
    first: NaiveDate,
    /// The first day of which the table knows nothing any more.
    end: NaiveDate,
}

impl Holidays {
    /// No set at all: a `PH` rule is then an error, unless days are added.
    pub fn none() -> Holidays {
        Holidays::default()
    }

    /// The embedded set of an ISO 3166 code (`GB`, `GB-ENG`), substitute days included; `None` if
    /// there is none.
    pub fn of(code: &str) -> Option<Holidays> {
        let set = table::decode(code)?;
        Some(Holidays { set: Some(set), ..Holidays::default() })
    }

    /// All codes that [`Holidays::of`] knows, sorted.
    pub fn codes() -> Vec<&'static str> {
        table::sections().keys().copied().collect()
    }

    /// Whether the day is a public holiday here. Outside [`Holidays::known`] only own days are.
    pub fn contains(&self, day: NaiveDate) -> bool {
        let listed = |set: &Set| set.days.binary_search(&day).is_ok();
        self.add.contains(&day)
            || (self.set.as_ref().is_some_and(listed) && !self.remove.contains(&day))
    }

    /// Whether there is nothing that `PH` could stand for: neither a set nor own days.
    pub fn is_none(&self) -> bool {
        self.set.is_none() && self.add.is_empty() && !self.is_told
    }

    /// The code of the embedded set, if there is one.
    pub fn code(&self) -> Option<&'static str> {
        self.set.as_ref().map(|set| set.code)
    }

    /// The days of which the embedded set speaks: from the first to before the second. `None`: own
    /// days alone, which are complete as they are.
    pub fn known(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.set.as_ref().map(|set| (set.first, set.end))
    }
}

/// The end of the embedded table, as civil time in UTC. Some codes end earlier: see
/// [`Holidays::known`] and [`crate::calendar::Calendar::known_until`].
pub fn table_end() -> Instant {
    let end = NaiveDate::from_ymd_opt(YEARS.end() + 1, 1, 1).unwrap_or(NaiveDate::MIN);
    end.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests;
