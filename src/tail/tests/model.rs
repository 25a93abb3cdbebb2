//! Random writers, rotations and restarts against a record of what was written.
//!
//! What was delivered is what was written, as a multiset. A line may be missing only where its content was
//! destroyed before it could be read, and then a possible loss was counted for that file, unless the tail cannot
//! have known that there was anything: no scan had ever seen a byte of that content.
//!
//! `OFFHOURS_SEQUENCES` sets the number of sequences, `OFFHOURS_SEED` repeats a run, `OFFHOURS_DELIVERED_AGAIN` adds
//! deliveries of the whole log and trims.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::tail::source::Place;

#[derive(Clone, Debug)]
enum Op {
    Write(u8),
    Partial,
    WriteOld(u8),
    Rename {
        create: bool,
    },
    Truncate,
    Copytruncate {
        write_between: bool,
    },
    Delete,
    /// Only the last of the file is kept, in 255ths.
    Trim {
        keep: u8,
        by_rename: bool,
    },
    /// The file is delivered again, with so many lines more.
    Deliver {
        lines: u8,
        /// By a temporary file that is renamed; otherwise it is cut off and written in so many parts, with a look between them.
        parts: Option<u8>,
    },
    /// Compresses one of the rotated files.
    Compress(u8),
    /// The path becomes a symbolic link to a new file.
    Relink,
    /// The clock is set: files that are written now were written then, and polls come late.
    Clock(i16),
    Scan(bool),
    /// Reads everything and commits as much of it, in 255ths.
    Read(u8),
    /// A stop stores what was read; a kill does not.
    StopOrStart {
        kill: bool,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let usual = prop_oneof![
        6 => (1..4u8).prop_map(Op::Write),
        2 => Just(Op::Partial),
        2 => any::<u8>().prop_map(Op::WriteOld),
        2 => any::<bool>().prop_map(|create| Op::Rename { create }),
        1 => Just(Op::Truncate),
        2 => any::<bool>().prop_map(|write_between| Op::Copytruncate { write_between }),
        1 => Just(Op::Delete),
        3 => any::<bool>().prop_map(Op::Scan),
        5 => prop_oneof![Just(255), any::<u8>()].prop_map(Op::Read),
        2 => any::<u8>().prop_map(Op::Compress),
        1 => Just(Op::Relink),
        1 => any::<i16>().prop_map(Op::Clock),
        2 => any::<bool>().prop_map(|kill| Op::StopOrStart { kill }),
    ];
    // Not everything that can come of a delivery is written down here yet.
    if std::env::var_os("OFFHOURS_DELIVERED_AGAIN").is_none() {
        return usual.boxed();
    }
    let deliver = (0..4u8, proptest::option::of(1..5u8));
    let deliver = deliver.prop_map(|(lines, parts)| Op::Deliver { lines, parts });
    let trim = (any::<u8>(), any::<bool>());
    let trim = trim.prop_map(|(keep, by_rename)| Op::Trim { keep, by_rename });
    prop_oneof![28 => usual, 2 => deliver, 1 => trim].boxed()
}

/// What is left of a file is known again from so many bytes on.
const KNOWN_AGAIN: usize = 700;

/// What was written to one file between two rotations.
struct Content {
    lines: Vec<String>,
    fragment: Option<String>,
    /// `None` once it was cut off.
    writer: Option<File>,
    was_scanned: bool,
    /// A scan has seen a byte of it, or a line of it is on record.
    is_known: bool,
    /// The tail has it open.
    is_held: bool,
    /// So many lines are in a file that was replaced, which the tail has open.
    held_in_old: usize,
    /// Lines that only such a file holds.
    only_in_old: Vec<String>,
    /// A copy of it has taken its place that nobody has looked at yet.
    is_new_copy: bool,
    is_deleted: bool,
    /// How many lines it had when it was compressed.
    packed: Option<usize>,
    /// What can be had of it is in a copy.
    is_copied: bool,
    /// Nobody knows of it any more, whatever is still written to it.
    is_doomed: bool,
    /// Nothing of it was on record at a stop: only times and names tell what became of it.
    is_forgotten: bool,
}

/// A file at `app.log.1` or further.
struct Rotated {
    /// `None`: a copy.
    content: Option<usize>,
    is_packed: bool,
    is_link: bool,
}

struct World {
    rig: Rig,
    /// The pattern is the path itself.
    is_written_out: bool,
    is_running: bool,
    contents: Vec<Content>,
    /// The one at the path.
    current: Option<usize>,
    is_link: bool,
    /// Lines written between a copy and a truncation since the last scan.
    between: Vec<String>,
    lines: usize,
    rotated: Vec<Rotated>,
    read: BTreeMap<FileId, Vec<(u64, String)>>,
    delivered: Vec<String>,
    /// Lines that cannot, or could not, be had, by whether that must be reported.
    at_risk: BTreeMap<String, bool>,
    /// Lines that were delivered again before any of their file was on record: nothing tells that it is the same.
    may_come_twice: BTreeSet<String>,
    was_destructive: bool,
    was_clock_set: bool,
}

impl World {
    fn new(pattern: &str, limits: Limits) -> World {
        World {
            rig: Rig::with(&[pattern], limits),
            is_written_out: !pattern.contains('*'),
            is_running: true,
            contents: Vec::new(),
            current: None,
            is_link: false,
            between: Vec::new(),
            lines: 0,
            rotated: Vec::new(),
            read: BTreeMap::new(),
            delivered: Vec::new(),
            at_risk: BTreeMap::new(),
            may_come_twice: BTreeSet::new(),
            was_destructive: false,
            was_clock_set: false,
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Write(lines) => self.write(self.current, lines),
            Op::Partial => self.write_partial(),
            Op::WriteOld(which) => self.write_old(which),
            Op::Rename { create } => self.rotate(create),
            Op::Truncate => self.truncate(),
            Op::Copytruncate { write_between } => self.copytruncate(write_between),
            Op::Delete => self.delete(),
            Op::Scan(all) if self.is_running => {
                self.scan(if all { Depth::Glob } else { Depth::Stat });
            }
            Op::Read(share) if self.is_running => self.read(share),
            Op::Scan(_) | Op::Read(_) => {}
            Op::Deliver { lines, parts } => self.deliver(lines, parts),
            Op::Trim { keep, by_rename } => self.trim(keep, by_rename),
            Op::Compress(which) => self.compress(which),
            Op::Relink => self.relink(),
            Op::Clock(seconds) => self.set_clock(seconds),
            Op::StopOrStart { kill } => self.stop_or_start(kill),
        }
    }

