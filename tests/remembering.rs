//! What is remembered is what was lived: however its entries are committed, a ledger comes out the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use offhours::config;
use offhours::event::{Body, ChangeType, Event, Kind, Notice, Status, Trigger};
use offhours::ledger::rejudging::{Sealing, differences, judge_again};
use offhours::ledger::told::MARKS_KEPT;
use offhours::ledger::{Asker, Draft, Entry, Evidence, Ledger, Question, Taking, What};
use offhours::policy::Policy;
use offhours::run::{Acknowledgement, Asked, Irregularity, RunNo};
use offhours::store::{Commit, Reader, Store};
use offhours::time::Instant;
use proptest::prelude::*;

use crate::judging::{AGREEMENT, at, line, state};
use crate::support::folder;

/// The second has other hours and windows.
static POLICIES: LazyLock<[Policy; 2]> = LazyLock::new(|| {
    let other =
        AGREEMENT.replace("08:00-18:00", "12:00-13:00").replace("22:00-05:00", "23:00-01:00");
    assert_ne!(other, AGREEMENT);
    [AGREEMENT, &other].map(|text| {
        let config = config::parse(text, Path::new("offhours.yml"), at("01 00:00:00"));
        config.expect("an agreement").policy
    })
});

/// What happens next, `wait_s` seconds after what came before.
#[derive(Clone, Debug)]
struct Step {
    wait_s: i64,
    what: Happens,
}

#[derive(Clone, Debug)]
enum Happens {
    /// A line is read, this many seconds after its stamp.
    Line(i64, Box<Body>),
    /// Time passes.
    Pass,
    /// Somebody takes note of the first violation that waits for it.
    Note,
    /// Somebody asks whether a run of this procedure may start.
    Ask(&'static str),
    /// The other agreement comes into force.
    Reload,
}

/// What becomes of the entries so far, after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Wait,
    Commit,
    /// The disk is full: the draft is dropped, and the same lines come again.
    Fail,
    /// What was not committed is lost, the ledger is opened again, and the same lines come again.
    Kill,
}

fn run_line() -> impl Strategy<Value = Body> {
    let procedure = prop::sample::select(vec!["compaction", "reindex", "failover", "mystery"]);
    let service = prop::sample::select(vec!["", "orion", "lyra", "orion,lyra", "vega"]);
    let kind = prop_oneof![
        4 => Just(Kind::Started),
        4 => prop::sample::select(vec![Kind::Finished, Kind::Failed, Kind::Aborted]),
        3 => prop::sample::select(vec![Kind::Verified, Kind::Approved, Kind::Phase]),
    ];
    let names = (prop::option::weighted(0.7, 1..4_u8), prop::option::weighted(0.4, 1..3_u8));
    let whole = prop::option::weighted(0.1, (0..43_200_i64, 0..14_400_i64));
    (kind, procedure, service, names, whole).prop_map(|(kind, procedure, service, names, whole)| {
        let mut words = format!("procedure={procedure}");
        for (key, number) in [("id", names.0), ("change", names.1)] {
            words += &number.map_or(String::new(), |n| format!(" {key}={n}"));
        }
        if !service.is_empty() {
            words += &format!(" service={service}");
        }
        let mut line = line(kind, &words);
        let start = |seconds| at("09 12:00:00") + TimeDelta::seconds(seconds);
        let whole = whole.map(|(from, took)| (start(from), start(from + took)));
        line.whole = whole.filter(|_| kind.is_end());
        Body::Run(line)
    })
}

