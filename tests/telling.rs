//! What is told again adds nothing, and every start is judged: by ids and without, replayed and live, after a restart.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use offhours::app::intake::in_order;
use offhours::config::{self, Config};
use offhours::event::{Body, Event, Kind, OtherReading, RunLine};
use offhours::ledger::told::MARKS_KEPT;
use offhours::ledger::{Draft, Evidence, Ledger, Taking};
use offhours::run::Run;
use offhours::store::{Commit, Store};
use offhours::time::Instant;
use proptest::prelude::*;

use crate::judging::{AGREEMENT, at, line};
use crate::support::folder;

fn agreement() -> Config {
    config::parse(AGREEMENT, Path::new("offhours.yml"), at("01 00:00:00")).expect("an agreement")
}

fn taking(stamp: Instant, line: RunLine) -> Taking {
    Taking {
        partner: "northhost".into(),
        ours: false,
        event: Event { at: stamp, other_reading: None, partner: None, body: Body::Run(line) },
        place: None,
        read: 0,
        observed: stamp,
        followed_since: None,
        live: false,
        line: None,
    }
}

/// `23:00:00 started procedure=reindex id=1`; `start=` makes it a line that tells a run whole.
fn told(text: &str) -> Taking {
    let mut words = text.splitn(3, ' ');
    let stamp = at(words.next().expect("a stamp"));
    let kind = Kind::parse(words.next().expect("an event")).expect("a kind");
    let rest = words.next().unwrap_or_default();
    let mut line = line(kind, rest);
    let field = |name: &str| rest.split(' ').find_map(|word| word.strip_prefix(name));
    line.phase = field("phase=").map(Box::from);
    line.whole = field("start=").map(|start| (at(start), stamp));
    taking(stamp, line)
}

/// What became of the runs, without their numbers.
fn runs(ledger: &Ledger) -> Vec<String> {
    let text = |run: &Arc<Run>| {
        let reasons: Vec<String> =
            run.findings.values().map(|f| format!("{}@{}", f.reason.as_str(), f.at)).collect();
        let (id, service) = (run.run_id.as_deref(), run.service.as_deref());
        format!(
            "{} {} {id:?} {service:?} {:?} {} {} {} {:?} {} phases",
            run.start,
            run.procedure,
            run.end,
            run.state.as_str(),
            run.verdict().as_str(),
            reasons.join(","),
            run.verified,
            run.phases.len(),
        )
    };
    let mut all: Vec<String> = ledger.runs().map(text).collect();
    all.sort();
    all
}

fn irregular(ledger: &Ledger) -> String {
    let all = ledger.board().partners.values().flat_map(|partner| &partner.irregularities);
    let words: Vec<String> = all.map(|(kind, n)| format!("{}={n}", kind.as_str())).collect();
    words.join(" ")
}

/// As a replay takes it: everything in the order of the stamps.
fn replayed(config: &Config, mut lines: Vec<Taking>) -> Ledger {
    let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
    in_order(&mut lines);
    draft.expect(&config.policy, &lines);
    for taking in &lines {
        draft.take(&config.policy, taking).expect("a line");
        draft.drain();
        draft.drain_told();
    }
    let end = at("20 00:00:00");
    draft.advance(&config.policy, &"northhost".into(), end, end, true);
    draft.ledger().clone()
}

/// What `lines` come to: each run as `id/service start-end state`, and the irregularities.
fn comes_to(lines: &[&str]) -> (Vec<String>, String) {
    let ledger = replayed(&agreement(), lines.iter().map(|text| told(text)).collect());
    let hour = |t: Instant| t.format("%H:%M:%S").to_string();
    let mut all: Vec<&Arc<Run>> = ledger.runs().collect();
    all.sort_by_key(|run| (run.start, run.no));
    let text = |run: &&Arc<Run>| {
        let (id, service) = (run.run_id.as_deref(), run.service.as_deref());
        let until = run.end.or(run.lost_at).map_or("".into(), hour);
        let (id, service) = (id.unwrap_or("-"), service.unwrap_or("-"));
        format!("{id}/{service} {}-{until} {}", hour(run.start), run.state.as_str())
    };
    (all.iter().map(text).collect(), irregular(&ledger))
}

