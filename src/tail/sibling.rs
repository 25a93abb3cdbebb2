//! Where a rotated file may have gone: the names that rotation gives to files, beside the old one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::event::FailureKind;

/// How many siblings of one file are looked at, the last written first.
const SIBLINGS: usize = 64;

/// How many names of a directory are looked through for them.
const ENTRIES: usize = 1_000_000;

const SEPARATORS: &[u8] = b".-_~";

/// A number with more digits is a date.
const COUNT_DIGITS: usize = 4;

/// The name of the file to which multilog(8) and svlogd(8) write.
const MULTILOG_CURRENT: &[u8] = b"current";

/// Whether they gave this name to a file that is full: `@` and a TAI64N stamp, `.s` or `.u` behind it.
fn is_of_multilog(name: &[u8]) -> bool {
    let Some((stamp, rest)) = name.strip_prefix(b"@").and_then(|n| n.split_at_checked(24)) else {
        return false;
    };
    stamp.iter().all(u8::is_ascii_hexdigit) && matches!(rest, b"" | b".s" | b".u")
}

/// What rotation appended to, or put into, the name `base` to get `name`: `app.log` becomes
/// `app.log.1`, `app.log-20251110` or, with the `extension` of logrotate(8), `app-20251110.log`.
pub(super) fn rotation_suffix<'a>(base: &[u8], name: &'a [u8]) -> Option<&'a [u8]> {
    let separated = |part: &'a [u8]| match part.split_first() {
        Some((first, suffix)) if SEPARATORS.contains(first) && !suffix.is_empty() => Some(suffix),
        _ => None,
    };
    if base == MULTILOG_CURRENT && is_of_multilog(name) {
        return name.get(1..);
    }
    if let Some(appended) = name.strip_prefix(base) {
        return separated(appended);
    }
    let dot = memchr::memrchr(b'.', base).filter(|dot| 0 < *dot)?;
    let (stem, extension) = base.split_at_checked(dot)?;
    let inserted = separated(name.strip_prefix(stem)?.strip_suffix(extension)?)?;
    inserted.first().is_some_and(u8::is_ascii_digit).then_some(inserted)
}

/// The same where `base` may have been rotated before: of `app.log.1` the file goes on to `app.log.2`.
fn suffix_again<'a>(base: &[u8], name: &'a [u8]) -> Option<&'a [u8]> {
    let before = || rotation_suffix(unnumbered(base)?, name);
    rotation_suffix(base, name).or_else(before)
}

/// Whether rotation counted or dated the file: `.1`, `-20251110`; not `.save` or `.bak`. It may be compressed, and
/// the base may have been rotated before.
pub(super) fn is_numbered(base: &[u8], name: &[u8]) -> bool {
    let plain = uncompressed(name);
    suffix_again(base, plain).and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
        || plain == base && name != base && looks_rotated(base)
}

/// How many rotations ago a file was at a path, as far as its name counts them: `app.log.3`.
pub(super) fn rotations_ago(path: &Path, rotated: &Path) -> Option<u32> {
    let base = path.file_name().unwrap_or_default().as_bytes();
    let plain = uncompressed(rotated.file_name().unwrap_or_default().as_bytes());
    let count = std::str::from_utf8(suffix_again(base, plain)?)
        .ok()
        .filter(|text| text.len() <= COUNT_DIGITS)?;
    count.parse().ok()
}

/// The name that a file had before rotation appended a number to it: `app.log` for `app.log.1`.
fn unnumbered(name: &[u8]) -> Option<&[u8]> {
    if is_of_multilog(name) {
        return Some(MULTILOG_CURRENT);
    }
    let at = name.iter().rposition(|byte| SEPARATORS.contains(byte))?;
    let (before, number) = name.split_at_checked(at)?;
    let (_, digits) = number.split_first()?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (is_number && !before.is_empty()).then_some(before)
}

/// Whether a name by itself looks like one that rotation gave.
pub(super) fn looks_rotated(name: &[u8]) -> bool {
    unnumbered(uncompressed(name)).is_some()
}

/// The path at which a file was before it was rotated, as far as its name tells.
pub(super) fn live(path: &Path) -> PathBuf {
    let name = uncompressed(path.file_name().unwrap_or_default().as_bytes());
    path.with_file_name(OsStr::from_bytes(unnumbered(name).unwrap_or(name)))
}

/// The names that compressed files have. They hold lines that were followed under another name, and are never
/// read as text; the first two can be unpacked.
const COMPRESSED: [&[u8]; 6] = [b".gz", b".zst", b".xz", b".bz2", b".lz4", b".Z"];
const UNPACKABLE: usize = 2;

/// Whether the name says that the file is compressed.
pub(super) fn is_compressed(name: &[u8]) -> bool {
    COMPRESSED.iter().any(|extension| name.ends_with(extension))
}

/// The name of a file before it was compressed.
fn uncompressed(name: &[u8]) -> &[u8] {
    COMPRESSED.iter().find_map(|extension| name.strip_suffix(*extension)).unwrap_or(name)
}