fn notice() -> impl Strategy<Value = Body> {
    let status = prop::sample::select(Status::ALL.to_vec());
    let kind = prop::option::of(prop::sample::select(ChangeType::ALL.to_vec()));
    let times = prop::option::of((0..36_i64, -1..5_i64));
    let is = (any::<bool>(), prop::bool::weighted(0.2));
    (1..3_u8, status, kind, times, is).prop_map(|(id, status, kind, times, (named, is_record))| {
        let start = times.map(|(hour, _)| at("09 12:00:00") + TimeDelta::hours(hour));
        let services = if named { vec!["orion".into()] } else { vec![] };
        Body::Notice(Notice {
            change_id: id.to_string().into(),
            revision: None,
            slot: None,
            confirmed_at: start.filter(|_| is_record).map(|start| start - TimeDelta::hours(3)),
            approved_at: start.filter(|_| named && is_record),
            accepted: false,
            is_record,
            status: Some(status),
            services,
            procedures: if named { vec!["failover".into()] } else { vec![] },
            change_type: kind,
            planned_start: start,
            planned_end: start
                .zip(times)
                .map(|(start, (_, takes))| start + TimeDelta::hours(takes)),
        })
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delay = prop_oneof![3 => Just(0_i64), 1 => 0..30_000_i64, 1 => Just(-600_i64)];
    let body = prop_oneof![4 => run_line(), 1 => notice()];
    let told = (delay, body).prop_map(|(delay, body)| Happens::Line(delay, Box::new(body)));
    let what = prop_oneof![
        12 => told,
        4 => Just(Happens::Pass),
        1 => Just(Happens::Note),
        2 => prop::sample::select(vec!["compaction", "failover", "mystery"]).prop_map(Happens::Ask),
        1 => Just(Happens::Reload),
    ];
    let wait = prop_oneof![1 => Just(0_i64), 3 => 1..5_000_i64];
    let step = (wait, what).prop_map(|(wait_s, what)| Step { wait_s, what });
    prop::collection::vec(step, 1..60)
}

/// A draft, the agreement in force, and the time of the wall clock.
struct Life<'a> {
    policies: &'a [Policy; 2],
    draft: Draft,
    policy: usize,
    now: Instant,
}

impl<'a> Life<'a> {
    fn new(policies: &'a [Policy; 2]) -> Life<'a> {
        let draft = Draft::new(Ledger::default(), Evidence::Readings);
        Life { policies, draft, policy: 0, now: at("09 12:00:00") }
    }

    fn live(&mut self, step: &Step) {
        self.now += TimeDelta::seconds(step.wait_s);
        let (now, partner): (_, Arc<str>) = (self.now, "northhost".into());
        let policy = &self.policies[self.policy];
        match &step.what {
            Happens::Line(delay_s, body) => {
                let stamp = now - TimeDelta::seconds(*delay_s);
                let taking = Taking {
                    partner,
                    ours: true,
                    event: Event {
                        at: stamp,
                        other_reading: None,
                        partner: None,
                        body: (**body).clone(),
                    },
                    place: None,
                    read: 0,
                    observed: now,
                    followed_since: Some(at("09 13:00:00")),
                    live: true,
                    line: None,
                };
                // A notice that is refused leaves no trace.
                let _ = self.draft.take(policy, &taking);
            }
            Happens::Pass => self.draft.advance(policy, &partner, now, now, true),
            Happens::Note => {
                let Some(run) = self.draft.ledger().latched().next().cloned() else { return };
                let note = Acknowledgement { at: now, by: "on-call".into(), note: String::new() };
                self.draft.acknowledge(&run, note);
            }
            Happens::Ask(procedure) => {
                let question = Question {
                    partner: partner.clone(),
                    service: None,
                    procedure: (*procedure).into(),
                    change_id: None,
                    trigger: Trigger::Schedule,
                    start: now,
                    lasts: None,
                };
                let asker = Asker { at: now, by: Some("on-call".into()), ..Asker::default() };
                let answer = self.draft.answer(policy, &question).expect("a partner");
                let asked = Asked::new(&question, &asker, &answer);
                self.draft.note_question(&partner, Arc::new(asked));
            }
            Happens::Reload => {
                let kept = self.draft.ledger().clone().keep_time(policy, now);
                self.draft.keep_time(kept, now);
                self.policy = 1 - self.policy;
                self.draft.rejudge(&self.policies[self.policy], now);
            }
        }
    }
}

/// A ledger on disk that may be told that the disk is full.
struct Disk {
    home: tempfile::TempDir,
    store: Option<Store>,
    ledger: Ledger,
}

impl Disk {
    fn new() -> Disk {
        let mut disk = Disk { home: folder(), store: None, ledger: Ledger::default() };
        disk.open();
        disk
    }

    fn open(&mut self) {
        self.store = None;
        let mut store = Store::open(self.home.path()).expect("a ledger");
        self.ledger = store.load().expect("the entries");
        self.store = Some(store);
    }

    fn db(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.home.path().join("ledger.db")).expect("the file");
        db.execute_batch(sql).expect("a change");
    }

    fn commit(&mut self, draft: &mut Draft) -> bool {
        let (entries, told) = (draft.drain(), draft.drain_told());
        let mut commit = Commit { entries, told, ..Commit::default() };
        commit.tallies.insert(("s".into(), "lines", "event".into()), 1);
        let done = self.store.as_mut().expect("it is open").commit(&commit).is_ok();
        if done {
            commit.entries.iter().for_each(|entry| self.ledger.adopt(entry));
        }
        done
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let reader = Reader::open(self.home.path()).expect("the ledger");
        reader.walk(|entry| entries.push(entry)).expect("the entries");
        entries
    }
}

/// What was put on record of each run, and of none. How far the counters of time were shown is left out: that
/// depends on who has seen what when. So does the order of what two runs do at the same instant.
fn by_run(entries: &[Entry]) -> BTreeMap<Option<RunNo>, Vec<Entry>> {
    let mut all: BTreeMap<Option<RunNo>, Vec<Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|e| !matches!(e.what, What::TimeShown { .. })) {
        let mut entry = entry.clone();
        match &mut entry.what {
            What::Ended { shown, .. } | What::Lost { shown, .. } => *shown = None,
            // Of one commit they stand together.
            What::Irregular { kind: Irregularity::Repeated, .. } => continue,
            _ => {}
        }
        all.entry(entry.what.run()).or_default().push(entry);
    }
    all
}

