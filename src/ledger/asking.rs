//! "May this start?": a run that has not happened is judged as the judge would, and the answer is put on record.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::calendar::Zone;
use crate::change::Plan;
use crate::event::{Body, Event, Kind, RunLine, Trigger};
use crate::forecast::Durations;
use crate::ledger::draft::{CLOCKS_DIFFER, Draft, Evidence, TICK, Taking};
use crate::ledger::present::terms_of;
use crate::ledger::seeking::Seeking;
use crate::ledger::{What, case_of};
use crate::policy::{Partner, Policy, Terms};
use crate::run::{Asked, Irregularity, Override, Run, RunNo, State};
use crate::time::{Instant, Span, rfc3339};
use crate::verdict::{Check, Finding, Findings, Reason, Verdict, When, judge};

pub use crate::policy::LOOK_AHEAD;

/// How long after the start that was asked for an answer still says something of a start, where it names no
/// instant of its own (a "yes" its last safe start, a "no" the next time).
pub const ANSWER_HOLDS: TimeDelta = TimeDelta::hours(1);

/// A start that somebody thinks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub partner: Arc<str>,
    /// `None`: every service of the procedure, as for a line that names none.
    pub service: Option<Arc<str>>,
    pub procedure: Arc<str>,
    pub change_id: Option<Arc<str>>,
    pub trigger: Trigger,
    pub start: Instant,
    /// `None`: as long as runs of the procedure usually take.
    pub lasts: Option<TimeDelta>,
}

/// Who asks, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    pub at: Instant,
    pub by: Option<Box<str>>,
    /// Where from: an address, or this machine.
    pub from: Option<Box<str>>,
    /// It will start whatever the answer is.
    pub overriding: Option<Override>,
}

/// What a run is judged as that has not happened, and what to do instead.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As named, else the procedure's only one; `None`: it was asked for each of several, or it has none.
    pub service: Option<Arc<str>>,
    /// The verdict that the run gets if it lasts as long as it is thought to and the duties are done.
    pub verdict: Verdict,
    /// Every reason, the duties excepted.
    pub findings: Findings,
    pub plan: Option<Plan>,
    /// `None`: nobody said, and nothing is known of the procedure; then rules about the end say nothing.
    pub lasts: Option<TimeDelta>,
    /// The part of a window in which it may really start, outside business hours and freezes: around the start (the
    /// next possible one, if this one is not), else the next one.
    pub window: Option<Span>,
    /// From the (next possible) start on, the last instant at which it may start.
    pub last_safe_start: Option<Instant>,
    /// The earliest instant from the start on at which it may start; `None`: none within [`LOOK_AHEAD`].
    pub next_start: Option<Instant>,
    /// What somebody has to do after the start, and by when.
    pub duties: Vec<(Reason, Instant)>,
    /// The zone in which people read the times.
    pub zone: Zone,
}

impl Answer {
    /// Whether the answer is yes.
    pub fn may_start(&self) -> bool {
        allows(self.verdict)
    }
}

/// Whether a run with this verdict may start: an emergency that waives everything may, missing evidence may not.
fn allows(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Compliant | Verdict::Exempt)
}

/// Reasons that hang on what somebody does after the start.
pub const DUTIES: [Reason; 2] = [Reason::Unverified, Reason::UnapprovedEmergency];

/// A run as it would be.
pub(super) struct Supposed {
    pub(super) run: Run,
    pub(super) duties: Vec<(Reason, Instant)>,
}

impl Supposed {
    pub(super) fn may_start(&self) -> bool {
        allows(self.run.verdict())
    }
}

impl Draft {
    /// Answers a question about one service.
    pub(super) fn answer_for_one(&self, policy: &Policy, question: &Question) -> Option<Answer> {
        let partner = policy.partner(&question.partner)?;
        let question = self.completed(partner, question);
        let terms = partner.terms(question.service.as_deref(), &question.procedure);
        let supposed = self.suppose(policy, &question, question.start)?;
        let seeking = Seeking::new(self, policy, &question, terms);
        let next_start = match supposed.may_start() {
            true => Some(question.start),
            false => seeking.next_start(&supposed.run),
        };
        let last_safe_start = next_start.and_then(|start| seeking.last_safe_start(start));
        Some(Answer {
            window: window(terms, next_start, &question),
            verdict: supposed.run.verdict(),
            findings: supposed.run.findings,
            plan: supposed.run.plan,
            lasts: question.lasts,
            last_safe_start,
            next_start,
            duties: supposed.duties,
            zone: terms.zone.clone(),
            service: question.service,
        })
    }

    /// The question with the duration that it leaves open.
    fn completed(&self, partner: &Partner, question: &Question) -> Question {
        let mut question = question.clone();
        let terms = partner.terms(question.service.as_deref(), &question.procedure);
        if question.lasts.is_none() {
            let key = (question.partner.clone(), terms.procedure.clone());
            let past = self.ledger().board().durations.get(&key);
            question.lasts = past.and_then(Durations::p90).or(terms.expected_duration);
        }
        question
    }

