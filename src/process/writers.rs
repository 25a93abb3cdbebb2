//! Which files somebody has open for writing (Linux, proc(5)).

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device and inode of files that are open for writing.
pub type Written = HashSet<(u64, u64)>;

/// The namespace of processes in which every process of the machine is seen.
const ALL_PROCESSES: &str = "pid:[4026531836]";

/// Every regular file that a process has open for writing; `None` if not every process may be asked, as without
/// privileges or in a container.
pub fn written_files() -> Option<Written> {
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    if namespace.as_os_str() != ALL_PROCESSES || !Path::new("/proc/1").exists() {
        return None;
    }
    let mut written = Written::new();
    for entry in fs::read_dir("/proc").ok()? {
        let entry = entry.ok()?;
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        match is_process.then(|| written_by(&entry.path())) {
            Some(Ok(files)) => written.extend(files),
            Some(Err(e)) if !is_over(&e) => return None,
            Some(Err(_)) | None => {}
        }
    }
    Some(written)
}

/// The same of one process, by its directory in `/proc`.
///
/// # Errors
/// The process is gone, or may not be asked.
pub fn written_by(process: &Path) -> io::Result<Written> {
    let mut written = Written::new();
    for entry in fs::read_dir(process.join("fd"))? {
        let entry = entry?;
        let flags = fs::read_to_string(process.join("fdinfo").join(entry.file_name()));
        // Closed since it was listed.
        let Ok(flags) = flags else { continue };
        if is_for_writing(&flags)
            && let Ok(file) = fs::metadata(entry.path())
            && file.is_file()
        {
            written.insert((file.dev(), file.ino()));
        }
    }
    Ok(written)
}

/// The flags of open(2) stand in octal; the last two bits tell the mode, and 0 is reading.
fn is_for_writing(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 3 != 0)
}

fn is_over(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_for_writing_is_seen() {
        // Where the test was built: a file system on a disk.
        let binary = std::env::current_exe().expect("a test");
        let folder = binary.parent().expect("a folder");
        let file = tempfile::NamedTempFile::new_in(folder).expect("a file");
        let key = |file: &fs::File| {
            let metadata = file.metadata().expect("a file");
            (metadata.dev(), metadata.ino())
        };
        let is_seen = |key| written_by(Path::new("/proc/self")).expect("a process").contains(&key);
        let written = key(file.as_file());
        assert!(is_seen(written));
        let path = file.into_temp_path();
        let reader = fs::File::open(&path).expect("a file");
        assert!(!is_seen(key(&reader)), "to read is not to write");
        let appender = fs::File::options().append(true).open(&path).expect("a file");
        assert!(is_seen(written));
        // Where every process may be asked, this one is among them.
        assert!(written_files().is_none_or(|all| all.contains(&written)));
        drop(appender);
        assert!(!is_seen(written));
    }
}
