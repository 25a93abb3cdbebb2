//! Cases of a policy: "this start gets this verdict", as written in a file of their own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::calendar::{Edge, Zone};
use crate::config::check::Check;
use crate::config::problem::{Error, Fault};
use crate::config::scalars::Zero;
use crate::config::yaml::{self, Given, Text};
use crate::config::{Disk, FILE_BYTES_MAX, Files, folder};
use crate::event::{ChangeType, Trigger};
use crate::policy::{Partner, Policy};
use crate::time::Instant;
use crate::verdict::{Reason, Verdict};

/// A run that has not happened, and what it is to be judged as.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyCase {
    pub name: String,
    /// Where it stands in its file, from 1.
    pub line: u64,
    pub partner: Arc<str>,
    /// `None`: every one of the procedure.
    pub service: Option<Box<str>>,
    pub procedure: Box<str>,
    pub trigger: Trigger,
    pub start: Instant,
    /// `None`: it is still running.
    pub end: Option<Instant>,
    /// The moment at which it is looked at.
    pub now: Instant,
    pub change: Option<CaseChange>,
    pub verified: Option<Instant>,
    pub approved: Option<Instant>,
    pub verdict: Verdict,
    /// Every reason, waived ones as well; `None`: whichever.
    pub reasons: Option<BTreeSet<Reason>>,
}

/// The change that the run names.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseChange {
    pub start: Instant,
    pub end: Instant,
    pub change_type: ChangeType,
    /// `None`: it is tentative.
    pub confirmed: Option<Instant>,
    pub cancelled: Option<Instant>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    tests: Given<Spanned<Vec<Spanned<Case>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Case {
    name: Given<Text>,
    partner: Given<Text>,
    service: Given<Text>,
    procedure: Given<Text>,
    trigger: Given<Text>,
    start: Given<Text>,
    end: Given<Text>,
    duration: Given<Text>,
    now: Given<Text>,
    change: Given<Spanned<Change>>,
    verified: Given<Text>,
    approved: Given<Text>,
    expect: Given<Spanned<Expected>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    start: Given<Text>,
    end: Given<Text>,
    #[serde(rename = "type")]
    kind: Given<Text>,
    confirmed: Given<Text>,
    cancelled: Given<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    verdict: Given<Text>,
    reasons: Given<Spanned<Vec<Text>>>,
}

