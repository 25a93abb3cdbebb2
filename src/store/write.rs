//! The one writer: opens or makes a ledger, loads it, commits to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use crate::ledger::chain::{GENESIS, Head, MARK_BYTES};
use crate::ledger::told::{Mark as ToldMark, marks_of_entry};
use crate::ledger::{Entry, Ledger, What};
use crate::run::{Run, RunNo};
use crate::store::place::Place;
use crate::store::read::{Reader, Rejected};
use crate::store::{
    FINISHED_KEPT, InFile, PolicyText, REJECTED_KEPT, StoreError, VERSION, block, policies, schema,
    told, write_entry, write_since,
};
use crate::tail::{Checkpoint, Mark};
use crate::time::{Instant, rfc3339};

/// A counter of one source: `(source, name, label)`.
pub type Tally = (Arc<str>, &'static str, Box<str>);

/// Everything that goes to disk together, or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    pub entries: Vec<Entry>,
    /// Runs that the entries are about, as they stand, with nanoseconds in business hours and outside their
    /// windows.
    pub runs: Vec<(Arc<Run>, i64, i64)>,
    /// What the entries' lines are known by when they are told again.
    pub told: Vec<(Arc<str>, ToldMark)>,
    pub checkpoints: Vec<Checkpoint>,
    /// Documents that were read.
    pub documents: Vec<Mark>,
    /// Documents that vanished long ago, as source and path.
    pub forgotten: Vec<(Arc<str>, PathBuf)>,
    /// What each counter of a source grew by.
    pub tallies: BTreeMap<Tally, u64>,
    pub rejected: Vec<Rejected>,
    /// Until when the counters of time may be shown before the next commit; after a crash they have been.
    pub shown_until: Option<Instant>,
    /// The policy that the entries were judged by, if it is another one than before.
    pub policy: Option<Arc<PolicyText>>,
}

impl Commit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.runs.is_empty()
            && self.told.is_empty()
            && self.checkpoints.is_empty()
            && self.documents.is_empty()
            && self.forgotten.is_empty()
            && self.tallies.is_empty()
            && self.rejected.is_empty()
            && self.shown_until.is_none()
            && self.policy.is_none()
    }
}

/// A ledger on disk, open for writing. Its lock is held until it is dropped.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
    height: u64,
    head: Head,
    place: Place,
    _lock: File,
}

impl Store {
    /// Opens the ledger in the folder `dir`, or makes one.
    ///
    /// # Errors
    /// Another process holds it, it is of another version, or it cannot be read or written.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        std::fs::create_dir_all(dir).in_file(dir)?;
        let lock = lock(dir)?;
        let path = dir.join("ledger.db");
        if is_to_be_made(&path)? {
            make(dir, &path)?;
        }
        let db = Connection::open(&path).in_file(&path)?;
        if let Some(found) = schema::version(&db).in_file(&path)?
            && found != VERSION
        {
            return Err(StoreError::Version { path, found });
        }
        schema::create(&db).in_file(&path)?;
        let place = Place::of(&path, dir.join("ledger.lock"))?;
        Ok(Store { db, path, height: 0, head: GENESIS, place, _lock: lock })
    }

    /// Reads every entry into a ledger, checking the hash chain on the way.
    ///
    /// # Errors
    /// An entry that cannot be read or does not fit the chain, by its number.
    pub fn load(&mut self) -> Result<Ledger, StoreError> {
        let mut ledger = Ledger::default();
        let mut marks = Vec::new();
        let lacks_marks = !self.reader().has_told().in_file(&self.path)?;
        let head = self.reader().walk(|entry| {
            ledger.adopt(&entry);
            if lacks_marks {
                let run = entry.what.run().and_then(|no| ledger.run(no));
                let of_entry = marks_of_entry(&entry, run.map(Arc::as_ref));
                marks.extend(of_entry.into_iter().map(|mark| (entry.partner.clone(), mark)));
            }
        })?;
        // A ledger of an earlier make: what its entries say is put beside them once.
        if !marks.is_empty() {
            let tx = self.db.transaction().in_file(&self.path)?;
            told::add(&tx, &marks).in_file(&self.path)?;
            tx.commit().in_file(&self.path)?;
        }
        (self.height, self.head) = (ledger.height(), head);
        Ok(ledger)
    }

    /// Lets commits wait for the disk together, while nobody is shown what they hold: a power cut may take back
    /// the latest of them, their places in the files included, and never part of one.
    ///
    /// # Errors
    /// SQLite refuses the setting.
    pub fn write_behind(&self) -> Result<(), StoreError> {
        schema::sync_each_commit(&self.db, false).in_file(&self.path)
    }

    /// From now on a commit, and all before it, is on disk when [`Store::commit`] returns: how a store begins.
    ///
    /// # Errors
    /// SQLite refuses the setting.
    pub fn write_through(&self) -> Result<(), StoreError> {
        schema::sync_each_commit(&self.db, true).in_file(&self.path)
    }

    /// The same database, for questions.
    pub fn reader(&self) -> Reader<'_> {
        Reader::over(&self.db, &self.path)
    }

    /// The file of the ledger.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of entries and the head of the hash chain after them.
    pub fn head(&self) -> (u64, Head) {
        (self.height, self.head)
    }

    /// Looks whether the ledger that is open is still the one in its folder.
    ///
    /// # Errors
    /// It was deleted or replaced: nobody would see what is written.
    pub fn check_place(&mut self) -> Result<(), StoreError> {
        self.place.check()
    }

    /// Puts everything on disk in one transaction; when this returns it is there (but see
    /// [`Store::write_behind`]).
    ///
    /// # Errors
    /// Nothing was changed: the caller drops its draft, and the same lines come again.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        self.place.check()?;
        let path = self.path.clone();
        let (height, head) = (self.height, self.head);
        let tx = self.db.transaction().in_file(&path)?;
        policies::put(&tx, height, commit).in_file(&path)?;
        let head = add_block(&tx, height, head, commit).in_file(&path)?;
        add_runs(&tx, height, commit).in_file(&path)?;
        told::add(&tx, &commit.told).in_file(&path)?;
        set_checkpoints(&tx, commit).in_file(&path)?;
        mark_documents(&tx, commit).in_file(&path)?;
        add_tallies(&tx, commit).in_file(&path)?;
        add_rejected(&tx, commit).in_file(&path)?;
        set_shown_until(&tx, commit).in_file(&path)?;
        tx.commit().in_file(&path)?;
        self.height = height + commit.entries.len() as u64;
        self.head = head;
        Ok(())
    }
}

