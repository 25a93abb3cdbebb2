//! What the checkpoint remembers, and records of several lines through crashes at any moment.

mod cutting;
mod growing;

use std::path::Path;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::given::Given;
use super::*;
use crate::config::parse;
use crate::format::FileEncoding;

#[test]
fn what_a_checkpoint_remembers_comes_back() {
    let last: Option<Instant> = chrono::DateTime::from_timestamp(1_773_100_800, 500_000_000);
    for header in [None, Some("time,event,a b")] {
        for last in [None, last] {
            for is_misread in [false, true] {
                for given in [None, Some(Given::new(77, 12, b"a record\n"))] {
                    let header = header.map(String::from);
                    let memo = Memo { header, last, is_misread, given };
                    assert_eq!(Memo::read(&memo.write(), 77), memo);
                }
            }
        }
    }
}

const FILE: FileId = FileId(7);

fn sources() -> Vec<Source> {
    sources_of("[{ preset: postgresql, partner: p, files: [/x.log] }]")
}

fn sources_of(sources: &str) -> Vec<Source> {
    let text = format!(
        "services: {{ atlas: {{}} }}\n\
         partners: {{ p: {{ confirmation: {{ required: false }} }} }}\n\
         sources: {sources}\n"
    );
    parse(&text, Path::new("/a.yml"), now()).unwrap().sources
}

fn now() -> Instant {
    "2026-06-21T12:00:00Z".parse().unwrap()
}

/// What became of a log, as a ledger would have it.
#[derive(Default)]
struct Record {
    ids: Vec<String>,
    rejected: usize,
    lines: u64,
    /// Offset and memo of the last progress.
    checkpoint: (u64, String),
}

impl Record {
    fn take(&mut self, intake: &mut Intake, now: Instant) {
        let batch = intake.take(now, true, &mut |_, _| {});
        for taking in batch.events {
            let crate::event::Body::Run(run) = taking.event.body else { panic!("no run") };
            self.ids.push(run.run_id.unwrap().into());
        }
        self.rejected += batch.rejected.len();
        let lines = batch.tallies.iter().filter(|((_, name, _), _)| *name == "lines");
        self.lines += lines.map(|(_, n)| n).sum::<u64>();
        for progress in batch.progress {
            assert!(self.checkpoint.0 <= progress.offset, "progress goes on");
            self.checkpoint = (progress.offset, progress.memo);
        }
    }

    /// A process that goes on where the last one left off.
    fn intake(&self) -> Intake {
        self.intake_of(&sources())
    }

    fn intake_of(&self, sources: &[Source]) -> Intake {
        let mut intake = Intake::new(sources);
        let (offset, memo) = &self.checkpoint;
        intake.opened(FILE, (0, "/x.log".into()), *offset, memo, None, None).unwrap();
        intake
    }
}

fn report(n: usize) -> String {
    format!(
        "2026-06-21 12:00:00 UTC [7] LOG:  automatic vacuum of table \"t{n}\": index scans: 1\n\
         \tpages: 0 removed\n\tsystem usage: elapsed: 1.00 s\n"
    )
}

#[test]
fn a_record_waits_for_the_next_or_until_its_file_is_quiet() {
    let mut record = Record::default();
    let mut intake = record.intake();
    let (first, rest) = (report(1), "2026-06-21 12:00:01 UTC [8] LOG:  checkpoint\n");
    intake.read(FILE, (0, FileEncoding::default()), first.as_bytes(), now());
    intake.nothing_complete(FILE);
    record.take(&mut intake, now());
    assert_eq!((record.ids.len(), record.checkpoint.0), (0, 0), "its next line may belong to it");
    assert!(!intake.is_caught_up("p"), "time does not pass over what may be an end");
    record.take(&mut intake, now() + RECORD_QUIET - TimeDelta::milliseconds(1));
    assert_eq!(record.ids.len(), 0);
    record.take(&mut intake, now() + RECORD_QUIET);
    assert_eq!((record.ids.len(), record.checkpoint.0), (1, 0), "more of it may come");
    assert!(intake.is_caught_up("p"));

    let later = now() + TimeDelta::seconds(10);
    let at = first.len() as u64;
    intake.look();
    intake.read(FILE, (at, FileEncoding::default()), report(2).as_bytes(), later);
    intake.read(FILE, (2 * at, FileEncoding::default()), rest.as_bytes(), later);
    intake.nothing_complete(FILE);
    record.take(&mut intake, later);
    assert_eq!((record.ids.len(), record.checkpoint.0), (2, 2 * at), "the next record has begun");
    assert!(intake.is_caught_up("p"), "noise holds nobody up");
    intake.ended(FILE, later);
    record.take(&mut intake, later);
    assert_eq!((record.checkpoint.0, record.lines), (2 * at + rest.len() as u64, 7));
}

proptest! {
    /// Lines come one or several at a time, with pauses or without, and the process dies at any moment: each record is
    /// taken, once unless its lines came with pauses, and every line is counted once.
    #[test]
    fn each_record_is_taken_once_through_crashes(
        kinds in prop::collection::vec(0_usize..4, 1..12),
        steps in prop::collection::vec((1_usize..6, 0_usize..5), 1..40),
    ) {
        let mut text = String::new();
        let mut want = Vec::new();
        for (n, kind) in kinds.iter().enumerate() {
            match kind {
                0 | 1 => {
                    text += &report(n);
                    want.push(format!("t{n}"));
                }
                2 => text += "2026-06-21 12:00:00 UTC [8] LOG:  statement: select 1\n\tfrom x\n",
                _ => text += "2026-06-21 12:00:00 UTC [8] LOG:  automatic vacuum of table \"cut\"\n",
            }
        }
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let mut record = Record::default();
        let mut intake = record.intake();
        let mut at = 0;
        let mut steps = steps.iter().cycle();
        let mut crashes = 0;
        while at < text.len() {
            let (lines, then) = steps.next().unwrap();
            let rest = ends.iter().filter(|end| at < **end);
            let end = *rest.take(*lines).last().unwrap();
            intake.read(FILE, (at as u64, FileEncoding::default()), &text.as_bytes()[at..end], now());
            at = end;
            match then {
                0 => {}
                3 => {
                    intake.nothing_complete(FILE);
                    record.take(&mut intake, now() + RECORD_QUIET);
                    intake.look();
                }
                _ => record.take(&mut intake, now()),
            }
            if *then == 2 && crashes < 20 {
                crashes += 1;
                intake = record.intake();
                at = usize::try_from(record.checkpoint.0).unwrap();
            }
        }
        intake.nothing_complete(FILE);
        record.take(&mut intake, now() + RECORD_QUIET);
        intake.ended(FILE, now());
        record.take(&mut intake, now());
        record.take(&mut intake, now());
        // Read first as far as it was written, and again when it was whole.
        record.ids.dedup();
        prop_assert_eq!(&record.ids, &want);
        prop_assert_eq!(record.rejected, kinds.iter().filter(|kind| **kind == 3).count());
        prop_assert_eq!(record.lines, ends.len() as u64);
        prop_assert_eq!(record.checkpoint.0, text.len() as u64);
    }
}
