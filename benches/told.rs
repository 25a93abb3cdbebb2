//! What it costs to know a line again: `cargo bench --bench told`.
//!
//! A log that is read for the first time, with the marks of its lines and without; and lines from the beginning of a
//! log that come again, with ledgers of two sizes. The second must not grow with the ledger.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use criterion::{BatchSize, Criterion, Throughput};
use tempfile::TempDir;

use offhours::clock;
use offhours::config::{self, Config};
use offhours::event::{Body, Event, Kind, RunLine, Trigger};
use offhours::ledger::told::MARKS_KEPT;
use offhours::ledger::{Draft, Evidence, Taking};
use offhours::store::{Commit, Store};
use offhours::time::Instant;

const AGREEMENT: &str = r#"
services:
  orion: { timezone: UTC, business_hours: "Mo-Fr 08:00-18:00" }
partners:
  northhost:
    windows: "Mo-Su 22:00-05:00"
    procedures:
      failover: { services: [orion] }
sources: [{ name: runs, partner: northhost, files: [x.log], format: logfmt }]
"#;

/// Lines of one batch, as the loop takes them.
const BATCH: usize = 512;

/// Lines of a first reading.
const FIRST: usize = 20_000;

/// Lines that come again.
const AGAIN: usize = 2_000;

/// Lines of the ledgers in which they are found again; all have more marks than stay in memory.
const LEDGERS: [usize; 2] = [40_000, 640_000];

/// Whether the marks of lines are looked at and kept.
#[derive(Clone, Copy)]
enum Marks {
    Kept,
    /// Their digests are made all the same; they are not looked up and not stored.
    Dropped,
}

/// A draft and its ledger on disk, as the loop keeps them.
struct Life {
    config: Config,
    store: Store,
    draft: Draft,
}

fn line(number: usize) -> Taking {
    let run = i64::try_from(number / 2).unwrap_or_default();
    let is_start = number.is_multiple_of(2);
    // Monday 3 November 2025, 22:00 UTC, and a run every two seconds.
    let begin = chrono::DateTime::from_timestamp(1_762_207_200, 0).unwrap_or_default();
    let at: Instant = begin + TimeDelta::seconds(2 * run + i64::from(!is_start));
    let told = RunLine {
        kind: if is_start { Kind::Started } else { Kind::Finished },
        services: vec!["orion".into()],
        procedure: Some("failover".into()),
        run_id: Some(format!("J-{run}").into()),
        change_id: None,
        trigger: Trigger::Schedule,
        phase: None,
        outcome: None,
        whole: None,
    };
    Taking {
        partner: Arc::from("northhost"),
        ours: false,
        event: Event { at, other_reading: None, partner: None, body: Body::Run(told) },
        place: None,
        read: 0,
        observed: at,
        followed_since: None,
        live: false,
        line: None,
    }
}

impl Life {
    fn begin(home: &Path) -> Life {
        let config = config::parse(AGREEMENT, Path::new("offhours.yml"), clock::now());
        let mut store = Store::open(home).expect("a ledger");
        let mut draft = Draft::new(store.load().expect("its entries"), Evidence::Readings);
        for (partner, marks, all) in store.reader().newest_told(MARKS_KEPT).expect("marks") {
            draft.remember_told(&partner, marks, all);
        }
        Life { config: config.expect("an agreement"), store, draft }
    }

    fn read(&mut self, lines: &[Taking], marks: Marks) {
        for batch in lines.chunks(BATCH) {
            self.draft.expect(&self.config.policy, batch);
            for taking in batch {
                if let Marks::Kept = marks {
                    self.look_up(taking);
                }
                self.draft.take(&self.config.policy, taking).expect("a line");
            }
            let (entries, mut told) = (self.draft.drain(), self.draft.drain_told());
            if let Marks::Dropped = marks {
                told.clear();
            }
            self.store.commit(&Commit { entries, told, ..Commit::default() }).expect("a commit");
        }
    }

    fn look_up(&mut self, taking: &Taking) {
        for mark in self.draft.unsure(&self.config.policy, taking) {
            if self.store.reader().was_told(&taking.partner, mark).expect("an answer") {
                self.draft.recall(&taking.partner, mark);
            }
        }
    }
}

fn first_reading(c: &mut Criterion) {
    let lines: Vec<Taking> = (0..FIRST).map(line).collect();
    let mut group = c.benchmark_group("first reading");
    group.sample_size(10).throughput(Throughput::Elements(FIRST as u64));
    for (name, marks) in [("with marks", Marks::Kept), ("without", Marks::Dropped)] {
        group.bench_function(name, |b| {
            let fresh = || {
                let home = tempfile::tempdir().expect("a folder");
                let life = Life::begin(home.path());
                (home, life)
            };
            let run = |(home, mut life): (TempDir, Life)| {
                life.read(&lines, marks);
                (home, life)
            };
            b.iter_batched(fresh, run, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn told_again(c: &mut Criterion) {
    let again: Vec<Taking> = (0..AGAIN).map(line).collect();
    let mut group = c.benchmark_group("told again");
    group.sample_size(10).throughput(Throughput::Elements(AGAIN as u64));
    for lines in LEDGERS {
        let home = tempfile::tempdir().expect("a folder");
        let mut life = Life::begin(home.path());
        let all: Vec<Taking> = (0..lines).map(line).collect();
        life.read(&all, Marks::Kept);
        let runs = life.draft.ledger().last_run();
        group.bench_function(format!("of {lines} lines"), |b| {
            b.iter(|| life.read(&again, Marks::Kept));
        });
        assert_eq!(life.draft.ledger().last_run(), runs, "what is told again is no new run");
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    first_reading(&mut criterion);
    told_again(&mut criterion);
    criterion.final_summary();
}
