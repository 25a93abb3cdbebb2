//! Which of its two readings a stamp has, where the same line was read before: the reading that it had then.
//!
//! A part of a log that is delivered again may lack the lines that told in which of two equal hours it was written. Its
//! stamps are then read an hour early, and in the order of the stamps the copy would come before the line that it
//! repeats, and be judged in its place. So this is settled in the order of reading, before lines are sorted.

use std::collections::HashMap;

use crate::ledger::draft::Taking;
use crate::ledger::told::{Mark, marks_of};
use crate::policy::Policy;
use crate::time::Instant;

/// The lines that were read before, by their stamps. Nothing is kept as long as no stamp is ambiguous.
#[derive(Debug, Default)]
pub struct Readings {
    by_stamp: HashMap<Instant, Vec<usize>>,
    /// So many lines are in `by_stamp`.
    known: usize,
}

impl Readings {
    /// An ambiguous stamp takes the reading under which the same line is among `before`, those that were read before it,
    /// or under which one of its marks is on record. `before` may only grow from call to call.
    pub fn settle(
        &mut self,
        policy: &Policy,
        before: &[Taking],
        taking: &mut Taking,
        on_record: &mut dyn FnMut(&Mark) -> bool,
    ) {
        if taking.event.other_reading.is_none() {
            return;
        }
        for (n, line) in before.iter().enumerate().skip(self.known) {
            self.by_stamp.entry(line.event.at).or_default().push(n);
        }
        self.known = before.len();
        if self.is_known(policy, before, taking, on_record) {
            return;
        }
        taking.event.read_otherwise();
        if !self.is_known(policy, before, taking, on_record) {
            taking.event.read_otherwise();
        }
    }

    /// Whether the line was read before, as it is read now.
    fn is_known(
        &self,
        policy: &Policy,
        before: &[Taking],
        taking: &Taking,
        on_record: &mut dyn FnMut(&Mark) -> bool,
    ) -> bool {
        let marks = marks_of(policy, taking, taking.event.at);
        let same = self.by_stamp.get(&taking.event.at).into_iter().flatten();
        let mut same = same.filter_map(|n| before.get(*n));
        same.any(|line| {
            line.partner == taking.partner
                && marks_of(policy, line, line.event.at).iter().any(|mark| marks.contains(mark))
        }) || marks.iter().any(on_record)
    }
}
