//! Reads the lines of one source.

use std::sync::Arc;

use super::clean::clean;
use super::encoding::FileEncoding;
use super::fields::{Fields, Mapping, Slots};
use super::file::FileState;
use super::joining::{Continuation, RECORD_BYTES_MAX, RECORD_LINES_MAX};
use super::reading::{Reading, Reason, Rejection, quote};
use super::records;
use super::scan::{Fault, Put};
use super::scanner::Scanner;
use super::search::{Needles, count_lines, line_around};
use super::seen::Seen;
use super::spec::{Field, Spec};
use crate::event::Event;
use crate::time::Instant;

/// Reads the lines of one source. Made once; shared by all its files.
#[derive(Debug)]
pub struct Reader {
    pub(super) spec: Arc<Spec>,
    pub(super) mapping: Mapping,
    pub(super) scanner: Scanner,
    needles: Needles,
    seen: Seen,
    continuation: Option<Continuation>,
}

impl Reader {
    /// Makes ready what is the same for all lines.
    pub fn new(spec: Arc<Spec>) -> Reader {
        let mapping = Mapping::new(&spec);
        let scanner =
            Scanner::new(&spec.format, spec.message_format.as_ref(), &mapping.keys, |field| {
                mapping.slot(field)
            });
        let needles = Needles::new(spec.matching.as_ref());
        let continuation = spec.continuation.as_ref().map(Continuation::new);
        let seen = Seen::new(&spec, &mapping);
        Reader { spec, mapping, scanner, needles, seen, continuation }
    }

    /// What tells the lines that belong to the record before, if there are such lines.
    pub(super) fn continuation(&self) -> Option<&Continuation> {
        self.continuation.as_ref()
    }

    /// Whether there is something that the byte search looks for, and `bytes` contain it.
    pub(super) fn searches_for(&self, bytes: &[u8]) -> bool {
        !matches!(self.needles, Needles::None) && self.needles.find(bytes).is_some()
    }

