//! A calendar's spans by year of UTC: worked out once, when first asked for, then only looked up.

use crate::time::{Instant, Span};
use chrono::NaiveDate;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// Years that are kept once they are known. Others are worked out each time.
pub(super) const KEPT: RangeInclusive<i32> = 1900..=2199;

/// The spans of the kept years, each year's cut at its borders.
pub(super) struct Years(Box<[OnceLock<Box<[Span]>>]>);

impl Years {
    pub(super) fn new() -> Years {
        Years(KEPT.map(|_| OnceLock::new()).collect())
    }

    /// The spans of a year, made by `make` if they are not there yet. Reading them takes no lock.
    pub(super) fn get(&self, year: i32, make: impl FnOnce(Span) -> Vec<Span>) -> Cow<'_, [Span]> {
        let kept = usize::try_from(year.saturating_sub(*KEPT.start())).ok();
        let make = || range_of(year).map(make).unwrap_or_default();
        match kept.and_then(|index| self.0.get(index)) {
            Some(cell) => Cow::Borrowed(cell.get_or_init(|| make().into_boxed_slice())),
            None => Cow::Owned(make()),
        }
    }
}

/// The year in UTC; `None` outside of what can be represented.
pub(super) fn range_of(year: i32) -> Option<Span> {
    let first = |year| -> Option<Instant> {
        let day = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(day.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    Span::new(first(year)?, first(year.checked_add(1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn kept_years_are_made_once_and_others_each_time() {
        #[track_caller]
        fn check(year: i32, expected: u32) {
            let (years, made) = (Years::new(), Cell::new(0));
            for _ in 0..2 {
                let spans = years.get(year, |range| {
                    made.set(made.get() + 1);
                    vec![range]
                });
                assert_eq!(*spans, *range_of(year).as_slice(), "{year}");
            }
            assert_eq!(made.get(), expected, "{year}");
        }
        check(1899, 2);
        check(1900, 1);
        check(2025, 1);
        check(2199, 1);
        check(2200, 2);
        check(-5, 2);
        check(i32::MAX, 0);
        check(i32::MIN, 0);
    }
}
