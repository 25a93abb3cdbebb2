//! What a checkpoint remembers of a file beside its place.

use super::given::Given;
use crate::time::{Instant, rfc3339};

/// Stands in front of all if the file was of another encoding than told.
const MISREAD: char = '!';

/// Stands in front of what was taken of the record at the checkpoint.
const GIVEN: char = '+';

/// The csv header, the last stamp, whether the file was of another encoding than told, and what was taken already of
/// the record at the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memo {
    pub header: Option<String>,
    pub last: Option<Instant>,
    pub is_misread: bool,
    pub given: Option<Given>,
}

impl Memo {
    /// `[!][+<given> ]<stamp or ->[ <header>]`; empty if there is nothing to remember.
    pub fn write(&self) -> String {
        let last = self.last.map(rfc3339);
        let memo = match (&self.header, last) {
            (None, None) => String::new(),
            (None, Some(last)) => last,
            (Some(header), last) => format!("{} {header}", last.as_deref().unwrap_or("-")),
        };
        let given = self.given.map_or(String::new(), |given| format!("{GIVEN}{} ", given.word()));
        let misread = if self.is_misread { "!" } else { "" };
        format!("{misread}{given}{memo}")
    }

    /// The memo of a checkpoint at this offset.
    pub fn read(memo: &str, offset: u64) -> Memo {
        let (is_misread, memo) = match memo.strip_prefix(MISREAD) {
            Some(memo) => (true, memo),
            None => (false, memo),
        };
        let (given, memo) = match memo.strip_prefix(GIVEN).and_then(|m| m.split_once(' ')) {
            Some((word, memo)) => (Given::read(offset, word), memo),
            None => (None, memo),
        };
        let (last, header) = match memo.split_once(' ') {
            Some((last, header)) => (last, Some(header.to_string())),
            None => (memo, None),
        };
        let last = chrono::DateTime::parse_from_rfc3339(last).ok().map(|t| t.to_utc());
        Memo { header, last, is_misread, given }
    }
}
