//! Looking ahead at what is planned: upcoming changes, and which of the agreement each would break if it were
//! carried out exactly as planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::{Changes, Plan, Resolved};
use crate::event::{Status, Trigger};
use crate::policy::{Partner, Policy, Terms};
use crate::time::{Instant, Span};
use crate::verdict::{Case, Check, RULES, Reason, civil};

/// Rules that a planned span alone can break. What hangs on a confirmation or on how a run is started is not
/// decided by a plan.
pub const ABOUT_A_PLAN: [Reason; 8] = [
    Reason::InBusinessHours,
    Reason::InFreeze,
    Reason::OutsideWindow,
    Reason::OverranWindow,
    Reason::RanIntoBusinessHours,
    Reason::RanIntoFreeze,
    Reason::TooLong,
    Reason::UnknownProcedure,
];

/// What a plan is in conflict with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// A rule that a run as planned breaks.
    Rule(Reason),
    /// Another change of the same service, of whichever partner, is planned for the same time.
    Overlap,
}

impl Conflict {
    /// Every conflict that a plan can be in.
    pub fn all() -> impl Iterator<Item = Conflict> {
        ABOUT_A_PLAN.into_iter().map(Conflict::Rule).chain([Conflict::Overlap])
    }

    /// The label: a rule's reason, or `overlap`.
    pub fn as_str(self) -> &'static str {
        match self {
            Conflict::Rule(reason) => reason.as_str(),
            Conflict::Overlap => "overlap",
        }
    }
}

/// One change ahead, for one of the services and procedures that it names.
#[derive(Clone, Debug)]
pub struct Upcoming<'a> {
    pub partner: &'a Partner,
    pub change_id: &'a Arc<str>,
    pub latest: Arc<Resolved>,
    /// Its present times are confirmed.
    pub confirmed: bool,
    /// As the change names it.
    pub procedure: Option<Box<str>>,
    pub terms: &'a Terms,
    /// Each conflict with a sentence for people.
    pub conflicts: BTreeMap<Conflict, String>,
}

impl Upcoming<'_> {
    /// It is still meant to happen (or is happening).
    fn is_on(&self) -> bool {
        !matches!(self.latest.status, Status::Cancelled | Status::Completed)
    }

    /// The planned span, unless it is empty.
    pub fn span(&self) -> Option<Span> {
        self.latest.planned.and_then(Into::into)
    }

    /// The moment by which it must be confirmed; `None`: it is, or nobody asks for it.
    pub fn confirm_by(&self, now: Instant) -> Option<Instant> {
        let start = self.latest.planned?.start;
        let asks = !self.confirmed && self.is_on() && self.terms.confirmation.required;
        (asks && now < start).then(|| start - self.terms.confirmation.notice.unwrap_or_default())
    }
}

/// Every change whose planned end is after `now`, once for each service and procedure that it names, in the order of the
/// partners and of the planned ends. A change that names no service is of every service of its procedure, as a run is.
pub fn upcoming<'a>(
    policy: &'a Policy,
    changes_of: impl Fn(&str) -> Option<&'a Changes>,
    now: Instant,
) -> Vec<Upcoming<'a>> {
    let mut all = Vec::new();
    for partner in &policy.partners {
        let Some(changes) = changes_of(&partner.name) else { continue };
        for (change_id, latest, confirmed) in changes.upcoming(now) {
            let latest = Arc::new(latest);
            for ((service, procedure), terms) in terms_of(partner, &latest) {
                let mut one = Upcoming {
                    partner,
                    change_id,
                    latest: latest.clone(),
                    confirmed,
                    procedure: procedure.map(Into::into),
                    terms,
                    conflicts: BTreeMap::new(),
                };
                one.conflicts = conflicts_of(&one, service.as_deref());
                all.push(one);
            }
        }
    }
    note_overlaps(&mut all);
    all
}

/// A service and a procedure that a change is for; `None` where it names none.
type Target<'r> = (Option<Arc<str>>, Option<&'r str>);

