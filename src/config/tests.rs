//! Every mistake has a fixture with its exact message; what is right is looked at value by value.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::calendar::Zone;
use crate::event::Trigger;
use crate::format::stamp::TimeFormat;
use crate::format::{Document, Field, Format, Match, MessageFormat};
use crate::policy::{Confirmation, Emergencies, OTHER, Terms};
use crate::time::{Span, parse_duration, rfc3339};

const NOW: &str = "2025-11-10T12:00:00Z";

fn instant(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

/// The moment of loading that a fixture asks for by a comment, `# now: ...`.
fn now_of(text: &str) -> Instant {
    let asked = text.lines().find_map(|line| line.strip_prefix("# now: "));
    instant(asked.unwrap_or(NOW))
}

fn good(name: &str) -> Config {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    parse(&text, Path::new("/etc/offhours/offhours.yml"), now_of(&text))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The problems of `text`, as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    match parse(text, Path::new("a.yml"), instant(NOW)) {
        Ok(_) => Vec::new(),
        Err(Error::Invalid { problems, .. }) => {
            problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message)).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

/// What a fixture is told, and the ending of the file that holds it.
fn told(name: &str, text: &str) -> (&'static str, String) {
    match parse(text, Path::new(name), now_of(text)) {
        Ok(config) if config.warnings.is_empty() => ("", String::new()),
        Ok(config) => {
            let warnings: Vec<_> = config.warnings.iter().map(Problem::to_string).collect();
            ("warn", warnings.join("\n\n") + "\n")
        }
        Err(error) => ("err", format!("{error}\n")),
    }
}

/// `BLESS=1` writes the expected messages instead of comparing them.
#[test]
fn every_fixture_is_told_exactly_what_is_written_beside_it() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = String::new();
    let mut expected = BTreeSet::new();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "yml") {
            found.insert(name);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (ending, got) = told(&name, &text);
        assert!(!got.contains("hunter2"), "{name} shows a secret: {got}");
        if name.starts_with("good-") == (ending == "err") {
            writeln!(wrong, "{name}: good ones load, others do not\n{got}").unwrap();
        }
        if ending.is_empty() {
            continue;
        }
        let beside = path.with_extension(ending);
        expected.insert(beside.file_name().unwrap().to_str().unwrap().to_owned());
        if bless {
            std::fs::write(&beside, &got).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != got {
            writeln!(wrong, "{name}:\n{got}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(60 < expected.len(), "fixtures not found");
    if !bless {
        assert_eq!(found, expected, "orphans or missing messages");
    }
}

/// What holds for every message, however it was blessed.
#[test]
fn every_message_names_a_place_that_is_in_the_file() {
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let Err(Error::Invalid { problems, omitted }) = parse(&text, &path, now_of(&text)) else {
            continue;
        };
        assert_eq!(omitted, 0);
        assert!(problems.is_sorted_by_key(Problem::place), "{path:?}");
        for problem in problems {
            let line = text.lines().nth(problem.line.saturating_sub(1)).unwrap_or_default();
            // Where a secret stands only the key is shown.
            let is_shown = !line.contains("hunter2");
            assert_eq!(problem.source_line == line, is_shown, "{path:?}: {problem}");
            assert!(1 <= problem.line && 1 <= problem.column, "{path:?}: {problem}");
            assert!(problem.column <= line.chars().count() + 1, "{path:?}: {problem}");
            assert!(!problem.message.ends_with('.'), "{path:?}: {problem}");
            // A sentence does not begin with a capital; a name of a foreign format may (PH, BYDAY).
            let is_name =
                |word: &str| 1 < word.len() && word.chars().all(|c| c.is_ascii_uppercase());
            let first = problem.message.split(|c: char| !c.is_alphabetic()).next();
            assert!(
                !problem.message.starts_with(char::is_uppercase) || first.is_some_and(is_name),
                "{path:?}: {problem}"
            );
            assert!(!problem.message.contains(char::is_control), "{path:?}: {problem}");
        }
    }
}

fn terms<'c>(config: &'c Config, service: Option<&str>, procedure: &str) -> &'c Terms {
    config.policy.partner("hostco").unwrap().terms(service, procedure)
}

fn duration(text: &str) -> TimeDelta {
    parse_duration(text).unwrap()
}

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
fn the_only_service_of_a_procedure_is_known() {
    let config = good("good-all-keys.yml");
    let partner = config.policy.partner("hostco").unwrap();
    assert_eq!(partner.only_service(Some("special")).map(|s| &**s), Some("boreas"));
    assert_eq!(partner.only_service(Some("plain")), None);
}

#[test]
fn a_source_of_documents_says_what_its_records_are() {
    let config = good("good-documents.yml");
    let spec = |name: &str| &config.sources.iter().find(|s| &*s.name == name).unwrap().spec;
    assert_eq!(spec("notices").document, Some(Document::Notices));
    assert_eq!(spec("notices").fields[&Field::ChangeId], "maintenance_id");
    assert_eq!(spec("notices").defaults[&Field::Service], "atlas");
    let changes = |names: &[&str]| {
        let records = names.iter().map(|name| (*name).to_owned()).collect();
        Some(Document::Changes { records })
    };
    assert_eq!(spec("changes-csv").document, changes(&["result", "records", "events"]));
    assert!(matches!(spec("changes-csv").format, Format::Csv { delimiter: b';' }));
    assert_eq!(spec("changes-json").document, changes(&["items"]));
    let status = &spec("servicenow").values[&Field::Status];
    assert_eq!((&*status["-2"], &*status["Parked"]), ("confirmed", "tentative"));
    assert_eq!(spec("servicenow").zone.name(), "America/New_York");
    assert_eq!(spec("aws-health").fields[&Field::Procedure], "Detail.eventScopeCode");
    assert!(matches!(spec("aws-health").format, Format::Json { .. }));
    assert_eq!(spec("log").document, None);
    assert_eq!(spec("log").defaults[&Field::Trigger], "schedule");
}

#[test]
fn a_source_says_how_its_lines_are_read() {
    let config = good("good-all-keys.yml");
    let source = &config.sources[0];
    assert_eq!((&*source.name, &*source.partner), ("hostco-maintenance", "hostco"));
    let patterns = ["/var/log/partners/hostco/*.log", "/etc/offhours/logs/extra.log"];
    assert_eq!(source.patterns, patterns);
    assert_eq!(source.files_as_written, ["/var/log/partners/hostco/*.log", "logs/extra.log"]);
    assert_eq!(source.max_silence, Some(duration("1h")));
    let spec = &source.spec;
    assert!(matches!(spec.format, Format::Csv { delimiter: b';' }));
    assert_eq!(spec.zone.name(), "Europe/Vienna");
    assert_eq!(spec.fields.len(), Field::ALL.len());
    assert_eq!(spec.fields[&Field::ChangeId], "change");
    let any = vec!["maintenance task".to_owned(), "change notice".to_owned()];
    assert_eq!(spec.matching, Some(Match { key: Some("msg".into()), any }));
    for (field, theirs, ours) in [
        (Field::Event, "STARTED", "started"),
        (Field::Event, "2", "phase"),
        (Field::Event, "yes", "approved"),
        (Field::Status, "NO", "cancelled"),
        (Field::Trigger, "cron", "schedule"),
        (Field::ChangeType, "SEV1", "emergency"),
        (Field::Service, "ATL", "atlas"),
    ] {
        assert_eq!(spec.values[&field][theirs], ours);
    }
}

#[test]
fn alertmanagers_are_read_with_their_defaults() {
    let paging = good("good-all-keys.yml").paging;
    assert_eq!(paging.status_url.as_deref(), Some("https://offhours.example/status"));
    assert_eq!(paging.runbook_url.as_deref(), Some("https://wiki.example/runbooks"));
    let [behind, plain] = &paging.alertmanagers[..] else { panic!("{paging:?}") };
    assert_eq!(behind.peer.url.to_string(), "https://[2001:db8::1]:443/behind/a/proxy");
    assert_eq!((&*behind.peer.url.host, behind.resolve_delay.as_secs()), ("2001:db8::1", 0));
    assert_eq!((behind.peer.timeout.as_secs(), behind.resend.as_secs()), (3, 60));
    let own = behind.peer.tls.own.as_ref().unwrap();
    assert_eq!(own.1, Path::new("/etc/offhours/keys/own.key"));
    assert_eq!(behind.peer.tls.ca_file.as_deref(), Some(Path::new("/etc/ssl/ca.pem")));
    let file = &behind.peer.basic_auth.as_ref().unwrap().password_file;
    assert_eq!(file, Path::new("/etc/offhours/secrets/alertmanager"));
    assert_eq!(behind.external_labels["replica"], "1");
    assert_eq!(plain.peer.url.to_string(), "http://localhost:9093");
    let seconds = [plain.peer.timeout, plain.resend, plain.resolve_delay].map(|d| d.as_secs());
    assert_eq!(seconds, [10, 30, 120]);
    assert_eq!(good("good-minimal.yml").paging, Paging::default());
}

#[test]
fn every_format_is_read_with_its_keys() {
    let config = good("good-formats.yml");
    let spec = |name: &str| &config.sources.iter().find(|s| &*s.name == name).unwrap().spec;
    assert!(matches!(spec("json").format, Format::Json { .. }));
    assert!(matches!(spec("logfmt").format, Format::Logfmt));
    assert!(matches!(spec("csv").format, Format::Csv { delimiter: b',' }));
    assert!(matches!(spec("csv-tab").format, Format::Csv { delimiter: b'\t' }));
    assert!(matches!(spec("syslog").format, Format::Syslog));
    assert!(spec("syslog").message_format.is_none());
    assert!(matches!(spec("syslog-logfmt").message_format, Some(MessageFormat::Logfmt)));
    assert!(matches!(spec("syslog-json").message_format, Some(MessageFormat::Json)));
    assert!(matches!(spec("syslog-regex").message_format, Some(MessageFormat::Regex(_))));
    let Format::Regex(patterns) = &spec("regex").format else { panic!("no pattern") };
    assert!(patterns[0].regex.is_match(b"2025 started compaction"));
    assert_eq!(spec("json").zone.name(), "America/New_York", "the partner's");
    assert_eq!(spec("syslog-json").zone.name(), "Asia/Kolkata");
    assert_eq!(spec("csv").time_format, TimeFormat::Auto);
    let patterns = &config.sources.last().unwrap().patterns;
    assert_eq!(patterns, &["/var/log/x/**/*.log", "/etc/offhours/here/[ab].log"]);
}

/// The only freeze of a service in London, from `from` to `to`.
fn freeze_of(from: &str, to: &str) -> Result<crate::policy::Freeze, Error> {
    let text = format!(
        "services:\n  atlas:\n    timezone: Europe/London\n    freezes: [{{ name: f, from: {from}, to: {to} }}]\npartners: {{ hostco: {{}} }}\nsources: [{{ name: a, partner: hostco, files: [a], format: json }}]\n"
    );
    let config = parse(&text, Path::new("a.yml"), instant(NOW))?;
    Ok(config.policy.services[0].freezes[0].clone())
}

#[test]
fn a_freeze_is_civil_time_or_an_instant() {
    for (from, to, start, end) in [
        ("2025-12-15T00:00", "2026-01-05T00:00", "2025-12-15T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2025-12-15 08:30", "2025-12-15T08:30:01", "2025-12-15T08:30:00Z", "2025-12-15T08:30:01Z"),
        (
            "2025-07-01T02:00:00+02:00",
            "2025-07-01T00:00:00.5Z",
            "2025-07-01T00:00:00Z",
            "2025-07-01T00:00:00.500Z",
        ),
        // Summer time: an hour later than UTC.
        ("2025-07-01T00:00", "2025-07-02T00:00", "2025-06-30T23:00:00Z", "2025-07-01T23:00:00Z"),
        // In the autumn fold it begins with the earlier and ends with the later reading.
        ("2025-10-26T01:30", "2025-10-26T01:31", "2025-10-26T00:30:00Z", "2025-10-26T01:31:00Z"),
        // In the spring gap both move forward by the gap.
        ("2025-03-30T01:30", "2025-03-30T03:00", "2025-03-30T01:30:00Z", "2025-03-30T02:00:00Z"),
    ] {
        let span = Span::new(instant(start), instant(end)).unwrap();
        let freeze = freeze_of(from, to).unwrap();
        let around = Span::new(instant("2000-01-01T00:00:00Z"), instant("2100-01-01T00:00:00Z"));
        assert_eq!(freeze.calendar.spans_in(around.unwrap()), [span], "{from} {to}");
    }
    // One that only the spring gap empties is none; as written it is not empty.
    let gap = freeze_of("2025-03-30T01:00", "2025-03-30T02:00").unwrap();
    assert!(!gap.calendar.contains(instant("2025-03-30T01:00:00Z")));
    for (from, to) in [
        ("2025-10-26T01:30", "2025-10-26T01:30"),
        ("2025-10-26T01:45", "2025-10-26T01:15"),
        ("2025-12-15T00:00", "2025-12-14T00:00"),
    ] {
        assert!(freeze_of(from, to).is_err(), "{from} {to}");
    }
    for wrong in [
        "2025-12-15",
        "2025-12-15T25:00",
        "2025-13-15T00:00",
        "2025-02-29T00:00",
        "10000-01-01T00:00",
        "0000-01-01T00:00",
        "0000-01-01T00:00:00Z",
        "+2025-12-15T00:00",
        "12-15T00:00",
        "tomorrow",
    ] {
        assert!(freeze_of(wrong, "9999-01-01T00:00").is_err(), "{wrong}");
    }
}

#[test]
fn the_policy_knows_its_text_and_how_far_its_holidays_reach() {
    let config = good("good-all-keys.yml");
    assert_eq!(config.policy.holidays_end.map(rfc3339).as_deref(), Some("2045-12-31T23:00:00Z"));
    let text =
        "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [a], format: json }]\n";
    let config = parse(text, Path::new("a.yml"), instant(NOW)).unwrap();
    // By sha256sum of the same bytes.
    let digest = "4e6280f8885964ef1a72f2a57576aed7cb439317b2c8fad81c4551e0335a2c37";
    assert_eq!(&*config.policy.digest, digest);
    let other = parse(&format!("{text}#"), Path::new("a.yml"), instant(NOW)).unwrap();
    assert_ne!(&*other.policy.digest, digest);
}

#[test]
fn holidays_must_be_known_for_a_while() {
    let text = "services: { a: { holidays: GB, business_hours: PH off } }\npartners: { a: {} }\nsources: [{ name: a, partner: a, files: [a], format: json }]\n";
    for (now, ok, warnings) in [
        ("2044-12-31T23:59:59Z", true, 0),
        ("2045-01-01T00:00:00Z", true, 1),
        ("2045-10-02T23:59:59Z", true, 1),
        ("2045-10-03T00:00:00Z", false, 0),
        ("2060-01-01T00:00:00Z", false, 0),
    ] {
        let got = parse(text, Path::new("a.yml"), instant(now));
        assert_eq!(got.is_ok(), ok, "{now}");
        assert_eq!(got.map_or(0, |config| config.warnings.len()), warnings, "{now}");
    }
    let without = text.replace("PH off", "Mo-Fr 08:00-18:00");
    assert!(parse(&without, Path::new("a.yml"), instant("2060-01-01T00:00:00Z")).is_ok());
}

#[test]
fn a_mistake_inside_an_expression_is_pointed_at() {
    for (written, column) in [
        ("Mo 10:00-12:00; PH off", 35),
        ("\"Mo 10:00-12:00; PH off\"", 36),
        ("'Mo 10:00-12:00; PH off'", 36),
        ("   'é 10:00-12:00; PH off'", 38),
        // Escapes and folded lines: the beginning of the scalar.
        ("\"Mo 10:00\\x2d12:00; PH off\"", 19),
        ("Mo 10:00-12:00;\n      PH off", 19),
    ] {
        let text = format!(
            "services:\n a:\n  business_hours: {written}\npartners: {{ a: {{}} }}\nsources: [{{ name: a, partner: a, files: [a], format: json }}]\n"
        );
        let got = problems(&text);
        let want = format!("3:{column} PH without holidays for service \"a\"");
        assert_eq!(got, [want], "{written}");
    }
}

#[test]
fn names_are_short_and_printable() {
    for (name, ok) in [
        ("a".repeat(128), true),
        ("a".repeat(129), false),
        ("é".repeat(64), true),
        ("é".repeat(65), false),
        ("\"quoted \\\" and \\\\\"".into(), true),
        ("\"a\\nb\"".into(), false),
        ("\"\\u0085\"".into(), false),
        ("' a'".into(), false),
        ("''".into(), false),
        ("12".into(), false),
        ("'12'".into(), true),
        ("NO".into(), true),
        ("日本".into(), true),
    ] {
        let text = format!(
            "partners: {{ p: {{}} }}\nsources:\n  - name: {name}\n    partner: p\n    files: [a]\n    format: json\n"
        );
        assert_eq!(problems(&text).is_empty(), ok, "{name}: {:?}", problems(&text));
    }
}

#[test]
fn problems_are_limited() {
    let mut text = String::from("partners:\n");
    for n in 0..300 {
        writeln!(text, "  p{n}: {{ lost_after: never }}").unwrap();
    }
    let error = parse(&text, Path::new("a.yml"), instant(NOW)).unwrap_err();
    assert!(error.to_string().ends_with("\n\nand 201 more"), "{error}");
}

#[test]
fn terms_are_limited() {
    let mut text = String::from("services:\n");
    for n in 0..800 {
        writeln!(text, "  s{n}: {{}}").unwrap();
    }
    text.push_str("partners:\n");
    for n in 0..800 {
        writeln!(text, "  p{n}: {{}}").unwrap();
    }
    text.push_str("sources: [{ name: a, partner: p1, files: [a], format: json }]\n");
    assert_eq!(problems(&text)[0], "803:3 640800 combinations of procedure, service and freeze");
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yml");
    let good =
        "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [x], format: json }]\n#";
    for (length, ok) in [(FILE_BYTES_MAX, true), (FILE_BYTES_MAX + 1, false)] {
        let text = good.to_owned() + &" ".repeat(length - good.len());
        std::fs::write(&path, text).unwrap();
        let got = load(&path, instant(NOW));
        assert_eq!(got.is_ok(), ok, "{length}");
        if let Err(error) = got {
            let want = format!("{}: file is too large\n  accepted: 16777216 bytes", path.display());
            assert_eq!(error.to_string(), want);
        }
    }
    std::fs::write(&path, good).unwrap();
    let config = load(&path, instant(NOW)).unwrap();
    assert_eq!(config.sources[0].patterns, [format!("{}/x", folder.path().display())]);
}

#[test]
fn a_file_that_is_no_text_or_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yml");
    let error = load(&path, instant(NOW)).unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { reason, .. } if reason.contains("cannot be read"))
    );
    assert!(error.to_string().starts_with(&format!("{}: ", path.display())));
    assert!(matches!(load(folder.path(), instant(NOW)), Err(Error::Unreadable { .. })));
    std::fs::write(&path, b"partners:\n  \xc3\xa9a\xff: {}\n").unwrap();
    let Err(Error::Invalid { problems, .. }) = load(&path, instant(NOW)) else { panic!() };
    assert_eq!((problems[0].line, problems[0].column), (2, 5));
    assert_eq!(problems[0].message, "not UTF-8");
}

