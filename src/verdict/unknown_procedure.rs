//! `unknown_procedure`: the partner has declared the procedure, and for this service.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::UnknownProcedure,
    when: When::Start,
    summary: "The partner has declared the procedure, and for this service.",
    check,
};

fn check(case: &Case) -> Check {
    match case.terms.declared {
        true => Check::Passes,
        false => Check::Broken {
            at: case.start,
            detail: match case.service {
                Some(service) => format!(
                    "{} has not declared {} for {service}",
                    case.terms.partner, case.procedure
                ),
                None => format!("{} has not declared {}", case.terms.partner, case.procedure),
            },
        },
    }
}
