//! What one Alertmanager was told, and what it is to be told next: plain values, no I/O.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use crate::alerts::{Alert, Key};
use crate::notify_alertmanager::{Backoff, REMIND};

/// One alert to be posted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Post {
    pub(super) key: Key,
    pub(super) alert: Arc<Alert>,
    /// It holds no longer.
    pub(super) is_over: bool,
    /// It was refused when it was last posted by itself.
    pub(super) was_refused: bool,
}

/// By what alerts are; bounded by the number of label sets.
pub(super) struct Roster {
    known: BTreeMap<Key, Known>,
    resend: Duration,
    resolve_delay: Duration,
}

struct Known {
    alert: Arc<Alert>,
    /// When these words were accepted; `None`: they were not yet.
    told: Option<Moment>,
    /// Since when it holds no longer.
    over: Option<Moment>,
    /// Alertmanager knows it as firing.
    is_firing: bool,
    /// Its own words are not taken: it waits for itself, and the others do not wait for it.
    refused: Option<Refused>,
}

struct Refused {
    /// Not posted before.
    until: Moment,
    wait: Duration,
    /// When the log was told.
    told: Moment,
}

impl Roster {
    pub(super) fn new(resend: Duration, resolve_delay: Duration) -> Roster {
        Roster { known: BTreeMap::new(), resend, resolve_delay }
    }

    /// Takes note of what holds now.
    pub(super) fn look(&mut self, holding: &BTreeMap<Key, Arc<Alert>>, now: Moment) {
        for (key, known) in &mut self.known {
            if !holding.contains_key(key) {
                known.over.get_or_insert(now);
            }
        }
        for (key, alert) in holding {
            let fresh = || Known {
                alert: alert.clone(),
                told: None,
                over: None,
                is_firing: false,
                refused: None,
            };
            let known = self.known.entry(key.clone()).or_insert_with(fresh);
            if known.alert != *alert || known.over.is_some() {
                (known.alert, known.told, known.over) = (alert.clone(), None, None);
            }
        }
    }

    /// What is to be posted at `now`, what was refused last.
    pub(super) fn due(&self, now: Moment) -> Vec<Post> {
        let due = self.known.iter().filter(|(_, known)| self.due_at(known) <= Some(now));
        let post = |(key, known): (&Key, &Known)| Post {
            key: key.clone(),
            alert: known.alert.clone(),
            is_over: known.over.is_some(),
            was_refused: known.refused.is_some(),
        };
        let (last, first): (Vec<_>, Vec<_>) = due.map(post).partition(|post| post.was_refused);
        [first, last].concat()
    }

    /// The next moment at which something is to be posted.
    pub(super) fn next(&self) -> Option<Moment> {
        // What was never accepted is due at once; that is no moment to wait for.
        self.known.values().filter_map(|known| self.due_at(known)).min()
    }

    /// `None`: at once.
    fn due_at(&self, known: &Known) -> Option<Moment> {
        let due = match (known.over, known.told) {
            (Some(over), _) => Some(over + self.resolve_delay),
            (None, told) => told.map(|told| told + self.resend),
        };
        due.max(known.refused.as_ref().map(|refused| refused.until))
    }

    /// Takes note that an alert was refused when it was posted by itself; whether the log is to be told.
    pub(super) fn refused(&mut self, post: &Post, now: Moment, backoff: Backoff) -> bool {
        let Some(known) = self.known.get_mut(&post.key) else { return false };
        if post.is_over && !known.is_firing {
            // It never was taken: there is nothing to resolve.
            return self.known.remove(&post.key).is_none();
        }
        let before = known.refused.take();
        let wait = before.as_ref().map_or(backoff.first, |r| (r.wait * 2).min(backoff.longest));
        let told = before.map(|refused| refused.told).filter(|told| now < *told + REMIND);
        known.refused = Some(Refused { until: now + wait, wait, told: told.unwrap_or(now) });
        told.is_none()
    }

    /// Takes note that a post was accepted; whether it was more than a repetition.
    pub(super) fn accepted(&mut self, post: &Post, now: Moment) -> bool {
        if post.is_over {
            return self.known.remove(&post.key).is_some();
        }
        let Some(known) = self.known.get_mut(&post.key) else { return false };
        (known.told, known.refused) = (Some(now), None);
        !std::mem::replace(&mut known.is_firing, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Name;
    use crate::run::Labels;

    fn key(procedure: &str) -> Key {
        let labels = Labels {
            partner: Arc::from("hostco"),
            service: Arc::from("atlas"),
            procedure: Arc::from(procedure),
        };
        (Name::Violation, labels)
    }

    fn holding(all: &[(&str, &str)]) -> BTreeMap<Key, Arc<Alert>> {
        let alert = |words: &str| {
            let since = chrono::DateTime::UNIX_EPOCH;
            Arc::new(Alert { since, summary: words.into(), description: String::new() })
        };
        all.iter().map(|(procedure, words)| (key(procedure), alert(words))).collect()
    }

    /// One step: the second, what holds, and what must be posted then (`-` before what is over).
    type Step<'a> = (u64, &'a [(&'a str, &'a str)], &'a [&'a str]);