#[test]
fn the_folder_of_a_bare_name_is_the_current_one() {
    let current = std::env::current_dir().unwrap();
    assert_eq!(folder(Path::new("offhours.yml")), current);
    assert_eq!(folder(Path::new("conf/offhours.yml")), current.join("conf"));
    assert_eq!(folder(Path::new("/etc/offhours.yml")), Path::new("/etc"));
}

#[test]
fn a_relative_path_stands_against_the_folder_as_it_is_called() {
    use std::os::unix::ffi::OsStrExt as _;
    let text = "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [x/*.log, /y], format: json }]\n";
    let config = parse(text, Path::new("/etc/[odd]*/a.yml"), instant(NOW)).unwrap();
    assert_eq!(config.sources[0].patterns, ["/etc/[[]odd][*]/x/*.log", "/y"]);
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/etc/\xff/a.yml"));
    let error = parse(text, path, instant(NOW)).unwrap_err().to_string();
    assert!(error.contains("not UTF-8") && error.contains(":2:42:"), "{error}");
    let absolute = text.replace("x/*.log, ", "");
    assert!(parse(&absolute, path, instant(NOW)).is_ok());
}

#[test]
fn a_byte_order_mark_and_crlf_do_no_harm() {
    let text = std::fs::read_to_string(fixtures().join("good-crlf-bom.yml")).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains("\r\n"), "the fixture was rewritten");
    let broken = text.replace("services:\r\n", "service:\r\n");
    assert_eq!(problems(&broken), ["1:1 unknown key \"service\""]);
    let broken = text.replace("notice: 24h", "notice: soon");
    assert_eq!(problems(&broken), ["13:45 \"soon\" is no duration"]);
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

