//! The revisions of one slot: their order, what each keeps from those before it, and what they confirm.

use std::ops::Range;
use std::sync::Arc;

use super::{AsOf, BadPlan, Changes, Plan, Planned, Resolved, Revision};
use crate::event::{ChangeType, Notice, Status};
use crate::time::Instant;

/// What a revision amounts to in its slot, and the times that it hands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub resolved: Resolved,
    start: Option<Instant>,
    end: Option<Instant>,
}

/// The revisions of one slot; never empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Lowest number first.
    pub revisions: Vec<Revision>,
    /// What each of them amounts to, so that a long row need not be gone through for each new one.
    pub row: Vec<Kept>,
}

impl Changes {
    /// The number of the revision that a notice is: as sent, else one more than the highest so far. A record of a
    /// document has 0.
    pub fn number_of(&self, notice: &Notice) -> u64 {
        let known = self.slot(&notice.change_id, notice.slot.as_deref());
        let highest = known.and_then(Slot::latest).map_or(0, |r| r.number);
        let next = if notice.is_record { 0 } else { highest.saturating_add(1) };
        notice.revision.unwrap_or(next)
    }

    /// Whether other times than those of a record were on record of its slot, stamped from one instant until another.
    pub fn was_planned_otherwise(&self, notice: &Notice, from: Instant, until: Instant) -> bool {
        let Some(slot) = self.slot(&notice.change_id, notice.slot.as_deref()) else { return false };
        let differs = |planned: Planned| {
            notice.planned_start.is_some_and(|start| start != planned.start)
                || notice.planned_end.is_some_and(|end| end != planned.end)
        };
        let is_stamped_then = |r: &Revision| from <= r.stamp && r.stamp < until;
        let mut rows = slot.revisions.iter().zip(&slot.row);
        rows.any(|(r, kept)| is_stamped_then(r) && kept.resolved.planned.is_some_and(differs))
    }

    /// The status of one slot of a change as it was on record.
    pub fn status(&self, change_id: &str, slot: Option<&str>, as_of: AsOf) -> Option<Status> {
        let (id, _) = self.by_id.get_key_value(change_id)?;
        Some(plan_of(id, self.slot(change_id, slot)?, as_of)?.status)
    }
}

impl Slot {
    pub fn is_named(&self, name: Option<&str>) -> bool {
        self.revisions.first().is_some_and(|r| r.slot.as_deref() == name)
    }

    /// The latest revision.
    pub fn latest(&self) -> Option<&Resolved> {
        self.row.last().map(|kept| &kept.resolved)
    }

    /// Where a revision goes: behind those of equal number and stamp, because the later line wins.
    pub fn place_of(&self, revision: &Revision) -> usize {
        self.revisions.partition_point(|r| key(r) <= key(revision))
    }

    /// What stands before a place.
    pub fn before(&self, place: usize) -> Option<&Kept> {
        self.row.get(place.checked_sub(1)?)
    }

    /// Whether a record tells nothing new: it is on record as it is, or it only repeats the revision that it would
    /// follow (an export repeats every change, with its own moment as the stamp where a change has none).
    pub fn knows(&self, place: usize, revision: &Revision) -> bool {
        let before = self.revisions.get(..place).unwrap_or_default();
        let mut same = revision.clone();
        let equals = before.iter().rev().take_while(|r| key(r) == key(revision));
        for r in equals {
            same.seen = r.seen;
            if same == *r {
                return true;
            }
        }
        if let Some(last) = before.last() {
            (same.seen, same.stamp) = (last.seen, last.stamp);
            if same == *last {
                return true;
            }
        }
        let is_repeated = self.before(place).is_some_and(|kept| repeats(&kept.resolved, revision));
        let is_accepted =
            || before.iter().rev().take_while(|r| r.number == revision.number).any(|r| r.accepted);
        is_repeated && (!revision.accepted || is_accepted())
    }

    /// Puts a revision into its place. The places whose meaning this changes: those behind it keep what it says.
    pub fn insert(&mut self, revision: Revision) -> Range<usize> {
        let place = self.place_of(&revision);
        self.row.insert(place, step(self.before(place), &revision));
        self.revisions.insert(place, revision);
        let mut end = place + 1;
        while let Some(revision) = self.revisions.get(end) {
            let kept = step(self.before(end), revision);
            match self.row.get_mut(end) {
                Some(old) if *old != kept => *old = kept,
                _ => break,
            }
            end += 1;
        }
        place..end
    }
}

fn key(revision: &Revision) -> (u64, Instant) {
    (revision.number, revision.stamp)
}

