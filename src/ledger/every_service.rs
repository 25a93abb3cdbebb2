//! A question that names no service is about every service of its procedure, as the line of such a start is: one no is a
//! no.

use crate::ledger::asking::{Answer, LOOK_AHEAD, Question};
use crate::ledger::draft::Draft;
use crate::policy::Policy;
use crate::time::Instant;
use crate::verdict::Verdict;

/// Services may be free in turn for so many times before the search for an instant at which all are is given up.
const TURNS_MAX: usize = 1_000;

impl Draft {
    /// Answers a question, and puts nothing on record. `None`: there is no such partner.
    pub fn answer(&self, policy: &Policy, question: &Question) -> Option<Answer> {
        let partner = policy.partner(&question.partner)?;
        if question.service.is_some() {
            return self.answer_for_one(policy, question);
        }
        let services = partner.services_of(Some(&question.procedure));
        let each = |service| Question { service, ..question.clone() };
        let questions: Vec<Question> = services.into_iter().map(each).collect();
        if let [one] = questions.as_slice() {
            return self.answer_for_one(policy, one);
        }
        let ask = |at: Instant| {
            let at = |one: &Question| Question { start: at, ..one.clone() };
            let answers = questions.iter().map(|one| self.answer_for_one(policy, &at(one)));
            answers.collect::<Option<Vec<Answer>>>()
        };
        let answers = ask(question.start)?;
        let next_start = first_for_all(question.start, &answers, &ask);
        let then = next_start.and_then(ask);
        let last = then.iter().flatten().map(|answer| answer.last_safe_start).min().flatten();
        let mut all = worst(answers)?;
        all.service = None;
        all.next_start = next_start;
        all.last_safe_start = last;
        Some(all)
    }
}

/// The first instant at which the answer is yes for all.
fn first_for_all(
    start: Instant,
    answers: &[Answer],
    ask: &impl Fn(Instant) -> Option<Vec<Answer>>,
) -> Option<Instant> {
    let mut answers = answers.to_vec();
    for _ in 0..TURNS_MAX {
        if answers.iter().all(Answer::may_start) {
            return answers.first()?.next_start;
        }
        let next = answers.iter().map(|answer| answer.next_start).collect::<Option<Vec<_>>>()?;
        let next = next.into_iter().max().filter(|next| *next <= start + LOOK_AHEAD)?;
        answers = ask(next)?;
    }
    None
}

/// What is said of any of them is said of all. The first that says no comes first.
fn worst(mut answers: Vec<Answer>) -> Option<Answer> {
    answers.sort_by_key(|answer| match answer.verdict {
        Verdict::Violation => 0,
        Verdict::Unknown => 1,
        Verdict::Exempt => 2,
        Verdict::Compliant => 3,
    });
    let mut answers = answers.into_iter();
    let mut all = answers.next()?;
    for other in answers {
        for finding in other.findings.values() {
            if !all.findings.contains_key(&finding.reason) {
                all.findings.insert(finding.clone());
            }
        }
        all.duties.extend(other.duties);
    }
    all.duties.sort();
    all.duties.dedup();
    Some(all)
}
