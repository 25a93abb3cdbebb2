//! `implausible_time`: a start that keeps a rule only by its claimed time, although it was read much later, or before.
//!
//! This is about the reading and not about the run, so it is asked once, live, when the start is taken.

use crate::time::Instant;
use crate::verdict::{Case, Check, When, judge};

/// What a person is told of this reason.
pub const SUMMARY: &str =
    "The start was read at its stamp or soon after, or is within the rules at both times.";

/// Asks whether a start that was read at `read` instead of at `case.start` keeps a start rule at its stamp
/// that it breaks at the moment of reading. The caller has made sure that it was read late although the file was being
/// followed, or before its stamp.
pub fn implausible(case: &Case, read: Instant) -> Check {
    let then = Case { start: read, clock: read, ..*case };
    let kept = judge(case, When::Start).zip(judge(&then, When::Start));
    for ((reason, stamped), (_, observed)) in kept {
        let was_broken = matches!(stamped, Check::Broken { .. });
        if let (false, Check::Broken { detail, .. }) = (was_broken, observed) {
            return Check::Broken {
                // Nothing becomes true of a run before it has begun.
                at: read.max(case.start),
                detail: format!(
                    "stamped {} but read {}: judged by the time of reading it breaks {reason} ({detail})",
                    case.civil(case.start),
                    case.civil(read)
                ),
            };
        }
    }
    Check::Passes
}