/// What the lines are about, the lines, the runs that they come to, and the irregularities.
const STARTS: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "told again while it is open",
        &[
            "23:00:00 started procedure=failover id=1",
            "23:00:00 started procedure=failover id=1",
            "23:10:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:10:00 finished"],
        "repeated=1",
    ),
    (
        "told twice, by two writers",
        &[
            "23:00:00 started procedure=failover id=1",
            "23:00:50 started procedure=failover id=1",
            "23:10:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:10:00 finished"],
        "second_start=1",
    ),
    (
        "began again: the earlier is given up at that instant",
        &[
            "02:00:00 started procedure=failover id=vm",
            "11:00:00 started procedure=failover id=vm",
            "11:30:00 finished id=vm",
        ],
        &["vm/orion 02:00:00-11:00:00 lost", "vm/orion 11:00:00-11:30:00 finished"],
        "superseded=1",
    ),
    (
        "likewise without an id",
        &[
            "02:00:00 started procedure=failover",
            "11:00:00 started procedure=failover",
            "11:30:00 finished procedure=failover",
        ],
        &["-/orion 02:00:00-11:00:00 lost", "-/orion 11:00:00-11:30:00 finished"],
        "superseded=1",
    ),
    (
        "a procedure that runs side by side",
        &[
            "23:00:00 started procedure=reindex service=orion",
            "23:00:30 started procedure=reindex service=orion",
            "23:10:00 finished procedure=reindex service=orion",
            "23:20:00 finished procedure=reindex service=orion",
        ],
        &["-/orion 23:00:00-23:10:00 finished", "-/orion 23:00:30-23:20:00 finished"],
        "",
    ),
    (
        "an id that has ended begins anew",
        &[
            "22:00:00 started procedure=failover id=1",
            "22:10:00 finished id=1",
            "23:00:00 started procedure=failover id=1",
            "23:10:00 finished id=1",
        ],
        &["1/orion 22:00:00-22:10:00 finished", "1/orion 23:00:00-23:10:00 finished"],
        "",
    ),
    (
        "an end that the other clock stamped a little before the start",
        &["23:00:30 started procedure=failover id=1", "23:00:10 finished id=1"],
        &["1/orion 23:00:30-23:00:30 finished"],
        "end_before_start=1",
    ),
    (
        "further before it the end is dropped",
        &[
            "23:05:00 started procedure=failover id=1",
            "23:00:10 finished id=1",
            "23:20:00 finished id=1",
        ],
        &["1/orion 23:05:00-23:20:00 finished"],
        "end_before_start=1",
    ),
    (
        "an end that was read before the start is none of it",
        &[
            "23:00:10 finished id=1",
            "23:00:30 started procedure=failover id=1",
            "23:20:00 finished id=1",
        ],
        &["1/orion 23:00:30-23:20:00 finished"],
        "end_without_start=1",
    ),
    (
        "a run that one line tells is never lost",
        &["23:00:00 finished procedure=failover id=1 start=01:00:00"],
        &["1/orion 01:00:00-23:00:00 finished"],
        "",
    ),
    (
        "its end before its start counts as at the start",
        &["23:00:00 finished procedure=failover id=1 start=23:00:15"],
        &["1/orion 23:00:15-23:00:15 finished"],
        "end_before_start=1",
    ),
    (
        "told three times whole",
        &[
            "23:30:00 finished procedure=failover id=1 start=23:00:00",
            "23:30:00 finished procedure=failover id=1 start=23:00:00",
            "23:30:00 finished procedure=failover id=1 start=23:00:00",
        ],
        &["1/orion 23:00:00-23:30:00 finished"],
        "repeated=2",
    ),
    (
        "the same start and another end is another run",
        &[
            "23:30:00 finished procedure=failover id=1 start=23:00:00",
            "23:40:00 finished procedure=failover id=1 start=23:00:00",
        ],
        &["1/orion 23:00:00-23:30:00 finished", "1/orion 23:00:00-23:40:00 finished"],
        "",
    ),
    (
        "an end that tells its start ends the run that is open",
        &[
            "23:00:00 started procedure=failover",
            "23:30:00 finished procedure=failover start=23:00:20",
        ],
        &["-/orion 23:00:00-23:30:00 finished"],
        "",
    ),
    (
        "unless that began later than it says",
        &[
            "23:20:00 started procedure=failover",
            "23:30:00 finished procedure=failover start=23:00:20",
            "23:40:00 finished procedure=failover",
        ],
        &["-/orion 23:00:20-23:30:00 finished", "-/orion 23:20:00-23:40:00 finished"],
        "",
    ),
    (
        "a line without a service is of every service of its procedure",
        &[
            "23:00:00 started procedure=reindex id=1",
            "23:10:00 finished id=1 service=lyra",
            "23:20:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:20:00 finished", "1/lyra 23:00:00-23:10:00 finished"],
        "",
    ),
    (
        "an end for a service that is over ends no other",
        &[
            "23:00:00 started procedure=reindex id=1",
            "23:10:00 finished id=1 service=lyra",
            "23:12:00 finished id=1 service=lyra",
            "23:20:00 finished id=1 service=orion",
        ],
        &["1/orion 23:00:00-23:20:00 finished", "1/lyra 23:00:00-23:10:00 finished"],
        "second_end=1",
    ),
    (
        "phases and ends told again",
        &[
            "23:00:00 started procedure=failover id=1",
            "23:05:00 phase id=1 phase=copy",
            "23:05:00 phase id=1 phase=copy",
            "23:05:00 phase id=1 phase=swap",
            "23:10:00 finished id=1",
            "23:10:00 finished id=1",
            "23:11:00 finished id=1",
            "23:11:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:10:00 finished"],
        "second_end=1 repeated=3",
    ),
    (
        "the service is the start line's, whatever its end says",
        &[
            "22:00:00 started procedure=reindex id=1 service=lyra",
            "22:10:00 finished id=1 service=lyra",
            "23:00:00 started procedure=reindex id=1 service=orion",
            "23:10:00 finished procedure=reindex id=1 service=lyra start=23:00:00",
        ],
        &["1/lyra 22:00:00-22:10:00 finished", "1/orion 23:00:00-23:10:00 finished"],
        "",
    ),
    (
        "an end for a service that ran beside another and is over ends no other",
        &[
            "23:00:00 started procedure=reindex id=1 service=orion",
            "23:05:00 started procedure=reindex id=1 service=lyra",
            "23:10:00 finished id=1 service=orion",
            "23:15:00 finished id=1 service=orion",
            "23:20:00 finished id=1 service=lyra",
        ],
        &["1/orion 23:00:00-23:10:00 finished", "1/lyra 23:05:00-23:20:00 finished"],
        "second_end=1",
    ),
    (
        "a start that names one more service than one on record",
        &[
            "23:00:00 started procedure=reindex id=1 service=orion",
            "23:00:00 started procedure=reindex id=1",
            "23:20:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:20:00 finished", "1/lyra 23:00:00-23:20:00 finished"],
        "repeated=1",
    ),
    (
        "what nobody declared for a service gives up what is open there",
        &[
            "23:00:00 started procedure=reindex service=vega",
            "23:10:00 started procedure=reindex service=vega",
            "23:20:00 finished procedure=reindex service=vega",
        ],
        &["-/vega 23:00:00-23:10:00 lost", "-/vega 23:10:00-23:20:00 finished"],
        "superseded=1",
    ),
    (
        "without an id a start is another line than an end that tells it",
        &[
            "23:19:30 finished procedure=failover start=23:20:00",
            "23:20:00 started procedure=failover",
            "23:40:00 finished procedure=failover",
        ],
        &["-/orion 23:20:00-23:20:00 finished", "-/orion 23:20:00-23:40:00 finished"],
        "end_before_start=1",
    ),
    (
        "without an id an end that tells its start is another line than one that does not",
        &[
            "23:14:00 started procedure=failover",
            "23:21:00 finished procedure=failover start=23:00:00",
            "23:21:00 finished procedure=failover",
        ],
        &["-/orion 23:00:00-23:21:00 finished", "-/orion 23:14:00-23:21:00 finished"],
        "",
    ),
    (
        "the end of a run that was told whole",
        &[
            "23:30:00 finished procedure=failover id=1 service=orion start=23:00:00",
            "23:30:00 finished id=1",
            "23:31:00 finished id=1",
        ],
        &["1/orion 23:00:00-23:30:00 finished"],
        "repeated=1 second_end=1",
    ),
    (
        "two ends a little before the start",
        &[
            "23:00:30 started procedure=failover id=1",
            "23:00:10 finished id=1",
            "23:00:20 failed id=1",
        ],
        &["1/orion 23:00:30-23:00:30 finished"],
        "end_before_start=2",
    ),
    (
        "an end belongs to the start before which it was written, whichever begins meanwhile",
        &[
            "23:00:30 started procedure=failover id=1",
            "23:00:00 finished id=1",
            "23:00:00 started procedure=reindex id=1 service=lyra",
            "23:20:00 finished id=1",
        ],
        &["1/lyra 23:00:00-23:20:00 finished", "1/orion 23:00:30-23:00:30 finished"],
        "end_before_start=1",
    ),
    (
        "what found no run is on record, also told with or without its service",
        &[
            "23:10:00 finished id=9",
            "23:10:00 failed id=9 service=lyra",
            "23:20:00 finished id=8 service=lyra",
            "23:20:00 finished id=8",
            "23:30:00 phase id=7",
            "23:30:00 phase id=7 service=orion",
            "23:31:00 phase id=7",
        ],
        &[],
        "end_without_start=2 phase_without_start=2 repeated=3",
    ),
    (
        "an end on record is told again after another start",
        &[
            "23:10:00 finished id=6 service=orion",
            "23:17:00 started procedure=failover id=6",
            "23:10:00 finished id=6",
            "23:30:00 finished id=6",
        ],
        &["6/orion 23:17:00-23:30:00 finished"],
        "end_without_start=1 repeated=1",
    ),
    (
        "an end that found no run is on record too",
        &["23:10:00 finished id=9", "23:10:00 finished id=9"],
        &[],
        "end_without_start=1 repeated=1",
    ),
];

