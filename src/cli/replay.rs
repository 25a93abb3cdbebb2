//! `offhours replay`: judges finished logs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::against::Against;
use super::fold::Hang;
use super::progress::Progress;
use super::runs::csv;
use super::table::{Align, Table, clean};
use super::{
    ConfigArg, FINE, FOUND, Outcome, back, instant, print, print_folded, source_for, usage,
};
use crate::app::replay::{self, Log};
use crate::report::run::RunReport;
use crate::run::RunNo;
use crate::time::Instant;
use crate::verdict::Verdict;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours replay --config.file examples/quickstart/offhours.yml examples/quickstart/*.log
  offhours replay --format json --until 2025-11-10T13:11:00Z partner.log
  offhours replay --against next.yml partner.log
  offhours replay --against next.yml --storage.path /var/lib/offhours --since 30d

Exit codes: 0 no violation, 1 a violation, 2 wrong usage or configuration.
With --against: 0; with --exit-code, 1 if any run is judged differently.")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    /// Read every log as this source; default: the source whose `files` match its name.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Judge as of this time, and ignore later lines.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<Instant>,
    #[arg(long, default_value = "table")]
    format: Format,
    /// Only show the runs that this other configuration would judge differently.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// With --against: the runs on record in this folder, instead of logs.
    #[arg(
        long = "storage.path",
        value_name = "DIR",
        requires = "against",
        conflicts_with = "logs"
    )]
    storage: Option<PathBuf>,
    /// With --storage.path: only runs that started since then: RFC 3339, a day, or a duration back from now.
    #[arg(long, value_name = "TIME", requires = "storage", value_parser = back)]
    since: Option<Instant>,
    /// With --against: exit with 1 if any run is judged differently.
    #[arg(long, requires = "against")]
    exit_code: bool,
    /// The log files.
    #[arg(required_unless_present = "storage", value_name = "LOG")]
    logs: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    Table,
    /// One object per line; the counts go to standard error.
    Json,
    Csv,
}

pub fn run(options: &Options) -> Outcome {
    let (format, exit_code) = (options.format, options.exit_code);
    let against = options.against.as_deref().map(|path| Against { path, format, exit_code });
    if let (Some(against), Some(dir)) = (&against, &options.storage) {
        return against.ledger(dir, options.since, options.until);
    }
    let config = options.config.load().map_err(usage)?;
    let mut logs = Vec::new();
    let mut total = 0;
    for path in &options.logs {
        let source = source_for(&config, path, options.source.as_deref()).map_err(usage)?;
        total += std::fs::metadata(path).map_or(0, |m| m.len());
        logs.push(Log { path: path.clone(), source });
    }
    let times = if against.is_some() { 2 } else { 1 };
    let bar = Progress::bytes(total * times, "reading");
    let outcome = replay::replay(&config, &logs, options.until, |n| bar.advance(n));
    let outcome = outcome.map_err(usage)?;
    if let Some(against) = against {
        return against.logs(&outcome, &logs, options.until, bar);
    }
    drop(bar);
    let reports = outcome.runs.iter().map(|(_, report)| report);
    match options.format {
        Format::Json => {
            print(|out| {
                for report in reports {
                    writeln!(out, "{}", serde_json::to_string(report)?)?;
                }
                Ok(())
            })?;
            let counts = serde_json::to_string(&outcome.counts).map_err(usage)?;
            super::say(format_args!("{counts}"));
        }
        Format::Csv => {
            let reports: Vec<RunReport> = reports.cloned().collect();
            print(|out| out.write_all(csv(&reports).as_bytes()))?;
        }
        Format::Table => {
            let table = table_of(reports.map(|report| (None, report)));
            print_folded(Hang::At(4), |mut out| table.write(&mut out))?;
            tell(&outcome);
        }
    }
    Ok(if outcome.has_violation() { FOUND } else { FINE })
}

/// Runs as a table. Those on record have a number, by which each can be named also where its log gives it no id. There
/// is a column for changes only if one of the runs has a change.
pub fn table_of<'a>(reports: impl Iterator<Item = (Option<RunNo>, &'a RunReport)>) -> Table {
    let reports: Vec<_> = reports.collect();
    let has_numbers = reports.first().is_some_and(|(no, _)| no.is_some());
    let has_changes = reports.iter().any(|(_, report)| report.change_id.is_some());
    let left = |heading| (heading, Align::Left);
    let number = has_numbers.then_some(("NO", Align::Right));
    let mut columns: Vec<_> = number.into_iter().collect();
    columns.extend([left("START"), ("DURATION", Align::Right), left("PARTNER"), left("SERVICE")]);
    columns.extend([left("PROCEDURE"), left("RUN")]);
    columns.extend(has_changes.then_some(left("CHANGE")));
    columns.extend([left("STATE"), left("VERDICT"), left("REASONS")]);
    let mut table = Table::new(&columns);
    for (no, r) in reports {
        let duration = r.duration_seconds.as_ref().and_then(serde_json::Number::as_f64);
        let duration = duration.map(|s| chrono::TimeDelta::milliseconds((s * 1e3) as i64));
        let reasons = r.reasons.iter().map(|reason| match r.waived.contains(reason) {
            true => format!("({reason})"),
            false => (*reason).to_string(),
        });
        let style = style_of(r.verdict);
        let verdict = if r.provisional { format!("{}?", r.verdict) } else { r.verdict.into() };
        let mut cells: Vec<String> = no.map(|no| no.to_string()).into_iter().collect();
        cells.extend([
            r.start.clone(),
            duration.map(crate::time::format_duration).unwrap_or_default(),
            r.partner.clone(),
            r.service.clone().unwrap_or_default(),
            r.procedure.clone(),
            r.run_id.clone().unwrap_or_default(),
        ]);
        cells.extend(has_changes.then(|| r.change_id.clone().unwrap_or_default()));
        cells.extend([r.state.into(), verdict, reasons.collect::<Vec<_>>().join(" ")]);
        table.styled_row(style, cells);
    }
    table
}

pub(super) fn style_of(verdict: &str) -> anstyle::Style {
    use anstyle::AnsiColor::{Blue, Red, Yellow};
    let colour = match Verdict::parse(verdict) {
        Some(Verdict::Violation) => Red,
        Some(Verdict::Unknown) => Yellow,
        Some(Verdict::Exempt) => Blue,
        Some(Verdict::Compliant) | None => return anstyle::Style::new(),
    };
    anstyle::Style::new().fg_color(Some(colour.into()))
}

/// Tells a person what was read, and which lines could not be.
fn tell(outcome: &replay::Outcome) {
    let c = &outcome.counts;
    let rejected: u64 = c.rejected.values().sum();
    super::say(format_args!(
        "\n{} runs from {} lines: {} events, {} ignored, {rejected} rejected",
        outcome.runs.len(),
        c.lines,
        c.events,
        c.ignored
    ));
    for line in outcome.rejected.iter().take(20) {
        super::say(format_args!(
            "{}: byte {}: {}: {}",
            line.path.display(),
            line.offset,
            line.rejection.reason,
            clean(&line.rejection.detail)
        ));
    }
    for (source, detail) in &outcome.unseen {
        super::say(format_args!("source {}: {}", clean(source), clean(detail)));
    }
    for (kind, n) in &c.irregularities {
        super::say(format_args!("irregular: {kind}: {n}"));
    }
    if outcome.runs.is_empty() && c.events == 0 && 0 < c.lines {
        super::say("no line is an event: try `offhours test-line` on one that should be");
    }
}
