//! Whether a run may start: what is answered is what the judge then says, and it is on record.

pub mod world;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use offhours::event::{Body, Kind, RunLine};
use offhours::ledger::{Answer, Draft, Question};
use offhours::policy::Policy;
use offhours::run::Run;
use offhours::time::Instant;
use offhours::verdict::{Finding, RULES, Reason, Verdict, When};
use proptest::test_runner::{Config, TestRunner};

use world::{World, line, taking, worlds};

/// Questions asked of each agreement.
const QUESTIONS_EACH: usize = 40;

/// How many questions are asked; by `OFFHOURS_QUESTIONS` more.
fn questions() -> usize {
    std::env::var("OFFHOURS_QUESTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000)
}

/// One in so many is looked at minute by minute.
const THOROUGH: usize = 250;
const MINUTES_LOOKED_AT: usize = 3_000;
const INSTANTS_LOOKED_AT: usize = 4;

const TICK: TimeDelta = TimeDelta::nanoseconds(1);

/// The line of the run that was asked for.
fn line_of(question: &Question, kind: Kind) -> RunLine {
    RunLine {
        services: question.service.iter().map(|name| (&**name).into()).collect(),
        run_id: Some("the-one".into()),
        change_id: question.change_id.as_deref().map(Into::into),
        trigger: question.trigger,
        ..line(kind, &question.procedure)
    }
}

/// The runs of a question, one for each service, as they are when the start has been read, and when all is over.
fn lived(
    draft: &Draft,
    policy: &Policy,
    question: &Question,
    answer: &Answer,
) -> (Vec<Run>, Option<Vec<Run>>) {
    let mut draft = draft.clone();
    let before = draft.ledger().last_run();
    let runs = |draft: &Draft| {
        let numbers = before + 1..=draft.ledger().last_run();
        let run = |no| (**draft.ledger().run(no).expect("the run")).clone();
        numbers.map(run).collect::<Vec<Run>>()
    };
    let mut says = |at: Instant, line: RunLine| {
        draft.take(policy, &taking(at, Body::Run(line))).expect("a line");
        runs(&draft)
    };
    let start = question.start;
    let started = says(start, line_of(question, Kind::Started));
    let Some(lasts) = answer.lasts else { return (started, None) };
    let is_emergency = answer.duties.iter().any(|(r, _)| *r == Reason::UnapprovedEmergency);
    if is_emergency {
        says(start, line_of(question, Kind::Approved));
    }
    says(start + lasts, line_of(question, Kind::Finished));
    if answer.duties.iter().any(|(r, _)| *r == Reason::Unverified) {
        says(start + lasts, line_of(question, Kind::Verified));
    }
    let later = start + TimeDelta::days(30);
    draft.advance(policy, &question.partner, later, later, true);
    let over = runs(&draft);
    (started, Some(over))
}

/// What was found when the line of the start was read, as the answer has it.
fn at_the_start(answer: &Answer) -> Vec<Finding> {
    let is_start =
        |f: &&Finding| RULES.iter().any(|rule| rule.reason == f.reason && rule.when == When::Start);
    answer.findings.values().filter(is_start).cloned().collect()
}

/// What the answers were, so that it is seen that the worlds are worth asking in.
#[derive(Debug, Default)]
struct Seen {
    asked: usize,
    yes: usize,
    no: usize,
    exempt: usize,
    next: usize,
    never: usize,
    last: usize,
    looked_at: usize,
    reasons: std::collections::BTreeMap<Reason, usize>,
}

struct Asking<'a> {
    policy: &'a Policy,
    draft: &'a Draft,
}

