//! The ledger, live: pairing, findings at their instants, refutation, remembering.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use offhours::config::{self, Config};
use offhours::event::{Body, ChangeType, Event, Kind, Notice, RunLine, Status, Trigger};
use offhours::ledger::{Approval, Draft, Evidence, Ledger, Taking};
use offhours::run::{Acknowledgement, Irregularity, Run};
use offhours::store::{Commit, Store};
use offhours::time::Instant;
use offhours::verdict::Reason;

use crate::support::folder;

pub const AGREEMENT: &str = "
services:
  orion: { timezone: Europe/London, holidays: GB-ENG, business_hours: \"Mo-Fr 08:00-18:00; PH off\" }
  lyra: {}
partners:
  northhost:
    timezone: Europe/London
    windows: \"Mo-Su 22:00-05:00\"
    confirmation: { required: true, notice: 24h }
    emergencies: { allowed: true, approve_within: 1h }
    lost_after: 12h
    procedures:
      compaction: { services: [orion], max_duration: 2h, confirmation: { required: false } }
      reindex: { services: [orion, lyra], concurrent: true, verify_within: 1h, confirmation: { required: false } }
      failover: { services: [orion] }
sources:
  - { name: s, partner: northhost, files: [/x.log], format: json }
";

/// A ledger in the making, told in `HH:MM:SS` of Tuesday 10 March 2026, London (and UTC).
struct Story {
    config: Config,
    draft: Draft,
    followed: bool,
    ours: bool,
    /// Its notices come from a system of our own.
    notices_ours: bool,
}

pub fn at(clock: &str) -> Instant {
    let (day, time) = clock.split_once(' ').unwrap_or(("10", clock));
    let text = format!("2026-03-{day}T{time}Z");
    chrono::DateTime::parse_from_rfc3339(&text).expect("a time").to_utc()
}

pub fn line(kind: Kind, words: &str) -> RunLine {
    let fields: BTreeMap<&str, &str> = words.split(' ').filter_map(|w| w.split_once('=')).collect();
    let field = |name: &str| fields.get(name).map(|v| Box::from(*v));
    let services = fields.get("service").map_or(vec![], |s| s.split(',').map(Box::from).collect());
    RunLine {
        kind,
        services,
        procedure: field("procedure"),
        run_id: field("id"),
        change_id: field("change"),
        trigger: Trigger::Schedule,
        phase: None,
        outcome: None,
        whole: None,
    }
}

impl Story {
    fn new() -> Story {
        Story::with(Evidence::Readings)
    }

    fn with(evidence: Evidence) -> Story {
        let now = at("01 00:00:00");
        let config =
            config::parse(AGREEMENT, Path::new("offhours.yml"), now).expect("an agreement");
        Story {
            config,
            draft: Draft::new(Ledger::default(), evidence),
            followed: false,
            ours: true,
            notices_ours: false,
        }
    }

    fn take(&mut self, stamp: &str, read: &str, body: Body) -> bool {
        let event = Event { at: at(stamp), other_reading: None, partner: None, body };
        let taking = Taking {
            partner: "northhost".into(),
            ours: match &event.body {
                Body::Run(_) => self.ours,
                Body::Notice(_) => self.notices_ours,
            },
            event,
            place: None,
            read: 0,
            observed: at(read),
            followed_since: self.followed.then(|| at("01 00:00:00")),
            live: true,
            line: None,
        };
        self.draft.take(&self.config.policy, &taking).is_ok()
    }

    /// A run line that is read at its stamp.
    fn says(&mut self, stamp: &str, kind: Kind, words: &str) -> &mut Story {
        self.take(stamp, stamp, Body::Run(line(kind, words)));
        self
    }

    /// A change notice for `failover` on orion from 23:00 to 23:30, read at `read`.
    fn notice(&mut self, stamp: &str, read: &str, status: Status, kind: ChangeType) -> bool {
        let notice = Notice {
            change_id: "C".into(),
            revision: None,
            status: Some(status),
            services: vec!["orion".into()],
            procedures: vec!["failover".into()],
            change_type: Some(kind),
            planned_start: Some(at("23:00:00")),
            planned_end: Some(at("23:30:00")),
            ..Notice::default()
        };
        self.take(stamp, read, Body::Notice(notice))
    }

    fn advance(&mut self, to: Instant) {
        let partner: Arc<str> = "northhost".into();
        self.draft.advance(&self.config.policy, &partner, to, to, true);
    }

    fn run(&self, no: u64) -> Run {
        (**self.draft.ledger().run(no).expect("a run")).clone()
    }

    /// Reasons with their instants, verdict, whether it is final.
    fn check(&self, no: u64, reasons: &[(&str, &str)], verdict: &str, sealed: bool) {
        let run = self.run(no);
        let found: Vec<(&str, Instant)> =
            run.findings.values().map(|f| (f.reason.as_str(), f.at)).collect();
        let want: Vec<(&str, Instant)> = reasons.iter().map(|(r, t)| (*r, at(t))).collect();
        assert_eq!(found, want, "run {no}");
        assert_eq!((run.verdict().as_str(), run.sealed), (verdict, sealed), "run {no}");
    }

    fn counted(&self, reason: Reason) -> u64 {
        let all = self.draft.ledger().board().series.values();
        all.filter_map(|sums| sums.violations.get(&reason)).sum()
    }

    fn irregular(&self) -> Vec<(&'static str, u64)> {
        let all = self.draft.ledger().board().partners.values();
        all.flat_map(|p| &p.irregularities).map(|(k, n)| (k.as_str(), *n)).collect()
    }
}

use Kind::{Aborted, Approved, Finished, Phase, Started, Verified};

#[test]
fn an_overrun_is_found_at_its_instant_without_a_new_line() {
    let mut s = Story::new();
    s.says("03:30:00", Started, "procedure=compaction id=1");
    s.check(1, &[], "compliant", false);
    assert_eq!(s.draft.next_deadline(), Some(at("05:00:00")));
    s.advance(at("05:00:00") - TimeDelta::nanoseconds(1));
    s.check(1, &[], "compliant", false);
    assert_eq!(s.counted(Reason::OverranWindow), 0);
    s.advance(at("05:00:00"));
    s.check(1, &[("overran_window", "05:00:00")], "violation", false);
    assert_eq!(s.counted(Reason::OverranWindow), 1);
    assert_eq!(s.draft.next_deadline(), Some(at("05:30:00")));
    // Found late, each reason still carries its own instant.
    s.advance(at("09:00:00"));
    let all = [
        ("overran_window", "05:00:00"),
        ("ran_into_business_hours", "08:00:00"),
        ("too_long", "05:30:00"),
    ];
    s.check(1, &all, "violation", false);
    s.advance(at("20:00:00"));
    let run = s.run(1);
    assert_eq!(run.findings.get(&Reason::Lost).map(|f| f.at), Some(at("15:30:00")));
    assert!(run.sealed && run.end.is_none());
}

#[test]
fn a_bound_is_kept_by_an_end_at_it() {
    for (end, want) in [("05:00:00", "compliant"), ("05:00:01", "violation")] {
        let mut s = Story::new();
        s.says("03:30:00", Started, "procedure=compaction id=1");
        s.says(end, Finished, "id=1");
        assert_eq!(s.run(1).verdict().as_str(), want, "{end}");
        assert!(s.run(1).sealed);
    }
}

#[test]
fn a_refuted_reason_leaves_the_run_but_not_the_counter() {
    let mut s = Story::new();
    s.says("03:30:00", Started, "procedure=compaction id=1");
    s.advance(at("05:10:00"));
    assert_eq!(s.counted(Reason::OverranWindow), 1);
    s.take("04:50:00", "05:10:01", Body::Run(line(Finished, "id=1")));
    s.check(1, &[], "compliant", true);
    assert_eq!(s.counted(Reason::OverranWindow), 1);
    assert_eq!(s.irregular(), [("refuted", 1)]);
}

#[test]
fn lines_that_arrive_together_are_judged_in_their_own_order() {
    let mut s = Story::new();
    s.advance(at("09:00:00"));
    s.take("03:30:00", "09:00:00", Body::Run(line(Started, "procedure=compaction id=1")));
    s.take("04:30:00", "09:00:00", Body::Run(line(Finished, "id=1")));
    s.advance(at("09:00:01"));
    s.check(1, &[], "compliant", true);
    assert_eq!(s.counted(Reason::OverranWindow), 0);
}

#[test]
fn a_restart_between_lines_that_belong_together_finds_nothing() {
    let mut s = Story::new();
    s.says("08:59:00", Started, "procedure=reindex service=lyra id=2");
    s.take("03:30:00", "09:00:00", Body::Run(line(Started, "procedure=compaction id=1")));
    s.draft = Draft::new(s.draft.ledger().clone(), Evidence::Readings);
    s.draft.rejudge(&s.config.policy, at("09:00:05"));
    s.check(2, &[], "compliant", false);
    s.take("04:30:00", "09:00:05", Body::Run(line(Finished, "id=1")));
    s.check(2, &[], "compliant", true);
    assert_eq!(s.irregular(), []);
}

#[test]
fn a_bound_that_another_policy_moves_is_watched_from_then_on() {
    let mut s = Story::new();
    s.says("03:30:00", Started, "procedure=compaction id=1");
    s.advance(at("05:10:00"));
    s.check(1, &[("overran_window", "05:00:00")], "violation", false);
    let longer = AGREEMENT.replace("22:00-05:00", "22:00-05:20");
    let longer = config::parse(&longer, Path::new("offhours.yml"), at("01 00:00:00"));
    s.config = longer.expect("an agreement");
    s.draft.rejudge(&s.config.policy, at("05:10:00"));
    s.check(1, &[], "compliant", false);
    s.advance(at("05:20:00"));
    s.check(1, &[("overran_window", "05:20:00")], "violation", false);
}

#[test]
fn contradictions_are_counted_by_kind() {
    let open = ("23:00:00", Started, "procedure=reindex service=orion id=1");
    let end = ("23:10:00", Finished, "id=1");
    for (lines, want) in [
        (vec![open, ("23:01:00", Started, "procedure=reindex id=1")], "second_start"),
        (vec![open, end, ("23:11:00", Aborted, "id=1")], "second_end"),
        (vec![end], "end_without_start"),
        (vec![("23:10:00", Finished, "procedure=reindex service=orion")], "end_without_start"),
        (vec![("23:10:00", Phase, "id=1")], "phase_without_start"),
        (vec![open, ("23:12:00", Verified, "id=1")], "verified_without_end"),
        (
            vec![open, end, ("23:12:00", Verified, "id=1"), ("23:13:00", Verified, "id=1")],
            "second_verification",
        ),
        (vec![open, ("11 13:00:00", Finished, "id=1")], "end_after_lost"),
        (vec![open, ("22:59:59", Finished, "id=1")], "end_before_start"),
    ] {
        let mut s = Story::new();
        for (stamp, kind, words) in &lines {
            s.says(stamp, *kind, words);
        }
        assert_eq!(s.irregular(), [(want, 1)], "{lines:?}");
    }
}

#[test]
fn without_ids_the_oldest_open_run_ends_first() {
    let mut s = Story::new();
    let words = "procedure=reindex service=orion";
    s.says("23:00:00", Started, words).says("23:05:00", Started, words);
    s.says("23:06:00", Started, "procedure=reindex service=lyra");
    s.says("23:10:00", Finished, words);
    assert_eq!((s.run(1).end, s.run(2).end, s.run(3).end), (Some(at("23:10:00")), None, None));
    s.says("23:20:00", Finished, words).says("23:30:00", Verified, words);
    assert_eq!((s.run(1).verified, s.run(2).verified), (Some(at("23:30:00")), None));
    assert_eq!(s.irregular(), []);
}

#[test]
fn a_line_of_several_services_is_a_run_for_each() {
    let mut s = Story::new();
    s.says("23:00:00", Started, "procedure=reindex service=orion,lyra id=1");
    s.says("23:10:00", Finished, "id=1").says("23:20:00", Verified, "id=1");
    for no in [1, 2] {
        s.check(no, &[], "compliant", true);
        assert_eq!(s.run(no).end, Some(at("23:10:00")));
    }
    s.says("23:30:00", Started, "procedure=reindex id=1");
    assert_eq!(s.run(3).service.as_deref(), Some("orion"));
    assert_eq!(s.run(4).service.as_deref(), Some("lyra"));
    s.says("23:31:00", Started, "procedure=compaction id=2");
    assert_eq!(s.run(5).service.as_deref(), Some("orion"));
    s.says("23:32:00", Started, "procedure=mystery id=3");
    assert_eq!(s.run(6).service, None);
}

#[test]
fn verification_and_approval_keep_their_bounds_to_the_instant() {
    for (verified, want) in [("11 00:10:00", "compliant"), ("11 00:10:01", "violation")] {
        let mut s = Story::new();
        s.says("23:00:00", Started, "procedure=reindex service=orion id=1");
        s.says("23:10:00", Finished, "id=1").says(verified, Verified, "id=1");
        assert_eq!((s.run(1).verdict().as_str(), s.run(1).sealed), (want, true), "{verified}");
    }
    let emergency = |approved: &str, words: &str| {
        let mut s = Story::new();
        s.notice("12:00:00", "12:00:00", Status::Confirmed, ChangeType::Emergency);
        let early = approved < "12:05:00";
        if early {
            s.says(approved, Approved, words);
        }
        s.says("12:05:00", Started, "procedure=failover service=orion id=1 change=C");
        s.says("12:10:00", Finished, "id=1");
        if !early {
            s.says(approved, Approved, words);
        }
        s.advance(at("20:00:00"));
        s.run(1).verdict().as_str()
    };
    assert_eq!(emergency("12:04:00", "change=C"), "exempt");
    assert_eq!(emergency("13:05:00", "change=C"), "exempt");
    assert_eq!(emergency("13:05:00", "id=1"), "exempt");
    assert_eq!(emergency("13:05:01", "change=C"), "violation");
    assert_eq!(emergency("12:30:00", "change=D"), "violation");
}

/// What is approved within `approve_within` (1h here) of its start is waived, also where it had been found before.
#[test]
fn a_run_that_is_approved_as_an_emergency_afterwards_is_exempt() {
    let ended = |evidence| {
        let mut s = Story::with(evidence);
        s.says("12:05:00", Started, "procedure=failover service=orion id=1");
        s.says("12:10:00", Finished, "id=1");
        s
    };
    let approve = |s: &mut Story, now: &str| {
        let by = Some("owner".into());
        let approval = Approval { run: Some(1), at: at(now), by, ..Approval::default() };
        let partner: Arc<str> = "northhost".into();
        s.draft.approve(&s.config.policy, &partner, at(now), at(now), approval);
    };
    let mut s = ended(Evidence::Readings);
    s.advance(at("13:04:59"));
    assert_eq!((s.run(1).verdict().as_str(), s.run(1).sealed), ("violation", false));
    assert_eq!(s.draft.ledger().latched().count(), 1);
    let before = s.run(1);
    approve(&mut s, "13:04:59");
    let run = s.run(1);
    assert_eq!((run.verdict().as_str(), run.sealed), ("exempt", true));
    let at_of = |run: &Run| -> Vec<_> { run.findings.values().map(|f| (f.reason, f.at)).collect() };
    assert_eq!(at_of(&run), at_of(&before), "the reasons stay");
    assert!(run.findings.values().all(|f| f.waived));
    assert_eq!(s.draft.ledger().latched().count(), 0);
    assert!(s.irregular().is_empty(), "{:?}", s.irregular());

    // Nobody approved it: final at the bound. In a replay nobody is asked.
    let mut s = ended(Evidence::Readings);
    s.advance(at("13:05:00"));
    assert_eq!((s.run(1).verdict().as_str(), s.run(1).sealed), ("violation", true));
    assert!(ended(Evidence::Stamps).run(1).sealed);

    // It still runs: what it breaks from then on is waived as well.
    let mut s = Story::new();
    s.says("12:05:00", Started, "procedure=failover service=orion id=1");
    approve(&mut s, "12:06:00");
    s.says("12:10:00", Finished, "id=1");
    assert_eq!((s.run(1).verdict().as_str(), s.run(1).sealed), ("exempt", true));
}

/// A partner cannot approve what it does itself.
#[test]
fn an_approval_in_the_log_of_the_partner_has_no_effect() {
    for (ours, want) in [(true, "exempt"), (false, "violation")] {
        let mut s = Story::new();
        s.ours = ours;
        s.notice("12:00:00", "12:00:00", Status::Confirmed, ChangeType::Emergency);
        s.says("12:05:00", Started, "procedure=failover service=orion id=1 change=C");
        s.says("12:10:00", Finished, "id=1").says("12:20:00", Approved, "change=C");
        s.says("12:21:00", Approved, "id=1");
        s.advance(at("20:00:00"));
        assert_eq!(s.run(1).verdict().as_str(), want);
        let told = if ours { vec![] } else { vec![("approval_by_partner", 2)] };
        assert_eq!(s.irregular(), told);
    }
    // Ours approves an emergency and declares none.
    let mut s = Story::new();
    s.says("12:05:00", Started, "procedure=failover service=orion id=1");
    s.says("12:10:00", Finished, "id=1").says("12:20:00", Approved, "id=1");
    s.advance(at("20:00:00"));
    assert_eq!((s.run(1).verdict().as_str(), s.run(1).sealed), ("violation", true));
}

/// Runs of a partner that is not configured any more leave memory, also if their end was never read.
#[test]
fn runs_of_a_partner_that_is_gone_leave_memory() {
    let text = AGREEMENT.replace("northhost", "southhost");
    let other = config::parse(&text, Path::new("offhours.yml"), at("01 00:00:00"));
    let other = other.expect("an agreement");
    let mut s = Story::new();
    s.says("12:00:00", Started, "procedure=compaction id=1").says("12:10:00", Finished, "id=1");
    s.says("12:20:00", Started, "procedure=compaction id=2");
    assert!(s.draft.next_deadline().is_some());
    s.draft.rejudge(&other.policy, at("12:30:00"));
    assert_eq!(s.draft.next_deadline(), None, "nothing is waited for");
    let kept = |s: &mut Story, now: &str| {
        s.draft.unlatch(&other.policy, at(now));
        let ledger = s.draft.ledger();
        (ledger.runs().count(), ledger.unacknowledged(&other.policy, at(now)).count())
    };
    assert_eq!(kept(&mut s, "11 12:09:59"), (2, 2));
    assert_eq!(kept(&mut s, "11 12:10:00"), (1, 1));
    // A day until it counts as given up, and a day to be acknowledged.
    assert_eq!(kept(&mut s, "12 12:19:59"), (1, 1));
    assert_eq!(kept(&mut s, "12 12:20:00"), (0, 0));
    assert_eq!(s.draft.ledger().unsealed().count(), 0);
}

#[test]
fn a_backdated_notice_confirms_nothing() {
    let start = "procedure=failover service=orion id=1 change=C";
    let mut in_time = Story::new();
    in_time.notice("09 12:00:00", "09 12:00:01", Status::Confirmed, ChangeType::Normal);
    in_time.says("23:00:00", Started, start);
    in_time.check(1, &[], "compliant", false);
    let mut late = Story::new();
    late.says("23:00:00", Started, start).says("23:10:00", Finished, "id=1");
    late.advance(at("11 00:00:00"));
    late.notice("09 12:00:00", "11 00:20:00", Status::Confirmed, ChangeType::Normal);
    late.check(1, &[("unconfirmed", "23:00:00")], "violation", true);
    assert_eq!(late.irregular(), [("backdated", 1)]);
    let amended = late.draft.drain();
    assert!(amended.iter().any(|e| e.what.name() == "amended"));
    // In a replay the stamps decide.
    let mut replay = Story::with(Evidence::Stamps);
    replay.notice("09 12:00:00", "09 12:00:00", Status::Confirmed, ChangeType::Normal);
    replay.says("23:00:00", Started, start);
    replay.check(1, &[], "compliant", false);
}

/// A story whose notices are those of a system of our own that is exported every hour.
fn exported() -> Story {
    let text =
        AGREEMENT.replace("files: [/x.log]", "files: [/x.log], ours: true, delivered_every: 1h");
    let now = at("01 00:00:00");
    let config = config::parse(&text, Path::new("offhours.yml"), now).expect("an agreement");
    let draft = Draft::new(Ledger::default(), Evidence::Readings);
    Story { config, draft, followed: false, ours: true, notices_ours: true }
}

const FAILOVER: &str = "procedure=failover service=orion id=1 change=C";

#[test]
fn what_an_export_may_still_bring_is_not_decided_before_it() {
    let mut never = exported();
    never.says("23:00:00", Started, FAILOVER).says("23:10:00", Finished, "id=1");
    never.check(1, &[], "compliant", false);
    never.advance(at("11 00:00:00") - TimeDelta::nanoseconds(1));
    never.check(1, &[], "compliant", false);
    assert_eq!(never.counted(Reason::Unconfirmed), 0);
    never.advance(at("11 00:00:00"));
    never.check(1, &[("unconfirmed", "23:00:00")], "violation", true);
    assert_eq!(never.counted(Reason::Unconfirmed), 1);
    // Other rules speak at once.
    let mut early = exported();
    early.says("21:00:00", Started, FAILOVER);
    early.check(1, &[("outside_window", "21:00:00")], "violation", false);
}

#[test]
fn what_is_ours_is_believed_by_its_stamp_whenever_it_is_read() {
    let mut s = exported();
    s.says("23:00:00", Started, FAILOVER);
    s.notice("09 12:00:00", "23:30:00", Status::Confirmed, ChangeType::Normal);
    s.check(1, &[], "compliant", false);
    // The run is not final before all is delivered: the next export may call the change off.
    s.says("23:20:00", Finished, "id=1");
    s.check(1, &[], "compliant", false);
    s.notice("22:50:00", "23:59:00", Status::Cancelled, ChangeType::Normal);
    s.advance(at("11 00:00:00"));
    s.check(1, &[("cancelled", "23:00:00")], "violation", true);
    assert_eq!(s.irregular(), []);
    // Later than it should be: what was found is refuted, and of a final run it is told.
    let mut late = exported();
    late.says("23:00:00", Started, FAILOVER).advance(at("11 00:00:00"));
    late.check(1, &[("unconfirmed", "23:00:00")], "violation", false);
    late.notice("09 12:00:00", "11 00:10:00", Status::Confirmed, ChangeType::Normal);
    late.check(1, &[("overran_plan", "23:30:00")], "violation", false);
    let mut final_one = exported();
    final_one.says("23:00:00", Started, FAILOVER).says("23:10:00", Finished, "id=1");
    final_one.advance(at("11 00:00:00"));
    final_one.notice("09 12:00:00", "11 00:10:00", Status::Confirmed, ChangeType::Normal);
    final_one.check(1, &[("unconfirmed", "23:00:00")], "violation", true);
    assert!(final_one.draft.drain().iter().any(|e| e.what.name() == "amended"));
    assert_eq!(final_one.irregular(), []);
}

#[test]
fn what_a_partner_backdates_confirms_nothing_though_ours_is_exported() {
    let mut s = exported();
    s.says("23:00:00", Started, FAILOVER);
    s.notices_ours = false;
    s.notice("09 12:00:00", "23:10:00", Status::Confirmed, ChangeType::Normal);
    s.notices_ours = true;
    // A record of ours that says nothing new of it does not let it in.
    s.notice("23:20:00", "23:30:00", Status::Completed, ChangeType::Normal);
    s.advance(at("11 00:00:00"));
    s.check(1, &[("unconfirmed", "23:00:00")], "violation", false);
    assert_eq!(s.irregular(), [("backdated", 1)]);
}

#[test]
fn an_emergency_that_is_exported_later_waives_what_was_found() {
    let mut s = exported();
    s.says("21:00:00", Started, FAILOVER);
    s.check(1, &[("outside_window", "21:00:00")], "violation", false);
    s.notice("20:50:00", "21:30:00", Status::Confirmed, ChangeType::Emergency);
    let run = s.run(1);
    assert!(run.findings.values().all(|f| f.waived), "{:?}", run.findings);
    assert!(run.findings.contains_key(&Reason::OutsideWindow));
}

/// A record of C: its status, stamped `stamp`, and when it was confirmed.
fn told(s: &mut Story, (stamp, read): (&str, &str), status: Status, confirmed_at: &str) -> bool {
    let notice = Notice {
        change_id: "C".into(),
        status: Some(status),
        services: vec!["orion".into()],
        procedures: vec!["failover".into()],
        planned_start: Some(at("23:00:00")),
        planned_end: Some(at("23:30:00")),
        confirmed_at: Some(at(confirmed_at)),
        ..Notice::default()
    };
    s.take(stamp, read, Body::Notice(notice))
}

#[test]
fn a_confirmation_that_is_told_with_the_status_counts_from_its_own_moment() {
    for (ours, stamp, confirmed_at, want) in [
        // Ours is two records, a partner's is on record from the later moment.
        (true, "23:20:00", "09 12:00:00", &[][..]),
        (false, "23:20:00", "09 12:00:00", &["unconfirmed"]),
        (true, "22:00:00", "09 12:00:00", &[]),
        (false, "22:00:00", "09 12:00:00", &[]),
        // The notice counts from the confirmation.
        (true, "22:00:00", "21:00:00", &["short_notice"]),
        (false, "22:00:00", "21:00:00", &["short_notice"]),
        // Tentative until then.
        (true, "08 12:00:00", "23:05:00", &["unconfirmed"]),
        (false, "08 12:00:00", "23:05:00", &["unconfirmed"]),
        (true, "08 12:00:00", "22:00:00", &["short_notice"]),
        (false, "08 12:00:00", "22:00:00", &["short_notice"]),
    ] {
        for status in [Status::Confirmed, Status::InProcess, Status::Completed] {
            let mut s = Story::with(Evidence::Stamps);
            s.notices_ours = ours;
            assert!(told(&mut s, (stamp, stamp), status, confirmed_at));
            s.says("23:00:00", Started, FAILOVER);
            let run = s.run(1);
            let found: Vec<&str> = run.findings.keys().map(|r| r.as_str()).collect();
            assert_eq!(found, want, "ours {ours}, {status} at {stamp}, {confirmed_at}");
        }
    }
}

#[test]
fn a_change_that_was_called_off_was_confirmed_before() {
    for (ours, called_off, want) in [
        (true, "23:20:00", &[][..]),
        (true, "22:00:00", &["cancelled"]),
        (false, "22:00:00", &["cancelled"]),
        (false, "23:20:00", &["unconfirmed"]),
    ] {
        let mut s = Story::with(Evidence::Stamps);
        s.notices_ours = ours;
        assert!(told(&mut s, (called_off, called_off), Status::Cancelled, "09 12:00:00"));
        s.says("23:00:00", Started, FAILOVER);
        let run = s.run(1);
        let found: Vec<&str> = run.findings.keys().map(|r| r.as_str()).collect();
        assert_eq!(found, want, "ours {ours}, called off {called_off}");
    }
}

/// A record of ours that says of C when it was confirmed and what has become of it since, and nothing else.
fn later_half(stamp: &str, confirmed_at: &str) -> (String, Notice) {
    let notice = Notice {
        change_id: "C".into(),
        status: Some(Status::InProcess),
        confirmed_at: Some(at(confirmed_at)),
        ..Notice::default()
    };
    (stamp.into(), notice)
}

#[test]
fn a_record_keeps_what_was_on_record_at_the_start_and_nothing_else() {
    let planned = |status, kind| Notice {
        change_id: "C".into(),
        status: Some(status),
        change_type: kind,
        planned_start: Some(at("23:00:00")),
        planned_end: Some(at("23:30:00")),
        ..Notice::default()
    };
    let first = |stamp: &str| (stamp.to_string(), planned(Status::Tentative, None));
    let emergency = planned(Status::Confirmed, Some(ChangeType::Emergency));
    let other = Notice { services: vec!["lyra".into()], ..planned(Status::Confirmed, None) };
    let moved = Notice {
        planned_start: Some(at("11 02:00:00")),
        planned_end: Some(at("11 03:00:00")),
        ..planned(Status::Confirmed, None)
    };
    for (since, start, want, verdict) in [
        // It was no emergency when the run began.
        (emergency.clone(), "21:00:00", &["off_plan", "outside_window"][..], "violation"),
        // Nor was it for another service, or planned for another time.
        (other, "23:05:00", &[], "compliant"),
        (moved, "23:05:00", &[], "compliant"),
    ] {
        let mut s = Story::with(Evidence::Stamps);
        s.notices_ours = true;
        let all = [
            first("08 12:00:00"),
            ("23:40:00".into(), since),
            later_half("23:50:00", "09 12:00:00"),
        ];
        for (stamp, notice) in all {
            assert!(s.take(&stamp, &stamp, Body::Notice(notice)));
        }
        s.says(start, Started, "procedure=failover id=1 change=C");
        let run = s.run(1);
        let found: Vec<&str> = run.findings.keys().map(|r| r.as_str()).collect();
        assert_eq!((found.as_slice(), run.verdict().as_str()), (want, verdict), "{start}");
    }
    // No times were on record, so nothing was confirmed.
    let mut s = Story::with(Evidence::Stamps);
    s.notices_ours = true;
    for (stamp, notice) in [first("23:40:00"), later_half("23:50:00", "09 12:00:00")] {
        assert!(s.take(&stamp, &stamp, Body::Notice(notice)));
    }
    s.says("23:05:00", Started, "procedure=failover id=1 change=C");
    assert!(s.run(1).findings.contains_key(&Reason::Unconfirmed));
}

#[test]
fn what_one_record_tells_as_two_has_one_number() {
    let cancelled = Notice {
        change_id: "C".into(),
        revision: Some(1),
        status: Some(Status::Cancelled),
        ..Notice::default()
    };
    let mut s = Story::with(Evidence::Stamps);
    s.notices_ours = true;
    assert!(told(&mut s, ("22:00:00", "22:00:00"), Status::InProcess, "09 12:00:00"));
    s.notices_ours = false;
    // Of equal numbers the later stamp counts.
    assert!(s.take("22:30:00", "22:30:00", Body::Notice(cancelled)));
    s.says("23:00:00", Started, "procedure=failover id=1 change=C");
    s.check(1, &[("cancelled", "23:00:00")], "violation", false);
    // Two statuses of one number are no contradiction if one record told them.
    let mut s = Story::new();
    s.notices_ours = true;
    let (stamp, record) = later_half("22:00:00", "09 12:00:00");
    let record = Notice {
        is_record: true,
        revision: Some(3),
        planned_start: Some(at("23:00:00")),
        planned_end: Some(at("23:30:00")),
        ..record
    };
    assert!(s.take(&stamp, &stamp, Body::Notice(record)));
    assert_eq!(s.irregular(), []);
}

#[test]
fn a_start_that_only_its_stamp_excuses_is_doubted() {
    let start = || Body::Run(line(Started, "procedure=compaction id=1"));
    let mut s = Story::new();
    s.followed = true;
    s.take("04:00:00", "09:00:00", start());
    let doubt = Reason::ImplausibleTime;
    assert!(s.run(1).findings.contains_key(&doubt));
    assert!(s.irregular().contains(&("late", 1)));
    // Catching up after a stop is not punished, nor is a delay that changes nothing.
    for (followed, read) in [(false, "09:00:00"), (true, "04:14:59"), (true, "04:30:00")] {
        let mut s = Story::new();
        s.followed = followed;
        s.take("04:00:00", read, start());
        assert!(!s.run(1).findings.contains_key(&doubt), "{followed} {read}");
    }
    // Read before its stamp, in business hours: whether the file was followed says nothing of that. A minute is what
    // two clocks may differ by; a delay that changes nothing is no reason.
    for (stamp, read, is_doubted) in [
        ("23:00:00", "14:00:00", true),
        ("22:00:30", "21:59:29", true),
        ("22:00:30", "21:59:30", false),
        ("23:00:00", "22:00:00", false),
        ("16:00:00", "11:00:00", false),
    ] {
        let mut ahead = Story::new();
        ahead.take(stamp, read, start());
        assert_eq!(ahead.irregular(), [("future", 1)]);
        let found = ahead.run(1);
        let doubt = found.findings.get(&doubt);
        assert_eq!(doubt.is_some(), is_doubted, "{stamp} {read}");
        assert!(doubt.is_none_or(|doubt| doubt.at == at(stamp)));
        if is_doubted {
            assert_eq!(found.verdict().as_str(), "unknown");
        }
        let sums = &ahead.draft.ledger().board().partners["northhost"];
        assert_eq!((sums.detection.count, sums.detection.sum), (1, 0.0), "never below zero");
    }
}

#[test]
fn a_run_told_whole_that_is_still_to_come_is_doubted() {
    // Written and read at 14:00, in business hours.
    for (start, end, is_doubted) in [
        ("23:00:00", "23:30:00", true),
        ("23:30:00", "23:00:00", true),
        ("14:01:01", "14:01:01", false),
        ("04:00:00", "04:30:00", false),
    ] {
        let mut s = Story::new();
        let mut told = line(Finished, "procedure=compaction id=1");
        told.whole = Some((at(start), at(end)));
        s.take("14:00:00", "14:00:00", Body::Run(told));
        let doubt = s.run(1).findings.get(&Reason::ImplausibleTime).cloned();
        assert_eq!(doubt.is_some(), is_doubted, "{start}-{end}");
        assert_eq!(s.irregular().contains(&("future", 1)), at("14:00:05") < at(end), "{end}");
    }
    // Written in business hours, of a run that the followed file should have told of at night.
    for (end, is_doubted) in [("04:30:00", true), ("13:46:00", false)] {
        let mut s = Story::new();
        s.followed = true;
        let mut told = line(Finished, "procedure=compaction id=1");
        told.whole = Some((at("04:00:00"), at(end)));
        s.take("14:00:00", "14:00:00", Body::Run(told));
        let found = s.run(1).findings.contains_key(&Reason::ImplausibleTime);
        assert_eq!(found, is_doubted, "{end}");
        assert_eq!(s.irregular().contains(&("late", 1)), is_doubted, "{end}");
    }
}

#[test]
fn violations_stay_latched_until_somebody_takes_note() {
    let mut s = Story::new();
    s.says("12:00:00", Started, "procedure=compaction id=1").says("12:10:00", Finished, "id=1");
    let latched = |s: &Story| s.draft.ledger().latched().count();
    assert_eq!(latched(&s), 1);
    s.draft.unlatch(&s.config.policy, at("11 12:09:59"));
    assert_eq!(latched(&s), 1);
    let note = Acknowledgement { at: at("12:30:00"), by: "on-call".into(), note: String::new() };
    let run = s.run(1);
    s.draft.acknowledge(&run, note);
    assert_eq!(latched(&s), 0);
    // Old logs page nobody.
    let mut old = Story::new();
    old.take("12:00:00", "12 12:00:00", Body::Run(line(Started, "procedure=compaction id=1")));
    assert_eq!((old.run(1).verdict().as_str(), latched(&old)), ("violation", 0));
    // Time is up by itself.
    let mut s = Story::new();
    s.says("12:00:00", Started, "procedure=compaction id=1").says("12:10:00", Finished, "id=1");
    s.draft.unlatch(&s.config.policy, at("11 12:10:00"));
    assert_eq!(latched(&s), 0);
}

/// Not when more is found, not when the verdict is final, and not by another process.
#[test]
fn an_acknowledged_run_never_asks_again() {
    let mut s = Story::new();
    s.says("12:00:00", Started, "procedure=compaction id=1");
    let note = Acknowledgement { at: at("12:01:00"), by: "on-call".into(), note: String::new() };
    let run = s.run(1);
    s.draft.acknowledge(&run, note);
    // Too long, then over, then final: what was acknowledged is the run.
    s.advance(at("14:30:00"));
    s.says("14:40:00", Finished, "id=1");
    s.advance(at("15:00:00"));
    s.check(
        1,
        &[
            ("in_business_hours", "12:00:00"),
            ("outside_window", "12:00:00"),
            ("too_long", "14:00:00"),
        ],
        "violation",
        true,
    );
    let asks = |ledger: &Ledger| ledger.unacknowledged(&s.config.policy, at("15:00:00")).count();
    assert_eq!(asks(s.draft.ledger()), 0);
    let mut other = Ledger::default();
    s.draft.clone().drain().iter().for_each(|entry| other.adopt(entry));
    assert_eq!(asks(&other), 0);
    assert!(other.run(1).is_some_and(|run| run.sealed && run.acknowledged.is_some()));
}

fn eventful() -> Story {
    let mut s = Story::new();
    s.notice("09 12:00:00", "09 12:00:00", Status::Confirmed, ChangeType::Emergency);
    s.says("12:00:00", Started, "procedure=failover service=orion id=1 change=C");
    s.says("12:05:00", Phase, "id=1").says("12:30:00", Approved, "change=C");
    s.says("12:40:00", Finished, "id=1").says("12:41:00", Finished, "id=1");
    s.says("13:00:00", Started, "procedure=mystery service=lyra id=2");
    s.says("23:00:00", Started, "procedure=reindex service=orion");
    s.advance(at("11 02:00:00"));
    s
}

/// What two ledgers must agree in.
pub fn state(ledger: &Ledger) -> String {
    let mut runs: Vec<_> = ledger.runs().collect();
    runs.sort_by_key(|run| run.no);
    let unsealed: Vec<u64> = ledger.unsealed().map(|run| run.no).collect();
    let latched: Vec<u64> = ledger.latched().map(|run| run.no).collect();
    let changes = ledger.book("northhost").map(|book| &book.changes);
    let upcoming: Vec<_> =
        changes.into_iter().flat_map(|c| c.upcoming(at("01 00:00:00"))).collect();
    let (height, board) = (ledger.height(), ledger.board());
    format!("{height} {runs:#?} {unsealed:?} {latched:?} {upcoming:#?} {board:#?}")
}

#[test]
fn a_reopened_ledger_is_the_same() {
    let home = folder();
    let mut s = eventful();
    let mut store = Store::open(home.path()).expect("a ledger");
    store.load().expect("an empty ledger");
    let entries = s.draft.drain();
    assert!(10 < entries.len());
    store.commit(&Commit { entries, ..Commit::default() }).expect("a commit");
    let head = store.head();
    assert!(Store::open(home.path()).is_err(), "one writer at a time");
    drop(store);
    let mut store = Store::open(home.path()).expect("a ledger");
    let again = store.load().expect("the same ledger");
    assert_eq!(store.head(), head);
    assert_eq!(state(&again), state(s.draft.ledger()));
}

/// What is said of a ledger, an entry a block, after a change behind its back.
fn damaged(sql: &str) -> String {
    let home = folder();
    let mut store = Store::open(home.path()).expect("a ledger");
    store.load().expect("an empty ledger");
    for entry in eventful().draft.drain() {
        store.commit(&Commit { entries: vec![entry], ..Commit::default() }).expect("a commit");
    }
    drop(store);
    let db = rusqlite::Connection::open(home.path().join("ledger.db")).expect("the file");
    db.execute_batch(sql).expect("a change");
    let opened = Store::open(home.path()).and_then(|mut store| store.load());
    opened.expect_err("damage").to_string()
}

#[test]
fn how_far_time_was_shown_is_remembered() {
    let home = folder();
    let mut store = Store::open(home.path()).expect("a ledger");
    assert_eq!(store.reader().shown_until().expect("an answer"), None);
    for until in [at("12:00:00"), at("12:00:10")] {
        let commit = Commit { shown_until: Some(until), ..Commit::default() };
        store.commit(&commit).expect("a commit");
        store.commit(&Commit::default()).expect("a commit");
        assert_eq!(store.reader().shown_until().expect("an answer"), Some(until));
    }
}

#[test]
fn a_changed_entry_is_told_by_its_number() {
    let replace = |old: &str, new: &str, first: u32| {
        format!(
            "UPDATE blocks SET body = CAST(replace(CAST(body AS TEXT), '{old}', '{new}') AS BLOB)
             WHERE first = {first}"
        )
    };
    for (sql, told) in [
        (replace("orion", "oriOn", 2), "entry 2 "),
        (replace("started", "startled", 2), "entry 2 "),
        ("DELETE FROM blocks WHERE first = 3".into(), "entry 3 "),
        ("UPDATE blocks SET first = 1000 WHERE first = 4".into(), "entry 4 "),
        ("UPDATE blocks SET head = zeroblob(32) WHERE first = 5".into(), "entry 5 "),
        ("UPDATE meta SET value = '99'".into(), "format version 99"),
    ] {
        let said = damaged(&sql);
        assert!(said.contains(told), "{sql}: {said}");
    }
}

#[test]
fn a_commit_that_fails_changes_nothing() {
    let home = folder();
    let mut store = Store::open(home.path()).expect("a ledger");
    store.load().expect("an empty ledger");
    let entries = eventful().draft.drain();
    let db = rusqlite::Connection::open(home.path().join("ledger.db")).expect("the file");
    db.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON tallies BEGIN SELECT raise(ABORT, 'full'); END",
    )
    .expect("a trigger");
    let mut commit = Commit { entries, ..Commit::default() };
    commit.tallies.insert(("s".into(), "lines", "event".into()), 1);
    assert!(store.commit(&commit).is_err());
    assert_eq!(store.head().0, 0);
    db.execute_batch("DROP TRIGGER full").expect("room again");
    store.commit(&commit).expect("the same again");
    drop(store);
    let ledger = Store::open(home.path()).expect("a ledger").load().expect("the entries");
    assert_eq!(ledger.height(), commit.entries.len() as u64);
}

#[test]
fn a_clock_that_was_set_is_on_record_where_a_run_is_not_final() {
    let mut s = Story::new();
    s.draft.clock_was_set(at("02:00:00"), "by a day");
    assert_eq!(s.irregular(), [], "no run is open");
    s.says("03:30:00", Started, "procedure=compaction id=1");
    s.draft.clock_was_set(at("04:00:00"), "by a day");
    assert_eq!(s.irregular(), [("clock_set", 1)]);
    s.says("04:10:00", Finished, "id=1");
    s.draft.clock_was_set(at("04:20:00"), "by a day");
    assert_eq!(s.irregular(), [("clock_set", 1)], "it is final");
}

#[test]
fn every_kind_of_irregularity_is_a_word() {
    for kind in Irregularity::ALL {
        assert_eq!(Irregularity::parse(kind.as_str()), Some(*kind));
    }
}
