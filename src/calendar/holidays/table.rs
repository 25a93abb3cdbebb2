//! The embedded table of holidays: finds the section of a code and decodes that one alone.
//!
//! `data/holidays.txt` says in its header how it is written; `scripts/holidays.py` writes it.

use super::Set;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// What the table was made from: a PyPI project and its version.
pub const TABLE_VERSION: &str = "holidays 0.109";

/// First and last year of the embedded table, both included. Some codes have fewer.
pub const YEARS: RangeInclusive<i32> = 2010..=2045;

static TABLE: &str = include_str!("../../../data/holidays.txt");

/// One code's heading and lines.
#[derive(Debug)]
pub(super) struct Section {
    heading: &'static str,
    days: &'static str,
}

/// The sections by code. A blank line precedes each; they are not decoded here.
pub(super) fn sections() -> &'static BTreeMap<&'static str, Section> {
    static SECTIONS: LazyLock<BTreeMap<&'static str, Section>> = LazyLock::new(|| {
        let sections = TABLE.split("\n\n").skip(1).filter_map(|text| {
            let (line, days) = text.split_once('\n').unwrap_or((text, ""));
            let (code, heading) = line.split_once(' ')?;
            Some((code, Section { heading, days }))
        });
        sections.collect()
    });
    &SECTIONS
}

/// The set of a code; `None` for an unknown one.
pub(super) fn decode(code: &str) -> Option<Set> {
    let (code, section) = sections().get_key_value(code)?;
    let section = match section.heading.strip_prefix("= ") {
        Some(same) => sections().get(same)?,
        None => section,
    };
    let (years, days) = decode_section(section)?;
    Some(Set {
        code,
        days: days.into_iter().collect(),
        first: NaiveDate::from_ymd_opt(*years.start(), 1, 1)?,
        end: NaiveDate::from_ymd_opt(years.end().checked_add(1)?, 1, 1)?,
    })
}

/// Years and days of a section that has days of its own. `None`: the table is damaged.
fn decode_section(section: &Section) -> Option<(RangeInclusive<i32>, BTreeSet<NaiveDate>)> {
    let (years, base) = match section.heading.split_once(" < ") {
        Some((years, base)) => (years, Some(sections().get(base)?)),
        None => (section.heading, None),
    };
    let (first, last) = years.split_once('-')?;
    let years: RangeInclusive<i32> = first.parse().ok()?..=last.parse().ok()?;
    let mut days = match base {
        Some(base) => decode_section(base)?.1,
        None => BTreeSet::new(),
    };
    for line in section.days.lines() {
        let (which, list) = line.split_once(' ')?;
        let which = if which == "*" {
            years.clone()
        } else {
            let year: i32 = which.parse().ok()?;
            year..=year
        };
        for year in which {
            for day in list.split(' ') {
                change(&mut days, year, day)?;
            }
        }
    }
    Some((years, days))
}

/// Adds the day `MMDD` of a year, or takes `-MMDD` away.
fn change(days: &mut BTreeSet<NaiveDate>, year: i32, written: &str) -> Option<()> {
    let removed = written.strip_prefix('-');
    let (month, day) = removed.unwrap_or(written).split_at_checked(2)?;
    let day = NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)?;
    // A difference that changes nothing is damage too.
    let changed = if removed.is_some() { days.remove(&day) } else { days.insert(day) };
    changed.then_some(())
}
