//! What was planned: changes, their numbered revisions, and what of them was on record at an instant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::event::{ChangeType, Notice, Status};
use crate::time::{Instant, Span};

/// Changes kept in memory for one partner. Beyond it those whose planned end is longest past are forgotten.
pub const CHANGES_KEPT: usize = 50_000;

/// One revision as it was sent: what it omits is `None` (or empty) and is kept from its predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// As sent, else one more than the highest so far.
    pub number: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedure: Option<Box<str>>,
    pub change_type: Option<ChangeType>,
    pub planned_start: Option<Instant>,
    pub planned_end: Option<Instant>,
    /// The sender's stamp.
    pub stamp: Instant,
}

/// A revision with what it keeps from those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub number: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedure: Option<Box<str>>,
    pub change_type: ChangeType,
    /// `None` only if it cancels.
    pub planned: Option<Planned>,
    pub stamp: Instant,
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
    pub revision: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedure: Option<Box<str>>,
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

    /// Whether the change names exactly what the run names.
    pub fn is_for(&self, service: Option<&str>, procedure: &str) -> bool {
        self.procedure.as_deref() == Some(procedure)
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
}

/// Change ids by an instant.
type ByInstant = BTreeMap<Instant, BTreeSet<Arc<str>>>;

/// All changes of one partner.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    by_id: HashMap<Arc<str>, Arc<Vec<Revision>>>,
    /// (procedure, service) -> planned start -> changes that were ever planned for then.
    by_plan: HashMap<(Box<str>, Option<Box<str>>), ByInstant>,
    /// Planned end of the latest revision -> changes.
    by_end: ByInstant,
    /// The longest span ever planned: bounds the search in `by_plan`.
    longest: TimeDelta,
}

impl Changes {
    /// The revision that `notice` amounts to.
    ///
    /// # Errors
    /// Neither it nor those before it say when, or it ends before it starts; unless it cancels.
    pub fn accept(&self, notice: &Notice, stamp: Instant) -> Result<Revision, BadPlan> {
        let known = self.revisions(&notice.change_id);
        let highest = known.last().map_or(0, |r| r.number);
        let revision = Revision {
            number: notice.revision.unwrap_or(highest.saturating_add(1)),
            status: notice.status,
            services: notice.services.clone(),
            procedure: notice.procedure.clone(),
            change_type: notice.change_type,
            planned_start: notice.planned_start,
            planned_end: notice.planned_end,
            stamp,
        };
        if revision.status != Status::Cancelled {
            let before = known.iter().take(place_of(known, &revision));
            match resolve(before.chain([&revision])).pop().and_then(|r| r.planned) {
                None => return Err(BadPlan::NoTimes),
                Some(p) if p.end <= p.start => return Err(BadPlan::Reversed),
                Some(_) => {}
            }
        }
        Ok(revision)
    }

