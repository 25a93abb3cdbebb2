//! `overran_window`: a run that began inside a window ended by the end of that window.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::OverranWindow,
    when: When::Later,
    summary: "A run that began inside a window ended by the end of that window.",
    check,
};

fn check(case: &Case) -> Check {
    let Some(windows) = &case.terms.windows else {
        return Check::NotApplicable("no window was agreed");
    };
    let Some(window) = windows.span_at(case.start, case.horizon()) else {
        return Check::NotApplicable("the run began outside every window");
    };
    if case.horizon() <= window.end {
        return Check::NotApplicable("the window has no end that can be foreseen");
    }
    case.while_running(window.end, |case| format!("the window ended {}", case.civil(window.end)))
}
