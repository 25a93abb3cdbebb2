//! Every metric once, as data: name, kind, labels and meaning.
//!
//! Names follow the Prometheus conventions (<https://prometheus.io/docs/practices/naming/>). What is not in
//! this table is not exported, and `docs/metrics.md` is made from it.

use std::fmt::Write;

/// What kind of series a metric has (text format 0.0.4, `# TYPE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever rises.
    Counter,
    /// Rises and falls, or is absent.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
}

impl Kind {
    /// The word of the `# TYPE` line.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// What a metric is about; the headings of `docs/metrics.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Runs,
    Agreement,
    Changes,
    Sources,
    Ledger,
    Program,
    Process,
}

impl Group {
    /// Every group, in the order of the documentation.
    pub const ALL: &'static [Group] = &[
        Group::Runs,
        Group::Agreement,
        Group::Changes,
        Group::Sources,
        Group::Ledger,
        Group::Program,
        Group::Process,
    ];

    /// The heading and the sentence below it.
    pub fn heading(self) -> (&'static str, &'static str) {
        match self {
            Group::Runs => ("Runs", "What partners did, and how it was judged."),
            Group::Agreement => ("Agreement", "What was agreed, and what applies now."),
            Group::Changes => ("Changes", "What partners plan to do."),
            Group::Sources => ("Sources", "What was read from the logs."),
            Group::Ledger => ("Ledger", "What is on record."),
            Group::Program => ("Program", "The exporter itself and the data it was built with."),
            Group::Process => ("Process", "The operating system's view; Linux only."),
        }
    }
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    /// In the order in which values are given.
    pub labels: &'static [&'static str],
    /// A sentence.
    pub help: &'static str,
    pub group: Group,
}

const NONE: &[&str] = &[];
const PARTNER: &[&str] = &["partner"];
const SERVICE: &[&str] = &["affected_service"];
const SOURCE: &[&str] = &["source"];
const P: &[&str] = &["partner", "affected_service", "procedure"];
const P_VERDICT: &[&str] = &["partner", "affected_service", "procedure", "verdict"];
const P_OUTCOME: &[&str] = &["partner", "affected_service", "procedure", "verdict", "outcome"];
const P_REASON: &[&str] = &["partner", "affected_service", "procedure", "reason"];
const P_STATUS: &[&str] = &["partner", "affected_service", "procedure", "status"];
const P_INFO: &[&str] = &[
    "partner",
    "affected_service",
    "procedure",
    "document",
    "triggers",
    "anytime",
    "business_hours",
    "confirmation",
    "notice",
    "expected_duration",
    "max_duration",
    "verify_within",
];

/// Declares a static for each metric, and the table of all of them.
macro_rules! catalog {
    ($($group:ident { $($id:ident: $kind:ident $name:literal $labels:expr, $help:literal;)+ })+) => {
        $($(
            #[doc = $help]
            pub static $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: $labels,
                help: $help,
                group: Group::$group,
            };
        )+)+

        /// Every metric, by group.
        pub static CATALOG: &[&Metric] = &[$($(&$id),+),+];
    };
}

