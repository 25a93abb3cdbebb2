//! The hour that comes twice: a line that is delivered again keeps the reading that it had, replayed and live, also after a
//! restart, and moves neither a run nor the clock by an hour.

use std::path::Path;

use chrono::TimeDelta;
use offhours::app::intake::Intake;
use offhours::app::readings::OnRecord;
use offhours::app::replay::{Log, replay};
use offhours::config::{self, Config};
use offhours::format::{Encoding, FileEncoding};
use offhours::ledger::told::MARKS_KEPT;
use offhours::ledger::{Draft, Evidence};
use offhours::store::{Commit, Store};
use offhours::tail::FileId;
use offhours::time::Instant;
use proptest::prelude::*;

use crate::support::folder;

/// New York: on 1 November 2026 the hour from 01:00 comes twice, at 05:00 and 06:00 UTC.
const AGREEMENT: &str = "
services: { orion: { timezone: America/New_York } }
partners:
  northhost:
    timezone: America/New_York
    windows: \"24/7\"
    procedures: { rebuild: {}, backup: { verify_within: 10m } }
sources:
  - { name: s, partner: northhost, files: [/x/*.log], format: logfmt }
";

fn agreement() -> Config {
    config::parse(AGREEMENT, Path::new("/offhours.yml"), utc("07:00:00")).expect("an agreement")
}

fn utc(clock: &str) -> Instant {
    let text = format!("2026-11-01T{clock}Z");
    chrono::DateTime::parse_from_rfc3339(&text).expect("a time").to_utc()
}

/// `01:41:00 started procedure=rebuild run_id=1` as a line of a log, stamped without an offset.
fn text(lines: &[&str]) -> String {
    let line = |line: &&str| {
        let (clock, rest) = line.split_once(' ').expect("a stamp");
        let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let kind = if kind == "alive" { "msg=alive".into() } else { format!("event={kind}") };
        format!("time=\"2026-11-01 {clock}\" {kind} {rest}\n")
    };
    lines.iter().map(line).collect()
}

/// One run: id, start and end, state, reasons.
fn told(id: Option<&str>, start: &str, end: Option<&str>, state: &str, reasons: &str) -> String {
    let clock = |stamp: &str| stamp.trim_start_matches("2026-11-01T").to_string();
    let end = end.map_or(String::new(), clock);
    format!("{} {}-{end} {state} {reasons}", id.unwrap_or("-"), clock(start)).trim_end().into()
}

/// The runs of a replay of these files.
fn replayed(config: &Config, files: &[String]) -> Vec<String> {
    let home = folder();
    let source = &config.sources[0];
    let log = |(n, text): (usize, &String)| {
        let path = home.path().join(format!("{n}.log"));
        std::fs::write(&path, text).expect("a log");
        Log { path, source }
    };
    let logs: Vec<Log> = files.iter().enumerate().map(log).collect();
    let outcome = replay(config, &logs, None, |_| ()).expect("logs that can be read");
    assert_eq!(outcome.counts.rejected.values().sum::<u64>(), 0);
    let run = |run: &offhours::report::run::RunReport| {
        let (id, end, reasons) = (run.run_id.as_deref(), run.end.as_deref(), run.reasons.join(","));
        told(id, &run.start, end, run.state, &reasons)
    };
    let mut runs: Vec<String> = outcome.runs.iter().map(|(_, report)| run(report)).collect();
    runs.sort();
    runs
}

/// A process that follows files, with its ledger on disk.
struct Life<'c> {
    config: &'c Config,
    store: Store,
    draft: Draft,
    intake: Intake,
}

impl<'c> Life<'c> {
    fn begin(config: &'c Config, home: &Path) -> Life<'c> {
        let mut store = Store::open(home).expect("a ledger");
        let mut draft = Draft::new(store.load().expect("its entries"), Evidence::Readings);
        for (partner, marks, all) in store.reader().newest_told(MARKS_KEPT).expect("marks") {
            draft.remember_told(&partner, marks, all);
        }
        Life { config, store, draft, intake: Intake::new(&config.sources) }
    }

    /// A file goes on with this text; `memo`: what the checkpoint said of it. Nothing is judged yet.
    fn read(&mut self, file: FileId, offset: u64, memo: &str, text: &str) {
        let name = (0, format!("/x/{}.log", file.0).into());
        self.intake.opened(file, name, offset, memo, None, None).expect("a file");
        let encoding = FileEncoding::of(Encoding::Auto, text.as_bytes(), true);
        self.intake.read(file, (offset, encoding), text.as_bytes(), utc("08:00:00"));
    }

    /// Judges and commits. Gives back what the checkpoint of the last file says.
    fn judge(&mut self) -> String {
        let now = utc("08:00:00");
        let policy = &self.config.policy;
        // Everything has been read.
        assert_eq!(self.intake.next_to_read(&[]), None);
        let mut record = OnRecord::new(policy, &self.draft, &self.store);
        let settle = &mut |before: &[_], taking: &mut _| record.settle(before, taking);
        let batch = self.intake.take(now, true, settle);
        assert!(record.error().is_none());
        self.draft.expect(policy, &batch.events);
        for taking in &batch.events {
            for mark in self.draft.unsure(policy, taking) {
                if self.store.reader().was_told(&taking.partner, mark).expect("an answer") {
                    self.draft.recall(&taking.partner, mark);
                }
            }
            self.draft.take(policy, taking).expect("a line");
        }
        let (entries, told) = (self.draft.drain(), self.draft.drain_told());
        self.store.commit(&Commit { entries, told, ..Commit::default() }).expect("a commit");
        batch.progress.last().map(|progress| progress.memo.clone()).unwrap_or_default()
    }

    fn runs(&self) -> Vec<String> {
        let runs = self.draft.ledger().runs().map(|run| {
            let stamp = |t: Instant| offhours::time::rfc3339(t);
            let (id, end) = (run.run_id.as_deref(), run.end.map(stamp));
            told(id, &stamp(run.start), end.as_deref(), run.state.as_str(), "")
        });
        let mut runs: Vec<String> = runs.collect();
        runs.sort();
        runs
    }
}

/// The runs of files that are followed: all found at once, or one after the other, perhaps with a restart before each.
fn followed(config: &Config, files: &[String], how: How) -> Vec<String> {
    let home = folder();
    let mut life = Life::begin(config, home.path());
    for (n, text) in (1..).zip(files) {
        if how == How::Restarted {
            drop(life);
            life = Life::begin(config, home.path());
        }
        life.read(FileId(n), 0, "", text);
        if how != How::AtOnce {
            life.judge();
        }
    }
    life.judge();
    life.runs()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    AtOnce,
    InTurn,
    Restarted,
}

/// What the files are about, the files, and the runs that they come to.
type Row = (&'static str, &'static [&'static [&'static str]], &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        "a start that is delivered again by itself",
        &[
            &[
                "01:41:00 started procedure=rebuild run_id=1",
                "01:32:00 started procedure=rebuild run_id=2",
                "01:50:00 finished run_id=2",
            ],
            &["01:32:00 started procedure=rebuild run_id=2"],
        ],
        &["1 05:41:00Z- running", "2 06:32:00Z-06:50:00Z finished"],
    ),
    (
        "an end that is delivered again by itself",
        &[
            &[
                "01:41:00 started procedure=rebuild run_id=1",
                "01:58:00 started procedure=rebuild run_id=2",
                "01:15:00 failed run_id=1",
                "01:20:00 finished run_id=2",
            ],
            &["01:15:00 failed run_id=1"],
        ],
        &["1 05:41:00Z-06:15:00Z failed", "2 05:58:00Z-06:20:00Z finished"],
    ),
    (
        "likewise without ids",
        &[
            &[
                "01:55:00 started procedure=rebuild",
                "01:05:00 finished procedure=rebuild",
                "01:30:00 started procedure=rebuild",
                "01:40:00 finished procedure=rebuild",
            ],
            &["01:30:00 started procedure=rebuild", "01:40:00 finished procedure=rebuild"],
        ],
        &["- 05:55:00Z-06:05:00Z finished", "- 06:30:00Z-06:40:00Z finished"],
    ),
    (
        "a run that one line tells whole",
        &[
            &[
                "01:55:00 started procedure=rebuild run_id=1",
                "01:30:00 finished procedure=rebuild run_id=2 duration=10m",
            ],
            &["01:30:00 finished procedure=rebuild run_id=2 duration=10m"],
        ],
        &["1 05:55:00Z- running", "2 06:20:00Z-06:30:00Z finished"],
    ),
    (
        "a copy that goes on with new lines goes on in the same hour",
        &[
            &[
                "01:55:00 started procedure=rebuild run_id=1",
                "01:32:00 started procedure=rebuild run_id=2",
            ],
            &[
                "01:32:00 started procedure=rebuild run_id=2",
                "01:45:00 finished run_id=2",
                "01:50:00 finished run_id=1",
            ],
        ],
        &["1 05:55:00Z-06:50:00Z finished", "2 06:32:00Z-06:45:00Z finished"],
    ),
    (
        "what is appended again does not move the second hour into the first",
        &[&[
            "01:05:00 started procedure=rebuild run_id=1",
            "01:15:00 finished run_id=1",
            "01:05:00 started procedure=rebuild run_id=1",
            "01:30:00 started procedure=rebuild run_id=2",
        ]],
        &["1 05:05:00Z-05:15:00Z finished", "2 06:30:00Z- running"],
    ),
    (
        "two writers a little out of order are no repetition",
        &[&[
            "01:47:01.275 started procedure=rebuild run_id=3",
            "01:47:01.100 started procedure=rebuild run_id=4",
            "01:50:01 finished run_id=3",
            "01:51:01 finished run_id=4",
        ]],
        &["3 05:47:01.275Z-05:50:01Z finished", "4 05:47:01.100Z-05:51:01Z finished"],
    ),
];

#[test]
fn a_line_that_is_told_again_keeps_its_reading() {
    let config = agreement();
    for (about, files, runs) in ROWS {
        let files: Vec<String> = files.iter().map(|lines| text(lines)).collect();
        assert_eq!(&replayed(&config, &files), runs, "{about}");
        for how in [How::AtOnce, How::InTurn, How::Restarted] {
            assert_eq!(&followed(&config, &files, how), runs, "{about}, {how:?}");
        }
    }
}

#[test]
fn a_file_that_is_read_on_after_a_restart_knows_in_which_hour_it_was() {
    let (config, home) = (agreement(), folder());
    let mut life = Life::begin(&config, home.path());
    let log = [
        "01:55:00 started procedure=rebuild run_id=1",
        "01:32:00 started procedure=rebuild run_id=2",
    ];
    life.read(FileId(1), 0, "", &text(&log));
    life.judge();
    let copy = text(&log[1..]);
    life.read(FileId(2), 0, "", &copy);
    let memo = life.judge();
    drop(life);
    let mut life = Life::begin(&config, home.path());
    life.read(FileId(2), copy.len() as u64, &memo, &text(&["01:45:00 finished run_id=2"]));
    life.judge();
    assert_eq!(life.runs(), ["1 05:55:00Z- running", "2 06:32:00Z-06:45:00Z finished"]);
}

/// What is told again at the end of a file, and the runs that it comes to.
#[test]
fn a_line_that_is_told_again_does_not_move_the_clock() {
    let config = agreement();
    let log = [
        "01:50:00 started procedure=backup run_id=1",
        "01:54:00 alive",
        "01:55:00 failed run_id=1",
    ];
    for again in [&log[..1], &log[..2], &log[2..]] {
        let text = text(&[&log, again].concat());
        let runs = replayed(&config, &[text]);
        assert_eq!(runs, ["1 05:50:00Z-05:55:00Z failed"], "{again:?}");
    }
    // A line of its own does, also one that is no event.
    for own in ["01:05:00 alive", "01:06:00 started procedure=rebuild run_id=2"] {
        let runs = replayed(&config, &[text(&[&log[..], &[own]].concat())]);
        assert_eq!(runs[0], "1 05:50:00Z-05:55:00Z failed unverified", "{own}");
    }
}

/// A log that is written through both hours, its stamps without an offset.
fn logs() -> impl Strategy<Value = Vec<String>> {
    let kind = prop::sample::select(vec!["started", "started", "finished", "failed", "verified"]);
    let id = prop::option::weighted(0.7, 1..4_u8);
    let procedure = prop::sample::select(vec!["rebuild", "backup"]);
    let took = prop::option::weighted(0.2, 1..90_u8);
    let step = (kind, id, procedure, took, 1..1_500_i64);
    prop::collection::vec(step, 1..20).prop_map(|steps| {
        let mut now = utc("04:50:00");
        let line =
            |(kind, id, procedure, took, wait): (&str, Option<u8>, &str, Option<u8>, i64)| {
                now += TimeDelta::seconds(wait);
                // In October four hours behind, from 06:00 UTC on five.
                let offset = if now < utc("06:00:00") { 4 } else { 5 };
                let civil = (now - TimeDelta::hours(offset)).format("%Y-%m-%d %H:%M:%S");
                let id = id.map_or(String::new(), |id| format!(" run_id={id}"));
                let took = took.filter(|_| kind == "finished");
                let took = took.map_or(String::new(), |minutes| format!(" duration={minutes}m"));
                format!("time=\"{civil}\" event={kind} procedure={procedure}{id}{took}\n")
            };
        steps.into_iter().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_part_that_is_told_again_changes_nothing(
        log in logs(),
        from in 0..20_usize,
        more in 1..6_usize,
    ) {
        let config = agreement();
        let (once, from) = (log.concat(), from.min(log.len() - 1));
        let part = log[from..log.len().min(from + more)].concat();
        let runs = replayed(&config, std::slice::from_ref(&once));
        let appended = format!("{once}{part}");
        let line_by_line: String = log.iter().map(|line| format!("{line}{line}")).collect();
        for files in [vec![once.clone(), part.clone()], vec![appended], vec![line_by_line]] {
            prop_assert_eq!(&runs, &replayed(&config, &files));
        }
        let live = followed(&config, std::slice::from_ref(&once), How::InTurn);
        for how in [How::AtOnce, How::InTurn, How::Restarted] {
            prop_assert_eq!(&live, &followed(&config, &[once.clone(), part.clone()], how));
        }
    }
}
