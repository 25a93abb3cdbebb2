//! Questions whether a run may start: from a text to an answer, and onto the record, within limits.
//!
//! An answer is given only when its question is on disk. So that nobody can make the ledger grow without bound,
//! the same question asked again within [`REPEATS_WITHIN`], with no other about the procedure in between, is counted
//! and put on record once more, with the count, and of other questions about one partner only so many are answered ([`QUESTIONS_AT_ONCE`], [`QUESTION_EVERY`]).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{SubsecRound, TimeDelta};

use crate::app::engine::Engine;
use crate::app::shared::{Asking, Refusal};
use crate::app::sign_off::TEXT_BYTES;
use crate::clock;
use crate::event::Trigger;
use crate::http::Inquiry;
use crate::ledger::{Answer, Asker, Draft, Question};
use crate::policy::Policy;
use crate::report::may_start::AnswerReport;
use crate::run::{Asked, Override};
use crate::store::Commit;
use crate::time::{DURATION_FORM, Instant, parse_duration};

/// The same question within this time is one entry of the ledger.
pub const REPEATS_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// So many different questions about one partner may be asked at once,
pub const QUESTIONS_AT_ONCE: u32 = 120;

/// and after that one in this time.
pub const QUESTION_EVERY: TimeDelta = TimeDelta::seconds(6);

/// The longest name of a service, procedure or change in a question, in bytes.
pub const NAME_BYTES: usize = 512;

/// A start further away than this is not asked for.
const START_AWAY: TimeDelta = TimeDelta::days(3_650);

/// A question that was understood.
struct Understood {
    question: Question,
    asker: Asker,
}

/// Reads a question. `from`: who asks, as far as is known.
fn understood(
    inquiry: &Inquiry,
    from: &str,
    policy: &Policy,
    now: Instant,
) -> Result<Understood, String> {
    let name = needed("partner", &inquiry.partner)?;
    let Some(partner) = policy.partner(name) else {
        let names: Vec<&str> = policy.partners.iter().map(|p| &*p.name).collect();
        return Err(format!("there is no partner {name:?}; there are {}", names.join(", ")));
    };
    let procedure = needed("procedure", &inquiry.procedure)?;
    let service = told("service", &inquiry.service)?;
    let change = told("change", &inquiry.change)?;
    let names = [Some(procedure), service, change];
    if names.into_iter().flatten().any(|name| NAME_BYTES < name.len()) {
        return Err(format!("a name has at most {NAME_BYTES} bytes"));
    }
    let texts = [&inquiry.by, &inquiry.override_by, &inquiry.override_reason];
    if texts.into_iter().flatten().any(|text| TEXT_BYTES < text.len()) {
        return Err(format!("a name of a person or a reason has at most {TEXT_BYTES} bytes"));
    }
    let start = inquiry.at.as_deref().map(|text| start_of(text, now)).transpose()?;
    let lasts = inquiry.lasts.as_deref().map(|text| {
        parse_duration(text).ok_or_else(|| format!("for {text:?} is not {DURATION_FORM}"))
    });
    let trigger = inquiry.trigger.as_deref().map(trigger_of).transpose()?;
    let question = Question {
        partner: partner.name.clone(),
        service: service.map(Arc::from),
        procedure: procedure.into(),
        change_id: change.map(Arc::from),
        trigger: trigger.unwrap_or(Trigger::Unknown),
        start: start.unwrap_or_else(|| now.trunc_subsecs(3)),
        lasts: lasts.transpose()?,
    };
    let by = told("by", &inquiry.by)?.map(Box::from);
    let asker = Asker { at: now, by, from: Some(from.into()), overriding: overriding(inquiry)? };
    Ok(Understood { question, asker })
}

fn needed<'a>(key: &str, given: &'a Option<String>) -> Result<&'a str, String> {
    told(key, given)?.ok_or_else(|| format!("say which {key}: {key}=NAME"))
}

