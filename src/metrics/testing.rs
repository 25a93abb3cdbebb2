//! Support for the tests of this module: a small agreement, lines to take, and what to compare pages with.

mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::calendar::{Calendar, Zone};
use crate::event::{Body, ChangeType, Event, Kind, Notice, RunLine, Status, Trigger};
use crate::ledger::{Draft, Evidence, Histogram, Ledger, Taking};
use crate::metrics::{
    CalendarView, Known, OwnView, ProcessView, SourceView, View, WebView, project,
};
use crate::policy::{
    Emergencies, Freeze, OTHER, Partner, Policy, Procedure, Service, Terms, defaults,
};
use crate::time::{Instant, Span};

pub use text::{Parsed, SeriesKey};

/// `2025-11-10T13:10` as an instant in UTC.
pub fn at(text: &str) -> Instant {
    let civil = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
    civil.unwrap_or_else(|e| panic!("{text}: {e}")).and_utc()
}

pub fn spans(spans: &[(&str, &str)]) -> Arc<Calendar> {
    let span = |(a, b): &(&str, &str)| Span::new(at(a), at(b)).unwrap();
    Arc::new(Calendar::of_spans(spans.iter().map(span).collect()))
}

/// 08:00-18:00 on the 10th, 11th and 12th of November 2025.
fn business_hours() -> Arc<Calendar> {
    spans(&[
        ("2025-11-10T08:00", "2025-11-10T18:00"),
        ("2025-11-11T08:00", "2025-11-11T18:00"),
        ("2025-11-12T08:00", "2025-11-12T18:00"),
    ])
}

/// 22:00-05:00 from the 9th of November 2025, three nights.
fn windows() -> Arc<Calendar> {
    spans(&[
        ("2025-11-09T22:00", "2025-11-10T05:00"),
        ("2025-11-10T22:00", "2025-11-11T05:00"),
        ("2025-11-11T22:00", "2025-11-12T05:00"),
    ])
}

pub fn freeze(name: &str, from: &str, to: &str) -> Freeze {
    Freeze { name: Arc::from(name), calendar: spans(&[(from, to)]) }
}

/// One partner `hostco` with a procedure for `atlas`, one for `atlas` and `billing`, and one that may run at
/// any time.
pub fn policy() -> Policy {
    let mut partner = partner("hostco");
    declare(&mut partner, "archive-compaction", &["atlas"], |t| {
        t.triggers = vec![Trigger::Schedule];
        t.expected_duration = Some(TimeDelta::minutes(85));
        t.max_duration = Some(TimeDelta::hours(2));
    });
    declare(&mut partner, "index-rebuild", &["atlas", "billing"], |t| {
        t.verify_within = Some(TimeDelta::hours(2));
    });
    declare(&mut partner, "certificate-renewal", &["atlas"], |t| {
        t.windows = None;
        t.business_hours_allowed = true;
        t.confirmation.required = false;
    });
    let procedure = &mut partner.procedures[0];
    procedure.document = Some("https://wiki.example/archive-compaction".into());
    procedure.reviewed = Some(at("2025-10-01T00:00"));
    procedure.review_every = Some(TimeDelta::days(180));
    Policy {
        services: vec![service("atlas"), service("billing")],
        partners: vec![partner],
        digest: "d".into(),
        holidays_end: None,
    }
}

pub fn service(name: &str) -> Service {
    Service {
        name: Arc::from(name),
        zone: Zone::utc(),
        business_hours: (name == "atlas").then(business_hours),
        freezes: vec![],
    }
}

/// A partner with nothing declared.
pub fn partner(name: &str) -> Partner {
    let undeclared = Arc::new(terms(name, OTHER, OTHER, false));
    Partner {
        name: Arc::from(name),
        zone: Zone::utc(),
        windows: Some(windows()),
        freezes: vec![],
        late_after: defaults::LATE_AFTER,
        clock_tolerance: defaults::CLOCK_TOLERANCE,

        delivered_every: None,
        procedures: vec![],
        undeclared: HashMap::from([(None, undeclared)]),
    }
}

