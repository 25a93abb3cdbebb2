//! `short_notice`: the confirmation came long enough before the planned start.

use crate::time::format_duration;
use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::ShortNotice,
    when: When::Start,
    summary: "The confirmation came long enough before the planned start.",
    check,
};

fn check(case: &Case) -> Check {
    let (true, Some(wanted)) = (case.terms.confirmation.required, case.terms.confirmation.notice)
    else {
        return Check::NotApplicable("no notice is required");
    };
    if case.is_cancelled() {
        return Check::NotApplicable("the change was cancelled");
    }
    let Some(given) = case.plan.and_then(|p| p.notice()) else {
        return Check::NotApplicable("there is no confirmation");
    };
    if wanted <= given {
        return Check::Passes;
    }
    Check::Broken {
        at: case.start,
        detail: format!(
            "confirmed {} before the planned start; required: at least {}",
            format_duration(given),
            format_duration(wanted)
        ),
    }
}