fn repeats(last: &Resolved, revision: &Revision) -> bool {
    let planned = |pick: fn(Planned) -> Instant| last.planned.map(pick);
    last.number == revision.number
        && revision.status.is_none_or(|status| status == last.status)
        && (revision.services.is_empty() || revision.services == last.services)
        && (revision.procedures.is_empty() || revision.procedures == last.procedures)
        && revision.change_type.is_none_or(|t| t == last.change_type)
        && (revision.planned_start.is_none() || revision.planned_start == planned(|p| p.start))
        && (revision.planned_end.is_none() || revision.planned_end == planned(|p| p.end))
        && revision.confirmed.is_none_or(|at| last.confirms_at.is_some_and(|known| known <= at))
}

/// Whether a revision behind `before` has a plan that can be judged by.
pub(super) fn check_times(before: Option<&Kept>, revision: &Revision) -> Result<(), BadPlan> {
    if revision.status == Some(Status::Cancelled) {
        return Ok(());
    }
    let own = revision.planned_start.zip(revision.planned_end);
    if own.is_some_and(|(start, end)| end <= start) {
        return Err(BadPlan::Reversed);
    }
    match step(before, revision).resolved {
        r if r.status == Status::Cancelled => Ok(()),
        Resolved { planned: Some(p), .. } if p.end <= p.start => Err(BadPlan::Reversed),
        Resolved { planned: Some(_), .. } => Ok(()),
        _ if revision.planned_start.is_some() => Err(BadPlan::NoEnd),
        _ if revision.planned_end.is_some() => Err(BadPlan::NoStart),
        _ => Err(BadPlan::NoTimes),
    }
}

/// A revision with what it keeps from the one before it. The first one without a status is tentative.
///
/// A record that completes a change says when it really began and ended; what was agreed stays.
fn step(kept: Option<&Kept>, r: &Revision) -> Kept {
    let before = kept.map(|kept| &kept.resolved);
    let (mut start, mut end) = kept.map_or((None, None), |kept| (kept.start, kept.end));
    let status = r.status.or(before.map(|b| b.status)).unwrap_or(Status::Tentative);
    let is_agreed = start.is_some() && end.is_some();
    if !(r.is_record && status == Status::Completed && is_agreed) {
        (start, end) = (r.planned_start.or(start), r.planned_end.or(end));
    }
    let names = |own: &[Box<str>], kept: Option<&[Box<str>]>| match kept {
        Some(kept) if own.is_empty() => kept.to_vec(),
        _ => own.to_vec(),
    };
    let change_type = r.change_type.or(before.map(|b| b.change_type));
    let resolved = Resolved {
        slot: r.slot.clone(),
        number: r.number,
        status,
        services: names(&r.services, before.map(|b| &*b.services)),
        procedures: names(&r.procedures, before.map(|b| &*b.procedures)),
        change_type: change_type.unwrap_or(ChangeType::Normal),
        planned: start.zip(end).map(|(start, end)| Planned { start, end }),
        stamp: r.stamp,
        confirms_at: r.confirmed.or((status == Status::Confirmed).then_some(r.stamp)),
    };
    Kept { resolved, start, end }
}

/// The instant until which a change matters: the latest planned end of any slot, else its stamp.
pub(super) fn last_end(slots: &[Slot]) -> Option<Instant> {
    let end = |r: &Resolved| r.planned.map_or(r.stamp, |p| p.end);
    slots.iter().filter_map(|slot| slot.latest().map(end)).max()
}

/// What of one slot was on record.
pub(super) fn plan_of(id: &Arc<str>, slot: &Slot, as_of: AsOf) -> Option<Plan> {
    let mut row: Vec<Kept> = Vec::new();
    for r in slot.revisions.iter().filter(|r| as_of.has(r)) {
        row.push(step(row.last(), r));
    }
    let confirmed_at = confirmed_at(&row);
    let latest = row.into_iter().next_back()?.resolved;
    Some(Plan {
        change_id: id.clone(),
        slot: latest.slot,
        revision: latest.number,
        status: latest.status,
        services: latest.services,
        procedures: latest.procedures,
        change_type: latest.change_type,
        planned: latest.planned,
        confirmed_at,
    })
}

/// The earliest confirmation in the unbroken row of confirmed, in-process or completed revisions with the
/// same times that ends with the latest one. While no times are on record nothing is confirmed.
pub(super) fn confirmed_at(row: &[Kept]) -> Option<Instant> {
    let row = row.iter().rev().map(|kept| &kept.resolved);
    let times = row.clone().next()?.planned?;
    let stands = |s: Status| matches!(s, Status::Confirmed | Status::InProcess | Status::Completed);
    let row = row.take_while(|r| stands(r.status) && r.planned == Some(times));
    row.filter_map(|r| r.confirms_at).min()
}