    /// The records of a block, with their offsets; each line is one unless the source joins lines.
    pub fn records<'b>(&'b self, block: &'b [u8]) -> impl Iterator<Item = (usize, &'b [u8])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            (at < block.len()).then_some(())?;
            let (start, end) = self.record_around(block, at, at);
            at = end + 1;
            Some((start, block.get(start..end)?))
        })
    }

    /// The last record of a block that is not blank.
    pub fn last_record<'b>(&self, block: &'b [u8]) -> Option<&'b [u8]> {
        let block = block.trim_ascii_end();
        let last = block.len().checked_sub(1)?;
        let (start, _) = self.record_around(block, 0, last);
        block.get(start..)
    }

    /// The start and end (without `\n`) of the record around `at`, not before `from`.
    fn record_around(&self, block: &[u8], from: usize, at: usize) -> (usize, usize) {
        let (start, end) = line_around(block, from, at);
        match &self.continuation {
            None => (start, end),
            Some(it) => (it.start(block, from, start), it.end(block, end)),
        }
    }

    /// The first key that the configuration names and that is in none of the slots that were found, in quotes, with
    /// what it is named for.
    pub(super) fn missing(&self, found: impl Fn(usize) -> bool) -> Option<String> {
        let partners = self.spec.partners.as_ref().map(|partners| &partners.key);
        let partners = self.mapping.partner_slot.zip(partners);
        let partners = partners.map(|(slot, key)| (slot, key, "partners"));
        let fields = self.spec.named.iter().filter_map(|field| {
            let key = self.spec.fields.get(field)?;
            Some((self.mapping.slot(*field)?, key, field.as_str()))
        });
        let key = self.spec.matching.as_ref().and_then(|matching| matching.key.as_ref());
        let matching = self.mapping.match_slot.zip(key).map(|(slot, key)| (slot, key, "match"));
        let mut all = fields.chain(matching).chain(partners).filter(|(slot, ..)| !found(*slot));
        let (_, key, of) = all.next()?;
        Some(format!("{key:?} (named for {of})"))
    }

    /// The keys that the configuration names and that no record has had which should have it, as sentences. Nothing is
    /// said of a source without records, unless its lines have never had the key that would make them records.
    pub fn unseen(&self) -> Vec<String> {
        let told = |(field, key): (Field, &str)| {
            let which = match field {
                Field::Event | Field::Status => "no line",
                _ => "no record",
            };
            format!("{which} has the key {} (named for {field})", quote(key))
        };
        self.seen.missing().into_iter().map(told).collect()
    }

    /// Whether it reads documents, by [`Reader::read_document`].
    pub fn is_of_documents(&self) -> bool {
        self.spec.document.is_some()
    }

    /// The encoding of a file of the source that begins with `head`, as [`FileEncoding::of`].
    pub fn encoding_of(&self, head: &[u8], grows: bool) -> FileEncoding {
        FileEncoding::of(self.spec.encoding, head, grows)
    }

    /// Whether the first line of a file has to be given to [`FileState::with_header`].
    pub fn needs_header(&self) -> bool {
        matches!(self.scanner, Scanner::Csv { .. })
    }

    /// The cheap test: whether the line passes `match`; always, if there is none. Noise costs a byte search.
    pub fn passes(&self, line: &[u8], file: &FileState) -> bool {
        let Some(matching) = &self.spec.matching else { return true };
        if self.needles.find(line).is_none() {
            return false;
        }
        let Some(wanted) = self.mapping.match_slot else { return true };
        let line = clean(line);
        let mut found = false;
        let scanned =
            self.scanner.scan(&line.text, &self.mapping.keys, file, &mut |slot, value| {
                if slot == wanted {
                    found = value.is_any(&matching.any);
                }
            });
        found || scanned.is_err_and(|fault| self.is_ours(&fault, &line.text))
    }

    /// The lines (records, where the source joins lines) of a block of complete ones that pass `match`, found by a
    /// byte search over the whole block: the offset in the block, and the text without `\n` and `\r` at its end.
    pub fn candidates<'r, 'b>(
        &'r self,
        block: &'b [u8],
        file: &'r FileState,
    ) -> Candidates<'r, 'b> {
        Candidates { reader: self, file, block, at: 0, exact: true }
    }

    /// The lines (records) of a block that contain a word of `match`; [`Reader::read`] tells the few that say it
    /// elsewhere than in its key. What is to be read anyway need not be taken apart before.
    pub fn hits<'r, 'b>(&'r self, block: &'b [u8], file: &'r FileState) -> Candidates<'r, 'b> {
        Candidates { exact: false, ..self.candidates(block, file) }
    }

    /// What the line says. `moment` is the moment of reading: a stamp without a year takes the latest that puts
    /// it at most a day after that.
    pub fn read(&self, line: &[u8], file: &FileState, moment: Instant) -> Reading {
        let line = clean(line);
        let text = line.text.as_ref();
        if let Some((header, rejection)) = &file.refused
            && **header == *text
        {
            return Reading::Rejected(rejection.clone());
        }
        let is_noise = text.trim().is_empty() || self.needles.find(text.as_bytes()).is_none();
        if is_noise || file.header.as_deref() == Some(text) {
            return Reading::Ignored;
        }
        if let Some(rejection) = self.too_long(text) {
            return Reading::Rejected(rejection);
        }
        let (slots, scanned) = self.scan(text, file);
        match self.event(text, file, moment, &slots, scanned) {
            Ok(reading) => reading,
            Err(mut rejection) => {
                let column = rejection.column.zip(line.skipped);
                rejection.column = column.map(|(column, skipped)| column + skipped);
                Reading::Rejected(rejection)
            }
        }
    }

    fn too_long(&self, text: &str) -> Option<Rejection> {
        self.continuation.as_ref()?;
        let is_long =
            RECORD_BYTES_MAX < text.len() || RECORD_LINES_MAX < count_lines(text.as_bytes());
        let detail = format!(
            "the lines that belong together are more than {RECORD_LINES_MAX} or have more than \
             {RECORD_BYTES_MAX} bytes"
        );
        is_long.then(|| Rejection::new(Reason::RecordTooLong, detail))
    }

    /// The time of a line, whatever else it is; `None` if it has no readable one.
    pub fn stamp(&self, line: &[u8], file: &FileState, moment: Instant) -> Option<Instant> {
        let line = clean(line);
        // A line that breaks off may still have said its time before.
        let (slots, _) = self.scan(&line.text, file);
        let fields = self.fields(&slots, file, moment);
        let stamp = fields.time().ok()??;
        Some(fields.of_line(stamp).0)
    }

    /// Takes a line apart; what was found before a fault is there as well.
    pub(super) fn scan<'l>(
        &self,
        text: &'l str,
        file: &FileState,
    ) -> (Slots<'l>, Result<(), Fault>) {
        let mut slots = Slots::default();
        let put: Put<'_, 'l> = &mut |slot, value| slots.put(slot, value);
        let scanned = self.scanner.scan(text, &self.mapping.keys, file, put);
        (slots, scanned)
    }

    /// What was found, under our names. `moment`: as for [`Reader::read`].
    pub(super) fn fields<'a, 'l>(
        &'a self,
        slots: &'a Slots<'l>,
        file: &FileState,
        moment: Instant,
    ) -> Fields<'a, 'l> {
        let (spec, mapping) = (&self.spec, &self.mapping);
        let member = mapping.member(spec.partners.as_ref(), slots);
        let clock = mapping.clock(member);
        Fields { spec, mapping, member, clock, slots, moment, last: file.last }
    }

    fn event(
        &self,
        text: &str,
        file: &FileState,
        moment: Instant,
        slots: &Slots,
        scanned: Result<(), Fault>,
    ) -> Result<Reading, Rejection> {
        let has_match = self.spec.matching.is_some();
        if has_match && !self.is_matched(slots, &scanned, text) {
            return Ok(Reading::Ignored);
        }
        let fields = self.fields(slots, file, moment);
        if let Err(fault) = scanned {
            if fault.is_noise {
                return Ok(Reading::Ignored);
            }
            let is_record = fields.has(Field::Event) || fields.has(Field::Status);
            let is_ours = has_match || fault.is_strict || is_record;
            return if is_ours { Err(fault.rejection()) } else { Ok(Reading::Ignored) };
        }
        // Whose it is decides how it is read; noise is nobody's.
        let is_record = has_match || fields.has(Field::Event) || fields.has(Field::Status);
        if !is_record {
            self.seen.line();
            return Ok(Reading::Ignored);
        }
        let read = fields.partner().and_then(|partner| {
            let event = records::event(&fields)?;
            Ok(event.map(|event| Event { partner, ..event }))
        });
        self.seen.record(slots, read.as_ref().ok().and_then(Option::as_ref));
        match read? {
            Some(event) => Ok(Reading::Event(event)),
            None if has_match => {
                let detail = "the line passes match but has neither an event nor a status";
                self.seen.line();
                Err(Rejection::new(Reason::MissingEvent, detail))
            }
            None => Ok(Reading::Ignored),
        }
    }

    /// Whether a line that has been taken apart, and that contains a needle, passes `match`.
    fn is_matched(&self, slots: &Slots, scanned: &Result<(), Fault>, text: &str) -> bool {
        let (Some(matching), Some(slot)) = (&self.spec.matching, self.mapping.match_slot) else {
            return true;
        };
        slots.get(slot).is_some_and(|value| value.is_any(&matching.any))
            || scanned.as_ref().is_err_and(|fault| self.is_ours(fault, text))
    }

    /// Whether a line that cannot be taken apart to its end is one that `match` asks for. It would be dropped
    /// in silence if the broken part decided.
    fn is_ours(&self, fault: &Fault, text: &str) -> bool {
        if fault.is_noise {
            return false;
        }
        let Some(matching) = &self.spec.matching else { return true };
        let Some(key) = &matching.key else { return true };
        // In a csv line nothing tells which column is which before there is a header.
        fault.reason == Reason::MissingHeader
            || matching.any.iter().any(|word| stands_beside(text, key, word))
    }
}