/// Reads the cases at `path`; their names must be those of `policy`. Clock times are the service's, else the partner's.
///
/// # Errors
/// It cannot be read, or everything that is wrong with it.
pub fn load_cases(path: &Path, policy: &Policy, now: Instant) -> Result<Vec<PolicyCase>, Error> {
    let file: Arc<str> = path.display().to_string().into();
    let unreadable = |reason| Error::Unreadable { file: file.clone(), reason };
    let bytes = std::fs::read(path).map_err(|e| unreadable(format!("cannot be read: {e}")))?;
    if FILE_BYTES_MAX < bytes.len() {
        return Err(unreadable(format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut disk = Disk;
    let mut check = Check::new(&file, text, now, Files::new(folder(path), &mut disk));
    let written: Spanned<File> = match yaml::read(text) {
        Ok(written) => written,
        Err((at, fault)) => {
            check.error(at, fault);
            return Err(check.failed());
        }
    };
    let mut cases = Vec::new();
    if let Some(tests) = check.required(written.defined, "tests", &written.value.tests) {
        check.not_empty(tests.defined, tests.value.is_empty());
        for case in &tests.value {
            cases.extend(check.case(case, policy));
        }
    }
    check.finish()?;
    Ok(cases)
}

impl Check<'_> {
    fn case(&mut self, case: &Spanned<Case>, policy: &Policy) -> Option<PolicyCase> {
        let (at, case) = (case.defined, &case.value);
        let name = self.required(at, "name", &case.name).and_then(|name| self.text(name));
        let expected = self.required(at, "expect", &case.expect);
        let expected = expected.and_then(|expected| self.expected(expected));
        let partner = self.required(at, "partner", &case.partner)?;
        let Some(agreed) = policy.partner(&partner.value) else {
            let names: Vec<&str> = policy.partners.iter().map(|p| &*p.name).collect();
            self.unknown(partner, "partner", &names);
            return None;
        };
        let (verdict, reasons) = expected?;
        let may_be_unknown =
            reasons.as_ref().is_some_and(|r| r.contains(&Reason::UnknownProcedure));
        let procedure = self.required(at, "procedure", &case.procedure)?;
        if !may_be_unknown {
            self.is_declared(case, procedure, agreed, policy);
        }
        let service = case.service.as_ref().map(|service| service.value.as_str());
        let zone = agreed.terms(service, &procedure.value).zone.clone();
        let start = self.required(at, "start", &case.start)?;
        let start = self.instant(start, &zone, Edge::Earlier)?;
        let end = self.case_end(case, &zone, start);
        let trigger = match case.trigger.as_ref() {
            Some(word) => self.word(word, "trigger", Trigger::ALL, Trigger::as_str)?,
            None => Trigger::Unknown,
        };
        let change = match case.change.as_ref() {
            Some(change) => Some(self.case_change(change, &zone)?),
            None => None,
        };
        let now = self.maybe_instant(&case.now, &zone);
        if let (Some(now), Some(text)) = (now, case.now.as_ref())
            && now < end.unwrap_or(start)
        {
            self.error(text.defined, "it is looked at before it has ended");
        }
        Some(PolicyCase {
            name: name?.to_owned(),
            line: at.line(),
            partner: agreed.name.clone(),
            service: service.map(Into::into),
            procedure: procedure.value.as_str().into(),
            trigger,
            start,
            end,
            now: now.unwrap_or(end.unwrap_or(start)),
            change,
            verified: self.maybe_instant(&case.verified, &zone),
            approved: self.maybe_instant(&case.approved, &zone),
            verdict,
            reasons,
        })
    }

    /// A name that is not in the configuration is a slip, unless the case is about just that.
    fn is_declared(&mut self, case: &Case, procedure: &Text, partner: &Partner, policy: &Policy) {
        if partner.procedure(&procedure.value).is_none() {
            let names: Vec<&str> = partner.procedures.iter().map(|p| &*p.name).collect();
            self.unknown(procedure, "procedure", &names);
        }
        if let Some(service) = case.service.as_ref()
            && policy.service(&service.value).is_none()
        {
            let names: Vec<&str> = policy.services.iter().map(|s| &*s.name).collect();
            self.unknown(service, "service", &names);
        }
    }

    fn case_end(&mut self, case: &Case, zone: &Zone, start: Instant) -> Option<Instant> {
        let end = self.maybe_instant(&case.end, zone);
        let lasts = self.duration(&case.duration, Zero::Allowed);
        if let (Some(text), Some(_)) = (case.end.as_ref(), case.duration.as_ref()) {
            self.error(text.defined, "both end and duration");
        }
        if let (Some(end), Some(text)) = (end, case.end.as_ref())
            && end < start
        {
            self.error(text.defined, "it ends before it starts");
        }
        end.or(lasts.and_then(|lasts| start.checked_add_signed(lasts)))
    }

    fn case_change(&mut self, change: &Spanned<Change>, zone: &Zone) -> Option<CaseChange> {
        let (at, change) = (change.defined, &change.value);
        let mut planned = |key: &str, given: &Given<Text>, edge| -> Option<(Instant, Location)> {
            let text = self.required(at, key, given)?;
            Some((self.instant(text, zone, edge)?, text.defined))
        };
        let start = planned("start", &change.start, Edge::Earlier);
        let end = planned("end", &change.end, Edge::Later);
        let change_type = match change.kind.as_ref() {
            Some(word) => self.word(word, "type", ChangeType::ALL, ChangeType::as_str),
            None => Some(ChangeType::Normal),
        };
        let confirmed = self.maybe_instant(&change.confirmed, zone);
        let cancelled = self.maybe_instant(&change.cancelled, zone);
        let ((start, _), (end, place)) = (start?, end?);
        if end <= start {
            self.error(place, Fault::new("the plan ends before it begins, or is empty"));
        }
        Some(CaseChange { start, end, change_type: change_type?, confirmed, cancelled })
    }

    fn maybe_instant(&mut self, given: &Given<Text>, zone: &Zone) -> Option<Instant> {
        given.as_ref().and_then(|text| self.instant(text, zone, Edge::Earlier))
    }

    #[allow(clippy::type_complexity)]
    fn expected(
        &mut self,
        expected: &Spanned<Expected>,
    ) -> Option<(Verdict, Option<BTreeSet<Reason>>)> {
        let (at, expected) = (expected.defined, &expected.value);
        let verdict = self.required(at, "verdict", &expected.verdict);
        let verdict =
            verdict.and_then(|word| self.word(word, "verdict", Verdict::ALL, Verdict::as_str));
        let mut reasons = None;
        if let Some(list) = expected.reasons.as_ref() {
            let mut found = BTreeSet::new();
            for word in &list.value {
                found.extend(self.word(word, "reason", Reason::ALL, Reason::as_str));
            }
            reasons = Some(found);
        }
        Some((verdict?, reasons))
    }
}
