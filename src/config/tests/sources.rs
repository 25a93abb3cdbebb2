//! How sources are read, and where alerts are posted.

use std::path::Path;

use super::{duration, good};
use crate::config::*;
use crate::format::stamp::TimeFormat;
use crate::format::{Document, Field, Format, Match, MessageFormat};

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
    assert_eq!((&*source.name, &*source.partners), ("hostco-maintenance", &["hostco".into()][..]));
    let patterns = ["/var/log/partners/hostco/*.log", "/etc/offhours/logs/extra.log"];
    assert_eq!(source.patterns, patterns);
    assert_eq!(source.files_as_written, ["/var/log/partners/hostco/*.log", "logs/extra.log"]);
    assert_eq!(source.max_silence, Some(duration("1h")));
    assert_eq!(source.max_event_silence, Some(duration("2d")));
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
