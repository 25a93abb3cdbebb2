//! The form on disk of what is remembered of a document.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ledger::chain::Head;
use crate::tail::{Mark, Stat};

#[derive(Serialize, Deserialize)]
struct MarkForm {
    ino: u64,
    size: u64,
    modified: i64,
    /// In hexadecimal.
    digest: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    memo: String,
}

/// Writes what is beside source and path.
pub(super) fn write(mark: &Mark) -> Result<String, serde_json::Error> {
    serde_json::to_string(&MarkForm {
        ino: mark.stat.ino,
        size: mark.stat.size,
        modified: mark.stat.modified_nanos,
        digest: Head(mark.digest).hex(),
        memo: mark.memo.clone(),
    })
}

/// Reads a mark. A digest that cannot be read fits no content: the document is read again.
pub(super) fn read(source: &str, path: &str, body: &str) -> Result<Mark, serde_json::Error> {
    let form: MarkForm = serde_json::from_str(body)?;
    let byte = |at: usize| u8::from_str_radix(form.digest.get(at * 2..at * 2 + 2)?, 16).ok();
    Ok(Mark {
        source: source.into(),
        path: PathBuf::from(path),
        stat: Stat { ino: form.ino, size: form.size, modified_nanos: form.modified },
        digest: std::array::from_fn(|at| byte(at).unwrap_or_default()),
        memo: form.memo,
    })
}
