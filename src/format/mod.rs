//! From a line (bytes) to an event, or to the reason why it is none.
//!
//! A [`Reader`] is made once per source. It searches whole blocks of bytes for the few lines that may be
//! events, and only those are decoded and taken apart: by a scanner, one per format, that hands over the
//! values of the wanted keys, after which the format no longer matters.

mod clean;
mod csv;
mod document;
mod duration;
mod escape;
mod fields;
mod file;
mod joining;
mod json;
mod logfmt;
pub mod preset;
mod reader;
mod reading;
mod records;
mod regex;
mod scan;
mod scanner;
mod search;
pub mod spec;
pub mod stamp;
mod syslog;
#[cfg(test)]
mod tests;

pub use document::{
    DOCUMENT_BYTES_MAX, DOCUMENT_PRESETS, DocumentPreset, RECORDS_MAX, Record, is_whole_document,
    is_whole_notice,
};
pub use duration::duration as read_duration;
pub use file::FileState;
pub use joining::{Joiner, Piece, RECORD_BYTES_MAX, RECORD_LINES_MAX};
pub use preset::{PRESETS, Preset};
pub use reader::{Candidates, Reader};
pub use reading::{Reading, Reason, Rejection};
pub use regex::{compile, compile_pattern};
pub use search::count_lines;
pub use spec::{Document, Field, Format, Match, MessageFormat, Pattern, Spec};
pub use stamp::TimeFormat;

/// A format as a configuration names it.
pub struct FormatInfo {
    pub name: &'static str,
    /// A sentence for help texts.
    pub summary: &'static str,
    /// Builds the format; the error says which option is missing or wrong.
    pub make: fn(&Options) -> Result<Format, String>,
}

/// What a configuration may say beside the name of a format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'c> {
    /// For csv; a comma if missing.
    pub delimiter: Option<char>,
    /// For regex.
    pub pattern: Option<&'c str>,
}

/// Every format, in the order of the documentation.
pub static FORMATS: &[FormatInfo] = &[
    FormatInfo {
        name: "json",
        summary: "One JSON object a line; nested keys as a.b.c.",
        make: |_| Ok(Format::Json { patterns: Vec::new() }),
    },
    FormatInfo {
        name: "logfmt",
        summary: "Pairs such as key=value or key=\"a value\".",
        make: |_| Ok(Format::Logfmt),
    },
    FormatInfo {
        name: "syslog",
        summary: "RFC 5424 (structured data as SD-ID.PARAM) or RFC 3164.",
        make: |_| Ok(Format::Syslog),
    },
    FormatInfo {
        name: "csv",
        summary: "Comma-separated values (RFC 4180) with a header line.",
        make: csv::make,
    },
    FormatInfo {
        name: "regex",
        summary: "A regular expression whose named groups are the fields.",
        make: regex::make,
    },
];
