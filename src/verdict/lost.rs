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
    let lost_after = case.terms.lost_after;
    match (case.end, case.lost_at) {
        // An end that comes too late is not taken; a run that one line tells whole may have taken any time.
        (Some(_), _) => Check::Passes,
        (None, Some(at)) if at < case.start + lost_after => {
            Check::Broken { at, detail: "it began again before an end was seen".into() }
        }
        (None, None) if case.clock < bound => Check::Holds { until: bound },
        _ => Check::Broken {
            at: bound,
            detail: format!("no end was seen within {}", format_duration(lost_after)),
        },
    }
}