/// A name as it would be read in a line: without blanks around it. An empty one is a slip, often a variable that is not
/// set, and no name.
fn told<'a>(key: &str, given: &'a Option<String>) -> Result<Option<&'a str>, String> {
    match given.as_deref().map(str::trim) {
        Some("") => Err(format!("{key} has no value")),
        name => Ok(name),
    }
}

fn start_of(text: &str, now: Instant) -> Result<Instant, String> {
    let at = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let near = at.ok().filter(|at| (*at - now).abs() <= START_AWAY);
    near.ok_or_else(|| {
        format!("at {text:?} is not a time within ten years; accepted is RFC 3339, such as 2025-11-10T13:10:00Z")
    })
}

fn trigger_of(text: &str) -> Result<Trigger, String> {
    Trigger::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Trigger::ALL.iter().map(|t| t.as_str()).collect();
        format!("{text:?} is not a trigger; accepted are {}", known.join(", "))
    })
}

fn overriding(inquiry: &Inquiry) -> Result<Option<Override>, String> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    match (given(&inquiry.override_by), given(&inquiry.override_reason)) {
        (None, None) => Ok(None),
        (Some(by), Some(reason)) => Ok(Some(Override { by: by.into(), reason: reason.into() })),
        _ => Err("whoever overrides says who and why: override_by and override_reason".into()),
    }
}

/// What is remembered of questions, so that there are not too many entries.
#[derive(Default)]
pub struct Questions {
    /// Of each procedure the last one only: of several the last counts, so what was asked between two that are the same
    /// must not come to stand behind both.
    recent: HashMap<About, Recent>,
    allowances: HashMap<Arc<str>, Allowance>,
}

/// Partner, service and procedure.
type About = (Arc<str>, Option<Arc<str>>, Arc<str>);

/// What makes two questions the same: what was asked, who asked, and the answer.
type Key = (Inquiry, Box<str>, bool, Vec<crate::verdict::Reason>);

/// A question that is on record.
struct Recent {
    key: Key,
    since: Instant,
    /// As it was asked for the last time.
    last: Asked,
    /// How often it was asked since it was put on record.
    repeats: u64,
}

/// How many more questions may be asked about one partner.
struct Allowance {
    left: u32,
    /// The moment up to which `left` has been added to.
    at: Instant,
}

impl Questions {
    /// Answers, and puts on record in the draft what is to be. The answer may be given once that is stored.
    ///
    /// # Errors
    /// The question means nothing, or there are too many.
    pub fn ask(
        &mut self,
        draft: &mut Draft,
        policy: &Policy,
        (inquiry, from): (&Inquiry, &str),
        now: Instant,
    ) -> Result<AnswerReport, Refusal> {
        let Understood { question, asker } =
            understood(inquiry, from, policy, now).map_err(Refusal::Wrong)?;
        let answer = draft.answer(policy, &question);
        let answer = answer.ok_or_else(|| Refusal::Wrong("there is no such partner".into()))?;
        self.note(draft, (inquiry, from), &question, &asker, &answer)?;
        Ok(AnswerReport::new(&question, &answer))
    }

    fn note(
        &mut self,
        draft: &mut Draft,
        (inquiry, from): (&Inquiry, &str),
        question: &Question,
        asker: &Asker,
        answer: &Answer,
    ) -> Result<(), Refusal> {
        self.settle(draft, asker.at - REPEATS_WITHIN);
        let asked = Asked::new(question, asker, answer);
        let key = (inquiry.clone(), from.into(), asked.may_start, asked.reasons.clone());
        let partner = &question.partner;
        let about = (partner.clone(), asked.service.clone(), asked.procedure.clone());
        if let Some(recent) = self.recent.get_mut(&about).filter(|recent| recent.key == key) {
            recent.repeats += 1;
            recent.last = asked;
            return Ok(());
        }
        if !self.allowance(partner, asker.at).take(asker.at) {
            tracing::warn!(%partner, from, "too many questions whether runs may start");
            let every = QUESTION_EVERY.num_seconds();
            return Err(Refusal::TooMany(format!(
                "too many questions about {partner}: {QUESTIONS_AT_ONCE} at once and then one in {every} s are answered, because each is put on record"
            )));
        }
        if let Some(before) = self.recent.remove(&about) {
            before.settle(draft, partner);
        }
        draft.note_question(partner, Arc::new(asked.clone()));
        self.recent.insert(about, Recent { key, since: asker.at, last: asked, repeats: 0 });
        Ok(())
    }

