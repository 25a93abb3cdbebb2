//! The policies that runs were judged by, as the text that they were read from: each once, named by its digest.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::config::AsRead;
use crate::ledger::chain::GENESIS;
use crate::store::read::Reader;
use crate::store::scalar::At;
use crate::store::write::{Commit, unwritable};
use crate::store::{InFile, StoreError};

/// A policy as it was read, and its digest.
#[derive(Clone, Debug)]
pub struct PolicyText {
    pub digest: Arc<str>,
    pub text: AsRead,
}

/// A policy on record.
#[derive(Clone, Debug)]
pub struct Stored {
    pub no: u64,
    /// Entries on record when it came into force: the later ones were judged by it.
    pub height: u64,
    pub digest: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct Form {
    path: PathBuf,
    now: At,
    text: String,
    /// Path and content, in base64 because it is whatever the file held; `None`: not known any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<(PathBuf, Option<String>)>,
}

impl From<&AsRead> for Form {
    fn from(read: &AsRead) -> Form {
        let file = |(path, text): &(PathBuf, Option<Arc<[u8]>>)| {
            (path.clone(), text.as_ref().map(|text| STANDARD.encode(text)))
        };
        Form {
            path: read.path.clone(),
            now: At(read.now),
            text: read.text.to_string(),
            files: read.files.iter().map(file).collect(),
        }
    }
}

impl Form {
    fn into_read(self) -> Result<AsRead, base64::DecodeError> {
        let file = |(path, text): (PathBuf, Option<String>)| {
            let text = text.map(|text| STANDARD.decode(text)).transpose()?;
            Ok((path, text.map(Arc::from)))
        };
        Ok(AsRead {
            path: self.path,
            text: self.text.into(),
            now: self.now.0,
            files: self.files.into_iter().map(file).collect::<Result<_, _>>()?,
        })
    }
}

/// Puts the policy of a commit on record, unless it is the one that is in force. One by which nothing was put on
/// record makes room for it.
pub(super) fn put(tx: &Transaction, height: u64, c: &Commit) -> rusqlite::Result<()> {
    let Some(policy) = &c.policy else { return Ok(()) };
    let digest = &*policy.digest;
    tx.execute(
        "DELETE FROM policies WHERE height = ?1 AND digest <> ?2
         AND no = (SELECT max(no) FROM policies)",
        params![height, digest],
    )?;
    let latest = "SELECT digest FROM policies ORDER BY no DESC LIMIT 1";
    let latest: Option<String> = tx.query_row(latest, [], |row| row.get(0)).optional()?;
    if latest.as_deref() == Some(digest) {
        return Ok(());
    }
    let known = "SELECT count(*) FROM policies WHERE digest = ?1 AND body IS NOT NULL";
    let is_known = 0 < tx.query_row(known, [digest], |row| row.get::<_, u64>(0))?;
    let body = if is_known { None } else { Some(pack(&policy.text).map_err(unwritable)?) };
    let sum = body.as_deref().map(sum_of);
    let sql = "INSERT INTO policies VALUES (NULL, ?1, ?2, ?3, ?4)";
    tx.execute(sql, params![height, digest, body, sum])?;
    Ok(())
}

fn pack(text: &AsRead) -> std::io::Result<Vec<u8>> {
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::default());
    deflater.write_all(&serde_json::to_vec(&Form::from(text))?)?;
    deflater.finish()
}

fn sum_of(body: &[u8]) -> [u8; 32] {
    GENESIS.after(body).0
}

fn unpack(body: &[u8]) -> Result<AsRead, String> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(body).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let form: Form = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    form.into_read().map_err(|e| e.to_string())
}

impl Reader<'_> {
    /// The policies on record, in the order in which they came into force. A ledger of an earlier make has none.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn policies(&self) -> Result<Vec<Stored>, StoreError> {
        let exists =
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'policies'";
        if !self.db().query_row(exists, [], |row| row.get::<_, bool>(0)).in_file(&self.path)? {
            return Ok(Vec::new());
        }
        let sql = "SELECT no, height, digest FROM policies ORDER BY no";
        let mut query = self.db().prepare(sql).in_file(&self.path)?;
        let rows = query.query_map([], |row| {
            let digest: String = row.get(2)?;
            Ok(Stored { no: row.get(0)?, height: row.get(1)?, digest: digest.into() })
        });
        rows.and_then(Iterator::collect).in_file(&self.path)
    }

    /// What the policy with this digest was read from.
    ///
    /// # Errors
    /// In words: it is not on record, or cannot be read.
    pub fn policy_text(&self, digest: &str) -> Result<AsRead, String> {
        let sql = "SELECT body, sum FROM policies WHERE digest = ?1 AND body IS NOT NULL";
        let pair = |row: &Row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = self.db().query_row(sql, [digest], pair).optional();
        let found = found.map_err(|e| e.to_string())?;
        let (body, sum) = found.ok_or_else(|| "its text is missing".to_owned())?;
        match sum == sum_of(&body) {
            true => unpack(&body),
            false => Err("its text was changed".into()),
        }
    }
}
