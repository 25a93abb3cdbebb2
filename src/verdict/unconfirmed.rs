//! `unconfirmed`: the run was confirmed beforehand.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::Unconfirmed,
    when: When::Start,
    summary: "The run was confirmed beforehand.",
    check,
};

fn check(case: &Case) -> Check {
    if !case.terms.confirmation.required {
        return Check::NotApplicable("no confirmation is required");
    }
    if case.is_cancelled() {
        return Check::NotApplicable("the change was cancelled");
    }
    let detail = match case.plan {
        None => "no matching change on record".into(),
        Some(plan) if plan.confirmed_at.is_none() => {
            format!("revision {} of {} is not confirmed", plan.revision, plan.change_id)
        }
        Some(_) => return Check::Passes,
    };
    Check::Broken { at: case.start, detail }
}
