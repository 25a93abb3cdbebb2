//! Random agreements, plans, histories and questions.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use offhours::config;
use offhours::event::{Body, ChangeType, Event, Kind, Notice, RunLine, Status, Trigger};
use offhours::ledger::{Draft, Evidence, Ledger, Question, Taking};
use offhours::policy::Policy;
use offhours::time::Instant;
use proptest::prelude::*;
use proptest::sample::select;

/// Moments around which worlds are: a usual week, both changes of the clocks in London, Christmas.
const NOW: [&str; 5] = [
    "2026-03-09T12:00:00Z",
    "2026-03-27T15:30:00Z",
    "2026-10-23T20:00:00Z",
    "2025-12-22T09:00:00Z",
    "2026-06-05T23:59:59Z",
];

/// What happened before somebody asks.
#[derive(Clone, Debug)]
pub enum Past {
    Notice(Box<Notice>),
    /// A run of this procedure that took so many minutes.
    Run(&'static str, i64),
}

/// An agreement, what is on record, and what is asked.
#[derive(Clone, Debug)]
pub struct World {
    pub agreement: String,
    pub now: Instant,
    past: Vec<Past>,
    pub questions: Vec<Question>,
}

impl World {
    pub fn policy(&self) -> Policy {
        let config = config::parse(&self.agreement, Path::new("offhours.yml"), self.now);
        config.unwrap_or_else(|error| panic!("{error}\n{}", self.agreement)).policy
    }

    /// Everything that happened before, taken by a draft.
    pub fn draft(&self, policy: &Policy) -> Draft {
        let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
        for (n, past) in self.past.iter().enumerate() {
            let ago = i64::try_from(self.past.len() - n).expect("a few") * 7;
            let at = self.now - TimeDelta::hours(ago);
            match past {
                // A notice without usable times is refused, and leaves no trace.
                Past::Notice(notice) => {
                    let _ = draft.take(policy, &taking(at, Body::Notice((**notice).clone())));
                }
                Past::Run(procedure, minutes) => {
                    let whole = (at - TimeDelta::minutes(*minutes), at);
                    let line = RunLine { whole: Some(whole), ..line(Kind::Finished, procedure) };
                    draft.take(policy, &taking(at, Body::Run(line))).expect("a run");
                }
            }
        }
        draft
    }
}

/// A line that is read at its stamp.
pub fn taking(at: Instant, body: Body) -> Taking {
    Taking {
        partner: "northhost".into(),
        ours: true,
        event: Event { at, other_reading: None, partner: None, body },
        place: None,
        read: 0,
        observed: at,
        followed_since: Some(at - TimeDelta::days(1)),
        live: true,
        line: None,
    }
}

pub fn line(kind: Kind, procedure: &str) -> RunLine {
    RunLine {
        kind,
        services: vec![],
        procedure: Some(procedure.into()),
        run_id: None,
        change_id: None,
        trigger: Trigger::Unknown,
        phase: None,
        outcome: None,
        whole: None,
    }
}

fn instant(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
}

fn maybe(key: &'static str, values: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop::option::of(select(values.to_vec()))
        .prop_map(move |value| value.map_or(String::new(), |value| format!("{key}: {value}")))
}

/// The keys that are given, between braces or as lines.
fn joined(given: Vec<String>) -> String {
    given.into_iter().filter(|key| !key.is_empty()).collect::<Vec<_>>().join(", ")
}

const HOURS: [&str; 4] = [
    "\"Mo-Fr 08:00-18:00; PH off\"",
    "\"Mo-Su 06:00-22:00\"",
    "\"Mo-Fr 09:00-12:00,13:00-17:30\"",
    "\"Mo-Su 07:00-01:30\"",
];
const WINDOWS: [&str; 5] = [
    "\"Mo-Su 22:00-05:00\"",
    "[\"Mo-Fr 20:00-23:00\", \"Mo-Fr 23:00-24:00\", \"Tu-Sa 00:00-02:15\"]",
    "\"Sa,Su 10:00-16:00; PH 01:00-04:00\"",
    "24/7",
    "[\"Mo-Su 12:00-12:30\", \"We 00:30-03:30\"]",
];

fn freezes(now: Instant) -> impl Strategy<Value = String> {
    prop::collection::vec((-20..90_i64, 1..40_i64), 0..2).prop_map(move |spans| {
        let freeze = |(n, (from, hours)): (usize, (i64, i64))| {
            let from = now + TimeDelta::hours(from);
            let to = from + TimeDelta::hours(hours);
            format!(
                "{{ name: f{n}, from: \"{}\", to: \"{}\" }}",
                from.to_rfc3339(),
                to.to_rfc3339()
            )
        };
        let all: Vec<String> = spans.into_iter().enumerate().map(freeze).collect();
        match all.is_empty() {
            true => String::new(),
            false => format!("freezes: [{}]", all.join(", ")),
        }
    })
}

fn confirmation() -> impl Strategy<Value = String> {
    let terms = (
        maybe("required", &["true", "false"]),
        maybe("notice", &["24h", "2h", "0s"]),
        maybe("early", &["0s", "1h", "2h30m"]),
        maybe("late", &["0s", "45m", "3h"]),
    );
    terms.prop_map(|(a, b, c, d)| joined(vec![a, b, c, d])).prop_map(|given| {
        match given.is_empty() {
            true => String::new(),
            false => format!("confirmation: {{ {given} }}"),
        }
    })
}

fn emergencies() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "emergencies: { allowed: true }",
        "emergencies: { allowed: true, approve_within: 0 }",
        "emergencies: { allowed: true, approve_within: 1h }",
        "emergencies: { allowed: true, approve_within: 72h }",
    ])
    .prop_map(String::from)
}

