//! `offhours phase`: tells of a part of the run that `offhours guard` has started.

use std::path::PathBuf;

use clap::Args;

use super::guard::{Journal, LOG_ENV, RUN_ENV};
use super::{FINE, Outcome, failed, usage};

#[derive(Args)]
#[command(after_help = "Examples:
  offhours phase copy
  offhours phase \"rebuild of index 3\"

guard passes the log and the run id to the command in OFFHOURS_GUARD_LOG and OFFHOURS_GUARD_RUN.")]
pub struct Options {
    /// Name of the phase that begins now.
    #[arg(value_parser = super::ask::text)]
    name: String,
}

pub fn run(options: &Options) -> Outcome {
    let told = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| usage(format!("{name} is not set: no guard has started this")))
    };
    let run_id = told(RUN_ENV)?.into_string();
    let run_id = run_id.map_err(|_| usage(format!("{RUN_ENV} is not UTF-8 text")))?;
    let journal = Journal { log: PathBuf::from(told(LOG_ENV)?), run_id, names: vec![] };
    journal.tell("phase", &[("phase", &options.name)]).map_err(failed)?;
    Ok(FINE)
}