#[test]
fn a_start_is_judged_unless_it_is_on_record() {
    for (what, lines, want, kinds) in STARTS {
        let (runs, found) = comes_to(lines);
        assert_eq!(runs, *want, "{what}");
        let sorted = |text: &str| {
            let mut words: Vec<String> = text.split_whitespace().map(String::from).collect();
            words.sort();
            words
        };
        assert_eq!(sorted(&found), sorted(kinds), "{what}");
    }
}

/// The agreement may have got a further service meanwhile, or a procedure that nobody had declared.
#[test]
fn a_line_for_every_service_is_told_once_whichever_those_are() {
    let before = agreement();
    let text = AGREEMENT.replace(
        "failover: { services: [orion] }",
        "failover: { services: [orion, lyra] }\n      sweep: {}",
    );
    assert_ne!(text, AGREEMENT);
    let after = config::parse(&text, Path::new("offhours.yml"), at("01 00:00:00"));
    let after = after.expect("an agreement");
    let lines = [
        "23:00:00 started procedure=failover id=1",
        "23:10:00 finished id=1",
        "23:20:00 started procedure=failover",
        "23:30:00 finished procedure=failover",
        "23:40:00 finished procedure=failover id=2 start=23:35:00",
        "23:45:00 finished procedure=failover start=23:42:00",
        "23:50:00 started procedure=sweep id=3",
    ];
    let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
    for config in [&before, &after] {
        for text in lines {
            draft.take(&config.policy, &told(text)).expect("a line");
        }
    }
    assert_eq!(draft.ledger().runs().count(), 5);
    assert_eq!(irregular(draft.ledger()), "repeated=7");
    // What comes after it is of all of them.
    draft.take(&after.policy, &told("23:55:00 started procedure=failover id=1")).expect("a line");
    assert_eq!(draft.ledger().runs().count(), 7);
}

