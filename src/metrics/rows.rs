//! Which domain series exist: everything that is declared, and whatever else is on record.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::Sums;
use crate::metrics::View;
use crate::policy::{OTHER, Partner, Procedure, Terms};
use crate::run::Labels;

/// What is known of one partner, service and procedure.
#[derive(Clone, Copy, Default)]
pub(super) struct Row<'a> {
    /// `None`: counted in the past and not declared any more.
    pub terms: Option<&'a Terms>,
    /// The procedure, where it is declared for this service.
    pub procedure: Option<&'a Procedure>,
    /// `None`: nothing has happened.
    pub sums: Option<&'a Sums>,
}

/// By labels, so that series come out sorted.
pub(super) type Rows<'a> = BTreeMap<Labels, Row<'a>>;

/// All rows of a scrape.
pub(super) fn rows<'a>(view: &View<'a>) -> Rows<'a> {
    let mut rows = Rows::new();
    let other: Arc<str> = Arc::from(OTHER);
    for partner in &view.policy.partners {
        declare(&mut rows, partner, &other);
    }
    for (labels, sums) in &view.ledger.board().series {
        rows.entry(labels.clone()).or_default().sums = Some(sums);
    }
    rows
}

/// Every label that a run of this partner can be counted under, short of those of services that none of its
/// procedures names.
fn declare<'a>(rows: &mut Rows<'a>, partner: &'a Partner, other: &Arc<str>) {
    let labels = |service: &Arc<str>, procedure: &Arc<str>| Labels {
        partner: partner.name.clone(),
        service: service.clone(),
        procedure: procedure.clone(),
    };
    let undeclared = |service: Option<&Arc<str>>| {
        let own = partner.undeclared.get(&service.cloned());
        let terms = own.or_else(|| partner.undeclared.get(&None)).map(Arc::as_ref);
        Row { terms, ..Row::default() }
    };
    rows.insert(labels(other, other), undeclared(None));
    for procedure in &partner.procedures {
        for service in &procedure.services {
            rows.insert(labels(service, other), undeclared(Some(service)));
            let terms = procedure.terms.get(&Some(service.clone())).map(Arc::as_ref);
            let row = Row { terms, procedure: Some(procedure), sums: None };
            rows.insert(labels(service, &procedure.name), row);
        }
        // Runs of an earlier make may have had no service although their procedure has several.
        if procedure.services.len() != 1 {
            let terms = procedure.terms.get(&None).map(Arc::as_ref);
            let declared = procedure.services.is_empty().then_some(procedure);
            let row = Row { terms, procedure: declared, sums: None };
            rows.insert(labels(other, &procedure.name), row);
        }
    }
}