    fn create(&mut self) -> usize {
        let writer = Some(append(&self.rig.path("app.log")));
        self.is_link = false;
        self.begin(writer)
    }

    fn begin(&mut self, writer: Option<File>) -> usize {
        let (lines, fragment) = (Vec::new(), None);
        self.contents.push(Content {
            lines,
            fragment,
            writer,
            was_scanned: false,
            is_known: false,
            is_held: false,
            held_in_old: 0,
            only_in_old: Vec::new(),
            is_new_copy: false,
            is_deleted: false,
            packed: None,
            is_copied: false,
            is_doomed: false,
            is_forgotten: false,
        });
        let at = self.contents.len() - 1;
        self.current = Some(at);
        at
    }

    fn write(&mut self, to: Option<usize>, lines: u8) {
        let to = to.unwrap_or_else(|| self.create());
        for _ in 0..lines {
            self.lines += 1;
            let content = &mut self.contents[to];
            let Some(writer) = &mut content.writer else { return };
            // As many digits as a stamp has.
            let rest = format!("{:08}-{}", self.lines, "x".repeat(self.lines * 7 % 300));
            writer.write_all(format!("{rest}\n").as_bytes()).unwrap();
            let line = content.fragment.take().unwrap_or_default() + &rest;
            content.lines.push(line.clone());
            let is_unseen = content.packed.is_some() && !content.is_held;
            if is_unseen {
                self.at_risk.insert(line, false);
            } else if content.is_doomed {
                self.risk(to);
            }
        }
    }

