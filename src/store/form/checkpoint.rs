//! The form of checkpoints on disk.

use serde::{Deserialize, Serialize};

use crate::ledger::chain::Head;
use crate::store::scalar::Text;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::tail::{Checkpoint, FileId, Rungs, Signature, Trail};

/// A checkpoint as it is written. Hashes in hexadecimal.
#[derive(Serialize, Deserialize)]
struct CheckpointForm<'a> {
    file: u64,
    #[serde(borrow)]
    source: Text<'a>,
    path: String,
    dev: u64,
    ino: u64,
    offset: u64,
    head: (u32, String),
    /// Absent in older ones.
    #[serde(default)]
    rungs: Vec<u32>,
    marker: (u32, String),
    /// Absent in older ones.
    #[serde(default)]
    trail: Vec<(u64, u32)>,
    skipped: u64,
    /// Nanoseconds since 1970.
    #[serde(default)]
    changed_at: Option<u64>,
    #[serde(default)]
    written_at: Option<u64>,
    #[serde(default)]
    has_left: bool,
    finished: bool,
    memo: Text<'a>,
}

fn nanos(at: SystemTime) -> Option<u64> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

fn instant(nanos: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

/// Writes a checkpoint.
pub(crate) fn write_checkpoint(c: &Checkpoint) -> Result<String, serde_json::Error> {
    let signature = |s: &Signature| (s.len, Head(s.hash).hex());
    serde_json::to_string(&CheckpointForm {
        file: c.file.0,
        source: (&*c.source).into(),
        path: c.path.to_string_lossy().into_owned(),
        dev: c.dev,
        ino: c.ino,
        offset: c.offset,
        head: signature(&c.head),
        rungs: c.rungs.0.clone(),
        marker: signature(&c.marker),
        trail: c.trail.0.clone(),
        skipped: c.skipped,
        changed_at: c.changed_at.and_then(nanos),
        written_at: c.written_at.and_then(nanos),
        has_left: c.has_left,
        finished: c.finished,
        memo: (&*c.memo).into(),
    })
}

/// Reads a checkpoint.
pub(crate) fn read_checkpoint(text: &str) -> Result<Checkpoint, serde_json::Error> {
    let form: CheckpointForm = serde_json::from_str(text)?;
    let signature = |(len, hex): (u32, String)| {
        let bytes = (0..32).map(|i| {
            let pair = hex.get(i * 2..i * 2 + 2);
            pair.and_then(|p| u8::from_str_radix(p, 16).ok())
        });
        let hash: Option<Vec<u8>> = bytes.collect();
        let hash = hash.and_then(|h| h.try_into().ok());
        let hash = hash.ok_or_else(|| serde::de::Error::custom("a hash is not 64 hex digits"));
        hash.map(|hash| Signature { len, hash })
    };
    Ok(Checkpoint {
        file: FileId(form.file),
        source: form.source.into(),
        path: form.path.into(),
        dev: form.dev,
        ino: form.ino,
        offset: form.offset,
        head: signature(form.head)?,
        rungs: Rungs(form.rungs),
        marker: signature(form.marker)?,
        trail: Trail(form.trail),
        skipped: form.skipped,
        changed_at: form.changed_at.and_then(instant),
        written_at: form.written_at.and_then(instant),
        has_left: form.has_left,
        finished: form.finished,
        memo: form.memo.into(),
    })
}
