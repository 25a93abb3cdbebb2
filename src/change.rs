//! What was planned: changes, their numbered revisions, and what of them was on record at an instant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::event::{ChangeType, Notice, Status};
use crate::time::{Instant, Span};

/// Changes kept in memory for one partner. Beyond it those whose planned end is longest past are forgotten.
pub const CHANGES_KEPT: usize = 50_000;

/// One revision, with what it omits taken over from its predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    pub number: u64,
    pub status: Status,
    pub services: Vec<Box<str>>,
    pub procedure: Option<Box<str>>,
    pub change_type: ChangeType,
    /// `None` only for a revision that cancels.
    pub planned: Option<Planned>,
    /// The sender's stamp.
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

/// All changes of one partner.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    by_id: HashMap<Arc<str>, Arc<Vec<Revision>>>,
    /// (procedure, service) -> planned start -> changes that were ever planned for then.
    by_plan: HashMap<(Box<str>, Option<Box<str>>), BTreeMap<Instant, BTreeSet<Arc<str>>>>,
    /// Planned end of the latest revision -> changes.
    by_end: BTreeMap<Instant, BTreeSet<Arc<str>>>,
    /// The longest span ever planned: bounds the search in `by_plan`.
    longest: TimeDelta,
}

impl Changes {
    /// The revision that `notice` amounts to: numbered, and with what it omits taken over from the revision
    /// that precedes it among those read so far.
    pub fn resolve(&self, notice: &Notice, stamp: Instant) -> Result<Revision, BadPlan> {
        let known = self.revisions(&notice.change_id);
        let highest = known.last().map_or(0, |r| r.number);
        let number = notice.revision.unwrap_or(highest.saturating_add(1));
        let before = known.iter().rev().find(|r| (r.number, r.stamp) <= (number, stamp));
        let planned = planned_of(notice, before.and_then(|r| r.planned));
        let cancels = notice.status == Status::Cancelled;
        match planned {
            None if !cancels => return Err(BadPlan::NoTimes),
            Some(p) if p.end <= p.start && !cancels => return Err(BadPlan::Reversed),
            _ => {}
        }
        let services = match (notice.services.is_empty(), before) {
            (true, Some(r)) => r.services.clone(),
            _ => notice.services.clone(),
        };
        let procedure = notice.procedure.clone().or_else(|| before?.procedure.clone());
        let inherited_type = before.map_or(ChangeType::Normal, |r| r.change_type);
        Ok(Revision {
            number,
            status: notice.status,
            services,
            procedure,
            change_type: notice.change_type.unwrap_or(inherited_type),
            planned,
            stamp,
        })
    }

    /// Puts a resolved revision on record.
    pub fn adopt(&mut self, change_id: &Arc<str>, revision: Revision) {
        self.forget_old();
        if let Some(p) = revision.planned {
            self.longest = self.longest.max(p.end - p.start);
            self.index(change_id, &revision, p);
        }
        let old_end = self.latest(change_id).and_then(|r| r.planned).map(|p| p.end);
        let list = Arc::make_mut(self.by_id.entry(change_id.clone()).or_default());
        // Behind those of equal number and stamp: the later line wins.
        let key = |r: &Revision| (r.number, r.stamp);
        let place = list.partition_point(|r| key(r) <= key(&revision));
        list.insert(place, revision);
        let new_end = list.last().and_then(|r| r.planned).map(|p| p.end);
        if old_end != new_end {
            remove_from(&mut self.by_end, old_end, change_id);
            if let Some(end) = new_end {
                self.by_end.entry(end).or_default().insert(change_id.clone());
            }
        }
    }

    fn index(&mut self, change_id: &Arc<str>, revision: &Revision, p: Planned) {
        let Some(procedure) = &revision.procedure else { return };
        let mut services: Vec<_> = revision.services.iter().cloned().map(Some).collect();
        if services.is_empty() {
            services.push(None);
        }
        for service in services {
            let starts = self.by_plan.entry((procedure.clone(), service)).or_default();
            starts.entry(p.start).or_default().insert(change_id.clone());
        }
    }

    /// Every revision of a change, oldest number first; empty for an unknown one.
    pub fn revisions(&self, change_id: &str) -> &[Revision] {
        self.by_id.get(change_id).map_or(&[], |r| r.as_slice())
    }

    /// The revision with the highest number.
    pub fn latest(&self, change_id: &str) -> Option<&Revision> {
        self.revisions(change_id).last()
    }

    /// The id as it is kept, so that it can be shared.
    pub fn id(&self, change_id: &str) -> Option<Arc<str>> {
        self.by_id.get_key_value(change_id).map(|(id, _)| id.clone())
    }

    /// What of a named change was stamped at or before `t`, among all that was read so far; `None`: nothing.
    pub fn plan(&self, change_id: &str, t: Instant) -> Option<Plan> {
        let (id, list) = self.by_id.get_key_value(change_id)?;
        let known: Vec<&Revision> = list.iter().filter(|r| r.stamp <= t).collect();
        let latest = *known.last()?;
        Some(Plan {
            change_id: id.clone(),
            revision: latest.number,
            status: latest.status,
            services: latest.services.clone(),
            procedure: latest.procedure.clone(),
            change_type: latest.change_type,
            planned: latest.planned,
            confirmed_at: confirmed_at(&known),
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
    pub fn upcoming(&self, t: Instant) -> impl Iterator<Item = (&Arc<str>, &Revision)> {
        let after = (std::ops::Bound::Excluded(t), std::ops::Bound::Unbounded);
        let ids = self.by_end.range(after).flat_map(|(_, ids)| ids);
        ids.filter_map(|id| Some((id, self.latest(id)?)))
    }

    /// Whether the present times of a change are confirmed, by everything read so far.
    pub fn is_confirmed(&self, change_id: &str) -> bool {
        let all: Vec<&Revision> = self.revisions(change_id).iter().collect();
        confirmed_at(&all).is_some()
    }

    fn forget_old(&mut self) {
        while CHANGES_KEPT <= self.by_id.len() {
            let Some((_, ids)) = self.by_end.pop_first() else { return };
            for id in ids {
                let Some(revisions) = self.by_id.remove(&id) else { continue };
                for r in revisions.iter() {
                    self.unindex(&id, r);
                }
            }
        }
    }

    fn unindex(&mut self, id: &Arc<str>, r: &Revision) {
        let (Some(procedure), Some(p)) = (&r.procedure, r.planned) else { return };
        let mut services: Vec<_> = r.services.iter().cloned().map(Some).collect();
        services.push(None);
        for service in services {
            if let Some(starts) = self.by_plan.get_mut(&(procedure.clone(), service)) {
                remove_from(starts, Some(p.start), id);
            }
        }
    }
}

fn remove_from(
    index: &mut BTreeMap<Instant, BTreeSet<Arc<str>>>,
    key: Option<Instant>,
    id: &Arc<str>,
) {
    let Some(key) = key else { return };
    let Some(ids) = index.get_mut(&key) else { return };
    ids.remove(id);
    if ids.is_empty() {
        index.remove(&key);
    }
}

fn planned_of(notice: &Notice, inherited: Option<Planned>) -> Option<Planned> {
    Some(Planned {
        start: notice.planned_start.or(inherited.map(|p| p.start))?,
        end: notice.planned_end.or(inherited.map(|p| p.end))?,
    })
}

/// The earliest confirmation in the unbroken row of confirmed, in-process or completed revisions with the
/// same times that ends with the latest one.
fn confirmed_at(revisions: &[&Revision]) -> Option<Instant> {
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