pub(super) fn is_readable(name: &[u8]) -> bool {
    let mut unpackable = COMPRESSED.iter().take(UNPACKABLE);
    !is_compressed(name) || unpackable.any(|extension| name.ends_with(extension))
}

/// The names from which rotation can have made this one, the longest first.
pub(super) fn bases(name: &OsStr) -> Vec<OsString> {
    let name = name.as_bytes();
    let dot = memchr::memrchr(b'.', name).filter(|dot| 0 < *dot);
    let extension = dot.and_then(|dot| name.get(dot..)).unwrap_or_default();
    let mut bases = Vec::new();
    for at in (1..name.len()).rev() {
        let Some((stem, _)) = name.split_at_checked(at) else { continue };
        for base in [stem.to_vec(), [stem, extension].concat()] {
            let base = OsString::from_vec(base);
            if rotation_suffix(base.as_bytes(), name).is_some() && !bases.contains(&base) {
                bases.push(base);
            }
        }
    }
    bases
}

/// A file beside another, with a name that rotation may have given.
pub(super) struct Sibling {
    pub path: PathBuf,
    pub metadata: fs::Metadata,
}

/// The regular files that rotation may have made of the one at `path`, the last written first, and of those
/// that it has compressed, which may not be whole yet, the last written first. If that one has been rotated
/// already, what was rotated with it belongs to them.
pub(super) fn siblings(path: &Path) -> io::Result<Vec<Sibling>> {
    let mut found = Vec::new();
    for path in lies_at(path) {
        let names = SiblingsOf::path(&path);
        found.extend(neighbours(&path, |name| name != names.own && names.has(name))?);
    }
    let packed = |sibling: &Sibling| is_compressed(sibling.path.as_os_str().as_bytes());
    found.sort_by(|a, b| (packed(a), modified(b), &b.path).cmp(&(packed(b), modified(a), &a.path)));
    found.truncate(SIBLINGS);
    Ok(found)
}

/// Where a path lies, and where the file really lies to which it leads if it is a link: rotation works there.
fn lies_at(path: &Path) -> Vec<PathBuf> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let real = if is_link { fs::canonicalize(path).ok() } else { None };
    std::iter::once(path.to_path_buf()).chain(real).collect()
}

/// The names that rotation may give to the file at a path.
pub(super) struct SiblingsOf<'a> {
    own: &'a [u8],
    base: &'a [u8],
}

impl SiblingsOf<'_> {
    pub fn path(path: &Path) -> SiblingsOf<'_> {
        let own = path.file_name().unwrap_or_default().as_bytes();
        SiblingsOf { own, base: uncompressed(own) }
    }

    fn has(&self, name: &[u8]) -> bool {
        let plain = uncompressed(name);
        suffix_again(self.base, plain).is_some() || plain == self.base && is_compressed(name)
    }

    /// Whether a file in another folder has such a name, or its own.
    pub fn may_be(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        uncompressed(name) == self.base || self.has(name)
    }
}

/// Where the file with this device and inode lies now in the directory of `path`, compressed if that is.
pub(super) fn relocated(path: &Path, dev: u64, ino: u64) -> io::Result<Option<Sibling>> {
    use std::os::unix::fs::{DirEntryExt, MetadataExt};
    let was_packed = is_compressed(path.as_os_str().as_bytes());
    for path in lies_at(path) {
        for entry in entries(&path)?.into_iter().flatten() {
            let entry = entry?;
            if entry.ino() == ino && is_compressed(entry.file_name().as_bytes()) == was_packed {
                let metadata = entry.metadata()?;
                if metadata.dev() == dev && metadata.is_file() {
                    return Ok(Some(Sibling { path: entry.path(), metadata }));
                }
            }
        }
    }
    Ok(None)
}

fn neighbours(path: &Path, wanted: impl Fn(&[u8]) -> bool) -> io::Result<Vec<Sibling>> {
    let mut found = Vec::new();
    for entry in entries(path)?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        if wanted(name.as_bytes())
            && is_readable(name.as_bytes())
            && let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            found.push(Sibling { path: entry.path(), metadata });
        }
    }
    Ok(found)
}

/// What lies in the directory of a path; `None` if there is no such directory.
fn entries(path: &Path) -> io::Result<Option<impl Iterator<Item = io::Result<fs::DirEntry>>>> {
    let Some(directory) = path.parent() else { return Ok(None) };
    match fs::read_dir(directory) {
        Ok(entries) => Ok(Some(entries.take(ENTRIES))),
        Err(e) if FailureKind::of(&e) == FailureKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// When a file was last written to; long ago if the file system does not say.
pub(super) fn modified(sibling: &Sibling) -> SystemTime {
    sibling.metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// When a file came into being, as nearly as the file system says.
pub(super) fn born(metadata: &fs::Metadata) -> Option<SystemTime> {
    metadata.created().or_else(|_| metadata.modified()).ok()
}

#[cfg(test)]
mod tests;
