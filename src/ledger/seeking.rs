//! When a run may start next, and until when.
//!
//! Whether it may is the same all the time between two edges: a window or a freeze that begins or ends, a plan that
//! comes into force, and each of these less the duration. So it is asked at the edges, and a nanosecond after them.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::change::{Moments, Planned};
use crate::ledger::asking::{LOOK_AHEAD, Question};
use crate::ledger::draft::{Draft, TICK};
use crate::policy::{Policy, Terms};
use crate::run::Run;
use crate::time::{Instant, Span};
use crate::verdict::Reason;

/// Edges are worked out for this much time at once.
const STRIDE: TimeDelta = TimeDelta::days(8);

/// Of two plans the nearer one counts, so half-way between them is an edge. So many of those that follow a plan
/// are looked at.
const NEIGHBOURS: usize = 16;

/// Rules that a later start breaks as well.
const FOR_EVER: [Reason; 3] = [Reason::UnknownProcedure, Reason::TooLong, Reason::Lost];

/// One question, and what can change its answer.
pub(super) struct Seeking<'a> {
    draft: &'a Draft,
    policy: &'a Policy,
    question: &'a Question,
    terms: &'a Terms,
    /// How long it is seen to run.
    lasts: TimeDelta,
    /// Edges that hang on plans.
    plans: BTreeSet<Instant>,
    /// An emergency may waive rules at some start.
    may_waive: bool,
    /// Starts outside these are against the rules; `None`: there is no such bound.
    only: Option<Vec<Span>>,
}

