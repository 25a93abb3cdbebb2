//! Scorecards as Markdown (CommonMark with tables).

use super::show::{NOTES, headline, table};
use super::{KPIS, Scorecard};
use crate::report::case::{CaseFile, Row, Sign};
use crate::report::plain::markdown as plain;
use crate::verdict::Verdict;

/// One document; nothing from a log is markup in it.
pub fn markdown(cards: &[Scorecard]) -> String {
    let parts: Vec<String> = cards.iter().map(card).collect();
    let mut text = parts.join("\n");
    text += "\n## How to read it\n\n";
    for note in NOTES {
        text += &format!("- {note}\n");
    }
    for kpi in KPIS {
        text += &format!("- {}: {}.\n", kpi.title, kpi.meaning);
    }
    text
}

fn card(card: &Scorecard) -> String {
    let mut text = format!(
        "# Maintenance by {}: {}\n\n{}\n\n## Figures\n\n",
        plain(&card.partner),
        card.month_name,
        headline(card)
    );
    text += &figures(card);
    text += "\n## Violations\n\n";
    if card.violations.is_empty() {
        text += "None.\n";
    }
    card.violations.iter().for_each(|case| text += &violation(case));
    let told = card.violations.len() as u64;
    let all = card.figures.of(Verdict::Violation);
    if told < all {
        text += &format!("And {} more: `offhours runs` lists them.\n", all - told);
    }
    text += "\n## Procedures\n\n";
    text + &procedures(card)
}

fn figures(card: &Scorecard) -> String {
    let months: Vec<&str> = card.before.iter().map(|f| f.month.as_str()).collect();
    let heads: Vec<String> =
        months.into_iter().map(String::from).chain([format!("**{}**", card.month)]).collect();
    let mut text = format!("| | {} |\n", heads.join(" | "));
    text += &format!("| --- |{}\n", " ---: |".repeat(heads.len()));
    for (title, values) in table(card) {
        text += &format!("| {title} | {} |\n", values.join(" | "));
    }
    text
}

fn violation(case: &CaseFile) -> String {
    let provisional = if case.provisional { " (not final)" } else { "" };
    let mut text =
        format!("### {}{provisional}\n\n{}\n\n", plain(&case.title), plain(&case.summary));
    for row in broken(case) {
        text += &format!("- **{}**: {}\n", plain(&row.label), plain(&row.text));
    }
    for row in ["overridden", "acknowledged"].iter().filter_map(|label| case.row(label)) {
        text += &format!("- {}: {}\n", plain(&row.label), plain(&row.text));
    }
    text += "\nWhat should have happened:\n\n";
    for row in brief(case) {
        text += &format!("- {}: {}\n", plain(&row.label), plain(&row.text));
    }
    text + "\n"
}

/// What a violation broke.
pub(super) fn broken(case: &CaseFile) -> impl Iterator<Item = &Row> {
    case.rows().filter(|row| matches!(row.sign, Some(Sign::Broken | Sign::Waived)))
}

/// What should have happened, without what is the same for every run.
pub(super) fn brief(case: &CaseFile) -> impl Iterator<Item = &Row> {
    const LEFT_TO_EXPLAIN: [&str; 2] = ["or", "keeps out of"];
    case.should().iter().filter(|row| !LEFT_TO_EXPLAIN.contains(&row.label.as_str()))
}

fn procedures(card: &Scorecard) -> String {
    let mut text = String::new();
    for undeclared in &card.undeclared {
        text += &format!("- {}\n", plain(&undeclared.told()));
    }
    for review in &card.reviews {
        text += &format!("- {}\n", plain(&review.told()));
    }
    if text.is_empty() {
        text = format!(
            "Everything that ran was declared, and all {} procedures are reviewed as agreed.\n",
            card.procedures
        );
    }
    text
}

impl super::Undeclared {
    /// A sentence without its full stop.
    pub(super) fn told(&self) -> String {
        let on = self.service.as_ref().map_or(String::new(), |service| format!(" on {service}"));
        let times = if self.runs == 1 { "once".into() } else { format!("{} times", self.runs) };
        format!("{}{on} ran {times} and is not declared", self.procedure)
    }
}

impl super::Review {
    /// A sentence without its full stop.
    pub(super) fn told(&self) -> String {
        let name = &self.procedure;
        let document = self.document.as_ref().map_or(String::new(), |d| format!(" ({d})"));
        match (&self.reviewed, &self.due) {
            (Some(at), Some(due)) => {
                format!("{name}{document}: review overdue since {due}, last reviewed {at}")
            }
            _ => format!("{name}{document}: no review is on record"),
        }
    }
}
