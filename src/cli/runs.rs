//! `offhours runs`: the runs on record.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::fold::Hang;
use super::replay::table_of;
use super::{FINE, Outcome, StorageArg, back, failed, print, print_folded, usage};
use crate::report::csv::cell;
use crate::report::run::RunReport;
use crate::run::RunNo;
use crate::store::{Reader, RunFilter};
use crate::time::Instant;
use crate::verdict::Verdict;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours runs --verdict violation --since 30d
  offhours runs --partner hostco --format csv > runs.csv

The columns of the table:
  NO       the number of the run, which every command accepts
  CHANGE   the change that the run names, or else the one that it matches; left out if no run has one
  VERDICT  `violation?`: not final yet
  REASONS  a reason in parentheses is waived by an emergency
An empty cell is `-`.")]
pub struct Options {
    #[command(flatten)]
    storage: StorageArg,
    /// Only runs with this verdict.
    #[arg(long, value_parser = verdicts())]
    verdict: Option<String>,
    /// Only runs of this partner.
    #[arg(long)]
    partner: Option<String>,
    /// Only runs that started since then: RFC 3339, a day in UTC, or a duration back from now.
    #[arg(long, value_name = "TIME", value_parser = back)]
    since: Option<Instant>,
    /// Show at most this many, the newest.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    /// One object per line.
    Json,
    Csv,
}

/// One object, as the API has it.
#[derive(Serialize)]
struct Numbered<'a> {
    /// The number by which every command takes the run.
    run: RunNo,
    #[serde(flatten)]
    report: &'a RunReport,
}

/// The words, so that shells can complete them.
fn verdicts() -> PossibleValuesParser {
    PossibleValuesParser::new(Verdict::ALL.iter().map(|verdict| verdict.as_str()))
}

pub fn run(options: &Options) -> Outcome {
    let reader = Reader::open(&options.storage.storage).map_err(usage)?;
    let filter = RunFilter {
        partner: options.partner.clone(),
        verdict: options.verdict.clone(),
        since: options.since,
        limit: Some(options.limit),
        ..RunFilter::default()
    };
    let mut found = reader.runs(&filter).map_err(failed)?;
    found.reverse();
    let reports: Vec<RunReport> =
        found.iter().map(|(run, b, o)| RunReport::new(run, (*b).into(), (*o).into())).collect();
    match options.format {
        Format::Table => {
            if reports.is_empty() {
                super::say_nothing_found("no run on record matches");
                return Ok(FINE);
            }
            let numbers = found.iter().map(|(run, ..)| Some(run.no));
            let table = table_of(numbers.zip(&reports));
            print_folded(Hang::At(4), |mut out| table.write(&mut out))?;
        }
        Format::Json => print(|out| {
            for ((run, ..), report) in found.iter().zip(&reports) {
                writeln!(out, "{}", serde_json::to_string(&Numbered { run: run.no, report })?)?;
            }
            Ok(())
        })?,
        Format::Csv => print(|out| out.write_all(csv(&reports).as_bytes()))?,
    }
    Ok(FINE)
}

const COLUMNS: [&str; 18] = [
    "partner",
    "service",
    "procedure",
    "run_id",
    "change_id",
    "trigger",
    "start",
    "end",
    "state",
    "outcome",
    "verdict",
    "provisional",
    "reasons",
    "waived",
    "business_hours_seconds",
    "outside_window_seconds",
    "duration_seconds",
    "notice_seconds",
];

/// RFC 4180, with a header; lists are joined by blanks.
pub fn csv(reports: &[RunReport]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for report in reports {
        let value = serde_json::to_value(report).unwrap_or_default();
        let cells = COLUMNS.iter().map(|column| cell(&value[*column]));
        text += &cells.collect::<Vec<_>>().join(",");
        text += "\r\n";
    }
    text
}
