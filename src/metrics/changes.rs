//! Upcoming changes: how many, when the next one begins, and by when the next one must be confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::Resolved;
use crate::event::Status;
use crate::metrics::page::{Page, values, values_and};
use crate::metrics::rows::Rows;
use crate::metrics::{View, catalog};
use crate::policy::{Partner, Terms};
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
}

/// Every change whose planned end is after now.
pub(super) fn upcoming(page: &mut Page, view: &View, rows: &Rows) {
    let mut all: BTreeMap<Labels, Ahead> = BTreeMap::new();
    for partner in &view.policy.partners {
        let Some(book) = view.ledger.book(&partner.name) else { continue };
        for (revision, confirmed) in book.changes.upcoming(view.now) {
            add(&mut all, view.now, partner, &revision, confirmed);
        }
    }
    let nothing = Ahead::default();
    let everywhere: BTreeSet<&Labels> = rows.keys().chain(all.keys()).collect();
    for p in everywhere {
        let ahead = all.get(p).unwrap_or(&nothing);
        for status in Status::ALL {
            let n = ahead.by_status.get(status).copied().unwrap_or(0);
            page.family(&catalog::CHANGES).set_count(&values_and(p, status.as_str()), n);
        }
        let confirm_by = ahead.unconfirmed.map(|(_, by)| by);
        page.family(&catalog::NEXT_PLANNED_START).set_time(&values(p), ahead.next_start);
        page.family(&catalog::CONFIRM_BY).set_time(&values(p), confirm_by);
    }
}

fn add(
    all: &mut BTreeMap<Labels, Ahead>,
    now: Instant,
    partner: &Partner,
    revision: &Resolved,
    confirmed: bool,
) {
    let start = revision.planned.map(|p| p.start).filter(|start| now < *start);
    for terms in terms_of(partner, revision) {
        let ahead = all.entry(labels_of(terms)).or_default();
        *ahead.by_status.entry(revision.status).or_default() += 1;
        let Some(start) = start else { continue };
        if confirmed {
            ahead.next_start = earlier(ahead.next_start, start);
        } else if revision.status != Status::Cancelled && terms.confirmation.required {
            let by = start - terms.confirmation.notice.unwrap_or_default();
            ahead.unconfirmed = earlier(ahead.unconfirmed, (start, by));
        }
    }
}

/// The terms of each service and procedure that a change names; a change that names none is read as a run that
/// names none.
fn terms_of<'a>(partner: &'a Partner, revision: &Resolved) -> Vec<&'a Terms> {
    let mut found: Vec<&Terms> = Vec::new();
    let none = ["".into()];
    let procedures = match revision.procedures.as_slice() {
        [] => &none[..],
        named => named,
    };
    for procedure in procedures {
        let named = (!procedure.is_empty()).then_some(&**procedure);
        let terms = |service| partner.terms(service, procedure).as_ref();
        match revision.services.as_slice() {
            [] => found.push(terms(partner.only_service(named).map(Arc::as_ref))),
            services => found.extend(services.iter().map(|s| terms(Some(s)))),
        }
    }
    found
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
