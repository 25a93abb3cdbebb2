//! What was agreed: the defaults, the partner over them, the procedure over the partner.

use super::{duration, good, terms};
use crate::calendar::Zone;
use crate::config::*;
use crate::event::Trigger;
use crate::policy::{Confirmation, Emergencies, OTHER, Terms};

fn freeze_names(terms: &Terms) -> Vec<&str> {
    terms.freezes.iter().map(|freeze| &*freeze.name).collect()
}

#[test]
fn defaults_hold_where_nothing_is_said() {
    let config = good("good-minimal.yml");
    assert!(config.policy.services.is_empty());
    assert_eq!(config.backfill_horizon, duration("24h"));
    assert_eq!(config.policy.holidays_end, None);
    let partner = config.policy.partner("hostco").unwrap();
    assert_eq!(partner.zone, Zone::utc());
    assert_eq!(partner.late_after, duration("15m"));
    assert_eq!(partner.clock_tolerance, duration("1m"));
    let terms = terms(&config, None, "whatever");
    assert_eq!((&*terms.partner, &*terms.service, &*terms.procedure), ("hostco", OTHER, OTHER));
    assert!(!terms.declared && !terms.business_hours_allowed);
    assert!(terms.windows.is_none() && terms.business_hours.is_none());
    assert!(terms.freezes.is_empty() && terms.triggers.is_empty());
    let confirmation = Confirmation {
        required: false,
        notice: None,
        early: duration("5m"),
        late: duration("30m"),
    };
    assert_eq!(terms.confirmation, confirmation);
    assert_eq!(terms.emergencies, Emergencies { allowed: false, approve_within: None });
    assert_eq!(terms.overrun_tolerance, TimeDelta::zero());
    assert_eq!(
        (terms.expected_duration, terms.max_duration, terms.verify_within),
        (None, None, None)
    );
    assert_eq!((terms.lost_after, terms.acknowledge_after), (duration("24h"), duration("24h")));
}

#[test]
fn a_procedure_takes_what_the_partner_says() {
    let config = good("good-all-keys.yml");
    let plain = terms(&config, Some("atlas"), "plain");
    assert!(plain.declared);
    assert_eq!((&*plain.service, &*plain.procedure), ("atlas", "plain"));
    assert_eq!(plain.zone.name(), "Europe/London");
    assert!(plain.business_hours.is_some());
    assert_eq!(freeze_names(plain), ["year-end", "launch", "partner-freeze"]);
    let confirmation = Confirmation {
        required: true,
        notice: Some(duration("24h")),
        early: TimeDelta::zero(),
        late: duration("1h"),
    };
    assert_eq!(plain.confirmation, confirmation);
    let emergencies = Emergencies { allowed: true, approve_within: Some(duration("72h")) };
    assert_eq!(plain.emergencies, emergencies);
    assert_eq!(plain.overrun_tolerance, duration("5m"));
    assert_eq!(plain.lost_after, duration("12h"));
    assert_eq!(plain.acknowledge_after, duration("3d"));
    assert!(plain.ask_first);
    let partner = config.policy.partner("hostco").unwrap();
    assert!(Arc::ptr_eq(plain.windows.as_ref().unwrap(), partner.windows.as_ref().unwrap()));
    assert_eq!(partner.late_after, duration("10m"));
    assert_eq!(partner.clock_tolerance, duration("30s"));
    assert_eq!(partner.freezes.len(), 1);
    let services: Vec<_> = partner.procedures[0].services.iter().map(|s| &**s).collect();
    assert_eq!(services, ["atlas", "boreas"], "every service of the file");
}

