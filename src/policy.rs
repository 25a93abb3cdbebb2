//! What was agreed: services, partners, procedures, and the terms that hold for one run.
//!
//! `config` builds a [`Policy`] once per load; after that it is only read. Everything is resolved when it is
//! built (a procedure's settings override the partner's key by key), so that judging a run is a look-up.

mod openings;

pub use openings::LOOK_AHEAD;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::calendar::{Calendar, Zone};
use crate::event::Trigger;
use crate::time::Instant;

/// Stands in a label for a service or procedure that nobody declared.
pub const OTHER: &str = "other";

/// Defaults of the contract, by the name of the key they stand in for.
pub mod defaults {
    use chrono::TimeDelta;

    /// `confirmation.early`: so long before the planned start a run may begin.
    pub const EARLY: TimeDelta = TimeDelta::minutes(5);
    /// `confirmation.late`: so long after the planned start it may begin.
    pub const LATE: TimeDelta = TimeDelta::minutes(30);
    /// `lost_after`: after so long without an end a run is given up.
    pub const LOST_AFTER: TimeDelta = TimeDelta::hours(24);
    /// `late_after`: the time of a start that is read so long after its stamp may be doubted.
    pub const LATE_AFTER: TimeDelta = TimeDelta::minutes(15);
    /// `clock_tolerance`: two clocks or two writers of a partner may disagree by so much.
    pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);
    /// `acknowledge_after`: a violation that nobody acknowledged pages for so long.
    pub const ACKNOWLEDGE_AFTER: TimeDelta = TimeDelta::hours(24);
    /// `backfill_horizon`: what is older than this when it is first read never pages.
    pub const BACKFILL_HORIZON: TimeDelta = TimeDelta::hours(24);
    /// `calendar_stale_after`: for so long the last good copy of a calendar file counts.
    pub const CALENDAR_STALE_AFTER: TimeDelta = TimeDelta::hours(24);
}

/// The whole agreement.
#[derive(Debug)]
pub struct Policy {
    /// In the order of the configuration.
    pub services: Vec<Service>,
    /// In the order of the configuration.
    pub partners: Vec<Partner>,
    /// Lower-case hex SHA-256 of the configuration text that this was read from, and of the calendar files that it
    /// names: verdicts are sealed with it.
    pub digest: Arc<str>,
    /// The first instant of which the embedded table of public holidays says nothing,
    /// if any calendar here uses `PH`.
    pub holidays_end: Option<Instant>,
}

/// What our customers use; owns the business hours and freezes.
#[derive(Debug)]
pub struct Service {
    pub name: Arc<str>,
    pub zone: Zone,
    pub business_hours: Option<Arc<Calendar>>,
    pub freezes: Vec<Freeze>,
}

/// A span (or calendar) in which nothing may run.
#[derive(Clone, Debug)]
pub struct Freeze {
    pub name: Arc<str>,
    pub calendar: Arc<Calendar>,
}

/// The company that performs maintenance, with the terms for whatever it has not declared.
#[derive(Debug)]
pub struct Partner {
    pub name: Arc<str>,
    pub zone: Zone,
    pub windows: Option<Arc<Calendar>>,
    pub freezes: Vec<Freeze>,
    /// How long after its stamp a start may be read before its time is doubted.
    pub late_after: TimeDelta,
    /// How far two clocks or two writers of this partner may disagree.
    pub clock_tolerance: TimeDelta,
    /// How long after its stamp a change of our own may be delivered; `None`: each comes at once.
    pub delivered_every: Option<TimeDelta>,
    pub procedures: Vec<Procedure>,
    /// Terms of a procedure that is not declared, by service: `None` is "no or an unknown service".
    pub undeclared: HashMap<Option<Arc<str>>, Arc<Terms>>,
}

/// A documented kind of maintenance; owns the scheduling requirement.
#[derive(Debug)]
pub struct Procedure {
    pub name: Arc<str>,
    /// Services it is declared for, in the order of the configuration.
    pub services: Vec<Arc<str>>,
    pub reviewed: Option<Instant>,
    pub review_every: Option<TimeDelta>,
    pub document: Option<String>,
    /// Several runs without an id may be open at the same time.
    pub concurrent: bool,
    /// Terms by service; `None` is a run that names no service.
    pub terms: HashMap<Option<Arc<str>>, Arc<Terms>>,
}

/// Whether and how a run must be confirmed beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub required: bool,
    /// Least time between the confirmation and the planned start; `None`: any will do.
    pub notice: Option<TimeDelta>,
    /// How long before the planned start a run may begin.
    pub early: TimeDelta,
    /// How long after the planned start a run may begin.
    pub late: TimeDelta,
}

/// Whether an emergency waives rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emergencies {
    pub allowed: bool,
    /// How long after its start an emergency must be approved; `None`: nobody asks.
    pub approve_within: Option<TimeDelta>,
}

