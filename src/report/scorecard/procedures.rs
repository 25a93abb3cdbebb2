//! Procedures that somebody has to look at: nobody declared them, or their review is overdue.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::policy::Partner;
use crate::run::Run;
use crate::time::Instant;
use crate::verdict::Reason;

/// A procedure that ran although the partner had not declared it, or not for that service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Undeclared {
    pub procedure: String,
    pub service: Option<String>,
    pub runs: u64,
}

/// A declared procedure whose review is overdue or not on record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    pub procedure: String,
    pub services: Vec<String>,
    pub document: Option<String>,
    /// Civil day in the partner's zone.
    pub reviewed: Option<String>,
    /// Civil day. Null: it was never reviewed, or nobody said how often.
    pub due: Option<String>,
}

pub(super) fn undeclared<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<Undeclared> {
    let mut found: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
    for run in runs.filter(|run| run.findings.contains_key(&Reason::UnknownProcedure)) {
        *found.entry((&run.procedure, run.service.as_deref())).or_default() += 1;
    }
    let told = |((procedure, service), runs): ((&str, Option<&str>), u64)| Undeclared {
        procedure: procedure.into(),
        service: service.map(String::from),
        runs,
    };
    found.into_iter().map(told).collect()
}

pub(super) fn reviews(partner: &Partner, now: Instant) -> Vec<Review> {
    let day = |t: Instant| partner.zone.civil(t).date().to_string();
    let mut found = Vec::new();
    for procedure in &partner.procedures {
        let due = procedure.reviewed.zip(procedure.review_every).map(|(at, every)| at + every);
        let is_well = procedure.reviewed.is_some() && due.is_none_or(|due| now < due);
        if !is_well {
            found.push(Review {
                procedure: procedure.name.to_string(),
                services: procedure.services.iter().map(|s| s.to_string()).collect(),
                document: procedure.document.clone(),
                reviewed: procedure.reviewed.map(day),
                due: due.map(day),
            });
        }
    }
    found
}
