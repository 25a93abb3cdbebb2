//! `unverified`: the run was verified soon enough after its end.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::Unverified,
    when: When::Later,
    summary: "The run was verified soon enough after its end.",
    check,
};

fn check(case: &Case) -> Check {
    let Some(within) = case.terms.verify_within else {
        return Check::NotApplicable("no verification is required");
    };
    let Some(end) = case.end else {
        return Check::NotApplicable("the run has not ended");
    };
    case.by(case.verified, end + within, "no verification was recorded in time")
}
