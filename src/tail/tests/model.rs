//! Random writers, rotations and restarts against a record of what was written.
//!
//! Every line that was written is delivered once. It may be missing only where its content was
//! destroyed before it could be read, and then a possible loss was reported, unless the tail cannot
//! have known that there was anything: nothing of that content had ever been read.
//!
//! `OFFHOURS_TAIL_CASES` sets the number of cases, `OFFHOURS_TAIL_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

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
    Scan(bool),
    /// Reads everything and commits as much of it, in 255ths.
    Read(u8),
    StopOrStart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1..4u8).prop_map(Op::Write),
        2 => Just(Op::Partial),
        2 => any::<u8>().prop_map(Op::WriteOld),
        2 => any::<bool>().prop_map(|create| Op::Rename { create }),
        1 => Just(Op::Truncate),
        2 => any::<bool>().prop_map(|write_between| Op::Copytruncate { write_between }),
        1 => Just(Op::Delete),
        3 => any::<bool>().prop_map(Op::Scan),
        5 => prop_oneof![Just(255), any::<u8>()].prop_map(Op::Read),
        2 => Just(Op::StopOrStart),
    ]
}

/// What was written to one file between two rotations.
struct Content {
    lines: Vec<String>,
    fragment: Option<String>,
    /// `None` once it was cut off.
    writer: Option<File>,
    was_scanned: bool,
    /// The tail has it open.
    is_held: bool,
    is_deleted: bool,
    /// Nobody knows of it any more, whatever is still written to it.
    is_doomed: bool,
}

struct World {
    rig: Rig,
    is_running: bool,
    contents: Vec<Content>,
    /// The one at the path.
    current: Option<usize>,
    lines: usize,
    copies: usize,
    read: BTreeMap<FileId, Vec<(u64, String)>>,
    delivered: Vec<String>,
    /// Lines that cannot, or could not, be had, by whether that must be reported.
    at_risk: BTreeMap<String, bool>,
    was_destructive: bool,
    was_stored_late: bool,
}

impl World {
    fn new(pattern: &str, limits: Limits) -> World {
        World {
            rig: Rig::with(&[pattern], limits),
            is_running: true,
            contents: Vec::new(),
            current: None,
            lines: 0,
            copies: 0,
            read: BTreeMap::new(),
            delivered: Vec::new(),
            at_risk: BTreeMap::new(),
            was_destructive: false,
            was_stored_late: false,
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
            Op::StopOrStart => self.stop_or_start(),
        }
    }

    fn create(&mut self) -> usize {
        let writer = Some(append(&self.rig.path("app.log")));
        self.begin(writer)
    }

