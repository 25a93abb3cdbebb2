//! What becomes of the sources while they are followed: their counters, their state, and how well they were
//! covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::calendar::Zone;
use crate::config::Source;
use crate::metrics::SourceView;
use crate::policy::Policy;
use crate::report::month::Month;
use crate::store::{Counted, Tally};
use crate::tail::SourceStatus;
use crate::time::Instant;

/// A pause between two looks at the files that is longer than this is a gap in following them.
pub const GAP: Duration = Duration::from_secs(60);

/// The counter of covered time by civil month of the partner, for the review of a month: its label is the month, of a
/// source of several partners the month and the partner ([`month_of`]). What was covered before it was kept stands in
/// no month.
pub const COVERED_BY_MONTH: &str = "covered_nanos_by_month";

/// One source while it is followed.
struct Watched {
    view: SourceView,
    is_followed: bool,
    /// Those of its partners.
    zones: Vec<Zone>,
}

/// All sources while they are followed.
pub struct Watch {
    sources: Vec<Watched>,
    /// Counted and not yet on disk.
    pending: BTreeMap<Tally, u64>,
}

impl Watch {
    /// `tallies` are the counters on disk.
    pub fn new(sources: &[Source], policy: &Policy, tallies: Vec<Counted>) -> Watch {
        let view = |source: &Source| SourceView {
            name: source.name.clone(),
            partners: source.partners.clone(),
            up: false,
            misread: false,
            covered: false,
            lag_bytes: 0,
            files: 0,
            last_line: None,
            last_event: None,
            max_silence: source.max_silence,
            max_event_silence: source.max_event_silence,
            since: None,
            unseen: Vec::new(),
            tallies: BTreeMap::new(),
        };
        let zone = |name: &Arc<str>| policy.partner(name).map_or(Zone::utc(), |p| p.zone.clone());
        let zones = |s: &Source| s.partners.iter().map(zone).collect();
        let watched = |s: &Source| Watched { view: view(s), is_followed: false, zones: zones(s) };
        let mut watch =
            Watch { sources: sources.iter().map(watched).collect(), pending: BTreeMap::new() };
        for (source, name, label, value) in tallies {
            if let Some(source) = watch.sources.iter_mut().find(|s| s.view.name == source) {
                source.view.tallies.insert((name, label), value);
            }
        }
        watch
    }

    /// Takes over what is known of the sources that another configuration has as well.
    pub fn inherit(&mut self, old: &Watch) {
        for source in &mut self.sources {
            if let Some(known) = old.sources.iter().find(|o| o.view.name == source.view.name) {
                source.view.last_line = known.view.last_line;
                source.view.last_event = known.view.last_event;
                source.view.since = known.view.since;
            }
        }
    }

    /// Counts something that is to go to disk with the next commit.
    pub fn count(&mut self, source: &Arc<str>, name: &'static str, label: &str, n: u64) {
        *self.pending.entry((source.clone(), name, label.into())).or_default() += n;
    }

    /// What was counted since the last call.
    pub fn take_pending(&mut self) -> BTreeMap<Tally, u64> {
        std::mem::take(&mut self.pending)
    }

    /// Whether anything was counted since the last [`Watch::take_pending`].
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What was committed may be shown.
    pub fn committed(&mut self, tallies: &BTreeMap<Tally, u64>) {
        for ((source, name, label), n) in tallies {
            if let Some(source) = self.sources.iter_mut().find(|s| s.view.name == *source) {
                let key = ((*name).to_string(), label.to_string());
                *source.view.tallies.entry(key).or_default() += n;
            }
        }
    }

    /// A line was read at `at` (or, of an old file, last written then).
    pub fn saw_line(&mut self, source: usize, at: Instant) {
        if let Some(source) = self.sources.get_mut(source) {
            source.view.last_line = source.view.last_line.max(Some(at));
        }
    }

    /// An event stamped `at` was read.
    pub fn saw_event(&mut self, source: &Arc<str>, at: Instant) {
        if let Some(source) = self.sources.iter_mut().find(|s| s.view.name == *source) {
            source.view.last_event = source.view.last_event.max(Some(at));
        }
    }

