//! Questions to a ledger on disk: entries, runs, checkpoints, counters, rejected lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use crate::ledger::chain::{GENESIS, Head};
use crate::ledger::{Entry, What};
use crate::run::{Place, Run, RunNo};
use crate::store::block::{Block, Indexed};
use crate::store::{InFile, StoreError, VERSION, read_entry, read_since, schema};
use crate::tail::{Checkpoint, Mark};
use crate::time::Instant;

/// A line that could not be read.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub place: Place,
    pub reason: String,
    pub detail: String,
    /// The line's bytes, cut to a limit.
    pub line: Vec<u8>,
    pub read_at: Instant,
}

/// A counter of a source: source, name, label, value.
pub type Counted = (Arc<str>, String, String, u64);

/// Which runs to list; all of those that are given must hold. Newest first.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub partner: Option<String>,
    pub service: Option<String>,
    pub procedure: Option<String>,
    pub verdict: Option<String>,
    pub state: Option<String>,
    pub run_id: Option<String>,
    /// Started at or after.
    pub since: Option<Instant>,
    /// Started before.
    pub before: Option<Instant>,
    pub limit: Option<usize>,
}

/// An entry in its place.
#[derive(Debug)]
pub struct Link {
    /// From 1.
    pub number: u64,
    /// Of the hash chain after it.
    pub head: Head,
    pub entry: Entry,
}

enum Db<'a> {
    Own(Box<Connection>),
    Shared(&'a Connection),
}

/// Answers questions about a ledger on disk; others may be writing to it meanwhile.
pub struct Reader<'a> {
    db: Db<'a>,
    pub(super) path: PathBuf,
}

