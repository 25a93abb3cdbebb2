//! From a line (bytes) to an event, or to the reason why it is none.
//!
//! A [`Reader`] is made once per source. It searches whole blocks of bytes for the few lines that may be
//! events, and only those are decoded and taken apart: by a scanner, one per format, that hands over the
//! values of the wanted keys, after which the format no longer matters.

mod clean;
mod csv;
mod document;
mod duration;
mod encoding;
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
mod seen;
pub mod spec;
pub mod stamp;
mod syslog;
mod whose;
#[cfg(test)]
mod tests;

pub use document::{
    DOCUMENT_BYTES_MAX, DOCUMENT_PRESETS, DocumentPreset, RECORDS_MAX, Record, is_whole_document,
    is_whole_notice,
};
pub use duration::duration as read_duration;
pub use encoding::{Encoding, FileEncoding, Part, TELLING_BYTES, Told};
pub use file::FileState;
pub use joining::{Joiner, Piece, RECORD_BYTES_MAX, RECORD_LINES_MAX};
pub use preset::{PRESETS, Preset};
pub use reader::{Candidates, Reader};
pub use reading::{Reading, Reason, Rejection};
pub use regex::compile;
pub use search::count_lines;
pub use spec::{Document, Field, Format, KnownKeys, Match, MessageFormat, Pattern, Spec};
pub use stamp::TimeFormat;
pub use whose::{Member, Partners};
