//! `offhours replay --against`: which past runs another policy would judge otherwise.

use std::path::Path;

use super::fold::Hang;
use super::progress::Progress;
use super::replay::{Format, style_of};
use super::table::{Align, Table};
use super::{FINE, FOUND, Outcome, failed, print, print_folded, usage};
use crate::app::backtest::{self, Backtest, Otherwise};
use crate::app::replay;
use crate::clock;
use crate::config::{self, Config};
use crate::report::csv::cell;
use crate::run::Run;
use crate::store::{Reader, RunFilter};
use crate::time::Instant;

/// What is compared, and how it is told.
pub struct Against<'a> {
    /// The other configuration.
    pub path: &'a Path,
    pub format: Format,
    /// Say by the exit code whether anything is judged otherwise.
    pub exit_code: bool,
}

impl Against<'_> {
    /// Runs on record.
    pub fn ledger(&self, dir: &Path, since: Option<Instant>, until: Option<Instant>) -> Outcome {
        let other = self.load()?;
        let reader = Reader::open(dir).map_err(usage)?;
        let filter = RunFilter { since, ..RunFilter::default() };
        let mut found = reader.runs(&filter).map_err(failed)?;
        found.reverse();
        let now = until.unwrap_or_else(clock::now);
        let runs = found.iter().map(|(run, ..)| run).filter(|run: &&Run| run.start <= now);
        self.tell(&backtest::of_ledger(runs, &other.policy, now))
    }

    /// Finished logs, read once more.
    pub fn logs(
        &self,
        first: &replay::Outcome,
        logs: &[replay::Log],
        until: Option<Instant>,
        bar: Progress,
    ) -> Outcome {
        let other = self.load()?;
        let second = replay::replay(&other, logs, until, |n| bar.advance(n)).map_err(usage)?;
        drop(bar);
        self.tell(&backtest::of_logs(first, &second))
    }

    fn load(&self) -> Result<Config, super::Failure> {
        config::load(self.path, clock::now()).map_err(usage)
    }

    fn tell(&self, found: &Backtest) -> Outcome {
        match self.format {
            Format::Table => {
                if !found.otherwise.is_empty() {
                    let table = table_of(&found.otherwise);
                    print_folded(Hang::At(4), |mut out| table.write(&mut out))?;
                }
                let (n, runs) = (found.otherwise.len(), found.runs);
                super::say(format_args!("{n} of {runs} runs are judged differently"));
            }
            Format::Json => print(|out| {
                for run in &found.otherwise {
                    writeln!(out, "{}", serde_json::to_string(run)?)?;
                }
                Ok(())
            })?,
            Format::Csv => print(|out| out.write_all(csv(&found.otherwise).as_bytes()))?,
        }
        Ok(if self.exit_code && !found.otherwise.is_empty() { FOUND } else { FINE })
    }
}

fn table_of(all: &[Otherwise]) -> Table {
    let left = |heading| (heading, Align::Left);
    let mut table = Table::new(&[
        left("START"),
        left("PARTNER"),
        left("SERVICE"),
        left("PROCEDURE"),
        left("RUN"),
        left("VERDICT"),
        left("AGAINST"),
        left("GAINED"),
        left("LOST"),
    ]);
    for run in all {
        let against = run.against.unwrap_or("no such partner");
        table.styled_row(
            style_of(against),
            [
                run.start.clone(),
                run.partner.clone(),
                run.service.clone().unwrap_or_default(),
                run.procedure.clone(),
                run.run_id.clone().unwrap_or_default(),
                run.verdict.into(),
                against.into(),
                run.gained.join(" "),
                run.lost.join(" "),
            ],
        );
    }
    table
}

const COLUMNS: [&str; 11] = [
    "partner",
    "service",
    "procedure",
    "run_id",
    "change_id",
    "start",
    "end",
    "verdict",
    "against",
    "gained",
    "lost",
];

/// RFC 4180, with a header; lists are joined by blanks.
fn csv(all: &[Otherwise]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for run in all {
        let value = serde_json::to_value(run).unwrap_or_default();
        let cells = COLUMNS.iter().map(|column| cell(&value[*column]));
        text += &cells.collect::<Vec<_>>().join(",");
        text += "\r\n";
    }
    text
}