impl Reader<'_> {
    /// Opens the ledger in the folder `dir` for reading only.
    ///
    /// # Errors
    /// There is none, it is of another version, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Reader<'static>, StoreError> {
        let path = dir.join("ledger.db");
        if !path.is_file() {
            return Err(StoreError::Missing { path: dir.into() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).in_file(&path)?;
        schema::configure(&db).in_file(&path)?;
        match schema::version(&db).in_file(&path)? {
            Some(found) if found == VERSION => Ok(Reader { db: Db::Own(Box::new(db)), path }),
            Some(found) => Err(StoreError::Version { path, found }),
            None => Err(StoreError::Missing { path: dir.into() }),
        }
    }

    pub(super) fn over<'a>(db: &'a Connection, path: &Path) -> Reader<'a> {
        Reader { db: Db::Shared(db), path: path.into() }
    }

    /// From now on it answers as of one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn hold_still(&self) -> Result<(), StoreError> {
        self.db().execute_batch("BEGIN").in_file(&self.path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of entries that there should be; 0 if that cannot be told.
    pub fn height(&self) -> u64 {
        let sql = "SELECT max(first + count - 1) FROM blocks";
        let found = self.db().query_row(sql, [], |row| row.get::<_, Option<u64>>(0));
        found.ok().flatten().unwrap_or_default()
    }

    pub(super) fn db(&self) -> &Connection {
        match &self.db {
            Db::Own(db) => db,
            Db::Shared(db) => db,
        }
    }

    /// Hands out every entry in order and gives back the head of the hash chain, which is checked on the
    /// way.
    ///
    /// # Errors
    /// The first entry that cannot be read, is missing, or does not fit the chain.
    pub fn walk(&self, mut each: impl FnMut(Entry)) -> Result<Head, StoreError> {
        self.links(|link| {
            each(link.entry);
            Ok(())
        })
    }

    /// As [`Reader::walk`], with the number of each entry and the head after it.
    ///
    /// # Errors
    /// As for [`Reader::walk`], and what `each` gives back.
    pub fn links(
        &self,
        mut each: impl FnMut(Link) -> Result<(), StoreError>,
    ) -> Result<Head, StoreError> {
        let mut head = GENESIS;
        let mut next = 1;
        self.blocks(1, |block| {
            if block.first != next {
                let why = format!("the next block begins with {}", block.first);
                return Err(self.damaged(next, why));
            }
            for (place, line) in block.lines().enumerate() {
                head = head.after(line);
                if !block.fits(place, &head) {
                    return Err(self.damaged(next, "it does not fit the hash chain"));
                }
                let entry = read_entry(line).map_err(|e| self.damaged(next, e))?;
                each(Link { number: next, head, entry })?;
                next += 1;
            }
            if next != block.first + block.count {
                let (count, found) = (block.count, next - block.first);
                let why = format!("its block should have {count} entries and has {found}");
                return Err(self.damaged(next.min(block.first + block.count), why));
            }
            if head != block.head {
                // With marks, every entry but the head itself has been held against what was stored.
                let entry = if block.marks.is_some() { next - 1 } else { block.first };
                return Err(self.damaged(entry, "the block does not fit the hash chain"));
            }
            Ok(())
        })?;
        Ok(head)
    }

    /// Every entry about one run, with its number.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn entries_of(&self, no: RunNo) -> Result<Vec<(u64, Entry)>, StoreError> {
        let block = "SELECT max(first) FROM blocks
            WHERE first <= (SELECT first_entry FROM runs WHERE no = ?1)";
        let first = self.one_u64(block, no)?;
        let mut found = Vec::new();
        self.blocks(first, |block| {
            for (number, line) in (block.first..).zip(block.lines()) {
                let entry = read_entry(line).map_err(|e| StoreError::Damaged {
                    path: self.path.clone(),
                    entry: number,
                    why: e.to_string(),
                })?;
                if entry.what.run() == Some(no) {
                    found.push((number, entry));
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn blocks(
        &self,
        from: u64,
        mut each: impl FnMut(Block) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = "SELECT * FROM blocks WHERE first >= ?1 ORDER BY first";
        let mut query = self.db().prepare(sql).in_file(&self.path)?;
        let mut rows = query.query([from]).in_file(&self.path)?;
        while let Some(row) = rows.next().in_file(&self.path)? {
            each(Block::of_row(row).in_file(&self.path)?)?;
        }
        Ok(())
    }

    fn one_u64(&self, sql: &str, key: u64) -> Result<u64, StoreError> {
        self.db().query_row(sql, [key], |row| row.get(0)).in_file(&self.path)
    }

    /// One run as it stands, with nanoseconds in business hours and outside its windows (as of its latest
    /// entry).
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn run(&self, no: RunNo) -> Result<Option<(Run, i64, i64)>, StoreError> {
        let filter = "no = ?1 OR ?1 IS NULL";
        let found = self.query_runs(filter, params![no], 1)?;
        Ok(found.into_iter().next())
    }

    /// The runs that pass a filter, newest first.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn runs(&self, f: &RunFilter) -> Result<Vec<(Run, i64, i64)>, StoreError> {
        let filter = "(?1 IS NULL OR partner = ?1) AND (?2 IS NULL OR service = ?2)
            AND (?3 IS NULL OR procedure = ?3) AND (?4 IS NULL OR verdict = ?4)
            AND (?5 IS NULL OR state = ?5) AND (?6 IS NULL OR run_id = ?6)
            AND (?7 IS NULL OR start >= ?7) AND (?8 IS NULL OR start < ?8)";
        let micros = |t: Option<Instant>| t.map(|t| t.timestamp_micros());
        let (since, before) = (micros(f.since), micros(f.before));
        let values =
            params![f.partner, f.service, f.procedure, f.verdict, f.state, f.run_id, since, before];
        self.query_runs(filter, values, f.limit.unwrap_or(usize::MAX))
    }

    fn query_runs(
        &self,
        filter: &str,
        values: &[&dyn rusqlite::ToSql],
        limit: usize,
    ) -> Result<Vec<(Run, i64, i64)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT first_entry, state, since, business_nanos, outside_nanos FROM runs
             WHERE {filter} ORDER BY no DESC LIMIT {limit}"
        );
        let mut query = self.db().prepare(&sql).in_file(&self.path)?;
        let mut rows = query.query(values).in_file(&self.path)?;
        let mut found = Vec::new();
        let mut block = None;
        while let Some(row) = rows.next().in_file(&self.path)? {
            let text = |column| row.get::<_, String>(column).in_file(&self.path);
            let nanos = |column| row.get(column).in_file(&self.path);
            let entry = row.get(0).in_file(&self.path)?;
            let started = self.started(entry, &mut block)?;
            let run = read_since(started, &text(1)?, &text(2)?);
            found.push((run.map_err(|e| self.damaged(entry, e))?, nanos(3)?, nanos(4)?));
        }
        Ok(found)
    }

    /// A run as it started, by the number of the entry that tells of it. `kept` is the block read before:
    /// runs that stand side by side mostly started in the same one.
    fn started(&self, entry: u64, kept: &mut Option<Indexed>) -> Result<Run, StoreError> {
        if !kept.as_ref().is_some_and(|block| block.holds(entry)) {
            let sql = "SELECT * FROM blocks WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
            let mut query = self.db().prepare_cached(sql).in_file(&self.path)?;
            let found = query.query_row([entry], Block::of_row).optional().in_file(&self.path)?;
            *kept = found.map(Indexed::new);
        }
        let line = kept.as_ref().and_then(|block| block.line(entry));
        let line = line.ok_or_else(|| self.damaged(entry, "it is missing"))?;
        match read_entry(line).map_err(|e| self.damaged(entry, e))?.what {
            What::Started { run, .. } => Ok(Arc::unwrap_or_clone(run)),
            _ => Err(self.damaged(entry, "it should tell how a run started")),
        }
    }

    fn damaged(&self, entry: u64, why: impl ToString) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), entry, why: why.to_string() }
    }

    /// Where each file had been read to.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let mut query =
            self.db().prepare("SELECT body FROM checkpoints ORDER BY file").in_file(&self.path)?;
        let rows = query.query_map([], |row| row.get::<_, String>(0)).in_file(&self.path)?;
        let mut found = Vec::new();
        for body in rows {
            let checkpoint = super::form::read_checkpoint(&body.in_file(&self.path)?);
            found.push(checkpoint.map_err(|e| StoreError::Damaged {
                path: self.path.clone(),
                entry: 0,
                why: format!("a checkpoint: {e}"),
            })?);
        }
        Ok(found)
    }

    /// Until when the counters of time may have been shown; `None`: never, or it cannot be read.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn shown_until(&self) -> Result<Option<Instant>, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'shown_until'";
        let found: Option<String> =
            self.db().query_row(sql, [], |row| row.get(0)).optional().in_file(&self.path)?;
        let read = |text: String| chrono::DateTime::parse_from_rfc3339(&text).ok();
        Ok(found.and_then(read).map(|t| t.to_utc()))
    }

    /// What is remembered of the documents that were read.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn documents(&self) -> Result<Vec<Mark>, StoreError> {
        let sql = "SELECT source, path, body FROM documents";
        let mut query = self.db().prepare(sql).in_file(&self.path)?;
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        });
        let mut found = Vec::new();
        for row in rows.in_file(&self.path)? {
            let (source, path, body) = row.in_file(&self.path)?;
            let mark = super::document::read(&source, &path, &body);
            found.push(mark.map_err(|e| StoreError::Damaged {
                path: self.path.clone(),
                entry: 0,
                why: format!("what is remembered of the document {path}: {e}"),
            })?);
        }
        Ok(found)
    }

    /// The counters of the sources: `(source, name, label, value)`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn tallies(&self) -> Result<Vec<Counted>, StoreError> {
        let sql = "SELECT source, name, label, value FROM tallies";
        let mut query = self.db().prepare(sql).in_file(&self.path)?;
        let rows = query.query_map([], |row| {
            let source: String = row.get(0)?;
            Ok((source.into(), row.get(1)?, row.get(2)?, row.get(3)?))
        });
        rows.and_then(Iterator::collect).in_file(&self.path)
    }

    /// The newest rejected lines, newest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn rejected(
        &self,
        source: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Rejected>, StoreError> {
        let sql = "SELECT source, path, file, place, reason, detail, line, read_at FROM rejected
                   WHERE (?1 IS NULL OR source = ?1) ORDER BY id DESC LIMIT ?2";
        let mut query = self.db().prepare(sql).in_file(&self.path)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![source, limit], rejected_of);
        rows.and_then(Iterator::collect).in_file(&self.path)
    }
}

fn rejected_of(row: &Row) -> rusqlite::Result<Rejected> {
    let text = |column| row.get::<_, String>(column);
    Ok(Rejected {
        place: Place {
            source: text(0)?.into(),
            path: text(1)?.into(),
            file: row.get(2)?,
            offset: row.get(3)?,
        },
        reason: text(4)?,
        detail: text(5)?,
        line: row.get(6)?,
        read_at: chrono::DateTime::from_timestamp_micros(row.get(7)?).unwrap_or_default(),
    })
}