/// The lines, the services of the runs that they verify, and the irregularities.
const VERIFICATIONS: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "22:00:00 started procedure=reindex id=1 service=lyra",
            "22:10:00 finished id=1",
            "23:00:00 started procedure=reindex id=1 service=orion",
            "23:10:00 verified id=1 service=orion",
        ],
        &[],
        "verified_without_end=1",
    ),
    // Where the id has no run for the service that is named, the id decides.
    (
        &[
            "23:00:00 started procedure=mystery id=1",
            "23:10:00 finished id=1",
            "23:20:00 verified id=1 service=orion",
        ],
        &["-"],
        "",
    ),
    (
        &[
            "23:00:00 started procedure=reindex id=1 service=lyra",
            "23:10:00 finished id=1",
            "23:20:00 verified id=1 service=orion",
        ],
        &["lyra"],
        "",
    ),
    (
        &[
            "23:00:00 started procedure=reindex id=1",
            "23:10:00 finished id=1",
            "23:20:00 verified id=1 service=orion",
        ],
        &["orion"],
        "",
    ),
    // Of one line a contradiction counts once.
    (
        &[
            "23:00:00 started procedure=reindex id=1",
            "23:10:00 finished id=1",
            "23:20:00 verified id=1",
            "23:30:00 verified id=1",
        ],
        &["orion", "lyra"],
        "second_verification=1",
    ),
];