    /// Takes over how the files are once they were read, and counts the time for which each source was covered:
    /// readable, fresh and caught up now and when stock was taken before, `elapsed` ago.
    /// `misread`: the sources that have a file that cannot be read as told.
    pub fn take_stock(
        &mut self,
        status: &[SourceStatus],
        misread: &BTreeSet<usize>,
        now: Instant,
        elapsed: Duration,
    ) {
        let mut covered = Vec::new();
        for (number, (watched, status)) in self.sources.iter_mut().zip(status).enumerate() {
            let view = &mut watched.view;
            view.files = status.files as u64;
            view.lag_bytes = status.lag_bytes;
            let is_misread = misread.contains(&number);
            if is_misread && !view.misread {
                tracing::warn!(source = %view.name, "lines are not in the encoding of the source, which is down until a line shows that they are");
            }
            view.misread = is_misread;
            let is_readable = status.failing.is_none() && !is_misread;
            view.up = 0 < status.files && is_readable;
            view.since = view.since.or(Some(now));
            let silent_for = view.last_line.map(|t| now - t);
            let fresh = match (view.max_silence, silent_for) {
                (None, _) => true,
                (Some(most), Some(silent)) => silent <= most,
                (Some(_), None) => false,
            };
            let is_understood = event_silence(view, now).is_none();
            let is_followed = view.up && fresh && is_understood && status.is_read;
            if is_followed && watched.is_followed && elapsed < GAP {
                covered.push((view.name.clone(), months(&view.partners, &watched.zones, now)));
            }
            watched.is_followed = is_followed;
            watched.view.covered = is_followed;
        }
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(0);
        for (name, months) in covered {
            self.count(&name, "covered_nanos", "", nanos);
            for month in months {
                self.count(&name, COVERED_BY_MONTH, &month, nanos);
            }
        }
    }

    /// Takes over which of the named keys no record of a source has had, and tells of those that are new.
    pub fn take_unseen(&mut self, unseen: impl Iterator<Item = Vec<String>>) {
        for (watched, unseen) in self.sources.iter_mut().zip(unseen) {
            let view = &mut watched.view;
            for detail in unseen.iter().filter(|detail| !view.unseen.contains(detail)) {
                tracing::warn!(source = &*view.name, detail, "a key that is named is missing");
            }
            view.unseen = unseen;
        }
    }

    /// What may be shown of the sources.
    pub fn views(&self) -> Vec<SourceView> {
        self.sources.iter().map(|s| s.view.clone()).collect()
    }
}

/// The labels of [`COVERED_BY_MONTH`] now.
fn months(partners: &[Arc<str>], zones: &[Zone], now: Instant) -> Vec<String> {
    match (partners, zones) {
        ([_], [zone]) => vec![Month::of(zone, now).to_string()],
        _ => {
            let label =
                |(name, zone): (&Arc<str>, &Zone)| format!("{} {name}", Month::of(zone, now));
            partners.iter().zip(zones).map(label).collect()
        }
    }
}

/// The month of a label of [`COVERED_BY_MONTH`], if it counts for this partner. `is_only`: the source has no other:
/// what was counted without a name while it was another's alone is nobody's else.
pub fn month_of(label: &str, partner: &str, is_only: bool) -> Option<Month> {
    match label.split_once(' ') {
        None if is_only => Month::parse(label),
        Some((month, name)) if name == partner => Month::parse(month),
        _ => None,
    }
}

/// How long a source has been silent beyond what it may be, if it is.
pub fn silence(view: &SourceView, now: Instant) -> Option<TimeDelta> {
    let silent = now - view.last_line?;
    (view.max_silence? < silent).then_some(silent)
}

