//! The program: builds everything, owns the one loop, stops it in order.

pub mod announce;
mod approving;
pub mod backend;
pub mod backtest;
pub mod calendars;
pub mod control;
pub mod diary;
pub mod documents;
pub mod dossier;
pub mod engine;
pub mod find_run;
pub mod follow;
pub mod intake;
pub mod log_queue;
mod mail;
pub mod outage;
pub mod pages;
pub mod policy_tests;
pub mod pulse;
pub mod questions;
pub mod readings;
mod reload;
pub mod replay;
pub mod review;
pub mod serve;
pub mod shared;
mod showing;
pub mod sign_off;
mod status;
mod timekeeping;
pub mod verify;
pub mod watch;
pub mod witness;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::TimeDelta;

use crate::calendar::civil::tzdb_version;
use crate::calendar::holidays;
use crate::clock;
use crate::format::Reason;
use crate::ledger::Histogram;
use crate::metrics::{Known, OwnView};
use crate::store::{Store, StoreError};
use crate::tail::{FailureKind, LossReason, RotationKind};

/// Seconds that a commit takes: 100 us to 10 s.
static COMMIT_BOUNDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];

/// The closed sets of label values that sources have.
pub fn known() -> &'static Known<'static> {
    static REJECTED: LazyLock<Vec<&str>> =
        LazyLock::new(|| Reason::ALL.iter().map(|r| r.as_str()).collect());
    static ROTATIONS: LazyLock<Vec<&str>> =
        LazyLock::new(|| RotationKind::ALL.iter().map(|k| k.as_str()).collect());
    static LOSSES: LazyLock<Vec<&str>> =
        LazyLock::new(|| LossReason::ALL.iter().map(|r| r.as_str()).collect());
    static FAILURES: LazyLock<Vec<&str>> =
        LazyLock::new(|| FailureKind::ALL.iter().map(|k| k.as_str()).collect());
    static KNOWN: LazyLock<Known<'static>> = LazyLock::new(|| Known {
        rotation_kinds: &ROTATIONS,
        read_error_kinds: &FAILURES,
        loss_reasons: &LOSSES,
        rejected_reasons: &REJECTED,
    });
    &KNOWN
}

/// What is known of the program itself when it starts.
///
/// # Errors
/// The ledger cannot be read.
pub fn own_view(store: &Store) -> Result<OwnView, StoreError> {
    let commits = store.reader().tallies()?;
    let commits = commits.iter().find(|(source, name, ..)| source.is_empty() && name == "commits");
    Ok(OwnView {
        ledger_entries: store.head().0,
        ledger_head: store.head().1,
        commits: commits.map_or(0, |(.., n)| *n),
        commit_durations: Histogram::new(COMMIT_BOUNDS),
        ledger_errors: 0,
        last_turn: None,
        log_dropped: 0,
        clock_ahead: TimeDelta::zero(),
        clock_jumps: 0,
        slept: TimeDelta::zero(),
        alerts_sent: BTreeMap::new(),
        calendars: Vec::new(),
        reload_ok: true,
        reload_at: Some(clock::now()),
        web: None,
        version: env!("CARGO_PKG_VERSION").into(),
        revision: env!("OFFHOURS_REVISION").into(),
        rustc: env!("OFFHOURS_RUSTC").into(),
        tzdb_version: tzdb_version(),
        holidays_version: holidays::TABLE_VERSION.into(),
        holidays_end: holidays::table_end(),
        process: None,
    })
}
