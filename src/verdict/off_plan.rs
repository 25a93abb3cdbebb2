//! `off_plan`: the run began when, where and as its change says.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::OffPlan,
    when: When::Start,
    summary: "The run began when, where and as its change says.",
    check,
};

fn check(case: &Case) -> Check {
    if case.is_cancelled() {
        return Check::NotApplicable("the change was cancelled");
    }
    let Some((plan, planned)) = case.confirmed() else {
        return Check::NotApplicable("no matching confirmed change");
    };
    let agreed = &case.terms.confirmation;
    let detail = if case.start < planned.start - agreed.early {
        format!("began too early: the planned start was {}", case.civil(planned.start))
    } else if planned.start + agreed.late < case.start {
        format!("began too late: the planned start was {}", case.civil(planned.start))
    } else if names_another(&plan.procedures, case.procedure) {
        format!("{} is for another procedure", plan.change_id)
    } else if case.service.is_some_and(|service| names_another(&plan.services, service)) {
        format!("{} is for another service", plan.change_id)
    } else {
        return Check::Passes;
    };
    Check::Broken { at: case.start, detail }
}

/// A change that names something is for nothing else.
fn names_another(named: &[Box<str>], own: &str) -> bool {
    !named.is_empty() && named.iter().all(|name| **name != *own)
}
