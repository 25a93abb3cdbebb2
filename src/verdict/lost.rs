//! `lost`: an end was recorded before the run was given up.

use crate::time::format_duration;
use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::Lost,
    when: When::Later,
    summary: "An end was recorded before the run was given up.",
    check,
};

fn check(case: &Case) -> Check {
    let bound = case.lost_at();
    match case.end {
        Some(end) if end <= bound => Check::Passes,
        None if case.clock < bound => Check::Holds { until: bound },
        _ => Check::Broken {
            at: bound,
            detail: format!("no end within {}", format_duration(case.terms.lost_after)),
        },
    }
}