#[test]
fn a_verification_is_of_the_service_that_it_names_if_its_id_has_it() {
    for (lines, want, kinds) in VERIFICATIONS {
        let ledger = replayed(&agreement(), lines.iter().map(|text| told(text)).collect());
        let verified = ledger.runs().filter(|run| run.verified.is_some());
        let mut verified: Vec<_> = verified.map(|run| (run.no, run.service.clone())).collect();
        verified.sort();
        let names: Vec<&str> = verified.iter().map(|(_, s)| s.as_deref().unwrap_or("-")).collect();
        assert_eq!((names.as_slice(), irregular(&ledger).as_str()), (*want, *kinds), "{lines:?}");
    }
}

#[test]
fn a_run_told_whole_in_the_hour_that_comes_twice_is_told_once() {
    let config = agreement();
    for id in ["id=1", ""] {
        // Read once more the stamp alone is an hour earlier, or the start is as well.
        for start in ["00:30:00", "09 23:30:00"] {
            let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
            for (stamp, other, start) in
                [("01:10:00", "00:10:00", "00:30:00"), ("00:10:00", "01:10:00", start)]
            {
                let mut line = line(Kind::Finished, &format!("procedure=failover {id}"));
                line.whole = Some((at(start), at(stamp)));
                let mut taking = taking(at(stamp), line);
                let whole = Some((at(start) + (at(other) - at(stamp)), at(other)));
                taking.event.other_reading = Some(OtherReading { at: at(other), whole });
                draft.take(&config.policy, &taking).expect("a line");
            }
            assert_eq!(draft.ledger().runs().count(), 1, "{id} {start}");
            assert_eq!(irregular(draft.ledger()), "repeated=1", "{id} {start}");
        }
    }
}

#[test]
fn a_run_that_is_given_up_has_broken_the_bounds_until_then() {
    let ledger = replayed(
        &agreement(),
        [
            "03:30:00 started procedure=compaction id=1",
            "05:00:00 started procedure=compaction id=1",
        ]
        .map(told)
        .to_vec(),
    );
    let first = ledger.run(1).expect("a run");
    let found: Vec<_> = first.findings.values().map(|f| (f.reason.as_str(), f.at)).collect();
    assert_eq!(found, [("lost", at("05:00:00")), ("overran_window", at("05:00:00"))]);
    assert!(first.sealed);
}

/// Everything on disk, as the engine keeps it.
struct Life {
    config: Config,
    store: Store,
    draft: Draft,
}

impl Life {
    fn begin(home: &Path) -> Life {
        let mut store = Store::open(home).expect("a ledger");
        let mut draft = Draft::new(store.load().expect("its entries"), Evidence::Readings);
        for (partner, marks, all) in store.reader().newest_told(MARKS_KEPT).expect("marks") {
            draft.remember_told(&partner, marks, all);
        }
        Life { config: agreement(), store, draft }
    }

    /// Reads lines long after they were written, asks the store what the draft does not know, and commits. Gives back
    /// how often the store was asked.
    fn read(&mut self, lines: &[Taking]) -> usize {
        let mut asked = 0;
        let mut lines = lines.to_vec();
        in_order(&mut lines);
        self.draft.expect(&self.config.policy, &lines);
        for taking in &mut lines {
            taking.observed = at("30 00:00:00");
            for mark in self.draft.unsure(&self.config.policy, taking) {
                asked += 1;
                if self.store.reader().was_told(&taking.partner, mark).expect("an answer") {
                    self.draft.recall(&taking.partner, mark);
                }
            }
            self.draft.take(&self.config.policy, taking).expect("a line");
        }
        let (entries, told) = (self.draft.drain(), self.draft.drain_told());
        self.store.commit(&Commit { entries, told, ..Commit::default() }).expect("a commit");
        asked
    }
}

/// More runs than are kept in memory, each of two lines.
fn long_log() -> Vec<Taking> {
    let begin = at("01 00:00:00");
    let runs = (0..MARKS_KEPT as i64).map(|n| {
        let start = begin + TimeDelta::seconds(90 * n);
        let id = format!("id=r{n}");
        let started = line(Kind::Started, &format!("procedure=compaction {id}"));
        let ended = line(Kind::Finished, &id);
        [taking(start, started), taking(start + TimeDelta::seconds(30), ended)]
    });
    runs.flatten().collect()
}

