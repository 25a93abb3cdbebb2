//! `wrong_trigger`: the run was started in one of the ways that the procedure lists.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::WrongTrigger,
    when: When::Start,
    summary: "The run was started in one of the ways that the procedure lists.",
    check,
};

fn check(case: &Case) -> Check {
    let allowed = &case.terms.triggers;
    if allowed.is_empty() {
        return Check::NotApplicable("the procedure lists no triggers");
    }
    if allowed.contains(&case.trigger) {
        return Check::Passes;
    }
    let names: Vec<&str> = allowed.iter().map(|t| t.as_str()).collect();
    Check::Broken {
        at: case.start,
        detail: format!("started by {}; allowed: {}", case.trigger, names.join(" or ")),
    }
}
