//! `offhours windows`: what the next days hold.

use clap::{Args, ValueEnum};

use super::fold::Hang;
use super::table::{Align, Table};
use super::{
    ConfigArg, FINE, Failure, Outcome, StorageArg, failed, instant, print, print_folded, usage,
};
use crate::app::diary;
use crate::clock;
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::report::windows::{Question, Row, RowReport, calendar, rows};
use crate::run::Run;
use crate::store::{Reader, StoreError};
use crate::time::Instant;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours windows
  offhours windows --partner hostco --days 30
  offhours windows --service atlas --format ics > atlas.ics")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// Only this partner; business hours and freezes of services are still shown.
    #[arg(long)]
    partner: Option<String>,
    /// Only this service.
    #[arg(long)]
    service: Option<String>,
    /// Start of the list, RFC 3339; default: now.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Instant>,
    /// Number of days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=370))]
    days: u16,
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    /// One object per line.
    Json,
    /// An iCalendar file for people's calendars.
    Ics,
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let now = clock::now();
    let range = Question::days(options.from, now, options.days).map_err(usage)?;
    let (partner, service) = (options.partner.clone(), options.service.clone());
    let question = Question { range, partner, service };
    question.check(&config.policy).map_err(usage)?;
    let (ledger, runs) = on_record(options, &config.policy, &question, now)?;
    let changes = |partner: &str| ledger.book(partner).map(|book| &book.changes);
    let rows = rows(&config.policy, changes, &question);
    match options.format {
        Format::Table => {
            let table = table_of(&rows);
            print_folded(Hang::At(4), |mut out| table.write(&mut out))?;
        }
        Format::Json => print(|out| {
            for row in &rows {
                writeln!(out, "{}", serde_json::to_string(&RowReport::from(row))?)?;
            }
            Ok(())
        })?,
        Format::Ics => {
            let text = calendar(&rows, &runs, &config.policy, now);
            print(|out| out.write_all(text.as_bytes()))?;
        }
    }
    Ok(FINE)
}

/// Everything on record, and the runs for a calendar; an agreement without a ledger has windows all the same.
fn on_record(
    options: &Options,
    policy: &Policy,
    question: &Question,
    now: Instant,
) -> Result<(Ledger, Vec<Run>), Failure> {
    let (mut ledger, mut runs) = (Ledger::default(), Vec::new());
    match Reader::open(&options.storage.storage) {
        Ok(reader) => {
            reader.walk(|entry| ledger.adopt(&entry)).map_err(failed)?;
            if options.format == Format::Ics {
                let found = diary::runs(&reader, policy, question, options.from, now);
                runs = found.map_err(failed)?;
            }
        }
        Err(error @ StoreError::Missing { .. }) => {
            super::say(format_args!("without changes and runs: {error}"));
        }
        Err(error) => return Err(usage(error)),
    }
    Ok((ledger, runs))
}

fn table_of(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("FROM", Align::Left),
        ("TO", Align::Left),
        ("WHAT", Align::Left),
        ("OF", Align::Left),
        ("REMARK", Align::Left),
    ]);
    for row in rows {
        let style = match row.conflicts.is_empty() {
            true => anstyle::Style::new(),
            false => anstyle::AnsiColor::Red.on_default(),
        };
        table.styled_row(
            style,
            [
                row.begins(),
                row.ends(),
                row.kind.as_str().replace('_', " "),
                row.subject(),
                row.remark(),
            ],
        );
    }
    table
}
