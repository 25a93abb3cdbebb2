//! Documents on their way to the loop: looked for, taken apart, and remembered with what came of them.

mod memo;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::intake::{Batch, queue::kept, reject};
use crate::config::Source;
use crate::format::{
    DOCUMENT_BYTES_MAX, Document as Kind, Reader, Reading, Record, is_whole_document,
    is_whole_notice,
};
use crate::ledger::Taking;
use crate::run::Place;
use crate::tail::{Document, FailureKind, Folder, Follow, Mark, SourceStatus, TailEvent};
use crate::time::Instant;

/// Refused records of one document that are remembered, so that its next version does not count them again.
pub const REFUSED_KEPT: usize = 1_000;

/// Refused records that are known at a time. Beyond it they are forgotten: one that stands in a changed document is
/// then counted again.
const REFUSED_KNOWN: usize = 1_000_000;

/// Documents of no log: their number where a line has that of its file.
const NO_FILE: u64 = 0;

/// The first bytes of the digest of a refused record.
type Refused = u64;

/// The content of one document and when it was last written to.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read(path: &Path) -> std::io::Result<(Vec<u8>, Instant)> {
    let file = File::open(path)?;
    let written = file.metadata()?.modified()?.into();
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if DOCUMENT_BYTES_MAX < bytes.len() as u64 {
        let detail = format!("the document has more than {DOCUMENT_BYTES_MAX} bytes");
        return Err(std::io::Error::other(detail));
    }
    Ok((bytes, written))
}

/// One source of documents.
struct Shelf {
    source: Source,
    reader: Reader,
    folder: Folder,
    /// Read and not yet taken apart.
    waiting: VecDeque<Document>,
    /// Records that were refused before.
    refused: HashSet<Refused>,
    /// How its records are read.
    way: String,
}

/// The documents of all sources.
pub struct Documents {
    shelves: Vec<Shelf>,
    /// What was read since the last commit, with the records of it that were refused.
    marks: BTreeMap<(Arc<str>, PathBuf), (Mark, Vec<Refused>)>,
}

impl Documents {
    /// `sources` are those of documents.
    ///
    /// # Errors
    /// A pattern that cannot be followed, as a sentence.
    pub fn new(sources: &[Source], marks: &[Mark]) -> Result<Documents, String> {
        let shelf = |source: &Source| {
            let own = || marks.iter().filter(|mark| mark.source == source.name);
            let way = memo::way(&source.spec);
            let read = own().filter(|mark| memo::is_read(mark, &way)).cloned();
            let (name, patterns) = (source.name.clone(), source.patterns.clone());
            let follow = Follow { source: name, patterns, encoding: source.spec.encoding };
            let is_whole = match source.spec.document {
                Some(Kind::Notices) => is_whole_notice,
                _ => is_whole_document,
            };
            let folder = Folder::new(follow, read, DOCUMENT_BYTES_MAX, is_whole);
            Ok(Shelf {
                source: source.clone(),
                reader: Reader::new(source.spec.clone()),
                folder: folder.map_err(|e| e.to_string())?,
                waiting: VecDeque::new(),
                refused: own().flat_map(memo::refused).collect(),
                way,
            })
        };
        let shelves = sources.iter().map(shelf).collect::<Result<_, String>>()?;
        Ok(Documents { shelves, marks: BTreeMap::new() })
    }

    /// Looks for documents that are new or have changed.
    pub fn look(&mut self) -> Vec<TailEvent> {
        let mut events = Vec::new();
        for shelf in &mut self.shelves {
            shelf.waiting.extend(shelf.folder.scan(&mut events));
        }
        events
    }

    /// Takes what was read into a batch: a document is committed as a whole.
    pub fn take(&mut self, now: Instant, live: bool, batch: &mut Batch) -> Vec<TailEvent> {
        let mut events = Vec::new();
        for shelf in &mut self.shelves {
            let Some(document) = shelf.waiting.pop_front() else { continue };
            batch.more |= !shelf.waiting.is_empty();
            let (mut refused, mut memo) = (Vec::new(), shelf.way.clone());
            if let Err(error) = shelf.take(&document, (now, live), batch, &mut refused) {
                shelf.folder.unreadable(&document.mark.path);
                events.push(TailEvent::Failed {
                    source: shelf.source.name.clone(),
                    path: Some(document.mark.path.clone()),
                    kind: FailureKind::Unreadable,
                    error,
                });
                memo = memo::UNREAD.to_owned();
            }
            let name = (document.mark.source.clone(), document.mark.path.clone());
            self.marks.insert(name, (Mark { memo, ..document.mark }, refused));
        }
        events
    }