    /// Puts an accepted revision on record.
    pub fn adopt(&mut self, change_id: &Arc<str>, revision: Revision) {
        self.forget_old();
        let list = Arc::make_mut(self.by_id.entry(change_id.clone()).or_default());
        let old_end = resolve(list.iter()).pop().and_then(|r| r.planned).map(|p| p.end);
        let place = place_of(list, &revision);
        list.insert(place, revision);
        let row = resolve(list.iter());
        let new_end = row.last().and_then(|r| r.planned).map(|p| p.end);
        // A revision in the middle changes what those behind it keep.
        for resolved in row.iter().skip(place) {
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
        let (Some(procedure), Some(p)) = (&resolved.procedure, resolved.planned) else { return };
        self.longest = self.longest.max(p.end - p.start);
        for service in keys(&resolved.services) {
            let starts = self.by_plan.entry((procedure.clone(), service)).or_default();
            starts.entry(p.start).or_default().insert(change_id.clone());
        }
    }

    /// Every revision of a change as sent, lowest number first; empty for an unknown one.
    pub fn revisions(&self, change_id: &str) -> &[Revision] {
        self.by_id.get(change_id).map_or(&[], |r| r.as_slice())
    }

    /// The revision with the highest number.
    pub fn latest(&self, change_id: &str) -> Option<Resolved> {
        resolve(self.revisions(change_id).iter()).pop()
    }

    /// The id as it is kept, so that it can be shared.
    pub fn id(&self, change_id: &str) -> Option<Arc<str>> {
        self.by_id.get_key_value(change_id).map(|(id, _)| id.clone())
    }

    /// What of a named change was stamped at or before `t`, among all that was read so far; `None`: nothing.
    pub fn plan(&self, change_id: &str, t: Instant) -> Option<Plan> {
        let (id, list) = self.by_id.get_key_value(change_id)?;
        let row = resolve(list.iter().filter(|r| r.stamp <= t));
        let confirmed_at = confirmed_at(&row);
        let latest = row.into_iter().next_back()?;
        Some(Plan {
            change_id: id.clone(),
            revision: latest.number,
            status: latest.status,
            services: latest.services,
            procedure: latest.procedure,
            change_type: latest.change_type,
            planned: latest.planned,
            confirmed_at,
        })
    }

    /// The confirmed change that a run without a change id belongs to: planned start - `early` <= `t` <
    /// planned end; the nearest planned start wins, then the earlier, then the smaller id.
    pub fn matching(
        &self,
        service: Option<&str>,
        procedure: &str,
        early: TimeDelta,
        t: Instant,
    ) -> Option<Plan> {
        let starts = self.by_plan.get(&(procedure.into(), service.map(Into::into)))?;
        let ids: BTreeSet<&Arc<str>> =
            starts.range(t - self.longest..=t + early).flat_map(|(_, ids)| ids).collect();
        let fits = |plan: &Plan| {
            plan.confirmed_at.is_some()
                && plan.is_for(service, procedure)
                && plan.planned.is_some_and(|p| p.start - early <= t && t < p.end)
        };
        let plans = ids.into_iter().filter_map(|id| self.plan(id, t)).filter(fits);
        plans.min_by_key(|plan| {
            let start = plan.planned.map_or(t, |p| p.start);
            ((start - t).abs(), start, plan.change_id.clone())
        })
    }

    /// Changes whose present plan ends after `t`, with their latest revision.
    pub fn upcoming(&self, t: Instant) -> impl Iterator<Item = (&Arc<str>, Resolved)> {
        let after = (std::ops::Bound::Excluded(t), std::ops::Bound::Unbounded);
        let ids = self.by_end.range(after).flat_map(|(_, ids)| ids);
        ids.filter_map(|id| Some((id, self.latest(id)?)))
    }

    /// Whether the present times of a change are confirmed, by everything read so far.
    pub fn is_confirmed(&self, change_id: &str) -> bool {
        confirmed_at(&resolve(self.revisions(change_id).iter())).is_some()
    }

    fn forget_old(&mut self) {
        while CHANGES_KEPT <= self.by_id.len() {
            let Some((_, ids)) = self.by_end.pop_first() else { return };
            for id in ids {
                self.by_id.remove(&id);
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

/// Where a revision goes: behind those of equal number and stamp, because the later line wins.
fn place_of(list: &[Revision], revision: &Revision) -> usize {
    let key = |r: &Revision| (r.number, r.stamp);
    list.partition_point(|r| key(r) <= key(revision))
}

/// Revisions in order, each with what it keeps from those before it.
fn resolve<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Vec<Resolved> {
    let mut row: Vec<Resolved> = Vec::new();
    let (mut start, mut end) = (None, None);
    for r in revisions {
        let before = row.last();
        (start, end) = (r.planned_start.or(start), r.planned_end.or(end));
        let kept_services = before.map_or(&[] as &[_], |b| &b.services);
        let services = if r.services.is_empty() { kept_services } else { &r.services };
        let kept_type = before.map_or(ChangeType::Normal, |b| b.change_type);
        let procedure = r.procedure.clone().or_else(|| before?.procedure.clone());
        row.push(Resolved {
            number: r.number,
            status: r.status,
            services: services.to_vec(),
            procedure,
            change_type: r.change_type.unwrap_or(kept_type),
            planned: start.zip(end).map(|(start, end)| Planned { start, end }),
            stamp: r.stamp,
        });
    }
    row
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

/// The earliest confirmation in the unbroken row of confirmed, in-process or completed revisions with the
/// same times that ends with the latest one.
fn confirmed_at(revisions: &[Resolved]) -> Option<Instant> {
    let times = revisions.last()?.planned;
    let stands = |s: Status| matches!(s, Status::Confirmed | Status::InProcess | Status::Completed);
    let row = revisions.iter().rev().take_while(|r| stands(r.status) && r.planned == times);
    row.filter(|r| r.status == Status::Confirmed).map(|r| r.stamp).min()
}

/// A planned span as a half-open span, unless it is empty or reversed.
impl From<Planned> for Option<Span> {
    fn from(p: Planned) -> Option<Span> {
        Span::new(p.start, p.end)
    }
}

#[cfg(test)]
mod tests;
