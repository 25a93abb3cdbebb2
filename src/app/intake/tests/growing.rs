//! Records whose lines come with long pauses between them.

use super::*;
use crate::app::intake::queue::RECORD_LONGEST;
use crate::event::{Body, Kind, RunLine};

/// A backup tool that writes the head of a record when it begins, and the rest as it goes on.
fn backups(wanted: &str, patterns: &[&str]) -> Vec<Source> {
    let patterns = patterns.join(", ");
    sources_of(&format!(
        r#"[{{ name: a, partner: p, files: [/x.log], format: regex, match: {{ any: ["{wanted}"] }},
             continuation: '^  ', patterns: [{patterns}], defaults: {{ service: atlas }} }},
            {{ name: b, partner: p, files: [/y.log], format: logfmt, match: {{ any: ["run"] }} }}]"#
    ))
}

const WHOLE: &str = r#"{ regex: '(?s)^backup (?P<run_id>\w+) from (?P<start>\S+)\n.*  ended (?P<time>\S+)',
                         event: finished, procedure: backup }"#;
const HEAD: &str =
    r#"{ regex: '^backup (?P<run_id>\w+) from (?P<time>\S+)', event: started, procedure: backup }"#;

const LINES: [&str; 4] = [
    "backup b7 from 2026-06-21T11:30:00Z\n",
    "  volume one\n  volume two\n",
    "  ended 2026-06-21T11:50:00Z\n",
    "  retained for 30 days\n",
];

/// What was taken: the events, and how many lines were rejected and counted.
#[derive(Default)]
struct Taken {
    runs: Vec<RunLine>,
    offsets: Vec<u64>,
    rejected: usize,
    lines: u64,
    bytes: u64,
    checkpoint: (u64, String),
}

