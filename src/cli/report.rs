//! `offhours report`: a month for the service review, or the timeline of events of one run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ConfigArg, FINE, Failure, Outcome, StorageArg, failed, print, usage};
use crate::app::{dossier::Dossier, find_run::find_run, review};
use crate::calendar::Zone;
use crate::clock;
use crate::config::Config;
use crate::policy::Partner;
use crate::report::month::{MONTH_FORM, Month};
use crate::report::scorecard::{self, Scorecard};
use crate::store::Reader;
use crate::time::Instant;
use crate::verdict::local;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours report --partner hostco --format html --output review.html
  offhours report --month 2025-11 --format csv > months.csv
  offhours report --run AC-10-M        the timeline of events, for the report of an incident")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// Only this partner; default: all partners.
    #[arg(long, conflicts_with = "run")]
    partner: Option<String>,
    /// The month, such as 2025-11; default: last month.
    #[arg(long, value_parser = month, conflicts_with = "run")]
    month: Option<Month>,
    /// The timeline of events of this run: its number, its id, or PARTNER/ID.
    #[arg(long)]
    run: Option<String>,
    #[arg(long, default_value = "markdown")]
    format: Format,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Markdown,
    /// One file that prints well.
    Html,
    /// The figures, one row for each partner and month.
    Csv,
    Json,
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| format!("{text:?} is not {MONTH_FORM}"))
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let reader = Reader::open(&options.storage.storage).map_err(usage)?;
    let now = clock::now();
    let text = match &options.run {
        Some(run) => incident(options, &reader, &config, run, now)?,
        None => months(options, &reader, &config, now)?,
    };
    match &options.output {
        None => print(|out| out.write_all(text.as_bytes()))?,
        Some(path) => std::fs::write(path, text)
            .map_err(|error| failed(format!("{}: {error}", path.display())))?,
    }
    Ok(FINE)
}

fn months(
    options: &Options,
    reader: &Reader,
    config: &Config,
    now: Instant,
) -> Result<String, Failure> {
    let partners = partners(config, options.partner.as_deref())?;
    let month = options.month.or_else(|| review::latest_month(&partners, now));
    let month = month.ok_or_else(|| usage("the configuration has no partners"))?;
    if let Some(early) = partners.iter().find(|p| now < month.span(&p.zone).start) {
        return Err(usage(format!("{month} has not begun in {}", early.zone.name())));
    }
    let cards = partners.iter().map(|p| review::scorecard(reader, config, p, month, now));
    let cards: Vec<Scorecard> = cards.collect::<Result<_, _>>().map_err(failed)?;
    match options.format {
        Format::Markdown => Ok(scorecard::markdown(&cards)),
        Format::Html => {
            let pictures = review::pictures(reader, config, &partners, month, now);
            Ok(scorecard::html(&cards, &pictures.map_err(failed)?, &made(now)))
        }
        Format::Csv => Ok(scorecard::csv(&cards)),
        Format::Json => json(&cards),
    }
}

fn incident(
    options: &Options,
    reader: &Reader,
    config: &Config,
    name: &str,
    now: Instant,
) -> Result<String, Failure> {
    let run = find_run(reader, name).map_err(failed)?;
    let dossiers = Dossier::of(reader, std::slice::from_ref(&run), &config.policy);
    let dossier = dossiers.map_err(failed)?.pop().unwrap_or_default();
    let checkpoints = reader.checkpoints().map_err(failed)?;
    let lines = dossier.lines(&run, config, &checkpoints);
    let incident = dossier.incident(&run, config, &lines);
    match options.format {
        Format::Markdown => Ok(incident.markdown()),
        Format::Html => Ok(incident.html(&made(now))),
        Format::Csv => Ok(incident.csv()),
        Format::Json => json(&incident),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(failed)
}

/// When it was made and by what.
fn made(now: Instant) -> String {
    let now = chrono::SubsecRound::trunc_subsecs(now, 0);
    format!("Made {} by offhours {}.", local(&Zone::utc(), now), env!("CARGO_PKG_VERSION"))
}

fn partners<'c>(config: &'c Config, named: Option<&str>) -> Result<Vec<&'c Partner>, Failure> {
    let all = &config.policy.partners;
    let Some(name) = named else { return Ok(all.iter().collect()) };
    let known = || all.iter().map(|p| &*p.name).collect::<Vec<_>>().join(", ");
    let found = config.policy.partner(name);
    let found =
        found.ok_or_else(|| usage(format!("unknown partner {name:?}; there are {}", known())))?;
    Ok(vec![found])
}
