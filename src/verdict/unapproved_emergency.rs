//! `unapproved_emergency`: the emergency was approved soon enough after its start.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::UnapprovedEmergency,
    when: When::Later,
    summary: "The emergency was approved soon enough after its start.",
    check,
};

fn check(case: &Case) -> Check {
    if !case.is_waiving() {
        return Check::NotApplicable("not an emergency that waives rules");
    }
    let Some(bound) = case.approve_by() else {
        return Check::NotApplicable("no approval is required");
    };
    case.by(case.approved, bound, "no approval was recorded in time")
}
