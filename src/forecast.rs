//! Looking ahead: when an open run will probably end, and when it will break a rule.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;

use crate::run::Run;
use crate::time::Instant;
use crate::verdict::{Case, Check, Finding, Reason, When, judge};

/// Past durations kept of one procedure: what is older says nothing about tonight.
pub const DURATIONS_KEPT: usize = 1_000;

/// Fewer past durations than this are no evidence; the configured expectation is used instead.
pub const DURATIONS_NEEDED: usize = 5;

/// The latest durations of one procedure, with their percentiles at hand.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    in_order: VecDeque<TimeDelta>,
    counts: BTreeMap<TimeDelta, u32>,
}

impl Durations {
    /// The latest duration; the oldest of more than [`DURATIONS_KEPT`] is forgotten.
    pub fn add(&mut self, d: TimeDelta) {
        if DURATIONS_KEPT <= self.in_order.len()
            && let Some(old) = self.in_order.pop_front()
            && let Some(n) = self.counts.get_mut(&old)
        {
            *n -= 1;
            if *n == 0 {
                self.counts.remove(&old);
            }
        }
        self.in_order.push_back(d);
        *self.counts.entry(d).or_default() += 1;
    }

    /// The 90th percentile by nearest rank: the smallest duration that at least 90 in 100 do not exceed.
    /// `None` with fewer than [`DURATIONS_NEEDED`].
    pub fn p90(&self) -> Option<TimeDelta> {
        let n = self.in_order.len();
        if n < DURATIONS_NEEDED {
            return None;
        }
        let rank = (n * 9).div_ceil(10);
        let mut seen = 0;
        for (d, count) in &self.counts {
            seen += *count as usize;
            if rank <= seen {
                return Some(*d);
            }
        }
        None
    }
}

/// When an open run will probably end, and what of the agreement that would break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// `None`: nothing is known of the procedure's durations.
    pub projected_end: Option<Instant>,
    /// The earliest instant at which going on breaks a rule that is still kept and not waived.
    pub deadline: Option<Instant>,
    /// Rules that are still kept and that an end at the projected end breaks.
    pub will_break: Vec<Reason>,
}

/// Rules that an end in time keeps.
pub const ABOUT_THE_END: [Reason; 5] = [
    Reason::OverranWindow,
    Reason::OverranPlan,
    Reason::RanIntoBusinessHours,
    Reason::RanIntoFreeze,
    Reason::TooLong,
];

/// Looks ahead for an open run. `case` is the run at the present clock.
///
/// A projected end that has passed says that it can end at any moment: nothing is projected from it.
pub fn forecast(case: &Case, run: &Run, past: Option<&Durations>) -> Forecast {
    forecast_from(case, run, past.and_then(Durations::p90))
}

/// [`forecast`] for many runs of one procedure: `usual` is its [`Durations::p90`], asked for once.
pub fn forecast_from(case: &Case, run: &Run, usual: Option<TimeDelta>) -> Forecast {
    let expected = usual.or(case.terms.expected_duration);
    let projected_end = expected.map(|d| case.start + d);
    let mut forecast = Forecast { projected_end, ..Forecast::default() };
    for (reason, check) in judge(case, When::Later) {
        let Check::Holds { until } = check else { continue };
        if case.waives(reason)
            || !ABOUT_THE_END.contains(&reason)
            || run.findings.contains_key(&reason)
        {
            continue;
        }
        forecast.deadline = Some(forecast.deadline.map_or(until, |d| d.min(until)));
        if projected_end.is_some_and(|end| until < end) {
            forecast.will_break.push(reason);
        }
    }
    forecast
}

/// Bounds that an open run has gone past, and that no emergency waives; none of a run that is over.
pub fn overruns(run: &Run) -> impl Iterator<Item = &Finding> {
    let findings = run.findings.values().filter(|_| run.is_open());
    findings.filter(|f| !f.waived && ABOUT_THE_END.contains(&f.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_by_nearest_rank_of_the_latest() {
        let p90 = |minutes: &[i64]| {
            let mut past = Durations::default();
            minutes.iter().for_each(|m| past.add(TimeDelta::minutes(*m)));
            past.p90().map(|d| d.num_minutes())
        };
        assert_eq!(p90(&[1, 2, 3, 4]), None);
        assert_eq!(p90(&[5, 4, 3, 2, 1]), Some(5));
        assert_eq!(p90(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), Some(9));
        assert_eq!(p90(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), Some(10));
        assert_eq!(p90(&[7; 20]), Some(7));
        let mut long_ago = vec![500; 1_000];
        long_ago.extend([3; DURATIONS_KEPT]);
        assert_eq!(p90(&long_ago), Some(3));
    }
}