    fn write_partial(&mut self) {
        let to = self.current.unwrap_or_else(|| self.create());
        self.lines += 1;
        let part = format!("fragment {} ", self.lines);
        let content = &mut self.contents[to];
        content.writer.as_mut().unwrap().write_all(part.as_bytes()).unwrap();
        content.fragment.get_or_insert_default().push_str(&part);
    }

    fn write_old(&mut self, which: u8) {
        let old: Vec<usize> = (0..self.contents.len())
            .filter(|at| Some(*at) != self.current && self.contents[*at].writer.is_some())
            .collect();
        if !old.is_empty() {
            let to = old[usize::from(which) % old.len()];
            self.write(Some(to), 1);
        }
    }

    /// What of this content has not been delivered may never be.
    fn risk(&mut self, at: usize) {
        let Content { lines, is_known, held_in_old, .. } = &self.contents[at];
        for line in lines.iter().skip(*held_in_old) {
            self.at_risk.entry(line.clone()).or_insert(*is_known);
        }
    }

    fn doom(&mut self, at: usize) {
        self.contents[at].is_doomed = true;
        self.risk(at);
    }

    /// Makes room at `app.log.1`.
    fn shift(&mut self) {
        for (n, rotated) in self.rotated.iter().enumerate().rev() {
            let extension = if rotated.is_packed { ".gz" } else { "" };
            let name = |n| format!("app.log.{n}{extension}");
            self.rig.rename(&name(n + 1), &name(n + 2));
        }
    }

    fn compress(&mut self, which: u8) {
        let plain = |r: &&usize| !self.rotated[**r].is_packed && !self.rotated[**r].is_link;
        let all: Vec<usize> = (0..self.rotated.len()).collect();
        let plain: Vec<usize> = all.iter().filter(plain).copied().collect();
        if plain.is_empty() {
            return;
        }
        let n = plain[usize::from(which) % plain.len()];
        self.rotated[n].is_packed = true;
        self.rig.compress(&format!("app.log.{}", n + 1));
        if let Some(at) = self.rotated[n].content {
            let content = &mut self.contents[at];
            content.packed = Some(content.lines.len());
            // Nobody knows what is still written to it; and of what was nothing is known to be found again.
            self.was_destructive |= !content.is_held;
            if !content.is_held {
                self.forget_cut();
            }
        }
    }

    /// The file is gone: that it was cut off before cannot be seen any more.
    fn forget_cut(&mut self) {
        for line in &self.between {
            self.at_risk.insert(line.clone(), false);
        }
    }

    /// Somebody keeps the log elsewhere and copies all of it, with what has been added, over the old copy.
    fn deliver(&mut self, lines: u8, parts: Option<u8>) {
        let Some(at) = self.current.filter(|_| !self.is_link) else { return };
        let path = self.rig.path("app.log");
        let old = fs::read(&path).unwrap();
        self.was_told_again(at);
        let new = match parts {
            None => self.put(at, &old),
            Some(parts) => {
                let mut new = File::create(&path).unwrap();
                let mut seen: &[u8] = &[];
                for part in old.chunks(old.len() / usize::from(parts) + 1) {
                    if self.is_running {
                        self.scan(Depth::Glob);
                        self.read(255);
                        seen = &old[..fs::metadata(&path).unwrap().len() as usize];
                    }
                    new.write_all(part).unwrap();
                }
                // A piece of a line tells it from no other.
                if self.is_running && !seen.contains(&b'\n') {
                    let lines = &self.contents[at].lines;
                    let is_known = lines.iter().any(|line| self.delivered.contains(line));
                    self.contents[at].is_known = is_known;
                }
                append(&path)
            }
        };
        self.contents[at].writer = Some(new);
        self.write(Some(at), lines);
    }