fn procedure(services: &'static str, now: Instant) -> impl Strategy<Value = String> {
    let own = (
        maybe("max_duration", &["40m", "2h", "5h"]),
        maybe("expected_duration", &["30m", "1h25m"]),
        maybe("verify_within", &["30m", "2h"]),
        maybe("triggers", &["[schedule]", "[schedule, manual]"]),
        maybe("overrun_tolerance", &["10m"]),
        prop_oneof![3 => Just(""), 1 => Just("business_hours: allowed")],
        prop_oneof![
            4 => Just(String::new()),
            1 => Just("anytime: true".to_owned()),
            1 => select(WINDOWS.to_vec()).prop_map(|w| format!("windows: {w}")),
        ],
        freezes(now),
        prop_oneof![2 => Just(String::new()), 1 => confirmation()],
    );
    own.prop_map(move |(a, b, c, d, e, f, g, h, i)| {
        let services = format!("services: [{services}]");
        format!("{{ {} }}", joined(vec![services, a, b, c, d, e, f.into(), g, h, i]))
    })
}

fn agreement(now: Instant) -> impl Strategy<Value = String> {
    let zones = || select(vec!["Europe/London", "America/New_York", "UTC"]);
    let service = (zones(), prop::option::weighted(0.8, select(HOURS.to_vec())), freezes(now));
    let partner = (
        zones(),
        select(WINDOWS.to_vec()),
        freezes(now),
        confirmation(),
        emergencies(),
        maybe("lost_after", &["6h", "12h"]),
        maybe("overrun_tolerance", &["5m"]),
    );
    let procedures =
        (procedure("orion", now), procedure("orion, lyra", now), procedure("orion", now));
    (service, partner, procedures).prop_map(|((zone, hours, frozen), partner, procedures)| {
        let hours = hours.map_or(String::new(), |hours| format!("business_hours: {hours}"));
        let zone = format!("timezone: {zone}, holidays: GB-ENG");
        let (of, windows, own, confirmed, emergencies, lost, over) = partner;
        let own = [format!("timezone: {of}, holidays: GB-ENG"), format!("windows: {windows}")]
            .into_iter()
            .chain([own, confirmed, emergencies, lost, over])
            .filter(|key| !key.is_empty())
            .map(|key| match key.strip_prefix("timezone") {
                Some(_) => key.replace(", ", "\n    "),
                None => key,
            });
        let own = own.collect::<Vec<_>>().join("\n    ");
        format!(
            "services:\n  orion: {{ {} }}\n  lyra: {{}}\npartners:\n  northhost:\n    {own}\n    procedures:\n      compaction: {}\n      reindex: {}\n      failover: {}\nsources:\n  - {{ name: s, partner: northhost, files: [/x.log], format: json }}\n",
            joined(vec![zone, hours, frozen]),
            procedures.0,
            procedures.1,
            procedures.2,
        )
    })
}

