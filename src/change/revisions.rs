//! The revisions of one slot: their order, what each keeps from those before it, and what they confirm.

use std::sync::Arc;

use super::{BadPlan, Plan, Planned, Resolved, Revision};
use crate::event::{ChangeType, Status};
use crate::time::Instant;

/// The revisions of one slot, lowest number first; never empty.
pub(super) type Slot = Vec<Revision>;

/// Where a revision goes: behind those of equal number and stamp, because the later line wins.
pub(super) fn place_of(list: &[Revision], revision: &Revision) -> usize {
    let key = |r: &Revision| (r.number, r.stamp);
    list.partition_point(|r| key(r) <= key(revision))
}

/// Whether a record tells nothing new: it is on record as it is, or it only repeats the revision that it would
/// follow (an export repeats every change, with its own moment as the stamp where a change has none).
pub(super) fn is_known(known: &[Revision], before: &[Revision], revision: &Revision) -> bool {
    let as_it_is = |r: &Revision| Revision { seen: r.seen, ..revision.clone() } == *r;
    if known.iter().any(as_it_is) {
        return true;
    }
    let repeats = |last: &Resolved| {
        let planned = |pick: fn(Planned) -> Instant| last.planned.map(pick);
        last.number == revision.number
            && revision.status.is_none_or(|status| status == last.status)
            && (revision.services.is_empty() || revision.services == last.services)
            && (revision.procedures.is_empty() || revision.procedures == last.procedures)
            && revision.change_type.is_none_or(|t| t == last.change_type)
            && (revision.planned_start.is_none() || revision.planned_start == planned(|p| p.start))
            && (revision.planned_end.is_none() || revision.planned_end == planned(|p| p.end))
    };
    let again = |r: &Revision| Revision { seen: r.seen, stamp: r.stamp, ..revision.clone() } == *r;
    if before.last().is_some_and(again) {
        return true;
    }
    let is_accepted = before.iter().any(|r| r.number == revision.number && r.accepted);
    (is_accepted || !revision.accepted) && resolve(before.iter()).last().is_some_and(repeats)
}

/// Whether a revision behind those `before` it has a plan that can be judged by.
pub(super) fn check_times(before: &[Revision], revision: &Revision) -> Result<(), BadPlan> {
    if revision.status == Some(Status::Cancelled) {
        return Ok(());
    }
    let own = revision.planned_start.zip(revision.planned_end);
    if own.is_some_and(|(start, end)| end <= start) {
        return Err(BadPlan::Reversed);
    }
    let row = resolve(before.iter().chain([revision]));
    match row.last() {
        Some(r) if r.status == Status::Cancelled => Ok(()),
        Some(Resolved { planned: Some(p), .. }) if p.end <= p.start => Err(BadPlan::Reversed),
        Some(Resolved { planned: Some(_), .. }) => Ok(()),
        _ if revision.planned_start.is_some() => Err(BadPlan::NoEnd),
        _ if revision.planned_end.is_some() => Err(BadPlan::NoStart),
        _ => Err(BadPlan::NoTimes),
    }
}

/// Revisions in order, each with what it keeps from those before it. The first one without a status is tentative.
///
/// A record that completes a change says when it really began and ended; what was agreed stays.
pub(super) fn resolve<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Vec<Resolved> {
    let mut row: Vec<Resolved> = Vec::new();
    let (mut start, mut end) = (None, None);
    for r in revisions {
        let before = row.last();
        let status = r.status.or(before.map(|b| b.status)).unwrap_or(Status::Tentative);
        let is_agreed = start.is_some() && end.is_some();
        if !(r.is_record && status == Status::Completed && is_agreed) {
            (start, end) = (r.planned_start.or(start), r.planned_end.or(end));
        }
        let kept = |own: &[Box<str>], kept: Option<&[Box<str>]>| match kept {
            Some(kept) if own.is_empty() => kept.to_vec(),
            _ => own.to_vec(),
        };
        row.push(Resolved {
            slot: r.slot.clone(),
            number: r.number,
            status,
            services: kept(&r.services, before.map(|b| &*b.services)),
            procedures: kept(&r.procedures, before.map(|b| &*b.procedures)),
            change_type: r
                .change_type
                .or(before.map(|b| b.change_type))
                .unwrap_or(ChangeType::Normal),
            planned: start.zip(end).map(|(start, end)| Planned { start, end }),
            stamp: r.stamp,
        });
    }
    row
}

pub(super) fn is_named(slot: &Slot, name: Option<&str>) -> bool {
    slot.first().is_some_and(|r| r.slot.as_deref() == name)
}

/// Puts a revision into its slot: the slot's revisions with what they keep, and the place of the new one.
pub(super) fn insert(slots: &mut Vec<Slot>, revision: Revision) -> (Vec<Resolved>, usize) {
    let name = revision.slot.as_deref();
    match slots.iter_mut().find(|slot| is_named(slot, name)) {
        Some(slot) => {
            let place = place_of(slot, &revision);
            slot.insert(place, revision);
            (resolve(slot.iter()), place)
        }
        None => {
            let row = resolve(std::iter::once(&revision));
            slots.push(vec![revision]);
            (row, 0)
        }
    }
}

/// The latest planned end of any slot.
pub(super) fn last_end(slots: &[Slot]) -> Option<Instant> {
    slots.iter().filter_map(|slot| Some(resolve(slot.iter()).pop()?.planned?.end)).max()
}

/// What of one slot was stamped at or before `t`.
pub(super) fn plan_of(id: &Arc<str>, slot: &Slot, t: Instant) -> Option<Plan> {
    let row = resolve(slot.iter().filter(|r| r.stamp <= t));
    let confirmed_at = confirmed_at(&row);
    let latest = row.into_iter().next_back()?;
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
/// same times that ends with the latest one.
pub(super) fn confirmed_at(revisions: &[Resolved]) -> Option<Instant> {
    let times = revisions.last()?.planned;
    let stands = |s: Status| matches!(s, Status::Confirmed | Status::InProcess | Status::Completed);
    let row = revisions.iter().rev().take_while(|r| stands(r.status) && r.planned == times);
    row.filter(|r| r.status == Status::Confirmed).map(|r| r.stamp).min()
}