    /// The run as the judge would see it that starts at `start` and takes as long as the question says: its start is
    /// judged by the function that judges the line of a start, its end by the rules that judge the line of an end.
    pub(super) fn suppose(
        &self,
        policy: &Policy,
        question: &Question,
        start: Instant,
    ) -> Option<Supposed> {
        let line = RunLine {
            kind: Kind::Started,
            services: Vec::new(),
            procedure: Some((&*question.procedure).into()),
            run_id: None,
            change_id: question.change_id.as_deref().map(Into::into),
            trigger: question.trigger,
            phase: None,
            outcome: None,
            whole: None,
        };
        let event =
            Event { at: start, other_reading: None, partner: None, body: Body::Run(line.clone()) };
        let taking = Taking {
            partner: question.partner.clone(),
            ours: false,
            event,
            place: None,
            read: 0,
            observed: start,
            followed_since: None,
            live: true,
            line: None,
        };
        let no = self.ledger().last_run() + 1;
        let (name, service) = (&question.procedure, question.service.clone());
        let (mut run, _) = self.new_run(policy, &taking, &line, name, service, start, (no, no))?;
        let terms = terms_of(policy, &run)?;
        if run.delivered_by.take().is_some() {
            // Whoever asks is told what is on record: what is not delivered yet allows nothing.
            self.judge_start(&mut run, terms, &taking, policy.partner(&question.partner)?);
        }
        let lasts = question.lasts.unwrap_or_default();
        let clock = match terms.lost_after < lasts {
            // Given up before it ends: as when no end is read.
            true => start + terms.lost_after,
            false => {
                (run.state, run.end) = (State::Finished, Some(start + lasts));
                start + lasts - TICK
            }
        };
        let mut duties = Vec::new();
        let case = case_of(&run, terms, clock);
        let mut found = Vec::new();
        for (reason, check) in judge(&case, When::Later) {
            match check {
                Check::Broken { at, .. } | Check::Holds { until: at }
                    if DUTIES.contains(&reason) =>
                {
                    duties.push((reason, at));
                }
                Check::Broken { at, detail } => {
                    let waived = case.waives(reason);
                    found.push(Finding { reason, at, waived, detail: detail.into() });
                }
                _ => {}
            }
        }
        found.into_iter().for_each(|finding| run.findings.insert(finding));
        DUTIES.iter().for_each(|reason| run.findings.remove(reason));
        Some(Supposed { run, duties })
    }

    /// Puts a question on record that was answered.
    pub fn note_question(&mut self, partner: &Arc<str>, asked: Arc<Asked>) {
        self.record(asked.at, partner, What::Asked(asked));
    }

    /// What was asked before this run: the latest question that is about it.
    pub(super) fn asked_before(&self, run: &Run) -> Option<Arc<Asked>> {
        let book = self.ledger().book(&run.partner)?;
        let last = |service: &Option<Arc<str>>| {
            book.questions(service, &run.procedure).rev().find(|asked| is_about(asked, run))
        };
        // A question that named no service was about this one as well.
        let found = last(&run.service).into_iter().chain(last(&None));
        found.max_by_key(|asked| asked.at).cloned()
    }

    /// What is irregular about how a run began: after a "no", or nobody asked although it was agreed. Runs of old
    /// logs began before anybody could ask.
    pub(super) fn irregular_start(&self, run: &Run, terms: &Terms) -> Option<Irregularity> {
        let is_old = self.backfill_horizon < run.observed - run.start;
        if is_old || self.evidence == Evidence::Stamps {
            return None;
        }
        match &run.asked {
            Some(asked) => (!asked.may_start).then_some(Irregularity::StartedAfterNo),
            None => terms.ask_first.then_some(Irregularity::NotAsked),
        }
    }

    /// Puts that on record.
    pub(super) fn note_irregular_start(&mut self, clock: Instant, taking: &Taking, no: RunNo) {
        let Some(run) = self.ledger().run(no).cloned() else { return };
        let Some(kind) = run.irregular_start else { return };
        let detail = match &run.asked {
            None => format!("nobody asked before run {no} whether it may start"),
            Some(asked) => format!("run {no} began after a no of {}", rfc3339(asked.at)),
        };
        self.irregular(clock, taking, kind, detail);
    }
}

impl Asked {
    /// A question as it is put on record, with its answer.
    pub fn new(question: &Question, asker: &Asker, answer: &Answer) -> Asked {
        Asked {
            at: asker.at,
            by: asker.by.clone(),
            from: asker.from.clone(),
            service: answer.service.clone(),
            procedure: question.procedure.clone(),
            change_id: question.change_id.clone(),
            trigger: question.trigger,
            start: question.start,
            lasts: question.lasts,
            may_start: answer.may_start(),
            reasons: answer.findings.keys().collect(),
            holds_until: holds_until(question.start, answer),
            overriding: asker.overriding.clone(),
            times: 1,
        }
    }
}

/// Until when an answer says something of a start.
fn holds_until(start: Instant, answer: &Answer) -> Instant {
    let hour = start + ANSWER_HOLDS;
    match (answer.may_start(), answer.last_safe_start, answer.next_start) {
        (true, Some(last), _) => last,
        (false, _, Some(next)) => hour.min(next - TICK),
        _ => hour,
    }
}

/// A question is about a run that begins as it was asked for, and not much earlier: then it was another start.
fn is_about(asked: &Asked, run: &Run) -> bool {
    let trigger = [asked.trigger, run.trigger];
    let same_trigger = trigger.contains(&Trigger::Unknown) || asked.trigger == run.trigger;
    let named = asked.change_id.as_ref().zip(run.change());
    asked.at <= run.start + CLOCKS_DIFFER
        && asked.start <= run.start + CLOCKS_DIFFER
        && run.start <= asked.holds_until
        && same_trigger
        && named.is_none_or(|(asked, of_run)| asked == of_run)
}

/// The window to use: that of the start, else the next one.
fn window(terms: &Terms, start: Option<Instant>, question: &Question) -> Option<Span> {
    terms.windows.as_ref()?;
    let around = start.and_then(|start| terms.opening_at(start));
    around.or_else(|| terms.next_opening(start.unwrap_or(question.start), question.lasts))
}