    /// A record that the ledger refused; whether it was refused before.
    pub fn refuse(&mut self, place: &Place, line: &[u8]) -> bool {
        let refused = fingerprint(line);
        let name = (place.source.clone(), PathBuf::from(&*place.path));
        if let Some((_, list)) = self.marks.get_mut(&name) {
            list.push(refused);
        }
        let shelf = self.shelves.iter_mut().find(|shelf| shelf.source.name == place.source);
        shelf.is_some_and(|shelf| !shelf.refused.insert(refused))
    }

    /// Whether a source is one of documents.
    pub fn has(&self, source: &str) -> bool {
        self.shelves.iter().any(|shelf| &*shelf.source.name == source)
    }

    /// Whether something was read that is not on disk.
    pub fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// What is to be remembered with the next commit.
    pub fn take_marks(&mut self) -> Vec<Mark> {
        let marks = std::mem::take(&mut self.marks).into_values();
        marks.map(|(m, refused)| Mark { memo: memo::write(&m.memo, &refused), ..m }).collect()
    }

    /// Documents that need not be remembered any more, as source and path.
    pub fn take_forgotten(&mut self) -> Vec<(Arc<str>, PathBuf)> {
        let forgotten = self.shelves.iter_mut().flat_map(|shelf| {
            let name = shelf.source.name.clone();
            shelf.folder.take_forgotten().into_iter().map(move |path| (name.clone(), path))
        });
        forgotten.collect()
    }

    /// Whether a partner has no document left to be read.
    pub fn is_caught_up(&self, partner: &str) -> bool {
        let own = self.shelves.iter().filter(|shelf| shelf.source.is_of(partner));
        own.into_iter().all(|s| s.waiting.is_empty() && s.folder.status().lag_bytes == 0)
    }

    /// Whether something was read and not taken yet.
    pub fn has_waiting(&self) -> bool {
        self.shelves.iter().any(|shelf| !shelf.waiting.is_empty())
    }

    /// How each source is doing, in their order.
    pub fn status(&self) -> impl Iterator<Item = SourceStatus> {
        self.shelves.iter().map(|shelf| shelf.folder.status().clone())
    }

    /// The directories in which a change may matter.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.shelves.iter().flat_map(|shelf| shelf.folder.directories())
    }
}

impl Shelf {
    /// Takes one document apart.
    ///
    /// # Errors
    /// Why it cannot be read as a whole, for people.
    fn take(
        &mut self,
        document: &Document,
        (now, live): (Instant, bool),
        batch: &mut Batch,
        refused: &mut Vec<Refused>,
    ) -> Result<(), String> {
        let (name, written) = (&self.source.name, Instant::from(document.written));
        if REFUSED_KNOWN < self.refused.len() {
            self.refused.clear();
        }
        batch.count(name, "bytes", "", document.bytes.len() as u64);
        let records = self.reader.read_document(&document.bytes, written);
        let path: Arc<str> = document.mark.path.to_string_lossy().into();
        for record in records.map_err(|r| format!("{}: {}", r.reason, r.detail))? {
            let Record { offset, bytes, reading } = record;
            let place = Place { source: name.clone(), path: path.clone(), file: NO_FILE, offset };
            match reading {
                Reading::Ignored => batch.count(name, "lines", "ignored", 1),
                Reading::Rejected(rejection) => {
                    let known = fingerprint(bytes);
                    refused.push(known);
                    if !self.refused.insert(known) {
                        batch.count(name, "lines", "ignored", 1);
                        continue;
                    }
                    batch.count(name, "lines", "rejected", 1);
                    batch.count(name, "rejected", rejection.reason.as_str(), 1);
                    batch.rejected.push(reject(place, &rejection, kept(bytes), now));
                }
                Reading::Event(event) => {
                    batch.count(name, "lines", "event", 1);
                    batch.events.push(Taking {
                        partner: self.source.whose(&event),
                        ours: self.source.ours,
                        event,
                        place: Some(place),
                        read: 0,
                        observed: now,
                        followed_since: None,
                        live,
                        line: Some(kept(bytes)),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Of what is kept of a record, so that it is the same for the ledger's refusals.
fn fingerprint(record: &[u8]) -> Refused {
    memo::first(&kept(record))
}
