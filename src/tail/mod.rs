//! stub
use std::path::PathBuf;
use std::sync::Arc;
#[derive(Clone, Copy, PartialEq, Eq, Hash, Ord, PartialOrd, Debug)]
pub struct FileId(pub u64);
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub len: u32,
    pub hash: [u8; 32],
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub file: FileId,
    pub source: Arc<str>,
    pub path: PathBuf,
    pub dev: u64,
    pub ino: u64,
    pub offset: u64,
    pub head: Signature,
    pub marker: Signature,
    pub skipping: bool,
    pub finished: bool,
    pub memo: String,
}