    /// Nothing tells that lines are the same of which some are not on record.
    fn was_told_again(&mut self, at: usize) {
        let is_on_record = self.contents[at].lines.iter().all(|l| self.delivered.contains(l));
        if !is_on_record {
            self.may_come_twice.extend(self.contents[at].lines.iter().cloned());
        }
        // Of a line that has no end yet nothing is on record.
        self.may_come_twice.extend(self.contents[at].fragment.clone());
        // What was not read, or had no line, is deleted with a descriptor that is closed.
        self.was_destructive = true;
    }

    /// Renames a file with these bytes over the one at the path.
    fn put(&mut self, at: usize, bytes: &[u8]) -> File {
        fs::write(self.rig.path("tmp"), bytes).unwrap();
        self.rig.rename("tmp", "app.log");
        let is_running = self.is_running;
        if !self.contents[at].is_held {
            self.forget_cut();
        }
        let content = &mut self.contents[at];
        if content.is_new_copy {
            // Two copies, and nobody saw the first.
            self.may_come_twice.extend(content.lines.iter().cloned());
        }
        if is_running && content.is_held {
            content.held_in_old = content.lines.len();
        } else if is_running {
            self.risk(at);
        }
        let content = &mut self.contents[at];
        // What comes and goes now is unknown.
        content.is_known &= !is_running;
        (content.is_held, content.was_scanned, content.is_new_copy) = (false, false, true);
        append(&self.rig.path("app.log"))
    }

    /// Somebody keeps only the last lines.
    fn trim(&mut self, keep: u8, by_rename: bool) {
        let Some(at) = self.current.filter(|_| !self.is_link) else { return };
        let path = self.rig.path("app.log");
        let old = fs::read(&path).unwrap();
        let from = old.len() - old.len() * usize::from(keep) / 255;
        let Some(cut) = memchr::memchr(b'\n', &old[from..]) else { return };
        let left = &old[from + cut + 1..];
        // So little that it need not be known again.
        if left.len() < KNOWN_AGAIN {
            self.may_come_twice.extend(self.contents[at].lines.iter().cloned());
        }
        self.was_told_again(at);
        let Content { lines, is_held, held_in_old, .. } = &self.contents[at];
        let is_replaced = by_rename && *is_held;
        // What is taken away may still be had from a file that was replaced.
        let held = if is_replaced { lines.len() } else { *held_in_old };
        let text = String::from_utf8_lossy(left);
        let is_gone = |line: &&String| !text.lines().any(|left| left == *line);
        let gone: Vec<String> = lines.iter().take(held).filter(is_gone).cloned().collect();
        self.contents[at].only_in_old.extend(gone);
        if !is_replaced {
            self.risk(at);
        }
        if by_rename && KNOWN_AGAIN <= left.len() {
            self.contents[at].writer = Some(self.put(at, left));
            return;
        }
        let fragment = self.contents[at].fragment.clone();
        if by_rename {
            self.let_go();
            fs::write(self.rig.path("tmp"), left).unwrap();
            self.rig.rename("tmp", "app.log");
        } else {
            fs::write(&path, left).unwrap();
        }
        let writer = append(&path);
        if KNOWN_AGAIN <= left.len() {
            self.contents[at].writer = Some(writer);
            return;
        }
        // To the tail it is another file.
        let old = &mut self.contents[at];
        (old.writer, old.fragment) = (None, None);
        let new = self.begin(Some(writer));
        self.contents[new].lines = text.lines().map(String::from).collect();
        if fragment.is_some() {
            self.contents[new].lines.pop();
        }
        self.contents[new].fragment = fragment;
    }

    fn relink(&mut self) {
        self.lines += 1;
        let target = self.rig.path(&format!("t{}.log", self.lines));
        let writer = append(&target);
        std::os::unix::fs::symlink(&target, self.rig.path("link")).unwrap();
        self.let_go();
        self.rig.rename("link", "app.log");
        self.is_link = true;
        self.begin(Some(writer));
    }

    fn set_clock(&mut self, seconds: i16) {
        self.rig.now += Duration::from_secs(seconds.unsigned_abs().into());
        if self.current.is_some() {
            let now = std::time::SystemTime::now();
            let jump = Duration::from_secs(seconds.unsigned_abs().into());
            let then = if seconds < 0 { now - jump } else { now + jump };
            append(&self.rig.path("app.log")).set_modified(then).unwrap();
            self.was_clock_set = true;
        }
    }