impl Asking<'_> {
    fn may_start(&self, question: &Question, start: Instant) -> bool {
        let question = Question { start, ..question.clone() };
        self.draft.answer(self.policy, &question).expect("a partner").may_start()
    }

    /// The answer is what becomes of the run.
    fn agrees(&self, question: &Question, seen: &mut Seen) -> Answer {
        let answer = self.draft.answer(self.policy, question).expect("a partner");
        let (started, over) = lived(self.draft, self.policy, question, &answer);
        let found = started.iter().flat_map(|run| run.findings.values().cloned());
        let mut at_start: Vec<Finding> = found
            .filter(|f| RULES.iter().any(|r| r.reason == f.reason && r.when == When::Start))
            .collect();
        let answered = at_the_start(&answer);
        // What is said of one service counts for all.
        at_start.retain(|f| started.len() == 1 || !answered.contains(f));
        let by_reason = |found: &[Finding]| found.iter().map(|f| f.reason).collect::<Vec<_>>();
        match started.len() {
            1 => assert_eq!(at_start, answered, "at the start"),
            _ => by_reason(&at_start)
                .iter()
                .for_each(|r| assert!(by_reason(&answered).contains(r), "{r} at the start")),
        }
        if let Some(over) = over {
            if let [run] = over.as_slice() {
                assert_eq!(run.findings, answer.findings, "when all is over");
                assert_eq!(run.verdict(), answer.verdict);
            }
            let reasons: BTreeSet<Reason> = over.iter().flat_map(|r| r.findings.keys()).collect();
            assert_eq!(reasons, answer.findings.keys().collect(), "when all is over");
            let allowed = |run: &Run| matches!(run.verdict(), Verdict::Compliant | Verdict::Exempt);
            assert_eq!(over.iter().all(allowed), answer.may_start(), "one no is a no");
            assert!(over.iter().all(|run| run.sealed));
        }
        seen.asked += 1;
        *(if answer.may_start() { &mut seen.yes } else { &mut seen.no }) += 1;
        seen.exempt += usize::from(answer.verdict == Verdict::Exempt);
        answer.findings.keys().for_each(|reason| *seen.reasons.entry(reason).or_default() += 1);
        answer
    }

    /// No instant before the next start may start, and none up to the last safe one may not.
    fn is_exact(&self, question: &Question, answer: &Answer, salt: usize, seen: &mut Seen) {
        let start = question.start;
        // Some are looked at minute by minute, the others at some instants.
        let is_thorough = salt.is_multiple_of(THOROUGH);
        let odd = i64::try_from(salt).expect("not that many") * 7_000_000_007;
        let mut look = |from: Instant, to: Instant, want: bool| {
            let first = from.timestamp() - from.timestamp() % 60;
            let mut at = chrono::DateTime::from_timestamp(first, 0).expect("a time");
            let mut left = MINUTES_LOOKED_AT;
            let mut step = TimeDelta::minutes(1);
            if !is_thorough {
                (left, step) = (
                    INSTANTS_LOOKED_AT,
                    (to - from) / 5 + TimeDelta::nanoseconds(odd % 60_000_000_000),
                );
            }
            while 0 < left && at < to {
                if from <= at {
                    seen.looked_at += 1;
                    assert_eq!(self.may_start(question, at), want, "at {at}");
                }
                at += step;
                left -= 1;
            }
        };
        match answer.next_start {
            Some(next) => {
                assert!(self.may_start(question, next), "next {next}");
                assert!(start <= next);
                assert_eq!(start == next, answer.may_start());
                look(start, next, false);
                if start < next {
                    assert!(!self.may_start(question, next - TICK), "before {next}");
                    seen.next += 1;
                }
            }
            None => {
                look(start, start + TimeDelta::days(60), false);
                seen.never += 1;
            }
        }
        if let (Some(next), Some(last)) = (answer.next_start, answer.last_safe_start) {
            assert!(next <= last);
            assert!(self.may_start(question, last), "last {last}");
            assert!(!self.may_start(question, last + TICK), "after {last}");
            look(next, last, true);
            seen.last += 1;
        }
    }
}

