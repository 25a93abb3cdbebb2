//! Documents: files that are read as a whole and taken apart into records, each of which is read like a line.

mod notice;
mod preset;

use super::clean::clean;
use super::fields::Slots;
use super::file::FileState;
use super::reader::Reader;
use super::reading::{Reading, Reason, Rejection};
use super::scan::{Fault, KEYS_MAX};
use super::scanner::Scanner;

use super::spec::Document;
use super::{json, records};
use crate::event::{Body, Event, Status};
use crate::time::Instant;

pub use notice::is_whole_notice;
pub use preset::{DOCUMENT_PRESETS, DocumentPreset};

/// The largest document that is read: 8 MiB.
pub const DOCUMENT_BYTES_MAX: u64 = 8 << 20;

/// Records of one document; a document with more is refused as a whole.
pub const RECORDS_MAX: usize = 100_000;

/// One record of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'d> {
    /// Of its first byte in the document.
    pub offset: u64,
    /// As it stands there.
    pub bytes: &'d [u8],
    pub reading: Reading,
}

impl Reader {
    /// Takes a document apart. `written` is when it was: the stamp of a record that has none of its own, and
    /// stamps without a year are at most a day after it.
    ///
    /// # Errors
    /// The document as a whole cannot be read.
    pub fn read_document<'d>(
        &self,
        bytes: &'d [u8],
        written: Instant,
    ) -> Result<Vec<Record<'d>>, Rejection> {
        if is_utf16(bytes) {
            let detail = "the document is in UTF-16: it has to be written in UTF-8";
            return Err(Rejection::new(Reason::Syntax, detail));
        }
        let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let base = bytes.len() - body.len();
        if self.spec.document == Some(Document::Notices) {
            return self.read_notices(bytes, written);
        }
        let (spans, file) = match (&self.spec.document, &self.scanner) {
            (_, Scanner::Csv { delimiter }) => self.csv_records(body, *delimiter)?,
            (Some(Document::Changes { records }), _) => (json_records(body, records)?, None),
            _ => (Vec::new(), None),
        };
        if RECORDS_MAX < spans.len() {
            let detail = format!("{} records, at most {RECORDS_MAX} are read", spans.len());
            return Err(Rejection::new(Reason::BadValue, detail));
        }
        let file = file.unwrap_or_default();
        let mut seen = Vec::new();
        let record = |(at, bytes): (usize, &'d [u8])| {
            let reading = self.read_record(bytes, &file, written, &mut seen);
            Record { offset: (base + at) as u64, bytes, reading }
        };
        let records: Vec<Record> = spans.into_iter().map(record).collect();
        let is_named = |record: &Record| record.reading != Reading::Ignored;
        // A csv header has told its columns.
        let missing = match matches!(self.scanner, Scanner::Csv { .. }) {
            false if records.iter().any(is_named) => self.missing(|slot| seen.contains(&slot)),
            _ => None,
        };
        match missing {
            Some(key) => {
                let detail = format!("no record has the key {key}");
                Err(Rejection::new(Reason::BadHeader, detail))
            }
            None => Ok(records),
        }
    }

    fn read_notices<'d>(
        &self,
        bytes: &'d [u8],
        written: Instant,
    ) -> Result<Vec<Record<'d>>, Rejection> {
        let mut seen = Vec::new();
        let record = |notice: notice::Notice| {
            let reading = match notice.values {
                Ok(None) => Reading::Ignored,
                Err(rejection) => Reading::Rejected(rejection),
                Ok(Some(values)) => {
                    let mut slots = Slots::default();
                    for (key, value) in values {
                        if let Some(slot) = self.mapping.keys.slot(&[&key]) {
                            slots.put(slot, value);
                            seen.push(slot);
                        }
                    }
                    let file = FileState::default();
                    let read = match notice.is_by_uid {
                        true => records::answer(&self.fields(&slots, &file, written), written),
                        false => self.record_event(&slots, &file, written),
                    };
                    read.unwrap_or_else(|rejection| {
                        // The values have no place of their own in the text.
                        Reading::Rejected(Rejection { column: None, ..rejection })
                    })
                }
            };
            let rest = bytes.get(notice.at..).unwrap_or_default();
            Record { offset: notice.at as u64, bytes: rest, reading }
        };
        let records: Vec<Record> = self.notices(bytes)?.into_iter().map(record).collect();
        // What only answers or calls off need not say everything.
        let is_whole = |record: &Record| match &record.reading {
            Reading::Event(event) => matches!(&event.body, Body::Notice(notice)
                if notice.status.is_some_and(|status| status != Status::Cancelled)),
            _ => false,
        };
        let missing = match records.iter().any(is_whole) {
            true => self.missing(|slot| seen.contains(&slot)),
            false => None,
        };
        match missing {
            Some(key) => {
                let detail = format!("no notice has the key {key}");
                Err(Rejection::new(Reason::BadHeader, detail))
            }
            None => Ok(records),
        }
    }

    /// The notices, with the times of each in the zone of its writer.
    fn notices(&self, bytes: &[u8]) -> Result<Vec<notice::Notice>, Rejection> {
        let mut found = notice::notices(bytes, &self.spec.zone)?;
        let Some(partners) = &self.spec.partners else { return Ok(found) };
        let others = partners.each.iter().enumerate();
        for (place, member) in others.filter(|(_, it)| it.zone.name() != self.spec.zone.name()) {
            let own = notice::notices(bytes, &member.zone)?;
            let is_of = |notice: &notice::Notice| {
                let values = notice.values.as_ref().ok().and_then(Option::as_ref);
                let value =
                    values.and_then(|all| all.iter().rfind(|(key, _)| *key == partners.key));
                partners.member(value.map(|(_, value)| value)) == Some(place)
            };
            let own = found.iter_mut().zip(own).filter(|(_, own)| is_of(own));
            own.for_each(|(notice, own)| *notice = own);
        }
        Ok(found)
    }

    fn csv_records<'d>(&self, body: &'d [u8], delimiter: u8) -> Result<Spans<'d>, Rejection> {
        let mut lines = csv_lines(body, delimiter).into_iter().filter(|(_, line)| !is_blank(line));
        let Some((_, header)) = lines.next() else { return Ok((Vec::new(), None)) };
        let file = FileState::with_header(self, header)?;
        Ok((lines.collect(), Some(file)))
    }

    fn read_record(
        &self,
        bytes: &[u8],
        file: &FileState,
        written: Instant,
        seen: &mut Vec<usize>,
    ) -> Reading {
        let line = clean(bytes);
        let (slots, scanned) = self.scan(&line.text, file);
        for slot in (0..KEYS_MAX).filter(|slot| slots.get(*slot).is_some()) {
            if !seen.contains(&slot) {
                seen.push(slot);
            }
        }
        let read = match scanned {
            Err(fault) => Err(fault.rejection()),
            Ok(()) => self.record_event(&slots, file, written),
        };
        read.unwrap_or_else(Reading::Rejected)
    }

    fn record_event(
        &self,
        slots: &Slots,
        file: &FileState,
        written: Instant,
    ) -> Result<Reading, Rejection> {
        let matching = self.spec.matching.as_ref().zip(self.mapping.match_slot);
        let is_ours = matching.is_none_or(|(matching, slot)| {
            slots.get(slot).is_some_and(|value| value.is_any(&matching.any))
        });
        if !is_ours {
            return Ok(Reading::Ignored);
        }
        let fields = self.fields(slots, file, written);
        let partner = fields.partner()?;
        let event = records::record(&fields, written)?;
        Ok(Reading::Event(Event { partner, ..event }))
    }
}