/// Declares a procedure for these services, as the configuration does.
pub fn declare(partner: &mut Partner, name: &str, services: &[&str], set: impl Fn(&mut Terms)) {
    let mut procedure = Procedure {
        name: Arc::from(name),
        services: services.iter().map(|s| Arc::from(*s)).collect(),
        reviewed: None,
        review_every: None,
        document: None,
        concurrent: false,
        terms: HashMap::new(),
    };
    for service in services.iter().map(|s| Some(*s)).chain([None]) {
        let key: Option<Arc<str>> = service.map(Arc::from);
        let mut of_one = terms(&partner.name, service.unwrap_or(OTHER), name, true);
        set(&mut of_one);
        procedure.terms.insert(key.clone(), Arc::new(of_one));
        let other = terms(&partner.name, service.unwrap_or(OTHER), OTHER, false);
        partner.undeclared.insert(key, Arc::new(other));
    }
    partner.procedures.push(procedure);
}

fn terms(partner: &str, service: &str, procedure: &str, declared: bool) -> Terms {
    let mut terms = Terms::nothing_agreed(partner, service, procedure);
    terms.declared = declared;
    terms.business_hours = (service == "atlas").then(business_hours);
    terms.windows = Some(windows());
    terms.confirmation.required = true;
    terms.confirmation.notice = Some(TimeDelta::hours(24));
    terms.emergencies = Emergencies { allowed: true, approve_within: Some(TimeDelta::hours(72)) };
    terms
}

/// A run line; to be changed by the caller.
pub fn line(kind: Kind, procedure: &str, service: &str, run_id: &str) -> RunLine {
    RunLine {
        kind,
        services: vec![service.into()],
        procedure: Some(procedure.into()),
        run_id: Some(run_id.into()),
        change_id: None,
        trigger: Trigger::Schedule,
        phase: None,
        outcome: None,
        whole: None,
    }
}

/// A notice for `archive-compaction` on `atlas`; to be changed by the caller.
pub fn notice(change_id: &str, status: Status, planned: (&str, &str)) -> Notice {
    Notice {
        change_id: change_id.into(),
        revision: None,
        status: Some(status),
        services: vec!["atlas".into()],
        procedures: vec!["archive-compaction".into()],
        change_type: Some(ChangeType::Normal),
        planned_start: Some(at(planned.0)),
        planned_end: Some(at(planned.1)),
        ..Notice::default()
    }
}

/// Takes events of `hostco` as they are read.
pub struct Log<'a> {
    pub policy: &'a Policy,
    pub draft: Draft,
    /// From the stamp of a line to its reading.
    pub delay: TimeDelta,
    /// What is read may be seen at once; not so while a process catches up.
    pub live: bool,
}

impl<'a> Log<'a> {
    pub fn new(policy: &'a Policy) -> Log<'a> {
        let draft = Draft::new(Ledger::default(), Evidence::Readings);
        Log { policy, draft, delay: TimeDelta::seconds(1), live: true }
    }

    pub fn run(&mut self, stamp: &str, line: RunLine) -> &mut Self {
        self.take("hostco", stamp, Body::Run(line))
    }

    pub fn notice(&mut self, stamp: &str, notice: Notice) -> &mut Self {
        self.take("hostco", stamp, Body::Notice(notice))
    }

    /// Lines that arrive together: nobody sees what lies between them.
    pub fn together(&mut self, lines: &[(&str, RunLine)]) {
        for (stamp, line) in lines {
            self.read("hostco", stamp, Body::Run(line.clone()));
        }
        self.draft.drain();
    }

    pub fn take(&mut self, partner: &str, stamp: &str, body: Body) -> &mut Self {
        self.read(partner, stamp, body);
        self.draft.drain();
        self
    }

    fn read(&mut self, partner: &str, stamp: &str, body: Body) {
        let taking = Taking {
            partner: Arc::from(partner),
            ours: false,
            event: Event { at: at(stamp), other_reading: None, partner: None, body },
            place: None,
            read: 0,
            observed: at(stamp) + self.delay,
            followed_since: None,
            live: self.live,
            line: None,
        };
        self.draft.take(self.policy, &taking).unwrap();
    }

    /// Lets time pass without a line.
    pub fn pass(&mut self, to: &str) -> &mut Self {
        for partner in &self.policy.partners {
            self.draft.advance(self.policy, &partner.name, at(to), at(to), true);
        }
        self
    }

    pub fn ledger(&self) -> &Ledger {
        self.draft.ledger()
    }
}

pub static KNOWN: Known<'static> = Known {
    rotation_kinds: &["rename", "truncate"],
    read_error_kinds: &["open", "read"],
    loss_reasons: &["truncated"],
    rejected_reasons: &["no_time", "bad_event"],
};

