//! Logs of any length for benches, each line of the same number of bytes.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta};

/// Bytes of a line, its line break included.
pub const LINE_BYTES: usize = 200;

/// What a log tells of.
#[derive(Clone, Copy, Debug)]
pub enum Story {
    /// Runs at night as agreed, each one line of start and one of end.
    Compliant,
    /// Runs in business hours, outside the window, unconfirmed, started by hand.
    Violating,
    /// Compliant runs with two phases each.
    Phases,
    /// Compliant runs, each of their lines followed by 99 of noise.
    Rare,
}

/// What was agreed about those runs; the log stands beside it as `northhost.log`.
pub const CONFIG: &str = r#"
services:
  orion: { timezone: Europe/London, holidays: GB-ENG, business_hours: "Mo-Fr 08:00-18:00; PH off" }
partners:
  northhost:
    timezone: Europe/London
    windows: "Mo-Su 22:00-05:00"
    confirmation: { required: true, notice: 24h, early: 5m, late: 30m }
    procedures:
      ledger-compaction: { services: [orion], triggers: [schedule], max_duration: 2h }
      storage-failover: { services: [orion], confirmation: { required: false } }
sources:
  - name: northhost-maintenance
    partner: northhost
    files: [northhost.log]
    format: logfmt
    match: { key: msg, any: ["maintenance task", "change notice"] }
    fields: { event: state, procedure: task, service: target, run_id: job, change_id: change }
"#;

/// A log of about this many bytes, whole runs only.
pub fn log(story: Story, bytes: usize) -> String {
    let mut log = String::with_capacity(bytes + 400 * LINE_BYTES);
    let mut number = 0;
    while log.len() < bytes {
        add_run(&mut log, story, number);
        number += 1;
    }
    log
}

fn add_run(log: &mut String, story: Story, number: i64) {
    // Monday 3 November 2025: 09:00 is in business hours, 22:00 begins the window.
    let (first, per_day, task, trigger) = match story {
        Story::Violating => (1_762_160_400, 28_800, "ledger-compaction", "manual"),
        _ => (1_762_207_200, 25_000, "storage-failover", "schedule"),
    };
    let (day, second) = (number / per_day, number % per_day);
    // Seven days further and not one, so that no run falls on a weekend.
    let start = DateTime::from_timestamp(first, 0).unwrap_or_default()
        + TimeDelta::days(7 * day)
        + TimeDelta::seconds(second);
    let run = format!("task={task} job=J-{number:07} target=orion trigger={trigger}");
    let mut tell = |at: DateTime<_>, what: &str| {
        add_line(log, at, &format!("msg=\"maintenance task\" state={what} {run}"));
        if let Story::Rare = story {
            (0..99).for_each(|n| add_line(log, at, &format!("msg=\"queue depth\" depth={n}")));
        }
    };
    tell(start, "STARTED");
    if let Story::Phases = story {
        tell(start, "PHASE phase=copy");
        tell(start, "PHASE phase=switch");
    }
    tell(start + TimeDelta::seconds(1), "FINISHED outcome=ok");
}

fn add_line(log: &mut String, at: DateTime<chrono::Utc>, text: &str) {
    let begin = log.len();
    let time = offhours::time::rfc3339(at);
    // Writing to a text cannot fail.
    let _ = write!(log, "time={time} level=info {text} operator=noc-shift-b note=");
    let left = (begin + LINE_BYTES - 1).saturating_sub(log.len());
    log.extend(std::iter::repeat_n('x', left));
    log.push('\n');
}