    /// Posts are accepted unless the second is in `down`.
    fn check(down: std::ops::Range<u64>, steps: &[Step]) {
        let begun = Moment::now();
        let mut roster = Roster::new(Duration::from_secs(30), Duration::from_secs(120));
        for (second, holds, want) in steps {
            let now = begun + Duration::from_secs(*second);
            roster.look(&holding(holds), now);
            let due = roster.due(now);
            let sign = |post: &Post| if post.is_over { "-" } else { "" };
            let words = |post: &Post| format!("{}{}", sign(post), post.alert.summary);
            assert_eq!(due.iter().map(words).collect::<Vec<_>>(), *want, "at {second}");
            for post in due.iter().filter(|_| !down.contains(second)) {
                roster.accepted(post, now);
            }
            assert!(down.contains(second) || roster.next().is_none_or(|next| now < next));
        }
    }

    #[test]
    fn an_alert_is_posted_at_once_again_and_resolved_after_the_delay() {
        let a: &[_] = &[("a", "one")];
        let steps: &[Step] = &[
            (0, a, &["one"]),
            (1, a, &[]),
            (29, a, &[]),
            (30, a, &["one"]),
            (31, &[("a", "two")], &["two"]),
            (32, &[("a", "two"), ("b", "other")], &["other"]),
            (33, &[("b", "other")], &[]),
            (62, &[("b", "other")], &["other"]),
            (152, &[("b", "other")], &["other"]),
            (153, &[("b", "other")], &["-two"]),
            (154, &[("b", "other")], &[]),
        ];
        check(0..0, steps);
    }

    #[test]
    fn what_holds_again_before_it_was_resolved_goes_on() {
        let a: &[_] = &[("a", "one")];
        check(0..0, &[(0, a, &["one"]), (5, &[], &[]), (60, a, &["one"]), (125, a, &["one"])]);
    }

    #[test]
    fn what_was_not_accepted_stays_due() {
        let a: &[_] = &[("a", "one")];
        check(0..100, &[(0, a, &["one"]), (1, a, &["one"]), (100, a, &["one"]), (101, a, &[])]);
        // Over before Alertmanager was back: it may have heard of it, so it is told that it is over.
        check(0..500, &[(0, a, &["one"]), (1, &[], &[]), (121, &[], &["-one"])]);
        check(0..500, &[(0, a, &["one"]), (1, &[], &[]), (500, &[], &["-one"]), (501, &[], &[])]);
    }

    #[test]
    fn what_is_refused_waits_longer_each_time_and_is_told_now_and_then() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(50) };
        let begun = Moment::now();
        let mut roster = Roster::new(Duration::from_secs(30), Duration::ZERO);
        let mut now = begun;
        let mut tried = Vec::new();
        roster.look(&holding(&[("a", "one")]), now);
        for _ in 0..9 {
            let due = roster.due(now);
            assert_eq!(due.len(), 1);
            let is_told = roster.refused(&due[0], now, backoff);
            tried.push(((now - begun).as_secs(), is_told));
            // Other words change nothing.
            roster.look(&holding(&[("a", if is_told { "two" } else { "one" })]), now);
            assert_eq!(roster.due(now), []);
            now = roster.next().unwrap();
        }
        let want = [(0, true), (1, false), (3, false), (7, false), (15, false), (31, false)];
        let later = [(63, true), (113, false), (163, true)];
        assert_eq!(tried, [&want[..], &later].concat());
        roster.accepted(&roster.due(now)[0].clone(), now);
        assert_eq!(roster.next(), Some(now + Duration::from_secs(30)));
    }

    #[test]
    fn what_never_was_taken_and_is_over_is_let_go() {
        let backoff = Backoff { first: Duration::ZERO, longest: Duration::ZERO };
        let mut roster = Roster::new(Duration::from_secs(30), Duration::ZERO);
        let now = Moment::now();
        roster.look(&holding(&[("a", "one"), ("b", "two")]), now);
        let due = roster.due(now);
        roster.accepted(&due[0], now);
        roster.refused(&due[1], now, backoff);
        roster.look(&holding(&[]), now);
        for post in roster.due(now) {
            roster.refused(&post, now, backoff);
        }
        let names: Vec<_> = roster.due(now).iter().map(|post| post.key.clone()).collect();
        assert_eq!(names, [key("a")], "the one that was taken is to be resolved");
    }
}
