//! `offhours explain`: the whole case of one run.

use clap::{Args, ValueEnum};

use super::fold::Hang;
use super::{ConfigArg, FINE, Outcome, StorageArg, failed, print, print_folded, usage};
use crate::app::dossier::Dossier;
use crate::app::find_run::find_run;
use crate::store::Reader;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours explain 17
  offhours explain hostco/AC-10-M
  offhours explain AC-10-M --format markdown > case.md")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// The run: its number, its id, or PARTNER/ID; a number comes before an id that looks like one.
    run: String,
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    /// For a ticket.
    Markdown,
    Json,
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let reader = Reader::open(&options.storage.storage).map_err(usage)?;
    let run = find_run(&reader, &options.run).map_err(failed)?;
    let counted = reader.run(run.no).map_err(failed)?;
    let counted = counted.map_or((0, 0), |(_, business, outside)| (business, outside));
    let dossiers = Dossier::of(&reader, std::slice::from_ref(&run), &config.policy);
    let dossier = dossiers.map_err(failed)?.pop().unwrap_or_default();
    let checkpoints = reader.checkpoints().map_err(failed)?;
    let lines = dossier.lines(&run, &config, &checkpoints);
    let case = dossier.case(&run, counted, &config, &lines);
    match options.format {
        Format::Text => print_folded(Hang::UnderText, |out| out.write_all(case.text().as_bytes()))?,
        Format::Markdown => print(|out| out.write_all(case.markdown().as_bytes()))?,
        Format::Json => print(|out| writeln!(out, "{}", serde_json::to_string_pretty(&case)?))?,
    }
    Ok(FINE)
}
