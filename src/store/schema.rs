//! The tables, and the settings that make a commit durable.

use rusqlite::Connection;

use crate::store::VERSION;

/// Tables of version 1. Instants in `runs` are microseconds since 1970, for filtering only; the exact ones
/// are in the entries and in `since`.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    first INTEGER PRIMARY KEY, -- number of its first entry, from 1
    count INTEGER NOT NULL,
    head BLOB NOT NULL,        -- of the hash chain after its last entry
    deflated INTEGER NOT NULL, -- 1: body is deflated (RFC 1951)
    body BLOB NOT NULL,        -- one JSON object a line
    marks BLOB                 -- first 4 bytes of the head after each entry
) STRICT;
CREATE TABLE IF NOT EXISTS policies (
    no INTEGER PRIMARY KEY,    -- in the order in which they came into force
    height INTEGER NOT NULL,   -- entries on record when it did
    digest TEXT NOT NULL,
    body BLOB,                 -- what it was read from, deflated; NULL: as an earlier one of this digest
    sum BLOB                   -- of the hash chain, were the body its only entry
) STRICT;
CREATE TABLE IF NOT EXISTS runs (
    no INTEGER PRIMARY KEY,
    partner TEXT NOT NULL,
    service TEXT,
    procedure TEXT NOT NULL,
    run_id TEXT,
    start INTEGER NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT NOT NULL,
    first_entry INTEGER NOT NULL, -- the entry that tells how it started
    business_nanos INTEGER NOT NULL,
    outside_nanos INTEGER NOT NULL,
    since TEXT NOT NULL        -- what has become of it since its start
) STRICT;
CREATE TABLE IF NOT EXISTS told (
    partner TEXT NOT NULL,
    at INTEGER NOT NULL,       -- stamp in microseconds since 1970: what is new comes at the end
    digest INTEGER NOT NULL,   -- of what makes the line the line that it is
    PRIMARY KEY (partner, at, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
    file INTEGER PRIMARY KEY, finished INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS documents (
    source TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (
    source TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (source, name, label)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    file INTEGER NOT NULL,
    place INTEGER NOT NULL,    -- byte offset of the line
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    line BLOB NOT NULL,        -- cut to a limit
    read_at INTEGER NOT NULL   -- microseconds since 1970
) STRICT;
";

/// Settings of every connection: wait for a writer's checkpoint, and map nothing into memory.
pub(super) fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update(None, "foreign_keys", "ON")
}

/// Makes the tables where they are missing. A commit is on disk before it returns (`synchronous=FULL`).
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    configure(db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    sync_each_commit(db, true)?;
    db.execute_batch(TABLES)?;
    add_marks(db)?;
    db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?1)", [VERSION])?;
    Ok(())
}

/// Ledgers of an earlier make have no marks: their blocks are told as a whole.
fn add_marks(db: &Connection) -> rusqlite::Result<()> {
    let known = "SELECT count(*) FROM pragma_table_info('blocks') WHERE name = 'marks'";
    match db.query_row(known, [], |row| row.get::<_, bool>(0))? {
        true => Ok(()),
        false => db.execute_batch("ALTER TABLE blocks ADD COLUMN marks BLOB"),
    }
}

/// Whether a commit waits for the disk. If not, the log of SQLite is synced before it is moved into the
/// database, so that the order of commits is kept: <https://www.sqlite.org/pragma.html#pragma_synchronous>.
pub(super) fn sync_each_commit(db: &Connection, each: bool) -> rusqlite::Result<()> {
    db.pragma_update(None, "synchronous", if each { "FULL" } else { "NORMAL" })
}

/// The version found, if there is a ledger.
pub(super) fn version(db: &Connection) -> rusqlite::Result<Option<String>> {
    let exists: bool = db.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'",
        [],
        |row| row.get(0),
    )?;
    if !exists {
        return Ok(None);
    }
    let mut query = db.prepare("SELECT value FROM meta WHERE key = 'version'")?;
    let mut rows = query.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}
