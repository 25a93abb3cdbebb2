//! What was planned: changes, their numbered revisions, and what of them was on record at an instant.

mod as_of;
mod moments;
mod revisions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::event::{ChangeType, Notice, Status};
use crate::time::{Instant, Span};
pub use as_of::AsOf;
pub use moments::Moments;
use revisions::{Slot, check_times, confirmed_at, last_end, plan_of};

/// Changes kept in memory for one partner. Beyond it those whose planned end is longest past are forgotten.
pub const CHANGES_KEPT: usize = 50_000;
/// Planned spans of one change.
pub const SLOTS_MAX: usize = 1_000;
/// Revisions of one planned span.
pub const REVISIONS_MAX: usize = 2_000;

/// One revision as it was sent: what it omits is `None` (or empty) and is kept from its predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Which planned span of the change it is about, where there may be several.
    pub slot: Option<Box<str>>,
    /// As sent; else one more than the highest so far, or 0 for a record of a document.
    pub number: u64,
    pub status: Option<Status>,
    pub services: Vec<Box<str>>,
    pub procedures: Vec<Box<str>>,
    pub change_type: Option<ChangeType>,
    pub planned_start: Option<Instant>,
    pub planned_end: Option<Instant>,
    /// Our side said yes to it.
    pub accepted: bool,
    pub is_record: bool,
    /// It comes from a system of our own, and is believed by its stamp whenever it is read.
    pub ours: bool,
    /// When it was confirmed, if not at the stamp.
    pub confirmed: Option<Instant>,
    /// The sender's stamp.
    pub stamp: Instant,
    /// When it was read here.
    pub seen: Instant,
}

/// A revision with what it keeps from those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub slot: Option<Box<str>>,
    pub number: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedures: Vec<Box<str>>,
    pub change_type: ChangeType,
    /// `None` only if it cancels.
    pub planned: Option<Planned>,
    pub stamp: Instant,
    /// The confirmation that this very revision tells of.
    pub confirms_at: Option<Instant>,
}

/// Planned start and end. The end of a cancelled plan may lie before its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub start: Instant,
    pub end: Instant,
}

/// What was on record of a change when a run started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub change_id: Arc<str>,
    pub slot: Option<Box<str>>,
    pub revision: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedures: Vec<Box<str>>,
    pub change_type: ChangeType,
    pub planned: Option<Planned>,
    /// The moment at which the present times were confirmed; `None`: they are not.
    pub confirmed_at: Option<Instant>,
}

impl Plan {
    /// Planned start minus the moment its times were confirmed; may be negative. `None`: not confirmed.
    pub fn notice(&self) -> Option<TimeDelta> {
        Some(self.planned?.start - self.confirmed_at?)
    }

    /// Whether the change names what the run names.
    pub fn is_for(&self, service: Option<&str>, procedure: &str) -> bool {
        self.procedures.iter().any(|named| &**named == procedure)
            && match service {
                Some(s) => self.services.iter().any(|named| &**named == s),
                None => self.services.is_empty(),
            }
    }
}

/// Why a notice cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    #[error("the notice has no planned start and end, neither its own nor inherited")]
    NoTimes,
    #[error("the planned end is not after the planned start")]
    Reversed,
    #[error("the notice has a planned start and no planned end, neither its own nor inherited")]
    NoEnd,
    #[error("the notice has a planned end and no planned start, neither its own nor inherited")]
    NoStart,
    #[error("more than {SLOTS_MAX} planned spans of one change")]
    TooManySlots,
    #[error("more than {REVISIONS_MAX} revisions of one planned span")]
    TooManyRevisions,
}

/// What a notice amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(Revision),
    /// A record that says what is on record already.
    Known,
}

/// Change ids by an instant.
type ByInstant = BTreeMap<Instant, BTreeSet<Arc<str>>>;

/// All changes of one partner.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The slots of each change, in the order in which they were first read; mostly one.
    by_id: HashMap<Arc<str>, Arc<Vec<Slot>>>,
    /// (procedure, service) -> planned start -> changes that were ever planned for then.
    by_plan: HashMap<(Box<str>, Option<Box<str>>), ByInstant>,
    /// Named slot -> the change that had it last.
    by_slot: HashMap<Box<str>, Arc<str>>,
    /// Latest planned end of any slot -> changes.
    by_end: ByInstant,
    /// The longest span ever planned: bounds the search in `by_plan`.
    longest: TimeDelta,
}

