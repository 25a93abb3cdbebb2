//! `ran_into_freeze`: a run that began outside every freeze ended before one began.

use crate::policy::Freeze;
use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::RanIntoFreeze,
    when: When::Later,
    summary: "A run that began outside every freeze ended before one began.",
    check,
};

fn check(case: &Case) -> Check {
    let freezes = &case.terms.freezes;
    if freezes.is_empty() {
        return Check::NotApplicable("no freeze is agreed");
    }
    if freezes.iter().any(|f| f.calendar.contains(case.start)) {
        return Check::NotApplicable("the run began inside a freeze");
    }
    let next = |f: &Freeze| {
        Some((f.calendar.next_span(case.start, case.horizon())?.start, f.name.clone()))
    };
    let Some((begin, name)) = freezes.iter().filter_map(next).min() else {
        return Check::NotApplicable("no start of a freeze can be foreseen");
    };
    case.while_running(begin, |case| format!("the freeze {name} began {}", case.civil(begin)))
}