/// Everything that was agreed for one partner, procedure and service.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Labels: names from the configuration or [`OTHER`].
    pub partner: Arc<str>,
    pub service: Arc<str>,
    pub procedure: Arc<str>,
    /// The partner has declared the procedure, and for this service.
    pub declared: bool,
    /// Zone in which a person reads the times of this run: the service's, else the partner's.
    pub zone: Zone,
    pub business_hours: Option<Arc<Calendar>>,
    /// `business_hours: allowed` on the procedure.
    pub business_hours_allowed: bool,
    /// `None`: no window was agreed and the window rules are silent (`anytime`, or undeclared).
    pub windows: Option<Arc<Calendar>>,
    /// Freezes of the service, the partner and the procedure.
    pub freezes: Vec<Freeze>,
    /// Empty: any trigger will do.
    pub triggers: Vec<Trigger>,
    pub confirmation: Confirmation,
    pub emergencies: Emergencies,
    pub overrun_tolerance: TimeDelta,
    pub expected_duration: Option<TimeDelta>,
    pub max_duration: Option<TimeDelta>,
    pub verify_within: Option<TimeDelta>,
    pub lost_after: TimeDelta,
    pub acknowledge_after: TimeDelta,
    /// Whoever starts a run is to ask beforehand whether it may.
    pub ask_first: bool,
}

impl Terms {
    /// The defaults of the contract, for a run of nothing that was declared.
    pub fn undeclared(partner: Arc<str>, zone: Zone) -> Terms {
        let (early, late) = (defaults::EARLY, defaults::LATE);
        Terms {
            partner,
            service: OTHER.into(),
            procedure: OTHER.into(),
            declared: false,
            zone,
            business_hours: None,
            business_hours_allowed: false,
            windows: None,
            freezes: Vec::new(),
            triggers: Vec::new(),
            confirmation: Confirmation { required: false, notice: None, early, late },
            emergencies: Emergencies { allowed: false, approve_within: None },
            overrun_tolerance: TimeDelta::zero(),
            expected_duration: None,
            max_duration: None,
            verify_within: None,
            lost_after: defaults::LOST_AFTER,
            acknowledge_after: defaults::ACKNOWLEDGE_AFTER,
            ask_first: false,
        }
    }

    /// Terms of a declared procedure in UTC that ask for nothing, for tests that add what they are about.
    #[cfg(test)]
    pub fn nothing_agreed(partner: &str, service: &str, procedure: &str) -> Terms {
        Terms {
            service: service.into(),
            procedure: procedure.into(),
            declared: true,
            ..Terms::undeclared(partner.into(), Zone::utc())
        }
    }
}

impl Policy {
    /// The partner of that name.
    pub fn partner(&self, name: &str) -> Option<&Partner> {
        self.partners.iter().find(|p| &*p.name == name)
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| &*s.name == name)
    }
}

impl Procedure {
    /// Whether it is declared for a service; `None`: for a run that has none.
    pub fn is_for(&self, service: &Option<Arc<str>>) -> bool {
        match service {
            Some(name) => self.services.contains(name),
            None => self.services.is_empty(),
        }
    }
}

impl Partner {
    /// The procedure of that name.
    pub fn procedure(&self, name: &str) -> Option<&Procedure> {
        self.procedures.iter().find(|p| &*p.name == name)
    }

    /// The services of a start that names none: all that its procedure is declared for; none of an undeclared one.
    pub fn services_of(&self, procedure: Option<&str>) -> Vec<Option<Arc<str>>> {
        let declared = procedure.and_then(|name| self.procedure(name));
        match declared.map(|procedure| procedure.services.as_slice()) {
            None | Some([]) => vec![None],
            Some(services) => services.iter().cloned().map(Some).collect(),
        }
    }

    /// What was agreed of emergencies: the same for all of its procedures.
    pub fn emergencies(&self) -> Emergencies {
        self.terms(None, "").emergencies
    }

    /// The terms for one run. `service` and `procedure` are names as the line gave them.
    ///
    /// A procedure that is not declared for the service is undeclared: the partner's own terms hold.
    pub fn terms(&self, service: Option<&str>, procedure: &str) -> &Arc<Terms> {
        let declared = self.procedure(procedure).and_then(|p| lookup(&p.terms, service));
        declared
            .or_else(|| lookup(&self.undeclared, service))
            .or_else(|| self.undeclared.get(&None))
            .unwrap_or_else(|| unreachable!("config gives every partner terms for no service"))
    }
}

fn lookup<'a>(
    terms: &'a HashMap<Option<Arc<str>>, Arc<Terms>>,
    service: Option<&str>,
) -> Option<&'a Arc<Terms>> {
    match service {
        None => terms.get(&None),
        // A linear look avoids building an owned key; there are a handful of services.
        Some(name) => terms.iter().find(|(k, _)| k.as_deref() == Some(name)).map(|(_, t)| t),
    }
}