impl Changes {
    /// What `notice` amounts to. `seen`: when it was read.
    ///
    /// # Errors
    /// Neither it nor those before it say when, or it ends before it starts; unless it cancels. Or the change has
    /// all that is kept of one.
    pub fn accept(
        &self,
        notice: &Notice,
        stamp: Instant,
        seen: Instant,
        ours: bool,
    ) -> Result<Accepted, BadPlan> {
        let known = self.slot(&notice.change_id, notice.slot.as_deref());
        let revision = Revision {
            slot: notice.slot.clone(),
            number: self.number_of(notice),
            status: notice.status,
            services: notice.services.clone(),
            procedures: notice.procedures.clone(),
            change_type: notice.change_type,
            planned_start: notice.planned_start,
            planned_end: notice.planned_end,
            accepted: notice.accepted,
            is_record: notice.is_record,
            ours,
            confirmed: notice.confirmed_at.filter(|at| *at != stamp),
            stamp,
            seen,
        };
        let place = known.map_or(0, |slot| slot.place_of(&revision));
        if notice.is_record && known.is_some_and(|slot| slot.knows(place, &revision)) {
            return Ok(Accepted::Known);
        }
        match known {
            Some(slot) if REVISIONS_MAX <= slot.revisions.len() => {
                return Err(BadPlan::TooManyRevisions);
            }
            None if SLOTS_MAX <= self.slots(&notice.change_id).len() => {
                return Err(BadPlan::TooManySlots);
            }
            _ => {}
        }
        check_times(known.and_then(|slot| slot.before(place)), &revision)?;
        Ok(Accepted::New(revision))
    }

    /// The notice that an answer to a slot, or its cancellation, amounts to; `None`: it is about nothing on record.
    pub fn answered(&self, answer: &Notice) -> Option<Notice> {
        let change_id = self.by_slot.get(answer.slot.as_deref()?)?;
        let latest = self.slot(change_id, answer.slot.as_deref())?.latest()?;
        let revision = Some(answer.revision.unwrap_or(latest.number));
        Some(Notice { change_id: (**change_id).into(), revision, ..answer.clone() })
    }

    /// The status that another revision with the number of `revision` gives its slot, if it gives another.
    pub fn contradicted(&self, change_id: &str, revision: &Revision) -> Option<Status> {
        let known = self.slot(change_id, revision.slot.as_deref());
        let known = known.map_or(&[][..], |slot| &slot.revisions);
        let same = known.iter().rev().filter(|r| r.number == revision.number);
        same.filter_map(|r| r.status).find(|status| revision.status.is_some_and(|s| s != *status))
    }

    /// Puts an accepted revision on record.
    pub fn adopt(&mut self, change_id: &Arc<str>, revision: Revision) {
        self.forget_old();
        let slots = Arc::make_mut(self.by_id.entry(change_id.clone()).or_default());
        let old_end = last_end(slots);
        let known = slots.iter().position(|slot| slot.is_named(revision.slot.as_deref()));
        let known = known.unwrap_or_else(|| {
            slots.push(Slot::default());
            slots.len() - 1
        });
        let Some(slot) = slots.get_mut(known) else { return };
        if let Some(name) = &revision.slot {
            self.by_slot.insert(name.clone(), change_id.clone());
        }
        // A revision in the middle changes what those behind it keep.
        let changed = slot.insert(revision);
        let row = slot.row.get(changed).unwrap_or_default();
        let plans: Vec<Resolved> = row.iter().map(|kept| kept.resolved.clone()).collect();
        let new_end = last_end(slots);
        for resolved in &plans {
            self.index(change_id, resolved);
        }
        if old_end != new_end {
            remove_from(&mut self.by_end, old_end, change_id);
            if let Some(end) = new_end {
                self.by_end.entry(end).or_default().insert(change_id.clone());
            }
        }
    }

    fn index(&mut self, change_id: &Arc<str>, resolved: &Resolved) {
        let Some(p) = resolved.planned else { return };
        self.longest = self.longest.max(p.end - p.start);
        for procedure in &resolved.procedures {
            for service in keys(&resolved.services) {
                let starts = self.by_plan.entry((procedure.clone(), service)).or_default();
                starts.entry(p.start).or_default().insert(change_id.clone());
            }
        }
    }

    fn slots(&self, change_id: &str) -> &[Slot] {
        self.by_id.get(change_id).map_or(&[], |slots| slots.as_slice())
    }

    fn slot(&self, change_id: &str, name: Option<&str>) -> Option<&Slot> {
        self.slots(change_id).iter().find(|slot| slot.is_named(name))
    }

    /// The latest revision of each slot of a change: none for an unknown change.
    pub fn latest(&self, change_id: &str) -> Vec<Resolved> {
        self.slots(change_id).iter().filter_map(|slot| slot.latest().cloned()).collect()
    }

    /// The first confirmed revision of each slot of a change that has one.
    pub fn first_confirmed(&self, change_id: &str) -> Vec<Resolved> {
        let is_confirmed = |r: &&Resolved| r.status == Status::Confirmed;
        let row =
            |slot: &'_ Slot| slot.row.iter().map(|kept| &kept.resolved).find(is_confirmed).cloned();
        self.slots(change_id).iter().filter_map(row).collect()
    }

    /// The id as it is kept, so that it can be shared.
    pub fn id(&self, change_id: &str) -> Option<Arc<str>> {
        self.by_id.get_key_value(change_id).map(|(id, _)| id.clone())
    }

