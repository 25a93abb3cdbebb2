//! However files are cut into blocks and batches, and wherever reading is broken off: the same events, counts
//! and offsets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::app::intake::{Batch, Intake};
use crate::config::{self, Config};
use crate::event::Body;
use crate::tail::{Checkpoint, Content, Depth, FileId, Follow, Limits, Tail, TailEvent};
use crate::time::{Instant, rfc3339};

/// A file of `northhost`, one of the same partner in another format, and one of somebody else.
const FILES: [(&str, &str); 3] = [("logs", "a.log"), ("table", "b.csv"), ("others", "c.log")];

fn config(folder: &Path) -> Config {
    let text = format!(
        "
services: {{ orion: {{}} }}
partners:
  northhost: {{ windows: \"Mo-Su 00:00-24:00\", procedures: {{ p: {{ services: [orion] }} }} }}
  southhost: {{ windows: \"Mo-Su 00:00-24:00\", procedures: {{ p: {{ services: [orion] }} }} }}
sources:
  - {{ name: logs, partner: northhost, files: [{0}/a*.log], format: logfmt, match: {{ key: msg, any: [run] }} }}
  - {{ name: table, partner: northhost, files: [{0}/b.csv], format: csv, match: {{ key: msg, any: [run] }} }}
  - {{ name: others, partner: southhost, files: [{0}/c.log], format: logfmt, match: {{ key: msg, any: [run] }} }}
",
        folder.display()
    );
    config::parse(&text, Path::new("offhours.yml"), at(0)).unwrap()
}

fn at(minute: i64) -> Instant {
    chrono::DateTime::from_timestamp(1_773_100_800 + minute * 60, 0).unwrap()
}

/// What stands in a line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    /// An event, stamped this many minutes after the one before it in its file.
    Event(i64),
    Rejected,
    Noise,
    Blank,
}

/// A file as it is written, and where its events and rejected lines begin.
#[derive(Debug, Default)]
struct Written {
    text: String,
    events: Vec<(Instant, u64)>,
    rejected: Vec<u64>,
    ignored: u64,
}

impl Written {
    fn new(name: &str, lines: &[Line]) -> Written {
        let is_csv = name.ends_with(".csv");
        let mut file = Written::default();
        if is_csv {
            file.text = "time,msg,event,procedure,run_id\n".into();
            file.ignored = 1;
        }
        let mut minute = 0;
        for (number, line) in lines.iter().enumerate() {
            let offset = file.text.len() as u64;
            let (time, msg) = match line {
                Line::Event(later) => {
                    minute += later;
                    file.events.push((at(minute), offset));
                    (rfc3339(at(minute)), "run")
                }
                Line::Rejected => {
                    file.rejected.push(offset);
                    ("yesterday".into(), "run")
                }
                Line::Noise | Line::Blank => {
                    file.ignored += 1;
                    (rfc3339(at(minute)), "heartbeat")
                }
            };
            file.text += &match (line, is_csv) {
                (Line::Blank, _) => "\n".into(),
                (_, true) => format!("{time},{msg},started,p,{number}\n"),
                (_, false) => {
                    format!("time={time} msg={msg} event=started procedure=p run_id={number}\n")
                }
            };
        }
        file
    }
}

/// What has come out so far: offsets of events in the order in which they were taken, and the counts.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Partner, stamp, file, offset.
    events: Vec<(Arc<str>, Instant, Arc<str>, u64)>,
    rejected: Vec<(Arc<str>, u64)>,
    counts: BTreeMap<(String, String), u64>,
    checkpoints: BTreeMap<FileId, Checkpoint>,
}

impl Seen {
    fn add(&mut self, batch: Batch, tail: &mut Tail) {
        assert!(batch.events.is_sorted_by_key(|taking| taking.event.at));
        for taking in batch.events {
            let place = taking.place.unwrap();
            let Body::Run(_) = taking.event.body else { panic!("a notice") };
            self.events.push((taking.partner, taking.event.at, place.path, place.offset));
        }
        for rejected in batch.rejected {
            self.rejected.push((rejected.place.path, rejected.place.offset));
        }
        for ((source, name, label), n) in batch.tallies {
            *self.counts.entry((source.to_string(), format!("{name} {label}"))).or_default() += n;
        }
        for progress in batch.progress {
            tail.set_memo(progress.file, progress.memo);
            let checkpoint = tail.checkpoint(progress.file, progress.offset).unwrap();
            tail.committed(progress.file, progress.offset);
            self.checkpoints.insert(progress.file, checkpoint);
        }
    }

    /// Everything before a checkpoint was taken, and nothing behind it.
    fn check_checkpoints(&self, files: &BTreeMap<String, Written>) {
        for checkpoint in self.checkpoints.values() {
            let path = checkpoint.path.to_string_lossy();
            let taken = self.events.iter().filter(|(_, _, p, _)| **p == *path).map(|e| e.3);
            let mut taken: Vec<u64> = taken.collect();
            taken.sort_unstable();
            let written = &files[&*path].events;
            let before = written.iter().map(|e| e.1).filter(|at| *at < checkpoint.offset);
            assert_eq!(taken, before.collect::<Vec<u64>>(), "{path} to {}", checkpoint.offset);
        }
    }
}

/// One life of the reader, from the checkpoints on.
struct Reading {
    tail: Tail,
    intake: Intake,
}

impl Reading {
    fn new(config: &Config, seen: &Seen, block_bytes: usize) -> Reading {
        let follow = |s: &config::Source| Follow {
            source: s.name.clone(),
            patterns: s.patterns.clone(),
            encoding: s.spec.encoding,
        };
        let follows: Vec<Follow> = config.sources.iter().map(follow).collect();
        let checkpoints = seen.checkpoints.values().cloned().collect();
        let limits = Limits { block_bytes, ..Limits::default() };
        let mut tail = Tail::new(follows, checkpoints, limits).unwrap();
        let mut intake = Intake::new(&config.sources);
        for event in tail.scan(Depth::Glob, Duration::ZERO) {
            let TailEvent::Opened { file, source, path, resumed_at, .. } = event else { continue };
            let index = config.sources.iter().position(|s| s.name == source).unwrap();
            let header = intake.needs_header(index).then(|| tail.first_line(file).unwrap());
            let memo = tail.memo(file).to_string();
            let place = (index, path.to_string_lossy().into());
            let header = header.flatten();
            intake.opened(file, place, resumed_at, &memo, header.as_deref(), None).unwrap();
        }
        Reading { tail, intake }
    }

    /// Reads one block; `false`: there is nothing to be read.
    fn read(&mut self) -> bool {
        let mut unread: Vec<FileId> = self.tail.unread().collect();
        unread.sort_unstable();
        let Some(file) = self.intake.next_to_read(&unread) else { return false };
        let mut buffer = Vec::new();
        match self.tail.read(file, &mut buffer).unwrap() {
            Some(block) => {
                assert_eq!(block.content, Content::Lines);
                self.intake.read(file, (block.offset, block.encoding), &buffer, at(10_000));
            }
            None => self.intake.nothing_complete(file),
        }
        true
    }
}

/// Reads everything in blocks of `block_bytes`. Each of `turns` is how many blocks are read before a batch is
/// taken, and whether the reader is ended behind it, the batch stored or not.
fn read_all(
    files: &BTreeMap<String, Written>,
    config: &Config,
    block_bytes: usize,
    turns: &[(usize, End)],
) -> Seen {
    let mut seen = Seen::default();
    let mut reading = Reading::new(config, &seen, block_bytes);
    let mut turns = turns.iter().copied();
    loop {
        let (blocks, end) = turns.next().unwrap_or((1, End::No));
        let more = (0..blocks).all(|_| reading.read());
        let batch = reading.intake.take(at(10_000), true, &mut |_, _| {});
        let more = more || batch.more;
        match end {
            End::Unstored => {}
            End::No | End::Stored => seen.add(batch, &mut reading.tail),
        }
        seen.check_checkpoints(files);
        if end != End::No {
            reading = Reading::new(config, &seen, block_bytes);
        } else if !more {
            assert!(!reading.intake.has_items());
            return seen;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    No,
    Stored,
    Unstored,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = prop_oneof![
        4 => (0..30_i64).prop_map(Line::Event),
        1 => Just(Line::Rejected),
        4 => Just(Line::Noise),
        1 => Just(Line::Blank),
    ];
    prop::collection::vec(line, 0..60)
}

fn turns() -> impl Strategy<Value = Vec<(usize, End)>> {
    let end = prop_oneof![8 => Just(End::No), 1 => Just(End::Stored), 1 => Just(End::Unstored)];
    prop::collection::vec((1..5_usize, end), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_it_is_cut_the_same_comes_out(
        lines in prop::collection::vec(lines(), FILES.len()),
        second in lines(),
        block_bytes in 40..4_000_usize,
        turns in turns(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let mut files = BTreeMap::new();
        let mut sources = BTreeMap::new();
        let all = FILES.into_iter().zip(&lines).chain([(("logs", "a2.log"), &second)]);
        for ((source, name), lines) in all {
            let path = folder.path().join(name);
            let written = Written::new(name, lines);
            std::fs::write(&path, &written.text).unwrap();
            let path = path.to_string_lossy().into_owned();
            sources.insert(path.clone(), source);
            files.insert(path, written);
        }
        let seen = read_all(&files, &config, block_bytes, &turns);

        // Over all files of a partner in the order of the stamps.
        for partner in ["northhost", "southhost"] {
            let of_one = seen.events.iter().filter(|(p, ..)| **p == *partner);
            prop_assert!(of_one.is_sorted_by_key(|(_, at, ..)| *at), "{:?}", seen.events);
        }
        let mut events: Vec<(String, u64, Instant)> =
            seen.events.iter().map(|(_, at, path, o)| (path.to_string(), *o, *at)).collect();
        events.sort();
        let mut rejected: Vec<(String, u64)> =
            seen.rejected.iter().map(|(path, o)| (path.to_string(), *o)).collect();
        rejected.sort();
        let (mut want_events, mut want_rejected) = (Vec::new(), Vec::new());
        let mut want_counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (path, file) in &files {
            want_events.extend(file.events.iter().map(|(at, o)| (path.clone(), *o, *at)));
            want_rejected.extend(file.rejected.iter().map(|o| (path.clone(), *o)));
            for (name, n) in [
                ("lines event", file.events.len() as u64),
                ("lines rejected", file.rejected.len() as u64),
                ("rejected bad_time", file.rejected.len() as u64),
                ("lines ignored", file.ignored),
                ("bytes ", file.text.len() as u64),
            ] {
                *want_counts.entry((sources[path].into(), name.into())).or_default() += n;
            }
            let end = seen.checkpoints.values().find(|c| *c.path == **path).map(|c| c.offset);
            prop_assert_eq!(end.unwrap_or(0), file.text.len() as u64, "{}", path);
        }
        want_counts.retain(|_, n| *n != 0);
        prop_assert_eq!(events, want_events);
        prop_assert_eq!(rejected, want_rejected);
        prop_assert_eq!(seen.counts, want_counts);
    }
}
