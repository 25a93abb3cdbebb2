//! What became of a line: an event, nothing, or a rejection with its reason.

use crate::event::{Event, words};

/// What a line turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Noise: it does not pass `match`, or there is no `match` and it is no record of maintenance.
    Ignored,
    Event(Event),
    /// It should have been an event and cannot be read as one.
    Rejected(Rejection),
}

words! {
    /// Why a line is rejected. The words are label values: a closed list.
    Reason {
        /// Bytes that are none of the encoding of the source.
        Encoding = "encoding",
        /// The line breaks the grammar of its format.
        Syntax = "syntax",
        /// The line passes `match` but the pattern does not match it.
        NoMatch = "no_match",
        /// A csv line before any usable header.
        MissingHeader = "missing_header",
        /// A csv header that lacks or repeats a column.
        BadHeader = "bad_header",
        /// The line passes `match` but has neither event nor status.
        MissingEvent = "missing_event",
        UnknownEvent = "unknown_event",
        UnknownStatus = "unknown_status",
        /// In a log of several partners: the line names none of them.
        UnknownPartner = "unknown_partner",
        MissingTime = "missing_time",
        BadTime = "bad_time",
        /// A year outside 1..=9999, or an epoch stamp of a size that no unit explains.
        TimeOutOfRange = "time_out_of_range",
        MissingProcedure = "missing_procedure",
        MissingChangeId = "missing_change_id",
        BadRevision = "bad_revision",
        BadDuration = "bad_duration",
        /// A notice without usable planned times, its own or inherited.
        BadPlan = "bad_plan",
        /// An array or object where a text is expected, or a name that is too long.
        BadValue = "bad_value",
        /// The line exceeds the limit of the source; found while following the file.
        LineTooLong = "line_too_long",
        /// Lines that belong together exceed the limits of a record.
        RecordTooLong = "record_too_long",
    }
}

/// A line that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub reason: Reason,
    /// What was found and what is accepted; at most [`DETAIL_MAX`] bytes and without control characters.
    pub detail: String,
    /// Where in the line, in bytes from 1. `None` where something is missing, or where the line had to be
    /// cleaned of escape sequences or invalid UTF-8 before it could be read.
    pub column: Option<usize>,
}

impl Rejection {
    /// `detail` is cut to [`DETAIL_MAX`].
    pub fn new(reason: Reason, detail: impl AsRef<str>) -> Rejection {
        Rejection { reason, detail: cut(detail.as_ref(), DETAIL_MAX), column: None }
    }

    /// `offset`: in bytes from 0.
    pub(super) fn at(self, offset: usize) -> Rejection {
        Rejection { column: Some(offset + 1), ..self }
    }
}

/// The longest detail of a rejection, in bytes.
pub const DETAIL_MAX: usize = 400;

/// The longest piece of a line that is quoted in a detail, in bytes.
pub const QUOTE_MAX: usize = 80;

/// Text from a line in quotes: control characters escaped, long text cut with a marker.
pub(super) fn quote(text: &str) -> String {
    format!("{:?}", cut(text, QUOTE_MAX))
}

/// Text that has at most `max` bytes, cut with a marker if it had more.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let kept = text.get(..text.floor_char_boundary(max - CUT.len())).unwrap_or_default();
    format!("{kept}{CUT}")
}

/// Stands where text was cut off.
const CUT: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_with_a_marker_at_a_character_border() {
        for (text, max, want) in [
            ("short", 5, "short"),
            ("longer than that", 9, "longer…"),
            ("üüüüü", 9, "üüü…"),
            ("", 3, ""),
        ] {
            assert_eq!(cut(text, max), want, "{text}");
        }
        let long = Rejection::new(Reason::Syntax, "x".repeat(10_000));
        assert_eq!(long.detail.len(), DETAIL_MAX);
    }

    #[test]
    fn what_is_quoted_carries_no_control_characters() {
        let quoted = quote("a\u{1b}[31m\n\u{202e}b");
        assert!(!quoted.chars().any(|c| c.is_control() || c == '\u{202e}'), "{quoted}");
    }
}