/// Whether `word` stands anywhere in the raw text as the value of `key` (of a dotted one, its last part):
/// `key=word`, `key="word"`, `"key": "word"`.
fn stands_beside(text: &str, key: &str, word: &str) -> bool {
    let key = key.rsplit('.').next().unwrap_or(key);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = text.split_at_checked(at).unwrap_or_default();
        let after = after.get(word.len()..).unwrap_or_default();
        let is_whole = match before.ends_with('"') {
            true => after.is_empty() || after.starts_with('"'),
            false => !after.starts_with(is_word),
        };
        let opened = before.trim_end_matches(['"', ' ', ':', '=']);
        let sign = before.get(opened.len()..).unwrap_or_default();
        let head = opened.strip_suffix(key);
        sign.contains([':', '=']) && is_whole && head.is_some_and(|head| !head.ends_with(is_word))
    })
}

/// See [`Reader::candidates`].
#[derive(Debug)]
pub struct Candidates<'r, 'b> {
    reader: &'r Reader,
    file: &'r FileState,
    block: &'b [u8],
    at: usize,
    /// The word stands in the key of `match`, not just anywhere.
    exact: bool,
}

impl<'b> Iterator for Candidates<'_, 'b> {
    /// Offset in the block, and the line.
    type Item = (usize, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == 0
            && let Some((header, _)) = &self.file.refused
        {
            // A header that cannot be used is told of, whatever `match` asks for.
            let (_, end) = line_around(self.block, 0, 0);
            let line = self.block.get(..end)?;
            if *clean(line).text == **header {
                self.at = end + 1;
                return Some((0, line.strip_suffix(b"\r").unwrap_or(line)));
            }
        }
        loop {
            let rest = self.block.get(self.at..).filter(|rest| !rest.is_empty())?;
            let hit = self.at + self.reader.needles.find(rest)?;
            let (start, end) = self.reader.record_around(self.block, self.at, hit);
            self.at = end + 1;
            let line = self.block.get(start..end)?;
            if !self.exact || self.reader.passes(line, self.file) {
                return Some((start, line.strip_suffix(b"\r").unwrap_or(line)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