fn past(now: Instant) -> impl Strategy<Value = Past> {
    let name = select(vec!["compaction", "reindex", "failover"]);
    let status = select(vec![
        Status::Tentative,
        Status::Confirmed,
        Status::Confirmed,
        Status::Confirmed,
        Status::InProcess,
        Status::Cancelled,
    ]);
    let kind = select(vec![ChangeType::Normal, ChangeType::Normal, ChangeType::Emergency]);
    let slot = prop::option::weighted(0.2, select(vec!["one", "two"]));
    let times = prop::option::weighted(0.85, (-10..60_i64, 1..7_i64, 0..4_i64));
    let service = select(vec![vec![], vec!["orion"], vec!["orion", "lyra"]]);
    let notice = (1..5_u8, slot, status, kind, times, name.clone(), service).prop_map(
        move |(id, slot, status, kind, times, procedure, services)| {
            let start = times.map(|(hour, _, quarter)| {
                now + TimeDelta::hours(hour) + TimeDelta::minutes(15 * quarter)
            });
            let end =
                start.zip(times).map(|(start, (_, hours, _))| start + TimeDelta::hours(hours));
            Past::Notice(Box::new(Notice {
                change_id: format!("C{id}").into(),
                slot: slot.map(Into::into),
                status: Some(status),
                services: services.into_iter().map(Into::into).collect(),
                procedures: vec![procedure.into()],
                change_type: Some(kind),
                planned_start: start,
                planned_end: end,
                ..Notice::default()
            }))
        },
    );
    let run = (name, 1..200_i64).prop_map(|(procedure, minutes)| Past::Run(procedure, minutes));
    prop_oneof![2 => notice, 1 => run]
}

fn question(now: Instant) -> impl Strategy<Value = Question> {
    let names = (
        prop_oneof![12 => select(vec!["compaction", "reindex", "failover"]), 1 => Just("mystery")],
        prop_oneof![12 => select(vec!["", "orion"]), 2 => Just("lyra"), 1 => Just("vega")],
        prop::option::weighted(0.3, 1..6_u8),
        prop_oneof![4 => Just(Trigger::Schedule), 1 => select(Trigger::ALL.to_vec())],
    );
    let start = prop_oneof![
        3 => (0..4_320_i64).prop_map(TimeDelta::minutes),
        3 => (0..72_i64, 0..7_i64).prop_map(|(h, n)| TimeDelta::minutes(h * 60 + n * 15)),
        1 => (0..259_200_i64).prop_map(TimeDelta::seconds),
        1 => (0..259_200_000_000_000_i64).prop_map(TimeDelta::nanoseconds),
        1 => (0..72_i64).prop_map(|h| TimeDelta::hours(h) - TimeDelta::nanoseconds(1)),
    ];
    let lasts = prop_oneof![
        2 => Just(None),
        5 => (1..100_i64).prop_map(|minutes| Some(TimeDelta::minutes(minutes))),
        1 => (100..300_i64).prop_map(|minutes| Some(TimeDelta::minutes(minutes))),
        1 => (1..50_000_i64).prop_map(|seconds| Some(TimeDelta::seconds(seconds))),
        1 => Just(Some(TimeDelta::zero())),
        1 => Just(Some(TimeDelta::hours(30))),
    ];
    (names, start, lasts).prop_map(move |((procedure, service, change, trigger), start, lasts)| {
        Question {
            partner: "northhost".into(),
            service: Some(service).filter(|s| !s.is_empty()).map(Arc::from),
            procedure: procedure.into(),
            change_id: change.map(|n| format!("C{n}").into()),
            trigger,
            start: now + start,
            lasts,
        }
    })
}

/// Worlds with so many questions each.
pub fn worlds(questions: usize) -> impl Strategy<Value = World> {
    select(NOW.to_vec()).prop_map(instant).prop_flat_map(move |now| {
        let past = prop::collection::vec(past(now), 0..24);
        let questions = prop::collection::vec(question(now), questions);
        (agreement(now), past, questions).prop_map(move |(agreement, past, questions)| World {
            agreement,
            now,
            past,
            questions,
        })
    })
}