/// How long there were lines but no event, if that is longer than it may be.
pub fn event_silence(view: &SourceView, now: Instant) -> Option<TimeDelta> {
    let most = view.max_event_silence?;
    let has_lines = now - view.last_line? <= most;
    let silent = now - view.last_event.or(view.since)?;
    (has_lines && most < silent).then_some(silent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::FailureKind;

    const CONFIG: &str = "partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" } }\n\
        sources: [ { name: s, partner: p, files: [/a.log], format: logfmt, max_silence: 1h } ]\n";

    /// The seconds that count as covered when stock is taken for the second time and finds the source like this.
    fn covered(
        (files, is_read, failing): (usize, bool, Option<FailureKind>),
        silent: Option<TimeDelta>,
        elapsed: Duration,
    ) -> f64 {
        let now = crate::clock::now();
        let config = crate::config::parse(CONFIG, std::path::Path::new("c.yml"), now);
        let config = config.expect("a configuration");
        let mut watch = Watch::new(&config.sources, &config.policy, Vec::new());
        let status = |files, is_read, failing| {
            // A line without an end lags and holds nothing up.
            [SourceStatus { source: "s".into(), files, lag_bytes: 7, is_read, failing }]
        };
        if let Some(silent) = silent {
            watch.saw_line(0, now - silent);
        }
        let none = BTreeSet::new();
        watch.take_stock(&status(1, true, None), &none, now, Duration::ZERO);
        watch.take_pending();
        watch.take_stock(&status(files, is_read, failing), &none, now, elapsed);
        let up = watch.views().first().is_some_and(|view| view.up);
        assert_eq!(up, 0 < files && failing.is_none());
        let pending = watch.take_pending();
        let month = Month::of(&Zone::utc(), now).to_string();
        let counted = |name, label: &str| pending.get(&("s".into(), name, label.into()));
        assert_eq!(counted(COVERED_BY_MONTH, &month), counted("covered_nanos", ""));
        pending
            .iter()
            .filter(|((_, name, _), _)| *name == "covered_nanos")
            .map(|(_, n)| *n as f64)
            .sum::<f64>()
            / 1e9
    }

    #[test]
    fn lines_without_events_are_told_and_not_covered() {
        let now = crate::clock::now();
        let text = CONFIG.replace("max_silence: 1h", "max_event_silence: 2h");
        let config = crate::config::parse(&text, std::path::Path::new("c.yml"), now);
        let config = config.expect("a configuration");
        // Minutes since the last line, the last event, and the first look.
        for (line, event, since, want) in [
            (Some(1), Some(119), 500, None),
            (Some(1), Some(121), 500, Some(121)),
            // Without lines there is nothing to be understood: that is silence.
            (Some(121), Some(121), 500, None),
            (None, None, 500, None),
            (Some(1), None, 119, None),
            (Some(1), None, 121, Some(121)),
        ] {
            let mut watch = Watch::new(&config.sources, &config.policy, Vec::new());
            let status = [SourceStatus {
                source: "s".into(),
                files: 1,
                lag_bytes: 0,
                is_read: true,
                failing: None,
            }];
            let none = BTreeSet::new();
            watch.take_stock(&status, &none, now - TimeDelta::minutes(since), Duration::ZERO);
            if let Some(minutes) = line {
                watch.saw_line(0, now - TimeDelta::minutes(minutes));
            }
            if let Some(minutes) = event {
                watch.saw_event(&"s".into(), now - TimeDelta::minutes(minutes));
            }
            watch.take_stock(&status, &none, now, Duration::from_millis(250));
            let view = watch.views().remove(0);
            assert_eq!(
                event_silence(&view, now),
                want.map(TimeDelta::minutes),
                "{line:?} {event:?}"
            );
            assert_eq!(view.covered, want.is_none(), "{line:?} {event:?}");
        }
    }

    #[test]
    fn time_is_covered_while_a_source_is_readable_fresh_and_caught_up() {
        let (soon, fresh) = (Duration::from_millis(250), Some(TimeDelta::minutes(59)));
        let well = (1, true, None);
        for (status, silent, elapsed, want) in [
            (well, fresh, soon, 0.25),
            (well, Some(TimeDelta::hours(1)), soon, 0.25),
            (well, Some(TimeDelta::minutes(61)), soon, 0.0),
            (well, None, soon, 0.0),
            ((0, true, None), fresh, soon, 0.0),
            ((1, false, None), fresh, soon, 0.0),
            ((1, true, Some(FailureKind::PermissionDenied)), fresh, soon, 0.0),
            (well, fresh, Duration::from_secs(59), 59.0),
            (well, fresh, GAP, 0.0),
        ] {
            assert_eq!(covered(status, silent, elapsed), want, "{status:?} {silent:?} {elapsed:?}");
        }
    }
}
