//! What the files that are there already say of the configuration: columns and keys that it names and that they lack.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::app::documents;
use crate::cli::table::clean;
use crate::config::Source;
use crate::format::{FileState, Part, Reader, Rejection};
use crate::tail::Pattern;
use crate::time::Instant;

/// So much of a log is looked at.
const SAMPLE_BYTES: u64 = 1 << 20;

/// A sentence for each doubt about the newest file of a source.
pub(super) fn doubts(source: &Source, now: Instant) -> Vec<String> {
    let patterns = source.patterns.iter().filter_map(|text| Pattern::parse(text).ok());
    let Some(path) = patterns.filter_map(|pattern| pattern.newest()).next() else {
        return Vec::new();
    };
    let reader = Reader::new(source.spec.clone());
    let shown = path.to_string_lossy();
    let (name, file) = (clean(&source.name), clean(&shown));
    match look(&reader, &path, now) {
        // Whether a file can be opened is for whoever follows it to tell.
        None => Vec::new(),
        Some(Err(refused)) => {
            let detail = clean(&refused.detail);
            vec![format!("nothing of {file} of source {name} can be read: {detail}")]
        }
        Some(Ok(())) => {
            let told = |detail: String| format!("source {name}: {} in {file}", clean(&detail));
            reader.unseen().into_iter().map(told).collect()
        }
    }
}

/// Reads the beginning of a log, or a whole document, for what the reader then knows of it.
fn look(reader: &Reader, path: &Path, now: Instant) -> Option<Result<(), Rejection>> {
    if reader.is_of_documents() {
        let (bytes, written) = documents::read(path).ok()?;
        return Some(reader.read_document(&bytes, written).map(|_| ()));
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(SAMPLE_BYTES).read_to_end(&mut bytes).ok()?;
    let encoding = reader.encoding_of(&bytes, true);
    bytes.truncate(encoding.last_end(&bytes)?);
    let mut text = Vec::new();
    encoding.parts(&bytes, &mut |_, part| {
        if let Part::Text(part) = part {
            text.extend_from_slice(&part);
        }
    });
    let mut state = FileState::default();
    if reader.needs_header() {
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match FileState::with_header(reader, first) {
            Ok(read) => state = read,
            Err(refused) => return Some(Err(refused)),
        }
    }
    for (_, line) in reader.hits(&text, &state) {
        reader.read(line, &state, now);
    }
    Some(Ok(()))
}