/// Each service and procedure that a change is for, with their terms.
fn terms_of<'a, 'r>(partner: &'a Partner, latest: &'r Resolved) -> Vec<(Target<'r>, &'a Terms)> {
    let named = latest.procedures.iter().map(|p| Some(&**p));
    let none = latest.procedures.is_empty().then_some(None);
    let mut found = Vec::new();
    for procedure in named.chain(none) {
        let services: Vec<Option<Arc<str>>> = match latest.services.is_empty() {
            true => partner.services_of(procedure),
            false => latest.services.iter().map(|s| Some(Arc::from(&**s))).collect(),
        };
        for service in services {
            let terms = partner.terms(service.as_deref(), procedure.unwrap_or_default());
            found.push(((service, procedure), terms.as_ref()));
        }
    }
    found
}

/// What a run that keeps exactly to the plan breaks, and no emergency waives.
fn conflicts_of(change: &Upcoming, service: Option<&str>) -> BTreeMap<Conflict, String> {
    let Some(span) = change.span().filter(|_| change.is_on()) else { return BTreeMap::new() };
    let plan = plan_of(change);
    let case = Case {
        terms: change.terms,
        start: span.start,
        service,
        procedure: change.procedure.as_deref().unwrap_or_default(),
        trigger: Trigger::Unknown,
        plan: Some(&plan),
        end: Some(span.end),
        lost_at: None,
        clock: span.end,
        verified: None,
        approved: None,
        approved_as_emergency: None,
        delivered_by: None,
    };
    let asked = RULES.iter().filter(|rule| ABOUT_A_PLAN.contains(&rule.reason));
    let broken = asked.filter_map(|rule| match rule.ask(&case) {
        Check::Broken { detail, .. } => Some((rule.reason, detail)),
        _ => None,
    });
    let stands = |reason: Reason| !(case.is_waiving() && reason.is_waivable());
    broken.filter(|(r, _)| stands(*r)).map(|(r, detail)| (Conflict::Rule(r), detail)).collect()
}

fn plan_of(change: &Upcoming) -> Plan {
    let latest = &change.latest;
    Plan {
        change_id: change.change_id.clone(),
        slot: latest.slot.clone(),
        revision: latest.number,
        status: latest.status,
        services: latest.services.clone(),
        procedures: latest.procedures.clone(),
        change_type: latest.change_type,
        planned: latest.planned,
        confirmed_at: None,
    }
}

/// Names, for each change, the next one of the same service that is planned for some of the same time.
///
/// In the order of their starts a change can only overlap those that have not ended yet.
fn note_overlaps(all: &mut [Upcoming]) {
    let mut in_order: Vec<(Span, usize)> = all
        .iter()
        .enumerate()
        .filter(|(_, change)| {
            change.is_on() && change.terms.service.as_ref() != crate::policy::OTHER
        })
        .filter_map(|(i, change)| Some((change.span()?, i)))
        .collect();
    in_order.sort_by_key(|(span, i)| (span.start, *i));
    // By service: the changes that are still going on, by planned end.
    let mut open: BTreeMap<Arc<str>, BTreeSet<(Instant, usize)>> = BTreeMap::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (span, i) in in_order {
        let Some(change) = all.get(i) else { continue };
        let open = open.entry(change.terms.service.clone()).or_default();
        while open.first().is_some_and(|(end, _)| *end <= span.start) {
            open.pop_first();
        }
        let other = open.iter().rev().map(|(_, other)| *other);
        if let Some(other) = other.take(OVERLAPS_SEEN).find(|o| is_another(all.get(*o), change)) {
            found.extend([(i, other), (other, i)]);
        }
        open.insert((span.end, i));
    }
    for (i, other) in found {
        let Some(sentence) = all.get(other).map(describe) else { continue };
        if let Some(change) = all.get_mut(i) {
            change.conflicts.entry(Conflict::Overlap).or_insert(sentence);
        }
    }
}

/// Changes of the same time that are looked at for one that is another; the rest belong to one change that
/// names a service many times.
const OVERLAPS_SEEN: usize = 64;

fn is_another(other: Option<&Upcoming>, change: &Upcoming) -> bool {
    other.is_some_and(|o| o.change_id != change.change_id || o.partner.name != change.partner.name)
}

fn describe(other: &Upcoming) -> String {
    let when = other.span().map_or_else(String::new, |s| {
        let zone = &other.terms.zone;
        format!(", {} to {}", civil(zone, s.start), civil(zone, s.end))
    });
    format!("{} of {} is planned for the same time{when}", other.change_id, other.partner.name)
}