    /// Puts repetitions on record of questions that were asked first at or before `since`, and forgets those.
    pub fn settle(&mut self, draft: &mut Draft, since: Instant) {
        let over = self.recent.extract_if(|_, recent| recent.since <= since);
        over.for_each(|((partner, ..), recent)| recent.settle(draft, &partner));
    }

    fn allowance(&mut self, partner: &Arc<str>, now: Instant) -> &mut Allowance {
        let full = Allowance { left: QUESTIONS_AT_ONCE, at: now };
        self.allowances.entry(partner.clone()).or_insert(full)
    }
}

impl Recent {
    /// Puts its repetitions on record.
    fn settle(self, draft: &mut Draft, partner: &Arc<str>) {
        if 0 < self.repeats {
            let asked = Asked { times: self.repeats, ..self.last };
            draft.note_question(partner, Arc::new(asked));
        }
    }
}

impl Allowance {
    /// Takes one, if there is one.
    fn take(&mut self, now: Instant) -> bool {
        let passed = (now - self.at).num_milliseconds() / QUESTION_EVERY.num_milliseconds();
        let more = u32::try_from(passed.max(0)).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(more).min(QUESTIONS_AT_ONCE);
        // A clock that was set back must not stop the counting.
        self.at = match now < self.at {
            true => now,
            false => self.at + QUESTION_EVERY * i32::try_from(more).unwrap_or(i32::MAX),
        };
        let granted = 0 < self.left;
        self.left = self.left.saturating_sub(1);
        granted
    }
}

impl Engine {
    /// Keeps a question until everything that is written has been read: what was told before it was asked counts.
    pub(super) fn take_question(&mut self, asking: Asking) {
        match self.shared.is_ready() {
            true => self.waiting.push(asking),
            false => asking.refuse("offhours is still catching up with its logs"),
        }
    }

    /// Answers the questions that wait about partners of whom everything is read, and puts on record how often others
    /// were repeated.
    pub(super) fn answer_questions(&mut self, is_read: impl Fn(&Engine, &str) -> bool) {
        let now = clock::now();
        self.questions.settle(&mut self.draft, now - REPEATS_WITHIN);
        let all = std::mem::take(&mut self.waiting).into_iter();
        let is_ripe = |asking: &Asking| {
            let partner = asking.inquiry.partner.as_deref().unwrap_or_default().trim();
            is_read(self, partner)
        };
        let (waiting, later): (Vec<_>, Vec<_>) = all.partition(is_ripe);
        self.waiting = later;
        if waiting.is_empty() {
            return;
        }
        let policy = &self.config.policy;
        let mut answered = Vec::with_capacity(waiting.len());
        for asking in waiting {
            let asked = (&asking.inquiry, &*asking.from);
            let answer = self.questions.ask(&mut self.draft, policy, asked, now);
            answered.push((asking, answer));
        }
        let mut commit = Commit { entries: self.draft.drain(), ..Commit::default() };
        commit.runs = self.touched(&commit, now);
        let stored = match commit.entries.is_empty() {
            true => Ok(()),
            false => self.store_it(commit).map_err(|error| error.to_string()),
        };
        if stored.is_err() {
            self.start_over();
            self.questions = Questions::default();
        }
        for (asking, answer) in answered {
            match &stored {
                Ok(()) => asking.reply(answer),
                Err(error) => asking.refuse(&format!(
                    "the question cannot be put on record, and without that there is no answer: {error}"
                )),
            }
        }
    }
}