proptest! {
    /// Whatever stands in the file: an answer, and one that points into the file.
    #[test]
    fn no_text_is_too_strange(cut in 0usize..3000, insert in "[ -~\\n\\té\u{1}]{0,6}", skip in 0usize..40) {
        let text = std::fs::read_to_string(fixtures().join("good-all-keys.yml")).unwrap();
        let cut = (0..=cut.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
        let (before, after) = text.split_at(cut);
        let after: String = after.chars().skip(skip).collect();
        let text = format!("{before}{insert}{after}");
        if let Err(error) = parse(&text, Path::new("a.yml"), instant(NOW)) {
            prop_assert!(error.to_string().starts_with("a.yml:"));
        }
    }
}

#[test]
fn the_documented_calendars_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (text, page) = (read("examples/calendars/offhours.yml"), read("docs/calendars.md"));
    assert!(page.contains(&format!("```yaml\n{text}```")), "docs/calendars.md shows another");
    let path = root.join("examples/calendars/offhours.yml");
    let config = parse(&text, &path, instant(NOW)).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> = config.calendars.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["days.ics", "partner.ics"]);
    let partner = config.policy.partner("hostco").unwrap();
    let next = |procedure: &str, after: &str| {
        let windows = partner.procedure(procedure).unwrap().terms[&None].windows.clone().unwrap();
        let after = instant(after);
        let next = windows.next_span(after, after + TimeDelta::days(370)).unwrap();
        format!("{} {}", rfc3339(next.start), rfc3339(next.end))
    };
    // Moved to Sunday; taken away.
    let moved = "2025-11-16T22:00:00Z 2025-11-17T05:00:00Z";
    assert_eq!(next("archive-compaction", "2025-11-12T00:00:00Z"), moved);
    let after = "2026-01-03T22:00:00Z 2026-01-04T05:00:00Z";
    assert_eq!(next("archive-compaction", "2025-12-22T00:00:00Z"), after);
    let added = "2025-12-19T22:00:00Z 2025-12-20T05:00:00Z";
    assert_eq!(next("index-rebuild", "2025-12-10T00:00:00Z"), added);
    let frozen = |name: &str, t: &str| {
        let service = config.policy.service("atlas").unwrap();
        let all = service.freezes.iter().chain(&partner.freezes);
        all.filter(|f| &*f.name == name).any(|f| f.calendar.contains(instant(t)))
    };
    assert!(frozen("audit", "2025-12-03T12:00:00Z") && !frozen("audit", "2025-12-06T00:00:00Z"));
    assert!(
        frozen("month-end", "2025-06-30T17:00:00Z") && frozen("Dec 24-26", "2026-12-25T00:00:00Z")
    );
    let hours = config.policy.service("atlas").unwrap().business_hours.clone().unwrap();
    assert!(!hours.contains(instant("2026-03-03T12:00:00Z")), "an own holiday");
    assert!(hours.contains(instant("2026-03-04T12:00:00Z")));
}