    fn rotate(&mut self, create: bool) {
        if let Some(at) = self.current.take() {
            // Nobody knows of a file that came and went unless its predecessor was known, and the next
            // listing still knows the path: one that was vacant for a whole listing must be written out.
            let place = self.rig.tail.sources[0].places.first().filter(|_| self.is_running);
            let is_kept = |p: &Place| p.was_seen || self.is_written_out;
            let has_predecessor = place.is_some_and(|p| p.since.is_some() && is_kept(p));
            // A link that came and went is not looked behind.
            if !self.contents[at].was_scanned && (self.is_link || !has_predecessor) {
                self.doom(at);
            }
            self.shift();
            self.moves_on(at);
            let is_link = std::mem::take(&mut self.is_link);
            let rotated = Rotated { content: Some(at), is_packed: false, is_link };
            self.rotated.insert(0, rotated);
            self.rig.rename("app.log", "app.log.1");
        }
        if create {
            self.create();
        }
    }

    /// A copy that nobody has seen is no more where that was of which it is one.
    fn moves_on(&mut self, at: usize) {
        if std::mem::take(&mut self.contents[at].is_new_copy) {
            self.may_come_twice.extend(self.contents[at].lines.iter().cloned());
            // What is written to it later is unknown as well.
            self.contents[at].is_doomed |= self.is_running;
        }
    }

    fn truncate(&mut self) {
        let Some(at) = self.current else { return };
        self.was_destructive = true;
        self.risk(at);
        self.rig.truncate("app.log");
        let writer = self.contents[at].writer.take();
        self.contents[at].fragment = None;
        self.begin(writer);
    }

    fn copytruncate(&mut self, write_between: bool) {
        let Some(at) = self.current else { return };
        self.was_destructive = true;
        self.moves_on(at);
        let is_known = self.contents[at].is_known;
        if !is_known {
            self.risk(at);
        }
        self.shift();
        self.rotated.insert(0, Rotated { content: None, is_packed: false, is_link: false });
        self.contents[at].is_copied = true;
        self.rig.copy("app.log", "app.log.1");
        if write_between {
            let before = self.contents[at].lines.len();
            self.write(Some(at), 2);
            // The rest of a line that began before the copy is lost as well.
            for line in self.contents[at].lines.iter().skip(before) {
                self.at_risk.entry(line.clone()).or_insert(is_known);
                self.between.push(line.clone());
            }
        }
        self.rig.truncate("app.log");
        let writer = self.contents[at].writer.take();
        self.begin(writer);
    }

    fn delete(&mut self) {
        if self.current.is_some() {
            self.let_go();
            self.rig.remove("app.log");
        }
    }

    /// What is at the path will be there no more. What a link leads to still exists.
    fn let_go(&mut self) {
        let Some(at) = self.current.take() else { return };
        if std::mem::take(&mut self.is_link) {
            self.was_destructive |= !self.contents[at].was_scanned;
            if !self.contents[at].was_scanned {
                self.doom(at);
            }
            return;
        }
        self.was_destructive = true;
        self.contents[at].is_deleted = true;
        if !self.contents[at].is_held {
            self.doom(at);
            self.forget_cut();
        }
    }

    fn scan(&mut self, depth: Depth) {
        self.rig.scan(depth);
        self.between.clear();
        // A file outside the listing is seen by the next scan that lists.
        let is_listed = !self.rig.tail.sources[0].places.is_empty();
        if let Some(at) = self.current.filter(|_| depth == Depth::Glob || is_listed) {
            let place = self.rig.tail.sources[0].places.first();
            if place.is_some_and(|place| place.path.ends_with("app.log")) {
                self.contents[at].was_scanned = true;
                (self.contents[at].is_new_copy, self.contents[at].held_in_old) = (false, 0);
                let size = fs::metadata(self.rig.path("app.log")).unwrap().len();
                self.contents[at].is_known |= 0 < size;
                self.contents[at].is_held = 0 < self.rig.limits.descriptors;
            }
        }
    }

