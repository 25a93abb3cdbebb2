//! `too_long`: the run took no longer than the procedure may take.

use crate::time::format_duration;
use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::TooLong,
    when: When::Later,
    summary: "The run took no longer than the procedure may take.",
    check,
};

fn check(case: &Case) -> Check {
    let Some(most) = case.terms.max_duration else {
        return Check::NotApplicable("the procedure has no max_duration");
    };
    case.while_running(case.start + most, |_| {
        format!("ran longer than the agreed maximum of {}", format_duration(most))
    })
}
