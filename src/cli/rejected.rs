//! `offhours rejected`: the lines that could not be read.

use clap::Args;

use super::table::clean;
use super::{FINE, Outcome, StorageArg, failed, print, usage};
use crate::store::Reader;
use crate::time::rfc3339;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours rejected
  offhours rejected --source hostco-maintenance --limit 5")]
pub struct Options {
    #[command(flatten)]
    storage: StorageArg,
    /// Only lines of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Show at most this many, the newest.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

pub fn run(options: &Options) -> Outcome {
    let reader = Reader::open(&options.storage.storage).map_err(usage)?;
    let found = reader.rejected(options.source.as_deref(), options.limit).map_err(failed)?;
    if found.is_empty() {
        super::say_nothing_found("no rejected line is on record");
    }
    print(|out| {
        for r in found.iter().rev() {
            writeln!(
                out,
                "{} {} byte {} (read {})",
                r.place.source,
                clean(&r.place.path),
                r.place.offset,
                rfc3339(r.read_at)
            )?;
            writeln!(out, "  {}: {}", r.reason, clean(&r.detail))?;
            if !r.line.is_empty() {
                writeln!(out, "  {}", clean(&String::from_utf8_lossy(&r.line)))?;
            }
        }
        Ok(())
    })?;
    Ok(FINE)
}
