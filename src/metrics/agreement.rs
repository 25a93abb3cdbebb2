//! The agreement itself, as labels: what a person would otherwise look up in the configuration.

use chrono::TimeDelta;

use crate::event::Trigger;
use crate::metrics::catalog;
use crate::metrics::page::{Page, values};
use crate::metrics::rows::Rows;
use crate::policy::Terms;
use crate::run::Labels;
use crate::time::format_duration;

/// Every declared procedure, for each of its services.
pub(super) fn procedures(page: &mut Page, rows: &Rows) {
    for (p, row) in rows {
        let (Some(procedure), Some(terms)) = (row.procedure, row.terms) else { continue };
        info(page, p, terms, procedure.document.as_deref().unwrap_or(""));
        let due = procedure.reviewed.zip(procedure.review_every).map(|(at, every)| at + every);
        page.family(&catalog::PROCEDURE_REVIEWED).set_time(&values(p), procedure.reviewed);
        page.family(&catalog::PROCEDURE_REVIEW_DUE).set_time(&values(p), due);
    }
}

fn info(page: &mut Page, p: &Labels, terms: &Terms, document: &str) {
    let [partner, service, procedure] = values(p);
    let triggers: Vec<&str> = terms.triggers.iter().map(|t| Trigger::as_str(*t)).collect();
    let allowed = terms.business_hours_allowed;
    let confirmation = terms.confirmation;
    let labels = [
        partner,
        service,
        procedure,
        document,
        &triggers.join(","),
        if terms.windows.is_none() { "true" } else { "false" },
        if allowed { "allowed" } else { "not_allowed" },
        if confirmation.required { "required" } else { "not_required" },
        &written(confirmation.notice),
        &written(terms.expected_duration),
        &written(terms.max_duration),
        &written(terms.verify_within),
    ];
    page.family(&catalog::PROCEDURE_INFO).set(&labels, 1.0);
}

fn written(d: Option<TimeDelta>) -> String {
    d.map(format_duration).unwrap_or_default()
}
