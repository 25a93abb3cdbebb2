//! The instants at which it may begin to matter, or cease to, what was planned for a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;

use super::revisions::{Slot, plan_of};
use super::{AsOf, Changes, Planned};
use crate::event::ChangeType;
use crate::time::{Instant, Span};

/// What is planned for a run, and when more of it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// Planned spans in the order of their starts.
    pub planned: Vec<Planned>,
    /// Stamps of revisions within the range: another clock may be ahead.
    pub stamps: BTreeSet<Instant>,
    /// One of them is an emergency.
    pub emergency: bool,
}

impl Changes {
    /// The plans that can matter to a run that starts within `range`: those of the change that it names, else those
    /// for its service and procedure. `early`: how long before a planned start it counts.
    pub fn moments(
        &self,
        change_id: Option<&str>,
        (service, procedure): (Option<&str>, &str),
        early: TimeDelta,
        range: Span,
    ) -> Moments {
        let mut moments = Moments::default();
        let ids: BTreeSet<&Arc<str>> = match change_id {
            Some(id) => self.by_id.get_key_value(id).map(|(id, _)| id).into_iter().collect(),
            None => {
                let starts = self.by_plan.get(&(procedure.into(), service.map(Into::into)));
                let from = range.start.checked_sub_signed(self.longest).unwrap_or(range.start);
                let near = starts.map(|starts| starts.range(from..=range.end + early));
                near.into_iter().flatten().flat_map(|(_, ids)| ids).collect()
            }
        };
        for id in ids {
            self.slots(id).iter().for_each(|slot| moments.add(id, slot, range));
        }
        moments.planned.sort_by_key(|planned| (planned.start, planned.end));
        moments.planned.dedup();
        moments
    }
}

impl Moments {
    /// What is on record at the start of the range, and at each later stamp.
    fn add(&mut self, id: &Arc<str>, slot: &Slot, range: Span) {
        let stamps = slot.revisions.iter().map(|revision| revision.stamp);
        let stamps: BTreeSet<Instant> = stamps.filter(|stamp| range.contains(*stamp)).collect();
        for at in stamps.iter().copied().chain([range.start]) {
            let Some(plan) = plan_of(id, slot, AsOf::stamped(at)) else { continue };
            self.emergency |= plan.change_type == ChangeType::Emergency;
            self.planned.extend(plan.planned);
        }
        self.stamps.extend(stamps);
    }
}