    fn begin(&mut self, writer: Option<File>) -> usize {
        let (lines, fragment) = (Vec::new(), None);
        let (was_scanned, is_held, is_deleted, is_doomed) = (false, false, false, false);
        let content =
            Content { lines, fragment, writer, was_scanned, is_held, is_deleted, is_doomed };
        self.contents.push(content);
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
            let rest = format!("{}-{}", self.lines, "x".repeat(self.lines * 7 % 300));
            writer.write_all(format!("{rest}\n").as_bytes()).unwrap();
            let line = content.fragment.take().unwrap_or_default() + &rest;
            content.lines.push(line);
            if content.is_doomed {
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
        let lines = &self.contents[at].lines;
        let was_read = lines.iter().any(|line| self.delivered.contains(line));
        for line in lines {
            self.at_risk.entry(line.clone()).or_insert(was_read);
        }
    }

    fn doom(&mut self, at: usize) {
        self.contents[at].is_doomed = true;
        self.risk(at);
    }

    /// Makes room at `app.log.1`.
    fn shift(&mut self) {
        for n in (1..=self.copies).rev() {
            self.rig.rename(&format!("app.log.{n}"), &format!("app.log.{}", n + 1));
        }
        self.copies += 1;
    }

    fn rotate(&mut self, create: bool) {
        if let Some(at) = self.current.take() {
            // Nobody knows of a file that came and went unless its predecessor was known.
            let place = self.rig.tail.sources[0].places.first();
            let has_predecessor = self.is_running && place.is_some_and(|p| p.since.is_some());
            if !self.contents[at].was_scanned && !has_predecessor {
                self.doom(at);
            }
            self.shift();
            self.rig.rename("app.log", "app.log.1");
        }
        if create {
            self.create();
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
        let lines = &self.contents[at].lines;
        let was_read = lines.iter().any(|line| self.delivered.contains(line));
        if !was_read {
            self.risk(at);
        }
        self.shift();
        self.rig.copy("app.log", "app.log.1");
        if write_between {
            let before = self.contents[at].lines.len();
            self.write(Some(at), 2);
            // The rest of a line that began before the copy is lost as well.
            for line in self.contents[at].lines.iter().skip(before) {
                self.at_risk.entry(line.clone()).or_insert(was_read);
            }
        }
        self.rig.truncate("app.log");
        let writer = self.contents[at].writer.take();
        self.begin(writer);
    }

    fn delete(&mut self) {
        let Some(at) = self.current.take() else { return };
        self.was_destructive = true;
        self.rig.remove("app.log");
        self.contents[at].is_deleted = true;
        if !self.contents[at].is_held {
            self.doom(at);
        }
    }

    fn scan(&mut self, depth: Depth) {
        self.rig.scan(depth);
        // A file outside the listing is seen by the next scan that lists.
        let is_listed = !self.rig.tail.sources[0].places.is_empty();
        if let Some(at) = self.current.filter(|_| depth == Depth::Glob || is_listed) {
            let place = self.rig.tail.sources[0].places.first();
            if place.is_some_and(|place| place.path.ends_with("app.log")) {
                self.contents[at].was_scanned = true;
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
                if self.rig.store[&file].marker.hash == [0; 32] {
                    // Stored, for a place in the middle of a block, after its content was destroyed:
                    // no copy can be recognised by it.
                    (0..self.contents.len()).for_each(|at| self.risk(at));
                    self.was_stored_late = true;
                }
            }
            self.delivered
                .extend(read.into_iter().map(|(_, text)| text.trim_end_matches('\n').into()));
            if !rest.is_empty() {
                self.read.insert(file, rest);
            }
        }
    }

    fn stop_or_start(&mut self) {
        if self.is_running {
            self.read.clear();
            self.rig.stop();
            for at in 0..self.contents.len() {
                self.contents[at].is_held = false;
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
            self.stop_or_start();
        }
        for _ in 0..6 {
            self.scan(Depth::Glob);
            self.read(255);
            self.rig.now += LONG;
        }
        let written: BTreeSet<&String> = self.contents.iter().flat_map(|c| &c.lines).collect();
        let mut once = BTreeSet::new();
        for line in &self.delivered {
            assert!(once.insert(line) || self.was_stored_late, "delivered twice: {line}");
            assert!(
                written.contains(line) || line.starts_with("fragment") || self.was_destructive,
                "never written: {line}"
            );
        }
        let has_report =
            self.rig.events.iter().any(|event| matches!(event, TailEvent::PossibleLoss { .. }));
        assert!(self.was_destructive || !has_report, "a loss where there can be none");
        for line in written.into_iter().filter(|line| !once.contains(line)) {
            match self.at_risk.get(line) {
                None => panic!("lost: {line}"),
                Some(true) => assert!(has_report, "lost without a report: {line}"),
                Some(false) => {}
            }
        }
    }
}

#[test]
fn every_line_is_delivered_once() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let cases = number("OFFHOURS_TAIL_CASES").unwrap_or(300);
    let seed = number("OFFHOURS_TAIL_SEED").unwrap_or_else(|| RandomState::new().hash_one(cases));
    eprintln!("OFFHOURS_TAIL_SEED={seed}");
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
        let limits = Limits { descriptors, block_bytes, ..Limits::default() };
        let mut world = World::new(pattern, limits);
        ops.iter().for_each(|op| world.apply(op));
        world.finish();
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}\nOFFHOURS_TAIL_SEED={seed}");
    }
}
