//! A caller as it should be, with a ledger in memory, and the cases it is put through.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

mod appending;
mod compressed;
mod layouts;
mod limits;
mod model;
mod odd;
mod restart;
mod rewritten;
mod rotation;
mod trimmed;
mod unread;

/// One scan after another is this much later.
pub const POLL: Duration = Duration::from_millis(250);

/// Longer than any file is waited for.
pub const LONG: Duration = Duration::from_secs(400);

/// A directory of logs, a tail that follows them, and what came of it.
pub struct Rig {
    /// On the file system of the build, which is that of a server's logs, and not in memory: where
    /// inodes are used again at once, the tests see it.
    _directory: TempDir,
    pub root: PathBuf,
    pub patterns: Vec<String>,
    pub limits: Limits,
    pub tail: Tail,
    pub now: Duration,
    pub events: Vec<TailEvent>,
    /// Every line read, in order; an unterminated one ends in `~`.
    pub lines: Vec<String>,
    pub store: BTreeMap<FileId, Checkpoint>,
    buffer: Vec<u8>,
}

/// Adds to a file, and makes it if need be.
pub fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Where this test was built, wherever that is: a file system on a disk, which reuses inodes as those of logs do.
/// Folders for temporary files are often in memory.
pub(super) fn build_folder() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    binary.parent().unwrap().to_owned()
}

impl Rig {
    /// Follows names and patterns, relative to the directory.
    pub fn new(patterns: &[&str]) -> Rig {
        Rig::with(patterns, Limits::default())
    }

    /// The writers are all in this process.
    pub fn with(patterns: &[&str], limits: Limits) -> Rig {
        let writers = || crate::process::written_by(Path::new("/proc/self")).ok();
        let limits = Limits { writers, ..limits };
        let directory = tempfile::tempdir_in(build_folder()).unwrap();
        let root = directory.path().canonicalize().unwrap();
        let patterns: Vec<String> =
            patterns.iter().map(|pattern| format!("{}/{pattern}", root.display())).collect();
        let tail = tail_of(&patterns, Vec::new(), limits);
        Rig {
            _directory: directory,
            root,
            patterns,
            limits,
            tail,
            now: Duration::ZERO,
            events: Vec::new(),
            lines: Vec::new(),
            store: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name)).write_all(text.as_ref()).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn truncate(&self, name: &str) {
        OpenOptions::new().write(true).truncate(true).open(self.path(name)).unwrap();
    }

