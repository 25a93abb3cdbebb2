//! The index of what was told: sorted by stamps, so that what is new comes at its end.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::ledger::told::Mark;
use crate::store::{InFile, Reader, StoreError};

/// The newest marks of a partner, and whether it has no others.
pub type Told = (Arc<str>, Vec<Mark>, bool);

pub(super) fn add(tx: &Transaction, marks: &[(Arc<str>, Mark)]) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO told VALUES (?1, ?2, ?3)")?;
    for (partner, mark) in marks {
        insert.execute(params![&**partner, mark.at, mark.digest])?;
    }
    Ok(())
}

impl Reader<'_> {
    /// Whether the index of what was told has anything.
    pub(super) fn has_told(&self) -> rusqlite::Result<bool> {
        self.db().query_row("SELECT EXISTS (SELECT 1 FROM told)", [], |row| row.get(0))
    }

    /// Whether a line of a partner that leaves this mark is on record.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn was_told(&self, partner: &str, mark: Mark) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM told WHERE partner = ?1 AND at = ?2 AND digest = ?3)";
        let mut query = self.db().prepare_cached(sql).in_file(&self.path)?;
        query
            .query_row(params![partner, mark.at, mark.digest], |row| row.get(0))
            .in_file(&self.path)
    }

    /// The newest marks of each partner, at most `most`, and whether it has no others.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn newest_told(&self, most: usize) -> Result<Vec<Told>, StoreError> {
        let (mut all, mut last) = (Vec::new(), None::<String>);
        let next =
            "SELECT partner FROM told WHERE partner > coalesce(?1, '') ORDER BY partner LIMIT 1";
        let newest = "SELECT at, digest FROM told WHERE partner = ?1 ORDER BY at DESC LIMIT ?2";
        let mut next = self.db().prepare(next).in_file(&self.path)?;
        let mut newest = self.db().prepare(newest).in_file(&self.path)?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        loop {
            let found = next.query_row([&last], |row| row.get::<_, String>(0)).optional();
            let Some(partner) = found.in_file(&self.path)? else { return Ok(all) };
            let mark = |row: &Row| Ok(Mark { at: row.get(0)?, digest: row.get(1)? });
            let marks = newest.query_map(params![partner, limit], mark);
            let marks: Vec<Mark> = marks.and_then(Iterator::collect).in_file(&self.path)?;
            let is_all = marks.len() < most;
            all.push((partner.as_str().into(), marks, is_all));
            last = Some(partner);
        }
    }
}