/// Whether there is no ledger yet. Where something was and is not any more, a new one would begin without a word.
fn is_to_be_made(path: &Path) -> Result<bool, StoreError> {
    let bytes = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.len());
    let log = path.with_extension("db-wal");
    let what = match (bytes(path), bytes(&log)) {
        (Some(0), _) => "it is empty",
        (None, Some(n)) if 0 < n => "it is missing, but what was written to it last is there",
        (found, _) => return Ok(found.is_none()),
    };
    Err(StoreError::Remains { path: path.into(), what })
}

/// Makes a ledger beside its place and puts it there when it is whole: who is killed on the way leaves no empty one.
fn make(dir: &Path, path: &Path) -> Result<(), StoreError> {
    tracing::info!(path = %path.display(), "a new ledger begins");
    let new = dir.join("ledger.new");
    for name in ["ledger.new", "ledger.new-wal", "ledger.new-shm"] {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).in_file(&new);
            }
            _ => {}
        }
    }
    let db = Connection::open(&new).in_file(&new)?;
    schema::create(&db).in_file(&new)?;
    db.close().map_err(|(_, error)| error).in_file(&new)?;
    std::fs::rename(&new, path).in_file(path)?;
    File::open(dir).and_then(|dir| dir.sync_all()).in_file(dir)
}

/// Takes the lock of a ledger's folder.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("ledger.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.in_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.into() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path, source }),
    }
}

pub(super) fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

fn set_shown_until(tx: &Transaction, c: &Commit) -> rusqlite::Result<()> {
    let Some(until) = c.shown_until else { return Ok(()) };
    let sql = "INSERT OR REPLACE INTO meta VALUES ('shown_until', ?1)";
    tx.prepare_cached(sql)?.execute([rfc3339(until)]).map(drop)
}

fn add_block(tx: &Transaction, height: u64, head: Head, c: &Commit) -> rusqlite::Result<Head> {
    if c.entries.is_empty() {
        return Ok(head);
    }
    let mut body = Vec::with_capacity(c.entries.len() * 256);
    let mut head = head;
    let mut marks = Vec::with_capacity(c.entries.len() * MARK_BYTES);
    for entry in &c.entries {
        let start = body.len();
        write_entry(entry, &mut body).map_err(unwritable)?;
        head = head.after(body.get(start..).unwrap_or_default());
        marks.extend(head.mark());
        body.push(b'\n');
    }
    let (deflated, body) = block::pack(&body).map_err(unwritable)?;
    tx.prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        height + 1,
        c.entries.len(),
        head.0.as_slice(),
        deflated,
        &*body,
        marks
    ])?;
    Ok(head)
}

