//! Figures in words, the same in every file for people.

use serde_json::Number;

use super::{Figures, KPIS, Scorecard};
use crate::time::format_duration;
use crate::verdict::Verdict;

/// Titles that stand in the table, on tiles and in the chart: the same word counts the same.
pub(super) const AS_AGREED: &str = "As agreed";
pub(super) const NOT_AS_AGREED: &str = "Not as agreed";
pub(super) const EXEMPT: &str = "Exempt (waived emergencies)";
pub(super) const MISSING: &str = "Evidence is missing";
pub(super) const WAITING: &str = "Not acknowledged yet";
pub(super) const IN_BUSINESS_HOURS: &str = "Time in business hours";

/// Stands where there is nothing to tell.
pub(super) const NONE: &str = "–";

/// A share of one as a percentage with one digit. What is not all is not shown as 100 %, and what is something
/// not as nothing.
pub(super) fn percent(ratio: f64) -> String {
    let tenths = (ratio * 1e3).round();
    let tenths = if ratio < 1.0 { tenths.min(999.0) } else { tenths };
    match 0.0 < ratio && tenths < 1.0 {
        true => "under 0.1 %".into(),
        false => format!("{:.1} %", tenths / 10.0),
    }
}

pub(super) fn adherence(figures: &Figures) -> String {
    match (figures.adherence_ratio, figures.coverage_ratio) {
        (Some(ratio), _) => percent(ratio),
        (None, None) => "no coverage".into(),
        (None, Some(_)) => "no runs".into(),
    }
}

pub(super) fn coverage(figures: &Figures) -> String {
    figures.coverage_ratio.map_or("no coverage".into(), percent)
}

/// `7 of 9 judged runs`
pub(super) fn kept(figures: &Figures) -> String {
    let kept = figures.finally(Verdict::Compliant);
    match figures.judged {
        0 => "no run was judged".into(),
        1 => format!("{kept} of 1 judged run"),
        n => format!("{kept} of {n} judged runs"),
    }
}

/// Seconds as whole minutes, rounded up: a second in business hours is not nothing.
pub(super) fn minutes(seconds: &Number) -> String {
    let minutes = (seconds.as_f64().unwrap_or_default() / 60.0).ceil();
    format!("{minutes:.0} min")
}

pub(super) fn notice(seconds: Option<&Number>) -> String {
    let told = seconds
        .and_then(Number::as_f64)
        .map(|seconds| format_duration(chrono::TimeDelta::seconds(seconds.trunc() as i64)));
    told.unwrap_or(NONE.into())
}

/// The table of figures: a title for each row, and its value in each month.
pub(super) fn table(card: &Scorecard) -> Vec<(&'static str, Vec<String>)> {
    let months: Vec<&Figures> = card.before.iter().chain([&card.figures]).collect();
    let row = |title: &'static str, value: &dyn Fn(&Figures) -> String| {
        (title, months.iter().map(|figures| value(figures)).collect())
    };
    let mut rows = vec![
        row("Adherence", &adherence),
        row("Coverage", &coverage),
        row("Runs", &|f| f.runs.to_string()),
        row(AS_AGREED, &|f| f.of(Verdict::Compliant).to_string()),
        row(NOT_AS_AGREED, &|f| f.of(Verdict::Violation).to_string()),
        row(EXEMPT, &|f| f.of(Verdict::Exempt).to_string()),
        row(MISSING, &|f| f.of(Verdict::Unknown).to_string()),
        row("Not final yet", &|f| f.provisional.to_string()),
        row("Judged runs", &|f| f.judged.to_string()),
        row(WAITING, &|f| f.unacknowledged.to_string()),
    ];
    for kpi in KPIS {
        let count = |f: &Figures| f.kpis.get(kpi.key).copied().unwrap_or(0).to_string();
        rows.push(row(kpi.title, &count));
    }
    rows.push(row(IN_BUSINESS_HOURS, &|f| minutes(&f.business_hours_seconds)));
    rows.push(row("Time outside the windows", &|f| minutes(&f.outside_window_seconds)));
    rows.push(row("Notice, least", &|f| notice(f.notice_least_seconds.as_ref())));
    rows.push(row("Notice, median", &|f| notice(f.notice_median_seconds.as_ref())));
    rows
}

/// How the figures are to be read.
pub(super) const NOTES: &[&str] = &[
    "A run counts as a whole in the month in which it began, even if it ends in the next.",
    "Each run counts under one verdict. If that is not final yet, the current one counts.",
    "Adherence: the share of judged runs that were as agreed. Judged runs have a final verdict; waived emergencies are left out, and a run with \
     missing evidence counts as not as agreed. Adherence is not shown without coverage: a silent log proves nothing.",
    "Coverage: the share of the month in which every source of the partner was readable, fresh and caught up. Time that is \
     known only from old logs is not covered.",
    "Not acknowledged yet: violations that still wait for somebody to acknowledge them. Violations found in old logs do not wait.",
];

/// One sentence above all figures.
pub(super) fn headline(card: &Scorecard) -> String {
    let figures = &card.figures;
    let told = match figures.adherence_ratio {
        Some(ratio) => format!(
            "{} of the runs were as agreed ({}), seen with a coverage of {}{}",
            percent(ratio),
            kept(figures),
            coverage(figures),
            after(card)
        ),
        None if figures.runs == 0 && figures.coverage_ratio.is_none() => {
            "No run is on record, but nothing was covered, so there may have been some".into()
        }
        None if figures.runs == 0 => {
            format!("There was no run, seen with a coverage of {}", coverage(figures))
        }
        None if figures.coverage_ratio.is_none() => format!(
            "{} in the logs were as agreed; nothing was covered in this month, so there may have been more runs",
            kept(figures)
        ),
        None => "No verdict that counts is final yet".into(),
    };
    let waiting = match card.unacknowledged {
        0 => String::new(),
        1 => " One violation waits for somebody to acknowledge it.".into(),
        n => format!(" {n} violations wait for somebody to acknowledge them."),
    };
    let unfinished = if card.complete { "" } else { " The month is not over." };
    format!("{told}.{waiting}{unfinished}")
}

/// What it was in the latest month before for which it is told; never without its coverage.
fn after(card: &Scorecard) -> String {
    let told = card.before.iter().rev().find_map(|f| Some((f.adherence_ratio?, f)));
    told.map_or(String::new(), |(ratio, figures)| {
        let (ratio, month) = (percent(ratio), &figures.month_name);
        format!(", after {ratio} in {month} (coverage {})", coverage(figures))
    })
}