pub fn source() -> SourceView {
    SourceView {
        covered: true,
        name: Arc::from("hostco-maintenance"),
        partners: vec![Arc::from("hostco")],
        up: true,
        misread: false,
        lag_bytes: 17,
        files: 2,
        last_line: Some(at("2025-11-10T13:20")),
        last_event: Some(at("2025-11-10T13:10")),
        max_silence: Some(TimeDelta::hours(1)),
        max_event_silence: Some(TimeDelta::days(2)),
        unseen: Vec::new(),
        since: None,
        tallies: BTreeMap::new(),
    }
}

pub fn own() -> OwnView {
    OwnView {
        ledger_entries: 0,
        ledger_head: crate::ledger::chain::GENESIS,
        commits: 0,
        commit_durations: Histogram::new(&[0.001, 0.01]),
        ledger_errors: 0,
        last_turn: Some(at("2025-11-10T00:00")),
        log_dropped: 3,
        clock_ahead: TimeDelta::hours(25),
        clock_jumps: 1,
        slept: TimeDelta::minutes(90),
        alerts_sent: BTreeMap::new(),
        calendars: vec![CalendarView {
            name: "partner.ics".into(),
            errors: 2,
            read_at: at("2025-11-10T00:00"),
            is_stale: true,
            unused: 2,
        }],
        reload_ok: true,
        reload_at: Some(at("2025-11-10T00:00")),
        web: Some(WebView { is_latest: false, certificate_end: Some(at("2026-02-01T00:00")) }),
        version: "0.1.0".into(),
        revision: "abc".into(),
        rustc: "1.95.0".into(),
        tzdb_version: "2025b (system)".into(),
        holidays_version: "0.70".into(),
        holidays_end: at("2046-01-01T00:00"),
        process: Some(ProcessView {
            cpu_seconds: 1.5,
            resident_bytes: 7_340_032,
            virtual_bytes: 104_857_600,
            open_fds: 9,
            max_fds: Some(1_024),
            start: at("2025-11-09T23:59"),
            threads: 3,
        }),
    }
}

/// The text of a scrape at `now`, with one source.
pub fn scrape(policy: &Policy, ledger: &Ledger, now: &str) -> String {
    let (sources, own) = ([source()], own());
    let view = View { ledger, policy, now: at(now), sources: &sources, own: &own, known: &KNOWN };
    project(&view).unwrap()
}

/// Scrapes at `now` and looks up each series; `P` stands for the labels of `archive-compaction` on `atlas`.
/// `None`: there must be no such series.
pub fn check(policy: &Policy, ledger: &Ledger, now: &str, rows: &[(&str, Option<f64>)]) {
    let parsed = Parsed::of(&scrape(policy, ledger, now));
    for (series, want) in rows {
        let series = series.replace("{P", &format!("{{{ATLAS}"));
        assert_eq!(parsed.get(&series), *want, "{series} at {now}");
    }
}

const ATLAS: &str = r#"partner="hostco",affected_service="atlas",procedure="archive-compaction""#;

/// An instant as Prometheus writes it.
pub fn unix(text: &str) -> Option<f64> {
    Some(at(text).timestamp() as f64)
}

/// Compares with a file of the repository, or writes it when `BLESS` is set.
pub fn golden(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = want.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(want == text, "{} is not up to date (BLESS=1): {differ:?}", path.display());
}
