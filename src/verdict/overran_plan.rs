//! `overran_plan`: the run ended by its planned end and the agreed tolerance.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::OverranPlan,
    when: When::Later,
    summary: "The run ended by its planned end and the agreed tolerance.",
    check,
};

fn check(case: &Case) -> Check {
    if case.is_cancelled() {
        return Check::NotApplicable("the change was cancelled");
    }
    let Some((_, planned)) = case.confirmed() else {
        return Check::NotApplicable("no matching confirmed change");
    };
    let bound = planned.end + case.terms.overrun_tolerance;
    case.while_running(bound, |case| format!("the planned end was {}", case.civil(planned.end)))
}