#[test]
fn a_log_is_known_again_however_old_it_is_also_after_a_restart() {
    let (home, log) = (folder(), long_log());
    let mut life = Life::begin(home.path());
    let asked: usize = log.chunks(512).map(|lines| life.read(lines)).sum();
    assert_eq!(asked, 0, "a log that is read for the first time asks the store nothing");
    let starts = |life: &Life| {
        let all = life.draft.ledger().board().series.values();
        all.flat_map(|sums| sums.starts.values()).sum::<u64>()
    };
    assert_eq!(starts(&life), MARKS_KEPT as u64);
    let old = &log[..2_000];
    assert!(0 < life.read(old));
    assert_eq!(starts(&life), MARKS_KEPT as u64);
    assert_eq!(irregular(life.draft.ledger()).split(' ').next(), Some("repeated=2000"));
    drop(life);
    let mut life = Life::begin(home.path());
    for lines in [&log[1_000..3_000], &log[log.len() - 2_000..]] {
        life.read(lines);
    }
    assert_eq!(starts(&life), MARKS_KEPT as u64);
    assert_eq!(irregular(life.draft.ledger()).split(' ').next(), Some("repeated=6000"));
}

/// A log in the order of its stamps: runs with and without ids, whole and in parts.
fn logs() -> impl Strategy<Value = Vec<Taking>> {
    let kind = prop::sample::select(vec![
        Kind::Started,
        Kind::Started,
        Kind::Finished,
        Kind::Failed,
        Kind::Phase,
        Kind::Verified,
    ]);
    let procedure = prop::sample::select(vec!["compaction", "reindex", "failover", "mystery"]);
    let service = prop::sample::select(vec!["", "orion", "lyra", "orion,lyra"]);
    let wait = prop_oneof![3 => 1..90_i64, 3 => 90..20_000_i64];
    let id = prop::option::weighted(0.6, 1..4_u8);
    let whole = prop::option::weighted(0.15, 1..9_000_i64);
    let step = (kind, procedure, service, wait, id, whole);
    prop::collection::vec(step, 1..40).prop_map(|steps| {
        let mut now = at("02 00:00:00");
        let step = |(kind, procedure, service, wait, id, whole): (
            Kind,
            &str,
            &str,
            i64,
            Option<u8>,
            Option<i64>,
        )| {
            now += TimeDelta::seconds(wait);
            let mut words = format!("procedure={procedure}");
            words += &id.map_or(String::new(), |id| format!(" id={id}"));
            if !service.is_empty() {
                words += &format!(" service={service}");
            }
            let mut line = line(kind, &words);
            let start = |took| now - TimeDelta::seconds(took);
            line.whole = whole.filter(|_| kind.is_end()).map(|took| (start(took), now));
            taking(now, line)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_again_in_a_replay_changes_no_verdict(
        log in logs(),
        copies in prop::collection::vec((0..40_usize, 0..40_usize, any::<bool>()), 1..4),
    ) {
        let config = agreement();
        let once = runs(&replayed(&config, log.clone()));
        let mut lines = log.clone();
        for (from, to, before) in copies {
            let (from, to) = (from.min(log.len()), to.min(log.len()));
            match before {
                // Its beginning in a file that is read first, or a part in one that is read last.
                true => lines = [&log[..to], &lines].concat(),
                false => lines.extend_from_slice(&log[from.min(to)..from.max(to)]),
            }
        }
        prop_assert_eq!(once, runs(&replayed(&config, lines)));
    }

    #[test]
    fn what_is_told_again_live_changes_no_verdict(
        log in logs(),
        cuts in prop::collection::vec((1..40_usize, 0..40_usize), 1..5),
    ) {
        let config = agreement();
        let partner: Arc<str> = "northhost".into();
        let live = |batches: &[Vec<Taking>]| {
            let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Readings);
            for batch in batches {
                draft.expect(&config.policy, batch);
                for taking in batch {
                    draft.take(&config.policy, taking).expect("a line");
                }
                draft.drain();
                draft.drain_told();
            }
            let end = at("20 00:00:00");
            draft.advance(&config.policy, &partner, end, end, true);
            runs(draft.ledger())
        };
        // A file that grows, and of which some of the beginning comes again with each part.
        let (mut batches, mut again, mut done) = (Vec::new(), Vec::new(), 0);
        for (more, back) in cuts {
            let to = (done + more).min(log.len());
            batches.push(log[done..to].to_vec());
            again.push(log[done..to].to_vec());
            again.push(log[to.saturating_sub(back)..to].to_vec());
            done = to;
        }
        prop_assert_eq!(live(&batches), live(&again));
    }
}
