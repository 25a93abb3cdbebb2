//! Sources and the exporter itself: handed in as values, written as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::{Histogram, Ledger};
use crate::metrics::testing::*;
use crate::metrics::{OwnView, ProcessView, SourceView, View, project};

fn check_view(sources: &[SourceView], own: &OwnView, rows: &[(&str, Option<f64>)]) {
    let (policy, ledger) = (policy(), Ledger::default());
    let now = at("2025-11-10T13:30");
    let view = View { ledger: &ledger, policy: &policy, now, sources, own, known: &KNOWN };
    let parsed = Parsed::of(&project(&view).unwrap());
    for (series, want) in rows {
        let series = series.replace("{S", r#"{source="hostco-maintenance""#);
        assert_eq!(parsed.get(&series), *want, "{series}");
    }
}

#[test]
fn a_source_that_has_read_nothing_is_there_at_zero() {
    let (max_silence, max_event_silence) = (None, None);
    let source = SourceView { max_silence, max_event_silence, ..source() };
    let source = SourceView { up: false, last_line: None, last_event: None, ..source };
    check_view(
        &[source],
        &own(),
        &[
            (r#"offhours_source_info{S,partner="hostco"}"#, Some(1.0)),
            ("offhours_source_up{S}", Some(0.0)),
            ("offhours_source_bytes_total{S}", Some(0.0)),
            ("offhours_source_covered_seconds_total{S}", Some(0.0)),
            (r#"offhours_source_lines_total{S,outcome="event"}"#, Some(0.0)),
            (r#"offhours_source_lines_total{S,outcome="ignored"}"#, Some(0.0)),
            (r#"offhours_source_lines_total{S,outcome="rejected"}"#, Some(0.0)),
            (r#"offhours_source_rejected_lines_total{S,reason="no_time"}"#, Some(0.0)),
            (r#"offhours_source_rotations_total{S,kind="rename"}"#, Some(0.0)),
            (r#"offhours_source_read_errors_total{S,kind="open"}"#, Some(0.0)),
            (r#"offhours_source_possible_loss_total{S,reason="truncated"}"#, Some(0.0)),
            ("offhours_source_last_line_timestamp_seconds{S}", None),
            ("offhours_source_last_event_timestamp_seconds{S}", None),
            ("offhours_source_max_silence_seconds{S}", None),
            ("offhours_source_max_event_silence_seconds{S}", None),
        ],
    );
}

#[test]
fn what_was_read_is_counted_by_source() {
    let tallies = [
        ("lines", "event", 3),
        ("lines", "ignored", 400),
        ("lines", "rejected", 2),
        ("rejected", "no_time", 1),
        ("rejected", "of_an_earlier_version", 1),
        ("bytes", "", 9_000_000_000_000),
        ("rotations", "rename", 5),
        ("read_errors", "open", 6),
        ("possible_loss", "truncated", 7),
        ("covered_nanos", "", 1_500_000_000),
    ];
    let tallies: BTreeMap<(String, String), u64> =
        tallies.into_iter().map(|(n, l, c)| ((n.into(), l.into()), c)).collect();
    let second = SourceView { name: Arc::from("second"), ..source() };
    check_view(
        &[second, SourceView { tallies, ..source() }],
        &own(),
        &[
            ("offhours_source_up{S}", Some(1.0)),
            ("offhours_source_lag_bytes{S}", Some(17.0)),
            ("offhours_source_files{S}", Some(2.0)),
            ("offhours_source_last_line_timestamp_seconds{S}", unix("2025-11-10T13:20")),
            ("offhours_source_last_event_timestamp_seconds{S}", unix("2025-11-10T13:10")),
            ("offhours_source_max_silence_seconds{S}", Some(3_600.0)),
            ("offhours_source_max_event_silence_seconds{S}", Some(172_800.0)),
            (r#"offhours_source_lines_total{S,outcome="event"}"#, Some(3.0)),
            (r#"offhours_source_lines_total{S,outcome="ignored"}"#, Some(400.0)),
            (r#"offhours_source_lines_total{source="second",outcome="ignored"}"#, Some(0.0)),
            (r#"offhours_source_rejected_lines_total{S,reason="no_time"}"#, Some(1.0)),
            (r#"offhours_source_rejected_lines_total{S,reason="bad_event"}"#, Some(0.0)),
            (
                r#"offhours_source_rejected_lines_total{S,reason="of_an_earlier_version"}"#,
                Some(1.0),
            ),
            ("offhours_source_bytes_total{S}", Some(9e12)),
            (r#"offhours_source_rotations_total{S,kind="rename"}"#, Some(5.0)),
            (r#"offhours_source_read_errors_total{S,kind="open"}"#, Some(6.0)),
            (r#"offhours_source_possible_loss_total{S,reason="truncated"}"#, Some(7.0)),
            ("offhours_source_covered_seconds_total{S}", Some(1.5)),
        ],
    );
}

#[test]
fn two_sources_of_one_name_do_not_make_two_series() {
    check_view(&[source(), source()], &own(), &[("offhours_source_up{S}", Some(1.0))]);
}

#[test]
fn the_exporter_tells_of_itself() {
    let mut commit_durations = Histogram::new(&[0.001, 0.01]);
    for seconds in [0.0005, 0.001, 0.005, 2.0] {
        commit_durations.add(seconds);
    }
    let own = OwnView {
        ledger_entries: 12,
        commits: 4,
        commit_durations,
        ledger_errors: 1,
        alerts_sent: BTreeMap::from([("ok".into(), 9), ("error".into(), 2)]),
        reload_ok: false,
        ..own()
    };
    check_view(
        &[],
        &own,
        &[
            ("offhours_ledger_entries", Some(12.0)),
            ("offhours_ledger_commits_total", Some(4.0)),
            ("offhours_ledger_errors_total", Some(1.0)),
            (r#"offhours_ledger_commit_duration_seconds_bucket{le="0.001"}"#, Some(2.0)),
            (r#"offhours_ledger_commit_duration_seconds_bucket{le="0.01"}"#, Some(3.0)),
            (r#"offhours_ledger_commit_duration_seconds_bucket{le="+Inf"}"#, Some(4.0)),
            ("offhours_ledger_commit_duration_seconds_count", Some(4.0)),
            (r#"offhours_alerts_sent_total{result="ok"}"#, Some(9.0)),
            (r#"offhours_alerts_sent_total{result="error"}"#, Some(2.0)),
            ("offhours_config_last_reload_successful", Some(0.0)),
            ("offhours_config_last_reload_success_timestamp_seconds", unix("2025-11-10T00:00")),
            ("offhours_web_config_last_reload_successful", Some(0.0)),
            ("offhours_web_certificate_expiry_timestamp_seconds", unix("2026-02-01T00:00")),
            (r#"offhours_build_info{version="0.1.0",revision="abc",rustc="1.95.0"}"#, Some(1.0)),
            ("process_cpu_seconds_total", Some(1.5)),
            ("process_resident_memory_bytes", Some(7_340_032.0)),
            ("process_virtual_memory_bytes", Some(104_857_600.0)),
            ("process_open_fds", Some(9.0)),
            ("process_max_fds", Some(1_024.0)),
            ("process_start_time_seconds", unix("2025-11-09T23:59")),
            ("process_threads", Some(3.0)),
        ],
    );
}

#[test]
fn what_the_system_does_not_tell_is_absent() {
    let unlimited = own().process.map(|p| ProcessView { max_fds: None, ..p });
    let rows = [("process_max_fds", None), ("process_open_fds", Some(9.0))];
    check_view(&[], &OwnView { process: unlimited, ..own() }, &rows);
    let rows = [("process_open_fds", None), ("offhours_source_up{S}", None)];
    check_view(&[], &OwnView { process: None, reload_at: None, ..own() }, &rows);
}
