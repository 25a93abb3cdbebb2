//! `in_business_hours`: the run began outside the business hours of its service.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::InBusinessHours,
    when: When::Start,
    summary: "The run began outside the business hours of its service.",
    check,
};

fn check(case: &Case) -> Check {
    let hours = match case.hours_to_avoid() {
        Ok(hours) => hours,
        Err(silent) => return silent,
    };
    if !hours.covers(case.start) {
        return Check::Unknown("the holiday table does not cover the start");
    }
    if !hours.contains(case.start) {
        return Check::Passes;
    }
    Check::Broken {
        at: case.start,
        detail: format!(
            "began {}, during the business hours of {}",
            case.civil(case.start),
            case.terms.service
        ),
    }
}
