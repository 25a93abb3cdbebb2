//! What was planned for a run: what was on record when it started, and every revision.

use super::at_place;
use crate::calendar::Zone;
use crate::change::{Changes, Resolved, Revision};
use crate::cli::table::clean;
use crate::ledger::{Entry, What};
use crate::run::{Place, Run};
use crate::time::Instant;
use crate::verdict::civil;

/// Lines for people, indented.
pub(super) fn plan(run: &Run, revisions: &[(u64, Entry)], zone: &Zone) -> String {
    let mut text = on_record(run, zone);
    let mut changes = Changes::default();
    let mut lines = String::new();
    for (_, entry) in revisions {
        let What::Revised { change_id, revision, place } = &entry.what else { continue };
        lines += &line(revision, place.as_ref(), zone);
        changes.adopt(change_id, revision.clone());
    }
    for first in run.change().map(|id| changes.first_confirmed(id)).unwrap_or_default() {
        text += &first_confirmed(&first, zone);
    }
    text + &lines
}

fn on_record(run: &Run, zone: &Zone) -> String {
    match (&run.plan, run.change()) {
        (Some(plan), _) => {
            let confirmed = match plan.confirmed_at {
                Some(at) => format!("confirmed {}", civil(zone, at)),
                None => "not confirmed".into(),
            };
            let (id, no, slot) = (clean(&plan.change_id), plan.revision, slot(&plan.slot));
            let status = plan.status;
            format!("  on record at the start: {id}{slot} revision {no}, {status}, {confirmed}\n")
        }
        (None, Some(id)) => format!("  nothing was on record of {} at the start\n", clean(id)),
        (None, None) => "  no change matched\n".into(),
    }
}

fn first_confirmed(first: &Resolved, zone: &Zone) -> String {
    let Some(p) = first.planned else { return String::new() };
    format!(
        "  first confirmed plan{}: {} to {} (revision {})\n",
        slot(&first.slot),
        civil(zone, p.start),
        civil(zone, p.end),
        first.number,
    )
}

fn line(revision: &Revision, place: Option<&Place>, zone: &Zone) -> String {
    let time = |t: Option<Instant>| t.map_or("as before".into(), |t| civil(zone, t));
    let times = format!("{} to {}", time(revision.planned_start), time(revision.planned_end));
    format!(
        "  revision {}{} {}: {times}; sent {}, seen {}{}{}\n",
        revision.number,
        slot(&revision.slot),
        revision.status.map_or("as before", |status| status.as_str()),
        civil(zone, revision.stamp),
        civil(zone, revision.seen),
        if revision.accepted { ", accepted by us" } else { "" },
        at_place(place),
    )
}

fn slot(name: &Option<Box<str>>) -> String {
    name.as_ref().map(|name| format!(" slot {}", clean(name))).unwrap_or_default()
}