impl Taken {
    fn take(&mut self, intake: &mut Intake, now: Instant) {
        let batch = intake.take(now, true, &mut |_, _| {});
        for taking in batch.events {
            let Body::Run(run) = taking.event.body else { panic!("no run") };
            self.runs.push(run);
            self.offsets.push(taking.place.unwrap().offset);
        }
        self.rejected += batch.rejected.len();
        for ((_, name, _), n) in batch.tallies {
            match name {
                "lines" => self.lines += n,
                "bytes" => self.bytes += n,
                _ => {}
            }
        }
        for progress in batch.progress.into_iter().filter(|p| p.file == FILE) {
            self.checkpoint = (progress.offset, progress.memo);
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        self.runs.iter().map(|run| run.kind).collect()
    }
}

/// The lines come `pause` apart; after some of them the process ends and another one goes on.
fn read(sources: &[Source], pause: TimeDelta, crashes: &[usize]) -> Taken {
    let mut taken = Taken::default();
    let open = |taken: &Taken| {
        let mut intake = Intake::new(sources);
        let (offset, memo) = &taken.checkpoint;
        intake.opened(FILE, (0, "/x.log".into()), *offset, memo, None, None).unwrap();
        intake
    };
    let text = LINES.concat();
    let mut intake = open(&taken);
    let (mut at, mut written, mut time) = (0, 0, now());
    let give = |intake: &mut Intake, at: &mut usize, to: usize, time| {
        intake.look();
        let new = &text.as_bytes()[*at..to];
        intake.read(FILE, (*at as u64, FileEncoding::default()), new, time);
        intake.nothing_complete(FILE);
        *at = to;
    };
    for (n, line) in LINES.iter().enumerate() {
        written += line.len();
        give(&mut intake, &mut at, written, time);
        taken.take(&mut intake, time);
        time += pause;
        taken.take(&mut intake, time);
        if crashes.contains(&n) {
            intake = open(&taken);
            at = usize::try_from(taken.checkpoint.0).unwrap();
            give(&mut intake, &mut at, written, time);
            taken.take(&mut intake, time);
        }
    }
    assert_eq!(taken.checkpoint.0, 0, "its next line may still come");
    intake.ended(FILE, time);
    taken.take(&mut intake, time);
    taken.take(&mut intake, time);
    assert_eq!(taken.checkpoint.0, text.len() as u64);
    taken
}

#[test]
fn a_record_is_one_whole_however_far_apart_its_lines_come() {
    let (second, long) = (TimeDelta::seconds(1), RECORD_LONGEST + TimeDelta::minutes(1));
    let minutes = TimeDelta::minutes(20);
    for (wanted, patterns, pause, kinds, rejected) in [
        ("ended", &[WHOLE][..], second, vec![Kind::Finished], 0),
        ("ended", &[WHOLE], minutes, vec![Kind::Finished], 0),
        ("ended", &[WHOLE], long, vec![Kind::Finished], 0),
        ("backup", &[WHOLE], second, vec![Kind::Finished], 0),
        ("backup", &[WHOLE], minutes, vec![Kind::Finished], 0),
        // It is told that the first line is no event, and it becomes one all the same.
        ("backup", &[WHOLE], long, vec![Kind::Finished], 1),
        ("backup", &[WHOLE, HEAD], second, vec![Kind::Finished], 0),
        ("backup", &[WHOLE, HEAD], minutes, vec![Kind::Started, Kind::Finished], 0),
    ] {
        let sources = backups(wanted, patterns);
        let all = [vec![], vec![0], vec![1], vec![2], vec![3], vec![0, 1, 2, 3]];
        for crashes in all.iter().filter(|crashes| crashes.is_empty() || second < pause) {
            let taken = read(&sources, pause, crashes);
            let case = format!("{wanted} {patterns:?} {pause} {crashes:?}");
            assert_eq!(taken.kinds(), kinds, "{case}");
            assert!(taken.offsets.iter().all(|offset| *offset == 0), "{case}");
            let run = taken.runs.last().unwrap();
            let start = run.whole.unwrap().0;
            assert_eq!(
                (run.run_id.as_deref(), start),
                (Some("b7"), now() - TimeDelta::minutes(30))
            );
            let counts = (taken.rejected, taken.lines, taken.bytes);
            assert_eq!(counts, (rejected, 5, LINES.concat().len() as u64), "{case}");
        }
    }
}

/// Nobody waits for a record that may not be whole for longer than for any other.
#[test]
fn a_record_that_is_not_whole_holds_nobody_up() {
    let mut intake = Intake::new(&backups("backup", &[WHOLE]));
    let other = FileId(8);
    intake.opened(FILE, (0, "/x.log".into()), 0, "", None, None).unwrap();
    intake.opened(other, (1, "/y.log".into()), 0, "", None, None).unwrap();
    let line = "time=2026-06-21T11:59:00Z run event=started procedure=backup run_id=9\n";
    intake.read(FILE, (0, FileEncoding::default()), LINES[0].as_bytes(), now());
    intake.read(other, (0, FileEncoding::default()), line.as_bytes(), now());
    for file in [FILE, other] {
        intake.nothing_complete(file);
    }
    let mut taken = Taken::default();
    taken.take(&mut intake, now());
    assert!(taken.runs.is_empty() && !intake.is_caught_up("p"));
    taken.take(&mut intake, now() + RECORD_QUIET);
    assert_eq!((taken.runs.len(), taken.rejected), (1, 0));
    assert!(intake.is_caught_up("p"));
    taken.take(&mut intake, now() + RECORD_LONGEST - TimeDelta::seconds(1));
    assert_eq!(taken.rejected, 0);
    taken.take(&mut intake, now() + RECORD_LONGEST);
    assert_eq!(taken.rejected, 1);
    assert!(!intake.holds_anything(), "an idle file costs nothing");
}

/// What was read of a record is not what stands there now: it is read as a new one.
#[test]
fn a_record_that_was_written_anew_is_read_anew() {
    let sources = backups("backup", &[WHOLE, HEAD]);
    let mut taken = Taken::default();
    let mut intake = Intake::new(&sources);
    intake.opened(FILE, (0, "/x.log".into()), 0, "", None, None).unwrap();
    intake.read(FILE, (0, FileEncoding::default()), LINES[0].as_bytes(), now());
    intake.nothing_complete(FILE);
    taken.take(&mut intake, now() + RECORD_QUIET);
    let (offset, memo) = &taken.checkpoint;
    assert_eq!((*offset, taken.kinds()), (0, vec![Kind::Started]));
    let mut intake = Intake::new(&sources);
    intake.opened(FILE, (0, "/x.log".into()), *offset, memo, None, None).unwrap();
    taken.take(&mut intake, now());
    let other = LINES[0].replace("b7", "b8") + LINES[1];
    intake.read(FILE, (0, FileEncoding::default()), other.as_bytes(), now());
    intake.nothing_complete(FILE);
    taken.take(&mut intake, now() + RECORD_QUIET);
    let ids: Vec<_> = taken.runs.iter().map(|run| run.run_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["b7", "b8"]);
    assert_eq!(taken.offsets, [0, 0]);
}
