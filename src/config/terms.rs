//! The terms of one run: the contract's defaults, the partner's settings over them, the procedure's over those.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_saphyr::Spanned;

use crate::config::calendars::Owner;
use crate::config::check::Check;
use crate::config::scalars::Zero;
use crate::config::written;
use crate::config::yaml::{Given, OneOrMany, Table, Text};
use crate::policy::{Confirmation, Emergencies, Service, Terms};

/// What a partner sets for all of its procedures and a procedure may set for itself.
#[derive(Debug)]
pub struct Settings<'w> {
    windows: &'w Given<Spanned<OneOrMany<written::Window>>>,
    freezes: &'w Given<Spanned<OneOrMany<written::Freeze>>>,
    confirmation: &'w Given<written::Confirmation>,
    overrun_tolerance: &'w Given<Text>,
    lost_after: &'w Given<Text>,
    acknowledge_after: &'w Given<Text>,
    ask_first: &'w Given<Spanned<bool>>,
}

impl Check<'_> {
    /// Overrides `terms` by what is given, key by key; freezes are added.
    pub fn apply(&mut self, settings: &Settings<'_>, owner: &Owner, terms: &mut Terms) {
        if settings.windows.is_some() {
            terms.windows = self.windows(settings.windows, owner);
        }
        terms.freezes.extend(self.freezes(settings.freezes, owner));
        if let Some(written) = settings.confirmation.as_ref() {
            self.confirmation(written, &mut terms.confirmation);
        }
        self.set(&mut terms.overrun_tolerance, settings.overrun_tolerance, Zero::Allowed);
        self.set(&mut terms.lost_after, settings.lost_after, Zero::Senseless);
        self.set(&mut terms.acknowledge_after, settings.acknowledge_after, Zero::Senseless);
        if let Some(ask_first) = settings.ask_first.as_ref() {
            terms.ask_first = ask_first.value;
        }
    }

    fn set(&mut self, target: &mut TimeDelta, given: &Given<Text>, zero: Zero) {
        if let Some(duration) = self.duration(given, zero) {
            *target = duration;
        }
    }

    fn confirmation(&mut self, written: &written::Confirmation, terms: &mut Confirmation) {
        if let Some(required) = written.required.as_ref() {
            terms.required = required.value;
        }
        terms.notice = self.duration(&written.notice, Zero::Allowed).or(terms.notice);
        self.set(&mut terms.early, &written.early, Zero::Allowed);
        self.set(&mut terms.late, &written.late, Zero::Allowed);
    }

    /// Whether and how emergencies waive rules.
    pub fn emergencies(&mut self, given: &Given<written::Emergencies>) -> Emergencies {
        let written = given.as_ref();
        Emergencies {
            allowed: written.and_then(|w| w.allowed.as_ref()).is_some_and(|allowed| allowed.value),
            approve_within: written.and_then(|w| self.duration(&w.approve_within, Zero::Allowed)),
        }
    }
}

impl written::Partner {
    /// What it sets for its procedures.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            windows: &self.windows,
            freezes: &self.freezes,
            confirmation: &self.confirmation,
            overrun_tolerance: &self.overrun_tolerance,
            lost_after: &self.lost_after,
            acknowledge_after: &self.acknowledge_after,
            ask_first: &self.ask_first,
        }
    }
}

impl written::Procedure {
    /// What it sets for itself.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            windows: &self.windows,
            freezes: &self.freezes,
            confirmation: &self.confirmation,
            overrun_tolerance: &self.overrun_tolerance,
            lost_after: &self.lost_after,
            acknowledge_after: &self.acknowledge_after,
            ask_first: &self.ask_first,
        }
    }
}

/// How much [`by_service`] will hold, all in all: a term, and each of its freezes, count as one.
pub fn count(partners: &Table<written::Partner>, services: &[Service]) -> usize {
    let count =
        |freezes: &Given<Spanned<OneOrMany<_>>>| freezes.as_ref().map_or(0, |f| f.value.count());
    let of_services: usize = services.iter().map(|service| service.freezes.len()).sum();
    let of_terms = |freezes: usize| {
        (1 + freezes).saturating_mul(services.len() + 1).saturating_add(of_services)
    };
    partners.iter().fold(0, |sum: usize, (_, partner)| {
        let own = count(&partner.freezes);
        let procedures = partner.procedures.as_ref().map_or(&[] as &[_], |p| &p.value);
        let rows = procedures.iter().map(|(_, procedure)| own + count(&procedure.freezes));
        rows.chain([own]).fold(sum, |sum, freezes| sum.saturating_add(of_terms(freezes)))
    })
}

/// `terms` for no service and for each of `services`.
pub fn by_service<'s>(
    terms: &Terms,
    services: impl IntoIterator<Item = &'s Service>,
) -> HashMap<Option<Arc<str>>, Arc<Terms>> {
    let for_each = services.into_iter().map(|service| {
        let mut freezes = service.freezes.clone();
        freezes.extend(terms.freezes.iter().cloned());
        let terms = Terms {
            service: Arc::clone(&service.name),
            zone: service.zone.clone(),
            business_hours: service.business_hours.clone(),
            freezes,
            ..terms.clone()
        };
        (Some(Arc::clone(&service.name)), Arc::new(terms))
    });
    for_each.chain([(None, Arc::new(terms.clone()))]).collect()
}
