//! What one line says happened. Values only: no meaning is added here.
//!
//! The closed words (event, status, trigger, change type) are the contract's; the words of a change are
//! those of the BCOP maintenance-notification standard (`X-MAINTNOTE-STATUS`).

use std::sync::Arc;

use chrono::TimeDelta;

use crate::time::Instant;

/// Declares a closed set of words: the enum, `ALL`, `as_str` and `parse`, so that they cannot drift apart.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every word, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as it stands in logs, labels and answers.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The reverse of [`Self::as_str`]; exact, no case folding.
            pub fn parse(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What happened to a run.
    Kind {
        Started = "started",
        Phase = "phase",
        Paused = "paused",
        Resumed = "resumed",
        Finished = "finished",
        Failed = "failed",
        Aborted = "aborted",
        Verified = "verified",
        Approved = "approved",
    }
}

impl Kind {
    /// Whether this ends a run.
    pub fn is_end(self) -> bool {
        matches!(self, Kind::Finished | Kind::Failed | Kind::Aborted)
    }
}

words! {
    /// What started a run.
    Trigger { Schedule = "schedule", Manual = "manual", Api = "api", Unknown = "unknown" }
}

words! {
    /// The status of a change revision (BCOP `X-MAINTNOTE-STATUS`, lower case).
    Status {
        Tentative = "tentative",
        Confirmed = "confirmed",
        Cancelled = "cancelled",
        InProcess = "in-process",
        Completed = "completed",
    }
}

words! {
    /// How a change is classed by the partner.
    ChangeType { Standard = "standard", Normal = "normal", Emergency = "emergency" }
}

/// One accepted line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The stamp of the line.
    pub at: Instant,
    /// The stamp had no offset and lies in an autumn fold: it could have meant another instant as well.
    pub other_reading: Option<OtherReading>,
    /// Whose it is, where the log is one of several partners; else the source says it.
    pub partner: Option<Arc<str>>,
    pub body: Body,
}

/// What a line would say if its stamp meant the other of two instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherReading {
    pub at: Instant,
    /// Start and end of a one-line finished run: they may be reckoned from the stamp.
    pub whole: Option<(Instant, Instant)>,
}

impl Event {
    /// The stamp, and the other one where two readings were possible.
    pub fn readings(&self) -> impl Iterator<Item = Instant> {
        std::iter::once(self.at).chain(self.other_reading.map(|other| other.at))
    }

    /// Takes the other reading of the stamp; the one that counted so far becomes the other.
    pub fn read_otherwise(&mut self) {
        let Some(other) = &mut self.other_reading else { return };
        std::mem::swap(&mut self.at, &mut other.at);
        if let Body::Run(line) = &mut self.body {
            std::mem::swap(&mut line.whole, &mut other.whole);
        }
    }

    /// Takes the reading that a file says whose last accepted event is stamped `last`. Gives back the stamp.
    pub fn read_after(&mut self, last: Option<Instant>, tolerance: TimeDelta) -> Instant {
        if let Some(other) = self.other_reading {
            let (earlier, later) = (self.at.min(other.at), self.at.max(other.at));
            if (self.at == later) != means_later((earlier, later), last, tolerance) {
                self.read_otherwise();
            }
        }
        self.at
    }
}

/// Whether a stamp of an hour that comes twice means the later of its two readings: the earlier one lies more than
/// `tolerance` before `last`, the last accepted event of the file, and the later does not. Two writers of one file may
/// be a little out of order.
pub fn means_later(
    (earlier, later): (Instant, Instant),
    last: Option<Instant>,
    tolerance: TimeDelta,
) -> bool {
    let is_past = |reading: Instant| last.is_some_and(|t| tolerance < t - reading);
    is_past(earlier) && !is_past(later)
}

/// The three families of records: run lines and one-line finished runs share [`RunLine`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Run(RunLine),
    Notice(Notice),
}

/// A line that has an event. Missing fields are `None` (an empty value counts as missing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    pub kind: Kind,
    /// As named by the line, in its order, without repetition; empty if it names none.
    pub services: Vec<Box<str>>,
    pub procedure: Option<Box<str>>,
    pub run_id: Option<Box<str>>,
    pub change_id: Option<Box<str>>,
    pub trigger: Trigger,
    pub phase: Option<Box<str>>,
    pub outcome: Option<Box<str>>,
    /// `(start, end)` of a one-line finished run: an end event that carries `start` or `duration`.
    /// `start <= end` is not checked here.
    pub whole: Option<(Instant, Instant)>,
}

/// A change notice: one revision as the partner sent it. `None` (or empty) means that it omits the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Empty: an answer to the change that has the slot, whichever that is, or its cancellation.
    pub change_id: Box<str>,
    /// One of several planned spans of the change, each with revisions of its own.
    pub slot: Option<Box<str>>,
    pub revision: Option<u64>,
    /// A line has one; a record of a document without one changes no status.
    pub status: Option<Status>,
    pub services: Vec<Box<str>>,
    pub procedures: Vec<Box<str>>,
    pub change_type: Option<ChangeType>,
    pub planned_start: Option<Instant>,
    pub planned_end: Option<Instant>,
    /// When it was confirmed, where the record tells that beside its status.
    pub confirmed_at: Option<Instant>,
    /// When the change was approved, if the record says that it was.
    pub approved_at: Option<Instant>,
    /// Somebody of our side said yes to it (RFC 5545 `PARTSTAT=ACCEPTED`).
    pub accepted: bool,
    /// A record of a document: without a number it sorts before those that have one, what is on record already
    /// adds nothing, and it moves no time, because documents are read as a whole.
    pub is_record: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for k in Kind::ALL {
            assert_eq!(Kind::parse(k.as_str()), Some(*k));
        }
        for s in Status::ALL {
            assert_eq!(Status::parse(s.as_str()), Some(*s));
        }
        assert_eq!(Kind::parse("STARTED"), None);
        assert_eq!(Trigger::parse(""), None);
    }
}