impl<'a> Seeking<'a> {
    pub(super) fn new(
        draft: &'a Draft,
        policy: &'a Policy,
        question: &'a Question,
        terms: &'a Terms,
    ) -> Seeking<'a> {
        let lasts = question.lasts.unwrap_or_default().min(terms.lost_after);
        let (plans, may_waive, only) = (BTreeSet::new(), false, None);
        let mut seeking = Seeking { draft, policy, question, terms, lasts, plans, may_waive, only };
        let moments = seeking.moments().unwrap_or_default();
        seeking.may_waive = terms.emergencies.allowed && moments.emergency;
        let early = terms.confirmation.early;
        if terms.confirmation.required && question.change_id.is_none() {
            let span = |p: &Planned| Span::new(p.start - early, p.end);
            seeking.only = Some(moments.planned.iter().filter_map(span).collect());
        }
        seeking.add_plans(&moments);
        seeking
    }

    fn moments(&self) -> Option<Moments> {
        let question = self.question;
        // A next start may be followed by a last safe one as far ahead again.
        let range = Span::new(question.start, question.start + LOOK_AHEAD + LOOK_AHEAD)?;
        let changes = &self.draft.ledger().book(&question.partner)?.changes;
        let about = (question.service.as_deref(), &*question.procedure);
        let early = self.terms.confirmation.early;
        Some(changes.moments(question.change_id.as_deref(), about, early, range))
    }

    fn add_plans(&mut self, moments: &Moments) {
        let agreed = &self.terms.confirmation;
        let tolerance = self.terms.overrun_tolerance;
        let mut edges: Vec<Instant> = moments.stamps.iter().copied().collect();
        for (n, plan) in moments.planned.iter().enumerate() {
            edges.extend([plan.start - agreed.early, plan.start, plan.start + agreed.late]);
            edges.extend([plan.end, plan.end + tolerance - self.lasts]);
            for next in moments.planned.iter().skip(n + 1).take(NEIGHBOURS) {
                edges.push(half_way(plan.start, next.start));
                edges.push(half_way(plan.end, next.start - agreed.early));
                edges.push(half_way(next.end, plan.start - agreed.early));
            }
        }
        self.plans = edges.into_iter().flat_map(|edge| [edge, edge + TICK]).collect();
    }

    fn may_start(&self, at: Instant) -> bool {
        let supposed = self.draft.suppose(self.policy, self.question, at);
        supposed.is_some_and(|supposed| supposed.may_start())
    }

    /// The earliest instant after the start that was asked for at which it may start. `refused`: the run as it would
    /// be at that start.
    pub(super) fn next_start(&self, refused: &Run) -> Option<Instant> {
        let never = |reason: &Reason| refused.findings.contains_key(reason);
        let trigger = Some(&Reason::WrongTrigger).filter(|_| !self.may_waive);
        if FOR_EVER.iter().chain(trigger).any(never) {
            return None;
        }
        self.first(self.question.start, |s| self.openings(s), |at| self.may_start(at))
    }

    /// The last instant before it may not start any more; `start` is one at which it may.
    pub(super) fn last_safe_start(&self, start: Instant) -> Option<Instant> {
        // Without a duration nothing is known of the end.
        self.question.lasts?;
        self.first(start, |s| self.closings(s), |at| !self.may_start(at)).map(|at| at - TICK)
    }

    /// The first edge after `from` of which `holds` says yes.
    fn first(
        &self,
        from: Instant,
        edges: impl Fn(Span) -> Vec<Instant>,
        holds: impl Fn(Instant) -> bool,
    ) -> Option<Instant> {
        let end = from + LOOK_AHEAD;
        let mut start = from;
        while let Some(stride) = Span::new(start, end.min(start + STRIDE)) {
            start = stride.end;
            if !self.is_open(stride) {
                continue;
            }
            let within = |edge: &Instant| stride.start < *edge && *edge <= stride.end;
            let plans = self.plans.range(stride.start..=stride.end).copied();
            let all: BTreeSet<Instant> =
                edges(stride).into_iter().chain(plans).filter(within).collect();
            if let Some(found) = all.into_iter().find(|at| holds(*at)) {
                return Some(found);
            }
        }
        None
    }

    /// Whether a start within the span can be as agreed, or one just before it could.
    fn is_open(&self, stride: Span) -> bool {
        let touches = |span: &Span| span.start <= stride.end && stride.start <= span.end;
        self.only.as_ref().is_none_or(|only| only.iter().any(touches))
    }

    /// Where it may become possible to start: where a window begins, or business hours or a freeze end.
    fn openings(&self, stride: Span) -> Vec<Instant> {
        let Some(range) = Span::new(stride.start, stride.end + self.lasts + TICK) else {
            return Vec::new();
        };
        let windows = self.terms.windows.as_ref();
        let mut open = windows.map_or(vec![range], |windows| windows.spans_in(range));
        let closed = self.terms.closed().map(|calendar| calendar.spans_in(range));
        if self.may_waive {
            let ends = closed.flatten().map(|span| span.end);
            return open.iter().map(|span| span.start).chain(ends).collect();
        }
        closed.for_each(|closed| open = without(&open, &closed));
        // Where there is no room for the whole run, it need not be asked.
        let has_room = |span: &&Span| self.lasts <= span.end - span.start;
        open.iter().filter(has_room).map(|span| span.start).collect()
    }

    /// Where it may cease to be possible to start: where the window ends, business hours or a freeze begin, or it
    /// would run past one of these.
    fn closings(&self, stride: Span) -> Vec<Instant> {
        let Some(range) = Span::new(stride.start, stride.end + self.lasts + TICK) else {
            return Vec::new();
        };
        let windows = self.terms.windows.iter();
        let ends = windows.clone().flat_map(|w| w.spans_in(range)).map(|span| span.end);
        let starts = self.terms.closed().flat_map(|calendar| calendar.spans_in(range));
        let bounds = ends.chain(starts.map(|span| span.start));
        let mut edges: Vec<Instant> =
            bounds.flat_map(|bound| [bound, bound - self.lasts + TICK]).collect();
        edges.extend(
            windows.chain(self.terms.closed()).filter_map(|calendar| calendar.known_until()),
        );
        edges
    }
}

/// Merged spans without what other merged spans cover.
fn without(spans: &[Span], cuts: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    for span in spans {
        let mut start = span.start;
        let first = cuts.partition_point(|cut| cut.end <= start);
        for cut in cuts.iter().skip(first).take_while(|cut| cut.start < span.end) {
            left.extend(Span::new(start, cut.start));
            start = cut.end;
        }
        left.extend(Span::new(start, span.end));
    }
    left
}

/// Half-way between two instants, rounded towards the first.
fn half_way(a: Instant, b: Instant) -> Instant {
    a + (b - a) / 2
}