/// A run gets its row in the commit that tells of its start; after that only what can change is written.
fn add_runs(tx: &Transaction, height: u64, c: &Commit) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let mut update = tx.prepare_cached(
        "UPDATE runs SET state = ?2, verdict = ?3, business_nanos = coalesce(?4, business_nanos),
         outside_nanos = coalesce(?5, outside_nanos), since = ?6 WHERE no = ?1",
    )?;
    // In the order of the runs' numbers, because they are given in the order of the starts.
    let started: Vec<(RunNo, u64)> = (height + 1..)
        .zip(&c.entries)
        .filter_map(|(entry, e)| match &e.what {
            What::Started { run, .. } => Some((run.no, entry)),
            _ => None,
        })
        .collect();
    let first_entry_of = |no: RunNo| {
        let place = started.binary_search_by_key(&no, |(started, _)| *started).ok()?;
        started.get(place).map(|(_, entry)| *entry)
    };
    let sealed = c.entries.iter().filter_map(|e| match e.what {
        What::Sealed { run, .. } => Some(run),
        _ => None,
    });
    let sealed: BTreeSet<RunNo> = sealed.collect();
    for (run, business, outside) in &c.runs {
        let since = write_since(run).map_err(unwritable)?;
        let (state, verdict) = (run.state.as_str(), run.verdict().as_str());
        let Some(first_entry) = first_entry_of(run.no) else {
            // A time that was sealed stays, whatever policy is in force when somebody speaks of the run.
            let is_final = run.sealed && !sealed.contains(&run.no);
            let (business, outside) =
                ((!is_final).then_some(business), (!is_final).then_some(outside));
            update.execute(params![run.no, state, verdict, business, outside, since])?;
            continue;
        };
        insert.execute(params![
            run.no,
            &*run.partner,
            run.service.as_deref(),
            &*run.procedure,
            run.run_id.as_deref(),
            run.start.timestamp_micros(),
            state,
            verdict,
            first_entry,
            business,
            outside,
            since
        ])?;
    }
    Ok(())
}

fn set_checkpoints(tx: &Transaction, c: &Commit) -> rusqlite::Result<()> {
    let mut put = tx.prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3)")?;
    for checkpoint in &c.checkpoints {
        let body = super::form::write_checkpoint(checkpoint).map_err(unwritable)?;
        put.execute(params![checkpoint.file.0, checkpoint.finished, body])?;
    }
    if c.checkpoints.iter().any(|checkpoint| checkpoint.finished) {
        tx.execute(
            "DELETE FROM checkpoints WHERE finished AND file NOT IN
             (SELECT file FROM checkpoints WHERE finished ORDER BY file DESC LIMIT ?1)",
            [FINISHED_KEPT],
        )?;
    }
    Ok(())
}

fn mark_documents(tx: &Transaction, c: &Commit) -> rusqlite::Result<()> {
    let mut forget = tx.prepare_cached("DELETE FROM documents WHERE source = ?1 AND path = ?2")?;
    for (source, path) in &c.forgotten {
        forget.execute(params![&**source, path.to_string_lossy()])?;
    }
    let mut put = tx.prepare_cached("INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3)")?;
    for mark in &c.documents {
        let body = super::document::write(mark).map_err(unwritable)?;
        put.execute(params![&*mark.source, mark.path.to_string_lossy(), body])?;
    }
    Ok(())
}

fn add_tallies(tx: &Transaction, c: &Commit) -> rusqlite::Result<()> {
    let mut add = tx.prepare_cached(
        "INSERT INTO tallies VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET value = value + excluded.value",
    )?;
    for ((source, name, label), grown) in &c.tallies {
        add.execute(params![&**source, name, &**label, grown])?;
    }
    Ok(())
}

fn add_rejected(tx: &Transaction, c: &Commit) -> rusqlite::Result<()> {
    if c.rejected.is_empty() {
        return Ok(());
    }
    let mut add =
        tx.prepare_cached("INSERT INTO rejected VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for r in &c.rejected {
        add.execute(params![
            &*r.place.source,
            &*r.place.path,
            r.place.file,
            r.place.offset,
            r.reason,
            r.detail,
            r.line,
            r.read_at.timestamp_micros()
        ])?;
    }
    tx.execute(
        "DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - ?1",
        [REJECTED_KEPT],
    )?;
    Ok(())
}
