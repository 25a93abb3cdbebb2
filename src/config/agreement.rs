//! Services, partners and procedures as written -> the policy.

use std::sync::Arc;

use chrono::{NaiveTime, TimeDelta};
use serde_saphyr::Spanned;

use crate::calendar::{Edge, Zone};
use crate::config::calendars::Owner;
use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::scalars::Zero;
use crate::config::windows::Use;
use crate::config::yaml::{Given, Text};
use crate::config::{terms, written};
use crate::event::Trigger;
use crate::policy::{OTHER, Partner, Procedure, Service, Terms, defaults};

/// Combinations of procedure and service, and the freezes in them; each is kept ready, so that judging is a
/// look-up.
const TERMS_MAX: usize = 500_000;
/// The link to a written procedure becomes a label value.
const DOCUMENT_BYTES_MAX: usize = 1024;

impl Check<'_> {
    /// Services and partners, in the order of the file.
    pub fn agreement(&mut self, file: &Spanned<written::File>) -> (Vec<Service>, Vec<Partner>) {
        let at = file.defined;
        let file = &file.value;
        let services = file.services.as_ref().map_or(&[] as &[_], |table| {
            self.not_empty(table.defined, table.value.is_empty());
            &table.value
        });
        let services: Vec<_> = services.iter().map(|(name, w)| self.service(name, w)).collect();
        let Some(partners) = self.required(at, "partners", &file.partners) else {
            return (services, Vec::new());
        };
        self.not_empty(partners.defined, partners.value.is_empty());
        let count = terms::count(&partners.value, &services);
        if TERMS_MAX < count {
            let fault =
                Fault::new(format!("{count} combinations of procedure, service and freeze"));
            self.error(partners.defined, fault.accepted(format!("at most {TERMS_MAX}")));
            return (services, Vec::new());
        }
        let partners =
            partners.value.iter().map(|(name, w)| self.partner(name, w, &services)).collect();
        (services, partners)
    }

    fn service(&mut self, name: &Text, written: &written::Service) -> Service {
        let label = self.label(name);
        let title = format!("service {label:?}");
        let owner = Owner::new(self, title, &written.timezone, &written.holidays);
        let hours = written.business_hours.as_ref();
        Service {
            name: label,
            business_hours: hours.and_then(|text| self.opening_hours(text, &owner, Use::Hours)),
            freezes: self.freezes(&written.freezes, &owner),
            zone: owner.zone,
        }
    }

    fn partner(
        &mut self,
        name: &Text,
        written: &written::Partner,
        services: &[Service],
    ) -> Partner {
        let name = self.name(name);
        let title = format!("partner {name:?}");
        let owner = Owner::new(self, title, &written.timezone, &written.holidays);
        let mut terms = Terms::undeclared(Arc::clone(&name), owner.zone.clone());
        self.apply(&written.settings(), &owner, &mut terms);
        terms.emergencies = self.emergencies(&written.emergencies);
        let procedures = written.procedures.as_ref().map_or(&[] as &[_], |table| {
            self.not_empty(table.defined, table.value.is_empty());
            &table.value
        });
        let has_windows = written.windows.is_some();
        let procedures = procedures
            .iter()
            .map(|(key, w)| self.procedure(key, w, &owner, has_windows, &terms, services))
            .collect();
        let late_after = self.duration(&written.late_after, Zero::Senseless);
        let clock_tolerance = self.duration(&written.clock_tolerance, Zero::Allowed);
        Partner {
            name,
            zone: owner.zone,
            windows: terms.windows.clone(),
            freezes: terms.freezes.clone(),
            late_after: late_after.unwrap_or(defaults::LATE_AFTER),
            clock_tolerance: clock_tolerance.unwrap_or(defaults::CLOCK_TOLERANCE),
            delivered_every: None,
            procedures,
            undeclared: terms::by_service(&terms, services),
        }
    }

    fn procedure(
        &mut self,
        key: &Text,
        written: &written::Procedure,
        owner: &Owner,
        partner_has_windows: bool,
        partner_terms: &Terms,
        services: &[Service],
    ) -> Procedure {
        let mut terms =
            Terms { procedure: self.label(key), declared: true, ..partner_terms.clone() };
        self.apply(&written.settings(), owner, &mut terms);
        if self.anytime(key, written, partner_has_windows) {
            terms.windows = None;
        }
        terms.business_hours_allowed = self.business_hours_allowed(&written.business_hours);
        let triggers = self.list(&written.triggers).iter();
        terms.triggers = triggers
            .filter_map(|text| self.word(text, "trigger", Trigger::ALL, Trigger::as_str))
            .collect();
        self.durations(written, &mut terms);
        let reviewed = written.reviewed.as_ref().and_then(|text| self.date(text));
        let midnight =
            |zone: &Zone| Some(zone.resolve(reviewed?.and_time(NaiveTime::MIN), Edge::Earlier));
        let declared = self.declared_services(&written.services, services);
        Procedure {
            name: Arc::clone(&terms.procedure),
            services: declared.iter().map(|service| Arc::clone(&service.name)).collect(),
            reviewed: midnight(&owner.zone),
            review_every: self.review_every(written),
            document: written.document.as_ref().and_then(|text| self.document(text)),
            concurrent: written.concurrent.as_ref().is_some_and(|given| given.value),
            terms: terms::by_service(&terms, declared),
        }
    }

    /// Whether the procedure may run at any time; exactly one of that and a window must be agreed.
    fn anytime(&mut self, key: &Text, written: &written::Procedure, partner_has: bool) -> bool {
        let anytime = written.anytime.as_ref().filter(|anytime| anytime.value);
        match (anytime, written.windows.as_ref()) {
            (Some(anytime), Some(_)) => self.error(
                anytime.defined,
                Fault::new("anytime: true beside windows").accepted("one of them"),
            ),
            (None, None) if !partner_has => self.error(
                key.defined,
                Fault::new(format!("no window for procedure {:?}", key.value))
                    .accepted("windows (here or for the whole partner), or anytime: true"),
            ),
            _ => {}
        }
        anytime.is_some()
    }

    fn business_hours_allowed(&mut self, given: &Given<Text>) -> bool {
        given
            .as_ref()
            .is_some_and(|text| self.word(text, "value", &["allowed"], |word| word).is_some())
    }

    fn durations(&mut self, written: &written::Procedure, terms: &mut Terms) {
        terms.expected_duration = self.duration(&written.expected_duration, Zero::Senseless);
        terms.max_duration = self.duration(&written.max_duration, Zero::Senseless);
        terms.verify_within = self.duration(&written.verify_within, Zero::Senseless);
        let (Some(max), Some(text)) = (terms.max_duration, written.max_duration.as_ref()) else {
            return;
        };
        if terms.expected_duration.is_some_and(|expected| max < expected) {
            self.warn(text.defined, "max_duration is less than expected_duration");
        }
        if terms.lost_after < max {
            self.warn(text.defined, "max_duration is more than lost_after");
        }
    }

    fn review_every(&mut self, written: &written::Procedure) -> Option<TimeDelta> {
        let every = self.duration(&written.review_every, Zero::Senseless);
        if let (Some(text), None) = (written.review_every.as_ref(), written.reviewed.as_ref()) {
            self.warn(text.defined, "review_every without reviewed: no review will ever be due");
        }
        every
    }

    /// A web address: it is shown as a link.
    fn document(&mut self, text: &Text) -> Option<String> {
        let url = self.text(text)?;
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_url = rest.is_some_and(|rest| {
            !rest.is_empty() && !rest.contains(|c: char| c.is_control() || c.is_whitespace())
        });
        if !is_url || DOCUMENT_BYTES_MAX < url.len() {
            let fault = Fault::new(format!("{url:?} is not the address of a document"));
            let accepted = format!("https://... or http://..., at most {DOCUMENT_BYTES_MAX} bytes");
            self.error(text.defined, fault.accepted(accepted));
        }
        Some(url.to_owned())
    }

    /// The services a procedure is declared for: those it names, else all.
    fn declared_services<'s>(
        &mut self,
        given: &Given<Spanned<Vec<Text>>>,
        services: &'s [Service],
    ) -> Vec<&'s Service> {
        if given.is_none() {
            return services.iter().collect();
        }
        let mut declared = Vec::new();
        for text in self.list(given) {
            match services.iter().find(|service| *service.name == *text.value) {
                Some(service) => declared.push(service),
                None => {
                    let names: Vec<&str> = services.iter().map(|s| &*s.name).collect();
                    self.unknown(text, "service", &names);
                }
            }
        }
        declared
    }

    /// The name of a service or procedure, which must not be the label of those that nobody declared.
    fn label(&mut self, text: &Text) -> Arc<str> {
        if text.value == OTHER {
            let fault = format!("name {OTHER:?} is kept for what is not declared");
            self.error(text.defined, fault);
        }
        self.name(text)
    }
}
