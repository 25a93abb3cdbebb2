//! `offhours windows`: what the next days hold.

use clap::{Args, ValueEnum};

use super::fold::Hang;
use super::table::{Align, Table};
use super::{
    ConfigArg, FINE, Failure, Outcome, StorageArg, failed, instant, print, print_folded, usage,
};
use crate::clock;
use crate::ledger::Ledger;
use crate::report::windows::{Question, Row, RowReport, calendar, rows};
use crate::store::{Reader, StoreError};
use crate::time::Instant;
use crate::verdict::civil;

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
    /// Only of this partner; business hours and freezes of services stay.
    #[arg(long)]
    partner: Option<String>,
    /// Only of this service.
    #[arg(long)]
    service: Option<String>,
    /// Where to begin: RFC 3339; now if not given.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Instant>,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=370))]
    days: u16,
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    /// One object a line.
    Json,
    /// A file for people's calendars.
    Ics,
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let now = clock::now();
    let range = Question::days(options.from, now, options.days).map_err(usage)?;
    let (partner, service) = (options.partner.clone(), options.service.clone());
    let question = Question { range, partner, service };
    question.check(&config.policy).map_err(usage)?;
    let ledger = ledger(options)?;
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
        Format::Ics => print(|out| out.write_all(calendar(&rows, now).as_bytes()))?,
    }
    Ok(FINE)
}

/// Everything on record; an agreement without a ledger has windows all the same.
fn ledger(options: &Options) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::default();
    match Reader::open(&options.storage.storage) {
        Ok(reader) => {
            reader.walk(|entry| ledger.adopt(&entry)).map_err(failed)?;
        }
        Err(error @ StoreError::Missing { .. }) => {
            super::say(format_args!("without changes: {error}"));
        }
        Err(error) => return Err(usage(error)),
    }
    Ok(ledger)
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
                civil(&row.zone, row.span.start),
                civil(&row.zone, row.span.end),
                row.kind.as_str().replace('_', " "),
                row.subject(),
                row.remark(),
            ],
        );
    }
    table
}