    /// What of each slot of a change was on record.
    fn plans(&self, change_id: &str, as_of: AsOf) -> impl Iterator<Item = Plan> {
        let known = self.by_id.get_key_value(change_id);
        known.into_iter().flat_map(move |(id, slots)| {
            slots.iter().filter_map(move |slot| plan_of(id, slot, as_of))
        })
    }

    /// What of a named change was on record; `None`: nothing. `t` is the instant of `as_of`.
    /// Of several slots: one that is for this service and procedure, the nearest to `t` (from `early` before its
    /// start to its end it is as near as can be), then a confirmed one, then the earliest.
    pub fn plan(
        &self,
        change_id: &str,
        (service, procedure): (Option<&str>, &str),
        early: TimeDelta,
        as_of: AsOf,
    ) -> Option<Plan> {
        let t = as_of.stamped;
        self.plans(change_id, as_of).min_by_key(|plan| {
            let distance = plan.planned.map_or(TimeDelta::MAX, |p| {
                (p.start - early - t).max(t - p.end).max(TimeDelta::zero())
            });
            let start = plan.planned.map(|p| p.start);
            (!plan.is_for(service, procedure), distance, plan.confirmed_at.is_none(), start)
        })
    }

    /// The confirmed change that a run without a change id belongs to: planned start - `early` <= `t` <
    /// planned end; the nearest planned start wins, then the earlier, then the smaller id.
    pub fn matching(
        &self,
        service: Option<&str>,
        procedure: &str,
        early: TimeDelta,
        as_of: AsOf,
    ) -> Option<Plan> {
        let t = as_of.stamped;
        let starts = self.by_plan.get(&(procedure.into(), service.map(Into::into)))?;
        let ids: BTreeSet<&Arc<str>> =
            starts.range(t - self.longest..=t + early).flat_map(|(_, ids)| ids).collect();
        let fits = |plan: &Plan| {
            plan.confirmed_at.is_some()
                && plan.is_for(service, procedure)
                && plan.planned.is_some_and(|p| p.start - early <= t && t < p.end)
        };
        let plans = ids.into_iter().flat_map(|id| self.plans(id, as_of)).filter(fits);
        plans.min_by_key(|plan| {
            let start = plan.planned.map_or(t, |p| p.start);
            ((start - t).abs(), start, plan.change_id.clone())
        })
    }

    /// Whether any revision of a change that was read so far is for a procedure.
    pub fn is_for_procedure(&self, change_id: &str, procedure: &str) -> bool {
        let mut rows = self.slots(change_id).iter().flat_map(|slot| &slot.row);
        rows.any(|kept| kept.resolved.procedures.iter().any(|named| &**named == procedure))
    }

    /// Slots of changes whose present plan ends after `t`, with their latest revision, and whether its times are
    /// confirmed, by everything read so far.
    pub fn upcoming(&self, t: Instant) -> impl Iterator<Item = (&Arc<str>, Resolved, bool)> {
        let after = (std::ops::Bound::Excluded(t), std::ops::Bound::Unbounded);
        let ids = self.by_end.range(after).flat_map(|(_, ids)| ids);
        let slots = ids.flat_map(|id| self.slots(id).iter().map(move |slot| (id, slot)));
        slots.filter_map(move |(id, slot)| {
            let latest = slot.latest().filter(|r| r.planned.is_some_and(|p| t < p.end))?;
            Some((id, latest.clone(), confirmed_at(&slot.row).is_some()))
        })
    }

    fn forget_old(&mut self) {
        while CHANGES_KEPT <= self.by_id.len() {
            let Some((_, ids)) = self.by_end.pop_first() else { return };
            for id in ids {
                let slots = self.by_id.remove(&id).unwrap_or_default();
                for name in slots.iter().filter_map(|slot| slot.latest()?.slot.as_deref()) {
                    if self.by_slot.get(name) == Some(&id) {
                        self.by_slot.remove(name);
                    }
                }
            }
            // Rare enough that the index may be looked through as a whole.
            for starts in self.by_plan.values_mut() {
                starts.retain(|_, ids| {
                    ids.retain(|id| self.by_id.contains_key(id));
                    !ids.is_empty()
                });
            }
        }
    }
}

/// The services under which a change is looked for; `None` for one that names none.
fn keys(services: &[Box<str>]) -> Vec<Option<Box<str>>> {
    if services.is_empty() {
        return vec![None];
    }
    services.iter().cloned().map(Some).collect()
}

fn remove_from(index: &mut ByInstant, key: Option<Instant>, id: &Arc<str>) {
    let Some(key) = key else { return };
    let Some(ids) = index.get_mut(&key) else { return };
    ids.remove(id);
    if ids.is_empty() {
        index.remove(&key);
    }
}

/// A planned span as a half-open span, unless it is empty or reversed.
impl From<Planned> for Option<Span> {
    fn from(p: Planned) -> Option<Span> {
        Span::new(p.start, p.end)
    }
}

#[cfg(test)]
mod tests;
