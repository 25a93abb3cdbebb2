//! Upcoming changes: how many, when the next one begins, by when the next one must be confirmed, and which
//! are planned against the agreement.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Status;
use crate::metrics::page::{Page, values, values_and};
use crate::metrics::rows::Rows;
use crate::metrics::{View, catalog};
use crate::outlook::{self, Conflict, Upcoming};
use crate::policy::Terms;
use crate::run::Labels;
use crate::time::Instant;

/// The changes ahead of one row.
#[derive(Default)]
struct Ahead {
    by_status: BTreeMap<Status, u64>,
    next_start: Option<Instant>,
    /// Planned start of the next change that needs a confirmation and has none, and the moment by which it
    /// must be confirmed.
    unconfirmed: Option<(Instant, Instant)>,
    conflicts: BTreeMap<Conflict, u64>,
}

/// Every change whose planned end is after now.
pub(super) fn upcoming(page: &mut Page, view: &View, rows: &Rows) {
    let mut all: BTreeMap<Labels, Ahead> = BTreeMap::new();
    let changes = |partner: &str| view.ledger.book(partner).map(|book| &book.changes);
    for change in outlook::upcoming(view.policy, changes, view.now) {
        all.entry(labels_of(change.terms)).or_default().add(&change, view.now);
    }
    let nothing = Ahead::default();
    let everywhere: BTreeSet<&Labels> = rows.keys().chain(all.keys()).collect();
    for p in everywhere {
        let ahead = all.get(p).unwrap_or(&nothing);
        for status in Status::ALL {
            let n = ahead.by_status.get(status).copied().unwrap_or(0);
            page.family(&catalog::CHANGES).set_count(&values_and(p, status.as_str()), n);
        }
        for conflict in Conflict::all() {
            let n = ahead.conflicts.get(&conflict).copied().unwrap_or(0);
            let family = page.family(&catalog::CHANGES_AGAINST_RULES);
            family.set_count(&values_and(p, conflict.as_str()), n);
        }
        let confirm_by = ahead.unconfirmed.map(|(_, by)| by);
        page.family(&catalog::NEXT_PLANNED_START).set_time(&values(p), ahead.next_start);
        page.family(&catalog::CONFIRM_BY).set_time(&values(p), confirm_by);
    }
}

impl Ahead {
    fn add(&mut self, change: &Upcoming, now: Instant) {
        *self.by_status.entry(change.latest.status).or_default() += 1;
        for conflict in change.conflicts.keys() {
            *self.conflicts.entry(*conflict).or_default() += 1;
        }
        let start = change.latest.planned.map(|p| p.start).filter(|start| now < *start);
        let Some(start) = start else { return };
        if change.confirmed {
            self.next_start = earlier(self.next_start, start);
        } else if let Some(by) = change.confirm_by(now) {
            self.unconfirmed = earlier(self.unconfirmed, (start, by));
        }
    }
}

fn labels_of(terms: &Terms) -> Labels {
    Labels {
        partner: terms.partner.clone(),
        service: terms.service.clone(),
        procedure: terms.procedure.clone(),
    }
}

fn earlier<T: Ord>(known: Option<T>, new: T) -> Option<T> {
    Some(match known {
        Some(known) => known.min(new),
        None => new,
    })
}