fn ask_in(world: &World, seen: &mut Seen) {
    let policy = world.policy();
    let draft = world.draft(&policy);
    let asking = Asking { policy: &policy, draft: &draft };
    for question in &world.questions {
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let answer = asking.agrees(question, seen);
            let salt = seen.asked;
            asking.is_exact(question, &answer, salt, seen);
        }));
        if let Err(panic) = told {
            eprintln!("{}\n{question:#?}\n{:#?}", world.agreement, draft.answer(&policy, question));
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn the_answer_is_the_verdict_that_the_run_then_gets() {
    let cases = questions().div_ceil(QUESTIONS_EACH);
    let config = Config {
        cases: cases.try_into().expect("not that many"),
        failure_persistence: None,
        ..Config::default()
    };
    let seen = std::cell::RefCell::new(Seen::default());
    let ask = |world: World| {
        ask_in(&world, &mut seen.borrow_mut());
        Ok(())
    };
    let told = TestRunner::new(config).run(&worlds(QUESTIONS_EACH), ask);
    let seen = seen.into_inner();
    told.unwrap_or_else(|error| panic!("{error}"));
    println!("{seen:?}");
    let each = seen.asked / 50;
    assert!(
        each < seen.yes && each < seen.next && each < seen.never && each < seen.last,
        "{seen:?}"
    );
}

/// What was agreed, and what is asked and begins in the night to Tuesday 10 March 2026 (London, UTC).
mod marks {
    use std::path::Path;
    use std::sync::Arc;

    use chrono::TimeDelta;
    use offhours::config;
    use offhours::event::{Body, Kind, RunLine, Trigger};
    use offhours::ledger::{Asker, Draft, Evidence, Ledger, Question};
    use offhours::run::Asked;

    use super::world::{line, taking};
    use crate::judging::at;

    const AGREEMENT: &str = "
services:
  orion: { timezone: Europe/London, holidays: GB-ENG, business_hours: \"Mo-Fr 08:00-18:00; PH off\" }
partners:
  northhost:
    timezone: Europe/London
    windows: \"Mo-Su 22:00-05:00\"
    ask_first: true
    procedures:
      compaction: { services: [orion], expected_duration: 1h }
      renewal: { services: [orion], ask_first: false }
sources:
  - { name: s, partner: northhost, files: [/x.log], format: json }
";

    /// Questions as `asked start trigger change`, then a start of `procedure` as `start trigger change`: how it is marked.
    fn check(procedure: &str, questions: &[&str], start: &str, want: Option<&str>) {
        check_as(Evidence::Readings, TimeDelta::zero(), procedure, questions, start, want);
    }

    fn check_as(
        evidence: Evidence,
        late: TimeDelta,
        procedure: &str,
        questions: &[&str],
        start: &str,
        want: Option<&str>,
    ) {
        let loaded = config::parse(AGREEMENT, Path::new("offhours.yml"), at("01 00:00:00"));
        let policy = loaded.expect("an agreement").policy;
        let mut draft = Draft::new(Ledger::default(), evidence);
        let trigger = |word: &str| Trigger::parse(word).unwrap_or(Trigger::Unknown);
        for question in questions {
            let words: Vec<&str> = question.split(' ').collect();
            let clock = |n: usize| at(&words[n].replace('T', " "));
            let question = Question {
                partner: "northhost".into(),
                service: None,
                procedure: procedure.into(),
                change_id: words.get(3).map(|id| Arc::from(*id)),
                trigger: words.get(2).map_or(Trigger::Unknown, |word| trigger(word)),
                start: clock(1),
                lasts: None,
            };
            let answer = draft.answer(&policy, &question).expect("a partner");
            let asker = Asker { at: clock(0), ..Asker::default() };
            let asked = Asked::new(&question, &asker, &answer);
            draft.note_question(&question.partner, Arc::new(asked));
        }
        let words: Vec<&str> = start.split(' ').collect();
        let began = RunLine {
            trigger: words.get(1).map_or(Trigger::Unknown, |word| trigger(word)),
            change_id: words.get(2).map(|id| Box::from(*id)),
            ..line(Kind::Started, procedure)
        };
        let mut taking = taking(at(&words[0].replace('T', " ")), Body::Run(began));
        taking.observed += late;
        draft.take(&policy, &taking).expect("a start");
        let run = draft.ledger().run(1).expect("a run");
        let mark = run.irregular_start.map(|kind| kind.as_str());
        assert_eq!(mark, want, "{procedure} {questions:?} {start}");
        let counted = draft.ledger().board().partners.get("northhost").is_some_and(|partner| {
            partner.irregularities.keys().any(|kind| Some(kind.as_str()) == want)
        });
        assert_eq!(counted, want.is_some(), "{procedure} {questions:?} {start}");
    }

    const NO: Option<&str> = Some("started_after_no");
    const NOBODY: Option<&str> = Some("not_asked");

    #[test]
    fn a_start_after_a_no_or_without_a_question_is_marked() {
        // A yes holds until its last safe start, 04:00 for a run of an hour.
        check("compaction", &["23:00:00 23:00:00"], "23:00:01", None);
        check("compaction", &["23:00:00 23:00:00"], "11T04:00:00", None);
        check("compaction", &["23:00:00 23:00:00"], "11T04:00:01", NOBODY);
        // Lines with whole seconds, and clocks that differ a little.
        check("compaction", &["23:00:04 23:00:04"], "23:00:00", None);
        check("compaction", &["23:00:06 23:00:06"], "23:00:00", NOBODY);
        // It was asked for later, not for now.
        check("compaction", &["20:00:00 23:00:00"], "23:00:00", None);
        check("compaction", &["20:00:00 23:00:00"], "22:30:00", NOBODY);
        // A no holds for an hour, and no longer than until it may start.
        check("compaction", &["13:10:00 13:10:00"], "13:30:00", NO);
        check("compaction", &["13:10:00 13:10:00"], "14:10:01", NOBODY);
        check("compaction", &["21:30:00 21:30:00"], "21:59:59", NO);
        check("compaction", &["21:30:00 21:30:00"], "22:00:00", NOBODY);
        // The last answer counts.
        check("compaction", &["21:59:00 21:59:00", "22:00:00 22:00:00"], "22:00:30", None);
        check("compaction", &["22:00:00 22:00:00", "22:00:10 13:10:00"], "22:00:30", None);
        // Nobody has to ask: a no is marked all the same.
        check("renewal", &[], "23:00:00", None);
        check("renewal", &["13:10:00 13:10:00"], "13:10:30", NO);
        // Another trigger or another change was asked about.
        check("renewal", &["13:10:00 13:10:00 schedule"], "13:10:30 manual", None);
        check("renewal", &["13:10:00 13:10:00 schedule"], "13:10:30", NO);
        check("renewal", &["13:10:00 13:10:00 manual A"], "13:10:30 manual B", None);
        check("compaction", &[], "23:00:00", NOBODY);
    }

    #[test]
    fn nobody_could_ask_before_runs_of_old_logs() {
        let days = TimeDelta::days(2);
        check_as(Evidence::Readings, days, "compaction", &[], "23:00:00", None);
        check_as(Evidence::Stamps, TimeDelta::zero(), "compaction", &[], "23:00:00", None);
    }
}
