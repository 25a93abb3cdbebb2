//! Ends that are stamped before the start that they follow, because two clocks disagree.
//!
//! Lines are taken in the order of their stamps. So an end that was read after its start, and is stamped a little
//! before it, comes first. It waits for that start, and ends the run as soon as it begins.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{Body, Kind, RunLine};
use crate::ledger::draft::{Draft, Taking};
use crate::ledger::pairing::{clock_tolerance, named, services_of};
use crate::policy::Policy;
use crate::run::Irregularity;
use crate::time::{Instant, rfc3339};

/// What an end without an open run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The start follows soon enough.
    Held,
    /// A start that was read before it is stamped too long after it: at this instant.
    TooEarly(Instant),
    ForNothing,
}

/// By what an end knows the start that it follows: the id, without one the procedure.
type Name = (Arc<str>, Result<Box<str>, Option<Box<str>>>);

/// A start that is still to be taken, and was read before lines with an earlier stamp.
#[derive(Clone, Debug)]
struct Ahead {
    at: Instant,
    read: u64,
    services: Vec<Option<Arc<str>>>,
}

/// Starts that are still to be taken, and the ends that wait for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    starts: HashMap<Name, Vec<Ahead>>,
    /// By the start that they wait for.
    ends: HashMap<u64, Vec<Taking>>,
}

impl Draft {
    /// Tells of the lines that are about to be taken, in the order of their stamps. Nothing needs to be known of
    /// them where that is the order in which they were read.
    pub fn expect(&mut self, policy: &Policy, batch: &[Taking]) {
        self.waiting = Waiting::default();
        let mut last_read = 0;
        for taking in batch {
            last_read = taking.read.max(last_read);
            let Body::Run(line) = &taking.event.body else { continue };
            if line.kind == Kind::Started && taking.read < last_read {
                let services = services_of(policy, taking, line);
                let ahead = Ahead { at: taking.event.at, read: taking.read, services };
                self.waiting.starts.entry(name_of(taking, line)).or_default().push(ahead);
            }
        }
    }

    /// Lets an end wait for the start that it follows, if that is among those that are about to be taken.
    pub(super) fn wait_for_start(
        &mut self,
        policy: &Policy,
        taking: &Taking,
        line: &RunLine,
    ) -> Waits {
        if self.waiting.starts.is_empty() {
            return Waits::ForNothing;
        }
        let end = line.whole.map_or(taking.event.at, |(_, end)| end);
        let services = services_of(policy, taking, line);
        let starts = self.waiting.starts.get(&name_of(taking, line)).into_iter().flatten();
        let follows = |start: &&Ahead| {
            end < start.at
                && start.read < taking.read
                && (line.services.is_empty()
                    || start.services.iter().any(|service| services.contains(service)))
        };
        let Some(start) = starts.filter(follows).min_by_key(|start| start.at) else {
            return Waits::ForNothing;
        };
        let tolerance = clock_tolerance(policy, taking);
        let is_near = |t: Instant| start.at - tolerance <= t;
        if !is_near(end) || line.whole.is_some_and(|(begun, _)| !is_near(begun)) {
            return Waits::TooEarly(start.at);
        }
        self.waiting.ends.entry(start.read).or_default().push(taking.clone());
        Waits::Held
    }

    /// A start was taken: so are the ends that waited for it.
    pub(super) fn take_held(&mut self, policy: &Policy, clock: Instant, start: &Taking) {
        let Some(held) = self.waiting.ends.remove(&start.read) else { return };
        if let Body::Run(line) = &start.event.body
            && let Some(starts) = self.waiting.starts.get_mut(&name_of(start, line))
        {
            starts.retain(|ahead| ahead.read != start.read);
        }
        for taking in held {
            let Body::Run(line) = &taking.event.body else { continue };
            if let Some(whole) = line.whole {
                let services = services_of(policy, &taking, line);
                self.take_whole(policy, clock, &taking, line, (whole, services));
                continue;
            }
            let mut open = self.find_open(policy, &taking, line);
            // It follows this start, and not another that took its place meanwhile.
            if open.iter().any(|run| run.start == start.event.at) {
                open.retain(|run| run.start == start.event.at);
            }
            if !self.end_runs(policy, clock, &taking, line, (taking.event.at, open)) {
                // Another one that waited has ended it.
                let detail = format!("{} began {}", named(line), rfc3339(start.event.at));
                self.irregular(clock, &taking, Irregularity::EndBeforeStart, detail);
            }
        }
    }
}

fn name_of(taking: &Taking, line: &RunLine) -> Name {
    let name = line.run_id.clone().ok_or_else(|| line.procedure.clone());
    (taking.partner.clone(), name)
}
