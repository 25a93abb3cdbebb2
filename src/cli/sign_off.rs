//! `offhours ack` and `offhours approve`: what people put on record.

use clap::Args;

use super::{ConfigArg, FINE, Outcome, StorageArg, failed, print, usage};
use crate::app::shared::Request;
use crate::app::{control, engine, sign_off};
use crate::clock;
use crate::ledger::{Draft, Evidence};
use crate::store::{Commit, Store};
use std::sync::Arc;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours ack 17 --by 'on-call' --note 'partner informed, run stopped'
  offhours ack hostco/AC-10-M --by 'on-call' --note 'INC-2041'

Exit codes: 0 acknowledged, 1 there is nothing to acknowledge, 2 wrong usage.")]
pub struct AckOptions {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// The run: its number, its id, or PARTNER/ID; a number comes before an id that looks like one.
    run: String,
    /// Who acknowledges it.
    #[arg(long)]
    by: String,
    /// A note that is kept with it.
    #[arg(long, default_value = "")]
    note: String,
}

#[derive(Args)]
#[command(after_help = "Examples:
  offhours approve CHG0031315 --by 'service owner' --note 'failover was needed'
  offhours approve 17 --by 'service owner' --note 'agreed by telephone at 03:10'

A run that you approve within the partner's `approve_within` counts as an emergency, even if nobody \
declared it as one, and the rules that an emergency may waive are waived. If you approve a change, its runs \
are approved; later runs too, if it is declared as an emergency.

Exit codes: 0 approved (the effect is printed), 1 refused, because there is no such change or run, or \
because it would have no effect (emergencies are not agreed, already approved, too late, nothing to waive), \
2 wrong usage.")]
pub struct ApproveOptions {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// The change (its id or PARTNER/ID), or the run: its number, its id, or PARTNER/ID.
    what: String,
    /// Who approves it.
    #[arg(long)]
    by: String,
    /// A note that is kept with it.
    #[arg(long, default_value = "")]
    note: String,
}

pub fn acknowledge(o: &AckOptions) -> Outcome {
    let (run, by, note) = (o.run.clone(), o.by.clone(), o.note.clone());
    ask(&Request::Acknowledge { run, by, note }, &o.storage, &o.config)
}

pub fn approve(o: &ApproveOptions) -> Outcome {
    let (what, by, note) = (o.what.clone(), o.by.clone(), o.note.clone());
    ask(&Request::Approve { what, by, note }, &o.storage, &o.config)
}

/// Asks the running offhours, or does it here if none holds the ledger.
fn ask(request: &Request, storage: &StorageArg, config: &ConfigArg) -> Outcome {
    let dir = &storage.storage;
    if !dir.join("ledger.db").is_file() {
        return Err(usage(format!(
            "{}: there is no ledger here; --storage.path says where it is",
            dir.display()
        )));
    }
    let answer = match control::ask(dir, request).map_err(failed)? {
        Some(answer) => answer,
        None => alone(request, storage, config)?,
    };
    let told = answer.map_err(failed)?;
    print(|out| writeln!(out, "{told}"))?;
    Ok(FINE)
}

fn alone(
    request: &Request,
    storage: &StorageArg,
    config: &ConfigArg,
) -> Result<Result<String, String>, super::Failure> {
    let config = config.load().map_err(usage)?;
    let mut store = Store::open(&storage.storage).map_err(failed)?;
    let mut draft = Draft::new(store.load().map_err(failed)?, Evidence::Readings);
    let now = clock::now();
    let answer = sign_off::carry_out(request, &mut draft, &store.reader(), &config.policy, now);
    let (changed, told) = match answer {
        Ok(done) => done,
        Err(no) => return Ok(Err(no)),
    };
    let mut commit = Commit { entries: draft.drain(), ..Commit::default() };
    let named = commit.entries.iter().filter_map(|e| e.what.run());
    let mut runs: Vec<Arc<_>> = named.filter_map(|no| draft.ledger().run(no).cloned()).collect();
    runs.extend(draft.take_forgotten());
    runs.extend(changed);
    commit.runs = runs.into_iter().map(|run| engine::counted(run, &config, now)).collect();
    commit.policy = Some(Arc::new(engine::text_of(&config)));
    store.commit(&commit).map_err(failed)?;
    Ok(Ok(told))
}
