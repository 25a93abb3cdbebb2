//! What a scrape looks at: the ledger, the policy, the time, and what the shell knows of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::ledger::chain::Head;
use crate::ledger::{Histogram, Ledger};
use crate::policy::Policy;
use crate::time::Instant;

/// Everything that one scrape is made from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub ledger: &'a Ledger,
    pub policy: &'a Policy,
    /// The moment of the scrape.
    pub now: Instant,
    pub sources: &'a [SourceView],
    pub own: &'a OwnView,
    pub known: &'a Known<'a>,
}

/// Closed sets of label values that belong to the modules that read files and lines: each exists at 0 for every
/// source from the first scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    pub rotation_kinds: &'a [&'a str],
    pub read_error_kinds: &'a [&'a str],
    pub loss_reasons: &'a [&'a str],
    pub rejected_reasons: &'a [&'a str],
}

/// One configured source as it stands.
#[derive(Clone, Debug)]
pub struct SourceView {
    pub name: Arc<str>,
    /// Whose lines it has.
    pub partners: Vec<Arc<str>>,
    /// It can be read.
    pub up: bool,
    /// One of its files is of another encoding than told.
    pub misread: bool,
    /// It is readable, fresh and caught up: what is written to it is seen.
    pub covered: bool,
    /// Written and not read yet.
    pub lag_bytes: u64,
    /// Files that are followed.
    pub files: u64,
    /// When the last line was read.
    pub last_line: Option<Instant>,
    /// Stamp of the last event.
    pub last_event: Option<Instant>,
    pub max_silence: Option<TimeDelta>,
    pub max_event_silence: Option<TimeDelta>,
    /// Which of the keys that are named no record has had, as sentences.
    pub unseen: Vec<String>,
    /// When it was looked at for the first time since the program began.
    pub since: Option<Instant>,
    /// Counts by (name, label): `lines`/{`event`, `ignored`, `rejected`}, `rejected`/{reason}, `bytes`/"",
    /// `rotations`/{kind}, `read_errors`/{kind}, `possible_loss`/{reason}, `covered_nanos`/"", `covered_nanos_by_month`/{month}.
    pub tallies: BTreeMap<(String, String), u64>,
}

/// One calendar file as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct CalendarView {
    /// As the configuration writes it.
    pub name: Arc<str>,
    /// How often it was found in a state in which it could not be used.
    pub errors: u64,
    /// When it was last found good.
    pub read_at: Instant,
    /// It was not good for too long: what is in it is not known any more.
    pub is_stale: bool,
    /// Events of it that could not be used.
    pub unused: u64,
}

/// The exporter itself.
#[derive(Clone, Debug)]
pub struct OwnView {
    pub ledger_entries: u64,
    /// Of the hash chain.
    pub ledger_head: Head,
    pub commits: u64,
    /// Seconds.
    pub commit_durations: Histogram,
    pub ledger_errors: u64,
    /// When the loop last began a turn; `None` where there is no loop.
    pub last_turn: Option<Instant>,
    /// Records of the log that were dropped because nobody read it.
    pub log_dropped: u64,
    /// How far the clock of the machine is ahead of what is believed, how often it jumped, and how long the machine slept.
    pub clock_ahead: TimeDelta,
    pub clock_jumps: u64,
    pub slept: TimeDelta,
    /// By result: `ok`, `error`.
    pub alerts_sent: BTreeMap<String, u64>,
    /// The calendar files of the configuration.
    pub calendars: Vec<CalendarView>,
    /// The last attempt to load the configuration succeeded.
    pub reload_ok: bool,
    /// When the configuration in force was loaded.
    pub reload_at: Option<Instant>,
    /// `None` without a web configuration.
    pub web: Option<WebView>,
    pub version: String,
    pub revision: String,
    pub rustc: String,
    pub tzdb_version: String,
    pub holidays_version: String,
    /// The first instant of which the embedded table of holidays says nothing.
    pub holidays_end: Instant,
    /// `None` where the operating system does not tell.
    pub process: Option<ProcessView>,
}

/// The web configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebView {
    /// What is in force is what the files say.
    pub is_latest: bool,
    /// When the first certificate of the chain ends; `None` without TLS.
    pub certificate_end: Option<Instant>,
}

/// This process as the operating system sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessView {
    /// User and system time.
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    pub virtual_bytes: u64,
    pub open_fds: u64,
    /// `None`: unlimited.
    pub max_fds: Option<u64>,
    pub start: Instant,
    pub threads: u64,
}
