//! `ran_into_business_hours`: a run that began outside business hours ended before they opened.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::RanIntoBusinessHours,
    when: When::Later,
    summary: "A run that began outside business hours ended before they opened.",
    check,
};

fn check(case: &Case) -> Check {
    let hours = match case.hours_to_avoid() {
        Ok(hours) => hours,
        Err(silent) => return silent,
    };
    if hours.contains(case.start) {
        return Check::NotApplicable("the run began inside business hours");
    }
    let Some(opening) = hours.next_span(case.start, case.horizon()) else {
        return Check::NotApplicable("no opening of business hours can be foreseen");
    };
    case.while_running(opening.start, |case| {
        format!("business hours opened {}", case.civil(opening.start))
    })
}
