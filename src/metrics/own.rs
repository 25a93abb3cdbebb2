//! The exporter itself: its ledger, its alerts, its configuration, its data sets and its process.

use chrono::TimeDelta;

use crate::metrics::page::Page;
use crate::metrics::{OwnView, ProcessView, View, catalog};
use crate::time::{seconds, unix_seconds};

/// A table of holidays that ends sooner than this is worth a warning.
const EXPIRING: TimeDelta = TimeDelta::days(365);

/// What can become of a post to Alertmanager.
const RESULTS: &[&str] = &["ok", "error"];

/// Everything about the exporter.
pub(super) fn all(page: &mut Page, view: &View) {
    ledger(page, view.own);
    alerts(page, view.own);
    program(page, view);
    if let Some(process) = &view.own.process {
        system(page, process);
    }
}

fn ledger(page: &mut Page, own: &OwnView) {
    page.set(&catalog::LEDGER_ENTRIES, own.ledger_entries as f64);
    page.set(&catalog::LEDGER_HEAD, own.ledger_head.first_bits() as f64);
    page.set(&catalog::LEDGER_COMMITS, own.commits as f64);
    page.set(&catalog::LEDGER_ERRORS, own.ledger_errors as f64);
    page.family(&catalog::LEDGER_COMMIT_DURATION).set_histogram(&[], &own.commit_durations);
}

fn alerts(page: &mut Page, own: &OwnView) {
    let family = page.family(&catalog::ALERTS_SENT);
    for result in RESULTS {
        family.set_count(&[result], own.alerts_sent.get(*result).copied().unwrap_or(0));
    }
    for (result, n) in own.alerts_sent.iter().filter(|(r, _)| !RESULTS.contains(&r.as_str())) {
        family.set_count(&[result], *n);
    }
}

fn program(page: &mut Page, view: &View) {
    let own = view.own;
    page.family(&catalog::LOOP_LAST_TURN).set_time(&[], own.last_turn);
    page.set(&catalog::LOG_DROPPED, own.log_dropped as f64);
    page.set(&catalog::CLOCK_OFFSET, seconds(own.clock_ahead));
    page.set(&catalog::CLOCK_JUMPS, own.clock_jumps as f64);
    page.set(&catalog::SLEPT, seconds(own.slept));
    page.family(&catalog::RELOAD_OK).set_flag(&[], own.reload_ok);
    page.family(&catalog::RELOAD_AT).set_time(&[], own.reload_at);
    if let Some(web) = &own.web {
        page.family(&catalog::WEB_OK).set_flag(&[], web.is_latest);
        page.family(&catalog::WEB_CERTIFICATE_END).set_time(&[], web.certificate_end);
    }
    for calendar in &own.calendars {
        let name = [&*calendar.name];
        page.family(&catalog::CALENDAR_ERRORS).set_count(&name, calendar.errors);
        page.family(&catalog::CALENDAR_READ).set_time(&name, Some(calendar.read_at));
        page.family(&catalog::CALENDAR_STALE).set_flag(&name, calendar.is_stale);
        page.family(&catalog::CALENDAR_UNUSED).set_count(&name, calendar.unused);
    }
    let build = [own.version.as_str(), &own.revision, &own.rustc];
    page.family(&catalog::BUILD_INFO).set(&build, 1.0);
    page.family(&catalog::TZDB_INFO).set(&[&own.tzdb_version], 1.0);
    page.family(&catalog::HOLIDAYS_INFO).set(&[&own.holidays_version], 1.0);
    page.set(&catalog::HOLIDAYS_END, unix_seconds(own.holidays_end));
    // The policy names an end only if one of its calendars asks for holidays.
    let expiring = view.policy.holidays_end.is_some_and(|end| end <= view.now + EXPIRING);
    page.family(&catalog::HOLIDAYS_EXPIRING).set_flag(&[], expiring);
}

fn system(page: &mut Page, process: &ProcessView) {
    page.set(&catalog::PROCESS_CPU, process.cpu_seconds);
    page.set(&catalog::PROCESS_RESIDENT, process.resident_bytes as f64);
    page.set(&catalog::PROCESS_VIRTUAL, process.virtual_bytes as f64);
    page.set(&catalog::PROCESS_OPEN_FDS, process.open_fds as f64);
    if let Some(max) = process.max_fds {
        page.set(&catalog::PROCESS_MAX_FDS, max as f64);
    }
    page.set(&catalog::PROCESS_START, unix_seconds(process.start));
    page.set(&catalog::PROCESS_THREADS, process.threads as f64);
}
