//! Sums over everything on record, kept as it grows, so that a scrape costs by series and not by history.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::forecast::Durations;
use crate::ledger::entry::Shown;
use crate::run::{Irregularity, Labels, Run, State};
use crate::time::{Instant, seconds};
use crate::verdict::{Reason, Verdict};

/// How long a run takes: 1 min to 2 days.
pub static DURATION_BOUNDS: &[f64] = &[
    60.0, 300.0, 600.0, 1_800.0, 3_600.0, 5_400.0, 7_200.0, 10_800.0, 14_400.0, 21_600.0, 28_800.0,
    43_200.0, 86_400.0, 172_800.0,
];
/// How long before its start a change is confirmed: not at all to 30 days.
pub static NOTICE_BOUNDS: &[f64] = &[
    0.0,
    900.0,
    3_600.0,
    14_400.0,
    28_800.0,
    43_200.0,
    86_400.0,
    172_800.0,
    259_200.0,
    432_000.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
];
/// How long after its stamp a start is seen: 10 ms to a day. Eight minutes (480 s) is the time to beat.
pub static DETECTION_BOUNDS: &[f64] = &[
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 480.0, 900.0, 3_600.0,
    86_400.0,
];

/// A cumulative histogram with fixed bounds; values in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    pub bounds: &'static [f64],
    /// Values at or below each bound and above the one before it.
    pub counts: Vec<u64>,
    pub count: u64,
    pub sum: f64,
}

impl Histogram {
    /// An empty one. `bounds` rise.
    pub fn new(bounds: &'static [f64]) -> Histogram {
        Histogram { bounds, counts: vec![0; bounds.len()], count: 0, sum: 0.0 }
    }

    /// One value more, in seconds; what is beyond the last bound is in the count and the sum alone. What is below zero
    /// (a stamp ahead of our clock, a confirmation after the planned start) counts as zero: the sum is a counter.
    pub fn add(&mut self, value: f64) {
        let value = value.max(0.0);
        let place = self.bounds.partition_point(|b| *b < value);
        if let Some(n) = self.counts.get_mut(place) {
            *n += 1;
        }
        self.count += 1;
        self.sum += value;
    }
}

/// What is counted for one partner, service and procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    pub starts: BTreeMap<Verdict, u64>,
    pub runs: BTreeMap<(Verdict, State), u64>,
    pub violations: BTreeMap<Reason, u64>,
    /// Of sealed runs, nanoseconds.
    pub business_nanos: i128,
    pub outside_nanos: i128,
    /// The counters of time were seen this high and must not fall.
    pub shown: Shown,
    pub durations: Histogram,
    pub last_start: Option<Instant>,
    pub last_violation: Option<Instant>,
}

impl Default for Sums {
    fn default() -> Sums {
        Sums {
            starts: BTreeMap::new(),
            runs: BTreeMap::new(),
            violations: BTreeMap::new(),
            business_nanos: 0,
            outside_nanos: 0,
            shown: Shown::default(),
            durations: Histogram::new(DURATION_BOUNDS),
            last_start: None,
            last_violation: None,
        }
    }
}

impl Sums {
    /// Counts a reason that is not waived. What is only a doubt is no violation.
    pub(super) fn found(&mut self, reason: Reason, at: Instant, waived: bool) {
        if waived {
            return;
        }
        *self.violations.entry(reason).or_default() += 1;
        if !reason.is_doubt() {
            self.last_violation = self.last_violation.max(Some(at));
        }
    }
}

/// What is counted for one partner.
#[derive(Clone, Debug, PartialEq)]
pub struct PartnerSums {
    pub notice: Histogram,
    pub detection: Histogram,
    pub irregularities: BTreeMap<Irregularity, u64>,
}

impl Default for PartnerSums {
    fn default() -> PartnerSums {
        PartnerSums {
            notice: Histogram::new(NOTICE_BOUNDS),
            detection: Histogram::new(DETECTION_BOUNDS),
            irregularities: BTreeMap::new(),
        }
    }
}

/// All sums.
#[derive(Clone, Debug, Default)]
pub struct Board {
    pub series: BTreeMap<Labels, Sums>,
    pub partners: BTreeMap<Arc<str>, PartnerSums>,
    /// Past durations by partner and procedure, whatever the service.
    pub durations: BTreeMap<(Arc<str>, Arc<str>), Durations>,
}

impl Board {
    /// The sums of runs as they stand, as if nothing else were on record, each with its nanoseconds in business hours
    /// and outside the windows.
    pub fn of<'a>(runs: impl Iterator<Item = (&'a Run, i64, i64)>) -> Board {
        let mut board = Board::default();
        for (run, business, outside) in runs {
            board.started(run, run.verdict());
            if let Some(end) = run.end {
                board.ended(run, end);
            }
            if run.sealed {
                board.sealed(run, run.verdict(), business, outside);
            }
        }
        board
    }

    pub(super) fn sums(&mut self, run: &Run) -> &mut Sums {
        self.series.entry(run.labels.clone()).or_default()
    }

    pub(super) fn partner(&mut self, name: &Arc<str>) -> &mut PartnerSums {
        self.partners.entry(name.clone()).or_default()
    }

    /// A run began, with what is known of it at its start.
    pub(super) fn started(&mut self, run: &Run, verdict: Verdict) {
        let sums = self.sums(run);
        *sums.starts.entry(verdict).or_default() += 1;
        sums.last_start = sums.last_start.max(Some(run.start));
        for f in run.findings.values() {
            sums.found(f.reason, f.at, f.waived);
        }
        let partner = self.partner(&run.partner);
        partner.detection.add(seconds(run.observed - run.stamped));
        self.noticed(run);
    }

    /// The notice that was given of a run, if it was confirmed.
    pub(super) fn noticed(&mut self, run: &Run) {
        if let Some(notice) = run.plan.as_ref().and_then(|p| p.notice()) {
            self.partner(&run.partner).notice.add(seconds(notice));
        }
    }

    /// How long it took counts for the forecasts at once; for the metric only once it is sealed.
    pub(super) fn ended(&mut self, run: &Run, end: Instant) {
        let key = (run.partner.clone(), run.labels.procedure.clone());
        self.durations.entry(key).or_default().add(end - run.start);
    }

    /// Keeps the counters of time of one series from falling below `shown`; `false`: they never could.
    pub(super) fn keep_time(&mut self, labels: &Labels, shown: Shown) -> bool {
        let sums = self.series.entry(labels.clone()).or_default();
        let kept = sums.shown.at_least(shown);
        kept != std::mem::replace(&mut sums.shown, kept)
    }

    /// A verdict is final. `business`, `outside`: nanoseconds in business hours and outside the windows.
    pub(super) fn sealed(&mut self, run: &Run, verdict: Verdict, business: i64, outside: i64) {
        let sums = self.sums(run);
        *sums.runs.entry((verdict, run.state)).or_default() += 1;
        sums.business_nanos += i128::from(business);
        sums.outside_nanos += i128::from(outside);
        if let Some(end) = run.end {
            sums.durations.add(seconds(end - run.start));
        }
    }
}