catalog! {
Runs {
    STARTS: Counter "maintenance_starts_total" P_VERDICT,
        "Runs started, by verdict at the start.";
    RUNS: Counter "maintenance_runs_total" P_OUTCOME,
        "Runs whose verdict is final, by verdict and by what became of them.";
    VIOLATIONS: Counter "maintenance_violations_total" P_REASON,
        "Reasons found, once per run and reason at the moment it becomes true; waived ones not.";
    UNACKNOWLEDGED: Gauge "maintenance_violations_unacknowledged" P,
        "Runs in violation that nobody has acknowledged and that have not expired. Page on this.";
    EMERGENCIES_UNAPPROVED: Gauge "maintenance_emergencies_unapproved" P,
        "Emergencies that still need our approval; without it they become violations.";
    UNACKNOWLEDGED_REASONS: Gauge "maintenance_violations_unacknowledged_reasons" P_REASON,
        "Of these runs, those against which this reason was found; a run may have several.";
    UNACKNOWLEDGED_FIRST: Gauge "maintenance_violations_unacknowledged_first_run" P,
        "Number of the one that waits longest, as `offhours ack` takes it; absent when none waits.";
    UNACKNOWLEDGED_SINCE: Gauge "maintenance_violations_unacknowledged_since_timestamp_seconds" P,
        "When the agreement was first broken by one of them; absent when none waits.";
    IN_PROGRESS: Gauge "maintenance_runs_in_progress" P_VERDICT,
        "Open runs, by verdict so far.";
    RUN_START: Gauge "maintenance_run_start_timestamp_seconds" P,
        "When the oldest open run began; absent when none is open.";
    RUN_PROJECTED_END: Gauge "maintenance_run_projected_end_timestamp_seconds" P,
        "When the oldest open run will probably end; absent when none is open or nothing is known.";
    RUN_DEADLINE: Gauge "maintenance_run_deadline_timestamp_seconds" P,
        "When the oldest open run breaks a rule that it still keeps; absent when none is open.";
    PROJECTED_VIOLATION: Gauge "maintenance_runs_projected_violation" P_REASON,
        "Open runs whose projected end breaks a rule that they still keep.";
    OVERRUN: Gauge "maintenance_runs_overrun" P_REASON,
        "Open runs that have passed a limit of the agreement.";
    RUN_DURATION: Histogram "maintenance_run_duration_seconds" P,
        "Duration of ended runs whose verdict is final.";
    BUSINESS_HOURS_TIME: Counter "maintenance_business_hours_seconds_total" P,
        "Time that runs spent inside business hours, growing while a run is open.";
    OUTSIDE_WINDOW_TIME: Counter "maintenance_outside_window_seconds_total" P,
        "Time that runs spent outside their windows, growing while a run is open.";
    NOTICE: Histogram "maintenance_notice_seconds" PARTNER,
        "Planned start of a run's change minus the moment its times were confirmed.";
    DETECTION_DELAY: Histogram "maintenance_detection_delay_seconds" PARTNER,
        "Time from the stamp of a start to the moment at which it was read.";
    LAST_START: Gauge "maintenance_last_start_timestamp_seconds" P,
        "Start of the latest run; absent before the first.";
    LAST_VIOLATION: Gauge "maintenance_last_violation_timestamp_seconds" P,
        "Instant of the latest violation; absent before the first.";
    IRREGULARITIES: Counter "maintenance_irregularities_total" &["partner", "kind"],
        "Contradictions in a partner's logs, and late, backdated and future events.";
}
Agreement {
    WINDOW_OPEN: Gauge "maintenance_window_open" P,
        "Whether a window is open now; always 1 where no window was agreed.";
    WINDOW_CHANGE: Gauge "maintenance_window_change_timestamp_seconds" P,
        "When the window opens or closes next; absent if that is more than 370 days ahead.";
    MAY_START: Gauge "maintenance_may_start" P,
        "Whether a run that is triggered and confirmed as agreed may start now.";
    MAY_START_CHANGE: Gauge "maintenance_may_start_change_timestamp_seconds" P,
        "When that changes next; absent if that is more than 370 days ahead.";
    BUSINESS_HOURS: Gauge "maintenance_business_hours" SERVICE,
        "Whether business hours are on now.";
    BUSINESS_HOURS_CHANGE: Gauge "maintenance_business_hours_change_timestamp_seconds" SERVICE,
        "When business hours begin or end next; absent if that is more than 370 days ahead.";
    FREEZE: Gauge "maintenance_freeze" SERVICE,
        "Whether a freeze of the service is on now.";
    FREEZE_CHANGE: Gauge "maintenance_freeze_change_timestamp_seconds" SERVICE,
        "When a freeze of the service begins or ends next; absent if not within 370 days.";
    PROCEDURE_INFO: Gauge "maintenance_procedure_info" P_INFO,
        "The agreement itself, in its labels; always 1.";
    PROCEDURE_REVIEWED: Gauge "maintenance_procedure_reviewed_timestamp_seconds" P,
        "Last review of the written procedure; absent if there was none.";
    PROCEDURE_REVIEW_DUE: Gauge "maintenance_procedure_review_due_timestamp_seconds" P,
        "When the next review of the written procedure is due; absent without review_every.";
}
Changes {
    CHANGES: Gauge "maintenance_changes" P_STATUS,
        "Changes whose planned end is ahead, by status of the latest revision, for each service.";
    NEXT_PLANNED_START: Gauge "maintenance_next_planned_start_timestamp_seconds" P,
        "Planned start of the next confirmed change; absent if there is none.";
    CHANGES_AGAINST_RULES: Gauge "maintenance_changes_against_rules" P_REASON,
        "Changes ahead that, as planned, break a rule or overlap another change of the service.";
    CONFIRM_BY: Gauge "maintenance_confirm_by_timestamp_seconds" P,
        "When the next change that needs a confirmation and has none must be confirmed.";
}
Sources {
    SOURCE_INFO: Gauge "offhours_source_info" &["source", "partner"],
        "The partners of a source, one series for each; always 1.";
    SOURCE_UP: Gauge "offhours_source_up" SOURCE,
        "Whether the source can be read.";
    SOURCE_LAG: Gauge "offhours_source_lag_bytes" SOURCE,
        "Bytes that are written and not read yet.";
    SOURCE_FILES: Gauge "offhours_source_files" SOURCE,
        "Files that are followed.";
    SOURCE_LAST_LINE: Gauge "offhours_source_last_line_timestamp_seconds" SOURCE,
        "When the last line was read; absent before the first.";
    SOURCE_LAST_EVENT: Gauge "offhours_source_last_event_timestamp_seconds" SOURCE,
        "Stamp of the last event; absent before the first.";
    SOURCE_MAX_SILENCE: Gauge "offhours_source_max_silence_seconds" SOURCE,
        "Time without a line after which the source counts as silent; absent if not configured.";
    SOURCE_MAX_EVENT_SILENCE: Gauge "offhours_source_max_event_silence_seconds" SOURCE,
        "Time without an event, but with lines, after which an alert fires; absent if not configured.";
    SOURCE_COVERED: Counter "offhours_source_covered_seconds_total" SOURCE,
        "Time in which the source was readable, fresh and caught up.";
    SOURCE_LINES: Counter "offhours_source_lines_total" &["source", "outcome"],
        "Lines read: events, ignored and rejected ones.";
    SOURCE_REJECTED: Counter "offhours_source_rejected_lines_total" &["source", "reason"],
        "Lines that could not be read as events, by reason.";
    SOURCE_BYTES: Counter "offhours_source_bytes_total" SOURCE,
        "Bytes read.";
    SOURCE_ROTATIONS: Counter "offhours_source_rotations_total" &["source", "kind"],
        "Files that were rotated, truncated or replaced.";
    SOURCE_READ_ERRORS: Counter "offhours_source_read_errors_total" &["source", "kind"],
        "Failures to find, open or read a file.";
    SOURCE_POSSIBLE_LOSS: Counter "offhours_source_possible_loss_total" &["source", "reason"],
        "Occasions on which lines may have been written and never read.";
}
Ledger {
    LEDGER_ENTRIES: Gauge "offhours_ledger_entries" NONE,
        "Entries on record.";
    LEDGER_HEAD: Gauge "offhours_ledger_head" NONE,
        "First 53 bits of the head of the ledger's hash chain: Prometheus keeps it as evidence.";
    LEDGER_COMMITS: Counter "offhours_ledger_commits_total" NONE,
        "Transactions committed.";
    LEDGER_COMMIT_DURATION: Histogram "offhours_ledger_commit_duration_seconds" NONE,
        "Duration of transactions.";
    LEDGER_ERRORS: Counter "offhours_ledger_errors_total" NONE,
        "Transactions that failed; their lines are read again.";
}
Program {
    ALERTS_SENT: Counter "offhours_alerts_sent_total" &["result"],
        "Posts to Alertmanager.";
    LOOP_LAST_TURN: Gauge "offhours_loop_last_turn_timestamp_seconds" NONE,
        "When the loop that reads and judges last began a turn; it does so at least every second.";
    LOG_DROPPED: Counter "offhours_log_dropped_records_total" NONE,
        "Records of the program's own log that were dropped because nobody read it.";
    CLOCK_OFFSET: Gauge "offhours_clock_offset_seconds" NONE,
        "How far the machine's clock is ahead of the time that bounds go by: 0 while it is believed.";
    CLOCK_JUMPS: Counter "offhours_clock_jumps_total" NONE,
        "Jumps of the clock of the machine by more than a minute.";
    SLEPT: Counter "offhours_suspended_seconds_total" NONE,
        "Time for which the machine was suspended.";
    RELOAD_OK: Gauge "offhours_config_last_reload_successful" NONE,
        "Whether the last attempt to load the configuration succeeded.";
    RELOAD_AT: Gauge "offhours_config_last_reload_success_timestamp_seconds" NONE,
        "When the configuration in force was loaded.";
    WEB_OK: Gauge "offhours_web_config_last_reload_successful" NONE,
        "Whether the web configuration in force is the one on disk; absent without one.";
    WEB_CERTIFICATE_END: Gauge "offhours_web_certificate_expiry_timestamp_seconds" NONE,
        "When the first certificate of the chain that is served ends; absent without TLS.";
    CALENDAR_ERRORS: Counter "offhours_calendar_read_errors_total" &["calendar"],
        "Times that a calendar file was found missing, unreadable or wrong.";
    CALENDAR_READ: Gauge "offhours_calendar_last_read_timestamp_seconds" &["calendar"],
        "When a calendar file was last found good.";
    CALENDAR_STALE: Gauge "offhours_calendar_stale" &["calendar"],
        "Whether a calendar file was unusable for so long that its windows are closed.";
    CALENDAR_UNUSED: Gauge "offhours_calendar_unused_events" &["calendar"],
        "Events of a calendar file that could not be used, or not as a whole.";
    BUILD_INFO: Gauge "offhours_build_info" &["version", "revision", "rustc"],
        "What this program was built from; always 1.";
    TZDB_INFO: Gauge "offhours_tzdb_info" &["version"],
        "The time zone data in use; always 1.";
    HOLIDAYS_INFO: Gauge "offhours_holidays_info" &["version"],
        "The embedded table of public holidays; always 1.";
    HOLIDAYS_END: Gauge "offhours_holidays_end_timestamp_seconds" NONE,
        "When the embedded table of public holidays ends.";
    HOLIDAYS_EXPIRING: Gauge "offhours_holidays_expiring" NONE,
        "Whether public holidays are in use and their table ends within a year.";
}
Process {
    PROCESS_CPU: Counter "process_cpu_seconds_total" NONE,
        "Total user and system CPU time spent in seconds.";
    PROCESS_RESIDENT: Gauge "process_resident_memory_bytes" NONE,
        "Resident memory size in bytes.";
    PROCESS_VIRTUAL: Gauge "process_virtual_memory_bytes" NONE,
        "Virtual memory size in bytes.";
    PROCESS_OPEN_FDS: Gauge "process_open_fds" NONE,
        "Number of open file descriptors.";
    PROCESS_MAX_FDS: Gauge "process_max_fds" NONE,
        "Maximum number of open file descriptors; absent if there is no limit.";
    PROCESS_START: Gauge "process_start_time_seconds" NONE,
        "Start time of the process since the Unix epoch in seconds.";
    PROCESS_THREADS: Gauge "process_threads" NONE,
        "Number of threads in the process.";
}
}

const INTRODUCTION: &str = "# Metrics

Everything that `/metrics` answers. Label values come from the configuration or from closed lists: whatever
nobody declared is `other`. Every declared series exists, at 0, from the first scrape, and counters are
restored from the ledger, so that they never fall. Timestamps are seconds since 1970; for an age, subtract
them from `time()`.
";

/// The text of `docs/metrics.md`.
pub fn markdown() -> String {
    let mut text = String::from(INTRODUCTION);
    for group in Group::ALL {
        let (heading, sentence) = group.heading();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {heading}\n\n{sentence}\n\n");
        text.push_str("| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n");
        for m in CATALOG.iter().filter(|m| m.group == *group) {
            let labels: Vec<String> = m.labels.iter().map(|l| format!("`{l}`")).collect();
            let (kind, labels) = (m.kind.as_str(), labels.join(", "));
            let _ = writeln!(text, "| `{}` | {kind} | {labels} | {} |", m.name, m.help);
        }
    }
    text
}

#[cfg(test)]
mod tests;