    fn read(&mut self, share: u8) {
        for file in self.rig.tail.unread().collect::<Vec<_>>() {
            let mut buffer = Vec::new();
            while let Some(block) = self.rig.tail.read(file, &mut buffer).unwrap() {
                let read = self.read.entry(file).or_default();
                let mut end = block.offset;
                for line in buffer.split_inclusive(|byte| *byte == b'\n') {
                    end += line.len() as u64;
                    let text = String::from_utf8(line.to_vec()).unwrap();
                    read.push((end, text));
                }
                assert_eq!(end, block.offset + block.bytes, "{block:?}");
            }
        }
        self.commit(share);
    }

    fn commit(&mut self, share: u8) {
        for (file, mut read) in std::mem::take(&mut self.read) {
            let count = read.len() * usize::from(share) / 255;
            let rest = read.split_off(count);
            if let Some((end, _)) = read.last() {
                self.rig.keep(file, *end);
            }
            self.delivered
                .extend(read.into_iter().map(|(_, text)| text.trim_end_matches('\n').into()));
            if !rest.is_empty() {
                self.read.insert(file, rest);
            }
        }
    }

    fn stop_or_start(&mut self, kill: bool) {
        if self.is_running {
            if !kill {
                self.commit(255);
            }
            self.read.clear();
            self.rig.stop();
            for at in 0..self.contents.len() {
                self.contents[at].is_held = false;
                self.contents[at].held_in_old = 0;
                let only_in_old = std::mem::take(&mut self.contents[at].only_in_old);
                let lines = &self.contents[at].lines;
                // What only the old file held goes with its descriptor.
                only_in_old.into_iter().for_each(|line| {
                    self.at_risk.insert(line, false);
                });
                let is_known = lines.iter().any(|line| self.delivered.contains(line));
                if !is_known {
                    // What was seen and not read is forgotten: nothing of it is on record.
                    lines.iter().for_each(|line| {
                        self.at_risk.entry(line.clone()).and_modify(|must| *must = false);
                        if self.contents[at].is_copied {
                            self.at_risk.insert(line.clone(), false);
                        }
                    });
                }
                // What was written after it was compressed and deleted is nowhere else.
                let late = self.contents[at].packed.unwrap_or(lines.len());
                // And that nothing more was written to it cannot be seen any more.
                self.was_destructive |= self.contents[at].packed.is_some();
                lines.iter().skip(late).for_each(|line| {
                    self.at_risk.insert(line.clone(), false);
                });
                self.contents[at].is_known = is_known;
                self.contents[at].is_forgotten |= !is_known;
                let Content { is_deleted, was_scanned, .. } = self.contents[at];
                // Nothing is stored that leads to a file that came and went unseen.
                if is_deleted || !was_scanned && self.current != Some(at) {
                    self.doom(at);
                }
            }
        } else {
            self.rig.start();
        }
        self.is_running = !self.is_running;
    }

