//! The files that the web configuration consists of: read within limits, and looked at for changes.

use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The largest of these files that is read, in bytes: 1 MiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a change of a file's content changes as well: inode, size, time of the content, of the inode.
type Mark = (u64, u64, (i64, i64), (i64, i64));

/// The files that were asked for, and how each of them was just before it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files(Vec<(PathBuf, Option<Mark>)>);

/// One file's content.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Whoever has an account on this machine may read it.
    pub(super) is_public: bool,
}

impl Files {
    /// Reads a file and keeps how it was.
    ///
    /// # Errors
    /// It is not there, not an ordinary file, may not be read, or is too large: as a sentence.
    pub(super) fn read(&mut self, path: &Path) -> Result<Content, String> {
        let metadata = std::fs::metadata(path);
        self.0.push((path.to_owned(), metadata.as_ref().ok().map(mark)));
        let unreadable = |error| format!("cannot be read: {error}");
        let metadata = metadata.map_err(unreadable)?;
        // Opening a pipe would wait for its writer.
        if !metadata.is_file() {
            return Err("is not a regular file".into());
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if FILE_BYTES_MAX < bytes.len() as u64 {
            return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
        }
        Ok(Content { bytes, is_public: metadata.mode() & 0o004 != 0 })
    }

    /// Whether any of the files is no longer as it was.
    pub(super) fn have_changed(&self) -> bool {
        let now = |path: &Path| std::fs::metadata(path).ok().as_ref().map(mark);
        self.0.iter().any(|(path, then)| now(path) != *then)
    }
}

fn mark(m: &Metadata) -> Mark {
    (m.ino(), m.size(), (m.mtime(), m.mtime_nsec()), (m.ctime(), m.ctime_nsec()))
}
