//! What the tail reports: files found, rotated, lost and failing, each as a value from a closed list.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// One generation of one file: what was written between two rotations. Never used twice in a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileId(pub u64);

/// How one generation made room for the next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RotationKind {
    /// The file moved away from its path and still exists.
    Rename,
    /// Another file stands at its path and it is deleted.
    Replace,
    /// Its content was copied to a sibling and cut off; reading goes on in the copy.
    Copytruncate,
    /// Its content was cut off and no copy was found.
    Truncate,
    /// It was replaced, or written anew, by a copy of itself; reading goes on in that.
    Rewrite,
}

impl RotationKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [RotationKind; 5] = [
        RotationKind::Rename,
        RotationKind::Replace,
        RotationKind::Copytruncate,
        RotationKind::Truncate,
        RotationKind::Rewrite,
    ];

    /// The word used as a label.
    pub fn as_str(self) -> &'static str {
        match self {
            RotationKind::Rename => "rename",
            RotationKind::Replace => "replace",
            RotationKind::Copytruncate => "copytruncate",
            RotationKind::Truncate => "truncate",
            RotationKind::Rewrite => "rewrite",
        }
    }
}

/// Why lines may be missing although everything that was there has been read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum LossReason {
    /// What was written between the copy and the truncation is in neither file.
    Copytruncate,
    /// What was written between the last read and the truncation is gone.
    Truncate,
    /// The file was deleted while its descriptor was closed.
    Vanished,
    /// A file with a checkpoint was not found again after a restart.
    Gone,
    /// A compressed file is damaged: what should come after is not to be had.
    Damaged,
    /// A compressed file goes on for longer than is unpacked.
    TooLarge,
}

impl LossReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [LossReason; 6] = [
        LossReason::Copytruncate,
        LossReason::Truncate,
        LossReason::Vanished,
        LossReason::Gone,
        LossReason::Damaged,
        LossReason::TooLarge,
    ];

    /// The word used as a label.
    pub fn as_str(self) -> &'static str {
        match self {
            LossReason::Copytruncate => "copytruncate",
            LossReason::Truncate => "truncate",
            LossReason::Vanished => "vanished",
            LossReason::Gone => "gone",
            LossReason::Damaged => "damaged",
            LossReason::TooLarge => "too_large",
        }
    }
}

/// Why a path cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FailureKind {
    /// `EACCES` or `EPERM`, on the file or on a directory above it.
    PermissionDenied,
    /// A directory, pipe, socket or device stands where a file should.
    NotRegular,
    /// Nothing matches the patterns of the source.
    NotFound,
    /// More files, or more directory entries, than the limits allow.
    TooManyFiles,
    /// `EMFILE` or `ENFILE`: the process or the system has no descriptor left.
    TooManyDescriptors,
    /// A document that cannot be understood as a whole.
    Unreadable,
    /// A link that leads out of the directory of its pattern.
    Outside,
    /// A compressed file that is cut off, or not what its name says.
    Damaged,
    /// A compressed file of which more comes out than the limits allow.
    TooLarge,
    /// Anything else; the text of the error says what.
    Io,
}

impl FailureKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [FailureKind; 10] = [
        FailureKind::PermissionDenied,
        FailureKind::NotRegular,
        FailureKind::NotFound,
        FailureKind::TooManyFiles,
        FailureKind::TooManyDescriptors,
        FailureKind::Unreadable,
        FailureKind::Outside,
        FailureKind::Damaged,
        FailureKind::TooLarge,
        FailureKind::Io,
    ];

    /// The word used as a label.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::PermissionDenied => "permission_denied",
            FailureKind::NotRegular => "not_regular",
            FailureKind::NotFound => "not_found",
            FailureKind::TooManyFiles => "too_many_files",
            FailureKind::TooManyDescriptors => "too_many_descriptors",
            FailureKind::Unreadable => "unreadable",
            FailureKind::Outside => "outside",
            FailureKind::Damaged => "damaged",
            FailureKind::TooLarge => "too_large",
            FailureKind::Io => "io",
        }
    }

    /// The kind of an error that the operating system returned.
    pub fn of(error: &io::Error) -> FailureKind {
        use rustix::io::Errno;
        if error.get_ref().is_some_and(|why| why.is::<Outside>()) {
            return FailureKind::Outside;
        }
        match Errno::from_io_error(error) {
            Some(Errno::ACCESS | Errno::PERM) => FailureKind::PermissionDenied,
            Some(Errno::NOENT | Errno::NOTDIR) => FailureKind::NotFound,
            Some(Errno::MFILE | Errno::NFILE) => FailureKind::TooManyDescriptors,
            // What a socket answers to open(2).
            Some(Errno::NXIO | Errno::ISDIR) => FailureKind::NotRegular,
            _ => FailureKind::Io,
        }
    }
}

/// The file really lies here, outside of the directory of its pattern.
#[derive(Debug, thiserror::Error)]
#[error("it is a link to {}, outside of the directory that the pattern names", .0.display())]
pub(super) struct Outside(pub PathBuf);

/// What a scan found out. A lasting condition is reported once, when it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TailEvent {
    /// A generation is followed from here on, perhaps in another place than before. Its checkpoint
    /// is to be stored with the next commit: it says where the file is to be found again, and if
    /// `resumed_at` is not zero that what lies before was read under another name.
    Opened {
        file: FileId,
        source: Arc<str>,
        path: PathBuf,
        /// Byte offset of the first line that will be read.
        resumed_at: u64,
        /// When the file was last written to, for stamps without a year.
        mtime: Option<SystemTime>,
    },
    /// A generation ended, or moved: it is still read to its end if there is anything to read. Its
    /// checkpoint has changed.
    Rotated { file: FileId, source: Arc<str>, kind: RotationKind },
    /// A generation was deleted and nothing stands at its path; it is still read to its end.
    Vanished { file: FileId, source: Arc<str>, path: PathBuf },
    /// Lines may have been written that can no longer be read.
    PossibleLoss {
        file: FileId,
        source: Arc<str>,
        reason: LossReason,
        /// Byte offset in the generation up to which everything was, or still will be, read.
        from: u64,
        /// How far the generation is known to have reached; `None` if that is not known to be more.
        to: Option<u64>,
    },
    /// Something cannot be read; it is tried again on its own.
    Failed { source: Arc<str>, path: Option<PathBuf>, kind: FailureKind, error: String },
    /// A generation is read to its end, committed and released: its checkpoint is finished.
    Closed { file: FileId, source: Arc<str> },
}

impl TailEvent {
    /// A path that cannot be read.
    pub(super) fn failed(source: &Arc<str>, path: &Path, error: &io::Error) -> TailEvent {
        TailEvent::Failed {
            source: source.clone(),
            path: Some(path.to_path_buf()),
            kind: FailureKind::of(error),
            error: error.to_string(),
        }
    }
}