/// What a person compares first.
fn in_short(entries: &[Entry]) -> Vec<String> {
    let reason = |what: &What| match what {
        What::Found { finding, .. } => Some(finding.reason),
        What::Refuted { reason, .. } => Some(*reason),
        _ => None,
    };
    let word = |e: &Entry| format!("{} {} {:?}", e.clock, e.what.name(), reason(&e.what));
    entries.iter().map(word).collect()
}

/// Lives through the steps on disk; the second ledger is the draft's. After each attempt at a step one of the fates comes true.
fn live_on_disk(policies: &[Policy; 2], steps: &[Step], fates: &[Fate]) -> (Disk, Ledger) {
    let mut disk = Disk::new();
    let mut life = Life::new(policies);
    let mut fates = fates.iter().copied();
    // Where the last commit stands: the step after it, the agreement and the time then.
    let mut stands = (0, life.policy, life.now);
    let mut next = 0;
    while let Some(step) = steps.get(next) {
        life.live(step);
        next += 1;
        let fate = match fates.next() {
            None if next < steps.len() => Fate::Wait,
            None => Fate::Commit,
            Some(Fate::Wait) if next == steps.len() => Fate::Commit,
            Some(fate) => fate,
        };
        match fate {
            Fate::Wait => continue,
            Fate::Commit => {
                assert!(disk.commit(&mut life.draft));
                stands = (next, life.policy, life.now);
                continue;
            }
            Fate::Fail => {
                disk.db("CREATE TRIGGER full BEFORE INSERT ON tallies BEGIN SELECT raise(ABORT, 'full'); END");
                assert!(!disk.commit(&mut life.draft));
                disk.db("DROP TRIGGER full");
            }
            Fate::Kill => disk.open(),
        }
        life.draft = Draft::new(disk.ledger.clone(), Evidence::Readings);
        let store = disk.store.as_ref().expect("it is open");
        for (partner, marks, all) in store.reader().newest_told(MARKS_KEPT).expect("marks") {
            life.draft.remember_told(&partner, marks, all);
        }
        (next, life.policy, life.now) = stands;
        life.draft.rejudge(&policies[life.policy], life.now);
    }
    (disk, life.draft.ledger().clone())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_sealed_is_judged_the_same_again(steps in steps()) {
        let policies = &*POLICIES;
        let (mut life, mut seen) = (Life::new(policies), Ledger::default());
        let mut started = BTreeMap::new();
        for step in &steps {
            life.live(step);
            for entry in life.draft.drain() {
                match &entry.what {
                    What::Started { run, .. } => {
                        started.insert(run.no, life.policy);
                    }
                    What::Sealed { run, verdict, business_nanos, outside_nanos, .. } => {
                        let (no, run) = (*run, seen.run(*run).expect("a run").clone());
                        let (from, to) = (started[&no], life.policy);
                        let (first, last) = (&policies[from], &policies[to]);
                        let judged = judge_again(&run, first, last, entry.clock).expect("a verdict");
                        let (business_nanos, outside_nanos) = (*business_nanos, *outside_nanos);
                        let sealed =
                            Sealing { run: &run, verdict: *verdict, business_nanos, outside_nanos };
                        let told = differences(&sealed, &judged, false);
                        prop_assert!(told.is_empty(), "{:?} of {:#?}", told, run);
                    }
                    _ => {}
                }
                seen.adopt(&entry);
            }
        }
    }

    #[test]
    fn however_it_is_committed_the_ledger_is_the_same(
        steps in steps(),
        fates in prop::collection::vec(
            prop_oneof![
                6 => Just(Fate::Wait),
                4 => Just(Fate::Commit),
                1 => Just(Fate::Fail),
                1 => Just(Fate::Kill),
            ],
            0..80,
        ),
    ) {
        let policies = &*POLICIES;
        let mut life = Life::new(policies);
        steps.iter().for_each(|step| life.live(step));
        let entries = life.draft.drain();
        let mut adopted = Ledger::default();
        entries.iter().for_each(|entry| adopted.adopt(entry));
        prop_assert_eq!(state(&adopted), state(life.draft.ledger()));

        let (mut disk, draft) = live_on_disk(policies, &steps, &fates);
        let (stored, lived) = (by_run(&disk.entries()), by_run(&entries));
        for (run, entries) in &lived {
            let stored = stored.get(run).map(Vec::as_slice).unwrap_or_default();
            prop_assert_eq!(in_short(stored), in_short(entries), "run {:?}", run);
            prop_assert_eq!(stored, entries, "run {:?}", run);
        }
        prop_assert_eq!(stored.len(), lived.len());
        prop_assert_eq!(state(&disk.ledger), state(&draft));
        disk.open();
        prop_assert_eq!(state(&disk.ledger), state(&draft));
    }
}
