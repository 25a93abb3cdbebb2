//! The runs that people want in their calendars.

use chrono::TimeDelta;

use crate::policy::Policy;
use crate::report::windows::{Question, ROWS_MAX, touches};
use crate::run::Run;
use crate::store::{Reader, RunFilter, StoreError};
use crate::time::{Instant, Span};

/// A run that goes on for longer than this before the range is not looked for.
const BEGAN_WITHIN: TimeDelta = TimeDelta::days(31);

/// The newest runs of the range; where nobody said `from` when, also those of as many days before it: whoever
/// subscribes to the calendar keeps what has happened.
///
/// # Errors
/// The ledger cannot be read.
pub fn runs(
    reader: &Reader,
    policy: &Policy,
    question: &Question,
    from: Option<Instant>,
    now: Instant,
) -> Result<Vec<Run>, StoreError> {
    let range = question.range;
    let back = from.map_or(range.end - range.start, |_| TimeDelta::zero());
    let range = Span { start: range.start - back, end: range.end };
    let question = Question { range, ..question.clone() };
    let filter = RunFilter {
        partner: question.partner.clone(),
        since: Some(range.start - BEGAN_WITHIN),
        before: Some(range.end),
        limit: Some(ROWS_MAX),
        ..RunFilter::default()
    };
    let found = reader.runs(&filter)?.into_iter().map(|(run, ..)| run);
    Ok(found.filter(|run| touches(run, policy, &question, now)).collect())
}