/// By its byte order mark, or by a first character of which every second byte is empty.
fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, b, c, d, ..] => {
            [(a, b, c, d), (b, a, d, c)].iter().any(|(first, second, third, fourth)| {
                **first != 0 && **second == 0 && **third != 0 && **fourth == 0
            })
        }
        _ => false,
    }
}

/// Whether a document looks as if nothing were missing at its end, so that it need not be waited for. Its records
/// end in a line break or a bracket.
pub fn is_whole_document(bytes: &[u8]) -> bool {
    let body = bytes.trim_ascii();
    match body.first() {
        Some(b'[') => body.ends_with(b"]"),
        Some(b'{') => body.ends_with(b"}"),
        _ => bytes.ends_with(b"\n") || body.is_empty(),
    }
}

/// Where records stand, and what the header says.
type Spans<'d> = (Vec<(usize, &'d [u8])>, Option<FileState>);

/// The records of a csv document: a line break inside quotes ends none (RFC 4180). As when a line is read, only
/// a quote at the beginning of a cell opens one: `19" rack` must not swallow the records behind it. Where no line
/// feed stands at all the lines end in carriage returns.
fn csv_lines(body: &[u8], delimiter: u8) -> Vec<(usize, &[u8])> {
    let end = if memchr::memchr(b'\n', body).is_some() { b'\n' } else { b'\r' };
    let mut lines = Vec::new();
    let (mut start, mut is_quoted, mut closed_at) = (0, false, None);
    for at in memchr::memchr2_iter(b'"', end, body) {
        let before = at.checked_sub(1).filter(|_| start < at);
        match body.get(at) {
            Some(b'"') if is_quoted => (is_quoted, closed_at) = (false, Some(at)),
            Some(b'"') => {
                let byte = before.and_then(|before| body.get(before));
                // A doubled quote closes and opens again.
                is_quoted = byte.is_none_or(|byte| *byte == delimiter) || closed_at == before;
            }
            _ if is_quoted => {}
            _ => {
                lines.push((start, without_end(body.get(start..at).unwrap_or_default())));
                start = at + 1;
            }
        }
    }
    lines.push((start, without_end(body.get(start..).unwrap_or_default())));
    lines
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The records of a json document. In one that is broken, but whose first line is an object, each line is a
/// record: then only the broken ones are lost.
fn json_records<'d>(body: &'d [u8], names: &[String]) -> Result<Vec<(usize, &'d [u8])>, Rejection> {
    let text = str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        let (line, column) = place(body, at);
        let detail = format!("line {line}, column {column}: not UTF-8");
        Rejection::new(Reason::Syntax, detail)
    })?;
    let fault = match json::records(text, names) {
        Ok(found) => return Ok(found.into_iter().map(|(at, r)| (at, r.as_bytes())).collect()),
        Err(fault) => fault,
    };
    let mut lines = Vec::new();
    let mut start = 0;
    for line in body.split(|byte| *byte == b'\n') {
        if !is_blank(line) {
            lines.push((start, without_end(line)));
        }
        start += line.len() + 1;
    }
    let first = lines.first().and_then(|(_, line)| str::from_utf8(line).ok());
    let is_lines = first.is_some_and(|line| json::records(line, &[]).is_ok());
    if is_lines && 1 < lines.len() { Ok(lines) } else { Err(unreadable(body, &fault)) }
}

fn unreadable(body: &[u8], fault: &Fault) -> Rejection {
    let (line, column) = place(body, fault.at.unwrap_or(0));
    Rejection::new(fault.reason, format!("line {line}, column {column}: {}", fault.detail))
}

/// Line and column of a byte, from 1.
fn place(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
