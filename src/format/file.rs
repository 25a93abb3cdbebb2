//! What the reading of a line needs to know of its file.

use super::clean::clean;
use super::csv;
use super::reader::Reader;
use super::reading::{Reason, Rejection, quote};
use super::scanner::Scanner;
use super::spec::Field;
use crate::time::Instant;

/// What the reading of a line needs to know of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileState {
    /// The header line of a csv file, for the checkpoint; set by [`FileState::with_header`].
    pub header: Option<Box<str>>,
    /// The stamp of the last accepted event of this file; the caller keeps it up.
    pub last: Option<Instant>,
    /// The slot of each column, from the header.
    pub(super) columns: Vec<Option<usize>>,
    /// A header that cannot be used, and why: that line is rejected for it, and all others for want of it.
    pub(super) refused: Option<(Box<str>, Rejection)>,
}

impl FileState {
    /// The state of a file whose first line is `line` (or is known from a checkpoint), where
    /// [`Reader::needs_header`]; of other formats the line is no header and nothing is kept of it.
    ///
    /// # Errors
    /// `bad_header` if a column that the configuration names does not stand there, if a wanted one stands there twice, or if there is none for the time, or none for the
    /// event and the status; of a document, if there is none for the change id.
    pub fn with_header(reader: &Reader, line: &[u8]) -> Result<FileState, Rejection> {
        let Scanner::Csv { delimiter } = reader.scanner else { return Ok(FileState::default()) };
        let line = clean(line);
        let columns = csv::columns(&line.text, delimiter, &reader.mapping.keys)?;
        if let Some(missing) = reader.missing(|slot| columns.contains(&Some(slot))) {
            let detail = format!("the header has no column {missing}: {}", quote(&line.text));
            return Err(Rejection::new(Reason::BadHeader, detail));
        }
        let has = |field| columns.contains(&reader.mapping.slot(field));
        if reader.is_of_documents() {
            if !has(Field::ChangeId) {
                let found = quote(&line.text);
                let detail = format!("the header has no column for the change id: {found}");
                return Err(Rejection::new(Reason::BadHeader, detail));
            }
        } else if !has(Field::Event) && !has(Field::Status) || !has(Field::Time) && !has(Field::End)
        {
            let detail =
                "the header has no column for the time, or none for the event and the status";
            return Err(Rejection::new(Reason::BadHeader, detail));
        }
        Ok(FileState { header: Some(line.text.into()), columns, ..FileState::default() })
    }

    /// Whether its header cannot be used, so that nothing of it can be read.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// The state of a file whose header [`FileState::with_header`] refused.
    pub fn without_header(line: &[u8], rejection: Rejection) -> FileState {
        let text = clean(line).text.into();
        FileState { refused: Some((text, rejection)), ..FileState::default() }
    }
}