    /// Compresses a file as rotation does: with the time of the old one, which then goes.
    pub fn compress(&self, name: &str) {
        let (from, to) = (self.path(name), self.path(&format!("{name}.gz")));
        let time = fs::metadata(&from).unwrap().modified().unwrap();
        let file = File::create(to).unwrap();
        let mut encoder = GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&fs::read(&from).unwrap()).unwrap();
        encoder.finish().unwrap().set_modified(time).unwrap();
        fs::remove_file(from).unwrap();
    }

    /// Waits until the clock of the file system has moved on, so that what comes after is younger.
    pub fn tick(&self) {
        let clock = self.path("clock");
        let touch = || {
            File::create(&clock).unwrap().write_all(b"x").unwrap();
            fs::metadata(&clock).unwrap().modified().unwrap()
        };
        let before = touch();
        let has_moved = (0..10_000_000).any(|_| touch() != before);
        assert!(has_moved, "the clock of the file system stands still");
    }

    /// Looks, and stores the checkpoints that events ask for.
    pub fn scan(&mut self, depth: Depth) {
        self.now += POLL;
        for event in self.tail.scan(depth, self.now) {
            match &event {
                // It may turn out to be a copy at once.
                TailEvent::Opened { file, resumed_at, .. }
                    if self.tail.generations.contains_key(file) =>
                {
                    self.keep(*file, *resumed_at);
                }
                // What moved is to be found again from there.
                TailEvent::Rotated { file, .. } => {
                    let stored = self.store.get(file).map(|checkpoint| checkpoint.offset);
                    let moved = stored.map(|offset| self.tail.checkpoint(*file, offset));
                    if let Some(Ok(checkpoint)) = moved {
                        self.store.insert(*file, checkpoint);
                    }
                }
                TailEvent::Closed { file, .. } => {
                    self.store.entry(*file).and_modify(|checkpoint| checkpoint.finished = true);
                }
                _ => {}
            }
            self.events.push(event);
        }
    }

    /// Reads everything there is.
    pub fn read(&mut self) {
        for file in self.tail.unread().collect::<Vec<_>>() {
            let mut buffer = std::mem::take(&mut self.buffer);
            let mut end = None;
            while let Some(block) = self.tail.read(file, &mut buffer).unwrap() {
                self.take(&block, &buffer);
                end = Some(block.offset + block.bytes);
            }
            self.buffer = buffer;
            if let Some(end) = end {
                self.keep(file, end);
            }
        }
    }

    fn take(&mut self, block: &Block, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        match block.content {
            Content::Lines => {
                assert!(bytes.ends_with(b"\n") && bytes.len() as u64 == block.bytes);
                self.lines.extend(text.lines().map(String::from));
            }
            Content::Unterminated => self.lines.push(format!("{text}~")),
            Content::Oversize => self.lines.push(format!("<oversize {}>", block.bytes)),
            Content::Nuls => self.lines.push(format!("<nuls {}>", block.bytes)),
            Content::Passing => assert_eq!(block.bytes, 0),
        }
    }

    /// Stores how far a file was read.
    pub fn keep(&mut self, file: FileId, offset: u64) {
        let checkpoint = self.tail.checkpoint(file, offset).unwrap();
        self.store.insert(file, checkpoint);
        self.tail.committed(file, offset);
    }

    /// A poll as the program makes it.
    pub fn poll(&mut self) {
        self.scan(Depth::Glob);
        self.read();
    }

    /// Polls until whatever was waited for is over.
    pub fn settle(&mut self) {
        for _ in 0..4 {
            self.now += LONG;
            self.poll();
        }
    }

    /// Stops, so that nothing is left but what is stored.
    pub fn stop(&mut self) {
        self.tail = tail_of(&[], Vec::new(), self.limits);
    }

    pub fn start(&mut self) {
        let checkpoints = self.store.values().cloned().collect();
        self.tail = tail_of(&self.patterns, checkpoints, self.limits);
    }

    /// The lines read since the last time.
    #[track_caller]
    pub fn expect(&mut self, want: &[&str]) {
        assert_eq!(std::mem::take(&mut self.lines), want, "events: {:#?}", self.events);
    }

    pub fn opened(&self) -> Vec<String> {
        let names = self.events.iter().filter_map(|event| match event {
            TailEvent::Opened { path, resumed_at, .. } => Some((path, resumed_at)),
            _ => None,
        });
        names.map(|(path, at)| format!("{}@{at}", self.name(path))).collect()
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Everything reported since the last time but what was opened, one word each and the closed list's.
    pub fn report(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        let words = events.iter().filter_map(|event| match event {
            TailEvent::Opened { .. } => None,
            TailEvent::Rotated { kind, .. } => Some(kind.as_str().into()),
            TailEvent::Vanished { .. } => Some("vanished".into()),
            TailEvent::PossibleLoss { reason, from, to, .. } => {
                let to = to.map_or("?".into(), |to| to.to_string());
                Some(format!("loss {} {from}..{to}", reason.as_str()))
            }
            TailEvent::Failed { kind, .. } => Some(format!("failed {}", kind.as_str())),
            TailEvent::Closed { .. } => Some("closed".into()),
        });
        words.collect()
    }

    #[track_caller]
    pub fn reported(&mut self, want: &[&str]) {
        assert_eq!(self.report(), want);
    }
}

pub fn tail_of(patterns: &[String], checkpoints: Vec<Checkpoint>, limits: Limits) -> Tail {
    let follow =
        Follow { source: "hostco".into(), patterns: patterns.to_vec(), encoding: Encoding::Auto };
    Tail::new(vec![follow], checkpoints, limits).unwrap()
}