#[test]
fn a_procedure_overrides_the_partner_key_by_key() {
    let config = good("good-all-keys.yml");
    let special = terms(&config, Some("boreas"), "special");
    let confirmation = Confirmation {
        required: true,
        notice: Some(duration("2h")),
        early: TimeDelta::zero(),
        late: TimeDelta::zero(),
    };
    assert_eq!(special.confirmation, confirmation);
    assert_eq!(special.emergencies.approve_within, Some(duration("72h")));
    assert_eq!(special.triggers, Trigger::ALL);
    assert_eq!(special.overrun_tolerance, TimeDelta::zero());
    assert_eq!(special.expected_duration, Some(duration("1h25m")));
    assert_eq!(special.max_duration, Some(duration("2h")));
    assert_eq!(special.verify_within, Some(duration("1h")));
    assert_eq!(special.lost_after, duration("6h"));
    assert_eq!(special.acknowledge_after, duration("1d"));
    assert!(!special.ask_first);
    assert_eq!(freeze_names(special), ["partner-freeze", "own-freeze"], "added");
    let partner = config.policy.partner("hostco").unwrap();
    assert!(!Arc::ptr_eq(special.windows.as_ref().unwrap(), partner.windows.as_ref().unwrap()));
    let procedure = partner.procedure("special").unwrap();
    assert_eq!(procedure.review_every, Some(duration("180d")));
    assert_eq!(procedure.document.as_deref(), Some("https://wiki.example/special"));
    let berlin = Zone::find("Europe/Berlin").unwrap();
    assert_eq!(berlin.civil(procedure.reviewed.unwrap()).to_string(), "2025-11-24 00:00:00");

    let whenever = terms(&config, Some("atlas"), "whenever");
    assert!(whenever.windows.is_none() && whenever.business_hours_allowed);
    assert!(whenever.business_hours.is_some(), "its seconds are counted all the same");
    assert!(!whenever.confirmation.required);
    assert_eq!(whenever.confirmation.notice, Some(duration("24h")));
}

#[test]
fn what_is_not_declared_has_the_terms_of_the_partner() {
    let config = good("good-all-keys.yml");
    for (service, procedure, want_service, want_procedure, declared) in [
        (Some("atlas"), "plain", "atlas", "plain", true),
        (None, "plain", OTHER, "plain", true),
        (Some("boreas"), "special", "boreas", "special", true),
        (None, "special", OTHER, "special", true),
        (Some("atlas"), "special", "atlas", OTHER, false),
        (Some("nowhere"), "special", OTHER, OTHER, false),
        (Some("atlas"), "nothing", "atlas", OTHER, false),
        (None, "nothing", OTHER, OTHER, false),
    ] {
        let terms = terms(&config, service, procedure);
        let got = (&*terms.service, &*terms.procedure, terms.declared);
        assert_eq!(got, (want_service, want_procedure, declared), "{service:?} {procedure}");
        assert!(terms.windows.is_some());
        assert!(terms.confirmation.required && terms.emergencies.allowed);
        let zone = if want_service == "atlas" { "Europe/London" } else { "Europe/Berlin" };
        if want_service != "boreas" {
            assert_eq!(terms.zone.name(), zone);
        }
        assert_eq!(terms.business_hours.is_some(), want_service == "atlas");
        assert!(freeze_names(terms).contains(&"partner-freeze"));
        assert_eq!(freeze_names(terms).contains(&"year-end"), want_service == "atlas");
        assert_eq!(terms.max_duration.is_some(), want_procedure == "special");
    }
}

#[test]
fn what_names_no_service_is_of_every_service_of_its_procedure() {
    let config = good("good-all-keys.yml");
    let partner = config.policy.partner("hostco").unwrap();
    let services = |procedure| -> Vec<Option<String>> {
        let all = partner.services_of(procedure).into_iter();
        all.map(|service| service.map(|name| name.to_string())).collect()
    };
    let named = |names: &[&str]| -> Vec<_> { names.iter().map(|n| Some(n.to_string())).collect() };
    assert_eq!(services(Some("special")), named(&["boreas"]));
    assert_eq!(services(Some("plain")), named(&["atlas", "boreas"]));
    assert_eq!(services(Some("nobody declared this")), [None]);
    assert_eq!(services(None), [None]);
}

#[test]
fn a_repeated_value_is_read_wherever_it_is_used() {
    let config = good("good-anchors.yml");
    let second = terms(&config, Some("atlas"), "second");
    let third = terms(&config, Some("atlas"), "third");
    assert_eq!(second.max_duration, Some(duration("1h")));
    assert_eq!(third.max_duration, Some(duration("3h")), "own keys win");
    assert_eq!(third.confirmation, second.confirmation);
    assert_eq!(third.confirmation.notice, Some(duration("24h")));
}
