//! What a scrape costs: it must depend on series and open runs, and not on what has happened so far.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use offhours::calendar::{Calendar, Holidays, Zone};
use offhours::event::{Body, Event, Kind, RunLine, Trigger};
use offhours::ledger::{Draft, Evidence, Histogram, Ledger, Taking};
use offhours::metrics::{Known, OwnView, View, project};
use offhours::policy::{
    Confirmation, Emergencies, OTHER, Partner, Policy, Procedure, Service, Terms, defaults,
};
use offhours::time::{Instant, Span};

/// One procedure for this many services: with `other`, and about 75 series each, 10,000 series.
const SERVICES: usize = 66;
const OPEN_RUNS: usize = 1_000;

fn start_of_time() -> Instant {
    DateTime::from_timestamp(1_762_732_800, 0).unwrap()
}

fn terms(service: &str, procedure: &str) -> Arc<Terms> {
    let weekdays = Calendar::opening_hours("Mo-Fr 08:00-18:00", &Zone::utc(), &Holidays::none());
    let whole = Span::new(start_of_time(), start_of_time() + TimeDelta::days(3_650)).unwrap();
    Arc::new(Terms {
        partner: Arc::from("hostco"),
        service: Arc::from(service),
        procedure: Arc::from(procedure),
        declared: procedure != OTHER,
        zone: Zone::utc(),
        business_hours: Some(Arc::new(weekdays.unwrap())),
        business_hours_allowed: true,
        windows: Some(Arc::new(Calendar::of_spans(vec![whole]))),
        freezes: vec![],
        triggers: vec![],
        confirmation: Confirmation {
            required: false,
            notice: None,
            early: defaults::EARLY,
            late: defaults::LATE,
        },
        emergencies: Emergencies { allowed: false, approve_within: None },
        overrun_tolerance: TimeDelta::zero(),
        expected_duration: Some(TimeDelta::hours(1)),
        max_duration: Some(TimeDelta::days(20)),
        verify_within: None,
        lost_after: TimeDelta::days(30),
        ask_first: false,
        acknowledge_after: defaults::ACKNOWLEDGE_AFTER,
    })
}

fn policy() -> Policy {
    let names: Vec<Arc<str>> = (0..SERVICES).map(|i| Arc::from(format!("service-{i}"))).collect();
    let keys = || names.iter().map(|n| (Some(n.clone()), n.as_ref())).chain([(None, OTHER)]);
    let all = |procedure| -> HashMap<_, _> {
        keys().map(|(key, service)| (key, terms(service, procedure))).collect()
    };
    let procedure = Procedure {
        name: Arc::from("compaction"),
        services: names.clone(),
        reviewed: Some(start_of_time()),
        review_every: Some(TimeDelta::days(180)),
        document: None,
        concurrent: false,
        terms: all("compaction"),
    };
    let partner = Partner {
        name: Arc::from("hostco"),
        zone: Zone::utc(),
        windows: None,
        freezes: vec![],
        late_after: defaults::LATE_AFTER,
        clock_tolerance: defaults::CLOCK_TOLERANCE,

        delivered_every: None,
        procedures: vec![procedure],
        undeclared: all(OTHER),
    };
    let service = |name: &Arc<str>| Service {
        name: name.clone(),
        zone: Zone::utc(),
        business_hours: None,
        freezes: vec![],
    };
    Policy {
        services: names.iter().map(service).collect(),
        partners: vec![partner],
        digest: "".into(),
        holidays_end: None,
    }
}

fn take(draft: &mut Draft, policy: &Policy, at: Instant, kind: Kind, no: usize) {
    let line = RunLine {
        kind,
        services: vec![format!("service-{}", no % SERVICES).into()],
        procedure: Some("compaction".into()),
        run_id: Some(no.to_string().into()),
        change_id: None,
        trigger: Trigger::Schedule,
        phase: None,
        outcome: None,
        whole: None,
    };
    let taking = Taking {
        partner: Arc::from("hostco"),
        ours: false,
        event: Event { at, other_reading: None, partner: None, body: Body::Run(line) },
        place: None,
        read: 0,
        observed: at,
        followed_since: None,
        live: true,
        line: None,
    };
    draft.take(policy, &taking).unwrap();
    draft.drain();
}

/// A ledger with this many sealed runs and [`OPEN_RUNS`] open ones.
fn ledger(policy: &Policy, sealed: usize) -> Ledger {
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    for no in 0..sealed {
        let at = start_of_time() + TimeDelta::seconds(no as i64);
        take(&mut draft, policy, at, Kind::Started, no);
        let end = at + TimeDelta::seconds(no as i64 % 900);
        take(&mut draft, policy, end, Kind::Finished, no);
    }
    for no in sealed..sealed + OPEN_RUNS {
        let at = start_of_time() + TimeDelta::days(1) + TimeDelta::seconds(no as i64 % 60);
        take(&mut draft, policy, at, Kind::Started, no);
    }
    draft.ledger().clone()
}

fn own() -> OwnView {
    OwnView {
        ledger_entries: 0,
        ledger_head: offhours::ledger::chain::GENESIS,
        commits: 0,
        commit_durations: Histogram::new(&[0.001, 0.01, 0.1]),
        ledger_errors: 0,
        last_turn: None,
        log_dropped: 0,
        clock_ahead: TimeDelta::zero(),
        clock_jumps: 0,
        slept: TimeDelta::zero(),
        calendars: Vec::new(),
        alerts_sent: BTreeMap::new(),
        reload_ok: true,
        reload_at: None,
        web: None,
        version: String::new(),
        revision: String::new(),
        rustc: String::new(),
        tzdb_version: String::new(),
        holidays_version: String::new(),
        holidays_end: start_of_time(),
        process: None,
    }
}

fn scrape(c: &mut Criterion) {
    let (policy, own, known) = (policy(), own(), Known::default());
    let now = start_of_time() + TimeDelta::days(2);
    let mut group = c.benchmark_group("scrape");
    for sealed in [0, 1_000, 20_000] {
        let ledger = ledger(&policy, sealed);
        let (ledger, policy, own, known) = (&ledger, &policy, &own, &known);
        let view = View { ledger, policy, now, sources: &[], own, known };
        let series = project(&view).unwrap().lines().filter(|l| !l.starts_with('#')).count();
        let id = BenchmarkId::new(format!("{series}_series_{OPEN_RUNS}_open"), sealed);
        group.bench_function(id, |b| b.iter(|| project(black_box(&view))));
    }
}

criterion_group!(benches, scrape);
criterion_main!(benches);