    /// Lets everything come to its end and compares.
    fn finish(mut self) {
        if !self.is_running {
            self.stop_or_start(true);
        }
        for _ in 0..6 {
            self.scan(Depth::Glob);
            self.read(255);
            self.rig.now += LONG;
        }
        let written: BTreeSet<&String> = self.contents.iter().flat_map(|c| &c.lines).collect();
        let mut once = BTreeSet::new();
        // So short that it cannot be told by its content from what was read, and its time says nothing.
        let is_disguised = |line: &String| {
            let mut of = self.contents.iter().filter(|c| c.lines.contains(line));
            self.was_clock_set && of.any(|content| content.packed.is_some())
        };
        for line in &self.delivered {
            let may_come_twice = self.may_come_twice.contains(line) || is_disguised(line);
            assert!(once.insert(line) || may_come_twice, "delivered twice: {line}");
            assert!(
                written.contains(line) || line.starts_with("fragment") || self.was_destructive,
                "never written: {line}"
            );
        }
        let has_report =
            self.rig.events.iter().any(|event| matches!(event, TailEvent::PossibleLoss { .. }));
        assert!(self.was_destructive || !has_report, "a loss where there can be none");
        let is_gone = |event: &TailEvent| {
            matches!(event, TailEvent::PossibleLoss { reason: LossReason::Gone, .. })
        };
        let has_gone = self.rig.events.iter().any(is_gone);
        for line in written.into_iter().filter(|line| !once.contains(line)) {
            let of = self.contents.iter().find(|c| c.lines.contains(line)).unwrap();
            let is_unread = !of.lines.iter().any(|line| once.contains(line));
            match self.at_risk.get(line) {
                // Where nothing was read there is only the time to tell one file from another.
                _ if self.was_clock_set && is_unread => {}
                // So short that it may be what a file that is reported as gone began with.
                None if of.packed.is_some() && is_unread && (has_gone || of.is_forgotten) => {}
                None => panic!("lost: {line}"),
                Some(true) => assert!(has_report, "lost without a report: {line}"),
                Some(false) => {}
            }
        }
    }
}

fn check(pattern: &str, descriptors: usize, block_bytes: usize, ops: &[Op]) {
    let limits = Limits { descriptors, block_bytes, ..Limits::default() };
    let mut world = World::new(pattern, limits);
    ops.iter().for_each(|op| world.apply(op));
    world.finish();
}

/// What was found once.
#[test]
fn sequences_that_failed_once() {
    let deliver = |lines, parts| Op::Deliver { lines, parts };
    let trim = |keep| Op::Trim { keep, by_rename: false };
    let (look, stop) = (Op::Scan(true), Op::StopOrStart { kill: false });
    // What only a file held that was replaced, and the rest taken out of the new one.
    let ops = [
        Op::Write(1),
        look.clone(),
        deliver(0, None),
        trim(15),
        look.clone(),
        stop.clone(),
        Op::Write(1),
        Op::Write(1),
    ];
    check("app.log", 512, 64, &ops);
    // Cut off, written to, copied and cut off again between two looks.
    let copied = Op::Copytruncate { write_between: false };
    let ops = [
        Op::Write(1),
        look,
        Op::Write(1),
        deliver(0, Some(2)),
        Op::Clock(0),
        trim(7),
        Op::Write(1),
        copied,
    ];
    check("app.log", 0, 64, &ops);
    // Cut off at the end of a link, written to while stopped, and the link switched.
    let ops = [
        Op::Relink,
        Op::Write(3),
        Op::Scan(false),
        Op::Read(255),
        Op::Truncate,
        Op::Scan(false),
        stop.clone(),
        Op::Write(1),
        Op::Relink,
    ];
    check("app.log", 0, 64, &ops);
    // Cut off, renamed, seen so, and written to afterwards.
    let ops = [
        Op::Write(2),
        deliver(0, Some(2)),
        trim(7),
        Op::Rename { create: false },
        Op::Scan(false),
        Op::WriteOld(0),
        stop,
    ];
    check("app.log", 512, 64, &ops);
}

#[test]
fn every_line_is_delivered_once() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let cases = number("OFFHOURS_SEQUENCES").unwrap_or(5_000);
    let seed = number("OFFHOURS_SEED").unwrap_or_else(|| RandomState::new().hash_one(cases));
    eprintln!("OFFHOURS_SEED={seed}");
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        ..Config::default()
    };
    let bytes: Vec<u8> = seed.to_le_bytes().repeat(4);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let pattern = prop_oneof![Just("app.log"), Just("app.log*")];
    let descriptors = prop_oneof![Just(0), Just(512)];
    let block_bytes = prop_oneof![Just(64), Just(1 << 18)];
    let ops = proptest::collection::vec(op(), 1..60);
    let input = (pattern, descriptors, block_bytes, ops);
    let result = TestRunner::new_with_rng(config, rng).run(&input, |input| {
        let (pattern, descriptors, block_bytes, ops) = input;
        check(pattern, descriptors, block_bytes, &ops);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}\nOFFHOURS_SEED={seed}");
    }
}
