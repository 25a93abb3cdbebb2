//! The table follows the conventions, holds the whole contract, and is what the documentation says.

use std::collections::BTreeSet;

use super::*;
use crate::metrics::testing::golden;

#[test]
fn names_follow_the_conventions() {
    let mut names = BTreeSet::new();
    for m in CATALOG {
        let name = m.name;
        assert!(names.insert(name), "{name} twice");
        let snake = |t: &str| t.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(snake(name) && !name.contains("__") && !name.ends_with('_'), "{name}");
        let ours = ["maintenance_", "offhours_", "process_"];
        assert!(ours.iter().any(|p| name.starts_with(p)), "{name}");
        assert_eq!(name.ends_with("_total"), m.kind == Kind::Counter, "{name}");
        assert_eq!(name.contains("_timestamp"), name.ends_with("_timestamp_seconds"), "{name}");
        assert_eq!(name.starts_with("process_"), m.group == Group::Process, "{name}");
        if m.kind == Kind::Histogram {
            assert!(name.ends_with("_seconds"), "{name}");
        }
        let odd = ["ms", "millis", "nanos", "minutes", "days", "percent", "count", "bucket", "sum"];
        assert!(name.split('_').all(|part| !odd.contains(&part)), "{name}");
        let unique: BTreeSet<&&str> = m.labels.iter().collect();
        assert_eq!(unique.len(), m.labels.len(), "{name}");
        // The Prometheus Operator and Prometheus itself put these on every target.
        for taken in ["service", "job", "instance", "namespace", "pod", "le", "quantile"] {
            assert!(m.labels.iter().all(|l| snake(l) && *l != taken), "{name}");
        }
    }
}

#[test]
fn help_is_one_sentence() {
    for m in CATALOG {
        let first = m.help.chars().next().unwrap();
        assert!(first.is_uppercase() && m.help.ends_with('.'), "{}", m.name);
        assert!(m.help.len() <= 100 && !m.help.contains(['|', '\n']), "{}", m.name);
    }
}

#[test]
fn the_whole_contract_is_here() {
    let p = "partner affected_service procedure";
    for (name, kind, labels) in [
        ("maintenance_starts_total", Kind::Counter, "P verdict"),
        ("maintenance_runs_total", Kind::Counter, "P verdict outcome"),
        ("maintenance_violations_total", Kind::Counter, "P reason"),
        ("maintenance_emergencies_unapproved", Kind::Gauge, "P"),
        ("maintenance_violations_unacknowledged", Kind::Gauge, "P"),
        ("maintenance_runs_in_progress", Kind::Gauge, "P verdict"),
        ("maintenance_run_start_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_run_projected_end_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_run_deadline_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_runs_projected_violation", Kind::Gauge, "P reason"),
        ("maintenance_run_duration_seconds", Kind::Histogram, "P"),
        ("maintenance_business_hours_seconds_total", Kind::Counter, "P"),
        ("maintenance_outside_window_seconds_total", Kind::Counter, "P"),
        ("maintenance_notice_seconds", Kind::Histogram, "partner"),
        ("maintenance_detection_delay_seconds", Kind::Histogram, "partner"),
        ("maintenance_last_start_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_last_violation_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_window_open", Kind::Gauge, "P"),
        ("maintenance_may_start", Kind::Gauge, "P"),
        ("maintenance_may_start_change_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_window_change_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_business_hours", Kind::Gauge, "affected_service"),
        ("maintenance_business_hours_change_timestamp_seconds", Kind::Gauge, "affected_service"),
        ("maintenance_freeze", Kind::Gauge, "affected_service"),
        ("maintenance_freeze_change_timestamp_seconds", Kind::Gauge, "affected_service"),
        ("maintenance_changes", Kind::Gauge, "P status"),
        ("maintenance_next_planned_start_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_confirm_by_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_procedure_reviewed_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_procedure_review_due_timestamp_seconds", Kind::Gauge, "P"),
        ("maintenance_irregularities_total", Kind::Counter, "partner kind"),
        ("offhours_source_lines_total", Kind::Counter, "source outcome"),
        ("offhours_source_rejected_lines_total", Kind::Counter, "source reason"),
        ("offhours_source_bytes_total", Kind::Counter, "source"),
        ("offhours_source_rotations_total", Kind::Counter, "source kind"),
        ("offhours_source_read_errors_total", Kind::Counter, "source kind"),
        ("offhours_source_possible_loss_total", Kind::Counter, "source reason"),
        ("offhours_source_up", Kind::Gauge, "source"),
        ("offhours_source_lag_bytes", Kind::Gauge, "source"),
        ("offhours_source_files", Kind::Gauge, "source"),
        ("offhours_source_last_line_timestamp_seconds", Kind::Gauge, "source"),
        ("offhours_source_last_event_timestamp_seconds", Kind::Gauge, "source"),
        ("offhours_source_max_silence_seconds", Kind::Gauge, "source"),
        ("offhours_source_max_event_silence_seconds", Kind::Gauge, "source"),
        ("offhours_source_covered_seconds_total", Kind::Counter, "source"),
        ("offhours_ledger_entries", Kind::Gauge, ""),
        ("offhours_ledger_commits_total", Kind::Counter, ""),
        ("offhours_ledger_commit_duration_seconds", Kind::Histogram, ""),
        ("offhours_ledger_errors_total", Kind::Counter, ""),
        ("offhours_alerts_sent_total", Kind::Counter, "result"),
        ("offhours_config_last_reload_successful", Kind::Gauge, ""),
        ("offhours_config_last_reload_success_timestamp_seconds", Kind::Gauge, ""),
    ] {
        let found = CATALOG.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.kind, kind, "{name}");
        assert_eq!(found.labels.join(" "), labels.replace('P', p), "{name}");
    }
    for info in CATALOG.iter().filter(|m| m.name.ends_with("_info")) {
        assert!(!info.labels.is_empty() && info.help.ends_with("always 1."), "{}", info.name);
    }
}

#[test]
fn the_documentation_is_made_from_the_table() {
    let text = markdown();
    for m in CATALOG {
        assert!(text.contains(&format!("| `{}` | {} |", m.name, m.kind.as_str())), "{}", m.name);
    }
    golden("docs/metrics.md", &text);
}
